//! Statuses on their way up: what is remembered of one, and whether the one above says the same. Pure.
//!
//! A status above is the status below, cut to what may be seen and stored, with every `observedGeneration` translated
//! or left out. So a status is remembered as the digest of all but these numbers, and the numbers by place: then two
//! levels are compared without their bodies.

use std::collections::BTreeMap;

use serde_json::Value;

use super::digest::Digest;
use crate::compile::derive::projection::{Generations, OBSERVED_GENERATION};

/// What is remembered of a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusFacts {
    /// The digest of the status without its generations.
    rest: Digest,
    generations: Places,
}

/// The generations in a status, by the digest of their place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Places {
    /// All of them are this one: so it is in most statuses. The places are one digest.
    Same(Digest, i64),
    /// There are none, or several.
    Each(Box<[(Digest, i64)]>),
}

impl Places {
    /// In one way only, so that they can be compared. The places are in order.
    fn new(all: Vec<(Digest, i64)>) -> Self {
        match all.first() {
            Some((_, first)) if all.iter().all(|(_, generation)| generation == first) => {
                Self::Same(Digest::of_all(all.iter().map(|(place, _)| place)), *first)
            }
            _ => Self::Each(all.into()),
        }
    }
}

impl StatusFacts {
    /// The facts of a status, or of none.
    #[must_use]
    pub(crate) fn of(status: Option<&Value>) -> Self {
        let mut rest = status
            .filter(|status| status.is_object())
            .cloned()
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        let mut found = BTreeMap::new();
        take(&mut rest, &mut Vec::new(), &mut found);
        Self { rest: Digest::of(&rest), generations: Places::new(found.into_iter().collect()) }
    }

    /// The whole of it as one digest, for a status from which nothing is translated.
    #[must_use]
    pub(crate) fn digest(&self) -> Digest {
        match &self.generations {
            Places::Same(places, generation) => {
                let generation = Digest::of(&Value::from(*generation));
                Digest::of_all([&self.rest, places, &generation].into_iter())
            }
            Places::Each(all) => {
                let each = all.iter().flat_map(|(place, generation)| [*place, Digest::of(&Value::from(*generation))]);
                Digest::of_all(std::iter::once(&self.rest).chain(&each.collect::<Vec<_>>()))
            }
        }
    }

    /// The same status one level above.
    #[must_use]
    pub(crate) fn translated(&self, generations: &Generations) -> Self {
        let known = match &self.generations {
            Places::Same(places, foreign) => match generations.translate(*foreign) {
                Some(own) => Places::Same(*places, own),
                None => Places::Each(Box::default()),
            },
            Places::Each(all) => {
                let known = all.iter().filter_map(|(place, foreign)| Some((*place, generations.translate(*foreign)?)));
                Places::new(known.collect())
            }
        };
        Self { rest: self.rest, generations: known }
    }
}

/// Takes every `observedGeneration` out of a status, as [`Generations`] finds them.
fn take(value: &mut Value, at: &mut Vec<Value>, found: &mut BTreeMap<Digest, i64>) {
    match value {
        Value::Object(map) => {
            let is_number = |value: &Value| !value.is_object() && !value.is_array();
            if map.get(OBSERVED_GENERATION).is_some_and(is_number)
                && let Some(generation) = map.remove(OBSERVED_GENERATION).as_ref().and_then(number)
            {
                found.insert(Digest::of(&Value::Array(at.clone())), generation);
            }
            for (key, inner) in map {
                at.push(Value::from(key.as_str()));
                take(inner, at, found);
                at.pop();
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter_mut().enumerate() {
                at.push(Value::from(index));
                take(inner, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        #[expect(clippy::cast_possible_truncation, reason = "a number that is no generation is not found")]
        Value::Number(number) => {
            number.as_i64().or_else(|| number.as_f64().filter(|float| float.fract() == 0.0).map(|float| float as i64))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::derive::projection::Projection;
    use serde_json::json;

    #[test]
    fn facts_agree_with_the_projection() {
        let below = json!({
            "observedGeneration": 7, "phase": "Running",
            "conditions": [{"type": "Ready", "observedGeneration": 7}, {"type": "Old", "observedGeneration": 3}],
            "parts": {"a": {"observedGeneration": "7"}, "b": {"observedGeneration": {"x": 7}}},
        });
        let generations = Generations::known([(7, 2)]);
        let above = Projection::everything().project_up(Some(&below), &generations);
        assert_eq!(StatusFacts::of(Some(&below)).translated(&generations), StatusFacts::of(Some(&above)));
        assert_ne!(StatusFacts::of(Some(&below)), StatusFacts::of(Some(&above)));
        let both = Generations::known([(7, 2), (3, 2)]);
        let above = Projection::everything().project_up(Some(&below), &both);
        assert_eq!(StatusFacts::of(Some(&below)).translated(&both), StatusFacts::of(Some(&above)), "all are one");
        let other = Generations::known([(7, 3)]);
        assert_ne!(StatusFacts::of(Some(&below)).translated(&other), StatusFacts::of(Some(&above)));
    }

    #[test]
    fn no_status_is_an_empty_one() {
        assert_eq!(StatusFacts::of(None), StatusFacts::of(Some(&json!({}))));
        assert_eq!(StatusFacts::of(None), StatusFacts::of(Some(&Value::Null)));
        assert_ne!(StatusFacts::of(None), StatusFacts::of(Some(&json!({"a": 1}))));
    }
}
