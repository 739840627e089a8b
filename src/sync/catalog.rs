//! What the management cluster says of services: CatalogEntries and the CRDs that they name. Pure.
//!
//! A CRD is kept as text without its descriptions: a service is made of it when something changes, which is rare, and
//! as a value it would take ten times the room.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::service::Service;
use super::shape::Shape;
use crate::compile::derive::projection::Projection;
use crate::compile::route::{RouteCrds, RouteError, ServiceRoute};
use crate::model::cluster::ClusterId;
use crate::model::keys::{CONTROLLED_BY, PAUSED};
use crate::model::kinds::CatalogEntrySpec;
use crate::model::path::{FieldPath, PathSet};

/// A CatalogEntry by namespace and name.
pub(crate) type EntryKey = (String, String);

/// A CatalogEntry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// The entry; an error is what keeps it from being read.
    pub spec: Result<CatalogEntrySpec, String>,
    /// The CatalogEntrySet that it comes from.
    pub set: Option<String>,
    /// Whether somebody asked for a pause.
    pub paused: bool,
    /// Its UID.
    pub uid: String,
    /// Its generation.
    pub generation: i64,
    /// Its status, to compare with.
    pub status: Value,
}

/// A CRD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Crd {
    /// Its resource version.
    pub version: String,
    /// Whether it is being deleted.
    pub deleting: bool,
    text: Box<str>,
}

/// Everything that was listed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Catalog {
    /// The CatalogEntries.
    pub entries: BTreeMap<EntryKey, Entry>,
    /// The internal and derived CRDs, by their full names.
    pub crds: BTreeMap<String, Crd>,
    /// The ServiceClusters.
    pub clusters: BTreeMap<ClusterId, Value>,
    /// The ServiceClusterAssignments, by namespace and name.
    pub assignments: BTreeMap<(String, String), Value>,
    /// The namespaces that are being deleted.
    pub terminating: BTreeSet<String>,
}

/// Why a service cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// The entry cannot be read.
    #[error("the CatalogEntry cannot be read: {0}")]
    Entry(String),
    /// There is no route.
    #[error("{0}")]
    Route(#[from] RouteError),
}

impl Entry {
    /// Reads a CatalogEntry.
    #[must_use]
    pub(crate) fn of(object: &Value) -> Self {
        let spec = object.get("spec").cloned().unwrap_or_default();
        let metadata = |section: &str, key: &str| object.get("metadata")?.get(section)?.get(key)?.as_str();
        Self {
            // The words of the error name fields and types. A preset is a value, so the error's own words stay out.
            spec: serde_json::from_value(spec).map_err(|error| format!("{:?}", error.classify()).to_lowercase()),
            set: metadata("labels", CONTROLLED_BY).map(str::to_owned),
            paused: metadata("annotations", PAUSED) == Some("true"),
            uid: object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned(),
            generation: object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default(),
            status: object.get("status").cloned().unwrap_or_default(),
        }
    }
}

impl Crd {
    /// Reads a CRD.
    #[must_use]
    pub(crate) fn of(mut object: Value) -> Self {
        let version =
            object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned();
        let deleting = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
        if let Some(object) = object.as_object_mut() {
            object.remove("status");
        }
        if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        for version in object.pointer_mut("/spec/versions").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema") {
                without_descriptions(schema);
            }
        }
        Self { version, deleting, text: object.to_string().into() }
    }

    fn body(&self) -> Value {
        // It was written from a value.
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// Removes the descriptions of a schema, and leaves properties of that name.
fn without_descriptions(schema: &mut Value) {
    let Value::Object(node) = schema else { return };
    node.retain(|key, value| key != "description" || !value.is_string());
    for (key, inner) in node.iter_mut() {
        match (key.as_str(), inner) {
            ("properties", Value::Object(properties)) => properties.values_mut().for_each(without_descriptions),
            ("items" | "additionalProperties", inner) => without_descriptions(inner),
            _ => {}
        }
    }
}

impl Catalog {
    /// The ServiceClusterAssignments for a cluster, each with the namespace in the management cluster that it assigns.
    pub(crate) fn assignments_in<'a>(&'a self, cluster: &ClusterId) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.assignments.iter().filter_map(move |((namespace, _), object)| {
            let text = |path: &str| object.pointer(path).and_then(Value::as_str);
            let is_here = *namespace == cluster.provider && text("/spec/serviceCluster/name") == Some(&cluster.cluster);
            Some((text("/spec/managementNamespace/name").filter(|_| is_here)?, object))
        })
    }

    /// The names of the CRDs of an entry.
    ///
    /// # Errors
    /// The entry cannot be read, or names CRDs that it may not.
    pub(crate) fn crds_of(&self, key: &EntryKey) -> Result<RouteCrds, Unfit> {
        let Some(entry) = self.entries.get(key) else { return Err(Unfit::Entry("it is gone".to_owned())) };
        let spec = entry.spec.as_ref().map_err(|error| Unfit::Entry(error.clone()))?;
        Ok(RouteCrds::of(&key.0, spec)?)
    }

    /// The service of an entry, as far as the management cluster knows it.
    ///
    /// # Errors
    /// It has no route, and why.
    pub(crate) fn service(&self, key: &EntryKey, management: &str) -> Result<Service, Unfit> {
        let crds = self.crds_of(key)?;
        let Some(entry) = self.entries.get(key) else { return Err(Unfit::Entry("it is gone".to_owned())) };
        let spec = entry.spec.as_ref().map_err(|error| Unfit::Entry(error.clone()))?;
        let body = |name: &str| self.crds.get(name).map(Crd::body);
        let internal = body(&crds.internal);
        let derived = crds.derived.as_deref().and_then(body);
        let route =
            ServiceRoute::new(
                &key.0,
                spec,
                |name| {
                    if name == crds.internal { internal.as_ref() } else { derived.as_ref() }
                },
            )?;
        let internal = internal.as_ref().map(Service::shape_of).unwrap_or_default();
        let tenant = derived.as_ref().map_or_else(|| internal.clone(), Service::shape_of);
        let exposed = Projection { presets: Vec::new(), ..(*route.projection).clone() };
        let version = &route.base.version;
        let items = spec.derive.iter().flat_map(|derive| &derive.expose).filter(|item| item.versions.contains(version));
        let defaults =
            items.flat_map(|item| &item.defaults).filter_map(|value| FieldPath::parse(&value.json_path).ok());
        let mut defaulted = PathSet::nothing();
        for path in defaults {
            defaulted.insert(&path);
        }
        Ok(Service {
            entry: key.1.clone(),
            set: entry.set.clone(),
            management: management.to_owned(),
            deletion: spec.deletion_policy.clone().unwrap_or_default(),
            propagate: spec.propagate.clone().unwrap_or_default(),
            exposed,
            defaulted,
            tenant,
            internal,
            base: None::<Shape>,
            route,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tenant_has_an_assignment_of_its_own_in_each_cluster() {
        let mut catalog = Catalog::default();
        for (provider, name, cluster) in [
            ("team-a", "team-b.eu-west-1", "eu-west-1"),
            ("team-a", "team-b.eu-west-2", "eu-west-2"),
            ("team-c", "x", "eu-west-1"),
        ] {
            let spec = json!({"managementNamespace": {"name": "team-b"}, "serviceCluster": {"name": cluster}});
            catalog.assignments.insert((provider.to_owned(), name.to_owned()), json!({"spec": spec, "name": name}));
        }
        let found: Vec<_> = catalog
            .assignments_in(&ClusterId::new("team-a", "eu-west-2"))
            .map(|(t, object)| (t, &object["name"]))
            .collect();
        assert_eq!(found, [("team-b", &json!("team-b.eu-west-2"))]);
    }

    #[test]
    fn a_crd_is_kept_without_descriptions_but_with_properties_of_that_name() {
        let crd = Crd::of(json!({
            "metadata": {"resourceVersion": "7", "managedFields": [1]}, "status": {"a": 1},
            "spec": {"versions": [{"schema": {"openAPIV3Schema": {"type": "object", "description": "long", "properties": {
                "description": {"type": "string", "description": "long"},
                "list": {"type": "array", "items": {"description": "long", "type": "string"}}}}}}]},
        }));
        assert_eq!((crd.version.as_str(), crd.deleting), ("7", false));
        assert_eq!(
            crd.body(),
            json!({"metadata": {"resourceVersion": "7"}, "spec": {"versions": [{"schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "description": {"type": "string"}, "list": {"type": "array", "items": {"type": "string"}}}}}}]}})
        );
    }
}
