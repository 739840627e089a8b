//! `carrier fields` on CRDs that are too large to be read as a whole.

mod common;

use carrier::cli::exit::Exit;
use common::{carrier, golden, package};

fn fields(args: &[&str]) -> common::Run {
    let all: Vec<&str> = ["fields"].iter().chain(args).copied().collect();
    carrier(&package("catalog-examples/postgres"), &all)
}

fn fine(args: &[&str]) -> String {
    let run = fields(args);
    assert_eq!(run.exit, Exit::Fine, "{}", run.transcript());
    run.out
}

/// What is exposed, preset or missing is shown however deep it lies.
#[test]
fn a_level_is_cut_but_for_what_the_exposure_takes() {
    golden("testdata/fields/depth.txt", &fine(&["clusters", "--depth", "1"]));
}

#[test]
fn a_branch_is_shown_alone() {
    golden("testdata/fields/path.txt", &fine(&["clusters", "--path", ".spec.storage", "--version", "v1"]));
    let list = fine(&["clusters", "--path", ".status.conditions[]", "-o", "list"]);
    assert!(list.lines().skip(2).all(|l| l.contains("- jsonPath: .status.conditions")), "{list}");
}

#[test]
fn what_is_not_there_is_named() {
    let run = fields(&["clusters", "--path", ".spec.storge"]);
    assert_eq!(run.exit, Exit::Usage);
    assert_eq!(run.err, "error: there is no field `.spec.storge`\n  help: did you mean `.spec.storage`?\n");
    let run = fields(&["clusters", "--version", "v2"]);
    assert_eq!(run.exit, Exit::Usage);
    assert!(run.err.contains("it has v1"), "{}", run.err);
    assert_eq!(fields(&["clusters", "--depth", "0"]).exit, Exit::Usage);
    assert_eq!(fields(&["clusters", "--path", ".spec["]).exit, Exit::Usage);
}

/// Nobody reads a thousand lines; a CRD of that size is cut unless somebody asks.
#[test]
fn a_large_crd_is_cut_by_itself() {
    let file = package("../shared/crds/prometheuses.monitoring.coreos.com.yaml");
    if !file.exists() {
        assert!(std::env::var_os("CI").is_none(), "the real CRDs are missing");
        eprintln!("skipped: there are no real CRDs beside the package");
        return;
    }
    let file = file.to_string_lossy().into_owned();
    let lines = |args: &[&str]| {
        let all: Vec<&str> = ["--from", &file].iter().chain(args).copied().collect();
        fine(&all).lines().count()
    };
    assert!(lines(&[]) < lines(&["--depth", "9"]) / 3);
    assert!(lines(&["-o", "list"]) > lines(&["-o", "list", "--depth", "3"]));
}
