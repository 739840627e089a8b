//! What sync remembers of an instance beside what it sees: the results of its own writes. All of it may be lost: a
//! process that starts knows none of it and ends in the same state. Pure.

use super::digest::Digest;
use super::level::Level;
use super::status::StatusFacts;
use super::step::{Pair, WriteReason};
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
    /// What was refused last.
    pub refused: Option<Refused>,
    /// The generation of the tenant object that was in step last.
    pub arrived: Option<i64>,
    pairs: Vec<Pair>,
}

/// What is remembered of a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CopyMemory {
    /// What was wanted at the last write or look, and what the server made of it: with what it normalises, drops or
    /// overwrites the two differ, and are in step all the same.
    settled: Option<(Digest, Digest)>,
    /// The same for the exposed part.
    exposed: Option<(Digest, Digest)>,
    /// Whether the server's answer had other values than were sent.
    overwritten: bool,
}

/// What is remembered of a status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StatusMemory(Option<(StatusFacts, StatusFacts)>);

/// A write that a server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The level that it was for.
    pub level: Level,
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
    pub(crate) fn is_the_same(&self, level: Level, wants: Digest, version: u64) -> bool {
        self.level == level && self.wants == wants && self.version == version
    }
}

impl CopyMemory {
    /// Whether a copy is in step with what is wanted.
    #[must_use]
    pub(crate) fn is_in_step(&self, wants: Digest, owned: Digest) -> bool {
        wants == owned || self.settled == Some((wants, owned))
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub(crate) fn is_blank(&self) -> bool {
        self.settled.is_none()
    }

    /// Why a copy that is not in step is written: what is wanted has changed, or the copy has.
    #[must_use]
    pub(crate) fn reason(&self, wants: Digest) -> WriteReason {
        match self.settled {
            Some((before, _)) if before == wants => WriteReason::Correction,
            _ => WriteReason::Edit,
        }
    }

    /// Whether the server's answer had other values than were sent.
    #[must_use]
    pub(crate) fn is_overwritten(&self) -> bool {
        self.overwritten
    }

    /// Whether all was done that could be for the exposed part.
    #[must_use]
    pub(crate) fn is_exposed_as_far_as_possible(&self, wants: Digest, is: Digest) -> bool {
        self.exposed == Some((wants, is))
    }

    /// Remembers what a server made of what was wanted.
    pub(crate) fn settle(&mut self, wants: Digest, owned: Digest, overwritten: bool) {
        self.settled = Some((wants, owned));
        self.overwritten = overwritten;
    }

    /// Remembers a copy that was found in step.
    pub(crate) fn found_in_step(&mut self, wants: Digest, owned: Digest) {
        if self.settled != Some((wants, owned)) {
            self.settle(wants, owned, false);
        }
    }

    /// Remembers the exposed part after fields of others were removed from it.
    pub(crate) fn settle_exposed(&mut self, wants: Digest, is: Digest) {
        self.exposed = Some((wants, is));
    }
}

impl StatusMemory {
    /// Whether a status is what is wanted.
    #[must_use]
    pub(crate) fn is_in_step(&self, wanted: &StatusFacts, is: &StatusFacts) -> bool {
        wanted == is || self.0.as_ref().is_some_and(|(w, i)| w == wanted && i == is)
    }

    /// Remembers what a server made of a status.
    pub(crate) fn settle(&mut self, wanted: StatusFacts, is: StatusFacts) {
        // What needs no remembering takes no room.
        self.0 = (wanted != is).then_some((wanted, is));
    }
}

impl Memory {
    /// Remembers generations that are in step.
    pub(crate) fn note(&mut self, pair: Pair) {
        self.arrived = Some(pair.tenant);
        self.pairs.retain(|known| known.service != pair.service);
        self.pairs.push(pair);
        if self.pairs.len() > GENERATIONS {
            self.pairs.remove(0);
        }
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
        self.pairs.clear();
        self.arrived = None;
    }

    /// Forgets the copies: they were made anew, or another cluster answers.
    pub(crate) fn forget_service(&mut self) {
        self.service = CopyMemory::default();
        self.forget_generations();
    }
}
