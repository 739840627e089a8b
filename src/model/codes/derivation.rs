//! `CAR03xx`: Deriving the CRDs of an exposure.

use super::Code;
use crate::model::diagnostic::Severity::{self, Error, Info, Warning};

const fn code(id: &'static str, severity: Severity, title: &'static str, explanation: &'static str) -> Code {
    Code { id, severity, title, explanation }
}

/// A path that matches nothing in the CRD.
pub static UNKNOWN_PATH: Code = code(
    "CAR0301",
    Error,
    "exposed path matches no field of the CRD",
    "The path names a field that this version of the CRD does not have. It would expose nothing, so a typing\n\
     error would hide a field without a word.\n\n\
     Fix: correct the name; the message lists the nearest ones. `carrier fields CRD` prints all of them.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.replica\n# good\n- jsonPath: .spec.replicas\n```\n",
);

/// A path that cannot be read.
pub static PATH_SYNTAX: Code = code(
    "CAR0302",
    Error,
    "a path that cannot be read",
    "A path is made of `.name`, `['any name']`, `[]` for every item of a list and `.*` for every value of a map.\n\
     Indices, slices, filters and `..` name positions or values; only fields can be exposed.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.listeners[0].port\n# good\n- jsonPath: .spec.listeners[].port\n```\n",
);

/// A field of a list's items, named without `[]`.
pub static NEEDS_ITEMS: Code = code(
    "CAR0303",
    Error,
    "path goes into a list or a map without `[]` or `.*`",
    "The field on the way is a list or a map, and the path goes on as if it were one object. KubeCarrier dropped\n\
     such a path without a word.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.listeners.port\n# good\n- jsonPath: .spec.listeners[].port\n```\n",
);

/// `[]` on what is no list, `.*` on what is no map.
pub static NOT_A_LIST: Code = code(
    "CAR0304",
    Error,
    "`[]` on a field that is no list, or `.*` on one that is no map",
    "`[]` stands for every item of a list and `.*` for every value of a map. The field is neither.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.service[].type\n# good\n- jsonPath: .spec.service.type\n```\n",
);

/// A path into a field whose content the schema does not describe.
pub static UNDESCRIBED: Code = code(
    "CAR0305",
    Error,
    "path into a field whose content the CRD does not describe",
    "The field may hold anything (`x-kubernetes-preserve-unknown-fields`), so the CRD cannot say what stands below\n\
     it, and a part of it cannot be told from the rest.\n\n\
     Fix: expose the field itself, with all that may stand in it, or leave it out.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.values.replicas\n# good\n- jsonPath: .spec.values\n```\n",
);

/// A path that another one covers.
pub static REDUNDANT_PATH: Code = code(
    "CAR0306",
    Warning,
    "exposed path is covered by another one",
    "The path stands in the list twice, or a shorter one exposes it already. The result is the same without it, in\n\
     any order; but whoever reads the list may believe that only the longer path is exposed.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.global\n- jsonPath: .spec.global.image\n# good\n- jsonPath: .spec.global\n```\n",
);

/// `.metadata` and its like.
pub static ALWAYS_THERE: Code = code(
    "CAR0307",
    Warning,
    "`apiVersion`, `kind` and `metadata` are always exposed",
    "Every object has them, so a path to them changes nothing.\n\nFix: remove the line.\n",
);

/// A single key of a map.
pub static MAP_KEY: Code = code(
    "CAR0308",
    Warning,
    "a single key of a map is exposed",
    "The field is a map with keys of the tenant's choice. Exposing one key makes it an object with that one field:\n\
     its type changes, and validation rules about the map go.\n\n\
     Fix: expose the map itself, or every value with `.*`, or keep it as it is if one key is what you want.\n",
);

/// A key of a map beside a part of every value.
pub static MAP_KEY_AND_VALUES: Code = code(
    "CAR0309",
    Error,
    "a map cannot be exposed by key and by value at once",
    "A schema has either named properties or values of one shape, never both: the API server refuses it.\n\n\
     ```yaml\n# bad\n- jsonPath: .spec.storages.main\n- jsonPath: .spec.storages.*.size\n# good\n- jsonPath: .spec.storages.*.size\n```\n",
);

/// A hidden required field.
pub static UNFULFILLABLE: Code = code(
    "CAR0310",
    Error,
    "a required field is neither exposed nor given a value",
    "The CRD demands the field, tenants cannot see it, and nothing sets it. Everything a tenant creates would be\n\
     refused by the service cluster. KubeCarrier compiled this, and no instance ever came to life.\n\n\
     There are three ways to fix it: expose the field, give it a default that tenants may override, or preset a value\n\
     that only the provider sees.\n\n\
     ```yaml\nexpose:\n- versions: [v1]\n  fields:\n  - jsonPath: .spec.instances\n  presets:\n  - jsonPath: .spec.storage.size\n    value: 10Gi\n```\n",
);

/// A union without a visible member.
pub static UNION_HIDDEN: Code = code(
    "CAR0311",
    Error,
    "every choice that the CRD allows is hidden",
    "The CRD demands one of several fields (`oneOf`, `anyOf`) and the exposure hides all of them, so no instance can\n\
     be valid.\n\nFix: expose at least one of the fields named, or preset one.\n",
);

/// A CEL rule that names what is hidden.
pub static RULE_DROPPED: Code = code(
    "CAR0312",
    Warning,
    "a validation rule is dropped, since it names a hidden field",
    "A rule that names a field which is not there does not compile, and the API server refuses the whole CRD. The\n\
     rule stays in force on the internal CRD and in the service cluster: what it forbids is refused there, later,\n\
     and not when the tenant creates the object.\n\n\
     Fix: expose the fields named if tenants should get the error at once.\n",
);

/// A rule's message that names what is hidden.
pub static RULE_MESSAGE_DROPPED: Code = code(
    "CAR0313",
    Warning,
    "the message or field path of a validation rule is dropped, since it names a hidden field",
    "The rule itself stays. Its `messageExpression` or `fieldPath` names a hidden field and would not compile.\n\n\
     Fix: expose the fields named if tenants should get the message as the CRD has it.\n",
);

/// A default that cannot stay.
pub static DEFAULT_DROPPED: Code = code(
    "CAR0314",
    Warning,
    "a default is dropped, since it sets hidden fields",
    "The default of an object or a list sets fields that are hidden, or is not valid without them. Cut down it would\n\
     be another default than the CRD's own, so it goes: the field stays absent, and the service cluster applies its\n\
     own default.\n\n\
     Fix: expose the object or list itself to keep its default.\n",
);

/// A printer column that reads what is hidden.
pub static COLUMN_DROPPED: Code = code(
    "CAR0315",
    Warning,
    "a column is dropped, since it shows a hidden field",
    "`kubectl get` would print an empty column.\n\nFix: expose the field, or accept that the column goes.\n",
);

/// A scale subresource over hidden fields.
pub static SCALE_DROPPED: Code = code(
    "CAR0316",
    Warning,
    "the scale subresource is dropped in whole or in part, since it reads a hidden field",
    "Scaling needs both replica fields. An autoscaler would read 0 from a hidden one, and what it writes would be\n\
     pruned away.\n\nFix: expose the fields named if tenants should scale.\n",
);

/// A selectable field that is hidden.
pub static SELECTABLE_DROPPED: Code = code(
    "CAR0317",
    Warning,
    "a selectable field is dropped, since it is hidden",
    "`kubectl get --field-selector` works on visible fields only; the API server refuses a CRD that says otherwise.\n\n\
     Fix: expose the field, or accept that tenants cannot select by it.\n",
);

/// A value validation that cannot be said of the visible part.
pub static VALIDATION_DROPPED: Code = code(
    "CAR0318",
    Warning,
    "a validation is dropped, since it cannot be said of the visible part alone",
    "A `oneOf`, `anyOf`, `allOf`, `not` or `enum` compares fields of which some are hidden and may hold a value all\n\
     the same. It stays in force on the internal CRD and in the service cluster.\n\n\
     Fix: expose the fields named if tenants should get the error at once.\n",
);

/// `minProperties` above what is visible.
pub static COUNT_LOWERED: Code = code(
    "CAR0319",
    Warning,
    "`minProperties` is lowered to the number of visible fields",
    "The CRD demands more fields than are visible. The service cluster still demands them, so the object may be\n\
     refused there unless defaults or presets fill the rest.\n\n\
     Fix: expose more of its fields.\n",
);

/// Keys of a list-map that come along.
pub static LIST_KEYS_ADDED: Code = code(
    "CAR0320",
    Info,
    "the keys of a list are exposed along with its items",
    "Items of the list are told apart by these fields (`x-kubernetes-list-map-keys`). Without them the API server\n\
     refuses the CRD, so they are always part of what is exposed.\n\n\
     Fix: name the keys in `fields` to say so in the list; nothing else changes.\n",
);

/// A set whose items lost what told them apart.
pub static SET_MADE_ATOMIC: Code = code(
    "CAR0321",
    Warning,
    "a set becomes a plain list, since only a part of its items is visible",
    "Two items may look the same without their hidden fields, and a set refuses equal items. The service cluster\n\
     still has a set: equal items are refused there.\n\n\
     Fix: expose the list itself to keep it a set.\n",
);

/// Partial items of an atomic list.
pub static ATOMIC_LIST: Code = code(
    "CAR0322",
    Warning,
    "a part of a list or object that is replaced as a whole",
    "The list has no keys, or the object is atomic, so a write replaces all of it: hidden fields that somebody else has set are\n\
     lost at the next change. Fields that the CRD or a preset sets come back.\n\n\
     Fix: expose it as a whole, or accept it where nobody else writes to it.\n",
);

/// A free-form object of which a part is exposed.
pub static PRESERVE_DROPPED: Code = code(
    "CAR0323",
    Warning,
    "an object that may hold anything is cut down to the exposed fields",
    "The CRD lets the object hold fields that it does not describe. If the derived CRD did too, tenants could set\n\
     the hidden ones. They can set the exposed fields and nothing else.\n\n\
     Fix: expose the object itself if tenants may set anything in it.\n",
);

/// A free-form field that is exposed as a whole.
pub static FREE_FORM: Code = code(
    "CAR0324",
    Warning,
    "an exposed field may hold anything",
    "The CRD does not describe what stands in the field, so everything in it is in the tenant's hands, now and after\n\
     every update of the operator.\n\nFix: expose described fields instead, or accept it with\n\
     `# carrier: ignore[CAR0324] reason`.\n",
);

/// A part of an embedded object.
pub static EMBEDDED_PARTIAL: Code = code(
    "CAR0325",
    Warning,
    "a part of an embedded Kubernetes object is exposed",
    "The field holds a whole Kubernetes object. Its `apiVersion`, `kind` and `metadata` are always exposed and\n\
     required, whatever the paths say.\n\nFix: expose the field itself.\n",
);

/// A rule that would cost too much.
pub static RULE_TOO_COSTLY: Code = code(
    "CAR0326",
    Warning,
    "a validation rule is dropped, since hiding fields makes it too costly for the API server",
    "The API server reckons what a rule costs at worst from the least size of the items it looks at. With required\n\
     fields hidden, items get smaller and more of them fit a request, so a rule that fitted the budget may not fit\n\
     it any more, and the server would refuse the CRD. The rule stays in force in the service cluster.\n\n\
     Fix: expose the required fields of the items, if tenants should get the error at once.\n",
);

/// An integer format that contradicts its bounds.
pub static FORMAT_DROPPED: Code = code(
    "CAR0327",
    Warning,
    "a format that contradicts the bounds of its field is dropped",
    "`format: int32` stands beside a bound that no 32-bit integer can have. API servers up to 1.35 ignored the\n\
     format; from 1.36 on they refuse every instance. Without the format the CRD means what its authors meant.\n\n\
     Fix: tell the authors of the CRD; hide the warning with `# carrier: ignore[CAR0327] reason`.\n",
);

/// A version that the CRD does not have.
pub static UNKNOWN_VERSION: Code = code(
    "CAR0330",
    Error,
    "the CRD has no such version",
    "The exposure names a version that the CRD in the service cluster does not have.\n\n\
     Fix: name one of the versions listed, or take the CRD from the release that has it, with `carrier lock --from FILE`.\n",
);

/// A version that is not served.
pub static VERSION_NOT_SERVED: Code = code(
    "CAR0331",
    Error,
    "the version is not served",
    "The CRD lists the version but does not serve it: nothing can be written in it.\n\nFix: expose a served version.\n",
);

/// A version in two items.
pub static VERSION_TWICE: Code = code(
    "CAR0332",
    Error,
    "a version stands in two items of `expose`",
    "Each version has one list of fields. KubeCarrier took the last one for the schema and the first one for copying.\n\n\
     Fix: put all fields of the version into one item.\n",
);

/// Versions of different shape.
pub static VERSIONS_DIFFER: Code = code(
    "CAR0333",
    Error,
    "exposed versions differ in shape",
    "In the management cluster versions are converted by renaming alone. A field that the stored version lacks would be\n\
     lost on every write, without a word.\n\n\
     Fix: expose one version. The service cluster converts by itself.\n",
);

/// Versions that a webhook converts.
pub static WEBHOOK_CONVERSION: Code = code(
    "CAR0334",
    Warning,
    "several versions of a CRD are exposed which its operator converts by webhook",
    "The exposed parts look the same in all versions, but the operator converts between them by program, so the same\n\
     field may mean something else. The management cluster only renames the version.\n\n\
     Fix: expose one version.\n",
);

/// A cluster-scoped CRD.
pub static CLUSTER_SCOPED: Code = code(
    "CAR0340",
    Error,
    "the CRD is cluster-scoped",
    "Tenants are kept apart by namespace. Objects without one share their names among all tenants and belong to\n\
     nobody, so they cannot be offered.\n\nFix: offer a namespaced CRD.\n",
);

/// Not a usable CRD.
pub static INVALID_CRD: Code = code(
    "CAR0341",
    Error,
    "not a CustomResourceDefinition that can be offered",
    "The snapshot is no `apiextensions.k8s.io/v1` CustomResourceDefinition, or lacks what every one must have: a\n\
     group, names, one storage version, a schema in each version. CRDs of `v1beta1` are gone since Kubernetes 1.22.\n\n\
     Fix: take the CRD from a newer release of the operator, with `carrier lock --from FILE`.\n",
);

/// A schema that is not structural.
pub static NON_STRUCTURAL: Code = code(
    "CAR0342",
    Error,
    "the CRD's schema is not structural",
    "API servers refuse a schema in which a field has no type, an array has no items, or an object has both properties\n\
     and free keys. The internal CRD is a copy, so it would be refused too.\n\n\
     Fix: take the CRD from a newer release of the operator.\n",
);

/// A default of the wrong type.
pub static DEFAULT_INVALID: Code = code(
    "CAR0350",
    Error,
    "a default is not valid for its field",
    "The value does not fit the field's schema; the API server would refuse the derived CRD.\n\n\
     ```yaml\n# bad: .spec.size is an integer\n- jsonPath: .spec.size\n  value: \"3\"\n# good\n- jsonPath: .spec.size\n  value: 3\n```\n",
);

/// A preset of the wrong type.
pub static PRESET_INVALID: Code = code(
    "CAR0351",
    Error,
    "a preset is not valid for its field",
    "The value does not fit the field's schema; the service cluster would refuse every object.\n\n\
     Fix: give a value of the type and within the bounds that the message names.\n",
);

/// A preset of what tenants see.
pub static PRESET_VISIBLE: Code = code(
    "CAR0352",
    Error,
    "a preset of a field that tenants can see",
    "A preset is the provider's alone. A field that is exposed as well would have two owners.\n\n\
     Fix: use `defaults` for a value that tenants may override, or take the field out of `fields`.\n",
);

/// A default or preset where none can be.
pub static VALUE_PLACE: Code = code(
    "CAR0353",
    Error,
    "a default or a preset outside the desired state",
    "`metadata` is the tenant's and `.status` is what the service reports; neither takes a value from the catalog.\n\n\
     Fix: remove the item.\n",
);

/// Two values for one field.
pub static VALUE_TWICE: Code = code(
    "CAR0354",
    Error,
    "two values for one field",
    "The same field, or one below it, gets a default or a preset twice, so the result would depend on the order.\n\n\
     Fix: keep one of them.\n",
);

/// A value that no rule was held against.
pub static VALUE_UNCHECKED: Code = code(
    "CAR0355",
    Warning,
    "a preset of a field with validation rules, which are not evaluated here",
    "The CRD has rules (`x-kubernetes-validations`) for the field or for what stands in it. They are programs that only the\n\
     API server runs, so a preset that breaks one is found out when the first tenant creates an object, and then for\n\
     every object.\n\n\
     Fix: create one object with this value in the service cluster, `kubectl apply --dry-run=server` is enough. Then hide the\n\
     warning with `# carrier: ignore[CAR0355] reason`.\n",
);

/// No status path at all.
pub static STATUS_HIDDEN: Code = code(
    "CAR0360",
    Info,
    "nothing of the status is exposed",
    "Tenants see whether their object is in step (`.status.conditions`, type `Synced`), but nothing of what the service\n\
     itself reports.\n\nFix: add paths below `.status` if tenants should see them.\n",
);

/// Conditions in which `Synced` cannot be stored.
pub static CONDITIONS_UNFIT: Code = code(
    "CAR0361",
    Warning,
    "the CRD's own `.status.conditions` cannot hold the condition `Synced`",
    "Whether an object is in step is told by a condition in `.status.conditions`. The exposed field of that name has\n\
     another shape, so the tenant only gets Events.\n\nFix: do not expose `.status.conditions`.\n",
);

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[
    &UNKNOWN_PATH,
    &PATH_SYNTAX,
    &NEEDS_ITEMS,
    &NOT_A_LIST,
    &UNDESCRIBED,
    &REDUNDANT_PATH,
    &ALWAYS_THERE,
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
    &UNKNOWN_VERSION,
    &VERSION_NOT_SERVED,
    &VERSION_TWICE,
    &VERSIONS_DIFFER,
    &WEBHOOK_CONVERSION,
    &CLUSTER_SCOPED,
    &INVALID_CRD,
    &NON_STRUCTURAL,
    &DEFAULT_INVALID,
    &PRESET_INVALID,
    &PRESET_VISIBLE,
    &VALUE_PLACE,
    &VALUE_TWICE,
    &VALUE_UNCHECKED,
    &STATUS_HIDDEN,
    &CONDITIONS_UNFIT,
];
