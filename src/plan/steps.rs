//! The steps of an apply: one for each change of a plan, with the body of the object
//! or, for a deletion, with the version to delete. No request is sent here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::types::{Action, Change, Counted, Effect, LiveVersion, Migration, ObjectRef, Place};
use crate::compile::render::Manifest;
use crate::model::object::ObjectKey;
use crate::model::object::Stage;
use crate::model::resource::Resource;

/// A change of one object, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The object as the plan names it, for messages.
    pub object: ObjectRef,
    /// The object without its cluster and version.
    pub key: ObjectKey,
    /// The API resource of its kind.
    pub resource: Resource,
    /// The stage in which the step is made.
    pub stage: Stage,
    /// The operation.
    pub operation: Operation,
    /// The place in the repository that causes the change; `None` for a deletion and for generated objects.
    pub source: Option<Place>,
    /// The version that the plan was made for; `None` if the object did not exist.
    pub seen: Option<LiveVersion>,
    /// Whether the plan reported the change as destructive. Otherwise it must not delete instances.
    pub destroys: bool,
    /// The instances that go with the object, or lose their copies with it, as the plan counted them; `None` where it
    /// counted none, because there can be none.
    pub victims: Option<Counted>,
    /// The field managers whose entries become carrier's before the object is applied.
    pub takes_over: Vec<String>,
    /// [`crate::plan::types::Impact::originals`] of a deletion.
    pub originals: Option<Counted>,
    /// The instances to rewrite once it is applied.
    pub migration: Option<Migration>,
}

/// An operation on an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Server-side apply.
    Apply {
        /// The object to apply.
        body: Arc<Value>,
        /// Whether to take over fields of other managers.
        force: bool,
    },
    /// Deletion of this version only.
    Delete(LiveVersion),
}

/// A change of a plan that cannot be made from the repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan does not match the repository: {} {} in {}: {why}", .object.kind, .object.name, .object.cluster)]
pub struct PlanMismatch {
    /// The object of the change.
    pub object: ObjectRef,
    /// The cause.
    pub why: StepError,
}

/// Why a change cannot be made into a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The plan applies the object, but the repository does not have it.
    #[error("the repository has no such object")]
    NotInRepository,
    /// No API resource is known for the kind.
    #[error("carrier does not know the kind `{0}`")]
    UnknownKind(String),
    /// The plan has no live version for a deletion.
    #[error("the plan does not name the version to delete")]
    NoVersion,
}

impl Step {
    /// The step of a change. `wanted` has the objects of its cluster, `resources` the kinds that carrier renders or
    /// discovered; `force` is whether fields of other managers are taken over.
    ///
    /// # Errors
    /// If the change cannot be made from these objects.
    pub fn of(
        change: &Change,
        wanted: &BTreeMap<ObjectKey, Arc<Value>>,
        resources: &[Resource],
        force: bool,
    ) -> Result<Self, StepError> {
        let object = &change.object;
        let key = ObjectKey::from(object);
        let named = |r: &&Resource| r.group == key.group && r.kind == key.kind;
        let resource = resources.iter().find(named).cloned();
        let resource = resource.ok_or_else(|| StepError::UnknownKind(object.kind.clone()))?;
        let operation = match change.action {
            Action::Create | Action::Update => {
                Operation::Apply { body: wanted.get(&key).cloned().ok_or(StepError::NotInRepository)?, force }
            }
            Action::Delete => Operation::Delete(change.live.clone().ok_or(StepError::NoVersion)?),
        };
        let impact = change.impact.as_ref().filter(|_| change.action == Action::Delete);
        Ok(Self {
            object: object.clone(),
            stage: stage_named(&change.stage).unwrap_or_else(|| key.stage()),
            key,
            resource,
            operation,
            source: change.source.clone(),
            seen: change.live.clone(),
            takes_over: change.takes_over.clone(),
            destroys: change.effect == Effect::Destructive,
            victims: impact.and_then(|impact| impact.counted.clone()),
            originals: impact.and_then(|impact| impact.originals.clone()),
            migration: change.migration.clone(),
        })
    }

    /// Whether it is a deletion.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        matches!(self.operation, Operation::Delete(_))
    }

    /// Whether the object is a CRD.
    #[must_use]
    pub fn is_crd(&self) -> bool {
        self.key.is_crd()
    }
}

/// The stage with this name; `None` if there is none, as in a plan of a later version.
fn stage_named(name: &str) -> Option<Stage> {
    Stage::ALL.into_iter().find(|stage| stage.name() == name)
}

/// The names of the CRDs in `wanted`, by the group and kind that they define.
#[must_use]
pub(crate) fn served_by(wanted: &[Manifest]) -> BTreeMap<(String, String), String> {
    let crds = wanted.iter().filter(|manifest| ObjectKey::from(&manifest.id).is_crd());
    crds.filter_map(|manifest| {
        let defined = Resource::defined_by(&manifest.body)?;
        Some(((defined.group, defined.kind), manifest.id.name.clone()))
    })
    .collect()
}

/// The objects that must exist before an object can be created: its namespace, and the CRD of its kind.
#[must_use]
pub(crate) fn prerequisites(key: &ObjectKey, served_by: &BTreeMap<(String, String), String>) -> BTreeSet<ObjectKey> {
    let namespace = key.namespace.as_deref().map(ObjectKey::of_namespace);
    let crd = served_by.get(&(key.group.clone(), key.kind.clone())).map(|name| crd_key(name));
    namespace.into_iter().chain(crd).collect()
}

/// The key of the CRD with this name.
#[must_use]
pub(crate) fn crd_key(name: &str) -> ObjectKey {
    ObjectKey {
        group: "apiextensions.k8s.io".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        namespace: None,
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::object::ManifestId;
    use serde_json::json;

    fn change(action: Action, kind: &str, name: &str) -> Change {
        serde_json::from_value(json!({
            "cluster": "management", "api_version": "v1", "kind": kind, "name": name, "action": action,
            "effect": "safe", "reasons": [], "stage": "namespaces", "fields": [], "access": [], "conflicts": [],
        }))
        .expect("a change")
    }

    #[test]
    fn a_deletion_needs_a_version() {
        let (none, kinds) = (BTreeMap::new(), Resource::rendered());
        let mut gone = change(Action::Delete, "Namespace", "a");
        assert_eq!(Step::of(&gone, &none, kinds, false), Err(StepError::NoVersion));
        gone.live = Some(LiveVersion { uid: "u".into(), resource_version: "7".into(), content: None });
        let step = Step::of(&gone, &none, kinds, false).expect("a step");
        assert!(
            step.is_deletion()
                && step.stage == Stage::Namespaces
                && step.seen.as_ref().is_some_and(|seen| seen.resource_version == "7")
        );
        assert_eq!(
            Step::of(&change(Action::Create, "Namespace", "a"), &none, kinds, false),
            Err(StepError::NotInRepository)
        );
        let secret = change(Action::Create, "Secret", "a");
        assert_eq!(Step::of(&secret, &none, kinds, false), Err(StepError::UnknownKind("Secret".into())));
    }

    #[test]
    fn an_object_needs_its_namespace_and_its_crd() {
        let crd = json!({"spec": {"group": "a.b", "scope": "Namespaced", "names": {"kind": "Db", "plural": "dbs"},
            "versions": [{"name": "v1", "storage": true}]}});
        let id = ManifestId {
            api_version: "apiextensions.k8s.io/v1".into(),
            kind: "CustomResourceDefinition".into(),
            namespace: None,
            name: "dbs.a.b".into(),
        };
        let served = served_by(&[Manifest {
            id,
            stage: Stage::Crds,
            body: Arc::new(crd),
            cause: crate::compile::render::Cause::Always,
        }]);
        let key = ObjectKey { group: "a.b".into(), kind: "Db".into(), namespace: Some("n".into()), name: "x".into() };
        let names: Vec<String> = prerequisites(&key, &served).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["Namespace n", "CustomResourceDefinition dbs.a.b"]);
    }
}
