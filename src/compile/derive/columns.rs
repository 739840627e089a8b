//! Columns, scale and selectable fields of a derived CRD (`derivation.md` R9):
//! those that read a hidden field are dropped, with a warning.

use serde_json::{Map, Value};

use super::exposure::Report;
use super::select::ALWAYS;
use super::source::SourceVersion;
use crate::compile::schema;
use crate::model::codes::derivation as codes;
use crate::model::path::{Exposed, FieldPath, PathSet, Segment};

/// The columns whose every field is visible, filter operands included.
pub(crate) fn columns(version: &SourceVersion, set: &PathSet, report: &mut Report<'_>) -> Vec<Value> {
    let text = |c: &Value, key: &str| c.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut kept = Vec::new();
    // Then even a path that cannot be read shows no hidden field.
    let everything = schema::properties(&version.schema).all(|(name, _)| set.property(name) == Exposed::Whole);
    for column in &version.columns {
        let json_path = text(column, "jsonPath");
        match hidden(&json_path, set).filter(|_| !everything) {
            None => kept.push(column.clone()),
            Some(field) => {
                let place = field_path(&json_path);
                // Tenants do have conditions of this path: carrier's, and not those the column is about.
                let whose = match place.starts_at("status") && field.starts_with("`.status.conditions") {
                    true => ": the column reads the service's own conditions",
                    false => "",
                };
                let message = format!("the column `{}` is dropped: it shows {field}{whose}", text(column, "name"));
                let help = format!("add `- jsonPath: {place}` to `fields`, or accept that the column is dropped");
                report.about(&codes::COLUMN_DROPPED, &place, message, help);
            }
        }
    }
    kept
}

/// The selectable fields that are visible.
pub(crate) fn selectable(version: &SourceVersion, set: &PathSet, report: &mut Report<'_>) -> Vec<Value> {
    let mut kept = Vec::new();
    for json_path in &version.selectable {
        match hidden(json_path, set) {
            None => kept.push(serde_json::json!({ "jsonPath": json_path })),
            Some(_) => {
                let message = format!("the selectable field `{json_path}` is dropped: it is not exposed");
                let place = field_path(json_path);
                let help = format!("add `- jsonPath: {place}` to `fields`, or accept that tenants cannot select by it");
                report.about(&codes::SELECTABLE_DROPPED, &place, message, help);
            }
        }
    }
    kept
}

/// The scale subresource, if both replica fields are visible; without its label selector if that is hidden.
pub(crate) fn scale(version: &SourceVersion, set: &PathSet, report: &mut Report<'_>) -> Option<Value> {
    let mut scale = version.subresources.scale.as_ref()?.as_object()?.clone();
    for (key, needed) in [("specReplicasPath", true), ("statusReplicasPath", true), ("labelSelectorPath", false)] {
        let Some(json_path) = scale.get(key).and_then(Value::as_str).map(str::to_owned) else { continue };
        let Some(field) = hidden(&json_path, set) else { continue };
        let what =
            if needed { "the scale subresource is dropped" } else { "the scale subresource loses its label selector" };
        let help = format!("add `- jsonPath: {json_path}` to `fields` if tenants should scale");
        report.about(&codes::SCALE_DROPPED, &field_path(&json_path), format!("{what}: it reads {field}"), help);
        if needed {
            return None;
        }
        scale.remove(key);
    }
    Some(Value::Object(scale))
}

/// `subresources` of a derived or internal version: status always, scale where there is one.
pub(crate) fn subresources(scale: Option<Value>) -> Value {
    let mut map = Map::new();
    map.insert("status".to_owned(), Value::Object(Map::new()));
    map.extend(scale.map(|s| ("scale".to_owned(), s)));
    Value::Object(map)
}

/// The first hidden field that a JSONPath reads, as words; `None` if all are visible.
fn hidden(json_path: &str, set: &PathSet) -> Option<String> {
    let Some(read) = reads(json_path) else {
        return Some(format!("`{json_path}`, which cannot be read as a path of fields"));
    };
    let always = |p: &FieldPath| ALWAYS.iter().any(|root| p.starts_at(root));
    read.into_iter().find(|p| !always(p) && !set.shows(p)).map(|p| format!("`{p}`, which is not exposed"))
}

fn field_path(json_path: &str) -> FieldPath {
    reads(json_path).and_then(|mut p| (!p.is_empty()).then(|| p.swap_remove(0))).unwrap_or_default()
}

/// Every field that a column's JSONPath reads. kubectl's dialect: `\.`, `['…']`, `[*]`, `[0]`,
/// `[?(@.a.b=="x")]`, braces around it, and the leading dot may be missing.
#[must_use]
pub(crate) fn reads(json_path: &str) -> Option<Vec<FieldPath>> {
    let text = json_path.trim().trim_start_matches('{').trim_end_matches('}').trim_start_matches('$');
    let mut base = FieldPath::default();
    let mut operands = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix("[?(") {
            let end = inside.find(")]")?;
            base.0.push(Segment::Items);
            for part in inside[..end].split('@').skip(1) {
                let stop = part.find(|c: char| " =!<>)&|~".contains(c)).unwrap_or(part.len());
                let operand = FieldPath::parse(&part[..stop]).ok()?;
                let mut whole = base.clone();
                whole.0.extend_from_slice(operand.segments());
                operands.push(whole);
            }
            rest = &inside[end + 2..];
            continue;
        }
        if let Some(inside) = rest.strip_prefix('[')
            && let Some(end) = inside.find(']')
            && !inside.starts_with(['\'', '"'])
        {
            let index = inside[..end].trim();
            if index == "*" || index.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '-' | ',')) {
                base.0.push(Segment::Items);
                rest = &inside[end + 1..];
                continue;
            }
        }
        let stop = next_bracket(rest);
        let piece = FieldPath::parse(&rest[..stop]).ok()?;
        base.0.extend_from_slice(piece.segments());
        rest = &rest[stop..];
    }
    let mut all = vec![base];
    all.append(&mut operands);
    Some(all)
}

/// Where the next `[` stands that is no quoted name, at least one character on.
fn next_bracket(text: &str) -> usize {
    let quoted = |i: usize| text[i + 1..].starts_with(['\'', '"']);
    text.char_indices().skip(1).find(|(i, c)| *c == '[' && !quoted(*i)).map_or(text.len(), |(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json_path: &str) -> Vec<String> {
        reads(json_path).unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_field_a_column_reads() {
        assert_eq!(fields(".spec.size"), [".spec.size"]);
        assert_eq!(fields("spec.size"), [".spec.size"]);
        assert_eq!(fields("{.spec.size}"), [".spec.size"]);
        assert_eq!(
            fields(r#".status.conditions[?(@.type=="Ready")].status"#),
            [".status.conditions[].status", ".status.conditions[].type"]
        );
        assert_eq!(
            fields(r#".status.conditions[?(@.type == 'a' && @.x.y=="b")].s"#),
            [".status.conditions[].s", ".status.conditions[].type", ".status.conditions[].x.y"]
        );
        assert_eq!(fields(".spec.hosts[*].name"), [".spec.hosts[].name"]);
        assert_eq!(fields(".spec.hosts[0]"), [".spec.hosts[]"]);
        assert_eq!(fields(r".metadata.labels.strimzi\.io/cluster"), [".metadata.labels['strimzi.io/cluster']"]);
        assert_eq!(fields(".spec['a.b'].c"), [".spec['a.b'].c"]);
    }
}
