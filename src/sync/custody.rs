//! Which service clusters this replica works on, by what the Leases say. Pure. It may not say whether a write may
//! begin: that is asked of the permits, at each write.

use std::collections::{BTreeMap, BTreeSet};

use super::lease::keeper::Holdings;
use crate::model::cluster::ClusterId;

/// What the Leases say of the clusters.
#[derive(Debug)]
pub(crate) struct Custody {
    /// The clusters to work on; empty, all of them.
    only: BTreeSet<ClusterId>,
    /// Absent where there are no Leases: then all clusters are ours.
    holdings: Option<Holdings>,
    /// The clusters whose Lease this replica was the last to hold. While nobody holds it, they are followed on.
    kept: BTreeSet<ClusterId>,
}

impl Custody {
    /// Of a replica that is limited to `only`, or to nothing where that is empty.
    #[must_use]
    pub(crate) fn new(only: BTreeSet<ClusterId>, by_leases: bool) -> Self {
        Self { only, holdings: by_leases.then(Holdings::default), kept: BTreeSet::new() }
    }

    /// Takes in what the Leases say now, and returns the clusters that may be written to again: what came up while they
    /// could not was left undone.
    pub(crate) fn take(&mut self, holdings: Holdings) -> Vec<ClusterId> {
        self.kept.retain(|id| !is_elsewhere(&holdings, id));
        self.kept.extend(holdings.mine.iter().cloned());
        let grants = |id: &ClusterId| self.holdings.as_ref().and_then(|before| before.grants.get(id).copied());
        let again = holdings.mine.iter().filter(|id| holdings.grants.get(*id).copied() != grants(id)).cloned();
        let again = again.collect();
        self.holdings = Some(holdings);
        again
    }

    /// Forgets the clusters that are no more: nobody takes their Leases, which would end what follows them.
    pub(crate) fn retain(&mut self, is_there: impl Fn(&ClusterId) -> bool) {
        self.kept.retain(is_there);
    }

    /// Whether a cluster is ours to follow: its Lease is ours, or was ours at last and is nobody's now. Who takes it
    /// follows the cluster from then on, and the instances are counted there.
    #[must_use]
    pub(crate) fn follows(&self, cluster: &ClusterId) -> bool {
        // One that is there again may not have been given back in the meantime.
        let is_ours = |holdings: &Holdings| self.kept.contains(cluster) || holdings.mine.contains(cluster);
        self.is_able(cluster) && self.holdings.as_ref().is_none_or(is_ours)
    }

    /// Of these clusters those that nobody is known to work on, and why: neither this replica nor another one.
    #[must_use]
    pub(crate) fn unheld<'a>(&self, clusters: impl Iterator<Item = &'a ClusterId>) -> BTreeMap<ClusterId, String> {
        let Some(holdings) = &self.holdings else { return BTreeMap::new() };
        let is_held = |id: &ClusterId| holdings.mine.contains(id) || is_elsewhere(holdings, id);
        let why = match (&holdings.problem, holdings.known) {
            (Some(problem), _) => format!("no replica is known to hold its lease: {problem}"),
            (None, true) => "no replica holds its lease yet".to_owned(),
            (None, false) => "the leases are not listed yet".to_owned(),
        };
        let unheld = clusters.filter(|id| self.is_able(id) && !is_held(id));
        unheld.map(|id| (id.clone(), why.clone())).collect()
    }

    fn is_able(&self, cluster: &ClusterId) -> bool {
        self.only.is_empty() || self.only.contains(cluster)
    }
}

/// Whether another process is known to hold the Lease of a cluster.
fn is_elsewhere(holdings: &Holdings, cluster: &ClusterId) -> bool {
    holdings.elsewhere.get(cluster).is_some_and(|holder| !holder.replica.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::lease::keeper::Holder;

    fn id(name: &str) -> ClusterId {
        ClusterId::new("p", name)
    }

    fn holdings(mine: &[&str], elsewhere: &[(&str, &str)]) -> Holdings {
        let holder = |replica: &str| Holder { replica: replica.to_owned(), lives: false };
        Holdings {
            known: true,
            mine: mine.iter().map(|name| id(name)).collect(),
            grants: mine.iter().map(|name| (id(name), 1)).collect(),
            elsewhere: elsewhere.iter().map(|(name, replica)| (id(name), holder(replica))).collect(),
            ..Holdings::default()
        }
    }

    fn unheld(custody: &Custody) -> Vec<(String, String)> {
        let all = ["a", "b", "c"].map(id);
        custody.unheld(all.iter()).into_iter().map(|(id, why)| (id.cluster, why)).collect()
    }

    #[test]
    fn a_cluster_counts_as_held_only_when_its_holder_is_known() {
        let mut custody = Custody::new(BTreeSet::new(), true);
        let said = |why: &str, names: &[&str]| -> Vec<(String, String)> {
            names.iter().map(|name| ((*name).to_owned(), why.to_owned())).collect()
        };
        assert_eq!(unheld(&custody), said("the leases are not listed yet", &["a", "b", "c"]));
        custody.take(holdings(&[], &[]));
        assert_eq!(unheld(&custody), said("no replica holds its lease yet", &["a", "b", "c"]));
        // `c` was deleted a moment ago: whoever held it may not know.
        custody.take(holdings(&["a"], &[("b", "other"), ("c", "")]));
        assert_eq!(unheld(&custody), said("no replica holds its lease yet", &["c"]));
        assert!(custody.follows(&id("a")) && !custody.follows(&id("b")) && !custody.follows(&id("c")));
        custody.take(Holdings { problem: Some("forbidden".to_owned()), ..holdings(&["a", "b"], &[]) });
        assert_eq!(unheld(&custody), said("no replica is known to hold its lease: forbidden", &["c"]));
        custody.take(holdings(&["a", "b"], &[("c", "other")]));
        assert_eq!(unheld(&custody), []);
    }

    #[test]
    fn a_cluster_is_followed_on_until_another_replica_has_it() {
        let mut custody = Custody::new(BTreeSet::new(), true);
        assert_eq!(custody.take(holdings(&["a", "b"], &[])), [id("a"), id("b")]);
        assert_eq!(custody.take(holdings(&["a", "b"], &[])), []);
        // The lease cannot be renewed, or was deleted, or is given back.
        for others in [&[][..], &[("a", "")]] {
            assert_eq!(custody.take(holdings(&["b"], others)), []);
            assert!(custody.follows(&id("a")));
        }
        let again = |count| Holdings { grants: [(id("a"), count)].into(), ..holdings(&["a"], &[]) };
        assert_eq!(custody.take(again(2)), [id("a")]);
        // It came back before anybody had seen that it was lost.
        assert_eq!(custody.take(again(3)), [id("a")]);
        custody.take(holdings(&[], &[("a", "other")]));
        assert!(!custody.follows(&id("a")));
        custody.take(holdings(&[], &[]));
        assert!(!custody.follows(&id("a")), "what another held last is not followed");
    }

    #[test]
    fn a_cluster_that_is_no_more_is_not_followed() {
        let mut custody = Custody::new(BTreeSet::new(), true);
        custody.take(holdings(&["a", "b"], &[]));
        custody.take(holdings(&["b"], &[]));
        custody.retain(|cluster| *cluster == id("b"));
        assert!(!custody.follows(&id("a")) && custody.follows(&id("b")));
        // It is made again before its lease was given back.
        custody.take(holdings(&["a", "b"], &[]));
        custody.retain(|cluster| *cluster == id("b"));
        assert!(custody.follows(&id("a")));
    }

    #[test]
    fn other_clusters_than_those_it_is_limited_to_are_none_of_its_business() {
        let mut custody = Custody::new([id("a")].into(), true);
        custody.take(holdings(&["a"], &[]));
        assert_eq!(unheld(&custody), []);
        assert!(!custody.follows(&id("b")));
    }

    #[test]
    fn without_leases_all_are_ours() {
        let custody = Custody::new(BTreeSet::new(), false);
        assert!(custody.follows(&id("a")));
        assert_eq!(unheld(&custody), []);
    }
}
