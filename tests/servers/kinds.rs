//! The CRDs of the KubeCarrier kinds: an API server takes them, and enforces what they say.
#![allow(clippy::needless_pass_by_value, reason = "`json!` is written in the call")]

use carrier::kinds::crds;
use carrier::kinds::{KINDS, table};
use serde_json::{Value, json};

use crate::support::{Case, ControlPlane, TestResult, cases, shared};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![an_api_server_takes_the_kinds_and_enforces_their_rules]
}

/// One test, not many: the CRDs are of the whole server, and there is one.
async fn an_api_server_takes_the_kinds_and_enforces_their_rules() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": crds() });
    plane.kubectl_with(&["apply", "--server-side", "-f", "-"], &list.to_string()).await?;
    for info in KINDS {
        let crd = format!("crd/{}", info.crd_name());
        plane.established(&[&info.crd_name()]).await;
        // A schema that is not structural is taken all the same, and says so here.
        let why = "jsonpath={.status.conditions[?(@.type==\"NonStructuralSchema\")].message}";
        assert_eq!(plane.kubectl(&["get", &crd, "-o", why]).await?, "", "{crd} is not structural");
    }

    let namespace = plane.namespace("kinds").await?;
    for document in good(&namespace) {
        apply(plane, &document).await.unwrap_or_else(|refusal| panic!("refused: {document}\n{refusal}"));
    }
    for (document, reason) in bad(&namespace) {
        let refusal = apply(plane, &document).await.expect_err(&format!("taken: {document}"));
        assert!(refusal.contains(reason), "{document}\nis refused, but because\n{refusal}\nand not because {reason}");
    }
    columns(plane, &namespace).await?;
    statuses(plane, &namespace).await?;
    // Other tests of this binary meet none of this.
    plane.kubectl(&["delete", "accounts", "kinds-both", "kinds-tenant"]).await?;
    Ok(())
}

async fn apply(plane: &ControlPlane, document: &Value) -> Result<(), String> {
    let text = document.to_string();
    let done = plane.kubectl_with(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &text).await;
    done.map(|_| ()).map_err(|error| error.to_string())
}

fn object(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    let info = KINDS.iter().find(|info| info.kind == kind).expect("a kind");
    let mut metadata = json!({ "name": name });
    if info.namespaced() {
        metadata["namespace"] = json!(namespace);
    }
    json!({ "apiVersion": info.api_version(), "kind": kind, "metadata": metadata, "spec": spec })
}

fn account(name: &str, spec: Value) -> Value {
    object("Account", "", name, spec)
}

fn exposure(items: Value) -> Value {
    json!({
        "metadata": { "displayName": "Redis" },
        "discover": { "crd": { "name": "redis.example.com" }, "serviceClusterSelector": {} },
        "derive": { "expose": items },
    })
}

fn good(namespace: &str) -> Vec<Value> {
    let people = json!([{ "kind": "User", "name": "hannibal", "apiGroup": "rbac.authorization.k8s.io" }]);
    let shown = json!({ "displayName": "Redis", "logo": { "mediaType": "image/png", "data": "aGk=" } });
    let reference = |name: &str| json!({ "name": name });
    let crd = json!({
        "name": "redis.eu.a", "apiGroup": "eu.a", "kind": "Redis", "plural": "redis",
        "versions": [{ "name": "v1", "storage": true }], "region": reference("eu"),
    });
    let entry = json!({
        "metadata": shown, "baseCRD": reference("redis.internal.eu.a"),
        "deletionPolicy": { "default": "Orphan" }, "propagate": { "labels": ["team", "example.com/*"] },
    });
    let all = |kind: &str, name: &str, spec: Value| object(kind, namespace, name, spec);
    vec![
        account("kinds-both", json!({ "metadata": shown, "roles": ["Provider", "Tenant"], "subjects": people })),
        account("kinds-tenant", json!({ "roles": ["Tenant"], "subjects": people })),
        all("ServiceCluster", "eu", json!({ "kubeconfigSecret": reference("eu") })),
        all(
            "Catalog",
            "default",
            json!({ "tenantSelector": {}, "serviceClusterSelector": { "matchLabels": { "a": "b" } } }),
        ),
        all("CatalogEntry", "redis.eu", entry),
        all("Tenant", "kinds-tenant", json!({})),
        all("Offering", "redis.eu.a", json!({ "metadata": shown, "provider": reference("a"), "crd": crd })),
        all("Provider", "a", json!({ "metadata": shown })),
        all("Region", "eu.a", json!({ "provider": reference("a"), "metadata": { "displayName": "EU" } })),
        all(
            "ServiceClusterAssignment",
            "tenant.eu",
            json!({ "serviceCluster": reference("eu"), "managementNamespace": reference("tenant") }),
        ),
        all(
            "CatalogEntrySet",
            "redis",
            exposure(json!([
                { "versions": ["v1"], "fields": [{ "jsonPath": ".spec.size" }], "presets": [{ "jsonPath": ".spec.tls", "value": { "a": [1, true, "x"] } }] },
                { "versions": ["v2"], "defaults": [{ "jsonPath": ".spec.size", "value": 3 }] },
            ])),
        ),
    ]
}

/// A set with another field.
fn set_with(field: &str, value: Value) -> Value {
    let mut spec = exposure(json!([{ "versions": ["v1"], "fields": [{ "jsonPath": ".spec.size" }] }]));
    spec[field] = value;
    spec
}

/// What the server must refuse, and a part of its reason.
fn bad(namespace: &str) -> Vec<(Value, &'static str)> {
    let people = json!([{ "kind": "User", "name": "x" }]);
    let shown = json!({ "displayName": "Redis" });
    let name = |name: &str| json!({ "name": name });
    let all = |kind: &str, name: &str, spec: Value| object(kind, namespace, name, spec);
    let deletion = |config: Value| set_with("deletionPolicy", config);
    let propagate = |config: Value| set_with("propagate", config);
    let assignment =
        |cluster: &str| json!({ "serviceCluster": { "name": cluster }, "managementNamespace": { "name": "tenant" } });
    vec![
        (account("kinds.dotted", json!({ "roles": ["Tenant"], "subjects": people })), "must be a DNS label"),
        (account("kinds-x", json!({ "roles": ["Provider"], "subjects": people })), "a Provider needs metadata"),
        (account("kinds-x", json!({ "roles": ["Tenant", "Tenant"], "subjects": people })), "spec.roles"),
        (account("kinds-x", json!({ "roles": ["tenant"], "subjects": people })), "Unsupported value"),
        (account("kinds-x", json!({ "roles": [], "subjects": people })), "should have at least 1 items"),
        (account("kinds-x", json!({ "roles": ["Tenant"], "subjects": [] })), "should have at least 1 items"),
        (all("ServiceCluster", "eu.west", json!({ "kubeconfigSecret": name("x") })), "must be a DNS label"),
        (all("ServiceCluster", "us", json!({ "metadata": {} })), "kubeconfigSecret"),
        (all("CatalogEntry", "redis.eu", json!({ "metadata": shown, "baseCRD": name("other") })), "cannot be changed"),
        (all("Region", "eu.a", json!({ "provider": name("other") })), "cannot be changed"),
        (all("ServiceClusterAssignment", "tenant.eu", assignment("other")), "cannot be changed"),
        (all("ServiceClusterAssignment", "tenant.us", assignment("eu")), "<managementNamespace>.<serviceCluster>"),
        (all("CatalogEntrySet", "x", exposure(json!([]))), "should have at least 1 items"),
        (all("CatalogEntrySet", "x", exposure(json!([{ "versions": ["v1"] }]))), "at least one field must be exposed"),
        (
            all("CatalogEntrySet", "x", exposure(json!([{ "versions": ["v1"], "fields": [] }]))),
            "at least one field must be exposed",
        ),
        (
            all("CatalogEntrySet", "x", exposure(json!([{ "versions": ["v1"], "presets": [{ "jsonPath": ".a" }] }]))),
            "value",
        ),
        (all("CatalogEntrySet", "x", deletion(json!({ "default": "delete" }))), "Unsupported value"),
        (all("CatalogEntrySet", "x", deletion(json!({ "allowed": ["Block"] }))), "the default policy must be allowed"),
        (
            all("CatalogEntrySet", "x", deletion(json!({ "default": "Orphan", "allowed": ["Delete"] }))),
            "the default policy must be allowed",
        ),
        (all("CatalogEntrySet", "x", propagate(json!({ "labels": ["*"] }))), "should match"),
        (all("CatalogEntrySet", "x", propagate(json!({ "labels": ["team", "team"] }))), "duplicate entries"),
        (all("CatalogEntrySet", "x", propagate(json!({ "labels": ["kubecarrier.io/*"] }))), "cannot be propagated"),
        (
            all("CatalogEntrySet", "x", propagate(json!({ "annotations": ["carrier.kubecarrier.io/source"] }))),
            "cannot be propagated",
        ),
        (
            all("CatalogEntrySet", "x", propagate(json!({ "annotations": ["kubectl.kubernetes.io/*"] }))),
            "cannot be propagated",
        ),
    ]
}

/// A ServiceCluster takes what sync writes of its status, in parts by several appliers.
async fn statuses(plane: &ControlPlane, namespace: &str) -> TestResult {
    let uid = "0b7a9d52-6f3c-4a35-9d2e-0d8c1f2a7b11";
    let condition = |type_: &str| {
        json!({
            "type": type_, "status": "False", "reason": "Invalid", "message": "no kubeconfig",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    let parts = [
        ("one", json!({ "clusterUID": uid, "conditions": [condition("KubeconfigReady")] })),
        ("two", json!({ "observedGeneration": 1, "phase": "NotReady", "conditions": [condition("Ready")] })),
    ];
    for (manager, status) in parts {
        let mut cluster = object("ServiceCluster", namespace, "eu", json!({}));
        cluster["status"] = status;
        cluster.as_object_mut().expect("an object").remove("spec");
        let manager = format!("--field-manager={manager}");
        let args = ["apply", "--server-side", "--subresource=status", &manager, "-f", "-"];
        plane.kubectl_with(&args, &cluster.to_string()).await?;
    }
    let path = "jsonpath={.status.clusterUID} {.status.phase} {.status.conditions[*].type}";
    let stored = plane.kubectl(&["get", "serviceclusters.kubecarrier.io", "eu", "-n", namespace, "-o", path]).await?;
    assert_eq!(stored, format!("{uid} NotReady KubeconfigReady Ready"));
    Ok(())
}

/// `kubectl get` prints the columns of the table. By the full name: `sc` is also, and first,
/// the StorageClass.
async fn columns(plane: &ControlPlane, namespace: &str) -> TestResult {
    for info in KINDS {
        let printed = plane.kubectl(&["get", &info.crd_name(), "-n", namespace]).await?;
        let head = printed.lines().next().unwrap_or_default();
        for column in info.columns {
            assert!(head.contains(&column.name.to_uppercase()), "{}: no {} in {head}", info.kind, column.name);
        }
    }
    let printed = plane.kubectl(&["get", table::SERVICE_CLUSTER_ASSIGNMENT.plural, "-n", namespace]).await?;
    assert!(printed.contains("tenant.eu"), "{printed}");
    Ok(())
}
