//! The fields of an object that others than sync own, by its `metadata.managedFields`: paths and managers, never
//! values. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::said;
use super::report::OwnedField;
use crate::model::managed_fields::managers;
use crate::model::path::{FieldPath, Segment};
use crate::sync::service::{FINALIZER_MANAGER, INTERNAL_MANAGER, SERVICE_MANAGER, STATUS_MANAGER};

/// The managers of sync.
const OURS: [&str; 4] = [INTERNAL_MANAGER, SERVICE_MANAGER, STATUS_MANAGER, FINALIZER_MANAGER];
/// So many fields are named; an object may have thousands.
const MOST: usize = 200;
/// What is no field of the kind's own.
const NOT_OF_THE_KIND: [&str; 4] = ["f:apiVersion", "f:kind", "f:metadata", "f:status"];

/// The fields that others own, sorted, and how many more there are.
#[must_use]
pub(super) fn of_others(object: &Value) -> (Vec<OwnedField>, usize) {
    let (mut ours, mut theirs) = (BTreeSet::new(), BTreeSet::new());
    for manager in managers(object).filter(|manager| manager.subresource.is_empty()) {
        let mut leaves = Vec::new();
        walk(manager.fields, &mut Vec::new(), &mut leaves);
        if OURS.contains(&manager.name) {
            ours.extend(leaves);
        } else {
            theirs.extend(leaves.into_iter().map(|leaf| (leaf, manager.name)));
        }
    }
    let all: BTreeSet<(FieldPath, &str, bool)> =
        theirs.into_iter().map(|(leaf, manager)| (path(&leaf), manager, ours.contains(&leaf))).collect();
    let more = all.len().saturating_sub(MOST);
    let shown = all.into_iter().take(MOST).map(|(path, manager, shared)| OwnedField {
        path: said(&path.to_string()),
        manager: said(manager),
        shared,
    });
    (shown.collect(), more)
}

/// Collects the paths of the leaves of a set of fields, as the elements of `FieldsV1`.
fn walk<'f>(node: &'f Value, at: &mut Vec<&'f str>, leaves: &mut Vec<Vec<&'f str>>) {
    let children = node.as_object().into_iter().flatten().filter(|(key, _)| *key != ".");
    let mut is_leaf = true;
    for (key, below) in children {
        if at.is_empty() && NOT_OF_THE_KIND.contains(&key.as_str()) {
            continue;
        }
        is_leaf = false;
        at.push(key);
        walk(below, at, leaves);
        at.pop();
    }
    if is_leaf && !at.is_empty() {
        leaves.push(at.clone());
    }
}

/// The path of a leaf. Items of lists are named by their values, which are not shown.
fn path(leaf: &[&str]) -> FieldPath {
    let segment =
        |element: &&str| element.strip_prefix("f:").map_or(Segment::Items, |name| Segment::Property(name.into()));
    FieldPath(leaf.iter().map(segment).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    #[test]
    fn fields_are_named_with_their_managers_and_without_values() {
        let entry = |manager: &str, subresource: &str, fields: Value| json!({"manager": manager, "operation": "Update", "subresource": subresource, "fieldsV1": fields});
        let object = json!({"metadata": {"managedFields": [
            entry(SERVICE_MANAGER, "", json!({"f:metadata": {"f:labels": {}}, "f:spec": {".": {}, "f:size": {}, "f:users": {"v:\"hunter2\"": {}}}})),
            entry("kubectl-edit", "", json!({"f:metadata": {"f:annotations": {"f:x": {}}}, "f:spec": {"f:size": {}, "f:extra": {}}})),
            entry("oper\nator", "", json!({"f:spec": {
                "f:ports": {"k:{\"name\":\"hunter2\"}": {".": {}, "f:port": {}}, "k:{\"name\":\"b\"}": {".": {}, "f:port": {}}},
                "f:users": {"v:\"hunter2\"": {}}, "f:map": {".": {}, "f:a.b": {}}, "f:whole": {".": {}}}})),
            entry("operator", "status", json!({"f:status": {"f:phase": {}}})),
        ]}});
        let (fields, more) = of_others(&object);
        let shown: Vec<(&str, &str, bool)> =
            fields.iter().map(|field| (field.path.as_str(), field.manager.as_str(), field.shared)).collect();
        assert_eq!(
            shown,
            [
                (".spec.extra", "kubectl-edit", false),
                (".spec.map['a.b']", "oper␊ator", false),
                (".spec.ports[].port", "oper␊ator", false),
                (".spec.size", "kubectl-edit", true),
                (".spec.users[]", "oper␊ator", true),
                (".spec.whole", "oper␊ator", false),
            ]
        );
        assert_eq!(more, 0);
        assert!(!format!("{fields:?}").contains("hunter2"));
    }

    #[test]
    fn so_many_are_named_and_all_are_counted() {
        let fields: Map<String, Value> = (0..MOST + 7).map(|at| (format!("f:x{at:03}"), json!({}))).collect();
        let object = json!({"metadata": {"managedFields": [{"manager": "m", "operation": "Apply", "fieldsV1": {"f:spec": fields}}]}});
        let (fields, more) = of_others(&object);
        assert_eq!((fields.len(), more), (MOST, 7));
        assert_eq!(of_others(&json!({})), (Vec::new(), 0));
    }
}
