//! The result of loading: the objects without errors, and which others there are.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use super::unreadable::UnreadableDocument;
use crate::model::config::Config;
use crate::model::diagnostic::Diagnostic;
use crate::model::kinds::{
    AccountSpec, CatalogEntrySetSpec, CatalogEntrySpec, CatalogSpec, Kind, ServiceClusterSpec, TenantSpec,
};
use crate::model::source::{FileId, Span};
use crate::yaml::Suppression;
use crate::yaml::tree::Node;

/// An object of one of the kinds that people write, with the document that it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Object<S> {
    /// Its name.
    pub name: String,
    /// Its namespace, as written or from its folder; `None` for an Account.
    pub namespace: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations, without kubectl's own.
    pub annotations: BTreeMap<String, String>,
    /// Its spec.
    pub spec: S,
    /// The whole document.
    pub node: Node,
    /// The file or the API object that it comes from.
    pub file: FileId,
}

impl<S: Kind> Object<S> {
    /// The place of the value at this JSON Pointer, or of the object that lacks it.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Span {
        self.node.place(pointer)
    }

    /// Its name in diagnostics: `Account/team-a`, `Catalog/team-a/default`.
    #[must_use]
    pub fn id(&self) -> String {
        self.key().to_string()
    }

    /// Its key: kind, namespace and name.
    #[must_use]
    pub fn key(&self) -> SourceKey {
        SourceKey { kind: S::info().kind, namespace: self.namespace.clone(), name: self.name.clone() }
    }

    /// A diagnostic about the value at this JSON Pointer.
    #[must_use]
    pub fn complain(
        &self,
        code: &'static crate::model::codes::Code,
        pointer: &str,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(code, self.place(pointer), message).on(self.id(), pointer)
    }
}

/// Kind, namespace and name of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceKey {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl fmt::Display for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}/{}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

/// A loaded repository: all objects without errors, each list sorted by namespace and name.
#[derive(Debug, Default, PartialEq)]
pub struct Loaded {
    /// The accounts.
    pub accounts: Vec<Object<AccountSpec>>,
    /// The service clusters.
    pub service_clusters: Vec<Object<ServiceClusterSpec>>,
    /// The catalogs.
    pub catalogs: Vec<Object<CatalogSpec>>,
    /// The entries written by hand.
    pub catalog_entries: Vec<Object<CatalogEntrySpec>>,
    /// The sets of entries.
    pub catalog_entry_sets: Vec<Object<CatalogEntrySetSpec>>,
    /// The Tenant objects that give labels to tenants.
    pub tenants: Vec<Object<TenantSpec>>,
    /// The settings.
    pub config: Config,
    /// The clusters that the settings name, as `provider/cluster`, with their places.
    pub config_clusters: Vec<(String, Span)>,
    /// The number of ignored documents.
    pub ignored: usize,
    /// Objects with errors, which are reported. They are not in the lists above, and
    /// references to them are not reported as well.
    pub broken: BTreeSet<SourceKey>,
    /// Documents that could not be read, and may hold any of these objects.
    pub unreadable: Vec<UnreadableDocument>,
    /// The comments that suppress diagnostics; applied after the last stage.
    pub suppressions: Vec<Suppression>,
}

impl Loaded {
    /// Whether such an object was written and has errors, or may be in a document that could not be read.
    #[must_use]
    pub fn is_broken(&self, kind: &'static str, namespace: Option<&str>, name: &str) -> bool {
        let key = SourceKey { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() };
        self.broken.contains(&key) || self.unreadable.iter().any(|document| document.may_hold(kind, name))
    }

    /// Whether an object of this kind was written and has errors, or may be in a document that could not be read.
    #[must_use]
    pub fn lacks(&self, kind: &str) -> bool {
        self.broken.iter().any(|key| key.kind == kind) || self.unreadable.iter().any(|document| document.may_be(kind))
    }

    /// Sorts each list by namespace and name.
    pub(super) fn sort(&mut self) {
        fn by_key<S>(objects: &mut [Object<S>]) {
            objects.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        }
        by_key(&mut self.accounts);
        by_key(&mut self.service_clusters);
        by_key(&mut self.catalogs);
        by_key(&mut self.catalog_entries);
        by_key(&mut self.catalog_entry_sets);
        by_key(&mut self.tenants);
    }
}
