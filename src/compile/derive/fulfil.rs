//! Whether each derived object that can be created can run in the service
//! cluster (`DESIGN.md` §4 law 3, `derivation.md` R2): each hidden required field
//! must have a default in the CRD or a preset, and each preset must be complete.

use serde_json::Value;

use super::exposure::{Report, ValueAt};
use super::select;
use crate::compile::{schema, values};
use crate::model::codes::Code;
use crate::model::codes::derivation as codes;
use crate::model::path::{Exposed, FieldPath, PathSet, Segment};

/// A required field that nothing sets.
#[derive(Debug)]
pub(crate) struct Missing<'s> {
    /// The field.
    pub field: FieldPath,
    /// Its schema, where the CRD describes it.
    schema: Option<&'s Value>,
    /// The outermost optional field above it; without that field nothing is missing.
    when: Option<FieldPath>,
}

/// Every required field below the visible part of `root` that nothing sets.
#[must_use]
pub(crate) fn missing<'s>(root: &'s Value, set: &PathSet, presets: &[ValueAt]) -> Vec<Missing<'s>> {
    let preset: PathSet = presets.iter().map(|p| &p.path.value).collect();
    let mut walk = Walk { found: Vec::new() };
    walk.partial(root, set, &preset, &mut FieldPath::default(), None);
    walk.found
}

/// Reports what [`missing`] finds.
pub(crate) fn fulfillable(root: &Value, set: &PathSet, presets: &[ValueAt], report: &mut Report<'_>) {
    for missing in missing(root, set, presets) {
        missing.report(report);
    }
}

struct Walk<'s> {
    found: Vec<Missing<'s>>,
}

impl<'s> Walk<'s> {
    fn partial(
        &mut self,
        node: &'s Value,
        set: &PathSet,
        preset: &PathSet,
        at: &mut FieldPath,
        when: Option<&FieldPath>,
    ) {
        if set.is_whole() {
            return;
        }
        let required: Vec<&str> = schema::required(node).collect();
        for name in &required {
            let at_root = at.0.is_empty() && (select::ALWAYS.contains(name) || *name == "status");
            // A map whose values are exposed has whatever keys the tenant gives it.
            let any_key = schema::values(node).is_some() && set.child(&Segment::Values) != Exposed::Hidden;
            if at_root || any_key || set.property(name) != Exposed::Hidden {
                continue;
            }
            let child = schema::property(node, name);
            let here = at.property(name);
            match (child, preset.property(name)) {
                (Some(child), Exposed::Hidden) if child.get("default").is_some() => {}
                (_, Exposed::Hidden) => self.missing(child, &here, when),
                (_, Exposed::Whole) => {}
                (Some(child), Exposed::Partial(below)) => self.made(child, below, &mut here.clone(), when),
                (None, Exposed::Partial(_)) => {}
            }
        }
        // A hidden optional field that a preset makes must be complete too.
        for (name, child) in schema::properties(node) {
            if let (Exposed::Hidden, Exposed::Partial(below), false) =
                (set.property(name), preset.property(name), required.contains(&name.as_str()))
            {
                self.made(child, below, &mut at.property(name), when);
            }
        }
        let segments: Vec<(&Segment, &PathSet)> = set.children().collect();
        for (segment, below) in segments {
            let (child, optional) = match segment {
                Segment::Property(name)
                    if at.0.is_empty() && (name == "status" || select::ALWAYS.contains(&name.as_str())) =>
                {
                    continue;
                }
                Segment::Property(name) => {
                    (schema::property(node, name).or_else(|| schema::values(node)), !required.contains(&name.as_str()))
                }
                Segment::Items => (schema::items(node), true),
                Segment::Values => (schema::values(node), true),
            };
            let Some(child) = child else { continue };
            let nothing = PathSet::nothing();
            let inner = match preset.child(segment) {
                Exposed::Partial(inner) => inner,
                _ => &nothing,
            };
            at.0.push(segment.clone());
            let here = at.clone();
            // An object without a spec may be valid, but nobody wants one.
            let when = when.or_else(|| (optional && here.0.len() > 1).then_some(&here));
            self.partial(child, below, inner, at, when);
            at.0.pop();
        }
    }

    /// A hidden object that presets create: each field that it requires must be among them or have a default.
    fn made(&mut self, node: &'s Value, preset: &PathSet, at: &mut FieldPath, when: Option<&FieldPath>) {
        if !preset.children().any(|(s, _)| matches!(s, Segment::Property(_))) {
            // `[]` and `.*` set something in what is there; they do not make it.
            self.missing(Some(node), at, when);
            return;
        }
        for name in schema::required(node) {
            let child = schema::property(node, name);
            let defaulted = child.is_some_and(|c| c.get("default").is_some());
            let here = at.property(name);
            match (child, preset.property(name)) {
                (_, Exposed::Hidden) if !defaulted => self.missing(child, &here, when),
                (Some(child), Exposed::Partial(below)) => self.made(child, below, &mut here.clone(), when),
                _ => {}
            }
        }
    }

    fn missing(&mut self, schema: Option<&'s Value>, field: &FieldPath, when: Option<&FieldPath>) {
        self.found.push(Missing { field: field.clone(), schema, when: when.cloned() });
    }
}

impl Missing<'_> {
    fn report(self, report: &mut Report<'_>) {
        let Self { field, schema, when } = self;
        let kind = schema.map_or_else(String::new, |s| format!(" ({})", schema::describe(s)));
        let consequence = match when {
            None => "no object could ever run".to_owned(),
            Some(optional) => format!("no object that has `{optional}` could ever run"),
        };
        let message = format!("`{field}`{kind} is required and hidden, and nothing sets it: {consequence}");
        let help = format!(
            "add `- jsonPath: {field}` to `fields`, or give it a value under `defaults` (tenants may override it) or `presets` (they never see it)"
        );
        report.about(&codes::UNFULFILLABLE, &field, message, help);
    }
}

/// Reports the exposed fields that can have no value, though servers take the CRD. In the status nobody is asked to set
/// one.
pub(crate) fn usable(root: &Value, set: &PathSet, report: &mut Report<'_>) {
    for (name, child) in schema::properties(root).filter(|(name, _)| *name != "status") {
        unusable(child, set.property(name), &mut FieldPath::default().property(name), report);
    }
}

fn unusable(node: &Value, exposed: Exposed<'_>, at: &mut FieldPath, report: &mut Report<'_>) {
    let below = match exposed {
        Exposed::Hidden => return,
        Exposed::Whole => None,
        Exposed::Partial(set) => Some(set),
    };
    if let Some(why) = values::unusable(node) {
        report.about(&codes::UNUSABLE_FIELD, at, format!("`{at}` can have no value: {why}"), None);
    }
    for (segment, child) in schema::children(node) {
        let exposed = below.map_or(Exposed::Whole, |set| set.child(&segment));
        at.0.push(segment);
        unusable(child, exposed, at, report);
        at.0.pop();
    }
}

/// Checks defaults and presets against the schema: reports those that do not fit and returns the others.
pub(crate) fn sound_values(root: &Value, set: &PathSet, report: &mut Report<'_>) -> (Vec<ValueAt>, Vec<ValueAt>) {
    let item = report.item;
    let mut defaults = Vec::new();
    for value in &item.defaults {
        if outside_desired_state(value, "default", report) {
            continue;
        }
        if let Some(map) = key_of_whole_map(root, set, &value.path.value) {
            let message = format!("`{}` is one key of `{map}`, of which tenants may use any", value.path.value);
            report.at(&codes::VALUE_PLACE, value.path.span, message, format!("give a default to `{map}` itself"));
            continue;
        }
        // A path that does not exist has been reported with the exposed ones.
        if let Some(node) = schema::at(root, value.path.value.segments())
            && fits(root, node, value, Kind::Default, report)
        {
            unchecked(node, value, "default", report);
            defaults.push(value.clone());
        }
    }
    let mut presets = Vec::new();
    for value in &item.presets {
        if outside_desired_state(value, "preset", report) {
            continue;
        }
        let path = &value.path.value;
        if set.shows(path) {
            let (message, help) = match leads_on(set, path) {
                true => (
                    format!("`{path}` is preset, and fields below it are exposed"),
                    "preset the hidden fields below it, each by its own path".to_owned(),
                ),
                false => (
                    format!("`{path}` is preset and exposed at once"),
                    "move it to `defaults` if tenants may override it, or take it out of `fields`".to_owned(),
                ),
            };
            report.at(&codes::PRESET_VISIBLE, value.path.span, message, help);
            continue;
        }
        if let Some(list) = items_of_hidden(set, path) {
            let message = format!("`{path}` sets something in each item of `{list}`, which is hidden and so has none");
            report.at(&codes::VALUE_PLACE, value.path.span, message, format!("preset `{list}` itself"));
            continue;
        }
        match (schema::at(root, path.segments()), select::walk(root, path)) {
            (Some(node), _) => {
                if fits(root, node, value, Kind::Preset, report) {
                    unchecked(node, value, "preset", report);
                    presets.push(value.clone());
                }
            }
            (None, Err(refusal)) if refusal.code == &codes::UNDESCRIBED => presets.push(value.clone()),
            (None, Err(refusal)) => refusal.report(value.path.span, report),
            (None, Ok(_)) => {}
        }
    }
    twice(&defaults, report);
    twice(&presets, report);
    (defaults, presets)
}

/// The map that is exposed with whatever keys, if the path goes through one of its keys.
fn key_of_whole_map(root: &Value, set: &PathSet, path: &FieldPath) -> Option<FieldPath> {
    let mut set = Some(set);
    for (depth, segment) in path.segments().iter().enumerate() {
        let here = &path.segments()[..depth];
        let node = schema::at(root, here)?;
        let any_key = set.is_none_or(|s| s.child(&Segment::Values) != Exposed::Hidden);
        if let Segment::Property(name) = segment
            && schema::property(node, name).is_none()
            && schema::values(node).is_some()
            && any_key
        {
            return Some(FieldPath(here.to_vec()));
        }
        set = match set.map(|s| s.child(segment)) {
            Some(Exposed::Partial(next)) => Some(next),
            _ => None,
        };
    }
    None
}

/// The hidden list or map, if the path goes through the items of one.
fn items_of_hidden(set: &PathSet, path: &FieldPath) -> Option<FieldPath> {
    let mut set = set;
    for (depth, segment) in path.segments().iter().enumerate() {
        match set.child(segment) {
            Exposed::Partial(next) => set = next,
            // A map of which single keys are exposed has values all the same.
            Exposed::Hidden if *segment == Segment::Values && !set.is_nothing() => return None,
            _ => {
                let rest = &path.segments()[depth..];
                let through = rest.iter().position(|s| matches!(s, Segment::Items | Segment::Values))?;
                return Some(FieldPath(path.segments()[..depth + through].to_vec()));
            }
        }
    }
    None
}

/// Whether `path` is exposed only in part.
fn leads_on(set: &PathSet, path: &FieldPath) -> bool {
    let mut set = set;
    for segment in path.segments() {
        match set.child(segment) {
            Exposed::Partial(next) => set = next,
            _ => return false,
        }
    }
    true
}

fn outside_desired_state(value: &ValueAt, what: &str, report: &mut Report<'_>) -> bool {
    let outside = select::ALWAYS.iter().chain(&["status"]).any(|root| value.path.value.starts_at(root));
    if outside {
        let message =
            format!("`{}` cannot have a {what}: it is not part of what the tenant asks for", value.path.value);
        report.at(&codes::VALUE_PLACE, value.path.span, message, "remove the item".to_owned());
    }
    outside
}

fn fits(root: &Value, node: &Value, value: &ValueAt, kind: Kind, report: &mut Report<'_>) -> bool {
    let given = &value.value.value;
    // A default stands in a schema, a preset in instances: a server judges them differently.
    let mut judgement = match kind {
        Kind::Default => values::judge(node, given),
        Kind::Preset => values::instance(node, given),
    };
    if let Some((Segment::Property(name), parent)) = value.path.value.segments().split_last()
        && let Some(parent) = schema::at(root, parent)
    {
        if name == "metadata" && schema::is_embedded(parent) {
            judgement = judgement.of_metadata();
        }
        judgement.violations.extend(values::identity(parent, name, given).map(|why| (FieldPath::default(), why)));
    }
    let path = |below: &FieldPath| FieldPath([value.path.value.segments(), below.segments()].concat());
    for (below, message) in &judgement.violations {
        let help = correction(node, given, below);
        report.at(kind.invalid(), value.value.span, format!("`{}` {message}", path(below)), help);
    }
    for (below, message) in &judgement.unjudged {
        report.at(&codes::VALUE_UNJUDGED, value.value.span, format!("`{}` {message}", path(below)), None);
    }
    judgement.violations.is_empty()
}

/// Says that nothing here evaluates the rules that the value has to satisfy, with the defaults that are filled in.
fn unchecked(node: &Value, value: &ValueAt, what: &str, report: &mut Report<'_>) {
    if values::meets_rules(node, &values::filled(node, &value.value.value)) {
        let path = &value.path.value;
        let message = format!("`{path}` has validation rules, and nothing here holds the {what} against them");
        let help = "try the value with `kubectl apply --dry-run=server` in the service cluster";
        report.at(&codes::VALUE_UNCHECKED, value.value.span, message, help.to_owned());
    }
}

/// What a value of the catalog is for.
#[derive(Clone, Copy)]
enum Kind {
    /// It stands in the derived CRD, and tenants may override it.
    Default,
    /// It goes into the instances of the service cluster.
    Preset,
}

impl Kind {
    fn invalid(self) -> &'static Code {
        match self {
            Self::Default => &codes::DEFAULT_INVALID,
            Self::Preset => &codes::PRESET_INVALID,
        }
    }
}

/// How to correct the violation at `below` in a value.
fn correction(node: &Value, value: &Value, below: &FieldPath) -> String {
    // The path tells no index of a list, so below one the value itself is not known.
    let in_list = below.segments().iter().any(|s| !matches!(s, Segment::Property(_)));
    let given = below.segments().iter().try_fold(value, |inner, segment| match segment {
        Segment::Property(name) => inner.get(name),
        Segment::Items | Segment::Values => None,
    });
    let Some(wanted) = schema::at(node, below.segments()) else {
        return match (given, below.0.last()) {
            (None, Some(Segment::Property(name))) if !in_list => format!("add `{name}`"),
            _ => "remove it, or correct its name".to_owned(),
        };
    };
    let type_ = schema::type_name(wanted);
    match (given, below.0.last()) {
        (Some(Value::String(text)), _) if matches!(type_, "integer" | "number" | "boolean") => {
            match serde_json::from_str::<Value>(text) {
                Ok(bare) if bare.is_number() || bare.is_boolean() => format!("write `{text}`, without quotes"),
                _ => format!("give a value of type {type_}"),
            }
        }
        // `1.10`, `0755` and `yes` are read as something else, so the text is not known here.
        (Some(Value::Number(_) | Value::Bool(_)), _) if type_ == "string" => {
            "put the value in quotes, as it is written there".to_owned()
        }
        (None, Some(Segment::Property(name))) if !in_list => {
            format!("add `{name}`, of type {}", schema::describe(wanted))
        }
        (Some(_), _) if values::unusable(wanted).is_some() => {
            "remove the value: the CRD accepts none for this field".to_owned()
        }
        (Some(_), _) if wanted.get("enum").is_some() => "write one of these".to_owned(),
        _ => format!("write a value of type {} that the CRD allows", schema::describe(wanted)),
    }
}

fn twice(values: &[ValueAt], report: &mut Report<'_>) {
    for (i, later) in values.iter().enumerate() {
        let clash =
            |v: &&ValueAt| v.path.value.is_prefix_of(&later.path.value) || later.path.value.is_prefix_of(&v.path.value);
        if let Some(earlier) = values[..i].iter().find(clash) {
            let message = match earlier.path.value == later.path.value {
                true => format!("`{}` gets a value twice", later.path.value),
                false => format!("`{}` gets a value twice, once through `{}`", later.path.value, earlier.path.value),
            };
            report.at(&codes::VALUE_TWICE, later.path.span, message, "keep one of them".to_owned());
        }
    }
}
