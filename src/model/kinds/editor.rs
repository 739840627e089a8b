//! JSON Schemas for editors, for the kinds that users write and for `carrier.yaml`.
//! The folder `schemas/` contains the generated files.
//!
//! They use draft-07, because editors do not support newer drafts. They are generated
//! from the same types as the CRDs and are as strict as the loader, so an editor marks
//! an unknown field.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::structural::{for_each_schema, tidy};
use super::table::{KINDS, KindInfo, NameRule};
use crate::model::config::Config;

const DRAFT_07: &str = "http://json-schema.org/draft-07/schema#";

/// All schemas by file name: one for each kind that users write, `kubecarrier.json` for
/// any of these kinds, `carrier.json` for `carrier.yaml`.
#[must_use]
pub fn json_schemas() -> BTreeMap<String, Value> {
    let mut schemas = BTreeMap::new();
    schemas.insert("carrier.json".into(), config());
    schemas.insert("kubecarrier.json".into(), any_kind());
    for info in authored() {
        schemas.insert(format!("{}.json", info.singular), one_kind(info));
    }
    schemas.values_mut().for_each(Value::sort_all_objects);
    schemas
}

fn authored() -> impl Iterator<Item = &'static KindInfo> {
    KINDS.iter().filter(|info| info.authored).copied()
}

fn config() -> Value {
    schema_of::<Config>("Config", "carrier.yaml")
}

/// The schema of a document of type `T`, whose definition has the name `name`.
#[must_use]
pub(crate) fn schema_of<T: JsonSchema>(name: &str, title: &str) -> Value {
    let mut generator = generator();
    let mut schema = generator.subschema_for::<T>().to_value();
    // The definition of `T` becomes the root.
    let mut definitions = definitions(&mut generator);
    if let Some(root) = definitions.remove(name) {
        schema = root;
    }
    schema["$schema"] = json!(DRAFT_07);
    schema["title"] = json!(title);
    schema["definitions"] = Value::Object(definitions);
    schema
}

fn one_kind(info: &KindInfo) -> Value {
    let mut generator = generator();
    let mut schema = object(info, &mut generator);
    schema["$schema"] = json!(DRAFT_07);
    schema["title"] = json!(info.kind);
    schema["definitions"] = Value::Object(definitions(&mut generator));
    schema
}

/// A schema that selects the schema of the object by `kind`, so that an editor reports an
/// error for that kind only, instead of six kinds that do not match.
fn any_kind() -> Value {
    let mut generator = generator();
    let objects: Vec<(&KindInfo, Value)> = authored().map(|info| (info, object(info, &mut generator))).collect();
    let mut all = definitions(&mut generator);
    let mut cases = Vec::new();
    for (info, object) in objects {
        all.insert(info.kind.into(), object);
        cases.push(json!({
            "if": { "properties": { "kind": { "const": info.kind } }, "required": ["kind"] },
            "then": { "$ref": format!("#/definitions/{}", info.kind) },
        }));
    }
    json!({
        "$schema": DRAFT_07,
        "title": "KubeCarrier",
        "description": "An object of a KubeCarrier kind, as carrier compiles it.",
        "type": "object",
        "properties": {
            "apiVersion": { "type": "string" },
            "kind": {
                "description": "The kind of this object.",
                "type": "string",
                "enum": authored().map(|info| info.kind).collect::<Vec<_>>(),
            },
        },
        "required": ["apiVersion", "kind"],
        "allOf": cases,
        "definitions": all,
    })
}

/// The schema of a whole object. The definitions that it refers to stay in the generator.
fn object(info: &KindInfo, generator: &mut SchemaGenerator) -> Value {
    let spec: Schema = (info.spec)(generator);
    let needs_spec = definition(generator, &spec).is_some_and(|schema| schema.get("required").is_some());
    let mut required = vec!["apiVersion", "kind", "metadata"];
    if needs_spec {
        required.push("spec");
    }
    json!({
        "description": info.summary,
        "type": "object",
        "properties": {
            "apiVersion": { "description": "The version of this object's schema.", "type": "string", "enum": [info.api_version()] },
            "kind": { "description": "The kind of this object.", "type": "string", "enum": [info.kind] },
            "metadata": metadata(info),
            "spec": spec.to_value(),
        },
        "required": required,
        "additionalProperties": false,
    })
}

/// The definition that a `$ref` of the generator refers to.
fn definition<'g>(generator: &'g SchemaGenerator, schema: &Schema) -> Option<&'g Value> {
    let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?;
    generator.definitions().get(name)
}

fn metadata(info: &KindInfo) -> Value {
    let label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    let (pattern, longest) = match info.name_rule {
        NameRule::Label => (format!("^{label}$"), 63),
        NameRule::Subdomain => (format!("^{label}(\\.{label})*$"), 253),
    };
    let strings = |description: &str| json!({ "description": description, "type": ["object", "null"], "additionalProperties": { "type": "string" } });
    let mut properties = json!({
        "name": { "description": "The object's name.", "type": "string", "pattern": pattern, "minLength": 1, "maxLength": longest },
        "labels": strings("Labels, which selectors match."),
        "annotations": strings("Annotations for users and tools."),
    });
    if info.namespaced() {
        properties["namespace"] = json!({
            "description": "The account of the provider. If absent, the nearest parent folder that has the name of a provider.",
            "type": "string",
            "pattern": format!("^{label}$"),
            "minLength": 1,
            "maxLength": 63,
        });
    }
    json!({
        "description": "Name, labels and annotations of this object.",
        "type": "object",
        "properties": properties,
        "required": ["name"],
        "additionalProperties": false,
    })
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft07().into_generator()
}

/// The definitions of the generator, converted to the dialect for editors.
fn definitions(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut definitions = generator.take_definitions(true);
    for schema in definitions.values_mut() {
        tidy(schema);
        for_each_schema(schema, &mut to_editor);
    }
    definitions
}

fn to_editor(schema: &mut Map<String, Value>) {
    if schema.get("x-kubernetes-list-type").is_some_and(|t| t == "set") {
        schema.insert("uniqueItems".into(), json!(true));
    }
    if schema.get("format").is_some_and(|f| f == "byte") {
        schema.remove("format");
        schema.insert("contentEncoding".into(), json!("base64"));
        schema.insert("pattern".into(), json!("^[A-Za-z0-9+/\\s]*={0,2}\\s*$"));
    }
    // Any value except null, as in the API server.
    if schema.contains_key("x-kubernetes-preserve-unknown-fields") && !schema.contains_key("type") {
        schema.insert("type".into(), json!(["object", "array", "string", "number", "boolean"]));
    }
    schema.retain(|key, _| !key.starts_with("x-kubernetes-"));
    // Draft-07 ignores other keywords next to `$ref`.
    if schema.len() > 1
        && let Some(reference) = schema.remove("$ref")
    {
        schema.insert("allOf".into(), json!([{ "$ref": reference }]));
    }
}
