//! Which CRDs of a cluster, or of files, a name in the repository can refer to.

use std::collections::BTreeMap;

use crate::compile::resolve::BaseName;
use crate::model::cluster::ClusterId;
use crate::model::codes::cluster as codes;
use crate::model::diagnostic::Diagnostic;
use crate::model::source::Span;

/// The names of the CRDs that `base` can refer to. If one of several is known already, only that one.
pub(super) fn candidates<'a, T>(
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

/// The diagnostic for a CRD that a cluster does not have. `kept` says whether there is a snapshot of it.
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

/// The diagnostic for a CRD that a cluster is deleting. `cause` is what holds it.
pub(super) fn going(id: &ClusterId, name: &str, place: Span, cause: &str) -> Diagnostic {
    Diagnostic::new(&codes::CRD_GOING, place, format!("the service cluster `{id}` is deleting the CRD `{name}`"))
        .help(codes::CRD_GOING.fix())
        .note(cause)
}
