//! The file system: reading a repository into [`Sources`], and writing files into a
//! folder. Files are read and written as text; their content is checked by
//! [`crate::compile`].
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
