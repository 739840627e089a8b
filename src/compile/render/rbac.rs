//! Roles and their bindings. Every rule names its group, resources and verbs, without wildcards, so that a new
//! kind or verb of Kubernetes is not granted to anybody (`DESIGN.md` §9).

use serde_json::{Map, Value, json};

use super::manifest::{Collector, Draft};
use crate::model::crd::versions;
use crate::model::digest;
use crate::model::kinds::{Subject, SubjectKind};
use crate::model::names::SUBDOMAIN_MAX;
use crate::model::object::Stage;
use crate::model::source::Span;

/// The API group of RBAC.
const GROUP: &str = "rbac.authorization.k8s.io";
const API_VERSION: &str = "rbac.authorization.k8s.io/v1";

/// The verbs for reading.
pub(super) const READ: &[&str] = &["get", "list", "watch"];
/// All verbs for objects.
pub(super) const WRITE: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// One rule.
pub(super) fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": resources, "verbs": verbs })
}

/// One rule for objects of these names.
pub(super) fn named(group: &str, resource: &str, names: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": [resource], "resourceNames": names, "verbs": verbs })
}

/// The permissions of people for the instances of a CRD. The status can be read; `scale` is another way to
/// write a field that they may write anyway.
pub(super) fn instances(group: &str, plural: &str, crd: &Value) -> Vec<Value> {
    let has = |subresource: &str| versions(crd).any(|version| version.subresource(subresource).is_some());
    let mut rules = vec![rule(group, &[plural], WRITE)];
    if has("status") {
        rules.push(rule(group, &[&format!("{plural}/status")], &["get"]));
    }
    if has("scale") {
        rules.push(rule(group, &[&format!("{plural}/scale")], &["get", "patch", "update"]));
    }
    rules
}

/// A Role in a namespace, and the RoleBinding of the same name.
pub(super) fn role(
    out: &mut Collector,
    namespace: &str,
    name: &str,
    rules: Vec<Value>,
    subjects: &[Subject],
    origin: Option<Span>,
) {
    pair(out, Some(namespace), name, rules, people(subjects), origin);
}

/// The same for a service account of `namespace`; without `within`, for the whole cluster.
pub(super) fn service_account_role(
    out: &mut Collector,
    within: Option<&str>,
    name: &str,
    rules: Vec<Value>,
    (namespace, account): (&str, &str),
    origin: Option<Span>,
) {
    let subject = json!({ "kind": "ServiceAccount", "name": account, "namespace": namespace });
    pair(out, within, name, rules, vec![subject], origin);
}

fn pair(
    out: &mut Collector,
    namespace: Option<&str>,
    name: &str,
    rules: Vec<Value>,
    subjects: Vec<Value>,
    origin: Option<Span>,
) {
    let (role, binding) = match namespace {
        Some(_) => ("Role", "RoleBinding"),
        None => ("ClusterRole", "ClusterRoleBinding"),
    };
    let reference = json!({ "apiGroup": GROUP, "kind": role, "name": name });
    let draft = Draft::new(API_VERSION, role, namespace, name).with("rules", Value::Array(rules));
    out.add(Stage::Rbac, draft, origin);
    let draft = Draft::new(API_VERSION, binding, namespace, name)
        .with("roleRef", reference)
        .with("subjects", Value::Array(subjects));
    out.add(Stage::Rbac, draft, origin);
}

/// The subjects of a binding, with the API group that each kind requires, without duplicates, in a fixed order.
fn people(subjects: &[Subject]) -> Vec<Value> {
    let mut sorted: Vec<&Subject> = subjects.iter().collect();
    sorted.sort_by_key(|s| (s.kind, &s.namespace, &s.name));
    let mut list: Vec<Value> = sorted.into_iter().map(subject).collect();
    list.dedup();
    list
}

fn subject(subject: &Subject) -> Value {
    let mut value = Map::new();
    let (kind, group) = match subject.kind {
        SubjectKind::User => ("User", Some(GROUP)),
        SubjectKind::Group => ("Group", Some(GROUP)),
        SubjectKind::ServiceAccount => ("ServiceAccount", None),
    };
    value.insert("kind".to_owned(), json!(kind));
    value.insert("name".to_owned(), json!(subject.name));
    if let Some(group) = group {
        value.insert("apiGroup".to_owned(), json!(group));
    } else if let Some(namespace) = &subject.namespace {
        value.insert("namespace".to_owned(), json!(namespace));
    }
    Value::Object(value)
}

/// The name, cut if it is too long, with a hash for the removed part. Only an entry written by hand can have
/// such a name.
pub(super) fn role_name(name: &str) -> String {
    if name.len() <= SUBDOMAIN_MAX {
        return name.to_owned();
    }
    let suffix = format!("-{}", digest::short(name.as_bytes()));
    // Names are ASCII by now, so any byte is a boundary.
    let cut = name.get(..SUBDOMAIN_MAX - suffix.len()).unwrap_or(name);
    format!("{cut}{suffix}")
}
