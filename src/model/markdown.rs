//! Untrusted text in GitHub Flavored Markdown: comments on pull requests and summaries of steps. Pure.
//!
//! Such text may come from anybody, and may hold links, images that tell who looks at them, mentions that notify
//! people, and HTML. None of these has an effect in a code span.

use super::plain;

/// A code span, in which no markup has an effect.
#[must_use]
pub(crate) fn code(text: &str) -> String {
    let text = plain::line(text);
    // A span ends at a run of as many backticks as it began with.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Text outside of code spans, with the special characters of Markdown and HTML escaped. Mentions and bare addresses are
/// found in the text after it was rendered, so an escape does not help: an empty comment parts them.
#[must_use]
pub(crate) fn escaped(text: &str) -> String {
    const EMPTY: &str = "<!-- -->";
    let special = |c: char| matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '#');
    let text = plain::line(text).chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if special(c) {
            out.push('\\');
        }
        out.push(c);
        out
    });
    let text = text.replace('@', &format!("@{EMPTY}")).replace("://", &format!(":{EMPTY}//"));
    text.replace("www.", &format!("www{EMPTY}."))
}

/// Text inside an HTML element.
#[must_use]
pub(crate) fn html(text: &str) -> String {
    plain::line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;")
}

/// A sentence in which names stand in backticks, as messages have them: these become code spans, and the rest is text.
#[must_use]
pub(crate) fn sentence(text: &str) -> String {
    let text = plain::line(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // A backtick without its fellow.
        return escaped(&text);
    }
    let part = |(at, part): (usize, &&str)| match at % 2 {
        1 if part.trim().is_empty() => escaped(&format!("`{part}`")),
        1 => code(part),
        _ => escaped(part),
    };
    parts.iter().enumerate().map(part).collect()
}

/// Markdown of the functions above in a cell of a table: there a `|` ends the cell in code spans too.
#[must_use]
pub(crate) fn cell(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut is_escaped = false;
    for c in markdown.chars() {
        if c == '|' && !is_escaped {
            out.push('\\');
        }
        is_escaped = c == '\\' && !is_escaped;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let hostile = "@team [x](//e) ![](//e) <img src=//e> #1 **b** | c\n# d ``e`` https://e www.e.com";
        let outside = escaped(hostile);
        for found in ["@team", "://", "www."] {
            assert!(!outside.contains(found), "{outside}");
        }
        let outside = outside.replace("<!-- -->", "");
        for markup in ["[", "<", "#", "*", "|", "`"] {
            let bare = outside.match_indices(markup).find(|(at, _)| !outside[..*at].ends_with('\\'));
            assert_eq!(bare, None, "{outside}");
        }
        assert_eq!(outside.lines().count(), 1);
        assert!(code(hostile).starts_with("```@") && code(hostile).ends_with("m```"), "{}", code(hostile));
        assert!(!html(hostile).contains(['<', '@']));
    }

    #[test]
    fn names_in_a_sentence_are_code_and_the_rest_is_text() {
        assert_eq!(sentence("`a_b` is no *name*"), "`a_b` is no \\*name\\*");
        assert_eq!(sentence("`a | b`, `@c"), "\\`a \\| b\\`, \\`@<!-- -->c");
        assert_eq!(cell(&sentence("`a | b` or c | d")), "`a \\| b` or c \\| d");
        assert_eq!(cell(&sentence("`` ` @x")), escaped("`` ` @x"));
    }
}
