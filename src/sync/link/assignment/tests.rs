//! What an Assignment says, and its status for everything that can be known.

use super::*;

const NOW: &str = "2026-01-02T00:00:00Z";

fn id() -> ClusterId {
    ClusterId::new("team-a", "eu-west-1")
}

fn live() -> Value {
    json!({
        "apiVersion": "kubecarrier.io/v1alpha1", "kind": "ServiceClusterAssignment",
        "metadata": {
            "name": "team-b.eu-west-1", "namespace": "team-a", "generation": 1, "resourceVersion": "7",
            "annotations": {keys::SERVICE_NAMESPACE: "team-b-x"},
        },
        "spec": {"serviceCluster": {"name": "eu-west-1"}, "managementNamespace": {"name": "team-b"}},
    })
}

fn facts() -> Facts {
    Facts::of(&live(), &id()).expect("an assignment of this cluster")
}

#[test]
fn an_assignment_names_a_namespace() {
    let expected = Facts { tenant: "team-b".into(), namespace: Ok("team-b-x".into()), paused: false, deleting: false };
    assert_eq!(facts(), expected);
    for (pointer, value) in
        [("/spec/serviceCluster/name", "eu-west-2"), ("/metadata/namespace", "team-c"), ("/metadata/name", "other")]
    {
        let mut other = live();
        *other.pointer_mut(pointer).expect("a field") = value.into();
        assert_eq!(Facts::of(&other, &id()), None, "{pointer}");
    }
    let mut old = live();
    old["metadata"]["annotations"] = json!({});
    assert!(Facts::of(&old, &id()).is_some_and(|facts| facts.namespace.is_err_and(|why| why.contains("render"))));
    old["status"] = json!({"serviceClusterNamespace": {"name": "team-b-old"}});
    assert_eq!(Facts::of(&old, &id()).map(|facts| facts.namespace), Some(Ok("team-b-old".into())));
    old["status"] = json!({"serviceClusterNamespace": {"name": "kube-system"}});
    assert!(Facts::of(&old, &id()).is_some_and(|facts| facts.namespace.is_err()));
}

#[test]
fn the_condition_says_what_is_known() {
    let trusted = Trust::Trusted { uid: "a".into() };
    let silent = Trust::Unreachable { reason: CLUSTER_UNREACHABLE, message: "no answer".into() };
    let none = Trust::NoKubeconfig { reason: "SecretNotFound", message: "gone".into() };
    let changed = Trust::IdentityChanged { pinned: "a".into(), found: "b".into() };
    let not_ours = NamespaceState::NotOurs { reason: "it is of others".into() };
    for (trust, state, expected) in [
        (&Trust::Pending, NamespaceState::Unknown(None), ""),
        (&trusted, NamespaceState::Unknown(None), ""),
        (&trusted, NamespaceState::Unknown(Some("why".into())), "False CreatingNamespace"),
        (&trusted, NamespaceState::Missing(Some("why".into())), "False CreatingNamespace"),
        (&trusted, NamespaceState::Terminating, "False CreatingNamespace"),
        (&trusted, not_ours, "False NamespaceNotOurs"),
        (&trusted, NamespaceState::Ours, "True SetupComplete"),
        (&trusted, NamespaceState::OursUnmarked, "True SetupComplete"),
        (&silent, NamespaceState::Ours, "Unknown ClusterUnreachable"),
        (&none, NamespaceState::Ours, "Unknown ClusterUnreachable"),
        (&changed, NamespaceState::Ours, "Unknown IdentityChanged"),
    ] {
        let verdict = ready(&facts(), trust, &state);
        let word = verdict.as_ref().map(|v| format!("{} {}", v.status.word(), v.reason)).unwrap_or_default();
        assert_eq!(word, expected, "{trust:?} {state:?}");
        if let NamespaceState::Missing(_) | NamespaceState::Unknown(Some(_)) = state {
            assert!(verdict.is_some_and(|verdict| verdict.message.ends_with(": why")));
        }
    }
    let word = |facts: Facts| ready(&facts, &silent, &NamespaceState::Ours).map(|v| v.reason);
    assert_eq!(word(Facts { paused: true, ..facts() }), Some("Paused"));
    assert_eq!(word(Facts { paused: true, deleting: true, ..facts() }), Some("Deleting"));
    assert_eq!(word(Facts { namespace: Err("no".into()), ..facts() }), Some("CreatingNamespace"));
}

#[test]
fn the_namespace_is_shown_once_it_is_ready_and_then_stays() {
    let verdict = |status, reason| Verdict::new("Ready", status, reason, "m");
    let (ok, unknown) = (verdict(Truth::True, "SetupComplete"), verdict(Truth::Unknown, CLUSTER_UNREACHABLE));
    let gone = verdict(Truth::False, "CreatingNamespace");
    let name = |body: &Value| body.pointer("/status/serviceClusterNamespace/name").cloned();
    let mut live = live();
    let body = patch(&gone, &facts(), &live, NOW).expect("a write");
    assert_eq!((name(&body), &body["status"]["phase"]), (None, &json!("NotReady")));
    let body = patch(&ok, &facts(), &live, NOW).expect("a write");
    assert_eq!((name(&body), &body["status"]["observedGeneration"]), (Some(json!("team-b-x")), &json!(1)));
    live["status"] = body["status"].clone();
    assert_eq!(patch(&ok, &facts(), &live, "later"), None);
    for verdict in [unknown, gone] {
        let body = patch(&verdict, &facts(), &live, NOW).expect("a write");
        assert_eq!(name(&body), Some(json!("team-b-x")));
    }
    let body = patch(&verdict(Truth::False, "NamespaceNotOurs"), &facts(), &live, NOW).expect("a write");
    assert_eq!(name(&body), None);
}
