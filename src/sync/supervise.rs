//! Follows what the management cluster says of clusters, assignments and services, and keeps links, watches and the
//! index accordingly. One task owns all of it; others send it news.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::base::BaseError;
use super::breaker::Threshold;
use super::catalog::{Catalog, Crd, Entry, EntryKey, Unfit};
use super::custody::Custody;
use super::entries::Entries;
use super::follow::Follow;
use super::level::Level;
use super::link::keeper::{Link, LinkHandle};
use super::link::verdict::Trust as LinkTrust;
use super::linked::Linked;
use super::news::{News, look};
use super::place::{AssignmentState, ClusterState};
use super::said::{namespace_state, trust};
use super::service::Service;
use super::settings::Settings;
use super::shape::Shape;
use super::shared::{Connection, Shared, Wish};
use super::source::{Source, watch_source};
use crate::cluster::Cluster;
use crate::cluster::watch::WatchEvent;
use crate::model::cluster::ClusterId;
use crate::model::keys::DELETION_BREAKER;

/// How long a CRD that is absent in a service cluster is not asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(10);

struct Running {
    id: u32,
    service: Arc<Service>,
    /// What it was made of.
    made_of: Vec<String>,
    /// The connection that the CRD in the service cluster was read over, and when it was asked for.
    base_epoch: Option<u64>,
    base_asked: Option<u64>,
    unavailable: Option<String>,
    followers: Vec<AbortHandle>,
    /// The connection that the service objects are followed over.
    followed: Option<u64>,
}

/// The supervisor.
pub(crate) struct Supervisor {
    shared: Arc<Shared>,
    settings: Settings,
    catalog: Catalog,
    listing: BTreeMap<Source, BTreeSet<(String, String)>>,
    listed: BTreeSet<Source>,
    lost: BTreeMap<Source, String>,
    custody: Custody,
    names: Option<watch::Sender<BTreeSet<ClusterId>>>,
    links: BTreeMap<ClusterId, Linked>,
    lanes: BTreeMap<ClusterId, u32>,
    services: BTreeMap<EntryKey, Running>,
    problems: BTreeMap<EntryKey, Unfit>,
    entries: Entries,
    news: mpsc::Sender<News>,
}

impl Supervisor {
    /// A supervisor, and where it gets its news from. `names` is told which clusters there are, where leases say which
    /// of them are ours.
    pub(crate) fn new(
        shared: Arc<Shared>,
        settings: Settings,
        names: Option<watch::Sender<BTreeSet<ClusterId>>>,
    ) -> (Self, mpsc::Receiver<News>) {
        let (news, receiver) = mpsc::channel(1_024);
        let entries = Entries::new(shared.management.clone(), settings.permits.clone());
        let custody = Custody::new(settings.only.clone(), names.is_some());
        let supervisor = Self {
            shared,
            settings,
            entries,
            custody,
            catalog: Catalog::default(),
            listing: BTreeMap::new(),
            listed: BTreeSet::new(),
            lost: BTreeMap::new(),
            names,
            links: BTreeMap::new(),
            lanes: BTreeMap::new(),
            services: BTreeMap::new(),
            problems: BTreeMap::new(),
            news,
        };
        (supervisor, receiver)
    }

    /// Where to send news.
    pub(crate) fn sender(&self) -> mpsc::Sender<News> {
        self.news.clone()
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self, mut news: mpsc::Receiver<News>, mut wishes: mpsc::Receiver<Wish>) {
        let mut sources = tokio::task::JoinSet::new();
        for source in Source::ALL {
            let news = self.news.clone();
            let told = async move |source, event| news.send(News::Seen(source, event)).await.is_ok();
            sources.spawn(watch_source(self.shared.management.clone(), source, told));
        }
        let events = super::events::Events::new(self.shared.management.clone());
        loop {
            tokio::select! {
                told = news.recv() => {
                    let Some(told) = told else { return };
                    self.take(told);
                    // What came together is looked at once.
                    while let Ok(told) = news.try_recv() {
                        self.take(told);
                    }
                    self.reconcile();
                }
                wish = wishes.recv() => match wish {
                    Some(Wish::Doubt(cluster)) => {
                        if let Some(linked) = self.links.get(&cluster) {
                            linked.handle.suspect();
                        }
                    }
                    Some(Wish::Namespace(cluster, namespace)) => {
                        if let Some(linked) = self.links.get(&cluster) {
                            linked.namespaces.look_again(&namespace);
                        }
                    }
                    Some(Wish::Event(happening)) => events.record(*happening),
                    None => return,
                },
            }
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Seen(source, event) => self.seen(source, event),
            News::Changed => {}
            News::Held(held) => {
                for cluster in self.custody.take(*held) {
                    self.allowed(&cluster);
                }
            }
            News::Base(key, epoch, found) => self.base(&key, epoch, found),
            News::Entry(key, status) => {
                self.entries.ended(&key);
                if let (Some(entry), Some(status)) = (self.catalog.entries.get_mut(&key), status) {
                    entry.status = status;
                }
            }
        }
    }

    /// A cluster may be written to again: what came up in the meantime was left undone.
    fn allowed(&self, cluster: &ClusterId) {
        if let Some(linked) = self.links.get(cluster) {
            linked.allowed();
            self.shared.index().push_cluster(cluster, None);
        }
    }

    fn seen(&mut self, source: Source, event: WatchEvent) {
        match event {
            WatchEvent::Restarted => drop(self.listing.insert(source, BTreeSet::new())),
            WatchEvent::Object(object) => {
                let key = name(&object);
                if let Some(listing) = self.listing.get_mut(&source) {
                    listing.insert(key.clone());
                }
                self.put(source, key, object);
            }
            WatchEvent::Listed { .. } => {
                if let Some(there) = self.listing.remove(&source) {
                    for key in self.keys(source).into_iter().filter(|key| !there.contains(key)) {
                        self.remove(source, &key);
                    }
                }
                self.listed.insert(source);
            }
            WatchEvent::Deleted(object) => self.remove(source, &name(&object)),
            WatchEvent::Lost(error) => {
                tracing::debug!(source = source.word(), kind = ?error.kind, "watch lost");
                self.lost.insert(source, super::link::verdict::server_text(&error.message));
            }
            WatchEvent::Live => {}
        }
    }

    fn put(&mut self, source: Source, key: (String, String), object: Value) {
        let catalog = &mut self.catalog;
        match source {
            Source::Clusters => drop(catalog.clusters.insert(ClusterId::new(&key.0, &key.1), object)),
            Source::Assignments => drop(catalog.assignments.insert(key, object)),
            Source::Entries => drop(catalog.entries.insert(key, Entry::of(&object))),
            Source::Crds => drop(catalog.crds.insert(key.1, Crd::of(object))),
            Source::Namespaces => {
                let going = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
                let is_new =
                    if going { catalog.terminating.insert(key.1.clone()) } else { catalog.terminating.remove(&key.1) };
                if is_new {
                    self.namespace_changed(&key.1);
                }
            }
        }
    }

    fn namespace_changed(&self, namespace: &str) {
        let mut index = self.shared.index();
        index.places.terminating.clone_from(&self.catalog.terminating);
        for cluster in self.links.keys() {
            index.push_cluster(cluster, Some(namespace));
        }
    }

    fn keys(&self, source: Source) -> Vec<(String, String)> {
        let catalog = &self.catalog;
        match source {
            Source::Clusters => catalog.clusters.keys().map(|id| (id.provider.clone(), id.cluster.clone())).collect(),
            Source::Assignments => catalog.assignments.keys().cloned().collect(),
            Source::Entries => catalog.entries.keys().cloned().collect(),
            Source::Crds => catalog.crds.keys().map(|name| (String::new(), name.clone())).collect(),
            Source::Namespaces => catalog.terminating.iter().map(|name| (String::new(), name.clone())).collect(),
        }
    }

    fn remove(&mut self, source: Source, key: &(String, String)) {
        let catalog = &mut self.catalog;
        match source {
            Source::Clusters => drop(catalog.clusters.remove(&ClusterId::new(&key.0, &key.1))),
            Source::Entries => drop(catalog.entries.remove(key)),
            Source::Crds => drop(catalog.crds.remove(&key.1)),
            Source::Assignments => {
                let gone = catalog.assignments.remove(key);
                let tenant = gone.as_ref().and_then(|a| a.pointer("/spec/managementNamespace/name")?.as_str());
                let cluster = gone.as_ref().and_then(|a| a.pointer("/spec/serviceCluster/name")?.as_str());
                if let (Some(tenant), Some(cluster)) = (tenant, cluster)
                    && let Some(linked) = self.links.get_mut(&ClusterId::new(&key.0, cluster))
                {
                    linked.removed(&key.1, tenant);
                }
            }
            Source::Namespaces => {
                if catalog.terminating.remove(&key.1) {
                    self.namespace_changed(&key.1);
                }
            }
        }
    }

    /// Brings links, watches and the index into line with the catalog.
    fn reconcile(&mut self) {
        if self.listed.len() < Source::ALL.len() {
            let missing = Source::ALL.into_iter().filter(|source| !self.listed.contains(source));
            let said = |source: Source| match self.lost.get(&source) {
                Some(why) => format!("management: {}: {why}", source.word()),
                None => format!("management: {}: the list is not complete", source.word()),
            };
            self.shared.set_not_listed(missing.map(said).collect());
            return;
        }
        if let Some(names) = &self.names {
            names.send_if_modified(|known| {
                let all: BTreeSet<ClusterId> = self.catalog.clusters.keys().cloned().collect();
                let differs = *known != all;
                *known = all;
                differs
            });
        }
        self.link();
        self.place();
        let keys: BTreeSet<EntryKey> = self.catalog.entries.keys().chain(self.services.keys()).cloned().collect();
        for key in keys {
            self.serve(&key);
            self.say(&key);
        }
        self.shared.index().places.unserved.clear();
        self.shared.set_not_listed(Vec::new());
        self.shared.wake.notify_one();
    }

    fn link(&mut self) {
        let clusters = &self.catalog.clusters;
        self.custody.retain(|id| clusters.contains_key(id));
        let wanted: Vec<ClusterId> =
            self.catalog.clusters.keys().filter(|id| self.custody.follows(id)).cloned().collect();
        self.links.retain(|id, _| wanted.contains(id));
        for id in wanted {
            let Some(live) = self.catalog.clusters.get(&id) else { continue };
            match self.links.get_mut(&id) {
                Some(linked) => linked.object(live),
                None => {
                    let linked = Linked::start(&self.shared, &self.settings, &id, live, &self.news);
                    self.links.insert(id, linked);
                }
            }
        }
        for ((provider, name), object) in &self.catalog.assignments {
            for (id, linked) in self.links.iter_mut().filter(|(id, _)| id.provider == *provider) {
                linked.assignment(name, object, id);
            }
        }
    }

    /// Tells the index where copies can be written.
    fn place(&mut self) {
        let mut changed: Vec<(ClusterId, Option<String>)> = Vec::new();
        let mut index = self.shared.index();
        let gone: Vec<ClusterId> =
            index.places.clusters.keys().filter(|id| !self.links.contains_key(*id)).cloned().collect();
        for id in gone {
            index.places.clusters.remove(&id);
            index.places.assignments.remove(&id);
            self.shared.connect(&id, None);
            changed.push((id, None));
        }
        for (id, linked) in &mut self.links {
            let link = linked.handle.link();
            let lanes = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
            let lane = *self.lanes.entry(id.clone()).or_insert(lanes);
            let object = self.catalog.clusters.get(id);
            let breaker =
                object.and_then(|object| object.pointer("/metadata/annotations")?.get(DELETION_BREAKER)?.as_str());
            let state = ClusterState {
                trust: trust(&link.trust),
                paused: link.paused,
                breaker: breaker.and_then(Threshold::parse).unwrap_or_default(),
                epoch: link.epoch,
                lane,
            };
            let connection = match (&link.trust, &link.connection) {
                (LinkTrust::Trusted { uid }, Some(cluster)) => {
                    Some(Connection { epoch: link.epoch, cluster: cluster.clone(), uid: uid.clone() })
                }
                _ => None,
            };
            self.shared.connect(id, connection);
            let before = index.places.clusters.insert(id.clone(), state.clone());
            if before.as_ref().is_none_or(|before| before.trust != state.trust) {
                index.places.unserved.insert(id.clone());
            }
            if before.is_none_or(|before| before != state) {
                changed.push((id.clone(), None));
            }
            linked.link = link;
            let mut all = BTreeMap::new();
            for (tenant, object) in self.catalog.assignments_in(id) {
                let Some(assigned) = linked.namespaces.of(tenant) else { continue };
                let Ok(namespace) = assigned.namespace else { continue };
                let state = namespace_state(&namespace, assigned.state);
                let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
                let state = AssignmentState { uid, namespace, paused: assigned.paused, state };
                all.insert(tenant.to_owned(), state);
            }
            let before = index.places.assignments.insert(id.clone(), all.clone()).unwrap_or_default();
            let tenants: BTreeSet<&String> = all.keys().chain(before.keys()).collect();
            for tenant in tenants {
                if all.get(tenant) != before.get(tenant) {
                    changed.push((id.clone(), Some(tenant.clone())));
                }
            }
        }
        index.places.unheld = self.custody.unheld(self.catalog.clusters.keys());
        for (id, tenant) in changed {
            index.push_cluster(&id, tenant.as_deref());
        }
    }

    /// Brings one service into line.
    fn serve(&mut self, key: &EntryKey) {
        let cluster = match (self.catalog.crds_of(key), self.services.get(key)) {
            (Ok(crds), _) => crds.cluster,
            (Err(_), Some(running)) => running.service.route.cluster.clone(),
            (Err(problem), None) => return self.problem(key, problem),
        };
        if !self.custody.follows(&cluster) {
            return self.end(key);
        }
        let Some(linked) = self.links.get(&cluster) else { return self.rest(key, "the ServiceCluster is gone", None) };
        let (link, handle) = (linked.link.clone(), linked.handle.clone());
        // Until the first answer nothing is known that a watch could be begun with.
        if link.trust == LinkTrust::Pending && !self.services.contains_key(key) {
            return;
        }
        let made_of = self.made_of(key);
        let is_current = self.services.get(key).is_some_and(|running| running.made_of == made_of);
        if !is_current {
            match self.catalog.service(key, &self.settings.management) {
                Ok(service) => self.make(key, service, made_of),
                Err(problem) => {
                    let held = (!self.catalog.entries.contains_key(key))
                        .then(|| format!("the CatalogEntry {}/{} is gone", key.0, key.1));
                    let why = problem.to_string();
                    self.problem(key, problem);
                    return self.rest(key, &why, held);
                }
            }
        }
        self.problems.remove(key);
        let deleting = self.catalog.crds_of(key).ok().and_then(|crds| {
            let names = [crds.derived, Some(crds.internal)];
            names.into_iter().flatten().find(|name| self.catalog.crds.get(name).is_some_and(|crd| crd.deleting))
        });
        let held =
            deleting.map(|name| format!("the CRD {name} is being deleted; `carrier approve` lets the deletions go on"));
        let paused = self
            .catalog
            .entries
            .get(key)
            .is_some_and(|entry| entry.paused)
            .then(|| "the CatalogEntry is paused".to_owned());
        // A pause is somebody's wish, and goes before what holds deletions.
        let held = held.filter(|_| paused.is_none());
        self.set_rest(key, paused, held);
        self.follow(key, &link, &handle);
    }

    /// What a service is made of: when one of these changes it is made anew.
    fn made_of(&self, key: &EntryKey) -> Vec<String> {
        let Ok(crds) = self.catalog.crds_of(key) else { return vec!["nothing".to_owned()] };
        let names = [Some(crds.internal), crds.derived];
        let versions = names.into_iter().flatten().map(|name| {
            let version = self.catalog.crds.get(&name).map(|crd| format!("{} {}", crd.version, crd.deleting));
            format!("{name} {}", version.unwrap_or_default())
        });
        let entry = self.catalog.entries.get(key).map(|entry| format!("{} {}", entry.uid, entry.generation));
        entry.into_iter().chain(versions).collect()
    }

    fn make(&mut self, key: &EntryKey, service: Service, made_of: Vec<String>) {
        let running = self.services.get(key);
        // Only the status of a CRD has changed, or its annotations.
        let same = running.is_some_and(|running| {
            Service { base: running.service.base.clone(), ..service.clone() } == *running.service
        });
        if same {
            if let Some(running) = self.services.get_mut(key) {
                running.made_of = made_of;
            }
            return;
        }
        let service = Arc::new(service);
        match self.services.get_mut(key) {
            Some(running) => {
                running.stop();
                self.shared.index().replace_service(running.id, Arc::clone(&service));
                (running.service, running.made_of) = (service, made_of);
                (running.base_epoch, running.base_asked) = (None, None);
            }
            None => {
                let id = self.shared.index().add_service(Arc::clone(&service));
                let running = Running {
                    id,
                    service,
                    made_of,
                    base_epoch: None,
                    base_asked: None,
                    unavailable: None,
                    followers: Vec::new(),
                    followed: None,
                };
                self.services.insert(key.clone(), running);
            }
        }
    }

    /// Has the objects of a service followed, over the connection that there is.
    fn follow(&mut self, key: &EntryKey, link: &Link, handle: &LinkHandle) {
        let Some(running) = self.services.get_mut(key) else { return };
        let connection = link.connection.clone().filter(|_| link.trust.is_trusted());
        if let Some(connection) = &connection
            && running.base_epoch != Some(link.epoch)
        {
            if running.base_asked != Some(link.epoch) {
                running.base_asked = Some(link.epoch);
                look(
                    connection.clone(),
                    &running.service,
                    (key.clone(), link.epoch),
                    self.news.clone(),
                    Duration::ZERO,
                );
            }
            // The shape of the copies decides how both sides are read.
            if running.followers.is_empty() && running.unavailable.is_none() {
                return;
            }
        }
        let (id, service, shared) = (running.id, Arc::clone(&running.service), Arc::clone(&self.shared));
        let start = |level, cluster: Cluster, link| {
            let follow = Follow {
                shared: Arc::clone(&shared),
                service_id: id,
                service: Arc::clone(&service),
                level,
                cluster,
                link,
            };
            tokio::spawn(follow.run()).abort_handle()
        };
        if running.followers.is_empty() {
            running.followers.push(start(Level::Tenant, self.shared.management.clone(), None));
            if service.derives() {
                running.followers.push(start(Level::Internal, self.shared.management.clone(), None));
            }
        }
        if let Some(connection) = connection
            && running.base_epoch == Some(link.epoch)
            && running.followed != Some(link.epoch)
        {
            running.stop_service();
            self.shared.index().forget_level(id, Level::Service);
            running.followers.push(start(Level::Service, connection, Some(handle.clone())));
            running.followed = Some(link.epoch);
        }
    }

    /// Takes in what the CRD in the service cluster is like.
    fn base(&mut self, key: &EntryKey, epoch: u64, found: Result<Option<Box<Shape>>, BaseError>) {
        let Some(running) = self.services.get_mut(key).filter(|running| running.base_asked == Some(epoch)) else {
            return;
        };
        let name = running.service.route.base.full_name();
        let (shape, unavailable) = match found {
            Ok(Some(shape)) => (Some(*shape), None),
            Ok(None) => (running.service.base.clone(), Some("its CRD does not serve this version".to_owned())),
            Err(BaseError::Absent) => (running.service.base.clone(), Some(format!("it has no CRD {name}"))),
            Err(BaseError::Unreadable(why)) => {
                tracing::warn!(cluster = %running.service.route.cluster, crd = %name, why = %why, "the CRD cannot be read, so nothing is cut to it");
                (running.service.base.clone(), None)
            }
        };
        running.unavailable.clone_from(&unavailable);
        if shape != running.service.base {
            // What was read with the old shape is read anew.
            running.stop();
            let service = Arc::new(Service { base: shape, ..(*running.service).clone() });
            running.service = Arc::clone(&service);
            self.shared.index().replace_service(running.id, service);
        }
        let mut index = self.shared.index();
        if let Some(indexed) = index.services.get_mut(&running.id)
            && indexed.unavailable != unavailable
        {
            indexed.unavailable.clone_from(&unavailable);
            index.push_service(running.id);
        }
        drop(index);
        if unavailable.is_none() {
            running.base_epoch = Some(epoch);
        } else {
            running.base_epoch = None;
            running.stop_service();
            let connection = self.shared.connection(&running.service.route.cluster, epoch);
            if let Some(connection) = connection {
                look(connection.cluster, &running.service, (key.clone(), epoch), self.news.clone(), ASK_AGAIN);
            }
        }
    }

    fn problem(&mut self, key: &EntryKey, problem: Unfit) {
        if self.problems.get(key) != Some(&problem) {
            tracing::warn!(provider = %key.0, service = %key.1, problem = %problem, "the service cannot be followed");
            self.problems.insert(key.clone(), problem);
        }
    }

    /// Says on the CatalogEntry whether its instances can be followed.
    fn say(&mut self, key: &EntryKey) {
        let (Some(entry), Ok(crds)) = (self.catalog.entries.get(key), self.catalog.crds_of(key)) else { return };
        if self.custody.follows(&crds.cluster) {
            let is_followed = self.services.get(key).is_some_and(|running| !running.followers.is_empty());
            self.entries.say((key, entry), &crds.cluster, (self.problems.get(key), is_followed), &self.news);
        }
    }

    /// Lets a service rest: its instances are left as they are.
    fn rest(&mut self, key: &EntryKey, why: &str, held: Option<String>) {
        let held = held.map(|held| format!("{held}; deletions go on when it is back, or after `carrier approve`"));
        self.set_rest(key, Some(why.to_owned()), held);
    }

    fn set_rest(&mut self, key: &EntryKey, paused: Option<String>, held: Option<String>) {
        let Some(running) = self.services.get(key) else { return };
        let mut index = self.shared.index();
        let Some(indexed) = index.services.get_mut(&running.id) else { return };
        if indexed.paused != paused || indexed.held != held {
            (indexed.paused, indexed.held) = (paused, held);
            index.push_service(running.id);
        }
    }

    /// Forgets a service: another replica works on its cluster.
    fn end(&mut self, key: &EntryKey) {
        if let Some(mut running) = self.services.remove(key) {
            running.stop();
            self.shared.index().remove_service(running.id);
        }
        self.problems.remove(key);
    }
}

impl Running {
    fn stop(&mut self) {
        self.followers.drain(..).for_each(|follower| follower.abort());
        self.followed = None;
    }

    /// Ends the watch of the service objects alone.
    fn stop_service(&mut self) {
        if self.followed.take().is_some()
            && let Some(follower) = self.followers.pop()
        {
            follower.abort();
        }
    }
}

fn name(object: &Value) -> (String, String) {
    let text = |key: &str| object.get("metadata").and_then(|m| m.get(key)?.as_str()).unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}
