//! Validation rules: their parts, where they stand, and what they cost.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, any, has_properties, kinds, named_list, put, set, thing};

kinds![
    rules_of_wrong_json,
    rule_missing,
    rule_of_wrong_json,
    rule_with_unknown_key,
    rule_over_budget,
    rule_costly_yet_fine,
    rule_transition,
    rule_transition_in_lists,
    optional_old_self,
    field_path_any,
    reason_any,
    message_any,
    message_expression_any,
    rule_twins,
    rule_on_root,
    rule_on_anything,
    rule_on_scalars,
    rule_on_any_content,
    rule_in_items,
    rule_many,
];

/// An object with fields of all sorts, bounded, with this rule.
pub(super) fn ruled(rule: &Value) -> Value {
    let mut schema = thing();
    schema["properties"]["s"] = json!({"type": "string", "maxLength": 20});
    schema["properties"]["n"] = json!({"type": "number"});
    schema["properties"]["t"] = json!({"type": "boolean"});
    schema["properties"]["l"] = json!({"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 10}});
    schema["properties"]["m"] =
        json!({"type": "object", "maxProperties": 5, "additionalProperties": {"type": "string", "maxLength": 10}});
    schema["properties"]["o"] = json!({"type": "object", "properties": {"p": {"type": "string", "maxLength": 10}}});
    schema["properties"]["x"] = json!({"x-kubernetes-int-or-string": true});
    schema["properties"]["d"] = json!({"type": "string", "format": "duration"});
    schema["properties"]["w"] = json!({"type": "string", "format": "date-time"});
    schema["properties"]["y"] = json!({"type": "string", "format": "byte"});
    schema["properties"]["nn"] = json!({"type": "string", "nullable": true, "maxLength": 5});
    schema["properties"]["k"] = json!({"type": "array", "maxItems": 5, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 9}, "port": {"type": "integer"}}}});
    schema["properties"]["e"] = json!({"type": "string", "enum": ["A", "B"]});
    schema["x-kubernetes-validations"] = match rule {
        Value::String(_) => json!([{"rule": rule}]),
        other => json!([other]),
    };
    schema
}

/// An object with one of these rules.
pub(super) fn with_rule(crd: &mut Value, hand: &mut Hand<'_>, rules: &[&str]) -> Did {
    let rule = hand.word(rules);
    hand.insert(crd, ruled(&json!(rule)))
}

/// Rules that are no list of mappings.
fn rules_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([{"rule": "true"}, "true", ["true"], [], null, [null], true, [[]]]));
    put(hand.inner(crd, has_properties)?, "x-kubernetes-validations", value)
}

/// No rule, or an empty one.
fn rule_missing(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let rule = hand.one(
        json!([{}, {"message": "x"}, {"rule": ""}, {"rule": " "}, {"rule": "\n"}, {"rule": null}, {"rule": "// x"}]),
    );
    hand.insert(crd, ruled(&rule))
}

/// Parts of a rule that are no texts.
fn rule_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["rule", "message", "messageExpression", "reason", "fieldPath", "optionalOldSelf"]);
    let value = hand.one(json!([1, true, [], {}, null, "x"]));
    let mut rule = json!({"rule": "true"});
    rule[key] = value;
    hand.insert(crd, ruled(&rule))
}

/// A key that rules do not have.
fn rule_with_unknown_key(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["description", "Rule", "expression", "x-y", "fieldpath"]);
    let mut rule = json!({"rule": "has(self.a)"});
    rule[key] = json!("x");
    hand.insert(crd, ruled(&rule))
}

/// A schema without bounds, whose rules cost too much.
fn rule_over_budget(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let rule = hand.word(&[
        "self.l.all(x, self.l.all(y, self.l.all(z, x != y)))",
        "self.l.all(x, self.l.exists(y, y == x))",
        "self.l.all(x, x.contains('a'))",
        "self.l.exists_one(x, self.l.all(y, y.p.contains(x.p)))",
        "self.m.all(k, self.m.all(j, self.m[k] == self.m[j]))",
        "self.s.matches('^([a-z]*)*$')",
        "self.l.map(x, self.l.map(y, x.p + y.p)).size() > 0",
        "self.l.all(x, x.p.matches('^a+$'))",
        "self.s.split(',').all(p, p.split(';').all(q, q.matches('a')))",
    ]);
    hand.insert(
        crd,
        json!({"type": "object", "properties": {
        "l": {"type": "array", "items": {"type": "object", "properties": {"p": {"type": "string"}}}},
        "m": {"type": "object", "additionalProperties": {"type": "string"}}, "s": {"type": "string"},
    }, "x-kubernetes-validations": [{"rule": rule}]}),
    )
}

/// Rules that cost something, with bounds that make them fine or nearly so.
fn rule_costly_yet_fine(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let bound = *hand.random.pick(&[5, 50, 500, 5000]);
    let rule = hand.word(&[
        "self.all(x, self.exists_one(y, y == x))",
        "self.all(x, x.startsWith('a'))",
        "self.all(x, x.matches('^a[0-9]+$'))",
        "self.all(x, self.all(y, x <= y || y <= x))",
        "self.size() < 3",
        "self.isSorted()",
        "self.filter(x, x != '').size() == self.size()",
        "self.join(',').contains('x')",
    ]);
    hand.insert(crd, json!({"type": "array", "maxItems": bound, "items": {"type": "string", "maxLength": bound}, "x-kubernetes-validations": [{"rule": rule}]}))
}

/// Rules on changes.
fn rule_transition(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "self.a == oldSelf.a",
            "self == oldSelf",
            "oldSelf.zzz == 1",
            "!has(oldSelf.a) || has(self.a)",
            "oldSelf",
            "self.l.all(x, x in oldSelf.l)",
            "self.l.all(oldSelf, oldSelf != '')",
            "self.l.all(self, self != '')",
            "self.l.all(self, self.a != '')",
        ],
    )
}

/// Rules on changes of what has no identity.
fn rule_transition_in_lists(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut list = named_list();
    list["maxItems"] = json!(5);
    list["items"]["x-kubernetes-validations"] =
        json!([{"rule": hand.word(&["self == oldSelf", "self.port == oldSelf.port", "self.port > 0"])}]);
    match hand.random.below(4) {
        0 => {}
        1 => list["x-kubernetes-list-type"] = json!("atomic"),
        2 => list["x-kubernetes-list-type"] = json!("set"),
        _ => {
            list["x-kubernetes-list-type"] = json!("map");
            list["x-kubernetes-list-map-keys"] = json!(["name"]);
        }
    }
    hand.insert(crd, list)
}

/// `optionalOldSelf` in all forms.
fn optional_old_self(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let rule = hand.one(json!([
        {"rule": "self.a == 'x'", "optionalOldSelf": true},
        {"rule": "oldSelf.orValue(self).a == self.a", "optionalOldSelf": true},
        {"rule": "oldSelf.a == self.a", "optionalOldSelf": true},
        {"rule": "oldSelf.hasValue()", "optionalOldSelf": false},
        {"rule": "oldSelf.a == self.a", "optionalOldSelf": false},
        {"rule": "self.a == 'x'", "optionalOldSelf": false},
        {"rule": "oldSelf.?a.orValue('') == ''", "optionalOldSelf": true},
        {"rule": "!oldSelf.hasValue() || oldSelf.value().a == self.a", "optionalOldSelf": true},
    ]));
    hand.insert(crd, ruled(&rule))
}

/// The field that a rule blames.
fn field_path_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let path = hand.one(json!([
        ".a",
        "a",
        ".o.p",
        ".zzz",
        "",
        ".",
        ".o['p']",
        "['a']",
        ".l[0]",
        ".m.key",
        ".m['key']",
        ".a ",
        ".a.b",
        "$.a",
        ".l",
        ".k[0].name",
        ".o.",
        "self.a",
        ".o..p",
        ".\u{e4}",
        ".['a']",
        "\n.a",
        ".k",
        ".m",
        ".m['a.b']",
        ".o[p]",
        ".o[\"p\"]",
        ".a\n"
    ]));
    hand.insert(crd, ruled(&json!({"rule": "has(self.a)", "fieldPath": path})))
}

/// The reason that a rule gives.
fn reason_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let reason = hand.one(json!([
        "FieldValueInvalid",
        "FieldValueForbidden",
        "FieldValueRequired",
        "FieldValueDuplicate",
        "Invalid",
        "",
        "fieldValueInvalid",
        "FieldValueNotFound"
    ]));
    hand.insert(crd, ruled(&json!({"rule": "has(self.a)", "reason": reason})))
}

/// Messages.
fn message_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let rule = hand.one(json!([
        {"rule": "has(self.a)", "message": "a\nb"}, {"rule": "has(self.a)", "message": ""}, {"rule": "has(self.a)", "message": " "}, {"rule": "has(self.a)", "message": "x".repeat(3000)},
        {"rule": "has(self.a)", "message": "must be set"}, {"rule": "has(self.a) &&\n has(self.b)"}, {"rule": "has(self.a) &&\n has(self.b)", "message": "both"}, {"rule": "has(self.a)", "message": "\n"}, {"rule": "has(self.a)", "message": "a\r"}, {"rule": " has(self.a)\n"}, {"rule": "has(self.a) &&\n has(self.b)", "messageExpression": "'x'"},
        {"rule": "has(self.a)", "message": "a\n"},
    ]));
    hand.insert(crd, ruled(&rule))
}

/// Messages that are computed.
fn message_expression_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let expression = hand.one(json!([
        "'x'",
        "self.a",
        "self.b",
        "1",
        "'a' + self.s",
        "self.zzz",
        "'a",
        "string(self.b)",
        "",
        " ",
        "self",
        "'a' + 'b'",
        "oldSelf.a",
        "self.l.join(',')",
        "true",
        "dyn('x')",
        "self.t ? 'a' : 'b'",
        "\"a\" + string(size(self.l))",
        "null",
        "'%s'.format([self.s])",
        "self.x",
        "['a']"
    ]));
    let mut rule = json!({"rule": "has(self.a)", "messageExpression": expression});
    if hand.random.chance(30) {
        rule["message"] = json!("x");
    }
    hand.insert(crd, ruled(&rule))
}

/// Rules that are equal but for what they say.
fn rule_twins(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let rules = hand.one(json!([
        [{"rule": "has(self.a)", "message": "one"}, {"rule": "has(self.a)", "message": "two"}],
        [{"rule": "has(self.a)"}, {"rule": "has(self.a)"}],
        [{"rule": "has(self.a)"}, {"rule": " has(self.a)"}],
        [{"rule": "has(self.a)", "fieldPath": ".a"}, {"rule": "has(self.a)", "fieldPath": ".b"}],
        [{"rule": "has(self.a)", "reason": "FieldValueInvalid"}, {"rule": "has(self.a)"}],
    ]));
    let mut schema = thing();
    schema["x-kubernetes-validations"] = rules;
    hand.insert(crd, schema)
}

/// Rules of whole objects.
fn rule_on_root(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let rule = hand.word(&[
        "self.metadata.name != 'x'",
        "self.metadata.generateName != 'x'",
        "has(self.metadata.labels)",
        "self.metadata.labels['a'] == 'b'",
        "self.metadata.namespace == 'x'",
        "has(self.spec)",
        "self.apiVersion != ''",
        "self.kind == 'X'",
        "self.status == oldSelf.status",
        "self.spec == oldSelf.spec",
        "self.zzz == 1",
        "self.metadata.name.startsWith('a')",
        "self == oldSelf",
        "has(self.status)",
        "size(self.metadata.name) < 20",
        "self.metadata.uid == ''",
    ]);
    put(hand.root(crd)?, "x-kubernetes-validations", json!([{"rule": rule}]))
}

/// A rule of whatever is there.
fn rule_on_anything(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let rule = hand.word(&[
        "true",
        "self == self",
        "self == oldSelf",
        "self != null",
        "size(self) > 0",
        "has(self.a)",
        "self.size() < 10",
        "self == 'a'",
        "self > 1",
        "type(self) == string",
        "!self",
        "dyn(self) == dyn(self)",
        "1 == 1",
    ]);
    put(hand.inner(crd, any)?, "x-kubernetes-validations", json!([{"rule": rule}]))
}

/// Rules of scalars.
fn rule_on_scalars(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (kind, rule) = *hand.random.pick(&[
        ("string", "self != ''"),
        ("string", "self.size() > 1"),
        ("integer", "self > 1"),
        ("integer", "self > 1.5"),
        ("number", "self > 1"),
        ("number", "self > 1.5"),
        ("boolean", "self"),
        ("boolean", "self == oldSelf"),
        ("string", "has(self)"),
        ("string", "self.a == 'x'"),
        ("integer", "self == '1'"),
        ("string", "self in ['a', 'b']"),
        ("string", "self == oldSelf"),
        ("integer", "self % 2 == 0"),
        ("number", "self % 2 == 0"),
        ("string", "self.matches('a')"),
    ]);
    hand.insert(crd, json!({"type": kind, "x-kubernetes-validations": [{"rule": rule}]}))
}

/// Rules of what is not described.
fn rule_on_any_content(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let rule = hand.word(&[
        "self.a == 1",
        "has(self.a)",
        "self.b == 'x'",
        "has(self.b)",
        "true",
        "self == oldSelf",
        "self.metadata.name == 'x'",
        "self.kind == 'P'",
        "size(self) > 1",
        "self['a'] == 1",
        "self.any == 1",
    ]);
    let mut schema = hand.one(json!([
        {"type": "object", "x-kubernetes-preserve-unknown-fields": true}, {"x-kubernetes-preserve-unknown-fields": true}, {"type": "object"}, {"type": "object", "additionalProperties": true},
        {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"b": {"type": "string"}}}, {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        {"x-kubernetes-int-or-string": true}, {"type": "object", "additionalProperties": {"x-kubernetes-preserve-unknown-fields": true}}, {"type": "object", "properties": {"any": {"x-kubernetes-preserve-unknown-fields": true}}}, {"type": "object", "additionalProperties": {"type": "integer"}},
    ]));
    schema["x-kubernetes-validations"] = json!([{"rule": rule}]);
    hand.insert(crd, schema)
}

/// Rules of items and values.
fn rule_in_items(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let rule = hand.word(&[
        "self != ''",
        "self.size() < 10",
        "self == oldSelf",
        "self.zzz == 1",
        "self.contains('a')",
        "self.matches('^a+$')",
        "self.split(',').all(x, x != '')",
    ]);
    let bounded = hand.random.chance(50);
    let mut item = json!({"type": "string", "x-kubernetes-validations": [{"rule": rule}]});
    if bounded {
        item["maxLength"] = json!(50);
    }
    let mut schema = match hand.random.below(3) {
        0 => json!({"type": "array", "items": item}),
        1 => json!({"type": "object", "additionalProperties": item}),
        _ => json!({"type": "array", "items": {"type": "array", "items": item}}),
    };
    if bounded {
        schema["maxItems"] = json!(10);
    }
    hand.insert(crd, schema)
}

/// Many rules in one CRD, whose costs add up.
fn rule_many(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let count = *hand.random.pick(&[5, 20, 60]);
    let bound = *hand.random.pick(&[20, 60, 200]);
    let rules: Vec<Value> =
        (0..count).map(|n| json!({"rule": format!("self.all(x, self.exists_one(y, y == x + {n}))")})).collect();
    let schema =
        json!({"type": "array", "maxItems": bound, "items": {"type": "integer"}, "x-kubernetes-validations": rules});
    hand.insert(crd, schema)?;
    let touched = hand.touched.clone()?;
    set(crd, &touched, "description", json!("Many rules."))
}
