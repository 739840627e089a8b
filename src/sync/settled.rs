//! What is remembered of a write that succeeded. Pure.

use super::digest::Digest;
use super::facts::Facts;
use super::queue::Moment;
use super::record::Record;

/// What to remember of a write.
#[derive(Debug)]
pub(crate) enum Settled {
    /// Nothing.
    Nothing,
    /// A copy was applied.
    Copy {
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
    InternalStatus(Digest),
    /// The status of the tenant object was written.
    TenantStatus(Digest),
}

/// Takes what a write said into an instance's memory.
pub(crate) fn remember(settled: Settled, facts: &Facts, record: &mut Record, now: Moment) {
    match (settled, facts) {
        (Settled::Copy { wants, overwritten, corrected }, Facts::Internal(_) | Facts::Service(_)) => {
            if let Some(culprit) = corrected {
                record.rare().corrections.corrected(now, culprit);
            }
            let is_overwritten = overwritten.is_some();
            if let Some(culprit) = overwritten {
                record.rare().corrections.overwritten(now, culprit);
            }
            match facts {
                Facts::Internal(facts) => record.memory.internal.settle(wants, facts.owned, is_overwritten),
                Facts::Service(facts) => record.memory.service.settle(wants, facts.owned, is_overwritten),
                Facts::Tenant(_) => {}
            }
        }
        (Settled::Exposed { wants }, Facts::Internal(facts)) => {
            record.memory.settle_exposed(wants, facts.exposed);
        }
        (Settled::InternalStatus(wanted), Facts::Internal(facts)) => {
            record.memory.internal_status.settle(wanted, facts.status);
        }
        (Settled::TenantStatus(wanted), Facts::Tenant(facts)) => {
            record.memory.tenant_status.settle(wanted, facts.status);
        }
        _ => {}
    }
}
