//! The flags that say what a plan may contain. `plan` and `apply` take the same ones, so that what `plan`
//! shows with them is what `apply` does with them.

use std::fmt::Write as _;

use clap::Args;

use crate::model::shell::shell_word;
use crate::ops::plan::PlanOptions;
use crate::plan::adoption::ADOPT;
use crate::plan::guard::{ALLOW_BREAKING, ALLOW_DELETE, FORCE_CONFLICTS, exceeding};
use crate::plan::take_over::TAKE_OVER_FROM;
use crate::plan::types::{Allowed, Plan};

/// What a plan may contain.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "What is allowed")]
pub(crate) struct PlanFlags {
    /// Delete what the repository no longer has
    #[arg(long)]
    pub prune: bool,
    /// The largest number of objects to delete; without it, 10 or a tenth of the inventory
    #[arg(long, value_name = "N")]
    pub max_prune: Option<usize>,
    /// Allow a repository without objects to delete everything
    #[arg(long)]
    pub allow_empty: bool,
    /// Allow a change that removes what users may be using: `crd/redis.eu-west-1.team-a`, `offering/team-b/redis.eu-west-1.team-a`;
    /// all changes that follow from an object of the repository: `catalogentryset/team-a/redis`; or `all`
    #[arg(long, value_name = "KIND/NAME", value_parser = name)]
    pub allow_breaking: Vec<String>,
    /// Allow a change that destroys instances: `namespace/team-b`, in a service cluster
    /// `team-a/eu-west-1:namespace/team-b-x1y2z`; all deletions that follow from the removal of an object of the repository:
    /// `account/team-b`, `catalogentryset/team-a/redis`; or `all`
    #[arg(long, value_name = "KIND/NAME", value_parser = name)]
    pub allow_delete: Vec<String>,
    /// Take over an object that exists and is not carrier's: `namespace/team-a`, `role/team-a/kubecarrier:provider`, in a
    /// service cluster `team-a/eu-west-1:namespace/team-b-x1y2z`, or `all`; all objects of another inventory: `inventory/NAME`
    #[arg(long, value_name = "KIND/NAME", value_parser = name)]
    pub adopt: Vec<String>,
    /// Take over fields of an object that others manage: `KIND/NAME`, in a namespace `KIND/NAMESPACE/NAME`, or `all`
    #[arg(long, value_name = "KIND/NAME", value_parser = name)]
    pub force_conflicts: Vec<String>,
    /// Take over all fields that a field manager such as `kubectl` has in the objects of the repository
    #[arg(long, value_name = "MANAGER", value_parser = manager)]
    pub take_over_from: Vec<String>,
    /// Do not validate instances against new schemas, for which a temporary CRD is created
    #[arg(long)]
    pub no_trial: bool,
    /// Fail if a CRD of a cluster differs from the locked one
    #[arg(long)]
    pub locked: bool,
}

/// Reads `kind/name`, `kind/namespace/name` or `all`; an object of a service cluster is `provider/cluster:kind/name`.
fn name(text: &str) -> Result<String, String> {
    // Names may have colons, such as those of roles; what follows them has no slash.
    let is_cluster = |text: &str| text.split('/').count() == 2 && !text.starts_with('/') && !text.ends_with('/');
    if let Some((cluster, object)) = text.split_once(':')
        && is_cluster(cluster)
        && object.contains('/')
    {
        return Ok(format!("{cluster}:{}", name(object)?));
    }
    let parts: Vec<&str> = text.split('/').collect();
    match parts[..] {
        ["all"] => Ok(text.to_owned()),
        [kind, ref names @ ..] if matches!(names.len(), 1 | 2) && !parts.contains(&"") => {
            Ok(format!("{}/{}", kind.to_lowercase(), names.join("/")))
        }
        _ => Err("write KIND/NAME, such as crd/redis.eu-west-1.team-a; KIND/NAMESPACE/NAME for an object in a namespace, such as offering/team-b/redis.eu-west-1.team-a; PROVIDER/CLUSTER: before it for an object in a service cluster; or all".to_owned()),
    }
}

/// Reads the name of a field manager.
fn manager(text: &str) -> Result<String, String> {
    match text {
        "" => {
            Err("write the name of a field manager, as `kubectl get -o yaml --show-managed-fields` shows it".to_owned())
        }
        // Their fields are in the instances and statuses that `carrier sync` writes.
        _ if text.starts_with("carrier-") => Err("this is one of carrier's own field managers".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

impl PlanFlags {
    /// A command with these flags, as the user types it.
    #[must_use]
    pub(crate) fn with(&self, command: &str) -> String {
        let mut text = command.to_owned();
        let PlanOptions { prune, allowed, max_prune, allow_empty, trial, locked, refresh: _ } = self.options();
        for (flag, given) in
            [("--prune", prune), ("--allow-empty", allow_empty), ("--no-trial", !trial), ("--locked", locked)]
        {
            if given {
                text.push(' ');
                text.push_str(flag);
            }
        }
        if let Some(most) = max_prune {
            // Writing to a String cannot fail.
            let _ = write!(text, " --max-prune {most}");
        }
        for Allowed { flag, name } in allowed {
            let _ = write!(text, " {flag} {}", shell_word(name));
        }
        text
    }

    /// The flags with which a plan was made, as far as it records them.
    #[must_use]
    pub(crate) fn of(plan: &Plan) -> Self {
        let of = |flag: &str| {
            let given = plan.allowed.iter().filter(|allowed| allowed.flag == flag);
            given.map(|allowed| allowed.name.clone()).collect()
        };
        Self {
            prune: plan.prune,
            max_prune: exceeding(plan),
            allow_breaking: of(ALLOW_BREAKING),
            allow_delete: of(ALLOW_DELETE),
            adopt: of(ADOPT),
            force_conflicts: of(FORCE_CONFLICTS),
            take_over_from: of(TAKE_OVER_FROM),
            ..Self::default()
        }
    }

    /// The options of a plan.
    #[must_use]
    pub(crate) fn options(&self) -> PlanOptions {
        let flags = [
            (ALLOW_BREAKING, &self.allow_breaking),
            (ALLOW_DELETE, &self.allow_delete),
            (ADOPT, &self.adopt),
            (FORCE_CONFLICTS, &self.force_conflicts),
            (TAKE_OVER_FROM, &self.take_over_from),
        ];
        let allowed = flags
            .into_iter()
            .flat_map(|(flag, names)| names.iter().map(|name| Allowed { flag: flag.to_owned(), name: name.clone() }));
        PlanOptions {
            prune: self.prune,
            allowed: allowed.collect(),
            max_prune: self.max_prune,
            allow_empty: self.allow_empty,
            trial: !self.no_trial,
            locked: self.locked,
            refresh: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_have_a_kind_and_may_have_a_namespace() {
        for (given, read) in [
            ("all", "all"),
            ("CRD/a.b", "crd/a.b"),
            ("Offering/team-b/a.b", "offering/team-b/a.b"),
            ("role/t/kubecarrier:tenant", "role/t/kubecarrier:tenant"),
            ("ClusterRole/kubecarrier:sync:eu.team-a", "clusterrole/kubecarrier:sync:eu.team-a"),
            ("team-a/eu:Namespace/team-b-x", "team-a/eu:namespace/team-b-x"),
            ("team-a/eu:role/t/kubecarrier:sync", "team-a/eu:role/t/kubecarrier:sync"),
            ("team-a/eu:clusterrole/kubecarrier:sync:eu.team-a", "team-a/eu:clusterrole/kubecarrier:sync:eu.team-a"),
        ] {
            assert_eq!(name(given).as_deref(), Ok(read));
        }
        for bad in ["", "crd", "crd/", "/x", "a//b", "a/b/c/d", "team-a/eu:x/", "eu:a/b/c/d"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
