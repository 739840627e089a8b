//! The file system: reading a repository into [`Sources`], writing manifests
//! into a folder. What is in the files is for [`crate::compile`] to say; nothing
//! here looks into a document.
//!
//! [`Sources`]: crate::model::source::Sources

mod error;
pub mod folder_lock;
pub mod git;
mod manifest;
mod patterns;
pub mod rendered;
pub mod root;
pub mod update;
pub mod walk;
pub mod write;

pub use error::FilesError;
pub use manifest::MANIFEST;
