//! Diagnostics as one JSON document.
//!
//! The first six members of a diagnostic are a promise; more may be added.
//! `format_version` changes its first number when a program that reads the
//! document would have to change.

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
    path: Option<&'a str>,
    labels: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    text: &'a str,
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
    let at = diagnostic.primary.as_ref().map(|label| place(label, places));
    Entry {
        code: diagnostic.code.id,
        severity: severity_name(diagnostic.severity),
        file: at.as_ref().map(|p| p.file),
        line: at.as_ref().map(|p| p.line),
        column: at.as_ref().map(|p| p.column),
        message: &diagnostic.message,
        help: diagnostic.help.join("\n"),
        end_line: at.as_ref().map(|p| p.end_line),
        end_column: at.as_ref().map(|p| p.end_column),
        title: diagnostic.code.title,
        notes: &diagnostic.notes,
        object: diagnostic.object.as_deref(),
        path: diagnostic.path.as_deref(),
        labels: diagnostic.labels.iter().map(|label| place(label, places)).collect(),
    }
}

fn place<'a>(label: &'a Label, places: &Places<'a>) -> Place<'a> {
    let (start, end) = (places.start(label.span), places.end(label.span));
    Place {
        file: places.sources().path(label.span),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        text: &label.text,
    }
}
