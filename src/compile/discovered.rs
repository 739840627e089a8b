//! What is known of the clusters: the facts that the compiler takes besides the
//! objects.
//!
//! Where a fact comes from is no concern of the compiler. The lock file and the
//! snapshots give it (`locking::snapshots`), a cluster that was just asked gives it
//! (`cluster::discover`), and the two can be laid over each other
//! (`locking::plan`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::model::cluster::ClusterId;
use crate::model::namespace::service_namespace;
use crate::model::source::Span;

/// The facts about all clusters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Discovered {
    /// UID of the management cluster's namespace `kube-system`: what the settings pin,
    /// else what was discovered; `None` while neither is known.
    pub management_uid: Option<String>,
    /// The service clusters of which anything is known.
    pub clusters: BTreeMap<ClusterId, DiscoveredCluster>,
    /// CRDs, by cluster and name, that exist and cannot be used. The reader has reported
    /// why, so the compiler does not report that they are missing.
    pub broken: BTreeSet<(ClusterId, String)>,
}

/// The facts about one service cluster.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DiscoveredCluster {
    /// UID of its namespace `kube-system`; `None` until the cluster was asked.
    pub uid: Option<String>,
    /// Its minor version, such as `1.37`; `None` until the cluster was asked.
    pub server: Option<String>,
    /// Its CRDs by full name, stripped (`derivation.md` R12).
    pub crds: BTreeMap<String, DiscoveredCrd>,
    /// Those of its CRDs that are being deleted, and what holds each. A lock does not record it.
    pub going: BTreeMap<String, String>,
    /// The namespaces that tenants have in it, by tenant. A tenant without one gets the
    /// name that [`Discovered::namespace`] makes.
    pub namespaces: BTreeMap<String, String>,
}

/// One CRD of a service cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscoveredCrd {
    /// The CustomResourceDefinition. Shared, since it may be a megabyte.
    pub body: Arc<Value>,
    /// The place of its name in a snapshot; `None` where it comes from an API server.
    pub place: Option<Span>,
}

impl DiscoveredCrd {
    /// A CRD as an API server has it.
    #[must_use]
    pub fn live(body: Value) -> Self {
        Self { body: Arc::new(body), place: None }
    }
}

impl Discovered {
    /// The service clusters that the repository no longer has, each with its identity. `is_there` tells which it has.
    pub(crate) fn former_clusters(
        &self,
        is_there: impl Fn(&ClusterId) -> bool,
    ) -> impl Iterator<Item = (&ClusterId, &str)> {
        let former = self.clusters.iter().filter(move |(id, _)| !is_there(id));
        former.filter_map(|(id, known)| Some((id, known.uid.as_deref()?)))
    }

    /// The CRD of this full name in a cluster.
    #[must_use]
    pub fn crd(&self, cluster: &ClusterId, name: &str) -> Option<&DiscoveredCrd> {
        self.clusters.get(cluster)?.crds.get(name)
    }

    /// The CRDs of a cluster by full name; none where nothing is known of the cluster.
    pub fn crds(&self, cluster: &ClusterId) -> impl Iterator<Item = (&str, &DiscoveredCrd)> {
        let crds = self.clusters.get(cluster).into_iter().flat_map(|known| &known.crds);
        crds.map(|(name, crd)| (name.as_str(), crd))
    }

    /// The CRDs of a cluster whose plural is `plural`.
    pub fn by_plural<'a>(
        &'a self,
        cluster: &ClusterId,
        plural: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a DiscoveredCrd)> {
        self.crds(cluster).filter(move |(name, _)| name.split_once('.').is_some_and(|(p, _)| p == plural))
    }

    /// Whether the reader has reported a CRD of this full name or plural as unusable.
    #[must_use]
    pub fn is_broken(&self, cluster: &ClusterId, name: &str) -> bool {
        let is = |crd: &str| crd == name || crd.split_once('.').is_some_and(|(plural, _)| plural == name);
        self.broken.iter().any(|(id, crd)| id == cluster && is(crd))
    }

    /// UID of a service cluster, where it is known.
    #[must_use]
    pub fn uid(&self, cluster: &ClusterId) -> Option<&str> {
        self.clusters.get(cluster)?.uid.as_deref()
    }

    /// The namespace of a tenant in a service cluster: the one that it has, else the one
    /// that it will get.
    #[must_use]
    pub fn namespace(&self, cluster: &ClusterId, tenant: &str) -> String {
        let known = self.clusters.get(cluster).and_then(|known| known.namespaces.get(tenant));
        known.cloned().unwrap_or_else(|| service_namespace(self.management_uid.as_deref(), cluster, tenant))
    }
}
