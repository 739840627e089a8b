//! Parses field paths, with the position of errors.
//!
//! The grammar is deliberately small: the other features of JSONPath (indices, slices,
//! filters, `..`) select positions or values, and only fields can be exposed.

use std::ops::Range;

use super::{FieldPath, Segment, is_plain_char};

/// A syntax error in a path, and its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct PathError {
    /// The kind of error.
    pub problem: PathProblem,
    /// The byte range of the error in the path's text.
    pub range: Range<usize>,
}

/// The kinds of error in a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// The path is empty, or a dot alone.
    #[error("the path is empty")]
    Empty,
    /// `..`, the recursive descent of JSONPath.
    #[error("`..` is not supported: a path lists every segment")]
    Recursive,
    /// A dot at the end.
    #[error("the path ends in a dot")]
    TrailingDot,
    /// `[0]`, `[-1]`.
    #[error("`[{0}]` selects one item of a list; fields can be exposed for all items only")]
    Index(String),
    /// `[1:3]`.
    #[error("`[{0}]` selects a slice of a list; fields can be exposed for all items only")]
    Slice(String),
    /// `[?(…)]`.
    #[error("`[{0}]` is a filter; fields can be exposed for all items only")]
    Filter(String),
    /// `[` without `]`, or a quote that is not closed.
    #[error("`{0}` is not closed")]
    Unclosed(char),
    /// A name without characters, quoted or not.
    #[error("the quoted name is empty")]
    EmptyName,
    /// `$`, `{`, or another character that needs quotes.
    #[error("`{0}` is not allowed here")]
    Unexpected(char),
}

impl PathProblem {
    /// How to fix it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Empty => "write the path of a field, such as `.spec.replicas`".into(),
            Self::Recursive => "write every segment, such as `.spec.template.name`".into(),
            Self::TrailingDot => "remove the last dot".into(),
            Self::Index(_) | Self::Slice(_) | Self::Filter(_) => {
                "write `[]` for every item, such as `.spec.listeners[].port`".into()
            }
            Self::Unclosed(c) => format!("close it with `{}`", if *c == '[' { ']' } else { *c }),
            Self::EmptyName => "write the field's name between the quotes".into(),
            Self::Unexpected('$') => "a path starts with a dot: `.spec`, not `$.spec`".into(),
            Self::Unexpected('{' | '}') => "write the path without braces, such as `.spec.replicas`".into(),
            Self::Unexpected(_) => "put a name with special characters in quotes: `.spec['a.b/c']`".into(),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

pub(super) fn parse(text: &str) -> Result<FieldPath, PathError> {
    let mut parser = Parser { text, at: 0 };
    let mut segments = Vec::new();
    if text.trim().is_empty() || text == "." {
        return Err(fail(PathProblem::Empty, 0..text.len()));
    }
    if !text.starts_with(['.', '[']) {
        segments.push(parser.name(0)?);
    }
    while let Some(c) = parser.peek() {
        let start = parser.at;
        match c {
            '.' => {
                parser.at += 1;
                match parser.peek() {
                    None => return Err(fail(PathProblem::TrailingDot, start..start + 1)),
                    Some('.') => return Err(fail(PathProblem::Recursive, start..start + 2)),
                    Some('*') => {
                        parser.at += 1;
                        segments.push(Segment::Values);
                    }
                    // JSONPath also writes `.a.['b']`; the dot has no effect.
                    Some('[') => {}
                    Some(_) => segments.push(parser.name(start)?),
                }
            }
            '[' => segments.push(parser.bracket()?),
            other => return Err(fail(PathProblem::Unexpected(other), start..start + other.len_utf8())),
        }
    }
    Ok(FieldPath(segments))
}

fn fail(problem: PathProblem, range: Range<usize>) -> PathError {
    PathError { problem, range }
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// Parses a name without quotes; `\.` is a dot in it, as in kubectl's JSONPath.
    fn name(&mut self, start: usize) -> Result<Segment, PathError> {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            match c {
                '\\' => {
                    self.at += 1;
                    let Some(escaped) = self.peek() else {
                        return Err(fail(PathProblem::Unexpected('\\'), self.at - 1..self.at));
                    };
                    name.push(escaped);
                    self.at += escaped.len_utf8();
                }
                '.' | '[' => break,
                '$' if name.is_empty() => return Err(fail(PathProblem::Unexpected('$'), self.at..self.at + 1)),
                c if is_plain_char(c) => {
                    name.push(c);
                    self.at += c.len_utf8();
                }
                other => return Err(fail(PathProblem::Unexpected(other), self.at..self.at + other.len_utf8())),
            }
        }
        if name.is_empty() {
            return Err(fail(PathProblem::EmptyName, start..self.at));
        }
        Ok(Segment::Property(name))
    }

    /// Parses the content of brackets: `[]`, `[*]`, `['name']`, `["name"]`.
    fn bracket(&mut self) -> Result<Segment, PathError> {
        let start = self.at;
        self.at += 1;
        if let Some(quote @ ('\'' | '"')) = self.peek() {
            return self.quoted(start, quote);
        }
        let Some(length) = self.text[self.at..].find(']') else {
            return Err(fail(PathProblem::Unclosed('['), start..self.text.len()));
        };
        let inside = self.text[self.at..self.at + length].trim().to_owned();
        self.at += length + 1;
        let range = start..self.at;
        match inside.as_str() {
            "" | "*" => Ok(Segment::Items),
            s if s.starts_with('?') => Err(fail(PathProblem::Filter(inside), range)),
            s if s.contains(':') => Err(fail(PathProblem::Slice(inside), range)),
            s if s.parse::<i64>().is_ok() => Err(fail(PathProblem::Index(inside), range)),
            s => Err(fail(PathProblem::Unexpected(s.chars().next().unwrap_or('[')), range)),
        }
    }

    fn quoted(&mut self, start: usize, quote: char) -> Result<Segment, PathError> {
        self.at += 1;
        let mut name = String::new();
        loop {
            let Some(c) = self.peek() else {
                return Err(fail(PathProblem::Unclosed(quote), start..self.text.len()));
            };
            self.at += c.len_utf8();
            match c {
                '\\' => {
                    if let Some(escaped) = self.peek() {
                        name.push(escaped);
                        self.at += escaped.len_utf8();
                    }
                }
                c if c == quote => break,
                c => name.push(c),
            }
        }
        if self.peek() != Some(']') {
            return Err(fail(PathProblem::Unclosed('['), start..self.at));
        }
        self.at += 1;
        if name.is_empty() {
            return Err(fail(PathProblem::EmptyName, start..self.at));
        }
        Ok(Segment::Property(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match FieldPath::parse(text) {
            Ok(path) => path.to_string(),
            Err(e) => format!("{}..{}: {e}", e.range.start, e.range.end),
        }
    }

    #[test]
    fn every_spelling_of_a_path() {
        for (text, canonical) in [
            (".spec.replicas", ".spec.replicas"),
            ("spec.replicas", ".spec.replicas"),
            (".spec.listeners[].port", ".spec.listeners[].port"),
            (".spec.listeners[*].port", ".spec.listeners[].port"),
            (".spec.matrix[][].x", ".spec.matrix[][].x"),
            (".spec.storages.*.size", ".spec.storages.*.size"),
            (".spec['a.b/c'].d", ".spec['a.b/c'].d"),
            (".spec.[\"a.b\"]", ".spec['a.b']"),
            (".spec.jvm['-XX']", ".spec.jvm.-XX"),
            (".spec.limits.hugepages-2Mi", ".spec.limits.hugepages-2Mi"),
            (r".metadata.labels.strimzi\.io/cluster", ".metadata.labels['strimzi.io/cluster']"),
            ("['it\\'s']", r"['it\'s']"),
        ] {
            assert_eq!(read(text), canonical, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_and_where() {
        for (text, error) in [
            ("", "0..0: the path is empty"),
            (".", "0..1: the path is empty"),
            (".spec.", "5..6: the path ends in a dot"),
            (".spec..name", "5..7: `..` is not supported: a path lists every segment"),
            (".spec.l[0].a", "7..10: `[0]` selects one item of a list; fields can be exposed for all items only"),
            (".spec.l[1:3]", "7..12: `[1:3]` selects a slice of a list; fields can be exposed for all items only"),
            (".c[?(@.a==1)]", "2..13: `[?(@.a==1)]` is a filter; fields can be exposed for all items only"),
            (".spec.l[", "7..8: `[` is not closed"),
            (".spec['a", "5..8: `'` is not closed"),
            (".spec['']", "5..9: the quoted name is empty"),
            ("$.spec", "0..1: `$` is not allowed here"),
            ("{.spec}", "0..1: `{` is not allowed here"),
            (".spec a", "5..6: ` ` is not allowed here"),
            (".spec[abc]", "5..10: `a` is not allowed here"),
        ] {
            assert_eq!(read(text), error, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics_and_what_is_shown_reads_the_same(text in "\\PC{0,24}|[.a-c\\[\\]*'\"\\\\$0-9]{0,16}") {
            if let Ok(path) = FieldPath::parse(&text) {
                assert_eq!(FieldPath::parse(&path.to_string()), Ok(path));
            }
        }
    }
}
