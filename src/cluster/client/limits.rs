//! How long a request may take, how many are under way, and how much may come back.

use std::time::Duration;

use crate::cluster::plugin::PluginLimits;

const MIB: usize = 1024 * 1024;

/// The limits of one cluster's client. The client holds to them whatever its callers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The deadline of a request, its retries included; it runs from when the request has its turn, without the time
    /// that a credential plugin takes.
    pub deadline: Duration,
    /// The limits of the credential plugin.
    pub plugin: PluginLimits,
    /// The largest number of requests under way at once; others wait for their turn.
    pub concurrency: usize,
    /// The largest answer in bytes, after decompression: a page of a list, too. A service cluster is not
    /// trusted to end what it sends.
    pub answer: usize,
    /// The largest answer with an error status in bytes; of a longer one only the status code counts.
    pub error_answer: usize,
    /// The largest list in bytes, all of its pages together.
    pub list: usize,
    /// The largest number of pages of a list.
    pub pages: usize,
    /// The largest event of a watch in bytes: a CRD has to fit into etcd, and then once more as what was applied.
    pub event: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            plugin: PluginLimits::default(),
            concurrency: 16,
            answer: 64 * MIB,
            error_answer: MIB,
            list: 4_096 * MIB,
            pages: 10_000,
            event: 32 * MIB,
        }
    }
}
