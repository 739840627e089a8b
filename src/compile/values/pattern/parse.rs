//! The grammar of Go's `regexp/syntax` (`parse.go`, Go 1.26, flags `Perl`): reads a pattern, refuses
//! what Go refuses, and writes it anew for `regex`, each piece with its own flags.
//!
//! What Go does only to be fast (factoring, simplifying) is left out; its limits on repetitions are kept.

use super::PatternError;
use super::class::{self, Class};
use super::names::{self, Named};

/// The highest count of a repetition, alone and nested (`repeatIsValid`).
const REPEAT_MAX: u32 = 1000;
/// Go refuses what nests deeper than this (`maxHeight`).
const HEIGHT_MAX: usize = 1000;
/// Deeper than this is left to the server: `regex` would need too much stack.
const DEPTH_MAX: usize = 200;

/// A part of a pattern, written for `regex`, with the greatest product of counts in it.
struct Piece {
    text: String,
    repeats: u32,
}

#[derive(Clone, Copy)]
struct Flags {
    fold: bool,
    lines: bool,
    newline: bool,
}

/// An open parenthesis: what was read before and inside of it.
struct Group {
    /// The flags to return to.
    outside: Flags,
    /// What the alternatives so far are.
    alternatives: Vec<Piece>,
    /// The alternative being read.
    pieces: Vec<Piece>,
}

/// The pattern for `regex`.
///
/// # Errors
/// See [`super::Pattern::compile`].
pub(super) fn translate(pattern: &str) -> Result<String, PatternError> {
    let flags = Flags { fold: false, lines: false, newline: false };
    let mut parser = Parser { rest: pattern, flags, groups: vec![Group::new(flags)], repeated: false };
    while !parser.rest.is_empty() {
        let repetition = parser.step()?;
        parser.repeated = repetition;
    }
    match (parser.groups.pop(), parser.groups.is_empty()) {
        (Some(group), true) => Ok(group.close().text),
        _ => refused("a `(` is not closed"),
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, PatternError> {
    Err(PatternError::Refused(why.into()))
}

struct Parser<'a> {
    rest: &'a str,
    flags: Flags,
    groups: Vec<Group>,
    /// Whether the last step was a repetition, which none may follow.
    repeated: bool,
}

impl Parser<'_> {
    /// Reads one step. True for a repetition.
    fn step(&mut self) -> Result<bool, PatternError> {
        let Flags { fold, lines, newline } = self.flags;
        let Some(first) = self.rest.chars().next() else { return Ok(false) };
        match first {
            '(' if self.rest.starts_with("(?") => self.perl_group()?,
            '(' => {
                self.skip(1);
                self.open(self.flags)?;
            }
            '|' => {
                self.skip(1);
                if let Some(group) = self.groups.last_mut() {
                    group.bar();
                }
            }
            ')' => {
                self.skip(1);
                self.close()?;
            }
            '^' => {
                self.skip(1);
                self.push(if lines { "(?m:^)" } else { r"\A" });
            }
            '$' => {
                self.skip(1);
                self.push(if lines { "(?m:$)" } else { r"\z" });
            }
            '.' => {
                self.skip(1);
                self.push(if newline { "(?s:.)" } else { r"[^\n]" });
            }
            '[' => self.class()?,
            '*' | '+' | '?' => {
                self.skip(1);
                self.lazy();
                let written = first.to_string();
                self.repeat(&written, 1)?;
                return Ok(true);
            }
            '{' => match braces(self.rest) {
                None => {
                    self.skip(1);
                    self.push(&class::literal(u32::from('{'), fold));
                }
                Some((least, most, length)) => {
                    self.skip(length);
                    let upper = match most {
                        Most::Count(most) => most,
                        Most::Open => least,
                    };
                    if least > REPEAT_MAX || upper > REPEAT_MAX || least > upper {
                        return refused(TOO_OFTEN);
                    }
                    self.lazy();
                    let written = match most {
                        Most::Open => format!("{{{least},}}"),
                        Most::Count(_) => format!("{{{least},{upper}}}"),
                    };
                    // `{0,}` repeats without a count, as `*` does.
                    let count = if matches!(most, Most::Open) { least.max(1) } else { upper };
                    self.repeat(&written, count)?;
                    return Ok(true);
                }
            },
            '\\' => self.backslash()?,
            other => {
                self.skip(other.len_utf8());
                self.push(&class::literal(u32::from(other), fold));
            }
        }
        Ok(false)
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.skip(next.len_utf8());
        Some(next)
    }

    fn push(&mut self, text: &str) {
        if let Some(group) = self.groups.last_mut() {
            group.pieces.push(Piece { text: text.to_owned(), repeats: 1 });
        }
    }

    fn open(&mut self, outside: Flags) -> Result<(), PatternError> {
        self.groups.push(Group::new(outside));
        if self.groups.len() > HEIGHT_MAX {
            return refused("it nests too deeply");
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), PatternError> {
        let depth = self.groups.len();
        if depth < 2 {
            return refused("a `)` closes nothing");
        }
        if depth > DEPTH_MAX {
            return Err(PatternError::Unjudged("it nests deeply".to_owned()));
        }
        if let Some(inner) = self.groups.pop() {
            self.flags = inner.outside;
            let piece = inner.close();
            if let Some(group) = self.groups.last_mut() {
                group.pieces.push(piece);
            }
        }
        Ok(())
    }

    /// Passes over the `?` that makes a repetition lazy: that changes what is found, not whether.
    fn lazy(&mut self) {
        if self.rest.starts_with('?') {
            self.skip(1);
        }
    }

    /// Repeats the last piece; `count` is what its own counts are multiplied by.
    fn repeat(&mut self, written: &str, count: u32) -> Result<(), PatternError> {
        if self.repeated {
            return refused(format!("`{written}` follows another repetition"));
        }
        let Some(piece) = self.groups.last_mut().and_then(|g| g.pieces.last_mut()) else {
            return refused(format!("`{written}` has nothing to repeat"));
        };
        piece.repeats = match count {
            // What is repeated no times may be anything.
            0 => 0,
            count => piece.repeats.max(1).saturating_mul(count),
        };
        if piece.repeats > REPEAT_MAX {
            return refused(TOO_OFTEN);
        }
        piece.text = format!("(?:{}){written}", piece.text);
        Ok(())
    }

    /// `(?`: a named group, flags, or a group with flags.
    fn perl_group(&mut self) -> Result<(), PatternError> {
        let text = self.rest;
        let named = (text.starts_with("(?P<") && text.len() > 4).then_some(4);
        if let Some(start) = named.or((text.starts_with("(?<") && text.len() > 3).then_some(3)) {
            let name = text.find('>').and_then(|end| text.get(start..end)).unwrap_or_default();
            if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
                return refused("a group has no valid name (look-behind does not exist)");
            }
            self.skip(start + name.len() + 1);
            return self.open(self.flags);
        }
        self.skip(2);
        let outside = self.flags;
        let (mut on, mut sign, mut seen) = (outside, true, false);
        while let Some(letter) = self.next() {
            match letter {
                'i' => on.fold = sign,
                'm' => on.lines = sign,
                's' => on.newline = sign,
                // Greed does not decide whether text matches.
                'U' => {}
                '-' if sign => {
                    sign = false;
                    seen = false;
                    continue;
                }
                ':' | ')' if sign || seen => {
                    if letter == ':' {
                        self.open(outside)?;
                    }
                    self.flags = on;
                    return Ok(());
                }
                _ => break,
            }
            seen = true;
        }
        refused("`(?` begins what does not exist there: look-around, conditions, other flags than `imsU`")
    }

    fn backslash(&mut self) -> Result<(), PatternError> {
        let fold = self.flags.fold;
        let mut after = self.rest.chars();
        after.next();
        match after.next() {
            Some('A') => self.plain(r"\A"),
            Some('z') => self.plain(r"\z"),
            // Go's words are of ASCII.
            Some('b') => self.plain(r"(?-u:\b)"),
            Some('B') => self.plain(r"(?-u:\B)"),
            Some('C') => return refused(r"`\C` does not exist"),
            Some('Q') => {
                self.skip(2);
                let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
                for c in quoted.chars() {
                    self.push(&class::literal(u32::from(c), fold));
                }
                self.rest = rest;
            }
            _ => {
                let mut class = Class::default();
                if self.class_escape(&mut class)? {
                    self.push(&class.written(false, fold));
                } else {
                    let code = self.escape()?;
                    self.push(&class::literal(code, fold));
                }
            }
        }
        Ok(())
    }

    fn plain(&mut self, written: &str) {
        self.skip(2);
        self.push(written);
    }

    /// `\pN`, `\p{Greek}`, `\d` and the like. False if there is none.
    fn class_escape(&mut self, class: &mut Class) -> Result<bool, PatternError> {
        let mut after = self.rest.chars();
        let (Some('\\'), Some(letter)) = (after.next(), after.next()) else { return Ok(false) };
        if matches!(letter, 'p' | 'P') {
            let (name, length) = match after.next() {
                Some('{') => match self.rest.find('}') {
                    Some(end) => (self.rest.get(3..end).unwrap_or_default(), end + 1),
                    None => return refused(r"`\p{` is not closed"),
                },
                Some(c) => (self.rest.get(2..2 + c.len_utf8()).unwrap_or_default(), 2 + c.len_utf8()),
                None => return refused(format!(r"`\{letter}` has no name")),
            };
            self.skip(length);
            unicode(class, name, letter == 'P')?;
            return Ok(true);
        }
        let Some(group) = class::perl(letter) else { return Ok(false) };
        self.skip(2);
        class.group(group, letter.is_ascii_uppercase(), self.flags.fold);
        Ok(true)
    }

    /// `[..]`.
    fn class(&mut self) -> Result<(), PatternError> {
        self.skip(1);
        let negated = self.rest.starts_with('^');
        if negated {
            self.skip(1);
        }
        let fold = self.flags.fold;
        let mut class = Class::default();
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if let Some((name, length)) = posix_name(self.rest) {
                self.skip(length);
                let (name, not) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
                match class::posix(name) {
                    Some(group) => class.group(group, not, fold),
                    None => return refused(format!("there is no class `[:{name}:]`")),
                }
                continue;
            }
            if self.class_escape(&mut class)? {
                continue;
            }
            let low = self.class_character()?;
            let mut high = low;
            if self.rest.len() > 1 && self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.skip(1);
                high = self.class_character()?;
            }
            if high < low {
                return refused("a range of a class ends before it begins");
            }
            class.range(low, high);
        }
        self.skip(1);
        self.push(&class.written(negated, fold));
        Ok(())
    }

    fn class_character(&mut self) -> Result<u32, PatternError> {
        if self.rest.starts_with('\\') {
            return self.escape();
        }
        self.next().map_or_else(|| refused("a `[` is not closed"), |c| Ok(u32::from(c)))
    }

    /// An escaped character.
    fn escape(&mut self) -> Result<u32, PatternError> {
        self.skip(1);
        let Some(c) = self.next() else { return refused(r"it ends with a `\`") };
        let octal = |text: &str| text.starts_with(|c| matches!(c, '0'..='7'));
        match c {
            '0' => Ok(self.octal(c)),
            '1'..='7' if octal(self.rest) => Ok(self.octal(c)),
            'x' => self.hexadecimal().map_or_else(|| refused(r"`\x` has no two hexadecimal digits and no `{..}`"), Ok),
            'a' => Ok(0x07),
            'f' => Ok(0x0C),
            'n' => Ok(0x0A),
            'r' => Ok(0x0D),
            't' => Ok(0x09),
            'v' => Ok(0x0B),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(u32::from(c)),
            c => refused(format!(r"`\{c}` does not exist")),
        }
    }

    fn octal(&mut self, first: char) -> u32 {
        let mut code = first.to_digit(8).unwrap_or_default();
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else { break };
            self.skip(1);
            code = code * 8 + digit;
        }
        code
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        match self.next()? {
            '{' => {
                let (mut code, mut digits) = (0_u32, 0);
                loop {
                    match self.next()? {
                        '}' => return (digits > 0).then_some(code),
                        c => code = code * 16 + c.to_digit(16)?,
                    }
                    if code > u32::from(char::MAX) {
                        return None;
                    }
                    digits += 1;
                }
            }
            high => Some(high.to_digit(16)? * 16 + self.next()?.to_digit(16)?),
        }
    }
}

const TOO_OFTEN: &str = "a repetition has no valid count (at most 1000, also of nested ones together)";

impl Group {
    fn new(outside: Flags) -> Self {
        Self { outside, alternatives: Vec::new(), pieces: Vec::new() }
    }

    fn bar(&mut self) {
        let pieces = std::mem::take(&mut self.pieces);
        let repeats = pieces.iter().map(|p| p.repeats).max().unwrap_or(1);
        self.alternatives.push(Piece { text: pieces.into_iter().map(|p| p.text).collect(), repeats });
    }

    fn close(mut self) -> Piece {
        self.bar();
        let repeats = self.alternatives.iter().map(|p| p.repeats).max().unwrap_or(1);
        let texts: Vec<String> = self.alternatives.into_iter().map(|p| p.text).collect();
        Piece { text: format!("(?:{})", texts.join("|")), repeats }
    }
}

#[derive(Clone, Copy)]
enum Most {
    /// `{2}` and `{2,3}`.
    Count(u32),
    /// `{2,}`.
    Open,
}

/// The counts of `{2}`, `{2,}` or `{2,3}` with its length, or `None`: then the brace is a character.
fn braces(text: &str) -> Option<(u32, Most, usize)> {
    let mut rest = text.strip_prefix('{')?;
    let least = number(&mut rest)?;
    let mut most = Most::Count(least);
    if let Some(after) = rest.strip_prefix(',') {
        rest = after;
        most = if rest.starts_with('}') { Most::Open } else { Most::Count(number(&mut rest)?) };
    }
    let rest = rest.strip_prefix('}')?;
    Some((least, most, text.len() - rest.len()))
}

/// A number without a leading zero; the largest there is for one beyond all limits.
fn number(rest: &mut &str) -> Option<u32> {
    let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, after) = rest.split_at_checked(length)?;
    if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    *rest = after;
    Some(digits.parse().unwrap_or(u32::MAX))
}

/// The name in `[:name:]` and the length of all.
fn posix_name(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix("[:")?;
    let end = inside.find(":]")?;
    Some((inside.get(..end)?, end + 4))
}

fn unicode(class: &mut Class, name: &str, negated: bool) -> Result<(), PatternError> {
    let (name, negated) = name.strip_prefix('^').map_or((name, negated), |name| (name, !negated));
    match names::find(name) {
        Some(Named::Any) => class.group(&[(0, 0x10_FFFF)], negated, false),
        Some(Named::Class(name)) => class.unicode(name, negated),
        Some(Named::Doubtful) => {
            return Err(PatternError::Unjudged(format!(r"only some servers know `\p{{{name}}}`")));
        }
        None => return refused(format!(r"there is no class `\p{{{name}}}`")),
    }
    Ok(())
}
