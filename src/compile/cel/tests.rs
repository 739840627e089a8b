//! What the API server takes, and what it computes: the verdicts and numbers here are those of kube-apiserver 1.37.

use serde_json::{Value, json};

use super::rules::RuleProblem;
use super::rules::costs;
use super::{ProblemKind, check_rules};

/// A node with fields of all types.
fn node() -> Value {
    json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"},
        "short": {"type": "string", "maxLength": 10},
        "kind": {"type": "string", "enum": ["a", "bcd"]},
        "n": {"type": "integer"}, "d": {"type": "number"}, "b": {"type": "boolean"},
        "bytes": {"type": "string", "format": "byte"},
        "for": {"type": "string", "format": "duration"},
        "at": {"type": "string", "format": "date-time"},
        "port": {"x-kubernetes-int-or-string": true},
        "any": {"x-kubernetes-preserve-unknown-fields": true},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "one": {"type": "object", "properties": {"x": {"type": "string"}}},
        "two": {"type": "object", "properties": {"x": {"type": "string"}}},
        "object": {"type": "object", "x-kubernetes-embedded-resource": true,
            "x-kubernetes-preserve-unknown-fields": true},
        "words": {"type": "array", "items": {"type": "string"}},
        "few": {"type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 4}},
        "items": {"type": "array", "maxItems": 30, "items": {"type": "object", "required": ["k"], "properties": {
            "k": {"type": "string", "maxLength": 9}, "v": {"type": "integer"},
            "l": {"type": "array", "maxItems": 3, "items": {"type": "string"}}}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "a-b": {"type": "string"}, "a b": {"type": "string"}, "namespace": {"type": "string"},
    }})
}

/// The node as `.spec`, with one rule.
fn with(rule: &Value) -> Value {
    let mut spec = node();
    spec["x-kubernetes-validations"] = json!([rule]);
    json!({"type": "object", "properties": {"spec": spec}})
}

fn problems(rule: &Value) -> Vec<RuleProblem> {
    check_rules(&with(rule))
}

fn problem(expression: &str) -> Option<(ProblemKind, String)> {
    problems(&json!({"rule": expression})).into_iter().next().map(|problem| (problem.kind, problem.message))
}

/// What each of the rules is refused for.
#[track_caller]
fn refused(rules: &[(&str, &str)]) {
    for (expression, why) in rules {
        let found = problem(expression);
        let (kind, message) = found.unwrap_or_else(|| panic!("`{expression}` is taken"));
        assert_eq!(kind, ProblemKind::Refused, "{expression}");
        assert!(message.contains(why), "{expression}: {message}");
    }
}

#[track_caller]
fn taken(rules: &[&str]) {
    for expression in rules {
        assert_eq!(problem(expression), None, "{expression}");
    }
}

#[test]
fn fields_are_those_of_the_schema() {
    taken(&[
        "has(self.name)",
        "has(self.one.x) && self.one.x == ''",
        "self.a__dash__b == '' && self.__namespace__ == '' && self.namespace == '' && self.name != '`'",
        "self.labels.any == '' && has(self.labels.other)",
        "self.object.kind == '' && self.object.metadata.generateName == ''",
        "self.?one.?x.orValue('') == ''",
        "self.port.what == 1",
    ]);
    refused(&[
        ("self.nosuch == 1", "no field `nosuch`"),
        ("has(self.nosuch)", "no field `nosuch`"),
        ("has(self.one.y)", "there are `x`"),
        ("self.?one.y.hasValue()", "no field `y`"),
        ("self.any == 1", "no field `any`"),
        ("self.open.x == 1", "no fields that rules can read"),
        ("self.object.metadata.labels == {}", "no field `labels`"),
        ("self.`a b` == ''", "no field `a b`"),
        ("self.name.x == ''", "read from a value of type string"),
        ("nosuch", "no variable `nosuch`"),
        ("has(self)", "no expression"),
    ]);
}

#[test]
fn operators_and_functions_take_what_they_are_declared_for() {
    taken(&[
        "self.n > 1.5 && self.d > 1 && self.n < 1u",
        "self.at - timestamp('2020-01-01T00:00:00Z') > duration('1h')",
        "self.one == null && self.at == null",
        "type(self.port) == int ? self.port < 5 : self.port.size() > 1",
        "'%s %d'.format([self.name, self.n]) != ''",
        "self.few.map(w, w.size()).sum() > 1 || self.few.exists_one(w, w == 'a')",
        "self.labels.all(k, v, k == v) && self.items.transformMap(i, x, x.k)[0] == ''",
        "self.?few.optMap(f, f.size()).orValue(0) > 1",
        "quantity(self.short).isGreaterThan(quantity('1Gi')) && isURL(self.name) && ip(self.short).family() == 4",
        "sets.contains(self.few, ['a']) && !format.dns1123Label().validate(self.short).hasValue()",
    ]);
    refused(&[
        ("self.n + self.d > 1", "`+` does not take int and double"),
        ("self.name == 1", "`==` does not take string and int"),
        ("self.one == self.two", "`==` does not take object and object"),
        ("self.name == null", "`==` does not take string and null"),
        ("self.name && self.b", "`&&` is between values of type bool, not string"),
        ("self.b ? 1 : 'a'", "a bool and two values of one type"),
        ("self.words['a'] == ''", "no `[…]` for a key of type string"),
        ("self.n in ['a']", "`in` does not take int and list(string)"),
        ("self.name.size(1) > 1", "`size` does not take (int) on a value of type string"),
        ("size(self.n) > 1", "`size` does not take (int)"),
        ("self.name.reversed() == ''", "no function `reversed`"),
        ("self.few.existsOne(w, w == 'a')", "no function `existsOne`"),
        ("cel.bind(x, self.name, x == '')", "no function `bind`"),
        ("self.words.map(w)", "no function `map` of so many arguments"),
        ("self.name.all(c, c == 'a')", "only lists and maps have elements to look at, not string"),
        ("self.words.all(w, w)", "`&&` is between values of type bool"),
        ("self.words.all(w, self.nosuch == w)", "no field `nosuch`"),
        ("type(self.at) == timestamp", "google.protobuf.Timestamp"),
        ("[int].all(t, t == int)", "stands for a type"),
        ("self.name.optMap(x, x).hasValue()", "`hasValue` does not take () on a value of type string"),
        ("self.name", "it makes a value of type string; bool is needed"),
        ("self.port", "it makes a value of type dyn; bool is needed"),
    ]);
}

#[test]
fn what_is_written_out_is_computed() {
    taken(&[
        "self.name.matches('^a{,5}$')",
        "timestamp(0) < self.at && timestamp('2020-02-29T7:00:00,5+24:00') < self.at",
        "duration('-1.5h') < self.for",
        "int('12') == 12",
    ]);
    refused(&[
        ("self.name.matches('(?=a)')", "no regular expression"),
        ("self.name.find('(') == ''", "no regular expression"),
        ("duration('1x') < self.for", "`duration` cannot convert `1x`"),
        ("timestamp('2021-02-29T00:00:00Z') < self.at", "`timestamp` cannot convert"),
        ("timestamp('9999-12-31T23:59:59-00:01') < self.at", "`timestamp` cannot convert"),
        ("int('x') == 1", "`int` cannot convert `x`"),
        ("string(int(dyn('x'))) == ''", "`int` cannot convert `x`"),
        ("[1, 'a'] == []", "a list must be of one type; here are int and string"),
        ("[self.port, 1] == []", "here are dyn and int"),
        ("{'a': 1, 'b': ''} == {}", "the values of a map must be of one type"),
        ("'%d'.format([self.name]) == ''", "`%d` does not format a value of type string"),
        ("'%s'.format([]) == ''", "more clauses than its 0 arguments"),
        ("'%s'.format([1, 2]) == ''", "1 clauses for 2 arguments"),
    ]);
}

#[test]
fn what_only_some_servers_know_is_said() {
    for (expression, since) in [
        ("isSemver(self.name)", "1.34"),
        ("self.few.sort() == self.few", "1.35"),
        ("self.items.sortBy(i, i.k)[0].k == ''", "1.35"),
        ("self.words.includes('a')", "1.38"),
        ("self.`name` == '`'", "1.37"),
        ("duration(1) < self.for", "1.37"),
    ] {
        let found = problem(expression).unwrap();
        assert_eq!(found.0, ProblemKind::Unjudged, "{expression}");
        assert!(found.1.contains(since), "{expression}: {}", found.1);
    }
}

#[test]
fn what_cannot_be_read_here_is_said() {
    let long = format!("self.n == 1{}", " || self.n == 1".repeat(200));
    let deep = format!("{}self.b{}", "(".repeat(40), ")".repeat(40));
    let doubling = format!("self.?name{}.hasValue()", ".optMap(x, x)".repeat(20));
    for expression in [long.as_str(), &deep, &doubling, "google.protobuf.NullValue.NULL_VALUE == 0"] {
        assert_eq!(problem(expression).map(|(kind, _)| kind), Some(ProblemKind::Unjudged), "{expression}");
    }
}

/// The estimates are those of the server, to the last unit.
#[test]
fn costs_are_what_the_server_estimates() {
    for (expression, cost) in [
        ("has(self.name)", 1),
        ("self.one.x == self.two.x", 314_579),
        ("self.name in self.words", 1_048_579),
        ("self.port == 1 || self.words[0] == ''", 6),
        ("self.?name == optional.none()", 1_844_674_407_370_955_267),
        ("self.?few.optMap(f, f.size() > 1).orValue(true)", 21),
        ("self.short.contains(self.short)", 20),
        ("self.name.contains(self.name)", 98_956_172_333),
        ("self.name.matches('^a+$')", 314_575),
        ("self.short.split('').all(c, c == 'a')", 171),
        ("self.short.replace('', 'abc').contains('abc')", 27),
        ("self.words.indexOf('a') == 1", 329_854_432_053),
        ("self.few.join(',').contains('abc')", 20),
        ("self.words.exists_one(x, x == 'a')", 4_194_304),
        ("self.items.all(x, self.items.exists(y, y.k == x.k))", 10_983),
        ("self.items.map(x, {'a': x.k}).all(m, m.a == '')", 1_484),
        ("self.items.filter(x, x.k == 'a').map(x, x.v)[0] > 1", 926),
        ("self.items.all(i, x, i == 0 || self.items[i - 1].k < x.k)", 513),
        ("self.labels.exists(k, v, k == v)", 2_359_293),
        ("self.labels.transformMapEntry(k, v, {v: k})['a'] == ''", 13_369_344),
        ("(self.b ? self.words : self.few).all(x, x == 'a')", 4_194_305),
        ("quantity('1Gi').isGreaterThan(quantity(self.name))", 314_577),
        ("sets.equivalent(self.few, self.few)", 55),
        ("self.few.sort()[0] == 'a'", 67),
        ("lists.range(10).all(i, i < self.n)", 92),
        ("{'a': self.name}.a.contains('b')", 33),
        ("self.kind.contains(self.kind)", 5),
        ("self.words.all(self, self == 'a')", 5_242_878),
    ] {
        let found = costs(&with(&json!({"rule": expression})));
        assert_eq!(found, [("/properties/spec/x-kubernetes-validations/0/rule".to_owned(), cost, 1)], "{expression}");
    }
}

/// The server keeps the ways to two values in the same memory: the way to `x.l` becomes that to `x.k`, so that `y` is
/// of unknown length.
#[test]
fn costs_follow_the_server_where_it_confuses_values() {
    let rule = json!({"rule": "self.items.all(x, has(x.l) && x.l.exists(y, y == x.k))"});
    assert_eq!(costs(&with(&rule))[0].1, 12_093);
}

#[test]
fn a_rule_runs_for_each_item_of_the_lists_above() {
    let below = |limit: Value| {
        let mut list = json!({"type": "array", "items": with(&json!({"rule": "self.n == 1"}))["properties"]["spec"]});
        list.as_object_mut().unwrap().extend(limit.as_object().unwrap().clone());
        json!({"type": "object", "properties": {"list": list}})
    };
    assert_eq!(costs(&below(json!({"maxItems": 7})))[0].2, 7);
    // As many objects with a name as fit in a request.
    assert_eq!(costs(&below(json!({})))[0].2, 3 * 1024 * 1024 / 13);
    let mut dear = below(json!({}));
    dear["properties"]["list"]["items"]["x-kubernetes-validations"][0]["rule"] = json!("self.name != self.short");
    let found = check_rules(&dear);
    assert_eq!(found.len(), 0, "{found:?}");
    dear["properties"]["list"]["items"]["x-kubernetes-validations"][0]["rule"] = json!("self.words.all(w, w != '')");
    let found = check_rules(&dear);
    let pointers: Vec<&str> = found.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(pointers, ["/properties/list/items/x-kubernetes-validations/0/rule", ""]);
    assert!(found[0].message.contains("more than 100 times"), "{}", found[0].message);
}

#[test]
fn names_have_a_length_from_1_37_on() {
    let root = json!({"type": "object", "x-kubernetes-validations": [
        {"rule": "self.metadata.name.contains(self.metadata.name)"}]});
    let found = check_rules(&root);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].kind, ProblemKind::Unjudged);
    assert!(found[0].message.contains("before 1.37"), "{}", found[0].message);
    assert_eq!(costs(&root)[0].1, 10_410);
}

#[test]
fn a_message_is_an_expression_of_its_own() {
    let of = |expression: &str| problems(&json!({"rule": "self.b", "messageExpression": expression}));
    assert_eq!(of("'a' + self.name"), []);
    for (expression, why) in
        [("1", "string is needed"), ("self.nosuch", "no field"), ("'a' +", "no expression"), (" ", "blank")]
    {
        let found = of(expression);
        assert_eq!(found.len(), 1, "{expression}");
        assert_eq!(found[0].pointer, "/properties/spec/x-kubernetes-validations/0/messageExpression");
        assert!(found[0].message.contains(why), "{}", found[0].message);
    }
}

#[test]
fn the_other_keys_of_a_rule_are_checked() {
    for (rule, key, why) in [
        (json!({"rule": " "}), "/rule", "empty"),
        (json!({"message": "m"}), "", "empty"),
        (json!({"rule": "self.b", "message": " "}), "/message", "blank"),
        (json!({"rule": "self.b", "message": "a\nb"}), "/message", "line break"),
        (json!({"rule": "self.b &&\nself.b"}), "/rule", "needs a `message`"),
        (json!({"rule": "self.b", "reason": "Because"}), "/reason", "must be one of"),
        (json!({"rule": "self.b", "fieldPath": ".nosuch"}), "/fieldPath", "no field `nosuch`"),
        (json!({"rule": "self.b", "fieldPath": ".words[0]"}), "/fieldPath", "single quotes"),
        (json!({"rule": "self.b", "optionalOldSelf": true}), "/optionalOldSelf", "does not read `oldSelf`"),
    ] {
        let found = problems(&rule);
        assert_eq!(found.len(), 1, "{rule}: {found:?}");
        assert_eq!(found[0].pointer, format!("/properties/spec/x-kubernetes-validations/0{key}"), "{rule}");
        assert!(found[0].message.contains(why), "{rule}: {}", found[0].message);
    }
    let sound = json!({"rule": "self.b", "message": "m\n", "reason": "FieldValueInvalid", "fieldPath": ".labels.x"});
    assert_eq!(problems(&sound), []);
}

#[test]
fn the_old_value_is_there_where_it_can_be_told() {
    assert_eq!(problems(&json!({"rule": "oldSelf.n <= self.n"})), []);
    let optional = json!({"rule": "!oldSelf.hasValue() || oldSelf.value().n < 1", "optionalOldSelf": true});
    assert_eq!(problems(&optional), []);
    assert_eq!(problems(&json!({"rule": "oldSelf.hasValue()"})).len(), 1);
    let list = |kind: &str| {
        json!({"type": "object", "properties": {"list": {"type": "array", "maxItems": 9, "x-kubernetes-list-type": kind,
            "items": {"type": "object", "properties": {"k": {"type": "integer"}},
                "x-kubernetes-validations": [{"rule": "self.k == oldSelf.k"}]}}}})
    };
    assert_eq!(check_rules(&list("map")), []);
    let found = check_rules(&list("atomic"));
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("below `/properties/list`"), "{}", found[0].message);
}

#[test]
fn the_root_has_what_every_object_has() {
    let root = |rule: &str| json!({"type": "object", "properties": {"n": {"type": "integer"}}, "x-kubernetes-validations": [{"rule": rule}]});
    assert_eq!(check_rules(&root("self.metadata.name != self.kind && self.apiVersion != '' && self.n > 1")), []);
    assert_eq!(check_rules(&root("self.metadata.labels == {}")).len(), 1);
    let mut metadata = root("true");
    metadata["properties"]["metadata"] = json!({"type": "object", "x-kubernetes-validations": [{"rule": "true"}]});
    assert_eq!(check_rules(&metadata)[0].pointer, "/properties/metadata/x-kubernetes-validations");
}

#[test]
fn rules_stand_on_nodes_with_a_type_and_not_in_junctors() {
    let rules = json!([{"rule": "true"}]);
    let untyped = json!({"type": "object", "properties": {
        "any": {"x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-validations": rules}}});
    let found = check_rules(&untyped);
    assert_eq!(found[0].pointer, "/properties/any/x-kubernetes-validations");
    let junctor = json!({"type": "object", "properties": {"a": {"type": "string",
        "anyOf": [{"minLength": 1, "x-kubernetes-validations": rules}]}}});
    let found = check_rules(&junctor);
    assert_eq!(found[0].pointer, "/properties/a/anyOf/0/x-kubernetes-validations");
    assert!(found[0].message.contains("below `anyOf`"));
}

/// Whatever the expression, half of a thread's usual stack is enough.
#[test]
fn long_chains_and_deep_nesting_do_not_overflow() {
    for (open, middle, close) in [
        ("", "self", ".one"),
        ("", "1", "+1"),
        ("", "self.words", "[0]"),
        ("", "self.name", ".trim()"),
        ("!", "self.b", ""),
        ("(", "1", ")"),
        ("[", "", "]"),
        ("{1:", "1", "}"),
        ("[self].map(x,", "true", ")"),
        ("self.words.all(x,", "true", ")"),
        ("self.b?self.b:", "true", ""),
        ("", "self.?name", ".optMap(x,x)"),
        ("dyn(", "1", ")"),
    ] {
        for n in [1, 10, 20, 60, 120, 250, 5_000] {
            let text = format!("{}{middle}{}", open.repeat(n), close.repeat(n));
            let check = move || drop(problems(&json!({"rule": text, "messageExpression": text})));
            std::thread::Builder::new().stack_size(1 << 20).spawn(check).unwrap().join().unwrap();
        }
    }
}
