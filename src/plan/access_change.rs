//! The permissions that subjects gain and lose by changes of roles and bindings.
//!
//! All roles and bindings of a cluster are evaluated before and after the changes: a
//! subject loses nothing by the deletion of a role if another role gives the same.
//! Only the objects that carrier knows are evaluated; roles and bindings of others
//! may give the same permissions, or more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::types::AccessChange;
use crate::model::object::ObjectKey;

/// Roles and bindings by key.
pub(crate) type Objects<'a> = BTreeMap<&'a ObjectKey, &'a Value>;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Whether an object is a role or a binding of RBAC.
#[must_use]
pub(crate) fn concerns(key: &ObjectKey) -> bool {
    key.group == GROUP && matches!(key.kind.as_str(), "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding")
}

/// A resource with its group, the name of an object or `None` for all, and a verb.
pub(crate) type Right = (String, Option<String>, String);
/// A subject, and a namespace or `None` for the whole cluster.
type Scope = (String, Option<String>);
type Rights = BTreeMap<Scope, BTreeSet<Right>>;

/// The permissions that subjects gain and lose, by the object of `changed` that causes it. If a role and its binding
/// are created or deleted together, the binding causes it.
#[must_use]
pub(crate) fn changes(
    before: &Objects<'_>,
    after: &Objects<'_>,
    changed: &BTreeSet<&ObjectKey>,
) -> BTreeMap<ObjectKey, Vec<AccessChange>> {
    if !changed.iter().any(|key| concerns(key)) {
        return BTreeMap::new();
    }
    let (had, has) = (rights(before), rights(after));
    let (of_before, of_after) = (bindings(before, changed), bindings(after, changed));
    let mut found = BTreeMap::new();
    for key in changed.iter().filter(|key| concerns(key)) {
        let is_binding = key.kind.ends_with("Binding");
        let by_key = |objects: &Objects<'_>, bindings: &BTreeMap<ObjectKey, Vec<&ObjectKey>>| -> Rights {
            let mut given = Rights::new();
            let itself = [*key];
            let bindings = if is_binding { &itself[..] } else { bindings.get(*key).map_or(&[][..], Vec::as_slice) };
            for binding in bindings {
                if let Some(body) = objects.get(*binding) {
                    add_binding(binding, body, objects, &mut given);
                }
            }
            given
        };
        let (gave, gives) = (by_key(before, &of_before), by_key(after, &of_after));
        let scopes: BTreeSet<&Scope> = gave.keys().chain(gives.keys()).collect();
        let mut list = Vec::new();
        for scope in scopes {
            let taken = only(&gave, &gives, scope).filter(|right| !holds(&has, scope, right)).cloned().collect();
            let gained = only(&gives, &gave, scope).filter(|right| !holds(&had, scope, right)).cloned().collect();
            let (loses, gains) = (compact(&taken), compact(&gained));
            if !loses.is_empty() || !gains.is_empty() {
                list.push(AccessChange { subject: scope.0.clone(), namespace: scope.1.clone(), loses, gains });
            }
        }
        if !list.is_empty() {
            found.insert((*key).clone(), list);
        }
    }
    found
}

/// The rights of a scope in `one` that are not in `other`.
fn only<'a>(one: &'a Rights, other: &'a Rights, scope: &Scope) -> impl Iterator<Item = &'a Right> + use<'a> {
    let other = other.get(scope);
    one.get(scope).into_iter().flatten().filter(move |right| !other.is_some_and(|o| o.contains(*right)))
}

/// Whether a scope has a right, also by a right in the whole cluster or to all objects.
fn holds(all: &Rights, scope: &Scope, right: &Right) -> bool {
    let any = (right.0.clone(), None, right.2.clone());
    let everywhere = (scope.0.clone(), None);
    [scope, &everywhere].into_iter().filter_map(|scope| all.get(scope)).any(|r| r.contains(right) || r.contains(&any))
}

/// The rights of all scopes.
fn rights(objects: &Objects<'_>) -> Rights {
    let mut all = Rights::new();
    for (key, body) in objects.iter().filter(|(key, _)| key.kind.ends_with("Binding") && concerns(key)) {
        add_binding(key, body, objects, &mut all);
    }
    all
}

/// The bindings of each role, without changed ones: these are reported themselves.
fn bindings<'a>(objects: &Objects<'a>, changed: &BTreeSet<&ObjectKey>) -> BTreeMap<ObjectKey, Vec<&'a ObjectKey>> {
    let mut found: BTreeMap<ObjectKey, Vec<&ObjectKey>> = BTreeMap::new();
    for (key, body) in objects.iter().filter(|(key, _)| key.kind.ends_with("Binding") && !changed.contains(*key)) {
        if let Some(role) = role_of(key, body) {
            found.entry(role).or_default().push(key);
        }
    }
    found
}

/// The role that a binding refers to; `None` without a valid `roleRef`.
fn role_of(binding: &ObjectKey, body: &Value) -> Option<ObjectKey> {
    let text = |key: &str| body.pointer(&format!("/roleRef/{key}")).and_then(Value::as_str).map(str::to_owned);
    let kind = text("kind")?;
    let namespace = binding.namespace.clone().filter(|_| kind == "Role");
    Some(ObjectKey { group: GROUP.to_owned(), kind, namespace, name: text("name")? })
}

/// Adds the rights that a binding gives.
fn add_binding(binding: &ObjectKey, body: &Value, objects: &Objects<'_>, all: &mut Rights) {
    let Some(role) = role_of(binding, body).and_then(|key| objects.get(&key).copied()) else { return };
    let given = rules(role);
    for subject in body.get("subjects").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| subject.get(key).and_then(Value::as_str);
        let (Some(kind), Some(name)) = (text("kind"), text("name")) else { continue };
        let name = match text("namespace") {
            Some(namespace) => format!("{kind} {namespace}/{name}"),
            None => format!("{kind} {name}"),
        };
        all.entry((name, binding.namespace.clone())).or_default().extend(given.iter().cloned());
    }
}

/// The rights of a role: one for each resource, name and verb of its rules.
#[must_use]
pub(crate) fn rules(role: &Value) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for rule in role.get("rules").and_then(Value::as_array).into_iter().flatten() {
        let list = |key: &str| -> Vec<&str> {
            rule.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let mut resources: Vec<String> = list("nonResourceURLs").into_iter().map(str::to_owned).collect();
        for group in list("apiGroups") {
            for resource in list("resources") {
                resources.push(full_name(resource, group));
            }
        }
        let mut names: Vec<Option<&str>> = list("resourceNames").into_iter().map(Some).collect();
        if names.is_empty() {
            names.push(None);
        }
        for resource in &resources {
            for name in &names {
                for verb in list("verbs") {
                    rights.insert((resource.clone(), name.map(str::to_owned), verb.to_owned()));
                }
            }
        }
    }
    rights
}

/// `redis.eu-west-1.team-a`, `redis.eu-west-1.team-a/status`, as `kubectl auth can-i` takes it.
fn full_name(resource: &str, group: &str) -> String {
    match (resource.split_once('/'), group) {
        (_, "") => resource.to_owned(),
        (Some((plural, sub)), group) => format!("{plural}.{group}/{sub}"),
        (None, group) => format!("{resource}.{group}"),
    }
}

/// The rights as texts, one for each set of verbs: `create, delete redis.eu-west-1.team-a`.
fn compact(rights: &BTreeSet<Right>) -> Vec<String> {
    let mut verbs: BTreeMap<(&str, Option<&str>), Vec<&str>> = BTreeMap::new();
    for (resource, name, verb) in rights {
        verbs.entry((resource, name.as_deref())).or_default().push(verb);
    }
    // First merges the names of a resource, then resources.
    let mut names: BTreeMap<(Vec<&str>, &str), Vec<&str>> = BTreeMap::new();
    for ((resource, name), verbs) in verbs {
        names.entry((verbs, resource)).or_default().extend(name);
    }
    let mut texts: BTreeMap<Vec<&str>, Vec<String>> = BTreeMap::new();
    for ((verbs, resource), names) in names {
        texts.entry(verbs).or_default().push(match names.is_empty() {
            true => resource.to_owned(),
            false => format!("{resource} ({})", names.join(", ")),
        });
    }
    texts.into_iter().map(|(verbs, resources)| format!("{} {}", verbs.join(", "), resources.join(", "))).collect()
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use super::*;
    use serde_json::json;

    type Set = BTreeMap<ObjectKey, Value>;

    fn key(kind: &str, namespace: Option<&str>, name: &str) -> ObjectKey {
        ObjectKey { group: GROUP.into(), kind: kind.into(), namespace: namespace.map(str::to_owned), name: name.into() }
    }

    fn role(set: &mut Set, namespace: Option<&str>, name: &str, rules: Value) {
        let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
        set.insert(key(kind, namespace, name), json!({"rules": rules}));
    }

    fn binding(set: &mut Set, namespace: Option<&str>, name: &str, users: &[&str]) {
        let (kind, role) =
            if namespace.is_some() { ("RoleBinding", "Role") } else { ("ClusterRoleBinding", "ClusterRole") };
        let subjects: Vec<Value> = users.iter().map(|u| json!({"kind": "User", "name": u})).collect();
        set.insert(key(kind, namespace, name), json!({"roleRef": {"kind": role, "name": name}, "subjects": subjects}));
    }

    fn found(before: &Set, after: &Set) -> Vec<String> {
        let changed: BTreeSet<&ObjectKey> =
            before.keys().chain(after.keys()).filter(|key| before.get(*key) != after.get(*key)).collect();
        let (before, after) = (before.iter().collect(), after.iter().collect());
        let line = |(key, list): (ObjectKey, Vec<AccessChange>)| {
            list.into_iter().map(move |c| {
                let place = c.namespace.map(|n| format!(" in {n}")).unwrap_or_default();
                format!("{key}: {}{place} -[{}] +[{}]", c.subject, c.loses.join("; "), c.gains.join("; "))
            })
        };
        changes(&before, &after, &changed).into_iter().flat_map(line).collect()
    }

    fn rule(resource: &str, verbs: &[&str]) -> Value {
        json!({"apiGroups": ["g"], "resources": [resource], "verbs": verbs})
    }

    #[test]
    fn a_new_role_and_its_binding_are_reported_once() {
        let mut after = Set::new();
        role(&mut after, Some("n"), "r", json!([rule("redis", &["create", "delete"]), rule("redis/status", &["get"])]));
        binding(&mut after, Some("n"), "r", &["ann", "bob"]);
        let gains = "[create, delete redis.g; get redis.g/status]";
        assert_eq!(
            found(&Set::new(), &after),
            [
                format!("RoleBinding n/r: User ann in n -[] +{gains}"),
                format!("RoleBinding n/r: User bob in n -[] +{gains}")
            ]
        );
        assert_eq!(
            found(&after, &Set::new()),
            [
                format!("RoleBinding n/r: User ann in n -{gains} +[]"),
                format!("RoleBinding n/r: User bob in n -{gains} +[]")
            ]
        );
    }

    #[test]
    fn a_removed_subject_and_a_removed_verb_are_reported() {
        let mut before = Set::new();
        role(&mut before, Some("n"), "r", json!([rule("redis", &["get", "list"])]));
        binding(&mut before, Some("n"), "r", &["ann", "bob"]);
        let mut after = before.clone();
        binding(&mut after, Some("n"), "r", &["ann"]);
        assert_eq!(found(&before, &after), ["RoleBinding n/r: User bob in n -[get, list redis.g] +[]"]);
        let mut after = before.clone();
        role(&mut after, Some("n"), "r", json!([rule("redis", &["get", "watch"])]));
        assert_eq!(
            found(&before, &after),
            [
                "Role n/r: User ann in n -[list redis.g] +[watch redis.g]",
                "Role n/r: User bob in n -[list redis.g] +[watch redis.g]"
            ]
        );
    }

    #[test]
    fn rights_by_another_role_are_not_lost() {
        let mut before = Set::new();
        role(&mut before, Some("n"), "a", json!([rule("redis", &["get"])]));
        binding(&mut before, Some("n"), "a", &["ann"]);
        let mut after = before.clone();
        role(&mut before, Some("n"), "b", json!([rule("redis", &["get", "list"])]));
        binding(&mut before, Some("n"), "b", &["ann"]);
        assert_eq!(found(&before, &after), ["RoleBinding n/b: User ann in n -[list redis.g] +[]"]);
        role(&mut after, None, "c", json!([rule("redis", &["list"])]));
        binding(&mut after, None, "c", &["ann"]);
        assert_eq!(found(&before, &after), ["ClusterRoleBinding c: User ann -[] +[list redis.g]"]);
    }

    #[test]
    fn names_of_objects_are_shown() {
        let mut after = Set::new();
        let named =
            json!([{"apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["a", "b"], "verbs": ["get"]}]);
        role(&mut after, None, "r", named);
        binding(&mut after, None, "r", &["ann"]);
        assert_eq!(found(&Set::new(), &after), ["ClusterRoleBinding r: User ann -[] +[get namespaces (a, b)]"]);
    }

    #[test]
    fn a_binding_without_its_role_gives_nothing() {
        let mut after = Set::new();
        binding(&mut after, None, "r", &["ann"]);
        assert_eq!(found(&Set::new(), &after), Vec::<String>::new());
    }
}
