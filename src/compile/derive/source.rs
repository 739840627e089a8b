//! The base CRD as deriving needs it, read from `serde_json::Value`.
//!
//! CRDs that cannot be offered at all are refused here: cluster-scoped ones, those
//! of another API version, those whose schema is not structural.

use serde_json::{Map, Value};

use super::{sanitize, schema, twins};
use crate::model::codes::{Code, derivation};
use crate::model::crd::versions as versions_of;
use crate::model::path::{FieldPath, Segment};

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
}

impl SourceCrd {
    /// Reads a CRD.
    ///
    /// # Errors
    /// Every reason for which it cannot be offered.
    pub fn read(crd: &Value) -> Result<Self, Vec<SourceProblem>> {
        let mut problems = Vec::new();
        let mut refuse = |code, message: String| problems.push(SourceProblem { code, message });
        let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();

        if text("/kind") != "CustomResourceDefinition" || text("/apiVersion") != "apiextensions.k8s.io/v1" {
            let what = format!("`{}` `{}`", text("/apiVersion"), text("/kind"));
            let message = format!("it is {what}, not a CustomResourceDefinition of `apiextensions.k8s.io/v1`");
            return Err(vec![SourceProblem { code: &derivation::INVALID_CRD, message }]);
        }
        let (name, group, kind, plural) =
            (text("/metadata/name"), text("/spec/group"), text("/spec/names/kind"), text("/spec/names/plural"));
        if group.is_empty() || kind.is_empty() || plural.is_empty() {
            refuse(&derivation::INVALID_CRD, format!("`{name}` lacks its group, kind or plural"));
        } else if name != format!("{plural}.{group}") {
            let message = format!("its name is `{name}`, but plural and group make `{plural}.{group}`");
            refuse(&derivation::INVALID_CRD, message);
        }
        if text("/spec/scope") != "Namespaced" {
            refuse(&derivation::CLUSTER_SCOPED, format!("`{name}` is cluster-scoped, so tenants cannot be kept apart"));
        }
        if crd.pointer("/spec/preserveUnknownFields").and_then(Value::as_bool) == Some(true) {
            let message = format!("`{name}` sets `preserveUnknownFields: true`, which API servers refuse");
            refuse(&derivation::NON_STRUCTURAL, message);
        }
        let mut versions = Vec::new();
        for version in versions_of(crd) {
            match SourceVersion::read(version.body) {
                Ok(version) => {
                    if version.served {
                        for message in unstructured(&version) {
                            refuse(&derivation::NON_STRUCTURAL, format!("version `{}`: {message}", version.name));
                        }
                    }
                    versions.push(version);
                }
                Err(message) => refuse(&derivation::INVALID_CRD, message),
            }
        }
        if versions.iter().filter(|v| v.storage).count() != 1 {
            refuse(&derivation::INVALID_CRD, format!("`{name}` does not have exactly one storage version"));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
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
    fn read(version: &Value) -> Result<Self, String> {
        let name = version.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err("a version has no name".to_owned());
        }
        let flag = |key: &str| schema::flag(version, key);
        let Some(root) = version.pointer("/schema/openAPIV3Schema").filter(|s| s.is_object()) else {
            return Err(format!("version `{name}` has no schema"));
        };
        let list = |key: &str| version.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let mut storable = root.clone();
        let dropped = sanitize::schema(&mut storable);
        let twins = twins::merge(&mut storable);
        Ok(Self {
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

/// Why a version's schema is not structural (`derivation.md` §5): the first five places.
fn unstructured(version: &SourceVersion) -> Vec<String> {
    let mut found = Vec::new();
    if schema::type_name(&version.schema) != "object" {
        found.push("the root is not of type `object`".to_owned());
    }
    walk(&version.schema, &mut FieldPath::default(), &mut found);
    let more = found.len().saturating_sub(5);
    found.truncate(5);
    if more > 0 {
        found.push(format!("and {more} more places"));
    }
    found
}

fn walk(node: &Value, at: &mut FieldPath, found: &mut Vec<String>) {
    let Some(map) = node.as_object() else {
        found.push(format!("`{at}` is not described by an object"));
        return;
    };
    if let Some(message) = local(map, node) {
        found.push(format!("`{at}` {message}"));
    }
    let mut into = |segment: Segment, child: &Value| {
        at.0.push(segment);
        walk(child, at, found);
        at.0.pop();
    };
    for (name, child) in schema::properties(node) {
        into(Segment::Property(name.clone()), child);
    }
    if let Some(child) = schema::items(node) {
        into(Segment::Items, child);
    }
    if let Some(child) = schema::values(node) {
        into(Segment::Values, child);
    }
}

/// The types of OpenAPI, all there are.
const TYPES: [&str; 6] = ["object", "array", "string", "integer", "number", "boolean"];

fn local(map: &Map<String, Value>, node: &Value) -> Option<String> {
    for key in ["$ref", "definitions", "dependencies", "patternProperties", "additionalItems", "id"] {
        if map.contains_key(key) {
            return Some(format!("uses `{key}`, which API servers refuse"));
        }
    }
    let typed = map.get("type").and_then(Value::as_str);
    let free = schema::flag(node, "x-kubernetes-preserve-unknown-fields");
    if typed.is_none() && !free && !schema::flag(node, "x-kubernetes-int-or-string") {
        return Some("has no type".to_owned());
    }
    if let Some(typed) = typed.filter(|t| !TYPES.contains(t)) {
        return Some(format!("is of type `{typed}`, which there is not"));
    }
    if typed == Some("array") && schema::items(node).is_none() {
        return Some("is a list without a schema of its items".to_owned());
    }
    if map.contains_key("properties") && map.get("additionalProperties").is_some_and(|a| a != &Value::Bool(false)) {
        return Some("has both properties and free keys".to_owned());
    }
    if schema::flag(node, "uniqueItems") {
        return Some("sets `uniqueItems: true`, which API servers refuse".to_owned());
    }
    None
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
