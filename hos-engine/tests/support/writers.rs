//! Processes that write to one file through the engine, and say what they were told: see `hos_testkit::told`.

use super::{go, law, new_order, root, uid};
use hos_core::answer::Answer;
use hos_core::call::Change;
use hos_core::id::Tenant;
use hos_core::policy::Entity;
use hos_core::value::Record;
use hos_engine::ports::Clock;
use hos_engine::{Builder, Engine, Failure, Founding, Level, ReplayOptions, TenantRef, VerifyOptions};
use hos_testkit::victim::Victim;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// Says a line to whoever started this process. `println!` would panic on a closed pipe.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// What a process is told, by its environment.
pub(crate) fn told(name: &str) -> String {
    std::env::var(format!("HOS_WRITER_{name}")).unwrap_or_default()
}

/// A number that a campaign sets for tests that are otherwise short.
pub(crate) fn set(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|n| n.parse().ok())
}

/// This test's program again, in a role: it runs the test `a_process` alone.
pub(crate) fn process(role: &str, store: &Path, settings: &[(&str, &str)]) -> Victim {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_process", "--nocapture", "--test-threads=1"]);
    command.env("HOS_WRITER_ROLE", role).env("HOS_WRITER_STORE", store);
    command.envs(settings.iter().map(|(name, value)| (format!("HOS_WRITER_{name}"), *value)));
    Victim::start(&mut command).unwrap()
}

/// Nothing of this process runs after it.
pub(crate) fn die() {
    Command::new("kill").args(["-9", &std::process::id().to_string()]).status().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
}

/// A store in a file with the tenant `t1` and the person `ann`, by this clock, under the smallest law.
pub(crate) fn found(path: &Path, clock: Arc<dyn Clock>) -> Engine {
    let role = Entity { uid: uid("R", "op"), attrs: Record::new(), parents: [].into(), record: None };
    let founder = Entity { uid: uid("A", "root"), attrs: Record::new(), parents: [uid("R", "op")].into(), record: None };
    let builder = Engine::builder().sqlite(path).law(Arc::new(law::law())).clock(clock);
    let engine = builder.found(Founding { founder, roles: vec![role] }).unwrap();
    assert!(engine.open_tenant(&root(), &Tenant::new("t1").unwrap()).unwrap().allowed);
    super::change(&engine.tenant("universe").unwrap(), Change::Put { uid: uid("A", "ann"), attrs: Record::new() });
    engine
}

pub(crate) fn builder(path: &Path) -> Builder {
    Engine::builder().sqlite(path)
}

/// An order is born under this key, and its answer.
pub(crate) fn birth(tenant: &TenantRef, key: &str) -> Result<Answer, Failure> {
    tenant.begin(new_order(key).once(key)?)
}

/// It goes its way, under the key with `+go` behind it.
pub(crate) fn went(tenant: &TenantRef, key: &str) -> Result<Answer, Failure> {
    tenant.transition(go(key).once(&format!("{key}+go"))?)
}

/// The line of an answer that is a yes.
pub(crate) fn ack(key: &str, answer: &Answer) -> String {
    format!("ack {key} {}", answer.receipt.as_ref().unwrap().record)
}

/// Births and their events from this many threads, for as long as it lasts, every answer a yes.
pub(crate) fn write(engine: &Engine, who: &str, threads: usize) {
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                let tenant = engine.tenant("t1").unwrap();
                for k in 0.. {
                    let key = format!("{who}.{thread}-{k}");
                    say(&format!("try {key}"));
                    let answer = birth(&tenant, &key).unwrap();
                    assert!(answer.allowed, "{:?}", answer.blockers);
                    say(&ack(&key, &answer));
                    if k % 3 == 0 {
                        say(&format!("try {key}+go"));
                        let answer = went(&tenant, &key).unwrap();
                        assert!(answer.allowed, "{:?}", answer.blockers);
                        say(&ack(&format!("{key}+go"), &answer));
                    }
                }
            });
        }
    });
}

/// It verifies, and is judged again as it was.
pub(crate) fn whole(engine: &Engine) -> Result<(), String> {
    let report = engine.verify(&VerifyOptions::default()).map_err(|failure| failure.to_string())?;
    if (report.level, report.unsealed.0) != (Level::Intact, 0) {
        return Err(format!("{:?}: {:#?}", report.level, report.findings));
    }
    let listed = engine.replay(&ReplayOptions::default()).map_err(|failure| failure.to_string())?.listed;
    if listed.is_empty() { Ok(()) } else { Err(format!("judged otherwise now: {listed:?}")) }
}
