//! The types that a structural schema declares to its rules (apiserver `pkg/cel/common/schemas.go`, apiextensions
//! `pkg/apiserver/schema/cel/model/schemas.go`, 1.37), with the sizes that the cost estimate goes by.

use std::collections::HashMap;

use serde_json::Value;

use super::names;
use super::types::{DeclId, Type};

/// The size of the largest request, in bytes.
const REQUEST: u64 = 3 * 1024 * 1024;
/// Durations and times are no longer than this in JSON.
const LONGEST_TIME: u64 = 32;
/// A date in JSON.
const DATE: u64 = 12;
/// The longest name of an object.
const LONGEST_NAME: u64 = 253;

/// What lies below a node.
#[derive(Debug)]
enum Below {
    Nothing,
    /// Fields, by the names that CEL has for them; fields without such a name by their own.
    Fields {
        reachable: HashMap<String, DeclId>,
        other: HashMap<String, DeclId>,
    },
    Items(DeclId),
    Values(DeclId),
}

/// A declared node.
#[derive(Debug)]
pub(super) struct Decl {
    pub type_: Type,
    below: Below,
    /// The most elements, characters or bytes; 0 where that is no question.
    pub most: u64,
    /// The same before Kubernetes 1.37, where that was another.
    pub most_before: Option<u64>,
    /// The least bytes that a value takes in JSON.
    pub least: u64,
}

/// The declared nodes of one schema.
#[derive(Debug)]
pub(super) struct Decls(Vec<Decl>);

impl Default for Decls {
    fn default() -> Self {
        let key = Decl { type_: Type::String, below: Below::Nothing, most: 0, most_before: None, least: 2 };
        Self(vec![key])
    }
}

impl Decls {
    /// What stands for the keys of every map.
    const KEY: DeclId = 0;

    pub(super) fn get(&self, id: DeclId) -> &Decl {
        &self.0[id]
    }

    fn push(&mut self, type_: Type, below: Below, most: u64, least: u64) -> DeclId {
        self.0.push(Decl { type_, below, most, most_before: None, least });
        self.0.len() - 1
    }

    /// The type of an object's field, by the name that an expression has for it.
    pub(super) fn field(&self, object: DeclId, name: &str) -> Option<&Type> {
        let Below::Fields { reachable, .. } = &self.get(object).below else { return None };
        let found = reachable.get(name);
        let found = found.or_else(|| reachable.get(&names::escaped(name)).filter(|_| names::is_reserved(name)));
        found.map(|id| &self.get(*id).type_)
    }

    /// The names of an object's fields, in order.
    pub(super) fn field_names(&self, object: DeclId) -> Vec<&str> {
        let Below::Fields { reachable, .. } = &self.get(object).below else { return Vec::new() };
        let mut names: Vec<&str> = reachable.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The node of a property, where the node above is declared.
    pub(super) fn property(&self, above: DeclId, name: &str) -> Option<DeclId> {
        let Below::Fields { reachable, other } = &self.get(above).below else { return None };
        match names::accessible(name) {
            Some(name) => reachable.get(name.as_ref()).copied(),
            None => other.get(name).copied(),
        }
    }

    /// The node of the elements.
    pub(super) fn elements(&self, above: DeclId) -> Option<DeclId> {
        match self.get(above).below {
            Below::Items(id) | Below::Values(id) => Some(id),
            _ => None,
        }
    }

    /// The node that a field leads to in the size estimate, by the very name.
    pub(super) fn sized_field(&self, above: DeclId, name: &str) -> Option<DeclId> {
        let Below::Fields { reachable, .. } = &self.get(above).below else { return None };
        reachable.get(name).copied()
    }

    /// The node of a map's keys.
    pub(super) fn keys(&self, above: DeclId) -> Option<DeclId> {
        matches!(self.get(above).below, Below::Values(_)).then_some(Self::KEY)
    }

    /// Declares a node and all below it; `None` where its type is not known, so that expressions do not see it.
    pub(super) fn declare(&mut self, schema: &Value, is_root: bool) -> Option<DeclId> {
        if is_set(schema, "x-kubernetes-int-or-string") {
            let most = max(schema, "maxLength").map_or(REQUEST - 2, |length| length.saturating_mul(4));
            return Some(self.push(Type::Dyn, Below::Nothing, most, 1));
        }
        let is_root = is_root && !has_type_and_metadata(schema);
        match text(schema, "type") {
            "array" if !is_root => {
                let items = schema.get("items").filter(|items| items.is_object())?;
                let of = self.declare_child(items)?;
                let (type_, least) = (Type::list(self.get(of).type_.clone()), self.get(of).least);
                let most = max(schema, "maxItems").unwrap_or((REQUEST - 2) / (least + 1));
                Some(self.push(type_, Below::Items(of), most, 2))
            }
            "object" => {
                if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
                    let of = self.declare_child(values)?;
                    let (value, least) = (self.get(of).type_.clone(), self.get(of).least);
                    let most = max(schema, "maxProperties").unwrap_or((REQUEST - 2) / (least + 6));
                    return Some(self.push(Type::map(Type::String, value), Below::Values(of), most, 2));
                }
                Some(self.declare_object(schema, is_root))
            }
            "string" => Some(self.declare_string(schema)),
            "boolean" => Some(self.push(Type::Bool, Below::Nothing, 0, 4)),
            "number" => Some(self.push(Type::Double, Below::Nothing, 0, 1)),
            "integer" => Some(self.push(Type::Int, Below::Nothing, 0, 1)),
            _ => None,
        }
    }

    fn declare_child(&mut self, schema: &Value) -> Option<DeclId> {
        self.declare(schema, is_set(schema, "x-kubernetes-embedded-resource"))
    }

    fn declare_object(&mut self, schema: &Value, is_root: bool) -> DeclId {
        let mut required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        required.sort_unstable();
        let (mut reachable, mut other) = (HashMap::new(), HashMap::new());
        let mut least = 2;
        let mut add = |decls: &Self, name: &str, of: DeclId, has_default: bool| {
            if required.binary_search(&name).is_ok() && !has_default {
                least += name.len() as u64 + decls.get(of).least + 4;
            }
            match names::accessible(name) {
                Some(name) => reachable.insert(name.into_owned(), of),
                None => other.insert(name.to_owned(), of),
            };
        };
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if is_root && matches!(name.as_str(), "kind" | "apiVersion" | "metadata") {
                continue;
            }
            if let Some(of) = self.declare_child(property) {
                add(self, name, of, property.get("default").is_some_and(|d| !d.is_null()));
            }
        }
        if is_root {
            for name in ["kind", "apiVersion"] {
                let of = self.push(Type::String, Below::Nothing, REQUEST - 2, 2);
                add(self, name, of, false);
            }
            let metadata = self.declare_metadata(schema);
            add(self, "metadata", metadata, false);
        }
        let id = self.0.len();
        self.push(Type::Object(id), Below::Fields { reachable, other }, 0, least)
    }

    /// What every object's metadata has: two names, with the length that names have at most. Until 1.36 the server
    /// computeed with names of any length.
    fn declare_metadata(&mut self, schema: &Value) -> DeclId {
        let mut fields = HashMap::new();
        for (name, longest) in [("name", LONGEST_NAME), ("generateName", LONGEST_NAME - 1)] {
            let described = schema.pointer("/properties/metadata/properties").and_then(|p| p.get(name));
            let longest = described.and_then(|d| max(d, "maxLength")).map_or(longest, |given| given.min(longest));
            let id = self.push(Type::String, Below::Nothing, longest * 4, 2);
            self.0[id].most_before = Some(REQUEST - 2);
            fields.insert(name.to_owned(), id);
        }
        let id = self.0.len();
        self.push(Type::Object(id), Below::Fields { reachable: fields, other: HashMap::new() }, 0, 2)
    }

    fn declare_string(&mut self, schema: &Value) -> DeclId {
        let longest = max(schema, "maxLength");
        let (type_, most, least) = match text(schema, "format") {
            "byte" => (Type::Bytes, longest.unwrap_or(REQUEST - 2), 2),
            "duration" => (Type::Duration, LONGEST_TIME, 3),
            "date" => (Type::Timestamp, DATE, DATE),
            "date-time" => (Type::Timestamp, LONGEST_TIME, 21),
            _ => {
                let most = match longest {
                    Some(length) => length.saturating_mul(4),
                    None => longest_of(schema).unwrap_or(REQUEST - 2),
                };
                (Type::String, most, 2)
            }
        };
        self.push(type_, Below::Nothing, most, least)
    }
}

/// The length of the longest value that an `enum` has.
fn longest_of(schema: &Value) -> Option<u64> {
    let values = schema.get("enum").and_then(Value::as_array).filter(|values| !values.is_empty())?;
    Some(values.iter().filter_map(Value::as_str).map(|value| value.len() as u64).max().unwrap_or(0))
}

/// How often values of such a size may stand in one request at most.
pub(super) fn most_in_request(least: u64) -> u64 {
    REQUEST / (least + 1)
}

/// Whether the schema itself describes what every object has.
fn has_type_and_metadata(schema: &Value) -> bool {
    [
        ("/properties/kind", "string"),
        ("/properties/apiVersion", "string"),
        ("/properties/metadata", "object"),
        ("/properties/metadata/properties/name", "string"),
        ("/properties/metadata/properties/generateName", "string"),
    ]
    .into_iter()
    .all(|(pointer, type_)| schema.pointer(pointer).is_some_and(|node| text(node, "type") == type_))
}

/// A limit of a schema; a negative one is 0.
pub(super) fn max(schema: &Value, key: &str) -> Option<u64> {
    let given = schema.get(key)?;
    // A schema may write a whole number as a float.
    given.as_u64().or_else(|| given.as_i64().map(|_| 0)).or_else(|| whole(given.as_f64()?))
}

/// A float that is a whole number, at least 0.
fn whole(number: f64) -> Option<u64> {
    format!("{number:.0}").parse::<i64>().ok().filter(|_| number.fract() == 0.0).map(|n| u64::try_from(n).unwrap_or(0))
}

fn is_set(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}
