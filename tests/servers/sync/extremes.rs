//! The largest names and objects, and two writers at once.

use serde_json::{Value, json};

use super::basics::shows;
use super::bed::{Bed, shared_bed, spec};
use super::objects::{condition, holds, said, wait};
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![a_name_of_253_characters, an_object_of_nearly_one_mebibyte, apply_while_sync_writes_statuses]
}

const REGION: &str = "eu-west-1";

async fn a_name_of_253_characters() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let name = ["n".repeat(63), "a".repeat(63), "m".repeat(63), "e".repeat(61)].join(".");
    assert_eq!(name.len(), 253);
    redis.create(&name).await?;
    let levels = redis.in_step(&name).await;
    assert_eq!(levels.copy["metadata"]["name"], name.as_str());
    shows(&redis.tenant, &name, "/status/phase", json!("Running")).await;
    redis.member.delete(&name).await?;
    redis.gone(&name).await;
    Ok(())
}

async fn an_object_of_nearly_one_mebibyte() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    // The keys stand in the managed fields as well, so that few large values make the largest object.
    let mut large = spec();
    let value = "v".repeat(100 * 1024);
    large["redisConfig"] =
        (0..10).map(|key| (format!("key-{key}"), json!(value))).collect::<serde_json::Map<_, _>>().into();
    redis.member.create("manual-large", &large, &json!({})).await?;
    let levels = redis.in_step("manual-large").await;
    assert_eq!(levels.copy["spec"]["redisConfig"], large["redisConfig"]);
    // And a status that is too much to copy everywhere is no end of the process.
    redis.copy.set_status("manual-large", &json!({"phase": "p".repeat(300 * 1024)})).await?;
    redis.later("later-than-large").await?;
    redis.copy.set_status("manual-large", &json!({"phase": "Running"})).await?;
    shows(&redis.tenant, "manual-large", "/status/phase", json!("Running")).await;
    redis.member.delete("manual-large").await?;
    redis.gone("manual-large").await;
    Ok(())
}

async fn apply_while_sync_writes_statuses() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let operator = bed.operator(REGION);
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    for number in 0..10 {
        redis.create(&format!("busy-{number}")).await?;
    }
    super::deletions::all_in_step(&redis, 10).await;
    let phases = ["Updating", "Running"];
    for round in 0..6 {
        operator.behave(|behaviour| behaviour.phase = phases[round % 2]);
        // What nobody changed is not written, and nothing of sync's is taken for a difference.
        let run = bed.carrier(&["plan", "-o", "json"]).await.ends(0).json();
        assert_eq!(run["changes"], Value::Array(Vec::new()));
        let text = std::fs::read_to_string(bed.path("team-a/redis.yaml"))?;
        let shown = text.replace("displayName: Redis", "displayName: Redis.").replace("Redis..", "Redis");
        std::fs::write(bed.path("team-a/redis.yaml"), shown)?;
        bed.carrier(&["apply", "--yes"]).await.ends(0);
    }
    for number in 0..10 {
        shows(&redis.tenant, &format!("busy-{number}"), "/status/phase", json!("Running")).await;
        redis.in_step(&format!("busy-{number}")).await;
    }
    wait("the ServiceCluster is as sync says", async || {
        let cluster = bed.clusters().get(REGION).await.ok_or("gone")?;
        holds(said(condition(&cluster, "Ready")) == "True/ComponentsReady", || cluster["status"].to_string())
    })
    .await;
    Ok(())
}
