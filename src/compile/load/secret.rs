//! Secrets in the repository, and how to avoid showing them.
//!
//! A diagnostic shows the line that it is about. If that line may hold a secret, the label is marked
//! [`sensitive`](crate::model::diagnostic::Label::sensitive) and the line is not shown. Whole files are marked,
//! because renderers show neighbouring lines too.

use crate::model::codes::secret;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::tree::{Node, Value};

/// The keys in which Flux, Cluster API and KubeCarrier keep a kubeconfig in a Secret.
const KUBECONFIG_KEYS: &[&str] = &["kubeconfig", "value", "value.yaml"];

/// Reports a Secret in plain text.
pub(super) fn check_secret(root: &Node, diagnostics: &mut Diagnostics) {
    if is_encrypted(root) {
        return;
    }
    let name = super::metadata::name_of(root).unwrap_or("?");
    let blocks = ["data", "stringData"];
    let keys = || {
        blocks.iter().filter_map(|block| root.entry(block)).flat_map(|block| match &block.value.value {
            Value::Map(entries) => entries.as_slice(),
            _ => &[],
        })
    };
    let object = format!("Secret/{name}");
    let diagnostic = if let Some(entry) = keys().find(|e| KUBECONFIG_KEYS.contains(&e.key.as_str())) {
        Diagnostic::new(&secret::KUBECONFIG, entry.key_span, format!("the Secret `{name}` holds a kubeconfig"))
            .help("remove it from the repository, and say in `carrier.yaml` where the kubeconfig is")
            .help("or encrypt the file with SOPS")
            .note("if it was ever pushed, replace the keys in it")
    } else if let Some(entry) = keys().next() {
        Diagnostic::new(&secret::PLAIN_SECRET, entry.key_span, format!("the Secret `{name}` is in plain text"))
            .help("encrypt the file with SOPS, or fetch the value from elsewhere")
    } else {
        return;
    };
    diagnostics.push(diagnostic.on(object, ""));
}

/// Reports a kubeconfig.
pub(super) fn check_kubeconfig(root: &Node, diagnostics: &mut Diagnostics) {
    if !is_encrypted(root) {
        diagnostics.push(
            Diagnostic::new(&secret::KUBECONFIG, root.place("/kind"), "this is a kubeconfig")
                .help("keep it outside the repository, and say in `carrier.yaml` where it is")
                .note("if it was ever pushed, replace the keys in it"),
        );
    }
}

/// Whether the document is encrypted with SOPS, which adds a block of that name.
fn is_encrypted(root: &Node) -> bool {
    root.get("sops").is_some_and(|sops| matches!(sops.value, Value::Map(_)))
}

/// Whether a text that is not valid YAML seems to contain secrets.
pub(super) fn looks_secret(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| {
        let line = line.strip_prefix("- ").unwrap_or(line);
        ["kind: Secret", "kind: \"Secret\"", "\"kind\": \"Secret\""].iter().any(|s| line.starts_with(s))
            || ["client-key-data:", "client-certificate-data:", "token:", "password:"]
                .iter()
                .any(|s| line.starts_with(s))
    })
}
