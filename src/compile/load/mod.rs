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
mod foreign;
pub(crate) mod list;
pub(crate) mod loaded;
mod metadata;
pub(crate) mod objects;
mod rules;
pub(crate) mod schema;
mod secret;
pub(crate) mod shape;
pub(crate) mod unreadable;

pub(crate) use loaded::{Loaded, Object, SourceKey};
pub(crate) use objects::load;

#[cfg(test)]
mod tests;
