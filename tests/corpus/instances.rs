//! Random instances of a structural schema, and what an API server does to one before it looks at it.

use carrier::derivation::{schema, values};
use carrier::paths::FieldPath;
use serde_json::{Map, Value, json};

use super::random::Random;

/// A random object of a root schema, without `apiVersion`, `kind`, `metadata` and `status`.
pub(crate) fn object(root: &Value, random: &mut Random) -> Value {
    let mut best: Option<(usize, Value)> = None;
    // Unions and patterns are met by trying; what is best is kept, and the server has the last word.
    for attempt in 0..6 {
        let mut maker = Maker { random, optional: [55, 30, 70, 15, 40, 5][attempt], budget: 400 };
        let mut value = maker.value(root, 0).unwrap_or_else(|| json!({}));
        let map = value.as_object_mut().expect("the root is an object");
        map.retain(|name, _| !matches!(name.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
        let wrong = values::instance(root, &value)
            .violations
            .into_iter()
            .filter(|(p, _)| !p.starts_at("status") && !p.starts_at("metadata") && !p.starts_at("apiVersion"))
            .count();
        if best.as_ref().is_none_or(|(least, _)| wrong < *least) {
            best = Some((wrong, value));
        }
        if wrong == 0 {
            break;
        }
    }
    best.map(|(_, v)| v).unwrap_or_default()
}

/// A random value of a node.
pub(crate) fn value(node: &Value, random: &mut Random) -> Option<Value> {
    Maker { random, optional: 30, budget: 60 }.value(node, 0).filter(|v| !v.is_null())
}

/// The node of a schema that a path leads to.
pub(crate) fn at<'a>(root: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    schema::at(root, path.segments())
}

struct Maker<'r> {
    random: &'r mut Random,
    /// How many of a hundred optional fields are set.
    optional: usize,
    /// How many more values may be made; a large CRD would fill the memory.
    budget: usize,
}

impl Maker<'_> {
    fn value(&mut self, node: &Value, depth: usize) -> Option<Value> {
        self.budget = self.budget.saturating_sub(1);
        if schema::flag(node, "nullable") && self.random.chance(5) {
            return Some(Value::Null);
        }
        if let Some(choices) = node.get("enum").and_then(Value::as_array).filter(|c| !c.is_empty()) {
            return Some(self.random.pick(choices).clone());
        }
        if let Some(default) = node.get("default").filter(|d| !d.is_object() && !d.is_array())
            && self.random.chance(20)
        {
            return Some(default.clone());
        }
        Some(match schema::type_name(node) {
            "object" if schema::values(node).is_some() => self.map(node, depth),
            "object" => self.fields(node, depth)?,
            "array" => self.list(node, depth)?,
            "string" => Value::from(self.text(node)),
            "boolean" => Value::from(self.random.chance(50)),
            "integer" => Value::from(self.integer(node)),
            "number" => Value::from(self.integer(node)),
            "int-or-string" => match self.random.below(3) {
                0 => json!("80%"),
                1 => json!("http"),
                _ => Value::from(self.integer(node)),
            },
            _ if schema::is_free_form(node) => match self.random.below(4) {
                0 => json!({"any": [null, 1.5, {"deep": "x"}]}),
                1 => json!("text"),
                _ => json!({}),
            },
            _ => return None,
        })
    }

    fn fields(&mut self, node: &Value, depth: usize) -> Option<Value> {
        let union = self.chosen(node);
        let required: Vec<&str> = schema::required(node).collect();
        let mut map = Map::new();
        for (name, child) in schema::properties(node) {
            let must = required.contains(&name.as_str()) || union.0.contains(name);
            let may = !union.1.contains(name) && self.budget > 0 && depth < 14 && self.random.chance(self.optional);
            if (must || may)
                && let Some(value) = self.value(child, depth + 1)
            {
                map.insert(name.clone(), value);
            }
        }
        if schema::is_embedded(node) {
            map.insert("apiVersion".to_owned(), json!("v1"));
            map.insert("kind".to_owned(), json!("ConfigMap"));
            map.insert("metadata".to_owned(), json!({"name": "inner"}));
        }
        if schema::flag(node, "x-kubernetes-preserve-unknown-fields") && self.random.chance(50) {
            map.insert("somethingElse".to_owned(), json!({"x": 1}));
        }
        let count = |key: &str| node.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        if let Some(least) = count("minProperties") {
            for (name, child) in schema::properties(node) {
                if map.len() < least && !map.contains_key(name) && !union.1.contains(name) {
                    map.insert(name.clone(), self.value(child, depth + 1)?);
                }
            }
        }
        while count("maxProperties").is_some_and(|most| map.len() > most) {
            let name = map.keys().find(|k| !required.contains(&k.as_str()) && !union.0.contains(*k)).cloned()?;
            map.remove(&name);
        }
        Some(Value::Object(map))
    }

    /// The fields that a choice among the branches of a node's unions demands, and those it forbids.
    fn chosen(&mut self, node: &Value) -> (Vec<String>, Vec<String>) {
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        let all: Vec<&Value> =
            node.get("allOf").and_then(Value::as_array).into_iter().flatten().chain(std::iter::once(node)).collect();
        for part in all {
            for key in ["oneOf", "anyOf"] {
                let Some(branches) = part.get(key).and_then(Value::as_array).filter(|b| !b.is_empty()) else {
                    continue;
                };
                let one = self.random.below(branches.len());
                for (n, branch) in branches.iter().enumerate() {
                    let names = schema::required(branch).map(str::to_owned);
                    match n == one {
                        true => wanted.extend(names),
                        false if key == "oneOf" => unwanted.extend(names),
                        false => {}
                    }
                }
            }
            unwanted.extend(part.get("not").into_iter().flat_map(schema::required).map(str::to_owned));
        }
        unwanted.retain(|n| !wanted.contains(n));
        (wanted, unwanted)
    }

    fn map(&mut self, node: &Value, depth: usize) -> Value {
        let child = schema::values(node).cloned().unwrap_or_default();
        let count = |key: &str| node.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let low = count("minProperties").unwrap_or(0);
        let high = count("maxProperties").unwrap_or(usize::MAX).min(low + 2);
        let keys = ["main", "size", "a.b", "app"];
        let many = if depth < 14 && self.budget > 0 { self.random.between(low, high) } else { low };
        let made = keys.iter().take(many).filter_map(|k| Some(((*k).to_owned(), self.value(&child, depth + 1)?)));
        Value::Object(made.collect())
    }

    fn list(&mut self, node: &Value, depth: usize) -> Option<Value> {
        let child = schema::items(node)?;
        let count = |key: &str| node.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let low = count("minItems").unwrap_or(0);
        let high = count("maxItems").unwrap_or(usize::MAX).min(low + 2);
        let many = if depth < 14 && self.budget > 0 { self.random.between(low, high) } else { low };
        let mut list: Vec<Value> = Vec::new();
        let keys: Vec<&str> = schema::list_map_keys(node).collect();
        let key_of = |v: &Value| keys.iter().map(|k| v.get(k).cloned().unwrap_or_default()).collect::<Vec<_>>();
        for _ in 0..many * 4 {
            if list.len() == many {
                break;
            }
            let item = self.value(child, depth + 1)?;
            let same = |other: &Value| match schema::list_type(node) {
                "set" => *other == item,
                "map" => key_of(other) == key_of(&item),
                _ => false,
            };
            if !list.iter().any(same) {
                list.push(item);
            }
        }
        Some(Value::Array(list))
    }

    fn integer(&mut self, node: &Value) -> i64 {
        let bound = |key: &str| {
            #[allow(clippy::cast_possible_truncation, reason = "bounds of real CRDs are whole and small enough")]
            node.get(key).and_then(Value::as_f64).map(|n| n as i64)
        };
        let low = bound("minimum").unwrap_or(0) + i64::from(schema::flag(node, "exclusiveMinimum"));
        let high = bound("maximum").unwrap_or(i64::MAX).min(low.saturating_add(100));
        let step = bound("multipleOf").filter(|n| *n > 0).unwrap_or(1);
        let span = usize::try_from(high.saturating_sub(low).max(0)).unwrap_or(0);
        let value = low + i64::try_from(self.random.below(span + 1)).unwrap_or(0);
        value / step * step
    }

    fn text(&mut self, node: &Value) -> String {
        let count = |key: &str| node.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let (least, most) = (count("minLength").unwrap_or(0), count("maxLength").unwrap_or(63));
        let fitting = |text: &str| {
            let pattern = node.get("pattern").and_then(Value::as_str).map(regex::Regex::new);
            (least..=most).contains(&text.chars().count()) && pattern.is_none_or(|p| p.is_ok_and(|p| p.is_match(text)))
        };
        let by_format: &[&str] = match node.get("format").and_then(Value::as_str).unwrap_or_default() {
            "date-time" => &["2026-01-02T03:04:05Z"],
            "date" => &["2026-01-02"],
            "duration" => &["30s"],
            "uri" | "url" => &["https://example.com/x"],
            "hostname" => &["example.com"],
            "ipv4" | "ip" => &["192.0.2.1"],
            "ipv6" => &["2001:db8::1"],
            "cidr" => &["192.0.2.0/24"],
            "email" => &["a@example.com"],
            "byte" => &["YWJj"],
            "uuid" => &["5f0c1e6a-7a53-4a0f-9d3f-5d8c1b2a3c4d"],
            _ => &[],
        };
        if !by_format.is_empty() {
            return self.random.pick(by_format).to_string();
        }
        let common = [
            "a",
            "example",
            "10Gi",
            "100m",
            "1h",
            "30s",
            "5m",
            "1h30m",
            "80%",
            "5",
            "0",
            "1.2.3",
            "v1.2.3",
            "true",
            "example.com",
            "*.example.com",
            "https://example.com",
            "http://example.com/x",
            "192.0.2.1",
            "192.0.2.0/24",
            "2001:db8::1",
            "/path",
            "/path/to",
            "a/b",
            "example.com/a",
            "team-a",
            "Ready",
            "RS256",
            "A",
            "UPPER_CASE",
            "snake_case",
            "CamelCase",
            "*",
            "1Gi",
            "500MB",
            "1d",
            "2w",
            "0 0 * * *",
            "2026-01-02T03:04:05Z",
            "s3://bucket/path",
            "oci://example.com/a",
            "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "ServiceAccount",
            "rbac.authorization.k8s.io",
            "a.b.c",
            "x-y",
            "1ms",
            "00:00",
            "Mon",
            "git@example.com:a/b.git",
            "ssh://git@example.com/a",
            "ID",
            "",
        ];
        let start = self.random.below(common.len());
        let found = (0..common.len()).map(|n| common[(start + n) % common.len()]).find(|t| fitting(t));
        found.map_or_else(|| "a".repeat(least.max(1)), str::to_owned)
    }
}
