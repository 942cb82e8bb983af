//! What answers the same question in two ways, asked both: the indexed door and Cedar's plain authorizer, the engine and the reference
//! model, the two verifiers.

use super::{Count, Order, counted};
use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Cases of one round: policies, scenarios of the model, bundles.
const CASES: u64 = 600_000;
const SCENARIOS: u64 = 40;
const BUNDLES: u64 = 4_000;
/// A round with a seed of its own.
type Round = fn(&Order, u64) -> io::Result<Vec<Count>>;
/// Of seven rounds, how many go to whom: policies are swift, and the most is to be had from them.
const WHEEL: [Round; 7] = [policies, bundles, model, policies, policies, policies, policies];

/// Rounds with other seeds until the time is over.
pub(super) fn run(order: &Order) -> io::Result<Vec<Count>> {
    let until = Instant::now() + Duration::from_secs(order.seconds);
    let mut sum: Vec<Count> = Vec::new();
    for (round, ask) in (0..).zip(WHEEL.iter().cycle()) {
        for count in ask(order, order.seed.wrapping_mul(1_000).wrapping_add(round))? {
            match sum.iter_mut().find(|known| (&known.what, &known.of) == (&count.what, &count.of)) {
                Some(known) => known.number += count.number,
                None => sum.push(count),
            }
        }
        if Instant::now() >= until {
            break;
        }
    }
    Ok(sum)
}

fn policies(order: &Order, seed: u64) -> io::Result<Vec<Count>> {
    let environment = [("HOS_CASES", CASES.to_string()), ("HOS_SEED", seed.to_string())];
    counted(order, &["--workspace", "--test", "policy_differential", "--", "equals_plain", "--nocapture"], &environment)
}

fn model(order: &Order, seed: u64) -> io::Result<Vec<Count>> {
    let environment = [("HOS_MODEL_CASES", SCENARIOS.to_string()), ("HOS_MODEL_SEED", seed.to_string())];
    counted(order, &["--workspace", "--test", "model", "--", "--exact", "long", "--nocapture"], &environment)
}

/// Bundles that one verifier's tests make, judged by both.
fn bundles(order: &Order, seed: u64) -> io::Result<Vec<Count>> {
    if !order.root.join("verifier/node_modules").is_dir() {
        crate::test::verifier::install(&order.root)?;
    }
    let target = crate::target(&order.root);
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--locked", "--workspace", "--example", "bundles"]).current_dir(&order.root);
    crate::run::done(build.env("CARGO_TARGET_DIR", &target)).map_err(io::Error::other)?;
    let program = target.join("debug/examples").join(format!("bundles{}", std::env::consts::EXE_SUFFIX));
    let mut maker = Command::new(program);
    maker.args(["--count", &BUNDLES.to_string(), "--seed", &seed.to_string()]).stdout(Stdio::piped());
    let mut maker = maker.spawn()?;
    let made = maker.stdout.take().ok_or_else(|| io::Error::other("no bundles"))?;
    let testing = order.root.join("verifier/testing");
    let mut second = Command::new("node");
    second.arg("--import").arg(testing.join("remember.mjs")).arg(testing.join("differential.mjs")).arg("--strict");
    let output = second.stdin(made).stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !maker.wait()?.success() || !output.status.success() {
        return Err(io::Error::other(format!("the verifiers differ, seed {seed}:\n{said}")));
    }
    let judged = said.lines().rev().find_map(judged).ok_or_else(|| io::Error::other("nothing was judged"))?;
    println!("seed {seed}: {judged} bundles");
    Ok(vec![Count { what: "two verifiers".into(), number: judged, of: "bundles".into() }])
}

/// `20000 bundles: 7000 yes, …`
fn judged(line: &str) -> Option<u64> {
    line.split_once(" bundles: ")?.0.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_judged_is_read_from_the_last_line() {
        assert_eq!(judged("20000 bundles: 7000 yes, 13000 no; 0 with one yes and one no"), Some(20_000));
        assert_eq!(judged("0 bundles: 0 yes, 0 no"), None);
        assert_eq!(judged("     120  seal.proof"), None);
    }
}
