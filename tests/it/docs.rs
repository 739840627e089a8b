//! Every command in the user documents does what they say.

use regex::Regex;

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
        every_link_leads_somewhere,
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

/// Every relative link in a document leads to a file of the package, and its anchor to a heading there.
fn every_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let (mut wrong, mut anchors) = (Vec::new(), 0);
    for document in documents() {
        let text = prose(&std::fs::read_to_string(&document).unwrap());
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
            let file = match path {
                "" => document.clone(),
                path => document.parent().unwrap().join(path),
            };
            let is_heading = |anchor: &str| {
                std::fs::read_to_string(&file).is_ok_and(|text| headings(&text).contains(&anchor.to_owned()))
            };
            anchors += usize::from(anchor.is_some());
            if !file.exists() || anchor.is_some_and(|anchor| !is_heading(anchor)) {
                wrong.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these links lead nowhere:\n{}", wrong.join("\n"));
    assert!(anchors > 10, "{anchors} anchors were found");
    assert_eq!(headings("# A\n## `b_c`: d, E/F (g)\n```\n# no\n```\n## A\n"), ["a", "b_c-d-ef-g", "a-1"]);
}

/// A document without its blocks of code and its code spans.
fn prose(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        !inside && !is_fence
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    Regex::new("`[^`]*`").unwrap().replace_all(&text, "").into_owned()
}

/// The anchors of a document's headings, as GitHub makes them.
fn headings(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found: Vec<String> = Vec::new();
    for line in text.lines() {
        inside ^= line.trim_start().starts_with("```");
        let Some((marks, title)) = line.split_once(' ').filter(|_| !inside) else { continue };
        if marks.is_empty() || marks.chars().any(|c| c != '#') {
            continue;
        }
        let kept = title.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let before = found.iter().filter(|one| **one == slug || one.strip_prefix(&slug).is_some_and(is_number)).count();
        found.push(if before == 0 { slug } else { format!("{slug}-{before}") });
    }
    found
}

/// Whether it is `-1`, `-2` and so on.
fn is_number(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
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
