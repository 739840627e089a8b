//! `CAR0201`–`CAR0249`: single objects, their fields and names.

use super::Code;
use crate::model::codes::Severity;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[
    &UNKNOWN_FIELD,
    &MISSING_FIELD,
    &WRONG_TYPE,
    &NOT_LISTED,
    &LENGTH,
    &FORM,
    &DUPLICATE_ITEM,
    &INVALID_NAME,
    &NAMESPACE_NOT_ALLOWED,
    &NO_NAMESPACE,
    &GENERATE_NAME,
    &INVALID_LABEL,
    &SERVER_FIELD,
    &STATUS_IGNORED,
    &WRONG_VERSION,
    &UNKNOWN_KIND,
    &SIMILAR_GROUP,
    &RENDERED_KIND,
    &RETIRED_KIND,
    &OPERATOR_KIND,
    &INCOMPLETE_OBJECT,
    &DUPLICATE_OBJECT,
    &NOTHING_EXPOSED,
    &SELECTOR,
    &PROVIDER_WITHOUT_METADATA,
    &NOT_READ,
    &DELETION_POLICY,
    &RESERVED_KEY,
];

/// A kind does not have a field.
pub static UNKNOWN_FIELD: Code = Code {
    id: "CAR0201",
    severity: Severity::Error,
    title: "the kind does not have this field",
    explanation: "\
The API server would drop the field silently, and its value would have no effect. Usually the
name is misspelled, or the field is one level too deep or too high.

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

/// A required field is missing.
pub static MISSING_FIELD: Code = Code {
    id: "CAR0202",
    severity: Severity::Error,
    title: "a required field is missing",
    explanation: "\
The kind requires this field. The location is the object or block that must contain it.

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

/// A value has the wrong type.
pub static WRONG_TYPE: Code = Code {
    id: "CAR0203",
    severity: Severity::Error,
    title: "a value has the wrong type",
    explanation: "\
The field requires a value of another type. Common mistakes are a single value instead of a
list, a string instead of a mapping, and an empty value (`null`). To leave a field unset, omit
it.

Bad:

    roles: Provider

Good:

    roles: [Provider]
",
};

/// A value is not in the list of allowed values.
pub static NOT_LISTED: Code = Code {
    id: "CAR0204",
    severity: Severity::Error,
    title: "a value is not one of the allowed values",
    explanation: "\
The field has a list of allowed values, which are case-sensitive.

Bad:

    roles: [provider]

Good:

    roles: [Provider]
",
};

/// A value is empty, too short or too long.
pub static LENGTH: Code = Code {
    id: "CAR0205",
    severity: Severity::Error,
    title: "a value is too short or too long",
    explanation: "\
The text, list or mapping is shorter or longer than the field allows. Usually it is empty
where a value is required.

Bad:

    subjects: []

Good:

    subjects:
      - kind: User
        name: hannibal
        apiGroup: rbac.authorization.k8s.io
",
};

/// A text does not have the required format.
pub static FORM: Code = Code {
    id: "CAR0206",
    severity: Severity::Error,
    title: "a text does not have the required format",
    explanation: "\
The text must match a pattern, or be base64.

Bad:

    derive:
      plural: My Databases

Good:

    derive:
      plural: mydatabases
",
};

/// A list of unique items has an item twice.
pub static DUPLICATE_ITEM: Code = Code {
    id: "CAR0207",
    severity: Severity::Error,
    title: "a duplicate item in a list",
    explanation: "\
The items of this list must be unique.

Bad:

    roles: [Tenant, Tenant]

Good:

    roles: [Tenant]
",
};

/// A name is not valid.
pub static INVALID_NAME: Code = Code {
    id: "CAR0210",
    severity: Severity::Error,
    title: "a name is not valid",
    explanation: "\
Names consist of lower-case letters, digits and `-`. The names of accounts, service clusters
and tenants must not contain dots and have at most 63 characters: an account's name is the
name of its namespace, and both become parts of API groups such as `eu-west-1.team-a`.

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

/// An object of a cluster-scoped kind has a namespace.
pub static NAMESPACE_NOT_ALLOWED: Code = Code {
    id: "CAR0211",
    severity: Severity::Error,
    title: "a cluster-scoped object has a namespace",
    explanation: "\
Accounts are cluster-scoped. Remove `metadata.namespace`.

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

/// An object has no namespace.
pub static NO_NAMESPACE: Code = Code {
    id: "CAR0212",
    severity: Severity::Error,
    title: "an object has no namespace",
    explanation: "\
The object belongs to a provider, and its namespace is the one of the provider's account. Set
it in `metadata.namespace`, or by the folder: if the field is absent, the namespace is the
name of the nearest parent folder that has the name of an account with the role Provider.

Bad, in `catalogs/default.yaml`:

    kind: Catalog
    metadata:
      name: default

Good, in the same file, or in `team-a/default.yaml` without the namespace:

    kind: Catalog
    metadata:
      name: default
      namespace: team-a
",
};

/// An object uses `generateName`.
pub static GENERATE_NAME: Code = Code {
    id: "CAR0213",
    severity: Severity::Error,
    title: "generateName cannot be used",
    explanation: "\
With `generateName` every apply would create another object, and no object could refer to
one. Use `name`.

Bad:

    metadata:
      generateName: catalog-

Good:

    metadata:
      name: catalog
",
};

/// A label or annotation is not valid.
pub static INVALID_LABEL: Code = Code {
    id: "CAR0214",
    severity: Severity::Error,
    title: "a label or annotation is not valid",
    explanation: "\
The key of a label has up to 63 letters, digits, `-`, `_` and `.`, with an optional prefix, a
domain followed by `/`. Its value has the same characters, or is empty. Annotations have keys
of the same form and any text as value. The same rules apply to selectors.

Bad:

    labels:
      tier: very good

Good:

    labels:
      tier: very-good
",
};

/// A field of the metadata is set by the API server only.
pub static SERVER_FIELD: Code = Code {
    id: "CAR0215",
    severity: Severity::Info,
    title: "a field that only the API server sets is ignored",
    explanation: "\
The field describes an object in a cluster, not the desired object, and is ignored. Such
fields are part of the output of `kubectl get -o yaml`; remove them.

Bad:

    metadata:
      name: team-a
      uid: 7d2f0f3c-1f0e-4c55-9d2c-0a51a6ad7c07

Good:

    metadata:
      name: team-a
",
};

/// A source object has a status.
pub static STATUS_IGNORED: Code = Code {
    id: "CAR0216",
    severity: Severity::Warning,
    title: "the status of a source object is ignored",
    explanation: "\
The status is the observed state of an object in a cluster. In a source file it is not used
and not written. Remove it.

Bad:

    kind: Account
    status:
      phase: Ready

Good:

    kind: Account
",
};

/// A KubeCarrier kind has a version that does not exist.
pub static WRONG_VERSION: Code = Code {
    id: "CAR0220",
    severity: Severity::Error,
    title: "the kind does not have this version",
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

/// A KubeCarrier group does not have a kind.
pub static UNKNOWN_KIND: Code = Code {
    id: "CAR0221",
    severity: Severity::Error,
    title: "the group does not have this kind",
    explanation: "\
The group is one of KubeCarrier's, and it does not have this kind: the name is misspelled, in
the plural, or belongs to the other group. ServiceCluster is in `kubecarrier.io`, the other
kinds that users write are in `catalog.kubecarrier.io`.

Bad:

    apiVersion: catalog.kubecarrier.io/v1alpha1
    kind: CatalogEntrySets

Good:

    apiVersion: catalog.kubecarrier.io/v1alpha1
    kind: CatalogEntrySet
",
};

/// An object's group is similar to one of KubeCarrier's, and the object is ignored.
pub static SIMILAR_GROUP: Code = Code {
    id: "CAR0222",
    severity: Severity::Warning,
    title: "an object has a group similar to one of KubeCarrier's, and is ignored",
    explanation: "\
The kind is one of KubeCarrier's, and the group is similar to one of KubeCarrier's. carrier
ignores objects of other groups.

Bad:

    apiVersion: catalog.kubecarier.io/v1alpha1
    kind: Account

Good:

    apiVersion: catalog.kubecarrier.io/v1alpha1
    kind: Account
",
};

/// An object has a kind that carrier renders.
pub static RENDERED_KIND: Code = Code {
    id: "CAR0223",
    severity: Severity::Error,
    title: "carrier renders the objects of this kind",
    explanation: "\
carrier computes Offerings, Providers, Regions and ServiceClusterAssignments from the
catalogs and writes them to the output. An object in a source file would contradict them.
Remove it, and let a Catalog select the entry and the tenant.

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

/// An object has a kind of KubeCarrier that carrier does not use.
pub static RETIRED_KIND: Code = Code {
    id: "CAR0224",
    severity: Severity::Error,
    title: "a kind of KubeCarrier that carrier does not use",
    explanation: "\
These kinds are internal to KubeCarrier. The block `derive` of a CatalogEntry or
CatalogEntrySet replaces DerivedCustomResource. The block `discover` of a CatalogEntrySet and
the snapshots of `carrier lock` replace CustomResourceDiscovery and
CustomResourceDiscoverySet.

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

/// An object configures KubeCarrier's operator.
pub static OPERATOR_KIND: Code = Code {
    id: "CAR0225",
    severity: Severity::Warning,
    title: "an object of KubeCarrier's operator is ignored",
    explanation: "\
These objects configure the components of KubeCarrier: its operator, ferry, catapult and
elevator. carrier does not install any of them. Remove the object.

Bad:

    apiVersion: operator.kubecarrier.io/v1alpha1
    kind: KubeCarrier

Good: no object of this group.
",
};

/// A document has only one of `apiVersion` and `kind`.
pub static INCOMPLETE_OBJECT: Code = Code {
    id: "CAR0226",
    severity: Severity::Error,
    title: "a document has no apiVersion or no kind",
    explanation: "\
An object needs both `apiVersion` and `kind`. A document with neither is not an object and is
ignored; a document with only one of them is considered a mistake.

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

/// An object is defined twice.
pub static DUPLICATE_OBJECT: Code = Code {
    id: "CAR0230",
    severity: Severity::Error,
    title: "an object is defined twice",
    explanation: "\
Two documents define the same kind, namespace and name. The result would depend on the order
of the files, so neither is used. Remove or rename one.

Bad, in two files:

    kind: Account
    metadata:
      name: team-a

Good: one file, or two names.
",
};

/// An exposure has no fields.
pub static NOTHING_EXPOSED: Code = Code {
    id: "CAR0231",
    severity: Severity::Error,
    title: "an exposure has no fields",
    explanation: "\
Each item of `derive.expose` must list at least one field, in `fields` or in `defaults`. To
expose the whole object, omit `derive`.

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

/// A requirement of a selector is not valid.
pub static SELECTOR: Code = Code {
    id: "CAR0232",
    severity: Severity::Error,
    title: "a selector's requirement is not valid",
    explanation: "\
`In` and `NotIn` require values; `Exists` and `DoesNotExist` must not have any. The API server
rejects such a selector.

Bad:

    matchExpressions:
      - {key: tier, operator: Exists, values: [gold]}

Good:

    matchExpressions:
      - {key: tier, operator: In, values: [gold]}
",
};

/// A provider's account has no metadata.
pub static PROVIDER_WITHOUT_METADATA: Code = Code {
    id: "CAR0233",
    severity: Severity::Error,
    title: "a provider needs metadata",
    explanation: "\
Tenants see a provider by its `spec.metadata.displayName`. Only an account without the role
Provider can omit `spec.metadata`.

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

/// An object passed all checks and could not be read.
pub static NOT_READ: Code = Code {
    id: "CAR0234",
    severity: Severity::Error,
    title: "an object could not be read",
    explanation: "\
This is a bug in carrier's checks: please report it, with the object.
",
};

/// The default deletion policy is not one of the allowed ones.
pub static DELETION_POLICY: Code = Code {
    id: "CAR0235",
    severity: Severity::Error,
    title: "the default deletion policy is not allowed",
    explanation: "\
`spec.deletionPolicy.allowed` lists the policies that a tenant can choose, and the default must
be one of them. Without `default` it is `Delete`. Without `allowed` tenants can choose
`Delete`, `Block` and the default.

Bad:

    deletionPolicy:
      default: Orphan
      allowed: [Delete, Block]

Good:

    deletionPolicy:
      default: Orphan
      allowed: [Delete, Block, Orphan]
",
};

/// A label or annotation of carrier or of a tool cannot be propagated.
pub static RESERVED_KEY: Code = Code {
    id: "CAR0236",
    severity: Severity::Error,
    title: "a label or annotation that cannot be propagated",
    explanation: "\
Labels and annotations below `kubecarrier.io` show which copy belongs to which instance, those
below `applyset.kubernetes.io` to which ApplySet an object belongs, and the annotation
`kubectl.kubernetes.io/last-applied-configuration` contains the whole object of the tenant. On
a copy they would be wrong. Other keys can be propagated.

Bad:

    propagate:
      labels: [kubecarrier.io/*]

Good:

    propagate:
      labels: [example.com/*]
",
};
