//! The ownership manifest of an output folder: which files in it are carrier's,
//! and what was in them. It holds no time, no machine and no version, so that two
//! people get the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::FilesError;

/// Its name in the output folder.
pub const MANIFEST: &str = ".carrier-manifest.json";

/// Only this format is read; another one was written by another carrier.
const VERSION: u32 = 1;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    version: u32,
    /// Path below the folder, with `/`, to the hex SHA-256 of the content.
    pub(super) files: BTreeMap<String, String>,
}

impl Manifest {
    pub(super) fn new(files: BTreeMap<String, String>) -> Self {
        Self { version: VERSION, files }
    }

    /// The manifest of a folder; `None` where there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, FilesError> {
        let path = dir.join(MANIFEST);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FilesError::Io { doing: "read", path, source }),
        };
        let bad = |reason: String| FilesError::BadManifest { path: path.clone(), reason };
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|e| bad(format!("not a manifest: {e}")))?;
        if manifest.version != VERSION {
            return Err(bad(format!("format {} is of another carrier", manifest.version)));
        }
        for name in manifest.files.keys() {
            check_path(name).map_err(|reason| bad(format!("it lists `{name}`, which {reason}")))?;
        }
        Ok(Some(manifest))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Strings and one number: there is nothing in it that could fail.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// Whether a path may be written: below the folder, and the same on every machine.
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
            return Err("has a character that some machines do not allow in file names");
        }
        if part.eq_ignore_ascii_case(MANIFEST) || part.eq_ignore_ascii_case(super::write::STAGING) {
            return Err("has a name that carrier keeps for itself");
        }
    }
    Ok(())
}
