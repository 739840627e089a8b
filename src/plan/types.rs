//! What a plan is made of. These types are the JSON of `carrier plan -o json`,
//! whose form is a promise: `schemas/plan.json` is generated from them.
//!
//! Minor versions of the form add fields; a major one may do anything. No value
//! that may be a secret gets in here: see [`FieldChange::sensitive`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::object::ObjectKey;
use serde_json::Value;

/// The version of the form.
pub const FORMAT_VERSION: &str = "1.0";

/// What applying the repository would change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Version of this form: readers accept any minor, and ignore what they do not know.
    pub format_version: String,
    /// The carrier that made it.
    pub carrier_version: String,
    /// SHA-256 of everything that the repository comes to: all objects of all clusters.
    pub input_digest: String,
    /// What was compared with: `clusters`, a folder or a Git revision.
    pub against: String,
    /// Whether every cluster answered, so that nothing is missing here.
    pub complete: bool,
    /// Whether objects that the repository no longer has are among the changes, as deletions.
    pub prune: bool,
    /// What the user allowed by name, with the flag that allowed it.
    pub allowed: Vec<Allowed>,
    /// The clusters, the management cluster first.
    pub clusters: Vec<ClusterPlan>,
    /// The changes, in the order in which they would be made.
    pub changes: Vec<Change>,
    /// Objects of the inventory that the repository no longer has, and that stay.
    pub kept: Vec<ObjectRef>,
    /// CRDs of service clusters that are not what was locked.
    pub drift: Vec<Drift>,
    /// Why `carrier apply` would refuse it.
    pub refusals: Vec<Refusal>,
    /// The sums.
    pub summary: Summary,
}

/// Something that the user allowed by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Allowed {
    /// The flag, such as `--allow-breaking`.
    pub flag: String,
    /// What it named: `kind/name`, `kind/namespace/name` of what is in a namespace, or `all`.
    pub name: String,
}

/// One cluster in a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterPlan {
    /// `management`, or `<provider>/<cluster>`.
    pub name: String,
    /// UID of its namespace `kube-system`; absent where none was asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uid: Option<String>,
    /// Whether it answered. Of one that did not, nothing is known and nothing would be changed.
    pub reached: bool,
    /// How many objects the repository has for it.
    pub objects: usize,
    /// How many of them are as they should be.
    pub unchanged: usize,
    /// How many objects of its inventory carrier found.
    pub inventory: usize,
}

/// An object by its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ObjectRef {
    /// `management`, or `<provider>/<cluster>`.
    pub cluster: String,
    /// Group and version.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl From<&ObjectRef> for ObjectKey {
    fn from(object: &ObjectRef) -> Self {
        Self {
            group: object.api_version.split_once('/').map_or("", |(group, _)| group).to_owned(),
            kind: object.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        }
    }
}

/// One object that would be created, changed or deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Which object.
    #[serde(flatten)]
    pub object: ObjectRef,
    /// What would be done.
    pub action: Action,
    /// What it means for those who use it: the worst of `reasons`.
    pub effect: Effect,
    /// Why, each with an effect of its own. Texts are for people and may change.
    pub reasons: Vec<Reason>,
    /// The step in which it is made: `crds`, `namespaces`, `rbac`, `catalog`.
    pub stage: String,
    /// The line of the repository that causes it; absent for what is gone from it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Place>,
    /// What of the object changes; empty where all of it comes or goes.
    pub fields: Vec<FieldChange>,
    /// Who gains and loses what.
    pub access: Vec<AccessChange>,
    /// The instances and namespaces it touches.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub impact: Option<Impact>,
    /// Fields that belong to another manager.
    pub conflicts: Vec<Conflict>,
    /// Why the server would not take it, in its words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<String>,
    /// The object that was seen; absent for one that is to be created.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub live: Option<LiveVersion>,
    /// SHA-256 of the object as it is wanted; absent for a deletion.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
}

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is not there yet.
    Create,
    /// It is there and is not carrier's yet, or is another.
    Update,
    /// The repository no longer has it.
    Delete,
}

/// What a change means for those who use the services, from mild to grave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nobody has to do anything.
    #[default]
    Safe,
    /// Instances that were valid may not be any more.
    Tightening,
    /// A field, a version or a service that was offered goes.
    Breaking,
    /// Instances, and the workloads behind them, or whole namespaces go.
    Destructive,
}

/// Why a change has an effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The effect.
    pub effect: Effect,
    /// Why, such as ``v1 .spec.size is gone``.
    pub text: String,
    /// The field path concerned, in a version of a CRD; empty otherwise.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub path: String,
}

/// A place in the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The file, from the repository's root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in Unicode scalar values.
    pub column: usize,
}

/// A field that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// JSON Pointer of the field.
    pub path: String,
    /// What happens to it.
    pub op: FieldOp,
    /// What it was; absent where it was not, or must not be shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    /// What it will be; absent where it goes, or must not be shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
    /// Whether its values may be secret, and are left out.
    pub sensitive: bool,
}

/// What happens to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FieldOp {
    /// It comes.
    Add,
    /// It gets another value.
    Replace,
    /// It goes.
    Remove,
}

/// What somebody may do after the change and could not before, or the reverse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct AccessChange {
    /// Who: `User team-b-member`.
    pub subject: String,
    /// Where; absent for the whole cluster.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// What is taken: `create, delete redis.eu-west-1.team-a`.
    pub loses: Vec<String>,
    /// What is given.
    pub gains: Vec<String>,
}

/// What a change does to instances and namespaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    /// How many instances of the kind there are.
    pub instances: usize,
    /// In how many namespaces they are.
    pub accounts: usize,
    /// Instances that the change would destroy, `namespace/name`, with their kind; the first of them.
    pub destroyed: Vec<ObjectRef>,
    /// How many it would destroy.
    pub destroyed_count: usize,
    /// Instances that would be invalid, or lose fields that they set.
    pub invalid: Vec<InvalidInstance>,
    /// How many those are.
    pub invalid_count: usize,
    /// Why the instances could not be looked at; absent where they were.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unchecked: Option<String>,
}

/// An instance that does not fit the new schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct InvalidInstance {
    /// Its namespace, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The fields that the server complains of, with its reason; never the values.
    pub fields: Vec<String>,
}

/// A field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// The manager, as the server names it.
    pub manager: String,
    /// The field.
    pub field: String,
}

/// The object that a plan was made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct LiveVersion {
    /// Its UID.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
}

/// A CRD of a service cluster that is not what was locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// The cluster.
    pub cluster: String,
    /// The CRD.
    pub crd: String,
    /// What is different, a line each.
    pub lines: Vec<String>,
}

/// Why a plan is not applied as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The guard, a word: `breaking`, `destructive`, `mass-deletion`, `empty-input`, `wrong-cluster`, `conflict`,
    /// `foreign-inventory`, `stale-plan`, `incomplete`, `server`.
    pub guard: String,
    /// What it guards against here, one sentence.
    pub message: String,
    /// The flag that allows it, with its value; absent where nothing does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flag: Option<String>,
}

/// The sums of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Objects to create.
    pub create: usize,
    /// Objects to change.
    pub update: usize,
    /// Objects to delete.
    pub delete: usize,
    /// Objects that are as they should be.
    pub unchanged: usize,
    /// Objects that the repository no longer has, and that stay.
    pub kept: usize,
}
