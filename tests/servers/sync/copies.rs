//! What befalls the copies: hands, operators, admission and the service cluster's own CRD.

use serde_json::{Value, json};
use std::cell::Cell;

use super::basics::shows;
use super::bed::{Bed, shared_bed, spec};
use super::objects::{HAND, annotation, condition, holds, said, uid, wait};
use super::operator;
use super::repository::{BASE, VERSION, base_crd};
use crate::hostile::WORDS;
use crate::policies::Policy;
use crate::support::{Case, TestResult, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_copy_edited_by_hand_is_put_right,
        a_copy_deleted_by_hand_is_made_again,
        a_finalizer_stuck_on_the_copy_is_named,
        marks_stripped_from_the_copy_are_put_back,
        what_the_service_cluster_refuses_is_said_in_its_words,
        the_words_of_a_service_cluster_are_quoted_on_one_line,
        a_field_that_others_keep_changing_is_contested,
        admission_that_defaults_is_no_difference,
        admission_that_overwrites_is_contested,
        a_base_crd_that_is_removed_and_added_again,
        a_version_that_is_no_longer_served,
        a_status_field_that_the_internal_crd_does_not_have_is_left_out,
    ]
}

const REGION: &str = "eu-west-1";

async fn a_copy_edited_by_hand_is_put_right() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("by-hand").await?;
    redis.in_step("by-hand").await;
    // One changed, one added, one removed.
    let edit = json!({"spec": {"size": 1, "replicas": 4, "service": null}});
    redis.copy.merge("by-hand", &edit).await?;
    shows(&redis.copy, "by-hand", "/spec/size", json!(3)).await;
    shows(&redis.copy, "by-hand", "/spec/service", json!({"type": "ClusterIP"})).await;
    let copy = redis.in_step("by-hand").await.copy;
    assert_eq!(copy["spec"]["replicas"], 4, "what nobody here sets stays as others set it");
    Ok(())
}

async fn a_copy_deleted_by_hand_is_made_again() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("lost-copy").await?;
    let before = redis.in_step("lost-copy").await;
    redis.copy.delete("lost-copy").await?;
    wait("it is made again", async || {
        let copy = redis.copy.get("lost-copy").await.ok_or("not yet")?;
        holds(uid(&copy) != uid(&before.copy), || "it is the old one".to_owned())
    })
    .await;
    let after = redis.in_step("lost-copy").await;
    assert_eq!(after.copy["spec"], before.copy["spec"]);
    assert_eq!(uid(&after.tenant), uid(&before.tenant));
    Ok(())
}

async fn a_finalizer_stuck_on_the_copy_is_named() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    // The operator does not look at it: nobody removes the finalizer.
    let name = "manual-stuck";
    redis.create(name).await?;
    redis.in_step(name).await;
    redis.copy.merge(name, &json!({"metadata": {"finalizers": [operator::FINALIZER]}})).await?;
    redis.member.delete(name).await?;
    wait("the finalizer is named", async || {
        let tenant = redis.tenant.get(name).await.ok_or("it is gone")?;
        let synced = condition(&tenant, "Synced");
        let named = synced["message"].as_str().is_some_and(|text| text.contains(operator::FINALIZER));
        holds(said(synced) == "False/DeletionWaits" && named, || synced.to_string())
    })
    .await;
    assert!(redis.internal.get(name).await.is_some(), "the internal object goes after the copy");
    redis.copy.merge(name, &json!({"metadata": {"finalizers": null}})).await?;
    redis.gone(name).await;
    Ok(())
}

async fn marks_stripped_from_the_copy_are_put_back() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("copy-unmarked").await?;
    let before = redis.in_step("copy-unmarked").await;
    let strips = [
        json!({"metadata": {"labels": {"kubecarrier.io/management-cluster": null}}}),
        json!({"metadata": {"annotations": {"carrier.kubecarrier.io/source": null}}}),
        json!({"metadata": {"annotations": {"carrier.kubecarrier.io/source-uid": "another"}}}),
    ];
    for strip in strips {
        redis.copy.merge("copy-unmarked", &strip).await?;
        wait(&format!("healed: {strip}"), async || {
            let copy = redis.copy.get("copy-unmarked").await.ok_or("it is gone")?;
            let marks = |object: &Value| {
                let annotations = ["source", "source-uid"]
                    .map(|key| annotation(object, &format!("carrier.kubecarrier.io/{key}")).to_owned());
                (object["metadata"]["labels"]["kubecarrier.io/management-cluster"].clone(), annotations)
            };
            holds(marks(&copy) == marks(&before.copy), || copy["metadata"].to_string())
        })
        .await;
    }
    let after = redis.in_step("copy-unmarked").await;
    assert_eq!(uid(&after.copy), uid(&before.copy), "a second object was made");
    redis.member.delete("copy-unmarked").await?;
    redis.gone("copy-unmarked").await;
    Ok(())
}

/// Has a service cluster refuse objects of more than four servers whose names begin so.
pub(crate) async fn refuse_large(bed: &Bed, region: &str, stem: &str) -> TestResult {
    refuse_with(bed, region, stem, "'no more than four servers with ' + object.spec.priorityClassName").await
}

/// The same with words of its own, an expression.
async fn refuse_with(bed: &Bed, region: &str, stem: &str, words: &str) -> TestResult {
    let small = "!has(object.spec.size) || object.spec.size < 5";
    let expression = format!("!object.metadata.name.startsWith('{stem}') || {small}");
    let validation = json!({"expression": expression, "messageExpression": words});
    // The tests of a bed run beside each other.
    let policy =
        Policy { name: &format!("refusing-{stem}"), objects: ("redis.redis.opstreelabs.in", "redis"), validation };
    policy.enforce(&bed.planes[region]).await?;
    let redis = bed.service(region).await;
    let mut large = spec();
    large["size"] = json!(50);
    let tries = Cell::new(0);
    // A policy is in force a moment after it is made. Each try has a name of its own: one whose object is still being
    // deleted would be refused, too.
    eventually("the policy is in force", async || {
        tries.set(tries.get() + 1);
        let probe = format!("{stem}-probe-{}", tries.get());
        redis.copy.create(&probe, &large, &json!({})).await.is_err() || {
            let _ = redis.copy.delete(&probe).await;
            false
        }
    })
    .await;
    Ok(())
}

async fn what_the_service_cluster_refuses_is_said_in_its_words() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    refuse_large(&shared.bed, REGION, "refused").await?;
    let mut large = spec();
    large["size"] = json!(50);
    let member = redis.member.clone();
    member.create("refused", &large, &json!({})).await?;
    let synced = redis.says("refused", "False/Rejected").await;
    let message = synced["message"].as_str().unwrap_or_default();
    assert!(message.contains("no more than four servers"), "{message}");
    assert!(message.contains("(hidden)"), "the value of a hidden field stands there as it is: {message}");
    assert!(!message.contains('\n'));
    // An edit mends it.
    member.merge("refused", &json!({"spec": {"size": 4}})).await?;
    redis.in_step("refused").await;
    Ok(())
}

async fn the_words_of_a_service_cluster_are_quoted_on_one_line() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    refuse_with(&shared.bed, REGION, "quoted", &format!("'{WORDS}'")).await?;
    let mut large = spec();
    large["size"] = json!(50);
    redis.member.create("quoted", &large, &json!({})).await?;
    let synced = redis.says("quoted", "False/Rejected").await;
    let message = synced["message"].as_str().unwrap_or_default();
    assert!(message.contains("“") && message.contains("forged") && message.ends_with('”'), "{message}");
    let wide = shared.bed.carrier(&["get", "-o", "wide", "--allow-loopback"]).await;
    let subject = "redis.eu-west-1.team-a/quoted";
    let why = ["explain", subject, "-n", "team-b", "--context", "management", "--allow-loopback"];
    let why = shared.bed.carrier(&why).await;
    assert!(wide.text().contains("quoted") && why.text().contains("forged"), "{}", why.text());
    for text in [message, &wide.text(), &why.text()] {
        assert!(!text.contains("##[") && !text.contains('\u{202e}'), "{text}");
    }
    redis.member.merge("quoted", &json!({"spec": {"size": 4}})).await?;
    redis.in_step("quoted").await;
    Ok(())
}

async fn a_field_that_others_keep_changing_is_contested() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    redis.create("contested").await?;
    redis.in_step("contested").await;
    let copy = redis.copy.clone();
    let fight = tokio::spawn(async move {
        loop {
            let changed = json!({"spec": {"size": 1}});
            if copy.get("contested").await.is_some_and(|copy| copy["spec"]["size"] != 1) {
                let _ = copy.merge("contested", &changed).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    let synced = redis.says("contested", "False/Contested").await;
    let message = synced["message"].as_str().unwrap_or_default();
    assert!(message.contains("spec.size") && message.contains(HAND), "field and manager: {message}");
    fight.abort();
    // The tenant's next word is tried at once.
    redis.member.merge("contested", &json!({"spec": {"size": 6}})).await?;
    shows(&redis.copy, "contested", "/spec/size", json!(6)).await;
    redis.in_step("contested").await;
    Ok(())
}

/// A policy of the service cluster that changes objects.
fn mutating(name: &str, prefix: &str, expression: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
         "metadata": {"name": name},
         "spec": {"failurePolicy": "Fail", "reinvocationPolicy": "Never",
                  "matchConstraints": {"resourceRules": [{"apiGroups": ["redis.redis.opstreelabs.in"], "apiVersions": ["*"],
                                                          "operations": ["CREATE", "UPDATE"], "resources": ["redis"]}]},
                  "matchConditions": [{"name": "named", "expression": format!("object.metadata.name.startsWith('{prefix}')")}],
                  "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}]}},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
         "metadata": {"name": name}, "spec": {"policyName": name}},
    ]})
}

async fn admission_that_defaults_is_no_difference() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let plane = &shared.bed.planes[REGION];
    let policy = mutating("defaulting", "admitted", "Object{spec: Object.spec{replicas: 2}}");
    plane.kubectl_with(&["apply", "--server-side", "-f", "-"], &policy.to_string()).await?;
    eventually("the policy is in force", async || {
        let made = redis.copy.create("admitted-probe", &spec(), &json!({})).await;
        let _ = redis.copy.delete("admitted-probe").await;
        made.is_ok_and(|made| made["spec"]["replicas"] == 2)
    })
    .await;
    redis.create("admitted").await?;
    let levels = redis.in_step("admitted").await;
    assert_eq!(levels.copy["spec"]["replicas"], 2);
    redis.later("after-admitted").await?;
    let after = redis.in_step("admitted").await;
    // Only the operator's own writes moved it.
    assert_eq!(after.copy["metadata"]["generation"], levels.copy["metadata"]["generation"]);
    Ok(())
}

async fn admission_that_overwrites_is_contested() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let plane = &shared.bed.planes[REGION];
    let policy = mutating("overwriting", "overwritten", "Object{spec: Object.spec{size: 2}}");
    plane.kubectl_with(&["apply", "--server-side", "-f", "-"], &policy.to_string()).await?;
    eventually("the policy is in force", async || {
        let made = redis.copy.create("overwritten-probe", &spec(), &json!({})).await;
        let _ = redis.copy.delete("overwritten-probe").await;
        made.is_ok_and(|made| made["spec"]["size"] == 2)
    })
    .await;
    redis.create("overwritten").await?;
    let synced = redis.says("overwritten", "False/Contested").await;
    let message = synced["message"].as_str().unwrap_or_default();
    assert!(message.contains("spec.size") && message.contains("an admission webhook or policy"), "{message}");
    assert_eq!(redis.copy.get("overwritten").await.ok_or("gone")?["spec"]["mode"], "standalone", "the rest arrives");
    // What the policy wants is what the tenant wants: settled.
    redis.member.merge("overwritten", &json!({"spec": {"size": 2}})).await?;
    redis.in_step("overwritten").await;
    Ok(())
}

async fn a_base_crd_that_is_removed_and_added_again() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    for name in ["kept", "deleted"] {
        redis.create(name).await?;
        redis.in_step(name).await;
    }
    let plane = &bed.planes[REGION];
    plane.kubectl(&["delete", "crd", BASE, "--timeout=60s"]).await?;
    redis.says("kept", "False/ServiceUnavailable").await;
    redis.member.delete("deleted").await?;
    redis.create("new").await?;
    redis.says("new", "False/ServiceUnavailable").await;
    assert!(redis.internal.get("deleted").await.is_some(), "a 404 of the kind was taken for the end of the copy");
    plane.kubectl_with(&["create", "-f", "-"], &base_crd().to_string()).await?;
    plane.established(&[BASE]).await;
    redis.in_step("new").await;
    redis.in_step("kept").await;
    redis.gone("deleted").await;
    Ok(())
}

async fn a_version_that_is_no_longer_served() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    redis.create("kept").await?;
    let before = redis.in_step("kept").await;
    let mut next = base_crd();
    let mut other = next["spec"]["versions"][0].clone();
    other["name"] = json!("v1beta2");
    next["spec"]["versions"][0]["served"] = json!(false);
    other["storage"] = json!(false);
    next["spec"]["versions"] = json!([next["spec"]["versions"][0], other]);
    let plane = &bed.planes[REGION];
    let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    plane.kubectl_with(&apply, &next.to_string()).await?;
    redis.member.merge("kept", &json!({"spec": {"size": 7}})).await?;
    let synced = redis.says("kept", "False/ServiceUnavailable").await;
    assert!(synced["message"].as_str().is_some_and(|text| text.contains(VERSION)), "{synced}");
    plane.kubectl_with(&apply, &base_crd().to_string()).await?;
    let after = redis.in_step("kept").await;
    assert_eq!((uid(&after.copy), &after.copy["spec"]["size"]), (uid(&before.copy), &json!(7)));
    Ok(())
}

async fn a_status_field_that_the_internal_crd_does_not_have_is_left_out() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let mut newer = base_crd();
    newer["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["role"] =
        json!({"type": "string"});
    let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    bed.planes[REGION].kubectl_with(&apply, &newer.to_string()).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    redis.create("manual-newer").await?;
    redis.in_step("manual-newer").await;
    eventually("the new field is served", async || {
        redis
            .copy
            .set_status("manual-newer", &json!({"phase": "Running", "role": "primary"}))
            .await
            .is_ok_and(|copy| copy["status"]["role"] == "primary")
    })
    .await;
    shows(&redis.tenant, "manual-newer", "/status/phase", json!("Running")).await;
    shows(&redis.internal, "manual-newer", "/status/phase", json!("Running")).await;
    redis.in_step("manual-newer").await;
    Ok(())
}
