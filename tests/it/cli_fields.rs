//! `carrier fields` on CRDs that are too large to be read as a whole.

use crate::command::{Run, carrier};
use crate::common::{golden, package};
use crate::corpus;
use crate::harness::Case;
use carrier::program::Exit;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_level_is_cut_but_for_what_the_exposure_takes,
        a_branch_is_shown_alone,
        what_is_not_there_is_named,
        a_large_crd_is_cut_by_itself[corpus::is_here],
        a_name_that_is_not_enough_is_said_to_be_so,
        an_unknown_cluster_is_named,
    ]
}

fn fields(args: &[&str]) -> Run {
    let all: Vec<&str> = ["fields"].iter().chain(args).copied().collect();
    carrier(&package("catalog-examples/postgres"), &all)
}

fn fine(args: &[&str]) -> String {
    let run = fields(args);
    assert_eq!(run.exit, Exit::Fine, "{}", run.transcript());
    run.out
}

/// What is exposed, preset or missing is shown however deep it lies.
fn a_level_is_cut_but_for_what_the_exposure_takes() {
    golden("testdata/fields/depth.txt", &fine(&["clusters", "--depth", "1"]));
}

fn a_branch_is_shown_alone() {
    golden("testdata/fields/path.txt", &fine(&["clusters", "--path", ".spec.storage", "--version", "v1"]));
    let list = fine(&["clusters", "--path", ".status.conditions[]", "-o", "list"]);
    assert!(list.lines().skip(2).all(|l| l.contains("- jsonPath: .status.conditions")), "{list}");
}

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
fn a_large_crd_is_cut_by_itself() {
    let file = corpus::folder().join("crds/prometheuses.monitoring.coreos.com.yaml");
    let file = file.to_string_lossy().into_owned();
    let lines = |args: &[&str]| {
        let all: Vec<&str> = ["--from", &file].iter().chain(args).copied().collect();
        fine(&all).lines().count()
    };
    assert!(lines(&[]) < lines(&["--depth", "9"]) / 3);
    assert!(lines(&["-o", "list"]) > lines(&["-o", "list", "--depth", "3"]));
}

fn crd(name: &str, group: &str, size: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {name}.{group}}}\nspec:\n  group: {group}\n  names: {{kind: Thing, listKind: ThingList, plural: {name}, singular: thing}}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {{size: {{type: {size}}}}}}}}}}}}}\n---\n"
    )
}

fn a_name_that_is_not_enough_is_said_to_be_so() {
    let dir = tempfile::tempdir().unwrap();
    let from = |text: &str, args: &[&str]| {
        std::fs::write(dir.path().join("crds.yaml"), text).unwrap();
        carrier(dir.path(), &[&["fields", "--from", "crds.yaml"], args].concat())
    };
    let two = crd("things", "a.com", "string") + &crd("things", "b.com", "string");
    let run = from(&two, &["things"]);
    assert_eq!(run.exit, Exit::Usage, "{}", run.transcript());
    assert!(run.err.contains("more than one CRD") && run.err.contains("things.a.com, things.b.com"), "{}", run.err);
    assert_eq!(from(&two, &["things.a.com"]).exit, Exit::Fine);
    assert_eq!(from(&crd("things", "a.com", "string"), &["things"]).exit, Exit::Fine);
    let differ = crd("things", "a.com", "string") + &crd("things", "a.com", "integer");
    let run = from(&differ, &["things.a.com"]);
    assert_eq!(run.exit, Exit::Usage, "{}", run.transcript());
    assert!(run.err.contains("two CRDs `things.a.com` that are not the same"), "{}", run.err);
    let cluster_scoped = two.replacen("Namespaced", "Cluster", 1);
    let run = from(&cluster_scoped, &["things.b.com"]);
    assert_eq!((run.exit, run.err.as_str()), (Exit::Fine, ""));
}

fn an_unknown_cluster_is_named() {
    let run = fields(&["clusters", "--cluster", "team-a/x"]);
    assert_eq!(run.exit, Exit::Usage);
    assert!(run.err.contains("the repository has no service cluster `team-a/x`"), "{}", run.err);
}
