//! `CAR025x`–`CAR026x`: references between objects, names that are built from other
//! names, and selectors.

use super::Code;
use crate::model::codes::Severity::{self, Error, Warning};

const fn code(id: &'static str, severity: Severity, title: &'static str, explanation: &'static str) -> Code {
    Code { id, severity, title, explanation }
}

/// A namespace has no Account.
pub static UNKNOWN_ACCOUNT: Code = code(
    "CAR0250",
    Error,
    "the namespace belongs to no account",
    "An account owns the namespace with its name, and a provider's objects are in that namespace. Without an Account nobody\n\
     has access to them.\n\n\
     Fix: correct the namespace, or add the Account.\n",
);

/// An object of a provider is in the namespace of a tenant.
pub static NOT_A_PROVIDER: Code = code(
    "CAR0251",
    Error,
    "the account is not a provider",
    "ServiceClusters, Catalogs and CatalogEntrySets belong to a provider. The account that owns the namespace has only the\n\
     role Tenant.\n\n\
     ```yaml\n# good\nspec:\n  roles: [Provider]\n```\n",
);

/// A Tenant object has no account with the role Tenant.
pub static NOT_A_TENANT: Code = code(
    "CAR0252",
    Error,
    "a Tenant object without a tenant account",
    "A Tenant object holds the labels that a provider assigns to a tenant. Its name is the name of an Account with the role\n\
     Tenant.\n\n\
     Fix: correct the name, or give the account the role.\n",
);

/// The namespace of an account is reserved.
pub static RESERVED_NAMESPACE: Code = code(
    "CAR0253",
    Error,
    "the account's namespace is reserved for the cluster",
    "An account owns the namespace with its name. `default`, `kube-*` and `kubecarrier-system` contain the components of the\n\
     cluster; the subjects of the account would get permissions in them.\n\n\
     Fix: choose another name.\n",
);

/// A name is too long for a name that is built from it.
pub static NAME_TOO_LONG: Code = code(
    "CAR0254",
    Error,
    "a name is too long for a name that is built from it",
    "Namespaces and label values have at most 63 characters. The name of a tenant's namespace in a service cluster is the\n\
     tenant's name and six characters; the name of a set is the value of a label on its entries. KubeCarrier checked neither\n\
     and failed when the objects were applied.\n\n\
     Fix: choose a shorter name.\n",
);

/// The API group of a cluster's services is reserved.
pub static RESERVED_GROUP: Code = code(
    "CAR0255",
    Error,
    "cluster and provider result in a reserved API group",
    "Services are offered in the group `<cluster>.<provider>`. Groups that end in `k8s.io` or `kubernetes.io` require\n\
     approval by the Kubernetes project, and `kubecarrier.io` is the group of KubeCarrier's kinds.\n\n\
     Fix: rename the cluster or the provider's account.\n",
);

/// A ServiceCluster does not exist.
pub static UNKNOWN_CLUSTER: Code = code(
    "CAR0256",
    Error,
    "the ServiceCluster does not exist",
    "The name refers to a ServiceCluster that the repository does not have.\n\n\
     Fix: correct the name, or add the ServiceCluster.\n",
);

/// A name is not the name of a CRD.
pub static NOT_A_CRD_NAME: Code = code(
    "CAR0257",
    Error,
    "not the name of a CustomResourceDefinition",
    "The name of a CRD is its plural and its group.\n\n\
     ```yaml\n# bad\ncrd:\n  name: Redis\n# good\ncrd:\n  name: redis.redis.redis.opstreelabs.in\n```\n",
);

/// The base CRD of an entry is not an internal CRD.
pub static NOT_AN_INTERNAL_CRD: Code = code(
    "CAR0258",
    Error,
    "a CatalogEntry must name an internal CRD",
    "`baseCRD` names a CRD of the management cluster, the copy of a service cluster's CRD that carrier renders:\n\
     `<plural>.internal.<cluster>.<provider>`.\n\n\
     ```yaml\n# bad\nbaseCRD:\n  name: couchdbs.couchdb.io\n# good\nbaseCRD:\n  name: couchdbs.internal.eu-west-1.team-a\n```\n",
);

/// The base CRD of an entry belongs to another provider.
pub static FOREIGN_CRD: Code = code(
    "CAR0259",
    Error,
    "the internal CRD belongs to another provider",
    "A provider offers its own services only. The last part of an internal CRD's name is the provider that it belongs to.\n\n\
     Fix: name a CRD of your own, or move the entry to the other provider's namespace.\n",
);

/// A selector matches nothing.
pub static SELECTS_NOTHING: Code = code(
    "CAR0260",
    Warning,
    "a selector matches nothing",
    "An absent selector selects nothing, `{}` selects everything. This one results in no offerings.\n\n\
     ```yaml\n# selects nothing\nspec: {}\n# selects every tenant\nspec:\n  tenantSelector: {}\n```\n",
);

/// No catalog selects a service.
pub static NOT_OFFERED: Code = code(
    "CAR0261",
    Warning,
    "no catalog selects the service",
    "The CRDs are rendered, but the service is not offered to any tenant.\n\n\
     Fix: add a Catalog whose `catalogEntrySelector` matches the labels of the entry.\n",
);

/// Two CatalogEntries have the same name.
pub static ENTRY_TWICE: Code = code(
    "CAR0262",
    Error,
    "two CatalogEntries have the same name",
    "A CatalogEntrySet creates the entries `<set>.<cluster>`. Another set, or an entry in a file, has the same name.\n\n\
     Fix: rename one of the two.\n",
);

/// Two CRDs of an API group have a name in common.
pub static NAME_TAKEN: Code = code(
    "CAR0263",
    Error,
    "two CRDs share a name in one API group",
    "All services of a provider in one cluster share an API group. Two CRDs in a group cannot have the same plural,\n\
     singular, kind or list kind: the API server accepts the second and never serves it. KubeCarrier did not detect this.\n\n\
     Fix: give one of them another `kind` and `plural` in its `derive` block.\n\n\
     ```yaml\nderive:\n  kind: PostgresCluster\n  plural: postgresclusters\n```\n",
);

/// A kind or plural is not valid.
pub static INVALID_OVERRIDE: Code = code(
    "CAR0264",
    Error,
    "not a valid kind or plural",
    "A kind is a word that starts with an upper-case letter. A plural consists of lower-case letters, digits and hyphens.\n\n\
     ```yaml\n# bad\nderive:\n  kind: my-postgres\n# good\nderive:\n  kind: MyPostgres\n  plural: mypostgreses\n```\n",
);

/// The CRD of a CatalogEntry is unknown or ambiguous.
pub static BASE_UNKNOWN: Code = code(
    "CAR0265",
    Error,
    "no CRD of the cluster, or more than one, has this plural",
    "A CatalogEntry names its internal CRD, and that name contains only the plural of the CRD in the service cluster. carrier\n\
     looks the plural up in the snapshots of the cluster; exactly one must match.\n\n\
     Fix: use a CatalogEntrySet, which has the full name of the CRD.\n",
);

/// Two services offer different versions of one CRD.
pub static VERSION_CONFLICT: Code = code(
    "CAR0266",
    Error,
    "one CRD is offered in two versions",
    "Two sets or entries offer the same CRD of the same cluster. They share its internal CRD, which has one version: the\n\
     management cluster cannot convert between versions.\n\n\
     Fix: expose the same version in both.\n",
);

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[
    &UNKNOWN_ACCOUNT,
    &NOT_A_PROVIDER,
    &NOT_A_TENANT,
    &RESERVED_NAMESPACE,
    &NAME_TOO_LONG,
    &RESERVED_GROUP,
    &UNKNOWN_CLUSTER,
    &NOT_A_CRD_NAME,
    &NOT_AN_INTERNAL_CRD,
    &FOREIGN_CRD,
    &SELECTS_NOTHING,
    &NOT_OFFERED,
    &ENTRY_TWICE,
    &NAME_TAKEN,
    &INVALID_OVERRIDE,
    &BASE_UNKNOWN,
    &VERSION_CONFLICT,
];
