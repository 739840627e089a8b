//! Tenants and services that leave the repository while they have instances: what was allowed goes, in an order in which
//! sync can delete the copies, and nothing stays behind in deletion.

use super::bed::{Bed, MANAGEMENT};
use super::objects::{holds, wait};
use crate::platform::Run;
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_tenant_that_leaves_takes_its_instances_along,
        a_service_that_leaves_takes_its_instances_along,
        without_sync_nothing_else_is_deleted,
    ]
}

const REGION: &str = "eu-west-1";

/// Applies a repository that has less than before, whatever goes.
async fn pruned(bed: &Bed, more: &[&str]) -> Run {
    let usual = ["apply", "--yes", "--prune", "--max-prune=100", "--allow-delete=all", "--allow-breaking=all"];
    bed.carrier(&[&usual, more].concat()).await
}

async fn exists(bed: &Bed, cluster: &str, object: &str) -> bool {
    !bed.planes[cluster]
        .kubectl(&["get", object, "--ignore-not-found", "-o", "name"])
        .await
        .unwrap_or_default()
        .is_empty()
}

async fn a_tenant_that_leaves_takes_its_instances_along() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let (leaving, staying) = (bed.service_of("team-c", REGION).await, bed.service(REGION).await);
    for name in ["one", "two"] {
        leaving.create(name).await?;
        leaving.in_step(name).await;
    }
    staying.create("kept").await?;
    let before = staying.in_step("kept").await;
    std::fs::remove_file(bed.path("accounts/team-c.yaml"))?;
    let run = pruned(&bed, &[]).await.ends(0);
    assert!(run.text().contains("approved the deletion of 2 instances"), "{}", run.text());
    assert!(!exists(&bed, MANAGEMENT, "namespace/team-c").await);
    // The namespace in the service cluster is deleted when nothing of sync is left in it.
    wait("the namespace in the service cluster is gone", async || {
        holds(!exists(&bed, REGION, &format!("namespace/{}", leaving.namespace)).await, || "it is there".to_owned())
    })
    .await;
    assert_eq!(staying.in_step("kept").await.copy["metadata"]["uid"], before.copy["metadata"]["uid"]);
    let nothing = bed.carrier(&["plan", "--prune", "--detailed-exitcode"]).await;
    assert_eq!(nothing.code, 0, "something is left: {}", nothing.text());
    Ok(())
}

async fn a_service_that_leaves_takes_its_instances_along() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let _sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    redis.create("one").await?;
    redis.in_step("one").await;
    std::fs::remove_file(bed.path("team-a/redis.yaml"))?;
    let run = pruned(&bed, &[]).await.ends(0);
    assert!(run.text().contains("approved the deletion of 1 instance;"), "{}", run.text());
    for crd in ["redis.eu-west-1.team-a", "redis.internal.eu-west-1.team-a"] {
        assert!(!exists(&bed, MANAGEMENT, &format!("crd/{crd}")).await, "{crd}");
    }
    assert!(redis.copy.get("one").await.is_none(), "the copy is left behind");
    Ok(())
}

async fn without_sync_nothing_else_is_deleted() -> TestResult {
    let bed = Bed::new(&[REGION]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service_of("team-c", REGION).await;
    redis.create("one").await?;
    redis.in_step("one").await;
    sync.stop().await;
    std::fs::remove_file(bed.path("accounts/team-c.yaml"))?;
    let run = pruned(&bed, &["--timeout", "3s"]).await.ends(5);
    assert!(run.err.contains("`carrier sync` has to delete the copies of 1 instance"), "{}", run.text());
    // What sync needs for it is there, and the copy too.
    assert!(bed.assignments().get("team-c.eu-west-1").await.is_some());
    assert!(redis.copy.get("one").await.is_some());
    sync.again()?;
    sync.ready().await?;
    pruned(&bed, &[]).await.ends(0);
    wait("the namespace is gone", async || {
        holds(!exists(&bed, MANAGEMENT, "namespace/team-c").await, || "it is there".to_owned())
    })
    .await;
    assert!(redis.copy.get("one").await.is_none());
    Ok(())
}
