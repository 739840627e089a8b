//! Invalid lines of ignore files, from the errors of the `ignore` crate.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ignore::Error;

/// A line of an ignore file that is not a valid pattern.
#[derive(Debug)]
pub(super) struct BadPattern {
    /// The file; empty if the error does not name it.
    pub file: PathBuf,
    /// The text of the file and the byte range of the line; `None` if the file cannot be read.
    pub place: Option<(String, Range<usize>)>,
    /// The pattern; `None` for an error that is not about a pattern.
    pub pattern: Option<String>,
    /// The message of the error.
    pub why: String,
}

/// The invalid lines that an error of a walk reports. Each other error in it becomes an entry without a pattern.
pub(super) fn bad_patterns(error: &Error) -> Vec<BadPattern> {
    let mut found = Vec::new();
    collect(error, Path::new(""), 0, &mut found);
    found
}

fn collect(error: &Error, file: &Path, line: u64, found: &mut Vec<BadPattern>) {
    match error {
        Error::Partial(errors) => errors.iter().for_each(|e| collect(e, file, line, found)),
        Error::WithPath { path, err } => collect(err, path, line, found),
        Error::WithLineNumber { line, err } => collect(err, file, *line, found),
        Error::WithDepth { err, .. } => collect(err, file, line, found),
        Error::Glob { glob, err } => {
            let place = place(file, line);
            found.push(BadPattern { file: file.to_owned(), place, pattern: glob.clone(), why: err.clone() });
        }
        other => {
            found.push(BadPattern { file: file.to_owned(), place: None, pattern: None, why: other.to_string() });
        }
    }
}

/// The text of the file and the byte range of a line, counted from 1.
fn place(file: &Path, line: u64) -> Option<(String, Range<usize>)> {
    let text = fs::read_to_string(file).ok()?;
    let mut start = 0;
    for (i, content) in text.split_inclusive('\n').enumerate() {
        if i as u64 + 1 == line {
            let end = start + content.trim_end().len();
            return Some((text, start..end));
        }
        start += content.len();
    }
    None
}
