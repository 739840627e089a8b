//! What the tests of both binaries share: golden files, documents, an example repository.

pub(crate) mod documents;
pub(crate) mod example;

use std::fs;
use std::path::{Path, PathBuf};

/// A path in the package.
pub(crate) fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Holds `actual` against the file at `path` in the package. With
/// `CARRIER_UPDATE=1` in the environment the file is written instead.
pub(crate) fn golden(path: &str, actual: &str) {
    let file = package(path);
    if std::env::var_os("CARRIER_UPDATE").is_some_and(|v| v == "1") {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, actual).unwrap();
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    if expected != actual {
        let diff = similar::TextDiff::from_lines(expected.as_str(), actual);
        panic!(
            "{path} differs from what carrier does now; CARRIER_UPDATE=1 rewrites it\n{}",
            diff.unified_diff().context_radius(2).header("the file", "now")
        );
    }
}
