//! Clusters and services: the CRD and the cluster of each entry.

use std::collections::{BTreeMap, BTreeSet};

use super::{Base, BaseName, Origin, Resolved, Service, exposures, names};
use crate::compile::load::Object;
use crate::model::cluster::ClusterId;
use crate::model::codes::reference as codes;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::keys::{CONTROLLED_BY, SERVICE_CLUSTER};
use crate::model::kinds::{AccountRole, CatalogEntrySetSpec, CatalogEntrySpec, Kind};
use crate::model::names as valid;
use crate::model::nearest::nearest;

/// A set's name is the value of a label.
const LONGEST_SET: usize = valid::LABEL_MAX;

/// Adds the service clusters whose provider exists and whose API groups are valid.
pub(super) fn clusters(resolved: &mut Resolved<'_>, diagnostics: &mut Diagnostics) {
    let loaded = resolved.loaded;
    for cluster in &loaded.service_clusters {
        let Some(provider) = provider_of(resolved, cluster, diagnostics) else { continue };
        let id = ClusterId::new(provider, cluster.name.as_str());
        if let Some(problem) = names::group_problem(&id, cluster.place("/metadata/name")) {
            diagnostics.push(problem.on(cluster.id(), "/metadata/name"));
            continue;
        }
        resolved.clusters.insert(id, cluster);
    }
    let written: BTreeSet<String> = loaded
        .service_clusters
        .iter()
        .map(|c| format!("{}/{}", c.namespace.as_deref().unwrap_or_default(), c.name))
        .collect();
    for (key, place) in &loaded.config_clusters {
        // A ServiceCluster with errors is reported already.
        let broken = key.split_once('/').is_some_and(|(p, c)| loaded.is_broken("ServiceCluster", Some(p), c));
        if broken || written.contains(key) {
            continue;
        }
        let message = format!("there is no ServiceCluster `{key}` in this repository");
        let diagnostic = Diagnostic::new(&codes::UNKNOWN_CLUSTER, *place, message);
        diagnostics.push(match nearest(key, written.iter().map(String::as_str)) {
            Some(near) => diagnostic.did_you_mean(near),
            None => diagnostic.help("remove it, or add the ServiceCluster to the repository"),
        });
    }
}

/// Adds one service for each set and selected cluster, and one for each entry written by hand.
pub(super) fn services(resolved: &mut Resolved<'_>, diagnostics: &mut Diagnostics) {
    let loaded = resolved.loaded;
    let mut services: Vec<Service<'_>> = Vec::new();
    for set in &loaded.catalog_entry_sets {
        if let Some(provider) = provider_of(resolved, set, diagnostics) {
            of_set(resolved, provider, set, &mut services, diagnostics);
        }
    }
    for entry in &loaded.catalog_entries {
        if let Some(provider) = provider_of(resolved, entry, diagnostics)
            && let Some(service) = of_entry(resolved, provider, entry, diagnostics)
        {
            services.push(service);
        }
    }
    services.sort_by(|a, b| (&a.cluster, &a.entry).cmp(&(&b.cluster, &b.entry)));
    // A set and an entry written by hand may produce the same name. Providers are separated by namespaces.
    let mut seen: BTreeMap<(String, String), Origin<'_>> = BTreeMap::new();
    services.retain(|service| {
        let key = (service.cluster.provider.clone(), service.entry.clone());
        let Some(first) = seen.get(&key) else {
            seen.insert(key, service.origin);
            return true;
        };
        let diagnostic = exported(service.origin, *first).or_else(|| exported(*first, service.origin));
        diagnostics.push(diagnostic.unwrap_or_else(|| {
            let message = format!("two CatalogEntries of `{}` would be called `{}`", key.0, key.1);
            Diagnostic::new(&codes::ENTRY_TWICE, service.origin.place("/metadata/name"), message)
                .label(first.place("/metadata/name"), "the other comes from here")
                .help("rename one of the two")
                .on(service.origin.id(), "/metadata/name")
        }));
        false
    });
    resolved.services = services;
}

/// The diagnostic for a CatalogEntry that the set has made, such as one exported from a cluster.
fn exported(entry: Origin<'_>, set: Origin<'_>) -> Option<Diagnostic> {
    let (Origin::Entry(entry), Origin::Set(set)) = (entry, set) else { return None };
    if entry.labels.get(CONTROLLED_BY) != Some(&set.name) {
        return None;
    }
    let message =
        format!("the CatalogEntrySet `{}` makes this CatalogEntry, as its label `{CONTROLLED_BY}` says", set.name);
    Some(
        entry
            .complain(&codes::ENTRY_TWICE, "/metadata/name", message)
            .label(set.place("/metadata/name"), "made from here")
            .help("remove the CatalogEntry: what the set makes does not belong in the repository"),
    )
}

fn of_set<'l>(
    resolved: &Resolved<'l>,
    provider: &'l str,
    set: &'l Object<CatalogEntrySetSpec>,
    services: &mut Vec<Service<'l>>,
    diagnostics: &mut Diagnostics,
) {
    if set.name.len() > LONGEST_SET {
        let message = format!(
            "`{}` has {} characters; the name of a set may have {LONGEST_SET}, since it becomes a label of its entries",
            set.name,
            set.name.len()
        );
        diagnostics.push(set.complain(&codes::NAME_TOO_LONG, "/metadata/name", message).help("choose a shorter name"));
        return;
    }
    let crd = &set.spec.discover.crd.name;
    let crd_place = set.place("/spec/discover/crd/name");
    if let Err(why) = valid::dns_subdomain(crd).map_err(|e| e.to_string()).and_then(|()| match crd.contains('.') {
        true => Ok(()),
        false => Err("it has no group".to_owned()),
    }) {
        let message = format!("`{crd}` cannot be the name of a CRD: {why}");
        let help = "write PLURAL.GROUP, as `kubectl get crds` prints it in the service cluster";
        diagnostics.push(set.complain(&codes::NOT_A_CRD_NAME, "/spec/discover/crd/name", message).help(help));
        return;
    }
    let exposure = set.spec.derive.as_ref().map(|d| exposures::exposure(d, &set.node, &set.id(), diagnostics));
    let selector = &set.spec.discover.service_cluster_selector;
    let mut selected = 0;
    for (id, cluster) in &resolved.clusters {
        if id.provider != provider || !selector.matches(&cluster.labels) {
            continue;
        }
        selected += 1;
        let mut labels = set.labels.clone();
        labels.insert(CONTROLLED_BY.to_owned(), set.name.clone());
        labels.insert(SERVICE_CLUSTER.to_owned(), id.cluster.clone());
        services.push(Service {
            entry: format!("{}.{}", set.name, id.cluster),
            cluster: id.clone(),
            labels,
            origin: Origin::Set(set),
            base: Base { name: BaseName::Crd(crd.clone()), place: crd_place },
            exposure: exposure.clone(),
        });
    }
    if selected == 0 {
        let own: Vec<String> = resolved
            .clusters
            .keys()
            .filter(|id| id.provider == provider)
            .map(|id| format!("`{}`", id.cluster))
            .collect();
        let broken = resolved.loaded.lacks("ServiceCluster");
        if !(broken && own.is_empty()) {
            let message = "the selector matches no service cluster, so nothing is offered".to_owned();
            let help = match own.is_empty() {
                true => format!("add a ServiceCluster to the namespace `{provider}`"),
                false => format!("`{provider}` has {}; `{{}}` selects all of them", own.join(", ")),
            };
            let at = "/spec/discover/serviceClusterSelector";
            diagnostics.push(set.complain(&codes::SELECTS_NOTHING, at, message).help(help));
        }
    }
}

fn of_entry<'l>(
    resolved: &Resolved<'l>,
    provider: &'l str,
    entry: &'l Object<CatalogEntrySpec>,
    diagnostics: &mut Diagnostics,
) -> Option<Service<'l>> {
    let name = &entry.spec.base_crd.name;
    let at = "/spec/baseCRD/name";
    // `<plural>.internal.<cluster>.<provider>`
    let parts: Vec<&str> = name.split('.').collect();
    let [plural, "internal", cluster, owner] = parts[..] else {
        let message = format!("`{name}` is not the name of an internal CRD");
        let help = format!(
            "write PLURAL.internal.CLUSTER.{provider}, or use a CatalogEntrySet, which names the CRD of the service cluster"
        );
        diagnostics.push(entry.complain(&codes::NOT_AN_INTERNAL_CRD, at, message).help(help));
        return None;
    };
    if let Err(why) = valid::dns_1035_label(plural) {
        let message = format!("`{name}` is not the name of an internal CRD: `{plural}` is no plural: {why}");
        let help = format!("write PLURAL.internal.{cluster}.{provider}");
        diagnostics.push(entry.complain(&codes::NOT_AN_INTERNAL_CRD, at, message).help(help));
        return None;
    }
    if owner != provider {
        let message = format!("`{name}` belongs to `{owner}`, and this entry to `{provider}`");
        let help = format!("a provider offers its own services only; write `{plural}.internal.{cluster}.{provider}`");
        diagnostics.push(entry.complain(&codes::FOREIGN_CRD, at, message).help(help));
        return None;
    }
    let id = ClusterId::new(provider, cluster);
    if !resolved.clusters.contains_key(&id) {
        if !resolved.loaded.is_broken("ServiceCluster", Some(provider), cluster) {
            let message = format!("`{provider}` has no ServiceCluster `{cluster}`");
            let known = resolved.clusters.keys().filter(|c| c.provider == provider).map(|c| c.cluster.as_str());
            let diagnostic = entry.complain(&codes::UNKNOWN_CLUSTER, at, message);
            diagnostics.push(match nearest(cluster, known) {
                Some(near) => diagnostic.did_you_mean(format_args!("{plural}.internal.{near}.{provider}")),
                None => diagnostic.help(format!("add the ServiceCluster `{cluster}` to the namespace `{provider}`")),
            });
        }
        return None;
    }
    let exposure = entry.spec.derive.as_ref().map(|d| exposures::exposure(d, &entry.node, &entry.id(), diagnostics));
    let mut labels = entry.labels.clone();
    labels.insert(SERVICE_CLUSTER.to_owned(), cluster.to_owned());
    Some(Service {
        cluster: id,
        entry: entry.name.clone(),
        labels,
        origin: Origin::Entry(entry),
        base: Base { name: BaseName::Plural(plural.to_owned()), place: entry.place(at) },
        exposure,
    })
}

/// The provider that owns the object's namespace; reports a namespace without one.
pub(super) fn provider_of<'l, S: Kind>(
    resolved: &Resolved<'l>,
    object: &'l Object<S>,
    diagnostics: &mut Diagnostics,
) -> Option<&'l str> {
    let namespace = object.namespace.as_deref()?;
    let at = match object.node.pointer("/metadata/namespace") {
        Some(_) => "/metadata/namespace",
        None => "/metadata/name",
    };
    let Some(account) = resolved.accounts.get(namespace) else {
        if !resolved.loaded.is_broken("Account", None, namespace) {
            let message = format!("there is no Account `{namespace}`, so nobody owns this namespace");
            let diagnostic = object.complain(&codes::UNKNOWN_ACCOUNT, at, message);
            diagnostics.push(match nearest(namespace, resolved.accounts.keys().copied()) {
                Some(near) => diagnostic.did_you_mean(near),
                None => diagnostic.help(format!("add an Account `{namespace}` with the role `Provider`")),
            });
        }
        return None;
    };
    if !account.spec.roles.contains(&AccountRole::Provider) {
        let message = format!("the account `{namespace}` is no provider, so it cannot have a {}", S::info().kind);
        let diagnostic = object
            .complain(&codes::NOT_A_PROVIDER, at, message)
            .label(account.place("/spec/roles"), "its roles")
            .help("add the role `Provider`, or move the object to a provider's namespace");
        diagnostics.push(diagnostic);
        return None;
    }
    Some(&account.name)
}
