//! SHA-256 in hex: what files, snapshots and long names are told apart by.
//!
//! What comes out is in locks, manifests and names of objects; it never changes.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The whole digest, 64 digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The first ten digits, for a name that had to be cut: enough to tell names apart.
#[must_use]
pub fn short(bytes: &[u8]) -> String {
    let mut hex = sha256(bytes);
    hex.truncate(10);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_everybody_else() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(short(b""), "e3b0c44298");
    }
}
