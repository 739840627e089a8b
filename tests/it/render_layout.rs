//! Where rendered objects lie, and what Flux and Argo CD are told.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::golden;
use crate::harness::Case;
use crate::repositories::{Repository, crd, redis};
use carrier::diagnostic::Diagnostics;
use carrier::rendering::ManifestSet;
use carrier::rendering::{Files, MAX_ENTRIES, Options, layout, stream};
use carrier::settings::{Config, RenderTarget};
use carrier::source::FileId;
use carrier::text as yaml;
use serde_json::{Value, json};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        the_folders_of_the_tutorial,
        a_second_region_changes_lists_and_adds_files,
        the_bytes_depend_on_the_input_alone,
        a_provider_called_management_is_not_in_the_way,
        a_large_folder_is_split_and_stays_where_it_is,
        flux_waits_between_stages_and_keeps_what_is_precious,
        argo_is_told_order_and_options,
        argo_applications_are_one_a_cluster,
    ]
}

fn files(set: &ManifestSet, target: RenderTarget) -> Files {
    layout(set, &Options::new(&Config::default(), Some(target)))
}

fn value(bytes: &[u8]) -> Value {
    let mut diagnostics = Diagnostics::default();
    let documents = yaml::read(FileId(0), std::str::from_utf8(bytes).unwrap(), &mut diagnostics);
    assert!(diagnostics.is_empty() && documents.len() == 1, "one object a file: {diagnostics:#?}");
    documents[0].root.to_json()
}

fn annotations(object: &Value) -> BTreeMap<&str, &str> {
    let all = object["metadata"]["annotations"].as_object().into_iter().flatten();
    all.map(|(k, v)| (k.as_str(), v.as_str().unwrap())).collect()
}

/// Every file but the kustomizations, as a set of `cluster kind namespace/name`.
fn objects(files: &Files) -> BTreeSet<String> {
    let objects = files.iter().filter(|(path, _)| !path.ends_with("/kustomization.yaml"));
    objects
        .map(|(path, bytes)| (path.split_once('/').unwrap().0, value(bytes)))
        .map(|(top, o)| format!("{top} {} {} {}", o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]))
        .collect()
}

/// Follows the lists from a cluster's folder down: everything is reached once.
fn reached(files: &Files, folder: &str, out: &mut Vec<String>) {
    let list = value(&files[&format!("{folder}/kustomization.yaml")]);
    let resources: Vec<&str> = list["resources"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    assert!(resources.is_sorted() && resources.len() <= MAX_ENTRIES && !resources.is_empty(), "{folder}");
    for resource in resources {
        let path = format!("{folder}/{resource}");
        match files.contains_key(&path) {
            true => out.push(path),
            false => reached(files, &path, out),
        }
    }
}

fn assert_reached(files: &Files, folders: &[&str]) {
    let mut found = Vec::new();
    for folder in folders {
        reached(files, folder, &mut found);
    }
    let all: Vec<String> = files.keys().filter(|p| !p.ends_with("/kustomization.yaml")).cloned().collect();
    found.sort();
    assert_eq!(found, all);
}

fn the_folders_of_the_tutorial() {
    let files = files(&Repository::tutorial().render(), RenderTarget::Plain);
    let mut paths = files.keys().map(String::as_str).collect::<Vec<_>>().join("\n");
    paths.push('\n');
    golden("testdata/render/tutorial.files", &paths);
    assert_reached(&files, &["management", "team-a/eu-west-1"]);
    for above in ["kustomization.yaml", "team-a/kustomization.yaml"] {
        assert!(!files.contains_key(above), "nothing above a cluster's folder is for one cluster");
    }
    for path in files.keys() {
        let portable = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        assert!(path.chars().all(portable), "{path}");
    }
}

fn a_second_region_changes_lists_and_adds_files() {
    let one = Repository::tutorial();
    let two = one.clone().cluster("team-a", "eu-west-2").crd("team-a", "eu-west-2", &redis());
    for target in [RenderTarget::Plain, RenderTarget::Flux, RenderTarget::Argo] {
        let (before, after) = (files(&one.render(), target), files(&two.render(), target));
        for (path, bytes) in &before {
            assert!(after.contains_key(path), "{path} is gone");
            assert!(path.ends_with("/kustomization.yaml") || after[path] == *bytes, "{path} changed");
        }
    }
}

fn the_bytes_depend_on_the_input_alone() {
    let repository = Repository::tutorial();
    for target in [RenderTarget::Plain, RenderTarget::Flux, RenderTarget::Argo] {
        assert_eq!(files(&repository.render(), target), files(&repository.render(), target));
    }
    let set = repository.render();
    assert_eq!(stream(&set.management, RenderTarget::Plain), stream(&set.management, RenderTarget::Plain));
    assert!(stream(&set.management, RenderTarget::Plain).starts_with("apiVersion: apiextensions.k8s.io/v1\n"));
}

/// A provider may be called like one of our own folders.
fn a_provider_called_management_is_not_in_the_way() {
    let repository = Repository::tutorial()
        .account("management", "Provider")
        .cluster("management", "00-crds")
        .set("management", "redis", "redis.redis.redis.opstreelabs.in")
        .catalog("management", "default")
        .crd("management", "00-crds", &redis());
    let files = files(&repository.render(), RenderTarget::Plain);
    assert_reached(&files, &["management", "team-a/eu-west-1", "_management/00-crds"]);
}

fn many(tenants: usize) -> Files {
    let mut repository = Repository::tutorial();
    for i in 0..tenants {
        repository = repository.account(&format!("tenant-{i}"), "Tenant");
    }
    files(&repository.render(), RenderTarget::Plain)
}

fn a_large_folder_is_split_and_stays_where_it_is() {
    let (few, more) = (many(700), many(701));
    assert_reached(&few, &["management", "team-a/eu-west-1"]);
    assert!(few.keys().any(|p| p.starts_with("management/10-namespaces/shard-")), "split");
    assert!(few.keys().any(|p| p.starts_with("management/20-rbac/shard-")), "folders too");
    let moved: Vec<&String> = few.keys().filter(|path| !more.contains_key(*path)).collect();
    assert!(moved.is_empty(), "one more tenant moved {moved:#?}");
    assert_eq!(objects(&few).len(), few.keys().filter(|p| !p.ends_with("/kustomization.yaml")).count());
}

fn flux_waits_between_stages_and_keeps_what_is_precious() {
    let mut repository = Repository::tutorial();
    let odd = repository.files["catalogs/team-a-redis.yaml"].replace("A service", "'costs ${PRICE}'");
    repository = repository.file("catalogs/team-a-redis.yaml", odd);
    let set = repository.render();
    let files = files(&set, RenderTarget::Flux);
    assert_reached(&files, &["management", "team-a/eu-west-1", "flux/management", "flux/team-a/eu-west-1"]);
    for (path, bytes) in files.iter().filter(|(p, _)| !p.starts_with("flux/") && !p.ends_with("/kustomization.yaml")) {
        let object = value(bytes);
        let said = annotations(&object);
        let kind = object["kind"].as_str().unwrap();
        let precious = ["CustomResourceDefinition", "Namespace"].contains(&kind);
        assert_eq!(said.contains_key("kustomize.toolkit.fluxcd.io/prune"), precious, "{path}");
        let dollar = String::from_utf8_lossy(bytes).contains("${");
        assert_eq!(said.get("kustomize.toolkit.fluxcd.io/substitute") == Some(&"disabled"), dollar, "{path}");
    }
    let substituted = files.values().filter(|b| String::from_utf8_lossy(b).contains("substitute: disabled")).count();
    assert_eq!(substituted, 3, "set, entry, offering");

    let stage = |path: &str| value(&files[path]);
    let first = stage("flux/management/kustomization_carrier-crds.yaml");
    assert_eq!(first["spec"].get("dependsOn"), None);
    assert_eq!(first["spec"]["path"], "./rendered/management/00-crds");
    assert_eq!(first["spec"]["sourceRef"], json!({"kind": "GitRepository", "name": "flux-system"}));
    assert_eq!(first["metadata"]["namespace"], "flux-system");
    let last = stage("flux/management/kustomization_carrier-catalog.yaml");
    assert_eq!(last["spec"]["dependsOn"], json!([{"name": "carrier-rbac"}]));
    assert_eq!(last["spec"]["wait"], true);
    let away = stage("flux/team-a/eu-west-1/kustomization_carrier-team-a.eu-west-1-rbac.yaml");
    assert_eq!(away["spec"]["dependsOn"], json!([{"name": "carrier-team-a.eu-west-1-namespaces"}]));
    assert_eq!(away["spec"]["path"], "./rendered/team-a/eu-west-1/20-rbac");
}

fn argo_is_told_order_and_options() {
    let mut big = crd("acme.example", "bigs", "Big");
    let text = "x".repeat(250 * 1024);
    big["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["secret"]["description"] =
        json!(text);
    let repository = Repository::tutorial().set("team-a", "big", "bigs.acme.example").crd("team-a", "eu-west-1", &big);
    let annotated = repository.files["catalogs/team-a-catalog-default.yaml"].replace(
        "namespace: team-a}",
        "namespace: team-a, annotations: {argocd.argoproj.io/sync-options: Replace=true}}",
    );
    let set = repository.file("catalogs/team-a-catalog-default.yaml", annotated).render();
    let files = files(&set, RenderTarget::Argo);
    let said = |path: &str| {
        let object = value(&files[path]);
        let all = annotations(&object);
        let get = |key: &str| all.get(key).copied().unwrap_or_default().to_owned();
        (get("argocd.argoproj.io/sync-wave"), get("argocd.argoproj.io/sync-options"))
    };
    let pair = |wave: &str, options: &str| (wave.to_owned(), options.to_owned());
    let crds = "management/00-crds/customresourcedefinition";
    assert_eq!(said(&format!("{crds}_redis.eu-west-1.team-a.yaml")), pair("-30", "Prune=confirm"));
    assert_eq!(
        said(&format!("{crds}_bigs.internal.eu-west-1.team-a.yaml")),
        pair("-30", "Prune=confirm,ServerSideApply=true")
    );
    assert_eq!(said("management/10-namespaces/namespace_team-b.yaml"), pair("-20", "Prune=confirm"));
    assert_eq!(
        said("management/30-catalog/team-b/provider_team-a.yaml"),
        pair("0", "SkipDryRunOnMissingResource=true")
    );
    assert_eq!(
        said("management/30-catalog/team-a/catalog_default.yaml"),
        pair("0", "Replace=true,SkipDryRunOnMissingResource=true"),
        "what somebody wrote stays"
    );
    assert!(!files.keys().any(|p| p.starts_with("argo/")), "no applications without a repoURL");
}

fn argo_applications_are_one_a_cluster() {
    let mut config = Config::default();
    config.render.argo.repo_url = Some("https://git.example/platform.git".to_owned());
    "out/manifests".clone_into(&mut config.output);
    let long = "l".repeat(57);
    let repository = Repository::tutorial().account(&long, "Provider").cluster(&long, "eu-west-1");
    let files = layout(&repository.render(), &Options::new(&config, Some(RenderTarget::Argo)));
    assert_reached(&files, &["management", "team-a/eu-west-1", &format!("{long}/eu-west-1"), "argo"]);
    let management = value(&files["argo/application_carrier.yaml"]);
    assert_eq!(management["spec"]["source"]["path"], "out/manifests/management");
    let away = value(&files["argo/application_carrier-team-a.eu-west-1.yaml"]);
    assert_eq!(away["spec"]["destination"], json!({"name": "team-a.eu-west-1"}));
    for (_, bytes) in files.iter().filter(|(p, _)| p.starts_with("argo/application")) {
        assert!(value(bytes)["metadata"]["name"].as_str().unwrap().len() <= 63);
    }
}
