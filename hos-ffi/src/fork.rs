//! Forking while threads are inside an engine: who forks waits for them (`pthread_atfork`).
#![expect(unsafe_code, reason = "the hooks are C's to call")]

use std::sync::Once;

static WATCHING: Once = Once::new();

extern "C" fn before() {
    hos_engine::store::sqlite::before_fork();
}

extern "C" fn parent() {
    hos_engine::store::sqlite::after_fork_in_parent();
}

extern "C" fn child() {
    hos_engine::store::sqlite::after_fork_in_child();
}

/// Has forks of this process wait for calls that are under way. Once; the hooks stay for the life of the process, as the
/// library does.
pub(crate) fn watch() {
    crate::handle::prepare();
    WATCHING.call_once(|| {
        // SAFETY: the three functions take and give nothing, do not unwind, and live as long as the process. Where there is no
        // memory for the hooks the engine refuses an unlucky child by itself.
        let _ = unsafe { nix::libc::pthread_atfork(Some(before), Some(parent), Some(child)) };
    });
}
