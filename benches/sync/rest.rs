//! What sync costs while nothing happens, and what it takes to begin again.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::arrivals::{in_step, sized};
use crate::bursts::{Made, each, seconds};
use crate::counts::{Counts, Memory, Ticks, mib, sockets};
use crate::stage::Stage;
use crate::table::{Spread, Table};

/// Restarts with an edit.
const RESTARTS: usize = 5;
/// How long sync is watched after it is ready.
const AFTER: Duration = Duration::from_secs(5);
/// A bound against hanging, not an expectation.
const LIMIT: Duration = Duration::from_mins(2);

/// Measures so many seconds without a change.
pub(crate) async fn measure(stage: &Stage, length: u64, table: &mut Table) {
    let objects = objects(stage).await;
    let before = Counts::settled(&stage.sync, &stage.leases).await;
    tokio::time::sleep(Duration::from_secs(length)).await;
    let counted = Counts::now(&stage.sync, &stage.leases).await.since(&before);
    table.part(&format!("At rest with {objects} instances, {length} s"));
    table.line("requests", &counted.by_verb());
    let memory = Memory::now(&stage.sync);
    table.line("memory of the process", &memory_of(stage, memory, objects));
    table.line("sockets", &sockets(&stage.sync).to_string());
    table.promise(counted.all_writes() == 0, "no write but lease renewals");
}

/// Ends sync and starts it again: without a change, and with an edit that is made as soon as it runs.
pub(crate) async fn restarts(stage: &Stage, made: &[Made], table: &mut Table) {
    let objects = objects(stage).await;
    table.part(&format!("Restarts after SIGTERM with {objects} instances"));
    let stopped = stop(stage).await;
    let start = Instant::now();
    stage.sync.again().expect("it starts");
    let ticks = Ticks::now(&stage.sync);
    stage.sync.ready().await.map_err(crate::stage::text).expect("it gets ready");
    let ready = start.elapsed();
    let objects_known = crate::table::float(objects) - 0.5;
    while stage.sync.metrics().await.sum("carrier_objects", &[]) < objects_known {
        assert!(start.elapsed() < LIMIT, "sync does not know all instances");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let known = start.elapsed();
    let spent = Ticks::now(&stage.sync).since(ticks);
    tokio::time::sleep(AFTER).await;
    // A new process counts from zero.
    let written = Counts::settled(&stage.sync, &stage.leases).await.writes();
    table.line("ends within", &seconds(stopped));
    table.line("ready after", &seconds(ready));
    table.line("all instances known after", &seconds(known));
    table.line("processors until then", &spent);
    table.line("memory of the process", &memory_of(stage, Memory::now(&stage.sync), objects));
    table.promise(written == 0, &format!("no write to an instance at a restart ({written})"));

    let (mut arrived, mut most) = (Spread::default(), 0);
    for (tenant, name) in made.iter().take(RESTARTS) {
        stop(stage).await;
        let start = Instant::now();
        stage.sync.again().expect("it starts");
        let edit = json!({"spec": {"size": 5}});
        stage.tenant(*tenant).member.merge(name, &edit).await.expect("a member may edit");
        arrived.add(stage.copies.of(&sized(name, 5)).await - start);
        stage.shown.of(&in_step(name, 2)).await;
        most = most.max(Counts::settled(&stage.sync, &stage.leases).await.writes());
    }
    let [least, median, longest] = [0.0, 0.5, 1.0].map(|share| seconds(arrived.at(share)));
    table.line(
        &format!("start of the process -> an edit arrives, {RESTARTS} times"),
        &format!("min {least}, p50 {median}, max {longest}"),
    );
    // The internal object, the copy, Synced; and the status, whose generation is translated, on both.
    table.promise(most <= 5, &format!("no write at a restart but those of the edit ({most})"));
}

async fn stop(stage: &Stage) -> Duration {
    let start = Instant::now();
    assert_eq!(stage.sync.stop().await, Some(0), "it ends in order");
    start.elapsed()
}

async fn objects(stage: &Stage) -> usize {
    let mut objects = 0;
    for tenant in &stage.tenants {
        objects += tenant.tenant.list().await.expect("an admin may list").len();
    }
    objects
}

fn memory_of(stage: &Stage, memory: Memory, objects: usize) -> String {
    let more = each(memory.own.saturating_sub(stage.empty.own), objects);
    format!("{}; {} without instances, {more}", memory.shown(), mib(stage.empty.own))
}
