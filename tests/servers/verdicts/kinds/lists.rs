//! The types of lists and maps, and keys of lists.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, any, is, kinds, named_list, put};

kinds![
    list_type_unknown,
    list_type_of_wrong_json,
    list_type_of_another_type,
    list_type_of_any_list,
    map_type_any,
    map_type_of_another_type,
    set_of_objects,
    set_of_lists,
    set_of_nullable,
    set_sound,
    set_default_twice,
    keys_missing,
    keys_unknown,
    keys_nullable,
    keys_not_required,
    keys_with_default,
    keys_of_objects,
    keys_empty,
    keys_twice,
    keys_without_type,
    keys_of_wrong_json,
    keys_sound,
    keys_of_scalars,
    keys_default_twice,
    keys_in_a_junctor,
    items_of_a_map_list_nullable,
];

/// A list type that does not exist.
fn list_type_unknown(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["granular", "list", "", "Set", "maps"]));
    hand.insert(crd, json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": value}))
}

/// A list type that is no text.
fn list_type_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([1, true, null, [], {}]));
    hand.insert(crd, json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": value}))
}

/// A list type of what is no list.
fn list_type_of_another_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["atomic", "set", "map"]));
    put(hand.inner(crd, |node| !is("array")(node))?, "x-kubernetes-list-type", value)
}

/// Another type of a list that is there.
fn list_type_of_any_list(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["atomic", "set", "map"]));
    put(hand.inner(crd, is("array"))?, "x-kubernetes-list-type", value)
}

/// A type of a map.
fn map_type_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["atomic", "granular", "set", "", null, 1, true, "Atomic"]));
    put(hand.inner(crd, is("object"))?, "x-kubernetes-map-type", value)
}

/// A type of a map of what is none.
fn map_type_of_another_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["atomic", "granular"]));
    put(hand.inner(crd, |node| !is("object")(node))?, "x-kubernetes-map-type", value)
}

/// A set whose items are objects.
fn set_of_objects(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let items = hand.one(json!([
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-map-type": "atomic"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "x-kubernetes-map-type": "granular"},
    ]));
    hand.insert(crd, json!({"type": "array", "items": items, "x-kubernetes-list-type": "set"}))
}

/// A set whose items are lists.
fn set_of_lists(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut items = json!({"type": "array", "items": {"type": "string"}});
    if let Some(kind) = hand.one(json!([null, "atomic", "set"])).as_str() {
        items["x-kubernetes-list-type"] = json!(kind);
    }
    hand.insert(crd, json!({"type": "array", "items": items, "x-kubernetes-list-type": "set"}))
}

/// A set whose items may be null, have a default or any type.
fn set_of_nullable(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let items = hand.one(json!([
        {"type": "string", "nullable": true},
        {"x-kubernetes-int-or-string": true},
        {"type": "string", "default": "a"},
        {"x-kubernetes-preserve-unknown-fields": true},
        {"type": "number"},
        {"type": "string", "nullable": false},
    ]));
    hand.insert(crd, json!({"type": "array", "items": items, "x-kubernetes-list-type": "set"}))
}

/// A sound set.
fn set_sound(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let kind = hand.word(&["string", "integer", "boolean"]);
    hand.insert(crd, json!({"type": "array", "items": {"type": kind}, "x-kubernetes-list-type": "set"}))
}

/// A default with an item twice.
fn set_default_twice(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (kind, default) = hand
        .random
        .pick(&[
            ("string", json!(["a", "b", "a"])),
            ("number", json!([1, 1.0])),
            ("integer", json!([1, 2])),
            ("integer", json!([1, 1])),
        ])
        .clone();
    hand.insert(
        crd,
        json!({"type": "array", "items": {"type": kind}, "x-kubernetes-list-type": "set", "default": default}),
    )
}

fn keyed(keys: Value) -> Value {
    let mut list = named_list();
    list["x-kubernetes-list-type"] = json!("map");
    list["x-kubernetes-list-map-keys"] = keys;
    list
}

/// A list by keys without keys.
fn keys_missing(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut list = named_list();
    list["x-kubernetes-list-type"] = json!("map");
    hand.insert(crd, list)
}

/// A key that is no property.
fn keys_unknown(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let keys = hand.one(json!([["other"], ["name", "other"], [""]]));
    hand.insert(crd, keyed(keys))
}

/// A key that may be null.
fn keys_nullable(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut list = keyed(json!(["name"]));
    list["items"]["properties"]["name"]["nullable"] = json!(true);
    hand.insert(crd, list)
}

/// A key that may be missing.
fn keys_not_required(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let keys = hand.one(json!([["port"], ["name", "port"]]));
    hand.insert(crd, keyed(keys))
}

/// A key with a default, required or not.
fn keys_with_default(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let keys = hand.one(json!([["port"], ["name", "port"], ["name"]]));
    let mut list = keyed(keys);
    list["items"]["properties"]["port"]["default"] = json!(80);
    if hand.random.chance(30) {
        list["items"]["properties"]["name"]["default"] = json!("x");
    }
    hand.insert(crd, list)
}

/// A key that is no scalar.
fn keys_of_objects(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut list = keyed(json!(["name"]));
    list["items"]["properties"]["name"] = hand.one(json!([
        {"type": "object"},
        {"type": "array", "items": {"type": "string"}},
        {"x-kubernetes-int-or-string": true},
        {"type": "number"},
        {"type": "boolean"},
        {"x-kubernetes-preserve-unknown-fields": true},
    ]));
    hand.insert(crd, list)
}

/// No keys.
fn keys_empty(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    hand.insert(crd, keyed(json!([])))
}

/// A key twice.
fn keys_twice(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    hand.insert(crd, keyed(json!(["name", "name"])))
}

/// Keys of a list that is none by keys.
fn keys_without_type(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut list = keyed(json!(["name"]));
    match hand.one(json!([null, "atomic", "set"])) {
        Value::Null => list.as_object_mut()?.remove("x-kubernetes-list-type").map(drop)?,
        kind => list["x-kubernetes-list-type"] = kind,
    }
    hand.insert(crd, list)
}

/// Keys that are no texts.
fn keys_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let keys = hand.one(json!(["name", [1], {}, null, [null], true]));
    hand.insert(crd, keyed(keys))
}

/// A sound list by keys.
fn keys_sound(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut list = keyed(json!(["name", "port"]));
    list["items"]["required"] = json!(["name", "port"]);
    hand.insert(crd, list)
}

/// A list by keys of what has none.
fn keys_of_scalars(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut list = keyed(json!(["name"]));
    list["items"] = hand.one(json!([
        {"type": "string"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        {"type": "object"},
    ]));
    hand.insert(crd, list)
}

/// A default with two items of one key.
fn keys_default_twice(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut list = keyed(json!(["name"]));
    list["default"] = hand.one(json!([
        [{"name": "a"}, {"name": "a"}],
        [{"name": "a", "port": 1}, {"name": "a", "port": 2}],
        [{"name": "a"}, {"name": "b"}],
        [{"port": 1}],
    ]));
    hand.insert(crd, list)
}

/// The type of a list inside a junctor.
fn keys_in_a_junctor(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut list = named_list();
    list["allOf"] = json!([{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}]);
    hand.insert(crd, list)
}

/// Items of a list by keys that may be null.
fn items_of_a_map_list_nullable(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut list = keyed(json!(["name"]));
    list["items"]["nullable"] = json!(true);
    hand.insert(crd, list)?;
    hand.inner(crd, any).map(drop)
}
