//! Taking over from another field manager: its entries in the managed fields become carrier's.
//!
//! An object that kubectl, Flux or Argo CD has applied belongs to that manager as well, also after carrier has applied it: a
//! field that the repository no longer sets stays, because the other one still holds it, and a changed value is refused. If
//! the entries move to carrier, both end. This is what Flux's kustomize-controller does with the entries of kubectl.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::live::LiveObject;
use super::types::{Allowed, Change, FieldChange, FieldOp};
use super::words::{count, first};
use crate::model::managed_fields::{FIELD_MANAGER, Manager};
use crate::model::plain;

/// Takes over the entries of the named field manager in all objects.
pub(crate) const TAKE_OVER_FROM: &str = "--take-over-from";
/// What stays its manager's: without its finalizer an object is deleted though its controller has not done its part.
const KEPT: [&str; 2] = ["f:finalizers", "f:ownerReferences"];

/// The managers that are taken over.
#[must_use]
pub(crate) fn managers(allowed: &[Allowed]) -> Vec<String> {
    let given = allowed.iter().filter(|allowed| allowed.flag == TAKE_OVER_FROM);
    let mut names: Vec<String> = given.map(|allowed| allowed.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Whether a manager that a conflict names is taken over. A name with characters that names do not usually have is quoted there.
#[must_use]
pub(crate) fn is_from(manager: &str, from: &[String]) -> bool {
    from.iter().any(|name| plain::name(name) == manager)
}

/// A manager that a conflict names, as it is typed.
#[must_use]
pub(crate) fn typed(manager: &str) -> &str {
    let (open, close) = plain::QUOTES;
    manager.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).unwrap_or(manager)
}

/// Whether a change does nothing but take over: no value changes.
#[must_use]
pub(crate) fn is_all(change: &Change) -> bool {
    let is_quiet = change.fields.iter().all(is_quiet) && change.reasons.is_empty() && change.access.is_empty();
    is_quiet && !change.takes_over.is_empty() && change.conflicts.is_empty() && change.refused.is_none()
}

/// Whether a field that changes says nothing of the object: `kubectl apply` has noted in it what it applied.
#[must_use]
pub(crate) fn is_quiet(field: &FieldChange) -> bool {
    field.op == FieldOp::Remove
        && field.path == "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"
}

/// What is taken over in one cluster, in a sentence; `None` if nothing is.
#[must_use]
pub(crate) fn sentence(changes: &[&Change]) -> Option<String> {
    let names: BTreeSet<&str> = changes.iter().flat_map(|change| &change.takes_over).map(String::as_str).collect();
    let objects = changes.iter().filter(|change| !change.takes_over.is_empty()).count();
    let managers = first(names.iter().map(|name| plain::name(name).into_owned()), names.len(), usize::MAX);
    (objects > 0).then(|| {
        let what = count(objects, "object");
        format!("the fields of {managers} in {what} become carrier's, and what the repository does not set of them is removed")
    })
}

/// Whether an entry is one that moves. What is in a subresource, such as a status, is not applied by carrier.
#[must_use]
pub(crate) fn moves(manager: &Manager<'_>, from: &[String]) -> bool {
    let is_meant = from.iter().any(|name| name == manager.name) && manager.subresource.is_empty();
    is_meant && !manager.is_carrier() && split(manager.fields).0.as_object().is_some_and(|moved| !moved.is_empty())
}

/// The managers, among those that are taken over, that have fields of an object.
#[must_use]
pub(crate) fn taken_managers(live: &LiveObject, from: &[String]) -> Vec<String> {
    let mut names: Vec<String> =
        live.managers().filter(|manager| moves(manager, from)).map(|manager| manager.name.to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

/// The managed fields of an object as they are after the take-over; `None` if nothing moves.
#[must_use]
pub(crate) fn moved(object: &Value, from: &[String]) -> Option<Vec<Value>> {
    let live = LiveObject { body: object.clone() };
    if taken_managers(&live, from).is_empty() {
        return None;
    }
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array)?;
    let (mut ours, mut others): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for entry in entries {
        // Without fields it is no entry for the reader.
        let body = json!({"metadata": {"managedFields": [entry]}});
        let single = LiveObject { body };
        let Some(manager) = single.managers().next() else {
            others.push(entry.clone());
            continue;
        };
        if manager.is_carrier() {
            add(&mut ours, entry, manager.fields);
        } else if moves(&manager, from) {
            let (moved, kept) = split(manager.fields);
            add(&mut ours, entry, &moved);
            if kept.as_object().is_some_and(|kept| !kept.is_empty()) {
                let mut rest = entry.clone();
                rest["fieldsV1"] = kept;
                others.push(rest);
            }
        } else {
            others.push(entry.clone());
        }
    }
    ours.extend(others);
    Some(ours)
}

/// Adds fields to carrier's entry of the same version, which begins as a copy of another one.
fn add(ours: &mut Vec<Value>, entry: &Value, fields: &Value) {
    match ours.iter_mut().find(|own| own.get("apiVersion") == entry.get("apiVersion")) {
        Some(own) => merge(&mut own["fieldsV1"], fields),
        None => {
            let mut own = entry.clone();
            own["manager"] = json!(FIELD_MANAGER);
            own["operation"] = json!("Apply");
            own["fieldsV1"] = fields.clone();
            ours.push(own);
        }
    }
}

/// The union of two sets of fields.
fn merge(into: &mut Value, more: &Value) {
    let (Some(into), Some(more)) = (into.as_object_mut(), more.as_object()) else { return };
    for (key, below) in more {
        match into.get_mut(key) {
            Some(known) => merge(known, below),
            None => drop(into.insert(key.clone(), below.clone())),
        }
    }
}

/// The fields that move, and those that stay their manager's.
fn split(fields: &Value) -> (Value, Value) {
    let mut moved = fields.clone();
    let mut kept = Map::new();
    if let Some(metadata) = moved.get_mut("f:metadata").and_then(Value::as_object_mut) {
        let taken_out = KEPT.into_iter().filter_map(|key| Some((key.to_owned(), metadata.remove(key)?)));
        kept = taken_out.collect();
        if metadata.is_empty() || metadata.keys().all(|key| key == ".") {
            moved.as_object_mut().map(|fields| fields.remove("f:metadata"));
        }
    }
    let kept = if kept.is_empty() { json!({}) } else { json!({"f:metadata": kept}) };
    (moved, kept)
}

/// The result of a dry run as it would be after the take-over: without the fields of the managers that are taken over
/// which the repository does not set and nobody else has.
#[must_use]
pub(crate) fn after(mut would_be: Value, wanted: &Value, live: &LiveObject, from: &[String]) -> Value {
    let _ = removals(&mut would_be, wanted, live, from);
    would_be
}

/// Removes those fields from `value`; the JSON pointers of what was removed, in this order. Server-side apply would remove
/// them too once carrier owns them, and makes `null` of an object that becomes empty, which the schema may not allow.
pub(crate) fn removals(value: &mut Value, wanted: &Value, live: &LiveObject, from: &[String]) -> Vec<String> {
    let others: Vec<&Value> = live
        .managers()
        .filter(|manager| !manager.is_carrier() && !moves(manager, from))
        .map(|manager| manager.fields)
        .collect();
    let mut removed = Vec::new();
    for manager in live.managers().filter(|manager| moves(manager, from)) {
        remove(value, Some(wanted), &split(manager.fields).0, &others, ("", &mut removed));
    }
    removed
}

/// An object as a server returns it: without labels and annotations if there are none.
#[must_use]
pub(crate) fn without_empty(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, value| {
            let is_empty = value.as_object().is_some_and(Map::is_empty);
            !(is_empty && matches!(key.as_str(), "labels" | "annotations"))
        });
    }
    object
}

/// Removes from a value what `fields` has, and neither `wanted` nor any of `others`.
fn remove(
    value: &mut Value,
    wanted: Option<&Value>,
    fields: &Value,
    others: &[&Value],
    (at, removed): (&str, &mut Vec<String>),
) {
    let elements = fields.as_object().into_iter().flatten().filter(|(key, _)| *key != ".");
    let mut found: Vec<(usize, String, &String, &Value)> = elements
        .filter_map(|(key, below)| segment(value, key).map(|(index, name)| (index, name, key, below)))
        .collect();
    // From the end of a list, so that what is left keeps its position.
    found.sort_by_key(|(index, ..)| std::cmp::Reverse(*index));
    for (_, name, key, below) in found {
        let shared: Vec<&Value> = others.iter().filter_map(|other| other.get(key)).collect();
        let is_wanted = wanted.and_then(|wanted| child(wanted, key));
        let path = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        // Of these, what nobody holds stays, and what goes is listed one by one.
        let is_shared = at == "/metadata" && matches!(name.as_str(), "labels" | "annotations");
        if is_wanted.is_none() && shared.is_empty() && !is_shared {
            take_out(value, &name);
            removed.push(path);
        } else if let Some(inner) = inner(value, &name) {
            remove(inner, is_wanted, below, &shared, (&path, removed));
        }
    }
}

/// The position and the name, in a JSON pointer, of what an element of managed fields is about; `None` if it is not there.
fn segment(value: &Value, element: &str) -> Option<(usize, String)> {
    match (element.strip_prefix("f:"), value) {
        (Some(name), Value::Object(map)) => map.contains_key(name).then(|| (0, name.to_owned())),
        (None, Value::Array(list)) => position(list, element).map(|index| (index, index.to_string())),
        _ => None,
    }
}

fn inner<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(map) => map.get_mut(name),
        Value::Array(list) => list.get_mut(name.parse::<usize>().ok()?),
        _ => None,
    }
}

fn take_out(value: &mut Value, name: &str) {
    match value {
        Value::Object(map) => drop(map.remove(name)),
        Value::Array(list) => {
            if let Some(index) = name.parse().ok().filter(|index| *index < list.len()) {
                drop(list.remove(index));
            }
        }
        _ => {}
    }
}

/// The part of a value that an element of managed fields is about.
#[must_use]
pub(crate) fn child<'v>(value: &'v Value, element: &str) -> Option<&'v Value> {
    match (element.strip_prefix("f:"), value) {
        (Some(name), Value::Object(map)) => map.get(name),
        (None, Value::Array(list)) => list.get(position(list, element)?),
        _ => None,
    }
}

fn position(list: &[Value], element: &str) -> Option<usize> {
    let found = super::compare::item(list, element)?;
    list.iter().position(|item| std::ptr::eq(item, found))
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use super::*;

    fn live(entries: Value) -> LiveObject {
        LiveObject {
            body: json!({
                "apiVersion": "a/v1", "kind": "A",
                "metadata": {"name": "a", "labels": {"x": "y", "theirs": "z"}, "finalizers": ["k/f"], "managedFields": entries},
                "spec": {"kept": 1, "gone": 2, "shared": 3, "map": {"in": 1, "out": 2}, "list": [{"n": "a"}, {"n": "b"}]},
            }),
        }
    }

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "a/v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn example() -> LiveObject {
        let ours = json!({"f:spec": {"f:kept": {}}});
        let theirs = json!({"f:metadata": {"f:finalizers": {".": {}, "v:\"k/f\"": {}}, "f:labels": {".": {}, "f:theirs": {}}},
            "f:spec": {"f:kept": {}, "f:gone": {}, "f:shared": {}, "f:map": {".": {}, "f:in": {}, "f:out": {}},
                "f:list": {"k:{\"n\":\"a\"}": {".": {}, "f:n": {}}, "k:{\"n\":\"b\"}": {".": {}, "f:n": {}}}}});
        let status =
            json!({"manager": "kubectl", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}});
        live(json!([
            entry("carrier", "Apply", &ours),
            entry("kubectl", "Apply", &theirs),
            entry("helm", "Update", &json!({"f:spec": {"f:shared": {}}})),
            status,
        ]))
    }

    #[test]
    fn the_entries_of_the_manager_become_carriers() {
        let from = ["kubectl".to_owned()];
        assert_eq!(taken_managers(&example(), &from), ["kubectl"]);
        let moved = moved(&example().body, &from).expect("something moves");
        let names: Vec<String> = moved.iter().map(|e| format!("{} {}", e["manager"], e["operation"])).collect();
        let expected = ["carrier Apply", "kubectl Apply", "helm Update", "kubectl Update"];
        assert_eq!(names.join("\n").replace('"', "").lines().collect::<Vec<_>>(), expected);
        let ours = &moved[0]["fieldsV1"];
        assert!(
            ours["f:spec"]["f:gone"].is_object() && ours["f:metadata"]["f:labels"]["f:theirs"].is_object(),
            "{ours}"
        );
        assert!(ours["f:metadata"].get("f:finalizers").is_none(), "{ours}");
        // Only its finalizers are left of it.
        let left = json!({"f:metadata": {"f:finalizers": {".": {}, "v:\"k/f\"": {}}}});
        assert_eq!(moved[1]["fieldsV1"], left);
        // Done once, there is nothing left to do.
        let mut again = example();
        again.body["metadata"]["managedFields"] = json!(moved);
        assert_eq!(taken_managers(&again, &from), Vec::<String>::new());
        assert_eq!(super::moved(&again.body, &from), None);
        assert_eq!(super::moved(&example().body, &["flux".to_owned()]), None);
    }

    #[test]
    fn an_object_that_carrier_has_not_applied_gets_an_entry_of_its() {
        let fields = json!({"f:spec": {"f:kept": {}}});
        let client_side = entry("kubectl-client-side-apply", "Update", &fields);
        let moved = moved(&live(json!([client_side])).body, &["kubectl-client-side-apply".to_owned()]);
        assert_eq!(moved, Some(vec![entry("carrier", "Apply", &fields)]));
    }

    #[test]
    fn what_only_the_manager_has_goes_and_the_rest_stays() {
        let wanted = json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"},
            "spec": {"kept": 1, "map": {"in": 1}, "list": [{"n": "a"}]}});
        let live = example();
        let after = after(live.body.clone(), &wanted, &live, &["kubectl".to_owned()]);
        assert_eq!(after["spec"], json!({"kept": 1, "shared": 3, "map": {"in": 1}, "list": [{"n": "a"}]}));
        assert_eq!(after["metadata"]["finalizers"], json!(["k/f"]));
        let removed = removals(&mut live.body.clone(), &wanted, &live, &["kubectl".to_owned()]);
        assert_eq!(removed, ["/metadata/labels/theirs", "/spec/gone", "/spec/list/1", "/spec/map/out"]);
        assert_eq!(after["metadata"]["labels"], json!({"x": "y"}), "a label that nobody holds stays");
    }

    #[test]
    fn items_of_a_list_are_removed_from_its_end() {
        let keys: Map<String, Value> = ["a", "c", "d"].iter().map(|key| (format!("v:\"{key}\""), json!({}))).collect();
        let body = json!({"metadata": {"managedFields": [entry("kubectl", "Update", &json!({"f:set": keys}))]},
            "set": ["a", "b", "c", "d"]});
        let live = LiveObject { body };
        let mut value = live.body.clone();
        let removed = removals(&mut value, &json!({"set": ["c"]}), &live, &["kubectl".to_owned()]);
        assert_eq!((removed, &value["set"]), (vec!["/set/3".to_owned(), "/set/0".to_owned()], &json!(["b", "c"])));
    }
}
