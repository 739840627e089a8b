//! Whether applying an object would change it, without a request.
//!
//! The managed fields of a live object list the fields that carrier applied. If they
//! are the fields of the wanted object and the values are equal, applying it changes
//! nothing. In doubt, the objects count as different, and a dry run decides.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::live::LiveObject;
use crate::model::digest::sha256;
use crate::model::keys::SYSTEM_NAMESPACE;

/// The result of comparing a wanted object with the live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The object does not exist.
    Absent,
    /// Applying it would change nothing.
    Same,
    /// Applying it may change something.
    Differs,
}

/// Compares a wanted object, which has the label of its inventory, with the live one.
///
/// `Same` means that every wanted field has its value and carrier owns it, and that carrier owns no other field.
/// The namespace `kubecarrier-system` is shared, so that it is the same wherever it exists.
#[must_use]
pub fn compare(wanted: &Value, live: Option<&LiveObject>) -> Comparison {
    let Some(live) = live else { return Comparison::Absent };
    if is_system_namespace(wanted) && !live.is_terminating() {
        return Comparison::Same;
    }
    let api_version = wanted.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let mut ours = live.managers().filter(crate::model::managed_fields::Manager::is_carrier);
    // After a change of the API version there may be an entry for each version.
    let entry = match (ours.next(), ours.next()) {
        (Some(entry), None) => entry,
        // Who applies no field owns none: such an object is the same wherever it exists.
        (None, _) if has_name_alone(wanted) && !live.is_terminating() => return Comparison::Same,
        _ => return Comparison::Differs,
    };
    let same = !live.is_terminating()
        && entry.api_version == api_version
        && live.body.get("apiVersion") == wanted.get("apiVersion")
        && is_same_object(wanted, &live.body, entry.fields);
    if same { Comparison::Same } else { Comparison::Differs }
}

/// Whether it is a ServiceAccount of which nothing is wanted but that it exists, such as the one that repositories share.
fn has_name_alone(wanted: &Value) -> bool {
    let keys = |value: Option<&Value>, known: &[&str]| {
        value.and_then(Value::as_object).is_some_and(|map| map.keys().all(|key| known.contains(&key.as_str())))
    };
    // Namespaces are an object of their own: those of tenants have labels.
    wanted.get("kind").and_then(Value::as_str) == Some("ServiceAccount")
        && keys(Some(wanted), &["apiVersion", "kind", "metadata"])
        && keys(wanted.get("metadata"), &["name", "namespace"])
}

/// Whether it is the namespace `kubecarrier-system`. It is created if it does not exist, belongs to no inventory and
/// is never deleted, because other programs and repositories use it too.
#[must_use]
pub(crate) fn is_system_namespace(body: &Value) -> bool {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    text("/kind") == Some("Namespace")
        && text("/apiVersion") == Some("v1")
        && text("/metadata/name") == Some(SYSTEM_NAMESPACE)
}

/// Whether a dry run changed neither a value nor the fields that carrier owns. The status and the metadata that the
/// server writes do not count.
#[must_use]
pub fn same_after_dry_run(live: &Value, would_be: &Value) -> bool {
    without_server_fields(live) == without_server_fields(would_be) && owned(live) == owned(would_be)
}

/// The fields that carrier owns, sorted so that the order of the entries does not matter.
fn owned(body: &Value) -> Vec<Value> {
    let live = LiveObject { body: body.clone() };
    let mut owned: Vec<Value> = live
        .managers()
        .filter(crate::model::managed_fields::Manager::is_carrier)
        .map(|manager| manager.fields.clone())
        .collect();
    owned.sort_by_key(Value::to_string);
    owned
}

/// An object without its status and the metadata that the server writes.
#[must_use]
pub(crate) fn without_server_fields(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(object) = body.as_object_mut() {
        object.remove("status");
        if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
            for key in SERVER_METADATA {
                metadata.remove(key);
            }
        }
    }
    body
}

/// A digest of what an object says: of all but its status and the metadata that the server writes.
#[must_use]
pub(crate) fn content(body: &Value) -> String {
    let mut body = without_server_fields(body);
    if let Some(object) = body.as_object_mut() {
        // The items of a list do not say of what kind they are.
        object.retain(|key, _| key != "apiVersion" && key != "kind");
    }
    format!("sha256:{}", sha256(body.to_string().as_bytes()))
}

/// The metadata that the server writes.
const SERVER_METADATA: [&str; 8] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
];

/// The same as [`is_same`] for a whole object, whose managed fields do not contain `apiVersion`, `kind`, name and
/// namespace. Nothing is copied, because a CRD may be a megabyte.
fn is_same_object(wanted: &Value, live: &Value, fields: &Value) -> bool {
    let (Some(wanted), Some(live), Some(fields)) = (wanted.as_object(), live.as_object(), fields.as_object()) else {
        return false;
    };
    let named = |key: &str| matches!(key, "name" | "namespace");
    let metadata = wanted.get("metadata").and_then(Value::as_object);
    let has_metadata = metadata.is_some_and(|metadata| metadata.keys().any(|key| !named(key)));
    let skipped = |key: &str| matches!(key, "apiVersion" | "kind") || key == "metadata" && !has_metadata;
    let same = |key: &str, value: &Value, below: &Value| match (key, metadata, live.get(key)) {
        ("metadata", Some(metadata), Some(Value::Object(live))) => {
            let is_same =
                |key: &str, value: &Value, below: &Value| live.get(key).is_some_and(|live| is_same(value, live, below));
            below.as_object().is_some_and(|below| are_same(metadata, below, named, is_same))
        }
        (_, _, Some(live)) => is_same(value, live, below),
        _ => false,
    };
    are_same(wanted, fields, skipped, same)
}

/// Whether the owned entries are exactly those of `wanted` that are not skipped, and each of them is the same.
fn are_same(
    wanted: &Map<String, Value>,
    fields: &Map<String, Value>,
    skipped: impl Fn(&str) -> bool,
    same: impl Fn(&str, &Value, &Value) -> bool,
) -> bool {
    let counted = wanted.keys().filter(|key| !skipped(key)).count();
    let mut owned = fields.iter().filter(|(key, _)| *key != ".");
    counted == owned.clone().count()
        && owned.all(|(key, below)| {
            let name = key.strip_prefix("f:").filter(|name| !skipped(name));
            name.is_some_and(|name| wanted.get(name).is_some_and(|value| same(name, value, below)))
        })
}

/// Whether `fields` owns exactly the fields of `wanted`, and these have the live values.
fn is_same(wanted: &Value, live: &Value, fields: &Value) -> bool {
    let Some(fields) = fields.as_object() else { return false };
    let mut parts = fields.iter().filter(|(key, _)| *key != ".").peekable();
    let Some((first, _)) = parts.peek() else {
        // A leaf: a scalar, or an atomic list or map.
        return !wanted.is_null() && equal(wanted, live);
    };
    match (first.get(..2), wanted, live) {
        (Some("f:"), Value::Object(wanted), Value::Object(live)) => {
            let owned = parts.clone().count();
            owned == wanted.len()
                && parts.all(|(key, below)| {
                    let Some(name) = key.strip_prefix("f:") else { return false };
                    matches!((wanted.get(name), live.get(name)), (Some(w), Some(l)) if is_same(w, l, below))
                })
        }
        (Some("k:" | "v:" | "i:"), Value::Array(wanted), Value::Array(live)) => {
            let owned = parts.clone().count();
            owned == wanted.len()
                && parts.all(|(key, below)| {
                    matches!((item(wanted, key), item(live, key)), (Some(w), Some(l)) if is_same(w, l, below))
                })
        }
        _ => false,
    }
}

/// The item of a list that an element of managed fields identifies; `None` if no item or more than one matches.
pub(crate) fn item<'a>(list: &'a [Value], element: &str) -> Option<&'a Value> {
    let (kind, rest) = element.split_at_checked(2)?;
    if kind == "i:" {
        return list.get(rest.parse::<usize>().ok()?);
    }
    let key: Value = serde_json::from_str(rest).ok()?;
    let is_meant = |item: &&Value| match (kind, &key) {
        ("k:", Value::Object(keys)) => {
            keys.iter().all(|(name, value)| item.get(name).is_some_and(|own| equal(own, value)))
        }
        ("v:", value) => equal(item, value),
        _ => false,
    };
    let mut meant = list.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// Equality of JSON values in which `1` and `1.0` are equal: the server returns `1` for `1.0` in a schema.
#[must_use]
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.is_f64() || b.is_f64()) && a.as_f64().is_some() && a.as_f64() == b.as_f64()
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// A text that two JSON values share if they are [`equal`]: lists of thousands of values are compared in linear time.
#[must_use]
pub(crate) fn key(value: &Value) -> String {
    fn write(value: &Value, text: &mut String) {
        match value {
            // The text of a whole number in floating point has no fraction.
            Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
                // The sum has no negative zero.
                Some(float) => text.push_str(&(float + 0.0).to_string()),
                None => text.push_str(&number.to_string()),
            },
            Value::Array(list) => {
                text.push('[');
                for item in list {
                    write(item, text);
                    text.push(',');
                }
                text.push(']');
            }
            Value::Object(map) => {
                text.push('{');
                for (name, value) in map.iter().collect::<BTreeMap<_, _>>() {
                    text.push_str(&Value::from(name.as_str()).to_string());
                    text.push(':');
                    write(value, text);
                    text.push(',');
                }
                text.push('}');
            }
            other => text.push_str(&other.to_string()),
        }
    }
    let mut text = String::new();
    write(value, &mut text);
    text
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use super::*;
    use crate::plan::live::PART_OF;
    use serde_json::json;

    const ID: &str = "applyset-x-v1";

    /// An object as the server returns it, with the fields that carrier owns.
    fn live(wanted: &Value, fields: Value, also: impl FnOnce(&mut Value)) -> LiveObject {
        let mut body = wanted.clone();
        body["metadata"]["uid"] = json!("u");
        body["metadata"]["resourceVersion"] = json!("7");
        body["metadata"]["managedFields"] = json!([
            {"apiVersion": wanted["apiVersion"], "fieldsType": "FieldsV1", "fieldsV1": fields, "manager": "carrier",
             "operation": "Apply", "time": "2026-01-01T00:00:00Z"},
            {"apiVersion": wanted["apiVersion"], "fieldsType": "FieldsV1", "manager": "kube-apiserver",
             "fieldsV1": {"f:status": {"f:conditions": {"k:{\"type\":\"Established\"}": {".": {}, "f:status": {}}}}},
             "operation": "Update", "subresource": "status", "time": "2026-01-01T00:00:00Z"},
        ]);
        also(&mut body);
        LiveObject { body }
    }

    fn differs(wanted: &Value, live: &LiveObject) -> bool {
        compare(wanted, Some(live)) == Comparison::Differs
    }

    fn role() -> (Value, Value) {
        let wanted = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "a", "namespace": "b", "labels": {PART_OF: ID}},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
        });
        let label = format!("f:{PART_OF}");
        (wanted, json!({"f:metadata": {"f:labels": {label: {}}}, "f:rules": {}}))
    }

    #[test]
    fn an_object_that_does_not_exist_is_absent() {
        assert_eq!(compare(&role().0, None), Comparison::Absent);
    }

    #[test]
    fn values_that_are_equal_have_one_key() {
        let values = [
            json!(null),
            json!(true),
            json!("true"),
            json!(1),
            json!(1.0),
            json!("1"),
            json!(1.5),
            json!(-0.0),
            json!(0),
            json!(1e20),
            json!(u64::MAX),
            json!([]),
            json!([1, 2]),
            json!([1.0, 2]),
            json!(["1,2"]),
            json!([[1], 2]),
            json!({}),
            json!({"a": 1}),
            json!({"a": 1.0}),
            json!({"a": {"b": 1}}),
            json!({"a\":1,\"b": 1}),
            json!({"a": 1, "b": 1}),
        ];
        for a in &values {
            for b in &values {
                assert_eq!(key(a) == key(b), equal(a, b), "{a} {b}");
            }
        }
    }

    #[test]
    fn a_role_is_the_same_if_all_fields_are_owned_and_equal() {
        let (wanted, fields) = role();
        assert_eq!(compare(&wanted, Some(&live(&wanted, fields.clone(), |_| {}))), Comparison::Same);
        // Other managers may own other keys.
        let labelled = live(&wanted, fields.clone(), |b| b["metadata"]["labels"]["other"] = json!("x"));
        assert_eq!(compare(&wanted, Some(&labelled)), Comparison::Same);
        // An atomic list is compared as a whole, in its order.
        assert!(differs(&wanted, &live(&wanted, fields.clone(), |b| b["rules"][0]["verbs"] = json!(["get", "list"]))));
        // A field that carrier owns and that is no longer wanted has to be removed.
        let mut more = fields.clone();
        more["f:metadata"]["f:annotations"] = json!({"f:old": {}});
        assert!(differs(&wanted, &live(&wanted, more, |b| b["metadata"]["annotations"] = json!({"old": "x"}))));
        // Applying would add carrier as an owner of an equal value.
        assert!(differs(&wanted, &live(&wanted, json!({"f:rules": {}}), |_| {})));
        assert!(differs(&wanted, &live(&wanted, fields.clone(), |b| b["metadata"]["managedFields"] = json!([]))));
        // An `Update` by carrier is not an `Apply`.
        let update = |b: &mut Value| b["metadata"]["managedFields"][0]["operation"] = json!("Update");
        assert!(differs(&wanted, &live(&wanted, fields.clone(), update)));
        let twice = |b: &mut Value| {
            let entry = b["metadata"]["managedFields"][0].clone();
            b["metadata"]["managedFields"][1] = entry;
        };
        assert!(differs(&wanted, &live(&wanted, fields.clone(), twice)));
        let terminating = |b: &mut Value| b["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(differs(&wanted, &live(&wanted, fields.clone(), terminating)));
        let older = |b: &mut Value| b["metadata"]["managedFields"][0]["apiVersion"] = json!("rbac/v1beta1");
        assert!(differs(&wanted, &live(&wanted, fields, older)));
    }

    #[test]
    fn numbers_in_a_crd_are_compared_by_value() {
        let crd = |minimum: Value| {
            json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": "a.b", "labels": {PART_OF: ID}},
                "spec": {
                    "group": "b", "names": {"kind": "A", "plural": "a"}, "scope": "Namespaced",
                    "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                        {"type": "object", "properties": {"n": {"type": "number", "minimum": minimum}}}}}],
                },
            })
        };
        let label = format!("f:{PART_OF}");
        let fields = json!({"f:metadata": {"f:labels": {label: {}}}, "f:spec": {
            "f:group": {}, "f:names": {"f:kind": {}, "f:plural": {}}, "f:scope": {}, "f:versions": {},
        }});
        let defaulted = |b: &mut Value| {
            b["spec"]["conversion"] = json!({"strategy": "None"});
            b["spec"]["names"]["singular"] = json!("a");
            b["status"] = json!({"conditions": []});
        };
        let there = live(&crd(json!(1)), fields.clone(), defaulted);
        assert_eq!(compare(&crd(json!(1.0)), Some(&there)), Comparison::Same);
        assert!(differs(&crd(json!(1.5)), &there));
        // An additional key in an atomic list may be one that carrier applied before.
        let more = live(&crd(json!(1)), fields, |b| b["spec"]["versions"][0]["deprecated"] = json!(true));
        assert!(differs(&crd(json!(1)), &more));
    }

    #[test]
    fn lists_of_type_map_and_set_are_compared_by_item() {
        let wanted = json!({
            "apiVersion": "x/v1", "kind": "X", "metadata": {"name": "a"},
            "spec": {"set": ["a", "b"], "keyed": [{"n": "x", "v": 1}, {"n": "y", "v": 2}], "free": {"deep": {"er": [1]}}},
        });
        let fields = json!({"f:spec": {
            "f:set": {"v:\"a\"": {}, "v:\"b\"": {}},
            "f:keyed": {"k:{\"n\":\"x\"}": {".": {}, "f:n": {}, "f:v": {}}, "k:{\"n\":\"y\"}": {".": {}, "f:n": {}, "f:v": {}}},
            "f:free": {"f:deep": {"f:er": {}}},
        }});
        let same = |also: fn(&mut Value)| compare(&wanted, Some(&live(&wanted, fields.clone(), also)));
        assert_eq!(same(|_| {}), Comparison::Same);
        assert_eq!(
            same(|b| b["spec"]["set"] = json!(["z", "b", "a"])),
            Comparison::Same,
            "items of other managers, in any order"
        );
        let foreign = |b: &mut Value| b["spec"]["keyed"] = json!([{"n": "y", "v": 2}, {"n": "q"}, {"n": "x", "v": 1}]);
        assert_eq!(same(foreign), Comparison::Same);
        assert_eq!(same(|b| b["spec"]["set"] = json!(["a"])), Comparison::Differs);
        assert_eq!(same(|b| b["spec"]["keyed"][1]["v"] = json!(3)), Comparison::Differs);
        assert_eq!(same(|b| b["spec"]["free"]["deep"]["er"] = json!([1, 2])), Comparison::Differs);
        let mut fewer = wanted.clone();
        fewer["spec"]["set"] = json!(["a"]);
        assert!(differs(&fewer, &live(&wanted, fields.clone(), |_| {})), "an owned item is no longer wanted");
        let mut null = wanted.clone();
        null["spec"]["set"] = Value::Null;
        assert!(differs(&null, &live(&wanted, fields, |_| {})));
    }

    #[test]
    fn an_object_without_fields_is_the_same_wherever_it_exists() {
        let wanted = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "n"}});
        let mut there = wanted.clone();
        there["metadata"]["uid"] = json!("u");
        assert_eq!(compare(&wanted, Some(&LiveObject { body: there.clone() })), Comparison::Same);
        let mut more = wanted.clone();
        more["metadata"]["labels"] = json!({"a": "b"});
        assert!(differs(&more, &LiveObject { body: there.clone() }));
        there["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(differs(&wanted, &LiveObject { body: there }));
    }

    #[test]
    fn the_shared_namespace_is_the_same_wherever_it_exists() {
        let wanted = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kubecarrier-system"}});
        assert_eq!(compare(&wanted, None), Comparison::Absent);
        assert_eq!(compare(&wanted, Some(&LiveObject { body: wanted.clone() })), Comparison::Same);
        let mut going = wanted.clone();
        going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert!(differs(&wanted, &LiveObject { body: going }));
        let other = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}});
        assert!(differs(&other, &LiveObject { body: other.clone() }));
    }

    #[test]
    fn a_dry_run_that_changes_only_server_metadata_changes_nothing() {
        let (wanted, fields) = role();
        let live = live(&wanted, fields, |_| {}).body;
        let mut would = live.clone();
        would["metadata"]["resourceVersion"] = json!("8");
        would["metadata"]["generation"] = json!(3);
        would["metadata"]["managedFields"][0]["time"] = json!("2026-02-02T00:00:00Z");
        would["status"] = json!({"x": 1});
        assert!(same_after_dry_run(&live, &would));
        assert_eq!(content(&live), content(&would));
        let mut listed = live.clone();
        listed.as_object_mut().expect("an object").retain(|key, _| key != "kind" && key != "apiVersion");
        assert_eq!(content(&live), content(&listed));
        let mut owns = would.clone();
        owns["metadata"]["managedFields"][0]["fieldsV1"]["f:more"] = json!({});
        assert!(!same_after_dry_run(&live, &owns), "ownership is part of the state");
        would["rules"] = json!([]);
        assert_ne!(content(&live), content(&would));
        assert!(!same_after_dry_run(&live, &would));
    }
}
