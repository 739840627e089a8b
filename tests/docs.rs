//! Every command in the user documents does what they say.

mod common;

use common::documents::{Sandbox, check, documents, steps};

/// Commands that build or install something and are run by CI itself, not by a test.
const NOT_RUN_HERE: [&str; 6] =
    ["hack/test", "hack/envtest.sh", "cargo install", "cargo bench", "KUBEBUILDER_ASSETS=", "ENVTEST_K8S_VERSION="];

#[test]
fn commands_print_what_the_documents_say() {
    let wrong: Vec<String> = documents().iter().flat_map(|d| check(d, &Sandbox::new(&[]), false, &[])).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
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

#[test]
fn the_readme_has_commands() {
    let readme = std::fs::read_to_string(common::package("README.md")).unwrap();
    assert!(!steps(&readme, false).is_empty() && !steps(&readme, true).is_empty());
}
