//! Errors that end reading or writing. Errors in a single input file are
//! diagnostics instead.

use std::io;
use std::path::{Path, PathBuf};

/// Why a folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// There is no `carrier.yaml` in the folder or above it, up to the root of the Git work tree.
    #[error("no carrier.yaml in {0} or a folder above it")]
    NoRoot(PathBuf),
    /// A system call failed.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// The verb for the message, such as `read`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The output folder has files, but no ownership manifest.
    #[error("{0} is not empty and was not written by carrier")]
    NotOurs(PathBuf),
    /// A file that carrier did not write is at the path of an output file.
    #[error("{0} exists and was not written by carrier")]
    InTheWay(PathBuf),
    /// A folder or file of the output is a symbolic link.
    #[error("{0} is a symbolic link; carrier does not write through links")]
    Link(PathBuf),
    /// Another carrier process holds the lock on the folder.
    #[error("another carrier is writing to {0}")]
    Busy(PathBuf),
    /// The ownership manifest is invalid.
    #[error("{path}: {reason}")]
    BadManifest {
        /// The path of the manifest.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// Git reported an error, or cannot be run.
    #[error("{0}")]
    Git(String),
    /// The path of an output file is not portable, leaves the folder, or conflicts with another path.
    #[error("cannot write `{path}`: {reason}")]
    BadPath {
        /// The path, relative to the output folder.
        path: String,
        /// The cause, which completes a sentence that begins with the path.
        reason: &'static str,
    },
}

impl FilesError {
    /// Adds the verb and the path to an error of the operating system.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// Names the file that a walk below `folder` failed at.
    pub(super) fn walk(folder: &Path, error: walkdir::Error) -> Self {
        let path = error.path().unwrap_or(folder).to_owned();
        Self::Io { doing: "read", path, source: error.into() }
    }

    /// Advice in one sentence; `None` if the message is enough.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoRoot(_) => "run `carrier init` there, or name the folder with `-C DIR`",
            Self::NotOurs(_) => "choose an empty folder, or remove what is in it",
            Self::InTheWay(_) => "move it out of the output folder",
            Self::Link(_) => "replace the link with a folder",
            Self::Busy(_) => "run the command again when the other one has finished",
            Self::BadManifest { .. } => {
                "restore it from Git; or, if nothing else is in the folder, remove the folder and render again"
            }
            Self::Git(_) => "name a branch, a tag or a commit of this repository, such as `git:origin/main`",
            Self::Io { .. } | Self::BadPath { .. } => return None,
        })
    }
}
