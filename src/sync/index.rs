//! The index: every instance of every service, what is known of it, and what waits to be done. Synchronous and pure;
//! the shell holds it behind a lock, and never while it waits for a server.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::breaker::Breaker;
use super::decide::is_unwatched;
use super::facts::{Facts, TenantFacts, name_of};
use super::ids::Ids;
use super::level::Level;
use super::place::Places;
use super::queue::{Class, Home, Id, Moment, Queue};
use super::record::{Record, Since};
use super::service::Service;
use super::verdict::Verdict;
use crate::model::cluster::ClusterId;
use crate::model::keys::SOURCE;

/// What a watch says of what it has not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Watched {
    /// Nothing.
    Unknown,
    /// A list is under way.
    Listing,
    /// It is not there.
    Live,
}

/// A service in the index.
#[derive(Debug)]
pub(crate) struct Indexed {
    /// The service.
    pub service: Arc<Service>,
    /// Its instances by namespace and name.
    pub ids: Ids,
    /// What the watches say, by level.
    pub watched: [Watched; 3],
    /// The number of the list that is under way or came last, by level.
    pub lists: [u16; 3],
    /// When each watch last told something, by level.
    pub heard: [Option<Moment>; 3],
    /// Why a watch failed, by level.
    pub problems: [Option<String>; 3],
    /// Why the service cluster does not serve the kind.
    pub unavailable: Option<String>,
    /// Why everything rests: its CatalogEntry is gone, or paused.
    pub paused: Option<String>,
    /// Why every deletion is held: the derived CRD is being deleted, or the CatalogEntry is gone.
    pub held: Option<String>,
    /// Its deletions.
    pub breaker: Breaker,
    /// How an instance stood last: many stand the same way, and share it.
    pub verdict: Option<Arc<Verdict>>,
    /// The tenant objects that are there.
    pub instances: usize,
    /// Those of them that are in deletion without approval.
    pub deleting: usize,
}

impl Indexed {
    /// A verdict that is shared with the instance that stood so last: thousands stand the same way.
    pub(crate) fn shared(&mut self, verdict: &Verdict) -> Arc<Verdict> {
        match &self.verdict {
            Some(known) if **known == *verdict => Arc::clone(known),
            _ => Arc::clone(self.verdict.insert(Arc::new(verdict.clone()))),
        }
    }
}

/// Everything that is known.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The clusters and namespaces.
    pub places: Places,
    /// The services by number.
    pub services: HashMap<u32, Indexed>,
    /// What waits.
    pub queue: Queue,
    records: Vec<Option<Box<Record>>>,
    free: Vec<Id>,
    tenants: HashMap<Arc<str>, u32>,
    next_service: u32,
}

/// What an event of a watch is.
#[derive(Debug, Clone)]
pub(crate) enum Seen {
    /// A list begins.
    Restarted,
    /// An object, as it is.
    Object(Arc<Value>),
    /// The list is complete, as of this version.
    Listed(u64),
    /// The watch is open.
    Live,
    /// An object is gone, or no longer selected.
    Gone(Arc<Value>),
    /// The watch failed.
    Lost {
        /// What happened.
        message: String,
        /// Whether the kind is not served.
        kind_is_gone: bool,
        /// Whether the right is missing, so that nothing changes by itself.
        forbidden: bool,
    },
}

impl Index {
    /// Takes in a service, and returns its number.
    pub(crate) fn add_service(&mut self, service: Arc<Service>) -> u32 {
        let id = self.next_service;
        self.next_service += 1;
        self.services.insert(
            id,
            Indexed {
                service,
                ids: Ids::default(),
                watched: [Watched::Unknown; 3],
                lists: [0; 3],
                heard: [None; 3],
                problems: [None, None, None],
                unavailable: None,
                paused: None,
                held: None,
                breaker: Breaker::default(),
                verdict: None,
                instances: 0,
                deleting: 0,
            },
        );
        id
    }

    /// Replaces a service: its CRDs or its entry have changed. What was read by the old one is not believed.
    pub(crate) fn replace_service(&mut self, id: u32, service: Arc<Service>) {
        let Some(indexed) = self.services.get_mut(&id) else { return };
        indexed.service = service;
        for level in [Level::Tenant, Level::Internal, Level::Service] {
            self.forget_level(id, level);
        }
    }

    /// Forgets a service and its instances.
    pub(crate) fn remove_service(&mut self, id: u32) {
        let Some(indexed) = self.services.remove(&id) else { return };
        for id in indexed.ids.sorted(None) {
            self.queue.forget(id);
            if let Some(slot) = usize::try_from(id).ok().and_then(|id| self.records.get_mut(id))
                && slot.take().is_some()
                && !self.queue.holds(id)
            {
                self.free.push(id);
            }
        }
    }

    /// Forgets what was seen on a level of a service: it was read from another cluster, or by other rules.
    pub(crate) fn forget_level(&mut self, service_id: u32, level: Level) {
        let Some(indexed) = self.services.get_mut(&service_id) else { return };
        indexed.watched[level as usize] = Watched::Unknown;
        for id in indexed.ids.sorted(None) {
            self.learn_absent(id, level);
        }
    }

    /// The record of an instance.
    #[must_use]
    pub(crate) fn record(&self, id: Id) -> Option<&Record> {
        self.records.get(usize::try_from(id).ok()?)?.as_deref()
    }

    /// The record of an instance.
    pub(crate) fn record_mut(&mut self, id: Id) -> Option<&mut Record> {
        self.records.get_mut(usize::try_from(id).ok()?)?.as_deref_mut()
    }

    /// All records with their numbers.
    pub(crate) fn records(&self) -> impl Iterator<Item = (Id, &Record)> {
        self.records.iter().enumerate().filter_map(|(id, record)| Some((Id::try_from(id).ok()?, record.as_deref()?)))
    }

    /// The number of an instance, made where it is new.
    fn id_of(&mut self, service_id: u32, namespace: &str, name: &str) -> Option<Id> {
        let indexed = self.services.get_mut(&service_id)?;
        if let Some(id) = indexed.ids.get(namespace, name) {
            return Some(id);
        }
        let lane = self.places.clusters.get(&indexed.service.route.cluster).map_or(0, |cluster| cluster.lane);
        let tenants = u32::try_from(self.tenants.len()).unwrap_or(u32::MAX);
        let (namespace, tenant) = match self.tenants.get_key_value(namespace) {
            Some((namespace, tenant)) => (Arc::clone(namespace), *tenant),
            None => {
                let namespace: Arc<str> = namespace.into();
                self.tenants.insert(Arc::clone(&namespace), tenants);
                (namespace, tenants)
            }
        };
        let name: Arc<str> = name.into();
        let home = Home { lane, tenant };
        let record = Box::new(Record::new(service_id, Arc::clone(&namespace), Arc::clone(&name), home));
        let id = match self.free.pop() {
            Some(id) => {
                if let Some(slot) = usize::try_from(id).ok().and_then(|id| self.records.get_mut(id)) {
                    *slot = Some(record);
                }
                id
            }
            None => {
                let id = Id::try_from(self.records.len()).ok()?;
                self.records.push(Some(record));
                id
            }
        };
        indexed.ids.insert(namespace, name, id);
        Some(id)
    }

    /// Forgets an instance of which nothing is left.
    pub(crate) fn forget_if_empty(&mut self, id: Id) {
        let Some(record) = self.record(id).filter(|record| record.is_empty()) else { return };
        if self.queue.holds(id) {
            return;
        }
        let (service_id, namespace, name) =
            (record.service_id, Arc::clone(&record.namespace), Arc::clone(&record.name));
        if let Some(indexed) = self.services.get_mut(&service_id) {
            indexed.ids.remove(&namespace, &name);
        }
        self.queue.forget(id);
        if let Some(slot) = usize::try_from(id).ok().and_then(|id| self.records.get_mut(id)) {
            *slot = None;
            self.free.push(id);
        }
    }

    /// The key of an object of a level: the namespace and name of its tenant object. `None` for an object in a service
    /// cluster that is nobody's copy here.
    #[must_use]
    pub(crate) fn key_of(&self, service: &Service, level: Level, object: &Value) -> Option<(String, String)> {
        let (namespace, name) = name_of(object)?;
        if level != Level::Service {
            return Some((namespace.to_owned(), name.to_owned()));
        }
        let cluster = &service.route.cluster;
        if let Some(above) = self.places.namespace_above(cluster, namespace) {
            return Some((above.to_owned(), name.to_owned()));
        }
        // A namespace that is not assigned (any more): the marks say whose copy it is. One that is assigned to another
        // namespace does not hold copies of this one, whatever they say.
        let source = object.pointer("/metadata/annotations").and_then(|all| all.get(SOURCE)?.as_str())?;
        let above = source.split('/').next().filter(|above| !above.is_empty())?;
        let fits = source == service.source(above, name) && self.places.assignment(cluster, above).is_none();
        fits.then(|| (above.to_owned(), name.to_owned()))
    }

    /// Takes in the facts of an object that a server has told, by a watch or in an answer. Older ones than those known
    /// are ignored. Returns the instance where something is new.
    pub(crate) fn learn_at(
        &mut self,
        id: Id,
        level: Level,
        facts: Facts,
        body: Option<&Arc<Value>>,
        now: Moment,
    ) -> Option<Id> {
        let service_id = self.record(id)?.service_id;
        let list = self.services.get(&service_id)?.lists[level as usize];
        let record = self.record_mut(id)?;
        record.seen_in[level as usize] = list;
        let version = facts.seen().version;
        let is_known = record.version(level).is_some_and(|known| known >= version);
        // The echo of our own write, an event that an answer overtook, or an answer that the end of the object overtook.
        if is_known || version <= record.gone_at(level) {
            return None;
        }
        match (body, &mut record.rare) {
            (Some(body), _) => record.rare().bodies[level as usize] = Some(Arc::clone(body)),
            // The one at hand is older than these facts.
            (None, Some(rare)) => rare.bodies[level as usize] = None,
            (None, None) => {}
        }
        match (level, facts) {
            (Level::Tenant, Facts::Tenant(facts)) => {
                let before = record.tenant.take();
                if before.as_ref().is_some_and(|before| before.seen.uid != facts.seen.uid) {
                    record.memory.forget_generations();
                }
                let is_edit = before.as_ref().is_none_or(|before| {
                    before.seen.generation != facts.seen.generation
                        || before.seen.deleting != facts.seen.deleting
                        || before.seen.uid != facts.seen.uid
                });
                if is_edit {
                    record.unsynced_since.begin(now);
                    record.recovered();
                }
                let counts = |facts: &TenantFacts| (1, usize::from(facts.seen.deleting && !facts.approved));
                let (was, was_deleting) = before.as_ref().map_or((0, 0), counts);
                let (is, is_deleting) = counts(&facts);
                record.tenant = Some(facts);
                if let Some(indexed) = self.services.get_mut(&service_id) {
                    indexed.instances = (indexed.instances + is).saturating_sub(was);
                    indexed.deleting = (indexed.deleting + is_deleting).saturating_sub(was_deleting);
                }
            }
            (Level::Internal, Facts::Internal(facts)) => {
                if record.internal.as_ref().is_some_and(|before| before.seen.uid != facts.seen.uid) {
                    record.memory.forget_generations();
                }
                record.internal = Some(facts);
            }
            (Level::Service, Facts::Service(facts)) => {
                if record.service.as_ref().is_some_and(|before| before.seen.uid != facts.seen.uid) {
                    record.memory.forget_service();
                }
                if record.service.as_ref().is_some_and(|before| before.shown != facts.shown) {
                    record.status_since.begin(now);
                }
                record.service = Some(facts);
            }
            _ => return None,
        }
        Some(id)
    }

    /// Takes in that a server has answered that an object is not there. The watch may still tell of older states of it:
    /// of a tenant object those would have its copies made again.
    pub(crate) fn learn_gone(&mut self, id: Id, level: Level) {
        if let Some(record) = self.record_mut(id)
            && let Some(version) = record.version(level)
        {
            record.ends(level, version);
            record.is_end_untold |= level == Level::Tenant;
        }
        self.learn_absent(id, level);
    }

    /// Takes in that an object is not there.
    pub(crate) fn learn_absent(&mut self, id: Id, level: Level) {
        let Some(record) = self.record_mut(id) else { return };
        let service_id = record.service_id;
        match level {
            Level::Tenant => {
                let Some(facts) = record.tenant.take() else { return };
                record.memory.forget_generations();
                record.unsynced_since = Since::default();
                record.verdict = None;
                if let Some(indexed) = self.services.get_mut(&service_id) {
                    indexed.instances = indexed.instances.saturating_sub(1);
                    if facts.seen.deleting && !facts.approved {
                        indexed.deleting = indexed.deleting.saturating_sub(1);
                    }
                }
            }
            Level::Internal => {
                record.internal = None;
                record.memory.forget_generations();
            }
            Level::Service => {
                record.service = None;
                record.memory.forget_service();
            }
        }
    }

    /// Wants an instance worked on.
    pub(crate) fn push(&mut self, id: Id, class: Class) {
        if let Some(home) = self.record(id).map(|record| record.home) {
            self.queue.push(id, home, class);
        }
    }

    /// Wants every instance of a service worked on.
    pub(crate) fn push_service(&mut self, service_id: u32) {
        let ids = self.services.get(&service_id).map(|indexed| indexed.ids.sorted(None)).unwrap_or_default();
        for id in ids {
            self.push(id, Class::Backlog);
        }
    }

    /// Wants every instance in a cluster worked on, or those of one namespace.
    pub(crate) fn push_cluster(&mut self, cluster: &ClusterId, namespace: Option<&str>) {
        let services: Vec<u32> = self
            .services
            .iter()
            .filter(|(_, indexed)| indexed.service.route.cluster == *cluster)
            .map(|(id, _)| *id)
            .collect();
        for service in services {
            let ids = self.services.get(&service).map(|indexed| indexed.ids.sorted(namespace)).unwrap_or_default();
            for id in ids {
                self.push(id, Class::Backlog);
            }
        }
    }

    /// Takes in that a list is complete, as of this version: what it does not have is not there.
    fn listed(&mut self, service_id: u32, level: Level, version: u64) {
        let Some(indexed) = self.services.get_mut(&service_id) else { return };
        let at = level as usize;
        let list = indexed.lists[at];
        indexed.problems[at] = None;
        if level == Level::Service {
            indexed.unavailable = None;
        }
        for id in indexed.ids.sorted(None) {
            if level == Level::Tenant
                && let Some(record) = self.record_mut(id)
                && record.is_end_untold
                && record.gone_at(level) <= version
            {
                record.is_end_untold = false;
                self.push(id, Class::Backlog);
            }
            let Some(record) = self.record(id) else { continue };
            // What an answer told after the list was made is there.
            let is_newer = record.version(level).is_some_and(|known| known > version);
            if record.version(level).is_some() && record.seen_in[at] != list && !is_newer {
                // Of an object without our label the list says nothing.
                let is_listed =
                    level != Level::Service || record.service.as_ref().is_some_and(|copy| !is_unwatched(copy));
                let known = record.version(level).filter(|_| is_listed).unwrap_or_default();
                if let Some(record) = self.record_mut(id) {
                    record.ends(level, known);
                }
                self.learn_absent(id, level);
                self.push(id, Class::Backlog);
            }
        }
    }

    /// Takes in an event of a watch of one level of a service. `facts` are those of the object in it.
    pub(crate) fn watched(&mut self, service_id: u32, level: Level, seen: &Seen, facts: Option<Facts>, now: Moment) {
        let Some(indexed) = self.services.get_mut(&service_id) else { return };
        let at = level as usize;
        if !matches!(seen, Seen::Lost { .. }) {
            indexed.heard[at] = Some(now);
        }
        match seen {
            Seen::Restarted => {
                indexed.lists[at] = indexed.lists[at].wrapping_add(1);
                indexed.watched[at] = Watched::Listing;
            }
            Seen::Object(object) => {
                let is_listing = indexed.watched[at] == Watched::Listing;
                let service = Arc::clone(&indexed.service);
                let (Some(facts), Some((namespace, name))) = (facts, self.key_of(&service, level, object)) else {
                    return;
                };
                let Some(id) = self.id_of(service_id, &namespace, &name) else { return };
                // Of a list no bodies are kept: there may be many.
                let body = (!is_listing).then_some(object);
                if self.learn_at(id, level, facts, body, now).is_some() {
                    self.push(id, class_of(level, is_listing));
                }
            }
            Seen::Listed(version) => self.listed(service_id, level, *version),
            Seen::Live => {
                let before = std::mem::replace(&mut indexed.watched[at], Watched::Live);
                if before != Watched::Live {
                    self.push_service(service_id);
                }
            }
            Seen::Gone(object) => {
                let service = Arc::clone(&indexed.service);
                let Some((namespace, name)) = self.key_of(&service, level, object) else { return };
                let found = self.services.get(&service_id).and_then(|indexed| indexed.ids.get(&namespace, &name));
                let Some(id) = found else { return };
                let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
                let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
                let version: Option<u64> = version.and_then(|version| version.parse().ok());
                let is_it = self.record(id).is_some_and(|record| {
                    let seen = record.seen(level);
                    seen.is_some_and(|seen| seen.uid == *uid && version.is_none_or(|version| version >= seen.version))
                });
                if let (Some(version), Some(record)) = (version, self.record_mut(id)) {
                    // An object whose label was stripped is told to be gone in the version that it has.
                    record.ends(level, version.saturating_sub(1));
                    if level == Level::Tenant && std::mem::take(&mut record.is_end_untold) {
                        self.push(id, Class::Backlog);
                    }
                }
                if is_it {
                    self.learn_absent(id, level);
                    self.push(id, class_of(level, false));
                }
            }
            Seen::Lost { message, kind_is_gone, forbidden } => {
                indexed.watched[at] = Watched::Unknown;
                if level == Level::Service && *kind_is_gone {
                    indexed.unavailable = Some(message.clone());
                }
                // A connection that broke is not worth a look at every instance: it is back soon, or its cluster is
                // known to be out of reach.
                if *kind_is_gone || *forbidden {
                    indexed.problems[at] = Some(message.clone());
                    self.push_service(service_id);
                }
            }
        }
    }
}

fn class_of(level: Level, is_listing: bool) -> Class {
    match (level, is_listing) {
        (_, true) => Class::Backlog,
        (Level::Tenant, false) => Class::Fresh,
        _ => Class::Status,
    }
}
