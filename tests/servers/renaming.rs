//! Renaming a service that has instances: refused with the server's reason and the way on; nobody loses the access to what is
//! there without a word; and the way on is one.

use super::platform::Platform;
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![a_service_with_instances_keeps_its_name, the_old_service_stays_beside_the_new_one_until_it_is_empty]
}

const DERIVED: &str = "redis.eu-west-1.team-a";
const SPEC: &str = "{mode: standalone, global: {image: x, password: z}, redisConfig: {}, service: {type: ClusterIP}}";
const WAY_ON: &str =
    "offer it under the new name by a CatalogEntrySet beside this one, until this one has no instances";

async fn a_service_with_instances_keeps_its_name() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    platform.instance("eu-west-1", "cache", SPEC).await?;
    platform.edit("catalogs/redis.yaml", "  derive:\n", "  derive:\n    kind: Cache\n");
    let refused = platform.carrier(&["apply", "--yes"]).await.ends(3);
    assert!(refused.err.contains("spec.names.kind: Invalid value: field is immutable"), "{}", refused.err);
    assert!(refused.err.contains(WAY_ON), "{}", refused.err);
    platform.edit("catalogs/redis.yaml", "    kind: Cache\n", "    kind: Cache\n    plural: caches\n");
    let refused = platform.carrier(&["apply", "--yes"]).await.ends(3);
    let reason = "the API server refuses CatalogEntry team-a/redis.eu-west-1: ";
    let why = "spec.baseCRD: Invalid value: the base CRD of an entry cannot be changed”";
    assert!(refused.err.contains(reason) && refused.err.contains(why), "{}", refused.err);
    assert!(refused.err.contains(WAY_ON), "{}", refused.err);

    // The way that people find: the entry is made anew. The tenant's role would be for the new kind alone.
    platform.management().kubectl(&["delete", "catalogentry", "-n", "team-a", "redis.eu-west-1"]).await?;
    let plan = platform.carrier(&["plan"]).await.ends(0);
    let line = "      User team-b-member can no longer use 1 instance of a service that stays\n      leaves 1 instance: Redis team-b/cache\n";
    assert!(plan.out.contains(line), "{}", plan.out);
    let refused = platform.carrier(&["apply", "--yes"]).await.ends(3);
    let role = format!("role/team-b/kubecarrier:tenant:{DERIVED}");
    assert!(refused.err.contains("leaves 1 instance: Redis team-b/cache"), "{}", refused.err);
    assert!(refused.err.contains(&format!("to allow this: --allow-breaking {role}\n")), "{}", refused.err);
    let tenant = platform.management().impersonate("team-b-member", &[]).await?;
    tenant.kubectl(&["get", DERIVED, "-n", "team-b", "cache"]).await?;
    // With `--prune` the offer goes as well, and says it.
    let plan = platform.carrier(&["plan", "--prune"]).await.ends(0);
    let left = "1 instance would be left without it\n      leaves 1 instance: Redis team-b/cache\n";
    assert!(plan.out.contains(left), "{}", plan.out);
    assert!(!plan.out.contains("can no longer use"), "{}", plan.out);
    Ok(())
}

async fn the_old_service_stays_beside_the_new_one_until_it_is_empty() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    platform.instance("eu-west-1", "cache", SPEC).await?;
    let old = std::fs::read_to_string(platform.path("catalogs/redis.yaml"))?;
    let new = old.replace("  name: redis\n", "  name: caches\n");
    let new = new.replace("  derive:\n", "  derive:\n    kind: Cache\n    plural: caches\n");
    platform.write("catalogs/caches.yaml", &new);
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    let tenant = platform.management().impersonate("team-b-member", &[]).await?;
    let offerings = tenant.kubectl(&["get", "offerings", "-n", "team-b", "-o", "name"]).await?;
    assert_eq!(offerings.lines().count(), 2, "{offerings}");
    tenant.kubectl(&["get", DERIVED, "-n", "team-b", "cache"]).await?;
    tenant.kubectl(&["get", "caches.eu-west-1.team-a", "-n", "team-b"]).await?;

    // The entry of the old one cannot go while an instance is left.
    std::fs::remove_file(platform.path("catalogs/redis.yaml"))?;
    let refused = platform.carrier(&["apply", "--yes", "--prune"]).await.ends(3);
    let set = "CatalogEntrySet team-a/redis is no longer in the repository, and 5 objects would be deleted with it";
    assert!(
        refused.err.contains(set) && refused.err.contains("CatalogEntry team-a/redis.eu-west-1"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("destroys 1 instance: Redis team-b/cache"), "{}", refused.err);
    tenant.kubectl(&["delete", DERIVED, "-n", "team-b", "cache"]).await?;

    // Without instances nobody loses one. But what applies or watches the old kind loses its API, so somebody has to say
    // that nobody uses it: once, by the name of what is removed.
    let less = ["apply", "--yes", "--prune"];
    let refused = platform.carrier(&less).await.ends(3);
    assert!(!refused.err.contains("destroys") && !refused.err.contains("instance: "), "{}", refused.err);
    assert!(refused.err.contains("team-b is no longer offered the service"), "{}", refused.err);
    assert_eq!(refused.err.matches("to allow this: ").count(), 1, "{}", refused.err);
    let allowed = ["--allow-breaking", "catalogentryset/team-a/redis"];
    assert!(refused.err.contains(&format!("to allow this: {}\n", allowed.join(" "))), "{}", refused.err);
    platform.carrier(&[&less[..], &allowed].concat()).await.ends(0);
    let offerings = tenant.kubectl(&["get", "offerings", "-n", "team-b", "-o", "name"]).await?;
    assert_eq!(offerings.trim(), "offering.catalog.kubecarrier.io/caches.eu-west-1.team-a");
    platform.carrier(&["plan", "--detailed-exitcode", "--prune"]).await.ends(0);
    Ok(())
}
