//! Which fields a CEL expression may use (`derivation.md` R4).
//!
//! A rule is kept when nothing in it can mean a field that is hidden below its node. What is written as a chain from
//! `self`, such as `self.tls.mode`, is followed exactly; every other word (`t.mode` of a macro's variable, what stands
//! behind an index) counts as any field of that name. So a rule may go that could have stayed, but none stays that
//! does not compile.

use std::collections::BTreeSet;

use crate::model::path::{FieldPath, Segment};

/// What an expression may name.
#[derive(Debug, Default)]
struct Uses {
    /// The fields behind each `self` and `oldSelf`, as far as they are named one by one.
    chains: BTreeSet<Vec<String>>,
    /// Every other word that can select a field.
    words: BTreeSet<String>,
}

/// The words of an expression that can select a field: identifiers, names in
/// backticks, and quoted names in brackets. What is called like a function, and
/// other strings, can not.
fn uses(expression: &str) -> Uses {
    let chars: Vec<char> = expression.chars().collect();
    let mut found = Uses::default();
    // The chain that the next name would prolong, while only dots have been read since.
    let mut chain: Option<Vec<String>> = None;
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let start = at;
        let name = match c {
            '/' if chars.get(at + 1) == Some(&'/') => {
                while at < chars.len() && chars[at] != '\n' {
                    at += 1;
                }
                continue;
            }
            '\'' | '"' => {
                let raw = at > 0 && matches!(chars[at - 1], 'r' | 'R');
                let (text, end) = string(&chars, at, raw);
                let before = chars[..at].iter().rev().find(|c| !c.is_whitespace());
                if matches!(before, Some('[' | '?')) {
                    found.words.insert(text);
                }
                at = end;
                found.chains.extend(chain.take());
                continue;
            }
            '`' => {
                let end = chars[at + 1..].iter().position(|c| *c == '`').map_or(chars.len(), |n| at + 1 + n);
                let name = chars[at + 1..end].iter().collect::<String>();
                at = end + 1;
                name
            }
            c if c.is_alphabetic() || c == '_' => {
                while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '_') {
                    at += 1;
                }
                chars[start..at].iter().collect()
            }
            c if c.is_ascii_digit() => {
                while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '.') {
                    at += 1;
                }
                found.chains.extend(chain.take());
                continue;
            }
            c => {
                // `.` and `.?` lead on.
                let on = c.is_whitespace() || c == '.' || c == '?' && chars[at - 1] == '.';
                if !on {
                    found.chains.extend(chain.take());
                }
                at += 1;
                continue;
            }
        };
        let called = chars[at..].iter().find(|c| !c.is_whitespace()) == Some(&'(');
        let selected = chars[..start].iter().rev().find(|c| !c.is_whitespace() && **c != '?') == Some(&'.');
        match &mut chain {
            Some(_) if called => found.chains.extend(chain.take()),
            Some(chain) if selected => chain.push(name),
            // Two names without a dot between them: an operator such as `in`.
            _ => {
                found.chains.extend(chain.take());
                if !selected && matches!(name.as_str(), "self" | "oldSelf") {
                    chain = Some(Vec::new());
                } else if !called {
                    found.words.insert(name);
                }
            }
        }
    }
    found.chains.extend(chain);
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

/// The fields among `hidden` that an expression may use, in order and without repetition: their last names.
pub fn mentions(expression: &str, hidden: &BTreeSet<FieldPath>) -> Vec<String> {
    let uses = uses(expression);
    let chained = |path: &&FieldPath| uses.chains.iter().any(|chain| leads_to(chain, path));
    let chained: BTreeSet<String> = hidden.iter().filter(chained).filter_map(last_name).collect();
    let named = names(hidden).into_iter().filter(|n| is_among(n, &uses.words));
    chained.into_iter().chain(named).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The names among `names` that are words of an expression, whatever they stand behind.
pub fn words_among(expression: &str, names: &BTreeSet<String>) -> Vec<String> {
    let uses = uses(expression);
    let words: BTreeSet<String> = uses.words.into_iter().chain(uses.chains.into_iter().flatten()).collect();
    names.iter().filter(|n| is_among(n, &words)).cloned().collect()
}

/// The last names of paths.
pub fn names(paths: &BTreeSet<FieldPath>) -> BTreeSet<String> {
    paths.iter().filter_map(last_name).collect()
}

fn last_name(path: &FieldPath) -> Option<String> {
    path.segments().iter().rev().find_map(|s| if let Segment::Property(n) = s { Some(n.clone()) } else { None })
}

fn is_among(name: &str, words: &BTreeSet<String>) -> bool {
    words.contains(name) || words.contains(&escaped(name))
}

/// Whether a chain reaches the field at `path`, or goes on behind it.
fn leads_to(chain: &[String], path: &FieldPath) -> bool {
    let same = |(word, segment): (&String, &Segment)| match segment {
        Segment::Property(name) => word == name || *word == escaped(name),
        Segment::Items | Segment::Values => false,
    };
    chain.len() >= path.0.len() && chain.iter().zip(path.segments()).all(same)
}

/// The text of a rule on one line, cut after 100 characters.
pub fn one_line(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match joined.char_indices().nth(100) {
        Some((cut, _)) => format!("{}…", &joined[..cut]),
        None => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(expression: &str, hidden: &[&str]) -> Vec<String> {
        mentions(expression, &hidden.iter().map(|s| FieldPath::parse(s).unwrap()).collect())
    }

    #[test]
    fn fields_are_words_and_functions_are_not() {
        assert_eq!(hits("has(self.tls) ? self.tls.mode : true", &["tls", "size"]), ["tls"]);
        assert!(hits("self.items.size() < 3", &["size"]).is_empty());
        assert_eq!(hits("self.size < 3", &["size"]), ["size"]);
        assert_eq!(hits("self.items.all(x, has(x.port))", &["port"]), ["port"]);
    }

    #[test]
    fn chains_from_self_are_followed() {
        assert!(hits("self.metadata.name.size() < 9", &[".list[].name", ".name"]).is_empty());
        assert_eq!(hits("self.tls.mode == 'x'", &[".tls"]), ["tls"]);
        assert_eq!(hits("self.?tls.?mode.orValue('') == ''", &[".tls.mode"]), ["mode"]);
        assert!(hits("self.tls == oldSelf.tls", &[".tls.mode"]).is_empty());
        assert_eq!(hits("self.list.all(i, i.name != '')", &[".list[].name"]), ["name"]);
        assert_eq!(hits("self.list[0].name == ''", &[".list[].name"]), ["name"]);
        assert_eq!(hits("dyn(self).name == ''", &[".name"]), ["name"]);
        assert_eq!(hits("'a' in self.tls.`x.y`", &[".tls['x.y']"]), ["x.y"]);
        assert_eq!(hits("self.a.b in self.c", &[".c"]), ["c"]);
        assert_eq!(hits("1 in self.ids && self .secret == 1", &[".secret"]), ["secret"]);
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
        assert_eq!(hits("self.`a.b/c`", &["['a.b/c']"]), ["a.b/c"]);
        assert_eq!(escaped("a__b"), "a__underscores__b");
    }
}
