//! Reads the `derive` block: parses its paths, and keeps the place of each part.

use std::ops::Range;

use crate::compile::derive::exposure::{ExposeItem, Exposure, ValueAt};
use crate::model::codes::{derivation, reference as codes};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::kinds::{DeriveConfig, FieldValue};
use crate::model::names::{self as valid, LABEL_MAX};
use crate::model::path::FieldPath;
use crate::model::source::{Span, Spanned};
use crate::yaml::tree::Node;

const BLOCK: &str = "/spec/derive";
/// The longest kind: the kind of lists is the kind and `List`, and has at most 63 characters, too
/// (`ValidateCustomResourceDefinitionNames` of k8s.io/apiextensions-apiserver 0.37).
const LONGEST_KIND: usize = LABEL_MAX - "List".len();

/// The exposure of a `derive` block. Invalid paths are reported and left out.
pub(super) fn exposure(config: &DeriveConfig, node: &Node, object: &str, diagnostics: &mut Diagnostics) -> Exposure {
    let mut reader = Reader { node, object, diagnostics };
    let items = config
        .expose
        .iter()
        .enumerate()
        .map(|(i, item)| {
            let at = format!("{BLOCK}/expose/{i}");
            let spanned = |pointer: String, text: &String| Spanned::new(text.clone(), node.place(&pointer));
            ExposeItem {
                place: node.place(&format!("{at}/versions")),
                versions: item
                    .versions
                    .iter()
                    .enumerate()
                    .map(|(j, version)| spanned(format!("{at}/versions/{j}"), version))
                    .collect(),
                fields: item
                    .fields
                    .iter()
                    .enumerate()
                    .filter_map(|(j, f)| reader.path(&f.json_path, &format!("{at}/fields/{j}/jsonPath")))
                    .collect(),
                defaults: reader.values(&item.defaults, &format!("{at}/defaults")),
                presets: reader.values(&item.presets, &format!("{at}/presets")),
            }
        })
        .collect();
    let kind = config.kind.as_ref().and_then(|k| reader.name(k, "kind", is_kind));
    let plural = config
        .plural
        .as_ref()
        .and_then(|p| reader.name(p, "plural", |p| valid::dns_1035_label(p).map_err(|e| e.to_string())));
    Exposure { place: node.place(BLOCK), object: object.to_owned(), kind, plural, items }
}

struct Reader<'a> {
    node: &'a Node,
    object: &'a str,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn path(&mut self, text: &str, pointer: &str) -> Option<Spanned<FieldPath>> {
        let span = self.node.place(pointer);
        match FieldPath::parse(text) {
            Ok(path) => Some(Spanned::new(path, span)),
            Err(error) => {
                let place = within(span, text, &error.range);
                let message = format!("`{text}` cannot be read: {error}");
                let diagnostic = Diagnostic::new(&derivation::PATH_SYNTAX, place, message)
                    .help(error.problem.help())
                    .on(self.object, pointer);
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn values(&mut self, values: &[FieldValue], at: &str) -> Vec<ValueAt> {
        let mut out = Vec::new();
        for (j, value) in values.iter().enumerate() {
            if let Some(path) = self.path(&value.json_path, &format!("{at}/{j}/jsonPath")) {
                let place = self.node.place(&format!("{at}/{j}/value"));
                out.push(ValueAt { path, value: Spanned::new(value.value.clone(), place) });
            }
        }
        out
    }

    fn name(&mut self, name: &str, what: &str, check: impl Fn(&str) -> Result<(), String>) -> Option<Spanned<String>> {
        let pointer = format!("{BLOCK}/{what}");
        let place = self.node.place(&pointer);
        if let Err(why) = check(name) {
            let message = format!("`{name}` cannot be a {what}: {why}");
            let proposal = match what {
                "kind" => capitalized(name),
                _ => name.to_lowercase(),
            };
            let help = match (check(&proposal), what) {
                (Ok(()), _) => format!("write `{proposal}`"),
                (Err(_), "kind") if name.len() > LONGEST_KIND => "choose a shorter kind".to_owned(),
                (Err(_), "kind") => "write a kind such as `Postgres`".to_owned(),
                (Err(_), _) => "write a plural such as `postgreses`".to_owned(),
            };
            let diagnostic =
                Diagnostic::new(&codes::INVALID_OVERRIDE, place, message).help(help).on(self.object, pointer);
            self.diagnostics.push(diagnostic);
            return None;
        }
        Some(Spanned::new(name.to_owned(), place))
    }
}

fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

/// A kind starts with a capital letter and is a DNS label in lower case.
fn is_kind(name: &str) -> Result<(), String> {
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Err("a kind starts with a capital letter".to_owned());
    }
    valid::dns_1035_label(&name.to_lowercase()).map_err(|e| e.to_string())?;
    match name.len() > LONGEST_KIND {
        true => Err(format!(
            "it has {} characters and may have {LONGEST_KIND}, since the kind of its lists is `{name}List`",
            name.len()
        )),
        false => Ok(()),
    }
}

/// The place of a part of a scalar's text. Exact for plain scalars and for quoted ones without escapes;
/// otherwise the place of the whole scalar.
fn within(span: Span, text: &str, range: &Range<usize>) -> Span {
    let length = (span.end - span.start) as usize;
    let quote = match length.checked_sub(text.len()) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return span,
    };
    let start = span.start as usize + quote;
    Span::new(span.file, start + range.start, start + range.end.max(range.start + 1).min(text.len().max(range.start)))
}
