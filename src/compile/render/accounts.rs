//! The objects of every account: the account itself, its namespace, its roles, and its Tenant objects with
//! every provider (`kubecarrier.md` §6.1, §6.3).

use super::View;
use super::manifest::{Cause, Collector, Draft};
use super::rbac::{self, READ, WRITE};
use crate::model::kinds::table::{
    CATALOG, CATALOG_ENTRY, CATALOG_ENTRY_SET, CATALOG_GROUP, CORE_GROUP, OFFERING, PROVIDER, REGION, SERVICE_CLUSTER,
    SERVICE_CLUSTER_ASSIGNMENT, TENANT,
};
use crate::model::kinds::{AccountRole, TenantSpec};
use crate::model::object::Stage;

/// The role of a provider in its own namespace, and its binding.
const PROVIDER_ROLE: &str = "kubecarrier:provider";
/// The role of a tenant in its own namespace, and its binding.
const TENANT_ROLE: &str = "kubecarrier:tenant";

pub(super) fn render(view: &View<'_, '_>, out: &mut Collector) {
    let resolved = view.resolved;
    for account in resolved.accounts.values() {
        let (name, place) = (account.name.as_str(), account.place("/metadata/name"));
        let object = Draft::of(None, name, &account.spec).labels(&account.labels).annotations(&account.annotations);
        out.add(Stage::Catalog, object, Cause::Source(place));
        out.add(Stage::Namespaces, Draft::new("v1", "Namespace", None, name), Cause::Product(place));
        let roles = Some(account.place("/spec/roles"));
        let mut role = |name: &str, rules| rbac::role(out, &account.name, name, rules, &account.spec.subjects, roles);
        if account.spec.is_provider() {
            role(PROVIDER_ROLE, provider_rules());
        }
        if account.spec.is_tenant() {
            role(TENANT_ROLE, tenant_rules());
        }
    }
    tenants(view, out);
}

/// The Secrets hold the kubeconfigs of the provider's service clusters. Assignments are read only: with write
/// access a provider could have the objects of any namespace copied to its own cluster.
fn provider_rules() -> Vec<serde_json::Value> {
    vec![
        rbac::rule("", &["secrets"], WRITE),
        rbac::rule(CORE_GROUP, &[SERVICE_CLUSTER.plural], WRITE),
        rbac::rule(CORE_GROUP, &[SERVICE_CLUSTER_ASSIGNMENT.plural], READ),
        rbac::rule(CATALOG_GROUP, &[CATALOG.plural, CATALOG_ENTRY.plural, CATALOG_ENTRY_SET.plural], WRITE),
        rbac::rule(CATALOG_GROUP, &[TENANT.plural], &["get", "list", "patch", "update", "watch"]),
    ]
}

fn tenant_rules() -> Vec<serde_json::Value> {
    vec![rbac::rule(CATALOG_GROUP, &[OFFERING.plural, PROVIDER.plural, REGION.plural], READ)]
}

/// Every provider sees every tenant, so that its catalogs can select it. An account with both roles is its own
/// tenant, as in KubeCarrier.
fn tenants(view: &View<'_, '_>, out: &mut Collector) {
    let written: std::collections::BTreeMap<_, _> =
        view.resolved.loaded.tenants.iter().map(|t| ((t.namespace.as_deref(), t.name.as_str()), t)).collect();
    for tenant in view.resolved.with_role(AccountRole::Tenant) {
        for provider in view.providers() {
            let mut object = Draft::of(Some(provider), tenant.name.as_str(), &TenantSpec {});
            let mut cause = Cause::Product(tenant.place("/metadata/name"));
            if let Some(written) = written.get(&(Some(provider), tenant.name.as_str())) {
                object = object.labels(&written.labels).annotations(&written.annotations);
                cause = Cause::Source(written.place("/metadata/name"));
            }
            out.add(Stage::Catalog, object, cause);
        }
    }
}
