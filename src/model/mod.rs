//! The data types of the compiler: source text and places in it, diagnostics, names, field
//! paths and the KubeCarrier kinds.
//!
//! Pure data and small functions on it, without access to files, clusters or a terminal.

pub(crate) mod cluster;
pub mod codes;
pub(crate) mod config;
pub(crate) mod crd;
pub(crate) mod diagnostic;
pub(crate) mod digest;
pub mod keys;
pub(crate) mod kinds;
pub(crate) mod line_diff;
pub(crate) mod lock;
pub(crate) mod managed_fields;
pub(crate) mod markdown;
pub(crate) mod names;
pub(crate) mod namespace;
pub(crate) mod nearest;
pub(crate) mod object;
pub(crate) mod path;
pub(crate) mod plain;
pub(crate) mod redact;
pub(crate) mod resource;
pub(crate) mod secret_values;
pub(crate) mod shell;
pub(crate) mod source;
