//! What the index holds of one instance. Pure.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::contest::Corrections;
use super::facts::{InternalFacts, Seen, ServiceFacts, TenantFacts};
use super::level::Level;
use super::memory::Memory;
use super::queue::{Home, Moment};
use super::verdict::Verdict;

/// The first pause after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// An instance: what is known of its three objects, and what happened before.
#[derive(Debug)]
pub(crate) struct Record {
    /// The number of its service.
    pub service_id: u32,
    /// The tenant's namespace in the management cluster.
    pub namespace: Arc<str>,
    /// The name, on all levels.
    pub name: Arc<str>,
    /// Its place in the queue.
    pub home: Home,
    /// The tenant object.
    pub tenant: Option<TenantFacts>,
    /// The internal object.
    pub internal: Option<InternalFacts>,
    /// The service object.
    pub service: Option<ServiceFacts>,
    /// The list in which each level was seen last.
    pub seen_in: [u16; 3],
    /// Whether a server has answered that the tenant object is gone, and the watch has not told so yet.
    pub is_end_untold: bool,
    /// The results of our writes.
    pub memory: Memory,
    /// How the instance stands.
    pub verdict: Option<Arc<Verdict>>,
    /// Whether a copy is left without a tenant object.
    pub orphan: bool,
    /// What is rarely there.
    pub rare: Option<Box<Rare>>,
    /// Since when it has not been in step.
    pub unsynced_since: Since,
    /// Since when a status has not been copied.
    pub status_since: Since,
}

/// The time since which something lasts, to the millisecond, or that it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Since(Option<NonZero<u64>>);

impl Since {
    /// Begins now, if it has not begun before.
    pub(crate) fn begin(&mut self, now: Moment) {
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.0 = self.0.or(NonZero::new(millis.saturating_add(1)));
    }

    /// How long it has lasted, if it does.
    #[must_use]
    pub(crate) fn lasted(self, now: Moment) -> Option<Duration> {
        Some(now.saturating_sub(Duration::from_millis(self.0?.get() - 1)))
    }

    /// Ends it, and returns how long it lasted.
    pub(crate) fn end(&mut self, now: Moment) -> Option<Duration> {
        std::mem::take(self).lasted(now)
    }
}

/// What only few instances have: those in work, and those that fail.
#[derive(Debug, Default)]
pub(crate) struct Rare {
    /// Bodies that events brought, until they have been worked on.
    pub bodies: [Option<Arc<Value>>; 3],
    /// The last version of the object of each level that is known to be gone: answers and events that tell of it, or of
    /// an earlier one, come too late.
    pub gone_at: [u64; 3],
    /// The corrections of the copy.
    pub corrections: Corrections,
    /// How often it failed in a row.
    pub failures: u32,
    /// When what failed is tried again.
    pub retry_at: Option<Moment>,
    /// The deletion policy that is not allowed and of which an event has told.
    pub told_policy: Option<Box<str>>,
}

impl Record {
    /// An instance of which nothing is known.
    #[must_use]
    pub(crate) fn new(service_id: u32, namespace: Arc<str>, name: Arc<str>, home: Home) -> Self {
        Self {
            service_id,
            namespace,
            name,
            home,
            tenant: None,
            internal: None,
            service: None,
            seen_in: [0; 3],
            is_end_untold: false,
            memory: Memory::default(),
            verdict: None,
            orphan: false,
            rare: None,
            unsynced_since: Since::default(),
            status_since: Since::default(),
        }
    }

    /// What every object has, of that on a level.
    #[must_use]
    pub(crate) fn seen(&self, level: Level) -> Option<&Seen> {
        match level {
            Level::Tenant => self.tenant.as_ref().map(|facts| &facts.seen),
            Level::Internal => self.internal.as_ref().map(|facts| &facts.seen),
            Level::Service => self.service.as_ref().map(|facts| &facts.seen),
        }
    }

    /// The resource version of the object on a level.
    #[must_use]
    pub(crate) fn version(&self, level: Level) -> Option<u64> {
        self.seen(level).map(|seen| seen.version)
    }

    /// Remembers that the object of a level ended after this version.
    pub(crate) fn ends(&mut self, level: Level, version: u64) {
        if version > 0 {
            let known = &mut self.rare().gone_at[level as usize];
            *known = version.max(*known);
        }
    }

    /// The last version of the object of a level that is known to be gone; 0 where none is.
    #[must_use]
    pub(crate) fn gone_at(&self, level: Level) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.gone_at[level as usize])
    }

    /// Whether nothing is known of it, so that it need not be kept.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.tenant.is_none() && self.internal.is_none() && self.service.is_none() && !self.is_end_untold
    }

    /// What is rarely there, made where it is needed.
    pub(crate) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Forgets the bodies, and all that is over.
    pub(crate) fn tidy(&mut self, now: Moment) {
        let Some(rare) = &mut self.rare else { return };
        rare.bodies = Default::default();
        if !self.memory.service.is_overwritten() && rare.corrections.is_over(now) {
            rare.corrections = Corrections::default();
        }
        if rare.failures == 0
            && rare.retry_at.is_none()
            && rare.told_policy.is_none()
            && rare.gone_at == [0; 3]
            && rare.corrections == Corrections::default()
        {
            self.rare = None;
        }
    }

    /// Remembers a failure, and returns when to try again. `chance` is between 0 and 1; `least` is what the server asks
    /// for.
    pub(crate) fn failed(&mut self, now: Moment, chance: f64, least: Duration, longest: Duration) -> Moment {
        let rare = self.rare();
        let ceiling = 2_u32.checked_pow(rare.failures).and_then(|times| FIRST_PAUSE.checked_mul(times));
        let ceiling = ceiling.unwrap_or(longest).min(longest);
        rare.failures = rare.failures.saturating_add(1);
        // Half of the pause is certain, so that a refusal is not repeated at once.
        let at = now + least + ceiling.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        rare.retry_at = Some(at);
        at
    }

    /// Remembers that nothing fails any more.
    pub(crate) fn recovered(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.failures = 0;
            rare.retry_at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Allocators round up to sizes such as 768, 896 and 1,024.
    #[test]
    fn a_record_is_small() {
        let parts =
            [size_of::<TenantFacts>(), size_of::<InternalFacts>(), size_of::<ServiceFacts>(), size_of::<Memory>()];
        assert!(size_of::<Record>() <= 768, "{} of {parts:?}", size_of::<Record>());
    }

    #[test]
    fn what_lasts_has_begun_once() {
        let mut since = Since::default();
        let at = Duration::from_secs;
        assert_eq!((since.lasted(at(9)), since.end(at(9))), (None, None));
        since.begin(Duration::ZERO);
        since.begin(at(5));
        assert_eq!((since.lasted(at(9)), since.end(at(9)), since.end(at(9))), (Some(at(9)), Some(at(9)), None));
    }
}
