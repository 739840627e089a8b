//! Types that several kinds share: display metadata and references.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a service or an account is displayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommonMetadata {
    /// The displayed name.
    #[schemars(length(min = 1))]
    pub display_name: String,
    /// A description in one line.
    ///
    /// Required in KubeCarrier, although its published examples omit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub short_description: Option<String>,
    /// A longer description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub description: Option<String>,
    /// A large image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Image>,
    /// A small image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Image>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Image {
    /// The media type, such as `image/png`.
    pub media_type: String,
    /// The image in base64.
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
