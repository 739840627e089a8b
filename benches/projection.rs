//! What copying an instance between the levels costs: a small and a large instance, down and up, beside a plain clone
//! of the same object.
//!
//! `cargo bench --bench projection` prints a table. Each figure is the best of several rounds of 100,000 objects; the
//! ratio to the clone is taken within the same run, since a clone is what a projection of everything cannot do without.
#![allow(clippy::print_stdout, reason = "a benchmark is its table")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run says so by panicking")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use carrier::derivation::{Generations, Preset, Projection};
use carrier::paths::{FieldPath, PathSet};
use serde_json::{Value, json};

const OBJECTS: u32 = 100_000;
const ROUNDS: usize = 5;

/// An instance and what is exposed of its kind.
struct Subject {
    name: &'static str,
    object: Value,
    projection: Projection,
}

fn main() {
    println!("{:<34} {:>12} {:>10} {:>9}", "", "objects/s", "ns/object", "of clone");
    for subject in [small(), large()] {
        let Subject { name, object, projection } = &subject;
        let status = &object["status"];
        let generations = Generations::known([(7, 3)]);
        let whole = measure(|| drop(black_box(black_box(object).clone())));
        let state = measure(|| drop(black_box(black_box(status).clone())));
        line(&format!("{name}: clone of the object"), whole, whole);
        line(&format!("{name}: down"), measure(|| drop(black_box(projection.project_down(black_box(object))))), whole);
        line(&format!("{name}: clone of the status"), state, state);
        let up = measure(|| drop(black_box(projection.project_up(black_box(Some(status)), &generations))));
        line(&format!("{name}: up"), up, state);
        let (set, fields) = (&projection.down, names(object));
        let count = u32::try_from(fields.len()).unwrap();
        let lookups = measure(|| {
            for field in &fields {
                black_box(set.property(black_box(field)));
            }
        });
        println!(
            "{:<34} {:>12} {:>10.1}",
            format!("{name}: a lookup of a field"),
            "",
            nanoseconds(lookups) / f64::from(count)
        );
    }
}

/// The names of every field in an object.
fn names(object: &Value) -> Vec<String> {
    match object {
        Value::Object(map) => {
            map.iter().flat_map(|(key, inner)| std::iter::once(key.clone()).chain(names(inner))).collect()
        }
        Value::Array(items) => items.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// The best time of [`OBJECTS`] runs.
fn measure(mut run: impl FnMut()) -> Duration {
    let round = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..OBJECTS).for_each(|_| run());
        start.elapsed()
    };
    (0..ROUNDS).map(|_| round(&mut run)).min().unwrap()
}

fn nanoseconds(taken: Duration) -> f64 {
    taken.as_secs_f64() * 1e9 / f64::from(OBJECTS)
}

fn line(what: &str, taken: Duration, clone: Duration) {
    let rate = f64::from(OBJECTS) / taken.as_secs_f64();
    let ratio = taken.as_secs_f64() / clone.as_secs_f64();
    println!("{what:<34} {rate:>12.0} {:>10.0} {ratio:>9.2}", nanoseconds(taken));
}

fn projection(paths: &[&str], presets: &[(&str, Value)]) -> Projection {
    let paths: Vec<FieldPath> = paths.iter().map(|p| FieldPath::parse(p).unwrap()).collect();
    let all: PathSet = paths.iter().collect();
    Projection {
        down: all.roots(|root| root != "status"),
        up: all.roots(|root| root == "status"),
        presets: presets
            .iter()
            .map(|(path, value)| Preset { path: FieldPath::parse(path).unwrap(), value: value.clone(), needs: 0 })
            .collect(),
    }
}

/// A cache: a dozen fields, half of them exposed.
fn small() -> Subject {
    let object = json!({
        "apiVersion": "eu.example/v1", "kind": "Cache",
        "metadata": {"name": "sessions", "namespace": "shop", "generation": 7, "uid": "0b7f7a52-6f4b-4a59-9a0d-0d6f0c1d2e3f"},
        "spec": {
            "size": 3, "mode": "cluster", "image": "registry.example/cache:7.2", "password": "open sesame",
            "storage": {"class": "fast", "size": "10Gi"}, "tls": {"enabled": true, "secret": "sessions-tls"},
            "config": {"maxmemory": "1gb", "appendonly": "yes"},
        },
        "status": {
            "observedGeneration": 7, "phase": "Running", "address": "10.0.0.17", "node": "worker-3",
            "conditions": [condition("Ready"), condition("Progressing")],
        },
    });
    let exposed = [
        ".spec.size",
        ".spec.mode",
        ".spec.storage.size",
        ".spec.config",
        ".status.phase",
        ".status.address",
        ".status.observedGeneration",
        ".status.conditions",
    ];
    Subject { name: "small", object, projection: projection(&exposed, &[(".spec.image", json!("cache:7.2"))]) }
}

/// A broker: lists of structs and maps of structs, a thousand and more fields.
fn large() -> Subject {
    let container = |n: usize| {
        json!({
            "name": format!("container-{n}"), "image": format!("registry.example/app-{n}:1.0"),
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}, {"name": "metrics", "containerPort": 9090, "protocol": "TCP"}],
            "env": (0..12).map(|e| json!({"name": format!("SETTING_{e}"), "value": format!("value {e} of {n}")})).collect::<Vec<_>>(),
            "resources": {"limits": {"cpu": "2", "memory": "4Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}},
            "securityContext": {"runAsNonRoot": true, "readOnlyRootFilesystem": true},
        })
    };
    let listener = |n: usize| {
        json!({
            "name": format!("listener-{n}"), "port": 9000 + n, "type": "internal", "tls": n < 10,
            "authentication": {"type": "oauth", "clientId": format!("client-{n}"), "secret": format!("secret-{n}")},
        })
    };
    let pool = |n: usize| {
        let value = json!({"replicas": n, "roles": ["broker", "controller"], "storage": {"size": "100Gi", "class": "fast", "deleteClaim": false}});
        (format!("pool-{n}"), value)
    };
    let member = |n: usize| {
        json!({"name": format!("broker-{n}"), "ready": true, "node": format!("worker-{n}"), "address": format!("10.0.1.{n}"),
            "conditions": [condition("Ready"), condition("InSync")]})
    };
    let object = json!({
        "apiVersion": "eu.example/v1", "kind": "Broker",
        "metadata": {"name": "events", "namespace": "shop", "generation": 7},
        "spec": {
            "version": "3.9.0",
            "listeners": (0..20).map(listener).collect::<Vec<_>>(),
            "pools": (0..20).map(pool).collect::<serde_json::Map<_, _>>(),
            "template": {"containers": (0..20).map(container).collect::<Vec<_>>(), "serviceAccount": "broker"},
            "config": (0..60).map(|n| (format!("setting.number.{n}"), json!(format!("{n}")))).collect::<serde_json::Map<_, _>>(),
        },
        "status": {
            "observedGeneration": 7, "phase": "Running", "clusterId": "Zb2gQH5PSeCqDyOjWQvyFg",
            "members": (0..30).map(member).collect::<Vec<_>>(),
            "conditions": (0..8).map(|n| condition(&format!("Condition{n}"))).collect::<Vec<_>>(),
        },
    });
    let exposed = [
        ".spec.version",
        ".spec.listeners[].name",
        ".spec.listeners[].port",
        ".spec.listeners[].tls",
        ".spec.listeners[].authentication.type",
        ".spec.pools.*.replicas",
        ".spec.pools.*.storage.size",
        ".spec.template.containers[].name",
        ".spec.template.containers[].env",
        ".spec.template.containers[].resources",
        ".spec.template.containers[].ports[].name",
        ".spec.template.containers[].ports[].containerPort",
        ".spec.config",
        ".status.phase",
        ".status.observedGeneration",
        ".status.members[].name",
        ".status.members[].ready",
        ".status.members[].conditions",
        ".status.conditions",
    ];
    Subject { name: "large", object, projection: projection(&exposed, &[(".spec.rack", json!("zone-a"))]) }
}

fn condition(kind: &str) -> Value {
    json!({
        "type": kind, "status": "True", "reason": "AsExpected", "message": "everything is as it should be",
        "lastTransitionTime": "2026-01-02T03:04:05Z", "observedGeneration": 7,
    })
}
