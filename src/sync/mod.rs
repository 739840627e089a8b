//! `carrier sync`: instances in step between the management cluster and the service clusters.

pub(crate) mod lease;
pub(crate) mod link;
