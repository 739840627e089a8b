//! What a user sees when carrier panics.
//!
//! A panic is always a bug of carrier. The message says so, with the version and what to report; the backtrace
//! is shown only with `RUST_BACKTRACE`.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use super::exit::Exit;

/// Installs the panic message for the whole process.
pub fn install_hook() {
    panic::set_hook(Box::new(|info| {
        let mut text = message(info);
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = write!(text, "\n{backtrace}");
        }
        // A closed stderr has no reader.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }));
}

/// Runs `work`; a panic in it, which the hook has reported, becomes [`Exit::Bug`].
pub fn guard(work: impl FnOnce() -> Exit) -> Exit {
    // Only the streams are used again after a panic.
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Bug)
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or_else(String::new, |l| format!(" ({}:{})", l.file(), l.line()));
    let what = info.payload_as_str().unwrap_or("no message");
    format!(
        "error: this is a bug of carrier: {what}{place}\n  \
         version: {}\n  \
         help: please report it with this text, the command you ran and, if you may share them, the files it read\n  \
         help: set RUST_BACKTRACE=1 and run it again for a report that says more\n",
        env!("CARGO_PKG_VERSION")
    )
}
