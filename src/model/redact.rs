//! Removes secrets from diagnostics before they are output.
//!
//! Diagnostics of many stages quote the source. This file decides which lines may contain a
//! credential from the text alone, so that it also works for YAML that cannot be parsed. In
//! doubt a line is hidden: the diagnostic still shows its place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use regex::Regex;

use super::codes::{Code, config, derivation, object, reference, yaml};
use super::config::CONFIG_PATH;
use super::diagnostic::{Diagnostic, Label};
use super::source::{FileId, SourceFile, Sources};

/// The same diagnostics without source text and values that may be credentials.
#[must_use]
pub(crate) fn redact(list: &[Diagnostic], sources: &Sources) -> Vec<Diagnostic> {
    let mut files: BTreeMap<FileId, Hidden> = BTreeMap::new();
    for label in list.iter().flat_map(labels) {
        if let Some(file) = sources.get(label.span.file) {
            files.entry(label.span.file).or_insert_with(|| {
                let broken = list.iter().any(|d| {
                    d.code.id.starts_with("CAR01") && d.primary.as_ref().is_some_and(|l| l.span.file == label.span.file)
                });
                Hidden::of(file, broken)
            });
        }
    }
    list.iter().map(|diagnostic| one(diagnostic, sources, &files)).collect()
}

fn labels(diagnostic: &Diagnostic) -> impl Iterator<Item = &Label> {
    diagnostic.primary.iter().chain(&diagnostic.labels)
}

fn one(diagnostic: &Diagnostic, sources: &Sources, files: &BTreeMap<FileId, Hidden>) -> Diagnostic {
    let mut diagnostic = diagnostic.clone();
    let mut values: BTreeSet<&str> = BTreeSet::new();
    let mut touches_hidden = false;
    for label in diagnostic.primary.iter_mut().chain(&mut diagnostic.labels) {
        let (Some(hidden), Some(file)) = (files.get(&label.span.file), sources.get(label.span.file)) else { continue };
        let lines = hidden.lines_of(label);
        // Renderers may show the adjacent lines.
        let near = lines.start().saturating_sub(1)..=lines.end() + 1;
        label.sensitive |= hidden.whole || near.clone().any(|line| hidden.lines.contains(&line));
        if hidden.whole && diagnostic.code.id.starts_with("CAR01") || lines.clone().any(|l| hidden.lines.contains(&l)) {
            touches_hidden = true;
            near.filter(|l| hidden.lines.contains(l)).for_each(|l| words(hidden.line(file, l), &mut values));
        }
    }
    // A diagnostic about a cluster does not quote the source at its place, which only names the
    // cluster. Its text is from the network, and at most names a context, a file or a variable.
    if !touches_hidden || diagnostic.code.id.starts_with("CAR06") {
        return diagnostic;
    }
    // A key below a credential may be the credential itself, if the space after `:` is missing.
    let below = |path: &str| path.rsplit('/').nth(1).is_some_and(|parent| parent == "kubeconfigSecret");
    let is_value = diagnostic.path.as_deref().is_some_and(below);
    if is_value {
        diagnostic.path = None;
    }
    let quotes = |text: &str| {
        let mut words = BTreeSet::new();
        for word in text.split(|c: char| !is_word(c)) {
            words.insert(word.trim_end_matches(['.', ',']));
        }
        values.iter().any(|value| if value.len() < 4 { words.contains(value) } else { text.contains(value) })
    };
    if !NAMES_KEYS.contains(&diagnostic.code) && !diagnostic.code.id.starts_with("CAR08")
        || is_value
        || quotes(&diagnostic.message)
    {
        diagnostic.code.title.clone_into(&mut diagnostic.message);
    }
    diagnostic.help.retain(|text| !quotes(text));
    diagnostic.notes.retain(|text| !quotes(text));
    if diagnostic.path.as_deref().is_some_and(&quotes) {
        diagnostic.path = None;
    }
    if diagnostic.help.is_empty() {
        let id = diagnostic.code.id;
        diagnostic.help.push(format!("run `carrier explain {id}`; the text may be secret, so it is not quoted"));
    }
    for label in diagnostic.primary.iter_mut().chain(&mut diagnostic.labels).filter(|l| quotes(&l.text)) {
        label.text.clear();
    }
    diagnostic
}

/// Codes whose message contains the name of a key or a field, never a value.
static NAMES_KEYS: &[&Code] = &[
    &config::UNKNOWN_KEY,
    &config::CLUSTER_NAME,
    &config::CLUSTER_ACCESS,
    &derivation::DEFAULT_INVALID,
    &derivation::PRESET_INVALID,
    &object::UNKNOWN_FIELD,
    &object::MISSING_FIELD,
    &reference::UNKNOWN_CLUSTER,
    &yaml::DUPLICATE_KEY,
];

/// Collects the words of a line, except keys of a mapping.
fn words<'t>(line: &'t str, found: &mut BTreeSet<&'t str>) {
    let mut before = ' ';
    let mut rest = line;
    loop {
        let start = rest.find(is_word).unwrap_or(rest.len());
        let gap = &rest[..start];
        if let Some(last) = gap.trim_end_matches([' ', '"', '\'']).chars().next_back() {
            before = last;
        } else if found.is_empty() && before == ' ' && gap.len() == start {
            before = '{';
        }
        rest = &rest[start..];
        if rest.is_empty() {
            return;
        }
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        let opens = matches!(before, '{' | ',' | '-');
        let is_key = opens && behind.trim_start_matches(['"', '\'']).trim_start().starts_with(':');
        if !is_key {
            found.insert(word);
        }
        before = 'x';
        rest = behind;
    }
}

/// Whether a credential may contain the character.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '/' | '+' | '=' | '.' | '-')
}

/// The parts of a file that must not be shown.
struct Hidden {
    /// Whether the whole file is hidden.
    whole: bool,
    /// The hidden lines, from 0.
    lines: BTreeSet<usize>,
    /// Offset of the first byte of each line.
    starts: Vec<usize>,
}

static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?im)(?:^|[^a-z0-9_.$-])([a-z0-9_.$-]*(?:pass|pwd|dsn|connection[-_]?string|token|secret|(?:api|private|client|secret|access)[-_]?key|client[-_]?certificate|kubeconfig|credentials?)[a-z0-9_.-]*)["']?[ \t]*(?:[:=]|$)"#,
    )
});
/// The path of a field, in the presets and defaults of a catalog entry.
static ASSIGNED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?m)(?:^|[\s{,"'-])jsonPath["']?[ \t]*:[ \t]*([^\r\n]+)"#));
static SECRET_KIND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?im)(?:^|[\s{,"'-])kind["']?[ \t]*:[ \t]*["']?secret(?:list)?["']?[ \t]*(?:[,}#\r]|$)"#)
});
static TOP_CRD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?m)^["']?kind["']?[ \t]*:[ \t]*["']?CustomResourceDefinition\b"#));
static KUBECONFIG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?im)(?:^|[\s{,"'-])kind["']?[ \t]*:[ \t]*["']?Config["']?[ \t]*(?:[,}#\r]|$)|client-(?:key|certificate)-data"#,
    )
});
/// A word that does not look like a credential. In the settings all other words are hidden.
static PLAIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[A-Za-z0-9_./:~-]{0,40}$"));

#[expect(clippy::expect_used, reason = "the patterns are constants, and tests compile each of them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

impl Hidden {
    fn of(file: &SourceFile, broken: bool) -> Self {
        let text: &str = &file.text;
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(i, _)| i + 1));
        let mut hidden = Self { whole: text.contains("PRIVATE KEY-----"), lines: BTreeSet::new(), starts };
        if hidden.whole {
            hidden.lines.extend(0..hidden.starts.len());
        }
        hidden.documents(text);
        if file.path.rsplit('/').next() == Some(CONFIG_PATH) {
            hidden.settings(file, broken);
        }
        hidden
    }

    fn line<'t>(&self, file: &'t SourceFile, line: usize) -> &'t str {
        let start = self.starts.get(line).copied().unwrap_or(file.text.len());
        let end = self.starts.get(line + 1).copied().unwrap_or(file.text.len());
        file.text[start..end].trim_end_matches(['\n', '\r'])
    }

    fn at(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset).saturating_sub(1)
    }

    fn lines_of(&self, label: &Label) -> RangeInclusive<usize> {
        self.at(label.span.start as usize)..=self.at(label.span.end.max(label.span.start) as usize)
    }

    /// Hides documents that are Secrets or kubeconfigs, and the lines of credentials in the others.
    fn documents(&mut self, text: &str) {
        let mut start = 0;
        while start < text.len() {
            let end = text[start..].find("\n---").map_or(text.len(), |i| start + i + 1);
            let document = &text[start..end];
            let crd = TOP_CRD.is_match(document);
            if !crd && (SECRET_KIND.is_match(document) || KUBECONFIG.is_match(document)) {
                self.whole = true;
                let (first, last) = (self.at(start), self.at(end - 1));
                self.lines.extend(first..=last);
            } else if !crd {
                for found in CREDENTIAL.captures_iter(document).filter_map(|c| c.get(1)) {
                    self.credential(text, start + found.start(), start + found.end(), end);
                }
                for found in ASSIGNED.captures_iter(document).filter_map(|c| c.get(1)) {
                    if names_secret_path(found.as_str()) {
                        self.assigned(text, start + found.start());
                    }
                }
            }
            start = end;
        }
    }

    /// Hides the lines of the value of a key, where its name says that it is a credential.
    fn credential(&mut self, text: &str, start: usize, end: usize, limit: usize) {
        let name = simplified(&text[start..end]);
        let first = self.at(start);
        let line_end = self.starts.get(first + 1).copied().unwrap_or(text.len());
        let rest = text[end..line_end].trim_start_matches(['"', '\'', ' ', '\t']);
        let explicit = text[self.starts[first]..start].trim_start().starts_with('?');
        if !rest.starts_with([':', '=']) && !explicit {
            return;
        }
        let value = rest.trim_start_matches([':', '=']).trim();
        let block = name == "kubeconfigsecret" && (value.is_empty() || only_name(value));
        if !names_credential(&text[start..end]) || name == "kubeconfigsecret" && only_name(value) {
            return;
        }
        let indent = text[self.starts[first]..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if !block {
            self.lines.insert(first);
        }
        // All lines up to the end of an open quote or bracket are hidden, independent of indentation.
        let mut open = Open::default();
        open.read(&text[self.starts[first]..line_end]);
        for line in first + 1..self.starts.len() {
            let from = self.starts[line];
            if from >= limit {
                return;
            }
            let content = &text[from..self.starts.get(line + 1).copied().unwrap_or(text.len())];
            let own = content.trim_start();
            let deeper = content.len() - own.len() > indent;
            let same = content.len() - own.len() == indent
                && (own.starts_with("- ")
                    || explicit && own.starts_with(':')
                    || value.is_empty() && !own.contains(": "));
            if !own.is_empty() && !deeper && !same && !open.is_open() {
                return;
            }
            open.read(content);
            if !(block && (own.starts_with("name:") || own.is_empty())) {
                self.lines.insert(line);
            }
        }
    }

    /// Hides the value that a catalog entry gives to a field, where the path of the field says that it is a credential.
    fn assigned(&mut self, text: &str, path: usize) {
        let content = |line: usize| -> Option<&str> {
            let start = *self.starts.get(line)?;
            Some(&text[start..self.starts.get(line + 1).copied().unwrap_or(text.len())])
        };
        let indent = |line: &str| line.len() - line.trim_start().len();
        let here = self.at(path);
        let is_item = |line: usize| content(line).is_some_and(|text| text.trim_start().starts_with('-'));
        let first = (0..=here).rev().find(|line| is_item(*line)).unwrap_or(here);
        let margin = content(first).map(indent).unwrap_or_default();
        let is_deeper =
            |line: &usize| content(*line).is_some_and(|text| text.trim().is_empty() || indent(text) > margin);
        let end = (first + 1..self.starts.len()).take_while(is_deeper).last().unwrap_or(first).max(here);
        // The path itself may be shown, unless the value is on its line.
        let is_path_alone = content(here).is_some_and(|text| !text.contains("value"));
        let lines: Vec<usize> = (first..=end).filter(|line| *line != here || !is_path_alone).collect();
        self.lines.extend(lines);
    }

    /// Hides lines of `carrier.yaml`: all settings about access to clusters, and elsewhere lines with
    /// words that are not plain.
    fn settings(&mut self, file: &SourceFile, broken: bool) {
        let lower = file.text.to_lowercase();
        let suspicious = || {
            ["token", "password", "passwd", "secret", "key", "data:", "kubeconfig", "begin ", "users:"]
                .iter()
                .any(|word| lower.contains(word))
        };
        if broken && suspicious() {
            self.whole = true;
            self.lines.extend(0..self.starts.len());
            return;
        }
        let mut below = false;
        for line in 0..self.starts.len() {
            let text = self.line(file, line);
            if !text.starts_with([' ', '\t', '#', '-', '}', ']']) && !text.is_empty() {
                let key = text.trim_start_matches(['"', '\'', '{', ' ']);
                below =
                    ["serviceClusters", "management", "data", "stringData", "key"].iter().any(|k| key.starts_with(k));
            }
            let flow = text.contains("serviceClusters") || text.contains("management");
            let plain = text
                .split(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}' | '[' | ']' | '"' | '\''))
                .all(|word| PLAIN.is_match(word) && !looks_random(word));
            if below || flow || !plain && !text.trim_start().starts_with('#') {
                self.lines.insert(line);
            }
        }
    }
}

/// Suffixes of names of credentials; without `-` and `_`, in lower case.
const CREDENTIALS: [&str; 20] = [
    "password",
    "passwords",
    "passwd",
    "pass",
    "pwd",
    "passphrase",
    "token",
    "tokens",
    "secret",
    "secrets",
    "connectionstring",
    "dsn",
    "apikey",
    "privatekey",
    "clientkey",
    "secretkey",
    "accesskey",
    "kubeconfig",
    "credential",
    "credentials",
];

/// Whether the name of a field indicates a credential.
#[must_use]
pub(crate) fn names_credential(name: &str) -> bool {
    let name = simplified(name);
    CREDENTIALS.iter().any(|ending| name.ends_with(ending))
        || name.starts_with("clientkey")
        || name.starts_with("clientcertificate")
}

/// Whether a field path, or a text that begins with one, names a credential at any step.
#[must_use]
pub(crate) fn names_secret_path(path: &str) -> bool {
    path.split(|c: char| c.is_whitespace() || matches!(c, '.' | '\'' | '"' | '[' | ']' | ',' | '{' | '}' | ':'))
        .any(names_credential)
}

/// The message of an API server without the values that it quotes, which may be secret.
#[must_use]
pub(crate) fn without_values(message: &str) -> String {
    // The end of a value that is not a quoted string is unknown, so the text up to the last reason is removed.
    static VALUE: LazyLock<Regex> = LazyLock::new(|| {
        // Words without a value, and what is left out already, stay.
        pattern(
            r#"(?s)\b(Invalid|Unsupported|Duplicate) value: (?:"(?:[^"\\]|\\.)*"(?:: )?|…: |[^"…a-z].*: |[a-z]+(?:: |[^ a-z:].*: | [^a-zA-Z].*: ))"#,
        )
    });
    VALUE.replace_all(message, "$1 value: ").into_owned()
}

/// Removes `-` and `_` and converts to lower case: `client-key_data` becomes `clientkeydata`.
fn simplified(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| !matches!(c, '-' | '_')).collect()
}

/// Whether the value is `{name: x}`, the valid form of `kubeconfigSecret`.
fn only_name(value: &str) -> bool {
    let inner = value.strip_prefix('{').and_then(|v| v.split_once('}')).map(|(inner, _)| inner.trim());
    inner.is_some_and(|inner| inner.starts_with("name:") && !inner.contains([',', '{', '\n']))
}

/// Whether the word is likely a token: it has a run of at least 20 letters and digits, with both.
fn looks_random(word: &str) -> bool {
    word.split(['/', '.', '-', ':']).any(|run| {
        run.len() >= 20 && run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic())
    })
}

/// The quote and the brackets that are open after the lines read so far.
#[derive(Default)]
struct Open {
    quote: Option<char>,
    brackets: usize,
}

impl Open {
    fn read(&mut self, line: &str) {
        let mut before = ' ';
        let mut escaped = false;
        for c in line.chars() {
            match (self.quote, c) {
                (Some('"'), '\\') if !escaped => {
                    escaped = true;
                    continue;
                }
                (Some(quote), c) if c == quote && !escaped => self.quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') if matches!(before, ' ' | '\t' | ':' | '{' | '[' | ',' | '-') => {
                    self.quote = Some(c);
                }
                (None, '{' | '[') => self.brackets += 1,
                (None, '}' | ']') => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
            escaped = false;
            before = c;
        }
    }

    fn is_open(&self) -> bool {
        self.quote.is_some() || self.brackets > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_removed_from_messages_of_a_server() {
        for (message, expected) in [
            (r#"spec.a: Invalid value: "x: \"y\"": must be z"#, "spec.a: Invalid value: must be z"),
            ("spec.a: Invalid value: 5: must be less", "spec.a: Invalid value: must be less"),
            (
                r#"[a: Invalid value: "x": no, b: Unsupported value: "y": supported values: "p", "q"]"#,
                r#"[a: Invalid value: no, b: Unsupported value: supported values: "p", "q"]"#,
            ),
            (r#"a: Invalid value: map[string]interface {}{"k":"v: w"}: bad"#, "a: Invalid value: bad"),
            (r#"a: Duplicate value: "x""#, "a: Duplicate value: "),
            ("forbidden: no", "forbidden: no"),
            ("a: Invalid value: true: no", "a: Invalid value: no"),
            ("a: Invalid value: interface {}(nil): no", "a: Invalid value: no"),
            (
                "a: Invalid value: it cannot be changed, b: Invalid value: 5: no",
                "a: Invalid value: it cannot be changed, b: Invalid value: no",
            ),
            (
                "a: Invalid value: …: no, b: Invalid value: …: nor that",
                "a: Invalid value: no, b: Invalid value: nor that",
            ),
        ] {
            assert_eq!(without_values(message), expected);
        }
    }

    #[test]
    fn names_of_credentials() {
        for name in [
            "password",
            "adminPassword",
            "api-key",
            "auth_token",
            "client-key-data",
            "kubeconfig",
            "pwd",
            "dbPass",
            "connectionString",
            "connection_string",
            "DSN",
            "tokens",
            "passwords",
        ] {
            assert!(names_credential(name), "{name}");
        }
        for name in ["size", "keys", "passwordPolicy", "tokenTtl", "passThrough"] {
            assert!(!names_credential(name), "{name}");
        }
    }
}
