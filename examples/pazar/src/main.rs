//! Pazar, a marketplace under its law: replays real bookings and orders through the law into one file of evidence.
//!
//! ```text
//! cargo run --release -p pazar                                   a sample of bookings, made here
//! cargo run --release -p pazar -- --reservations FILE            the public hotel-bookings format, gzipped or not
//! cargo run --release -p pazar -- --orders FILE                  the public Online Retail format, gzipped or not
//! ```

mod calendar;
mod evidence;
mod input;
mod plan;
mod replay;
mod report;
mod sample;
mod setup;
mod totals;
mod trouble;

use clap::Parser;
use hos_core::time::Timestamp;
use hos_engine::VerifyOptions;
use hos_engine::clock::SetClock;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plan::Plan;
use report::Report;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use trouble::Trouble;

/// Replays bookings or orders through Pazar's law into a store, and verifies the evidence.
///
/// Stopped anywhere and started again, it goes on where it was. Exits with 0 only if the evidence holds and every call is
/// accounted for.
#[derive(Debug, Parser)]
#[command(name = "pazar", version)]
struct Args {
    /// A file of bookings in the public hotel-bookings format (CSV, gzipped or not)
    #[arg(long, value_name = "FILE", conflicts_with = "orders")]
    reservations: Option<PathBuf>,
    /// A file of order lines in the public Online Retail format (CSV, gzipped or not)
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// How many bookings the sample has, where no file is given
    #[arg(long, value_name = "N", default_value_t = sample::BOOKINGS, value_parser = clap::value_parser!(u32).range(1..=10_000_000),
          conflicts_with_all = ["reservations", "orders"])]
    bookings: u32,
    /// The seed of the sample
    #[arg(long, value_name = "N", default_value_t = sample::SEED, conflicts_with_all = ["reservations", "orders"])]
    seed: u64,
    /// The store; a file of its own for each input if not said
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// The law's directory; the one beside this program's source if not said
    #[arg(long, value_name = "DIR")]
    law: Option<PathBuf>,
    /// Also exports the story of one instance as a bundle that anybody can verify, and a trust file FILE.trust
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Ends with one line of JSON instead of a text, and shows no progress
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            let _ = writeln!(std::io::stderr(), "pazar: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool, Trouble> {
    // The input is read and ordered whole before the store is touched.
    let plan = plan_of(args)?;
    let law = Arc::new(hos_engine::load_law(&law_dir(args)?)?);
    let store = args.store.clone().unwrap_or_else(|| default_store(&plan));
    let clock = Arc::new(SetClock::at(Timestamp(plan.begins_at())));
    let _held = setup::hold(&store)?;
    let engine = setup::open(&store, &law, &plan, &clock)?;

    let bar = bar(args, "directory");
    setup::prepare(&engine, &plan, &|done, total| show(&bar, done, total))?;
    bar.finish_and_clear();

    let bar = self::bar(args, "replaying");
    let total = plan.events.len() as u64;
    let done = replay::Replay::new(&engine, &plan, &clock)?.run(&|done| show(&bar, done, total))?;
    bar.finish_and_clear();

    let bar = self::bar(args, "verifying");
    let verify =
        engine.verify(&VerifyOptions { progress: Some(&|done, total| show(&bar, done, total)), ..VerifyOptions::default() })?;
    bar.finish_and_clear();
    // After the verification, for an export writes a record of its own: the counts are the replay's.
    let bundle = args.bundle.as_ref().map(|path| evidence::export(&engine, &plan, path)).transpose()?;
    engine.close()?;

    let report = Report { plan: &plan, done: &done, verify: &verify, store: &store, law: &law, bundle: bundle.as_ref() };
    let text = if args.json { format!("{}\n", report.json()) } else { report.text() };
    print(&text)?;
    Ok(report.sound())
}

fn plan_of(args: &Args) -> Result<Plan, Trouble> {
    if let Some(path) = &args.orders {
        let text = input::read(path)?;
        return Plan::of_lines(&text.name, text.digest(), input::retail::parse(&text)?);
    }
    let text = match &args.reservations {
        Some(path) => input::read(path)?,
        None => sample::text(args.seed, args.bookings),
    };
    Plan::of_bookings(&text.name, text.digest(), input::hotel::parse(&text)?)
}

fn law_dir(args: &Args) -> Result<PathBuf, Trouble> {
    if let Some(dir) = &args.law {
        return Ok(dir.clone());
    }
    let places = [concat!(env!("CARGO_MANIFEST_DIR"), "/law"), "examples/pazar/law", "law"];
    let found = places.iter().map(Path::new).find(|p| p.join("law.toml").is_file());
    found.map(Path::to_path_buf).ok_or_else(|| Trouble::new("the law is not where it was when this was built; say --law DIR"))
}

/// A file of its own for each input, so that different inputs do not meet, and the same one goes on where it was stopped.
fn default_store(plan: &Plan) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    match target.canonicalize() {
        Ok(target) => target.join("pazar").join(format!("{}.db", plan.short_digest())),
        Err(_) => PathBuf::from(format!("pazar-{}.db", plan.short_digest())),
    }
}

/// A progress bar on stderr; hidden where nobody sees it.
fn bar(args: &Args, what: &'static str) -> ProgressBar {
    let target = if args.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(0), target).with_message(what);
    match ProgressStyle::with_template("{msg:<10} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn show(bar: &ProgressBar, done: u64, total: u64) {
    bar.set_length(total);
    bar.set_position(done);
}

/// Prints, and takes a reader who has gone away for one who has seen enough.
fn print(text: &str) -> Result<(), Trouble> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Trouble::new(format!("the report cannot be written: {e}"))),
        _ => Ok(()),
    }
}
