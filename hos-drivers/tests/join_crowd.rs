//! A thousand transactions of many processes, of which some roll back, some are killed in the middle, some do a thing twice: the
//! host's rows and the evidence agree one to one.

mod world;

use hos_drivers::join::{AnyError, Dialect, End, Error};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use world::{Dice, World, birth, client, go, joining, kinds_and_settings, once};

const WORKERS: usize = 8;
const EACH: u64 = 25;
const ALL: u64 = 1000;

/// What a process of the host's does; nothing when this binary runs as itself.
#[test]
fn a_worker() {
    let Ok(url) = std::env::var("HOS_JOIN_WORKER") else { return };
    let said = |name: &str| std::env::var(name).unwrap();
    let mut client = client::connect(&url, &said("HOS_JOIN_SESSION"));
    let joining = joining(Dialect::named(url.split(':').next().unwrap()).unwrap());
    let mut dice = Dice(said("HOS_JOIN_SEED").parse().unwrap());
    for _ in 0..EACH {
        // Few ids and few keys, so that workers meet and do things twice.
        let (id, key) = (dice.roll(60).to_string(), format!("evt-{}", dice.roll(200)));
        let (fate, last) = (dice.roll(60), dice.roll(3));
        let ended = client.run(&joining, |tx| {
            if tx.call(birth(&id))?.allowed {
                tx.write(&format!("INSERT INTO orders VALUES ('{id}', 'a')"))?;
            }
            kill_if(fate == 0 && last == 0);
            let went = tx.call(once(go(&id), &key))?;
            kill_if(fate == 0 && last == 1);
            if went.allowed && !went.again {
                tx.write(&format!("INSERT INTO pays VALUES ('{id}', '{key}')"))?;
                tx.write(&format!("UPDATE orders SET status = 'b' WHERE id = '{id}'"))?;
            }
            kill_if(fate == 0);
            Ok(if fate < 12 { End::Rollback(()) } else { End::Commit(()) })
        });
        // Five tries may be too few in such a crowd; nothing of it is stored then.
        if let Err(error) = ended {
            assert!(is_retry(&error), "{error:?}");
            println!("gave up");
        }
    }
    println!("done");
}

/// Ours, or one of the client's own for a statement of the host's.
fn is_retry(error: &AnyError) -> bool {
    let words = format!("{error:?}");
    let codes = ["DatabaseBusy", "E40001", "E40P01", "code: 1020", "code: 1205", "code: 1213"];
    error.downcast_ref::<Error>().is_some_and(Error::is_retry) || codes.iter().any(|code| words.contains(code))
}

/// Nothing of this process runs after it: no rollback, no goodbye.
fn kill_if(so: bool) {
    if so {
        Command::new("kill").args(["-9", &std::process::id().to_string()]).status().unwrap();
        std::thread::sleep(Duration::from_secs(60));
    }
}

fn worker(world: &World, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_worker", "--nocapture"])
        .env("HOS_JOIN_WORKER", &world.url)
        .env("HOS_JOIN_SESSION", &world.kind.session)
        .env("HOS_JOIN_SEED", seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn rows_and_evidence_agree_after_a_thousand_with_kills() {
    for kind in kinds_and_settings() {
        let (world, since) = (World::new(&kind), Instant::now());
        let (mut begun, mut killed, mut gave_up, mut done) = (0, 0, 0, 0);
        let mut dice = Dice(7);
        let mut running: Vec<Child> = Vec::new();
        while begun < ALL / EACH || !running.is_empty() {
            while running.len() < WORKERS && begun < ALL / EACH {
                begun += 1;
                running.push(worker(&world, begun * 31));
            }
            std::thread::sleep(Duration::from_millis(20));
            // One more is killed from outside now and then, wherever it is.
            if dice.roll(40) == 0 {
                let chosen = dice.roll(running.len() as u64) as usize;
                if let Some(one) = running.get_mut(chosen) {
                    one.kill().unwrap();
                }
            }
            world.engine.work().unwrap();
            for at in (0..running.len()).rev() {
                if running[at].try_wait().unwrap().is_none() {
                    continue;
                }
                let output = running.swap_remove(at).wait_with_output().unwrap();
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                gave_up += text.matches("gave up").count();
                match output.status.code() {
                    Some(0) if text.contains("done") => done += 1,
                    None => killed += 1,
                    _ => panic!("{kind:?}: {text}\n{}", String::from_utf8_lossy(&output.stderr)),
                }
            }
        }
        world.intact();
        let paid = world.agree();
        println!(
            "{} {}: {paid} paid, {killed} of {begun} processes killed, {done} done, {gave_up} gave up, {:?}",
            kind.dialect().name(),
            kind.session,
            since.elapsed()
        );
        assert!(paid > 20 && killed > 3 && done > 3, "{kind:?}: {paid} {killed} {done}");
    }
}
