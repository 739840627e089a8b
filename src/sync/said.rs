//! What the links say of clusters and namespaces, as the index has it. Pure.

use super::link::namespace::NamespaceState;
use super::link::verdict::Trust as LinkTrust;
use super::place::{TenantNamespace, Trust};

/// What may be believed of a cluster.
#[must_use]
pub(crate) fn trust(trust: &LinkTrust) -> Trust {
    match trust {
        LinkTrust::Pending => Trust::Unknown,
        LinkTrust::Trusted { .. } => Trust::Trusted,
        LinkTrust::Unreachable { message, .. } => {
            Trust::Unreachable(format!("the service cluster does not answer: {message}"))
        }
        LinkTrust::NoKubeconfig { message, .. } => {
            Trust::NoKubeconfig(format!("the service cluster has no usable kubeconfig: {message}"))
        }
        LinkTrust::IdentityChanged { pinned, found } => {
            Trust::IdentityChanged(format!("another cluster answers: its identity is {found}, and not {pinned}"))
        }
    }
}

/// What is known of a tenant's namespace.
#[must_use]
pub(crate) fn namespace_state(namespace: &str, state: NamespaceState) -> TenantNamespace {
    let said = |why: Option<String>| why.map(|why| format!(": {why}")).unwrap_or_default();
    match state {
        NamespaceState::Unknown(why) => TenantNamespace::Unknown(
            why.map(|why| format!("the namespace {namespace} in the service cluster could not be looked at: {why}")),
        ),
        NamespaceState::Missing(why) => {
            TenantNamespace::Missing(format!("the service cluster has no namespace {namespace}{}", said(why)))
        }
        NamespaceState::Ours | NamespaceState::OursUnmarked => TenantNamespace::Ours,
        NamespaceState::NotOurs { reason } => TenantNamespace::NotOurs(format!(
            "the namespace {namespace} in the service cluster is not the tenant's: {reason}"
        )),
        NamespaceState::Terminating => TenantNamespace::Terminating,
    }
}
