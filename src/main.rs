//! The `carrier` binary: it hands the process over to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    carrier::program::main()
}
