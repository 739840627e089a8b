//! Pairs of old and new schemas: each change of the catalogue at every depth, and random
//! pairs in which several fields change at once.

use serde_json::{Map, Value, json};

use super::catalogue::{self, Change, list, map, object, open_object, with};
use crate::corpus::random::Random;

/// Where in a schema a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// A field.
    Field,
    /// A field of an object in the object.
    Deep,
    /// An item of a list.
    Item,
    /// A field of an item of a list whose items have keys.
    Keyed,
    /// A value of a map.
    Value,
    /// A field that is described in an object that keeps what is not.
    Open,
    /// A field of an embedded resource.
    Embedded,
    /// A field below a rule.
    Ruled,
}

pub(crate) const DEPTHS: [Depth; 8] =
    [Depth::Field, Depth::Deep, Depth::Item, Depth::Keyed, Depth::Value, Depth::Open, Depth::Embedded, Depth::Ruled];

impl Depth {
    fn schema(self, node: &Value) -> Value {
        let field = object(json!({ "f": node }));
        match self {
            Self::Field => field,
            Self::Deep => object(json!({ "g": field })),
            Self::Item => object(json!({ "g": list(node.clone()) })),
            Self::Keyed => {
                let item = object(json!({ "k": { "type": "string" }, "f": node }));
                let keys = json!({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"] });
                object(json!({ "g": with(&list(with(&item, json!({ "required": ["k"] }))), keys) }))
            }
            Self::Value => object(json!({ "g": map(node.clone()) })),
            Self::Open => object(json!({ "g": open_object(json!({ "f": node })) })),
            Self::Embedded => object(json!({ "g": with(&field, json!({ "x-kubernetes-embedded-resource": true })) })),
            Self::Ruled => with(&field, json!({ "x-kubernetes-validations": [{ "rule": "has(self.f) || true" }] })),
        }
    }

    fn value(self, value: &Value) -> Value {
        match self {
            Self::Field | Self::Ruled => json!({ "f": value }),
            Self::Deep => json!({ "g": { "f": value } }),
            Self::Item => json!({ "g": [value] }),
            Self::Keyed => json!({ "g": [{ "k": "a", "f": value }] }),
            Self::Value => json!({ "g": { "one": value } }),
            Self::Open => json!({ "g": { "f": value, "more": { "n": 1 } } }),
            Self::Embedded => {
                json!({ "g": { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "e" }, "f": value } })
            }
        }
    }
}

/// Schemas before and after a change, and what is stored under the first.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// The change, such as `pattern added`; `several` of more than one.
    pub name: String,
    pub depth: Option<Depth>,
    /// The schema under which instances are stored.
    pub earlier: Value,
    pub old: Value,
    pub new: Value,
    /// What is stored: by one manager, or by two.
    pub instances: Vec<Vec<Value>>,
}

impl Pair {
    fn of(change: &Change, depth: Depth) -> Self {
        let earlier = change.earlier.as_ref().unwrap_or(&change.old);
        let one = change.values.iter().map(|value| vec![depth.value(value)]);
        let two = change.shared.iter().map(|(a, b)| vec![depth.value(a), depth.value(b)]);
        // Without the field, and for what is around it.
        let without = [vec![json!({})]];
        Self {
            name: format!("{} {}", change.keyword, change.how),
            depth: Some(depth),
            earlier: depth.schema(earlier),
            old: depth.schema(&change.old),
            new: depth.schema(&change.new),
            instances: one.chain(two).chain(without).collect(),
        }
    }
}

/// The whole catalogue at every depth: the plain fields first, then the depths in an order by the seed.
pub(crate) fn of_catalogue(seed: u64) -> Vec<Pair> {
    let mut random = Random::new(seed, 0);
    let changes = catalogue::all(&mut random);
    let mut pairs: Vec<Pair> = changes.iter().map(|change| Pair::of(change, Depth::Field)).collect();
    let mut deeper: Vec<Pair> =
        changes.iter().flat_map(|change| DEPTHS[1..].iter().map(move |depth| Pair::of(change, *depth))).collect();
    while !deeper.is_empty() {
        pairs.push(deeper.swap_remove(random.below(deeper.len())));
    }
    pairs
}

/// A random pair: an object with up to three fields that change, at a random depth, and at times a change of the object
/// itself.
pub(crate) fn random(seed: u64, number: u64) -> Pair {
    let mut random = Random::new(seed, number + 1);
    let changes = catalogue::all(&mut random);
    let mut schemas = [Map::new(), Map::new(), Map::new()];
    let mut required: [Vec<String>; 3] = Default::default();
    let mut fields: Vec<(String, Change)> = Vec::new();
    for index in 0..random.between(1, 3) {
        let name = format!("f{index}");
        let mut change = random.pick(&changes).clone();
        // A field that stays as it is makes the others matter.
        if random.chance(25) {
            change.new = change.old.clone();
        }
        let earlier = change.earlier.clone().unwrap_or_else(|| change.old.clone());
        let (comes, goes) = (random.chance(8), random.chance(8));
        let present = [!comes, !comes, !goes || comes];
        for (index, schema) in [earlier, change.old.clone(), change.new.clone()].into_iter().enumerate() {
            if present[index] {
                schemas[index].insert(name.clone(), schema);
            }
        }
        match random.below(10) {
            0 => required[2].push(name.clone()),
            1 => (0..2).for_each(|index| required[index].push(name.clone())),
            2 => required.iter_mut().for_each(|list| list.push(name.clone())),
            _ => {}
        }
        fields.push((name, change));
    }
    let keeps = match random.below(10) {
        0 => [true, true, false],
        1 => [false, false, true],
        2 | 3 => [true; 3],
        _ => [false; 3],
    };
    let has_rule = random.chance(20);
    let depth = *random.pick(&DEPTHS);
    let [earlier, old, new] = [0, 1, 2].map(|index| {
        let mut node = object(Value::Object(schemas[index].clone()));
        if !required[index].is_empty() {
            node["required"] = json!(required[index]);
        }
        if keeps[index] {
            node["x-kubernetes-preserve-unknown-fields"] = json!(true);
        }
        if has_rule {
            node["x-kubernetes-validations"] = json!([{ "rule": "self == self" }]);
        }
        depth.schema(&node)
    });
    let mut instances = Vec::new();
    for _ in 0..6 {
        let mut parts = [Map::new(), Map::new()];
        for (name, change) in &fields {
            if !change.values.is_empty() && random.chance(75) {
                parts[random.below(2)].insert(name.clone(), random.pick(&change.values).clone());
            }
        }
        if keeps[0] && random.chance(50) {
            parts[0].insert("other".to_owned(), json!({ "n": [1] }));
        }
        let [first, second] = parts;
        let one: Map<String, Value> = first.clone().into_iter().chain(second.clone()).collect();
        match random.chance(30) {
            true => instances.push(vec![depth.value(&first.into()), depth.value(&second.into())]),
            false => instances.push(vec![depth.value(&one.into())]),
        }
    }
    Pair { name: "several".to_owned(), depth: None, earlier, old, new, instances }
}
