//! JSON text: finds the end of a value and hands out its tokens.
//!
//! kubectl reads a file that begins with `{` as a series of JSON values, with nothing or white space between them
//! (`YAMLOrJSONDecoder` of k8s.io/apimachinery 0.37, over Go's `encoding/json`). JSON is not quite YAML 1.1: only
//! JSON has pairs of `\u` escapes for one character. This file knows the grammar of RFC 8259 and makes no values;
//! it keeps its own stack, so that deep nesting cannot overflow the call stack.

use std::ops::Range;

/// A part of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// `{`
    OpenMap,
    /// `[`
    OpenSeq,
    /// `}` or `]`
    Close,
    /// A string or a key, with its quotes.
    String,
    /// A number.
    Number,
    /// `true`, `false` or `null`.
    Word,
}

/// Why a scan ended before the end of the value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended<E> {
    /// The text is not JSON at this offset.
    NotJson(usize),
    /// The receiver of the tokens wants no more.
    By(E),
}

/// What may follow.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Value,
    /// A value, or the end of an empty list.
    ValueOrClose,
    Key,
    /// A key, or the end of an empty mapping.
    KeyOrClose,
    /// A comma, or the end of the list or mapping.
    CommaOrClose,
}

/// Scans the value at `at`, and gives each token with its byte range. Returns the offset after the value.
///
/// # Errors
/// If the text is not JSON, or `token` fails.
pub(super) fn scan<E>(
    text: &str,
    at: usize,
    mut token: impl FnMut(Token, Range<usize>) -> Result<(), E>,
) -> Result<usize, Ended<E>> {
    let bytes = text.as_bytes();
    // Whether each open bracket is that of a mapping.
    let mut open: Vec<bool> = Vec::new();
    let (mut next, mut at) = (Next::Value, at);
    loop {
        at = after_space(text, at);
        let byte = bytes.get(at).copied().unwrap_or(0);
        let is_value = matches!(next, Next::Value | Next::ValueOrClose);
        let mut give = |kind, range| token(kind, range).map_err(Ended::By);
        match byte {
            b'{' | b'[' if is_value => {
                let is_map = byte == b'{';
                give(if is_map { Token::OpenMap } else { Token::OpenSeq }, at..at + 1)?;
                open.push(is_map);
                next = if is_map { Next::KeyOrClose } else { Next::ValueOrClose };
                at += 1;
                continue;
            }
            b'}' if open.last() == Some(&true) && matches!(next, Next::KeyOrClose | Next::CommaOrClose) => {
                give(Token::Close, at..at + 1)?;
                open.pop();
                at += 1;
            }
            b']' if open.last() == Some(&false) && matches!(next, Next::ValueOrClose | Next::CommaOrClose) => {
                give(Token::Close, at..at + 1)?;
                open.pop();
                at += 1;
            }
            b',' if next == Next::CommaOrClose => {
                next = if open.last() == Some(&true) { Next::Key } else { Next::Value };
                at += 1;
                continue;
            }
            b'"' if matches!(next, Next::Key | Next::KeyOrClose) => {
                let end = string_end(bytes, at).map_err(Ended::NotJson)?;
                give(Token::String, at..end)?;
                at = after_space(text, end);
                if bytes.get(at) != Some(&b':') {
                    return Err(Ended::NotJson(at));
                }
                at += 1;
                next = Next::Value;
                continue;
            }
            b'"' if is_value => {
                let end = string_end(bytes, at).map_err(Ended::NotJson)?;
                give(Token::String, at..end)?;
                at = end;
            }
            b'-' | b'0'..=b'9' if is_value => {
                let end = number_end(bytes, at).ok_or(Ended::NotJson(at))?;
                give(Token::Number, at..end)?;
                at = end;
            }
            _ if is_value => {
                let word = ["true", "false", "null"].into_iter().find(|word| text[at..].starts_with(word));
                let end = at + word.ok_or(Ended::NotJson(at))?.len();
                give(Token::Word, at..end)?;
                at = end;
            }
            _ => return Err(Ended::NotJson(at)),
        }
        if open.is_empty() {
            return Ok(at);
        }
        next = Next::CommaOrClose;
    }
}

/// The offset after the white space at `at`.
pub(super) fn after_space(text: &str, at: usize) -> usize {
    let space = text.as_bytes()[at..].iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
    at + space.count()
}

/// The offset after the string at `at`; the offset of what is wrong with it otherwise.
fn string_end(bytes: &[u8], at: usize) -> Result<usize, usize> {
    let mut at = at + 1;
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => match bytes.get(at + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                Some(b'u') if bytes.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => {
                    at += 6;
                }
                _ => return Err(at),
            },
            Some(0..=0x1f) | None => return Err(at),
            Some(_) => at += 1,
        }
    }
}

/// The offset after the number at `at`: `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`.
fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = |at: usize| at + bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
    let some_digits = |at: usize| Some(digits(at)).filter(|end| *end > at);
    let mut end = if bytes[at] == b'-' { at + 1 } else { at };
    end = match bytes.get(end) {
        Some(b'0') => end + 1,
        _ => some_digits(end)?,
    };
    if bytes.get(end) == Some(&b'.') {
        end = some_digits(end + 1)?;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        end += if matches!(bytes.get(end + 1), Some(b'-' | b'+')) { 2 } else { 1 };
        end = some_digits(end)?;
    }
    Some(end)
}

/// The text of a valid string with its quotes. A `\u` escape of half a character becomes U+FFFD, as in Go.
pub(super) fn unquote(quoted: &str) -> String {
    let inner = &quoted[1..quoted.len() - 1];
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escape = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or_default();
        match escape {
            b'b' => text.push('\u{8}'),
            b'f' => text.push('\u{c}'),
            b'n' => text.push('\n'),
            b'r' => text.push('\r'),
            b't' => text.push('\t'),
            b'u' => {
                let unit = hex(rest);
                rest = rest.get(4..).unwrap_or_default();
                let other = rest.strip_prefix("\\u").map(hex);
                let pair = other.and_then(|other| char::decode_utf16([unit, other]).next()?.ok());
                // One unit is a character, or the first of two that make one.
                if pair.is_some_and(|c| c.len_utf16() == 2) {
                    rest = rest.get(6..).unwrap_or_default();
                }
                let one = || char::from_u32(u32::from(unit));
                text.push(pair.or_else(one).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => text.push(char::from(other)),
        }
    }
    text.push_str(rest);
    text
}

/// The four hexadecimal digits that a text begins with.
fn hex(text: &str) -> u16 {
    text.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok()).unwrap_or(0xfffd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<(Vec<&str>, usize), usize> {
        let mut found = Vec::new();
        let end = scan::<()>(text, 0, |_, range| {
            found.push(&text[range]);
            Ok(())
        });
        match end {
            Ok(end) => Ok((found, end)),
            Err(Ended::NotJson(at)) => Err(at),
            Err(Ended::By(())) => unreachable!(),
        }
    }

    #[test]
    fn the_end_of_a_value_is_found() {
        assert_eq!(
            tokens(r#" {"a" : [1, -2.5e+3,true] }{"#),
            Ok((vec!["{", "\"a\"", "[", "1", "-2.5e+3", "true", "]", "}"], 27))
        );
        assert_eq!(tokens("{}{}"), Ok((vec!["{", "}"], 2)));
        assert_eq!(tokens("[]"), Ok((vec!["[", "]"], 2)));
        assert_eq!(tokens("0012"), Ok((vec!["0"], 1)));
        assert_eq!(tokens("null"), Ok((vec!["null"], 4)));
    }

    #[test]
    fn what_only_yaml_allows_is_not_json() {
        for (text, at) in [
            ("", 0),
            ("{a: 1}", 1),
            ("{\"a\": 1,}", 8),
            ("[1,]", 3),
            ("{\"a\"}", 4),
            ("{\"a\": b}", 6),
            ("{\"a\": '1'}", 6),
            ("{\"a\": 1 # one\n}", 8),
            ("{\"a\": \"\\x41\"}", 7),
            ("{\"a\": \"\\u12\"}", 7),
            ("{\"a\": \"line\nbreak\"}", 11),
            ("{\"a\": 1.}", 6),
            ("{\"a\": .5}", 6),
            ("{\"a\": +1}", 6),
            ("{\"a\": 1", 7),
            ("{]", 1),
            ("[}", 1),
            ("{,}", 1),
        ] {
            assert_eq!(tokens(text), Err(at), "{text}");
        }
    }

    #[test]
    fn escapes_become_characters() {
        for (quoted, text) in [
            (r#""""#, ""),
            (r#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{c}\n\r\tz"),
            (r#""caf\u00e9""#, "café"),
            (r#""\ud83d\uDC4b!""#, "👋!"),
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\udc4b\ud83d\udc4b""#, "\u{fffd}👋"),
            (r#""\u0041\u0042""#, "AB"),
        ] {
            assert_eq!(unquote(quoted), text, "{quoted}");
        }
    }
}
