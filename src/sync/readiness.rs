//! Whether somebody is known to work on each cluster, whether the watches of ours have completed their lists, and what
//! is missing. Pure.

use super::index::{Index, Watched};
use super::level::Level;
use super::place::Trust;
use crate::model::cluster::ClusterId;

/// What is missing, one line each; empty where everything is ready. A cluster that cannot be reached, has no usable
/// Secret or another identity does not count, nor do the watches of one that another replica works on.
#[must_use]
pub(crate) fn missing(index: &Index) -> Vec<String> {
    let said = |(cluster, why): (&ClusterId, &String)| format!("{cluster}: {why}");
    let mut missing: Vec<String> = index.places.unheld.iter().map(said).collect();
    let unserved = index.places.unserved.iter();
    missing.extend(unserved.map(|cluster| format!("{cluster}: its services are about to be followed")));
    for (cluster, state) in &index.places.clusters {
        if state.trust == Trust::Unknown {
            missing.push(format!("{cluster}: the cluster was not reached yet"));
        }
    }
    for indexed in index.services.values().filter(|indexed| indexed.paused.is_none()) {
        let service = &indexed.service;
        let cluster = &service.route.cluster;
        let is_trusted = index.places.clusters.get(cluster).is_some_and(|state| state.trust == Trust::Trusted);
        let mut lacks = |level: Level, kind: String| {
            if indexed.watched[level as usize] != Watched::Live {
                let why = indexed.problems[level as usize].as_deref().unwrap_or("the list is not complete");
                missing.push(format!("{cluster}: {kind}: {why}"));
            }
        };
        lacks(Level::Tenant, service.route.tenant.full_name());
        if service.derives() {
            lacks(Level::Internal, service.route.internal.full_name());
        }
        if is_trusted && indexed.unavailable.is_none() {
            lacks(Level::Service, service.route.base.full_name());
        }
    }
    missing.sort();
    missing
}

/// The clusters and services that do not count, and why, one line each. A service at rest is one whose CatalogEntry or
/// CRD is gone, so that there is nothing to list, or one that somebody paused.
#[must_use]
pub(crate) fn not_counted(index: &Index) -> Vec<String> {
    let clusters = index.places.clusters.iter().filter_map(|(cluster, state)| match &state.trust {
        Trust::Unknown | Trust::Trusted => None,
        Trust::Unreachable(why) | Trust::NoKubeconfig(why) | Trust::IdentityChanged(why) => {
            Some(format!("{cluster}: not counted: {why}"))
        }
    });
    let services = index.services.values().filter_map(|indexed| {
        let (route, why) = (&indexed.service.route, indexed.paused.as_ref()?);
        Some(format!("{}: {}: not counted: {why}", route.cluster, route.tenant.full_name()))
    });
    let mut lines: Vec<String> = clusters.chain(services).collect();
    lines.sort();
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sync::breaker::Threshold;
    use crate::sync::index::Seen;
    use crate::sync::model_tests::offer::service;
    use crate::sync::place::ClusterState;
    use crate::sync::queue::Moment;

    fn trusted(index: &mut Index, cluster: &ClusterId, trust: Trust) {
        let state = ClusterState { trust, paused: false, breaker: Threshold::default(), epoch: 1, lane: 0 };
        index.places.clusters.insert(cluster.clone(), state);
    }

    #[test]
    fn nothing_is_ready_before_each_step_towards_it_was_done() {
        let (mut index, service) = (Index::default(), Arc::new(service()));
        let cluster = service.route.cluster.clone();
        let says = |index: &Index, what: &str| {
            let all = missing(index);
            assert!(all.iter().any(|line| line.contains(what)), "{what}: {all:?}");
        };
        index.places.unheld.insert(cluster.clone(), "no replica holds its lease yet".to_owned());
        says(&index, "no replica holds its lease yet");
        index.places.unheld.clear();
        trusted(&mut index, &cluster, Trust::Unknown);
        says(&index, "not reached yet");
        // It answers, and its services are not in the index yet.
        trusted(&mut index, &cluster, Trust::Trusted);
        index.places.unserved.insert(cluster.clone());
        says(&index, "about to be followed");
        let id = index.add_service(Arc::clone(&service));
        index.places.unserved.clear();
        for level in [Level::Tenant, Level::Internal, Level::Service] {
            says(&index, "the list is not complete");
            for seen in [Seen::Restarted, Seen::Listed(1), Seen::Live] {
                index.watched(id, level, &seen, None, Moment::ZERO);
            }
        }
        assert_eq!(missing(&index), Vec::<String>::new());
        // What is out of reach does not count, and is said.
        trusted(&mut index, &cluster, Trust::Unreachable("away".to_owned()));
        index.forget_level(id, Level::Service);
        assert_eq!(missing(&index), Vec::<String>::new());
        assert_eq!(not_counted(&index), [format!("{cluster}: not counted: away")]);
    }

    /// Its derived CRD is gone: a watch of a kind that nobody serves never completes a list.
    #[test]
    fn a_service_at_rest_keeps_nobody_unready() {
        let (mut index, service) = (Index::default(), Arc::new(service()));
        trusted(&mut index, &service.route.cluster, Trust::Trusted);
        let id = index.add_service(Arc::clone(&service));
        let lost = Seen::Lost { message: "no such kind".to_owned(), kind_is_gone: true, forbidden: false };
        index.watched(id, Level::Tenant, &lost, None, Moment::ZERO);
        assert!(!missing(&index).is_empty());
        index.services.get_mut(&id).unwrap().paused = Some("the CRD dbs.eu.team-a is gone".to_owned());
        assert_eq!(missing(&index), Vec::<String>::new());
        assert_eq!(not_counted(&index), ["team-a/eu: dbs.eu.team-a: not counted: the CRD dbs.eu.team-a is gone"]);
    }
}
