//! Changes single files of a repository, for `carrier lock`.
//!
//! Each file is written to a staging folder and renamed, in the given order, so that
//! it is the old or the new one at every moment. Nothing is written through a
//! symbolic link or outside the repository.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::FilesError;
use super::folder_lock::FolderLock;
use super::manifest::{STAGING, check_path};
use super::write::{PathState, path_state, remove_staging, replace};

/// Writes (`Some`) and removes (`None`) files below `root`, in this order.
///
/// # Errors
/// If a path cannot be written, before anything is changed; or if a write fails, after the files before it in the
/// list were changed.
pub(crate) fn update(root: &Path, files: &[(String, Option<String>)]) -> Result<(), FilesError> {
    let _lock = FolderLock::acquire(root)?;
    for (path, _) in files {
        check_path(path).map_err(|reason| FilesError::BadPath { path: path.clone(), reason })?;
        match path_state(root, path)? {
            PathState::Absent | PathState::File(_) | PathState::TooLarge => {}
            PathState::Other => return Err(FilesError::InTheWay(root.join(path))),
            PathState::BelowFile(file) => return Err(FilesError::InTheWay(root.join(file))),
        }
    }
    let staging = root.join(STAGING);
    // An interrupted run leaves its staging folder behind.
    remove_staging(&staging)?;
    if files.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(&staging).map_err(FilesError::io("write", &staging))?;
    let done = files.iter().try_for_each(|(path, text)| match text {
        Some(text) => write(root, path, text, &staging),
        None => remove(root, path),
    });
    let cleaned = remove_staging(&staging);
    done.and(cleaned)
}

fn write(root: &Path, path: &str, text: &str, staging: &Path) -> Result<(), FilesError> {
    let target = root.join(path);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(FilesError::io("write", parent))?;
    }
    replace(&target, text.as_bytes(), staging)
}

fn remove(root: &Path, path: &str) -> Result<(), FilesError> {
    let target = root.join(path);
    match fs::remove_file(&target) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(FilesError::Io { doing: "remove", path: target, source: error });
        }
        _ => {}
    }
    // Removes folders that are empty now; `remove_dir` fails at the first that is not.
    for folder in target.ancestors().skip(1).take_while(|folder| *folder != root) {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}
