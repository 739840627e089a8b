//! `carrier render` as a user meets it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{Run, carrier};
use crate::common::package;
use crate::harness::Case;
use carrier::program::Exit;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        what_is_rendered_stays_until_the_repository_changes,
        nothing_is_written_while_something_is_wrong,
        one_stream_for_one_cluster,
        edits_by_hand_are_told_before_they_are_lost,
        a_folder_of_somebody_else_is_refused,
        the_reader_is_chosen_in_the_settings_or_on_the_command_line,
        the_second_region_of_the_example,
    ]
}

/// A copy of an example, to write into.
fn copy(example: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy_all(&package("catalog-examples").join(example), dir.path());
    dir
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_all(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// The last line of what was said.
fn last(run: &Run) -> &str {
    run.err.lines().last().unwrap_or_default()
}

fn all_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.append(&mut all_files(&path)),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

fn what_is_rendered_stays_until_the_repository_changes() {
    let dir = copy("redis");
    let missing = carrier(dir.path(), &["render", "--check"]);
    assert_eq!(missing.exit, Exit::Changes, "{}", missing.err);
    assert!(missing.out.contains("missing: rendered/management/kustomization.yaml\n"), "{}", missing.out);
    assert!(!dir.path().join("rendered").exists(), "--check writes nothing");

    let first = carrier(dir.path(), &["render"]);
    assert_eq!((first.exit, first.out.as_str()), (Exit::Fine, ""), "{}", first.err);
    assert!(first.err.contains("52 objects for 2 clusters in rendered: 70 files written, 0 removed"), "{}", first.err);
    let before = all_files(&dir.path().join("rendered"));
    let again = carrier(dir.path(), &["render"]);
    assert!(again.err.contains(": 0 files written, 0 removed, "), "{}", again.err);
    assert_eq!(all_files(&dir.path().join("rendered")), before);
    assert_eq!(carrier(dir.path(), &["render", "--check"]).exit, Exit::Fine);

    // From below the root, and into another folder: the same.
    let out = tempfile::tempdir().unwrap();
    let other = out.path().join("else").to_string_lossy().into_owned();
    assert_eq!(carrier(&dir.path().join("accounts"), &["render", "--out", &other]).exit, Exit::Fine);
    let bytes = |files: Vec<(PathBuf, Vec<u8>)>| files.into_iter().map(|(_, b)| b).collect::<Vec<_>>();
    assert_eq!(bytes(all_files(&out.path().join("else"))), bytes(before.clone()));

    fs::remove_file(dir.path().join("accounts/team-b.yaml")).unwrap();
    let changed = carrier(dir.path(), &["render", "--check"]);
    assert_eq!(changed.exit, Exit::Changes, "{}", changed.err);
    assert!(
        changed.out.contains("stale: rendered/management/10-namespaces/namespace_team-b.yaml\n"),
        "{}",
        changed.out
    );
    let removed = carrier(dir.path(), &["render"]);
    assert_eq!(removed.exit, Exit::Fine);
    assert!(!dir.path().join("rendered/management/10-namespaces/namespace_team-b.yaml").exists());
    assert!(!removed.err.contains(" 0 removed"), "{}", removed.err);
}

fn nothing_is_written_while_something_is_wrong() {
    let dir = copy("redis");
    let set = dir.path().join("catalogs/redis.yaml");
    let text = fs::read_to_string(&set).unwrap();
    fs::write(&set, text.replace(".spec.mode", ".spec.mood")).unwrap();
    for args in [&["render"][..], &["render", "--check"], &["render", "--stdout"]] {
        let run = carrier(dir.path(), args);
        assert_eq!((run.exit, run.out.as_str()), (Exit::Errors, ""), "{args:?}");
        assert!(run.err.contains("catalogs/redis.yaml:") && run.err.contains(".spec.mood"), "{}", run.err);
        assert_eq!(last(&run), "nothing was rendered");
    }
    assert!(!dir.path().join("rendered").exists());
    assert_eq!(carrier(dir.path(), &["check"]).exit, Exit::Errors, "check says the same");
}

fn one_stream_for_one_cluster() {
    let dir = copy("redis");
    let run = carrier(dir.path(), &["render", "--stdout"]);
    assert_eq!(run.exit, Exit::Fine, "{}", run.err);
    let place = |text: &str| run.out.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(place("kind: CustomResourceDefinition") < place("\nkind: Namespace\n"));
    assert!(place("\nkind: Namespace\n") < place("\nkind: RoleBinding\n"));
    assert!(place("\nkind: RoleBinding\n") < place("\nkind: Offering\n"));
    assert!(place("  name: redis.eu-west-1.team-a\n") < place("  name: redis.internal.eu-west-1.team-a\n"));
    assert!(!dir.path().join("rendered").exists());

    let cluster = carrier(dir.path(), &["render", "--stdout", "--cluster", "team-a/eu-west-1"]);
    assert_eq!(cluster.exit, Exit::Fine);
    assert!(cluster.out.contains("name: carrier-eu-west-1.team-a\n") && !cluster.out.contains("kind: Offering"));
    let unknown = carrier(dir.path(), &["render", "--stdout", "--cluster", "team-a/mars"]);
    assert_eq!(unknown.exit, Exit::Usage);
    assert!(unknown.err.contains("the repository has no service cluster `team-a/mars`"), "{}", unknown.err);
    assert!(unknown.err.contains("it has team-a/eu-west-1"), "{}", unknown.err);
}

fn edits_by_hand_are_told_before_they_are_lost() {
    let dir = copy("redis");
    carrier(dir.path(), &["render"]);
    let file = dir.path().join("rendered/management/10-namespaces/namespace_team-a.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}# mine\n")).unwrap();
    let check = carrier(dir.path(), &["render", "--check"]);
    assert_eq!(
        check.out,
        "edited: rendered/management/10-namespaces/namespace_team-a.yaml\n    only in comments, layout, or values that may be secret\n"
    );
    let run = carrier(dir.path(), &["render"]);
    assert!(run.err.contains("namespace_team-a.yaml was edited by hand; the edit is undone"), "{}", run.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

fn a_folder_of_somebody_else_is_refused() {
    let dir = copy("redis");
    let run = carrier(dir.path(), &["render", "--out", "accounts"]);
    assert_eq!(run.exit, Exit::Refused, "{}", run.err);
    assert_eq!(fs::read_dir(dir.path().join("accounts")).unwrap().count(), 2);
}

fn the_reader_is_chosen_in_the_settings_or_on_the_command_line() {
    let dir = copy("redis");
    fs::write(dir.path().join("carrier.yaml"), "render: {for: flux}\n").unwrap();
    carrier(dir.path(), &["render"]);
    assert!(dir.path().join("rendered/flux/management/kustomization.yaml").exists());
    carrier(dir.path(), &["render", "--for", "plain"]);
    assert!(!dir.path().join("rendered/flux").exists());
    let argo = carrier(dir.path(), &["render", "--for", "argo", "--stdout"]);
    assert!(argo.out.contains("argocd.argoproj.io/sync-wave: \"-30\""));
}

/// The issue's own words: four CRDs and two Offerings, and nothing of the first changes.
fn the_second_region_of_the_example() {
    let (one, two) = (copy("redis"), copy("redis-two-regions"));
    for dir in [&one, &two] {
        assert_eq!(carrier(dir.path(), &["render"]).exit, Exit::Fine);
    }
    let (before, after) = (one.path().join("rendered"), two.path().join("rendered"));
    for (path, bytes) in all_files(&before) {
        let name = path.strip_prefix(&before).unwrap();
        if !(name.ends_with("kustomization.yaml") || name.ends_with(".carrier-manifest.json")) {
            assert_eq!(fs::read(after.join(name)).unwrap_or_default(), bytes, "{}", name.display());
        }
    }
    let crds = fs::read_dir(after.join("management/00-crds")).unwrap();
    assert_eq!(crds.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains("_redis.")).count(), 4);
    let offered = fs::read_dir(after.join("management/30-catalog/team-b")).unwrap();
    assert_eq!(
        offered.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with("offering_")).count(),
        2
    );
}
