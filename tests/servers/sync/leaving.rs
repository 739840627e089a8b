//! Tenants and services that leave the repository while they have instances: what was allowed goes, in an order in which
//! sync can delete the copies, and nothing stays behind in deletion.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::bed::{Bed, MANAGEMENT, Service, spec};
use super::deletions::POLICY;
use super::objects::{holds, wait};
use super::repository::{BASE, base_crd};
use crate::platform::Run;
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_tenant_that_leaves_takes_its_instances_along,
        a_service_that_leaves_takes_its_instances_along,
        a_provider_that_leaves_takes_its_services_and_its_own_instances_along,
        what_the_policy_block_protects_stays_whatever_is_allowed,
        a_service_that_is_kept_is_followed_until_it_is_pruned,
        an_offer_that_is_kept_is_followed,
        permissions_that_were_taken_away_are_given_back_before_anything_goes,
        without_sync_nothing_else_is_deleted,
    ]
}

const REGION: &str = "eu-west-1";

/// Applies a repository that has less than before, whatever goes.
async fn pruned(bed: &Bed, more: &[&str]) -> Run {
    let usual = ["apply", "--yes", "--prune", "--max-prune=100", "--allow-delete=all", "--allow-breaking=all"];
    bed.carrier(&[&usual, more].concat()).await
}

async fn exists(bed: &Bed, cluster: &str, object: &str) -> bool {
    !bed.planes[cluster]
        .kubectl(&["get", object, "--ignore-not-found", "-o", "name"])
        .await
        .unwrap_or_default()
        .is_empty()
}

async fn a_tenant_that_leaves_takes_its_instances_along() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let (leaving, staying) = (bed.service_of("team-c", REGION).await, bed.service(REGION).await);
    for name in ["one", "two"] {
        leaving.create(name).await?;
        leaving.in_step(name).await;
    }
    staying.create("kept").await?;
    let before = staying.in_step("kept").await;
    std::fs::remove_file(bed.path("accounts/team-c.yaml"))?;
    let run = pruned(&bed, &[]).await.ends(0);
    assert!(run.text().contains("approved the deletion of 2 instances"), "{}", run.text());
    assert!(!exists(&bed, MANAGEMENT, "namespace/team-c").await);
    // The namespace in the service cluster is deleted when nothing of sync is left in it.
    wait("the namespace in the service cluster is gone", async || {
        holds(!exists(&bed, REGION, &format!("namespace/{}", leaving.namespace)).await, || "it is there".to_owned())
    })
    .await;
    assert_eq!(staying.in_step("kept").await.copy["metadata"]["uid"], before.copy["metadata"]["uid"]);
    let nothing = bed.carrier(&["plan", "--prune", "--detailed-exitcode"]).await;
    assert_eq!(nothing.code, 0, "something is left: {}", nothing.text());
    Ok(())
}

async fn a_service_that_leaves_takes_its_instances_along() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    redis.create("one").await?;
    redis.in_step("one").await;
    std::fs::remove_file(bed.path("team-a/redis.yaml"))?;
    let run = pruned(&bed, &[]).await.ends(0);
    assert!(run.text().contains("approved the deletion of 1 instance;"), "{}", run.text());
    for crd in ["redis.eu-west-1.team-a", "redis.internal.eu-west-1.team-a"] {
        assert!(!exists(&bed, MANAGEMENT, &format!("crd/{crd}")).await, "{crd}");
    }
    assert!(redis.copy.get("one").await.is_none(), "the copy is left behind");
    Ok(())
}

/// Its namespace has what sync needs for the instances of its services: the Secret of the cluster, the assignments.
async fn a_provider_that_leaves_takes_its_services_and_its_own_instances_along() -> TestResult {
    let both = |folder: &Path| {
        let file = folder.join("accounts/team-a.yaml");
        let text = std::fs::read_to_string(&file)?;
        std::fs::write(file, text.replace("roles: [Provider]", "roles: [Provider, Tenant]"))
    };
    let bed = Bed::builder(&[REGION]).change(both).start().await?;
    let _sync = bed.sync().await?;
    let (own, other) = (bed.service_of("team-a", REGION).await, bed.service(REGION).await);
    for service in [&own, &other] {
        service.tenant.create("one", &spec(), &json!({})).await?;
        service.in_step("one").await;
    }
    std::fs::remove_file(bed.path("accounts/team-a.yaml"))?;
    std::fs::remove_dir_all(bed.path("team-a"))?;
    std::fs::write(bed.path("carrier.yaml"), "management: {context: management}\n")?;
    let run = pruned(&bed, &[]).await.ends(0);
    assert!(run.text().contains("approved the deletion of 2 instances"), "{}", run.text());
    wait("the namespace of the provider is gone", async || {
        holds(!exists(&bed, MANAGEMENT, "namespace/team-a").await, || "it is there".to_owned())
    })
    .await;
    assert!(!exists(&bed, MANAGEMENT, "crd/redis.eu-west-1.team-a").await);
    for service in [&own, &other] {
        assert!(service.copy.get("one").await.is_none(), "a copy is left behind");
    }
    Ok(())
}

async fn what_the_policy_block_protects_stays_whatever_is_allowed() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    for name in ["one", "two"] {
        redis.create(name).await?;
        redis.in_step(name).await;
    }
    redis.tenant.annotate("one", POLICY, Some("Block")).await?;
    let files = ["team-a/redis.yaml", "accounts/team-b.yaml", "team-a/catalog.yaml"];
    for file in files {
        let text = std::fs::read_to_string(bed.path(file))?;
        std::fs::remove_file(bed.path(file))?;
        let run = pruned(&bed, &[]).await.ends(3);
        assert!(run.text().contains("the deletion policy of 1 instance is Block (Redis team-b/one)"), "{}", run.text());
        std::fs::write(bed.path(file), text)?;
    }
    for name in ["one", "two"] {
        assert!(redis.in_step(name).await.tenant["metadata"]["deletionTimestamp"].is_null(), "{name}");
    }
    redis.tenant.annotate("one", POLICY, Some("Delete")).await?;
    std::fs::remove_file(bed.path("team-a/redis.yaml"))?;
    pruned(&bed, &[]).await.ends(0);
    assert!(redis.copy.get("one").await.is_none() && redis.copy.get("two").await.is_none());
    Ok(())
}

/// Adds a second service, so that every role of sync is rendered without the first one too.
async fn with_caches(bed: &Bed) -> TestResult {
    let mut crd = base_crd();
    crd["metadata"]["name"] = json!("caches.example.com");
    crd["spec"]["group"] = json!("example.com");
    crd["spec"]["names"] = json!({"kind": "Cache", "listKind": "CacheList", "plural": "caches", "singular": "cache"});
    bed.planes[REGION].kubectl_with(&["apply", "--server-side", "-f", "-"], &crd.to_string()).await?;
    bed.planes[REGION].established(&["caches.example.com"]).await;
    let set = std::fs::read_to_string(bed.path("team-a/redis.yaml"))?;
    let set = set.replace("name: redis\n", "name: caches\n").replace(BASE, "caches.example.com");
    std::fs::write(bed.path("team-a/caches.yaml"), set)?;
    bed.applied().await;
    Ok(())
}

/// The roles of sync for a region, and for team-b in it.
async fn roles(bed: &Bed, namespace: &str) -> String {
    let mut all = String::new();
    for (cluster, role, namespace) in [
        (MANAGEMENT, format!("clusterrole/kubecarrier:sync-management:{REGION}.team-a"), ""),
        (MANAGEMENT, format!("role/kubecarrier:sync:{REGION}.team-a"), "team-b"),
        (REGION, format!("clusterrole/kubecarrier:sync:{REGION}.team-a"), ""),
        (REGION, "role/kubecarrier:sync".to_owned(), namespace),
    ] {
        let get = ["get", &role, "-n", namespace, "-o", "jsonpath={.rules}"];
        let rules = bed.planes[cluster].kubectl(&get).await.expect("the role is there");
        writeln!(all, "{cluster} {role}: {rules}").expect("a string takes it");
    }
    all
}

async fn a_service_that_is_kept_is_followed_until_it_is_pruned() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    with_caches(&bed).await?;
    let redis = bed.service(REGION).await;
    redis.create("one").await?;
    redis.in_step("one").await;
    let before = roles(&bed, &redis.namespace).await;
    std::fs::remove_file(bed.path("team-a/redis.yaml"))?;
    let run = bed.carrier(&["apply", "--yes"]).await.ends(0);
    assert!(run.text().contains("--prune"), "{}", run.text());
    assert_eq!(roles(&bed, &redis.namespace).await, before, "sync follows the service that is kept");
    bed.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);

    is_followed(&redis).await?;

    let run = pruned(&bed, &[]).await.ends(0);
    assert!(run.text().contains("approved the deletion of 1 instance;"), "{}", run.text());
    assert!(!exists(&bed, MANAGEMENT, "crd/redis.eu-west-1.team-a").await);
    assert!(redis.copy.get("two").await.is_none(), "the copy is left behind");
    let after = roles(&bed, &redis.namespace).await;
    assert!(after.contains("caches") && !after.contains("redis"), "{after}");
    bed.carrier(&["plan", "--prune", "--detailed-exitcode"]).await.ends(0);
    Ok(())
}

/// Edits, a creation, and a deletion by the tenant: `one` goes and `two` comes.
async fn is_followed(redis: &Service) -> TestResult {
    redis.member.merge("one", &json!({"spec": {"size": 5}})).await?;
    assert_eq!(redis.in_step("one").await.copy["spec"]["size"], 5);
    redis.create("two").await?;
    redis.in_step("two").await;
    redis.member.delete("one").await?;
    redis.gone("one").await;
    Ok(())
}

/// The catalog no longer offers the service to anybody; the service is still in the repository.
async fn an_offer_that_is_kept_is_followed() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    with_caches(&bed).await?;
    let redis = bed.service(REGION).await;
    redis.create("one").await?;
    redis.in_step("one").await;
    let before = roles(&bed, &redis.namespace).await;
    let catalog = std::fs::read_to_string(bed.path("team-a/catalog.yaml"))?;
    let only = "catalogEntrySelector: {matchLabels: {catalogentries.kubecarrier.io/controlled-by: caches}}";
    std::fs::write(bed.path("team-a/catalog.yaml"), catalog.replace("catalogEntrySelector: {}", only))?;
    let run = bed.carrier(&["apply", "--yes"]).await.ends(0);
    assert!(run.text().contains("--prune"), "{}", run.text());
    assert_eq!(roles(&bed, &redis.namespace).await, before, "sync follows the instances of the offer that is kept");
    is_followed(&redis).await?;

    // Without the Offering too, as long as there are instances; by an admin, since the tenant has lost the access.
    pruned(&bed, &[]).await.ends(0);
    let offerings = bed.management().kubectl(&["get", "offerings", "-n", "team-b", "-o", "name"]).await?;
    assert!(!offerings.contains("redis"), "{offerings}");
    assert_eq!(roles(&bed, &redis.namespace).await, before, "sync follows the instances that are left");
    bed.carrier(&["plan", "--prune", "--detailed-exitcode"]).await.ends(0);
    redis.tenant.delete("two").await?;
    redis.gone("two").await;
    bed.carrier(&["apply", "--yes"]).await.ends(0);
    let after = roles(&bed, &redis.namespace).await;
    let of_tenant = |role: &str| after.lines().any(|line| line.contains(role) && line.contains("redis"));
    assert!(!of_tenant(" role/kubecarrier:sync"), "{after}");
    bed.carrier(&["plan", "--prune", "--detailed-exitcode"]).await.ends(0);
    Ok(())
}

/// Earlier versions of carrier took the permissions away with the service, and kept its instances.
async fn permissions_that_were_taken_away_are_given_back_before_anything_goes() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    redis.create("one").await?;
    redis.in_step("one").await;
    std::fs::remove_file(bed.path("team-a/redis.yaml"))?;
    for (cluster, name) in [(MANAGEMENT, "sync-management"), (REGION, "sync")] {
        let role = format!("clusterrole/kubecarrier:{name}:{REGION}.team-a");
        let text = bed.planes[cluster].kubectl(&["get", &role, "-o", "json"]).await?;
        let live: Value = serde_json::from_str(&text)?;
        let metadata = json!({"name": live["metadata"]["name"], "labels": live["metadata"]["labels"]});
        let narrow = json!({"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata, "rules": []});
        let apply = ["apply", "--server-side", "--field-manager=carrier", "-f", "-"];
        bed.planes[cluster].kubectl_with(&apply, &narrow.to_string()).await?;
    }
    let run = pruned(&bed, &[]).await.ends(3);
    assert!(run.err.contains("`carrier sync` lacks permissions to delete their copies"), "{}", run.text());
    assert!(run.err.contains("apply without `--prune` first"), "{}", run.text());
    let tenant = redis.tenant.get("one").await.ok_or("the instance is there")?;
    assert!(tenant["metadata"]["deletionTimestamp"].is_null(), "{tenant}");

    bed.carrier(&["apply", "--yes"]).await.ends(0);
    redis.member.merge("one", &json!({"spec": {"size": 5}})).await?;
    assert_eq!(redis.in_step("one").await.copy["spec"]["size"], 5);
    pruned(&bed, &[]).await.ends(0);
    assert!(redis.copy.get("one").await.is_none(), "the copy is left behind");
    Ok(())
}

async fn without_sync_nothing_else_is_deleted() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service_of("team-c", REGION).await;
    redis.create("one").await?;
    redis.in_step("one").await;
    sync.stop().await;
    std::fs::remove_file(bed.path("accounts/team-c.yaml"))?;
    let run = pruned(&bed, &["--timeout", "3s"]).await.ends(5);
    assert!(run.err.contains("`carrier sync` has to delete the copies of 1 instance"), "{}", run.text());
    // What sync needs for it is there, and the copy too.
    assert!(bed.assignments().get("team-c.eu-west-1").await.is_some());
    assert!(redis.copy.get("one").await.is_some());
    sync.again()?;
    sync.ready().await?;
    pruned(&bed, &[]).await.ends(0);
    wait("the namespace is gone", async || {
        holds(!exists(&bed, MANAGEMENT, "namespace/team-c").await, || "it is there".to_owned())
    })
    .await;
    assert!(redis.copy.get("one").await.is_none());
    Ok(())
}
