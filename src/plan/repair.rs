//! What somebody has changed in carrier's own record, the parent of an inventory, and what the next run writes in its place.
//!
//! Values of the record are read as far as they can be. Which objects are members does not depend on its list of kinds:
//! carrier lists all kinds that it writes. A kind too many is no damage, since a run that was killed leaves it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::fields;
use super::inventory::{
    GROUP_KINDS, ID, Inventory, TOOLING, TOOLING_NAME, is_record_of_taken_damaged, kinds_text, recorded, unread,
};
use super::live::LiveObject;
use super::parent::{GroupKind, group_kinds};
use super::types::{ClusterPlan, Repair};
use super::words::{count, first};
use crate::model::keys::{TAKEN_INVENTORIES, annotation};
use crate::model::managed_fields::Manager;
use crate::model::plain;
use crate::model::resource::Resource;

/// So many managers, and entries that cannot be read, are named.
const NAMED: usize = 3;

/// The kinds of an inventory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kinds<'a> {
    /// Those of the objects that are members now.
    pub members: &'a BTreeSet<GroupKind>,
    /// Those of the objects that are members after the next run.
    pub left: &'a BTreeSet<GroupKind>,
}

/// What the next run repairs in a record; `None` if it is as carrier writes it. `inherited` are the ids of the inventories
/// that it names after the run, and `cluster` is the name of the cluster.
#[must_use]
pub(crate) fn of(
    cluster: &str,
    inventory: &Inventory,
    record: &Value,
    kinds: Kinds<'_>,
    inherited: &BTreeSet<String>,
) -> Option<Repair> {
    let due = inventory.parent(kinds.left, inherited, None);
    let id = record.pointer("/metadata/labels").and_then(|labels| labels.get(ID)).and_then(Value::as_str);
    let mut damaged: Vec<(&str, &str)> = Vec::new();
    if id != Some(inventory.id.as_str()) {
        damaged.push(("labels", ID));
    }
    let tool = annotation(record, TOOLING).and_then(|tool| tool.split_once('/'));
    if tool.map(|(name, _)| name) != Some(TOOLING_NAME) {
        damaged.push(("annotations", TOOLING));
    }
    if are_kinds_damaged(record, kinds) {
        damaged.push(("annotations", GROUP_KINDS));
    }
    let mut notes = Vec::new();
    if is_record_of_taken_damaged(record) {
        damaged.push(("annotations", TAKEN_INVENTORIES));
        notes.extend(loss(record, cluster));
    }
    if damaged.is_empty() {
        notes.extend(others(record));
    }
    let part = |of: &Value| {
        let mut metadata = Map::new();
        for key in ["labels", "annotations"] {
            metadata.insert(key.to_owned(), json!({}));
        }
        for (map, key) in &damaged {
            if let (Some(value), Some(Value::Object(into))) =
                (of.pointer(&format!("/metadata/{map}")).and_then(|map| map.get(*key)), metadata.get_mut(*map))
            {
                into.insert((*key).to_owned(), value.clone());
            }
        }
        json!({ "metadata": metadata })
    };
    let fields = fields::changes(&part(record), &part(&due));
    let name = format!("{}/{}", inventory.namespace, inventory.name);
    (!fields.is_empty() || !notes.is_empty()).then_some(Repair { record: name, fields, notes })
}

/// Whether the list of kinds is not one that carrier has written: other tools would not find all members by it.
fn are_kinds_damaged(record: &Value, Kinds { members, left }: Kinds<'_>) -> bool {
    let named = group_kinds(record);
    let is_rendered =
        |(group, kind): &GroupKind| Resource::rendered().iter().any(|one| one.group == *group && one.kind == *kind);
    annotation(record, GROUP_KINDS) != Some(kinds_text(&named).as_str())
        || !members.is_subset(&named)
        || !named.difference(left).all(is_rendered)
}

/// What is lost by entries in the list of inventories that cannot be read; `None` if all can.
fn loss(record: &Value, cluster: &str) -> Option<String> {
    let unread = unread(record);
    if unread.is_empty() {
        return None;
    }
    let names = first(unread.iter().map(|entry| plain::quoted(entry)), unread.len(), NAMED);
    let known = match recorded(record).len() {
        0 => String::new(),
        n => format!("{} can be read; ", count(n, "inventory id")),
    };
    let name = if unread.len() == 1 { "names" } else { "name" };
    let place = if cluster == "management" { String::new() } else { format!("{cluster}:") };
    Some(format!(
        "{known}{names} {name} no inventory: if an inventory that was taken over stood there, those of its objects that the \
         repository no longer has are no longer known, and are neither listed nor deleted; `--adopt {place}inventory/ID` finds \
         them again, where ID is their label applyset.kubernetes.io/part-of"
    ))
}

/// What is said if the values are right and others hold them, as after a restore by a backup tool; `None` if carrier does.
fn others(record: &Value) -> Option<String> {
    let live = LiveObject { body: record.clone() };
    let holds = |manager: &Manager<'_>, map: &str, key: &str| {
        let held = manager.fields.get("f:metadata").and_then(|metadata| metadata.get(map));
        held.is_some_and(|held| held.get(format!("f:{key}")).is_some())
    };
    let own = [("f:labels", ID), ("f:annotations", TOOLING), ("f:annotations", GROUP_KINDS)];
    if own.iter().all(|(map, key)| live.managers().filter(Manager::is_carrier).any(|manager| holds(&manager, map, key)))
    {
        return None;
    }
    let holders = live.managers().filter(|manager| !manager.is_carrier());
    let holders = holders.filter(|manager| own.iter().any(|(map, key)| holds(manager, map, key)));
    let names: BTreeSet<String> = holders.map(|manager| plain::name(manager.name).into_owned()).collect();
    let by = match names.len() {
        0 => String::new(),
        n => format!(", and {} does", first(names, n, NAMED)),
    };
    Some(format!("carrier does not manage its fields{by}; it takes them over"))
}

/// What is repaired in one cluster, as a heading; `None` if nothing is.
#[must_use]
pub(crate) fn heading(cluster: &ClusterPlan) -> Option<String> {
    let repair = cluster.inventory_repair.as_ref()?;
    Some(format!("the record of the inventory, ConfigMap {}, is repaired", repair.record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cluster::Target;
    use crate::plan::inventory;
    use crate::plan::types::FieldOp;

    const TAKEN: &str = "applyset-rXKv2qDiGZHvwjvnIXNv2Ie2mcb0DFGAx-AoXYukaJY-v1";

    fn kinds(names: &[&str]) -> BTreeSet<GroupKind> {
        let of = |name: &&str| match name.split_once('.') {
            Some((kind, group)) => (group.to_owned(), kind.to_owned()),
            None => (String::new(), (*name).to_owned()),
        };
        names.iter().map(of).collect()
    }

    fn inventory() -> Inventory {
        inventory::of(&Target::Management, "carrier", None)
    }

    /// A record of two kinds, as carrier has written it.
    fn record() -> Value {
        let mut record =
            inventory().parent(&kinds(&["Namespace", "Role.rbac.authorization.k8s.io"]), &BTreeSet::new(), Some("r"));
        let owned = |map: &str| {
            let keys = record["metadata"][map].as_object().into_iter().flatten();
            keys.map(|(key, _)| (format!("f:{key}"), json!({}))).collect::<Map<_, _>>()
        };
        let fields = json!({"f:metadata": {"f:labels": owned("labels"), "f:annotations": owned("annotations")}});
        record["metadata"]["managedFields"] = json!([{"manager": "carrier", "operation": "Apply", "fieldsV1": fields}]);
        record
    }

    fn found(record: &Value) -> Option<Repair> {
        let both = kinds(&["Namespace", "Role.rbac.authorization.k8s.io"]);
        of("team-a/eu", &inventory(), record, Kinds { members: &both, left: &both }, &BTreeSet::new())
    }

    /// The fields that are repaired, each as `op key`.
    fn fields(repair: Option<&Repair>) -> Vec<String> {
        let short = |path: &str| path.rsplit("~1").next().unwrap_or_default().to_owned();
        let fields = repair.into_iter().flat_map(|repair| &repair.fields);
        fields.map(|field| format!("{:?} {}", field.op, short(&field.path)).to_lowercase()).collect()
    }

    fn annotated(key: &str, value: &str) -> Value {
        let mut record = record();
        record["metadata"]["annotations"][key] = json!(value);
        record
    }

    #[test]
    fn what_carrier_has_written_is_not_repaired() {
        assert_eq!(found(&record()), None);
        // A newer version writes its own name with the next run, and a kind too many is left by a run that was killed.
        assert_eq!(found(&annotated(TOOLING, "carrier/v0.0.1")), None);
        let more = "Namespace,Role.rbac.authorization.k8s.io,RoleBinding.rbac.authorization.k8s.io";
        assert_eq!(found(&annotated(GROUP_KINDS, more)), None);
        assert_eq!(found(&annotated(TAKEN_INVENTORIES, TAKEN)), None);
    }

    #[test]
    fn every_damage_is_found_with_what_is_written() {
        for (value, written) in [
            ("foo,,Bar.!!", "Namespace,Role.rbac.authorization.k8s.io"),
            ("Namespace", "Namespace,Role.rbac.authorization.k8s.io"),
            ("", "Namespace,Role.rbac.authorization.k8s.io"),
            ("Namespace,Role.rbac.authorization.k8s.io,Secret", "Namespace,Role.rbac.authorization.k8s.io"),
            ("Role.rbac.authorization.k8s.io, Namespace", "Namespace,Role.rbac.authorization.k8s.io"),
        ] {
            let repair = found(&annotated(GROUP_KINDS, value)).expect("damaged");
            assert_eq!(fields(Some(&repair)), ["replace contains-group-kinds"], "{value}");
            let field = &repair.fields[0];
            assert_eq!((field.before.clone(), field.after.clone()), (Some(json!(value)), Some(json!(written))));
            assert_eq!((repair.record.as_str(), repair.notes.len()), ("kubecarrier-system/carrier-carrier", 0));
        }
        let mut bare = record();
        bare["metadata"]["labels"] = json!({"x": "y"});
        assert_eq!(fields(found(&bare).as_ref()), ["add id"]);
        bare["metadata"]["annotations"] = json!({});
        assert_eq!(fields(found(&bare).as_ref()), ["add contains-group-kinds", "add tooling", "add id"]);
        bare["metadata"].as_object_mut().expect("metadata").retain(|key, _| key == "name");
        assert_eq!(fields(found(&bare).as_ref()), ["add contains-group-kinds", "add tooling", "add id"]);
        assert_eq!(fields(found(&annotated(TOOLING, "kubectl/v1.37")).as_ref()), ["replace tooling"]);
    }

    #[test]
    fn what_is_lost_with_an_unreadable_inventory_is_said() {
        let repair = found(&annotated(TAKEN_INVENTORIES, "{broken")).expect("damaged");
        assert_eq!((repair.fields[0].op, repair.fields[0].before.clone()), (FieldOp::Remove, Some(json!("{broken"))));
        assert!(repair.notes[0].starts_with("“{broken” names no inventory"), "{:?}", repair.notes);
        assert!(repair.notes[0].contains("`--adopt team-a/eu:inventory/ID` finds them again"), "{:?}", repair.notes);
        // What can be read is read.
        let half = annotated(TAKEN_INVENTORIES, &format!("{TAKEN},{{broken"));
        assert_eq!(recorded(&half), BTreeSet::from([TAKEN.to_owned()]));
        let note = found(&half).expect("damaged").notes.concat();
        assert!(note.starts_with("1 inventory id can be read; “{broken” names no"), "{note}");
    }

    #[test]
    fn a_restored_record_is_taken_over() {
        let mut restored = record();
        restored["metadata"]["managedFields"][0]["manager"] = json!("velero-server");
        restored["metadata"]["managedFields"][0]["operation"] = json!("Update");
        let repair = found(&restored).expect("not carrier's");
        assert_eq!(repair.fields, []);
        let note = "carrier does not manage its fields, and velero-server does; it takes them over";
        assert_eq!(repair.notes, [note]);
    }
}
