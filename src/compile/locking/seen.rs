//! What clusters were seen to have when they were asked: who they are, and those
//! of their CRDs that the repository wants. Each cluster may have another form of
//! a CRD, and of a cluster that could not be asked nothing is known.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::compile::resolve::BaseName;
use crate::model::cluster::ClusterId;
use crate::model::codes::cluster as codes;
use crate::model::diagnostic::Diagnostic;
use crate::model::source::Span;

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// UID of the namespace `kube-system` of the management cluster, where it answered.
    pub management_uid: Option<String>,
    /// The service clusters that answered.
    pub clusters: BTreeMap<ClusterId, SeenCluster>,
}

/// One service cluster that answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeenCluster {
    /// UID of its namespace `kube-system`.
    pub uid: String,
    /// Its minor version, such as `1.37`.
    pub server: String,
    /// The wanted CRDs that it has, by name, stripped (`derivation.md` R12).
    pub crds: BTreeMap<String, Json>,
}

impl SeenCluster {
    /// The CRDs that a name can mean; the known one where that is among several.
    #[must_use]
    pub fn named(&self, base: &BaseName, is_known: impl Fn(&str) -> bool) -> Vec<&str> {
        named(&self.crds, base, is_known)
    }
}

/// The names of CRDs that `base` can mean; the known one where that is among several.
pub(super) fn named<'a, T>(
    crds: &'a BTreeMap<String, T>,
    base: &BaseName,
    is_known: impl Fn(&str) -> bool,
) -> Vec<&'a str> {
    match base {
        BaseName::Crd(name) => crds.get_key_value(name).map(|(name, _)| name.as_str()).into_iter().collect(),
        BaseName::Plural(_) => {
            let found: Vec<&str> = crds.keys().map(String::as_str).filter(|name| base.is(name)).collect();
            match found.iter().find(|name| is_known(name)) {
                Some(known) => vec![known],
                None => found,
            }
        }
    }
}

/// The complaint about a CRD that a cluster does not have. `kept` says whether there is a snapshot of it.
pub(super) fn missing(id: &ClusterId, base: &BaseName, place: Span, kept: bool) -> Diagnostic {
    let what = match base {
        BaseName::Crd(name) => format!("CRD `{name}`"),
        BaseName::Plural(plural) => format!("CRD with the plural `{plural}`"),
    };
    Diagnostic::new(&codes::NO_SUCH_CRD, place, format!("the service cluster `{id}` has no {what}"))
        .help(codes::NO_SUCH_CRD.fix())
        .note(match kept {
            true => "the snapshot of it stays, and is compiled from",
            false => "there is no snapshot of it either",
        })
}
