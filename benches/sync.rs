//! Measures `carrier sync` as a process, with the rights that carrier renders for it, against real control planes,
//! beside a bare loop of server-side applies by the same account against the same servers.
//!
//! `cargo bench --bench sync` starts the servers (see `docs/testing.md`) and prints a table. `CARRIER_BENCH_LARGE=1`
//! adds a burst of 5,000, 10,000 objects at rest and ten kinds; `CARRIER_BENCH_ONLY=width` (or `instances`) measures
//! one half, and `CARRIER_BENCH_ONLY=rest` of the instances what they cost at rest and at a restart. Ratios compare figures of the same run. Times are shown and judged by nobody; what does not depend on
//! the machine (writes for each object, none at rest, none at a restart) is a promise, and the run fails at its end
//! if one is broken.
#![allow(clippy::print_stdout, reason = "the output of a benchmark is a table")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run panics")]
#![allow(clippy::print_stderr, reason = "the log of sync, if the benchmark cannot go on")]

#[path = "../tests/servers/sync/bed.rs"]
#[allow(dead_code, reason = "tests do more with a bed")]
mod bed;
#[path = "../tests/servers/sync/objects.rs"]
#[allow(dead_code, reason = "tests do more with objects")]
mod objects;
#[path = "../tests/servers/sync/operator.rs"]
#[allow(dead_code, reason = "a bed can start one; here the benchmark writes the statuses")]
mod operator;
#[path = "../tests/servers/platform.rs"]
#[allow(dead_code, reason = "a bed uses a part of it")]
mod platform;
#[path = "../tests/servers/sync/process.rs"]
#[allow(dead_code, reason = "tests hurt the process too")]
mod process;
#[path = "../tests/servers/sync/repository.rs"]
mod repository;
#[path = "../tests/support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "tests do more with servers than start them")]
mod support;

#[path = "sync/arrivals.rs"]
mod arrivals;
#[path = "sync/bare.rs"]
mod bare;
#[path = "sync/bursts.rs"]
mod bursts;
#[path = "sync/counts.rs"]
mod counts;
#[path = "sync/latency.rs"]
mod latency;
#[path = "sync/rest.rs"]
mod rest;
#[path = "sync/stage.rs"]
mod stage;
#[path = "sync/table.rs"]
mod table;
#[path = "sync/width.rs"]
mod width;

use std::process::ExitCode;

use stage::Stage;
use support::{Assets, block_on};
use table::Table;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Extent {
    rounds: usize,
    bursts: &'static [usize],
    idle: usize,
    seconds: u64,
    kinds: usize,
}

const SMALL: Extent = Extent { rounds: 100, bursts: &[100, 1_000], idle: 1_000, seconds: 20, kinds: 3 };
const LARGE: Extent = Extent { rounds: 300, bursts: &[100, 1_000, 5_000], idle: 10_000, seconds: 60, kinds: 10 };

fn main() -> ExitCode {
    if let Err(reason) = Assets::find() {
        println!("not measured: {reason}");
        return ExitCode::SUCCESS;
    }
    let extent = if std::env::var_os("CARRIER_BENCH_LARGE").is_some() { LARGE } else { SMALL };
    let only = std::env::var("CARRIER_BENCH_ONLY").unwrap_or_default();
    let mut table = Table::default();
    if only != "width" {
        let extent = if only == "rest" { Extent { rounds: 0, bursts: &[], ..extent } } else { extent };
        block_on(instances(extent, &mut table));
    }
    if !matches!(&*only, "instances" | "rest") {
        block_on(width::measure(extent.kinds, extent.seconds, &mut table));
    }
    table.end()
}

/// What sync does with instances, in one run over one set of servers.
async fn instances(extent: Extent, table: &mut Table) {
    let stage = Stage::new().await;
    if extent.rounds > 0 {
        latency::measure(&stage, extent.rounds, table).await;
    }
    let mut made = Vec::new();
    for &size in extent.bursts {
        let names = bursts::measure(&stage, size, table).await;
        if size == 1_000 {
            bursts::statuses(&stage, &names, table).await;
        }
        made.extend(names);
    }
    if made.len() < extent.idle {
        made.extend(bursts::fill(&stage, extent.idle - made.len()).await);
    }
    rest::measure(&stage, extent.seconds, table).await;
    rest::restarts(&stage, &made, table).await;
}
