//! What a node of a schema says of the fields below it: which it describes, which it
//! keeps without describing them, and which an API server drops.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::compile::schema;

/// A node that accepts anything and keeps it.
pub(super) static OPEN: LazyLock<Value> = LazyLock::new(|| json!({ "x-kubernetes-preserve-unknown-fields": true }));

/// What `additionalProperties: true` says of values: they are kept, but what is in an object is dropped.
static SHALLOW: LazyLock<Value> = LazyLock::new(|| json!({}));

/// The fields that every Kubernetes object has, whatever its schema says.
pub(super) const OF_ALL_OBJECTS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// What a node says of a field below it.
#[derive(Debug, Clone)]
pub(super) enum Below<'a> {
    /// It has a schema.
    Described(Cow<'a, Value>),
    /// Any value of it is kept.
    Open,
    /// It is dropped.
    Closed,
}

/// A node, and whether it is a Kubernetes object: the root of a schema, or an embedded resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape<'a> {
    pub node: &'a Value,
    pub is_object: bool,
}

impl<'a> Shape<'a> {
    /// What the node says of its field `name`.
    pub(super) fn field(self, name: &str) -> Below<'a> {
        if self.is_object && OF_ALL_OBJECTS.contains(&name) {
            return Below::Described(Cow::Owned(self.of_all_objects(name)));
        }
        match schema::property(self.node, name) {
            Some(described) => Below::Described(Cow::Borrowed(described)),
            None => self.others(),
        }
    }

    /// What the node says of all fields that it does not name.
    pub(super) fn others(self) -> Below<'a> {
        match schema::values(self.node) {
            Some(described) => Below::Described(Cow::Borrowed(described)),
            None if has_shallow_values(self.node) => Below::Described(Cow::Borrowed(&SHALLOW)),
            None if is_open(self.node) => Below::Open,
            None => Below::Closed,
        }
    }

    /// A server checks the fields of all objects itself: a schema can only narrow them, and what it does not describe of
    /// `metadata` is kept all the same.
    fn of_all_objects(self, name: &str) -> Value {
        let described = schema::property(self.node, name).cloned();
        if name != "metadata" {
            return described.unwrap_or_else(|| json!({ "type": "string" }));
        }
        let mut metadata = described.unwrap_or_else(|| json!({ "type": "object" }));
        metadata["x-kubernetes-preserve-unknown-fields"] = json!(true);
        for name in ["name", "generateName"] {
            let properties = &mut metadata["properties"];
            if properties.get(name).is_none() {
                properties[name] = json!({ "type": "string" });
            }
        }
        metadata
    }
}

/// Whether a node keeps fields that it does not describe. What is no schema at all describes nothing.
pub(super) fn is_open(node: &Value) -> bool {
    !node.is_object() || schema::flag(node, "x-kubernetes-preserve-unknown-fields")
}

/// Whether server-side apply takes fields that the node does not describe. A server drops them when it reads the instance,
/// but it has stored them: it prunes what is created and updated, and not what is applied.
pub(super) fn is_loose(node: &Value, is_root: bool) -> bool {
    let describes_nothing = schema::properties(node).next().is_none() && schema::values(node).is_none();
    match schema::type_name(node) {
        "" => true,
        "object" => is_open(node) || describes_nothing && !is_root,
        _ => false,
    }
}

fn has_shallow_values(node: &Value) -> bool {
    schema::flag(node, "additionalProperties")
}

/// The schema of a list's items.
pub(super) fn items(node: &Value) -> Option<&Value> {
    match schema::type_name(node) {
        "array" => Some(schema::items(node).unwrap_or(&OPEN)),
        // What accepts anything accepts the same in a list.
        "" => Some(node),
        _ => None,
    }
}

/// Whether a server drops fields somewhere in a value of the node.
pub(super) fn drops_fields(node: &Value) -> bool {
    let can_be_object = matches!(schema::type_name(node), "object" | "");
    let drops_here = can_be_object && schema::values(node).is_none() && !is_open(node);
    drops_here || has_shallow_values(node) || schema::children(node).any(|(_, child)| drops_fields(child))
}

/// What a node is to a validation rule: values of different declarations compare and behave differently.
pub(super) fn declaration(node: &Value) -> Value {
    let text = |key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default();
    let format = if schema::type_name(node) == "string" { text("format") } else { "" };
    json!([
        schema::type_name(node),
        format,
        is_open(node),
        schema::is_embedded(node),
        schema::values(node).is_some(),
        schema::list_type(node),
        schema::list_map_keys(node).collect::<Vec<_>>(),
    ])
}
