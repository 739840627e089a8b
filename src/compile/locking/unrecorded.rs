//! Tenants whose namespaces are not recorded in the lock.

use std::collections::BTreeMap;

use crate::compile::resolve::Resolved;
use crate::model::cluster::ClusterId;
use crate::model::codes::lock as codes;
use crate::model::diagnostic::Diagnostics;
use crate::model::lock::Lock;

/// Reports tenants whose namespaces are missing in a lock of a cluster, at their account, with the first of the
/// clusters. The names of these namespaces could still change.
#[must_use]
pub(crate) fn unrecorded(resolved: &Resolved<'_>, lock: &Lock) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    if lock.is_blank() {
        return diagnostics;
    }
    let mut missing: BTreeMap<&str, Vec<&ClusterId>> = BTreeMap::new();
    for (id, tenants) in resolved.assignments() {
        let recorded = lock.clusters.get(id).map(|c| &c.namespaces);
        for tenant in tenants {
            if !recorded.is_some_and(|names| names.contains_key(tenant)) {
                missing.entry(tenant).or_default().push(id);
            }
        }
    }
    for (tenant, clusters) in missing {
        let Some(account) = resolved.accounts.get(tenant) else { continue };
        let others = match clusters.len() - 1 {
            0 => String::new(),
            1 => " and one more cluster".to_owned(),
            n => format!(" and {n} more clusters"),
        };
        let message =
            format!("the namespace of `{tenant}` in `{}`{others} is not recorded in `carrier.lock`", clusters[0]);
        diagnostics
            .push(account.complain(&codes::NOT_RECORDED, "/metadata/name", message).help(codes::NOT_RECORDED.fix()));
    }
    diagnostics
}
