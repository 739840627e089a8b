//! YAML: the one reader and the one writer of the program.
//!
//! [`read`](mod@read) parses text, as Kubernetes reads it, to trees with source places
//! ([`tree`]); [`write`](mod@write) writes values as canonical text. This folder knows no
//! kinds: [`crate::compile`] interprets documents.

mod builder;
pub mod limits;
mod mapping;
pub mod read;
mod scalar;
pub mod suppress;
mod syntax;
pub mod tree;
pub mod write;

pub use read::{Document, read};
pub use suppress::{Suppression, apply_suppressions};
pub use tree::Node;
pub use write::to_yaml;
