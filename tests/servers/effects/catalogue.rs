//! Changes of one node of a schema: for every keyword of a structural schema, the ways in
//! which it can change, with values of the node on both sides of the change.

#![allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::corpus::random::Random;

/// A change of one node.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The keyword that changes.
    pub keyword: &'static str,
    /// How it changes: `added`, `removed`, `narrowed`, `widened` or `moved`.
    pub how: &'static str,
    pub old: Value,
    pub new: Value,
    /// Values that instances have under the old schema. What the server does not take is not tried.
    pub values: Vec<Value>,
    /// Values of which two managers apply a part each.
    pub shared: Vec<(Value, Value)>,
    /// A schema from before the old one, under which the instances are stored.
    pub earlier: Option<Value>,
}

impl Change {
    pub(super) fn new(keyword: &'static str, how: &'static str, old: Value, new: Value, values: &[Value]) -> Self {
        let values = values.to_vec();
        Self { keyword, how, old, new, values, shared: Vec::new(), earlier: None }
    }

    fn shared(mut self, first: Value, second: Value) -> Self {
        self.shared.push((first, second));
        self
    }

    fn earlier(mut self, schema: Value) -> Self {
        self.earlier = Some(schema);
        self
    }
}

/// A node with more keywords.
pub(super) fn with(node: &Value, more: Value) -> Value {
    let mut node = node.as_object().cloned().unwrap_or_default();
    if let Value::Object(more) = more {
        node.extend(more);
    }
    Value::Object(node)
}

pub(super) fn kind(name: &str) -> Value {
    json!({ "type": name })
}

pub(super) fn object(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

pub(super) fn map(values: Value) -> Value {
    json!({ "type": "object", "additionalProperties": values })
}

pub(super) fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

pub(super) fn open() -> Value {
    json!({ "x-kubernetes-preserve-unknown-fields": true })
}

pub(super) fn open_object(properties: Value) -> Value {
    with(&object(properties), open())
}

/// All changes. The random choices are those of numbers.
pub(crate) fn all(random: &mut Random) -> Vec<Change> {
    let mut found = types();
    found.extend(nullable());
    found.extend(fields());
    found.extend(required());
    found.extend(enums());
    found.extend(super::catalogue_of_values::all(random));
    found.extend(super::catalogue_of_objects::all());
    found
}

/// One schema of each type, with values of it.
fn samples() -> BTreeMap<&'static str, (Value, Vec<Value>)> {
    let of = |schema: Value, values: Value| (schema, values.as_array().cloned().unwrap_or_default());
    [
        ("string", of(kind("string"), json!(["a", "12", ""]))),
        ("integer", of(kind("integer"), json!([1, -3, 4_294_967_296_i64]))),
        ("number", of(kind("number"), json!([1.5, 2, -0.5]))),
        ("boolean", of(kind("boolean"), json!([true, false]))),
        ("object", of(object(json!({ "x": kind("integer") })), json!([{ "x": 1 }, {}]))),
        ("list", of(list(kind("string")), json!([[], ["a"], ["a", "a"]]))),
        ("int-or-string", of(json!({ "x-kubernetes-int-or-string": true }), json!([5, "80%", ""]))),
        ("open", of(open(), json!(["a", 1, true, 1.5, { "x": "s", "y": { "z": [null] } }, [1, "a"], {}, []]))),
    ]
    .into()
}

/// Every type, and every other type after it.
fn types() -> Vec<Change> {
    let samples = samples();
    let mut found = Vec::new();
    for (was, (old, values)) in &samples {
        for (is, (new, _)) in samples.iter().filter(|(is, _)| *is != was) {
            let how = match (*was, *is) {
                ("integer" | "string", "int-or-string") | ("integer", "number") => "widened",
                ("int-or-string", "integer" | "string") | ("number", "integer") => "narrowed",
                ("open", _) => "added",
                (_, "open") => "removed",
                _ => "moved",
            };
            let keyword = match *was == "int-or-string" || *is == "int-or-string" {
                true => "x-kubernetes-int-or-string",
                false => "type",
            };
            let how = match (keyword, how) {
                ("type", how) => how,
                _ if *is == "int-or-string" && how != "widened" => "added",
                (_, "narrowed" | "moved" | "removed") => "removed",
                (_, how) => how,
            };
            found.push(Change::new(keyword, how, old.clone(), new.clone(), values));
        }
    }
    let repeated = json!({ "x-kubernetes-int-or-string": true, "anyOf": [kind("integer"), kind("string")] });
    let (either, values) = &samples["int-or-string"];
    found.push(Change::new("anyOf", "added", either.clone(), repeated.clone(), values));
    found.push(Change::new("anyOf", "removed", repeated, either.clone(), values));
    found
}

fn nullable() -> Vec<Change> {
    let (plain, null) = (kind("string"), with(&kind("string"), json!({ "nullable": true })));
    let values = [json!("a"), Value::Null];
    let default = |node: &Value| with(node, json!({ "default": "d" }));
    vec![
        Change::new("nullable", "added", plain.clone(), null.clone(), &values),
        Change::new("nullable", "removed", null.clone(), plain.clone(), &values),
        Change::new("nullable", "removed", null.clone(), default(&plain), &values),
        Change::new("nullable", "removed", default(&null), default(&plain), &values),
        Change::new("nullable", "added", default(&plain), default(&null), &values).earlier(null),
        Change::new("nullable", "added", kind("integer"), json!({ "type": "integer", "nullable": true }), &[json!(1)]),
    ]
}

/// Fields that come and go, in objects of all kinds.
#[expect(clippy::too_many_lines, reason = "it is a list")]
fn fields() -> Vec<Change> {
    let (text, number) = (kind("string"), kind("integer"));
    let closed = || object(json!({ "x": text }));
    let both = || object(json!({ "x": text, "y": number }));
    let values = [json!({ "x": "a" }), json!({ "x": "a", "y": 1 }), json!({})];
    let loose =
        [json!({ "x": "a", "z": { "deep": [1] } }), json!({ "x": 1, "y": "b" }), json!({ "x": { "q": 1 } }), json!({})];
    let texts = [json!({ "x": "a" }), json!({ "x": "a", "k": "b" }), json!({})];
    let nested = |inner: Value| object(json!({ "x": text, "y": inner }));
    let mut found = vec![
        Change::new("properties", "added", closed(), both(), &values),
        Change::new("properties", "removed", both(), closed(), &values),
        Change::new("properties", "removed", both(), open_object(json!({ "x": text })), &values),
        Change::new(
            "properties",
            "removed",
            nested(with(&number, json!({ "default": 5 }))),
            open_object(json!({ "x": text })),
            &values,
        )
        .earlier(both()),
        Change::new("properties", "moved", both(), object(json!({ "x": text, "z": number })), &values),
        Change::new("properties", "added", closed(), nested(with(&number, json!({ "default": 5 }))), &values),
        Change::new(
            "properties",
            "added",
            closed(),
            nested(object(json!({ "q": with(&number, json!({ "default": 5 })) }))),
            &values,
        ),
        Change::new("properties", "added", closed(), nested(object(json!({ "q": number }))), &values),
        Change::new("properties", "added", open_object(json!({})), open_object(json!({ "x": text })), &loose),
        Change::new(
            "properties",
            "added",
            open_object(json!({})),
            open_object(json!({ "x": object(json!({})) })),
            &loose,
        ),
        Change::new("properties", "added", open_object(json!({})), open_object(json!({ "x": open() })), &loose),
        Change::new(
            "properties",
            "added",
            open_object(json!({})),
            open_object(json!({ "n": with(&number, json!({ "default": 1 })) })),
            &loose,
        ),
        Change::new("properties", "removed", open_object(json!({ "x": text })), open_object(json!({})), &loose),
        // An object that becomes a map, and the reverse.
        Change::new("additionalProperties", "added", closed(), map(text.clone()), &values),
        Change::new("additionalProperties", "added", closed(), map(number.clone()), &values),
        Change::new(
            "additionalProperties",
            "added",
            nested(object(json!({ "q": number }))),
            map(object(json!({}))),
            &[json!({ "y": { "q": 1 } }), json!({ "x": "a" })],
        ),
        Change::new("additionalProperties", "removed", map(text.clone()), closed(), &texts),
        Change::new(
            "additionalProperties",
            "removed",
            map(text.clone()),
            object(json!({ "x": number, "k": number })),
            &texts,
        ),
        Change::new("additionalProperties", "moved", map(text.clone()), map(number.clone()), &texts),
        Change::new(
            "additionalProperties",
            "widened",
            map(number.clone()),
            map(kind("number")),
            &[json!({ "a": 1 }), json!({})],
        ),
        Change::new("additionalProperties", "added", open_object(json!({})), map(text.clone()), &loose),
        Change::new(
            "additionalProperties",
            "added",
            open_object(json!({})),
            map(object(json!({ "q": number }))),
            &[json!({ "x": { "q": 1 } }), json!({ "x": { "q": 1, "r": 2 } }), json!({ "x": {} })],
        ),
        Change::new("additionalProperties", "removed", map(text.clone()), open_object(json!({})), &texts),
        Change::new(
            "additionalProperties",
            "removed",
            map(with(&list(text.clone()), json!({ "x-kubernetes-list-type": "set" }))),
            open_object(json!({})),
            &[],
        )
        .shared(json!({ "x": ["a"] }), json!({ "x": ["b"] })),
        Change::new(
            "additionalProperties",
            "added",
            closed(),
            json!({ "type": "object", "additionalProperties": true }),
            &values,
        ),
        Change::new(
            "additionalProperties",
            "removed",
            json!({ "type": "object", "additionalProperties": true }),
            closed(),
            &loose,
        ),
        Change::new(
            "additionalProperties",
            "moved",
            json!({ "type": "object", "additionalProperties": true }),
            map(text.clone()),
            &loose,
        ),
        Change::new(
            "additionalProperties",
            "moved",
            json!({ "type": "object", "additionalProperties": true }),
            open_object(json!({})),
            &loose,
        ),
        Change::new(
            "additionalProperties",
            "moved",
            open_object(json!({})),
            json!({ "type": "object", "additionalProperties": true }),
            &loose,
        ),
        Change::new(
            "x-kubernetes-preserve-unknown-fields",
            "added",
            closed(),
            open_object(json!({ "x": text })),
            &values,
        ),
        Change::new(
            "x-kubernetes-preserve-unknown-fields",
            "removed",
            open_object(json!({ "x": text })),
            closed(),
            &loose,
        ),
        Change::new("x-kubernetes-preserve-unknown-fields", "removed", open_object(json!({})), both(), &loose),
        Change::new("x-kubernetes-preserve-unknown-fields", "removed", open_object(json!({})), kind("object"), &loose),
        Change::new(
            "x-kubernetes-preserve-unknown-fields",
            "added",
            kind("object"),
            open_object(json!({})),
            &[json!({})],
        ),
        Change::new("items", "moved", list(text.clone()), list(number.clone()), &[json!(["a"]), json!([])]),
        Change::new("items", "widened", list(number.clone()), list(kind("number")), &[json!([1, 2]), json!([])]),
        Change::new("items", "moved", list(both()), list(closed()), &[json!([{ "x": "a", "y": 1 }]), json!([{}])]),
        Change::new("items", "added", list(closed()), list(both()), &[json!([{ "x": "a" }]), json!([{}])]),
    ];
    let embedded = |more: Value| {
        with(&object(json!({ "spec": closed() })), with(&json!({ "x-kubernetes-embedded-resource": true }), more))
    };
    let plain = |more: Value| with(&object(json!({ "spec": closed() })), more);
    let resources = [
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "labels": { "l": "v" } }, "spec": { "x": "a" } }),
        json!({ "spec": { "x": "a" } }),
        json!({}),
    ];
    let key = "x-kubernetes-embedded-resource";
    let loosely = || json!({ "x-kubernetes-preserve-unknown-fields": true });
    found.extend([
        Change::new(key, "added", plain(loosely()), embedded(loosely()), &resources),
        Change::new(key, "added", plain(json!({})), embedded(json!({})), &resources),
        Change::new(key, "removed", embedded(json!({})), plain(json!({})), &resources),
        Change::new(key, "removed", embedded(loosely()), plain(loosely()), &resources),
        Change::new(
            key,
            "removed",
            embedded(loosely()),
            with(&object(json!({ "metadata": object(json!({ "name": text })) })), loosely()),
            &resources,
        ),
    ]);
    // What an embedded resource says of its own metadata.
    let named = |more: Value| {
        let metadata = object(json!({ "name": with(&kind("string"), more) }));
        json!({ "type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true,
            "properties": { "metadata": metadata } })
    };
    found.push(Change::new("maxLength", "added", embedded(loosely()), named(json!({ "maxLength": 0 })), &resources));
    found.push(Change::new("maxLength", "removed", named(json!({ "maxLength": 3 })), named(json!({})), &resources));
    found
}

fn required() -> Vec<Change> {
    let text = kind("string");
    let default = with(&text, json!({ "default": "d" }));
    let of =
        |property: &Value, required: Value| with(&object(json!({ "x": property, "y": kind("integer") })), required);
    let (must, may) = (|| json!({ "required": ["x"] }), || json!({}));
    let values = [json!({ "x": "a" }), json!({ "y": 1 }), json!({})];
    let key = "required";
    vec![
        Change::new(key, "added", of(&text, may()), of(&text, must()), &values),
        Change::new(key, "removed", of(&text, must()), of(&text, may()), &values),
        Change::new(key, "added", of(&default, may()), of(&default, must()), &values),
        Change::new(key, "added", of(&default, may()), of(&default, must()), &values).earlier(of(&text, may())),
        Change::new(key, "added", of(&default, may()), of(&text, must()), &values).earlier(of(&text, may())),
        Change::new(key, "added", open_object(json!({})), with(&open_object(json!({})), must()), &values),
        Change::new(key, "removed", with(&open_object(json!({})), must()), open_object(json!({})), &values),
        Change::new(key, "added", object(json!({ "y": kind("integer") })), of(&text, must()), &values),
        Change::new(key, "added", object(json!({ "y": kind("integer") })), of(&default, must()), &values),
        Change::new(
            key,
            "added",
            map(text.clone()),
            with(&map(text.clone()), must()),
            &[json!({ "x": "a" }), json!({})],
        ),
        Change::new(key, "moved", of(&text, must()), of(&text, json!({ "required": ["y"] })), &values),
    ]
}

fn enums() -> Vec<Change> {
    let texts = |names: Value| json!({ "type": "string", "enum": names });
    let numbers = |names: Value| json!({ "type": "number", "enum": names });
    let (key, values) = ("enum", [json!("a"), json!("b"), json!("c")]);
    let null = |node: &Value| with(node, json!({ "nullable": true }));
    vec![
        Change::new(key, "added", kind("string"), texts(json!(["a", "b"])), &values),
        Change::new(key, "removed", texts(json!(["a", "b"])), kind("string"), &values),
        Change::new(key, "narrowed", texts(json!(["a", "b"])), texts(json!(["b"])), &values),
        Change::new(key, "widened", texts(json!(["a"])), texts(json!(["b", "a"])), &values),
        Change::new(key, "moved", texts(json!(["a", "b"])), texts(json!(["b", "c"])), &values),
        Change::new(key, "moved", texts(json!(["a", "b"])), texts(json!(["b", "a"])), &values),
        Change::new(key, "narrowed", numbers(json!([1, 2])), numbers(json!([1.0])), &[json!(1), json!(1.0), json!(2)]),
        Change::new(
            key,
            "removed",
            null(&texts(json!(["a", null]))),
            null(&kind("string")),
            &[json!("a"), Value::Null],
        ),
        Change::new(key, "added", null(&kind("string")), null(&texts(json!(["a"]))), &[json!("a"), Value::Null]),
    ]
}
