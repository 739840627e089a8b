//! What sync remembers of an instance beside what it sees: the results of its own writes. All of it may be lost: a
//! process that starts knows none of it and ends in the same state. Pure.

use super::digest::Digest;
use super::level::Level;
use super::step::{Pair, StatusFrom, Step, WriteReason};
use super::verdict::Verdict;
use crate::compile::derive::projection::Generations;

/// How many generations are remembered: an operator that lags behind more edits than that shows none.
const GENERATIONS: usize = 8;

/// What is remembered of one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// The internal object.
    pub internal: CopyMemory,
    /// The service object.
    pub service: CopyMemory,
    /// The status of the internal object.
    pub internal_status: StatusMemory,
    /// The status of the tenant object.
    pub tenant_status: StatusMemory,
    /// What was refused last, at most one of each kind of write.
    #[expect(clippy::box_collection, reason = "nearly always there is none, and then it takes 8 bytes")]
    refused: Option<Box<Vec<Refused>>>,
    /// The exposed part of the internal object.
    exposed: Made,
    /// The latest last.
    pairs: Box<[Pair]>,
}

/// What is remembered of a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CopyMemory {
    /// What was wanted at the last write or look, and what the server made of it: with what it normalises, drops or
    /// overwrites the two differ, and are in step all the same.
    settled: Made,
    /// Whether the server's answer had other values than were sent.
    overwritten: bool,
}

/// What was wanted, and what a server made of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Made {
    /// Nothing is remembered.
    #[default]
    Nothing,
    /// The same: so it is nearly always.
    Same(Digest),
    /// Something else.
    Other(Box<(Digest, Digest)>),
}

impl Made {
    fn new(wants: Digest, is: Digest) -> Self {
        if wants == is { Self::Same(wants) } else { Self::Other(Box::new((wants, is))) }
    }

    fn wants(&self) -> Option<Digest> {
        match self {
            Self::Nothing => None,
            Self::Same(digest) => Some(*digest),
            Self::Other(both) => Some(both.0),
        }
    }

    fn is(&self, wants: Digest, is: Digest) -> bool {
        match self {
            Self::Nothing => false,
            Self::Same(digest) => *digest == wants && *digest == is,
            Self::Other(both) => **both == (wants, is),
        }
    }
}

/// What is remembered of a status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StatusMemory(Option<Box<(Digest, Digest)>>);

/// A kind of write whose refusal is remembered. One does not speak of another: that a status cannot be stored is no
/// reason not to delete the object, and that the condition was written does not make the copy valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusable {
    /// The finalizer of the tenant object.
    Finalizer,
    /// The status of the tenant object that comes from the service object.
    TenantStatus,
    /// The internal object.
    Internal,
    /// The deletion of the internal object.
    InternalEnd,
    /// The service object.
    Service,
    /// The deletion of the service object, or that it is left behind.
    ServiceEnd,
}

impl Refusable {
    /// The kind of write that a step is; `None` where the next decision does not ask for its refusal.
    #[must_use]
    pub(crate) fn of(step: &Step) -> Option<Self> {
        match step {
            Step::PlaceFinalizer | Step::ReleaseFinalizer => Some(Self::Finalizer),
            Step::TenantStatus { from: StatusFrom::Service, .. } => Some(Self::TenantStatus),
            Step::Apply { level: Level::Service, .. } => Some(Self::Service),
            Step::Delete(Level::Service) | Step::Orphan => Some(Self::ServiceEnd),
            Step::Apply { .. } | Step::RemoveExcess => Some(Self::Internal),
            Step::Delete(_) => Some(Self::InternalEnd),
            // The condition alone says nothing of the status that was refused.
            Step::Confirm | Step::InternalStatus | Step::TenantStatus { .. } => None,
        }
    }
}

/// A write that a server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What it was.
    pub write: Refusable,
    /// What was wanted.
    pub wants: Digest,
    /// The version of the object that was there; 0 where there was none.
    pub version: u64,
    /// What the condition says.
    pub verdict: Verdict,
}

impl Refused {
    /// Whether the same would be sent to the same object again.
    #[must_use]
    fn is_the_same(&self, write: Refusable, wants: Digest, version: u64) -> bool {
        self.write == write && self.wants == wants && self.version == version
    }
}

impl CopyMemory {
    /// Whether a copy is in step with what is wanted.
    #[must_use]
    pub(crate) fn is_in_step(&self, wants: Digest, owned: Digest) -> bool {
        wants == owned || self.settled.is(wants, owned)
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub(crate) fn is_blank(&self) -> bool {
        self.settled == Made::Nothing
    }

    /// Why a copy that is not in step is written: what is wanted has changed, or the copy has.
    #[must_use]
    pub(crate) fn reason(&self, wants: Digest) -> WriteReason {
        if self.settled.wants() == Some(wants) { WriteReason::Correction } else { WriteReason::Edit }
    }

    /// Whether the server's answer had other values than were sent.
    #[must_use]
    pub(crate) fn is_overwritten(&self) -> bool {
        self.overwritten
    }

    /// Remembers what a server made of what was wanted.
    pub(crate) fn settle(&mut self, wants: Digest, owned: Digest, overwritten: bool) {
        self.settled = Made::new(wants, owned);
        self.overwritten = overwritten;
    }

    /// Remembers a copy that was found in step.
    pub(crate) fn found_in_step(&mut self, wants: Digest, owned: Digest) {
        if !self.settled.is(wants, owned) {
            self.settle(wants, owned, false);
        }
    }
}

impl StatusMemory {
    /// Whether a status is what is wanted.
    #[must_use]
    pub(crate) fn is_in_step(&self, wanted: Digest, is: Digest) -> bool {
        wanted == is || self.0.as_deref() == Some(&(wanted, is))
    }

    /// Remembers what a server made of a status.
    pub(crate) fn settle(&mut self, wanted: Digest, is: Digest) {
        // What needs no remembering takes no room.
        self.0 = (wanted != is).then(|| Box::new((wanted, is)));
    }
}

impl Memory {
    /// Remembers a refusal, in place of an earlier one of the same kind.
    pub(crate) fn refuse(&mut self, refused: Refused) {
        let known = self.refused.get_or_insert_default();
        known.retain(|known| known.write != refused.write);
        known.push(refused);
    }

    /// Forgets the refusal of a write that has succeeded. Whether that was the last one.
    pub(crate) fn accept(&mut self, write: Refusable) -> bool {
        let Some(known) = &mut self.refused else { return false };
        known.retain(|known| known.write != write);
        let was_last = known.is_empty();
        if was_last {
            self.refused = None;
        }
        was_last
    }

    /// What the server said when the same was sent to the same object.
    #[must_use]
    pub(crate) fn was_refused(&self, write: Refusable, wants: Digest, version: u64) -> Option<&Verdict> {
        self.refused
            .iter()
            .flat_map(|known| known.iter())
            .find(|known| known.is_the_same(write, wants, version))
            .map(|known| &known.verdict)
    }

    /// Whether all was done that could be for the exposed part of the internal object.
    #[must_use]
    pub(crate) fn is_exposed_as_far_as_possible(&self, wants: Digest, is: Digest) -> bool {
        self.exposed.is(wants, is)
    }

    /// Remembers the exposed part after fields of others were removed from it.
    pub(crate) fn settle_exposed(&mut self, wants: Digest, is: Digest) {
        self.exposed = Made::new(wants, is);
    }

    /// The generation of the tenant object that was in step last.
    #[must_use]
    pub(crate) fn arrived(&self) -> Option<i64> {
        self.pairs.last().map(|pair| pair.tenant)
    }

    /// Remembers generations that are in step.
    pub(crate) fn note(&mut self, pair: Pair) {
        if self.pairs.last() == Some(&pair) {
            return;
        }
        let known = self.pairs.iter().copied().filter(|known| known.service != pair.service);
        let known: Vec<Pair> = known.chain([pair]).collect();
        self.pairs = known[known.len().saturating_sub(GENERATIONS)..].into();
    }

    /// From generations of the service object to those of the internal one.
    #[must_use]
    pub(crate) fn internal_generations(&self, now: Option<Pair>) -> Generations {
        Generations::known(self.pairs.iter().chain(&now).map(|pair| (pair.service, pair.internal)))
    }

    /// From generations of the service object to those of the tenant object.
    #[must_use]
    pub(crate) fn tenant_generations(&self, now: Option<Pair>) -> Generations {
        Generations::known(self.pairs.iter().chain(&now).map(|pair| (pair.service, pair.tenant)))
    }

    /// Forgets the generations: those of an object that was made anew begin anew.
    pub(crate) fn forget_generations(&mut self) {
        self.pairs = Box::default();
    }

    /// Forgets the copies: they were made anew, or another cluster answers.
    pub(crate) fn forget_service(&mut self) {
        self.service = CopyMemory::default();
        self.forget_generations();
    }
}
