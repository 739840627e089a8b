//! SHA-256 in hexadecimal, for the hashes of files and snapshots and for shortened names.
//!
//! Digests are stored in locks, manifests and names of objects, so the results must not change.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The full digest: 64 lower-case hexadecimal digits.
#[must_use]
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The first ten digits of the digest, to keep shortened names unique.
#[must_use]
pub(crate) fn short(bytes: &[u8]) -> String {
    let mut hex = sha256(bytes);
    hex.truncate(10);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_match_the_standard() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(short(b""), "e3b0c44298");
    }
}
