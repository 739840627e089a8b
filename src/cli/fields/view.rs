//! The fields of a CRD as a tree, as lines to paste, and as JSON.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::cli::style::ERROR;
use crate::compile::fields::{Field, Standing};
use crate::model::path::{FieldPath, Segment};
use crate::model::plain;

/// A longer default or list of values is cut in the tree.
const LONGEST_VALUE: usize = 60;

/// The fields of one version of a CRD, as one object exposes them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// The CRD.
    pub crd: String,
    /// The version.
    pub version: String,
    /// Whether it is the stored version.
    pub stored: bool,
    /// The clusters, or the file, that the CRD comes from.
    pub from: Vec<String>,
    /// The object whose exposure is shown.
    pub object: Option<String>,
    /// Whether an object may also have fields that the schema does not describe.
    pub open: bool,
    /// The fields.
    pub fields: Vec<Field>,
}

/// Writes trees, separated by empty lines.
///
/// # Errors
/// When `out` cannot be written.
pub(crate) fn tree(out: &mut dyn Write, all: &[Shown], color: bool) -> io::Result<()> {
    for (i, shown) in all.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        title(out, shown, "")?;
        if shown.object.is_some() {
            writeln!(out, "+ exposed  ~ in part  = preset  - hidden  ! hidden and required, so nothing could run")?;
        }
        writeln!(out)?;
        if shown.fields.is_empty() {
            writeln!(out, "{}", nothing(shown))?;
            continue;
        }
        let rows: Vec<&Field> = shown.fields.iter().flat_map(Field::all).collect();
        let top = rows.iter().map(|f| indent(f)).min().unwrap_or(0);
        let called = |f: &Field| if top > 0 && indent(f) == top { full_name(f) } else { name(f) };
        let width = rows.iter().map(|f| indent(f) - top + called(f).chars().count()).max().unwrap_or(0);
        let kinds = rows.iter().map(|f| f.kind.chars().count()).max().unwrap_or(0).min(24);
        for field in rows {
            let (mark, style) = mark(field.standing);
            let style = if color { style } else { Style::new() };
            let lead = " ".repeat(indent(field) - top);
            let name = format!("{lead}{}", plain::line(&called(field)));
            let line = format!("{name:width$}  {:kinds$}  {}", plain::line(&field.kind), remarks(field));
            writeln!(out, "{style}{mark}{}{style:#}", line.trim_end())?;
        }
    }
    Ok(())
}

/// Writes `jsonPath` lines to paste under `fields`. With an exposure, fields that it does not expose are
/// commented out, except those that nothing can run without.
///
/// # Errors
/// When `out` cannot be written.
pub(crate) fn list(out: &mut dyn Write, all: &[Shown]) -> io::Result<()> {
    for (i, shown) in all.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        title(out, shown, "# ")?;
        if shown.fields.is_empty() {
            writeln!(out, "# {}", nothing(shown))?;
        }
        let mut lines = Vec::new();
        shown.fields.iter().for_each(|field| leaves(field, &mut lines));
        for field in lines {
            let off = match field.standing {
                None | Some(Standing::Exposed | Standing::InPart | Standing::Missing) => "",
                Some(Standing::Hidden | Standing::Preset) => "# ",
            };
            let remarks = remarks(field);
            let comma = if remarks.is_empty() { "" } else { ", " };
            writeln!(out, "{off}- jsonPath: {}  # {}{comma}{remarks}", scalar(&field.path), plain::line(&field.kind))?;
        }
    }
    Ok(())
}

/// What is said of a CRD without fields.
fn nothing(shown: &Shown) -> &'static str {
    match shown.open {
        true => {
            "the schema describes no field, and an object may hold anything: to offer it as a whole, leave `derive` out"
        }
        false => "the schema describes no field, so an object has none",
    }
}

/// Writes a JSON document.
///
/// # Errors
/// When `out` cannot be written.
pub(crate) fn document(out: &mut dyn Write, all: &[Shown]) -> io::Result<()> {
    let crds: Vec<Value> = all
        .iter()
        .map(|shown| {
            let fields: Vec<Value> = shown.fields.iter().flat_map(Field::all).map(entry).collect();
            json!({
                "name": shown.crd,
                "version": shown.version,
                "stored": shown.stored,
                "from": shown.from,
                "object": shown.object,
                "fields": fields,
            })
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &json!({ "format_version": "1.0", "crds": crds }))?;
    writeln!(out)
}

fn entry(field: &Field) -> Value {
    json!({
        "path": field.path.to_string(),
        "type": field.kind,
        "required": field.required,
        "default": field.default,
        "enum": field.one_of,
        "description": field.description,
        "exposed": field.standing.map(|s| match s {
            Standing::Exposed => "whole",
            Standing::InPart => "part",
            Standing::Preset => "preset",
            Standing::Hidden => "no",
            Standing::Missing => "missing",
        }),
    })
}

fn title(out: &mut dyn Write, shown: &Shown, lead: &str) -> io::Result<()> {
    let stored = if shown.stored { ", stored" } else { "" };
    let from = plain::line(&shown.from.join(", ")).into_owned();
    writeln!(out, "{lead}{} {}{stored}, from {from}", plain::line(&shown.crd), plain::line(&shown.version))?;
    match &shown.object {
        Some(object) => writeln!(out, "{lead}exposed by {}", plain::line(object)),
        None => Ok(()),
    }
}

/// The sign of a field at the beginning of its line, with a space behind it.
fn mark(standing: Option<Standing>) -> (&'static str, Style) {
    match standing {
        None => ("", Style::new()),
        Some(Standing::Exposed) => ("+ ", AnsiColor::Green.on_default()),
        Some(Standing::InPart) => ("~ ", AnsiColor::Green.on_default()),
        Some(Standing::Preset) => ("= ", AnsiColor::Yellow.on_default()),
        Some(Standing::Hidden) => ("- ", Style::new().dimmed()),
        Some(Standing::Missing) => ("! ", ERROR),
    }
}

/// Two spaces for every field above.
fn indent(field: &Field) -> usize {
    let above = field.path.segments().iter().filter(|s| matches!(s, Segment::Property(_))).count();
    2 * above.saturating_sub(1)
}

/// The last step of the path, with the `[]` or `.*` that lead on from it.
fn name(field: &Field) -> String {
    let last = field.path.segments().last().cloned().into_iter().collect();
    let on = field.children.first().map_or(&[][..], |child| {
        let steps = child.path.segments();
        &steps[field.path.segments().len()..steps.len() - 1]
    });
    let mut path = FieldPath(last);
    path.0.extend_from_slice(on);
    let text = path.to_string();
    text.strip_prefix('.').map_or(text.clone(), str::to_owned)
}

/// The whole path, with the `[]` or `.*` that lead on from it: of a field that is shown alone.
fn full_name(field: &Field) -> String {
    let above = FieldPath(field.path.segments()[..field.path.segments().len() - 1].to_vec());
    format!("{above}.{}", name(field))
}

fn remarks(field: &Field) -> String {
    let mut parts = Vec::new();
    if field.required {
        parts.push("required".to_owned());
    }
    if let Some(default) = &field.default {
        parts.push(format!("default {}", short(default)));
    }
    if !field.one_of.is_empty() {
        let values: Vec<String> = field.one_of.iter().map(Value::to_string).collect();
        parts.push(format!("one of {}", cut(&values.join(" "))));
    }
    if field.more > 0 {
        parts.push(format!("{} more below", field.more));
    }
    plain::line(&parts.join(", ")).into_owned()
}

fn short(value: &Value) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The fields to list: those without a described part, and those exposed as a whole.
fn leaves<'f>(field: &'f Field, found: &mut Vec<&'f Field>) {
    let whole = matches!(field.standing, Some(Standing::Exposed | Standing::Preset | Standing::Missing));
    if field.children.is_empty() || whole {
        found.push(field);
    } else {
        field.children.iter().for_each(|child| leaves(child, found));
    }
}

/// A path as a YAML scalar.
fn scalar(path: &FieldPath) -> String {
    let text = path.to_string();
    let plain =
        text.starts_with('.') && !text.contains(": ") && !text.contains(" #") && !text.contains(char::is_control);
    // A JSON string is a YAML string.
    if plain { text } else { Value::String(text).to_string() }
}
