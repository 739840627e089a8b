//! What somebody has changed in carrier's own record, the parent of an inventory, and what the next run writes in its place.
//!
//! Values of the record are read as far as they can be. Which objects are members does not depend on its list of kinds:
//! carrier lists all kinds that it writes. A kind too many is no damage, since a run that was killed leaves it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::adoption::ADOPT;
use super::fields;
use super::inventory::{
    GROUP_KINDS, ID, Inventory, TOOLING, TOOLING_NAME, is_taken_list_damaged, kinds_text, uncounted_ids,
    unreadable_entries,
};
use super::live::LiveObject;
use super::parent::{GroupKind, group_kinds, is_known, unknown_kinds};
use super::types::{Refusal, Repair};
use super::words::{count, first};
use crate::model::keys::{REPOSITORY, TAKEN_INVENTORIES, annotation};
use crate::model::managed_fields::Manager;
use crate::model::plain;

/// So many managers, and entries that cannot be read, are named.
const NAMED: usize = 3;
/// So many inventories that do not count are named, each with its flag.
const UNCOUNTED: usize = 10;
/// Longer entries that cannot be read are cut, in characters.
const LONGEST: usize = 80;

/// A label or an annotation of the record: `labels` or `annotations`, and its key.
type Entry = (&'static str, &'static str);

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
    let left = kinds.left | &unknown_kinds(record);
    let kinds = Kinds { left: &left, ..kinds };
    let due = inventory.parent(kinds.left, inherited, None);
    let id = record.pointer("/metadata/labels").and_then(|labels| labels.get(ID)).and_then(Value::as_str);
    let tool = annotation(record, TOOLING).and_then(|tool| tool.split_once('/'));
    let is_damaged = [
        (("labels", ID), id != Some(inventory.id.as_str())),
        (("annotations", TOOLING), tool.map(|(name, _)| name) != Some(TOOLING_NAME)),
        (("annotations", GROUP_KINDS), are_kinds_damaged(record, kinds)),
        (("annotations", TAKEN_INVENTORIES), is_taken_list_damaged(record)),
    ];
    let damaged: Vec<Entry> = is_damaged.into_iter().filter(|(_, is)| *is).map(|(entry, _)| entry).collect();
    let fields = fields::changes(&part(record, &damaged), &part(&due, &damaged));
    let mut notes = uncounted(cluster, inventory, record, inherited);
    notes.extend(unreadable(cluster, record));
    notes.extend(others(inventory, record, &damaged));
    let name = format!("{}/{}", inventory.namespace, inventory.name);
    (!fields.is_empty() || !notes.is_empty()).then_some(Repair { record: name, fields, notes })
}

/// These entries of a record, in an object of their own.
fn part(of: &Value, entries: &[Entry]) -> Value {
    let mut part = json!({"metadata": {"labels": {}, "annotations": {}}});
    for (map, key) in entries {
        if let Some(value) = of["metadata"][map].get(key) {
            part["metadata"][map][key] = value.clone();
        }
    }
    part
}

/// Whether the list of kinds is not one that carrier has written: other tools would not find all members by it.
fn are_kinds_damaged(record: &Value, Kinds { members, left }: Kinds<'_>) -> bool {
    let named = group_kinds(record);
    annotation(record, GROUP_KINDS) != Some(kinds_text(&named).as_str())
        || !members.is_subset(&named)
        || !named.difference(left).all(is_known)
}

/// What is said of each inventory that the record names and that does not count, since carrier has not written it.
fn uncounted(cluster: &str, inventory: &Inventory, record: &Value, inherited: &BTreeSet<String>) -> Vec<String> {
    let mut ids = uncounted_ids(record);
    ids.remove(&inventory.id);
    let by = writers_of(record, TAKEN_INVENTORIES);
    let note = |id: &String| match inventory.taken.contains_key(id) {
        true if inherited.contains(id) => format!("{id}, which {by} has written into it, is confirmed by `{ADOPT}`"),
        true => format!("{id}, which {by} has written into it, has no objects that stay, and is removed from it"),
        false => format!(
            "{id} does not count until it is confirmed: {by} has written it, and not carrier. Objects of that inventory that \
             the repository no longer has are neither listed nor deleted; if this repository has taken it over, \
             `{ADOPT} {}inventory/{id}` confirms that",
            place(cluster)
        ),
    };
    let mut notes: Vec<String> = ids.iter().take(UNCOUNTED).map(note).collect();
    if ids.len() > UNCOUNTED {
        notes.push(format!("{} do not count either", count(ids.len() - UNCOUNTED, "more inventory id")));
    }
    notes
}

/// The refusal of a run that would remove inventories from the record which nobody has confirmed: if this repository has
/// taken them over, their objects would be forgotten, and `carrier sync` would lose its permissions for what stays of them.
#[must_use]
pub(crate) fn unconfirmed(cluster: &str, inventory: &Inventory, record: &Value) -> Option<Refusal> {
    let mut ids = uncounted_ids(record);
    ids.retain(|id| *id != inventory.id && !inventory.taken.contains_key(id));
    if ids.is_empty() {
        return None;
    }
    let by = writers_of(record, TAKEN_INVENTORIES);
    let names = first(ids.iter().cloned(), ids.len(), NAMED);
    let message = format!(
        "{by} and not carrier has written into the ConfigMap {}/{} in {cluster} that this inventory has taken over {names}; \
         if that is not so, remove the annotation {TAKEN_INVENTORIES} from it: with the next run, what stays of them would \
         be forgotten",
        inventory.namespace, inventory.name
    );
    let flags: Vec<String> = ids.iter().map(|id| format!("{ADOPT} {}inventory/{id}", place(cluster))).collect();
    let flag = (ids.len() <= UNCOUNTED).then(|| flags.join(" "));
    Some(Refusal { guard: "foreign-inventory".to_owned(), message, flag })
}

/// What is lost by entries in the list of inventories that cannot be read; `None` if all can.
fn unreadable(cluster: &str, record: &Value) -> Option<String> {
    let entries = unreadable_entries(record);
    if entries.is_empty() {
        return None;
    }
    let names = entries.iter().map(|entry| plain::quoted(&plain::cut(entry, LONGEST)));
    let names = first(names, entries.len(), NAMED);
    let name = if entries.len() == 1 { "names" } else { "name" };
    Some(format!(
        "{names} {name} no inventory: if an inventory that was taken over stood there, those of its objects that the \
         repository no longer has are no longer known, and are neither listed nor deleted; `{ADOPT} {}inventory/ID` finds \
         them again, where ID is their label applyset.kubernetes.io/part-of",
        place(cluster)
    ))
}

/// What a flag has before the name of an object or an inventory in a cluster.
fn place(cluster: &str) -> String {
    if cluster == "management" { String::new() } else { format!("{cluster}:") }
}

/// What is said if values are right and others hold them, as after a restore by a backup tool; `None` if carrier does.
fn others(inventory: &Inventory, record: &Value, damaged: &[Entry]) -> Option<String> {
    let own = [("labels", ID), ("annotations", TOOLING), ("annotations", GROUP_KINDS), ("annotations", REPOSITORY)];
    let is_meant = |entry: &Entry| !damaged.contains(entry) && (entry.1 != REPOSITORY || is_named(inventory, record));
    let own: Vec<Entry> = own.into_iter().filter(is_meant).collect();
    let live = LiveObject { body: record.clone() };
    let is_carriers = |(map, key): &Entry| live.managers().any(|one| one.is_carrier() && one.owns(map, key));
    let lost: Vec<Entry> = own.iter().copied().filter(|entry| !is_carriers(entry)).collect();
    let (what, them) = match lost.as_slice() {
        [] => return None,
        [(_, key)] => (format!("its {key}"), "it"),
        _ => ("its fields".to_owned(), "them"),
    };
    let by = match others_of(record, &lost) {
        names if names.is_empty() => names,
        names => format!(", and {names} does"),
    };
    Some(format!("carrier does not manage {what}{by}; it takes {them} over"))
}

/// Whether the record has the identity of this repository.
fn is_named(inventory: &Inventory, record: &Value) -> bool {
    inventory.repository.is_some() && annotation(record, REPOSITORY) == inventory.repository.as_deref()
}

/// Who but carrier has written an annotation, by the names of the managers, or in words if they are not known.
#[must_use]
pub(crate) fn writers_of(record: &Value, annotation: &str) -> String {
    match others_of(record, &[("annotations", annotation)]) {
        names if names.is_empty() => "somebody else".to_owned(),
        names => names,
    }
}

/// The other managers that hold one of these entries, by their names; empty if nobody does.
fn others_of(record: &Value, entries: &[(&str, &str)]) -> String {
    let live = LiveObject { body: record.clone() };
    let holds = |manager: &Manager<'_>| entries.iter().any(|(map, key)| manager.owns(map, key));
    let holders = live.managers().filter(|manager| !manager.is_carrier() && holds(manager));
    let names: BTreeSet<String> = holders.map(|manager| plain::name(manager.name).into_owned()).collect();
    let all = names.len();
    first(names, all, NAMED)
}

/// What is repaired, as a heading.
#[must_use]
pub(crate) fn heading(repair: &Repair) -> String {
    format!("the record of the inventory, ConfigMap {}, is repaired", repair.record)
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::model::cluster::Target;
    use crate::plan::inventory::{self, taken_ids};
    use crate::plan::types::FieldOp;

    const TAKEN: &str = "applyset-TTnvQ6nXJkYv4kJ0g3l7oX8uJv8s1cWm2e5rT9yUiOp-v1";

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

    /// The record after another manager has changed one annotation: a server takes it from its owner.
    fn annotated(key: &str, value: &str) -> Value {
        let mut record = written(key, value);
        let field = format!("f:{key}");
        let entries = record["metadata"]["managedFields"].as_array_mut().expect("entries");
        if let Some(owned) = entries[0]["fieldsV1"]["f:metadata"]["f:annotations"].as_object_mut() {
            owned.remove(&field);
        }
        let fields = json!({"f:metadata": {"f:annotations": {field: {}}}});
        entries.push(json!({"manager": "kubectl-annotate", "operation": "Update", "fieldsV1": fields}));
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

    /// The record with an annotation that carrier has written.
    fn written(key: &str, value: &str) -> Value {
        let mut record = record();
        record["metadata"]["annotations"][key] = json!(value);
        record["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]["f:annotations"][format!("f:{key}")] =
            json!({});
        record
    }

    #[test]
    fn what_carrier_has_written_is_not_repaired() {
        assert_eq!(found(&record()), None);
        // A newer version writes its own name with the next run, and a kind too many is left by a run that was killed.
        assert_eq!(found(&written(TOOLING, "carrier/v0.0.1")), None);
        let more = "Namespace,Role.rbac.authorization.k8s.io,RoleBinding.rbac.authorization.k8s.io";
        assert_eq!(found(&written(GROUP_KINDS, more)), None);
        assert_eq!(found(&written(TAKEN_INVENTORIES, TAKEN)), None);
        // A newer version may write kinds that this one does not know.
        let newer = "Namespace,NetworkPolicy.networking.k8s.io,Role.rbac.authorization.k8s.io";
        assert_eq!(found(&written(GROUP_KINDS, newer)), None);
        let mut restored = written(GROUP_KINDS, newer);
        restored["metadata"]["annotations"][TOOLING] = json!("carrier/v999.0.0");
        restored["metadata"]["managedFields"][0]["manager"] = json!("velero-server");
        assert_eq!(found(&restored).expect("not carrier's").fields, []);
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
        // An entry may be as long as an object.
        let long = found(&annotated(TAKEN_INVENTORIES, &"x".repeat(200_000))).expect("damaged");
        let size = serde_json::to_string(&long).expect("plain data").len();
        assert!(size < 2_000, "{size}");
    }

    #[test]
    fn an_inventory_that_carrier_has_not_written_does_not_count() {
        let forged = annotated(TAKEN_INVENTORIES, TAKEN);
        assert_eq!(taken_ids(&forged), BTreeSet::new());
        let repair = found(&forged).expect("not carrier's");
        assert_eq!(fields(Some(&repair)), ["remove taken-inventories"]);
        let [note] = repair.notes.as_slice() else { panic!("{:?}", repair.notes) };
        assert!(
            note.starts_with(&format!(
                "{TAKEN} does not count until it is confirmed: kubectl-annotate has written it, and not"
            )),
            "{note}"
        );
        assert!(note.ends_with(&format!("`--adopt team-a/eu:inventory/{TAKEN}` confirms that")), "{note}");
        // Neither does what stood there before: nobody knows which of them carrier has written.
        // A run would remove it: it is refused until somebody says which is true.
        let refusal = unconfirmed("team-a/eu", &inventory(), &forged).expect("nobody has confirmed it");
        assert_eq!(refusal.flag, Some(format!("--adopt team-a/eu:inventory/{TAKEN}")));
        assert!(refusal.message.starts_with("kubectl-annotate and not carrier has written into the ConfigMap "));
        let confirmed = inventory().taking_over([TAKEN].into_iter());
        assert_eq!(unconfirmed("team-a/eu", &confirmed, &forged), None);
        assert_eq!(unconfirmed("team-a/eu", &inventory(), &written(TAKEN_INVENTORIES, TAKEN)), None);
        let half = annotated(TAKEN_INVENTORIES, &format!("{TAKEN},{{broken"));
        assert_eq!(taken_ids(&half), BTreeSet::new());
        assert_eq!(found(&half).expect("damaged").notes.len(), 2);
        // Somebody who only sets the same value takes nothing from carrier.
        let mut shared = written(TAKEN_INVENTORIES, TAKEN);
        let entry = annotated(TAKEN_INVENTORIES, TAKEN)["metadata"]["managedFields"][1].clone();
        shared["metadata"]["managedFields"].as_array_mut().expect("entries").push(entry);
        assert_eq!((taken_ids(&shared), found(&shared)), (BTreeSet::from([TAKEN.to_owned()]), None));

        // Confirmed by the flag, it is recorded, and the plan says so.
        let both = kinds(&["Namespace", "Role.rbac.authorization.k8s.io"]);
        let confirmed = |left: &[&str]| {
            let inventory = inventory().taking_over([TAKEN].into_iter());
            let inherited = left.iter().map(|id| (*id).to_owned()).collect();
            of("management", &inventory, &forged, Kinds { members: &both, left: &both }, &inherited)
        };
        let repair = confirmed(&[TAKEN]).expect("it becomes carrier's");
        let note = format!("{TAKEN}, which kubectl-annotate has written into it, is confirmed by `--adopt`");
        assert_eq!((repair.fields, repair.notes), (vec![], vec![note]));
        assert_eq!(fields(confirmed(&[]).as_ref()), ["remove taken-inventories"]);

        // Of many, so many are named that a plan stays short.
        let many: Vec<String> = (0..3000).map(|n| format!("applyset-{n}-v1")).collect();
        let repair = found(&annotated(TAKEN_INVENTORIES, &many.join(","))).expect("not carrier's");
        assert_eq!(repair.notes.len(), UNCOUNTED + 1);
        assert_eq!(repair.notes[UNCOUNTED], "2990 more inventory ids do not count either");
    }

    #[test]
    fn the_name_of_the_repository_is_carriers() {
        let named = |record: &Value| {
            let inventory = inventory().held_by(Some("me"));
            let both = kinds(&["Namespace", "Role.rbac.authorization.k8s.io"]);
            of("management", &inventory, record, Kinds { members: &both, left: &both }, &BTreeSet::new())
        };
        assert_eq!(named(&written(REPOSITORY, "me")), None);
        let notes = named(&annotated(REPOSITORY, "me")).expect("not carrier's").notes;
        let note = "carrier does not manage its carrier.kubecarrier.io/repository, and kubectl-annotate does; it takes it over";
        assert_eq!(notes, [note]);
        assert_eq!(named(&record()), None, "a record without one is claimed, not repaired");
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
