//! What else is in a namespace that would be deleted: the objects of all kinds that the server has, besides the instances of
//! services, which are counted one by one, and carrier's own objects.
//!
//! It is a number for the person who decides. What cannot be listed is said and prevents nothing: the account that plans
//! usually cannot read everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::client::Cluster;
use super::error::ErrorKind;
use super::request::{ApiRequest, Selection};
use crate::model::object::ObjectKey;
use crate::model::plain;
use crate::model::resource::Resource;
use crate::plan::types::{Contents, KindCount};

/// So many namespaces are looked into. With more of them nobody reads the numbers, and each costs a request for each kind.
const NAMESPACES: usize = 20;
/// So many kinds are asked for. Clusters have a few hundred; a server may say that it has any number.
const KINDS: usize = 500;
/// So long all of it may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// So many requests are sent at a time.
const AT_ONCE: usize = 8;
/// So many objects of a kind are looked at; of the others the server says the number.
const PAGE: u32 = 500;
/// Kinds that say nothing of what is lost: they are made of other objects, or of what has happened to them.
const DERIVED: [(&str, &str); 6] = [
    ("", "events"),
    ("events.k8s.io", "events"),
    ("", "endpoints"),
    ("discovery.k8s.io", "endpointslices"),
    ("apps", "controllerrevisions"),
    ("metrics.k8s.io", "pods"),
];

/// Counts what is in these namespaces. `counted` are the kinds of instances that are counted elsewhere, `ours` the objects
/// that are carrier's.
pub(super) async fn contents(
    cluster: &Cluster,
    namespaces: &[&str],
    counted: &BTreeSet<(String, String)>,
    ours: impl Fn(&ObjectKey) -> bool,
) -> BTreeMap<String, Contents> {
    let mut found = BTreeMap::new();
    if namespaces.is_empty() {
        return found;
    }
    let (near, far) = namespaces.split_at(NAMESPACES.min(namespaces.len()));
    let kinds: Result<Vec<Resource>, &str> = kinds(cluster).await;
    let kinds = kinds.map(|kinds| {
        let is_meant = |kind: &Resource| !counted.contains(&(kind.group.clone(), kind.kind.clone()));
        kinds.into_iter().filter(is_meant).collect::<Vec<_>>()
    });
    let until = Instant::now() + PATIENCE;
    let mut given_up = kinds.as_ref().err().copied();
    for namespace in near {
        let contents = match (&kinds, given_up) {
            (Ok(kinds), None) => {
                let (contents, why) = of_namespace(cluster, namespace, kinds, &ours, until).await;
                given_up = why;
                contents
            }
            (_, why) => Contents { kinds: Vec::new(), uncounted: why.map(str::to_owned) },
        };
        found.insert((*namespace).to_owned(), contents);
    }
    let many = || format!("more than {NAMESPACES} namespaces would be deleted");
    let rest =
        far.iter().map(|namespace| ((*namespace).to_owned(), Contents { kinds: Vec::new(), uncounted: Some(many()) }));
    found.extend(rest);
    found
}

/// The kinds in namespaces that the server can list.
async fn kinds(cluster: &Cluster) -> Result<Vec<Resource>, &'static str> {
    let mut kinds = Vec::new();
    for path in ["/api", "/apis"] {
        let groups = cluster.call(&ApiRequest::discovery(path)).await;
        let groups = groups.map_err(|_| "the server does not say which kinds it has")?;
        let Some(groups) = groups.get("items").and_then(Value::as_array) else {
            return Err("the server does not say which kinds it has");
        };
        for group in groups {
            of_group(group, &mut kinds);
        }
    }
    Ok(kinds)
}

/// The kinds of one group of the aggregated discovery, each in the version that the server prefers.
fn of_group(group: &Value, kinds: &mut Vec<Resource>) {
    let text = |value: &'_ Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let name = text(group, "/metadata/name").unwrap_or_default();
    let mut known = BTreeSet::new();
    for version in group.get("versions").and_then(Value::as_array).into_iter().flatten() {
        let Some(version_name) = text(version, "/version") else { continue };
        for resource in version.get("resources").and_then(Value::as_array).into_iter().flatten() {
            let Some(plural) = text(resource, "/resource") else { continue };
            let verbs = resource.get("verbs").and_then(Value::as_array);
            let is_listed = verbs.into_iter().flatten().any(|verb| verb == "list");
            let is_namespaced = text(resource, "/scope").as_deref() == Some("Namespaced");
            let is_derived = DERIVED.contains(&(&name, &plural));
            if is_listed && is_namespaced && !is_derived && known.insert(plural.clone()) {
                let kind = text(resource, "/responseKind/kind").unwrap_or_else(|| plural.clone());
                kinds.push(Resource::new(&name, &version_name, &kind, &plural, true));
            }
        }
    }
}

async fn of_namespace(
    cluster: &Cluster,
    namespace: &str,
    kinds: &[Resource],
    ours: impl Fn(&ObjectKey) -> bool,
    until: Instant,
) -> (Contents, Option<&'static str>) {
    let asking: Vec<_> = kinds
        .iter()
        .take(KINDS)
        .map(|kind| async move {
            let selection = Selection::all(kind).within(Some(namespace)).metadata_only();
            (kind, cluster.call(&ApiRequest::list(&selection, PAGE, None)).await)
        })
        .collect();
    let mut answers = std::pin::pin!(stream::iter(asking).buffered(AT_ONCE));
    let (mut counts, mut unlisted) = (Vec::new(), kinds.len().saturating_sub(KINDS));
    let given_up = loop {
        let (kind, answer) = match timeout_at(until, answers.next()).await {
            Ok(Some(told)) => told,
            Ok(None) => break None,
            Err(_) => break Some("it took too long"),
        };
        match answer {
            Ok(list) => {
                let count = count(&list, kind, namespace, &ours);
                if count > 0 {
                    counts.push(KindCount { kind: plain::name(&kind.full_name()).into_owned(), count });
                }
            }
            // A CRD that was deleted since has no objects.
            Err(error) if error.is_absent() => {}
            // Nobody waits for the same silence seventy times.
            Err(error) if error.is_of_connection() || error.kind == ErrorKind::Slow => {
                break Some("the server did not answer");
            }
            Err(_) => unlisted += 1,
        }
    };
    counts.sort();
    let uncounted = match given_up {
        Some(why) => Some(why.to_owned()),
        None => (unlisted > 0).then(|| format!("{unlisted} of {} kinds could not be listed", kinds.len())),
    };
    (Contents { kinds: counts, uncounted }, given_up)
}

/// The objects of a list that somebody would miss.
fn count(list: &Value, kind: &Resource, namespace: &str, ours: impl Fn(&ObjectKey) -> bool) -> usize {
    let items = list.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_missed = |object: &&Value| {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let is_controlled = owners.into_iter().flatten().any(|owner| owner["controller"] == true);
        // Every namespace has these.
        let is_usual =
            matches!((kind.plural.as_str(), name), ("configmaps", "kube-root-ca.crt") | ("serviceaccounts", "default"));
        let key = ObjectKey {
            group: kind.group.clone(),
            kind: kind.kind.clone(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        };
        !is_controlled && !is_usual && !ours(&key)
    };
    let more = list.pointer("/metadata/remainingItemCount").and_then(Value::as_u64).unwrap_or_default();
    items.iter().filter(is_missed).count().saturating_add(usize::try_from(more).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_is_asked_for_once_in_the_preferred_version() {
        let resource = |plural: &str, scope: &str, verbs: &[&str]| json!({"resource": plural, "scope": scope, "verbs": verbs, "responseKind": {"kind": plural.to_uppercase()}});
        let group = json!({"metadata": {"name": "apps"}, "versions": [
            {"version": "v1", "resources": [
                resource("deployments", "Namespaced", &["get", "list"]), resource("nodes", "Cluster", &["list"]),
                resource("controllerrevisions", "Namespaced", &["list"]), resource("scales", "Namespaced", &["create"]),
            ]},
            {"version": "v1beta1", "resources": [
                resource("deployments", "Namespaced", &["list"]), resource("olds", "Namespaced", &["list"]),
            ]},
        ]});
        let mut kinds = Vec::new();
        of_group(&group, &mut kinds);
        let names: Vec<String> = kinds.iter().map(|kind| format!("{} {}", kind.api_version(), kind.kind)).collect();
        assert_eq!(names, ["apps/v1 DEPLOYMENTS", "apps/v1beta1 OLDS"]);
    }

    #[test]
    fn what_nobody_would_miss_is_not_counted() {
        let object = |name: &str| json!({"metadata": {"name": name}});
        let mut pod = object("of-a-replica-set");
        pod["metadata"]["ownerReferences"] = json!([{"controller": true}]);
        let list = json!({"metadata": {"remainingItemCount": 7}, "items": [object("kube-root-ca.crt"), object("ours"), pod, object("a")]});
        let maps = Resource::new("", "v1", "ConfigMap", "configmaps", true);
        assert_eq!(count(&list, &maps, "n", |key| key.name == "ours"), 8);
        assert_eq!(count(&json!({"items": []}), &maps, "n", |_| false), 0);
    }
}
