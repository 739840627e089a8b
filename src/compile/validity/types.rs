//! The types of a CustomResourceDefinition, as API servers decode one (`k8s.io/apiextensions-apiserver`
//! `pkg/apis/apiextensions/v1/types.go` and `types_jsonschema.go`, Kubernetes 1.37; the same in 1.33).
//!
//! A table and nothing else: what is done with the types stands in `decode`.

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Type {
    /// A string.
    Text,
    /// A string that is base64 of bytes.
    Bytes,
    /// A string that is a time of RFC 3339.
    Time,
    /// A boolean.
    Bool,
    /// An integer of 64 bits.
    Int64,
    /// An integer of 32 bits.
    Int32,
    /// A float of 64 bits.
    Float,
    /// Any value; `null` stays in a list of them.
    Any,
    /// A list of such values.
    List(&'static Type),
    /// An object with any keys and such values.
    Map(&'static Type),
    /// An object with these fields, sorted by name.
    Struct(&'static [Field]),
    /// A schema: the same as a struct of [`SCHEMA`], which could not refer to itself.
    Schema,
    /// A schema or a boolean: `additionalProperties`.
    SchemaOrBool,
    /// A schema or a list of them: `items`. Anything else is read as nothing, without an error.
    SchemaOrList,
    /// A schema or a list of names: a value of `dependencies`. As above.
    SchemaOrNames,
}

/// When a field is left out of the stored object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Omitted {
    /// If it is empty: `false`, `0`, `""`, a list or map without items.
    Empty,
    /// If it is not written, or is `null`: its Go type is a pointer.
    Absent,
    /// Never; the zero value is stored.
    Never,
}

/// A field of a struct.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub of: Type,
    /// When it is left out.
    pub omitted: Omitted,
}

const fn empty(name: &'static str, of: Type) -> Field {
    Field { name, of, omitted: Omitted::Empty }
}

const fn absent(name: &'static str, of: Type) -> Field {
    Field { name, of, omitted: Omitted::Absent }
}

const fn never(name: &'static str, of: Type) -> Field {
    Field { name, of, omitted: Omitted::Never }
}

/// The whole object.
pub(super) const CRD: Type = Type::Struct(&[
    absent("apiVersion", Type::Text),
    absent("kind", Type::Text),
    absent("metadata", METADATA),
    absent("spec", SPEC),
    absent("status", STATUS),
]);

/// `ObjectMeta`.
const METADATA: Type = Type::Struct(&[
    empty("annotations", Type::Map(&Type::Text)),
    absent("creationTimestamp", Type::Time),
    absent("deletionGracePeriodSeconds", Type::Int64),
    absent("deletionTimestamp", Type::Time),
    empty("finalizers", Type::List(&Type::Text)),
    empty("generateName", Type::Text),
    absent("generation", Type::Int64),
    empty("labels", Type::Map(&Type::Text)),
    empty("managedFields", Type::List(&Type::Map(&Type::Any))),
    empty("name", Type::Text),
    empty("namespace", Type::Text),
    empty("ownerReferences", Type::List(&OWNER)),
    empty("resourceVersion", Type::Text),
    empty("selfLink", Type::Text),
    empty("uid", Type::Text),
]);

const OWNER: Type = Type::Struct(&[
    never("apiVersion", Type::Text),
    absent("blockOwnerDeletion", Type::Bool),
    absent("controller", Type::Bool),
    never("kind", Type::Text),
    never("name", Type::Text),
    never("uid", Type::Text),
]);

/// The status, which is not kept.
const STATUS: Type = Type::Struct(&[
    absent("acceptedNames", NAMES),
    empty("conditions", Type::List(&Type::Map(&Type::Any))),
    empty("observedGeneration", Type::Int64),
    empty("storedVersions", Type::List(&Type::Text)),
]);

/// `spec`.
pub(super) const SPEC: Type = Type::Struct(&[
    absent("conversion", CONVERSION),
    never("group", Type::Text),
    absent("names", NAMES),
    empty("preserveUnknownFields", Type::Bool),
    never("scope", Type::Text),
    empty("versions", Type::List(&VERSION)),
]);

const NAMES: Type = Type::Struct(&[
    empty("categories", Type::List(&Type::Text)),
    never("kind", Type::Text),
    empty("listKind", Type::Text),
    never("plural", Type::Text),
    empty("shortNames", Type::List(&Type::Text)),
    empty("singular", Type::Text),
]);

const CONVERSION: Type = Type::Struct(&[
    never("strategy", Type::Text),
    absent(
        "webhook",
        Type::Struct(&[
            absent(
                "clientConfig",
                Type::Struct(&[
                    empty("caBundle", Type::Bytes),
                    absent(
                        "service",
                        Type::Struct(&[
                            never("name", Type::Text),
                            never("namespace", Type::Text),
                            absent("path", Type::Text),
                            absent("port", Type::Int32),
                        ]),
                    ),
                    absent("url", Type::Text),
                ]),
            ),
            empty("conversionReviewVersions", Type::List(&Type::Text)),
        ]),
    ),
]);

const VERSION: Type = Type::Struct(&[
    empty("additionalPrinterColumns", Type::List(&COLUMN)),
    empty("deprecated", Type::Bool),
    absent("deprecationWarning", Type::Text),
    never("name", Type::Text),
    absent("schema", Type::Struct(&[absent("openAPIV3Schema", Type::Schema)])),
    empty("selectableFields", Type::List(&Type::Struct(&[never("jsonPath", Type::Text)]))),
    never("served", Type::Bool),
    never("storage", Type::Bool),
    absent(
        "subresources",
        Type::Struct(&[
            absent(
                "scale",
                Type::Struct(&[
                    absent("labelSelectorPath", Type::Text),
                    never("specReplicasPath", Type::Text),
                    never("statusReplicasPath", Type::Text),
                ]),
            ),
            absent("status", Type::Struct(&[])),
        ]),
    ),
]);

const COLUMN: Type = Type::Struct(&[
    empty("description", Type::Text),
    empty("format", Type::Text),
    never("jsonPath", Type::Text),
    never("name", Type::Text),
    empty("priority", Type::Int32),
    never("type", Type::Text),
]);

const RULE: Type = Type::Struct(&[
    empty("fieldPath", Type::Text),
    empty("message", Type::Text),
    empty("messageExpression", Type::Text),
    absent("optionalOldSelf", Type::Bool),
    absent("reason", Type::Text),
    never("rule", Type::Text),
]);

const SCHEMAS: Type = Type::Map(&Type::Schema);
const BRANCHES: Type = Type::List(&Type::Schema);

/// The keywords of a schema (`JSONSchemaProps`).
pub(super) const SCHEMA: &[Field] = &[
    absent("$ref", Type::Text),
    empty("$schema", Type::Text),
    absent("additionalItems", Type::SchemaOrBool),
    absent("additionalProperties", Type::SchemaOrBool),
    empty("allOf", BRANCHES),
    empty("anyOf", BRANCHES),
    absent("default", Type::Any),
    empty("definitions", SCHEMAS),
    // An empty map is not nothing: the server refuses the keyword.
    absent("dependencies", Type::Map(&Type::SchemaOrNames)),
    empty("description", Type::Text),
    empty("enum", Type::List(&Type::Any)),
    absent("example", Type::Any),
    empty("exclusiveMaximum", Type::Bool),
    empty("exclusiveMinimum", Type::Bool),
    absent("externalDocs", Type::Struct(&[empty("description", Type::Text), empty("url", Type::Text)])),
    empty("format", Type::Text),
    empty("id", Type::Text),
    absent("items", Type::SchemaOrList),
    absent("maxItems", Type::Int64),
    absent("maxLength", Type::Int64),
    absent("maxProperties", Type::Int64),
    absent("maximum", Type::Float),
    absent("minItems", Type::Int64),
    absent("minLength", Type::Int64),
    absent("minProperties", Type::Int64),
    absent("minimum", Type::Float),
    absent("multipleOf", Type::Float),
    absent("not", Type::Schema),
    empty("nullable", Type::Bool),
    empty("oneOf", BRANCHES),
    empty("pattern", Type::Text),
    empty("patternProperties", SCHEMAS),
    empty("properties", SCHEMAS),
    empty("required", Type::List(&Type::Text)),
    empty("title", Type::Text),
    empty("type", Type::Text),
    empty("uniqueItems", Type::Bool),
    empty("x-kubernetes-embedded-resource", Type::Bool),
    empty("x-kubernetes-int-or-string", Type::Bool),
    empty("x-kubernetes-list-map-keys", Type::List(&Type::Text)),
    absent("x-kubernetes-list-type", Type::Text),
    absent("x-kubernetes-map-type", Type::Text),
    absent("x-kubernetes-preserve-unknown-fields", Type::Bool),
    empty("x-kubernetes-validations", Type::List(&RULE)),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_sorted(fields: &[Field]) {
        assert!(fields.is_sorted_by(|a, b| a.name < b.name), "{:?}", fields.iter().map(|f| f.name).collect::<Vec<_>>());
        for field in fields {
            assert_type(&field.of);
        }
    }

    fn assert_type(of: &Type) {
        match of {
            Type::Struct(fields) => assert_sorted(fields),
            Type::List(inner) | Type::Map(inner) => assert_type(inner),
            _ => {}
        }
    }

    #[test]
    fn fields_are_found_by_bisection() {
        assert_type(&CRD);
        assert_sorted(SCHEMA);
    }
}
