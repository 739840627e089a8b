//! `CAR03xx`: deriving the tenants' CRDs from an exposure.

use super::Code;
use crate::model::codes::Severity::{self, Error, Info, Warning};

const fn code(id: &'static str, severity: Severity, title: &'static str, explanation: &'static str) -> Code {
    Code { id, severity, title, explanation }
}

/// An exposed path matches nothing in the CRD.
pub static UNKNOWN_PATH: Code = code(
    "CAR0301",
    Error,
    "an exposed path matches no field of the CRD",
    "The path names a field that this version of the CRD does not have. Such a path would expose nothing, and a typing\n\
     error would hide a field unnoticed.\n\n\
     Fix: correct the name; the message lists the most similar ones. `carrier fields CRD` prints all of them.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.replica\n# good\n- jsonPath: .spec.replicas\n```\n",
);

/// A path has a syntax error.
pub static PATH_SYNTAX: Code = code(
    "CAR0302",
    Error,
    "a path has a syntax error",
    "A path consists of `.name`, `['any name']`, `[]` for every item of a list and `.*` for every value of a map.\n\
     Indices, slices, filters and `..` select positions or values; only fields can be exposed.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.listeners[0].port\n# good\n- jsonPath: .spec.listeners[].port\n```\n",
);

/// A path continues through a list or a map without `[]` or `.*`.
pub static NEEDS_ITEMS: Code = code(
    "CAR0303",
    Error,
    "a path continues through a list or a map without `[]` or `.*`",
    "A field on the path is a list or a map, and the path continues as if it were an object. KubeCarrier ignored such\n\
     paths silently.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.listeners.port\n# good\n- jsonPath: .spec.listeners[].port\n```\n",
);

/// `[]` follows a field that is not a list, or `.*` one that is not a map.
pub static NOT_A_LIST: Code = code(
    "CAR0304",
    Error,
    "`[]` follows a field that is not a list, or `.*` one that is not a map",
    "`[]` selects every item of a list and `.*` every value of a map. The field is neither.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.service[].type\n# good\n- jsonPath: .spec.service.type\n```\n",
);

/// A path continues below a field without a schema.
pub static UNDESCRIBED: Code = code(
    "CAR0305",
    Error,
    "a path continues below a field whose content the CRD does not describe",
    "The field accepts any content (`x-kubernetes-preserve-unknown-fields`), so the schema has no fields below it. carrier\n\
     cannot expose a part of it and hide the rest.\n\n\
     Fix: expose the field itself with all of its content, or do not expose it. If the CRD describes nothing at all, leave\n\
     `derive` out: then tenants have the whole object.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.values.replicas\n# good\n- jsonPath: .spec.values\n```\n",
);

/// Another path already exposes this one.
pub static REDUNDANT_PATH: Code = code(
    "CAR0306",
    Warning,
    "another path already exposes this path",
    "The path is listed twice, or a shorter path already exposes it. Without it the result is the same. A reader of the\n\
     list could conclude that only the longer path is exposed.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.global\n- jsonPath: .spec.global.image\n# good\n- jsonPath: .spec.global\n```\n",
);

/// `apiVersion`, `kind` or `metadata` is listed.
pub static ALWAYS_EXPOSED: Code = code(
    "CAR0307",
    Warning,
    "`apiVersion`, `kind` and `metadata` are always exposed",
    "Every object has these fields, so a path to one of them has no effect.\n\n\
     Fix: remove the line.\n",
);

/// A single key of a map is exposed.
pub static MAP_KEY: Code = code(
    "CAR0308",
    Warning,
    "a single key of a map is exposed",
    "The field is a map whose keys the tenant chooses. If one key is exposed, the field becomes an object with that one\n\
     field: its type changes, and validation rules on the map are dropped.\n\n\
     Fix: expose the map itself, or every value with `.*`. Keep the path if exposing one key is intended.\n",
);

/// A map is exposed by key and by value.
pub static MAP_KEY_AND_VALUES: Code = code(
    "CAR0309",
    Error,
    "a map is exposed both by key and by value",
    "In a structural schema an object has either named properties or values of one schema, never both: the API server\n\
     rejects the combination.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.storages.main\n- jsonPath: .spec.storages.*.size\n# good\n- jsonPath: .spec.storages.*.size\n```\n",
);

/// A required field is hidden and has no value.
pub static UNFULFILLABLE: Code = code(
    "CAR0310",
    Error,
    "a required field is neither exposed nor given a value",
    "The CRD requires the field, tenants cannot see it, and nothing sets it. The service cluster would reject every object\n\
     that a tenant creates. KubeCarrier compiled such an exposure, and no instance was ever created.\n\n\
     There are three ways to fix it: expose the field, give it a default that tenants can override, or give it a preset\n\
     that only the provider sees.\n\n\
     ```yaml\nexpose:\n- versions: [v1]\n  fields:\n  - jsonPath: .spec.instances\n  presets:\n  - jsonPath: .spec.storage.size\n    value: 10Gi\n```\n",
);

/// All members of a union are hidden.
pub static UNION_HIDDEN: Code = code(
    "CAR0311",
    Error,
    "all alternatives of a required choice are hidden",
    "The CRD requires one of several fields (`oneOf`, `anyOf`), and the exposure hides all of them. No instance can be\n\
     valid.\n\n\
     Fix: expose at least one of the fields listed, or give one of them a preset.\n",
);

/// A CEL rule refers to a hidden field.
pub static RULE_DROPPED: Code = code(
    "CAR0312",
    Warning,
    "a validation rule is dropped because it refers to a hidden field",
    "A rule that refers to a field outside the schema does not compile, and the API server rejects the whole CRD. The\n\
     rule stays in force on the internal CRD and in the service cluster: an object that violates it is rejected there, and\n\
     not when the tenant creates it.\n\n\
     Fix: expose the fields listed if tenants should get the error immediately.\n",
);

/// The message of a CEL rule refers to a hidden field.
pub static RULE_MESSAGE_DROPPED: Code = code(
    "CAR0313",
    Warning,
    "the message or field path of a validation rule is dropped because it refers to a hidden field",
    "The rule itself stays. Its `messageExpression` or `fieldPath` refers to a hidden field and would not compile.\n\n\
     Fix: expose the fields listed if tenants should get the original message of the CRD.\n",
);

/// A default contains hidden fields.
pub static DEFAULT_DROPPED: Code = code(
    "CAR0314",
    Warning,
    "a default is dropped because it sets hidden fields",
    "The default of an object or a list sets hidden fields, or is not valid without them. A reduced default would differ\n\
     from the one of the CRD, so it is dropped: the field stays absent, and the service cluster applies its own default.\n\n\
     Fix: expose the object or list itself to keep its default.\n",
);

/// A printer column refers to a hidden field.
pub static COLUMN_DROPPED: Code = code(
    "CAR0315",
    Warning,
    "a printer column is dropped because it refers to a hidden field",
    "`kubectl get` would print an empty column.\n\n\
     Fix: expose the field, or accept that the column is dropped.\n",
);

/// The scale subresource refers to hidden fields.
pub static SCALE_DROPPED: Code = code(
    "CAR0316",
    Warning,
    "the scale subresource is dropped, in whole or in part, because it refers to a hidden field",
    "Scaling needs both replica fields. An autoscaler would read 0 from a hidden field, and the value that it writes would\n\
     be pruned.\n\n\
     Fix: expose the fields listed if tenants should be able to scale.\n",
);

/// A selectable field is hidden.
pub static SELECTABLE_DROPPED: Code = code(
    "CAR0317",
    Warning,
    "a selectable field is dropped because it is hidden",
    "`kubectl get --field-selector` works on visible fields only, and the API server rejects a CRD whose selectable fields\n\
     are not in its schema.\n\n\
     Fix: expose the field, or accept that tenants cannot select by it.\n",
);

/// A value validation depends on hidden fields.
pub static VALIDATION_DROPPED: Code = code(
    "CAR0318",
    Warning,
    "a validation is dropped because it depends on hidden fields",
    "A `oneOf`, `anyOf`, `allOf`, `not` or `enum` refers to fields of which some are hidden and may nevertheless have a\n\
     value. The validation stays in force on the internal CRD and in the service cluster.\n\n\
     Fix: expose the fields listed if tenants should get the error immediately.\n",
);

/// `minProperties` exceeds the number of visible fields.
pub static COUNT_LOWERED: Code = code(
    "CAR0319",
    Warning,
    "`minProperties` is lowered to the number of visible fields",
    "The CRD requires more fields than are visible. The service cluster still requires them and may reject the object,\n\
     unless defaults or presets set the others.\n\n\
     Fix: expose more of the object's fields.\n",
);

/// The keys of a list-map are exposed implicitly.
pub static LIST_KEYS_ADDED: Code = code(
    "CAR0320",
    Info,
    "the keys of a list are exposed along with its items",
    "These fields identify the items of the list (`x-kubernetes-list-map-keys`). The API server rejects a CRD without\n\
     them, so they are always exposed with the items.\n\n\
     Fix: list the keys in `fields` to make this explicit; the result is the same.\n",
);

/// The items of a set are exposed in part.
pub static SET_MADE_ATOMIC: Code = code(
    "CAR0321",
    Warning,
    "a set becomes an atomic list because only a part of its items is visible",
    "Without their hidden fields two items may be equal, and a set rejects equal items. In the service cluster the list is\n\
     still a set: equal items are rejected there.\n\n\
     Fix: expose the list itself to keep it a set.\n",
);

/// A part of an atomic list or object is exposed.
pub static ATOMIC_LIST: Code = code(
    "CAR0322",
    Warning,
    "a part of an atomic list or object is exposed",
    "The list has no keys, or the object is atomic, so every write replaces it as a whole. Hidden fields that another\n\
     writer has set are lost at the next change. Fields that the CRD or a preset sets are restored.\n\n\
     Fix: expose it as a whole, or accept this if there is no other writer.\n",
);

/// A part of an object that preserves unknown fields is exposed.
pub static PRESERVE_DROPPED: Code = code(
    "CAR0323",
    Warning,
    "an object that preserves unknown fields is restricted to the exposed fields",
    "The CRD allows fields in the object that its schema does not describe. If the derived CRD allowed them too, tenants\n\
     could set hidden fields. Tenants can set the exposed fields only.\n\n\
     Fix: expose the object itself if tenants may set any field in it.\n",
);

/// A field without a schema is exposed as a whole.
pub static FREE_FORM: Code = code(
    "CAR0324",
    Warning,
    "an exposed field accepts any content",
    "The CRD does not describe the content of the field, so tenants control everything in it, including what a later\n\
     release of the operator reads from it.\n\n\
     Fix: expose described fields instead, or accept this with `# carrier: ignore[CAR0324] reason`.\n",
);

/// A part of an embedded object is exposed.
pub static EMBEDDED_PARTIAL: Code = code(
    "CAR0325",
    Warning,
    "a part of an embedded Kubernetes object is exposed",
    "The field contains a complete Kubernetes object. Its `apiVersion`, `kind` and `metadata` are always exposed and\n\
     required, independent of the paths.\n\n\
     Fix: expose the field itself.\n",
);

/// A CEL rule exceeds the cost budget once fields are hidden.
pub static RULE_TOO_COSTLY: Code = code(
    "CAR0326",
    Warning,
    "a validation rule is dropped because it exceeds the cost budget of the API server without the hidden fields",
    "The API server estimates the worst-case cost of a rule from the minimum size of the items that it visits. Without\n\
     hidden required fields the items are smaller, more of them fit into a request, and a rule within the budget may exceed\n\
     it. The API server would reject the CRD. The rule stays in force in the service cluster.\n\n\
     Fix: expose the required fields of the items if tenants should get the error immediately.\n",
);

/// An integer format contradicts the bounds of its field.
pub static FORMAT_DROPPED: Code = code(
    "CAR0327",
    Warning,
    "a format is dropped because it contradicts the bounds of its field",
    "The field has `format: int32` and a bound outside the range of 32-bit integers. API servers up to 1.35 ignore the\n\
     format; from 1.36 on they reject every instance. Without the format the bounds apply as the authors of the CRD\n\
     intended.\n\n\
     Fix: report it to the authors of the CRD; suppress the warning with `# carrier: ignore[CAR0327] reason`.\n",
);

/// An exposed field can have no value.
pub static UNUSABLE_FIELD: Code = code(
    "CAR0328",
    Error,
    "an exposed field can have no value",
    "The CRD gives the field bounds that contradict each other, or a bound or a factor that its own type cannot have. API\n\
     servers take such a CRD, and refuse every object that sets the field: the bounds of an `integer` must fit into 64 bits\n\
     (with `format: int32` into 32), where 9223372036854775807 counts as too large, because bounds are stored as\n\
     floating-point numbers; `multipleOf` must be a positive integer there.\n\n\
     Fix: take the field out of `fields`, or expose the fields beside it one by one; report it to the authors of the CRD.\n",
);

/// Two CEL rules of a field have the same text.
pub static RULE_TWICE: Code = code(
    "CAR0329",
    Warning,
    "a validation rule is dropped because the field has another one with the same text",
    "A CRD may be created with such rules, but server-side apply tells the rules of a field apart by their text and refuses\n\
     the CRD. The first rule stays, with its message; whatever violates it is still rejected.\n\n\
     Fix: report it to the authors of the CRD; suppress the warning with `# carrier: ignore[CAR0329] reason`.\n",
);

/// The CRD does not have an exposed version.
pub static UNKNOWN_VERSION: Code = code(
    "CAR0330",
    Error,
    "the CRD does not have this version",
    "The exposure names a version that the CRD in the service cluster does not have.\n\n\
     Fix: use one of the versions listed, or import the CRD from a release that has the version, with `carrier lock --from FILE`.\n",
);

/// An exposed version is not served.
pub static VERSION_NOT_SERVED: Code = code(
    "CAR0331",
    Error,
    "the version is not served",
    "The CRD has the version but does not serve it, so objects cannot be written in it.\n\n\
     Fix: expose a served version.\n",
);

/// Two items of `expose` have the same version.
pub static VERSION_TWICE: Code = code(
    "CAR0332",
    Error,
    "a version is listed in two items of `expose`",
    "Each version has one list of fields. KubeCarrier used the last one for the schema and the first one for copying.\n\n\
     Fix: put all fields of the version into one item.\n",
);

/// Exposed versions have different schemas.
pub static VERSIONS_DIFFER: Code = code(
    "CAR0333",
    Error,
    "the exposed versions have different schemas",
    "The management cluster converts between versions by changing `apiVersion` only. A field that the storage version does\n\
     not have would be lost silently on every write.\n\n\
     Fix: expose one version. The service cluster converts between its versions itself.\n",
);

/// A conversion webhook converts between exposed versions.
pub static WEBHOOK_CONVERSION: Code = code(
    "CAR0334",
    Warning,
    "several versions are exposed of a CRD that is converted by a webhook",
    "The exposed fields have the same schema in all versions, but the operator converts between the versions with a\n\
     webhook, so a field can have a different meaning in each. The management cluster changes `apiVersion` only.\n\n\
     Fix: expose one version.\n",
);

/// The CRD is cluster-scoped.
pub static CLUSTER_SCOPED: Code = code(
    "CAR0340",
    Error,
    "the CRD is cluster-scoped",
    "Tenants are isolated by namespace. The objects of a cluster-scoped CRD share one set of names among all tenants and\n\
     have no owner, so the CRD cannot be offered.\n\n\
     Fix: offer a namespaced CRD.\n",
);

/// An API server would refuse the CRD.
pub static INVALID_CRD: Code = code(
    "CAR0341",
    Error,
    "an API server would refuse the CustomResourceDefinition",
    "carrier checks a CRD as an API server does: types of values, group, names, versions, printer columns, subresources,\n\
     defaults and CEL rules. What is made of a CRD that violates a rule would be refused when it is applied. A CRD that a\n\
     service cluster has was accepted there, perhaps by an older version of Kubernetes.\n\n\
     Fix: import the CRD from a newer release of the operator, or correct the file, with `carrier lock --from FILE`.\n",
);

/// The schema of a CRD is not structural.
pub static NON_STRUCTURAL: Code = code(
    "CAR0342",
    Error,
    "the CRD's schema is not structural",
    "API servers refuse a schema in which a field has no type, an array has no items, an object has both `properties` and\n\
     `additionalProperties`, or `allOf`, `anyOf`, `oneOf` or `not` do more than restrict values. The internal CRD is a copy\n\
     and would be refused, too.\n\n\
     Fix: import the CRD from a newer release of the operator, or correct the file, with `carrier lock --from FILE`.\n",
);

/// A CRD is larger than a request to etcd may be.
pub static CRD_TOO_LARGE: Code = code(
    "CAR0343",
    Warning,
    "a CRD is larger than etcd accepts by default",
    "The API server stores a CRD as JSON in one request to etcd, which accepts 1.5 MiB unless it was started with another\n\
     `--max-request-bytes`. A dry run does not reach etcd, so only `carrier apply` would fail: `etcdserver: request is too\n\
     large`. carrier counts the JSON as the API server writes it, and leaves 4 KiB for the status and the managed fields.\n\n\
     Fix: expose fewer fields, or fewer versions, of the CRD; the internal CRD has all fields of one version, so if that is too\n\
     large, start the etcd of the management cluster with a greater `--max-request-bytes`.\n",
);

/// It is not known whether an API server takes a CRD.
pub static CRD_UNJUDGED: Code = code(
    "CAR0344",
    Warning,
    "carrier cannot tell whether an API server takes the CRD",
    "A part of the CRD can be judged by an API server alone, such as the cost of a CEL rule over a list without `maxItems`, or\n\
     whether a default satisfies a CEL rule.\n\n\
     Fix: try it: `carrier plan` asks the management cluster in a dry run. If the CRD is in a service cluster, that cluster has\n\
     accepted it; suppress the warning with `# carrier: ignore[CAR0344] reason`.\n",
);

/// An API server drops parts of a CRD.
pub static CRD_UNKNOWN_FIELDS: Code = code(
    "CAR0345",
    Warning,
    "a CRD has fields that API servers drop",
    "A CRD in a file has keys that `apiextensions.k8s.io/v1` does not have, such as `readOnly` in a schema or `spec.version` of\n\
     `v1beta1`. An API server stores the CRD without them, and the snapshot is what a server would store. carrier reports\n\
     them once for each CRD.\n\n\
     Fix: nothing is needed. Tell the authors of the CRD, since `kubectl apply --server-side` refuses such a file.\n",
);

/// A default does not match the schema of its field.
pub static DEFAULT_INVALID: Code = code(
    "CAR0350",
    Error,
    "a default is not valid for its field",
    "The value does not match the schema of the field; the API server would reject the derived CRD.\n\n\
     ```yaml\n# bad: .spec.size is an integer\n- jsonPath: .spec.size\n  value: \"3\"\n# good\n- jsonPath: .spec.size\n  value: 3\n```\n",
);

/// A preset does not match the schema of its field.
pub static PRESET_INVALID: Code = code(
    "CAR0351",
    Error,
    "a preset is not valid for its field",
    "The value does not match the schema of the field; the service cluster would reject every object.\n\n\
     Fix: use a value of the type and within the bounds that the message names.\n",
);

/// A field has a preset and is exposed.
pub static PRESET_VISIBLE: Code = code(
    "CAR0352",
    Error,
    "a field that tenants can see has a preset",
    "Only the provider sets a preset. A field that is also exposed would have two owners.\n\n\
     Fix: use `defaults` for a value that tenants can override, or remove the field from `fields`.\n",
);

/// A default or a preset is set in `metadata` or `status`.
pub static VALUE_PLACE: Code = code(
    "CAR0353",
    Error,
    "a default or a preset is set outside the desired state",
    "The tenant owns `metadata`, and the service reports `.status`. Neither accepts values from the catalog.\n\n\
     Fix: remove the item.\n",
);

/// A field has two defaults or presets.
pub static VALUE_TWICE: Code = code(
    "CAR0354",
    Error,
    "a field has two values",
    "Two defaults or presets set the same field, or a field and one below it. The result would depend on their order.\n\n\
     Fix: keep one of them.\n",
);

/// A default or preset is not checked against the CEL rules of its field.
pub static VALUE_UNCHECKED: Code = code(
    "CAR0355",
    Warning,
    "a default or preset is not checked against the validation rules of its field",
    "The CRD has CEL rules (`x-kubernetes-validations`) for the field or for fields of the value. Only the API server evaluates\n\
     them. A value that violates a rule is detected when the first tenant creates an object: with a preset every object is\n\
     then rejected, with a default every one that does not set the field.\n\n\
     Fix: create one object with this value in the service cluster; `kubectl apply --dry-run=server` is sufficient. Then suppress\n\
     the warning with `# carrier: ignore[CAR0355] reason`.\n",
);

/// Whether a default or a preset is valid cannot be decided here.
pub static VALUE_UNJUDGED: Code = code(
    "CAR0356",
    Warning,
    "only an API server can tell whether a default or a preset is valid",
    "carrier judges values as the API server does, apart from a few that would need all of the server's libraries: e-mail\n\
     addresses with quotes, comments or names, patterns too large to be tried, managed fields. Others are valid for newer API\n\
     servers only: 1.15 is a multiple of 0.01 from Kubernetes 1.37 on. The message names the field and what is not certain.\n\n\
     Fix: create one object with this value in the service cluster; `kubectl apply --dry-run=server` is sufficient. Then suppress\n\
     the warning with `# carrier: ignore[CAR0356] reason`.\n",
);

/// No field of the status is exposed.
pub static STATUS_HIDDEN: Code = code(
    "CAR0360",
    Info,
    "no field of the status is exposed",
    "Tenants see whether their object is synced (condition `Synced` in `.status.conditions`), but nothing that the service\n\
     itself reports.\n\n\
     Fix: add paths below `.status` if tenants should see them.\n",
);

/// `.status.conditions` cannot store the condition `Synced`.
pub static CONDITIONS_UNFIT: Code = code(
    "CAR0361",
    Warning,
    "the CRD's own `.status.conditions` cannot hold the condition `Synced`",
    "A condition in `.status.conditions` reports whether an object is synced. The exposed field of that name has another\n\
     schema, so the tenant gets Events only.\n\n\
     Fix: do not expose `.status.conditions`.\n",
);

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[
    &UNKNOWN_PATH,
    &PATH_SYNTAX,
    &NEEDS_ITEMS,
    &NOT_A_LIST,
    &UNDESCRIBED,
    &REDUNDANT_PATH,
    &ALWAYS_EXPOSED,
    &MAP_KEY,
    &MAP_KEY_AND_VALUES,
    &UNFULFILLABLE,
    &UNION_HIDDEN,
    &RULE_DROPPED,
    &RULE_MESSAGE_DROPPED,
    &DEFAULT_DROPPED,
    &COLUMN_DROPPED,
    &SCALE_DROPPED,
    &SELECTABLE_DROPPED,
    &VALIDATION_DROPPED,
    &COUNT_LOWERED,
    &LIST_KEYS_ADDED,
    &SET_MADE_ATOMIC,
    &ATOMIC_LIST,
    &PRESERVE_DROPPED,
    &FREE_FORM,
    &EMBEDDED_PARTIAL,
    &RULE_TOO_COSTLY,
    &FORMAT_DROPPED,
    &UNUSABLE_FIELD,
    &RULE_TWICE,
    &UNKNOWN_VERSION,
    &VERSION_NOT_SERVED,
    &VERSION_TWICE,
    &VERSIONS_DIFFER,
    &WEBHOOK_CONVERSION,
    &CLUSTER_SCOPED,
    &INVALID_CRD,
    &NON_STRUCTURAL,
    &CRD_TOO_LARGE,
    &CRD_UNJUDGED,
    &CRD_UNKNOWN_FIELDS,
    &DEFAULT_INVALID,
    &PRESET_INVALID,
    &PRESET_VISIBLE,
    &VALUE_PLACE,
    &VALUE_TWICE,
    &VALUE_UNCHECKED,
    &VALUE_UNJUDGED,
    &STATUS_HIDDEN,
    &CONDITIONS_UNFIT,
];
