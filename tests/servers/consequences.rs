//! Changes that would hurt somebody: said before, with names and counts, refused, and made only
//! when they are asked for by name. Whatever is refused changes nothing anywhere.

use std::collections::BTreeMap;

use super::platform::{Platform, Run};
use super::tutorial::versions;
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_narrowed_exposure_names_its_instances_and_waits_for_the_flag,
        removing_a_tenant_a_catalog_or_a_cluster_destroys_nothing_unasked,
        two_repositories_share_a_management_cluster,
        a_saved_plan_is_for_the_instances_that_it_named,
        a_cluster_that_does_not_answer_keeps_nobody_waiting
    ]
}

const FULL: &str = "{mode: standalone, size: 3, global: {image: 'opstree/redis:v2.0', password: hunter2}, redisConfig: {}, \
                    service: {type: ClusterIP}, redisExporter: {enabled: true, image: exporter}}";
const SMALL: &str = "{mode: standalone, global: {image: 'opstree/redis:v2.0', password: hunter2}, redisConfig: {}, \
                     service: {type: ClusterIP}}";

/// Nothing that an instance holds is ever shown.
fn discreet(run: Run) -> Run {
    assert!(!run.text().contains("hunter2"), "{}", run.text());
    run
}

/// Every object of every cluster, with its version.
async fn everything(platform: &Platform) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for plane in platform.planes.iter() {
        if plane.name() == "management" {
            all.insert(plane.name().to_owned(), versions(plane).await.expect("listed"));
        }
        let list = plane.kubectl(&["get", "namespaces", "-o", "name"]).await.expect("listed");
        all.insert(
            format!("namespaces of {}", plane.name()),
            list.lines().map(|l| (l.to_owned(), String::new())).collect(),
        );
    }
    all
}

async fn a_narrowed_exposure_names_its_instances_and_waits_for_the_flag() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    platform.instance("eu-west-1", "uses-it", FULL).await?;
    platform.instance("eu-west-1", "does-not", SMALL).await?;
    let before = everything(&platform).await;

    platform.edit("catalogs/redis.yaml", "      - jsonPath: .spec.size\n", "");
    let plan = discreet(platform.carrier(&["plan"]).await.ends(0));
    assert!(plan.text().contains(".spec.size"), "{}", plan.text());
    assert!(plan.text().contains("uses-it") && !plan.text().contains("does-not"), "{}", plan.text());
    assert!(plan.text().contains("breaking"), "{}", plan.text());
    let json = discreet(platform.carrier(&["plan", "-o", "json"]).await.ends(0)).json();
    let change = json["changes"].as_array().into_iter().flatten().find(|c| c["name"] == "redis.eu-west-1.team-a");
    let change = change.ok_or("the CRD changes")?;
    assert_eq!(change["effect"], "breaking", "{change:#}");
    assert_eq!(change["source"]["file"], "catalogs/redis.yaml", "{change:#}");
    assert_eq!(change["impact"]["instances"], 2, "{change:#}");
    assert_eq!(change["impact"]["invalid_count"], 1, "{change:#}");

    let refused = discreet(platform.carrier(&["apply", "--yes"]).await.ends(3));
    assert!(refused.text().contains("--allow-breaking"), "{}", refused.text());
    assert_eq!(everything(&platform).await, before, "what is refused changes nothing");

    discreet(platform.carrier(&["apply", "--yes", "--allow-breaking", "crd/redis.eu-west-1.team-a"]).await.ends(0));
    let kept = platform.management().kubectl(&["get", "redis.eu-west-1.team-a", "-n", "team-b", "-o", "name"]).await?;
    assert_eq!(kept.lines().count(), 2, "both instances are there: {kept}");
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    Ok(())
}

async fn removing_a_tenant_a_catalog_or_a_cluster_destroys_nothing_unasked() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    platform.instance("eu-west-1", "precious", FULL).await?;
    // What sync would have made of it.
    let service = &platform.planes["eu-west-1"];
    let namespaces =
        service.kubectl(&["get", "namespaces", "-l", "kubecarrier.io/tenant=team-b", "-o", "name"]).await?;
    let namespace = namespaces.trim().strip_prefix("namespace/").ok_or("team-b has a namespace")?.to_owned();
    let copy = format!(
        "apiVersion: redis.redis.opstreelabs.in/v1beta1\nkind: Redis\nmetadata: {{name: precious, namespace: {namespace}}}\nspec: {FULL}\n"
    );
    service.kubectl_with(&["apply", "--server-side", "--validate=false", "-f", "-"], &copy).await?;
    let before = everything(&platform).await;

    for (what, file) in [
        ("the tenant", "accounts/team-b.yaml"),
        ("the catalog", "catalogs/catalog.yaml"),
        ("the cluster", "clusters/eu-west-1.yaml"),
    ] {
        let text = std::fs::read_to_string(platform.path(file))?;
        std::fs::remove_file(platform.path(file))?;
        // Without pruning nothing goes; it is said that it stays.
        let plain = discreet(platform.carrier(&["apply", "--yes"]).await.ends(0));
        assert!(plain.text().contains("--prune"), "{what}: {}", plain.text());
        assert_eq!(everything(&platform).await, before, "{what}: gone from the repository is not gone");
        // With it, it is refused as long as somebody has instances.
        let refused = discreet(platform.carrier(&["apply", "--yes", "--prune", "--max-prune", "1000"]).await.ends(3));
        assert!(refused.text().contains("precious"), "{what}: {}", refused.text());
        assert!(refused.text().contains("--allow-delete"), "{what}: {}", refused.text());
        assert_eq!(everything(&platform).await, before, "{what}: what is refused changes nothing");
        std::fs::write(platform.path(file), text)?;
    }
    let kept = platform.management().kubectl(&["get", "redis.eu-west-1.team-a", "-n", "team-b", "-o", "name"]).await?;
    assert_eq!(kept.lines().count(), 1);
    let kept = service.kubectl(&["get", "redis.redis.redis.opstreelabs.in", "-n", &namespace, "-o", "name"]).await?;
    assert_eq!(kept.lines().count(), 1);

    // Nothing at all in the repository is no reason to delete everything.
    for folder in ["accounts", "catalogs", "clusters"] {
        std::fs::remove_dir_all(platform.path(folder))?;
    }
    let refused =
        platform.carrier(&["apply", "--yes", "--prune", "--max-prune", "1000", "--allow-delete", "all"]).await.ends(3);
    assert!(refused.text().contains("--allow-empty"), "{}", refused.text());
    assert_eq!(everything(&platform).await, before);
    Ok(())
}

async fn two_repositories_share_a_management_cluster() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    let account = |name: &str| {
        format!(
            "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\nmetadata: {{name: {name}}}\nspec:\n  roles: [Tenant]\n  \
             subjects: [{{kind: User, name: someone, apiGroup: rbac.authorization.k8s.io}}]\n"
        )
    };
    platform.write("other/carrier.yaml", "inventory: other\n");
    platform.write("other/accounts/team-z.yaml", &account("team-z"));
    platform.carrier(&["lock", "-C", "other"]).await.ends(0);
    platform.carrier(&["apply", "-C", "other", "--yes"]).await.ends(0);
    platform.carrier(&["plan", "-C", "other", "--detailed-exitcode"]).await.ends(0);
    std::fs::rename(platform.path("other"), platform.path(".other"))?;
    let first = platform.carrier(&["plan", "--prune", "--detailed-exitcode"]).await.ends(0);
    assert!(!first.text().contains("team-z"), "{}", first.text());

    // What one has the other does not get, and what the other has goes with it alone.
    std::fs::rename(platform.path(".other"), platform.path("other"))?;
    platform.write("other/accounts/team-b.yaml", &account("team-b"));
    let refused = platform.carrier(&["apply", "-C", "other", "--yes"]).await.ends(3);
    assert!(refused.text().contains("another inventory"), "{}", refused.text());
    std::fs::remove_dir_all(platform.path("other/accounts"))?;
    // An instance of a service of the first one counts, too.
    let stray = format!(
        "apiVersion: eu-west-1.team-a/v1beta1\nkind: Redis\nmetadata: {{name: stray, namespace: team-z}}\nspec: {FULL}\n"
    );
    platform.management().kubectl_with(&["create", "-f", "-"], &stray).await?;
    let usual = ["apply", "-C", "other", "--yes", "--prune", "--allow-empty"];
    let refused = discreet(platform.carrier(&usual).await.ends(3));
    assert!(
        refused.text().contains("including 1 instance (destroys 1 instance: Redis team-z/stray)"),
        "{}",
        refused.text()
    );
    let flags = [&usual[..], &["--allow-delete", "all"]].concat();
    platform.carrier(&flags).await.ends(0);
    let left = platform.management().kubectl(&["get", "accounts", "-o", "name"]).await?;
    assert_eq!(left.lines().count(), 2, "{left}");
    std::fs::remove_dir_all(platform.path("other"))?;
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    Ok(())
}

async fn a_saved_plan_is_for_the_instances_that_it_named() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    platform.instance("eu-west-1", "first", FULL).await?;
    platform.edit("catalogs/redis.yaml", "      - jsonPath: .spec.size\n", "");
    let crd = "crd/redis.eu-west-1.team-a";
    platform.carrier(&["plan", "--allow-breaking", crd, "--out", "saved.json"]).await.ends(0);
    platform.instance("eu-west-1", "second", FULL).await?;
    let refused = discreet(platform.carrier(&["apply", "saved.json"]).await.ends(3));
    assert!(refused.text().contains("1 when planned, 2 now"), "{}", refused.text());
    platform.carrier(&["plan", "--allow-breaking", crd, "--out", "saved.json"]).await.ends(0);
    platform.carrier(&["apply", "saved.json"]).await.ends(0);
    platform.carrier(&["apply", "saved.json"]).await.ends(3);
    Ok(())
}

async fn a_cluster_that_does_not_answer_keeps_nobody_waiting() -> TestResult {
    let platform = Platform::new(&["eu-west-1", "eu-west-2"]).await?;
    platform.register("eu-west-2");
    platform.carrier(&["lock"]).await.ends(0);
    let silent = &platform.planes["eu-west-2"];
    silent.pause();
    let plan = platform.carrier(&["plan", "-o", "json", "--request-timeout", "3s"]).await.ends(4);
    assert!(plan.err.contains("CAR0602") && plan.err.contains("clusters/eu-west-2.yaml"), "{}", plan.err);
    let plan = plan.json();
    assert_eq!(plan["complete"], false);
    let of =
        |cluster: &str| plan["changes"].as_array().into_iter().flatten().filter(|c| c["cluster"] == cluster).count();
    assert!(of("management") > 0 && of("team-a/eu-west-1") > 0 && of("team-a/eu-west-2") == 0, "{}", plan["summary"]);

    // The others are applied, and nothing is deleted anywhere meanwhile.
    platform.carrier(&["apply", "--yes", "--request-timeout", "3s"]).await.ends(5);
    let there = platform.planes["eu-west-1"].kubectl(&["get", "serviceaccounts", "-n", "kubecarrier-system"]).await?;
    assert!(there.contains("carrier-eu-west-1.team-a"), "{there}");
    platform.edit("accounts/team-a.yaml", "Team A", "The A team");
    let catalog = std::fs::read_to_string(platform.path("catalogs/catalog.yaml"))?;
    std::fs::remove_file(platform.path("catalogs/catalog.yaml"))?;
    let flags =
        ["apply", "--yes", "--prune", "--max-prune", "1000", "--allow-delete", "all", "--allow-breaking", "all"];
    let refused = platform.carrier(&[&flags[..], &["--request-timeout", "3s"]].concat()).await.ends(3);
    assert!(refused.text().contains("did not answer"), "{}", refused.text());
    platform.write("catalogs/catalog.yaml", &catalog);

    silent.resume();
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);

    // Without the management cluster there is no plan, and nothing is written.
    platform.management().pause();
    for command in [&["plan"][..], &["apply", "--yes"]] {
        let run = platform.carrier(&[command, &["--request-timeout", "3s"]].concat()).await.ends(4);
        assert!(run.err.contains("CAR0602"), "{}", run.err);
    }
    platform.management().resume();
    Ok(())
}
