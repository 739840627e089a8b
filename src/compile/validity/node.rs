//! Looks into the objects of `decode`, where types are right and what is empty is absent.
//!
//! What is asked of whole values stands in `compile::schema`; the rules here walk the objects themselves.

use serde_json::{Map, Value};

/// A CRD, a part of it, or a node of a schema.
pub(super) type Node = Map<String, Value>;

/// A string, if there is one.
pub(super) fn given<'n>(of: &'n Node, key: &str) -> Option<&'n str> {
    of.get(key).and_then(Value::as_str)
}

/// A string; empty if there is none.
pub(super) fn text<'n>(of: &'n Node, key: &str) -> &'n str {
    given(of, key).unwrap_or_default()
}

/// An object, if there is one.
pub(super) fn object<'n>(of: &'n Node, key: &str) -> Option<&'n Node> {
    of.get(key).and_then(Value::as_object)
}

/// A list; empty if there is none.
pub(super) fn list<'n>(of: &'n Node, key: &str) -> &'n [Value] {
    of.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The strings of a list.
pub(super) fn strings<'n>(of: &'n Node, key: &str) -> impl Iterator<Item = &'n str> + use<'n> {
    list(of, key).iter().filter_map(Value::as_str)
}

/// The objects of a list, with their indexes.
pub(super) fn objects<'n>(of: &'n Node, key: &str) -> impl Iterator<Item = (usize, &'n Node)> + use<'n> {
    list(of, key).iter().enumerate().filter_map(|(index, item)| Some((index, item.as_object()?)))
}

/// Whether a flag is set.
pub(super) fn is(of: &Node, key: &str) -> bool {
    of.get(key).and_then(Value::as_bool).unwrap_or(false)
}
