//! Drift: CRDs of service clusters that differ from what the repository is compiled from.

use serde_json::Value;

use super::candidates::{candidates, going, missing};
use super::snapshots::hash;
use super::strip;
use crate::compile::discovered::Discovered;
use crate::compile::resolve::Resolved;
use crate::model::cluster::ClusterId;
use crate::model::codes::cluster as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};

/// A CRD of a service cluster that differs from what was locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Drift {
    /// The service cluster.
    pub cluster: ClusterId,
    /// The CRD's full name.
    pub crd: String,
    /// The differences, one line each.
    pub lines: Vec<String>,
}

/// Compares the clusters with what was locked. Each difference is also a diagnostic at the line that refers to
/// the CRD; with `locked` it is an error. A CRD without a snapshot has not drifted: the compiler reports that
/// it was never locked. `lines` says how two CRDs differ, one line each.
#[must_use]
pub(crate) fn drift(
    resolved: &Resolved<'_>,
    discovered: &Discovered,
    seen: &Discovered,
    locked: bool,
    lines: impl Fn(&Value, &Value) -> Vec<String>,
) -> (Vec<Drift>, Diagnostics) {
    let mut list = Vec::new();
    let mut diagnostics = Diagnostics::default();
    for service in &resolved.services {
        let (id, base) = (&service.cluster, &service.base);
        let Some(cluster) = seen.clusters.get(id) else { continue };
        let names = candidates(&cluster.crds, &base.name, |name| discovered.crd(id, name).is_some());
        let [name] = names.as_slice() else {
            if names.is_empty() {
                let kept = discovered.crds(id).any(|(name, _)| base.name.is(name));
                diagnostics.push(missing(id, &base.name, base.place, kept).on(service.origin.id(), ""));
            }
            continue;
        };
        if let Some(cause) = cluster.going.get(*name) {
            diagnostics.push(going(id, name, base.place, cause).on(service.origin.id(), ""));
        }
        let (Some(old), crd) = (discovered.crd(id, name), &cluster.crds[*name]) else { continue };
        // A snapshot of an older version of carrier, or one written by hand, may be in another form.
        if hash(&strip(&old.body)) == hash(&crd.body) {
            continue;
        }
        let drift = Drift { cluster: id.clone(), crd: (*name).to_owned(), lines: lines(&old.body, &crd.body) };
        let message = format!("the service cluster `{id}` has another `{name}` than the one that was locked");
        let mut complaint =
            Diagnostic::new(&codes::DRIFT, base.place, message).help(codes::DRIFT.fix()).on(service.origin.id(), "");
        if let Some(place) = old.place {
            complaint = complaint.label(place, "what was locked");
        }
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

/// The number of lines of a difference that a diagnostic shows.
const SHOWN: usize = 5;
