//! From a plan to what is sent: one step an object, with its body or, for a
//! deletion, with the version that was seen. Nothing is sent here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::types::{Action, Change, Effect, LiveVersion, ObjectRef, Place};
use crate::compile::render::Manifest;
use crate::model::object::ObjectKey;
use crate::model::object::Stage;
use crate::model::resource::Resource;

/// What is done to one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The object, as the plan names it.
    pub object: ObjectRef,
    /// Its names.
    pub key: ObjectKey,
    /// The kind as the API serves it.
    pub resource: Resource,
    /// When it is done.
    pub stage: Stage,
    /// What is done.
    pub operation: Operation,
    /// The line of the repository that causes it.
    pub source: Option<Place>,
    /// The object as it was when the plan was made; absent where it was not there.
    pub seen: Option<LiveVersion>,
    /// Whether it may take instances with it: only if the plan said that it would.
    pub destroys: bool,
}

/// What is done to an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Server-side apply.
    Apply {
        /// The object as it is wanted.
        body: Arc<Value>,
        /// Whether fields of other managers are taken.
        force: bool,
    },
    /// Deletion of what was seen, and of nothing else.
    Delete(LiveVersion),
}

/// A change that does not fit to the repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan does not fit to the repository: {} {} in {}: {why}", .object.kind, .object.name, .object.cluster)]
pub struct PlanMismatch {
    /// The object.
    pub object: ObjectRef,
    /// Why.
    pub why: StepError,
}

/// Why a change cannot be made into a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The plan has it, and the repository does not.
    #[error("the repository has no such object")]
    NotInRepository,
    /// Nothing says how the API serves it.
    #[error("carrier does not know the kind `{0}`")]
    UnknownKind(String),
    /// A deletion has to name what it deletes.
    #[error("the plan does not say which object was seen")]
    NotSeen,
}

impl Step {
    /// The step of a change. `wanted` has the objects of its cluster, `resources` the kinds that carrier
    /// renders or has found; `force` says of which objects the fields of others are taken.
    ///
    /// # Errors
    /// When the plan and the repository do not fit together.
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
            Action::Delete => Operation::Delete(change.live.clone().ok_or(StepError::NotSeen)?),
        };
        Ok(Self {
            object: object.clone(),
            stage: stage_named(&change.stage).unwrap_or_else(|| key.stage()),
            key,
            resource,
            operation,
            source: change.source.clone(),
            seen: change.live.clone(),
            destroys: change.effect == Effect::Destructive,
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

/// The stage of this name.
fn stage_named(name: &str) -> Option<Stage> {
    Stage::ALL.into_iter().find(|stage| stage.name() == name)
}

/// Which wanted CRD serves which group and kind.
#[must_use]
pub fn served_by(wanted: &[Manifest]) -> BTreeMap<(String, String), String> {
    let crds = wanted.iter().filter(|manifest| ObjectKey::from(&manifest.id).is_crd());
    crds.filter_map(|manifest| {
        let defined = Resource::defined_by(&manifest.body)?;
        Some(((defined.group, defined.kind), manifest.id.name.clone()))
    })
    .collect()
}

/// What an object cannot do without: its namespace, and the CRD of its kind.
#[must_use]
pub fn needs(key: &ObjectKey, served_by: &BTreeMap<(String, String), String>) -> BTreeSet<ObjectKey> {
    let namespace = key.namespace.as_ref().map(|name| ObjectKey {
        group: String::new(),
        kind: "Namespace".to_owned(),
        namespace: None,
        name: name.clone(),
    });
    let crd = served_by.get(&(key.group.clone(), key.kind.clone())).map(|name| crd_key(name));
    namespace.into_iter().chain(crd).collect()
}

/// A CRD by its name.
#[must_use]
pub fn crd_key(name: &str) -> ObjectKey {
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
    fn a_deletion_names_what_was_seen() {
        let (none, kinds) = (BTreeMap::new(), Resource::rendered());
        let mut gone = change(Action::Delete, "Namespace", "a");
        assert_eq!(Step::of(&gone, &none, &kinds, false), Err(StepError::NotSeen));
        gone.live = Some(LiveVersion { uid: "u".into(), resource_version: "7".into() });
        let step = Step::of(&gone, &none, &kinds, false).expect("a step");
        assert!(
            step.is_deletion()
                && step.stage == Stage::Namespaces
                && step.seen.as_ref().is_some_and(|seen| seen.resource_version == "7")
        );
        assert_eq!(
            Step::of(&change(Action::Create, "Namespace", "a"), &none, &kinds, false),
            Err(StepError::NotInRepository)
        );
        let secret = change(Action::Create, "Secret", "a");
        assert_eq!(Step::of(&secret, &none, &kinds, false), Err(StepError::UnknownKind("Secret".into())));
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
        let served = served_by(&[Manifest { id, stage: Stage::Crds, body: Arc::new(crd), origin: None }]);
        let key = ObjectKey { group: "a.b".into(), kind: "Db".into(), namespace: Some("n".into()), name: "x".into() };
        let names: Vec<String> = needs(&key, &served).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["Namespace n", "CustomResourceDefinition dbs.a.b"]);
    }
}
