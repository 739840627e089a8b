//! The CRDs in the files that somebody gave, such as an operator's release: out
//! of any number of documents and lists, among whatever else is there.
//!
//! A file that somebody names has to be whole: what cannot be read in it may be
//! the new form of a CRD. A folder holds much that is no concern of ours,
//! templates among it that are no YAML. So of its files only those have to be
//! whole that speak of CRDs; [`Given::troubles`] of the others is for the plan to
//! show where a CRD is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::snapshots::{Kind, what_is_it};
use super::strip;
use crate::model::codes::lock as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::source::{FileId, Sources, Span};
use crate::yaml;
use crate::yaml::tree::{Node, Value};

/// The CRDs of some files.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Given {
    /// The CRDs by name, without what is not their own.
    pub crds: BTreeMap<String, GivenCrd>,
    /// CRDs of the version that Kubernetes has removed: name and place of the version.
    pub old: BTreeMap<String, Span>,
    /// What is wrong with files that have to be whole: nothing is taken while there is any.
    pub errors: Vec<Diagnostic>,
    /// What is wrong with files that need not be.
    pub troubles: Vec<Diagnostic>,
    /// Where the first of the files begins; `None` where there is no file.
    pub place: Option<Span>,
}

/// A CRD of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GivenCrd {
    /// The CRD, stripped.
    pub crd: Arc<Json>,
    /// The place of its name.
    pub place: Span,
    /// The place of another CRD of this name that is not the same.
    pub other: Option<Span>,
}

/// Finds the CRDs in files. `named` are the paths of those that were named
/// themselves, and not by a folder they are in.
#[must_use]
pub(crate) fn given(sources: &Sources, named: &BTreeSet<String>) -> Given {
    let place = sources.iter().next().map(|(id, _)| Span::file_start(id));
    let mut given = Given { place, ..Given::default() };
    for (id, file) in sources.iter() {
        let mut troubles = Diagnostics::default();
        for document in yaml::read(id, &file.text, &mut troubles) {
            // Of a key that stands twice kubectl takes the last, the reader here the first: no value to build on.
            let broken = troubles.iter().any(|d| is_in(d, id, document.root.span));
            if document.sound && !broken {
                given.take(&document.root);
            }
        }
        let whole = named.contains(&file.path) || file.text.contains("CustomResourceDefinition");
        let list = if whole { &mut given.errors } else { &mut given.troubles };
        list.extend(troubles.into_sorted().into_iter().filter(|d| d.severity == Severity::Error));
    }
    given
}

fn is_in(diagnostic: &Diagnostic, file: FileId, span: Span) -> bool {
    diagnostic.severity == Severity::Error
        && diagnostic
            .primary
            .as_ref()
            .is_some_and(|l| l.span.file == file && (span.start..=span.end).contains(&l.span.start))
}

impl Given {
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
        let crd = Arc::new(strip(&root.to_json()));
        match self.crds.get_mut(name) {
            None => {
                self.crds.insert(name.to_owned(), GivenCrd { crd, place, other: None });
            }
            Some(first) if first.crd != crd => {
                first.other.get_or_insert(place);
            }
            Some(_) => {}
        }
    }

    /// The complaint about a CRD that the files have twice, and not the same.
    pub(super) fn two(&self, name: &str) -> Option<Diagnostic> {
        let crd = self.crds.get(name)?;
        Some(
            Diagnostic::new(&codes::TWO_IN_FILES, crd.other?, format!("the files have two different CRDs `{name}`"))
                .label(crd.place, "the other one")
                .help("name the one file that has what runs in the cluster"),
        )
    }
}
