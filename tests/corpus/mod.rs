//! The real CRDs that tests derive from, read where they lie, and what is made
//! of them: random exposures and random instances.
//!
//! A fresh clone has no `../shared`. Then [`crds`] is empty and says so, once;
//! in CI that is a failure. The small CRDs of `testdata/crds` are always there.
#![allow(dead_code, reason = "every test binary takes what it needs")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects by unwrapping")]
#![allow(clippy::print_stderr, reason = "what a test measures or skips is for the person who runs it")]

pub mod exposures;
pub mod instances;
pub mod random;

use std::path::{Path, PathBuf};

use carrier::compile::derive::source::SourceCrd;
use carrier::model::diagnostic::Diagnostics;
use carrier::model::source::FileId;
use carrier::yaml;
use serde_json::Value;

/// A CRD of the corpus.
pub struct Crd {
    /// The file's name without its ending.
    pub stem: String,
    /// The manifest as it was published.
    pub manifest: Value,
    /// The manifest as deriving reads it. A cluster-scoped CRD, which cannot be offered, is read as
    /// if it were namespaced: its shapes are as real as the rest.
    pub source: SourceCrd,
    /// Whether it was cluster-scoped.
    pub cluster_scoped: bool,
}

impl Crd {
    /// Reads one from a manifest; panics where it cannot be offered for other reasons than its scope.
    pub fn read(stem: &str, manifest: Value) -> Self {
        let cluster_scoped = manifest.pointer("/spec/scope").and_then(Value::as_str) == Some("Cluster");
        let mut namespaced = manifest.clone();
        namespaced["spec"]["scope"] = Value::from("Namespaced");
        let source = match SourceCrd::read(&namespaced) {
            Ok(source) => source,
            Err(problems) => panic!("{stem}: {problems:?}"),
        };
        Self { stem: stem.to_owned(), manifest, source, cluster_scoped }
    }
}

/// The folder of shared test data, if it is there.
pub fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    if folder.join("crds").is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none_or(|v| v.is_empty()), "../shared/crds is missing, and this is CI");
    eprintln!("skipped what needs the real CRDs: there is no ../shared/crds beside the project");
    None
}

/// Every value in a YAML file.
pub fn read_yaml(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut diagnostics = Diagnostics::default();
    let documents = yaml::read(FileId(0), &text, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{}: {diagnostics:?}", path.display());
    documents.iter().map(|d| d.root.to_json()).collect()
}

/// The YAML files of a folder, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        entries.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    files
}

/// A file's name without its ending.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// The real CRDs; with `CARRIER_CRDS=part,part` only those whose name contains one of the parts.
pub fn crds() -> Vec<Crd> {
    let Some(shared) = shared() else { return Vec::new() };
    let wanted = std::env::var("CARRIER_CRDS").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split(',').filter(|w| !w.is_empty()).collect();
    files(&shared.join("crds"))
        .iter()
        .filter(|p| wanted.is_empty() || wanted.iter().any(|w| stem(p).contains(w)))
        .map(|p| Crd::read(&stem(p), read_yaml(p).remove(0)))
        .collect()
}

/// The small CRDs written for the project, one a trap.
pub fn small() -> Vec<Crd> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/crds");
    files(&folder).iter().map(|p| Crd::read(&stem(p), read_yaml(p).remove(0))).collect()
}

/// Instances that a CRD accepts (`samples`) or refuses (`samples-rejected`), with their files' names.
pub fn samples(folder: &str, crd: &Crd) -> Vec<(String, Value)> {
    let Some(shared) = shared() else { return Vec::new() };
    let folder = shared.join(folder).join(&crd.stem);
    files(&folder).iter().flat_map(|p| read_yaml(p).into_iter().map(|v| (stem(p), v))).collect()
}

/// The version that an instance is written in.
pub fn version_of(instance: &Value) -> &str {
    let api_version = instance.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    api_version.rsplit('/').next().unwrap_or_default()
}
