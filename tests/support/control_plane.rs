//! One control plane: a kube-apiserver, and a kube-controller-manager where asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::access::{Access, KubectlError, Plane};
use super::assets::Assets;
use super::authority::{Authority, write_signing_key};
use super::process::Process;
use super::proxy::Proxy;
use super::runner::eventually;
use super::watchdog::Watchdog;
use super::{Builder, StartError, free_port, io};

/// A running control plane. It is stopped when the [`super::ControlPlanes`] that hold it go.
pub(crate) struct ControlPlane {
    name: String,
    port: u16,
    authority: Authority,
    admin: Access,
    plane: Arc<Plane>,
    // Stopped in this order: the controllers would complain of a lost server.
    controllers: Option<Process>,
    server: Process,
    namespaces: AtomicU32,
}

/// What a control plane shares with its siblings.
pub(crate) struct Common<'a> {
    /// The server binaries.
    pub assets: &'a Assets,
    /// The folder of all; each control plane makes its own in it.
    pub folder: &'a Path,
    /// Where their etcd listens.
    pub etcd_port: u16,
    /// Who stops them if we cannot.
    pub watchdog: &'a Arc<Watchdog>,
    /// What the test asked for.
    pub options: &'a Builder,
}

impl ControlPlane {
    /// Starts one and waits until it is ready.
    pub(crate) async fn start(name: &str, common: &Common<'_>) -> Result<Self, StartError> {
        let folder = common.folder.join(name);
        std::fs::create_dir_all(&folder).map_err(io(folder.display()))?;
        let authority = Authority::new(name);
        std::fs::write(folder.join("ca.crt"), authority.certificate()).map_err(io(folder.display()))?;
        authority.server().write(&folder, "server")?;
        write_signing_key(&folder)?;
        let plane = Arc::new(Plane {
            name: name.to_owned(),
            folder: folder.clone(),
            authority: authority.certificate(),
            kubectl: common.assets.tool("kubectl"),
        });
        loop {
            let port = free_port();
            let admin = authority.user("admin", &["system:masters"]);
            let admin = Access::new(Arc::clone(&plane), port, admin, "admin").await?;
            let arguments = server_arguments(name, &folder, port, common)?;
            let program = common.assets.tool("kube-apiserver");
            let server = Process::start("kube-apiserver", program, arguments, &folder, common.watchdog)?;
            let client = admin.client();
            match server.ready(|| ready(&client)).await {
                Err(error) if error.is_port_taken() => continue,
                result => result?,
            }
            let controllers = common.options.controllers.then(|| start_controllers(&folder, &admin, common));
            return Ok(Self {
                name: name.to_owned(),
                port,
                authority,
                admin,
                plane,
                controllers: controllers.transpose()?,
                server,
                namespaces: AtomicU32::new(0),
            });
        }
    }

    /// Its name, which is also the name of the context in its kubeconfigs.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The port on loopback where its API server listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The way in of an admin (group `system:masters`), whom RBAC never refuses.
    pub(crate) fn admin(&self) -> &Access {
        &self.admin
    }

    /// A client for an admin.
    pub(crate) fn client(&self) -> kube::Client {
        self.admin.client()
    }

    /// The admin's kubeconfig file.
    pub(crate) fn kubeconfig_path(&self) -> &Path {
        self.admin.kubeconfig_path()
    }

    /// Runs kubectl as an admin.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> Result<String, KubectlError> {
        self.admin.kubectl(arguments).await
    }

    /// Runs kubectl as an admin, with `input` on its standard input (`-f -`).
    pub(crate) async fn kubectl_with(&self, arguments: &[&str], input: &str) -> Result<String, KubectlError> {
        self.admin.kubectl_with(arguments, input).await
    }

    /// Waits until the CRDs of these names, or all that there are, are established.
    ///
    /// `kubectl wait` cannot: it fails at a CRD so new that it has no conditions yet.
    pub(crate) async fn established(&self, names: &[&str]) {
        let what = format!("established: {}", if names.is_empty() { "all CRDs".to_owned() } else { names.join(", ") });
        let get: Vec<&str> = ["get", "crd", "-o", "json"].iter().chain(names).copied().collect();
        eventually(&what, async || {
            let Ok(text) = self.kubectl(&get).await else { return false };
            let Ok(answer) = serde_json::from_str::<Value>(&text) else { return false };
            match &answer["items"] {
                Value::Array(items) => items.iter().all(is_established),
                _ => is_established(&answer),
            }
        })
        .await;
    }

    /// The way in of a user with a client certificate of its own, in at most one group.
    pub(crate) async fn user(&self, name: &str, groups: &[&str]) -> Result<Access, StartError> {
        let identity = self.authority.user(name, groups);
        // No colon, as in the name of a service account: it separates the files that KUBECONFIG lists.
        let label = format!("user-{}", name.replace(':', "-"));
        Access::new(Arc::clone(&self.plane), self.port, identity, &label).await
    }

    /// The way in of an admin who acts as `user`, in any number of groups. RBAC decides
    /// as for that user.
    pub(crate) async fn impersonate(&self, user: &str, groups: &[&str]) -> Result<Access, StartError> {
        self.admin.acting_as(user, groups).await
    }

    /// A proxy in front of this API server. Give [`Access::by_port`] its port.
    pub(crate) async fn proxy(&self) -> Result<Proxy, StartError> {
        Proxy::start(self.port).await.map_err(io("proxy"))
    }

    /// A new namespace with a name that no other test of this run has.
    pub(crate) async fn namespace(&self, stem: &str) -> Result<String, KubectlError> {
        let name = format!("{stem}-{}", self.namespaces.fetch_add(1, Ordering::Relaxed));
        self.kubectl(&["create", "namespace", &name]).await?;
        Ok(name)
    }

    /// What the audited users have asked for so far: events of `audit.k8s.io`, written before the answer was complete.
    pub(crate) fn asked(&self) -> std::io::Result<Vec<Value>> {
        let log = std::fs::read_to_string(self.plane.folder.join(AUDIT))?;
        // The last line may be under way.
        Ok(log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Stops the API server in its tracks: connections stay open, nothing answers.
    pub(crate) fn pause(&self) {
        self.server.pause();
    }

    /// Lets a paused API server go on.
    pub(crate) fn resume(&self) {
        self.server.resume();
    }

    /// Kills the API server. Its data stays; see [`Self::restart`].
    pub(crate) fn kill(&self) {
        self.server.kill();
    }

    /// Starts the API server again (killing it first, if it runs), at the same port and
    /// with its data, and waits until it is ready. Its watch cache is then empty: watches
    /// from before get 410 Gone.
    pub(crate) async fn restart(&self) -> Result<(), StartError> {
        self.server.kill();
        self.server.spawn()?;
        let client = self.client();
        self.server.ready(|| ready(&client)).await
    }

    /// The process numbers of its servers, for the tests of the harness.
    pub(crate) fn pids(&self) -> Vec<u32> {
        [Some(&self.server), self.controllers.as_ref()].into_iter().flatten().filter_map(Process::pid).collect()
    }
}

fn is_established(crd: &Value) -> bool {
    let mut conditions = crd["status"]["conditions"].as_array().into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

/// Ready is what the server says of itself, and that the namespace `default` exists,
/// which it makes a moment later.
async fn ready(client: &kube::Client) -> Result<(), String> {
    for path in ["/readyz", "/api/v1/namespaces/default"] {
        let request = http::Request::get(path).body(Vec::new()).map_err(|error| error.to_string())?;
        client.request_text(request).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The file that records what users asked for.
const AUDIT: &str = "audit.log";

fn server_arguments(name: &str, folder: &Path, port: u16, common: &Common<'_>) -> Result<Vec<String>, StartError> {
    let file = |name: &str| folder.join(name).display().to_string();
    let options = common.options;
    let mut arguments = vec![
        format!("--etcd-servers=http://127.0.0.1:{}", common.etcd_port),
        format!("--etcd-prefix=/{name}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        // There is no network behind a loopback address to publish endpoints for.
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", file("server.crt")),
        format!("--tls-private-key-file={}", file("server.key")),
        format!("--client-ca-file={}", file("ca.crt")),
        format!("--service-account-issuer=https://127.0.0.1:{port}"),
        format!("--service-account-key-file={}", file("service-accounts.pub")),
        format!("--service-account-signing-key-file={}", file("service-accounts.key")),
        "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        // Nobody makes the service account `default`, without which it would refuse every Pod.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--profiling=false".to_owned(),
        format!("--watch-cache={}", options.watch_cache),
        format!("--enable-priority-and-fairness={}", options.priority_and_fairness),
    ];
    arguments.extend(options.max_reads.map(|most| format!("--max-requests-inflight={most}")));
    if !options.audited.is_empty() {
        // The beginning of a watch is of the stage ResponseStarted.
        let policy = serde_json::json!({
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
            "rules": [{"level": "Metadata", "users": options.audited}, {"level": "None"}],
        });
        std::fs::write(folder.join("audit.yaml"), policy.to_string()).map_err(io(folder.display()))?;
        arguments.push(format!("--audit-policy-file={}", file("audit.yaml")));
        arguments.push(format!("--audit-log-path={}", file(AUDIT)));
    }
    Ok(arguments)
}

fn start_controllers(folder: &Path, admin: &Access, common: &Common<'_>) -> Result<Process, StartError> {
    let program: PathBuf = common.assets.tool("kube-controller-manager");
    let arguments = vec![
        format!("--kubeconfig={}", admin.kubeconfig_path().display()),
        "--controllers=namespace-controller,garbage-collector-controller,clusterrole-aggregation-controller".to_owned(),
        "--leader-elect=false".to_owned(),
        // It serves nothing that anyone asks for.
        "--secure-port=0".to_owned(),
    ];
    Process::start("kube-controller-manager", program, arguments, folder, common.watchdog)
}
