//! Validation of names, labels and annotation keys.
//!
//! Each error is precise, so that a diagnostic can point at the invalid character. The
//! rules are those of `k8s.io/apimachinery` (`validation.IsDNS1123Label` and similar).

use std::fmt;

/// The maximum length of a DNS label and of a label value, in bytes.
pub(crate) const LABEL_MAX: usize = 63;
/// The maximum length of a DNS subdomain, in bytes.
pub const SUBDOMAIN_MAX: usize = 253;

/// Why a name is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameError {
    /// The name is empty.
    Empty,
    /// The name is too long.
    TooLong {
        /// The length in bytes.
        length: usize,
        /// The maximum in bytes.
        max: usize,
    },
    /// A character is not allowed.
    Character {
        /// The character.
        found: char,
        /// Its position in characters, from 1.
        position: usize,
        /// The allowed characters, for the message.
        allowed: &'static str,
    },
    /// The first character is allowed inside only.
    Start {
        /// The character.
        found: char,
        /// The allowed characters, for the message.
        allowed: &'static str,
    },
    /// The last character is allowed inside only.
    End {
        /// The character.
        found: char,
        /// The allowed characters, for the message.
        allowed: &'static str,
    },
    /// A part between dots is empty.
    EmptyPart,
    /// A qualified key has more than one `/`, or an empty prefix or name.
    Slash,
    /// The name is `.` or `..`.
    Dots,
    /// The prefix of a qualified key is not valid.
    Prefix(Box<NameError>),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it is empty"),
            Self::TooLong { length, max } => write!(f, "it has {length} characters, the limit is {max}"),
            Self::Character { found, position, allowed } => {
                write!(f, "character {position} is {found:?}; {allowed} allowed")
            }
            Self::Start { found, allowed } => write!(f, "it begins with {found:?}; only {allowed} are allowed there"),
            Self::End { found, allowed } => write!(f, "it ends with {found:?}; only {allowed} are allowed there"),
            Self::EmptyPart => write!(f, "a part before, after or between dots is empty"),
            Self::Slash => write!(f, "it must be a name, or a prefix and a name separated by one `/`"),
            Self::Dots => write!(f, "`.` and `..` are reserved"),
            Self::Prefix(error) => write!(f, "its prefix is not valid: {error}"),
        }
    }
}

impl std::error::Error for NameError {}

/// The allowed characters of one type of name.
struct Alphabet {
    inside: fn(char) -> bool,
    start: fn(char) -> bool,
    end: fn(char) -> bool,
    inside_words: &'static str,
    start_words: &'static str,
    end_words: &'static str,
}

fn lower_or_digit(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

const DNS: Alphabet = Alphabet {
    inside: |c| lower_or_digit(c) || c == '-',
    start: lower_or_digit,
    end: lower_or_digit,
    inside_words: "only a-z, 0-9 and `-` are",
    start_words: "a-z and 0-9",
    end_words: "a-z and 0-9",
};

const DNS_1035: Alphabet = Alphabet { start: |c: char| c.is_ascii_lowercase(), start_words: "a-z", ..DNS };

const QUALIFIED: Alphabet = Alphabet {
    inside: |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'),
    start: |c: char| c.is_ascii_alphanumeric(),
    end: |c: char| c.is_ascii_alphanumeric(),
    inside_words: "only A-Z, a-z, 0-9, `-`, `_` and `.` are",
    start_words: "A-Z, a-z and 0-9",
    end_words: "A-Z, a-z and 0-9",
};

fn check_characters(name: &str, from: usize, alphabet: &Alphabet) -> Result<(), NameError> {
    let (Some(first), Some(last)) = (name.chars().next(), name.chars().next_back()) else {
        return Err(NameError::Empty);
    };
    if let Some((at, found)) = name.chars().enumerate().find(|(_, c)| !(alphabet.inside)(*c)) {
        return Err(NameError::Character { found, position: from + at + 1, allowed: alphabet.inside_words });
    }
    if !(alphabet.start)(first) {
        return Err(NameError::Start { found: first, allowed: alphabet.start_words });
    }
    if !(alphabet.end)(last) {
        return Err(NameError::End { found: last, allowed: alphabet.end_words });
    }
    Ok(())
}

fn check_length(name: &str, max: usize) -> Result<(), NameError> {
    if name.len() > max { Err(NameError::TooLong { length: name.len(), max }) } else { Ok(()) }
}

/// Checks a DNS label (RFC 1123): lower-case letters, digits and `-`, at most 63 characters. Names of namespaces.
pub(crate) fn dns_label(name: &str) -> Result<(), NameError> {
    check_characters(name, 0, &DNS)?;
    check_length(name, LABEL_MAX)
}

/// Checks a DNS label that begins with a letter (RFC 1035): plurals and, in lower case, kinds of CRDs.
pub(crate) fn dns_1035_label(name: &str) -> Result<(), NameError> {
    check_characters(name, 0, &DNS_1035)?;
    check_length(name, LABEL_MAX)
}

/// Checks a DNS subdomain: DNS labels separated by dots, at most 253 characters in total.
/// As in Kubernetes, the length of a part is not limited.
pub(crate) fn dns_subdomain(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    let mut from = 0;
    for part in name.split('.') {
        if part.is_empty() {
            return Err(NameError::EmptyPart);
        }
        check_characters(part, from, &DNS)?;
        from += part.chars().count() + 1;
    }
    check_length(name, SUBDOMAIN_MAX)
}

/// Checks the key of a label: an optional DNS subdomain and `/`, then at most 63
/// letters, digits, `-`, `_` and `.`.
pub(crate) fn label_key(key: &str) -> Result<(), NameError> {
    let mut parts = key.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(prefix), Some(name), None) => {
            if prefix.is_empty() || name.is_empty() {
                return Err(NameError::Slash);
            }
            dns_subdomain(prefix).map_err(|error| NameError::Prefix(Box::new(error)))?;
            name
        }
        (Some(name), None, None) => name,
        _ => return Err(NameError::Slash),
    };
    check_characters(name, key.chars().count() - name.chars().count(), &QUALIFIED)?;
    check_length(name, LABEL_MAX)
}

/// Checks the key of an annotation: like the key of a label, but case-insensitive.
pub(crate) fn annotation_key(key: &str) -> Result<(), NameError> {
    label_key(&key.to_ascii_lowercase())
}

/// Checks the value of a label: empty, or at most 63 letters, digits, `-`, `_` and `.`.
pub(crate) fn label_value(value: &str) -> Result<(), NameError> {
    if value.is_empty() {
        return Ok(());
    }
    check_characters(value, 0, &QUALIFIED)?;
    check_length(value, LABEL_MAX)
}

/// Checks a name that must be one segment of a path: names of Roles and `RoleBinding`s.
pub(crate) fn path_segment(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if matches!(name, "." | "..") {
        return Err(NameError::Dots);
    }
    match name.chars().enumerate().find(|(_, c)| matches!(c, '/' | '%')) {
        Some((at, found)) => {
            Err(NameError::Character { found, position: at + 1, allowed: "all characters except `/` and `%` are" })
        }
        None => Ok(()),
    }
}

/// A DNS label similar to `name`, for a suggestion: in lower case, with `-` for characters
/// that are not allowed. `None` if `name` is valid or no valid label results.
#[must_use]
pub(crate) fn propose_label(name: &str) -> Option<String> {
    let spelt: String =
        name.chars().map(|c| c.to_ascii_lowercase()).map(|c| if lower_or_digit(c) { c } else { '-' }).collect();
    let mut proposal = spelt.trim_matches('-').to_owned();
    while proposal.contains("--") && !name.contains("--") {
        proposal = proposal.replace("--", "-");
    }
    (proposal != name && dns_label(&proposal).is_ok()).then_some(proposal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(result: Result<(), NameError>) -> String {
        result.map_or_else(|e| e.to_string(), |()| "fine".into())
    }

    #[test]
    fn labels() {
        for good in ["a", "0", "team-a", "a--b", &"x".repeat(63)] {
            assert_eq!(reason(dns_label(good)), "fine", "{good}");
        }
        for (bad, expected) in [
            ("", "it is empty"),
            ("Team-a", "character 1 is 'T'; only a-z, 0-9 and `-` are allowed"),
            ("team_a", "character 5 is '_'; only a-z, 0-9 and `-` are allowed"),
            ("eu.west", "character 3 is '.'; only a-z, 0-9 and `-` are allowed"),
            ("-a", "it begins with '-'; only a-z and 0-9 are allowed there"),
            ("a-", "it ends with '-'; only a-z and 0-9 are allowed there"),
            ("é", "character 1 is 'é'; only a-z, 0-9 and `-` are allowed"),
        ] {
            assert_eq!(reason(dns_label(bad)), expected, "{bad}");
        }
        assert_eq!(reason(dns_label(&"x".repeat(64))), "it has 64 characters, the limit is 63");
        assert_eq!(reason(dns_1035_label("0a")), "it begins with '0'; only a-z are allowed there");
    }

    #[test]
    fn subdomains() {
        for good in ["a", "redis.eu-west-1", "0.1", &format!("{}.b", "x".repeat(100))] {
            assert_eq!(reason(dns_subdomain(good)), "fine", "{good}");
        }
        for (bad, expected) in [
            ("", "it is empty"),
            (".a", "a part before, after or between dots is empty"),
            ("a..b", "a part before, after or between dots is empty"),
            ("a.B", "character 3 is 'B'; only a-z, 0-9 and `-` are allowed"),
            ("a-.b", "it ends with '-'; only a-z and 0-9 are allowed there"),
        ] {
            assert_eq!(reason(dns_subdomain(bad)), expected, "{bad}");
        }
        assert_eq!(reason(dns_subdomain(&"x.".repeat(126).repeat(2))), "a part before, after or between dots is empty");
        assert_eq!(reason(dns_subdomain(&"x".repeat(254))), "it has 254 characters, the limit is 253");
    }

    #[test]
    fn label_keys_and_values() {
        for good in ["a", "A_b.c", "example.com/tier", "kubecarrier.io/origin-namespace"] {
            assert_eq!(reason(label_key(good)), "fine", "{good}");
        }
        for (bad, expected) in [
            ("", "it is empty"),
            ("/a", "it must be a name, or a prefix and a name separated by one `/`"),
            ("a/", "it must be a name, or a prefix and a name separated by one `/`"),
            ("a/b/c", "it must be a name, or a prefix and a name separated by one `/`"),
            ("Example.com/a", "its prefix is not valid: character 1 is 'E'; only a-z, 0-9 and `-` are allowed"),
            ("a.b/c d", "character 6 is ' '; only A-Z, a-z, 0-9, `-`, `_` and `.` are allowed"),
            ("a_", "it ends with '_'; only A-Z, a-z and 0-9 are allowed there"),
        ] {
            assert_eq!(reason(label_key(bad)), expected, "{bad}");
        }
        assert_eq!(reason(annotation_key("Example.com/A")), "fine");
        assert_eq!(reason(label_value("")), "fine");
        assert_eq!(reason(label_value("Gold_1.2")), "fine");
        assert_eq!(reason(label_value("a b")), "character 2 is ' '; only A-Z, a-z, 0-9, `-`, `_` and `.` are allowed");
        assert_eq!(reason(label_value(&"x".repeat(64))), "it has 64 characters, the limit is 63");
    }

    #[test]
    fn path_segments() {
        assert_eq!(reason(path_segment("kubecarrier:tenant:redis.eu-west-1")), "fine");
        assert_eq!(reason(path_segment("..")), "`.` and `..` are reserved");
        assert_eq!(reason(path_segment("a/b")), "character 2 is '/'; all characters except `/` and `%` are allowed");
    }

    #[test]
    fn proposals() {
        assert_eq!(propose_label("Team A").as_deref(), Some("team-a"));
        assert_eq!(propose_label("team_a.").as_deref(), Some("team-a"));
        assert_eq!(propose_label("team-a"), None, "it is valid");
        assert_eq!(propose_label("..."), None, "nothing left");
    }
}
