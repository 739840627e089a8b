//! Digests of JSON values: what is remembered of an object instead of its body. Pure.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The digest of a value. Equal values have equal digests; numbers are compared by value, since `1.0` and `1` are one
/// value to an API server. The order of lists counts.
///
/// Digests live in memory alone. 128 bits of SHA-256: a tenant who chooses both values cannot make them collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Digest([u8; 16]);

impl Digest {
    /// The digest of several digests, in their order.
    #[must_use]
    pub(crate) fn of_all<'d>(all: impl Iterator<Item = &'d Self>) -> Self {
        let mut hash = Sha256::new();
        all.for_each(|digest| hash.update(digest.0));
        Self::half(hash)
    }

    /// The digest of a value.
    #[must_use]
    pub(crate) fn of(value: &Value) -> Self {
        let mut hash = Sha256::new();
        feed(&mut hash, value);
        Self::half(hash)
    }

    fn half(hash: Sha256) -> Self {
        let full: [u8; 32] = hash.finalize().into();
        let mut half = [0; 16];
        half.copy_from_slice(&full[..16]);
        Self(half)
    }
}

fn feed(hash: &mut Sha256, value: &Value) {
    // Each value begins with a byte for its type, and says its length where it has one, so that no two values feed
    // the same bytes.
    match value {
        Value::Null => hash.update(b"n"),
        Value::Bool(true) => hash.update(b"t"),
        Value::Bool(false) => hash.update(b"f"),
        Value::Number(number) => {
            let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)).or_else(|| {
                let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15)?;
                #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
                Some(i128::from(float as i64))
            });
            match whole {
                Some(whole) => {
                    hash.update(b"i");
                    hash.update(whole.to_le_bytes());
                }
                None => {
                    hash.update(b"d");
                    hash.update(number.as_f64().unwrap_or(f64::NAN).to_bits().to_le_bytes());
                }
            }
        }
        Value::String(text) => feed_text(hash, text),
        Value::Array(items) => {
            hash.update(b"a");
            hash.update(items.len().to_le_bytes());
            for item in items {
                feed(hash, item);
            }
        }
        Value::Object(map) => {
            hash.update(b"o");
            hash.update(map.len().to_le_bytes());
            for (key, value) in map {
                feed_text(hash, key);
                feed(hash, value);
            }
        }
    }
}

fn feed_text(hash: &mut Sha256, text: &str) {
    hash.update(b"s");
    hash.update(text.len().to_le_bytes());
    hash.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_values_have_equal_digests() {
        let same = |a: Value, b: Value| Digest::of(&a) == Digest::of(&b);
        assert!(same(json!({"a": 1, "b": [2.0]}), json!({"b": [2], "a": 1.0})));
        assert!(same(json!(u64::MAX), json!(u64::MAX)));
        assert!(!same(json!(1), json!("1")));
        assert!(!same(json!(1.5), json!(1)));
        assert!(!same(json!(["a", "b"]), json!(["ab"])));
        assert!(!same(json!(["a"]), json!("a")));
        assert!(!same(json!({"a": null}), json!({})));
        assert!(!same(json!({"a": {}}), json!({"a": []})));
        assert!(!same(json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64)));
    }
}
