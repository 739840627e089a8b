//! What a deletion destroys is what the plan has shown: not more, not other instances, and nothing that was not counted.

use std::collections::BTreeSet;

use carrier::names::Resource;
use carrier::planning::{Counted, CountedKind, Effect, Impact, Plan};
use carrier::rendering::Manifest;
use serde_json::json;

use super::apply::{Scene, how, management, rendered, run};
use crate::support::{Case, ControlPlane, ControlPlanes, TestResult, cases, eventually};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![more_and_other_instances_than_were_shown_are_spared, what_cannot_be_counted_stays]
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
        let reason = format!("1 instance in it is not in the plan (team-b/since-{number})");
        assert!(outcome.failed.iter().any(|f| f.reason.contains(&reason)), "{reason}: {outcome:#?}");
        assert!(outcome.deleted.is_empty(), "{outcome:#?}");
        // The number says nothing of which they are, nor do the names.
        let plan = counted(scene.plan(leaving).await, uids(plane).await, number > 0);
        plane.kubectl(&["delete", CRD, "-n", "team-b", "since"]).await?;
        plane.kubectl_with(&["create", "-f", "-"], &instance("since")).await?;
        let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
        let reason = "1 instance in it is not in the plan (team-b/since)";
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
    let kinds = vec![CountedKind { resource, uids }];
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
