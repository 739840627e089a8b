//! Keys of the labels and annotations that carrier writes (`kubecarrier.md` §2.2,
//! `docs/compatibility.md`).
//!
//! Render writes them and sync reads them, so both use these constants.

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
/// Label of a tenant's namespace in a service cluster: the UID of the management cluster's `kube-system`,
/// once it is known. Two management clusters may share a service cluster.
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

/// The namespace of carrier's own objects, in every cluster.
pub const SYSTEM_NAMESPACE: &str = "kubecarrier-system";
