//! Measures start-up, `check` and `render` for repositories of two sizes and for the
//! real CRDs, and `kubectl kustomize` over the same output for comparison; and, in memory,
//! a live catalog of up to 1,000 services after one object changed.
//!
//! `cargo bench` prints a table. Each line is the fastest of several runs of the
//! process, because other load on the machine only makes runs slower. Ratios compare
//! figures of the same run of the benchmark. `CARRIER_BENCH_ONLY=memory` measures the live catalog alone.
#![allow(clippy::print_stdout, reason = "the output of a benchmark is a table")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run panics")]

mod repository;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use carrier::compiler::compile;
use carrier::compiler::load;
use carrier::source::{ApiObject, Sources};
use repository::count;
use wait4::Wait4;

/// That of the binary, since a part is measured in this process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The time and the peak memory of a run.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    memory_kib: u64,
}

fn main() {
    let carrier = env!("CARGO_BIN_EXE_carrier");
    println!("{:<44} {:>10} {:>10} {:>9}", "", "objects", "wall", "memory");
    if std::env::var_os("CARRIER_BENCH_ONLY").is_some_and(|only| only == "memory") {
        return live();
    }
    let line = |what: &str, objects: usize, cost: Cost| {
        let wall = cost.wall.as_secs_f64() * 1000.0;
        let memory = f64::from(u32::try_from(cost.memory_kib).unwrap_or(u32::MAX)) / 1024.0;
        println!("{what:<44} {objects:>10} {wall:>7.1} ms {memory:>5.0} MiB");
    };

    line("start-up (version)", 0, best(20, || command(carrier, &["version"])));

    // Repositories of 1,000 and 5,000 objects written by people.
    let mut checks = Vec::new();
    for objects in [1_000, 5_000] {
        let repository = repository::of_sources(objects);
        let cost = best(7, || command(carrier, &["check", "-C", &at(&repository)]));
        line("check, objects in the repository", objects, cost);
        checks.push(cost.wall);
    }
    growth("check", &checks);

    // Repositories that render to about 1,000 and 5,000 objects.
    let (mut renders, mut peers) = (Vec::new(), Vec::new());
    for wanted in [1_000, 5_000] {
        let repository = repository::of_outputs(wanted);
        let out = repository.path().join("rendered");
        let render = || command(carrier, &["render", "-C", &at(&repository)]);
        let first = best(3, || {
            let _ = std::fs::remove_dir_all(&out);
            render()
        });
        let objects = count(&out);
        let stream = best(7, || command(carrier, &["render", "--stdout", "-C", &at(&repository)]));
        line("render --stdout, objects out", objects, stream);
        line("render into an empty folder, objects out", objects, first);
        line("render again, nothing to write", objects, best(7, render));
        let copy = repository.path().join("copy");
        let floor = best(3, || {
            let _ = std::fs::remove_dir_all(&copy);
            command("cp", &["-r", &out.display().to_string(), &copy.display().to_string()])
        });
        line("cp -r of what was rendered", objects, floor);
        std::fs::remove_dir_all(&copy).expect("the copy goes");
        renders.push(stream.wall);
        if has_kubectl() {
            let runs = if wanted > 1_000 { 1 } else { 3 };
            let peer = best(runs, || command("kubectl", &["kustomize", &out.join("management").display().to_string()]));
            line("kubectl kustomize over the management folder", count(&out.join("management")), peer);
            println!(
                "    ratio: kustomize takes {:.0} times as long",
                peer.wall.as_secs_f64() / stream.wall.as_secs_f64()
            );
            peers.push(peer.wall);
        }
    }
    growth("render --stdout", &renders);
    growth("kubectl kustomize", &peers);

    match repository::of_corpus() {
        Some((repository, crds)) => {
            let check = best(5, || command(carrier, &["check", "-C", &at(&repository)]));
            line("check of the real CRDs, all of .spec exposed", crds, check);
            let render = best(5, || command(carrier, &["render", "--stdout", "-C", &at(&repository)]));
            line("render --stdout of the same", crds, render);
        }
        None => println!("the real CRDs are not beside this checkout: not measured"),
    }
    // Last: a process that is started has the memory of this one at first, and the peak would be ours.
    live();
}

/// What a live catalog costs: from objects and facts in memory to all manifests, after one object changed.
fn live() {
    let mut walls = Vec::new();
    for services in [250, 500, 1_000] {
        let facts = repository::facts(services);
        let mut best = [Duration::MAX; 3];
        let mut rendered = 0;
        for run in 0..7 {
            let objects = repository::of_services(services, &format!("state-{run}"));
            let sources = Sources::default().with_objects(objects.into_iter().map(ApiObject::new));
            let start = Instant::now();
            let (loaded, found) = load(&sources);
            let at_load = start.elapsed();
            let compiled = compile(&loaded, &facts);
            let at_compile = start.elapsed();
            let set = compiled.render();
            let all = start.elapsed();
            for diagnostics in [&found, &compiled.diagnostics] {
                assert!(!diagnostics.has_errors(), "the platform has no errors: {:#?}", diagnostics.iter().next());
            }
            assert_eq!(compiled.built.len(), services);
            rendered = set.len();
            for (best, now) in
                best.iter_mut().zip([at_load, at_compile.saturating_sub(at_load), all.saturating_sub(at_compile)])
            {
                *best = now.min(*best);
            }
        }
        let [load, compile, render] = best.map(|wall| wall.as_secs_f64() * 1000.0);
        println!(
            "in memory, {services} services in 50 clusters, one changed  {rendered:>8} {:>7.1} ms  (load {load:.1}, compile {compile:.1}, render {render:.1})",
            load + compile + render
        );
        // What follows a change: the objects are loaded already.
        walls.push(best[1] + best[2]);
    }
    if let [small, half, whole] = walls[..] {
        println!(
            "    growth of compile and render from 250: {:.1} times for 500, {:.1} times for 1,000",
            half.as_secs_f64() / small.as_secs_f64(),
            whole.as_secs_f64() / small.as_secs_f64()
        );
    }
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn at(repository: &tempfile::TempDir) -> String {
    repository.path().display().to_string()
}

/// The best of `runs` runs of a command.
fn best(runs: usize, mut command: impl FnMut() -> Command) -> Cost {
    let mut best: Option<Cost> = None;
    for _ in 0..runs {
        let mut command = command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let child = command.spawn().expect("the command starts");
        let usage = child.wait4().expect("the command ends");
        let wall = start.elapsed();
        assert!(usage.status.success(), "{command:?} failed with {}", usage.status);
        let cost = Cost { wall, memory_kib: usage.rusage.maxrss / 1024 };
        if best.is_none_or(|b| cost.wall < b.wall) {
            best = Some(cost);
        }
    }
    best.expect("there is at least one run")
}

fn growth(what: &str, walls: &[Duration]) {
    if let [small, large] = walls {
        println!("    growth of {what} from 1,000 to 5,000: {:.1} times", large.as_secs_f64() / small.as_secs_f64());
    }
}

fn has_kubectl() -> bool {
    Command::new("kubectl")
        .args(["version", "--client"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}
