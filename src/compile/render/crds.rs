//! CustomResourceDefinitions: KubeCarrier's own, the internal and the derived ones.

use std::sync::Arc;

use super::View;
use super::manifest::Collector;
use crate::model::kinds::crd;

/// Two services may share an internal CRD; `build` has checked that it is the same for both.
pub(super) fn render(view: &View<'_, '_>, out: &mut Collector) {
    for crd in crd::crds() {
        out.add_crd(Arc::new(crd), None);
    }
    for offer in &view.services {
        let origin = Some(offer.service.base.place);
        out.add_crd(Arc::clone(&offer.built.internal), origin);
        if let Some(derived) = &offer.built.derived {
            let place = offer.service.exposure.as_ref().map(|e| e.place).or(origin);
            out.add_crd(Arc::clone(&derived.crd), place);
        }
    }
}
