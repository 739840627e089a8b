//! What the server computes of an expression when it compiles it: regular expressions, durations and times that are
//! written out, conversions of what is written out, lists and maps of several types, and formats.
//!
//! Sources: the validators of apiserver `pkg/cel/environment/base.go` (1.37), cel-go `cel/validator.go`,
//! `ext/formatting.go` and `interpreter/decorators.go` (0.29).

use cel::common::ast::operators as op;

use super::check::{Checked, Fault};
use super::syntax::{Entry, Literal, Node, NodeId, Tree};
use super::types::Type;
use crate::compile::values::pattern::{self, PatternError};

/// Checks what is written out in an expression that compiles otherwise.
///
/// # Errors
/// With what the server refuses, or nobody can tell.
pub(super) fn check(tree: &Tree, checked: &Checked) -> Result<(), Fault> {
    let literals = Literals { tree, checked };
    literals.mixed(tree.root)?;
    for id in tree.ids() {
        match tree.node(id) {
            Node::Call { target, args, .. } => {
                if let Some(name) = literals.function(id) {
                    literals.call(id, name, *target, args)?;
                }
            }
            // The server looks for a type of that name.
            Node::Name(name) if checked.full_names[id].is_none() && matches!(checked.types[id], Type::Kind(_)) => {
                return refused(format!("the variable `{name}` stands for a type, which a variable cannot"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A value that is known before the rule runs.
#[derive(Debug, Clone, PartialEq)]
enum Constant {
    Literal(Literal),
    Duration,
    Timestamp,
    /// A list, a map or a type.
    Other,
}

/// The seconds of the years 1 to 9999.
const TIMES: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

struct Literals<'a> {
    tree: &'a Tree,
    checked: &'a Checked,
}

fn refused<T>(why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Refused(why.into()))
}

impl Literals<'_> {
    /// The name of the function of a call.
    fn function(&self, id: NodeId) -> Option<&str> {
        match self.tree.node(id) {
            Node::Call { function, .. } => Some(self.checked.full_names[id].as_deref().unwrap_or(function)),
            _ => None,
        }
    }

    fn call(&self, id: NodeId, name: &str, target: Option<NodeId>, args: &[NodeId]) -> Result<(), Fault> {
        match name {
            "matches" | "find" | "findAll" => {
                // The pattern is the first argument of a call on a value, and else the second. The server's check of
                // `matches` takes the first in any case.
                let expression = if target.is_some() { args.first() } else { args.get(1) };
                let first = args.first().filter(|first| name == "matches" && self.is_literal(**first));
                for arg in expression.into_iter().chain(first) {
                    if let Some(Constant::Literal(Literal::String(text))) = self.constant(*arg)? {
                        check_pattern(&text)?;
                    }
                }
                Ok(())
            }
            "format" => match (target.map(|target| self.tree.node(target)), args) {
                (Some(Node::Literal(Literal::String(text))), [list]) if self.checked.full_names[id].is_none() => {
                    match self.tree.node(*list) {
                        Node::List { elements, .. } => self.format(text, elements),
                        _ => Ok(()),
                    }
                }
                _ => Ok(()),
            },
            op::INDEX | op::OPT_INDEX => match args {
                &[_, key] => self.key(key),
                _ => Ok(()),
            },
            _ => self.constant(id).map(|_| ()),
        }
    }

    /// A key that is written out must be a plain one.
    fn key(&self, id: NodeId) -> Result<(), Fault> {
        match self.constant(id)? {
            None | Some(Constant::Literal(Literal::String(_) | Literal::Int(_) | Literal::Uint(_))) => Ok(()),
            Some(Constant::Literal(Literal::Bool(_) | Literal::Double(_))) => Ok(()),
            Some(_) => refused("a key in brackets must be a string, a number or a bool"),
        }
    }

    fn is_literal(&self, id: NodeId) -> bool {
        matches!(self.tree.node(id), Node::Literal(_))
    }

    /// What the server computes when it compiles.
    fn constant(&self, id: NodeId) -> Result<Option<Constant>, Fault> {
        Ok(match self.tree.node(id) {
            Node::Literal(literal) => Some(Constant::Literal(literal.clone())),
            // A type by its name.
            Node::Name(_) | Node::Field { .. } if self.checked.full_names[id].is_some() => Some(Constant::Other),
            Node::List { elements, optional } if optional.is_empty() => self.all(elements.iter().copied())?,
            Node::Map(entries) if entries.iter().all(|entry| !entry.optional) => {
                self.all(entries.iter().flat_map(|entry| [entry.key, entry.value]))?
            }
            Node::Call { target: None, args, .. } => match (self.function(id), args.as_slice()) {
                (Some(name), [arg]) if is_conversion(name) => match self.constant(*arg)? {
                    Some(value) => Some(convert(name, value)?),
                    None => None,
                },
                _ => None,
            },
            _ => None,
        })
    }

    fn all(&self, parts: impl Iterator<Item = NodeId>) -> Result<Option<Constant>, Fault> {
        for part in parts {
            if self.constant(part)?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(Constant::Other))
    }

    /// Lists and maps whose parts have several types, though each may stand for the others. The arguments of `format`
    /// may.
    fn mixed(&self, id: NodeId) -> Result<(), Fault> {
        let node = self.tree.node(id);
        match node {
            Node::List { elements, optional } => {
                let types =
                    elements.iter().enumerate().map(|(index, element)| self.part(*element, optional.contains(&index)));
                same(types, "a list")?;
            }
            Node::Map(entries) => {
                same(entries.iter().map(|entry| self.part(entry.key, false)), "the keys of a map")?;
                same(entries.iter().map(|entry| self.part(entry.value, entry.optional)), "the values of a map")?;
            }
            Node::Call { .. } if self.function(id) == Some("format") => return Ok(()),
            _ => {}
        }
        let parts: Vec<NodeId> = match node {
            Node::Literal(_) | Node::Name(_) | Node::Message(_) => Vec::new(),
            Node::Field { of, .. } => vec![*of],
            Node::Call { target, args, .. } => {
                // What names the library of a function is no value.
                let target = target.filter(|_| self.checked.full_names[id].is_none());
                target.into_iter().chain(args.iter().copied()).collect()
            }
            Node::List { elements, .. } => elements.clone(),
            Node::Map(entries) => entries.iter().flat_map(|Entry { key, value, .. }| [*key, *value]).collect(),
            Node::Loop(l) => vec![l.range, l.start, l.condition, l.step, l.result],
        };
        parts.into_iter().try_for_each(|part| self.mixed(part))
    }

    fn part(&self, id: NodeId, is_optional: bool) -> &Type {
        let type_ = &self.checked.types[id];
        if is_optional { type_.unwrapped().0 } else { type_ }
    }

    fn format(&self, text: &str, args: &[NodeId]) -> Result<(), Fault> {
        let mut rest = text;
        let mut used = 0;
        while let Some((_, clause)) = rest.split_once('%') {
            if let Some(after) = clause.strip_prefix('%') {
                rest = after;
                continue;
            }
            if clause.is_empty() {
                return refused("the format ends in `%`");
            }
            let Some(arg) = args.get(used) else {
                return refused(format!("the format has more clauses than its {} arguments", args.len()));
            };
            used += 1;
            let clause = match clause.strip_prefix('.') {
                None => clause,
                Some(precise) => {
                    let after = precise.trim_start_matches(|c: char| c.is_ascii_digit());
                    let digits = &precise[..precise.len() - after.len()];
                    if digits.parse::<i64>().is_err() || after.is_empty() {
                        return refused("the format has a precision that is no number");
                    }
                    after
                }
            };
            let Some(letter) = clause.chars().next() else { return refused("the format ends in `%`") };
            self.formatted(letter, *arg)?;
            rest = &clause[letter.len_utf8()..];
        }
        if used < args.len() {
            return refused(format!("the format has {used} clauses for {} arguments", args.len()));
        }
        Ok(())
    }

    fn formatted(&self, letter: char, arg: NodeId) -> Result<(), Fault> {
        let type_ = &self.checked.types[arg];
        let fits = *type_ == Type::Dyn
            || match letter {
                's' => self.has_text(arg),
                'd' | 'o' => matches!(type_, Type::Int | Type::Uint),
                'f' | 'e' => matches!(type_, Type::Double | Type::String),
                'b' => matches!(type_, Type::Int | Type::Uint | Type::Bool),
                'x' | 'X' => matches!(type_, Type::Int | Type::Uint | Type::String | Type::Bytes),
                _ => return refused(format!("the format has an unknown clause `%{letter}`")),
            };
        if fits { Ok(()) } else { refused(format!("`%{letter}` does not format a value of type {type_}")) }
    }

    fn has_text(&self, id: NodeId) -> bool {
        let type_ = &self.checked.types[id];
        let has = !matches!(type_, Type::Object(_) | Type::Library(_) | Type::Opaque(_) | Type::Optional(_));
        has && match self.tree.node(id) {
            Node::List { elements, .. } => elements.iter().all(|element| self.has_text(*element)),
            Node::Map(entries) => entries.iter().all(|entry| self.has_text(entry.key) && self.has_text(entry.value)),
            _ => true,
        }
    }
}

fn same<'t>(mut types: impl Iterator<Item = &'t Type>, what: &str) -> Result<(), Fault> {
    let Some(first) = types.next() else { return Ok(()) };
    match types.find(|type_| !first.is_equivalent(type_)) {
        None => Ok(()),
        Some(other) => refused(format!("{what} must be of one type; here are {first} and {other}")),
    }
}

fn check_pattern(text: &str) -> Result<(), Fault> {
    match pattern::read(text) {
        Ok(()) => Ok(()),
        Err(PatternError::Refused(why)) => refused(format!("`{text}` is no regular expression: {why}")),
        Err(PatternError::Unjudged(why)) => {
            Err(Fault::Unjudged(format!("`{text}` may be no regular expression: {why}")))
        }
    }
}

fn is_conversion(name: &str) -> bool {
    matches!(name, "bool" | "bytes" | "double" | "duration" | "dyn" | "int" | "string" | "timestamp" | "type" | "uint")
}

/// Converts what is written out.
fn convert(to: &str, value: Constant) -> Result<Constant, Fault> {
    use Literal as L;
    let converted = match (to, &value) {
        ("dyn", _) => return Ok(value),
        ("type", _) => Some(Constant::Other),
        ("int", Constant::Duration | Constant::Timestamp) => Some(Constant::Literal(L::Int(1))),
        ("string", Constant::Duration | Constant::Timestamp) => Some(Constant::Literal(L::String(String::new()))),
        ("duration", Constant::Duration) | ("timestamp", Constant::Timestamp) => Some(value.clone()),
        (_, Constant::Literal(literal)) => match (to, literal) {
            ("duration", L::String(text)) => is_duration(text).then_some(Constant::Duration),
            ("timestamp", L::String(text)) => is_time(text).then_some(Constant::Timestamp),
            ("timestamp", L::Int(seconds)) => TIMES.contains(seconds).then_some(Constant::Timestamp),
            ("double", L::String(text)) if is_only_gos(text) => {
                return Err(Fault::Unjudged(format!("whether `{text}` is a number cannot be told here")));
            }
            (to, literal) => scalar(to, literal).map(Constant::Literal),
        },
        _ => None,
    };
    converted.ok_or_else(|| {
        let what = match &value {
            Constant::Literal(L::String(text)) => format!("`{text}`"),
            Constant::Literal(L::Int(number)) => number.to_string(),
            Constant::Literal(L::Double(number)) => number.to_string(),
            _ => "its argument".to_owned(),
        };
        Fault::Refused(format!("`{to}` cannot convert {what}"))
    })
}

/// Whether Go may read a text as a number that Rust does not read: `0x1p-2` or `1_000`.
fn is_only_gos(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits.starts_with("0x")
        || digits.starts_with("0X")
        || (digits.contains('_') && digits.contains(|c: char| c.is_ascii_digit()))
}

fn scalar(to: &str, literal: &Literal) -> Option<Literal> {
    use Literal as L;
    /// The first whole number that is too large for a signed one, and the first for an unsigned one.
    const SIGNED: f64 = 9_223_372_036_854_775_808.0;
    const UNSIGNED: f64 = 18_446_744_073_709_551_616.0;
    Some(match (to, literal) {
        ("int", L::Int(_))
        | ("uint", L::Uint(_))
        | ("double", L::Double(_))
        | ("string", L::String(_))
        | ("bytes", L::Bytes(_))
        | ("bool", L::Bool(_)) => literal.clone(),
        ("int", L::Uint(n)) => L::Int(i64::try_from(*n).ok()?),
        ("int", L::Double(n)) if *n > -SIGNED && *n < SIGNED => L::Int(format!("{:.0}", n.trunc()).parse().ok()?),
        ("int", L::String(text)) => L::Int(text.parse().ok()?),
        ("uint", L::Int(n)) => L::Uint(u64::try_from(*n).ok()?),
        ("uint", L::Double(n)) if *n >= 0.0 && *n < UNSIGNED => L::Uint(format!("{:.0}", n.trunc()).parse().ok()?),
        ("uint", L::String(text)) if !text.starts_with('+') => L::Uint(text.parse().ok()?),
        ("double", L::Int(n)) => L::Double(n.to_string().parse().ok()?),
        ("double", L::Uint(n)) => L::Double(n.to_string().parse().ok()?),
        ("double", L::String(text)) => {
            let number: f64 = text.parse().ok()?;
            let named = text.to_ascii_lowercase().contains("inf");
            L::Double(Some(number).filter(|number| named || !number.is_infinite())?)
        }
        ("bool", L::String(text)) => match text.as_str() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => L::Bool(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => L::Bool(false),
            _ => return None,
        },
        ("bytes", L::String(text)) => L::Bytes(text.clone().into_bytes()),
        ("string", L::Bytes(bytes)) => L::String(String::from_utf8(bytes.clone()).ok()?),
        ("string", L::Bool(value)) => L::String(value.to_string()),
        ("string", L::Int(value)) => L::String(value.to_string()),
        ("string", L::Uint(value)) => L::String(value.to_string()),
        ("string", L::Double(value)) => L::String(value.to_string()),
        _ => return None,
    })
}

/// Whether Go reads a text as a duration (`time.ParseDuration`).
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    let mut total = 0.0_f64;
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let whole = number.chars().filter(|c| *c == '.').count() <= 1 && number.bytes().any(|b| b.is_ascii_digit());
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return false,
        };
        let Some(number) = number.parse::<f64>().ok().filter(|_| whole) else { return false };
        total += number * seconds;
        rest = after;
    }
    total < 9_223_372_036.854_775
}

/// Whether Go reads a text as a time (`time.RFC3339`), in the years 1 to 9999.
fn is_time(text: &str) -> bool {
    read_time(text).is_some()
}

fn read_time(text: &str) -> Option<()> {
    /// The seconds of a day.
    const DAY: u32 = 86_400;
    /// A number of so many digits.
    fn digits(text: &str, count: usize, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let plain = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|number| plain && range.contains(number))
    }
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = date.split('-').collect::<Vec<_>>().try_into().ok()?;
    let (year, month) = (digits(year, 4, 1..=9999)?, digits(month, 2, 1..=12)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let day = digits(day, 2, 1..=days)?;
    // The hour may have one digit, and a fraction may begin with a comma.
    let (hour, rest) = time.split_once(':')?;
    let (minute, rest) = rest.split_once(':')?;
    let (second, rest) = (rest.get(..2)?, rest.get(2..)?);
    let hour = digits(hour, 2, 0..=23).or_else(|| digits(hour, 1, 0..=9))?;
    let of_day = (hour * 60 + digits(minute, 2, 0..=59)?) * 60 + digits(second, 2, 0..=59)?;
    let zone = match rest.strip_prefix(['.', ',']) {
        None => rest,
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return None;
            }
            zone
        }
    };
    if zone == "Z" {
        return Some(());
    }
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    let offset = (digits(hours, 2, 0..=24)? * 60 + digits(minutes, 2, 0..=60)?) * 60;
    // Neither the first nor the last month reaches beyond the years.
    let before = (day - 1) * DAY + of_day;
    let after = (31 - day) * DAY + DAY - 1 - of_day;
    let outside = match (year, month) {
        (1, 1) => zone.starts_with('+') && offset > before,
        (9999, 12) => zone.starts_with('-') && offset > after,
        _ => false,
    };
    if outside { None } else { Some(()) }
}
