//! A list and watch against real API servers: through compaction, a broken connection, a kind that goes, rights that
//! are withdrawn, and a server that starts again.

use std::collections::BTreeMap;
use std::time::Duration;

use carrier::clusters::Verb;
use carrier::clusters::{ErrorKind, Selection};
use carrier::clusters::{Phase, WatchEvent, WatchOptions, Watcher};
use carrier::names::Resource;
use serde_json::{Value, json};

use super::errors::{client, config_map, config_maps, crd, served};
use crate::support::{Case, ControlPlane, ControlPlanes, Failed, Proxy, TestResult, cases, shared};

pub(crate) fn cases() -> Vec<Case> {
    cases![
        objects_are_followed,
        a_broken_connection_loses_no_event,
        a_compacted_version_leads_to_a_new_list,
        a_restarted_server_leads_to_the_same_state,
        a_kind_that_goes_ends_the_watch,
        rights_that_are_withdrawn_end_the_watch,
        a_kind_that_comes_is_waited_for,
        an_event_without_end_is_none,
    ]
}

/// What a watcher has told, as whoever follows it knows it.
struct Follower {
    watcher: Watcher,
    phase: Phase,
    there: BTreeMap<String, Value>,
    told: Vec<String>,
}

impl Follower {
    fn new(watcher: Watcher) -> Self {
        Self { watcher, phase: Phase::Unknown, there: BTreeMap::new(), told: Vec::new() }
    }

    async fn next(&mut self) -> Option<WatchEvent> {
        let event =
            tokio::time::timeout(Duration::from_mins(2), self.watcher.next()).await.expect("it does not hang")?;
        self.phase = self.phase.after(&event);
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let word = match &event {
            WatchEvent::Restarted => {
                self.there.clear();
                "restarted".to_owned()
            }
            WatchEvent::Object(object) => {
                self.there.insert(name(object), object.clone());
                format!("+{}", name(object))
            }
            WatchEvent::Deleted(object) => {
                self.there.remove(&name(object));
                format!("-{}", name(object))
            }
            WatchEvent::Listed { .. } => "listed".to_owned(),
            WatchEvent::Live => "live".to_owned(),
            WatchEvent::Lost(error) => {
                eprintln!("lost: {error}");
                format!("lost {:?}", error.kind)
            }
        };
        self.told.push(word);
        Some(event)
    }

    /// Follows until this is true, or the watch ends.
    async fn until(&mut self, reached: impl Fn(&Self) -> bool) {
        while !reached(self) {
            if self.next().await.is_none() {
                return;
            }
        }
    }

    fn names(&self) -> Vec<&str> {
        self.there.keys().map(String::as_str).collect()
    }

    fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    fn was_told(&self, word: &str) -> bool {
        self.told.iter().any(|told| told == word)
    }
}

async fn make(plane: &ControlPlane, namespace: &str, name: &str) -> TestResult {
    let body = config_map(name, &json!({"x": "y"})).to_string();
    plane.kubectl_with(&["apply", "--server-side", "-n", namespace, "-f", "-"], &body).await?;
    Ok(())
}

async fn objects_are_followed() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    let (namespace, other) = (plane.namespace("followed").await?, plane.namespace("followed").await?);
    make(plane, &namespace, "a").await?;
    make(plane, &other, "elsewhere").await?;
    let cluster = client(plane.admin()).await;
    let selection = Selection::all(&config_maps()).within(Some(&namespace)).labels("!hidden");
    let mut full = Follower::new(Watcher::new(&cluster, selection.clone(), &WatchOptions::default()));
    let metadata = Watcher::new(&cluster, selection.metadata_only(), &WatchOptions::default());
    let mut metadata = Follower::new(metadata);
    for follower in [&mut full, &mut metadata] {
        follower.until(Follower::is_live).await;
        assert_eq!(follower.told, ["restarted", "+a", "listed", "live"]);
    }
    make(plane, &namespace, "b").await?;
    plane.kubectl(&["delete", "configmap", "a", "-n", &namespace]).await?;
    // An object that no longer belongs to the selection is told as one that is gone.
    plane.kubectl(&["label", "configmap", "b", "-n", &namespace, "hidden=true"]).await?;
    for follower in [&mut full, &mut metadata] {
        follower.until(|f| f.was_told("-b")).await;
        assert_eq!(follower.told[4..], ["+b", "-a", "-b"]);
        assert!(follower.is_live() && follower.names().is_empty());
    }
    assert_eq!(cluster.counters().count(Verb::Watch, carrier::clusters::Outcome::Success), 2);
    Ok(())
}

/// A follower of the namespace `n`, which holds `a`, after its connection through the proxy was cut.
async fn cut_off(plane: &ControlPlane) -> Result<(Proxy, Follower), Failed> {
    plane.kubectl(&["create", "namespace", "n"]).await?;
    make(plane, "n", "a").await?;
    let proxy = plane.proxy().await?;
    let cluster = client(&plane.admin().by_port(proxy.port()).await?).await;
    let selection = Selection::all(&config_maps()).within(Some("n"));
    let mut follower = Follower::new(Watcher::new(&cluster, selection, &WatchOptions::default()));
    follower.until(Follower::is_live).await;
    proxy.refuse();
    follower.until(|f| f.was_told("lost Unreachable")).await;
    Ok((proxy, follower))
}

async fn a_broken_connection_loses_no_event() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let (proxy, mut follower) = cut_off(plane).await?;
    assert_eq!((follower.phase, follower.watcher.phase()), (Phase::Unknown, Phase::Unknown));
    // What happens meanwhile is told afterwards, without a list.
    make(plane, "n", "b").await?;
    plane.kubectl(&["delete", "configmap", "a", "-n", "n"]).await?;
    proxy.pass();
    follower.until(|f| f.was_told("-a") && f.is_live()).await;
    assert_eq!(follower.names(), ["b"]);
    assert_eq!(follower.told.iter().filter(|told| *told == "restarted").count(), 1, "{:?}", follower.told);
    Ok(())
}

async fn a_compacted_version_leads_to_a_new_list() -> TestResult {
    // Without the cache the server knows what etcd knows.
    let planes = ControlPlanes::builder().watch_cache(false).start(&["management"]).await?;
    let plane = &planes["management"];
    let (proxy, mut follower) = cut_off(plane).await?;
    make(plane, "n", "b").await?;
    plane.kubectl(&["delete", "configmap", "a", "-n", "n"]).await?;
    planes.etcd().compact().await?;
    proxy.pass();
    follower.until(|f| f.was_told("lost Expired") && f.is_live() && f.names() == ["b"]).await;
    assert_eq!(follower.told.iter().filter(|told| *told == "restarted").count(), 2, "{:?}", follower.told);
    Ok(())
}

async fn a_restarted_server_leads_to_the_same_state() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    plane.kubectl(&["create", "namespace", "n"]).await?;
    make(plane, "n", "a").await?;
    let cluster = client(plane.admin()).await;
    let selection = Selection::all(&config_maps()).within(Some("n"));
    let mut follower = Follower::new(Watcher::new(&cluster, selection, &WatchOptions::default()));
    follower.until(Follower::is_live).await;
    let (restarted, ()) =
        tokio::join!(plane.restart(), follower.until(|f| f.told.last().is_some_and(|t| t.starts_with("lost"))));
    restarted?;
    make(plane, "n", "b").await?;
    plane.kubectl(&["delete", "configmap", "a", "-n", "n"]).await?;
    follower.until(|f| f.is_live() && f.names() == ["b"]).await;
    assert!(follower.is_live(), "{:?}", follower.told);
    Ok(())
}

async fn a_kind_that_goes_ends_the_watch() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    served(plane, &crd("gone.example.com", "dbs", "Db")).await?;
    let dbs = Resource::new("gone.example.com", "v1", "Db", "dbs", true);
    let cluster = client(plane.admin()).await;
    let mut follower = Follower::new(Watcher::new(&cluster, Selection::all(&dbs), &WatchOptions::default()));
    follower.until(Follower::is_live).await;
    plane.kubectl(&["delete", "crd", "dbs.gone.example.com"]).await?;
    follower.until(|_| false).await;
    assert_eq!(follower.told.last().map(String::as_str), Some("lost KindNotFound"), "{:?}", follower.told);
    assert_eq!(follower.watcher.next().await, None);
    assert_eq!(follower.phase, Phase::Unknown);
    Ok(())
}

async fn rights_that_are_withdrawn_end_the_watch() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    plane.kubectl(&["create", "namespace", "n"]).await?;
    plane.kubectl(&["create", "role", "reader", "-n", "n", "--verb=list,watch", "--resource=configmaps"]).await?;
    plane.kubectl(&["create", "rolebinding", "reader", "-n", "n", "--role=reader", "--user=reader"]).await?;
    let proxy = plane.proxy().await?;
    let cluster = client(&plane.user("reader", &[]).await?.by_port(proxy.port()).await?).await;
    let selection = Selection::all(&config_maps()).within(Some("n"));
    let allowed = async || cluster.first(&selection).await.is_ok();
    crate::support::eventually("it may list", allowed).await;
    let mut follower = Follower::new(Watcher::new(&cluster, selection.clone(), &WatchOptions::default()));
    follower.until(Follower::is_live).await;
    plane.kubectl(&["delete", "rolebinding", "reader", "-n", "n"]).await?;
    crate::support::eventually("it may no longer list", async || cluster.first(&selection).await.is_err()).await;
    // A watch that is open goes on; the next one is refused.
    proxy.cut();
    follower.until(|_| false).await;
    assert_eq!(follower.told.last().map(String::as_str), Some("lost Forbidden"), "{:?}", follower.told);
    assert_eq!(follower.phase, Phase::Unknown);
    Ok(())
}

async fn a_kind_that_comes_is_waited_for() -> TestResult {
    let planes = ControlPlanes::start(&["management"]).await?;
    let plane = &planes["management"];
    let dbs = Resource::new("comes.example.com", "v1", "Db", "dbs", true);
    let cluster = client(plane.admin()).await;
    let mut impatient = Watcher::new(&cluster, Selection::all(&dbs), &WatchOptions::default());
    let lost = impatient.next().await;
    assert!(matches!(&lost, Some(WatchEvent::Lost(error)) if error.kind == ErrorKind::KindNotFound), "{lost:?}");
    assert_eq!(impatient.next().await, None);
    let options = WatchOptions { await_kind: true, ..WatchOptions::default() };
    let mut follower = Follower::new(Watcher::new(&cluster, Selection::all(&dbs), &options));
    let crd = crd("comes.example.com", "dbs", "Db");
    let (served, ()) = tokio::join!(served(plane, &crd), follower.until(Follower::is_live));
    served?;
    assert_eq!(follower.told[follower.told.len() - 3..], ["restarted", "listed", "live"]);
    Ok(())
}

async fn an_event_without_end_is_none() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    let namespace = plane.namespace("long").await?;
    let access = plane.admin();
    let source = carrier::clusters::FileSource {
        paths: vec![access.kubeconfig_path().to_owned()],
        ..carrier::clusters::FileSource::default()
    };
    let config = carrier::clusters::from_files(&source).await?;
    let limits = carrier::clusters::Limits { event: 4_096, ..carrier::clusters::Limits::default() };
    let cluster = carrier::clusters::Cluster::new(carrier::names::Target::Management, config, limits)?;
    let selection = Selection::all(&config_maps()).within(Some(&namespace));
    let mut follower = Follower::new(Watcher::new(&cluster, selection, &WatchOptions::default()));
    follower.until(Follower::is_live).await;
    let body = config_map("long", &json!({"x": "y".repeat(100_000)})).to_string();
    plane.kubectl_with(&["create", "-n", &namespace, "-f", "-"], &body).await?;
    // It is in the list that follows.
    follower.until(|f| f.was_told("lost TooLarge") && f.is_live()).await;
    assert_eq!(follower.names(), ["long"]);
    Ok(())
}
