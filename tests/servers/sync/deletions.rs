//! Deletions that are held, approved, or leave the workload: the breaker and the policies.

use std::path::Path;

use serde_json::json;

use super::basics::{FINALIZER, shows};
use super::bed::{Bed, Service};
use super::objects::{annotation, condition, has_finalizer, holds, said, uid, wait};
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        five_hundred_deletions_at_once_are_held_until_approved,
        a_few_deletions_pass_the_breaker,
        the_policy_block_holds_until_it_changes,
        the_policy_orphan_leaves_the_copy_for_a_later_instance,
        a_policy_that_is_not_allowed_is_said_and_not_followed,
    ]
}

const REGION: &str = "eu-west-1";
pub(crate) const POLICY: &str = "carrier.kubecarrier.io/deletion-policy";

/// How many instances the large test has.
const MANY: usize = 500;

async fn five_hundred_deletions_at_once_are_held_until_approved() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    let mut names: Vec<String> = (0..MANY).map(|number| format!("many-{number:03}")).collect();
    let creating = names.iter().map(|name| redis.create(name));
    for made in futures::future::join_all(creating).await {
        made?;
    }
    all_in_step(&redis, MANY).await;
    let everything = ["delete", "redis.eu-west-1.team-a", "--all", "-n", "team-b", "--wait=false"];
    bed.management().kubectl(&everything).await?;
    wait("what is too much is held", async || {
        let held = tenants(&redis)
            .await?
            .iter()
            .filter(|tenant| said(condition(tenant, "Synced")) == "False/DeletionHeld")
            .count();
        let copies = redis.copy.list().await.map_err(|error| error.to_string())?.len();
        // A fifth at most may go.
        assert!(copies >= MANY - MANY / 5 - 1, "{copies} copies are left of {MANY}");
        holds(held == tenants(&redis).await?.len(), || format!("{held} are held, {copies} copies are there"))
    })
    .await;
    assert!(sync.metrics().await.sum("carrier_deletions_held", &[]) >= 399.0);
    // It survives a restart.
    sync.kill();
    sync.again()?;
    sync.ready().await?;
    let copies = redis.copy.list().await?.len();
    redis.create("later").await?;
    redis.in_step("later").await;
    assert_eq!(redis.copy.list().await?.len(), copies + 1, "a restart let them go");
    names.push("later".to_owned());
    bed.approved("team-a/eu-west-1/redis", "team-b").await;
    wait("they go", async || {
        let left: Vec<String> =
            tenants(&redis).await?.iter().map(|tenant| tenant["metadata"]["name"].to_string()).collect();
        let copies = redis.copy.list().await.map_err(|error| error.to_string())?.len();
        holds(left == ["\"later\""] && copies == 1, || format!("{} and {copies} copies are there", left.len()))
    })
    .await;
    Ok(())
}

async fn tenants(redis: &Service) -> Result<Vec<serde_json::Value>, String> {
    redis.tenant.list().await.map_err(|error| error.to_string())
}

/// Waits until so many instances are in step.
pub(crate) async fn all_in_step(redis: &Service, count: usize) {
    wait(&format!("{count} are in step"), async || {
        let tenants = redis.tenant.list().await.map_err(|error| error.to_string())?;
        let done = tenants.iter().filter(|tenant| {
            let synced = condition(tenant, "Synced");
            said(synced) == "True/InStep" && synced["observedGeneration"] == tenant["metadata"]["generation"]
        });
        let done = done.count();
        holds(done == count && tenants.len() == count, || format!("{done} of {} are", tenants.len()))
    })
    .await;
}

async fn a_few_deletions_pass_the_breaker() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    let names: Vec<String> = (0..6).map(|number| format!("few-{number}")).collect();
    for name in &names {
        redis.create(name).await?;
    }
    all_in_step(&redis, 6).await;
    // Five are no more than five, whatever part of all they are.
    for name in &names[..5] {
        redis.member.delete(name).await?;
    }
    for name in &names[..5] {
        redis.gone(name).await;
    }
    // The sixth within ten minutes is more than five and more than a fifth.
    redis.member.delete("few-5").await?;
    wait("it is held", async || {
        let tenant = redis.tenant.get("few-5").await.ok_or("it is gone")?;
        holds(said(condition(&tenant, "Synced")) == "False/DeletionHeld", || tenant["status"].to_string())
    })
    .await;
    assert!(redis.copy.get("few-5").await.is_some());
    // Another bound on the ServiceCluster, and it goes on by itself.
    bed.clusters().annotate(REGION, "carrier.kubecarrier.io/deletion-breaker", Some("50,50%,1m")).await?;
    redis.gone("few-5").await;
    Ok(())
}

/// The set allows its tenants everything.
pub(crate) fn all_policies(folder: &Path) -> std::io::Result<()> {
    let file = folder.join("team-a/redis.yaml");
    let text = std::fs::read_to_string(&file)?;
    let policy = "\n  deletionPolicy: {default: Delete, allowed: [Delete, Block, Orphan]}\n  derive:";
    std::fs::write(file, text.replace("\n  derive:", policy))
}

async fn the_policy_block_holds_until_it_changes() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    redis.create("blocked").await?;
    redis.in_step("blocked").await;
    redis.member.annotate("blocked", POLICY, Some("Block")).await?;
    redis.member.delete("blocked").await?;
    wait("it is held", async || {
        let tenant = redis.tenant.get("blocked").await.ok_or("it is gone")?;
        holds(said(condition(&tenant, "Synced")) == "False/DeletionHeld", || tenant["status"].to_string())
    })
    .await;
    redis.later("later").await?;
    let copy = redis.copy.get("blocked").await.ok_or("the copy is gone")?;
    assert!(copy["metadata"]["deletionTimestamp"].is_null());
    assert!(redis.tenant.get("blocked").await.is_some_and(|tenant| has_finalizer(&tenant, FINALIZER)));
    redis.member.annotate("blocked", POLICY, Some("Delete")).await?;
    redis.gone("blocked").await;
    Ok(())
}

async fn the_policy_orphan_leaves_the_copy_for_a_later_instance() -> TestResult {
    let bed = Bed::builder(&[REGION]).change(all_policies).start().await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    redis.create("left").await?;
    let before = redis.in_step("left").await;
    redis.member.annotate("left", POLICY, Some("Orphan")).await?;
    redis.member.delete("left").await?;
    wait("the tenant's object goes", async || {
        let (tenant, internal) = (redis.tenant.get("left").await, redis.internal.get("left").await);
        holds(tenant.is_none() && internal.is_none(), || "it is there".to_owned())
    })
    .await;
    let copy = redis.copy.get("left").await.ok_or("the copy is gone")?;
    assert_eq!(annotation(&copy, "carrier.kubecarrier.io/orphaned"), "true");
    assert_eq!((uid(&copy), &copy["spec"]), (uid(&before.copy), &before.copy["spec"]));
    redis.later("later").await?;
    redis.create("left").await?;
    let after = redis.in_step("left").await;
    assert_eq!(uid(&after.copy), uid(&before.copy), "the workload was made anew");
    assert_eq!(annotation(&after.copy, "carrier.kubecarrier.io/orphaned"), "");
    Ok(())
}

async fn a_policy_that_is_not_allowed_is_said_and_not_followed() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    redis.create("wishful").await?;
    redis.in_step("wishful").await;
    // By default a set allows Delete and Block.
    redis.member.annotate("wishful", POLICY, Some("Orphan")).await?;
    redis.member.merge("wishful", &json!({"spec": {"size": 4}})).await?;
    shows(&redis.copy, "wishful", "/spec/size", json!(4)).await;
    redis.member.delete("wishful").await?;
    redis.gone("wishful").await;
    wait("an event says so", async || {
        let events = bed.management().kubectl(&["get", "events", "-n", "team-b", "-o", "json"]).await;
        let events = events.map_err(|error| error.to_string())?;
        holds(events.contains("wishful") && events.contains("Orphan"), || events.clone())
    })
    .await;
    Ok(())
}
