//! Loading: from source text to the objects it describes.
//!
//! [`objects`] makes typed objects of the trees that [`crate::yaml`] reads, along
//! the same schemas that the CRDs have, so that what loads here is what an API
//! server takes. [`lock`] and [`snapshots`] read what was discovered before.
//! Nothing is read from outside: the text is in
//! [`Sources`](crate::model::source::Sources) already.

mod canonical;
mod config;
mod document;
pub mod lock;
pub mod lost;
mod metadata;
pub mod objects;
mod parallel;
mod rules;
pub mod schema;
mod secret;
pub mod shape;
pub mod snapshots;
pub mod strip;

pub use objects::{Loaded, Object, SourceKey, load};
pub use snapshots::discovered;
pub use strip::strip;

#[cfg(test)]
mod tests;
