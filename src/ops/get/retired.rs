//! Services that the repository does not offer and that are still there: the internal and derived CRDs of the management
//! cluster that it does not make, their instances, and the kinds of their copies.
//!
//! A CRD that another repository manages is none of these. Of an internal CRD, objects with the marks of sync are copies
//! and no instances. The kind in the service cluster is in the annotations of the internal CRD ([`places_of_derived`]). A
//! service whose copies cannot be looked for is said to be unchecked.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::Value;

use super::{Found, GetOptions, Instance, Seen, Service, Unchecked, instance};
use crate::cluster::error::discreet;
use crate::cluster::instances::why_not_listed;
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, ListSink, Selection};
use crate::compile::Compiled;
use crate::compile::build::OfferedCrd;
use crate::model::cluster::{ClusterId, Target};
use crate::model::keys::{ORIGIN_NAMESPACE, SERVICE_CLUSTER};
use crate::model::resource::Resource;
use crate::ops::approve::services::Kind;
use crate::ops::error::UnknownName;
use crate::plan::inventory;
use crate::plan::live::PART_OF;

/// The instances of services that the repository does not offer.
#[derive(Debug, Default)]
pub(super) struct Retired {
    /// The services whose instances were listed, where the kinds of their copies are known.
    pub services: Vec<Service>,
    /// The services whose copies cannot be looked for.
    pub unchecked: Vec<Unchecked>,
    /// The instances.
    pub list: Vec<Instance>,
    /// What is not known of them, one sentence each without a trailing dot.
    pub incomplete: BTreeSet<String>,
    /// The plurals of all such services and the names of their CRDs, also of those that the options exclude. An internal
    /// CRD that holds the copies of a derived one is a service only if it has instances of its own.
    names: BTreeSet<String>,
}

impl Retired {
    /// A name that the repository does not offer, unless it is that of one of these services.
    pub(super) fn knows(&self, mut unknown: UnknownName) -> Option<UnknownName> {
        if self.names.contains(&unknown.name) {
            return None;
        }
        unknown.known.extend(self.names.iter().cloned());
        unknown.known.sort();
        unknown.known.dedup();
        Some(unknown)
    }
}

/// An internal or derived CRD that the repository does not make.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Crd {
    name: String,
    cluster: ClusterId,
}

impl Crd {
    fn plural(&self) -> &str {
        crate::model::crd::plural(&self.name)
    }

    /// The derived CRD with the plural of this one, if this one is internal.
    fn derived(&self) -> Option<Self> {
        let (plural, group) = self.name.split_once('.')?;
        let derived = || format!("{plural}.{}", self.cluster.derived_group());
        (group == self.cluster.internal_group()).then(|| Self { name: derived(), cluster: self.cluster.clone() })
    }
}

/// The CRDs with carrier's labels, as their metadata is listed.
struct Crds<'a> {
    compiled: &'a Compiled<'a>,
    options: &'a GetOptions,
    /// The full names of the CRDs that the repository makes.
    made: BTreeSet<String>,
    /// The inventory of the repository.
    inventory: String,
    /// Those that the repository does not make.
    all: BTreeSet<Crd>,
}

impl<'a> Crds<'a> {
    fn new(compiled: &'a Compiled<'a>, options: &'a GetOptions) -> Self {
        let routes = compiled.built.iter().map(|built| &built.route);
        let made = routes.flat_map(|route| [route.tenant.full_name(), route.internal.full_name()]).collect();
        let name = &compiled.resolved.loaded.config.inventory;
        let inventory = inventory::of(&Target::Management, name, None).id;
        Self { compiled, options, made, inventory, all: BTreeSet::new() }
    }

    /// Whether the options mean the service of a CRD.
    fn is_meant(&self, crd: &Crd) -> bool {
        self.options.service.as_deref().is_none_or(|word| word == crd.plural() || word == crd.name)
            && self.options.cluster.as_ref().is_none_or(|id| *id == crd.cluster)
    }

    /// Whether it is an internal CRD, and tenants have a derived one: then it holds copies of their instances.
    fn holds_copies(&self, crd: &Crd) -> bool {
        crd.derived().is_some_and(|derived| self.made.contains(&derived.name) || self.all.contains(&derived))
    }

    /// The CRD, if it is of a service that the repository does not offer.
    fn read(&self, crd: &Value) -> Option<Crd> {
        let metadata = crd.get("metadata")?;
        let label = |key: &str| metadata.get("labels")?.get(key)?.as_str();
        let name = metadata.get("name")?.as_str()?;
        let (_, group) = name.split_once('.')?;
        let cluster = ClusterId::new(label(ORIGIN_NAMESPACE)?, label(SERVICE_CLUSTER)?);
        // What no inventory has was applied by another tool; then the account says whose it is.
        let is_ours = match label(PART_OF) {
            Some(id) => id == self.inventory,
            None => self.compiled.resolved.accounts.contains_key(cluster.provider.as_str()),
        };
        let is_of_cluster = group == cluster.derived_group() || group == cluster.internal_group();
        (is_ours && is_of_cluster && !self.made.contains(name)).then(|| Crd { name: name.to_owned(), cluster })
    }
}

impl ListSink for Crds<'_> {
    fn take(&mut self, object: Value) {
        let crd = self.read(&object);
        self.all.extend(crd);
    }

    fn restart(&mut self) {
        self.all.clear();
    }
}

/// Lists the instances of services that the repository does not offer. Failures are part of the result.
pub(super) async fn retired(management: &Cluster, compiled: &Compiled<'_>, options: &GetOptions) -> Retired {
    let mut retired = Retired::default();
    let mut crds = Crds::new(compiled, options);
    let labelled = format!("{ORIGIN_NAMESPACE},{SERVICE_CLUSTER}");
    let selection = Selection::all(Resource::crds()).labels(&labelled).metadata_only();
    if let Err(error) = management.list(&selection, &mut crds).await {
        retired.incomplete.insert(format!(
            "services that are no longer offered are not known: the CRDs cannot be listed: {}",
            discreet(&why_not_listed(&error))
        ));
        return retired;
    }
    for crd in crds.all.iter().filter(|crd| !crds.holds_copies(crd)) {
        retired.names.extend([crd.name.clone(), crd.plural().to_owned()]);
    }
    let found: Vec<&Crd> = crds.all.iter().filter(|crd| crds.is_meant(crd)).collect();
    let lists: Vec<_> = found.iter().map(|crd| of_crd(management, crd, options)).collect();
    let offered = if options.in_doubt { None } else { Some(false) };
    for (crd, list) in found.iter().zip(join_all(lists).await) {
        let (id, name) = (&crd.cluster, &crd.name);
        let holds_copies = crds.holds_copies(crd);
        let Listed { resource, places, found } = match list {
            Ok(Some(listed)) => listed,
            Ok(None) => continue,
            Err(error) => {
                let why = discreet(&why_not_listed(&error));
                retired.incomplete.insert(format!("the instances of {name} cannot be listed: {why}"));
                if !holds_copies {
                    retired.unchecked.push(Unchecked::of(id, name, format!("its instances cannot be listed: {why}")));
                }
                continue;
            }
        };
        // Copies alone make no service.
        if found.is_empty() && holds_copies {
            continue;
        }
        retired.names.insert(name.clone());
        match places {
            Ok(Places { internal, base }) => retired.services.push(Service {
                cluster: id.clone(),
                crd: OfferedCrd {
                    name: name.clone(),
                    group: resource.group.clone(),
                    kind: resource.kind.clone(),
                    plural: resource.plural.clone(),
                    versions: Vec::new(),
                },
                internal,
                resource: resource.clone(),
                base,
                offered,
            }),
            Err(why) => {
                if options.look_up && !found.is_empty() {
                    let what = format!("whether instances of {name} are in {id} is not known");
                    retired.incomplete.insert(format!("{what}: {why}"));
                }
                retired.unchecked.push(Unchecked::of(id, name, why));
            }
        }
        retired.list.extend(found.into_iter().map(|found| instance(found, id, &resource, offered, compiled)));
    }
    retired
}

/// The instances of a CRD.
struct Listed {
    resource: Resource,
    /// The kinds of their copies, or why they are not known.
    places: Result<Places, String>,
    found: Vec<Found>,
}

/// The kinds of the copies of instances.
struct Places {
    /// The internal kind, where it is another one.
    internal: Option<Resource>,
    /// The kind in the service cluster.
    base: Resource,
}

/// The instances of a CRD; `None` if it is gone meanwhile or is served no more.
async fn of_crd(management: &Cluster, crd: &Crd, options: &GetOptions) -> Result<Option<Listed>, ClusterError> {
    let gone = |error: &ClusterError| matches!(error.kind, ErrorKind::NotFound | ErrorKind::KindNotFound);
    let body = match management.call(&ApiRequest::object(Resource::crds(), None, &crd.name)).await {
        Err(error) if gone(&error) => return Ok(None),
        body => body?,
    };
    let kind = Kind::of(&body, &crd.cluster).filter(|kind| kind.resource.namespaced);
    let Some(Kind { resource, base }) = kind else { return Ok(None) };
    let mut seen = Seen::default();
    match management.list(&Selection::all(&resource).within(options.account.as_deref()), &mut seen).await {
        Err(error) if gone(&error) => return Ok(None),
        listed => drop(listed?),
    }
    let places = if resource.group == crd.cluster.internal_group() {
        seen.0.retain(|found| !found.is_copy);
        base.map(|base| Places { internal: None, base }).ok_or_else(|| not_told(&crd.name))
    } else {
        places_of_derived(management, crd).await
    };
    Ok(Some(Listed { resource, places, found: seen.0 }))
}

/// The kinds of the copies of a derived CRD, by the annotations of the internal CRD with the same plural.
///
/// All internal CRDs that carrier renders for a CatalogEntrySet have the plural of the derived one. A CatalogEntry with
/// `derive.plural` names one with another plural, and the CRDs alone do not tell which: then the copies are not looked for,
/// and that is said. `carrier approve` reads the CatalogEntries, and without one it looks for the marks of the copies in
/// every internal CRD of the cluster (`Meant::internal` of `ops::approve::services`). That is one service; here it would be
/// as many lists for each one that was retired.
///
/// # Errors
/// Why they are not known, one sentence without a trailing dot.
async fn places_of_derived(management: &Cluster, crd: &Crd) -> Result<Places, String> {
    let name = format!("{}.{}", crd.plural(), crd.cluster.internal_group());
    let body = management.call(&ApiRequest::object(Resource::crds(), None, &name)).await;
    let body = body.map_err(|error| match error.kind {
        ErrorKind::NotFound => format!("its internal CRD is not known: there is no CRD {name}"),
        _ => format!("its internal CRD {name} cannot be read: {}", error.edited(discreet)),
    })?;
    let kind = Kind::of(&body, &crd.cluster);
    let places = kind.and_then(|Kind { resource, base }| Some(Places { internal: Some(resource), base: base? }));
    places.ok_or_else(|| not_told(&name))
}

/// An internal CRD that was rendered before it had the annotations.
fn not_told(internal: &str) -> String {
    format!("the annotations of the CRD {internal} do not tell the kind of the copies")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use futures::future::BoxFuture;
    use serde_json::json;

    use super::*;
    use crate::cluster::client::simulated::{Answer, Answers};
    use crate::compile::load::load;
    use crate::compile::{Discovered, compile};
    use crate::model::keys::{BASE_CRD, BASE_KIND, BASE_VERSION, SOURCE};
    use crate::model::source::{SourceFile, Sources};
    use crate::ops::error::NameKind;

    const ACCOUNT: &str = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\nmetadata: {name: team-a}\nspec:\n  \
                           metadata: {displayName: A}\n  roles: [Provider]\n  subjects: [{kind: User, name: a}]\n";

    fn crd(name: &str, provider: &str, part_of: Option<&str>) -> Value {
        let mut labels = json!({ORIGIN_NAMESPACE: provider, SERVICE_CLUSTER: "eu"});
        if let Some(id) = part_of {
            labels[PART_OF] = json!(id);
        }
        let (plural, group) = name.split_once('.').unwrap();
        let versions = json!([{"name": "v1", "served": true, "storage": true}]);
        let names = json!({"kind": "Thing", "plural": plural});
        let spec = json!({"group": group, "scope": "Namespaced", "names": names, "versions": versions});
        json!({"metadata": {"name": name, "labels": labels}, "spec": spec})
    }

    /// A management cluster: its CRDs, the answer to a list of instances, and a CRD that cannot be read with the status of
    /// the answer.
    struct Management {
        crds: Vec<Value>,
        instances: Answer,
        broken: Option<(&'static str, u16)>,
    }

    impl Answers for Management {
        fn answer(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Answer> {
            let path = request.uri().path();
            let answer = match path.strip_prefix("/apis/apiextensions.k8s.io/v1/customresourcedefinitions") {
                Some("") => Ok((200, json!({"kind": "List", "items": self.crds}))),
                Some(name) if self.broken.is_some_and(|(broken, _)| broken == &name[1..]) => {
                    Ok((self.broken.unwrap().1, json!({"kind": "Status", "message": "no", "details": {}})))
                }
                Some(name) => {
                    let crd = self.crds.iter().find(|crd| crd["metadata"]["name"].as_str() == Some(&name[1..]));
                    crd.map_or(
                        Ok((404, json!({"kind": "Status", "message": "no", "details": {"name": name[1..]}}))),
                        |crd| Ok((200, crd.clone())),
                    )
                }
                None => self.instances.clone(),
            };
            Box::pin(async { answer })
        }
    }

    /// An internal CRD that says what it is the copy of.
    fn internal(name: &str, provider: &str) -> Value {
        let mut crd = crd(name, provider, None);
        crd["metadata"]["annotations"] =
            json!({BASE_CRD: "things.example.com", BASE_KIND: "Thing", BASE_VERSION: "v1"});
        crd
    }

    /// The services of which copies can be looked for, as `crd internal base`.
    async fn services(crds: Vec<Value>, options: GetOptions) -> (Vec<String>, Vec<String>) {
        let found = found(crds, Ok((200, objects())), options).await;
        let name = |resource: Option<&Resource>| resource.map_or_else(|| "-".to_owned(), Resource::full_name);
        let shown =
            |one: &Service| format!("{} {} {}", one.crd.name, name(one.internal.as_ref()), name(Some(&one.base)));
        (found.services.iter().map(shown).collect(), found.incomplete.into_iter().collect())
    }

    async fn found(crds: Vec<Value>, instances: Answer, options: GetOptions) -> Retired {
        found_with(Management { crds, instances, broken: None }, &options).await
    }

    async fn found_with(management: Management, options: &GetOptions) -> Retired {
        let file = SourceFile { path: "a.yaml".into(), text: ACCOUNT.into() };
        let (loaded, _) = load(&Sources::new(vec![file]));
        let discovered = Discovered::default();
        let compiled = compile(&loaded, &discovered);
        let cluster = Cluster::simulated(Target::Management, Arc::new(management));
        retired(&cluster, &compiled, options).await
    }

    fn unchecked(found: &Retired) -> Vec<String> {
        found.unchecked.iter().map(|one| format!("{} {}: {}", one.cluster, one.crd, one.reason)).collect()
    }

    fn nothing() -> (u16, Value) {
        (200, json!({"kind": "List", "items": []}))
    }

    /// The instances that are found as `name crd offered`, and why some may be missing.
    async fn around(crds: Vec<Value>, instances: Answer, options: GetOptions) -> (Vec<String>, Vec<String>) {
        let found = found(crds, instances, options).await;
        let shown = |one: &Instance| format!("{} {} {:?}", one.name, one.crd, one.offered);
        (found.list.iter().map(shown).collect(), found.incomplete.into_iter().collect())
    }

    fn objects() -> Value {
        let own = json!({"metadata": {"namespace": "team-b", "name": "own"}});
        let copy =
            json!({"metadata": {"namespace": "team-b", "name": "copy", "annotations": {SOURCE: "team-b/x/copy"}}});
        json!({"kind": "List", "items": [own, copy]})
    }

    #[tokio::test]
    async fn instances_of_crds_that_the_repository_does_not_make_are_found() {
        let crds = || vec![crd("things.eu.team-a", "team-a", None), crd("boxes.internal.eu.team-a", "team-a", None)];
        let (list, incomplete) = around(crds(), Ok((200, objects())), GetOptions::default()).await;
        // An object of a derived CRD is an instance, whatever it is annotated with.
        let wanted = ["own boxes.internal.eu.team-a", "own things.eu.team-a", "copy things.eu.team-a"];
        assert_eq!(list, wanted.map(|one| format!("{one} Some(false)")));
        assert!(incomplete.is_empty(), "{incomplete:?}");
        // With errors in the repository it may be that they are offered.
        let in_doubt = GetOptions { in_doubt: true, service: Some("boxes".into()), ..GetOptions::default() };
        assert_eq!(around(crds(), Ok((200, objects())), in_doubt).await.0, ["own boxes.internal.eu.team-a None"]);
        let elsewhere = GetOptions { cluster: Some(ClusterId::new("team-a", "us")), ..GetOptions::default() };
        assert!(around(crds(), Ok((200, objects())), elsewhere).await.0.is_empty());
    }

    #[tokio::test]
    async fn the_internal_crd_tells_where_the_copies_are() {
        let derived = || crd("things.eu.team-a", "team-a", None);
        let wide = || GetOptions { look_up: true, ..GetOptions::default() };
        let (list, incomplete) =
            services(vec![derived(), internal("things.internal.eu.team-a", "team-a")], wide()).await;
        // The internal CRD has an object without marks, so it is a service, too.
        let wanted = [
            "things.eu.team-a things.internal.eu.team-a things.example.com",
            "things.internal.eu.team-a - things.example.com",
        ];
        assert_eq!((list.as_slice(), incomplete), (&wanted.map(str::to_owned)[..], Vec::new()));
        let (list, incomplete) = services(vec![derived(), crd("things.internal.eu.team-a", "x", None)], wide()).await;
        let why = "whether instances of things.eu.team-a are in team-a/eu is not known: the annotations of the CRD \
                   things.internal.eu.team-a do not tell the kind of the copies";
        assert_eq!((list, incomplete), (Vec::new(), vec![why.to_owned()]));
        // Nobody has asked for it.
        let (_, incomplete) = services(vec![derived()], GetOptions::default()).await;
        assert!(incomplete.is_empty(), "{incomplete:?}");
    }

    #[tokio::test]
    async fn the_internal_kind_is_that_of_the_internal_crd() {
        let mut below = internal("things.internal.eu.team-a", "team-a");
        below["spec"]["names"]["kind"] = json!("Whole");
        below["spec"]["versions"][0]["name"] = json!("v2");
        let crds = vec![crd("things.eu.team-a", "team-a", None), below];
        let found = found(crds, Ok(nothing()), GetOptions::default()).await;
        let wanted = Resource::new("internal.eu.team-a", "v2", "Whole", "things", true);
        assert_eq!((found.services.len(), found.services[0].internal.as_ref()), (1, Some(&wanted)));
        assert_eq!(found.services[0].resource.version, "v1");
    }

    #[tokio::test]
    async fn a_service_whose_copies_cannot_be_looked_for_is_unchecked_also_without_instances() {
        let derived = || crd("things.eu.team-a", "team-a", None);
        let name = "things.internal.eu.team-a";
        for code in [403, 500] {
            let crds = vec![derived(), internal(name, "team-a")];
            let management = Management { crds, instances: Ok(nothing()), broken: Some((name, code)) };
            let found = found_with(management, &GetOptions { look_up: true, ..GetOptions::default() }).await;
            assert!(found.services.is_empty(), "{code}");
            let why = format!("team-a/eu things.eu.team-a: its internal CRD {name} cannot be read: “no”");
            assert_eq!(unchecked(&found), [why], "{code}");
        }
        let found = async |crds| unchecked(&found(crds, Ok(nothing()), GetOptions::default()).await);
        let why = format!("team-a/eu things.eu.team-a: its internal CRD is not known: there is no CRD {name}");
        assert_eq!(found(vec![derived()]).await, [why]);
        // As the CRDs that were rendered before they had annotations; once for a service.
        let why = format!("the annotations of the CRD {name} do not tell the kind of the copies");
        let bare = || crd(name, "team-a", None);
        assert_eq!(found(vec![derived(), bare()]).await, [format!("team-a/eu things.eu.team-a: {why}")]);
        assert_eq!(found(vec![bare()]).await, [format!("team-a/eu {name}: {why}")]);
        assert!(found(vec![derived(), internal(name, "team-a")]).await.is_empty());
    }

    #[tokio::test]
    async fn an_internal_crd_of_a_derived_one_is_no_service_unless_it_has_instances() {
        let name = "things.internal.eu.team-a";
        let crds = || vec![crd("things.eu.team-a", "team-a", None), internal(name, "team-a")];
        let unknown = || UnknownName { kind: NameKind::Service, name: name.into(), known: Vec::new(), broken: false };
        let copies = found(crds(), Ok(nothing()), GetOptions::default()).await;
        let known = copies.knows(unknown()).map(|unknown| unknown.known);
        assert_eq!(known, Some(vec!["things".into(), "things.eu.team-a".into()]));
        let own = found(crds(), Ok((200, objects())), GetOptions::default()).await;
        assert_eq!(own.knows(unknown()), None);
        // By itself it is a service.
        let alone = found(vec![internal(name, "team-a")], Ok(nothing()), GetOptions::default()).await;
        assert_eq!(alone.knows(unknown()), None);
    }

    #[tokio::test]
    async fn a_name_that_the_repository_does_not_offer_may_be_one_of_these() {
        let crds = vec![crd("things.eu.team-a", "team-a", None)];
        // Also where the other options exclude it.
        let options = GetOptions { cluster: Some(ClusterId::new("team-a", "us")), ..GetOptions::default() };
        let found = found(crds, Ok((200, objects())), options).await;
        let unknown = |name: &str| UnknownName {
            kind: NameKind::Service,
            name: name.into(),
            known: vec!["redis".into()],
            broken: false,
        };
        assert!(found.list.is_empty());
        assert_eq!(found.knows(unknown("things")), None);
        assert_eq!(found.knows(unknown("things.eu.team-a")), None);
        let known = found.knows(unknown("thing")).map(|unknown| unknown.known);
        assert_eq!(known, Some(vec!["redis".into(), "things".into(), "things.eu.team-a".into()]));
    }

    #[tokio::test]
    async fn crds_of_others_are_left_out() {
        let ours = inventory::of(&Target::Management, "carrier", None).id;
        let crds = vec![
            crd("a.eu.team-a", "team-a", Some("applyset-of-another-repository")),
            crd("b.eu.team-x", "team-x", None),
            crd("c.example.com", "team-a", None),
            crd("d.eu.team-x", "team-x", Some(&ours)),
        ];
        let (list, _) = around(crds, Ok((200, objects())), GetOptions::default()).await;
        assert_eq!(list, ["own d.eu.team-x Some(false)", "copy d.eu.team-x Some(false)"]);
    }

    #[tokio::test]
    async fn what_cannot_be_listed_is_said() {
        let refused = || Ok((403, json!({"kind": "Status", "message": "no", "details": {}})));
        let found = found(vec![crd("things.eu.team-a", "team-a", None)], refused(), GetOptions::default()).await;
        assert!(found.list.is_empty());
        // Nor is it known which copies are left of them.
        assert_eq!(unchecked(&found), ["team-a/eu things.eu.team-a: its instances cannot be listed: “no”"]);
        let incomplete: Vec<String> = found.incomplete.into_iter().collect();
        assert_eq!(incomplete, ["the instances of things.eu.team-a cannot be listed: “no”"]);
    }
}
