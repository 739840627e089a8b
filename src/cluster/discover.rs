//! Discovering: what a service cluster is, and the CRDs of it that are wanted.
//!
//! A service cluster is a provider's: what it sends is taken only so far as it is
//! what was asked for, and no longer than a CRD can be.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use serde_json::Value;

use super::client::{Cluster, ListSink};
use super::error::{ClusterError, ErrorKind};
use super::going;
use super::identity::{Identity, identify};
use super::request::{ApiRequest, Selection};
use crate::compile::locking::strip;
use crate::compile::resolve::BaseName;
use crate::compile::{DiscoveredCluster, DiscoveredCrd};
use crate::model::names;
use crate::model::resource::Resource;

/// A request to an API server may be 3 MiB long; what it answers is written with more white space
/// and managed fields.
const MAX_CRD: usize = 16 * 1024 * 1024;
/// So many CRDs of one plural are worth a look: with two it is not clear already which is meant.
const MAX_NAMESAKES: usize = 8;

/// Why a cluster was not discovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DiscoverError {
    /// It could not be asked, or its answers make no sense.
    Failed(ClusterError),
    /// It is another one than was meant. Nothing else was asked.
    OtherCluster {
        /// The UID it should have.
        expected: String,
        /// The UID it has.
        found: String,
    },
}

impl From<ClusterError> for DiscoverError {
    fn from(error: ClusterError) -> Self {
        Self::Failed(error)
    }
}

/// Asks a cluster who it is. `expected` is the UID it should have, where that is known.
///
/// # Errors
/// When it cannot be asked, or is another.
pub(crate) async fn known(cluster: &Cluster, expected: Option<&str>) -> Result<Identity, DiscoverError> {
    let identity = identify(cluster).await?;
    if let Some(expected) = expected.filter(|expected| *expected != identity.uid) {
        return Err(DiscoverError::OtherCluster { expected: expected.to_owned(), found: identity.uid });
    }
    // What the lock would not be read with again must not get into it.
    let number = |text: &str| (1..6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let is_version = identity.minor.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor));
    if !identity.uid.bytes().all(|b| b.is_ascii_graphic()) || !is_version {
        let message = "the server says neither who it is nor its version: this is no API server";
        return Err(ClusterError::new(ErrorKind::BadAnswer, message).into());
    }
    Ok(identity)
}

/// Asks a cluster who it is, and for those of the wanted CRDs that it has.
///
/// # Errors
/// When it cannot be asked, or is another; then nothing is known of it.
pub(crate) async fn discover(
    cluster: &Cluster,
    wanted: &BTreeSet<&BaseName>,
    expected: Option<&str>,
) -> Result<DiscoveredCluster, DiscoverError> {
    let identity = known(cluster, expected).await?;
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut plurals = Vec::new();
    for name in wanted {
        match name {
            BaseName::Crd(name) => drop(asked.insert(name.clone())),
            BaseName::Plural(_) => plurals.push(*name),
        }
    }
    if !plurals.is_empty() {
        let there = crd_names(cluster).await?;
        for plural in plurals {
            asked.extend(there.iter().filter(|name| plural.is(name)).take(MAX_NAMESAKES).cloned());
        }
    }
    let found = try_join_all(asked.into_iter().map(|name| one(cluster, name))).await?;
    let (mut crds, mut going) = (BTreeMap::new(), BTreeMap::new());
    for Found { name, crd, cause } in found.into_iter().flatten() {
        going.extend(cause.map(|cause| (name.clone(), cause)));
        crds.insert(name, DiscoveredCrd::live(crd));
    }
    Ok(DiscoveredCluster {
        uid: Some(identity.uid),
        server: Some(identity.minor),
        crds,
        going,
        ..DiscoveredCluster::default()
    })
}

/// A CRD of a cluster.
struct Found {
    name: String,
    /// The CRD, stripped.
    crd: Value,
    /// What holds it, if it is being deleted.
    cause: Option<String>,
}

/// A CRD; `None` where the cluster does not have it.
async fn one(cluster: &Cluster, name: String) -> Result<Option<Found>, ClusterError> {
    let answer = match cluster.call(&ApiRequest::object(Resource::crds(), None, &name).at_most(MAX_CRD)).await {
        Ok(answer) => answer,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let is_it = text("/apiVersion") == "apiextensions.k8s.io/v1"
        && text("/kind") == "CustomResourceDefinition"
        && text("/metadata/name") == name;
    if !is_it {
        let message = format!("asked for the CRD `{name}`, the server answers with something else");
        return Err(ClusterError::new(ErrorKind::BadAnswer, message));
    }
    let cause = going::cause(cluster, &answer).await;
    Ok(Some(Found { name, crd: strip(&answer), cause }))
}

/// The names of all CRDs.
///
/// # Errors
/// When they cannot be listed.
pub(crate) async fn crd_names(cluster: &Cluster) -> Result<BTreeSet<String>, ClusterError> {
    let mut names = Names::default();
    cluster.list(&Selection::all(Resource::crds()).metadata_only(), &mut names).await?;
    Ok(names.0)
}

/// Names of CRDs. They become paths, so those that cannot be names are none.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl ListSink for Names {
    fn take(&mut self, object: Value) {
        let name = object.pointer("/metadata/name").and_then(Value::as_str);
        let name = name.filter(|name| name.contains('.') && names::dns_subdomain(name).is_ok());
        self.0.extend(name.map(str::to_owned));
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}
