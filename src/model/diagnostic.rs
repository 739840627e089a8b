//! What the compiler has to say about its input.
//!
//! Text, JSON, SARIF and CI annotations are all made from [`Diagnostic`]; the
//! renderers live in the shell. A stage never stops at its first complaint: it
//! adds to a [`Diagnostics`] and goes on with what is sound.

use std::fmt;

use super::codes::Code;
use super::source::{FileId, Span};

/// How bad a diagnostic is. The order is from worst to mildest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The input cannot be compiled; nothing is written.
    Error,
    /// It compiles, but somebody should look.
    Warning,
    /// Good to know.
    Info,
}

/// A place and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words shown under the text; may be empty.
    pub text: String,
    /// Whether the lines around may hold a secret: then the place is shown, the
    /// source text there and next to it is not.
    pub sensitive: bool,
}

/// One complaint: what is wrong, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which diagnostic this is.
    pub code: &'static Code,
    /// How bad; the code's own severity unless changed.
    pub severity: Severity,
    /// One sentence without a trailing dot.
    pub message: String,
    /// The place to change. `None` only for what has no text, such as an empty folder.
    pub primary: Option<Label>,
    /// Other places that explain it.
    pub labels: Vec<Label>,
    /// The object concerned, `Kind/name` or `Kind/namespace/name`.
    pub object: Option<String>,
    /// JSON Pointer of the value in that object.
    pub path: Option<String>,
    /// How to mend it, a sentence each.
    pub help: Vec<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic of this code at this place.
    #[must_use]
    pub fn new(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Self { primary: Some(Label { span, text: String::new(), sensitive: false }), ..Self::unplaced(code, message) }
    }

    /// A diagnostic of something that no line of the input stands for.
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

    /// Words shown under the underlined text.
    #[must_use]
    pub fn at(mut self, text: impl Into<String>) -> Self {
        if let Some(primary) = &mut self.primary {
            primary.text = text.into();
        }
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), sensitive: false });
        self
    }

    /// Adds a way to mend it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds something worth knowing.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Marks every place of it in this file as one whose text must not be shown.
    pub fn hide(&mut self, file: FileId) {
        for label in self.primary.iter_mut().chain(&mut self.labels).filter(|l| l.span.file == file) {
            label.sensitive = true;
        }
    }

    /// Proposes what the user will have meant: under the place and as the way to mend it.
    #[must_use]
    pub fn did_you_mean(self, meant: impl fmt::Display) -> Self {
        self.at(format!("did you mean `{meant}`?")).help(format!("write `{meant}`"))
    }

    /// Names the object and the JSON Pointer in it.
    #[must_use]
    pub fn on(mut self, object: impl Into<String>, path: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self.path = Some(path.into());
        self
    }
}

/// The diagnostics of a compilation so far.
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

    /// Hides the text of this file in all of them.
    pub fn hide(&mut self, file: FileId) {
        self.list.iter_mut().for_each(|d| d.hide(file));
    }

    /// Says of those with these codes only what the code says: their own words may quote a value.
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

    /// Leaves out those for which `keep` is false.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.list.retain(keep);
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// All of them, in the order they are shown: by file, offset, code, message.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| key(a).cmp(&key(b)));
        self.list.dedup();
        self.list
    }

    /// Those found so far, in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// Whether nothing was found.
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

    /// All of them, in the order they were found.
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}
