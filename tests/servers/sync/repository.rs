//! The repository of the test bed, and the CRD that its service clusters serve.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

/// The group of the base kind.
pub(crate) const GROUP: &str = "redis.redis.opstreelabs.in";
/// Its version.
pub(crate) const VERSION: &str = "v1beta1";
/// Its CRD.
pub(crate) const BASE: &str = "redis.redis.redis.opstreelabs.in";
/// The tenants.
pub(crate) const TENANTS: [&str; 4] = ["team-b", "team-c", "team-d", "team-e"];
/// What the provider presets, and tenants never see.
pub(crate) const PRESET: &str = "tenants";

/// Writes the repository for these service clusters of team-a.
pub(crate) fn write(folder: &Path, regions: &[&str]) -> std::io::Result<()> {
    let file = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, text)
    };
    let mut settings = "management: {context: management}\nserviceClusters:\n".to_owned();
    for region in regions {
        writeln!(settings, "  team-a/{region}: {{context: {region}}}").expect("a string takes it");
        file(&format!("team-a/{region}.yaml"), &cluster(region))?;
    }
    file("carrier.yaml", &settings)?;
    file("accounts/team-a.yaml", &account("team-a", "Provider"))?;
    for name in TENANTS {
        file(&format!("accounts/{name}.yaml"), &account(name, "Tenant"))?;
    }
    file("team-a/catalog.yaml", CATALOG)?;
    file("team-a/redis.yaml", SET)
}

/// A service cluster of team-a.
pub(crate) fn cluster(name: &str) -> String {
    format!(
        "apiVersion: kubecarrier.io/v1alpha1\nkind: ServiceCluster\nmetadata: {{name: {name}}}\n\
         spec: {{metadata: {{displayName: {name}}}, kubeconfigSecret: {{name: {name}-kubeconfig}}}}\n"
    )
}

fn account(name: &str, role: &str) -> String {
    format!(
        "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\nmetadata: {{name: {name}}}\nspec:\n\
         \x20 metadata: {{displayName: {name}, shortDescription: An account}}\n  roles: [{role}]\n\
         \x20 subjects: [{{kind: User, name: {name}-member, apiGroup: rbac.authorization.k8s.io}}]\n"
    )
}

const CATALOG: &str = "apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Catalog
metadata: {name: default}
spec: {catalogEntrySelector: {}, tenantSelector: {}}
";

const SET: &str = "apiVersion: catalog.kubecarrier.io/v1alpha1
kind: CatalogEntrySet
metadata:
  name: redis
spec:
  metadata: {displayName: Redis, shortDescription: A key-value store, description: A key-value store}
  discover:
    crd: {name: redis.redis.redis.opstreelabs.in}
    serviceClusterSelector: {}
    webhookStrategy: None
  derive:
    expose:
    - versions: [v1beta1]
      presets:
      - jsonPath: .spec.priorityClassName
        value: tenants
      fields:
      - jsonPath: .spec.global.password
      - jsonPath: .spec.global.image
      - jsonPath: .spec.mode
      - jsonPath: .spec.size
      - jsonPath: .spec.redisExporter.enabled
      - jsonPath: .spec.redisExporter.image
      - jsonPath: .spec.service.type
      - jsonPath: .spec.redisConfig
      - jsonPath: .spec.acl
      - jsonPath: .status.phase
      - jsonPath: .status.readyReplicas
      - jsonPath: .status.observedGeneration
      - jsonPath: .status.conditions
";

/// The base CRD: the fields of redis-operator 0.4.0 that the tutorial uses, and what an operator of today adds:
/// defaults, a status subresource, conditions.
pub(crate) fn base_crd() -> Value {
    let string = || json!({"type": "string"});
    let spec = json!({
        "type": "object",
        "required": ["mode", "global"],
        "properties": {
            "mode": {"type": "string", "enum": ["standalone", "cluster"]},
            "size": {"type": "integer", "format": "int32", "minimum": 1},
            "global": {"type": "object", "required": ["image"], "properties": {
                "image": string(), "password": string(),
                "imagePullPolicy": {"type": "string", "default": "IfNotPresent"},
            }},
            "redisExporter": {"type": "object", "properties": {"enabled": {"type": "boolean"}, "image": string()}},
            "service": {"type": "object", "required": ["type"], "properties": {"type": string()}},
            "redisConfig": {"type": "object", "additionalProperties": string()},
            "acl": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {
                "type": "object", "required": ["name"], "properties": {"name": string(), "rule": string()},
            }},
            "priorityClassName": string(),
            "nodeSelector": {"type": "object", "additionalProperties": string()},
            "replicas": {"type": "integer", "format": "int32"},
            "storage": {"type": "object", "default": {}, "properties": {
                "size": {"type": "string", "default": "1Gi"}, "class": string(),
            }},
        },
    });
    let condition = json!({
        "type": "object",
        "required": ["type", "status", "lastTransitionTime", "reason", "message"],
        "properties": {
            "type": string(), "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
            "reason": string(), "message": string(),
            "lastTransitionTime": {"type": "string", "format": "date-time"},
            "observedGeneration": {"type": "integer", "format": "int64"},
        },
    });
    let status = json!({
        "type": "object",
        "properties": {
            "phase": string(), "endpoint": string(),
            "readyReplicas": {"type": "integer", "format": "int32"},
            "observedGeneration": {"type": "integer", "format": "int64"},
            "conditions": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
                           "items": condition},
        },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": BASE},
        "spec": {
            "group": GROUP, "scope": "Namespaced",
            "names": {"kind": "Redis", "listKind": "RedisList", "plural": "redis", "singular": "redis"},
            "versions": [{
                "name": VERSION, "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
            }],
        },
    })
}
