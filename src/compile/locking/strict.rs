//! `--locked`: a lock that differs from what `carrier lock` would write is an error. Without the flag most
//! differences are warnings, since the repository compiles from what is locked. No cluster is asked here; if
//! clusters were asked, drift counts as a difference too.

use crate::model::codes::lock as codes;
use crate::model::codes::{Code, cluster};
use crate::model::diagnostic::{Diagnostic, Severity};

/// The codes that mean a stale lock, and how each is fixed.
static STALE: [(&Code, Fix); 8] = [
    (&cluster::DRIFT, Fix::Take),
    (&codes::NO_SNAPSHOT, Fix::Take),
    (&codes::NOT_LOCKED, Fix::Take),
    (&codes::SNAPSHOT_MISSING, Fix::Take),
    (&codes::HASH_DIFFERS, Fix::Take),
    (&codes::BAD_LOCK, Fix::Take),
    (&codes::NOT_RECORDED, Fix::Record),
    (&codes::UNUSED_SNAPSHOT, Fix::Remove),
];

/// How a stale lock is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fix {
    /// CRDs must be taken from the clusters or from files.
    Take,
    /// Namespaces must be recorded, which needs no cluster.
    Record,
    /// Unused CRDs must be removed.
    Remove,
}

/// Turns the diagnostics of a stale lock into errors. Returns the command that fixes it, without the program's
/// name; `None` if the lock is not stale.
pub(crate) fn strict(list: &mut [Diagnostic]) -> Option<&'static str> {
    let mut fixes = Vec::new();
    for (code, fix) in STALE {
        for diagnostic in list.iter_mut().filter(|d| d.code == code) {
            if diagnostic.severity != Severity::Error {
                diagnostic.severity = Severity::Error;
                diagnostic.notes.push("`--locked` makes this an error".to_owned());
            }
            fixes.push(fix);
        }
    }
    let has = |fix| fixes.contains(&fix);
    match (has(Fix::Take), has(Fix::Remove), has(Fix::Record)) {
        (true, true, _) => Some("lock --prune"),
        (true, false, _) => Some("lock"),
        (false, true, _) => Some("lock --offline --prune"),
        (false, false, true) => Some("lock --offline"),
        (false, false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_lock_is_an_error_and_nothing_else_is() {
        let warning = |code| Diagnostic::unplaced(code, "x");
        let other = &crate::model::codes::object::SIMILAR_GROUP;
        let mut list = [warning(&codes::UNUSED_SNAPSHOT), warning(&codes::NOT_RECORDED), warning(other)];
        assert_eq!(strict(&mut list), Some("lock --offline --prune"));
        assert_eq!(list.each_ref().map(|d| d.severity), [Severity::Error, Severity::Error, Severity::Warning]);
        assert_eq!(strict(&mut list[2..]), None);
        assert_eq!(strict(&mut list[1..]), Some("lock --offline"));
        assert_eq!(strict(&mut [warning(&codes::NOT_RECORDED), warning(&codes::NO_SNAPSHOT)]), Some("lock"));
    }
}
