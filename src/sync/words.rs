//! The words of servers on their way to a tenant: one line, bounded, without hidden values. Pure.
//!
//! Two things keep hidden values out. Those that sync knows are replaced wherever they stand, in each way that servers
//! write them: as they are, or quoted by Go or as JSON; validation, CEL rules and webhooks quote what they like. And
//! where a server quotes a value in the form of its own validation (`Invalid value: …`), it stays only if it is one of
//! the tenant's: it may be a default of the service cluster, or what admission there has put into a hidden field.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::cluster::error::end_of_value;

/// The longest sentence in a condition, in characters.
const LONGEST: usize = 500;
/// Values that are shorter, in characters, are replaced only where they stand as words of their own.
const SHORT: usize = 6;
/// The shortest beginning of a value that is replaced at the end of a message that was cut.
const BEGINNING: usize = 3;
/// How a message ends that was cut.
const CUT: &str = "...";
/// What stands for a value.
const HIDDEN: &str = "(hidden)";

/// The values of an instance, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Values {
    /// Those of fields that the tenant does not see.
    pub hidden: BTreeSet<String>,
    /// Those of fields that the tenant does see; `None` where the tenant sees all.
    pub shown: Option<BTreeSet<String>>,
}

/// What a tenant may read of what a server says.
#[must_use]
pub(crate) fn shown(message: &str, values: &Values) -> String {
    let mut text = one_line(message).trim().to_owned();
    if let Some(own) = &values.shown {
        text = without_quoted(&text, own);
    }
    // The longest first: one value may be a part of another.
    let mut written: Vec<String> = values.hidden.iter().flat_map(|value| ways_to_write(value)).collect();
    written.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    written.dedup();
    for value in written.iter().filter(|value| !value.is_empty()) {
        text = without(&text, value);
    }
    if let Some(whole) = text.strip_suffix(CUT) {
        let begun =
            |value: &String| (BEGINNING..value.len()).rev().find_map(|end| whole.strip_suffix(value.get(..end)?));
        if let Some(rest) = written.iter().find_map(begun) {
            text = format!("{rest}{HIDDEN}{CUT}");
        }
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}{CUT}", &text[..end]),
        None => text,
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A value in each way that a server may write it. The lines of a long text may be quoted each alone.
fn ways_to_write(value: &str) -> Vec<String> {
    let lines = value.lines().map(str::trim).filter(|line| line.chars().count() >= SHORT);
    let mut all = Vec::new();
    for part in [value].into_iter().chain(lines) {
        all.extend([one_line(part), quoted(part, false, false), quoted(part, true, false), quoted(part, true, true)]);
    }
    all
}

/// A text as Go (`%q`) or JSON writes it between quotes; Go's JSON escapes what means something in HTML, too.
fn quoted(text: &str, as_json: bool, for_html: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let escape = match c {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            '\u{7}' if !as_json => Some("\\a"),
            '\u{b}' if !as_json => Some("\\v"),
            _ => None,
        };
        // Writing to a String cannot fail.
        let _ = match escape {
            Some(escape) => out.write_str(escape),
            None if c.is_control() && !as_json => write!(out, "\\x{:02x}", u32::from(c)),
            None if c.is_control() || (for_html && matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')) => {
                write!(out, "\\u{:04x}", u32::from(c))
            }
            None => out.write_char(c),
        };
    }
    out
}

/// Replaces the values that validation quotes, but for those of the tenant.
fn without_quoted(text: &str, own: &BTreeSet<String>) -> String {
    const FORMS: [&str; 4] = ["Invalid value: ", "Duplicate value: ", "Unsupported value: ", "Not found: "];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, form)) =
        FORMS.iter().filter_map(|form| Some((rest.find(form)?, *form))).min_by_key(|(at, _)| *at)
    {
        let (head, tail) = rest.split_at(at + form.len());
        let (value, tail) = tail.split_at(end_of_value(tail));
        out.push_str(head);
        out.push_str(if is_own(value, own) { value } else { HIDDEN });
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Whether a quoted value is one of the tenant's, or none at all: CEL rules quote the type of an object.
fn is_own(value: &str, own: &BTreeSet<String>) -> bool {
    if matches!(value, "" | "\"object\"" | "\"array\"") {
        return true;
    }
    match serde_json::from_str::<Value>(value) {
        Ok(value) => are_own(&value, own),
        // As Go writes it, where JSON has no such escape.
        Err(_) => own.iter().any(|text| value == text || value == format!("\"{}\"", quoted(text, false, false))),
    }
}

fn are_own(value: &Value, own: &BTreeSet<String>) -> bool {
    match value {
        Value::Object(map) => map.values().all(|inner| are_own(inner, own)),
        Value::Array(items) => items.iter().all(|inner| are_own(inner, own)),
        Value::String(text) => own.contains(text),
        Value::Number(number) => own.contains(&number.to_string()),
        Value::Bool(_) | Value::Null => true,
    }
}

/// Replaces a value where it stands as a word of its own.
fn without(text: &str, value: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (begins, ends) = (value.chars().next().is_some_and(is_word), value.chars().last().is_some_and(is_word));
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let (head, tail) = (&rest[..at], &rest[at + value.len()..]);
        // A long value is hidden wherever it stands.
        let is_part = value.chars().count() < SHORT
            && (begins && out.chars().chain(head.chars()).last().is_some_and(is_word)
                || ends && tail.chars().next().is_some_and(is_word));
        out.push_str(head);
        out.push_str(if is_part { value } else { HIDDEN });
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[&str]) -> BTreeSet<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn hidden_values_are_replaced_and_words_are_one_line() {
        let values = Values { hidden: set(&["hunter2", "3", "a"]), shown: None };
        assert_eq!(
            shown("spec.password: Invalid value: \"hunter2\": too short\n::error:: 3 of 30 in a map", &values),
            "spec.password: Invalid value: \"(hidden)\": too short ::error:: (hidden) of 30 in (hidden) map"
        );
        assert_eq!(shown("xhunter2x", &values), "x(hidden)x");
        assert_eq!(shown(&"é".repeat(600), &Values::default()).chars().count(), 503);
    }

    /// What API servers, CEL rules and webhooks say, and what a tenant reads of it.
    #[test]
    fn no_form_of_a_message_shows_a_hidden_value() {
        let values = Values {
            hidden: set(&[
                "hunter2",
                "pa\"ss\\word",
                "<b>&co",
                "line one\nsecret: abc\nend",
                "8443",
                "bell\u{7}",
                "größe-x",
            ]),
            shown: Some(set(&["standalone", "1gb", "7", "say \"hi\"", "tab\there"])),
        };
        for (said, reads) in [
            // Validation of the schema: the tenant's own values stay, all others go.
            (
                r#"spec.mode: Unsupported value: "standalone": supported values: "cluster""#,
                r#"spec.mode: Unsupported value: "standalone": supported values: "cluster""#,
            ),
            ("spec.size: Invalid value: 7: must be less than 5", "spec.size: Invalid value: 7: must be less than 5"),
            (r#"spec.note: Invalid value: "say \"hi\"": no"#, r#"spec.note: Invalid value: "say \"hi\"": no"#),
            (r#"spec.note: Invalid value: "tab\there": no"#, r#"spec.note: Invalid value: "tab\there": no"#),
            ("spec.port: Invalid value: 8443: no", "spec.port: Invalid value: (hidden): no"),
            (
                r#"spec.class: Unsupported value: "from-a-webhook": supported values: "x""#,
                r#"spec.class: Unsupported value: (hidden): supported values: "x""#,
            ),
            (
                r#"[a: Duplicate value: "k1", b: Not found: "k2", c: Invalid value: 1gb: no]"#,
                "[a: Duplicate value: (hidden), b: Not found: (hidden), c: Invalid value: 1gb: no]",
            ),
            (r#"spec: Invalid value: {"a":"x: y","b":[1]}: no"#, "spec: Invalid value: (hidden): no"),
            (
                r#"spec.config: Invalid value: {"maxmemory":"1gb","on":true}: no"#,
                r#"spec.config: Invalid value: {"maxmemory":"1gb","on":true}: no"#,
            ),
            (
                r#"spec: Invalid value: map[string]interface {}{"a":"x", "b":2}: no"#,
                "spec: Invalid value: (hidden): no",
            ),
            (
                r#"spec: Invalid value: "object": size and replicas exclude each other"#,
                r#"spec: Invalid value: "object": size and replicas exclude each other"#,
            ),
            (
                "spec.name: Too long: may not be more than 63 bytes",
                "spec.name: Too long: may not be more than 63 bytes",
            ),
            (
                "spec.a: Required value, spec.b: Forbidden: field is immutable",
                "spec.a: Required value, spec.b: Forbidden: field is immutable",
            ),
            // CEL messages and webhooks quote what they like.
            ("failed rule: password hunter2 is too short", "failed rule: password (hidden) is too short"),
            (
                r#"admission webhook "w" denied the request: {"spec":{"p":"pa\"ss\\word"}}"#,
                r#"admission webhook "w" denied the request: {"spec":{"p":"(hidden)"}}"#,
            ),
            ("denied: pa\"ss\\word", "denied: (hidden)"),
            (r"denied: \u003cb\u003e\u0026co or <b>&co", "denied: (hidden) or (hidden)"),
            (r"denied: line one\nsecret: abc\nend", "denied: (hidden)"),
            ("denied: line one\nsecret: abc\nend", "denied: (hidden)"),
            ("denied: in line 2, `secret: abc` is unknown", "denied: in line 2, `(hidden)` is unknown"),
            (r#"denied: "bell\a", "bell\u0007" and größe-x"#, r#"denied: "(hidden)", "(hidden)" and (hidden)"#),
            ("connect to 10.0.0.1:8443 of 84430", "connect to 10.0.0.1:(hidden) of 84430"),
            // A message that was cut in the middle of a value.
            ("denied: the password hunt...", "denied: the password (hidden)..."),
            (r#"spec.p: Invalid value: "from-a-webho..."#, "spec.p: Invalid value: (hidden)"),
        ] {
            assert_eq!(shown(said, &values), reads);
        }
    }

    #[test]
    fn a_tenant_that_sees_all_reads_all() {
        let said = r#"spec.p: Invalid value: "x": no"#;
        assert_eq!(shown(said, &Values::default()), said);
    }
}
