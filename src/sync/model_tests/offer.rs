//! The one service of the model: a database with two exposed fields, a hidden one with a preset, and a status.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::compile::derive::contract::StatusContract;
use crate::compile::derive::projection::{Preset, Projection};
use crate::compile::route::ServiceRoute;
use crate::model::cluster::ClusterId;
use crate::model::kinds::deletion::{DeletionPolicy, DeletionPolicyConfig};
use crate::model::path::{FieldPath, PathSet};
use crate::model::resource::Resource;
use crate::sync::service::Service;
use crate::sync::shape::Shape;

/// The UID of the management cluster.
pub(super) const MANAGEMENT: &str = "uid-of-management";
/// The namespaces of the tenants, and those that are assigned to them.
pub(super) const TENANTS: [(&str, &str); 2] = [("team-b", "team-b-x7k2p"), ("team-c", "team-c-q9w4z")];
/// The names that instances have.
pub(super) const NAMES: [&str; 3] = ["a", "b", "c"];
/// The kinds by level.
pub(super) const KINDS: [&str; 3] = ["dbs.eu.team-a", "dbs.internal.eu.team-a", "dbs.example.com"];

/// The service cluster.
pub(super) fn cluster() -> ClusterId {
    ClusterId::new("team-a", "eu")
}

/// The namespace in the service cluster of a tenant's one.
pub(super) fn assigned(namespace: &str) -> &'static str {
    TENANTS.iter().find(|(above, _)| *above == namespace).map_or("", |(_, below)| below)
}

/// The tenant's namespace of one in the service cluster.
pub(super) fn above(namespace: &str) -> &'static str {
    TENANTS.iter().find(|(_, below)| *below == namespace).map_or("", |(above, _)| above)
}

fn schema(hidden: &Value) -> Value {
    let text = json!({"type": "string"});
    let number = json!({"type": "integer"});
    let mut spec = json!({"size": number, "extra": text});
    if let (Value::Object(spec), Value::Object(hidden)) = (&mut spec, hidden.clone()) {
        spec.extend(hidden);
    }
    json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": spec},
        "status": {"type": "object", "properties": {
            "phase": text, "observedGeneration": number, "secret": text,
            "conditions": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
                "items": {"type": "object", "required": ["type", "status"], "properties": {
                    "type": text, "status": text, "reason": text, "message": text, "lastTransitionTime": text,
                    "observedGeneration": number}}},
        }},
    }})
}

/// The service.
pub(in crate::sync) fn service() -> Arc<Service> {
    let resource = |at: usize, version: &str| {
        let (plural, group) = KINDS[at].split_once('.').unwrap();
        Resource::new(group, version, "DB", plural, true)
    };
    let paths = |all: &[&str]| -> PathSet {
        let all: Vec<FieldPath> = all.iter().map(|path| FieldPath::parse(path).unwrap()).collect();
        all.iter().collect()
    };
    let class = Preset { path: FieldPath::parse(".spec.class").unwrap(), value: json!("fast"), needs: 0 };
    let exposed = Projection {
        down: paths(&[".spec.size", ".spec.extra"]),
        up: paths(&[".status.phase", ".status.observedGeneration", ".status.conditions"]),
        presets: Vec::new(),
    };
    let (small, whole) =
        (schema(&json!({})), schema(&json!({"class": {"type": "string"}, "zone": {"type": "string"}})));
    Arc::new(Service {
        entry: "dbs.eu".to_owned(),
        set: Some("dbs".to_owned()),
        route: ServiceRoute {
            cluster: cluster(),
            tenant: resource(0, "v1"),
            internal: resource(1, "v1"),
            base: resource(2, "v1"),
            base_status_subresource: true,
            projection: Arc::new(Projection { presets: vec![class], ..exposed.clone() }),
            tenant_status: StatusContract::of(&small),
            internal_status: StatusContract::of(&whole),
        },
        management: MANAGEMENT.to_owned(),
        deletion: DeletionPolicyConfig { default: Some(DeletionPolicy::Delete), allowed: DeletionPolicy::ALL.to_vec() },
        propagate: crate::model::kinds::propagate::PropagateConfig::default(),
        exposed,
        defaulted: PathSet::nothing(),
        tenant: Shape::of(&small),
        internal: Shape::of(&whole),
        base: Some(Shape::of(&whole)),
    })
}
