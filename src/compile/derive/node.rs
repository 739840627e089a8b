//! A node that is visible in part, and what pruning it tells the nodes above.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::compile::schema;
use crate::model::path::{FieldPath, PathSet, Segment};

/// A node that is visible in part.
#[derive(Clone, Copy)]
pub(super) struct Node<'n> {
    /// Its schema in the base CRD.
    pub source: &'n Value,
    /// What of it is visible.
    pub set: &'n PathSet,
    /// What of it is preset.
    pub preset: Option<&'n PathSet>,
    /// Whether it is part of the status.
    pub in_status: bool,
    /// Whether a list or map above it has no limit, so that the server estimates how many items may fit.
    pub unbounded: bool,
    /// Whether it is part of a list or object that is replaced as a whole.
    pub replaced: bool,
    /// The keys of the list-map whose item this is; they stay required.
    pub keys: &'n [&'n str],
}

impl<'n> Node<'n> {
    /// The node behind a step.
    pub(super) fn child(&self, segment: &Segment, source: &'n Value, set: &'n PathSet) -> Self {
        let preset = self.preset.and_then(|p| p.children().find(|(s, _)| *s == segment).map(|(_, below)| below));
        let replaced = self.replaced || schema::is_atomic(self.source);
        Self { source, set, preset, replaced, keys: &[], ..*self }
    }
}

/// What a pruned node's ancestors must know of it.
#[derive(Default)]
pub(super) struct Pruned {
    /// Its schema.
    pub schema: Value,
    /// Fields that rules here and above must not use, by their path from here: those that are hidden, that lost their
    /// default or are no longer required, and those whose type changed.
    pub hidden: BTreeSet<FieldPath>,
    /// Fields that lead to unbounded lists or maps with items that got smaller.
    pub grown: BTreeSet<String>,
    /// Whether the node is such a list or map, or holds one without a field in between.
    pub is_grown: bool,
    /// Whether its default went.
    pub lost_default: bool,
    /// Whether it is of another type than in the base CRD.
    pub changed_type: bool,
}

impl Pruned {
    /// Adds what the ancestors of the child behind a step must know.
    pub(super) fn absorb(&mut self, step: &Segment, child: &Pruned) {
        let below = |path: &FieldPath| FieldPath([std::slice::from_ref(step), path.segments()].concat());
        self.hidden.extend(child.hidden.iter().map(below));
        self.grown.extend(child.grown.iter().cloned());
        match step {
            Segment::Property(name) => {
                if child.lost_default || child.changed_type {
                    self.hidden.insert(FieldPath::default().property(name));
                }
                if child.is_grown {
                    self.grown.insert(name.clone());
                }
            }
            Segment::Items | Segment::Values => {
                self.is_grown |= child.is_grown;
                self.changed_type |= child.changed_type;
            }
        }
    }
}

/// Whether the server would estimate that more items of the pruned schema fit in a request.
pub(super) fn smaller(source: &Value, pruned: &Value) -> bool {
    schema::least_size(pruned) < schema::least_size(source)
}
