//! `CAR02xx`: Objects, names and references.

use super::Code;
use crate::model::diagnostic::Severity;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[
    &UNKNOWN_FIELD,
    &MISSING_FIELD,
    &WRONG_TYPE,
    &NOT_LISTED,
    &LENGTH,
    &FORM,
    &REPEATED_ITEM,
    &INVALID_NAME,
    &NAMESPACE_NOT_ALLOWED,
    &NO_NAMESPACE,
    &GENERATE_NAME,
    &INVALID_LABEL,
    &SERVER_FIELD,
    &STATUS_IGNORED,
    &WRONG_VERSION,
    &UNKNOWN_KIND,
    &NEARLY_OURS,
    &RENDERED_KIND,
    &RETIRED_KIND,
    &OPERATOR_KIND,
    &INCOMPLETE_OBJECT,
    &DUPLICATE_OBJECT,
    &NOTHING_EXPOSED,
    &SELECTOR,
    &PROVIDER_NOT_SHOWN,
    &NOT_READ,
];

/// A field that the kind does not have.
pub static UNKNOWN_FIELD: Code = Code {
    id: "CAR0201",
    severity: Severity::Error,
    title: "the kind has no such field",
    explanation: "\
The kind does not have this field. The API server would drop it without a word, so what
it was meant to say would never take effect. Mostly it is a misspelt name, or a field that
stands one level too deep or too high.

Bad:

    spec:
      metadata:
        displayname: Redis

Good:

    spec:
      metadata:
        displayName: Redis
",
};

/// A required field is not there.
pub static MISSING_FIELD: Code = Code {
    id: "CAR0202",
    severity: Severity::Error,
    title: "a required field is missing",
    explanation: "\
The kind cannot do without this field. The place shown is the object or block that it has
to be written into.

Bad:

    kind: CatalogEntrySet
    spec:
      metadata: {displayName: Redis}

Good:

    kind: CatalogEntrySet
    spec:
      metadata: {displayName: Redis}
      discover:
        crd: {name: redis.redis.redis.opstreelabs.in}
        serviceClusterSelector: {}
",
};

/// A value of another type than the field has.
pub static WRONG_TYPE: Code = Code {
    id: "CAR0203",
    severity: Severity::Error,
    title: "a value of the wrong type",
    explanation: "\
The field takes another type of value: a list where one value stands, a mapping where a
word stands, or nothing at all (`null`). A field that is not needed is left out, not left
empty.

Bad:

    roles: Provider

Good:

    roles: [Provider]
",
};

/// A word that is not one of those the field takes.
pub static NOT_LISTED: Code = Code {
    id: "CAR0204",
    severity: Severity::Error,
    title: "not one of the words this field takes",
    explanation: "\
The field takes one of a few words, and upper and lower case count.

Bad:

    roles: [provider]

Good:

    roles: [Provider]
",
};

/// A value that is empty, too short or too long.
pub static LENGTH: Code = Code {
    id: "CAR0205",
    severity: Severity::Error,
    title: "a value is too short or too long",
    explanation: "\
The text, list or mapping has fewer or more items than the field takes. Mostly it is
empty where something has to stand.

Bad:

    subjects: []

Good:

    subjects:
      - kind: User
        name: hannibal
        apiGroup: rbac.authorization.k8s.io
",
};

/// A text that does not have the form the field asks for.
pub static FORM: Code = Code {
    id: "CAR0206",
    severity: Severity::Error,
    title: "a text does not have the form it must have",
    explanation: "\
The text has to follow a pattern, or be base64, and does not.

Bad:

    derive:
      plural: My Databases

Good:

    derive:
      plural: mydatabases
",
};

/// An item that stands twice in a list of different ones.
pub static REPEATED_ITEM: Code = Code {
    id: "CAR0207",
    severity: Severity::Error,
    title: "an item stands twice in a list",
    explanation: "\
Every item of this list may stand in it once.

Bad:

    roles: [Tenant, Tenant]

Good:

    roles: [Tenant]
",
};

/// A name that Kubernetes or carrier cannot use.
pub static INVALID_NAME: Code = Code {
    id: "CAR0210",
    severity: Severity::Error,
    title: "a name that cannot be used",
    explanation: "\
Names are lower case letters, digits and `-`. Accounts, service clusters and tenants may
have no dots either and at most 63 characters: an account's name is the name of its
namespace, and both become parts of API groups such as `eu-west-1.team-a`.

Bad:

    kind: Account
    metadata:
      name: Team_A

Good:

    kind: Account
    metadata:
      name: team-a
",
};

/// A namespace on an object of a cluster-scoped kind.
pub static NAMESPACE_NOT_ALLOWED: Code = Code {
    id: "CAR0211",
    severity: Severity::Error,
    title: "a cluster-scoped object has a namespace",
    explanation: "\
Accounts live in no namespace: each is one. Remove `metadata.namespace`.

Bad:

    kind: Account
    metadata:
      name: team-a
      namespace: team-a

Good:

    kind: Account
    metadata:
      name: team-a
",
};

/// An object of a namespaced kind that says no namespace.
pub static NO_NAMESPACE: Code = Code {
    id: "CAR0212",
    severity: Severity::Error,
    title: "an object does not say its namespace",
    explanation: "\
The object belongs to a provider, and its namespace is that provider's account. It can be
written into `metadata.namespace`, or follow from the folder: without it, the nearest
folder above the file that bears the name of an account with the role Provider counts.

Bad, in `catalogs/default.yaml`:

    kind: Catalog
    metadata:
      name: default

Good, there or in `team-a/default.yaml` without the namespace:

    kind: Catalog
    metadata:
      name: default
      namespace: team-a
",
};

/// An object that leaves its name to the API server.
pub static GENERATE_NAME: Code = Code {
    id: "CAR0213",
    severity: Severity::Error,
    title: "generateName cannot be used",
    explanation: "\
With `generateName` every apply would make another object, and nothing could refer to any
of them. Write `name`.

Bad:

    metadata:
      generateName: catalog-

Good:

    metadata:
      name: catalog
",
};

/// A label or annotation that Kubernetes refuses.
pub static INVALID_LABEL: Code = Code {
    id: "CAR0214",
    severity: Severity::Error,
    title: "a label or annotation that Kubernetes refuses",
    explanation: "\
The key of a label is up to 63 letters, digits, `-`, `_` and `.`, perhaps after a domain
and `/`; its value is the same without the domain, or empty. Annotations have the same
keys and any text as value. In a selector the same rules hold.

Bad:

    labels:
      tier: very good

Good:

    labels:
      tier: very-good
",
};

/// A field of metadata that only the API server sets.
pub static SERVER_FIELD: Code = Code {
    id: "CAR0215",
    severity: Severity::Info,
    title: "a field that only the API server sets is left out",
    explanation: "\
The field describes an object in a cluster, not the object that is wanted. It is left out.
Such fields come along with the output of `kubectl get -o yaml`; remove them.

Bad:

    metadata:
      name: team-a
      uid: 7d2f0f3c-1f0e-4c55-9d2c-0a51a6ad7c07

Good:

    metadata:
      name: team-a
",
};

/// An object with a status.
pub static STATUS_IGNORED: Code = Code {
    id: "CAR0216",
    severity: Severity::Warning,
    title: "a status in a source file is left out",
    explanation: "\
The status says what a cluster has found out about an object. What stands here is not
used and not written anywhere. Remove it.

Bad:

    kind: Account
    status:
      phase: Ready

Good:

    kind: Account
",
};

/// A kind of ours in a version that does not exist.
pub static WRONG_VERSION: Code = Code {
    id: "CAR0220",
    severity: Severity::Error,
    title: "this kind has no such version",
    explanation: "\
The kinds of KubeCarrier have one version, `v1alpha1`.

Bad:

    apiVersion: catalog.kubecarrier.io/v1
    kind: Account

Good:

    apiVersion: catalog.kubecarrier.io/v1alpha1
    kind: Account
",
};

/// A kind that a KubeCarrier group does not have.
pub static UNKNOWN_KIND: Code = Code {
    id: "CAR0221",
    severity: Severity::Error,
    title: "the group has no such kind",
    explanation: "\
The group is one of KubeCarrier's, and it has no such kind: the name is misspelt, in the
plural, or of the other group. ServiceCluster is of `kubecarrier.io`; the rest of what
people write is of `catalog.kubecarrier.io`.

Bad:

    apiVersion: catalog.kubecarrier.io/v1alpha1
    kind: CatalogEntrySets

Good:

    apiVersion: catalog.kubecarrier.io/v1alpha1
    kind: CatalogEntrySet
",
};

/// An object that is nearly one of ours, and is ignored.
pub static NEARLY_OURS: Code = Code {
    id: "CAR0222",
    severity: Severity::Warning,
    title: "an object looks like one of ours, and is ignored",
    explanation: "\
The kind is one of KubeCarrier's and the group nearly is. As it stands the object is a
stranger to carrier, and strangers are ignored.

Bad:

    apiVersion: catalog.kubecarier.io/v1alpha1
    kind: Account

Good:

    apiVersion: catalog.kubecarrier.io/v1alpha1
    kind: Account
",
};

/// An object of a kind that carrier renders itself.
pub static RENDERED_KIND: Code = Code {
    id: "CAR0223",
    severity: Severity::Error,
    title: "carrier makes the objects of this kind",
    explanation: "\
Offerings, Providers, Regions and ServiceClusterAssignments follow from the catalogs: they
are part of the output, and an object written by hand would contradict it. Remove it, and
let a Catalog select the entry and the tenant.

Bad:

    kind: Offering
    metadata:
      name: redis.eu-west-1.team-a
      namespace: team-b

Good:

    kind: Catalog
    metadata:
      name: default
      namespace: team-a
    spec:
      catalogEntrySelector: {}
      tenantSelector: {}
",
};

/// An object of a kind that carrier has no use for.
pub static RETIRED_KIND: Code = Code {
    id: "CAR0224",
    severity: Severity::Error,
    title: "a kind of KubeCarrier that carrier does without",
    explanation: "\
KubeCarrier's inner kinds are not needed any more. What a DerivedCustomResource said is the
block `derive` of a CatalogEntry or CatalogEntrySet. What a CustomResourceDiscovery or
CustomResourceDiscoverySet found out is the block `discover` of a CatalogEntrySet together
with the snapshots that `carrier lock` takes.

Bad:

    kind: DerivedCustomResource
    spec:
      baseCRD: {name: redis.internal.eu-west-1.team-a}
      expose:
        - versions: [v1beta1]
          fields: [{jsonPath: .spec.size}]

Good:

    kind: CatalogEntry
    spec:
      metadata: {displayName: Redis}
      baseCRD: {name: redis.internal.eu-west-1.team-a}
      derive:
        expose:
          - versions: [v1beta1]
            fields: [{jsonPath: .spec.size}]
",
};

/// An object of the original's operator, and is ignored.
pub static OPERATOR_KIND: Code = Code {
    id: "CAR0225",
    severity: Severity::Warning,
    title: "an object of KubeCarrier's operator is ignored",
    explanation: "\
Carrier installs nothing into the clusters that these objects could configure: there is no
operator and no ferry, catapult or elevator.
Remove the object.

Bad:

    apiVersion: operator.kubecarrier.io/v1alpha1
    kind: KubeCarrier

Good: no such object.
",
};

/// A document with only one of apiVersion and kind.
pub static INCOMPLETE_OBJECT: Code = Code {
    id: "CAR0226",
    severity: Severity::Error,
    title: "a document lacks apiVersion or kind",
    explanation: "\
An object needs both `apiVersion` and `kind`. A document with neither is no object, and is
ignored; one with half of it is taken for a mistake.

Bad:

    kind: CatalogEntrySet
    metadata:
      name: redis

Good:

    apiVersion: catalog.kubecarrier.io/v1alpha1
    kind: CatalogEntrySet
    metadata:
      name: redis
",
};

/// The same object twice.
pub static DUPLICATE_OBJECT: Code = Code {
    id: "CAR0230",
    severity: Severity::Error,
    title: "the same object is written twice",
    explanation: "\
Two documents describe the object of one kind, namespace and name. Which of them counts
would depend on the order of the files, so neither does. Remove or rename one.

Bad, in two files:

    kind: Account
    metadata:
      name: team-a

Good: one file, or two names.
",
};

/// An exposure without fields.
pub static NOTHING_EXPOSED: Code = Code {
    id: "CAR0231",
    severity: Severity::Error,
    title: "an exposure has no fields",
    explanation: "\
Each item of `derive.expose` names at least one field, in `fields` or in `defaults`. To let
tenants have the whole object, leave `derive` out.

Bad:

    derive:
      expose:
        - versions: [v1]

Good:

    derive:
      expose:
        - versions: [v1]
          fields:
            - jsonPath: .spec.size
",
};

/// A condition of a selector that cannot be.
pub static SELECTOR: Code = Code {
    id: "CAR0232",
    severity: Severity::Error,
    title: "a selector's condition contradicts itself",
    explanation: "\
`In` and `NotIn` need values; `Exists` and `DoesNotExist` have none. The API server refuses
such a selector wherever it checks it.

Bad:

    matchExpressions:
      - {key: tier, operator: Exists, values: [gold]}

Good:

    matchExpressions:
      - {key: tier, operator: In, values: [gold]}
",
};

/// A provider's account without metadata.
pub static PROVIDER_NOT_SHOWN: Code = Code {
    id: "CAR0233",
    severity: Severity::Error,
    title: "a provider needs metadata",
    explanation: "\
A provider is shown to its tenants, by `spec.metadata.displayName` at least. Only an
account that is nothing but a tenant can do without.

Bad:

    kind: Account
    spec:
      roles: [Provider]

Good:

    kind: Account
    spec:
      metadata:
        displayName: The A Team
      roles: [Provider]
",
};

/// An object that passed every check and still could not be read.
pub static NOT_READ: Code = Code {
    id: "CAR0234",
    severity: Severity::Error,
    title: "an object could not be read",
    explanation: "\
The object passed every check of its form and still could not be read. This is a gap in
carrier's checks: please report it, with the object.
",
};
