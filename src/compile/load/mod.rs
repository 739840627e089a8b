//! Loading: from source text to the objects it describes.
//!
//! [`objects`] makes typed objects of the trees that [`crate::yaml`] reads, along
//! the same schemas that the CRDs have, so that what loads here is what an API
//! server takes. Nothing is read from outside: the text is in
//! [`Sources`](crate::model::source::Sources) already.

pub(super) mod config;
mod document;
pub mod lost;
mod metadata;
pub mod objects;
mod rules;
pub mod schema;
mod secret;
pub mod shape;

pub use objects::{Loaded, Object, SourceKey, load};

#[cfg(test)]
mod tests;
