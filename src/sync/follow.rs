//! Follows the objects of one level of a service: takes what a watch tells into the index.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::facts::Facts;
use super::index::Seen;
use super::level::Level;
use super::link::keeper::LinkHandle;
use super::service::Service;
use super::shared::Shared;
use crate::cluster::watch::{WatchEvent, WatchOptions, Watcher};
use crate::cluster::{Cluster, ClusterError, ErrorKind, Selection};
use crate::model::keys::MANAGEMENT_CLUSTER;

/// The pause before a watch begins anew that has ended for good: somebody has to give a right back first.
const PAUSE: Duration = Duration::from_secs(5);

/// The objects on a page of a list. Only records of them are kept, so memory is what the largest page takes.
const PAGE: u32 = 100;

/// What a follower needs.
pub(crate) struct Follow {
    /// What the tasks share.
    pub shared: Arc<Shared>,
    /// The number of the service.
    pub service_id: u32,
    /// The service.
    pub service: Arc<Service>,
    /// The level.
    pub level: Level,
    /// The cluster that has the objects of this level.
    pub cluster: Cluster,
    /// The link, where it is the service cluster.
    pub link: Option<LinkHandle>,
}

impl Follow {
    /// Follows until the task is dropped.
    pub(crate) async fn run(self) {
        let options = WatchOptions { await_kind: true, ..WatchOptions::default() };
        let mut was_lost = false;
        loop {
            let mut watcher = Watcher::new(&self.cluster, selection(&self.service, self.level), &options);
            while let Some(event) = watcher.next().await {
                if let Some(link) = &self.link
                    && !matches!(event, WatchEvent::Lost(_))
                {
                    link.note_life();
                }
                match &event {
                    WatchEvent::Lost(_) => was_lost = true,
                    // Behind a connection that was made anew another cluster may answer: what its list does not have
                    // is not absent before it has said who it is.
                    WatchEvent::Listed { .. } | WatchEvent::Live if was_lost => {
                        if let Some(link) = &self.link
                            && !link.confirm().await.trust.is_trusted()
                        {
                            // The link says what to do next: it ends this task, or is trusted again.
                            let mut changes = link.subscribe();
                            let _ = changes.wait_for(|link| link.trust.is_trusted()).await;
                        }
                        if event == WatchEvent::Live {
                            was_lost = false;
                        }
                    }
                    _ => {}
                }
                self.take(event);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes an event into the index.
    pub(crate) fn take(&self, event: WatchEvent) {
        let (seen, facts) = match event {
            WatchEvent::Restarted => (Seen::Restarted, None),
            WatchEvent::Object(object) => {
                let facts = self.facts(&object);
                // What no API server would say is left out.
                if facts.is_none() {
                    return;
                }
                (Seen::Object(Arc::new(object)), facts)
            }
            WatchEvent::Listed { resource_version } => {
                (Seen::Listed(resource_version.parse().unwrap_or_default()), None)
            }
            WatchEvent::Live => (Seen::Live, None),
            WatchEvent::Deleted(object) => (Seen::Gone(Arc::new(object)), None),
            WatchEvent::Lost(error) => (lost(&error), None),
        };
        let now = self.shared.now();
        self.shared.index().watched(self.service_id, self.level, &seen, facts, now);
        self.shared.wake.notify_one();
    }

    fn facts(&self, object: &Value) -> Option<Facts> {
        let (namespace, name) = self.shared.index().key_of(&self.service, self.level, object)?;
        Facts::of(&self.service, self.level, object, &namespace, &name)
    }
}

/// The objects of a level.
fn selection(service: &Service, level: Level) -> Selection {
    let route = &service.route;
    let all = match level {
        Level::Tenant => Selection::all(&route.tenant),
        Level::Internal => Selection::all(&route.internal),
        Level::Service => Selection::all(&route.base).labels(&format!("{MANAGEMENT_CLUSTER}={}", service.management)),
    };
    all.paged(PAGE)
}

fn lost(error: &ClusterError) -> Seen {
    let message = super::link::verdict::server_text(&error.message);
    Seen::Lost {
        message,
        kind_is_gone: matches!(error.kind, ErrorKind::KindNotFound),
        forbidden: matches!(error.kind, ErrorKind::Forbidden | ErrorKind::Unauthorized),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::model_tests::offer::service;

    #[test]
    fn instances_are_listed_in_pages_that_memory_does_not_notice() {
        let service = service();
        for level in [Level::Tenant, Level::Internal, Level::Service] {
            let page = selection(&service, level).page;
            assert!(page.is_some_and(|page| (50..=200).contains(&page)), "{level:?}: {page:?}");
        }
    }
}
