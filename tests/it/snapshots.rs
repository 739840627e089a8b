//! Reading snapshots and the lock: what is sound is taken, whatever else is said
//! with its place, and what carrier writes it reads again.
#![allow(clippy::type_complexity, reason = "a table of cases is read row by row")]

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use crate::common::golden;
use crate::corpus;
use crate::harness::Case;
use carrier::diagnostic::Diagnostics;
use carrier::diagnostic::lock as codes;
use carrier::locking::{lock_file, snapshots, strip};
use carrier::names::ClusterId;
use carrier::settings::Config;
use carrier::settings::{CrdOrigin, Lock, LockedCluster, LockedCrd};
use carrier::source::{SourceFile, Sources};
use carrier::text::to_yaml;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_lock_is_written_so,
        a_lock_that_is_not_there_is_empty_and_sound,
        whatever_is_wrong_with_a_lock_is_said_at_its_place,
        a_merge_conflict_is_one_complaint_a_conflict,
        what_is_sound_is_taken,
        every_file_among_the_snapshots_is_one_or_is_complained_about,
        a_snapshot_that_the_lock_contradicts_is_used_all_the_same,
        noise_is_stripped_and_the_crd_kept,
        the_hash_is_of_sorted_json,
        real_crds_come_back_as_they_were_written_and_fast[corpus::is_here],
        what_is_written_is_read_again,
        no_lock_makes_it_panic,
    ]
}

fn sources(files: &[(&str, &str)]) -> Sources {
    Sources::new(files.iter().map(|(path, text)| SourceFile { path: (*path).into(), text: (*text).into() }).collect())
}

fn eu() -> ClusterId {
    ClusterId::new("team-a", "eu-west-1")
}

fn redis() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "redis.redis.example.com" },
        "spec": { "group": "redis.example.com", "scope": "Namespaced", "versions": [] },
    })
}

const REDIS: &str = "snapshots/team-a/eu-west-1/redis.redis.example.com.yaml";

/// Each complaint as `CODE path:line:column message`.
fn said(sources: &Sources, diagnostics: Diagnostics) -> Vec<String> {
    diagnostics
        .into_sorted()
        .iter()
        .map(|d| {
            assert!(!d.help.is_empty(), "no mend: {d:?}");
            let place = d
                .primary
                .as_ref()
                .map_or_else(String::new, |l| format!("{}:{} ", sources.path(l.span), sources.position(l.span)));
            format!("{} {place}{}", d.code.id, d.message)
        })
        .collect()
}

fn locked(text: &str) -> (Lock, bool, Vec<String>) {
    let sources = sources(&[("carrier.lock", text)]);
    let mut diagnostics = Diagnostics::default();
    let file = lock_file::read(&sources, &mut diagnostics);
    (file.lock, file.sound, said(&sources, diagnostics))
}

fn lock_of_redis() -> Lock {
    let crd = LockedCrd { sha256: snapshots::hash(&redis()), origin: CrdOrigin::File };
    let cluster = LockedCluster {
        uid: None,
        server: Some("1.30".into()),
        crds: BTreeMap::from([("redis.redis.example.com".into(), crd)]),
        namespaces: BTreeMap::from([("team-b".into(), "team-b-abcde".into())]),
    };
    Lock {
        repository: Some("0123456789abcdef0123456789abcdef".into()),
        management_uid: Some("0b7a9d52".into()),
        clusters: BTreeMap::from([(eu(), cluster)]),
    }
}

fn a_lock_is_written_so() {
    golden("testdata/lock/carrier.lock", &lock_file::write(&lock_of_redis()));
    assert_eq!(lock_file::write(&Lock::default()).lines().last(), Some("version: 1"));
}

fn a_lock_that_is_not_there_is_empty_and_sound() {
    let mut diagnostics = Diagnostics::default();
    let file = lock_file::read(&Sources::default(), &mut diagnostics);
    assert!(file.sound && diagnostics.is_empty());
    assert_eq!(file.lock, Lock::default());
}

fn whatever_is_wrong_with_a_lock_is_said_at_its_place() {
    let hash = "a".repeat(64);
    let crd = |body: &str| format!("version: 1\nclusters:\n  a/b:\n    crds:\n      x.y.z:\n        {body}\n");
    let cases: Vec<(String, &str)> = vec![
        (String::from("# nothing\n"), "CAR0502 carrier.lock:1:1 the lock is empty"),
        ("- 1\n".into(), "CAR0502 carrier.lock:1:1 the lock is not a mapping"),
        ("clusters: {}\n".into(), "CAR0502 carrier.lock:1:1 the lock has no version"),
        ("version: 2\nwhat: ever\n".into(), "CAR0504 carrier.lock:1:10 the lock is not of version 1"),
        ("version: \"1\"\n".into(), "CAR0504 carrier.lock:1:10 the lock is not of version 1"),
        ("version: 1\ncluster: {}\n".into(), "CAR0502 carrier.lock:2:1 the lock has no key `cluster` here"),
        ("version: 1\nclusters: []\n".into(), "CAR0502 carrier.lock:2:11 `clusters` is not a mapping"),
        ("version: 1\nclusters: {../x: {}}\n".into(), "CAR0502 carrier.lock:2:12 `../x` names no service cluster"),
        (
            "version: 1\nclusters:\n  a/b:\n    crds: {../../x.y: {}}\n".into(),
            "CAR0502 carrier.lock:4:12 `../../x.y` is not the name of a CRD",
        ),
        (crd("sha256: abc"), "CAR0502 carrier.lock:6:17 not a SHA-256 in 64 hexadecimal digits"),
        (crd(&format!("sha256: {hash}")), "CAR0502 carrier.lock:5:7 `x.y.z` has no `origin`"),
        (crd("origin: file"), "CAR0502 carrier.lock:5:7 `x.y.z` has no `sha256`"),
        (crd("origin: net"), "CAR0502 carrier.lock:6:17 a CRD comes from a `file` or a `cluster`"),
        (crd("[]"), "CAR0502 carrier.lock:6:9 a CRD is not a mapping"),
        (
            "version: 1\nrepository: 12345678901234567890123456789012\n".into(),
            "CAR0502 carrier.lock:2:13 not the identity of a repository, which has 32 hexadecimal digits",
        ),
        ("version: 1\nmanagement: {uid: ''}\n".into(), "CAR0502 carrier.lock:2:19 not the UID of a namespace"),
        (
            "version: 1\nclusters: {a/b: {server: 1.30}}\n".into(),
            "CAR0502 carrier.lock:2:26 not a minor version of Kubernetes",
        ),
        (
            "version: 1\nclusters: {a/b: {namespaces: {t: T-1}}}\n".into(),
            "CAR0502 carrier.lock:2:34 the namespace of `t` is not the name of one",
        ),
        (
            "version: 1\nclusters: {a/b: {namespaces: {t: x, u: x}}}\n".into(),
            "CAR0505 carrier.lock:2:40 `t` and `u` have the namespace `x`",
        ),
        ("version: 1\n---\nversion: 1\n".into(), "CAR0502 carrier.lock:3:1 the lock has more than one document"),
        ("version: 1\nversion: 1\n".into(), "CAR0102 carrier.lock:2:1 duplicate key `version`"),
        ("version: [1\n".into(), "CAR0101"),
    ];
    for (text, expected) in cases {
        let (_, sound, said) = locked(&text);
        assert!(!sound, "{text}");
        assert!(said.len() == 1 && said[0].starts_with(expected), "{text}\n{said:?}\n{expected}");
    }
}

fn a_merge_conflict_is_one_complaint_a_conflict() {
    let text = "version: 1\nclusters:\n<<<<<<< HEAD\n  a/b: {}\n=======\n  a/c: {}\n>>>>>>> theirs\n";
    let (_, sound, said) = locked(text);
    assert!(!sound);
    assert_eq!(said, ["CAR0503 carrier.lock:3:1 an unresolved merge conflict"]);
    assert_eq!(locked(&text.replace("<<<<<<< HEAD\n", "")).2.len(), 1, "the rest of one is one, too");
    let sources = sources(&[(REDIS, "kind: x\n<<<<<<< HEAD\n=======\n>>>>>>> b\n")]);
    let (_, diagnostics) = snapshots::read(&sources, &Config::default());
    assert_eq!(self::said(&sources, diagnostics), [format!("CAR0503 {REDIS}:2:1 an unresolved merge conflict")]);
}

fn what_is_sound_is_taken() {
    let (lock, text) = (lock_of_redis(), to_yaml(&redis()));
    let sources = sources(&[("carrier.lock", &lock_file::write(&lock)), (REDIS, &text)]);
    let (locked, diagnostics) = snapshots::read(&sources, &Config::default());
    assert_eq!(said(&sources, diagnostics), [""; 0]);
    assert_eq!(*locked.lock(), lock);
    assert_eq!(*locked.discovered.crd(&eu(), "redis.redis.example.com").unwrap().body, redis());
}

fn every_file_among_the_snapshots_is_one_or_is_complained_about() {
    let good = to_yaml(&redis());
    let lock = lock_file::write(&lock_of_redis());
    let edited = good.replace("Namespaced", "Cluster");
    let twice = format!("{good}---\n{good}");
    let old = good.replace("k8s.io/v1", "k8s.io/v1beta1");
    let dir = "snapshots/team-a/eu-west-1";
    let cases: Vec<(Vec<(String, &str)>, Vec<String>)> = vec![
        (vec![], vec!["CAR0507 carrier.lock:10:7 `redis.redis.example.com` of the cluster `team-a/eu-west-1` is locked, but there is no".into()]),
        (vec![(REDIS.into(), &edited)], vec![format!("CAR0508 {REDIS}:4:9 `redis.redis.example.com` of the cluster")]),
        (vec![(REDIS.into(), &twice)], vec![format!("CAR0511 {REDIS}:11:7")]),
        (vec![(REDIS.into(), &old)], vec![format!("CAR0513 {REDIS}:1:13")]),
        (vec![(REDIS.into(), "")], vec![format!("CAR0512 {REDIS}:1:1 the file is empty")]),
        (vec![(REDIS.into(), "# soon\n")], vec![format!("CAR0512 {REDIS}:1:1 the file holds no object")]),
        (
            vec![(REDIS.into(), "apiVersion: v1\nkind: Secret\n")],
            vec![format!("CAR0512 {REDIS}:2:7 a snapshot is a CustomResourceDefinition, and this is a Secret of `v1`")],
        ),
        (vec![(REDIS.into(), "a: [\n")], vec![format!("CAR0101 {REDIS}:")]),
        (vec![("snapshots/x.yaml".into(), &good), (REDIS.into(), &good)], vec!["CAR0510 snapshots/x.yaml:1:1".into()]),
        (
            vec![(format!("{dir}/other.example.com.yaml"), &good), (REDIS.into(), &good)],
            vec![format!("CAR0510 {dir}/other.example.com.yaml:4:9 the file is named after `other.example.com`")],
        ),
        (
            vec![(REDIS.into(), &good), (REDIS.replace(".yaml", ".yml"), &good)],
            vec![format!("CAR0511 {}:4:9 `redis.redis.example.com` has two snapshots", REDIS.replace(".yaml", ".yml"))],
        ),
        (
            vec![(REDIS.into(), &good), (REDIS.replace("eu-west-1", "us-east-1"), &good)],
            vec![format!("CAR0506 {}:4:9", REDIS.replace("eu-west-1", "us-east-1"))],
        ),
    ];
    for (files, expected) in cases {
        let mut all: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), *t)).collect();
        all.push(("carrier.lock", &lock));
        let sources = sources(&all);
        let (_, diagnostics) = snapshots::read(&sources, &Config::default());
        let said = said(&sources, diagnostics);
        assert!(
            said.len() == expected.len() && said.iter().zip(&expected).all(|(s, e)| s.starts_with(e.as_str())),
            "{said:#?}\n{expected:#?}"
        );
    }
}

fn a_snapshot_that_the_lock_contradicts_is_used_all_the_same() {
    let edited = to_yaml(&redis()).replace("Namespaced", "Cluster");
    let sources = sources(&[("carrier.lock", &lock_file::write(&lock_of_redis())), (REDIS, &edited)]);
    let (locked, diagnostics) = snapshots::read(&sources, &Config::default());
    assert!(diagnostics.iter().all(|d| d.code == &codes::HASH_DIFFERS));
    assert!(locked.discovered.crd(&eu(), "redis.redis.example.com").is_some());
}

fn noise_is_stripped_and_the_crd_kept() {
    let mut crd = redis();
    crd["status"] = json!({"conditions": []});
    for (key, value) in [
        ("uid", json!("x")),
        ("resourceVersion", json!("1")),
        ("generation", json!(3)),
        ("creationTimestamp", Value::Null),
        ("managedFields", json!([])),
        ("ownerReferences", json!([])),
        ("finalizers", json!(["customresourcecleanup.apiextensions.k8s.io"])),
        ("selfLink", json!("/x")),
    ] {
        crd["metadata"][key] = value;
    }
    crd["metadata"]["annotations"] = json!({
        "kubectl.kubernetes.io/last-applied-configuration": "{}", "meta.helm.sh/release-name": "r",
        "argocd.argoproj.io/sync-wave": "1", "kustomize.toolkit.fluxcd.io/prune": "disabled",
        "operatorframework.io/installed-alongside-1": "x", "olm.owner": "x", "cert-manager.io/inject-ca-from": "a/b",
        "service.beta.openshift.io/inject-cabundle": "true",
        "controller-gen.kubebuilder.io/version": "v0.16.0", "api-approved.kubernetes.io": "unapproved",
    });
    crd["metadata"]["labels"] = json!({
        "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "r-1.2.3", "app.kubernetes.io/instance": "r",
        "operators.coreos.com/redis.ns": "", "olm.managed": "true", "app.kubernetes.io/name": "redis",
    });
    crd["spec"]["conversion"] =
        json!({"strategy": "Webhook", "webhook": {"clientConfig": {"caBundle": "Y2E=", "url": "https://x"}}});
    let stripped = strip(&crd);
    assert_eq!(strip(&stripped), stripped);
    assert_eq!(
        stripped["metadata"],
        json!({
            "name": "redis.redis.example.com",
            "labels": {"app.kubernetes.io/name": "redis"},
            "annotations": {"api-approved.kubernetes.io": "unapproved", "controller-gen.kubebuilder.io/version": "v0.16.0"},
        })
    );
    assert_eq!(stripped["spec"]["conversion"]["webhook"]["clientConfig"], json!({"url": "https://x"}));
    assert!(stripped.get("status").is_none());
    assert_eq!(stripped["spec"]["group"], crd["spec"]["group"]);
}

fn the_hash_is_of_sorted_json() {
    // echo -n '{"a":{"c":1,"d":1.5},"b":"é"}' | sha256sum
    let text = r#"{"b":"é","a":{"d":1.5,"c":1}}"#;
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"a":{"c":1,"d":1.5},"b":"é"}"#);
    assert_eq!(snapshots::hash(&value), "0ccbe5a54bb95fa3606e14d10b79eba609c500272fa89177bb064ae4851921d4");
}

fn real_crds_come_back_as_they_were_written_and_fast() {
    let files = corpus::files(&corpus::folder().join("crds"));
    let config = Config::default();
    let mut lock = Lock::default();
    let mut written = BTreeMap::new();
    for (n, file) in files.iter().enumerate() {
        let text = fs::read_to_string(file).unwrap();
        let from = sources(&[("x", &text)]);
        let (id, source) = from.iter().next().unwrap();
        let documents = carrier::text::read(id, &source.text, &mut Diagnostics::default());
        let crd = strip(&documents[0].root.to_json());
        let name = crd["metadata"]["name"].as_str().unwrap().to_owned();
        // Two files have one CRD in two versions: each gets a cluster of its own.
        let cluster = ClusterId::new("team-a", format!("c-{}", n % 2));
        let locked = LockedCrd { sha256: snapshots::hash(&crd), origin: CrdOrigin::File };
        lock.clusters.entry(cluster.clone()).or_default().crds.insert(name.clone(), locked);
        written.insert(snapshots::path_of(&config, &cluster, &name), to_yaml(&crd));
    }
    let count = written.len();
    let bytes: usize = written.values().map(String::len).sum();
    let mut all: Vec<SourceFile> =
        written.into_iter().map(|(path, text)| SourceFile { path, text: text.into() }).collect();
    all.push(SourceFile { path: "carrier.lock".into(), text: lock_file::write(&lock).into() });
    let sources = Sources::new(all);
    let begun = Instant::now();
    let (found, diagnostics) = snapshots::read(&sources, &config);
    crate::measured(&format!("{count} snapshots, {bytes} bytes in {:?}", begun.elapsed()));
    assert_eq!(said(&sources, diagnostics), [""; 0]);
    assert_eq!(found.discovered.clusters.values().map(|known| known.crds.len()).sum::<usize>(), count);
    assert_eq!(*found.lock(), lock);
}

fn label() -> impl Strategy<Value = String> {
    // `1e5`, `on` and `null` are names, and YAML that needs quotes.
    prop_oneof![
        "[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?",
        Just("on".to_owned()),
        Just("1e5".to_owned()),
        Just("null".to_owned())
    ]
}

fn any_lock() -> impl Strategy<Value = Lock> {
    let crd = ("[0-9a-f]{64}", any::<bool>()).prop_map(|(sha256, file)| LockedCrd {
        sha256,
        origin: if file { CrdOrigin::File } else { CrdOrigin::Cluster },
    });
    let name = (label(), label()).prop_map(|(a, b)| format!("{a}.{b}"));
    let cluster = (
        proptest::option::of("[0-9a-f]([0-9a-f-]{0,34}[0-9a-f])?"),
        proptest::option::of("1\\.[0-9]{1,2}"),
        proptest::collection::btree_map(name, crd, 0..4),
        proptest::collection::btree_set(label(), 0..4),
    )
        .prop_map(|(uid, server, crds, tenants)| LockedCluster {
            uid,
            server,
            crds,
            namespaces: tenants.into_iter().map(|t| (t.clone(), t)).collect(),
        });
    let id = (label(), label()).prop_map(|(p, c)| ClusterId::new(p, c));
    // Digits alone, or with an e between them, are a number to a reader of YAML.
    let identity = prop_oneof!["[0-9a-f]{32}", "[0-9]{32}", "[0-9]{15}e[0-9]{16}"];
    let clusters = proptest::collection::btree_map(id, cluster, 0..4);
    (proptest::option::of(identity), proptest::option::of("[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?"), clusters)
        .prop_map(|(repository, management_uid, clusters)| Lock { repository, management_uid, clusters })
}

proptest! {
    fn what_is_written_is_read_again(mut lock in any_lock()) {
        let text = lock_file::write(&lock);
        let (read, sound, said) = locked(&text);
        prop_assert!(sound && said.is_empty(), "{said:?}\n{text}");
        lock.clusters.retain(|_, c| *c != LockedCluster::default());
        prop_assert_eq!(&read, &lock);
        prop_assert_eq!(lock_file::write(&read), text);
    }

    fn no_lock_makes_it_panic(text in "((version|clusters|crds|a/b|x.y|namespaces|sha256|origin|file|uid|server)(:|: |\n|- |  |\n  |\n    |[<=>]{7})?){0,30}") {
        let _ = locked(&text);
    }
}
