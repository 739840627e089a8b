//! What `carrier get` shows of instances that sync works on: how each stands, and what is left of those that are gone.

use serde_json::{Value, json};

use super::bed::{Bed, Service};
use super::deletions::{POLICY, all_policies};
use super::objects::{annotation, wait};
use crate::platform::Run;
use crate::support::{Case, TestResult, cases};
use crate::two_regions::fits;

pub(crate) fn cases() -> Vec<Case> {
    cases![get_shows_how_instances_stand_and_what_is_left_of_others]
}

const REGION: &str = "eu-west-1";
const DERIVED: &str = "redis.eu-west-1.team-a";
const HEAD: [&str; 6] = ["TENANT", "SERVICE", "NAME", "CLUSTER", "READY", "SYNCED"];

/// The rows of a table as name, READY and SYNCED; the cells after them are joined.
fn rows(run: &Run) -> Vec<[String; 4]> {
    let cells = |line: &str| -> Vec<String> {
        line.split("   ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    };
    let mut lines = run.out.lines().map(cells);
    assert_eq!(lines.next().unwrap_or_default()[..6], HEAD);
    let row = |cells: Vec<String>| {
        assert_eq!(cells[..2], ["team-b", "redis"]);
        assert_eq!(cells[3], "team-a/eu-west-1");
        [cells[2].clone(), cells[4].clone(), cells[5].clone(), cells[6..].join(" | ")]
    };
    lines.map(row).collect()
}

fn shown(run: &Run) -> Vec<String> {
    rows(run).into_iter().map(|[name, ready, synced, _]| format!("{name} {ready} {synced}")).collect()
}

/// The last cell of the row of a name in the wide table.
fn message(run: &Run, name: &str) -> String {
    let row = rows(run).into_iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("{name}: {}", run.out));
    row[3].rsplit(" | ").next().unwrap_or_default().to_owned()
}

fn is_discreet(run: &Run) {
    let text = run.text();
    for value in ["opstree/redis:v2.0", "1234", "hunter2", "1gb"] {
        assert!(!text.contains(value), "{value}: {text}");
    }
}

async fn made(redis: &Service, name: &str) -> TestResult {
    redis.create(name).await?;
    redis.in_step(name).await;
    Ok(())
}

async fn get_shows_how_instances_stand_and_what_is_left_of_others() -> TestResult {
    let bed = Bed::builder(&[REGION]).change(all_policies).start().await?;
    let sync = bed.sync().await?;
    let redis = bed.service(REGION).await;
    for name in ["good", "lost", "lost-below", "kept"] {
        made(&redis, name).await?;
    }
    redis.copy.create("theirs", &json!({"mode": "cluster", "global": {"image": "hunter2"}}), &json!({})).await?;
    redis.create("theirs").await?;
    let conflict = redis.says("theirs", "False/Conflict").await;
    redis.member.annotate("kept", POLICY, Some("Orphan")).await?;
    redis.member.delete("kept").await?;
    redis.gone_in_management("kept").await;

    let all = [
        "good True True/InStep",
        "lost True True/InStep",
        "lost-below True True/InStep",
        "theirs False False/Conflict",
    ];
    let with_kept = |rows: &[&str]| -> Vec<String> {
        let mut rows: Vec<String> = rows.iter().map(|&row| row.to_owned()).collect();
        rows.push("kept - released".to_owned());
        rows.sort_by_key(|row| row.split(' ').next().map(str::to_owned));
        rows
    };
    let running = bed.carrier(&["get"]).await.ends(0);
    assert_eq!(shown(&running), with_kept(&all));
    assert_eq!(running.err, "", "what is released is no orphan");

    // Without a seen deletion: as after a restore of the management cluster from an older backup.
    assert_eq!(sync.stop().await, Some(0));
    for name in ["lost", "lost-below"] {
        redis.tenant.vanish(name).await?;
    }
    redis.internal.delete("lost-below").await?;
    let changed = redis.member.merge("good", &json!({"spec": {"size": 4}})).await?;
    redis.create("new").await?;
    let rows = with_kept(&[
        "good True True/InStep (generation 1 of 2)",
        "lost - orphan",
        "lost-below - orphan",
        "new - -",
        "theirs False False/Conflict",
    ]);
    assert_eq!(changed["metadata"]["generation"], 2);
    let text = bed.carrier(&["get"]).await.ends(0);
    assert_eq!(shown(&text), rows);
    let approve = format!("approve team-a/eu-west-1/{DERIVED}");
    let said = format!(
        "2 orphans: copies are left, and the tenant object is gone; `carrier sync` keeps them\n\
         next: run `carrier {approve}` to see them and to approve their deletion\n"
    );
    assert_eq!(text.err, said);

    let wide = bed.carrier(&["get", "redis", "-n", "team-b", "-o", "wide"]).await.ends(0);
    assert_eq!(shown(&wide), rows);
    let below = &redis.namespace;
    for (name, wanted) in [
        ("lost", format!("the internal object and the copy in {below} are left")),
        ("lost-below", format!("the copy in {below} is left")),
        ("kept", format!("the copy in {below} is kept by the deletion policy Orphan")),
        ("theirs", conflict["message"].as_str().unwrap_or_default().to_owned()),
        ("new", "no".to_owned()),
    ] {
        assert_eq!(message(&wide, name), wanted);
    }
    assert!(wide.err.contains(&format!("`carrier {approve} -n team-b`")), "{}", wide.err);

    let json = bed.carrier(&["get", "-o", "json"]).await.ends(0);
    let document = json.json();
    fits("schemas/instances.json", &document);
    let good = &document["instances"][0]["synced"];
    assert_eq!((&good["status"], &good["reason"], &good["stale"]), (&json!("True"), &json!("InStep"), &json!(true)));
    assert_eq!((&good["observed_generation"], &good["generation"]), (&json!(1), &json!(2)));
    assert_eq!(document["instances"][1]["synced"], Value::Null);
    let left: Vec<Value> = document["left"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| {
            let levels: Vec<&Value> =
                one["copies"].as_array().into_iter().flatten().map(|copy| &copy["level"]).collect();
            json!([one["name"], one["state"], levels, one["in_service_cluster"]])
        })
        .collect();
    let wanted = json!([
        ["kept", "released", ["service"], true],
        ["lost", "orphan", ["internal", "service"], true],
        ["lost-below", "orphan", ["service"], true],
    ]);
    assert_eq!((json!(left), &document["unchecked"]), (wanted, &json!([])));
    for run in [&running, &text, &wide, &json] {
        is_discreet(run);
    }

    what_may_not_be_listed_is_not_absent(&bed).await;
    what_is_approved_is_shown_so(&bed, &redis).await?;

    without_its_kind_nothing_is_gone(&bed, &redis).await
}

/// People who may not list something: it is said, and what is not seen is not gone.
async fn what_may_not_be_listed_is_not_absent(bed: &Bed) {
    // A member of the tenant sees no internal objects.
    let member = bed.carrier(&["get", "-n", "team-b", "--as", "team-b-member", "-o", "wide"]).await.ends(0);
    assert_eq!(rows(&member).len(), 6, "{}", member.out);
    assert!(message(&member, "lost").starts_with("the copy in team-b-"), "{}", member.out);
    let missing =
        format!("orphans of {DERIVED} may be missing: the redis.internal.eu-west-1.team-a cannot be listed: ");
    assert!(member.err.contains(&missing), "{}", member.err);

    let nobody = bed.carrier(&["get", "--as", "nobody", "-o", "json"]).await.ends(4);
    let document = nobody.json();
    assert_eq!((&document["instances"], &document["left"]), (&json!([]), &json!([])));
    let unchecked = &document["unchecked"][0];
    assert_eq!((&unchecked["cluster"], &unchecked["crd"]), (&json!("team-a/eu-west-1"), &json!(DERIVED)));
    let reason = unchecked["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("its instances cannot be listed: "), "{reason}");
    assert!(nobody.err.contains("error[CAR0605]") && nobody.err.contains(reason), "{}", nobody.err);
    // The command that shows what is missing is for the same account.
    let help = "run `carrier doctor --for get --as nobody`";
    assert!(nobody.err.contains(help), "{}", nobody.err);

    // A service cluster that does not answer: the copies in it are unknown, and the table does not wait long.
    bed.planes[REGION].pause();
    let begun = std::time::Instant::now();
    let away = bed.carrier(&["get"]).await.ends(0);
    bed.planes[REGION].resume();
    assert!(begun.elapsed() < std::time::Duration::from_secs(25), "{:?}", begun.elapsed());
    assert!(shown(&away).contains(&"lost - orphan".to_owned()) && !away.out.contains("lost-below"), "{}", away.out);
    let missing =
        format!("orphans of {DERIVED} may be missing: team-a/eu-west-1 cannot be asked: no answer within 5 s");
    assert!(away.err.contains(&missing), "{}", away.err);
}

/// The command that get names approves what it shows.
async fn what_is_approved_is_shown_so(bed: &Bed, redis: &Service) -> TestResult {
    let service = format!("team-a/eu-west-1/{DERIVED}");
    bed.carrier(&["approve", &service, "--yes", "--allow-loopback"]).await.ends(0);
    let copy = redis.copy.get("lost").await.ok_or("it is gone")?;
    assert_ne!(annotation(&copy, "carrier.kubecarrier.io/approved-deletion"), "");
    let approved = bed.carrier(&["get", "-o", "wide"]).await.ends(0);
    assert!(message(&approved, "lost").ends_with(" are left, and the deletion is approved"), "{}", approved.out);
    assert_eq!(approved.err, "", "nothing waits any longer");
    let sync = bed.sync().await?;
    wait("they go", async || {
        let listed = bed.carrier(&["get"]).await;
        let rows = shown(&listed);
        let wanted =
            ["good True True/InStep", "kept - released", "new True True/InStep", "theirs False False/Conflict"];
        if rows == wanted { Ok(()) } else { Err(listed.text()) }
    })
    .await;
    assert_eq!(sync.stop().await, Some(0));
    Ok(())
}

async fn without_its_kind_nothing_is_gone(bed: &Bed, redis: &Service) -> TestResult {
    let strip = json!({"metadata": {"finalizers": null}});
    for name in ["good", "new", "theirs"] {
        redis.tenant.merge(name, &strip).await?;
    }
    bed.management().kubectl(&["delete", "crd", DERIVED, "--timeout=60s"]).await?;
    let without = bed.carrier(&["get", "-o", "wide"]).await.ends(0);
    assert_eq!(without.out, "");
    assert!(without.err.contains(&format!("not installed yet: {DERIVED}\n")), "{}", without.err);
    Ok(())
}
