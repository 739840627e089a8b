//! What several kinds share: display metadata and references.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a service or an account is shown to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommonMetadata {
    /// The name shown to people.
    #[schemars(length(min = 1))]
    pub display_name: String,
    /// One line on what this is.
    ///
    /// The original requires it, and its own published examples leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub short_description: Option<String>,
    /// A longer text on what this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub description: Option<String>,
    /// A large picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Image>,
    /// A small picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Image>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Image {
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// Its bytes in base64.
    #[schemars(extend("format" = "byte"))]
    pub data: String,
}

/// The name of an object in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectReference {
    /// The name.
    #[schemars(length(min = 1))]
    pub name: String,
}

impl ObjectReference {
    /// A reference to this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}
