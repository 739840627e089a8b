//! Keeps the link to one service cluster: follows the Secret, asks the cluster who it is, publishes what may be
//! believed, and writes the status of the ServiceCluster. What is decided is in `state.rs` and `status.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::secret::{self, News};
use super::state::{Answer, Facts, Input, LinkState, Order, PROBE_DEADLINE, SecretSeen, Which};
use super::status::{ClusterStatus, Seen};
use super::verdict::{Fault, Trust, server_text};
use super::write::{self, MayWrite, Task};
use crate::cluster::client::Counters;
use crate::cluster::kubeconfig::{self, Loopback};
use crate::cluster::{Cluster, ClusterError, ErrorKind, Limits, identity};
use crate::model::cluster::{ClusterId, Target};
use crate::model::keys::{self, annotation};
use crate::model::resource::Resource;

/// The pause after a status that could not be written.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// The pause after one that somebody else was ahead of.
const AFTER_CONFLICT: Duration = Duration::from_millis(500);

/// How links are kept.
#[derive(Clone)]
pub struct LinkOptions {
    /// The limits of the connection to the service cluster.
    pub limits: Limits,
    /// Whether a kubeconfig may point at this machine.
    pub loopback: Loopback,
    /// Whether a cluster is trusted whose identity is not recorded, for a run that writes nothing.
    pub unrecorded: bool,
    /// Whether this process may write now: for each cluster, its lease.
    pub may_write: MayWrite,
    /// Where requests to the service cluster are counted, whatever connection they take.
    pub counters: Arc<Counters>,
}

/// The link to a service cluster.
#[derive(Debug, Clone)]
pub struct Link {
    /// What may be believed.
    pub trust: Trust,
    /// The connection in use; absent where there is none, and where another cluster answers.
    pub connection: Option<Cluster>,
    /// How often the connection or the identity has changed.
    pub epoch: u64,
    /// Whether the annotation `paused` of the ServiceCluster is set.
    pub paused: bool,
}

/// The engine's end of a link. The link ends with the last clone.
#[derive(Clone)]
pub struct LinkHandle {
    commands: mpsc::UnboundedSender<Command>,
    link: watch::Receiver<Link>,
    life: Arc<AtomicU64>,
    start: Instant,
}

enum Command {
    Object(Box<Value>),
    Suspect,
    Poke,
    Confirm(oneshot::Sender<Link>),
}

impl LinkHandle {
    /// The link as it is now.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link.borrow().clone()
    }

    /// The link, whenever it changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// The ServiceCluster has changed.
    pub fn object(&self, live: Value) {
        self.send(Command::Object(Box::new(live)));
    }

    /// A watch of the connection in use has shown life. Cheap: for every event.
    pub fn note_life(&self) {
        self.life.store(millis(self.start.elapsed()), Ordering::Relaxed);
    }

    /// A request on the connection in use was not answered.
    pub fn suspect(&self) {
        self.send(Command::Suspect);
    }

    /// Writing may have become allowed.
    pub fn poke(&self) {
        self.send(Command::Poke);
    }

    /// The link after the cluster was asked once more who it is.
    pub async fn confirm(&self) -> Link {
        let (answer, confirmed) = oneshot::channel();
        self.send(Command::Confirm(answer));
        confirmed.await.unwrap_or_else(|_| self.link())
    }

    fn send(&self, command: Command) {
        // The keeper ends only after the last handle.
        let _ = self.commands.send(command);
    }
}

/// Keeps the link of a ServiceCluster until the last handle goes. `live` is the ServiceCluster as it is.
#[must_use]
pub fn keep(management: &Cluster, id: &ClusterId, live: Value, options: LinkOptions) -> LinkHandle {
    let (commands, received) = mpsc::unbounded_channel();
    let (published, link) = watch::channel(Link { trust: Trust::Pending, connection: None, epoch: 0, paused: false });
    let (seen_alive, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let state = LinkState::new(options.unrecorded);
    let keeper = Keeper {
        management: management.clone(),
        id: id.clone(),
        live,
        options,
        start,
        life: Arc::clone(&seen_alive),
        life_seen: 0,
        state,
        secret: None,
        watched: true,
        candidate: None,
        current: None,
        version: None,
        work: FuturesUnordered::new(),
        writing: false,
        write_again: None,
        unrecorded: None,
        confirming: Vec::new(),
        published,
    };
    tokio::spawn(keeper.run(received));
    LinkHandle { commands, link, life: seen_alive, start }
}

/// What has come to its end.
enum Done {
    Probed { number: u64, answer: Answer, version: Option<Value> },
    Written(Result<Value, ClusterError>),
}

/// The Secret that is followed.
struct Followed {
    name: String,
    news: mpsc::Receiver<News>,
    _task: Task,
}

struct Keeper {
    management: Cluster,
    id: ClusterId,
    live: Value,
    options: LinkOptions,
    start: Instant,
    life: Arc<AtomicU64>,
    life_seen: u64,
    state: LinkState,
    secret: Option<Followed>,
    watched: bool,
    candidate: Option<Cluster>,
    current: Option<Cluster>,
    version: Option<Value>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    writing: bool,
    write_again: Option<Instant>,
    /// Why the identity could not be recorded.
    unrecorded: Option<String>,
    confirming: Vec<oneshot::Sender<Link>>,
    published: watch::Sender<Link>,
}

impl Keeper {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        self.object_changed();
        loop {
            let due = self.state.due().map(|due| self.start + due);
            let due = [due, self.write_again].into_iter().flatten().min();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => return,
                },
                Some(news) = news(&mut self.secret) => self.news(news).await,
                Some(done) = self.work.next(), if !self.work.is_empty() => self.done(done),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.step_at_due(),
            }
            self.publish();
            self.write_status();
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Object(live) => {
                if !write::is_older(&live, &self.live) {
                    self.live = *live;
                    self.object_changed();
                }
            }
            Command::Suspect => self.step(Input::Suspicion),
            Command::Poke => {
                self.write_again = None;
                self.step(Input::Tick);
            }
            Command::Confirm(answer) => {
                self.confirming.push(answer);
                self.step(Input::Confirm);
            }
        }
    }

    /// Reads the ServiceCluster: which Secret it names, and which identity is recorded or accepted.
    fn object_changed(&mut self) {
        let text = |pointer: &str| self.live.pointer(pointer).and_then(Value::as_str);
        let name = text("/spec/kubeconfigSecret/name").unwrap_or_default().to_owned();
        let accepted = annotation(&self.live, keys::ACCEPT_IDENTITY).map(str::to_owned);
        let facts = Facts { pinned: text("/status/clusterUID").map(str::to_owned), accepted };
        if self.secret.as_ref().is_none_or(|followed| followed.name != name) {
            let (sender, news) = mpsc::channel(1);
            let following = secret::follow(self.management.clone(), self.id.provider.clone(), name.clone(), sender);
            self.secret = Some(Followed { name, news, _task: Task::spawn(following) });
            self.step(Input::Secret(SecretSeen::Unknown));
        }
        self.step(Input::Facts(facts));
    }

    async fn news(&mut self, news: News) {
        self.watched = news.watched;
        let seen = match news.kubeconfig {
            Err(fault) => SecretSeen::Bad(fault),
            Ok((digest, _)) if self.state.is_of_secret(&digest) => return,
            Ok((digest, text)) => match connection(&self.id, &self.options, text.expose_secret()).await {
                Ok(cluster) => {
                    self.candidate = Some(cluster);
                    SecretSeen::Present(digest)
                }
                Err(error) => SecretSeen::Bad(Fault { of_kubeconfig: true, ..Fault::of(&error) }),
            },
        };
        self.step(Input::Secret(seen));
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Probed { number, answer, version } => {
                self.step(Input::Probed { number, answer });
                // That of another cluster is none of ours.
                if version.is_some() && (self.state.trust().is_trusted() || self.state.to_pin().is_some()) {
                    self.version = version;
                }
            }
            Done::Written(answer) => {
                self.writing = false;
                match answer {
                    Ok(live) => {
                        (self.write_again, self.unrecorded) = (None, None);
                        if !write::is_older(&live, &self.live) {
                            self.live = live;
                            self.object_changed();
                        }
                    }
                    Err(error) => {
                        // A conflict is news that the watch of the engine brings soon.
                        let is_conflict = error.kind == ErrorKind::VersionConflict;
                        let pause = if is_conflict { AFTER_CONFLICT } else { AFTER_FAILURE };
                        self.write_again = Some(Instant::now() + pause);
                        let is_lasting =
                            matches!(error.kind, ErrorKind::Forbidden | ErrorKind::Invalid | ErrorKind::Server);
                        if is_lasting && self.state.to_pin().is_some() {
                            self.unrecorded = Some(server_text(&error.message));
                        }
                    }
                }
            }
        }
    }

    fn step_at_due(&mut self) {
        self.write_again = self.write_again.filter(|at| *at > Instant::now());
        let life = self.life.load(Ordering::Relaxed);
        if life > self.life_seen {
            self.life_seen = life;
            let orders = self.state.step(Input::Life, Duration::from_millis(life));
            self.execute(orders);
        }
        self.step(Input::Tick);
    }

    fn step(&mut self, input: Input) {
        let orders = self.state.step(input, self.start.elapsed());
        self.execute(orders);
    }

    fn execute(&mut self, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::Use => self.current = self.candidate.take(),
                Order::Drop => {
                    let left = self.current.take();
                    self.candidate = self.candidate.take().or(left);
                }
                Order::Probe { number, which, afresh, version } => {
                    let connection = match which {
                        Which::Current => self.current.clone(),
                        Which::Candidate => self.candidate.clone(),
                    };
                    self.work.push(Box::pin(async move {
                        let (answer, version) = probe(connection, afresh, version).await;
                        Done::Probed { number, answer, version }
                    }));
                }
            }
        }
    }

    fn publish(&mut self) {
        let trust = match (self.state.trust(), &self.unrecorded) {
            (Trust::Pending, Some(why)) if self.state.to_pin().is_some() => Trust::Unreachable {
                reason: "IdentityNotRecorded",
                message: format!("its identity cannot be recorded in the status of the ServiceCluster: {why}"),
            },
            (trust, _) => trust,
        };
        let (connection, epoch) = (self.current.clone(), self.state.epoch());
        let link = Link { trust, connection, epoch, paused: self.is_paused() };
        self.published.send_if_modified(|before| {
            let differs =
                |link: &Link| (before.trust != link.trust, before.epoch != link.epoch, before.paused != link.paused);
            let changed = differs(&link) != (false, false, false);
            if changed {
                *before = link.clone();
            }
            changed
        });
        if !self.state.is_confirming() {
            for waiting in self.confirming.drain(..) {
                // Who has stopped waiting needs no answer.
                let _ = waiting.send(link.clone());
            }
        }
    }

    fn is_paused(&self) -> bool {
        annotation(&self.live, keys::PAUSED) == Some("true")
    }

    fn write_status(&mut self) {
        if self.writing || self.write_again.is_some() || !(self.options.may_write)() {
            return;
        }
        let deleting = self.live.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
        let seen = Seen {
            id: &self.id,
            trust: self.state.trust(),
            kubeconfig: self.state.kubeconfig(),
            remark: (!self.watched).then_some(secret::NOT_WATCHED),
            version: self.version.as_ref(),
            to_pin: self.state.to_pin(),
            paused: self.is_paused(),
            deleting,
        };
        let Some(body) = ClusterStatus::of(&seen).and_then(|status| status.patch(&self.live, &write::now())) else {
            return;
        };
        let Some(resource) = Resource::rendered_kind("ServiceCluster") else {
            return;
        };
        self.writing = true;
        let management = self.management.clone();
        self.work.push(Box::pin(async move { Done::Written(write::status(&management, resource, &body).await) }));
    }
}

/// The connection of a kubeconfig. Nothing is sent yet.
async fn connection(id: &ClusterId, options: &LinkOptions, text: &str) -> Result<Cluster, ClusterError> {
    let config = kubeconfig::from_secret(text, options.loopback.clone(), "the Secret").await?;
    let cluster = Cluster::new(Target::Service(id.clone()), config, options.limits)?;
    Ok(cluster.counting_in(&options.counters))
}

/// The next news of the Secret; waits for ever where none is followed.
async fn news(secret: &mut Option<Followed>) -> Option<News> {
    match secret {
        Some(followed) => followed.news.recv().await,
        None => std::future::pending().await,
    }
}

/// Asks a cluster who it is.
async fn probe(connection: Option<Cluster>, afresh: bool, with_version: bool) -> (Answer, Option<Value>) {
    let asked = async {
        let gone = || ClusterError::new(ErrorKind::Unreachable, "the connection is gone");
        let connection = connection.ok_or_else(gone)?;
        let connection = if afresh { connection.afresh()? } else { connection };
        let limits = Limits { deadline: PROBE_DEADLINE, ..connection.limits() };
        let connection = connection.with_limits(limits);
        let version = async {
            match with_version {
                // Who may not ask for the version is told everything else.
                true => identity::version(&connection).await.ok(),
                false => None,
            }
        };
        let (uid, version) = tokio::join!(identity::uid(&connection), version);
        uid.map(|uid| (uid, version))
    };
    match timeout(PROBE_DEADLINE, asked).await.unwrap_or_else(|_| Err(ClusterError::timed_out(PROBE_DEADLINE))) {
        Ok((uid, version)) => (Answer::Identity(uid), version),
        Err(error) if error.status.as_ref().is_some_and(|status| status.code == 429) => {
            (Answer::Busy(Fault::of(&error)), None)
        }
        Err(error) => (Answer::Fault(Fault::of(&error)), None),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
