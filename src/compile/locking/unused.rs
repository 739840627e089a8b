//! Snapshots that no service uses.

use super::Locked;
use crate::compile::resolve::{BaseName, Resolved};
use crate::model::cluster::ClusterId;
use crate::model::codes::lock as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics};

/// Reports snapshots that no service uses: of clusters that are not in the repository, or of CRDs that nothing
/// refers to. Only correct for a repository without errors: an object with errors may refer to one.
#[must_use]
pub(crate) fn unused(resolved: &Resolved<'_>, locked: &Locked) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    for (id, name) in orphans(resolved, locked) {
        let Some(place) = locked.discovered.crd(id, name).and_then(|crd| crd.place) else { continue };
        let message = match resolved.clusters.contains_key(id) {
            true => format!("nothing offers `{name}` from the cluster `{id}`"),
            false => format!("there is no ServiceCluster `{id}`, so nothing uses this snapshot"),
        };
        diagnostics.push(Diagnostic::new(&codes::UNUSED_SNAPSHOT, place, message).help(codes::UNUSED_SNAPSHOT.fix()));
    }
    diagnostics
}

/// The CRDs in the snapshots and in the lock that no service uses.
pub(crate) fn orphans<'d>(resolved: &Resolved<'_>, locked: &'d Locked) -> Vec<(&'d ClusterId, &'d str)> {
    let wanted = resolved.wanted();
    let is_wanted = |id: &ClusterId, name: &str| {
        wanted.get(id).is_some_and(|names| {
            names.keys().any(|base| match base {
                BaseName::Crd(crd) => crd == name,
                BaseName::Plural(plural) => name.split_once('.').is_some_and(|(p, _)| p == plural),
            })
        }) || selects_nothing(resolved, id, name)
    };
    let known = locked.discovered.clusters.iter();
    let files = known.flat_map(|(id, known)| known.crds.keys().map(move |name| (id, name.as_str())));
    let lock = locked.lock().clusters.iter();
    let hashes = lock.flat_map(|(id, cluster)| cluster.crds.keys().map(move |name| (id, name.as_str())));
    let mut found: Vec<(&ClusterId, &str)> = files.chain(hashes).filter(|(id, name)| !is_wanted(id, name)).collect();
    found.sort();
    found.dedup();
    found
}

/// Whether a CatalogEntrySet offers the CRD and selects no cluster. That is reported as a mistake, so the CRD
/// is still in use.
fn selects_nothing(resolved: &Resolved<'_>, id: &ClusterId, crd: &str) -> bool {
    let sets = &resolved.loaded.catalog_entry_sets;
    resolved.clusters.contains_key(id)
        && sets.iter().any(|set| {
            set.spec.discover.crd.name == crd
                && set.namespace.as_deref() == Some(&id.provider)
                && !resolved.services.iter().any(|s| s.origin.id() == set.id())
        })
}
