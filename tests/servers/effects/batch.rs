//! Many pairs in one CRD: instances are stored under the old schema, the CRD is replaced,
//! and the instances are read and written again.
//!
//! Each pair is a field of its own below `spec`, and each instance sets only that field,
//! so that pairs do not meddle with each other.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use kube::Client;
use serde_json::{Map, Value, json};

use super::pairs::Pair;
use super::wire::{self, CRDS, Refused, ask};

/// How many requests are under way at once.
const AT_ONCE: usize = 8;
const GROUP: &str = "effects.example.com";

/// What a change did to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Harm {
    /// It reads another value.
    Reads,
    /// All of it cannot be created again.
    Invalid,
    /// What was applied cannot be applied again, or changes something.
    Applies,
}

/// What became of a pair.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Why the server does not take one of the schemas.
    pub refused: Option<String>,
    /// How many instances the server took under the old schema.
    pub instances: usize,
    /// What was done to how many of them, and an example.
    pub harms: BTreeMap<Harm, (usize, String)>,
    /// How many of the invalid ones an update takes that changes something else.
    pub ratcheted: usize,
}

/// One of the instances of a pair.
struct Instance {
    pair: usize,
    name: String,
    parts: Vec<Value>,
    read: Value,
}

struct Batch<'a> {
    client: Client,
    pairs: &'a [Pair],
    number: usize,
    kept: BTreeSet<usize>,
}

/// Which of the schemas of a pair.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    Earlier,
    Old,
    New,
}

/// Tries pairs in one CRD. The order of the outcomes is that of the pairs.
pub(crate) async fn try_all(client: &Client, number: usize, pairs: &[Pair]) -> Vec<Outcome> {
    let mut outcomes = vec![Outcome::default(); pairs.len()];
    let mut batch = Batch { client: client.clone(), pairs, number, kept: (0..pairs.len()).collect() };
    batch.sift(&mut outcomes).await;
    let path = batch.create().await;
    let mut instances = batch.store(&path).await;
    if batch.has_earlier() {
        batch.replace(Stage::Old).await;
    }
    let before = batch.read(&path, if batch.has_earlier() { "old" } else { "earlier" }).await;
    instances.retain_mut(|instance| {
        let read = before.get(&instance.name).cloned();
        instance.read = read.unwrap_or_default();
        !instance.read.is_null()
    });
    batch.replace(Stage::New).await;
    let after = batch.read(&path, "new").await;
    let tried = instances.iter().map(|instance| batch.judge(&path, instance, after.get(&instance.name)));
    // Collected first: a stream that made them as it goes could not move between threads.
    let tried: Vec<_> = tried.collect();
    let judged: Vec<_> = futures::stream::iter(tried).buffered(AT_ONCE).collect().await;
    for (instance, (harms, ratcheted)) in instances.iter().zip(judged) {
        let outcome = &mut outcomes[instance.pair];
        outcome.instances += 1;
        outcome.ratcheted += usize::from(ratcheted);
        for (harm, example) in harms {
            outcome.harms.entry(harm).or_insert((0, example)).0 += 1;
        }
    }
    wire::delete(client, &format!("{CRDS}/{}", batch.name())).await;
    outcomes
}

/// A CRD with the schemas of one stage. A field with a default tells when the stage is served.
pub(crate) fn crd(number: usize, pairs: &[(usize, &Pair)], stage: Stage) -> Value {
    let (marker, schema): (&str, fn(&Pair) -> &Value) = match stage {
        Stage::Earlier => ("earlier", |pair| &pair.earlier),
        Stage::Old => ("old", |pair| &pair.old),
        Stage::New => ("new", |pair| &pair.new),
    };
    let fields: Map<String, Value> =
        pairs.iter().map(|(index, pair)| (format!("p{index}"), schema(pair).clone())).collect();
    let root = json!({ "type": "object", "properties": {
        "spec": { "type": "object", "properties": fields },
        marker: { "type": "string", "default": "served" },
    } });
    let plural = format!("e{number}s");
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{GROUP}") },
        "spec": { "group": GROUP, "scope": "Namespaced", "names": { "plural": plural, "kind": format!("E{number}") },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": root } }] },
    })
}

/// An instance without what a server writes, and without the markers.
pub(super) fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.retain(|name, _| !matches!(name.as_str(), "earlier" | "old" | "new"));
        let name = fields.get("metadata").and_then(|metadata| metadata.get("name")).cloned();
        fields.insert("metadata".to_owned(), json!({ "name": name }));
    }
    object
}

impl Batch<'_> {
    fn name(&self) -> String {
        format!("e{}s.{GROUP}", self.number)
    }

    fn crd(&self, stage: Stage) -> Value {
        let pairs: Vec<(usize, &Pair)> = self.kept.iter().map(|index| (*index, &self.pairs[*index])).collect();
        crd(self.number, &pairs, stage)
    }

    fn has_earlier(&self) -> bool {
        self.kept.iter().any(|index| self.pairs[*index].earlier != self.pairs[*index].old)
    }

    /// Leaves out the pairs of which the server does not take a schema.
    async fn sift(&mut self, outcomes: &mut [Outcome]) {
        for stage in [Stage::Earlier, Stage::Old, Stage::New] {
            loop {
                let Err(refused) = ask(&self.client, "POST", &format!("{CRDS}?dryRun=All"), &self.crd(stage)).await
                else {
                    break;
                };
                let guilty: BTreeSet<usize> = refused
                    .fields
                    .iter()
                    .filter_map(|field| indices(field))
                    .filter(|p| self.kept.contains(p))
                    .collect();
                assert!(!guilty.is_empty(), "a refusal that names no pair: {refused:?}");
                for pair in guilty {
                    self.kept.remove(&pair);
                    outcomes[pair].refused = Some(refused.about(pair));
                }
            }
        }
    }

    /// Creates the CRD, and waits until it is served. Returns the path of its instances.
    async fn create(&self) -> String {
        ask(&self.client, "POST", CRDS, &self.crd(Stage::Earlier)).await.expect("the dry run was taken");
        let path = format!("/apis/{GROUP}/v1/namespaces/default/e{}s", self.number);
        let probe = self.object("probe", &json!({}));
        wire::until_taken(&self.client, &path, &probe).await;
        path
    }

    fn object(&self, name: &str, spec: &Value) -> Value {
        json!({ "apiVersion": format!("{GROUP}/v1"), "kind": format!("E{}", self.number), "metadata": { "name": name }, "spec": spec })
    }

    /// Stores the instances of all pairs; those that the server takes.
    async fn store(&self, path: &str) -> Vec<Instance> {
        let all = self.kept.iter().flat_map(|pair| {
            let instances = self.pairs[*pair].instances.iter().enumerate();
            instances.map(move |(index, parts)| Instance {
                pair: *pair,
                name: format!("i{pair}-{index}"),
                parts: parts.iter().map(|part| json!({ format!("p{pair}"): part })).collect(),
                read: Value::Null,
            })
        });
        let stored: Vec<_> = all.map(|instance| self.store_one(path, instance)).collect();
        futures::stream::iter(stored).buffered(AT_ONCE).filter_map(|one| async { one }).collect().await
    }

    async fn store_one(&self, path: &str, instance: Instance) -> Option<Instance> {
        // To apply a null is to say nothing of the field.
        if holds_null(&instance.parts) {
            let whole = self.object(&instance.name, &instance.parts[0]);
            return ask(&self.client, "POST", path, &whole).await.ok().map(|_| instance);
        }
        for (index, part) in instance.parts.iter().enumerate() {
            let object = self.object(&instance.name, part);
            if wire::apply(&self.client, path, &instance.name, &object, index, false).await.is_err() {
                if index > 0 {
                    wire::delete(&self.client, &format!("{path}/{}", instance.name)).await;
                }
                return None;
            }
        }
        Some(instance)
    }

    async fn replace(&self, stage: Stage) {
        wire::replace(&self.client, &self.crd(stage)).await;
    }

    /// All instances, once the stage with this marker is served.
    async fn read(&self, path: &str, marker: &str) -> BTreeMap<String, Value> {
        wire::until_read(&self.client, &format!("{path}/probe"), |probe| probe.get(marker).is_some()).await;
        let list = ask(&self.client, "GET", path, &Value::Null).await.expect("a list");
        let items = list["items"].as_array().cloned().unwrap_or_default();
        assert!(items.iter().all(|item| item.get(marker).is_some()), "the list is of another schema");
        items.into_iter().map(|item| (item["metadata"]["name"].as_str().unwrap_or_default().to_owned(), item)).collect()
    }

    /// What the change did to an instance, and whether an update of something else is taken where it is invalid.
    async fn judge(&self, path: &str, instance: &Instance, after: Option<&Value>) -> (Vec<(Harm, String)>, bool) {
        let Some(after) = after else { return (vec![(Harm::Reads, "it cannot be read".to_owned())], false) };
        let (was, is) = (bare(&instance.read), bare(after));
        let mut harms = Vec::new();
        if was != is {
            harms.push((Harm::Reads, format!("{} reads {}", was["spec"], is["spec"])));
        }
        let mut again = is.clone();
        again["metadata"]["name"] = json!(format!("{}-again", instance.name));
        let mut ratcheted = false;
        if let Err(refused) = ask(&self.client, "POST", &format!("{path}?dryRun=All"), &again).await {
            harms.push((Harm::Invalid, format!("{}: {}", is["spec"], refused.message)));
            let mut touched = after.clone();
            touched["metadata"]["labels"] = json!({ "touched": "true" });
            let put = format!("{path}/{}?dryRun=All", instance.name);
            ratcheted = ask(&self.client, "PUT", &put, &touched).await.is_ok();
        }
        if !holds_null(&instance.parts) {
            for (index, part) in instance.parts.iter().enumerate() {
                let object = self.object(&instance.name, part);
                match wire::apply(&self.client, path, &instance.name, &object, index, true).await {
                    Err(refused) => harms.push((Harm::Applies, format!("{}: {}", part, refused.message))),
                    Ok(applied) if bare(&applied) != is => {
                        harms.push((Harm::Applies, format!("{part} makes {}", bare(&applied)["spec"])));
                    }
                    Ok(_) => {}
                }
            }
        }
        (harms, ratcheted)
    }
}

fn holds_null(parts: &[Value]) -> bool {
    fn holds(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(items) => items.iter().any(holds),
            Value::Object(fields) => fields.values().any(holds),
            _ => false,
        }
    }
    parts.iter().any(holds)
}

/// The pairs that a path of a CRD's schema is about.
fn indices(field: &str) -> Option<usize> {
    let (_, rest) = field.split_once("[spec].properties[p")?;
    rest.split_once(']')?.0.parse().ok()
}

impl Refused {
    /// What the refusal says of a pair.
    fn about(&self, pair: usize) -> String {
        let found = self.fields.iter().zip(&self.texts).find(|(field, _)| indices(field) == Some(pair));
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    }
}
