//! The walk-through of `redis-tutorial.md`, up to the Offerings, with carrier: repository → lock →
//! plan → apply, a second region by adding one file, and what a tenant and a provider may then do.

use std::collections::BTreeMap;

use serde_json::Value;

use super::platform::{BASE, Platform};
use crate::support::{Case, ControlPlane, TestResult, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![the_tutorial_up_to_the_offerings]
}

async fn the_tutorial_up_to_the_offerings() -> TestResult {
    let platform = Platform::new(&["eu-west-1", "eu-west-2"]).await?;
    let management = platform.management();
    std::fs::remove_dir_all(platform.path("snapshots"))?;
    std::fs::remove_file(platform.path("carrier.lock"))?;

    // Repository → lock → plan → apply.
    let lock = platform.carrier(&["lock"]).await.ends(0);
    assert!(lock.out.contains(&format!("added      {BASE}")), "{}", lock.text());
    let plan = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
    assert_eq!(plan["complete"], true);
    assert_eq!(
        (&plan["summary"]["update"], &plan["summary"]["delete"]),
        (&1.into(), &0.into()),
        "the namespace that was there"
    );
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(2);
    platform.carrier(&["apply", "--yes"]).await.ends(0);

    let tenant = management.impersonate("team-b-member", &[]).await?;
    let provider = management.impersonate("team-a-member", &[]).await?;
    let crds = || async { redis_crds(management).await };
    assert_eq!(crds().await?, ["redis.eu-west-1.team-a", "redis.internal.eu-west-1.team-a"]);
    let offerings = async || tenant.kubectl(&["get", "offerings", "-n", "team-b"]).await;
    eventually("the tenant sees its offering", async || offerings().await.is_ok()).await;
    assert_eq!(columns(&offerings().await?), ["NAME|DISPLAY NAME|PROVIDER", "redis.eu-west-1.team-a|Redis|team-a"]);

    // Planning right after: nothing to do, and nothing written.
    let before = versions(management).await?;
    let plan = platform.carrier(&["plan", "-o", "json", "--detailed-exitcode"]).await.ends(0).json();
    assert_eq!(plan["changes"], Value::Array(Vec::new()));
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    assert_eq!(versions(management).await?, before, "what needs no change was written");

    // Another region: one file.
    let instance = "{mode: standalone, size: 3, global: {image: 'opstree/redis:v2.0', password: hunter2}, redisConfig: {}, service: {type: ClusterIP}}";
    platform.instance("eu-west-1", "mine", instance).await?;
    platform.register("eu-west-2");
    platform.carrier(&["lock"]).await.ends(0);
    let run = platform.carrier(&["plan", "-o", "json"]).await.ends(0);
    assert!(!run.text().contains("hunter2"));
    let plan = run.json();
    let summary = &plan["summary"];
    assert_eq!((&summary["update"], &summary["delete"]), (&0.into(), &0.into()), "{summary}");
    let created = |kind: &str| -> Vec<String> {
        let changes = plan["changes"].as_array().into_iter().flatten();
        let of_kind = changes.filter(|c| c["kind"] == kind && c["cluster"] == "management");
        of_kind.map(|c| c["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(created("CustomResourceDefinition"), ["redis.eu-west-2.team-a", "redis.internal.eu-west-2.team-a"]);
    assert_eq!(created("Offering"), ["redis.eu-west-2.team-a"]);
    let before = versions(management).await?;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    let after = versions(management).await?;
    for (name, version) in &before {
        // The inventory's own record may say that it has more.
        assert!(after.get(name) == Some(version) || name.starts_with("configmaps "), "{name} was touched");
    }
    assert_eq!(
        crds().await?,
        [
            "redis.eu-west-1.team-a",
            "redis.eu-west-2.team-a",
            "redis.internal.eu-west-1.team-a",
            "redis.internal.eu-west-2.team-a"
        ]
    );
    assert_eq!(
        columns(&offerings().await?),
        ["NAME|DISPLAY NAME|PROVIDER", "redis.eu-west-1.team-a|Redis|team-a", "redis.eu-west-2.team-a|Redis|team-a"]
    );
    eventually("the second region can be used", async || {
        platform.instance("eu-west-2", "mine", instance).await.is_ok()
    })
    .await;

    // What it should, and is refused the rest.
    let stranger = management.impersonate("somebody-else", &[]).await?;
    for (who, verb, resource, namespace, allowed) in [
        (&tenant, "create", "redis.eu-west-1.team-a", "team-b", true),
        (&tenant, "delete", "redis.eu-west-2.team-a", "team-b", true),
        (&tenant, "list", "regions.catalog.kubecarrier.io", "team-b", true),
        (&tenant, "create", "offerings.catalog.kubecarrier.io", "team-b", false),
        (&tenant, "list", "redis.internal.eu-west-1.team-a", "team-b", false),
        (&tenant, "list", "redis.eu-west-1.team-a", "team-a", false),
        (&tenant, "list", "secrets", "team-a", false),
        (&tenant, "get", "configmaps", "kubecarrier-system", false),
        (&provider, "create", "serviceclusters.kubecarrier.io", "team-a", true),
        (&provider, "update", "redis.internal.eu-west-2.team-a", "team-b", true),
        (&provider, "create", "redis.eu-west-1.team-a", "team-b", false),
        (&provider, "list", "offerings.catalog.kubecarrier.io", "team-b", false),
        (&provider, "update", "configmaps", "kubecarrier-system", false),
        (&stranger, "list", "offerings.catalog.kubecarrier.io", "team-b", false),
        (&stranger, "create", "redis.eu-west-1.team-a", "team-b", false),
    ] {
        let can = who.kubectl(&["auth", "can-i", "-q", verb, resource, "-n", namespace]).await.is_ok();
        assert_eq!(can, allowed, "{verb} {resource} in {namespace}");
    }
    Ok(())
}

async fn redis_crds(plane: &ControlPlane) -> Result<Vec<String>, crate::support::KubectlError> {
    let list = plane.kubectl(&["get", "crds", "-o", "name"]).await?;
    let names = list.lines().filter_map(|line| line.strip_prefix("customresourcedefinition.apiextensions.k8s.io/"));
    Ok(names.filter(|name| name.contains("redis")).map(str::to_owned).collect())
}

/// The columns of a table but the last, which is an age.
fn columns(table: &str) -> Vec<String> {
    table
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
            cells[..cells.len() - 1].join("|")
        })
        .collect()
}

/// The resource version of every object that apply may have written.
pub(crate) async fn versions(plane: &ControlPlane) -> Result<BTreeMap<String, String>, crate::support::KubectlError> {
    let kinds = "crds,namespaces,roles,rolebindings,clusterroles,clusterrolebindings,configmaps,accounts,catalogs,\
                 catalogentries,catalogentrysets,offerings,regions,providers,tenants,serviceclusters,\
                 serviceclusterassignments";
    let list = plane.kubectl(&["get", kinds, "-A", "-o", "json"]).await?;
    let list: Value = serde_json::from_str(&list).unwrap_or_default();
    let text = |item: &Value, pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
    let mut versions = BTreeMap::new();
    for item in list["items"].as_array().into_iter().flatten() {
        let name = format!(
            "{}s {}/{}",
            text(item, "/kind").to_lowercase(),
            text(item, "/metadata/namespace"),
            text(item, "/metadata/name")
        );
        // The controllers of the cluster write the root certificates.
        if !name.ends_with("kube-root-ca.crt") && !name.contains("kube-system") {
            versions.insert(name, text(item, "/metadata/resourceVersion"));
        }
    }
    Ok(versions)
}
