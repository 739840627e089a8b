//! Which replica works on which service cluster, by Leases in the management cluster.
//!
//! Each service cluster has a Lease, and who holds it is the only one that writes for that cluster. A replica also
//! holds a Lease of its own ([`names::member`]), by which the others see that it lives, even while it holds no cluster.
//!
//! * [`record`]: what a Lease says. [`names`]: what it is called. [`timing`]: how long all of it takes.
//! * [`share`]: which of the clusters a replica takes and gives. [`state`]: when it takes, renews and gives. Both pure.
//! * [`permits`]: asked at each write. [`keeper`]: sends and listens.
//!
//! No clock of a machine is compared with that of another: a Lease has expired when the observer has not seen it
//! change for its whole duration, by the observer's own monotonic clock. And no view has to be fresh: each write names
//! the resource version that it replaces, so a Lease that was renewed unseen cannot be taken.

pub(crate) mod keeper;
pub(crate) mod names;
pub(crate) mod permits;
pub(crate) mod record;
pub(crate) mod seen;
pub(crate) mod share;
pub(crate) mod state;
pub(crate) mod timing;
