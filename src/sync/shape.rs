//! The shape of a kind: what its schema says of the fields that a write may hold, and of how the server merges them.
//! Compiled once of a CRD, which is not kept. Pure.
//!
//! A server refuses an apply with a field that the schema does not have (500, `sync.md`), so what is written is cut to
//! the shape of its target. Lists that the server merges have no order of their own, so they are sorted before they are
//! compared.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::compile::schema;

/// What a schema says of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Shape {
    kind: Kind,
    nullable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Kind {
    /// Nothing is said: every value can be stored.
    #[default]
    Anything,
    /// Neither an object nor a list.
    Scalar,
    /// An object. `open` ones keep what is not in `fields`.
    Object { fields: BTreeMap<Box<str>, Shape>, open: bool, atomic: bool },
    /// An object whose keys are free.
    Map { values: Box<Shape>, atomic: bool },
    /// A list.
    List { items: Box<Shape>, merged: Merged },
}

/// How a list is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Merged {
    /// It is replaced as a whole.
    Not,
    /// By value.
    AsSet,
    /// By the values of these fields of its items.
    ByKeys(Vec<Box<str>>),
}

impl Shape {
    /// The shape that a schema describes.
    #[must_use]
    pub(crate) fn of(node: &Value) -> Self {
        let open = schema::flag(node, "x-kubernetes-preserve-unknown-fields");
        let atomic = node.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic");
        let kind = match schema::type_name(node) {
            "object" => match schema::values(node) {
                Some(values) => Kind::Map { values: Box::new(Self::of(values)), atomic },
                None if schema::flag(node, "additionalProperties") => {
                    Kind::Map { values: Box::new(Self::default()), atomic }
                }
                None => {
                    let mut fields: BTreeMap<Box<str>, Self> =
                        schema::properties(node).map(|(name, inner)| (name.as_str().into(), Self::of(inner))).collect();
                    if schema::is_embedded(node) {
                        // An object inside an object has these, whatever its schema lists.
                        for name in ["apiVersion", "kind", "metadata"] {
                            fields.entry(name.into()).or_default();
                        }
                    }
                    Kind::Object { fields, open, atomic }
                }
            },
            "array" => {
                let items = Box::new(schema::items(node).map(Self::of).unwrap_or_default());
                let merged = match schema::list_type(node) {
                    "set" => Merged::AsSet,
                    "map" => Merged::ByKeys(schema::list_map_keys(node).map(Into::into).collect()),
                    _ => Merged::Not,
                };
                Kind::List { items, merged }
            }
            "string" | "integer" | "number" | "boolean" => Kind::Scalar,
            _ => Kind::Anything,
        };
        Self { kind, nullable: schema::flag(node, "nullable") }
    }

    /// The shape of a field of an object; `None` where the object does not have it.
    #[must_use]
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        const ANYTHING: &Shape = &Shape { kind: Kind::Anything, nullable: false };
        match &self.kind {
            Kind::Object { fields, open, .. } => fields.get(name).or(open.then_some(ANYTHING)),
            Kind::Map { values, .. } => Some(values),
            Kind::Anything => Some(ANYTHING),
            Kind::Scalar | Kind::List { .. } => None,
        }
    }

    /// The shape of the items of a list.
    #[must_use]
    pub(crate) fn items(&self) -> Option<&Self> {
        match &self.kind {
            Kind::List { items, .. } => Some(items),
            _ => None,
        }
    }

    /// Whether a value without parts of its own in managed fields is owned as a whole. If not, it is an empty object
    /// or list that was applied, beside which others may own parts.
    #[must_use]
    pub(crate) fn is_owned_whole(&self, value: &Value) -> bool {
        match (&self.kind, value) {
            (Kind::Object { atomic, .. } | Kind::Map { atomic, .. }, Value::Object(_)) => *atomic,
            (Kind::List { merged, .. }, Value::Array(_)) => *merged == Merged::Not,
            // Untyped maps are merged and untyped lists are not.
            (_, Value::Object(_)) => false,
            _ => true,
        }
    }

    /// The part of `value` that the schema can store, and the fields that are not in it, as dotted paths.
    #[must_use]
    pub(crate) fn cut(&self, value: Value) -> (Value, Vec<String>) {
        let mut dropped = Vec::new();
        let kept = self.cut_at(value, &mut String::new(), &mut dropped);
        dropped.sort();
        dropped.dedup();
        (kept, dropped)
    }

    fn cut_at(&self, value: Value, at: &mut String, dropped: &mut Vec<String>) -> Value {
        match (&self.kind, value) {
            (Kind::Object { .. } | Kind::Map { .. } | Kind::Anything, Value::Object(map)) => {
                let mut kept = Map::new();
                for (key, inner) in map {
                    let length = at.len();
                    at.push('.');
                    at.push_str(&key);
                    match self.field(&key) {
                        // Anything goes below what no schema describes, nulls too.
                        Some(shape) if shape.kind == Kind::Anything => drop(kept.insert(key, inner)),
                        // A null that cannot be stored is refused, where the server would drop it on creation.
                        Some(shape) if inner.is_null() && !shape.nullable => {}
                        Some(shape) => {
                            let inner = shape.cut_at(inner, at, dropped);
                            kept.insert(key, inner);
                        }
                        None => dropped.push(at.clone()),
                    }
                    at.truncate(length);
                }
                Value::Object(kept)
            }
            (Kind::List { items, .. }, Value::Array(list)) => {
                let length = at.len();
                at.push_str("[]");
                let kept = list.into_iter().map(|item| items.cut_at(item, at, dropped)).collect();
                at.truncate(length);
                Value::Array(kept)
            }
            (_, value) => value,
        }
    }

    /// The same value with the lists that the server merges in one fixed order.
    #[must_use]
    pub(crate) fn canonical(&self, value: Value) -> Value {
        match (&self.kind, value) {
            (Kind::Object { .. } | Kind::Map { .. }, Value::Object(map)) => {
                let each = map.into_iter().map(|(key, inner)| {
                    let inner = match self.field(&key) {
                        Some(shape) => shape.canonical(inner),
                        None => inner,
                    };
                    (key, inner)
                });
                Value::Object(each.collect())
            }
            (Kind::List { items, merged }, Value::Array(list)) => {
                let mut list: Vec<Value> = list.into_iter().map(|item| items.canonical(item)).collect();
                match merged {
                    Merged::Not => {}
                    Merged::AsSet => list.sort_by_cached_key(Value::to_string),
                    Merged::ByKeys(keys) => list.sort_by_cached_key(|item| {
                        keys.iter().map(|key| item.get(&**key).map(Value::to_string)).collect::<Vec<_>>()
                    }),
                }
                Value::Array(list)
            }
            (_, value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shape() -> Shape {
        Shape::of(&json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "size": {"type": "integer"},
                "note": {"type": "string", "nullable": true},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
                "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": {"type": "string"}, "port": {"type": "integer"}}}},
                "zones": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "steps": {"type": "array", "items": {"type": "string"}},
                "inner": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {}},
            }},
        }}))
    }

    #[test]
    fn what_the_schema_lacks_is_cut_and_named() {
        let (kept, dropped) = shape().cut(json!({
            "spec": {"size": null, "note": null, "more": 1, "free": {"a": {"b": null}}, "labels": {"x": "y"},
                "ports": [{"name": "a", "weight": 1}, {"name": "b", "weight": 2}], "inner": {"kind": "A", "spec": {}}},
            "data": {},
        }));
        assert_eq!(
            kept,
            json!({"spec": {"note": null, "free": {"a": {"b": null}}, "labels": {"x": "y"},
                "ports": [{"name": "a"}, {"name": "b"}], "inner": {"kind": "A"}}})
        );
        assert_eq!(dropped, [".data", ".spec.inner.spec", ".spec.more", ".spec.ports[].weight"]);
    }

    #[test]
    fn merged_lists_have_one_order() {
        let of = |ports: Value, zones: Value| shape().canonical(json!({"spec": {"ports": ports, "zones": zones}}));
        assert_eq!(
            of(json!([{"name": "b"}, {"name": "a", "port": 1}]), json!(["z", "y"])),
            of(json!([{"name": "a", "port": 1}, {"name": "b"}]), json!(["y", "z"])),
        );
        let steps = json!({"spec": {"steps": ["b", "a"]}});
        assert_eq!(shape().canonical(steps.clone()), steps);
    }

    #[test]
    fn what_is_owned_as_a_whole() {
        let shape = shape();
        let spec = shape.field("spec").unwrap();
        let whole = |name: &str, value: Value| spec.field(name).unwrap().is_owned_whole(&value);
        assert!(!spec.is_owned_whole(&json!({"size": 1})));
        assert!(!whole("labels", json!({"a": "b"})));
        assert!(whole("whole", json!({"a": "b"})));
        assert!(!whole("zones", json!([])));
        assert!(whole("steps", json!(["a"])));
        assert!(whole("size", json!(1)));
        assert!(!whole("free", json!({})));
    }
}
