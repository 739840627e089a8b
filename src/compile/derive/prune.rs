//! Cutting a schema down to what is exposed (`derivation.md` R2–R8): the walk.
//!
//! A node is whole, partial or hidden. Whole nodes are copied as they are, except for defaults that the catalog gives.
//! Partial nodes keep the keywords that hold for their visible part, which `partial.rs` decides.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::defaults::{Rules, put_default};
use super::exposure::{Report, ValueAt};
use super::node::{Node, Pruned, smaller};
use super::partial;
use super::select::ALWAYS;
use crate::compile::schema;
use crate::model::path::{Exposed, FieldPath, PathSet, Segment};

/// What pruning needs beside the schema and the paths.
pub(super) struct Pruner<'a, 'r> {
    /// Collects the diagnostics.
    pub report: &'a mut Report<'r>,
    /// Hidden fields that a preset sets: unlike other hidden fields they are present.
    pub preset: &'a PathSet,
    /// The defaults that the catalog gives.
    pub defaults: &'a [ValueAt],
}

impl Pruner<'_, '_> {
    /// The schema of the visible part; `None` where nothing is visible.
    pub(super) fn root(&mut self, root: &Value, set: &PathSet) -> Option<Value> {
        let preset = self.preset.clone();
        let preset = Some(&preset);
        let node = Node { source: root, set, preset, in_status: false, unbounded: false, replaced: false, keys: &[] };
        self.node(node, &mut FieldPath::default()).map(|p| p.schema)
    }

    fn node(&mut self, node: Node<'_>, at: &mut FieldPath) -> Option<Pruned> {
        let (children, cut): (_, fn(&mut Self, _, &mut _, &mut _, &mut _) -> bool) =
            match schema::type_name(node.source) {
                "array" => ("items", Self::array),
                _ if schema::values(node.source).is_some() => ("additionalProperties", Self::map),
                _ => ("properties", Self::object),
            };
        // Without the children: what is visible of them is put in their place, and they may be most of the CRD.
        let keywords = node.source.as_object()?.iter().filter(|(key, _)| *key != children);
        let mut out: Map<String, Value> = keywords.map(|(key, value)| (key.clone(), value.clone())).collect();
        let mut pruned = Pruned::default();
        let visible = cut(self, node, at, &mut out, &mut pruned);
        if !visible {
            return None;
        }
        partial::Partial { report: self.report, node, at }.settle(&mut out, &mut pruned);
        pruned.schema = Value::Object(out);
        Some(pruned)
    }

    fn object(
        &mut self,
        node: Node<'_>,
        at: &mut FieldPath,
        out: &mut Map<String, Value>,
        pruned: &mut Pruned,
    ) -> bool {
        let mut visible = Map::new();
        let mut optional = BTreeSet::new();
        for (name, child) in schema::properties(node.source) {
            let segment = Segment::Property(name.clone());
            let result = match node.set.child(&segment) {
                Exposed::Hidden => None,
                Exposed::Whole => Some(self.whole(child, node, &segment, at)),
                Exposed::Partial(below) => {
                    let mut inner = node.child(&segment, child, below);
                    inner.in_status |= at.0.is_empty() && name == "status";
                    at.0.push(segment);
                    let result = self.node(inner, at);
                    at.0.pop();
                    result
                }
            };
            let Some(child) = result else {
                pruned.hidden.insert(FieldPath::default().property(name));
                continue;
            };
            pruned.absorb(&segment_of(name), &child);
            if child.lost_default {
                optional.insert(name.clone());
            }
            visible.insert(name.clone(), child.schema);
        }
        if schema::is_embedded(node.source) {
            // They need no description to be there, but an embedded object with no property at all is refused (R8).
            for (name, kind) in ALWAYS.into_iter().zip(["string", "string", "object"]) {
                visible.entry(name).or_insert_with(|| json!({ "type": kind }));
            }
        }
        let mut required = Vec::new();
        for name in schema::required(node.source).filter(|n| visible.contains_key(*n)) {
            if node.in_status && !node.keys.contains(&name) {
                // A part of a status must be storable at any time, so no rule may count on the field (R2).
                pruned.hidden.insert(FieldPath::default().property(name));
            } else if !optional.contains(name) {
                required.push(name.to_owned());
            }
        }
        schema::set_strings(out, "required", required);
        let any = !visible.is_empty();
        out.insert("properties".to_owned(), Value::Object(visible));
        any
    }

    fn map(&mut self, node: Node<'_>, at: &mut FieldPath, out: &mut Map<String, Value>, pruned: &mut Pruned) -> bool {
        let Some(value) = schema::values(node.source) else { return false };
        let endless = node.source.get("maxProperties").is_none();
        if let Exposed::Partial(below) = node.set.child(&Segment::Values) {
            let inner = Node { unbounded: node.unbounded || endless, ..node.child(&Segment::Values, value, below) };
            at.0.push(Segment::Values);
            let result = self.node(inner, at);
            at.0.pop();
            let Some(child) = result else { return false };
            pruned.absorb(&Segment::Values, &child);
            pruned.is_grown |= endless && smaller(value, &child.schema);
            out.insert("additionalProperties".to_owned(), child.schema);
            return true;
        }
        // One key of a map makes it an object with that property: both at once is refused by the server (R7).
        let mut visible = Map::new();
        for (segment, below) in node.set.children() {
            let Segment::Property(key) = segment else { continue };
            let result = match below.is_whole() {
                true => Some(self.whole(value, node, segment, at)),
                false => {
                    at.0.push(segment.clone());
                    let result = self.node(node.child(segment, value, below), at);
                    at.0.pop();
                    result
                }
            };
            if let Some(child) = result {
                pruned.absorb(segment, &child);
                visible.insert(key.clone(), child.schema);
            }
        }
        let required = schema::required(node.source).filter(|n| visible.contains_key(*n)).map(str::to_owned).collect();
        schema::set_strings(out, "required", if node.in_status { Vec::new() } else { required });
        let any = !visible.is_empty();
        out.insert("properties".to_owned(), Value::Object(visible));
        pruned.changed_type = true;
        any
    }

    fn array(&mut self, node: Node<'_>, at: &mut FieldPath, out: &mut Map<String, Value>, pruned: &mut Pruned) -> bool {
        let (Some(items), Exposed::Partial(below)) = (schema::items(node.source), node.set.child(&Segment::Items))
        else {
            return false;
        };
        let keys: Vec<&str> = schema::list_map_keys(node.source).collect();
        let endless = node.source.get("maxItems").is_none();
        let child = node.child(&Segment::Items, items, below);
        at.0.push(Segment::Items);
        let result = self.node(Node { unbounded: node.unbounded || endless, keys: &keys, ..child }, at);
        at.0.pop();
        let Some(child) = result else { return false };
        pruned.absorb(&Segment::Items, &child);
        pruned.is_grown |= endless && smaller(items, &child.schema);
        out.insert("items".to_owned(), child.schema);
        true
    }

    /// A node that is copied as it is, with the defaults that the catalog gives at or below it.
    ///
    /// The server holds a default against the rules at and below its field, which nothing here can; and a required
    /// field with a default makes items smaller. Rules that either concerns are dropped (R4).
    fn whole(&mut self, child: &Value, parent: Node<'_>, segment: &Segment, at: &mut FieldPath) -> Pruned {
        let mut pruned = Pruned { schema: child.clone(), ..Pruned::default() };
        at.0.push(segment.clone());
        for default in self.defaults.iter().filter(|d| at.is_prefix_of(&d.path.value)) {
            let below = &default.path.value.segments()[at.0.len()..];
            let many = below.iter().any(|s| matches!(s, Segment::Items | Segment::Values));
            let mut place = at.clone();
            let way = if many || parent.unbounded { Rules::Costlier } else { Rules::Stay };
            put_default(&mut pruned.schema, below, &default.value.value, way, &mut place, self.report);
            pruned.is_grown |= many;
        }
        at.0.pop();
        pruned
    }
}

fn segment_of(name: &str) -> Segment {
    Segment::Property(name.to_owned())
}
