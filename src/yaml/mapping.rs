//! Adds pairs to mappings: conversion of keys to strings, duplicate keys, and the
//! merge key `<<`.

use std::collections::HashMap;

use super::scalar::Scalar;
use super::tree::{Entry, Node, Value};
use crate::model::codes::yaml as codes;
use crate::model::diagnostic::Diagnostic;
use crate::model::source::Span;

/// A mapping whose end has not been read.
#[derive(Default)]
pub(super) struct MapFrame {
    pub(super) entries: Vec<Entry>,
    /// Position of every key; empty for a few entries, where a linear search is faster.
    index: HashMap<String, usize>,
    /// Which entries `<<` has added; a later key may replace them.
    merged: Vec<bool>,
    pub(super) key: Option<Key>,
}

/// A key whose value has not been read.
pub(super) enum Key {
    Named(String, Span),
    Merge(Span),
    /// A key that was rejected; its value is dropped.
    Rejected,
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

    /// Adds a pair. A duplicate key is an error, and the first pair stays.
    pub(super) fn pair(&mut self, key: String, key_span: Span, node: Node) -> Option<Diagnostic> {
        match self.find(&key) {
            Some(at) if !self.merged[at] => {
                let first = self.entries[at].key_span;
                return Some(
                    Diagnostic::new(&codes::DUPLICATE_KEY, key_span, format!("duplicate key `{key}`"))
                        .at("again here")
                        .label(first, "first here")
                        .help("remove one of the two; kubectl would use the last"),
                );
            }
            Some(at) => {
                self.entries[at] = Entry { key, key_span, value: node };
                self.merged[at] = false;
            }
            None => self.push(Entry { key, key_span, value: node }, false),
        }
        None
    }

    /// Copies the pairs of a mapping, or of a list of mappings of which the first takes
    /// precedence. They replace earlier pairs of the mapping, as Kubernetes does; the
    /// result is a warning for each of these.
    pub(super) fn merge(&mut self, span: Span, node: Node) -> Result<Vec<Diagnostic>, Box<Diagnostic>> {
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
                let message = "`<<` needs a mapping, or a list of mappings";
                let diagnostic = Diagnostic::new(&codes::MERGE, node.span, message)
                    .label(span, "the merge key")
                    .help("to use `<<` as an ordinary key, quote it");
                return Err(Box::new(diagnostic));
            }
        };
        let mut replaced = Vec::new();
        for entry in maps.into_iter().flatten() {
            match self.find(&entry.key) {
                Some(at) => {
                    // No warning for an equal value, which real CRDs contain: nothing changes.
                    if !self.merged[at] && self.entries[at].value.to_json() != entry.value.to_json() {
                        replaced.push((entry.key.clone(), self.entries[at].key_span));
                    }
                    // From here on the key counts as merged: for Kubernetes a later
                    // pair with this key is not a duplicate.
                    self.merged[at] = true;
                    self.entries[at] = entry;
                }
                None => self.push(entry, true),
            }
        }
        let warning = |(key, first): (String, Span)| {
            Diagnostic::new(&codes::MERGE_OVERRIDES, span, format!("`<<` replaces the key `{key}` above it"))
                .label(first, "this value is lost in Kubernetes, but not in other YAML readers")
                .help("put `<<` first in its mapping")
        };
        Ok(replaced.into_iter().map(warning).collect())
    }
}

/// The warning for a key that is not a string as it is written, and becomes another one: `y`, `010`. `scalar` as for
/// [`key`].
pub(super) fn bare_word(node: &Node, scalar: Option<(&Scalar, &str, bool)>) -> Option<Diagnostic> {
    let (scalar, text, _) = scalar?;
    let name = scalar.key(text).filter(|name| name != text)?;
    let message = format!("the key `{text}` is read by Kubernetes as `{name}`");
    Some(
        Diagnostic::new(&codes::BARE_WORD, node.span, message)
            .help(format!("write `\"{text}\"` if it is meant as text")),
    )
}

/// Converts a complete node to a key. `scalar`: the type and text of a scalar, and whether it is the merge key.
pub(super) fn key(node: &Node, scalar: Option<(&Scalar, &str, bool)>) -> Result<Key, Box<Diagnostic>> {
    let rejected = |what: &str, help: &str| {
        Box::new(Diagnostic::new(&codes::KEY_NOT_A_STRING, node.span, format!("{what} cannot be a key")).help(help))
    };
    match scalar {
        Some((_, _, true)) => Ok(Key::Merge(node.span)),
        Some((scalar, text, _)) => {
            let what = if *scalar == Scalar::Null { "null" } else { "this number" };
            let name = scalar.key(text).ok_or_else(|| rejected(what, "quote it if it is a string"))?;
            Ok(Key::Named(name, node.span))
        }
        None => {
            let what = if matches!(node.value, Value::Seq(_)) { "a list" } else { "a mapping" };
            Err(rejected(what, "keys are strings; quote a template expression `{{ … }}`"))
        }
    }
}
