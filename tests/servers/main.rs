//! The tests that need real API servers, all in one binary, so that they can share
//! running ones. A file here is a subject; it lists its tests in `cases`.

#[path = "../support/mod.rs"]
mod support;

mod control_planes;

use std::process::ExitCode;

fn main() -> ExitCode {
    support::run(control_planes::cases())
}
