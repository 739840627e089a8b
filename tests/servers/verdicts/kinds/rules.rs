//! The text of validation rules, in CEL.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, kinds};
use super::cel::{ruled, with_rule};

kinds![
    rule_syntax,
    rule_unknown_field,
    rule_unknown_function,
    rule_no_boolean,
    rule_types_mixed,
    rule_sound,
    rule_with_macros,
    rule_of_libraries,
    rule_bad_regex,
    rule_odd_literals,
    rule_very_long,
    rule_names_escaped,
];

/// What is no CEL.
fn rule_syntax(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "self.a ==",
            "has(self.a",
            "self.a = 'x'",
            "self.a && && true",
            "self..a",
            "'x",
            "self.a ? true",
            "self.a == 'x';",
            "if (true)",
            "self.l[",
            "has(self)",
            "has(self['a'])",
            "self.l.all(x)",
            "self.l.all(x.y, true)",
            "[1, 2",
            "{'a': 1",
            "self.a in",
            "!",
            "self.a == \"x",
            "1 +",
            "self.l.map(x, y, z, q)",
            "a b",
            "true true",
            "self.`a",
            "self.a === 'x'",
            "self.a and self.b",
            "not self.t",
            "r'",
            "self.1a",
            "#",
            "self.a != 'x' // fine",
            "true // fine",
        ],
    )
}

/// Fields that the schema does not have.
fn rule_unknown_field(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "has(self.zzz)",
            "self.zzz == 1",
            "self.o.zzz == 'x'",
            "self.l.all(x, x.zzz == 1)",
            "self.k.all(x, x.zzz == 1)",
            "other == 1",
            "self.metadata.name == 'x'",
            "has(self.o) && has(self.o.q)",
            "self.?zzz.orValue('') == ''",
            "self.k[0].zzz == 1",
            "oldself == self",
            "this.a == 'x'",
            "self.o == {'p': 'x'}",
            "self.m.zzz == 'x'",
            "has(self.m.zzz)",
            "self.s.zzz == 'x'",
            "self.apiVersion == 'x'",
            "self.kind == 'x'",
        ],
    )
}

/// Functions that do not exist, or not for these types.
fn rule_unknown_function(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "foo(self.a)",
            "self.a.foo()",
            "self.a.length() > 1",
            "len(self.l) > 1",
            "self.b.size() > 1",
            "size(self.b) > 1",
            "self.a.toLowerCase() == 'a'",
            "self.l.contains('x')",
            "self.m.keys() == []",
            "self.b.startsWith('1')",
            "math.max(1, 2) == 2",
            "now() == 1",
            "regex.match('a', 'b')",
            "self.l.sort() == []",
            "strings.quote('a') == 'a'",
            "size() == 0",
            "self.a.startsWith()",
            "base64.encode(b'a') == 'a'",
            "self.l.sum() == 1",
            "self.a.size(1) == 1",
            "self.l.first() == 'a'",
            "self.t.string() == 'a'",
            "lists.range(3).size() == 3",
            "cel.block([1], true)",
            "proto.hasExt(self, a)",
        ],
    )
}

/// Rules that are no question.
fn rule_no_boolean(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "self.a",
            "1",
            "'true'",
            "self.l",
            "null",
            "self.b + 1",
            "size(self.l)",
            "self",
            "self.o",
            "dyn(self.t)",
            "self.x",
            "dyn(true)",
            "self.t",
            "[true]",
            "self.l.map(x, true)",
            "type(self.a)",
            "has(self.o) ? self.o.p : ''",
            "optional.of(true)",
            "self.?t",
            "self.?t.orValue(false)",
        ],
    )
}

/// Comparisons of what cannot be compared.
fn rule_types_mixed(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "self.a == 1",
            "self.b == 'x'",
            "self.b == 1.0",
            "self.b < 1.5",
            "self.n == 1",
            "self.n > 1",
            "self.n > 1.0",
            "self.t == 'true'",
            "self.l == 'x'",
            "self.a in self.b",
            "self.b in self.l",
            "self.a + 1 == 'x'",
            "self.b + '1' == 'x'",
            "self.a < self.b",
            "self.x == 1",
            "self.x == 'a'",
            "type(self.x) == int",
            "self.d > duration('1h')",
            "self.d == '1h'",
            "self.w < timestamp('2024-01-01T00:00:00Z')",
            "self.w == 'x'",
            "self.y == b'x'",
            "self.y == 'x'",
            "self.nn == null",
            "self.a == null",
            "self.o == null",
            "self.l == []",
            "self.l == [1]",
            "self.m == {}",
            "self.m == {'a': 1}",
            "self.b == 1u",
            "int(self.a) == 1",
            "double(self.b) == self.n",
            "[1, 'a'] == []",
            "self.t ? 1 : 'a'",
            "(self.t ? 1 : 'a') == 1",
            "self.t && self.a",
            "-self.a == 'x'",
            "!self.b",
            "self.e == 'C'",
            "self.m['a'] == 1",
            "self.l['a'] == 'b'",
            "self.l[0u] == 'b'",
            "string(self.b) == '1'",
            "self.l + ['a'] == []",
            "self.m + self.m == {}",
            "has(self.a) == 1",
            "{'a': 1, 'b': 'c'}.size() == 2",
            "self.k == self.k",
            "self.n / 2 == 1.0",
            "self.b % 2 == 0",
            "self.n % 2.0 == 0.0",
        ],
    )
}

/// Rules as people write them.
fn rule_sound(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "has(self.a)",
            "!has(self.a) || self.b > 1",
            "self.l.all(x, x.startsWith('a'))",
            "self.s.size() > 1",
            "self.m.all(k, k != 'x')",
            "'a' in self.m",
            "self.e in ['A', 'B']",
            "has(self.o) && has(self.o.p) ? self.o.p != '' : true",
            "self.l.exists(x, x == 'a')",
            "self.k.exists_one(x, x.name == 'a')",
            "self.k.map(x, x.port).size() > 0",
            "self.b >= 1 && self.b <= 5",
            "self.s.matches('^a$')",
            "int(self.x) > 1",
            "self.x == '1' || self.x == 1",
            "self.n >= 0.5",
            "size(self.l) <= size(self.k)",
            "self.k.filter(x, has(x.port)).all(x, x.port > 0)",
            "[has(self.a), has(self.b)].filter(x, x).size() == 1",
            "self.o.p.lowerAscii() == 'x'",
            "self.w.getFullYear() > 2000",
            "self.d.getSeconds() > 1",
        ],
    )
}

/// Macros, whose variables may hide others.
fn rule_with_macros(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "self.l.all(self, self == 'a')",
            "self.k.all(self, self.name == 'a')",
            "cel.bind(x, self.a, x == 'a')",
            "self.l.all(i, v, v != '')",
            "self.m.all(k, v, v != k)",
            "self.l.transformList(i, v, v + 'a').size() > 0",
            "self.m.transformMap(k, v, v + 'a').size() > 0",
            "self.m.transformMapEntry(k, v, {v: k}).size() > 0",
            "self.l.exists(i, v, i > 0 && v == 'a')",
            "self.l.existsOne(i, v, v == 'a')",
            "self.l.exists_one(x, x == 'a')",
            "self.l.map(x, x != '', x + 'b').size() > 0",
            "self.l.all(has, has != '')",
            "self.l.all(x, self.l.all(x, x != ''))",
            "has(self.o.p)",
            "self.?o.?p.hasValue()",
            "self.?o.?p.orValue('x') == 'x'",
            "optional.none().orValue(true)",
            "optional.ofNonZeroValue(self.a).hasValue()",
            "self.l[?0].orValue('') == ''",
            "self.o.?p.optMap(x, x + 'a').orValue('') == ''",
            "[1, ?optional.of(2)].size() == 2",
            "self.?o.optFlatMap(o, o.?p).hasValue()",
            "self.k.all(__x, true)",
        ],
    )
}

/// The libraries of Kubernetes.
fn rule_of_libraries(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "isURL(self.s) && url(self.s).getHost() == 'a'",
            "isIP(self.s)",
            "ip(self.s).family() == 4",
            "cidr(self.s).containsIP('1.2.3.4')",
            "isCIDR(self.s)",
            "quantity(self.s).isGreaterThan(quantity('1'))",
            "isQuantity(self.s)",
            "self.s.find('a') == 'a'",
            "self.s.findAll('a').size() > 0",
            "self.l.isSorted()",
            "self.k.map(x, x.port).sum() > 1",
            "self.k.map(x, x.port).max() > 1",
            "self.l.indexOf('a') == 0",
            "self.l.lastIndexOf('a') == 0",
            "sets.contains(self.l, ['a'])",
            "sets.intersects(self.l, [1])",
            "self.s.charAt(0) == 'a'",
            "self.s.replace('a', 'b') == 'b'",
            "self.s.split(',').size() > 1",
            "self.s.substring(0, 1) == 'a'",
            "self.s.trim() == 'a'",
            "self.s.upperAscii() == 'A'",
            "self.s.reverse() == 'a'",
            "format.dns1123Label().validate(self.s).hasValue()",
            "!format.named('uuid').hasValue()",
            "isSemver(self.s)",
            "semver(self.s).major() == 1",
            "semver(self.s, true).minor() == 1",
            "authorizer.group('').resource('pods').check('get').allowed()",
            "math.greatest(self.b, 1) == 1",
            "math.abs(self.b) == 1",
            "base64.decode(self.s) == b'a'",
            "'%d'.format([self.b]) == '1'",
            "strings.quote(self.s) == 'a'",
            "self.l.distinct().size() == self.l.size()",
            "self.l.flatten().size() == 1",
            "self.l.sortBy(x, x) == self.l",
            "self.l.slice(0, 1) == ['a']",
            "ip.isCanonical(self.s)",
            "self.l.reverse() == self.l",
            "timestamp(self.s) < timestamp('2024-01-01T00:00:00Z')",
            "duration(self.s) < duration('1h')",
        ],
    )
}

/// Patterns inside of rules.
fn rule_bad_regex(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "self.s.matches('(')",
            "self.s.matches('^(?!a)')",
            "self.s.matches(self.a)",
            "self.s.matches('a{2000}')",
            "self.s.find('(') == ''",
            "self.s.matches('\\\\d')",
            "self.s.matches('\\d')",
            "self.s.matches(r'\\d')",
            "matches(self.s, '[')",
            "self.s.matches('[' + 'a')",
            "self.s.findAll('*').size() == 0",
            "self.s.matches('')",
            "self.s.matches(r'^[a&&b]$')",
        ],
    )
}

/// Numbers, texts and escapes.
fn rule_odd_literals(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    with_rule(
        crd,
        hand,
        &[
            "self.b == 9223372036854775807",
            "self.b == 9223372036854775808",
            "self.b == -9223372036854775808",
            "self.b == 0x1F",
            "self.n == 1e400",
            "self.n == 1e3",
            "self.n == .5",
            "self.n == 5.",
            "self.s == '\\x41'",
            "self.s == '\\u0041'",
            "self.s == '\\q'",
            "self.s == \"\\'\"",
            "self.s == '''a'''",
            "self.s == r'\\'",
            "self.y == b'\\377'",
            "self.s == '\\U00110000'",
            "self.s == '😀'",
            "self.s == 'a\nb'",
            "self.b == 1u",
            "self.b == 018",
            "timestamp('x') == timestamp('y')",
            "duration('1 day') == duration('1h')",
            "1 / 0 == 1",
            "self.b == --1",
            "- 1 == self.b",
            "self.b==1&&self.t",
            "int('x') == 1",
            "url('x') == url('y')",
            "quantity('x') == quantity('y')",
            "ip('300.1.1.1').family() == 4",
            "format.named('x').hasValue()",
            "[][0] == 1",
            "{}['a'] == 1",
            "{1: 2}[1] == 2",
            "{'a': 1, 'a': 2}.size() == 1",
            "'a'[0] == 'a'",
            "self.s == \"a\\\nb\"",
            "true ? true : false",
            "(((((true)))))",
            "self.b in [1, 2, 'a']",
            "cidr('1.2.3.4').prefixLength() == 3",
            "self.d == duration('1h')",
            "self.w == timestamp('2024-01-01T00:00:00Z')",
        ],
    )
}

/// Rules of thousands of characters, or deep ones.
fn rule_very_long(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let rule = match hand.random.below(6) {
        0 => vec!["self.b == 1"; 400].join(" || "),
        1 => format!("{}true{}", "(".repeat(40), ")".repeat(40)),
        2 => format!("{}true", "!".repeat(60)),
        3 => format!("self.s != '{}'", "x".repeat(20_000)),
        4 => format!("self.b == {}", vec!["1"; 300].join(" + ")),
        _ => format!("self.b in [{}]", (0..800).map(|n| n.to_string()).collect::<Vec<_>>().join(", ")),
    };
    hand.insert(crd, ruled(&json!(rule)))
}

/// Names that CEL has words for.
fn rule_names_escaped(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (name, rule) = *hand.random.pick(&[
        ("namespace", "has(self.__namespace__)"),
        ("namespace", "has(self.namespace)"),
        ("a-b", "has(self.a__dash__b)"),
        ("a-b", "has(self.a-b)"),
        ("a.b", "has(self.a__dot__b)"),
        ("a/b", "has(self.a__slash__b)"),
        ("in", "has(self.__in__)"),
        ("in", "has(self.in)"),
        ("__x", "has(self.__underscores__x)"),
        ("true", "has(self.__true__)"),
        ("type", "has(self.type)"),
        ("int", "has(self.int)"),
        ("self", "has(self.self)"),
        ("a b", "has(self.`a b`)"),
        ("ä", "has(self.ä)"),
        ("a-b", "has(self.`a-b`)"),
        ("if", "has(self.__if__)"),
        ("package", "has(self.package)"),
        ("1a", "has(self.1a)"),
        ("string", "self.string == 'x'"),
        ("has", "has(self.has)"),
        ("size", "self.size == 'x'"),
        ("all", "self.all == 'x'"),
        ("const", "has(self.__const__)"),
        ("a$b", "has(self.a$b)"),
        ("null", "has(self.__null__)"),
        ("_a", "has(self._a)"),
    ]);
    hand.insert(crd, json!({"type": "object", "properties": {name: {"type": "string"}}, "x-kubernetes-validations": [{"rule": rule}]}))
}
