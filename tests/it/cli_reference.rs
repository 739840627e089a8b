//! What is generated from the command line's grammar and from the codes, and
//! kept in the repository: `docs/`, `completions/`. `CARRIER_UPDATE=1` rewrites it.

use std::path::Path;

use crate::command::{carrier, carrier_as};
use crate::common::{golden, package};
use crate::harness::Case;
use carrier::diagnostic::codes;
use carrier::program::Exit;
use carrier::program::{Program, command};
use carrier::program::{completions, explain, reference};
use clap_complete::Shell;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        the_reference_of_the_command_line_is_fresh,
        the_page_of_diagnostics_is_fresh,
        the_page_of_permissions_is_fresh,
        the_schemas_of_documents_are_fresh,
        completions_are_fresh,
        codes_are_unique_ordered_and_explained,
        help_is_data_and_complaints_are_talk,
        as_a_plugin_of_kubectl_the_usage_says_so,
        the_version_is_a_line_or_an_object,
        explain_knows_every_code_and_no_other,
        explain_tells_instances_from_codes,
        manual_pages_are_written_for_every_command,
        a_schema_is_found_by_its_kind,
        a_wrong_folder_is_a_usage_error,
    ]
}

fn the_reference_of_the_command_line_is_fresh() {
    golden("docs/cli.md", &reference::page());
}

fn the_page_of_diagnostics_is_fresh() {
    golden("docs/diagnostics.md", &explain::page());
}

fn the_page_of_permissions_is_fresh() {
    golden("docs/permissions.md", &carrier::planning::page());
}

fn the_schemas_of_documents_are_fresh() {
    use carrier::operations::{Explanation, Report, schema};
    golden("schemas/doctor.json", &schema::<Report>());
    golden("schemas/explanation.json", &schema::<Explanation>());
    golden("schemas/instances.json", &schema::<carrier::program::Document>());
}

fn completions_are_fresh() {
    for (shell, name) in [(Shell::Bash, "carrier.bash"), (Shell::Zsh, "_carrier"), (Shell::Fish, "carrier.fish")] {
        golden(&format!("completions/{name}"), &completions::script(shell, command(Program::Carrier)));
    }
}

fn codes_are_unique_ordered_and_explained() {
    let ids: Vec<&str> = codes::all().map(|c| c.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    for code in codes::all() {
        assert!(code.id.len() == 7 && code.id.starts_with("CAR"), "{}", code.id);
        assert!(!code.title.ends_with('.') && !code.title.is_empty(), "{}", code.id);
        assert!(code.explanation.trim().len() > 40, "{} needs an explanation", code.id);
        assert_eq!(codes::find(&code.id.to_lowercase()), Some(code));
    }
}

fn help_is_data_and_complaints_are_talk() {
    let here = Path::new(".");
    let help = carrier(here, &["--help"]);
    assert_eq!(help.exit, Exit::Fine);
    assert!(help.out.contains("Usage: carrier") && help.err.is_empty());
    let none = carrier(here, &[]);
    assert_eq!(none.exit, Exit::Usage);
    assert!(none.out.is_empty() && none.err.contains("Usage: carrier"));
    let wrong = carrier(here, &["chekc"]);
    assert_eq!(wrong.exit, Exit::Usage);
    assert!(wrong.err.contains("error: unrecognized subcommand 'chekc'"), "{}", wrong.err);
}

fn as_a_plugin_of_kubectl_the_usage_says_so() {
    let help = carrier_as("/usr/bin/kubectl-carrier", Path::new("."), &["explain", "--help"]);
    assert!(help.out.contains("Usage: kubectl carrier explain"), "{}", help.out);
}

fn the_version_is_a_line_or_an_object() {
    let here = Path::new(".");
    let line = format!("carrier {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(carrier(here, &["version"]).out, line);
    assert_eq!(carrier(here, &["--version"]).out, line);
    let json: serde_json::Value = serde_json::from_str(&carrier(here, &["version", "-o", "json"]).out).unwrap();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
}

fn explain_knows_every_code_and_no_other() {
    let here = Path::new(".");
    let list = carrier(here, &["explain", "--list"]);
    assert_eq!(list.out.lines().count(), codes::all().count());
    for code in codes::all() {
        let run = carrier(here, &["explain", code.id]);
        assert_eq!(run.exit, Exit::Fine);
        assert!(run.out.starts_with(&format!("{}: {}", code.id, code.title)), "{}", run.out);
    }
    let unknown = carrier(here, &["explain", "CAR9999"]);
    assert_eq!(unknown.exit, Exit::Usage);
    assert!(unknown.err.contains("CAR9999") && unknown.err.contains("explain --list"), "{}", unknown.err);
}

fn explain_tells_instances_from_codes() {
    let here = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let run = carrier(here.path(), &[&["explain"], args].concat());
        assert!(run.out.is_empty(), "{}", run.out);
        (run.exit, run.err)
    };
    let usage = |args: &[&str], words: &str| {
        let (exit, err) = run(args);
        assert!(exit == Exit::Usage && err.contains(words), "{args:?}: {exit:?}: {err}");
    };
    let redis = "redis.eu-west-1.team-a/example";
    usage(&[redis], "`-n` is missing");
    usage(&["redis/", "-n", "team-b"], "names no instance");
    usage(&["/example", "-n", "team-b"], "names no instance");
    usage(&["redis/a/b", "-n", "team-b"], "is no name of an instance");
    usage(&[redis, "-n", "Team-B"], "is no name of a namespace");
    usage(&["redis.eu-west-1.team-a"], "an instance is written RESOURCE.GROUP/NAME");
    usage(&["CAR0101", "-n", "team-b"], "are for instances");
    usage(&["CAR0101", "-o", "json"], "are for instances");
    usage(&["--list", "-n", "team-b"], "cannot be used with");
    // No repository is looked for: what is missing is a way to the management cluster.
    let (exit, err) = run(&[redis, "-n", "team-b", "--kubeconfig", "absent"]);
    assert!(exit == Exit::Cluster && err.contains("the management cluster: "), "{exit:?}: {err}");
}

fn manual_pages_are_written_for_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let one = carrier(dir.path(), &["man"]);
    assert!(one.out.contains(".TH carrier 1"), "{}", one.out);
    let all = carrier(dir.path(), &["man", "--out", "man"]);
    assert_eq!(all.exit, Exit::Fine, "{}", all.err);
    let page = std::fs::read_to_string(dir.path().join("man/carrier-explain.1")).unwrap();
    assert!(page.contains("carrier\\-explain"), "{page}");
}

fn a_schema_is_found_by_its_kind() {
    let here = Path::new(".");
    for (kind, title) in
        [("CatalogEntrySet", "CatalogEntrySet"), ("account", "Account"), ("carrier.yaml", "carrier.yaml")]
    {
        let run = carrier(here, &["schema", kind]);
        let schema: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!(schema["title"], title);
    }
    assert!(carrier(here, &["schema"]).out.contains("CatalogEntrySet"));
    let run = carrier(here, &["schema", "Acount"]);
    assert_eq!(run.exit, Exit::Usage);
    assert!(run.err.contains("did you mean `Account`?"), "{}", run.err);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(carrier(dir.path(), &["schema", "--out", "s"]).exit, Exit::Fine);
    let written = std::fs::read_to_string(dir.path().join("s/account.json")).unwrap();
    assert_eq!(written, std::fs::read_to_string(package("schemas/account.json")).unwrap());
}

fn a_wrong_folder_is_a_usage_error() {
    let run = carrier(Path::new("."), &["-C", "no/such/folder", "version"]);
    assert_eq!(run.exit, Exit::Usage);
    assert!(run.err.contains("no/such/folder"), "{}", run.err);
}
