//! What must hold after every request of the model, whatever happened before (`DESIGN.md` §8).

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};

use super::offer::{self, KINDS, MANAGEMENT};
use super::process::{Process, Ticket};
use super::server::{Change, Key, Server, is_deleting};
use crate::model::keys::{
    ADOPT, APPROVED_DELETION, DELETION_POLICY, FINALIZER, MANAGEMENT_CLUSTER, SOURCE, SOURCE_UID,
};
use crate::sync::queue::Id;
use crate::sync::service::{INTERNAL_MANAGER, SERVICE_MANAGER};

/// A tenant's namespace and a name.
pub(super) type Instance = (String, String);

/// What is known of the past.
#[derive(Debug, Default)]
pub(super) struct Laws {
    /// The UIDs of tenant objects that were in deletion while the policy was Delete.
    deletable: BTreeSet<String>,
    /// Those that were in deletion while it was Orphan.
    orphaning: BTreeSet<String>,
    /// All UIDs of tenant objects of an instance.
    uids: BTreeMap<Instance, BTreeSet<String>>,
    /// What the exposed fields of a tenant object were, by UID and generation.
    wanted: BTreeMap<String, BTreeMap<i64, Value>>,
    /// Generations that the copy has had.
    arrived: BTreeSet<(String, i64)>,
    /// The step at which each copy was made, by UID.
    made: BTreeMap<String, u64>,
    /// The UIDs of objects that have borne our marks.
    marked: BTreeSet<String>,
    /// Instances whose copies may be left without a tenant object.
    pub excused: BTreeSet<Instance>,
}

fn text<'v>(object: &'v Value, section: &str, key: &str) -> &'v str {
    object["metadata"][section][key].as_str().unwrap_or_default()
}

/// The UID of an object.
pub(super) fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

/// The deletion policy that holds for a tenant object.
fn policy(tenant: &Value) -> &str {
    match text(tenant, "annotations", DELETION_POLICY) {
        known @ ("Orphan" | "Block") => known,
        _ => "Delete",
    }
}

/// The instance that an object of a kind belongs to.
pub(super) fn instance(key: &Key) -> Instance {
    match key.0 == KINDS[2] {
        true => (offer::above(&key.1).to_owned(), key.2.clone()),
        false => (key.1.clone(), key.2.clone()),
    }
}

/// The place of an instance on a level.
pub(super) fn place(instance: &Instance, level: usize) -> Key {
    let namespace = if level == 2 { offer::assigned(&instance.0).to_owned() } else { instance.0.clone() };
    (KINDS[level], namespace, instance.1.clone())
}

/// Whether an object bears our marks, or did.
pub(super) fn is_ours(server: &Server, key: &Key, object: &Value) -> bool {
    let (namespace, name) = instance(key);
    let source = format!("{namespace}/{}/{name}", KINDS[0]);
    let management = text(object, "labels", MANAGEMENT_CLUSTER);
    let marks = (management, text(object, "annotations", SOURCE), text(object, "annotations", SOURCE_UID));
    if (!marks.0.is_empty() && marks.0 != MANAGEMENT) || (!marks.1.is_empty() && marks.1 != source) {
        return false;
    }
    let manager = if key.0 == KINDS[2] { SERVICE_MANAGER } else { INTERNAL_MANAGER };
    let applied = server.objects.get(key).is_some_and(|object| object.is_applied_by(manager));
    (!marks.0.is_empty() && !marks.1.is_empty() && !marks.2.is_empty()) || applied
}

fn bears_marks(object: &Value) -> bool {
    text(object, "labels", MANAGEMENT_CLUSTER) == MANAGEMENT && !text(object, "annotations", SOURCE_UID).is_empty()
}

/// The exposed fields of an object that are set.
pub(super) fn exposed(object: &Value) -> Value {
    let mut part = json!({});
    for field in ["size", "extra"] {
        if let Some(value) = object["spec"].get(field) {
            part[field] = value.clone();
        }
    }
    part
}

fn has_arrived(copy: &Value, wanted: &Value) -> bool {
    wanted.as_object().into_iter().flatten().all(|(field, value)| copy["spec"].get(field) == Some(value))
}

impl Laws {
    /// Takes a change in.
    pub(super) fn observe(&mut self, change: &Change, step: u64, service: &Server) {
        let instance = instance(&change.key);
        let Some(after) = &change.after else { return };
        if change.key.0 != KINDS[0] && bears_marks(after) {
            self.marked.insert(uid(after).to_owned());
        }
        if change.key.0 == KINDS[2] {
            self.made.entry(uid(after).to_owned()).or_insert(step);
            self.arrive(&instance, after);
        }
        if change.key.0 != KINDS[0] {
            return;
        }
        let tenant = uid(after).to_owned();
        self.uids.entry(instance.clone()).or_default().insert(tenant.clone());
        let generation = after["metadata"]["generation"].as_i64().unwrap_or_default();
        self.wanted.entry(tenant.clone()).or_default().insert(generation, exposed(after));
        if is_deleting(after) {
            match policy(after) {
                "Delete" => drop(self.deletable.insert(tenant)),
                "Orphan" => drop(self.orphaning.insert(tenant)),
                _ => {}
            }
        }
        if let Some(copy) = service.get(&place(&instance, 2)) {
            self.arrive(&instance, &copy);
        }
    }

    fn arrive(&mut self, instance: &Instance, copy: &Value) {
        for tenant in self.uids.get(instance).into_iter().flatten() {
            for (generation, wanted) in self.wanted.get(tenant).into_iter().flatten() {
                if has_arrived(copy, wanted) {
                    self.arrived.insert((tenant.clone(), *generation));
                }
            }
        }
    }

    /// Judges a request at the moment at which the server executes it: by what is there. `before` is the object as it
    /// was, `change` what became of it.
    pub(super) fn executed(
        &self,
        (management, service): (&Server, &Server),
        ticket: &Ticket,
        change: &Change,
        before_was_ours: bool,
        began: u64,
    ) -> Result<(), String> {
        let key = &change.key;
        let instance = instance(key);
        let was_there = change.before.is_some();
        let is_delete = *ticket.request.method() == Method::DELETE;
        if key.0 != KINDS[0] && was_there && !before_was_ours {
            let is = |holds: &dyn Fn(&Value) -> bool| change.before.as_ref().is_some_and(holds);
            let adopt = is(&|before| text(before, "annotations", ADOPT) == "true");
            // Who strips the marks between a decision and its write does not make the object somebody else's.
            let was_marked = is(&|before| self.marked.contains(uid(before)));
            if is_delete || !(adopt || was_marked) {
                return Err("somebody else's object is changed or deleted".to_owned());
            }
        }
        match (key.0 == KINDS[0], key.0 == KINDS[2], is_delete) {
            (true, _, true) => return Err("a tenant object is deleted".to_owned()),
            (_, true, true) => self.may_be_deleted(management, &instance, change)?,
            (true, _, _) => self.tenant_written(service, &instance, change, began)?,
            _ => {}
        }
        if key.0 == KINDS[2] {
            one_copy(service)?;
        }
        if key.0 == KINDS[1]
            && let Some(after) = &change.after
            && generations(after).any(|number| !(1_000_000..2_000_000).contains(&number))
        {
            return Err("a foreign generation in an internal status".to_owned());
        }
        Ok(())
    }

    fn may_be_deleted(&self, management: &Server, instance: &Instance, change: &Change) -> Result<(), String> {
        let Some(copy) = &change.before else { return Ok(()) };
        if text(copy, "annotations", APPROVED_DELETION) == uid(copy) {
            return Ok(());
        }
        let of = text(copy, "annotations", SOURCE_UID);
        if self.deletable.contains(of) {
            return Ok(());
        }
        let tenant = management.get(&place(instance, 0));
        if tenant.is_some_and(|tenant| uid(&tenant) == of && !is_deleting(&tenant)) {
            return Err("the copy of a tenant object that is not in deletion is deleted".to_owned());
        }
        match self.uids.get(instance).into_iter().flatten().any(|uid| self.deletable.contains(uid)) {
            true => Ok(()),
            false => Err("a copy is deleted, and no deletion of its tenant object was to be seen".to_owned()),
        }
    }

    fn tenant_written(&self, service: &Server, instance: &Instance, change: &Change, began: u64) -> Result<(), String> {
        let has_finalizer = |object: &Value| {
            object["metadata"]["finalizers"].as_array().is_some_and(|list| list.contains(&json!(FINALIZER)))
        };
        let Some(before) = &change.before else { return Err("a tenant object is made".to_owned()) };
        let tenant = uid(before).to_owned();
        let is_released = change.after.as_ref().is_none_or(|after| has_finalizer(before) && !has_finalizer(after));
        if is_released && !self.orphaning.contains(&tenant) {
            let key = place(instance, 2);
            let left = service.get(&key).filter(|copy| is_ours(service, &key, copy));
            // What another process made after this one had looked is that one's.
            let is_seen = |copy: &Value| self.made.get(uid(copy)).is_some_and(|made| *made < began);
            if left.is_some_and(|copy| is_seen(&copy)) {
                return Err("the finalizer is released while the copy is there".to_owned());
            }
        }
        let Some(after) = &change.after else { return Ok(()) };
        if generations(after).any(|number| number >= 1_000_000) {
            return Err("a foreign generation in a tenant status".to_owned());
        }
        let synced = condition(after, "Synced");
        let shown =
            synced.and_then(|synced| Some((synced["status"].as_str()?, synced["observedGeneration"].as_i64()?)));
        if let Some(("True", generation)) = shown
            && condition(before, "Synced") != synced
            && !self.arrived.contains(&(tenant.clone(), generation))
        {
            return Err(format!("Synced is True for the generation {generation}, which has not arrived"));
        }
        if let Some(generation) = after["status"]["observedGeneration"].as_i64()
            && !self.arrived.contains(&(tenant, generation))
        {
            return Err(format!("the status speaks of the generation {generation}, which has not arrived"));
        }
        Ok(())
    }
}

/// Judges a request at the moment at which it is sent: by what the process knows.
pub(super) fn sent(process: &Process, (id, was_paused): (Id, bool), ticket: &Ticket) -> Result<(), String> {
    if *ticket.request.method() == Method::GET {
        return Ok(());
    }
    let index = process.shared.index();
    let Some(record) = index.record(id) else { return Err("a write for an instance that is not known".to_owned()) };
    let (key, sub) = super::server::path(&ticket.request).ok_or("a request for an unknown kind")?;
    if instance(&key) != (record.namespace.to_string(), record.name.to_string()) {
        return Err("a write for another instance".to_owned());
    }
    let Some(tenant) = &record.tenant else {
        let approved = record.service.as_ref().is_some_and(|copy| copy.approved)
            || record.internal.as_ref().is_some_and(|copy| copy.approved);
        let deletes = *ticket.request.method() == Method::DELETE;
        return if approved || !deletes {
            Ok(())
        } else {
            Err("a deletion without a tenant object or approval".to_owned())
        };
    };
    if tenant.paused && was_paused && !(key.0 == KINDS[0] && sub == "status") {
        return Err("a write below a pause".to_owned());
    }
    let begins = *ticket.request.method() == Method::DELETE
        && key.0 == KINDS[2]
        && record.service.as_ref().is_some_and(|service| !service.seen.deleting);
    if !begins || tenant.approved {
        return Ok(());
    }
    if process.entry_gone.is_some() {
        return Err("a deletion begins while the CatalogEntry is gone".to_owned());
    }
    // Counted here once more, from the records.
    let tenants = || index.records().filter_map(|(_, record)| record.tenant.as_ref());
    let deleting = tenants().filter(|tenant| tenant.seen.deleting && !tenant.approved).count();
    let now = process.shared.now();
    let done = process.finished.iter().filter(|at| **at + std::time::Duration::from_mins(10) > now).count();
    let (gone, all) = (deleting + done, tenants().count() + done);
    if gone > 2 && gone * 100 > all * 30 {
        return Err(format!(
            "a deletion begins although {gone} of {all} go: {deleting} in deletion, {:?} finished, {:?}",
            process.finished, index.services[&process.service].breaker
        ));
    }
    Ok(())
}

/// A condition.
pub(super) fn condition<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}

fn generations(object: &Value) -> impl Iterator<Item = i64> {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let all = conditions.map(|condition| &condition["observedGeneration"]);
    all.chain([&object["status"]["observedGeneration"]]).filter_map(Value::as_i64)
}

fn one_copy(service: &Server) -> Result<(), String> {
    let mut sources = BTreeSet::new();
    for (key, object) in service.objects.iter().filter(|(key, _)| key.0 == KINDS[2]) {
        let source = text(&object.body, "annotations", SOURCE);
        if text(&object.body, "labels", MANAGEMENT_CLUSTER) != MANAGEMENT || source.is_empty() {
            continue;
        }
        if !sources.insert(source.to_owned()) {
            return Err(format!("two copies of {source}"));
        }
        if !source.starts_with(&format!("{}/", offer::above(&key.1))) {
            return Err(format!("a copy of {source} in another tenant's namespace"));
        }
    }
    Ok(())
}
