//! Escapes untrusted text for output.
//!
//! File names, keys and values come from repositories and clusters that may be untrusted.
//! An escape sequence in them could clear the screen, forge a line of output or hide text
//! from a reviewer, so control characters are replaced by visible ones. CI systems read
//! commands out of logs, so what would be such a command is written so that it is none.
//!
//! [`Line`] is a text to which this was done: the errors of clusters hold no other, so what a
//! server says cannot be printed raw. [`quoted`] and [`name`] mark the words of a server as its own.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// What opens and closes the words of a server; in them, straight quotes stand for these.
pub(crate) const QUOTES: (char, char) = ('\u{201c}', '\u{201d}');

/// A text that is one line and that no terminal and no CI system takes for anything else. Every way to make one escapes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line(Box<str>);

impl Line {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, for whoever keeps it.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0.into_string()
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self(line(text).into())
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        match line(&text) {
            Cow::Borrowed(_) => Self(text.into_boxed_str()),
            Cow::Owned(escaped) => Self(escaped.into_boxed_str()),
        }
    }
}

impl From<Line> for String {
    fn from(line: Line) -> Self {
        line.into_string()
    }
}

impl Deref for Line {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PartialEq<str> for Line {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Line {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

/// The sentence of a server, between quotes that it cannot close itself.
#[must_use]
pub(crate) fn quoted(words: &str) -> String {
    let (open, close) = QUOTES;
    let words: String = line(words.trim()).chars().map(|c| if c == open || c == close { '"' } else { c }).collect();
    format!("{open}{words}{close}")
}

/// A text of at most so many characters, followed by `…` where it was longer.
#[must_use]
pub(crate) fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    match text.char_indices().nth(longest) {
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
        None => Cow::Borrowed(text),
    }
}

/// A name, UID or version that a server says: as it is, if it is one word that can be a name, and else as a sentence.
/// What has no space in it cannot be read as words of ours.
#[must_use]
pub(crate) fn name(text: &str) -> Cow<'_, str> {
    let is_word = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    match line(text) {
        Cow::Borrowed(text) if is_word => Cow::Borrowed(text),
        _ => Cow::Owned(quoted(text)),
    }
}

/// Escapes one line: control characters, including line breaks and tabs, become visible, and a command to a CI system
/// becomes a text like any other.
#[must_use]
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    without_commands(map(text, |c| c == '\n' || c == '\t' || is_hostile(c)))
}

/// What the logs of CI systems are searched for: GitHub's `::command::` at the beginning of a line, behind white space
/// too, and anywhere in it `##[command]`, Azure's `##vso[…]`, TeamCity's `##teamcity[…]`. One character of each is
/// replaced by the wide form of the same.
fn without_commands(text: Cow<'_, str>) -> Cow<'_, str> {
    let begins = text.trim_start().strip_prefix("::").is_some_and(|rest| rest.contains("::"));
    if !begins && !text.contains("##") {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 4);
    let mut rest: &str = &text;
    if begins && let Some((before, after)) = rest.split_once(':') {
        out.push_str(before);
        out.push('\u{ff1a}');
        rest = after;
    }
    while let Some((before, after)) = rest.split_once("##") {
        out.push_str(before);
        let is_command = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).starts_with('[');
        out.push_str(if is_command { "#\u{ff03}" } else { "#" });
        // The second may be the first of the next two.
        rest = if is_command { after } else { &rest[before.len() + 1..] };
    }
    out.push_str(rest);
    Cow::Owned(out)
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

    #[test]
    fn no_line_is_a_command_to_a_ci_system() {
        for (text, shown) in [
            ("::set-output name=a::b", "：:set-output name=a::b"),
            (" \u{2003}::error::x", " \u{2003}：:error::x"),
            ("a ##[set-env name=PATH]b", "a #＃[set-env name=PATH]b"),
            ("###[x] ##vso[task.setvariable]", "##＃[x] #＃vso[task.setvariable]"),
            ("##teamcity[x", "#＃teamcity[x"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
            ("a::b::c", "a::b::c"),
            ("## Title, ####, [a]", "## Title, ####, [a]"),
        ] {
            assert_eq!(line(text), shown);
        }
    }

    #[test]
    fn the_words_of_a_server_end_where_its_quotes_end() {
        assert_eq!(quoted(" a\n“b” \u{1b}[2J\"c\" "), "“a␊\"b\" ␛[2J\"c\"”");
        for (text, shown) in [
            ("kube-apiserver/v1.37", "kube-apiserver/v1.37"),
            ("system:serviceaccount:a:b", "system:serviceaccount:a:b"),
            ("a; nothing is wrong", "“a; nothing is wrong”"),
            ("a\nb", "“a␊b”"),
            ("::error::x", "“：:error::x”"),
            ("Zürich", "“Zürich”"),
            ("", "“”"),
        ] {
            assert_eq!(name(text), shown);
        }
    }

    #[test]
    fn a_line_cannot_be_made_of_more_than_one() {
        let line = Line::from("a\n::error::b".to_owned());
        assert_eq!((line.as_str(), line.to_string().lines().count()), ("a␊::error::b", 1));
        assert_eq!(Line::from("plain"), "plain");
    }
}
