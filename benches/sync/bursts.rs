//! Many changes at once, until nothing is left to do.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};

use crate::arrivals::{in_step, phased, sized};
use crate::bare::AT_ONCE;
use crate::counts::{Counts, Ticks};
use crate::latency::{report, status};
use crate::stage::Stage;
use crate::table::{Table, float, rate};

/// An instance: the number of its tenant and its name.
pub(crate) type Made = (usize, String);

/// Tenants create so many instances; how long until all are in step, and what that was written.
pub(crate) async fn measure(stage: &Stage, size: usize, table: &mut Table) -> Vec<Made> {
    // Before and after, because the machine is not alone.
    let yardstick = size.min(500);
    let mut bare = stage.bare.burst(yardstick, AT_ONCE).await;
    let before = Counts::settled(&stage.sync, &stage.leases).await;
    let (start, ticks) = (Instant::now(), Ticks::now(&stage.sync));
    let made = create(stage, size, &format!("burst-{size}")).await;
    let created = start.elapsed();
    let copied = stage.copies.last(&names(&made, |name| sized(name, 3))).await - start;
    let done = stage.shown.last(&names(&made, |name| in_step(name, 1))).await - start;
    let spent = Ticks::now(&stage.sync).since(ticks);
    let written = Counts::settled(&stage.sync, &stage.leases).await.since(&before);
    bare += stage.bare.burst(yardstick, AT_ONCE).await;
    stage.clear_bare().await;

    table.part(&format!("{size} creates by four tenants, {AT_ONCE} at once"));
    let of_bare = rate(2 * yardstick, bare);
    table.line(&format!("bare server-side applies, {AT_ONCE} at once"), &format!("{of_bare:.0} a second"));
    table.line("all creates answered after", &seconds(created));
    table.line("all copies there after", &seconds(copied));
    table.line("all in step after", &format!("{}, {:.0} objects a second", seconds(done), rate(size, done)));
    table.line("processors until then", &spent);
    table.line("writes of sync for each create", &written.by_kind(size));
    for (what, writes) in [
        ("writes of sync, Events apart", written.writes()),
        ("writes of sync", written.all_writes()),
        ("writes of sync and of the tenants", written.all_writes() + size),
    ] {
        let of_sync = rate(writes, done);
        let share = 100.0 * of_sync / of_bare;
        table.line(what, &format!("{of_sync:.0} a second, {share:.0} % of the bare rate"));
    }
    table.promise(written.writes() <= 4 * size, &format!("at most 4 writes for each of {size} creates"));
    made
}

/// More instances, which nobody measures.
pub(crate) async fn fill(stage: &Stage, number: usize) -> Vec<Made> {
    let made = create(stage, number, "idle").await;
    stage.shown.last(&names(&made, |name| in_step(name, 1))).await;
    made
}

async fn create(stage: &Stage, size: usize, stem: &str) -> Vec<Made> {
    let made: Vec<Made> = (0..size).map(|number| (number % stage.tenants.len(), format!("{stem}-{number}"))).collect();
    stream::iter(&made)
        .for_each_concurrent(AT_ONCE, async |(tenant, name)| {
            stage.tenant(*tenant).create(name).await.expect("a member may create");
        })
        .await;
    made
}

/// An operator reports a status of each of these instances; how long until all tenants see theirs.
pub(crate) async fn statuses(stage: &Stage, made: &[Made], table: &mut Table) {
    let running = status("Running", 1);
    let bare = stage.bare.burst(500, AT_ONCE).await;
    stage.clear_bare().await;
    let before = Counts::settled(&stage.sync, &stage.leases).await;
    let (start, ticks) = (Instant::now(), Ticks::now(&stage.sync));
    stream::iter(made)
        .for_each_concurrent(AT_ONCE, async |(tenant, name)| {
            report(&stage.tenant(*tenant).copy, name, &running).await;
        })
        .await;
    let reported = start.elapsed();
    let shown = stage.shown.last(&names(made, |name| phased(name, "Running"))).await - start;
    let spent = Ticks::now(&stage.sync).since(ticks);
    let written = Counts::settled(&stage.sync, &stage.leases).await.since(&before);

    let size = made.len();
    table.part(&format!("{size} statuses at once"));
    table.line(
        &format!("the operator's writes, {AT_ONCE} at once"),
        &format!("{}, {:.0} a second", seconds(reported), rate(size, reported)),
    );
    table.line("all tenants see theirs after", &seconds(shown));
    table.line("processors until then", &spent);
    table.line("writes of sync for each status", &written.by_kind(size));
    let of_sync = rate(written.all_writes(), shown);
    let of_all = rate(written.all_writes() + size, shown);
    table.line("writes of sync", &format!("{of_sync:.0} a second"));
    let share = 100.0 * of_all / rate(500, bare);
    let bare = rate(500, bare);
    table.line(
        "writes of sync and of the operator",
        &format!("{of_all:.0} a second, {share:.0} % of the bare rate of {bare:.0}"),
    );
    table.promise(written.writes() <= 2 * size, &format!("at most 2 writes for each of {size} statuses"));
}

fn names(made: &[Made], what: impl Fn(&str) -> String) -> Vec<String> {
    made.iter().map(|(_, name)| what(name)).collect()
}

/// A time, to be read.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// KiB for each of so many objects, to be read.
pub(crate) fn each(more: u64, objects: usize) -> String {
    let kib = u32::try_from(more).expect("less than 4 TiB");
    format!("{:.2} KiB an object", f64::from(kib) / float(objects))
}
