//! When this replica takes, renews and gives Leases. Pure: in go what was seen and the time since any moment by the
//! monotonic clock of this process, out come requests.
//!
//! A cluster may be written to from the start of a request that took or renewed its Lease, and for
//! [`Timing::permit`]; and no longer once the Lease is being given back or was seen in other hands.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::names;
use super::record::{Record, Wanted};
use super::seen::{Me, SeenLeases, Standing};
use super::share::{self, Scene};
use super::timing::Timing;
use crate::model::cluster::ClusterId;

/// A request about a Lease. While one is under way there is no other about the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Writes it. `replaces` is the UID and the resource version that it must have; absent, it must not exist.
    Write { lease: String, replaces: Option<(String, String)>, wanted: Wanted },
    /// Reads it.
    Read { lease: String },
    /// Deletes it in exactly this state.
    Remove { lease: String, uid: String, version: String },
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was written, and says this now.
    Written(Record),
    /// It says this, or is not there.
    Read(Option<Record>),
    /// It was deleted.
    Removed,
    /// It is not as the request wants it.
    Conflict,
    /// Anything else: it may have been done or not.
    Failed,
}

/// How long a cluster may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permit {
    /// Writes may begin before this time; absent while the Lease is given back.
    pub begin_until: Option<Duration>,
    /// They must end before this time.
    pub end_until: Duration,
}

/// A Lease that this replica has to do with.
#[derive(Debug, Clone, Default)]
struct Own {
    /// Whether a request is under way.
    busy: bool,
    /// The start of the last request that took or renewed it.
    granted: Option<Duration>,
    /// Whether it is given back.
    giving: bool,
    /// Whether it has to be read first.
    unsure: bool,
    /// It is not given to others before this time.
    fixed_until: Duration,
    /// Writes of the process that held it before may be under way until this time.
    last_writes_until: Duration,
    /// Nothing is asked before this time.
    not_before: Duration,
    /// How many requests failed in a row.
    failures: u32,
}

/// How long a Lease stays where it is that a replica took although it was another's turn: that one lags, and would be
/// given the Lease at once, and lag again. Not longer, since shares are to be even within 30 s.
const FIXED: Duration = Duration::from_secs(15);

/// The Leases, and what this replica does with them.
#[derive(Debug, Clone)]
pub(crate) struct Leases {
    me: Me,
    timing: Timing,
    /// Whether the clusters are shared with other replicas; else all are wanted, until the work is done.
    shares: bool,
    only: Option<BTreeSet<ClusterId>>,
    member: String,
    seen: SeenLeases,
    clusters: BTreeMap<String, (ClusterId, Duration)>,
    own: BTreeMap<String, Own>,
    stopping: bool,
}

impl Leases {
    /// A replica that knows nothing yet. `only` are the clusters that it is limited to. One that does not share is
    /// there for one pass over the clusters, and is no member of those that share.
    #[must_use]
    pub(crate) fn new(me: Me, shares: bool, only: Option<BTreeSet<ClusterId>>, timing: Timing) -> Self {
        let member = names::of_member(&me.replica);
        let (seen, clusters, own) = (SeenLeases::default(), BTreeMap::new(), BTreeMap::new());
        Self { me, timing, shares, only, member, seen, clusters, own, stopping: false }
    }

    /// What was seen, to add to it.
    pub(crate) fn seen(&mut self) -> &mut SeenLeases {
        &mut self.seen
    }

    /// These are the service clusters that there are.
    pub(crate) fn clusters(&mut self, all: &BTreeSet<ClusterId>, now: Duration) {
        let before = std::mem::take(&mut self.clusters);
        let named = all.iter().map(|id| (names::of_cluster(id), id));
        self.clusters = named
            .map(|(name, id)| {
                let since = before.get(&name).map_or(now, |(_, since)| *since);
                (name, (id.clone(), since))
            })
            .collect();
    }

    /// From here on all Leases are given back.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
    }

    /// Whether nothing is held any more, and nothing under way.
    #[must_use]
    pub(crate) fn is_stopped(&self) -> bool {
        let holds = self.seen.iter().any(|(_, record, _)| self.me.holds(record));
        self.stopping && !holds && self.own.values().all(|own| !own.busy)
    }

    /// What is done now. `is_quiet` says whether no write to a cluster is under way.
    #[must_use]
    pub(crate) fn next(&mut self, now: Duration, is_quiet: &dyn Fn(&ClusterId) -> bool) -> Vec<Action> {
        if !self.seen.is_listed() {
            return Vec::new();
        }
        self.drop_what_was_lost(now);
        let planned = self.planned(now);
        let mut actions = Vec::new();
        let members = self.shares.then(|| self.member.clone());
        let mine = self.seen.iter().filter(|(_, record, _)| self.me.holds(record)).map(|(name, ..)| name.to_owned());
        let lost = self.own.iter().filter(|(_, own)| own.unsure).map(|(name, _)| name.clone());
        let mut names: BTreeSet<String> = mine.chain(lost).chain(members).collect();
        names.extend(self.takes(&planned, now));
        for name in names {
            let due = self.due(&name, now, is_quiet);
            if let Some(action) = due {
                self.own.entry(name).or_default().busy = true;
                actions.push(action);
            }
        }
        actions.extend(self.forget(now));
        actions
    }

    /// A Lease that is seen in other hands gives no permit, nor one that was given back.
    fn drop_what_was_lost(&mut self, now: Duration) {
        for (name, own) in &mut self.own {
            // A Lease that was deleted behind our back is still ours: nobody else may have it so soon.
            let deleted = self.seen.record(name).is_none();
            if own.granted.is_some_and(|granted| now >= granted + self.timing.duration) && deleted {
                own.granted = None;
            }
            if self.seen.record(name).is_some_and(|record| !self.me.holds(record)) {
                own.granted = None;
                own.giving = false;
            }
        }
        let (member, clusters) = (&self.member, &self.clusters);
        self.own.retain(|name, own| {
            let matters = own.busy || own.unsure || own.granted.is_some() || now < own.not_before;
            matters || name == member || clusters.contains_key(name)
        });
    }

    /// The free clusters that it is this replica's turn to take. Those that it has too many of it gives from here on.
    fn planned(&mut self, now: Duration) -> BTreeSet<ClusterId> {
        if !self.shares || self.stopping || !self.is_member(now) {
            return BTreeSet::new();
        }
        let plan = share::plan(&self.scene(now), &self.me.replica);
        for cluster in plan.give {
            self.own.entry(names::of_cluster(&cluster)).or_default().giving = true;
        }
        plan.take
    }

    /// The clusters' Leases that this replica takes.
    fn takes(&mut self, planned: &BTreeSet<ClusterId>, now: Duration) -> BTreeSet<String> {
        let mut takes = BTreeSet::new();
        if self.stopping {
            return takes;
        }
        for (name, (id, known_since)) in &self.clusters {
            if !self.is_able(id) {
                continue;
            }
            let own = self.own.get(name);
            let is_of_earlier_process = self.seen.record(name).is_some_and(|record| record.holder == self.me.replica);
            match self.standing(name, now) {
                // It was deleted, and we held it.
                Standing::Other(holder) if holder.is_empty() && own.is_some_and(|own| own.granted.is_some()) => {
                    takes.insert(name.clone());
                }
                Standing::Inherited => {
                    takes.insert(name.clone());
                }
                Standing::Vacant(since) => {
                    let waited = now.saturating_sub(since.max(*known_since)) >= self.timing.grace;
                    let late = self.shares && waited && self.is_member(now) && !planned.contains(id);
                    if !self.shares || planned.contains(id) || late {
                        takes.insert(name.clone());
                    }
                    if late {
                        self.own.entry(name.clone()).or_default().fixed_until = now + FIXED;
                    }
                }
                Standing::Mine | Standing::Other(_) => {}
            }
            if is_of_earlier_process && takes.contains(name) {
                // That process is gone, but what it sent at last may not be done yet.
                let until = now + self.timing.write_deadline;
                self.own.entry(name.clone()).or_default().last_writes_until = until;
            }
        }
        takes
    }

    /// The request about a Lease that is due.
    fn due(&self, name: &str, now: Duration, is_quiet: &dyn Fn(&ClusterId) -> bool) -> Option<Action> {
        let default = Own::default();
        let own = self.own.get(name).unwrap_or(&default);
        if own.busy || now < own.not_before {
            return None;
        }
        if own.unsure {
            return Some(Action::Read { lease: name.to_owned() });
        }
        let record = self.seen.record(name);
        let is_member = name == self.member;
        let cluster = self.clusters.get(name).map(|(id, _)| id);
        let standing = self.standing(name, now);
        if standing != Standing::Mine {
            let recreated = record.is_none() && own.granted.is_some();
            let free = recreated || matches!(standing, Standing::Inherited | Standing::Vacant(_));
            return (free && !self.stopping).then(|| self.write(name, record, true));
        }
        if own.granted.is_none() && self.seen.is_disputed(name, &self.me, &self.timing, now) {
            return None;
        }
        let record = record?;
        if is_member {
            let others = self.seen.iter().any(|(other, record, _)| other != name && self.me.holds(record));
            return match self.stopping {
                // The last of all: until then the others know whose the rest is.
                true if others => None,
                true => Some(Action::Remove {
                    lease: name.to_owned(),
                    uid: record.uid.clone(),
                    version: record.version.clone(),
                }),
                false => self.is_due(own, now).then(|| self.write(name, Some(record), true)),
            };
        }
        let gives = own.giving || self.stopping || cluster.is_none_or(|id| !self.is_able(id));
        match gives {
            true if now >= own.last_writes_until && cluster.is_none_or(is_quiet) => {
                Some(self.write(name, Some(record), false))
            }
            // The others wait until the last write has ended, so the Lease stays ours until then.
            true | false => self.is_due(own, now).then(|| self.write(name, Some(record), true)),
        }
    }

    fn is_due(&self, own: &Own, now: Duration) -> bool {
        // A Lease that is ours without our knowing since when: the answer was lost.
        own.granted.is_none_or(|granted| now >= granted + self.timing.renew_every)
    }

    fn write(&self, name: &str, record: Option<&Record>, hold: bool) -> Action {
        let before = record.cloned().unwrap_or_default();
        let (holder, process) = match hold {
            true => (self.me.replica.clone(), self.me.process.clone()),
            false => (String::new(), String::new()),
        };
        let goes_on = hold && self.me.holds(&before);
        let wanted = Wanted {
            transitions: before.transitions.saturating_add(i64::from(hold && !goes_on && record.is_some())),
            acquired: goes_on.then_some(before.acquired),
            holder,
            process,
            duration: self.timing.duration,
            only: self.only.clone().filter(|_| name == self.member),
        };
        let replaces = record.map(|record| (record.uid.clone(), record.version.clone()));
        Action::Write { lease: name.to_owned(), replaces, wanted }
    }

    /// The Leases of replicas that have been dead for long.
    fn forget(&mut self, now: Duration) -> Vec<Action> {
        if !self.shares || self.stopping || !self.is_member(now) {
            return Vec::new();
        }
        let dead = self.seen.iter().filter(|(name, record, since)| {
            let own = self.own.get(*name);
            let asks = own.is_some_and(|own| own.busy || now < own.not_before);
            names::is_member(name) && !self.me.holds(record) && !asks && now >= *since + self.timing.forget
        });
        let actions: Vec<Action> = dead
            .map(|(name, record, _)| Action::Remove {
                lease: name.to_owned(),
                uid: record.uid.clone(),
                version: record.version.clone(),
            })
            .collect();
        for action in &actions {
            if let Action::Remove { lease, .. } = action {
                self.own.entry(lease.clone()).or_default().busy = true;
            }
        }
        actions
    }

    /// A request has ended that began at `started`.
    pub(crate) fn answered(&mut self, lease: &str, started: Duration, answer: Answer, now: Duration) {
        let own = self.own.entry(lease.to_owned()).or_default();
        own.busy = false;
        match answer {
            Answer::Written(record) => {
                own.failures = 0;
                // Somebody may have been seen to write it again.
                if self.seen.record(lease).is_some_and(|known| record.is_older_than(known)) {
                    return;
                }
                own.granted = self.me.holds(&record).then_some(started);
                own.giving = own.giving && own.granted.is_some();
                self.seen.learned(lease, Some(record), now);
            }
            Answer::Read(record) => {
                own.unsure = false;
                self.seen.learned(lease, record, now);
            }
            Answer::Removed => {
                own.failures = 0;
                own.granted = None;
                self.seen.learned(lease, None, now);
            }
            Answer::Conflict => {
                own.unsure = true;
                own.failures += 1;
                // The first time it is simply read; what goes on is no news any more.
                let pause = if own.failures == 1 { Duration::ZERO } else { pause(&self.timing, own.failures) };
                own.not_before = now + pause;
            }
            Answer::Failed => {
                own.failures += 1;
                own.not_before = now + pause(&self.timing, own.failures);
            }
        }
    }

    /// How long each cluster may be written to. Writes to a cluster that is not in it have to end at once.
    #[must_use]
    pub(crate) fn permits(&self) -> BTreeMap<ClusterId, Permit> {
        let permits = self.clusters.iter().filter_map(|(name, (id, _))| {
            let own = self.own.get(name)?;
            let granted = own.granted?;
            if self.seen.record(name).is_some_and(|record| !self.me.holds(record)) {
                return None;
            }
            let begins = !own.giving && !self.stopping && self.is_able(id);
            let begin_until = begins.then(|| granted + self.timing.permit());
            Some((id.clone(), Permit { begin_until, end_until: granted + self.timing.duration }))
        });
        permits.collect()
    }

    /// Who holds the Lease of each cluster that this replica may work on; without those that it holds itself. The
    /// second value says whether the holder was seen to renew it.
    #[must_use]
    pub(crate) fn elsewhere(&self, now: Duration) -> BTreeMap<ClusterId, (String, bool)> {
        let others = self.clusters.iter().filter(|(_, (id, _))| self.is_able(id));
        let others = others.filter_map(|(name, (id, _))| match self.standing(name, now) {
            Standing::Other(holder) => Some((id.clone(), (holder, self.seen.was_renewed(name)))),
            _ => None,
        });
        others.collect()
    }

    /// Whether a list of the Leases has been complete.
    #[must_use]
    pub(crate) fn is_listed(&self) -> bool {
        self.seen.is_listed()
    }

    /// Whether another process that lives has the name of this replica.
    #[must_use]
    pub(crate) fn is_superseded(&self, now: Duration) -> bool {
        let own_name = |holder: &String| *holder == self.me.replica;
        self.shares && matches!(self.standing(&self.member, now), Standing::Other(holder) if own_name(&holder))
    }

    /// When [`Self::next`] may have something to do, if nothing happens before. After `now`.
    #[must_use]
    pub(crate) fn wake(&self, now: Duration) -> Duration {
        let timing = &self.timing;
        let own = self.own.values().flat_map(|own| {
            let renew = own.granted.map(|granted| granted + timing.renew_every);
            [
                Some(own.not_before),
                Some(own.last_writes_until),
                renew,
                own.granted.map(|granted| granted + timing.permit()),
            ]
        });
        let expiries = self.seen.iter().map(|(name, ..)| self.seen.expiry(name, &self.me, timing));
        let graces = self.clusters.iter().map(|(name, (_, known))| match self.standing(name, now) {
            Standing::Vacant(since) => Some(since.max(*known) + timing.grace),
            _ => None,
        });
        let times = own.chain(expiries).chain(graces).flatten().filter(|time| *time > now);
        times.min().unwrap_or(Duration::MAX).min(now + timing.renew_every)
    }

    /// Whether the Lease of this replica itself is held and not expired.
    fn is_member(&self, now: Duration) -> bool {
        let granted = self.own.get(&self.member).and_then(|own| own.granted);
        let held = self.seen.record(&self.member).is_some_and(|record| self.me.holds(record));
        held && granted.is_some_and(|granted| now < granted + self.timing.duration)
    }

    fn is_able(&self, id: &ClusterId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(id))
    }

    fn standing(&self, name: &str, now: Duration) -> Standing {
        self.seen.standing(name, &self.me, &self.timing, now)
    }

    fn scene(&self, now: Duration) -> Scene {
        let mut scene = Scene::default();
        for (name, record, _) in self.seen.iter().filter(|(name, ..)| names::is_member(name)) {
            let lives = matches!(self.standing(name, now), Standing::Mine | Standing::Other(_));
            if lives && names::of_member(&record.holder) == name {
                scene.members.insert(record.holder.clone(), record.only.clone());
            }
        }
        for (name, (id, _)) in &self.clusters {
            match self.standing(name, now) {
                Standing::Mine | Standing::Inherited => scene.held.insert(id.clone(), self.me.replica.clone()),
                Standing::Other(holder) => scene.held.insert(id.clone(), holder),
                Standing::Vacant(_) => {
                    scene.vacant.insert(id.clone());
                    None
                }
            };
            if self.own.get(name).is_some_and(|own| now < own.fixed_until) {
                scene.fixed.insert(id.clone());
            }
        }
        scene
    }
}

/// The pause after so many failures in a row.
fn pause(timing: &Timing, failures: u32) -> Duration {
    let times = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    timing.pause.saturating_mul(times).min(timing.renew_every)
}

#[cfg(test)]
mod tests;
