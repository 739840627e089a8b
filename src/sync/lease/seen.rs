//! The Leases as this replica has seen them, and whose they are by now. Pure; times are those of this process's
//! monotonic clock, since any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::record::Record;
use super::timing::Timing;

/// Who this process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Me {
    /// The name of the replica.
    pub replica: String,
    /// This process; no other has the same.
    pub process: String,
    /// Whether a Lease that another process of the same replica holds, and that was there when this one began, is
    /// its own: that process was killed.
    pub inherits: bool,
}

impl Me {
    /// Whether a Lease is held by this very process.
    #[must_use]
    pub(crate) fn holds(&self, record: &Record) -> bool {
        record.holder == self.replica && record.process == self.process
    }
}

/// Whose a Lease is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// This process's.
    Mine,
    /// An earlier process's of this replica.
    Inherited,
    /// Another's, or of somebody whom this replica waits for.
    Other(String),
    /// Nobody's since then.
    Vacant(Duration),
}

/// A Lease as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// What it says; absent after it was deleted.
    record: Option<Record>,
    /// When it was seen to change.
    since: Duration,
    /// Whether it is as it was in the first list.
    is_first: bool,
    /// Whether its holder was seen to renew it.
    renewed: bool,
    /// Who held it before, and did not give it back.
    earlier: Option<Earlier>,
}

/// A holder that was seen, and was not seen to give its Lease back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Earlier {
    last: Record,
    since: Duration,
}

/// All Leases.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenLeases {
    all: BTreeMap<String, Seen>,
    /// The names in the list under way.
    listing: Option<BTreeSet<String>>,
    /// Whether a list has been complete.
    listed: bool,
    /// When the last list but the first was complete.
    relisted: Option<Duration>,
    /// Whether the watch has been lost since the last list.
    lost: bool,
}

impl SeenLeases {
    /// A list begins.
    pub(crate) fn restarted(&mut self) {
        self.listing = Some(BTreeSet::new());
    }

    /// A list or a watch tells of a Lease. What is older than what is known is not news: an answer to a write may come
    /// before the events that led to it.
    pub(crate) fn told(&mut self, name: &str, record: Record, now: Duration) {
        if let Some(listing) = &mut self.listing {
            listing.insert(name.to_owned());
        }
        let known = self.record(name);
        if !known.is_some_and(|known| record.is_older_than(known)) {
            self.learned(name, Some(record), now);
        }
    }

    /// A watch tells that a Lease was deleted, and what it said at last.
    pub(crate) fn deleted(&mut self, name: &str, last: &Record, now: Duration) {
        if self.record(name).is_some_and(|known| !last.is_older_than(known)) {
            self.learned(name, None, now);
        }
    }

    /// The list is complete: what is not in it is not there.
    pub(crate) fn completed(&mut self, now: Duration) {
        let listing = self.listing.take().unwrap_or_default();
        let gone = self.all.iter().filter(|(name, seen)| seen.record.is_some() && !listing.contains(*name));
        let gone: Vec<String> = gone.map(|(name, _)| name.clone()).collect();
        for name in gone {
            self.learned(&name, None, now);
        }
        if self.listed {
            self.relisted = Some(now);
        }
        self.listed = true;
        self.found(now);
    }

    /// The watch failed. What others do with their Leases cannot be seen.
    pub(crate) fn lost(&mut self) {
        self.lost = true;
    }

    /// The watch goes on. Nobody could be seen to renew a Lease in the meantime, so all have their whole duration from
    /// now on; else each restart of the API server would shuffle the clusters.
    pub(crate) fn found(&mut self, now: Duration) {
        if std::mem::take(&mut self.lost) {
            for seen in self.all.values_mut() {
                seen.since = now;
            }
        }
    }

    /// What the server answers about a Lease: the newest there is.
    pub(crate) fn learned(&mut self, name: &str, record: Option<Record>, now: Duration) {
        let first = Seen { record: None, since: now, is_first: !self.listed, renewed: false, earlier: None };
        let seen = self.all.entry(name.to_owned()).or_insert(first);
        if let (Some(known), Some(record)) = (&seen.record, &record) {
            if known.version == record.version {
                return;
            }
            seen.renewed = known.holder == record.holder && known.process == record.process;
            seen.is_first = false;
        }
        if record.is_none() {
            seen.is_first = false;
            seen.renewed = false;
        }
        if let Some(before) = seen.record.take() {
            let goes_on = record.as_ref().is_some_and(|r| r.holder == before.holder && r.process == before.process);
            if !goes_on {
                let since = if record.is_none() { now } else { seen.since };
                seen.earlier = (!before.holder.is_empty()).then_some(Earlier { last: before, since });
            }
        }
        seen.record = record;
        seen.since = now;
    }

    /// Whether the process that held a Lease before may still believe that it does. A request of ours that took long may
    /// have taken the Lease after somebody deleted it.
    #[must_use]
    pub(crate) fn is_disputed(&self, name: &str, me: &Me, timing: &Timing, now: Duration) -> bool {
        let earlier = self.all.get(name).and_then(|seen| seen.earlier.as_ref());
        earlier.is_some_and(|earlier| {
            !me.holds(&earlier.last) && now < earlier.since + timing.expiry(earlier.last.duration)
        })
    }

    /// Whether a list has been complete: before that nothing can be said of what was not seen.
    #[must_use]
    pub(crate) fn is_listed(&self) -> bool {
        self.listed
    }

    /// What a Lease says, if it is there.
    #[must_use]
    pub(crate) fn record(&self, name: &str) -> Option<&Record> {
        self.all.get(name)?.record.as_ref()
    }

    /// Whether its holder was seen to renew it.
    #[must_use]
    pub(crate) fn was_renewed(&self, name: &str) -> bool {
        self.all.get(name).is_some_and(|seen| seen.renewed)
    }

    /// The Leases that are there, with when each was seen to change.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Record, Duration)> {
        self.all.iter().filter_map(|(name, seen)| Some((name.as_str(), seen.record.as_ref()?, seen.since)))
    }

    /// Whose a Lease is.
    #[must_use]
    pub(crate) fn standing(&self, name: &str, me: &Me, timing: &Timing, now: Duration) -> Standing {
        let Some(seen) = self.all.get(name) else {
            // Between two lists a Lease may have been made and deleted, and whoever held it may not know.
            return self
                .relisted
                .map_or(Standing::Vacant(Duration::ZERO), |at| until(at + timing.expiry(Duration::ZERO), now, ""));
        };
        let Some(record) = &seen.record else {
            // Whoever held it may not know yet that it was deleted.
            return until(seen.since + timing.expiry(Duration::ZERO), now, "");
        };
        if record.holder.is_empty() {
            return Standing::Vacant(seen.since);
        }
        if me.holds(record) {
            return Standing::Mine;
        }
        if record.holder == me.replica && me.inherits && seen.is_first {
            return Standing::Inherited;
        }
        until(self.expiry(name, me, timing).unwrap_or(now), now, &record.holder)
    }

    /// When a Lease expires that another process holds, if it is not renewed.
    #[must_use]
    pub(crate) fn expiry(&self, name: &str, me: &Me, timing: &Timing) -> Option<Duration> {
        let seen = self.all.get(name)?;
        let Some(record) = &seen.record else { return Some(seen.since + timing.expiry(Duration::ZERO)) };
        // A process of the same replica that lives is seen to renew; one that is gone is not waited for as long as
        // one of another replica.
        if record.holder == me.replica && !me.inherits && !seen.renewed {
            return Some(seen.since + timing.renew_every * 2 + timing.pause);
        }
        Some(seen.since + timing.expiry(record.duration))
    }
}

fn until(end: Duration, now: Duration, holder: &str) -> Standing {
    if now >= end { Standing::Vacant(end) } else { Standing::Other(holder.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);
    const DRIFT: Duration = Duration::from_millis(500);

    fn me(inherits: bool) -> Me {
        Me { replica: "a".into(), process: "2".into(), inherits }
    }

    fn record(version: &str, holder: &str, process: &str) -> Record {
        Record { version: version.into(), holder: holder.into(), process: process.into(), ..Record::default() }
    }

    fn listed(record: Record) -> SeenLeases {
        let mut seen = SeenLeases::default();
        seen.restarted();
        seen.told("l", record, S);
        seen.completed(S);
        seen
    }

    fn standing(seen: &SeenLeases, me: &Me, now: Duration) -> Standing {
        seen.standing("l", me, &Timing::default(), now)
    }

    #[test]
    fn a_lease_expires_when_it_was_not_seen_to_change() {
        let mut seen = listed(record("1", "b", "x"));
        assert_eq!(standing(&seen, &me(true), S * 12), Standing::Other("b".into()));
        assert_eq!(standing(&seen, &me(true), S * 13), Standing::Vacant(S * 12 + DRIFT));
        seen.told("l", record("2", "b", "x"), S * 13);
        assert_eq!(standing(&seen, &me(true), S * 23), Standing::Other("b".into()));
        assert!(seen.was_renewed("l"));
        // While nothing could be seen nothing expires.
        seen.lost();
        seen.found(S * 60);
        assert_eq!(standing(&seen, &me(true), S * 70), Standing::Other("b".into()));
        seen.told("l", Record { duration: S * 3600, ..record("3", "hand", "") }, S * 60);
        assert_eq!(standing(&seen, &me(true), S * 3600), Standing::Other("hand".into()));
    }

    #[test]
    fn the_slowest_clock_ends_its_writes_before_the_fastest_takes_the_lease() {
        let seen = listed(record("1", "b", "x"));
        // The last write ends with the duration, by the clock of the holder, which loses 2 %; ours gains 2 %.
        let end = Timing::default().duration * 1_000 / 980;
        assert_eq!(standing(&seen, &me(true), S + end * 1_020 / 1_000), Standing::Other("b".into()));
    }

    #[test]
    fn what_a_killed_process_of_the_same_name_held_is_ours_at_once() {
        let mut seen = listed(record("1", "a", "1"));
        assert_eq!(standing(&seen, &me(true), S), Standing::Inherited);
        // Who renews is not dead.
        seen.told("l", record("2", "a", "1"), S * 2);
        assert_eq!(standing(&seen, &me(true), S * 3), Standing::Other("a".into()));
        seen.told("l", record("3", "a", "2"), S * 4);
        assert_eq!(standing(&seen, &me(true), S * 99), Standing::Mine);
    }

    #[test]
    fn a_single_run_waits_for_a_sign_of_life() {
        let mut seen = listed(record("1", "a", "1"));
        assert_eq!(standing(&seen, &me(false), S), Standing::Other("a".into()));
        assert!(matches!(standing(&seen, &me(false), S * 8), Standing::Vacant(_)));
        seen.told("l", record("2", "a", "1"), S * 4);
        assert_eq!(standing(&seen, &me(false), S * 14), Standing::Other("a".into()));
    }

    #[test]
    fn old_news_is_none() {
        let mut seen = listed(record("9", "b", "x"));
        seen.learned("l", Some(record("11", "a", "2")), S);
        seen.told("l", record("10", "", ""), S);
        seen.deleted("l", &record("10", "", ""), S);
        assert_eq!(standing(&seen, &me(true), S), Standing::Mine);
        seen.deleted("l", &record("12", "a", "2"), S * 2);
        assert_eq!(standing(&seen, &me(true), S * 13), Standing::Other(String::new()), "its holder may not know");
        assert_eq!(standing(&seen, &me(true), S * 14), Standing::Vacant(S * 13 + DRIFT));
    }

    #[test]
    fn what_a_new_list_lacks_is_gone() {
        let mut seen = listed(record("9", "", ""));
        assert_eq!(standing(&seen, &me(true), S), Standing::Vacant(S));
        seen.restarted();
        seen.completed(S * 2);
        assert_eq!(seen.record("l"), None);
        // `other` may have been made and deleted since the first list.
        let other = |now| seen.standing("other", &me(true), &Timing::default(), now);
        assert_eq!(other(S * 13), Standing::Other(String::new()));
        assert_eq!(other(S * 14), Standing::Vacant(S * 13 + DRIFT));
    }
}
