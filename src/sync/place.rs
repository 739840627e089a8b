//! Where copies go: the clusters, the namespaces of the tenants in them, and what keeps writes out. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::breaker::Threshold;
use super::decide::Place;
use super::verdict::{Reason, Verdict};
use crate::model::cluster::ClusterId;

/// What may be believed of a service cluster, and done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Nothing is known yet.
    Unknown,
    /// It is the cluster that it was.
    Trusted,
    /// It does not answer.
    Unreachable(String),
    /// There is no usable kubeconfig.
    NoKubeconfig(String),
    /// Another cluster answers.
    IdentityChanged(String),
}

/// A service cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterState {
    /// What may be believed of it.
    pub trust: Trust,
    /// Whether somebody asked for a pause.
    pub paused: bool,
    /// When deletions are held.
    pub breaker: Threshold,
    /// The number of the connection: what was seen over an earlier one is not believed.
    pub epoch: u64,
    /// Its lane in the queue.
    pub lane: u32,
}

/// The namespace of a tenant in a service cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TenantNamespace {
    /// It was not looked at yet, or could not be, for this reason.
    Unknown(Option<String>),
    /// It is there, and ours.
    Ours,
    /// It is not there, and why.
    Missing(String),
    /// It is somebody else's, and why.
    NotOurs(String),
    /// It is being deleted.
    Terminating,
}

/// An assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssignmentState {
    /// Its UID.
    pub uid: String,
    /// The name of the namespace in the service cluster.
    pub namespace: String,
    /// Whether somebody asked for a pause.
    pub paused: bool,
    /// What is known of the namespace.
    pub state: TenantNamespace,
}

/// All places.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The service clusters.
    pub clusters: BTreeMap<ClusterId, ClusterState>,
    /// By cluster, then by namespace in the management cluster.
    pub assignments: BTreeMap<ClusterId, BTreeMap<String, AssignmentState>>,
    /// The namespaces of the management cluster that are being deleted.
    pub terminating: BTreeSet<String>,
    /// The clusters that no replica is known to work on, and why.
    pub unheld: BTreeMap<ClusterId, String>,
    /// The clusters of which something new is known that their services were not brought into line with yet.
    pub unserved: BTreeSet<ClusterId>,
}

impl Places {
    /// The assignment of a tenant's namespace.
    #[must_use]
    pub(crate) fn assignment(&self, cluster: &ClusterId, namespace: &str) -> Option<&AssignmentState> {
        self.assignments.get(cluster)?.get(namespace)
    }

    /// The namespace of the management cluster whose copies are in this namespace of a service cluster.
    #[must_use]
    pub(crate) fn namespace_above(&self, cluster: &ClusterId, service_namespace: &str) -> Option<&str> {
        let all = self.assignments.get(cluster)?;
        all.iter().find(|(_, assignment)| assignment.namespace == service_namespace).map(|(above, _)| above.as_str())
    }

    /// Whether the copies of a namespace can be written.
    #[must_use]
    pub(crate) fn place(&self, cluster: &ClusterId, namespace: &str) -> Place {
        let closed = |reason, message: &str, deletions, touched_only| Place::Closed {
            verdict: Verdict::new(reason, message.to_owned()),
            deletions,
            touched_only,
        };
        match self.clusters.get(cluster).map(|state| &state.trust) {
            None => {
                return closed(Reason::Pending, &format!("the ServiceCluster {cluster} does not exist"), false, true);
            }
            Some(Trust::Unknown) => {
                return closed(Reason::ClusterUnreachable, "the service cluster was not reached yet", false, true);
            }
            Some(Trust::Unreachable(why)) => return closed(Reason::ClusterUnreachable, why, false, true),
            Some(Trust::NoKubeconfig(why)) => return closed(Reason::ClusterUnreachable, why, false, false),
            Some(Trust::IdentityChanged(why)) => return closed(Reason::IdentityChanged, why, false, false),
            Some(Trust::Trusted) => {}
        }
        let Some(assignment) = self.assignment(cluster, namespace) else {
            let message = format!("no ServiceClusterAssignment assigns the namespace {namespace} in {cluster}");
            return closed(Reason::Pending, &message, false, false);
        };
        match &assignment.state {
            TenantNamespace::Ours => Place::Open,
            TenantNamespace::Unknown(None) => {
                closed(Reason::Pending, "the namespace in the service cluster was not looked at yet", false, true)
            }
            TenantNamespace::Unknown(Some(why)) => closed(Reason::Pending, why, false, true),
            TenantNamespace::Missing(why) => closed(Reason::Pending, why, true, false),
            TenantNamespace::NotOurs(why) => closed(Reason::NamespaceNotOurs, why, true, false),
            TenantNamespace::Terminating => {
                let message = format!("the namespace {} in the service cluster is being deleted", assignment.namespace);
                closed(Reason::Pending, &message, true, false)
            }
        }
    }

    /// Who asked for a pause of everything in a namespace and a cluster.
    #[must_use]
    pub(crate) fn paused(&self, cluster: &ClusterId, namespace: &str) -> Option<&'static str> {
        if self.clusters.get(cluster).is_some_and(|state| state.paused) {
            return Some("the ServiceCluster is paused");
        }
        self.assignment(cluster, namespace).filter(|a| a.paused).map(|_| "the ServiceClusterAssignment is paused")
    }
}
