//! Whether Go reads a text as a regular expression (Go 1.26 `regexp/syntax/parse.go`, with Perl's extensions). The
//! `regex` crate reads other ones: it takes `[a&&b]` and refuses `a{,5}`.

/// What is to be said of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Valid,
    /// Go refuses it, because of this.
    Invalid(&'static str),
    /// It names a Unicode class that depends on the version of Go.
    Unknown,
}

/// The most times that something may be repeated, one repetition in the other.
const MOST: u32 = 1000;

/// Judges a pattern.
#[must_use]
pub(crate) fn judge(pattern: &str) -> Verdict {
    let mut reader = Reader { rest: pattern, unknown: false };
    match reader.expression() {
        Err(why) => Verdict::Invalid(why),
        Ok(()) if reader.unknown => Verdict::Unknown,
        Ok(()) => Verdict::Valid,
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// Whether a class was met that cannot be told.
    unknown: bool,
}

/// What a repetition would repeat, and the most that stands in a group so far.
#[derive(Clone, Copy, Default)]
struct Operand {
    /// How often what the last part consists of is repeated already; nothing where there is no part.
    last: Option<u32>,
    /// The largest such number in the group.
    largest: u32,
}

impl Operand {
    fn push(&mut self, weight: u32) {
        self.last = Some(weight);
        self.largest = self.largest.max(weight);
    }
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expression(&mut self) -> Result<(), &'static str> {
        let mut groups = vec![Operand::default()];
        let mut after_repetition = false;
        while let Some(c) = self.rest.chars().next() {
            let was_repetition = std::mem::take(&mut after_repetition);
            let Some(group) = groups.last_mut() else { return Err("a `)` is too much") };
            match c {
                '(' => {
                    self.next();
                    if self.rest.starts_with('?') && !self.group()? {
                        continue;
                    }
                    groups.push(Operand::default());
                }
                ')' => {
                    self.next();
                    let inside = groups.pop().unwrap_or_default();
                    let Some(outside) = groups.last_mut() else { return Err("a `)` is too much") };
                    outside.push(inside.largest);
                }
                '|' => {
                    self.next();
                    group.last = None;
                }
                '*' | '+' | '?' => {
                    self.next();
                    self.take("?");
                    if was_repetition {
                        return Err("repetitions follow each other");
                    }
                    if group.last.is_none() {
                        return Err("a repetition has nothing to repeat");
                    }
                    after_repetition = true;
                }
                '{' => after_repetition = self.counted(group, was_repetition)?,
                '[' => {
                    self.next();
                    self.class()?;
                    group.push(1);
                }
                '\\' => {
                    if self.take("\\Q") {
                        let (literal, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                        if !literal.is_empty() {
                            group.push(1);
                        }
                        self.rest = rest;
                        continue;
                    }
                    let anchor = ["\\A", "\\b", "\\B", "\\z"].iter().any(|anchor| self.take(anchor));
                    if !anchor && !self.class_escape()? {
                        self.escape()?;
                    }
                    group.push(1);
                }
                _ => {
                    self.next();
                    group.push(1);
                }
            }
        }
        if groups.len() == 1 { Ok(()) } else { Err("a `)` is missing") }
    }

    /// A `{`, which repeats or stands for itself. Whether it repeats.
    fn counted(&mut self, group: &mut Operand, was_repetition: bool) -> Result<bool, &'static str> {
        let Some((least, most, length)) = self.counts() else {
            self.next();
            group.push(1);
            return Ok(false);
        };
        self.rest = &self.rest[length..];
        if least > MOST || most.is_some_and(|most| most > MOST || least > most) {
            return Err("the numbers of a repetition are wrong");
        }
        self.take("?");
        if was_repetition {
            return Err("repetitions follow each other");
        }
        let Some(inner) = group.last else { return Err("a repetition has nothing to repeat") };
        let times = most.unwrap_or(least);
        let weight = if most == Some(0) { 0 } else { inner.max(1).saturating_mul(times.max(1)) };
        if (least >= 2 || times >= 2) && weight > MOST {
            return Err("something is repeated more than 1000 times");
        }
        group.push(weight);
        Ok(true)
    }

    /// What follows `(?`: a name or flags. Whether a group begins.
    fn group(&mut self) -> Result<bool, &'static str> {
        if self.take("?P<") || self.take("?<") {
            let Some((name, rest)) = self.rest.split_once('>') else { return Err("the name of a group has no end") };
            if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
                return Err("the name of a group is wrong");
            }
            self.rest = rest;
            return Ok(true);
        }
        self.next();
        let (mut negated, mut seen) = (false, false);
        loop {
            match self.next() {
                Some('i' | 'm' | 's' | 'U') => seen = true,
                Some('-') if !negated => (negated, seen) = (true, false),
                Some(c @ (':' | ')')) if !negated || seen => return Ok(c == ':'),
                _ => return Err("`(?` begins something that Go does not know, such as a look-ahead"),
            }
        }
    }

    /// The numbers of `{2,5}` and the length of that text; nothing where the bracket stands for itself.
    fn counts(&self) -> Option<(u32, Option<u32>, usize)> {
        let inside = self.rest.strip_prefix('{')?;
        let (inside, _) = inside.split_once('}')?;
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let plain = plain && (text.len() == 1 || !text.starts_with('0'));
            plain.then(|| text.parse::<u32>().unwrap_or(u32::MAX))
        };
        let length = inside.len() + 2;
        match inside.split_once(',') {
            None => number(inside).map(|n| (n, Some(n), length)),
            Some((least, "")) => number(least).map(|least| (least, None, length)),
            Some((least, most)) => Some((number(least)?, Some(number(most)?), length)),
        }
    }

    /// What follows `[`.
    fn class(&mut self) -> Result<(), &'static str> {
        const END: &str = "a `]` is missing";
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
            "word", "xdigit",
        ];
        self.take("^");
        let mut first = true;
        loop {
            if self.rest.is_empty() {
                return Err(END);
            }
            if !std::mem::take(&mut first) && self.take("]") {
                return Ok(());
            }
            if let Some((name, rest)) = self.rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) {
                if !NAMES.contains(&name.trim_start_matches('^')) || name.starts_with("^^") {
                    return Err("there is no class of that name");
                }
                self.rest = rest;
                continue;
            }
            if self.class_escape()? {
                continue;
            }
            let from = self.class_char()?.ok_or(END)?;
            let mut after = self.rest.chars();
            if after.next() == Some('-') && after.next().is_some_and(|c| c != ']') {
                self.next();
                let to = self.class_char()?.ok_or(END)?;
                if to < from {
                    return Err("a range of characters runs backwards");
                }
            }
        }
    }

    fn class_char(&mut self) -> Result<Option<u32>, &'static str> {
        if self.rest.starts_with('\\') { self.escape().map(Some) } else { Ok(self.next().map(u32::from)) }
    }

    /// Takes `\d` and its like, or `\p{L}`.
    fn class_escape(&mut self) -> Result<bool, &'static str> {
        const CATEGORIES: [&str; 39] = [
            "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
            "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
            "Any", "Latin", "Greek",
        ];
        if ["\\d", "\\D", "\\s", "\\S", "\\w", "\\W"].iter().any(|escape| self.take(escape)) {
            return Ok(true);
        }
        if !self.take("\\p") && !self.take("\\P") {
            return Ok(false);
        }
        let name = if self.take("{") {
            let Some((name, rest)) = self.rest.split_once('}') else { return Err("a `}` is missing") };
            self.rest = rest;
            name.strip_prefix('^').unwrap_or(name)
        } else {
            let before = self.rest;
            let length = self.next().map_or(0, char::len_utf8);
            &before[..length]
        };
        match name.chars().count() {
            0 => return Err("there is no class of that name"),
            1 if !CATEGORIES.contains(&name) => return Err("there is no class of that name"),
            _ => self.unknown |= !CATEGORIES.contains(&name),
        }
        Ok(true)
    }

    /// Takes an escaped character.
    fn escape(&mut self) -> Result<u32, &'static str> {
        const WRONG: &str = "Go does not know an escape of it, such as a back-reference";
        self.next();
        let Some(c) = self.next() else { return Err("it ends in a backslash") };
        let is_octal = |c: char| ('0'..='7').contains(&c);
        match c {
            '0'..='7' if c == '0' || self.rest.starts_with(is_octal) => {
                let mut value = u32::from(c) - 48;
                for _ in 1..3 {
                    let Some(digit) = self.rest.chars().next().filter(|c| is_octal(*c)) else { break };
                    value = value * 8 + u32::from(digit) - 48;
                    self.next();
                }
                Ok(value)
            }
            'x' if self.take("{") => {
                let (digits, rest) = self.rest.split_once('}').ok_or(WRONG)?;
                self.rest = rest;
                let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
                let value = u32::from_str_radix(digits.trim_start_matches('0'), 16);
                let value = if digits.trim_start_matches('0').is_empty() { Ok(0) } else { value };
                value.ok().filter(|value| plain && *value <= 0x0010_FFFF).ok_or(WRONG)
            }
            'x' => {
                let (high, low) = (self.next().ok_or(WRONG)?, self.next().ok_or(WRONG)?);
                Ok(high.to_digit(16).ok_or(WRONG)? * 16 + low.to_digit(16).ok_or(WRONG)?)
            }
            'a' => Ok(7),
            'f' => Ok(12),
            'n' => Ok(10),
            'r' => Ok(13),
            't' => Ok(9),
            'v' => Ok(11),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(u32::from(c)),
            _ => Err(WRONG),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_reads_is_valid() {
        for pattern in [
            "",
            "^a+$",
            "a{,5}",
            "a{2,}",
            "a{2}?",
            "{",
            "a{x}",
            "[]a]",
            "[^]a]",
            "[a-]",
            "[[:alpha:]_-]",
            r"\d\W\.\_",
            r"(?i)a|b",
            "(?P<n>a)(?<m>b)",
            "(?:a)*",
            r"\x41\x{10FFFF}\07\101",
            r"\Qa*\E+",
            r"\pL\p{Lu}\P{^Nd}",
            "^*",
            "|a",
            "()",
            "(|a)*",
            "[[:foo]",
            "(a{10}){100}",
            r"[\d-z]",
            "(?i-s:a)",
            "a{0}",
        ] {
            assert_eq!(judge(pattern), Verdict::Valid, "{pattern}");
        }
    }

    #[test]
    fn what_go_does_not_read_is_invalid() {
        for pattern in [
            "*",
            "a**",
            "a+*",
            "a{2}{3}",
            "(",
            ")",
            "a)",
            "(*)",
            "a|*",
            "[a",
            "[z-a]",
            "[[:foo:]]",
            "(?=a)",
            "(?!a)",
            "(?<n",
            "(?P<>a)",
            r"\1",
            r"\Z",
            r"\q",
            r"\",
            "a{1001}",
            "a{3,2}",
            "(a{100}){100}",
            r"\x4",
            r"[a-\d]",
            r"\x{110000}",
            r"\C",
            "(?i",
            "(?-)",
            r"\pX",
            "(?#a)",
            "(?>a)",
        ] {
            assert!(matches!(judge(pattern), Verdict::Invalid(_)), "{pattern}");
        }
        assert_eq!(judge(r"\p{Foo}"), Verdict::Unknown);
    }
}
