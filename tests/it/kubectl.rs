//! kubectl as the oracle of what a text means. It needs no server for that.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::assets::Assets;

/// The label that the oracle puts on every object: with `kubectl label --local` it prints what it has read.
pub(crate) const LABEL: (&str, &str) = ("oracle", "x");

/// For tests that compare with kubectl.
pub(crate) fn is_here() -> Result<(), String> {
    program().as_ref().map(|_| ()).map_err(Clone::clone)
}

/// The objects of a text as kubectl reads them, each with [`LABEL`]; `None` where it refuses the text.
pub(crate) fn read(text: &str) -> Option<Vec<Value>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    let output = Command::new(program().as_ref().unwrap())
        .args(["label", "--local", "-o", "json", "--dry-run=client", &format!("{}={}", LABEL.0, LABEL.1), "-f"])
        .arg(file.path())
        .output()
        .unwrap();
    if !output.status.success() {
        return None;
    }
    let objects = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    Some(objects.map(|object| object.unwrap()).collect())
}

/// The kubectl of the version that we test with, or else the one on PATH.
fn program() -> &'static Result<PathBuf, String> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let runs = |program: &PathBuf| {
            Command::new(program).args(["version", "--client"]).output().is_ok_and(|output| output.status.success())
        };
        let built = Assets::find().as_ref().map(|assets| assets.tool("kubectl"));
        let found = built.into_iter().chain([PathBuf::from("kubectl")]).find(runs);
        found.ok_or_else(|| "no kubectl; hack/envtest.sh assets builds it".to_owned())
    })
}
