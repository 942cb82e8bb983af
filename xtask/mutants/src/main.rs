//! Changes a package's code in small ways, one at a time, and sees that a test fails: `hos-mutants ROOT PACKAGE TARGET PAGE [FILE]...`.
//!
//! A build for each change would take days. Here all changes are compiled at once, each asleep behind a question
//! ([`rewrite`]); a test program is told by its environment which one is awake. First each test runs alone and tells which it
//! meets; then each change runs the tests that meet it, the swiftest first, until one fails. What survives must stand on
//! the page, with the reason.

mod build;
mod list;
mod page;
mod rewrite;
mod trial;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use trial::{Bench, Fate};

fn main() -> ExitCode {
    if let Some(code) = build::overhear() {
        return code;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, package, target, page, files @ ..] = args.as_slice() else {
        eprintln!("hos-mutants ROOT PACKAGE TARGET PAGE [FILE]...");
        return ExitCode::from(2);
    };
    match run(Path::new(root), package, Path::new(target), Path::new(page), files) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Tries the changes of the files that are named (a folder names all in it), or of all; whether each was noticed or has a reason.
fn run(root: &Path, package: &str, target: &Path, page: &Path, files: &[String]) -> Result<bool, String> {
    let justified = page::justified(&root.join(page))?;
    let mutants = list::all(&root.join(package))?;
    let looked_at =
        |file: &str| files.is_empty() || files.iter().any(|named| file == named || file.starts_with(&format!("{named}/")));
    if !mutants.iter().any(|mutant| looked_at(&mutant.file)) {
        return Err("there is nothing to change in these".to_owned());
    }
    let built = build::build(root, package, target, &mutants)?;
    let folder = target.join("mutants/run");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let bench = Bench { folder: &folder, workers };
    let met = trial::met(&bench, &built.programs, mutants.len())?;
    let out = |number: &usize| built.refused.contains(number) || built.left.contains(number);
    let numbers: Vec<usize> = (0..mutants.len()).filter(|number| looked_at(&mutants[*number].file) && !out(number)).collect();
    let fates = trial::tried(&bench, &numbers, &met, &|number| {
        let (mutant, tests) = (&mutants[number], met[number].len());
        println!("survives {tests} tests: {}:{}: {}", mutant.file, mutant.line, mutant.what);
    })?;
    let named = |number: usize| format!("{}: {}", mutants[number].file, mutants[number].what);
    let mut survivors = Vec::new();
    let mut sums: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    for (number, mutant) in mutants.iter().enumerate().filter(|(_, mutant)| looked_at(&mutant.file)) {
        let sum = sums.entry(&mutant.file).or_default();
        match fates.get(&number) {
            Some(Fate::Caught(_)) => sum[0] += 1,
            Some(Fate::Endless(_)) => sum[1] += 1,
            Some(Fate::Survived(_)) => {
                sum[2] += 1;
                survivors.push(named(number));
            }
            None if built.left.contains(&number) => {
                sum[4] += 1;
                println!("not tried: {}:{}: {}", mutant.file, mutant.line, mutant.what);
                survivors.push(named(number));
            }
            None => sum[3] += 1,
        }
    }
    println!("{:>7} {:>7} {:>7} {:>7} {:>7}", "caught", "endless", "survive", "invalid", "left");
    let mut all = [0; 5];
    for (file, sum) in &sums {
        println!("{:>7} {:>7} {:>7} {:>7} {:>7}  {file}", sum[0], sum[1], sum[2], sum[3], sum[4]);
        all.iter_mut().zip(sum).for_each(|(all, one)| *all += one);
    }
    println!("{:>7} {:>7} {:>7} {:>7} {:>7}  in all", all[0], all[1], all[2], all[3], all[4]);
    if all[0] == 0 {
        return Err("no change was caught".to_owned());
    }
    let faults = page::faults(&survivors, &justified, &looked_at);
    write_faults(target, &faults)?;
    faults.iter().for_each(|fault| println!("{fault}"));
    Ok(faults.is_empty())
}

/// What is left to do, for who wants it as a list.
fn write_faults(target: &Path, faults: &[String]) -> Result<(), String> {
    let path: PathBuf = target.join("mutants/faults.txt");
    std::fs::write(&path, faults.iter().fold(String::new(), |out, fault| format!("{out}{fault}\n")))
        .map_err(|e| format!("{}: {e}", path.display()))
}
