//! `CAR025x`–`CAR029x`: Names that are built, references that lead nowhere,
//! selectors that match nothing.

use super::Code;
use crate::model::diagnostic::Severity::{self, Error, Warning};

const fn code(id: &'static str, severity: Severity, title: &'static str, explanation: &'static str) -> Code {
    Code { id, severity, title, explanation }
}

/// A namespace without an account.
pub static UNKNOWN_ACCOUNT: Code = code(
    "CAR0250",
    Error,
    "the namespace belongs to no account",
    "An account owns the namespace of its name, and the objects of a provider lie in it. Without an Account nobody\n\
     may touch them.\n\nFix: correct the namespace, or add the Account.\n",
);

/// A provider's object in the namespace of an account that is none.
pub static NOT_A_PROVIDER: Code = code(
    "CAR0251",
    Error,
    "the account is not a provider",
    "ServiceClusters, Catalogs and CatalogEntrySets are a provider's. The account that owns the namespace has only the\n\
     role Tenant.\n\n```yaml\n# good\nspec:\n  roles: [Provider]\n```\n",
);

/// A Tenant object without its account.
pub static NOT_A_TENANT: Code = code(
    "CAR0252",
    Error,
    "a Tenant object without a tenant account",
    "A Tenant object carries the labels that a provider gives to a tenant. It bears the name of an Account with the role\n\
     Tenant.\n\nFix: correct the name, or give the account the role.\n",
);

/// A namespace that is taken.
pub static RESERVED_NAMESPACE: Code = code(
    "CAR0253",
    Error,
    "the account's namespace belongs to the cluster itself",
    "An account owns the namespace of its name. `default`, `kube-*` and `kubecarrier-system` hold what the cluster runs\n\
     on; the account's people would get rights in them.\n\nFix: choose another name.\n",
);

/// A name that is too long for what is built from it.
pub static NAME_TOO_LONG: Code = code(
    "CAR0254",
    Error,
    "a name is too long for what is built from it",
    "Namespaces and label values have 63 characters. A tenant's namespace in a service cluster is its name and six\n\
     characters; a set's name is a label of its entries. KubeCarrier checked neither and failed much later.\n\n\
     Fix: choose a shorter name.\n",
);

/// An API group that is taken.
pub static RESERVED_GROUP: Code = code(
    "CAR0255",
    Error,
    "cluster and provider make an API group that is taken",
    "Services are offered in the group `<cluster>.<provider>`. Groups ending in `k8s.io` or `kubernetes.io` need an\n\
     approval of the Kubernetes project, and `kubecarrier.io` is the group of the catalog's own kinds.\n\n\
     Fix: rename the cluster or the provider's account.\n",
);

/// A cluster that does not exist.
pub static UNKNOWN_CLUSTER: Code = code(
    "CAR0256",
    Error,
    "there is no such ServiceCluster",
    "The name refers to a ServiceCluster that the repository does not have.\n\n\
     Fix: correct the name, or add the ServiceCluster.\n",
);

/// A CRD name that is none.
pub static NOT_A_CRD_NAME: Code = code(
    "CAR0257",
    Error,
    "not the name of a CustomResourceDefinition",
    "A CRD is named by its plural and its group.\n\n\
     ```yaml\n# bad\ncrd:\n  name: Redis\n# good\ncrd:\n  name: redis.redis.redis.opstreelabs.in\n```\n",
);

/// A base CRD of an entry that is not an internal one.
pub static NOT_AN_INTERNAL_CRD: Code = code(
    "CAR0258",
    Error,
    "a CatalogEntry must name an internal CRD",
    "`baseCRD` names a CRD of the management cluster, the copy of a service cluster's CRD that carrier makes:\n\
     `<plural>.internal.<cluster>.<provider>`.\n\n\
     ```yaml\n# bad\nbaseCRD:\n  name: couchdbs.couchdb.io\n# good\nbaseCRD:\n  name: couchdbs.internal.eu-west-1.team-a\n```\n",
);

/// A base CRD of another provider.
pub static FOREIGN_CRD: Code = code(
    "CAR0259",
    Error,
    "the internal CRD belongs to another provider",
    "A provider offers its own services only; the last part of an internal CRD's name is the provider it belongs to.\n\n\
     Fix: name a CRD of your own, or move the entry to the other provider's namespace.\n",
);

/// A selector without a match.
pub static SELECTS_NOTHING: Code = code(
    "CAR0260",
    Warning,
    "a selector matches nothing",
    "A selector that is absent selects nothing, `{}` selects everything. This one leads to no offering at all.\n\n\
     ```yaml\n# selects nothing\nspec: {}\n# selects every tenant\nspec:\n  tenantSelector: {}\n```\n",
);

/// A service that no catalog selects.
pub static OFFERED_TO_NOBODY: Code = code(
    "CAR0261",
    Warning,
    "no catalog selects the service",
    "The CRDs are rendered, but no tenant is offered the service.\n\nFix: add a Catalog whose `catalogEntrySelector`\n\
     matches the labels of the entry.\n",
);

/// Two entries of one name.
pub static ENTRY_TWICE: Code = code(
    "CAR0262",
    Error,
    "two CatalogEntries of one name",
    "A CatalogEntrySet makes the entries `<set>.<cluster>`. Another set or an entry written by hand has the same name.\n\n\
     Fix: rename one of the two.\n",
);

/// Two services under one name in one API group.
pub static NAME_TAKEN: Code = code(
    "CAR0263",
    Error,
    "two CRDs share a name in one API group",
    "All services of a provider in one cluster share an API group. Two CRDs in it cannot have the same plural, singular,\n\
     kind or list kind: the API server accepts the second and never serves it. KubeCarrier did not notice.\n\n\
     Fix: give one of them another `kind` and `plural` in its `derive` block.\n\n\
     ```yaml\nderive:\n  kind: PostgresCluster\n  plural: postgresclusters\n```\n",
);

/// An invalid kind or plural.
pub static INVALID_OVERRIDE: Code = code(
    "CAR0264",
    Error,
    "not a kind, or not a plural",
    "A kind is a word that starts with a capital letter; a plural is written in small letters, digits and hyphens.\n\n\
     ```yaml\n# bad\nderive:\n  kind: my-postgres\n# good\nderive:\n  kind: MyPostgres\n  plural: mypostgreses\n```\n",
);

/// A CatalogEntry whose CRD nobody fetches.
pub static BASE_UNKNOWN: Code = code(
    "CAR0265",
    Error,
    "no CRD of the cluster has this plural, or several have",
    "A CatalogEntry names its internal CRD, and that name tells only the plural of the CRD in the service cluster. It is\n\
     looked up among the snapshots of the cluster; there must be exactly one.\n\n\
     Fix: name the CRD in full with a CatalogEntrySet.\n",
);

/// Two services of one CRD in different versions.
pub static VERSIONS_CLASH: Code = code(
    "CAR0266",
    Error,
    "one CRD is offered in two versions",
    "Two sets or entries offer the same CRD of the same cluster. They share its internal copy, which has one version:\n\
     the management cluster cannot convert between versions.\n\n\
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
    &OFFERED_TO_NOBODY,
    &ENTRY_TWICE,
    &NAME_TAKEN,
    &INVALID_OVERRIDE,
    &BASE_UNKNOWN,
    &VERSIONS_CLASH,
];
