//! YAML values with their places in the source text.
//!
//! A tree has the values that Kubernetes reads from a document. Typed kinds are
//! deserialized from its JSON; a JSON Pointer leads from an error about a value
//! back to its place.

use serde_json::Number;

use crate::model::source::{FileId, Span};

/// A value and its place in the source text.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value as Kubernetes reads it.
    pub value: Value,
    /// Its place. The span of an alias is that of its anchor.
    pub span: Span,
}

/// The value of a [`Node`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or an omitted value.
    Null,
    /// A boolean, in any of YAML 1.1's spellings.
    Bool(bool),
    /// An integer or a float.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    Seq(Vec<Node>),
    /// A mapping in source order; keys are unique.
    Map(Vec<Entry>),
}

/// One pair of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, as Kubernetes reads it: `y:` is `"true"`.
    pub key: String,
    /// The place of the key.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The value of `key`; `None` if this is not a mapping or has no such key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// The pair with this key; `None` if this is not a mapping or has no such key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|e| e.key == key),
            _ => None,
        }
    }

    /// The string; `None` for other types.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(s) => Some(s),
            _ => None,
        }
    }

    /// The node at a JSON Pointer (RFC 6901); `""` is the node itself.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&Node> {
        self.walk(pointer).ok()
    }

    /// The place to show for an error about `pointer`: the value there, or, if it is
    /// missing, its nearest existing ancestor. For a list or mapping it is the key
    /// that it belongs to, so that one word is underlined and not a whole block.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Span {
        let mut at = pointer;
        loop {
            if let Ok(node) = self.walk(at) {
                if matches!(node.value, Value::Map(_) | Value::Seq(_))
                    && let Some(key_span) = self.key_place(at)
                {
                    return key_span;
                }
                return node.span;
            }
            match at.rfind('/') {
                Some(cut) => at = &at[..cut],
                None => return self.span,
            }
        }
    }

    /// The place of the key that the pointer's last token names; `None` for the root and
    /// for items of a list.
    #[must_use]
    pub fn key_place(&self, pointer: &str) -> Option<Span> {
        let (parent, token) = pointer.rsplit_once('/')?;
        self.walk(parent).ok()?.entry(&unescape(token)).map(|e| e.key_span)
    }

    /// The tree of an API object, which has no text. Each value's span is its number in the order in
    /// which JSON writes them, as [`Sources::pointer`](crate::model::source::Sources::pointer) reads it.
    #[must_use]
    pub fn of_object(id: FileId, body: &serde_json::Value) -> Self {
        fn node(file: FileId, json: &serde_json::Value, next: &mut u32) -> Node {
            use serde_json::Value as Json;
            let span = Span { file, start: *next, end: *next };
            *next = next.saturating_add(1);
            let value = match json {
                Json::Null => Value::Null,
                Json::Bool(b) => Value::Bool(*b),
                Json::Number(n) => Value::Number(n.clone()),
                Json::String(s) => Value::String(s.clone()),
                Json::Array(items) => Value::Seq(items.iter().map(|item| node(file, item, next)).collect()),
                Json::Object(map) => {
                    let entry = |(key, json): (&String, &Json)| {
                        let value = node(file, json, next);
                        Entry { key: key.clone(), key_span: value.span, value }
                    };
                    Value::Map(map.iter().map(entry).collect())
                }
            };
            Node { value, span }
        }
        node(id, body, &mut 0)
    }

    /// The same value without places.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Number(n) => Json::Number(n.clone()),
            Value::String(s) => Json::String(s.clone()),
            Value::Seq(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(entries) => Json::Object(entries.iter().map(|e| (e.key.clone(), e.value.to_json())).collect()),
        }
    }

    fn walk(&self, pointer: &str) -> Result<&Node, ()> {
        let mut node = self;
        for token in pointer.split('/').skip(1) {
            let token = unescape(token);
            node = match &node.value {
                Value::Map(_) => node.get(&token).ok_or(())?,
                Value::Seq(items) => token.parse::<usize>().ok().and_then(|i| items.get(i)).ok_or(())?,
                _ => return Err(()),
            };
        }
        Ok(node)
    }
}

/// Escapes a key as one token of a JSON Pointer.
#[must_use]
pub(crate) fn escape(token: &str) -> String {
    if token.contains(['~', '/']) { token.replace('~', "~0").replace('/', "~1") } else { token.to_owned() }
}

/// A token of a JSON Pointer as the key that it names.
pub(crate) fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
