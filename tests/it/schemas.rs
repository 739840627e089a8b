//! The JSON Schemas in `schemas/`: fresh, valid draft-07, and of one mind with
//! the loader. `CARRIER_UPDATE=1` rewrites them.
#![allow(clippy::needless_pass_by_value, reason = "`json!` is written in the call")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use carrier::compiler::load;
use carrier::kinds::json_schemas;
use carrier::planning as plan;
use carrier::source::{SourceFile, Sources};
use serde_json::{Value, json};

use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![the_committed_schemas_are_fresh, they_are_draft_07, schema_and_loader_take_the_same, settings_too,]
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas"))
}

/// Those of what people write, and that of a plan, which carrier writes.
fn all_schemas() -> BTreeMap<String, Value> {
    let mut schemas = json_schemas();
    schemas.insert(plan::json::FILE.to_owned(), plan::json::schema());
    schemas
}

fn the_committed_schemas_are_fresh() {
    let schemas = all_schemas();
    let update = std::env::var_os("CARRIER_UPDATE").is_some();
    let mut stale = BTreeSet::new();
    for (name, schema) in &schemas {
        let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
        let path = folder().join(name);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            if update {
                std::fs::create_dir_all(folder()).unwrap();
                std::fs::write(&path, text).unwrap();
            } else {
                stale.insert(name.clone());
            }
        }
    }
    for file in std::fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name.strip_suffix(".json").is_some()
            && !schemas.contains_key(&name)
            && !["doctor.json", "explanation.json", "instances.json"].contains(&name.as_str())
        {
            stale.insert(format!("{name} (of no kind any more)"));
        }
    }
    assert!(stale.is_empty(), "stale: {stale:?}; run the tests with CARRIER_UPDATE=1");
}

fn they_are_draft_07() {
    for (name, schema) in all_schemas() {
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{name}");
        if let Err(error) = jsonschema::draft7::meta::validate(&schema) {
            panic!("{name}: {error}");
        }
        jsonschema::draft7::new(&schema).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

/// Whether the schemas take a document; the kind's own and the one for all must agree.
fn schema_takes(document: &Value) -> bool {
    let schemas = json_schemas();
    let takes = |name: &str| jsonschema::draft7::is_valid(&schemas[name], document);
    let any = takes("kubecarrier.json");
    let own = format!("{}.json", document["kind"].as_str().unwrap_or_default().to_lowercase());
    if schemas.contains_key(&own) {
        assert_eq!(takes(&own), any, "{own} and kubecarrier.json disagree on {document}");
    }
    any
}

fn loader_takes(path: &str, document: &Value) -> bool {
    let text = serde_json::to_string(document).unwrap();
    let sources = Sources::new(vec![SourceFile { path: path.into(), text: text.into() }]);
    let (_, diagnostics) = load(&sources);
    !diagnostics.has_errors()
}

fn object(kind: &str, spec: Value) -> Value {
    let group = if kind == "ServiceCluster" { "kubecarrier.io" } else { "catalog.kubecarrier.io" };
    let mut metadata = json!({ "name": "x" });
    if kind != "Account" {
        metadata["namespace"] = json!("team-a");
    }
    json!({ "apiVersion": format!("{group}/v1alpha1"), "kind": kind, "metadata": metadata, "spec": spec })
}

fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
    match value {
        Value::Null => {
            parent.as_object_mut().unwrap().remove(key);
        }
        value => parent[key] = value,
    }
    document
}

fn account() -> Value {
    object(
        "Account",
        json!({
            "metadata": { "displayName": "A", "logo": { "mediaType": "image/png", "data": "aGk=" } },
            "roles": ["Provider", "Tenant"],
            "subjects": [{ "kind": "User", "name": "hannibal" }],
        }),
    )
}

fn set() -> Value {
    object(
        "CatalogEntrySet",
        json!({
            "metadata": { "displayName": "Redis" },
            "discover": { "crd": { "name": "redis.example.com" }, "serviceClusterSelector": {}, "webhookStrategy": "None" },
            "derive": {
                "kind": "Cache",
                "expose": [{
                    "versions": ["v1"],
                    "fields": [{ "jsonPath": ".spec.size" }],
                    "defaults": [{ "jsonPath": ".spec.mode", "value": "one" }],
                    "presets": [{ "jsonPath": ".spec.tls", "value": { "a": [1] } }],
                }],
            },
        }),
    )
}

fn schema_and_loader_take_the_same() {
    let catalog = object(
        "Catalog",
        json!({ "tenantSelector": { "matchLabels": { "tier": "gold" } }, "serviceClusterSelector": {} }),
    );
    let cluster =
        object("ServiceCluster", json!({ "metadata": { "displayName": "EU" }, "kubeconfigSecret": { "name": "k" } }));
    let entry =
        object("CatalogEntry", json!({ "metadata": { "displayName": "R" }, "baseCRD": { "name": "r.internal.eu.a" } }));
    let tenant = object("Tenant", json!({}));
    let expose = "/spec/derive/expose/0";
    for good in [
        account(),
        set(),
        catalog.clone(),
        cluster.clone(),
        entry.clone(),
        tenant.clone(),
        with(tenant.clone(), "/spec", Value::Null),
        with(catalog.clone(), "/spec", Value::Null),
        with(account(), "/metadata/labels", json!({ "a": "b" })),
        with(set(), &format!("{expose}/fields"), Value::Null),
        with(set(), &format!("{expose}/defaults"), Value::Null),
        with(set(), "/spec/derive", Value::Null),
        with(set(), "/metadata/name", json!("redis.eu")),
        with(set(), "/spec/deletionPolicy", json!({})),
        with(set(), "/spec/deletionPolicy", json!({ "default": "Orphan" })),
        with(set(), "/spec/deletionPolicy", json!({ "allowed": ["Orphan", "Delete"] })),
        with(entry.clone(), "/spec/deletionPolicy", json!({ "default": "Block", "allowed": ["Block"] })),
        with(set(), "/spec/propagate", json!({})),
        with(
            set(),
            "/spec/propagate",
            json!({ "labels": ["team", "example.com/*"], "annotations": ["example.com/Owner"] }),
        ),
        with(entry.clone(), "/spec/propagate", json!({ "labels": ["app.kubernetes.io/name"], "annotations": [] })),
    ] {
        assert!(loader_takes("a.json", &good), "the loader refuses {good}");
        assert!(schema_takes(&good), "the schema refuses {good}");
    }
    for bad in [
        with(account(), "/metadata", Value::Null),
        with(account(), "/metadata/name", json!("a.b")),
        with(account(), "/metadata/name", json!("Team")),
        with(account(), "/metadata/namespace", json!("a")),
        with(account(), "/metadata/nmae", json!("a")),
        with(account(), "/metadata/labels", json!({ "a": true })),
        with(account(), "/spec", Value::Null),
        with(account(), "/spec/roles", json!([])),
        with(account(), "/spec/roles", json!(["Tenant", "Tenant"])),
        with(account(), "/spec/roles", json!(["provider"])),
        with(account(), "/spec/subjects", json!([])),
        with(account(), "/spec/subjects/0/kind", json!("user")),
        with(account(), "/spec/metadata/displayName", json!("")),
        with(account(), "/spec/metadata/displayname", json!("a")),
        with(account(), "/spec/metadata/logo/data", json!("a b!")),
        with(account(), "/apiVersion", json!("catalog.kubecarrier.io/v1")),
        with(account(), "/kind", json!("Acount")),
        with(account(), "/specs", json!({})),
        with(cluster, "/spec/kubeconfigSecret", Value::Null),
        with(catalog, "/spec/tenantSelector/matchLabels/tier", json!(1)),
        with(entry.clone(), "/spec/baseCRD/name", json!("")),
        with(tenant, "/spec/tier", json!("gold")),
        with(set(), "/spec/discover/serviceClusterSelector", Value::Null),
        with(set(), "/spec/discover/webhookStrategy", json!("none")),
        with(set(), "/spec/derive/expose", json!([])),
        with(set(), "/spec/derive/plural", json!("Caches")),
        with(set(), &format!("{expose}/versions"), json!([])),
        with(set(), &format!("{expose}/presets/0/value"), Value::Null),
        with(with(set(), &format!("{expose}/fields"), Value::Null), &format!("{expose}/defaults"), json!([])),
        with(set(), "/spec/deletionPolicy", json!("Delete")),
        with(set(), "/spec/deletionPolicy", json!({ "default": "delete" })),
        with(set(), "/spec/deletionPolicy", json!({ "allowed": [] })),
        with(set(), "/spec/deletionPolicy", json!({ "allowed": ["Delete", "Delete"] })),
        with(set(), "/spec/deletionPolicy", json!({ "allowed": ["Block"] })),
        with(set(), "/spec/deletionPolicy", json!({ "default": "Orphan", "allowed": ["Delete", "Block"] })),
        with(set(), "/spec/propagate", json!({ "label": [] })),
        with(set(), "/spec/propagate", json!({ "labels": ["*"] })),
        with(set(), "/spec/propagate", json!({ "labels": ["a b"] })),
        with(set(), "/spec/propagate", json!({ "labels": ["team", "team"] })),
        with(set(), "/spec/propagate", json!({ "labels": ["kubecarrier.io/tenant"] })),
        with(set(), "/spec/propagate", json!({ "annotations": ["carrier.kubecarrier.io/*"] })),
        with(set(), "/spec/propagate", json!({ "annotations": ["kubectl.kubernetes.io/*"] })),
    ] {
        assert!(!loader_takes("a.json", &bad), "the loader takes {bad}");
        assert!(!schema_takes(&bad), "the schema takes {bad}");
    }
}

fn settings_too() {
    let schema = &json_schemas()["carrier.json"];
    for good in [
        json!({}),
        json!({ "apiVersion": "carrier/v1", "output": "out", "render": { "for": "argo", "argo": { "repoURL": "https://example.com/r" } } }),
        json!({ "serviceClusters": { "a/b": { "kubeconfig": "/k", "context": "c" }, "a/c": { "env": "K" }, "a/d": { "secret": true }, "a/e": { "context": "c" } } }),
    ] {
        assert!(jsonschema::draft7::is_valid(schema, &good), "the schema refuses {good}");
        assert!(loader_takes("carrier.yaml", &good), "the loader refuses {good}");
    }
    for bad in [
        json!([]),
        json!({ "outputs": "x" }),
        json!({ "output": 1 }),
        json!({ "apiVersion": "carrier/v2" }),
        json!({ "render": { "for": "fluxcd" } }),
        json!({ "management": { "token": "x" } }),
        json!({ "serviceClusters": { "a": { "env": "K" } } }),
        json!({ "serviceClusters": { "a/b": {} } }),
        json!({ "serviceClusters": { "a/b": { "secret": false } } }),
        json!({ "serviceClusters": { "a/b": { "env": "K", "secret": true } } }),
        json!({ "serviceClusters": { "a/b": { "env": "K", "context": "c" } } }),
    ] {
        assert!(!loader_takes("carrier.yaml", &bad), "the loader takes {bad}");
        assert!(!jsonschema::draft7::is_valid(schema, &bad), "the schema takes {bad}");
    }
}
