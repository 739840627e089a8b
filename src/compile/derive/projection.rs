//! How instances are copied between a derived and an internal object: made from
//! the same [`PathSet`] as the schema, so the two cannot disagree (`DESIGN.md`
//! §4 law 2).

use serde_json::{Map, Value};

use super::exposure::ValueAt;
use super::schema;
use super::select::ALWAYS;
use crate::model::path::{Exposed, FieldPath, PathSet, Segment};

/// The copying rules of one derived version.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// What goes down: the visible part of everything but metadata and status.
    pub down: PathSet,
    /// What comes up: the visible part of the status.
    pub up: PathSet,
    /// Values the provider sets, in order of path.
    pub presets: Vec<Preset>,
}

/// A value of a hidden field.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// The field.
    pub path: FieldPath,
    /// The value.
    pub value: Value,
    /// How many leading steps must be there already: an optional field that the tenant
    /// may leave out is not made for the sake of a value below it (R14).
    pub needs: usize,
}

impl Projection {
    /// The rules of a version with this schema, exposure and presets.
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

    /// What a derived object says of the internal one: its visible part and the presets. No
    /// `apiVersion`, `kind`, `metadata` or `status`: these are not the tenant's to set.
    #[must_use]
    pub fn project_down(&self, derived: &Value) -> Value {
        let mut object = self.down.project(derived);
        for preset in &self.presets {
            set(&mut object, preset.path.segments(), preset.needs, &preset.value);
        }
        object
    }

    /// The visible part of an internal object's status; `None` where it has none.
    #[must_use]
    pub fn project_up(&self, internal: &Value) -> Option<Value> {
        let status = internal.get("status")?;
        match self.up.property("status") {
            Exposed::Hidden => None,
            Exposed::Whole => Some(status.clone()),
            Exposed::Partial(set) => Some(set.project(status)),
        }
    }
}

/// The length of the longest prefix of `path` that is visible and that the tenant may leave out.
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
