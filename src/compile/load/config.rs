//! Reading `carrier.yaml`.

use super::schema::{CONFIG, Walk};
use super::shape::Shape;
use crate::model::codes::{config as codes, secret};
use crate::model::config::{CONFIG_PATH, ClusterAccess, Config, leads_inside};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::names;
use crate::model::source::{Sources, Span};
use crate::yaml;
use crate::yaml::tree::{Node, Value, escape};

/// The settings of a repository; the defaults if there is no valid file. Also returns the clusters that
/// `serviceClusters` names, with their places: whether they exist is only known once all objects are loaded.
pub(super) fn read(sources: &Sources, diagnostics: &mut Diagnostics) -> (Config, Vec<(String, Span)>) {
    let Some((file, source)) = sources.by_path(CONFIG_PATH) else { return (Config::default(), Vec::new()) };
    let mut said = Diagnostics::default();
    let documents = yaml::read(file, &source.text, &mut said);
    let config = match documents.as_slice() {
        [] => None,
        [one] => document(&one.root, one.sound, &source.text, &mut said),
        [_, second, ..] => {
            said.push(
                Diagnostic::new(&codes::NOT_ONE_MAPPING, head(&second.root), "carrier.yaml has more than one document")
                    .help("remove all but the first"),
            );
            None
        }
    };
    if said.iter().any(|d| d.code == &secret::INLINE_CREDENTIALS) {
        said.hide(file);
    }
    diagnostics.append(said);
    let named = documents.first().and_then(|d| d.root.get("serviceClusters")).map(|n| &n.value);
    let named = match named {
        Some(Value::Map(entries)) if config.is_some() => entries.iter().map(|e| (e.key.clone(), e.key_span)).collect(),
        _ => Vec::new(),
    };
    (config.unwrap_or_default(), named)
}

fn document(root: &Node, sound: bool, text: &str, diagnostics: &mut Diagnostics) -> Option<Config> {
    if !matches!(root.value, Value::Map(_)) {
        diagnostics.push(
            Diagnostic::new(&codes::NOT_ONE_MAPPING, head(root), "carrier.yaml is not a mapping of settings")
                .help("write settings as `key: value`, or leave the file empty"),
        );
        return None;
    }
    if !sound {
        return None;
    }
    let mut said = Diagnostics::default();
    let mut fine = Walk { text, object: "", codes: &CONFIG, diagnostics: &mut said }.check(
        &Shape::of(schemars::SchemaGenerator::subschema_for::<Config>),
        root,
        "",
        None,
    );
    let secrets = credentials(root, "");
    fine &= secrets.is_empty();
    // A refused credential is not also reported as an unknown key.
    said.retain(|d| !d.primary.as_ref().is_some_and(|l| secrets.contains(&l.span)));
    diagnostics.append(said);
    for span in secrets {
        diagnostics.push(
            Diagnostic::new(&secret::INLINE_CREDENTIALS, span, "credentials must not stand in carrier.yaml")
                .help("name a kubeconfig file and a context, an environment variable (`env`), or `secret: true`")
                .note("if the file was ever pushed, replace the keys in it"),
        );
    }
    if !fine {
        return None;
    }
    match serde_json::from_value::<Config>(root.to_json()) {
        Ok(config) => check(config, root, diagnostics),
        Err(error) => {
            diagnostics.push(Diagnostic::new(&codes::WRONG_VALUE, head(root), format!("carrier.yaml: {error}")));
            None
        }
    }
}

/// The place for a diagnostic about the whole document: its first key.
fn head(root: &Node) -> Span {
    match &root.value {
        Value::Map(entries) => entries.first().map_or(root.span, |e| e.key_span),
        _ => root.span,
    }
}

/// Keys that hold a credential: a kubeconfig, a key, or a URL with a password, where only a reference is
/// allowed.
fn credentials(node: &Node, path: &str) -> Vec<Span> {
    const KEYS: &[&str] =
        &["token", "password", "clientKeyData", "client-key-data", "clientCertificateData", "client-certificate-data"];
    let mut found = Vec::new();
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                let path = format!("{path}/{}", escape(&entry.key));
                let written_out = match &entry.value.value {
                    Value::Map(_) => entry.key == "kubeconfig",
                    Value::String(text) => is_written_out(text, &path),
                    _ => false,
                };
                if written_out || KEYS.contains(&entry.key.as_str()) {
                    found.push(entry.key_span);
                } else {
                    found.extend(credentials(&entry.value, &path));
                }
            }
        }
        Value::Seq(items) => items.iter().for_each(|item| found.extend(credentials(item, path))),
        _ => {}
    }
    found
}

/// Whether a setting holds a credential instead of a reference. No setting has a text of several lines.
fn is_written_out(text: &str, path: &str) -> bool {
    let access = path.starts_with("/serviceClusters") || path.starts_with("/management");
    text.trim_end().contains('\n')
        || text.contains("-----BEGIN ")
        || text.contains("kind: Config")
        || access && text.trim_start().starts_with('{')
        || has_password(text)
}

/// Whether a URL names a user with a password, or, where no user is needed, a token in its place.
fn has_password(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // An unescaped password may contain a character that ends the authority.
    let Some((user, _)) = authority.rsplit_once('@').or_else(|| rest.rsplit_once('@')) else { return false };
    user.contains(':') || scheme.trim().get(..4).is_some_and(|s| s.eq_ignore_ascii_case("http"))
}

fn check(mut config: Config, root: &Node, diagnostics: &mut Diagnostics) -> Option<Config> {
    let mut fine = true;
    let usual = Config::default();
    for (key, folder, usual) in
        [("output", &mut config.output, usual.output), ("snapshots", &mut config.snapshots, usual.snapshots)]
    {
        match folder_below_root(folder) {
            Ok(clean) => *folder = clean,
            Err(why) => {
                fine = false;
                let span = root.place(&format!("/{key}"));
                diagnostics.push(
                    Diagnostic::new(&codes::FOLDER, span, format!("`{folder}` cannot be the folder `{key}`: {why}"))
                        .help(format!("write a folder below the repository's root, such as `{key}: {usual}`")),
                );
            }
        }
    }
    if fine && (below(&config.output, &config.snapshots) || below(&config.snapshots, &config.output)) {
        fine = false;
        let span = root.place(if root.get("output").is_some() { "/output" } else { "/snapshots" });
        let Config { output, snapshots, .. } = &config;
        let message = if output == snapshots {
            format!("`output` and `snapshots` are both the folder `{output}`")
        } else if below(output, snapshots) {
            format!("the folder `{output}` of `output` is inside `{snapshots}`, the folder of `snapshots`")
        } else {
            format!("the folder `{snapshots}` of `snapshots` is inside `{output}`, the folder of `output`")
        };
        let help = "give each a folder of its own, such as `output: rendered` and `snapshots: snapshots`";
        diagnostics.push(Diagnostic::new(&codes::FOLDER, span, message).help(help));
    }
    fine &= names_of_tools(&config, root, diagnostics);
    if let Some(Err(why)) = config.management.uid.as_deref().map(names::label_value) {
        fine = false;
        let message = format!("`management.uid` cannot be the UID of a namespace: {why}");
        diagnostics.push(
            Diagnostic::new(&codes::WRONG_VALUE, root.place("/management/uid"), message)
                .help("write what `kubectl get namespace kube-system -o jsonpath={.metadata.uid}` prints"),
        );
    }
    if let Some(path) = &config.management.kubeconfig {
        fine &= outside(path, "/management/kubeconfig", root, diagnostics);
    }
    for (key, access) in &config.service_clusters {
        let path = format!("/serviceClusters/{}", escape(key));
        if let Some(kubeconfig) = &access.kubeconfig {
            fine &= outside(kubeconfig, &format!("{path}/kubeconfig"), root, diagnostics);
        }
        let span = root.key_place(&path).unwrap_or_else(|| root.place(&path));
        let named =
            key.split_once('/').is_some_and(|(p, c)| names::dns_label(p).is_ok() && names::dns_label(c).is_ok());
        if !named {
            fine = false;
            diagnostics.push(
                // The key is at the place, if the line may be shown.
                Diagnostic::new(&codes::CLUSTER_NAME, span, "the key is not the name of a service cluster")
                    .help("write `<provider>/<cluster>`, such as `team-a/eu-west-1`"),
            );
        }
        if access.source().is_none() {
            fine = false;
            diagnostics.push(
                Diagnostic::new(&codes::CLUSTER_ACCESS, span, access_problem(access))
                    .help("write one of `kubeconfig` (perhaps with `context`), `env`, and `secret: true`"),
            );
        }
    }
    fine.then_some(config)
}

/// Checks the names of objects of Flux and Argo CD.
fn names_of_tools(config: &Config, root: &Node, diagnostics: &mut Diagnostics) -> bool {
    let (flux, argo) = (&config.render.flux, &config.render.argo);
    let checked = [
        ("/render/flux/namespace", &flux.namespace, names::dns_label(&flux.namespace), "a namespace"),
        ("/render/flux/sourceName", &flux.source_name, names::dns_subdomain(&flux.source_name), "a Flux source"),
        ("/render/argo/namespace", &argo.namespace, names::dns_label(&argo.namespace), "a namespace"),
        ("/render/argo/project", &argo.project, names::dns_subdomain(&argo.project), "an Argo CD project"),
    ];
    let mut fine = true;
    for (path, name, checked, what) in checked {
        let Err(why) = checked else { continue };
        fine = false;
        let message = format!("`{name}` cannot be the name of {what}: {why}");
        diagnostics.push(
            Diagnostic::new(&codes::INVALID_NAME, root.place(path), message)
                .help("write the name as `kubectl get` shows it"),
        );
    }
    fine
}

/// Checks that a kubeconfig is not in the repository. What only the file system knows (the work tree, links) is checked
/// before the file is read.
fn outside(path: &str, at: &str, root: &Node, diagnostics: &mut Diagnostics) -> bool {
    if !leads_inside(path) {
        return true;
    }
    // The path is at the place, if the line may be shown.
    let message = "the kubeconfig is in the repository, whose author could run programs with it";
    diagnostics.push(
        Diagnostic::new(&codes::KUBECONFIG_INSIDE, root.place(at), message)
            .help("keep it outside of the repository and its Git work tree, such as `~/.kube/config`")
            .help("or name it with `--kubeconfig` or `$KUBECONFIG` when you run carrier"),
    );
    false
}

/// The problem with the settings of a cluster's connection.
fn access_problem(access: &ClusterAccess) -> String {
    let file = if access.kubeconfig.is_some() { "kubeconfig" } else { "context" };
    let ways = [
        (file, access.kubeconfig.is_some() || access.context.is_some()),
        ("env", access.env.is_some()),
        ("secret", access.secret == Some(true)),
    ];
    let said: Vec<String> = ways.iter().filter(|(_, said)| *said).map(|(way, _)| format!("`{way}`")).collect();
    match said.is_empty() {
        true => "nothing says how to reach the cluster".to_owned(),
        false => format!("the cluster is to be reached in {} ways: by {}", said.len(), said.join(" and by ")),
    }
}

/// A folder below the root, without `./` before or `/` behind it.
fn folder_below_root(folder: &str) -> Result<String, &'static str> {
    if folder.contains('\\') {
        return Err("the parts of a path are separated by `/` on every machine");
    }
    if folder.starts_with('/') || folder.starts_with('~') || folder.get(1..2) == Some(":") {
        return Err("it is not relative to the repository's root");
    }
    let parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    if parts.iter().any(|part| part.eq_ignore_ascii_case(".git")) {
        return Err("it is a folder of Git");
    }
    if parts.contains(&"..") {
        return Err("it leads out of the repository");
    }
    if parts.is_empty() {
        return Err("it is the repository itself");
    }
    Ok(parts.join("/"))
}

/// Whether `path` is `folder` or lies below it.
pub(crate) fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
