//! The bodies of requests. That of an apply is JSON, but an API server reads it as YAML.
//!
//! YAML does not take all that JSON takes: the reader of the servers (go-yaml v2) refuses the characters U+007F to U+009F,
//! U+FFFE and U+FFFF as they stand, and U+0085, U+2028 and U+2029 are line breaks to it, with which blanks around them are
//! lost without an error. Escaped they are read as what they are.

use std::io::{self, Write};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// A value as JSON.
pub(super) fn json(body: &Value) -> Bytes {
    // A map of values has string keys and finite numbers only, so this cannot fail.
    serde_json::to_vec(body).unwrap_or_default().into()
}

/// A value as JSON that is YAML, too.
pub(super) fn yaml(body: &Value) -> Bytes {
    let mut text = Vec::new();
    match body.serialize(&mut Serializer::with_formatter(&mut text, Yaml)) {
        Ok(()) => text.into(),
        // As above.
        Err(_) => Bytes::new(),
    }
}

struct Yaml;

impl Formatter for Yaml {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut written = 0;
        for (at, found) in fragment.char_indices().filter(|(_, c)| is_escaped(*c)) {
            writer.write_all(&fragment.as_bytes()[written..at])?;
            write!(writer, "\\u{:04x}", u32::from(found))?;
            written = at + found.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }
}

fn is_escaped(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_yaml_cannot_hold_is_escaped() {
        let body = json!({"a\u{85}": "x\u{7f}\u{9f}é\u{ffff}\n😀", "b": [1, "x \u{2028} y"]});
        let text = yaml(&body);
        let expected = "{\"a\\u0085\":\"x\\u007f\\u009fé\\uffff\\n😀\",\"b\":[1,\"x \\u2028 y\"]}";
        assert_eq!(String::from_utf8_lossy(&text), expected);
        assert_eq!(serde_json::from_slice::<Value>(&text).unwrap(), body);
        assert_eq!(json(&json!({"a": 1})), yaml(&json!({"a": 1})));
    }
}
