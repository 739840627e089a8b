//! What goes wrong beside single requests: watches, connections, processes, and whole clusters.

use super::laws::place;
use super::managed::Owned;
use super::offer::KINDS;
use super::people::instances;
use super::process::Process;
use super::world::World;
use serde_json::{Value, json};

/// Something goes wrong, or is mended.
pub(super) fn strike(world: &mut World) {
    let count = world.processes.len();
    let process = world.rng.usize(0..count.max(1));
    match world.rng.u32(0..100) {
        0..30 if count > 0 => {
            let (level, goes_on) = (world.rng.usize(0..3), world.rng.bool());
            world.note(format!("process {process} loses the watch of {}", KINDS[level]));
            world.processes[process].lose(level, goes_on);
        }
        30..42 => {
            world.is_cut = !world.is_cut;
            world.note(if world.is_cut { "the service cluster is cut off" } else { "the service cluster is back" });
        }
        42..57 if count > 0 => notice(world, process),
        57..70 if count > 0 => {
            world.note(format!("process {process} is killed"));
            world.kill(process);
        }
        70..82 if count == 0 || (count < 2 && !world.is_calm) => begin(world),
        82..90 => {
            world.has_entry = !world.has_entry;
            world.note(if world.has_entry { "the CatalogEntry is back" } else { "the CatalogEntry is gone" });
        }
        90..94 => {
            world.note("the management cluster is backed up");
            world.backup = Some(world.management.objects.clone());
        }
        94..96 if !world.is_calm => restore(world),
        96..98 if !world.is_calm => move_house(world),
        _ => {}
    }
    if world.processes.len() > 1 {
        // Two that work at once may each make what the other has just deleted: a lease keeps them apart.
        world.laws.excused.extend(instances());
    }
}

/// A process begins.
pub(super) fn begin(world: &mut World) {
    let has_entry = world.has_entry;
    let process = Process::new(world.now, has_entry);
    world.processes.push(process);
    world.note("a process begins");
}

/// A process learns how things are.
pub(super) fn notice(world: &mut World, process: usize) {
    let (has_entry, is_cut, step) = (world.has_entry, world.is_cut, world.step);
    let anew = world.rng.bool();
    let of = &mut world.processes[process];
    if of.entry_gone.is_some() == has_entry {
        of.entry(has_entry, step);
        world.note(format!(
            "process {process} learns that the CatalogEntry is {}",
            if has_entry { "back" } else { "gone" }
        ));
    } else if of.is_cut_off != is_cut {
        of.reach(!is_cut, anew);
        if is_cut {
            of.lose(2, !anew);
        }
        world.note(format!(
            "process {process} learns that the service cluster is {}",
            if is_cut { "cut off" } else { "back" }
        ));
    }
}

fn lose_all(world: &mut World) {
    for process in &mut world.processes {
        process.lose(0, false);
        process.lose(1, false);
    }
}

/// The management cluster goes back to its backup, and sync begins anew, as every controller has to.
fn restore(world: &mut World) {
    let Some(backup) = world.backup.take() else { return };
    while !world.processes.is_empty() {
        world.kill(0);
    }
    world.lay_ghosts();
    world.management.restore(backup);
    world.laws.excused.extend(instances());
    world.note("the management cluster is restored");
    begin(world);
}

/// Tenant objects are made anew with other UIDs, as by a backup tool, with the internal objects or without.
fn move_house(world: &mut World) {
    let (with_internal, with_owners, with_finalizers) = (world.rng.bool(), world.rng.bool(), world.rng.bool());
    lose_all(world);
    for instance in instances() {
        for level in 0..2 {
            let key = place(&instance, level);
            let Some(old) = world.management.objects.remove(&key) else { continue };
            let is_deleting = super::server::is_deleting(&old.body);
            if is_deleting || (level == 1 && !with_internal) {
                continue;
            }
            let mut new: Owned = old.clone();
            let uid = world.management.uid();
            new.body["metadata"]["uid"] = json!(uid);
            new.body["metadata"]["generation"] = json!(super::server::first_generation(key.0));
            if let Value::Object(body) = &mut new.body {
                body.remove("status");
            }
            if !with_finalizers && let Value::Object(metadata) = &mut new.body["metadata"] {
                metadata.remove("finalizers");
            }
            if !with_owners {
                new.forget_owners();
            }
            world.management.put(&key, new);
        }
    }
    world.laws.excused.extend(instances());
    world.observe();
    world.note("the management cluster is made anew from a backup");
}
