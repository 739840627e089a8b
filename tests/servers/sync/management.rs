//! What befalls the management cluster: its servers go and come, its objects are restored, stripped or taken away.

use serde_json::{Value, json};

use super::basics::{FINALIZER, shows};
use super::bed::{Bed, Service, shared_bed};
use super::objects::{annotation, condition, has_finalizer, holds, said, uid, wait};
use crate::support::{Case, ControlPlanes, TestResult, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        the_management_api_server_is_restarted,
        etcd_is_restarted,
        a_watch_expires_by_compaction,
        a_restore_gives_new_uids_with_the_internal_objects,
        a_restore_gives_new_uids_without_the_internal_objects,
        a_tenant_object_that_vanishes_leaves_an_orphan_until_it_is_approved,
        marks_stripped_from_the_internal_object_are_put_back,
        a_stripped_finalizer_is_put_back,
        an_internal_object_deleted_by_hand_is_made_again,
        the_namespace_of_a_tenant_is_deleted,
        a_derived_crd_is_deleted_with_its_instances,
        a_missing_catalog_entry_deletes_nothing,
        an_installation_that_was_rendered_before_says_so,
    ]
}

/// Creates some instances and waits until they are in step.
async fn some(redis: &Service, names: &[&str]) -> TestResult {
    for name in names {
        redis.create(name).await?;
    }
    for name in names {
        redis.in_step(name).await;
    }
    Ok(())
}

/// Waits until the deletion of an instance is held.
async fn held(redis: &Service, name: &str) {
    wait(&format!("the deletion of {name} is held"), async || {
        let tenant = redis.tenant.get(name).await.ok_or("it is gone")?;
        let synced = condition(&tenant, "Synced");
        holds(said(synced) == "False/DeletionHeld", || synced.to_string())
    })
    .await;
}

async fn the_management_api_server_is_restarted() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _operator = bed.operator("eu-west-1");
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    some(&redis, &["first", "second"]).await?;
    let copies = [redis.copy.get("first").await, redis.copy.get("second").await];
    bed.management().kill();
    // The operator goes on meanwhile.
    redis.copy.merge("first", &json!({"spec": {"replicas": 2}})).await?;
    bed.management().restart().await?;
    redis.member.merge("second", &json!({"spec": {"size": 8}})).await?;
    assert_eq!(redis.in_step("second").await.copy["spec"]["size"], 8);
    some(&redis, &["third"]).await?;
    shows(&redis.tenant, "third", "/status/phase", json!("Running")).await;
    for (name, before) in ["first", "second"].into_iter().zip(&copies) {
        assert_eq!(before.as_ref().map(uid), redis.copy.get(name).await.as_ref().map(uid), "{name} was made anew");
    }
    assert_eq!(sync.stop().await, Some(0));
    Ok(())
}

async fn etcd_is_restarted() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _operator = bed.operator("eu-west-1");
    let _sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    some(&redis, &["first"]).await?;
    let before = redis.copy.get("first").await.ok_or("gone")?;
    bed.planes.etcd().process().kill();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    bed.planes.etcd().restart().await?;
    eventually("the servers answer", async || redis.member.merge("first", &json!({"spec": {"size": 9}})).await.is_ok())
        .await;
    let levels = redis.in_step("first").await;
    assert_eq!(levels.copy["spec"]["size"], 9);
    assert_eq!(uid(&levels.copy), uid(&before));
    redis.member.delete("first").await?;
    redis.gone("first").await;
    Ok(())
}

/// Without a watch cache the servers answer 410 for what etcd has forgotten.
async fn a_watch_expires_by_compaction() -> TestResult {
    let planes = ControlPlanes::builder().controllers().watch_cache(false).start(&["management", "eu-west-1"]).await?;
    let bed = Bed::builder(&["eu-west-1"]).start_over(planes).await?;
    let _operator = bed.operator("eu-west-1");
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    some(&redis, &["kept", "edited", "deleted"]).await?;
    for cluster in ["management", "eu-west-1"] {
        bed.proxy(cluster).refuse();
    }
    redis.member.merge("edited", &json!({"spec": {"size": 8}})).await?;
    redis.member.delete("deleted").await?;
    redis.copy.delete("kept").await?;
    redis.create("new").await?;
    for round in 0..5 {
        redis.copy.annotate("edited", "example.com/round", Some(&round.to_string())).await?;
    }
    bed.planes.etcd().compact().await?;
    for cluster in ["management", "eu-west-1"] {
        bed.proxy(cluster).pass();
    }
    redis.gone("deleted").await;
    assert_eq!(redis.in_step("edited").await.copy["spec"]["size"], 8);
    redis.in_step("new").await;
    wait("the copy is made again", async || {
        let copy = redis.copy.get("kept").await.ok_or("not yet")?;
        holds(copy["metadata"]["deletionTimestamp"].is_null(), || "it is being deleted".to_owned())
    })
    .await;
    redis.in_step("kept").await;
    assert_eq!(sync.stop().await, Some(0));
    Ok(())
}

/// Removes a tenant object without a trace and creates it again, as a restore of the management cluster does.
async fn restore(redis: &Service, name: &str, internal_too: bool) -> TestResult {
    let tenant = redis.tenant.get(name).await.ok_or("gone")?;
    let internal = redis.internal.get(name).await.ok_or("gone")?;
    redis.tenant.vanish(name).await?;
    redis.internal.vanish(name).await?;
    let plain = |object: &Value| {
        json!({"labels": object["metadata"]["labels"], "annotations": object["metadata"]["annotations"],
                                        "finalizers": object["metadata"]["finalizers"]})
    };
    if internal_too {
        redis.internal.create(name, &internal["spec"], &plain(&internal)).await?;
    }
    redis.tenant.create(name, &tenant["spec"], &plain(&tenant)).await?;
    Ok(())
}

async fn a_restore_gives_new_uids_with_the_internal_objects() -> TestResult {
    restored(true).await
}

async fn a_restore_gives_new_uids_without_the_internal_objects() -> TestResult {
    restored(false).await
}

async fn restored(internal_too: bool) -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _operator = bed.operator("eu-west-1");
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    let names = ["one", "two", "three"];
    some(&redis, &names).await?;
    let mut before = Vec::new();
    for name in names {
        before.push(redis.in_step(name).await);
    }
    sync.stop().await;
    for name in names {
        restore(&redis, name, internal_too).await?;
    }
    sync.again()?;
    sync.ready().await?;
    for (name, before) in names.into_iter().zip(&before) {
        let mut after = redis.in_step(name).await;
        wait(&format!("{name} is taken up again"), async || {
            let copy = redis.copy.get(name).await.ok_or("the copy is gone")?;
            let tenant = redis.tenant.get(name).await.ok_or("gone")?;
            holds(annotation(&copy, "carrier.kubecarrier.io/source-uid") == uid(&tenant), || {
                copy["metadata"].to_string()
            })
        })
        .await;
        after.copy = redis.copy.get(name).await.ok_or("gone")?;
        assert_ne!(uid(&after.tenant), uid(&before.tenant));
        assert_eq!(uid(&after.copy), uid(&before.copy), "{name}: the workload was made anew");
        assert_eq!(after.copy["spec"], before.copy["spec"]);
        shows(&redis.tenant, name, "/status/phase", json!("Running")).await;
    }
    redis.member.delete("one").await?;
    redis.gone("one").await;
    Ok(())
}

async fn a_tenant_object_that_vanishes_leaves_an_orphan_until_it_is_approved() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    some(&redis, &["lost", "kept"]).await?;
    sync.stop().await;
    redis.tenant.vanish("lost").await?;
    sync.again()?;
    sync.ready().await?;
    some(&redis, &["later"]).await?;
    wait("it is reported", async || {
        let metrics = sync.metrics().await;
        holds(metrics.sum("carrier_objects", &["state=\"orphan\""]) > 0.5, || format!("{metrics:?}"))
    })
    .await;
    wait("an event says so on the Assignment", async || {
        let events = bed.management().kubectl(&["get", "events", "-n", "team-a", "-o", "json"]).await;
        let events = events.map_err(|error| error.to_string())?;
        holds(events.contains("team-b.eu-west-1") && events.contains("lost"), || events.clone())
    })
    .await;
    assert!(redis.copy.get("lost").await.is_some(), "what only looked absent was deleted");
    // Whoever creates it again has it back.
    redis.create("lost").await?;
    redis.in_step("lost").await;
    Ok(())
}

async fn marks_stripped_from_the_internal_object_are_put_back() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service("eu-west-1").await;
    some(&redis, &["unmarked"]).await?;
    let before = redis.in_step("unmarked").await;
    let strip = json!({"metadata": {"labels": {"kubecarrier.io/management-cluster": null},
                       "annotations": {"carrier.kubecarrier.io/source": null, "carrier.kubecarrier.io/source-uid": null}}});
    redis.internal.merge("unmarked", &strip).await?;
    wait("the marks are back", async || {
        let internal = redis.internal.get("unmarked").await.ok_or("it is gone")?;
        holds(
            internal["metadata"]["labels"] == before.internal["metadata"]["labels"]
                && annotation(&internal, "carrier.kubecarrier.io/source-uid") == uid(&before.tenant),
            || internal["metadata"].to_string(),
        )
    })
    .await;
    let after = redis.in_step("unmarked").await;
    assert_eq!((uid(&after.internal), uid(&after.copy)), (uid(&before.internal), uid(&before.copy)));
    Ok(())
}

async fn a_stripped_finalizer_is_put_back() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service("eu-west-1").await;
    some(&redis, &["unfinal"]).await?;
    redis.member.merge("unfinal", &json!({"metadata": {"finalizers": null}})).await?;
    wait("it is back", async || {
        let tenant = redis.tenant.get("unfinal").await.ok_or("it is gone")?;
        holds(has_finalizer(&tenant, FINALIZER), || tenant["metadata"].to_string())
    })
    .await;
    redis.member.delete("unfinal").await?;
    redis.gone("unfinal").await;
    Ok(())
}

async fn an_internal_object_deleted_by_hand_is_made_again() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service("eu-west-1").await;
    some(&redis, &["halved"]).await?;
    let before = redis.in_step("halved").await;
    redis.internal.delete("halved").await?;
    wait("it is made again", async || {
        let internal = redis.internal.get("halved").await.ok_or("not yet")?;
        holds(uid(&internal) != uid(&before.internal), || "it is the old one".to_owned())
    })
    .await;
    let after = redis.in_step("halved").await;
    assert_eq!(uid(&after.copy), uid(&before.copy), "the workload was made anew");
    assert_eq!(after.internal["spec"], before.internal["spec"]);
    Ok(())
}

async fn the_namespace_of_a_tenant_is_deleted() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _sync = bed.sync().await?;
    let (redis, other) = (bed.service_of("team-c", "eu-west-1").await, bed.service("eu-west-1").await);
    some(&redis, &["one", "two"]).await?;
    some(&other, &["other"]).await?;
    let copies = [redis.copy.get("one").await, redis.copy.get("two").await];
    bed.management().kubectl(&["delete", "namespace", "team-c", "--wait=false"]).await?;
    // Nobody asked for the workloads to go: held at once, however few there are.
    for name in ["one", "two"] {
        held(&redis, name).await;
    }
    some(&other, &["later"]).await?;
    for (name, before) in ["one", "two"].into_iter().zip(&copies) {
        let copy = redis.copy.get(name).await.ok_or("the copy is gone")?;
        assert_eq!(Some(uid(&copy)), before.as_ref().map(uid));
        assert!(copy["metadata"]["deletionTimestamp"].is_null());
    }
    bed.approved("team-a/eu-west-1/redis", "team-c").await;
    bed.management().kubectl(&["wait", "--for=delete", "namespace/team-c", "--timeout=120s"]).await?;
    for name in ["one", "two"] {
        wait(&format!("the copy of {name} is gone"), async || {
            holds(redis.copy.get(name).await.is_none(), || "it is there".to_owned())
        })
        .await;
    }
    assert!(other.copy.get("other").await.is_some());
    Ok(())
}

async fn a_derived_crd_is_deleted_with_its_instances() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    some(&redis, &["one", "two"]).await?;
    let before = [redis.copy.get("one").await, redis.copy.get("two").await];
    bed.management().kubectl(&["delete", "crd", "redis.eu-west-1.team-a", "--wait=false"]).await?;
    for name in ["one", "two"] {
        held(&redis, name).await;
    }
    let metrics = sync.metrics().await;
    assert!(metrics.sum("carrier_deletions_held", &[]) >= 2.0, "{metrics:?}");
    // Its instances are lost, as nothing can stop the server; the workloads are not.
    sync.stop().await;
    for name in ["one", "two"] {
        redis.tenant.merge(name, &json!({"metadata": {"finalizers": null}})).await?;
    }
    bed.management().kubectl(&["wait", "--for=delete", "crd/redis.eu-west-1.team-a", "--timeout=120s"]).await?;
    bed.applied().await;
    sync.again()?;
    sync.ready().await?;
    for (name, before) in ["one", "two"].into_iter().zip(&before) {
        assert_eq!(redis.copy.get(name).await.as_ref().map(uid), before.as_ref().map(uid));
        eventually("it can be created again", async || redis.create(name).await.is_ok()).await;
        let after = redis.in_step(name).await;
        assert_eq!(Some(uid(&after.copy)), before.as_ref().map(uid), "the workload was made anew");
    }
    Ok(())
}

async fn a_missing_catalog_entry_deletes_nothing() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    some(&redis, &["kept", "deleted"]).await?;
    bed.entries().delete("redis.eu-west-1").await?;
    redis.member.delete("deleted").await?;
    held(&redis, "deleted").await;
    assert!(redis.copy.get("kept").await.is_some_and(|copy| copy["metadata"]["deletionTimestamp"].is_null()));
    assert!(redis.copy.get("deleted").await.is_some_and(|copy| copy["metadata"]["deletionTimestamp"].is_null()));
    // The cause is gone: it goes on by itself.
    bed.applied().await;
    redis.gone("deleted").await;
    redis.in_step("kept").await;
    Ok(())
}

async fn an_installation_that_was_rendered_before_says_so() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    some(&redis, &["kept"]).await?;
    let before = redis.copy.get("kept").await.ok_or("gone")?;
    let entry = async |wanted: &str| {
        wait(&format!("the CatalogEntry says {wanted}"), async || {
            let entry = bed.entries().get("redis.eu-west-1").await.ok_or("gone")?;
            holds(said(condition(&entry, "Synced")) == wanted, || entry["status"].to_string())
        })
        .await;
    };
    let crd = "redis.internal.eu-west-1.team-a";
    bed.management().kubectl(&["annotate", "crd", crd, "carrier.kubecarrier.io/base-crd-"]).await?;
    entry("False/RenderAgain").await;
    redis.member.merge("kept", &json!({"spec": {"size": 7}})).await?;
    redis.create("new").await?;
    assert_eq!(redis.copy.get("kept").await.as_ref(), Some(&before));
    // It is known after a restart too.
    sync.stop().await;
    sync.again()?;
    sync.ready().await?;
    bed.applied().await;
    entry("True/InStep").await;
    redis.in_step("new").await;
    assert_eq!(redis.in_step("kept").await.copy["spec"]["size"], 7);
    Ok(())
}
