//! How CEL spells the names of properties (apiserver `pkg/cel/escaping.go`, 1.37). Pure text.

use std::borrow::Cow;

/// Words of the language; a property of such a name is written `__in__`.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Whether a name is a word of the language.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// A property's name as CEL spells it: `foo-bar` is `foo__dash__bar`. It says nothing of whether there is one: see
/// [`accessible`].
pub(super) fn escaped(name: &str) -> String {
    if is_reserved(name) {
        return format!("__{name}__");
    }
    name.replace("__", "__underscores__").replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__")
}

/// A property's name as CEL spells it; `None` for a name that no expression can reach, such as `a b` or `9a`.
pub(super) fn accessible(name: &str) -> Option<Cow<'_, str>> {
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.chars().all(|c| plain(c) || matches!(c, '.' | '-' | '/')) {
        return None;
    }
    if !is_reserved(name) && name.chars().all(plain) && !name.contains("__") {
        return Some(Cow::Borrowed(name));
    }
    Some(Cow::Owned(escaped(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_spelling_cannot_be_reached() {
        for name in ["", "9a", "a b", "ä", "a$"] {
            assert_eq!(accessible(name), None, "{name:?}");
        }
        assert_eq!(accessible("a_b").as_deref(), Some("a_b"));
        assert_eq!(accessible("a-b.c/d__e").as_deref(), Some("a__dash__b__dot__c__slash__d__underscores__e"));
        assert_eq!(accessible("namespace").as_deref(), Some("__namespace__"));
    }
}
