//! How long Leases last. Pure.
//!
//! For safety, [`Timing::duration`] is longer than [`Timing::renew_deadline`] and [`Timing::write_deadline`] together:
//! a write that begins under a permit ends before another replica may take the Lease. Others wait for
//! [`Timing::drift`] longer, since no two clocks go at the same pace. A replica that dies costs its clusters one
//! duration, the drift and one request: less than 15 s.

use std::time::Duration;

/// The durations of Leases and of the requests about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// A Lease that nobody saw change for so long has expired. Whole seconds.
    pub duration: Duration,
    /// By so much the clocks of two replicas may drift apart in that time: 4 %, where clocks that NTP disciplines differ by
    /// less than 0.1 %. What they show does not matter.
    pub drift: Duration,
    /// A Lease is renewed so often.
    pub renew_every: Duration,
    /// The deadline of a request about Leases.
    pub renew_deadline: Duration,
    /// The deadline of a write under a permit.
    pub write_deadline: Duration,
    /// The pause after a request that failed.
    pub pause: Duration,
    /// A Lease that is free for so long is taken even by a replica whose turn it is not.
    pub grace: Duration,
    /// The Lease of a replica that is dead for so long is removed.
    pub forget: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(11),
            drift: Duration::from_millis(500),
            renew_every: Duration::from_secs(3),
            renew_deadline: Duration::from_secs(3),
            write_deadline: Duration::from_secs(5),
            pause: Duration::from_millis(500),
            grace: Duration::from_secs(6),
            forget: Duration::from_mins(10),
        }
    }
}

impl Timing {
    /// How long writes may begin, from the start of the renewal that gave the permit.
    #[must_use]
    pub fn permit(&self) -> Duration {
        self.duration.saturating_sub(self.write_deadline)
    }

    /// How long the Lease of another must not have been seen to change before it is taken. `says` is the duration in it:
    /// another version of carrier may have other ones.
    #[must_use]
    pub fn expiry(&self, says: Duration) -> Duration {
        says.max(self.duration) + self.drift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_safe_and_fast() {
        let t = Timing::default();
        assert!(t.duration > t.renew_deadline + t.write_deadline);
        // A renewal that takes as long as it may does not interrupt the permit.
        assert!(t.permit() >= t.renew_every + t.renew_deadline);
        assert!(t.expiry(Duration::ZERO) + t.renew_deadline < Duration::from_secs(15));
        assert!(t.drift * 25 > t.duration, "4 %");
        assert_eq!(t.duration.subsec_nanos(), 0);
    }
}
