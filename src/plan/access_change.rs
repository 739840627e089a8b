//! Who may do what after a change and could not before, or the reverse.
//!
//! Roles and bindings of the cluster are weighed as a whole, before and after: a
//! role that goes takes nothing from somebody who has the same by another one.
//! Only what carrier knows of the cluster is weighed: bindings of others may
//! give the same, or more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::types::AccessChange;
use crate::model::object::ObjectKey;

/// Roles and bindings by what they are called.
pub type Objects<'a> = BTreeMap<&'a ObjectKey, &'a Value>;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Whether an object says who may do what.
#[must_use]
pub fn concerns(key: &ObjectKey) -> bool {
    key.group == GROUP && matches!(key.kind.as_str(), "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding")
}

/// One thing that may be done: a resource, one object of it or all, and a verb.
type Right = (String, Option<String>, String);
/// Somebody, somewhere.
type Who = (String, Option<String>);
type Rights = BTreeMap<Who, BTreeSet<Right>>;

/// What the changes of `changed` objects mean, by the object that brings it about. A role and its binding
/// that come or go together are told once, at the binding.
#[must_use]
pub fn changes(
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
                    give(binding, body, objects, &mut given);
                }
            }
            given
        };
        let (gave, gives) = (by_key(before, &of_before), by_key(after, &of_after));
        let everybody: BTreeSet<&Who> = gave.keys().chain(gives.keys()).collect();
        let mut told = Vec::new();
        for who in everybody {
            let taken = only(&gave, &gives, who).filter(|right| !holds(&has, who, right)).cloned().collect();
            let gained = only(&gives, &gave, who).filter(|right| !holds(&had, who, right)).cloned().collect();
            let (loses, gains) = (compact(&taken), compact(&gained));
            if !loses.is_empty() || !gains.is_empty() {
                told.push(AccessChange { subject: who.0.clone(), namespace: who.1.clone(), loses, gains });
            }
        }
        if !told.is_empty() {
            found.insert((*key).clone(), told);
        }
    }
    found
}

/// What is in the one and not in the other.
fn only<'a>(one: &'a Rights, other: &'a Rights, who: &Who) -> impl Iterator<Item = &'a Right> + use<'a> {
    let other = other.get(who);
    one.get(who).into_iter().flatten().filter(move |right| !other.is_some_and(|o| o.contains(*right)))
}

/// Whether somebody has a right: there or in the whole cluster, to one object or to all.
fn holds(all: &Rights, who: &Who, right: &Right) -> bool {
    let any = (right.0.clone(), None, right.2.clone());
    let everywhere = (who.0.clone(), None);
    [who, &everywhere].into_iter().filter_map(|who| all.get(who)).any(|r| r.contains(right) || r.contains(&any))
}

/// What everybody may do.
fn rights(objects: &Objects<'_>) -> Rights {
    let mut all = Rights::new();
    for (key, body) in objects.iter().filter(|(key, _)| key.kind.ends_with("Binding") && concerns(key)) {
        give(key, body, objects, &mut all);
    }
    all
}

/// The bindings of each role, without those that change: they have their own say.
fn bindings<'a>(objects: &Objects<'a>, changed: &BTreeSet<&ObjectKey>) -> BTreeMap<ObjectKey, Vec<&'a ObjectKey>> {
    let mut found: BTreeMap<ObjectKey, Vec<&ObjectKey>> = BTreeMap::new();
    for (key, body) in objects.iter().filter(|(key, _)| key.kind.ends_with("Binding") && !changed.contains(*key)) {
        if let Some(role) = role_of(key, body) {
            found.entry(role).or_default().push(key);
        }
    }
    found
}

/// The role of a binding.
fn role_of(binding: &ObjectKey, body: &Value) -> Option<ObjectKey> {
    let text = |key: &str| body.pointer(&format!("/roleRef/{key}")).and_then(Value::as_str).map(str::to_owned);
    let kind = text("kind")?;
    let namespace = binding.namespace.clone().filter(|_| kind == "Role");
    Some(ObjectKey { group: GROUP.to_owned(), kind, namespace, name: text("name")? })
}

/// Adds what a binding gives.
fn give(binding: &ObjectKey, body: &Value, objects: &Objects<'_>, all: &mut Rights) {
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

/// The rights of a role, one by one.
fn rules(role: &Value) -> BTreeSet<Right> {
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

/// `create, delete redis.eu-west-1.team-a`: a text for each set of verbs, with all that it goes for.
fn compact(rights: &BTreeSet<Right>) -> Vec<String> {
    let mut verbs: BTreeMap<(&str, Option<&str>), Vec<&str>> = BTreeMap::new();
    for (resource, name, verb) in rights {
        verbs.entry((resource, name.as_deref())).or_default().push(verb);
    }
    // The names of a resource's objects, then the resources.
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
    fn a_role_and_its_binding_that_come_together_are_told_once() {
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
    fn a_subject_that_goes_and_a_verb_that_goes() {
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
    fn nobody_loses_what_another_role_gives() {
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
    fn objects_by_name_are_named() {
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
