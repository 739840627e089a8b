//! Changing single files of a repository: what `carrier lock` does.
//!
//! Each file is written beside and renamed into place, in the order given, so
//! that at every moment each is the old one or the new one. Nothing is written
//! through a link, and nothing outside the repository.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::FilesError;
use super::folder_lock::FolderLock;
use super::manifest::check_path;
use super::write::{Found, STAGING, look, remove_staging, replace};

/// Writes (`Some`) and removes (`None`) files below `root`, in this order. Stops
/// at the first that fails: what stands then is the beginning of the list.
pub fn update(root: &Path, files: &[(String, Option<String>)]) -> Result<(), FilesError> {
    let _lock = FolderLock::acquire(root)?;
    for (path, _) in files {
        check_path(path).map_err(|reason| FilesError::BadPath { path: path.clone(), reason })?;
        match look(root, path)? {
            Found::Nothing | Found::File(_) => {}
            Found::Other => return Err(FilesError::InTheWay(root.join(path))),
            Found::Below(file) => return Err(FilesError::InTheWay(root.join(file))),
        }
    }
    let staging = root.join(STAGING);
    // What a run left behind that was cut short.
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
    // Folders go when nothing is left in them; the first that stays ends it.
    for folder in target.ancestors().skip(1).take_while(|folder| *folder != root) {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}
