//! The laws of the way up as properties over the real CRDs: a field of a status is readable if and only if it is copied
//! up, what the service no longer reports disappears, and no generation of another object ever stands above.
//!
//! The variables are those of the laws of deriving.

use std::collections::{BTreeMap, BTreeSet};

use carrier::derivation::{Generations, Projection};
use carrier::derivation::{schema, values};
use carrier::paths::{Exposed, FieldPath};
use serde_json::{Value, json};

use crate::corpus::exposures::Case;
use crate::corpus::random::Random;
use crate::corpus::{Crd, instances};
use crate::derive_laws::{derived, differ, law, laws, over_all_crds, prune, schema_of};
use crate::harness;

/// The tests of this file.
pub(crate) fn cases() -> Vec<harness::Case> {
    let laws = laws![
        a_field_is_readable_if_and_only_if_it_is_copied_up,
        what_the_service_no_longer_reports_disappears,
        a_generation_is_translated_or_left_out,
        copying_up_again_or_in_two_hops_is_copying_up_once,
        what_is_copied_up_can_be_stored,
    ];
    over_all_crds(module_path!(), &laws)
}

/// Some random statuses of the kind of a case.
fn statuses(case: &Case<'_>) -> Vec<Value> {
    let Some(node) = schema::property(&case.version.schema, "status") else { return Vec::new() };
    let mut random = Random::new(11, case.paths.len() as u64);
    (0..3).filter_map(|_| instances::value(node, &mut random)).filter(Value::is_object).collect()
}

/// Every generation in a status, with its place.
fn generations(value: &Value, at: &str, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let here = format!("{at}/{key}");
                if key == "observedGeneration" && !inner.is_object() && !inner.is_array() {
                    found.insert(here, inner.clone());
                } else {
                    generations(inner, &here, found);
                }
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, inner)| generations(inner, &format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

fn all_generations(value: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    generations(value, "", &mut found);
    found
}

fn number(generation: &Value) -> Option<i64> {
    generation.as_i64().or_else(|| generation.as_str()?.parse().ok())
}

/// Every generation in a status, as itself.
fn same(value: &Value) -> Generations {
    Generations::known(all_generations(value).values().filter_map(number).map(|n| (n, n)))
}

/// A status without any generation.
fn bare(value: &Value) -> Value {
    Projection::everything().project_up(Some(value), &Generations::default())
}

/// Whether everything in `part` is in `whole` too.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(a), Value::Object(b)) => a.iter().all(|(k, v)| b.get(k).is_some_and(|w| is_part(v, w))),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(v, w)| is_part(v, w)),
        _ => part == whole,
    }
}

/// Removes one random field.
fn forget(value: &mut Value, random: &mut Random) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(random.below(map.len())).unwrap().clone();
            match map.get_mut(&key) {
                Some(inner) if random.chance(60) && (inner.is_object() || inner.is_array()) => forget(inner, random),
                _ => drop(map.remove(&key)),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = random.below(items.len());
            forget(&mut items[at], random);
        }
        _ => {}
    }
}

fn a_field_is_readable_if_and_only_if_it_is_copied_up(crds: &[Crd]) {
    law("readable and copied up", crds, |case| {
        let (derived, _) = derived(case)?;
        let node = schema::property(schema_of(&derived.crd), "status").ok_or("there is no status")?;
        let hidden = |name: &str| match derived.projection.up.property("status") {
            Exposed::Partial(status) => status.property(name) == Exposed::Hidden,
            exposed => exposed == Exposed::Hidden,
        };
        for status in statuses(case) {
            // What a server would store of a status that is copied as a whole.
            let mut readable = bare(&status);
            prune(node, &mut readable);
            // The contract gives the schema these; what stands there is not the service's.
            let map = readable.as_object_mut().ok_or("no object")?;
            map.retain(|name, _| !(matches!(name.as_str(), "conditions" | "observedGeneration") && hidden(name)));
            let copied = derived.projection.project_up(Some(&status), &Generations::default());
            if let Some(difference) = differ(&readable, &copied) {
                return Err(difference);
            }
        }
        Ok(())
    });
}

fn what_the_service_no_longer_reports_disappears(crds: &[Crd]) {
    law("stale fields", crds, |case| {
        let (derived, _) = derived(case)?;
        let mut random = Random::new(13, case.paths.len() as u64);
        for status in statuses(case) {
            let mut later = status.clone();
            forget(&mut later, &mut random);
            let shown = derived.projection.project_up(Some(&later), &same(&status));
            if !is_part(&shown, &later) {
                return Err(format!("{shown} is not all in {later}"));
            }
        }
        match derived.projection.project_up(None, &Generations::default()) == json!({}) {
            true => Ok(()),
            false => Err("something is left of a status that is gone".to_owned()),
        }
    });
}

fn a_generation_is_translated_or_left_out(crds: &[Crd]) {
    law("generations", crds, |case| {
        let (derived, _) = derived(case)?;
        let up = &derived.projection;
        for status in statuses(case) {
            let there: BTreeSet<i64> = all_generations(&status).values().filter_map(number).collect();
            // Every second one is known.
            let known: BTreeMap<i64, i64> = there.iter().step_by(2).map(|n| (*n, 1_000_000 - n)).collect();
            let shown = up.project_up(Some(&status), &Generations::known(known.clone()));
            let own = all_generations(&shown);
            for (place, foreign) in all_generations(&up.project_up(Some(&status), &same(&status))) {
                let expected = number(&foreign).and_then(|n| known.get(&n));
                if own.get(&place).and_then(number).as_ref() != expected {
                    return Err(format!("{place}: {foreign} became {:?}, not {expected:?}", own.get(&place)));
                }
            }
            if own.values().any(|n| number(n).is_none_or(|n| !known.values().any(|own| *own == n))) {
                return Err(format!("a foreign generation in {shown}"));
            }
            if let Some(difference) = differ(&bare(&shown), &up.project_up(Some(&status), &Generations::default())) {
                return Err(format!("more than generations changed: {difference}"));
            }
        }
        Ok(())
    });
}

fn copying_up_again_or_in_two_hops_is_copying_up_once(crds: &[Crd]) {
    law("idempotence and hops", crds, |case| {
        let (derived, _) = derived(case)?;
        let up = &derived.projection;
        for status in statuses(case) {
            let foreign: Vec<i64> = all_generations(&status).values().filter_map(number).collect();
            let first = Generations::known(foreign.iter().map(|n| (*n, n + 1)));
            let second = Generations::known(foreign.iter().map(|n| (n + 1, n + 2)));
            let both = Generations::known(foreign.iter().map(|n| (*n, n + 2)));
            let once = up.project_up(Some(&status), &both);
            let internal = Projection::everything().project_up(Some(&status), &first);
            if let Some(difference) = differ(&up.project_up(Some(&internal), &second), &once) {
                return Err(format!("two hops: {difference}"));
            }
            if let Some(difference) = differ(&up.project_up(Some(&once), &same(&once)), &once) {
                return Err(format!("again: {difference}"));
            }
        }
        Ok(())
    });
}

fn what_is_copied_up_can_be_stored(crds: &[Crd]) {
    law("storable", crds, |case| {
        let (derived, _) = derived(case)?;
        let root = schema_of(&derived.crd);
        let (Some(source), Some(node)) =
            (schema::property(&case.version.schema, "status"), schema::property(root, "status"))
        else {
            return Ok(());
        };
        for status in statuses(case).iter().filter(|s| values::instance(source, s).violations.is_empty()) {
            let shown = derived.projection.project_up(Some(status), &Generations::default());
            let wrong: Vec<(FieldPath, String)> = values::instance(node, &shown).violations;
            if let Some((path, why)) = wrong.first() {
                return Err(format!("`.status{path}` {why}: {shown}"));
            }
        }
        Ok(())
    });
}
