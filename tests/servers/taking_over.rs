//! Taking over from kubectl: what it holds is listed, and becomes carrier's with one flag.

use serde_json::{Value, json};

use super::platform::Platform;
use super::policies::Policy;
use crate::support::{Case, ControlPlane, Failed, TestResult, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        what_kubectl_has_applied_becomes_carriers,
        an_adoption_takes_over_at_once,
        a_run_that_ends_between_its_two_writes_is_taken_up,
        a_field_that_somebody_added_by_hand_is_listed,
    ]
}

async fn get(plane: &ControlPlane, object: &[&str]) -> Result<Value, Failed> {
    let args = [&["get"], object, &["-o", "json", "--show-managed-fields"]].concat();
    Ok(serde_json::from_str(&plane.kubectl(&args).await?)?)
}

/// The managers of an object, without those of its status.
fn managers(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let own = entries.iter().filter(|entry| entry.get("subresource").is_none());
    let mut names: Vec<String> =
        own.map(|entry| format!("{} {}", entry["manager"], entry["operation"]).replace('"', "")).collect();
    names.sort();
    names
}

/// `carrier render --stdout | kubectl apply --server-side -f -`, before carrier applies.
async fn applied_by_kubectl(platform: &Platform) -> TestResult {
    platform.carrier(&["lock"]).await.ends(0);
    let stream = platform.carrier(&["render", "--stdout"]).await.ends(0).out;
    // The kinds are served a moment after their CRDs are there.
    eventually("kubectl has applied it", async || {
        platform.management().kubectl_with(&["apply", "--server-side", "-f", "-"], &stream).await.is_ok()
    })
    .await;
    Ok(())
}

async fn what_kubectl_has_applied_becomes_carriers() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    let management = platform.management();
    applied_by_kubectl(&platform).await?;
    // A finalizer of kubectl's is no field to take over: its controller has not done its part.
    let account = ["account", "team-b"];
    let held = json!({"metadata": {"finalizers": ["x.io/y"]}}).to_string();
    let patch = ["patch", "account", "team-a", "--field-manager=kubectl", "--type=merge", "-p", &held];
    management.kubectl(&patch).await?;
    platform.carrier(&["apply", "--yes", "--adopt", "all", "--force-conflicts", "all"]).await.ends(0);
    assert_eq!(managers(&get(management, &account).await?), ["carrier Apply", "kubectl Apply"]);

    // A field that is removed from the repository stays, and that is said.
    platform.edit("accounts/team-b.yaml", "    shortDescription: Uses what team-a offers\n", "");
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    let plan = platform.carrier(&["plan"]).await.ends(0);
    let line = "  Account team-b: .spec.metadata.shortDescription is held by kubectl\n";
    assert!(plan.out.contains(line), "{}", plan.out);
    let sentence =
        "1 field that the repository does not set stays; `--take-over-from MANAGER` removes what a manager holds:\n";
    assert!(plan.out.contains(sentence), "{}", plan.out);
    let json = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
    let extra = json["extra"].as_array().into_iter().flatten().find(|extra| extra["name"] == "team-b");
    assert_eq!(extra.map(|extra| extra["manager"].clone()), Some(json!("kubectl")), "{json:#}");
    // A changed value is refused, with the way for all objects.
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: The B team");
    let refused = platform.carrier(&["apply", "--yes"]).await.ends(3);
    assert!(refused.err.contains("`--take-over-from kubectl` takes over all that they have"), "{}", refused.err);

    // Nothing has the fields of a manager that is misspelled.
    let none = platform.carrier(&["plan", "--take-over-from", "kubctl"]).await.ends(0);
    assert!(none.err.contains("`--take-over-from kubctl`: no object has fields of it"), "{}", none.err);
    assert!(none.err.contains("; the field managers that have are ") && none.err.contains("kubectl\n"), "{}", none.err);
    platform.carrier(&["plan", "--take-over-from", "carrier-sync"]).await.ends(64);

    // What is taken over is seen first, and a saved plan has it.
    let before = get(management, &account).await?;
    let plan = platform.carrier(&["plan", "--take-over-from", "kubectl", "--out", "plan.json"]).await.ends(0);
    assert!(plan.out.contains("  ~ the fields of kubectl in "), "{}", plan.out);
    let gone = "      - /spec/metadata/shortDescription: \"Uses what team-a offers\"\n";
    assert!(plan.out.contains(gone), "{}", plan.out);
    assert!(plan.out.contains("\"Team B\" -> \"The B team\""), "{}", plan.out);
    assert!(!plan.out.contains("is held by kubectl") && !plan.out.contains("would refuse"), "{}", plan.out);
    assert!(!plan.out.contains("Role team-b/"), "objects in which no value changes are one line: {}", plan.out);
    assert_eq!(get(management, &account).await?, before, "a plan writes nothing");
    platform.carrier(&["apply", "plan.json", "--dry-run=server"]).await.ends(0);
    assert_eq!(get(management, &account).await?, before, "neither does a dry run");
    platform.carrier(&["apply", "plan.json"]).await.ends(0);
    let after = get(management, &account).await?;
    assert_eq!(managers(&after), ["carrier Apply"]);
    assert_eq!(after["spec"]["metadata"], json!({"displayName": "The B team"}));
    assert_eq!(managers(&get(management, &["role", "-n", "team-b", "kubecarrier:tenant"]).await?), ["carrier Apply"]);
    let team_a = get(management, &["account", "team-a"]).await?;
    assert_eq!(team_a["metadata"]["finalizers"], json!(["x.io/y"]));
    let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    assert!(!plan.out.contains("kubectl"), "{}", plan.out);
    // From now on it is carrier's alone.
    platform.edit("accounts/team-b.yaml", "displayName: The B team", "displayName: B");
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    let again = platform.carrier(&["apply", "--yes", "--take-over-from", "kubectl"]).await.ends(0);
    assert!(again.err.contains("No changes"), "{}", again.err);
    Ok(())
}

/// The way for somebody who begins with carrier.
async fn an_adoption_takes_over_at_once() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    let management = platform.management();
    applied_by_kubectl(&platform).await?;
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    platform.edit("accounts/team-b.yaml", "    shortDescription: Uses what team-a offers\n", "");
    let flags = ["--adopt", "all", "--take-over-from", "kubectl"];
    let plan = platform.carrier(&[&["plan"][..], &flags].concat()).await.ends(0);
    assert!(plan.out.contains("  ~ the fields of kubectl in ") && !plan.out.contains("would refuse"), "{}", plan.out);
    platform.carrier(&[&["apply", "--yes"][..], &flags].concat()).await.ends(0);
    let account = get(management, &["account", "team-b"]).await?;
    assert_eq!(
        (managers(&account), &account["spec"]["metadata"]),
        (vec!["carrier Apply".to_owned()], &json!({"displayName": "B"}))
    );
    for crd in ["accounts.catalog.kubecarrier.io", "redis.eu-west-1.team-a"] {
        assert_eq!(managers(&get(management, &["crd", crd]).await?), ["carrier Apply"], "{crd}");
    }
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    Ok(())
}

/// The entries of the manager are moved by one write, and the object is applied by another.
async fn a_run_that_ends_between_its_two_writes_is_taken_up() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    let management = platform.management();
    applied_by_kubectl(&platform).await?;
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    platform.edit("accounts/team-b.yaml", "    shortDescription: Uses what team-a offers\n", "");
    // It refuses the second write of the Account, and not the dry run of the plan.
    let tried = "request.dryRun && object.metadata.name == 'team-b'";
    let expression = format!("object.spec.metadata.displayName != 'B' || {tried}");
    let validation = json!({"expression": expression, "message": "not now"});
    let policy = Policy { name: "halfway", objects: ("catalog.kubecarrier.io", "accounts"), validation };
    policy.enforce(management).await?;
    let patch = json!({"spec": {"metadata": {"displayName": "B"}}}).to_string();
    let probe = ["patch", "account", "team-a", "--type=merge", "--dry-run=server", "-p", &patch];
    eventually("the policy is in force", async || management.kubectl(&probe).await.is_err()).await;

    let flags = ["apply", "--yes", "--adopt", "all", "--take-over-from", "kubectl"];
    let ended = platform.carrier(&flags).await.ends(5);
    assert!(ended.err.contains("not now"), "{}", ended.err);
    let between = get(management, &["account", "team-b"]).await?;
    assert_eq!(managers(&between), ["carrier Apply"]);
    let metadata = &between["spec"]["metadata"];
    assert_eq!(metadata, &json!({"displayName": "Team B"}), "what the repository does not set is gone");
    policy.lift(management).await?;
    let plan = platform.carrier(&["plan", "--adopt", "all", "--take-over-from", "kubectl"]).await.ends(0);
    assert!(plan.out.contains("\"Team B\" -> \"B\"") && !plan.out.contains("shortDescription"), "{}", plan.out);
    eventually("the policy is gone", async || platform.carrier(&flags).await.code == 0).await;
    let after = get(management, &["account", "team-b"]).await?;
    assert_eq!(
        (managers(&after), &after["spec"]["metadata"]),
        (vec!["carrier Apply".to_owned()], &json!({"displayName": "B"}))
    );
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    Ok(())
}

async fn a_field_that_somebody_added_by_hand_is_listed() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    let management = platform.management();
    let plan = platform.carrier(&["plan"]).await.ends(0);
    assert!(!plan.out.contains("is held by"), "{}", plan.out);
    let patch = r#"{"spec": {"tenantSelector": {"matchLabels": {"size": "big"}}}}"#;
    management.kubectl(&["patch", "catalog", "-n", "team-a", "default", "--type=merge", "-p", patch]).await?;
    let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    let line = "  Catalog team-a/default: .spec.tenantSelector.matchLabels is held by kubectl-patch\n";
    assert!(plan.out.contains(line), "{}", plan.out);
    assert!(plan.out.contains("; 1 field that the repository does not set stays."), "{}", plan.out);
    let nothing = platform.carrier(&["apply", "--yes"]).await.ends(0);
    assert!(nothing.err.contains("; 1 field that the repository does not set stays."), "{}", nothing.err);
    platform.carrier(&["apply", "--yes", "--take-over-from", "kubectl-patch"]).await.ends(0);
    let catalog = get(management, &["catalog", "-n", "team-a", "default"]).await?;
    assert_eq!(
        (&catalog["spec"]["tenantSelector"], managers(&catalog)),
        (&json!({}), vec!["carrier Apply".to_owned()])
    );
    let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    assert!(!plan.out.contains("is held by"), "{}", plan.out);

    // Without `--server-side`, kubectl notes what it has applied in an annotation, which is no change to be read one by one.
    let account = std::fs::read_to_string(platform.path("accounts/team-b.yaml"))?;
    management.kubectl_with(&["apply", "-f", "-"], &account).await?;
    let flags = ["--take-over-from", "kubectl-client-side-apply"];
    let plan = platform.carrier(&[&["plan", "--detailed-exitcode"][..], &flags].concat()).await.ends(2);
    assert!(
        plan.out.contains("  ~ the fields of kubectl-client-side-apply in 1 object become carrier's"),
        "{}",
        plan.out
    );
    assert!(!plan.out.contains("Account team-b"), "{}", plan.out);
    platform.carrier(&[&["apply", "--yes"][..], &flags].concat()).await.ends(0);
    let account = get(management, &["account", "team-b"]).await?;
    assert_eq!((managers(&account), account["metadata"].get("annotations")), (vec!["carrier Apply".to_owned()], None));
    Ok(())
}
