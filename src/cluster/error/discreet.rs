//! A server's message without the values that it quotes. Pure.

use crate::model::plain;

/// The message without its values: `Invalid value: "hunter2": must be …` may quote a preset that is a
/// password.
#[must_use]
pub(crate) fn discreet(message: &str) -> String {
    without_values(message, |_| false)
}

/// Why a server refuses an object that carrier renders, without the values that it quotes. For some rules a server leaves
/// the value out (`spec.a: Invalid value: it cannot be changed`), and then the reason stays. Not for objects of others: a
/// webhook may write a value of theirs without quotes.
#[must_use]
pub(crate) fn refusal(message: &str) -> String {
    without_values(message, is_reason)
}

/// Whether a text after `Invalid value: ` is words and no value: an API server quotes strings, and a number or a word such as
/// `true` is followed by a colon.
fn is_reason(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let words = rest.strip_prefix(' ').filter(|_| rest.len() < text.len());
    words.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn without_values(message: &str, is_reason: impl Fn(&str) -> bool) -> String {
    const BEFORE: [&str; 2] = [" value: ", ": Not found: "];
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    let next = |text: &str| BEFORE.iter().filter_map(|form| Some(text.find(form)? + form.len())).min();
    while let Some(at) = next(rest) {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        if is_reason(tail) {
            rest = tail;
            continue;
        }
        out.push('…');
        rest = &tail[end_of_value(tail)..];
    }
    out.push_str(rest);
    out
}

/// The words of a server for people: one line, without control characters and quoted values, cut after `longest`
/// characters.
#[must_use]
pub(crate) fn discreet_line(text: &str, longest: usize) -> String {
    let text = discreet(text);
    cut(&plain::line(text.trim()), longest, "…")
}

/// A text of at most so many characters; one that is longer ends with `end`, and the words of a server in it still end with
/// their quote.
#[must_use]
pub(crate) fn cut(text: &str, longest: usize, end: &str) -> String {
    let Some((at, _)) = text.char_indices().nth(longest) else { return text.to_owned() };
    let (open, close) = plain::QUOTES;
    let kept = &text[..at];
    let is_open = kept.rfind(open).is_some_and(|opened| !kept[opened..].contains(close));
    format!("{kept}{end}{}", if is_open { close.to_string() } else { String::new() })
}

/// The end of a value that a server quotes: the first `: ` outside of quotes and brackets, or `, ` after what is a whole
/// value without doubt. A text without quotes may have a comma.
pub(crate) fn end_of_value(text: &str) -> usize {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_usize);
    for (at, c) in text.char_indices() {
        let is_outside = !quoted && depth == 0;
        match c {
            // What a server says ends here, whatever it left open.
            c if c == plain::QUOTES.1 => return at,
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => depth = depth.saturating_sub(1),
            ':' if is_outside && text[at..].starts_with(": ") => return at,
            ',' if is_outside && text[at..].starts_with(", ") && is_whole(&text[..at]) => return at,
            _ => {}
        }
    }
    text.len()
}

fn is_whole(value: &str) -> bool {
    value.ends_with(['"', '}', ']']) || value.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_left_out_of_messages() {
        for (said, shown) in [
            (
                r#"X "a" is invalid: spec.b: Invalid value: "hunter: 2\"3": no"#,
                r#"X "a" is invalid: spec.b: Invalid value: …: no"#,
            ),
            (
                r#"spec: Invalid value: {"p": "x: y", "q": [1]}: no, c: Duplicate value: 7"#,
                "spec: Invalid value: …: no, c: Duplicate value: …",
            ),
            (
                r#"[a: Duplicate value: 7, b: Not found: "x", c: Invalid value: map[string]interface {}{"p":"x: y"}: no]"#,
                "[a: Duplicate value: …, b: Not found: …, c: Invalid value: …: no]",
            ),
            (r#"it fails: “a: Not found: "x”; help"#, "it fails: “a: Not found: …”; help"),
            (r#"“a: Invalid value: {"b”"#, "“a: Invalid value: …”"),
            (r#"unknown field "spec.x""#, r#"unknown field "spec.x""#),
            (
                r#"a: Unsupported value: "z": supported values: "b""#,
                r#"a: Unsupported value: …: supported values: "b""#,
            ),
        ] {
            assert_eq!(discreet(said), shown);
        }
    }

    #[test]
    fn a_reason_without_a_value_stays_for_what_carrier_renders() {
        let said = "“X \"a\" is invalid: [spec.b: Invalid value: the base CRD of an entry cannot be changed, spec.c: Invalid value: \"hunter2\": no]”";
        let shown = "“X \"a\" is invalid: [spec.b: Invalid value: the base CRD of an entry cannot be changed, spec.c: Invalid value: …: no]”";
        assert_eq!(refusal(said), shown);
        assert!(!discreet(said).contains("the base CRD"), "{}", discreet(said));
        for value in [
            "5: no",
            "true: no",
            "map[string]interface {}{\"a\":\"hunter2\"}: no",
            "interface {}(nil): no",
            "{\"a\": 1}: no",
        ] {
            let message = format!("spec.b: Invalid value: {value}");
            assert_eq!(refusal(&message), "spec.b: Invalid value: …: no", "{value}");
        }
    }

    #[test]
    fn what_is_cut_still_ends_its_quotes() {
        assert_eq!(cut("a: “bcdef”", 6, "…"), "a: “bc…”");
        assert_eq!(cut("“a” bcdef", 6, "..."), "“a” bc...");
        assert_eq!(cut("“a”", 3, "…"), "“a”");
    }
}
