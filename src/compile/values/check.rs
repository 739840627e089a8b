//! A value against the keywords of a schema: types, enums, bounds, lengths, patterns, formats, required fields and
//! junctors, each as kube-openapi's `pkg/validation/validate` (v1.37) judges it.
//!
//! The rules that look beyond one node's keywords (unknown fields, lists as sets, embedded resources) have rooms of
//! their own.

use serde_json::Value;

use super::formats::{self, Verdict};
use super::number::{self, Number, Width};
use super::pattern::{Pattern, PatternError};
use super::unknown::UNKNOWN;
use super::{Judgement, Occasion, same};
use crate::compile::schema;
use crate::model::path::{FieldPath, Segment};

/// Adds everything that is wrong with a value at and below `at`.
pub(super) fn check(schema: &Value, value: &Value, occasion: Occasion, at: &mut FieldPath, judgement: &mut Judgement) {
    Check { occasion, nested: false }.node(schema, value, at, judgement);
}

#[derive(Clone, Copy)]
struct Check {
    occasion: Occasion,
    /// Inside of a junctor.
    nested: bool,
}

impl Check {
    fn node(self, schema: &Value, value: &Value, at: &mut FieldPath, judgement: &mut Judgement) {
        let types = self.types(schema);
        let format = self.format(schema, &types);
        if let Some(message) = wrong_type(schema, value, &types, format) {
            judgement.violate(at, message);
            return;
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array).filter(|c| !c.is_empty())
            && !same::is_among(value, choices)
        {
            let listed: Vec<String> = choices.iter().map(ToString::to_string).collect();
            judgement.violate(at, format!("must be one of {}", listed.join(", ")));
        }
        if value.is_null() {
            return;
        }
        self.junctors(schema, value, at, judgement);
        match value {
            Value::String(text) => string(schema, text, format, at, judgement),
            Value::Number(_) => {
                if let Some(number) = Number::of(value) {
                    let wrong = number::violations(schema, number, Width::of(&types, format));
                    let doubt = number::doubts(schema, number, &types).filter(|_| wrong.is_empty());
                    for message in wrong {
                        judgement.violate(at, message);
                    }
                    if let Some(message) = doubt {
                        judgement.doubt(at, message);
                    }
                }
            }
            Value::Array(list) => {
                size(schema, list.len(), "Items", "items", at, judgement);
                if let Some(items) = schema::items(schema) {
                    at.0.push(Segment::Items);
                    for inner in list {
                        self.node(items, inner, at, judgement);
                    }
                    at.0.pop();
                }
            }
            Value::Object(map) => {
                size(schema, map.len(), "Properties", "fields", at, judgement);
                for name in schema::required(schema).filter(|n| !map.contains_key(*n)) {
                    judgement.violate(&at.property(name), "is required");
                }
                for (name, inner) in map {
                    let described = schema::property(schema, name);
                    let additional = schema.get("additionalProperties").filter(|_| self.looks_at_additional());
                    if described.is_none() && additional == Some(&Value::Bool(false)) {
                        judgement.violate(&at.property(name), UNKNOWN);
                    }
                    let Some(child) = described.or_else(|| additional.filter(|a| a.is_object())) else { continue };
                    // A server reads an embedded object's metadata first, and null as none.
                    if inner.is_null() && name == "metadata" && schema::is_embedded(schema) {
                        continue;
                    }
                    at.0.push(Segment::Property(name.clone()));
                    self.node(child, inner, at, judgement);
                    at.0.pop();
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// The types that a node names. `x-kubernetes-int-or-string` names two, but not to a server that reads a default.
    fn types(self, schema: &Value) -> Vec<&str> {
        if self.occasion == Occasion::Instance && schema::flag(schema, "x-kubernetes-int-or-string") {
            return vec!["integer", "string"];
        }
        schema.get("type").and_then(Value::as_str).filter(|t| !t.is_empty()).into_iter().collect()
    }

    /// The format that counts. For instances a server drops those that do not belong to the type
    /// (apiextensions `pkg/apiserver/validation/formats.go`; before 1.34 it asks less).
    fn format<'s>(self, schema: &'s Value, types: &[&str]) -> &'s str {
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        let counts = match types {
            _ if self.occasion == Occasion::Default => true,
            ["integer"] => matches!(format, "int32" | "int64"),
            ["number"] => matches!(format, "float" | "double"),
            ["string"] | [] | [_, _, ..] => formats::is_checked(format),
            _ => false,
        };
        if counts { format } else { "" }
    }

    /// A server that reads a default knows no `additionalProperties` inside of junctors.
    fn looks_at_additional(self) -> bool {
        !self.nested || self.occasion == Occasion::Instance
    }

    fn junctors(self, schema: &Value, value: &Value, at: &FieldPath, judgement: &mut Judgement) {
        let nested = Self { nested: true, ..self };
        let verdicts = |key: &str| -> Option<Vec<Verdict>> {
            let branches = schema.get(key)?.as_array().filter(|b| !b.is_empty())?;
            Some(branches.iter().map(|branch| nested.verdict(branch, value)).collect())
        };
        let count = |verdicts: &[Verdict], wanted| verdicts.iter().filter(|v| **v == wanted).count();
        let mut say = |verdict: Verdict, message: &str| match verdict {
            Verdict::Fits => {}
            Verdict::Refused => judgement.violate(at, message),
            Verdict::Unjudged => judgement.doubt(at, format!("perhaps {message}; only a server knows")),
        };
        if let Some(all) = verdicts("allOf") {
            say(worst(&all), "does not satisfy all of `allOf`");
        }
        if let Some(any) = verdicts("anyOf") {
            say(best(&any), "satisfies none of `anyOf`");
        }
        if let Some(one) = verdicts("oneOf") {
            let (fits, unknown) = (count(&one, Verdict::Fits), count(&one, Verdict::Unjudged));
            let verdict = match (fits, unknown) {
                (1, 0) => Verdict::Fits,
                (2.., _) | (0, 0) => Verdict::Refused,
                _ => Verdict::Unjudged,
            };
            say(verdict, "does not satisfy exactly one of `oneOf`");
        }
        if let Some(not) = schema.get("not").filter(|n| n.is_object()) {
            let verdict = match nested.verdict(not, value) {
                Verdict::Fits => Verdict::Refused,
                Verdict::Refused => Verdict::Fits,
                Verdict::Unjudged => Verdict::Unjudged,
            };
            say(verdict, "satisfies what `not` forbids");
        }
    }

    fn verdict(self, branch: &Value, value: &Value) -> Verdict {
        let mut judgement = Judgement::default();
        self.node(branch, value, &mut FieldPath::default(), &mut judgement);
        match (judgement.violations.is_empty(), judgement.unjudged.is_empty()) {
            (false, _) => Verdict::Refused,
            (true, false) => Verdict::Unjudged,
            (true, true) => Verdict::Fits,
        }
    }
}

fn worst(verdicts: &[Verdict]) -> Verdict {
    [Verdict::Refused, Verdict::Unjudged].into_iter().find(|v| verdicts.contains(v)).unwrap_or(Verdict::Fits)
}

fn best(verdicts: &[Verdict]) -> Verdict {
    [Verdict::Fits, Verdict::Unjudged].into_iter().find(|v| verdicts.contains(v)).unwrap_or(Verdict::Refused)
}

/// What is wrong with the value's type (kube-openapi `pkg/validation/validate/type.go`). A format that counts changes the
/// rules: text and lists then pass as anything but a number.
fn wrong_type(schema: &Value, value: &Value, types: &[&str], format: &str) -> Option<String> {
    if types.is_empty() && format.is_empty() {
        return None;
    }
    if value.is_null() {
        let refused = !types.is_empty() && !types.contains(&"null") && !schema::flag(schema, "nullable");
        return refused.then(|| "must not be null".to_owned());
    }
    let number = Number::of(value);
    let name = match (value, number) {
        (_, Some(_)) => "number",
        (Value::Bool(_), _) => "boolean",
        (Value::String(_), _) => "string",
        (Value::Array(_), _) => "array",
        _ => "object",
    };
    let asks = |name: &str| types.contains(&name);
    let textual = matches!(name, "string" | "array");
    let fits = match number {
        Some(Number::Int(_)) => asks("integer") || asks("number"),
        Some(float) => asks("number") || asks("integer") && float.is_integer(),
        None => asks(name),
    };
    let lenient = !format.is_empty() && textual && !asks("number") && !asks("integer");
    if fits || lenient {
        return None;
    }
    let wanted = match types {
        [] => format!("of format {format}"),
        _ => article(&schema::describe(schema)),
    };
    Some(format!("must be {wanted}, not {}", name_of(value)))
}

fn string(schema: &Value, text: &str, format: &str, at: &FieldPath, judgement: &mut Judgement) {
    // In code points, as the server counts.
    size(schema, text.chars().count(), "Length", "characters", at, judgement);
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str).filter(|p| !p.is_empty()) {
        match Pattern::compile(pattern) {
            Ok(compiled) if compiled.matches(text) => {}
            Ok(_) => judgement.violate(at, format!("must match `{pattern}`")),
            Err(PatternError::Refused(why)) => {
                judgement.violate(
                    at,
                    format!("can have no value at all: no server can read its pattern `{pattern}`: {why}"),
                );
            }
            Err(PatternError::Unjudged(why)) => {
                judgement.doubt(at, format!("must match `{pattern}`, which carrier cannot try: {why}"));
            }
        }
    }
    match formats::judge(format, text) {
        Verdict::Fits => {}
        Verdict::Refused => judgement.violate(at, format!("must have the format {format}")),
        Verdict::Unjudged => {
            judgement.doubt(at, format!("must have the format {format}, and only a server knows whether it has"));
        }
    }
}

fn size(schema: &Value, size: usize, suffix: &str, unit: &str, at: &FieldPath, judgement: &mut Judgement) {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let limit = |key: &str| schema.get(key).and_then(|v| v.as_i64().or_else(|| v.as_f64().map(number::to_int)));
    if let Some(min) = limit(&format!("min{suffix}")).filter(|min| size < *min) {
        judgement.violate(at, format!("must have at least {min} {unit}"));
    }
    if let Some(max) = limit(&format!("max{suffix}")).filter(|max| size > *max) {
        judgement.violate(at, format!("must have at most {max} {unit}"));
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    if noun.starts_with("[]") { format!("a list ({noun})") } else { format!("{article} {noun}") }
}
