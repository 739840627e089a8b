//! A trial: a mutated CRD or a value, an offer, and the three verdicts.

use serde_json::{Value, json};

use super::bases::Base;
use super::hand::{Hand, Kind, pointers};
use super::judge::{self, Outcome};
use super::server::{self, Server};
use super::shop::{Offer, Shop};
use super::{offers, values};
use crate::corpus::random::Random;

/// A CRD, what is offered of it, and where both come from.
#[derive(Clone)]
pub(super) struct Trial {
    pub number: u64,
    /// The name of the mutation, or of the sort of values.
    pub kind: String,
    pub base: String,
    /// What was changed.
    pub change: String,
    /// The JSON pointer of the schema that was changed.
    pub touched: Option<String>,
    pub crd: Value,
    pub offer: Offer,
    /// The CRD with the value of the offer as a default; where a value is tried.
    pub valued: Option<Value>,
    /// Whether required fields are added to the offer until it can be met.
    pub meets: bool,
}

/// How many trials of a hundred are of values.
const VALUES: usize = 25;
/// How many trials of a hundred have two mutations.
const PAIRS: usize = 8;

/// The trial with this number of a seed.
pub(super) fn trial(bases: &[Base], kinds: &[Kind], seed: u64, number: u64) -> Trial {
    let mut random = Random::new(seed, number);
    for _ in 0..200 {
        let base = random.pick(bases);
        let mut crd = base.crd.clone();
        let meets = random.chance(90);
        if random.chance(VALUES) {
            let preset = random.chance(50);
            if let Some(valued) = values::valued(&mut crd, &mut random, preset) {
                let kind = format!("{} of {}", if preset { "preset" } else { "default" }, valued.sort);
                let (name, change) =
                    (base.name.clone(), judge::difference(&base.crd, &valued.source, ["base", "source"]));
                return Trial {
                    number,
                    kind,
                    base: name,
                    change,
                    touched: None,
                    crd,
                    offer: valued.offer,
                    valued: Some(valued.source),
                    meets,
                };
            }
            continue;
        }
        let mut names = Vec::new();
        let count = if random.chance(PAIRS) { 2 } else { 1 };
        let mut touched = None;
        for _ in 0..count {
            // In turns, so that every kind is tried alike.
            let kind = match names.is_empty() {
                true => kinds[usize::try_from(number).unwrap_or(0) % kinds.len()],
                false => *random.pick(kinds),
            };
            let mut hand = Hand { random: &mut random, touched: None };
            if (kind.apply)(&mut crd, &mut hand).is_some() {
                touched = hand.touched.or(touched);
                names.push(kind.name);
            }
        }
        if !names.is_empty() {
            let offer = offers::offer(&crd, touched.as_deref(), &mut random);
            let change = judge::difference(&base.crd, &crd, ["base", "source"]);
            return Trial {
                number,
                kind: names.join(" + "),
                base: base.name.clone(),
                change,
                touched,
                crd,
                offer,
                valued: None,
                meets,
            };
        }
    }
    let base = &bases[0];
    let offer = offers::offer(&base.crd, None, &mut random);
    let (kind, change) = ("nothing fits".to_owned(), String::new());
    Trial {
        number,
        kind,
        base: base.name.clone(),
        change,
        touched: None,
        crd: base.crd.clone(),
        offer,
        valued: None,
        meets: true,
    }
}

/// Tries one: what the verdicts come to.
pub(super) async fn run(server: &Server, shop: &Shop, trial: &mut Trial) -> Outcome {
    let source = server::create(server, &trial.crd).await;
    let mut judged = shop.judge(&trial.crd, &trial.offer).await;
    for _ in 0..if trial.meets { 6 } else { 0 } {
        let mut more = judged.asked_for();
        let offer = &mut trial.offer;
        more.retain(|path| {
            !offer.fields.contains(path) && !offer.defaults.iter().chain(&offer.presets).any(|(p, _)| p == path)
        });
        if more.is_empty() {
            break;
        }
        more.sort();
        more.dedup();
        offer.fields.extend(more);
        judged = shop.judge(&trial.crd, &trial.offer).await;
    }
    let mut applied = Vec::new();
    for crd in &judged.rendered {
        applied.push(server::apply(server, crd).await);
    }
    let mut outcome = judge::judge(&source, &judged, &applied);
    if let Some(valued) = &trial.valued
        && !matches!(outcome, Outcome::Bug(_))
    {
        outcome = match &source {
            // The field itself is not sound, which other kinds are for.
            Err(_) => Outcome::Refused,
            Ok(_) => {
                let answer = server::create(server, valued).await;
                let applied = if answer.is_ok() { &applied[..] } else { &[] };
                judge::judge(&answer, &judged, applied)
            }
        };
    }
    if outcome == Outcome::Own("CAR0328".to_owned())
        && let Some(taken) = value_taken(server, trial).await
    {
        outcome = Outcome::FalseRefusal(format!("CAR0328: the server takes the value {taken}"));
    }
    if let (Ok(stored), Outcome::Sound | Outcome::Own(_)) = (&source, &outcome)
        && let Some(drift) = judge::drift(&judged, stored)
    {
        outcome = drift;
    }
    outcome
}

/// A value of the changed field that the server takes as its default.
async fn value_taken(server: &Server, trial: &Trial) -> Option<Value> {
    // It is asked with defaults, and of those below maps a server judges none.
    if trial.touched.as_ref().is_some_and(|touched| touched.contains("/additionalProperties")) {
        return None;
    }
    for value in [
        json!(0),
        json!(1),
        json!(2),
        json!(3),
        json!(4),
        json!(-1),
        json!(10),
        json!(0.5),
        json!(1.5),
        json!(""),
        json!("a"),
    ] {
        let mut crd = trial.crd.clone();
        crd.pointer_mut(trial.touched.as_ref()?)?.as_object_mut()?.insert("default".to_owned(), value.clone());
        if server::create(server, &crd).await.is_ok() {
            return Some(value);
        }
    }
    None
}

/// How often a failure is tried to be made smaller.
const TRIES: usize = 80;

/// Leaves out what the outcome does not need.
pub(super) async fn smallest(server: &Server, shop: &Shop, trial: &Trial, outcome: &Outcome) -> Trial {
    let wanted = outcome.signature();
    let mut best = trial.clone();
    let mut tries = 0;
    let mut passes = 0;
    while passes < 2 && tries < TRIES {
        passes += 1;
        let mut candidates = parts(&best.crd);
        candidates.sort_by_key(|pointer| {
            std::cmp::Reverse(best.crd.pointer(pointer).map_or(0, |part| part.to_string().len()))
        });
        for pointer in candidates {
            if tries >= TRIES {
                break;
            }
            let mut smaller = best.clone();
            if !remove(&mut smaller.crd, &pointer) {
                continue;
            }
            if let Some(valued) = &mut smaller.valued
                && !remove(valued, &pointer)
            {
                continue;
            }
            tries += 1;
            if run(server, shop, &mut smaller).await.signature() == wanted {
                best = smaller;
                passes = 0;
            }
        }
    }
    best
}

/// What can be left out: versions, properties, and other keys of schemas and versions.
fn parts(crd: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array).map_or(0, Vec::len);
    found.extend((0..versions).rev().map(|index| format!("/spec/versions/{index}")));
    for index in 0..versions {
        let at = format!("/spec/versions/{index}");
        let keys = crd.pointer(&at).and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys);
        found.extend(
            keys.filter(|key| !matches!(key.as_str(), "name" | "served" | "storage" | "schema"))
                .map(|key| format!("{at}/{key}")),
        );
    }
    for at in pointers(crd) {
        let Some(node) = crd.pointer(&at).and_then(Value::as_object) else { continue };
        for key in
            node.keys().filter(|key| !matches!(key.as_str(), "type" | "properties" | "items" | "additionalProperties"))
        {
            found.push(format!("{at}/{key}"));
        }
        if at.rsplit('/').nth(1) == Some("properties") {
            found.push(at);
        }
    }
    for key in [
        "/metadata/labels",
        "/metadata/annotations",
        "/spec/conversion",
        "/spec/names/shortNames",
        "/spec/names/categories",
        "/spec/names/singular",
        "/spec/names/listKind",
    ] {
        if crd.pointer(key).is_some() {
            found.push(key.to_owned());
        }
    }
    found
}

/// Removes a part; and a property from the list of the required ones.
fn remove(crd: &mut Value, pointer: &str) -> bool {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return false };
    let key = key.replace("~1", "/").replace("~0", "~");
    let removed = match crd.pointer_mut(parent) {
        Some(Value::Object(map)) => map.remove(&key).is_some(),
        Some(Value::Array(list)) if list.len() > 1 => {
            key.parse().ok().filter(|index| *index < list.len()).map(|index: usize| list.remove(index)).is_some()
        }
        _ => false,
    };
    if let Some(owner) = parent.strip_suffix("/properties")
        && let Some(required) = crd.pointer_mut(&format!("{owner}/required")).and_then(Value::as_array_mut)
    {
        required.retain(|name| *name != key.as_str());
    }
    removed
}
