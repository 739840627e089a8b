//! Builds the tree of one document from parser events: scalars, lists, anchors and
//! aliases. It enforces the limits of a file; `mapping.rs` adds pairs to mappings.
//!
//! The builder keeps its own stack, so that deeply nested text cannot overflow the
//! call stack.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, StructureStyle, Tag};

use super::json::{self, Ended, Token};
use super::limits::{Limits, MAX_ALIAS_NODES, MAX_DEPTH, MAX_NODES};
use super::mapping::{self, Key, MapFrame};
use super::scalar::{self, Scalar};
use super::suppress::{Suppression, comment};
use super::syntax;
use super::tree::{Node, Value};
use crate::model::codes::yaml as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::{FileId, Span};

/// What reading stops for: the rest of the document, or of the file. A diagnostic has been reported.
pub(super) enum Stop {
    Document,
    File,
}

/// A collection whose end has not been read.
pub(super) struct Frame {
    start: usize,
    /// The offset after its last child.
    end: usize,
    flow: bool,
    anchor: usize,
    pub(super) kind: FrameKind,
}

pub(super) enum FrameKind {
    Seq(Vec<Node>),
    Map(Box<MapFrame>),
}

/// A value with an anchor, and the cost of repeating it.
struct Anchored {
    node: Node,
    /// For a scalar: its type and text, which determine the key it becomes.
    scalar: Option<(Scalar, String)>,
    nodes: usize,
    bytes: usize,
    depth: usize,
}

pub(super) struct Builder<'a> {
    file: FileId,
    /// The whole file.
    text: &'a str,
    /// The offset in `text` of the part that is read.
    base: usize,
    diagnostics: &'a mut Diagnostics,
    limits: &'a mut Limits,
    anchors: HashMap<usize, Anchored>,
    pub(super) stack: Vec<Frame>,
    pub(super) root: Option<Node>,
    pub(super) sound: bool,
    pub(super) suppressions: Vec<Suppression>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        file: FileId,
        text: &'a str,
        base: usize,
        diagnostics: &'a mut Diagnostics,
        limits: &'a mut Limits,
    ) -> Self {
        Self {
            file,
            text,
            base,
            diagnostics,
            limits,
            anchors: HashMap::new(),
            stack: Vec::new(),
            root: None,
            sound: true,
            suppressions: Vec::new(),
        }
    }

    /// Reads `part`, the text between two separators. `comments`: whether to look for suppressions.
    pub(super) fn run(&mut self, part: &str, comments: bool) -> Result<(), Stop> {
        let options = granit_parser::options! {
            disallow_directives: true,
            emit_unresolved_aliases: true,
            bom_inside_document_as_content: true,
            // One more than the limit that `open` checks, which also counts the levels of aliases.
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
                    let before = self.text.get(self.base..span.start as usize).unwrap_or("");
                    self.check_before(before)?;
                    // A leading `...` ends an empty document.
                    if documents > 1 || before.lines().any(|line| line.starts_with("...")) {
                        self.report(
                            Diagnostic::new(&codes::TEXT_AFTER_END, span, "text after the end of the document")
                                .help("put a line `---` between two documents"),
                        );
                        return Err(Stop::Document);
                    }
                }
                Event::Scalar(text, style, anchor, tag) => {
                    self.count(span)?;
                    self.scalar(&text, style, anchor, tag.as_deref(), span)?;
                }
                Event::SequenceStart(style, anchor, tag) => {
                    self.count(span)?;
                    self.collection_tag("seq", tag.as_deref(), span);
                    self.open(FrameKind::Seq(Vec::new()), style, anchor, span)?;
                }
                Event::MappingStart(style, anchor, tag) => {
                    self.count(span)?;
                    self.collection_tag("map", tag.as_deref(), span);
                    self.open(FrameKind::Map(Box::default()), style, anchor, span)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
                Event::Alias(id) => self.alias(id, span)?,
                Event::UnresolvedAlias(name) => {
                    self.reject(
                        Diagnostic::new(&codes::ALIAS, span, format!("there is no anchor `&{name}` before this alias"))
                            .help(
                                "an anchor is valid in its own document only; write the value out, or quote the text",
                            ),
                    );
                    self.put_rejected(span);
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

    /// Reads the JSON value at the offset `at` of the text, which is known to be one.
    pub(super) fn run_json(&mut self, at: usize) -> Result<(), Stop> {
        let text = self.text;
        let scanned = json::scan(text, at, |token, range| {
            let written = &text[range.clone()];
            let span = Span::new(self.file, range.start, range.end);
            if token != Token::Close {
                self.count(span)?;
            }
            let scalar = match token {
                Token::OpenMap => {
                    return self.open(FrameKind::Map(Box::default()), StructureStyle::Flow, 0, span);
                }
                Token::OpenSeq => return self.open(FrameKind::Seq(Vec::new()), StructureStyle::Flow, 0, span),
                Token::Close => return self.close(span),
                Token::String => {
                    let text = json::unquote(written);
                    let node = Node { value: Value::String(text.clone()), span };
                    self.put(node, Some((&Scalar::Str, &text, false)));
                    return Ok(());
                }
                // A number that is too large for JSON readers is a string in YAML 1.1.
                Token::Number => match scalar::plain(written) {
                    Scalar::Str => Scalar::Float(f64::INFINITY),
                    number => number,
                },
                Token::Word => scalar::plain(written),
            };
            let value = scalar.into_value(written).unwrap_or_else(|| {
                let message = format!("JSON has no number `{written}`");
                self.reject(
                    Diagnostic::new(&codes::NOT_A_JSON_NUMBER, span, message)
                        .help(format!("write `\"{written}\"` if it is a string")),
                );
                Value::Null
            });
            self.put(Node { value, span }, None);
            Ok(())
        });
        match scanned {
            Err(Ended::By(stop)) => Err(stop),
            Err(Ended::NotJson(_)) => Err(Stop::Document),
            Ok(_) => Ok(()),
        }
    }

    /// Rejects a byte-order mark after the start of the file: some readers skip it, for others it is part of a key.
    fn check_before(&mut self, before: &str) -> Result<(), Stop> {
        let Some(at) = before.find('\u{feff}') else {
            return Ok(());
        };
        let at = self.base + at;
        let message = "a byte-order mark (U+FEFF) that is not at the start of the file";
        let span = Span::new(self.file, at, at + 3);
        self.report(Diagnostic::new(&codes::SYNTAX, span, message).help("remove this invisible character"));
        Err(Stop::Document)
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports a value that is not part of the document; the document is no longer sound.
    pub(super) fn reject(&mut self, diagnostic: Diagnostic) {
        self.sound = false;
        self.report(diagnostic);
    }

    fn syntax(&mut self, error: &granit_parser::ScanError) -> Stop {
        let at = (self.base + error.marker().byte_offset().unwrap_or(0)).min(self.text.len());
        let diagnostic = if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            too_deep(Span::new(self.file, at, at + 1))
        } else {
            let open = self.stack.last().filter(|frame| frame.flow).map(|frame| frame.start);
            syntax::diagnostic(self.file, self.text, at, error, open)
        };
        self.report(diagnostic);
        Stop::Document
    }

    /// Counts one value against the limit of the file.
    fn count(&mut self, span: Span) -> Result<(), Stop> {
        if self.limits.nodes == 0 {
            let message = format!("the file has more than {MAX_NODES} values");
            self.report(Diagnostic::new(&codes::TOO_LARGE, span, message).help("split the file at a `---`"));
            return Err(Stop::File);
        }
        self.limits.nodes -= 1;
        Ok(())
    }

    fn open(&mut self, kind: FrameKind, style: StructureStyle, anchor: usize, span: Span) -> Result<(), Stop> {
        if self.stack.len() >= MAX_DEPTH {
            self.report(too_deep(span));
            return Err(Stop::Document);
        }
        let flow = style == StructureStyle::Flow;
        self.stack.push(Frame { start: span.start as usize, end: span.end as usize, flow, anchor, kind });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), Stop> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        // The end event of a block collection comes after the blank lines that follow it.
        let end = if frame.flow { frame.end.max(span.end as usize) } else { frame.end };
        let value = match frame.kind {
            FrameKind::Seq(items) => Value::Seq(items),
            FrameKind::Map(map) => Value::Map(map.entries),
        };
        let node = Node { value, span: Span::new(self.file, frame.start, end) };
        self.define(frame.anchor, &node, None)?;
        self.put(node, None);
        Ok(())
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
        // The parser returns `~` for an omitted value.
        let text = if plain && span.start == span.end { "" } else { text };
        let span = self.trim(span, style);
        let merge_tag = tag.is_some_and(|t| t.suffix_in_namespace(NAMESPACE).is_some_and(|s| s == "merge"));
        // The tag `!` makes any scalar a string.
        let no_tag = tag.is_some_and(|t| t.original() == "!");
        let merge = text == "<<" && (merge_tag || no_tag || plain && tag.is_none());
        let scalar = match tag {
            Some(_) if merge_tag && merge && self.expects_key() => Scalar::Str,
            None if plain => scalar::plain(text),
            None => Scalar::Str,
            Some(_) if no_tag => Scalar::Str,
            Some(tag) => {
                let short = tag.suffix_in_namespace(NAMESPACE);
                let known = short.as_deref().filter(|t| matches!(*t, "str" | "int" | "float" | "bool" | "null"));
                let Some(known) = known else {
                    self.reject(unknown_tag(tag, self.tag_place(tag, span)));
                    self.put_rejected(span);
                    return Ok(());
                };
                let Some(scalar) = scalar::tagged(known, text) else {
                    let message = format!("the tag `!!{known}` does not match its value");
                    self.reject(
                        Diagnostic::new(&codes::TAG, self.tag_place(tag, span), message)
                            .label(span, "the value")
                            .help("remove the tag, or write a matching value"),
                    );
                    self.put_rejected(span);
                    return Ok(());
                };
                scalar
            }
        };
        // An infinity can be a key, but JSON has no such value.
        let Some(value) = scalar.clone().into_value(text) else {
            if !self.expects_key() {
                let message = format!("JSON has no number `{text}`");
                self.reject(
                    Diagnostic::new(&codes::NOT_A_JSON_NUMBER, span, message)
                        .help(format!("write `\"{text}\"` if it is a string")),
                );
            }
            let node = Node { value: Value::Null, span };
            self.define(anchor, &node, Some((scalar.clone(), text.to_owned())))?;
            self.put(node, Some((&scalar, text, false)));
            return Ok(());
        };
        let node = Node { value, span };
        if anchor != 0 {
            self.define(anchor, &node, Some((scalar.clone(), text.to_owned())))?;
        }
        self.put(node, Some((&scalar, text, merge)));
        Ok(())
    }

    /// A block scalar's span without the trailing line breaks and indentation.
    fn trim(&self, span: Span, style: ScalarStyle) -> Span {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return span;
        }
        let (start, end) = (span.start as usize, span.end as usize);
        let text = self.text.get(start..end).unwrap_or("");
        Span::new(self.file, start, start + text.trim_end().len())
    }

    fn collection_tag(&mut self, expected: &str, tag: Option<&Tag>, span: Span) {
        let Some(tag) = tag else { return };
        if tag.suffix_in_namespace(NAMESPACE).is_none_or(|t| t != expected) {
            self.reject(unknown_tag(tag, self.tag_place(tag, span)));
        }
    }

    /// The place of the tag of the value at `span`: before the value, with at most an anchor in between.
    fn tag_place(&self, tag: &Tag, span: Span) -> Span {
        let tag: &str = &tag.original();
        let before = self.text.get(..span.start as usize).unwrap_or("");
        match before.rfind(tag) {
            Some(at) if before[at + tag.len()..].split_whitespace().all(|word| word.starts_with('&')) => {
                Span::new(self.file, at, at + tag.len())
            }
            _ => span,
        }
    }

    /// Stores a value under its anchor. The copy counts like an alias, because nested
    /// anchors multiply in the same way.
    fn define(&mut self, anchor: usize, node: &Node, scalar: Option<(Scalar, String)>) -> Result<(), Stop> {
        if anchor == 0 {
            return Ok(());
        }
        let mut cost = Cost::default();
        cost.add(node, 1);
        self.count_alias(&cost, node.span)?;
        let Cost { nodes, bytes, depth } = cost;
        self.anchors.insert(anchor, Anchored { node: node.clone(), scalar, nodes, bytes, depth });
        Ok(())
    }

    fn count_alias(&mut self, cost: &Cost, span: Span) -> Result<(), Stop> {
        let left = (self.limits.alias_nodes.checked_sub(cost.nodes), self.limits.alias_bytes.checked_sub(cost.bytes));
        if let (Some(nodes), Some(bytes)) = left {
            self.limits.alias_nodes = nodes;
            self.limits.alias_bytes = bytes;
            return Ok(());
        }
        let message = format!("the aliases of this file repeat more than {MAX_ALIAS_NODES} values or 32 MiB of text");
        self.report(Diagnostic::new(&codes::ALIAS_BUDGET, span, message).help("write the values out"));
        Err(Stop::File)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        let Some(anchored) = self.anchors.get(&id) else {
            // The anchor exists, but its value is incomplete: the alias is inside it.
            self.reject(
                Diagnostic::new(&codes::ALIAS, span, "this alias is inside the value that it refers to")
                    .help("a Kubernetes object cannot contain itself; write the value out"),
            );
            self.put_rejected(span);
            return Ok(());
        };
        let cost = Cost { nodes: anchored.nodes, bytes: anchored.bytes, depth: anchored.depth };
        if self.stack.len() + cost.depth > MAX_DEPTH {
            self.report(too_deep(span));
            return Err(Stop::Document);
        }
        self.count_alias(&cost, span)?;
        let Some(anchored) = self.anchors.get(&id) else { return Ok(()) };
        let node = anchored.node.clone();
        let scalar = anchored.scalar.clone();
        self.extend(span);
        let put_at = scalar.as_ref().map(|(scalar, text)| (scalar, text.as_str(), false));
        self.put(node, put_at);
        Ok(())
    }

    /// Extends the collection being read to the end of `span`.
    fn extend(&mut self, span: Span) {
        if let Some(frame) = self.stack.last_mut() {
            frame.end = frame.end.max(span.end as usize);
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { kind: FrameKind::Map(map), .. }) if map.key.is_none())
    }

    fn put_rejected(&mut self, span: Span) {
        if self.expects_key() {
            self.extend(span);
            self.set_key(Key::Rejected);
            return;
        }
        self.put(Node { value: Value::Null, span }, None);
    }

    fn set_key(&mut self, key: Key) {
        if let Some(Frame { kind: FrameKind::Map(map), .. }) = self.stack.last_mut() {
            map.key = Some(key);
        }
    }

    /// Adds a complete value to the innermost collection. `scalar`: the type and text of a
    /// scalar, and whether it is the merge key if it is used as a key.
    fn put(&mut self, node: Node, scalar: Option<(&Scalar, &str, bool)>) {
        // The span of an alias is that of its anchor, which precedes the collection.
        if node.span.start >= self.stack.last().map_or(0, |f| u32::try_from(f.start).unwrap_or(u32::MAX)) {
            self.extend(node.span);
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        let map = match &mut frame.kind {
            FrameKind::Seq(items) => {
                items.push(node);
                return;
            }
            FrameKind::Map(map) => map,
        };
        match map.key.take() {
            None => {
                if let Some(warning) = mapping::bare_word(&node, scalar) {
                    self.report(warning);
                }
                let key = mapping::key(&node, scalar).unwrap_or_else(|diagnostic| {
                    self.reject(*diagnostic);
                    Key::Rejected
                });
                self.set_key(key);
            }
            Some(Key::Rejected) => {}
            Some(Key::Named(key, span)) => {
                if let Some(diagnostic) = map.pair(key, span, node) {
                    self.report(diagnostic);
                }
            }
            Some(Key::Merge(span)) => match map.merge(span, node) {
                Ok(warnings) => warnings.into_iter().for_each(|warning| self.report(warning)),
                Err(diagnostic) => self.reject(*diagnostic),
            },
        }
    }
}

const NAMESPACE: &str = "tag:yaml.org,2002:";

fn unknown_tag(tag: &Tag, span: Span) -> Diagnostic {
    let message = format!("Kubernetes does not support the tag `{}` here", tag.original());
    Diagnostic::new(&codes::TAG, span, message).help("remove the tag and write the value itself")
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::TOO_DEEP, span, format!("more than {MAX_DEPTH} levels of lists and mappings"))
        .help("look for a bracket that is not closed")
}

/// What repeating a value counts against the limits.
#[derive(Default)]
struct Cost {
    nodes: usize,
    bytes: usize,
    /// Levels of lists and mappings.
    depth: usize,
}

impl Cost {
    fn add(&mut self, node: &Node, depth: usize) {
        self.nodes += 1;
        if matches!(node.value, Value::Seq(_) | Value::Map(_)) {
            self.depth = self.depth.max(depth);
        }
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
