//! The error type of the command line: a message, hints and an exit code.
//!
//! The library has precise errors, which are mapped to this one here. Problems of the input are no errors but
//! diagnostics.

use std::fmt;
use std::io;
use std::path::Path;

use super::exit::Exit;
use crate::files::FilesError;
use crate::model::nearest::nearest;
use crate::ops::apply::Completion;
use crate::ops::error::{ClusterFailure, NameKind, PlanFailure, UnknownName};

/// Why a command ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    /// The exit code of the process.
    pub exit: Exit,
    /// What went wrong: one sentence without a trailing dot.
    pub message: String,
    /// What belongs to it, in one line each, such as the reasons of a refusal.
    pub lines: Vec<String>,
    /// What to do about it: a sentence or a command each.
    pub hints: Vec<String>,
}

impl CliError {
    /// An error that ends with `exit`.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), lines: Vec::new(), hints: Vec::new() }
    }

    /// A usage error: arguments that do not fit together, or name what does not exist.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A refusal: going on would have overwritten or lost something.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// An operation, such as "write", failed on the file at `path`.
    #[must_use]
    pub fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        let message = format!("cannot {doing} {}: {}", path.display(), plain(error));
        Self::new(exit_of(error), message)
    }

    /// Adds a line.
    #[must_use]
    pub(super) fn line(mut self, text: impl Into<String>) -> Self {
        self.lines.push(text.into());
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }

    /// Adds which of the names that there are was probably meant by `name`, or else all of them.
    #[must_use]
    pub(super) fn among(self, name: &str, known: &[String]) -> Self {
        match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None if known.is_empty() => self,
            None => self.hint(format!("it has {}", known.join(", "))),
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

/// An error without a file is one of writing to the terminal or a pipe.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::new(exit_of(&error), format!("cannot write the output: {}", plain(&error)))
    }
}

impl From<FilesError> for CliError {
    fn from(error: FilesError) -> Self {
        let exit = match &error {
            FilesError::NoRoot(_) | FilesError::Git(_) => Exit::Usage,
            FilesError::Io { source, .. } => exit_of(source),
            FilesError::NotOurs(_) | FilesError::InTheWay(_) | FilesError::Link(_) => Exit::Refused,
            FilesError::BadManifest { .. } | FilesError::Busy(_) => Exit::Refused,
            FilesError::BadPath { .. } => Exit::Errors,
        };
        let message = match &error {
            FilesError::Io { doing, path, source } => format!("cannot {doing} {}: {}", path.display(), plain(source)),
            other => other.to_string(),
        };
        Self { hints: error.help().map(str::to_owned).into_iter().collect(), ..Self::new(exit, message) }
    }
}

impl From<UnknownName> for CliError {
    fn from(unknown: UnknownName) -> Self {
        let kind = match unknown.kind {
            NameKind::ServiceCluster => "service cluster",
            NameKind::Account => "account",
            NameKind::Service => "service",
        };
        let error = Self::usage(format!("the repository has no {kind} `{}`", unknown.name));
        if unknown.broken {
            return error.hint("its ServiceCluster is there but has errors: `carrier check` shows them");
        }
        if unknown.known.is_empty() && unknown.kind == NameKind::ServiceCluster {
            return error.hint("add a ServiceCluster first");
        }
        error.among(&unknown.name, &unknown.known)
    }
}

impl From<ClusterFailure> for Exit {
    fn from(failure: ClusterFailure) -> Self {
        match failure {
            ClusterFailure::Unreachable => Self::Cluster,
            ClusterFailure::OtherCluster => Self::Refused,
        }
    }
}

impl From<PlanFailure> for Exit {
    fn from(failure: PlanFailure) -> Self {
        match failure {
            PlanFailure::Invalid => Self::Errors,
            PlanFailure::Cluster(failure) => failure.into(),
        }
    }
}

impl From<Completion> for Exit {
    fn from(completion: Completion) -> Self {
        match completion {
            Completion::Complete => Self::Fine,
            Completion::Partial => Self::Partial,
            Completion::Interrupted => Self::Interrupted,
            Completion::ManagementLost => Self::Cluster,
            Completion::Superseded => Self::Refused,
        }
    }
}

/// A closed pipe (`carrier render --stdout | head`) means that the reader has enough, and is no failure.
fn exit_of(error: &io::Error) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe { Exit::Fine } else { Exit::Errors }
}

/// The message of the system, without the number that Rust appends.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(cut) => text[..cut].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_fine() {
        assert_eq!(CliError::from(io::Error::from(io::ErrorKind::BrokenPipe)).exit, Exit::Fine);
        assert_eq!(CliError::from(io::Error::from(io::ErrorKind::StorageFull)).exit, Exit::Errors);
    }

    #[test]
    fn a_file_error_names_the_file() {
        let error = CliError::file("read", Path::new("a/b"), &io::Error::from_raw_os_error(2));
        assert_eq!(error.message, "cannot read a/b: No such file or directory");
    }
}
