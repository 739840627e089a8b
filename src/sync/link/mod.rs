//! The links to the service clusters, and the tenants' namespaces there.
//!
//! For each ServiceCluster the engine calls [`keeper::keep`] and gets a [`LinkHandle`](keeper::LinkHandle). It hands
//! every new state of the ServiceCluster to [`object`](keeper::LinkHandle::object) and follows the
//! [`Link`](keeper::Link) that [`subscribe`](keeper::LinkHandle::subscribe) gives:
//!
//! * Only under [`Trust::Trusted`](verdict::Trust) is a read believed and something written.
//! * What was read in an earlier `epoch` is `Unknown`: it may have been read from another cluster. Watches are begun
//!   anew with the new connection. An epoch does not change when a cluster is away and comes back.
//! * A list that was completed after its watch broke is believed after [`confirm`](keeper::LinkHandle::confirm) has
//!   said `Trusted`: it asks the cluster who it is after it was called.
//! * [`note_life`](keeper::LinkHandle::note_life) with each event of a watch saves probes;
//!   [`suspect`](keeper::LinkHandle::suspect) after a request without an answer brings the next probe forward;
//!   [`poke`](keeper::LinkHandle::poke) when writing has become allowed (a lease was taken over).
//!
//! [`namespaces::keep`] does the same for the Assignments of one cluster: the engine hands them over, and asks for the
//! [`Assigned`](namespaces::Assigned) of a tenant before it writes. Both keepers write the statuses of their objects,
//! by the field manager `carrier-sync-status`, and only while `may_write` allows.
//!
//! `verdict`, `state`, `status`, `namespace` and `assignment` are pure; `secret`, `keeper` and `namespaces` are shell.

pub(crate) mod assignment;
pub(crate) mod keeper;
pub(crate) mod namespace;
pub(crate) mod namespaces;
mod secret;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod verdict;
pub(crate) mod write;
