//! What a deletion destroys is what the plan has shown: not more, not other instances, and nothing that was not counted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use carrier::applying::{How, apply};
use carrier::kinds::DeletionPolicyConfig;
use carrier::names::{Resource, Target};
use carrier::planning::{Counted, CountedKind, Effect, Impact, Plan};
use carrier::rendering::Manifest;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::apply::{Scene, by, how, management, rendered, run};
use crate::support::{Case, ControlPlane, ControlPlanes, TestResult, cases, eventually};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        more_and_other_instances_than_were_shown_are_spared,
        what_cannot_be_counted_stays,
        instances_are_counted_again_in_a_version_that_is_served,
        a_policy_that_forbids_the_deletion_is_looked_at_again,
        a_deletion_that_has_begun_is_not_said_to_be_left_out,
        each_object_is_told_of_once,
    ]
}

/// The CRD that tenants use.
const CRD: &str = "redis.eu-west-1.team-a";

/// Takes an object out of what is wanted.
fn without(scene: &mut Scene<'_>, kind: &str, name: &str) -> Vec<Manifest> {
    let is_it = |m: &Manifest| m.id.kind == kind && m.id.name == name;
    let gone = scene.wanted.iter().filter(|m| is_it(m)).cloned().collect();
    scene.wanted.retain(|m| !is_it(m));
    gone
}

fn instance(name: &str) -> String {
    let spec = json!({"mode": "standalone", "global": {"image": "x", "password": "y"}, "redisConfig": {},
                      "service": {"type": "ClusterIP"}});
    let metadata = json!({"name": name, "namespace": "team-b"});
    json!({"apiVersion": "eu-west-1.team-a/v1beta1", "kind": "Redis", "metadata": metadata, "spec": spec}).to_string()
}

async fn more_and_other_instances_than_were_shown_are_spared() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let mut scene = Scene::new(&cluster, rendered().management);
    assert!(scene.apply(&[], &how()).await.0.is_whole());
    let gone = without(&mut scene, "CustomResourceDefinition", CRD);
    let space = without(&mut scene, "Namespace", "team-b");
    plane.kubectl_with(&["create", "-f", "-"], &instance("since")).await?;
    for (number, leaving) in [&gone, &space].into_iter().enumerate() {
        let plan = counted(scene.plan(leaving).await, uids(plane).await, number > 0);
        plane.kubectl_with(&["create", "-f", "-"], &instance(&format!("since-{number}"))).await?;
        let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
        let reason = format!("1 instance in it (team-b/since-{number}) is not in the plan");
        assert!(outcome.failed.iter().any(|f| f.reason.contains(&reason)), "{reason}: {outcome:#?}");
        assert!(outcome.deleted.is_empty(), "{outcome:#?}");
        // The number says nothing of which they are, nor do the names.
        let plan = counted(scene.plan(leaving).await, uids(plane).await, number > 0);
        plane.kubectl(&["delete", CRD, "-n", "team-b", "since"]).await?;
        plane.kubectl_with(&["create", "-f", "-"], &instance("since")).await?;
        let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
        let reason = "1 instance in it (team-b/since) is not in the plan";
        assert!(outcome.failed.iter().any(|f| f.reason.contains(reason)), "{outcome:#?}");
        assert!(outcome.deleted.is_empty(), "{outcome:#?}");
    }
    assert_eq!(uids(plane).await.len(), 3);
    Ok(())
}

/// The UIDs of the instances of team-b.
async fn uids(plane: &ControlPlane) -> BTreeSet<String> {
    let get = ["get", CRD, "-n", "team-b", "-o", "jsonpath={.items[*].metadata.uid}"];
    plane.kubectl(&get).await.expect("they are listed").split_whitespace().map(str::to_owned).collect()
}

/// The plan of one deletion, which destroys these instances of team-b: all of the kind, or those in the namespace.
fn counted(mut plan: Plan, uids: impl Into<Option<BTreeSet<String>>>, in_namespace: bool) -> Plan {
    let uids = uids.into();
    let resource = Resource::new("eu-west-1.team-a", "v1beta1", "Redis", "redis", true);
    let destroyed_count = uids.as_ref().map_or(0, BTreeSet::len);
    let unchecked = uids.is_none().then(|| "forbidden".to_owned());
    let kinds = vec![CountedKind { resource, uids, policy: None }];
    let counted = Some(Counted { kinds, namespace: in_namespace.then(|| "team-b".to_owned()) });
    let impact = Impact { instances: destroyed_count, destroyed_count, unchecked, counted, ..Impact::default() };
    (plan.changes[0].effect, plan.changes[0].impact) = (Effect::Destructive, Some(impact));
    plan
}

/// A kind that is not served may have instances all the same, and nothing that nobody has counted is destroyed.
async fn what_cannot_be_counted_stays() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let mut scene = Scene::new(&cluster, rendered().management);
    assert!(scene.apply(&[], &how()).await.0.is_whole());
    let gone = without(&mut scene, "CustomResourceDefinition", CRD);
    let shown = BTreeSet::from(["some-uid".to_owned()]);
    let serve = async |served: bool| {
        let patch = json!([{"op": "replace", "path": "/spec/versions/0/served", "value": served}]).to_string();
        let patch = ["patch", "crd", CRD, "--type=json", "-p", &patch];
        plane.kubectl(&patch).await.map(drop)
    };

    let mut plan = scene.plan(&gone).await;
    plan.changes[0].effect = Effect::Destructive;
    let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
    assert_eq!(outcome.failed.len(), 1, "{outcome:#?}");
    assert!(outcome.failed[0].reason.contains("its instances were not counted"), "{outcome:#?}");

    serve(false).await?;
    let list = "/apis/eu-west-1.team-a/v1beta1/redis";
    eventually("the kind is not served", async || plane.kubectl(&["get", "--raw", list]).await.is_err()).await;
    // As breaking, and as destructive.
    for (plan, why) in [
        (scene.plan(&gone).await, "none of its versions is served"),
        (counted(scene.plan(&gone).await, shown, false), "redis.eu-west-1.team-a cannot be counted again"),
    ] {
        let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
        assert_eq!((outcome.failed.len(), outcome.deleted.len()), (1, 0), "{outcome:#?}");
        assert!(outcome.failed[0].reason.contains(why), "{outcome:#?}");
    }
    // What the plan said that it could not count was allowed so.
    let plan = counted(scene.plan(&gone).await, None, false);
    let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
    assert_eq!((outcome.failed.len(), outcome.deleted.len()), (0, 1), "{outcome:#?}");
    Ok(())
}

/// The plan was made before the same run applied the CRD with another version.
async fn instances_are_counted_again_in_a_version_that_is_served() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let mut scene = Scene::new(&cluster, rendered().management);
    assert!(scene.apply(&[], &how()).await.0.is_whole());
    // The CRD is changed by hand here, not by the run.
    without(&mut scene, "CustomResourceDefinition", CRD);
    let space = without(&mut scene, "Namespace", "team-b");
    plane.kubectl_with(&["create", "-f", "-"], &instance("first")).await?;
    let crd: Value = serde_json::from_str(&plane.kubectl(&["get", "crd", CRD, "-o", "json"]).await?)?;
    let (mut old, mut new) = (crd["spec"]["versions"][0].clone(), crd["spec"]["versions"][0].clone());
    (old["served"], old["storage"], new["name"]) = (json!(false), json!(false), json!("v2"));
    let shown = uids(plane).await;
    let patch = json!({"spec": {"versions": [new, old]}}).to_string();
    plane.kubectl(&["patch", "crd", CRD, "--type=merge", "-p", &patch]).await?;
    let list = |version: &str| format!("/apis/eu-west-1.team-a/{version}/redis");
    eventually("v2 is served alone", async || {
        let is_served = async |version: &str| plane.kubectl(&["get", "--raw", &list(version)]).await.is_ok();
        is_served("v2").await && !is_served("v1beta1").await
    })
    .await;

    // More than were shown: the new version is not taken for one without instances.
    let second = instance("second").replace("/v1beta1", "/v2");
    plane.kubectl_with(&["create", "-f", "-"], &second).await?;
    let plan = counted(scene.plan(&space).await, shown.clone(), true);
    let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
    let reason = "1 instance in it (team-b/second) is not in the plan";
    assert!(outcome.failed.iter().any(|f| f.reason.contains(reason)), "{outcome:#?}");
    assert!(outcome.deleted.is_empty() && outcome.going.is_empty(), "{outcome:#?}");
    plane.kubectl(&["delete", CRD, "-n", "team-b", "second"]).await?;

    // One that sync holds is approved in that version, too.
    let finalizer = r#"{"metadata":{"finalizers":["carrier.kubecarrier.io/sync"]}}"#;
    plane.kubectl(&["patch", CRD, "-n", "team-b", "first", "--type=merge", "-p", finalizer]).await?;
    let plan = counted(scene.plan(&space).await, shown, true);
    let short = How { timeout: Duration::from_secs(2), ..how() };
    let (outcome, _) = run(&[scene.work(&plan, false).await], &short).await;
    assert!(outcome.failed.is_empty(), "{outcome:#?}");
    let approval = ["get", CRD, "-n", "team-b", "first", "-o", "jsonpath={.metadata.annotations}"];
    let annotations = plane.kubectl(&approval).await?;
    assert!(annotations.contains("carrier.kubecarrier.io/approved-deletion"), "{annotations}; {outcome:#?}");
    Ok(())
}

async fn a_policy_that_forbids_the_deletion_is_looked_at_again() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let mut scene = Scene::new(&cluster, rendered().management);
    assert!(scene.apply(&[], &how()).await.0.is_whole());
    plane.kubectl_with(&["create", "-f", "-"], &instance("precious")).await?;
    let annotate = |policy: &str| format!("carrier.kubecarrier.io/deletion-policy{policy}");
    plane.kubectl(&["annotate", CRD, "-n", "team-b", "precious", &annotate("=Block")]).await?;
    let mut plan = Plan::default();
    // Without the assignment the namespace in the service cluster would go.
    for (kind, name) in [("ServiceClusterAssignment", "team-b.eu-west-1"), ("CustomResourceDefinition", CRD)] {
        let gone = without(&mut scene, kind, name);
        plan = counted(scene.plan(&gone).await, uids(plane).await, kind != "CustomResourceDefinition");
        let change = &mut plan.changes[0];
        let counted = change.impact.as_mut().and_then(|impact| impact.counted.as_mut());
        counted.ok_or("it was counted")?.kinds[0].policy = Some(DeletionPolicyConfig::default());
        if kind != "CustomResourceDefinition" {
            change.effect = Effect::Breaking;
        }
        let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
        let reason = "the deletion policy of 1 instance in it (team-b/precious) is Block";
        assert!(outcome.failed.iter().any(|f| f.reason.contains(reason)), "{outcome:#?}");
        assert!(outcome.deleted.is_empty() && uids(plane).await.len() == 1, "{outcome:#?}");
    }
    plane.kubectl(&["annotate", CRD, "-n", "team-b", "precious", &annotate("-")]).await?;
    let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
    assert_eq!(outcome.deleted.len(), 1, "{outcome:#?}");
    Ok(())
}

/// An instance that sync holds, and the plan to destroy it with its CRD.
async fn held(plane: &ControlPlane, scene: &mut Scene<'_>) -> Result<Plan, Box<dyn std::error::Error>> {
    let gone = without(scene, "CustomResourceDefinition", CRD);
    plane.kubectl_with(&["create", "-f", "-"], &instance("held")).await?;
    let finalizer = r#"{"metadata":{"finalizers":["carrier.kubecarrier.io/sync"]}}"#;
    plane.kubectl(&["patch", CRD, "-n", "team-b", "held", "--type=merge", "-p", finalizer]).await?;
    Ok(counted(scene.plan(&gone).await, uids(plane).await, false))
}

/// Sync does not run, so the deletion does not end; the user stops the run when it has begun.
async fn a_deletion_that_has_begun_is_not_said_to_be_left_out() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let mut scene = Scene::new(&cluster, rendered().management);
    assert!(scene.apply(&[], &how()).await.0.is_whole());
    let plan = held(plane, &mut scene).await?;
    let works = [scene.work(&plan, false).await];
    let (stop, stopped) = watch::channel(false);
    let deleting = async {
        let get = ["get", "crd", CRD, "-o", "jsonpath={.metadata.deletionTimestamp}"];
        eventually("its deletion has begun", async || plane.kubectl(&get).await.is_ok_and(|at| !at.is_empty())).await;
        stop.send_replace(true);
    };
    let (usual, listener) = (how(), |_| ());
    let (outcome, ()) = tokio::join!(apply(&works, &usual, &stopped, &listener), deleting);
    assert!(outcome.interrupted && !outcome.is_whole(), "{outcome:#?}");
    let going: Vec<&str> = outcome.going.iter().map(|leaving| leaving.object.name.as_str()).collect();
    assert_eq!((going, outcome.skipped.len(), outcome.failed.len()), (vec![CRD], 0, 0), "{outcome:#?}");
    Ok(())
}

async fn each_object_is_told_of_once() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let mut scene = Scene::new(&cluster, rendered().management);
    assert!(scene.apply(&[], &how()).await.0.is_whole());
    let mut plan = held(plane, &mut scene).await?;
    // A permission of sync, and an object that another plan has moved.
    let is_role =
        |m: &&mut Manifest| m.id.kind == "ClusterRole" && m.id.name.starts_with("kubecarrier:sync-management");
    let role = scene.wanted.iter_mut().find(is_role).ok_or("sync has a role")?;
    let mut body = (*role.body).clone();
    body["rules"] = json!([]);
    role.body = Arc::new(body);
    let region = without(&mut scene, "Region", "eu-west-1.team-a");
    plan.changes.splice(0..0, scene.plan(&region).await.changes);
    assert_eq!(plan.changes.len(), 3);
    // Nobody but an admin may write the inventory.
    let nobody = by(&plane.impersonate("nobody", &[]).await?, Target::Management).await;
    let mut refused = scene.work(&plan, false).await;
    refused.cluster = &nobody;
    refused.parent.before = refused.parent.after.clone();
    assert!(refused.parent.before.is_some());
    let (outcome, _) = run(&[refused], &how()).await;
    let told = outcome.failed.iter().map(|f| &f.object).chain(outcome.skipped.iter().map(|(object, _)| object));
    let told: Vec<String> = told.map(|object| format!("{} {}", object.kind, object.name)).collect();
    let once: BTreeSet<&String> = told.iter().collect();
    // The inventory, and the three.
    assert_eq!((once.len(), told.len()), (4, 4), "{told:#?}");
    Ok(())
}
