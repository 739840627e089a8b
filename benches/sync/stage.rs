//! The servers and the process that most of the benchmark measures.

use crate::arrivals::{Arrivals, of_copy, of_tenant};
use crate::bare::Bare;
use crate::bed::{Bed, MANAGEMENT, Service};
use crate::counts::{Leases, Memory};
use crate::objects::Objects;
use crate::process::SyncProcess;
use crate::repository::{GROUP, TENANTS};
use crate::support::Failed;

/// The service cluster with instances. A second one beside it has none.
pub(crate) const REGION: &str = "eu-west-1";
/// The group of all service accounts.
const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";

/// Clusters, sync, and the watches of the benchmark. Fields go in this order.
pub(crate) struct Stage {
    pub sync: SyncProcess,
    /// The objects of each tenant.
    pub tenants: Vec<Service>,
    /// What a watch of the service cluster saw.
    pub copies: Arrivals,
    /// What a watch of the management cluster saw.
    pub shown: Arrivals,
    pub bare: Bare,
    pub leases: Leases,
    /// The memory of sync without instances.
    pub empty: Memory,
    pub bed: Bed,
}

impl Stage {
    /// Starts it all.
    pub(crate) async fn new() -> Self {
        let bed = Bed::new(&[REGION, "eu-west-2"]).await.map_err(text).expect("servers start");
        for region in [REGION, "eu-west-2"] {
            directly(&bed, region, region).await;
        }
        let sync = start(&bed).await;
        let mut tenants = Vec::new();
        for tenant in TENANTS {
            tenants.push(bed.service_of(tenant, REGION).await);
        }
        // The same account as that of sync, but a connection of the benchmark's own.
        let account = bed.planes[REGION].user(&account(REGION), &[SERVICE_ACCOUNTS]).await.expect("a certificate");
        let bare = Bare::new(Objects::redis(account.client(), GROUP, &tenants[0].namespace));
        let copies = Arrivals::start(&Objects::redis(bed.planes[REGION].client(), GROUP, ""), of_copy);
        let management = bed.management().client();
        let shown = Arrivals::start(&Objects::redis(management, &format!("{REGION}.team-a"), ""), of_tenant);
        let leases = Leases::watch(&bed);
        let stage = Self { empty: Memory::now(&sync), sync, tenants, copies, shown, bare, leases, bed };
        stage.warm().await;
        stage
    }

    /// The objects of the tenant whose turn it is.
    pub(crate) fn tenant(&self, turn: usize) -> &Service {
        &self.tenants[turn % self.tenants.len()]
    }

    /// The first instances, which connections are made for.
    async fn warm(&self) {
        for (turn, service) in self.tenants.iter().enumerate() {
            let name = format!("warm-{turn}");
            service.create(&name).await.expect("a member may create");
            self.shown.of(&crate::arrivals::in_step(&name, 1)).await;
            self.bare.apply(&self.bare.name(), 3).await;
        }
    }

    /// Removes what the bare loop left.
    pub(crate) async fn clear_bare(&self) {
        let admin = Objects::redis(self.bed.planes[REGION].client(), GROUP, &self.tenants[0].namespace);
        self.bare.clear(&admin).await;
    }
}

/// The account of sync in a service cluster.
fn account(cluster: &str) -> String {
    format!("system:serviceaccount:kubecarrier-system:carrier-{cluster}.team-a")
}

/// Gives sync a way into a service cluster without a proxy between, at the API server of `plane`.
pub(crate) async fn directly(bed: &Bed, cluster: &str, plane: &str) {
    let access = bed.planes[plane].user(&account(cluster), &[SERVICE_ACCOUNTS]).await.expect("a certificate");
    let config = std::fs::read_to_string(access.kubeconfig_path()).expect("the harness has written it");
    bed.put_secret(cluster, &config).await.map_err(text).expect("an admin may write a Secret");
}

/// Starts sync, with a way into the management cluster without a proxy, and waits until it is ready.
pub(crate) async fn start(bed: &Bed) -> SyncProcess {
    let name = "system:serviceaccount:kubecarrier-system:carrier-sync";
    let access = bed.planes[MANAGEMENT].user(name, &[SERVICE_ACCOUNTS]).await.expect("a certificate");
    let sync =
        SyncProcess::start(&bed.planes, access.kubeconfig_path(), "bench", &[]).map_err(text).expect("it starts");
    sync.ready().await.map_err(text).expect("it gets ready");
    sync
}

/// The words of a failure.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
pub(crate) fn text(failed: Failed) -> String {
    failed.message().unwrap_or("no words").to_owned()
}
