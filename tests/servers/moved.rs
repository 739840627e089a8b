//! What becomes of a repository whose inventory or management cluster is another one than before.

use serde_json::{Value, json};

use crate::platform::Platform;
use crate::support::{Case, ControlPlane, ControlPlanes, TestResult, cases};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_renamed_inventory_is_taken_over,
        a_renamed_service_cluster_is_recognised,
        a_management_cluster_that_was_replaced,
    ]
}

/// The flags of the refusals of a plan, each with its message.
fn flags(plan: &Value) -> Vec<(String, String)> {
    let refusals = plan["refusals"].as_array().into_iter().flatten();
    let text = |refusal: &Value, key: &str| refusal[key].as_str().unwrap_or_default().to_owned();
    refusals.map(|refusal| (text(refusal, "flag"), text(refusal, "message"))).collect()
}

/// The arguments that a flag of a message is.
fn arguments<'a>(command: &[&'a str], flags: &'a [(String, String)]) -> Vec<&'a str> {
    command.iter().copied().chain(flags.iter().flat_map(|(flag, _)| flag.split(' '))).collect()
}

async fn a_renamed_inventory_is_taken_over() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.applied().await;
    platform.write("carrier.yaml", "inventory: platform\n");

    let plan = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
    let found = flags(&plan);
    assert_eq!(found.len(), 2, "one for each cluster: {found:#?}");
    for (cluster, flag) in [
        ("management", "inventory/carrier-carrier"),
        ("team-a/eu-west-1", "team-a/eu-west-1:inventory/carrier-carrier-"),
    ] {
        let (given, message) =
            found.iter().find(|(_, message)| message.contains(&format!(" in {cluster} ("))).ok_or(cluster)?;
        assert!(given.starts_with(&format!("--adopt {flag}")), "{given}");
        assert!(message.contains("belong to another inventory, carrier-carrier"), "{message}");
        assert!(message.contains(", which this repository applied before"), "{message}");
    }
    let refused = platform.carrier(&["apply", "--yes"]).await.ends(3);
    assert!(
        refused.err.contains("to allow this: --adopt ") && refused.err.contains("nothing was written"),
        "{}",
        refused.err
    );
    // One of the two does not stand for the other, and `all` for neither.
    platform.carrier(&["apply", "--yes", "--adopt", "inventory/carrier-carrier"]).await.ends(3);
    platform.carrier(&["apply", "--yes", "--adopt", "all"]).await.ends(3);

    // What the repository no longer has is kept, with what sync needs for it, until a run with `--prune`.
    std::fs::remove_file(platform.path("accounts/team-b.yaml"))?;
    let shown = platform.carrier(&arguments(&["plan"], &found)).await.ends(0);
    assert!(shown.out.contains("it is taken over from the inventory carrier-carrier"), "{}", shown.out);
    assert!(!shown.err.contains("names nothing that would change"), "{}", shown.err);
    platform.carrier(&arguments(&["apply", "--yes"], &found)).await.ends(0);
    let after = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
    let kept = after["kept"].as_array().map_or(0, Vec::len);
    assert!(kept > 5 && after["changes"] == json!([]), "{after:#}");
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    // The next runs need no flag for it.
    platform
        .carrier(&[
            "apply",
            "--yes",
            "--prune",
            "--max-prune",
            "100",
            "--allow-delete",
            "all",
            "--allow-breaking",
            "all",
        ])
        .await
        .ends(0);
    let after = platform.carrier(&["plan", "--prune"]).await.ends(0);
    assert!(after.out.contains("No changes: "), "{}", after.out);
    let record =
        ["get", "configmap", "carrier-platform", "-n", "kubecarrier-system", "-o", "jsonpath={.metadata.annotations}"];
    let record = platform.management().kubectl(&record).await?;
    assert!(!record.contains("taken-inventories"), "{record}");
    Ok(())
}

async fn a_renamed_service_cluster_is_recognised() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.carrier(&["lock"]).await.ends(0);
    platform.edit("clusters/eu-west-1.yaml", "  name: eu-west-1\n", "  name: eu-1\n");
    let said = "warning[CAR0612]: the service cluster `team-a/eu-1` is the one that is locked as `team-a/eu-west-1`, which the repository no longer has: the UID of both is ";
    // The lock has both until the old one is removed, so it is said again.
    for command in ["lock", "lock", "plan", "doctor"] {
        let run = platform.carrier(&[command]).await;
        assert!(run.err.contains(said) || run.out.contains(said), "{command}: {}{}", run.out, run.err);
    }
    Ok(())
}

async fn a_management_cluster_that_was_replaced() -> TestResult {
    let planes = ControlPlanes::builder().controllers().start(&["management", "eu-west-1", "restored"]).await?;
    let platform = Platform::over(planes, &["eu-west-1"]).await?;
    platform.applied().await;
    let (old, new) = (platform.management(), &platform.planes["restored"]);
    // What a backup has of the old one: the Secret, and no objects of carrier's.
    let secret = old
        .kubectl(&["get", "secret", "-n", "team-a", "eu-west-1-kubeconfig", "-o", "jsonpath={.data.kubeconfig}"])
        .await?;
    let manifest = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "eu-west-1-kubeconfig", "namespace": "team-a"},
        "data": {"kubeconfig": secret},
    });
    let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}});
    for object in [space, manifest] {
        new.kubectl_with(&["apply", "--server-side", "--field-manager=carrier", "-f", "-"], &object.to_string())
            .await?;
    }
    let kubeconfig = new.kubeconfig_path().display().to_string();
    let with = |command: &[&str]| -> Vec<String> {
        command.iter().map(|word| (*word).to_owned()).chain(["--kubeconfig".to_owned(), kubeconfig.clone()]).collect()
    };
    let run =
        async |command: Vec<String>| platform.carrier(&command.iter().map(String::as_str).collect::<Vec<_>>()).await;

    let other = run(with(&["plan"])).await.ends(3);
    assert!(other.err.contains("error[CAR0608]: the management cluster is another cluster"), "{}", other.err);
    assert!(other.err.contains("write its UID in place of the old one"), "{}", other.err);
    let uid = async |plane: &ControlPlane| {
        plane.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]).await
    };
    platform.edit("carrier.lock", &uid(old).await?, &uid(new).await?);

    let plan = run(with(&["plan", "-o", "json"])).await.ends(0).json();
    let found = flags(&plan);
    // The namespace with the Secret was made by hand, and is named like every other.
    assert_eq!((found.len(), found[1].0.as_str()), (2, "--adopt namespace/team-a"), "{found:#?}");
    assert!(found[0].0.starts_with("--adopt team-a/eu-west-1:inventory/carrier-carrier-"), "{found:?}");
    run(with(&["apply", "--yes"])).await.ends(3);
    run(with(&arguments(&["apply", "--yes"], &found))).await.ends(0);
    let after = run(with(&["plan", "--prune"])).await.ends(0);
    assert!(after.out.contains("No changes: "), "{}", after.out);
    Ok(())
}
