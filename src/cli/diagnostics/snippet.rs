//! The piece of source text that a diagnostic shows.
//!
//! miette takes one source text a report and scans it from the start for each
//! label. It gets a [`Snippet`] instead: only the lines that are shown, of one
//! or several files, cut to the width of the page and made harmless, at
//! offsets of their own. What a line costs does not depend on the file's size.

use std::fmt::Write as _;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::place::Places;
use crate::model::diagnostic::Label;
use crate::model::plain;
use crate::model::source::{FileId, Position, Span};

/// A span over more lines than this is shown by its first line.
const MOST_LINES: usize = 8;
/// What stands for text that must not be shown.
const HIDDEN: &str = "•••";

/// Lines of source and the labels on them, as miette reads them.
#[derive(Debug)]
pub(crate) struct Snippet {
    boxes: Vec<Excerpt>,
    marks: Vec<Mark>,
}

/// Consecutive lines of one file.
#[derive(Debug)]
struct Excerpt {
    name: String,
    /// Line number of the first line, from 0.
    line: usize,
    line_count: usize,
    /// Offset of `text` in the snippet.
    offset: usize,
    /// The lines, each with a line break.
    text: String,
}

/// A label at its place in the snippet.
#[derive(Debug)]
struct Mark {
    start: usize,
    end: usize,
    text: String,
    /// Where the label is in the file itself.
    position: Position,
}

/// A label on its way: its span in the file, with the lines it covers.
struct Wanted {
    span: Span,
    first: usize,
    last: usize,
    text: String,
    sensitive: bool,
    position: Position,
}

impl Snippet {
    /// The lines that `labels` lie on, the first label's file first. Of a file
    /// with a sensitive label no character is shown, only where it stands; with
    /// `hidden`, of no file.
    #[must_use]
    pub(crate) fn new<'l>(
        places: &Places<'_>,
        labels: impl IntoIterator<Item = &'l Label>,
        width: usize,
        hidden: bool,
    ) -> Self {
        let wanted: Vec<Wanted> = labels.into_iter().map(|label| Wanted::new(places, label)).collect();
        let mut marks: Vec<Mark> =
            wanted.iter().map(|w| Mark { start: 0, end: 0, text: w.text.clone(), position: w.position }).collect();
        let mut boxes = Vec::new();
        let mut offset = 0;
        for (file, first, last) in ranges(&wanted) {
            let hidden = hidden || wanted.iter().any(|w| w.span.file == file && w.sensitive);
            let name = places.sources().get(file).map_or("?", |f| f.path.as_str());
            let mut text = String::new();
            for number in first..=last {
                let (start, line) = places.line(file, number);
                let on_line = |w: &&Wanted| w.span.file == file && (w.first == number || w.last == number);
                let cut = if hidden {
                    Cut::hidden(start)
                } else {
                    Cut::new(start, line, wanted.iter().filter(on_line), width)
                };
                for (mark, w) in marks.iter_mut().zip(&wanted).filter(|(_, w)| w.span.file == file) {
                    if w.first == number {
                        mark.start = offset + text.len() + cut.place(w.span.start as usize, false);
                    }
                    if w.last == number {
                        mark.end = offset + text.len() + cut.place(w.span.end as usize, true);
                    }
                }
                text.push_str(&cut.text);
                text.push('\n');
            }
            let length = text.len();
            boxes.push(Excerpt {
                name: plain::line(name).into_owned(),
                line: first,
                line_count: last - first + 1,
                offset,
                text,
            });
            // A gap, so that no label touches two boxes.
            offset += length + 1;
        }
        Self { boxes, marks }
    }

    /// Whether there is anything to show.
    #[must_use]
    pub(crate) fn has_lines(&self) -> bool {
        !self.boxes.is_empty()
    }

    /// The labels, at their places in the snippet.
    pub(crate) fn labels(&self) -> impl Iterator<Item = LabeledSpan> + '_ {
        self.marks.iter().enumerate().map(|(i, mark)| {
            let text = Some(mark.text.clone()).filter(|t| !t.is_empty());
            let span = (mark.start, mark.end.saturating_sub(mark.start));
            if i == 0 { LabeledSpan::new_primary_with_span(text, span) } else { LabeledSpan::new_with_span(text, span) }
        })
    }
}

impl SourceCode for Snippet {
    /// Gives the whole excerpt that the span lies in, whatever context is asked
    /// for; without context, the place of the label that begins there.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        let excerpt = self
            .boxes
            .iter()
            .find(|b| b.offset <= span.offset() && end <= b.offset + b.text.len())
            .ok_or(MietteError::OutOfBounds)?;
        let mark = self.marks.iter().find(|m| m.start == span.offset()).filter(|_| before + after == 0);
        let (line, column) = mark.map_or((excerpt.line, 0), |m| (m.position.line - 1, m.position.column - 1));
        Ok(Box::new(MietteSpanContents::new_named(
            excerpt.name.clone(),
            excerpt.text.as_bytes(),
            (excerpt.offset, excerpt.text.len()).into(),
            line,
            column,
            excerpt.line_count,
        )))
    }
}

impl Wanted {
    fn new(places: &Places<'_>, label: &Label) -> Self {
        let mut span = label.span;
        let text = places.sources().get(span.file).map_or("", |f| f.text.as_ref());
        let clamp = |offset: u32| super::place::floor(text, offset as usize);
        let start = clamp(span.start);
        let mut covered = &text[start..clamp(span.end).max(start)];
        if covered.contains('\n') {
            // The line break behind a block belongs to no line that is worth underlining.
            covered = covered.trim_end();
        }
        let end = start + covered.len();
        span = Span::new(span.file, start, end);
        let first = places.line_of(span.file, start);
        let mut last = places.line_of(span.file, end);
        let mut text = plain::line(&label.text).into_owned();
        if last - first >= MOST_LINES {
            let (line_start, line) = places.line(span.file, first);
            let note = if text.is_empty() { "up to line" } else { ", up to line" };
            // Writing to a String cannot fail.
            let _ = write!(text, "{note} {}", last + 1);
            span = Span::new(span.file, start, line_start + line.len());
            last = first;
        }
        Self { span, first, last, text, sensitive: label.sensitive, position: places.start(span) }
    }
}

/// The lines to show, as ranges of lines in files, those of the first label
/// first. Ranges that touch are one, and so are those with one line between.
fn ranges(wanted: &[Wanted]) -> Vec<(FileId, usize, usize)> {
    let Some(primary) = wanted.first() else { return Vec::new() };
    let mut sorted: Vec<_> = wanted.iter().map(|w| (w.span.file, w.first, w.last)).collect();
    sorted.sort_unstable();
    let mut ranges: Vec<(FileId, usize, usize)> = Vec::new();
    for (file, first, last) in sorted {
        match ranges.last_mut() {
            Some(range) if range.0 == file && first <= range.2 + 2 => range.2 = range.2.max(last),
            _ => ranges.push((file, first, last)),
        }
    }
    ranges.sort_by_key(|&(file, first, last)| {
        let is_primary = file == primary.span.file && first <= primary.first && primary.first <= last;
        (!is_primary, file, first)
    });
    ranges
}

/// A line as it is shown, and how its bytes map to those of the file.
struct Cut {
    text: String,
    /// Offsets in the file and in `text`, of every character shown and of the end.
    map: Vec<(usize, usize)>,
}

impl Cut {
    /// Shows the part of `line` around the first of the labels on it.
    fn new<'w>(start: usize, line: &str, on_line: impl Iterator<Item = &'w Wanted>, width: usize) -> Self {
        let width = width.saturating_sub(12).max(20);
        let fits = line.len() <= width || line.chars().nth(width).is_none();
        let from = if fits {
            0
        } else {
            let inside = |o: u32| (o as usize).checked_sub(start).filter(|&o| o <= line.len());
            let focus = on_line.filter_map(|w| inside(w.span.start).or_else(|| inside(w.span.end))).min().unwrap_or(0);
            // A quarter of the page before the label, and the page full where the line ends soon after it.
            let tail = line[focus..].chars().take(width).count();
            let before = (width / 4).max(width - tail);
            line[..focus].char_indices().rev().take(before).last().map_or(focus, |(i, _)| i)
        };
        let mut cut = Self { text: String::new(), map: Vec::new() };
        if from > 0 {
            cut.text.push('…');
        }
        let mut to = from;
        for c in line[from..].chars().take(if fits { usize::MAX } else { width }) {
            cut.map.push((start + to, cut.text.len()));
            cut.text.push(if c == '\t' { c } else { plain::shown(c) });
            to += c.len_utf8();
        }
        cut.map.push((start + to, cut.text.len()));
        if to < line.len() {
            cut.text.push('…');
        }
        cut
    }

    /// Shows that there is something, not what.
    fn hidden(start: usize) -> Self {
        Self { text: HIDDEN.to_owned(), map: vec![(start, 0)] }
    }

    /// Where the file's byte at `offset` is shown. What is cut off is at the
    /// nearer end of the line.
    fn place(&self, offset: usize, is_end: bool) -> usize {
        if self.text == HIDDEN && self.map.len() == 1 {
            return if is_end { self.text.len() } else { 0 };
        }
        let next = self.map.partition_point(|&(o, _)| o < offset);
        match self.map.get(next) {
            Some(&(_, shown)) => shown,
            // Behind the cut: an end takes the `…` in, a start points at it.
            None if is_end => self.text.len(),
            None => self.map.last().map_or(0, |&(_, shown)| shown),
        }
    }
}
