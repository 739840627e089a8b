//! The CRDs of a service cluster that the repository offers from it: whether they are there and served.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::report::{Health, Status};
use super::trouble;
use crate::cluster::discover::crd_names;
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, going};
use crate::compile::Compiled;
use crate::compile::resolve::BaseName;
use crate::model::cluster::ClusterId;
use crate::model::codes::cluster::NO_SUCH_CRD;
use crate::model::resource::Resource;

/// How a CRD stands in its cluster.
enum Standing {
    Served,
    /// What is wrong with it, as the end of a sentence that begins with its name.
    Troubled(String),
    Absent,
    /// It may not be read; if a command needs the permission, it is among the missing ones.
    Unknown,
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
    asked.extend(wanted.keys().filter_map(|base| match base {
        BaseName::Crd(name) => Some(name.clone()),
        BaseName::Plural(_) => None,
    }));
    // Without the permission to list CRDs nobody knows which ones have the plural.
    let mut is_known = true;
    if wanted.keys().any(|base| matches!(base, BaseName::Plural(_))) {
        match crd_names(cluster).await {
            Ok(names) => asked.extend(names.into_iter().filter(|name| wanted.keys().any(|base| base.is(name)))),
            Err(error) if error.kind == ErrorKind::Forbidden => is_known = false,
            Err(error) => return Err(error),
        }
    }
    let looks: Vec<_> = asked.iter().map(|name| look(cluster, name)).collect();
    let mut there = BTreeMap::new();
    for (name, standing) in asked.iter().zip(join_all(looks).await) {
        there.insert(name.as_str(), standing?);
    }
    let mut is_sound = true;
    for (name, standing) in &there {
        if let Standing::Troubled(trouble) = standing {
            is_sound = false;
            health.note("crds", Status::Missing, format!("{name} {trouble}"));
        }
    }
    for (base, origins) in &wanted {
        let found = || there.iter().filter(|(name, _)| base.is(name)).map(|(_, standing)| standing);
        if found().any(|standing| matches!(standing, Standing::Served | Standing::Troubled(_))) {
            continue;
        }
        let may_be = found().any(|standing| matches!(standing, Standing::Unknown)) || !is_known && is_plural(base);
        is_sound = false;
        if may_be {
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

fn is_plural(base: &BaseName) -> bool {
    matches!(base, BaseName::Plural(_))
}

async fn look(cluster: &Cluster, name: &str) -> Result<Standing, ClusterError> {
    let crd = match cluster.call(&ApiRequest::object(Resource::crds(), None, name)).await {
        Ok(crd) => crd,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Standing::Absent),
        Err(error) if error.is_of_connection() => return Err(error),
        Err(_) => return Ok(Standing::Unknown),
    };
    Ok(match going::cause(cluster, &crd).await {
        Some(cause) => Standing::Troubled(format!("is being deleted: {cause}")),
        None => trouble(&crd).map_or(Standing::Served, |trouble| Standing::Troubled(trouble.to_owned())),
    })
}
