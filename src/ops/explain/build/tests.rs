//! Tests of the report from what was seen.

use serde_json::{Value, json};

use super::*;
use crate::cluster::{ClusterError, ErrorKind};
use crate::model::keys::{MANAGEMENT_CLUSTER, PROVIDER, SERVICE_CLUSTER, SOURCE, TENANT};
use crate::ops::explain::services::candidates;
use crate::ops::reach::Unreached;

const SOURCE_NAME: &str = "team-b/redis.eu-west-1.team-a/example";

fn crd(group: &str) -> Value {
    json!({
        "metadata": {"name": format!("redis.{group}"),
            "labels": {"kubecarrier.io/origin-namespace": "team-a", SERVICE_CLUSTER: "eu-west-1"},
            "annotations": {"carrier.kubecarrier.io/base-crd": "redis.example.com",
                "carrier.kubecarrier.io/base-kind": "Redis", "carrier.kubecarrier.io/base-version": "v1"}},
        "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Redis", "plural": "redis"},
            "versions": [{"name": "v1", "served": true, "storage": true}]},
    })
}

fn entry(spec: &Value) -> Value {
    let mut all = json!({"metadata": {"displayName": "x"}, "derive": {"expose": []},
        "baseCRD": {"name": "redis.internal.eu-west-1.team-a"}});
    all.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    json!({"metadata": {"namespace": "team-a", "name": "redis.eu-west-1"}, "spec": all})
}

fn copy(namespace: &str) -> Value {
    json!({"metadata": {
        "namespace": namespace, "name": "example", "uid": format!("of-{namespace}"), "resourceVersion": "7", "generation": 4,
        "labels": {MANAGEMENT_CLUSTER: "management"},
        "annotations": {SOURCE: SOURCE_NAME, SOURCE_UID: "tenant"},
        "managedFields": [
            {"manager": SERVICE_MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {"f:size": {}}}},
            {"manager": "by-hand", "operation": "Update", "fieldsV1": {"f:spec": {"f:extra": {}}}},
        ],
    }})
}

fn tenant(reason: &str, status: &str, observed: i64) -> Value {
    json!({
        "metadata": {"namespace": "team-b", "name": "example", "uid": "tenant", "resourceVersion": "5", "generation": 2,
            "finalizers": ["carrier.kubecarrier.io/sync"]},
        "status": {"conditions": [{"type": "Synced", "status": status, "reason": reason, "message": "why",
            "observedGeneration": observed, "lastTransitionTime": "2026-01-02T03:04:05Z"}]},
    })
}

fn facts() -> Facts {
    let entry = entry(&json!({}));
    let crds = [crd("eu-west-1.team-a"), crd("internal.eu-west-1.team-a")];
    let labels = json!({PROVIDER: "team-a", TENANT: "team-b", SERVICE_CLUSTER: "eu-west-1"});
    Facts {
        service: candidates(&crds, std::slice::from_ref(&entry)).remove(0),
        namespace: "team-b".into(),
        name: "example".into(),
        management: Ok("management".into()),
        unfit: None,
        entry: Sight::Present(entry),
        assignment: Sight::Present(json!({"metadata": {}})),
        cluster: Sight::Present(json!({"metadata": {}})),
        tenant: Sight::Present(tenant("InStep", "True", 2)),
        internal: Some(Sight::Present(copy("team-b"))),
        place: Ok("team-b-x".into()),
        place_seen: Sight::Present(json!({"metadata": {"labels": labels}})),
        copy: Sight::Present(copy("team-b-x")),
        lease: Sight::Present(json!({"metadata": {}, "spec": {"holderIdentity": "one", "renewTime": "now"}})),
        unreached: None,
    }
}

fn annotate(sight: &mut Sight, key: &str, value: &str) {
    let Sight::Present(object) = sight else { panic!("it is not there") };
    object["metadata"]["annotations"][key] = json!(value);
}

#[test]
fn an_instance_in_step_waits_for_nothing() {
    let facts = facts();
    let report = build(&facts);
    assert_eq!((report.waits_for.as_deref(), failure(&facts)), (None, None));
    assert_eq!((report.resource.as_str(), report.cluster.as_str()), ("redis.eu-west-1.team-a", "team-a/eu-west-1"));
    let tenant = report.tenant_object.object.unwrap();
    assert_eq!((tenant.uid.as_str(), tenant.generation, tenant.marks), ("tenant", Some(2), None));
    assert_eq!(tenant.finalizers, ["carrier.kubecarrier.io/sync"]);
    let copy = &report.copy;
    assert_eq!((copy.api_version.as_deref(), copy.namespace.as_deref()), (Some("example.com/v1"), Some("team-b-x")));
    let object = copy.object.as_ref().unwrap();
    assert_eq!((object.uid.as_str(), object.resource_version.as_str()), ("of-team-b-x", "7"));
    assert_eq!(object.marks.as_ref().unwrap().state, MarksState::Ours);
    let fields: Vec<_> = object.fields_of_others.iter().map(|f| (f.path.as_str(), f.manager.as_str())).collect();
    assert_eq!(fields, [(".spec.extra", "by-hand")]);
    assert_eq!((report.lease.holder.as_deref(), report.lease.renewed.as_deref()), (Some("one"), Some("now")));
    assert_eq!(report.lease.name, "carrier-sync-eu-west-1.team-a");
    assert_eq!(report.deletion.policy.as_deref(), Some("Delete"));
    assert!(report.pauses.iter().all(|pause| pause.paused == Some(false)));
    assert_eq!((report.service_namespace.presence, report.service_namespace.problem), (Presence::Present, None));
}

#[test]
fn what_it_waits_for_is_the_runbook_of_the_reason() {
    let waits = |tenant: Value| build(&Facts { tenant: Sight::Present(tenant), ..facts() }).waits_for.unwrap();
    assert_eq!(
        waits(tenant("Conflict", "False", 2)),
        "an object of that name belongs to somebody else: use another name, or let the owner set the annotation `adopt` on it"
    );
    assert_eq!(waits(tenant("Pending", "Unknown", 2)), "it is not done yet; the message says what is waited for");
    let old = "sync has not decided about generation 2 yet: its last decision is of generation 1";
    assert_eq!(waits(tenant("InStep", "True", 1)), old);
    assert!(waits(tenant("Later", "False", 2)).contains("does not know the reason"));
    let mut silent = tenant("", "", 0);
    silent["status"]["conditions"] = json!([]);
    assert_eq!(waits(silent.clone()), "sync has not said anything about it yet");
    // Where it shows, why sync says nothing is said.
    let mut facts = Facts { tenant: Sight::Present(silent), ..facts() };
    facts.lease = Sight::Absent(None);
    let text = "sync has not said anything about it yet; no replica of `carrier sync` works on team-a/eu-west-1";
    assert_eq!(build(&facts).waits_for.as_deref(), Some(text));
    facts.unfit = Some("render and apply again".into());
    assert!(build(&facts).waits_for.unwrap().ends_with("it does not follow the service: render and apply again"));
    facts.tenant = Sight::Unread("forbidden".into());
    assert!(build(&facts).waits_for.unwrap().contains("cannot be read"));
}

#[test]
fn whose_a_copy_is_its_marks_say() {
    let state = |change: &dyn Fn(&mut Value)| {
        let mut object = copy("team-b-x");
        change(&mut object);
        let report = build(&Facts { copy: Sight::Present(object), ..facts() });
        let marks = report.copy.object.unwrap().marks.unwrap();
        (marks.state, marks.message)
    };
    assert_eq!(state(&|_| {}), (MarksState::Ours, "ours".to_owned()));
    let (of_before, words) = state(&|object| object["metadata"]["annotations"][SOURCE_UID] = json!("before"));
    assert!(of_before == MarksState::Ours && words.contains("UID before"), "{words}");
    let stripped = state(&|object| object["metadata"]["annotations"] = json!({}));
    assert_eq!(stripped.0, MarksState::Stripped);
    let theirs = |object: &mut Value| object["metadata"] = json!({"uid": "u", "resourceVersion": "1"});
    assert_eq!(state(&theirs), (MarksState::Missing, "none: sync has not made it".to_owned()));
    let other = state(&|object| object["metadata"]["annotations"][SOURCE] = json!("team-b/caches.x/exa\nmple"));
    assert_eq!(other, (MarksState::OtherSource, "not ours: it is the copy of team-b/caches.x/exa␊mple".to_owned()));
    let elsewhere = state(&|object| object["metadata"]["labels"][MANAGEMENT_CLUSTER] = json!("other"));
    assert_eq!(elsewhere.0, MarksState::OtherManagementCluster);
    let unknown = Facts { management: Err("forbidden".into()), ..facts() };
    assert_eq!(build(&unknown).copy.object.unwrap().marks.unwrap().state, MarksState::Unknown);
    assert_eq!(failure(&unknown), Some(ClusterFailure::Unreachable));
}

#[test]
fn copies_without_their_tenant_object_are_orphans() {
    let mut facts = Facts { tenant: Sight::Absent(None), internal: Some(Sight::Absent(None)), ..facts() };
    let report = build(&facts);
    assert_eq!((report.tenant_object.presence, report.copy.presence), (Presence::Absent, Presence::Present));
    assert_eq!(failure(&facts), None);
    let waits = report.waits_for.unwrap();
    assert!(waits.ends_with("`carrier approve team-a/eu-west-1/redis.eu-west-1 -n team-b`"), "{waits}");
    annotate(&mut facts.copy, ORPHANED, "true");
    assert!(
        build(&facts).waits_for.unwrap().starts_with("nothing: its tenant object was deleted with the policy Orphan")
    );
    facts.copy = Sight::Present(copy("team-b-x"));
    annotate(&mut facts.copy, APPROVED_DELETION, "of-team-b-x");
    assert!(build(&facts).waits_for.unwrap().contains("is approved"));
    facts.copy = Sight::Absent(None);
    assert_eq!(build(&facts).waits_for, None);
    // What nothing assigns any more was found by its marks.
    let gone = Facts { copy: Sight::Present(copy("elsewhere")), place: Err("gone".into()), ..facts };
    let report = build(&gone);
    assert_eq!(report.copy.namespace.as_deref(), Some("elsewhere"));
    assert_eq!(report.service_namespace.problem.as_deref(), Some("gone"));
}

#[test]
fn pauses_policies_and_deletions_are_those_of_the_objects() {
    let mut facts = facts();
    annotate(&mut facts.cluster, PAUSED, "true");
    annotate(&mut facts.tenant, PAUSED, "yes");
    facts.assignment = Sight::Unread("forbidden".into());
    let report = build(&facts);
    let paused: Vec<_> = report.pauses.iter().map(|pause| (pause.what, pause.paused)).collect();
    let wanted = [
        ("tenant object", Some(false)),
        ("ServiceClusterAssignment", None),
        ("CatalogEntry", Some(false)),
        ("ServiceCluster", Some(true)),
    ];
    assert_eq!(paused, wanted);
    assert_eq!(failure(&facts), Some(ClusterFailure::Unreachable));

    annotate(&mut facts.tenant, DELETION_POLICY, "Orphan");
    annotate(&mut facts.tenant, APPROVED_DELETION, "of-another");
    let deletion = build(&facts).deletion;
    assert_eq!((deletion.policy.as_deref(), deletion.refused_policy.as_deref()), (Some("Delete"), Some("Orphan")));
    assert!(!deletion.approved);
    annotate(&mut facts.tenant, APPROVED_DELETION, "tenant");
    facts.entry = Sight::Present(entry(&json!({"deletionPolicy": {"allowed": ["Delete", "Orphan"]}})));
    let deletion = build(&facts).deletion;
    assert_eq!((deletion.policy.as_deref(), deletion.approved), (Some("Orphan"), true));
    facts.entry = Sight::Absent(None);
    assert!(build(&facts).deletion.problem.is_some());

    let Sight::Present(object) = &mut facts.copy else { panic!("it is there") };
    object["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    object["metadata"]["finalizers"] = json!(["example.com/backup"]);
    let copy = build(&facts).copy.object.unwrap();
    assert_eq!(copy.deleted_since.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert_eq!(copy.finalizers, ["example.com/backup"]);
}

#[test]
fn what_could_not_be_read_is_said_in_its_place() {
    let mut facts = facts();
    facts.copy = Sight::Unsought("team-a/eu-west-1 cannot be asked: why".into());
    facts.unreached = Some(Unreached::new("why"));
    let report = build(&facts);
    assert_eq!(report.copy.presence, Presence::Unknown);
    assert_eq!(report.copy.problem.as_deref(), Some("team-a/eu-west-1 cannot be asked: why"));
    assert!(report.internal_object.unwrap().object.is_some(), "the rest is shown");
    assert_eq!(failure(&facts), Some(ClusterFailure::Unreachable));
    facts.unreached = Some(Unreached { is_other_cluster: true, ..Unreached::new("why") });
    assert_eq!(failure(&facts), Some(ClusterFailure::OtherCluster));
    // Not everyone may read Leases.
    let forbidden = ClusterError::new(ErrorKind::Forbidden, "leases is forbidden");
    let facts = Facts { lease: Sight::of(Err(forbidden)), ..self::facts() };
    assert_eq!(build(&facts).lease.problem.as_deref(), Some("leases is forbidden"));
    assert_eq!(failure(&facts), None);
    // A namespace that is somebody else's.
    let facts = Facts { place_seen: Sight::Present(json!({"metadata": {}})), ..self::facts() };
    assert!(build(&facts).service_namespace.problem.unwrap().contains("kubecarrier.io/provider"));
}

#[test]
fn no_value_and_no_second_line_is_in_a_report() {
    let mut facts = facts();
    let mut said = tenant("Rejected", "False", 2);
    said["status"]["conditions"][0]["message"] = json!("spec.a: Invalid value: \"hunter2\": no\n\u{1b}[2J::error::");
    facts.tenant = Sight::Present(said);
    let Sight::Present(object) = &mut facts.copy else { panic!("it is there") };
    object["spec"] = json!({"password": "hunter2"});
    object["metadata"]["finalizers"] = json!(["a\nb"]);
    object["metadata"]["managedFields"][1]["fieldsV1"] = json!({"f:spec": {"f:list": {"v:\"hunter2\"": {}}}});
    let report = build(&facts);
    assert_eq!(report.synced.as_ref().unwrap().message, "spec.a: Invalid value: …: no␊␛[2J::error::");
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("hunter2") && !text.contains("\\n") && !text.contains("\\u001b"), "{text}");
}
