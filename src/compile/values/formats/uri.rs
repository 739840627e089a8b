//! URIs as Go 1.26 reads them in a request (`net/url.ParseRequestURI`). Older servers took more: a
//! host in brackets that is no address, several colons in the host of an `http` URI.

use super::address::{Zeros, is_v6};

/// Where in a URI a text stands: what may be written there differs.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Host,
    Zone,
    Other,
}

/// An absolute URI, a path from the root, or `*`.
pub(super) fn is_request_uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|b| b < b' ' || b == 0x7F) {
        return false;
    }
    if text == "*" {
        return true;
    }
    let Some((scheme, rest)) = scheme(text) else { return false };
    // What follows the `?` is not looked at.
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    if !path.starts_with('/') {
        return !scheme.is_empty();
    }
    let mut path = path;
    if !scheme.is_empty()
        && let Some(after) = path.strip_prefix("//")
    {
        let (authority, rest) = after.find('/').and_then(|at| after.split_at_checked(at)).unwrap_or((after, ""));
        if !is_authority(scheme, authority) {
            return false;
        }
        path = rest;
    }
    unescaped(path.as_bytes(), Part::Other).is_some()
}

/// The scheme, empty if there is none, and the rest. `None` for a `:` at the beginning.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
    match end.and_then(|end| text.split_at_checked(end)) {
        Some(("", rest)) if rest.starts_with(':') => None,
        Some((scheme, rest)) if rest.starts_with(':') && scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            Some((scheme, rest.strip_prefix(':').unwrap_or(rest)))
        }
        _ => Some(("", text)),
    }
}

fn is_authority(scheme: &str, text: &str) -> bool {
    let Some((user, host)) = text.rsplit_once('@') else { return is_host(scheme, text) };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
    is_host(scheme, host) && user.bytes().all(allowed) && unescaped(user.as_bytes(), Part::Other).is_some()
}

fn is_host(scheme: &str, host: &str) -> bool {
    match host.rfind('[') {
        Some(0) => return is_bracketed(host),
        Some(_) => return false,
        None => {}
    }
    if let (Some(first), Some(last)) = (host.find(':'), host.rfind(':')) {
        // Lists of hosts are taken where they are usual.
        let strict = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        if !host.get(if strict { first } else { last }..).is_some_and(is_port) {
            return false;
        }
    }
    unescaped(host.as_bytes(), Part::Host).is_some()
}

/// An IPv6 address in brackets, with a zone behind `%25` and a port, or without.
fn is_bracketed(host: &str) -> bool {
    let Some((inside, port)) = host.strip_prefix('[').and_then(|h| h.rsplit_once(']')) else { return false };
    if !is_port(port) {
        return false;
    }
    let (address, zone) = inside.find("%25").and_then(|at| inside.split_at_checked(at)).unwrap_or((inside, ""));
    let (Some(mut whole), Some(zone)) =
        (unescaped(address.as_bytes(), Part::Host), unescaped(zone.as_bytes(), Part::Zone))
    else {
        return false;
    };
    whole.extend(zone);
    let Ok(whole) = String::from_utf8(whole) else {
        return false;
    };
    let (address, zone) = whole.split_once('%').unwrap_or((&whole, "any"));
    !zone.is_empty() && is_v6(address, Zeros::None)
}

/// Nothing, or `:` and digits.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
}

/// What may stand in a host as it is.
fn of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte)
}

/// The bytes that the text stands for, or `None` if it is not escaped as it must be.
fn unescaped(text: &[u8], part: Part) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            if part != Part::Other && first.is_ascii() && !of_host(*first) {
                return None;
            }
            bytes.push(*first);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        match part {
            Part::Host if byte.is_ascii() && digits != "25" => return None,
            Part::Zone if digits != "25" && byte != b' ' && byte.is_ascii() && !of_host(byte) => return None,
            // Above ASCII everything needs to be escaped.
            Part::Zone if !byte.is_ascii() => return None,
            _ => bytes.push(byte),
        }
        rest = after;
    }
    Some(bytes)
}
