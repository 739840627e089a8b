//! What can be told of a document that could not be read: which objects it may hold.
//!
//! One mistake is one diagnostic. A reference to an object in such a document, or a
//! selector that does not find it, is not reported a second time.

use std::collections::BTreeSet;

/// A document that is not YAML: the words behind its `kind:` and `name:`. Where there is
/// no such word, it may hold any kind, or any name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableDocument {
    kinds: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl UnreadableDocument {
    /// Finds the words in a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { kinds: words(text, "kind"), names: words(text, "name") }
    }

    /// The names that an object of this kind in it may have; none where no name can be read.
    pub fn names_of(&self, kind: &str) -> impl Iterator<Item = &String> {
        self.names.iter().filter(move |_| self.may_be(kind))
    }

    /// Whether its text has this kind.
    pub(super) fn names_kind(&self, kind: &str) -> bool {
        self.kinds.contains(kind)
    }

    /// Whether it may hold an object of this kind.
    pub(super) fn may_be(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(kind)
    }

    /// Whether it may hold the object of this kind and name.
    pub(super) fn may_hold(&self, kind: &str, name: &str) -> bool {
        self.may_be(kind) && (self.names.is_empty() || self.names.contains(name))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_style() {
        let document = UnreadableDocument::of(
            "kind: Account\nmetadata: {name: team-a, \"surname\": x}\n\"kind\" : no\n'name': 'b",
        );
        assert_eq!(document.kinds.iter().collect::<Vec<_>>(), ["Account"]);
        assert_eq!(document.names_of("Account").collect::<Vec<_>>(), ["b", "team-a"]);
        assert_eq!(document.names_of("Catalog").count(), 0);
        assert!(UnreadableDocument::of("{{ template }}").may_be("Catalog"));
    }
}
