//! Getting instances: those of all services in all clusters, with one list a service.
//!
//! Of an instance only its metadata and the conditions of its status are kept. What its owner wrote, such as a
//! password, is dropped as it arrives.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::error::{NameKind, UnknownName, known_cluster};
use super::event::{Events, Subject};
use crate::cluster::connect::Connector;
use crate::cluster::diagnose::diagnose;
use crate::cluster::discover::{DiscoverError, known};
use crate::cluster::{Cluster, ClusterError, ErrorKind, ListSink, Selection};
use crate::compile::Compiled;
use crate::compile::build::OfferedCrd;
use crate::model::cluster::{ClusterId, Target};
use crate::model::diagnostic::Diagnostics;
use crate::model::resource::Resource;

/// Conditions that say whether an instance is ready; the first one that is there counts.
const CONDITIONS: [&str; 2] = ["Ready", "Synced"];

/// Which instances to get.
#[derive(Debug, Clone, Default)]
pub(crate) struct GetOptions {
    /// Only those of this service: a plural, or the name of a CRD.
    pub service: Option<String>,
    /// Only those of this account. No other namespace is listed, so its members may do it.
    pub account: Option<String>,
    /// Only those in this service cluster.
    pub cluster: Option<ClusterId>,
    /// Whether to look them up in their service clusters.
    pub look_up: bool,
}

/// An instance of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Instance {
    /// The account it belongs to, whose namespace it is in.
    pub tenant: String,
    /// The service: the plural of its CRD.
    pub service: String,
    /// Its name.
    pub name: String,
    /// The service cluster.
    pub cluster: String,
    /// The CRD.
    pub crd: String,
    /// The version it was read in.
    pub version: String,
    /// `True`, `False` or `Unknown` of its condition; null where it has none.
    pub ready: Option<String>,
    /// Its namespace in the service cluster.
    pub service_namespace: String,
    /// Whether it is in the service cluster; null where that could not be asked.
    pub in_service_cluster: Option<bool>,
}

/// A service whose instances are listed.
#[derive(Debug)]
pub(crate) struct Service {
    cluster: ClusterId,
    crd: OfferedCrd,
    /// The kind that tenants create.
    resource: Resource,
    /// The kind in the service cluster.
    base: Resource,
}

/// The instances, and what stood in the way.
#[derive(Debug, Default)]
pub(crate) struct Instances {
    /// The instances, sorted.
    pub list: Vec<Instance>,
    /// CRDs of services that are not installed yet.
    pub absent: Vec<String>,
    /// The diagnostics of clusters that could not be asked.
    pub found: Diagnostics,
}

/// Selects the services that the options mean.
///
/// # Errors
/// When the repository has no such service, account or cluster.
pub(crate) fn select(compiled: &Compiled<'_>, options: &GetOptions) -> Result<Vec<Service>, UnknownName> {
    let resolved = &compiled.resolved;
    if let Some(id) = &options.cluster {
        known_cluster(id, resolved)?;
    }
    if let Some(name) = &options.account
        && !resolved.accounts.contains_key(name.as_str())
    {
        let known = resolved.accounts.keys().map(|name| (*name).to_owned()).collect();
        return Err(UnknownName { kind: NameKind::Account, name: name.clone(), known, broken: false });
    }
    let all = compiled.built.iter().filter_map(|built| {
        let cluster = &resolved.services.get(built.service)?.cluster;
        let crd = built.tenant_crd();
        let (resource, base) = (built.route.tenant.clone(), built.route.base.clone());
        Some(Service { cluster: cluster.clone(), crd, resource, base })
    });
    let mut all: Vec<Service> = all.collect();
    if let Some(word) = &options.service {
        let is = |service: &Service| service.crd.plural == *word || service.crd.name == *word;
        if !all.iter().any(is) {
            let known: BTreeSet<String> = all.iter().flat_map(|s| [s.crd.plural.clone(), s.crd.name.clone()]).collect();
            let known = known.into_iter().collect();
            return Err(UnknownName { kind: NameKind::Service, name: word.clone(), known, broken: false });
        }
        all.retain(is);
    }
    all.retain(|service| options.cluster.as_ref().is_none_or(|id| *id == service.cluster));
    // Two services may share a CRD that is not derived.
    all.sort_by(|a, b| a.crd.name.cmp(&b.crd.name));
    all.dedup_by(|a, b| a.crd.name == b.crd.name);
    Ok(all)
}

/// Gets the instances of services. Failures of clusters are part of the result.
pub(crate) async fn get(
    connector: &Connector<'_>,
    compiled: &Compiled<'_>,
    services: &[Service],
    options: &GetOptions,
    events: &Events,
) -> Instances {
    let mut got = Instances::default();
    let management = own(connector.management().await, compiled, &Target::Management).await;
    let namespace = options.account.as_deref();
    match &management {
        Err(error) => got.found.push(diagnose(&Target::Management, error, None)),
        Ok(cluster) => {
            let lists = services.iter().map(|one| instances(cluster, one, namespace, compiled));
            let lists = events.during(Target::Management, Subject::Instances, join_all(lists)).await;
            let mut said = false;
            for (one, list) in services.iter().zip(lists) {
                match list {
                    Ok(list) => got.list.extend(list),
                    Err(error) if error.kind == ErrorKind::KindNotFound => got.absent.push(one.crd.name.clone()),
                    // One diagnostic of a cluster that does not answer is enough.
                    Err(error) if !said => {
                        said = true;
                        got.found.push(diagnose(&Target::Management, &error, None));
                    }
                    Err(_) => {}
                }
            }
        }
    }
    if options.look_up {
        look_up(connector, compiled, services, management.as_ref(), &mut got, events).await;
    }
    got.list.sort();
    got
}

/// A cluster, if it is the one that was recorded. The objects of another one are no answer.
async fn own(
    cluster: Result<Cluster, ClusterError>,
    compiled: &Compiled<'_>,
    target: &Target,
) -> Result<Cluster, ClusterError> {
    let cluster = cluster?;
    let expected = match target {
        Target::Management => compiled.discovered.management_uid.as_deref(),
        Target::Service(id) => compiled.discovered.uid(id),
    };
    match known(&cluster, expected).await {
        Ok(_) => Ok(cluster),
        // A member of an account may list its instances without being allowed to read the identity of the cluster.
        Err(DiscoverError::Failed(error)) if error.kind == ErrorKind::Forbidden => Ok(cluster),
        Err(DiscoverError::Failed(error)) => Err(error),
        Err(DiscoverError::OtherCluster { expected, found }) => {
            let message = format!("it is another cluster: its UID is {found}, and should be {expected}");
            Err(ClusterError::new(ErrorKind::Kubeconfig, message))
        }
    }
}

async fn instances(
    cluster: &Cluster,
    service: &Service,
    namespace: Option<&str>,
    compiled: &Compiled<'_>,
) -> Result<Vec<Instance>, ClusterError> {
    let mut seen = Seen::default();
    cluster.list(&Selection::all(&service.resource).within(namespace), &mut seen).await?;
    let instance = |(tenant, name, ready): (String, String, Option<String>)| Instance {
        service: service.crd.plural.clone(),
        cluster: service.cluster.to_string(),
        crd: service.crd.name.clone(),
        version: service.resource.version.clone(),
        service_namespace: compiled.discovered.namespace(&service.cluster, &tenant),
        in_service_cluster: None,
        tenant,
        name,
        ready,
    };
    Ok(seen.0.into_iter().map(instance).collect())
}

/// Which instances are in their service clusters: one list of metadata for each kind and cluster.
async fn look_up(
    connector: &Connector<'_>,
    compiled: &Compiled<'_>,
    services: &[Service],
    management: Result<&Cluster, &ClusterError>,
    got: &mut Instances,
    events: &Events,
) {
    // Clusters without instances are not asked.
    let with_instances: BTreeSet<&str> = got.list.iter().map(|instance| instance.crd.as_str()).collect();
    let mut kinds: BTreeMap<&ClusterId, BTreeMap<&Resource, Vec<&str>>> = BTreeMap::new();
    for one in services.iter().filter(|one| with_instances.contains(one.crd.name.as_str())) {
        kinds.entry(&one.cluster).or_default().entry(&one.base).or_default().push(&one.crd.name);
    }
    let looks = kinds.iter().map(|(id, kinds)| async move {
        let look = async {
            let cluster = connector.service(id, &compiled.resolved, management).await;
            let cluster = own(cluster, compiled, &Target::Service((*id).clone())).await?;
            let lists = join_all(kinds.keys().map(|resource| names(&cluster, resource))).await;
            lists.into_iter().collect::<Result<Vec<_>, _>>()
        };
        events.during(Target::Service((*id).clone()), Subject::Instances, look).await
    });
    let looked = join_all(looks).await;
    let mut there: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for ((id, kinds), result) in kinds.iter().zip(looked) {
        match result {
            Ok(lists) => {
                for (crds, list) in kinds.values().zip(lists) {
                    there.extend(crds.iter().map(|crd| ((*crd).to_owned(), list.clone())));
                }
            }
            Err(error) => {
                let place = compiled.resolved.clusters.get(*id).map(|cluster| cluster.place("/metadata/name"));
                got.found.push(diagnose(&Target::Service((*id).clone()), &error, place));
            }
        }
    }
    for instance in &mut got.list {
        let key = (instance.service_namespace.clone(), instance.name.clone());
        instance.in_service_cluster = there.get(&instance.crd).map(|list| list.contains(&key));
    }
}

/// Namespace and name of every object of a kind.
async fn names(cluster: &Cluster, resource: &Resource) -> Result<BTreeSet<(String, String)>, ClusterError> {
    let mut seen = Seen::default();
    match cluster.list(&Selection::all(resource).metadata_only(), &mut seen).await {
        // A kind that does not exist has no objects.
        Err(error) if error.kind == ErrorKind::KindNotFound => {}
        listed => drop(listed?),
    }
    Ok(seen.0.into_iter().map(|(namespace, name, _)| (namespace, name)).collect())
}

/// Objects as namespace, name, and whether they are ready. All else is dropped at once.
#[derive(Default)]
struct Seen(Vec<(String, String, Option<String>)>);

impl ListSink for Seen {
    fn take(&mut self, object: Value) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.0.push((text("/metadata/namespace"), text("/metadata/name"), ready(&object)));
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

/// The status of the condition that counts; only the three words that Kubernetes has for it.
fn ready(object: &Value) -> Option<String> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array)?;
    let status = |kind: &str| {
        let condition = conditions.iter().find(|c| c.get("type").and_then(Value::as_str) == Some(kind))?;
        let status = condition.get("status").and_then(Value::as_str)?;
        ["True", "False", "Unknown"].contains(&status).then(|| status.to_owned())
    };
    CONDITIONS.iter().find_map(|kind| status(kind))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn readiness_is_a_word_of_kubernetes_or_nothing() {
        let of = |conditions: Value| ready(&json!({ "status": { "conditions": conditions } }));
        let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status });
        assert_eq!(of(json!([condition("Synced", "True"), condition("Ready", "False")])), Some("False".into()));
        assert_eq!(of(json!([condition("Synced", "True")])), Some("True".into()));
        assert_eq!(of(json!([condition("Ready", "hunter2")])), None);
        assert_eq!(of(json!("hunter2")), None);
        assert_eq!(ready(&json!({})), None);
    }
}
