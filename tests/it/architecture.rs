//! The shape of the code, held to by a test: what is pure stays pure, a file stays a
//! room that one can look round in and says at its door what it is for, and nothing of
//! the machine it was written on gets in.

use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use regex::Regex;

use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        pure_modules_reach_for_nothing,
        operations_know_no_command_line,
        every_file_says_first_what_it_is_for,
        no_file_is_too_long,
        nothing_names_a_folder_of_one_machine,
        the_checks_see_what_they_look_for,
    ]
}

/// What is computed from its arguments alone: no file, no socket, no clock, no cluster.
/// Those that are not written yet are held to it from their first line on.
const PURE: [&str; 7] = [
    "src/model",
    "src/yaml",
    "src/compile",
    "src/plan",
    "src/sync/state.rs",
    "src/sync/queue.rs",
    "src/sync/decide.rs",
];

/// The parts of the standard library that reach out of the process. Threads do not.
const REACHING_STD: [&str; 6] = ["fs", "net", "env", "process", "io", "os"];

/// More lines of code than this are two subjects. (The aim is 500; this is the wall.)
const LINES: usize = 600;

fn pure_modules_reach_for_nothing() {
    let outside =
        Regex::new(r"\b(kube|kube_\w+|k8s_openapi|tokio|reqwest|hyper|tempfile)::|\b(SystemTime|Instant)\b").unwrap();
    let mut complaints = Vec::new();
    for file in PURE.iter().flat_map(|path| rust_files(path)) {
        let code = code_of(&file, Tests::Without);
        for found in outside.find_iter(&code) {
            complaints.push(format!("{}: {}", file.display(), found.as_str()));
        }
        for module in std_modules(&code).into_iter().filter(|module| REACHING_STD.contains(&module.as_str())) {
            complaints.push(format!("{}: std::{module}", file.display()));
        }
    }
    assert!(complaints.is_empty(), "pure modules must not mention these:\n{}", complaints.join("\n"));
}

/// What a command does can be called from elsewhere: it knows neither arguments nor terminals nor exit codes, and
/// hides no state.
fn operations_know_no_command_line() {
    let words = Regex::new(
        r"\b(clap|anstream|anstyle)::|\bcrate::cli\b|\bExit\b|\bstd(in|out|err)\(|\b(RefCell|Cell)\b|\bstd::env::(var|args|current_dir)",
    )
    .unwrap();
    let mut complaints = Vec::new();
    for file in ["src/ops", "src/cluster/connect.rs"].iter().flat_map(|path| rust_files(path)) {
        let code = code_of(&file, Tests::Without);
        complaints.extend(words.find_iter(&code).map(|found| format!("{}: {}", file.display(), found.as_str())));
    }
    assert!(rust_files("src/ops").len() > 5, "the walk finds the files");
    assert!(complaints.is_empty(), "operations must not mention these:\n{}", complaints.join("\n"));
}

fn every_file_says_first_what_it_is_for() {
    let silent: Vec<PathBuf> = ["src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .filter(|file| !read(file).starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "these do not begin with `//!`: {silent:?}");
}

fn no_file_is_too_long() {
    let lines = |file: &Path| code_of(file, Tests::With).lines().filter(|line| !line.trim().is_empty()).count();
    let long: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .filter(|file| lines(file) > LINES)
        .map(|file| format!("{}: {} lines of code", file.display(), lines(&file)))
        .collect();
    assert!(long.is_empty(), "more than {LINES} lines of code, so more than one subject:\n{}", long.join("\n"));
}

fn nothing_names_a_folder_of_one_machine() {
    // Not at the end of a longer path, which may well have a folder of that name.
    let absolute = Regex::new(r"(?m)(?:^|[^\w./-])(/(?:root|work|home/\w+|Users/\w+)/.*)").unwrap();
    let mut complaints = Vec::new();
    for file in files(".", |_| true) {
        // What is not text names nothing.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        complaints.extend(absolute.captures_iter(&text).map(|found| format!("{}: {}", file.display(), &found[1])));
    }
    assert!(complaints.is_empty(), "absolute paths:\n{}", complaints.join("\n"));
}

fn the_checks_see_what_they_look_for() {
    assert_eq!(std_modules("use std::{fs, io::{self, Read}};\nuse std::fmt;"), ["fs", "io", "fmt"]);
    assert_eq!(std_modules("let a = std::env::var(name);"), ["env"]);
    assert_eq!(without_comments("a // kube::Client\n/// std::fs\nb \"https://c\" d"), "a \n\nb \"https://c\" d");
    assert!(rust_files("src/model").len() > 3, "the walk finds the files");
}

/// Whether code that only tests see counts.
#[derive(Clone, Copy, PartialEq)]
enum Tests {
    With,
    Without,
}

/// The code of a file, without comments.
fn code_of(file: &Path, tests: Tests) -> String {
    let code = without_comments(&read(file));
    // By custom the tests of a file are its last part.
    match code.split_once("#[cfg(test)]") {
        Some((code, _)) if tests == Tests::Without => code.to_owned(),
        _ => code,
    }
}

/// Cuts each line at `//`, except at that of a URL.
fn without_comments(text: &str) -> String {
    let comment = Regex::new(r"(?m)(^|[^:])//.*$").unwrap();
    comment.replace_all(text, "$1").into_owned()
}

/// The modules of `std` that are named, in paths and in grouped imports.
fn std_modules(code: &str) -> Vec<String> {
    let path = Regex::new(r"\bstd::(\w+|\{)").unwrap();
    let mut modules = Vec::new();
    for found in path.captures_iter(code) {
        if &found[1] == "{" {
            modules.extend(group(&code[found.get(0).unwrap().end()..]));
        } else {
            modules.push(found[1].to_owned());
        }
    }
    modules
}

/// The first words of the items of an import group, given what follows its `{`.
fn group(rest: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut depth = 0;
    for character in rest.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            _ if depth == 0 => items.last_mut().unwrap().push(character),
            _ => {}
        }
    }
    let first = |item: &String| item.trim().split("::").next().unwrap_or_default().to_owned();
    items.iter().map(first).filter(|item| !item.is_empty()).collect()
}

fn rust_files(path: &str) -> Vec<PathBuf> {
    files(path, |file| file.extension().is_some_and(|extension| extension == "rs"))
}

/// The files of the project under `path`, hidden ones too, without what Git ignores.
fn files(path: &str, wanted: fn(&Path) -> bool) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if !root.exists() {
        return Vec::new();
    }
    let walk = WalkBuilder::new(root)
        .hidden(false)
        .filter_entry(|entry| entry.file_name() != ".git" && entry.file_name() != "target")
        .build();
    walk.map(|entry| entry.unwrap().into_path()).filter(|path| path.is_file() && wanted(path)).collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}
