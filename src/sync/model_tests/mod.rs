//! The model of sync: its own index, queue, decisions, workers and requests, against simulated API servers, in random
//! interleavings with everything that can happen around it. After each request the safety laws are checked, and at the
//! end of a run everything must be in step.
//!
//! A run is one seed, and those with even numbers are without what may leave a copy behind (two processes without leases,
//! restores, stripped finalizers), so that none may be left.
//!  `CARRIER_MODEL_SEED=17` repeats one, `CARRIER_MODEL_RUNS=1000` makes as many.

mod faults;
mod laws;
mod managed;
pub(super) mod offer;
mod people;
mod process;
mod quiet;
mod room;
mod server;
mod traces;
mod world;

use std::time::Duration;

use world::World;

/// How many runs there are.
const RUNS: u64 = 72;
/// How much happens in one, before it comes to rest.
const STEPS: u64 = 900;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Something happens by chance.
fn happen(world: &mut World) {
    match world.rng.u32(0..1_000) {
        0..300 => world.hear_any(),
        300..450 => drop(world.begin_any()),
        450..900 => world.answer_any(),
        900..970 => people::act(world),
        970..985 => faults::strike(world),
        _ => {
            let time = [1, 10, 100, 600, 5_000, 20_000, 65_000, 700_000][world.rng.usize(0..8)];
            world.pass(Duration::from_millis(time));
        }
    }
    world.pass(Duration::from_millis(1));
}

fn run(seed: u64) -> (u64, u64) {
    let mut world = World::new(seed);
    while world.step < STEPS {
        happen(&mut world);
    }
    quiet::settle(&mut world);
    (world.step, world.writes)
}

#[test]
fn the_laws_hold_in_every_interleaving() {
    let seeds = match number("CARRIER_MODEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CARRIER_MODEL_RUNS").unwrap_or(RUNS),
    };
    let all = seeds.end - seeds.start;
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get().min(8));
    let (steps, writes) = std::thread::scope(|scope| {
        let sum = |sum: (u64, u64), run: (u64, u64)| (sum.0 + run.0, sum.1 + run.1);
        let shares: Vec<_> = (0..workers)
            .map(|worker| seeds.clone().skip(worker).step_by(workers))
            .map(|share| scope.spawn(move || share.map(run).fold((0, 0), sum)))
            .collect();
        let done = shares.into_iter().map(|share| match share.join() {
            Ok(done) => done,
            Err(broken) => std::panic::resume_unwind(broken),
        });
        done.fold((0, 0), sum)
    });
    assert!(all < RUNS || (steps >= 100_000 && writes >= 4_000), "{steps} steps and {writes} writes are too few");
}
