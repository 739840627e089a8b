//! Lines and columns for many spans at once.
//!
//! [`Sources::position`] reads a file from its start each time. A thousand
//! diagnostics in a file of 10 MB would read 10 GB, so the renderers ask here:
//! each file is indexed once, on first need.

use std::cell::OnceCell;

use crate::model::source::{FileId, Position, SourceFile, Sources, Span};

/// Bytes between two remembered character counts: what a question costs at
/// most, also in a file that is one line.
const STRIDE: usize = 1024;

/// Finds places in [`Sources`] quickly.
pub(crate) struct Places<'a> {
    sources: &'a Sources,
    index: Vec<OnceCell<Index>>,
}

struct Index {
    /// Offset of the first byte of each line.
    lines: Vec<usize>,
    /// Characters before each multiple of [`STRIDE`].
    characters: Vec<usize>,
}

impl<'a> Places<'a> {
    /// Nothing is read yet.
    #[must_use]
    pub(crate) fn new(sources: &'a Sources) -> Self {
        Self { sources, index: (0..sources.len()).map(|_| OnceCell::new()).collect() }
    }

    /// The sources asked about.
    #[must_use]
    pub(crate) fn sources(&self) -> &'a Sources {
        self.sources
    }

    /// The reference of the API object that a span lies in, and its JSON Pointer there; `None` for a file.
    #[must_use]
    pub(crate) fn in_object(&self, span: Span) -> Option<(&'a str, String)> {
        Some((self.sources.path(span), self.sources.pointer(span)?))
    }

    /// Line and column of a span's first byte.
    #[must_use]
    pub(crate) fn start(&self, span: Span) -> Position {
        self.position(span.file, span.start as usize)
    }

    /// Line and column behind a span's last byte.
    #[must_use]
    pub(crate) fn end(&self, span: Span) -> Position {
        self.position(span.file, span.end as usize)
    }

    /// The text of a line, from 0, without its line break, and the offset of
    /// its first byte. A line past the end is the last.
    #[must_use]
    pub(crate) fn line(&self, file: FileId, line: usize) -> (usize, &'a str) {
        let Some((source, index)) = self.index(file) else { return (0, "") };
        let line = line.min(index.lines.len() - 1);
        let start = index.lines[line];
        let end = index.lines.get(line + 1).copied().unwrap_or(source.text.len());
        (start, source.text[start..end].trim_end_matches(['\n', '\r']))
    }

    /// The line, from 0, that the byte at `offset` is on.
    #[must_use]
    pub(crate) fn line_of(&self, file: FileId, offset: usize) -> usize {
        self.index(file).map_or(0, |(_, index)| index.lines.partition_point(|&start| start <= offset) - 1)
    }

    fn position(&self, file: FileId, offset: usize) -> Position {
        let Some((source, index)) = self.index(file) else { return Position { line: 1, column: 1 } };
        let text = source.text.as_ref();
        let offset = floor(text, offset);
        let line = self.line_of(file, offset);
        let column = index.before(text, offset) - index.before(text, index.lines[line]);
        Position { line: line + 1, column: column + 1 }
    }

    fn index(&self, file: FileId) -> Option<(&'a SourceFile, &Index)> {
        let source = self.sources.get(file)?;
        let index = self.index.get(file.0 as usize)?.get_or_init(|| Index::new(&source.text));
        Some((source, index))
    }
}

impl Index {
    fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut lines = vec![0];
        lines.extend(text.match_indices('\n').map(|(i, _)| i + 1));
        let mut characters = Vec::with_capacity(bytes.len() / STRIDE + 1);
        let mut count = 0;
        for chunk in bytes.chunks(STRIDE) {
            characters.push(count);
            count += starts(chunk);
        }
        if bytes.len().is_multiple_of(STRIDE) {
            characters.push(count);
        }
        Self { lines, characters }
    }

    /// Characters before `offset`, which is at most the text's length.
    fn before(&self, text: &str, offset: usize) -> usize {
        let mark = offset / STRIDE;
        self.characters[mark] + starts(&text.as_bytes()[mark * STRIDE..offset])
    }
}

/// How many characters begin among these bytes of UTF-8.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b & 0xC0 != 0x80).count()
}

/// The nearest beginning of a character at or before `offset`.
pub(super) fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_of_other_sources_is_at_the_beginning() {
        let sources = Sources::default();
        let places = Places::new(&sources);
        assert_eq!(places.start(Span::new(FileId(7), 3, 4)).to_string(), "1:1");
        assert_eq!(places.line(FileId(7), 3), (0, ""));
    }

    #[test]
    fn one_long_line_is_counted_from_the_nearest_mark() {
        let text = "ä".repeat(STRIDE * 3);
        let sources = Sources::new(vec![SourceFile { path: "a".into(), text: text.as_str().into() }]);
        let places = Places::new(&sources);
        for offset in [0, STRIDE, STRIDE + 1, text.len() - 1, text.len(), text.len() + 9] {
            let span = Span::new(FileId(0), offset, offset);
            assert_eq!(places.start(span), sources.position(span), "{offset}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_plain_reading(text in "([a-zé漢]|\r?\n){0,2000}", offset in 0usize..5000) {
            let sources = Sources::new(vec![SourceFile { path: "a".into(), text: text.as_str().into() }]);
            let span = Span::new(FileId(0), offset, offset);
            prop_assert_eq!(Places::new(&sources).start(span), sources.position(span));
        }
    }
}
