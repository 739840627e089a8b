//! `carrier lock`: the CRDs of the service clusters, written down in the repository.

use std::path::PathBuf;

use clap::Args;

use crate::model::cluster::ClusterId;

/// Arguments of `carrier lock`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: carrier lock --from redis-operator.yaml --cluster team-a/eu-west-1\n\nWithout --cluster, a CRD goes to every service cluster of which a CatalogEntrySet wants it."
)]
pub struct LockArgs {
    /// Take CRDs out of these files and folders, such as an operator's release manifest
    #[arg(long, value_name = "PATH", num_args = 1.., required = true, value_hint = clap::ValueHint::AnyPath)]
    pub from: Vec<PathBuf>,
    /// Take all of them for this service cluster
    #[arg(long, value_name = "PROVIDER/CLUSTER")]
    pub cluster: Option<ClusterId>,
    /// Write nothing; end with status 2 if something would change
    #[arg(long)]
    pub check: bool,
}
