//! The breaker: many deletions at once stop and ask. Pure; times are the time since the process began.

use std::collections::VecDeque;
use std::time::Duration;

use super::queue::Moment;

/// When deletions are held: more than `count` and more than `share` percent of the instances of a service within
/// `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threshold {
    count: usize,
    share: usize,
    window: Duration,
}

impl Default for Threshold {
    fn default() -> Self {
        Self { count: 5, share: 20, window: Duration::from_mins(10) }
    }
}

impl Threshold {
    /// Reads the annotation `carrier.kubecarrier.io/deletion-breaker`, such as `5,20%,10m`.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',').map(str::trim);
        let (count, share, window) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let share = share.strip_suffix('%')?.trim().parse().ok().filter(|share| *share <= 100)?;
        let (number, unit) = window.split_at_checked(window.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        let window =
            number.parse::<u64>().ok()?.checked_mul(seconds).filter(|seconds| (1..=86_400).contains(seconds))?;
        Some(Self { count: count.parse().ok()?, share, window: Duration::from_secs(window) })
    }
}

/// The deletions of one service.
#[derive(Debug, Clone, Default)]
pub(crate) struct Breaker {
    done: VecDeque<Moment>,
}

impl Breaker {
    /// Remembers a deletion that was finished and that nobody approved.
    pub(crate) fn deleted(&mut self, now: Moment) {
        self.done.push_back(now);
    }

    /// Whether deletions are held, with `instances` tenant objects there, of which `deleting` are in deletion without
    /// approval.
    pub(crate) fn holds(&mut self, threshold: &Threshold, instances: usize, deleting: usize, now: Moment) -> bool {
        while self.done.front().is_some_and(|at| *at + threshold.window <= now) {
            self.done.pop_front();
        }
        let (gone, all) = (deleting + self.done.len(), instances + self.done.len());
        gone > threshold.count && gone * 100 > all * threshold.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn many_and_a_large_share_are_held() {
        let threshold = Threshold::default();
        let holds = |instances, deleting| Breaker::default().holds(&threshold, instances, deleting, Moment::ZERO);
        assert!(!holds(5, 5), "few");
        assert!(holds(6, 6));
        assert!(!holds(100, 20), "a small share");
        assert!(holds(100, 21));
    }

    #[test]
    fn those_that_are_done_count_for_a_while() {
        let threshold = Threshold::default();
        let mut breaker = Breaker::default();
        (0..5).for_each(|_| breaker.deleted(Moment::ZERO));
        assert!(breaker.holds(&threshold, 10, 1, MINUTE * 9));
        assert!(!breaker.holds(&threshold, 10, 1, MINUTE * 10));
    }

    #[test]
    fn the_annotation_is_read_or_refused() {
        let minute = Threshold { count: 3, share: 50, window: MINUTE };
        assert_eq!(Threshold::parse("3, 50%, 60s"), Some(minute));
        assert_eq!(Threshold::parse("3,50%,1m"), Some(minute));
        assert_eq!(Threshold::parse("5,20%,10m"), Some(Threshold::default()));
        for wrong in ["", "5", "5,20,10m", "5,120%,10m", "5,20%,10", "5,20%,0s", "5,20%,10m,1", "-1,20%,10m", "5,20%,é"]
        {
            assert_eq!(Threshold::parse(wrong), None, "{wrong}");
        }
    }
}
