//! Diagnostics: the errors, warnings and infos of the compiler about its input.
//!
//! Text, JSON, SARIF and CI annotations are all made from [`Diagnostic`]; the
//! renderers are in `cli`. A stage does not stop at its first error: it adds to a
//! [`Diagnostics`] and continues with the valid part of its input.

use std::fmt;

use super::codes::Code;
pub use super::codes::Severity;
use super::source::{FileId, Span};

/// A place and a text about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A short text shown below the underlined source; may be empty.
    pub text: String,
    /// Whether the adjacent lines may contain a secret: then only the position is shown,
    /// not the source text.
    pub sensitive: bool,
    /// A JSON Pointer of the value that is meant, if the place is only that of the name of its object (`/metadata/name`).
    /// `yaml::locate` finds its place before the diagnostic is shown, so that only those with problems are read twice.
    pub pointer: Option<String>,
}

impl Label {
    fn new(span: Span, text: String) -> Self {
        Self { span, text, sensitive: false, pointer: None }
    }
}

/// One diagnostic: what is wrong, where, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The code, which identifies the kind of diagnostic.
    pub code: &'static Code,
    /// The severity; the default is the severity of the code.
    pub severity: Severity,
    /// One sentence without a trailing dot.
    pub message: String,
    /// The place to change. `None` only for what has no text, such as an empty folder.
    pub primary: Option<Label>,
    /// Related places.
    pub labels: Vec<Label>,
    /// The object concerned, `Kind/name` or `Kind/namespace/name`.
    pub object: Option<String>,
    /// JSON Pointer of the value in that object.
    pub path: Option<String>,
    /// Ways to fix it, one sentence each.
    pub help: Vec<String>,
    /// Additional information.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic of a code at a place, with the severity of the code.
    #[must_use]
    pub fn new(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Self { primary: Some(Label::new(span, String::new())), ..Self::unplaced(code, message) }
    }

    /// A diagnostic without a place, for a problem that no line of the input causes.
    #[must_use]
    pub fn unplaced(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity,
            message: message.into(),
            primary: None,
            labels: Vec::new(),
            object: None,
            path: None,
            help: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Sets the text shown below the underlined source.
    #[must_use]
    pub fn at(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// Adds a related place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label::new(span, text.into()));
        self
    }

    /// Says that the place is that of an object's name, and that a value in the object is meant.
    #[must_use]
    pub(crate) fn inside(mut self, pointer: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.pointer = Some(pointer.into());
        }
        self
    }

    /// The same of the related place that was added last.
    #[must_use]
    pub(crate) fn label_inside(mut self, pointer: impl Into<String>) -> Self {
        if let Some(label) = self.labels.last_mut() {
            label.pointer = Some(pointer.into());
        }
        self
    }

    /// Adds a way to fix it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds information.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Marks all of its places in this file as sensitive.
    pub fn hide(&mut self, file: FileId) {
        for label in self.primary.iter_mut().chain(&mut self.labels).filter(|l| l.span.file == file) {
            label.sensitive = true;
        }
    }

    /// Suggests `meant` as the intended text, at the place and as the fix.
    #[must_use]
    pub fn did_you_mean(self, meant: impl fmt::Display) -> Self {
        self.at(format!("did you mean `{meant}`?")).help(format!("write `{meant}`"))
    }

    /// Sets the object and the JSON Pointer of the value in it.
    #[must_use]
    pub fn on(mut self, object: impl Into<String>, path: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self.path = Some(path.into());
        self
    }
}

/// A list of diagnostics that stages add to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Adds all of another stage.
    pub fn append(&mut self, mut other: Diagnostics) {
        self.list.append(&mut other.list);
    }

    /// All diagnostics, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Diagnostic> {
        self.list.iter_mut()
    }

    /// Marks the places in this file as sensitive in all diagnostics.
    pub fn hide(&mut self, file: FileId) {
        self.list.iter_mut().for_each(|d| d.hide(file));
    }

    /// Replaces the texts of the diagnostics with these codes by the title of the code, because
    /// their messages may quote a value.
    pub fn quote_nothing(&mut self, of: impl Fn(&'static Code) -> bool) {
        for diagnostic in self.list.iter_mut().filter(|d| of(d.code)) {
            diagnostic.code.title.clone_into(&mut diagnostic.message);
            diagnostic.help = vec![format!(
                "run `carrier explain {}`; the file may hold secrets, so it is not quoted",
                diagnostic.code.id
            )];
            diagnostic.notes.clear();
            for label in diagnostic.primary.iter_mut().chain(&mut diagnostic.labels) {
                label.text.clear();
            }
        }
    }

    /// Keeps the diagnostics for which `keep` is true.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.list.retain(keep);
    }

    /// Whether at least one is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// All diagnostics without duplicates, in output order: by file, offset, code, message.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| key(a).cmp(&key(b)));
        self.list.dedup();
        self.list
    }

    /// All diagnostics, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// Whether there are no diagnostics.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

fn key(d: &Diagnostic) -> (Option<Span>, &'static str, &str) {
    (d.primary.as_ref().map(|l| l.span), d.code.id, &d.message)
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    /// All diagnostics, in the order in which they were added.
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}
