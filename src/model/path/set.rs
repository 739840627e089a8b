//! The tree of exposed paths.
//!
//! One [`PathSet`] drives both the pruning of a schema and the projection of
//! instances (`DESIGN.md` §4, law 2): a field that is not in it is neither visible
//! nor copied.

use std::cmp::Ordering;

use serde_json::Value;

use super::{FieldPath, Segment};

/// A set of exposed paths. A path covers those below it, and the order in which
/// paths are inserted has no influence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathSet {
    /// The steps on, in the order of [`Segment`], so that a step is found by its name without making a `Segment` of it:
    /// sync looks up each field of each object. `None` where everything from here down is exposed.
    children: Option<Vec<(Segment, PathSet)>>,
}

/// How a child of a node is exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposed<'a> {
    /// Not at all.
    Hidden,
    /// With everything below it.
    Whole,
    /// In part: this set of its fields.
    Partial(&'a PathSet),
}

impl Exposed<'_> {
    /// The exposed part of the child's value, as [`PathSet::project`] cuts it; `None` where it is hidden.
    #[must_use]
    pub fn project(self, value: &Value) -> Option<Value> {
        match self {
            Self::Hidden => None,
            Self::Whole => Some(value.clone()),
            Self::Partial(set) => Some(set.project(value)),
        }
    }
}

impl PathSet {
    /// The set that exposes nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self { children: Some(Vec::new()) }
    }

    /// The set that exposes everything.
    #[must_use]
    pub fn everything() -> Self {
        Self { children: None }
    }

    /// Adds a path. Returns whether it exposes anything that was not exposed before.
    pub fn insert(&mut self, path: &FieldPath) -> bool {
        self.insert_segments(path.segments())
    }

    fn insert_segments(&mut self, segments: &[Segment]) -> bool {
        // A path that ends in `[]` or `.*` means the whole list or map, which
        // consists of its items.
        let rest = match segments {
            [] => &[],
            [Segment::Items | Segment::Values, rest @ ..]
                if rest.iter().all(|s| matches!(s, Segment::Items | Segment::Values)) =>
            {
                &[]
            }
            all => all,
        };
        let Some(children) = &mut self.children else { return false };
        match rest.split_first() {
            None => {
                self.children = None;
                true
            }
            Some((first, rest)) => child_of(children, first.clone()).insert_segments(rest),
        }
    }

    /// Whether everything from here down is exposed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.children.is_none()
    }

    /// Whether nothing is exposed.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.children.as_ref().is_some_and(Vec::is_empty)
    }

    /// How a property is exposed, or a key of a map.
    #[must_use]
    pub fn property(&self, name: &str) -> Exposed<'_> {
        self.exposed(|step| compare(step, name))
    }

    /// How a step is exposed.
    #[must_use]
    pub fn child(&self, segment: &Segment) -> Exposed<'_> {
        self.exposed(|step| step.cmp(segment))
    }

    fn exposed(&self, order: impl Fn(&Segment) -> Ordering) -> Exposed<'_> {
        let Some(children) = &self.children else { return Exposed::Whole };
        match find(children, order) {
            None => Exposed::Hidden,
            Some(set) if set.is_whole() => Exposed::Whole,
            Some(set) => Exposed::Partial(set),
        }
    }

    /// The next steps with their sets, in order; none where everything is exposed.
    pub fn children(&self) -> impl Iterator<Item = (&Segment, &PathSet)> {
        self.children.iter().flatten().map(|(segment, set)| (segment, set))
    }

    /// The set behind a step, added empty where it is missing; `None` where everything is exposed.
    pub fn child_mut(&mut self, segment: Segment) -> Option<&mut PathSet> {
        self.children.as_mut().map(|children| child_of(children, segment))
    }

    /// Whether the field at `path` is visible, whole or in part.
    #[must_use]
    pub fn shows(&self, path: &FieldPath) -> bool {
        let mut set = self;
        for segment in path.segments() {
            match set.child(segment) {
                Exposed::Hidden => return false,
                Exposed::Whole => return true,
                Exposed::Partial(next) => set = next,
            }
        }
        true
    }

    /// The part below the roots that `keep` accepts.
    #[must_use]
    pub fn roots(&self, keep: impl Fn(&str) -> bool) -> Self {
        match &self.children {
            None => Self::everything(),
            Some(children) => Self {
                children: Some(
                    children.iter().filter(|(s, _)| matches!(s, Segment::Property(p) if keep(p))).cloned().collect(),
                ),
            },
        }
    }

    /// Every exposed path, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<FieldPath> {
        let mut out = Vec::new();
        self.collect(&mut FieldPath::default(), &mut out);
        out
    }

    fn collect(&self, at: &mut FieldPath, out: &mut Vec<FieldPath>) {
        match &self.children {
            None => out.push(at.clone()),
            Some(children) => {
                for (segment, set) in children {
                    at.0.push(segment.clone());
                    set.collect(at, out);
                    at.0.pop();
                }
            }
        }
    }

    /// The visible part of a value, presence included (`derivation.md` R14): a
    /// container that is there stays there, even empty; one that is not is not made.
    #[must_use]
    pub fn project(&self, value: &Value) -> Value {
        let Some(children) = &self.children else { return value.clone() };
        match value {
            Value::Object(map) => {
                let values = find(children, |step| step.cmp(&Segment::Values));
                let visible = map.iter().filter_map(|(key, inner)| {
                    let named = find(children, |step| compare(step, key)).or(values)?;
                    Some((key.clone(), named.project(inner)))
                });
                Value::Object(visible.collect())
            }
            Value::Array(items) => match find(children, |step| step.cmp(&Segment::Items)) {
                Some(set) => Value::Array(items.iter().map(|i| set.project(i)).collect()),
                None => Value::Array(Vec::new()),
            },
            other => other.clone(),
        }
    }
}

/// The order of a step and the property `name`, as [`Segment`]s are ordered.
fn compare(step: &Segment, name: &str) -> Ordering {
    match step {
        Segment::Property(property) => property.as_str().cmp(name),
        Segment::Items | Segment::Values => Ordering::Greater,
    }
}

fn find(children: &[(Segment, PathSet)], order: impl Fn(&Segment) -> Ordering) -> Option<&PathSet> {
    let at = children.binary_search_by(|(step, _)| order(step)).ok()?;
    Some(&children[at].1)
}

/// The set behind a step, added empty where it is missing.
fn child_of(children: &mut Vec<(Segment, PathSet)>, segment: Segment) -> &mut PathSet {
    let at = match children.binary_search_by(|(step, _)| step.cmp(&segment)) {
        Ok(at) => at,
        Err(at) => {
            children.insert(at, (segment, PathSet::nothing()));
            at
        }
    };
    &mut children[at].1
}

impl<'a> FromIterator<&'a FieldPath> for PathSet {
    fn from_iter<I: IntoIterator<Item = &'a FieldPath>>(paths: I) -> Self {
        let mut set = Self::nothing();
        for path in paths {
            set.insert(path);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(paths: &[&str]) -> PathSet {
        let paths: Vec<_> = paths.iter().map(|p| FieldPath::parse(p).unwrap()).collect();
        paths.iter().collect()
    }

    #[test]
    fn whole_wins_over_partial_in_any_order() {
        assert_eq!(set(&[".spec.global", ".spec.global.image"]), set(&[".spec.global.image", ".spec.global"]));
        assert_eq!(set(&[".spec.list[]", ".spec.list[].a"]), set(&[".spec.list"]));
        assert_eq!(set(&[".spec.map.*"]), set(&[".spec.map"]));
    }

    #[test]
    fn a_prefix_of_the_text_is_no_prefix_of_the_path() {
        let set = set(&[".spec.foo"]);
        assert!(!set.shows(&FieldPath::parse(".spec.fooBar").unwrap()));
        assert!(set.shows(&FieldPath::parse(".spec.foo.bar").unwrap()));
        assert!(set.shows(&FieldPath::parse(".spec").unwrap()));
    }

    #[test]
    fn projection_copies_presence() {
        let set = set(&[".spec.tls.mode", ".spec.list[].a", ".spec.map.*.x", ".spec.free"]);
        let value = json!({"spec": {
            "tls": {"secret": "s"}, "list": [{"a": 1, "b": 2}, {}], "map": {"k": {"x": 1, "y": 2}},
            "free": {"any": [null]}, "hidden": 1
        }});
        assert_eq!(
            set.project(&value),
            json!({"spec": {"tls": {}, "list": [{"a": 1}, {}], "map": {"k": {"x": 1}}, "free": {"any": [null]}}})
        );
        assert_eq!(set.project(&json!({"spec": {}})), json!({"spec": {}}));
        assert_eq!(set.project(&json!({"spec": {"tls": null}})), json!({"spec": {"tls": null}}));
    }
}
