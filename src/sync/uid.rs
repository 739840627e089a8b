//! The UID of an object, as it is remembered: API servers give UUIDs, which take 16 bytes without an allocation. Pure.

use std::fmt;

/// The UID of an object. It is shown exactly as the server gave it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Uid(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    /// A UUID in its usual form: 32 hexadecimal digits in lower case, with four hyphens.
    Uuid([u8; 16]),
    /// Anything else: Kubernetes calls a UID an opaque string.
    Text(Box<str>),
}

/// The places of the hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl Uid {
    /// A UID as a server gave it. What is longer than any is cut off.
    #[must_use]
    pub(crate) fn new(text: &str) -> Self {
        Self(match uuid(text) {
            Some(bytes) => Form::Uuid(bytes),
            None => Form::Text(text.chars().take(600).collect::<String>().into()),
        })
    }
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 16];
    let mut digits = 0;
    for (at, byte) in text.iter().enumerate() {
        if HYPHENS.contains(&at) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let value: &mut u8 = bytes.get_mut(digits / 2)?;
        *value = *value << 4 | digit(*byte)?;
        digits += 1;
    }
    Some(bytes)
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Text(text) => f.write_str(text),
            Form::Uuid(bytes) => {
                for (at, byte) in bytes.iter().enumerate() {
                    if [4, 6, 8, 10].contains(&at) {
                        f.write_str("-")?;
                    }
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq<str> for Uid {
    fn eq(&self, other: &str) -> bool {
        *self == Self::new(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_shown_as_it_was_given() {
        let uuid = "00f3a1b2-9c4d-4e5f-8a6b-7c8d9e0fabcd";
        for text in [
            uuid,
            "",
            "m-17",
            "00F3A1B2-9C4D-4E5F-8A6B-7C8D9E0FABCD",
            "00f3a1b2-9c4d-4e5f-8a6b-7c8d9e0fabc",
            "00f3a1b2-9c4d-4e5f-8a6b+7c8d9e0fabcd",
            "00f3a1b29c4d4e5f8a6b7c8d9e0fabcd----",
            "00f3a1b2-9c4d-4e5f-8a6b-7c8d9e0fabcg",
        ] {
            assert_eq!(Uid::new(text).to_string(), text);
            assert!(Uid::new(text) == *text);
        }
        assert!(matches!(Uid::new(uuid).0, Form::Uuid(_)));
        assert!(Uid::new(uuid) != *uuid.to_uppercase());
        assert!(size_of::<Uid>() <= 24);
    }
}
