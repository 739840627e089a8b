//! The process itself: killed, ended, doubled, and run once.

use serde_json::{Value, json};

use super::basics::{shows, versions};
use super::bed::Bed;
use super::deletions::all_in_step;
use super::objects::{Objects, annotation, holds, uid, version, wait};
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        killed_at_twenty_points_of_a_burst,
        an_orderly_end_gives_the_leases_back,
        nobody_is_ready_before_the_leases_are_held,
        a_lease_that_is_lost_and_regained_costs_no_list,
        two_processes_share_the_clusters_and_double_nothing,
        a_replica_that_stands_still_loses_its_clusters,
        a_replica_whose_clock_differs_is_respected_while_it_renews,
        a_restart_writes_nothing,
        once_ends_when_all_is_in_step,
        once_says_what_is_not_in_step,
        once_does_not_begin_where_there_is_nothing_to_work_on,
        a_dry_run_writes_nothing_and_says_what_it_would,
        a_dry_run_says_what_the_run_would_be_refused,
        one_cluster_only,
    ]
}

pub(crate) fn leases(bed: &Bed) -> Objects {
    let kind = ("coordination.k8s.io", "v1", "Lease", "leases");
    Objects::new(bed.management().client(), kind, "kubecarrier-system")
}

async fn holder(bed: &Bed, region: &str) -> Result<String, String> {
    let lease =
        leases(bed).try_get(&format!("carrier-sync-{region}.team-a")).await.map_err(|error| error.to_string())?;
    let lease = lease.ok_or("there is no lease")?;
    Ok(lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned())
}

/// How many instances the burst has, and how often sync is killed in it.
const BURST: usize = 60;
const KILLS: usize = 20;

async fn killed_at_twenty_points_of_a_burst() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _operator = bed.operator("eu-west-1");
    bed.clusters().annotate("eu-west-1", "carrier.kubecarrier.io/deletion-breaker", Some("1000,100%,10m")).await?;
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    let name = |number: usize| format!("burst-{number:02}");
    // The points lie where the writes of the burst stand, not at times: after so many copies, edits and deletions.
    for kill in 0..KILLS {
        for number in (kill * BURST / KILLS)..((kill + 1) * BURST / KILLS) {
            redis.create(&name(number)).await?;
        }
        if kill % 3 == 1 {
            redis.member.merge(&name(kill), &json!({"spec": {"size": 10 + kill}})).await?;
        }
        if kill % 4 == 3 {
            redis.member.delete(&name(kill - 1)).await?;
        }
        // Somewhere within the passes of these.
        tokio::time::sleep(std::time::Duration::from_millis(17 * (kill as u64 % 7))).await;
        sync.kill();
        sync.again()?;
        if kill % 2 == 0 {
            sync.ready().await?;
        }
    }
    sync.ready().await?;
    let deleted: Vec<usize> = (0..KILLS).filter(|kill| kill % 4 == 3).map(|kill| kill - 1).collect();
    for &number in &deleted {
        redis.gone(&name(number)).await;
    }
    all_in_step(&redis, BURST - deleted.len()).await;
    for number in (0..BURST).filter(|number| !deleted.contains(number)) {
        let levels = redis.in_step(&name(number)).await;
        assert_eq!(annotation(&levels.copy, "carrier.kubecarrier.io/source-uid"), uid(&levels.tenant));
        assert_eq!(levels.copy["spec"]["size"], levels.tenant["spec"]["size"]);
    }
    // Nothing doubled, no orphan.
    for (level, objects) in [("internal", &redis.internal), ("copy", &redis.copy)] {
        assert_eq!(objects.list().await?.len(), BURST - deleted.len(), "{level}");
    }
    Ok(())
}

async fn an_orderly_end_gives_the_leases_back() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    redis.later("first").await?;
    assert_eq!(holder(&bed, "eu-west-1").await?, "one");
    assert_eq!(sync.get("/healthz").await?.0, 200);
    assert_eq!(sync.stop().await, Some(0));
    let left = holder(&bed, "eu-west-1").await;
    assert!(left.as_ref().map_or(true, String::is_empty), "{left:?} still holds it");
    // Another may begin at once.
    let other = bed.replica("two", &[])?;
    other.ready().await?;
    redis.later("second").await?;
    assert_eq!(holder(&bed, "eu-west-1").await?, "two");
    // Killed, the same name takes its own back.
    other.kill();
    other.again()?;
    redis.later("third").await?;
    assert_eq!(holder(&bed, "eu-west-1").await?, "two");
    Ok(())
}

/// Takes from sync's account the right to write leases, or returns it, and waits until the server knows.
async fn may_write_leases(bed: &Bed, allowed: bool) -> TestResult {
    let all = ["create", "delete", "get", "list", "patch", "watch"];
    let verbs = if allowed { json!(all) } else { json!(["get", "list", "watch"]) };
    let patch = json!([{"op": "replace", "path": "/rules/0/verbs", "value": verbs}]).to_string();
    let role = ["patch", "role", "kubecarrier:sync", "-n", "kubecarrier-system", "--type", "json", "-p", &patch];
    bed.management().kubectl(&role).await?;
    let account = bed.management().impersonate("system:serviceaccount:kubecarrier-system:carrier-sync", &[]).await?;
    wait("the server knows the role", async || {
        let can = ["auth", "can-i", "patch", "leases.coordination.k8s.io", "-n", "kubecarrier-system"];
        // `no` is also an exit code.
        let said = account.kubectl(&can).await;
        holds(said.as_ref().is_ok_and(|said| said.trim() == "yes") == allowed, || format!("{said:?}"))
    })
    .await;
    Ok(())
}

async fn nobody_is_ready_before_the_leases_are_held() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    may_write_leases(&bed, false).await?;
    let sync = bed.replica("one", &[])?;
    wait("it says what it lacks", async || {
        let (code, body) = sync.get("/readyz").await?;
        assert_ne!(code, 200, "it is ready without a lease: {body}");
        let said = "team-a/eu-west-1: no replica is known to hold its lease: the lease carrier-sync-";
        holds(body.contains(said) && body.contains("leases.coordination.k8s.io"), || body.clone())
    })
    .await;
    may_write_leases(&bed, true).await?;
    sync.ready().await?;
    assert_eq!(holder(&bed, "eu-west-1").await?, "one");
    // Whoever knows that another replica works on the cluster is ready, too.
    let other = bed.replica("two", &[])?;
    other.ready().await?;
    assert_eq!(holder(&bed, "eu-west-1").await?, "one");
    Ok(())
}

/// Nothing is written while the lease is lost, and when it is back all is done without a new list.
async fn a_lease_that_is_lost_and_regained_costs_no_list() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    for name in ["edited", "by-hand", "deleted"] {
        redis.later(name).await?;
    }
    let lists = async || sync.metrics().await.sum("carrier_requests_total", &["verb=\"list\""]);
    let before = lists().await;
    may_write_leases(&bed, false).await?;
    let lost = async || {
        let (code, body) = sync.get("/readyz").await?;
        holds(code == 503 && body.contains("no replica is known to hold its lease"), || format!("{code}: {body}"))
    };
    wait("the lease is lost", lost).await;
    redis.member.merge("edited", &json!({"spec": {"size": 8}})).await?;
    redis.copy.merge("by-hand", &json!({"spec": {"size": 9}})).await?;
    redis.member.delete("deleted").await?;
    redis.create("new").await?;
    // The watches tell of them, so that only the permit is missing.
    wait("the edits are seen", async || {
        let metrics = sync.metrics().await;
        let waiting = metrics.sum("carrier_oldest_unsynced_seconds", &[]);
        holds(waiting > 0.0, || format!("{waiting}"))
    })
    .await;
    lost().await?;
    assert_eq!(redis.copy.get("edited").await.ok_or("gone")?["spec"]["size"], 3, "it was written without the lease");
    assert_eq!(redis.copy.get("by-hand").await.ok_or("gone")?["spec"]["size"], 9, "it was written without the lease");
    assert!(redis.copy.get("deleted").await.is_some() && redis.internal.get("new").await.is_none());
    may_write_leases(&bed, true).await?;
    sync.ready().await?;
    assert_eq!(redis.in_step("edited").await.copy["spec"]["size"], 8);
    wait("what was changed by hand is corrected", async || {
        let size = redis.copy.get("by-hand").await.ok_or("gone")?["spec"]["size"].clone();
        holds(size == 3, || size.to_string())
    })
    .await;
    redis.gone("deleted").await;
    redis.in_step("new").await;
    let after = lists().await;
    assert!((after - before).abs() < 0.5, "{before} lists before the lease was lost, {after} when it was back");
    Ok(())
}

async fn two_processes_share_the_clusters_and_double_nothing() -> TestResult {
    let bed = Bed::new(&["eu-west-1", "eu-west-2"]).await?;
    let (one, two) = (bed.replica("one", &[])?, bed.replica("two", &[])?);
    one.ready().await?;
    two.ready().await?;
    wait("each holds one", async || {
        let mut holders = [holder(&bed, "eu-west-1").await?, holder(&bed, "eu-west-2").await?];
        holders.sort();
        holds(holders == ["one", "two"], || format!("{holders:?}"))
    })
    .await;
    let services = [bed.service("eu-west-1").await, bed.service("eu-west-2").await];
    for number in 0..20 {
        for redis in &services {
            redis.create(&format!("shared-{number}")).await?;
        }
    }
    for redis in &services {
        all_in_step(redis, 20).await;
        assert_eq!(redis.copy.list().await?.len(), 20);
    }
    let (first, second) = (one.metrics().await, two.metrics().await);
    for cluster in ["cluster=\"team-a/eu-west-1\"", "cluster=\"team-a/eu-west-2\""] {
        let writes =
            [&first, &second].map(|metrics| metrics.sum("carrier_writes_total", &[cluster, "side=\"service\""]));
        assert!(writes.contains(&0.0), "both wrote to {cluster}: {writes:?}");
    }
    one.kill();
    for redis in &services {
        redis.later("after-a-death").await?;
    }
    Ok(())
}

async fn a_replica_that_stands_still_loses_its_clusters() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let one = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    redis.later("first").await?;
    let two = bed.replica("two", &[])?;
    two.ready().await?;
    one.pause();
    redis.later("second").await?;
    assert_eq!(holder(&bed, "eu-west-1").await?, "two");
    let before = two.metrics().await.sum("carrier_writes_total", &["side=\"service\""]);
    assert!(before > 0.0);
    // Awake again it must not believe that it still holds what it held.
    one.resume();
    redis.member.merge("first", &json!({"spec": {"size": 8}})).await?;
    assert_eq!(redis.in_step("first").await.copy["spec"]["size"], 8);
    redis.later("third").await?;
    assert_eq!(redis.copy.list().await?.len(), 3);
    assert_eq!(one.stop().await, Some(0));
    Ok(())
}

/// No clock of this machine is changed: the lease of another replica, which the test keeps, bears the times of a
/// clock that is ten minutes behind or ahead.
async fn a_replica_whose_clock_differs_is_respected_while_it_renews() -> TestResult {
    let bed = Bed::new(&["eu-west-1", "eu-west-2"]).await?;
    let leases = leases(&bed);
    let renewals = [("eu-west-1", -10), ("eu-west-2", 10)].map(|(region, minutes)| {
        let (leases, name) = (leases.clone(), format!("carrier-sync-{region}.team-a"));
        let spec = move || {
            let time = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
            let time = format!("{time:.6}");
            json!({"holderIdentity": "elsewhere", "leaseDurationSeconds": 12, "acquireTime": time, "renewTime": time})
        };
        (leases, name, spec)
    });
    for (leases, name, spec) in &renewals {
        leases.create(name, &spec(), &json!({})).await?;
    }
    let renewing = tokio::spawn(async move {
        loop {
            for (leases, name, spec) in &renewals {
                let _ = leases.merge(name, &json!({"spec": spec()})).await;
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    });
    let sync = bed.replica("one", &[])?;
    let services = [("eu-west-1", bed.service("eu-west-1").await), ("eu-west-2", bed.service("eu-west-2").await)];
    for (_, redis) in &services {
        redis.create("waits").await?;
    }
    // Longer than a lease lasts.
    tokio::time::sleep(std::time::Duration::from_secs(25)).await;
    for (region, redis) in &services {
        assert_eq!(holder(&bed, region).await?, "elsewhere", "{region} was taken from a replica that lives");
        assert!(redis.copy.get("waits").await.is_none(), "{region} was written by who does not hold it");
    }
    renewing.abort();
    for (region, redis) in &services {
        redis.in_step("waits").await;
        assert_eq!(holder(&bed, region).await?, "one");
    }
    assert_eq!(sync.stop().await, Some(0));
    Ok(())
}

async fn a_restart_writes_nothing() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let _operator = bed.operator("eu-west-1");
    let sync = bed.sync().await?;
    let redis = bed.service("eu-west-1").await;
    for number in 0..20 {
        redis.create(&format!("still-{number}")).await?;
    }
    all_in_step(&redis, 20).await;
    for number in 0..20 {
        shows(&redis.tenant, &format!("still-{number}"), "/status/observedGeneration", json!(1)).await;
    }
    assert_eq!(sync.stop().await, Some(0));
    let mut before = Vec::new();
    for number in 0..20 {
        before.push(versions(&redis, &format!("still-{number}")).await);
    }
    let statuses = [bed.clusters().list().await?, bed.assignments().list().await?];
    sync.again()?;
    sync.ready().await?;
    redis.later("later").await?;
    for (number, before) in before.iter().enumerate() {
        assert_eq!(&versions(&redis, &format!("still-{number}")).await, before, "still-{number} was written");
    }
    let after = [bed.clusters().list().await?, bed.assignments().list().await?];
    let of = |lists: &[Vec<Value>; 2]| -> Vec<String> {
        lists.iter().flatten().map(|each| version(each).to_owned()).collect()
    };
    assert_eq!(of(&after), of(&statuses), "a status was written again");
    Ok(())
}

async fn once_ends_when_all_is_in_step() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let redis = bed.service("eu-west-1").await;
    for number in 0..5 {
        redis.create(&format!("once-{number}")).await?;
    }
    bed.sync_command(&["--once", "--replica", "ci"]).await.ends(0);
    all_in_step(&redis, 5).await;
    redis.member.delete("once-0").await?;
    redis.member.annotate("once-1", "carrier.kubecarrier.io/paused", Some("true")).await?;
    let run = bed.sync_command(&["--once", "--replica", "ci"]).await.ends(0);
    assert!(run.text().contains("once-1"), "paused ones are listed: {}", run.text());
    redis.gone("once-0").await;
    // Another holds the leases.
    let sync = bed.sync().await?;
    let run = bed.sync_command(&["--once", "--replica", "ci"]).await.ends(3);
    assert!(run.text().contains("one"), "the holder is named: {}", run.text());
    redis.later("beside-a-sync").await?;
    // Who is dead does not hold them: not for a replica of another name, nor for one of the same.
    for (name, replica) in [("after-a-death", "ci"), ("after-another", "one")] {
        sync.kill();
        redis.create(name).await?;
        bed.sync_command(&["--once", "--replica", replica]).await.ends(0);
        redis.in_step(name).await;
        sync.again()?;
        sync.ready().await?;
    }
    Ok(())
}

async fn once_says_what_is_not_in_step() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let redis = bed.service("eu-west-1").await;
    redis.copy.create("theirs", &super::bed::spec(), &json!({})).await?;
    redis.create("theirs").await?;
    redis.create("mine").await?;
    let run = bed.sync_command(&["--once", "--timeout", "1m"]).await.ends(5);
    assert!(run.text().contains("theirs") && run.text().contains("Conflict"), "{}", run.text());
    redis.in_step("mine").await;
    // A cluster that does not answer comes before that.
    bed.proxy("eu-west-1").refuse();
    let run = bed.sync_command(&["--once", "--timeout", "30s"]).await.ends(4);
    assert!(run.text().contains("eu-west-1"), "{}", run.text());
    Ok(())
}

async fn once_does_not_begin_where_there_is_nothing_to_work_on() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    // In time, though it would wait for ten minutes.
    for dry in [&[][..], &["--dry-run"]] {
        let elsewhere = ["sync", "--once", "--context", "eu-west-1", "--allow-loopback"];
        let run = bed.carrier(&[&elsewhere[..], dry].concat()).await.ends(1);
        assert!(run.text().contains("does not serve `catalogentries.catalog.kubecarrier.io`"), "{}", run.text());
        assert!(run.text().contains("--context"), "{}", run.text());
        let misspelt = ["--once", "--only", "team-a/eu-west-11"];
        let run = bed.sync_command(&[&misspelt[..], dry].concat()).await.ends(64);
        assert!(run.text().contains("no ServiceCluster `team-a/eu-west-11`"), "{}", run.text());
        assert!(run.text().contains("did you mean `team-a/eu-west-1`?"), "{}", run.text());
    }
    assert!(leases(&bed).list().await?.is_empty(), "a lease was taken");
    Ok(())
}

async fn a_dry_run_writes_nothing_and_says_what_it_would() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let redis = bed.service("eu-west-1").await;
    redis.create("new").await?;
    let tenant = redis.tenant.get("new").await.ok_or("gone")?;
    let dry = ["--once", "--dry-run"];
    let run = bed.sync_command(&dry).await.ends(0);
    assert!(run.out.contains("new"), "{}", run.text());
    assert!(!run.text().contains("1234"), "a value of a spec is shown: {}", run.text());
    let run = bed.sync_command(&[&dry[..], &["-o", "json", "--detailed-exitcode"]].concat()).await.ends(2);
    assert!(!run.json().is_null());
    assert_eq!(redis.tenant.get("new").await.ok_or("gone")?, tenant, "it was written");
    assert!(redis.internal.get("new").await.is_none() && redis.copy.get("new").await.is_none());
    assert!(leases(&bed).list().await?.is_empty(), "a lease was taken");
    bed.sync_command(&["--once"]).await.ends(0);
    bed.sync_command(&[&dry[..], &["--detailed-exitcode"]].concat()).await.ends(0);
    // An orphan is worth an event, which a dry run does not write either.
    redis.tenant.vanish("new").await?;
    let run = bed.sync_command(&dry).await.ends(0);
    let events = bed.management().kubectl(&["get", "events", "-n", "team-a", "-o", "json"]).await?;
    assert!(!events.contains("Orphan"), "{}: {events}", run.text());
    bed.sync_command(&["--once"]).await.ends(5);
    wait("a run that writes tells of the orphan", async || {
        let events = bed.management().kubectl(&["get", "events", "-n", "team-a", "-o", "json"]).await;
        let events = events.map_err(|error| error.to_string())?;
        holds(events.contains("Orphan"), || events.clone())
    })
    .await;
    Ok(())
}

async fn a_dry_run_says_what_the_run_would_be_refused() -> TestResult {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let redis = bed.service("eu-west-1").await;
    super::copies::refuse_large(&bed, "eu-west-1", "large").await?;
    redis.copy.create("theirs", &super::bed::spec(), &json!({})).await?;
    redis.create("theirs").await?;
    redis.create("fine").await?;
    redis.create("large").await?;
    redis.member.merge("large", &json!({"spec": {"size": 10}})).await?;
    let dry = ["--once", "--dry-run"];
    // Before anything is written, and after a run that could not do it.
    let run = bed.sync_command(&dry).await.ends(0);
    for (name, then) in [("theirs", "Conflict: the service cluster has an object"), ("large", "Rejected: the service")]
    {
        let line = run.out.lines().find(|line| line.contains(&format!(" {name} -n"))).ok_or(run.text())?;
        assert!(line.contains("would add the finalizer, create the internal object; then"), "{line}");
        assert!(line.contains(then), "{line}");
    }
    let line = run.out.lines().find(|line| line.contains(" fine -n")).ok_or(run.text())?;
    assert!(line.ends_with("would add the finalizer, create the internal object"), "{line}");
    assert!(run.out.contains("0 in step, 3 would be written, 2 would not be in step"), "{}", run.out);
    bed.sync_command(&["--once"]).await.ends(5);
    let run = bed.sync_command(&[&dry[..], &["--detailed-exitcode"]].concat()).await.ends(0);
    assert!(run.out.contains("1 in step, 0 would be written, 2 would not be in step"), "{}", run.out);
    assert!(
        run.out.contains("theirs -n team-b: Conflict") && run.out.contains("large -n team-b: Rejected"),
        "{}",
        run.out
    );
    // Once the provider consents, the copy would be written.
    redis.copy.annotate("theirs", "carrier.kubecarrier.io/adopt", Some("true")).await?;
    let run = bed.sync_command(&[&dry[..], &["--detailed-exitcode"]].concat()).await.ends(2);
    assert!(run.out.contains("theirs -n team-b: would adopt the copy"), "{}", run.out);
    Ok(())
}

async fn one_cluster_only() -> TestResult {
    let bed = Bed::new(&["eu-west-1", "eu-west-2"]).await?;
    let sync = bed.replica("one", &["--only", "team-a/eu-west-2"])?;
    sync.ready().await?;
    let (first, second) = (bed.service("eu-west-1").await, bed.service("eu-west-2").await);
    first.create("not-mine").await?;
    second.later("mine").await?;
    assert!(first.internal.get("not-mine").await.is_none() && first.copy.get("not-mine").await.is_none());
    assert!(holder(&bed, "eu-west-1").await.map_or(true, |holder| holder.is_empty()));
    Ok(())
}
