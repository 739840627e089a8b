//! Source text and places in it.
//!
//! A [`Sources`] is the whole input of a compilation, already read: nothing
//! here opens a file. A [`Span`] is a range of bytes in one of its files; lines
//! and columns are worked out only when somebody has to read them.

use std::fmt;
use std::sync::Arc;

/// One file of a [`Sources`], by its position there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in one source file, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file the range lies in.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `file`. Offsets beyond 4 GiB are clamped: the
    /// loader refuses files long before that.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end) }
    }

    /// The empty range at the beginning of `file`, for what concerns the file as a whole.
    #[must_use]
    pub fn file_start(file: FileId) -> Self {
        Self { file, start: 0, end: 0 }
    }
}

/// A value and the place it was written at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The place.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// The value at this place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A place as people read it: line and column from 1, columns in Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in Unicode scalar values.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One source file: its path below the repository's root and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path below the root, `/` between its parts on every machine.
    pub path: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// All source files of a compilation, sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Takes the files in any order; the order of the result depends on the paths alone.
    #[must_use]
    pub fn new(mut files: Vec<SourceFile>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// Every file with its id, in order of path.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(u32::try_from(i).unwrap_or(u32::MAX)), f))
    }

    /// The file with this id; `None` for an id of another [`Sources`].
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The file at this path.
    #[must_use]
    pub fn by_path(&self, path: &str) -> Option<(FileId, &SourceFile)> {
        let index = self.files.binary_search_by(|f| f.path.as_str().cmp(path)).ok()?;
        Some((FileId(u32::try_from(index).unwrap_or(u32::MAX)), &self.files[index]))
    }

    /// The path of a span's file, or `?` for a span of another [`Sources`].
    #[must_use]
    pub fn path(&self, span: Span) -> &str {
        self.get(span.file).map_or("?", |f| f.path.as_str())
    }

    /// Line and column of a span's first byte.
    #[must_use]
    pub fn position(&self, span: Span) -> Position {
        self.get(span.file).map_or(Position { line: 1, column: 1 }, |f| position_of(&f.text, span.start as usize))
    }

    /// Line and column behind a span's last byte.
    #[must_use]
    pub fn end_position(&self, span: Span) -> Position {
        self.get(span.file).map_or(Position { line: 1, column: 1 }, |f| position_of(&f.text, span.end as usize))
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// Line and column of the byte at `offset`; an offset past the end is the end,
/// one inside a character is that character's beginning.
fn position_of(text: &str, offset: usize) -> Position {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let sources = Sources::new(vec![SourceFile { path: "a.yaml".into(), text: "é: x\nb: ü y".into() }]);
        let id = FileId(0);
        let at = |start| sources.position(Span::new(id, start, start)).to_string();
        assert_eq!(at(0), "1:1");
        assert_eq!(at(4), "1:4");
        assert_eq!(at(12), "2:6");
        assert_eq!(at(999), "2:7", "past the end is the end");
    }

    #[test]
    fn order_is_by_path_whatever_came_first() {
        let file = |p: &str| SourceFile { path: p.into(), text: "".into() };
        let a = Sources::new(vec![file("b"), file("a")]);
        assert_eq!(a, Sources::new(vec![file("a"), file("b")]));
        assert_eq!(a.by_path("b").map(|(id, _)| id), Some(FileId(1)));
    }
}
