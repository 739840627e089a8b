//! Every command in the user documents does what they say.

use crate::common::documents::{Sandbox, check, documents, steps};
use crate::common::package;
use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        commands_print_what_the_documents_say,
        other_shell_blocks_hold_only_what_ci_runs,
        the_readme_has_commands,
        the_settings_of_the_documents_are_read,
        every_dependency_has_a_reason,
    ]
}

/// Commands that build or install something and are run by CI itself, not by a test.
const NOT_RUN_HERE: [&str; 9] = [
    "CARRIER_BENCH_",
    "CARRIER_CHAOS_MINUTES=",
    "CARRIER_UPDATE=",
    "hack/test",
    "hack/envtest.sh",
    "cargo install",
    "cargo bench",
    "KUBEBUILDER_ASSETS=",
    "ENVTEST_K8S_VERSION=",
];

fn commands_print_what_the_documents_say() {
    let wrong: Vec<String> = documents().iter().flat_map(|d| check(d, &Sandbox::new(&[]), false, &[])).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn other_shell_blocks_hold_only_what_ci_runs() {
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        let mut inside = false;
        for (index, line) in text.lines().enumerate() {
            if let Some(info) = line.trim_start().strip_prefix("```") {
                inside = !inside && matches!(info.split_whitespace().next(), Some("sh" | "bash" | "shell"));
                continue;
            }
            let known = line.trim().is_empty() || NOT_RUN_HERE.iter().any(|c| line.starts_with(c));
            assert!(!inside || known, "{}:{}: `{line}` is run by no test", document.display(), index + 1);
        }
    }
}

fn the_readme_has_commands() {
    let readme = std::fs::read_to_string(package("README.md")).unwrap();
    assert!(!steps(&readme, false).is_empty() && !steps(&readme, true).is_empty());
}

/// The example of `docs/configuration.md` has every setting, and each with a value of its own.
fn the_settings_of_the_documents_are_read() {
    use carrier::settings::Config;
    use carrier::source::{SourceFile, Sources};

    let text = std::fs::read_to_string(package("docs/configuration.md")).unwrap();
    let block = text.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let sources = Sources::new(vec![SourceFile { path: "carrier.yaml".to_owned(), text: block.into() }]);
    let (loaded, found) = carrier::compiler::load(&sources);
    let said: Vec<_> = found.into_sorted().into_iter().map(|d| (d.code.id, d.message)).collect();
    // There are no ServiceClusters beside the example; nothing else is wrong with it.
    assert!(said.iter().all(|(_, message)| message.contains("ServiceCluster")), "{said:?}");
    let (read, default) = (&loaded.config, Config::default());
    let value = |config: &Config| serde_json::to_value(config).unwrap();
    let (read, default) = (value(read), value(&default));
    for pointer in text.lines().filter_map(|l| l.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name) {
        let pointer = format!("/{}", pointer.replace('.', "/"));
        if matches!(pointer.as_str(), "/apiVersion" | "/kubeconfig" | "/env" | "/secret: true") {
            continue;
        }
        assert!(read.pointer(&pointer).is_some(), "{pointer} is no setting");
        assert_ne!(read.pointer(&pointer), default.pointer(&pointer), "{pointer} of the example is the default");
    }
}

/// Every direct dependency has its reason in the decision about them.
fn every_dependency_has_a_reason() {
    let manifest = std::fs::read_to_string(package("Cargo.toml")).unwrap();
    let page = std::fs::read_to_string(package("docs/decisions/0002-dependencies.md")).unwrap();
    let tables: Vec<&str> = page.split("\n## ").filter(|part| part.starts_with("In ")).collect();
    let mut section = "";
    let mut named = 0;
    for line in manifest.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        }
        let table = match section {
            "dependencies" => tables[0],
            "dev-dependencies" => tables[1],
            _ => continue,
        };
        let Some((name, _)) = line.split_once(" = ").filter(|(name, _)| !name.starts_with('#')) else { continue };
        let named_first = |row: &str| row.split(" | ").next().is_some_and(|cell| cell.contains(&format!("`{name}`")));
        assert!(table.lines().any(named_first), "{section}: nothing says why `{name}`");
        named += 1;
    }
    assert!(named > 20, "{named} dependencies were found in Cargo.toml");
}
