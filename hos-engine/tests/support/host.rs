//! A host: a world with a database of its own, whose transactions the engine joins.

use super::{Store, law, root, uid};
use hos_core::answer::Answer;
use hos_core::call::{Call, Can};
use hos_core::id::Tenant;
use hos_engine::joined::{Asked, Joined, KeptRefusal, Next, Outcome};
use hos_engine::store::server::{ClientError, Connection, Trouble};
use hos_engine::store::sql::dialect::Dialect;
use hos_engine::store::{Sql, Statement};
use hos_engine::{Engine, Failure, Level, ReplayOptions, Settings, VerifyOptions};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// One connection of the world's, and the engine that joins its transactions.
pub(crate) struct Host {
    pub(crate) conn: Box<dyn Connection>,
    pub(crate) joined: Arc<Joined>,
    pub(crate) refusal: Option<Box<KeptRefusal>>,
    /// Of several calls: the answers before the last.
    pub(crate) earlier: Vec<Answer>,
    /// Statements that the last call had run, and the rounds it took.
    pub(crate) said: Vec<String>,
    pub(crate) rounds: usize,
    /// What takes back what the last claim claimed.
    pub(crate) leave: Vec<Statement>,
    /// What the world's driver says of its transaction; PostgreSQL is asked itself.
    pub(crate) inside: Option<bool>,
}

/// A store in a database, founded as in [`super::fresh`]; none where the tests have no database.
pub(crate) fn world() -> Option<Store> {
    let store = super::fresh(Settings::default());
    store.database.is_some().then_some(store)
}

/// An engine in one process of the world's.
pub(crate) fn joined(store: &Store) -> Arc<Joined> {
    let dialect = store.database.as_ref().unwrap().own.dialect();
    let builder = Engine::builder().law(Arc::new(law::law()));
    Arc::new(Joined::open(builder, dialect, dialect.places()))
}

/// What a host says on its connections before all else, if anything.
pub(crate) fn settings() -> Option<String> {
    std::env::var("HOS_TEST_SESSION").ok().filter(|settings| !settings.is_empty())
}

/// One more connection.
pub(crate) fn host(store: &Store, joined: &Arc<Joined>) -> Host {
    let own = &store.database.as_ref().unwrap().own;
    let mut conn = own.connect(Duration::from_secs(20)).map_err(|e| e.message).unwrap();
    // A host's own settings, such as another isolation.
    if let Some(settings) = settings() {
        conn.say(&settings).map_err(|e| e.message).unwrap();
    }
    Host {
        conn,
        joined: joined.clone(),
        refusal: None,
        earlier: Vec::new(),
        said: Vec::new(),
        rounds: 0,
        leave: Vec::new(),
        inside: Some(true),
    }
}

impl Host {
    pub(crate) fn say(&mut self, sql: &str) {
        self.conn.say(sql).map_err(|e| format!("{sql}: {}", e.message)).unwrap();
    }

    /// Waits for locks no longer than a moment.
    pub(crate) fn hurry(&mut self) {
        self.say(match self.joined.dialect() {
            Dialect::Postgres => "SET lock_timeout = 500",
            Dialect::Mysql => "SET SESSION innodb_lock_wait_timeout = 1",
            Dialect::Sqlite => "PRAGMA busy_timeout = 500",
        });
    }

    /// A statement of the world's own, in its transaction.
    pub(crate) fn write(&mut self, sql: &str) -> Result<(), Failure> {
        self.conn.execute(sql, &[]).map(drop).map_err(told)
    }

    /// Commits; none where the database wants the whole transaction again.
    pub(crate) fn commit(&mut self) -> Option<()> {
        match self.conn.say("COMMIT") {
            Ok(()) => Some(()),
            Err(e) if matches!(e.trouble, Trouble::Retry | Trouble::Busy) => {
                // PostgreSQL has ended the transaction, SQLite has not.
                let _ = self.conn.say("ROLLBACK");
                None
            }
            Err(e) => panic!("{}", e.message),
        }
    }

    pub(crate) fn number(&mut self, sql: &str) -> i64 {
        let mut found = None;
        let take = &mut |cells: Vec<Sql>| {
            found = cells.into_iter().next();
            ControlFlow::Continue(())
        };
        self.conn.query(sql, &[], take).map_err(|e| e.message).unwrap();
        match found {
            Some(Sql::Int(n)) => n,
            Some(Sql::Raw(bytes)) => String::from_utf8(bytes).unwrap().parse().unwrap(),
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// The first cell that a statement brings.
    pub(crate) fn cell(&mut self, sql: &'static str) -> Vec<u8> {
        let rows = self.run(&Statement::new(sql, []), true).map_err(|e| e.message).unwrap();
        match rows.into_iter().next().and_then(|row| row.into_iter().next()) {
            Some(Sql::Blob(bytes) | Sql::Raw(bytes)) => bytes,
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// Statements in a transaction of their own, past all doors.
    pub(crate) fn do_all(&mut self, statements: &[Statement]) {
        self.say("BEGIN");
        for statement in statements {
            self.run(statement, false).map_err(|e| e.message).unwrap();
        }
        self.say("COMMIT");
    }

    pub(crate) fn run(&mut self, statement: &Statement, reads: bool) -> Result<Vec<Vec<Sql>>, ClientError> {
        let dialect = self.joined.dialect();
        let said = hos_engine::store::sql::dialect::say(statement, dialect, self.joined.places());
        let params: Vec<&Sql> = said.params(statement).collect();
        self.said.push(said.sql.clone());
        let mut rows = Vec::new();
        if reads {
            self.conn.query(&said.sql, &params, &mut |cells| {
                rows.push(cells);
                ControlFlow::Continue(())
            })?;
        } else {
            self.conn.execute(&said.sql, &params)?;
        }
        Ok(rows)
    }

    pub(crate) fn ask(&mut self, asked: Asked) -> Result<Answer, Failure> {
        Ok(self.step(asked)?.expect("what is no claim has an answer"))
    }

    /// Claims what a call is about.
    pub(crate) fn claim(&mut self, call: Call) -> Result<(), Failure> {
        let answer = self.step(Asked::Claim(Tenant::new("t1").unwrap(), Box::new(call)))?;
        assert!(answer.is_none(), "a claim is no answer");
        Ok(())
    }

    /// The call that was claimed for is not made.
    pub(crate) fn leave(&mut self) {
        for statement in std::mem::take(&mut self.leave) {
            self.run(&statement, false).map_err(|e| e.message).unwrap();
        }
    }

    fn step(&mut self, asked: Asked) -> Result<Option<Answer>, Failure> {
        let joined = self.joined.clone();
        let inside = self.inside.filter(|_| joined.dialect() != Dialect::Postgres);
        let mut step = joined.step(asked, inside);
        (self.rounds, self.said) = (0, Vec::new());
        let mut next = step.go(&joined, Vec::new());
        loop {
            match next {
                Next::Need(asks) => {
                    self.rounds += 1;
                    let rows =
                        asks.iter().map(|ask| self.run(&ask.statement, ask.reads)).collect::<Result<_, _>>().map_err(told)?;
                    next = step.go(&joined, rows);
                }
                Next::Settle(statements, outcome) => {
                    for statement in &statements {
                        self.run(statement, false).map_err(told)?;
                    }
                    let Outcome { earlier, answer, refusal } = *outcome;
                    self.earlier = earlier;
                    self.refusal = refusal;
                    return answer.map(Some);
                }
                Next::Answered(mut answers) => return Ok(answers.pop()),
                Next::Claimed(leave) => {
                    self.leave = leave;
                    return Ok(None);
                }
                Next::Learned => return Ok(None),
            }
        }
    }

    /// One question, asked as one of several would be.
    pub(crate) fn can_all(&mut self, can: Can) -> Result<Answer, Failure> {
        self.ask(Asked::CanAll(Tenant::new("t1").unwrap(), vec![can]))
    }

    pub(crate) fn call(&mut self, call: Call) -> Result<Answer, Failure> {
        self.ask(Asked::Call(Tenant::new("t1").unwrap(), Box::new(call), Vec::new()))
    }

    pub(crate) fn can(&mut self, can: Can) -> Result<Answer, Failure> {
        self.ask(Asked::Can(Tenant::new("t1").unwrap(), Box::new(can)))
    }
}

fn told(e: ClientError) -> Failure {
    let retry = matches!(e.trouble, Trouble::Retry | Trouble::Busy);
    Failure::new(if retry { hos_core::refusal::Code::Retry } else { hos_core::refusal::Code::Internal }, e.message)
}

/// Statements of a transaction in this dialect.
pub(crate) fn begin(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "BEGIN DEFERRED",
        Dialect::Postgres | Dialect::Mysql => "BEGIN",
    }
}

pub(crate) fn account() -> hos_core::id::Uid {
    let _ = root();
    uid("A", "root")
}

/// The store verifies after all is sealed, and what was judged is judged again.
pub(crate) fn intact(store: &Store) -> u64 {
    store.engine.work().unwrap();
    let report = store.engine.verify(&VerifyOptions::default()).unwrap();
    assert_eq!(report.level, Level::Intact, "{:#?}", report.findings);
    assert_eq!(store.engine.replay(&ReplayOptions::default()).unwrap().listed, []);
    report.logs.iter().map(|(_, size, _)| size).sum()
}
