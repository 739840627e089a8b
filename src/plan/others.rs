//! Other inventories: whose they are that have objects of this repository, and taking them over.
//!
//! A management cluster that was replaced, a service cluster or an `inventory` with another name: what the repository has
//! applied before belongs to an inventory that nobody applies any more. Its objects are taken over by its name, and never
//! otherwise: if somebody does apply it, two repositories have the same objects.

use std::collections::BTreeMap;

use serde_json::Value;

use super::adoption::ADOPT;
use super::inventory::{ID, Inventory, id_of};
use super::live::Other;
use super::types::{Allowed, Change, ClusterPlan, ObjectRef, Plan, Refusal};
use super::words::{count, first, full_name};
use crate::model::keys::{REPOSITORY, annotation};
use crate::model::lock::Lock;
use crate::model::managed_fields::is_annotation_of_carrier;

/// What a flag calls an inventory: `inventory/NAME`, in a service cluster `PROVIDER/CLUSTER:inventory/NAME`.
const KIND: &str = "inventory/";
/// Up to so many of its objects are named.
const NAMED: usize = 3;

/// The inventories of parents, by their ids. A parent with an id that is not the one of its name tells nothing. `ours` is the
/// identity of this repository.
#[must_use]
pub(crate) fn read(parents: &[Value], ours: Option<&str>) -> BTreeMap<String, Other> {
    let of = |parent: &Value| {
        let text = |pointer: &str| parent.pointer(pointer).and_then(Value::as_str);
        let id = parent.pointer("/metadata/labels")?.get(ID)?.as_str()?;
        let name = text("/metadata/name").filter(|name| id_of(name) == id)?;
        // Somebody else may have written ours to have the inventory taken over. Another one is a reason to be careful, whoever
        // has written it, such as a backup tool.
        let is_believed = |text: &&str| Some(*text) != ours || is_annotation_of_carrier(parent, REPOSITORY);
        let repository = annotation(parent, REPOSITORY).filter(|text| Lock::is_identity(text)).filter(is_believed);
        Some((id.to_owned(), Other { name: name.to_owned(), repository: repository.map(str::to_owned) }))
    };
    parents.iter().filter_map(of).collect()
}

/// The names of the inventories in a cluster that flags allow to take over.
pub(crate) fn allowed<'a>(flags: &'a [Allowed], cluster: &'a str) -> impl Iterator<Item = &'a str> {
    flags.iter().filter(|given| given.flag == ADOPT).filter_map(move |given| match cluster {
        "management" => given.name.strip_prefix(KIND),
        _ => given.name.strip_prefix(cluster)?.strip_prefix(':')?.strip_prefix(KIND),
    })
}

/// Whether a flag names an inventory.
#[must_use]
pub(crate) fn is_of_inventory(name: &str) -> bool {
    name.starts_with(KIND) || name.split_once(':').is_some_and(|(_, object)| object.starts_with(KIND))
}

/// Whether an inventory that a flag names has objects that are taken over, deleted or kept.
#[must_use]
pub(crate) fn is_used(given: &Allowed, plan: &Plan) -> bool {
    let names = |cluster: &'_ str| allowed(std::slice::from_ref(given), cluster).next().map(str::to_owned);
    let is_changed =
        |change: &Change| change.taken_from.is_some() && change.taken_from == names(&change.object.cluster);
    let is_kept = |cluster: &ClusterPlan| {
        names(&cluster.name).is_some_and(|name| cluster.inherited.iter().any(|id| *id == name || *id == id_of(&name)))
    };
    plan.changes.iter().any(is_changed) || plan.clusters.iter().any(is_kept)
}

/// Objects of the repository that belong to another inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// The cluster.
    pub cluster: String,
    /// The id of that inventory.
    pub id: String,
    /// What its parent says; `None` if it has none, or it could not be read.
    pub other: Option<Other>,
    /// The identity of this repository.
    pub ours: Option<String>,
    /// The objects.
    pub objects: Vec<ObjectRef>,
}

impl Foreign {
    /// The objects of each inventory that is not taken over.
    #[must_use]
    pub(crate) fn of(
        cluster: &str,
        found: Vec<(ObjectRef, String)>,
        known: &BTreeMap<String, Other>,
        inventory: &Inventory,
    ) -> Vec<Self> {
        let mut by_id: BTreeMap<String, Vec<ObjectRef>> = BTreeMap::new();
        for (object, id) in found {
            by_id.entry(id).or_default().push(object);
        }
        let foreign = |(id, objects): (String, Vec<ObjectRef>)| Self {
            cluster: cluster.to_owned(),
            other: known.get(&id).cloned(),
            ours: inventory.repository.clone(),
            id,
            objects,
        };
        by_id.into_iter().map(foreign).collect()
    }

    /// Why they are not applied, and the flag that takes them over.
    #[must_use]
    pub(crate) fn refusal(&self) -> Refusal {
        let names = self.objects.iter().map(|o| format!("{} {}", o.kind, full_name(o.namespace.as_deref(), &o.name)));
        let names = first(names, self.objects.len(), NAMED);
        let belong = if self.objects.len() == 1 { "belongs" } else { "belong" };
        let whose = match &self.other {
            Some(Other { repository: Some(theirs), .. }) if Some(theirs) == self.ours.as_ref() => {
                ", which this repository applied before the inventory or a cluster got another name or identity"
                    .to_owned()
            }
            Some(Other { repository: Some(theirs), .. }) => format!(" of another repository, {theirs}"),
            Some(Other { repository: None, .. }) => ", which does not say which repository it is of".to_owned(),
            None => ", whose record was not found".to_owned(),
        };
        let name = self.other.as_ref().map_or(&self.id, |other| &other.name);
        let id = if self.other.is_some() { format!(" ({})", self.id) } else { String::new() };
        let message = format!(
            "{} in {} ({names}) {belong} to another inventory, {name}{id}{whose}; take it over only if nobody applies it any more",
            count(self.objects.len(), "object"),
            self.cluster,
        );
        let cluster = if self.cluster == "management" { String::new() } else { format!("{}:", self.cluster) };
        let flag = Some(format!("{ADOPT} {cluster}{KIND}{name}"));
        Refusal { guard: "foreign-inventory".to_owned(), message, flag }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cluster::Target;
    use crate::plan::inventory;
    use serde_json::json;
    use std::collections::BTreeSet;

    const ME: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn of(name: &str, repository: Option<&str>) -> Inventory {
        inventory::of(&Target::Management, name, None).held_by(repository)
    }

    /// A parent as carrier has written it.
    fn parent(name: &str, repository: Option<&str>) -> Value {
        let mut parent = of(name, repository).parent(&BTreeSet::new(), &BTreeSet::new(), None);
        let fields = json!({"f:metadata": {"f:annotations": {format!("f:{REPOSITORY}"): {}}}});
        parent["metadata"]["managedFields"] = json!([{"manager": "carrier", "operation": "Apply", "fieldsV1": fields}]);
        parent
    }

    #[test]
    fn a_parent_is_believed_only_with_the_id_of_its_name() {
        let parent = parent("old", Some(ME));
        let mut forged = parent.clone();
        forged["metadata"]["name"] = json!("carrier-new");
        let mut silent = parent.clone();
        silent["metadata"]["annotations"][REPOSITORY] = json!("a\nb");
        let mut annotated = parent.clone();
        annotated["metadata"]["managedFields"][0]["manager"] = json!("kubectl-annotate");
        let known = read(&[forged.clone(), parent], Some(ME));
        let expected = Other { name: "carrier-old".into(), repository: Some(ME.into()) };
        assert_eq!(known, BTreeMap::from([(of("old", None).id, expected)]));
        assert!(read(&[forged], Some(ME)).is_empty());
        let repository = |parent: &Value, ours: &str| {
            read(std::slice::from_ref(parent), Some(ours)).into_values().next().expect("it has a name").repository
        };
        assert_eq!(repository(&annotated, ME), None, "somebody else says that it is this repository's");
        assert_eq!(repository(&annotated, OTHER).as_deref(), Some(ME), "whoever says so, it may be another's");
        assert_eq!(repository(&silent, ME), None);
    }

    #[test]
    fn a_flag_names_an_inventory_in_a_cluster() {
        let flag = |flag: &str, name: &str| Allowed { flag: flag.into(), name: name.into() };
        let flags = [
            flag(ADOPT, "inventory/a"),
            flag(ADOPT, "t/eu:inventory/b"),
            flag(ADOPT, "all"),
            flag(ADOPT, "namespace/c"),
            flag("--allow-delete", "inventory/d"),
        ];
        let names = |cluster: &str| allowed(&flags, cluster).collect::<Vec<_>>().join(" ");
        assert_eq!((names("management"), names("t/eu"), names("t/e")), ("a".into(), "b".into(), String::new()));
        assert!(is_of_inventory("t/eu:inventory/b") && is_of_inventory("inventory/a"));
        assert!(!is_of_inventory("all") && !is_of_inventory("namespace/inventory"));
    }

    #[test]
    fn a_refusal_says_whose_the_inventory_is() {
        let object = |name: &str| ObjectRef {
            cluster: "t/eu".into(),
            api_version: "v1".into(),
            kind: "Namespace".into(),
            namespace: None,
            name: name.into(),
        };
        let said = |named: Option<Option<&str>>, objects: &[&str]| {
            let parents: Vec<Value> = named.map(|repository| parent("old", repository)).into_iter().collect();
            let found = objects.iter().map(|name| (object(name), of("old", None).id)).collect();
            let groups = Foreign::of("t/eu", found, &read(&parents, Some(ME)), &of("new", Some(ME)));
            let [one] = groups.as_slice() else { panic!("{groups:?}") };
            let Refusal { message, flag, .. } = one.refusal();
            (message.replace(&of("old", None).id, "ID"), flag.unwrap_or_default().replace(&of("old", None).id, "ID"))
        };
        let tail = "; take it over only if nobody applies it any more";
        assert_eq!(
            said(Some(Some(ME)), &["a", "b", "c", "d"]),
            (
                format!(
                    "4 objects in t/eu (Namespace a, Namespace b, Namespace c and 1 more) belong to another inventory, carrier-old (ID), which this repository applied before the inventory or a cluster got another name or identity{tail}"
                ),
                "--adopt t/eu:inventory/carrier-old".to_owned()
            )
        );
        let one = "1 object in t/eu (Namespace a) belongs to another inventory, ";
        assert_eq!(
            said(Some(Some(OTHER)), &["a"]).0,
            format!("{one}carrier-old (ID) of another repository, {OTHER}{tail}")
        );
        assert_eq!(
            said(Some(None), &["a"]).0,
            format!("{one}carrier-old (ID), which does not say which repository it is of{tail}")
        );
        assert_eq!(
            said(None, &["a"]),
            (format!("{one}ID, whose record was not found{tail}"), "--adopt t/eu:inventory/ID".to_owned())
        );
    }
}
