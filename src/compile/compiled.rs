//! The compiler as one function: what `check`, `render` and `fields` have in common.
//!
//! Loading stands outside, because everything else borrows from what it gives.

use super::build::{Built, build};
use super::discovered::Discovered;
use super::load::Loaded;
use super::load::snapshots;
use super::locking::{unrecorded, unused};
use super::render::{ManifestSet, render};
use super::resolve::{Resolved, resolve};
use crate::model::cluster::ClusterId;
use crate::model::codes::lock::{NOT_RECORDED, UNUSED_SNAPSHOT};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::namespace::service_namespace;
use crate::model::source::Sources;
use crate::yaml::apply_suppressions;

/// A repository, compiled.
#[derive(Debug)]
pub struct Compiled<'l> {
    /// What it means.
    pub resolved: Resolved<'l>,
    /// What is known of the service clusters.
    pub discovered: Discovered,
    /// The services with their CRDs.
    pub built: Vec<Built>,
}

/// Compiles what was loaded from `sources`. What is wrong with one object does
/// not keep out another.
#[must_use]
pub fn compile<'l>(loaded: &'l Loaded, sources: &Sources) -> (Compiled<'l>, Diagnostics) {
    let (resolved, mut diagnostics) = resolve(loaded);
    let (discovered, found) = snapshots::discovered(sources, &loaded.config);
    diagnostics.append(found);
    diagnostics.append(unused(&resolved, &discovered));
    diagnostics.append(unrecorded(&resolved, &discovered));
    let (built, found) = build(&resolved, &discovered);
    diagnostics.append(found);
    (Compiled { resolved, discovered, built }, diagnostics)
}

/// The diagnostics of all stages as they are shown: sorted, each once, without
/// those that a comment in the repository hides.
#[must_use]
pub fn shown(mut diagnostics: Diagnostics, loaded: &Loaded) -> Vec<Diagnostic> {
    // An object that is refused may be the one that uses it, and a broken lock may have recorded it.
    if diagnostics.has_errors() {
        diagnostics.retain(|d| d.code != &UNUSED_SNAPSHOT && d.code != &NOT_RECORDED);
    }
    apply_suppressions(diagnostics, &loaded.suppressions).into_sorted()
}

impl Compiled<'_> {
    /// The namespace of a tenant in a service cluster: the one it has, else the one it will get.
    #[must_use]
    pub fn namespace(&self, cluster: &ClusterId, tenant: &str) -> String {
        let lock = &self.discovered.lock;
        let locked = lock.clusters.get(cluster).and_then(|locked| locked.namespaces.get(tenant)).cloned();
        let uid = lock.management_uid(&self.resolved.loaded.config);
        locked.unwrap_or_else(|| service_namespace(uid, cluster, tenant))
    }

    /// The objects of all clusters.
    #[must_use]
    pub fn render(&self) -> ManifestSet {
        render(&self.resolved, &self.built, &self.discovered)
    }
}
