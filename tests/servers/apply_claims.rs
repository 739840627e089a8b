//! What the executor of `carrier apply` leaves alone: objects that appeared since the plan, and an inventory that another
//! run has claimed.

use std::sync::Arc;

use carrier::applying::{ClusterWork, Event, apply};
use carrier::names::Target;
use carrier::rendering::Manifest;
use serde_json::json;
use tokio::sync::watch;

use super::apply::{Scene, by, how, management, names, rendered, run};
use crate::support::{Case, ControlPlanes, TestResult, cases};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        what_appeared_since_the_plan_is_not_taken_over,
        of_two_runs_the_later_claim_counts,
        of_two_runs_in_several_clusters_one_writes,
        a_run_that_is_overtaken_begins_no_further_stage,
    ]
}

/// What somebody makes between the plan and the writes stays theirs.
async fn what_appeared_since_the_plan_is_not_taken_over() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let scene = Scene::new(&cluster, rendered().management);
    let plan = scene.plan(&[]).await;
    let work = scene.work(&plan, false).await;
    plane.kubectl(&["create", "namespace", "team-b"]).await?;
    plane
        .kubectl(&["create", "clusterrole", "kubecarrier:sync:eu-west-1.team-a", "--verb=get", "--resource=pods"])
        .await?;
    // Another repository may make what all of them share at the same time.
    plane.kubectl(&["create", "namespace", "kubecarrier-system"]).await?;
    let (outcome, _) = run(&[work], &how()).await;
    let theirs = names(&outcome.failed.iter().map(|failure| failure.object.clone()).collect::<Vec<_>>());
    assert_eq!(theirs, ["Namespace team-b"], "{outcome:#?}");
    let reason = &outcome.failed[0].reason;
    assert!(reason.contains("is not carrier's") && reason.contains("`--adopt namespace/team-b`"), "{reason}");
    assert!(outcome.skipped.iter().all(|(object, _)| object.namespace.as_deref() == Some("team-b")), "{outcome:#?}");
    let labels = plane.kubectl(&["get", "namespace", "team-b", "-o", "jsonpath={.metadata.labels}"]).await?;
    assert!(!labels.contains("part-of"), "{labels}");

    // The same for what another run of carrier has made meanwhile: it may be newer.
    let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-b", "labels": {"a": "b"}}});
    plane.kubectl(&["delete", "namespace", "team-b", "--wait=false"]).await?;
    plane
        .kubectl_with(&["replace", "--raw", "/api/v1/namespaces/team-b/finalize", "-f", "-"], &space.to_string())
        .await?;
    let plan = scene.plan(&[]).await;
    let work = scene.work(&plan, false).await;
    let carrier = ["apply", "--server-side", "--field-manager=carrier", "-f", "-"];
    plane.kubectl_with(&carrier, &space.to_string()).await?;
    let (outcome, _) = run(&[work], &how()).await;
    assert!(
        outcome.failed.iter().any(|f| f.reason.starts_with("another run of carrier created it after the plan")),
        "{outcome:#?}"
    );
    assert!(scene.apply(&[], &how()).await.0.is_whole(), "a new plan is for what is there now");
    Ok(())
}

/// Has a scene want another name of the first account.
fn named(scene: &mut Scene<'_>, name: &str) {
    let account = scene.wanted.iter_mut().find(|m| m.id.kind == "Account").expect("there is one");
    let mut body = (*account.body).clone();
    body["spec"]["metadata"]["displayName"] = json!(name);
    account.body = Arc::new(body);
}

/// An older commit with `--prune` does not delete what a newer one has confirmed.
async fn of_two_runs_the_later_claim_counts() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let all = rendered().management;
    assert!(Scene::new(&cluster, all.clone()).apply(&[], &how()).await.0.is_whole());
    let (gone, kept): (Vec<Manifest>, Vec<Manifest>) = all.clone().into_iter().partition(|m| m.id.kind == "Region");
    let (mut old, mut new) = (Scene::new(&cluster, kept), Scene::new(&cluster, all));
    named(&mut old, "Old");
    named(&mut new, "New");
    let is_there =
        async || plane.kubectl(&["get", "regions", "-A", "-o", "name"]).await.is_ok_and(|list| !list.is_empty());
    let last_run = async || new.parent().await.expect("it is there")["metadata"]["annotations"][RUN].clone();

    // The new one claims the inventory after the old one was planned, and has ended before that begins.
    let plan = old.plan(&gone).await;
    assert_eq!(plan.changes.len(), 2, "a value and a region");
    let late = old.work(&plan, false).await;
    assert!(new.apply(&[], &how()).await.0.is_whole());
    let writes = cluster.writes();
    let (outcome, events) = run(&[late], &how()).await;
    assert_eq!(outcome.superseded.len(), 1, "{outcome:#?}");
    assert!(!outcome.changed_anything() && outcome.skipped.len() == 2 && events.is_empty(), "{outcome:#?}");
    assert!(!outcome.is_whole() && is_there().await);
    assert_eq!(cluster.writes(), writes + 1, "the claim, which the server has refused");

    // It claims it while the old one is writing: that ends before its deletions.
    let plan = old.plan(&gone).await;
    let late = old.work(&plan, false).await;
    let kubectl = crate::support::Assets::find().as_ref().map_err(Clone::clone)?.tool("kubectl");
    let claim = |event: Event| {
        if matches!(event, Event::Applied(_)) {
            let name = ["annotate", "configmap", "-n", "kubecarrier-system", "carrier-carrier", "--overwrite"];
            let value = format!("{RUN}=the-new-one");
            let mut annotate = std::process::Command::new(&kubectl);
            annotate.args(name).arg(value).env("KUBECONFIG", plane.kubeconfig_path());
            assert!(annotate.status().expect("it runs").success());
        }
    };
    let (_stop, stopped) = watch::channel(false);
    let outcome = apply(&[late], &how(), &stopped, &claim).await;
    assert_eq!((outcome.applied.len(), outcome.deleted.len()), (1, 0), "{outcome:#?}");
    assert_eq!(outcome.superseded.len(), 1, "{outcome:#?}");
    assert!(is_there().await);
    assert_eq!(last_run().await, "the-new-one", "what is another's is not overwritten");

    // Nobody has to remove the claim of a run that was killed, or the annotation of somebody who only looked.
    let plan = old.plan(&gone).await;
    let late = old.work(&plan, true).await;
    plane.kubectl(&["annotate", "configmap", "-n", "kubecarrier-system", "carrier-carrier", "looked=at"]).await?;
    let (outcome, _) = run(&[late], &how()).await;
    assert!(outcome.is_whole() && !is_there().await, "{outcome:#?}");
    Ok(())
}

/// The work of one run in all its clusters.
async fn works<'a>(scenes: &[Scene<'a>; 2]) -> Vec<ClusterWork<'a>> {
    let mut works = Vec::new();
    for scene in scenes {
        works.push(scene.work(&scene.plan(&[]).await, false).await);
    }
    works
}

/// Of two runs that overlap, none has one cluster and none the other.
async fn of_two_runs_in_several_clusters_one_writes() -> TestResult {
    let planes = ControlPlanes::start(&["management", "eu-west-1"]).await?;
    let here = management(&planes["management"]).await;
    let there = by(planes["eu-west-1"].admin(), Target::Service("team-a/eu-west-1".parse()?)).await;
    let clusters = [&here, &there];
    let all = rendered().management;
    let scenes = |name: &str| {
        clusters.map(|cluster| {
            let mut scene = Scene::new(cluster, all.clone());
            named(&mut scene, name);
            scene
        })
    };
    let values = async || {
        let mut values = Vec::new();
        for name in ["management", "eu-west-1"] {
            let path = ["get", "account", "team-a", "-o", "jsonpath={.spec.metadata.displayName}"];
            values.push(planes[name].kubectl(&path).await?);
        }
        Ok::<_, Box<dyn std::error::Error>>(values)
    };
    let first = scenes("First");
    assert!(run(&works(&first).await, &how()).await.0.is_whole());

    // Both begin at once.
    for round in 0..5 {
        let names = [format!("One {round}"), format!("Two {round}")];
        let (one, two) = (scenes(&names[0]), scenes(&names[1]));
        let (one, two) = (works(&one).await, works(&two).await);
        let (how_one, how_two) = (how(), how());
        let ((one, _), (two, _)) = tokio::join!(run(&one, &how_one), run(&two, &how_two));
        let winner = usize::from(!one.is_whole());
        let (whole, lost) = if winner == 0 { (one, two) } else { (two, one) };
        assert!(whole.is_whole() && !lost.changed_anything(), "{whole:#?} {lost:#?}");
        assert_eq!((whole.applied.len(), lost.superseded.len()), (2, 1), "{whole:#?} {lost:#?}");
        assert_eq!(values().await?, [names[winner].clone(), names[winner].clone()]);
    }

    // The other run has the second cluster already: then the first one stays as it is, too.
    let late = scenes("Late");
    let late = works(&late).await;
    let parent = first[1].parent().await.expect("it is there");
    let (parent, claim) = (parent["metadata"]["name"].as_str().unwrap_or_default(), format!("{RUN}=the-other"));
    let annotate = ["annotate", "configmap", "-n", "kubecarrier-system", parent, "--overwrite", &claim];
    planes["eu-west-1"].kubectl(&annotate).await?;
    let before = values().await?;
    let (outcome, events) = run(&late, &how()).await;
    assert!(!outcome.changed_anything() && events.is_empty(), "{outcome:#?}");
    assert_eq!((outcome.superseded.len(), outcome.skipped.len()), (1, 2), "{outcome:#?}");
    assert_eq!(values().await?, before);
    Ok(())
}

/// Whatever the stage is in which another run claims the inventory, no other follows.
async fn a_run_that_is_overtaken_begins_no_further_stage() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let kubectl = crate::support::Assets::find().as_ref().map_err(Clone::clone)?.tool("kubectl");
    let (roles, catalog) = ("roles, bindings and service accounts applied", "catalog objects applied");
    for last in ["CRDs applied", "namespaces applied", roles, catalog] {
        let scene = Scene::new(&cluster, rendered().management);
        let plan = scene.plan(&[]).await;
        let work = scene.work(&plan, false).await;
        let stages = std::sync::Mutex::new(Vec::new());
        let listen = |event: Event| {
            let what = match event {
                Event::Stage { what, .. } => what,
                // In the last stage, before its end.
                Event::Applied(object) if last == catalog && object.kind == "Region" => "in the last stage",
                _ => return,
            };
            stages.lock().expect("whole").push(what);
            if what == last && last != catalog || what == "in the last stage" {
                let name = ["annotate", "configmap", "-n", "kubecarrier-system", "carrier-carrier", "--overwrite"];
                let mut annotate = std::process::Command::new(&kubectl);
                annotate.args(name).arg(format!("{RUN}=another")).env("KUBECONFIG", plane.kubeconfig_path());
                assert!(annotate.status().expect("it runs").success());
            }
        };
        let (_stop, stopped) = watch::channel(false);
        let outcome = apply(&[work], &how(), &stopped, &listen).await;
        let stages = stages.into_inner().expect("whole");
        assert_eq!(outcome.superseded.len(), 1, "{last}: {stages:?} {outcome:#?}");
        assert!(!outcome.is_whole(), "{outcome:#?}");
        let after =
            stages.iter().skip_while(|stage| **stage != last).skip(1).filter(|stage| **stage != "CRDs established");
        assert_eq!(after.count(), 0, "{last}: {stages:?}");
    }
    Ok(())
}

/// The annotation with the run that has claimed an inventory.
const RUN: &str = "carrier.kubecarrier.io/run";
