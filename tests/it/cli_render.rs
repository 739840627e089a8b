//! `carrier render` and `carrier fields`, as a user sees them.

use std::fs;
use std::path::Path;

use crate::command::{Run, carrier, tree};
use crate::common::{example, golden};
use crate::harness::Case;
use carrier::program::Exit;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        it_writes_once_and_says_so,
        check_lists_what_differs_and_ends_with_2,
        check_shows_the_lines_that_change_but_no_secrets,
        a_checkout_with_other_line_ends_is_the_same,
        with_an_error_nothing_is_written,
        a_folder_of_somebody_else_is_refused,
        flux_is_told_where_the_folder_is,
        a_stream_is_data,
        fields_show_what_is_exposed_and_what_is_missing,
        the_list_can_be_pasted,
        an_unknown_crd_has_a_nearest_name,
        it_writes_through_no_link_that_the_repository_holds,
        many_at_once_end_in_one_state,
        the_command_that_comes_next_is_the_one_that_works,
    ]
}

fn repository(fields: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(carrier(dir.path(), &["-q", "init"]).exit, Exit::Fine);
    example::offer(dir.path(), fields);
    dir
}

fn sound() -> tempfile::TempDir {
    repository(&[".spec.size", ".spec.image", ".status"])
}

fn fine(root: &Path, args: &[&str]) -> Run {
    let run = carrier(root, args);
    assert_eq!(run.exit, Exit::Fine, "{args:?}\n{}", run.transcript());
    run
}

fn it_writes_once_and_says_so() {
    let dir = sound();
    let first = fine(dir.path(), &["render"]);
    assert_eq!(first.out, "");
    assert!(first.err.contains("0 unchanged"), "{}", first.err);
    assert!(first.err.contains("next: run `carrier render --stdout | kubectl apply"), "{}", first.err);
    let again = fine(dir.path(), &["render"]);
    assert!(again.err.contains("0 files written, 0 removed"), "{}", again.err);
    assert!(fine(dir.path(), &["render", "--check"]).err.contains("rendered is up to date"));
}

fn check_lists_what_differs_and_ends_with_2() {
    let dir = sound();
    let run = carrier(dir.path(), &["render", "--check"]);
    assert_eq!(run.exit, Exit::Changes);
    assert!(run.out.lines().all(|l| l.starts_with("missing: rendered/")), "{}", run.out);
    assert!(!dir.path().join("rendered").exists(), "nothing was written");

    fine(dir.path(), &["render"]);
    let edited = dir.path().join("rendered/management/kustomization.yaml");
    fs::write(&edited, "mine\n").unwrap();
    let run = carrier(dir.path(), &["render", "--check"]);
    assert_eq!(run.exit, Exit::Changes);
    let [file, hunk, gone, came, ..] = run.out.lines().collect::<Vec<_>>()[..] else { panic!("{}", run.out) };
    assert_eq!([file, gone], ["edited: rendered/management/kustomization.yaml", "    -mine"]);
    assert!(hunk.starts_with("    @@ -1 +1,") && came.starts_with("    +apiVersion: "), "{}", run.out);
    let run = fine(dir.path(), &["-q", "render"]);
    assert!(run.err.contains("was edited by hand"), "{}", run.err);
}

fn check_shows_the_lines_that_change_but_no_secrets() {
    let dir = sound();
    let set = dir.path().join("catalogs/example.yaml");
    let text = fs::read_to_string(&set).unwrap();
    let preset = |value: &str| format!("{text}      presets:\n      - jsonPath: .spec.mode\n        value: {value}\n");
    fs::write(&set, preset("one")).unwrap();
    fine(dir.path(), &["render"]);
    fs::write(&set, preset("many").replace("A thing", "Another thing")).unwrap();
    let run = carrier(dir.path(), &["render", "--check"]);
    assert_eq!(run.exit, Exit::Changes);
    assert!(
        run.out.contains("\n    -    shortDescription: A thing\n    +    shortDescription: Another thing\n"),
        "{}",
        run.out
    );
    assert!(!run.out.contains("many") && !run.out.contains("value: one"), "{}", run.out);
    assert!(!run.out.contains("sha256") && !run.out.contains("\u{1b}["), "{}", run.out);

    // Only the preset differs, which is not shown.
    fs::write(&set, preset("many")).unwrap();
    let run = carrier(dir.path(), &["render", "--check"]);
    assert!(run.out.contains("    only in comments, layout, or values that may be secret\n"), "{}", run.out);
}

/// Git with `core.autocrlf` writes CRLF into the work tree, here into every file.
fn a_checkout_with_other_line_ends_is_the_same() {
    let dir = sound();
    let snapshot = "snapshots/team-a/eu-west-1/things.example.com.yaml";
    fine(dir.path(), &["lock", "--from", snapshot]);
    fine(dir.path(), &["render"]);
    for (path, text) in tree(dir.path()) {
        fs::write(dir.path().join(path), text.replace('\n', "\r\n")).unwrap();
    }
    let before = tree(dir.path());
    let run = fine(dir.path(), &["check"]);
    assert!(!run.err.contains("warning"), "{}", run.err);
    assert!(fine(dir.path(), &["render", "--check"]).err.contains("rendered is up to date"));
    let run = fine(dir.path(), &["render"]);
    assert!(run.err.contains("0 files written, 0 removed"), "{}", run.err);
    assert!(!run.err.contains("edited by hand"), "{}", run.err);
    let run = fine(dir.path(), &["lock", "--check", "--from", snapshot]);
    assert!(run.err.contains("nothing would change"), "{}", run.transcript());
    assert_eq!(tree(dir.path()), before, "nothing was written");
}

fn with_an_error_nothing_is_written() {
    let dir = repository(&[".spec.size"]);
    let run = carrier(dir.path(), &["render"]);
    assert_eq!(run.exit, Exit::Errors);
    assert!(run.err.contains("CAR0310") && run.err.ends_with("nothing was rendered\n"), "{}", run.err);
    assert!(!dir.path().join("rendered").exists());
    assert_eq!(carrier(dir.path(), &["render", "--stdout"]).out, "");
}

fn a_folder_of_somebody_else_is_refused() {
    let dir = sound();
    fs::create_dir(dir.path().join("mine")).unwrap();
    fs::write(dir.path().join("mine/file"), "mine").unwrap();
    let run = carrier(dir.path(), &["render", "--out", "mine"]);
    assert_eq!(run.exit, Exit::Refused, "{}", run.err);
    assert!(run.err.contains("was not written by carrier"), "{}", run.err);
}

fn flux_is_told_where_the_folder_is() {
    let dir = sound();
    let run = fine(dir.path(), &["render", "--for", "flux", "--out", "deploy/live"]);
    assert!(run.err.ends_with("next: commit deploy/live for Flux\n"), "{}", run.err);
    let kustomization =
        fs::read_to_string(dir.path().join("deploy/live/flux/management/kustomization_carrier-crds.yaml")).unwrap();
    assert!(kustomization.contains("path: ./deploy/live/management/00-crds"), "{kustomization}");
}

fn a_stream_is_data() {
    let dir = sound();
    let run = fine(dir.path(), &["-q", "render", "--stdout"]);
    assert!(run.out.starts_with("apiVersion: apiextensions.k8s.io/v1\n"), "{}", run.out);
    assert!(run.out.contains("name: things.internal.eu-west-1.team-a"));
    let cluster = fine(dir.path(), &["-q", "render", "--stdout", "--cluster", "team-a/eu-west-1"]);
    assert!(cluster.out.contains("kind: Namespace") && !cluster.out.contains("kind: Offering"));
    let unknown = carrier(dir.path(), &["-q", "render", "--stdout", "--cluster", "team-a/mars"]);
    assert_eq!(unknown.exit, Exit::Usage);
    assert!(unknown.err.contains("team-a/eu-west-1"), "{}", unknown.err);
    assert_eq!(carrier(dir.path(), &["render", "--cluster", "team-a/mars"]).exit, Exit::Usage, "only with --stdout");
    assert_eq!(carrier(dir.path(), &["render", "--stdout", "--cluster", "mars"]).exit, Exit::Usage);
}

fn fields_show_what_is_exposed_and_what_is_missing() {
    let dir = repository(&[".spec.size", "\".spec.listeners[].port\""]);
    let run = fine(dir.path(), &["fields", "things.example.com"]);
    assert!(run.err.contains("warning: the repository has 2 errors"), "{}", run.err);
    golden("testdata/fields/tree.txt", &run.out);
    golden("testdata/fields/list.txt", &fine(dir.path(), &["-q", "fields", "things", "-o", "list"]).out);
    golden("testdata/fields/document.json", &fine(dir.path(), &["fields", "things", "-o", "json"]).out);
}

/// The list is what it says: pasted, it exposes everything, and compiles.
fn the_list_can_be_pasted() {
    let dir = repository(&[".spec.size"]);
    let file = dir.path().join("crd.yaml");
    fs::write(&file, example::CRD).unwrap();
    let run = fine(dir.path(), &["fields", "--from", "crd.yaml", "-o", "list"]);
    golden("testdata/fields/from.txt", &run.out);
    let paths: Vec<&str> =
        run.out.lines().filter_map(|l| l.strip_prefix("- jsonPath: ")?.split("  #").next()).collect();
    example::offer(dir.path(), &paths);
    let check = fine(dir.path(), &["check"]);
    assert!(!check.err.contains("error["), "{}", check.err);
}

fn an_unknown_crd_has_a_nearest_name() {
    let dir = sound();
    let run = carrier(dir.path(), &["fields", "thing.example.com"]);
    assert_eq!(run.exit, Exit::Usage);
    assert!(run.err.contains("did you mean `things.example.com`?"), "{}", run.err);
    let other = carrier(dir.path(), &["fields", "things", "--cluster", "team-a/mars"]);
    assert_eq!(other.exit, Exit::Usage, "{}", other.err);
}

/// Whoever sends a pull request could make the output folder a link to somewhere else.
fn it_writes_through_no_link_that_the_repository_holds() {
    let dir = sound();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), dir.path().join("rendered")).unwrap();
    fs::write(dir.path().join(".carrierignore"), "rendered\n").unwrap();
    let absolute = dir.path().join("rendered/deeper").to_string_lossy().into_owned();
    for args in [&["render"][..], &["render", "--out", "rendered"], &["render", "--out", &absolute]] {
        let run = carrier(dir.path(), args);
        assert_eq!(run.exit, Exit::Refused, "{args:?}\n{}", run.transcript());
        assert!(run.err.contains("is a symbolic link"), "{}", run.err);
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    // Elsewhere is the user's choice, links and all.
    std::os::unix::fs::symlink(outside.path(), outside.path().join("link")).unwrap();
    let elsewhere = outside.path().join("link/out").to_string_lossy().into_owned();
    fine(dir.path(), &["render", "--out", &elsewhere]);
    assert!(outside.path().join("out/management").is_dir());
}

fn many_at_once_end_in_one_state() {
    let dir = sound();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..6).map(|_| scope.spawn(|| carrier(dir.path(), &["render"]))).collect();
        for run in runs {
            let run = run.join().unwrap();
            assert_eq!(run.exit, Exit::Fine, "{}", run.transcript());
        }
    });
    assert!(fine(dir.path(), &["render", "--check"]).err.contains("is up to date"));
}

fn the_command_that_comes_next_is_the_one_that_works() {
    let dir = sound();
    let run = carrier(dir.path(), &["render", "--check", "--for", "flux", "--out", "zz y"]);
    assert!(
        run.err.ends_with("next: run `carrier render --out 'zz y' --for flux` to write what differs\n"),
        "{}",
        run.err
    );
    let (above, name) = (dir.path().parent().unwrap(), dir.path().file_name().unwrap().to_str().unwrap());
    let run = carrier(above, &["render", "--check", "-C", name]);
    assert!(run.err.contains(&format!("next: run `carrier -C {name} render` to")), "{}", run.err);
    let run = fine(above, &["init", &format!("{name}-new")]);
    assert!(run.err.contains(&format!("carrier -C {name}-new lock --from PATH")), "{}", run.err);
    assert!(run.err.contains(&format!("next: run `carrier -C {name}-new check` to")), "{}", run.err);
    fs::remove_dir_all(above.join(format!("{name}-new"))).unwrap();
}
