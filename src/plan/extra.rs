//! Fields that the repository does not set, and that stay because another manager holds them: what somebody has added to an
//! object by hand, and what carrier has once applied together with another tool. They can change what an object means.

use serde_json::Value;

use super::live::LiveObject;
use super::take_over::{child, moves};
use super::types::{ExtraField, ObjectRef};
use crate::model::managed_fields::Manager;

/// The fields of others in a live object. Those of managers in `from` are taken over.
#[must_use]
pub(crate) fn fields(object: &ObjectRef, live: &LiveObject, wanted: &Value, from: &[String]) -> Vec<ExtraField> {
    let own: Vec<&Value> = live.managers().filter(Manager::is_carrier).map(|manager| manager.fields).collect();
    let mut found = Vec::new();
    let others = live
        .managers()
        .filter(|manager| !manager.is_carrier() && manager.subresource.is_empty() && !moves(manager, from));
    for manager in others {
        let mut walk = Walk { crd: live, paths: Vec::new() };
        for (key, below) in manager.fields.as_object().into_iter().flatten() {
            match key.as_str() {
                // Labels and annotations of others are usual. Those that carrier holds too are leaving the repository.
                "f:metadata" => walk.metadata(wanted, below, &own),
                "f:status" | "f:apiVersion" | "f:kind" => {}
                _ if is_filled_by_others(&object.kind) => {}
                _ => walk.entry("", Some(&live.body), Some(wanted), (key, below)),
            }
        }
        found.extend(walk.paths.into_iter().map(|field| ExtraField {
            object: object.clone(),
            field,
            manager: manager.name.to_owned(),
        }));
    }
    found.sort();
    found.dedup();
    found
}

/// Whether controllers add fields to all objects of a kind.
fn is_filled_by_others(kind: &str) -> bool {
    matches!(kind, "Namespace" | "ServiceAccount")
}

struct Walk<'a> {
    crd: &'a LiveObject,
    paths: Vec<String>,
}

impl Walk<'_> {
    fn metadata(&mut self, wanted: &Value, below: &Value, own: &[&Value]) {
        for key in ["f:labels", "f:annotations"] {
            let live = self.crd.body.get("metadata").and_then(|metadata| child(metadata, key));
            let wanted = wanted.get("metadata").and_then(|metadata| child(metadata, key));
            let path = format!(".metadata.{}", &key[2..]);
            for (name, below) in below.get(key).and_then(Value::as_object).into_iter().flatten() {
                let is_own =
                    own.iter().any(|fields| fields.get("f:metadata").and_then(|m| m.get(key)?.get(name)).is_some());
                if is_own {
                    self.entry(&path, live, wanted, (name, below));
                }
            }
        }
    }

    /// Takes an element of managed fields if the live value has it and the wanted one does not.
    fn entry(&mut self, at: &str, live: Option<&Value>, wanted: Option<&Value>, (key, below): (&str, &Value)) {
        let Some(value) = live.and_then(|live| child(live, key)) else { return };
        let path = format!("{at}{}", step(key));
        let Some(wanted) = wanted.and_then(|wanted| child(wanted, key)) else {
            if !is_default(&self.crd.body, &path, value) {
                self.paths.push(path);
            }
            return;
        };
        for (key, below) in below.as_object().into_iter().flatten().filter(|(key, _)| *key != ".") {
            self.entry(&path, Some(value), Some(wanted), (key, below));
        }
    }
}

/// Whether a field of a CRD is what the API server fills in: whoever creates a CRD by POST owns that too.
fn is_default(object: &Value, path: &str, value: &Value) -> bool {
    if object.get("kind").and_then(Value::as_str) != Some("CustomResourceDefinition") {
        return false;
    }
    let kind = object.pointer("/spec/names/kind").and_then(Value::as_str).unwrap_or_default();
    let text = value.as_str();
    match path {
        ".spec.names.listKind" => text == Some(&format!("{kind}List")),
        ".spec.names.singular" => text == Some(&kind.to_lowercase()),
        ".spec.conversion" => value.get("strategy").and_then(Value::as_str) == Some("None"),
        ".spec.conversion.strategy" => text == Some("None"),
        ".spec.preserveUnknownFields" => value == &Value::Bool(false),
        _ => false,
    }
}

/// An element of managed fields as part of a path: `.name`, `["a.b/c"]`, `[{"n":"x"}]`.
fn step(element: &str) -> String {
    match element.split_once(':') {
        Some(("f", name)) if name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) => {
            format!(".{name}")
        }
        Some(("f", name)) => format!("[{}]", Value::from(name)),
        Some((_, key)) => format!("[{key}]"),
        None => String::new(),
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(wanted: Value, live: Value, entries: &[(&str, &str, Value)], from: &[&str]) -> Vec<String> {
        let kind = wanted["kind"].as_str().unwrap_or_default().to_owned();
        let object = ObjectRef {
            cluster: "management".into(),
            api_version: "a/v1".into(),
            kind,
            namespace: None,
            name: "a".into(),
        };
        let mut body = live;
        body["kind"] = wanted["kind"].clone();
        body["metadata"]["managedFields"] = entries
            .iter()
            .map(|(manager, operation, fields)| json!({"manager": manager, "operation": operation, "fieldsV1": fields}))
            .collect();
        let from: Vec<String> = from.iter().map(|&name| name.to_owned()).collect();
        let list = fields(&object, &LiveObject { body }, &wanted, &from);
        list.into_iter().map(|extra| format!("{} {}", extra.field, extra.manager)).collect()
    }

    #[test]
    fn a_field_that_another_manager_holds_is_found() {
        let wanted = json!({"kind": "Catalog", "spec": {"tenantSelector": {}, "list": [{"n": "a"}]}});
        let live = json!({"spec": {"tenantSelector": {"matchLabels": {"a.b/c": "x"}}, "paused": true,
            "list": [{"n": "a"}, {"n": "b"}]}});
        let by_hand = json!({"f:spec": {"f:tenantSelector": {"f:matchLabels": {".": {}, "f:a.b/c": {}}}, "f:gone": {},
            "f:list": {"k:{\"n\":\"a\"}": {".": {}, "f:n": {}}, "k:{\"n\":\"b\"}": {".": {}, "f:n": {}}}}});
        let ours = json!({"f:spec": {"f:tenantSelector": {}, "f:paused": {}}});
        let entries = [("carrier", "Apply", ours), ("kubectl-edit", "Update", by_hand)];
        let expected = [".spec.list[{\"n\":\"b\"}] kubectl-edit", ".spec.tenantSelector.matchLabels kubectl-edit"];
        assert_eq!(found(wanted.clone(), live.clone(), &entries, &[]), expected);
        assert_eq!(found(wanted, live, &entries, &["kubectl-edit"]), Vec::<String>::new(), "they are taken over");
    }

    #[test]
    fn of_labels_only_those_that_carrier_holds_too_are_found() {
        let wanted = json!({"kind": "Role", "metadata": {"labels": {"kept": "x"}}});
        let live = json!({"metadata": {"labels": {"kept": "x", "shared": "x", "theirs": "x"}}});
        let labels = |names: &[&str]| {
            let names = names.iter().map(|name| (format!("f:{name}"), json!({}))).collect::<serde_json::Map<_, _>>();
            json!({"f:metadata": {"f:labels": names}})
        };
        let entries =
            [("carrier", "Apply", labels(&["kept", "shared"])), ("kubectl", "Apply", labels(&["shared", "theirs"]))];
        assert_eq!(found(wanted, live, &entries, &[]), [".metadata.labels.shared kubectl"]);
    }

    #[test]
    fn what_the_server_fills_in_is_nobodys() {
        let wanted = json!({"kind": "CustomResourceDefinition", "spec": {"names": {"kind": "Db"}}});
        let crd = |conversion: &str| {
            let fields = json!({"f:spec": {"f:conversion": {"f:strategy": {}}, "f:names": {"f:listKind": {}}}});
            let live = json!({"spec": {"conversion": {"strategy": conversion}, "names": {"kind": "Db", "listKind": "DbList"}}});
            found(wanted.clone(), live, &[("kubectl-create", "Update", fields)], &[])
        };
        assert_eq!(crd("None"), Vec::<String>::new());
        assert_eq!(crd("Webhook"), [".spec.conversion kubectl-create"]);
        let namespace = json!({"kind": "Namespace", "metadata": {}});
        let fields = json!({"f:spec": {"f:finalizers": {}}});
        let live = json!({"metadata": {}, "spec": {"finalizers": ["kubernetes"]}});
        assert_eq!(found(namespace, live, &[("somebody", "Update", fields)], &[]), Vec::<String>::new());
    }
}
