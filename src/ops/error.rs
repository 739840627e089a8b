//! Why an operation has no result, or not the whole. The diagnostics beside it say where and what to do.

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
