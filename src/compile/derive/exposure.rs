//! The fields that a catalog exposes, each with its line, and the reporter that
//! puts each diagnostic on the line that caused it.

use serde_json::Value;

use crate::model::codes::Code;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::kinds::{FieldValue, VersionExpose};
use crate::model::path::{FieldPath, PathError};
use crate::model::source::{FileId, Span, Spanned};

/// The `derive` block of a catalog entry or a set of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposure {
    /// Where the block stands.
    pub place: Span,
    /// The object it belongs to, as in [`Diagnostic::object`].
    pub object: String,
    /// The kind tenants see, where it is overridden.
    pub kind: Option<Spanned<String>>,
    /// The plural tenants see, where it is overridden.
    pub plural: Option<Spanned<String>>,
    /// The items of `expose`.
    pub items: Vec<ExposeItem>,
}

/// One item of `expose`: some versions and their fields.
#[derive(Debug, Clone, PartialEq)]
pub struct ExposeItem {
    /// Where the item stands.
    pub place: Span,
    /// The versions.
    pub versions: Vec<Spanned<String>>,
    /// The exposed fields.
    pub fields: Vec<Spanned<FieldPath>>,
    /// Fields exposed with a default.
    pub defaults: Vec<ValueAt>,
    /// Hidden fields with the provider's value.
    pub presets: Vec<ValueAt>,
}

/// A field and the value it gets.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueAt {
    /// The field.
    pub path: Spanned<FieldPath>,
    /// The value.
    pub value: Spanned<Value>,
}

impl ExposeItem {
    /// The item of an object that no text stands for: nothing in it has a place, so only the messages of diagnostics
    /// about it are of use.
    ///
    /// # Errors
    /// The first path that cannot be read, and why.
    pub fn without_places(item: &VersionExpose) -> Result<Self, (String, PathError)> {
        let place = Span::file_start(FileId(0));
        let path = |text: &str| match FieldPath::parse(text) {
            Ok(path) => Ok(Spanned::new(path, place)),
            Err(error) => Err((text.to_owned(), error)),
        };
        let value = |value: &FieldValue| {
            path(&value.json_path).map(|path| ValueAt { path, value: Spanned::new(value.value.clone(), place) })
        };
        Ok(Self {
            place,
            versions: item.versions.iter().map(|v| Spanned::new(v.clone(), place)).collect(),
            fields: item.fields.iter().map(|f| path(&f.json_path)).collect::<Result<_, _>>()?,
            defaults: item.defaults.iter().map(value).collect::<Result<_, _>>()?,
            presets: item.presets.iter().map(value).collect::<Result<_, _>>()?,
        })
    }

    /// The paths that tenants can see: the fields, and those with a default.
    pub fn visible(&self) -> impl Iterator<Item = &Spanned<FieldPath>> {
        self.fields.iter().chain(self.defaults.iter().map(|d| &d.path))
    }

    /// The line that causes what happens at `path`: that of the exposed path with the longest common beginning, the
    /// first of several.
    #[must_use]
    pub fn blame(&self, path: &FieldPath) -> Span {
        let mut best = (0, self.place);
        for candidate in self.visible() {
            let shared = candidate.value.shared(path);
            if shared > best.0 {
                best = (shared, candidate.span);
            }
        }
        best.1
    }
}

/// Collects the diagnostics about one item.
pub(crate) struct Report<'a> {
    /// The item.
    pub item: &'a ExposeItem,
    /// The object the item belongs to.
    pub object: &'a str,
    /// The diagnostics so far.
    pub diagnostics: &'a mut Diagnostics,
}

impl Report<'_> {
    /// Reports a diagnostic about a field, at the line that caused it. Without `help`, the code's own is shown.
    pub(crate) fn about(
        &mut self,
        code: &'static Code,
        path: &FieldPath,
        message: String,
        help: impl Into<Option<String>>,
    ) {
        self.at(code, self.item.blame(path), message, help);
    }

    /// Reports a diagnostic about a line. Without `help`, the code's own is shown.
    pub(crate) fn at(&mut self, code: &'static Code, place: Span, message: String, help: impl Into<Option<String>>) {
        let help = help.into().unwrap_or_else(|| code.fix());
        self.push(Diagnostic::new(code, place, message).help(help));
    }

    /// Reports a path that names nothing, with the path that was probably meant.
    pub(crate) fn meant(&mut self, code: &'static Code, place: Span, message: String, meant: &FieldPath) {
        self.push(Diagnostic::new(code, place, message).did_you_mean(meant));
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(Diagnostic { object: Some(self.object.to_owned()), ..diagnostic });
    }
}
