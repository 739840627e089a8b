//! Keys of the labels, annotations and finalizers that carrier writes or reads (`kubecarrier.md` §2.2,
//! `docs/compatibility.md`).
//!
//! Render writes some of them and sync reads them, so both use these constants, and one reader of annotations.

use serde_json::Value;

/// Label of an internal or derived CRD: the provider's namespace.
pub const ORIGIN_NAMESPACE: &str = "kubecarrier.io/origin-namespace";
/// Label: the ServiceCluster's name. On CRDs as in the original; carrier adds it to CatalogEntries, so
/// that catalogs can select by it, and to the namespaces of tenants.
pub const SERVICE_CLUSTER: &str = "kubecarrier.io/service-cluster";
/// Label of a CatalogEntry: the CatalogEntrySet it comes from.
pub const CONTROLLED_BY: &str = "catalogentries.kubecarrier.io/controlled-by";
/// Label of a tenant's namespace in a service cluster: the provider account.
pub const PROVIDER: &str = "kubecarrier.io/provider";
/// Label of a tenant's namespace in a service cluster: the tenant account.
pub const TENANT: &str = "kubecarrier.io/tenant";
/// Label of a tenant's namespace in a service cluster, once it is known, and of internal and service objects: the UID
/// of the management cluster's `kube-system`. Two management clusters may share a service cluster.
pub const MANAGEMENT_CLUSTER: &str = "kubecarrier.io/management-cluster";
/// Annotation of a ServiceClusterAssignment: the name of the tenant's namespace in the service cluster.
/// Sync reports it in the status once the namespace is there.
pub const SERVICE_NAMESPACE: &str = "kubecarrier.io/service-cluster-namespace";

/// Annotation of an internal CRD: the full name of the CRD in the service cluster, `<plural>.<group>`.
/// An internal CRD that was rendered before this was written lacks it.
pub const BASE_CRD: &str = "carrier.kubecarrier.io/base-crd";
/// Annotation of an internal CRD: the kind in the service cluster. The internal one may have another (`derive.kind`).
pub const BASE_KIND: &str = "carrier.kubecarrier.io/base-kind";
/// Annotation of an internal CRD: the version in which instances are copied, on all three levels.
pub const BASE_VERSION: &str = "carrier.kubecarrier.io/base-version";
/// Annotation of an internal CRD: `"false"` where the CRD in the service cluster has no status subresource, so that a
/// change of the status alone raises `metadata.generation` there. Absent where it has one.
pub const BASE_STATUS_SUBRESOURCE: &str = "carrier.kubecarrier.io/base-status-subresource";

/// Annotation of an internal and of a service object, written by sync: the tenant object that it is a copy of, as
/// `<namespace>/<plural>.<group>/<name>`. With [`MANAGEMENT_CLUSTER`] it marks a copy as carrier's.
pub const SOURCE: &str = "carrier.kubecarrier.io/source";
/// Annotation of an internal and of a service object, written by sync: the UID of the tenant object in [`SOURCE`].
/// Another UID there is a new incarnation of the key, such as after a restore from a backup.
pub const SOURCE_UID: &str = "carrier.kubecarrier.io/source-uid";
/// Annotation of a ServiceCluster, written by an administrator: the UID of the `kube-system` namespace that is accepted
/// as the cluster's identity in place of `status.clusterUID`. Until then sync stops at another identity.
pub const ACCEPT_IDENTITY: &str = "carrier.kubecarrier.io/accept-identity";
/// Annotation with the value `"true"` on a tenant object, ServiceClusterAssignment, CatalogEntry or ServiceCluster,
/// written by its owner: sync copies nothing below the object, neither statuses nor deletions.
pub const PAUSED: &str = "carrier.kubecarrier.io/paused";
/// Annotation of a tenant object, written by the tenant: the deletion policy, one of those that the CatalogEntry
/// allows (`spec.deletionPolicy`). With any other value the default of the CatalogEntry applies.
pub const DELETION_POLICY: &str = "carrier.kubecarrier.io/deletion-policy";
/// Annotation of a ServiceCluster, written by its provider: when sync holds deletions, as `<count>,<percent>%,<duration>`
/// such as `5,20%,10m`, which is the default: more than 5 and more than 20 % of a service's instances within 10 minutes.
pub const DELETION_BREAKER: &str = "carrier.kubecarrier.io/deletion-breaker";
/// Annotation of a tenant object, written by `carrier approve` and by `carrier apply` with an allowed deletion: the UID
/// of the object whose held deletion goes on. With another UID than that of the object it has no effect.
pub const APPROVED_DELETION: &str = "carrier.kubecarrier.io/approved-deletion";
/// Annotation with the value `"true"` on a service object, written by sync: its tenant object was deleted with the
/// policy `Orphan`. A later tenant object with the same key takes it up again.
pub const ORPHANED: &str = "carrier.kubecarrier.io/orphaned";
/// Annotation with the value `"true"` on an object in the service cluster that carrier did not create, written by its
/// owner: sync may take the object over as the copy of the tenant object with the same name.
pub const ADOPT: &str = "carrier.kubecarrier.io/adopt";
/// Finalizer of a tenant object, written by sync before it creates the copies, and removed once they are gone.
pub const FINALIZER: &str = "carrier.kubecarrier.io/sync";
/// Annotation of a Lease of `carrier sync`: the process that holds it. Replicas of one name differ by it.
pub const SYNC_PROCESS: &str = "carrier.kubecarrier.io/sync-process";
/// Annotation of the Lease of a replica: the only service clusters that it works on, as `provider/cluster` with commas.
/// Absent where it works on all.
pub const SYNC_ONLY: &str = "carrier.kubecarrier.io/sync-only";

/// Annotation of the parent of an inventory: the ids of the inventories that it has taken over, and whose label some of its
/// members still have.
pub const TAKEN_INVENTORIES: &str = "carrier.kubecarrier.io/taken-inventories";
/// Annotation of the parent of an inventory: the identity of the repository that it is of.
pub const REPOSITORY: &str = "carrier.kubecarrier.io/repository";
/// Annotation of the parent of an inventory: the run of `carrier apply` that has claimed it last.
pub const RUN: &str = "carrier.kubecarrier.io/run";

/// The namespace of carrier's own objects, in every cluster.
pub const SYSTEM_NAMESPACE: &str = "kubecarrier-system";
/// The service account of sync in [`SYSTEM_NAMESPACE`] of the management cluster.
pub const SYNC_ACCOUNT: &str = "carrier-sync";
/// The Role of sync in a namespace, and in the management cluster the ClusterRole with what every repository needs.
pub const SYNC_ROLE: &str = "kubecarrier:sync";

/// The value of an annotation of an object.
#[must_use]
pub(crate) fn annotation<'o>(object: &'o Value, key: &str) -> Option<&'o str> {
    object.get("metadata")?.get("annotations")?.get(key)?.as_str()
}
