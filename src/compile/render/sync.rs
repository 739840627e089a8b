//! The service account of sync in the management cluster, with the least permissions that it needs. It may not
//! give sync a permission to create copies in a namespace that no catalog selects; those in the service clusters are
//! in [`super::clusters`].
//!
//! Sync has one watch for each kind and not for each namespace, so it reads in the whole cluster. It creates by a Role
//! in each namespace, and changes and deletes what exists by a ClusterRole for the kinds, which are all made by
//! carrier: when a namespace is deleted its Roles go first, and without these permissions nobody could release the
//! finalizers of the instances in it. What every repository needs alike is in objects that all of them share; the rest
//! has the name of a service cluster, so that another cluster changes nothing of the first. What is still in the cluster
//! of a service that the repository no longer has is in the rules too ([`super::staying`]).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::View;
use super::manifest::{Collector, Draft};
use super::rbac::{self, READ};
use super::staying::StayingIn;
use crate::compile::load::Object;
use crate::model::cluster::ClusterId;
use crate::model::keys::{SYNC_ACCOUNT, SYNC_ROLE, SYSTEM_NAMESPACE};
use crate::model::kinds::ServiceClusterSpec;
use crate::model::kinds::table::{
    CATALOG_ENTRY, CATALOG_GROUP, CORE_GROUP, SERVICE_CLUSTER, SERVICE_CLUSTER_ASSIGNMENT,
};
use crate::model::object::Stage;
use crate::model::source::Span;

/// The service account: its namespace and name.
const ACCOUNT: (&str, &str) = (SYSTEM_NAMESPACE, SYNC_ACCOUNT);
/// The verbs for Leases: server-side apply, a watch of those of other replicas, and the deletion of those of
/// replicas that are gone.
const LEASES: &[&str] = &["create", "delete", "get", "list", "patch", "watch"];
/// The verbs for what is only watched.
const FOLLOW: &[&str] = &["list", "watch"];
/// The verbs for Events: server-side apply.
const APPLY: &[&str] = &["create", "patch"];

pub(super) fn render(view: &View<'_, '_>, out: &mut Collector) {
    // Without a service cluster there is nothing to copy.
    let Some(first) = view.resolved.clusters.values().next() else { return };
    shared(out, first.place("/metadata/name"));
    for (id, cluster) in &view.resolved.clusters {
        let place = cluster.place("/metadata/name");
        kinds(view, id, place, out);
        provider(view, id, cluster, place, out);
        let former = view.staying.of(id).into_iter().flat_map(StayingIn::former_tenants).map(|(tenant, _)| tenant);
        let tenants: BTreeSet<&str> = view.tenants_in(id).chain(former).collect();
        for tenant in tenants.into_iter().filter(|tenant| *tenant != id.provider) {
            let place = view.resolved.accounts.get(tenant).map(|account| account.place("/metadata/name"));
            role_in(out, tenant, id, creation(view, id, tenant), place);
        }
    }
}

/// A Role in a namespace for one service cluster.
fn role_in(out: &mut Collector, namespace: &str, id: &ClusterId, mut rules: Vec<Value>, place: Option<Span>) {
    rules.push(rbac::rule("", &["events"], APPLY));
    let name = format!("{SYNC_ROLE}:{}.{}", id.cluster, id.provider);
    rbac::service_account_role(out, Some(namespace), &name, rules, ACCOUNT, place);
}

/// What is the same in every repository; `plan::inventory` knows these objects by their names.
fn shared(out: &mut Collector, place: Span) {
    let place = Some(place);
    out.add(Stage::Namespaces, Draft::new("v1", "Namespace", None, SYSTEM_NAMESPACE), place);
    out.add(Stage::Rbac, Draft::new("v1", "ServiceAccount", Some(SYSTEM_NAMESPACE), SYNC_ACCOUNT), place);
    let rules = vec![
        // The UID of `kube-system` identifies the cluster. The deletion of a tenant's namespace has to be seen.
        rbac::rule("", &["namespaces"], READ),
        // A watch cannot be limited to several names.
        rbac::rule("apiextensions.k8s.io", &["customresourcedefinitions"], FOLLOW),
        rbac::rule(CATALOG_GROUP, &[CATALOG_ENTRY.plural], FOLLOW),
        rbac::rule(CORE_GROUP, &[SERVICE_CLUSTER.plural, SERVICE_CLUSTER_ASSIGNMENT.plural], FOLLOW),
    ];
    rbac::service_account_role(out, None, SYNC_ROLE, rules, ACCOUNT, place);
    let leases = vec![rbac::rule("coordination.k8s.io", &["leases"], LEASES)];
    rbac::service_account_role(out, Some(SYSTEM_NAMESPACE), SYNC_ROLE, leases, ACCOUNT, place);
}

/// The kinds of a cluster's services, also of those that no tenant is offered now: existing instances must still be
/// read, and their finalizers released.
fn kinds(view: &View<'_, '_>, id: &ClusterId, place: Span, out: &mut Collector) {
    let mut kinds: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let (tenant, internal) = (|| READ.iter().chain(&["patch"]), || READ.iter().chain(&["delete", "patch"]));
    for offer in view.within(id) {
        let route = &offer.built.route;
        kinds.entry((&route.tenant.group, &route.tenant.plural)).or_default().extend(tenant());
        if route.derives() {
            kinds.entry((&route.internal.group, &route.internal.plural)).or_default().extend(internal());
        }
    }
    if let Some(staying) = view.staying.of(id).map(|staying| &staying.kinds) {
        for (group, plural) in &staying.tenant {
            kinds.entry((group, plural)).or_default().extend(tenant());
        }
        for (group, plural) in &staying.internal {
            kinds.entry((group, plural)).or_default().extend(internal());
        }
    }
    if kinds.is_empty() {
        return;
    }
    let mut rules = Vec::new();
    for ((group, plural), verbs) in kinds {
        let verbs: Vec<&str> = verbs.into_iter().collect();
        rules.push(rbac::rule(group, &[plural], &verbs));
        rules.push(rbac::rule(group, &[&format!("{plural}/status")], &["patch"]));
    }
    // Not the name of the ClusterRole in the service cluster: both may be in one cluster.
    let name = format!("{SYNC_ROLE}-management:{}.{}", id.cluster, id.provider);
    rbac::service_account_role(out, None, &name, rules, ACCOUNT, Some(place));
}

/// In the provider's namespace: the kubeconfig of the cluster, its Secret by name, and the statuses. A provider may be a
/// tenant of its own services too.
fn provider(
    view: &View<'_, '_>,
    id: &ClusterId,
    cluster: &Object<ServiceClusterSpec>,
    place: Span,
    out: &mut Collector,
) {
    let status = |plural: &str| format!("{plural}/status");
    let mut rules = vec![
        rbac::named("", "secrets", &[&cluster.spec.kubeconfig_secret.name], READ),
        rbac::named(CORE_GROUP, &status(SERVICE_CLUSTER.plural), &[&id.cluster], &["patch"]),
        rbac::rule(CORE_GROUP, &[&status(SERVICE_CLUSTER_ASSIGNMENT.plural)], &["patch"]),
        rbac::rule(CATALOG_GROUP, &[&status(CATALOG_ENTRY.plural)], &["patch"]),
    ];
    rules.extend(creation(view, id, &id.provider));
    role_in(out, &id.provider, id, rules, Some(place));
}

/// In the namespace of a tenant: the creation of the internal objects.
fn creation(view: &View<'_, '_>, id: &ClusterId, tenant: &str) -> Vec<Value> {
    let routes = view.offered_in(id, tenant).map(|offer| &offer.built.route);
    let internal = routes.filter(|route| route.derives()).map(|route| &route.internal);
    let mut kinds: BTreeSet<(&str, &str)> = internal.map(|kind| (kind.group.as_str(), kind.plural.as_str())).collect();
    let staying = view.staying.of(id).and_then(|staying| staying.offered.get(tenant));
    kinds.extend(staying.into_iter().flat_map(|kinds| &kinds.internal).map(|(g, p)| (g.as_str(), p.as_str())));
    kinds.into_iter().map(|(group, plural)| rbac::rule(group, &[plural], &["create"])).collect()
}
