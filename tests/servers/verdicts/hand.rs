//! What the mutations of CRDs have in common: random places of a schema, and random choices.

use serde_json::{Map, Value, json};

use crate::corpus::random::Random;

/// Whether a mutation found something to change.
pub(super) type Did = Option<()>;

/// A mutation. It depends on the CRD and on the random numbers alone.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// The name of its function.
    pub name: &'static str,
    /// Changes the CRD; `None` where the CRD has nothing of the sort.
    pub apply: fn(&mut Value, &mut Hand<'_>) -> Did,
}

/// The mutations of a file, by the names of their functions.
macro_rules! kinds {
    ($($name:ident),* $(,)?) => {
        pub(in super::super) const KINDS: &[super::super::hand::Kind] =
            &[$(super::super::hand::Kind { name: stringify!($name), apply: $name }),*];
    };
}
pub(super) use kinds;

/// What stands for a number that is no `Value`: the text of the CRD has the number itself.
pub(super) fn raw(number: &str) -> Value {
    Value::String(format!("@raw({number})"))
}

/// The text of a CRD, with the numbers of [`raw`].
pub(super) fn text(crd: &Value) -> String {
    let mut text = serde_json::to_string_pretty(crd).expect("a value is JSON");
    while let Some(start) = text.find("\"@raw(") {
        let Some(end) = text[start..].find(")\"") else { break };
        let number = text[start + 6..start + end].to_owned();
        text.replace_range(start..start + end + 2, &number);
    }
    // The same for readers of JSON and of YAML.
    for (character, escape) in
        [('\u{7f}', "\\u007f"), ('\u{85}', "\\u0085"), ('\u{2028}', "\\u2028"), ('\u{feff}', "\\ufeff")]
    {
        text = text.replace(character, escape);
    }
    text
}

/// The text that kubectl sends for a CRD of that text: whole numbers without fraction and exponent, others as floats.
pub(super) fn sent(crd: &Value) -> String {
    let mut crd = crd.clone();
    normalise(&mut crd);
    text(&crd)
}

fn normalise(value: &mut Value) {
    let number = match value {
        Value::Object(map) => return map.values_mut().for_each(normalise),
        Value::Array(list) => return list.iter_mut().for_each(normalise),
        Value::String(text) => text.strip_prefix("@raw(").and_then(|rest| rest.strip_suffix(')')).map(str::to_owned),
        Value::Number(number) if number.is_f64() => Some(number.to_string()),
        _ => None,
    };
    let Some(number) = number else { return };
    if let Ok(whole) = number.parse::<i64>() {
        *value = json!(whole);
    } else if let Ok(float) = number.parse::<f64>()
        && float.is_finite()
    {
        let plain = float == 0.0 || (1e-6..1e21).contains(&float.abs());
        *value = raw(&if plain { format!("{float}") } else { format!("{float:e}") });
    }
}

/// The hand that mutates: it chooses at random and remembers the place.
pub(super) struct Hand<'r> {
    pub random: &'r mut Random,
    /// The JSON pointer of the last schema or version that was touched.
    pub touched: Option<String>,
}

impl Hand<'_> {
    /// One of the values of a JSON list.
    pub(super) fn one(&mut self, choices: Value) -> Value {
        match choices {
            Value::Array(list) if !list.is_empty() => self.random.pick(&list).clone(),
            other => other,
        }
    }

    /// One of the texts.
    pub(super) fn word<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.random.below(choices.len())]
    }

    /// A random schema of those that fit, values and items included, the content of junctors not.
    pub(super) fn node<'c>(
        &mut self,
        crd: &'c mut Value,
        fits: impl Fn(&Value) -> bool,
    ) -> Option<&'c mut Map<String, Value>> {
        let mut found: Vec<String> = pointers(crd);
        found.retain(|pointer| crd.pointer(pointer).is_some_and(&fits));
        self.at(crd, &found)
    }

    /// The same, without the roots and what is fixed of every object.
    pub(super) fn inner<'c>(
        &mut self,
        crd: &'c mut Value,
        fits: impl Fn(&Value) -> bool,
    ) -> Option<&'c mut Map<String, Value>> {
        let mut found: Vec<String> = pointers(crd);
        found.retain(|pointer| is_inner(pointer) && crd.pointer(pointer).is_some_and(&fits));
        self.at(crd, &found)
    }

    fn at<'c>(&mut self, crd: &'c mut Value, found: &[String]) -> Option<&'c mut Map<String, Value>> {
        if found.is_empty() {
            return None;
        }
        let pointer = self.random.pick(found).clone();
        self.touched = Some(pointer.clone());
        crd.pointer_mut(&pointer)?.as_object_mut()
    }

    /// Adds a property to a random object with properties, of the spec as a rule.
    pub(super) fn insert(&mut self, crd: &mut Value, schema: Value) -> Did {
        let in_status = self.random.chance(10);
        let mut found: Vec<String> = pointers(crd);
        found.retain(|pointer| {
            let below = pointer.contains("/openAPIV3Schema/properties/status") == in_status;
            below
                && is_inner(pointer)
                && crd.pointer(pointer).is_some_and(|node| node.get("properties").is_some_and(Value::is_object))
        });
        // A small CRD may have no object below its root.
        if found.is_empty() {
            found = roots(crd);
            found.retain(|pointer| {
                crd.pointer(pointer).is_some_and(|node| node.get("properties").is_some_and(Value::is_object))
            });
        }
        let node = self.at(crd, &found)?;
        node.get_mut("properties")?.as_object_mut()?.insert("mut".to_owned(), schema);
        if let Some(touched) = &mut self.touched {
            touched.push_str("/properties/mut");
        }
        Some(())
    }

    /// A random version.
    pub(super) fn version<'c>(&mut self, crd: &'c mut Value) -> Option<&'c mut Map<String, Value>> {
        let count = crd.pointer("/spec/versions")?.as_array()?.len();
        let pointer = format!("/spec/versions/{}", self.random.below(count));
        self.touched = Some(pointer.clone());
        crd.pointer_mut(&pointer)?.as_object_mut()
    }

    /// The root of the schema of a random version.
    pub(super) fn root<'c>(&mut self, crd: &'c mut Value) -> Option<&'c mut Map<String, Value>> {
        let found = roots(crd);
        self.at(crd, &found)
    }
}

/// Sets a key of an object.
#[allow(clippy::unnecessary_wraps, reason = "a mutation ends with it")]
pub(super) fn put(node: &mut Map<String, Value>, key: &str, value: Value) -> Did {
    node.insert(key.to_owned(), value);
    Some(())
}

/// Sets a key of the object at a JSON pointer.
pub(super) fn set(crd: &mut Value, pointer: &str, key: &str, value: Value) -> Did {
    put(crd.pointer_mut(pointer)?.as_object_mut()?, key, value)
}

/// Whether a schema has this type.
pub(super) fn is(kind: &'static str) -> impl Fn(&Value) -> bool {
    move |node| node.get("type").is_some_and(|found| found == kind)
}

/// Whether a schema is an object with properties.
pub(super) fn has_properties(node: &Value) -> bool {
    node.get("properties").and_then(Value::as_object).is_some_and(|map| !map.is_empty())
}

/// Any schema.
pub(super) fn any(_: &Value) -> bool {
    true
}

/// An object with one text, to put things into.
pub(super) fn thing() -> Value {
    json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}})
}

/// A list of objects with a name.
pub(super) fn named_list() -> Value {
    json!({"type": "array", "items": {"type": "object", "required": ["name"],
        "properties": {"name": {"type": "string"}, "port": {"type": "integer"}}}})
}

/// The roots of the schemas.
pub(super) fn roots(crd: &Value) -> Vec<String> {
    let count = crd.pointer("/spec/versions").and_then(Value::as_array).map_or(0, Vec::len);
    let all = (0..count).map(|n| format!("/spec/versions/{n}/schema/openAPIV3Schema"));
    all.filter(|pointer| crd.pointer(pointer).is_some_and(Value::is_object)).collect()
}

/// The places of all schemas but those in junctors.
pub(super) fn pointers(crd: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for root in roots(crd) {
        if let Some(node) = crd.pointer(&root) {
            collect(node, &root, &mut found);
        }
    }
    found
}

fn collect(node: &Value, at: &str, found: &mut Vec<String>) {
    if !node.is_object() {
        return;
    }
    found.push(at.to_owned());
    for (name, child) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let name = name.replace('~', "~0").replace('/', "~1");
        collect(child, &format!("{at}/properties/{name}"), found);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(child) = node.get(key) {
            collect(child, &format!("{at}/{key}"), found);
        }
    }
}

/// Whether a schema is neither a root nor one of the fields that every object has.
fn is_inner(pointer: &str) -> bool {
    let Some((_, below)) = pointer.split_once("/openAPIV3Schema/properties/") else { return false };
    let first = below.split('/').next().unwrap_or_default();
    !matches!(first, "apiVersion" | "kind" | "metadata")
}
