//! The ownership manifest of an output folder: the files that carrier wrote, and the
//! digests of their content. It has no time, host or version of carrier, so that the
//! same repository gives the same bytes everywhere.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::FilesError;
use super::regular::{Regular, read_regular};

/// The file name of the manifest in the output folder.
pub const MANIFEST: &str = ".carrier-manifest.json";

/// The folder in which files are written before they are renamed. It is in the output
/// folder, so that both are on one file system.
pub(super) const STAGING: &str = ".carrier-staging";

/// The maximum size of a manifest, in bytes: several hundred thousand files.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The only format that is read.
const VERSION: u32 = 1;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    version: u32,
    /// The hexadecimal SHA-256 of each file, by its path below the folder with `/`.
    pub(super) files: BTreeMap<String, String>,
}

impl Manifest {
    pub(super) fn new(files: BTreeMap<String, String>) -> Self {
        Self { version: VERSION, files }
    }

    /// The manifest of a folder; `None` if it has none.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, FilesError> {
        let path = dir.join(MANIFEST);
        let bad = |reason: String| FilesError::BadManifest { path: path.clone(), reason };
        let bytes = match read_regular(&path, MAX_BYTES).map_err(FilesError::io("read", &path))? {
            Regular::Content(bytes) => bytes,
            Regular::Absent => return Ok(None),
            Regular::Link => return Err(FilesError::Link(path)),
            Regular::Special => return Err(bad("not a regular file".to_owned())),
            Regular::TooLarge => return Err(bad(format!("larger than {} MiB", MAX_BYTES / 1024 / 1024))),
        };
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|e| bad(format!("not a manifest: {e}")))?;
        if manifest.version != VERSION {
            return Err(bad(format!("format {} was written by another version of carrier", manifest.version)));
        }
        for name in manifest.files.keys() {
            check_path(name).map_err(|reason| bad(format!("it lists `{name}`, which {reason}")))?;
        }
        Ok(Some(manifest))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Serialization cannot fail: there are only strings and a number.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// Checks that a path is below the folder, and valid on every operating system.
/// The error completes a sentence that begins with the path.
pub(super) fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.len() > 1024 {
        return Err("is empty or longer than 1,024 bytes");
    }
    for part in path.split('/') {
        if matches!(part, "" | "." | "..") {
            return Err("leaves its folder or is not in its shortest form");
        }
        if part.len() > 255 {
            return Err("has a part longer than 255 bytes");
        }
        let portable = |c: char| !c.is_control() && !matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
        if !part.chars().all(portable) || part.ends_with(['.', ' ']) {
            return Err("has a character that some systems do not allow in file names");
        }
        if part.eq_ignore_ascii_case(MANIFEST) || part.eq_ignore_ascii_case(STAGING) {
            return Err("has a name that carrier reserves");
        }
    }
    Ok(())
}
