//! One instance from its creation to its deletion, in step on all levels.

use serde_json::{Value, json};

use super::bed::{Levels, Service, shared_bed, spec};
use super::objects::{HAND, Objects, annotation, condition, has_finalizer, holds, said, uid, version, wait};
use super::repository::PRESET;
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_new_instance_comes_into_step,
        an_edit_arrives_and_its_status_comes_back,
        a_field_that_the_tenant_removes_goes,
        what_the_provider_hides_survives_and_arrives,
        what_the_service_cluster_defaults_is_not_fought,
        a_deleted_instance_goes_on_all_levels,
        a_status_loses_what_is_stale,
        a_foreign_generation_is_never_shown,
        two_appliers_of_a_list_keep_their_items,
        at_rest_nothing_is_written,
        the_metrics_have_the_names_of_the_contract,
        events_say_what_happened,
    ]
}

/// The finalizer of sync.
pub(crate) const FINALIZER: &str = "carrier.kubecarrier.io/sync";
/// The region of the shared bed.
const REGION: &str = "eu-west-1";

/// The fields that a manager owns, `null` if it owns none.
pub(crate) fn owned<'a>(object: &'a Value, manager: &str) -> &'a Value {
    let mut entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let found = entries.find(|entry| entry["manager"] == manager && entry["subresource"].is_null());
    found.map_or(&Value::Null, |entry| &entry["fieldsV1"])
}

/// Waits until a value of an object is as wanted.
pub(crate) async fn shows(objects: &Objects, name: &str, pointer: &str, wanted: Value) {
    wait(&format!("{name} has {pointer} {wanted}"), async || {
        let object = objects.try_get(name).await.map_err(|error| error.to_string())?.ok_or("it is gone")?;
        let found = object.pointer(pointer).unwrap_or(&Value::Null);
        holds(*found == wanted, || format!("{found}"))
    })
    .await;
}

async fn a_new_instance_comes_into_step() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("new").await?;
    let Levels { tenant, internal, copy } = redis.in_step("new").await;
    let mut wanted = spec();
    wanted["priorityClassName"] = json!(PRESET);
    wanted["global"]["imagePullPolicy"] = json!("IfNotPresent");
    wanted["storage"] = json!({"size": "1Gi"});
    assert_eq!(internal["spec"], wanted, "the internal object: exposed fields, presets, defaults of the schema");
    assert_eq!(copy["spec"], wanted, "the copy");
    // The defaults are the service cluster's own.
    let ours = owned(&copy, "carrier-sync-service");
    assert!(ours["f:spec"]["f:priorityClassName"].is_object(), "{ours}");
    assert!(ours["f:spec"]["f:storage"].is_null(), "a default was sent down: {ours}");
    assert!(ours["f:spec"]["f:global"]["f:imagePullPolicy"].is_null(), "a default was sent down: {ours}");
    assert!(owned(&internal, "carrier-sync-internal")["f:spec"]["f:size"].is_object());

    let of_management =
        shared.bed.management().kubectl(&["get", "ns", "kube-system", "-o", "jsonpath={.metadata.uid}"]).await?;
    assert!(has_finalizer(&tenant, FINALIZER));
    for (level, object) in [("internal", &internal), ("copy", &copy)] {
        assert_eq!(
            object["metadata"]["labels"]["kubecarrier.io/management-cluster"],
            of_management.as_str(),
            "{level}"
        );
        assert_eq!(annotation(object, "carrier.kubecarrier.io/source"), "team-b/redis.eu-west-1.team-a/new", "{level}");
        assert_eq!(annotation(object, "carrier.kubecarrier.io/source-uid"), uid(&tenant), "{level}");
        assert!(object["metadata"]["ownerReferences"].is_null(), "{level}");
        assert!(!has_finalizer(object, FINALIZER), "{level}");
    }
    Ok(())
}

async fn an_edit_arrives_and_its_status_comes_back() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("edited").await?;
    redis.in_step("edited").await;
    redis.member.merge("edited", &json!({"spec": {"size": 5, "redisConfig": {"maxmemory": "2gb"}}})).await?;
    shows(&redis.copy, "edited", "/spec/size", json!(5)).await;
    shows(&redis.copy, "edited", "/spec/redisConfig/maxmemory", json!("2gb")).await;
    shows(&redis.tenant, "edited", "/status/readyReplicas", json!(5)).await;
    let Levels { tenant, internal, copy } = redis.in_step("edited").await;
    assert_eq!(tenant["metadata"]["generation"], 2);
    wait("the generation of the status is the tenant's own", async || {
        let tenant = redis.tenant.get("edited").await.ok_or("it is gone")?;
        let ready = condition(&tenant, "Ready");
        holds(tenant["status"]["observedGeneration"] == 2 && ready["observedGeneration"] == 2, || {
            tenant["status"].to_string()
        })?;
        holds(said(ready) == "True/Serving", || ready.to_string())
    })
    .await;
    assert_eq!(tenant["status"]["phase"], "Running");
    assert!(tenant["status"]["endpoint"].is_null(), "the field is hidden");
    assert_eq!(internal["status"]["endpoint"], copy["status"]["endpoint"]);
    Ok(())
}

async fn a_field_that_the_tenant_removes_goes() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("removing").await?;
    redis.in_step("removing").await;
    // The provider holds one of the fields too: in the exposed part the tenant's word holds.
    redis.internal.apply("removing", "provider", &json!({"size": 3})).await?;
    redis.member.merge("removing", &json!({"spec": {"size": null, "redisConfig": null, "service": null}})).await?;
    for level in [&redis.internal, &redis.copy] {
        for field in ["size", "redisConfig", "service"] {
            shows(level, "removing", &format!("/spec/{field}"), Value::Null).await;
        }
    }
    let levels = redis.in_step("removing").await;
    assert_eq!(levels.copy["spec"]["mode"], "standalone");
    Ok(())
}

async fn what_the_provider_hides_survives_and_arrives() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("hidden").await?;
    redis.in_step("hidden").await;
    let disk = json!({"nodeSelector": {"disk": "ssd"}});
    redis.internal.apply("hidden", "provider", &disk).await?;
    shows(&redis.copy, "hidden", "/spec/nodeSelector/disk", json!("ssd")).await;
    redis.member.merge("hidden", &json!({"spec": {"size": 4}})).await?;
    shows(&redis.copy, "hidden", "/spec/size", json!(4)).await;
    let levels = redis.in_step("hidden").await;
    assert_eq!(levels.internal["spec"]["nodeSelector"], json!({"disk": "ssd"}));
    assert_eq!(levels.copy["spec"]["nodeSelector"], json!({"disk": "ssd"}));
    assert!(levels.tenant["spec"]["nodeSelector"].is_null());
    // And goes when the provider takes it back.
    redis.internal.apply("hidden", "provider", &json!({})).await?;
    shows(&redis.copy, "hidden", "/spec/nodeSelector", Value::Null).await;
    Ok(())
}

async fn what_the_service_cluster_defaults_is_not_fought() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("defaulted").await?;
    redis.in_step("defaulted").await;
    // An autoscaler sets what nobody here sets, and changes what only defaulting had set.
    redis.copy.merge("defaulted", &json!({"spec": {"replicas": 7, "storage": {"size": "5Gi"}}})).await?;
    redis.member.merge("defaulted", &json!({"spec": {"size": 6}})).await?;
    shows(&redis.copy, "defaulted", "/spec/size", json!(6)).await;
    redis.later("defaulted-later").await?;
    let levels = redis.in_step("defaulted").await;
    assert_eq!((&levels.copy["spec"]["replicas"], &levels.copy["spec"]["storage"]["size"]), (&json!(7), &json!("5Gi")));
    assert!(levels.internal["spec"]["replicas"].is_null(), "what others add to the copy stays there");
    Ok(())
}

async fn a_deleted_instance_goes_on_all_levels() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("deleted").await?;
    redis.in_step("deleted").await;
    assert!(redis.member.delete("deleted").await?);
    redis.gone("deleted").await;
    // The name is free again.
    redis.create("deleted").await?;
    redis.in_step("deleted").await;
    Ok(())
}

async fn a_status_loses_what_is_stale() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let name = "manual-stale";
    redis.create(name).await?;
    redis.in_step(name).await;
    let condition_of = |of: &str| {
        json!({"type": of, "status": "False", "reason": "Starting", "message": "it starts",
               "lastTransitionTime": "2026-01-02T03:04:05Z"})
    };
    let full = json!({"phase": "Pending", "readyReplicas": 1, "endpoint": "a:1",
                      "conditions": [condition_of("Ready"), condition_of("Degraded")]});
    redis.copy.set_status(name, &full).await?;
    shows(&redis.tenant, name, "/status/readyReplicas", json!(1)).await;
    let tenant = redis.tenant.get(name).await.ok_or("gone")?;
    assert_eq!(condition(&tenant, "Degraded")["lastTransitionTime"], "2026-01-02T03:04:05Z", "as the operator said it");

    redis.copy.set_status(name, &json!({"phase": "Running", "conditions": [condition_of("Ready")]})).await?;
    shows(&redis.tenant, name, "/status/phase", json!("Running")).await;
    shows(&redis.internal, name, "/status/phase", json!("Running")).await;
    for (level, objects) in [("internal", &redis.internal), ("tenant", &redis.tenant)] {
        let object = objects.get(name).await.ok_or("gone")?;
        let status = &object["status"];
        assert!(status["readyReplicas"].is_null() && status["endpoint"].is_null(), "{level}: {status}");
        assert_eq!(said(condition(&object, "Degraded")), "none", "{level}: {status}");
        assert_eq!(said(condition(&object, "Ready")), "False/Starting", "{level}: {status}");
    }
    // What sync itself says stays.
    redis.in_step(name).await;
    Ok(())
}

async fn a_foreign_generation_is_never_shown() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let name = "manual-generation";
    redis.create(name).await?;
    // The copy's generation runs ahead of the tenant's: others edit it there.
    redis.in_step(name).await;
    for replicas in 1..=5 {
        redis.copy.merge(name, &json!({"spec": {"replicas": replicas}})).await?;
    }
    let copy = redis.copy.get(name).await.ok_or("gone")?;
    let there = copy["metadata"]["generation"].as_i64().unwrap_or_default();
    assert!(there >= 6);
    let status = |generation: i64, phase: &str| {
        json!({"phase": phase, "observedGeneration": generation, "conditions": [{
            "type": "Ready", "status": "True", "reason": "Serving", "message": "", "observedGeneration": generation,
            "lastTransitionTime": "2026-01-02T03:04:05Z"}]})
    };
    // Observed in full: the tenant's own generation.
    redis.copy.set_status(name, &status(there, "Running")).await?;
    shows(&redis.tenant, name, "/status/phase", json!("Running")).await;
    shows(&redis.tenant, name, "/status/observedGeneration", json!(1)).await;
    let tenant = redis.tenant.get(name).await.ok_or("gone")?;
    assert_eq!(condition(&tenant, "Ready")["observedGeneration"], 1);
    // Behind: never that of the copy.
    redis.member.merge(name, &json!({"spec": {"size": 9}})).await?;
    shows(&redis.copy, name, "/spec/size", json!(9)).await;
    redis.copy.set_status(name, &status(there, "Updating")).await?;
    shows(&redis.tenant, name, "/status/phase", json!("Updating")).await;
    let tenant = redis.tenant.get(name).await.ok_or("gone")?;
    for found in [&tenant["status"]["observedGeneration"], &condition(&tenant, "Ready")["observedGeneration"]] {
        assert!(found.is_null() || found.as_i64() < Some(2), "a foreign or unearned generation: {}", tenant["status"]);
    }
    Ok(())
}

async fn two_appliers_of_a_list_keep_their_items() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let mut with_list = spec();
    with_list["acl"] = json!([{"name": "app", "rule": "+@read"}, {"name": "admin", "rule": "+@all"}]);
    redis.member.create("listed", &with_list, &json!({})).await?;
    redis.in_step("listed").await;
    // The service cluster adds a user of its own; the tenant takes one back.
    let agent = json!({"acl": [{"name": "agent", "rule": "+ping"}]});
    redis.copy.apply("listed", "operator-addon", &agent).await?;
    redis.member.merge("listed", &json!({"spec": {"acl": [{"name": "app", "rule": "+@write"}]}})).await?;
    wait("the items of both are there", async || {
        let copy = redis.copy.get("listed").await.ok_or("gone")?;
        let mut items: Vec<String> = copy["spec"]["acl"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|i| format!("{}{}", i["name"], i["rule"]))
            .collect();
        items.sort();
        holds(items == ["\"agent\"\"+ping\"", "\"app\"\"+@write\""], || format!("{items:?}"))
    })
    .await;
    redis.in_step("listed").await;
    Ok(())
}

/// The resource versions of an instance's levels.
pub(crate) async fn versions(redis: &Service, name: &str) -> Vec<String> {
    let Levels { tenant, internal, copy } = redis.in_step(name).await;
    [tenant, internal, copy].iter().map(|object| version(object).to_owned()).collect()
}

async fn at_rest_nothing_is_written() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("resting").await?;
    redis.in_step("resting").await;
    // The status is back as well, and what the operator wrote last has been looked at.
    shows(&redis.tenant, "resting", "/status/observedGeneration", json!(1)).await;
    redis.later("resting-later").await?;
    let before = versions(&redis, "resting").await;
    // Someone writes what changes nothing for sync.
    redis.internal.annotate("resting", "example.com/note", Some("a")).await?;
    let noted = redis.internal.get("resting").await.ok_or("gone")?;
    for name in ["resting-second", "resting-third"] {
        redis.later(name).await?;
    }
    let after = versions(&redis, "resting").await;
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]), "written without a need");
    assert_eq!(after[1], version(&noted), "the internal object was written without a need");
    assert!(owned(&noted, HAND)["f:metadata"]["f:annotations"].is_object());
    Ok(())
}

async fn the_metrics_have_the_names_of_the_contract() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.later("measured").await?;
    shows(&redis.tenant, "measured", "/status/phase", json!("Running")).await;
    wait("a status has been measured", async || {
        let metrics = shared.sync.metrics().await;
        let measured = metrics.sum("carrier_sync_latency_seconds_count", &["direction=\"up\""]);
        holds(measured > 0.5, || format!("{metrics:?}"))
    })
    .await;
    let metrics = shared.sync.metrics().await;
    for name in [
        "carrier_sync_latency_seconds_bucket",
        "carrier_oldest_unsynced_seconds",
        "carrier_queue_depth",
        "carrier_writes_total",
        "carrier_requests_total",
        "carrier_conflicts",
        "carrier_deletions_held",
        "carrier_cluster_reachable",
        "carrier_watch_age_seconds",
        "carrier_objects",
    ] {
        assert!(metrics.has(name), "no {name} in {metrics:?}");
    }
    let cluster = "cluster=\"team-a/eu-west-1\"";
    assert!(metrics.sum("carrier_writes_total", &[cluster, "side=\"service\""]) >= 1.0, "{metrics:?}");
    assert!(metrics.sum("carrier_requests_total", &[cluster, "verb=", "outcome="]) >= 1.0, "{metrics:?}");
    for direction in ["down", "up"] {
        let label = format!("direction=\"{direction}\"");
        assert!(metrics.sum("carrier_sync_latency_seconds_count", &[&label]) >= 1.0, "{direction}: {metrics:?}");
    }
    Ok(())
}

async fn events_say_what_happened() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let name = "manual-evented";
    redis.copy.create(name, &spec(), &json!({})).await?;
    redis.create(name).await?;
    redis.says(name, "False/Conflict").await;
    redis.copy.delete(name).await?;
    redis.in_step(name).await;
    redis.member.delete(name).await?;
    redis.gone(name).await;
    for (of, reason) in [("Warning", "Conflict"), ("Normal", "Synced"), ("Normal", "Deleted")] {
        wait(&format!("there is an event {of} {reason}"), async || {
            let events = shared.bed.management().kubectl(&["get", "events", "-n", "team-b", "-o", "json"]).await;
            let events: Value = serde_json::from_str(&events.map_err(|error| error.to_string())?).unwrap_or_default();
            let mut about =
                events["items"].as_array().into_iter().flatten().filter(|e| e["involvedObject"]["name"] == name);
            let found = about.any(|event| event["type"] == of && event["reason"] == reason);
            holds(found, || format!("{:?}", about.map(|event| event["reason"].to_string()).collect::<Vec<_>>()))
        })
        .await;
    }
    Ok(())
}
