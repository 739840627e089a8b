//! How sync runs, as the supervisor is told.

use std::collections::BTreeSet;

use super::lease::permits::Permits;
use super::link::keeper::LinkOptions;
use crate::model::cluster::ClusterId;

/// How sync runs.
#[derive(Clone)]
pub(crate) struct Settings {
    /// The clusters to work on; empty, all of them.
    pub only: BTreeSet<ClusterId>,
    /// The UID of the management cluster.
    pub management: String,
    /// How links are kept.
    pub link: LinkOptions,
    /// The permits of our leases; absent where nothing is written.
    pub permits: Option<Permits>,
}
