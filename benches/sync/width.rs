//! What many clusters and kinds cost one process: twenty ServiceClusters that lead to one API server, each of which
//! offers several kinds. There are no instances.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::bursts::seconds;
use crate::counts::{Counts, Leases, Memory, sockets};
use crate::repository::{BASE, GROUP, base_crd, cluster};
use crate::stage::{directly, start};
use crate::table::Table;

/// The service cluster that all names lead to, itself among them.
const PLANE: &str = "wide";
const CLUSTERS: usize = 20;

/// Measures so many kinds for so many seconds.
pub(crate) async fn measure(kinds: usize, length: u64, table: &mut Table) {
    let crds: Vec<Value> = std::iter::once(base_crd()).chain((1..kinds).map(crd)).collect();
    let crds = json!({"apiVersion": "v1", "kind": "List", "items": crds});
    let bed = Bed::builder(&[PLANE]).crd(crds).change(|folder| write(folder, kinds)).start().await;
    let bed = bed.map_err(crate::stage::text).expect("servers start");
    for name in names() {
        directly(&bed, &name, PLANE).await;
    }
    let leases = Leases::watch(&bed);
    let began = Instant::now();
    let sync = start(&bed).await;
    let ready = began.elapsed();
    let before = Counts::settled(&sync, &leases).await;
    tokio::time::sleep(Duration::from_secs(length)).await;
    let counted = Counts::now(&sync, &leases).await.since(&before);
    table.part(&format!("{CLUSTERS} ServiceClusters with {kinds} kinds each, no instance, {length} s"));
    table.line("ready after", &seconds(ready));
    table.line("memory of the process", &Memory::now(&sync).shown());
    table.line("sockets", &sockets(&sync).to_string());
    table.line("requests at rest", &counted.by_verb());
    let reachable = sync.metrics().await.sum("carrier_cluster_reachable", &[]);
    table.promise(counted.all_writes() == 0, "no write but lease renewals");
    table.promise((reachable - 20.0).abs() < 0.5, &format!("all ServiceClusters are connected ({reachable:.0})"));
}

fn names() -> impl Iterator<Item = String> {
    std::iter::once(PLANE.to_owned()).chain((1..CLUSTERS).map(|number| format!("{PLANE}-{number}")))
}

/// A kind like the base kind, with a name of its own.
fn crd(number: usize) -> Value {
    let mut crd = base_crd();
    let (kind, singular) = (format!("Redis{number}"), format!("redis{number}"));
    crd["metadata"]["name"] = json!(format!("{singular}s.{GROUP}"));
    crd["spec"]["names"] = json!({"kind": kind, "listKind": format!("{kind}List"), "plural": format!("{singular}s"), "singular": singular});
    crd
}

/// Adds the other clusters and kinds to the repository.
fn write(folder: &Path, kinds: usize) -> std::io::Result<()> {
    let settings = folder.join("carrier.yaml");
    let mut text = std::fs::read_to_string(&settings)?;
    for name in names().skip(1) {
        text = format!("{text}  team-a/{name}: {{context: {PLANE}}}\n");
        std::fs::write(folder.join(format!("team-a/{name}.yaml")), cluster(&name))?;
    }
    std::fs::write(settings, text)?;
    let set = std::fs::read_to_string(folder.join("team-a/redis.yaml"))?;
    for number in 1..kinds {
        let other = set.replace("name: redis\n", &format!("name: redis{number}\n"));
        let other = other.replace(BASE, &format!("redis{number}s.{GROUP}"));
        std::fs::write(folder.join(format!("team-a/redis{number}.yaml")), other)?;
    }
    Ok(())
}
