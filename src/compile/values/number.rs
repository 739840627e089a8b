//! Numbers: integers, bounds, factors and their formats, with the server's arithmetic
//! (kube-openapi `pkg/validation/validate/values.go` and `validator.go`, `numberValidator`; `go-openapi/swag/conv`).
//!
//! A server reads a number that fits into 64 bits and has neither dot nor exponent as an integer, all others as
//! floats; bounds and factors are always floats. Integers are compared as integers, the bound cut to one. Kubernetes
//! 1.33 does not ask whether a value or a bound fits its type and format; what it takes there, 1.37 refuses.

use serde_json::Value;

/// The greatest float that counts as an integer, 2^53 - 1.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
/// 2^63, the first float beyond 64 bits.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// A number as the server reads it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// Without dot and exponent, within 64 bits.
    Int(i64),
    /// Any other.
    Float(f64),
}

impl Number {
    /// The number, if the value is one.
    pub(super) fn of(value: &Value) -> Option<Self> {
        if !value.is_number() {
            return None;
        }
        value.as_i64().map(Self::Int).or_else(|| value.as_f64().map(Self::Float))
    }

    /// The number as a float.
    #[allow(clippy::cast_precision_loss, reason = "the server loses it in the same way")]
    pub(super) fn as_float(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(f) => f,
        }
    }

    /// Whether a field of type integer takes the number.
    pub(super) fn is_integer(self) -> bool {
        match self {
            Self::Int(_) => true,
            Self::Float(f) => is_nearly_integer(f),
        }
    }

    /// The number in 64 bits, if it is a whole one: a server writes 2.0 as 2 and reads it again.
    pub(super) fn whole(self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(n),
            Self::Float(f) => ((-TWO_63..TWO_63).contains(&f) && f.fract().abs() <= 0.0).then(|| to_int(f)),
        }
    }

    /// In decimal, without exponent.
    fn written(self) -> String {
        match self {
            Self::Int(n) => n.to_string(),
            Self::Float(f) => f.to_string(),
        }
    }
}

/// A value as a server stores it: whole floats become integers where they fit.
pub(super) fn stored(value: &Value) -> Value {
    match value {
        Value::Number(_) => Number::of(value).and_then(Number::whole).map_or_else(|| value.clone(), Value::from),
        Value::Array(list) => list.iter().map(stored).collect(),
        Value::Object(map) => map.iter().map(|(name, inner)| (name.clone(), stored(inner))).collect(),
        other => other.clone(),
    }
}

/// Whether the float is an integer, or as near to one as the server asks (`IsFloat64AJSONInteger`).
fn is_nearly_integer(f: f64) -> bool {
    let rounded = f.round();
    let off = (f - rounded).abs();
    f.abs() <= MAX_SAFE && (off <= 0.0 || off < 1e-9 * rounded.abs())
}

/// The same before Kubernetes 1.37, which cut the float where it is rounded now (`go-openapi/swag` v0.23.0): then
/// 114.99999999999999 was no integer, and negative floats had to be exact.
fn was_nearly_integer(f: f64) -> bool {
    let cut = f.trunc();
    let off = (f - cut).abs();
    f.abs() <= MAX_SAFE && (off <= 0.0 || cut > 0.0 && off / (f + cut) < 1e-9)
}

/// Go's conversion to 64 bits on amd64: cut, and the least number for what does not fit.
#[allow(clippy::cast_possible_truncation, reason = "what does not fit was sorted out")]
pub(super) fn to_int(f: f64) -> i64 {
    if (-TWO_63..TWO_63).contains(&f) { f as i64 } else { i64::MIN }
}

/// The type and format that bounds and values must fit: those of a node with this one type alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// `integer`, also with the format `int64`.
    Int64,
    /// `integer` with the format `int32`.
    Int32,
    /// `number` with the format `float`.
    Float32,
    /// Anything else; everything fits.
    Any,
}

impl Width {
    /// The width of a node.
    pub(super) fn of(types: &[&str], format: &str) -> Self {
        match (types, format) {
            (["integer"], "int32") => Self::Int32,
            (["integer"], _) => Self::Int64,
            (["number"], "float") => Self::Float32,
            _ => Self::Any,
        }
    }

    /// Whether a number fits (`IsValueValidAgainstRange`, which reads the number's shortest decimal form again: so
    /// -2^63 as a float, which is written -9223372036854776000, does not fit into 64 bits).
    pub(super) fn fits(self, number: Number) -> bool {
        let written = number.written();
        match self {
            Self::Int64 => written.parse::<i64>().is_ok(),
            Self::Int32 => written.parse::<i32>().is_ok(),
            Self::Float32 => written.parse::<f32>().is_ok_and(f32::is_finite),
            Self::Any => true,
        }
    }

    /// As people say it.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Int64 => "a 64-bit integer",
            Self::Int32 => "a 32-bit integer",
            Self::Float32 => "a 32-bit floating-point number",
            Self::Any => "a number",
        }
    }
}

/// Everything that is wrong with a number, as messages.
pub(super) fn violations(schema: &Value, number: Number, width: Width) -> Vec<String> {
    let mut found = Vec::new();
    if !width.fits(number) {
        found.push(format!("must be {}", width.words()));
    }
    if let Some(reason) = unusable_bound(schema, width) {
        found.push(format!("can have no value at all: {reason}"));
        return found;
    }
    let open = |key: &str| schema.get(key).and_then(Value::as_bool).unwrap_or(false);
    if let Some((step, written)) = bound(schema, "multipleOf")
        && !is_multiple(number, step)
    {
        found.push(match number {
            Number::Int(_) if step < 1.0 => {
                format!("must be a multiple of {written}, and a server finds that no integer is one")
            }
            _ => format!("must be a multiple of {written}"),
        });
    }
    for (key, exclusive, less) in [("minimum", "exclusiveMinimum", true), ("maximum", "exclusiveMaximum", false)] {
        let Some((limit, written)) = bound(schema, key) else { continue };
        let (order, open) = (compared(number, limit), open(exclusive));
        let outside = if less { order.is_lt() } else { order.is_gt() };
        if outside || open && order.is_eq() {
            let than = match (less, open) {
                (true, false) => "must not be less than",
                (true, true) => "must be more than",
                (false, false) => "must not be more than",
                (false, true) => "must be less than",
            };
            found.push(format!("{than} {written}"));
        }
    }
    found
}

/// A bound or factor, which a server keeps as a float, and as it stands in the schema.
fn bound<'s>(schema: &'s Value, key: &str) -> Option<(f64, &'s Value)> {
    schema.get(key).and_then(|written| Some((written.as_f64()?, written)))
}

/// How a number stands to a bound. Beside an integer the bound is cut to one, so 0 is not less than 0.5.
fn compared(number: Number, limit: f64) -> std::cmp::Ordering {
    match number {
        Number::Int(n) => n.cmp(&to_int(limit)),
        Number::Float(f) => f.partial_cmp(&limit).unwrap_or(std::cmp::Ordering::Equal),
    }
}

fn is_multiple(number: Number, step: f64) -> bool {
    if step <= 0.0 {
        return false;
    }
    match number {
        Number::Int(n) => match to_int(step) {
            ..=0 => false,
            step => n % step == 0,
        },
        Number::Float(f) if step < 1.0 => is_nearly_integer(1.0 / step * f),
        Number::Float(f) => is_nearly_integer(f / step),
    }
}

/// What a server takes since Kubernetes 1.37 and refused before.
pub(super) fn doubts(schema: &Value, number: Number, types: &[&str]) -> Option<String> {
    let Number::Float(f) = number else { return None };
    if types.contains(&"integer") && !types.contains(&"number") && !was_nearly_integer(f) {
        return Some("is an integer for servers from Kubernetes 1.37 on only".to_owned());
    }
    let (step, written) = bound(schema, "multipleOf")?;
    let quotient = if step < 1.0 { 1.0 / step * f } else { f / step };
    (!was_nearly_integer(quotient))
        .then(|| format!("is a multiple of {written} for servers from Kubernetes 1.37 on only"))
}

/// Why the bounds or the factor of a node refuse every number: they do not fit its own type and format.
pub(super) fn unusable_bound(schema: &Value, width: Width) -> Option<String> {
    for key in ["multipleOf", "maximum", "minimum"] {
        let Some((number, written)) = bound(schema, key) else { continue };
        if !width.fits(Number::Float(number)) {
            return Some(format!("its `{key}`, {written}, is not {} for a server", width.words()));
        }
        if key == "multipleOf" && number <= 0.0 {
            return Some(format!("its `multipleOf`, {written}, is not positive"));
        }
    }
    None
}
