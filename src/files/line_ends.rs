//! Line ends of files that carrier writes.
//!
//! It writes LF. Git with `core.autocrlf` checks them out with CRLF, which changes nothing that anybody reads from
//! them, so two texts that differ in line ends only are equal.

use std::borrow::Cow;

/// A text with LF only.
#[must_use]
pub(crate) fn lf(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.windows(2).any(|pair| pair == b"\r\n") {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        if *byte != b'\r' || text.get(at + 1) != Some(&b'\n') {
            out.push(*byte);
        }
    }
    Cow::Owned(out)
}

/// Whether two texts are equal but for their line ends.
#[must_use]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    one == other || lf(one) == lf(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_line_ends_may_differ() {
        assert!(same(b"a\nb\n", b"a\r\nb\r\n"));
        assert!(same(b"a\r\nb\n", b"a\nb\r\n"));
        assert!(!same(b"a\nb\n", b"a\nb"));
        assert!(!same(b"a\rb\n", b"ab\n"));
        assert!(!same(b"a\r\r\n", b"a\n"));
        assert_eq!(&*lf(b"\r\r\n\r"), b"\r\n\r");
    }
}
