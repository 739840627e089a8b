//! The kustomize base in `deploy/`: what a reader of its Deployment relies on. `tests/servers/deploy.rs` shows
//! that an API server takes it.

use std::fs;

use carrier::diagnostic::Diagnostics;
use carrier::program::{Program, command};
use carrier::source::FileId;
use carrier::text;
use serde_json::{Value, json};

use crate::common::package;
use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        the_base_lists_every_file,
        the_container_is_restricted,
        the_probes_ask_where_the_command_listens,
        the_command_has_the_flags,
        the_image_has_the_user_of_the_deployment,
    ]
}

/// The one document of a file.
fn document(name: &str) -> Value {
    let source = fs::read_to_string(package("deploy").join(name)).unwrap();
    let mut found = Diagnostics::default();
    let documents = text::read(FileId(0), &source, &mut found);
    assert!(found.is_empty() && documents.len() == 1, "{name}: {found:#?}");
    documents[0].root.to_json()
}

fn container() -> Value {
    document("deployment.yaml")["spec"]["template"]["spec"]["containers"][0].clone()
}

fn arguments() -> Vec<String> {
    let container = container();
    container["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()).collect()
}

fn the_base_lists_every_file() {
    let mut files: Vec<String> = fs::read_dir(package("deploy"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "kustomization.yaml")
        .collect();
    files.sort();
    assert_eq!(document("kustomization.yaml")["resources"], json!(files));
}

fn the_container_is_restricted() {
    let pod = &document("deployment.yaml")["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], "carrier-sync");
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"], json!({"type": "RuntimeDefault"}));
    let restricted = json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
    });
    assert_eq!(container()["securityContext"], restricted);
    assert_eq!(pod.get("volumes"), None, "nothing is written, and no host path is read");
}

fn the_probes_ask_where_the_command_listens() {
    let (container, arguments) = (container(), arguments());
    let listen = arguments.iter().position(|a| a == "--listen").map(|at| &arguments[at + 1]).unwrap();
    let (address, port) = listen.rsplit_once(':').unwrap();
    assert_eq!(address, "0.0.0.0", "the kubelet asks from outside the Pod");
    assert_eq!(container["ports"], json!([{"name": "http", "containerPort": port.parse::<u16>().unwrap()}]));
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": "http"}), "{probe}");
    }
}

fn the_command_has_the_flags() {
    let arguments = arguments();
    assert_eq!(arguments[0], "sync");
    // What the kubelet expands is defined.
    let replica = arguments.iter().find_map(|a| a.strip_prefix("$(")?.strip_suffix(')')).unwrap();
    let defined = json!([{"name": replica, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]);
    assert_eq!(container()["env"], defined);
    let flags: Vec<&str> = arguments.iter().filter_map(|a| a.strip_prefix("--")).collect();
    assert_eq!(flags, ["listen", "replica", "log-format"]);
    let carrier = command(Program::Carrier);
    let sync = carrier.find_subcommand("sync").unwrap();
    let known: Vec<&str> = sync.get_arguments().filter_map(|argument| argument.get_long()).collect();
    let unknown: Vec<&&str> = flags.iter().filter(|flag| !known.contains(flag)).collect();
    assert!(unknown.is_empty(), "carrier sync has no {unknown:?}");
}

fn the_image_has_the_user_of_the_deployment() {
    let dockerfile = fs::read_to_string(package("deploy/Dockerfile")).unwrap();
    let security = &document("deployment.yaml")["spec"]["template"]["spec"]["securityContext"];
    let user = format!("USER {}:{}", security["runAsUser"], security["runAsGroup"]);
    assert!(dockerfile.lines().any(|line| line == user), "{user}");
    let manifest = fs::read_to_string(package("Cargo.toml")).unwrap();
    let toolchain = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(dockerfile.contains(&format!("FROM rust:{toolchain}-alpine AS build\n")), "the toolchain is {toolchain}");
}
