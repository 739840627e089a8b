//! Secrets that lie in the repository, and how not to show them.
//!
//! A diagnostic prints the line it is about. Where that line may hold a secret,
//! it is marked [`sensitive`](crate::model::diagnostic::Label::sensitive) and
//! printed without the line. Marking is by whole file: a renderer shows
//! neighbouring lines too, and a place without its text is small loss.

use crate::model::codes::secret;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::tree::{Node, Value};

/// The keys of a Secret under which Flux, Cluster API and KubeCarrier keep a kubeconfig.
const KUBECONFIG_KEYS: &[&str] = &["kubeconfig", "value", "value.yaml"];

/// Complains about a Secret in plain text.
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

/// Complains about a kubeconfig.
pub(super) fn check_kubeconfig(root: &Node, diagnostics: &mut Diagnostics) {
    if !is_encrypted(root) {
        diagnostics.push(
            Diagnostic::new(&secret::KUBECONFIG, root.place("/kind"), "this is a kubeconfig")
                .help("keep it outside the repository, and say in `carrier.yaml` where it is")
                .note("if it was ever pushed, replace the keys in it"),
        );
    }
}

/// Whether SOPS has encrypted the document: it then bears a block of that name.
fn is_encrypted(root: &Node) -> bool {
    root.get("sops").is_some_and(|sops| matches!(sops.value, Value::Map(_)))
}

/// Whether a text that could not be read as YAML looks as if it held secrets.
pub(super) fn looks_secret(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| {
        let line = line.strip_prefix("- ").unwrap_or(line);
        ["kind: Secret", "kind: \"Secret\"", "\"kind\": \"Secret\""].iter().any(|s| line.starts_with(s))
            || ["client-key-data:", "client-certificate-data:", "token:", "password:"]
                .iter()
                .any(|s| line.starts_with(s))
    })
}
