//! Real control planes for tests: kube-apiserver, etcd and, where asked for,
//! kube-controller-manager, as plain processes on loopback.
//!
//! ```ignore
//! async fn a_namespace_can_be_made() -> TestResult {
//!     let planes = ControlPlanes::start(&["management", "eu-west-1"]).await?;
//!     planes["management"].kubectl(&["create", "namespace", "team-a"]).await?;
//!     Ok(())
//! }
//! ```
//!
//! A test that does not hurt the servers takes [`shared`] ones instead: they are
//! started once for all tests of a binary. Test binaries that use this module
//! have `harness = false` and hand their tests to [`run`], because libtest cannot
//! report a test as ignored for want of the server binaries, and [`run`] can.
//!
//! Nothing is left behind, however the test process ends: see `watchdog.rs`.
//!
//! This module knows nothing of carrier. `docs/testing.md` says how to use it.
#![allow(clippy::expect_used, reason = "a harness that cannot do its work fails the test, and says where")]

mod access;
mod assets;
pub(crate) use assets::Assets;
mod authority;
mod control_plane;
mod control_planes;
mod etcd;
mod gateway;
mod harness;
mod process;
mod proxy;
mod runner;
mod watchdog;

pub(crate) use access::{Access, KubectlError};
pub(crate) use control_plane::ControlPlane;
pub(crate) use control_planes::{Builder, ControlPlanes, shared};
pub(crate) use gateway::Gateway;
pub(crate) use harness::{TestResult, name};
pub(crate) use libtest_mimic::Failed;
pub(crate) use process::{Process, has_ended};
pub(crate) use proxy::Proxy;
pub(crate) use runner::cases;
pub(crate) use runner::{Case, block_on, eventually, run};

use std::time::Duration;

/// How long a server may take to start. It is a bound against hanging, not an
/// expectation: an idle machine needs 3 s for three control planes.
const START_LIMIT: Duration = Duration::from_mins(3);

/// The names of the control planes that most tests want, and that a person gets
/// from `hack/envtest.sh up`.
pub(crate) const USUAL: [&str; 3] = ["management", "eu-west-1", "eu-west-2"];

/// What went wrong while servers were started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The binaries are not there.
    #[error("{0}")]
    Assets(String),
    /// A file, process or socket could not be made.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// A server ended before it was ready.
    #[error("{name} ended before it was ready ({status}); the end of its log:\n{log}")]
    Ended {
        /// The server.
        name: String,
        /// How it ended.
        status: String,
        /// The last lines it wrote.
        log: String,
    },
    /// A server did not get ready in time.
    #[error("{name} is not ready after {} s ({last}); the end of its log:\n{log}", START_LIMIT.as_secs())]
    NotReady {
        /// The server.
        name: String,
        /// The last answer to the question whether it is ready.
        last: String,
        /// The last lines it wrote.
        log: String,
    },
}

impl StartError {
    /// Whether another process took the port between our choosing it and the
    /// server's binding it. Then another port is worth a try.
    fn is_port_taken(&self) -> bool {
        matches!(self, Self::Ended { log, .. } if log.contains("address already in use"))
    }
}

/// Says which file or program an I/O error is about.
fn io(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> StartError {
    move |error| StartError::Io(what.to_string(), error)
}

/// A port on loopback that nobody listens on.
///
/// It lies below the range from which systems take the ports of outgoing
/// connections, so that none of the many clients of a test run can have it
/// before the server does.
pub(crate) fn free_port() -> u16 {
    use std::hash::{BuildHasher, RandomState};
    loop {
        let random = RandomState::new().hash_one("port") % 12_000;
        let port = 20_000 + u16::try_from(random).expect("below 12,000");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
