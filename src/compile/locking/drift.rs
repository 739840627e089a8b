//! Drift: CRDs of service clusters that are not what the repository is compiled
//! from, for `plan` to say.

use super::difference::difference;
use super::seen::{self, Seen};
use crate::compile::discovered::Discovered;
use crate::compile::load::snapshots::hash;
use crate::compile::load::strip;
use crate::compile::resolve::Resolved;
use crate::model::cluster::ClusterId;
use crate::model::codes::cluster as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};

/// A CRD of a service cluster that is not what was locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    /// The service cluster.
    pub cluster: ClusterId,
    /// The CRD's full name.
    pub crd: String,
    /// The differences, one line each.
    pub lines: Vec<String>,
}

/// What the clusters have that is not what was locked, and the complaints about it, each at the line
/// that wants the CRD; with `locked` they are errors. A CRD of which there is no snapshot has not
/// drifted: compiling says that it was never locked.
#[must_use]
pub fn drift(resolved: &Resolved<'_>, discovered: &Discovered, seen: &Seen, locked: bool) -> (Vec<Drift>, Diagnostics) {
    let mut list = Vec::new();
    let mut diagnostics = Diagnostics::default();
    for service in &resolved.services {
        let (id, base) = (&service.cluster, &service.base);
        let Some(cluster) = seen.clusters.get(id) else { continue };
        let names = cluster.named(&base.name, |name| discovered.by_name(id, name).is_some());
        let [name] = names.as_slice() else {
            if names.is_empty() {
                let kept = discovered.crds.get(id).into_iter().flatten().any(|(name, _)| base.name.is(name));
                diagnostics.push(seen::missing(id, &base.name, base.place, kept).on(service.origin.id(), ""));
            }
            continue;
        };
        let (Some(old), crd) = (discovered.by_name(id, name), &cluster.crds[*name]) else { continue };
        // A snapshot that an older carrier wrote, or a person, may be in another form.
        if hash(&strip(&old.crd)) == hash(crd) {
            continue;
        }
        let drift = Drift { cluster: id.clone(), crd: (*name).to_owned(), lines: difference(&old.crd, crd) };
        let message = format!("the service cluster `{id}` has another `{name}` than the one that was locked");
        let mut complaint = Diagnostic::new(&codes::DRIFT, base.place, message)
            .label(old.place, "what was locked")
            .help(codes::DRIFT.fix())
            .on(service.origin.id(), "");
        for line in drift.lines.iter().take(SHOWN) {
            complaint.notes.push(line.clone());
        }
        if drift.lines.len() > SHOWN {
            complaint.notes.push(format!("and {} more", drift.lines.len() - SHOWN));
        }
        if locked {
            complaint.severity = Severity::Error;
        }
        diagnostics.push(complaint);
        // Two services may be made of one CRD.
        if !list.contains(&drift) {
            list.push(drift);
        }
    }
    list.sort();
    (list, diagnostics)
}

/// So many lines of a difference are shown with a complaint.
const SHOWN: usize = 5;
