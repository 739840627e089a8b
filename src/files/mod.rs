//! The file system: reading a repository into [`Sources`], and writing files into a
//! folder. Files are read and written as text; their content is checked by
//! [`crate::compile`].
//!
//! [`Sources`]: crate::model::source::Sources

pub(crate) mod encoding;
pub(crate) mod error;
pub(crate) mod folder_lock;
pub(crate) mod git;
pub(crate) mod line_ends;
pub(crate) mod manifest;
mod patterns;
mod regular;
pub(crate) mod rendered;
pub(crate) mod root;
pub(crate) mod update;
pub(crate) mod walk;
pub(crate) mod write;

pub(crate) use error::FilesError;
pub(crate) use manifest::MANIFEST;
