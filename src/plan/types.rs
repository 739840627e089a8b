//! The types of a plan. They are serialized as `carrier plan -o json`, whose format
//! is a stable interface: `schemas/plan.json` is generated from them.
//!
//! Minor versions of the format only add fields. Values that may be secret are left
//! out: see [`FieldChange::sensitive`].

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use serde_json::Value;

use super::compare::content;
use super::live::LiveObject;
use crate::model::kinds::DeletionPolicyConfig;
use crate::model::object::ObjectKey;
use crate::model::resource::Resource;

/// The version of the format, `<major>.<minor>`.
pub(crate) const FORMAT_VERSION: &str = "1.0";

/// The changes that applying the repository would make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Version of this format. Readers accept any minor version, and ignore unknown fields.
    pub format_version: String,
    /// Version of the carrier that made the plan.
    pub carrier_version: String,
    /// SHA-256 of the rendered objects of all clusters, as `sha256:<hex>`.
    pub input_digest: String,
    /// What the repository was compared with: `clusters`, a folder or a Git revision.
    pub against: String,
    /// Whether every cluster answered. If not, changes of some clusters are missing.
    pub complete: bool,
    /// Whether the plan deletes objects that the repository no longer has.
    pub prune: bool,
    /// The flags with which the user allowed changes by name.
    pub allowed: Vec<Allowed>,
    /// The clusters, the management cluster first.
    pub clusters: Vec<ClusterPlan>,
    /// The changes, in the order in which they would be applied.
    pub changes: Vec<Change>,
    /// Objects of the inventory that the repository no longer has and that are not deleted.
    pub kept: Vec<ObjectRef>,
    /// Objects of the repository and of its inventory that are being deleted and are not gone yet.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub going: Vec<Going>,
    /// Fields that the repository does not set, and that stay because another manager holds them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub extra: Vec<ExtraField>,
    /// CRDs of service clusters that differ from the lock.
    pub drift: Vec<Drift>,
    /// The reasons why `carrier apply` would refuse the plan.
    pub refusals: Vec<Refusal>,
    /// The numbers of objects.
    pub summary: Summary,
}

impl Plan {
    /// Whether applying it would write anything.
    #[must_use]
    pub fn changes_anything(&self) -> bool {
        let writes_record = |cluster: &ClusterPlan| cluster.claims_inventory || cluster.inventory_repair.is_some();
        !self.changes.is_empty() || self.clusters.iter().any(writes_record)
    }

    /// Whether the clusters cannot be as the repository wants them, whatever is applied: an object is being deleted that
    /// the repository has, or one that something holds.
    #[must_use]
    pub fn is_held_up(&self) -> bool {
        self.going.iter().any(|going| going.wanted || going.held || going.waiting > 0)
    }
}

/// A flag with which the user allowed changes of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Allowed {
    /// The flag, such as `--allow-breaking`.
    pub flag: String,
    /// The value of the flag: `kind/name`, `kind/namespace/name` for an object in a namespace, or `all`; the name of a field
    /// manager for `--take-over-from`.
    pub name: String,
}

/// The state of one cluster in a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterPlan {
    /// `management`, or `<provider>/<cluster>`.
    pub name: String,
    /// UID of its namespace `kube-system`; absent if the cluster was not contacted or did not answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uid: Option<String>,
    /// Whether it answered and is the cluster that was recorded. If not, its state is unknown and the plan has no changes for it.
    pub reached: bool,
    /// The number of objects that the repository has for it.
    pub objects: usize,
    /// The number of those that would not change.
    pub unchanged: usize,
    /// The number of existing objects in the inventory.
    pub inventory: usize,
    /// Whether the inventory exists, names no repository, and gets the identity of this one.
    #[serde(default)]
    pub claims_inventory: bool,
    /// What the next run repairs in the record of the inventory; absent if it is as carrier writes it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inventory_repair: Option<Repair>,
    /// Why the inventory could not be read, so that it is not known which repository it belongs to; absent if it could.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inventory_unread: Option<String>,
    /// The ids of other inventories that were taken over, or would be, and that objects still have the label of which the
    /// repository no longer has and which stay.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub inherited: Vec<String>,
    /// The message with which the API server refused the ConfigMap of the inventory in a dry run; absent if it did not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inventory_refused: Option<String>,
    /// The run of `carrier apply` that has claimed the inventory last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<String>,
    /// What its API server could not be asked, because the account lacks permissions; absent if it could be asked all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub untried: Option<Untried>,
}

/// What is repaired in the record of an inventory: somebody else has changed it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Repair {
    /// The ConfigMap, as `namespace/name`.
    pub record: String,
    /// The fields that are written, with what was found.
    pub fields: Vec<FieldChange>,
    /// What else is to be known: what is lost, who has the fields. For people.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
}

/// What an API server could not be asked, because the account that made the plan lacks permissions. The plan does not say
/// then whether the server accepts it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Untried {
    /// The number of objects that would change and could not be tried in a dry run.
    pub objects: usize,
    /// The number of objects that were to be tried.
    pub of: usize,
    /// The permissions that are missing for dry runs, such as `patch roles.rbac.authorization.k8s.io`, sorted.
    pub missing: Vec<String>,
    /// The permissions that are missing for the temporary CRD in which instances are tried under a new schema, sorted; empty
    /// if none was to be made.
    pub missing_for_trial: Vec<String>,
}

/// A reference to an object in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ObjectRef {
    /// `management`, or `<provider>/<cluster>`.
    pub cluster: String,
    /// Group and version, such as `catalog.kubecarrier.io/v1alpha1`; `v1` in the core group.
    pub api_version: String,
    /// The kind, such as `Offering`.
    pub kind: String,
    /// The namespace; absent for cluster-scoped objects.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// `metadata.name`.
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

/// An object that is being deleted, and is not gone yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Going {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectRef,
    /// Whether the repository has the object. Then it is made again when it is gone.
    pub wanted: bool,
    /// `metadata.deletionTimestamp`: when its deletion began.
    pub since: String,
    /// `metadata.finalizers`: the object stays until each of them is removed by whoever set it.
    pub finalizers: Vec<String>,
    /// What else keeps it: the instances of a CRD, what is left in a namespace. For people.
    pub held_by: Vec<String>,
    /// Whether somebody else than the API server has to act before it is gone.
    pub held: bool,
    /// The number of objects of the repository that are neither made nor changed because they need it.
    pub waiting: usize,
}

/// One object that would be created, changed or deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectRef,
    /// What would be done to the object.
    pub action: Action,
    /// The effect on the users of the services: the most severe effect among `reasons`.
    pub effect: Effect,
    /// The reasons for the effect. Their texts are for people and may change between versions.
    pub reasons: Vec<Reason>,
    /// The stage in which it is applied: `crds`, `namespaces`, `rbac`, `catalog`.
    pub stage: String,
    /// The place in the repository that causes the change; absent for a deletion.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Place>,
    /// The objects of the repository from which a deletion follows, because they are deleted too: Accounts, ServiceClusters,
    /// CatalogEntrySets and CatalogEntries; the one first from which most follows. For a change of a CRD, those that it is
    /// made from.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub causes: Vec<ObjectRef>,
    /// The changed fields; empty if the object is created or deleted.
    pub fields: Vec<FieldChange>,
    /// The permissions that subjects gain and lose.
    pub access: Vec<AccessChange>,
    /// The effect on instances; absent if the change cannot affect any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub impact: Option<Impact>,
    /// Fields that another manager owns and that the change would set.
    pub conflicts: Vec<Conflict>,
    /// The field managers whose entries in the managed fields of the object become carrier's (`--take-over-from`).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub takes_over: Vec<String>,
    /// The message with which the API server refused the object in a dry run; absent if it did not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<String>,
    /// Whether the API server could not be asked, because the account lacks permissions: see `untried` of the cluster.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub untried: bool,
    /// The version that the plan was made for; absent if the object did not exist.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub live: Option<LiveVersion>,
    /// The instances that are rewritten in another storage version after a CRD was applied; absent if none are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub migration: Option<Migration>,
    /// The inventory that it is taken over from; absent if it is in none, or in that of the repository.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub taken_from: Option<String>,
    /// SHA-256 of the object to apply, as `sha256:<hex>`; absent for a deletion.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
}

impl Change {
    /// Whether an object is taken over that exists and is not carrier's.
    #[must_use]
    pub fn adopts(&self) -> bool {
        self.reasons.iter().any(|reason| reason.effect == Effect::Adopting)
    }
}

/// Instances that are stored in versions of a CRD which are not served any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Migration {
    /// The versions in which instances may be stored.
    pub from: Vec<String>,
    /// The version in which they are rewritten.
    pub to: String,
}

/// What would be done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The object does not exist.
    Create,
    /// The object exists, and differs or is not managed by carrier yet.
    Update,
    /// The repository no longer has the object.
    Delete,
}

/// The effect of a change on the users of the services, from mild to severe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// No effect that a user has to act on.
    #[default]
    Safe,
    /// An object that exists and is not carrier's is taken over: the repository manages it from then on, and can delete it.
    Adopting,
    /// Instances that were valid may become invalid, or read other values.
    Tightening,
    /// A field, a version or a service that users may depend on is removed.
    Breaking,
    /// Instances and their workloads, or whole namespaces, are deleted.
    Destructive,
}

/// A reason for the effect of a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The effect that this reason has alone.
    pub effect: Effect,
    /// The reason, such as `v1 .spec.size (integer) is removed`.
    pub text: String,
    /// The path of the field in a version of a CRD; empty if the reason is not about a field.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub path: String,
}

/// A place in the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The path of the file, relative to the root of the repository.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in Unicode scalar values.
    pub column: usize,
}

/// A field that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// JSON Pointer of the field.
    pub path: String,
    /// Whether the field is added, replaced or removed.
    pub op: FieldOp,
    /// The old value; absent if the field is added or is sensitive.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    /// The new value; absent if the field is removed or is sensitive.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
    /// Whether the values may be secret and are therefore left out.
    pub sensitive: bool,
    /// The lines that change in a text of several lines or more than 256 bytes, as in a unified diff; empty for other
    /// values and for what must not be shown. At most 200 lines.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lines: Vec<String>,
}

/// What would be done to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FieldOp {
    /// The field is added.
    Add,
    /// The field gets a different value.
    Replace,
    /// The field is removed.
    Remove,
}

/// The permissions that a subject gains and loses by a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct AccessChange {
    /// The subject, such as `User team-b-member`.
    pub subject: String,
    /// The namespace in which the permissions apply; absent for the whole cluster.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// Lost permissions, such as `create, delete redis.eu-west-1.team-a`.
    pub loses: Vec<String>,
    /// Gained permissions, in the same format.
    pub gains: Vec<String>,
}

/// The effect of a change on instances.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    /// The number of instances of the service or CRD.
    pub instances: usize,
    /// The number of namespaces that contain them.
    pub accounts: usize,
    /// Instances that the change would delete; a limited number of them.
    pub destroyed: Vec<ObjectRef>,
    /// The number of all instances that it would delete.
    pub destroyed_count: usize,
    /// The UIDs of all of them, sorted. A saved plan is for these instances and no others.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub destroyed_uids: Vec<String>,
    /// Instances that stay, and that lose what their users need of their service; a limited number of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub left: Vec<ObjectRef>,
    /// What else is deleted with a namespace; absent if no namespace is deleted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contents: Option<Contents>,
    /// Instances that must not be deleted, because their deletion policy is `Block`; a limited number of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub blocked: Vec<ObjectRef>,
    /// The number of all such instances.
    #[serde(default)]
    pub blocked_count: usize,
    /// Instances that would be invalid or lose fields that they set; a limited number of them.
    pub invalid: Vec<InvalidInstance>,
    /// The number of all such instances.
    pub invalid_count: usize,
    /// Instances that stay valid and would read other values at once, such as a new default; a limited number of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changed: Vec<InvalidInstance>,
    /// The number of all such instances.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub changed_count: usize,
    /// Why the instances could not be checked completely; absent if they were.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unchecked: Option<String>,
    /// What was counted of instances that would be deleted, or would lose their copies, to count it again directly before
    /// the deletion. It is not part of a saved plan, which is made anew before it is applied.
    #[serde(skip)]
    pub counted: Option<Counted>,
    /// For the namespace of a tenant in a service cluster: the instances in the management cluster whose copies may be in
    /// it. Only they have a deletion policy, so they are counted again too.
    #[serde(skip)]
    pub originals: Option<Counted>,
}

/// The objects in a namespace besides instances of services and carrier's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contents {
    /// Their numbers by kind, sorted.
    pub kinds: Vec<KindCount>,
    /// Why not all of them were counted; absent if they were.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uncounted: Option<String>,
}

/// The number of objects of a kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct KindCount {
    /// The kind, as `plural.group`; the plural alone in the core group.
    pub kind: String,
    /// The number.
    pub count: usize,
}

impl Contents {
    /// The number of all objects that were counted.
    #[must_use]
    pub fn total(&self) -> usize {
        self.kinds.iter().fold(0, |sum, kind| sum.saturating_add(kind.count))
    }
}

impl Impact {
    /// Whether it would delete instances, as far as anybody could count them.
    #[must_use]
    pub fn may_destroy(&self) -> bool {
        self.destroyed_count > 0 || self.unchecked.is_some()
    }
}

/// Which instances were counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Their kinds.
    pub kinds: Vec<CountedKind>,
    /// The namespace that they are in; `None` for all of a kind.
    pub namespace: Option<String>,
}

/// The instances of one kind that were counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedKind {
    /// The kind.
    pub resource: Resource,
    /// Their UIDs; `None` if they could not be listed.
    pub uids: Option<BTreeSet<String>>,
    /// The deletion policies of the service, if tenants use the kind.
    pub policy: Option<DeletionPolicyConfig>,
}

/// An instance that a new schema affects: it is not valid, loses fields, or reads other values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct InvalidInstance {
    /// The namespace; absent if the kind is cluster-scoped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
    /// The fields that the API server reports, with its reasons but without their values.
    pub fields: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// The name of the field manager.
    pub manager: String,
    /// The path of the field, as the API server writes it.
    pub field: String,
}

/// A field of an object that the repository does not set and another manager holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ExtraField {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectRef,
    /// The path of the field, such as `.spec.metadata.shortDescription`.
    pub field: String,
    /// The name of the field manager.
    pub manager: String,
}

/// The version of a live object that a plan was made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct LiveVersion {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// SHA-256 of the object without its status and the metadata that the server writes, as `sha256:<hex>`. If only the
    /// resource version has changed since, the plan is still for this object.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content: Option<String>,
}

impl LiveVersion {
    /// The version of a live object; `None` for one from a file.
    #[must_use]
    pub fn of(object: &LiveObject) -> Option<Self> {
        let (uid, resource_version) = (object.uid().to_owned(), object.resource_version().to_owned());
        (!uid.is_empty()).then(|| Self { uid, resource_version, content: Some(content(&object.body)) })
    }

    /// Whether a live object is this one, in this or in another version that differs only in its status and in metadata
    /// that the server writes; and its deletion has not begun.
    #[must_use]
    pub fn is_still(&self, object: &LiveObject) -> bool {
        let is_same = || self.content.as_ref().is_some_and(|content| *content == self::content(&object.body));
        object.uid() == self.uid
            && !object.is_terminating()
            && (object.resource_version() == self.resource_version || is_same())
    }
}

/// A CRD of a service cluster that differs from the lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// The service cluster, `<provider>/<cluster>`.
    pub cluster: String,
    /// The name of the CRD.
    pub crd: String,
    /// The differences, in one line each.
    pub lines: Vec<String>,
}

/// A reason why `carrier apply` would refuse a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The guard that refuses it: `breaking`, `destructive`, `blocked`, `mass-deletion`, `empty-input`, `wrong-cluster`,
    /// `conflict`, `adoption`, `foreign-inventory`, `foreign-repository`, `stale-plan`, `incomplete`, `permissions`, `server`.
    pub guard: String,
    /// The reason, in one sentence.
    pub message: String,
    /// The flag that allows it, with its value; absent if no flag does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flag: Option<String>,
}

/// The numbers of objects in a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Objects to create.
    pub create: usize,
    /// Objects to change.
    pub update: usize,
    /// Objects to delete.
    pub delete: usize,
    /// Objects that would not change.
    pub unchanged: usize,
    /// Objects that the repository no longer has and that are not deleted.
    pub kept: usize,
}
