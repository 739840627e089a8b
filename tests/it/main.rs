//! The tests that need no server, all in one binary: it is linked once. A file here is a subject.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails by panicking is a test that fails")]
#![allow(clippy::print_stderr, clippy::print_stdout, reason = "what a test measures is for the person who runs it")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../rendered/mod.rs"]
mod repositories;

mod architecture;
mod bad_input;
mod cli_check;
mod cli_diagnostics;
mod cli_fields;
mod cli_init;
mod cli_lock;
mod cli_plan;
mod cli_process;
mod cli_reference;
mod cli_render;
mod derive_golden;
mod derive_laws;
mod docs;
mod files;
mod fuzz_seeds;
mod kubecarrier_vectors;
mod render;
mod render_layout;
mod render_tutorial;
mod schemas;
mod secrets;
mod snapshots;
mod yaml_oracle;
mod yaml_reader;
mod yaml_roundtrip;
