//! The C ABI: the same calls and answers for every language that can call C (`spec/c-abi.md`).
//!
//! Four rooms: [`boundary`] is where pointers become slices and panics end, [`handle`] keeps open engines by number, [`status`]
//! says how a call ended, `fork` lets a process fork while its threads write. No rule of the law is decided here, and no thread
//! is started.
#![expect(unsafe_code, reason = "functions of C are exported here")]

pub mod boundary;
mod fork;
mod handle;
mod numbers;
pub mod status;
mod sync;

use boundary::{Failed, answered, bytes, hos_buffer, hos_text, text};
use handle::Opened;
use hos_core::refusal::Code;
use hos_engine::Failure;
use status::hos_status;
use std::ffi::c_char;
use std::sync::Arc;

/// The version of this ABI. It grows when a function or a struct is no longer what it was; a caller compares it with
/// `hos_abi_version()` before anything else.
pub const HOS_ABI_VERSION: u32 = 1;

/// What `hos_can` is asked.
#[allow(non_camel_case_types, reason = "the name is C's")]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hos_question {
    /// The tenant.
    pub tenant: hos_text,
    /// The principal's type.
    pub principal_type: hos_text,
    /// The principal's id.
    pub principal_id: hos_text,
    /// The action's id in the law's namespace.
    pub action: hos_text,
    /// The resource's type.
    pub resource_type: hos_text,
    /// The resource's id.
    pub resource_id: hos_text,
    /// The call's other fields as one JSON object (`context`, `given`, `legacy`, `language`, `request`); empty: none.
    pub beside: hos_text,
}

/// The version of the ABI that this library speaks.
#[unsafe(no_mangle)]
pub extern "C" fn hos_abi_version() -> u32 {
    HOS_ABI_VERSION
}

/// The library's own version, ended by a zero byte; never freed.
#[unsafe(no_mangle)]
pub extern "C" fn hos_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Opens an engine by options in JSON and writes its number; 0 where it fails. `HOS_ALLOWED`: it is open.
///
/// # Safety
/// `options` leads to `options_len` bytes; `engine` to a number; `out` is null or a buffer (`hos_buffer`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hos_open(
    options: *const c_char,
    options_len: usize,
    engine: *mut u64,
    out: *mut hos_buffer,
) -> hos_status {
    // SAFETY: the caller promises what `opened` wants.
    unsafe { opened(options, options_len, engine, out, |options| Ok(handle::insert(Opened::Store(hos_wire::open(options)?)))) }
}

/// As `hos_open`, but gives the number again under which this process has opened the same file so by the same options, until it is
/// closed. For
/// hosts that forget everything between two requests but keep the process (PHP-FPM): the engine stays open. After a fork a child
/// has an engine of its own. `hos_close` closes it for everybody in the process.
///
/// # Safety
/// As `hos_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hos_open_shared(
    options: *const c_char,
    options_len: usize,
    engine: *mut u64,
    out: *mut hos_buffer,
) -> hos_status {
    // SAFETY: the caller promises what `opened` wants.
    unsafe { opened(options, options_len, engine, out, |options| Ok(handle::share(hos_wire::open(options)?))) }
}

/// Opens an engine that joins a host's transactions (`spec/joined-transaction.md`) by options in JSON: it has no store of its own, no
/// file and no lock, and `hos_step` is what it is asked by. Options that name a `database` lead to the same engine wherever they are
/// the same in this process, with what it knows of the law and the directory; without that name each is another.
///
/// # Safety
/// As `hos_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hos_open_joined(
    options: *const c_char,
    options_len: usize,
    engine: *mut u64,
    out: *mut hos_buffer,
) -> hos_status {
    let open = |options: &[u8]| {
        if let Some(known) = handle::joined_by(options) {
            return Ok(known);
        }
        let joined = hos_wire::JoinedEngine::open(options)?;
        Ok(if joined.is_named() {
            handle::share_joined(options, joined)
        } else {
            handle::insert(Opened::Joined(Arc::new(joined)))
        })
    };
    // SAFETY: the caller promises what `opened` wants.
    unsafe { opened(options, options_len, engine, out, open) }
}

/// Opens in one way or the other and writes the number.
///
/// # Safety
/// As [`hos_open`].
unsafe fn opened(
    options: *const c_char,
    options_len: usize,
    engine: *mut u64,
    out: *mut hos_buffer,
    open: impl FnOnce(&[u8]) -> Result<u64, Failure>,
) -> hos_status {
    let mut number = 0;
    let work = || {
        if engine.is_null() {
            return Err(Failure::new(Code::CallMalformed, "`engine` is null").into());
        }
        // SAFETY: the caller promises it of this function's own arguments.
        let options = unsafe { bytes("`options`", options, options_len) }?;
        fork::watch();
        number = open(options)?;
        Ok((hos_status::HOS_ALLOWED, b"{}".to_vec()))
    };
    // SAFETY: the caller promises what `answered` wants of `out`.
    let status = unsafe { answered(out, work) };
    if !engine.is_null() {
        // SAFETY: not null, and the caller promises that it leads to a number.
        unsafe { engine.write(number) };
    }
    status
}

/// Closes an engine: its number is none from here on. Calls that are under way end as they would have; the last one lets go of
/// the file.
///
/// # Safety
/// `out` is null or a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hos_close(engine: u64, out: *mut hos_buffer) -> hos_status {
    let work = || {
        if let Opened::Store(engine) = handle::remove(engine).map_err(Failed::closed)? {
            engine.close()?;
        }
        Ok((hos_status::HOS_ALLOWED, b"{}".to_vec()))
    };
    // SAFETY: the caller promises what `answered` wants of `out`.
    unsafe { answered(out, work) }
}

/// Makes a call (`spec/answer.md`): an operation's name and JSON in, JSON out.
///
/// # Safety
/// `operation` and `call` lead to as many bytes as is said; `out` is null or a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hos_call(
    engine: u64,
    operation: *const c_char,
    operation_len: usize,
    call: *const c_char,
    call_len: usize,
    out: *mut hos_buffer,
) -> hos_status {
    let work = || {
        let engine = handle::get(engine).map_err(Failed::closed)?;
        // SAFETY: the caller promises it of this function's own arguments.
        let operation = unsafe { text("`operation`", hos_text { data: operation, len: operation_len }) }?;
        // SAFETY: as above.
        let call = unsafe { bytes("`call`", call, call_len) }?;
        let served = hos_wire::serve_with(&engine, operation, call, hos_wire::CALL_BYTES_MAX);
        Ok((hos_status::of(served.standing), served.json))
    };
    // SAFETY: the caller promises what `answered` wants of `out`.
    unsafe { answered(out, work) }
}

/// One round of a step in a host's transaction (`spec/joined-transaction.md`): an operation's name and JSON in, JSON out. `inside`
/// says what the caller knows of its connection: 1, it is in a transaction; 0, it is in none; -1, it cannot tell. `HOS_NEED`: the
/// step is on its way.
///
/// # Safety
/// `operation` and `json` lead to as many bytes as is said; `out` is null or a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hos_step(
    engine: u64,
    operation: *const c_char,
    operation_len: usize,
    inside: i32,
    json: *const c_char,
    json_len: usize,
    out: *mut hos_buffer,
) -> hos_status {
    let work = || {
        let engine = handle::get_joined(engine).map_err(Failed::closed)?;
        if out.is_null() {
            // What the caller is to run would be lost.
            return Err(Failure::new(Code::CallMalformed, "`out` is null").into());
        }
        let inside = match inside {
            -1 => None,
            0 => Some(false),
            1 => Some(true),
            _ => return Err(Failure::new(Code::CallMalformed, "`inside` is -1, 0 or 1").into()),
        };
        // SAFETY: the caller promises it of this function's own arguments.
        let operation = unsafe { text("`operation`", hos_text { data: operation, len: operation_len }) }?;
        // SAFETY: as above.
        let json = unsafe { bytes("`json`", json, json_len) }?;
        let stepped = engine.step(operation, inside, json);
        Ok((hos_status::of_step(&stepped), stepped.json))
    };
    // SAFETY: the caller promises what `answered` wants of `out`.
    unsafe { answered(out, work) }
}

/// `can`, its words apart: the swift form of `hos_call(engine, "can", ..)`. Without `out` nothing but the status is told.
///
/// # Safety
/// `question` leads to a question whose texts lead to as many bytes as they say; `out` is null or a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hos_can(engine: u64, question: *const hos_question, out: *mut hos_buffer) -> hos_status {
    let work = || {
        let engine = handle::get(engine).map_err(Failed::closed)?;
        if question.is_null() {
            return Err(Failure::new(Code::CallMalformed, "`question` is null").into());
        }
        // SAFETY: not null, and the caller promises that it leads to a question.
        let q = unsafe { &*question };
        // SAFETY: the caller promises it of each text of the question.
        let word = |what: &str, word: hos_text| unsafe { text(what, word) };
        let asked = hos_wire::Asked {
            tenant: word("`tenant`", q.tenant)?,
            principal: (word("`principal_type`", q.principal_type)?, word("`principal_id`", q.principal_id)?),
            action: word("`action`", q.action)?,
            resource: (word("`resource_type`", q.resource_type)?, word("`resource_id`", q.resource_id)?),
            context: &[],
            beside: word("`beside`", q.beside)?.as_bytes(),
        };
        let served = hos_wire::can(&engine, &asked, !out.is_null());
        Ok((hos_status::of(served.standing), served.json))
    };
    // SAFETY: the caller promises what `answered` wants of `out`.
    unsafe { answered(out, work) }
}

/// Frees what a buffer holds and leaves it all zero: it may be used again.
///
/// # Safety
/// `buffer` is null or a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hos_free(buffer: *mut hos_buffer) {
    if !buffer.is_null() {
        // SAFETY: not null, and the caller promises that it is a buffer of this library's.
        drop(unsafe { boundary::take(&mut *buffer) });
    }
}
