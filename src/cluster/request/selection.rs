//! Which objects of a kind a list or a watch is about.

use crate::model::resource::Resource;

/// Objects of one kind: all of them, or those that selectors choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The kind.
    pub resource: Resource,
    /// The namespace; absent, all of them.
    pub namespace: Option<String>,
    /// A label selector.
    pub labels: Option<String>,
    /// A field selector.
    pub fields: Option<String>,
    /// Whether the objects come without all but their metadata.
    pub metadata_only: bool,
    /// The largest number of objects on a page of the list; absent, what fits the kind.
    pub page: Option<u32>,
}

impl Selection {
    /// All objects of a kind.
    #[must_use]
    pub fn all(resource: &Resource) -> Self {
        let resource = resource.clone();
        Self { resource, namespace: None, labels: None, fields: None, metadata_only: false, page: None }
    }

    /// The object of this name.
    #[must_use]
    pub fn named(resource: &Resource, name: &str) -> Self {
        Self { fields: Some(format!("metadata.name={name}")), ..Self::all(resource) }
    }

    /// Only those of a namespace; of all where it is `None`.
    #[must_use]
    pub fn within(self, namespace: Option<&str>) -> Self {
        Self { namespace: namespace.map(str::to_owned), ..self }
    }

    /// Only those that a label selector chooses.
    #[must_use]
    pub fn labels(self, selector: &str) -> Self {
        Self { labels: Some(selector.to_owned()), ..self }
    }

    /// Their metadata alone.
    #[must_use]
    pub fn metadata_only(self) -> Self {
        Self { metadata_only: true, ..self }
    }

    /// In pages of so many objects.
    #[must_use]
    pub fn paged(self, page: u32) -> Self {
        Self { page: Some(page), ..self }
    }
}
