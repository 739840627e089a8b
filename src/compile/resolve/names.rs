//! Names that carrier builds, and names that Kubernetes reserves.

use super::Resolved;
use crate::model::cluster::ClusterId;
use crate::model::codes::reference as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::kinds::AccountRole;
use crate::model::kinds::table::{CATALOG_GROUP, CORE_GROUP, OPERATOR_GROUP};
use crate::model::namespace::{LONGEST_TENANT, is_system};
use crate::model::source::Span;

/// The API groups of KubeCarrier's own kinds.
const OUR_GROUPS: [&str; 3] = [CORE_GROUP, CATALOG_GROUP, OPERATOR_GROUP];

/// Reports accounts whose namespace cannot belong to them.
pub(super) fn accounts(resolved: &Resolved<'_>, diagnostics: &mut Diagnostics) {
    for (name, account) in &resolved.accounts {
        let mut complain = |code, message: String, help: &str| {
            diagnostics.push(account.complain(code, "/metadata/name", message).help(help));
        };
        if is_system(name) {
            let message =
                format!("the account `{name}` would own the namespace `{name}`, which belongs to the cluster");
            complain(&codes::RESERVED_NAMESPACE, message, "choose another name");
        }
        if account.spec.roles.contains(&AccountRole::Tenant) && name.len() > LONGEST_TENANT {
            let message = format!(
                "`{name}` has {} characters; a tenant's name may have {LONGEST_TENANT}, since its namespace in a service cluster is the name and six more",
                name.len()
            );
            complain(&codes::NAME_TOO_LONG, message, "choose a shorter name");
        }
    }
}

/// The problem with the API groups of a cluster, if there is one.
pub(super) fn group_problem(id: &ClusterId, place: Span) -> Option<Diagnostic> {
    let derived = format!("{}.{}", id.cluster, id.provider);
    let internal = format!("internal.{derived}");
    let protected =
        |group: &str| ["k8s.io", "kubernetes.io"].iter().any(|g| group == *g || group.ends_with(&format!(".{g}")));
    let why = if protected(&derived) {
        "Kubernetes keeps such groups for itself".to_owned()
    } else if OUR_GROUPS.contains(&derived.as_str()) || OUR_GROUPS.contains(&internal.as_str()) {
        "it is the group of KubeCarrier's own kinds".to_owned()
    } else {
        return None;
    };
    let message = format!("the cluster `{}` of `{}` makes the API group `{derived}`: {why}", id.cluster, id.provider);
    Some(Diagnostic::new(&codes::RESERVED_GROUP, place, message).help("rename the cluster or the provider's account"))
}
