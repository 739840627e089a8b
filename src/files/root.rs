//! The root of a repository: the folder with `carrier.yaml`.

use std::path::{Path, PathBuf};

use super::FilesError;

/// The configuration file in the root.
pub(crate) use crate::model::config::CONFIG_PATH as CONFIG;
/// The lock file in the root.
pub(crate) use crate::model::lock::LOCK_PATH as LOCK;

/// The nearest folder with a `carrier.yaml`: `start` or a folder above it, up to the
/// root of the Git work tree (`cli.md` §5.3).
///
/// # Errors
/// [`FilesError::NoRoot`] if there is none; [`FilesError::Io`] if `start` does not exist.
pub(crate) fn find_root(start: &Path) -> Result<PathBuf, FilesError> {
    let start = start.canonicalize().map_err(FilesError::io("read", start))?;
    for folder in start.ancestors() {
        if folder.join(CONFIG).is_file() {
            return Ok(folder.to_owned());
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    Err(FilesError::NoRoot(start))
}

/// Whether the folder is in a Git work tree, but not its root.
pub(super) fn below_git_root(folder: &Path) -> bool {
    !folder.join(".git").exists() && folder.ancestors().skip(1).any(|f| f.join(".git").exists())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_root_is_searched_up_to_the_root_of_the_work_tree() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("repo/a/b")).unwrap();
        fs::write(top.join("carrier.yaml"), "").unwrap();
        assert_eq!(find_root(&top.join("repo/a/b")).unwrap(), top);
        fs::create_dir(top.join("repo/.git")).unwrap();
        assert!(matches!(find_root(&top.join("repo/a/b")), Err(FilesError::NoRoot(_))));
        fs::write(top.join("repo/carrier.yaml"), "").unwrap();
        assert_eq!(find_root(&top.join("repo/a")).unwrap(), top.join("repo"));
        assert!(matches!(find_root(&top.join("absent")), Err(FilesError::Io { .. })));
    }
}
