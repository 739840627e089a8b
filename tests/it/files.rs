//! Reading a repository's folder, and writing a folder that carrier owns.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use carrier::repository::{Difference, DifferenceKind, Written, check, plan_write};
use carrier::repository::{
    DifferenceKind::Changed, DifferenceKind::Edited, DifferenceKind::Missing, DifferenceKind::Stale,
    DifferenceKind::StaleEdited,
};
use carrier::repository::{FilesError, MANIFEST};
use carrier::repository::{ReadOptions, read_paths, read_repository};
use tempfile::TempDir;

use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        what_is_read_is_yaml_in_order_of_path,
        a_manifest_hides_no_sources_without_a_word,
        a_check_reads_regular_files_of_a_bounded_size_only,
        ignore_files_count_without_git_too,
        ignore_files_above_the_root_count_up_to_the_git_root_only,
        a_bad_pattern_is_said,
        what_cannot_be_text_is_said_and_nothing_else_is_lost,
        links_never_lead_out_of_the_repository,
        pipes_and_odd_names_are_refused,
        an_absent_folder_is_an_error_and_not_an_empty_repository,
        files_that_a_user_names_are_read_wherever_they_lie,
        only_what_differs_is_written_and_only_what_is_ours_removed,
        the_manifest_says_what_is_there_and_nothing_of_the_machine,
        a_folder_of_somebody_else_is_refused,
        a_file_of_somebody_else_in_the_way_is_refused,
        edits_by_hand_are_told_apart_and_undone,
        line_ends_do_not_count,
        a_file_becomes_a_folder_and_back,
        paths_that_leave_the_folder_are_refused,
        nothing_is_written_or_removed_through_a_link,
        the_output_folder_of_the_settings_is_reached_through_no_link,
        a_manifest_is_not_trusted_with_paths,
        a_run_that_was_cut_short_is_finished_by_the_next,
    ]
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        put(dir.path(), path, text);
    }
    dir
}

fn put(dir: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn read(dir: &Path) -> (Vec<String>, Vec<String>) {
    read_with(dir, &ReadOptions::default())
}

/// The paths read, and the diagnostics as `CODE path: message`.
fn read_with(dir: &Path, options: &ReadOptions) -> (Vec<String>, Vec<String>) {
    let (sources, diagnostics) = read_repository(dir, options).unwrap();
    let paths = sources.iter().map(|(_, f)| f.path.clone()).collect();
    let complaints = diagnostics
        .into_sorted()
        .into_iter()
        .map(|d| {
            assert!(!d.help.is_empty(), "{d:?}");
            let path = d.primary.as_ref().map_or("-", |l| sources.path(l.span));
            format!("{} {path}: {}", d.code.id, d.message)
        })
        .collect();
    (paths, complaints)
}

fn what_is_read_is_yaml_in_order_of_path() {
    let dir = tree(&[
        ("b.yaml", ""),
        ("carrier.yaml", ""),
        ("carrier.lock", ""),
        ("a/z.yml", ""),
        ("a/readme.md", ""),
        ("a/carrier.lock", ""),
        ("a-b.yaml", ""),
        (".hidden.yaml", ""),
        (".github/workflows/ci.yaml", ""),
        (".git/x.yaml", ""),
        ("out/x.yaml", ""),
        ("generated/.carrier-manifest.json", r#"{"version":1,"files":{"deep/x.yaml":"00"}}"#),
        ("generated/deep/x.yaml", ""),
        ("generated/.git/y.yaml", ""),
    ]);
    let (paths, complaints) = read_with(dir.path(), &ReadOptions { exclude: vec!["./out/".into()] });
    assert_eq!(paths, ["a-b.yaml", "a/z.yml", "b.yaml", "carrier.lock", "carrier.yaml"]);
    let left_out =
        "CAR0009 -: `generated` is not read: by its `.carrier-manifest.json` it was written by `carrier render`";
    assert_eq!(complaints, [left_out]);
}

fn a_manifest_hides_no_sources_without_a_word() {
    let dir = tree(&[
        ("a/.carrier-manifest.json", r#"{"version":1,"files":{}}"#),
        ("a/b/account.yaml", ""),
        ("a/c.yml", ""),
        ("a/readme.md", ""),
        ("b/.carrier-manifest.json", "{}"),
        ("b/account.yaml", ""),
        ("d/account.yaml", ""),
        ("e/account.yaml", ""),
        ("f/.carrier-manifest.json/x", ""),
        ("f/account.yaml", ""),
        ("sources.yaml", ""),
    ]);
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("d").join(MANIFEST)).unwrap();
    std::os::unix::fs::symlink("../a/.carrier-manifest.json", dir.path().join("e").join(MANIFEST)).unwrap();
    let (paths, mut complaints) = read(dir.path());
    assert_eq!(paths, ["sources.yaml"]);
    complaints.retain(|complaint| !complaint.starts_with("CAR0009"));
    let begins: Vec<String> = complaints.iter().map(|complaint| complaint.chars().take(70).collect()).collect();
    let unknown =
        |folder: &str| format!("CAR0001 -: `{folder}` is not read, and it is not known whether carrier wrote it");
    let wanted = [
        unknown("b"),
        unknown("d"),
        unknown("e"),
        unknown("f"),
        "CAR0010 -: `a/b/account.yaml` and 1 more are not read: carrier did not".to_owned(),
    ];
    let short: Vec<String> = wanted.iter().map(|text| text.chars().take(70).collect()).collect();
    assert_eq!(begins, short, "{complaints:#?}");
    let several = "carrier did not write them, but they are in a folder that carrier wrote";
    assert!(complaints.iter().any(|complaint| complaint.ends_with(several)), "{complaints:#?}");
}

fn a_check_reads_regular_files_of_a_bounded_size_only() {
    use std::os::unix::fs::symlink;
    let dir = tree(&[("secret.yaml", "secret")]);
    let out = dir.path().join("out");
    let list = [("a.yaml", "a"), ("b/c.yaml", "c"), ("d.yaml", "d")];
    let files = files(&list);
    write(&out, &list).unwrap();
    // Larger than anything that carrier writes: it takes no space, and is not read.
    fs::File::create(out.join("a.yaml")).unwrap().set_len(1 << 30).unwrap();
    let differences = check(&out, &files).unwrap();
    assert_eq!(differences.iter().map(|d| (d.path.as_str(), d.kind)).collect::<Vec<_>>(), [("a.yaml", Edited)]);
    fs::write(out.join("a.yaml"), "a").unwrap();
    for (path, target) in [("d.yaml", "../secret.yaml"), ("a.yaml", "/dev/zero"), (MANIFEST, "/dev/zero")] {
        let there = fs::read(out.join(path)).unwrap();
        fs::remove_file(out.join(path)).unwrap();
        symlink(target, out.join(path)).unwrap();
        assert!(matches!(check(&out, &files), Err(FilesError::Link(link)) if link == out.join(path)), "{path}");
        fs::remove_file(out.join(path)).unwrap();
        fs::write(out.join(path), there).unwrap();
    }
    fs::rename(out.join("b"), dir.path().join("moved")).unwrap();
    symlink("../moved", out.join("b")).unwrap();
    assert!(matches!(check(&out, &files), Err(FilesError::Link(link)) if link == out.join("b")));
}

fn ignore_files_count_without_git_too() {
    let dir = tree(&[
        (".gitignore", "/tmp/\n*.bak.yaml\n"),
        (".carrierignore", "charts\n!keep.bak.yaml\n"),
        ("tmp/x.yaml", ""),
        ("a/tmp/x.yaml", ""),
        ("a/b.bak.yaml", ""),
        ("keep.bak.yaml", ""),
        ("x/charts/y.yaml", ""),
        ("a/.gitignore", "c.yaml"),
        ("a/c.yaml", ""),
        ("c.yaml", ""),
    ]);
    let expected = ["a/tmp/x.yaml", "c.yaml", "keep.bak.yaml"];
    assert_eq!(read(dir.path()).0, expected);
    fs::create_dir(dir.path().join(".git")).unwrap();
    assert_eq!(read(dir.path()).0, expected);
}

fn ignore_files_above_the_root_count_up_to_the_git_root_only() {
    let dir = tree(&[
        (".gitignore", "a.yaml"),
        ("repo/.gitignore", "b.yaml"),
        ("repo/cat/a.yaml", ""),
        ("repo/cat/b.yaml", ""),
    ]);
    let root = dir.path().join("repo/cat");
    assert_eq!(read(&root).0, ["a.yaml", "b.yaml"], "without Git nothing above is the repository's");
    fs::create_dir(dir.path().join("repo/.git")).unwrap();
    assert_eq!(read(&root).0, ["a.yaml"]);
}

fn a_bad_pattern_is_said() {
    let dir = tree(&[(".carrierignore", "[z-a]\n"), ("a.yaml", "")]);
    let (paths, complaints) = read(dir.path());
    assert_eq!(paths, [".carrierignore", "a.yaml"], "the file stays, so that the complaint has a place");
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].starts_with("CAR0006"), "{complaints:?}");
    assert!(!complaints[0].contains(&*dir.path().to_string_lossy()), "no path of this machine: {complaints:?}");
}

fn what_cannot_be_text_is_said_and_nothing_else_is_lost() {
    let dir = tree(&[("a.yaml", "a: 1"), ("c.yaml", "c: 1")]);
    put(dir.path(), "b.yaml", [b'a', b':', 0xff]);
    let big = fs::File::create(dir.path().join("d.yaml")).unwrap();
    big.set_len(33 * 1024 * 1024).unwrap();
    let (paths, complaints) = read(dir.path());
    assert_eq!(paths, ["a.yaml", "b.yaml", "c.yaml", "d.yaml"]);
    assert_eq!(
        complaints,
        ["CAR0002 b.yaml: `b.yaml` is not valid UTF-8 at byte 2", "CAR0003 d.yaml: `d.yaml` is larger than 32 MiB",]
    );
}

#[cfg(unix)]
fn links_never_lead_out_of_the_repository() {
    use std::os::unix::fs::symlink;
    let outside = tree(&[("secret.yaml", "a: 1"), ("dir/x.yaml", "")]);
    let dir = tree(&[("real/a.yaml", "a: 1"), ("readme.md", "")]);
    let at = |p: &str| dir.path().join(p);
    symlink("real/a.yaml", at("in.yaml")).unwrap();
    symlink(outside.path().join("secret.yaml"), at("out.yaml")).unwrap();
    symlink(outside.path().join("dir"), at("outdir")).unwrap();
    symlink("..", at("real/up")).unwrap();
    symlink("nowhere", at("gone.yaml")).unwrap();
    symlink("nowhere", at("gone")).unwrap();
    symlink("readme.md", at("README")).unwrap();
    let (paths, complaints) = read(dir.path());
    assert_eq!(paths, ["gone.yaml", "in.yaml", "out.yaml", "outdir", "real/a.yaml", "real/up"]);
    assert_eq!(
        complaints,
        [
            "CAR0004 gone.yaml: `gone.yaml` is a link to a file that does not exist",
            "CAR0004 out.yaml: `out.yaml` is a link to a file outside the repository",
            "CAR0004 outdir: `outdir` is a link to a folder outside the repository",
            "CAR0005 real/up: `real/up` is a link to a folder of the repository",
        ]
    );
    let (sources, _) = read_repository(dir.path(), &ReadOptions::default()).unwrap();
    assert_eq!(&*sources.by_path("in.yaml").unwrap().1.text, "a: 1");
    assert_eq!(&*sources.by_path("out.yaml").unwrap().1.text, "");

    // Git's own files may hold credentials.
    put(dir.path(), ".git/config", "a: token");
    symlink(".git/config", at("git.yaml")).unwrap();
    let (sources, _) = read_repository(dir.path(), &ReadOptions::default()).unwrap();
    assert_eq!(&*sources.by_path("git.yaml").unwrap().1.text, "");

    // The configuration is no exception.
    symlink(outside.path().join("secret.yaml"), at("carrier.yaml")).unwrap();
    assert!(read(dir.path()).1.iter().any(|c| c.starts_with("CAR0004 carrier.yaml")));
}

#[cfg(unix)]
fn pipes_and_odd_names_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = tree(&[("a.yaml", "")]);
    let status = std::process::Command::new("mkfifo").arg(dir.path().join("p.yaml")).status().unwrap();
    assert!(status.success());
    fs::write(dir.path().join("back\\slash.yaml"), "").unwrap();
    fs::write(dir.path().join(OsStr::from_bytes(b"\xff.yaml")), "").unwrap();
    let (paths, complaints) = read(dir.path());
    assert_eq!(paths, ["a.yaml", "p.yaml"]);
    let codes: Vec<&str> = complaints.iter().map(|c| &c[..7]).collect();
    assert_eq!(codes, ["CAR0007", "CAR0007", "CAR0001"], "{complaints:?}");
}

fn an_absent_folder_is_an_error_and_not_an_empty_repository() {
    let dir = tree(&[]);
    assert!(matches!(read_repository(&dir.path().join("x"), &ReadOptions::default()), Err(FilesError::Io { .. })));
}

fn files_that_a_user_names_are_read_wherever_they_lie() {
    let dir = tree(&[("crds/b.yaml", "b: 1"), ("crds/a.yml", "a: 1"), ("crds/x.txt", ""), ("release", "r: 1")]);
    let (sources, diagnostics) = read_paths(dir.path(), &["crds".into(), "release".into()], Vec::new()).unwrap();
    let names: Vec<&str> = sources.iter().map(|(_, f)| f.path.as_str()).collect();
    assert_eq!(names, ["crds/a.yml", "crds/b.yaml", "release"], "as they were named");
    assert!(diagnostics.is_empty());
}

// ---------------------------------------------------------------- writing

fn files(list: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    list.iter().map(|(p, t)| ((*p).to_owned(), t.as_bytes().to_vec())).collect()
}

fn write(dir: &Path, list: &[(&str, &str)]) -> Result<Written, FilesError> {
    plan_write(dir, &files(list))?.apply()
}

fn differences(dir: &Path, list: &[(&str, &str)]) -> Vec<(String, DifferenceKind)> {
    check(dir, &files(list)).unwrap().into_iter().map(|Difference { path, kind }| (path, kind)).collect()
}

/// Every file below a folder with its text.
fn snapshot(dir: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, dir: &Path, out: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                assert!(fs::read_dir(&path).unwrap().next().is_some(), "an empty folder is left: {}", path.display());
                walk(root, &path, out);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                out.insert(name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(dir, dir, &mut out);
    out
}

fn only_what_differs_is_written_and_only_what_is_ours_removed() {
    let dir = tree(&[]);
    let out = dir.path().join("rendered/deep");
    let first = [("a/x.yaml", "1"), ("a/y.yaml", "2"), ("b/z.yaml", "3")];
    assert_eq!(write(&out, &first).unwrap(), Written { written: 3, removed: 0, unchanged: 0 });
    assert_eq!(differences(&out, &first), []);
    let before = fs::metadata(out.join("a/x.yaml")).unwrap().modified().unwrap();

    put(&out, "mine.txt", "not carrier's");
    let second = [("a/x.yaml", "1"), ("a/y.yaml", "two"), ("c.yaml", "4")];
    let expected = [(MANIFEST, Changed), ("a/y.yaml", Changed), ("b/z.yaml", Stale), ("c.yaml", Missing)];
    assert_eq!(differences(&out, &second), expected.map(|(p, k)| (p.to_owned(), k)));
    assert_eq!(write(&out, &second).unwrap(), Written { written: 2, removed: 1, unchanged: 1 });
    assert_eq!(fs::metadata(out.join("a/x.yaml")).unwrap().modified().unwrap(), before);
    let after = snapshot(&out);
    assert_eq!(after.keys().collect::<Vec<_>>(), [MANIFEST, "a/x.yaml", "a/y.yaml", "c.yaml", "mine.txt"]);
    assert_eq!(write(&out, &second).unwrap(), Written { written: 0, removed: 0, unchanged: 3 });
    assert_eq!(snapshot(&out), after);
}

fn the_manifest_says_what_is_there_and_nothing_of_the_machine() {
    let dir = tree(&[]);
    write(dir.path(), &[("b.yaml", "b"), ("a.yaml", "a")]).unwrap();
    assert_eq!(
        snapshot(dir.path())[MANIFEST],
        "{\n  \"version\": 1,\n  \"files\": {\n    \
         \"a.yaml\": \"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\",\n    \
         \"b.yaml\": \"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d\"\n  }\n}\n"
    );
}

fn a_folder_of_somebody_else_is_refused() {
    let dir = tree(&[("notes.txt", "x")]);
    let before = snapshot(dir.path());
    assert!(matches!(write(dir.path(), &[("a.yaml", "1")]), Err(FilesError::NotOurs(_))));
    assert_eq!(snapshot(dir.path()), before);
}

fn a_file_of_somebody_else_in_the_way_is_refused() {
    let dir = tree(&[]);
    write(dir.path(), &[("a.yaml", "1")]).unwrap();
    put(dir.path(), "b.yaml", "mine");
    put(dir.path(), "c/d.txt", "mine");
    let before = snapshot(dir.path());
    for list in [[("b.yaml", "2")], [("b.yaml/x", "2")], [("c", "2")]] {
        assert!(matches!(write(dir.path(), &list), Err(FilesError::InTheWay(_))), "{list:?}");
        assert_eq!(snapshot(dir.path()), before, "nothing is written, nothing removed");
    }
    assert_eq!(write(dir.path(), &[("b.yaml", "mine")]).unwrap().written, 0, "the same bytes are in nobody's way");
}

fn edits_by_hand_are_told_apart_and_undone() {
    let dir = tree(&[]);
    write(dir.path(), &[("a.yaml", "1"), ("b.yaml", "1"), ("c.yaml", "1")]).unwrap();
    put(dir.path(), "a.yaml", "edited");
    put(dir.path(), "b.yaml", "edited");
    fs::remove_file(dir.path().join("c.yaml")).unwrap();
    let list = [("a.yaml", "1"), ("c.yaml", "1")];
    let expected = [(MANIFEST, Changed), ("a.yaml", Edited), ("b.yaml", StaleEdited), ("c.yaml", Missing)];
    assert_eq!(differences(dir.path(), &list), expected.map(|(p, k)| (p.to_owned(), k)));
    write(dir.path(), &list).unwrap();
    assert_eq!(differences(dir.path(), &list), []);
}

/// Git with `core.autocrlf` changes them when it writes the work tree.
fn line_ends_do_not_count() {
    let dir = tree(&[]);
    let list = [("a.yaml", "a: 1\nb: 2\n"), ("b.yaml", "c: 3\n")];
    write(dir.path(), &list).unwrap();
    for name in ["a.yaml", "b.yaml", MANIFEST] {
        let text = fs::read_to_string(dir.path().join(name)).unwrap();
        put(dir.path(), name, text.replace('\n', "\r\n"));
    }
    let there = snapshot(dir.path());
    assert_eq!(differences(dir.path(), &list), []);
    assert_eq!(write(dir.path(), &list).unwrap(), Written { written: 0, removed: 0, unchanged: 2 });
    assert_eq!(snapshot(dir.path()), there, "nothing was written");
    // What changes is still told from what was edited.
    let second = [("a.yaml", "a: 1\nb: 3\n")];
    let expected = [(MANIFEST, Changed), ("a.yaml", Changed), ("b.yaml", Stale)];
    assert_eq!(differences(dir.path(), &second), expected.map(|(p, k)| (p.to_owned(), k)));
    put(dir.path(), "a.yaml", "a: 1\r\nb: 4\r\n");
    assert_eq!(differences(dir.path(), &list), [("a.yaml".to_owned(), Edited)]);
}

fn a_file_becomes_a_folder_and_back() {
    let dir = tree(&[]);
    write(dir.path(), &[("a", "1"), ("b/c/d", "2")]).unwrap();
    write(dir.path(), &[("a/x", "3"), ("b", "4")]).unwrap();
    assert_eq!(snapshot(dir.path()).keys().collect::<Vec<_>>(), [MANIFEST, "a/x", "b"]);
    write(dir.path(), &[("a", "1"), ("b/c/d", "2")]).unwrap();
    assert_eq!(snapshot(dir.path()).keys().collect::<Vec<_>>(), [MANIFEST, "a", "b/c/d"]);
}

fn paths_that_leave_the_folder_are_refused() {
    let dir = tree(&[]);
    let out = dir.path().join("out");
    for path in [
        "../x",
        "/x",
        "a/../../x",
        "a//b",
        "./a",
        "",
        "a/",
        "a\\b",
        "C:x",
        "a\u{0}",
        "a\nb",
        ".carrier-manifest.json",
        "x/.CARRIER-manifest.json",
        ".carrier-staging/x",
        "a.",
        "a ",
    ] {
        assert!(matches!(write(&out, &[(path, "1")]), Err(FilesError::BadPath { .. })), "{path:?}");
    }
    for clash in [[("a", "1"), ("A", "2")], [("a", "1"), ("A/b", "2")], [("a/b", "1"), ("a", "2")]] {
        assert!(matches!(write(&out, &clash), Err(FilesError::BadPath { .. })), "{clash:?}");
    }
    assert!(!out.exists());
}

#[cfg(unix)]
fn nothing_is_written_or_removed_through_a_link() {
    use std::os::unix::fs::symlink;
    let elsewhere = tree(&[("x.yaml", "theirs")]);
    let dir = tree(&[]);
    write(dir.path(), &[("a/x.yaml", "1"), ("b.yaml", "1")]).unwrap();
    fs::remove_dir_all(dir.path().join("a")).unwrap();
    symlink(elsewhere.path(), dir.path().join("a")).unwrap();
    for list in [&[("a/x.yaml", "2")][..], &[("b.yaml", "1")][..]] {
        assert!(matches!(write(dir.path(), list), Err(FilesError::Link(_))), "{list:?}");
    }
    fs::remove_file(dir.path().join("a")).unwrap();
    fs::remove_file(dir.path().join("b.yaml")).unwrap();
    symlink(elsewhere.path().join("x.yaml"), dir.path().join("b.yaml")).unwrap();
    assert!(matches!(write(dir.path(), &[("b.yaml", "2")]), Err(FilesError::Link(_))));
    assert_eq!(snapshot(elsewhere.path()), BTreeMap::from([("x.yaml".to_owned(), "theirs".to_owned())]));
}

#[cfg(unix)]
fn the_output_folder_of_the_settings_is_reached_through_no_link() {
    use carrier::repository::no_link;
    let elsewhere = tree(&[]);
    let dir = tree(&[("real/x.yaml", "")]);
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("out")).unwrap();
    for folder in ["out", "out/below"] {
        assert!(matches!(no_link(dir.path(), folder), Err(FilesError::Link(_))), "{folder}");
    }
    for folder in ["real", "new/below"] {
        assert!(no_link(dir.path(), folder).is_ok(), "{folder}");
    }
}

fn a_manifest_is_not_trusted_with_paths() {
    let dir = tree(&[("victim", "x"), ("out/.carrier-manifest.json", r#"{"version":1,"files":{"../victim":"00"}}"#)]);
    assert!(matches!(write(&dir.path().join("out"), &[]), Err(FilesError::BadManifest { .. })));
    for text in ["", "{", "<<<<<<< ours", r#"{"version":2,"files":{}}"#] {
        put(dir.path(), "out/.carrier-manifest.json", text);
        assert!(matches!(write(&dir.path().join("out"), &[]), Err(FilesError::BadManifest { .. })), "{text}");
    }
    assert!(dir.path().join("victim").exists());
}

/// Every state that a run can leave behind: the manifest of both, and any part of
/// the writes and removals done. From each the next run ends where an undisturbed
/// one does.
fn a_run_that_was_cut_short_is_finished_by_the_next() {
    let old = [("a", "1"), ("b", "1"), ("gone", "1"), ("d/gone", "1")];
    let new = [("a", "1"), ("b", "2"), ("new", "1"), ("d/new", "1")];
    let dir = tree(&[]);
    let clean = dir.path().join("clean");
    write(&clean, &old).unwrap();
    write(&clean, &new).unwrap();
    let expected = snapshot(&clean);

    for state in 0..32_u32 {
        let out = dir.path().join(format!("cut{state}"));
        write(&out, &old).unwrap();
        let mut union: BTreeMap<String, serde_json::Value> = BTreeMap::new();
        for manifest in [&expected[MANIFEST], &snapshot(&out)[MANIFEST]] {
            let manifest: serde_json::Value = serde_json::from_str(manifest).unwrap();
            union.extend(manifest["files"].as_object().unwrap().clone());
        }
        put(&out, MANIFEST, serde_json::json!({"version": 1, "files": union}).to_string());
        put(&out, ".carrier-staging/file", "half a fi");
        let done = |bit: u32| state & (1 << bit) != 0;
        if done(0) {
            put(&out, "b", "2");
        }
        if done(1) {
            put(&out, "new", "1");
        }
        if done(2) {
            put(&out, "d/new", "1");
        }
        if done(3) {
            fs::remove_file(out.join("gone")).unwrap();
        }
        if done(4) {
            fs::remove_file(out.join("d/gone")).unwrap();
        }
        write(&out, &new).unwrap();
        assert_eq!(snapshot(&out), expected, "state {state:05b}");
    }

    // Cut short before the first manifest: only the staging folder is there.
    let out = dir.path().join("nothing");
    put(&out, ".carrier-staging/file", "half a fi");
    write(&out, &new).unwrap();
    assert_eq!(snapshot(&out), expected);
}
