//! What a single run looks at before it begins. Without the kinds, or for a cluster that is not there, it would wait
//! until its time is over, or end well and have done nothing.

use std::collections::BTreeSet;

use super::source::Source;
use crate::cluster::{Cluster, ClusterError, ErrorKind};
use crate::model::cluster::ClusterId;

/// Why a single run does not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotBegun {
    /// The management cluster does not answer, or refuses.
    Failed(ClusterError),
    /// It does not serve this kind of KubeCarrier, `<plural>.<group>`.
    NoKind(String),
    /// It has no ServiceCluster of this name.
    NoCluster {
        /// The name that was asked for.
        wanted: ClusterId,
        /// Those that there are.
        known: BTreeSet<ClusterId>,
    },
}

impl From<ClusterError> for NotBegun {
    fn from(error: ClusterError) -> Self {
        Self::Failed(error)
    }
}

/// Looks whether the management cluster has the kinds that sync is driven by, and the clusters that it is to work on.
///
/// # Errors
/// When it has not, or does not answer.
pub(crate) async fn check(management: &Cluster, only: &BTreeSet<ClusterId>) -> Result<(), NotBegun> {
    for source in [Source::Entries, Source::Assignments, Source::Clusters] {
        let selection = source.selection();
        let found = match (source, only.is_empty()) {
            (Source::Clusters, false) => management.list_all(&selection).await,
            _ => management.first(&selection).await.map(|(first, _)| first.into_iter().collect()),
        };
        let found = match found {
            Ok(found) => found,
            Err(error) if error.kind == ErrorKind::KindNotFound => {
                return Err(NotBegun::NoKind(selection.resource.full_name()));
            }
            Err(error) => return Err(error.into()),
        };
        if source == Source::Clusters && !only.is_empty() {
            let known: BTreeSet<ClusterId> = found
                .iter()
                .filter_map(super::facts::name_of)
                .map(|(provider, cluster)| ClusterId::new(provider, cluster))
                .collect();
            if let Some(wanted) = only.iter().find(|id| !known.contains(id)).cloned() {
                return Err(NotBegun::NoCluster { wanted, known });
            }
        }
    }
    Ok(())
}
