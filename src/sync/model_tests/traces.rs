//! What the model found, as short as it can be told.

use std::time::Duration;

use serde_json::{Value, json};

use super::faults;
use super::laws::{condition, place};
use super::people::{HOLD, unmark};
use super::quiet::{settle, work};
use super::world::World;
use crate::sync::metrics::Snapshot;

const MINUTE: Duration = Duration::from_mins(1);

/// A world in which one instance is in step.
fn in_step() -> (World, (String, String)) {
    let mut world = World::new(0);
    let instance = ("team-b".to_owned(), "a".to_owned());
    world.management.create(&place(&instance, 0), "kubectl", |object| object["spec"] = json!({"size": 1}));
    world.observe();
    work(&mut world, MINUTE);
    assert!(world.service.get(&place(&instance, 2)).is_some());
    (world, instance)
}

/// Objects without our label are not watched, so nothing tells of the end of such a copy.
#[test]
fn a_copy_that_is_held_in_deletion_may_lose_its_marks() {
    let (mut world, instance) = in_step();
    let copy = place(&instance, 2);
    world.service.update(&copy, "operator", "", |object| object["metadata"]["finalizers"] = json!([HOLD]));
    world.observe();
    world.management.delete(&place(&instance, 0));
    world.observe();
    work(&mut world, MINUTE);
    world.service.update(&copy, "admin", "", |object| unmark(object, true));
    world.observe();
    work(&mut world, MINUTE);
    settle(&mut world);
    assert_eq!(world.service.get(&copy), None);
    assert_eq!(world.management.get(&place(&instance, 0)), None);
}

/// An answer may be overtaken by the event that the object is gone.
#[test]
fn an_answer_that_comes_after_the_end_of_an_object_is_not_believed() {
    let (mut world, instance) = in_step();
    let tenant = place(&instance, 0);
    let edit = |object: &mut Value| object["spec"]["size"] = json!(2);
    world.management.update(&tenant, "kubectl", "", edit);
    world.observe();
    while world.hear(0, 0) {}
    assert!(world.begin(0));
    // Until the copy is written, and the server has answered, but not the answer arrived.
    while !world.processes[0].works[0].tickets.iter().any(|(ticket, _)| ticket.key() == place(&instance, 2)) {
        world.answer(0, 0, 0, false);
    }
    world.answer(0, 0, 0, false);
    world.service.delete(&place(&instance, 2));
    world.observe();
    while world.hear(0, 2) {}
    settle(&mut world);
    assert!(world.service.get(&place(&instance, 2)).is_some(), "it is made again");
}

/// An admission webhook may put a time or a number into its words. Each of them is another condition, and no reason to
/// try again at once.
#[test]
fn a_refusal_whose_words_vary_is_tried_again_after_a_pause() {
    let (mut world, instance) = in_step();
    world.service.refusals = Some(0);
    world.management.update(&place(&instance, 0), "kubectl", "", |object| object["spec"]["size"] = json!(2));
    world.observe();
    work(&mut world, MINUTE);
    let refusals = world.service.refusals.take().unwrap();
    // The pauses double from half a second on.
    if !(4..=9).contains(&refusals) {
        world.fail(&format!("{refusals} requests in a minute"));
    }
    settle(&mut world);
}

/// That an edit of an object is refused says nothing of its deletion.
#[test]
fn an_instance_whose_edit_is_refused_can_be_deleted() {
    let (mut world, instance) = in_step();
    world.management.refusals = Some(0);
    world.management.update(&place(&instance, 0), "kubectl", "", |object| object["spec"]["size"] = json!(2));
    world.observe();
    work(&mut world, MINUTE);
    assert!(world.management.refusals > Some(0));
    world.management.delete(&place(&instance, 0));
    world.observe();
    work(&mut world, MINUTE);
    for (server, level) in [(&world.service, 2), (&world.management, 1), (&world.management, 0)] {
        assert_eq!(server.get(&place(&instance, level)), None);
    }
}

/// A status that the management cluster refuses is tried again at its time, whatever else is in step.
#[test]
fn a_status_that_is_refused_arrives_once_it_is_accepted() {
    let (mut world, instance) = in_step();
    world.management.refusals = Some(0);
    world
        .service
        .update(&place(&instance, 2), "operator", "status", |object| object["status"] = json!({"phase": "Up"}));
    world.observe();
    work(&mut world, MINUTE);
    let refusals = world.management.refusals.take().unwrap();
    // Both statuses, and the condition that tells of it, each time.
    if !(3..=27).contains(&refusals) {
        world.fail(&format!("{refusals} requests in a minute"));
    }
    work(&mut world, MINUTE * 2);
    let tenant = world.management.get(&place(&instance, 0)).unwrap();
    assert_eq!(
        (&tenant["status"]["phase"], &condition(&tenant, "Synced").unwrap()["reason"]),
        (&json!("Up"), &json!("InStep"))
    );
}

/// Admission that stores another value is found out by a look after a restart: that is no write, and not counted as one, and
/// the condition goes on to say so.
#[test]
fn what_is_overwritten_is_contested_after_a_restart_too() {
    let mut world = World::new(0);
    world.service.trims = true;
    let instance = ("team-b".to_owned(), "a".to_owned());
    let create = |object: &mut Value| object["spec"] = json!({"size": 1, "extra": " x "});
    world.management.create(&place(&instance, 0), "kubectl", create);
    world.observe();
    work(&mut world, MINUTE);
    assert_eq!(world.service.get(&place(&instance, 2)).unwrap()["spec"]["extra"], "x");
    let written = |world: &World| {
        let text = world.processes[0].shared.telemetry.metrics().text(&Snapshot::default());
        let lines = text.lines().filter(|line| line.starts_with("carrier_writes_total{"));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    let writes = world.writes;
    assert_eq!(written(&world), writes);
    let stands = |world: &World| {
        let tenant = world.management.get(&place(&instance, 0)).unwrap();
        let synced = condition(&tenant, "Synced").unwrap();
        assert_eq!(synced["reason"], "Contested", "{synced}");
        assert!(synced["message"].as_str().unwrap().contains("spec.extra"), "{synced}");
    };
    stands(&world);
    world.kill(0);
    faults::begin(&mut world);
    work(&mut world, MINUTE);
    assert_eq!((written(&world), world.writes), (0, writes));
    stands(&world);
}

/// Has one process hear all of these levels, and work.
fn drive(world: &mut World, process: usize, levels: &[usize]) {
    for _ in 0..20 {
        for level in levels {
            while world.hear(process, *level) {}
        }
        while world.begin(process) {}
        while let Some(work) = world.processes[process].works.iter().position(|work| !work.tickets.is_empty()) {
            world.answer(process, work, 0, false);
        }
    }
}

/// A replica whose watch is late knows a deletion that is over, and sees the copy of the next tenant object.
#[test]
fn the_copy_of_a_later_tenant_object_is_not_deleted() {
    let (mut world, instance) = in_step();
    let (tenant, copy) = (place(&instance, 0), place(&instance, 2));
    faults::begin(&mut world);
    work(&mut world, MINUTE);
    world.management.delete(&tenant);
    world.observe();
    assert!(world.hear(1, 0), "the late one hears of the deletion, and then of nothing more");
    drive(&mut world, 0, &[0, 1, 2]);
    assert_eq!((world.management.get(&tenant), world.service.get(&copy)), (None, None));
    world.management.create(&tenant, "kubectl", |object| object["spec"] = json!({"size": 3}));
    world.observe();
    drive(&mut world, 0, &[0, 1, 2]);
    let made = world.service.get(&copy);
    assert!(made.is_some());
    drive(&mut world, 1, &[2]);
    assert_eq!(world.service.get(&copy), made);
    settle(&mut world);
}
