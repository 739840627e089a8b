//! The `carrier` binary: it hands the process over to the library.

use std::process::ExitCode;

/// The objects of a compiler are trees of small parts, made and dropped on several threads, which the allocators of the C
/// libraries are slow at, that of musl above all; and `carrier sync` gives back what a burst took.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    carrier::program::main()
}
