//! What a server does to an instance before it judges it: nulls go, defaults come
//! (apiextensions `pkg/apiserver/schema/defaulting/prunenulls.go` and `algorithm.go`, v1.37).

use serde_json::Value;

use crate::compile::schema;

/// Drops nulls that the schema takes neither as nulls nor as defaults, and fills in defaults.
pub(super) fn fill(schema: &Value, value: &mut Value) {
    drop_nulls(Some(schema), value);
    fill_in(Some(schema), value);
}

fn refuses_null(schema: &Value) -> bool {
    !schema::flag(schema, "nullable")
}

fn default_of(schema: &Value) -> Option<&Value> {
    schema.get("default").filter(|d| !d.is_null())
}

fn child<'s>(schema: Option<&'s Value>, name: &str) -> Option<&'s Value> {
    schema.and_then(|s| schema::property(s, name).or_else(|| schema::values(s)))
}

fn drop_nulls(schema: Option<&Value>, value: &mut Value) {
    match value {
        Value::Object(map) => map.retain(|name, inner| {
            let child = child(schema, name);
            let dropped = inner.is_null() && child.is_some_and(|c| refuses_null(c) && default_of(c).is_none());
            if !dropped {
                drop_nulls(child, inner);
            }
            !dropped
        }),
        Value::Array(list) => {
            let items = schema.and_then(schema::items);
            for inner in list {
                drop_nulls(items, inner);
            }
        }
        _ => {}
    }
}

fn fill_in(schema: Option<&Value>, value: &mut Value) {
    let Some(schema) = schema else { return };
    match value {
        Value::Object(map) => {
            for (name, child) in schema::properties(schema) {
                if let Some(default) = default_of(child)
                    && map.get(name).is_none_or(|v| v.is_null() && refuses_null(child))
                {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (name, inner) in map.iter_mut() {
                fill_in(child(Some(schema), name), inner);
            }
        }
        Value::Array(list) => {
            let items = schema::items(schema);
            for inner in list {
                if let Some(default) = items.filter(|i| inner.is_null() && refuses_null(i)).and_then(default_of) {
                    *inner = default.clone();
                }
                fill_in(items, inner);
            }
        }
        _ => {}
    }
}
