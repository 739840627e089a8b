//! What the user documents say about clusters, on real ones: the README's way from
//! an empty API server to a tenant's first object, and what that leaves behind.

use crate::common::documents::{Sandbox, check, documents};
use crate::support::{Assets, Case, ControlPlanes, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![commands_for_clusters_print_what_the_documents_say, the_tutorial_is_there_and_only_for_whom_it_is]
}

/// Each document starts from an empty API server.
async fn commands_for_clusters_print_what_the_documents_say() -> TestResult {
    let assets = Assets::find().as_ref().map_err(Clone::clone)?;
    let kubectl = assets.tool("kubectl");
    let tools = kubectl.parent().ok_or("kubectl lies in no folder")?;
    let mut wrong = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document)?;
        if crate::common::documents::steps(&text, true).is_empty() {
            continue;
        }
        let planes = ControlPlanes::start(&["management", "eu-west-1"]).await?;
        // As people have it: one context a cluster, the first one current.
        let files = planes.iter().map(|p| p.kubeconfig_path().display().to_string());
        let kubeconfig = files.collect::<Vec<_>>().join(":");
        wrong.extend(check(&document, &Sandbox::new(&[tools]), true, &[("KUBECONFIG", &kubeconfig)]));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// The rendered example on a server: all of it readable again, and every rule of RBAC in force, both ways.
async fn the_tutorial_is_there_and_only_for_whom_it_is() -> TestResult {
    let planes = ControlPlanes::start(&["management", "eu-west-1"]).await?;
    let sandbox = Sandbox::new(&[]);
    for (plane, arguments) in [("management", ""), ("eu-west-1", "--cluster team-a/eu-west-1")] {
        let stream =
            sandbox.run(&format!("carrier -q render -C catalog-examples/redis --stdout {arguments} 2>/dev/null"), &[]);
        let plane = &planes[plane];
        // The first run makes the CRDs; objects of their kinds may have to wait for the second.
        let _ = plane.kubectl_with(&["apply", "--server-side", "-f", "-"], &stream).await;
        if plane.name() == "management" {
            plane.established(&[]).await;
        }
        plane.kubectl_with(&["apply", "--server-side", "-f", "-"], &stream).await?;
        // Reading back gives what was applied: nothing was pruned, defaulted or renamed.
        let diff = plane.kubectl_with(&["diff", "--server-side", "-f", "-"], &stream).await?;
        assert_eq!(diff, "", "the server holds something else than was rendered");
    }
    let management = &planes["management"];
    let instance = sandbox.run("cat catalog-examples/redis/instances/redis.yaml", &[]);
    let tenant = management.impersonate("team-b-member", &[]).await?;
    let provider = management.impersonate("team-a-member", &[]).await?;
    let stranger = management.impersonate("somebody-else", &[]).await?;

    // (who, verb, resource, namespace, allowed)
    let table = [
        (&tenant, "create", "redis.eu-west-1.team-a", "team-b", true),
        (&tenant, "delete", "redis.eu-west-1.team-a", "team-b", true),
        (&tenant, "list", "offerings.catalog.kubecarrier.io", "team-b", true),
        (&tenant, "list", "providers.catalog.kubecarrier.io", "team-b", true),
        (&tenant, "list", "regions.catalog.kubecarrier.io", "team-b", true),
        (&tenant, "create", "offerings.catalog.kubecarrier.io", "team-b", false),
        (&tenant, "get", "redis.internal.eu-west-1.team-a", "team-b", false),
        (&tenant, "list", "secrets", "team-b", false),
        (&tenant, "list", "tenants.catalog.kubecarrier.io", "team-a", false),
        (&tenant, "list", "serviceclusters.kubecarrier.io", "team-a", false),
        (&tenant, "list", "redis.eu-west-1.team-a", "team-a", false),
        (&provider, "create", "catalogs.catalog.kubecarrier.io", "team-a", true),
        (&provider, "create", "catalogentrysets.catalog.kubecarrier.io", "team-a", true),
        (&provider, "create", "serviceclusters.kubecarrier.io", "team-a", true),
        (&provider, "create", "secrets", "team-a", true),
        (&provider, "update", "tenants.catalog.kubecarrier.io", "team-a", true),
        (&provider, "get", "serviceclusterassignments.kubecarrier.io", "team-a", true),
        (&provider, "create", "serviceclusterassignments.kubecarrier.io", "team-a", false),
        (&provider, "get", "redis.internal.eu-west-1.team-a", "team-b", true),
        (&provider, "list", "redis.eu-west-1.team-a", "team-b", false),
        (&provider, "list", "secrets", "team-b", false),
        (&provider, "list", "offerings.catalog.kubecarrier.io", "team-b", false),
        (&provider, "list", "accounts.catalog.kubecarrier.io", "", false),
        (&stranger, "list", "offerings.catalog.kubecarrier.io", "team-b", false),
        (&stranger, "list", "redis.eu-west-1.team-a", "team-b", false),
    ];
    for (who, verb, resource, namespace, allowed) in table {
        let mut arguments = vec!["auth", "can-i", verb, resource];
        if !namespace.is_empty() {
            arguments.extend(["-n", namespace]);
        }
        let answer = match who.kubectl(&arguments).await {
            Ok(text) => text,
            Err(refusal) => refusal.text,
        };
        let granted = answer.lines().any(|l| l.trim() == "yes");
        assert_eq!(granted, allowed, "{verb} {resource} in {namespace:?}: {answer}");
    }

    tenant.kubectl_with(&["create", "-f", "-"], &instance).await?;
    let stored =
        tenant.kubectl(&["get", "redis.eu-west-1.team-a", "redisinstance", "-n", "team-b", "-o", "yaml"]).await?;
    assert!(stored.contains("password: change-me"), "{stored}");
    // A field that is not exposed is refused when asked to be strict, and cannot be stored.
    let more = instance.replace("  size: 3", "  size: 3\n  priorityClassName: high").replace("redisinstance", "second");
    let refusal = tenant.kubectl_with(&["create", "-f", "-"], &more).await.expect_err("the field is hidden");
    assert!(refusal.text.contains("unknown field \"spec.priorityClassName\""), "{}", refusal.text);
    Ok(())
}
