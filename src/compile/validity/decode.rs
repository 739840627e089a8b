//! Decodes a CustomResourceDefinition as API servers do: what they do not know is dropped, numbers and empty fields get
//! the form in which they are stored, and values of a wrong type are refused. A CRD in a file and the same CRD in a
//! cluster are the same bytes after it (`tests/servers/lock.rs` compares them on real servers).
//!
//! The rules are those of Go's JSON decoder and of the types in `types`: `null` is absence, `omitempty` leaves out what is
//! empty, numbers that are no integers of 64 bits become floats. Whether what was decoded is valid is not judged here.

use base64::engine::general_purpose::{GeneralPurpose, PAD};
use base64::{Engine, alphabet};
use serde_json::{Map, Number, Value, json};

use super::keywords::may_be_at_root;
use super::problem::{Kind, Problem};
use super::types::{self, Field, Omitted, Type};
use crate::compile::values::is_of_metadata;
use crate::yaml::tree::escape;

/// A CRD as an API server would store it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decoded {
    /// The object.
    pub crd: Value,
    /// The JSON Pointers of what is dropped, since an API server does not know it.
    pub unknown: Vec<String>,
    /// The values of a wrong type. An API server takes nothing of an object that has one; here the value is left out.
    pub wrong: Vec<Problem>,
}

/// Decodes a CRD. Decoding the result again changes nothing.
#[must_use]
pub(crate) fn decode(crd: &Value) -> Decoded {
    let mut decoder = Decoder::default();
    let source = crd;
    let mut crd = decoder.value(crd, &types::CRD).unwrap_or_else(|| json!({}));
    if let Some(Value::Object(spec)) = crd.get_mut("spec") {
        defaults(spec);
    }
    decoder.wrong.extend(emptied_at_root(source));
    Decoded { crd, unknown: decoder.unknown, wrong: decoder.wrong }
}

/// Empty keywords in the metadata of a schema, and at its root with the status subresource. They are left out of what is
/// stored, but the server refuses what may not stand there even if it is empty.
fn emptied_at_root(crd: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    for (index, version) in crd.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let Some(Value::Object(root)) = version.pointer("/schema/openAPIV3Schema") else { continue };
        let pointer = format!("/spec/versions/{index}/schema/openAPIV3Schema");
        let metadata = root.get("properties").and_then(|p| p.get("metadata")).and_then(Value::as_object);
        let empty_list = |key: &&str| metadata.and_then(|m| m.get(*key)).is_some_and(|list| *list == json!([]));
        for key in
            ["required", "x-kubernetes-list-map-keys", "x-kubernetes-validations"].iter().filter(|k| empty_list(k))
        {
            let pointer = format!("{pointer}/properties/metadata/{key}");
            found.push(Problem::new(Kind::Structural, pointer, super::structural::NOT_IN_METADATA.to_owned()));
        }
        let is_empty_one = |value: &Value| *value == json!([]) || *value == json!({});
        if version.pointer("/subresources/status").is_none_or(Value::is_null) {
            continue;
        }
        let listed = |key: &str| types::SCHEMA.iter().any(|f| f.name == key && f.omitted == Omitted::Empty);
        for (key, _) in root.iter().filter(|(key, value)| is_empty_one(value) && listed(key) && !may_be_at_root(key)) {
            let pointer = format!("{pointer}/{key}");
            found.push(Problem::new(Kind::Structural, pointer, super::keywords::NOT_AT_ROOT.to_owned()));
        }
    }
    found
}

/// The defaults that an API server fills in (`pkg/apis/apiextensions/v1/defaults.go`).
fn defaults(spec: &mut Map<String, Value>) {
    if let Some(Value::Object(names)) = spec.get_mut("names") {
        let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !kind.is_empty() {
            names.entry("singular").or_insert_with(|| Value::from(kind.to_lowercase()));
            names.entry("listKind").or_insert_with(|| Value::from(format!("{kind}List")));
        }
    }
    let conversion = spec.entry("conversion").or_insert_with(|| json!({"strategy": "None"}));
    if let Some(Value::Object(service)) = conversion.pointer_mut("/webhook/clientConfig/service") {
        service.entry("port").or_insert(json!(443));
    }
    // The server's own types keep the two fields of a webhook apart from it, and it is gone when both are empty.
    if conversion.get("webhook").and_then(Value::as_object).is_some_and(Map::is_empty)
        && let Some(map) = conversion.as_object_mut()
    {
        map.remove("webhook");
    }
}

#[derive(Default)]
struct Decoder {
    /// The JSON Pointer of the value at hand.
    at: String,
    unknown: Vec<String>,
    wrong: Vec<Problem>,
}

impl Decoder {
    /// The value as it is stored; `None` where it is nothing.
    fn value(&mut self, value: &Value, of: &Type) -> Option<Value> {
        if value.is_null() {
            return None;
        }
        let decoded = match (of, value) {
            (Type::Time, Value::String(text)) if is_time(text) => value.clone(),
            (Type::Bytes, Value::String(text)) if is_base64(text) => value.clone(),
            (Type::Text, Value::String(_)) | (Type::Bool, Value::Bool(_)) => value.clone(),
            (Type::Int64 | Type::Int32, Value::Number(number)) => match whole(number).filter(|n| fits(of, *n)) {
                Some(integer) => Value::from(integer),
                None => {
                    self.refuse(of, value);
                    return None;
                }
            },
            (Type::Float, Value::Number(number)) => Value::Number(as_float(number)),
            (Type::Any, _) => any(value),
            (Type::List(inner), Value::Array(items)) => self.list(items, inner),
            (Type::Map(inner), Value::Object(entries)) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), self.inside(key, value, inner)));
                Value::Object(entries.collect())
            }
            (Type::Struct(fields), Value::Object(map)) => self.fields(map, fields),
            (Type::Schema | Type::SchemaOrBool | Type::SchemaOrList | Type::SchemaOrNames, Value::Object(map)) => {
                self.fields(map, types::SCHEMA)
            }
            (Type::SchemaOrBool, Value::Bool(_)) => value.clone(),
            (Type::SchemaOrList, Value::Array(items)) if !items.is_empty() => self.list(items, &Type::Schema),
            (Type::SchemaOrNames, Value::Array(items)) => self.list(items, &Type::Text),
            (Type::SchemaOrList | Type::SchemaOrNames, _) => {
                self.unknown.push(self.at.clone());
                return None;
            }
            _ => {
                self.refuse(of, value);
                return None;
            }
        };
        Some(decoded)
    }

    /// An item of a list or a value of a map: never nothing, but the zero value of its type.
    fn inside(&mut self, key: &str, value: &Value, of: &Type) -> Value {
        let before = self.at.len();
        self.at.push('/');
        self.at.push_str(&escape(key));
        let decoded = self.value(value, of).unwrap_or_else(|| zero(of));
        self.at.truncate(before);
        decoded
    }

    fn list(&mut self, items: &[Value], of: &Type) -> Value {
        let items = items.iter().enumerate();
        Value::Array(items.map(|(index, item)| self.inside(&index.to_string(), item, of)).collect())
    }

    fn fields(&mut self, map: &Map<String, Value>, fields: &[Field]) -> Value {
        let mut decoded = Map::new();
        let before = self.at.len();
        for (key, value) in map {
            self.at.push('/');
            self.at.push_str(&escape(key));
            match fields.binary_search_by(|field| field.name.cmp(key)) {
                Ok(index) => {
                    let field = &fields[index];
                    let value = self.value(value, &field.of);
                    let kept = value.filter(|v| field.omitted != Omitted::Empty || !is_empty(v));
                    decoded.extend(kept.map(|value| (key.clone(), value)));
                }
                Err(_) => self.unknown.push(self.at.clone()),
            }
            self.at.truncate(before);
        }
        embedded_default(&mut decoded);
        for field in fields.iter().filter(|field| field.omitted == Omitted::Never) {
            decoded.entry(field.name).or_insert_with(|| zero(&field.of));
        }
        Value::Object(decoded)
    }

    fn refuse(&mut self, of: &Type, value: &Value) {
        let message = format!("must be {}, not {}", words(of), name_of(value));
        self.wrong.push(Problem::new(Kind::Invalid, self.at.clone(), message));
    }
}

/// The server reads the metadata in the default of an embedded resource, and stores what it knows of them
/// (`pkg/apiserver/schema/objectmeta/coerce.go`, called by the validation of defaults).
fn embedded_default(node: &mut Map<String, Value>) {
    if node.get("x-kubernetes-embedded-resource") != Some(&Value::Bool(true)) {
        return;
    }
    match node.get_mut("default").and_then(|default| default.get_mut("metadata")) {
        Some(metadata @ Value::Null) => *metadata = json!({}),
        Some(Value::Object(metadata)) => metadata.retain(|name, value| is_of_metadata(name) && !value.is_null()),
        _ => {}
    }
}

/// What an item or a field is that was not written.
fn zero(of: &Type) -> Value {
    match of {
        Type::Text | Type::Bytes | Type::Time => Value::from(""),
        Type::Bool => Value::Bool(false),
        Type::Int64 | Type::Int32 | Type::Float => json!(0),
        Type::Any => Value::Null,
        Type::List(_) => json!([]),
        Type::Map(_) | Type::Struct(_) => json!({}),
        Type::Schema | Type::SchemaOrBool | Type::SchemaOrList | Type::SchemaOrNames => json!({}),
    }
}

/// Whether Go omits the value.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

fn is_base64(text: &str) -> bool {
    // Go takes bits that are left over.
    let reader = GeneralPurpose::new(&alphabet::STANDARD, PAD.with_decode_allow_trailing_bits(true));
    reader.decode(text.replace(['\r', '\n'], "")).is_ok()
}

/// Whether a text has the form of a time of RFC 3339.
fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    let zone = rest.strip_prefix('.').map_or(rest, |fraction| fraction.trim_start_matches('0'));
    matches!(zone, "Z" | "+00:00" | "-00:00")
}

fn fits(of: &Type, number: i64) -> bool {
    !matches!(of, Type::Int32) || i32::try_from(number).is_ok()
}

/// The integer that a number is. `1.0` is one: clients write it as `1`.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| written(number.as_f64()?).as_i64())
}

/// The number as Go writes the float that it reads.
fn as_float(number: &Number) -> Number {
    number.as_f64().map_or_else(|| number.clone(), written)
}

/// A float as Go writes it, read again: the shortest digits, and no exponent below 10^21. So `1.0` is `1`, and
/// 9223372036854774807 is 9223372036854775000, which is read as an integer.
fn written(float: f64) -> Number {
    let text = if float == 0.0 { "0".to_owned() } else { float.to_string() };
    // Beyond 64 bits it stays a float, as which YAML is read, too.
    let integer = text.parse::<i64>().ok().map(Number::from);
    integer.or_else(|| Number::from_f64(float)).unwrap_or_else(|| Number::from(0))
}

/// A value of any type, with its numbers as they are stored: integers of 64 bits, and floats.
fn any(value: &Value) -> Value {
    match value {
        Value::Number(number) if !number.is_i64() => Value::Number(as_float(number)),
        Value::Array(items) => Value::Array(items.iter().map(any).collect()),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), any(value))).collect()),
        other => other.clone(),
    }
}

fn words(of: &Type) -> &'static str {
    match of {
        Type::Text => "a string",
        Type::Bytes => "base64",
        Type::Time => "a time, such as `2026-01-31T12:00:00Z`",
        Type::Bool => "a boolean",
        Type::Int64 => "an integer of 64 bits",
        Type::Int32 => "an integer of 32 bits",
        Type::Float => "a number",
        Type::Any => "a value",
        Type::List(_) => "a list",
        Type::Map(_) | Type::Struct(_) => "an object",
        Type::Schema | Type::SchemaOrList | Type::SchemaOrNames => "a schema",
        Type::SchemaOrBool => "a schema or a boolean",
    }
}

/// The type of a value, in words.
fn name_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean `{value}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crd(schema: &Value) -> Value {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "ks.example.com"},
            "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "K", "plural": "ks"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}})
    }

    fn schema_of(decoded: &Decoded) -> &Value {
        &decoded.crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    }

    #[test]
    fn what_a_server_does_not_know_is_dropped() {
        let source = crd(&json!({"type": "object", "readOnly": true, "properties": {
            "readOnly": {"type": "string", "deprecated": true, "x-vendor": {"a": 1}}},
            "x-kubernetes-validations": [{"rule": "true", "hint": ""}]}));
        let decoded = decode(&source);
        let at = |rest: &str| format!("/spec/versions/0/schema/openAPIV3Schema/{rest}");
        assert_eq!(
            decoded.unknown,
            [
                at("properties/readOnly/deprecated"),
                at("properties/readOnly/x-vendor"),
                at("readOnly"),
                at("x-kubernetes-validations/0/hint"),
            ]
        );
        assert_eq!(decoded.wrong, []);
        let wanted = json!({"type": "object", "properties": {"readOnly": {"type": "string"}},
            "x-kubernetes-validations": [{"rule": "true"}]});
        assert_eq!(*schema_of(&decoded), wanted);
        let again = decode(&decoded.crd);
        assert_eq!(again, Decoded { crd: decoded.crd.clone(), unknown: vec![], wrong: vec![] });
    }

    #[test]
    fn fields_of_v1beta1_are_unknown_in_v1() {
        let mut source = crd(&json!({"type": "object"}));
        source["spec"]["version"] = json!("v1");
        source["spec"]["subresources"] = json!({"status": {}});
        source["spec"]["versions"][0]["additionalPrinterColumns"] =
            json!([{"name": "A", "type": "string", "JSONPath": ".a"}]);
        let decoded = decode(&source);
        assert_eq!(
            decoded.unknown,
            ["/spec/subresources", "/spec/version", "/spec/versions/0/additionalPrinterColumns/0/JSONPath",]
        );
    }

    #[test]
    fn numbers_are_those_of_go() {
        let decoded =
            decode(&crd(&json!({"maximum": 9_223_372_036_854_774_807_i64, "minimum": -0.0, "multipleOf": 0.1,
            "maxLength": 3.0, "maxItems": 2, "default": {"a": 1.0, "b": 1e30, "c": 18_446_744_073_709_551_615_u64}})));
        let wanted = json!({"maximum": 9_223_372_036_854_775_000_i64, "minimum": 0, "multipleOf": 0.1, "maxLength": 3, "maxItems": 2,
            "default": {"a": 1, "b": 1e30, "c": 18_446_744_073_709_552_000.0}});
        assert_eq!(*schema_of(&decoded), wanted);
    }

    #[test]
    fn a_wrong_type_is_refused_and_null_is_nothing() {
        let decoded = decode(&crd(&json!({"type": ["string"], "maxLength": 1.5, "pattern": null, "nullable": "true",
            "required": ["a", true], "properties": {"a": null}, "enum": [null], "items": 5,
            "additionalProperties": "x", "default": null})));
        let said: Vec<String> = decoded
            .wrong
            .iter()
            .map(|p| format!("{} {}", p.pointer.rsplit_once("Schema/").map_or("", |(_, rest)| rest), p.message))
            .collect();
        assert_eq!(
            said,
            [
                "additionalProperties must be a schema or a boolean, not a string",
                "maxLength must be an integer of 64 bits, not the number 1.5",
                "nullable must be a boolean, not a string",
                "required/1 must be a string, not the boolean `true`",
                "type must be a string, not a list",
            ]
        );
        assert_eq!(decoded.unknown, ["/spec/versions/0/schema/openAPIV3Schema/items"]);
        assert_eq!(*schema_of(&decoded), json!({"required": ["a", ""], "properties": {"a": {}}, "enum": [null]}));
    }

    #[test]
    fn metadata_in_the_default_of_an_embedded_resource_are_read() {
        let of = |metadata: Value| {
            let default = json!({"apiVersion": "v1", "kind": "P", "metadata": metadata});
            let node = json!({"type": "object", "x-kubernetes-embedded-resource": true, "default": default});
            let decoded = decode(&crd(&json!({"type": "object", "properties": {"pod": node}})));
            schema_of(&decoded)["properties"]["pod"]["default"]["metadata"].clone()
        };
        assert_eq!(of(Value::Null), json!({}));
        assert_eq!(of(json!({"name": "x", "foo": 1, "creationTimestamp": null})), json!({"name": "x"}));
    }

    #[test]
    fn what_is_empty_is_left_out_unless_it_is_a_pointer() {
        let decoded = decode(&crd(&json!({"type": "object", "description": "", "nullable": false, "required": [],
            "properties": {}, "x-kubernetes-list-type": "", "default": {}, "x-kubernetes-preserve-unknown-fields": false,
            "dependencies": {}, "additionalProperties": false, "maxItems": 0})));
        let wanted = json!({"type": "object", "x-kubernetes-list-type": "", "default": {}, "dependencies": {},
            "x-kubernetes-preserve-unknown-fields": false, "additionalProperties": false, "maxItems": 0});
        assert_eq!(*schema_of(&decoded), wanted);
    }
}
