//! Diagnostics as one JSON document.
//!
//! The first six members of a diagnostic are a promise; more may be added.
//! `format_version` changes its first number when a program that reads the
//! document would have to change.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::place::Places;
use super::{Summary, severity_name};
use crate::model::diagnostic::{Diagnostic, Label};
use crate::model::source::Sources;

#[derive(Serialize)]
struct Document<'a> {
    format_version: &'static str,
    diagnostics: Vec<Entry<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'static str,
    severity: &'static str,
    file: Option<&'a str>,
    /// From 1; null where no line stands for it.
    line: Option<usize>,
    /// From 1, in Unicode scalar values.
    column: Option<usize>,
    message: &'a str,
    help: String,
    end_line: Option<usize>,
    end_column: Option<usize>,
    title: &'static str,
    notes: &'a [String],
    object: Option<&'a str>,
    path: Option<Cow<'a, str>>,
    labels: Vec<Place<'a>>,
}

/// A place in a file, or in an object of an API server.
#[derive(Serialize)]
#[serde(untagged)]
enum Place<'a> {
    File { file: &'a str, line: usize, column: usize, end_line: usize, end_column: usize, text: &'a str },
    Object { object: &'a str, path: String, text: &'a str },
}

/// Writes the document, with a final line break.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, list: &[Diagnostic], sources: &Sources) -> io::Result<()> {
    let places = Places::new(sources);
    let document = Document {
        format_version: "1.0",
        diagnostics: list.iter().map(|d| entry(d, &places)).collect(),
        summary: Summary::of(list, sources),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn entry<'a>(diagnostic: &'a Diagnostic, places: &Places<'a>) -> Entry<'a> {
    let mut entry = Entry {
        code: diagnostic.code.id,
        severity: severity_name(diagnostic.severity),
        file: None,
        line: None,
        column: None,
        message: &diagnostic.message,
        help: diagnostic.help.join("\n"),
        end_line: None,
        end_column: None,
        title: diagnostic.code.title,
        notes: &diagnostic.notes,
        object: diagnostic.object.as_deref(),
        path: diagnostic.path.as_deref().map(Cow::Borrowed),
        labels: diagnostic.labels.iter().map(|label| place(label, places)).collect(),
    };
    match diagnostic.primary.as_ref().map(|label| place(label, places)) {
        None => {}
        Some(Place::File { file, line, column, end_line, end_column, .. }) => {
            (entry.file, entry.line, entry.column) = (Some(file), Some(line), Some(column));
            (entry.end_line, entry.end_column) = (Some(end_line), Some(end_column));
        }
        Some(Place::Object { object, path, .. }) => {
            entry.object = Some(object);
            entry.path = Some(Cow::Owned(path));
        }
    }
    entry
}

fn place<'a>(label: &'a Label, places: &Places<'a>) -> Place<'a> {
    if let Some((object, path)) = places.in_object(label.span) {
        return Place::Object { object, path, text: &label.text };
    }
    let (start, end) = (places.start(label.span), places.end(label.span));
    Place::File {
        file: places.sources().path(label.span),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        text: &label.text,
    }
}
