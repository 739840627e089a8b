//! `carrier init`, as a user sees it.

use std::fs;

use crate::command::{carrier, tree};
use crate::common::golden;
use crate::harness::Case;
use carrier::program::Exit;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        it_writes_a_repository_and_says_what_comes_next,
        again_changes_nothing,
        what_is_there_is_listed_and_refused,
        git_attributes_of_somebody_else_stay,
        quiet_is_quiet,
        it_writes_through_no_link,
        a_repository_in_a_repository_is_refused,
    ]
}

fn it_writes_a_repository_and_says_what_comes_next() {
    let dir = tempfile::tempdir().unwrap();
    let run = carrier(dir.path(), &["init"]);
    golden("testdata/init/transcript.txt", &run.transcript());
    assert_eq!(run.out, "", "there is no data, only talk");
    let files = tree(dir.path());
    assert!(files.contains_key("carrier.yaml"));
    for (path, text) in &files {
        let Some(schema) = text.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=") else {
            continue;
        };
        let at = dir.path().join(path).parent().unwrap().join(schema);
        assert!(at.is_file(), "{path} names a schema that is not there: {schema}");
    }
}

fn again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(carrier(dir.path(), &["init", "repo"]).exit, Exit::Fine);
    let before = tree(dir.path());
    let again = carrier(dir.path(), &["-C", "repo", "init"]);
    assert_eq!(again.exit, Exit::Fine, "{}", again.err);
    assert!(again.err.starts_with("everything exists already\n"), "{}", again.err);
    assert_eq!(tree(dir.path()), before);
}

fn what_is_there_is_listed_and_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("accounts")).unwrap();
    fs::write(dir.path().join("accounts/team-a.yaml"), "mine\n").unwrap();
    fs::write(dir.path().join("carrier.yaml"), "mine\n").unwrap();
    let before = tree(dir.path());
    let run = carrier(dir.path(), &["init"]);
    assert_eq!(run.exit, Exit::Refused);
    assert!(run.err.contains("carrier.yaml, accounts/team-a.yaml"), "{}", run.err);
    assert_eq!(tree(dir.path()), before, "nothing was written");
}

fn git_attributes_of_somebody_else_stay() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = "* text=auto\n/snapshots/** text eol=lf\n";
    fs::write(dir.path().join(".gitattributes"), theirs).unwrap();
    let run = carrier(dir.path(), &["init"]);
    assert_eq!(run.exit, Exit::Fine, "{}", run.err);
    let lines = ".gitattributes exists and stays as it is; add to it:\n  /carrier.lock text eol=lf\n  /rendered/** text eol=lf\n";
    assert!(run.err.contains(lines), "{}", run.err);
    assert_eq!(fs::read_to_string(dir.path().join(".gitattributes")).unwrap(), theirs);

    // A clone with `core.autocrlf`: everything is there, with other line ends.
    let other = tempfile::tempdir().unwrap();
    assert_eq!(carrier(other.path(), &["init"]).exit, Exit::Fine);
    for (path, text) in tree(other.path()) {
        fs::write(other.path().join(path), text.replace('\n', "\r\n")).unwrap();
    }
    let run = carrier(other.path(), &["init"]);
    assert_eq!(run.exit, Exit::Fine, "{}", run.err);
    assert!(run.err.starts_with("everything exists already\n"), "{}", run.err);
    assert!(!run.err.contains("add to it"), "{}", run.err);
}

fn quiet_is_quiet() {
    let dir = tempfile::tempdir().unwrap();
    let run = carrier(dir.path(), &["-q", "init"]);
    assert_eq!((run.exit, run.out.as_str(), run.err.as_str()), (Exit::Fine, "", ""));
}

fn it_writes_through_no_link() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["repo", "outside"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    std::os::unix::fs::symlink(dir.path().join("outside"), dir.path().join("repo/accounts")).unwrap();
    let run = carrier(dir.path(), &["init", "repo"]);
    assert_eq!(run.exit, Exit::Refused, "{}", run.err);
    assert!(run.err.contains("accounts is a symbolic link"), "{}", run.err);
    assert!(tree(&dir.path().join("outside")).is_empty());
    assert!(!dir.path().join("repo/carrier.yaml").exists(), "nothing was written");
}

fn a_repository_in_a_repository_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(carrier(dir.path(), &["init", "p"]).exit, Exit::Fine);
    let run = carrier(dir.path(), &["init", "p/sub/deep"]);
    assert_eq!(run.exit, Exit::Refused, "{}", run.err);
    assert!(run.err.contains("lies in the repository"), "{}", run.err);
    assert!(!dir.path().join("p/sub").exists());
    fs::create_dir(dir.path().join("p/sub")).unwrap();
    assert_eq!(carrier(dir.path(), &["-C", "p/sub", "init"]).exit, Exit::Refused);
}
