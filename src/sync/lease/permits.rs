//! Asked at each write: whether this replica may write for a cluster.
//!
//! A permit dies by the clock, whether anybody hears of it or not; a write that is still under way then is dropped.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::model::cluster::ClusterId;

/// The permits of this replica. A clone is the same.
#[derive(Debug, Clone)]
pub struct Permits {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clusters: Mutex<BTreeMap<ClusterId, Entry>>,
    /// Says that permits have changed.
    changed: watch::Sender<()>,
    /// Says that no write to some cluster is under way any more.
    quiet: Notify,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    begin_until: Option<Instant>,
    end_until: Option<Instant>,
    under_way: usize,
}

/// This replica may not write for the cluster, or no longer: a write that was under way was dropped, and may have been
/// done or not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this replica does not hold the lease of {0}")]
pub struct NoPermit(pub ClusterId);

impl Permits {
    pub(super) fn new() -> Self {
        let clusters = Mutex::default();
        Self { shared: Arc::new(Shared { clusters, changed: watch::Sender::new(()), quiet: Notify::new() }) }
    }

    /// Whether a write for this cluster may begin now.
    #[must_use]
    pub fn may_write(&self, cluster: &ClusterId) -> bool {
        self.lock().get(cluster).is_some_and(Entry::may_begin)
    }

    /// Does a write under the permit of a cluster. The future is not polled without a permit, and dropped when the
    /// permit ends.
    ///
    /// # Errors
    /// When there is no permit, or it ended first.
    pub async fn within<T>(&self, cluster: &ClusterId, write: impl Future<Output = T>) -> Result<T, NoPermit> {
        let mut changed = self.shared.changed.subscribe();
        let under_way = self.begin(cluster).ok_or_else(|| NoPermit(cluster.clone()))?;
        let mut write = pin!(write);
        loop {
            let end = self.lock().get(cluster).and_then(|entry| entry.end_until);
            let Some(end) = end.filter(|end| Instant::now() < *end) else { break };
            tokio::select! {
                biased;
                done = &mut write => return Ok(done),
                () = sleep_until(end) => {}
                // Not an error: whoever changes permits lives as long as they do.
                _ = changed.changed() => {}
            }
        }
        drop(under_way);
        Err(NoPermit(cluster.clone()))
    }

    /// Gives these permits and no others. Returns the clusters that can be written to from now on, and could not be a
    /// moment ago, even if nobody asked in the meantime.
    pub(super) fn replace(&self, permits: &BTreeMap<ClusterId, (Option<Instant>, Instant)>) -> Vec<ClusterId> {
        let mut clusters = self.lock();
        let could = |id: &ClusterId| clusters.get(id).is_some_and(Entry::may_begin);
        let now = Instant::now();
        let can = |begin_until: &Option<Instant>| begin_until.is_some_and(|until| now < until);
        let again = permits.iter().filter(|(id, (begin_until, _))| can(begin_until) && !could(id));
        let again = again.map(|(id, _)| id.clone()).collect();
        for (id, entry) in clusters.iter_mut() {
            if !permits.contains_key(id) {
                (entry.begin_until, entry.end_until) = (None, None);
            }
        }
        for (id, (begin_until, end_until)) in permits {
            let entry = clusters.entry(id.clone()).or_default();
            (entry.begin_until, entry.end_until) = (*begin_until, Some(*end_until));
        }
        clusters.retain(|_, entry| entry.end_until.is_some() || entry.under_way > 0);
        drop(clusters);
        self.shared.changed.send_replace(());
        again
    }

    /// From here on no write for this cluster begins. Says whether none is under way.
    pub(super) fn close(&self, cluster: &ClusterId) -> bool {
        let mut clusters = self.lock();
        let Some(entry) = clusters.get_mut(cluster) else { return true };
        entry.begin_until = None;
        entry.under_way == 0
    }

    /// Waits until the last write to some cluster has ended.
    pub(super) async fn quiet(&self) {
        self.shared.quiet.notified().await;
    }

    fn begin(&self, cluster: &ClusterId) -> Option<UnderWay<'_>> {
        let mut clusters = self.lock();
        let entry = clusters.get_mut(cluster).filter(|entry| entry.may_begin())?;
        entry.under_way += 1;
        Some(UnderWay { permits: self, cluster: cluster.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClusterId, Entry>> {
        self.shared.clusters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn may_begin(&self) -> bool {
        self.begin_until.is_some_and(|until| Instant::now() < until)
    }
}

/// A write under way.
struct UnderWay<'a> {
    permits: &'a Permits,
    cluster: ClusterId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut clusters = self.permits.lock();
        let Some(entry) = clusters.get_mut(&self.cluster) else { return };
        entry.under_way = entry.under_way.saturating_sub(1);
        if entry.under_way == 0 {
            self.permits.shared.quiet.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const S: Duration = Duration::from_secs(1);

    fn id() -> ClusterId {
        ClusterId::new("p", "c")
    }

    fn given(begin: Option<Duration>, end: Duration) -> Permits {
        let permits = Permits::new();
        let now = Instant::now();
        permits.replace(&[(id(), (begin.map(|begin| now + begin), now + end))].into());
        permits
    }

    #[tokio::test]
    async fn nothing_begins_without_a_permit() {
        let permits = given(None, S * 60);
        assert!(!permits.may_write(&id()));
        assert_eq!(permits.within(&id(), async { panic!("it begins") }).await, Err::<(), _>(NoPermit(id())));
        let other = ClusterId::new("p", "other");
        assert_eq!(permits.within(&other, async {}).await, Err(NoPermit(other)));
        assert_eq!(given(Some(S * 60), S * 60).within(&id(), async { 7 }).await, Ok(7));
    }

    #[tokio::test]
    async fn a_permit_that_lapsed_and_came_back_is_told() {
        let (permits, now, id) = (Permits::new(), Instant::now(), id());
        let until = |begin: Option<Duration>| [(id.clone(), (begin.map(|begin| now + begin), now + S * 60))].into();
        assert_eq!(permits.replace(&until(Some(S * 60))), std::slice::from_ref(&id));
        assert_eq!(permits.replace(&until(Some(S * 50))), []);
        assert_eq!(permits.replace(&until(Some(Duration::ZERO))), [], "it ends by the clock");
        assert_eq!(permits.replace(&until(Some(S * 60))), std::slice::from_ref(&id), "and nobody was told of that");
        assert_eq!(permits.replace(&until(None)), []);
        assert_eq!(permits.replace(&until(Some(S * 60))), std::slice::from_ref(&id));
    }

    #[tokio::test]
    async fn a_write_ends_with_its_permit() {
        let permits = given(Some(S * 60), Duration::from_millis(20));
        assert_eq!(permits.within(&id(), std::future::pending::<()>()).await, Err(NoPermit(id())));
        assert!(permits.close(&id()), "nothing is under way");
    }

    #[tokio::test]
    async fn a_write_goes_on_while_the_lease_is_given_back_but_not_after_it_was_lost() {
        let permits = given(Some(S * 60), S * 60);
        let id = id();
        let mut first = Box::pin(permits.within(&id, std::future::pending::<()>()));
        tokio::select! {
            biased;
            _ = &mut first => panic!("it ends"),
            () = std::future::ready(()) => {}
        }
        assert!(!permits.close(&id) && !permits.may_write(&id));
        assert!(permits.within(&id, async {}).await.is_err());
        permits.replace(&BTreeMap::new());
        assert_eq!(first.await, Err(NoPermit(id.clone())));
        permits.quiet().await;
        assert!(permits.close(&id));
    }
}
