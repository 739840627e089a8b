//! RBAC objects that grant missing permissions and nothing else, for
//! `kubectl apply -f -`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::permission::Permission;
use crate::model::digest;
use crate::model::keys::SYSTEM_NAMESPACE;
use crate::model::names;
use crate::yaml::to_yaml;

const GROUP: &str = "rbac.authorization.k8s.io";

/// The objects that give `user` all of `missing`: a ClusterRole and its binding for permissions in all
/// namespaces, a Role and its binding in each namespace for the others. Empty if nothing is missing.
///
/// Their names contain a digest of the user and the rules, so that applying them does not replace the rules of
/// an earlier grant.
#[must_use]
pub(crate) fn grant(user: &str, missing: &[Permission]) -> Vec<Value> {
    let mut scopes: BTreeMap<Option<&str>, Vec<&Permission>> = BTreeMap::new();
    for permission in missing {
        // A permission that a wider one covers needs no rule.
        if !missing.iter().any(|other| other != permission && other.covers(permission)) {
            scopes.entry(permission.namespace.as_deref()).or_default().push(permission);
        }
    }
    let mut objects = Vec::new();
    for (namespace, list) in scopes {
        let rules = rules(&list);
        let text = format!("{user}\n{}", Value::Array(rules.clone()));
        let name = format!("carrier:{}", digest::short(text.as_bytes()));
        let metadata = match namespace {
            Some(namespace) => json!({ "name": name, "namespace": namespace }),
            None => json!({ "name": name }),
        };
        let (role, binding) = match namespace {
            Some(_) => ("Role", "RoleBinding"),
            None => ("ClusterRole", "ClusterRoleBinding"),
        };
        // `carrier apply` creates this namespace, but is not permitted to yet.
        if namespace == Some(SYSTEM_NAMESPACE) {
            let metadata = json!({ "name": SYSTEM_NAMESPACE });
            objects.push(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata }));
        }
        let api_version = format!("{GROUP}/v1");
        objects.push(json!({ "apiVersion": api_version, "kind": role, "metadata": metadata, "rules": rules }));
        objects.push(json!({
            "apiVersion": api_version,
            "kind": binding,
            "metadata": metadata,
            "roleRef": { "apiGroup": GROUP, "kind": role, "name": name },
            "subjects": [subject(user)],
        }));
    }
    objects
}

/// The objects as YAML documents, each with `---` before it.
#[must_use]
pub(crate) fn stream(objects: &[Value]) -> String {
    objects.iter().fold(String::new(), |text, object| text + "---\n" + &to_yaml(object))
}

/// The subject of a binding. The user name of a service account is `system:serviceaccount:NAMESPACE:NAME`.
fn subject(user: &str) -> Value {
    let account = user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let is_name =
        |(namespace, name): &(&str, &str)| names::dns_label(namespace).is_ok() && names::dns_subdomain(name).is_ok();
    match account.filter(is_name) {
        Some((namespace, name)) => json!({ "kind": "ServiceAccount", "name": name, "namespace": namespace }),
        None => json!({ "apiGroup": GROUP, "kind": "User", "name": user }),
    }
}

/// The permissions of one scope as few rules: first verbs of the same objects are merged, then names, then resources.
fn rules(list: &[&Permission]) -> Vec<Value> {
    type Texts<'a> = BTreeSet<&'a str>;
    let mut verbs: BTreeMap<(&str, &str, Option<&str>), Texts<'_>> = BTreeMap::new();
    for permission in list {
        let key = (permission.group.as_str(), permission.resource.as_str(), permission.name.as_deref());
        verbs.entry(key).or_default().insert(&permission.verb);
    }
    let mut names: BTreeMap<(&str, &str, bool, Texts<'_>), Texts<'_>> = BTreeMap::new();
    for ((group, resource, name), verbs) in verbs {
        names.entry((group, resource, name.is_some(), verbs)).or_default().extend(name);
    }
    let mut resources: BTreeMap<(&str, Texts<'_>, Texts<'_>), Texts<'_>> = BTreeMap::new();
    for ((group, resource, _, verbs), names) in names {
        resources.entry((group, names, verbs)).or_default().insert(resource);
    }
    let rule = |((group, names, verbs), resources): ((&str, Texts<'_>, Texts<'_>), Texts<'_>)| {
        let mut rule = json!({ "apiGroups": [group], "resources": resources, "verbs": verbs });
        if !names.is_empty() {
            rule["resourceNames"] = json!(names);
        }
        rule
    };
    resources.into_iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_missing_permissions_are_granted() {
        let all = |verb: &str, resource: &str| Permission::all(verb, "", resource);
        let missing = [
            all("list", "namespaces"),
            all("get", "namespaces").named("kube-system"),
            all("get", "secrets").within("team-a").named("one"),
            all("get", "secrets").within("team-a").named("two"),
            all("list", "pods"),
            all("list", "pods").within("team-a"),
        ];
        let objects = grant("ci", &missing);
        assert_eq!(objects.len(), 4);
        assert_eq!(
            objects[0]["rules"],
            json!([
                { "apiGroups": [""], "resources": ["namespaces", "pods"], "verbs": ["list"] },
                { "apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["kube-system"], "verbs": ["get"] },
            ])
        );
        let secrets = json!({
            "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one", "two"], "verbs": ["get"],
        });
        assert_eq!(objects[2]["rules"], json!([secrets]));
        assert_eq!(objects[3]["subjects"][0]["name"], "ci");
        assert!(stream(&objects).starts_with("---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n"));
        assert!(grant("ci", &[]).is_empty());
    }

    #[test]
    fn a_service_account_is_bound_as_a_service_account() {
        let subject = subject("system:serviceaccount:flux-system:carrier");
        assert_eq!(subject, json!({ "kind": "ServiceAccount", "name": "carrier", "namespace": "flux-system" }));
        assert_eq!(super::subject("system:serviceaccount:a:b:c")["kind"], "User", "no service account has this name");
    }
}
