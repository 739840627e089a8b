//! The commands in user documents, and a place to run them in.
//!
//! A block fenced as `console` is a transcript: `$ ` begins a command, `> ` goes on
//! with it, other lines are what it prints, both streams together. A line `...`
//! stands for any lines, `[..]` for any text in a line. The blocks of a document
//! run one after the other in one copy of the package's examples. Blocks fenced
//! as `console servers` need API servers; `tests/servers` runs those.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::package;

/// One command of a document and what it prints.
#[derive(Debug)]
pub(crate) struct Step {
    pub line: usize,
    pub command: String,
    pub expected: String,
}

/// The commands of a document, those that need servers or the others.
pub(crate) fn steps(text: &str, servers: bool) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut inside, mut wanted) = (false, false);
    for (index, line) in text.lines().enumerate() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            inside = !inside;
            let words: Vec<&str> = info.split_whitespace().collect();
            wanted = inside && words.first() == Some(&"console") && (words.get(1) == Some(&"servers")) == servers;
            continue;
        }
        if !wanted {
            continue;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: index + 1, command: command.to_owned(), expected: String::new() });
        } else if let Some(step) = steps.last_mut() {
            match line.strip_prefix("> ") {
                Some(more) if step.expected.is_empty() => step.command = format!("{}\n{more}", step.command),
                _ => writeln!(step.expected, "{line}").unwrap(),
            }
        }
    }
    steps
}

/// The documents with commands.
pub(crate) fn documents() -> Vec<PathBuf> {
    let mut found = vec![package("README.md")];
    for (folder, depth) in [("docs", 2), ("catalog-examples", 2)] {
        collect(&package(folder), depth, &mut found);
    }
    found.sort();
    found
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && depth > 0 {
            collect(&path, depth - 1, found);
        } else if path.extension().is_some_and(|e| e == "md") {
            found.push(path);
        }
    }
}

/// A copy of what a clone has of examples and schemas, and a shell in it.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
    path: String,
}

impl Sandbox {
    /// A fresh one. `tools` are further folders with programs.
    pub(crate) fn new(tools: &[&Path]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for part in ["catalog-examples", "schemas"] {
            copy(&package(part), &folder.path().join(part));
        }
        let bin = folder.path().join(".bin");
        fs::create_dir(&bin).unwrap();
        let carrier = env!("CARGO_BIN_EXE_carrier");
        script(&bin.join("carrier"), &format!("exec '{carrier}' \"$@\""));
        // Documents that start from a clone run carrier through cargo.
        script(&bin.join("cargo"), &format!("while [ \"$1\" != -- ]; do shift; done; shift; exec '{carrier}' \"$@\""));
        let mut path = bin.display().to_string();
        for tool in tools {
            write!(path, ":{}", tool.display()).unwrap();
        }
        path.push_str(":/usr/local/bin:/usr/bin:/bin");
        Self { folder, path }
    }

    /// Runs a command; both streams together, and the exit status when it is not 0.
    pub(crate) fn run(&self, command: &str, environment: &[(&str, &str)]) -> String {
        let output = Command::new("bash")
            .args(["-c", &format!("set -o pipefail; {{ {command}\n}} 2>&1")])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.folder.path())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            writeln!(text, "[exit {}]", output.status.code().unwrap_or(-1)).unwrap();
        }
        text
    }
}

/// Runs all commands of a document; complaints, one a command that printed something else.
pub(crate) fn check(document: &Path, sandbox: &Sandbox, servers: bool, environment: &[(&str, &str)]) -> Vec<String> {
    let text = fs::read_to_string(document).unwrap();
    let mut wrong = Vec::new();
    for step in steps(&text, servers) {
        let actual = sandbox.run(&step.command, environment);
        if !matches(&step.expected, &actual) {
            wrong.push(format!(
                "{}:{}: {}\n--- the document says\n{}--- it printed\n{actual}",
                document.display(),
                step.line,
                step.command,
                step.expected
            ));
        }
    }
    wrong
}

fn matches(expected: &str, actual: &str) -> bool {
    let trim = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
    lines_match(&trim(expected), &trim(actual))
}

fn lines_match(expected: &[String], actual: &[String]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((line, rest)) if line == "..." => (0..=actual.len()).any(|n| lines_match(rest, &actual[n..])),
        Some((line, rest)) => actual.first().is_some_and(|a| line_matches(line, a)) && lines_match(rest, &actual[1..]),
    }
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let parts: Vec<&str> = expected.split("[..]").collect();
    let [first, middle @ .., last] = &parts[..] else { return expected == actual };
    let Some(mut rest) = actual.strip_prefix(first) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn script(path: &Path, body: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        // What somebody rendered into an example by hand is not part of a clone.
        if entry.file_name() == "rendered" {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
