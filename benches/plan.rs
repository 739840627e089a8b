//! Measures the time and the number of requests of `carrier plan` against real API servers if nothing has
//! changed, and the time of `kubectl diff --server-side` over the same objects for comparison.
//!
//! `cargo bench --bench plan` starts the servers (see `docs/testing.md`) and prints a table. Ratios
//! compare figures of the same run.
#![allow(clippy::print_stdout, reason = "the output of a benchmark is a table")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run panics")]

mod repository;
#[path = "../tests/support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "tests do more with servers than start them")]
mod support;

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use repository::count;
use support::{Assets, ControlPlanes, block_on};

const BASE: &str = "catalog-examples/redis/snapshots/team-a/eu-west-1/redis.redis.redis.opstreelabs.in.yaml";

fn main() {
    let assets = match Assets::find() {
        Ok(assets) => assets,
        Err(reason) => return println!("not measured: {reason}"),
    };
    println!("{:<52} {:>8} {:>10} {:>9}", "", "objects", "wall", "requests");
    let mut plans = Vec::new();
    for wanted in [1_000, 5_000] {
        plans.push(block_on(measure(wanted, &assets.tool("kubectl"))));
    }
    if let [(small, few), (large, many)] = plans[..] {
        println!(
            "    growth of plan from 1,000 to 5,000: {:.1} times as long, {few} and {many} requests",
            large.as_secs_f64() / small.as_secs_f64()
        );
    }
}

/// Applies a repository to new servers and plans it again: the time and the requests of the plan.
async fn measure(wanted: usize, kubectl: &Path) -> (Duration, usize) {
    let planes = ControlPlanes::start(&["management", "main"]).await.expect("servers start");
    let repository = repository::of_outputs(wanted);
    let root = repository.path();
    let service = planes["main"].kubeconfig_path().display();
    let settings = format!(
        "management: {{kubeconfig: {}}}\nserviceClusters:\n  provider-0/main: {{kubeconfig: {service}}}\n  \
         provider-1/main: {{kubeconfig: {service}}}\n",
        planes["management"].kubeconfig_path().display(),
    );
    std::fs::write(root.join("carrier.yaml"), settings).unwrap();
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join(BASE);
    planes["main"].kubectl(&["apply", "--server-side", "-f", &base.to_string_lossy()]).await.expect("the CRD is taken");

    carrier(root, &["lock"]);
    let start = Instant::now();
    carrier(root, &["apply", "--yes"]);
    let applied = start.elapsed();
    carrier(root, &["render"]);
    let objects = count(&root.join("rendered"));
    line("apply to empty clusters", objects, applied, None);

    let (mut best, mut requests) = (Duration::MAX, 0);
    for _ in 0..5 {
        let start = Instant::now();
        let output = carrier(root, &["-v", "plan", "--detailed-exitcode"]);
        best = best.min(start.elapsed());
        requests = asked(&String::from_utf8_lossy(&output.stderr));
    }
    line("plan, nothing to change, three clusters", objects, best, Some(requests));
    let start = Instant::now();
    carrier(root, &["apply", "--yes"]);
    line("apply, nothing to change", objects, start.elapsed(), None);

    // kubectl compares with one cluster, so it gets the larger one alone.
    let objects = count(&root.join("rendered/management"));
    std::fs::write(root.join("management.yaml"), carrier(root, &["render", "--stdout"]).stdout).unwrap();
    for concurrency in ["1", "8"] {
        let start = Instant::now();
        let output = Command::new(kubectl)
            .args(["diff", "--server-side", "--concurrency", concurrency, "-f", "management.yaml", "--kubeconfig"])
            .arg(planes["management"].kubeconfig_path())
            .current_dir(root)
            .output()
            .expect("kubectl runs");
        let took = start.elapsed();
        line(&format!("kubectl diff --server-side, {concurrency} at once"), objects, took, None);
        // 1 says that there are differences, and more that it did not work. What `carrier apply` adds is no difference.
        assert!(output.status.code() == Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        println!("    ratio: {:.0} times as long as plan", took.as_secs_f64() / best.as_secs_f64());
    }
    (best, requests)
}

fn carrier(root: &Path, args: &[&str]) -> Output {
    let output =
        Command::new(env!("CARGO_BIN_EXE_carrier")).args(args).current_dir(root).output().expect("carrier runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The requests of all clusters, as `-v` says them: `management: 21 requests, 0 of them writes`.
fn asked(text: &str) -> usize {
    let lines = text.lines().filter(|line| line.ends_with("of them writes"));
    lines.filter_map(|line| line.split_once(": ")?.1.split(' ').next()?.parse::<usize>().ok()).sum()
}

fn line(what: &str, objects: usize, wall: Duration, requests: Option<usize>) {
    let requests = requests.map_or_else(String::new, |n| n.to_string());
    println!("{what:<52} {objects:>8} {:>7.0} ms {requests:>9}", wall.as_secs_f64() * 1000.0);
}
