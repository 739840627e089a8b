//! The shape of the code, held to by a test: what is pure stays pure, a file stays a
//! room that one can look round in and says at its door what it is for, and nothing of
//! the machine it was written on gets in.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use regex::Regex;

use crate::harness::Case;
use crate::imports::{Crate, Reference, circles};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        pure_modules_reach_for_nothing,
        sync_only_writes_what_wall_clocks_say,
        operations_know_no_command_line,
        every_file_says_first_what_it_is_for,
        no_file_is_too_long,
        nothing_names_a_folder_of_one_machine,
        the_checks_see_what_they_look_for,
        a_folder_imports_only_those_before_it,
        the_compiler_s_folders_import_only_those_before_them,
        no_files_import_each_other_in_a_circle,
        references_are_seen_and_followed,
        no_test_file_is_forgotten,
        no_test_data_is_forgotten,
    ]
}

/// What is computed from its arguments alone: no file, no socket, no clock, no cluster.
/// Those that are not written yet are held to it from their first line on.
const PURE: [&str; 50] = [
    "src/model",
    "src/yaml",
    "src/compile",
    "src/plan",
    "src/sync/breaker.rs",
    "src/sync/catalog.rs",
    "src/sync/contest.rs",
    "src/sync/custody.rs",
    "src/sync/decide.rs",
    "src/sync/difference.rs",
    "src/sync/digest.rs",
    "src/sync/facts.rs",
    "src/sync/ids.rs",
    "src/sync/index.rs",
    "src/sync/job.rs",
    "src/sync/level.rs",
    "src/sync/marks.rs",
    "src/sync/memory.rs",
    "src/sync/owned.rs",
    "src/sync/place.rs",
    "src/sync/queue.rs",
    "src/sync/readiness.rs",
    "src/sync/record.rs",
    "src/sync/service.rs",
    "src/sync/settled.rs",
    "src/sync/shape.rs",
    "src/sync/status.rs",
    "src/sync/step.rs",
    "src/sync/timestamp.rs",
    "src/sync/truth.rs",
    "src/sync/uid.rs",
    "src/sync/verdict.rs",
    "src/sync/wanted.rs",
    "src/sync/words.rs",
    "src/sync/link/verdict.rs",
    "src/sync/link/state.rs",
    "src/sync/link/status.rs",
    "src/sync/link/namespace.rs",
    "src/sync/link/assignment.rs",
    "src/sync/lease/names.rs",
    "src/sync/lease/record.rs",
    "src/sync/lease/seen.rs",
    "src/sync/lease/share.rs",
    "src/sync/lease/state.rs",
    "src/ops/explain/build.rs",
    "src/ops/explain/facts.rs",
    "src/ops/explain/fields.rs",
    "src/ops/explain/report.rs",
    "src/ops/explain/services.rs",
    "src/ops/explain/waits.rs",
];

/// What each folder of `src` may import, in the order of the data. `lib.rs` declares them and is not in it.
const FOLDERS: [(&str, &[&str]); 10] = [
    ("model", &[]),
    ("yaml", &["model"]),
    ("compile", &["model", "yaml"]),
    ("plan", &["model", "yaml", "compile"]),
    ("files", &["model", "yaml"]),
    ("cluster", &["model", "yaml", "compile", "plan"]),
    ("sync", &["model", "yaml", "compile", "plan", "cluster"]),
    ("ops", &["model", "yaml", "compile", "plan", "files", "cluster", "sync"]),
    ("cli", &["model", "yaml", "compile", "plan", "files", "cluster", "sync", "ops"]),
    ("main", &["cli"]),
];

/// The same for the folders and files of `src/compile`, in the order in which they may import.
const COMPILE: [(&str, &[&str]); 16] = [
    ("parallel", &[]),
    ("schema", &[]),
    ("values", &["schema"]),
    ("cel", &["schema", "values"]),
    ("validity", &["cel", "schema", "values"]),
    ("derive", &["cel", "schema", "validity", "values"]),
    ("discovered", &[]),
    ("load", &["parallel"]),
    ("resolve", &["derive", "load"]),
    ("route", &["schema", "derive"]),
    ("build", &["schema", "derive", "discovered", "load", "parallel", "resolve", "route", "validity"]),
    ("render", &["build", "discovered", "load", "parallel", "resolve", "route"]),
    ("compiled", &["build", "discovered", "load", "render", "resolve"]),
    ("locking", &["parallel", "schema", "derive", "discovered", "load", "resolve", "validity"]),
    ("fields", &["schema", "derive"]),
    ("mod", &["build", "compiled", "discovered", "load", "resolve"]),
];

/// The parts of the standard library that reach out of the process. Threads do not.
const REACHING_STD: [&str; 6] = ["fs", "net", "env", "process", "io", "os"];

/// More lines of code than this are two subjects. (The aim is 500; this is the wall.)
const LINES: usize = 600;

fn pure_modules_reach_for_nothing() {
    let outside =
        Regex::new(r"\b(kube|kube_\w+|k8s_openapi|tokio|reqwest|hyper|tempfile|jiff|walkdir|ignore|fastrand)::|\b(SystemTime|Instant)\b").unwrap();
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

/// Clocks of machines differ by minutes: sync writes the time for people, in three places, and compares it with nothing.
fn sync_only_writes_what_wall_clocks_say() {
    let clock = Regex::new(r"\b(Timestamp|SystemTime|UNIX_EPOCH|Zoned)\b").unwrap();
    let written = Regex::new(r#"^use (k8s_openapi::)?jiff::Timestamp;$|Timestamp::now\(\)\.strftime\(|format!\("\{:\.6\}", Timestamp::now\(\)\)"#).unwrap();
    let mut files = BTreeSet::new();
    for file in rust_files("src/sync") {
        let code = code_of(&file, Tests::Without);
        for line in code.lines().map(str::trim).filter(|line| clock.is_match(line)) {
            assert!(written.is_match(line), "{}: {line}", file.display());
            files.insert(file.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    assert_eq!(files.into_iter().collect::<Vec<_>>(), ["keeper.rs", "shared.rs", "write.rs"]);
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

fn a_folder_imports_only_those_before_it() {
    let complaints = against(&FOLDERS, |path| Some(first(path)).filter(|folder| *folder != "lib"));
    assert!(complaints.is_empty(), "these imports go against the order of the folders:\n{}", complaints.join("\n"));
}

fn the_compiler_s_folders_import_only_those_before_them() {
    let complaints = against(&COMPILE, |path| path.strip_prefix("compile/").map(first));
    assert!(complaints.is_empty(), "these imports go against the order of the folders:\n{}", complaints.join("\n"));
}

/// The references that a table does not allow. `part` tells to which row a file belongs.
fn against(table: &[(&str, &[&str])], part: impl Fn(&str) -> Option<&str>) -> Vec<String> {
    let mut complaints = BTreeSet::new();
    for reference in sources().references() {
        let (Some(from), Some(to)) = (part(&reference.from), part(&reference.to)) else { continue };
        let row = table.iter().find(|(name, _)| *name == from);
        let allowed = row.is_some_and(|(_, allowed)| allowed.contains(&to));
        if from != to && !allowed {
            let known = if row.is_some() { "" } else { ", which is not in the table" };
            complaints.insert(format!("src/{}:{}: {from}{known} imports {to}", reference.from, reference.line));
        }
    }
    complaints.into_iter().collect()
}

/// The folder of a path below `src`, or the file without its ending.
fn first(path: &str) -> &str {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

fn no_files_import_each_other_in_a_circle() {
    let references = sources().references();
    let mut complaints = Vec::new();
    for circle in circles(&references) {
        let inside =
            |reference: &&Reference| circle.contains(reference.from.as_str()) && circle.contains(reference.to.as_str());
        let lines = references.iter().filter(inside);
        complaints.extend(lines.map(|r| format!("src/{}:{}: src/{}", r.from, r.line, r.to)));
        complaints.push(String::new());
    }
    assert!(complaints.is_empty(), "these files import each other in circles:\n{}", complaints.join("\n"));
}

fn references_are_seen_and_followed() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = Crate::new([
        file("lib.rs", "pub mod a; mod b;"),
        file("a/mod.rs", "mod x; pub use x::{Deep as Renamed}; pub struct Own; fn f() { x::g(); }"),
        file("a/x.rs", "use super::Own;\npub struct Deep; pub fn g() {}"),
        file(
            "b.rs",
            "use crate::{a::{self, Own}};\n// crate::a::x::Comment\nfn f() {\n  vec![a::Renamed];\n}\n\
            mod tests {\n  use super::f;\n  use super::super::a::x::g;\n}",
        ),
        file("main.rs", "fn main() { carrier::b::f() }"),
    ]);
    let found: Vec<String> =
        files.references().into_iter().map(|r| format!("{}:{} {}", r.from, r.line, r.to)).collect();
    let wanted = [
        "a/mod.rs:1 a/x.rs",
        "a/x.rs:1 a/mod.rs",
        "b.rs:1 a/mod.rs",
        "b.rs:4 a/x.rs",
        "b.rs:8 a/x.rs",
        "main.rs:1 b.rs",
    ];
    assert_eq!(found, wanted);
    assert_eq!(circles(&files.references()), [] as [BTreeSet<&str>; 0], "a module and its part are no circle");
    let round = Crate::new([
        file("a.rs", "use crate::b::B; pub struct A;"),
        file("b.rs", "use crate::c::C; pub struct B;"),
        file("c.rs", "pub struct C; fn f() -> crate::a::A { todo!() }"),
        file("d.rs", "use crate::{a::A, b::B};"),
    ]);
    assert_eq!(circles(&round.references()), [BTreeSet::from(["a.rs", "b.rs", "c.rs"])]);
    assert!(sources().references().len() > 300, "the references of src are found");
}

/// A file that `main.rs` does not declare is not compiled, and a test that has `#[test]` is not run:
/// the two binaries have harnesses of their own. (A module without its line in `main` is dead code.)
fn no_test_file_is_forgotten() {
    let declared =
        Regex::new(r#"(?m)^(?:#\[path = "(?<path>[^"]+)"\]\s*)?(?:pub |pub\(crate\) )?mod (?<name>\w+);"#).unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut known = BTreeSet::new();
    let mut open = vec![tests.join("it/main.rs"), tests.join("servers/main.rs")];
    while let Some(file) = open.pop() {
        let folder = file.parent().unwrap();
        for module in declared.captures_iter(&read(&file)) {
            let stem = &file.file_stem().unwrap().to_string_lossy();
            let inside = if matches!(&**stem, "main" | "mod") { folder.to_owned() } else { folder.join(&**stem) };
            let name = &module["name"];
            let places = match module.name("path") {
                Some(path) => vec![folder.join(path.as_str())],
                None => vec![inside.join(format!("{name}.rs")), inside.join(name).join("mod.rs")],
            };
            open.extend(places.into_iter().filter(|place| place.exists()));
        }
        known.insert(file.canonicalize().unwrap());
    }
    let libtest = Regex::new(r"(?m)^\s*#\[(tokio::)?test\]").unwrap();
    let mut complaints = Vec::new();
    for file in rust_files("tests") {
        if !known.contains(&file.canonicalize().unwrap()) {
            complaints.push(format!("{} is a module of neither binary", file.display()));
        }
        if libtest.is_match(&read(&file)) {
            complaints.push(format!("{} has #[test]; list the function in `cases`", file.display()));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Each folder of `testdata` and of `fuzz/seeds` is named by a test.
fn no_test_data_is_forgotten() {
    let tests: String = rust_files("tests").iter().map(|file| read(file)).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap());
        entries.filter(|e| e.path().is_dir()).map(|e| e.file_name().into_string().unwrap()).collect()
    };
    let data = folders("testdata").into_iter().filter(|name| !tests.contains(&format!("testdata/{name}")));
    let seeds = folders("fuzz/seeds").into_iter().filter(|name| !tests.contains(&format!("run(\"{name}\"")));
    let unused: Vec<String> = data.chain(seeds).collect();
    assert!(unused.is_empty(), "no test uses {}", unused.join(", "));
}

/// The files of `src`, by their paths below it.
fn sources() -> Crate {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let path = |file: &Path| file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
    Crate::new(rust_files("src").iter().map(|file| (path(file), read(file))))
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
