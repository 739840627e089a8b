//! What a plan is to do and may do, as flags: `plan` and `apply` take the same, so
//! that what was shown with them is what is done with them.

use clap::Args;

use super::planning::Wishes;
use crate::plan::guard::{ALLOW_BREAKING, ALLOW_DELETE, FORCE_CONFLICTS};
use crate::plan::types::Allowed;

/// What a plan is to do and may do; `plan` and `apply` take the same.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "What is allowed")]
pub struct WishFlags {
    /// Delete what the repository no longer has
    #[arg(long)]
    pub prune: bool,
    /// How many objects may be deleted at most; else 10, or a tenth of the inventory
    #[arg(long, value_name = "N")]
    pub max_prune: Option<usize>,
    /// Let a repository without objects delete all there is
    #[arg(long)]
    pub allow_empty: bool,
    /// Allow a change that takes from users what they use: `crd/redis.eu-west-1.team-a`, or `all`
    #[arg(long, value_name = "KIND/NAME", value_parser = name)]
    pub allow_breaking: Vec<String>,
    /// Allow a change that destroys instances: `namespace/team-b`, or `all`
    #[arg(long, value_name = "KIND/NAME", value_parser = name)]
    pub allow_delete: Vec<String>,
    /// Take over fields of an object that others manage
    #[arg(long, value_name = "KIND/NAME", value_parser = name)]
    pub force_conflicts: Vec<String>,
    /// Do not try instances under a new schema, for which a CRD is made and deleted again
    #[arg(long)]
    pub no_trial: bool,
    /// Fail if a cluster's CRD is not what was locked
    #[arg(long)]
    pub locked: bool,
}

/// Reads `kind/name` or `all`.
fn name(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        None if text == "all" => Ok(text.to_owned()),
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok(format!("{}/{name}", kind.to_lowercase())),
        _ => Err("write KIND/NAME, such as crd/redis.eu-west-1.team-a, or all".to_owned()),
    }
}

impl WishFlags {
    /// The same as planning takes it.
    #[must_use]
    pub fn wishes(&self) -> Wishes {
        let flags = [
            (ALLOW_BREAKING, &self.allow_breaking),
            (ALLOW_DELETE, &self.allow_delete),
            (FORCE_CONFLICTS, &self.force_conflicts),
        ];
        let allowed = flags
            .into_iter()
            .flat_map(|(flag, names)| names.iter().map(|name| Allowed { flag: flag.to_owned(), name: name.clone() }));
        Wishes {
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
