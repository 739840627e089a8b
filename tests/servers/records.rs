//! carrier's own record in a cluster, the ConfigMap of an inventory: what somebody else has changed in it is seen in the plan,
//! and repaired.

use serde_json::{Value, json};

use super::platform::Platform;
use crate::support::{Case, Failed, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![a_record_that_somebody_has_damaged_is_repaired, a_damaged_record_loses_nothing_that_can_be_read]
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

/// With a record that names nothing, what the repository no longer has is found all the same; of inventories that were taken
/// over, those that can be read are.
async fn a_damaged_record_loses_nothing_that_can_be_read() -> TestResult {
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

    let half = format!("{TAKEN}={id},{{broken");
    management
        .kubectl(
            &[&["annotate"], &map[..], &["--overwrite", "applyset.kubernetes.io/contains-group-kinds-", &half]]
                .concat(),
        )
        .await?;
    let (still, repair) = kept().await;
    assert_eq!(still, all, "{repair:#}");
    let note = repair["notes"][0].as_str().unwrap_or_default();
    assert!(note.starts_with("1 inventory id can be read; “{broken” names no inventory"), "{note}");
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    let (still, repair) = kept().await;
    assert!(still == all && repair.is_null(), "{still} {repair:#}");

    // What cannot be read at all is said with what is lost, and with the way back.
    management.kubectl(&[&["annotate"], &map[..], &["--overwrite", &format!("{TAKEN}={{broken")]].concat()).await?;
    let plan = platform.carrier(&["plan"]).await.ends(0);
    assert!(
        plan.out.contains("are no longer known, and are neither listed nor deleted; `--adopt inventory/ID` finds"),
        "{}",
        plan.out
    );
    let found = kept().await.0;
    assert!(found < all, "{found} of {all}");
    let adopt = format!("inventory/{id}");
    platform.carrier(&["apply", "--yes", "--adopt", &adopt]).await.ends(0);
    let (again, repair) = kept().await;
    assert!(again == all && repair.is_null(), "{again} of {all}: {repair:#}");
    Ok(())
}
