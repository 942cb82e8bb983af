//! An open engine as JavaScript holds it, and `can`, which answers at once.

use crate::known::Known;
use crate::told;
use crate::work::{Call, Close};
use hos_engine::Engine;
use hos_wire::{Asked, CALL_BYTES_MAX, Scalar};
use napi::bindgen_prelude::{AsyncTask, Either, Uint8Array};
use napi::{Env, Task};
use napi_derive::napi;
use std::cell::RefCell;

/// What the package hands over: JSON it wrote itself, or bytes as a caller gave them.
pub(crate) type Text = Either<String, Uint8Array>;

pub(crate) fn bytes(text: Text) -> Vec<u8> {
    match text {
        Either::A(text) => text.into_bytes(),
        Either::B(bytes) => bytes.to_vec(),
    }
}

/// Who asks, as bound last.
#[derive(Default)]
struct Actor {
    tenant: String,
    principal: (String, String),
    beside: String,
}

#[derive(Default)]
struct State {
    engine: Option<Engine>,
    /// The engine, once it is closed to new calls and until it is let go of.
    leaving: Option<Engine>,
    actor: Actor,
    known: Known,
    said: String,
}

/// One script's hold on an engine. Calls that are under way share it, so what changes is behind a cell; all of it happens on
/// the script's own thread.
#[napi]
pub struct Handle(RefCell<State>);

impl Handle {
    pub(crate) fn of(engine: Engine) -> Self {
        Self(RefCell::new(State { engine: Some(engine), ..State::default() }))
    }

    fn engine(&self) -> Option<Engine> {
        self.0.borrow().engine.clone()
    }

    fn take(&self) -> Option<Engine> {
        let state = std::mem::take(&mut *self.0.borrow_mut());
        state.engine.or(state.leaving)
    }
}

/// `can` failed; how is to be asked for by `said`.
const SAID: i64 = -1;
/// `can` was not asked, for its words are not beyond doubt. The call must come as JSON.
const DOUBT: i64 = -2;

#[napi]
impl Handle {
    /// Opens an engine off the main thread.
    #[napi(catch_unwind)]
    pub fn open(options: Text) -> AsyncTask<Open> {
        AsyncTask::new(Open { options: bytes(options) })
    }

    /// Opens an engine here and now.
    #[napi(catch_unwind)]
    pub fn open_sync(options: Text) -> napi::Result<Handle> {
        told::made(|| hos_wire::open(&bytes(options)).map(Handle::of))
    }

    /// Makes a call off the main thread.
    #[napi(catch_unwind)]
    pub fn call(&self, operation: String, call: Text) -> AsyncTask<Call> {
        AsyncTask::new(Call { engine: self.engine(), operation, call: bytes(call) })
    }

    /// Makes a call here and now.
    #[napi(catch_unwind)]
    pub fn call_sync(&self, operation: String, call: Text) -> String {
        told::guarded(|| match self.engine() {
            Some(engine) => told::served(hos_wire::serve_with(&engine, &operation, &bytes(call), CALL_BYTES_MAX)),
            None => told::closed(),
        })
    }

    /// Binds who asks next. `beside` is an object as `hos_wire::Asked` has it, or empty. Whether the texts could be read
    /// without doubt.
    #[napi(catch_unwind)]
    pub fn bind(&self, tenant: String, principal_type: String, principal_id: String, beside: String) -> bool {
        let sure = ![&tenant, &principal_type, &principal_id, &beside].into_iter().any(|text| doubtful(text));
        self.0.borrow_mut().actor = Actor { tenant, principal: (principal_type, principal_id), beside };
        sure
    }

    /// `can`, as whom `bind` said last. `words` holds the action, the resource's type and id, and the names and scalars of the
    /// context by turns, put together by [`JOINT`]; `count` says how many they are. One text crosses for much less than several.
    /// Gives [`SAID`], [`DOUBT`], or an answer's number, which is odd where the answer is yes; `told` has its text.
    #[napi(catch_unwind)]
    pub fn can(&self, words: String, count: u32) -> i64 {
        let Some((action, resource, context)) = apart(&words, count as usize) else { return DOUBT };
        let mut state = self.0.borrow_mut();
        let State { engine, actor, known, said, .. } = &mut *state;
        let Some(engine) = engine else {
            *said = told::closed();
            return SAID;
        };
        let asked = Asked {
            tenant: &actor.tenant,
            principal: (&actor.principal.0, &actor.principal.1),
            action,
            resource,
            context: &context,
            beside: actor.beside.as_bytes(),
        };
        match hos_wire::decide(engine, &asked) {
            Ok(decided) => known.number(decided),
            Err(failure) => {
                *said = told::failure(&failure);
                SAID
            }
        }
    }

    /// The text of the answer that has this number; a fault inside where it is not remembered any more.
    #[napi(catch_unwind)]
    pub fn told(&self, number: i64) -> String {
        self.0.borrow().known.get(number).map_or_else(told::fault, told::decided)
    }

    /// How the last `can` failed.
    #[napi(catch_unwind)]
    pub fn said(&self) -> String {
        std::mem::take(&mut self.0.borrow_mut().said)
    }

    /// Closes to new calls.
    #[napi(catch_unwind)]
    pub fn shut(&self) {
        let engine = self.take();
        self.0.borrow_mut().leaving = engine;
    }

    /// Closes, and lets go of the engine off the main thread.
    #[napi(catch_unwind)]
    pub fn close(&self) -> AsyncTask<Close> {
        AsyncTask::new(Close { engine: self.take() })
    }

    /// Closes, and lets go of the engine here and now.
    #[napi(catch_unwind)]
    pub fn close_sync(&self) -> napi::Result<()> {
        told::made(|| self.take().map_or(Ok(()), Engine::close))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // The collector must not wait for a disk.
        if let Some(engine) = self.take() {
            let _ = std::thread::Builder::new().name("hos-close".to_owned()).spawn(move || engine.close());
        }
    }
}

/// Opens an engine off the main thread.
pub struct Open {
    options: Vec<u8>,
}

impl Task for Open {
    type Output = Engine;
    type JsValue = Handle;

    fn compute(&mut self) -> napi::Result<Engine> {
        told::made(|| hos_wire::open(&self.options))
    }

    fn resolve(&mut self, _: Env, engine: Engine) -> napi::Result<Handle> {
        Ok(Handle::of(engine))
    }
}

/// Stands between the words of a question.
const JOINT: char = '\u{1}';

/// An action, a resource's type and id, a context.
type Question<'w> = (&'w str, (&'w str, &'w str), Vec<(&'w str, Scalar<'w>)>);

/// The words of a question; none where a word may be another than it was in JavaScript, or holds what joins them.
fn apart(words: &str, count: usize) -> Option<Question<'_>> {
    if doubtful(words) || words.split(JOINT).count() != count {
        return None;
    }
    let mut words = words.split(JOINT);
    let (action, resource) = (words.next()?, (words.next()?, words.next()?));
    let mut context = Vec::with_capacity(count / 2);
    while let Some(name) = words.next() {
        context.push((name, scalar(words.next()?)?));
    }
    Some((action, resource, context))
}

/// A text, a whole number or a truth value; its first letter says which.
fn scalar(word: &str) -> Option<Scalar<'_>> {
    match word.split_at_checked(1)? {
        ("s", text) => Some(Scalar::Text(text)),
        ("n", digits) => digits.parse().ok().map(Scalar::Long),
        ("b", truth) => truth.parse().ok().map(Scalar::Bool),
        _ => None,
    }
}

/// Whether it holds U+FFFD, which may stand for half a surrogate pair.
fn doubtful(text: &str) -> bool {
    text.contains(char::REPLACEMENT_CHARACTER)
}
