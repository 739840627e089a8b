//! Finds the server binaries. It does not build them: `hack/envtest.sh` does.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The command that provides the binaries, as told to people.
const PROVIDE: &str = "hack/envtest.sh assets";

/// The folder with `etcd`, `kube-apiserver`, `kube-controller-manager` and `kubectl`.
#[derive(Debug, Clone)]
pub(crate) struct Assets(PathBuf);

impl Assets {
    /// The folder that `KUBEBUILDER_ASSETS` names, or else the one that
    /// `hack/envtest.sh` has built. The error says what is missing, and the
    /// command that provides it.
    pub(crate) fn find() -> &'static Result<Self, String> {
        static FOUND: OnceLock<Result<Assets, String>> = OnceLock::new();
        FOUND.get_or_init(Self::look)
    }

    fn look() -> Result<Self, String> {
        let folder = match std::env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()) {
            Some(folder) => PathBuf::from(folder),
            None => built().ok_or_else(|| format!("no server binaries; {PROVIDE} builds them"))?,
        };
        // A folder from setup-envtest has no kube-controller-manager: only the tests that need it will fail.
        for tool in ["etcd", "kube-apiserver", "kubectl"] {
            if !folder.join(tool).is_file() {
                return Err(format!("{} has no {tool}; {PROVIDE} builds all that is needed", folder.display()));
            }
        }
        Ok(Self(folder))
    }

    /// One of the binaries.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// Asks the script, which alone knows the pinned version and its cache folder.
fn built() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hack/envtest.sh");
    let output = Command::new(script).arg("where").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(folder.trim_end()))
}
