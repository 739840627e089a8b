//! `carrier doctor` against three control planes: what it says is missing is missing, and what it
//! prints is enough, and no more than enough.

use serde_json::{Value, json};

use crate::common::golden;
use crate::support::{Access, Case, ControlPlane, ControlPlanes, Failed, TestResult, cases, eventually};
use crate::two_regions::{CLUSTERS, Ran, TwoRegions, fits};

pub(crate) fn cases() -> Vec<Case> {
    cases![what_is_missing_is_said_and_what_is_printed_is_just_enough, trouble_of_a_cluster_stays_with_it]
}

/// Management and eu-west-1 by file, eu-west-2 by its Secret.
fn settings(management: &Access, first: &Access) -> String {
    format!(
        "management: {{kubeconfig: {}}}\nserviceClusters:\n  team-a/eu-west-1: {{kubeconfig: {}}}\n",
        management.kubeconfig_path().display(),
        first.kubeconfig_path().display()
    )
}

async fn put_secret(management: &ControlPlane, access: &Access) -> TestResult {
    let _ = management.kubectl(&["create", "namespace", "team-a"]).await;
    let kubeconfig = std::fs::read_to_string(access.kubeconfig_path())?;
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "eu-west-2-kubeconfig", "namespace": "team-a" },
        "stringData": { "kubeconfig": kubeconfig },
    });
    management.kubectl_with(&["apply", "--server-side", "-f", "-"], &secret.to_string()).await?;
    Ok(())
}

async fn doctor(repository: &TwoRegions, arguments: &[&str]) -> Result<Ran, std::io::Error> {
    let mut all = vec!["doctor", "--allow-loopback"];
    all.extend(arguments);
    repository.carrier(&all).await
}

async fn missing(repository: &TwoRegions, cluster: &str) -> Vec<Value> {
    let ran = doctor(repository, &["--cluster", cluster, "-o", "json"]).await.expect("it runs");
    let report: Value = serde_json::from_str(&ran.out).expect("a report");
    fits("schemas/doctor.json", &report);
    report["clusters"][0]["missing"].as_array().cloned().unwrap_or_default()
}

fn target(cluster: &str) -> String {
    if cluster == "management" { cluster.to_owned() } else { format!("team-a/{cluster}") }
}

/// Makes a CRD that takes the kind Redis in a group: another one with it is not served.
async fn take_the_kind(plane: &ControlPlane, group: &str) -> TestResult {
    let name = format!("caches.{group}");
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": group,
            "names": {"kind": "Redis", "plural": "caches"},
            "scope": "Namespaced",
            "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}},
            ],
        },
    });
    plane.kubectl_with(&["create", "-f", "-"], &crd.to_string()).await?;
    plane.established(&[&name]).await;
    Ok(())
}

async fn what_is_missing_is_said_and_what_is_printed_is_just_enough() -> TestResult {
    let planes = ControlPlanes::start(&CLUSTERS).await?;
    let (management, first, second) = (&planes["management"], &planes["eu-west-1"], &planes["eu-west-2"]);

    // An admin lacks no permission, in empty clusters and in full ones.
    put_secret(management, second.admin()).await?;
    let admin = TwoRegions::new(&settings(management.admin(), first.admin()))?;
    the_crds_that_are_offered_are_looked_for(&admin, [first, second]).await?;
    let ran = doctor(&admin, &[]).await?;
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    assert_eq!(ran.out.matches("  ok       crds         all 1 that are offered from it are served\n").count(), 2);
    assert!(ran.out.contains("0 are served, 14 are not there yet") && ran.err.is_empty(), "{}{}", ran.out, ran.err);
    admin.install(&planes).await?;
    let ran = doctor(&admin, &[]).await?;
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("all 14 are served") && !ran.out.contains("missing"), "{}", ran.out);
    // The same, each time: there is no time in it.
    assert_eq!(doctor(&admin, &[]).await?.out, ran.out);

    // Somebody who may do nothing.
    let nobody = [management.user("ci", &[]).await?, first.user("mallory", &[]).await?, second.user("ci", &[]).await?];
    put_secret(management, &nobody[2]).await?;
    let repository = TwoRegions::new(&settings(&nobody[0], &nobody[1]))?;
    let ran = doctor(&repository, &[]).await?;
    assert_eq!(ran.status, 4, "the Secret of eu-west-2 cannot be read\n{}{}", ran.out, ran.err);
    assert!(ran.err.contains("CAR0605") && ran.err.contains("clusters/eu-west-2.yaml:5:"), "{}", ran.err);
    let version = regex::Regex::new(r"ok       version      1\.\d+")?;
    golden("testdata/doctor/nothing.txt", &version.replace_all(&ran.out, "ok       version      [..]"));

    // A stream is for one cluster: a name that a service cluster asserts is not in that of another.
    let mixed = doctor(&repository, &["--for", "plan", "-o", "rbac"]).await?;
    assert_eq!((mixed.status, mixed.out.as_str()), (64, ""), "{}", mixed.err);
    for target in ["management", "team-a/eu-west-1"] {
        let command = format!("`carrier doctor --cluster {target} --for plan -o rbac --allow-loopback`");
        assert!(mixed.err.contains(&command), "{}", mixed.err);
    }
    for (target, access, user, other) in
        [("management", &nobody[0], "ci", "mallory"), ("team-a/eu-west-1", &nobody[1], "mallory", "ci")]
    {
        let printed = doctor(&repository, &["--cluster", target, "-o", "rbac"]).await?.out;
        let (comments, objects) = printed.split_once("---\n").ok_or("no objects")?;
        let client = access.kubeconfig_path().display().to_string();
        let server = std::fs::read_to_string(&client)?;
        let server =
            server.lines().find_map(|line| line.trim().strip_prefix("server: ")).unwrap_or_default().to_owned();
        let server = server.trim_matches(['"', '\'']).to_owned();
        assert!(comments.lines().all(|line| line.starts_with("# ")), "{comments}");
        assert!(comments.contains(target) && comments.contains(&format!("# server: {server}")), "{server}: {comments}");
        assert!(comments.contains("# context: ") && comments.contains("`kubectl --kubeconfig "), "{comments}");
        assert!(comments.contains(" --context "), "{comments}");
        assert!(
            comments.contains(&format!("# account: {user}, the name of the account in this cluster")),
            "{comments}"
        );
        assert!(
            objects.contains(&format!("name: {user}\n")) && !objects.contains(&format!("name: {other}\n")),
            "{objects}"
        );
    }

    // What is printed is enough: applied as it is, by an admin.
    for cluster in CLUSTERS {
        let plane = &planes[cluster];
        let printed = doctor(&repository, &["--cluster", &target(cluster), "-o", "rbac"]).await?;
        assert_eq!(printed.status, 1, "{}", printed.err);
        plane.kubectl_with(&["apply", "-f", "-"], &printed.out).await?;
        eventually("nothing is missing", async || missing(&repository, &target(cluster)).await.is_empty()).await;
    }
    let ran = doctor(&repository, &[]).await?;
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    // And it is true: whoever has it can lock, write all that is rendered, and remove it.
    for command in [&["lock", "--allow-loopback"][..], &["get", "--allow-loopback", "-o", "wide"]] {
        let ran = repository.carrier(command).await?;
        assert_eq!(ran.status, 0, "{command:?}: {}{}", ran.out, ran.err);
    }
    for (plane, access) in [management, first, second].into_iter().zip(&nobody) {
        let stream = repository.objects(plane.name()).await?;
        let apply = ["apply", "--server-side", "--field-manager=carrier", "-f", "-"];
        access.kubectl_with(&apply, &stream).await?;
    }
    the_commands_need_no_more(management, &repository).await?;
    nobody[0].kubectl(&["delete", "role", "kubecarrier:tenant", "-n", "team-b"]).await?;
    let stream = repository.objects("management").await?;
    nobody[0].kubectl_with(&["apply", "--server-side", "--field-manager=carrier", "-f", "-"], &stream).await?;
    let refused = nobody[0].kubectl(&["get", "secrets", "-n", "kube-system"]).await;
    assert!(refused.is_err(), "no more than what was missing");

    for cluster in ["management", "eu-west-1"] {
        every_rule_is_needed(&planes[cluster], &repository, &target(cluster)).await?;
    }
    who_holds_what_he_gives_need_not_escalate(management, &repository, &nobody[0]).await
}

/// A CRD that is offered and not in its cluster is said, with what offers it and what to do; and so is one that is not served.
async fn the_crds_that_are_offered_are_looked_for(
    repository: &TwoRegions,
    [first, second]: [&ControlPlane; 2],
) -> TestResult {
    let base = "redis.redis.redis.opstreelabs.in";
    let absent = format!(
        "  missing  crds         {base} is not there (CAR0606), and is offered by CatalogEntrySet/team-a/redis: install the \
         operator in the cluster, "
    );
    let ran = doctor(repository, &[]).await?;
    assert_eq!((ran.status, ran.out.matches(&absent).count()), (1, 2), "{}{}", ran.out, ran.err);
    let crd = crate::common::package("catalog-examples/redis-two-regions/snapshots/team-a/eu-west-1")
        .join(format!("{base}.yaml"));
    take_the_kind(first, "redis.redis.opstreelabs.in").await?;
    for plane in [first, second] {
        plane.kubectl(&["create", "-f", &crd.to_string_lossy()]).await?;
    }
    second.established(&[]).await;
    eventually("it is not served", async || {
        let ran = doctor(repository, &["--cluster", "team-a/eu-west-1"]).await.expect("it runs");
        let taken =
            format!("missing  crds         {base} is not served: another CRD of its group has one of its names\n");
        ran.status == 1 && ran.out.contains(&taken)
    })
    .await;
    first.kubectl(&["delete", "crd", "caches.redis.redis.opstreelabs.in"]).await?;
    first.established(&[]).await;
    Ok(())
}

/// What was granted is enough for the commands themselves: a tenant comes, a schema is tried, a tenant goes.
async fn the_commands_need_no_more(management: &ControlPlane, repository: &TwoRegions) -> TestResult {
    let run = async |arguments: &[&str]| -> Result<Ran, Failed> {
        let ran = repository.carrier(&[arguments, &["--allow-loopback"]].concat()).await?;
        let said = format!("{arguments:?}: {}{}", ran.out, ran.err);
        if ran.status == 0 && !said.contains("forbidden") { Ok(ran) } else { Err(said.into()) }
    };
    let account = repository.path("accounts/team-c.yaml");
    let text = std::fs::read_to_string(repository.path("accounts/team-b.yaml"))?;
    std::fs::write(&account, text.replace("team-b", "team-c"))?;
    run(&["lock"]).await?;
    run(&["apply", "--yes", "--adopt=all"]).await?;
    management.kubectl(&["get", "offerings.catalog.kubecarrier.io", "-n", "team-c", "redis.eu-west-1.team-a"]).await?;

    let instance = std::fs::read_to_string(repository.path("instances/redis.yaml"))?;
    management.kubectl_with(&["create", "-f", "-"], &instance).await?;
    let exposure = repository.path("catalogs/redis.yaml");
    let text = std::fs::read_to_string(&exposure)?;
    std::fs::write(&exposure, text.replace("      - jsonPath: .spec.size\n", ""))?;
    let plan: Value = serde_json::from_str(&run(&["plan", "-o", "json"]).await?.out)?;
    std::fs::write(&exposure, text)?;
    let changes = plan["changes"].as_array().ok_or("no changes")?;
    let is_it = |change: &&Value| change["name"] == "redis.eu-west-1.team-a" && change["cluster"] == "management";
    let impact = &changes.iter().find(is_it).ok_or("the CRD does not change")?["impact"];
    assert!(impact["invalid_count"] == 1 && impact["unchecked"].is_null(), "{impact}");
    management.kubectl(&["delete", "redis.eu-west-1.team-a", "-n", "team-b", "redisinstance"]).await?;

    std::fs::remove_file(&account)?;
    run(&["lock"]).await?;
    run(&["apply", "--yes", "--prune", "--max-prune=100", "--allow-delete=all", "--allow-breaking=all"]).await?;
    let offerings =
        management.kubectl(&["get", "offerings.catalog.kubecarrier.io", "-n", "team-c", "-o", "name"]).await?;
    assert_eq!(offerings, "");
    Ok(())
}

/// `escalate` and `bind` are missed only by those who give more than they have.
async fn who_holds_what_he_gives_need_not_escalate(
    plane: &ControlPlane,
    repository: &TwoRegions,
    access: &Access,
) -> TestResult {
    let list: Value = serde_json::from_str(&plane.kubectl(&["get", "clusterroles,roles", "-A", "-o", "json"]).await?)?;
    let all: Vec<&Value> = list["items"].as_array().into_iter().flatten().collect();
    let starts = |role: &Value, start: &str| role["metadata"]["name"].as_str().is_some_and(|n| n.starts_with(start));
    for role in all.iter().filter(|role| role["kind"] == "ClusterRole" && starts(role, "carrier:")) {
        let mut less = (*role).clone();
        less["metadata"] = json!({ "name": role["metadata"]["name"] });
        for rule in less["rules"].as_array_mut().into_iter().flatten() {
            if let Some(verbs) = rule["verbs"].as_array_mut() {
                verbs.retain(|verb| verb != "escalate" && verb != "bind");
            }
        }
        plane.kubectl_with(&["replace", "-f", "-"], &less.to_string()).await?;
    }
    // Each for Roles and for ClusterRoles.
    eventually("two verbs are missing", async || missing(repository, "management").await.len() == 4).await;
    let rules: Vec<&Value> = all
        .iter()
        .filter(|role| starts(role, "kubecarrier:"))
        .flat_map(|role| role["rules"].as_array().into_iter().flatten())
        .collect();
    let group = "rbac.authorization.k8s.io";
    let api_version = format!("{group}/v1");
    let held =
        json!({ "apiVersion": api_version, "kind": "ClusterRole", "metadata": { "name": "held" }, "rules": rules });
    plane.kubectl_with(&["create", "-f", "-"], &held.to_string()).await?;
    plane.kubectl(&["create", "clusterrolebinding", "held", "--clusterrole=held", "--user=ci"]).await?;
    eventually("nothing is missing", async || missing(repository, "management").await.is_empty()).await;
    // The server is of the same mind.
    plane.kubectl(&["delete", "roles,rolebindings", "--all", "-n", "team-b"]).await?;
    let stream = repository.objects("management").await?;
    access.kubectl_with(&["apply", "--server-side", "--field-manager=carrier", "-f", "-"], &stream).await?;
    Ok(())
}

/// Without any one of the rules that were granted, just what it gives is missing again.
async fn every_rule_is_needed(plane: &ControlPlane, repository: &TwoRegions, target: &str) -> TestResult {
    let list = plane.kubectl(&["get", "clusterroles,roles", "-A", "-o", "json"]).await?;
    let list: Value = serde_json::from_str(&list)?;
    let is_ours = |role: &&Value| role["metadata"]["name"].as_str().is_some_and(|n| n.starts_with("carrier:"));
    let roles: Vec<&Value> = list["items"].as_array().into_iter().flatten().filter(is_ours).collect();
    assert!(!roles.is_empty());
    for role in roles {
        let granted = role["rules"].as_array().ok_or("a role without rules")?;
        for (index, rule) in granted.iter().enumerate() {
            let mut others = granted.clone();
            others.remove(index);
            let with = |rules: &[Value]| {
                let mut role = role.clone();
                role["rules"] = json!(rules);
                role["metadata"] =
                    json!({ "name": role["metadata"]["name"], "namespace": role["metadata"]["namespace"] });
                role.to_string()
            };
            plane.kubectl_with(&["replace", "-f", "-"], &with(&others)).await?;
            eventually(&format!("{rule} is missing"), async || {
                let missing = missing(repository, target).await;
                let count = |key: &str| rule[key].as_array().map_or(1, Vec::len);
                let has = |key: &str, value: &Value| rule[key].as_array().is_some_and(|list| list.contains(value));
                let given = |one: &Value| {
                    has("apiGroups", &one["group"]) && has("resources", &one["resource"]) && has("verbs", &one["verb"])
                };
                // At least: what all objects are granted for, one of them may be needed for once more.
                missing.len() >= count("resources") * count("verbs") * count("resourceNames")
                    && missing.iter().all(given)
            })
            .await;
            plane.kubectl_with(&["replace", "-f", "-"], &with(granted)).await?;
        }
    }
    eventually("all is there again", async || missing(repository, target).await.is_empty()).await;
    Ok(())
}

/// A cluster that cannot be reached, and one that is another, are said where they are named; the others go on.
async fn trouble_of_a_cluster_stays_with_it() -> TestResult {
    let planes = ControlPlanes::start(&CLUSTERS).await?;
    let (management, first) = (&planes["management"], &planes["eu-west-1"]);
    put_secret(management, planes["eu-west-2"].admin()).await?;
    let proxy = first.proxy().await?;
    proxy.refuse();
    let by_proxy = first.admin().by_port(proxy.port()).await?;
    let repository = TwoRegions::new(&settings(management.admin(), &by_proxy))?;
    let ran = doctor(&repository, &[]).await?;
    assert_eq!(ran.status, 4, "{}{}", ran.out, ran.err);
    // The way there is known, so nobody has to fill it in.
    let check = format!("check whether `kubectl --kubeconfig {} --context ", by_proxy.kubeconfig_path().display());
    assert!(ran.err.contains(&check) && ran.err.contains(" version` works, and run"), "{}", ran.err);
    assert!(ran.err.contains("CAR0601") && ran.err.contains("clusters/eu-west-1.yaml:5:"), "{}", ran.err);
    assert!(ran.out.contains("the service cluster team-a/eu-west-1: not reached"), "{}", ran.out);
    assert!(ran.out.contains("the service cluster team-a/eu-west-2, as admin"), "{}", ran.out);

    let ran = doctor(&repository, &["-o", "json", "--cluster", "team-a/eu-west-1"]).await?;
    let report: Value = serde_json::from_str(&ran.out)?;
    fits("schemas/doctor.json", &report);
    assert_eq!((ran.status, &report["clusters"][0]["trouble"]["code"]), (4, &json!("CAR0601")));

    // A cluster about which the repository has an error is not left out without a word.
    let cluster = std::fs::read_to_string(repository.path("clusters/eu-west-2.yaml"))?;
    let lost = cluster.replace("team-a", "team-x").replace("eu-west-2", "lost");
    std::fs::write(repository.path("clusters/lost.yaml"), lost)?;
    let not_asked =
        "the service cluster team-x/lost: not asked, because the repository has errors about it (CAR0250)\n";
    let ran = doctor(&repository, &["--cluster", "management", "--cluster", "team-x/lost"]).await?;
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("the management cluster, as admin\n"), "{}", ran.out);
    assert!(ran.out.contains(&format!("\n\n{not_asked}")), "{}", ran.out);
    let ran = doctor(&repository, &["--cluster", "team-x/lost"]).await?;
    assert_eq!((ran.status, ran.out.as_str()), (1, not_asked), "{}", ran.err);
    let ran = doctor(&repository, &["--cluster", "team-x/lost", "-o", "json"]).await?;
    let report: Value = serde_json::from_str(&ran.out)?;
    fits("schemas/doctor.json", &report);
    assert_eq!(report["not_asked"], json!([{"cluster": "team-x/lost", "errors": ["CAR0250"]}]));
    std::fs::remove_file(repository.path("clusters/lost.yaml"))?;

    // Another cluster than the one that was meant: nothing more is asked of it.
    let uid = "management: {uid: 11111111-2222-3333-4444-555555555555}";
    let elsewhere = TwoRegions::new(uid)?;
    let kubeconfig = management.kubeconfig_path().display().to_string();
    let ran = doctor(&elsewhere, &["--kubeconfig", &kubeconfig, "--cluster", "management"]).await?;
    assert_eq!(ran.status, 1, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("CAR0608") && !ran.out.contains("permissions"), "{}{}", ran.out, ran.err);

    // A CRD that another one keeps from being served, and an Offering without its CRD.
    take_the_kind(management, "eu-west-1.team-a").await?;
    repository.install_in(management).await?;
    management.kubectl(&["delete", "crd", "redis.eu-west-2.team-a"]).await?;
    let management_only = ["--cluster", "management"];
    eventually("both are said", async || {
        let ran = doctor(&repository, &management_only).await.expect("it runs");
        let taken =
            "missing  crds         redis.eu-west-1.team-a is not served: another CRD of its group has one of its names";
        let absent = "warning  offerings    offered without being there: redis.eu-west-2.team-a";
        ran.status == 1 && ran.out.contains(taken) && ran.out.contains(absent)
    })
    .await;

    let ran = doctor(&repository, &["--cluster", "team-a/eu-west-3"]).await?;
    assert_eq!(ran.status, 64);
    assert!(ran.err.contains("did you mean `team-a/eu-west-1`?"), "{}", ran.err);
    Ok(())
}
