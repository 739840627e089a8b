//! A process of sync in the model: its real index, queue and workers, with requests that wait for the model to answer
//! them, and watches that tell when the model has them tell.

use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::offer;
use super::server::{Key, Server, path};
use crate::cluster::client::simulated::{Answer, Answers};
use crate::cluster::watch::WatchEvent;
use crate::cluster::{Cluster, ClusterError, ErrorKind};
use crate::model::cluster::Target;
use crate::model::keys::MANAGEMENT_CLUSTER;
use crate::sync::breaker::Threshold;
use crate::sync::follow::Follow;
use crate::sync::level::Level;
use crate::sync::place::{AssignmentState, ClusterState, TenantNamespace, Trust};
use crate::sync::queue::{Id, Moment};
use crate::sync::shared::{Connection, Shared, Wish};
use crate::sync::worker;

/// The levels.
pub(super) const LEVELS: [Level; 3] = [Level::Tenant, Level::Internal, Level::Service];

/// The UID of the service cluster.
const IDENTITY: &str = "uid-of-service-cluster";

/// A request under way.
pub(super) struct Ticket {
    /// The request.
    pub request: http::Request<Bytes>,
    /// Whether it went to the service cluster.
    pub is_below: bool,
    /// Whether the breaker counts the deletion that it finishes.
    pub counts: AtomicBool,
    answer: Mutex<Option<Answer>>,
}

impl Ticket {
    /// The object that it is about.
    pub(super) fn key(&self) -> Key {
        path(&self.request).unwrap().0
    }

    /// Has the worker get the answer.
    pub(super) fn reply(&self, answer: Answer) {
        *self.answer.lock().unwrap() = Some(answer);
    }
}

/// Where requests wait.
struct Desk {
    is_below: bool,
    tickets: Arc<Mutex<Vec<Arc<Ticket>>>>,
}

impl Answers for Desk {
    fn answer(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Answer> {
        if request.uri().path() == "/api/v1/namespaces/kube-system" {
            return Box::pin(async { Ok((200, json!({"metadata": {"name": "kube-system", "uid": IDENTITY}}))) });
        }
        let (counts, answer) = (AtomicBool::new(false), Mutex::default());
        let ticket = Arc::new(Ticket { request, is_below: self.is_below, counts, answer });
        self.tickets.lock().unwrap().push(Arc::clone(&ticket));
        Box::pin(std::future::poll_fn(move |_| match ticket.answer.lock().unwrap().take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        }))
    }
}

/// A worker on one instance.
pub(super) struct Work {
    /// The instance.
    pub id: Id,
    /// The step of the model at which it began.
    pub began: u64,
    /// Whether the instance was paused then.
    pub was_paused: bool,
    /// Whether the breaker counts the deletion that it finishes, as of its last look at the tenant object.
    pub counts: bool,
    /// What it waits for, and the answer where the server has answered.
    pub tickets: Vec<(Arc<Ticket>, Option<Answer>)>,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

/// A watch.
enum Watch {
    Off,
    /// What of a list was not told yet, and the version of the list.
    Listing(Vec<Value>, u64),
    /// The list is told, and the watch not open.
    Listed(u64),
    /// The position in the history of the server.
    Live(usize),
    /// It broke, and can go on where it was.
    Broken(usize),
}

/// A process.
pub(super) struct Process {
    /// What its tasks share.
    pub shared: Arc<Shared>,
    /// The number of the service.
    pub service: u32,
    /// The workers.
    pub works: Vec<Work>,
    /// Since which step it has known that the CatalogEntry is gone.
    pub entry_gone: Option<u64>,
    /// Whether it knows the service cluster to be out of reach.
    pub is_cut_off: bool,
    /// When it finished deletions that count for the breaker.
    pub finished: Vec<Moment>,
    epoch: u64,
    wishes: mpsc::Receiver<Wish>,
    tickets: Arc<Mutex<Vec<Arc<Ticket>>>>,
    follows: Vec<Follow>,
    watches: [Watch; 3],
}

impl Process {
    /// A process that begins.
    pub(super) fn new(now: Moment, has_entry: bool) -> Self {
        let tickets = Arc::new(Mutex::new(Vec::new()));
        let desk = Desk { is_below: false, tickets: Arc::clone(&tickets) };
        let management = Cluster::simulated(Target::Management, Arc::new(desk));
        let (shared, wishes) = Shared::new(management.clone(), false, None);
        shared.set_now(now);
        let described = offer::service();
        let mut index = shared.index();
        let service = index.add_service(Arc::clone(&described));
        let assignments = offer::TENANTS.map(|(above, below)| {
            let (uid, state) = (format!("assignment-{below}"), TenantNamespace::Ours);
            let state = AssignmentState { namespace: below.to_owned(), uid, paused: false, state };
            (above.to_owned(), state)
        });
        index.places.assignments.insert(offer::cluster(), assignments.into());
        drop(index);
        let follow = |level| Follow {
            shared: Arc::clone(&shared),
            service_id: service,
            service: Arc::clone(&described),
            level,
            cluster: management.clone(),
            link: None,
        };
        let mut process = Self {
            service,
            works: Vec::new(),
            entry_gone: None,
            is_cut_off: false,
            finished: Vec::new(),
            epoch: 0,
            wishes,
            tickets,
            follows: LEVELS.map(follow).into(),
            watches: [const { Watch::Off }; 3],
            shared,
        };
        process.reach(true, true);
        if !has_entry {
            process.entry(false, 0);
        }
        process
    }

    /// Tells it whether the service cluster can be reached, as the supervisor does; `anew` over another connection.
    pub(super) fn reach(&mut self, can: bool, anew: bool) {
        self.is_cut_off = !can;
        let id = offer::cluster();
        if anew {
            self.epoch += 1;
        }
        let trust =
            if can { Trust::Trusted } else { Trust::Unreachable("the service cluster does not answer".to_owned()) };
        let desk = Desk { is_below: true, tickets: Arc::clone(&self.tickets) };
        let connection = can.then(|| Connection {
            epoch: self.epoch,
            cluster: Cluster::simulated(Target::Service(id.clone()), Arc::new(desk)),
            uid: IDENTITY.to_owned(),
        });
        self.shared.connect(&id, connection);
        let mut index = self.shared.index();
        let breaker = Threshold::parse("2,30%,10m").unwrap();
        let state = ClusterState { trust, paused: false, breaker, epoch: self.epoch, lane: 0 };
        index.places.clusters.insert(id.clone(), state);
        if can && anew {
            index.forget_level(self.service, Level::Service);
            self.watches[2] = Watch::Off;
        }
        index.push_cluster(&id, None);
    }

    /// Tells it whether the CatalogEntry is there, as the supervisor does.
    pub(super) fn entry(&mut self, is_there: bool, step: u64) {
        self.entry_gone = if is_there { None } else { self.entry_gone.or(Some(step)) };
        let mut index = self.shared.index();
        let why = (!is_there).then(|| "the CatalogEntry cannot be read: it is gone".to_owned());
        let held = (!is_there).then(|| "the CatalogEntry team-a/dbs.eu is gone".to_owned());
        if let Some(indexed) = index.services.get_mut(&self.service) {
            (indexed.paused, indexed.held) = (why, held);
        }
        index.push_service(self.service);
    }

    /// Has a watch tell one thing more; `chance` says how much of a list. Returns what it told.
    pub(super) fn hear(&mut self, level: usize, server: &Server, chance: usize) -> Option<String> {
        let kind = offer::KINDS[level];
        let is_selected =
            |object: &Value| level != 2 || object["metadata"]["labels"][MANAGEMENT_CLUSTER] == offer::MANAGEMENT;
        let mut told = Vec::new();
        let (events, next) = match std::mem::replace(&mut self.watches[level], Watch::Off) {
            Watch::Off => {
                let all = server.objects.iter().filter(|(key, _)| key.0 == kind).map(|(_, object)| object.rendered());
                let all: Vec<Value> = all.filter(is_selected).collect();
                (vec![WatchEvent::Restarted], Watch::Listing(all, server.version))
            }
            Watch::Listing(mut left, version) if !left.is_empty() => {
                let page = left.drain(..left.len().min(1 + chance % 3)).map(WatchEvent::Object).collect();
                (page, Watch::Listing(left, version))
            }
            Watch::Listing(_, version) => {
                (vec![WatchEvent::Listed { resource_version: version.to_string() }], Watch::Listed(version))
            }
            Watch::Listed(version) => {
                let at = server.log.partition_point(|change| change.version <= version);
                (vec![WatchEvent::Live], Watch::Live(at))
            }
            Watch::Broken(at) => (vec![WatchEvent::Live], Watch::Live(at)),
            Watch::Live(at) => {
                let mut rest = server.log.iter().enumerate().skip(at).filter(|(_, change)| change.key.0 == kind);
                let event = rest.find_map(|(position, change)| {
                    let was = change.before.as_ref().is_some_and(&is_selected);
                    let event = match &change.after {
                        Some(after) if is_selected(after) => WatchEvent::Object(after.clone()),
                        Some(after) if was => WatchEvent::Deleted(after.clone()),
                        None if was => WatchEvent::Deleted(change.before.clone().unwrap_or_default()),
                        _ => return None,
                    };
                    Some((position, event))
                });
                match event {
                    Some((position, event)) => (vec![event], Watch::Live(position + 1)),
                    None => (Vec::new(), Watch::Live(at)),
                }
            }
        };
        self.watches[level] = next;
        for event in events {
            told.push(match &event {
                WatchEvent::Object(object) | WatchEvent::Deleted(object) => {
                    let what = if matches!(event, WatchEvent::Object(_)) { "has" } else { "lost" };
                    let metadata = &object["metadata"];
                    format!("{what} {}/{} v{}", metadata["namespace"], metadata["name"], metadata["resourceVersion"])
                }
                other => format!("{other:?}"),
            });
            self.follows[level].take(event);
        }
        (!told.is_empty()).then(|| told.join(", "))
    }

    /// Breaks a watch. It goes on where it was, or begins anew.
    pub(super) fn lose(&mut self, level: usize, goes_on: bool) {
        self.watches[level] = match std::mem::replace(&mut self.watches[level], Watch::Off) {
            Watch::Live(at) | Watch::Broken(at) if goes_on => Watch::Broken(at),
            _ => Watch::Off,
        };
        self.follows[level].take(WatchEvent::Lost(ClusterError::new(ErrorKind::Unreachable, "the connection broke")));
    }

    /// Whether a watch is open.
    pub(super) fn is_live(&self, level: usize) -> bool {
        matches!(self.watches[level], Watch::Live(_))
    }

    /// Begins to work on the next instance of the queue.
    pub(super) fn begin(&mut self, step: u64) -> Option<Vec<Arc<Ticket>>> {
        while self.wishes.try_recv().is_ok() {}
        let now = self.shared.now();
        let id = self.shared.index().queue.pop(now)?;
        let shared = Arc::clone(&self.shared);
        let was_paused =
            self.shared.index().record(id).and_then(|record| Some(record.tenant.as_ref()?.paused)) == Some(true);
        let future = Box::pin(async move { worker::work(&shared, id).await });
        self.works.push(Work { id, began: step, was_paused, counts: false, tickets: Vec::new(), future });
        Some(self.poll(self.works.len() - 1))
    }

    /// Lets a worker go on. Returns the requests that it sends.
    pub(super) fn poll(&mut self, at: usize) -> Vec<Arc<Ticket>> {
        let work = &mut self.works[at];
        let ended = work.future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        let new = std::mem::take(&mut *self.tickets.lock().unwrap());
        work.tickets.extend(new.iter().map(|ticket| (Arc::clone(ticket), None)));
        if ended {
            assert!(work.tickets.is_empty(), "a worker ends while it waits");
            self.works.swap_remove(at);
        }
        new
    }

    /// Has a worker get an answer.
    pub(super) fn deliver(&mut self, work: usize, ticket: usize) -> Vec<Arc<Ticket>> {
        let (ticket, answer) = self.works[work].tickets.swap_remove(ticket);
        ticket.reply(answer.unwrap());
        self.poll(work)
    }
}
