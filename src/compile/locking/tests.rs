//! What is locked of what clusters said, and what drift is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::difference::difference;
use super::plan::Inputs;
use super::{ChangeKind, LockPlan, drift, plan, snapshots, strip};
use crate::compile::load::load;
use crate::compile::resolve::resolve;
use crate::compile::{Discovered, DiscoveredCluster, DiscoveredCrd};
use crate::model::cluster::ClusterId;
use crate::model::diagnostic::Severity;
use crate::model::source::{SourceFile, Sources};

const REPOSITORY: &str = "
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: team-a}
spec: {metadata: {displayName: A}, roles: [Provider], subjects: [{kind: User, name: a}]}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: team-b}
spec: {roles: [Tenant], subjects: [{kind: User, name: b}]}
---
apiVersion: kubecarrier.io/v1alpha1
kind: ServiceCluster
metadata: {name: one, namespace: team-a}
spec: {kubeconfigSecret: {name: k}}
---
apiVersion: kubecarrier.io/v1alpha1
kind: ServiceCluster
metadata: {name: two, namespace: team-a}
spec: {kubeconfigSecret: {name: k}}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: CatalogEntrySet
metadata: {name: dogs, namespace: team-a}
spec:
  metadata: {displayName: Dogs}
  discover: {crd: {name: dogs.example.com}, serviceClusterSelector: {}}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Catalog
metadata: {name: default, namespace: team-a}
spec: {catalogEntrySelector: {}, tenantSelector: {}}
";

fn repository() -> Sources {
    Sources::new(vec![SourceFile { path: "all.yaml".to_owned(), text: REPOSITORY.into() }])
}

/// The repository once these files are written into it.
fn overlaid(sources: &Sources, files: &[(String, Option<String>)]) -> Sources {
    let mut all: BTreeMap<String, String> =
        sources.iter().map(|(_, file)| (file.path.clone(), file.text.to_string())).collect();
    for (path, text) in files {
        match text {
            Some(text) => drop(all.insert(path.clone(), text.clone())),
            None => drop(all.remove(path)),
        }
    }
    Sources::new(all.into_iter().map(|(path, text)| SourceFile { path, text: text.into() }).collect())
}

/// A CRD with these fields.
fn dogs(scope: &str, fields: &[&str]) -> Value {
    let fields: BTreeMap<&str, Value> = fields.iter().map(|f| (*f, json!({"type": "string"}))).collect();
    let spec = json!({"type": "object", "properties": fields});
    strip(&json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "dogs.example.com", "uid": "noise"},
        "spec": {
            "group": "example.com", "scope": scope, "names": {"kind": "Dog", "plural": "dogs"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
            }],
        },
    }))
}

/// What clusters of these names said, each with its CRD.
fn seen(clusters: &[(&str, Option<Value>)]) -> Discovered {
    let one = |(name, crd): &(&str, Option<Value>)| {
        let crds = crd.iter().map(|crd| ("dogs.example.com".to_owned(), DiscoveredCrd::live(crd.clone()))).collect();
        let (uid, server) = (Some(format!("uid-of-{name}")), Some("1.37".to_owned()));
        let cluster = DiscoveredCluster { uid, server, crds, ..DiscoveredCluster::default() };
        (ClusterId::new("team-a", *name), cluster)
    };
    let clusters = clusters.iter().map(one).collect();
    Discovered { management_uid: Some("management".to_owned()), clusters, ..Discovered::default() }
}

/// The identity that a repository without one gets.
const IDENTITY: &str = "0123456789abcdef0123456789abcdef";

fn locked(sources: &Sources, seen: &Discovered) -> LockPlan {
    let (loaded, found) = load(sources);
    assert!(found.is_empty(), "{found:?}");
    let (resolved, _) = resolve(&loaded);
    let (locked, _) = snapshots::read(sources, &loaded.config);
    plan(Inputs {
        sources,
        config: &loaded.config,
        resolved: &resolved,
        locked: &locked,
        given: None,
        seen: Some(seen),
        cluster: None,
        identity: Some(IDENTITY),
        prune: false,
    })
}

fn codes(plan: &LockPlan) -> Vec<&str> {
    plan.in_repository.iter().map(|d| d.code.id).collect()
}

fn kind(plan: &LockPlan, cluster: &str) -> Option<ChangeKind> {
    plan.clusters.get(&ClusterId::new("team-a", cluster))?.crds.get("dogs.example.com").map(|c| c.kind)
}

#[test]
fn each_cluster_may_have_another_form_and_the_second_lock_changes_nothing() {
    let (here, there) = (dogs("Namespaced", &["a"]), dogs("Namespaced", &["a", "b"]));
    let seen = seen(&[("one", Some(here)), ("two", Some(there))]);
    let first = locked(&repository(), &seen);
    assert_eq!(
        first.files.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(),
        ["snapshots/team-a/one/dogs.example.com.yaml", "snapshots/team-a/two/dogs.example.com.yaml", "carrier.lock",]
    );
    assert_eq!(first.management_uid.as_deref(), Some("management"));
    assert_eq!(first.clusters[&ClusterId::new("team-a", "one")].facts, ["Kubernetes 1.37", "UID uid-of-one"]);
    assert!(codes(&first).is_empty());
    let text = |path: &str| first.files.iter().find(|f| f.0 == path).and_then(|f| f.1.clone()).unwrap_or_default();
    assert!(!text(&first.files[0].0).contains("b:") && text(&first.files[1].0).contains("b:"));
    let lock = text("carrier.lock");
    assert!(lock.contains("origin: cluster") && lock.contains("server: \"1.37\"") && lock.contains("team-b: team-b-"));

    let after = overlaid(&repository(), &first.files);
    let second = locked(&after, &seen);
    assert!(second.files.is_empty(), "{:?}", second.files);
    assert_eq!(
        (kind(&second, "one"), kind(&second, "two")),
        (Some(ChangeKind::Unchanged), Some(ChangeKind::Unchanged))
    );
}

#[test]
fn what_cannot_be_asked_or_offered_or_is_gone_stays() {
    let crd = || Some(dogs("Namespaced", &["a"]));
    let before = overlaid(&repository(), &locked(&repository(), &seen(&[("one", crd()), ("two", crd())])).files);
    for (second, code) in [
        // Nobody answered: the shell has said so.
        (None, None),
        (Some(None), Some("CAR0606")),
        (Some(Some(dogs("Cluster", &["a"]))), Some("CAR0340")),
    ] {
        let mut clusters = vec![("one", Some(dogs("Namespaced", &["a", "b"])))];
        clusters.extend(second.clone().map(|crd| ("two", crd)));
        let plan = locked(&before, &seen(&clusters));
        assert_eq!(codes(&plan), code.into_iter().collect::<Vec<_>>());
        assert_eq!((kind(&plan, "one"), kind(&plan, "two")), (Some(ChangeKind::Changed), Some(ChangeKind::Kept)));
        assert_eq!(plan.files.len(), 2, "{second:?}: only the first cluster's snapshot and the lock");
        let lock = plan.files[1].1.clone().unwrap_or_default();
        assert_eq!(lock.matches("sha256:").count(), 2, "{lock}");
    }
}

#[test]
fn a_namespace_is_not_named_before_the_management_cluster_is_known() {
    let seen = Discovered { management_uid: None, ..seen(&[("one", Some(dogs("Namespaced", &["a"])))]) };
    let plan = locked(&repository(), &seen);
    let lock = plan.files.last().and_then(|f| f.1.clone()).unwrap_or_default();
    assert!(lock.contains("dogs.example.com") && !lock.contains("namespaces:"), "{lock}");
}

#[test]
fn drift_is_what_the_cluster_has_and_the_lock_has_not() {
    let crd = || Some(dogs("Namespaced", &["a"]));
    let sources = overlaid(&repository(), &locked(&repository(), &seen(&[("one", crd()), ("two", crd())])).files);
    let (loaded, _) = load(&sources);
    let (resolved, _) = resolve(&loaded);
    let (locked, _) = snapshots::read(&sources, &loaded.config);
    let of = |clusters: &[_], strict| drift(&resolved, &locked.discovered, &seen(clusters), strict, difference);

    let (list, said) = of(&[("one", crd()), ("two", Some(dogs("Namespaced", &["a", "b"])))], false);
    assert_eq!(list.len(), 1);
    assert_eq!(
        (list[0].cluster.to_string().as_str(), list[0].lines.as_slice()),
        ("team-a/two", &["+ v1 .spec.b (string)".to_owned()][..])
    );
    let said = said.into_sorted();
    assert_eq!(said.iter().map(|d| (d.code.id, d.severity)).collect::<Vec<_>>(), [("CAR0607", Severity::Warning)]);
    let (_, said) = of(&[("two", Some(dogs("Namespaced", &["b"])))], true);
    assert!(said.has_errors());
    let (list, said) = of(&[("one", None)], false);
    assert!(list.is_empty());
    assert_eq!(said.iter().map(|d| d.code.id).collect::<Vec<_>>(), ["CAR0606"]);
}

#[test]
fn a_repository_gets_an_identity_once() {
    let first = locked(&repository(), &seen(&[("one", Some(dogs("Namespaced", &["a"])))]));
    assert_eq!(first.repository.as_deref(), Some(IDENTITY));
    let (path, text) = first.files.last().expect("the lock is last");
    let text = text.as_deref().unwrap_or_default();
    assert_eq!(path, "carrier.lock");
    assert!(text.contains(&format!("version: 1\nrepository: {IDENTITY}\n")), "{text}");
    // One that it has is kept.
    let other = "fedcba9876543210fedcba9876543210";
    let mut sources: Vec<SourceFile> =
        repository().iter().map(|(_, file)| SourceFile { path: file.path.clone(), text: file.text.clone() }).collect();
    sources.push(SourceFile { path: "carrier.lock".into(), text: format!("version: 1\nrepository: {other}\n").into() });
    let again = locked(&Sources::new(sources), &seen(&[("one", Some(dogs("Namespaced", &["a"])))]));
    assert_eq!((again.repository, again.after.lock().repository.as_deref()), (None, Some(other)));
}
