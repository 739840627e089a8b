//! `carrier apply` as a person runs it: it asks or is told, does what a saved plan
//! says or nothing, and may be interrupted or killed anywhere.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use super::platform::Platform;
use super::tutorial::versions;
use crate::support::{Case, ControlPlane, TestResult, cases, eventually};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        it_asks_or_is_told,
        a_saved_plan_is_applied_exactly_or_not_at_all,
        a_cluster_that_is_away_or_another_holds_up_no_other,
        an_interrupted_apply_finishes_what_it_began,
        killed_anywhere_it_ends_in_the_same_state,
    ]
    .into_iter()
    .map(|case| case.within(Duration::from_mins(15)))
    .collect()
}

async fn it_asks_or_is_told() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.carrier(&["lock"]).await.ends(0);
    let run = platform.carrier(&["apply"]).await.ends(64);
    assert!(run.err.contains("this is not a terminal") && run.err.contains("apply --yes"), "{}", run.err);
    // What cannot be tried is said, and nothing speaks against it.
    let run = platform.carrier(&["apply", "--dry-run=server"]).await.ends(0);
    assert!(run.err.contains(" not tried\nnothing was written\n"), "{}", run.err);
    assert!(platform.management().kubectl(&["get", "crds", "-o", "name"]).await?.is_empty());

    let begun = Instant::now();
    let run = platform.carrier(&["apply", "--yes"]).await.ends(0);
    eprintln!("applied in {:?}:\n{}", begun.elapsed(), run.err);
    assert!(run.err.contains("management at https://127.0.0.1:"), "{}", run.err);
    assert!(run.err.contains("management: CRDs applied: 12"), "{}", run.err);
    let before = versions(platform.management()).await?;
    let run = platform.carrier(&["apply", "--yes", "-v"]).await.ends(0);
    assert!(run.err.contains("No changes"), "{}", run.err);
    assert_eq!(versions(platform.management()).await?, before);
    // All of it can be tried, once it is there.
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    let run = platform.carrier(&["apply", "--dry-run=server"]).await.ends(0);
    assert!(run.err.contains("dry run: 1 object changed") && run.err.contains("nothing was written"), "{}", run.err);
    assert_eq!(versions(platform.management()).await?, before);
    // A new tenant: what is in its namespace cannot be tried.
    let account = std::fs::read_to_string(platform.path("accounts/team-b.yaml"))?;
    platform.write("accounts/team-c.yaml", &account.replace("team-b", "team-c"));
    let run = platform.carrier(&["apply", "--dry-run=server"]).await.ends(0);
    let not_tried = "it cannot be tried before the Namespace team-c is there\n";
    assert!(run.err.contains("\nnot tried: ") && run.err.contains(not_tried), "{}", run.err);
    assert!(run.err.contains(" not tried\nnothing was written\n") && !run.err.contains("warning: "), "{}", run.err);
    // Its namespace is refused: then the run is not what it should be.
    let policy = "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: no-c}, spec: \
                  {matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: \
                  [namespaces]}]}, validations: [{expression: \"object.metadata.name != 'team-c'\"}]}}";
    let binding = "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: no-c}, \
                   spec: {policyName: no-c, validationActions: [Deny]}}";
    for object in [policy, binding] {
        platform.management().kubectl_with(&["create", "-f", "-"], object).await?;
    }
    let probe = ["create", "namespace", "team-c", "--dry-run=server"];
    eventually("it is refused", async || platform.management().kubectl(&probe).await.is_err()).await;
    platform.carrier(&["apply", "--dry-run=server"]).await.ends(3);
    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        platform.management().kubectl(&["delete", kind, "no-c"]).await?;
    }
    std::fs::remove_file(platform.path("accounts/team-c.yaml"))?;

    // On a terminal it shows the plan and asks; only `yes` will do.
    for (answer, code, last) in [("no", 0, "nothing was applied"), ("yes", 0, "applied: 1 object changed")] {
        let line = format!("{} apply --allow-loopback", env!("CARGO_BIN_EXE_carrier"));
        let mut command = tokio::process::Command::new("script");
        let kubeconfig = platform.management().kubeconfig_path();
        command.args(["-qec", &line, "/dev/null"]).env("KUBECONFIG", kubeconfig).current_dir(platform.path(""));
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            eprintln!("there is no `script` here, so nothing was asked");
            break;
        };
        let mut input = child.stdin.take().expect("piped");
        tokio::io::AsyncWriteExt::write_all(&mut input, format!("{answer}\n").as_bytes()).await?;
        let mut said = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut said).await?;
        drop(input);
        assert_eq!(child.wait().await?.code(), Some(code), "{said}");
        assert!(said.contains("Only `yes` does") && said.contains(last), "{said}");
    }
    Ok(())
}

async fn a_saved_plan_is_applied_exactly_or_not_at_all() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    let management = platform.management();
    platform.carrier(&["lock"]).await.ends(0);
    let out = ["plan", "--out", "plan.json"];
    platform.carrier(&out).await.ends(0);
    let with_flags = platform.carrier(&["apply", "plan.json", "--prune"]).await.ends(64);
    assert!(with_flags.err.contains("applied as it is"), "{}", with_flags.err);
    platform.carrier(&["apply", "plan.json"]).await.ends(0);
    // Applied once, it is of a world that is no more.
    let again = platform.carrier(&["apply", "plan.json"]).await.ends(3);
    assert!(again.err.contains("already matches the repository") && again.err.contains("plan --out"), "{}", again.err);

    // The object moves, or the repository does.
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    platform.carrier(&out).await.ends(0);
    management.kubectl(&["annotate", "account", "team-b", "a=b"]).await?;
    let moved = platform.carrier(&["apply", "plan.json"]).await.ends(3);
    assert!(moved.err.contains("Account team-b has changed in the cluster since"), "{}", moved.err);
    platform.carrier(&out).await.ends(0);
    platform.edit("accounts/team-b.yaml", "displayName: B", "displayName: C");
    let moved = platform.carrier(&["apply", "plan.json"]).await.ends(3);
    assert!(moved.err.contains("Account team-b differs from the planned object"), "{}", moved.err);
    let name = management.kubectl(&["get", "account", "team-b", "-o", "jsonpath={.spec.metadata.displayName}"]).await?;
    assert_eq!(name, "Team B");
    platform.edit("accounts/team-b.yaml", "displayName: C", "displayName: B");
    platform.carrier(&["apply", "plan.json"]).await.ends(0);

    platform.write("plan.json", "{}");
    let none = platform.carrier(&["apply", "plan.json"]).await.ends(64);
    assert!(none.err.contains("is not a plan"), "{}", none.err);
    Ok(())
}

async fn a_cluster_that_is_away_or_another_holds_up_no_other() -> TestResult {
    let platform = Platform::new(&["eu-west-1", "eu-west-2"]).await?;
    platform.register("eu-west-2");
    platform.carrier(&["lock"]).await.ends(0);
    let away = &platform.planes["eu-west-2"];
    away.kill();
    let run = platform.carrier(&["apply", "--yes"]).await.ends(5);
    assert!(run.err.contains("error[CAR0601]") && run.err.contains("clusters/eu-west-2.yaml"), "{}", run.err);
    assert!(run.err.contains("team-a/eu-west-1: namespaces applied: 2"), "{}", run.err);
    assert!(run.err.contains("1 cluster not reached"), "{}", run.err);
    // With nothing left to do elsewhere, it is still not the whole.
    platform.carrier(&["apply", "--yes"]).await.ends(5);

    // Nothing is deleted anywhere meanwhile.
    let account = std::fs::read_to_string(platform.path("accounts/team-b.yaml"))?;
    std::fs::remove_file(platform.path("accounts/team-b.yaml"))?;
    let run = platform.carrier(LESS).await.ends(3);
    assert!(run.err.contains("the state of team-a/eu-west-2 is unknown"), "{}", run.err);
    platform.write("accounts/team-b.yaml", &account);
    away.restart().await?;
    let run = platform.carrier(&["apply", "--yes"]).await.ends(0);
    assert!(run.err.contains("team-a/eu-west-2 at ") && !run.err.contains("management at "), "{}", run.err);

    // One that is not the one that was locked is not touched, and nothing else is either.
    let lock = std::fs::read_to_string(platform.path("carrier.lock"))?;
    let uid =
        platform.planes["eu-west-1"].kubectl(&["get", "ns", "kube-system", "-o", "jsonpath={.metadata.uid}"]).await?;
    assert!(lock.contains(&uid));
    platform.write("carrier.lock", &lock.replace(&uid, "11111111-2222-3333-4444-555555555555"));
    platform.edit("accounts/team-b.yaml", "displayName: Team B", "displayName: B");
    let before = versions(platform.management()).await?;
    let run = platform.carrier(&["apply", "--yes"]).await.ends(3);
    assert!(run.err.contains("is another cluster"), "{}", run.err);
    assert_eq!(versions(platform.management()).await?, before);
    platform.write("carrier.lock", &lock);

    platform.management().kill();
    let run = platform.carrier(&["apply", "--yes"]).await.ends(4);
    assert!(run.err.contains("nothing was applied"), "{}", run.err);
    Ok(())
}

/// The writes under way get their answer, and no other begins.
async fn an_interrupted_apply_finishes_what_it_began() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    platform.carrier(&["lock"]).await.ends(0);
    let proxy = platform.management().proxy().await?;
    let slow = platform.management().admin().by_port(proxy.port()).await?;
    let mut command = platform.command(&["apply", "--yes", "-v", "--allow-loopback"]);
    let mut child = command.env("KUBECONFIG", slow.kubeconfig_path()).spawn()?;
    let pid = Pid::from_raw(i32::try_from(child.id().expect("it runs"))?).expect("a process");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await? {
        said.push_str(&line);
        said.push('\n');
        if line.starts_with("management: ") && line.ends_with("applied") {
            proxy.stall();
            kill_process(pid, Signal::INT)?;
            break;
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    proxy.pass();
    while let Some(line) = lines.next_line().await? {
        said.push_str(&line);
        said.push('\n');
    }
    assert_eq!(child.wait().await?.code(), Some(130), "{said}");
    assert!(said.contains("interrupted: writes in progress are finished"), "{said}");
    let sum = said.lines().find(|line| line.starts_with("interrupted: ") && line.contains(" created"));
    let number = |text: &str, word: &str| -> usize {
        let at = text.split([' ', ':', ';', ',']).collect::<Vec<_>>();
        let position = at.iter().position(|w| *w == word).unwrap_or_else(|| panic!("{text}"));
        at[position - 1].parse().unwrap_or_else(|_| at[position - 2].parse().expect("a number"))
    };
    let sum = sum.unwrap_or_else(|| panic!("{said}"));
    // What it says was done is what is there.
    let label = "-l=applyset.kubernetes.io/part-of";
    let mut there = 0;
    for plane in [platform.management(), &platform.planes["eu-west-1"]] {
        let kinds = "crds,namespaces,roles,rolebindings,clusterroles,clusterrolebindings,serviceaccounts";
        there += plane.kubectl(&["get", kinds, "-A", "-o", "name", label]).await?.lines().count();
    }
    // The CRDs of the KubeCarrier kinds are no members, and neither is the namespace of carrier's own objects.
    let crds = platform.management().kubectl(&["get", "crds", "-o", "name"]).await?;
    there += crds.lines().filter(|name| name.ends_with(".kubecarrier.io") || name.ends_with("/kubecarrier.io")).count();
    let created = number(sum, "created");
    assert!(created == there || created == there + 1, "{sum}, and there are {there}: {said}");
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    let run = platform.carrier(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(run.code, 0, "{}", run.text());
    Ok(())
}

/// A platform with two regions, three tenants and another one's leavings.
async fn whole() -> Result<Platform, crate::support::Failed> {
    let platform = Platform::new(&["eu-west-1", "eu-west-2"]).await?;
    platform.register("eu-west-2");
    for tenant in ["team-c", "team-d"] {
        let text = std::fs::read_to_string(platform.path("accounts/team-b.yaml"))?;
        platform.write(&format!("accounts/{tenant}.yaml"), &text.replace("team-b", tenant));
    }
    platform.carrier(&["lock"]).await.ends(0);
    Ok(platform)
}

/// Applies what has less, whatever that destroys.
const LESS: &[&str] =
    &["apply", "--yes", "--prune", "--max-prune", "1000", "--allow-delete", "all", "--allow-breaking", "all"];

/// Twenty runs, up and down again, are killed in the midst of their writes. What is run after them makes
/// the same of the clusters as a run that nobody disturbed.
async fn killed_anywhere_it_ends_in_the_same_state() -> TestResult {
    let calm = whole().await?;
    calm.carrier(&["apply", "--yes"]).await.ends(0);
    let expected = state(&calm).await?;
    drop(calm);

    let platform = whole().await?;
    let aside = ["accounts/team-c.yaml", "catalogs/catalog.yaml", "catalogs/redis.yaml", "clusters/eu-west-2.yaml"];
    let texts: Vec<String> =
        aside.iter().map(|file| std::fs::read_to_string(platform.path(file))).collect::<Result<_, _>>()?;
    let mut seed = std::env::var("CARRIER_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1_u64);
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut killed, mut down, mut story) = (0, false, Vec::new());
    // A run that was killed between the end of its roles and that of its namespaces leaves namespaces whose contents nobody
    // can count any more: `all` does not allow these, and the refusal says what does.
    let mut uncounted: Vec<String> = Vec::new();
    for _ in 0..80 {
        if killed == 20 {
            break;
        }
        let mut args = if down { LESS.to_vec() } else { vec!["apply", "--yes"] };
        args.extend(["-v", "--allow-loopback"]);
        args.extend(uncounted.iter().map(String::as_str));
        // Before the first write, or after so many of them.
        let writes = random(16);
        let ended = run_until(&platform, &args, writes, Duration::from_millis(random(200))).await?;
        match ended {
            None => {
                killed += 1;
                story.push(format!("{}{}", if down { '-' } else { '+' }, members(&platform).await?));
            }
            // All is done: now the other way.
            Some((0, _)) => {
                down = !down;
                uncounted.clear();
                for (file, text) in aside.iter().zip(&texts) {
                    match down {
                        true => std::fs::remove_file(platform.path(file))?,
                        false => platform.write(file, text),
                    }
                }
            }
            Some((3, said)) if down && said.contains("could not be counted") => {
                let way = said.lines().find_map(|line| line.trim().strip_prefix("help: to allow this: "));
                uncounted = way.ok_or(said.clone())?.split(' ').map(str::to_owned).collect();
            }
            // A namespace that is being deleted is not made again before it is gone.
            Some((3 | 5, _)) => tokio::time::sleep(Duration::from_millis(300)).await,
            Some((code, said)) => return Err(format!("ended with {code}: {said}").into()),
        }
    }
    eprintln!("killed while writing, with so many objects there after each: {}", story.join(" "));
    assert_eq!(killed, 20);
    for (file, text) in aside.iter().zip(&texts) {
        platform.write(file, text);
    }
    eventually("everything is applied", async || platform.carrier(&["apply", "--yes", "--prune"]).await.code == 0)
        .await;
    let found = state(&platform).await?;
    let names = |state: &BTreeMap<String, Value>| state.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected));
    for (name, object) in &expected {
        assert_eq!(&found[name], object, "{name}");
    }
    assert!(expected.len() > 80, "{}", expected.len());
    let run = platform.carrier(&["plan", "--detailed-exitcode", "--prune"]).await;
    assert_eq!(run.code, 0, "{}", run.text());
    Ok(())
}

/// Runs a command and kills it once it has told of so many writes, or, for none, after a while. How it
/// ended, if it did so by itself.
async fn run_until(
    platform: &Platform,
    args: &[&str],
    writes: u64,
    after: Duration,
) -> Result<Option<(i32, String)>, crate::support::Failed> {
    let mut child = platform.command(args).stdout(std::process::Stdio::null()).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut said = String::new();
    let mut told = 0;
    if writes == 0 {
        tokio::time::sleep(after).await;
        child.start_kill()?;
    }
    while let Some(line) = lines.next_line().await? {
        told += u64::from(line.ends_with(" applied") || line.ends_with(" deleted"));
        if told == writes && told > 0 {
            child.start_kill()?;
        }
        said.push_str(&line);
        said.push('\n');
    }
    Ok(child.wait().await?.code().map(|code| (code, said)))
}

/// How many members the inventories have.
async fn members(platform: &Platform) -> Result<usize, crate::support::Failed> {
    let mut count = 0;
    for plane in platform.planes.iter() {
        let kinds = "crds,namespaces,roles,rolebindings,clusterroles,clusterrolebindings,serviceaccounts";
        let list = plane.kubectl(&["get", kinds, "-A", "-o", "name", "-l", "applyset.kubernetes.io/part-of"]).await?;
        count += list.lines().count();
    }
    Ok(count)
}

/// Every object of carrier's in all clusters, by its name, without what is different each time: UIDs,
/// versions, times, and what is made of the management cluster's UID.
async fn state(platform: &Platform) -> Result<BTreeMap<String, Value>, crate::support::Failed> {
    let uid = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
    let management = platform.management().kubectl(&uid).await?;
    let lock = std::fs::read_to_string(platform.path("carrier.lock"))?;
    // `team-b: team-b-x7k2p`, under each cluster; the same tenant has another name in each.
    let spaces = regex::Regex::new(r"(?m)^ +(team-\w+): (team-\w+-[a-z0-9]{5})$")?;
    let places: Vec<(String, String)> =
        spaces.captures_iter(&lock).map(|found| (found[2].to_owned(), format!("{}-SPACE", &found[1]))).collect();
    let sets = regex::Regex::new(r"applyset-[\w-]{43}-v1|carrier-carrier-[0-9a-f]{10}")?;
    let mut state = BTreeMap::new();
    for plane in platform.planes.iter() {
        for object in objects(plane).await? {
            let mut text = without_noise(object).to_string().replace(&management, "MANAGEMENT");
            for (space, name) in &places {
                text = text.replace(space, name);
            }
            let object: Value = serde_json::from_str(&sets.replace_all(&text, "SET"))?;
            let part = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
            let key = format!(
                "{} {} {}/{}",
                plane.name(),
                part("/kind"),
                part("/metadata/namespace"),
                part("/metadata/name")
            );
            state.insert(key, object);
        }
    }
    Ok(state)
}

async fn objects(plane: &ControlPlane) -> Result<Vec<Value>, crate::support::Failed> {
    let mut kinds =
        "crds,namespaces,roles,rolebindings,clusterroles,clusterrolebindings,serviceaccounts,configmaps".to_owned();
    if plane.name() == "management" {
        kinds.push_str(
            ",accounts,catalogs,catalogentries,catalogentrysets,offerings,regions,providers,tenants,serviceclusters,\
             serviceclusterassignments",
        );
    }
    let list = plane.kubectl(&["get", &kinds, "-A", "-o", "json", "--show-managed-fields"]).await?;
    let mut list: Value = serde_json::from_str(&list)?;
    let Value::Array(items) = list["items"].take() else { return Ok(Vec::new()) };
    let is_ours = |object: &Value| {
        let managers = object.pointer("/metadata/managedFields").and_then(Value::as_array);
        managers.into_iter().flatten().any(|m| m["manager"] == "carrier")
    };
    Ok(items.into_iter().filter(is_ours).collect())
}

fn without_noise(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for key in ["uid", "resourceVersion", "creationTimestamp", "generation"] {
            metadata.remove(key);
        }
        if let Some(run) = metadata.get_mut("annotations").and_then(|all| all.get_mut("carrier.kubecarrier.io/run")) {
            *run = json!("RUN");
        }
        if let Some(managers) = metadata.get_mut("managedFields").and_then(Value::as_array_mut) {
            for manager in managers.iter_mut() {
                manager["time"] = json!(null);
            }
            managers.sort_by_key(Value::to_string);
        }
    }
    let conditions = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        condition["lastTransitionTime"] = json!(null);
    }
    object
}
