//! How long a request may take, how many are under way, and how much may come back.

use std::time::Duration;

use crate::cluster::plugin::PluginLimits;
use crate::model::cluster::Target;

const MIB: usize = 1024 * 1024;
/// How long a server may take to say its version, when another request got no answer: longer than a network takes, and
/// short for somebody who waits.
pub(crate) const PROBE: Duration = Duration::from_secs(10);

/// The limits of one cluster's client. The client holds to them whatever its callers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The deadline of a request, its retries included; it runs from when the request has its turn, without the time
    /// that a credential plugin takes.
    pub deadline: Duration,
    /// The limits of the credential plugin.
    pub plugin: PluginLimits,
    /// How long a connection is kept that nobody uses. A burst opens dozens, each with buffers of its own; at rest sync
    /// needs one beside its watches.
    pub idle: Duration,
    /// The largest number of requests under way at once; others wait for their turn.
    pub concurrency: usize,
    /// How long the server may take to say its version after a request got no answer; a server that does is not lost,
    /// and the error is of the one request. `None`: it is not asked. `carrier sync` has probes of its own.
    pub probe: Option<Duration>,
    /// The largest number of pages of lists that are read and parsed at once: they are the large answers.
    pub lists: usize,
    /// The largest page of a list in bytes, after decompression. A service cluster is not trusted to end what it sends.
    pub answer: usize,
    /// The largest answer that is no page of a list, in bytes: an object has to fit into etcd.
    pub object: usize,
    /// The largest answer with an error status in bytes; of a longer one only the status code counts.
    pub error_answer: usize,
    /// The largest list in bytes, all of its pages together.
    pub list: usize,
    /// The largest number of pages of a list.
    pub pages: usize,
    /// The largest number of objects on a page. All but the largest installations are one page a kind.
    pub page: u32,
    /// The longest time that the pages of a list may take together.
    pub list_time: Duration,
    /// The largest event of a watch in bytes: a CRD has to fit into etcd, and then once more as what was applied.
    pub event: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            plugin: PluginLimits::default(),
            probe: None,
            idle: Duration::from_secs(15),
            concurrency: 16,
            lists: 8,
            answer: 64 * MIB,
            object: 16 * MIB,
            error_answer: MIB,
            list: 4_096 * MIB,
            pages: 10_000,
            page: 5_000,
            list_time: Duration::from_mins(30),
            event: 32 * MIB,
        }
    }
}

impl Limits {
    /// The limits for one cluster: a service cluster is a provider's, and gets smaller ones. They are above all that a
    /// sound server sends: a page that is too large is asked for again in a smaller size.
    #[must_use]
    pub(crate) fn within(self, target: &Target) -> Self {
        match target {
            Target::Management => self,
            Target::Service(_) => Self {
                lists: self.lists.min(4),
                answer: self.answer.min(16 * MIB),
                error_answer: self.error_answer.min(MIB / 4),
                list: self.list.min(1_024 * MIB),
                page: self.page.min(500),
                list_time: self.list_time.min(Duration::from_mins(10)),
                ..self
            },
        }
    }
}

/// A number of bytes, for people.
#[must_use]
pub(crate) fn bytes_in_words(bytes: usize) -> String {
    match bytes {
        MIB.. => format!("{} MiB", bytes / MIB),
        _ => format!("{bytes} bytes"),
    }
}
