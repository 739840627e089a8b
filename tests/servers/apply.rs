//! The executor of `carrier apply` on real control planes: what it writes, in which
//! order, what it says of what cannot be written, and that it waits without asking.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use carrier::applying::{ClusterWork, Event, How, Outcome, apply};
use carrier::clusters::{ApiRequest, Cluster, Limits, Selection};
use carrier::clusters::{FileSource, from_files};
use carrier::compiler::compile;
use carrier::compiler::load;
use carrier::locking::snapshots;
use carrier::names::Resource;
use carrier::names::Stage;
use carrier::names::{ClusterId, Target};
use carrier::planning::LiveObject;
use carrier::planning::{Action, Change, Effect, LiveVersion, ObjectRef, Plan};
use carrier::planning::{Comparison, compare};
use carrier::planning::{Inventory, inventory};
use carrier::rendering::{Manifest, ManifestSet};
use carrier::repository::{ReadOptions, read_repository};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::support::{Access, Case, ControlPlane, ControlPlanes, TestResult, cases};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        an_empty_server_gets_everything_in_one_go,
        fields_of_others_are_reported_and_not_taken,
        what_has_moved_is_not_deleted,
        what_came_since_the_plan_is_spared,
        a_status_that_was_written_meanwhile_stops_nothing,
        a_crd_whose_names_are_taken_holds_up_only_what_needs_it,
        a_wait_outlives_its_connection,
        a_cluster_that_goes_away_leaves_a_partial_result,
        what_is_stopped_can_be_taken_up,
        a_dry_run_by_the_server_writes_nothing,
    ]
}

pub(crate) fn rendered() -> ManifestSet {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog-examples/redis");
    let (sources, _) = read_repository(&root, &ReadOptions::default()).expect("the example is there");
    let (loaded, _) = load(&sources);
    let (locked, _) = snapshots::read(&sources, &loaded.config);
    compile(&loaded, &locked.discovered).render()
}

pub(crate) async fn by(access: &Access, target: Target) -> Cluster {
    let source = FileSource { paths: vec![access.kubeconfig_path().to_owned()], ..FileSource::default() };
    let way = from_files(&source).await.expect("the harness writes good kubeconfigs");
    let limits = Limits { deadline: Duration::from_secs(10), ..Limits::default() };
    Cluster::new(target, way, limits).expect("and good certificates")
}

pub(crate) async fn management(plane: &ControlPlane) -> Cluster {
    by(plane.admin(), Target::Management).await
}

pub(crate) fn how() -> How {
    How { dry_run: false, timeout: Duration::from_mins(1), wait: true, no_deletions: None }
}

/// One cluster, what it shall have and whose that is.
pub(crate) struct Scene<'a> {
    cluster: &'a Cluster,
    inventory: Inventory,
    pub wanted: Vec<Manifest>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(cluster: &'a Cluster, wanted: Vec<Manifest>) -> Self {
        let inventory = inventory::of(&cluster.target, "carrier", None);
        Self { cluster, inventory, wanted }
    }

    async fn get(&self, resource: &Resource, namespace: Option<&str>, name: &str) -> Option<Value> {
        match self.cluster.call(&ApiRequest::object(resource, namespace, name)).await {
            Ok(object) => Some(object),
            Err(error) if error.is_absent() => None,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn parent(&self) -> Option<Value> {
        let maps = Resource::new("", "v1", "ConfigMap", "configmaps", true);
        self.get(&maps, Some(&self.inventory.namespace), &self.inventory.name).await
    }

    /// A plan by one GET an object: slow, and without a word on effects.
    pub(crate) async fn plan(&self, gone: &[Manifest]) -> Plan {
        let mut plan = Plan::default();
        for (manifest, wanted) in self.wanted.iter().map(|m| (m, true)).chain(gone.iter().map(|m| (m, false))) {
            let id = &manifest.id;
            let resource = Resource::of(id).expect("a rendered kind");
            let body = self.get(resource, id.namespace.as_deref(), &id.name).await;
            let live = body.map(|body| LiveObject { body });
            let action = match (compare(&self.inventory.label(&manifest.body), live.as_ref()), wanted) {
                (Comparison::Absent, true) => Action::Create,
                (Comparison::Differs, true) => Action::Update,
                (Comparison::Same, true) | (Comparison::Absent, false) => continue,
                (_, false) => Action::Delete,
            };
            plan.changes.push(Change {
                object: ObjectRef {
                    cluster: self.cluster.target.to_string(),
                    api_version: id.api_version.clone(),
                    kind: id.kind.clone(),
                    namespace: id.namespace.clone(),
                    name: id.name.clone(),
                },
                action,
                effect: Effect::Safe,
                reasons: Vec::new(),
                stage: manifest.stage.name().to_owned(),
                source: None,
                causes: Vec::new(),
                fields: Vec::new(),
                access: Vec::new(),
                impact: None,
                conflicts: Vec::new(),
                takes_over: Vec::new(),
                refused: None,
                untried: false,
                live: live.as_ref().and_then(LiveVersion::of),
                migration: None,
                taken_from: None,
                digest: None,
            });
        }
        plan
    }

    pub(crate) async fn work(&self, plan: &Plan, force: bool) -> ClusterWork<'a> {
        let parent = self.parent().await;
        self.work_after(plan, parent.as_ref(), force)
    }

    /// The work of a plan that was made when the inventory was so. Every work is a run of its own.
    pub(crate) fn work_after(&self, plan: &Plan, parent: Option<&Value>, force: bool) -> ClusterWork<'a> {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        let run = format!("run-{}", RUNS.fetch_add(1, Ordering::Relaxed));
        ClusterWork::of(plan, self.cluster, &self.inventory, &self.wanted, (parent, &run), |_| force)
            .expect("the plan is of this repository")
    }

    /// Plans and applies.
    pub(crate) async fn apply(&self, gone: &[Manifest], how: &How) -> (Outcome, Vec<Event>) {
        let plan = self.plan(gone).await;
        let work = self.work(&plan, false).await;
        run(&[work], how).await
    }
}

pub(crate) async fn run(works: &[ClusterWork<'_>], how: &How) -> (Outcome, Vec<Event>) {
    let (tell, mut told) = mpsc::unbounded_channel();
    let (_stop, stopped) = watch::channel(false);
    let outcome = apply(works, how, &stopped, &|event| drop(tell.send(event))).await;
    drop(tell);
    let mut events = Vec::new();
    while let Some(event) = told.recv().await {
        events.push(event);
    }
    (outcome, events)
}

pub(crate) fn names(list: &[ObjectRef]) -> Vec<String> {
    list.iter().map(|o| format!("{} {}", o.kind, o.name)).collect()
}

/// CRDs, and objects of their kinds, and all that is between, in one run; and none in the next.
async fn an_empty_server_gets_everything_in_one_go() -> TestResult {
    let planes = ControlPlanes::start(&["management", "eu-west-1"]).await?;
    let cluster = management(&planes["management"]).await;
    let id = ClusterId::new("team-a", "eu-west-1");
    let service = by(planes["eu-west-1"].admin(), Target::Service(id.clone())).await;
    let ManifestSet { management: wanted, mut clusters } = rendered();
    let there = clusters.remove(&id).expect("the example has it");
    let (hub, region) = (Scene::new(&cluster, wanted), Scene::new(&service, there));
    let (hub_plan, region_plan) = (hub.plan(&[]).await, region.plan(&[]).await);
    let works = [hub.work(&hub_plan, false).await, region.work(&region_plan, false).await];
    let (calls, begun) = (cluster.calls() + service.calls(), std::time::Instant::now());
    let (outcome, events) = run(&works, &how()).await;
    let calls = cluster.calls() + service.calls() - calls;
    eprintln!("{} objects in {calls} requests, {:?}", outcome.applied.len(), begun.elapsed());
    assert!(outcome.is_whole(), "{outcome:#?}");
    assert_eq!(outcome.applied.len(), hub.wanted.len() + region.wanted.len());
    let stages: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Stage { cluster, what, done, of, .. } if cluster == "management" => {
                Some(format!("{done}/{of} {what}"))
            }
            _ => None,
        })
        .collect();
    let rest = ["namespaces applied", "roles, bindings and service accounts applied", "catalog objects applied"];
    assert_eq!(
        stages.iter().map(|s| s.split_once(' ').unwrap().1).collect::<Vec<_>>(),
        [&["CRDs applied", "CRDs established"][..], &rest].concat()
    );
    // Applied, waited for, and no request for the waiting but one list and one watch; the parent took
    // three: it is written, its namespace is not there, it is written again. The claim is looked at again before each
    // stage but the first.
    assert!(calls <= u64::try_from(outcome.applied.len())? + 2 + 3 + 3 + 4 + 4, "{calls} requests");

    let writes = (cluster.writes(), service.writes());
    for scene in [&hub, &region] {
        let (outcome, events) = scene.apply(&[], &how()).await;
        assert_eq!((outcome, events), (Outcome::default(), Vec::new()));
    }
    assert_eq!((cluster.writes(), service.writes()), writes, "applied again without a write");

    // kubectl sees whose it is.
    let plane = &planes["management"];
    let label = format!("applyset.kubernetes.io/part-of={}", hub.inventory.id);
    let members = plane.kubectl(&["get", "crds,namespaces", "-o", "name", "-l", &label]).await?;
    // The CRDs of the KubeCarrier kinds are everybody's.
    assert_eq!(members.lines().count(), 4, "{members}");
    let parent = hub.parent().await.expect("the parent is there");
    let kinds = &parent["metadata"]["annotations"]["applyset.kubernetes.io/contains-group-kinds"];
    assert!(kinds.as_str().is_some_and(|k| k.contains("Offering.catalog.kubecarrier.io")), "{kinds}");
    Ok(())
}

async fn fields_of_others_are_reported_and_not_taken() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let scene = Scene::new(&cluster, rendered().management);
    assert!(scene.apply(&[], &how()).await.0.is_whole());
    plane
        .kubectl(&["label", "crd", "redis.eu-west-1.team-a", "kubecarrier.io/service-cluster=mine", "--overwrite"])
        .await?;
    plane
        .kubectl(&[
            "patch",
            "account",
            "team-b",
            "--type=merge",
            "--field-manager=hand",
            "-p",
            r#"{"spec":{"metadata":{"displayName":"Mine"}}}"#,
        ])
        .await?;
    let (outcome, _) = scene.apply(&[], &how()).await;
    assert_eq!(outcome.failed.len(), 2, "{outcome:#?}");
    let conflicts: Vec<String> = outcome
        .failed
        .iter()
        .flat_map(|f| f.conflicts.iter().map(move |c| format!("{}: {} owns {}", f.object.name, c.manager, c.field)))
        .collect();
    assert_eq!(
        conflicts,
        [
            "redis.eu-west-1.team-a: kubectl-label owns .metadata.labels.kubecarrier.io/service-cluster",
            "team-b: hand owns .spec.metadata.displayName",
        ]
    );
    assert!(outcome.failed.iter().all(|failure| !failure.cluster), "{outcome:#?}");

    // Allowed, they are.
    let plan = scene.plan(&[]).await;
    let work = scene.work(&plan, true).await;
    let (outcome, _) = run(&[work], &how()).await;
    assert!(outcome.is_whole() && outcome.applied.len() == 2, "{outcome:#?}");
    assert!(scene.plan(&[]).await.changes.is_empty());
    Ok(())
}

async fn what_has_moved_is_not_deleted() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let all = rendered().management;
    assert!(Scene::new(&cluster, all.clone()).apply(&[], &how()).await.0.is_whole());
    let (gone, kept): (Vec<Manifest>, Vec<Manifest>) =
        all.into_iter().partition(|m| m.id.kind == "Region" || m.id.kind == "Provider");
    let scene = Scene::new(&cluster, kept);
    let plan = scene.plan(&gone).await;
    assert_eq!(plan.changes.len(), 2);
    let work = scene.work(&plan, false).await;
    assert!(work.parent.before.is_some() && work.parent.after.is_some(), "two kinds fewer: {:?}", work.parent);

    // Nothing is deleted while something failed, or when it is said from the outset.
    let told = How { no_deletions: Some("a cluster does not answer".to_owned()), ..how() };
    let (outcome, _) = run(std::slice::from_ref(&work), &told).await;
    assert_eq!((outcome.deleted.len(), outcome.skipped.len()), (0, 2));
    assert_eq!(outcome.skipped[0].1, "a cluster does not answer");

    // One of them moves after it was looked at.
    plane.kubectl(&["annotate", "region", "-n", "team-b", "--all", "a=b"]).await?;
    let (outcome, _) = run(std::slice::from_ref(&work), &how()).await;
    assert_eq!(names(&outcome.deleted), ["Provider team-a"], "{outcome:#?}");
    assert_eq!(outcome.failed.len(), 1);
    assert!(outcome.failed[0].reason.contains("has changed since"), "{outcome:#?}");
    let kinds = |parent: &Value| parent["metadata"]["annotations"].to_string();
    assert!(kinds(&scene.parent().await.unwrap()).contains("Region.catalog"), "it is still to be found");

    let (outcome, _) = scene.apply(&gone, &how()).await;
    assert!(outcome.is_whole() && outcome.deleted.len() == 1, "{outcome:#?}");
    assert!(!kinds(&scene.parent().await.unwrap()).contains("Region.catalog"));
    // Gone is gone, however often it is deleted.
    let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
    assert!(outcome.is_whole() && outcome.deleted.len() == 2, "{outcome:#?}");
    Ok(())
}

/// Between the plan and the writes somebody creates an instance, edits an object, and holds a namespace.
async fn what_came_since_the_plan_is_spared() -> TestResult {
    let planes = ControlPlanes::start(&["management", "eu-west-1"]).await?;
    let cluster = management(&planes["management"]).await;
    let id = ClusterId::new("team-a", "eu-west-1");
    let service = by(planes["eu-west-1"].admin(), Target::Service(id.clone())).await;
    let ManifestSet { management: wanted, mut clusters } = rendered();
    let (mut hub, mut region) =
        (Scene::new(&cluster, wanted), Scene::new(&service, clusters.remove(&id).expect("the example has it")));
    let (hub_plan, region_plan) = (hub.plan(&[]).await, region.plan(&[]).await);
    let works = [hub.work(&hub_plan, false).await, region.work(&region_plan, false).await];
    assert!(run(&works, &how()).await.0.is_whole());

    // An update is for what was seen.
    let plane = &planes["management"];
    let offering = hub.wanted.iter().position(|m| m.id.kind == "Offering").expect("there is one");
    let old = hub.wanted[offering].clone();
    let mut body = (*old.body).clone();
    body["spec"]["metadata"]["displayName"] = json!("Other");
    hub.wanted[offering].body = Arc::new(body);
    let plan = hub.plan(&[]).await;
    assert_eq!(plan.changes.len(), 1);
    plane.kubectl(&["label", "offering", "-n", "team-b", &old.id.name, "since=then"]).await?;
    let (outcome, _) = run(&[hub.work(&plan, false).await], &how()).await;
    assert_eq!(outcome.failed.len(), 1, "{outcome:#?}");
    assert!(outcome.failed[0].reason.contains("has changed since"), "{outcome:#?}");
    assert!(hub.apply(&[], &how()).await.0.is_whole(), "a new plan is for what is there now");

    // A CRD that had no instances is not deleted with one; and then nothing goes in the service cluster.
    let is_crd = |m: &Manifest| m.id.kind == "CustomResourceDefinition" && m.id.name == "redis.eu-west-1.team-a";
    let gone: Vec<Manifest> = hub.wanted.iter().filter(|m| is_crd(m)).cloned().collect();
    hub.wanted.retain(|m| !is_crd(m));
    let namespaces: Vec<Manifest> =
        region.wanted.iter().filter(|m| m.id.name.starts_with("team-b-")).cloned().collect();
    region.wanted.retain(|m| !m.id.name.starts_with("team-b-"));
    assert_eq!((gone.len(), namespaces.len()), (1, 1));
    let (hub_plan, region_plan) = (hub.plan(&gone).await, region.plan(&namespaces).await);
    let instance = json!({
        "apiVersion": "eu-west-1.team-a/v1beta1", "kind": "Redis", "metadata": {"name": "since", "namespace": "team-b"},
        "spec": {"mode": "standalone", "global": {"image": "x", "password": "y"}, "redisConfig": {}, "service": {"type": "ClusterIP"}},
    });
    plane.kubectl_with(&["create", "-f", "-"], &instance.to_string()).await?;
    let works = [hub.work(&hub_plan, false).await, region.work(&region_plan, false).await];
    let (outcome, _) = run(&works, &how()).await;
    assert!(outcome.failed.iter().any(|f| f.reason.contains("has instances now")), "{outcome:#?}");
    assert!(outcome.deleted.is_empty(), "{outcome:#?}");
    plane.kubectl(&["get", "redis.eu-west-1.team-a", "-n", "team-b", "since"]).await?;
    planes["eu-west-1"].kubectl(&["get", "namespace", &namespaces[0].id.name]).await?;
    Ok(())
}

/// Sync writes statuses all the time.
async fn a_status_that_was_written_meanwhile_stops_nothing() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let mut scene = Scene::new(&cluster, rendered().management);
    assert!(scene.apply(&[], &how()).await.0.is_whole());
    let (gone, kept): (Vec<Manifest>, Vec<Manifest>) = scene
        .wanted
        .into_iter()
        .partition(|m| ["CatalogEntry", "ServiceClusterAssignment"].contains(&m.id.kind.as_str()));
    scene.wanted = kept;
    let region = scene.wanted.iter_mut().find(|m| m.id.kind == "ServiceCluster").ok_or("there is one")?;
    let mut body = (*region.body).clone();
    body["spec"]["metadata"]["displayName"] = json!("Other");
    region.body = Arc::new(body);
    let plan = scene.plan(&gone).await;
    assert_eq!(plan.changes.len(), 3);
    for change in &plan.changes {
        let (kind, name) = (change.object.kind.to_lowercase(), &change.object.name);
        let status = r#"{"status":{"observedGeneration":7}}"#;
        let patch = ["patch", &kind, "-n", "team-a", name, "--subresource=status", "--type=merge", "-p", status];
        plane.kubectl(&patch).await?;
    }
    let (outcome, _) = run(&[scene.work(&plan, false).await], &how()).await;
    assert!(outcome.is_whole(), "{outcome:#?}");
    assert_eq!((outcome.applied.len(), outcome.deleted.len()), (1, 2), "{outcome:#?}");
    Ok(())
}

async fn a_crd_whose_names_are_taken_holds_up_only_what_needs_it() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let cluster = management(plane).await;
    let other = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "other.catalog.kubecarrier.io"},
        "spec": {"group": "catalog.kubecarrier.io", "scope": "Namespaced",
            "names": {"plural": "other", "kind": "Offering", "listKind": "OfferingList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]},
    });
    plane.kubectl_with(&["create", "-f", "-"], &other.to_string()).await?;
    plane.established(&["other.catalog.kubecarrier.io"]).await;
    let scene = Scene::new(&cluster, rendered().management);
    for run in ["first", "second"] {
        let begun = std::time::Instant::now();
        let (outcome, _) = scene.apply(&[], &how()).await;
        let not_ready: Vec<String> = outcome.not_ready.iter().map(|(o, why)| format!("{}: {why}", o.name)).collect();
        assert_eq!(not_ready.len(), 1, "{run}: {outcome:#?}");
        let reason = "offerings.catalog.kubecarrier.io: its names are taken: “\"Offering";
        assert!(not_ready[0].starts_with(reason), "{not_ready:?}");
        let skipped: Vec<&str> = outcome.skipped.iter().map(|(o, _)| o.kind.as_str()).collect();
        assert_eq!(skipped, ["Offering"], "{run}: {outcome:#?}");
        assert!(outcome.failed.is_empty(), "{outcome:#?}");
        assert!(begun.elapsed() < Duration::from_secs(40), "it is known at once, not after the timeout");
    }
    // The other goes, and the next run brings the rest.
    plane.kubectl(&["delete", "crd", "other.catalog.kubecarrier.io"]).await?;
    let (outcome, _) = scene.apply(&[], &how()).await;
    assert!(outcome.is_whole(), "{outcome:#?}");
    Ok(())
}

async fn a_wait_outlives_its_connection() -> TestResult {
    use carrier::clusters::{Verdict, Wait, established};
    let planes = ControlPlanes::builder().watch_cache(false).start(&["management"]).await?;
    let plane = &planes["management"];
    let proxy = plane.proxy().await?;
    let cluster = by(&plane.admin().by_port(proxy.port()).await?, Target::Management).await;
    let crd = |n: usize| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("as{n}.b.c"), "labels": {"x": "y"}},
            "spec": {"group": "b.c", "scope": "Namespaced", "names": {"plural": format!("as{n}"), "kind": format!("A{n}")},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]},
        })
        .to_string()
    };
    let since =
        plane.kubectl(&["get", "--raw", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?limit=1"]).await?;
    let since: Value = serde_json::from_str(&since)?;
    let since = since["metadata"]["resourceVersion"].as_str().map(str::to_owned);
    // Without a watch cache the server's own controllers lose their watches too, and pause up to half a minute.
    let until = tokio::time::Instant::now() + Duration::from_mins(3);
    let names: BTreeSet<String> = (0..3).map(|n| format!("as{n}.b.c")).collect();
    let selection = Selection::all(Resource::crds()).labels("x=y");
    let calls = cluster.calls();
    let waiting = established(&cluster, Wait { selection: selection.clone(), names, since, until });
    let hurting = async {
        for n in 0..3 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            plane.kubectl_with(&["create", "-f", "-"], &crd(n)).await?;
            match n {
                0 => proxy.cut(),
                // The version to go on from is no more.
                1 => {
                    proxy.refuse();
                    plane.kubectl(&["create", "namespace", "moves-on"]).await?;
                    planes.etcd().compact().await?;
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    proxy.pass();
                }
                _ => {}
            }
        }
        TestResult::Ok(())
    };
    let begun = std::time::Instant::now();
    let (verdicts, hurt) = tokio::join!(waiting, hurting);
    hurt?;
    assert!(verdicts.len() == 3 && verdicts.values().all(|v| *v == Verdict::Ready), "{verdicts:?}");
    let asked = cluster.calls() - calls;
    assert!(asked < 20, "a watch, taken up again a few times, is no polling: {asked} requests");
    eprintln!("{asked} watches for three CRDs over a connection that broke twice, {:?}", begun.elapsed());

    let until = tokio::time::Instant::now() + Duration::from_secs(1);
    let names = BTreeSet::from(["none.b.c".to_owned()]);
    let verdicts = established(&cluster, Wait { selection, names, since: None, until }).await;
    let late = |verdict: &Verdict| matches!(verdict, Verdict::NotReady(why) if why.starts_with("it was not established in time"));
    assert!(late(&verdicts["none.b.c"]), "{verdicts:?}");
    Ok(())
}

async fn a_cluster_that_goes_away_leaves_a_partial_result() -> TestResult {
    let planes = ControlPlanes::start(&["management", "eu-west-1"]).await?;
    let cluster = management(&planes["management"]).await;
    let id = ClusterId::new("team-a", "eu-west-1");
    let proxy = planes["eu-west-1"].proxy().await?;
    let access = planes["eu-west-1"].admin().by_port(proxy.port()).await?;
    let service = by(&access, Target::Service(id.clone())).await;
    let ManifestSet { management: wanted, mut clusters } = rendered();
    let (hub, region) = (Scene::new(&cluster, wanted), Scene::new(&service, clusters.remove(&id).unwrap()));
    let (hub_plan, region_plan) = (hub.plan(&[]).await, region.plan(&[]).await);
    let works = [hub.work(&hub_plan, false).await, region.work(&region_plan, false).await];
    let (tell, mut told) = mpsc::unbounded_channel();
    let (_stop, stopped) = watch::channel(false);
    let hurting = async {
        while let Some(event) = told.recv().await {
            if matches!(&event, Event::Applied(object) if object.cluster != "management") {
                proxy.refuse();
                return;
            }
        }
    };
    let (outcome, ()) = tokio::join!(
        async {
            let outcome = apply(&works, &how(), &stopped, &|event| drop(tell.send(event))).await;
            drop(tell);
            outcome
        },
        hurting
    );
    let there = |list: &[ObjectRef], name: &str| list.iter().filter(|o| o.cluster == name).count();
    assert_eq!(there(&outcome.applied, "management"), hub.wanted.len(), "{outcome:#?}");
    let done = there(&outcome.applied, "team-a/eu-west-1");
    assert!(done >= 1 && outcome.failed.iter().all(|f| f.cluster) && !outcome.failed.is_empty(), "{outcome:#?}");
    // The claim of the inventory may be what is looked at when the cluster goes away.
    let failed = outcome.failed.iter().filter(|failed| failed.object.kind != "ConfigMap").count();
    assert_eq!(done + failed + outcome.skipped.len(), region.wanted.len(), "each object has its end: {outcome:#?}");

    proxy.pass();
    let (outcome, _) = region.apply(&[], &how()).await;
    assert!(outcome.is_whole(), "{outcome:#?}");
    Ok(())
}

async fn what_is_stopped_can_be_taken_up() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let cluster = management(&planes["management"]).await;
    let scene = Scene::new(&cluster, rendered().management);
    let mut left = scene.wanted.len();
    for stop_after in [1, 5, 13, 20] {
        let plan = scene.plan(&[]).await;
        assert!(plan.changes.len() <= left);
        left = plan.changes.len();
        let work = scene.work(&plan, false).await;
        let (tell, mut told) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let stopping = async {
            let mut seen = 0;
            while let Some(event) = told.recv().await {
                seen += usize::from(matches!(event, Event::Applied(_)));
                if seen == stop_after {
                    stop.send_replace(true);
                }
            }
        };
        let works = [work];
        let (outcome, ()) = tokio::join!(
            async {
                let outcome = apply(&works, &how(), &stopped, &|event| drop(tell.send(event))).await;
                drop(tell);
                outcome
            },
            stopping
        );
        assert!(outcome.failed.is_empty(), "{outcome:#?}");
        assert_eq!(outcome.applied.len() + outcome.unchanged.len() + outcome.skipped.len(), left, "{outcome:#?}");
        assert_eq!(outcome.interrupted, !outcome.skipped.is_empty(), "{outcome:#?}");
        left -= outcome.applied.len() + outcome.unchanged.len();
    }
    let (outcome, _) = scene.apply(&[], &how()).await;
    assert!(outcome.is_whole(), "{outcome:#?}");
    assert!(scene.plan(&[]).await.changes.is_empty());
    Ok(())
}

async fn a_dry_run_by_the_server_writes_nothing() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let cluster = management(&planes["management"]).await;
    let scene = Scene::new(&cluster, rendered().management);
    let dry = How { dry_run: true, ..how() };
    let (outcome, _) = scene.apply(&[], &dry).await;
    assert_eq!(cluster.writes(), 0);
    // What is in a namespace or of a kind that the run itself would make cannot be tried.
    let tried: BTreeSet<&str> = outcome.applied.iter().map(|o| o.kind.as_str()).collect();
    let expected = ["ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace"];
    assert_eq!(tried, BTreeSet::from(expected), "{outcome:#?}");
    assert!(outcome.is_whole() && outcome.untried.len() + outcome.applied.len() == scene.wanted.len());

    assert!(scene.apply(&[], &how()).await.0.is_whole());
    let writes = cluster.writes();
    let (gone, kept): (Vec<Manifest>, Vec<Manifest>) = scene.wanted.clone().into_iter().partition(|m| {
        // What sync has in its own namespace is shared, and is never deleted.
        let within = m.id.namespace.as_deref().is_some_and(|namespace| namespace != "kubecarrier-system");
        m.stage == Stage::Rbac && within
    });
    let fewer = Scene::new(&cluster, kept);
    let (outcome, _) = fewer.apply(&gone, &dry).await;
    assert_eq!(
        (outcome.deleted.len(), outcome.failed.len(), cluster.writes()),
        (gone.len(), 0, writes),
        "{outcome:#?}"
    );
    assert!(scene.plan(&[]).await.changes.is_empty(), "nothing was written");
    Ok(())
}
