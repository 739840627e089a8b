//! The CRDs in the files of `carrier lock --from`, such as an operator's release manifest: in any number of
//! documents and lists, next to other objects.
//!
//! A file that is named must be readable as a whole: what cannot be read in it may be the new form of a CRD. A
//! folder may also hold files that are not YAML, such as templates, so of a folder only the files that mention
//! CRDs must be readable. The problems of the others ([`FileCrds::ignored_errors`]) are reported if a CRD is
//! missing. A template is reported as such, once a file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::bare_words::bare_words;
use super::snapshots::{Kind, what_is_it};
use super::{strip, templates};
use crate::compile::load::list;
use crate::model::codes::{lock as codes, yaml as yaml_codes};
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::source::{FileId, Sources, Span};
use crate::yaml;
use crate::yaml::tree::Node;

/// The CRDs in a set of files.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FileCrds {
    /// The CRDs by name, stripped.
    pub crds: BTreeMap<String, FileCrd>,
    /// CRDs of `apiextensions.k8s.io/v1beta1`, which Kubernetes has removed: name, and the place of the
    /// version.
    pub old: BTreeMap<String, Span>,
    /// The errors of files that must be readable. If there is one, no CRD is taken.
    pub errors: Vec<Diagnostic>,
    /// The errors of the other files.
    pub ignored_errors: Vec<Diagnostic>,
    /// The start of the first file; `None` without files.
    pub place: Option<Span>,
}

/// A CRD in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FileCrd {
    /// The CRD, stripped.
    pub crd: Arc<Json>,
    /// The place of its name.
    pub place: Span,
    /// The place of a different CRD with the same name.
    pub other: Option<Span>,
    /// The object as it stands in the file.
    pub source: Json,
    /// What has to be said about it if it is taken. An error prevents that.
    pub complaints: Vec<Diagnostic>,
}

/// An object of the kind CustomResourceDefinition in a file, whatever its version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CrdDocument {
    /// The object.
    pub root: Node,
    /// What has to be said about it if it is used: words that Kubernetes does not read as they are written, and
    /// expressions of a template.
    pub complaints: Vec<Diagnostic>,
}

/// The CRDs in a set of files, as they are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct CrdDocuments {
    /// The CRDs in order.
    pub crds: Vec<CrdDocument>,
    /// The errors of files that must be readable.
    pub errors: Vec<Diagnostic>,
    /// The errors of the other files.
    pub ignored_errors: Vec<Diagnostic>,
}

/// Finds the CRDs in files. `named` are the paths of files that were named themselves, not through a folder.
#[must_use]
pub(crate) fn crds_in_files(sources: &Sources, named: &BTreeSet<String>) -> FileCrds {
    let place = sources.iter().next().map(|(id, _)| Span::file_start(id));
    let CrdDocuments { crds, errors, ignored_errors } = crd_documents(sources, named);
    let mut found = FileCrds { errors, ignored_errors, place, ..FileCrds::default() };
    for crd in crds {
        found.take(crd);
    }
    found
}

/// Finds the CRDs in files, as they are written.
#[must_use]
pub(crate) fn crd_documents(sources: &Sources, named: &BTreeSet<String>) -> CrdDocuments {
    let mut found = CrdDocuments::default();
    for (id, file) in sources.iter() {
        let mut said = Diagnostics::default();
        for document in yaml::read(id, &file.text, &mut said) {
            // kubectl takes the last of two equal keys and the reader here the first, so the document is not
            // used.
            let broken = said.iter().any(|d| d.severity == Severity::Error && is_in(d, id, document.root.span));
            if document.sound && !broken {
                found.take(&document.root, &file.text, &said);
            }
        }
        let whole = named.contains(&file.path) || file.text.contains("CustomResourceDefinition");
        let list = if whole { &mut found.errors } else { &mut found.ignored_errors };
        let mut errors = said.into_sorted().into_iter().filter(|d| d.severity == Severity::Error);
        if !templates::is_template(&file.text) {
            list.extend(errors);
        } else if let Some(first) = errors.next() {
            // What is wrong with it as YAML says nothing about the manifest that it will be.
            let mut complaint =
                Diagnostic { primary: first.primary, ..Diagnostic::unplaced(&codes::TEMPLATE, TEMPLATE) };
            complaint = complaint.note(format!("as YAML: {}", first.message)).help(templates::RENDER);
            list.push(complaint);
        }
    }
    found
}

const TEMPLATE: &str = "this is a template, not a manifest: it has expressions `{{ … }}` and is not YAML";

impl CrdDocuments {
    fn take(&mut self, root: &Node, text: &str, said: &Diagnostics) {
        if let Some(items) = list::items(root) {
            return items.iter().for_each(|item| self.take(item, text, said));
        }
        if root.get("kind").and_then(Node::as_str) != Some("CustomResourceDefinition") {
            return;
        }
        let bare = |d: &&Diagnostic| d.code == &yaml_codes::BARE_WORD && is_in(d, root.span.file, root.span);
        let mut complaints: Vec<Diagnostic> = said.iter().filter(bare).cloned().collect();
        complaints.extend(bare_words(text, root));
        let (start, end) = (root.span.start as usize, root.span.end as usize);
        if let Some(range) = text.get(start..end).and_then(templates::expression) {
            let place = Span::new(root.span.file, start + range.start, start + range.end);
            let message = "this CRD is from a template: it is taken with the expression as it stands";
            let mut complaint = Diagnostic::new(&codes::TEMPLATE, place, message).help(templates::RENDER);
            complaint.severity = Severity::Warning;
            complaints.push(complaint);
        }
        self.crds.push(CrdDocument { root: root.clone(), complaints });
    }
}

fn is_in(diagnostic: &Diagnostic, file: FileId, span: Span) -> bool {
    diagnostic.primary.as_ref().is_some_and(|l| l.span.file == file && (span.start..=span.end).contains(&l.span.start))
}

impl FileCrds {
    fn take(&mut self, CrdDocument { root, complaints }: CrdDocument) {
        let root = &root;
        let place = root.place("/metadata/name");
        let name = root.pointer("/metadata/name").and_then(Node::as_str).unwrap_or_default();
        match what_is_it(root) {
            Kind::Crd => {}
            Kind::OldCrd => {
                self.old.entry(name.to_owned()).or_insert_with(|| root.place("/apiVersion"));
                return;
            }
            Kind::Other(_) => return,
        }
        let source = root.to_json();
        let crd = Arc::new(strip(&source));
        match self.crds.get_mut(name) {
            None => {
                self.crds.insert(name.to_owned(), FileCrd { crd, source, place, other: None, complaints });
            }
            Some(first) if first.crd != crd => {
                first.other.get_or_insert(place);
            }
            Some(_) => {}
        }
    }

    /// The diagnostic for two different CRDs with the same name in the files.
    pub(super) fn two(&self, name: &str) -> Option<Diagnostic> {
        let crd = self.crds.get(name)?;
        Some(
            Diagnostic::new(&codes::TWO_IN_FILES, crd.other?, format!("the files have two different CRDs `{name}`"))
                .label(crd.place, "the other one")
                .help("name the one file that has what runs in the cluster"),
        )
    }
}
