//! Why an operation has no result, or not the whole. The diagnostics beside it say where and what to do.

use crate::compile::load::SourceKey;
use crate::compile::resolve::Resolved;
use crate::model::cluster::ClusterId;

/// Why a cluster did not contribute to a result. The later one is the graver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClusterFailure {
    /// It could not be asked.
    Unreachable,
    /// It is another cluster than the one that was recorded; it was asked nothing more.
    OtherCluster,
}

/// Why a live plan is missing or incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanFailure {
    /// The repository has errors, or a CRD that it needs is gone.
    Invalid,
    /// A cluster did not contribute.
    Cluster(ClusterFailure),
}

impl From<ClusterFailure> for PlanFailure {
    fn from(failure: ClusterFailure) -> Self {
        Self::Cluster(failure)
    }
}

/// A name that the caller gave and the repository does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// What it should name.
    pub kind: NameKind,
    /// The name.
    pub name: String,
    /// The names that there are, sorted.
    pub known: Vec<String>,
    /// Whether an object of that name is there but has errors.
    pub broken: bool,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A service cluster, `PROVIDER/CLUSTER`.
    ServiceCluster,
    /// An account.
    Account,
    /// A service: the plural of its CRD, or the name of the CRD.
    Service,
}

/// Checks that the repository has a service cluster.
///
/// # Errors
/// When it has not.
pub(super) fn known_cluster(id: &ClusterId, resolved: &Resolved<'_>) -> Result<(), UnknownName> {
    if resolved.clusters.contains_key(id) {
        return Ok(());
    }
    let is_it = |key: &SourceKey| key.kind == "ServiceCluster" && key.name == id.cluster;
    let broken = resolved.loaded.broken.iter().any(is_it);
    Err(UnknownName { broken, ..unknown_cluster(id, resolved.clusters.keys()) })
}

/// There is no such service cluster among those that are known.
pub(super) fn unknown_cluster<'c>(id: &ClusterId, known: impl Iterator<Item = &'c ClusterId>) -> UnknownName {
    let known = known.map(ToString::to_string).collect();
    UnknownName { kind: NameKind::ServiceCluster, name: id.to_string(), known, broken: false }
}
