//! Carrier's verdict: a repository that offers one CRD, and the commands `lock --from`, `check` and `render` in it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use carrier::diagnostic::Diagnostics;
use carrier::program::{Env, Exit, Ui};
use carrier::source::FileId;
use serde_json::{Value, json};

use super::hand::text;

/// What is offered of a CRD.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Offer {
    pub versions: Vec<String>,
    pub fields: Vec<String>,
    pub defaults: Vec<(String, Value)>,
    pub presets: Vec<(String, Value)>,
}

/// A diagnostic.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub code: String,
    pub is_error: bool,
    pub is_warning: bool,
    /// Whether it names a file and a line.
    pub placed: bool,
    pub message: String,
    pub help: String,
}

/// What carrier says of a CRD.
#[derive(Debug, Clone, Default)]
pub(super) struct Judged {
    pub found: Vec<Found>,
    /// The internal and the derived CRD; empty where there are errors.
    pub rendered: Vec<Value>,
    /// The CRD as it was locked.
    pub snapshot: Option<Value>,
    /// Its file.
    pub locked: Option<String>,
    /// What must never happen: a panic, an error without a diagnostic.
    pub bug: Option<String>,
}

impl Judged {
    /// Whether it refuses.
    pub(super) fn has_errors(&self) -> bool {
        self.found.iter().any(|found| found.is_error)
    }

    /// The paths that the help for a choice that cannot be met asks for.
    pub(super) fn asked_for(&self) -> Vec<String> {
        let unmet = self.found.iter().filter(|found| matches!(found.code.as_str(), "CAR0310" | "CAR0311"));
        unmet
            .filter_map(|found| found.help.split("`- jsonPath: ").nth(1)?.split('`').next().map(str::to_owned))
            .collect()
    }
}

const REPOSITORY: &str = "\
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: team-a}
spec:
  metadata: {displayName: Team A, shortDescription: A team}
  roles: [Provider]
  subjects: [{kind: User, name: a, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: team-b}
spec:
  metadata: {displayName: Team B, shortDescription: A team}
  roles: [Tenant]
  subjects: [{kind: User, name: b, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: kubecarrier.io/v1alpha1
kind: ServiceCluster
metadata: {name: eu, namespace: team-a}
spec:
  metadata: {displayName: Europe}
  kubeconfigSecret: {name: eu}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Catalog
metadata: {name: default, namespace: team-a}
spec: {catalogEntrySelector: {}, tenantSelector: {}}
";

/// The stack of the main thread on Linux: the program must do with it.
const STACK: usize = 8 << 20;

/// A repository in a temporary folder, used for one CRD after the other.
#[derive(Clone)]
pub(super) struct Shop {
    folder: Arc<tempfile::TempDir>,
}

impl Shop {
    pub(super) fn new() -> std::io::Result<Self> {
        let folder = Arc::new(tempfile::tempdir()?);
        let shop = Self { folder };
        fs::create_dir_all(shop.root())?;
        fs::write(shop.root().join("carrier.yaml"), "")?;
        fs::write(shop.root().join("team.yaml"), REPOSITORY)?;
        Ok(shop)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// What carrier says of a CRD and an offer of it.
    pub(super) async fn judge(&self, crd: &Value, offer: &Offer) -> Judged {
        let (shop, crd, offer) = (self.clone(), crd.clone(), offer.clone());
        let judged = tokio::task::spawn_blocking(move || {
            let thread = std::thread::Builder::new().stack_size(STACK);
            match thread.spawn(move || shop.judge_here(&crd, &offer)).map(std::thread::JoinHandle::join) {
                Ok(Ok(Ok(judged))) => judged,
                Ok(Ok(Err(error))) => {
                    Judged { bug: Some(format!("the test cannot write: {error}")), ..Judged::default() }
                }
                Ok(Err(panic)) => {
                    let words = panic.downcast_ref::<String>().cloned();
                    let words = words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    Judged { bug: Some(format!("panic: {}", words.unwrap_or_default())), ..Judged::default() }
                }
                Err(error) => Judged { bug: Some(format!("no thread: {error}")), ..Judged::default() },
            }
        });
        judged.await.expect("the thread inside catches panics")
    }

    /// Locks the same CRD from the cluster that has it. The file, or what the command says.
    pub(super) async fn lock_cluster(&self, kubeconfig: &Path, name: &str) -> Result<String, String> {
        let (shop, kubeconfig, name) = (self.clone(), kubeconfig.display().to_string(), name.to_owned());
        let locked = tokio::task::spawn_blocking(move || {
            let root = shop.root();
            let access = json!({"kubeconfig": kubeconfig, "context": "management"});
            let settings = json!({"management": access, "serviceClusters": {"team-a/eu": access}});
            fs::write(root.join("carrier.yaml"), settings.to_string()).map_err(|error| error.to_string())?;
            let _ = fs::remove_dir_all(root.join("snapshots"));
            let _ = fs::remove_file(root.join("carrier.lock"));
            let ran = run(&root, &["-q", "lock"]);
            fs::write(root.join("carrier.yaml"), "").map_err(|error| error.to_string())?;
            fs::read_to_string(root.join(format!("snapshots/team-a/eu/{name}.yaml"))).map_err(|_| ran.err)
        });
        locked.await.unwrap_or_else(|panic| Err(format!("panic: {panic}")))
    }

    fn judge_here(&self, crd: &Value, offer: &Offer) -> std::io::Result<Judged> {
        let root = self.root();
        let name = crd.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("things.example.com");
        let _ = fs::remove_dir_all(root.join("snapshots"));
        let _ = fs::remove_file(root.join("carrier.lock"));
        fs::write(self.folder.path().join("release.yaml"), text(crd))?;
        fs::write(root.join("set.yaml"), text(&set(name, offer)))?;
        let mut judged = Judged::default();
        let lock = run(&root, &["-q", "lock", "--from", "../release.yaml"]);
        let of_lock = blocks(&lock.err);
        if lock.exit != Exit::Fine && !of_lock.iter().any(|found| found.is_error) {
            judged.bug = Some(format!("`lock` ends with {:?} and no diagnostic: {}", lock.exit, lock.err));
        }
        let snapshot = root.join(format!("snapshots/team-a/eu/{name}.yaml"));
        let Ok(locked) = fs::read_to_string(&snapshot) else {
            judged.found = of_lock;
            return Ok(judged);
        };
        judged.snapshot = read(&locked).into_iter().next();
        judged.locked = Some(locked);
        let check = run(&root, &["check", "-o", "json"]);
        judged.found = entries(&check.out);
        for found in of_lock {
            if !judged.found.iter().any(|known| known.code == found.code) {
                judged.found.push(found);
            }
        }
        let failed = judged.found.iter().any(|found| found.is_error);
        if (check.exit != Exit::Fine) && !failed {
            judged.bug =
                Some(format!("`check` ends with {:?} and no diagnostic: {}{}", check.exit, check.out, check.err));
        }
        if !failed {
            let render = run(&root, &["-q", "render", "--stdout"]);
            if render.exit != Exit::Fine {
                judged.bug =
                    Some(format!("`check` is content and `render` ends with {:?}: {}", render.exit, render.err));
            }
            for document in render.out.split("\n---\n").filter(|text| text.contains("kind: CustomResourceDefinition")) {
                let ours = |crd: &Value| {
                    crd.pointer("/spec/group").and_then(Value::as_str).is_some_and(|group| group.ends_with("eu.team-a"))
                };
                if document.contains("eu.team-a") {
                    judged.rendered.extend(read(document).into_iter().filter(ours));
                }
            }
            if judged.rendered.len() != 2 && judged.bug.is_none() {
                judged.bug = Some(format!("{} CRDs are rendered, not 2", judged.rendered.len()));
            }
        }
        Ok(judged)
    }
}

/// How a command ended.
struct Ran {
    exit: Exit,
    out: String,
    err: String,
}

fn run(root: &Path, arguments: &[&str]) -> Ran {
    let arguments: Vec<OsString> = ["carrier"].iter().chain(arguments).map(OsString::from).collect();
    let env = Env { directory: root.to_owned(), ..Env::default() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = carrier::program::run(&arguments, &env, &mut Ui::new(&mut out, &mut err));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { exit, out: text(out), err: text(err) }
}

/// The set that offers the CRD. JSON is YAML, too.
fn set(name: &str, offer: &Offer) -> Value {
    let fields: Vec<Value> = offer.fields.iter().map(|path| json!({"jsonPath": path})).collect();
    let values = |list: &[(String, Value)]| -> Vec<Value> {
        list.iter().map(|(path, value)| json!({"jsonPath": path, "value": value})).collect()
    };
    let mut item = json!({"versions": offer.versions});
    for (key, list) in [("fields", fields), ("defaults", values(&offer.defaults)), ("presets", values(&offer.presets))]
    {
        if !list.is_empty() {
            item[key] = json!(list);
        }
    }
    json!({
        "apiVersion": "catalog.kubecarrier.io/v1alpha1", "kind": "CatalogEntrySet",
        "metadata": {"name": "thing", "namespace": "team-a"},
        "spec": {
            "metadata": {"displayName": "Thing", "shortDescription": "A thing"},
            "discover": {"crd": {"name": name}, "serviceClusterSelector": {}},
            "derive": {"expose": [item]},
        },
    })
}

/// The documents of a text that carrier wrote.
fn read(text: &str) -> Vec<Value> {
    let mut diagnostics = Diagnostics::default();
    carrier::text::read(FileId(0), text, &mut diagnostics).iter().map(|document| document.root.to_json()).collect()
}

/// The diagnostics of the JSON document.
fn entries(out: &str) -> Vec<Found> {
    let document: Value = serde_json::from_str(out).unwrap_or_default();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let all = document["diagnostics"].as_array().into_iter().flatten();
    all.map(|entry| Found {
        code: text(entry, "code"),
        is_error: entry["severity"] == "error",
        is_warning: entry["severity"] == "warning",
        placed: entry["file"].is_string() && entry["line"].is_u64(),
        message: text(entry, "message"),
        help: text(entry, "help"),
    })
    .collect()
}

/// The diagnostics of the text for people.
fn blocks(err: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for line in err.lines() {
        let head = line
            .strip_prefix("error")
            .map(|rest| (true, rest))
            .or_else(|| line.strip_prefix("warning").map(|rest| (false, rest)));
        if let Some((is_error, rest)) = head
            && let Some((code, message)) = rest
                .strip_prefix('[')
                .and_then(|rest| rest.split_once("]: "))
                .or_else(|| Some(("", rest.strip_prefix(": ")?)))
        {
            let (code, message) = (code.to_owned(), message.to_owned());
            found.push(Found { code, is_error, is_warning: !is_error, placed: false, message, help: String::new() });
        } else if let Some(last) = found.last_mut() {
            last.placed |= line.contains("─[");
            if let Some(help) = line.trim_start().strip_prefix("help: ") {
                help.clone_into(&mut last.help);
            }
        }
    }
    found
}
