//! The rest of the catalogue: junctors, defaults, the merging of server-side apply, and
//! validation rules.

#![allow(clippy::needless_pass_by_value, reason = "`json!` is written where it is used")]

use serde_json::{Value, json};

use super::catalogue::{Change, kind, list, map, object, open, open_object, with};

pub(super) fn all() -> Vec<Change> {
    let mut found = junctors();
    found.extend(defaults());
    found.extend(merging());
    found.extend(rules());
    found
}

fn change(keyword: &'static str, how: &'static str, old: Value, new: Value, values: &[Value]) -> Change {
    Change { keyword, how, old, new, values: values.to_vec(), shared: Vec::new(), earlier: None }
}

fn shared(mut change: Change, parts: &[(Value, Value)]) -> Change {
    change.shared.extend_from_slice(parts);
    change
}

fn earlier(mut change: Change, schema: Value) -> Change {
    change.earlier = Some(schema);
    change
}

fn junctors() -> Vec<Change> {
    let number = kind("integer");
    let of = |key: &str, branches: Value| with(&number, json!({ key: branches }));
    let (low, high, even) = (json!({ "maximum": 2 }), json!({ "minimum": 5 }), json!({ "multipleOf": 2 }));
    let values: Vec<Value> = [1, 2, 3, 4, 5, 6].into_iter().map(Value::from).collect();
    let mut found = Vec::new();
    for key in ["allOf", "anyOf", "oneOf"] {
        let (one, two) = (json!([low]), json!([low, even]));
        let (narrow, wide) = if key == "allOf" { (two.clone(), one.clone()) } else { (one.clone(), two.clone()) };
        found.extend([
            change(key, "added", number.clone(), of(key, two.clone()), &values),
            change(key, "removed", of(key, two.clone()), number.clone(), &values),
            change(key, "moved", of(key, two.clone()), of(key, json!([high, even])), &values),
            change(key, "moved", of(key, two.clone()), of(key, json!([even, low])), &values),
        ]);
        if key == "oneOf" {
            found.push(change(key, "moved", of(key, one), of(key, two), &values));
        } else {
            found.push(change(key, "narrowed", of(key, wide.clone()), of(key, narrow.clone()), &values));
            found.push(change(key, "widened", of(key, narrow), of(key, wide), &values));
        }
    }
    let not = |branch: &Value| with(&number, json!({ "not": branch }));
    found.extend([
        change("not", "added", number.clone(), not(&low), &values),
        change("not", "removed", not(&low), number.clone(), &values),
        change("not", "moved", not(&low), not(&high), &values),
    ]);
    let fields = object(json!({ "x": kind("string"), "y": kind("string") }));
    let needs = |name: &str| json!({ "required": [name] });
    let objects = [json!({ "x": "a" }), json!({ "y": "a" }), json!({ "x": "a", "y": "a" }), json!({})];
    let either = with(&fields, json!({ "anyOf": [needs("x"), needs("y")] }));
    let one = with(&fields, json!({ "oneOf": [needs("x"), needs("y")] }));
    found.extend([
        change("anyOf", "added", fields.clone(), either.clone(), &objects),
        change("oneOf", "added", fields.clone(), one.clone(), &objects),
        change("oneOf", "removed", one, either, &objects),
        change(
            "uniqueItems",
            "added",
            list(kind("string")),
            with(&list(kind("string")), json!({ "uniqueItems": true })),
            &[],
        ),
    ]);
    found
}

fn defaults() -> Vec<Change> {
    let text = kind("string");
    let of = |default: Value| object(json!({ "x": with(&text, json!({ "default": default })), "y": kind("integer") }));
    let none = object(json!({ "x": text, "y": kind("integer") }));
    let values = [json!({ "x": "a" }), json!({ "y": 1 }), json!({})];
    let inner = |more: Value| {
        let leaf = with(&object(json!({ "q": { "type": "integer", "default": 1 } })), more);
        object(json!({ "x": leaf, "y": kind("integer") }))
    };
    let objects = [json!({ "x": { "q": 2 } }), json!({ "x": {} }), json!({ "y": 1 })];
    let must = |node: &Value| with(node, json!({ "required": ["x"] }));
    let (a, b) = (of(json!("a")), of(json!("b")));
    let in_items = |default: Value| list(object(json!({ "k": text, "x": with(&text, default) })));
    let items = [json!([{ "k": "a" }, { "k": "b", "x": "c" }]), json!([])];
    let of_list = |default: Value| object(json!({ "x": with(&list(text.clone()), default), "y": kind("integer") }));
    let lists = [json!({ "x": [] }), json!({ "y": 1 })];
    let key = "default";
    vec![
        change(key, "added", none.clone(), a.clone(), &values),
        change(key, "removed", a.clone(), none.clone(), &values),
        earlier(change(key, "removed", a.clone(), none.clone(), &values), none.clone()),
        change(key, "moved", a.clone(), b.clone(), &values),
        earlier(change(key, "moved", a.clone(), b, &values), none.clone()),
        earlier(change(key, "removed", a.clone(), must(&none), &values), none.clone()),
        change(key, "added", must(&none), must(&a), &values),
        change(
            key,
            "added",
            none.clone(),
            object(json!({ "x": text, "y": { "type": "integer", "default": 0 } })),
            &values,
        ),
        change(key, "added", inner(json!({})), inner(json!({ "default": {} })), &objects),
        earlier(change(key, "removed", inner(json!({ "default": {} })), inner(json!({})), &objects), inner(json!({}))),
        change(key, "added", in_items(json!({})), in_items(json!({ "default": "d" })), &items),
        earlier(
            change(key, "removed", in_items(json!({ "default": "d" })), in_items(json!({})), &items),
            in_items(json!({})),
        ),
        change(key, "added", of_list(json!({})), of_list(json!({ "default": ["d"] })), &lists),
        change(
            key,
            "added",
            open_object(json!({})),
            open_object(json!({ "x": { "type": "string", "default": "d" } })),
            &values,
        ),
        change(
            key,
            "added",
            kind("boolean"),
            json!({ "type": "boolean", "default": false }),
            &[json!(true), json!(false)],
        ),
    ]
}

/// What several managers have applied, and how it is merged after the change.
fn merging() -> Vec<Change> {
    let texts = |kind: &str| with(&list(super::catalogue::kind("string")), json!({ "x-kubernetes-list-type": kind }));
    let item = |must: Value| {
        with(
            &object(json!({ "k": kind("string"), "l": kind("string"), "v": kind("integer") })),
            json!({ "required": must }),
        )
    };
    let atomic = list(item(json!(["k", "l"])));
    let keyed =
        |keys: Value| with(&atomic, json!({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys }));
    let (by_k, by_l, by_both) = (keyed(json!(["k"])), keyed(json!(["l"])), keyed(json!(["k", "l"])));
    let words = [json!(["a", "b"]), json!(["a", "a"]), json!([])];
    let one = |k: &str, l: &str| json!({ "k": k, "l": l, "v": 1 });
    let items = [
        json!([one("a", "x"), one("b", "y")]),
        json!([one("a", "x"), one("a", "y")]),
        json!([one("a", "x"), one("b", "x")]),
        json!([]),
    ];
    let two_words = [(json!(["a"]), json!(["b"]))];
    let two_items = [(json!([one("a", "x")]), json!([one("b", "y")]))];
    let (key, keys) = ("x-kubernetes-list-type", "x-kubernetes-list-map-keys");
    let mut found = Vec::new();
    for (old, new, how) in [("atomic", "set", "added"), ("set", "atomic", "removed")] {
        found.push(shared(change(key, how, texts(old), texts(new), &words), &two_words));
    }
    for (keyword, how, old, new) in [
        (key, "added", &atomic, &by_k),
        (key, "added", &atomic, &by_both),
        (key, "removed", &by_k, &atomic),
        (key, "removed", &by_both, &atomic),
        (keys, "moved", &by_k, &by_l),
        (keys, "added", &by_k, &by_both),
        (keys, "removed", &by_both, &by_k),
    ] {
        found.push(shared(change(keyword, how, old.clone(), new.clone(), &items), &two_items));
    }
    found.push(change(keys, "moved", by_both, keyed(json!(["l", "k"])), &items));
    found.push(shared(change("type", "removed", texts("set"), open(), &words), &two_words));
    let granular = object(json!({ "x": kind("string"), "y": kind("string") }));
    let whole = |node: &Value| with(node, json!({ "x-kubernetes-map-type": "atomic" }));
    let of_texts = map(kind("string"));
    let two_fields = [(json!({ "x": "a" }), json!({ "y": "b" }))];
    let fields = [json!({ "x": "a", "y": "b" }), json!({})];
    let key = "x-kubernetes-map-type";
    for node in [&granular, &of_texts] {
        found.push(shared(change(key, "added", node.clone(), whole(node), &fields), &two_fields));
        found.push(shared(change(key, "removed", whole(node), node.clone(), &fields), &two_fields));
        found.push(change(
            key,
            "moved",
            node.clone(),
            with(node, json!({ "x-kubernetes-map-type": "granular" })),
            &fields,
        ));
    }
    found.push(shared(
        change("additionalProperties", "added", granular.clone(), of_texts.clone(), &fields),
        &two_fields,
    ));
    found.push(shared(change("properties", "removed", granular, open_object(json!({})), &fields), &two_fields));
    found.push(shared(
        change("additionalProperties", "removed", of_texts, open_object(json!({})), &fields),
        &two_fields,
    ));
    found
}

fn rules() -> Vec<Change> {
    let key = "x-kubernetes-validations";
    let rule = |text: &str| json!({ key: [{ "rule": text }] });
    let number = kind("integer");
    let values: Vec<Value> = [1, 2, 3].into_iter().map(Value::from).collect();
    let ruled = |text: &str| with(&number, rule(text));
    let worded = |words: Value| with(&number, json!({ key: [words] }));
    let old_self = |optional: bool| {
        let text = "!oldSelf.hasValue() || oldSelf.value() == self || self > 2";
        let text = if optional { "oldSelf.hasValue() && oldSelf.value() == self" } else { text };
        worded(json!({ "rule": text, "optionalOldSelf": true }))
    };
    let mut found = vec![
        change(key, "added", number.clone(), ruled("self < 2"), &values),
        change(key, "removed", ruled("self < 2"), number.clone(), &values),
        change(key, "moved", ruled("self < 2"), ruled("self < 3"), &values),
        change(key, "moved", ruled("self < 3"), ruled("self < 2"), &values),
        change(
            key,
            "moved",
            worded(json!({ "rule": "self < 3", "message": "a" })),
            worded(json!({ "rule": "self < 3", "message": "b" })),
            &values,
        ),
        change(key, "added", number.clone(), ruled("self == oldSelf"), &values),
        change(key, "added", number.clone(), old_self(true), &values),
        change(key, "added", number.clone(), old_self(false), &values),
        change(key, "removed", old_self(false), number.clone(), &values),
    ];
    // The rule stays, and what it is about changes.
    let pair = |node: &Value, text: &str| with(&object(json!({ "a": node, "b": node })), rule(text));
    let around = |keyword, how, old: &Value, new: &Value, text: &str, values: &[Value]| {
        change(keyword, how, pair(old, text), pair(new, text), values)
    };
    let ab = |a: Value, b: Value| json!({ "a": a, "b": b });
    let numbers = [ab(json!(3), json!(2)), ab(json!(2), json!(2)), json!({})];
    let dates = with(&kind("string"), json!({ "format": "date-time" }));
    let times = [ab(json!("2024-01-02T03:04:05Z"), json!("2024-01-02T04:04:05+01:00")), json!({})];
    let texts = |kind: &str| with(&list(super::catalogue::kind("string")), json!({ "x-kubernetes-list-type": kind }));
    let lists = [ab(json!(["x", "y"]), json!(["y", "x"])), ab(json!(["x"]), json!(["x"]))];
    let (same, guarded) =
        ("!has(self.a) || self.a == self.b", "!has(self.a) || self.a / self.b * self.b != self.a || self.a == self.b");
    found.extend([
        around("type", "widened", &number, &kind("number"), guarded, &numbers),
        around("type", "widened", &number, &kind("number"), "!has(self.a) || self.a >= self.b", &numbers),
        around("format", "removed", &dates, &kind("string"), same, &times),
        around("x-kubernetes-list-type", "removed", &texts("set"), &texts("atomic"), same, &lists),
        around(
            "x-kubernetes-int-or-string",
            "widened",
            &number,
            &json!({ "x-kubernetes-int-or-string": true }),
            same,
            &[ab(json!(2), json!(2)), json!({})],
        ),
        around(
            "nullable",
            "added",
            &kind("string"),
            &with(&kind("string"), json!({ "nullable": true })),
            same,
            &[ab(json!("x"), json!("x")), json!({})],
        ),
    ]);
    let open_pair = |text: &str| with(&open_object(json!({ "a": number, "b": number })), rule(text));
    found.push(change(
        "x-kubernetes-preserve-unknown-fields",
        "added",
        pair(&number, same),
        open_pair(same),
        &[ab(json!(2), json!(2)), json!({})],
    ));
    found
}
