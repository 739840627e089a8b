//! Whose an inventory is: its parent names the repository by the identity in `carrier.lock`. Two unrelated repositories
//! with the same settings would otherwise share one inventory, and each would delete the objects of the other.

use serde_json::Value;

use super::inventory::Inventory;
use super::repair;
use super::words::count;
use crate::model::keys::{REPOSITORY, RUN, annotation};
use crate::model::lock::Lock;
use crate::model::managed_fields::is_annotation_of_carrier;

/// What the parent of an inventory says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Whose the inventory is.
    pub holder: Holder,
    /// Who has written the identity of the repository, if carrier has not; `None` if carrier has, or there is none.
    pub named_by: Option<String>,
    /// The run that has claimed it last.
    pub run: Option<String>,
    /// The parent, if it may be that of this repository.
    pub parent: Option<Value>,
}

/// Whose an inventory is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Holder {
    /// It is that of this repository.
    #[default]
    This,
    /// Its parent does not exist: it is new, or was lost.
    Absent,
    /// It exists, was written before inventories named a repository, and this repository has an identity.
    Nobody,
    /// It is that of another repository; its identity, if the parent has a valid one.
    Other(Option<String>),
    /// The parent could not be read, and why.
    Unknown(String),
}

impl Record {
    /// The record of an inventory. `parent` is the parent as it was read, or why it could not be read.
    #[must_use]
    pub(crate) fn of(inventory: &Inventory, parent: Result<Option<&Value>, String>) -> Self {
        let parent = match parent {
            Ok(None) => return Self { holder: Holder::Absent, ..Self::default() },
            Ok(Some(parent)) => parent,
            Err(why) => return Self { holder: Holder::Unknown(why), ..Self::default() },
        };
        let holder = match (annotation(parent, REPOSITORY), inventory.repository.as_deref()) {
            (Some(theirs), ours) if Some(theirs) != ours => {
                Holder::Other(Some(theirs.to_owned()).filter(|text| Lock::is_identity(text)))
            }
            (None, Some(_)) => Holder::Nobody,
            _ => Holder::This,
        };
        let is_ours = matches!(holder, Holder::This | Holder::Nobody);
        let is_named = annotation(parent, REPOSITORY).is_some() && !is_annotation_of_carrier(parent, REPOSITORY);
        let named_by = is_named.then(|| repair::writers_of(parent, REPOSITORY));
        Self {
            holder,
            named_by,
            run: annotation(parent, RUN).map(str::to_owned),
            parent: is_ours.then(|| parent.clone()),
        }
    }
}

/// Why nothing is deleted by an inventory that names no repository: what it has may be another's.
#[must_use]
pub(crate) fn unnamed(inventory: &Inventory, cluster: &str, deletions: usize) -> String {
    format!(
        "the inventory {} in {cluster} does not say which repository it is of, and {} would be deleted that may be another's; \
         apply once without `--prune`, look at what the plan says would stay, and then apply with `--prune`",
        inventory.name,
        count(deletions, "object")
    )
}

/// Why nothing is deleted by an inventory whose identity of this repository is not carrier's: it may be another's.
#[must_use]
pub(crate) fn unproven(inventory: &Inventory, cluster: &str, by: &str, deletions: usize) -> String {
    format!(
        "in the inventory {} in {cluster}, {by} and not carrier has written that it is of this repository, and {} would be \
         deleted that may be another's; apply once without `--prune`, look at what the plan says would stay, and then delete \
         it",
        inventory.name,
        count(deletions, "object")
    )
}

/// Why nothing is deleted in the run that takes another inventory over: what it has is seen for the first time.
#[must_use]
pub(crate) fn taking(inventory: &Inventory, cluster: &str, deletions: usize) -> String {
    format!(
        "the inventory {} in {cluster} takes over another one, and {} would be deleted; apply once without `--prune`, look at \
         what the plan says would stay, and then apply with `--prune`",
        inventory.name,
        count(deletions, "object")
    )
}

/// Why another repository may not use an inventory, and the ways out.
#[must_use]
pub(crate) fn refusal(inventory: &Inventory, cluster: &str, theirs: Option<&str>, named_by: Option<&str>) -> String {
    let is = match theirs {
        Some(theirs) => format!("another repository, {theirs}"),
        None => "another repository".to_owned(),
    };
    let this = match &inventory.repository {
        Some(ours) => format!("this one is {ours}"),
        None => "this one has no identity in carrier.lock".to_owned(),
    };
    let same = match theirs {
        Some(theirs) => {
            format!("; if it is the same repository, restore the line `repository: {theirs}` in carrier.lock")
        }
        None => String::new(),
    };
    let forged = match named_by {
        Some(by) => format!(
            "; {by} and not carrier has written that: if it is not true, remove the annotation {REPOSITORY} of the ConfigMap {} \
             in {}, and apply once without `--prune`",
            inventory.name, inventory.namespace
        ),
        None => String::new(),
    };
    format!(
        "the inventory {} in {cluster} belongs to {is}, and {this}; give this repository an inventory of its own with `inventory` in carrier.yaml{same}{forged}",
        inventory.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cluster::Target;
    use crate::plan::inventory;
    use std::collections::BTreeSet;

    const ME: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn inventory_of(repository: Option<&str>) -> Inventory {
        inventory::of(&Target::Management, "carrier", None).held_by(repository)
    }

    #[test]
    fn the_parent_says_whose_it_is() {
        let holder = |named: Option<&str>, repository: Option<&str>| {
            let parent = inventory_of(named).parent(&BTreeSet::new(), &BTreeSet::new(), Some("r"));
            let record = Record::of(&inventory_of(repository), Ok(Some(&parent)));
            assert_eq!(record.run.as_deref(), Some("r"));
            record.holder
        };
        assert_eq!(holder(Some(ME), Some(ME)), Holder::This);
        assert_eq!(holder(None, None), Holder::This);
        assert_eq!(holder(None, Some(ME)), Holder::Nobody);
        assert_eq!(holder(Some(OTHER), Some(ME)), Holder::Other(Some(OTHER.into())));
        // Whoever has no identity has not that of the inventory either.
        assert_eq!(holder(Some(OTHER), None), Holder::Other(Some(OTHER.into())));
        assert_eq!(holder(Some("::set-output"), Some(ME)), Holder::Other(None), "what is no identity is not shown");
        assert_eq!(
            Record::of(&inventory_of(Some(ME)), Ok(None)),
            Record { holder: Holder::Absent, ..Record::default() }
        );
    }

    #[test]
    fn a_refusal_has_the_ways_out() {
        let text = refusal(&inventory_of(Some(ME)), "management", Some(OTHER), Some("kubectl-annotate"));
        for part in [
            ME,
            OTHER,
            "`inventory` in carrier.yaml",
            "restore the line `repository: fedcba",
            "kubectl-annotate and not carrier",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let text = refusal(&inventory_of(None), "management", Some(OTHER), None);
        assert!(text.contains("this one has no identity in carrier.lock") && !text.contains("not carrier"), "{text}");
    }
}
