//! `carrier lock` against real clusters: every way in, and every way in which a
//! cluster can fail without taking the others with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::common::example;
use crate::corpus;
use crate::support::{Case, ControlPlane, ControlPlanes, TestResult, USUAL, cases, eventually, shared};
use carrier::locking::strip;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        every_way_in_gives_the_same_bytes,
        a_kubeconfig_from_a_secret_is_held_short,
        one_cluster_fails_and_the_other_goes_on,
        without_the_management_cluster_the_rest_goes_on,
        a_cluster_that_has_moved_on,
        an_interrupted_lock_writes_nothing,
        a_small_crd_of_a_file_is_the_one_that_a_server_says,
        a_real_crd_of_a_file_is_the_one_that_a_server_says[corpus::is_here],
    ]
}

/// What must never be printed: it stands in kubeconfigs only.
const TOKEN: &str = "hunter2-not-a-token";
const SNAPSHOTS: [&str; 2] =
    ["snapshots/team-a/eu-west-1/things.example.com.yaml", "snapshots/team-a/eu-west-2/things.example.com.yaml"];

/// How a command ended.
struct Ran {
    exit: i32,
    out: String,
    err: String,
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--- exit {}\n--- stdout\n{}\n--- stderr\n{}", self.exit, self.out, self.err)
    }
}

const USER: &str = "/users/0/user";
const CLUSTER: &str = "/clusters/0/cluster";
const CERTIFICATE: &str = "/users/0/user/client-certificate-data";
const KEY: &str = "/users/0/user/client-key-data";
const AUTHORITY: &str = "/clusters/0/cluster/certificate-authority-data";

fn read_kubeconfig(path: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Takes a key of a kubeconfig away and puts others there.
fn put(kubeconfig: &mut Value, at: &str, without: &[&str], with: &Value) {
    let map = kubeconfig.pointer_mut(at).unwrap().as_object_mut().unwrap();
    map.retain(|key, _| !without.contains(&key.as_str()));
    map.extend(with.as_object().unwrap().clone());
}

/// Three clusters, the two service clusters with the CRD, and a repository that offers it from both.
struct Scene {
    planes: ControlPlanes,
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Scene {
    async fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let planes = ControlPlanes::start(&USUAL).await?;
        for name in &USUAL[1..] {
            planes[name].kubectl_with(&["create", "-f", "-"], example::CRD).await?;
        }
        planes["management"].kubectl(&["create", "namespace", "team-a"]).await?;
        let folder = tempfile::tempdir()?;
        let scene = Self { planes, folder, variables: BTreeMap::new() };
        scene.repository("repo").await;
        Ok(scene)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    async fn repository(&self, name: &str) -> PathBuf {
        let made = self.run(self.folder.path(), &["-q", "init", name]).await;
        assert_eq!(made.exit, 0, "{made}");
        let root = self.folder.path().join(name);
        example::offer(&root, &[".spec.size", ".spec.image", ".status"]);
        fs::remove_dir_all(root.join("snapshots")).unwrap();
        let first = fs::read_to_string(root.join("clusters/eu-west-1.yaml")).unwrap();
        fs::write(root.join("clusters/eu-west-2.yaml"), first.replace("eu-west-1", "eu-west-2")).unwrap();
        root
    }

    /// The kubeconfig of an admin of a control plane.
    fn kubeconfig(&self, plane: &str) -> Value {
        read_kubeconfig(self.planes[plane].kubeconfig_path())
    }

    /// Writes carrier.yaml: both service clusters by kubeconfig files, the second by this one.
    fn settings(&self, second: &Path) {
        self.settings_of(&format!("{{kubeconfig: {}}}", second.display()));
    }

    fn settings_of(&self, second: &str) {
        let path = |plane: &str| self.planes[plane].kubeconfig_path().display().to_string();
        let text = format!(
            "management:\n  kubeconfig: {}\n  context: management\nserviceClusters:\n  \
             team-a/eu-west-1: {{kubeconfig: {}, context: eu-west-1}}\n  team-a/eu-west-2: {second}\n",
            path("management"),
            path("eu-west-1")
        );
        fs::write(self.root().join("carrier.yaml"), text).unwrap();
    }

    /// The kubeconfig of an admin of the second cluster, changed.
    fn second(&self, change: impl Fn(&mut Value)) -> Value {
        let mut kubeconfig = self.kubeconfig("eu-west-2");
        change(&mut kubeconfig);
        kubeconfig
    }

    /// Puts a kubeconfig into the Secret of a cluster.
    async fn secret(&self, cluster: &str, key: &str, text: &str) -> TestResult {
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {cluster}, namespace: team-a}}\ndata: {{{key}: {}}}\n",
            BASE64_STANDARD.encode(text)
        );
        self.planes["management"].kubectl_with(&["apply", "-f", "-"], &secret).await?;
        Ok(())
    }

    fn command(&self, directory: &Path, args: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_carrier"));
        command.args(args).current_dir(directory).env_clear().env("HOME", self.folder.path()).envs(&self.variables);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    async fn run(&self, directory: &Path, args: &[&str]) -> Ran {
        let output = self.command(directory, args).output().await.unwrap();
        let ran = Ran {
            exit: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        let both = format!("{}{}", ran.out, ran.err);
        assert!(!both.contains("panicked") && !both.contains("bug"), "{ran}");
        for plane in self.planes.iter() {
            let kubeconfig = self.kubeconfig(plane.name());
            for secret in [CERTIFICATE, KEY, AUTHORITY] {
                let value = kubeconfig.pointer(secret).unwrap().as_str().unwrap();
                assert!(value.len() > 40 && !both.contains(&value[..40]), "a kubeconfig is printed: {ran}");
            }
        }
        assert!(!both.contains(TOKEN) && !both.contains("BEGIN CERT"), "a credential is printed: {ran}");
        ran
    }

    async fn lock(&self, args: &[&str]) -> Ran {
        self.run(&self.root(), &[&["lock"], args].concat()).await
    }

    /// Removes what was locked. The identity of the repository stays: without it every lock would make another.
    fn forget(&self) {
        let _ = fs::remove_dir_all(self.root().join("snapshots"));
        let lock = self.root().join("carrier.lock");
        let text = fs::read_to_string(&lock).unwrap();
        let identity = text.lines().find(|line| line.starts_with("repository: ")).unwrap();
        fs::write(lock, format!("version: 1\n{identity}\n")).unwrap();
    }

    fn locked(&self) -> BTreeMap<PathBuf, String> {
        locked(&self.root())
    }

    fn has(&self, snapshot: &str) -> bool {
        self.root().join(snapshot).exists()
    }
}

/// All that `carrier lock` writes.
fn locked(root: &Path) -> BTreeMap<PathBuf, String> {
    let files = ["carrier.lock", SNAPSHOTS[0], SNAPSHOTS[1]].map(PathBuf::from);
    files.into_iter().filter_map(|file| Some((file.clone(), fs::read_to_string(root.join(file)).ok()?))).collect()
}

/// The place and the rest of a diagnostic: what is between its head and the next empty line.
fn block<'a>(ran: &'a Ran, code: &str) -> &'a str {
    let start = ran.err.find(&format!("[{code}]")).unwrap_or_else(|| panic!("no {code}: {ran}"));
    ran.err[start..].split("\n\n").next().unwrap()
}

async fn uid(plane: &ControlPlane) -> String {
    let path = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
    plane.kubectl(&path).await.unwrap()
}

async fn every_way_in_gives_the_same_bytes() -> TestResult {
    let mut scene = Scene::new().await?;
    scene.settings(scene.planes["eu-west-2"].kubeconfig_path());

    // By file and context.
    let first = scene.lock(&[]).await;
    assert_eq!(first.exit, 0, "{first}");
    for part in
        ["management\n  cluster    UID ", "team-a/eu-west-1\n  cluster    Kubernetes 1.", "  namespace  team-b-"]
    {
        assert!(first.out.contains(part), "{part}: {first}");
    }
    assert_eq!(first.out.matches("  added      things.example.com  v1 (stored)").count(), 2, "{first}");
    assert!(first.err.contains("wrote carrier.lock; CRDs: 2 added\nnext: run `carrier check`"), "{first}");
    let files = scene.locked();
    assert_eq!(files.len(), 3);
    let lock = &files[Path::new("carrier.lock")];
    for plane in scene.planes.iter() {
        assert!(lock.contains(&format!("uid: {}\n", uid(plane).await)), "{lock}");
    }
    assert!(lock.contains("origin: cluster") && lock.contains("server: \"1."), "{lock}");
    assert!(!lock.contains("127.0.0.1"), "no address: {lock}");
    let snapshot = &files[Path::new(SNAPSHOTS[0])];
    assert!(!snapshot.contains("managedFields") && !snapshot.contains("resourceVersion"), "{snapshot}");
    assert!(!snapshot.contains("\nstatus:"), "{snapshot}");

    let again = scene.lock(&[]).await;
    assert_eq!((again.exit, again.out.as_str()), (0, ""), "{again}");
    assert!(again.err.contains("nothing to change; CRDs: 2 unchanged"), "{again}");
    let check = scene.lock(&["--check"]).await;
    assert!(check.exit == 0 && check.err.contains("nothing would change"), "{check}");
    assert_eq!(scene.locked(), files);
    let strict = scene.run(&scene.root(), &["check", "--locked"]).await;
    assert_eq!(strict.exit, 0, "{strict}");

    // By environment; the management cluster as kubectl finds it.
    let management = scene.planes["management"].kubeconfig_path().display().to_string();
    scene.variables.insert("KUBECONFIG".to_owned(), management);
    for plane in &USUAL[1..] {
        scene.variables.insert(plane.replace('-', "_").to_uppercase(), scene.kubeconfig(plane).to_string());
    }
    scene.forget();
    let by_environment =
        "serviceClusters:\n  team-a/eu-west-1: {env: EU_WEST_1}\n  team-a/eu-west-2: {env: EU_WEST_2}\n";
    fs::write(scene.root().join("carrier.yaml"), by_environment)?;
    let ran = scene.lock(&[]).await;
    assert_eq!((ran.exit, scene.locked()), (0, files.clone()), "{ran}");

    // By the Secrets of the ServiceClusters, which is what happens where nothing is said; the other keys count too.
    scene.forget();
    fs::write(scene.root().join("carrier.yaml"), "")?;
    scene.secret("eu-west-1", "kubeconfig", &scene.kubeconfig("eu-west-1").to_string()).await?;
    scene.secret("eu-west-2", "value", &scene.kubeconfig("eu-west-2").to_string()).await?;
    let refused = scene.lock(&[]).await;
    assert_eq!(refused.exit, 4, "{refused}");
    assert_eq!(refused.err.matches("error[CAR0610]").count(), 2, "{refused}");
    assert!(block(&refused, "CAR0610").contains("points at this machine"), "{refused}");
    assert!(block(&refused, "CAR0610").contains("clusters/eu-west-1.yaml:"), "{refused}");
    assert!(scene.locked().len() == 1 && !scene.has(SNAPSHOTS[0]), "only the management cluster's UID");
    scene.forget();
    let ran = scene.lock(&["--allow-loopback"]).await;
    assert_eq!((ran.exit, scene.locked()), (0, files), "{ran}");
    scene.settings(scene.planes["eu-west-2"].kubeconfig_path());
    by_plural(&scene).await
}

/// A CatalogEntry that was written by hand tells the plural of its CRD alone.
async fn by_plural(scene: &Scene) -> TestResult {
    let entry = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: CatalogEntry\n\
                 metadata: {name: by-hand, namespace: team-a}\nspec:\n  metadata: {displayName: Thing, shortDescription: A thing}\n  \
                 baseCRD: {name: things.internal.eu-west-1.team-a}\n";
    fs::write(scene.root().join("catalogs/example.yaml"), entry)?;
    scene.forget();
    let ran = scene.lock(&[]).await;
    assert_eq!(ran.exit, 0, "{ran}");
    assert!(scene.has(SNAPSHOTS[0]) && !scene.has(SNAPSHOTS[1]), "{ran}");

    // A namesake comes: the one that is locked is meant. Without a lock nobody knows.
    let namesake = example::CRD.replace("example.com", "example.org");
    scene.planes["eu-west-1"].kubectl_with(&["create", "-f", "-"], &namesake).await?;
    let ran = scene.lock(&[]).await;
    assert!(ran.exit == 0 && ran.err.contains("nothing to change; CRDs: 1 unchanged"), "{ran}");
    scene.forget();
    let ran = scene.lock(&[]).await;
    assert!(
        ran.exit == 1
            && ran.err.contains("has more than one CRD that this can be: `things.example.com`, `things.example.org`"),
        "{ran}"
    );
    assert!(!scene.has(SNAPSHOTS[0]), "{ran}");
    Ok(())
}

async fn a_kubeconfig_from_a_secret_is_held_short() -> TestResult {
    let scene = Scene::new().await?;
    scene.settings_of("{secret: true}");
    let marker = scene.folder.path().join("ran");
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": [marker]});
    let (key, authority) = ("client-key-data", "certificate-authority-data");
    // (where, what goes, what comes, what is said)
    for (at, without, with, word) in [
        (USER, key, json!({"exec": exec}), "to run a program (`exec`)"),
        (USER, key, json!({"client-key": "/etc/hostname"}), "to read a file (`client-key`)"),
        (USER, key, json!({"tokenFile": "/etc/hostname"}), "to read a file (`tokenFile`)"),
        (USER, "", json!({"as": "somebody"}), "to act as somebody else"),
        (
            CLUSTER,
            authority,
            json!({"certificate-authority": "/etc/hostname"}),
            "to read a file (`certificate-authority`)",
        ),
        (CLUSTER, authority, json!({"insecure-skip-tls-verify": true}), "to trust any server"),
        (CLUSTER, "", json!({"server": "http://127.0.0.1:1"}), "to go without TLS"),
    ] {
        let wrong = scene.second(|kubeconfig| put(kubeconfig, at, &[without], &with)).to_string();
        scene.forget();
        scene.secret("eu-west-2", "kubeconfig", &wrong).await?;
        let ran = scene.lock(&["--allow-loopback"]).await;
        assert_eq!(ran.exit, 4, "{word}: {ran}");
        assert!(block(&ran, "CAR0610").contains(word), "{word}: {ran}");
        assert!(scene.has(SNAPSHOTS[0]) && !scene.has(SNAPSHOTS[1]), "{word}: {ran}");
    }
    assert!(!marker.exists(), "the program of a Secret was run");

    // Nothing that could be a kubeconfig: no such key, no kubeconfig, no Secret.
    scene.secret("eu-west-2", "kubeconfig", &format!("token: {TOKEN}\n  bad: [")).await?;
    let ran = scene.lock(&["--allow-loopback"]).await;
    let said = block(&ran, "CAR0609");
    let words = "the kubeconfig in the Secret `team-a/eu-west-2` of the management cluster is no kubeconfig";
    assert!(ran.exit == 4 && said.contains(words) && !said.contains(TOKEN), "{ran}");
    scene.planes["management"].kubectl(&["delete", "secret", "eu-west-2", "-n", "team-a"]).await?;
    let ran = scene.lock(&["--allow-loopback"]).await;
    let said = block(&ran, "CAR0609");
    assert!(
        ran.exit == 4 && said.contains("the Secret `team-a/eu-west-2` of the management cluster is not there"),
        "{ran}"
    );
    Ok(())
}

async fn one_cluster_fails_and_the_other_goes_on() -> TestResult {
    let scene = Scene::new().await?;
    let plane = &scene.planes["eu-west-2"];
    scene.settings(plane.kubeconfig_path());
    let ran = scene.lock(&[]).await;
    assert_eq!(ran.exit, 0, "{ran}");
    let all = scene.locked();

    let proxy = plane.proxy().await?;
    let by_proxy = plane.admin().by_port(proxy.port()).await?;
    let nobody = plane.user("nobody", &[]).await?;
    let authority = scene.kubeconfig("eu-west-1").pointer(AUTHORITY).cloned();
    let token = json!({"token": TOKEN});
    let broken =
        json!({"server": format!("http://127.0.0.1:{}", a_server_that_answers("500 Internal Server Error").await?)});
    let certificates = ["client-certificate-data", "client-key-data"];

    // (what is done, the second cluster's kubeconfig, the diagnostic, what it says)
    let troubles: [(&str, Value, &str, &str); 6] = [
        ("refuses", read_kubeconfig(by_proxy.kubeconfig_path()), "CAR0601", "cannot reach the server"),
        ("hangs", read_kubeconfig(by_proxy.kubeconfig_path()), "CAR0602", "no answer within 2 s"),
        (
            "has a bad certificate",
            scene.second(|k| put(k, CLUSTER, &[], &json!({"certificate-authority-data": authority}))),
            "CAR0603",
            "certificate is not trusted",
        ),
        ("knows nobody", scene.second(|k| put(k, USER, &certificates, &token)), "CAR0604", "Unauthorized"),
        ("allows nothing", read_kubeconfig(nobody.kubeconfig_path()), "CAR0605", "nobody"),
        ("is broken", scene.second(|k| put(k, CLUSTER, &[], &broken)), "CAR0611", "the server answers 500"),
    ];
    let second = scene.folder.path().join("second.kubeconfig");
    for (what, kubeconfig, code, words) in troubles {
        match what {
            "refuses" => proxy.refuse(),
            "hangs" => proxy.stall(),
            _ => proxy.pass(),
        }
        fs::write(&second, kubeconfig.to_string())?;
        scene.settings(&second);
        // What is locked of it stays as it is, and so does the rest.
        let begun = Instant::now();
        let ran = scene.lock(&["--request-timeout", "2s"]).await;
        assert!(begun.elapsed() < Duration::from_mins(1), "{what} took {:?}", begun.elapsed());
        assert_eq!(ran.exit, 4, "{what}: {ran}");
        let said = block(&ran, code);
        assert!(said.contains("the service cluster `team-a/eu-west-2`") && said.contains(words), "{what}: {ran}");
        assert!(said.contains("clusters/eu-west-2.yaml:6:9") && said.contains("\n  help: "), "{what}: {ran}");
        assert!(ran.err.contains("1 of 2 service clusters"), "{what}: {ran}");
        assert_eq!(scene.locked(), all, "{what}");
        let check = scene.lock(&["--check", "--request-timeout", "2s"]).await;
        assert!(
            check.exit == 4 && check.err.contains("nothing would change in the clusters that answered"),
            "{what}: {check}"
        );

        // From nothing, the other cluster is locked.
        scene.forget();
        let ran = scene.lock(&["--request-timeout", "2s"]).await;
        assert!(ran.exit == 4 && ran.out.contains("team-a/eu-west-1\n"), "{what}: {ran}");
        assert!(scene.has(SNAPSHOTS[0]) && !scene.has(SNAPSHOTS[1]), "{what}: {ran}");
        restore(&scene.root(), &all);
    }
    // One cluster alone is not kept waiting by another.
    let ran = scene.lock(&["--cluster", "team-a/eu-west-1"]).await;
    assert_eq!(ran.exit, 0, "{ran}");
    Ok(())
}

/// Writes back what was locked.
fn restore(root: &Path, files: &BTreeMap<PathBuf, String>) {
    for (path, text) in files {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }
}

/// Something on a port that answers every request with this status and no object. It ends with the test.
async fn a_server_that_answers(status: &'static str) -> std::io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                let _ = connection.read(&mut buffer).await;
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = connection.write_all(answer.as_bytes()).await;
            });
        }
    });
    Ok(port)
}

async fn without_the_management_cluster_the_rest_goes_on() -> TestResult {
    let mut scene = Scene::new().await?;
    scene.settings_of("{secret: true}");
    scene.variables.insert("NOWHERE".to_owned(), String::new());
    scene.planes["management"].kill();
    let ran = scene.lock(&["--request-timeout", "2s"]).await;
    assert_eq!(ran.exit, 4, "{ran}");
    let said = block(&ran, "CAR0601");
    assert!(said.contains("the management cluster: cannot reach the server: Connection refused"), "{ran}");
    assert!(said.contains("carrier.yaml:1:1") && said.contains("so they were not asked: `team-a/eu-west-2`"), "{ran}");
    assert_eq!(ran.err.matches("error[").count(), 1, "one trouble is one complaint: {ran}");
    assert!(scene.has(SNAPSHOTS[0]) && !scene.has(SNAPSHOTS[1]));
    // A namespace is named after the management cluster, so its name waits.
    let lock = fs::read_to_string(scene.root().join("carrier.lock"))?;
    assert!(!lock.contains("namespaces:") && !lock.contains("management:"), "{lock}");

    // A context, a variable and a file that are not there.
    scene.planes["management"].restart().await?;
    for (second, words) in [
        ("{env: NOWHERE}", "the environment variable NOWHERE is not set"),
        ("{kubeconfig: ~/nowhere.yaml}", "nowhere.yaml does not exist"),
        (
            &format!("{{kubeconfig: {}, context: x}}", scene.planes["eu-west-2"].kubeconfig_path().display()),
            "no context `x`",
        ),
    ] {
        scene.settings_of(second);
        let ran = scene.lock(&[]).await;
        assert!(ran.exit == 4 && block(&ran, "CAR0609").contains(words), "{second}: {ran}");
        assert!(block(&ran, "CAR0609").contains("clusters/eu-west-2.yaml:6:9"), "{ran}");
    }
    // Settings that cannot be read say nothing of which clusters are meant.
    let before = scene.locked();
    fs::write(scene.root().join("carrier.yaml"), "managment: {context: x}\n")?;
    let ran = scene.lock(&[]).await;
    assert!(
        ran.exit == 1 && ran.err.contains("fix these errors first: the files say how to reach the clusters"),
        "{ran}"
    );
    assert_eq!(scene.locked(), before);
    Ok(())
}

async fn a_cluster_that_has_moved_on() -> TestResult {
    let scene = Scene::new().await?;
    let plane = &scene.planes["eu-west-2"];
    scene.settings(plane.kubeconfig_path());
    assert_eq!(scene.lock(&[]).await.exit, 0);
    let before = scene.locked();

    // Another form of the CRD in one of the clusters.
    let changed =
        example::CRD.replace("              mode: {", "              port: {type: integer}\n              mode: {");
    plane.kubectl_with(&["replace", "-f", "-"], &changed).await?;
    let check = scene.lock(&["--check", "--request-timeout", "20s"]).await;
    assert_eq!(check.exit, 2, "{check}");
    let said = block(&check, "CAR0607");
    assert!(said.contains("the service cluster `team-a/eu-west-2` has another `things.example.com`"), "{check}");
    assert!(
        said.contains("catalogs/example.yaml:12:13") && said.contains("run `carrier lock --request-timeout 20s`"),
        "{check}"
    );
    assert_eq!(check.out, "team-a/eu-west-2\n  changed    things.example.com\n    + v1 .spec.port (integer)\n");
    assert_eq!(scene.locked(), before);
    let ran = scene.lock(&[]).await;
    assert!(ran.exit == 0 && ran.err.contains("1 changed, 1 unchanged") && ran.out == check.out, "{ran}");
    let after = scene.locked();
    assert_eq!(before[Path::new(SNAPSHOTS[0])], after[Path::new(SNAPSHOTS[0])]);
    assert!(after[Path::new(SNAPSHOTS[1])].contains("port:"));

    // No such CRD any more.
    plane.kubectl(&["delete", "crd", "things.example.com"]).await?;
    eventually("the CRD is gone", async || plane.kubectl(&["get", "crd", "things.example.com"]).await.is_err()).await;
    let ran = scene.lock(&[]).await;
    assert_eq!(ran.exit, 1, "{ran}");
    let said = block(&ran, "CAR0606");
    assert!(said.contains("`team-a/eu-west-2` has no CRD `things.example.com`"), "{ran}");
    assert!(said.contains("the snapshot of it stays") && said.contains("catalogs/example.yaml:12:13"), "{ran}");
    assert_eq!(scene.locked(), after);

    // Another cluster behind the same name, and another management cluster.
    scene.settings(scene.planes["eu-west-1"].kubeconfig_path());
    let ran = scene.lock(&[]).await;
    assert_eq!(ran.exit, 3, "{ran}");
    let said = block(&ran, "CAR0608");
    let (one, two) = (uid(&scene.planes["eu-west-1"]).await, uid(plane).await);
    assert!(said.contains(&format!("its UID is {one}, and should be {two}")), "{ran}");
    assert!(said.contains("clusters/eu-west-2.yaml:6:9"), "{ran}");
    assert_eq!(scene.locked(), after);
    let flag = scene.planes["eu-west-1"].kubeconfig_path().display().to_string();
    let ran = scene.lock(&["--kubeconfig", &flag]).await;
    assert!(ran.exit == 3 && ran.err.contains("the management cluster is another cluster"), "{ran}");
    assert!(ran.err.contains("─[carrier.lock:6:8]"), "{ran}");
    assert_eq!(scene.locked(), after);
    Ok(())
}

async fn an_interrupted_lock_writes_nothing() -> TestResult {
    let scene = Scene::new().await?;
    let plane = &scene.planes["eu-west-2"];
    let proxy = plane.proxy().await?;
    scene.settings(plane.admin().by_port(proxy.port()).await?.kubeconfig_path());
    proxy.stall();
    let before = scene.locked();
    let child = scene.command(&scene.root(), &["lock"]).spawn()?;
    let pid = child.id().ok_or("it has ended")?.to_string();
    // It says what it waits for after a while; then it is certainly under way.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let killed = tokio::process::Command::new("kill").args(["-INT", &pid]).status().await?;
    assert!(killed.success());
    let output = child.wait_with_output().await?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("waiting for the service cluster team-a/eu-west-2"), "{said}");
    assert!(said.contains("interrupted; nothing was written"), "{said}");
    assert_eq!(scene.locked(), before);
    Ok(())
}

/// What `--from` takes and what a cluster says of the same CRD are the same bytes: else every lock
/// from a file would be a change, and drift.
async fn a_small_crd_of_a_file_is_the_one_that_a_server_says() -> TestResult {
    the_same_from_a_file_and_a_server(corpus::small()).await
}

async fn a_real_crd_of_a_file_is_the_one_that_a_server_says() -> TestResult {
    the_same_from_a_file_and_a_server(corpus::crds()).await
}

async fn the_same_from_a_file_and_a_server(crds: Vec<corpus::Crd>) -> TestResult {
    let planes = shared().await?;
    let client = planes["management"].client();
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All";
    let (mut wrong, mut taken) = (Vec::new(), 0);
    let half = crds.len() / 2;
    for crd in crds {
        let body = serde_json::to_vec(&crd.manifest)?;
        let request = http::Request::post(path).header("content-type", "application/json").body(body)?;
        let mut answer: Value = match client.request(request).await {
            Ok(answer) => answer,
            // The traps that no server takes, and those of groups that need an approval.
            Err(kube::Error::Api(status)) if status.code == 422 => continue,
            Err(error) => return Err(error.into()),
        };
        taken += 1;
        // The server answers without them where the object is of the request's kind.
        answer["apiVersion"] = json!("apiextensions.k8s.io/v1");
        answer["kind"] = json!("CustomResourceDefinition");
        let (file, server) = (strip(&crd.manifest), strip(&answer));
        if file != server {
            let (file, server) = (serde_json::to_string_pretty(&file)?, serde_json::to_string_pretty(&server)?);
            let diff = similar::TextDiff::from_lines(&file, &server).unified_diff().context_radius(4).to_string();
            wrong.push(format!("{}:\n{}", crd.stem, diff.lines().take(40).collect::<Vec<_>>().join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(taken > half, "the server took {taken} CRDs only");
    eprintln!("{taken} CRDs are the same from a file and from a server");
    Ok(())
}
