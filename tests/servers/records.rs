//! carrier's own record in a cluster, the ConfigMap of an inventory: what somebody else has changed in it is seen in the plan,
//! and repaired.

use serde_json::{Value, json};

use super::platform::Platform;
use crate::support::{Case, Failed, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_record_that_somebody_has_damaged_is_repaired,
        a_list_of_inventories_that_carrier_has_not_written_does_not_count,
        the_identity_of_the_repository_counts_only_if_carrier_has_written_it,
    ]
}

const MAP: [&str; 4] = ["configmap", "-n", "kubecarrier-system", "carrier-carrier"];
const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
const TAKEN: &str = "carrier.kubecarrier.io/taken-inventories";

/// What the record says, without what every run changes.
async fn record(platform: &Platform) -> Result<Value, Failed> {
    let args = [&["get"], &MAP[..], &["-o", "json", "--show-managed-fields"]].concat();
    let mut record: Value = serde_json::from_str(&platform.management().kubectl(&args).await?)?;
    let mut managers: Vec<String> = record["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| format!("{} {}", entry["manager"], entry["operation"]).replace('"', ""))
        .collect();
    managers.sort();
    let mut annotations = record["metadata"]["annotations"].take();
    annotations.as_object_mut().map(|all| all.remove("carrier.kubecarrier.io/run"));
    Ok(json!({"labels": record["metadata"]["labels"], "annotations": annotations, "managers": managers}))
}

async fn a_record_that_somebody_has_damaged_is_repaired() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    let management = platform.management();
    let whole = record(&platform).await?;
    let nothing = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    assert!(!nothing.out.contains("is repaired"), "{}", nothing.out);

    let kinds = format!("{KINDS}=foo,,Bar.!!");
    let too_few = format!("{KINDS}=Namespace");
    let taken = format!("{TAKEN}={{broken");
    for (command, change, found) in [
        ("annotate", kinds.as_str(), "-foo,,Bar.!!"),
        ("annotate", too_few.as_str(), "-Namespace"),
        ("label", "applyset.kubernetes.io/id-", "+ /metadata/labels/applyset.kubernetes.io~1id: \"applyset-"),
        (
            "annotate",
            "applyset.kubernetes.io/tooling-",
            "+ /metadata/annotations/applyset.kubernetes.io~1tooling: \"carrier/v",
        ),
        ("annotate", taken.as_str(), "- /metadata/annotations/carrier.kubecarrier.io~1taken-inventories: \"{broken\""),
    ] {
        management.kubectl(&[&[command], &MAP[..], &["--overwrite", change]].concat()).await?;
        let damaged = record(&platform).await?;
        let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(2);
        let heading = "  ~ the record of the inventory, ConfigMap kubecarrier-system/carrier-carrier, is repaired\n";
        assert!(plan.out.contains(heading) && plan.out.contains(found), "{change}: {}", plan.out);
        assert!(plan.out.ends_with("; the record of 1 inventory is repaired.\n"), "{change}: {}", plan.out);
        assert!(plan.err.contains("next: "), "{change}: {}", plan.err);
        let json = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
        let repair = &json["clusters"][0]["inventory_repair"];
        assert_eq!(repair["record"], "kubecarrier-system/carrier-carrier", "{change}: {json:#}");
        assert_eq!(repair["fields"].as_array().map(Vec::len), Some(1), "{change}: {json:#}");
        let comment = platform.carrier(&["plan", "-o", "markdown"]).await.ends(0).out;
        assert!(comment.contains("ConfigMap kubecarrier-system/carrier-carrier, is repaired"), "{change}: {comment}");
        // Neither a plan nor a dry run writes it, and a saved plan does.
        platform.carrier(&["plan", "--out", "plan.json"]).await.ends(0);
        platform.carrier(&["apply", "--dry-run=server"]).await.ends(0);
        assert_eq!(record(&platform).await?, damaged, "{change}");
        let applied = platform.carrier(&["apply", "plan.json"]).await.ends(0);
        assert!(applied.err.contains(": the record of the inventory to repair\n"), "{change}: {}", applied.err);
        assert!(applied.err.contains("applied: 1 inventory record repaired\n"), "{change}: {}", applied.err);
        let mut after = record(&platform).await?;
        // An entry without fields may stay.
        after["managers"] = whole["managers"].clone();
        assert_eq!(after, whole, "{change}");
        let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
        assert!(!plan.out.contains("is repaired"), "{change}: {}", plan.out);
        let again = platform.carrier(&["apply", "--yes"]).await.ends(0);
        assert!(again.err.contains("No changes: "), "{change}: {}", again.err);
    }

    // A restore by another tool: the values are right, and carrier does not hold them.
    let args = [&["get"], &MAP[..], &["-o", "json"]].concat();
    let mut copy: Value = serde_json::from_str(&management.kubectl(&args).await?)?;
    if let Some(all) = copy["metadata"].as_object_mut() {
        all.retain(|key, _| ["name", "namespace", "labels", "annotations"].contains(&key.as_str()));
    }
    management.kubectl(&[&["delete"], &MAP[..]].concat()).await?;
    management.kubectl_with(&["create", "--field-manager=velero-server", "-f", "-"], &copy.to_string()).await?;
    let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(2);
    let note = "      carrier does not manage its fields, and velero-server does; it takes them over\n";
    assert!(plan.out.contains(note), "{}", plan.out);
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    Ok(())
}

/// Nothing becomes a member, and nothing is deleted, by a list of inventories that somebody else has written, until it is
/// confirmed. Without its list of kinds the record loses nothing.
async fn a_list_of_inventories_that_carrier_has_not_written_does_not_count() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    let management = platform.management();
    platform.write("carrier.yaml", "inventory: platform\n");
    std::fs::remove_file(platform.path("accounts/team-b.yaml"))?;
    let plan = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
    let refusals = plan["refusals"].as_array().cloned().unwrap_or_default();
    let flags =
        refusals.iter().filter_map(|refusal| refusal["flag"].as_str()).filter(|flag| flag.contains("inventory/"));
    let flags: Vec<&str> = flags.flat_map(|flag| flag.split(' ')).collect();
    platform.carrier(&[&["apply", "--yes"][..], &flags].concat()).await.ends(0);
    let kept = async || {
        let plan = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
        let kept = plan["kept"].as_array().map_or(0, Vec::len);
        (kept, plan["clusters"][0]["inventory_repair"].clone())
    };
    let (all, repair) = kept().await;
    assert!(all > 5 && repair.is_null(), "{all} {repair:#}");
    let map = ["configmap", "-n", "kubecarrier-system", "carrier-platform"];
    let path = "jsonpath={.metadata.annotations.carrier\\.kubecarrier\\.io/taken-inventories}";
    let id = management.kubectl(&[&["get"], &map[..], &["-o", path]].concat()).await?;
    assert!(id.starts_with("applyset-") && id.ends_with("-v1"), "{id}");
    let annotate =
        async |change: &str| management.kubectl(&[&["annotate"], &map[..], &["--overwrite", change]].concat()).await;

    // The list of kinds is for other tools.
    annotate(&format!("{KINDS}-")).await?;
    let (still, repair) = kept().await;
    assert!(still == all && !repair.is_null(), "{still} of {all}: {repair:#}");
    platform.carrier(&["apply", "--yes"]).await.ends(0);

    // A list that somebody has removed cannot be seen; what is written in its place can.
    annotate(&format!("{TAKEN}-")).await?;
    let (few, repair) = kept().await;
    assert!(few < all && repair.is_null(), "{few} of {all}: {repair:#}");
    annotate(&format!("{TAKEN}={id},{{broken")).await?;
    let (still, repair) = kept().await;
    let notes: Vec<&str> = repair["notes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert_eq!((still, notes.len()), (few, 2), "{repair:#}");
    assert!(
        notes[0].starts_with(&format!("{id} does not count until it is confirmed: kubectl-annotate has written it")),
        "{}",
        notes[0]
    );
    assert!(notes[0].contains(&format!("`--adopt inventory/{id}` confirms that")), "{}", notes[0]);
    assert!(notes[1].starts_with("“{broken” names no inventory"), "{}", notes[1]);

    let prune = ["--prune", "--max-prune", "100", "--allow-delete", "all", "--allow-breaking", "all"]
        .map(str::to_owned)
        .to_vec();
    let with = |command: &[&str]| -> Vec<String> {
        command.iter().map(|word| (*word).to_owned()).chain(prune.clone()).collect()
    };
    let run =
        async |command: Vec<String>| platform.carrier(&command.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let is_there = async || management.kubectl(&["get", "account", "team-b"]).await.is_ok();
    let plan = run(with(&["plan", "-o", "json"])).await.ends(0).json();
    let names_old = |change: &Value| change["action"] == "delete" && change["object"]["name"] == "team-b";
    assert!(!plan["changes"].as_array().is_some_and(|changes| changes.iter().any(names_old)), "{:#}", plan["changes"]);
    // Confirmed and deleted in one run: refused, since nobody has seen yet what there is.
    let adopt = format!("inventory/{id}");
    let refused = run(with(&["apply", "--yes", "--adopt", &adopt])).await.ends(3);
    assert!(refused.err.contains("apply once without `--prune`"), "{}", refused.err);
    let shown = platform.carrier(&["plan", "--adopt", &adopt]).await.ends(0);
    assert!(
        shown.out.contains(&format!("{id}, which kubectl-annotate has written into it, is confirmed")),
        "{}",
        shown.out
    );
    let confirmed = platform.carrier(&["apply", "--yes", "--adopt", &adopt]).await.ends(0);
    assert!(confirmed.err.contains("applied: 1 inventory record repaired\n"), "{}", confirmed.err);
    let (again, repair) = kept().await;
    assert!(again == all && repair.is_null() && is_there().await, "{again} of {all}: {repair:#}");

    // Not confirmed, it is refused, since what stays would be forgotten. Somebody has to say that it is not so.
    annotate(&format!("{TAKEN}={id},applyset-other-v1")).await?;
    let refused = run(with(&["apply", "--yes"])).await.ends(3);
    let help = format!("--adopt inventory/applyset-other-v1 --adopt inventory/{id}");
    let why = "kubectl-annotate and not carrier has written into the ConfigMap kubecarrier-system/carrier-platform";
    assert!(refused.err.contains(why) && refused.err.contains(&help), "{}", refused.err);
    annotate(&format!("{TAKEN}-")).await?;
    run(with(&["apply", "--yes"])).await.ends(0);
    let (left, repair) = kept().await;
    assert!(left <= few && repair.is_null() && is_there().await, "{left} of {all}: {repair:#}");
    // Taken over again, it is deleted by `--prune` as before.
    platform.carrier(&["apply", "--yes", "--adopt", &adopt]).await.ends(0);
    run(with(&["apply", "--yes"])).await.ends(0);
    assert!(!is_there().await);
    Ok(())
}

async fn the_identity_of_the_repository_counts_only_if_carrier_has_written_it() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    let management = platform.management();
    let key = "carrier.kubecarrier.io/repository";
    let value = "jsonpath={.metadata.annotations.carrier\\.kubecarrier\\.io/repository}";
    let ours = management.kubectl(&[&["get"], &MAP[..], &["-o", value]].concat()).await?;
    let annotate = async |value: &str| {
        let change = format!("{key}={value}");
        management.kubectl(&[&["annotate"], &MAP[..], &["--overwrite", &change]].concat()).await
    };
    std::fs::remove_file(platform.path("accounts/team-b.yaml"))?;

    // Another one: refused, as every inventory of another repository.
    annotate("fedcba9876543210fedcba9876543210").await?;
    let other = platform.carrier(&["apply", "--yes"]).await.ends(3);
    assert!(other.err.contains("; kubectl-annotate and not carrier has written that"), "{}", other.err);
    // This one: its objects may be another's until a run without `--prune` has shown them.
    annotate(&ours).await?;
    let note =
        "carrier does not manage its carrier.kubecarrier.io/repository, and kubectl-annotate does; it takes it over";
    let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(2);
    assert!(plan.out.contains(note), "{}", plan.out);
    let prune = ["apply", "--yes", "--prune", "--max-prune", "100", "--allow-delete", "all", "--allow-breaking", "all"];
    let early = platform.carrier(&prune).await.ends(3);
    assert!(early.err.contains("kubectl-annotate and not carrier has written that it is of this"), "{}", early.err);
    platform.carrier(&["apply", "--yes"]).await.ends(0);

    // A record is reported as repaired if it is, also while something is in deletion.
    let hold = async |finalizers: Value| {
        let change = json!({"metadata": {"finalizers": finalizers}}).to_string();
        management.kubectl(&["patch", "account", "team-b", "--type=merge", "-p", &change]).await
    };
    hold(json!(["example.com/held"])).await?;
    let kinds = format!("{KINDS}=Namespace,Secret");
    management.kubectl(&[&["annotate"], &MAP[..], &["--overwrite", &kinds]].concat()).await?;
    let partly = platform.carrier(&prune).await.ends(5);
    assert!(partly.err.contains(", 1 inventory record repaired; 1 in deletion\n"), "{}", partly.err);
    let listed = record(&platform).await?["annotations"][KINDS].to_string();
    assert!(listed.contains("Role.rbac") && !listed.contains("Secret"), "{listed}");
    hold(json!([])).await?;
    platform.carrier(&prune).await.ends(0);
    let plan = platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    assert!(plan.out.contains("No changes: "), "{}", plan.out);
    Ok(())
}
