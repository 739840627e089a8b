//! The CRDs of a service cluster that the repository offers from it: whether they are there and served.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::report::{Health, Status};
use super::trouble;
use crate::cluster::discover::crd_names;
use crate::cluster::error::discreet;
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, going};
use crate::compile::Compiled;
use crate::compile::resolve::BaseName;
use crate::model::cluster::ClusterId;
use crate::model::codes::cluster::NO_SUCH_CRD;
use crate::model::crd::plural;
use crate::model::resource::Resource;

/// How a CRD stands in its cluster.
enum Standing {
    Served,
    /// What is wrong with it, as the end of a sentence that begins with its name.
    Troubled(String),
    Absent,
    /// It may not be read; if a command needs the permission, it is among the missing ones.
    Forbidden,
    /// The server does not give it, for this reason.
    Unread(String),
}

/// Checks the CRDs that services name, and those that are locked.
///
/// # Errors
/// When the cluster no longer answers.
pub(super) async fn check(
    cluster: &Cluster,
    id: &ClusterId,
    compiled: &Compiled<'_>,
    health: &mut Health,
) -> Result<(), ClusterError> {
    let mut wanted: BTreeMap<&BaseName, BTreeSet<String>> = BTreeMap::new();
    for service in compiled.resolved.services.iter().filter(|service| service.cluster == *id) {
        wanted.entry(&service.base.name).or_default().insert(service.origin.id());
    }
    let mut asked: BTreeSet<String> = compiled.discovered.crds(id).map(|(name, _)| name.to_owned()).collect();
    let mut plurals = BTreeSet::new();
    for base in wanted.keys() {
        match base {
            BaseName::Crd(name) => drop(asked.insert(name.clone())),
            BaseName::Plural(plural) => drop(plurals.insert(plural.as_str())),
        }
    }
    // Without the permission to list CRDs nobody knows which ones have the plural.
    let mut is_known = true;
    if !plurals.is_empty() {
        match crd_names(cluster).await {
            Ok(names) => asked.extend(names.into_iter().filter(|name| plurals.contains(plural(name)))),
            Err(error) if error.kind == ErrorKind::Forbidden => is_known = false,
            Err(error) => return Err(error),
        }
    }
    let looks: Vec<_> = asked.iter().map(|name| look(cluster, name)).collect();
    let mut there = BTreeMap::new();
    let mut by_plural: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, standing) in asked.iter().zip(join_all(looks).await) {
        there.insert(name.as_str(), standing?);
        by_plural.entry(plural(name)).or_default().push(name);
    }
    let mut is_sound = true;
    for (name, standing) in &there {
        let (status, what) = match standing {
            Standing::Troubled(trouble) => (Status::Missing, format!("{name} {trouble}")),
            Standing::Unread(why) => (Status::Warning, format!("{name} cannot be read: {why}")),
            Standing::Served | Standing::Absent | Standing::Forbidden => continue,
        };
        is_sound = false;
        health.note("crds", status, what);
    }
    for (base, origins) in &wanted {
        let (names, is_known) = match base {
            BaseName::Crd(name) => (&[name.as_str()][..], true),
            BaseName::Plural(plural) => (by_plural.get(plural.as_str()).map_or(&[][..], Vec::as_slice), is_known),
        };
        let found = || names.iter().filter_map(|name| there.get(name));
        if found().any(|standing| matches!(standing, Standing::Served | Standing::Troubled(_))) {
            continue;
        }
        is_sound = false;
        if !is_known || found().any(|standing| matches!(standing, Standing::Forbidden | Standing::Unread(_))) {
            continue;
        }
        let what = match base {
            BaseName::Crd(name) => name.clone(),
            BaseName::Plural(plural) => format!("a CRD with the plural {plural}"),
        };
        let origins = origins.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let (code, fix) = (NO_SUCH_CRD.id, NO_SUCH_CRD.fix());
        let message = format!("{what} is not there ({code}), and is offered by {origins}: {fix}");
        health.note("crds", Status::Missing, message);
    }
    if is_sound && !wanted.is_empty() {
        let count = wanted.len();
        health.note("crds", Status::Ok, format!("all {count} that are offered from it are served"));
    }
    Ok(())
}

async fn look(cluster: &Cluster, name: &str) -> Result<Standing, ClusterError> {
    let crd = match cluster.call(&ApiRequest::object(Resource::crds(), None, name)).await {
        Ok(crd) => crd,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Standing::Absent),
        Err(error) if error.is_of_connection() => return Err(error),
        Err(error) if error.kind == ErrorKind::Forbidden => return Ok(Standing::Forbidden),
        Err(error) => return Ok(Standing::Unread(error.edited(discreet).to_string())),
    };
    Ok(match going::cause(cluster, &crd).await {
        Some(cause) => Standing::Troubled(format!("is being deleted: {cause}")),
        None => trouble(&crd).map_or(Standing::Served, |trouble| Standing::Troubled(trouble.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use futures::future::BoxFuture;
    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::client::simulated::{Answer, Answers};
    use crate::compile::load::load;
    use crate::compile::{Discovered, compile};
    use crate::model::cluster::Target;
    use crate::model::source::{SourceFile, Sources};

    const COMMON: &str = "\
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: team-a}
spec: {metadata: {displayName: A}, roles: [Provider], subjects: [{kind: User, name: a}]}
---
apiVersion: kubecarrier.io/v1alpha1
kind: ServiceCluster
metadata: {name: eu, namespace: team-a}
spec: {kubeconfigSecret: {name: k}}
---
";

    /// A service cluster with CRDs, each with the status of the answer to its GET. A list has them all.
    struct ServiceCluster(Vec<(&'static str, u16)>);

    impl Answers for ServiceCluster {
        fn answer(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Answer> {
            let path = request.uri().path();
            let asked = path.rsplit('/').next().filter(|name| name.contains('.') && *name != "apiextensions.k8s.io");
            let refused = |code: u16| (code, json!({"kind": "Status", "message": "no", "details": {"name": asked}}));
            let crd = |name: &str| {
                let conditions = json!([{"type": "Established", "status": "True"}]);
                json!({"metadata": {"name": name}, "status": {"conditions": conditions}})
            };
            let all = || self.0.iter().map(|(name, _)| crd(name)).collect::<Vec<Value>>();
            let answer = match asked {
                None => (200, json!({"kind": "List", "items": all()})),
                Some(name) => match self.0.iter().find(|(there, _)| *there == name) {
                    None => refused(404),
                    Some((_, 200)) => (200, crd(name)),
                    Some((_, code)) => refused(*code),
                },
            };
            Box::pin(async { Ok(answer) })
        }
    }

    /// What is said of the CRDs that are offered: by a set with the full name of a CRD, or by an entry with a plural.
    async fn said(offered: &[&str], there: Vec<(&'static str, u16)>) -> Vec<(Status, String)> {
        let service = |name: &&str| {
            let (kind, spec) = match name.contains('.') {
                true => {
                    ("CatalogEntrySet", format!("discover: {{crd: {{name: {name}}}, serviceClusterSelector: {{}}}}"))
                }
                false => ("CatalogEntry", format!("baseCRD: {{name: {name}.internal.eu.team-a}}")),
            };
            let id = name.replace('.', "-");
            format!(
                "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: {kind}\nmetadata: {{name: {id}, namespace: team-a}}\n\
                 spec:\n  metadata: {{displayName: X}}\n  {spec}\n---\n"
            )
        };
        let text = COMMON.to_owned() + &offered.iter().map(service).collect::<String>();
        let (loaded, _) = load(&Sources::new(vec![SourceFile { path: "a.yaml".into(), text: text.into() }]));
        let discovered = Discovered::default();
        let compiled = compile(&loaded, &discovered);
        assert_eq!(compiled.resolved.services.len(), offered.len());
        let id = ClusterId::new("team-a", "eu");
        let cluster = Cluster::simulated(Target::Service(id.clone()), Arc::new(ServiceCluster(there)));
        let mut health = Health::default();
        check(&cluster, &id, &compiled, &mut health).await.unwrap();
        health.checks.into_iter().map(|check| (check.status, check.message)).collect()
    }

    #[tokio::test]
    async fn a_crd_is_found_by_its_name_and_by_its_plural() {
        let there = || vec![("boxes.example.com", 200), ("things.example.com", 200)];
        let all = (Status::Ok, "all 2 that are offered from it are served".to_owned());
        assert_eq!(said(&["boxes.example.com", "things"], there()).await, [all]);
        let absent = said(&["boxes.example.org", "thing"], there()).await;
        let first: Vec<&str> = absent.iter().map(|(_, text)| &text[..text.find(" (").unwrap()]).collect();
        assert_eq!(first, ["boxes.example.org is not there", "a CRD with the plural thing is not there"]);
        assert!(absent.iter().all(|(status, _)| *status == Status::Missing));
    }

    #[tokio::test]
    async fn a_crd_that_cannot_be_read_is_a_warning_unless_the_permission_is_missing() {
        for code in [429, 500] {
            for offered in ["things", "things.example.com"] {
                let said = said(&[offered], vec![("things.example.com", code)]).await;
                let why = "things.example.com cannot be read: “no”".to_owned();
                assert_eq!(said, [(Status::Warning, why)], "{code} {offered}");
            }
        }
        // The missing permission is reported with the others.
        assert_eq!(said(&["things.example.com"], vec![("things.example.com", 403)]).await, []);
    }
}
