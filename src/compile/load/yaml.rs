//! YAML text to trees, read exactly as Kubernetes reads it.
//!
//! The text is cut at its `---` lines, as kubectl cuts it, so that a broken
//! document takes no other with it. Each part goes through `granit-parser`,
//! whose events become [`Node`]s with Kubernetes' meaning of every scalar
//! (`scalar.rs`), merge keys applied and aliases written out.
//!
//! What Kubernetes would read in silence as something other than what stands
//! there is refused here: duplicate keys, tags without meaning, text behind the
//! end of a document. Whatever the text, reading it ends, in bounded time and
//! memory, and never panics.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, StructureStyle, Tag};

use super::scalar::{self, Scalar};
use super::suppress::{Suppression, comment};
use crate::model::codes::yaml as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::{FileId, Span};
use crate::model::tree::{Entry, Node, Value};

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
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, the limit is {MAX_BYTES}", text.len());
        diagnostics.push(
            Diagnostic::new(&codes::TOO_LARGE, Span::file_start(file), message).help("split the file at a `---`"),
        );
        return Vec::new();
    }
    let mut limits = Limits { nodes: MAX_NODES, alias_nodes: MAX_ALIAS_NODES, alias_bytes: MAX_ALIAS_BYTES };
    line_separators(file, text, diagnostics);
    let comments = text.contains("carrier:");
    let mut documents = Vec::new();
    for part in parts(text) {
        if let Some((start, end)) = part.beside_separator {
            diagnostics.push(
                Diagnostic::new(&codes::SEPARATOR, Span::new(file, start, end), "text on the line of a `---`")
                    .help("put it on the next line"),
            );
        }
        let mut reader = Reader {
            file,
            text,
            base: part.start,
            diagnostics,
            limits: &mut limits,
            anchors: HashMap::new(),
            stack: Vec::new(),
            root: None,
            sound: true,
            suppressions: Vec::new(),
        };
        match reader.run(&text[part.start..part.end], comments) {
            Ok(()) => {
                let Reader { root, sound, suppressions, .. } = reader;
                if let Some(root) = root
                    && (root.value != Value::Null || !sound)
                {
                    documents.push(Document { root, sound, suppressions });
                }
            }
            Err(Stop::Document) => {}
            Err(Stop::File) => break,
        }
    }
    documents
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
            let trimmed = rest.trim();
            let beside_separator = (!trimmed.is_empty() && !trimmed.starts_with('#')).then(|| {
                let start = line_start + 3 + (rest.len() - rest.trim_start().len());
                (start, start + trimmed.len())
            });
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
        diagnostics.push(
            Diagnostic::new(&codes::LINE_SEPARATOR, Span::new(file, at, at + c.len_utf8()), message)
                .help("remove it, or write it as an escape between double quotes"),
        );
    }
}

/// What is left of the limits of a file.
struct Limits {
    nodes: usize,
    alias_nodes: usize,
    alias_bytes: usize,
}

/// Why reading stops before the end; said in a diagnostic already.
enum Stop {
    Document,
    File,
}

/// A collection that is not complete yet.
struct Frame {
    start: usize,
    /// Where its last child ends.
    end: usize,
    flow: bool,
    anchor: usize,
    kind: FrameKind,
}

enum FrameKind {
    Seq(Vec<Node>),
    Map(Box<MapFrame>),
}

#[derive(Default)]
struct MapFrame {
    entries: Vec<Entry>,
    /// Position of every key, once there are so many that looking through them is slow.
    index: HashMap<String, usize>,
    /// Which entries came by `<<`, so may be written again.
    merged: Vec<bool>,
    key: Option<Key>,
}

/// A key whose value has not come yet.
enum Key {
    Named(String, Span),
    Merge(Span),
    /// A key that was complained about; its value is dropped.
    Refused,
}

/// A value with an anchor, ready to be repeated.
struct Anchored {
    node: Node,
    /// Of a scalar: what it is, for its use as a key.
    scalar: Option<(Scalar, String)>,
    nodes: usize,
    bytes: usize,
    depth: usize,
}

struct Reader<'a> {
    file: FileId,
    /// The whole file.
    text: &'a str,
    /// Where the part being read begins in it.
    base: usize,
    diagnostics: &'a mut Diagnostics,
    limits: &'a mut Limits,
    anchors: HashMap<usize, Anchored>,
    stack: Vec<Frame>,
    root: Option<Node>,
    sound: bool,
    suppressions: Vec<Suppression>,
}

impl Reader<'_> {
    fn run(&mut self, part: &str, comments: bool) -> Result<(), Stop> {
        let options = granit_parser::options! {
            disallow_directives: true,
            emit_unresolved_aliases: true,
            bom_inside_document_as_content: true,
            // One above, so that the limit that is met is the one here, which knows aliases too.
            flow_nesting_limit: MAX_DEPTH + 1,
            block_nesting_limit: MAX_DEPTH + 1,
            emit_comments: comments,
            max_buffered_comment_events: MAX_NODES,
        };
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(part, options) {
            let (event, span) = match event {
                Ok(pair) => pair,
                Err(error) => return Err(self.syntax(&error)),
            };
            let range = span.byte_range().unwrap_or(0..0);
            let span = Span::new(self.file, self.base + range.start, self.base + range.end);
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        self.complain(
                            Diagnostic::new(&codes::TEXT_BEHIND_END, span, "text behind the end of the document")
                                .help("put a line `---` between two documents"),
                        );
                        return Err(Stop::Document);
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.spend(span)?;
                    self.scalar(&text, style, anchor, tag.as_deref(), span)?;
                }
                Event::SequenceStart(style, anchor, tag) => {
                    self.spend(span)?;
                    self.collection_tag("seq", tag.as_deref(), span);
                    self.open(FrameKind::Seq(Vec::new()), style, anchor, span)?;
                }
                Event::MappingStart(style, anchor, tag) => {
                    self.spend(span)?;
                    self.collection_tag("map", tag.as_deref(), span);
                    self.open(FrameKind::Map(Box::default()), style, anchor, span)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
                Event::Alias(id) => self.alias(id, span)?,
                Event::UnresolvedAlias(name) => {
                    self.refuse(
                        Diagnostic::new(&codes::ALIAS, span, format!("there is no anchor `&{name}` before this alias"))
                            .help("anchors end with their document; write the value out, or quote the text"),
                    );
                    self.put_refused(span)?;
                }
                Event::Comment(text, _) => {
                    if let Some(suppression) = comment(self.text, span, &text, self.diagnostics) {
                        self.suppressions.push(suppression);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn complain(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Complains about a value that is then missing from the document.
    fn refuse(&mut self, diagnostic: Diagnostic) {
        self.sound = false;
        self.complain(diagnostic);
    }

    fn syntax(&mut self, error: &granit_parser::ScanError) -> Stop {
        let at = (self.base + error.marker().byte_offset().unwrap_or(0)).min(self.text.len());
        // Underline one character, or nothing at the end of a line.
        let length = self.text.get(at..).and_then(|t| t.chars().next()).filter(|c| !c.is_control());
        let span = Span::new(self.file, at, at + length.map_or(0, char::len_utf8));
        let diagnostic = match error.kind() {
            ErrorKind::RecursionLimitExceeded => too_deep(span),
            ErrorKind::DirectiveDisallowed => {
                Diagnostic::new(&codes::SYNTAX, span, "kubectl reads no `%` directives").help("remove the line")
            }
            ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
                Diagnostic::new(&codes::SYNTAX, span, "a tab indents this line").help("indent with spaces")
            }
            _ => Diagnostic::new(&codes::SYNTAX, span, format!("not YAML: {}", error.info()))
                .help("the rest of this document is not read; mend this place first"),
        };
        self.complain(diagnostic);
        Stop::Document
    }

    /// Counts one value.
    fn spend(&mut self, span: Span) -> Result<(), Stop> {
        if self.limits.nodes == 0 {
            let message = format!("the file has more than {MAX_NODES} values");
            self.complain(Diagnostic::new(&codes::TOO_LARGE, span, message).help("split the file at a `---`"));
            return Err(Stop::File);
        }
        self.limits.nodes -= 1;
        Ok(())
    }

    fn open(&mut self, kind: FrameKind, style: StructureStyle, anchor: usize, span: Span) -> Result<(), Stop> {
        if self.stack.len() >= MAX_DEPTH {
            self.complain(too_deep(span));
            return Err(Stop::Document);
        }
        let flow = style == StructureStyle::Flow;
        self.stack.push(Frame { start: span.start as usize, end: span.end as usize, flow, anchor, kind });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), Stop> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        // A block collection's end event lies behind the blank lines that follow it.
        let end = if frame.flow { frame.end.max(span.end as usize) } else { frame.end };
        let value = match frame.kind {
            FrameKind::Seq(items) => Value::Seq(items),
            FrameKind::Map(map) => Value::Map(map.entries),
        };
        let node = Node { value, span: Span::new(self.file, frame.start, end) };
        self.define(frame.anchor, &node, None)?;
        self.put(node, None)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Stop> {
        let plain = style == ScalarStyle::Plain;
        // The parser gives `~` for a value that was not written.
        let text = if plain && span.start == span.end { "" } else { text };
        let span = self.trim(span, style);
        let merge_tag = tag.is_some_and(|t| t.suffix_in_namespace(NAMESPACE).is_some_and(|s| s == "merge"));
        let merge = text == "<<" && (merge_tag || plain && tag.is_none());
        let scalar = match tag {
            Some(_) if merge_tag && merge && self.wants_key() => Scalar::Str,
            None if plain => scalar::plain(text),
            None => Scalar::Str,
            // `! text` says no more than: a string.
            Some(tag) if tag.handle().is_empty() && tag.suffix() == "!" || tag.original() == "!" => Scalar::Str,
            Some(tag) => {
                let short = tag.suffix_in_namespace(NAMESPACE);
                let known = short.as_deref().filter(|t| matches!(*t, "str" | "int" | "float" | "bool" | "null"));
                let Some(known) = known else {
                    self.refuse(unknown_tag(tag, span));
                    return self.put_refused(span);
                };
                let Some(scalar) = scalar::tagged(known, text) else {
                    let message = format!("the tag `!!{known}` does not fit this value");
                    self.refuse(
                        Diagnostic::new(&codes::TAG, span, message).help("remove the tag, or write a fitting value"),
                    );
                    return self.put_refused(span);
                };
                scalar
            }
        };
        // As a key an infinity has a name, as a value it is nothing.
        let Some(value) = scalar.clone().into_value(text) else {
            if !self.wants_key() {
                let message = format!("`{text}` is no number that JSON can hold");
                self.refuse(
                    Diagnostic::new(&codes::NOT_A_JSON_NUMBER, span, message)
                        .help(format!("write \"{text}\" if it is a string")),
                );
            }
            let node = Node { value: Value::Null, span };
            self.define(anchor, &node, Some((scalar.clone(), text.to_owned())))?;
            return self.put(node, Some((&scalar, text, false)));
        };
        let node = Node { value, span };
        if anchor != 0 {
            self.define(anchor, &node, Some((scalar.clone(), text.to_owned())))?;
        }
        self.put(node, Some((&scalar, text, merge)))
    }

    /// A block scalar's span without the line breaks and indents behind it.
    fn trim(&self, span: Span, style: ScalarStyle) -> Span {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return span;
        }
        let (start, end) = (span.start as usize, span.end as usize);
        let text = self.text.get(start..end).unwrap_or("");
        Span::new(self.file, start, start + text.trim_end().len())
    }

    fn collection_tag(&mut self, fitting: &str, tag: Option<&Tag>, span: Span) {
        let Some(tag) = tag else { return };
        if tag.suffix_in_namespace(NAMESPACE).is_none_or(|t| t != fitting) {
            self.refuse(unknown_tag(tag, span));
        }
    }

    /// Remembers a value under its anchor. The copy counts as an alias does:
    /// anchors inside anchors multiply too.
    fn define(&mut self, anchor: usize, node: &Node, scalar: Option<(Scalar, String)>) -> Result<(), Stop> {
        if anchor == 0 {
            return Ok(());
        }
        let mut cost = Cost::default();
        cost.add(node, 1);
        self.spend_alias(&cost, node.span)?;
        let Cost { nodes, bytes, depth } = cost;
        self.anchors.insert(anchor, Anchored { node: node.clone(), scalar, nodes, bytes, depth });
        Ok(())
    }

    fn spend_alias(&mut self, cost: &Cost, span: Span) -> Result<(), Stop> {
        let left = (self.limits.alias_nodes.checked_sub(cost.nodes), self.limits.alias_bytes.checked_sub(cost.bytes));
        if let (Some(nodes), Some(bytes)) = left {
            self.limits.alias_nodes = nodes;
            self.limits.alias_bytes = bytes;
            return Ok(());
        }
        let message = format!("the aliases of this file repeat more than {MAX_ALIAS_NODES} values or 32 MiB of text");
        self.complain(Diagnostic::new(&codes::ALIAS_BUDGET, span, message).help("write the values out"));
        Err(Stop::File)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        let Some(anchored) = self.anchors.get(&id) else {
            // The anchor exists, but its value is not complete: the alias stands in it.
            self.refuse(
                Diagnostic::new(&codes::ALIAS, span, "this alias stands inside the value it refers to")
                    .help("a Kubernetes object cannot contain itself; write the value out"),
            );
            return self.put_refused(span);
        };
        let cost = Cost { nodes: anchored.nodes, bytes: anchored.bytes, depth: anchored.depth };
        if self.stack.len() + cost.depth > MAX_DEPTH + 1 {
            self.complain(too_deep(span));
            return Err(Stop::Document);
        }
        self.spend_alias(&cost, span)?;
        let Some(anchored) = self.anchors.get(&id) else { return Ok(()) };
        let node = anchored.node.clone();
        let scalar = anchored.scalar.clone();
        self.touch(span);
        let put_at = scalar.as_ref().map(|(scalar, text)| (scalar, text.as_str(), false));
        self.put(node, put_at)
    }

    /// Extends the collection being read to the end of `span`.
    fn touch(&mut self, span: Span) {
        if let Some(frame) = self.stack.last_mut() {
            frame.end = frame.end.max(span.end as usize);
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { kind: FrameKind::Map(map), .. }) if map.key.is_none())
    }

    fn put_refused(&mut self, span: Span) -> Result<(), Stop> {
        if self.wants_key() {
            self.touch(span);
            self.set_key(Key::Refused);
            return Ok(());
        }
        self.put(Node { value: Value::Null, span }, None)
    }

    fn set_key(&mut self, key: Key) {
        if let Some(Frame { kind: FrameKind::Map(map), .. }) = self.stack.last_mut() {
            map.key = Some(key);
        }
    }

    /// Puts a complete value where it belongs. For a scalar: what it is, its
    /// text, and whether it is the merge key where it is a key.
    fn put(&mut self, node: Node, scalar: Option<(&Scalar, &str, bool)>) -> Result<(), Stop> {
        // An alias keeps the place of its anchor, which lies before the collection.
        if node.span.start >= self.stack.last().map_or(0, |f| u32::try_from(f.start).unwrap_or(u32::MAX)) {
            self.touch(node.span);
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let map = match &mut frame.kind {
            FrameKind::Seq(items) => {
                items.push(node);
                return Ok(());
            }
            FrameKind::Map(map) => map,
        };
        match map.key.take() {
            None => {
                let key = self.key(&node, scalar);
                self.set_key(key);
                Ok(())
            }
            Some(Key::Refused) => Ok(()),
            Some(Key::Named(key, key_span)) => {
                let written_before = map.find(&key);
                match written_before {
                    Some(at) if !map.merged[at] => {
                        let first = map.entries[at].key_span;
                        self.complain(
                            Diagnostic::new(&codes::DUPLICATE_KEY, key_span, format!("the key `{key}` stands twice"))
                                .at("again here")
                                .label(first, "first here")
                                .help("remove one of the two; kubectl would take the last"),
                        );
                    }
                    Some(at) => {
                        map.entries[at] = Entry { key, key_span, value: node };
                        map.merged[at] = false;
                    }
                    None => map.push(Entry { key, key_span, value: node }, false),
                }
                Ok(())
            }
            Some(Key::Merge(span)) => {
                self.merge(span, node);
                Ok(())
            }
        }
    }

    fn key(&mut self, node: &Node, scalar: Option<(&Scalar, &str, bool)>) -> Key {
        match scalar {
            Some((_, _, true)) => Key::Merge(node.span),
            Some((scalar, text, _)) => {
                if let Some(name) = scalar.key(text) {
                    return Key::Named(name, node.span);
                }
                let what = if *scalar == Scalar::Null { "null" } else { "this number" };
                self.refuse(
                    Diagnostic::new(&codes::KEY_NOT_A_STRING, node.span, format!("{what} cannot be a key"))
                        .help("write quotes around it if a string was meant"),
                );
                Key::Refused
            }
            None => {
                let what = if matches!(node.value, Value::Seq(_)) { "a list" } else { "a mapping" };
                self.refuse(
                    Diagnostic::new(&codes::KEY_NOT_A_STRING, node.span, format!("{what} cannot be a key"))
                        .help("keys are strings; `{{ … }}` of a template needs quotes"),
                );
                Key::Refused
            }
        }
    }

    /// Takes over the pairs of a mapping, or of a list of mappings of which the
    /// first wins. Earlier pairs of the same mapping are replaced: that is what
    /// Kubernetes does, and is warned of.
    fn merge(&mut self, span: Span, node: Node) {
        let maps: Vec<Vec<Entry>> = match node.value {
            Value::Map(entries) => vec![entries],
            Value::Seq(items) if items.iter().all(|i| matches!(i.value, Value::Map(_))) => items
                .into_iter()
                .rev()
                .filter_map(|item| match item.value {
                    Value::Map(entries) => Some(entries),
                    _ => None,
                })
                .collect(),
            _ => {
                self.refuse(
                    Diagnostic::new(&codes::MERGE, node.span, "`<<` needs a mapping, or a list of mappings")
                        .label(span, "the merge key")
                        .help("to use `<<` as an ordinary key, quote it"),
                );
                return;
            }
        };
        let mut replaced = Vec::new();
        if let Some(Frame { kind: FrameKind::Map(map), .. }) = self.stack.last_mut() {
            for entry in maps.into_iter().flatten() {
                match map.find(&entry.key) {
                    Some(at) => {
                        // Real CRDs merge the same value again; that misleads nobody.
                        if !map.merged[at] && map.entries[at].value.to_json() != entry.value.to_json() {
                            replaced.push((entry.key.clone(), map.entries[at].key_span));
                        }
                        // Written or not: after this the key counts as merged, so a
                        // later written one is no duplicate to Kubernetes' reading.
                        map.merged[at] = true;
                        map.entries[at] = entry;
                    }
                    None => map.push(entry, true),
                }
            }
        }
        for (key, first) in replaced {
            self.complain(
                Diagnostic::new(&codes::MERGE_OVERRIDES, span, format!("`<<` replaces the key `{key}` above it"))
                    .label(first, "this value is lost in Kubernetes, but not in other YAML readers")
                    .help("put `<<` first in its mapping"),
            );
        }
    }
}

impl MapFrame {
    fn find(&self, key: &str) -> Option<usize> {
        if self.index.is_empty() {
            return self.entries.iter().position(|e| e.key == key);
        }
        self.index.get(key).copied()
    }

    fn push(&mut self, entry: Entry, merged: bool) {
        const FEW: usize = 16;
        if !self.index.is_empty() {
            self.index.insert(entry.key.clone(), self.entries.len());
        }
        self.entries.push(entry);
        self.merged.push(merged);
        if self.entries.len() == FEW {
            self.index = self.entries.iter().enumerate().map(|(i, e)| (e.key.clone(), i)).collect();
        }
    }
}

const NAMESPACE: &str = "tag:yaml.org,2002:";

fn unknown_tag(tag: &Tag, span: Span) -> Diagnostic {
    let message = format!("the tag `{}` has no meaning here in Kubernetes", tag.original());
    Diagnostic::new(&codes::TAG, span, message).help("remove the tag and write the value itself")
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::TOO_DEEP, span, format!("more than {MAX_DEPTH} levels of lists and mappings"))
        .help("look for a bracket that is not closed")
}

/// How much a value is when it is repeated.
#[derive(Default)]
struct Cost {
    nodes: usize,
    bytes: usize,
    /// Levels of collections and the scalar at the bottom.
    depth: usize,
}

impl Cost {
    fn add(&mut self, node: &Node, depth: usize) {
        self.nodes += 1;
        self.depth = self.depth.max(depth);
        match &node.value {
            Value::String(s) => self.bytes += s.len(),
            Value::Seq(items) => items.iter().for_each(|i| self.add(i, depth + 1)),
            Value::Map(entries) => {
                for entry in entries {
                    self.bytes += entry.key.len();
                    self.add(&entry.value, depth + 1);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
