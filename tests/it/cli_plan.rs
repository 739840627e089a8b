//! `carrier plan` where no cluster is asked, as a user sees it.
//!
//! Each folder of `testdata/plan` but `base` is a case: its `in/` lies over `base/`, an
//! empty file takes one away, and the plan from `base/` to that is `expected.*`.
//! `CARRIER_UPDATE=1` rewrites those.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::carrier;
use crate::common::{golden, package};
use crate::harness::Case;
use carrier::planning as plan;
use carrier::program::Exit;
use serde_json::Value;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        plans_are_what_they_were,
        a_folder_a_revision_and_what_was_rendered_of_it_are_one,
        of_a_revision_those_files_count_that_would_be_read_from_a_folder,
        what_cannot_be_compared_with_is_said,
        a_repository_with_errors_is_not_planned,
        a_flag_that_names_nothing_is_a_slip,
    ]
}

/// Copies a folder over another one; an empty file takes one away.
fn lay(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|e| (e.path(), e.file_name())).unwrap();
        let to = to.join(name);
        if path.is_dir() {
            fs::create_dir_all(&to).unwrap();
            lay(&path, &to);
        } else if path.metadata().unwrap().len() == 0 {
            fs::remove_file(to).unwrap();
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

/// A folder with `base`, and one with a case beside it.
fn repositories(case: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("repo");
    for folder in [&dir.path().join("before"), &root] {
        fs::create_dir_all(folder).unwrap();
        lay(&package("testdata/plan/base"), folder);
    }
    if !case.is_empty() {
        lay(&package(&format!("testdata/plan/{case}/in")), &root);
    }
    (dir, root)
}

fn git(folder: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(args);
    // Whatever this machine or the process that runs the tests has set.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE");
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn plans_are_what_they_were() {
    let schema = plan::json::schema();
    for entry in fs::read_dir(package("testdata/plan")).unwrap() {
        let case = entry.unwrap().file_name().into_string().unwrap();
        if case == "base" {
            continue;
        }
        let (_dir, root) = repositories(&case);
        let run = |more: &[&str]| carrier(&root, &[&["plan", "--against", "../before"], more].concat());
        let file = |name: &str| format!("testdata/plan/{case}/expected.{name}");
        golden(&file("txt"), &run(&["--detailed-exitcode"]).transcript());
        golden(&file("summary.txt"), &run(&["--summary"]).out);
        golden(&file("md"), &run(&["-o", "markdown"]).out);
        let json = run(&["-o", "json"]);
        assert_eq!(json.exit, Exit::Fine, "{}", json.transcript());
        golden(&file("json"), &json.out);
        let json: Value = serde_json::from_str(&json.out).unwrap();
        if let Err(error) = jsonschema::draft7::validate(&schema, &json) {
            panic!("{case}: {error}");
        }
        let all = [run(&["-v"]).transcript(), run(&["-o", "json"]).transcript(), run(&["-o", "markdown"]).transcript()];
        assert!(
            !all.concat().contains("-be-shown") && !all.concat().contains("neither-this"),
            "{case}: a preset is shown"
        );
    }
}

fn a_folder_a_revision_and_what_was_rendered_of_it_are_one() {
    let (dir, root) = repositories("");
    git(&root, &["init", "-q"]);
    git(&root, &["add", "."]);
    git(&root, &["commit", "-qm", "before"]);
    for target in ["plain", "flux", "argo"] {
        let out = format!("../{target}");
        assert_eq!(carrier(&root, &["render", "--for", target, "--out", &out]).exit, Exit::Fine);
        let run = carrier(&root, &["plan", "--against", &out, "--detailed-exitcode"]);
        assert_eq!(run.exit, Exit::Fine, "{target}: {}", run.transcript());
    }
    lay(&package("testdata/plan/narrowed/in"), &root);
    let plan = |against: &str| {
        let run = carrier(&root, &["plan", "--against", against, "-o", "json"]);
        assert_eq!(run.exit, Exit::Fine, "{against}: {}", run.transcript());
        let mut plan: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(plan["against"], against);
        plan["against"] = Value::Null;
        plan
    };
    let folder = plan("../before");
    assert_eq!(folder["summary"]["update"], 6);
    assert_eq!(plan("git:HEAD"), folder);
    assert_eq!(plan("../plain"), folder);
    // What a reader is told is part of the files, and so of their digests.
    let changes = |plan: &Value| plan["summary"].clone();
    assert_eq!(changes(&plan("../flux")), changes(&folder));
    assert_eq!(changes(&plan("../argo")), changes(&folder));
    drop(dir);
}

fn of_a_revision_those_files_count_that_would_be_read_from_a_folder() {
    let (_dir, root) = repositories("");
    let top = root.parent().unwrap();
    let bad = "kind: Account\napiVersion: catalog.kubecarrier.io/v1alpha1\nmetadata: {name: BAD}\n";
    fs::write(top.join(".gitignore"), "repo/above.yaml\n").unwrap();
    fs::write(root.join(".carrierignore"), "ignored/\n*.tmpl.yaml\n").unwrap();
    for path in ["above.yaml", "ignored/a.yaml", "x.tmpl.yaml", ".hidden/a.yaml", "rendered/a.yaml"] {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), bad).unwrap();
    }
    fs::write(root.join("rendered/.carrier-manifest.json"), r#"{"version":1,"files":{}}"#).unwrap();
    git(top, &["init", "-q"]);
    git(top, &["add", "-f", "."]);
    git(top, &["commit", "-qm", "all of it"]);
    let run = carrier(&root, &["plan", "--against", "git:HEAD", "--detailed-exitcode"]);
    assert_eq!(run.exit, Exit::Fine, "{}", run.transcript());
    assert!(run.out.contains("No changes"), "{}", run.transcript());
}

fn what_cannot_be_compared_with_is_said() {
    let (dir, root) = repositories("");
    let run = |against: &str| carrier(&root, &["plan", "--against", against]);
    let none = run("../nowhere");
    assert_eq!(none.exit, Exit::Usage, "{}", none.transcript());
    fs::create_dir(dir.path().join("empty")).unwrap();
    assert!(
        run("../empty").err.contains("is neither a folder that carrier rendered nor a repository"),
        "{}",
        run("../empty").err
    );
    let outside = run("git:HEAD");
    assert!(outside.exit == Exit::Usage && outside.err.contains("not a git repository"), "{}", outside.transcript());
    git(&root, &["init", "-q"]);
    git(&root, &["add", "accounts"]);
    git(&root, &["commit", "-qm", "x"]);
    for revision in ["git:nowhere", "git:--help", "git:-v", "git:HEAD:accounts", "git:a b"] {
        let run = run(revision);
        assert_eq!(run.exit, Exit::Usage, "{revision}: {}", run.transcript());
        assert!(run.err.contains("there is no revision"), "{revision}: {}", run.err);
    }
    fs::write(dir.path().join("before/accounts/team-a.yaml"), "a: [").unwrap();
    let broken = run("../before");
    assert_eq!(broken.exit, Exit::Errors);
    assert!(
        broken.out.is_empty() && broken.err.contains("nothing can be compared with ../before, which has errors"),
        "{}",
        broken.err
    );
}

fn a_repository_with_errors_is_not_planned() {
    let (_dir, root) = repositories("narrowed");
    fs::write(root.join("accounts/team-c.yaml"), "kind: Account\napiVersion: catalog.kubecarrier.io/v1alpha1\n")
        .unwrap();
    let run = carrier(&root, &["plan", "--against", "../before"]);
    assert_eq!(run.exit, Exit::Errors);
    assert!(run.out.is_empty() && run.err.contains("nothing was planned"), "{}", run.transcript());
}

fn a_flag_that_names_nothing_is_a_slip() {
    let (_dir, root) = repositories("narrowed");
    let plan = |flag: &str| carrier(&root, &["plan", "--against", "../before", "--allow-breaking", flag]);
    let right = plan("crd/dbs.eu-west-1.team-a");
    assert!(!right.out.contains("would refuse this") && !right.err.contains("warning: `"), "{}", right.transcript());
    let slip = plan("crd/dbs.eu-west-1.team-b");
    assert!(slip.out.contains("would refuse this"), "{}", slip.out);
    assert!(
        slip.err.contains("`--allow-breaking crd/dbs.eu-west-1.team-b` names nothing that would change"),
        "{}",
        slip.err
    );
    assert_eq!(plan("dbs").exit, Exit::Usage);
    let short = plan("catalogentryset/dbs");
    assert!(short.err.contains("names no namespace: write `catalogentryset/team-a/dbs`"), "{}", short.err);
}
