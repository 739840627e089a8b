//! What the compiler returns: the meaning of a repository, and the way to its objects.

use std::collections::BTreeSet;

use super::build::Built;
use super::discovered::Discovered;
use super::load::Loaded;
use super::render::staying::Staying;
use super::render::{ManifestSet, render};
use super::resolve::Resolved;
use crate::model::codes::io;
use crate::model::codes::lock::{NOT_RECORDED, UNUSED_SNAPSHOT};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::FileId;
use crate::yaml::apply_suppressions;

/// A repository, compiled.
#[derive(Debug, PartialEq)]
pub struct Compiled<'a> {
    /// What the objects mean together.
    pub resolved: Resolved<'a>,
    /// The facts that it was compiled with.
    pub discovered: &'a Discovered,
    /// The services with their CRDs.
    pub built: Vec<Built>,
    /// The problems found by resolving and building, in the order in which they were
    /// found. Those of reading, loading and locking are their callers'.
    pub diagnostics: Diagnostics,
}

impl Compiled<'_> {
    /// The objects of all clusters.
    #[must_use]
    pub fn render(&self) -> ManifestSet {
        self.render_beside(&Staying::default())
    }

    /// The same with the permissions of sync for what is still in the clusters.
    #[must_use]
    pub(crate) fn render_beside(&self, staying: &Staying) -> ManifestSet {
        render(&self.resolved, &self.built, self.discovered, staying)
    }
}

/// The diagnostics of all stages in the form in which they are shown: sorted, without
/// duplicates, without those that a comment in the repository hides.
#[must_use]
pub(crate) fn shown(mut diagnostics: Diagnostics, loaded: &Loaded) -> Vec<Diagnostic> {
    // An object with errors may be the one that uses the snapshot, and a broken lock may have recorded the namespace.
    if diagnostics.has_errors() {
        diagnostics.retain(|d| d.code != &UNUSED_SNAPSHOT && d.code != &NOT_RECORDED);
    }
    // A file that cannot be read is one problem; its text is empty, and what is missing in it is no other.
    let of_files = |d: &Diagnostic| io::ALL.contains(&d.code);
    let file = |d: &Diagnostic| d.primary.as_ref().map(|label| label.span.file);
    let unreadable: BTreeSet<FileId> = diagnostics.iter().filter(|d| of_files(d)).filter_map(file).collect();
    diagnostics.retain(|d| of_files(d) || !file(d).is_some_and(|file| unreadable.contains(&file)));
    apply_suppressions(diagnostics, &loaded.suppressions).into_sorted()
}
