//! The words of servers on their way to a tenant: one line, bounded, without hidden values. Pure.

use std::collections::BTreeSet;

/// The longest sentence in a condition, in characters.
const LONGEST: usize = 500;

/// What a tenant may read of what a server says. `hidden` are the values of fields that the tenant does not see.
#[must_use]
pub(crate) fn shown(message: &str, hidden: &BTreeSet<String>) -> String {
    let mut text: String =
        message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned();
    // The longest first: one value may be a part of another.
    let mut values: Vec<&String> = hidden.iter().filter(|value| !value.is_empty()).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    for value in values {
        text = without(&text, value);
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
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
        let is_part = value.chars().count() < 6
            && (begins && out.chars().chain(head.chars()).last().is_some_and(is_word)
                || ends && tail.chars().next().is_some_and(is_word));
        out.push_str(head);
        out.push_str(if is_part { value } else { "(hidden)" });
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_values_are_replaced_and_words_are_one_line() {
        let hidden = BTreeSet::from(["hunter2".to_owned(), "3".to_owned(), "a".to_owned()]);
        assert_eq!(
            shown("spec.password: Invalid value: \"hunter2\": too short\n::error:: 3 of 30 in a map", &hidden),
            "spec.password: Invalid value: \"(hidden)\": too short ::error:: (hidden) of 30 in (hidden) map"
        );
        assert_eq!(shown("xhunter2x", &hidden), "x(hidden)x");
        assert_eq!(shown(&"é".repeat(600), &BTreeSet::new()).chars().count(), 503);
    }
}
