//! Addresses of networks and of network cards (kube-openapi `strfmt/default.go`; `k8s.io/utils/net`,
//! which still takes leading zeros; Go `net/netip` and `net.ParseMAC`).

/// How the numbers of an IPv4 address may be written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Zeros {
    /// `01.02.03.04` is an address, as before Go 1.17.
    Leading,
    /// No number has a leading zero.
    None,
}

/// An IPv4 address, or an IPv6 address that ends with one; leading zeros are taken.
pub(super) fn is_ipv4(text: &str) -> bool {
    text.contains('.') && is_address(text, Zeros::Leading)
}

/// An IPv6 address without a zone.
pub(super) fn is_ipv6(text: &str) -> bool {
    text.contains(':') && is_address(text, Zeros::None)
}

/// An address, `/` and a length; leading zeros are taken.
pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = if is_v4(address, Zeros::Leading) {
        32
    } else if is_v6(address, Zeros::Leading) {
        128
    } else {
        return false;
    };
    number(length).is_some_and(|bits| bits <= most)
}

fn is_address(text: &str, zeros: Zeros) -> bool {
    match text.chars().find(|c| matches!(c, '.' | ':' | '%')) {
        Some('.') => is_v4(text, zeros),
        Some(':') => is_v6(text, zeros),
        _ => false,
    }
}

/// A decimal number that is not beyond all limits. Leading zeros count for nothing.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let significant = text.trim_start_matches('0');
    (digits && significant.len() <= 7).then(|| significant.parse().unwrap_or(0))
}

fn is_v4(text: &str, zeros: Zeros) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 4
        && parts.iter().all(|part| {
            let plain = zeros == Zeros::Leading || part.len() == 1 || !part.starts_with('0');
            plain && number(part).is_some_and(|n| n <= 255)
        })
}

/// Whether the text is an IPv6 address without a zone.
pub(super) fn is_v6(text: &str, zeros: Zeros) -> bool {
    let mut rest = text;
    let mut gap = false;
    let mut groups = 0;
    if let Some(after) = rest.strip_prefix("::") {
        gap = true;
        rest = after;
        if rest.is_empty() {
            return true;
        }
    }
    while groups < 8 {
        let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
        let (digits, after) = rest.split_at(length);
        // Where leading zeros are taken, a group may have more than four digits.
        let significant = if zeros == Zeros::Leading { digits.trim_start_matches('0') } else { digits };
        if digits.is_empty() || significant.len() > 4 {
            return false;
        }
        if after.starts_with('.') {
            // It takes the place of two groups; `::` stands for at least one more.
            return (if gap { groups < 6 } else { groups == 6 }) && is_v4(rest, zeros);
        }
        groups += 1;
        rest = after;
        if rest.is_empty() {
            break;
        }
        match rest.strip_prefix(':') {
            Some(after) if !after.is_empty() => rest = after,
            _ => return false,
        }
        if let Some(after) = rest.strip_prefix(':') {
            if gap {
                return false;
            }
            gap = true;
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
    }
    rest.is_empty() && (groups == 8) != gap
}

/// 6, 8 or 20 bytes, separated by `:` or `-`, in pairs separated by `.`, or not at all.
pub(super) fn is_mac(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 12 {
        return false;
    }
    let (digits, group, separator) = match (bytes.get(2), bytes.get(4)) {
        (Some(b':'), _) => (2, 3, b':'),
        (Some(b'-'), _) => (2, 3, b'-'),
        (_, Some(b'.')) => (4, 5, b'.'),
        _ => (usize::MAX, usize::MAX, 0),
    };
    let count = if group == usize::MAX {
        if !bytes.len().is_multiple_of(2) {
            return false;
        }
        bytes.len() / 2
    } else {
        if !(bytes.len() + 1).is_multiple_of(group) {
            return false;
        }
        (bytes.len() + 1) / group * digits / 2
    };
    matches!(count, 6 | 8 | 20)
        && bytes.iter().enumerate().all(|(place, byte)| match group != usize::MAX && place % group == digits {
            true => *byte == separator,
            false => byte.is_ascii_hexdigit(),
        })
}
