//! Keeps the tenants' namespaces of one service cluster: looks at them, makes those that are missing, and writes the
//! statuses of their Assignments. What is decided is in `namespace.rs` and `assignment.rs`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::assignment::{self, Facts};
use super::keeper::{Link, LinkHandle};
use super::namespace::{self, NamespaceState, Owner};
use super::verdict::{Trust, server_text};
use super::write::{self, MayWrite, Task};
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind};
use crate::model::cluster::ClusterId;
use crate::model::resource::Resource;

/// The field manager of what sync writes to service clusters.
const SERVICE_MANAGER: &str = "carrier-sync-service";
/// The largest number of namespaces that are looked at, and of statuses that are written, at once.
const AT_ONCE: usize = 8;
/// The pause after a status that could not be written.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What is assigned to a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The namespace in the service cluster.
    ///
    /// # Errors
    /// Why there is none.
    pub namespace: Result<String, String>,
    /// What is known of it; it counts only while the link is trusted.
    pub state: NamespaceState,
    /// Whether the annotation `paused` of the Assignment is set.
    pub paused: bool,
}

/// The engine's end of the namespaces of one cluster. They are kept until the last clone goes.
#[derive(Clone)]
pub struct Namespaces {
    shared: Arc<Shared>,
    _task: Arc<Task>,
}

/// What the handle and the task share.
struct Shared {
    entries: Mutex<BTreeMap<String, Entry>>,
    wake: Notify,
    changes: watch::Sender<u64>,
}

/// One Assignment.
struct Entry {
    live: Arc<Value>,
    facts: Facts,
    state: NamespaceState,
    /// How often it was looked at in a row and found other than it should be.
    looks: u32,
    due: Instant,
    looking: bool,
    writing: bool,
    write_again: Option<Instant>,
}

impl Namespaces {
    /// What is assigned to a tenant, by its namespace in the management cluster; `None` without an Assignment.
    #[must_use]
    pub fn of(&self, tenant: &str) -> Option<Assigned> {
        let entries = self.shared.lock();
        let Entry { facts, state, .. } = entries.get(tenant)?;
        Some(Assigned { namespace: facts.namespace.clone(), state: state.clone(), paused: facts.paused })
    }

    /// An Assignment was seen, or has changed.
    pub fn assignment(&self, live: Value, cluster: &ClusterId) {
        let Some(facts) = Facts::of(&live, cluster) else { return };
        let mut entries = self.shared.lock();
        match entries.get_mut(&facts.tenant) {
            Some(entry) if write::is_older(&live, &entry.live) => {}
            Some(entry) => {
                if entry.facts.namespace != facts.namespace {
                    (entry.state, entry.due) = (NamespaceState::Unknown(None), Instant::now());
                }
                (entry.live, entry.facts) = (Arc::new(live), facts);
            }
            None => {
                let entry = Entry {
                    live: Arc::new(live),
                    state: NamespaceState::Unknown(None),
                    looks: 0,
                    due: Instant::now(),
                    looking: false,
                    writing: false,
                    write_again: None,
                    facts,
                };
                entries.insert(entry.facts.tenant.clone(), entry);
            }
        }
        drop(entries);
        self.shared.changed();
    }

    /// The Assignment of a tenant is gone.
    pub fn removed(&self, tenant: &str) {
        self.shared.lock().remove(tenant);
        self.shared.changed();
    }

    /// A write to the tenant's namespace said that it is gone or in deletion. Until it was looked at, nothing is known.
    pub fn look_again(&self, tenant: &str) {
        if let Some(entry) = self.shared.lock().get_mut(tenant)
            && !matches!(entry.state, NamespaceState::Missing(_) | NamespaceState::Terminating)
        {
            (entry.state, entry.looks, entry.due) = (NamespaceState::Unknown(None), 0, Instant::now());
        }
        self.shared.changed();
    }

    /// Counts the changes of what [`Self::of`] says.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Writing may have become allowed.
    pub fn poke(&self) {
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        // An entry is changed by whole assignments, so that it is sound even after a panic.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
        self.wake.notify_one();
    }
}

/// Keeps the namespaces behind a link. `management_uid` is the UID of the management cluster's `kube-system`.
#[must_use]
pub fn keep(
    management: &Cluster,
    id: &ClusterId,
    link: &LinkHandle,
    management_uid: &str,
    may_write: MayWrite,
) -> Namespaces {
    let (changes, _) = watch::channel(0);
    let shared = Arc::new(Shared { entries: Mutex::default(), wake: Notify::new(), changes });
    let keeper = Keeper {
        management: management.clone(),
        id: id.clone(),
        management_uid: management_uid.to_owned(),
        may_write,
        shared: Arc::clone(&shared),
        work: FuturesUnordered::new(),
    };
    let task = Task::spawn(keeper.run(link.subscribe()));
    Namespaces { shared, _task: Arc::new(task) }
}

/// What has come to its end.
enum Done {
    Looked { tenant: String, name: String, epoch: u64, state: NamespaceState },
    Written { tenant: String, answer: Result<Value, ClusterError> },
}

struct Keeper {
    management: Cluster,
    id: ClusterId,
    management_uid: String,
    may_write: MayWrite,
    shared: Arc<Shared>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
}

impl Keeper {
    async fn run(mut self, mut links: watch::Receiver<Link>) {
        let mut link = links.borrow_and_update().clone();
        loop {
            let due = self.begin(&link);
            tokio::select! {
                () = self.shared.wake.notified() => {}
                Some(done) = self.work.next(), if !self.work.is_empty() => self.done(done, link.epoch),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                changed = links.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let before = std::mem::replace(&mut link, links.borrow_and_update().clone());
                    // A namespace may have gone while nobody looked.
                    if link.epoch != before.epoch || (link.trust.is_trusted() && !before.trust.is_trusted()) {
                        for entry in self.shared.lock().values_mut() {
                            (entry.state, entry.looks, entry.due) = (NamespaceState::Unknown(None), 0, Instant::now());
                        }
                        self.shared.changed();
                    }
                }
            }
        }
    }

    /// Begins what is due, and says when there is something to do next.
    fn begin(&mut self, link: &Link) -> Option<Instant> {
        let (now, may_write) = (Instant::now(), (self.may_write)());
        let mut next: Option<Instant> = None;
        let mut later = |at: Instant| next = Some(next.map_or(at, |next| next.min(at)));
        let shared = Arc::clone(&self.shared);
        for (tenant, entry) in shared.lock().iter_mut() {
            let is_full = self.work.len() >= AT_ONCE;
            if let (Trust::Trusted { .. }, Some(cluster), Ok(name), false) =
                (&link.trust, &link.connection, &entry.facts.namespace, entry.looking)
            {
                if entry.due > now {
                    later(entry.due);
                } else if !is_full {
                    entry.looking = true;
                    let may_make = may_write && !link.paused && !entry.facts.paused && !entry.facts.deleting;
                    self.look(cluster, tenant, name, may_make, link.epoch);
                }
            }
            entry.write_again = entry.write_again.filter(|at| *at > now);
            match entry.write_again {
                Some(at) => later(at),
                None if may_write && !entry.writing && self.work.len() < AT_ONCE => {
                    entry.writing = self.write(tenant, entry, &link.trust);
                }
                None => {}
            }
        }
        next
    }

    fn look(&mut self, cluster: &Cluster, tenant: &str, name: &str, may_make: bool, epoch: u64) {
        let owner =
            Owner { cluster: self.id.clone(), tenant: tenant.to_owned(), management_uid: self.management_uid.clone() };
        let (cluster, tenant, name) = (cluster.clone(), tenant.to_owned(), name.to_owned());
        let may_write = Arc::clone(&self.may_write);
        self.work.push(Box::pin(async move {
            let state = match look(&cluster, &name, &owner).await {
                // The lease may have gone meanwhile.
                NamespaceState::Missing(None) if may_make && may_write() => make(&cluster, &name, &owner).await,
                state => state,
            };
            Done::Looked { tenant, name, epoch, state }
        }));
    }

    /// Begins to write the status of an Assignment where it differs.
    fn write(&mut self, tenant: &str, entry: &Entry, trust: &Trust) -> bool {
        let Some(resource) = Resource::rendered_kind("ServiceClusterAssignment") else {
            return false;
        };
        let ready = assignment::ready(&entry.facts, trust, &entry.state);
        let body = ready.and_then(|ready| assignment::patch(&ready, &entry.facts, &entry.live, &write::now()));
        let Some(body) = body else { return false };
        let (management, tenant) = (self.management.clone(), tenant.to_owned());
        self.work.push(Box::pin(async move {
            let answer = write::status(&management, resource, &body).await;
            Done::Written { tenant, answer }
        }));
        true
    }

    fn done(&mut self, done: Done, current: u64) {
        let mut entries = self.shared.lock();
        match done {
            Done::Looked { tenant, name, epoch, state } => {
                let Some(entry) = entries.get_mut(&tenant) else { return };
                entry.looking = false;
                // What was seen of another cluster, or of another name, is not what was asked for.
                if epoch != current || entry.facts.namespace.as_ref() != Ok(&name) {
                    entry.due = Instant::now();
                    return;
                }
                entry.due = Instant::now() + state.pause(entry.looks);
                entry.looks = if state.may_write() { 0 } else { entry.looks.saturating_add(1) };
                // A server that had no room for the question has not said that anything has changed.
                let state = if state == NamespaceState::Unknown(None) { entry.state.clone() } else { state };
                let changed = entry.state != state;
                entry.state = state;
                drop(entries);
                if changed {
                    self.shared.changed();
                }
            }
            Done::Written { tenant, answer } => {
                let Some(entry) = entries.get_mut(&tenant) else { return };
                entry.writing = false;
                match answer {
                    Ok(live) => {
                        entry.write_again = None;
                        if !write::is_older(&live, &entry.live)
                            && let Some(facts) = Facts::of(&live, &self.id)
                        {
                            (entry.live, entry.facts) = (Arc::new(live), facts);
                        }
                    }
                    Err(_) => entry.write_again = Some(Instant::now() + AFTER_FAILURE),
                }
            }
        }
    }
}

/// Looks at a namespace.
async fn look(cluster: &Cluster, name: &str, owner: &Owner) -> NamespaceState {
    match cluster.call(&ApiRequest::object(Resource::namespaces(), None, name)).await {
        Ok(live) => NamespaceState::of(Some(&live), owner),
        Err(error) if error.kind == ErrorKind::NotFound => NamespaceState::of(None, owner),
        Err(error) if error.kind == ErrorKind::Forbidden => {
            let why = format!("sync needs the right to get the namespace `{name}` in the service cluster");
            NamespaceState::Unknown(Some(why))
        }
        // The link says so too, if it is the connection.
        Err(error) if error.is_of_connection() || error.is_transient() => NamespaceState::Unknown(None),
        Err(error) => NamespaceState::Unknown(Some(server_text(&error.message))),
    }
}

/// Makes a namespace that is missing.
async fn make(cluster: &Cluster, name: &str, owner: &Owner) -> NamespaceState {
    let body = namespace::creation(name, owner);
    let request = ApiRequest::apply(Resource::namespaces(), None, name, &body).field_manager(SERVICE_MANAGER);
    match cluster.call(&request).await {
        Ok(made) => NamespaceState::of(Some(&made), owner),
        Err(error) if error.kind == ErrorKind::Forbidden => {
            let why = "sync needs the right to create and patch namespaces there, or somebody else creates it";
            NamespaceState::Missing(Some(why.to_owned()))
        }
        // Somebody was ahead: the next look tells whose it is.
        Err(error) if error.kind == ErrorKind::VersionConflict => NamespaceState::Unknown(None),
        Err(error) => NamespaceState::Missing(Some(server_text(&error.message))),
    }
}
