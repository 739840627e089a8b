//! The test bed: a management cluster and service clusters of team-a, a repository that is compiled and applied,
//! and `carrier sync` with the rights that carrier renders for it and no others.
//!
//! Each way of sync goes through a proxy, so that a test can hurt one of them alone. Tests look and act by
//! connections of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::objects::{Objects, condition, holds, said, wait};
use super::operator::Operator;
use super::process::SyncProcess;
use super::repository::{self, BASE, GROUP, TENANTS};
use crate::platform::{Run, without_progress};
use crate::support::{Access, ControlPlane, ControlPlanes, Failed, Proxy};

/// The service account of sync in the management cluster.
const SYNC: &str = "system:serviceaccount:kubecarrier-system:carrier-sync";
/// The service account of sync in a service cluster of team-a.
fn account(region: &str) -> String {
    format!("system:serviceaccount:kubecarrier-system:carrier-{region}.team-a")
}

/// The group of all service accounts.
const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";
/// How the management cluster is called.
pub(crate) const MANAGEMENT: &str = "management";

/// The clusters, their repository, and the ways in.
pub(crate) struct Bed {
    pub planes: ControlPlanes,
    proxies: BTreeMap<String, Proxy>,
    /// Of sync, for the management cluster.
    kubeconfig: PathBuf,
    tenants: BTreeMap<&'static str, Access>,
}

/// What changes the repository in this folder.
type Change<'a> = dyn FnOnce(&Path) -> std::io::Result<()> + 'a;

/// What a bed shall be like.
#[must_use = "nothing runs until it is started"]
pub(crate) struct Builder<'a> {
    regions: &'a [&'a str],
    later: &'a [&'a str],
    crd: Value,
    change: Box<Change<'a>>,
    audited: bool,
}

impl<'a> Builder<'a> {
    /// With these service clusters too, which the repository does not have yet.
    pub(crate) fn later(self, later: &'a [&'a str]) -> Self {
        Self { later, ..self }
    }

    /// With another base CRD.
    pub(crate) fn crd(self, crd: Value) -> Self {
        Self { crd, ..self }
    }

    /// With a repository that is changed before it is compiled.
    pub(crate) fn change(self, change: impl FnOnce(&Path) -> std::io::Result<()> + 'a) -> Self {
        Self { change: Box::new(change), ..self }
    }

    /// With a record in each cluster of what sync asks for.
    pub(crate) fn audited(self) -> Self {
        Self { audited: true, ..self }
    }

    /// Starts the clusters, compiles and applies the repository, and puts the Secrets for sync where they belong.
    pub(crate) async fn start(self) -> Result<Bed, Failed> {
        let names: Vec<&str> = [MANAGEMENT].iter().chain(self.regions).chain(self.later).copied().collect();
        let mut planes = ControlPlanes::builder().controllers();
        if self.audited {
            let users: Vec<String> = self.regions.iter().map(|region| account(region)).collect();
            planes = planes.audited(&[&users[..], &[SYNC.to_owned()]].concat());
        }
        let planes = planes.start(&names).await?;
        self.start_over(planes).await
    }

    /// The same over control planes that run already.
    pub(crate) async fn start_over(self, planes: ControlPlanes) -> Result<Bed, Failed> {
        let folder = planes.folder().join("repository");
        repository::write(&folder, self.regions)?;
        (self.change)(&folder)?;
        let mut proxies = BTreeMap::new();
        for plane in planes.iter() {
            proxies.insert(plane.name().to_owned(), plane.proxy().await?);
            if plane.name() != MANAGEMENT {
                plane.kubectl_with(&["apply", "--server-side", "-f", "-"], &self.crd.to_string()).await?;
                plane.established(&[BASE]).await;
            }
        }
        let management = &planes[MANAGEMENT];
        let sync = management.user(SYNC, &[SERVICE_ACCOUNTS]).await?.by_port(proxies[MANAGEMENT].port()).await?;
        let mut tenants = BTreeMap::new();
        for tenant in TENANTS {
            tenants.insert(tenant, management.impersonate(&format!("{tenant}-member"), &[]).await?);
        }
        let bed = Bed { kubeconfig: sync.kubeconfig_path().to_owned(), planes, proxies, tenants };
        bed.applied().await;
        for region in self.regions {
            bed.connect(region).await?;
        }
        Ok(bed)
    }
}

impl Bed {
    /// A bed with these service clusters, to be changed before it is started.
    pub(crate) fn builder<'a>(regions: &'a [&'a str]) -> Builder<'a> {
        Builder { regions, later: &[], crd: repository::base_crd(), change: Box::new(|_| Ok(())), audited: false }
    }

    /// A bed with these service clusters.
    pub(crate) async fn new(regions: &[&str]) -> Result<Self, Failed> {
        Self::builder(regions).start().await
    }

    /// Puts the kubeconfig of sync's account in a service cluster where the ServiceCluster looks for it.
    pub(crate) async fn connect(&self, region: &str) -> Result<(), Failed> {
        let config = self.kubeconfig_for(region).await?;
        self.put_secret(region, &config).await
    }

    /// The management cluster.
    pub(crate) fn management(&self) -> &ControlPlane {
        &self.planes[MANAGEMENT]
    }

    /// The way of sync into a cluster, to be hurt.
    pub(crate) fn proxy(&self, cluster: &str) -> &Proxy {
        &self.proxies[cluster]
    }

    /// A file of the repository.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.planes.folder().join("repository").join(file)
    }

    /// Runs a command in the repository, as an admin of all clusters.
    pub(crate) async fn carrier(&self, arguments: &[&str]) -> Run {
        let files: Vec<String> =
            self.planes.iter().map(|plane| plane.kubeconfig_path().display().to_string()).collect();
        self.command(arguments, &files.join(":")).await
    }

    /// Approves what sync holds of a service, as an admin.
    pub(crate) async fn approved(&self, service: &str, tenant: &str) -> Run {
        self.carrier(&["approve", "--allow-loopback", service, "-n", tenant, "--yes"]).await.ends(0)
    }

    /// Runs `carrier sync` to its end, with the rights of sync.
    pub(crate) async fn sync_command(&self, arguments: &[&str]) -> Run {
        let kubeconfig = self.kubeconfig.display().to_string();
        let usual = ["sync", "--kubeconfig", &kubeconfig, "--allow-loopback", "--listen", "off"];
        let arguments: Vec<&str> = usual.iter().chain(arguments).copied().collect();
        self.command(&arguments, "").await
    }

    async fn command(&self, arguments: &[&str], kubeconfig: &str) -> Run {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_carrier"))
            .args(arguments)
            .current_dir(self.path(""))
            .env("KUBECONFIG", kubeconfig)
            .env("HOME", self.planes.folder())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("carrier runs");
        Run {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: without_progress(&String::from_utf8_lossy(&output.stderr)),
        }
    }

    /// Locks and applies the repository as it is now.
    pub(crate) async fn applied(&self) {
        self.carrier(&["lock"]).await.ends(0);
        self.carrier(&["apply", "--yes"]).await.ends(0);
    }

    /// The kubeconfig of sync's rendered account in a service cluster, by way of the proxy.
    pub(crate) async fn kubeconfig_for(&self, region: &str) -> Result<String, Failed> {
        let access = self.planes[region].user(&account(region), &[SERVICE_ACCOUNTS]).await?;
        let access = access.by_port(self.proxies[region].port()).await?;
        Ok(std::fs::read_to_string(access.kubeconfig_path())?)
    }

    /// The same account by a token, which ends when the account goes.
    pub(crate) async fn token_kubeconfig_for(&self, region: &str) -> Result<String, Failed> {
        let create = ["create", "token", "-n", "kubecarrier-system", &format!("carrier-{region}.team-a")];
        let token = self.planes[region].kubectl(&create).await?;
        let text = self.kubeconfig_for(region).await?;
        let mut config: Value = serde_saphyr::from_str(&text)?;
        config["users"][0]["user"] = json!({"token": token.trim()});
        Ok(config.to_string())
    }

    /// Puts a kubeconfig where the ServiceCluster looks for it.
    pub(crate) async fn put_secret(&self, region: &str, kubeconfig: &str) -> Result<(), Failed> {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": format!("{region}-kubeconfig"), "namespace": "team-a"},
            "stringData": {"kubeconfig": kubeconfig},
        });
        // Not a client-side apply, which would keep the text in an annotation.
        let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        self.management().kubectl_with(&apply, &secret.to_string()).await?;
        Ok(())
    }

    /// Starts sync and waits until it is ready.
    pub(crate) async fn sync(&self) -> Result<SyncProcess, Failed> {
        let sync = self.replica("one", &[])?;
        sync.ready().await?;
        Ok(sync)
    }

    /// Starts a replica, which may not be ready yet.
    pub(crate) fn replica(&self, name: &str, more: &[&str]) -> Result<SyncProcess, Failed> {
        SyncProcess::start(&self.planes, &self.kubeconfig, name, more)
    }

    /// Starts a stand-in for the operator of a region.
    pub(crate) fn operator(&self, region: &str) -> Operator {
        let client = self.planes[region].client();
        let all = Objects::redis(client.clone(), GROUP, "");
        Operator::start(&all, move |namespace| Objects::redis(client.clone(), GROUP, namespace))
    }

    /// The objects of team-b in a region.
    pub(crate) async fn service(&self, region: &str) -> Service {
        self.service_of("team-b", region).await
    }

    /// The objects of a tenant in a region, on all three levels.
    pub(crate) async fn service_of(&self, tenant: &str, region: &str) -> Service {
        let management = self.management().client();
        let namespace = self.service_namespace(tenant, region).await;
        // A provider may be a tenant too; then an admin acts for it.
        let member = self.tenants.get(tenant).map_or_else(|| management.clone(), Access::client);
        Service {
            member: Objects::redis(member, &format!("{region}.team-a"), tenant),
            tenant: Objects::redis(management.clone(), &format!("{region}.team-a"), tenant),
            internal: Objects::redis(management, &format!("internal.{region}.team-a"), tenant),
            copy: Objects::redis(self.planes[region].client(), GROUP, &namespace),
            namespace,
        }
    }

    /// The namespace of a tenant in a region.
    pub(crate) async fn service_namespace(&self, tenant: &str, region: &str) -> String {
        let name = format!("{tenant}.{region}");
        let assignment = self.assignments().get(&name).await.unwrap_or_else(|| panic!("{name} is assigned"));
        super::objects::annotation(&assignment, "kubecarrier.io/service-cluster-namespace").to_owned()
    }

    /// The ServiceClusterAssignments of team-a.
    pub(crate) fn assignments(&self) -> Objects {
        let kind = ("kubecarrier.io", "v1alpha1", "ServiceClusterAssignment", "serviceclusterassignments");
        Objects::new(self.management().client(), kind, "team-a")
    }

    /// The ServiceClusters of team-a.
    pub(crate) fn clusters(&self) -> Objects {
        let kind = ("kubecarrier.io", "v1alpha1", "ServiceCluster", "serviceclusters");
        Objects::new(self.management().client(), kind, "team-a")
    }

    /// The CatalogEntries of team-a.
    pub(crate) fn entries(&self) -> Objects {
        let kind = ("catalog.kubecarrier.io", "v1alpha1", "CatalogEntry", "catalogentries");
        Objects::new(self.management().client(), kind, "team-a")
    }

    /// Waits until a condition of a ServiceCluster says this, and returns it.
    pub(crate) async fn cluster_says(&self, region: &str, of: &str, wanted: &str) -> Value {
        wait(&format!("{region} says {of} {wanted}"), async || {
            let cluster = self.clusters().get(region).await.ok_or("it is gone")?;
            let found = condition(&cluster, of);
            holds(said(found) == wanted, || cluster["status"].to_string())?;
            Ok(found.clone())
        })
        .await
    }
}

/// The objects of one service of one tenant in one region, on the three levels.
pub(crate) struct Service {
    /// As a member of the tenant sees and writes them, with that person's rights.
    pub member: Objects,
    /// As an admin sees them.
    pub tenant: Objects,
    /// The provider's.
    pub internal: Objects,
    /// In the service cluster.
    pub copy: Objects,
    /// The namespace of the copies.
    pub namespace: String,
}

/// One instance on its three levels.
#[derive(Debug, Clone)]
pub(crate) struct Levels {
    pub tenant: Value,
    pub internal: Value,
    pub copy: Value,
}

/// The spec that most tests begin with.
pub(crate) fn spec() -> Value {
    json!({"mode": "standalone", "size": 3, "global": {"image": "opstree/redis:v2.0", "password": "1234"},
           "redisExporter": {"enabled": false}, "redisConfig": {"maxmemory": "1gb"}, "service": {"type": "ClusterIP"}})
}

impl Service {
    /// A member of the tenant creates an instance with the usual spec.
    pub(crate) async fn create(&self, name: &str) -> Result<Value, kube::Error> {
        self.member.create(name, &spec(), &json!({})).await
    }

    /// Waits until an instance is in step, and returns its levels as they are then.
    pub(crate) async fn in_step(&self, name: &str) -> Levels {
        self.says(name, "True/InStep").await;
        let levels = (self.tenant.get(name).await, self.internal.get(name).await, self.copy.get(name).await);
        match levels {
            (Some(tenant), Some(internal), Some(copy)) => Levels { tenant, internal, copy },
            (tenant, internal, copy) => panic!("{name} is in step, but: {tenant:?} {internal:?} {copy:?}"),
        }
    }

    /// Waits until `Synced` of an instance says this for its generation, and returns the condition.
    pub(crate) async fn says(&self, name: &str, wanted: &str) -> Value {
        wait(&format!("{name} says {wanted}"), async || {
            let tenant = self.tenant.try_get(name).await.map_err(|e| e.to_string())?.ok_or("it is gone")?;
            let synced = condition(&tenant, "Synced");
            let current = synced["observedGeneration"] == tenant["metadata"]["generation"];
            holds(current && said(synced) == wanted, || {
                format!("generation {}: {synced}", tenant["metadata"]["generation"])
            })?;
            Ok(synced.clone())
        })
        .await
    }

    /// Waits until nothing of an instance is left on any level.
    pub(crate) async fn gone(&self, name: &str) {
        wait(&format!("{name} is gone"), async || {
            for (level, objects) in [("tenant", &self.tenant), ("internal", &self.internal), ("copy", &self.copy)] {
                let found = objects.try_get(name).await.map_err(|error| error.to_string())?;
                holds(found.is_none(), || format!("the {level} object is there: {}", found.unwrap_or_default()))?;
            }
            Ok(())
        })
        .await;
    }

    /// Waits until nothing of an instance is left in the management cluster.
    pub(crate) async fn gone_in_management(&self, name: &str) {
        wait(&format!("{name} is gone from the management cluster"), async || {
            let (tenant, internal) = (self.tenant.get(name).await, self.internal.get(name).await);
            holds(tenant.is_none() && internal.is_none(), || format!("{tenant:?} {internal:?}"))
        })
        .await;
    }

    /// Shows that sync has worked through what was there before: a new instance comes into step.
    pub(crate) async fn later(&self, name: &str) -> Result<(), kube::Error> {
        self.create(name).await?;
        self.in_step(name).await;
        Ok(())
    }
}

static SHARED: Mutex<Option<Result<Arc<SharedBed>, String>>> = Mutex::const_new(None);

/// A bed with one region, an operator and a sync that all tests share who hurt nobody. It goes with the test process.
pub(crate) struct SharedBed {
    pub bed: Bed,
    pub sync: SyncProcess,
    _operator: Operator,
}

/// What a test has of the shared bed; a failing test shows the log of sync.
pub(crate) struct Guest(Arc<SharedBed>);

impl std::ops::Deref for Guest {
    type Target = SharedBed;

    fn deref(&self) -> &SharedBed {
        &self.0
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.sync.show();
        }
    }
}

/// The shared bed, started by whoever asks first. Its breaker lets tests delete what they made.
pub(crate) async fn shared_bed() -> Result<Guest, Failed> {
    let mut shared = SHARED.lock().await;
    if shared.is_none() {
        *shared = Some(start_shared().await.map(Arc::new).map_err(|error| error.message().unwrap_or("?").to_owned()));
    }
    Ok(Guest(shared.clone().expect("just set")?))
}

async fn start_shared() -> Result<SharedBed, Failed> {
    let bed = Bed::new(&["eu-west-1"]).await?;
    let breaker = "carrier.kubecarrier.io/deletion-breaker";
    bed.clusters().annotate("eu-west-1", breaker, Some("1000,100%,10m")).await?;
    let operator = bed.operator("eu-west-1");
    let sync = bed.sync().await?;
    Ok(SharedBed { bed, sync, _operator: operator })
}
