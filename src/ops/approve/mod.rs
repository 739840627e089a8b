//! Approving deletions that sync holds, and the deletion of copies whose tenant object is gone.
//!
//! First what waits is found and can be shown; then exactly that is approved, each object by its UID. Nothing is
//! deleted here: an approval is an annotation, which `carrier sync` reads.

mod select;
pub(super) mod services;

use futures::future::join_all;

use self::select::{Tenants, orphans};
pub(crate) use self::select::{Waiting, What};
use self::services::{Entry, Kind, Kinds, Meant, choose};
use super::copies::{Copies, Level};
use super::event::{Events, Subject};
use super::reach::{self, Unreached};
use crate::cluster::approval;
use crate::cluster::connect::Connector;
use crate::cluster::error::discreet;
use crate::cluster::instances::why_not_listed;
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, ListSink, Selection, identity};
use crate::model::cluster::{ClusterId, Target};
use crate::model::keys::{MANAGEMENT_CLUSTER, ORIGIN_NAMESPACE, SERVICE_CLUSTER};
use crate::model::resource::Resource;

/// What is to be approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApproveOptions {
    /// The service cluster.
    pub cluster: ClusterId,
    /// The service: the name of its CatalogEntrySet or CatalogEntry, or the plural or the full name of its CRD.
    pub service: String,
    /// Only instances of this tenant. No other namespace of the management cluster is listed.
    pub tenant: Option<String>,
}

/// Why nothing can be found.
#[derive(Debug)]
pub(crate) enum FindError {
    /// The management cluster cannot be asked.
    Management(ClusterError),
    /// The cluster has no such service; it has these.
    Unknown(Vec<String>),
}

impl From<ClusterError> for FindError {
    fn from(error: ClusterError) -> Self {
        Self::Management(error)
    }
}

/// Something that could not be done, and the rest was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What it was and why, one sentence without a trailing dot.
    pub message: String,
    /// Whether the service cluster is another one than sync has recorded.
    pub is_other_cluster: bool,
}

impl Problem {
    fn new(message: String) -> Self {
        Self { message, is_other_cluster: false }
    }
}

/// An object that waits, and where it is.
#[derive(Debug)]
struct Item {
    waiting: Waiting,
    /// The kind of the tenant object.
    tenant: Resource,
}

/// What waits for an approval.
#[derive(Debug)]
pub(crate) struct Found {
    items: Vec<Item>,
    management: Cluster,
    service: Option<Cluster>,
    /// CRDs of the service that are not in the management cluster. Sync leaves the copies of their instances alone.
    pub absent: Vec<String>,
    /// What could not be asked.
    pub problems: Vec<Problem>,
}

/// What became of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Approval {
    /// It is written.
    Written,
    /// The object is gone, or another one has its name.
    Gone,
    /// The tenant object of the copy is there again, so its copy is no orphan.
    Back,
    /// It could not be written, and why.
    Failed(String),
}

impl Found {
    /// The objects, sorted.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.items.iter().map(|item| &item.waiting)
    }
}

/// Finds what waits for an approval. Failures of the service cluster are part of the result.
///
/// # Errors
/// When the management cluster cannot be asked, or has no such service.
pub(crate) async fn find(
    connector: &Connector<'_>,
    options: &ApproveOptions,
    events: &Events,
) -> Result<Found, FindError> {
    let management = connector.management().await?;
    // The future holds all requests of the search: too large for the stack of whoever waits for it.
    let looking = Box::pin(look(connector, &management, options));
    events.during(Target::Management, Subject::Instances, looking).await
}

async fn look(connector: &Connector<'_>, management: &Cluster, options: &ApproveOptions) -> Result<Found, FindError> {
    let id = &options.cluster;
    let (uid, kinds, entries) =
        tokio::try_join!(identity::uid(management), kinds(management, id), entries(management, id))?;
    let meant = choose(&options.service, &entries, &kinds, id).map_err(FindError::Unknown)?;
    let mut found = Found {
        items: Vec::new(),
        management: management.clone(),
        service: None,
        absent: Vec::new(),
        problems: Vec::new(),
    };
    match service_cluster(connector, management, id).await {
        Ok(cluster) => found.service = Some(cluster),
        Err(problem) => found.problems.push(problem),
    }
    for service in &meant {
        match kinds.get(&service.tenant) {
            Some(tenant) => found.look_at(service, &tenant.resource, &kinds, &uid, options.tenant.as_deref()).await,
            None => found.absent.push(service.tenant.clone()),
        }
    }
    found.items.sort_by(|a, b| a.waiting.cmp(&b.waiting));
    Ok(found)
}

/// The CRDs of the cluster in the management cluster.
async fn kinds(management: &Cluster, id: &ClusterId) -> Result<Kinds, ClusterError> {
    let labels = format!("{ORIGIN_NAMESPACE}={},{SERVICE_CLUSTER}={}", id.provider, id.cluster);
    let crds = management.list_all(&Selection::all(Resource::crds()).labels(&labels)).await?;
    let kinds = crds.iter().filter_map(|crd| Kind::of(crd, id));
    Ok(kinds.map(|kind| (kind.resource.full_name(), kind)).collect())
}

/// The CatalogEntries of the cluster.
async fn entries(management: &Cluster, id: &ClusterId) -> Result<Vec<Entry>, ClusterError> {
    let Some(resource) = Resource::rendered_kind("CatalogEntry") else { return Ok(Vec::new()) };
    match management.list_all(&Selection::all(resource).within(Some(&id.provider))).await {
        Ok(entries) => Ok(entries.iter().filter_map(|entry| Entry::of(entry, id)).collect()),
        // The derived CRDs still say what the services are.
        Err(error) if error.kind == ErrorKind::KindNotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The service cluster by the Secret of its ServiceCluster, if it is the one that sync has recorded.
async fn service_cluster(connector: &Connector<'_>, management: &Cluster, id: &ClusterId) -> Result<Cluster, Problem> {
    let unseen = |unreached: Unreached| {
        let why = unreached.why;
        let message = format!("{id} cannot be asked, so copies that only it has were not looked for: {why}");
        Problem { message, is_other_cluster: unreached.is_other_cluster }
    };
    let object = reach::object(management, id).await;
    let object = object.map_err(|error| unseen(Unreached::without_object(&error)))?;
    reach::by_object(connector, management, id, &object).await.map_err(unseen)
}

impl Found {
    /// Looks for what waits of one service. The copies are listed before the tenant objects (see [`orphans`]).
    async fn look_at(&mut self, meant: &Meant, tenant: &Resource, kinds: &Kinds, uid: &str, only: Option<&str>) {
        let of_tenants = |resource: &Resource| Selection::all(resource).within(only);
        let marks = format!("{MANAGEMENT_CLUSTER}={uid}");
        let (management, service) = (self.management.clone(), self.service.clone());
        let mut copies = Vec::new();
        for name in meant.bases.iter().filter(|_| service.is_some()) {
            let Some(base) = kinds.get(name).and_then(|kind| kind.base.as_ref()) else {
                let why = format!("the internal CRD {name} does not say where the copies are: render and apply again");
                self.problems.push(Problem::new(why));
                continue;
            };
            let list = Copies::new(Level::Service, base, &meant.tenant, uid, only);
            let selection = Selection::all(base).labels(&marks).metadata_only();
            copies.extend(self.list(service.as_ref(), &selection, list).await);
        }
        for resource in meant.internal.iter().filter_map(|name| Some(&kinds.get(name)?.resource)) {
            let list = Copies::new(Level::Internal, resource, &meant.tenant, uid, only);
            let selection = of_tenants(resource).labels(&marks).metadata_only();
            copies.extend(self.list(Some(&management), &selection, list).await);
        }
        let tenants = self.list(Some(&management), &of_tenants(tenant), Tenants::new(tenant)).await;
        // Without a complete list nothing is known to be gone.
        let Some(tenants) = tenants else { return };
        let copies: Vec<&Copies> = copies.iter().collect();
        let waiting = orphans(&tenants, &copies).chain(tenants.waiting.iter().cloned());
        self.items.extend(waiting.map(|waiting| Item { waiting, tenant: tenant.clone() }));
    }

    /// Lists objects; `None` where that is not possible.
    async fn list<S: ListSink + Send>(
        &mut self,
        cluster: Option<&Cluster>,
        selection: &Selection,
        mut sink: S,
    ) -> Option<S> {
        let cluster = cluster?;
        match cluster.list(selection, &mut sink).await {
            Ok(_) => Some(sink),
            // A kind that the service cluster does not have has no objects there.
            Err(error) if error.kind == ErrorKind::KindNotFound && cluster.target != Target::Management => Some(sink),
            Err(error) => {
                let kind = selection.resource.full_name();
                let message = format!("the {kind} of {} cannot be listed: {}", cluster.target, why_not_listed(&error));
                self.problems.push(Problem::new(message));
                None
            }
        }
    }
    /// Approves exactly what was found. The results come in the order of [`Self::waiting`].
    pub(crate) async fn approve(&self) -> Vec<Approval> {
        // The question may have taken long, and the sockets belong to the run of tasks that listed.
        let management = self.management.afresh();
        let service = self.service.as_ref().map(Cluster::afresh).transpose();
        let (management, service) = match (management, service) {
            (Ok(management), Ok(service)) => (management, service),
            (Err(error), _) | (_, Err(error)) => {
                return self.items.iter().map(|_| Approval::Failed(discreet(&error.message))).collect();
            }
        };
        join_all(self.items.iter().map(|item| Self::approve_one(item, &management, service.as_ref()))).await
    }

    async fn approve_one(item: &Item, management: &Cluster, service: Option<&Cluster>) -> Approval {
        let Waiting { tenant, name, what, namespace, uid, resource, .. } = &item.waiting;
        if *what != What::Tenant {
            // What is about to be destroyed is looked at again: its tenant object may have come back meanwhile.
            let again = ApiRequest::object(&item.tenant, Some(tenant), name).metadata_only();
            match management.call(&again).await {
                Ok(_) => return Approval::Back,
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Approval::Failed(discreet(&error.message)),
            }
        }
        let cluster = match (what, service) {
            (What::Copy, Some(service)) => service,
            _ => management,
        };
        match approval::approve(cluster, resource, Some(namespace), name, uid).await {
            Ok(true) => Approval::Written,
            Ok(false) => Approval::Gone,
            Err(error) => Approval::Failed(discreet(&error.message)),
        }
    }
}
