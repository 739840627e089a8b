//! A service as sync works with it: its route, the shapes of its kinds, and what its CatalogEntry says. Pure.

use serde_json::Value;

use super::shape::Shape;
use crate::compile::derive::projection::Projection;
use crate::compile::route::ServiceRoute;
use crate::model::crd;
use crate::model::kinds::deletion::DeletionPolicyConfig;
use crate::model::kinds::propagate::PropagateConfig;
use crate::model::path::PathSet;

/// The manager of the internal objects' fields.
pub(crate) const INTERNAL_MANAGER: &str = "carrier-sync-internal";
/// The manager of the service objects' fields.
pub(crate) const SERVICE_MANAGER: &str = "carrier-sync-service";
/// The manager of all statuses.
pub(crate) const STATUS_MANAGER: &str = "carrier-sync-status";
/// The manager of the finalizer of tenant objects.
pub(crate) const FINALIZER_MANAGER: &str = "carrier-sync-finalizer";

/// One service of one cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Service {
    /// The name of its CatalogEntry, in the provider's namespace.
    pub entry: String,
    /// The name of the CatalogEntrySet that the entry comes from.
    pub set: Option<String>,
    /// How its instances are copied.
    pub route: ServiceRoute,
    /// The UID of the management cluster.
    pub management: String,
    /// What becomes of copies whose tenant object is deleted.
    pub deletion: DeletionPolicyConfig,
    /// The labels and annotations that cross.
    pub propagate: PropagateConfig,
    /// The exposed part of [`ServiceRoute::projection`], without presets.
    pub exposed: Projection,
    /// The fields to which the exposure gives defaults of its own.
    pub defaulted: PathSet,
    /// The shape of tenant objects.
    pub tenant: Shape,
    /// The shape of internal objects.
    pub internal: Shape,
    /// The shape of service objects; `None` while it is not known, and then nothing is cut.
    pub base: Option<Shape>,
}

impl Service {
    /// The shape of the stored version of a CRD.
    #[must_use]
    pub(crate) fn shape_of(body: &Value) -> Shape {
        crd::stored(body).and_then(crd::Version::schema).map(Shape::of).unwrap_or_default()
    }

    /// The shape of one version of a CRD; `None` where it does not serve it.
    #[must_use]
    pub(crate) fn served_shape(body: &Value, version: &str) -> Option<Shape> {
        let served = crd::versions(body)
            .find(|found| found.body.get("name").and_then(Value::as_str) == Some(version) && found.is_served())?;
        Some(served.schema().map(Shape::of).unwrap_or_default())
    }

    /// What a tenant object is called in marks: `<namespace>/<plural.group>/<name>`.
    #[must_use]
    pub(crate) fn source(&self, namespace: &str, name: &str) -> String {
        format!("{namespace}/{}/{name}", self.route.tenant.full_name())
    }

    /// Whether tenants have a kind of their own, so that there is an internal object between.
    #[must_use]
    pub(crate) fn derives(&self) -> bool {
        self.route.derives()
    }
}
