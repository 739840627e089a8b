//! Whose an object is: conflicts, consent, names that two services share, and what crosses beside the spec.

use std::path::Path;

use serde_json::{Value, json};

use super::basics::shows;
use super::bed::{Bed, MANAGEMENT, shared_bed, spec};
use super::objects::{Objects, annotation, condition, holds, said, uid, version, wait};
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        an_object_of_someone_else_is_a_conflict_and_untouched,
        whoever_owns_an_object_consents_to_its_adoption,
        two_services_of_one_base_crd_do_not_share_a_name,
        labels_and_annotations_cross_by_the_list,
        a_paused_instance_is_left_alone,
        a_paused_service_cluster_stops_what_is_below_it,
    ]
}

const REGION: &str = "eu-west-1";
const PAUSED: &str = "carrier.kubecarrier.io/paused";

async fn an_object_of_someone_else_is_a_conflict_and_untouched() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let name = "manual-theirs";
    let theirs =
        redis.copy.create(name, &json!({"mode": "cluster", "global": {"image": "theirs"}}), &json!({})).await?;
    redis.create(name).await?;
    let synced = redis.says(name, "False/Conflict").await;
    assert!(synced["message"].as_str().is_some_and(|text| !text.is_empty()), "{synced}");
    redis.later("later-than-theirs").await?;
    let now = redis.copy.get(name).await.ok_or("it is gone")?;
    assert_eq!(now, theirs, "it was touched");
    // Without it the way is free; and deleting the tenant's object never touches theirs.
    redis.member.delete(name).await?;
    redis.gone_in_management(name).await;
    assert_eq!(redis.copy.get(name).await.ok_or("it is gone")?, theirs, "it was touched");
    redis.create(name).await?;
    redis.says(name, "False/Conflict").await;
    redis.copy.delete(name).await?;
    redis.in_step(name).await;
    Ok(())
}

async fn whoever_owns_an_object_consents_to_its_adoption() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let name = "manual-consent";
    let more = json!({"mode": "cluster", "replicas": 9, "global": {"image": "theirs"}});
    let theirs = redis.copy.create(name, &more, &json!({})).await?;
    let made = redis.create(name).await?;
    redis.says(name, "False/Conflict").await;
    // A tenant cannot consent.
    redis.member.annotate(name, "carrier.kubecarrier.io/adopt", Some("true")).await?;
    redis.later("later-than-consent").await?;
    assert_eq!(version(&redis.copy.get(name).await.ok_or("gone")?), version(&theirs));
    redis.copy.annotate(name, "carrier.kubecarrier.io/adopt", Some("true")).await?;
    let levels = redis.in_step(name).await;
    assert_eq!(uid(&levels.copy), uid(&theirs));
    assert_eq!(annotation(&levels.copy, "carrier.kubecarrier.io/source-uid"), uid(&made));
    assert_eq!((&levels.copy["spec"]["mode"], &levels.copy["spec"]["replicas"]), (&json!("standalone"), &json!(9)));
    Ok(())
}

/// A second set over the same CRD, under another name.
fn second_set(folder: &Path) -> std::io::Result<()> {
    let text = std::fs::read_to_string(folder.join("team-a/redis.yaml"))?;
    let text = text
        .replace("  name: redis\n", "  name: cache\n")
        .replace("\n  derive:\n", "\n  derive:\n    kind: Cache\n    plural: caches\n");
    std::fs::write(folder.join("team-a/cache.yaml"), text)
}

async fn two_services_of_one_base_crd_do_not_share_a_name() -> TestResult {
    let bed = Bed::builder(&[REGION]).change(second_set).start().await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    let kind = ("eu-west-1.team-a", "v1beta1", "Cache", "caches");
    let caches = Objects::new(bed.planes[MANAGEMENT].client(), kind, "team-b");
    redis.create("shared").await?;
    let before = redis.in_step("shared").await;
    let mut other = spec();
    other["size"] = json!(1);
    caches.create("shared", &other, &json!({})).await?;
    caches.create("own", &other, &json!({})).await?;
    let says = async |name: &str, wanted: &str| -> Value {
        wait(&format!("{name} says {wanted}"), async || {
            let cache = caches.get(name).await.ok_or("gone")?;
            let synced = condition(&cache, "Synced");
            holds(said(synced) == wanted, || synced.to_string())?;
            Ok(synced.clone())
        })
        .await
    };
    let synced = says("shared", "False/Conflict").await;
    assert!(
        synced["message"].as_str().is_some_and(|text| text.contains("redis.eu-west-1.team-a")),
        "names the first: {synced}"
    );
    says("own", "True/InStep").await;
    assert_eq!(redis.in_step("shared").await.copy["spec"], before.copy["spec"]);
    // The second goes without harm to the first; and the first makes way for the second.
    caches.delete("shared").await?;
    wait("it goes", async || holds(caches.get("shared").await.is_none(), || "it is there".to_owned())).await;
    assert_eq!(redis.copy.get("shared").await.as_ref().map(uid), Some(uid(&before.copy)));
    caches.create("shared", &other, &json!({})).await?;
    says("shared", "False/Conflict").await;
    redis.member.delete("shared").await?;
    says("shared", "True/InStep").await;
    shows(&redis.copy, "shared", "/spec/size", json!(1)).await;
    Ok(())
}

fn propagating(folder: &Path) -> std::io::Result<()> {
    let file = folder.join("team-a/redis.yaml");
    let text = std::fs::read_to_string(&file)?;
    let crossing =
        "\n  propagate: {labels: [team.example.com/*, cost-centre], annotations: [example.com/contact]}\n  derive:";
    std::fs::write(file, text.replace("\n  derive:", crossing))
}

async fn labels_and_annotations_cross_by_the_list() -> TestResult {
    let bed = Bed::builder(&[REGION]).change(propagating).start().await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    let metadata = json!({
        "labels": {"team.example.com/name": "blue", "cost-centre": "7", "team.example.community": "no", "app": "no"},
        "annotations": {"example.com/contact": "blue@example.com", "example.com/other": "no",
                        "kubectl.kubernetes.io/last-applied-configuration": "{}"},
    });
    redis.member.create("labelled", &spec(), &metadata).await?;
    let levels = redis.in_step("labelled").await;
    for (level, object) in [("internal", &levels.internal), ("copy", &levels.copy)] {
        let labels = &object["metadata"]["labels"];
        assert_eq!(
            (&labels["team.example.com/name"], &labels["cost-centre"]),
            (&json!("blue"), &json!("7")),
            "{level}"
        );
        assert!(labels["app"].is_null() && labels["team.example.community"].is_null(), "{level}: {labels}");
        assert_eq!(annotation(object, "example.com/contact"), "blue@example.com", "{level}");
        assert_eq!(annotation(object, "example.com/other"), "", "{level}");
        assert_eq!(annotation(object, "kubectl.kubernetes.io/last-applied-configuration"), "", "{level}");
    }
    let change = json!({"metadata": {"labels": {"team.example.com/name": "red", "cost-centre": null}}});
    redis.member.merge("labelled", &change).await?;
    for objects in [&redis.internal, &redis.copy] {
        shows(objects, "labelled", "/metadata/labels/team.example.com~1name", json!("red")).await;
        shows(objects, "labelled", "/metadata/labels/cost-centre", Value::Null).await;
    }
    redis.in_step("labelled").await;
    Ok(())
}

async fn a_paused_instance_is_left_alone() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("paused").await?;
    redis.in_step("paused").await;
    shows(&redis.tenant, "paused", "/status/phase", json!("Running")).await;
    redis.member.annotate("paused", PAUSED, Some("true")).await?;
    redis.says("paused", "Unknown/Paused").await;
    let before = (redis.internal.get("paused").await, redis.copy.get("paused").await);
    redis.member.merge("paused", &json!({"spec": {"size": 7}})).await?;
    redis.says("paused", "Unknown/Paused").await;
    redis.later("later-than-paused").await?;
    let after = (redis.internal.get("paused").await, redis.copy.get("paused").await);
    assert_eq!(after, before, "something was written below a pause");
    redis.member.annotate("paused", PAUSED, None).await?;
    assert_eq!(redis.in_step("paused").await.copy["spec"]["size"], 7);
    // A deletion waits as well.
    redis.member.annotate("paused", PAUSED, Some("true")).await?;
    redis.says("paused", "Unknown/Paused").await;
    redis.member.delete("paused").await?;
    redis.later("later-than-paused-again").await?;
    assert!(redis.copy.get("paused").await.is_some_and(|copy| copy["metadata"]["deletionTimestamp"].is_null()));
    redis.member.annotate("paused", PAUSED, None).await?;
    redis.gone("paused").await;
    Ok(())
}

async fn a_paused_service_cluster_stops_what_is_below_it() -> TestResult {
    let bed = Bed::new(&["eu-west-1", "eu-west-2"]).await?;
    let _sync = bed.sync().await?;
    let (first, second) = (bed.service("eu-west-1").await, bed.service("eu-west-2").await);
    first.create("one").await?;
    first.in_step("one").await;
    for (what, objects, name) in [
        ("the ServiceCluster", bed.clusters(), "eu-west-1"),
        ("the Assignment", bed.assignments(), "team-b.eu-west-1"),
        ("the CatalogEntry", bed.entries(), "redis.eu-west-1"),
    ] {
        objects.annotate(name, PAUSED, Some("true")).await?;
        first.says("one", "Unknown/Paused").await;
        let before = first.copy.get("one").await;
        let size = before.as_ref().and_then(|copy| copy["spec"]["size"].as_i64()).unwrap_or_default() + 1;
        first.member.merge("one", &json!({"spec": {"size": size}})).await?;
        first.says("one", "Unknown/Paused").await;
        second.later(&format!("later-{name}")).await?;
        assert_eq!(first.copy.get("one").await, before, "{what} is paused, and the copy was written");
        objects.annotate(name, PAUSED, None).await?;
        assert_eq!(first.in_step("one").await.copy["spec"]["size"], size, "{what} goes on");
    }
    Ok(())
}
