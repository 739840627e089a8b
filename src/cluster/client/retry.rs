//! The one backoff of requests and watches: exponential, with full jitter. Pure; chance is an argument.
//!
//! Ours, since no crate in the tree has full jitter: `backon` adds chance to a fixed pause, and clients
//! that lost one server together come back to it together.

use std::time::Duration;

/// The longest pause that a server can ask for. What a server sends is not trusted: `Retry-After` may be any
/// number, and a watch has no deadline that would end the pause.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);

/// The pauses between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Pauses of up to `first`, then up to twice that, and so on up to `longest`.
    #[must_use]
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// The pause after one more failure: a share of the longest pause for now, and never less than the
    /// server asks for, up to 5 minutes. `chance` is between 0 and 1.
    pub(crate) fn pause(&mut self, chance: f64, retry_after: Option<Duration>) -> Duration {
        let ceiling = 2_u32.checked_pow(self.failures).and_then(|times| self.first.checked_mul(times));
        let ceiling = ceiling.unwrap_or(self.longest).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
        asked.saturating_add(ceiling.mul_f64(chance.clamp(0.0, 1.0)))
    }

    /// Begins anew after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The number of failures since the last success.
    #[must_use]
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn pauses_grow_to_the_longest_and_begin_anew() {
        let mut backoff = Backoff::new(MS * 200, MS * 1_000);
        let pauses: Vec<Duration> = (0..5).map(|_| backoff.pause(1.0, None)).collect();
        assert_eq!(pauses, [200, 400, 800, 1_000, 1_000].map(Duration::from_millis));
        backoff.reset();
        assert_eq!(backoff.pause(1.0, None), MS * 200);
        let mut many = Backoff { failures: u32::MAX, ..backoff };
        assert_eq!((many.pause(1.0, None), many.failures()), (MS * 1_000, u32::MAX));
    }

    #[test]
    fn jitter_is_full() {
        let pause = |chance| Backoff::new(MS * 200, MS * 1_000).pause(chance, None);
        assert_eq!((pause(0.0), pause(0.5), pause(7.0)), (Duration::ZERO, MS * 100, MS * 200));
    }

    #[test]
    fn a_server_is_not_asked_sooner_than_it_wants() {
        let pause = |chance| Backoff::new(MS * 200, MS * 1_000).pause(chance, Some(MS * 3_000));
        assert_eq!((pause(0.0), pause(1.0)), (MS * 3_000, MS * 3_200));
    }

    #[test]
    fn a_server_cannot_ask_for_a_pause_without_end() {
        let asked = Some(Duration::from_secs(u64::MAX));
        let pause = Backoff::new(MS * 200, MS * 1_000).pause(1.0, asked);
        assert_eq!(pause, LONGEST_RETRY_AFTER + MS * 200);
    }
}
