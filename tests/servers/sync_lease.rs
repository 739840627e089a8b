//! Replicas of `carrier sync` that share clusters by Leases of a real API server: evenly, through orderly ends and
//! deaths, and around people who hold a Lease themselves.

use std::collections::BTreeSet;

use carrier::clusters::{Cluster, Outcome, Verb};
use carrier::names::ClusterId;
use carrier::running::{Holdings, KeeperOptions, LeaseKeeper, Timing, of_cluster};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::errors::client;
use crate::support::{Case, ControlPlane, ControlPlanes, Failed, TestResult, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        replicas_share_evenly_and_give_back,
        the_leases_of_a_dead_replica_are_taken_and_its_own_name_has_them_at_once,
        a_holder_who_was_written_by_hand_is_respected,
        one_pass_waits_for_who_lives,
        a_restarted_server_changes_nothing,
    ]
}

const SPACE: &str = "kubecarrier-system";

async fn planes() -> Result<ControlPlanes, Failed> {
    let planes = ControlPlanes::start(&["management"]).await?;
    planes["management"].kubectl(&["create", "namespace", SPACE]).await?;
    Ok(planes)
}

fn ids() -> BTreeSet<ClusterId> {
    (1..=5).map(|n| ClusterId::new("team-a", format!("eu-west-{n}"))).collect()
}

/// A replica, and its client.
async fn replica(plane: &ControlPlane, name: &str, once: bool) -> (LeaseKeeper, Cluster) {
    let cluster = client(plane.admin()).await;
    let options = KeeperOptions { replica: name.to_owned(), only: None, once, timing: Timing::default() };
    let keeper = LeaseKeeper::start(cluster.clone(), options);
    keeper.clusters(ids());
    (keeper, cluster)
}

fn mine(keeper: &LeaseKeeper) -> BTreeSet<ClusterId> {
    keeper.holdings().borrow().mine.clone()
}

/// Waits until the holdings are such.
async fn until(keeper: &LeaseKeeper, what: &str, reached: impl Fn(&Holdings) -> bool) -> Holdings {
    let mut holdings = keeper.holdings();
    let waiting = tokio::time::timeout(std::time::Duration::from_mins(1), holdings.wait_for(|h| reached(h)));
    let found = waiting.await.map(|found| found.expect("the keeper goes on").clone());
    found.unwrap_or_else(|_| panic!("{what}: {:?}", keeper.holdings().borrow()))
}

/// Waits until two replicas share all clusters.
async fn even(a: &LeaseKeeper, b: &LeaseKeeper) {
    eventually("both have their share", async || {
        let (a, b) = (mine(a), mine(b));
        a.is_disjoint(&b) && a.len() + b.len() == 5 && a.len().abs_diff(b.len()) == 1
    })
    .await;
}

async fn lease(plane: &ControlPlane, name: &str) -> Option<Value> {
    let text = plane.kubectl(&["get", "lease", name, "-n", SPACE, "-o", "json"]).await.ok()?;
    serde_json::from_str(&text).ok()
}

async fn replicas_share_evenly_and_give_back() -> TestResult {
    let planes = planes().await?;
    let plane = &planes["management"];
    let (a, _) = replica(plane, "a", false).await;
    until(&a, "the first takes all", |h| h.mine == ids()).await;
    let (b, requests) = replica(plane, "b", false).await;
    even(&a, &b).await;
    let (held, permits) = (mine(&a), a.permits());
    let name = of_cluster(held.first().ok_or("a cluster")?);
    let seen = lease(plane, &name).await.ok_or("a lease")?;
    assert_eq!(seen["spec"]["holderIdentity"], "a");
    assert_eq!(seen["spec"]["leaseDurationSeconds"], 11);
    assert!(held.iter().all(|id| permits.may_write(id)));
    assert!(mine(&b).iter().all(|id| !permits.may_write(id)));

    // At rest there are renewals and nothing else.
    let read = || [Verb::Get, Verb::List].map(|verb| requests.counters().count(verb, Outcome::Success));
    let (before, writes) = (read(), requests.writes());
    eventually("it renews", async || requests.writes() > writes + 8).await;
    assert_eq!(read(), before);
    assert_eq!(requests.counters().count(Verb::Patch, Outcome::Refused), 0);

    // A write under way keeps its lease from going; others go at once.
    let (id, (done, end)) = (held.first().ok_or("a cluster")?.clone(), tokio::sync::oneshot::channel());
    let (first_poll, polled) = tokio::sync::oneshot::channel();
    let write = tokio::spawn({
        let (permits, id) = (permits.clone(), id.clone());
        async move {
            let work = async {
                first_poll.send(()).expect("somebody waits");
                end.await.expect("somebody ends it");
            };
            permits.within(&id, work).await
        }
    });
    polled.await?;
    let stopped = tokio::spawn(a.stop());
    let rest: BTreeSet<ClusterId> = ids().into_iter().filter(|other| *other != id).collect();
    until(&b, "the other has the rest", |h| h.mine == rest).await;
    assert!(!permits.may_write(&id) && !stopped.is_finished());
    done.send(()).map_err(|()| "the write goes on")?;
    assert_eq!(write.await?, Ok(()));
    stopped.await?;
    until(&b, "the other has all", |h| h.mine == ids()).await;
    assert_eq!(lease(plane, "carrier-sync-replica-a").await, None);
    b.stop().await;
    assert_eq!(lease(plane, &name).await.ok_or("a lease")?["spec"]["holderIdentity"], "");
    Ok(())
}

async fn the_leases_of_a_dead_replica_are_taken_and_its_own_name_has_them_at_once() -> TestResult {
    let planes = planes().await?;
    let plane = &planes["management"];
    let (a, _) = replica(plane, "a", false).await;
    let (b, _) = replica(plane, "b", false).await;
    even(&a, &b).await;
    let before = mine(&a);
    let transitions =
        async |id: &ClusterId| lease(plane, &of_cluster(id)).await.map(|l| l["spec"]["leaseTransitions"].clone());
    let first = before.first().ok_or("a cluster")?;
    let count = transitions(first).await;
    // Dropped is dead: nothing is given back.
    drop(a);
    let again = Instant::now();
    let (a, _) = replica(plane, "a", false).await;
    until(&a, "it has its own", |h| h.mine == before).await;
    // Had they expired first, somebody else had been next to take them.
    assert!(mine(&b).is_disjoint(&before));
    assert_eq!(transitions(first).await, count.and_then(|c| c.as_i64()).map(|c| json!(c + 1)));
    eprintln!("its own name has them after {:?}", again.elapsed());
    drop(b);
    let dead = Instant::now();
    until(&a, "the dead one's are taken", |h| h.mine == ids()).await;
    eprintln!("another name has them after {:?}", dead.elapsed());
    Ok(())
}

async fn a_holder_who_was_written_by_hand_is_respected() -> TestResult {
    let planes = planes().await?;
    let plane = &planes["management"];
    let (a, _) = replica(plane, "a", false).await;
    until(&a, "it takes all", |h| h.mine == ids()).await;
    let id = ids().first().cloned().ok_or("a cluster")?;
    let permits = a.permits();
    let write = tokio::spawn({
        let (permits, id) = (permits.clone(), id.clone());
        async move { permits.within(&id, std::future::pending::<()>()).await }
    });
    let patch = |holder: &str| json!({"spec": {"holderIdentity": holder, "leaseDurationSeconds": 3600}}).to_string();
    let name = of_cluster(&id);
    plane.kubectl(&["patch", "lease", &name, "-n", SPACE, "--type=merge", "-p", &patch("hand")]).await?;
    // What was under way ends, and nothing begins.
    assert!(write.await?.is_err());
    assert!(!permits.may_write(&id));
    let holdings = until(&a, "it is held by another", |h| h.elsewhere.contains_key(&id)).await;
    assert_eq!((holdings.elsewhere[&id].replica.as_str(), holdings.mine.len()), ("hand", 4));
    // The others are renewed, this one stays.
    let other = of_cluster(ids().last().ok_or("a cluster")?);
    let renewed = lease(plane, &other).await.ok_or("a lease")?["spec"]["renewTime"].clone();
    eventually("another is renewed", async || {
        lease(plane, &other).await.is_some_and(|lease| lease["spec"]["renewTime"] != renewed)
    })
    .await;
    assert_eq!(lease(plane, &name).await.ok_or("a lease")?["spec"]["holderIdentity"], "hand");
    plane.kubectl(&["patch", "lease", &name, "-n", SPACE, "--type=merge", "-p", &patch("")]).await?;
    until(&a, "it takes it again", |h| h.mine == ids()).await;
    // One that is deleted is made again by who held it.
    plane.kubectl(&["delete", "lease", &name, "-n", SPACE]).await?;
    eventually("it is there again", async || lease(plane, &name).await.is_some()).await;
    until(&a, "it is held", |h| h.mine == ids()).await;
    Ok(())
}

async fn one_pass_waits_for_who_lives() -> TestResult {
    let planes = planes().await?;
    let plane = &planes["management"];
    let (a, _) = replica(plane, "a", false).await;
    until(&a, "it takes all", |h| h.mine == ids()).await;
    // Even a pass of the same name takes nothing from a process that lives.
    let (once, _) = replica(plane, "a", true).await;
    let holdings = until(&once, "it sees who lives", |h| h.elsewhere.values().filter(|o| o.lives).count() == 5).await;
    assert!(holdings.known && holdings.mine.is_empty() && holdings.elsewhere.values().all(|o| o.replica == "a"));
    a.stop().await;
    until(&once, "it takes all", |h| h.mine == ids()).await;
    assert_eq!(lease(plane, "carrier-sync-replica-a").await, None);
    once.stop().await;
    Ok(())
}

async fn a_restarted_server_changes_nothing() -> TestResult {
    let planes = planes().await?;
    let plane = &planes["management"];
    let (a, _) = replica(plane, "a", false).await;
    let (b, _) = replica(plane, "b", false).await;
    even(&a, &b).await;
    let before = (mine(&a), mine(&b));
    plane.kill();
    // Without a server no permit lasts.
    until(&a, "its permits end", |h| h.mine.is_empty() && h.problem.is_some()).await;
    until(&b, "its permits end", |h| h.mine.is_empty()).await;
    plane.restart().await?;
    eventually("all is as before", async || (mine(&a), mine(&b)) == before).await;
    until(&a, "nothing is wrong any more", |h| h.problem.is_none()).await;
    Ok(())
}
