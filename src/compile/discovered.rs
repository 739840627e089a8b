//! What is known of the service clusters: snapshots of their CRDs, and the lock
//! that says which are current.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::model::cluster::ClusterId;
use crate::model::lock::Lock;
use crate::model::source::Span;

/// The CRDs of the service clusters, by cluster and name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Discovered {
    /// The snapshots.
    pub crds: BTreeMap<ClusterId, BTreeMap<String, Snapshot>>,
    /// The lock; empty where there is none yet.
    pub lock: Lock,
    /// Snapshots that should be there and cannot be used, which has been reported.
    pub broken: BTreeSet<(ClusterId, String)>,
}

/// One CRD of a service cluster, as it was when it was last looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The CustomResourceDefinition.
    pub crd: Arc<Value>,
    /// Where the snapshot stands.
    pub place: Span,
}

impl Discovered {
    /// The snapshot of a CRD by its full name.
    #[must_use]
    pub fn by_name(&self, cluster: &ClusterId, crd: &str) -> Option<&Snapshot> {
        self.crds.get(cluster)?.get(crd)
    }

    /// Whether a snapshot that is not there was reported already: by the CRD's name or its plural.
    #[must_use]
    pub fn is_broken(&self, cluster: &ClusterId, name: &str) -> bool {
        let is = |crd: &str| crd == name || crd.split_once('.').is_some_and(|(plural, _)| plural == name);
        self.broken.iter().any(|(id, crd)| id == cluster && is(crd))
    }

    /// The snapshots of a cluster whose plural is `plural`, by name.
    pub fn by_plural<'a>(
        &'a self,
        cluster: &ClusterId,
        plural: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Snapshot)> {
        let of_plural = move |name: &str| name.split_once('.').is_some_and(|(p, _)| p == plural);
        self.crds
            .get(cluster)
            .into_iter()
            .flatten()
            .filter(move |(name, _)| of_plural(name))
            .map(|(name, snapshot)| (name.as_str(), snapshot))
    }
}
