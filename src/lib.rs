//! A compiler for multi-cluster service offerings on Kubernetes.
//!
//! The modules follow the data: [`model`] holds the words everything else is
//! said in, [`yaml`] reads and writes text, [`compile`] turns a repository of catalogs into manifests, [`plan`]
//! says what applying them would change, [`files`] reads and writes folders,
//! [`cluster`] talks to API servers, [`ops`] does what a command does, [`cli`] is what a person meets.
//!
//! [`model`], [`yaml`], [`compile`] and [`plan`] are pure: they open no file and no socket
//! and read no clock. `tests/it/architecture.rs` holds them to it.

pub mod cli;
pub mod cluster;
pub mod compile;
pub mod files;
pub mod model;
pub mod ops;
pub mod plan;
pub mod yaml;
