//! Random failures under random edits, from one seed: at the end nothing is lost, nothing doubled, nothing orphaned,
//! and all is in step.
//!
//! `CARRIER_CHAOS_MINUTES`, `CARRIER_CHAOS_OBJECTS` (40) and `CARRIER_SEED` (1) say how long, how many, and which.
//! The seed fixes what is done, not what becomes of it. Without the first it does not run: it is no test for each change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use super::bed::{Bed, Service, spec};
use super::objects::{annotation, condition, holds, said, uid, wait_within};
use super::process::SyncProcess;
use crate::corpus::number;
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    if std::env::var_os("CARRIER_CHAOS_MINUTES").is_none() {
        return Vec::new();
    }
    cases![all_is_in_step_after_chaos].into_iter().map(|case| case.within(Duration::from_hours(4))).collect()
}

const REGIONS: [&str; 2] = ["eu-west-1", "eu-west-2"];
const TENANTS: [&str; 2] = ["team-b", "team-c"];

/// What the test did to one instance, as far as it must hold at the end.
#[derive(Debug, Default)]
struct Life {
    /// A server said that it was created.
    created: bool,
    /// Somebody tried to delete it.
    deleted: bool,
    /// Somebody tried to delete its copy.
    copy_deleted: bool,
    /// The UID of its copy, once seen.
    copy: Option<String>,
}

struct Chaos {
    bed: Bed,
    replicas: Vec<SyncProcess>,
    services: Vec<Service>,
    lives: BTreeMap<(usize, String), Life>,
    rng: Rng,
}

async fn all_is_in_step_after_chaos() -> TestResult {
    let (minutes, seed) = (number("CARRIER_CHAOS_MINUTES", 1), number("CARRIER_SEED", 1));
    let objects = usize::try_from(number("CARRIER_CHAOS_OBJECTS", 40))?;
    let bed = Bed::new(&REGIONS).await?;
    for region in REGIONS {
        // What is deleted here is meant to go.
        let breaker = "carrier.kubecarrier.io/deletion-breaker";
        bed.clusters().annotate(region, breaker, Some("100000,100%,1m")).await?;
    }
    let operators = REGIONS.map(|region| bed.operator(region));
    let mut services = Vec::new();
    for region in REGIONS {
        for tenant in TENANTS {
            services.push(bed.service_of(tenant, region).await);
        }
    }
    let replicas = vec![bed.replica("one", &[])?, bed.replica("two", &[])?];
    let mut chaos = Chaos { bed, replicas, services, lives: BTreeMap::new(), rng: Rng::with_seed(seed) };
    for number in 0..objects {
        chaos.create(number % chaos.services.len(), format!("chaos-{number}")).await;
    }
    let until = tokio::time::Instant::now() + Duration::from_mins(minutes);
    let mut rounds = 0;
    while tokio::time::Instant::now() < until {
        for _ in 0..chaos.rng.usize(5..25) {
            chaos.edit(rounds).await;
        }
        chaos.hurt().await?;
        rounds += 1;
    }
    eprintln!("{rounds} failures, {} instances, seed {seed}", chaos.lives.len());
    chaos.all_in_step().await;
    drop(operators);
    for replica in &chaos.replicas {
        assert_eq!(replica.stop().await, Some(0));
    }
    Ok(())
}

impl Chaos {
    async fn create(&mut self, service: usize, name: String) {
        let mut wanted = spec();
        wanted["size"] = json!(self.rng.u32(1..100));
        let made = self.services[service].member.create(&name, &wanted, &json!({})).await;
        self.lives.entry((service, name)).or_default().created |= made.is_ok();
    }

    /// One random edit. A server that is hurt may refuse it, or do it and not say so.
    async fn edit(&mut self, round: usize) {
        let living: Vec<_> = self.lives.iter().filter(|(_, life)| !life.deleted).map(|(key, _)| key.clone()).collect();
        let Some((service, name)) = self.rng.choice(living) else { return };
        let size = self.rng.u32(1..100);
        let choice = self.rng.u32(0..100);
        let redis = &self.services[service];
        if choice >= 95 {
            let number = self.rng.u32(0..1_000_000);
            return self.create(service, format!("chaos-{round}-{number}")).await;
        }
        if choice >= 88 {
            self.lives.entry((service, name.clone())).or_default().deleted = true;
            let _ = redis.member.delete(&name).await;
            return;
        }
        if choice >= 84 {
            self.lives.entry((service, name.clone())).or_default().copy_deleted = true;
            let _ = redis.copy.delete(&name).await;
            return;
        }
        let strip = json!({"metadata": {"labels": {"kubecarrier.io/management-cluster": null},
                                        "annotations": {"carrier.kubecarrier.io/source": null}}});
        let _ = match choice {
            0..50 => redis.member.merge(&name, &json!({"spec": {"size": size}})).await,
            50..58 => redis.member.merge(&name, &json!({"spec": {"redisConfig": null}})).await,
            58..64 => redis.internal.merge(&name, &json!({"spec": {"nodeSelector": {"disk": size.to_string()}}})).await,
            64..70 => redis.copy.merge(&name, &json!({"spec": {"size": 1}})).await,
            70..74 => redis.copy.merge(&name, &json!({"spec": {"replicas": size}})).await,
            74..77 => redis.copy.merge(&name, &strip).await,
            77..80 => redis.internal.merge(&name, &strip).await,
            80..82 => redis.internal.delete(&name).await.map(|_| Value::Null),
            _ => redis.member.merge(&name, &json!({"metadata": {"finalizers": null}})).await,
        };
    }

    /// One random failure, and its end.
    async fn hurt(&mut self) -> TestResult {
        let cluster = ["management", "eu-west-1", "eu-west-2"][self.rng.usize(0..3)];
        let which = self.rng.usize(0..self.replicas.len());
        let (kind, pause) = (self.rng.u32(0..10), Duration::from_millis(self.rng.u64(100..6000)));
        let (bed, replica) = (&self.bed, &self.replicas[which]);
        match kind {
            0 | 1 => bed.proxy(cluster).cut(),
            2 => {
                bed.proxy(cluster).stall();
                tokio::time::sleep(pause * 4).await;
                bed.proxy(cluster).pass();
            }
            3 => {
                bed.proxy(cluster).refuse();
                tokio::time::sleep(pause).await;
                bed.proxy(cluster).pass();
            }
            4 | 5 => {
                replica.kill();
                replica.again()?;
            }
            6 => {
                replica.pause();
                tokio::time::sleep(pause * 4).await;
                replica.resume();
            }
            7 => {
                bed.planes[cluster].pause();
                tokio::time::sleep(pause).await;
                bed.planes[cluster].resume();
            }
            8 => bed.planes[cluster].restart().await?,
            _ => {
                bed.planes.etcd().process().kill();
                bed.planes.etcd().restart().await?;
                let _ = bed.planes.etcd().compact().await;
            }
        }
        tokio::time::sleep(pause).await;
        self.look().await;
        Ok(())
    }

    /// Notes which copies there are: a copy that nobody deleted keeps its UID.
    async fn look(&mut self) {
        for (index, redis) in self.services.iter().enumerate() {
            let Ok(copies) = redis.copy.list().await else { continue };
            for copy in copies {
                let name = copy["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                let Some(life) = self.lives.get_mut(&(index, name.clone())) else { panic!("{name} was never created") };
                let found = uid(&copy).to_owned();
                let before = life.copy.get_or_insert_with(|| found.clone());
                assert!(life.copy_deleted || life.deleted || *before == found, "the copy of {name} was made anew");
            }
        }
    }

    async fn all_in_step(&mut self) {
        for (index, redis) in self.services.iter().enumerate() {
            let mine = self.lives.iter().filter(|((service, _), _)| *service == index);
            let kept: BTreeSet<&str> = mine
                .clone()
                .filter(|(_, life)| life.created && !life.deleted)
                .map(|((_, name), _)| name.as_str())
                .collect();
            // A field that hands changed too often is put right within five minutes.
            let limit = Duration::from_mins(10);
            wait_within(limit, &format!("all of {} is in step", redis.namespace), async || {
                let error = |error: kube::Error| error.to_string();
                let tenants = redis.tenant.list().await.map_err(error)?;
                let internals = redis.internal.list().await.map_err(error)?;
                let copies = redis.copy.list().await.map_err(error)?;
                let names = |list: &[Value]| -> BTreeSet<String> {
                    list.iter().filter_map(|object| object["metadata"]["name"].as_str()).map(str::to_owned).collect()
                };
                let (of_tenants, of_copies) = (names(&tenants), names(&copies));
                let lost: Vec<&&str> = kept.iter().filter(|&&name| !of_tenants.contains(name)).collect();
                assert!(lost.is_empty(), "lost: {lost:?}");
                holds(of_tenants == names(&internals) && of_tenants == of_copies, || {
                    format!("tenants {}, internal {}, copies {}", tenants.len(), internals.len(), copies.len())
                })?;
                for tenant in &tenants {
                    let name = tenant["metadata"]["name"].as_str().unwrap_or_default();
                    let synced = condition(tenant, "Synced");
                    holds(
                        said(synced) == "True/InStep"
                            && synced["observedGeneration"] == tenant["metadata"]["generation"]
                            && tenant["metadata"]["deletionTimestamp"].is_null(),
                        || format!("{name}: {synced} {}", tenant["metadata"]),
                    )?;
                    let copy = copies.iter().find(|copy| copy["metadata"]["name"] == name).ok_or("no copy")?;
                    holds(copy["spec"]["size"] == tenant["spec"]["size"], || format!("{name}: {}", copy["spec"]))?;
                    holds(annotation(copy, "carrier.kubecarrier.io/source-uid") == uid(tenant), || {
                        format!("{name}: {}", copy["metadata"])
                    })?;
                }
                Ok(())
            })
            .await;
        }
        self.look().await;
    }
}
