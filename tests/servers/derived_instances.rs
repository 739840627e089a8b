//! Real API servers accept instances on their way through derived CRDs (`DESIGN.md` §4 laws 2 and 3).
//!
//! The derived, the internal and the base CRD are created in truth, each case in a group of its own; instances are
//! created as dry runs. Samples are cut down to what is visible and offered to the derived CRD; what it accepts, and
//! random instances, are projected down and offered to the internal and the base CRD. A refusal that `check` had not
//! announced is a failure.
//!
//! `CARRIER_INSTANCES` says under how many random exposures this is done (40), `CARRIER_SEED` which ones (1),
//! `CARRIER_CRDS` of which CRDs (all).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use carrier::derivation::{Derived, internal};
use carrier::diagnostic::Diagnostic;
use carrier::names::ClusterId;
use carrier::paths::{Exposed as Visible, FieldPath, PathSet, Segment};
use futures::StreamExt;
use kube::Client;
use serde_json::{Value, json};

use super::derived_crds::{AT_ONCE, CRDS, Refusal, send};
use crate::corpus::exposures::{self, Case as Exposed};
use crate::corpus::random::Random;
use crate::corpus::{self, Crd, instances};
use crate::support::{Case, ControlPlanes, TestResult, cases};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![instances_of_small_crds_come_through, instances_of_real_crds_come_through[corpus::is_here]]
        .into_iter()
        .map(|c| c.within(Duration::from_hours(4)))
        .collect()
}

/// A CRD that the server serves.
#[derive(Clone)]
struct Served {
    path: String,
    api_version: String,
    kind: String,
}

impl Served {
    /// Creates a CRD and waits until its objects can be made.
    async fn create(client: &Client, crd: &Value) -> Result<Self, String> {
        let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (group, plural, kind) = (text("/spec/group"), text("/spec/names/plural"), text("/spec/names/kind"));
        let versions = crd["spec"]["versions"].as_array().ok_or("no versions")?;
        let version = versions.iter().find(|v| v["storage"] == true).ok_or("no storage version")?["name"].as_str();
        let version = version.unwrap_or_default();
        send(client, "POST", CRDS, crd).await.map_err(|r| r.message)?;
        let path = format!("/apis/{group}/{version}/namespaces/default/{plural}");
        for _ in 0..600 {
            if send(client, "GET", &format!("{path}?limit=1"), &Value::Null).await.is_ok() {
                return Ok(Self { path, api_version: format!("{group}/{version}"), kind });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("{plural}.{group} is not served after 30 s"))
    }

    /// Creates an object as a dry run: what the server would have stored, or why not.
    async fn accepts(&self, client: &Client, object: &Value) -> Result<Value, Refusal> {
        let mut object = object.clone();
        object["apiVersion"] = Value::from(self.api_version.as_str());
        object["kind"] = Value::from(self.kind.as_str());
        let name = object.pointer("/metadata/name").cloned().unwrap_or_else(|| json!("example"));
        object["metadata"] = json!({ "name": name });
        send(client, "POST", &format!("{}?dryRun=All", self.path), &object).await
    }
}

/// The copies of one version of a CRD in which everything is enforced.
#[derive(Clone)]
struct Sources {
    internal: Served,
    base: Served,
}

/// What is counted and complained of.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    failures: BTreeMap<String, Vec<String>>,
    excused: BTreeMap<String, usize>,
}

impl Tally {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

/// What a refusal is about, as far as diagnostics tell such things apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    Required,
    Union,
    Rule,
    Count,
    Duplicate,
    Format,
    Other,
}

fn cause(message: &str) -> Cause {
    let has = |words: &[&str]| words.iter().any(|w| message.contains(w));
    let union = [
        "must validate one and only one schema",
        "must validate at least one schema",
        "must not validate the schema",
        "must validate all the schemas",
    ];
    if has(&union) {
        Cause::Union
    } else if has(&["boundary value must be of type integer"]) {
        Cause::Format
    } else if has(&["Required value"]) {
        Cause::Required
    } else if has(&["should have at least", "should have at most", "Too many: "]) {
        Cause::Count
    } else if has(&["Duplicate value"]) {
        Cause::Duplicate
    } else if has(&["Invalid value"]) {
        // The text of a CEL rule's message is the author's own.
        Cause::Rule
    } else {
        Cause::Other
    }
}

/// The codes that announce a refusal on the way down.
fn announcing(cause: Cause) -> &'static [&'static str] {
    match cause {
        Cause::Required => &["CAR0310"],
        Cause::Union => &["CAR0311", "CAR0318"],
        Cause::Rule => &["CAR0312", "CAR0326", "CAR0318", "CAR0355"],
        Cause::Count => &["CAR0319", "CAR0311"],
        Cause::Duplicate => &["CAR0321"],
        // The base CRD itself refuses every instance, from Kubernetes 1.36 on.
        Cause::Format => &["CAR0327"],
        Cause::Other => &[],
    }
}

/// Instances that a CRD accepts (`samples`) or refuses (`samples-rejected`), with their files' names.
/// Those of the small CRDs are none.
fn samples(folder: &str, crd: &Crd) -> Vec<(String, Value)> {
    let folder = corpus::folder().join(folder).join(&crd.stem);
    let files = corpus::files(&folder);
    files.iter().flat_map(|p| corpus::read_yaml(p).into_iter().map(|v| (corpus::stem(p), v))).collect()
}

/// The version that an instance is written in.
fn version_of(instance: &Value) -> &str {
    let api_version = instance.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    api_version.rsplit('/').next().unwrap_or_default()
}

async fn instances_of_small_crds_come_through() -> TestResult {
    instances_come_through(corpus::small()).await
}

async fn instances_of_real_crds_come_through() -> TestResult {
    instances_come_through(corpus::crds()).await
}

async fn instances_come_through(crds: Vec<Crd>) -> TestResult {
    let crds: &'static [Crd] = crds.leak();
    let planes = ControlPlanes::builder().priority_and_fairness(false).start(&["management"]).await?;
    let client = planes["management"].client();
    let (seed, count) = (corpus::number("CARRIER_SEED", 1), corpus::number("CARRIER_INSTANCES", 40));
    let started = Instant::now();

    let whole: Vec<_> = exposures::whole(crds);
    let sources: HashMap<(String, String), Sources> = futures::stream::iter(whole.iter().enumerate())
        .map(|(n, case)| {
            let client = client.clone();
            async move {
                let target = ClusterId::new("p", format!("i{n}"));
                let internal = internal(&case.crd.source, &target, case.version);
                let base = base(case, n);
                let internal = Served::create(&client, &internal).await;
                let base = Served::create(&client, &base).await;
                let made = Sources { internal: internal.expect("it is created"), base: base.expect("it is created") };
                ((case.crd.stem.clone(), case.version.name.clone()), made)
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    eprintln!("{} internal and base CRDs are served after {:.0} s", sources.len(), started.elapsed().as_secs_f64());

    let tally = Arc::new(Mutex::new(Tally::default()));
    let sources = Arc::new(sources);
    let all: Vec<_> = whole.into_iter().map(Ok).chain((0..count).map(Err)).collect();
    let total = all.len();
    let started = Instant::now();
    futures::stream::iter(all.into_iter().enumerate())
        .map(|(n, case)| {
            let (client, tally, sources) = (client.clone(), Arc::clone(&tally), Arc::clone(&sources));
            async move {
                let case = match case {
                    Ok(case) => case,
                    Err(n) => chosen(crds, seed, n).await,
                };
                let sources = &sources[&(case.crd.stem.clone(), case.version.name.clone())];
                one(&client, n, &case, sources, &tally).await;
            }
        })
        .buffer_unordered(AT_ONCE)
        .for_each(async |()| {})
        .await;

    let tally = tally.lock().expect("nobody panicked");
    eprintln!("{total} exposures, seed {seed}, {:.0} s", started.elapsed().as_secs_f64());
    for (what, count) in &tally.counts {
        eprintln!("  {count:6} {what}");
    }
    for (why, count) in &tally.excused {
        eprintln!("  announced: {count:6} {why}");
    }
    // One failure an exposure tells enough.
    let shown = tally.failures.iter().map(|(case, all)| format!("{case}\n{} (and {} more)", all[0], all.len() - 1));
    let shown: Vec<String> = shown.take(30).collect();
    assert!(shown.is_empty(), "{} exposures with failures:\n{}", tally.failures.len(), shown.join("\n"));
    Ok(())
}

/// A random exposure that compiles: what is required is exposed too.
async fn chosen(crds: &'static [Crd], seed: u64, n: u64) -> Exposed<'static> {
    let choose =
        move || exposures::fulfillable(exposures::random(crds, seed ^ 0x1575, n), &mut Random::new(seed ^ 0x1575, !n));
    tokio::task::spawn_blocking(choose).await.expect("choosing does not panic")
}

/// The base CRD with the one version that is looked at, in a group of its own.
fn base(case: &Exposed<'_>, n: usize) -> Value {
    let mut crd = case.crd.manifest.clone();
    let plural = case.crd.source.plural.clone();
    let group = format!("b{n}.example.com");
    crd["metadata"] = json!({"name": format!("{plural}.{group}")});
    let spec = &mut crd["spec"];
    spec["group"] = Value::from(group);
    spec["scope"] = Value::from("Namespaced");
    spec.as_object_mut().expect("a spec is an object").remove("conversion");
    spec["names"].as_object_mut().expect("names are an object").retain(|k, _| k != "shortNames" && k != "categories");
    let versions = spec["versions"].as_array_mut().expect("versions are a list");
    versions.retain(|v| v["name"] == case.version.name.as_str());
    versions[0]["storage"] = Value::Bool(true);
    crd.as_object_mut().expect("a CRD is an object").remove("status");
    crd
}

async fn one(client: &Client, n: usize, case: &Exposed<'_>, sources: &Sources, tally: &Mutex<Tally>) {
    let cluster = format!("c{n}");
    let target = ClusterId::new("p", cluster);
    let (Some(derived), said) = case.derive(&target) else {
        tally
            .lock()
            .expect("nobody panicked")
            .failures
            .entry(case.describe())
            .or_default()
            .push("nothing was derived".to_owned());
        return;
    };
    let served = match Served::create(client, &derived.crd).await {
        Ok(served) => served,
        Err(message) => {
            tally.lock().expect("nobody panicked").failures.entry(case.describe()).or_default().push(message);
            return;
        }
    };
    let errand = Errand { client, case, sources, tally, derived: &derived, served: &served, said: &said };
    for (name, sample) in samples("samples", case.crd) {
        if version_of(&sample) == case.version.name {
            errand.sample(&name, &sample).await;
        }
    }
    for (name, sample) in samples("samples-rejected", case.crd) {
        if version_of(&sample) == case.version.name {
            errand.rejected(&name, &sample).await;
        }
    }
    let schema = derived.crd.pointer("/spec/versions/0/schema/openAPIV3Schema").cloned().unwrap_or_default();
    for k in 0..4 {
        let instance = instances::object(&schema, &mut Random::new(n as u64, k));
        match served.accepts(client, &instance).await {
            Ok(stored) => {
                errand.count("random instances accepted by the derived CRD");
                errand.down("a random instance", &stored).await;
            }
            Err(_) => errand.count("random instances refused by the derived CRD"),
        }
    }
    let name = derived.crd["metadata"]["name"].as_str().unwrap_or_default();
    let _ = send(client, "DELETE", &format!("{CRDS}/{name}"), &Value::Null).await;
}

struct Errand<'a> {
    client: &'a Client,
    case: &'a Exposed<'a>,
    sources: &'a Sources,
    tally: &'a Mutex<Tally>,
    derived: &'a Derived,
    served: &'a Served,
    said: &'a [Diagnostic],
}

impl Errand<'_> {
    fn count(&self, what: &'static str) {
        self.tally.lock().expect("nobody panicked").count(what);
    }

    fn fail(&self, what: &str, object: &Value, message: &str) {
        let message: String = message.chars().take(500).collect();
        let object: String = object.to_string().chars().take(700).collect();
        let text = format!("  {what}: {message}\n    {object}");
        self.tally.lock().expect("nobody panicked").failures.entry(self.case.describe()).or_default().push(text);
    }

    fn excuse(&self, why: String) {
        *self.tally.lock().expect("nobody panicked").excused.entry(why).or_default() += 1;
    }

    /// A sample of the CRD, cut down to what is visible, is accepted by the derived one.
    async fn sample(&self, name: &str, sample: &Value) {
        // Kubernetes v1.37 judges; a sample that it does not accept says nothing.
        if let Err(refusal) = self.sources.base.accepts(self.client, sample).await {
            self.count("samples that the base CRD refuses");
            if std::env::var_os("CARRIER_VERBOSE").is_some() {
                eprintln!("{} {name}: {}", self.case.crd.stem, refusal.message.chars().take(300).collect::<String>());
            }
            return;
        }
        let mut visible = self.derived.projection.down.project(sample);
        visible["metadata"] =
            json!({"name": sample.pointer("/metadata/name").cloned().unwrap_or_else(|| json!("example"))});
        match self.served.accepts(self.client, &visible).await {
            Ok(stored) => {
                self.count("samples accepted by the derived CRD");
                self.down(name, &stored).await;
            }
            Err(refusal) => {
                self.count("samples refused by the derived CRD");
                match not_expressible(&refusal) {
                    Some(why) => self.excuse(format!("not expressible: {why}")),
                    None => self.fail(&format!("sample {name} refused by the derived CRD"), &visible, &refusal.message),
                }
            }
        }
    }

    /// What the derived CRD accepted is accepted where everything is enforced.
    async fn down(&self, what: &str, stored: &Value) {
        let mut object = self.derived.projection.project_down(stored);
        object["metadata"] = json!({"name": stored.pointer("/metadata/name")});
        for (place, source) in [("internal", &self.sources.internal), ("base", &self.sources.base)] {
            match source.accepts(self.client, &object).await {
                Ok(_) => self.count(if place == "base" {
                    "accepted by the base CRD"
                } else {
                    "accepted by the internal CRD"
                }),
                Err(refusal) => {
                    self.count(if place == "base" { "refused by the base CRD" } else { "refused by the internal CRD" });
                    match self.announced(&refusal) {
                        Some(code) => self.excuse(format!("{code} {:?}", cause(&refusal.message))),
                        None => self.fail(
                            &format!("{what} refused by the {place} CRD, unannounced"),
                            &object,
                            &refusal.message,
                        ),
                    }
                }
            }
        }
    }

    /// The diagnostic that announced a refusal. Every cause of it must have been announced.
    fn announced(&self, refusal: &Refusal) -> Option<String> {
        let mut codes = Vec::new();
        let counts = |(_, message): &&(String, String)| !message.contains("some validation rules were not checked");
        let causes: Vec<&(String, String)> = refusal.causes.iter().filter(counts).collect();
        let union = causes.iter().any(|(_, m)| cause(m) == Cause::Union);
        for (field, message) in causes {
            let cause = cause(message);
            if cause == Cause::Required && union {
                // The server also says what each branch of a union lacks.
                continue;
            }
            let expected = announcing(cause);
            // A union's fault has no place of its own; that of a rule is its node, or a field below it.
            let named = |d: &&Diagnostic| match field_path(field) {
                Some(path) if cause == Cause::Required => d.message.contains(&format!("`{path}`")),
                Some(path) => {
                    (0..=path.0.len()).any(|n| d.message.contains(&format!("`{}`", FieldPath(path.0[..n].to_vec()))))
                }
                None => true,
            };
            let told = |d: &&Diagnostic| expected.contains(&d.code.id) && named(d);
            codes.push(self.said.iter().find(told)?.code.id);
        }
        codes.sort_unstable();
        codes.dedup();
        (!codes.is_empty()).then(|| codes.join(" "))
    }

    /// A sample that the CRD refuses for a visible field is refused by the derived CRD.
    async fn rejected(&self, name: &str, sample: &Value) {
        let Err(refusal) = self.sources.base.accepts(self.client, sample).await else {
            self.count("rejected samples that the base CRD accepts");
            return;
        };
        // What the catalog gives a default is not missing any more; too many fields are not, once some are cut away.
        let given = |p: &FieldPath| self.case.defaults.iter().any(|(d, _)| d.is_prefix_of(p) || p.is_prefix_of(d));
        let down = &self.derived.projection.down;
        let shown = |(field, message): &(String, String)| {
            field_path(field).is_some_and(|p| match cause(message) {
                Cause::Count => is_whole(down, &p),
                _ => down.shows(&p) && !given(&p),
            })
        };
        if !refusal.causes.iter().any(shown) {
            self.count("rejected samples whose fault is hidden");
            return;
        }
        let mut visible = self.derived.projection.down.project(sample);
        visible["metadata"] = json!({"name": "example"});
        match self.served.accepts(self.client, &visible).await {
            Err(_) => self.count("rejected samples refused by the derived CRD"),
            Ok(_) => {
                self.count("rejected samples accepted by the derived CRD");
                match self.announced(&refusal) {
                    Some(code) => self.excuse(format!("{code} (rejected sample)")),
                    None => self.fail(&format!("rejected sample {name} accepted"), &visible, &refusal.message),
                }
            }
        }
    }
}

/// Why a sample cannot be said in the visible part: it uses a member of a union that is hidden.
fn not_expressible(refusal: &Refusal) -> Option<String> {
    match cause(&refusal.message) {
        Cause::Union => Some("a hidden member of a union (oneOf, anyOf)".to_owned()),
        Cause::Count => Some("a hidden member of a union (minProperties)".to_owned()),
        _ => None,
    }
}

/// Whether everything at a path is visible.
fn is_whole(set: &PathSet, path: &FieldPath) -> bool {
    let mut set = set;
    for segment in path.segments() {
        match set.child(segment) {
            Visible::Hidden => return false,
            Visible::Whole => return true,
            Visible::Partial(next) => set = next,
        }
    }
    false
}

/// The path of a field as the server spells it: `spec.listeners[0].port`.
fn field_path(field: &str) -> Option<FieldPath> {
    let mut path = FieldPath::default();
    for part in field.split('.') {
        let (name, rest) = part.split_once('[').map_or((part, ""), |(n, r)| (n, r));
        if !name.is_empty() && name != "<nil>" {
            path.0.push(Segment::Property(name.to_owned()));
        }
        if !rest.is_empty() {
            path.0.extend(rest.split('[').map(|_| Segment::Items));
        }
    }
    (!path.0.is_empty()).then_some(path)
}
