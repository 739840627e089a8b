//! The walk-through of the tutorial to its end, and the scenarios of the original that are about instances.

use std::path::Path;

use serde_json::{Value, json};

use super::basics::{FINALIZER, shows};
use super::bed::{Bed, spec};
use super::objects::{Objects, annotation, condition, has_finalizer, holds, said, uid, wait};
use super::operator;
use super::repository::{BASE, GROUP, cluster};
use crate::platform::example;
use crate::support::{Case, TestResult, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![the_tutorial_to_its_end, a_service_without_derive_has_one_hop_less, a_tenant_and_a_provider_see_one_instance,]
}

/// The files of the example in place of the bed's.
fn tutorial(folder: &Path) -> std::io::Result<()> {
    for folder in [folder.join("team-a"), folder.join("accounts")] {
        std::fs::remove_dir_all(folder)?;
    }
    for part in ["accounts", "clusters", "catalogs"] {
        std::fs::create_dir_all(folder.join(part))?;
        for entry in std::fs::read_dir(example().join(part))? {
            let entry = entry?;
            std::fs::copy(entry.path(), folder.join(part).join(entry.file_name()))?;
        }
    }
    Ok(())
}

async fn the_tutorial_to_its_end() -> TestResult {
    let crd = std::fs::read_to_string(example().join(format!("snapshots/team-a/eu-west-1/{BASE}.yaml")))?;
    let crd: Value = serde_saphyr::from_str(&crd)?;
    let bed = Bed::builder(&["eu-west-1"]).later(&["eu-west-2"]).crd(crd).change(tutorial).start().await?;
    let operators = [bed.operator("eu-west-1"), bed.operator("eu-west-2")];
    let sync = bed.sync().await?;
    let management = bed.management();
    let member = management.impersonate("team-b-member", &[]).await?;
    let instance = std::fs::read_to_string(example().join("instances/redis.yaml"))?;

    let of_region = async |region: &str| -> TestResult {
        // kubectl get offerings -n team-b --as=team-b-member
        let offered = async || member.kubectl(&["get", "offerings", "-n", "team-b", "-o", "name"]).await;
        eventually("it is offered", async || {
            offered().await.is_ok_and(|names| names.contains(&format!("redis.{region}.team-a")))
        })
        .await;
        // kubectl apply -n team-b --as=team-b-member -f redis.yaml
        let text = instance.replace("eu-west-1.team-a", &format!("{region}.team-a"));
        eventually("the kind is served", async || {
            member.kubectl_with(&["apply", "-n", "team-b", "-f", "-"], &text).await.is_ok()
        })
        .await;
        // kubectl get -n team-a serviceclusterassignments team-b.eu-west-1 -o json | jq .status.serviceClusterNamespace.name
        let assignment = format!("team-b.{region}");
        let namespace = wait("the Assignment names the namespace", async || {
            let found = bed.assignments().get(&assignment).await.ok_or("it is not there")?;
            let name = found["status"]["serviceClusterNamespace"]["name"]
                .as_str()
                .ok_or_else(|| found["status"].to_string())?;
            Ok(name.to_owned())
        })
        .await;
        let random = namespace.strip_prefix("team-b-").unwrap_or_default();
        assert_eq!(random.len(), 5, "{namespace}");
        // Here the stand-in operator takes the place of the Pod.
        let copies = Objects::redis(bed.planes[region].client(), GROUP, &namespace);
        wait("the operator acts on the copy", async || {
            let copy = copies.get("redisinstance").await.ok_or("it is not there")?;
            holds(has_finalizer(&copy, operator::FINALIZER), || copy["metadata"].to_string())
        })
        .await;
        let redis = bed.service(region).await;
        let levels = redis.in_step("redisinstance").await;
        assert_eq!(levels.copy["spec"], levels.tenant["spec"]);
        let shown = member
            .kubectl(&["get", &format!("redis.{region}.team-a"), "redisinstance", "-n", "team-b", "-o", "json"])
            .await?;
        assert_eq!(said(condition(&serde_json::from_str(&shown)?, "Synced")), "True/InStep", "a member sees it");
        Ok(())
    };
    of_region("eu-west-1").await?;

    // Another service cluster is registered: a file, lock, apply. Sync takes it up by itself.
    let file = cluster("eu-west-2").replace("{name: eu-west-2}\n", "{name: eu-west-2, namespace: team-a}\n");
    std::fs::write(bed.path("clusters/eu-west-2.yaml"), file)?;
    let settings = std::fs::read_to_string(bed.path("carrier.yaml"))?;
    std::fs::write(bed.path("carrier.yaml"), format!("{settings}  team-a/eu-west-2: {{context: eu-west-2}}\n"))?;
    bed.applied().await;
    bed.connect("eu-west-2").await?;
    let crds = management.kubectl(&["get", "crds", "-o", "name"]).await?;
    assert_eq!(crds.lines().filter(|line| line.contains("/redis.")).count(), 4, "{crds}");
    of_region("eu-west-2").await?;
    let listed = bed.carrier(&["get"]).await.ends(0);
    assert_eq!(listed.out.matches("redisinstance").count(), 2, "{}", listed.out);

    // And what was made goes.
    for region in ["eu-west-1", "eu-west-2"] {
        let kind = format!("redis.{region}.team-a");
        member.kubectl(&["delete", &kind, "redisinstance", "-n", "team-b", "--timeout=120s"]).await?;
        bed.service(region).await.gone("redisinstance").await;
    }
    drop(operators);
    assert_eq!(sync.stop().await, Some(0));
    Ok(())
}

fn underived(folder: &Path) -> std::io::Result<()> {
    let file = folder.join("team-a/redis.yaml");
    let text = std::fs::read_to_string(&file)?;
    let (set, _) = text.split_once("\n  derive:").unwrap_or((&text, ""));
    std::fs::write(file, format!("{set}\n"))
}

/// E7 of the original. What it adopts of itself in the service cluster needs consent here (see `ownership.rs`).
async fn a_service_without_derive_has_one_hop_less() -> TestResult {
    let bed = Bed::builder(&["eu-west-1"]).change(underived).start().await?;
    let _operator = bed.operator("eu-west-1");
    let _sync = bed.sync().await?;
    let member = bed.management().impersonate("team-b-member", &[]).await?;
    let group = "internal.eu-west-1.team-a";
    let tenant = Objects::redis(member.client(), group, "team-b");
    let mut whole = spec();
    whole["nodeSelector"] = json!({"disk": "ssd"});
    tenant.create("plain", &whole, &json!({})).await?;
    let namespace = bed.service_namespace("team-b", "eu-west-1").await;
    let copies = Objects::redis(bed.planes["eu-west-1"].client(), GROUP, &namespace);
    let in_step = async || {
        wait("it is in step", async || {
            let found = tenant.get("plain").await.ok_or("it is gone")?;
            let synced = condition(&found, "Synced");
            holds(
                said(synced) == "True/InStep" && synced["observedGeneration"] == found["metadata"]["generation"],
                || synced.to_string(),
            )?;
            Ok(found)
        })
        .await
    };
    let found = in_step().await;
    let copy = copies.get("plain").await.ok_or("there is no copy")?;
    assert_eq!(copy["spec"]["nodeSelector"], json!({"disk": "ssd"}));
    assert!(has_finalizer(&found, FINALIZER));
    assert_eq!(annotation(&copy, "carrier.kubecarrier.io/source"), "team-b/redis.internal.eu-west-1.team-a/plain");
    assert_eq!(annotation(&copy, "carrier.kubecarrier.io/source-uid"), uid(&found));
    shows(&tenant, "plain", "/status/endpoint", copy_endpoint("plain")).await;
    tenant.merge("plain", &json!({"spec": {"size": null, "nodeSelector": null}})).await?;
    shows(&copies, "plain", "/spec/size", Value::Null).await;
    shows(&copies, "plain", "/spec/nodeSelector", Value::Null).await;
    in_step().await;
    // An object that stands only in the service cluster appears nowhere.
    copies.create("theirs", &spec(), &json!({})).await?;
    tenant.create("later", &spec(), &json!({})).await?;
    shows(&tenant, "later", "/status/phase", json!("Running")).await;
    assert!(tenant.get("theirs").await.is_none());
    tenant.delete("plain").await?;
    wait("both are gone", async || {
        holds(tenant.get("plain").await.is_none() && copies.get("plain").await.is_none(), || "not yet".to_owned())
    })
    .await;
    Ok(())
}

/// What the stand-in operator says of an instance.
fn copy_endpoint(name: &str) -> Value {
    json!(format!("{name}.example.internal:6379"))
}

/// E11 of the original.
async fn a_tenant_and_a_provider_see_one_instance() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _operator = bed.operator("eu-west-1");
    let _sync = bed.sync().await?;
    let management = bed.management();
    let tenant = management.impersonate("team-b-member", &[]).await?;
    let provider = management.impersonate("team-a-member", &[]).await?;
    let crds = management.kubectl(&["get", "crds", "-o", "name"]).await?;
    assert!(crds.contains("/redis.internal.eu-west-1.team-a") && crds.contains("/redis.eu-west-1.team-a"));
    let offering = ["get", "offering", "redis.eu-west-1.team-a", "-n", "team-b", "-o", "jsonpath={.spec.crd.name}"];
    eventually("the tenant sees its offering", async || {
        tenant.kubectl(&offering).await.is_ok_and(|name| name == "redis.eu-west-1.team-a")
    })
    .await;
    let redis = bed.service("eu-west-1").await;
    redis.create("db1").await?;
    let internal = Objects::redis(provider.client(), "internal.eu-west-1.team-a", "team-b");
    wait("the provider sees it", async || {
        let found = internal.try_get("db1").await.map_err(|error| error.to_string())?;
        holds(found.is_some(), || "not yet".to_owned())
    })
    .await;
    redis.in_step("db1").await;
    shows(&redis.member, "db1", "/status/observedGeneration", json!(1)).await;
    redis.member.delete("db1").await?;
    redis.gone("db1").await;
    let lists = async |who: &crate::support::Access, what: &str, namespace: &str| {
        who.kubectl(&["get", what, "-n", namespace, "-o", "name"]).await
    };
    assert!(lists(&tenant, "providers.catalog.kubecarrier.io", "team-b").await?.contains("team-a"));
    assert!(lists(&provider, "tenants.catalog.kubecarrier.io", "team-a").await?.contains("team-b"));
    Ok(())
}
