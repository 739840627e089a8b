//! From the paths of an exposure to the [`PathSet`] of one version
//! (`derivation.md` R1, R7, R8): each path is looked up in the schema, fields that
//! must be exposed beside it are added, and a path that cannot be exposed is an
//! error at its line.

use serde_json::Value;

use super::exposure::Report;
use crate::compile::schema;
use crate::model::codes::derivation as codes;
use crate::model::nearest::nearest;
use crate::model::path::{Exposed, FieldPath, PathSet, Segment};
use crate::model::source::{Span, Spanned};

/// The roots that every object has.
pub(crate) const ALWAYS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// The exposed part of a version's schema. Paths that cannot be exposed are reported and left out.
pub(crate) fn select(root: &Value, report: &mut Report<'_>) -> PathSet {
    let mut set = PathSet::nothing();
    let mut sound: Vec<Named<'_>> = Vec::new();
    let item = report.item;
    let fields = item.fields.iter().map(|path| Named { path, has_value: false });
    let defaults = item.defaults.iter().map(|d| Named { path: &d.path, has_value: true });
    for named in fields.chain(defaults) {
        let path = named.path;
        if path
            .value
            .segments()
            .iter()
            .take(1)
            .any(|s| matches!(s, Segment::Property(p) if ALWAYS.contains(&p.as_str())))
        {
            // Of a default that cannot be, more than this is said.
            if !named.has_value {
                let message = format!("`{}` needs no exposing, every object has it", path.value);
                report.at(&codes::ALWAYS_EXPOSED, path.span, message, "remove the line".to_owned());
            }
            continue;
        }
        match walk(root, &path.value) {
            Ok(notes) => {
                for (code, message, help) in notes {
                    report.at(code, path.span, message, help);
                }
                sound.push(named);
            }
            Err(refusal) => refusal.report(path.span, report),
        }
    }
    redundant(&sound, report);
    for named in &sound {
        set.insert(&named.path.value);
    }
    complete(root, &mut set, &mut FieldPath::default(), report);
    for name in ALWAYS {
        set.insert(&FieldPath::default().property(name));
    }
    set
}

/// Why a path cannot be exposed.
pub(crate) struct Refusal {
    /// The diagnostic this becomes.
    pub code: &'static crate::model::codes::Code,
    /// What is wrong.
    pub message: String,
    /// How to correct it.
    pub help: Option<String>,
    /// The path that was probably meant.
    pub meant: Option<FieldPath>,
}

impl Refusal {
    /// Reports it at a line.
    pub(crate) fn report(self, place: Span, report: &mut Report<'_>) {
        match self.meant {
            Some(meant) => report.meant(self.code, place, self.message, &meant),
            None => report.at(self.code, place, self.message, self.help),
        }
    }
}

type Notes = Vec<(&'static crate::model::codes::Code, String, Option<String>)>;

/// Follows a path through the schema. The notes are warnings about a path that exists.
pub(crate) fn walk(root: &Value, path: &FieldPath) -> Result<Notes, Refusal> {
    let mut notes = Notes::new();
    let mut node = root;
    for (depth, segment) in path.segments().iter().enumerate() {
        let here = FieldPath(path.0[..depth].to_vec());
        node = match segment {
            Segment::Property(name) => match property(node, name) {
                Step::To(child) => child,
                Step::KeyOf(child) => {
                    notes.push((
                        &codes::MAP_KEY,
                        format!("`{here}` is a {} and `{name}` one of its keys", schema::describe(node)),
                        Some(format!("expose `{here}` if tenants may use any key")),
                    ));
                    child
                }
                Step::No => return Err(missing(root, node, path, &here, name)),
            },
            Segment::Items => schema::items(node).ok_or_else(|| not_a(node, path, depth, "list", "[]"))?,
            Segment::Values => match schema::values(node) {
                Some(child) => child,
                None if schema::is_free_form(node) && depth + 1 == path.0.len() => node,
                None => return Err(not_a(node, path, depth, "map", ".*")),
            },
        };
    }
    let mut free = Vec::new();
    free_form(node, &mut path.clone(), &mut free);
    if !free.is_empty() {
        let more = free.len().saturating_sub(3);
        let mut named: Vec<String> = free.iter().take(3).map(|p| format!("`{p}`")).collect();
        if more > 0 {
            named.push(format!("{more} more"));
        }
        notes.push((
            &codes::FREE_FORM,
            format!("{} may hold anything: the CRD does not describe what stands there", listed(&named)),
            Some("expose described fields if tenants should not set everything".into()),
        ));
    }
    Ok(notes)
}

enum Step<'a> {
    To(&'a Value),
    KeyOf(&'a Value),
    No,
}

/// The implicit parts of an embedded object, which its schema need not describe.
static EMBEDDED_IMPLICIT: std::sync::LazyLock<Value> =
    std::sync::LazyLock::new(|| serde_json::json!({"type": "object"}));

fn property<'a>(node: &'a Value, name: &str) -> Step<'a> {
    if let Some(child) = schema::property(node, name) {
        return Step::To(child);
    }
    if let Some(child) = schema::values(node) {
        return Step::KeyOf(child);
    }
    if schema::is_embedded(node) && ALWAYS.contains(&name) {
        return Step::To(&EMBEDDED_IMPLICIT);
    }
    Step::No
}

fn missing(root: &Value, node: &Value, path: &FieldPath, here: &FieldPath, name: &str) -> Refusal {
    let refuse = |code, message, help| Refusal { code, message, help, meant: None };
    match schema::type_name(node) {
        _ if schema::is_free_form(node)
            && schema::properties(node).all(|(n, _)| nearest(name, [n.as_str()]).is_none()) =>
        {
            let message = format!("`{here}` may hold anything: the CRD does not describe `{path}`");
            refuse(&codes::UNDESCRIBED, message, Some(format!("expose `{here}`, with all that may stand in it")))
        }
        "array" => {
            let rest = FieldPath(path.0[here.0.len()..].to_vec());
            let help = format!("write `{here}[]{rest}` for the field of every item, or `{here}` for the whole list");
            refuse(&codes::NEEDS_ITEMS, format!("`{here}` is a list, so it has no field `{name}`"), Some(help))
        }
        "object" | "" => {
            let message = match here.0.is_empty() {
                true => format!("`{path}` matches nothing: the CRD has no field `{name}`"),
                false => format!("`{path}` matches nothing: `{here}` has no field `{name}`"),
            };
            match meant(root, node, path, here, name) {
                Some(meant) => Refusal { code: &codes::UNKNOWN_PATH, message, help: None, meant: Some(meant) },
                None => refuse(&codes::UNKNOWN_PATH, message, Some(what_there_is(node))),
            }
        }
        other => {
            let message = format!("`{path}` matches nothing: `{here}` is of type {other} and has no fields");
            refuse(&codes::UNKNOWN_PATH, message, Some(format!("expose `{here}`")))
        }
    }
}

/// The nearest names: of the same node first, then the same name elsewhere in the CRD.
fn meant(root: &Value, node: &Value, path: &FieldPath, here: &FieldPath, name: &str) -> Option<FieldPath> {
    let rest = &path.0[here.0.len() + 1..];
    let spelled = |n: &str| {
        let mut whole = here.property(n);
        whole.0.extend_from_slice(rest);
        whole
    };
    if let Some(near) = nearest(name, schema::properties(node).map(|(n, _)| n.as_str())) {
        return Some(spelled(near));
    }
    let wanted = match path.0.last() {
        Some(Segment::Property(last)) => last.as_str(),
        _ => name,
    };
    let mut elsewhere = Vec::new();
    find(root, wanted, &mut FieldPath::default(), &mut elsewhere);
    elsewhere.sort_by_key(|p: &FieldPath| (std::cmp::Reverse(p.shared(path)), p.0.len(), p.clone()));
    elsewhere.into_iter().next()
}

fn what_there_is(node: &Value) -> String {
    let mut names: Vec<String> = schema::properties(node).map(|(n, _)| format!("`{n}`")).collect();
    let more = names.len().saturating_sub(8);
    names.truncate(8);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    match names.is_empty() {
        true => "`carrier fields` lists what the CRD has".to_owned(),
        false => {
            format!("it has {}{tail}; `carrier fields`, with the name of the CRD, lists everything", names.join(", "))
        }
    }
}

fn find(node: &Value, name: &str, at: &mut FieldPath, found: &mut Vec<FieldPath>) {
    for (segment, child) in schema::children(node) {
        let hit = matches!(&segment, Segment::Property(n) if n == name);
        at.0.push(segment);
        if hit {
            found.push(at.clone());
        }
        find(child, name, at, found);
        at.0.pop();
    }
}

/// The step at `depth` of a path is one into a list or a map, and the node before it is none.
fn not_a(node: &Value, path: &FieldPath, depth: usize, wanted: &str, token: &str) -> Refusal {
    let here = FieldPath(path.0[..depth].to_vec());
    let mut without = path.clone();
    without.0.remove(depth);
    let help = match (schema::type_name(node), token) {
        ("object", "[]") if schema::values(node).is_some() => format!("write `{here}.*` for every value of the map"),
        ("array", ".*") => format!("write `{here}[]` for every item of the list"),
        _ => format!("remove `{token}`: write `{without}`"),
    };
    let message = format!("`{here}` is no {wanted} but of type {}", schema::describe(node));
    Refusal { code: &codes::NOT_A_LIST, message, help: Some(help), meant: None }
}

/// Every place at or below a node where anything may stand.
fn free_form(node: &Value, at: &mut FieldPath, found: &mut Vec<FieldPath>) {
    if schema::is_free_form(node) {
        found.push(at.clone());
    }
    for (segment, child) in schema::children(node) {
        at.0.push(segment);
        free_form(child, at, found);
        at.0.pop();
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

/// A path of the exposure.
#[derive(Clone, Copy)]
struct Named<'p> {
    path: &'p Spanned<FieldPath>,
    /// Whether it stands under `defaults`. Then its line is never too much: it brings the value.
    has_value: bool,
}

/// Reports every path that another one covers.
fn redundant(paths: &[Named<'_>], report: &mut Report<'_>) {
    // In order, a path comes directly before those that it covers.
    let mut sorted: Vec<(FieldPath, Named<'_>)> = paths.iter().map(|n| (trimmed(&n.path.value), *n)).collect();
    sorted.sort_by(|a, b| {
        let order = |n: &Named<'_>| (!n.has_value, n.path.span);
        a.0.cmp(&b.0).then_with(|| order(&a.1).cmp(&order(&b.1)))
    });
    let mut covering: Option<(FieldPath, Named<'_>)> = None;
    for (path, named) in sorted {
        match &covering {
            Some((cover, by)) if cover.is_prefix_of(&path) => {
                if named.has_value {
                    continue;
                }
                let message = match *cover == path {
                    true => format!("`{}` is exposed twice", named.path.value),
                    false => format!("`{}` is exposed already, by `{}`", named.path.value, by.path.value),
                };
                report.at(&codes::REDUNDANT_PATH, named.path.span, message, "remove the line".to_owned());
            }
            _ => covering = Some((path, named)),
        }
    }
}

/// A path without the `[]` and `.*` at its end, which add nothing.
fn trimmed(path: &FieldPath) -> FieldPath {
    let mut path = path.clone();
    while matches!(path.0.last(), Some(Segment::Items | Segment::Values)) {
        path.0.pop();
    }
    path
}

/// Adds the fields that must be exposed beside others: the keys of list-maps, the identity of embedded objects.
fn complete(node: &Value, set: &mut PathSet, at: &mut FieldPath, report: &mut Report<'_>) {
    if set.is_whole() {
        return;
    }
    if schema::is_embedded(node) {
        let message = format!("`{at}` is a whole Kubernetes object of which only a part is exposed");
        report.about(&codes::EMBEDDED_PARTIAL, at, message, format!("expose `{at}` itself"));
        for name in ALWAYS {
            set.insert(&FieldPath::default().property(name));
        }
    }
    let keys: Vec<&str> = schema::list_map_keys(node).collect();
    if let (false, Exposed::Partial(items)) = (keys.is_empty(), set.child(&Segment::Items)) {
        let added: Vec<&str> = keys.into_iter().filter(|k| items.property(k) != Exposed::Whole).collect();
        if !added.is_empty() {
            let names: Vec<String> =
                added.iter().map(|k| format!("`{}`", at.with(Segment::Items).property(k))).collect();
            let (are, identify) = if added.len() == 1 { ("is", "it identifies") } else { ("are", "they identify") };
            let message = format!("{} {are} exposed too: {identify} the items of `{at}`", names.join(" and "));
            report.about(&codes::LIST_KEYS_ADDED, at, message, None);
        }
        for key in added {
            set.insert(&FieldPath(vec![Segment::Items]).property(key));
        }
    }
    values_and_keys(node, set, at, report);
    let segments: Vec<Segment> = set.children().map(|(s, _)| s.clone()).collect();
    for segment in segments {
        let child = match &segment {
            Segment::Property(name) => match property(node, name) {
                Step::To(child) | Step::KeyOf(child) => Some(child),
                Step::No => None,
            },
            Segment::Items => schema::items(node),
            Segment::Values => schema::values(node),
        };
        at.0.push(segment.clone());
        if let (Some(child), Some(below)) = (child, set.child_mut(segment)) {
            complete(child, below, at, report);
        }
        at.0.pop();
    }
}

/// A map exposed both by key and by value: an error unless the values are whole, which covers the keys.
fn values_and_keys(node: &Value, set: &PathSet, at: &FieldPath, report: &mut Report<'_>) {
    if schema::values(node).is_none() || set.child(&Segment::Values) == Exposed::Hidden {
        return;
    }
    let keys: Vec<String> = set
        .children()
        .filter_map(|(s, _)| if let Segment::Property(p) = s { Some(format!("`{p}`")) } else { None })
        .collect();
    if !keys.is_empty() {
        let message = format!("`{at}` is exposed by its key {} and by `.*` at once", keys.join(", "));
        report.about(&codes::MAP_KEY_AND_VALUES, at, message, "keep one of the two".to_owned());
    }
}
