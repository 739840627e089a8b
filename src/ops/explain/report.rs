//! The report of `carrier explain` about an instance as data, which is also its JSON. It has no value of a spec.

use schemars::JsonSchema;
use serde::Serialize;

/// Why an instance is as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explanation {
    /// The version of this form; the first number changes when a reader has to.
    pub format_version: &'static str,
    /// The kind that tenants use, `<plural>.<group>`.
    pub resource: String,
    /// The namespace of the tenant object.
    pub namespace: String,
    /// The name, on all levels.
    pub name: String,
    /// The service cluster, `<provider>/<cluster>`.
    pub cluster: String,
    /// The CatalogEntry of the service; null where there is none.
    pub catalog_entry: Option<String>,
    /// Why sync does not follow the service; null where nothing is in the way, or it is not known.
    pub service_problem: Option<String>,
    /// The last decision of sync; null where the tenant object does not show one.
    pub synced: Option<Synced>,
    /// What sync waits for, in one sentence; null where it waits for nothing.
    pub waits_for: Option<String>,
    /// The tenant object.
    pub tenant_object: Level,
    /// The internal object; null where tenants use the full kind themselves.
    pub internal_object: Option<Level>,
    /// The copy in the service cluster.
    pub copy: Level,
    /// The tenant's namespace in the service cluster.
    pub service_namespace: ServiceNamespace,
    /// What can be paused above the copy, from the tenant object to the ServiceCluster.
    pub pauses: Vec<Pause>,
    /// What becomes of the copy when the tenant object is deleted.
    pub deletion: Deletion,
    /// The Lease of the service cluster.
    pub lease: Lease,
}

/// The condition `Synced`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Synced {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The reason.
    pub reason: String,
    /// The sentence, without the values that a server quotes.
    pub message: String,
    /// The generation of the tenant object that it speaks of; null where the kind cannot hold it.
    pub observed_generation: Option<i64>,
    /// When `status` last changed.
    pub last_transition_time: Option<String>,
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// It could not be read.
    Unknown,
}

/// One of the objects of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Level {
    /// `management`, or `<provider>/<cluster>`.
    pub cluster: String,
    /// Its `apiVersion`; null where it is not known.
    pub api_version: Option<String>,
    /// Its kind; null where it is not known.
    pub kind: Option<String>,
    /// Its namespace; null where it is not known.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub presence: Presence,
    /// Why it is not there or could not be read, where there is more to say.
    pub problem: Option<String>,
    /// What it says; null where it is not there.
    pub object: Option<Object>,
}

/// What an object says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Object {
    /// Its UID.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
    /// Its generation.
    pub generation: Option<i64>,
    /// When its deletion began; null where it is not being deleted.
    pub deleted_since: Option<String>,
    /// Its finalizers. An object that is being deleted is held by them.
    pub finalizers: Vec<String>,
    /// Whose copy it is; null of a tenant object.
    pub marks: Option<MarksSeen>,
    /// Whether its tenant object was deleted with the policy `Orphan`, so that it stays.
    pub orphaned: bool,
    /// Whether its deletion is approved.
    pub deletion_approved: bool,
    /// The fields that others than sync own; of a tenant object none are listed.
    pub fields_of_others: Vec<OwnedField>,
    /// How many more such fields there are.
    pub more_fields_of_others: usize,
}

/// The marks of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MarksSeen {
    /// Whose it is.
    pub state: MarksState,
    /// The same in words.
    pub message: String,
}

/// Whose a copy is by its marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarksState {
    /// It is the copy of this instance.
    Ours,
    /// Its marks were removed, and sync has applied it.
    Stripped,
    /// It has no marks, and sync has not applied it.
    Missing,
    /// It is the copy of another instance.
    OtherSource,
    /// It belongs to another management cluster.
    OtherManagementCluster,
    /// The identity of the management cluster is not known.
    Unknown,
}

/// A field and a manager that owns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OwnedField {
    /// The path.
    pub path: String,
    /// The manager.
    pub manager: String,
    /// Whether sync owns it too.
    pub shared: bool,
}

/// The tenant's namespace in the service cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServiceNamespace {
    /// Its name; null where none is assigned.
    pub name: Option<String>,
    /// Whether it is there.
    pub presence: Presence,
    /// What is wrong with it; null where it can be written to.
    pub problem: Option<String>,
}

/// Something that can be paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pause {
    /// `tenant object`, or the kind.
    pub what: &'static str,
    /// Whether it asks for a pause; null where it could not be read.
    pub paused: Option<bool>,
    /// Why it is not there or could not be read.
    pub problem: Option<String>,
}

/// What becomes of the copy when the tenant object is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Deletion {
    /// The policy in effect: `Delete`, `Orphan` or `Block`; null where it is not known.
    pub policy: Option<String>,
    /// The policy that the tenant object asks for in vain.
    pub refused_policy: Option<String>,
    /// Whether the deletion of the tenant object is approved.
    pub approved: bool,
    /// Why the policy is not known.
    pub problem: Option<String>,
}

/// The Lease of a service cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lease {
    /// Its name, in the namespace `kubecarrier-system` of the management cluster.
    pub name: String,
    /// Whether it is there.
    pub presence: Presence,
    /// The replica that holds it; null where none does.
    pub holder: Option<String>,
    /// When that replica last renewed it, by its own clock.
    pub renewed: Option<String>,
    /// Why it could not be read.
    pub problem: Option<String>,
}
