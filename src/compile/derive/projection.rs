//! Copying instances between a derived and an internal object. The rules come from the same [`PathSet`] as the derived
//! schema, so a field is settable if and only if it is copied down, and readable if and only if it is copied up
//! (`DESIGN.md` §4 law 2).
//!
//! Each result depends on its arguments alone, never on what the target holds: what the source no longer has is not in
//! the result, so a caller that applies the result as a whole removes it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::exposure::ValueAt;
use super::select::ALWAYS;
use crate::compile::schema;
use crate::model::path::{Exposed, FieldPath, PathSet, Segment};

/// The field that says which generation of its object a status, or a condition, speaks of.
pub(crate) const OBSERVED_GENERATION: &str = "observedGeneration";

/// The copying rules of one derived version.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// The fields that are copied down. `apiVersion`, `kind`, `metadata` and `status` never are, whatever it says.
    pub down: PathSet,
    /// The fields that are copied up: those below `.status`.
    pub up: PathSet,
    /// Values that the provider sets, in order of path.
    pub presets: Vec<Preset>,
}

/// A value of a hidden field.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// The hidden field.
    pub path: FieldPath,
    /// The value that it gets.
    pub value: Value,
    /// The number of leading steps that must exist: an optional field that the tenant left out is not created for the
    /// sake of a value below it (R14).
    pub needs: usize,
}

impl Projection {
    /// The rules of a service without exposure, and of the hop between the internal and the service object: every
    /// field is copied.
    #[must_use]
    pub fn everything() -> Self {
        Self { down: PathSet::everything(), up: PathSet::everything(), presets: Vec::new() }
    }

    /// The rules of a version with the schema `root`, of which `set` is exposed and `presets` are set.
    #[must_use]
    pub fn new(root: &Value, set: &PathSet, presets: &[ValueAt]) -> Self {
        let mut presets: Vec<Preset> = presets
            .iter()
            .map(|p| Preset {
                path: p.path.value.clone(),
                value: p.value.value.clone(),
                needs: needs(root, set, &p.path.value),
            })
            .collect();
        presets.sort_by(|a, b| a.path.cmp(&b.path));
        Self {
            down: set.roots(|root| root != "status" && !ALWAYS.contains(&root)),
            up: set.roots(|root| root == "status"),
            presets,
        }
    }

    /// The fields of the internal object that follow from a derived one: its exposed part and the presets. Without
    /// `apiVersion`, `kind`, `metadata` and `status`, which tenants do not set.
    #[must_use]
    pub fn project_down(&self, derived: &Value) -> Value {
        let roots = derived.as_object().into_iter().flatten().filter_map(|(name, value)| {
            if name == "status" || ALWAYS.contains(&name.as_str()) {
                return None;
            }
            Some((name.clone(), self.down.property(name).project(value)?))
        });
        let mut object = Value::Object(roots.collect());
        for preset in &self.presets {
            set(&mut object, preset.path.segments(), preset.needs, &preset.value);
        }
        object
    }

    /// The status of the derived object that follows from an internal one: the exposed part of `status`, with
    /// `observedGeneration` translated. An empty object where nothing is exposed or there is no status yet.
    #[must_use]
    pub fn project_up(&self, status: Option<&Value>, generations: &Generations) -> Value {
        let exposed = status.filter(|s| s.is_object()).and_then(|s| self.up.property("status").project(s));
        let mut status = exposed.unwrap_or_else(|| Value::Object(Map::new()));
        generations.translate_all(&mut status);
        status
    }
}

/// Which generation of an object came of which generation of the object one level below.
///
/// An object has its own generations on each level, so the number that the service cluster reports means nothing
/// above it. The caller knows a pair when its write of generation `own` produced generation `foreign`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generations(BTreeMap<i64, i64>);

impl Generations {
    /// The pairs `(foreign, own)`.
    #[must_use]
    pub fn known(pairs: impl IntoIterator<Item = (i64, i64)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// The generation that stands above for `foreign`; `None` where that is not known.
    #[must_use]
    pub fn translate(&self, foreign: i64) -> Option<i64> {
        self.0.get(&foreign).copied()
    }

    /// Translates every `observedGeneration` at and below `value`, or removes it: also in conditions, of which some
    /// kinds have several lists, and in parts that no schema describes.
    fn translate_all(&self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                if let Some(found) = map.get_mut(OBSERVED_GENERATION)
                    && !found.is_object()
                    && !found.is_array()
                {
                    match self.translate_value(found) {
                        Some(own) => *found = own,
                        None => drop(map.remove(OBSERVED_GENERATION)),
                    }
                }
                map.values_mut().for_each(|inner| self.translate_all(inner));
            }
            Value::Array(items) => items.iter_mut().for_each(|inner| self.translate_all(inner)),
            _ => {}
        }
    }

    /// A generation as an integer, as a number without a fraction or, where the kind says int-or-string, as a text.
    fn translate_value(&self, foreign: &Value) -> Option<Value> {
        match foreign {
            Value::String(text) => Some(Value::from(self.translate(text.parse().ok()?)?.to_string())),
            Value::Number(number) => {
                #[expect(clippy::cast_possible_truncation, reason = "a number that is no generation is not found")]
                let whole = || number.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64);
                Some(Value::from(self.translate(number.as_i64().or_else(whole)?)?))
            }
            _ => None,
        }
    }
}

/// The length of the longest prefix of `path` that is exposed in part and that the tenant may leave out.
fn needs(root: &Value, set: &PathSet, path: &FieldPath) -> usize {
    let (mut node, mut set, mut needed) = (root, set, 0);
    for (depth, segment) in path.segments().iter().enumerate() {
        let Exposed::Partial(next) = set.child(segment) else { break };
        let (child, optional) = match segment {
            Segment::Property(name) => (
                schema::property(node, name).or_else(|| schema::values(node)),
                // What has a default need not be written either, and the default may say more than the preset.
                !schema::required(node).any(|r| r == name)
                    || schema::property(node, name).is_some_and(|p| p.get("default").is_some()),
            ),
            Segment::Items => (schema::items(node), true),
            Segment::Values => (schema::values(node), true),
        };
        if optional {
            needed = depth + 1;
        }
        let Some(child) = child else { break };
        (node, set) = (child, next);
    }
    needed
}

fn set(target: &mut Value, path: &[Segment], needed: usize, value: &Value) {
    let Some((first, rest)) = path.split_first() else {
        target.clone_from(value);
        return;
    };
    let left = needed.saturating_sub(1);
    match (first, &mut *target) {
        (Segment::Items, Value::Array(items)) => items.iter_mut().for_each(|i| set(i, rest, left, value)),
        (Segment::Values, Value::Object(map)) => map.values_mut().for_each(|v| set(v, rest, left, value)),
        (Segment::Property(name), Value::Object(map)) => {
            if let Some(child) = map.get_mut(name) {
                set(child, rest, left, value);
            } else if needed == 0 && !rest.iter().any(|s| matches!(s, Segment::Items | Segment::Values)) {
                let mut child = if rest.is_empty() { Value::Null } else { Value::Object(Map::new()) };
                set(&mut child, rest, 0, value);
                map.insert(name.clone(), child);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_goes_down_but_what_is_the_objects_own() {
        let object = json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"a": 1}, "data": [1], "status": {"b": 2}});
        assert_eq!(Projection::everything().project_down(&object), json!({"spec": {"a": 1}, "data": [1]}));
    }

    #[test]
    fn a_foreign_generation_is_translated_or_left_out_wherever_it_stands() {
        let projection = Projection::everything();
        let generations = Generations::known([(7, 3)]);
        let status = json!({
            "observedGeneration": 7,
            "conditions": [{"type": "Ready", "observedGeneration": 7}, {"type": "Old", "observedGeneration": 3}],
            "listeners": [{"name": "a", "conditions": [{"type": "Ready", "observedGeneration": "7"}]}],
            "members": {"observedGeneration": {"a": 7}, "b": {"observedGeneration": 7.0}, "c": {"observedGeneration": "x"}},
        });
        assert_eq!(
            projection.project_up(Some(&status), &generations),
            json!({
                "observedGeneration": 3,
                "conditions": [{"type": "Ready", "observedGeneration": 3}, {"type": "Old"}],
                "listeners": [{"name": "a", "conditions": [{"type": "Ready", "observedGeneration": "3"}]}],
                "members": {"observedGeneration": {"a": 7}, "b": {"observedGeneration": 3}, "c": {}},
            })
        );
    }

    #[test]
    fn a_status_that_is_gone_or_hidden_is_empty() {
        let whole = Projection::everything();
        let none = Generations::default();
        assert_eq!(whole.project_up(None, &none), json!({}));
        assert_eq!(whole.project_up(Some(&Value::Null), &none), json!({}));
        let hidden = Projection { up: PathSet::nothing(), ..whole };
        assert_eq!(hidden.project_up(Some(&json!({"phase": "Running"})), &none), json!({}));
    }

    #[test]
    fn a_preset_makes_hidden_fields_but_no_optional_visible_ones() {
        let root = json!({"type": "object", "required": ["spec"], "properties": {"spec": {"type": "object", "properties": {
            "size": {"type": "integer"},
            "tls": {"type": "object", "properties": {"mode": {"type": "string"}, "secret": {"type": "string"}}},
            "storage": {"type": "object", "properties": {"class": {"type": "string"}}},
        }}}});
        let path = |p: &str| FieldPath::parse(p).unwrap();
        let set: PathSet = [&path(".spec.size"), &path(".spec.tls.mode")].into_iter().collect();
        let preset = |p: &str, v: Value| {
            let path = path(p);
            Preset { needs: needs(&root, &set, &path), path, value: v }
        };
        let projection = Projection {
            down: set.clone(),
            up: PathSet::nothing(),
            presets: vec![preset(".spec.storage.class", json!("fast")), preset(".spec.tls.secret", json!("s"))],
        };
        assert_eq!(
            projection.project_down(&json!({"spec": {"size": 1, "storage": {"class": "mine"}}})),
            json!({"spec": {"size": 1, "storage": {"class": "fast"}}})
        );
        assert_eq!(
            projection.project_down(&json!({"spec": {"tls": {}}})),
            json!({"spec": {"tls": {"secret": "s"}, "storage": {"class": "fast"}}})
        );
    }
}
