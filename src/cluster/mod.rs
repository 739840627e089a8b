//! Clusters: everything that talks to an API server. All of it is shell.
//!
//! The types of kube and tokio stay in here. Objects are `serde_json::Value`, so
//! that nothing a server says is lost because a struct does not know it
//! (`rust.md` C1). Reads and writes go through [`client::Cluster`], which gives
//! every call a deadline, bounded retries and an error that says what to do.

pub mod access;
pub mod apply;
pub mod client;
pub mod connect;
pub mod diagnose;
pub mod discover;
pub mod dry_run;
pub mod error;
pub mod identity;
pub mod impacts;
pub mod instances;
pub mod kubeconfig;
pub mod observe;
pub mod rest;
pub mod runtime;
pub mod trial;
pub mod wait;

pub use client::{Cluster, Limits};
pub use error::{ClusterError, ErrorKind};
pub use rest::ApiRequest;
