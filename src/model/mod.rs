//! The data types of the compiler: source text and places in it, diagnostics, names, field
//! paths and the KubeCarrier kinds.
//!
//! Pure data and small functions on it, without access to files, clusters or a terminal.

pub mod cluster;
pub mod codes;
pub mod config;
pub mod crd;
pub mod diagnostic;
pub mod digest;
pub mod keys;
pub mod kinds;
pub(crate) mod line_diff;
pub mod lock;
pub mod managed_fields;
pub mod names;
pub mod namespace;
pub mod nearest;
pub mod object;
pub mod path;
pub mod plain;
pub mod redact;
pub mod resource;
pub(crate) mod secret_values;
pub mod source;
