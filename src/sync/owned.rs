//! The parts of an object that somebody owns, by `metadata.managedFields` (KEP-555). Pure.
//!
//! "Set by somebody" means that it stands in somebody's managed fields: what only the API server's defaulting put into
//! an object is owned by nobody (`sync.md`).

use serde_json::{Map, Value};

use super::shape::Shape;
use crate::model::managed_fields::managers;

/// The part of an object that a manager has applied, with the live values: the fields of the object itself, or those
/// of its subresource. `None` where it applied nothing.
#[must_use]
pub(crate) fn applied_by(object: &Value, manager: &str, subresource: &str, shape: &Shape) -> Option<Value> {
    let entries = managers(object).filter(|m| m.name == manager && m.applies && m.subresource == subresource);
    let fields = union(entries.map(|m| m.fields))?;
    Some(part(object, &fields, shape))
}

/// The part of an object that anybody owns; the whole object where it has no managed fields at all, as after some
/// restores. Entries of subresources do not count.
#[must_use]
pub(crate) fn owned_by_anybody(object: &Value, shape: &Shape) -> Value {
    if managers(object).next().is_none() {
        return object.clone();
    }
    let entries = managers(object).filter(|m| m.subresource.is_empty());
    match union(entries.map(|m| m.fields)) {
        Some(fields) => part(object, &fields, shape),
        None => Value::Object(Map::new()),
    }
}

/// The managers, other than `ours`, that own the field at `path` (names of properties) or a part of it, sorted.
#[must_use]
pub(crate) fn owners<'o>(object: &'o Value, path: &[&str], ours: &str) -> Vec<&'o str> {
    let mut found: Vec<&str> = managers(object)
        .filter(|m| m.name != ours)
        .filter(|m| {
            let mut node = m.fields;
            path.iter().all(|name| match node.get(format!("f:{name}")) {
                Some(below) => {
                    node = below;
                    true
                }
                // A list or map that is owned as a whole owns what is in it.
                None => node.as_object().is_some_and(Map::is_empty),
            })
        })
        .map(|m| m.name)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Everything that at least one of several sets of fields has.
fn union<'f>(sets: impl Iterator<Item = &'f Value>) -> Option<Value> {
    let mut all: Option<Value> = None;
    for set in sets {
        match &mut all {
            None => all = Some(set.clone()),
            Some(all) => merge(all, set),
        }
    }
    all
}

fn merge(into: &mut Value, from: &Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else { return };
    for (key, value) in from {
        match into.get_mut(key) {
            Some(there) => merge(there, value),
            None => drop(into.insert(key.clone(), value.clone())),
        }
    }
}

/// The part of `value` that a set of fields names.
fn part(value: &Value, fields: &Value, shape: &Shape) -> Value {
    let children = || fields.as_object().into_iter().flatten().filter(|(key, _)| *key != ".");
    if children().next().is_none() {
        return match value {
            Value::Object(_) if !shape.is_owned_whole(value) => Value::Object(Map::new()),
            Value::Array(_) if !shape.is_owned_whole(value) => Value::Array(Vec::new()),
            value => value.clone(),
        };
    }
    match value {
        Value::Object(map) => {
            let named = children().filter_map(|(key, below)| {
                let name = key.strip_prefix("f:")?;
                let inner = map.get(name)?;
                Some((name.to_owned(), part(inner, below, shape.field(name).unwrap_or(&Shape::default()))))
            });
            Value::Object(named.collect())
        }
        Value::Array(items) => {
            let anything = Shape::default();
            let below = shape.items().unwrap_or(&anything);
            let named = items.iter().enumerate().filter_map(|(at, item)| {
                let (element, fields) = children().find(|(key, _)| names(key, at, item))?;
                let mut owned = part(item, fields, below);
                // The fields that identify an item belong to everyone who owns a part of it.
                if let (Some(keys), Value::Object(owned)) = (element.strip_prefix("k:"), &mut owned)
                    && let Ok(keys) = serde_json::from_str::<Map<String, Value>>(keys)
                {
                    owned.extend(keys);
                }
                Some(owned)
            });
            Value::Array(named.collect())
        }
        value => value.clone(),
    }
}

/// Whether an element of managed fields names this item of a list.
fn names(element: &str, at: usize, item: &Value) -> bool {
    let Some((kind, rest)) = element.split_at_checked(2) else { return false };
    match kind {
        "i:" => rest.parse() == Ok(at),
        "v:" => serde_json::from_str::<Value>(rest).is_ok_and(|value| value == *item),
        "k:" => serde_json::from_str::<Map<String, Value>>(rest)
            .is_ok_and(|keys| keys.iter().all(|(key, value)| item.get(key) == Some(value))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(manager: &str, operation: &str, subresource: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "subresource": subresource, "apiVersion": "v1", "fieldsV1": fields})
    }

    fn object() -> Value {
        json!({
            "metadata": {"labels": {"a": "1", "b": "2"}, "managedFields": [
                entry("ours", "Apply", "", &json!({"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {
                    ".": {}, "f:size": {}, "f:list": {}, "f:ports": {"k:{\"name\":\"x\"}": {".": {}, "f:name": {}}}}})),
                entry("ours", "Apply", "status", &json!({"f:status": {"f:phase": {}}})),
                entry("kubectl", "Update", "", &json!({"f:spec": {"f:extra": {}, "f:ports": {"k:{\"name\":\"y\"}": {}}}})),
            ]},
            "spec": {"size": 3, "list": [1, 2], "ports": [{"name": "y"}, {"name": "x", "port": 7}], "extra": "e", "defaulted": true},
            "status": {"phase": "Running"},
        })
    }

    #[test]
    fn what_a_manager_applied() {
        let shape = Shape::default();
        assert_eq!(
            applied_by(&object(), "ours", "", &shape),
            Some(
                json!({"metadata": {"labels": {"a": "1"}}, "spec": {"size": 3, "list": [1, 2], "ports": [{"name": "x"}]}})
            )
        );
        assert_eq!(applied_by(&object(), "ours", "status", &shape), Some(json!({"status": {"phase": "Running"}})));
        assert_eq!(applied_by(&object(), "kubectl", "", &shape), None, "an update is no apply");
    }

    #[test]
    fn what_defaulting_put_there_is_owned_by_nobody() {
        let mut object = object();
        let owned = owned_by_anybody(&object, &Shape::default());
        assert_eq!(
            owned["spec"],
            json!({"size": 3, "list": [1, 2], "ports": [{"name": "y"}, {"name": "x"}], "extra": "e"}),
        );
        object["metadata"]["managedFields"] = json!([]);
        assert_eq!(owned_by_anybody(&object, &Shape::default()), object);
    }

    #[test]
    fn who_else_owns_a_field() {
        assert_eq!(owners(&object(), &["spec", "extra"], "ours"), ["kubectl"]);
        assert_eq!(owners(&object(), &["spec", "size"], "ours"), [] as [&str; 0]);
        assert_eq!(owners(&object(), &["spec"], "ours"), ["kubectl"]);
    }
}
