//! Rendering: from the resolved services and their CRDs to the objects of every cluster, and from those to
//! files.
//!
//! [`render`] makes the objects, in one file for each family; [`layout`] makes the files. Neither reports
//! diagnostics: earlier stages found every problem, and what could not be built is left out.

pub(crate) mod file_name;
pub(crate) mod layout;
pub(crate) mod manifest;

mod accounts;
mod clusters;
mod crds;
mod entries;
mod offerings;
mod rbac;
mod reader;
pub(crate) mod staying;
mod sync;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::build::{Built, OfferedCrd};
use super::discovered::Discovered;
use super::parallel::in_parallel;
use super::resolve::{Resolved, Service};
use crate::model::cluster::ClusterId;
use crate::model::config::RenderTarget;
use crate::model::kinds::AccountRole;
use manifest::Collector;
pub(crate) use manifest::{Cause, Manifest};
use staying::Staying;

/// All objects of all clusters, each list in the order in which to apply it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ManifestSet {
    /// The objects of the management cluster.
    pub management: Vec<Manifest>,
    /// The objects of each service cluster.
    pub clusters: BTreeMap<ClusterId, Vec<Manifest>>,
}

impl ManifestSet {
    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.management.len() + self.clusters.values().map(Vec::len).sum::<usize>()
    }

    /// Whether there is no object at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ManifestSet {
    /// The same objects with the annotations that their reader needs, as in files.
    #[must_use]
    pub fn decorated(mut self, target: RenderTarget) -> Self {
        for manifest in self.management.iter_mut().chain(self.clusters.values_mut().flatten()) {
            if let Cow::Owned(body) = reader::decorated(manifest, target) {
                manifest.body = Arc::new(body);
            }
        }
        self
    }
}

/// Renders the objects of all clusters, with the permissions of sync for what is still there.
#[must_use]
pub(crate) fn render(
    resolved: &Resolved<'_>,
    built: &[Built],
    discovered: &Discovered,
    staying: &Staying,
) -> ManifestSet {
    let view = View::new(resolved, built, discovered, staying);
    let mut management = Collector::default();
    crds::render(&view, &mut management);
    accounts::render(&view, &mut management);
    entries::render(&view, &mut management);
    offerings::render(&view, &mut management);
    sync::render(&view, &mut management);
    let clusters = resolved.clusters.keys().collect();
    let weight = |id: &&ClusterId| view.within(id).len() * BYTES_PER_OFFER;
    let clusters = in_parallel(clusters, weight, |id| (id.clone(), clusters::render(&view, id)));
    ManifestSet { management: management.into_sorted(), clusters: clusters.into_iter().collect() }
}

/// The amount of text that the objects of one service for one tenant come to, where work is divided among threads.
const BYTES_PER_OFFER: usize = 4 * 1024;

/// The input of all families, and what several of them need of it.
struct View<'a, 'l> {
    resolved: &'a Resolved<'l>,
    discovered: &'a Discovered,
    staying: &'a Staying,
    /// The services that have CRDs, in the order of [`Resolved::services`].
    services: Vec<Offer<'a, 'l>>,
    /// The services that each tenant is offered, by index in `services`. Every tenant that a catalog selects
    /// has an entry, even if the catalog offers nothing.
    offers: BTreeMap<&'l str, BTreeSet<usize>>,
    /// The services of each cluster, in `services`.
    within: BTreeMap<&'a ClusterId, Range<usize>>,
    /// The tenants that are offered a service in each cluster.
    tenants: BTreeMap<&'a ClusterId, BTreeSet<&'l str>>,
}

/// A service and its CRDs.
struct Offer<'a, 'l> {
    service: &'a Service<'l>,
    built: &'a Built,
    internal: OfferedCrd,
    tenant: OfferedCrd,
}

impl<'a, 'l> View<'a, 'l> {
    fn new(resolved: &'a Resolved<'l>, built: &'a [Built], discovered: &'a Discovered, staying: &'a Staying) -> Self {
        let services: Vec<Offer<'a, 'l>> = built
            .iter()
            .filter_map(|built| {
                let service = resolved.services.get(built.service)?;
                let (internal, tenant) = (built.internal_crd(), built.tenant_crd());
                Some(Offer { service, built, internal, tenant })
            })
            .collect();
        let position: BTreeMap<usize, usize> =
            services.iter().enumerate().map(|(at, offer)| (offer.built.service, at)).collect();
        let offers: BTreeMap<&str, BTreeSet<usize>> = resolved
            .offers()
            .into_iter()
            .map(|(tenant, services)| (tenant, services.iter().filter_map(|s| position.get(s).copied()).collect()))
            .collect();
        // Services are sorted by cluster.
        let mut within: BTreeMap<&ClusterId, Range<usize>> = BTreeMap::new();
        for (at, offer) in services.iter().enumerate() {
            within.entry(&offer.service.cluster).or_insert(at..at).end = at + 1;
        }
        let mut tenants: BTreeMap<&ClusterId, BTreeSet<&str>> = BTreeMap::new();
        for (tenant, offers) in &offers {
            for at in offers {
                tenants.entry(&services[*at].service.cluster).or_default().insert(tenant);
            }
        }
        Self { resolved, discovered, staying, services, offers, within, tenants }
    }

    fn providers(&self) -> impl Iterator<Item = &'l str> + '_ {
        self.resolved.with_role(AccountRole::Provider).map(|a| a.name.as_str())
    }

    /// The services that a tenant is offered, sorted by cluster.
    fn offered(&self, tenant: &str) -> impl Iterator<Item = &Offer<'a, 'l>> {
        self.offers.get(tenant).into_iter().flatten().map(|at| &self.services[*at])
    }

    /// The services that a tenant is offered in a cluster.
    fn offered_in(&self, cluster: &ClusterId, tenant: &str) -> impl Iterator<Item = &Offer<'a, 'l>> {
        let within = self.within.get(cluster).cloned().unwrap_or_default();
        let offers = self.offers.get(tenant);
        offers.into_iter().flat_map(move |all| all.range(within.clone())).map(|at| &self.services[*at])
    }

    /// The services in a cluster, whether a tenant is offered them or not.
    fn within(&self, cluster: &ClusterId) -> &[Offer<'a, 'l>] {
        self.within.get(cluster).and_then(|range| self.services.get(range.clone())).unwrap_or_default()
    }

    /// The tenants that are offered a service in this cluster.
    fn tenants_in(&self, cluster: &ClusterId) -> impl Iterator<Item = &'l str> {
        self.tenants.get(cluster).into_iter().flatten().copied()
    }
}
