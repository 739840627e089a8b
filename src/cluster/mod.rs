//! Clusters: everything that talks to an API server. All of it is shell.
//!
//! The types of kube and tokio stay in here. Objects are `serde_json::Value`, so
//! that nothing a server says is lost because a struct does not know it
//! (`rust.md` C1). Reads and writes go through [`client::Cluster`], which holds
//! every request to its limits and sorts its errors; objects that change are
//! followed by [`watch`], and by nothing else.

pub(crate) mod access;
pub(crate) mod apply;
pub(crate) mod approval;
pub(crate) mod client;
pub(crate) mod connect;
mod contents;
pub(crate) mod diagnose;
pub(crate) mod discover;
pub(crate) mod dry_run;
pub(crate) mod error;
pub(crate) mod fence;
pub(crate) mod going;
pub(crate) mod identity;
pub(crate) mod impacts;
pub(crate) mod instances;
pub(crate) mod kubeconfig;
pub(crate) mod observe;
pub(crate) mod plugin;
pub(crate) mod policies;
pub(crate) mod request;
mod rights;
pub(crate) mod runtime;
pub(crate) mod secret;
pub(crate) mod trial;
pub(crate) mod wait;
pub(crate) mod watch;

pub(crate) use client::{Cluster, Limits, ListSink};
pub(crate) use error::{ClusterError, ErrorKind};
pub(crate) use request::{ApiRequest, Selection};

#[cfg(test)]
mod tests;
