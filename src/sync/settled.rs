//! What is remembered of a write that succeeded. Pure.

use super::digest::Digest;
use super::index::Facts;
use super::level::Level;
use super::memory::Refused;
use super::queue::Moment;
use super::record::Record;
use super::status::StatusFacts;
use super::step::StatusFrom;

/// What to remember of a write.
#[derive(Debug)]
pub(crate) enum Settled {
    /// Nothing.
    Nothing,
    /// A copy was applied.
    Copy {
        /// The level.
        level: Level,
        /// What was wanted.
        wants: Digest,
        /// Who stores another value, where somebody does.
        overwritten: Option<String>,
        /// Who made the correction necessary, where it was one.
        corrected: Option<String>,
    },
    /// Exposed fields of others were removed.
    Exposed {
        /// The exposed part that is wanted.
        wants: Digest,
    },
    /// The status of the internal object was written.
    InternalStatus(StatusFacts),
    /// The status of the tenant object was written, from there.
    TenantStatus(StatusFacts, StatusFrom),
}

impl Settled {
    /// Whether a write like the one that was refused has succeeded.
    fn answers(&self, refused: &Refused) -> bool {
        !refused.finalizer
            && match self {
                Self::Nothing => false,
                Self::Copy { level, .. } => refused.level == *level,
                Self::Exposed { .. } | Self::InternalStatus(_) => refused.level == Level::Internal,
                Self::TenantStatus(_, from) => refused.level == Level::Tenant && *from == StatusFrom::Service,
            }
    }
}

/// Takes what a write said into an instance's memory.
pub(crate) fn remember(settled: Settled, facts: &Facts, record: &mut Record, now: Moment) {
    // Not by the write that tells of the refusal: the same would be tried again at once.
    if record.memory.refused.as_ref().is_some_and(|refused| settled.answers(refused)) {
        record.memory.refused = None;
        record.recovered();
    }
    match (settled, facts) {
        (Settled::Copy { level, wants, overwritten, corrected }, Facts::Copy(facts)) => {
            if let Some(culprit) = corrected {
                record.rare().corrections.corrected(now, culprit);
            }
            let is_overwritten = overwritten.is_some();
            if let Some(culprit) = overwritten {
                record.rare().corrections.overwritten(now, culprit);
            }
            let memory = if level == Level::Service { &mut record.memory.service } else { &mut record.memory.internal };
            memory.settle(wants, facts.owned, is_overwritten);
        }
        (Settled::Exposed { wants }, Facts::Copy(facts)) => {
            record.memory.internal.settle_exposed(wants, facts.exposed);
        }
        (Settled::InternalStatus(wanted), Facts::Copy(facts)) => {
            record.memory.internal_status.settle(wanted, facts.status.clone());
        }
        (Settled::TenantStatus(wanted, _), Facts::Tenant(facts)) => {
            record.memory.tenant_status.settle(wanted, facts.status.clone());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::sync::verdict::{Reason, Verdict};

    fn refused(level: Level, finalizer: bool) -> Refused {
        let verdict = Verdict::new(Reason::Rejected, "no");
        Refused { level, finalizer, wants: Digest::of(&Value::Null), version: 7, verdict }
    }

    #[test]
    fn the_write_that_tells_of_a_refusal_does_not_end_it() {
        let facts = || StatusFacts::of(None);
        let told = Settled::TenantStatus(facts(), StatusFrom::Itself);
        for level in [Level::Tenant, Level::Internal, Level::Service] {
            assert!(!told.answers(&refused(level, false)) && !told.answers(&refused(Level::Tenant, true)));
        }
        let copied = Settled::TenantStatus(facts(), StatusFrom::Service);
        assert!(copied.answers(&refused(Level::Tenant, false)) && !copied.answers(&refused(Level::Service, false)));
        let wants = Digest::of(&Value::Null);
        let applied = Settled::Copy { level: Level::Service, wants, overwritten: None, corrected: None };
        assert!(applied.answers(&refused(Level::Service, false)) && !applied.answers(&refused(Level::Internal, false)));
        assert!(!Settled::Nothing.answers(&refused(Level::Tenant, true)));
    }

    #[test]
    fn a_refused_finalizer_is_tried_again_for_another_generation() {
        let wants = Digest::of(&Value::Null);
        let finalizer = refused(Level::Tenant, true);
        assert!(finalizer.is_the_finalizer(wants, 7) && !finalizer.is_the_finalizer(wants, 8));
        assert!(!finalizer.is_the_same(Level::Tenant, wants, 7));
        assert!(!refused(Level::Tenant, false).is_the_finalizer(wants, 7));
    }
}
