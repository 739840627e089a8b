//! The value of `--against`: a folder, or `git:` and a revision.

use std::path::PathBuf;
use std::str::FromStr;

use super::env::Env;
use crate::ops::plan::base;

/// What a plan is compared with, as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Against {
    /// A folder that carrier rendered, or one with a repository.
    Folder(PathBuf),
    /// The repository as it was at a revision.
    Git(String),
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("git:") {
            Some("") => Err("name a revision, such as git:origin/main".to_owned()),
            Some(revision) => Ok(Self::Git(revision.to_owned())),
            None if text.is_empty() => Err("name a folder, or git: and a revision".to_owned()),
            None => Ok(Self::Folder(PathBuf::from(text))),
        }
    }
}

impl Against {
    /// The same with an absolute path.
    #[must_use]
    pub(crate) fn resolved(&self, env: &Env) -> base::Against {
        match self {
            Self::Folder(path) => {
                base::Against { name: path.display().to_string(), place: base::Place::Folder(env.path(path)) }
            }
            Self::Git(revision) => {
                base::Against { name: format!("git:{revision}"), place: base::Place::Revision(revision.clone()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_told_from_a_folder() {
        assert_eq!("git:origin/main".parse(), Ok(Against::Git("origin/main".into())));
        assert_eq!("out/git:x".parse(), Ok(Against::Folder("out/git:x".into())));
        assert!("git:".parse::<Against>().is_err() && "".parse::<Against>().is_err());
    }
}
