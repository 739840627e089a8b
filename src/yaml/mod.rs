//! YAML: the one reader and the one writer of the program.
//!
//! [`read`](mod@read) parses text, as Kubernetes reads it, to trees with source places
//! ([`tree`]); [`write`](mod@write) writes values as canonical text. This folder knows no
//! kinds: [`crate::compile`] interprets documents.

mod builder;
mod json;
pub(crate) mod limits;
mod locate;
mod mapping;
pub(crate) mod read;
mod scalar;
pub(crate) mod suppress;
mod syntax;
pub(crate) mod tree;
pub(crate) mod write;

pub(crate) use locate::locate;
pub(crate) use read::{Document, read};
pub(crate) use suppress::{Suppression, apply_suppressions};
pub(crate) use write::to_yaml;
