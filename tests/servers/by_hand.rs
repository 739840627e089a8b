//! Control planes for a person: what `hack/envtest.sh up` runs. They stay until
//! the file that says so is removed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::support::{ControlPlanes, TestResult, USUAL, block_on};

/// The folder to stay in, if this process shall do that instead of testing.
pub(crate) fn wanted() -> Option<PathBuf> {
    std::env::var_os("CARRIER_ENVTEST_UP").map(PathBuf::from)
}

/// Starts control planes in `folder`; they stay as long as `<folder>/stay` is there.
pub(crate) fn stay(folder: PathBuf) -> ExitCode {
    match block_on(try_stay(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.message().unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

async fn try_stay(folder: PathBuf) -> TestResult {
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
