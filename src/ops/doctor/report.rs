//! What `carrier doctor` found, as data; its JSON is this.
//!
//! Nothing in it differs between two runs against the same clusters: no time, no address.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;

use crate::plan::permissions::{Permission, Task};

/// All clusters.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// The version of this form; the first number changes when a reader has to.
    pub format_version: &'static str,
    /// The clusters: management first, then by name.
    pub clusters: Vec<Health>,
}

/// One cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Health {
    /// `management`, or `provider/cluster`.
    pub cluster: String,
    /// Whether it answered.
    pub reached: bool,
    /// The diagnostic of a cluster that did not, or is another one than was meant; null where there is none.
    pub trouble: Option<Problem>,
    /// The name by which it knows us.
    pub user: Option<String>,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// What we may not do, and need.
    pub missing: Vec<Missing>,
    /// The objects that grant it.
    pub grant: Vec<Value>,
}

/// A diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// Its code, such as `CAR0601`.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What: `version`, `identity`, `permissions`, `crds`, `offerings`.
    pub name: &'static str,
    /// How it is.
    pub status: Status,
    /// In words.
    pub message: String,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Nothing fails because of it, or not now.
    Warning,
    /// A command fails because of it.
    Missing,
}

impl Status {
    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Missing => "missing",
        }
    }
}

/// A permission that is needed and not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Missing {
    /// What.
    #[serde(flatten)]
    pub access: Permission,
    /// For which commands.
    pub tasks: Vec<Task>,
}

/// The JSON Schema of a document, draft-07 as the others.
#[must_use]
pub fn schema<T: JsonSchema>() -> String {
    let mut schema = SchemaSettings::draft07().for_serialize().into_generator().into_root_schema_for::<T>().to_value();
    schema.sort_all_objects();
    format!("{schema:#}\n")
}

impl Report {
    /// Whether a command would fail.
    #[must_use]
    pub fn is_missing_something(&self) -> bool {
        let checks = self.clusters.iter().flat_map(|health| &health.checks);
        checks.into_iter().any(|check| check.status == Status::Missing)
    }
}

impl Health {
    /// Notes down how something is.
    pub fn note(&mut self, name: &'static str, status: Status, message: impl Into<String>) {
        self.checks.push(Check { name, status, message: message.into() });
    }
}
