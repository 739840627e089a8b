//! What changes between two long texts: a unified diff of their lines.

use std::fmt;

use similar::{ChangeTag, TextDiff};

/// Lines that are the same, shown before and after each change.
const CONTEXT: usize = 2;
/// A line without a break that is longer, in bytes, is compared in pieces.
const LONG_LINE: usize = 120;

/// A line of a diff, as `diff -u` prints it: a sign and the text, or the head of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DiffLine {
    /// What the line is.
    pub(crate) kind: DiffKind,
    /// The text of a line, without a sign and without its line break; of a hunk `@@ -1,4 +1,5 @@`.
    pub(crate) text: String,
}

/// What a line of a diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiffKind {
    /// The head of a hunk: line numbers and counts, before and after.
    Hunk,
    /// A line that is in both texts.
    Same,
    /// A line that is only in the first text.
    Removed,
    /// A line that is only in the second text.
    Added,
}

impl DiffLine {
    /// Reads a line as [`fmt::Display`] writes it.
    pub(crate) fn parse(line: &str) -> Self {
        let (kind, text) = match line.split_at_checked(1) {
            Some(("-", text)) => (DiffKind::Removed, text),
            Some(("+", text)) => (DiffKind::Added, text),
            Some((" ", text)) => (DiffKind::Same, text),
            _ => (DiffKind::Hunk, line),
        };
        Self { kind, text: text.to_owned() }
    }
}

impl fmt::Display for DiffLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            DiffKind::Hunk => "",
            DiffKind::Same => " ",
            DiffKind::Removed => "-",
            DiffKind::Added => "+",
        };
        write!(f, "{sign}{}", self.text)
    }
}

/// The lines that change, with two lines of context; empty where the texts are equal.
pub(crate) fn line_diff(before: &str, after: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        lines.push(DiffLine { kind: DiffKind::Hunk, text: hunk.header().to_string() });
        for change in hunk.iter_changes() {
            let kind = match change.tag() {
                ChangeTag::Equal => DiffKind::Same,
                ChangeTag::Delete => DiffKind::Removed,
                ChangeTag::Insert => DiffKind::Added,
            };
            let text = change.value().strip_suffix('\n').unwrap_or(change.value());
            lines.push(DiffLine { kind, text: text.to_owned() });
        }
    }
    lines
}

/// As [`line_diff`], for values: a long line is broken behind the marks that end a clause, so that one changed word
/// does not replace all of it.
pub(crate) fn value_diff(before: &str, after: &str) -> Vec<DiffLine> {
    line_diff(&in_pieces(before), &in_pieces(after))
}

fn in_pieces(text: &str) -> String {
    let mut pieces = String::with_capacity(text.len());
    for line in text.lines() {
        if line.len() <= LONG_LINE {
            pieces.push_str(line);
        } else {
            for word in line.split_inclusive(' ') {
                pieces.push_str(word);
                if [". ", ", ", "; ", ": ", "&& ", "|| "].iter().any(|end| word.ends_with(end)) {
                    pieces.push('\n');
                }
            }
        }
        pieces.push('\n');
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(diff: &[DiffLine]) -> Vec<String> {
        diff.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn changed_lines_have_two_lines_of_context() {
        let before: Vec<String> = (1..=20).map(|n| format!("line {n}")).collect();
        let mut after = before.clone();
        after[9] = "new".to_owned();
        let diff = line_diff(&before.join("\n"), &after.join("\n"));
        let expected = ["@@ -8,5 +8,5 @@", " line 8", " line 9", "-line 10", "+new", " line 11", " line 12"];
        assert_eq!(lines(&diff), expected);
        assert_eq!(expected.map(DiffLine::parse).to_vec(), diff);
        assert_eq!(line_diff("a\n", "a\n"), []);
    }

    #[test]
    fn a_long_line_is_compared_in_pieces() {
        let text = |word: &str| format!("{}changes {word} here, {}", "one clause, ".repeat(20), "more, ".repeat(20));
        let diff = lines(&value_diff(&text("this"), &text("that")));
        assert!(diff.contains(&"-changes this here, ".to_owned()), "{diff:?}");
        assert!(diff.contains(&"+changes that here, ".to_owned()) && diff.len() == 7, "{diff:?}");
    }

    /// The algorithm bounds its work: ten thousand lines with nothing in common are no trouble.
    #[test]
    fn large_texts_with_nothing_in_common_end() {
        let text = |word: &str| -> Vec<String> { (0..10_000).map(|n| format!("{word} {}", n * 7 % 1_000)).collect() };
        assert_eq!(line_diff(&text("a").join("\n"), &text("b").join("\n")).len(), 20_001);
    }
}
