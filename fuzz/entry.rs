//! The functions of the fuzz targets. `tests/it/fuzz_seeds.rs` calls them with the
//! seeds, so that they stay correct.

use carrier::diagnostic::Diagnostics;
use carrier::paths::FieldPath;
use carrier::source::FileId;
use carrier::text::apply_suppressions;
use carrier::text::read;
use carrier::text::to_yaml;

/// Reads any bytes within the limits. A text without errors is written as YAML and
/// must be the same after reading it again.
pub(super) fn load(bytes: &[u8]) {
    // `files` rejects text that is not UTF-8.
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut diagnostics = Diagnostics::default();
    let documents = read(FileId(0), text, &mut diagnostics);
    for diagnostic in diagnostics.iter() {
        for label in diagnostic.primary.iter().chain(&diagnostic.labels) {
            let range = label.span.start as usize..label.span.end as usize;
            assert!(text.get(range).is_some(), "a place outside the text: {diagnostic:?}");
        }
    }
    let sound = !diagnostics.has_errors();
    let mut suppressions = Vec::new();
    for document in documents {
        if sound {
            let value = document.root.to_json();
            let written = to_yaml(&value);
            let mut again = Diagnostics::default();
            let reread = read(FileId(0), &written, &mut again);
            assert!(again.is_empty(), "{again:?}\n{written}");
            assert_eq!(reread.first().map(|d| d.root.to_json()), Some(value), "{written}");
        }
        suppressions.extend(document.suppressions);
    }
    let _ = apply_suppressions(diagnostics, &suppressions);
}

/// Parses any text as a path. A path must be the same after writing and parsing it again.
pub(super) fn paths(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(path) = FieldPath::parse(text) {
        let written = path.to_string();
        assert_eq!(FieldPath::parse(&written).ok(), Some(path), "{text:?} is written as {written:?}");
    }
}
