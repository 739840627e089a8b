//! The rows of the table for one repository and one cluster.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::permission::{Permission, Task};
use super::table::{Clusters, Objects, TABLE};
use crate::compile::Compiled;
use crate::compile::render::{Manifest, ManifestSet};
use crate::compile::resolve::BaseName;
use crate::model::cluster::{ClusterId, Target};
use crate::model::config::{ClusterAccess, KubeconfigSource};
use crate::model::keys::SYSTEM_NAMESPACE;
use crate::model::kinds::table::KINDS;
use crate::model::resource::Resource;

const RBAC: &str = "rbac.authorization.k8s.io";
const APIEXTENSIONS: &str = "apiextensions.k8s.io";
const CRDS: &str = "customresourcedefinitions";

/// The group of the temporary CRDs against which instances are validated. It is fixed, so that an RBAC rule
/// can name it.
pub(crate) const TRIALS: &str = "trial.kubecarrier.io";

/// A permission that carrier needs in a cluster, and what is as good as it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    /// The permission, which is also what [`super::grant`] grants if the need is not met.
    pub permission: Permission,
    /// Permissions that meet the need together; empty if there are none. Roles in every namespace concerned
    /// are as good as a ClusterRole, and an account that holds what it grants does not need `escalate`.
    pub alternative: BTreeSet<Permission>,
    /// The tasks that need it.
    pub tasks: BTreeSet<Task>,
}

/// What carrier needs for these tasks in one cluster of a repository.
#[must_use]
pub(crate) fn needs(target: &Target, compiled: &Compiled<'_>, manifests: &ManifestSet, tasks: &[Task]) -> Vec<Need> {
    let nothing = Vec::new();
    let rendered = match target {
        Target::Management => &manifests.management,
        Target::Service(id) => manifests.clusters.get(id).unwrap_or(&nothing),
    };
    let mut found: BTreeMap<Permission, Need> = BTreeMap::new();
    for row in TABLE {
        let applies = match target {
            Target::Management => row.clusters != Clusters::Service,
            Target::Service(_) => row.clusters != Clusters::Management,
        };
        let tasks: BTreeSet<Task> = row.tasks.iter().copied().filter(|task| tasks.contains(task)).collect();
        if !applies || tasks.is_empty() {
            continue;
        }
        for verb in row.verbs {
            for (permission, alternative) in expand(row.objects, verb, target, compiled, rendered) {
                let need = Need { permission: permission.clone(), alternative, tasks: BTreeSet::new() };
                found.entry(permission).or_insert(need).tasks.extend(&tasks);
            }
        }
    }
    found.into_values().collect()
}

/// Permissions, each with its alternative: [`Need::alternative`].
type Expanded = Vec<(Permission, BTreeSet<Permission>)>;

/// The permissions for one verb of a row.
fn expand(objects: Objects, verb: &str, target: &Target, compiled: &Compiled<'_>, rendered: &[Manifest]) -> Expanded {
    let all = |resource: &Resource| Permission::all(verb, &resource.group, &resource.plural);
    let plain = |list: Vec<Permission>| list.into_iter().map(|permission| (permission, BTreeSet::new())).collect();
    match objects {
        Objects::KubeSystem => plain(vec![Permission::all(verb, "", "namespaces").named("kube-system")]),
        Objects::Secrets => plain(secrets(verb, compiled)),
        Objects::BaseCrds => plain(base_crds(verb, target, compiled)),
        Objects::Kinds => plain(kinds(target).into_iter().map(all).collect()),
        Objects::Plurals => plain(plurals(verb, target, compiled)),
        Objects::Trials => plain(vec![Permission::all(verb, TRIALS, "*")]),
        Objects::Crds => plain(vec![Permission::all(verb, APIEXTENSIONS, CRDS)]),
        Objects::Inventory => plain(vec![Permission::all(verb, "", "configmaps").within(SYSTEM_NAMESPACE)]),
        Objects::Instances => plain(instances(target, compiled).iter().map(all).collect()),
        Objects::Rendered => {
            let mut namespaces: BTreeMap<&Resource, BTreeSet<&str>> = BTreeMap::new();
            for manifest in rendered {
                if let Some(resource) = Resource::of(&manifest.id) {
                    namespaces.entry(resource).or_default().extend(manifest.id.namespace.as_deref());
                }
            }
            let entry = |(resource, namespaces): (&Resource, BTreeSet<&str>)| {
                let permission = all(resource);
                let alternative = namespaces.into_iter().map(|n| permission.clone().within(n)).collect();
                (permission, alternative)
            };
            namespaces.into_iter().map(entry).collect()
        }
        Objects::Escalation | Objects::Binding => {
            let present: BTreeSet<&str> = rendered.iter().map(|m| m.id.kind.as_str()).collect();
            ["ClusterRole", "Role"]
                .into_iter()
                .filter(|kind| present.contains(kind))
                .map(|kind| {
                    let plural = if kind == "Role" { "roles" } else { "clusterroles" };
                    (Permission::all(verb, RBAC, plural), granted_by(kind, rendered))
                })
                .collect()
        }
    }
}

/// The kinds that carrier writes in a cluster, also those that the repository has no objects of now: objects of
/// an earlier state of the repository have to be found.
#[must_use]
pub(crate) fn kinds(target: &Target) -> Vec<&'static Resource> {
    let ours = |r: &Resource| KINDS.iter().any(|info| info.kind == r.kind && info.group == r.group);
    let both = ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];
    let wanted = |r: &&Resource| {
        both.contains(&r.kind.as_str()) || *target == Target::Management && (ours(r) || r.plural == CRDS)
    };
    Resource::rendered().iter().filter(wanted).collect()
}

/// What a trial of a schema needs in the management cluster.
#[must_use]
pub(crate) fn trial() -> Vec<Permission> {
    let rows = TABLE.iter().filter(|row| row.tasks.contains(&Task::Trial));
    let permissions = rows.flat_map(|row| {
        row.verbs.iter().filter_map(|verb| match row.objects {
            Objects::Crds => Some(Permission::all(verb, APIEXTENSIONS, CRDS)),
            Objects::Trials => Some(Permission::all(verb, TRIALS, "*")),
            _ => None,
        })
    });
    permissions.collect()
}

/// Whether the kubeconfig of a service cluster is in the Secret that its ServiceCluster names.
fn is_in_secret(id: &ClusterId, compiled: &Compiled<'_>) -> bool {
    let access = compiled.resolved.loaded.config.service_clusters.get(&id.to_string());
    access.map_or(Some(KubeconfigSource::Secret), ClusterAccess::source) == Some(KubeconfigSource::Secret)
}

fn secrets(verb: &str, compiled: &Compiled<'_>) -> Vec<Permission> {
    let clusters = compiled.resolved.clusters.iter().filter(|(id, _)| is_in_secret(id, compiled));
    let secret = |(id, cluster): (&ClusterId, &&crate::compile::load::Object<_>)| {
        let spec: &crate::model::kinds::ServiceClusterSpec = &cluster.spec;
        Permission::all(verb, "", "secrets").within(&id.provider).named(&spec.kubeconfig_secret.name)
    };
    clusters.map(secret).collect()
}

fn base_crds(verb: &str, target: &Target, compiled: &Compiled<'_>) -> Vec<Permission> {
    let Target::Service(id) = target else { return Vec::new() };
    let wanted = compiled.resolved.wanted();
    let names = wanted.get(id).into_iter().flat_map(BTreeMap::keys);
    let mut list: Vec<Permission> = Vec::new();
    for name in names {
        match name {
            BaseName::Crd(name) => list.push(Permission::all(verb, APIEXTENSIONS, CRDS).named(name)),
            // Only a snapshot says which CRD has this plural.
            BaseName::Plural(plural) => {
                let known = compiled.discovered.by_plural(id, plural);
                list.extend(known.map(|(name, _)| Permission::all(verb, APIEXTENSIONS, CRDS).named(name)));
            }
        }
    }
    list
}

fn plurals(verb: &str, target: &Target, compiled: &Compiled<'_>) -> Vec<Permission> {
    let Target::Service(id) = target else { return Vec::new() };
    let wanted = compiled.resolved.wanted();
    let mut names = wanted.get(id).into_iter().flat_map(BTreeMap::keys);
    let by_plural = names.any(|name| matches!(name, BaseName::Plural(_)));
    by_plural.then(|| Permission::all(verb, APIEXTENSIONS, CRDS)).into_iter().collect()
}

/// The kinds of the services' instances in a cluster.
fn instances(target: &Target, compiled: &Compiled<'_>) -> BTreeSet<Resource> {
    let mut list = BTreeSet::new();
    for built in &compiled.built {
        let Some(service) = compiled.resolved.services.get(built.service) else { continue };
        match target {
            Target::Management => list.extend([built.route.internal.clone(), built.route.tenant.clone()]),
            Target::Service(id) if service.cluster == *id => {
                list.insert(built.route.base.clone());
            }
            Target::Service(_) => {}
        }
    }
    list
}

/// Every permission that the rendered objects of a kind of role grant, each in the namespace of its role.
fn granted_by(kind: &str, rendered: &[Manifest]) -> BTreeSet<Permission> {
    let mut list = BTreeSet::new();
    let texts = |rule: &Value, key: &str| -> Vec<String> {
        let items = rule.get(key).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    for manifest in rendered.iter().filter(|m| m.id.kind == kind) {
        for rule in manifest.body.get("rules").and_then(Value::as_array).into_iter().flatten() {
            let names = texts(rule, "resourceNames");
            let names = if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
            for group in texts(rule, "apiGroups") {
                for resource in texts(rule, "resources") {
                    for verb in texts(rule, "verbs") {
                        let permission = Permission::all(&verb, &group, &resource);
                        let of = |name: &Option<String>| Permission {
                            name: name.clone(),
                            namespace: manifest.id.namespace.clone(),
                            ..permission.clone()
                        };
                        list.extend(names.iter().map(of));
                    }
                }
            }
        }
    }
    list
}
