//! The base CRD as deriving needs it, read from `serde_json::Value`.
//!
//! CRDs that cannot be offered at all are refused here: cluster-scoped ones, those of another API version, and those
//! that an API server would refuse (`validity`).

use serde_json::Value;

use super::{sanitize, twins};
use crate::compile::schema;
use crate::compile::validity::{self, Problem};
use crate::model::codes::{Code, derivation};
use crate::model::crd::{Version, versions as versions_of};
use crate::model::path::FieldPath;

/// A CustomResourceDefinition of a service cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceCrd {
    /// `metadata.name`.
    pub name: String,
    /// The API group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The kind of lists.
    pub list_kind: String,
    /// The plural, from the CRD and never guessed.
    pub plural: String,
    /// The singular.
    pub singular: String,
    /// Whether the operator converts between versions by webhook.
    pub webhook_conversion: bool,
    /// The versions, in the CRD's order.
    pub versions: Vec<SourceVersion>,
    /// What a server would drop or may refuse, and what it would refuse of versions that are not served.
    pub(crate) doubts: Doubts,
}

/// What is said of a CRD that can be offered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Doubts {
    /// The JSON Pointers of what a server would drop, since it does not know it.
    pub unknown: Vec<String>,
    /// What cannot be judged in versions that are served.
    pub unjudged: Vec<Problem>,
    /// What a server would refuse in versions that are not served, of which no service is made.
    pub unserved: Vec<Problem>,
}

/// One version of a base CRD.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceVersion {
    /// Its name.
    pub name: String,
    /// Whether the API server serves it.
    pub served: bool,
    /// Whether objects are stored in it.
    pub storage: bool,
    /// Whether it is marked deprecated.
    pub deprecated: bool,
    /// The root schema.
    pub schema: Value,
    /// The root schema without the keywords that no copy can keep. Made once here, since many services may be made of one
    /// CRD.
    pub(super) storable: Value,
    /// What `storable` lacks: each place with a message.
    pub(super) dropped: Vec<(FieldPath, String)>,
    /// The rules that the storable schema lacks because an earlier one has the same text.
    pub(super) twins: Vec<(FieldPath, String)>,
    /// Its subresources.
    pub subresources: Subresources,
    /// `additionalPrinterColumns`.
    pub columns: Vec<Value>,
    /// The JSON paths of `selectableFields`.
    pub selectable: Vec<String>,
}

/// The subresources of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Subresources {
    /// Whether the status is one. If not, a change of the status alone raises `metadata.generation`.
    pub status: bool,
    /// `subresources.scale`, where there is one.
    pub scale: Option<Value>,
}

/// Why a CRD cannot be offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProblem {
    /// The diagnostic this becomes.
    pub code: &'static Code,
    /// What is wrong.
    pub message: String,
    /// The JSON Pointer of the value.
    pub pointer: String,
}

impl SourceProblem {
    /// The problem as a user reads it. `crd` is the CRD that it is in.
    pub(crate) fn of(problem: &Problem, crd: &Value) -> Self {
        let version = problem.version().and_then(|index| versions_of(crd).nth(index));
        let message = problem.sentence(version.map(Version::name));
        Self { code: problem.code(), message, pointer: problem.pointer.clone() }
    }
}

impl SourceCrd {
    /// Reads a CRD.
    ///
    /// # Errors
    /// Every reason for which it cannot be offered.
    pub fn read(crd: &Value) -> Result<Self, Vec<SourceProblem>> {
        let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        if text("/kind") != "CustomResourceDefinition" || text("/apiVersion") != "apiextensions.k8s.io/v1" {
            let what = format!("`{}` `{}`", text("/apiVersion"), text("/kind"));
            let message = format!("it is {what}, not a CustomResourceDefinition of `apiextensions.k8s.io/v1`");
            return Err(vec![SourceProblem {
                code: &derivation::INVALID_CRD,
                message,
                pointer: "/apiVersion".to_owned(),
            }]);
        }
        let decoded = validity::decode(crd);
        let crd = &decoded.crd;
        let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (name, group, kind, plural) =
            (text("/metadata/name"), text("/spec/group"), text("/spec/names/kind"), text("/spec/names/plural"));
        let (problems, doubts) = judged(decoded.wrong, crd);
        let mut problems: Vec<SourceProblem> = problems.iter().map(|problem| SourceProblem::of(problem, crd)).collect();
        if text("/spec/scope") == "Cluster" {
            let message = format!("`{name}` is cluster-scoped, so tenants cannot be kept apart");
            problems.push(SourceProblem {
                code: &derivation::CLUSTER_SCOPED,
                message,
                pointer: "/spec/scope".to_owned(),
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let doubts = Doubts { unknown: decoded.unknown, ..doubts };
        let versions = versions_of(crd).filter_map(|version| SourceVersion::read(version.body)).collect();
        let or = |found: String, otherwise: String| if found.is_empty() { otherwise } else { found };
        Ok(Self {
            list_kind: or(text("/spec/names/listKind"), format!("{kind}List")),
            singular: or(text("/spec/names/singular"), kind.to_lowercase()),
            webhook_conversion: text("/spec/conversion/strategy") == "Webhook",
            name,
            group,
            kind,
            plural,
            versions,
            doubts,
        })
    }

    /// The version with this name.
    #[must_use]
    pub fn version(&self, name: &str) -> Option<&SourceVersion> {
        self.versions.iter().find(|v| v.name == name)
    }

    /// The version of a copy that has only one: the stored one if it is served, else the served one that Kubernetes
    /// prefers.
    #[must_use]
    pub fn preferred(&self) -> Option<&SourceVersion> {
        let served = || self.versions.iter().filter(|v| v.served);
        served().find(|v| v.storage).or_else(|| served().max_by(|a, b| priority(&a.name).cmp(&priority(&b.name))))
    }
}

impl SourceVersion {
    /// `None` for a version without a schema: one that is not served may lack it in an old cluster.
    fn read(version: &Value) -> Option<Self> {
        let name = version.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |key: &str| schema::flag(version, key);
        let root = version.pointer("/schema/openAPIV3Schema").filter(|s| s.is_object())?;
        let list = |key: &str| version.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let mut storable = root.clone();
        let dropped = sanitize::schema(&mut storable);
        let twins = twins::merge(&mut storable);
        Some(Self {
            served: flag("served"),
            storage: flag("storage"),
            deprecated: flag("deprecated"),
            schema: root.clone(),
            storable,
            dropped,
            twins,
            subresources: Subresources {
                status: version.pointer("/subresources/status").is_some(),
                scale: version.pointer("/subresources/scale").cloned(),
            },
            columns: list("additionalPrinterColumns"),
            selectable: list("selectableFields")
                .iter()
                .filter_map(|f| f.get("jsonPath").and_then(Value::as_str).map(str::to_owned))
                .collect(),
            name,
        })
    }
}

/// Kubernetes' order of versions, higher is preferred: `v2` > `v1` > `v1beta2` > `v1alpha1` > anything else,
/// the rest in reverse alphabetical order (`k8s.io/apimachinery/pkg/version`).
#[must_use]
pub(crate) fn priority(name: &str) -> (u8, u64, u64, std::cmp::Reverse<String>) {
    let parsed = || {
        let rest = name.strip_prefix('v')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let major: u64 = rest[..digits].parse().ok()?;
        let (stage, minor) = match &rest[digits..] {
            "" => (3, ""),
            s if s.starts_with("beta") => (2, &s[4..]),
            s if s.starts_with("alpha") => (1, &s[5..]),
            _ => return None,
        };
        let minor = if minor.is_empty() { 0 } else { minor.parse().ok()? };
        Some((stage, major, minor))
    };
    match parsed() {
        Some((stage, major, minor)) => (stage, major, minor, std::cmp::Reverse(String::new())),
        None => (0, 0, 0, std::cmp::Reverse(name.to_owned())),
    }
}

/// What is wrong with a CRD that can be offered at all, and what is only doubtful. A service is made of versions that are
/// served, so what is wrong with another one is no reason against it: an old cluster may have taken it.
fn judged(wrong: Vec<Problem>, crd: &Value) -> (Vec<Problem>, Doubts) {
    let mut doubts = Doubts::default();
    // No server reads on after what it cannot decode, and no cluster can hold it.
    if !wrong.is_empty() {
        return (wrong, doubts);
    }
    let mut refused = Vec::new();
    let served: Vec<bool> = versions_of(crd).map(Version::is_served).collect();
    for problem in validity::problems(crd) {
        let is_served = problem.version().is_none_or(|index| served.get(index).copied().unwrap_or(true));
        match (is_served, problem.kind) {
            (true, validity::Kind::Unjudged) => doubts.unjudged.push(problem),
            (true, _) => refused.push(problem),
            (false, validity::Kind::Unjudged) => {}
            (false, _) => doubts.unserved.push(problem),
        }
    }
    (refused, doubts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_kubernetes_order() {
        let mut names = ["v1-2-0", "v1alpha1", "v1beta2", "v2", "v1", "v10", "v1beta1", "foo"];
        names.sort_by_key(|n| std::cmp::Reverse(priority(n)));
        assert_eq!(names, ["v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha1", "foo", "v1-2-0"]);
    }
}
