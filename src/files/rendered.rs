//! Reading a folder that carrier wrote.

use std::path::Path;

use super::FilesError;
use super::encoding;
use super::manifest::Manifest;
use super::walk::{ReadError, Reader};
use super::write::{PathState, path_state};
use crate::model::codes::io as codes;
use crate::model::diagnostic::Diagnostics;
use crate::model::source::Sources;

/// The files that carrier wrote into a folder and that still exist, as far as they are regular files of the folder
/// itself; `None` if the folder has no ownership manifest.
///
/// # Errors
/// If the ownership manifest cannot be read.
pub(crate) fn read_rendered(folder: &Path) -> Result<Option<(Sources, Diagnostics)>, FilesError> {
    let Some(manifest) = Manifest::read(folder)? else { return Ok(None) };
    let mut reader = Reader::new(folder.to_owned());
    for path in manifest.files.into_keys() {
        match path_state(folder, &path) {
            Ok(PathState::File(content)) => {
                reader.take(path, encoding::text(content).map_err(ReadError::NotText));
            }
            Ok(PathState::TooLarge) => reader.take(path, Err(ReadError::TooLarge)),
            Ok(PathState::Absent | PathState::Other | PathState::BelowFile(_)) => {}
            Err(FilesError::Link(_)) => {
                let message = format!("`{path}` is a symbolic link, or in a folder that is one");
                reader.refuse(&codes::LEAVES_REPOSITORY, path, message, "render the folder again, without links in it");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Some(reader.finish()))
}
