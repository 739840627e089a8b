//! JSON patches.

use serde::Serialize;
use serde_json::Value;

/// An operation of a JSON patch (RFC 6902).
///
/// Ours and not the `json-patch` crate's behind a feature of kube: only the writing of it is needed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum JsonPatch {
    /// The patch as a whole is refused unless the value is this one.
    Test {
        /// JSON pointer.
        path: String,
        /// The value that has to be there.
        value: Value,
    },
    /// Adds a field, or an item of a list.
    Add {
        /// JSON pointer.
        path: String,
        /// The new value.
        value: Value,
    },
    /// Replaces a value.
    Replace {
        /// JSON pointer.
        path: String,
        /// The new value.
        value: Value,
    },
    /// Removes a value; it is an error if there is none.
    Remove {
        /// JSON pointer.
        path: String,
    },
}
