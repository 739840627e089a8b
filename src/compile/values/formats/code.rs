//! Codes of letters and digits: identifiers, numbers with a check digit, colours, base64
//! (kube-openapi `strfmt/default.go`, `strfmt/bson.go` and its copy of `govalidator`).

/// 24 hexadecimal digits.
pub(super) fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// 32 hexadecimal digits, each `-` of the usual form optional. With a version, that stands at the usual place; from
/// version 4 on the variant does, too.
pub(super) fn is_uuid(text: &str, version: Option<char>) -> bool {
    let mut digits = String::with_capacity(32);
    let mut rest = text;
    for (place, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((part, after)) = rest.split_at_checked(length) else { return false };
        digits.push_str(part);
        rest = after;
    }
    let at = |place: usize| digits.chars().nth(place).unwrap_or_default();
    let variant = version.is_none_or(|v| v == '3') || matches!(at(16), '8' | '9' | 'a' | 'b' | 'A' | 'B');
    rest.is_empty()
        && digits.chars().all(|c| c.is_ascii_hexdigit())
        && version.is_none_or(|version| at(12) == version)
        && variant
}

fn without_blanks_and_dashes(text: &str) -> Vec<u8> {
    text.bytes().filter(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'-')).collect()
}

fn value(digit: u8) -> u32 {
    u32::from(digit.wrapping_sub(b'0'))
}

/// Nine digits and a check digit, which may be an `X`.
pub(super) fn is_isbn10(text: &str) -> bool {
    let code = without_blanks_and_dashes(text);
    let Some((check, digits)) = code.split_last() else { return false };
    if digits.len() != 9 || !digits.iter().all(u8::is_ascii_digit) || !(check.is_ascii_digit() || *check == b'X') {
        return false;
    }
    let check = if *check == b'X' { 10 } else { value(*check) };
    let sum: u32 = (1..).zip(digits).map(|(weight, digit)| weight * value(*digit)).sum();
    (sum + 10 * check).is_multiple_of(11)
}

/// Twelve digits and a check digit.
pub(super) fn is_isbn13(text: &str) -> bool {
    let code = without_blanks_and_dashes(text);
    if code.len() != 13 || !code.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = code.iter().zip([1, 3].into_iter().cycle()).map(|(digit, weight)| weight * value(*digit)).sum();
    sum.is_multiple_of(10)
}

/// The digits in the text have the form of a card number and a right check digit; all else is passed over.
pub(super) fn is_credit_card(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    let starts = |prefix: &[u8]| digits.starts_with(prefix);
    let second = digits.get(1).copied().unwrap_or_default();
    let third = digits.get(2).copied().unwrap_or_default();
    let known = match digits.len() {
        13 => starts(b"4"),
        14 => starts(b"36") || starts(b"38") || starts(b"30") && matches!(third, b'0'..=b'5'),
        15 => starts(b"34") || starts(b"37") || starts(b"2131") || starts(b"1800"),
        16 => {
            starts(b"4")
                || starts(b"5") && matches!(second, b'1'..=b'5')
                || starts(b"6011")
                || starts(b"65")
                || starts(b"35")
        }
        _ => false,
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| weight * value(*digit))
        .map(|product| product / 10 + product % 10)
        .sum();
    known && sum.is_multiple_of(10)
}

/// `123-45-6789`, with a blank for either `-`.
pub(super) fn is_ssn(text: &str) -> bool {
    text.len() == 11
        && text.bytes().enumerate().all(|(place, byte)| match place {
            3 | 6 => matches!(byte, b'-' | b' '),
            _ => byte.is_ascii_digit(),
        })
}

/// Three or six hexadecimal digits, a `#` before them or not.
pub(super) fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `rgb(0, 127, 255)`.
pub(super) fn is_rgb_color(text: &str) -> bool {
    let blank = [' ', '\t', '\n', '\r', '\x0c'];
    let Some(inside) = text.strip_prefix("rgb(").and_then(|t| t.strip_suffix(')')) else { return false };
    let parts: Vec<&str> = inside.split(',').map(|part| part.trim_matches(blank)).collect();
    parts.len() == 3
        && parts.iter().all(|part| {
            let digits = !part.is_empty() && part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
            digits && (part.len() == 1 || !part.starts_with('0')) && part.parse::<u8>().is_ok()
        })
}

/// Base64 of the usual alphabet, padded, at least one byte.
pub(super) fn is_base64(text: &str) -> bool {
    let data = text.trim_end_matches('=');
    !data.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - data.len() <= 2
        && data.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}
