//! The fields of a CRD version, and what an exposure does with each: the data of `carrier fields`.
//!
//! It uses the functions of `derive`, so both agree on what a path is, what is exposed, and what is missing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::derive::exposure::{ExposeItem, Exposure, Report};
use super::derive::source::SourceVersion;
use super::derive::{fulfil, select};
use super::schema;
use crate::model::diagnostic::Diagnostics;
use crate::model::path::{Exposed, FieldPath, PathSet, Segment};
use crate::model::redact::names_secret_path;
use crate::model::secret_values::{HIDDEN, without_secrets};

/// A field of a CRD and those below it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    /// Its path, in the syntax of an exposure.
    pub path: FieldPath,
    /// Its type for display, such as `[]object`.
    pub kind: String,
    /// Whether it is required in the object that contains it.
    pub required: bool,
    /// Its value if nobody sets it: the default of the catalog, else the default of the CRD; hidden at or below a
    /// credential.
    pub default: Option<Value>,
    /// The allowed values; empty if the schema lists none.
    pub one_of: Vec<Value>,
    /// Its description; empty if the CRD has none.
    pub description: String,
    /// What the exposure does with it; `None` without an exposure.
    pub standing: Option<Standing>,
    /// The fields in it, including those of a list's items and a map's values.
    pub children: Vec<Field>,
    /// The number of fields in it that [`cut`] has left out.
    pub more: usize,
}

/// What an exposure does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Tenants see it, with all fields in it.
    Exposed,
    /// Tenants see a part of it.
    InPart,
    /// The provider sets it, or some of the fields in it; tenants do not see it.
    Preset,
    /// Tenants do not see it.
    Hidden,
    /// It is hidden and required, and nothing sets it, so no instance could be valid.
    Missing,
}

/// The fields of a version, without `apiVersion`, `kind` and `metadata`, which every object has. With an
/// exposure, each field has its standing; an exposure that does not name the version exposes none of it.
#[must_use]
pub(crate) fn fields(version: &SourceVersion, exposure: Option<&Exposure>) -> Vec<Field> {
    let root = &version.schema;
    let Some(exposure) = exposure else {
        return Walk { view: None }.below(root, &FieldPath::default(), View::nothing());
    };
    let item = exposure.items.iter().find(|item| item.versions.iter().any(|v| v.value == version.name));
    let taken = item.map_or_else(Taken::nothing, |item| Taken::of(root, item, &exposure.object));
    let view = View { shown: Exposed::Partial(&taken.set), preset: Exposed::Partial(&taken.preset) };
    Walk { view: Some(&taken) }.below(root, &FieldPath::default(), view)
}

/// The fields that one item of an exposure selects in a schema.
struct Taken<'i> {
    item: Option<&'i ExposeItem>,
    set: PathSet,
    preset: PathSet,
    missing: BTreeSet<FieldPath>,
}

impl<'i> Taken<'i> {
    fn nothing() -> Self {
        Self { item: None, set: PathSet::nothing(), preset: PathSet::nothing(), missing: BTreeSet::new() }
    }

    fn of(root: &Value, item: &'i ExposeItem, object: &str) -> Self {
        // `carrier check` reports the problems of an exposure; here they are not needed.
        let mut unheard = Diagnostics::default();
        let set = select::select(root, &mut Report { item, object, diagnostics: &mut unheard });
        let missing = fulfil::missing(root, &set, &item.presets).into_iter().map(|m| m.field).collect();
        let preset = item.presets.iter().map(|p| &p.path.value).collect();
        Self { item: Some(item), set, preset, missing }
    }
}

/// The parts of a schema node that are exposed and preset.
#[derive(Clone, Copy)]
struct View<'t> {
    shown: Exposed<'t>,
    preset: Exposed<'t>,
}

impl View<'static> {
    fn nothing() -> Self {
        Self { shown: Exposed::Hidden, preset: Exposed::Hidden }
    }
}

impl View<'_> {
    fn child(self, segment: &Segment) -> Self {
        Self { shown: down(self.shown, segment), preset: down(self.preset, segment) }
    }
}

fn down<'t>(exposed: Exposed<'t>, segment: &Segment) -> Exposed<'t> {
    match exposed {
        Exposed::Partial(set) => set.child(segment),
        all_or_nothing => all_or_nothing,
    }
}

struct Walk<'t> {
    view: Option<&'t Taken<'t>>,
}

impl Walk<'_> {
    /// The fields of a node, through the items of a list and the values of a map.
    fn below(&self, node: &Value, at: &FieldPath, view: View<'_>) -> Vec<Field> {
        for (segment, child) in [(Segment::Items, schema::items(node)), (Segment::Values, schema::values(node))] {
            if let Some(child) = child {
                return self.below(child, &at.with(segment.clone()), view.child(&segment));
            }
        }
        let required: BTreeSet<&str> = schema::required(node).collect();
        schema::properties(node)
            .filter(|(name, _)| !(at.0.is_empty() && select::ALWAYS.contains(&name.as_str())))
            .map(|(name, child)| {
                let segment = Segment::Property(name.clone());
                self.field(child, at.with(segment.clone()), required.contains(name.as_str()), view.child(&segment))
            })
            .collect()
    }

    fn field(&self, node: &Value, path: FieldPath, required: bool, view: View<'_>) -> Field {
        let text = |key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let of_catalog =
            self.view.and_then(|t| t.item).and_then(|item| item.defaults.iter().find(|d| d.path.value == path));
        let default = of_catalog.map(|d| &d.value.value).or_else(|| node.get("default"));
        let is_secret = names_secret_path(&path.to_string());
        Field {
            kind: schema::describe(node),
            required,
            default: default.map(|value| if is_secret { Value::from(HIDDEN) } else { without_secrets(value) }),
            one_of: node.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
            description: text("description"),
            standing: self.view.map(|taken| standing(taken, &path, view)),
            children: self.below(node, &path, view),
            more: 0,
            path,
        }
    }
}

fn standing(taken: &Taken<'_>, path: &FieldPath, view: View<'_>) -> Standing {
    match (view.shown, view.preset) {
        _ if taken.missing.contains(path) => Standing::Missing,
        (Exposed::Whole, _) => Standing::Exposed,
        (Exposed::Partial(_), _) => Standing::InPart,
        (Exposed::Hidden, Exposed::Hidden) => Standing::Hidden,
        (Exposed::Hidden, _) => Standing::Preset,
    }
}

/// Removes fields that are more than `levels` properties deep, except those that lead to a partly exposed
/// field, a preset or a missing value.
#[must_use]
pub(crate) fn cut(fields: Vec<Field>, levels: usize) -> Vec<Field> {
    fields.into_iter().map(|field| field.cut(levels)).collect()
}

/// The field at a path; `[]` and `.*` at its end are ignored.
#[must_use]
pub(crate) fn find<'f>(fields: &'f [Field], path: &FieldPath) -> Option<&'f Field> {
    let mut steps = path.segments();
    while let [rest @ .., Segment::Items | Segment::Values] = steps {
        steps = rest;
    }
    fields.iter().find_map(|field| match field.path.segments() == steps {
        true => Some(field),
        false if steps.starts_with(field.path.segments()) => find(&field.children, path),
        false => None,
    })
}

impl Field {
    fn cut(mut self, levels: usize) -> Self {
        if levels > 1 {
            self.children = cut(self.children, levels - 1);
            return self;
        }
        let all = self.all().len();
        let part = self.standing != Some(Standing::Exposed);
        self.children.retain(|child| part && child.standing.is_some_and(|s| s != Standing::Hidden));
        self.children = cut(self.children, 1);
        let kept: usize = self.all().iter().map(|field| 1 + field.more).sum();
        self.more = all - kept;
        self
    }

    /// This field and all fields in it, parents first.
    pub(crate) fn all(&self) -> Vec<&Field> {
        let mut found = vec![self];
        found.extend(self.children.iter().flat_map(Field::all));
        found
    }
}
