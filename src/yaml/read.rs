//! YAML text to trees, read exactly as Kubernetes reads it.
//!
//! The text is cut at its `---` lines, as kubectl cuts it, so that a broken
//! document takes no other with it. Each part goes through `granit-parser`,
//! whose events become [`Node`]s (`builder.rs`) with Kubernetes' meaning of every
//! scalar (`scalar.rs`), merge keys applied (`mapping.rs`) and aliases written out.
//!
//! What Kubernetes would read in silence as something other than what stands
//! there is refused here: duplicate keys, tags without meaning, text behind the
//! end of a document. Whatever the text, reading it ends, in bounded time and
//! memory, and never panics.

use std::ops::Range;

use super::builder::{Builder, Limits, Stop};
use super::suppress::Suppression;
use super::tree::{Node, Value};
use crate::model::codes::yaml as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::{FileId, Span};

/// The largest text that is read, in bytes.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// The deepest nesting of lists and mappings, aliases written out.
pub const MAX_DEPTH: usize = 128;
/// The most values in one file, aliases written out.
pub const MAX_NODES: usize = 1_000_000;
/// The most values that the aliases of one file may repeat.
pub const MAX_ALIAS_NODES: usize = 250_000;
/// The most bytes of strings that the aliases of one file may repeat.
pub const MAX_ALIAS_BYTES: usize = 32 * 1024 * 1024;

/// One document of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its value; never null, a null document is none.
    pub root: Node,
    /// Whether every value in it was understood. Where not, `null` stands in for
    /// what was refused: the object's name still counts, but a complaint about
    /// its fields would only follow from one already made.
    pub sound: bool,
    /// Its `# carrier: ignore[…]` comments, and those on the lines before it.
    pub suppressions: Vec<Suppression>,
}

/// Reads the documents of a file; empty ones are left out, and so are those that
/// break off, which are in `diagnostics` instead.
pub fn read(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Vec<Document> {
    read_all(file, text, diagnostics).documents
}

/// A file, read.
#[derive(Debug, Default)]
pub struct Text {
    /// Its documents.
    pub documents: Vec<Document>,
    /// The byte ranges of the parts that hold no readable document, which `diagnostics` explain.
    pub broken: Vec<Range<usize>>,
}

/// Reads the documents of a file, as [`read`] does, and keeps the ranges of the parts that could not be read.
pub fn read_all(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Text {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, the limit is {MAX_BYTES}", text.len());
        diagnostics.push(
            Diagnostic::new(&codes::TOO_LARGE, Span::file_start(file), message).help("split the file at a `---`"),
        );
        return Text { documents: Vec::new(), broken: std::iter::once(0..text.len()).collect() };
    }
    let mut limits = Limits { nodes: MAX_NODES, alias_nodes: MAX_ALIAS_NODES, alias_bytes: MAX_ALIAS_BYTES };
    line_separators(file, text, diagnostics);
    let comments = text.contains("carrier:");
    let mut documents = Vec::new();
    let mut broken = Vec::new();
    for part in parts(text) {
        if let Some((start, end)) = part.beside_separator {
            diagnostics.push(
                Diagnostic::new(&codes::SEPARATOR, Span::new(file, start, end), "text on the line of a `---`")
                    .help("put it on the next line"),
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

/// A stretch of text between two `---` lines.
struct Part {
    start: usize,
    end: usize,
    /// Text on the line of the `---` before it that is no comment.
    beside_separator: Option<(usize, usize)>,
}

/// Cuts the text where kubectl does: at every line that begins with `---`.
fn parts(text: &str) -> Vec<Part> {
    // A byte-order mark is no part of the first line; offsets count it.
    let begin = if text.starts_with('\u{feff}') { 3 } else { 0 };
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
            // A `#` that touches something begins no comment.
            let comment = trimmed.starts_with('#') && start > line_start + 3;
            let beside_separator = (!trimmed.is_empty() && !comment).then_some((start, start + trimmed.len()));
            parts.push(Part { start: line_end, end: text.len(), beside_separator });
        }
        line_start = line_end;
    }
    parts
}

/// U+0085, U+2028, U+2029: line breaks for Kubernetes, letters for the parser here.
fn line_separators(file: FileId, text: &str, diagnostics: &mut Diagnostics) {
    // Their UTF-8 begins with C2 or E2; most text has neither.
    if !text.bytes().any(|b| b == 0xC2 || b == 0xE2) {
        return;
    }
    for (at, c) in text.char_indices().filter(|(_, c)| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}')).take(100) {
        let message = format!("the character U+{:04X} ends a line for some YAML readers only", u32::from(c));
        let escape = match c {
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            _ => "\\P",
        };
        diagnostics.push(
            Diagnostic::new(&codes::LINE_SEPARATOR, Span::new(file, at, at + c.len_utf8()), message)
                .help(format!("remove it, or write `{escape}` between double quotes")),
        );
    }
}
