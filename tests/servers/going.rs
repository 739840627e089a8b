//! What is being deleted and not gone: counted apart, listed by plan, apply and doctor with what holds it, and in nobody
//! else's way.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::platform::{BASE, Platform};
use crate::support::{Case, ControlPlane, Failed, TestResult, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        an_object_with_a_finalizer_is_told_of_until_it_is_gone,
        a_crd_in_deletion_is_seen_with_its_instances,
        a_namespace_in_deletion_holds_up_no_other_tenant,
        a_namespace_of_records_in_deletion_holds_up_its_cluster_alone,
        what_repositories_share_is_told_of_too,
    ]
}

const DERIVED: &str = "redis.eu-west-1.team-a";
const SPEC: &str = "{mode: standalone, global: {image: x, password: z}, redisConfig: {}, service: {type: ClusterIP}}";
const LESS: &[&str] =
    &["apply", "--yes", "--prune", "--max-prune", "1000", "--allow-delete", "all", "--allow-breaking", "all"];

/// Sets the finalizers of an object.
async fn hold(plane: &ControlPlane, object: &[&str], finalizers: Value) -> TestResult {
    let patch = json!({"metadata": {"finalizers": finalizers}}).to_string();
    let args = [&["patch"], object, &["--type=merge", "-p", &patch]].concat();
    plane.kubectl(&args).await?;
    Ok(())
}

/// A second tenant.
fn team_c(platform: &Platform) -> TestResult {
    let account = std::fs::read_to_string(platform.path("accounts/team-b.yaml"))?;
    platform.write("accounts/team-c.yaml", &account.replace("team-b", "team-c").replace("Team B", "Team C"));
    Ok(())
}

/// As each object of an old KubeCarrier has one.
async fn an_object_with_a_finalizer_is_told_of_until_it_is_gone() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    team_c(&platform)?;
    platform.applied().await;
    let management = platform.management();
    hold(management, &["account", "team-c"], json!(["catalog.kubecarrier.io/account"])).await?;
    std::fs::remove_file(platform.path("accounts/team-c.yaml"))?;

    let run = platform.carrier(LESS).await.ends(5);
    let held = "Account team-c is being deleted: the finalizer catalog.kubecarrier.io/account holds it";
    assert!(run.err.contains(&format!("warning: management: {held}")), "{}", run.err);
    let sum = run.err.lines().find(|line| line.starts_with("applied: ")).ok_or("it has a sum")?;
    assert!(sum.ends_with(" deleted; 1 in deletion"), "{sum}");
    assert!(run.err.contains("; 1 in deletion\n"), "{}", run.err);
    // What is said of the kinds in the end is together what is said of all.
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    let counted = |line: &'_ str| {
        let (what, counts) = line.split_once(" deleted: ")?;
        Some((what.to_owned(), counts.split([' ', ';']).next()?.parse::<usize>().ok()?))
    };
    last.extend(run.err.lines().filter_map(counted));
    let gone: usize = last.values().sum();
    assert!(
        sum.contains(&format!(" {gone} deleted;")) || sum.contains(&format!(" {gone} objects deleted;")),
        "{}",
        run.err
    );
    assert!(last.contains_key("management: namespaces"), "{}", run.err);

    // It is told of until it is gone, by every command, with and without `--prune`.
    let since = "Account team-c is being deleted since ";
    let why = ": the finalizer catalog.kubecarrier.io/account holds it\n";
    for args in [&["plan"][..], &["plan", "--prune"], &["plan", "--summary"]] {
        let plan = platform.carrier(args).await.ends(0);
        assert!(plan.out.contains("1 object is being deleted:\n") && plan.out.contains(since), "{}", plan.out);
        assert!(plan.out.contains(why), "{}", plan.out);
        assert!(plan.out.ends_with("match the repository; 1 object is being deleted.\n"), "{}", plan.out);
    }
    let json = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
    let going = &json["going"][0];
    assert_eq!((&going["name"], &going["wanted"], &going["held"]), (&json!("team-c"), &json!(false), &json!(true)));
    assert_eq!(going["finalizers"], json!(["catalog.kubecarrier.io/account"]));
    assert_eq!(json["kept"], json!([]), "it does not stay");
    for args in [LESS, &["apply", "--yes"]] {
        let again = platform.carrier(args).await.ends(5);
        assert!(again.err.contains(&format!("warning: management: {since}")), "{}", again.err);
        assert!(again.err.contains("; 1 object is being deleted."), "{}", again.err);
    }
    let doctor = platform.carrier(&["doctor"]).await.ends(1);
    assert!(doctor.out.contains(&format!("missing  deletions    {held}\n")), "{}", doctor.out);

    hold(management, &["account", "team-c"], json!([])).await?;
    let plan = platform.carrier(&["plan", "--prune", "--detailed-exitcode"]).await.ends(0);
    assert!(!plan.out.contains("team-c") && !plan.out.contains("being deleted"), "{}", plan.out);
    platform.carrier(LESS).await.ends(0);
    platform.carrier(&["doctor"]).await.ends(0);
    Ok(())
}

async fn a_crd_in_deletion_is_seen_with_its_instances() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    let (management, service) = (platform.management(), &platform.planes["eu-west-1"]);
    platform.instance("eu-west-1", "cache", SPEC).await?;
    let instance = [DERIVED, "-n", "team-b", "cache"];
    hold(management, &instance, json!(["carrier.kubecarrier.io/sync"])).await?;
    management.kubectl(&["delete", "crd", DERIVED, "--wait=false"]).await?;
    // The rest of the repository is applied all the same.
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    let cause = "1 instance is left (team-b/cache), which the finalizer carrier.kubecarrier.io/sync holds";
    let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(2);
    assert!(plan.out.contains(&format!("  CRD {DERIVED} is being deleted since ")), "{}", plan.out);
    assert!(
        plan.out.contains(&format!("{cause}; the repository has it, so apply again when it is gone\n")),
        "{}",
        plan.out
    );
    assert!(!plan.out.contains("would refuse"), "{}", plan.out);
    let run = platform.carrier(&["apply", "--yes"]).await.ends(5);
    assert!(run.err.contains(cause) && run.err.contains("applied: 1 object changed"), "{}", run.err);
    // A nightly job that has nothing to do does not end well either.
    let run = platform.carrier(&["apply", "--yes"]).await.ends(5);
    assert!(run.err.contains(cause) && run.err.contains("; 1 object is being deleted."), "{}", run.err);
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(2);
    let doctor = platform.carrier(&["doctor"]).await.ends(1);
    assert!(doctor.out.contains(&format!("CRD {DERIVED} is being deleted: {cause}\n")), "{}", doctor.out);
    hold(management, &instance, json!([])).await?;
    eventually("the CRD is gone", async || management.kubectl(&["get", "crd", DERIVED]).await.is_err()).await;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);

    // That of the operator, in the service cluster.
    let copy = format!(
        "{{apiVersion: redis.redis.opstreelabs.in/v1beta1, kind: Redis, metadata: {{name: cache, namespace: default, \
         finalizers: [redis.io/operator]}}, spec: {SPEC}}}"
    );
    service.kubectl_with(&["create", "--validate=false", "-f", "-"], &copy).await?;
    service.kubectl(&["delete", "crd", BASE, "--wait=false"]).await?;
    let cause = "1 instance is left (default/cache), which the finalizer redis.io/operator holds";
    for (args, code) in [
        (&["lock", "--check"][..], 1),
        (&["lock"], 1),
        (&["plan"], 1),
        (&["plan", "--refresh"], 1),
        (&["apply", "--yes"], 5),
    ] {
        let run = platform.carrier(args).await.ends(code);
        let message = format!("error[CAR0613]: the service cluster `team-a/eu-west-1` is deleting the CRD `{BASE}`");
        assert!(run.err.contains(&message) && run.err.contains(cause), "{args:?}: {}", run.err);
        assert!(run.err.contains("catalogs/redis.yaml:"), "{args:?}: {}", run.err);
    }
    let doctor = platform.carrier(&["doctor"]).await.ends(1);
    assert!(
        doctor.out.contains(&format!("missing  crds         {BASE} is being deleted: {cause}\n")),
        "{}",
        doctor.out
    );
    Ok(())
}

/// Deletes a namespace in which an object with the finalizer x.io/y stays, and waits until the server says so; the object.
async fn delete_and_hold<'a>(plane: &ControlPlane, namespace: &'a str) -> Result<[&'a str; 4], Failed> {
    let map = ["configmap", "-n", namespace, "precious"];
    plane.kubectl(&["create", "configmap", "-n", namespace, "precious"]).await?;
    hold(plane, &map, json!(["x.io/y"])).await?;
    plane.kubectl(&["delete", "namespace", namespace, "--wait=false"]).await?;
    let condition = ["get", "namespace", namespace, "-o", "jsonpath={.status.conditions[*].message}"];
    eventually("the server says what is left", async || {
        plane.kubectl(&condition).await.is_ok_and(|text| text.contains("x.io/y"))
    })
    .await;
    Ok(map)
}

async fn a_namespace_in_deletion_holds_up_no_other_tenant() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    team_c(&platform)?;
    platform.applied().await;
    let management = platform.management();
    let map = delete_and_hold(management, "team-c").await?;
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    let plan = platform.carrier(&["plan"]).await.ends(0);
    assert!(plan.out.contains("  ~ Account team-b"), "{}", plan.out);
    let line = plan.out.lines().find(|line| line.starts_with("  Namespace team-c is being deleted")).ok_or("a line")?;
    assert!(line.contains("x.io/y in 1 resource instances”"), "{line}");
    assert!(line.contains("; the repository has it and ") && line.contains(" objects that need it"), "{line}");
    let run = platform.carrier(&["apply", "--yes"]).await.ends(5);
    assert!(run.err.contains("warning: management: Namespace team-c is being deleted since "), "{}", run.err);
    assert!(!run.err.contains("failed") && !run.err.contains("not done"), "{}", run.err);
    let name = management.kubectl(&["get", "account", "team-b", "-o", "jsonpath={.spec.metadata.displayName}"]).await?;
    assert_eq!(name, "B");

    hold(management, &map, json!([])).await?;
    eventually("the namespace is gone", async || management.kubectl(&["get", "namespace", "team-c"]).await.is_err())
        .await;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    management.kubectl(&["get", "role", "-n", "team-c"]).await?;
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    Ok(())
}

/// The record of the inventory is in it, and nothing is applied without one.
async fn a_namespace_of_records_in_deletion_holds_up_its_cluster_alone() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    team_c(&platform)?;
    platform.applied().await;
    let (management, service) = (platform.management(), &platform.planes["eu-west-1"]);
    let map = delete_and_hold(service, "kubecarrier-system").await?;
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    let doctor = platform.carrier(&["doctor"]).await.ends(1);
    let line = doctor.out.lines().find(|line| line.contains("Namespace kubecarrier-system")).ok_or("it is said")?;
    assert!(line.starts_with("  missing  deletions    Namespace kubecarrier-system is being deleted: "), "{line}");
    assert!(line.contains("x.io/y in 1 resource instances”"), "{line}");
    assert!(line.ends_with("; nothing can be applied in this cluster until it is gone"), "{line}");

    let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(2);
    assert!(plan.out.contains("  ~ Account team-b") && !plan.out.contains("would refuse"), "{}", plan.out);
    let being = "Namespace kubecarrier-system in team-a/eu-west-1 is being deleted since ";
    let then = ": until it is gone, nothing is applied in this cluster and nothing is deleted in any cluster; then apply again";
    let line = plan.out.lines().find(|line| line.contains(being)).ok_or("it is listed")?;
    assert!(line.contains("x.io/y in 1 resource instances”") && line.ends_with(then), "{line}");
    let run = platform.carrier(&["apply", "--yes"]).await.ends(5);
    assert!(
        run.err.contains("warning: team-a/eu-west-1: Namespace kubecarrier-system is being deleted"),
        "{}",
        run.err
    );
    assert!(!run.err.contains("failed") && !run.err.contains("not done"), "{}", run.err);
    let name = management.kubectl(&["get", "account", "team-b", "-o", "jsonpath={.spec.metadata.displayName}"]).await?;
    assert_eq!(name, "B");
    platform.carrier(&["apply", "--yes"]).await.ends(5);

    // Nothing is deleted anywhere: the cluster may need what would go.
    std::fs::remove_file(platform.path("accounts/team-c.yaml"))?;
    for command in [&["plan", "--prune"][..], LESS] {
        let run = platform.carrier(command).await.ends(if command == LESS { 5 } else { 0 });
        let text = run.text();
        assert!(text.contains("; nothing is deleted while the record of an inventory cannot be written"), "{text}");
    }
    management.kubectl(&["get", "account", "team-c"]).await?;

    hold(service, &map, json!([])).await?;
    eventually("the namespace is gone", async || {
        service.kubectl(&["get", "namespace", "kubecarrier-system"]).await.is_err()
    })
    .await;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    service.kubectl(&["get", "serviceaccounts", "-n", "kubecarrier-system"]).await?;
    platform.carrier(LESS).await.ends(0);
    assert!(management.kubectl(&["get", "account", "team-c"]).await.is_err());
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    platform.carrier(&["doctor"]).await.ends(0);
    Ok(())
}

/// The CRDs of the KubeCarrier kinds and the record of the inventory are no members of one.
async fn what_repositories_share_is_told_of_too() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    let management = platform.management();
    let record = ["configmap", "-n", "kubecarrier-system", "carrier-carrier"];
    hold(management, &record, json!(["x.io/y"])).await?;
    management.kubectl(&[&["delete"], &record[..], &["--wait=false"]].concat()).await?;
    let about = "ConfigMap kubecarrier-system/carrier-carrier is being deleted";
    let doctor = platform.carrier(&["doctor"]).await.ends(1);
    let line = format!("  missing  deletions    {about}: the finalizer x.io/y holds it\n");
    assert!(doctor.out.contains(&line), "{}", doctor.out);
    let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(2);
    assert!(plan.out.contains(&format!("  {about} since ")) && !plan.out.contains("is repaired"), "{}", plan.out);
    // It is written until it is gone.
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    let run = platform.carrier(&["apply", "--yes"]).await.ends(5);
    assert!(run.err.contains("applied: 1 object changed\n"), "{}", run.err);
    let run = platform.carrier(&["apply", "--yes"]).await.ends(5);
    assert!(run.err.contains("No changes: "), "{}", run.err);
    hold(management, &record, json!([])).await?;
    eventually("it is gone", async || management.kubectl(&[&["get"], &record[..]].concat()).await.is_err()).await;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    management.kubectl(&[&["get"], &record[..]].concat()).await?;
    platform.carrier(&["doctor"]).await.ends(0);

    let (offerings, offering) = ("offerings.catalog.kubecarrier.io", [DERIVED, "-n", "team-b"]);
    hold(management, &[&[offerings], &offering[..]].concat(), json!(["x.io/y"])).await?;
    management.kubectl(&["delete", "crd", offerings, "--wait=false"]).await?;
    eventually("it is being deleted", async || {
        let phase = "jsonpath={.status.conditions[?(@.type=='Terminating')].status}";
        management.kubectl(&["get", "crd", offerings, "-o", phase]).await.is_ok_and(|text| text == "True")
    })
    .await;
    let doctor = platform.carrier(&["doctor"]).await.ends(1);
    let line = format!(
        "  missing  deletions    CRD {offerings} is being deleted: 1 instance is left (team-b/{DERIVED}), which the finalizer \
         x.io/y holds\n"
    );
    assert!(doctor.out.contains(&line), "{}", doctor.out);
    let line = format!("  missing  crds         11 are served, 1 is being deleted ({offerings})\n");
    assert!(doctor.out.contains(&line), "{}", doctor.out);
    hold(management, &[&[offerings], &offering[..]].concat(), json!([])).await?;
    eventually("the CRD is gone", async || management.kubectl(&["get", "crd", offerings]).await.is_err()).await;

    // Neither is it said of what is gone that it is not there yet.
    management.kubectl(&["delete", "crd", DERIVED]).await?;
    let doctor = platform.carrier(&["doctor"]).await.ends(1);
    let line =
        format!("  missing  crds         10 are served, 2 are not there ({offerings}, {DERIVED}); `carrier apply");
    assert!(doctor.out.contains(&line), "{}", doctor.out);
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    platform.carrier(&["doctor"]).await.ends(0);
    Ok(())
}
