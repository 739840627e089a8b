//! `carrier get` against three control planes: instances of two clusters, and nothing of what they hold.

use serde_json::{Value, json};

use crate::support::{Case, ControlPlanes, TestResult, cases};
use crate::two_regions::{CLUSTERS, TwoRegions, fits};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        instances_of_all_clusters_are_listed_without_what_they_hold,
        instances_of_services_that_are_no_longer_offered_are_marked,
    ]
}

async fn instances_of_all_clusters_are_listed_without_what_they_hold() -> TestResult {
    let planes = ControlPlanes::start(&CLUSTERS).await?;
    let (management, first) = (&planes["management"], &planes["eu-west-1"]);
    let proxy = planes["eu-west-2"].proxy().await?;
    let second = planes["eu-west-2"].admin().by_port(proxy.port()).await?;
    let repository = TwoRegions::new(&format!(
        "management: {{kubeconfig: {}}}\nserviceClusters:\n  team-a/eu-west-1: {{kubeconfig: {}}}\n  team-a/eu-west-2: {{kubeconfig: {}}}\n",
        management.kubeconfig_path().display(),
        first.kubeconfig_path().display(),
        second.kubeconfig_path().display(),
    ))?;

    // Nothing is installed.
    let ran = repository.carrier(&["get"]).await?;
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.contains("not installed yet: redis.eu-west-1.team-a, redis.eu-west-2.team-a"), "{}", ran.err);
    assert!(ran.err.contains("next: run `carrier apply`"), "{}", ran.err);

    repository.install(&planes).await?;
    let ran = repository.carrier(&["get"]).await?;
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (0, "", "there are no instances\n"));

    let read =
        |path: &str| std::fs::read_to_string(crate::common::package("catalog-examples/redis-two-regions").join(path));
    for file in ["redis.yaml", "redis-eu-west-2.yaml"] {
        management.kubectl_with(&["create", "-f", "-"], &read(&format!("instances/{file}"))?).await?;
    }
    let redis = "redis.eu-west-1.team-a";
    let status = r#"{"status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z","reason":"s3cret","message":"s3cret"}]}}"#;
    let patch = ["patch", redis, "redisinstance", "-n", "team-b", "--subresource=status", "--type=merge", "-p", status];
    management.kubectl(&patch).await?;
    // What sync will do.
    let crd = "snapshots/team-a/eu-west-1/redis.redis.redis.opstreelabs.in.yaml";
    first.kubectl_with(&["create", "-f", "-"], &read(crd)?).await?;
    first.established(&[]).await;
    let copy = read("instances/redis.yaml")?
        .replace("eu-west-1.team-a/v1beta1", "redis.redis.opstreelabs.in/v1beta1")
        .replace("namespace: team-b", "namespace: team-b-id65w");
    first.kubectl_with(&["create", "--validate=false", "-f", "-"], &copy).await?;

    let ran = repository.carrier(&["get"]).await?;
    let text = "\
TENANT   SERVICE   NAME            CLUSTER            READY   SYNCED
team-b   redis     redisinstance   team-a/eu-west-1   READY   -
team-b   redis     redisinstance   team-a/eu-west-2   -       -
";
    let shown = |first: &str| text.replace("west-1   READY", &format!("west-1   {first:5}"));
    // Conditions are there only where the status is exposed.
    let stored = management.kubectl(&["get", redis, "redisinstance", "-n", "team-b", "-o", "json"]).await?;
    let stored: Value = serde_json::from_str(&stored)?;
    let ready = if stored.pointer("/status/conditions").is_some() { "True" } else { "-" };
    assert_eq!((ran.status, ran.out, ran.err.as_str()), (0, shown(ready), ""));

    let wide = "\
TENANT   SERVICE   NAME            CLUSTER            READY   SYNCED   VERSION   SERVICE NAMESPACE   THERE   MESSAGE
team-b   redis     redisinstance   team-a/eu-west-1   READY   -        v1beta1   team-b-id65w        yes
team-b   redis     redisinstance   team-a/eu-west-2   -       -        v1beta1   team-b-ombuc        no
";
    let wide = wide.replace("west-1   READY", &format!("west-1   {ready:5}"));
    let ran = repository.carrier(&["get", "redis", "-n", "team-b", "-o", "wide"]).await?;
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (0, wide.as_str(), ""));

    // One cluster does not answer: what is in it is unknown, and the rest is as before.
    proxy.refuse();
    let ran = repository.carrier(&["get", "-o", "wide"]).await?;
    let unknown =
        wide.replace("THERE   MESSAGE", "THERE     MESSAGE").replace("ombuc        no", "ombuc        unknown");
    assert_eq!((ran.status, ran.out), (4, unknown));
    assert!(ran.err.contains("CAR0601") && ran.err.contains("clusters/eu-west-2.yaml:5:"), "{}", ran.err);
    let missing = "orphans of redis.eu-west-2.team-a may be missing: team-a/eu-west-2 cannot be asked: ";
    assert!(ran.err.contains(missing), "{}", ran.err);
    // The table without that column is whole.
    let ran = repository.carrier(&["get"]).await?;
    assert_eq!((ran.status, ran.out), (0, shown(ready)), "{}", ran.err);
    assert!(ran.err.contains(missing) && !ran.err.contains("CAR0601"), "{}", ran.err);
    let ran = repository.carrier(&["get", "--cluster", "team-a/eu-west-1", "-o", "json"]).await?;
    assert_eq!(ran.status, 0, "{}", ran.err);
    let document: Value = serde_json::from_str(&ran.out)?;
    assert_eq!(document["format_version"], "1.3");
    fits("schemas/instances.json", &document);
    assert_eq!(document["instances"].as_array().map(Vec::len), Some(1));
    assert_eq!(document["instances"][0]["in_service_cluster"], true);
    assert_eq!((&document["left"], &document["unchecked"]), (&json!([]), &json!([])));
    for arguments in [&["get"][..], &["get", "-o", "wide"], &["get", "-o", "json"], &["-v", "get", "-o", "json"]] {
        let ran = repository.carrier(arguments).await?;
        let all = ran.out + &ran.err;
        assert!(!all.contains("change-me") && !all.contains("s3cret") && !all.contains("opstree/redis:"), "{all}");
    }

    // A member of the tenant may ask for its own.
    let member = management.user("team-b-member", &[]).await?.kubeconfig_path().display().to_string();
    let ran = repository.carrier(&["get", "-n", "team-b", "--kubeconfig", &member]).await?;
    assert_eq!((ran.status, ran.out), (0, shown(ready)), "{}", ran.err);
    let ran = repository.carrier(&["get", "--kubeconfig", &member]).await?;
    assert_eq!((ran.status, ran.out.as_str()), (4, ""));
    assert_eq!(ran.err.matches("error[CAR0605]").count(), 1, "{}", ran.err);
    assert!(ran.err.contains("may be missing: its instances cannot be listed: "), "{}", ran.err);

    for (arguments, help) in [
        (&["get", "rediss"][..], "did you mean `redis`?"),
        (&["get", "-n", "team-c"], "did you mean `team-"),
        (&["get", "--cluster", "team-a/eu-west-3"], "did you mean `team-a/eu-west-1`?"),
    ] {
        let ran = repository.carrier(arguments).await?;
        assert!(ran.status == 64 && ran.err.contains(help), "{}", ran.err);
    }
    management.pause();
    let ran = repository.carrier(&["get", "--request-timeout", "1s"]).await?;
    management.resume();
    assert!(ran.status == 4 && ran.err.contains("CAR0602") && ran.out.is_empty(), "{}{}", ran.out, ran.err);
    Ok(())
}

/// A service that goes from the repository leaves its CRDs and instances until they are pruned.
async fn instances_of_services_that_are_no_longer_offered_are_marked() -> TestResult {
    let planes = ControlPlanes::start(&CLUSTERS).await?;
    let management = &planes["management"];
    let repository = TwoRegions::new(&format!(
        "management: {{kubeconfig: {}}}\nserviceClusters:\n  team-a/eu-west-1: {{kubeconfig: {}}}\n  team-a/eu-west-2: {{kubeconfig: {}}}\n",
        management.kubeconfig_path().display(),
        planes["eu-west-1"].kubeconfig_path().display(),
        planes["eu-west-2"].kubeconfig_path().display(),
    ))?;
    repository.install(&planes).await?;
    for file in ["redis.yaml", "redis-eu-west-2.yaml"] {
        let path = crate::common::package("catalog-examples/redis-two-regions/instances").join(file);
        management.kubectl_with(&["create", "-f", "-"], &std::fs::read_to_string(path)?).await?;
    }
    let set = repository.path("catalogs/redis.yaml");
    let written = std::fs::read_to_string(&set)?;
    let only = "serviceClusterSelector: {matchExpressions: [{key: test, operator: DoesNotExist}]}";
    std::fs::write(&set, written.replace("serviceClusterSelector: {}", only))?;
    let cluster = repository.path("clusters/eu-west-2.yaml");
    let labelled = std::fs::read_to_string(&cluster)?.replace("\nmetadata:\n", "\nmetadata:\n  labels: {test: \"\"}\n");
    std::fs::write(&cluster, labelled)?;

    let table = "\
TENANT   SERVICE   NAME            CLUSTER            READY   SYNCED   OFFERED
team-b   redis     redisinstance   team-a/eu-west-1   -       -        yes
team-b   redis     redisinstance   team-a/eu-west-2   -       -        no
";
    let ran = repository.carrier(&["get"]).await?;
    assert_eq!((ran.status, ran.out.as_str()), (0, table), "{}", ran.err);
    assert!(ran.err.contains("redis.eu-west-2.team-a is no longer offered and has 1 instance\n"), "{}", ran.err);
    assert!(!ran.err.contains("may be incomplete"), "{}", ran.err);
    let ran = repository.carrier(&["get", "-o", "json"]).await?;
    let document: Value = serde_json::from_str(&ran.out)?;
    fits("schemas/instances.json", &document);
    assert_eq!(document["instances"][1]["offered"], false);
    assert_eq!(document["incomplete"], json!([]));
    // By its name it is got as any other.
    let retired = "redis.eu-west-2.team-a";
    let only: Vec<&str> = table.split_inclusive('\n').filter(|line| !line.contains("eu-west-1")).collect();
    let ran = repository.carrier(&["get", retired]).await?;
    assert_eq!((ran.status, ran.out.as_str()), (0, only.concat().as_str()), "{}", ran.err);
    let ran = repository.carrier(&["get", retired, "--cluster", "team-a/eu-west-1"]).await?;
    assert!(ran.status == 0 && ran.out.is_empty() && ran.err.ends_with("\nthere are no instances\n"), "{}", ran.err);
    let ran = repository.carrier(&["get", "redis.eu-west-2.team"]).await?;
    assert!(ran.status == 64 && ran.err.contains(&format!("did you mean `{retired}`?")), "{}", ran.err);
    // Its internal CRD holds copies, and is no service.
    let ran = repository.carrier(&["get", "redis.internal.eu-west-2.team-a"]).await?;
    assert!(ran.status == 64 && !ran.err.contains("there are no instances"), "{}", ran.err);
    // Whether it is in its cluster is known there, as that of a service that is offered.
    let there = async || -> Result<Value, crate::support::Failed> {
        let ran = repository.carrier(&["get", retired, "-o", "json"]).await?;
        assert_eq!(ran.status, 0, "{}", ran.err);
        let document: Value = serde_json::from_str(&ran.out)?;
        assert_eq!((&document["unchecked"], &document["incomplete"]), (&json!([]), &json!([])));
        Ok(document["instances"][0].clone())
    };
    let instance = there().await?;
    assert_eq!(instance["in_service_cluster"], false, "{instance}");
    let second = &planes["eu-west-2"];
    let example = crate::common::package("catalog-examples/redis-two-regions");
    let base = example.join("snapshots/team-a/eu-west-2/redis.redis.redis.opstreelabs.in.yaml");
    second.kubectl(&["create", "-f", &base.to_string_lossy()]).await?;
    second.established(&[]).await;
    let copy = std::fs::read_to_string(example.join("instances/redis-eu-west-2.yaml"))?
        .replace("eu-west-2.team-a/v1beta1", "redis.redis.opstreelabs.in/v1beta1")
        .replace("namespace: team-b", &format!("namespace: {}", instance["service_namespace"].as_str().unwrap_or("?")));
    second.kubectl_with(&["create", "--validate=false", "-f", "-"], &copy).await?;
    let instance = there().await?;
    assert_eq!(instance["in_service_cluster"], true, "{instance}");

    let ran = repository.carrier(&["get", "--cluster", "team-a/eu-west-1"]).await?;
    assert!(ran.status == 0 && !ran.out.contains("eu-west-2") && !ran.out.contains("OFFERED"), "{}", ran.out);

    // A member of the tenant cannot list CRDs.
    let member = management.user("team-b-member", &[]).await?.kubeconfig_path().display().to_string();
    let ran = repository.carrier(&["get", "-n", "team-b", "--kubeconfig", &member]).await?;
    assert!(ran.status == 0 && ran.out.contains("eu-west-1") && !ran.out.contains("eu-west-2"), "{}", ran.out);
    let why =
        "the list may be incomplete: services that are no longer offered are not known: the CRDs cannot be listed: ";
    assert!(ran.err.contains(why), "{}", ran.err);
    let ran = repository.carrier(&["get", retired, "-n", "team-b", "--kubeconfig", &member]).await?;
    let why = "services that are no longer offered are not known: ";
    assert!(ran.status == 64 && ran.err.contains(why) && ran.err.contains("has no service"), "{}", ran.err);

    // What cannot be compiled may be offered.
    std::fs::write(&set, written.replace("name: redis.redis.", "name: reddis.redis."))?;
    let ran = repository.carrier(&["get"]).await?;
    assert_eq!(
        (ran.status, ran.out),
        (1, table.replace("   yes\n", "   unknown\n").replace("   no\n", "   unknown\n"))
    );
    assert!(ran.err.contains("it is not known of all services whether they are offered"), "{}", ran.err);
    let ran = repository.carrier(&["get", "-o", "json"]).await?;
    let document: Value = serde_json::from_str(&ran.out)?;
    fits("schemas/instances.json", &document);
    let doubt = "the repository has errors, so it is not known of all services whether they are offered";
    assert_eq!((ran.status, &document["incomplete"]), (1, &json!([doubt])));
    Ok(())
}
