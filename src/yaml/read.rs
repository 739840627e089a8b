//! Parses YAML text to trees, exactly as Kubernetes reads it.
//!
//! A text that begins with `{` is first read as JSON values, one after the other, as kubectl does
//! (`json.rs`). The rest is split at its `---` lines, as kubectl does, so that a syntax error
//! in one document does not affect the others. `granit-parser` parses each part;
//! its events become [`Node`]s (`builder.rs`) with Kubernetes' meaning of every
//! scalar (`scalar.rs`), merge keys applied (`mapping.rs`) and aliases expanded.
//!
//! Input that Kubernetes accepts with another meaning than the text suggests is an
//! error here: duplicate keys, unsupported tags, text after the end of a document.
//! Parsing any text terminates in bounded time and memory, and never panics.

use std::ops::Range;

use super::builder::{Builder, Stop};
use super::json::{self, Ended};
use super::limits::{Limits, MAX_ALIAS_BYTES, MAX_ALIAS_NODES, MAX_BYTES, MAX_NODES};
use super::suppress::Suppression;
use super::tree::{Node, Value};
use crate::model::codes::yaml as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::{FileId, Span};

/// One document of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its value. Null only if the document is not sound: an empty document is left out.
    pub root: Node,
    /// Whether no value was rejected. `null` replaces a rejected value: the name of
    /// the object can still be used, but errors about its fields would only follow
    /// from one that is already reported.
    pub sound: bool,
    /// The `# carrier: ignore[…]` comments in it and on the lines before it.
    pub suppressions: Vec<Suppression>,
}

/// Parses the documents of a file. Empty documents are left out, and so are documents
/// with a syntax error, which `diagnostics` reports.
pub fn read(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Vec<Document> {
    read_all(file, text, diagnostics).documents
}

/// The result of parsing a file.
#[derive(Debug, Default)]
pub(crate) struct Text {
    /// Its documents.
    pub documents: Vec<Document>,
    /// The byte ranges of the parts that cannot be parsed; each has a diagnostic.
    pub broken: Vec<Range<usize>>,
}

/// Parses the documents of a file, as [`read`] does, and returns the ranges of the parts that cannot be parsed.
pub(crate) fn read_all(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Text {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, the limit is {MAX_BYTES}", text.len());
        diagnostics.push(
            Diagnostic::new(&codes::TOO_LARGE, Span::file_start(file), message).help("split the file at a `---`"),
        );
        return Text { documents: Vec::new(), broken: std::iter::once(0..text.len()).collect() };
    }
    let mut limits = Limits { nodes: MAX_NODES, alias_nodes: MAX_ALIAS_NODES, alias_bytes: MAX_ALIAS_BYTES };
    let mut found = Text::default();
    let Some(begin) = json_values(file, text, &mut limits, &mut found, diagnostics) else { return found };
    let Text { mut documents, mut broken } = found;
    line_separators(file, text, begin, diagnostics);
    let comments = text.contains("carrier:");
    for part in parts(text, begin) {
        if let Some((start, end)) = part.beside_separator {
            diagnostics.push(
                Diagnostic::new(&codes::SEPARATOR, Span::new(file, start, end), "text after `---` on the same line")
                    .help("move it to the next line"),
            );
        }
        let mut builder = Builder::new(file, text, part.start, diagnostics, &mut limits);
        match builder.run(&text[part.start..part.end], comments) {
            Ok(()) => {
                let Builder { root, sound, suppressions, .. } = builder;
                if let Some(root) = root
                    && (root.value != Value::Null || !sound)
                {
                    documents.push(Document { root, sound, suppressions });
                }
            }
            Err(Stop::Document) => broken.push(part.start..part.end),
            Err(Stop::File) => {
                broken.push(part.start..text.len());
                break;
            }
        }
    }
    Text { documents, broken }
}

/// Reads the JSON values at the start of a text, if it begins with `{`. Returns the offset of the YAML after them;
/// `None` if the rest cannot be read. As for kubectl, what follows none or one of them may be YAML, and what follows
/// more must be JSON (`YAMLOrJSONDecoder.Decode` of k8s.io/apimachinery 0.37).
fn json_values(
    file: FileId,
    text: &str,
    limits: &mut Limits,
    found: &mut Text,
    diagnostics: &mut Diagnostics,
) -> Option<usize> {
    // A byte-order mark is not part of the first line, but offsets include it.
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    if !text[at..].trim_start().starts_with('{') {
        return Some(at);
    }
    let mut count = 0;
    loop {
        let start = json::after_space(text, at);
        if start == text.len() {
            return Some(start);
        }
        // The first scan finds out whether it is JSON, before anything is counted against the limits.
        let end = match (json::scan::<()>(text, start, |_, _| Ok(())), count) {
            (Ok(end), _) => end,
            (Err(_), 0) => return Some(at),
            // The white space before YAML is its indentation, unless it is the rest of a line.
            (Err(_), 1) => return Some(text[at..start].find('\n').map_or(start, |line| at + line + 1)),
            (Err(Ended::NotJson(place)), _) => {
                let message = "this is not JSON, and a file that begins with several JSON objects is read as JSON";
                let end = place + text[place..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
                diagnostics.push(
                    Diagnostic::new(&codes::SYNTAX, Span::new(file, place, end), message)
                        .help("fix the JSON, or put a line `---` between all objects of the file"),
                );
                found.broken.push(start..text.len());
                return None;
            }
            (Err(Ended::By(())), _) => return None,
        };
        let mut builder = Builder::new(file, text, 0, diagnostics, limits);
        match builder.run_json(start) {
            Ok(()) => {
                let Builder { root, sound, .. } = builder;
                let root = root.filter(|root| root.value != Value::Null || !sound);
                found.documents.extend(root.map(|root| Document { root, sound, suppressions: Vec::new() }));
            }
            Err(Stop::Document) => found.broken.push(start..end),
            Err(Stop::File) => {
                found.broken.push(start..text.len());
                return None;
            }
        }
        count += 1;
        at = end;
    }
}

/// The text between two `---` lines.
struct Part {
    start: usize,
    end: usize,
    /// The range of the text on the line of the preceding `---`, unless it is a comment.
    beside_separator: Option<(usize, usize)>,
}

/// Splits the text from `begin` on as kubectl does: at every line that begins with `---`.
fn parts(text: &str, begin: usize) -> Vec<Part> {
    let mut parts = vec![Part { start: begin, end: text.len(), beside_separator: None }];
    let mut line_start = begin;
    while line_start < text.len() {
        let line_end = text[line_start..].find('\n').map_or(text.len(), |i| line_start + i + 1);
        if text[line_start..].starts_with("---") {
            if let Some(last) = parts.last_mut() {
                last.end = line_start;
            }
            let rest = &text[line_start + 3..line_end];
            let trimmed = rest.trim_matches([' ', '\t', '\r', '\n']);
            let start = line_start + 3 + rest.find(trimmed).unwrap_or(0);
            // `#` starts a comment only after white space.
            let comment = trimmed.starts_with('#') && start > line_start + 3;
            let beside_separator = (!trimmed.is_empty() && !comment).then_some((start, start + trimmed.len()));
            parts.push(Part { start: line_end, end: text.len(), beside_separator });
        }
        line_start = line_end;
    }
    parts
}

/// Reports U+0085, U+2028 and U+2029: line breaks for Kubernetes, ordinary characters for `granit-parser`.
fn line_separators(file: FileId, text: &str, begin: usize, diagnostics: &mut Diagnostics) {
    // A fast path: their UTF-8 begins with C2 or E2, which most text does not contain.
    let rest = &text[begin..];
    if !rest.bytes().any(|b| b == 0xC2 || b == 0xE2) {
        return;
    }
    for (at, c) in rest.char_indices().filter(|(_, c)| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}')).take(100) {
        let at = begin + at;
        let message = format!("the character U+{:04X} is a line break for some YAML readers only", u32::from(c));
        let escape = match c {
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            _ => "\\P",
        };
        diagnostics.push(
            Diagnostic::new(&codes::LINE_SEPARATOR, Span::new(file, at, at + c.len_utf8()), message)
                .help(format!("remove it, or write `{escape}` in double quotes")),
        );
    }
}
