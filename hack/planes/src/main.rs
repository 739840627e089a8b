//! Control planes for a person: what `hack/envtest.sh up` runs. They stay until the file that says so is removed.
//!
//! The harness is that of the tests. It is a package of its own, so that nobody compiles carrier and all of its tests to
//! have three clusters.
#![forbid(unsafe_code)]

#[path = "../../../tests/support/mod.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "tests do more with servers than start them")]
mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use support::{ControlPlanes, TestResult, USUAL, block_on};

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("planes: name the folder to stay in; hack/envtest.sh up runs this program");
        return ExitCode::from(64);
    };
    match block_on(stay(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.message().unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

/// Starts control planes in `folder`; they stay as long as `<folder>/stay` is there.
async fn stay(folder: PathBuf) -> TestResult {
    let planes = ControlPlanes::builder().controllers().folder(folder.clone()).start(&USUAL).await?;
    for plane in planes.iter() {
        std::fs::copy(plane.kubeconfig_path(), folder.join(format!("{}.kubeconfig", plane.name())))?;
    }
    let sign = folder.join("stay");
    // The last thing to appear: the script waits for it.
    std::fs::write(&sign, std::process::id().to_string())?;
    while is_there(&sign) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

fn is_there(sign: &Path) -> bool {
    sign.try_exists().unwrap_or(false)
}
