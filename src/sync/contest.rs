//! Fields that somebody keeps changing in the service cluster: corrected a few times, then less and less often, and
//! shown. Pure; times are the time since the process began.

use std::collections::VecDeque;
use std::time::Duration;

use super::queue::Moment;

/// How many corrections of one object count as normal.
const NORMAL: usize = 5;
/// In this time.
const WINDOW: Duration = Duration::from_mins(10);
/// The first pause after that; it doubles.
const PAUSE: Duration = Duration::from_secs(10);
/// The longest pause.
const LONGEST: Duration = Duration::from_mins(5);

/// The corrections of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Corrections {
    done: VecDeque<Moment>,
    pause: Duration,
    until: Moment,
    culprit: String,
}

impl Corrections {
    /// Remembers a correction, and who made it necessary.
    pub(crate) fn corrected(&mut self, now: Moment, culprit: String) {
        self.forget_old(now);
        self.done.push_back(now);
        self.culprit = culprit;
        if self.done.len() > NORMAL {
            self.pause = (self.pause * 2).clamp(PAUSE, LONGEST);
            self.until = now + self.pause;
        }
    }

    /// Remembers that the server stores other values than were sent: that is known at the first write.
    pub(crate) fn overwritten(&mut self, now: Moment, culprit: String) {
        self.culprit = culprit;
        self.until = now;
    }

    /// Until when nothing is corrected, and who is at fault.
    #[must_use]
    pub(crate) fn backing_off(&self, now: Moment) -> Option<(Moment, &str)> {
        (self.until > now).then_some((self.until, &*self.culprit))
    }

    /// Who is at fault.
    #[must_use]
    pub(crate) fn culprit(&self) -> Option<&str> {
        (!self.culprit.is_empty()).then_some(&*self.culprit)
    }

    /// Whether there is nothing to remember any more.
    pub(crate) fn is_over(&mut self, now: Moment) -> bool {
        self.forget_old(now);
        self.done.is_empty() && self.until <= now
    }

    fn forget_old(&mut self, now: Moment) {
        // Pauses may be as long as half of the window: once there is one, all count until a window without corrections.
        let is_over = self.done.back().is_none_or(|last| *last + WINDOW <= now);
        if is_over {
            self.done.clear();
            self.pause = Duration::ZERO;
        } else if self.pause == Duration::ZERO {
            while self.done.front().is_some_and(|at| *at + WINDOW <= now) {
                self.done.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_some_corrections_each_takes_longer() {
        let mut corrections = Corrections::default();
        for second in 0..5 {
            corrections.corrected(Moment::from_secs(second), "spec.size by kubectl".to_owned());
            assert_eq!(corrections.backing_off(Moment::from_secs(second)), None);
        }
        let mut now = Moment::from_secs(5);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            corrections.corrected(now, "spec.size by kubectl".to_owned());
            let (until, culprit) = corrections.backing_off(now).unwrap();
            assert_eq!(culprit, "spec.size by kubectl");
            pauses.push(until.saturating_sub(now).as_secs());
            now = until;
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300]);
        assert!(!corrections.is_over(now));
        assert!(corrections.is_over(now + WINDOW));
        corrections.corrected(now + WINDOW, "x".to_owned());
        assert_eq!(corrections.backing_off(now + WINDOW), None, "it begins anew");
    }
}
