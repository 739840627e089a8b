//! `carrier render`: the manifests that offer the services of a repository.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model::cluster::ClusterId;

/// Arguments of `carrier render`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier render --stdout | kubectl apply --server-side -f -")]
pub struct RenderArgs {
    /// The folder to write; without it, `output` of carrier.yaml
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Write nothing; list what differs and end with status 2 if something does
    #[arg(long)]
    pub check: bool,
    /// Who reads the manifests; without it, `render.for` of carrier.yaml
    #[arg(long = "for", value_name = "READER")]
    pub target: Option<Reader>,
    /// Print one YAML stream of the management cluster, in the order to apply it
    #[arg(long, conflicts_with_all = ["out", "check"])]
    pub stdout: bool,
    /// Print that of a service cluster instead
    #[arg(long, value_name = "PROVIDER/CLUSTER", requires = "stdout")]
    pub cluster: Option<ClusterId>,
}

/// Who reads the manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reader {
    /// `kubectl`, or nobody in particular.
    Plain,
    /// Flux: stages that wait for each other.
    Flux,
    /// Argo CD: sync waves.
    Argo,
}
