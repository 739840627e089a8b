//! The real CRDs that tests derive from, read where they lie, and what is made
//! of them: random exposures and random instances.
//!
//! A fresh clone has no `../shared`. Tests that use it say so by [`is_here`], and are ignored
//! then; in CI they fail. The small CRDs of `testdata/crds` are always there.

pub(crate) mod exposures;
pub(crate) mod instances;
pub(crate) mod random;

use std::path::{Path, PathBuf};

use carrier::derivation::SourceCrd;
use carrier::diagnostic::Diagnostics;
use carrier::source::FileId;
use carrier::text as yaml;
use serde_json::Value;

/// A CRD of the corpus.
pub(crate) struct Crd {
    /// The file's name without its ending.
    pub stem: String,
    /// The manifest as it was published.
    pub manifest: Value,
    /// The manifest as deriving reads it. A cluster-scoped CRD, which cannot be offered, is read as
    /// if it were namespaced: its shapes are as real as the rest.
    pub source: SourceCrd,
}

impl Crd {
    /// Reads one from a manifest; panics where it cannot be offered for other reasons than its scope.
    pub(crate) fn read(stem: &str, manifest: Value) -> Self {
        let mut namespaced = manifest.clone();
        namespaced["spec"]["scope"] = Value::from("Namespaced");
        let source = match SourceCrd::read(&namespaced) {
            Ok(source) => source,
            Err(problems) => panic!("{stem}: {problems:?}"),
        };
        Self { stem: stem.to_owned(), manifest, source }
    }
}

/// For tests that use the real CRDs.
pub(crate) fn is_here() -> Result<(), String> {
    match folder().join("crds").is_dir() {
        true => Ok(()),
        false => Err("the real CRDs are not there: ../shared/crds beside the project".to_owned()),
    }
}

/// The folder of shared test data. Whoever uses it has [`is_here`] among the needs of the test.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared")
}

/// A number that the environment sets: how much a test tries.
pub(crate) fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(otherwise)
}

/// Every value in a YAML file.
pub(crate) fn read_yaml(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut diagnostics = Diagnostics::default();
    let documents = yaml::read(FileId(0), &text, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{}: {diagnostics:?}", path.display());
    documents.iter().map(|d| d.root.to_json()).collect()
}

/// The YAML files of a folder, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> =
        entries.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    files
}

/// A file's name without its ending.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// The real CRDs; with `CARRIER_CRDS=part,part` only those whose name contains one of the parts.
pub(crate) fn crds() -> Vec<Crd> {
    let wanted = std::env::var("CARRIER_CRDS").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split(',').filter(|w| !w.is_empty()).collect();
    let crds: Vec<Crd> = files(&folder().join("crds"))
        .iter()
        .filter(|p| wanted.is_empty() || wanted.iter().any(|w| stem(p).contains(w)))
        .map(|p| Crd::read(&stem(p), read_yaml(p).remove(0)))
        .collect();
    assert!(!crds.is_empty(), "no CRD of ../shared/crds, or none that CARRIER_CRDS names");
    crds
}

/// The small CRDs written for the project, one a trap.
pub(crate) fn small() -> Vec<Crd> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/crds");
    files(&folder).iter().map(|p| Crd::read(&stem(p), read_yaml(p).remove(0))).collect()
}
