//! The end of a run: faults end, everything is delivered, and then everything must be in step, and stay so without a
//! write.

use std::time::Duration;

use serde_json::{Value, json};

use super::laws::{condition, exposed, is_ours, place, uid};
use super::offer::KINDS;
use super::people::{HOLD, annotate, approve, instances, report, strip};
use super::server::is_deleting;
use super::world::World;
use crate::model::keys::{DELETION_POLICY, ORPHANED, PAUSED, SOURCE_UID};

/// More rounds than any run needs.
const ROUNDS: usize = 4_000;
/// Longer than any pause of sync's.
const LONG: Duration = Duration::from_mins(40);

/// Ends the faults, and mends what somebody has to mend.
fn mend(world: &mut World) {
    world.note("the faults end");
    world.lay_ghosts();
    world.is_cut = false;
    world.has_entry = true;
    if world.processes.is_empty() {
        super::faults::begin(world);
    }
    for process in 0..world.processes.len() {
        while world.processes[process].entry_gone.is_some() || world.processes[process].is_cut_off {
            super::faults::notice(world, process);
        }
    }
    for instance in instances() {
        let (tenant, copy) = (place(&instance, 0), place(&instance, 2));
        world.management.update(&tenant, "kubectl", "", |object| {
            annotate(object, PAUSED, None);
            annotate(object, DELETION_POLICY, None);
        });
        if world.management.get(&tenant).is_some_and(|tenant| is_deleting(&tenant)) {
            approve(world, &instance);
        }
        world.service.update(&copy, "operator", "", |object| strip(object, HOLD));
    }
    world.observe();
}

/// Delivers and works until nothing is left, for at most so long.
pub(super) fn work(world: &mut World, most: Duration) {
    let end = world.now + most;
    for _ in 0..ROUNDS {
        let mut progress = false;
        for process in 0..world.processes.len() {
            for level in 0..3 {
                while world.hear(process, level) {
                    progress = true;
                }
            }
            while world.begin(process) {
                progress = true;
            }
            while let Some(work) = world.processes[process].works.iter().position(|work| !work.tickets.is_empty()) {
                world.answer(process, work, 0, false);
                progress = true;
            }
        }
        if progress {
            continue;
        }
        let now = world.now;
        let due = world.processes.iter().filter_map(|process| process.shared.index().queue.next_due(now)).min();
        match due {
            Some(at) if at <= end => world.pass(at.saturating_sub(now).max(Duration::from_millis(1))),
            _ => return world.pass(end.saturating_sub(now)),
        }
    }
    world.fail("it does not come to rest");
}

/// Comes to rest, and holds what is there against what has to be there.
pub(super) fn settle(world: &mut World) {
    mend(world);
    work(world, LONG);
    while instances().filter(|instance| report(world, instance)).count() > 0 {
        work(world, LONG);
    }
    let before = (world.writes, world.management.version, world.service.version);
    work(world, LONG);
    if before != (world.writes, world.management.version, world.service.version) {
        world.fail("something is written although everything is in step");
    }
    for instance in instances() {
        if let Err(why) = check(world, &instance) {
            let key = |level| place(&instance, level);
            let seen = [0, 1].map(|level| world.management.get(&key(level)));
            let copy = world.service.get(&key(2));
            world.fail(&format!(
                "{}/{}: {why}\n{}",
                instance.0,
                instance.1,
                json!({"tenant": seen[0], "internal": seen[1], "copy": copy})
            ));
        }
    }
    for (at, process) in world.processes.iter().enumerate() {
        if !(0..3).all(|level| process.is_live(level)) {
            world.fail(&format!("the watches of process {at} are not open"));
        }
        let index = process.shared.index();
        let tenants = index.records().filter(|(_, record)| record.tenant.is_some()).count();
        let indexed = &index.services[&process.service];
        if (indexed.instances, indexed.deleting) != (tenants, 0) {
            let known =
                index.records().map(|(_, record)| format!("{}/{} {:?}", record.namespace, record.name, record.tenant));
            world.fail(&format!(
                "the breaker of process {at} counts {} and {}, of {tenants}: {}",
                indexed.instances,
                indexed.deleting,
                known.collect::<Vec<_>>().join("\n")
            ));
        }
    }
}

fn check(world: &World, instance: &(String, String)) -> Result<(), String> {
    let keys = [0, 1, 2].map(|level| place(instance, level));
    let internal = world.management.get(&keys[1]);
    let copy = world.service.get(&keys[2]);
    let ours = |at: usize, object: &Option<Value>| {
        let server = if at == 2 { &world.service } else { &world.management };
        object.as_ref().is_some_and(|object| is_ours(server, &keys[at], object))
    };
    let Some(tenant) = world.management.get(&keys[0]) else {
        let orphaned = copy.as_ref().is_some_and(|copy| copy["metadata"]["annotations"][ORPHANED] == "true");
        let is_left = (ours(2, &copy) && !orphaned) || ours(1, &internal);
        if is_left && !world.laws.excused.contains(instance) {
            return Err("a copy is left behind".to_owned());
        }
        return Ok(());
    };
    if is_deleting(&tenant) {
        return Err("its deletion does not end".to_owned());
    }
    let synced = condition(&tenant, "Synced").ok_or("there is no condition Synced")?;
    let stands = (synced["status"].as_str().unwrap_or_default(), synced["reason"].as_str().unwrap_or_default());
    let is_strange = |at: usize, object: &Option<Value>| object.is_some() && !ours(at, object);
    if is_strange(1, &internal) || is_strange(2, &copy) {
        return match stands {
            ("False", "Conflict") => Ok(()),
            other => Err(format!("there is a conflict, and the condition says {other:?}")),
        };
    }
    if stands != ("True", "InStep") {
        return Err(format!("it is not in step: {synced}"));
    }
    if synced["observedGeneration"] != tenant["metadata"]["generation"] {
        return Err("the condition speaks of another generation".to_owned());
    }
    let (internal, copy) = (internal.ok_or("there is no internal object")?, copy.ok_or("there is no copy")?);
    for (what, object) in [("internal object", &internal), ("copy", &copy)] {
        let wanted = exposed(&tenant);
        let is = exposed(object);
        let has = wanted.as_object().into_iter().flatten().all(|(key, value)| is.get(key) == Some(value));
        // What others add to the copy stays, and so does what nobody is known to have set.
        if !has || (what == "internal object" && is != wanted) {
            return Err(format!("the {what} has {is}, and not {wanted}"));
        }
        if object["metadata"]["annotations"][SOURCE_UID] != uid(&tenant) {
            return Err(format!("the {what} bears the UID of another tenant object"));
        }
    }
    if copy["metadata"]["annotations"].get(ORPHANED).is_some() {
        return Err("the copy is still called orphaned".to_owned());
    }
    if copy["spec"]["zone"] != internal["spec"]["zone"] || copy["spec"]["class"] != "fast" {
        return Err("a hidden field is not in the copy".to_owned());
    }
    let (shown, below) = (&tenant["status"], &copy["status"]);
    if shown["phase"] != below["phase"] || internal["status"]["phase"] != below["phase"] {
        return Err("the status is not that of the copy".to_owned());
    }
    if shown["observedGeneration"] != tenant["metadata"]["generation"] {
        return Err("the status does not speak of the present generation".to_owned());
    }
    match shown.get("secret") {
        None => Ok(()),
        Some(_) => Err(format!("a hidden field of the status is shown in {}", KINDS[0])),
    }
}
