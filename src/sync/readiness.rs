//! Whether the watches have completed their lists, and what is missing.

use super::index::{Index, Watched};
use super::level::Level;
use super::place::Trust;

/// What is missing, one line each; empty where everything is ready. A cluster that cannot be reached, has no usable
/// Secret or another identity does not count.
#[must_use]
pub(crate) fn missing(index: &Index) -> Vec<String> {
    let mut missing = Vec::new();
    for (cluster, state) in &index.places.clusters {
        if state.trust == Trust::Unknown {
            missing.push(format!("{cluster}: the cluster was not reached yet"));
        }
    }
    for indexed in index.services.values() {
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

/// The clusters that do not count, and why, one line each.
#[must_use]
pub(crate) fn not_counted(index: &Index) -> Vec<String> {
    let clusters = index.places.clusters.iter();
    let lines = clusters.filter_map(|(cluster, state)| match &state.trust {
        Trust::Unknown | Trust::Trusted => None,
        Trust::Unreachable(why) | Trust::NoKubeconfig(why) | Trust::IdentityChanged(why) => {
            Some(format!("{cluster}: not counted: {why}"))
        }
    });
    lines.collect()
}
