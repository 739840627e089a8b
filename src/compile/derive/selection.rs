//! What one item of an exposure selects of a version: the exposed fields, and the values that the provider gives.
//!
//! Deriving prunes the schema to it, and the route of a service copies instances by it; both make it here, so that
//! schema and copy cannot disagree.

use serde_json::Value;

use super::exposure::{Report, ValueAt};
use super::projection::Projection;
use super::{fulfil, select};
use crate::model::path::PathSet;

/// The sound part of an item of an exposure.
pub(crate) struct Selection {
    /// The exposed fields, with those that must be exposed beside them.
    pub set: PathSet,
    /// Defaults that fit their fields.
    pub defaults: Vec<ValueAt>,
    /// Presets that fit their fields.
    pub presets: Vec<ValueAt>,
}

impl Selection {
    /// Selects from the root schema of a version. Paths and values that cannot be used are reported and left out.
    pub(crate) fn of(root: &Value, report: &mut Report<'_>) -> Self {
        let set = select::select(root, report);
        let (defaults, presets) = fulfil::sound_values(root, &set, report);
        Self { set, defaults, presets }
    }

    /// The copying rules of the version with the root schema `root`.
    #[must_use]
    pub(crate) fn projection(&self, root: &Value) -> Projection {
        Projection::new(root, &self.set, &self.presets)
    }
}
