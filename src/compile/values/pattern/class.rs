//! Classes of characters: those that Go names, and how a class is written for `regex`.
//!
//! Knows no grammar: `parse` finds out what a class holds.

use std::fmt::Write as _;

/// The last character.
const LAST: u32 = 0x10_FFFF;

/// A class being read.
#[derive(Debug, Default)]
pub(super) struct Class {
    /// First and last code points, surrogates included: Go has them, text does not.
    ranges: Vec<(u32, u32)>,
    /// Unicode's own classes, as `regex` writes them.
    named: String,
}

impl Class {
    /// Adds the characters from `first` to `last`.
    pub(super) fn range(&mut self, first: u32, last: u32) {
        self.ranges.push((first, last));
    }

    /// Adds a class that Go names, or what is not in it. With `fold`, upper and lower case are one.
    pub(super) fn group(&mut self, group: &[(u32, u32)], negated: bool, fold: bool) {
        if !negated {
            self.ranges.extend_from_slice(group);
            return;
        }
        let mut inside = group.to_vec();
        if fold {
            folded(group, &mut inside);
        }
        inside.sort_unstable();
        let mut next = 0;
        for (first, last) in inside {
            if next < first {
                self.ranges.push((next, first - 1));
            }
            next = next.max(last + 1);
        }
        if next <= LAST {
            self.ranges.push((next, LAST));
        }
    }

    /// Adds a class of Unicode by the name that `regex` knows, or what is not in it.
    pub(super) fn unicode(&mut self, name: &str, negated: bool) {
        // A `String` takes everything that is written to it.
        let _ = write!(self.named, r"\{}{{{name}}}", if negated { 'P' } else { 'p' });
    }

    /// The class for `regex`.
    pub(super) fn written(&self, negated: bool, fold: bool) -> String {
        let mut inside = self.named.clone();
        for (first, last) in &self.ranges {
            // No text has surrogates.
            for (from, to) in [(*first, (*last).min(0xD7FF)), ((*first).max(0xE000), *last)] {
                if from <= to {
                    let _ = write!(inside, r"\x{{{from:X}}}-\x{{{to:X}}}");
                }
            }
        }
        let class = match (inside.is_empty(), negated) {
            (true, false) => NOTHING.to_owned(),
            (true, true) => r"[\x{0}-\x{10FFFF}]".to_owned(),
            (false, false) => format!("[{inside}]"),
            (false, true) => format!("[^{inside}]"),
        };
        if fold { format!("(?i:{class})") } else { class }
    }
}

/// A class without a character.
const NOTHING: &str = r"[^\x{0}-\x{10FFFF}]";

/// One character for `regex`.
pub(super) fn literal(code: u32, fold: bool) -> String {
    let written = match char::from_u32(code) {
        None => return NOTHING.to_owned(),
        Some(c) if c.is_ascii_alphanumeric() => c.to_string(),
        Some(_) => format!(r"\x{{{code:X}}}"),
    };
    if fold { format!("(?i:{written})") } else { written }
}

/// The other case of the ASCII letters in `group`, with the two characters outside of ASCII that fold into it.
fn folded(group: &[(u32, u32)], out: &mut Vec<(u32, u32)>) {
    for letter in 'a'..='z' {
        let (lower, upper) = (u32::from(letter), u32::from(letter.to_ascii_uppercase()));
        if group.iter().any(|(a, b)| (*a..=*b).contains(&lower) || (*a..=*b).contains(&upper)) {
            out.extend([(lower, lower), (upper, upper)]);
            match letter {
                's' => out.push((0x17F, 0x17F)),
                'k' => out.push((0x212A, 0x212A)),
                _ => {}
            }
        }
    }
}

/// `\d`, `\s` and `\w`: ASCII in Go.
pub(super) fn perl(letter: char) -> Option<&'static [(u32, u32)]> {
    match letter.to_ascii_lowercase() {
        'd' => Some(&[(0x30, 0x39)]),
        's' => Some(&[(0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)]),
        'w' => Some(&[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]),
        _ => None,
    }
}

/// `[:alpha:]` and the like.
pub(super) fn posix(name: &str) -> Option<&'static [(u32, u32)]> {
    Some(match name {
        "alnum" => &[(0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)],
        "alpha" => &[(0x41, 0x5A), (0x61, 0x7A)],
        "ascii" => &[(0x00, 0x7F)],
        "blank" => &[(0x09, 0x09), (0x20, 0x20)],
        "cntrl" => &[(0x00, 0x1F), (0x7F, 0x7F)],
        "digit" => &[(0x30, 0x39)],
        "graph" => &[(0x21, 0x7E)],
        "lower" => &[(0x61, 0x7A)],
        "print" => &[(0x20, 0x7E)],
        "punct" => &[(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)],
        "space" => &[(0x09, 0x0D), (0x20, 0x20)],
        "upper" => &[(0x41, 0x5A)],
        "word" => &[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)],
        "xdigit" => &[(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)],
        _ => return None,
    })
}
