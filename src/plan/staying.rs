//! What is in the management cluster of services and offers that the repository no longer has, and that this run does not
//! delete: sync must be able to follow their instances until they are gone. Found by the inventory, as what is deleted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::access_change::rules;
use super::inventory::Inventory;
use super::live::{LiveCluster, LiveObject};
use super::steps::crd_key;
use crate::compile::render::Manifest;
use crate::compile::render::staying::{GroupPlural, Staying, StayingIn, StayingKinds, crd_name};
use crate::compile::route::RouteCrds;
use crate::model::cluster::ClusterId;
use crate::model::keys::{BASE_CRD, ORIGIN_NAMESPACE, SERVICE_CLUSTER, SERVICE_NAMESPACE, SYNC_ROLE, TENANT};
use crate::model::kinds::table::{CATALOG_GROUP, CORE_GROUP};
use crate::model::object::{ManifestId, ObjectKey};

/// What stays, by the objects of the management cluster. `is_wanted` says what the repository has.
#[must_use]
pub(crate) fn staying(live: &LiveCluster, inventory: &Inventory, is_wanted: impl Fn(&ObjectKey) -> bool) -> Staying {
    let members = || live.objects.iter().filter(|(_, object)| inventory.is_member(object));
    let gone = || members().filter(|(key, _)| !is_wanted(key));
    let services = services(members());
    let mut clusters: BTreeMap<ClusterId, StayingIn> = BTreeMap::new();
    for (id, kinds) in gone().filter(|(key, _)| key.is_crd()).filter_map(|(_, crd)| of_crd(&crd.body, &services)) {
        clusters.entry(id).or_default().kinds.extend(&kinds);
    }
    for (key, offering) in gone().filter(|(key, _)| key.is(CATALOG_GROUP, "Offering")) {
        let crd = offering.body.pointer("/spec/crd/name").and_then(Value::as_str);
        if let (Some(tenant), Some((id, kinds))) = (&key.namespace, crd.and_then(|name| services.get(name))) {
            clusters.entry(id.clone()).or_default().offered.entry(tenant.clone()).or_default().extend(kinds);
        }
    }
    for (key, assignment) in gone().filter(|(key, _)| key.is(CORE_GROUP, "ServiceClusterAssignment")) {
        let cluster = assignment.body.pointer("/spec/serviceCluster/name").and_then(Value::as_str);
        let annotations = assignment.body.pointer("/metadata/annotations");
        let namespace = annotations.and_then(|all| all.get(SERVICE_NAMESPACE)?.as_str());
        if let (Some(provider), Some(cluster), Some(namespace)) = (&key.namespace, cluster, namespace) {
            let here = clusters.entry(ClusterId::new(provider, cluster)).or_default();
            here.namespaces.insert(namespace.to_owned());
            let tenant = assignment.body.pointer("/spec/managementNamespace/name").and_then(Value::as_str);
            // No Role can be made in a namespace that is being deleted.
            let is_going =
                |name: &str| live.objects.get(&ObjectKey::of_namespace(name)).is_some_and(LiveObject::is_terminating);
            here.tenants.extend(
                tenant.filter(|tenant| !is_going(tenant)).map(|tenant| (tenant.to_owned(), namespace.to_owned())),
            );
        }
    }
    Staying { clusters }
}

/// Leaves out the former tenants whose namespace in a service cluster is not there, by the objects of the cluster: no copy
/// can be in it, and no Role can be made in it.
pub(crate) fn without_absent(staying: &mut Staying, id: &ClusterId, live: Option<&LiveCluster>) {
    let Some(here) = staying.clusters.get_mut(id) else { return };
    here.tenants.retain(|_, name| {
        live.and_then(|live| live.objects.get(&ObjectKey::of_namespace(name)))
            .is_some_and(|space| !space.is_terminating())
    });
}

/// A service that a tenant is no longer offered, and whose instances sync may still have to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Former {
    /// The service cluster.
    pub cluster: ClusterId,
    /// The tenant.
    pub tenant: String,
    /// The CRD that the tenant used.
    pub crd: String,
    /// The kinds of the service.
    kinds: StayingKinds,
}

/// What would be taken from the roles of sync in a service cluster, though the service stays: if its Offering was pruned,
/// nothing else says who may have instances of it.
#[must_use]
pub(crate) fn former(
    (management, inventory, is_wanted): (&LiveCluster, &Inventory, impl Fn(&ObjectKey) -> bool),
    id: &ClusterId,
    (live, own, wanted): (&LiveCluster, &Inventory, &[Manifest]),
) -> Vec<Former> {
    let members = management.objects.iter().filter(|(_, object)| inventory.is_member(object));
    let services = services(members);
    let mut found = Vec::new();
    for manifest in wanted.iter().filter(|manifest| manifest.id.kind == "Role" && manifest.id.name == SYNC_ROLE) {
        let key = ObjectKey::from(&manifest.id);
        let role = live.objects.get(&key).filter(|role| own.is_member(role));
        let Some((role, tenant)) = role.zip(key.namespace.as_deref().and_then(|name| tenant_of(live, name))) else {
            continue;
        };
        let will = rules(&manifest.body);
        let lost = rules(&role.body).into_iter().filter(|right| !will.contains(right));
        let lost: BTreeSet<String> = lost.map(|(resource, ..)| resource).collect();
        for (crd, (cluster, kinds)) in &services {
            let is_lost = kinds.base.iter().any(|base| lost.contains(&crd_name(base)));
            if cluster == id && is_lost && is_wanted(&crd_key(crd)) {
                let (cluster, tenant) = (cluster.clone(), tenant.to_owned());
                found.push(Former { cluster, tenant, crd: crd.clone(), kinds: kinds.clone() });
            }
        }
    }
    found
}

/// The tenant of a namespace in a service cluster.
fn tenant_of<'a>(live: &'a LiveCluster, namespace: &str) -> Option<&'a str> {
    let space = live.objects.get(&ObjectKey::of_namespace(namespace))?;
    space.body.pointer("/metadata/labels")?.get(TENANT)?.as_str()
}

/// Adds what is left of services to what stays.
pub(crate) fn add(staying: &mut Staying, left: impl IntoIterator<Item = Former>) {
    for Former { cluster, tenant, kinds, .. } in left {
        staying.clusters.entry(cluster).or_default().offered.entry(tenant).or_default().extend(&kinds);
    }
}

/// The roles of sync in a cluster that lack a permission for what stays: an earlier version of carrier took it away with
/// the service, or never gave it. `beside` are the objects of the cluster with what stays, `wanted` those without.
#[must_use]
pub(crate) fn lacking(beside: &[Manifest], wanted: &[Manifest], live: &LiveCluster) -> Vec<ObjectKey> {
    let known: BTreeMap<&ManifestId, &Value> = wanted.iter().map(|manifest| (&manifest.id, &*manifest.body)).collect();
    let is_role = |manifest: &&Manifest| {
        matches!(manifest.id.kind.as_str(), "Role" | "ClusterRole") && manifest.id.name.starts_with(SYNC_ROLE)
    };
    let lacking = beside.iter().filter(is_role).filter_map(|manifest| {
        let usual = known.get(&manifest.id).map(|body| rules(body)).unwrap_or_default();
        let key = ObjectKey::from(&manifest.id);
        let has = live.objects.get(&key).map(|object| rules(&object.body)).unwrap_or_default();
        let needed = rules(&manifest.body);
        needed.iter().any(|right| !usual.contains(right) && !has.contains(right)).then_some(key)
    });
    lacking.collect()
}

/// The services by the name of the CRD that tenants use, as the CatalogEntries and the CRDs have them.
fn services<'a>(
    members: impl Iterator<Item = (&'a ObjectKey, &'a LiveObject)> + Clone,
) -> BTreeMap<String, (ClusterId, StayingKinds)> {
    let crds: BTreeMap<&str, &Value> =
        members.clone().filter(|(key, _)| key.is_crd()).map(|(key, crd)| (key.name.as_str(), &crd.body)).collect();
    let entries = members.filter(|(key, _)| key.is(CATALOG_GROUP, "CatalogEntry"));
    let services = entries.filter_map(|(key, entry)| {
        let (names, _) = RouteCrds::read(key.namespace.as_deref()?, &entry.body)?;
        let internal = crds.get(names.internal.as_str());
        let mut kinds = StayingKinds::default();
        let tenant = names.tenant().to_owned();
        kinds.tenant.extend(kind(&tenant));
        kinds.internal.extend(kind(&names.internal).filter(|_| names.derived.is_some()));
        kinds.base.extend(internal.and_then(|crd| base(crd)));
        Some((tenant, (names.cluster, kinds)))
    });
    services.collect()
}

/// The kinds of the service of a CRD. Without a CatalogEntry an internal CRD is taken for one of copies.
fn of_crd(crd: &Value, services: &BTreeMap<String, (ClusterId, StayingKinds)>) -> Option<(ClusterId, StayingKinds)> {
    let label = |key: &str| crd.pointer("/metadata/labels")?.get(key)?.as_str();
    let id = ClusterId::new(label(ORIGIN_NAMESPACE)?, label(SERVICE_CLUSTER)?);
    let name = crd.pointer("/metadata/name").and_then(Value::as_str)?;
    if let Some((_, kinds)) = services.get(name) {
        return Some((id, kinds.clone()));
    }
    let (group, plural) = kind(name)?;
    let mut kinds = StayingKinds::default();
    if group == id.internal_group() {
        kinds.internal.insert((group, plural));
        kinds.base.extend(base(crd));
    } else if group == id.derived_group() {
        kinds.tenant.insert((group, plural));
    }
    Some((id, kinds))
}

/// The kind in the service cluster, as an internal CRD names it.
fn base(crd: &Value) -> Option<GroupPlural> {
    kind(crd.pointer("/metadata/annotations")?.get(BASE_CRD)?.as_str()?)
}

/// The kind that a CRD of this name defines.
fn kind(crd: &str) -> Option<GroupPlural> {
    let (plural, group) = crd.split_once('.')?;
    Some((group.to_owned(), plural.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cluster::Target;
    use crate::plan::inventory;
    use crate::plan::live::PART_OF;
    use serde_json::json;

    const CRD: (&str, &str) = ("apiextensions.k8s.io", "CustomResourceDefinition");

    /// An object of the inventory in the management cluster.
    fn member((group, kind): (&str, &str), name: &str, more: Value) -> (ObjectKey, LiveObject) {
        let (namespace, name) = name.split_once('/').map_or((None, name), |(namespace, name)| (Some(namespace), name));
        let key = ObjectKey {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.map(str::to_owned),
            name: name.into(),
        };
        let mut body = more;
        let label = format!("f:{PART_OF}");
        body["metadata"]["name"] = json!(name);
        body["metadata"]["labels"][PART_OF] = json!(inventory::of(&Target::Management, "carrier", None).id);
        body["metadata"]["managedFields"] = json!([{"manager": "carrier", "operation": "Apply", "apiVersion": "v1",
            "fieldsV1": {"f:metadata": {"f:labels": {label: {}}}}}]);
        (key, LiveObject { body })
    }

    fn crd(name: &str, base: Option<&str>) -> (ObjectKey, LiveObject) {
        let annotations = base.map_or_else(|| json!({}), |base| json!({BASE_CRD: base}));
        let labels = json!({ORIGIN_NAMESPACE: "team-a", SERVICE_CLUSTER: "eu"});
        member(CRD, name, json!({"metadata": {"labels": labels, "annotations": annotations}}))
    }

    fn entry(plural: &str, derive: bool) -> (ObjectKey, LiveObject) {
        let crd = format!("{plural}.internal.eu.team-a");
        let mut spec = json!({"metadata": {"displayName": "x"}, "baseCRD": {"name": crd}});
        if derive {
            spec["derive"] = json!({"expose": []});
        }
        member((CATALOG_GROUP, "CatalogEntry"), &format!("team-a/{plural}.eu"), json!({"spec": spec}))
    }

    fn offering(tenant: &str, crd: &str) -> (ObjectKey, LiveObject) {
        member((CATALOG_GROUP, "Offering"), &format!("{tenant}/{crd}"), json!({"spec": {"crd": {"name": crd}}}))
    }

    fn found(objects: Vec<(ObjectKey, LiveObject)>, wanted: &[&str]) -> Staying {
        let live = LiveCluster { objects: objects.into_iter().collect(), ..LiveCluster::default() };
        staying(&live, &inventory::of(&Target::Management, "carrier", None), |key| wanted.contains(&key.name.as_str()))
    }

    /// The names of kinds, without what all have in common.
    fn names(kinds: &StayingKinds) -> String {
        let list = |kinds: &BTreeSet<GroupPlural>| {
            let names: Vec<String> = kinds.iter().map(|(group, plural)| format!("{plural}.{group}")).collect();
            names.join(" ").replace(".eu.team-a", "")
        };
        format!("{}|{}|{}", list(&kinds.tenant), list(&kinds.internal), list(&kinds.base))
    }

    fn redis() -> Vec<(ObjectKey, LiveObject)> {
        vec![
            crd("redis.eu.team-a", None),
            crd("redis.internal.eu.team-a", Some("redis.redis.io")),
            entry("redis", true),
            offering("team-b", "redis.eu.team-a"),
        ]
    }

    const ALL: [&str; 3] = ["redis.eu.team-a", "redis.internal.eu.team-a", "redis.eu"];

    #[test]
    fn what_the_repository_has_does_not_stay() {
        assert!(found(redis(), &ALL).is_empty());
    }

    #[test]
    fn a_service_stays_with_its_kinds_and_for_the_tenants_that_were_offered_it() {
        let staying = found(redis(), &[]);
        let here = &staying.clusters[&ClusterId::new("team-a", "eu")];
        assert_eq!(names(&here.kinds), "redis|redis.internal|redis.redis.io");
        assert_eq!(names(&here.offered["team-b"]), "redis|redis.internal|redis.redis.io");
    }

    #[test]
    fn an_offer_stays_without_its_service() {
        let mut objects = redis();
        objects.push(offering("team-c", "redis.eu.team-a"));
        // The Offering of team-b has the name of the CRD, as each has.
        objects.retain(|(key, _)| key.namespace.as_deref() != Some("team-b"));
        let wanted: Vec<&str> = ALL[1..].to_vec();
        let staying = found(objects, &wanted);
        assert_eq!(
            names(&staying.clusters[&ClusterId::new("team-a", "eu")].offered["team-c"]),
            "redis|redis.internal|redis.redis.io"
        );
    }

    #[test]
    fn a_service_without_derive_has_no_copies_in_the_management_cluster() {
        let objects = vec![crd("redis.internal.eu.team-a", Some("redis.redis.io")), entry("redis", false)];
        let staying = found(objects, &[]);
        assert_eq!(names(&staying.clusters[&ClusterId::new("team-a", "eu")].kinds), "redis.internal||redis.redis.io");
    }

    #[test]
    fn without_its_entry_a_service_is_known_by_its_crds() {
        let mut objects = redis();
        objects.retain(|(key, _)| key.is_crd());
        let staying = found(objects, &[]);
        assert_eq!(
            names(&staying.clusters[&ClusterId::new("team-a", "eu")].kinds),
            "redis|redis.internal|redis.redis.io"
        );
    }

    #[test]
    fn the_namespace_of_a_tenant_that_is_no_longer_served_stays() {
        let assignment = |name: &str, namespace: &str| {
            let spec = json!({"serviceCluster": {"name": "eu"}, "managementNamespace": {"name": name}});
            let metadata = json!({"annotations": {SERVICE_NAMESPACE: namespace}});
            let body = json!({"spec": spec, "metadata": metadata});
            member((CORE_GROUP, "ServiceClusterAssignment"), &format!("team-a/{name}.eu"), body)
        };
        let staying = found(vec![assignment("team-b", "team-b-x"), assignment("team-c", "team-c-y")], &["team-c.eu"]);
        let here = &staying.clusters[&ClusterId::new("team-a", "eu")];
        assert_eq!(here.namespaces.iter().collect::<Vec<_>>(), ["team-b-x"]);
        assert_eq!(here.tenants, [("team-b".to_owned(), "team-b-x".to_owned())].into());
        let id = ClusterId::new("team-a", "eu");
        let tenants = |space: Option<Value>| {
            let objects = space.map(|body| member(("", "Namespace"), "team-b-x", body)).into_iter().collect();
            let mut staying = staying.clone();
            without_absent(&mut staying, &id, Some(&LiveCluster { objects, ..LiveCluster::default() }));
            staying.clusters[&id].tenants.len()
        };
        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert_eq!([tenants(Some(json!({}))), tenants(None), tenants(Some(going))], [1, 0, 0]);
    }

    #[test]
    fn a_role_lacks_what_only_the_staying_service_needs() {
        let role = |kinds: &[&str]| {
            let rules =
                kinds.iter().map(|kind| json!({"apiGroups": ["g"], "resources": [kind], "verbs": ["get", "list"]}));
            json!({"kind": "ClusterRole", "metadata": {"name": SYNC_ROLE}, "rules": rules.collect::<Vec<_>>()})
        };
        let manifest = |kinds: &[&str]| Manifest {
            id: ManifestId {
                api_version: "rbac.authorization.k8s.io/v1".into(),
                kind: "ClusterRole".into(),
                namespace: None,
                name: SYNC_ROLE.into(),
            },
            stage: crate::model::object::Stage::Rbac,
            body: std::sync::Arc::new(role(kinds)),
            cause: crate::compile::render::Cause::Always,
        };
        let lacks = |wanted: &[&str], beside: &[&str], has: Option<&[&str]>| {
            let key = ObjectKey::from(&manifest(&[]).id);
            let objects = has.map(|kinds| (key, LiveObject { body: role(kinds) })).into_iter().collect();
            !lacking(&[manifest(beside)], &[manifest(wanted)], &LiveCluster { objects, ..LiveCluster::default() })
                .is_empty()
        };
        assert!(!lacks(&["new"], &["new", "old"], Some(&["old"])), "the run itself gives what is new");
        assert!(lacks(&["new"], &["new", "old"], Some(&["new"])));
        assert!(lacks(&["new"], &["new", "old"], None));
        assert!(!lacks(&["new"], &["new"], None));
    }

    #[test]
    fn a_former_offer_is_known_by_the_role_of_sync_in_the_namespace_of_the_tenant() {
        const RBAC: &str = "rbac.authorization.k8s.io";
        let id = ClusterId::new("team-a", "eu");
        let role = |kinds: &[&str]| {
            let rules =
                kinds.iter().map(|kind| json!({"apiGroups": ["redis.io"], "resources": [kind], "verbs": ["delete"]}));
            json!({"rules": rules.collect::<Vec<_>>()})
        };
        let wanted = |kinds: &[&str]| Manifest {
            id: ManifestId {
                api_version: format!("{RBAC}/v1"),
                kind: "Role".into(),
                namespace: Some("team-b-x".into()),
                name: SYNC_ROLE.into(),
            },
            stage: crate::model::object::Stage::Rbac,
            body: std::sync::Arc::new(role(kinds)),
            cause: crate::compile::render::Cause::Always,
        };
        let own = inventory::of(&Target::Management, "carrier", None);
        let management = LiveCluster { objects: redis().into_iter().collect(), ..LiveCluster::default() };
        let space = member(("", "Namespace"), "team-b-x", json!({"metadata": {"labels": {TENANT: "team-b"}}}));
        let has = member((RBAC, "Role"), &format!("team-b-x/{SYNC_ROLE}"), role(&["redis", "caches"]));
        let live = LiveCluster { objects: [space, has].into_iter().collect(), ..LiveCluster::default() };
        let found = |kinds: &[&str], stays: bool| {
            let found = former((&management, &own, |_: &ObjectKey| stays), &id, (&live, &own, &[wanted(kinds)]));
            found.into_iter().map(|former| format!("{} {}", former.tenant, former.crd)).collect::<Vec<_>>()
        };
        assert_eq!(found(&["caches"], true), ["team-b redis.eu.team-a"]);
        assert_eq!(found(&["caches", "redis"], true), Vec::<String>::new());
        assert_eq!(found(&["caches"], false), Vec::<String>::new(), "the service goes with its instances");
    }

    #[test]
    fn what_belongs_to_another_inventory_does_not_stay() {
        let mut objects = redis();
        for (_, object) in &mut objects {
            object.body["metadata"]["labels"][PART_OF] = json!("another");
        }
        assert!(found(objects, &[]).is_empty());
    }
}
