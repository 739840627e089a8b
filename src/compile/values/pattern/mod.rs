//! Patterns as the API server reads them: Go's `regexp` (RE2), not Rust's `regex`.
//!
//! The two agree on most patterns and differ in silence on others: `\w` is ASCII in Go, `&&` in a
//! class is two literals, `(?i)` stands anywhere. [`Pattern::compile`] therefore reads a pattern with
//! the grammar of Go's `regexp/syntax` (Go 1.26, which Kubernetes 1.37 is built with) and writes it
//! anew for `regex`. Whether text matches is all that is asked, so laziness and captures are dropped.
//! Characters that Unicode assigned after version 15 may count differently in `\p{..}` and `(?i)`.

mod class;
mod names;
mod parse;

use regex::{Regex, RegexBuilder};

/// The largest compiled pattern that is tried, in bytes. Larger ones cost more than a check may.
const SIZE_LIMIT: usize = 1 << 24;
/// As deep as `parse` may nest what it writes, several levels for one parenthesis.
const NEST_LIMIT: u32 = 2_000;

/// A pattern that a server compiles.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// Why there is no [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternError {
    /// No server compiles the pattern, and none takes a CRD with it (apiextensions `pkg/apiserver/schema/validation.go`,
    /// `validateValueValidation`).
    Refused(String),
    /// A server may compile the pattern: it is too large to be tried here, or only some servers can read it.
    Unjudged(String),
}

impl std::fmt::Display for PatternError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(why) | Self::Unjudged(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError::Refused`] with the reason if Go does not compile it, [`PatternError::Unjudged`] if it is too
    /// large to be tried or known to some servers only.
    pub fn compile(pattern: &str) -> Result<Self, PatternError> {
        let written = parse::translate(pattern)?;
        match RegexBuilder::new(&written).size_limit(SIZE_LIMIT).nest_limit(NEST_LIMIT).build() {
            Ok(regex) => Ok(Self(regex)),
            Err(regex::Error::CompiledTooBig(_)) => Err(PatternError::Unjudged("it is too large".to_owned())),
            Err(error) => Err(PatternError::Unjudged(last_line(&error.to_string()))),
        }
    }

    /// Whether the pattern is found anywhere in the text, as the keyword `pattern` means it.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Whether a server compiles a pattern, which is not compiled here.
///
/// # Errors
/// As those of [`Pattern::compile`], without the doubt about the size.
pub fn read(pattern: &str) -> Result<(), PatternError> {
    parse::translate(pattern).map(drop)
}

/// `regex` draws where in the pattern it stopped, and says last why.
fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Patterns, and texts that they match and do not match in Go 1.26.
    const READ: [(&str, &[&str], &[&str]); 46] = [
        (r"^\w+$", &["a_1"], &["Größe", ""]),
        (r"^\d+$", &["12"], &["٣", "x"]),
        (r"^\s$", &[" ", "\t", "\x0c"], &["\u{a0}", "\x0b"]),
        (r"^\S$", &["\u{a0}", "\x0b"], &[" "]),
        (r"\bé", &["aé"], &["é", " é"]),
        (r"^\B$", &[""], &["a"]),
        (r"é\B", &["é"], &["éa"]),
        (r"^[a&&b]$", &["&", "a", "b"], &["c"]),
        (r"^\<a\>$", &["<a>"], &["a"]),
        (r"^[[a]$", &["[", "a"], &["b"]),
        (r"^[a~~b]$", &["~"], &["c"]),
        (r"^[]a]$", &["]", "a"], &["b"]),
        (r"^[^]a]$", &["b", "\n"], &["]"]),
        (r"^[a-]$", &["-", "a"], &["b"]),
        (r"^[-a]$", &["-"], &["b"]),
        (r"^[\d-z]$", &["-", "z", "5"], &["y"]),
        (r"^[[:alpha:]_]$", &["a", "_"], &["é", "1"]),
        (r"^[[:^alpha:]]$", &["é", "1"], &["a"]),
        (r"^[[:word:]]+$", &["a_"], &["-"]),
        (r"^[[:alpha]$", &["[", ":", "h"], &["b"]),
        (r"^\Qa.b\E$", &["a.b"], &["axb"]),
        (r"^\Qa.b", &["a.bc"], &["axb"]),
        (r"^\Qab\E+$", &["abb"], &["abab"]),
        (r"a\z", &["ba"], &["a\n"]),
        (r"\Aa$", &["a"], &["a\n", "ba"]),
        (r"(?m)^a$", &["b\na\nc"], &["ba"]),
        (r"^.$", &["é", "\r"], &["\n"]),
        (r"(?s)^.$", &["\n"], &["ab"]),
        (r"^\pN$", &["٣", "1"], &["a"]),
        (r"^\p{Greek}\P{L}$", &["α1"], &["a1", "αα"]),
        (r"^\p{^Greek}$", &["a"], &["α"]),
        (r"^(?P<n>a)(?<m>b)$", &["ab"], &["a"]),
        (r"^(?U)a+$", &["aaa"], &["b"]),
        (r"^a(?i)b|c$", &["aB", "xC"], &["Ab"]),
        (r"^(?i:a)b$", &["Ab"], &["AB"]),
        (r"^(?i)[^k]$", &["a"], &["K", "k", "\u{212a}"]),
        (r"^(?i)\W$", &["-"], &["\u{17f}", "s"]),
        (r"^a(?i)*$", &["aaa", ""], &["A"]),
        (r"^a{,2}$", &["a{,2}"], &["aa"]),
        (r"^a{2}$", &["aa"], &["a"]),
        (r"^{*$", &["{{", ""], &["a"]),
        (r"^\x41\x{1F600}\101$", &["A😀A"], &["A"]),
        (r"^\_\-\/$", &["_-/"], &[]),
        (r"^(|a)+$", &["", "aa"], &["b"]),
        (r"^\a\f\v$", &["\x07\x0c\x0b"], &[]),
        (r"[^\x00-\x{10FFFF}]", &[], &["a", ""]),
    ];

    #[test]
    fn patterns_are_read_as_go_reads_them() {
        for (pattern, matching, others) in READ {
            let compiled = Pattern::compile(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
            for text in matching {
                assert!(compiled.matches(text), "{pattern} matches {text:?}");
            }
            for text in others {
                assert!(!compiled.matches(text), "{pattern} does not match {text:?}");
            }
        }
    }

    #[test]
    fn what_go_does_not_compile_is_refused() {
        for pattern in [
            "(?!a)",
            "(?=a)",
            "(?<=a)b",
            "(?>a)",
            r"(a)\1",
            r"\C",
            r"\q",
            r"\é",
            "a**",
            "a{2}{3}",
            "*a",
            "(*a)",
            "|*",
            "a{1001}",
            "a{2,1}",
            "(a{100}){11}",
            "[b-a]",
            "[a--]",
            "[a",
            "[]",
            "[[:foo:]]",
            "(a",
            "a)",
            r"\",
            "(?i",
            "(?-)",
            "(?i-)",
            "(?x)a",
            "(?P<>a)",
            "(?P<a-b>c)",
            "(?P=a)",
            r"\p{Foo}",
            r"\p{Alphabetic}",
            r"\pX",
            r"\8",
            r"\xZ",
            r"\x{110000}",
            r"[a-\d]",
            "a{1,99999999999}",
            r"(?'n'a)",
        ] {
            match Pattern::compile(pattern) {
                Err(PatternError::Refused(why)) => assert!(!why.is_empty(), "{pattern}"),
                other => panic!("{pattern}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_too_large_or_known_to_some_servers_only_is_not_judged() {
        let large = format!("^{}$", r"[\pL\pN\pS]{1,1000}".repeat(20));
        assert!(matches!(Pattern::compile(&large), Err(PatternError::Unjudged(_))));
        let deep = format!("{}a{}", "(".repeat(500), ")".repeat(500));
        assert!(matches!(Pattern::compile(&deep), Err(PatternError::Unjudged(_))));
        assert!(Pattern::compile("^(?:[a-z0-9]{1,63}[.]){1,15}$").is_ok());
        // Known since Go 1.25, not known any more, and known since ever.
        for name in ["greek", "Lowercase_Letter", "ASCII", "Old_Italic"] {
            assert!(matches!(Pattern::compile(&format!(r"^\p{{{name}}}$")), Err(PatternError::Unjudged(_))), "{name}");
        }
        assert!(Pattern::compile(r"^\p{Greek}\pL\p{Any}$").is_ok());
    }
}
