//! What carrier sees of a cluster: what is as it should be costs nothing, and what is not is told with its
//! reasons; instances that a change would touch are counted, named and tried, and nothing of them is shown.
//!
//! `CARRIER_OBJECTS` says how many objects are unchanged where their number must not matter (1,000).
#![allow(clippy::needless_pass_by_value, reason = "`json!` is written in the call")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use carrier::clusters::{ApiRequest, Cluster, ClusterError, Limits, Selection};
use carrier::clusters::{FileSource, from_files};
use carrier::names::ObjectKey;
use carrier::names::Resource;
use carrier::names::{ClusterId, Target};
use carrier::names::{ManifestId, Stage};
use carrier::observing::LABEL;
use carrier::observing::{Observed, Options, observe};
use carrier::planning::DryRunResult;
use carrier::planning::{Comparison, compare, same_after_dry_run};
use carrier::planning::{Conflict, Impact};
use carrier::planning::{Inventory, inventory};
use carrier::rendering::Manifest;
use futures::future::try_join_all;
use serde_json::{Value, json};

use super::platform::Platform;
use crate::corpus;
use crate::repositories::{Repository, object, redis};
use crate::support::{Case, ControlPlane, ControlPlanes, TestResult, cases, eventually};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![a_management_cluster_is_observed, a_service_cluster_is_observed, an_interrupted_plan_takes_its_trial_with_it]
}

/// A value of instances that must not be told to anybody.
const SECRET: &str = "hunter2";
const DERIVED: &str = "redis.eu-west-1.team-a";

/// A cluster, and what the repository has for it.
struct Scene<'p> {
    plane: &'p ControlPlane,
    cluster: Cluster,
    inventory: Inventory,
    wanted: Vec<Manifest>,
}

impl<'p> Scene<'p> {
    async fn new(plane: &'p ControlPlane, target: Target, wanted: Vec<Manifest>) -> Result<Self, ClusterError> {
        let inventory = inventory::of(&target, "carrier", Some("uid"));
        let cluster = reached(plane.kubeconfig_path(), target).await?;
        Ok(Self { plane, cluster, inventory, wanted })
    }

    async fn observe(&self, wanted: &[Manifest], options: &Options<'_>) -> Result<Observed, ClusterError> {
        let (calls, started) = (self.cluster.calls(), Instant::now());
        let observed = observe(&self.cluster, wanted, &self.inventory, options).await?;
        let (calls, took) = (self.cluster.calls() - calls, started.elapsed().as_millis());
        eprintln!("{} objects: {calls} calls, {} dry runs, {took} ms", wanted.len(), observed.dry_runs);
        assert!(!format!("{:?} {:?}", observed.impacts, observed.answers).contains(SECRET));
        Ok(observed)
    }

    /// Applies objects in the order of their stages.
    async fn apply(&self, manifests: &[Manifest]) -> TestResult {
        for stage in Stage::ALL {
            let of_stage: Vec<&Manifest> = manifests.iter().filter(|m| m.stage == stage).collect();
            let requests: Vec<ApiRequest> = of_stage.iter().map(|m| self.application(m)).collect();
            let all = async || try_join_all(requests.iter().map(|request| self.cluster.call(request))).await.is_ok();
            eventually("all is applied", all).await;
            if stage == Stage::Crds {
                self.plane.established(&[]).await;
            }
        }
        Ok(())
    }

    fn application(&self, manifest: &Manifest) -> ApiRequest {
        let resource = Resource::of(&manifest.id).expect("it is rendered");
        let body = self.inventory.label(&manifest.body);
        ApiRequest::apply(resource, manifest.id.namespace.as_deref(), &manifest.id.name, &body).force(true)
    }

    fn key(&self, kind: &str, name: &str) -> ObjectKey {
        ObjectKey::from(&object(&self.wanted, kind, name).id)
    }

    /// What is wanted, with another body for one object.
    fn with(&self, kind: &str, name: &str, change: impl FnOnce(&mut Value)) -> Vec<Manifest> {
        let id = object(&self.wanted, kind, name).id.clone();
        let mut wanted = self.wanted.clone();
        let manifest = wanted.iter_mut().find(|m| m.id == id).expect("it is there");
        change(Arc::make_mut(&mut manifest.body));
        wanted
    }

    /// What is wanted, without some objects.
    fn without(&self, is_gone: impl Fn(&ManifestId) -> bool) -> Vec<Manifest> {
        self.wanted.iter().filter(|m| !is_gone(&m.id)).cloned().collect()
    }

    async fn trials(&self) -> Vec<Value> {
        self.cluster
            .list_all(&Selection::all(Resource::crds()).labels(LABEL).metadata_only())
            .await
            .expect("CRDs can be listed")
    }
}

async fn reached(kubeconfig: &Path, target: Target) -> Result<Cluster, ClusterError> {
    let way = from_files(&FileSource { paths: vec![kubeconfig.to_owned()], ..FileSource::default() }).await?;
    Cluster::new(target, way, Limits::default())
}

/// One test, since all of it is about the same cluster.
async fn a_management_cluster_is_observed() -> TestResult {
    let planes = ControlPlanes::builder().priority_and_fairness(false).start(&["management"]).await?;
    let wanted = Repository::tutorial().render().management;
    let scene = Scene::new(&planes["management"], Target::Management, wanted).await?;
    nothing_is_there(&scene).await?;
    scene.apply(&scene.wanted).await?;
    what_is_as_it_should_be_costs_nothing(&scene).await?;
    what_the_server_adds_by_itself_is_no_change(&scene).await?;
    a_field_of_somebody_else_is_a_conflict(&scene).await?;
    what_the_server_would_refuse_is_said(&scene).await?;
    instances(&scene).await?;
    doomed(&scene).await?;
    a_narrowed_schema_names_who_loses(&scene).await?;
    a_tightened_schema_names_who_is_invalid(&scene).await?;
    no_trial_where_none_is_wanted_or_allowed(&scene).await?;
    trials_leave_nothing_behind(&scene).await
}

async fn nothing_is_there(scene: &Scene<'_>) -> TestResult {
    let observed = scene.observe(&scene.wanted, &Options::default()).await?;
    assert!(observed.live.objects.is_empty() && observed.answers.is_empty() && observed.impacts.is_empty());
    Ok(())
}

async fn what_is_as_it_should_be_costs_nothing(scene: &Scene<'_>) -> TestResult {
    let most = usize::try_from(corpus::number("CARRIER_OBJECTS", 1_000))?;
    let more = many(scene, most);
    scene.apply(&more).await?;
    let mut calls = Vec::new();
    for count in [50, most] {
        let wanted = [&scene.wanted, &more[..count]].concat();
        let (before, writes) = (scene.cluster.calls(), scene.cluster.writes());
        let observed = scene.observe(&wanted, &Options::default()).await?;
        for manifest in &wanted {
            let live = observed.live.objects.get(&ObjectKey::from(&manifest.id));
            let body = scene.inventory.label(&manifest.body);
            assert_eq!(compare(&body, live), Comparison::Same, "{}", manifest.id);
        }
        assert_eq!((observed.dry_runs, observed.answers.len(), observed.impacts.len()), (0, 0, 0));
        assert_eq!(scene.cluster.writes(), writes, "to look is not to write");
        calls.push(scene.cluster.calls() - before);
    }
    assert_eq!(calls[0], calls[1], "what is unchanged costs no request");
    // Of the inventory are also those that are not wanted.
    let observed = scene.observe(&scene.wanted, &Options { prune: true, ..Options::default() }).await?;
    assert_eq!(observed.live.objects.len(), scene.wanted.len() + most);
    for plural in ["roles.rbac.authorization.k8s.io", "offerings.catalog.kubecarrier.io"] {
        scene.plane.kubectl(&["delete", plural, "-n", "team-b", "-l", "many", "--wait=false"]).await?;
    }
    Ok(())
}

/// So many Roles and Offerings.
fn many(scene: &Scene<'_>, count: usize) -> Vec<Manifest> {
    let role = object(&scene.wanted, "Role", "team-b/kubecarrier:tenant");
    let offering = object(&scene.wanted, "Offering", &format!("team-b/{DERIVED}"));
    let copy = |(n, manifest): (usize, &Manifest)| {
        let mut copy = manifest.clone();
        copy.id.name = format!("many-{n:04}");
        let body = Arc::make_mut(&mut copy.body);
        body["metadata"]["name"] = json!(copy.id.name);
        body["metadata"]["labels"]["many"] = json!("true");
        copy
    };
    (0..count).map(|n| copy((n, if n % 2 == 0 { role } else { offering }))).collect()
}

async fn what_the_server_adds_by_itself_is_no_change(scene: &Scene<'_>) -> TestResult {
    // The API group of a user is filled in.
    let name = "team-b/kubecarrier:tenant";
    let wanted = scene.with("RoleBinding", name, |body| {
        body["subjects"] = json!([{ "kind": "User", "name": "team-b-member" }]);
    });
    let observed = scene.observe(&wanted, &Options::default()).await?;
    let key = scene.key("RoleBinding", name);
    let Some(DryRunResult::Accepted(would_be)) = observed.answers.get(&key) else { panic!("{:?}", observed.answers) };
    assert!(same_after_dry_run(&observed.live.objects[&key].body, would_be));
    assert_eq!(observed.dry_runs, 1);
    Ok(())
}

async fn a_field_of_somebody_else_is_a_conflict(scene: &Scene<'_>) -> TestResult {
    let patch = json!({ "spec": { "metadata": { "displayName": "Mine" } } }).to_string();
    let patch = ["patch", "offerings.catalog.kubecarrier.io", DERIVED, "-n", "team-b", "--type=merge", "-p", &patch];
    scene.plane.kubectl(&patch).await?;
    let key = scene.key("Offering", &format!("team-b/{DERIVED}"));
    let observed = scene.observe(&scene.wanted, &Options::default()).await?;
    let conflict = Conflict { manager: "kubectl-patch".into(), field: ".spec.metadata.displayName".into() };
    assert_eq!(observed.answers.get(&key), Some(&DryRunResult::Conflicts(vec![conflict.clone()])));

    let forced = |asked: &ObjectKey| *asked == key;
    let observed = scene.observe(&scene.wanted, &Options { forced: &forced, ..Options::default() }).await?;
    // Allowed or not, whose fields are taken is said.
    let taken =
        |answer: &DryRunResult| matches!(answer, DryRunResult::Forced(_, whose) if *whose == [conflict.clone()]);
    assert!(observed.answers.get(&key).is_some_and(taken), "{:?}", observed.answers);
    scene.apply(&scene.wanted).await
}

async fn what_the_server_would_refuse_is_said(scene: &Scene<'_>) -> TestResult {
    let wanted = scene.with("CustomResourceDefinition", DERIVED, |crd| {
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["type"] = json!("nonsense");
    });
    let observed = scene.observe(&wanted, &Options::default()).await?;
    let answer = observed.answers.get(&scene.key("CustomResourceDefinition", DERIVED));
    assert!(
        matches!(answer, Some(DryRunResult::Refused(words)) if words.contains("openAPIV3Schema.properties[spec].type") && !words.contains("nonsense")),
        "{answer:?}"
    );

    // Somebody who may write roles, and may not give what they do not have.
    let rules = json!([
        { "apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"] },
        { "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["patch", "create"] },
    ]);
    let limited = limited(scene.plane, "limited", rules).await?;
    let wanted = scene.without(|_| false).into_iter().chain(many(scene, 1)).collect::<Vec<_>>();
    let observed = observe(&limited, &wanted, &scene.inventory, &Options::default()).await?;
    let answers: Vec<_> = observed.answers.values().collect();
    let [DryRunResult::NotPermitted(lacking)] = answers[..] else { panic!("{answers:?}") };
    let lacking: Vec<String> = lacking.iter().map(ToString::to_string).collect();
    assert_eq!(lacking, ["escalate roles.rbac.authorization.k8s.io `many-0000` in the namespace team-b"]);
    Ok(())
}

/// A user of these rights alone.
async fn limited(plane: &ControlPlane, name: &str, rules: Value) -> Result<Cluster, Box<dyn std::error::Error>> {
    let group = "rbac.authorization.k8s.io";
    let role = json!({
        "apiVersion": format!("{group}/v1"), "kind": "ClusterRole", "metadata": { "name": name }, "rules": rules,
    });
    let binding = json!({
        "apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": { "name": name },
        "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": name },
        "subjects": [{ "apiGroup": group, "kind": "User", "name": name }],
    });
    for object in [role, binding] {
        plane.kubectl_with(&["apply", "-f", "-"], &object.to_string()).await?;
    }
    let user = plane.user(name, &[]).await?;
    eventually("the rights are in force", async || user.kubectl(&["get", "crds"]).await.is_ok()).await;
    Ok(reached(user.kubeconfig_path(), Target::Management).await?)
}

/// Instances of the derived kind: 25, of which the first sets another field, and has a great size.
async fn instances(scene: &Scene<'_>) -> TestResult {
    let instance = |n: usize| {
        let spec = if n == 0 { json!({ "size": 9, "mode": SECRET }) } else { json!({ "size": 1 }) };
        json!({
            "apiVersion": "eu-west-1.team-a/v1beta1", "kind": "Redis",
            "metadata": { "name": format!("db-{n:02}"), "namespace": "team-b" }, "spec": spec,
        })
    };
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": (0..25).map(instance).collect::<Vec<_>>() });
    scene.plane.kubectl_with(&["create", "-f", "-"], &list.to_string()).await?;
    Ok(())
}

async fn doomed(scene: &Scene<'_>) -> TestResult {
    let offering = format!("team-b/{DERIVED}");
    let (crd, namespace) = (scene.key("CustomResourceDefinition", DERIVED), scene.key("Namespace", "team-b"));
    let (offering, assignment) =
        (scene.key("Offering", &offering), scene.key("ServiceClusterAssignment", "team-a/team-b.eu-west-1"));
    let gone = [&crd, &namespace, &offering, &assignment];
    let wanted = scene.without(|id| gone.contains(&&ObjectKey::from(id)));
    let observed = scene.observe(&wanted, &Options { prune: true, ..Options::default() }).await?;
    for key in [&crd, &namespace] {
        let impact = &observed.impacts[key];
        assert_eq!((impact.instances, impact.accounts, impact.destroyed_count), (25, 1, 25), "{key}: {impact:?}");
        let names: Vec<&str> = impact.destroyed.iter().map(|o| o.name.as_str()).collect();
        assert_eq!((names.len(), names[0], names[19]), (20, "db-00", "db-19"));
        let first = &impact.destroyed[0];
        assert_eq!((first.kind.as_str(), first.namespace.as_deref()), ("Redis", Some("team-b")));
        assert_eq!((first.cluster.as_str(), first.api_version.as_str()), ("management", "eu-west-1.team-a/v1beta1"));
    }
    for key in [&offering, &assignment] {
        let impact = &observed.impacts[key];
        assert_eq!((impact.instances, impact.destroyed_count), (25, 0), "{key}: {impact:?}");
    }
    // They are listed again before it goes: its namespace in the service cluster goes with it.
    let counted = observed.impacts[&assignment].counted.as_ref().ok_or("they are counted")?;
    let uids: usize =
        counted.kinds.iter().filter_map(|kind| kind.uids.as_ref()).map(std::collections::BTreeSet::len).sum();
    assert_eq!((uids, counted.namespace.as_deref()), (25, Some("team-b")), "{counted:?}");
    assert_eq!(observed.impacts[&offering].counted, None);
    assert!(observed.answers.is_empty(), "what goes is not asked for");
    Ok(())
}

fn spec_of(crd: &mut Value) -> &mut Value {
    &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
}

fn only(impact: &Impact) -> (&str, Vec<&str>) {
    let [instance] = &impact.invalid[..] else { panic!("{impact:?}") };
    assert_eq!((impact.invalid_count, instance.namespace.as_deref()), (1, Some("team-b")));
    (&instance.name, instance.fields.iter().map(String::as_str).collect())
}

async fn a_narrowed_schema_names_who_loses(scene: &Scene<'_>) -> TestResult {
    let key = scene.key("CustomResourceDefinition", DERIVED);
    let wanted = scene.with("CustomResourceDefinition", DERIVED, |crd| {
        spec_of(crd).as_object_mut().expect("properties").remove("mode");
    });
    let writes = scene.cluster.writes();
    let observed = scene.observe(&wanted, &Options::default()).await?;
    let impact = &observed.impacts[&key];
    assert_eq!((impact.instances, impact.accounts, impact.unchecked.as_deref()), (25, 1, None));
    assert_eq!(only(impact), ("db-00", vec!["spec.mode (unknown: it would be lost)"]));
    assert_eq!(scene.cluster.writes(), writes + 2, "the trial's CRD is made and deleted");
    eventually("the trial's CRD is gone", async || scene.trials().await.is_empty()).await;
    Ok(())
}

async fn a_tightened_schema_names_who_is_invalid(scene: &Scene<'_>) -> TestResult {
    let key = scene.key("CustomResourceDefinition", DERIVED);
    let wanted = scene.with("CustomResourceDefinition", DERIVED, |crd| {
        spec_of(crd)["size"]["maximum"] = json!(5);
    });
    let observed = scene.observe(&wanted, &Options::default()).await?;
    assert_eq!(only(&observed.impacts[&key]), ("db-00", vec!["spec.size (invalid)"]));

    // Both at once: what is unknown does not hide what is invalid.
    let wanted = scene.with("CustomResourceDefinition", DERIVED, |crd| {
        spec_of(crd)["size"]["maximum"] = json!(5);
        spec_of(crd).as_object_mut().expect("properties").remove("mode");
    });
    let observed = scene.observe(&wanted, &Options::default()).await?;
    let fields = vec!["spec.mode (unknown: it would be lost)", "spec.size (invalid)"];
    assert_eq!(only(&observed.impacts[&key]), ("db-00", fields));

    // A kind of carrier's own, whose objects are in no namespace.
    let accounts = "accounts.catalog.kubecarrier.io";
    let wanted = scene.with("CustomResourceDefinition", accounts, |crd| {
        spec_of(crd)["subjects"]["maxItems"] = json!(0);
        spec_of(crd)["subjects"]["minItems"] = json!(0);
    });
    let observed = scene.observe(&wanted, &Options::default()).await?;
    let impact = &observed.impacts[&scene.key("CustomResourceDefinition", accounts)];
    let invalid: Vec<_> = impact.invalid.iter().map(|i| (i.namespace.as_deref(), i.name.as_str())).collect();
    assert_eq!(invalid, [(None, "team-a"), (None, "team-b")], "{impact:?}");
    assert_eq!(
        (impact.instances, impact.accounts, impact.invalid[0].fields.as_slice()),
        (2, 0, &["spec.subjects (too many)".to_owned()][..])
    );
    Ok(())
}

async fn no_trial_where_none_is_wanted_or_allowed(scene: &Scene<'_>) -> TestResult {
    let key = scene.key("CustomResourceDefinition", DERIVED);
    let wanted = scene.with("CustomResourceDefinition", DERIVED, |crd| spec_of(crd)["size"]["maximum"] = json!(5));
    let writes = scene.cluster.writes();
    let observed = scene.observe(&wanted, &Options { trial: false, ..Options::default() }).await?;
    assert_eq!(scene.cluster.writes(), writes);
    let impact = &observed.impacts[&key];
    assert_eq!((impact.instances, impact.invalid_count), (25, 0));
    assert!(impact.unchecked.as_deref().is_some_and(|why| why.contains("--no-trial")), "{impact:?}");

    let rules = json!([
        { "apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"] },
        { "apiGroups": ["apiextensions.k8s.io"], "resources": ["*"], "verbs": ["patch"] },
    ]);
    let limited = limited(scene.plane, "no-trial", rules).await?;
    let observed = observe(&limited, &wanted, &scene.inventory, &Options::default()).await?;
    let impact = &observed.impacts[&key];
    assert_eq!((impact.instances, impact.invalid_count), (25, 0));
    assert!(impact.unchecked.as_deref().is_some_and(|why| why.contains("the account may not")), "{impact:?}");
    let lacking: Vec<&str> = observed.no_trial.iter().map(|permission| permission.verb.as_str()).collect();
    assert_eq!(lacking, ["create", "delete", "create", "watch"], "{:?}", observed.no_trial);
    assert_eq!(limited.writes(), 0, "nothing is made that could not be deleted");
    Ok(())
}

async fn trials_leave_nothing_behind(scene: &Scene<'_>) -> TestResult {
    let wanted = scene.with("CustomResourceDefinition", DERIVED, |crd| spec_of(crd)["size"]["maximum"] = json!(5));
    eventually("there is no trial", async || scene.trials().await.is_empty()).await;
    // Dropped while it runs, as an interruption does.
    let begun = eventually("a trial has begun", async || !scene.trials().await.is_empty());
    let options = Options::default();
    tokio::select! {
        observed = scene.observe(&wanted, &options) => eprintln!("it was too quick: {}", observed.is_ok()),
        () = begun => {}
    }
    eventually("its CRD is deleted all the same", async || scene.trials().await.is_empty()).await;

    // Killed, so that nothing could be done: the next run finds it.
    let name = "t0123456789.trial.kubecarrier.io";
    let mut left = redis();
    left["metadata"] = json!({ "name": name, "labels": { LABEL: "0123456789" } });
    left["spec"]["group"] = json!("trial.kubecarrier.io");
    left["spec"]["names"] = json!({ "kind": "T0123456789", "plural": "t0123456789" });
    scene.plane.kubectl_with(&["create", "-f", "-"], &left.to_string()).await?;
    scene.observe(&scene.wanted, &Options::default()).await?;
    assert_eq!(scene.trials().await.len(), 1, "it may be another run's, which goes on");
    let options = Options { leftover_age: Duration::ZERO, ..Options::default() };
    scene.observe(&scene.wanted, &options).await?;
    eventually("what was left is deleted", async || scene.trials().await.is_empty()).await;
    Ok(())
}

async fn a_service_cluster_is_observed() -> TestResult {
    let planes = ControlPlanes::builder().start(&["eu-west-1"]).await?;
    let id = ClusterId::new("team-a", "eu-west-1");
    let wanted = Repository::tutorial().render().clusters.remove(&id).expect("it is rendered");
    let scene = Scene::new(&planes["eu-west-1"], Target::Service(id), wanted).await?;
    scene.plane.kubectl_with(&["create", "-f", "-"], &redis().to_string()).await?;
    scene.apply(&scene.wanted).await?;
    let observed = scene.observe(&scene.wanted, &Options::default()).await?;
    assert_eq!((observed.dry_runs, observed.live.objects.len()), (0, scene.wanted.len()));

    let mut namespaces = scene.wanted.iter().filter(|m| m.id.kind == "Namespace" && m.id.name.starts_with("team-b-"));
    let namespace = namespaces.next().expect("the tenant has a namespace").id.clone();
    let instance = json!({
        "apiVersion": "redis.redis.opstreelabs.in/v1beta1", "kind": "Redis",
        "metadata": { "name": "db", "namespace": namespace.name }, "spec": { "secret": SECRET },
    });
    let create = async || scene.plane.kubectl_with(&["create", "-f", "-"], &instance.to_string()).await.is_ok();
    eventually("the base kind is served", create).await;
    let wanted = scene.without(|other| *other == namespace);
    let observed = scene.observe(&wanted, &Options { prune: true, ..Options::default() }).await?;
    let impact = &observed.impacts[&ObjectKey::from(&namespace)];
    assert_eq!((impact.instances, impact.destroyed_count, impact.destroyed[0].name.as_str()), (1, 1, "db"));
    assert_eq!(impact.destroyed[0].cluster, "team-a/eu-west-1");
    Ok(())
}

async fn an_interrupted_plan_takes_its_trial_with_it() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    let spec = format!(
        "{{mode: standalone, size: 3, global: {{image: 'redis:7', password: {SECRET}}}, service: {{type: ClusterIP}}, \
         redisConfig: {{}}, redisExporter: {{enabled: true, image: exporter}}}}"
    );
    platform.instance("eu-west-1", "db", &spec).await?;
    platform.edit("catalogs/redis.yaml", "      - jsonPath: .spec.size\n", "");
    let trials = async || {
        let selector = ["get", "crds", "-o", "name", "-l", LABEL];
        platform.management().kubectl(&selector).await.expect("CRDs can be listed")
    };
    let plan = platform.command(&["plan", "--allow-loopback"]).spawn()?;
    eventually("a trial has begun", async || !trials().await.is_empty()).await;
    let pid = plan.id().and_then(|id| rustix::process::Pid::from_raw(id.try_into().ok()?)).ok_or("it still runs")?;
    rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
    let output = plan.wait_with_output().await?;
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    eventually("its CRD is gone", async || trials().await.is_empty()).await;
    Ok(())
}
