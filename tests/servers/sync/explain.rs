//! `carrier explain` of an instance, beside sync: what it says in step, of fields of others, of a conflict, of a
//! cluster that does not answer, and of copies without their tenant object.

use serde_json::{Value, json};

use super::bed::{Bed, Levels, shared_bed};
use super::objects::{HAND, uid, version};
use crate::platform::Run;
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        an_instance_in_step_is_explained_with_the_fields_of_others,
        a_conflict_is_explained,
        what_cannot_be_asked_is_said_and_the_rest_is_shown,
    ]
}

const REGION: &str = "eu-west-1";
const KIND: &str = "redis.eu-west-1.team-a";

/// Runs the command in a folder with a repository, which it does not read.
async fn explain(bed: &Bed, arguments: &[&str]) -> Run {
    let usual = ["explain", "--context", "management", "--allow-loopback", "--request-timeout", "10s"];
    let run = bed.carrier(&usual.iter().chain(arguments).copied().collect::<Vec<_>>()).await;
    for value in ["opstree/redis", "standalone", "hunter2"] {
        assert!(!run.text().contains(value), "it shows a value:\n{}", run.text());
    }
    run
}

async fn in_json(bed: &Bed, name: &str, code: i32) -> Value {
    let subject = format!("{KIND}/{name}");
    let report = explain(bed, &[&subject, "-n", "team-b", "-o", "json"]).await.ends(code).json();
    let schema = std::fs::read_to_string(crate::common::package("schemas/explanation.json")).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("a schema is JSON");
    assert!(jsonschema::draft7::is_valid(&schema, &report), "it does not fit its schema: {report:#}");
    report
}

async fn an_instance_in_step_is_explained_with_the_fields_of_others() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let name = "explained";
    redis.create(name).await?;
    redis.in_step(name).await;
    // The provider sets a hidden field, and somebody adds one to the copy.
    redis.internal.merge(name, &json!({"spec": {"nodeSelector": {"disk": "hunter2"}}})).await?;
    super::basics::shows(&redis.copy, name, "/spec/nodeSelector/disk", json!("hunter2")).await;
    redis.copy.merge(name, &json!({"spec": {"replicas": 9}})).await?;
    let Levels { tenant, internal, copy } = redis.in_step(name).await;

    let report = in_json(&shared.bed, name, 0).await;
    assert_eq!((&report["synced"]["status"], &report["synced"]["reason"]), (&json!("True"), &json!("InStep")));
    assert_eq!(report["synced"]["observed_generation"], tenant["metadata"]["generation"]);
    assert_eq!(report["waits_for"], Value::Null);
    for (level, object, namespace) in [
        ("tenant_object", &tenant, "team-b"),
        ("internal_object", &internal, "team-b"),
        ("copy", &copy, redis.namespace.as_str()),
    ] {
        let shown = &report[level];
        assert_eq!((&shown["presence"], &shown["namespace"]), (&json!("present"), &json!(namespace)), "{level}");
        assert_eq!(shown["object"]["uid"], uid(object), "{level}");
        assert_eq!(shown["object"]["generation"], object["metadata"]["generation"], "{level}");
        assert_eq!(shown["api_version"], object["apiVersion"], "{level}");
    }
    // The operator may have written the status of the copy meanwhile.
    let shown = report["copy"]["object"]["resource_version"].as_str().and_then(|shown| shown.parse::<u64>().ok());
    assert!(shown >= version(&copy).parse().ok(), "{shown:?} is older than {}", version(&copy));
    for level in ["internal_object", "copy"] {
        assert_eq!(report[level]["object"]["marks"]["state"], "ours", "{report:#}");
    }
    let field = |path: &str| json!({"path": path, "manager": HAND, "shared": false});
    assert_eq!(report["internal_object"]["object"]["fields_of_others"], json!([field(".spec.nodeSelector.disk")]));
    assert_eq!(report["copy"]["object"]["fields_of_others"], json!([field(".spec.replicas")]));
    assert_eq!(report["service_namespace"]["problem"], Value::Null);
    assert_eq!(report["lease"]["holder"], "one");
    assert_eq!(report["deletion"]["policy"], "Delete");
    assert!(report["pauses"].as_array().is_some_and(|all| all.iter().all(|one| one["paused"] == false)));

    let text = explain(&shared.bed, &["Redis.eu-west-1/explained", "-n", "team-b"]).await.ends(0).out;
    for line in [
        "redis.eu-west-1.team-a/explained in team-b\n",
        "  waits for   nothing\n",
        "  paused      no\n",
        &format!("copy: redis.redis.opstreelabs.in/v1beta1 Redis {}/explained in team-a/eu-west-1\n", redis.namespace),
        "    .spec.replicas   by-hand\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in:\n{text}");
    }
    Ok(())
}

async fn a_conflict_is_explained() -> TestResult {
    let shared = shared_bed().await?;
    let redis = shared.bed.service(REGION).await;
    let name = "explained-theirs";
    redis.copy.create(name, &json!({"mode": "cluster", "global": {"image": "hunter2"}}), &json!({})).await?;
    redis.create(name).await?;
    redis.says(name, "False/Conflict").await;
    let report = in_json(&shared.bed, name, 0).await;
    assert_eq!(report["synced"]["reason"], "Conflict");
    let waits = report["waits_for"].as_str().expect("it waits");
    assert!(waits.contains("use another name"), "{waits}");
    let copy = &report["copy"]["object"];
    assert_eq!(copy["marks"]["state"], "missing", "{copy}");
    assert_eq!(copy["fields_of_others"][0]["manager"], HAND, "{copy}");

    // A pause is said at its level.
    redis.member.annotate(name, "carrier.kubecarrier.io/paused", Some("true")).await?;
    redis.says(name, "Unknown/Paused").await;
    let text = explain(&shared.bed, &["redis/explained-theirs", "-n", "team-b"]).await.ends(0).out;
    assert!(text.contains("  paused      by the annotation on the tenant object\n"), "{text}");
    assert!(text.contains("remove the annotation `paused`"), "{text}");
    redis.copy.delete(name).await?;
    redis.member.annotate(name, "carrier.kubecarrier.io/paused", None).await?;
    redis.in_step(name).await;
    Ok(())
}

async fn what_cannot_be_asked_is_said_and_the_rest_is_shown() -> TestResult {
    let bed = Bed::new(&[REGION, "eu-west-2"]).await?;
    let sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    redis.create("one").await?;
    redis.in_step("one").await;

    // A word that fits both regions is not guessed at.
    let several = explain(&bed, &["redis/one", "-n", "team-b"]).await.ends(64);
    for region in [REGION, "eu-west-2"] {
        let line = format!("- redis.{region}.team-a/one");
        assert!(several.err.lines().any(|found| found == line), "{}", several.err);
    }
    assert_eq!(several.out, "");
    let unknown = explain(&bed, &["redsi.eu-west-1.team-a/one", "-n", "team-b"]).await.ends(64);
    assert!(unknown.err.contains("did you mean `redis.eu-west-1.team-a/one`?"), "{}", unknown.err);
    let absent = in_json(&bed, "two", 1).await;
    assert_eq!(
        (&absent["tenant_object"]["presence"], &absent["copy"]["presence"]),
        (&json!("absent"), &json!("absent"))
    );

    bed.proxy(REGION).refuse();
    let away = in_json(&bed, "one", 4).await;
    let levels = ["tenant_object", "internal_object", "copy"].map(|level| away[level]["presence"].clone());
    assert_eq!(levels, ["present", "present", "unknown"].map(Value::from));
    let problem = away["copy"]["problem"].as_str().unwrap_or_default();
    assert!(problem.starts_with("team-a/eu-west-1 cannot be asked: "), "{problem}");
    let subject = format!("{KIND}/one");
    let text = explain(&bed, &[&subject, "-n", "team-b"]).await.ends(4);
    assert!(text.out.contains("  not known   team-a/eu-west-1 cannot be asked: "), "{}", text.out);
    bed.proxy(REGION).pass();

    // What a person may not read is said in its place, and the rest is shown.
    let resources = "customresourcedefinitions.apiextensions.k8s.io,catalogentries.catalog.kubecarrier.io,\
                     serviceclusters.kubecarrier.io,serviceclusterassignments.kubecarrier.io,namespaces,\
                     redis.eu-west-1.team-a";
    let management = bed.management();
    let role = ["create", "clusterrole", "viewer", "--verb=get,list", &format!("--resource={resources}")];
    management.kubectl(&role).await?;
    let binding = ["create", "clusterrolebinding", "viewer", "--clusterrole=viewer", "--user=viewer"];
    management.kubectl(&binding).await?;
    let viewer = explain(&bed, &[&subject, "-n", "team-b", "-o", "json", "--as", "viewer"]).await.ends(4).json();
    assert_eq!(viewer["synced"]["reason"], "InStep");
    for problem in ["/internal_object/problem", "/copy/problem", "/lease/problem"] {
        let said = viewer.pointer(problem).and_then(Value::as_str).unwrap_or_default();
        assert!(said.contains("forbidden"), "{problem}: {said}");
    }

    // An orphan, which no sync sees.
    assert_eq!(sync.stop().await, Some(0));
    redis.tenant.vanish("one").await?;
    let orphan = in_json(&bed, "one", 1).await;
    let levels = ["tenant_object", "internal_object", "copy"].map(|level| orphan[level]["presence"].clone());
    assert_eq!(levels, ["absent", "present", "present"].map(Value::from));
    let waits = orphan["waits_for"].as_str().unwrap_or_default();
    assert!(waits.contains("`carrier approve team-a/eu-west-1/redis.eu-west-1 -n team-b`"), "{waits}");
    assert_eq!(orphan["lease"]["holder"], Value::Null);

    // Another cluster than sync has recorded is not believed.
    let status = json!({"status": {"clusterUID": "another"}}).to_string();
    let patch =
        ["patch", "servicecluster", REGION, "-n", "team-a", "--subresource=status", "--type=merge", "-p", &status];
    management.kubectl(&patch).await?;
    let other = in_json(&bed, "one", 3).await;
    let problem = other["copy"]["problem"].as_str().unwrap_or_default();
    assert!(problem.contains("it is another cluster"), "{problem}");
    Ok(())
}
