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
}

impl Custody {
    /// Of a replica that is limited to `only`, or to nothing where that is empty.
    #[must_use]
    pub(crate) fn new(only: BTreeSet<ClusterId>, by_leases: bool) -> Self {
        Self { only, holdings: by_leases.then(Holdings::default) }
    }

    /// Takes in what the Leases say now.
    pub(crate) fn take(&mut self, holdings: Holdings) {
        self.holdings = Some(holdings);
    }

    /// Whether a cluster is ours to follow.
    #[must_use]
    pub(crate) fn follows(&self, cluster: &ClusterId) -> bool {
        self.is_able(cluster) && self.holdings.as_ref().is_none_or(|holdings| holdings.mine.contains(cluster))
    }

    /// Of these clusters those that nobody is known to work on, and why: neither this replica nor another one.
    #[must_use]
    pub(crate) fn unheld<'a>(&self, clusters: impl Iterator<Item = &'a ClusterId>) -> BTreeMap<ClusterId, String> {
        let Some(holdings) = &self.holdings else { return BTreeMap::new() };
        let is_held = |id: &ClusterId| {
            let elsewhere = holdings.elsewhere.get(id).is_some_and(|holder| !holder.replica.is_empty());
            holdings.mine.contains(id) || elsewhere
        };
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
