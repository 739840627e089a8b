//! Explaining an instance: what stands of it on each level, the last decision of sync, and what it waits for.
//!
//! Nothing is written. Of the internal object and of the copy only the metadata is asked for, and of the tenant object
//! only the metadata and the condition `Synced` are kept. This file asks; [`build`] concludes and is pure.

mod build;
mod facts;
mod fields;
pub(crate) mod report;
mod services;
mod waits;

use serde_json::Value;

use self::facts::{Facts, Sight, said, without_values};
use self::report::Explanation;
use self::services::{Candidate, candidates, choose, known};
use super::error::ClusterFailure;
use super::event::{Events, Subject};
use super::reach::{self, Unreached};
use crate::cluster::connect::Connector;
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, ListSink, Selection, identity};
use crate::model::cluster::Target;
use crate::model::keys::{MANAGEMENT_CLUSTER, ORIGIN_NAMESPACE, SOURCE, SYSTEM_NAMESPACE, annotation};
use crate::model::resource::Resource;
use crate::sync::catalog::{Catalog, Crd, Entry};
use crate::sync::lease::{names, record};
use crate::sync::link::assignment;

/// The instance that is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExplainOptions {
    /// The plural, kind, singular or short name, and the group or a beginning of it.
    pub resource: String,
    /// The name.
    pub name: String,
    /// The namespace of the tenant object.
    pub namespace: String,
}

/// Why nothing can be explained.
#[derive(Debug)]
pub(crate) enum ExplainError {
    /// The management cluster cannot be asked.
    Management(ClusterError),
    /// These services have such a resource.
    Ambiguous(Vec<String>),
    /// No service has such a resource; these are known.
    Unknown(Vec<String>),
}

impl From<ClusterError> for ExplainError {
    fn from(error: ClusterError) -> Self {
        Self::Management(error)
    }
}

/// The report, and what kept it from being whole.
#[derive(Debug)]
pub(crate) struct Explained {
    /// The report.
    pub report: Explanation,
    /// What could not be asked.
    pub failure: Option<ClusterFailure>,
}

/// Explains an instance. What cannot be read is part of the result.
///
/// # Errors
/// When the management cluster cannot be asked, or the resource is not that of one service.
pub(crate) async fn explain(
    connector: &Connector<'_>,
    options: &ExplainOptions,
    events: &Events,
) -> Result<Explained, ExplainError> {
    let management = connector.management().await?;
    // The future holds all requests of the search: too large for the stack of whoever waits for it.
    let looking = Box::pin(look(connector, &management, options));
    let facts = events.during(Target::Management, Subject::Instances, looking).await?;
    Ok(Explained { failure: build::failure(&facts), report: build::build(&facts) })
}

async fn look(
    connector: &Connector<'_>,
    management: &Cluster,
    options: &ExplainOptions,
) -> Result<Facts, ExplainError> {
    let crds = Selection::all(Resource::crds()).labels(ORIGIN_NAMESPACE).paged(20);
    let (crds, entries) = tokio::join!(management.list_all(&crds), entries(management));
    let (crds, entries) = (crds?, entries);
    let listed = entries.as_ref().map(Vec::as_slice).unwrap_or_default();
    let all = candidates(&crds, listed);
    let service = choose(&options.resource, &all).map_err(|several| match several.is_empty() {
        true => ExplainError::Unknown(known(&all)),
        false => ExplainError::Ambiguous(several),
    })?;
    let entry = match (&entries, &service.entry) {
        (Err(why), _) => Sight::Unread(said(why)),
        (Ok(_), None) => Sight::Absent(Some("no CatalogEntry names its CRD".to_owned())),
        (Ok(list), Some(name)) => {
            let is_it = |entry: &&Value| {
                let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
                text("/metadata/name") == Some(name) && text("/metadata/namespace") == Some(&service.cluster.provider)
            };
            list.iter().find(is_it).map_or(Sight::Absent(None), |entry| Sight::Present(entry.clone()))
        }
    };
    let unfit = unfit(service, &entry, &crds);
    let mut facts = in_management(management, service, options).await;
    (facts.entry, facts.unfit) = (entry, unfit);
    in_service_cluster(connector, management, &mut facts).await;
    Ok(facts)
}

/// The CatalogEntries of all providers, or why they cannot be listed.
async fn entries(management: &Cluster) -> Result<Vec<Value>, String> {
    let Some(resource) = Resource::rendered_kind("CatalogEntry") else { return Ok(Vec::new()) };
    match management.list_all(&Selection::all(resource)).await {
        Ok(entries) => Ok(entries),
        Err(error) if error.kind == ErrorKind::KindNotFound => Ok(Vec::new()),
        Err(error) => Err(error.message.to_string()),
    }
}

/// Why sync does not follow a service.
fn unfit(service: &Candidate, entry: &Sight, crds: &[Value]) -> Option<String> {
    let Some(name) = &service.entry else {
        return entry.unread().is_none().then(|| "no CatalogEntry names its CRD".to_owned());
    };
    let key = (service.cluster.provider.clone(), name.clone());
    let mut catalog = Catalog::default();
    catalog.entries.insert(key.clone(), Entry::of(entry.object()?));
    let named = crds.iter().filter_map(|crd| Some((crd.pointer("/metadata/name")?.as_str()?, crd)));
    let internal = service.internal.as_ref().and_then(|internal| internal.crd.as_deref());
    for (name, crd) in named.filter(|(name, _)| *name == service.crd || Some(*name) == internal) {
        catalog.crds.insert(name.to_owned(), Crd::of(crd.clone()));
    }
    catalog.service(&key, "").err().map(|why| why.to_string())
}

/// What the management cluster has of an instance.
async fn in_management(management: &Cluster, service: &Candidate, options: &ExplainOptions) -> Facts {
    let ExplainOptions { name, namespace, .. } = options;
    let id = &service.cluster;
    let instance = async |resource: Option<&Resource>, is_whole: bool| {
        let Some(resource) = resource else {
            return Sight::Unread("its CRD is not in the management cluster".to_owned());
        };
        let request = ApiRequest::object(resource, Some(namespace), name);
        let request = if is_whole { request } else { request.metadata_only() };
        Sight::of_instance(management.call(&request).await)
    };
    let between = async {
        let internal = service.internal.as_ref()?;
        Some(match &internal.crd {
            Some(_) => instance(internal.resource.as_ref(), false).await,
            None => Sight::Unsought("nothing says which internal CRD it has".to_owned()),
        })
    };
    let assignment = async {
        let Some(resource) = Resource::rendered_kind("ServiceClusterAssignment") else { return Sight::Absent(None) };
        let name = format!("{namespace}.{}", id.cluster);
        Sight::of(management.call(&ApiRequest::object(resource, Some(&id.provider), &name)).await)
    };
    let lease = async {
        let (resource, name) = (record::resource(), names::of_cluster(id));
        Sight::of(management.call(&ApiRequest::object(&resource, Some(SYSTEM_NAMESPACE), &name)).await)
    };
    let (uid, tenant, internal, assignment, cluster, lease) = tokio::join!(
        identity::uid(management),
        instance(service.tenant.as_ref(), true),
        between,
        assignment,
        reach::object(management, id),
        lease
    );
    let place = match &assignment {
        Sight::Present(object) => match assignment::Facts::of(object, id) {
            Some(assigned) => assigned.namespace,
            None => Err("its ServiceClusterAssignment is not one of this cluster".to_owned()),
        },
        Sight::Absent(_) => Err(format!("no ServiceClusterAssignment assigns the namespace {namespace} in {id}")),
        Sight::Unread(why) | Sight::Unsought(why) => Err(format!("the ServiceClusterAssignment cannot be read: {why}")),
    };
    let unsought = || Sight::Unsought(String::new());
    Facts {
        service: service.clone(),
        namespace: namespace.clone(),
        name: name.clone(),
        management: uid.map_err(|error| said(&error.message)),
        unfit: None,
        entry: unsought(),
        assignment,
        cluster: Sight::of(cluster),
        tenant: match tenant {
            Sight::Present(object) => Sight::Present(without_values(&object)),
            other => other,
        },
        internal,
        place,
        place_seen: unsought(),
        copy: unsought(),
        lease,
        unreached: None,
    }
}

/// Adds what the service cluster has of an instance.
async fn in_service_cluster(connector: &Connector<'_>, management: &Cluster, facts: &mut Facts) {
    let id = &facts.service.cluster;
    let reached = match &facts.cluster {
        Sight::Present(object) => reach::by_object(connector, management, id, object).await,
        Sight::Absent(_) => Err(Unreached::new("the management cluster has no such ServiceCluster")),
        Sight::Unread(why) | Sight::Unsought(why) => Err(Unreached::new(why.clone())),
    };
    let cluster = match reached {
        Ok(cluster) => cluster,
        Err(unreached) => {
            let why = format!("{id} cannot be asked: {}", said(&unreached.why));
            (facts.place_seen, facts.copy) = (Sight::Unsought(why.clone()), Sight::Unsought(why));
            facts.unreached = Some(unreached);
            return;
        }
    };
    let place = async {
        match &facts.place {
            Ok(name) => Sight::of(cluster.call(&ApiRequest::object(Resource::namespaces(), None, name)).await),
            Err(why) => Sight::Unsought(why.clone()),
        }
    };
    (facts.place_seen, facts.copy) = tokio::join!(place, copy(&cluster, facts));
}

/// The copy in the service cluster: by its name, or by its marks where no namespace is assigned any more.
async fn copy(cluster: &Cluster, facts: &Facts) -> Sight {
    let Some(base) = &facts.service.base else {
        return Sight::Unsought("no internal CRD says which kind it is: render and apply again".to_owned());
    };
    match (&facts.place, &facts.management) {
        (Ok(namespace), _) => {
            let request = ApiRequest::object(base, Some(namespace), &facts.name).metadata_only();
            Sight::of_instance(cluster.call(&request).await)
        }
        (Err(why), Err(_)) => Sight::Unsought(why.clone()),
        (Err(_), Ok(uid)) => {
            let source = format!("{}/{}/{}", facts.namespace, facts.service.crd, facts.name);
            let mut found = Marked { source, found: None };
            let marked = Selection::all(base).labels(&format!("{MANAGEMENT_CLUSTER}={uid}")).metadata_only();
            match (cluster.list(&marked, &mut found).await, found.found) {
                (Err(error), _) => Sight::of_instance(Err(error)),
                (Ok(_), Some(object)) => Sight::Present(object),
                (Ok(_), None) => Sight::Absent(None),
            }
        }
    }
}

/// The copy of an instance in a list: the first whose mark names it.
struct Marked {
    source: String,
    found: Option<Value>,
}

impl ListSink for Marked {
    fn take(&mut self, object: Value) {
        if self.found.is_none() && annotation(&object, SOURCE) == Some(&self.source) {
            self.found = Some(object);
        }
    }

    fn restart(&mut self) {
        self.found = None;
    }
}
