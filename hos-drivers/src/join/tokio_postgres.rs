//! In a transaction of `tokio_postgres`. The same words as [`Here`](super::Here) has, each to be awaited; a call that is dropped in
//! the middle has stored nothing that a rollback does not take back, all of itself or nothing where the host commits all the same, and a
//! transaction that is dropped rolls back.

use super::error::{AnyError, Error};
use super::postgres::{INSIDE, MARK, MARKED, cells, inside, marked, params, told, uncommitted, what};
use super::shadow::{Brace, KEEP, SET, UNDO, at_hand, back, brace, plain};
use super::{Came, Claimed, Dialect, End, Joining, Judged, Said, TRIES, Tries, retry};
use futures_util::future::try_join_all;
use hos_core::answer::Answer;
use hos_core::call::{Adopt, Begin, Call, Can, Directory, Legacy, LegacyLog, Note, Transition};
use hos_core::id::Tenant;
use hos_core::judge::{self, About};
use hos_engine::joined::{Asked, KeptRefusal, Next, Outcome};
use hos_engine::store::{Sql, Statement, together};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use tokio_postgres::types::ToSql;
use tokio_postgres::{GenericClient, Transaction};

/// One tenant, in one transaction of the host's.
pub struct Here<'j, 'c, G> {
    joining: &'j Joining,
    tenant: Tenant,
    client: &'c G,
}

/// A tenant in the transaction that this is in: a `&Transaction`, or a `&Client` on which `BEGIN` was said.
pub fn on<'j, 'c, G: GenericClient + Sync>(joining: &'j Joining, tenant: &str, tx: &'c G) -> Result<Here<'j, 'c, G>, Error> {
    Ok(Here { joining, tenant: joining.tenant(tenant, Dialect::Postgres)?, client: tx })
}

/// Does a host's work in a transaction, and all of it again where the database asks for it; see [`super::TRIES`]. An error rolls
/// back, and so does [`End::Rollback`]. A transaction that has failed, or has ended, is not committed, though the work says so. What comes
/// of a closure cannot be sent between threads: who spawns uses [`Tries`].
pub async fn run<T>(
    client: &mut tokio_postgres::Client,
    mut work: impl AsyncFnMut(&Transaction<'_>) -> Result<End<T>, AnyError>,
) -> Result<T, AnyError> {
    let mut tries = Tries::default();
    loop {
        let done = match begun(client).await {
            Ok(tx) => {
                let done = work(&tx).await;
                over(tx, done, true).await
            }
            Err(error) => Err(error.into()),
        };
        match done {
            Err(error) if tries.again(&error).await => {}
            done => return done,
        }
    }
}

async fn begun(client: &mut tokio_postgres::Client) -> Result<Transaction<'_>, tokio_postgres::Error> {
    let tx = client.transaction().await?;
    tx.batch_execute(MARK).await?;
    Ok(tx)
}

/// Ends a transaction as its work did. One that has failed, or has ended, is not committed; that the work has begun another in its
/// place is known by [`run`] alone.
pub async fn ended<T>(tx: Transaction<'_>, done: Result<End<T>, AnyError>) -> Result<T, AnyError> {
    over(tx, done, false).await
}

async fn over<T>(tx: Transaction<'_>, done: Result<End<T>, AnyError>, is_marked: bool) -> Result<T, AnyError> {
    match done {
        Ok(End::Commit(done)) => {
            let stands = if is_marked { marked(tx.simple_query(MARKED).await) } else { inside(tx.batch_execute(INSIDE).await) };
            retry::still(stands)?;
            tx.commit().await.map(|()| done).map_err(uncommitted)
        }
        Ok(End::Rollback(done)) => Ok(tx.rollback().await.map(|()| done)?),
        Err(error) => {
            // What the work failed of says more than what the rollback may.
            let _ = tx.rollback().await;
            Err(error)
        }
    }
}

impl Tries {
    /// Whether work that failed so is begun again; waits for a short while if it is.
    pub async fn again(&mut self, error: &AnyError) -> bool {
        self.0 += 1;
        let again = self.0 < TRIES && retry::goes_by(error, what);
        if again {
            tokio::time::sleep(retry::pause(self.0)).await;
        }
        again
    }
}

/// How many statements are sent before the first is waited for.
const AT_ONCE: usize = 24;

impl<G: GenericClient + Sync> Here<'_, '_, G> {
    /// May this principal do this to that?
    pub async fn can(&self, can: Can) -> Result<Judged, Error> {
        if can.by.legacy.is_none() {
            return self.judged(Asked::Can(self.tenant.clone(), Box::new(can))).await;
        }
        let asked = Asked::Can(self.tenant.clone(), Box::new(can.clone()));
        if let Some(judged) = at_hand(self.joining, asked) {
            return Ok(judged);
        }
        match self.braced(Asked::Can(self.tenant.clone(), Box::new(can.clone()))).await {
            Ok(came) => came.judged(),
            Err(error) => self.instead(About::Act(&can.action), can.by.legacy.as_ref(), error).await,
        }
    }

    /// Several questions; see [`Here::can_all`](super::Here::can_all).
    pub async fn can_all(&self, all: Vec<Can>) -> Result<Vec<Answer>, Error> {
        if all.iter().any(|can| can.by.legacy.is_some()) {
            let mut answers = Vec::with_capacity(all.len());
            for can in all {
                answers.push(self.can(can).await?.answer);
            }
            return Ok(answers);
        }
        self.go(Asked::CanAll(self.tenant.clone(), all)).await?.answers()
    }

    /// A birth.
    pub async fn begin(&self, call: Begin) -> Result<Judged, Error> {
        self.call(Call::Begin(call)).await
    }

    /// An event or an override.
    pub async fn transition(&self, call: Transition) -> Result<Judged, Error> {
        self.call(Call::Transition(call)).await
    }

    /// A free record.
    pub async fn record(&self, call: Note) -> Result<Judged, Error> {
        self.call(Call::Note(call)).await
    }

    /// A directory change.
    pub async fn directory(&self, call: Directory) -> Result<Judged, Error> {
        self.call(Call::Directory(call)).await
    }

    /// An existing row brought in.
    pub async fn adopt(&self, call: Adopt) -> Result<Judged, Error> {
        self.call(Call::Adopt(call)).await
    }

    /// What an older log tells of an instance.
    pub async fn legacy(&self, call: LegacyLog) -> Result<Judged, Error> {
        self.call(Call::LegacyLog(call)).await
    }

    /// Any call; see [`Here::call`](super::Here::call).
    pub async fn call(&self, call: Call) -> Result<Judged, Error> {
        if call.by().legacy.is_none() {
            return self.judged(Asked::Call(self.tenant.clone(), Box::new(call), Vec::new())).await;
        }
        let legacy = call.by().legacy.clone();
        let spare = judge::bare(&call);
        let judged = match hos_wire::call_bytes(&self.tenant, &call) {
            Ok(came) => self.braced(Asked::Call(self.tenant.clone(), Box::new(call), came)).await,
            Err(failure) => Err(failure.into()),
        };
        match judged {
            Ok(came) => came.judged(),
            Err(error) => self.instead(About::of(&spare), legacy.as_ref(), error).await,
        }
    }

    /// Several calls as one; see [`Here::all`](super::Here::all).
    pub async fn all(&self, calls: Vec<Call>) -> Result<Judged, Error> {
        self.judged(Asked::All(self.tenant.clone(), calls)).await
    }

    /// Claims what a call is about; see [`Here::claim`](super::Here::claim).
    pub async fn claim(&self, call: &Call) -> Result<Claimed, Error> {
        self.go(Asked::Claim(self.tenant.clone(), Box::new(call.clone()))).await?.claimed()
    }

    /// The call that was claimed for is not made.
    pub async fn leave(&self, claimed: Claimed) -> Result<(), Error> {
        for said in &claimed.0 {
            self.rows(said).await?;
        }
        Ok(())
    }

    /// Makes evidence of a refusal, in a transaction after the one that was rolled back.
    pub async fn refused(&self, refusal: Box<KeptRefusal>) -> Result<Judged, Error> {
        self.judged(Asked::Refused(refusal)).await
    }

    async fn judged(&self, asked: Asked) -> Result<Judged, Error> {
        self.go(asked).await?.judged()
    }

    /// The whole driver: statements out, rows in. PostgreSQL is asked itself whether there is a transaction.
    async fn go(&self, asked: Asked) -> Result<Came, Error> {
        let joined = &self.joining.0;
        let mut step = joined.step(asked, None);
        let mut rows = Vec::new();
        loop {
            match step.go(joined, std::mem::take(&mut rows)) {
                Next::Need(asks) => {
                    rows = self.sent(asks.iter().map(|ask| self.joining.said(&ask.statement, ask.reads))).await?;
                }
                Next::Settle(statements, outcome) => {
                    let Outcome { earlier, answer, refusal } = *outcome;
                    if answer.is_ok() {
                        self.settle(&statements).await?;
                    } else {
                        // Claims are left, be it outside of a transaction, where they were made.
                        self.sent(statements.iter().map(|statement| self.joining.said(statement, false))).await?;
                    }
                    return Ok(Came::Judged(Box::new(Judged { earlier, answer: answer?, refusal })));
                }
                Next::Answered(answers) => return Ok(Came::Answered(answers)),
                Next::Claimed(leave) => {
                    let leave = leave.iter().map(|statement| self.joining.said(statement, false));
                    return Ok(Came::Claimed(Claimed(leave.collect())));
                }
                Next::Learned => return Ok(Came::Learned),
            }
        }
    }

    /// Sends these one after the other without waiting, so that all of a round take one exchange; the database runs them in this
    /// order, and after an error of one none of the others.
    async fn sent(&self, said: impl Iterator<Item = Said>) -> Result<Vec<Vec<Vec<Sql>>>, Error> {
        let said: Vec<Said> = said.collect();
        let mut rows = Vec::with_capacity(said.len());
        for some in said.chunks(AT_ONCE) {
            // A statement is sent when it is first polled, and so few are polled in their order.
            rows.append(&mut try_join_all(some.iter().map(|said| self.rows(said))).await?);
        }
        Ok(rows)
    }

    /// Writes what a step settles to. Whoever drops this in the middle, and commits, has all of it or nothing: it is one message, which
    /// the database refuses where there is no transaction any more. What no text may hold goes out apart, and all of it at once.
    async fn settle(&self, statements: &[Statement]) -> Result<(), Error> {
        if statements.is_empty() {
            return Ok(());
        }
        if let Some(text) = together::settled(statements, Dialect::Postgres) {
            return retry::still(inside(self.client.batch_execute(&format!("{INSIDE};\n{text}")).await));
        }
        retry::still(inside(self.client.batch_execute(INSIDE).await))?;
        let said: Vec<Said> = statements.iter().map(|statement| self.joining.said(statement, false)).collect();
        let waiting: Vec<_> = said.iter().map(|said| Box::pin(self.rows(said))).collect();
        in_order(waiting).await
    }

    async fn rows(&self, said: &Said) -> Result<Vec<Vec<Sql>>, Error> {
        let params = params(said);
        let params: Vec<_> = params.iter().map(|p| (p as &(dyn ToSql + Sync), p.1.clone())).collect();
        let rows = self.client.query_typed(&said.sql, &params).await.map_err(told)?;
        rows.iter().map(cells).collect()
    }

    async fn braced(&self, asked: Asked) -> Result<Came, Error> {
        // There is a transaction where the savepoint can be set. A question may come outside of one, where it can harm none.
        if !inside(self.client.batch_execute(SET).await)? {
            return self.go(asked).await;
        }
        let brace = brace(Dialect::Postgres);
        let mut had = Vec::new();
        let came = match self.bound(&brace, &mut had).await {
            Ok(()) => self.go(asked).await,
            Err(error) => Err(error),
        };
        match came {
            Ok(came) => {
                if let Some(back) = back(&brace, &had) {
                    self.rows(&back).await?;
                }
                self.rows(&plain(KEEP, false)).await?;
                Ok(came)
            }
            // What failed first is told, be it that nothing can be undone.
            Err(error) => {
                for sql in [UNDO, KEEP] {
                    let _ = self.rows(&plain(sql, false)).await;
                }
                Err(error)
            }
        }
    }

    async fn bound(&self, brace: &Brace, had: &mut Vec<Vec<Sql>>) -> Result<(), Error> {
        *had = self.rows(&plain(brace.asked, true)).await?;
        self.rows(&plain(brace.bound, false)).await.map(drop)
    }

    async fn instead(&self, about: About<'_>, legacy: Option<&Legacy>, error: Error) -> Result<Judged, Error> {
        if self.joining.0.law().is_none() {
            // What nobody can read leaves the world nothing, and the first error is told.
            let _ = self.braced(Asked::Law).await;
        }
        super::shadow::instead(self.joining, &self.tenant, about, legacy, error)
    }
}

/// Polls all of these in their order, so that all are sent when this is first polled; what fails first is told when all have ended.
async fn in_order<T>(mut waiting: Vec<Pin<Box<impl Future<Output = Result<T, Error>>>>>) -> Result<(), Error> {
    let mut failed = None;
    poll_fn(|context| {
        waiting.retain_mut(|one| match one.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(Ok(_)) => false,
            Poll::Ready(Err(error)) => {
                failed.get_or_insert(error);
                false
            }
        });
        if waiting.is_empty() { Poll::Ready(failed.take().map_or(Ok(()), Err)) } else { Poll::Pending }
    })
    .await
}
