//! What the changes of a plan mean for instances: those of a CRD that changes or
//! goes, those in a namespace that goes, and those whose service goes.
//!
//! A kind is listed once, however many changes ask for it.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use futures::stream::{self, StreamExt as _};
use serde_json::Value;

use super::access::lacking;
use super::client::Cluster;
use super::contents::contents;
use super::error::{ClusterError, ErrorKind};
use super::instances::{Census, Fate, Where, census, impact};
use super::policies::Policies;
use super::request::ApiRequest;
use super::trial::try_schema;
use crate::compile::route::RouteCrds;
use crate::model::cluster::{ClusterId, Target};
use crate::model::crd::{Version, versions};
use crate::model::keys::{ORIGIN_NAMESPACE, SERVICE_CLUSTER, TENANT};
use crate::model::kinds::table::{CATALOG_GROUP, CORE_GROUP};
use crate::model::object::ObjectKey;
use crate::model::resource::Resource;
use crate::plan::build::{DryRunResult, Queries};
use crate::plan::live::LiveCluster;
use crate::plan::losing::Lost;
use crate::plan::permissions::{Permission, trial_needs};
use crate::plan::types::{Counted, CountedKind, Impact};

/// So many schemas are tried at a time. An API server holds back the first objects of a new kind for two
/// seconds, and trials that run together wait together.
const TRIALS: usize = 8;

/// Why the instances of a CRD cannot be listed.
pub(super) const UNSERVED: &str = "none of the versions of the CRD is served";
/// Why instances were not tried.
const NO_RIGHT: &str = "the account may not create the temporary CRD to try them in";
/// Why nothing is known of the instances in a namespace of a service cluster.
const NO_BASE: &str = "no role of carrier's in the cluster names a kind of instances";

/// Which instances a change is about.
struct Concern<'a> {
    key: &'a ObjectKey,
    kinds: Vec<Resource>,
    namespace: Option<String>,
    fate: Fate,
    /// Why not all kinds are known.
    unknown: Option<String>,
}

/// Finds the impacts of all that a plan asks for, and the permissions that the account lacks for trials. `others` are the
/// kinds of services of other repositories.
///
/// # Errors
/// When the cluster no longer answers.
pub(crate) async fn find(
    cluster: &Cluster,
    (live, others): (&LiveCluster, &[Resource]),
    answers: &BTreeMap<ObjectKey, DryRunResult>,
    asks: &Queries,
    trial: bool,
) -> Result<(BTreeMap<ObjectKey, Impact>, Vec<Permission>), ClusterError> {
    let body = |key: &ObjectKey| live.objects.get(key).map(|object| &object.body);
    let mut concerns: Vec<Concern<'_>> = Vec::new();
    for changed in &asks.changed_crds {
        concerns.push(Concern::of_crd(&changed.key, &changed.live, Fate::Kept));
    }
    for key in &asks.deleted_crds {
        concerns.extend(body(key).map(|crd| Concern::of_crd(key, crd, Fate::Destroyed)));
    }
    if !asks.deleted_namespaces.is_empty() {
        let (kinds, unknown) = kinds_of_instances(cluster, live).await?;
        let others = others.iter().filter(|_| cluster.target == Target::Management).cloned();
        let kinds: Vec<Resource> = kinds.into_iter().chain(others).filter(|kind| kind.namespaced).collect();
        for key in &asks.deleted_namespaces {
            let (kinds, unknown, namespace) = (kinds.clone(), unknown.clone(), Some(key.name.clone()));
            concerns.push(Concern { key, kinds, namespace, fate: Fate::Destroyed, unknown });
        }
    }
    for key in &asks.deleted_others {
        let Some((kinds, namespace)) = body(key).map(|body| served(live, key, body)) else { continue };
        concerns.push(Concern { key, kinds, namespace, fate: Fate::Left, unknown: None });
    }
    for Lost { role, crds } in &asks.lost {
        let kinds: Vec<Resource> = crds.iter().filter_map(body).filter_map(listable).collect();
        let unknown = (kinds.len() < crds.len()).then(|| UNSERVED.to_owned());
        concerns.push(Concern { key: role, kinds, namespace: role.namespace.clone(), fate: Fate::Left, unknown });
    }

    let policies = Policies::of_cluster(&cluster.target, live);
    let kinds: BTreeSet<Resource> = concerns.iter().flat_map(|concern| concern.kinds.iter().cloned()).collect();
    let census = census(cluster, kinds.into_iter().collect()).await?;
    let mut impacts: BTreeMap<ObjectKey, Impact> =
        concerns.iter().map(|concern| (concern.key.clone(), concern.impact(cluster, &census, &policies))).collect();
    let spaces: Vec<&str> = asks.deleted_namespaces.iter().map(|key| key.name.as_str()).collect();
    let counted: BTreeSet<(String, String)> =
        census.keys().map(|kind| (kind.group.clone(), kind.kind.clone())).collect();
    let mut contents = contents(cluster, &spaces, &counted, |key| live.objects.contains_key(key)).await;
    for key in &asks.deleted_namespaces {
        if let Some(impact) = impacts.get_mut(key) {
            impact.contents = contents.remove(&key.name);
        }
    }
    let lacking = tried(cluster, answers, asks, trial, &mut impacts).await;
    Ok((impacts, lacking))
}

impl<'a> Concern<'a> {
    /// All instances of a CRD. Those that nobody can read may be there all the same.
    fn of_crd(key: &'a ObjectKey, crd: &Value, fate: Fate) -> Self {
        let kinds: Vec<Resource> = listable(crd).into_iter().collect();
        let unknown = kinds.is_empty().then(|| UNSERVED.to_owned());
        Self { key, kinds, namespace: None, fate, unknown }
    }

    fn impact(&self, cluster: &Cluster, census: &Census, policies: &Policies) -> Impact {
        let place = self.namespace.as_deref().map_or(Where::Anywhere, Where::In);
        // Without an assignment the copies go with the tenant's namespace in the service cluster.
        let is_of_copies = self.key.kind == "ServiceClusterAssignment";
        let none = Policies::none();
        let is_grave = self.fate == Fate::Destroyed || is_of_copies;
        let policies = if is_grave { policies } else { &none };
        let mut impact = impact(cluster, census, policies, &self.kinds, place, self.fate);
        if impact.unchecked.is_none() {
            impact.unchecked.clone_from(&self.unknown);
        }
        if is_grave {
            impact.counted = Some(counted(census, policies, &self.kinds, self.namespace.as_deref()));
        }
        impact
    }
}

fn counted(census: &Census, policies: &Policies, kinds: &[Resource], namespace: Option<&str>) -> Counted {
    let place = namespace.map_or(Where::Anywhere, Where::In);
    let kinds = kinds.iter().map(|resource| {
        let listed = census.get(resource).and_then(|listed| listed.as_ref().ok());
        let uids = listed.map(|instances| instances.uids(place).cloned().collect());
        CountedKind { resource: resource.clone(), uids, policy: policies.of(resource).cloned() }
    });
    Counted { kinds: kinds.collect(), namespace: namespace.map(str::to_owned) }
}

/// A tenant in a service cluster.
pub(crate) type Served = (ClusterId, String);

/// The tenants whose namespace in a service cluster is deleted with copies in it, or may be, by the namespace.
pub(crate) fn losing_copies(
    id: &ClusterId,
    live: &LiveCluster,
    impacts: &BTreeMap<ObjectKey, Impact>,
) -> BTreeMap<ObjectKey, Served> {
    let spaces = impacts.iter().filter(|(key, impact)| key.kind == "Namespace" && impact.may_destroy());
    let tenants = spaces.filter_map(|(key, _)| {
        let body = &live.objects.get(key)?.body;
        let tenant = body.pointer("/metadata/labels")?.get(TENANT)?.as_str()?;
        Some((key.clone(), (id.clone(), tenant.to_owned())))
    });
    tenants.collect()
}

/// The instances of tenants whose copies are in service clusters, in the management cluster. Nothing becomes of them; the
/// copies are deleted against the policy of those with `Block`.
///
/// # Errors
/// When the cluster no longer answers.
pub(crate) async fn originals(
    management: &Cluster,
    live: &LiveCluster,
    tenants: BTreeSet<Served>,
) -> Result<BTreeMap<Served, Impact>, ClusterError> {
    let policies = Policies::of_cluster(&management.target, live);
    let asked: Vec<(Served, Vec<&Value>)> = tenants
        .into_iter()
        .map(|served| {
            let crds = crds_in(live, Some(&served.0.provider), Some(&served.0.cluster)).collect();
            (served, crds)
        })
        .collect();
    let kinds: BTreeSet<Resource> =
        asked.iter().flat_map(|(_, crds)| crds.iter().filter_map(|crd| listable(crd))).collect();
    let census = census(management, kinds.into_iter().collect()).await?;
    let impacts = asked.into_iter().map(|(served, crds)| {
        let kinds: Vec<Resource> = crds.iter().filter_map(|crd| listable(crd)).collect();
        let mut impact = impact(management, &census, &policies, &kinds, Where::In(&served.1), Fate::Kept);
        if kinds.len() < crds.len() {
            impact.unchecked.get_or_insert_with(|| UNSERVED.to_owned());
        }
        impact.counted = Some(counted(&census, &policies, &kinds, Some(&served.1)));
        (served, impact)
    });
    Ok(impacts.collect())
}

/// Adds to the impact of the deletion of a tenant's namespace in a service cluster what forbids it.
pub(crate) fn forbid(namespace: &mut Impact, originals: &Impact) {
    namespace.blocked.clone_from(&originals.blocked);
    namespace.blocked_count = originals.blocked_count;
    namespace.originals.clone_from(&originals.counted);
    if namespace.unchecked.is_none() {
        namespace.unchecked.clone_from(&originals.unchecked);
    }
}

/// Tries the instances of the CRDs that change; the permissions that the account lacks for that.
async fn tried(
    cluster: &Cluster,
    answers: &BTreeMap<ObjectKey, DryRunResult>,
    asks: &Queries,
    trial: bool,
    impacts: &mut BTreeMap<ObjectKey, Impact>,
) -> Vec<Permission> {
    let mut worth: Vec<_> = Vec::new();
    for changed in &asks.changed_crds {
        let Some(impact) = impacts.get_mut(&changed.key) else { continue };
        if impact.instances == 0 {
            continue;
        }
        if !trial {
            impact.unchecked = Some("the instances were not tried under the new schema (`--no-trial`)".to_owned());
        } else if matches!(answers.get(&changed.key), Some(DryRunResult::Refused(_))) {
            impact.unchecked = Some("the server does not take the new schema".to_owned());
        } else {
            worth.push(changed);
        }
    }
    if worth.is_empty() {
        return Vec::new();
    }
    // Asked before: a CRD that may be created and not deleted would stay. Where nobody can be asked, the trial says why.
    let lacking = lacking(cluster, trial_needs()).await.unwrap_or_default();
    if !lacking.is_empty() {
        for changed in worth {
            if let Some(impact) = impacts.get_mut(&changed.key) {
                impact.unchecked = Some(NO_RIGHT.to_owned());
            }
        }
        return lacking;
    }
    let trials = worth.into_iter();
    let trials = trials
        .map(|changed| async move { (changed.key.clone(), try_schema(cluster, &changed.live, &changed.new).await) });
    // Collected first: a stream that made them as it goes could not move between threads.
    let trials: Vec<_> = trials.collect();
    let found: Vec<_> = stream::iter(trials).buffered(TRIALS).collect().await;
    for (key, impact) in found {
        // A trial that did not come about knows no numbers; the count does.
        let counted = impacts.entry(key).or_default();
        let (instances, accounts) = (counted.instances, counted.accounts);
        *counted = impact;
        if counted.instances == 0 {
            (counted.instances, counted.accounts) = (instances, accounts);
        }
    }
    Vec::new()
}

/// The kind that a CRD defines, in a version that can be asked for: the stored one if it is served.
#[must_use]
pub(crate) fn listable(crd: &Value) -> Option<Resource> {
    let mut served: Vec<Version<'_>> = versions(crd).filter(|version| version.is_served()).collect();
    served.sort_by_key(|version| !version.is_stored());
    let version = served.first()?.name().to_owned();
    Resource::defined_by(crd).map(|resource| Resource { version, ..resource })
}

/// The kinds of which there are instances in a cluster because of us. In a service cluster these are the
/// base CRDs, which are not ours: what sync may do names them.
async fn kinds_of_instances(
    cluster: &Cluster,
    live: &LiveCluster,
) -> Result<(Vec<Resource>, Option<String>), ClusterError> {
    if cluster.target == Target::Management {
        let unread = crds(live).any(|crd| listable(crd).is_none()).then(|| UNSERVED.to_owned());
        return Ok((crds(live).filter_map(listable).collect(), unread));
    }
    let names = base_crds(live);
    if names.is_empty() {
        return Ok((Vec::new(), Some(NO_BASE.to_owned())));
    }
    let requests: Vec<ApiRequest> = names.iter().map(|name| ApiRequest::object(Resource::crds(), None, name)).collect();
    let (mut kinds, mut unknown) = (Vec::new(), None);
    for answer in join_all(requests.iter().map(|request| cluster.call(request))).await {
        match answer {
            Ok(crd) => match listable(&crd) {
                Some(kind) => kinds.push(kind),
                None => unknown = Some(UNSERVED.to_owned()),
            },
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) if error.is_of_connection() => return Err(error),
            Err(error) => unknown = Some(error.message.to_string()),
        }
    }
    Ok((kinds, unknown))
}

/// The CRDs of services: the internal and the derived ones.
fn crds(live: &LiveCluster) -> impl Iterator<Item = &Value> {
    let bodies = live.objects.iter().filter(|(key, _)| key.is_crd()).map(|(_, object)| &object.body);
    bodies.filter(|crd| {
        let group = crd.pointer("/spec/group").and_then(Value::as_str);
        group != Some(CATALOG_GROUP) && group != Some(CORE_GROUP)
    })
}

/// The CRDs that the roles of sync name.
fn base_crds(live: &LiveCluster) -> BTreeSet<String> {
    let texts = |rule: &Value, key: &str| -> Vec<String> {
        let list = rule.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut names = BTreeSet::new();
    let roles = live.objects.iter().filter(|(key, _)| matches!(key.kind.as_str(), "ClusterRole" | "Role"));
    for (_, role) in roles {
        for rule in role.body.get("rules").and_then(Value::as_array).into_iter().flatten() {
            let resources = texts(rule, "resources");
            if resources.iter().any(|r| r == "customresourcedefinitions") {
                names.extend(texts(rule, "resourceNames"));
                continue;
            }
            for group in texts(rule, "apiGroups").into_iter().filter(|group| group.contains('.')) {
                let plurals = resources.iter().filter(|plural| !plural.contains('/'));
                names.extend(plurals.map(|plural| format!("{plural}.{group}")));
            }
        }
    }
    names
}

/// The kinds, and the namespace, of the instances that an Offering, a CatalogEntry or an assignment is about.
fn served(live: &LiveCluster, key: &ObjectKey, body: &Value) -> (Vec<Resource>, Option<String>) {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let named = |name: &str| {
        let kind = crds(live).find(|crd| crd.pointer("/metadata/name").and_then(Value::as_str) == Some(name));
        kind.and_then(listable).into_iter().collect()
    };
    if key.kind == "Offering" {
        return (named(text("/spec/crd/name").unwrap_or_default()), key.namespace.clone());
    }
    if key.kind == "CatalogEntry" {
        let read = RouteCrds::read(key.namespace.as_deref().unwrap_or_default(), body);
        return (read.map(|(crds, _)| named(crds.tenant())).unwrap_or_default(), None);
    }
    let kinds = crds_in(live, key.namespace.as_deref(), text("/spec/serviceCluster/name"));
    (kinds.filter_map(listable).collect(), text("/spec/managementNamespace/name").map(str::to_owned))
}

/// The CRDs of the services of a cluster.
fn crds_in<'a>(
    live: &'a LiveCluster,
    provider: Option<&str>,
    cluster: Option<&str>,
) -> impl Iterator<Item = &'a Value> {
    let label = |crd: &'a Value, label: &str| crd.pointer("/metadata/labels")?.get(label)?.as_str();
    crds(live).filter(move |crd| label(crd, ORIGIN_NAMESPACE) == provider && label(crd, SERVICE_CLUSTER) == cluster)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::live::LiveObject;
    use serde_json::json;

    fn cluster_of(objects: &[Value]) -> LiveCluster {
        let text = |body: &Value, pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let objects = objects.iter().map(|body| {
            let key = ObjectKey {
                group: String::new(),
                kind: text(body, "/kind").unwrap_or_default(),
                namespace: text(body, "/metadata/namespace"),
                name: text(body, "/metadata/name").unwrap_or_default(),
            };
            (key, LiveObject { body: body.clone() })
        });
        LiveCluster { objects: objects.collect(), ..LiveCluster::default() }
    }

    #[test]
    fn roles_of_sync_name_the_base_crds() {
        let role = json!({ "kind": "Role", "metadata": { "name": "a", "namespace": "t" }, "rules": [
            { "apiGroups": [""], "resources": ["namespaces"] },
            { "apiGroups": ["redis.io"], "resources": ["redis", "redis/status"] },
        ] });
        let all = json!({ "kind": "ClusterRole", "metadata": { "name": "b" }, "rules": [
            { "apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "resourceNames": ["x.y.z"] },
        ] });
        let names: Vec<String> = base_crds(&cluster_of(&[role, all])).into_iter().collect();
        assert_eq!(names, ["redis.redis.io", "x.y.z"]);
    }

    #[tokio::test]
    async fn without_a_role_nobody_knows_what_is_in_a_namespace_of_a_service_cluster() {
        let config = kube::Config::new(http::Uri::from_static("http://127.0.0.1:1"));
        let config = super::super::kubeconfig::ClientConfig { config, context: None, check: None, fence: None };
        let id = "p/c".parse().expect("a cluster");
        let cluster =
            Cluster::new(Target::Service(id), config, super::super::client::Limits::default()).expect("a client");
        let namespace = json!({ "kind": "Namespace", "metadata": { "name": "t" } });
        let live = cluster_of(&[namespace]);
        let key = live.objects.keys().next().cloned().expect("the namespace");
        let asks = Queries { deleted_namespaces: vec![key.clone()], ..Queries::default() };
        let (found, _) = find(&cluster, (&live, &[]), &BTreeMap::new(), &asks, true).await.expect("nobody is asked");
        assert_eq!(found[&key].unchecked.as_deref(), Some(NO_BASE));
    }

    #[test]
    fn the_namespace_of_copies_stays_if_the_policy_of_an_instance_is_block() {
        let space = |name: &str| {
            let metadata = json!({ "name": name, "labels": { TENANT: "team-b" } });
            json!({ "kind": "Namespace", "metadata": metadata })
        };
        let live = cluster_of(&[space("empty"), space("full"), space("unknown")]);
        let mut impacts: BTreeMap<ObjectKey, Impact> = BTreeMap::new();
        for key in live.objects.keys() {
            let unchecked = (key.name == "unknown").then(|| "forbidden".to_owned());
            let destroyed_count = usize::from(key.name == "full");
            impacts.insert(key.clone(), Impact { destroyed_count, unchecked, ..Impact::default() });
        }
        let id = ClusterId::new("team-a", "eu");
        let losing = losing_copies(&id, &live, &impacts);
        let names: Vec<&str> = losing.keys().map(|key| key.name.as_str()).collect();
        assert_eq!(names, ["full", "unknown"]);
        assert!(losing.values().all(|served| *served == (id.clone(), "team-b".to_owned())));

        let counted = Some(Counted { kinds: Vec::new(), namespace: Some("team-b".into()) });
        let originals =
            Impact { blocked_count: 1, unchecked: Some("gone".into()), counted: counted.clone(), ..Impact::default() };
        let mut namespace = Impact { destroyed_count: 1, ..Impact::default() };
        forbid(&mut namespace, &originals);
        let found = (namespace.destroyed_count, namespace.blocked_count, namespace.unchecked.as_deref());
        assert_eq!(found, (1, 1, Some("gone")));
        assert_eq!((namespace.originals, namespace.counted), (counted, None));
    }

    #[tokio::test]
    async fn instances_whose_kind_is_not_served_may_forbid_the_deletion_of_their_copies() {
        let config = kube::Config::new(http::Uri::from_static("http://127.0.0.1:1"));
        let config = super::super::kubeconfig::ClientConfig { config, context: None, check: None, fence: None };
        let cluster =
            Cluster::new(Target::Management, config, super::super::client::Limits::default()).expect("a client");
        let labels = json!({ ORIGIN_NAMESPACE: "team-a", SERVICE_CLUSTER: "eu" });
        let crd = json!({ "kind": "CustomResourceDefinition", "metadata": { "name": "as.eu.team-a", "labels": labels },
            "spec": { "group": "eu.team-a", "scope": "Namespaced", "names": { "kind": "A", "plural": "as" },
                "versions": [{ "name": "v1", "served": false, "storage": true }] } });
        let mut live = cluster_of(std::slice::from_ref(&crd));
        live.objects = [(
            ObjectKey { group: "apiextensions.k8s.io".into(), ..live.objects.keys().next().cloned().expect("the CRD") },
            LiveObject { body: crd },
        )]
        .into();
        let served = |cluster: &str| (ClusterId::new("team-a", cluster), "team-b".to_owned());
        let asked = [served("eu"), served("us")].into();
        let found = originals(&cluster, &live, asked).await.expect("nobody is asked");
        assert_eq!(found[&served("eu")].unchecked.as_deref(), Some(UNSERVED));
        assert_eq!(found[&served("us")].unchecked, None);
    }

    #[test]
    fn instances_that_nobody_can_read_are_not_none() {
        let crd = json!({ "spec": { "group": "g.io", "scope": "Cluster", "names": { "kind": "A", "plural": "as" }, "versions": [
            { "name": "v1", "served": false, "storage": true },
        ] } });
        let key = ObjectKey {
            group: String::new(),
            kind: "CustomResourceDefinition".into(),
            namespace: None,
            name: "a".into(),
        };
        assert!(Concern::of_crd(&key, &crd, Fate::Destroyed).unknown.is_some());
    }

    #[test]
    fn a_kind_is_asked_for_in_a_version_that_is_served() {
        let crd = json!({ "spec": { "group": "g.io", "scope": "Cluster", "names": { "kind": "A", "plural": "as" }, "versions": [
            { "name": "v1", "served": false, "storage": true }, { "name": "v2", "served": true, "storage": false },
        ] } });
        assert_eq!(listable(&crd).map(|r| r.api_version()).as_deref(), Some("g.io/v2"));
    }
}
