//! Getting instances: those of all services in all clusters, with one list a service; those of services that are no
//! longer offered ([`retired`]); and the copies whose tenant object does not exist ([`left`]).
//!
//! Of an instance only its metadata and the conditions of its status are kept. What its owner wrote, such as a
//! password, is dropped as it arrives.

mod left;
mod look;
mod retired;

use std::collections::BTreeSet;

use futures::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

#[cfg(test)]
pub(crate) use self::left::LeftCopy;
pub(crate) use self::left::{LeftLevel, LeftOver, LeftState, Unchecked};
use self::look::Look;
use super::error::{NameKind, UnknownName, known_cluster};
use super::event::{Events, Subject};
use super::synced::SyncedCondition;
use crate::cluster::connect::Connector;
use crate::cluster::diagnose::diagnose;
use crate::cluster::discover::{DiscoverError, known};
use crate::cluster::instances::why_not_listed;
use crate::cluster::{Cluster, ClusterError, ErrorKind, ListSink, Selection};
use crate::compile::Compiled;
use crate::compile::build::OfferedCrd;
use crate::model::cluster::{ClusterId, Target};
use crate::model::diagnostic::Diagnostics;
use crate::model::keys::{SOURCE, annotation};
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
    /// Whether to look them up in their service clusters, however long that takes. Otherwise these are asked for what
    /// is left there alone, and not waited for long.
    pub look_up: bool,
    /// Whether the repository has errors, so that it may offer more than what can be compiled.
    pub in_doubt: bool,
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
    /// Its condition `Synced`; null where sync has written none.
    pub synced: Option<SyncedCondition>,
    /// Its namespace in the service cluster.
    pub service_namespace: String,
    /// Whether it is in the service cluster; null where that could not be asked.
    pub in_service_cluster: Option<bool>,
    /// Whether the repository offers the service; null where that is not known, because the repository has errors.
    pub offered: Option<bool>,
}

/// The services that a command line means.
#[derive(Debug)]
pub(crate) struct Selected {
    /// Those that the repository offers.
    pub services: Vec<Service>,
    /// The name of a service that the repository does not offer. The management cluster may still have it.
    pub not_offered: Option<UnknownName>,
}

/// A service whose instances are listed.
#[derive(Debug)]
pub(crate) struct Service {
    cluster: ClusterId,
    crd: OfferedCrd,
    /// The kind that tenants create.
    resource: Resource,
    /// The internal kind, where it is another one.
    internal: Option<Resource>,
    /// The kind in the service cluster.
    base: Resource,
    /// Whether the repository offers it: [`Instance::offered`].
    offered: Option<bool>,
}

/// The instances, and what stood in the way.
#[derive(Debug, Default)]
pub(crate) struct Instances {
    /// The instances, sorted.
    pub list: Vec<Instance>,
    /// Copies whose tenant object does not exist, sorted.
    pub left: Vec<LeftOver>,
    /// Where such copies could not be looked for, sorted.
    pub unchecked: Vec<Unchecked>,
    /// What is not known of services that are no longer offered, sorted.
    pub incomplete: Vec<String>,
    /// Why instances of services may be missing that are offered, sorted. A diagnostic or [`Self::unchecked`] says it, too.
    pub missing: Vec<String>,
    /// The name that the command line gives, if neither the repository nor the management cluster is known to have such a
    /// service.
    pub unknown: Option<UnknownName>,
    /// CRDs of services that are not installed yet.
    pub absent: Vec<String>,
    /// The diagnostics of clusters that could not be asked.
    pub found: Diagnostics,
}

/// Selects the services that the options mean.
///
/// # Errors
/// When the repository has no such account or cluster.
pub(crate) fn select(compiled: &Compiled<'_>, options: &GetOptions) -> Result<Selected, UnknownName> {
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
        let internal = built.derived.is_some().then(|| built.route.internal.clone());
        Some(Service { cluster: cluster.clone(), crd, resource, internal, base, offered: Some(true) })
    });
    let mut all: Vec<Service> = all.collect();
    let mut not_offered = None;
    if let Some(word) = &options.service {
        let is = |service: &Service| service.crd.plural == *word || service.crd.name == *word;
        if !all.iter().any(is) {
            let known: BTreeSet<String> = all.iter().flat_map(|s| [s.crd.plural.clone(), s.crd.name.clone()]).collect();
            let known = known.into_iter().collect();
            not_offered = Some(UnknownName { kind: NameKind::Service, name: word.clone(), known, broken: false });
        }
        all.retain(is);
    }
    all.retain(|service| options.cluster.as_ref().is_none_or(|id| *id == service.cluster));
    // Two services may share a CRD that is not derived.
    all.sort_by(|a, b| a.crd.name.cmp(&b.crd.name));
    all.dedup_by(|a, b| a.crd.name == b.crd.name);
    Ok(Selected { services: all, not_offered })
}

/// Gets the instances of services. Failures of clusters are part of the result.
pub(crate) async fn get(
    connector: &Connector<'_>,
    compiled: &Compiled<'_>,
    Selected { services, not_offered }: &Selected,
    options: &GetOptions,
    events: &Events,
) -> Instances {
    let mut got = Instances { unknown: not_offered.clone(), ..Instances::default() };
    let management = match own(connector.management().await, compiled, &Target::Management).await {
        Ok(management) => management,
        Err(error) => {
            got.found.push(diagnose(&Target::Management, &error, None));
            got.missing.push("the management cluster cannot be asked".to_owned());
            for service in services {
                got.unchecked.push(Unchecked::new(service, "the management cluster cannot be asked"));
            }
            return got;
        }
    };
    let namespace = options.account.as_deref();
    let lists = services.iter().map(|one| instances(&management.cluster, one, namespace, compiled));
    let lists = events.during(Target::Management, Subject::Instances, join_all(lists)).await;
    let retired = retired::retired(&management.cluster, compiled, options);
    let retired = events.during(Target::Management, Subject::Instances, retired).await;
    let mut listed = Vec::new();
    let mut said = false;
    for (one, list) in services.iter().zip(lists) {
        match list {
            Ok(list) => {
                listed.push(one);
                got.list.extend(list);
            }
            Err(error) if error.kind == ErrorKind::KindNotFound => got.absent.push(one.crd.name.clone()),
            Err(error) => {
                let why = why_not_listed(&error);
                got.missing.push(format!("the instances of {} cannot be listed: {why}", one.crd.name));
                got.unchecked.push(Unchecked::new(one, &format!("its instances cannot be listed: {why}")));
                // One diagnostic of a cluster that does not answer is enough.
                if !said {
                    said = true;
                    got.found.push(diagnose(&Target::Management, &error, None));
                }
            }
        }
    }
    got.unknown = got.unknown.and_then(|unknown| retired.knows(unknown));
    got.list.extend(retired.list);
    got.unchecked.extend(retired.unchecked);
    got.incomplete = retired.incomplete.into_iter().collect();
    listed.extend(&retired.services);
    // Only of what was listed to its end it is known what is not there.
    Look { connector, compiled, options, events, management: &management, listed: &listed }.around(&mut got).await;
    got.list.sort();
    got.left.sort();
    got.unchecked.sort();
    got.missing.sort();
    got
}

/// A cluster that can be asked, and its UID where it may be read or is recorded.
struct Known {
    cluster: Cluster,
    uid: Option<String>,
}

/// A cluster, if it is the one that was recorded. The objects of another one are no answer.
async fn own(
    cluster: Result<Cluster, ClusterError>,
    compiled: &Compiled<'_>,
    target: &Target,
) -> Result<Known, ClusterError> {
    let cluster = cluster?;
    let expected = match target {
        Target::Management => compiled.discovered.management_uid.as_deref(),
        Target::Service(id) => compiled.discovered.uid(id),
    };
    match known(&cluster, expected).await {
        Ok(identity) => Ok(Known { cluster, uid: Some(identity.uid) }),
        // A member of an account may list its instances without being allowed to read the identity of the cluster.
        Err(DiscoverError::Failed(error)) if error.kind == ErrorKind::Forbidden => {
            Ok(Known { cluster, uid: expected.map(str::to_owned) })
        }
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
    let of_service = |found| instance(found, &service.cluster, &service.resource, Some(true), compiled);
    Ok(seen.0.into_iter().map(of_service).collect())
}

/// An instance of the kind `resource`, which tenants create.
fn instance(
    Found { namespace: tenant, name, ready, synced, .. }: Found,
    cluster: &ClusterId,
    resource: &Resource,
    offered: Option<bool>,
    compiled: &Compiled<'_>,
) -> Instance {
    Instance {
        service: resource.plural.clone(),
        cluster: cluster.to_string(),
        crd: resource.full_name(),
        version: resource.version.clone(),
        service_namespace: compiled.discovered.namespace(cluster, &tenant),
        in_service_cluster: None,
        tenant,
        name,
        ready,
        synced,
        offered,
    }
}

/// What is kept of an instance. All else is dropped at once.
struct Found {
    namespace: String,
    name: String,
    ready: Option<String>,
    synced: Option<SyncedCondition>,
    /// Whether it has the mark of a copy of another object.
    is_copy: bool,
}

#[derive(Default)]
struct Seen(Vec<Found>);

impl ListSink for Seen {
    fn take(&mut self, object: Value) {
        let (namespace, name) = place(&object);
        let (ready, synced) = (ready(&object), SyncedCondition::of(&object));
        self.0.push(Found { namespace, name, ready, synced, is_copy: annotation(&object, SOURCE).is_some() });
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

/// Namespace and name of an object.
fn place(object: &Value) -> (String, String) {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("/metadata/namespace"), text("/metadata/name"))
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
