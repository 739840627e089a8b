//! `carrier sync`: instances in step between the management cluster and the service clusters.

pub(crate) mod lease;
pub(crate) mod link;
pub(crate) mod listen;
pub(crate) mod logs;
pub(crate) mod metrics;
