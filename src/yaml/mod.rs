//! YAML: one reader and one writer for the whole program.
//!
//! [`read`](mod@read) makes trees with places ([`tree`]) of text, as Kubernetes reads it;
//! [`write`](mod@write) makes canonical text of values. What a document means is for
//! [`crate::compile`] to say: nothing here knows a kind.

mod builder;
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
