//! Reading a folder that carrier wrote.

use std::path::Path;

use super::FilesError;
use super::manifest::Manifest;
use super::walk::{Reader, read_limited};
use crate::model::diagnostic::Diagnostics;
use crate::model::source::Sources;

/// The files that carrier wrote into a folder and that still exist; `None` if the folder has no ownership
/// manifest.
///
/// # Errors
/// If the ownership manifest cannot be read.
pub(crate) fn read_rendered(folder: &Path) -> Result<Option<(Sources, Diagnostics)>, FilesError> {
    let Some(manifest) = Manifest::read(folder)? else { return Ok(None) };
    let mut reader = Reader::new(folder.to_owned());
    for path in manifest.files.into_keys() {
        let file = folder.join(&path);
        if file.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            reader.take(path, read_limited(&file));
        }
    }
    Ok(Some(reader.finish()))
}
