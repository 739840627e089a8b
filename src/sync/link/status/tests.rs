//! The status of a ServiceCluster for everything that can be known, and that nothing is written without a change.

use super::*;

const NOW: &str = "2026-01-02T00:00:00Z";
const LATER: &str = "2026-01-02T00:01:00Z";

fn id() -> ClusterId {
    ClusterId::new("team-a", "eu-west-1")
}

fn seen(id: &ClusterId, trust: Trust, kubeconfig: Result<bool, Fault>) -> Seen<'_> {
    Seen { id, trust, kubeconfig, remark: None, version: None, to_pin: None, paused: false, deleting: false }
}

fn trusted() -> Trust {
    Trust::Trusted { uid: "a".into() }
}

fn live() -> Value {
    json!({
        "apiVersion": "kubecarrier.io/v1alpha1", "kind": "ServiceCluster",
        "metadata": {"name": "eu-west-1", "namespace": "team-a", "uid": "u", "resourceVersion": "7", "generation": 3},
    })
}

fn words(status: &ClusterStatus) -> Vec<String> {
    status.conditions.iter().map(|c| format!("{} {} {}", c.type_, c.status.word(), c.reason)).collect()
}

#[test]
fn conditions_say_what_is_known() {
    let fault = |reason| Fault::of_kubeconfig(reason, "why");
    let silent = Trust::Unreachable { reason: CLUSTER_UNREACHABLE, message: "no answer".into() };
    let none = |reason| Trust::NoKubeconfig { reason, message: "why".into() };
    let changed = Trust::IdentityChanged { pinned: "a".into(), found: "b".into() };
    for (trust, kubeconfig, phase, expected) in [
        (
            trusted(),
            Ok(true),
            "Ready",
            ["True ComponentsReady", "True KubeconfigReady", "True ServiceClusterReachable"],
        ),
        (trusted(), Ok(false), "Ready", ["True ComponentsReady", "Unknown Pending", "True ServiceClusterReachable"]),
        (
            trusted(),
            Err(fault("SecretNotFound")),
            "Ready",
            ["True ComponentsReady", "False SecretNotFound", "True ServiceClusterReachable"],
        ),
        (
            silent,
            Ok(true),
            "NotReady",
            ["False ServiceClusterUnreachable", "True KubeconfigReady", "False ClusterUnreachable"],
        ),
        (
            none("SecretNotFound"),
            Err(fault("SecretNotFound")),
            "NotReady",
            ["False ServiceClusterUnreachable", "False SecretNotFound", "False ClusterUnreachable"],
        ),
        (
            none("Unauthorized"),
            Err(fault("Unauthorized")),
            "NotReady",
            ["False ServiceClusterUnreachable", "False Unauthorized", "False Unauthorized"],
        ),
        (
            changed,
            Err(fault("IdentityChanged")),
            "NotReady",
            ["False IdentityChanged", "False IdentityChanged", "False IdentityChanged"],
        ),
    ] {
        let id = id();
        let status = ClusterStatus::of(&seen(&id, trust, kubeconfig)).expect("enough is known");
        let types = ["Ready", "KubeconfigReady", "ServiceClusterReachable"];
        let expected: Vec<String> = types.iter().zip(expected).map(|(type_, rest)| format!("{type_} {rest}")).collect();
        assert_eq!((words(&status), status.phase), (expected, phase));
    }
}

#[test]
fn nothing_is_said_before_anything_is_known() {
    assert_eq!(ClusterStatus::of(&seen(&id(), Trust::Pending, Ok(false))), None);
}

#[test]
fn a_pause_and_a_deletion_are_said_beside_what_is_known() {
    let id = id();
    let known = seen(&id, trusted(), Ok(true));
    let status = ClusterStatus::of(&Seen { paused: true, ..known.clone() }).expect("a status");
    let expected = ["Ready Unknown Paused", "KubeconfigReady True KubeconfigReady"];
    assert_eq!((&words(&status)[..2], status.phase), (&expected.map(str::to_owned)[..], "Unknown"));
    let status = ClusterStatus::of(&Seen { paused: true, deleting: true, ..known }).expect("a status");
    assert_eq!((words(&status)[0].as_str(), status.phase), ("Ready False Deleting", "Terminating"));
}

#[test]
fn the_message_has_the_command_that_accepts_another_identity() {
    let id = id();
    let changed = Trust::IdentityChanged { pinned: "a".into(), found: "b-1".into() };
    let status = ClusterStatus::of(&seen(&id, changed, Ok(true))).expect("a status");
    let message = &status.conditions[2].message;
    let command =
        "kubectl annotate --overwrite -n team-a servicecluster eu-west-1 carrier.kubecarrier.io/accept-identity=b-1";
    assert!(message.ends_with(command), "{message}");
}

#[test]
fn a_first_contact_is_written_only_where_nobody_else_has_written() {
    let id = id();
    let version = json!({"gitVersion": "v1.37.2\n", "major": "1", "other": {"x": 1}});
    let first = Seen { to_pin: Some("a"), version: Some(&version), ..seen(&id, Trust::Pending, Ok(true)) };
    let body = ClusterStatus::of(&first).and_then(|status| status.patch(&live(), NOW)).expect("a write");
    let metadata = json!({"name": "eu-west-1", "namespace": "team-a", "uid": "u", "resourceVersion": "7"});
    assert_eq!((&body["metadata"], &body["kind"]), (&metadata, &json!("ServiceCluster")));
    assert_eq!((&body["status"]["clusterUID"], &body["status"]["observedGeneration"]), (&json!("a"), &json!(3)));
    let version = &body["status"]["kubernetesVersion"];
    assert_eq!(version.as_object().map(serde_json::Map::len), Some(9), "all are required: {version}");
    assert_eq!((&version["gitVersion"], &version["compiler"]), (&json!("v1.37.2"), &json!("")));
    let condition = &body["status"]["conditions"][0];
    assert_eq!((&condition["lastTransitionTime"], &condition["lastHeartbeatTime"]), (&json!(NOW), &json!(NOW)));
}

#[test]
fn nothing_is_written_to_refresh_a_time() {
    let id = id();
    let known = seen(&id, trusted(), Ok(true));
    let status = ClusterStatus::of(&known).expect("a status");
    let mut live = live();
    live["status"] = json!({"clusterUID": "a", "kubernetesVersion": {"gitVersion": "v1"}});
    live["status"] = status.patch(&live, NOW).expect("a write")["status"].clone();
    assert_eq!(status.patch(&live, LATER), None);

    // What is not known now stays; a time moves only with its status.
    let silent = Trust::Unreachable { reason: CLUSTER_UNREACHABLE, message: "no answer".into() };
    let body = ClusterStatus::of(&seen(&id, silent, Ok(true))).and_then(|status| status.patch(&live, LATER));
    let body = body.expect("a write");
    assert!(body["metadata"].get("resourceVersion").is_none());
    assert_eq!(
        (&body["status"]["clusterUID"], &body["status"]["kubernetesVersion"]["gitVersion"]),
        (&json!("a"), &json!("v1"))
    );
    let times: Vec<&Value> =
        body["status"]["conditions"].as_array().expect("a list").iter().map(|c| &c["lastTransitionTime"]).collect();
    assert_eq!(times, [LATER, NOW, LATER]);

    live["metadata"]["generation"] = json!(4);
    assert!(status.patch(&live, LATER).is_some(), "another generation was observed");
}

#[test]
fn a_fault_beside_a_connection_says_that_the_connection_stays() {
    let id = id();
    let fault = || Fault::of_kubeconfig("SecretNotFound", "it does not exist");
    let message = |trust: Trust| {
        let known = Seen { remark: Some("and more"), ..seen(&id, trust, Err(fault())) };
        ClusterStatus::of(&known).expect("a status").conditions[1].message.clone()
    };
    assert_eq!(
        message(trusted()),
        "it does not exist; the connection of the kubeconfig before it stays in use; and more"
    );
    let none = Trust::NoKubeconfig { reason: "SecretNotFound", message: "it does not exist".into() };
    assert_eq!(message(none), "it does not exist; and more");
}
