//! A compiler for multi-cluster service offerings on Kubernetes.
//!
//! The modules follow the data: [`model`] holds the words everything else is
//! said in, [`compile`] turns a repository of catalogs into manifests, [`files`]
//! reads and writes folders, [`cli`] is what a person meets.
//!
//! [`model`] and [`compile`] are pure: they open no file and no socket and read
//! no clock. `tests/architecture.rs` holds them to it.

pub mod cli;
pub mod compile;
pub mod files;
pub mod model;
