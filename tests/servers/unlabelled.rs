//! Objects of carrier's whose label of the inventory somebody has removed.

use super::platform::Platform;
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![a_role_that_stays_is_found_without_its_label, what_has_no_label_is_found_once_the_repository_has_it]
}

const LABEL: &str = "applyset.kubernetes.io/part-of";
const MARKED: &str = "it already exists with marks of carrier's, and is added to this inventory";

/// A platform with a third account, and the namespace of that in the service cluster.
async fn with_team_c() -> Result<(Platform, String), crate::support::Failed> {
    let platform = Platform::new(&["eu-west-1"]).await?;
    let account = std::fs::read_to_string(platform.path("accounts/team-b.yaml"))?;
    platform.write("accounts/team-c.yaml", &account.replace("team-b", "team-c"));
    platform.applied().await;
    let list = ["get", "namespaces", "-l", "kubecarrier.io/tenant=team-c", "-o", "jsonpath={.items[*].metadata.name}"];
    let namespace = platform.planes["eu-west-1"].kubectl(&list).await?;
    assert!(namespace.starts_with("team-c"), "{namespace}");
    Ok((platform, namespace))
}

async fn a_role_that_stays_is_found_without_its_label() -> TestResult {
    let (platform, namespace) = with_team_c().await?;
    std::fs::remove_file(platform.path("accounts/team-c.yaml"))?;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    let service = &platform.planes["eu-west-1"];
    let role = ["role", "-n", &namespace, "kubecarrier:sync"];
    service.kubectl(&[&["label"], &role[..], &[&format!("{LABEL}-")]].concat()).await?;

    let plan = platform.carrier(&["plan"]).await.ends(0);
    assert!(plan.out.contains(MARKED) && plan.out.contains("1 to change"), "{}", plan.out);
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    let labels = service.kubectl(&[&["get"], &role[..], &["-o", "jsonpath={.metadata.labels}"]].concat()).await?;
    assert!(labels.contains(LABEL), "{labels}");
    let plan = platform.carrier(&["plan"]).await.ends(0);
    assert!(plan.out.contains("No changes: "), "{}", plan.out);
    Ok(())
}

/// Nothing says whose it is, so it is not deleted; it comes back to the inventory with the file.
async fn what_has_no_label_is_found_once_the_repository_has_it() -> TestResult {
    let (platform, _) = with_team_c().await?;
    let account = std::fs::read_to_string(platform.path("accounts/team-c.yaml"))?;
    std::fs::remove_file(platform.path("accounts/team-c.yaml"))?;
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    let management = platform.management();
    for object in ["account.catalog.kubecarrier.io/team-c", "namespace/team-c"] {
        management.kubectl(&["label", object, &format!("{LABEL}-")]).await?;
    }
    let plan = platform.carrier(&["plan", "--prune"]).await.ends(0);
    assert!(!plan.out.contains("- Account team-c ") && !plan.out.contains("- Namespace team-c "), "{}", plan.out);
    platform.write("accounts/team-c.yaml", &account);
    // Of a namespace carrier owns nothing but labels.
    platform.carrier(&["apply", "--yes", "--adopt", "namespace/team-c"]).await.ends(0);
    std::fs::remove_file(platform.path("accounts/team-c.yaml"))?;
    let plan = platform.carrier(&["plan", "--prune"]).await.ends(0);
    assert!(plan.out.contains("- Account team-c ") && plan.out.contains("- Namespace team-c "), "{}", plan.out);
    Ok(())
}
