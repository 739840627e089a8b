//! The tests that need no server, all in one binary, so that the library is linked once. A file
//! here is a subject; it lists its tests in `cases`.
//!
//! `support/harness.rs` says why libtest does not run them, and `docs/testing.md` how to run
//! some of them, and how to write all golden files anew.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails by panicking is a test that fails")]

/// The tests of a module, from the names of its functions and, in brackets, what each needs.
macro_rules! cases {
    ($($test:ident $([$($need:path),+])?),* $(,)?) => {
        vec![$($crate::harness::Case::new(
            $crate::harness::name(module_path!(), stringify!($test)),
            &[$($($need),+)?],
            || { $test(); Ok(()) },
        )),*]
    };
}

#[path = "../support/assets.rs"]
mod assets;
#[path = "../common/mod.rs"]
mod common;
#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../support/harness.rs"]
mod harness;
#[path = "../rendered/mod.rs"]
mod repositories;

mod api_objects;
mod architecture;
mod bad_input;
mod cli_check;
mod cli_diagnostics;
mod cli_fields;
mod cli_init;
mod cli_lock;
mod cli_plan;
mod cli_plugins;
mod cli_process;
mod cli_reference;
mod cli_render;
mod cli_trust;
mod command;
mod deploy;
mod derive_golden;
mod derive_laws;
mod docs;
mod files;
mod fuzz_seeds;
mod hostile_server;
mod imports;
mod kubecarrier_vectors;
mod kubectl;
mod render;
mod render_layout;
mod render_tutorial;
mod route;
mod schemas;
mod secrets;
mod snapshots;
mod status_laws;
mod value_verdicts;
mod yaml_oracle;
mod yaml_reader;
mod yaml_roundtrip;

use std::process::ExitCode;

fn main() -> ExitCode {
    let subjects = [
        api_objects::cases(),
        architecture::cases(),
        bad_input::cases(),
        cli_check::cases(),
        cli_diagnostics::cases(),
        cli_fields::cases(),
        cli_init::cases(),
        cli_lock::cases(),
        cli_plan::cases(),
        cli_plugins::cases(),
        cli_process::cases(),
        cli_reference::cases(),
        cli_render::cases(),
        cli_trust::cases(),
        deploy::cases(),
        derive_golden::cases(),
        derive_laws::cases(),
        docs::cases(),
        files::cases(),
        fuzz_seeds::cases(),
        hostile_server::cases(),
        kubecarrier_vectors::cases(),
        render::cases(),
        render_layout::cases(),
        render_tutorial::cases(),
        route::cases(),
        schemas::cases(),
        secrets::cases(),
        snapshots::cases(),
        status_laws::cases(),
        value_verdicts::cases(),
        yaml_oracle::cases(),
        yaml_reader::cases(),
        yaml_roundtrip::cases(),
    ];
    harness::run(subjects.into_iter().flatten().collect())
}

/// Prints what a test measured, for a person who asks for it with `--nocapture`.
#[expect(clippy::print_stderr, reason = "a test binary talks to the person who runs it")]
fn measured(text: &str) {
    if std::env::args().any(|argument| argument == "--nocapture") {
        eprintln!("{text}");
    }
}
