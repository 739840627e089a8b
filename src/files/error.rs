//! What stops reading or writing as a whole. What is wrong with a single input
//! file is a diagnostic instead.

use std::io;
use std::path::{Path, PathBuf};

/// Why a folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// There is no `carrier.yaml` here or above, up to the Git root.
    #[error("no carrier.yaml in {0} or a folder above it")]
    NoRoot(PathBuf),
    /// A system call failed; the path says on what.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What was tried, such as `read`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The output folder holds files and no ownership manifest.
    #[error("{0} is not empty and not written by carrier")]
    NotOurs(PathBuf),
    /// Something that carrier did not write stands where a file has to go.
    #[error("{0} is in the way: carrier did not write it")]
    InTheWay(PathBuf),
    /// A folder or file of the output is a symbolic link.
    #[error("{0} is a symbolic link; carrier writes through none")]
    Link(PathBuf),
    /// Another carrier writes there.
    #[error("another carrier is writing to {0}")]
    Busy(PathBuf),
    /// The ownership manifest cannot be understood.
    #[error("{path}: {reason}")]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Git does not give what was asked of it.
    #[error("{0}")]
    Git(String),
    /// A path to be written is not portable, leaves the folder, or clashes with another.
    #[error("cannot write `{path}`: {reason}")]
    BadPath {
        /// The path, below the output folder.
        path: String,
        /// Why not.
        reason: &'static str,
    },
}

impl FilesError {
    /// Names the file in an error of the operating system.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// What to do about it, a sentence; `None` where the message says all.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoRoot(_) => "run `carrier init` there, or name the folder with `-C DIR`",
            Self::NotOurs(_) => "choose an empty folder, or remove what is in it",
            Self::InTheWay(_) => "move it out of the output folder",
            Self::Link(_) => "replace the link by a folder",
            Self::Busy(_) => "run it again when the other one is done",
            Self::BadManifest { .. } => {
                "restore it from Git; or, if nothing else is in the folder, remove the folder and render again"
            }
            Self::Git(_) => "name a branch, a tag or a commit that is here, such as `git:origin/main`",
            Self::Io { .. } | Self::BadPath { .. } => return None,
        })
    }
}
