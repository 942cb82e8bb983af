//! What one `can` costs in Rust, on a store that exists: the ground that the bindings' benchmarks stand on.

use hos_wire::call::{Ask, parse};
use hos_wire::{CALL_BYTES_MAX, serve_with};
use serde_json::json;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// `--store FILE --question FILE [--seconds N]`, the question a `can` as in `spec/answer.md`. One line of JSON: nanoseconds a
/// call by the engine's own words (`can_ns`), by bytes of JSON in and out (`wire_ns`), to open the store (`open_ns`), each the
/// median of its rounds, and whether the answer is yes.
pub(crate) fn run(args: &[String]) -> crate::Result<String> {
    let named = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1));
    let store = named("--store").ok_or("--store FILE is missing")?;
    let question = std::fs::read(named("--question").ok_or("--question FILE is missing")?)?;
    let seconds: f64 = named("--seconds").map_or(Ok(1.0), |n| n.parse())?;
    let options = json!({ "store": store }).to_string();
    let open = || hos_wire::open(options.as_bytes());
    let mut opened = Vec::new();
    for _ in 0..9 {
        let begun = Instant::now();
        let engine = open()?;
        opened.push(begun.elapsed().as_nanos());
        engine.close()?;
    }
    opened.sort_unstable();
    let engine = open()?;
    let asked = parse("can", &question, CALL_BYTES_MAX)?;
    let Ask::Can(can) = asked.ask else { return Err("the question is no `can`".into()) };
    let tenant = engine.tenant(asked.tenant.as_str())?;
    let allowed = tenant.can(&can)?.allowed;
    let own = median(seconds, || tenant.can(black_box(&can)).is_ok_and(|answer| answer.allowed == allowed))?;
    let wire = median(seconds, || !serve_with(&engine, "can", black_box(&question), CALL_BYTES_MAX).json.is_empty())?;
    Ok(json!({ "can_ns": own, "wire_ns": wire, "open_ns": opened[opened.len() / 2], "allowed": allowed }).to_string())
}

/// Nanoseconds a call: the median of rounds of a thousand.
fn median(seconds: f64, call: impl Fn() -> bool) -> crate::Result<f64> {
    const ROUND: u32 = 1_000;
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let mut rounds = Vec::new();
    while rounds.len() < 5 || Instant::now() < until {
        let begun = Instant::now();
        for _ in 0..ROUND {
            if !call() {
                return Err("an answer was not what the first one was".into());
            }
        }
        rounds.push(begun.elapsed().as_secs_f64() * 1e9 / f64::from(ROUND));
    }
    rounds.sort_by(f64::total_cmp);
    Ok((rounds[rounds.len() / 2] * 10.0).round() / 10.0)
}
