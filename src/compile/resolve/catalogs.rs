//! Tenants and catalogs: who is offered what.

use std::collections::BTreeSet;

use super::services::provider_of;
use super::{CatalogOffers, Resolved};
use crate::compile::load::Object;
use crate::model::codes::reference as codes;
use crate::model::diagnostic::Diagnostics;
use crate::model::kinds::{AccountRole, CatalogSpec};
use crate::model::nearest::nearest;

/// Adds the labels that providers give to tenants.
pub(super) fn tenants(resolved: &mut Resolved<'_>, diagnostics: &mut Diagnostics) {
    let loaded = resolved.loaded;
    for tenant in &loaded.tenants {
        let Some(provider) = provider_of(resolved, tenant, diagnostics) else { continue };
        let account = resolved.accounts.get(tenant.name.as_str());
        if account.is_some_and(|a| a.spec.roles.contains(&AccountRole::Tenant)) {
            resolved.tenant_labels.insert((provider, tenant.name.as_str()), &tenant.labels);
            continue;
        }
        if loaded.is_broken("Account", None, &tenant.name) {
            continue;
        }
        let known = resolved.with_role(AccountRole::Tenant).map(|a| a.name.as_str());
        let complain = |message| tenant.complain(&codes::NOT_A_TENANT, "/metadata/name", message);
        diagnostics.push(match (account, nearest(&tenant.name, known)) {
            (Some(account), _) => complain(format!("the account `{}` is no tenant", tenant.name))
                .label(account.place("/spec/roles"), "its roles")
                .help("add the role `Tenant` to the account, or remove this object"),
            (None, Some(near)) => complain(format!("there is no Account `{}`", tenant.name)).did_you_mean(near),
            (None, None) => complain(format!("there is no Account `{}`", tenant.name))
                .help(format!("add an Account `{}` with the role `Tenant`", tenant.name)),
        });
    }
}

/// Evaluates every catalog's selectors.
pub(super) fn catalogs(resolved: &mut Resolved<'_>, diagnostics: &mut Diagnostics) {
    let loaded = resolved.loaded;
    let mut offers = Vec::new();
    for catalog in &loaded.catalogs {
        if let Some(provider) = provider_of(resolved, catalog, diagnostics) {
            offers.push(evaluate(resolved, provider, catalog, diagnostics));
        }
    }
    // It is fine to offer a set in some clusters only. It is reported if no cluster offers it.
    let mut told: BTreeSet<String> = offers
        .iter()
        .flat_map(|o: &CatalogOffers<'_>| o.services.iter().map(|index| resolved.services[*index].origin.id()))
        .collect();
    for service in &resolved.services {
        if !told.insert(service.origin.id()) {
            continue;
        }
        let provider = &service.cluster.provider;
        // A catalog with errors may be the one that selects it.
        if loaded.lacks("Catalog") || loaded.catalogs.len() > offers.len() {
            continue;
        }
        let message = "no catalog selects this service, so nobody is offered it".to_owned();
        let help = format!("add a Catalog to the namespace `{provider}`, or widen the `catalogEntrySelector` of one");
        let place = service.origin.place("/metadata/name");
        let diagnostic = crate::model::diagnostic::Diagnostic::new(&codes::NOT_OFFERED, place, message)
            .help(help)
            .on(service.origin.id(), "/metadata/name");
        diagnostics.push(diagnostic);
    }
    resolved.catalogs = offers;
}

fn evaluate<'l>(
    resolved: &Resolved<'l>,
    provider: &'l str,
    catalog: &'l Object<CatalogSpec>,
    diagnostics: &mut Diagnostics,
) -> CatalogOffers<'l> {
    let no_labels = std::collections::BTreeMap::new();
    // Absent selects nothing, empty selects everything (kubecarrier.md §1.1).
    let tenants: BTreeSet<&str> = match &catalog.spec.tenant_selector {
        None => BTreeSet::new(),
        Some(selector) => resolved
            .with_role(AccountRole::Tenant)
            .map(|a| a.name.as_str())
            .filter(|t| selector.matches(resolved.tenant_labels.get(&(provider, *t)).copied().unwrap_or(&no_labels)))
            .collect(),
    };
    let in_cluster = |service: &super::Service<'_>| match &catalog.spec.service_cluster_selector {
        None => true,
        Some(selector) => resolved.clusters.get(&service.cluster).is_some_and(|c| selector.matches(&c.labels)),
    };
    let services: BTreeSet<usize> = match &catalog.spec.catalog_entry_selector {
        None => BTreeSet::new(),
        Some(selector) => resolved
            .services
            .iter()
            .enumerate()
            .filter(|(_, s)| s.cluster.provider == provider && selector.matches(&s.labels) && in_cluster(s))
            .map(|(index, _)| index)
            .collect(),
    };
    let loaded = resolved.loaded;
    let own = |namespace: &Option<String>| namespace.as_deref() == Some(provider);
    // Sets and entries without a service are reported already.
    let barren = !resolved.services.iter().any(|s| s.cluster.provider == provider)
        && (loaded.catalog_entry_sets.iter().any(|s| own(&s.namespace))
            || loaded.catalog_entries.iter().any(|e| own(&e.namespace)));
    let excused = [
        loaded.lacks("Account") || loaded.lacks("Tenant"),
        barren || ["CatalogEntry", "CatalogEntrySet", "ServiceCluster"].iter().any(|kind| loaded.lacks(kind)),
    ];
    for (empty, excused, field, what, absent) in [
        (tenants.is_empty(), excused[0], "tenantSelector", "tenant", catalog.spec.tenant_selector.is_none()),
        (
            services.is_empty(),
            excused[1],
            "catalogEntrySelector",
            "service",
            catalog.spec.catalog_entry_selector.is_none(),
        ),
    ] {
        if !empty || excused && !absent {
            continue;
        }
        // No selector can match a service if there is none.
        if what == "service" && !absent && !resolved.services.iter().any(|s| s.cluster.provider == provider) {
            continue;
        }
        let (message, help) = match absent {
            true => (
                format!("the catalog has no `{field}`, so it selects no {what}"),
                format!("add `{field}: {{}}` to select every one"),
            ),
            false => (
                format!("`{field}` matches no {what}"),
                format!("compare it with the labels of the {what}s; `{{}}` selects every one"),
            ),
        };
        let at = format!("/spec/{field}");
        diagnostics.push(catalog.complain(&codes::SELECTS_NOTHING, &at, message).help(help));
    }
    CatalogOffers { catalog, tenants, services }
}
