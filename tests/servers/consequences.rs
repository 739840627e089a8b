//! Changes that would hurt somebody: said before, with names and counts, refused, and made only
//! when they are asked for by name. Whatever is refused changes nothing anywhere.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::platform::{Platform, Run};
use super::tutorial::versions;
use crate::support::{Case, TestResult, cases, eventually};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_narrowed_exposure_names_its_instances_and_waits_for_the_flag,
        removing_a_tenant_a_catalog_or_a_cluster_destroys_nothing_unasked,
        a_service_of_many_tenants_is_retired_with_one_flag,
        two_repositories_share_a_management_cluster,
        what_is_not_carriers_is_taken_over_only_by_name,
        a_saved_plan_is_for_the_instances_that_it_named,
        a_cluster_that_does_not_answer_keeps_nobody_waiting
    ]
}

/// An instance that sets what the example exposes.
pub(crate) const FULL: &str = "{mode: standalone, size: 3, global: {image: 'opstree/redis:v2.0', password: hunter2}, redisConfig: {}, \
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

async fn a_service_of_many_tenants_is_retired_with_one_flag() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    let account = std::fs::read_to_string(platform.path("accounts/team-b.yaml"))?;
    for tenant in ["team-c", "team-d", "team-e"] {
        platform.write(&format!("accounts/{tenant}.yaml"), &account.replace("team-b", tenant));
    }
    platform.applied().await;
    platform.instance("eu-west-1", "precious", FULL).await?;
    let before = everything(&platform).await;

    // Without its Catalog nobody is offered it any more, and all of that follows from the Catalog.
    let catalog = std::fs::read_to_string(platform.path("catalogs/catalog.yaml"))?;
    std::fs::remove_file(platform.path("catalogs/catalog.yaml"))?;
    let json = discreet(platform.carrier(&["plan", "--prune", "--max-prune=100", "-o", "json"]).await.ends(0)).json();
    let offering = json["changes"].as_array().into_iter().flatten().find(|change| change["kind"] == "Offering");
    let causes = offering.and_then(|change| change["causes"].as_array()).ok_or("an Offering is deleted")?;
    assert!(causes.iter().any(|cause| cause["kind"] == "Catalog" && cause["name"] == "default"), "{causes:?}");
    let refused = discreet(platform.carrier(&["apply", "--yes", "--prune", "--max-prune=100"]).await.ends(3));
    assert!(refused.err.contains("Catalog team-a/default is no longer in the repository, and "), "{}", refused.err);
    assert!(refused.err.contains(" catalog/team-a/default\n"), "{}", refused.err);
    std::fs::write(platform.path("catalogs/catalog.yaml"), catalog)?;

    let set = std::fs::read_to_string(platform.path("catalogs/redis.yaml"))?;
    std::fs::remove_file(platform.path("catalogs/redis.yaml"))?;
    let usual = ["apply", "--yes", "--prune", "--max-prune=100"];
    let refused = discreet(platform.carrier(&usual).await.ends(3));
    let why = "error: refused: CatalogEntrySet team-a/redis is no longer in the repository, and ";
    assert!(refused.err.contains(why), "{}", refused.err);
    assert!(refused.err.contains("(destroys 1 instance: Redis team-b/precious"), "{}", refused.err);
    assert!(refused.err.contains("to allow this: --allow-delete catalogentryset/team-a/redis\n"), "{}", refused.err);
    let json = discreet(platform.carrier(&["plan", "--prune", "--max-prune=100", "-o", "json"]).await.ends(0)).json();
    let changes = json["changes"].as_array().ok_or("no changes")?;
    let offering = changes.iter().find(|change| change["kind"] == "Offering").ok_or("they are deleted")?;
    assert_eq!(offering["causes"][0]["kind"], "CatalogEntrySet", "{offering:#}");
    // Another set is not meant.
    let other = [&usual[..], &["--allow-delete", "catalogentryset/team-a/other"]].concat();
    let refused = platform.carrier(&other).await.ends(3);
    assert!(refused.err.contains("to allow this: --allow-delete catalogentryset/team-a/redis\n"), "{}", refused.err);
    let slip = platform.carrier(&["plan", "--prune", "--allow-delete", "catalogentryset/team-a/other"]).await.ends(0);
    assert!(slip.err.contains("`--allow-delete catalogentryset/team-a/other` names nothing"), "{}", slip.err);
    assert_eq!(everything(&platform).await, before);

    let flag = ["--allow-delete", "catalogentryset/team-a/redis"];
    platform
        .carrier(&[&["plan", "--prune", "--max-prune=100", "--out", "plan.json"], &flag[..]].concat())
        .await
        .ends(0);
    let applied = discreet(platform.carrier(&["apply", "plan.json"]).await.ends(0));
    assert!(applied.err.contains("deleted"), "{}", applied.err);
    let is_done = async || platform.carrier(&["plan", "--prune", "--detailed-exitcode"]).await.code == 0;
    eventually("the namespaces are gone", is_done).await;

    // An account that leaves is one thing, too: what is few is listed, and its name allows all of it.
    platform.write("catalogs/redis.yaml", &set);
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    std::fs::remove_file(platform.path("accounts/team-b.yaml"))?;
    let refused = platform.carrier(&usual).await.ends(3);
    assert!(refused.err.contains("--allow-delete namespace/team-b --allow-delete team-a/"), "{}", refused.err);
    platform.carrier(&[&usual[..], &["--allow-delete", "account/team-b"]].concat()).await.ends(0);
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
    // With the default settings it would have the inventory of the first one, and delete what that has.
    platform.write("other/carrier.yaml", "{}\n");
    platform.write("other/accounts/team-z.yaml", &account("team-z"));
    let before = everything(&platform).await;
    let of_another = async || {
        let plan = platform.carrier(&["plan", "-C", "other", "--prune", "-o", "json"]).await.ends(0).json();
        let guards = plan["refusals"].as_array().into_iter().flatten().map(|refusal| refusal["guard"].to_string());
        assert_eq!(guards.filter(|guard| guard == "\"foreign-repository\"").count(), 1, "{plan:#}");
        let refused = platform.carrier(&["apply", "-C", "other", "--yes", "--prune", "--max-prune=999"]).await.ends(3);
        assert!(refused.err.contains("belongs to another repository, 5b1f0f4e"), "{}", refused.err);
        assert!(refused.err.contains("`inventory` in carrier.yaml"), "{}", refused.err);
        refused
    };
    std::fs::remove_file(platform.path("other/carrier.lock")).unwrap_or_default();
    let uid = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
    let uid = platform.management().kubectl(&uid).await?;
    platform.write("other/carrier.yaml", &format!("management: {{uid: {uid}}}\n"));
    // Whoever has no identity has not that of the inventory either.
    assert!(of_another().await.err.contains("this one has no identity in carrier.lock"));
    platform.carrier(&["lock", "-C", "other"]).await.ends(0);
    of_another().await;
    assert_eq!(everything(&platform).await, before);
    platform.write("other/carrier.yaml", "inventory: other\n");
    platform.carrier(&["apply", "-C", "other", "--yes"]).await.ends(0);
    // An inventory of before repositories had an identity is taken up, which the plan shows.
    let forget = ["annotate", "cm", "-n", "kubecarrier-system", "carrier-other", "carrier.kubecarrier.io/repository-"];
    platform.management().kubectl(&forget).await?;
    let plan = platform.carrier(&["plan", "-C", "other", "--detailed-exitcode"]).await.ends(2);
    assert!(
        plan.out.contains("the inventory names no repository yet, and gets the identity of this one"),
        "{}",
        plan.out
    );
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

/// An Account of the name of a namespace that runs something else, and the namespace of a tenant in a service cluster that
/// somebody else has made.
async fn what_is_not_carriers_is_taken_over_only_by_name() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    let (management, service) = (platform.management(), &platform.planes["eu-west-1"]);
    let account = std::fs::read_to_string(platform.path("accounts/team-b.yaml"))?;
    platform.write("accounts/argocd.yaml", &account.replace("team-b", "argocd"));
    platform.carrier(&["lock"]).await.ends(0);
    // Planned while nothing is there.
    platform.carrier(&["plan", "--out", "early.json"]).await.ends(0);
    management.kubectl(&["create", "namespace", "argocd"]).await?;
    management.kubectl(&["create", "secret", "generic", "-n", "argocd", "admin", "--from-literal=a=b"]).await?;
    management.kubectl(&["create", "configmap", "-n", "argocd", "settings"]).await?;
    let lock = std::fs::read_to_string(platform.path("carrier.lock"))?;
    let space = lock.lines().find_map(|line| line.trim().strip_prefix("argocd: ")).ok_or("it has one")?;
    service.kubectl(&["create", "namespace", space]).await?;
    let there = format!("team-a/eu-west-1:namespace/{space}");

    let early = platform.carrier(&["apply", "early.json"]).await.ends(3);
    assert!(early.err.contains("Namespace argocd would now be changed instead of created"), "{}", early.err);
    let plan = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
    let changes = || plan["changes"].as_array().into_iter().flatten();
    let adopted: Vec<_> =
        changes().filter(|change| change["effect"] == "adopting").map(|c| c["name"].clone()).collect();
    assert_eq!(adopted, ["argocd", space]);
    let refused = platform.carrier(&["apply", "--yes"]).await.ends(3);
    let way = format!("to allow this: --adopt namespace/argocd --adopt {there}");
    assert!(refused.err.contains(&way), "{}", refused.err);
    // A name without its cluster is another object.
    let refused = platform
        .carrier(&["apply", "--yes", "--adopt=namespace/argocd", "--adopt", &format!("namespace/{space}")])
        .await;
    assert!(refused.ends(3).err.contains(&format!("to allow this: --adopt {there}")));
    let crds = management.kubectl(&["get", "crds", "-o", "name"]).await?;
    assert_eq!(crds, "", "what is refused writes nothing");
    // A saved plan has the permission.
    platform.carrier(&["plan", "--adopt=namespace/argocd", "--adopt", &there, "--out", "plan.json"]).await.ends(0);
    platform.carrier(&["apply", "plan.json"]).await.ends(0);
    platform.carrier(&["plan", "--detailed-exitcode"]).await.ends(0);
    // The label is all that carrier applies to a namespace: without it nothing says whose the namespace is.
    management.kubectl(&["label", "namespace", "argocd", "applyset.kubernetes.io/part-of-"]).await?;
    platform.carrier(&["apply", "--yes"]).await.ends(3);
    platform.carrier(&["apply", "--yes", "--adopt=namespace/argocd"]).await.ends(0);

    // Whoever deletes it reads what else goes with it.
    std::fs::remove_file(platform.path("accounts/argocd.yaml"))?;
    let all = ["--prune", "--max-prune=999", "--allow-breaking=all"];
    let refused = platform.carrier(&[&["apply", "--yes"][..], &all].concat()).await.ends(3);
    let line = refused.err.lines().find(|line| line.contains("Namespace argocd would be deleted")).ok_or("refused")?;
    assert!(line.contains("also in it: 1 configmaps, 1 secrets)"), "{line}");
    let json = platform.carrier(&[&["plan", "-o", "json"][..], &all].concat()).await.ends(0).json();
    let is_it = |change: &&Value| change["name"] == "argocd" && change["kind"] == "Namespace";
    let impact = json["changes"].as_array().into_iter().flatten().find(is_it).map(|change| change["impact"].clone());
    let kinds = json!([{"kind": "configmaps", "count": 1}, {"kind": "secrets", "count": 1}]);
    assert_eq!(impact.ok_or("it is deleted")?["contents"]["kinds"], kinds, "{json:#}");
    management.kubectl(&["get", "secret", "-n", "argocd", "admin"]).await?;
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
    assert!(refused.text().contains("is unknown"), "{}", refused.text());
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
