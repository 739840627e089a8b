//! `carrier fields`: what a CRD has to expose, and what of it is exposed.

use clap::{Args, ValueEnum};

use crate::model::cluster::ClusterId;

/// Arguments of `carrier fields`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier fields redis.redis.example.com -o list")]
pub struct FieldsArgs {
    /// The CRD by its name, or a part of the name that only one has
    #[arg(value_name = "CRD")]
    pub crd: String,
    /// How to show the fields
    #[arg(short, long, value_name = "FORMAT", default_value = "tree")]
    pub output: Output,
    /// The CRD of this service cluster; else of every one that has it
    #[arg(long, value_name = "PROVIDER/CLUSTER")]
    pub cluster: Option<ClusterId>,
}

/// How fields are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A tree with types, required, defaults, and what is exposed.
    Tree,
    /// A list of `jsonPath` lines to paste into a `CatalogEntrySet`.
    List,
    /// A JSON document.
    Json,
}
