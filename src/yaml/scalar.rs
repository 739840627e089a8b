//! The values of YAML scalars, as Kubernetes reads them.
//!
//! The rules are those of `sigs.k8s.io/yaml`: YAML 1.1 as kubectl and the
//! controllers use it (`cli.md` §4.4), including the conversion to JSON, which
//! makes `1.0` the integer 1. Pure functions on text; tests against kubectl are in `tests/it/yaml_oracle.rs`.

use serde_json::Number;

use super::tree::Value;

/// A YAML 1.1 scalar before its conversion to JSON, which loses the difference between
/// integers and floats. Keys need it: `1000000:` and `1e6:` are different keys.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str,
}

impl Scalar {
    /// The value in a Kubernetes object; `text` is the value of a string.
    /// `None` for infinities and not-a-number, which do not exist in JSON.
    pub(super) fn into_value(self, text: &str) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Int(i) => Value::Number(i.into()),
            // Outside the range of an i64 Kubernetes uses floats.
            #[expect(clippy::cast_precision_loss, reason = "Kubernetes loses the same digits")]
            Self::Uint(u) => i64::try_from(u)
                .map_or_else(|_| Number::from_f64(u as f64).map(Value::Number), |i| Some(Value::Number(i.into())))?,
            Self::Float(f) => Value::Number(match integral(f) {
                Some(i) => i.into(),
                None => Number::from_f64(f)?,
            }),
            Self::Str => Value::String(text.to_owned()),
        })
    }

    /// The key in a Kubernetes object; `None` if the scalar cannot be a key.
    pub(super) fn key(&self, text: &str) -> Option<String> {
        Some(match self {
            Self::Null | Self::Uint(_) => return None,
            Self::Bool(b) => b.to_string(),
            Self::Int(i) => i.to_string(),
            Self::Float(f) => float_key(*f),
            Self::Str => text.to_owned(),
        })
    }
}

/// The integer that Kubernetes reads from the JSON text of a float: text without point
/// and exponent that fits 64 bits. The text has the shortest digits that identify the
/// float, padded with zeros, so the integer can differ from the exact value of the float.
fn integral(f: f64) -> Option<i64> {
    (f.fract() == 0.0 && f.abs() < 1e19).then(|| f.to_string().parse().ok()).flatten()
}

/// A float as a key: the shortest decimal of its 32-bit value, with an exponent
/// outside 10^-4 … 10^5, as Go's `%g` formats it.
#[expect(clippy::cast_possible_truncation, reason = "the 32-bit value is the rule")]
fn float_key(f: f64) -> String {
    let f = f as f32;
    if f.is_nan() {
        return ".nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    // Rust's `{:e}` gives the shortest digits: `1.6777216e7`.
    let text = format!("{f:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{f}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Resolves an unquoted scalar without a tag.
pub(super) fn plain(text: &str) -> Scalar {
    let Some(first) = text.bytes().next() else { return Scalar::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' => special(text).or_else(|| number(text)).unwrap_or(Scalar::Str),
        b'.' => special(text).or_else(|| point_float(text)).unwrap_or(Scalar::Str),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text).unwrap_or(Scalar::Str),
        _ => Scalar::Str,
    }
}

/// Resolves a scalar with a standard tag, quoted or not; `None` if the tag contradicts
/// the text. `tag` is the part after `!!`.
pub(super) fn tagged(tag: &str, text: &str) -> Option<Scalar> {
    let scalar = plain(text);
    match (tag, &scalar) {
        ("str", _) => Some(Scalar::Str),
        ("null", Scalar::Null)
        | ("bool", Scalar::Bool(_))
        | ("int", Scalar::Int(_) | Scalar::Uint(_))
        | ("float", Scalar::Float(_)) => Some(scalar),
        #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float")]
        ("float", Scalar::Int(i)) => Some(Scalar::Float(*i as f64)),
        _ => None,
    }
}

fn word(text: &str) -> Option<Scalar> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        _ => return None,
    })
}

fn special(text: &str) -> Option<Scalar> {
    Some(Scalar::Float(match text {
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        _ => return None,
    }))
}

/// Resolves text that begins with a digit or a sign. Underscores are ignored at any position.
fn number(text: &str) -> Option<Scalar> {
    let stripped;
    let text = if text.contains('_') {
        stripped = text.replace('_', "");
        &stripped
    } else {
        text
    };
    integer(text).or_else(|| yaml_float(text).map(Scalar::Float))
}

/// An integer with Go's prefixes: `0x`, `0o`, `0b` in either case, `0` alone for octal.
fn integer(text: &str) -> Option<Scalar> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (Some('-'), &text[1..]),
        b'+' => (Some('+'), &text[1..]),
        _ => (None, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // `from_str_radix` would accept a second sign.
    if !digits.bytes().next()?.is_ascii_alphanumeric() {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match sign {
        Some('-') => 0i64.checked_sub_unsigned(magnitude).map(Scalar::Int),
        Some(_) => i64::try_from(magnitude).ok().map(Scalar::Int),
        None => Some(i64::try_from(magnitude).map_or(Scalar::Uint(magnitude), Scalar::Int)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, within the range of an f64.
fn yaml_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(i) => (&unsigned[..i], Some(&unsigned[i + 1..])),
        None => (unsigned, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        None => digits(mantissa),
        Some(("", after)) => digits(after),
        Some((before, after)) => digits(before) && (after.is_empty() || digits(after)),
    };
    let exponent_ok = exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)));
    if !(mantissa_ok && exponent_ok) {
        return None;
    }
    text.parse().ok().filter(|f: &f64| f.is_finite())
}

/// Resolves text that begins with a point. Only in this case an underscore must be
/// between two digits.
fn point_float(text: &str) -> Option<Scalar> {
    let bytes = text.as_bytes();
    let digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let well_placed = |i: usize| digit(i.checked_sub(1)) && digit(Some(i + 1));
    let underscores = bytes.iter().enumerate().filter(|(_, b)| **b == b'_');
    for (i, _) in underscores {
        if !well_placed(i) {
            return None;
        }
    }
    yaml_float(&text.replace('_', "")).map(Scalar::Float)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As `(text, what kubectl reads)`; `cli.md` §4.4 and go-yaml's own rules.
    #[test]
    fn plain_scalars_are_read_as_kubernetes_does() {
        let vectors = [
            ("", json!(null)),
            ("~", json!(null)),
            ("Null", json!(null)),
            ("nULL", json!("nULL")),
            ("yes", json!(true)),
            ("on", json!(true)),
            ("y", json!(true)),
            ("N", json!(false)),
            ("Off", json!(false)),
            ("oN", json!("oN")),
            ("010", json!(8)),
            ("0o10", json!(8)),
            ("0O10", json!(8)),
            ("08", json!(8)),
            ("-010", json!(-8)),
            ("0x1F", json!(31)),
            ("0b101", json!(5)),
            ("-0b101", json!(-5)),
            ("1_000", json!(1000)),
            ("1__0_", json!(10)),
            ("_1", json!("_1")),
            ("+7", json!(7)),
            ("+-7", json!("+-7")),
            ("--7", json!("--7")),
            ("1:30", json!("1:30")),
            ("1.0", json!(1)),
            ("-0.0", json!(0)),
            ("1.5", json!(1.5)),
            ("1.", json!(1)),
            (".5", json!(0.5)),
            ("._5", json!("._5")),
            (".5_0", json!(0.5)),
            ("+.5", json!(0.5)),
            ("1e3", json!(1000)),
            ("1e400", json!("1e400")),
            ("1e", json!("1e")),
            ("9223372036854775807", json!(9_223_372_036_854_775_807i64)),
            ("9223372036854775808", json!(9.223_372_036_854_776e18)),
            ("18446744073709551616", json!(1.844_674_407_370_955_2e19)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("-9223372036854775809", json!(-9.223_372_036_854_776e18)),
            ("1000000000000000128.0", json!(1_000_000_000_000_000_100i64)),
            ("2001-01-01", json!("2001-01-01")),
            ("2001-01-01T00:00:00Z", json!("2001-01-01T00:00:00Z")),
            ("1.2.3", json!("1.2.3")),
            ("1Gi", json!("1Gi")),
            ("0x", json!("0x")),
            ("=", json!("=")),
            ("<<", json!("<<")),
            ("-", json!("-")),
            (".", json!(".")),
            ("infinity", json!("infinity")),
            ("é", json!("é")),
        ];
        for (text, expected) in vectors {
            let value = plain(text).into_value(text).map(|value| {
                let span = crate::model::source::Span::file_start(crate::model::source::FileId(0));
                crate::yaml::tree::Node { value, span }.to_json()
            });
            assert_eq!(value, Some(expected), "{text:?}");
        }
    }

    #[test]
    fn keys_become_strings() {
        let vectors = [
            ("y", Some("true")),
            ("off", Some("false")),
            ("010", Some("8")),
            ("1.0", Some("1")),
            ("1.50", Some("1.5")),
            ("1000000", Some("1000000")),
            ("1e6", Some("1e+06")),
            ("1e5", Some("100000")),
            ("16777217.0", Some("1.6777216e+07")),
            ("1e-5", Some("1e-05")),
            (".inf", Some(".inf")),
            ("-.inf", Some("-.inf")),
            ("null", None),
            ("", None),
            ("9223372036854775808", None),
            ("text", Some("text")),
        ];
        for (text, expected) in vectors {
            assert_eq!(plain(text).key(text).as_deref(), expected, "{text:?}");
        }
    }
}
