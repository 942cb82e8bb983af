//! The protocol of a host's transaction, with a host that lies: its rows, and the JSON around them.

use super::calls::apart;
use super::doors::{Drawn, LAW, START_MS, founded, unbroken};
use hos_core::call::Call;
use hos_core::id::Tenant;
use hos_core::time::Timestamp;
use hos_engine::clock::SetClock;
use hos_engine::joined::{Asked, Joined, Next};
use hos_engine::store::server::Connection;
use hos_engine::store::sql::dialect::{Dialect, say};
use hos_engine::store::{Sql, Statement};
use hos_engine::{Engine, Failure};
use hos_wire::JoinedEngine;
use hos_wire::call::Ask;
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Calls whose rows are bent; those in front are made for good before, so that there is something to find.
pub const CALLS: [(&str, &str); 10] = [
    (
        "begin",
        r#"{"tenant":"north","principal":{"type":"Kit::Account","id":"ayse"},"contract":"ticket","id":"1","event":"place","facts":{"buyer":{"__entity":{"type":"Kit::Account","id":"ayse"}},"total":40},"once":"k1"}"#,
    ),
    (
        "directory",
        r#"{"tenant":"north","principal":{"type":"Kit::Account","id":"root"},"change":{"join":{"uid":{"type":"Kit::Account","id":"mehmet"},"parent":{"type":"Kit::Role","id":"seller"}}},"once":"k2"}"#,
    ),
    (
        "transition",
        r#"{"tenant":"north","principal":{"type":"Kit::Account","id":"ayse"},"contract":"ticket","id":"1","event":"pay","args":{"amount":42},"once":"k3"}"#,
    ),
    (
        "transition",
        r#"{"tenant":"north","principal":{"type":"Kit::Account","id":"mehmet"},"contract":"ticket","id":"1","event":"ship","args":{"in_stock":true},"once":"k4"}"#,
    ),
    (
        "can",
        r#"{"tenant":"north","principal":{"type":"Kit::Account","id":"mehmet"},"action":"ticket.ship","resource":{"type":"Kit::Ticket","id":"1"}}"#,
    ),
    (
        "begin",
        r#"{"tenant":"north","principal":{"type":"Kit::Account","id":"ayse"},"contract":"stay","id":"9","event":"request","facts":{"guest":{"__entity":{"type":"Kit::Account","id":"ayse"}},"guests":2,"nights":3,"arrival":{"__extn":{"fn":"datetime","arg":"2026-11-05T12:00:00Z"}}},"once":"k5"}"#,
    ),
    (
        "transition",
        r#"{"tenant":"north","principal":{"type":"Kit::Account","id":"ayse"},"contract":"ticket","id":"1","event":"pay","args":{"amount":42},"once":"k3"}"#,
    ),
    (
        "directory",
        r#"{"tenant":"north","principal":{"type":"Kit::Account","id":"root"},"change":{"leave":{"uid":{"type":"Kit::Account","id":"mehmet"},"parent":{"type":"Kit::Role","id":"seller"}}},"once":"k6"}"#,
    ),
    (
        "record",
        r#"{"tenant":"north","principal":{"type":"Kit::Account","id":"root"},"stream":"kept","payload":"words","once":"k7"}"#,
    ),
    (
        "transition",
        r#"{"tenant":"south","principal":{"type":"Kit::Account","id":"ayse"},"contract":"ticket","id":"1","event":"ship","args":{"in_stock":true}}"#,
    ),
];
/// How many of them are made for good.
const MADE: usize = 3;

/// How a cell, a row or a list is bent.
#[derive(Debug, Clone, Copy)]
struct Bend {
    round: u8,
    list: u8,
    row: u8,
    column: u8,
    what: u8,
    with: u8,
}

impl Bend {
    fn read(bytes: &[u8]) -> Vec<Self> {
        let one = |b: &[u8]| match *b {
            [round, list, row, column, what, with] => Some(Bend { round: round % 5, list, row, column, what: what % 14, with }),
            _ => None,
        };
        bytes.chunks(6).filter_map(one).take(16).collect()
    }

    fn apply(self, rows: &mut Vec<Vec<Vec<Sql>>>) {
        let among = |n: u8, len: usize| if len == 0 { 0 } else { usize::from(n) % len };
        let at = among(self.list, rows.len());
        let list_of_other = rows.get(usize::from(self.with)).cloned();
        match self.what {
            4 if rows.len() > 1 => drop(rows.remove(at)),
            5 => rows.push(Vec::new()),
            _ => {}
        }
        let Some(list) = rows.get_mut(at) else { return };
        let row_at = among(self.row, list.len());
        match self.what {
            0 => list.clear(),
            1 if !list.is_empty() => drop(list.remove(row_at)),
            2 if !list.is_empty() => list.push(list[row_at].clone()),
            3 => *list = list_of_other.unwrap_or_default(),
            4 | 5 => {}
            _ => {
                let Some(row) = list.get_mut(row_at) else { return };
                let column = among(self.column, row.len());
                self.cell(row, column);
            }
        }
    }

    fn cell(self, row: &mut Vec<Sql>, column: usize) {
        const EDGES: [i64; 8] = [0, -1, 1, i64::MIN, i64::MAX, 1 << 32, 255, START_MS];
        let other = row.get(usize::from(self.with)).cloned();
        let Some(cell) = row.get_mut(column) else { return };
        match self.what {
            6 => *cell = Sql::Null,
            7 => *cell = Sql::Int(EDGES[usize::from(self.with) % EDGES.len()]),
            8 => *cell = other.unwrap_or(Sql::Null),
            9 => drop(row.remove(column)),
            10 => *cell = Sql::Raw(vec![self.with; usize::from(self.row)]),
            11 => match cell {
                Sql::Int(n) => *cell = Sql::Raw(n.to_string().into_bytes()),
                Sql::Text(text) => *cell = Sql::Blob(text.clone().into_bytes()),
                Sql::Blob(bytes) => *cell = Sql::Raw(bytes.clone()),
                _ => {}
            },
            _ => match cell {
                Sql::Int(n) => *n ^= 1 << (self.with % 64),
                Sql::Text(text) => {
                    let cut = text.char_indices().nth(usize::from(self.row)).map_or(text.len(), |(at, _)| at);
                    text.insert(cut, char::from(self.with));
                }
                Sql::Blob(bytes) | Sql::Raw(bytes) => {
                    let place = usize::from(self.row) << 4 | usize::from(self.column & 15);
                    let len = bytes.len();
                    if let Some(byte) = bytes.get_mut(place % len.max(1)) {
                        *byte ^= self.with | 1;
                    }
                    if self.what == 13 {
                        bytes.truncate(place);
                    }
                }
                Sql::Null => *cell = Sql::Int(i64::from(self.with)),
            },
        }
    }
}

/// A host's database, and what each call comes to when nobody lies.
struct Host {
    conn: Box<dyn Connection>,
    honest: Vec<(bool, Vec<String>)>,
    _place: tempfile::TempDir,
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

fn asked(number: usize) -> Asked {
    let (operation, json) = CALLS[number % CALLS.len()];
    let request = hos_wire::call::parse(operation, json.as_bytes(), 1 << 16).unwrap_or_else(|f| panic!("{f:?}"));
    match request.ask {
        Ask::Can(can) => Asked::Can(request.tenant, Box::new(can)),
        Ask::Call(call) => Asked::Call(request.tenant, Box::new(call), [operation, json].join("\n").into_bytes()),
        _ => panic!("{operation} is asked in no transaction"),
    }
}

/// The same as a claim, where it can be one.
fn claimed(asked: Asked) -> Asked {
    match asked {
        Asked::Call(tenant, call, _) => Asked::Claim(tenant, call),
        other => other,
    }
}

fn joined() -> Joined {
    let clock = Arc::new(SetClock::at(Timestamp(START_MS)));
    let builder = Engine::builder().law(Arc::clone(&LAW)).clock(clock).entropy(Drawn::new(2));
    Joined::open(builder, Dialect::Sqlite, Dialect::Sqlite.places())
}

impl Host {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let path = place.path().join("world.db");
        let made = std::fs::File::create(&path);
        let url = format!("sqlite://{}", path.display());
        let own = hos_drivers::connector(&url).unwrap_or_else(|f| panic!("{made:?} {f:?}"));
        let clock = Arc::new(SetClock::at(Timestamp(START_MS)));
        let builder =
            Engine::builder().server(own.clone()).key_file(place.path().join("key")).clock(clock).entropy(Drawn::new(1));
        let engine = founded(builder);
        for (operation, json) in &CALLS[..MADE] {
            let request = hos_wire::call::parse(operation, json.as_bytes(), 1 << 16).unwrap_or_else(|f| panic!("{f:?}"));
            let Ask::Call(call) = request.ask else { panic!("{operation} makes nothing") };
            made_for_good(&engine, &request.tenant, call);
        }
        drop(engine);
        let conn = own.connect(Duration::from_secs(20)).unwrap_or_else(|e| panic!("{}", e.message));
        let mut host = Self { conn, honest: Vec::new(), _place: place };
        for number in 0..CALLS.len() {
            let said = host.play(asked(number), &[]).unwrap_or_else(|| panic!("call {number} came to no answer"));
            host.honest.push(said);
        }
        assert!(host.honest.iter().any(|(allowed, _)| *allowed) && host.honest.iter().any(|(allowed, _)| !allowed));
        host
    }

    fn run(&mut self, statement: &Statement, reads: bool) -> Result<Vec<Vec<Sql>>, String> {
        let said = say(statement, Dialect::Sqlite, Dialect::Sqlite.places());
        let params: Vec<&Sql> = said.params(statement).collect();
        let mut rows = Vec::new();
        if reads {
            let take = &mut |cells| {
                rows.push(cells);
                ControlFlow::Continue(())
            };
            self.conn.query(&said.sql, &params, take).map_err(|e| e.message)?;
        } else {
            self.conn.execute(&said.sql, &params).map_err(|e| e.message)?;
        }
        Ok(rows)
    }

    /// A step to its end, in a transaction that is rolled back; the answer, if there was one: allowed, and the blockers' codes.
    fn play(&mut self, asked: Asked, bends: &[Bend]) -> Option<(bool, Vec<String>)> {
        let joined = joined();
        self.conn.say("BEGIN IMMEDIATE").unwrap_or_else(|e| panic!("{}", e.message));
        let said = self.stepped(&joined, asked, bends);
        self.conn.say("ROLLBACK").unwrap_or_else(|e| panic!("{}", e.message));
        said
    }

    fn stepped(&mut self, joined: &Joined, asked: Asked, bends: &[Bend]) -> Option<(bool, Vec<String>)> {
        let mut step = joined.step(asked, Some(true));
        let mut next = unbroken("a step", || step.go(joined, Vec::new()));
        for round in 0u8.. {
            match next {
                Next::Need(asks) => {
                    let mut rows = Vec::new();
                    for ask in &asks {
                        rows.push(self.run(&ask.statement, ask.reads).ok()?);
                    }
                    bends.iter().filter(|bend| bend.round == round).for_each(|bend| bend.apply(&mut rows));
                    next = unbroken("a step", || step.go(joined, rows));
                }
                Next::Settle(statements, outcome) => {
                    for statement in &statements {
                        let ran = self.run(statement, false);
                        assert!(!bends.is_empty() || ran.is_ok(), "what an honest step writes cannot be written: {ran:?}");
                    }
                    return match outcome.answer {
                        Ok(answer) => Some((answer.allowed, answer.blockers.iter().map(|b| b.code.to_string()).collect())),
                        Err(failure) => Some((false, vec![failure.code.as_str().to_owned()])),
                    };
                }
                Next::Answered(answers) => {
                    let codes = answers.iter().flat_map(|a| a.blockers.iter().map(|b| b.code.to_string())).collect();
                    return Some((answers.iter().all(|a| a.allowed), codes));
                }
                Next::Claimed(leave) => {
                    let left = leave.iter().all(|statement| self.run(statement, false).is_ok());
                    assert!(left || !bends.is_empty(), "a claim that cannot be left");
                    return None;
                }
                Next::Learned => return None,
            }
        }
        None
    }
}

fn made_for_good(engine: &Engine, tenant: &Tenant, call: Call) {
    let answer = engine.tenant_named(tenant).call(call);
    assert!(answer.as_ref().is_ok_and(|answer| answer.allowed), "{:?}", answer.map(|answer| answer.blockers));
}

/// A call in a host's transaction, whose rows come bent: which call, how, and six bytes a bend.
pub(super) fn rows(data: &[u8]) {
    let [number, how, bends @ ..] = data else { return };
    let number = usize::from(*number) % CALLS.len();
    let bends = Bend::read(bends);
    HOST.with_borrow_mut(|kept| {
        let mut host = kept.take().unwrap_or_else(Host::new);
        let asked = if how % 4 == 3 { claimed(asked(number)) } else { asked(number) };
        let is_claim = matches!(asked, Asked::Claim(..));
        let said = host.play(asked, &bends);
        if bends.is_empty() && !is_claim {
            assert_eq!(said.as_ref(), host.honest.get(number), "the same rows came to another answer");
        }
        *kept = Some(host);
    });
}

static JOINED: LazyLock<Vec<JoinedEngine>> = LazyLock::new(|| {
    let open = |options: &str| -> Result<JoinedEngine, Failure> { JoinedEngine::open(options.as_bytes()) };
    [
        "sqlite\",\"places\":\"numbered",
        "postgres\",\"places\":\"dollar",
        "mysql\",\"places\":\"question",
        "mysql\",\"places\":\"format",
    ]
    .iter()
    .flat_map(|how| ["", ",\"together\":true"].map(|more| format!("{{\"dialect\":\"{how}\"{more}}}")))
    .map(|options| open(&options).unwrap_or_else(|f| panic!("{options}: {f:?}")))
    .collect()
});

/// The JSON of a step: a byte that says which dialect, the call, and what comes back of each round, apart by empty lines. Rows alone
/// are put where they belong; everything else goes in as it is.
pub(super) fn step(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let Some(engine) = JOINED.get(usize::from(*first) % JOINED.len()) else { return };
    let pieces: Vec<&[u8]> = std::str::from_utf8(rest).map_or(Vec::new(), |t| t.split("\n\n").map(str::as_bytes).collect());
    let Some((operation, json)) = pieces.first().and_then(|piece| apart(piece)) else { return };
    let inside = [Some(true), Some(false), None][usize::from(*first) / 8 % 3];
    let mut number = told(engine, operation, inside, json);
    for piece in pieces.iter().skip(1).take(6) {
        let Some(step) = number else { break };
        let text = String::from_utf8_lossy(piece);
        number = match text.chars().next() {
            Some('[') => told(engine, "go_on", inside, format!("{{\"step\":{step},\"rows\":{text}}}").as_bytes()),
            Some('(') => told(engine, "go_on", inside, format!("{{\"step\":{step},\"result\":{}}}", &text[1..]).as_bytes()),
            Some('-') => told(engine, "apart", inside, format!("{{\"step\":{step}}}").as_bytes()),
            _ => told(engine, "go_on", inside, piece),
        };
    }
    if let Some(step) = number {
        assert!(told(engine, "leave", inside, format!("{{\"step\":{step}}}").as_bytes()).is_none());
    }
}

/// One round; the step's number while it is on its way.
fn told(engine: &JoinedEngine, operation: &str, inside: Option<bool>, json: &[u8]) -> Option<u64> {
    let stepped = unbroken(operation, || engine.step(operation, inside, json));
    let said: serde_json::Value = serde_json::from_slice(&stepped.json).unwrap_or_else(|e| panic!("no JSON: {e}"));
    match stepped.standing {
        None => {
            assert!(said["need"].is_array() || said["text"].is_string(), "a step that needs nothing is on its way: {said}");
            said["step"].as_u64()
        }
        // No law was read out of a database, for there is none: nobody can have judged.
        Some(hos_wire::Standing::Allowed) => {
            panic!("a yes out of nothing: {operation} {} {said}", String::from_utf8_lossy(json))
        }
        Some(_) => None,
    }
}
