//! Escapes untrusted text for output.
//!
//! File names, keys and values come from repositories and clusters that may be untrusted.
//! An escape sequence in them could clear the screen, forge a line of output or hide text
//! from a reviewer, so control characters are replaced by visible ones.

use std::borrow::Cow;

/// Escapes one line: control characters, including line breaks and tabs, become visible.
#[must_use]
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    map(text, |c| c == '\n' || c == '\t' || is_hostile(c))
}

/// Escapes several lines: like [`line`], but keeps line breaks.
#[must_use]
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    map(text, |c| c == '\t' || is_hostile(c))
}

/// The character to show instead of `c`: Unicode's picture of a control
/// character, or the replacement character.
#[must_use]
pub(crate) fn shown(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        c if is_hostile(c) => '\u{fffd}',
        c => c,
    }
}

/// Whether a terminal would interpret `c`, or reorder or hide the text around it. Callers
/// decide about line breaks and tabs.
fn is_hostile(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

fn map(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().any(&hidden) {
        Cow::Owned(text.chars().map(|c| if hidden(c) { shown(c) } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(line("a\u{1b}[2Jb\r\n\tc\u{9b}d\u{202e}e\u{7f}"), "a␛[2Jb␍␊␉c\u{fffd}d\u{fffd}e␡");
        assert_eq!(lines("a\nb\u{7}"), "a\nb␇");
        assert!(matches!(line("plain ä 漢 👩\u{200d}🚀"), Cow::Borrowed(_)));
    }
}
