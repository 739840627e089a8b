//! How pairs come together in a mapping: keys that become strings, keys written
//! twice, and the merge key `<<`.

use std::collections::HashMap;

use super::builder::{Builder, Frame, FrameKind};
use super::scalar::Scalar;
use super::tree::{Entry, Node, Value};
use crate::model::codes::yaml as codes;
use crate::model::diagnostic::Diagnostic;
use crate::model::source::Span;

/// A mapping that is not complete yet.
#[derive(Default)]
pub(super) struct MapFrame {
    pub(super) entries: Vec<Entry>,
    /// Position of every key, once there are so many that looking through them is slow.
    index: HashMap<String, usize>,
    /// Which entries came by `<<`, so may be written again.
    merged: Vec<bool>,
    pub(super) key: Option<Key>,
}

/// A key whose value has not come yet.
pub(super) enum Key {
    Named(String, Span),
    Merge(Span),
    /// A key that was complained about; its value is dropped.
    Refused,
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

impl Builder<'_> {
    /// What a complete node is as a key.
    pub(super) fn key(&mut self, node: &Node, scalar: Option<(&Scalar, &str, bool)>) -> Key {
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

    /// Adds a pair that was written. A key written before is complained about, and the first stays.
    pub(super) fn pair(&mut self, key: String, key_span: Span, node: Node) {
        let Some(Frame { kind: FrameKind::Map(map), .. }) = self.stack.last_mut() else { return };
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
    }

    /// Takes over the pairs of a mapping, or of a list of mappings of which the
    /// first wins. Earlier pairs of the same mapping are replaced: that is what
    /// Kubernetes does, and is warned of.
    pub(super) fn merge(&mut self, span: Span, node: Node) {
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
