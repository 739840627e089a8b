//! Looking around the instances: whether each is in its service cluster, and which copies are left without theirs.
//!
//! The copies are listed after the tenant objects. Where one seems to be left, the tenant objects are listed once
//! more: what is created or deleted in between has a tenant object in one of the two lists.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;

use super::left::{Unchecked, left_over};
use super::{GetOptions, Instances, Known, Service, own, place};
use crate::cluster::connect::Connector;
use crate::cluster::diagnose::diagnose;
use crate::cluster::error::discreet;
use crate::cluster::instances::why_not_listed;
use crate::cluster::{Cluster, ClusterError, ErrorKind, Limits, ListSink, Selection};
use crate::compile::Compiled;
use crate::model::cluster::{ClusterId, Target};
use crate::model::diagnostic::Diagnostics;
use crate::model::keys::MANAGEMENT_CLUSTER;
use crate::model::resource::Resource;
use crate::ops::copies::{Copies, Level, left};
use crate::ops::event::{Events, Subject};

/// So long a service cluster is waited for that is asked for nothing but what is left there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Namespaces and names.
type Names = BTreeSet<(String, String)>;

/// The services of one kind.
type Kinds<'a> = BTreeMap<&'a Resource, Vec<&'a Service>>;

/// What a list gives, by the full name of the CRD of its services.
type Lists<'a> = BTreeMap<&'a str, Vec<Copies>>;

/// What to look around for.
pub(super) struct Look<'a> {
    pub connector: &'a Connector<'a>,
    pub compiled: &'a Compiled<'a>,
    pub options: &'a GetOptions,
    pub events: &'a Events,
    pub management: &'a Known,
    /// The services whose tenant objects were listed to the end.
    pub listed: &'a [&'a Service],
}

/// What the service clusters say.
#[derive(Default)]
struct Answers<'a> {
    copies: Lists<'a>,
    /// What is there, by the full name of the CRD of the service; without those that could not be asked.
    there: BTreeMap<&'a str, Names>,
    found: Diagnostics,
    unchecked: Vec<Unchecked>,
}

/// The objects of one kind that may be copies of several services.
#[derive(Default)]
struct Below {
    copies: Vec<Copies>,
    /// All objects, where they are of interest.
    names: Option<Names>,
}

impl ListSink for Below {
    fn take(&mut self, object: Value) {
        for copies in &mut self.copies {
            copies.see(&object);
        }
        if let Some(names) = &mut self.names {
            names.insert(place(&object));
        }
    }

    fn restart(&mut self) {
        self.copies.iter_mut().for_each(ListSink::restart);
        self.names.iter_mut().for_each(BTreeSet::clear);
    }
}

impl<'a> Look<'a> {
    /// Looks around. Failures are part of the result.
    pub(super) async fn around(&self, got: &mut Instances) {
        if self.management.uid.is_none() {
            let why = "the UID of the management cluster, which marks its copies, cannot be read and is not locked";
            got.unchecked.extend(self.listed.iter().map(|service| Unchecked::new(service, why)));
        }
        let (above, below) = tokio::join!(self.in_management(), self.in_service_clusters(got));
        let (internal, unchecked) = above;
        let Answers { copies, there, found, unchecked: more } = below;
        for instance in got.list.iter_mut().filter(|_| self.options.look_up) {
            let key = (instance.service_namespace.clone(), instance.name.clone());
            instance.in_service_cluster = there.get(instance.crd.as_str()).map(|list| list.contains(&key));
        }
        got.found.append(found);
        got.unchecked.extend(unchecked.into_iter().chain(more));
        let seen = got.list.iter().map(|one| (one.crd.clone(), (one.tenant.clone(), one.name.clone())));
        let mut present: BTreeMap<String, Names> = BTreeMap::new();
        for (crd, key) in seen {
            present.entry(crd).or_default().insert(key);
        }
        for service in self.listed {
            let crd = service.crd.name.as_str();
            let all: Vec<&Copies> =
                [&internal, &copies].into_iter().filter_map(|lists| lists.get(crd)).flatten().collect();
            let present = present.entry(crd.to_owned()).or_default();
            if left(present, &all).is_empty() {
                continue;
            }
            match self.again(service).await {
                Ok(mut now) => {
                    present.append(&mut now);
                    let asked = there.contains_key(crd);
                    let namespace = |tenant: &str| self.compiled.discovered.namespace(&service.cluster, tenant);
                    got.left.extend(left_over(service, left(present, &all), asked, namespace));
                }
                Err(error) => {
                    let why = format!("its instances cannot be listed again: {}", why_not_listed(&error));
                    got.unchecked.push(Unchecked::new(service, &why));
                }
            }
        }
    }

    /// The tenant objects of a service once more.
    async fn again(&self, service: &Service) -> Result<Names, ClusterError> {
        let mut below = Below { names: Some(Names::new()), ..Below::default() };
        let selection = Selection::all(&service.resource).within(self.options.account.as_deref()).metadata_only();
        let listing = self.management.cluster.list(&selection, &mut below);
        self.events.during(Target::Management, Subject::Instances, listing).await?;
        Ok(below.names.unwrap_or_default())
    }

    /// Services by a kind of theirs.
    fn by_kind(&self, of: impl Fn(&'a Service) -> Option<&'a Resource>) -> Kinds<'a> {
        let mut kinds = Kinds::new();
        for service in self.listed {
            if let Some(resource) = of(service) {
                kinds.entry(resource).or_default().push(service);
            }
        }
        kinds
    }

    /// Lists of the copies of these services.
    fn copies(&self, level: Level, resource: &Resource, services: &[&Service]) -> Vec<Copies> {
        let uid = self.management.uid.as_deref();
        let list = |service: &&Service| {
            Some(Copies::new(level, resource, &service.crd.name, uid?, self.options.account.as_deref()))
        };
        services.iter().filter_map(list).collect()
    }

    /// Those that bear the marks of the management cluster.
    fn marked(&self, resource: &Resource) -> Selection {
        let selection = Selection::all(resource).metadata_only();
        match &self.management.uid {
            Some(uid) => selection.labels(&format!("{MANAGEMENT_CLUSTER}={uid}")),
            None => selection,
        }
    }

    /// The internal objects of each service.
    async fn in_management(&self) -> (Lists<'a>, Vec<Unchecked>) {
        let (mut found, mut unchecked) = (Lists::new(), Vec::new());
        if self.management.uid.is_none() {
            return (found, unchecked);
        }
        let kinds = self.by_kind(|service| service.internal.as_ref());
        let lists = kinds.iter().map(|(resource, services)| async move {
            let mut below = Below { copies: self.copies(Level::Internal, resource, services), names: None };
            let selection = self.marked(resource).within(self.options.account.as_deref());
            self.management.cluster.list(&selection, &mut below).await.map(|_| below)
        });
        let lists = self.events.during(Target::Management, Subject::Instances, join_all(lists)).await;
        for ((resource, services), list) in kinds.iter().zip(lists) {
            match list {
                Ok(below) => collect(&mut found, services, below.copies),
                Err(error) => {
                    let why = format!("the {} cannot be listed: {}", resource.full_name(), why_of(&error));
                    unchecked.extend(services.iter().map(|service| Unchecked::new(service, &why)));
                }
            }
        }
        (found, unchecked)
    }

    /// The service objects of each service.
    async fn in_service_clusters(&self, got: &Instances) -> Answers<'a> {
        let with_instances: BTreeSet<&str> = got.list.iter().map(|instance| instance.crd.as_str()).collect();
        let is_asked = |service: &Service| {
            self.management.uid.is_some() || self.options.look_up && with_instances.contains(service.crd.name.as_str())
        };
        let mut clusters: BTreeMap<&ClusterId, Kinds<'a>> = BTreeMap::new();
        for (resource, services) in self.by_kind(|service| is_asked(service).then_some(&service.base)) {
            for service in services {
                clusters.entry(&service.cluster).or_default().entry(resource).or_default().push(service);
            }
        }
        let looks = clusters.iter().map(|(id, kinds)| {
            self.events.during(Target::Service((*id).clone()), Subject::Instances, self.in_service_cluster(id, kinds))
        });
        let looked = join_all(looks).await;
        let mut answers = Answers::default();
        for ((id, kinds), looked) in clusters.iter().zip(looked) {
            let lists = looked.unwrap_or_else(|error| kinds.iter().map(|_| Err(error.clone())).collect());
            let mut said = !self.options.look_up;
            for (services, list) in kinds.values().zip(lists) {
                match list {
                    Ok(below) => {
                        let names = below.names.unwrap_or_default();
                        answers.there.extend(services.iter().map(|service| (service.crd.name.as_str(), names.clone())));
                        collect(&mut answers.copies, services, below.copies);
                    }
                    Err(error) => {
                        let why = format!("{id} cannot be asked: {}", why_of(&error));
                        answers.unchecked.extend(services.iter().map(|service| Unchecked::new(service, &why)));
                        // Of a service that is no longer offered, nobody needs the permission for anything else.
                        let is_offered = services.iter().any(|service| service.offered == Some(true));
                        let is_ours = self.compiled.resolved.clusters.contains_key(*id);
                        if !said && (is_offered || is_ours && error.is_of_connection()) {
                            said = true;
                            let place = self.compiled.resolved.clusters.get(*id).map(|c| c.place("/metadata/name"));
                            answers.found.push(diagnose(&Target::Service((*id).clone()), &error, place));
                        }
                    }
                }
            }
        }
        if self.management.uid.is_none() {
            // It is said already that nothing is known of copies.
            answers.unchecked.clear();
        }
        answers
    }

    /// One list of metadata for each kind of a service cluster.
    async fn in_service_cluster(
        &self,
        id: &ClusterId,
        kinds: &Kinds<'a>,
    ) -> Result<Vec<Result<Below, ClusterError>>, ClusterError> {
        let cluster = self.connector.service(id, &self.compiled.resolved, Ok(&self.management.cluster)).await;
        let cluster = cluster.map(|cluster| {
            let limits = cluster.limits();
            match self.options.look_up {
                true => cluster,
                false => cluster.with_limits(Limits { deadline: limits.deadline.min(PATIENCE), probe: None, ..limits }),
            }
        });
        let Known { cluster, .. } = own(cluster, self.compiled, &Target::Service(id.clone())).await?;
        let lists = kinds.iter().map(|(resource, services)| self.of_kind(&cluster, resource, services));
        Ok(join_all(lists).await)
    }

    async fn of_kind(
        &self,
        cluster: &Cluster,
        resource: &Resource,
        services: &[&Service],
    ) -> Result<Below, ClusterError> {
        let all = self.options.look_up;
        let mut below = Below { copies: self.copies(Level::Service, resource, services), names: all.then(Names::new) };
        let selection = if all { Selection::all(resource).metadata_only() } else { self.marked(resource) };
        match cluster.list(&selection, &mut below).await {
            // A kind that does not exist has no objects.
            Err(error) if error.kind == ErrorKind::KindNotFound => {}
            listed => drop(listed?),
        }
        Ok(below)
    }
}

/// Adds lists, which are in the order of their services.
fn collect<'a>(found: &mut Lists<'a>, services: &[&'a Service], copies: Vec<Copies>) {
    for (service, copies) in services.iter().zip(copies) {
        found.entry(service.crd.name.as_str()).or_default().push(copies);
    }
}

/// Why something cannot be listed, without anything that an object holds.
fn why_of(error: &ClusterError) -> String {
    match error.kind {
        ErrorKind::KindNotFound => "the server does not serve this kind".to_owned(),
        _ => discreet(&why_not_listed(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use futures::future::BoxFuture;
    use serde_json::json;

    use super::*;
    use crate::cluster::client::simulated::{Answer, Answers};
    use crate::cluster::connect::ConnectOptions;
    use crate::compile::load::Loaded;
    use crate::compile::{Discovered, compile};
    use crate::model::config::Config;
    use crate::ops::copies::tests::copy;
    use crate::ops::get::left::tests::service;

    /// A management cluster with these internal objects, whose tenant objects are these when they are listed again.
    struct Management {
        internal: Answer,
        tenants: Answer,
        asked: Mutex<Vec<String>>,
    }

    impl Answers for Management {
        fn answer(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Answer> {
            let path = request.uri().path().to_owned();
            let answer = if path.contains("/internal.") { self.internal.clone() } else { self.tenants.clone() };
            self.asked.lock().unwrap().push(path);
            Box::pin(async { answer })
        }
    }

    fn list(objects: impl IntoIterator<Item = Value>) -> (u16, Value) {
        (200, json!({"kind": "List", "items": objects.into_iter().collect::<Vec<_>>()}))
    }

    fn refused(code: u16) -> (u16, Value) {
        (code, json!({"kind": "Status", "message": "no", "details": {}}))
    }

    /// What is found of a service without instances whose cluster cannot be asked, and how often the cluster was asked.
    async fn around(uid: Option<&str>, internal: Answer, tenants: Answer) -> (Instances, usize) {
        let answers = Arc::new(Management { internal, tenants, asked: Mutex::default() });
        let cluster = Cluster::simulated(Target::Management, Arc::<Management>::clone(&answers));
        let internal = Resource::new("internal.eu-west-1.team-a", "v1", "Redis", "redis", true);
        let service = service(Some(internal));
        let (loaded, discovered) = (Loaded::default(), Discovered::default());
        let compiled = compile(&loaded, &discovered);
        let (options, config) = (ConnectOptions::default(), Config::default());
        let connector = Connector { options: &options, config: &config, root: Path::new("") };
        let management = Known { cluster, uid: uid.map(str::to_owned) };
        let (query, (events, _receiver)) = (GetOptions::default(), Events::channel());
        let look = Look {
            connector: &connector,
            compiled: &compiled,
            options: &query,
            events: &events,
            management: &management,
            listed: &[&service],
        };
        let mut got = Instances::default();
        look.around(&mut got).await;
        let asked = answers.asked.lock().unwrap().len();
        (got, asked)
    }

    fn internal() -> (u16, Value) {
        list([copy("team-b", "lost", |_| {})])
    }

    fn reasons(got: &Instances) -> Vec<&str> {
        got.unchecked.iter().map(|one| one.reason.as_str()).collect()
    }

    /// The repository of these tests does not have the service cluster.
    const AWAY: &str = "team-a/eu-west-1 cannot be asked: the repository does not have it";

    #[tokio::test]
    async fn a_copy_without_a_tenant_object_in_both_lists_is_an_orphan() {
        let (got, asked) = around(Some("m"), Ok(internal()), Ok(list([]))).await;
        let names: Vec<&str> = got.left.iter().map(|one| one.name.as_str()).collect();
        assert_eq!((names, asked), (vec!["lost"], 2));
        assert_eq!(reasons(&got), [AWAY]);
        assert_eq!(got.left[0].in_service_cluster, None);
    }

    #[tokio::test]
    async fn what_was_created_meanwhile_is_no_orphan() {
        let tenant = json!({"metadata": {"namespace": "team-b", "name": "lost"}});
        let (got, asked) = around(Some("m"), Ok(internal()), Ok(list([tenant]))).await;
        assert_eq!((got.left, asked), (Vec::new(), 2));
        // Where nothing seems to be left, nothing is listed again.
        let (got, asked) = around(Some("m"), Ok(list([])), Ok(refused(500))).await;
        assert_eq!((got.left, asked), (Vec::new(), 1));
    }

    #[tokio::test]
    async fn without_a_complete_list_nothing_is_gone() {
        for (tenants, why) in [
            (Ok(refused(403)), "“no”"),
            (Ok(refused(404)), "the server has the CRD, and does not serve its instances"),
            (Ok(refused(500)), "the server cannot list the instances"),
            (Ok((200, json!({}))), "the server cannot list the instances"),
            (Err(ErrorKind::TimedOut), "there is no answer"),
        ] {
            let (got, _) = around(Some("m"), Ok(internal()), tenants).await;
            assert_eq!(got.left, []);
            assert_eq!(reasons(&got), [AWAY, &format!("its instances cannot be listed again: {why}")]);
        }
        let (got, _) = around(Some("m"), Ok(refused(403)), Ok(list([]))).await;
        let why = "the redis.internal.eu-west-1.team-a cannot be listed: “no”";
        assert_eq!((got.left.len(), reasons(&got)), (0, vec![why, AWAY]));
    }

    #[tokio::test]
    async fn without_the_uid_of_the_management_cluster_nothing_is_asked() {
        let (got, asked) = around(None, Ok(internal()), Ok(list([]))).await;
        assert_eq!((got.left.len(), asked), (0, 0));
        assert!(reasons(&got)[0].starts_with("the UID of the management cluster") && got.unchecked.len() == 1);
    }
}
