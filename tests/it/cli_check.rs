//! `carrier check`, as a user sees it.

use std::fs;
use std::path::Path;

use crate::command::carrier;
use crate::harness::Case;
use carrier::program::Exit;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        what_init_writes_is_sound,
        what_is_wrong_is_talk_and_ends_with_1,
        a_lock_that_cannot_be_read_is_one_problem,
        for_machines_it_is_data,
        annotations_name_files_from_the_git_root,
        outside_of_a_repository_it_says_what_to_do,
    ]
}

const BAD: &str = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\nmetadata:\n  name: team-a\nspec:\n  roles: [Provder]\n  subjects:\n  - kind: Group\n    name: team-a\n    apiGroup: rbac.authorization.k8s.io\n";

fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(carrier(dir.path(), &["-q", "init"]).exit, Exit::Fine);
    dir
}

fn bad_repository() -> tempfile::TempDir {
    let dir = repository();
    fs::write(dir.path().join("accounts/team-a.yaml"), BAD).unwrap();
    dir
}

fn what_init_writes_is_sound() {
    let run = carrier(repository().path(), &["check"]);
    assert_eq!(run.exit, Exit::Fine, "{}", run.err);
    assert!(run.out.is_empty());
    assert!(run.err.contains("no problems in "), "{}", run.err);
}

fn what_is_wrong_is_talk_and_ends_with_1() {
    let dir = bad_repository();
    let run = carrier(dir.path(), &["check"]);
    assert_eq!(run.exit, Exit::Errors);
    assert!(run.out.is_empty());
    assert!(run.err.contains("accounts/team-a.yaml:6:11") && run.err.contains("Provder"), "{}", run.err);
    assert_eq!(carrier(dir.path(), &["check", "--exit-zero"]).exit, Exit::Fine);
    let quiet = carrier(dir.path(), &["-q", "check"]);
    assert!(quiet.err.contains("Provder") && !quiet.err.contains("to read more"), "{}", quiet.err);
}

fn a_lock_that_cannot_be_read_is_one_problem() {
    let dir = repository();
    fs::write(dir.path().join("carrier.lock"), [0xff, 0xfe, 0x41]).unwrap();
    let run = carrier(dir.path(), &["check"]);
    assert_eq!(run.exit, Exit::Errors);
    // Neither is it said to be empty, with a way to lose it, nor that it might be ignored.
    assert_eq!(run.err.matches("error[").count(), 1, "{}", run.err);
    assert!(run.err.contains("`carrier.lock` is not valid UTF-8"), "{}", run.err);
    assert!(!run.err.contains("is empty") && !run.err.contains(".carrierignore"), "{}", run.err);
}

fn for_machines_it_is_data() {
    let dir = bad_repository();
    for (format, word) in
        [("json", "\"format_version\": \"1.0\""), ("sarif", "\"version\": \"2.1.0\""), ("github", "::error ")]
    {
        let run = carrier(dir.path(), &["check", "-o", format]);
        assert_eq!(run.exit, Exit::Errors);
        assert!(run.out.contains(word) && run.err.is_empty(), "{format}: {}{}", run.out, run.err);
    }
}

fn annotations_name_files_from_the_git_root() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join(".git")).unwrap();
    assert_eq!(carrier(dir.path(), &["-q", "init", "deep/repo"]).exit, Exit::Fine);
    fs::write(dir.path().join("deep/repo/accounts/team-a.yaml"), BAD).unwrap();
    let run = carrier(dir.path(), &["-C", "deep/repo/accounts", "check", "-o", "github"]);
    assert!(run.out.contains("file=deep/repo/accounts/team-a.yaml,line=6"), "{}{}", run.out, run.err);
}

fn outside_of_a_repository_it_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let run = carrier(dir.path(), &["check"]);
    assert_eq!(run.exit, Exit::Usage);
    assert!(run.err.contains("no carrier.yaml") && run.err.contains("carrier init"), "{}", run.err);
    let named = carrier(Path::new("."), &["-C", &dir.path().to_string_lossy(), "check"]);
    assert_ne!(named.exit, Exit::Usage, "{}", named.err);
}
