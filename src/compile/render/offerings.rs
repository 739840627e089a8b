//! The objects of a catalog for each tenant that it selects: Offerings, the Provider, Regions and roles in the
//! tenant's namespace, the assignment in the provider's namespace (`kubecarrier.md` §6.2, §6.3).

use super::manifest::{Collector, Draft, keys};
use super::rbac;
use super::{BYTES_PER_OFFER, Offer, View};
use crate::compile::build::OfferedCrd;
use crate::compile::parallel::in_parallel;
use crate::compile::resolve::CatalogOffers;
use crate::model::cluster::ClusterId;
use crate::model::keys::SERVICE_NAMESPACE;
use crate::model::kinds::{
    AccountSpec, CrdInformation, CrdVersion, ObjectReference, OfferingSpec, ProviderSpec, RegionSpec,
    ServiceClusterAssignmentSpec,
};
use crate::model::object::Stage;
use crate::model::source::Span;

pub(super) fn render(view: &View<'_, '_>, out: &mut Collector) {
    let catalogs = view.resolved.catalogs.iter();
    let all = catalogs.flat_map(|catalog| catalog.tenants.iter().map(move |tenant| (catalog, *tenant))).collect();
    let weight = |(catalog, _): &(&CatalogOffers<'_>, &str)| catalog.services.len() * BYTES_PER_OFFER;
    for part in in_parallel(all, weight, |(catalog, tenant)| offers(view, catalog, tenant)) {
        out.append(part);
    }
}

/// The objects of a catalog for one tenant.
fn offers(view: &View<'_, '_>, catalog: &CatalogOffers<'_>, tenant: &str) -> Collector {
    let mut out = Collector::default();
    let Some(provider) = catalog.catalog.namespace.as_deref() else { return out };
    let place = Some(catalog.catalog.place("/metadata/name"));
    // Also without an entry, so that a tenant sees which providers have selected it.
    self::provider(view, provider, tenant, place, &mut out);
    let mut last = None;
    for offer in view.offered(tenant).filter(|offer| catalog.services.contains(&offer.built.service)) {
        let cluster = &offer.service.cluster;
        if last.replace(cluster) != Some(cluster) {
            assigned(view, cluster, tenant, place, &mut out);
        }
        offered(view, offer, tenant, place, &mut out);
    }
    out
}

fn provider(view: &View<'_, '_>, provider: &str, tenant: &str, origin: Option<Span>, out: &mut Collector) {
    let account = view.resolved.accounts.get(provider);
    let Some(metadata) = account.and_then(|a| a.spec.metadata.clone()) else { return };
    out.add(Stage::Catalog, Draft::of(Some(tenant), provider, &ProviderSpec { metadata }), origin);
}

/// What a tenant has for a cluster, whatever is offered there.
fn assigned(view: &View<'_, '_>, id: &ClusterId, tenant: &str, origin: Option<Span>, out: &mut Collector) {
    let (provider, cluster) = (id.provider.as_str(), id.cluster.as_str());
    let region = RegionSpec {
        metadata: view.resolved.clusters.get(id).and_then(|c| c.spec.metadata.clone()),
        provider: ObjectReference::new(provider),
    };
    out.add(Stage::Catalog, Draft::of(Some(tenant), format!("{cluster}.{provider}"), &region), origin);

    let assignment = ServiceClusterAssignmentSpec {
        service_cluster: ObjectReference::new(cluster),
        management_namespace: ObjectReference::new(tenant),
    };
    let namespace = view.discovered.namespace(id, tenant);
    let assignment = Draft::of(Some(provider), format!("{tenant}.{cluster}"), &assignment)
        .annotations(&keys([(SERVICE_NAMESPACE, namespace.as_str())]));
    out.add(Stage::Catalog, assignment, origin);
}

fn offered(view: &View<'_, '_>, offer: &Offer<'_, '_>, tenant: &str, origin: Option<Span>, out: &mut Collector) {
    let service = offer.service;
    let provider = service.cluster.provider.as_str();

    let offering = OfferingSpec {
        metadata: service.origin.metadata().clone(),
        provider: ObjectReference::new(provider),
        crd: information(&offer.tenant, &service.cluster.cluster),
    };
    out.add(Stage::Catalog, Draft::of(Some(tenant), offer.tenant.name.as_str(), &offering), origin);

    let subjects = |account: &str| view.resolved.accounts.get(account).map(|a: &&_| subjects_of(&a.spec));
    let tenant_crd = offer.built.derived.as_ref().map_or(&*offer.built.internal, |derived| &derived.crd);
    for (who, account, crd, body) in
        [("tenant", tenant, &offer.tenant, tenant_crd), ("provider", provider, &offer.internal, &*offer.built.internal)]
    {
        let name = rbac::role_name(&format!("kubecarrier:{who}:{}.{provider}", service.entry));
        let rules = rbac::instances(&crd.group, &crd.plural, body);
        rbac::role(out, tenant, &name, rules, subjects(account).unwrap_or_default(), origin);
    }
}

fn subjects_of(account: &AccountSpec) -> &[crate::model::kinds::Subject] {
    &account.subjects
}

/// The CRD information of KubeCarrier, without the schemas: they would be stored once for each tenant, and the
/// CRD has them.
fn information(crd: &OfferedCrd, cluster: &str) -> CrdInformation {
    CrdInformation {
        name: crd.name.clone(),
        api_group: crd.group.clone(),
        kind: crd.kind.clone(),
        plural: crd.plural.clone(),
        versions: crd
            .versions
            .iter()
            .map(|(name, storage)| CrdVersion { name: name.clone(), schema: None, storage: *storage })
            .collect(),
        region: ObjectReference::new(cluster),
    }
}
