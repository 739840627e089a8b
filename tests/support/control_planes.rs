//! A set of control planes over one etcd, in one folder, that live and go together.

use std::ops::Index;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::try_join_all;
use tokio::sync::Mutex;

use super::assets::Assets;
use super::control_plane::{Common, ControlPlane};
use super::etcd::Etcd;
use super::process::Process;
use super::runner::{self, Remains};
use super::watchdog::Watchdog;
use super::{StartError, USUAL};

/// Running control planes, by name. When the value goes, they are stopped and their
/// folder is removed.
pub(crate) struct ControlPlanes {
    // Fields go in this order: first those that write, then where they write to.
    planes: Vec<ControlPlane>,
    etcd: Etcd,
    remains: Option<Remains>,
}

/// What control planes shall be like.
#[derive(Debug, Clone)]
#[must_use = "nothing runs until it is started"]
pub(crate) struct Builder {
    pub(super) controllers: bool,
    pub(super) watch_cache: bool,
    pub(super) priority_and_fairness: bool,
    pub(super) max_reads: Option<usize>,
    pub(super) audited: Vec<String>,
    folder: Option<PathBuf>,
}

impl Builder {
    /// With the controllers that finish the deletion of namespaces, collect what has lost
    /// its owner, and fill the aggregated ClusterRoles (`view`, `edit`, `admin`). Without
    /// them a deleted namespace stays `Terminating` for ever, and those roles are empty.
    pub(crate) fn controllers(mut self) -> Self {
        self.controllers = true;
        self
    }

    /// Without a watch cache a watch from a compacted revision gets 410 Gone at once.
    /// With it (the default, and what users have) that takes a restart of the server.
    pub(crate) fn watch_cache(mut self, wanted: bool) -> Self {
        self.watch_cache = wanted;
        self
    }

    /// Without it the server answers as fast as it can: for load tests.
    pub(crate) fn priority_and_fairness(mut self, wanted: bool) -> Self {
        self.priority_and_fairness = wanted;
        self
    }

    /// With room for so many reads at once, without priority and fairness: others get 429, but for administrators.
    pub(crate) fn max_reads(mut self, most: usize) -> Self {
        (self.priority_and_fairness, self.max_reads) = (false, Some(most));
        self
    }

    /// With a record of what these users ask for: see [`ControlPlane::asked`].
    pub(crate) fn audited(mut self, users: &[String]) -> Self {
        self.audited = users.to_vec();
        self
    }

    /// In this folder, which must not exist yet, instead of one among the temporary files.
    pub(crate) fn folder(mut self, folder: PathBuf) -> Self {
        self.folder = Some(folder);
        self
    }

    /// Starts one control plane for each name, all at once, and waits until all are ready.
    pub(crate) async fn start(self, names: &[&str]) -> Result<ControlPlanes, StartError> {
        let assets = Assets::find().clone().map_err(StartError::Assets)?;
        let remains = Remains::new(self.folder.as_deref())?;
        let folder = remains.folder().to_owned();
        let watchdog = Arc::clone(remains.watchdog());
        match self.start_in(names, &assets, &folder, &watchdog).await {
            Ok((planes, etcd)) => Ok(ControlPlanes { planes, etcd, remains: Some(remains) }),
            Err(error) => {
                runner::bequeath(remains);
                Err(error)
            }
        }
    }

    async fn start_in(
        &self,
        names: &[&str],
        assets: &Assets,
        folder: &Path,
        watchdog: &Arc<Watchdog>,
    ) -> Result<(Vec<ControlPlane>, Etcd), StartError> {
        let etcd = Etcd::start(assets, folder, watchdog).await?;
        let common = Common { assets, folder, etcd_port: etcd.port(), watchdog, options: self };
        let planes = try_join_all(names.iter().map(|name| ControlPlane::start(name, &common))).await?;
        Ok((planes, etcd))
    }
}

impl ControlPlanes {
    /// Control planes as most tests want them.
    pub(crate) async fn start(names: &[&str]) -> Result<Self, StartError> {
        Self::builder().start(names).await
    }

    /// Control planes that differ from those.
    pub(crate) fn builder() -> Builder {
        Builder {
            controllers: false,
            watch_cache: true,
            priority_and_fairness: true,
            max_reads: None,
            audited: Vec::new(),
            folder: None,
        }
    }

    /// All of them, in the order of their names as given.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, ControlPlane> {
        self.planes.iter()
    }

    /// Their etcd: what is done to it befalls them all.
    pub(crate) fn etcd(&self) -> &Etcd {
        &self.etcd
    }

    /// Where their data, logs and kubeconfigs are.
    pub(crate) fn folder(&self) -> &Path {
        self.remains.as_ref().expect("it is there until the end").folder()
    }

    /// Starts another process beside them, which goes with the test process at the latest. What it writes goes
    /// to `<name>.log` in [`Self::folder`].
    pub(crate) fn run(&self, name: &str, program: PathBuf, arguments: Vec<String>) -> Result<Process, StartError> {
        let remains = self.remains.as_ref().expect("it is there until the end");
        Process::start(name, program, arguments, remains.folder(), remains.watchdog())
    }

    /// The process numbers of everything that was started, for the tests of the harness.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let watchdog = self.remains.as_ref().map(|remains| remains.watchdog().pid());
        self.planes.iter().flat_map(ControlPlane::pids).chain(self.etcd.process().pid()).chain(watchdog).collect()
    }

    /// Every port that one of the servers listens on, for the tests of the harness.
    pub(crate) fn ports(&self) -> Vec<u16> {
        self.planes.iter().map(ControlPlane::port).chain([self.etcd.port()]).collect()
    }
}

impl Index<&str> for ControlPlanes {
    type Output = ControlPlane;

    fn index(&self, name: &str) -> &ControlPlane {
        let found = self.planes.iter().find(|plane| plane.name() == name);
        found.unwrap_or_else(|| panic!("no control plane {name} was started"))
    }
}

impl Drop for ControlPlanes {
    fn drop(&mut self) {
        self.planes.clear();
        self.etcd.process().kill();
        // The runner knows better than we whether the logs will be wanted.
        if let Some(remains) = self.remains.take() {
            runner::bequeath(remains);
        }
    }
}

static SHARED: Mutex<Option<Result<Arc<ControlPlanes>, String>>> = Mutex::const_new(None);

/// The control planes [`USUAL`], with controllers, for all tests of this binary that hurt
/// nobody. Tests keep apart by namespaces: see [`ControlPlane::namespace`].
pub(crate) async fn shared() -> Result<Arc<ControlPlanes>, String> {
    let mut shared = SHARED.lock().await;
    if shared.is_none() {
        let planes = ControlPlanes::builder().controllers().start(&USUAL).await;
        // Kept also when it failed: each further try would take as long and end as badly.
        *shared = Some(planes.map(Arc::new).map_err(|error| error.to_string()));
    }
    shared.clone().expect("just set")
}

/// The shared control planes if they run, without starting them.
pub(super) fn running_shared() -> Option<Arc<ControlPlanes>> {
    SHARED.try_lock().ok()?.clone()?.ok()
}

/// Stops the shared control planes. No test runs any more.
pub(super) fn stop_shared() {
    if let Ok(mut shared) = SHARED.try_lock() {
        *shared = None;
    }
}
