//! The functions of the C ABI in any order, with any arguments that a C program could give without lying about its memory: numbers
//! that were never given or are closed, null pointers, lengths of zero and beyond all memory, texts that are not UTF-8, buffers
//! used again. Shared by a test and a fuzz target (`fuzz/`), which runs it under AddressSanitizer.
#![allow(unsafe_code, dead_code, reason = "functions of C are called here, and each user takes what it needs")]

use hos::boundary::{hos_buffer, hos_text};
use hos::status::hos_status;
use std::collections::BTreeSet;
use std::ffi::c_char;
use std::path::Path;

/// The most functions that one input calls.
const OPERATIONS: usize = 24;

/// What is kept from one call to the next.
struct Caller<'a> {
    input: &'a [u8],
    store: String,
    calls: &'a [(&'a str, &'a str)],
    /// Every number that was given, and whether it is open as far as we know.
    open: BTreeSet<u64>,
    closed: BTreeSet<u64>,
    buffers: [hos_buffer; 3],
}

fn empty() -> hos_buffer {
    hos_buffer { data: std::ptr::null_mut(), len: 0, room: 0 }
}

/// Runs what the input says on a store that is founded already; `calls` are operations and JSON that mean something there.
pub(crate) fn run(data: &[u8], store: &Path, calls: &[(&str, &str)]) {
    let buffers = [empty(), empty(), empty()];
    let store = store.display().to_string();
    let mut caller = Caller { input: data, store, calls, open: BTreeSet::new(), closed: BTreeSet::new(), buffers };
    for _ in 0..OPERATIONS {
        if caller.input.is_empty() {
            break;
        }
        caller.step();
    }
    caller.leave();
}

/// A fault that is planted: an answer is read after it was freed, behind five letters that a fuzzer must come to.
pub(crate) fn planted(data: &[u8]) {
    if !data.starts_with(b"FAULT") {
        return;
    }
    let mut buffer = empty();
    // SAFETY: the buffer is the library's own; that it is read below, when it is freed, is the fault.
    let read = unsafe {
        hos::hos_close(0, &raw mut buffer);
        let answer = buffer.data;
        hos::hos_free(&raw mut buffer);
        answer.read_volatile()
    };
    std::hint::black_box(read);
}

impl Caller<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.input.split_first() else { return 0 };
        self.input = rest;
        *first
    }

    /// A text of the input's own: its length, and that many bytes.
    fn own(&mut self) -> Vec<u8> {
        let len = usize::from(self.byte()).min(self.input.len());
        let (own, rest) = self.input.split_at(len);
        self.input = rest;
        own.to_vec()
    }

    /// A number: one that is open, one that was, or one that nobody gave.
    fn number(&mut self) -> u64 {
        let (what, which) = (self.byte() % 8, usize::from(self.byte()));
        let pick = |among: &BTreeSet<u64>| among.iter().nth(which % among.len().max(1)).copied();
        match what {
            0 => 0,
            1 => u64::MAX - which as u64,
            2 => pick(&self.closed).unwrap_or(1),
            3 => pick(&self.open).map_or(which as u64, |open| open ^ 1 << (which % 64)),
            _ => pick(&self.open).unwrap_or(which as u64),
        }
    }

    /// How long a text is said to be, and where: what it is, nothing, or more than there can be.
    fn said(&mut self, text: &[u8]) -> (*const c_char, usize) {
        match self.byte() % 16 {
            0 => (std::ptr::null(), 0),
            1 => (std::ptr::null(), text.len().max(1)),
            2 => (text.as_ptr().cast(), 0),
            3 => (text.as_ptr().cast(), usize::MAX),
            4 => (text.as_ptr().cast(), text.len() / 2),
            5 => (std::ptr::dangling(), 0),
            _ => (text.as_ptr().cast(), text.len()),
        }
    }

    /// Where the answer goes; none is a buffer too.
    fn out(&mut self) -> Option<usize> {
        let byte = usize::from(self.byte() % 8);
        (byte > 1).then_some(byte % 3)
    }

    fn pointer(&mut self, out: Option<usize>) -> *mut hos_buffer {
        out.and_then(|at| self.buffers.get_mut(at)).map_or(std::ptr::null_mut(), |buffer| buffer)
    }

    /// A status that is one, and an answer that is what the page says.
    fn check(&self, what: &str, status: hos_status, out: Option<usize>) {
        assert_ne!(status, hos_status::HOS_INTERNAL, "{what}: a fault inside");
        let Some(buffer) = out.and_then(|at| self.buffers.get(at)) else { return };
        if buffer.data.is_null() {
            assert_eq!((buffer.len, buffer.room), (0, 0), "{what}: a buffer of nothing");
            return;
        }
        assert!(buffer.len < buffer.room, "{what}: no room for the zero byte");
        // SAFETY: the library says that so many bytes are there, and one more; whether it lies is what is looked for.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.data.cast::<u8>(), buffer.len + 1) };
        assert_eq!(bytes.last(), Some(&0), "{what}: no zero byte at the end");
        let text = std::str::from_utf8(&bytes[..buffer.len]);
        assert!(text.is_ok_and(|text| text.starts_with(['{', '['])), "{what}: an answer that is no JSON");
    }

    fn step(&mut self) {
        match self.byte() % 12 {
            0..=2 => self.open(),
            3 => self.close(),
            4..=6 => self.call(),
            7 | 8 => self.host_step(),
            9 | 10 => self.can(),
            _ => self.free(),
        }
    }

    fn open(&mut self) {
        let store = self.store.clone();
        let options = match self.byte() % 8 {
            0 => self.own(),
            1 => format!("{{\"store\":\"{store}.none\"}}").into_bytes(),
            2 => br#"{"dialect":"sqlite","places":"numbered"}"#.to_vec(),
            3 => br#"{"dialect":"postgres","places":"dollar","database":"a","together":true}"#.to_vec(),
            4 => format!("{{\"store\":\"{store}\",\"seal\":\"worker\"}}").into_bytes(),
            _ => format!("{{\"store\":\"{store}\"}}").into_bytes(),
        };
        let (data, len) = self.said(&options);
        let (how, nowhere) = (self.byte() % 3, self.byte().is_multiple_of(16));
        let mut number = 7_777_777;
        let place: *mut u64 = if nowhere { std::ptr::null_mut() } else { &raw mut number };
        let out = self.out();
        let buffer = self.pointer(out);
        // SAFETY: the options lead to as many bytes as is said, or are refused for their length; the rest is null or ours.
        let status = unsafe {
            match how {
                0 => hos::hos_open(data, len, place, buffer),
                1 => hos::hos_open_shared(data, len, place, buffer),
                _ => hos::hos_open_joined(data, len, place, buffer),
            }
        };
        self.check("open", status, out);
        if nowhere {
            assert_eq!(status, hos_status::HOS_CALL, "an engine was opened and its number lost");
        } else if status == hos_status::HOS_ALLOWED {
            assert!(number != 0 && !self.closed.contains(&number), "the number {number} was given again");
            assert!(self.open.insert(number) || how > 0, "the number {number} was given to two");
        } else {
            assert_eq!(number, 0, "no engine, and a number all the same");
        }
    }

    /// What must come of a number that is not open.
    fn held(&self, what: &str, number: u64, status: hos_status) {
        let closed = status == hos_status::HOS_CLOSED;
        assert!(
            self.open.contains(&number) || closed || status == hos_status::HOS_CALL,
            "{what}: {number} is closed: {status:?}"
        );
        assert!(!self.open.contains(&number) || !closed, "{what}: {number} is open");
    }

    fn close(&mut self) {
        let number = self.number();
        let out = self.out();
        let buffer = self.pointer(out);
        // SAFETY: the buffer is null or the library's own.
        let status = unsafe { hos::hos_close(number, buffer) };
        self.check("close", status, out);
        self.held("close", number, status);
        if self.open.remove(&number) {
            assert_eq!(status, hos_status::HOS_ALLOWED);
            self.closed.insert(number);
        }
    }

    fn called(&mut self) -> (Vec<u8>, Vec<u8>) {
        let which = usize::from(self.byte());
        match self.calls.get(which % (self.calls.len() + 2)) {
            Some((operation, json)) => (operation.as_bytes().to_vec(), json.as_bytes().to_vec()),
            None => (self.own(), self.own()),
        }
    }

    fn call(&mut self) {
        let number = self.number();
        let (operation, json) = self.called();
        let ((operation, operation_len), (json, json_len)) = (self.said(&operation), self.said(&json));
        let out = self.out();
        let buffer = self.pointer(out);
        // SAFETY: both lead to as many bytes as is said, or are refused for their length; the buffer is null or the library's own.
        let status = unsafe { hos::hos_call(number, operation, operation_len, json, json_len, buffer) };
        self.check("call", status, out);
        self.held("call", number, status);
        assert_ne!(status, hos_status::HOS_NEED);
    }

    fn host_step(&mut self) {
        let number = self.number();
        let (operation, json) = self.called();
        let ((operation, operation_len), (json, json_len)) = (self.said(&operation), self.said(&json));
        let inside = [1, 0, -1, 2, i32::MIN, 1, 1, 1][usize::from(self.byte() % 8)];
        let out = self.out();
        let buffer = self.pointer(out);
        // SAFETY: as for a call.
        let status = unsafe { hos::hos_step(number, operation, operation_len, inside, json, json_len, buffer) };
        self.check("step", status, out);
        self.held("step", number, status);
        assert_ne!(status, hos_status::HOS_ALLOWED, "a yes without a database");
    }

    fn can(&mut self) {
        let number = self.number();
        let words: [Vec<u8>; 7] = match self.byte() % 2 {
            0 => [&b"north"[..], b"Kit::Account", b"ayse", b"ticket.pay", b"Kit::Ticket", b"1", b""].map(<[u8]>::to_vec),
            _ => std::array::from_fn(|_| self.own()),
        };
        let bent = usize::from(self.byte() % 8);
        let mut texts: [hos_text; 7] =
            std::array::from_fn(|at| hos_text { data: words[at].as_ptr().cast(), len: words[at].len() });
        if let Some(text) = texts.get_mut(bent) {
            (text.data, text.len) = self.said(&words[bent]);
        }
        let [tenant, principal_type, principal_id, action, resource_type, resource_id, beside] = texts;
        let question = hos::hos_question { tenant, principal_type, principal_id, action, resource_type, resource_id, beside };
        let nothing = self.byte().is_multiple_of(16);
        let question: *const hos::hos_question = if nothing { std::ptr::null() } else { &raw const question };
        let out = self.out();
        let buffer = self.pointer(out);
        // SAFETY: the question is null or ours, its texts lead to what is said or are refused for their length.
        let status = unsafe { hos::hos_can(number, question, buffer) };
        self.check("can", status, out);
        self.held("can", number, status);
        assert!(!nothing || status != hos_status::HOS_ALLOWED, "a yes to nothing");
    }

    fn free(&mut self) {
        let out = self.out();
        let buffer = self.pointer(out);
        // SAFETY: the buffer is null or the library's own.
        unsafe { hos::hos_free(buffer) };
        if let Some(buffer) = out.and_then(|at| self.buffers.get(at)) {
            assert!(buffer.data.is_null() && buffer.len == 0 && buffer.room == 0, "a freed buffer holds something");
        }
    }

    /// Closes what is open, twice, and frees every buffer, twice.
    fn leave(mut self) {
        for number in std::mem::take(&mut self.open) {
            // SAFETY: no buffer is given.
            let [first, second] = std::array::from_fn(|_| unsafe { hos::hos_close(number, std::ptr::null_mut()) });
            assert_eq!((first, second), (hos_status::HOS_ALLOWED, hos_status::HOS_CLOSED), "{number} is closed once");
        }
        for buffer in &mut self.buffers {
            // SAFETY: the buffer is the library's own.
            unsafe {
                hos::hos_free(buffer);
                hos::hos_free(buffer);
            }
        }
    }
}
