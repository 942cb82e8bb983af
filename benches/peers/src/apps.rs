//! The apps of Cedar's paper in Rego: of each world that lies in a directory, its entities closed beforehand, each request a value.
//! One line a world: its file's name, and nanoseconds a decision. Every answer is Cedar's, or nothing is printed.

use crate::{Result, middle};
use regorus::{Engine, Value};
use std::hint::black_box;
use std::path::Path;

pub(crate) fn run(directory: &Path) -> Result<()> {
    let mut files: Vec<_> =
        std::fs::read_dir(directory)?.map(|file| file.map(|file| file.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    for file in files {
        let world = Value::from_json_str(&std::fs::read_to_string(&file)?)?;
        let name = file.file_stem().and_then(|name| name.to_str()).ok_or("a file's name")?;
        println!("{name}\t{:.1}", one(&world)?);
    }
    Ok(())
}

fn one(world: &Value) -> Result<f64> {
    let law = world["law"].as_string()?;
    let mut engine = Engine::new();
    engine.add_policy_from_file(format!("{}/law/apps/{law}.rego", env!("CARGO_MANIFEST_DIR")))?;
    engine.add_data(world["data"].clone())?;
    let asked = world["asked"].as_array()?;
    let mut ask = |asked: &Value| -> Result<bool> {
        engine.set_input(asked.clone());
        Ok(engine.eval_rule("data.app.allow".to_owned())? == Value::from(true))
    };
    for asked in asked.iter() {
        if Value::from(ask(asked)?) != asked["allowed"] {
            return Err(format!("{law}: another answer than Cedar's to {asked}").into());
        }
    }
    let times = u32::try_from(asked.len())?;
    Ok(middle(times, |i| assert!(ask(black_box(&asked[i as usize])).is_ok())))
}
