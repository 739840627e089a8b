//! What an instance takes in memory. Allocations of the thread are counted, so the figure is the same on every machine.

use std::time::Duration;

use serde_json::json;

use super::laws::place;
use super::process::Process;
use super::quiet::work;
use super::world::World;

/// The instances.
const COUNT: usize = 400;
/// What one may take in bytes: what is known of its three objects and was written to them, its key, and its share of the
/// tables.
const MOST: i64 = 1_200;

/// As after a restart of sync, and as after the burst in which the instances were created.
#[test]
fn an_instance_in_step_takes_little_room() {
    let mut world = World::new(0);
    let instances: Vec<_> = (0..COUNT).map(|number| ("team-b".to_owned(), format!("cache-{number:04}"))).collect();
    for instance in &instances {
        world.management.create(&place(instance, 0), "kubectl", |object| object["spec"] = json!({"size": 1}));
    }
    world.observe();
    work(&mut world, Duration::from_mins(1));
    for instance in &instances {
        world.service.update(&place(instance, 2), "operator", "status", |object| {
            let condition = |name: &str| json!({"type": name, "status": "True", "observedGeneration": 1});
            let conditions = json!([condition("Ready"), condition("Healthy")]);
            object["status"] = json!({"phase": "Running", "observedGeneration": 1, "conditions": conditions});
        });
    }
    world.observe();
    work(&mut world, Duration::from_mins(1));
    let writes = world.writes;

    world.kill(0);
    let mut restarted = None;
    let listed = allocation_counter::measure(|| {
        let mut process = Process::new(world.now, true);
        for level in 0..3 {
            let server = if level == 2 { &world.service } else { &world.management };
            while process.hear(level, server, 2).is_some() {}
        }
        restarted = Some(process);
    });
    let worked = allocation_counter::measure(|| {
        let process = restarted.as_mut().unwrap();
        while process.begin(world.step).is_some() {}
    });
    let process = restarted.unwrap();
    assert!(process.works.is_empty(), "a restart writes nothing, and asks nothing");
    assert_eq!((process.shared.index().records().count(), world.writes), (COUNT, writes));
    let bytes = |measured: &allocation_counter::AllocationInfo| measured.bytes_current / i64::try_from(COUNT).unwrap();
    let (listed, worked) = (bytes(&listed), bytes(&worked));
    assert!(listed + worked <= MOST, "{listed} and {worked} bytes");
}
