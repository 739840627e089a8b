//! Changes around the schemas: of versions, of the scope, of subresources, and at the root
//! of a schema. Each has a CRD of its own.

#![allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]

use carrier::planning::{Effect, crd_reasons};
use futures::StreamExt as _;
use kube::Client;
use serde_json::{Value, json};

use super::batch::bare;
use super::catalogue::{kind, object, with};
use super::wire::{self, CRDS, ask};

const GROUP: &str = "around.example.com";
/// How many CRDs are tried at once.
const AT_ONCE: usize = 8;

/// What a CRD is at first, and what it becomes, step by step. Instances are stored in the first; the last change is judged.
struct Around {
    name: &'static str,
    steps: Vec<Value>,
}

/// A version with the properties of its root.
fn version(name: &str, flags: [bool; 2], root: Value) -> Value {
    let [served, storage] = flags;
    json!({ "name": name, "served": served, "storage": storage, "schema": { "openAPIV3Schema": root } })
}

/// The version is served and stored.
const BOTH: [bool; 2] = [true, true];
const SERVED: [bool; 2] = [true, false];
const STORED: [bool; 2] = [false, true];
const NEITHER: [bool; 2] = [false, false];

fn spec(properties: Value) -> Value {
    object(json!({ "spec": object(properties) }))
}

fn one(root: Value) -> Value {
    json!({ "versions": [version("v1", BOTH, root)] })
}

fn two(first: [bool; 2], before: &Value, second: [bool; 2], after: &Value) -> Value {
    json!({ "versions": [version("v1", first, before.clone()), version("v2", second, after.clone())] })
}

/// What is stored. `extra` and `status` are there only where the schema keeps them.
fn instance() -> Value {
    json!({ "spec": { "a": "x", "b": 1 }, "extra": { "n": 1 } })
}

#[expect(clippy::too_many_lines, reason = "a table: one entry for each case")]
fn all() -> Vec<Around> {
    let (text, number) = (kind("string"), kind("integer"));
    let full = spec(json!({ "a": text, "b": number }));
    let less = spec(json!({ "a": text }));
    let more = spec(json!({ "a": text, "b": number, "c": { "type": "string", "default": "d" } }));
    let of = |name, steps: Vec<Value>| Around { name, steps };
    let single = |name, before: Value, after: Value| of(name, vec![one(before), one(after)]);
    let named = |bound: u8| {
        with(
            &full,
            json!({ "properties": {
        "spec": full["properties"]["spec"], "metadata": object(json!({ "name": { "type": "string", "maxLength": bound } })),
    } }),
        )
    };
    let keeping = with(&full, json!({ "x-kubernetes-preserve-unknown-fields": true }));
    let rooted = |more: Value| {
        let mut root = full.clone();
        root["properties"]["mode"] = more;
        root
    };
    let mut found = vec![
        single("metadata.name bounded", full.clone(), named(2)),
        single("metadata.name bounded more widely", named(60), named(63)),
        single(
            "metadata described",
            full.clone(),
            with(&full, json!({ "properties": { "spec": full["properties"]["spec"], "metadata": kind("object") } })),
        ),
        single(
            "rule at the root",
            full.clone(),
            with(&full, json!({ "x-kubernetes-validations": [{ "rule": "self.metadata.name == 'other'" }] })),
        ),
        single("root keeps unknown fields", full.clone(), keeping.clone()),
        single("root drops unknown fields", keeping, full.clone()),
        single("default at the root", full.clone(), rooted(json!({ "type": "string", "default": "d" }))),
        single("property at the root", full.clone(), rooted(text.clone())),
        single("required at the root", full.clone(), with(&rooted(text.clone()), json!({ "required": ["mode"] }))),
        of("version added", vec![one(full.clone()), two(BOTH, &full, SERVED, &full)]),
        of("version added and stored", vec![one(full.clone()), two(SERVED, &full, BOTH, &full)]),
        of("version added and stored, without a field", vec![one(full.clone()), two(SERVED, &full, BOTH, &less)]),
        of("version added and stored, with a default", vec![one(full.clone()), two(SERVED, &full, BOTH, &more)]),
        of("storage moves to an equal version", vec![two(BOTH, &full, SERVED, &full), two(SERVED, &full, BOTH, &full)]),
        of(
            "storage moves to a version without a field",
            vec![two(BOTH, &full, SERVED, &less), two(SERVED, &full, BOTH, &less)],
        ),
        of(
            "storage moves to a version with a default",
            vec![two(BOTH, &full, SERVED, &more), two(SERVED, &full, BOTH, &more)],
        ),
        of(
            "default in a version that is not stored",
            vec![two(BOTH, &full, SERVED, &full), two(BOTH, &full, SERVED, &more)],
        ),
        of(
            "field removed from a version that is stored, not served",
            vec![two(BOTH, &full, SERVED, &full), two(STORED, &full, SERVED, &full), two(STORED, &less, SERVED, &full)],
        ),
        of(
            "default in a version that is stored, not served",
            vec![two(BOTH, &full, SERVED, &full), two(STORED, &full, SERVED, &full), two(STORED, &more, SERVED, &more)],
        ),
        of(
            "field removed from a version that was stored",
            vec![two(BOTH, &full, SERVED, &full), two(NEITHER, &full, BOTH, &full), two(NEITHER, &less, BOTH, &full)],
        ),
        of(
            "field removed from a version that is neither",
            vec![two(BOTH, &full, NEITHER, &full), two(BOTH, &full, NEITHER, &less)],
        ),
        of("version no longer served", vec![two(BOTH, &full, SERVED, &full), two(BOTH, &full, NEITHER, &full)]),
        of("version removed", vec![two(BOTH, &full, SERVED, &full), one(full.clone())]),
        of(
            "stored version removed",
            vec![
                two(BOTH, &full, SERVED, &full),
                two(NEITHER, &full, BOTH, &full),
                json!({ "versions": [version("v2", BOTH, full.clone())] }),
            ],
        ),
        of("version served again", vec![two(BOTH, &full, NEITHER, &full), two(BOTH, &full, SERVED, &full)]),
        of("scope", vec![one(full.clone()), with(&one(full.clone()), json!({ "scope": "Cluster" }))]),
    ];
    let status = with(
        &full,
        json!({ "properties": { "spec": full["properties"]["spec"], "status": object(json!({ "n": number })) } }),
    );
    let having = |more: Value| {
        let mut crd = one(status.clone());
        crd["versions"][0] = with(&crd["versions"][0], more);
        crd
    };
    let scale = |path: &str| json!({ "subresources": { "scale": { "specReplicasPath": path, "statusReplicasPath": ".status.n" } } });
    let columns = json!({ "additionalPrinterColumns": [{ "name": "A", "type": "string", "jsonPath": ".spec.a" }] });
    let selectable = json!({ "selectableFields": [{ "jsonPath": ".spec.a" }] });
    for (name, before, after) in [
        ("subresource status added", json!({}), json!({ "subresources": { "status": {} } })),
        ("subresource status removed", json!({ "subresources": { "status": {} } }), json!({})),
        ("subresource scale added", json!({}), scale(".spec.b")),
        ("subresource scale removed", scale(".spec.b"), json!({})),
        ("subresource scale moved", scale(".spec.b"), scale(".spec.c")),
        ("selectable field added", json!({}), selectable.clone()),
        ("selectable field removed", selectable, json!({})),
        ("printer column added", json!({}), columns),
        ("version deprecated", json!({}), json!({ "deprecated": true })),
    ] {
        found.push(of(name, vec![having(before), having(after)]));
    }
    found
}

/// Tries all; what is called safe and is not. Prints a line for each.
pub(super) async fn try_all(client: &Client) -> Vec<String> {
    let all = all();
    let tried = all.iter().enumerate().map(|(number, around)| around.tried(client, number));
    // Collected first: a stream that made them as it goes could not move between threads.
    let tried: Vec<_> = tried.collect();
    let tried: Vec<(Effect, Option<String>)> = futures::stream::iter(tried).buffered(AT_ONCE).collect().await;
    let mut wrong = Vec::new();
    eprintln!("| around the schema | verdict | what happens |");
    for (around, (effect, harm)) in all.iter().zip(tried) {
        let word = format!("{effect:?}").to_lowercase();
        eprintln!("| {} | {word} | {} |", around.name, harm.as_deref().unwrap_or("nothing"));
        let is_refused = harm.as_deref().is_some_and(|harm| harm.starts_with("refused"));
        if let Some(harm) = harm.filter(|_| effect == Effect::Safe && !is_refused) {
            wrong.push(format!("{}: {harm}", around.name));
        }
    }
    wrong
}

impl Around {
    /// The CRD of a step. In every version, a field with a default tells that the step is served.
    fn crd(&self, number: usize, step: usize) -> Value {
        let mut spec = with(
            &json!({ "group": GROUP, "scope": "Namespaced", "names": { "plural": format!("a{number}s"), "kind": format!("A{number}") } }),
            self.steps[step].clone(),
        );
        for version in spec["versions"].as_array_mut().into_iter().flatten() {
            version["schema"]["openAPIV3Schema"]["properties"][format!("marker{step}")] =
                json!({ "type": "string", "default": "served" });
        }
        let name = format!("a{number}s.{GROUP}");
        json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": name }, "spec": spec })
    }

    /// The effect that `plan` says of the last step, and what it does.
    async fn tried(&self, client: &Client, number: usize) -> (Effect, Option<String>) {
        let path = |version: &str| format!("/apis/{GROUP}/{version}/namespaces/default/a{number}s");
        ask(client, "POST", CRDS, &self.crd(number, 0)).await.expect("the first step");
        let mut stored = instance();
        stored["apiVersion"] = json!(format!("{GROUP}/v1"));
        stored["kind"] = json!(format!("A{number}"));
        stored["metadata"] = json!({ "name": "stored" });
        wire::until_taken(client, &path("v1"), &stored).await;
        let last = self.steps.len() - 1;
        for step in 1..last {
            let crd = self.crd(number, step);
            wire::replace(client, &crd).await;
            await_step(client, &served(&crd), step, number).await;
        }
        let (old, new) = (self.crd(number, last - 1), self.crd(number, last));
        let mut versions = served(&old);
        versions.retain(|version| served(&new).contains(version));
        let before = read(client, &versions, number).await;
        let live = ask(client, "GET", &format!("{CRDS}/a{number}s.{GROUP}"), &Value::Null).await.expect("it is there");
        let reasons = crd_reasons(&live, &new);
        let reasons = reasons.iter().filter(|reason| !reason.path.starts_with(".marker"));
        let effect = reasons.map(|reason| reason.effect).max().unwrap_or(Effect::Safe);
        if let Err(refused) = wire::try_replace(client, &new).await {
            return (effect, Some(format!("refused: {:.90}", refused.texts.join("; "))));
        }
        await_step(client, &versions, last, number).await;
        let harm = harm(client, &versions, &before, number).await;
        (effect, harm)
    }
}

/// Waits until a step is served in some versions.
async fn await_step(client: &Client, versions: &[String], step: usize, number: usize) {
    for version in versions {
        let path = format!("/apis/{GROUP}/{version}/namespaces/default/a{number}s/stored");
        wire::until_read(client, &path, |object| object.get(format!("marker{step}")).is_some()).await;
    }
}

/// The instance as it is read in some versions.
async fn read(client: &Client, versions: &[String], number: usize) -> Vec<Value> {
    let mut found = Vec::new();
    for version in versions {
        let path = format!("/apis/{GROUP}/{version}/namespaces/default/a{number}s/stored");
        found.push(unmarked(&ask(client, "GET", &path, &Value::Null).await.expect("it is served")));
    }
    found
}

/// What the last step did to the instance: when it is read, created again, and written.
async fn harm(client: &Client, versions: &[String], before: &[Value], number: usize) -> Option<String> {
    let after = read(client, versions, number).await;
    for (was, is) in before.iter().zip(&after) {
        if was != is {
            return Some(format!("{was} reads {is}"));
        }
    }
    for (version, is) in versions.iter().zip(&after) {
        let path = format!("/apis/{GROUP}/{version}/namespaces/default/a{number}s");
        let mut again = is.clone();
        again["metadata"]["name"] = json!("again");
        if let Err(refused) = ask(client, "POST", &format!("{path}?dryRun=All"), &again).await {
            return Some(format!("in {version} invalid: {:.120}", refused.message));
        }
    }
    // Written in the first version, it is stored in the version of storage.
    let path = format!("/apis/{GROUP}/{}/namespaces/default/a{number}s/stored", versions.first()?);
    let mut touched = ask(client, "GET", &path, &Value::Null).await.expect("it is served");
    touched["metadata"]["labels"] = json!({ "touched": "true" });
    if let Err(refused) = ask(client, "PUT", &path, &touched).await {
        return Some(format!("an update is refused: {:.120}", refused.message));
    }
    let written = read(client, versions, number).await;
    before.iter().zip(&written).find(|(was, is)| was != is).map(|(was, is)| format!("{was} becomes {is}"))
}

fn served(crd: &Value) -> Vec<String> {
    let versions = crd["spec"]["versions"].as_array().into_iter().flatten();
    versions.filter(|v| v["served"] == true).filter_map(|v| v["name"].as_str().map(str::to_owned)).collect()
}

fn unmarked(object: &Value) -> Value {
    let mut object = bare(object);
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|name, _| !name.starts_with("marker"));
    }
    object
}
