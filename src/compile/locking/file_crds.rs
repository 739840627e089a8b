//! The CRDs in the files of `carrier lock --from`, such as an operator's release manifest: in any number of
//! documents and lists, next to other objects.
//!
//! A file that is named must be readable as a whole: what cannot be read in it may be the new form of a CRD. A
//! folder may also hold files that are not YAML, such as templates, so of a folder only the files that mention
//! CRDs must be readable. The problems of the others ([`FileCrds::ignored_errors`]) are reported if a CRD is
//! missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::snapshots::{Kind, what_is_it};
use super::strip::strip_decoded;
use crate::compile::validity::{Problem, decode};
use crate::model::codes::lock as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::source::{FileId, Sources, Span};
use crate::yaml;
use crate::yaml::tree::{Node, Value};

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
    /// The JSON Pointers of what a server would drop.
    pub unknown: Vec<String>,
    /// The values of a wrong type.
    pub wrong: Vec<Problem>,
}

/// Finds the CRDs in files. `named` are the paths of files that were named themselves, not through a folder.
#[must_use]
pub(crate) fn crds_in_files(sources: &Sources, named: &BTreeSet<String>) -> FileCrds {
    let place = sources.iter().next().map(|(id, _)| Span::file_start(id));
    let mut found = FileCrds { place, ..FileCrds::default() };
    for (id, file) in sources.iter() {
        let mut errors = Diagnostics::default();
        for document in yaml::read(id, &file.text, &mut errors) {
            // kubectl takes the last of two equal keys and the reader here the first, so the document is not
            // used.
            let broken = errors.iter().any(|d| is_in(d, id, document.root.span));
            if document.sound && !broken {
                found.take(&document.root);
            }
        }
        let whole = named.contains(&file.path) || file.text.contains("CustomResourceDefinition");
        let list = if whole { &mut found.errors } else { &mut found.ignored_errors };
        list.extend(errors.into_sorted().into_iter().filter(|d| d.severity == Severity::Error));
    }
    found
}

fn is_in(diagnostic: &Diagnostic, file: FileId, span: Span) -> bool {
    diagnostic.severity == Severity::Error
        && diagnostic
            .primary
            .as_ref()
            .is_some_and(|l| l.span.file == file && (span.start..=span.end).contains(&l.span.start))
}

impl FileCrds {
    fn take(&mut self, root: &Node) {
        let is_list = root.get("kind").and_then(Node::as_str).is_some_and(|kind| kind.ends_with("List"));
        if let (true, Some(Value::Seq(items))) = (is_list, root.get("items").map(|n| &n.value)) {
            return items.iter().for_each(|item| self.take(item));
        }
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
        let decoded = decode(&root.to_json());
        let crd = Arc::new(strip_decoded(&decoded.crd));
        match self.crds.get_mut(name) {
            None => {
                let (unknown, wrong) = (decoded.unknown, decoded.wrong);
                self.crds.insert(name.to_owned(), FileCrd { crd, place, other: None, unknown, wrong });
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
