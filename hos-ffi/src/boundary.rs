//! What crosses the boundary: bytes in, one buffer out, and no panic.
#![expect(unsafe_code, reason = "pointers of the caller become slices and buffers here, and nowhere else")]

use crate::status::hos_status;
use hos_core::refusal::Code;
use hos_engine::Failure;
use hos_wire::answer::failure_json;
use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where an answer is written. Begin with all zero; give the same one to call after call: it grows as needed. Freed by
/// `hos_free`. Its fields are the library's: read `data` and `len`, write nothing.
#[allow(non_camel_case_types, reason = "the name is C's")]
#[repr(C)]
#[derive(Debug)]
pub struct hos_buffer {
    /// JSON in UTF-8, with a zero byte behind it; null while nothing was written.
    pub data: *mut c_char,
    /// How many bytes, without the zero byte.
    pub len: usize,
    /// How many there is room for.
    pub room: usize,
}

/// A text of the caller: not ended by a zero byte, and read during the call only.
#[allow(non_camel_case_types, reason = "the name is C's")]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct hos_text {
    /// UTF-8; may be null where `len` is 0.
    pub data: *const c_char,
    /// How many bytes.
    pub len: usize,
}

/// Bytes of the caller.
///
/// # Safety
/// `data` is null, or leads to `len` bytes that nobody changes while `'a` lasts.
pub(crate) unsafe fn bytes<'a>(what: &str, data: *const c_char, len: usize) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::new(Code::CallMalformed, format!("{what} is null and {len} bytes long")));
    }
    if isize::try_from(len).is_err() {
        return Err(Failure::new(Code::CallTooLarge, format!("{what} has {len} bytes")));
    }
    // SAFETY: not null, not longer than an object can be, and the caller promises the rest.
    Ok(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) })
}

/// A text of the caller.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(what: &str, text: hos_text) -> Result<&'a str, Failure> {
    // SAFETY: the caller of this promises what `bytes` wants.
    let bytes = unsafe { bytes(what, text.data, text.len) }?;
    std::str::from_utf8(bytes).map_err(|_| Failure::new(Code::CallMalformed, format!("{what} is not UTF-8")))
}

/// Writes into the caller's buffer, in place of what it held; nothing where there is none.
///
/// # Safety
/// `out` is null, or leads to a buffer that is all zero or was written by this library and is used by nobody else meanwhile.
pub(crate) unsafe fn write(out: *mut hos_buffer, json: &[u8]) {
    if out.is_null() {
        return;
    }
    // SAFETY: not null, and the caller promises that it is a buffer that nobody else uses.
    let buffer = unsafe { &mut *out };
    // SAFETY: its fields are zero or this library's own.
    let mut held = unsafe { take(buffer) };
    held.clear();
    held.reserve(json.len() + 1);
    held.extend_from_slice(json);
    held.push(0);
    let mut held = std::mem::ManuallyDrop::new(held);
    (buffer.data, buffer.len, buffer.room) = (held.as_mut_ptr().cast(), held.len() - 1, held.capacity());
}

/// Takes the memory of a buffer and leaves it all zero.
///
/// # Safety
/// The buffer's fields are all zero, or as [`write`] left them.
pub(crate) unsafe fn take(buffer: &mut hos_buffer) -> Vec<u8> {
    let (data, room) = (std::mem::replace(&mut buffer.data, std::ptr::null_mut()), std::mem::take(&mut buffer.room));
    buffer.len = 0;
    if data.is_null() {
        return Vec::new();
    }
    // SAFETY: `write` got this pointer and capacity from a `Vec<u8>` that it did not drop; no byte is claimed to be there.
    unsafe { Vec::from_raw_parts(data.cast::<u8>(), 0, room) }
}

/// Runs what the caller asked for and writes what came of it. A panic ends here: it is `HOS_INTERNAL`, and never a yes.
///
/// # Safety
/// As [`write`].
pub(crate) unsafe fn answered(out: *mut hos_buffer, work: impl FnOnce() -> Result<(hos_status, Vec<u8>), Failed>) -> hos_status {
    let ended = catch_unwind(AssertUnwindSafe(|| match work() {
        Ok((status, json)) => (status, json),
        Err(failed) => (failed.status, failed.json()),
    }));
    let (status, json) = ended.unwrap_or_else(|_| {
        (hos_status::HOS_INTERNAL, br#"{"error":{"code":"hos.internal","message":"a fault inside","faults":[]}}"#.to_vec())
    });
    // SAFETY: the caller promises what `write` wants.
    unsafe { write(out, &json) };
    status
}

/// A failure, and its class.
pub(crate) struct Failed {
    status: hos_status,
    failure: Failure,
}

impl Failed {
    pub(crate) fn closed(why: crate::handle::Closed) -> Self {
        let of_kind = |message| Failure::new(Code::CallMalformed, message).into();
        let message = match why {
            crate::handle::Closed::Unknown => "no engine is open under this number: it was closed, or never opened",
            crate::handle::Closed::Foreign => {
                "the engine was opened before a fork, in another process; open it again in this one"
            }
            crate::handle::Closed::Joined => {
                return of_kind("the engine joins a host's transactions: `hos_step` is for it, and no call");
            }
            crate::handle::Closed::Store => {
                return of_kind("the engine has a store of its own: calls are for it, and no `hos_step`");
            }
        };
        Self { status: hos_status::HOS_CLOSED, failure: Failure::new(Code::EngineClosed, message) }
    }

    fn json(&self) -> Vec<u8> {
        failure_json(&self.failure).to_string().into_bytes()
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { status: hos_status::of_code(failure.code), failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> hos_buffer {
        hos_buffer { data: std::ptr::null_mut(), len: 0, room: 0 }
    }

    fn held(buffer: &hos_buffer) -> String {
        // SAFETY: `write` has just left so many bytes there.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.data.cast::<u8>(), buffer.len + 1) };
        assert_eq!(bytes.last(), Some(&0), "a zero byte ends it");
        String::from_utf8(bytes[..buffer.len].to_vec()).unwrap()
    }

    #[test]
    fn a_panic_is_an_error_and_the_buffer_stays_good() {
        let mut out = empty();
        // SAFETY: the buffer is all zero and this test's alone.
        let status = unsafe { answered(&raw mut out, || panic!("planted")) };
        assert_eq!(status, hos_status::HOS_INTERNAL);
        let said = held(&out);
        assert!(said.contains("hos.internal") && !said.contains("planted") && !said.contains("allowed"), "{said}");
        // SAFETY: as above; it was written by `answered`.
        let status = unsafe { answered(&raw mut out, || Ok((hos_status::HOS_ALLOWED, b"{}".to_vec()))) };
        assert_eq!((status, held(&out).as_str()), (hos_status::HOS_ALLOWED, "{}"));
        // SAFETY: a null buffer is allowed.
        let status = unsafe { answered(std::ptr::null_mut(), || panic!("planted")) };
        assert_eq!(status, hos_status::HOS_INTERNAL);
        // SAFETY: it was written by `answered`.
        drop(unsafe { take(&mut out) });
        assert_eq!((out.data, out.len, out.room), (std::ptr::null_mut(), 0, 0));
    }

    #[test]
    fn a_buffer_is_used_again_and_grows() {
        let mut out = empty();
        for len in [0, 1, 10_000, 5] {
            let json = "x".repeat(len);
            // SAFETY: the buffer is all zero at first, and afterwards as `write` left it.
            unsafe { write(&raw mut out, json.as_bytes()) };
            assert_eq!(held(&out), json);
            assert!(out.room > len);
        }
        assert!(out.room > 10_000, "room is kept for the next answer");
        // SAFETY: it was written by `write`.
        drop(unsafe { take(&mut out) });
    }

    #[test]
    fn what_cannot_be_bytes_is_refused() {
        // SAFETY: nothing is read through a null pointer.
        unsafe {
            assert_eq!(bytes("it", std::ptr::null(), 0).unwrap(), b"");
            assert_eq!(bytes("it", std::ptr::null(), 1).unwrap_err().code, Code::CallMalformed);
            let somewhere = c"x".as_ptr();
            assert_eq!(bytes("it", somewhere, usize::MAX).unwrap_err().code, Code::CallTooLarge);
            let wrong = hos_text { data: c"\xff".as_ptr(), len: 1 };
            assert_eq!(text("it", wrong).unwrap_err().code, Code::CallMalformed);
        }
    }
}
