//! Dates, times and durations (kube-openapi `strfmt/date.go`, `time.go`, `duration.go`; Go `time`).

use std::sync::LazyLock;

use regex::Regex;

/// `2006-01-02`, a day that there is.
pub(super) fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |part: &str, length: usize| {
        (part.len() == length && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// A date, `t`, a time and a zone. The server looks at nothing behind a second `t`, and not at the zone's numbers.
pub(super) fn is_date_time(text: &str) -> bool {
    static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:.[0-9]+)?(?:z|[-+][0-9]{2}:[0-9]{2})$").ok()
    });
    let text = text.to_ascii_lowercase();
    let mut parts = text.split('t');
    match (parts.next(), parts.next()) {
        (Some(date), Some(time)) => is_date(date) && TIME.as_ref().is_some_and(|t| t.is_match(time)),
        _ => false,
    }
}

/// What Go's `time.ParseDuration` takes, or text that has a number before a unit anywhere in it.
pub(super) fn is_duration(text: &str) -> bool {
    is_go_duration(text) || has_duration(text)
}

/// Units that are compared whole, without regard to case.
const UNITS: [&str; 10] = ["ns", "us", "ms", "s", "m", "h", "hr", "d", "w", "wk"];
/// Units of which the beginning is enough.
const LONG_UNITS: [&str; 8] = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];

fn has_duration(text: &str) -> bool {
    static PART: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"([0-9]+)[\t\n\f\r ]*([A-Za-z\u00B5]+)").ok());
    let Some(part) = PART.as_ref() else { return false };
    let mut known = false;
    for found in part.captures_iter(text) {
        // A number too large ends it, whatever else is there.
        if found[1].parse::<i64>().is_err() {
            return false;
        }
        let unit = found[2].to_lowercase();
        known |= UNITS.contains(&unit.as_str())
            || matches!(unit.as_str(), "\u{b5}s")
            || LONG_UNITS.iter().any(|long| unit.starts_with(long));
    }
    known
}

fn is_go_duration(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return true;
    }
    let mut rest = unsigned;
    // 2^63 nanoseconds fit into a negative duration.
    let limit = if text.starts_with('-') { 1_u64 << 63 } else { (1 << 63) - 1 };
    let mut total = 0_u64;
    while !rest.is_empty() {
        let Some((length, after)) = one_duration(rest) else { return false };
        total = match total.checked_add(length) {
            Some(total) if total <= 1 << 63 => total,
            _ => return false,
        };
        rest = after;
    }
    !unsigned.is_empty() && total <= limit
}

/// One number with its unit, in nanoseconds, and what follows.
fn one_duration(text: &str) -> Option<(u64, &str)> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (whole, mut rest) = text.split_at_checked(digits(text))?;
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = after.split_at_checked(digits(after))?;
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(end)?;
    let unit: u64 = match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut length = whole.checked_mul(unit).filter(|l| *l <= 1 << 63)?;
    // The fraction of an hour in nanoseconds; more than 18 digits change nothing.
    for (place, digit) in fraction.bytes().take(18).enumerate() {
        let power = 10_u64.checked_pow(u32::try_from(place).ok()? + 1)?;
        length = length.checked_add(unit.checked_mul(u64::from(digit - b'0'))? / power)?;
    }
    (length <= 1 << 63).then_some((length, rest))
}
