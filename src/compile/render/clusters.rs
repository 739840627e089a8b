//! The objects of a service cluster: the namespaces of its tenants, and a service account for sync with the
//! least permissions that it needs.

use std::collections::BTreeSet;

use super::manifest::{Collector, Draft, Manifest, keys};
use super::rbac::{self, READ};
use super::staying::{GroupPlural, StayingIn, crd_name};
use super::{Offer, View};
use crate::model::cluster::ClusterId;
use crate::model::keys::{MANAGEMENT_CLUSTER, PROVIDER, SERVICE_CLUSTER, SYNC_ROLE, SYSTEM_NAMESPACE, TENANT};
use crate::model::names::label_value;
use crate::model::object::Stage;

/// The namespace whose UID identifies the cluster.
const KUBE_SYSTEM: &str = "kube-system";
/// The verbs with which sync writes instances in the service cluster: server-side apply, and deletion. It reads
/// them by the ClusterRole, and their statuses with them.
const COPY: &[&str] = &["create", "delete", "patch"];

/// The objects of one service cluster.
pub(super) fn render(view: &View<'_, '_>, id: &ClusterId) -> Vec<Manifest> {
    let mut out = Collector::default();
    let origin = view.resolved.clusters.get(id).map(|c| c.place("/metadata/name"));
    // The name includes the cluster: two ServiceClusters of a provider may be one physical cluster.
    let account = format!("carrier-{}.{}", id.cluster, id.provider);

    // Several providers may share a cluster; each writes the same namespace.
    out.add(Stage::Namespaces, Draft::new("v1", "Namespace", None, SYSTEM_NAMESPACE), origin);
    out.add(Stage::Rbac, Draft::new("v1", "ServiceAccount", Some(SYSTEM_NAMESPACE), account.as_str()), origin);

    let here = || view.within(id).iter();
    let tenants: Vec<&str> = view.tenants_in(id).collect();
    // Includes services that no tenant is offered now: existing instances must still be read.
    let mut offered: BTreeSet<Resource<'_>> = here().map(Resource::of).collect();
    let staying = view.staying.of(id);
    let staying_bases = || staying.into_iter().flat_map(|staying| &staying.kinds.base);
    offered.extend(staying_bases().map(Resource::staying));

    // Sync reads the labels of a tenant's namespace, which name the owner, before it writes there. A Role in that namespace
    // would go with it, and sync could not tell then that the namespace is being deleted, or is absent.
    let tenants_namespaces = tenants.iter().map(|tenant| view.discovered.namespace(id, tenant));
    let staying_namespaces = staying.into_iter().flat_map(|staying| &staying.namespaces).cloned();
    let namespaces: BTreeSet<String> =
        tenants_namespaces.chain([KUBE_SYSTEM.to_owned()]).chain(staying_namespaces).collect();
    let namespaces: Vec<&str> = namespaces.iter().map(String::as_str).collect();
    let mut rules = vec![rbac::named("", "namespaces", &namespaces, &["get"])];
    let crds = here().map(|offer| offer.built.source.name.clone());
    let crds: BTreeSet<String> = crds.chain(staying_bases().map(crd_name)).collect();
    if !crds.is_empty() {
        let names: Vec<&str> = crds.iter().map(String::as_str).collect();
        rules.push(rbac::named("apiextensions.k8s.io", "customresourcedefinitions", &names, &["get"]));
    }
    // Sync has one watch for each kind and not for each namespace, so the rule is cluster-wide.
    rules.extend(offered.iter().map(|r| rbac::rule(r.group, &[r.plural], READ)));
    let name = rbac::role_name(&format!("{SYNC_ROLE}:{}.{}", id.cluster, id.provider));
    rbac::service_account_role(&mut out, None, &name, rules, (SYSTEM_NAMESPACE, &account), origin);

    for tenant in &tenants {
        self::tenant(view, id, tenant, &account, &mut out);
    }
    let former = staying.into_iter().flat_map(StayingIn::former_tenants);
    for (tenant, namespace) in former.filter(|(tenant, _)| !tenants.contains(tenant)) {
        role(view, id, (tenant, namespace), &account, &mut out);
    }
    out.into_sorted()
}

fn tenant(view: &View<'_, '_>, id: &ClusterId, tenant: &str, account: &str, out: &mut Collector) {
    let origin = view.resolved.accounts.get(tenant).map(|a| a.place("/metadata/name"));
    let namespace = view.discovered.namespace(id, tenant);
    let mut labels = keys([(PROVIDER, id.provider.as_str()), (SERVICE_CLUSTER, id.cluster.as_str()), (TENANT, tenant)]);
    if let Some(uid) = view.discovered.management_uid.as_deref().filter(|uid| label_value(uid).is_ok()) {
        labels.insert(MANAGEMENT_CLUSTER.to_owned(), uid.to_owned());
    }
    out.add(Stage::Namespaces, Draft::new("v1", "Namespace", None, namespace.as_str()).labels(&labels), origin);
    role(view, id, (tenant, &namespace), account, out);
}

/// What sync may do in the namespace of a tenant.
fn role(view: &View<'_, '_>, id: &ClusterId, (tenant, namespace): (&str, &str), account: &str, out: &mut Collector) {
    let origin = view.resolved.accounts.get(tenant).map(|a| a.place("/metadata/name"));
    let mut resources: BTreeSet<Resource<'_>> = view.offered_in(id, tenant).map(Resource::of).collect();
    let staying = view.staying.of(id).and_then(|staying| staying.offered.get(tenant));
    resources.extend(staying.into_iter().flat_map(|kinds| &kinds.base).map(Resource::staying));
    // Here too: a tenant that leaves the repository keeps its namespace, and leaves the ClusterRole.
    let mut rules = vec![rbac::named("", "namespaces", &[namespace], &["get"])];
    rules.extend(resources.iter().map(|resource| rbac::rule(resource.group, &[resource.plural], COPY)));
    rbac::service_account_role(out, Some(namespace), SYNC_ROLE, rules, (SYSTEM_NAMESPACE, account), origin);
}

/// A resource of the service cluster.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Resource<'a> {
    group: &'a str,
    plural: &'a str,
}

impl<'a> Resource<'a> {
    fn of(offer: &Offer<'a, '_>) -> Self {
        Self { group: &offer.built.source.group, plural: &offer.built.source.plural }
    }

    fn staying((group, plural): &'a GroupPlural) -> Self {
        Self { group, plural }
    }
}
