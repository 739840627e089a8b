//! The table of permissions by command: what `carrier doctor` asks about, and
//! what `docs/permissions.md` shows.

use std::fmt::Write as _;

use super::permission::Task;

/// The clusters that a row applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clusters {
    /// The management cluster.
    Management,
    /// Every service cluster.
    Service,
    /// The management cluster and every service cluster.
    All,
}

/// Permissions that the same tasks need for the same reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Where they are needed.
    pub clusters: Clusters,
    /// Each of these verbs is needed.
    pub verbs: &'static [&'static str],
    /// On which objects.
    pub objects: Objects,
    /// The tasks that need them.
    pub tasks: &'static [Task],
    /// The reason, for the page; Markdown without a full stop.
    pub reason: &'static str,
}

/// The objects of a row. [`super::needs`] finds those of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Objects {
    /// The namespace `kube-system`.
    KubeSystem,
    /// The kubeconfig Secrets of ServiceClusters for which carrier.yaml names no other kubeconfig.
    Secrets,
    /// The CRDs that CatalogEntrySets name.
    BaseCrds,
    /// All CRDs, if a CatalogEntry names the plural of one and not its name.
    Plurals,
    /// Every kind that carrier writes in this kind of cluster.
    Kinds,
    /// The kinds of the rendered objects.
    Rendered,
    /// All CRDs.
    Crds,
    /// Every resource in the group of trials.
    Trials,
    /// The instances of services: of internal and derived CRDs, or of base CRDs.
    Instances,
    /// ConfigMaps in the namespace `kubecarrier-system`, which hold the inventory.
    Inventory,
    /// Roles and ClusterRoles, to write rules that the writer does not hold.
    Escalation,
    /// Roles and ClusterRoles, to bind rules that the writer does not hold.
    Binding,
}

impl Objects {
    /// Their description on the page.
    fn description(self) -> &'static str {
        match self {
            Self::KubeSystem => "the namespace `kube-system`",
            Self::Secrets => "the Secrets that ServiceClusters name, in the namespaces of their providers",
            Self::BaseCrds => "the CRDs that CatalogEntrySets name",
            Self::Plurals => "CustomResourceDefinitions, if a CatalogEntry is written by hand",
            Self::Kinds => "every kind that carrier writes in the cluster",
            Self::Rendered => "every kind of which the repository has objects",
            Self::Crds => "CustomResourceDefinitions",
            Self::Trials => "all resources in the group `trial.kubecarrier.io`",
            Self::Instances => "instances of the services",
            Self::Inventory => "ConfigMaps in the namespace `kubecarrier-system`",
            Self::Escalation | Self::Binding => "Roles and ClusterRoles",
        }
    }
}

/// All rows, in the order of the page.
pub(crate) const TABLE: &[Row] = {
    use Clusters::{All, Management, Service};
    use Objects as O;
    use Task::{Apply, Get, Lock, Plan, Prune, Trial};
    &[
        Row {
            clusters: All,
            verbs: &["get"],
            objects: O::KubeSystem,
            tasks: &[Lock, Plan, Apply],
            reason: "its UID identifies the cluster",
        },
        Row {
            clusters: Management,
            verbs: &["get"],
            objects: O::Secrets,
            tasks: &[Lock, Plan, Apply, Get],
            reason: "they hold the kubeconfigs of service clusters; not needed for a cluster whose kubeconfig carrier.yaml names",
        },
        Row {
            clusters: Service,
            verbs: &["get"],
            objects: O::BaseCrds,
            tasks: &[Lock, Plan, Apply],
            reason: "to read the CRDs that are offered, and to compare them with the lock",
        },
        Row {
            clusters: Service,
            verbs: &["list"],
            objects: O::Plurals,
            tasks: &[Lock],
            reason: "to find the CRD with the plural that the entry names",
        },
        Row {
            clusters: All,
            verbs: &["list"],
            objects: O::Kinds,
            tasks: &[Plan, Apply],
            reason: "to find the existing objects, with one list for each kind",
        },
        Row {
            clusters: All,
            verbs: &["create", "patch"],
            objects: O::Rendered,
            tasks: &[Plan, Apply],
            reason: "server-side apply; `plan` uses server-side dry runs, which need the same permissions; without them, it reports that nothing was tried. In all namespaces, because a new account brings a new namespace; Roles in every namespace that the repository uses are enough too",
        },
        Row {
            clusters: All,
            verbs: &["escalate"],
            objects: O::Escalation,
            tasks: &[Plan, Apply],
            reason: "the Roles that carrier writes give accounts permissions that carrier does not need itself; an account that holds all of them does not need `escalate`",
        },
        Row {
            clusters: All,
            verbs: &["bind"],
            objects: O::Binding,
            tasks: &[Plan, Apply],
            reason: "the same for RoleBindings",
        },
        Row {
            clusters: All,
            verbs: &["get"],
            objects: O::Inventory,
            tasks: &[Plan, Apply],
            reason: "the inventory, which says which repository it belongs to; without it, the plan reports that this is unknown",
        },
        Row {
            clusters: All,
            verbs: &["create", "patch"],
            objects: O::Inventory,
            tasks: &[Apply],
            reason: "the inventory, which records the kinds that carrier has written, and which `carrier apply` claims",
        },
        Row {
            clusters: All,
            verbs: &["list"],
            objects: O::Instances,
            tasks: &[Plan, Get],
            reason: "to list the instances, and to find those that a change would delete or make invalid",
        },
        Row {
            clusters: Management,
            verbs: &["get", "list"],
            objects: O::Crds,
            tasks: &[Get],
            reason: "to find services that are no longer offered; without it, `get` reports that their instances may be missing",
        },
        Row {
            clusters: Management,
            verbs: &["list", "patch"],
            objects: O::Instances,
            tasks: &[Prune],
            reason: "to count the instances again before a deletion that destroys them, and to approve it for `carrier sync`",
        },
        Row {
            clusters: Management,
            verbs: &["create", "delete", "get"],
            objects: O::Crds,
            tasks: &[Trial],
            reason: "a temporary CRD with the new schema, against which instances are validated; without it, the plan reports that they were not validated",
        },
        Row {
            clusters: Management,
            verbs: &["create"],
            objects: O::Trials,
            tasks: &[Trial],
            reason: "instances are validated by dry runs as objects of that CRD, which has a random name in this group",
        },
        Row {
            clusters: Management,
            verbs: &["watch"],
            objects: O::Crds,
            tasks: &[Trial, Apply],
            reason: "to wait until a CRD is served",
        },
        Row {
            clusters: All,
            verbs: &["delete", "get"],
            objects: O::Kinds,
            tasks: &[Prune],
            reason: "to delete objects that the repository no longer has; `get` shows whether a deletion took place if its response was lost",
        },
    ]
};

/// The text of `docs/permissions.md`.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(
        "# Permissions that carrier needs\n\n\
         <!-- Made by `CARRIER_UPDATE=1 cargo test --test it`; the source is src/plan/permissions/table.rs. -->\n\n\
         `carrier doctor` asks each cluster about the rows of this table that apply to the repository, and prints the RBAC\n\
         objects for missing permissions ([doctor.md](doctor.md)). `carrier doctor --for COMMAND` asks only about the rows\n\
         of that command. `trial` is the part of `carrier plan` that `--no-trial` skips; `prune` is `carrier apply --prune`.\n\n\
         An account that may `escalate` and `bind` can give any permission to anyone, including itself. Because carrier\n\
         writes Roles, protect the account that runs it like that of an administrator. An account that already holds every\n\
         permission of the rendered Roles needs neither verb, and `carrier doctor` does not report them as missing.\n\n",
    );
    text.push_str("| Cluster | Verbs | Objects | Commands | Reason |\n|---|---|---|---|---|\n");
    for row in TABLE {
        let clusters = match row.clusters {
            Clusters::Management => "management",
            Clusters::Service => "service",
            Clusters::All => "all",
        };
        let verbs: Vec<String> = row.verbs.iter().map(|verb| format!("`{verb}`")).collect();
        let tasks: Vec<&str> = row.tasks.iter().map(|task| task.name()).collect();
        let (verbs, tasks, objects) = (verbs.join(", "), tasks.join(", "), row.objects.description());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {clusters} | {verbs} | {objects} | {tasks} | {} |", row.reason);
    }
    text
}
