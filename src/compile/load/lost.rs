//! Objects that are in the text but not in the result: broken ones, and what
//! documents held that could not be read at all.
//!
//! One mistake is to be one complaint. That a reference leads to such an object,
//! or that a selector does not find it, is no news; so whoever complains that
//! something is *not there* asks here first.

use std::collections::BTreeSet;

use super::objects::{Loaded, SourceKey};

/// What can be told of a document that is no YAML: its words behind `kind:` and
/// `name:`. No word at all could be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    kinds: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Lost {
    /// Looks for words in a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { kinds: words(text, "kind"), names: words(text, "name") }
    }

    /// The names it may have as an object of this kind.
    pub fn names_of(&self, kind: &str) -> impl Iterator<Item = &String> {
        self.names.iter().filter(move |_| self.may_be(kind))
    }

    fn may_be(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(kind)
    }
}

/// The words behind `key:`, quoted or not, wherever it stands.
fn words(text: &str, key: &str) -> BTreeSet<String> {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(key) {
        if text[..at].ends_with(in_word) {
            continue;
        }
        let rest = text[at + key.len()..].trim_start_matches(['"', '\'']);
        let Some(value) = rest.strip_prefix(':') else { continue };
        let value = value.trim_start_matches([' ', '\t', '"', '\'']);
        let end = value.find(|c| !in_word(c)).unwrap_or(value.len());
        if end > 0 {
            found.insert(value[..end].to_owned());
        }
    }
    found
}

impl Loaded {
    /// Whether such an object was written, but complained about.
    #[must_use]
    pub fn is_broken(&self, kind: &'static str, namespace: Option<&str>, name: &str) -> bool {
        let key = SourceKey { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() };
        self.broken.contains(&key)
            || self.lost.iter().any(|lost| lost.may_be(kind) && (lost.names.is_empty() || lost.names.contains(name)))
    }

    /// Whether an object of this kind was written, but complained about.
    #[must_use]
    pub fn lacks(&self, kind: &str) -> bool {
        self.broken.iter().any(|key| key.kind == kind) || self.lost.iter().any(|lost| lost.may_be(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_style() {
        let lost = Lost::of("kind: Account\nmetadata: {name: team-a, \"surname\": x}\n\"kind\" : no\n'name': 'b");
        assert_eq!(lost.kinds.iter().collect::<Vec<_>>(), ["Account"]);
        assert_eq!(lost.names_of("Account").collect::<Vec<_>>(), ["b", "team-a"]);
        assert_eq!(lost.names_of("Catalog").count(), 0);
        assert!(Lost::of("{{ template }}").may_be("Catalog"));
    }
}
