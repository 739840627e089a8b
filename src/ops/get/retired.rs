//! Services that the repository does not offer and that are still there: the internal and derived CRDs of the management
//! cluster that it does not make, and their instances.
//!
//! A CRD that another repository manages is none of these. Of an internal CRD, objects with the marks of sync are copies
//! and no instances.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::Value;

use super::{Found, GetOptions, Instance, Seen, instance};
use crate::cluster::error::discreet;
use crate::cluster::instances::unlisted;
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, ListSink, Selection};
use crate::compile::Compiled;
use crate::model::cluster::{ClusterId, Target};
use crate::model::keys::{ORIGIN_NAMESPACE, SERVICE_CLUSTER};
use crate::model::resource::Resource;
use crate::plan::inventory;
use crate::plan::live::PART_OF;

/// The instances of services that the repository does not offer.
#[derive(Debug, Default)]
pub(super) struct Retired {
    /// The instances.
    pub list: Vec<Instance>,
    /// Why some may be missing, one sentence each without a trailing dot.
    pub incomplete: BTreeSet<String>,
}

/// An internal or derived CRD that the repository does not make.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Crd {
    name: String,
    cluster: ClusterId,
}

/// The CRDs with carrier's labels, as their metadata is listed.
struct Crds<'a> {
    compiled: &'a Compiled<'a>,
    options: &'a GetOptions,
    /// The full names of the CRDs that the repository makes.
    made: BTreeSet<String>,
    /// The inventory of the repository.
    inventory: String,
    found: BTreeSet<Crd>,
}

impl<'a> Crds<'a> {
    fn new(compiled: &'a Compiled<'a>, options: &'a GetOptions) -> Self {
        let routes = compiled.built.iter().map(|built| &built.route);
        let made = routes.flat_map(|route| [route.tenant.full_name(), route.internal.full_name()]).collect();
        let name = &compiled.resolved.loaded.config.inventory;
        let inventory = inventory::of(&Target::Management, name, None).id;
        Self { compiled, options, made, inventory, found: BTreeSet::new() }
    }

    /// The CRD, if it is of a service that the repository does not offer, and that the options do not exclude.
    fn read(&self, crd: &Value) -> Option<Crd> {
        let metadata = crd.get("metadata")?;
        let label = |key: &str| metadata.get("labels")?.get(key)?.as_str();
        let name = metadata.get("name")?.as_str()?;
        let (plural, group) = name.split_once('.')?;
        let cluster = ClusterId::new(label(ORIGIN_NAMESPACE)?, label(SERVICE_CLUSTER)?);
        // What no inventory has was applied by another tool; then the account says whose it is.
        let is_ours = match label(PART_OF) {
            Some(id) => id == self.inventory,
            None => self.compiled.resolved.accounts.contains_key(cluster.provider.as_str()),
        };
        let is_meant = self.options.service.as_deref().is_none_or(|word| word == plural || word == name)
            && self.options.cluster.as_ref().is_none_or(|id| *id == cluster);
        let is_of_cluster = group == cluster.derived_group() || group == cluster.internal_group();
        (is_ours && is_meant && is_of_cluster && !self.made.contains(name))
            .then(|| Crd { name: name.to_owned(), cluster })
    }
}

impl ListSink for Crds<'_> {
    fn take(&mut self, object: Value) {
        let crd = self.read(&object);
        self.found.extend(crd);
    }

    fn restart(&mut self) {
        self.found.clear();
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
            discreet(&unlisted(&error))
        ));
        return retired;
    }
    let found = std::mem::take(&mut crds.found);
    let lists = found.iter().map(|crd| of_crd(management, crd, options));
    for (crd, list) in found.iter().zip(join_all(lists).await) {
        match list {
            Ok(Some((resource, found))) => {
                let offered = if options.in_doubt { None } else { Some(false) };
                let listed = found.into_iter().map(|found| instance(found, &crd.cluster, &resource, offered, compiled));
                retired.list.extend(listed);
            }
            Ok(None) => {}
            Err(error) => {
                let why = discreet(&unlisted(&error));
                retired.incomplete.insert(format!("the instances of {} cannot be listed: {why}", crd.name));
            }
        }
    }
    retired
}

/// The instances of a CRD; `None` if it is gone meanwhile or is served no more.
async fn of_crd(
    management: &Cluster,
    crd: &Crd,
    options: &GetOptions,
) -> Result<Option<(Resource, Vec<Found>)>, ClusterError> {
    let gone = |error: &ClusterError| matches!(error.kind, ErrorKind::NotFound | ErrorKind::KindNotFound);
    let body = match management.call(&ApiRequest::object(Resource::crds(), None, &crd.name)).await {
        Err(error) if gone(&error) => return Ok(None),
        body => body?,
    };
    let Some(resource) = Resource::defined_by(&body).filter(|resource| resource.namespaced) else { return Ok(None) };
    let mut seen = Seen::default();
    match management.list(&Selection::all(&resource).within(options.account.as_deref()), &mut seen).await {
        Err(error) if gone(&error) => return Ok(None),
        listed => drop(listed?),
    }
    let is_internal = resource.group == crd.cluster.internal_group();
    seen.0.retain(|found| !(is_internal && found.is_copy));
    Ok(Some((resource, seen.0)))
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
    use crate::model::keys::SOURCE;
    use crate::model::source::{SourceFile, Sources};

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

    /// A management cluster: its CRDs, and the answer to a list of instances.
    struct Management {
        crds: Vec<Value>,
        instances: Answer,
    }

    impl Answers for Management {
        fn answer(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Answer> {
            let path = request.uri().path();
            let answer = match path.strip_prefix("/apis/apiextensions.k8s.io/v1/customresourcedefinitions") {
                Some("") => Ok((200, json!({"kind": "List", "items": self.crds}))),
                Some(name) => {
                    let crd = self.crds.iter().find(|crd| crd["metadata"]["name"].as_str() == Some(&name[1..]));
                    crd.map_or(Ok((404, json!({"kind": "Status", "message": "no", "details": {}}))), |crd| {
                        Ok((200, crd.clone()))
                    })
                }
                None => self.instances.clone(),
            };
            Box::pin(async { answer })
        }
    }

    /// The instances that are found as `name crd offered`, and why some may be missing.
    async fn around(crds: Vec<Value>, instances: Answer, options: GetOptions) -> (Vec<String>, Vec<String>) {
        let file = SourceFile { path: "a.yaml".into(), text: ACCOUNT.into() };
        let (loaded, _) = load(&Sources::new(vec![file]));
        let discovered = Discovered::default();
        let compiled = compile(&loaded, &discovered);
        let cluster = Cluster::simulated(Target::Management, Arc::new(Management { crds, instances }));
        let found = retired(&cluster, &compiled, &options).await;
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
        let (list, incomplete) =
            around(vec![crd("things.eu.team-a", "team-a", None)], refused(), GetOptions::default()).await;
        assert!(list.is_empty());
        assert_eq!(incomplete, ["the instances of things.eu.team-a cannot be listed: “no”"]);
    }
}
