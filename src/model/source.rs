//! Sources and places in them.
//!
//! A [`Sources`] is the whole input of a compilation, already read: nothing
//! here opens a file. A source is a file with its text, or an object of an API server,
//! which has no text. A [`Span`] in a file is a range of bytes; lines and columns are
//! computed only when they are shown. A [`Span`] in an object stands for one value in it,
//! and is shown as a JSON Pointer.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

/// One source of a [`Sources`], by its position there: the files come first, then the API objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in one source file, end exclusive. In an API object `start` and `end`
/// are both the number of a value, counted from 0 in the order in which JSON writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file that contains the range.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `file`. Offsets beyond 4 GiB are clamped: the
    /// loader rejects files of that size.
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

/// A value and its place in the source.
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

/// A position in a text: line and column from 1, columns in Unicode scalar values.
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

/// An object of an API server, as a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiObject {
    /// Its name in diagnostics: `Kind/name` or `Kind/namespace/name`.
    pub reference: String,
    /// The object as the API server answered it.
    pub body: Arc<Value>,
}

impl ApiObject {
    /// An object as the API server answered it.
    #[must_use]
    pub fn new(body: Value) -> Self {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (kind, name) = (text("/kind").unwrap_or("?"), text("/metadata/name").unwrap_or("?"));
        let reference = match text("/metadata/namespace") {
            Some(namespace) => format!("{kind}/{namespace}/{name}"),
            None => format!("{kind}/{name}"),
        };
        Self { reference, body: Arc::new(body) }
    }

    /// The JSON Pointer of the value with this number; the empty one for a number that no value has.
    fn pointer(&self, number: u32) -> String {
        fn find(value: &Value, left: &mut u32, pointer: &mut String) -> bool {
            if *left == 0 {
                return true;
            }
            *left -= 1;
            let length = pointer.len();
            let mut enter = |token: &str, child: &Value, left: &mut u32| {
                pointer.push('/');
                pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
                let found = find(child, left, pointer);
                if !found {
                    pointer.truncate(length);
                }
                found
            };
            match value {
                Value::Object(map) => map.iter().any(|(key, child)| enter(key, child, left)),
                Value::Array(items) => items.iter().enumerate().any(|(i, item)| enter(&i.to_string(), item, left)),
                _ => false,
            }
        }
        let (mut left, mut pointer) = (number, String::new());
        find(&self.body, &mut left, &mut pointer);
        pointer
    }
}

/// All sources of a compilation: files sorted by path, then API objects sorted by reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    files: Vec<SourceFile>,
    objects: Vec<ApiObject>,
}

impl Sources {
    /// Takes the files in any order; the order of the result depends on the paths alone.
    #[must_use]
    pub fn new(mut files: Vec<SourceFile>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files, objects: Vec::new() }
    }

    /// Adds objects of an API server, in any order. Spans of objects that were added before no longer fit.
    #[must_use]
    pub fn with_objects(mut self, objects: impl IntoIterator<Item = ApiObject>) -> Self {
        self.objects.extend(objects);
        self.objects.sort_by(|a, b| a.reference.cmp(&b.reference));
        self
    }

    /// Every file with its id, in order of path.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(u32::try_from(i).unwrap_or(u32::MAX)), f))
    }

    /// Every API object with its id, in order of reference.
    pub fn objects(&self) -> impl Iterator<Item = (FileId, &ApiObject)> {
        let id = |i: usize| FileId(u32::try_from(self.files.len() + i).unwrap_or(u32::MAX));
        self.objects.iter().enumerate().map(move |(i, object)| (id(i), object))
    }

    /// The API object with this id; `None` for a file, and for an id of another [`Sources`].
    #[must_use]
    pub fn object(&self, id: FileId) -> Option<&ApiObject> {
        self.objects.get((id.0 as usize).checked_sub(self.files.len())?)
    }

    /// The JSON Pointer that a span in an API object stands for; `None` for a span in a file.
    #[must_use]
    pub fn pointer(&self, span: Span) -> Option<String> {
        Some(self.object(span.file)?.pointer(span.start))
    }

    /// The file with this id; `None` for an API object, and for an id of another [`Sources`].
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

    /// The path of a span's file, or the reference of its API object; `?` for a span of another [`Sources`].
    #[must_use]
    pub fn path(&self, span: Span) -> &str {
        match (self.get(span.file), self.object(span.file)) {
            (Some(file), _) => &file.path,
            (None, Some(object)) => &object.reference,
            (None, None) => "?",
        }
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

    /// The number of files, API objects not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is neither a file nor an API object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.objects.is_empty()
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
    fn a_span_in_an_api_object_is_a_pointer() {
        let body = serde_json::json!({"kind": "Catalog", "metadata": {"name": "a", "namespace": "n"}, "spec": {"x/y": [1, {"z": 2}]}});
        let file = SourceFile { path: "a.yaml".into(), text: "".into() };
        let sources = Sources::new(vec![file]).with_objects([ApiObject::new(body)]);
        let id = FileId(1);
        let at = |n| sources.pointer(Span { file: id, start: n, end: n }).unwrap();
        assert_eq!(
            [0, 1, 3, 5, 7, 8, 9, 99].map(at),
            ["", "/kind", "/metadata/name", "/spec", "/spec/x~1y/0", "/spec/x~1y/1", "/spec/x~1y/1/z", ""]
        );
        assert_eq!(sources.path(Span::file_start(id)), "Catalog/n/a");
        assert_eq!(sources.pointer(Span::file_start(FileId(0))), None);
        assert!(sources.get(id).is_none() && sources.len() == 1);
    }

    #[test]
    fn order_is_by_path_whatever_came_first() {
        let file = |p: &str| SourceFile { path: p.into(), text: "".into() };
        let a = Sources::new(vec![file("b"), file("a")]);
        assert_eq!(a, Sources::new(vec![file("a"), file("b")]));
        assert_eq!(a.by_path("b").map(|(id, _)| id), Some(FileId(1)));
    }
}
