//! The objects in the namespaces of providers: those that they wrote, and the CatalogEntries that result from
//! their sets.

use super::View;
use super::manifest::{Cause, Collector, Draft};
use crate::compile::load::Object;
use crate::compile::resolve::Origin;
use crate::model::kinds::{CatalogEntrySpec, Kind, ObjectReference};
use crate::model::object::Stage;

pub(super) fn render(view: &View<'_, '_>, out: &mut Collector) {
    let loaded = view.resolved.loaded;
    loaded.service_clusters.iter().for_each(|object| written(object, out));
    loaded.catalogs.iter().for_each(|object| written(object, out));
    loaded.catalog_entry_sets.iter().for_each(|object| written(object, out));
    for offer in &view.services {
        let service = offer.service;
        let namespace = Some(service.cluster.provider.as_str());
        let place = service.origin.place("/metadata/name");
        let (draft, cause) = match service.origin {
            Origin::Set(set) => {
                let spec = CatalogEntrySpec {
                    metadata: set.spec.metadata.clone(),
                    base_crd: ObjectReference::new(offer.internal.name.as_str()),
                    derive: set.spec.derive.clone(),
                    deletion_policy: set.spec.deletion_policy.clone(),
                    propagate: set.spec.propagate.clone(),
                };
                (Draft::of(namespace, service.entry.as_str(), &spec), Cause::Product(place))
            }
            Origin::Entry(entry) => {
                let draft = Draft::of(namespace, service.entry.as_str(), &entry.spec).annotations(&entry.annotations);
                (draft, Cause::Source(place))
            }
        };
        out.add(Stage::Catalog, draft.labels(&service.labels), cause);
    }
}

/// A source object. Its spec is written from its type: absent fields stay absent, and scalars are written as
/// Kubernetes reads them.
fn written<S: Kind>(object: &Object<S>, out: &mut Collector) {
    let draft = Draft::of(object.namespace.as_deref(), object.name.as_str(), &object.spec)
        .labels(&object.labels)
        .annotations(&object.annotations);
    out.add(Stage::Catalog, draft, Cause::Source(object.place("/metadata/name")));
}
