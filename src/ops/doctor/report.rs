//! The report of `carrier doctor` as data, which is also its JSON.
//!
//! Two runs against the same clusters give the same report: it has no times and no addresses.

use std::path::PathBuf;

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
    /// The service clusters that were not asked, because the repository has errors about them; by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_asked: Vec<NotAsked>,
}

/// A service cluster that was not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotAsked {
    /// `provider/cluster`.
    pub cluster: String,
    /// The codes of the errors of its ServiceCluster; empty if the errors are elsewhere.
    pub errors: Vec<&'static str>,
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
    /// The user name that the cluster sees.
    pub user: Option<String>,
    /// The checks.
    pub checks: Vec<Check>,
    /// The permissions that are needed and missing.
    pub missing: Vec<Missing>,
    /// The RBAC objects that grant them, for the name by which this cluster knows the user.
    pub grant: Vec<Value>,
    /// The UID of its namespace `kube-system`, if that is known; it is in the text where it matters.
    #[serde(skip)]
    pub uid: Option<String>,
    /// The address and the context, for people; they are the reader's own, so the document does not have them.
    #[serde(skip)]
    pub way: Option<Way>,
}

/// How a cluster was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The address.
    pub server: String,
    /// The kubeconfig, where a flag or carrier.yaml names a file.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, where it is one of the user's own.
    pub context: Option<String>,
}

/// A diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// Its code, such as `CAR0601`.
    pub code: String,
    /// Its message.
    pub message: String,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What: `version`, `identity`, `permissions`, `crds`, `offerings`, `deletions`.
    pub name: &'static str,
    /// The result.
    pub status: Status,
    /// The result in words.
    pub message: String,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// No command fails because of it, or not now.
    Warning,
    /// A command fails because of it.
    Missing,
}

impl Status {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Missing => "missing",
        }
    }
}

/// A permission that is needed and missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Missing {
    /// The permission.
    #[serde(flatten)]
    pub access: Permission,
    /// The commands that need it.
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
    /// The clusters in which permissions are missing.
    pub fn lacking(&self) -> impl Iterator<Item = &Health> {
        self.clusters.iter().filter(|health| !health.grant.is_empty())
    }

    /// Whether a command would fail.
    #[must_use]
    pub fn is_missing_something(&self) -> bool {
        let checks = self.clusters.iter().flat_map(|health| &health.checks);
        checks.into_iter().any(|check| check.status == Status::Missing)
    }
}

impl Health {
    /// Adds the result of a check.
    pub fn note(&mut self, name: &'static str, status: Status, message: impl Into<String>) {
        self.checks.push(Check { name, status, message: message.into() });
    }
}
