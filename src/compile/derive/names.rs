//! The names of a copy of a CRD.

use serde_json::{Value, json};

use super::exposure::Exposure;
use super::source::SourceCrd;

/// The names of a CRD in its group; the group may hold each only once (`derivation.md` R12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrdNames {
    /// The kind.
    pub kind: String,
    /// The kind of lists.
    pub list_kind: String,
    /// The plural.
    pub plural: String,
    /// The singular.
    pub singular: String,
}

impl CrdNames {
    /// The names that the source has.
    #[must_use]
    pub fn of_source(source: &SourceCrd) -> Self {
        Self {
            kind: source.kind.clone(),
            list_kind: source.list_kind.clone(),
            plural: source.plural.clone(),
            singular: source.singular.clone(),
        }
    }

    /// The source's names, except for those that the exposure overrides.
    #[must_use]
    pub fn of_exposure(source: &SourceCrd, exposure: &Exposure) -> Self {
        let mut names = Self::of_source(source);
        if let Some(kind) = &exposure.kind {
            names.list_kind = format!("{}List", kind.value);
            names.singular = kind.value.to_lowercase();
            names.kind.clone_from(&kind.value);
        }
        if let Some(plural) = &exposure.plural {
            names.plural.clone_from(&plural.value);
        }
        names
    }

    /// As `spec.names` has them.
    pub(super) fn to_value(&self) -> Value {
        json!({
            "kind": self.kind, "listKind": self.list_kind, "plural": self.plural, "singular": self.singular,
        })
    }
}
