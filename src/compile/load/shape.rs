//! A structural schema, prepared for validation.
//!
//! The schema of a kind is made once from its Rust type and used for every object: patterns are compiled,
//! properties are sorted for look-up.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::model::kinds::structural::structural;
use crate::model::kinds::table::{KINDS, KindInfo, SchemaOf};

/// The type of value that a schema asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// A mapping.
    Object,
    /// A list.
    Array,
    /// A string.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Anything but null.
    Any,
}

/// One schema.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// The required type.
    pub type_: Type,
    /// The fields of a mapping, by name.
    pub properties: BTreeMap<String, Shape>,
    /// The required fields.
    pub required: Vec<String>,
    /// The other fields that a mapping may have.
    pub additional: Additional,
    /// The schema of a list's items.
    pub items: Option<Box<Shape>>,
    /// Whether items must be unique.
    pub unique: bool,
    /// Minimum and maximum of characters, items or pairs.
    pub length: (u64, Option<u64>),
    /// The allowed values; empty for any.
    pub words: Vec<String>,
    /// The pattern that a text must match, as written and compiled.
    pub pattern: Option<(String, Regex)>,
    /// Whether a text must be base64.
    pub base64: bool,
}

/// The other fields that a mapping may have.
#[derive(Debug, Clone)]
pub(crate) enum Additional {
    /// Nothing.
    None,
    /// Values of this shape under any key.
    Of(Box<Shape>),
    /// Anything.
    Anything,
}

impl Shape {
    /// Prepares a structural schema. Other keywords, such as CEL rules, are left to the API server.
    #[must_use]
    pub(crate) fn new(schema: &Value) -> Self {
        let none = Map::new();
        let map = schema.as_object().unwrap_or(&none);
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let number = |key: &str| map.get(key).and_then(Value::as_u64);
        let strings = |key: &str| -> Vec<String> {
            let items = map.get(key).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let type_ = match text("type") {
            Some("object") => Type::Object,
            Some("array") => Type::Array,
            Some("string") => Type::String,
            Some("boolean") => Type::Boolean,
            Some("integer") => Type::Integer,
            Some("number") => Type::Number,
            _ => Type::Any,
        };
        let free = map.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        let additional = match map.get("additionalProperties") {
            Some(Value::Object(_)) => Additional::Of(Box::new(Shape::new(&map["additionalProperties"]))),
            _ if free => Additional::Anything,
            _ => Additional::None,
        };
        let suffix = match type_ {
            Type::String => "Length",
            Type::Array => "Items",
            _ => "Properties",
        };
        let properties = map.get("properties").and_then(Value::as_object).into_iter().flatten();
        Self {
            type_,
            properties: properties.map(|(name, schema)| (name.clone(), Shape::new(schema))).collect(),
            required: strings("required"),
            additional,
            items: map.get("items").map(|items| Box::new(Shape::new(items))),
            unique: text("x-kubernetes-list-type") == Some("set"),
            length: (number(&format!("min{suffix}")).unwrap_or(0), number(&format!("max{suffix}"))),
            words: strings("enum"),
            pattern: text("pattern").and_then(|p| Some((p.to_owned(), Regex::new(p).ok()?))),
            base64: text("format") == Some("byte"),
        }
    }

    /// The only required field of a mapping, if it is a string, such as `name` of a reference.
    #[must_use]
    pub(crate) fn wraps(&self) -> Option<&str> {
        match self.required.as_slice() {
            [only] if self.properties.get(only).is_some_and(|p| p.type_ == Type::String) => Some(only),
            _ => None,
        }
    }

    /// The shape of a type.
    #[must_use]
    pub(crate) fn of(schema_of: SchemaOf) -> Self {
        Self::new(&structural(schema_of))
    }
}

static SPECS: LazyLock<BTreeMap<(&'static str, &'static str), Shape>> =
    LazyLock::new(|| KINDS.iter().map(|info| ((info.group, info.kind), Shape::of(info.spec))).collect());

/// The shape of a kind's `spec`.
#[must_use]
pub(crate) fn spec(info: &KindInfo) -> Option<&'static Shape> {
    SPECS.get(&(info.group, info.kind))
}
