//! Hosts and workers by the dozen, killed by themselves at a statement, from outside at any moment, by a session that is cut, by a
//! server that is; and then the verdict.

use crate::world::client::{Client, connect};
use crate::world::{Dice, Kind, World};
use hos_drivers::join::Dialect;
use hos_testkit::told::{Held, Told};
use hos_testkit::victim::{End, Victim};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::deeds::{Deed, HOT, Host, law};
use super::mortal::{Fate, Mortal};
use super::process;
use super::verdict::{judge, records};

const HOSTS: usize = 4;
const WORKERS: usize = 2;
/// How far workers' clocks are off, in hours.
const HOURS: [i64; 6] = [0, 7, -7, 1, -30, 30];
/// What processes with no end of their own have.
const NEVER: &str = "never";

/// What a storm came to.
#[derive(Debug, Default)]
pub(crate) struct Storm {
    pub(crate) killed: usize,
    pub(crate) sessions: usize,
    pub(crate) crashes: usize,
    /// Where processes died by themselves, and how many.
    pub(crate) phases: BTreeMap<String, usize>,
    pub(crate) held: Held,
    pub(crate) checkpoints: usize,
}

/// A world with the instances that all write to, and what was said of it so far.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) told: Told,
    pub(crate) before: i64,
    key: String,
}

impl Scene {
    pub(crate) fn new(kind: &Kind) -> Self {
        let world = World::under(kind, law());
        let before = records(&mut world.client());
        let key = world.dir.path().join("seal.key").display().to_string();
        let mut scene = Self { world, told: Told::default(), before, key };
        let mut host = Host::rounds(Mortal::new(&scene.world.url, Fate::parse(NEVER)), "", false);
        for hot in 0..HOT {
            scene.told.tries(&format!("hot{hot}.b"));
            let lines = host.transact(Deed::Birth, &format!("hot{hot}")).unwrap();
            lines.iter().for_each(|line| scene.told.read(&format!("{line}\n")));
        }
        scene
    }

    pub(crate) fn host(&self, name: &str, seed: u64, by: &str, fate: &str, more: &[(&str, &str)]) -> Victim {
        let seed = seed.to_string();
        let mut settings = vec![("URL", self.world.url.as_str()), ("SESSION", self.world.kind.session.as_str()), ("NAME", name)];
        settings.extend([("SEED", seed.as_str()), ("BY", by), ("FATE", fate)]);
        settings.extend(more);
        Victim::start(&mut process("host", &settings)).unwrap()
    }

    pub(crate) fn worker(&self, seed: u64, hours: i64, fate: &str) -> Victim {
        let (seed, hours) = (seed.to_string(), hours.to_string());
        let settings = [("URL", self.world.url.as_str()), ("KEY", &self.key), ("SEED", &seed), ("HOURS", &hours), ("FATE", fate)];
        Victim::start(&mut process("worker", &settings)).unwrap()
    }

    /// Takes in what a process said; its end must be a kill, or its own.
    pub(crate) fn hear(&mut self, victim: Victim, storm: &mut Storm) {
        let End { text, trouble, status } = victim.end().unwrap();
        self.told.read(&text);
        let lines = text.lines().filter_map(|line| line.rsplit("... ").next()?.strip_prefix("died "));
        for phase in lines {
            *storm.phases.entry(phase.to_owned()).or_default() += 1;
        }
        match status.code() {
            None => storm.killed += 1,
            Some(0) => assert!(text.contains("done"), "{text}"),
            Some(code) => panic!("{:?}: a process ended with {code}: {trouble}\n{text}", self.world.kind),
        }
    }

    #[track_caller]
    pub(crate) fn verdict(&mut self, storm: &mut Storm) {
        storm.held = judge(&self.world, &self.told, self.before).unwrap_or_else(|why| panic!("{:?}: {why}", self.world.kind));
        storm.checkpoints = self.told.notes().count();
    }
}

/// A server that may be ended, where somebody says that nobody else uses it.
struct Server {
    url: String,
    folder: PathBuf,
}

fn server(kind: &Kind) -> Option<Server> {
    let may = std::env::var_os("HOS_TEST_RESTARTS").is_some_and(|value| !value.is_empty());
    let folder = match kind.dialect() {
        Dialect::Postgres => "HOS_TEST_POSTGRES_DIR",
        Dialect::Mysql => "HOS_TEST_MARIADB_DIR",
        Dialect::Sqlite => return None,
    };
    let folder = std::env::var_os(folder).filter(|_| may)?;
    Some(Server { url: kind.server.clone(), folder: folder.into() })
}

impl Server {
    fn is_there(&self) -> bool {
        crate::world::client::tell(&self.url, "SELECT 1").is_ok()
    }

    /// Killed; whoever runs it starts it again.
    fn crash(&self) {
        let pid = std::fs::read_to_string(self.folder.join("pid")).unwrap();
        assert!(Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap().success());
        let until = Instant::now() + Duration::from_secs(90);
        std::thread::sleep(Duration::from_millis(100));
        while !self.is_there() {
            assert!(Instant::now() < until, "the server did not come back");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Cuts the session of somebody in this database, whatever it is doing.
fn cut(client: &mut Client, dialect: Dialect, any: u64) -> bool {
    match dialect {
        Dialect::Postgres => {
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1) AS s";
            client.number(sql) > 0
        }
        Dialect::Mysql => {
            let others = "FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
            let count = client.number(&format!("SELECT count(*) {others}"));
            let at = any % u64::try_from(count).unwrap().max(1);
            let id = client.number(&format!("SELECT coalesce((SELECT id {others} ORDER BY id LIMIT {at}, 1), 0)"));
            // It may have ended by itself.
            id > 0 && client.say(&format!("KILL CONNECTION {id}")).is_ok()
        }
        Dialect::Sqlite => false,
    }
}

/// Kills processes until this many are dead, and then holds what is there against all that was said.
pub(crate) fn storm(kind: &Kind, kills: usize, seed: u64) -> Storm {
    let (mut scene, mut storm, mut dice) = (Scene::new(kind), Storm::default(), Dice(seed));
    let server = server(kind);
    let mut cutter = Some(scene.world.client());
    let (mut hosts, mut workers): (Vec<Victim>, Vec<Victim>) = (Vec::new(), Vec::new());
    let mut begun = 0;
    while storm.killed < kills {
        while hosts.len() < HOSTS {
            begun += 1;
            let by = if dice.roll(3) == 0 { "driver" } else { "rounds" };
            // A deed has some thirty statements; some processes are left for others to kill.
            let fate = match dice.roll(4) {
                0 => NEVER.to_owned(),
                _ => format!("{} {}", dice.roll(160), if dice.roll(2) == 0 { "before" } else { "after" }),
            };
            hosts.push(scene.host(&format!("w{begun}"), begun * 31 + seed, by, &fate, &[]));
        }
        while workers.len() < WORKERS {
            begun += 1;
            let fate = format!("{} {}", dice.roll(1200), if dice.roll(2) == 0 { "before" } else { "after" });
            let hours = HOURS[dice.roll(HOURS.len() as u64) as usize];
            workers.push(scene.worker(begun * 31 + seed, hours, &fate));
        }
        std::thread::sleep(Duration::from_millis(dice.roll(60)));
        match dice.roll(24) {
            0..8 => {
                let at = dice.roll(HOSTS as u64) as usize;
                // One that has just been started has done nothing yet.
                if hosts[at].says("ack", 1 + dice.roll(6) as usize, Duration::from_millis(300)) {
                    hosts[at].kill();
                }
            }
            8..11 => {
                let at = dice.roll(WORKERS as u64) as usize;
                if workers[at].says("note", 1, Duration::from_millis(300)) {
                    workers[at].kill();
                }
            }
            11..15 => storm.sessions += usize::from(cut(cutter.as_mut().unwrap(), kind.dialect(), dice.roll(1000))),
            15 if dice.roll(4) == 0 => {
                if let Some(server) = &server {
                    server.crash();
                    storm.crashes += 1;
                    cutter = Some(connect(&scene.world.url, ""));
                }
            }
            _ => {}
        }
        for group in [&mut hosts, &mut workers] {
            for at in (0..group.len()).rev() {
                if !group[at].runs() {
                    scene.hear(group.swap_remove(at), &mut storm);
                }
            }
        }
    }
    for mut victim in hosts.into_iter().chain(workers) {
        victim.kill();
        scene.hear(victim, &mut storm);
    }
    scene.verdict(&mut storm);
    storm
}
