//! Loading: from sources to the objects they describe, in two steps.
//!
//! A source becomes documents: a file through [`crate::yaml`], an object of an API server as
//! it is (`document`). A document becomes a typed object ([`objects`]), checked against the
//! schemas that the CRDs have, so that what loads here is what an API server accepts.
//! Nothing is read from outside: everything is in
//! [`Sources`](crate::model::source::Sources) already.

mod classify;
pub(super) mod config;
mod document;
pub mod loaded;
mod metadata;
pub mod objects;
mod rules;
pub mod schema;
mod secret;
pub mod shape;
pub mod unreadable;

pub use loaded::{Loaded, Object, SourceKey};
pub use objects::load;

#[cfg(test)]
mod tests;
