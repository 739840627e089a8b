//! The harness starts what it says, and keeps what it promises about users and failures.

use crate::support::{Case, ControlPlanes, TestResult, USUAL, cases};
use std::time::Instant;

/// The tests of this file.
pub fn cases() -> Vec<Case> {
    cases![three_are_ready_soon]
}

async fn three_are_ready_soon() -> TestResult {
    let started = Instant::now();
    let planes = ControlPlanes::start(&USUAL).await?;
    eprintln!("three control planes ready after {:.1} s", started.elapsed().as_secs_f64());
    for plane in planes.iter() {
        eprintln!("{}", plane.kubectl(&["get", "namespaces"]).await?);
    }
    eprintln!("{}", planes["management"].kubectl(&["version"]).await?);
    Ok(())
}
