//! Diagnostics as SARIF 2.1.0, for code scanning.
//!
//! A result's fingerprint is made of the code, the object and the path in it,
//! so that an alert stays the same when lines move. GitHub refuses a run of
//! more than 25,000 results: the worst are kept, and a notification counts the rest.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::place::Places;
use crate::model::codes::Code;
use crate::model::diagnostic::{Diagnostic, Label, Severity};
use crate::model::plain;
use crate::model::source::Sources;

/// Results that GitHub takes in one run.
const MOST_RESULTS: usize = 25_000;

/// Writes the log, with a final line break; `prefix` goes before every path.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, list: &[Diagnostic], sources: &Sources, prefix: &str) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &log(list, sources, prefix))?;
    writeln!(out)
}

/// The log as JSON.
#[must_use]
pub fn log(list: &[Diagnostic], sources: &Sources, prefix: &str) -> Value {
    let places = Places::new(sources);
    let mut kept: Vec<&Diagnostic> = list.iter().collect();
    let dropped = kept.len().saturating_sub(MOST_RESULTS);
    if dropped > 0 {
        // The sort is stable: within a severity the order stays.
        kept.sort_by_key(|d| d.severity);
        kept.truncate(MOST_RESULTS);
    }
    let mut codes: Vec<&'static Code> = kept.iter().map(|d| d.code).collect();
    codes.sort_unstable_by_key(|c| c.id);
    codes.dedup_by_key(|c| c.id);
    let mut seen = BTreeMap::new();
    let results: Vec<Value> = kept
        .iter()
        .map(|d| {
            let rule = codes.partition_point(|c| c.id < d.code.id);
            result(d, rule, &places, prefix, &mut seen)
        })
        .collect();
    let mut run = json!({
        "tool": { "driver": {
            "name": "carrier",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": codes.iter().map(|c| rule(c)).collect::<Vec<_>>(),
        } },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": { "%SRCROOT%": { "description": { "text": "The root of the repository." } } },
        "results": results,
    });
    if dropped > 0 {
        run["invocations"] = json!([{
            "executionSuccessful": true,
            "toolExecutionNotifications": [{
                "level": "warning",
                "message": { "text": format!("{dropped} more results are left out: a run holds {MOST_RESULTS}.") },
            }],
        }]);
    }
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    })
}

fn rule(code: &Code) -> Value {
    json!({
        "id": code.id,
        "shortDescription": { "text": code.title },
        "fullDescription": { "text": code.title },
        "help": { "text": code.explanation, "markdown": code.explanation },
        "defaultConfiguration": { "level": level(code.severity) },
    })
}

fn result(
    diagnostic: &Diagnostic,
    rule: usize,
    places: &Places<'_>,
    prefix: &str,
    seen: &mut BTreeMap<String, usize>,
) -> Value {
    let mut text = plain::line(&diagnostic.message).into_owned();
    for line in diagnostic.notes.iter().chain(&diagnostic.help) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{}", plain::lines(line));
    }
    let fingerprint = fingerprint(diagnostic, places);
    let times = seen.entry(fingerprint.clone()).or_default();
    *times += 1;
    let mut result = json!({
        "ruleId": diagnostic.code.id,
        "ruleIndex": rule,
        "level": level(diagnostic.severity),
        "message": { "text": text },
        "partialFingerprints": { "carrier/v1": format!("{fingerprint}:{times}") },
    });
    // A result needs a place to be shown; what no line stands for is at the root.
    result["locations"] = json!([match &diagnostic.primary {
        Some(label) => location(label, places, prefix),
        None => json!({ "physicalLocation": { "artifactLocation": artifact(prefix, "carrier.yaml") } }),
    }]);
    if !diagnostic.labels.is_empty() {
        let related = diagnostic.labels.iter().enumerate().map(|(i, label)| {
            let mut location = location(label, places, prefix);
            location["id"] = json!(i + 1);
            if !label.text.is_empty() {
                location["message"] = json!({ "text": plain::line(&label.text) });
            }
            location
        });
        result["relatedLocations"] = related.collect();
    }
    result
}

fn location(label: &Label, places: &Places<'_>, prefix: &str) -> Value {
    if let Some((object, pointer)) = places.in_object(label.span) {
        // A viewer needs a file to show it at, and there is none.
        return json!({
            "physicalLocation": { "artifactLocation": artifact(prefix, "carrier.yaml") },
            "logicalLocations": [{ "fullyQualifiedName": format!("{object}{pointer}"), "kind": "object" }],
        });
    }
    let (start, end) = (places.start(label.span), places.end(label.span));
    json!({ "physicalLocation": {
        "artifactLocation": artifact(prefix, places.sources().path(label.span)),
        "region": {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        },
    } })
}

fn artifact(prefix: &str, path: &str) -> Value {
    json!({ "uri": uri(&format!("{prefix}{path}")), "uriBaseId": "%SRCROOT%" })
}

/// A relative path as a relative reference (RFC 3986 §4.2).
fn uri(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// 16 hex digits that survive a move of the lines, where the diagnostic is
/// about an object; else the file and the message stand in.
fn fingerprint(diagnostic: &Diagnostic, places: &Places<'_>) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update(part.as_bytes());
        hash.update([0]);
    };
    add(diagnostic.code.id);
    if let Some(object) = &diagnostic.object {
        add(object);
        add(diagnostic.path.as_deref().unwrap_or(""));
    } else {
        add(diagnostic.primary.as_ref().map_or("", |l| places.sources().path(l.span)));
        add(&diagnostic.message);
    }
    hash.finalize().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_relative_references() {
        assert_eq!(uri("a b/ü#?:%.yaml"), "a%20b/%C3%BC%23%3F%3A%25.yaml");
    }
}
