//! The flags that allow by name what is otherwise refused. `plan` takes them to show
//! what `apply` would do with them, and a saved plan keeps them.

use clap::Args;

use super::planning::Wishes;
use crate::plan::guard::{ALLOW_BREAKING, ALLOW_DELETE, FORCE_CONFLICTS};
use crate::plan::types::Allowed;

/// What is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "What is allowed")]
pub struct AllowFlags {
    /// Delete what the repository no longer has; without it such objects stay
    #[arg(long)]
    pub prune: bool,
    /// Allow a change that breaks instances or clients of this object, such as crd/redis.eu-west-1.team-a, or `all`
    #[arg(long, value_name = "KIND/NAME", value_parser = name)]
    pub allow_breaking: Vec<String>,
    /// Allow to delete this object with all that is in it, such as namespace/team-b, or `all`
    #[arg(long, value_name = "KIND/NAME", value_parser = name)]
    pub allow_delete: Vec<String>,
    /// Take the fields of this object that other managers own, or those of `all`
    #[arg(long, value_name = "KIND/NAME", value_parser = name)]
    pub force_conflicts: Vec<String>,
    /// Delete at most this many objects; without it 10, or a tenth of all if that is more
    #[arg(long, value_name = "N", requires = "prune")]
    pub max_prune: Option<usize>,
    /// Delete all there is when the repository has no objects
    #[arg(long, requires = "prune")]
    pub allow_empty: bool,
    /// Do not try live instances under a new schema, for which a CRD is made and deleted again
    #[arg(long)]
    pub no_trial: bool,
}

/// Reads `kind/name` or `all`.
fn name(text: &str) -> Result<String, String> {
    let (kind, name) = match text.split_once('/') {
        _ if text == "all" => return Ok(text.to_owned()),
        Some(both) => both,
        None => return Err("write KIND/NAME, such as crd/redis.eu-west-1.team-a, or `all`".to_owned()),
    };
    match kind.is_empty() || name.is_empty() {
        true => Err("write KIND/NAME, such as namespace/team-b, or `all`".to_owned()),
        false => Ok(format!("{}/{name}", kind.to_lowercase())),
    }
}

impl AllowFlags {
    /// Whether none of them was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is allowed by name, with the flag of each.
    #[must_use]
    pub fn allowed(&self) -> Vec<Allowed> {
        let lists = [
            (ALLOW_BREAKING, &self.allow_breaking),
            (ALLOW_DELETE, &self.allow_delete),
            (FORCE_CONFLICTS, &self.force_conflicts),
        ];
        let mut allowed: Vec<Allowed> = lists
            .into_iter()
            .flat_map(|(flag, names)| names.iter().map(|name| Allowed { flag: flag.to_owned(), name: name.clone() }))
            .collect();
        allowed.sort();
        allowed.dedup();
        allowed
    }

    /// What is wanted of a plan.
    #[must_use]
    pub fn wishes(&self) -> Wishes {
        Wishes {
            prune: self.prune,
            allowed: self.allowed(),
            max_prune: self.max_prune,
            allow_empty: self.allow_empty,
            trial: !self.no_trial,
            ..Wishes::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kind_and_name_or_all() {
        assert_eq!(name("all"), Ok("all".into()));
        assert_eq!(name("CRD/redis.eu-west-1.team-a"), Ok("crd/redis.eu-west-1.team-a".into()));
        for wrong in ["", "redis", "/a", "crd/"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_allowed_is_sorted_and_said_once() {
        let flags = AllowFlags {
            allow_delete: vec!["namespace/b".into(), "namespace/a".into(), "namespace/a".into()],
            allow_breaking: vec!["all".into()],
            ..AllowFlags::default()
        };
        let said: Vec<String> = flags.allowed().iter().map(|a| format!("{} {}", a.flag, a.name)).collect();
        assert_eq!(said, ["--allow-breaking all", "--allow-delete namespace/a", "--allow-delete namespace/b"]);
    }
}
