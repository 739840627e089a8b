//! The objects of the management cluster that say what there is to do, and the watches of them.

use std::time::Duration;

use crate::cluster::watch::{WatchEvent, WatchOptions, Watcher};
use crate::cluster::{Cluster, Selection};
use crate::model::keys::ORIGIN_NAMESPACE;
use crate::model::resource::Resource;

/// The pause before a watch begins anew that has ended for good.
const PAUSE: Duration = Duration::from_secs(5);

/// The kinds of the management cluster that say what there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    /// ServiceClusters.
    Clusters,
    /// ServiceClusterAssignments.
    Assignments,
    /// CatalogEntries.
    Entries,
    /// The internal and derived CRDs.
    Crds,
    /// Namespaces.
    Namespaces,
}

impl Source {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [Self::Clusters, Self::Assignments, Self::Entries, Self::Crds, Self::Namespaces];

    /// What they are called.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Clusters => "serviceclusters",
            Self::Assignments => "serviceclusterassignments",
            Self::Entries => "catalogentries",
            Self::Crds => "customresourcedefinitions",
            Self::Namespaces => "namespaces",
        }
    }

    /// Which objects that is.
    pub(crate) fn selection(self) -> Selection {
        let rendered = |kind: &str| {
            let found = Resource::rendered().iter().find(|resource| resource.kind == kind);
            // The table has these kinds; without one nothing would be found.
            Selection::all(found.unwrap_or_else(|| Resource::crds()))
        };
        match self {
            Self::Clusters => rendered("ServiceCluster"),
            Self::Assignments => rendered("ServiceClusterAssignment"),
            Self::Entries => rendered("CatalogEntry"),
            Self::Crds => Selection::all(Resource::crds()).labels(ORIGIN_NAMESPACE).paged(20),
            Self::Namespaces => Selection::all(Resource::namespaces()).metadata_only(),
        }
    }
}

/// Watches a kind of the management cluster for as long as somebody wants to be told.
pub(crate) async fn watch_source(management: Cluster, source: Source, told: impl AsyncFn(Source, WatchEvent) -> bool) {
    let options = WatchOptions { await_kind: true, ..WatchOptions::default() };
    loop {
        let mut watcher = Watcher::new(&management, source.selection(), &options);
        while let Some(event) = watcher.next().await {
            if !told(source, event).await {
                return;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
