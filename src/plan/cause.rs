//! From which objects of the repository a change follows.
//!
//! Retiring a service deletes its CRDs and an Offering of each tenant. All of that follows from one object that the
//! repository no longer has, and is allowed by its name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::offered;
use super::steps::crd_key;
use super::types::{Action, Change, Contents, Impact, KindCount, ObjectRef, Plan, Refusal};
use super::words::{NOT_ASKED, count, flag_name, impact, placed};
use crate::compile::route::RouteCrds;
use crate::model::cluster::ClusterId;
use crate::model::keys::{CONTROLLED_BY, ORIGIN_NAMESPACE, PROVIDER, SERVICE_CLUSTER, TENANT};
use crate::model::kinds::table::{CATALOG_GROUP, CORE_GROUP};
use crate::model::object::ObjectKey;

/// The kinds of causes, those first that more follows from.
const KINDS: [&str; 5] = ["Account", "ServiceCluster", "CatalogEntrySet", "CatalogEntry", "Catalog"];

/// The objects of the management cluster from which others may follow.
#[derive(Debug, Default)]
pub(crate) struct Causes<'a> {
    /// The objects, with their bodies.
    found: BTreeMap<ObjectKey, (&'a ObjectRef, &'a Value)>,
    /// The CatalogEntries by the CRDs that they name.
    entries: BTreeMap<String, Vec<ObjectKey>>,
    /// The Offerings by their tenants.
    offers: BTreeMap<String, Vec<ObjectKey>>,
    /// The Catalogs by the Offerings that come from them.
    catalogs: BTreeMap<ObjectKey, Vec<ObjectKey>>,
}

impl<'a> Causes<'a> {
    /// The causes among objects of the management cluster, each with its body.
    #[must_use]
    pub(crate) fn among(objects: impl IntoIterator<Item = (&'a ObjectRef, &'a Value)>) -> Self {
        let mut causes = Self::default();
        for (reference, body) in objects {
            let key = ObjectKey::from(reference);
            if key.is(CATALOG_GROUP, "CatalogEntry")
                && let Some(provider) = &key.namespace
                && let Some((names, _)) = RouteCrds::read(provider, body)
            {
                for crd in std::iter::once(names.internal).chain(names.derived) {
                    causes.entries.entry(crd).or_default().push(key.clone());
                }
            }
            if key.is(CATALOG_GROUP, "Offering")
                && let Some(tenant) = &key.namespace
            {
                causes.offers.entry(tenant.clone()).or_default().push(key.clone());
            }
            causes.found.insert(key, (reference, body));
        }
        causes
    }

    /// Finds out which Offerings come from the Catalogs among them. `all` are the objects of the management cluster.
    #[must_use]
    pub(crate) fn with_catalogs(self, all: impl Iterator<Item = (&'a ObjectKey, &'a Value)>) -> Self {
        let catalogs = self.found.iter().filter(|(key, _)| key.is(CATALOG_GROUP, "Catalog"));
        let catalogs = offered::offerings(catalogs.map(|(key, (_, body))| (key.clone(), *body)), all);
        Self { catalogs, ..self }
    }

    /// The causes of a change of an object, the one first that most follows from; itself, if it may be one.
    #[must_use]
    pub(crate) fn of(&self, object: &ObjectRef, body: &Value) -> Vec<ObjectRef> {
        let mut next = self.parents(object, body);
        if object.cluster == "management" {
            next.push(object.into());
        }
        let mut seen = BTreeMap::new();
        while let Some(key) = next.pop() {
            if let Some((one, body)) = self.found.get(&key)
                && seen.insert(key, *one).is_none()
            {
                next.extend(self.parents(one, body));
            }
        }
        let rank = |one: &ObjectRef| KINDS.iter().position(|kind| *kind == one.kind);
        let mut causes: Vec<(usize, &ObjectRef)> = seen.values().filter_map(|one| Some((rank(one)?, *one))).collect();
        causes.sort();
        causes.into_iter().map(|(_, one)| one.clone()).collect()
    }

    /// What an object follows from directly, whether or not that is there.
    fn parents(&self, object: &ObjectRef, body: &Value) -> Vec<ObjectKey> {
        let key = ObjectKey::from(object);
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        let label = |name: &str| body.pointer("/metadata/labels")?.get(name)?.as_str();
        if object.cluster != "management" {
            let Some(tenant) = label(TENANT).filter(|_| key.is("", "Namespace")) else { return Vec::new() };
            let assignment = label(PROVIDER).zip(label(SERVICE_CLUSTER)).map(|(provider, cluster)| ObjectKey {
                group: CORE_GROUP.to_owned(),
                ..named("ServiceClusterAssignment", provider, &format!("{tenant}.{cluster}"))
            });
            return std::iter::once(account(tenant)).chain(assignment).collect();
        }
        let provider = key.namespace.as_deref().or_else(|| label(ORIGIN_NAMESPACE));
        let of_cluster = |name: Option<&str>| name.zip(provider).map(|(name, provider)| cluster(provider, name));
        // An account is all that is in its namespace.
        let mut parents: Vec<ObjectKey> = provider.map(account).into_iter().collect();
        match key.kind.as_str() {
            "Namespace" => parents.push(account(&key.name)),
            "CatalogEntry" => {
                let set = label(CONTROLLED_BY).zip(provider);
                parents.extend(set.map(|(set, provider)| named("CatalogEntrySet", provider, set)));
                parents.extend(of_cluster(label(SERVICE_CLUSTER)));
            }
            "CustomResourceDefinition" => {
                parents.extend(self.entries.get(&key.name).into_iter().flatten().cloned());
                parents.extend(of_cluster(label(SERVICE_CLUSTER)));
            }
            "Offering" => {
                parents.extend(text("/spec/crd/name").map(crd_key));
                parents.extend(self.catalogs.get(&key).into_iter().flatten().cloned());
            }
            "ServiceClusterAssignment" => {
                let tenant = text("/spec/managementNamespace/name");
                let cluster = text("/spec/serviceCluster/name");
                parents.extend(tenant.map(account));
                parents.extend(of_cluster(cluster));
                // Nothing of the cluster is offered to the tenant any more.
                if let (Some(tenant), Some(cluster), Some(provider)) = (tenant, cluster, provider) {
                    parents.extend(self.offerings(tenant, &ClusterId::new(provider, cluster)));
                }
            }
            _ => {}
        }
        parents
    }

    /// The Offerings to a tenant of what is in a cluster.
    fn offerings(&self, tenant: &str, cluster: &ClusterId) -> Vec<ObjectKey> {
        let groups = [cluster.derived_group(), cluster.internal_group()];
        let is_of_cluster = |crd: &str| crd.split_once('.').is_some_and(|(_, group)| groups.iter().any(|g| g == group));
        let offers = self.offers.get(tenant).into_iter().flatten();
        offers.filter(|key| is_of_cluster(&key.name)).cloned().collect()
    }
}

fn account(name: &str) -> ObjectKey {
    ObjectKey { group: CATALOG_GROUP.to_owned(), kind: "Account".to_owned(), namespace: None, name: name.to_owned() }
}

fn named(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    let namespace = Some(namespace.to_owned());
    ObjectKey { group: CATALOG_GROUP.to_owned(), kind: kind.to_owned(), namespace, name: name.to_owned() }
}

fn cluster(provider: &str, name: &str) -> ObjectKey {
    ObjectKey { group: CORE_GROUP.to_owned(), ..named("ServiceCluster", provider, name) }
}

/// The refusal of changes that follow from the first cause of each of them, which `flag` allows by the name of that.
pub(crate) fn refusal(plan: &Plan, changes: &[&Change], guard: String, flag: &str) -> Refusal {
    let Some((first_one, cause)) = changes.first().and_then(|change| Some((change, change.causes.first()?))) else {
        return Refusal { guard, message: "several objects would change".to_owned(), flag: None };
    };
    let reason = first_one.reasons.first().map(|reason| reason.text.as_str()).unwrap_or_default();
    let name = |(index, change): (usize, &&Change)| match (index, change.action) {
        // The gravest, with what it means.
        (0, Action::Delete) => format!("{} ({reason})", placed(&change.object)),
        _ => placed(&change.object),
    };
    let names: Vec<String> = changes.iter().enumerate().map(name).take(NAMED).collect();
    let names = names.join(", ");
    let mut message = match first_one.action {
        Action::Delete => {
            let follows = |change: &&Change| change.action == Action::Delete && change.causes.contains(cause);
            let all = plan.changes.iter().filter(follows).count();
            let what = count(all, "object");
            format!(
                "{} is no longer in the repository, and {what} would be deleted with it, among them {names}",
                placed(cause)
            )
        }
        _ => {
            format!(
                "{} that come from {} would change, {names}: {reason}",
                count(changes.len(), "object"),
                placed(cause)
            )
        }
    };
    let together = together(changes);
    let is_told = together.destroyed_count > 0 || together.invalid_count > 0 || together.contents.is_some();
    if is_told || !together.left.is_empty() {
        let lines: Vec<String> = impact(&together, false).iter().map(|line| line.trim().to_owned()).collect();
        message = format!("{message} ({})", lines.join("; "));
    }
    Refusal { guard, message, flag: Some(format!("{flag} {}", flag_name(cause))) }
}

/// So many objects are named.
const NAMED: usize = 3;

/// The effects of changes on instances, each instance counted once: a namespace and a CRD may take the same along.
fn together(changes: &[&Change]) -> Impact {
    let mut all = Impact { unchecked: Some(NOT_ASKED.to_owned()), ..Impact::default() };
    let (mut destroyed, mut uids) = (BTreeSet::new(), BTreeSet::new());
    let (mut left, mut named, mut counted) = (BTreeSet::new(), 0, 0);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut uncounted = None;
    for impact in changes.iter().filter_map(|change| change.impact.as_ref()) {
        destroyed.extend(impact.destroyed.iter().cloned());
        uids.extend(&impact.destroyed_uids);
        all.instances += impact.instances;
        if !impact.left.is_empty() {
            left.extend(impact.left.iter().cloned());
            named = named.max(impact.left.len());
            counted = counted.max(impact.instances);
        }
        all.invalid_count += impact.invalid_count;
        all.invalid.extend(impact.invalid.iter().cloned());
        if let Some(contents) = &impact.contents {
            uncounted = uncounted.or_else(|| contents.uncounted.clone());
            for kind in &contents.kinds {
                *kinds.entry(&kind.kind).or_default() += kind.count;
            }
        }
    }
    // The same instances lose an Offering and a Role. If not all of them are named, the largest number is the least.
    left.retain(|instance| !destroyed.contains(instance));
    if !left.is_empty() {
        all.instances = if counted > named { counted.max(left.len()) } else { left.len() };
        all.left = left.into_iter().collect();
    }
    all.destroyed_count = destroyed.len().max(uids.len());
    all.destroyed = destroyed.into_iter().collect();
    let kinds: Vec<KindCount> =
        kinds.into_iter().map(|(kind, count)| KindCount { kind: kind.to_owned(), count }).collect();
    all.contents = (!kinds.is_empty() || uncounted.is_some()).then_some(Contents { kinds, uncounted });
    all
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(kind: &str, name: &str, labels: Value, spec: Value) -> (ObjectRef, Value) {
        let api_version = match kind {
            "Namespace" => "v1".to_owned(),
            "CustomResourceDefinition" => "apiextensions.k8s.io/v1".to_owned(),
            "ServiceCluster" | "ServiceClusterAssignment" => format!("{CORE_GROUP}/v1alpha1"),
            _ => format!("{CATALOG_GROUP}/v1alpha1"),
        };
        let (namespace, name) = match name.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
            None => (None, name.to_owned()),
        };
        let body = json!({"metadata": {"name": name, "labels": labels}, "spec": spec});
        (ObjectRef { cluster: "management".into(), api_version, kind: kind.into(), namespace, name }, body)
    }

    /// A service of team-a in the cluster eu that was retired, and the account team-b that has left.
    fn gone() -> Vec<(ObjectRef, Value)> {
        let of_crd = json!({ORIGIN_NAMESPACE: "team-a", SERVICE_CLUSTER: "eu"});
        let derive = json!({"expose": [{"versions": ["v1"], "fields": [{"jsonPath": ".spec.size"}]}]});
        let spec = json!({"metadata": {"displayName": "X"}, "baseCRD": {"name": "caches.internal.eu.team-a"}, "derive": derive});
        let managed = json!({"managementNamespace": {"name": "team-b"}, "serviceCluster": {"name": "eu"}});
        vec![
            object("CatalogEntrySet", "team-a/cache", json!({}), json!({})),
            object("CatalogEntry", "team-a/cache.eu", json!({CONTROLLED_BY: "cache", SERVICE_CLUSTER: "eu"}), spec),
            object("CustomResourceDefinition", "caches.internal.eu.team-a", of_crd.clone(), json!({})),
            object("CustomResourceDefinition", "caches.eu.team-a", of_crd, json!({})),
            object("Offering", "team-b/caches.eu.team-a", json!({}), json!({"crd": {"name": "caches.eu.team-a"}})),
            object("ServiceClusterAssignment", "team-a/team-b.eu", json!({}), managed),
            object("Account", "team-b", json!({}), json!({})),
            object("Namespace", "team-b", json!({}), json!({})),
        ]
    }

    fn causes(objects: &[(ObjectRef, Value)], index: usize) -> Vec<String> {
        let causes = Causes::among(objects.iter().map(|(one, body)| (one, body)));
        let (about, body) = &objects[index];
        causes.of(about, body).iter().map(super::super::words::flag_name).collect()
    }

    #[test]
    fn what_follows_from_an_object_says_so() {
        let gone = gone();
        let service = ["catalogentryset/team-a/cache", "catalogentry/team-a/cache.eu"];
        assert_eq!(causes(&gone, 0), service[..1]);
        for of_service in [1, 2, 3] {
            assert_eq!(causes(&gone, of_service), service, "{:?}", gone[of_service].0);
        }
        assert_eq!(causes(&gone, 4), [&["account/team-b"], &service[..]].concat());
        // The cluster has nothing else for the tenant.
        assert_eq!(causes(&gone, 5), [&["account/team-b"], &service[..]].concat());
        for of_account in [6, 7] {
            assert_eq!(causes(&gone, of_account), ["account/team-b"], "{:?}", gone[of_account].0);
        }
    }

    #[test]
    fn what_is_still_there_is_no_cause() {
        let mut gone = gone();
        gone.remove(0);
        assert_eq!(causes(&gone, 0), ["catalogentry/team-a/cache.eu"]);
        gone.truncate(4);
        assert_eq!(causes(&gone[1..], 2), Vec::<String>::new(), "its CRD goes for another reason");
        let space = ObjectRef { cluster: "team-a/eu".into(), ..object("Namespace", "b-x", json!({}), json!({})).0 };
        let account = object("Account", "team-b", json!({}), json!({}));
        let causes = Causes::among([(&account.0, &account.1)]);
        assert_eq!(
            causes.of(&space, &json!({"metadata": {"labels": {TENANT: "team-b"}}})),
            std::slice::from_ref(&account.0)
        );
        assert_eq!(causes.of(&space, &json!({"metadata": {"labels": {TENANT: "team-c"}}})), []);
        // Of a tenant that stays, it follows from the assignment.
        let left = &self::gone()[..6];
        let causes = Causes::among(left.iter().map(|(one, body)| (one, body)));
        let labels = json!({TENANT: "team-b", PROVIDER: "team-a", SERVICE_CLUSTER: "eu"});
        let found = causes.of(&space, &json!({"metadata": {"labels": labels}}));
        assert_eq!(found.iter().map(|one| &*one.kind).collect::<Vec<_>>(), ["CatalogEntrySet", "CatalogEntry"]);
    }
}
