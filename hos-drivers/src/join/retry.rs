//! A host's work in a transaction, and again where the database asks for it.

use super::error::{AnyError, Error, What};
use hos_core::refusal::Code;
use hos_engine::Failure;
use std::error::Error as StdError;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How often work is begun, at most.
pub const TRIES: u32 = 5;
/// The first pause is shorter than this; each following one may be twice as long.
const PAUSE: Duration = Duration::from_millis(20);

/// How a host's transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End<T> {
    /// All of it is stored.
    Commit(T),
    /// None of it is.
    Rollback(T),
}

/// Before a commit: the transaction that the work ran in is there, and has not failed. To commit another one, or none, is no error to
/// a database; PostgreSQL rolls one back that has failed, and calls that no error either.
pub(crate) fn still(inside: Result<bool, Error>) -> Result<(), Error> {
    if inside? {
        return Ok(());
    }
    let message = "the transaction was ended by the work that ran in it, or by the database: nothing more is committed";
    Err(Failure::new(Code::NoTransaction, message).into())
}

/// Whether work that failed is begun again: the failure, or what stands behind it, is one that goes by.
pub(crate) fn goes_by(error: &AnyError, own: fn(&(dyn StdError + 'static)) -> Option<What>) -> bool {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error.as_ref());
    while let Some(error) = next {
        match error.downcast_ref::<Error>() {
            Some(ours) => return ours.is_retry(),
            None if own(error) == Some(What::Retry) => return true,
            None => next = error.source(),
        }
    }
    false
}

/// How long to pause before the next try: by chance, so that two who met do not meet again.
pub(crate) fn pause(tried: u32) -> Duration {
    let chance = RandomState::new().hash_one(tried);
    let most = PAUSE.as_micros() as u64 * (1 << tried.min(8));
    Duration::from_micros(chance % most)
}

/// Tries of an asynchronous host that runs its transactions itself, as one must whose work is spawned on several threads:
///
/// ```no_run
/// # use hos_drivers::join::{AnyError, End, Joining, Tries, tokio_postgres as join};
/// # async fn f(client: &mut tokio_postgres::Client, law: &Joining, call: hos_core::call::Call) -> Result<bool, AnyError> {
/// let mut tries = Tries::default();
/// loop {
///     let tx = client.transaction().await?;
///     let done = async {
///         tx.execute("UPDATE products SET stock = stock - 1 WHERE id = 17", &[]).await?;
///         let judged = join::on(law, "pazar-tr", &tx)?.call(call.clone()).await?;
///         Ok::<_, AnyError>(judged.end())
///     };
///     let done = done.await;
///     match join::ended(tx, done).await {
///         Err(error) if tries.again(&error).await => {}
///         ended => return Ok(ended?.allowed),
///     }
/// }
/// # }
/// ```
#[cfg(feature = "tokio-postgres")]
#[derive(Debug, Default)]
pub struct Tries(pub(super) u32);

/// Runs tries until one is done, one fails for good, or there were enough.
pub(crate) fn again<T>(
    own: fn(&(dyn StdError + 'static)) -> Option<What>,
    mut work: impl FnMut() -> Result<T, AnyError>,
) -> Result<T, AnyError> {
    let mut tried = 0;
    loop {
        tried += 1;
        match work() {
            Err(error) if tried < TRIES && goes_by(&error, own) => std::thread::sleep(pause(tried)),
            ended => return ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: Code) -> AnyError {
        Error::from(Failure::new(code, "x")).into()
    }

    #[test]
    fn what_goes_by_is_tried_a_few_times_and_all_else_once() {
        for (error, wanted) in [(Code::Retry, TRIES), (Code::StoreUnavailable, 1), (Code::NoTransaction, 1)] {
            let mut tries = 0;
            let ended: Result<(), _> = again(
                |_| None,
                || {
                    tries += 1;
                    Err(of(error))
                },
            );
            assert!(ended.is_err());
            assert_eq!(tries, wanted, "{error}");
        }
        let mut tries = 0;
        let ended = again(
            |_| None,
            || {
                tries += 1;
                if tries < 3 { Err(of(Code::Retry)) } else { Ok(tries) }
            },
        );
        assert_eq!(ended.unwrap(), 3);
    }

    #[test]
    fn what_the_host_wraps_is_seen_through() {
        #[derive(Debug)]
        struct Wrapped(AnyError);
        impl std::fmt::Display for Wrapped {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the host's own words")
            }
        }
        impl StdError for Wrapped {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(self.0.as_ref())
            }
        }
        assert!(goes_by(&Wrapped(of(Code::Retry)).into(), |_| None));
        assert!(!goes_by(&Wrapped(of(Code::Internal)).into(), |_| None));
        let by_word = |error: &(dyn StdError + 'static)| error.to_string().contains("deadlock").then_some(What::Retry);
        assert!(goes_by(&"a deadlock".into(), by_word) && !goes_by(&"a fault".into(), by_word));
    }

    #[test]
    fn pauses_are_short_and_differ() {
        let pauses: Vec<Duration> = (0..20).map(|_| pause(1)).collect();
        assert!(pauses.iter().all(|p| *p < PAUSE * 2) && pauses.iter().any(|p| *p != pauses[0]), "{pauses:?}");
    }
}
