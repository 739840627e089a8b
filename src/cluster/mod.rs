//! Clusters: everything that talks to an API server. All of it is shell.
//!
//! The types of kube and tokio stay in here. Objects are `serde_json::Value`, so
//! that nothing a server says is lost because a struct does not know it
//! (`rust.md` C1). Reads and writes go through [`client::Cluster`], which holds
//! every request to its limits and sorts its errors; objects that change are
//! followed by [`watch`], and by nothing else.

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
mod plugin;
pub mod request;
pub mod runtime;
pub mod trial;
pub mod wait;
pub mod watch;

pub use client::{Cluster, Limits, ListSink};
pub use error::{ClusterError, ErrorKind};
pub use request::{ApiRequest, Selection};

#[cfg(test)]
mod tests;
