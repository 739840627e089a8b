//! What Kubernetes takes as a name, a label or an annotation key.
//!
//! Each check says precisely what is wrong, so that a diagnostic can point at
//! the one bad character. The rules are those of `k8s.io/apimachinery`
//! (`validation.IsDNS1123Label` and its kin).

use std::fmt;

/// The longest DNS label and the longest label value, in bytes.
pub const LABEL_MAX: usize = 63;
/// The longest DNS subdomain, in bytes.
pub const SUBDOMAIN_MAX: usize = 253;

/// Why something is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameError {
    /// There is nothing.
    Empty,
    /// It is too long, in bytes.
    TooLong {
        /// What it is.
        length: usize,
        /// What it may be.
        max: usize,
    },
    /// A character that may not stand there.
    Character {
        /// The character.
        found: char,
        /// Which one it is, from 1.
        position: usize,
        /// What may stand there.
        allowed: &'static str,
    },
    /// The first character may stand inside, but not there.
    Start {
        /// The character.
        found: char,
        /// What may stand there.
        allowed: &'static str,
    },
    /// The last character may stand inside, but not there.
    End {
        /// The character.
        found: char,
        /// What may stand there.
        allowed: &'static str,
    },
    /// A dot has nothing before or after it.
    EmptyPart,
    /// A qualified key has more than one `/`, or nothing on one side of it.
    Slash,
    /// The name is one of the two that mean folders.
    Dots,
    /// The prefix of a qualified key is wrong.
    Prefix(Box<NameError>),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it is empty"),
            Self::TooLong { length, max } => write!(f, "it has {length} characters, {max} are allowed"),
            Self::Character { found, position, allowed } => {
                write!(f, "character {position} is {found:?}; {allowed} may stand there")
            }
            Self::Start { found, allowed } => write!(f, "it begins with {found:?}; only {allowed} may"),
            Self::End { found, allowed } => write!(f, "it ends with {found:?}; only {allowed} may"),
            Self::EmptyPart => write!(f, "there is nothing before, after or between two dots"),
            Self::Slash => write!(f, "one `/` may part a prefix from a name, and both must be there"),
            Self::Dots => write!(f, "`.` and `..` mean folders"),
            Self::Prefix(why) => write!(f, "of its prefix: {why}"),
        }
    }
}

impl std::error::Error for NameError {}

/// The characters of one sort of name.
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
    inside_words: "only a-z, 0-9 and `-`",
    start_words: "a-z and 0-9",
    end_words: "a-z and 0-9",
};

const DNS_1035: Alphabet = Alphabet { start: |c: char| c.is_ascii_lowercase(), start_words: "a-z", ..DNS };

const QUALIFIED: Alphabet = Alphabet {
    inside: |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'),
    start: |c: char| c.is_ascii_alphanumeric(),
    end: |c: char| c.is_ascii_alphanumeric(),
    inside_words: "only A-Z, a-z, 0-9, `-`, `_` and `.`",
    start_words: "A-Z, a-z and 0-9",
    end_words: "A-Z, a-z and 0-9",
};

fn spelt(name: &str, from: usize, alphabet: &Alphabet) -> Result<(), NameError> {
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

fn short(name: &str, max: usize) -> Result<(), NameError> {
    if name.len() > max { Err(NameError::TooLong { length: name.len(), max }) } else { Ok(()) }
}

/// A DNS label (RFC 1123): lower case letters, digits and `-`, at most 63. Names of namespaces.
pub fn dns_label(name: &str) -> Result<(), NameError> {
    spelt(name, 0, &DNS)?;
    short(name, LABEL_MAX)
}

/// A DNS label that begins with a letter (RFC 1035): plurals and, in lower case, kinds of CRDs.
pub fn dns_1035_label(name: &str) -> Result<(), NameError> {
    spelt(name, 0, &DNS_1035)?;
    short(name, LABEL_MAX)
}

/// A DNS subdomain: DNS labels with dots between them, at most 253 in all. The
/// parts are not limited on their own, as in Kubernetes.
pub fn dns_subdomain(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    let mut from = 0;
    for part in name.split('.') {
        if part.is_empty() {
            return Err(NameError::EmptyPart);
        }
        spelt(part, from, &DNS)?;
        from += part.chars().count() + 1;
    }
    short(name, SUBDOMAIN_MAX)
}

/// The key of a label: an optional DNS subdomain and `/`, then at most 63
/// letters, digits, `-`, `_` and `.`.
pub fn label_key(key: &str) -> Result<(), NameError> {
    let mut parts = key.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(prefix), Some(name), None) => {
            if prefix.is_empty() || name.is_empty() {
                return Err(NameError::Slash);
            }
            dns_subdomain(prefix).map_err(|why| NameError::Prefix(Box::new(why)))?;
            name
        }
        (Some(name), None, None) => name,
        _ => return Err(NameError::Slash),
    };
    spelt(name, key.chars().count() - name.chars().count(), &QUALIFIED)?;
    short(name, LABEL_MAX)
}

/// The key of an annotation: as a label's, but its prefix may be written in any letter case.
pub fn annotation_key(key: &str) -> Result<(), NameError> {
    label_key(&key.to_ascii_lowercase())
}

/// The value of a label: nothing, or at most 63 letters, digits, `-`, `_` and `.`.
pub fn label_value(value: &str) -> Result<(), NameError> {
    if value.is_empty() {
        return Ok(());
    }
    spelt(value, 0, &QUALIFIED)?;
    short(value, LABEL_MAX)
}

/// A name that can be one segment of a path: names of Roles and `RoleBinding`s.
pub fn path_segment(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if matches!(name, "." | "..") {
        return Err(NameError::Dots);
    }
    match name.chars().enumerate().find(|(_, c)| matches!(c, '/' | '%')) {
        Some((at, found)) => Err(NameError::Character { found, position: at + 1, allowed: "anything but `/` and `%`" }),
        None => Ok(()),
    }
}

/// The DNS label nearest to what was written, for a proposal: lower case, `-`
/// for what is not allowed. `None` where nothing sensible is left, or nothing
/// would change.
#[must_use]
pub fn propose_label(name: &str) -> Option<String> {
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

    fn why(result: Result<(), NameError>) -> String {
        result.map_or_else(|e| e.to_string(), |()| "fine".into())
    }

    #[test]
    fn labels() {
        for good in ["a", "0", "team-a", "a--b", &"x".repeat(63)] {
            assert_eq!(why(dns_label(good)), "fine", "{good}");
        }
        for (bad, reason) in [
            ("", "it is empty"),
            ("Team-a", "character 1 is 'T'; only a-z, 0-9 and `-` may stand there"),
            ("team_a", "character 5 is '_'; only a-z, 0-9 and `-` may stand there"),
            ("eu.west", "character 3 is '.'; only a-z, 0-9 and `-` may stand there"),
            ("-a", "it begins with '-'; only a-z and 0-9 may"),
            ("a-", "it ends with '-'; only a-z and 0-9 may"),
            ("é", "character 1 is 'é'; only a-z, 0-9 and `-` may stand there"),
        ] {
            assert_eq!(why(dns_label(bad)), reason, "{bad}");
        }
        assert_eq!(why(dns_label(&"x".repeat(64))), "it has 64 characters, 63 are allowed");
        assert_eq!(why(dns_1035_label("0a")), "it begins with '0'; only a-z may");
    }

    #[test]
    fn subdomains() {
        for good in ["a", "redis.eu-west-1", "0.1", &format!("{}.b", "x".repeat(100))] {
            assert_eq!(why(dns_subdomain(good)), "fine", "{good}");
        }
        for (bad, reason) in [
            ("", "it is empty"),
            (".a", "there is nothing before, after or between two dots"),
            ("a..b", "there is nothing before, after or between two dots"),
            ("a.B", "character 3 is 'B'; only a-z, 0-9 and `-` may stand there"),
            ("a-.b", "it ends with '-'; only a-z and 0-9 may"),
        ] {
            assert_eq!(why(dns_subdomain(bad)), reason, "{bad}");
        }
        assert_eq!(
            why(dns_subdomain(&"x.".repeat(126).repeat(2))),
            "there is nothing before, after or between two dots"
        );
        assert_eq!(why(dns_subdomain(&"x".repeat(254))), "it has 254 characters, 253 are allowed");
    }

    #[test]
    fn label_keys_and_values() {
        for good in ["a", "A_b.c", "example.com/tier", "kubecarrier.io/origin-namespace"] {
            assert_eq!(why(label_key(good)), "fine", "{good}");
        }
        for (bad, reason) in [
            ("", "it is empty"),
            ("/a", "one `/` may part a prefix from a name, and both must be there"),
            ("a/", "one `/` may part a prefix from a name, and both must be there"),
            ("a/b/c", "one `/` may part a prefix from a name, and both must be there"),
            ("Example.com/a", "of its prefix: character 1 is 'E'; only a-z, 0-9 and `-` may stand there"),
            ("a.b/c d", "character 6 is ' '; only A-Z, a-z, 0-9, `-`, `_` and `.` may stand there"),
            ("a_", "it ends with '_'; only A-Z, a-z and 0-9 may"),
        ] {
            assert_eq!(why(label_key(bad)), reason, "{bad}");
        }
        assert_eq!(why(annotation_key("Example.com/A")), "fine");
        assert_eq!(why(label_value("")), "fine");
        assert_eq!(why(label_value("Gold_1.2")), "fine");
        assert_eq!(why(label_value("a b")), "character 2 is ' '; only A-Z, a-z, 0-9, `-`, `_` and `.` may stand there");
        assert_eq!(why(label_value(&"x".repeat(64))), "it has 64 characters, 63 are allowed");
    }

    #[test]
    fn path_segments() {
        assert_eq!(why(path_segment("kubecarrier:tenant:redis.eu-west-1")), "fine");
        assert_eq!(why(path_segment("..")), "`.` and `..` mean folders");
        assert_eq!(why(path_segment("a/b")), "character 2 is '/'; anything but `/` and `%` may stand there");
    }

    #[test]
    fn proposals() {
        assert_eq!(propose_label("Team A").as_deref(), Some("team-a"));
        assert_eq!(propose_label("team_a.").as_deref(), Some("team-a"));
        assert_eq!(propose_label("team-a"), None, "nothing to mend");
        assert_eq!(propose_label("..."), None, "nothing left");
    }
}
