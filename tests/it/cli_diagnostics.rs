//! The four renderers, over diagnostics made by hand: one for everything that
//! a renderer has ever got wrong.

use crate::common::golden;
use crate::harness::Case;
use carrier::diagnostic::Code;
use carrier::diagnostic::{Diagnostic, Diagnostics, Severity};
use carrier::program::{Suggestions, Summary, github, json, sarif, text};
use carrier::source::{FileId, SourceFile, Sources, Span};
use serde_json::Value;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        text_shows_place_cause_and_mend,
        colour_adds_nothing_but_colour,
        json_has_the_promised_members,
        annotations_are_escaped,
        a_step_gets_ten_annotations_of_a_kind_and_a_full_summary,
        a_summary_stays_below_githubs_limit,
        sarif_is_what_code_scanning_takes,
        a_fingerprint_survives_a_move_of_the_lines,
        a_run_holds_at_most_25_000_results_the_worst_ones,
        summaries_are_sentences,
        a_sensitive_file_shows_no_text,
        any_span_is_shown,
        a_thousand_diagnostics_in_a_large_file,
    ]
}

static WRONG: Code = Code {
    id: "CAR9901",
    severity: Severity::Error,
    title: "something is wrong",
    explanation: "A sentence.\n\nBad:\n\n```yaml\na: b\n```",
};
static ODD: Code = Code { id: "CAR9902", severity: Severity::Warning, title: "something is odd", explanation: "Odd." };
static NICE: Code = Code { id: "CAR9903", severity: Severity::Info, title: "good to know", explanation: "Nice." };
static SECRET: Code =
    Code { id: "CAR0899", severity: Severity::Error, title: "a secret lies open", explanation: "Hide it." };

/// Files by path and text.
fn sources(files: &[(&str, &str)]) -> Sources {
    Sources::new(files.iter().map(|(p, t)| SourceFile { path: (*p).into(), text: (*t).into() }).collect())
}

/// The place of `needle` in the file at `path`.
fn at(sources: &Sources, path: &str, needle: &str) -> Span {
    let (id, file) = sources.by_path(path).unwrap();
    let start = file.text.find(needle).unwrap_or_else(|| panic!("no {needle:?} in {path}"));
    Span::new(id, start, start + needle.len())
}

fn options() -> text::Options<'static> {
    static SUGGESTIONS: Suggestions = Suggestions::of("carrier");
    text::Options { width: 100, color: false, suggestions: &SUGGESTIONS }
}

fn as_text(list: &[Diagnostic], sources: &Sources) -> String {
    let mut out = Vec::new();
    text::write(&mut out, list, sources, options()).unwrap();
    text::write_summary(&mut out, list, sources, options()).unwrap();
    String::from_utf8(out).unwrap()
}

/// The files and diagnostics that all formats are shown with.
fn sample() -> (Vec<Diagnostic>, Sources) {
    let icon = format!("spec:\n  icon: {}oops{}\n  x: 1\n", "QUJD".repeat(3000), "REVG".repeat(3000));
    let block = format!("spec:\n  a:\n{}  z: 1\n", "    - item\n".repeat(20));
    let sources = sources(&[
        ("accounts/acme.yaml", "metadata:\n\tname: acme\n  displayName: \"漢字 ok\" # é\n"),
        ("catalogs/block.yaml", &block),
        ("catalogs/crlf.yaml", "a: 1\r\nb: two\r\nc: 3\r\n"),
        (
            "catalogs/db.yaml",
            "spec:\n  derive:\n    expose:\n    - versions: [v1beta2]\n      fields:\n      - jsonPath: .spec\n      - jsonPath: .spec.size\n",
        ),
        ("catalogs/empty.yaml", ""),
        ("catalogs/icon.yaml", &icon),
        ("hostile\u{1b}[31m.yaml", "name: \u{1b}[2J\u{1b}[Hall is well\u{7}\u{202e}txet\n"),
        ("secrets/kubeconfig.yaml", "data:\n  password: aHVudGVyMg==\n"),
        ("snapshots/db.yaml", "versions:\n- name: v1\n  served: true\n"),
    ]);
    let db = |needle| at(&sources, "catalogs/db.yaml", needle);
    let crlf = |needle| at(&sources, "catalogs/crlf.yaml", needle);
    let empty = sources.by_path("catalogs/empty.yaml").unwrap().0;
    let (tail, tail_file) = sources.by_path("snapshots/db.yaml").unwrap();
    let mut list = Diagnostics::default();
    list.push(
        Diagnostic::new(&WRONG, db("v1beta2"), "the entry selects version `v1beta2`, which the CRD does not serve")
            .at("not served by dbs.example.com")
            .label(at(&sources, "snapshots/db.yaml", "v1"), "the only served version")
            .on("CatalogEntrySet/team-a/db", "/spec/derive/expose/0/versions/0")
            .help("use `v1`")
            .help("or take the CRD anew with `carrier lock`")
            .note("the CRD comes from the snapshot\nof yesterday"),
    );
    list.push(
        Diagnostic::new(&ODD, db(".spec\n"), "the field is covered by another")
            .at("this one covers")
            .label(db(".spec.size"), "this one is covered"),
    );
    list.push(Diagnostic::new(&NICE, at(&sources, "accounts/acme.yaml", "漢字"), "wide characters").at("two of them"));
    list.push(Diagnostic::new(&WRONG, at(&sources, "accounts/acme.yaml", "\tname"), "a tab indents").at("here"));
    list.push(Diagnostic::new(&ODD, crlf("two"), "a file of another system"));
    list.push(Diagnostic::new(&ODD, crlf("b: two\r\nc: 3"), "over two lines").at("all of this"));
    list.push(Diagnostic::new(&WRONG, Span::file_start(empty), "the file is empty").help("write something"));
    list.push(
        Diagnostic::new(&WRONG, Span::new(tail, tail_file.text.len(), tail_file.text.len()), "ends too soon")
            .at("more was expected"),
    );
    list.push(Diagnostic::new(&WRONG, at(&sources, "catalogs/icon.yaml", "oops"), "not base64").at("here"));
    list.push(Diagnostic::new(&ODD, at(&sources, "catalogs/block.yaml", &block["spec:\n".len()..]), "a long block"));
    list.push(
        Diagnostic::new(&WRONG, at(&sources, "hostile\u{1b}[31m.yaml", "all is well"), "a name with \u{1b}[2J in it")
            .at("\u{9b}31m")
            .help("say it\n\u{1b}[8mplainly"),
    );
    list.push(
        Diagnostic::new(&SECRET, at(&sources, "secrets/kubeconfig.yaml", "aHVudGVyMg=="), "a password lies open")
            .at("refer to it"),
    );
    list.push(Diagnostic::unplaced(&WRONG, "there is no object in the repository").help("run `carrier init`"));
    (list.into_sorted(), sources)
}

fn text_shows_place_cause_and_mend() {
    let (list, sources) = sample();
    let text = as_text(&list, &sources);
    golden("testdata/diagnostics/sample.txt", &text);
    assert!(!text.contains('\u{1b}'), "no escape sequence of the input reaches the terminal");
    assert!(!text.contains("hunter") && !text.contains("aHVudGVyMg"), "no secret is shown");
    assert!(text.lines().all(|l| l.chars().count() < 130), "long lines are cut");
}

fn colour_adds_nothing_but_colour() {
    let (list, sources) = sample();
    let mut out = Vec::new();
    text::write(&mut out, &list, &sources, text::Options { color: true, ..options() }).unwrap();
    let colored = String::from_utf8(out).unwrap();
    assert!(colored.contains("\u{1b}["));
    let plain = anstream::adapter::strip_str(&colored).to_string();
    let (body, _) = as_text(&list, &sources).rsplit_once("\n\n").map(|(b, s)| (b.to_owned(), s.to_owned())).unwrap();
    assert_eq!(plain, body + "\n\n");
}

fn json_has_the_promised_members() {
    let (list, sources) = sample();
    let mut out = Vec::new();
    json::write(&mut out, &list, &sources).unwrap();
    let text = String::from_utf8(out).unwrap();
    golden("testdata/diagnostics/sample.json", &text);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["format_version"], "1.0");
    for entry in document["diagnostics"].as_array().unwrap() {
        for member in ["code", "severity", "file", "line", "column", "message", "help"] {
            assert!(entry.get(member).is_some(), "{member} in {entry}");
        }
    }
}

fn annotations_are_escaped() {
    let (list, sources) = sample();
    let mut out = Vec::new();
    github::write(&mut out, &list, &sources, "examples/db/").unwrap();
    golden("testdata/diagnostics/sample.github", &String::from_utf8(out).unwrap());
    golden("testdata/diagnostics/sample.md", &github::markdown(&list, &sources));
}

fn a_step_gets_ten_annotations_of_a_kind_and_a_full_summary() {
    let sources = sources(&[("a.yaml", &"x: 1\n".repeat(30))]);
    let list: Vec<Diagnostic> = (0..12)
        .map(|n| Diagnostic::new(&WRONG, Span::new(FileId(0), n * 5, n * 5 + 1), format!("number {n}")))
        .chain((0..10).map(|n| Diagnostic::new(&ODD, Span::new(FileId(0), n * 5, n * 5 + 1), format!("odd {n}"))))
        .collect();
    let mut out = Vec::new();
    github::write(&mut out, &list, &sources, "").unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.lines().filter(|l| l.starts_with("::error ")).count(), 10);
    assert_eq!(out.lines().filter(|l| l.starts_with("::warning ")).count(), 10);
    assert!(out.contains("::error title=carrier::3 more"), "{out}");

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("summary.md");
    std::fs::write(&path, "before\n").unwrap();
    github::append_summary(&path, &list, &sources).unwrap();
    let summary = std::fs::read_to_string(&path).unwrap();
    assert!(summary.starts_with("before\n### carrier: 12 errors, 10 warnings in 1 file\n"), "{summary}");
    assert_eq!(summary.matches("| number ").count(), 12);
}

fn a_summary_stays_below_githubs_limit() {
    let sources = sources(&[("a.yaml", "x: 1\n")]);
    let one = Diagnostic::new(&WRONG, Span::new(FileId(0), 0, 1), "long ".repeat(100));
    let text = github::markdown(&vec![one; 5000], &sources);
    assert!(text.len() < 1 << 20);
    assert!(text.trim_end().ends_with("more do not fit here."));
}

fn sarif_is_what_code_scanning_takes() {
    let (list, sources) = sample();
    let log = sarif::log(&list, &sources, "examples/db/");
    golden("testdata/diagnostics/sample.sarif", &(serde_json::to_string_pretty(&log).unwrap() + "\n"));
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "carrier");
    let rules = driver["rules"].as_array().unwrap();
    for rule in rules {
        assert!(rule["id"].is_string() && rule["shortDescription"]["text"].is_string());
        assert!(!rule["help"]["text"].as_str().unwrap().is_empty());
    }
    let mut prints = std::collections::BTreeSet::new();
    for result in run["results"].as_array().unwrap() {
        assert_eq!(rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        for location in result["locations"].as_array().unwrap() {
            let physical = &location["physicalLocation"];
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            assert!(uri.starts_with("examples/db/") && !uri.contains(' '), "{uri}");
            if let Some(region) = physical.get("region") {
                let n = |m: &str| region[m].as_u64().unwrap();
                assert!(n("startLine") >= 1 && n("startColumn") >= 1);
                assert!((n("startLine"), n("startColumn")) <= (n("endLine"), n("endColumn")));
            }
        }
        for related in result.get("relatedLocations").and_then(Value::as_array).into_iter().flatten() {
            assert!(related["id"].is_u64() && related["physicalLocation"]["artifactLocation"]["uri"].is_string());
        }
        assert!(prints.insert(result["partialFingerprints"]["carrier/v1"].as_str().unwrap().to_owned()));
    }
    assert!(!log.to_string().contains("aHVudGVyMg"));
}

fn a_fingerprint_survives_a_move_of_the_lines() {
    let print = |text: &str| {
        let sources = sources(&[("a.yaml", text)]);
        let one = Diagnostic::new(&WRONG, at(&sources, "a.yaml", "bad"), "no").on("Account/a", "/spec/x");
        sarif::log(&[one], &sources, "")["runs"][0]["results"][0]["partialFingerprints"].clone()
    };
    assert_eq!(print("x: bad\n"), print("# new\n\nx: bad\n"));
}

fn a_run_holds_at_most_25_000_results_the_worst_ones() {
    let sources = sources(&[("a.yaml", "x: 1\n")]);
    let span = Span::new(FileId(0), 0, 1);
    let mut list = vec![Diagnostic::new(&ODD, span, "odd"); 25_000];
    list.push(Diagnostic::new(&WRONG, span, "wrong"));
    let log = sarif::log(&list, &sources, "");
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 25_000);
    assert_eq!(run["results"][0]["level"], "error");
    let note = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
    assert!(note.starts_with("1 more result"), "{note}");
}

fn summaries_are_sentences() {
    let sources = sources(&[("a.yaml", "")]);
    let sentence = |list: &[Diagnostic]| Summary::of(list, &sources).sentence();
    let span = Span::file_start(FileId(0));
    assert_eq!(sentence(&[]), "no problems in 1 file");
    let (e, w) = (Diagnostic::new(&WRONG, span, "x"), Diagnostic::new(&ODD, span, "x"));
    assert_eq!(sentence(&[e.clone(), e, w]), "2 errors, 1 warning in 1 file");
}

/// A place marked as sensitive is shown without its text, and so is every other place in that file.
fn a_sensitive_file_shows_no_text() {
    let sources = sources(&[("a.yaml", "key: hunter2\nother: hunter3\n"), ("b.yaml", "fine: text\n")]);
    let mut one = Diagnostic::new(&WRONG, at(&sources, "a.yaml", "hunter2"), "no")
        .label(at(&sources, "a.yaml", "hunter3"), "nor this")
        .label(at(&sources, "b.yaml", "text"), "but this");
    one.hide(at(&sources, "a.yaml", "key").file);
    let text = as_text(std::slice::from_ref(&one), &sources);
    assert!(!text.contains("hunter") && text.contains("a.yaml:1:6") && text.contains("fine: text"), "{text}");
}

/// No place, however wrong, makes a renderer panic or lose a diagnostic.
fn any_span_is_shown() {
    let sources = sources(&[("a.yaml", "é: 漢\r\n\r\n\tx\n"), ("b.yaml", ""), ("c.yaml", "x")]);
    for file in 0..4 {
        for start in 0..16 {
            for end in 0..16 {
                let span = Span::new(FileId(file), start, end);
                let other = Span::new(FileId((file + 1) % 4), end, start);
                let one = Diagnostic::new(&WRONG, span, "m").at("here").label(other, "there");
                let text = as_text(std::slice::from_ref(&one), &sources);
                assert!(text.starts_with("error[CAR9901]: m\n"), "{text}");
                assert!(text.contains("here") && text.contains("there"), "{span:?}\n{text}");
                assert!(!text.contains("Failed to read"), "{text}");
                json::write(&mut Vec::new(), std::slice::from_ref(&one), &sources).unwrap();
                github::write(&mut Vec::new(), std::slice::from_ref(&one), &sources, "").unwrap();
                let _ = sarif::log(std::slice::from_ref(&one), &sources, "");
            }
        }
    }
}

/// What a diagnostic costs does not depend on the size of its file: with a scan
/// of the text for each this would read 30 GB.
fn a_thousand_diagnostics_in_a_large_file() {
    let line = "  - jsonPath: .spec.some.field.of.a.large.catalog # é\n";
    let text = line.repeat(10_000_000 / line.len());
    let one_line = "é".repeat(5_000_000);
    let sources = sources(&[("a.yaml", &text), ("b.yaml", &one_line)]);
    let list: Vec<Diagnostic> = (0..1000)
        .flat_map(|n| {
            let start = n * 9000 / 2 * 2;
            let b = Span::new(FileId(1), start, start + 4);
            [
                Diagnostic::new(&WRONG, Span::new(FileId(0), start, start + 4), "x").label(b, "y"),
                Diagnostic::new(&ODD, b, "z"),
            ]
        })
        .collect();
    assert_eq!(as_text(&list, &sources).matches("CAR9901]").count(), 1000);
    for format in [sarif::write, github::write] {
        format(&mut std::io::sink(), &list, &sources, "").unwrap();
    }
    json::write(&mut std::io::sink(), &list, &sources).unwrap();
}
