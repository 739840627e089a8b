//! A copy of the example with two service clusters, set up for real ones, and carrier run in it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::common::package;
use crate::platform::without_progress;
use crate::support::{ControlPlane, ControlPlanes, TestResult, eventually};

/// The clusters, by their names as control planes.
pub(crate) const CLUSTERS: [&str; 3] = ["management", "eu-west-1", "eu-west-2"];

/// The repository.
pub(crate) struct TwoRegions {
    folder: tempfile::TempDir,
}

/// How a command ended and what it wrote.
pub(crate) struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl TwoRegions {
    /// A copy, with this at the end of its carrier.yaml.
    pub(crate) fn new(settings: &str) -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        copy(&package("catalog-examples/redis-two-regions"), folder.path())?;
        std::fs::write(folder.path().join("carrier.yaml"), settings)?;
        Ok(Self { folder })
    }

    /// A file of it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Runs carrier in it.
    pub(crate) async fn carrier(&self, arguments: &[&str]) -> std::io::Result<Ran> {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_carrier"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let err = without_progress(&text(output.stderr));
        Ok(Ran { status: output.status.code().unwrap_or(-1), out: text(output.stdout), err })
    }

    /// All its objects, put into the clusters by an admin.
    pub(crate) async fn install(&self, planes: &ControlPlanes) -> TestResult {
        for cluster in CLUSTERS {
            self.install_in(&planes[cluster]).await?;
        }
        Ok(())
    }

    /// The objects of one of them.
    pub(crate) async fn install_in(&self, plane: &ControlPlane) -> TestResult {
        let stream = self.objects(plane.name()).await?;
        let apply = ["apply", "--server-side", "--field-manager=carrier", "-f", "-"];
        // The first run ends at the first object whose kind is not served yet.
        eventually("everything is there", async || plane.kubectl_with(&apply, &stream).await.is_ok()).await;
        Ok(())
    }

    /// The objects of a cluster, as YAML.
    pub(crate) async fn objects(&self, plane: &str) -> std::io::Result<String> {
        let cluster = format!("team-a/{plane}");
        let mut arguments = vec!["-q", "render", "--stdout"];
        if plane != "management" {
            arguments.extend(["--cluster", &cluster]);
        }
        Ok(self.carrier(&arguments).await?.out)
    }
}

/// A document is as its schema says.
#[track_caller]
pub(crate) fn fits(schema: &str, document: &serde_json::Value) {
    let schema = std::fs::read_to_string(package(schema)).expect("a schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    jsonschema::draft7::new(&schema).expect("a schema").validate(document).expect("it fits");
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let (entry, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if entry.is_dir() {
            std::fs::create_dir(&to)?;
            copy(&entry, &to)?;
        } else {
            std::fs::copy(&entry, &to)?;
        }
    }
    Ok(())
}
