//! Bad input, as the user who made it meets it: one folder of `testdata/bad` a
//! mistake, with the whole transcript of the command that finds it.
//!
//! A folder is called after the diagnostic it shows (`CAR0102-duplicate-key`); one
//! without a code in its name shows several together, or what must not break
//! anything. `testdata/bad/README.md` says what is in a folder.
//! `CARRIER_UPDATE=1 cargo test --test it bad_input` writes the transcripts anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::command::carrier;
use crate::common::{self, package};
use crate::harness::Case;
use carrier::diagnostic::{Code, codes};
use carrier::diagnostic::{Diagnostics, Severity};
use carrier::locking::snapshots;
use carrier::source::FileId;
use carrier::text as yaml;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        every_mistake_is_shown_with_code_place_and_mend,
        every_diagnostic_has_a_fixture,
        every_diagnostic_can_be_explained,
        the_base_is_sound,
    ]
}

/// The sound repository that every fixture is laid over.
const BASE: &str = "_base";
/// Codes that no line of a file in the repository stands for.
const PLACELESS: &[&str] = &["CAR0007", "CAR0008", "CAR0009", "CAR0010"];
/// Codes that no input can be written for, and why.
const NO_FIXTURE: &[(&str, &str)] = &[
    ("CAR0234", "it says that a check of carrier's own is missing"),
    ("CAR0343", "its snapshot would have 1.5 MiB: tests/servers/busy.rs shows it"),
    ("CAR0601", SERVERS),
    ("CAR0602", SERVERS),
    ("CAR0603", SERVERS),
    ("CAR0604", SERVERS),
    ("CAR0605", SERVERS),
    ("CAR0606", SERVERS),
    ("CAR0607", SERVERS),
    ("CAR0608", SERVERS),
    ("CAR0609", SERVERS),
    ("CAR0610", SERVERS),
    ("CAR0611", SERVERS),
    ("CAR0612", SERVERS),
    ("CAR0613", SERVERS),
];
const SERVERS: &str = "it is about clusters: tests/servers/lock.rs shows it";

fn every_mistake_is_shown_with_code_place_and_mend() {
    let only = std::env::var("CARRIER_FIXTURE").unwrap_or_default();
    let mut failures = Vec::new();
    for name in fixtures().into_iter().filter(|name| name.contains(&only)) {
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&name)));
        match outcome {
            Ok(found) => failures.extend(found.into_iter().map(|what| format!("{name}: {what}"))),
            Err(panic) => failures.push(format!("{name}: panics: {}", words_of(panic.as_ref()))),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn every_diagnostic_has_a_fixture() {
    let shown: BTreeSet<String> = fixtures().iter().filter_map(|name| code_of(name)).collect();
    let missing: Vec<&str> = codes::all()
        .map(|code| code.id)
        .filter(|id| !shown.contains(*id) && NO_FIXTURE.iter().all(|(known, _)| known != id))
        .collect();
    assert!(missing.is_empty(), "no fixture for {}", missing.join(", "));
    for id in &shown {
        assert!(codes::find(id).is_some(), "there is no diagnostic {id}");
    }
    for (id, why) in NO_FIXTURE {
        assert!(codes::find(id).is_some() && !shown.contains(*id), "{id} is listed as without fixture: {why}");
    }
}

fn every_diagnostic_can_be_explained() {
    for code in codes::all() {
        let run = carrier(Path::new("."), &["explain", code.id]);
        let text = run.transcript();
        assert!(text.ends_with("--- exit 0\n"), "{text}");
        assert!(run.out.contains(code.id) && run.out.contains(code.title), "{text}");
    }
}

fn the_base_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    copy(&bad(BASE), &root);
    let run = carrier(&root, &["check"]);
    assert!(!run.transcript().contains("[CAR"), "{}", run.transcript());
}

/// The names of all fixtures.
fn fixtures() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(bad(""))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir() && entry.file_name() != BASE)
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn bad(name: &str) -> PathBuf {
    package("testdata/bad").join(name)
}

/// The code that a fixture is called after.
fn code_of(name: &str) -> Option<String> {
    name.starts_with("CAR0").then(|| name.chars().take(7).collect())
}

/// Runs a fixture; says everything that is not as it should be.
fn check(name: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    // Below the temporary folder, whose own files are then nobody's.
    let root = dir.path().canonicalize().unwrap().join("repo");
    copy(&bad(BASE), &root);
    copy(&bad(name).join("in"), &root);
    build(name, &root);
    lock(name, &root);

    let before = content(&root);
    let commands = fs::read_to_string(bad(name).join("cmd")).unwrap_or_else(|_| "check".to_owned());
    let mut transcript = String::new();
    for command in commands.lines() {
        let args: Vec<&str> = command.split_whitespace().collect();
        let text = carrier(&root, &args).transcript().replace(&root.display().to_string(), "<root>");
        write!(transcript, "$ carrier {command}\n{text}").unwrap();
    }

    let mut wrong = Vec::new();
    if content(&root) != before {
        wrong.push("the repository was changed".to_owned());
    }
    if transcript.contains("panicked") || transcript.contains("this is a bug") {
        wrong.push("it ends in a bug".to_owned());
    }
    if transcript.chars().any(|c| c.is_control() && c != '\n') {
        wrong.push("a control character gets to the terminal".to_owned());
    }
    wrong.extend(tone(&transcript));
    match code_of(name).as_deref().map(codes::find) {
        Some(Some(code)) => wrong.extend(shows(code, &transcript)),
        Some(None) => wrong.push("there is no such diagnostic".to_owned()),
        None => {}
    }
    wrong.extend(differs(name, &transcript));
    wrong
}

/// A fixture with CRDs of its own has them locked, unless it is about the lock. Not
/// with `carrier lock`, which takes no CRD that cannot be offered.
fn lock(name: &str, root: &Path) {
    let own = bad(name).join("in");
    if !own.join("snapshots").exists() || own.join("carrier.lock").exists() || name.starts_with("CAR05") {
        return;
    }
    let mut crds = String::new();
    for (path, bytes) in content(&root.join("snapshots/team-a/eu-west-1")) {
        let mut found = Diagnostics::default();
        let documents = yaml::read(FileId(0), std::str::from_utf8(&bytes).unwrap(), &mut found);
        let crd = path.file_stem().unwrap().to_str().unwrap();
        let hash = snapshots::hash(&documents[0].root.to_json());
        writeln!(crds, "      {crd}:\n        origin: file\n        sha256: {hash}").unwrap();
    }
    let base = fs::read_to_string(root.join("carrier.lock")).unwrap();
    let (head, rest) = base.split_once("    crds:\n").unwrap();
    let tail = &rest[rest.find("    namespaces:").unwrap()..];
    fs::write(root.join("carrier.lock"), format!("{head}    crds:\n{crds}{tail}")).unwrap();
}

/// Whether a diagnostic of this code is there as it should be.
fn shows(code: &Code, transcript: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let head = format!("[{}]: ", code.id);
    let blocks: Vec<&str> = transcript.split("\n\n").filter(|block| block.contains(&head)).collect();
    if blocks.is_empty() {
        wrong.push(format!("{} is not reported", code.id));
    }
    for block in blocks {
        if !PLACELESS.contains(&code.id) && !has_place(block) {
            wrong.push(format!("{} has no file:line:column", code.id));
        }
        if !block.contains("\n  help: ") || block.contains(&format!("  help: {}\n", code.title)) {
            wrong.push(format!("{} does not say how to mend it", code.id));
        }
    }
    let expected = i32::from(code.severity == Severity::Error);
    if !transcript.ends_with(&format!("--- exit {expected}\n")) {
        wrong.push(format!("the exit status is not {expected}"));
    }
    wrong
}

/// `╭─[accounts/team-a.yaml:3:9]`
fn has_place(block: &str) -> bool {
    block.lines().filter_map(|line| line.trim().strip_prefix("╭─[")?.strip_suffix(']')).any(|place| {
        let mut parts = place.rsplitn(3, ':');
        let mut number = || parts.next().is_some_and(|n| n.parse::<u32>().is_ok());
        number() && number() && parts.next().is_some_and(|file| !file.is_empty())
    })
}

/// Messages and ways to mend are short sentences of one tone: no dot at their
/// end, and no capital at their beginning unless a kind or a name begins them.
fn tone(transcript: &str) -> Vec<String> {
    let said = transcript.lines().filter_map(|line| {
        let line = line.trim_start();
        line.split_once("]: ")
            .filter(|(head, _)| head.contains("[CAR"))
            .or_else(|| line.split_once(": "))
            .and_then(|(head, text)| (head.contains("[CAR") || matches!(head, "help" | "note")).then_some(text))
    });
    let capital = |text: &str| {
        let first: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
        let mut rest = first.chars();
        rest.next().is_some_and(char::is_uppercase) && rest.all(char::is_lowercase) && !is_kind(&first)
    };
    said.filter(|text| text.ends_with('.') || capital(text)).map(|text| format!("not in tone: {text}")).collect()
}

fn is_kind(word: &str) -> bool {
    ["Secret", "Kubernetes"].contains(&word) || carrier::kinds::KINDS.iter().any(|info| info.kind == word)
}

fn differs(name: &str, transcript: &str) -> Option<String> {
    let path = format!("testdata/bad/{name}/expected.txt");
    catch_unwind(AssertUnwindSafe(|| common::golden(&path, transcript)))
        .err()
        .map(|panic| format!("\n{}", words_of(panic.as_ref())))
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default()
}

/// Copies a folder over another; `x.remove` takes `x` away. A folder that is not there is empty.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let Ok(entries) = fs::read_dir(from) else { return };
    for entry in entries.map(|e| e.unwrap()) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else if source.extension().is_some_and(|e| e == "remove") {
            fs::remove_file(target.with_extension("")).unwrap();
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

/// Every file, folder and link below a folder, with what is in it.
fn content(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap().map(|e| e.unwrap()) {
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            let bytes = if kind.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if kind.is_file() {
                fs::read(&path).unwrap()
            } else {
                format!("{kind:?}").into_bytes()
            };
            found.insert(path.clone(), bytes);
            if kind.is_dir() {
                walk(&path, found);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, &mut found);
    found
}

/// What Git cannot hold, or nobody wants in it.
fn build(name: &str, root: &Path) {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    const MIB: usize = 1024 * 1024;
    let write = |file: &str, text: &str| fs::write(root.join(file), text).unwrap();
    match name {
        "CAR0001-not-a-file" => {
            std::os::unix::net::UnixListener::bind(root.join("agent.yaml")).unwrap();
        }
        "CAR0002-latin-1" => {
            fs::write(root.join("latin.yaml"), b"# Caf\xe9\n").unwrap();
        }
        // As `>` of Windows PowerShell writes it.
        "CAR0002-utf-16" => {
            let words = "\u{feff}apiVersion: v1\r\nkind: ConfigMap\r\n";
            let bytes: Vec<u8> = words.encode_utf16().flat_map(u16::to_le_bytes).collect();
            fs::create_dir(root.join(".given")).unwrap();
            fs::write(root.join(".given/release.yaml"), &bytes).unwrap();
            fs::write(root.join("config.yaml"), &bytes).unwrap();
        }
        "CAR0003-file-too-large" => {
            fs::File::create(root.join("large.yaml")).unwrap().set_len(32 * MIB as u64 + 1).unwrap();
        }
        "CAR0004-link-out" => {
            fs::write(root.with_file_name("secret.yaml"), "kind: Secret\n").unwrap();
            symlink("../secret.yaml", root.join("clusters.yaml")).unwrap();
        }
        "CAR0004-link-nowhere" => symlink("gone.yaml", root.join("clusters.yaml")).unwrap(),
        "CAR0005-link-to-folder" => {
            fs::create_dir(root.join("catalogs")).unwrap();
            symlink("..", root.join("catalogs/all")).unwrap();
        }
        "CAR0007-file-name" => {
            write("one\ntwo.yaml", "");
            write("c:\\catalog.yaml", "");
            fs::write(root.join(std::ffi::OsStr::from_bytes(b"caf\xe9.yaml")), "").unwrap();
        }
        "CAR0008-too-many-files" => {
            let folder = root.join("many");
            fs::create_dir(&folder).unwrap();
            // Links to few files are made faster than files; a file takes no more than 65,000.
            for i in 0..=100_000 {
                let link = folder.join(format!("{i}.yaml"));
                match i % 50_000 {
                    0 => fs::write(link, "").unwrap(),
                    rest => fs::hard_link(folder.join(format!("{}.yaml", i - rest)), link).unwrap(),
                }
            }
        }
        "CAR0108-alias-bomb" => {
            let mut text = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
            for i in 1..10 {
                let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
                writeln!(text, "a{i}: &a{i} [{aliases}]").unwrap();
            }
            write("bomb.yaml", &text);
        }
        "CAR0109-20000-brackets" => write("deep.yaml", &"[".repeat(20_000)),
        "CAR0110-too-many-values" => write("values.yaml", &"- 1\n".repeat(1_000_001)),
        "a-file-of-30-mib" => {
            let line = "    all work and no play makes a dull file\n";
            let head = "apiVersion: v1 # of kubecarrier.io\nkind: ConfigMap\ndata:\n  text: |\n";
            write("large.yaml", &format!("{head}{}kind: again\n", line.repeat(30 * MIB / line.len())));
        }
        "a-line-of-1-mib" => {
            let long = "x漢".repeat(MIB / 4);
            let metadata = format!("{{displayName: Team A, description: {long}, logo: 漢, short: x}}");
            let accounts = fs::read_to_string(root.join("accounts.yaml")).unwrap();
            write("accounts.yaml", &accounts.replacen("\n    displayName: Team A", &format!(" {metadata}"), 1));
        }
        _ => {}
    }
}
