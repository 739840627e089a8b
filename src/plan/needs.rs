//! What carrier has to be allowed in each cluster, and for which command. The one
//! table behind `carrier doctor` and `docs/permissions.md`.
//!
//! A need names one verb on one resource. Where there is more than one way to
//! meet it, the others are beside it: Roles in all the namespaces concerned are
//! as good as a ClusterRole, and who holds all that he grants need not `escalate`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::compile::compiled::Compiled;
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

/// The group of the CRDs that schemas are tried in. One for all, so that a rule can name it.
pub const TRIALS: &str = "trial.kubecarrier.io";

/// What somebody runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// `carrier lock`.
    Lock,
    /// `carrier plan`.
    Plan,
    /// The trial of new schemas, which `carrier plan --no-trial` goes without. So does a plan that may not.
    Trial,
    /// `carrier apply`.
    Apply,
    /// `carrier apply --prune`.
    Prune,
    /// `carrier get`.
    Get,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Lock, Self::Plan, Self::Trial, Self::Apply, Self::Prune, Self::Get];

    /// As it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Plan => "plan",
            Self::Trial => "trial",
            Self::Apply => "apply",
            Self::Prune => "prune",
            Self::Get => "get",
        }
    }
}

/// A verb on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Access {
    /// The API group; empty for the core group.
    pub group: String,
    /// The plural, with `/status` for a subresource.
    pub resource: String,
    /// The namespace; `None` for all of them, and for what is in none.
    pub namespace: Option<String>,
    /// The one object; `None` for all of them.
    pub name: Option<String>,
    /// The verb.
    pub verb: String,
}

impl Access {
    /// To do this to all objects of a resource, in all namespaces.
    #[must_use]
    pub fn all(verb: &str, group: &str, resource: &str) -> Self {
        let (verb, group, resource) = (verb.to_owned(), group.to_owned(), resource.to_owned());
        Self { group, resource, namespace: None, name: None, verb }
    }

    /// The same in one namespace.
    #[must_use]
    pub fn within(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The same for one object.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether whoever has `self` has `other` too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let wider = |mine: &Option<String>, its: &Option<String>| mine.is_none() || mine == its;
        self.verb == other.verb
            && self.group == other.group
            && self.resource == other.resource
            && wider(&self.namespace, &other.namespace)
            && wider(&self.name, &other.name)
    }

    /// The resource with its group: `roles.rbac.authorization.k8s.io`.
    #[must_use]
    pub fn full_resource(&self) -> String {
        let (plural, sub) = self.resource.split_once('/').map_or((&*self.resource, None), |(p, s)| (p, Some(s)));
        let dot = if self.group.is_empty() { "" } else { "." };
        match sub {
            Some(sub) => format!("{plural}{dot}{}/{sub}", self.group),
            None => format!("{plural}{dot}{}", self.group),
        }
    }
}

/// `get secrets/eu in the namespace team-a`.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.full_resource())?;
        if let Some(name) = &self.name {
            write!(f, " `{name}`")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in the namespace {namespace}"),
            None => Ok(()),
        }
    }
}

/// Something that carrier has to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The simplest way to meet it, and what is granted where it is not met.
    pub access: Access,
    /// All of these together meet it as well; empty where nothing else does.
    pub or: BTreeSet<Access>,
    /// The commands that need it.
    pub tasks: BTreeSet<Task>,
}

/// Which clusters a row of the table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The management cluster.
    Management,
    /// Every service cluster.
    Service,
    /// All of them.
    Both,
}

/// A row of the table: what is needed for what, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Where.
    pub place: Place,
    /// To do what.
    pub verbs: &'static [&'static str],
    /// To what.
    pub objects: Objects,
    /// For which commands.
    pub tasks: &'static [Task],
    /// Why.
    pub why: &'static str,
}

/// The objects that a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objects {
    /// The namespace `kube-system`.
    KubeSystem,
    /// The Secrets that ServiceClusters name, where carrier.yaml says nothing else.
    Secrets,
    /// The CRDs that CatalogEntrySets name.
    BaseCrds,
    /// CRDs, where a CatalogEntry names only a plural.
    Plurals,
    /// Every kind that carrier writes in this kind of cluster.
    Kinds,
    /// Those that this repository comes to.
    Rendered,
    /// CRDs.
    Crds,
    /// Instances in a group that a trial makes up.
    Trials,
    /// The instances of services: of internal and derived CRDs, or of base CRDs.
    Instances,
    /// ConfigMaps of carrier's own namespace, which hold the inventory.
    Inventory,
    /// Roles and ClusterRoles, for those that give away more than their writer has.
    Escalation,
    /// Roles and ClusterRoles, for bindings of the same sort.
    Binding,
}

impl Objects {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::KubeSystem => "the namespace `kube-system`",
            Self::Secrets => "the Secrets that ServiceClusters name, in the namespaces of their providers",
            Self::BaseCrds => "the CRDs that CatalogEntrySets name",
            Self::Plurals => "CustomResourceDefinitions, where a CatalogEntry is written by hand",
            Self::Kinds => "every kind that carrier writes in such a cluster",
            Self::Rendered => "every kind that the repository has objects of",
            Self::Crds => "CustomResourceDefinitions",
            Self::Trials => "everything in the group `trial.kubecarrier.io`",
            Self::Instances => "instances of the services",
            Self::Inventory => "ConfigMaps in the namespace `kubecarrier-system`",
            Self::Escalation => "Roles, in service clusters also ClusterRoles",
            Self::Binding => "Roles, in service clusters also ClusterRoles",
        }
    }
}

/// The table.
pub const TABLE: &[Row] = {
    use Objects as O;
    use Place::{Both, Management, Service};
    use Task::{Apply, Get, Lock, Plan, Prune, Trial};
    &[
        Row {
            place: Both,
            verbs: &["get"],
            objects: O::KubeSystem,
            tasks: &[Lock, Plan, Apply],
            why: "its UID is the identity of the cluster",
        },
        Row {
            place: Management,
            verbs: &["get"],
            objects: O::Secrets,
            tasks: &[Lock, Plan, Apply, Get],
            why: "they hold the kubeconfigs of service clusters; not needed for a cluster that carrier.yaml names a kubeconfig for",
        },
        Row {
            place: Service,
            verbs: &["get"],
            objects: O::BaseCrds,
            tasks: &[Lock, Plan, Apply],
            why: "what is offered, and whether it is still what was locked",
        },
        Row { place: Service, verbs: &["list"], objects: O::Plurals, tasks: &[Lock], why: "which CRD has the plural" },
        Row {
            place: Both,
            verbs: &["list"],
            objects: O::Kinds,
            tasks: &[Plan, Apply],
            why: "one list a kind says what is there",
        },
        Row {
            place: Both,
            verbs: &["create", "patch"],
            objects: O::Rendered,
            tasks: &[Plan, Apply],
            why: "server-side apply; `plan` asks the server what it would do, which takes the same rights. Across all namespaces, since a new account brings a new namespace; Roles in all the namespaces that there are do as well",
        },
        Row {
            place: Both,
            verbs: &["escalate"],
            objects: O::Escalation,
            tasks: &[Plan, Apply],
            why: "Roles give accounts more than carrier needs itself; who holds all that they give does not need it",
        },
        Row {
            place: Both,
            verbs: &["bind"],
            objects: O::Binding,
            tasks: &[Plan, Apply],
            why: "the same for RoleBindings",
        },
        Row {
            place: Both,
            verbs: &["create", "get", "patch"],
            objects: O::Inventory,
            tasks: &[Apply],
            why: "the inventory: which kinds carrier has written",
        },
        Row {
            place: Both,
            verbs: &["list"],
            objects: O::Instances,
            tasks: &[Plan, Get],
            why: "which instances there are, and which a change would destroy or make invalid",
        },
        Row {
            place: Management,
            verbs: &["create", "delete", "get"],
            objects: O::Crds,
            tasks: &[Trial],
            why: "a CRD with the new schema, which instances are tried against and which then goes; without it a plan says that they were not",
        },
        Row {
            place: Management,
            verbs: &["create"],
            objects: O::Trials,
            tasks: &[Trial],
            why: "instances are tried by dry runs as objects of that CRD, whose name is random and whose group is this one",
        },
        Row {
            place: Management,
            verbs: &["watch"],
            objects: O::Crds,
            tasks: &[Apply],
            why: "to wait until a CRD is served",
        },
        Row {
            place: Both,
            verbs: &["delete", "get"],
            objects: O::Kinds,
            tasks: &[Prune],
            why: "what the repository no longer has; `get` to see whether a deletion took place whose answer was lost",
        },
    ]
};

/// What carrier needs in one cluster of a repository, for these commands.
#[must_use]
pub fn needs(target: &Target, compiled: &Compiled<'_>, manifests: &ManifestSet, tasks: &[Task]) -> Vec<Need> {
    let nothing = Vec::new();
    let rendered = match target {
        Target::Management => &manifests.management,
        Target::Service(id) => manifests.clusters.get(id).unwrap_or(&nothing),
    };
    let mut found: BTreeMap<Access, Need> = BTreeMap::new();
    for row in TABLE {
        let here = match target {
            Target::Management => row.place != Place::Service,
            Target::Service(_) => row.place != Place::Management,
        };
        let tasks: BTreeSet<Task> = row.tasks.iter().copied().filter(|task| tasks.contains(task)).collect();
        if !here || tasks.is_empty() {
            continue;
        }
        for verb in row.verbs {
            for (access, or) in expand(row.objects, verb, target, compiled, rendered) {
                let need = Need { access: access.clone(), or, tasks: BTreeSet::new() };
                found.entry(access).or_insert(need).tasks.extend(&tasks);
            }
        }
    }
    found.into_values().collect()
}

type Expanded = Vec<(Access, BTreeSet<Access>)>;

fn expand(objects: Objects, verb: &str, target: &Target, compiled: &Compiled<'_>, rendered: &[Manifest]) -> Expanded {
    let all = |resource: &Resource| Access::all(verb, &resource.group, &resource.plural);
    let plain = |list: Vec<Access>| list.into_iter().map(|access| (access, BTreeSet::new())).collect();
    match objects {
        Objects::KubeSystem => plain(vec![Access::all(verb, "", "namespaces").named("kube-system")]),
        Objects::Secrets => plain(secrets(verb, compiled)),
        Objects::BaseCrds => plain(base_crds(verb, target, compiled)),
        Objects::Kinds => plain(kinds(target).iter().map(all).collect()),
        Objects::Plurals => plain(plurals(verb, target, compiled)),
        Objects::Trials => plain(vec![Access::all(verb, TRIALS, "*")]),
        Objects::Crds => plain(vec![Access::all(verb, APIEXTENSIONS, CRDS)]),
        Objects::Inventory => plain(vec![Access::all(verb, "", "configmaps").within(SYSTEM_NAMESPACE)]),
        Objects::Instances => plain(instances(target, compiled).iter().map(all).collect()),
        Objects::Rendered => {
            let mut namespaces: BTreeMap<Resource, BTreeSet<&str>> = BTreeMap::new();
            for manifest in rendered {
                if let Some(resource) = Resource::of(&manifest.id) {
                    namespaces.entry(resource).or_default().extend(manifest.id.namespace.as_deref());
                }
            }
            let entry = |(resource, namespaces): (Resource, BTreeSet<&str>)| {
                let access = all(&resource);
                let or = namespaces.into_iter().map(|n| access.clone().within(n)).collect();
                (access, or)
            };
            namespaces.into_iter().map(entry).collect()
        }
        Objects::Escalation | Objects::Binding => {
            let there: BTreeSet<&str> = rendered.iter().map(|m| m.id.kind.as_str()).collect();
            ["ClusterRole", "Role"]
                .into_iter()
                .filter(|kind| there.contains(kind))
                .map(|kind| {
                    let plural = if kind == "Role" { "roles" } else { "clusterroles" };
                    (Access::all(verb, RBAC, plural), given(kind, rendered))
                })
                .collect()
        }
    }
}

/// The kinds that carrier writes in a cluster, whatever the repository says now: what it no longer
/// has is looked for, too.
#[must_use]
pub fn kinds(target: &Target) -> Vec<Resource> {
    let ours = |r: &Resource| KINDS.iter().any(|info| info.kind == r.kind && info.group == r.group);
    let both = ["Namespace", "Role", "RoleBinding"];
    let service = ["ServiceAccount", "ClusterRole", "ClusterRoleBinding"];
    let wanted = |r: &Resource| match target {
        Target::Management => ours(r) || both.contains(&r.kind.as_str()) || r.plural == CRDS,
        Target::Service(_) => both.contains(&r.kind.as_str()) || service.contains(&r.kind.as_str()),
    };
    Resource::rendered().into_iter().filter(wanted).collect()
}

/// Whether a service cluster's kubeconfig comes from its Secret.
fn is_in_secret(id: &ClusterId, compiled: &Compiled<'_>) -> bool {
    let access = compiled.resolved.loaded.config.service_clusters.get(&id.to_string());
    access.map_or(Some(KubeconfigSource::Secret), ClusterAccess::source) == Some(KubeconfigSource::Secret)
}

fn secrets(verb: &str, compiled: &Compiled<'_>) -> Vec<Access> {
    let clusters = compiled.resolved.clusters.iter().filter(|(id, _)| is_in_secret(id, compiled));
    let secret = |(id, cluster): (&ClusterId, &&crate::compile::load::objects::Object<_>)| {
        let spec: &crate::model::kinds::ServiceClusterSpec = &cluster.spec;
        Access::all(verb, "", "secrets").within(&id.provider).named(&spec.kubeconfig_secret.name)
    };
    clusters.map(secret).collect()
}

fn base_crds(verb: &str, target: &Target, compiled: &Compiled<'_>) -> Vec<Access> {
    let Target::Service(id) = target else { return Vec::new() };
    let wanted = compiled.resolved.wanted();
    let names = wanted.get(id).into_iter().flat_map(BTreeMap::keys);
    let mut list: Vec<Access> = Vec::new();
    for name in names {
        match name {
            BaseName::Crd(name) => list.push(Access::all(verb, APIEXTENSIONS, CRDS).named(name)),
            // Only a snapshot tells the name.
            BaseName::Plural(plural) => {
                let known = compiled.discovered.by_plural(id, plural);
                list.extend(known.map(|(name, _)| Access::all(verb, APIEXTENSIONS, CRDS).named(name)));
            }
        }
    }
    list
}

fn plurals(verb: &str, target: &Target, compiled: &Compiled<'_>) -> Vec<Access> {
    let Target::Service(id) = target else { return Vec::new() };
    let wanted = compiled.resolved.wanted();
    let mut names = wanted.get(id).into_iter().flat_map(BTreeMap::keys);
    let by_plural = names.any(|name| matches!(name, BaseName::Plural(_)));
    by_plural.then(|| Access::all(verb, APIEXTENSIONS, CRDS)).into_iter().collect()
}

/// The kinds of the services' instances in a cluster.
fn instances(target: &Target, compiled: &Compiled<'_>) -> BTreeSet<Resource> {
    let mut list = BTreeSet::new();
    for built in &compiled.built {
        let Some(service) = compiled.resolved.services.get(built.service) else { continue };
        match target {
            Target::Management => {
                let crds = std::iter::once(&*built.internal).chain(built.derived.as_ref().map(|d| &d.crd));
                list.extend(crds.filter_map(Resource::defined_by));
            }
            Target::Service(id) if service.cluster == *id => {
                let source = &built.source;
                list.insert(Resource::new(&source.group, &built.version, &source.kind, &source.plural, true));
            }
            Target::Service(_) => {}
        }
    }
    list
}

/// All that the rendered roles of a kind give, each in its namespace.
fn given(kind: &str, rendered: &[Manifest]) -> BTreeSet<Access> {
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
                        let access = Access::all(&verb, &group, &resource);
                        let of = |name: &Option<String>| Access {
                            name: name.clone(),
                            namespace: manifest.id.namespace.clone(),
                            ..access.clone()
                        };
                        list.extend(names.iter().map(of));
                    }
                }
            }
        }
    }
    list
}

/// The text of `docs/permissions.md`.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# What carrier has to be allowed\n\n\
         <!-- Made by `CARRIER_UPDATE=1 cargo test --test it`; the source is src/plan/needs.rs. -->\n\n\
         `carrier doctor` asks each cluster about the rows of this table that the repository comes to, and prints the RBAC\n\
         for what is missing ([doctor.md](doctor.md)). `carrier doctor --for COMMAND` asks only about its rows.\n\
         `trial` is what `carrier plan --no-trial` goes without, `prune` is `carrier apply --prune`.\n\n\
         Whoever may `escalate` and `bind` may give anybody anything, himself included: carrier writes Roles, so the account\n\
         that it runs under is as good as an admin's and has to be guarded like one. An account that holds all that the\n\
         rendered Roles give needs neither verb, and `carrier doctor` does not miss them then.\n\n",
    );
    text.push_str("| Cluster | May | What | For | Why |\n|---|---|---|---|---|\n");
    for row in TABLE {
        let place = match row.place {
            Place::Management => "management",
            Place::Service => "service",
            Place::Both => "all",
        };
        let verbs: Vec<String> = row.verbs.iter().map(|verb| format!("`{verb}`")).collect();
        let tasks: Vec<&str> = row.tasks.iter().map(|task| task.name()).collect();
        let (verbs, tasks, objects) = (verbs.join(", "), tasks.join(", "), row.objects.words());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {place} | {verbs} | {objects} | {tasks} | {} |", row.why);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_access_covers_a_narrower_one() {
        let all = Access::all("get", "", "secrets");
        let one = all.clone().within("a").named("b");
        assert!(all.covers(&one) && all.clone().within("a").covers(&one) && !one.covers(&all));
        assert!(!all.clone().within("b").covers(&one) && !Access::all("list", "", "secrets").covers(&one));
    }

    #[test]
    fn an_access_reads_as_a_sentence() {
        let access = Access::all("get", "", "secrets").within("team-a").named("eu");
        assert_eq!(access.to_string(), "get secrets `eu` in the namespace team-a");
        let access = Access::all("get", "example.com", "redis/status");
        assert_eq!(access.to_string(), "get redis.example.com/status");
    }
}
