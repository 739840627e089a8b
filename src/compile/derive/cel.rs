//! Which words of a CEL expression may be names of fields (`derivation.md` R4).
//!
//! A rule is kept when no word of it can mean a field that is hidden below its
//! node. The test is by words and not by a parse: it may drop a rule that could
//! have stayed, never keep one that does not compile.

use std::collections::BTreeSet;

/// The words of an expression that can select a field: identifiers, names in
/// backticks, and quoted names in brackets. What is called like a function, and
/// other strings, can not.
pub fn words(expression: &str) -> BTreeSet<String> {
    let chars: Vec<char> = expression.chars().collect();
    let mut found = BTreeSet::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        match c {
            '/' if chars.get(at + 1) == Some(&'/') => {
                while at < chars.len() && chars[at] != '\n' {
                    at += 1;
                }
            }
            '\'' | '"' => {
                let raw = at > 0 && matches!(chars[at - 1], 'r' | 'R');
                let (text, end) = string(&chars, at, raw);
                if chars[..at].iter().rev().find(|c| !c.is_whitespace()) == Some(&'[') {
                    found.insert(text);
                }
                at = end;
            }
            '`' => {
                let end = chars[at + 1..].iter().position(|c| *c == '`').map_or(chars.len(), |n| at + 1 + n);
                found.insert(chars[at + 1..end].iter().collect());
                at = end + 1;
            }
            c if c.is_alphabetic() || c == '_' => {
                let start = at;
                while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '_') {
                    at += 1;
                }
                let next = chars[at..].iter().find(|c| !c.is_whitespace());
                if next != Some(&'(') {
                    found.insert(chars[start..at].iter().collect());
                }
            }
            c if c.is_ascii_digit() => {
                while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '.') {
                    at += 1;
                }
            }
            _ => at += 1,
        }
    }
    found
}

/// The text of the string literal that opens at `start`, and where it ends.
fn string(chars: &[char], start: usize, raw: bool) -> (String, usize) {
    let quote = chars[start];
    let triple = chars.get(start + 1) == Some(&quote) && chars.get(start + 2) == Some(&quote);
    let width = if triple { 3 } else { 1 };
    let closes = |at: usize| (0..width).all(|i| chars.get(at + i) == Some(&quote));
    let mut text = String::new();
    let mut at = start + width;
    while at < chars.len() && !closes(at) {
        if chars[at] == '\\' && !raw {
            at += 1;
        }
        if let Some(c) = chars.get(at) {
            text.push(*c);
        }
        at += 1;
    }
    (text, (at + width).min(chars.len()))
}

/// A property's name as CEL spells it (Kubernetes' escaping: `foo-bar` is `foo__dash__bar`).
pub fn escaped(name: &str) -> String {
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
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    name.replace("__", "__underscores__").replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__")
}

/// The hidden names that an expression mentions, in order.
pub fn mentions(expression: &str, hidden: &BTreeSet<String>) -> Vec<String> {
    let words = words(expression);
    hidden.iter().filter(|name| words.contains(name.as_str()) || words.contains(&escaped(name))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(expression: &str, hidden: &[&str]) -> Vec<String> {
        mentions(expression, &hidden.iter().map(|s| (*s).to_owned()).collect())
    }

    #[test]
    fn fields_are_words_and_functions_are_not() {
        assert_eq!(hits("has(self.tls) ? self.tls.mode : true", &["tls", "size"]), ["tls"]);
        assert!(hits("self.items.size() < 3", &["size"]).is_empty());
        assert_eq!(hits("self.size < 3", &["size"]), ["size"]);
        assert_eq!(hits("self.items.all(x, has(x.port))", &["port"]), ["port"]);
    }

    #[test]
    fn strings_are_no_words_unless_they_are_keys() {
        assert!(hits("self.mode == 'tls' || self.mode == \"tls\"", &["tls"]).is_empty());
        assert!(hits(r"self.name.matches('it\'s tls')", &["tls"]).is_empty());
        assert!(hits("self.name == '''tls ' tls'''", &["tls"]).is_empty());
        assert_eq!(hits("dyn(self)[ 'tls' ]", &["tls"]), ["tls"]);
        assert!(hits(r"self.name.matches(r'\') && true", &["tls"]).is_empty());
    }

    #[test]
    fn escaped_names_are_recognised() {
        assert_eq!(hits("self.foo__dash__bar", &["foo-bar"]), ["foo-bar"]);
        assert_eq!(hits("self.__namespace__ == ''", &["namespace"]), ["namespace"]);
        assert_eq!(hits("self.`a.b/c`", &["a.b/c"]), ["a.b/c"]);
        assert_eq!(escaped("a__b"), "a__underscores__b");
    }
}
