//! Which instance is worked on next. Pure: times are arguments, as the time since the process began.
//!
//! An instance is in work once at a time; what happens to it meanwhile is worked on afterwards. Each cluster has a lane
//! of its own, so that a slow one does not keep others waiting. In a lane fresh edits go before statuses, and those
//! before the backlog; in each class the tenants take turns.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

/// The time since the process began.
pub(crate) type Moment = Duration;

/// The number of an instance in the index.
pub(crate) type Id = u32;

/// The most instances of one cluster that are in work at once.
const MOST: usize = 32;

/// How urgent work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// A tenant has just written it.
    Fresh,
    /// A copy or a status has changed.
    Status,
    /// It was listed, or is tried again.
    Backlog,
}

impl Class {
    /// All classes, the most urgent first.
    pub(crate) const ALL: [Self; 3] = [Self::Fresh, Self::Status, Self::Backlog];
}

/// Where an instance belongs: its cluster and its tenant, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Home {
    /// The cluster.
    pub lane: u32,
    /// The tenant.
    pub tenant: u32,
}

#[derive(Debug, Clone, Default)]
struct Item {
    home: Option<Home>,
    queued: Option<Class>,
    running: bool,
    again: Option<Class>,
    due: Option<Moment>,
}

#[derive(Debug, Default)]
struct Turns {
    order: VecDeque<u32>,
    waiting: HashMap<u32, VecDeque<Id>>,
}

#[derive(Debug)]
struct Lane {
    classes: [Turns; 3],
    running: usize,
    /// How many may be in work at once, in tenths so that it can grow slowly.
    limit: usize,
    paused_until: Moment,
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    items: HashMap<Id, Item>,
    lanes: HashMap<u32, Lane>,
    order: VecDeque<u32>,
    due: BTreeSet<(Moment, Id)>,
}

impl Turns {
    fn push(&mut self, tenant: u32, id: Id) {
        let waiting = self.waiting.entry(tenant).or_default();
        if waiting.is_empty() {
            self.order.push_back(tenant);
        }
        waiting.push_back(id);
    }

    /// The next instance that `is_wanted`; entries that are not are stale and go.
    fn pop(&mut self, is_wanted: impl Fn(Id) -> bool) -> Option<Id> {
        while let Some(tenant) = self.order.pop_front() {
            let Some(waiting) = self.waiting.get_mut(&tenant) else { continue };
            let next = loop {
                match waiting.pop_front() {
                    Some(id) if !is_wanted(id) => {}
                    next => break next,
                }
            };
            if waiting.is_empty() {
                self.waiting.remove(&tenant);
            } else {
                self.order.push_back(tenant);
            }
            if next.is_some() {
                return next;
            }
        }
        None
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self { classes: Default::default(), running: 0, limit: MOST * 10, paused_until: Moment::ZERO }
    }
}

impl Queue {
    /// Wants an instance worked on.
    pub(crate) fn push(&mut self, id: Id, home: Home, class: Class) {
        let item = self.items.entry(id).or_default();
        item.home = Some(home);
        if item.running {
            item.again = Some(item.again.map_or(class, |known| known.min(class)));
            return;
        }
        if item.queued.is_some_and(|known| known <= class) {
            return;
        }
        item.queued = Some(class);
        if !self.lanes.contains_key(&home.lane) {
            self.order.push_back(home.lane);
        }
        self.lanes.entry(home.lane).or_default().classes[class as usize].push(home.tenant, id);
    }

    /// Wants an instance worked on at a later time. Of several times the earliest counts.
    pub(crate) fn push_at(&mut self, id: Id, home: Home, at: Moment) {
        let item = self.items.entry(id).or_default();
        item.home = Some(home);
        if let Some(known) = item.due {
            if known <= at {
                return;
            }
            self.due.remove(&(known, id));
        }
        item.due = Some(at);
        self.due.insert((at, id));
    }

    /// The next instance, which is in work from now on until [`Self::done`].
    pub(crate) fn pop(&mut self, now: Moment) -> Option<Id> {
        self.wake(now);
        for _ in 0..self.order.len() {
            let lane_id = self.order.pop_front()?;
            self.order.push_back(lane_id);
            let Some(lane) = self.lanes.get_mut(&lane_id) else { continue };
            if lane.running * 10 >= lane.limit || lane.paused_until > now {
                continue;
            }
            for class in Class::ALL {
                let items = &self.items;
                let is_wanted = |id| items.get(&id).is_some_and(|item| item.queued == Some(class) && !item.running);
                if let Some(id) = lane.classes[class as usize].pop(is_wanted) {
                    lane.running += 1;
                    if let Some(item) = self.items.get_mut(&id) {
                        item.queued = None;
                        item.running = true;
                    }
                    return Some(id);
                }
            }
        }
        None
    }

    fn wake(&mut self, now: Moment) {
        while let Some(&(at, id)) = self.due.first() {
            if at > now {
                return;
            }
            self.due.pop_first();
            if let Some(item) = self.items.get_mut(&id) {
                item.due = None;
                if let Some(home) = item.home {
                    self.push(id, home, Class::Backlog);
                }
            }
        }
    }

    /// Says that an instance is no longer in work.
    pub(crate) fn done(&mut self, id: Id) {
        let Some(item) = self.items.get_mut(&id) else { return };
        if !item.running {
            return;
        }
        item.running = false;
        let (home, again, idle) = (item.home, item.again.take(), item.due.is_none());
        if let Some(lane) = home.and_then(|home| self.lanes.get_mut(&home.lane)) {
            lane.running = lane.running.saturating_sub(1);
        }
        match (home, again) {
            (Some(home), Some(class)) => self.push(id, home, class),
            _ if idle => drop(self.items.remove(&id)),
            _ => {}
        }
    }

    /// Takes into account how a cluster answers: fewer at once where it is busy, and more again, slowly, where not.
    pub(crate) fn answered(&mut self, lane: u32, busy: bool, pause_until: Option<Moment>) {
        let lane = self.lanes.entry(lane).or_default();
        if busy {
            lane.limit = (lane.limit / 2).max(10);
        } else if lane.limit < MOST * 10 {
            lane.limit += (100 / lane.limit).max(1);
        }
        if let Some(until) = pause_until {
            lane.paused_until = lane.paused_until.max(until);
        }
    }

    /// When something is due next, beside what is ready now.
    #[must_use]
    pub(crate) fn next_due(&self, now: Moment) -> Option<Moment> {
        let paused = self.lanes.values().map(|lane| lane.paused_until).filter(|until| *until > now);
        self.due.first().map(|(at, _)| *at).into_iter().chain(paused).min()
    }

    /// How many instances wait in a class.
    #[must_use]
    pub(crate) fn depth(&self, class: Class) -> usize {
        self.items.values().filter(|item| item.queued == Some(class)).count()
    }

    /// Whether nothing waits and nothing is in work; what is due later does not count.
    #[must_use]
    pub(crate) fn is_quiet(&self) -> bool {
        self.items.values().all(|item| item.queued.is_none() && !item.running)
    }

    /// Whether an instance waits, or is in work.
    #[must_use]
    pub(crate) fn holds(&self, id: Id) -> bool {
        self.items.get(&id).is_some_and(|item| item.queued.is_some() || item.running)
    }

    /// Forgets an instance that is not in work.
    pub(crate) fn forget(&mut self, id: Id) {
        if let Some(item) = self.items.get_mut(&id) {
            if let Some(due) = item.due.take() {
                self.due.remove(&(due, id));
            }
            item.queued = None;
            item.again = None;
            if !item.running {
                self.items.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Home = Home { lane: 0, tenant: 0 };
    const B: Home = Home { lane: 0, tenant: 1 };
    const C: Home = Home { lane: 1, tenant: 0 };
    const NOW: Moment = Moment::from_secs(100);

    fn order(queue: &mut Queue) -> Vec<Id> {
        std::iter::from_fn(|| queue.pop(NOW)).collect()
    }

    #[test]
    fn fresh_edits_go_first_and_tenants_take_turns() {
        let mut queue = Queue::default();
        for id in 0..4 {
            queue.push(id, A, Class::Backlog);
        }
        queue.push(10, B, Class::Backlog);
        queue.push(11, B, Class::Fresh);
        queue.push(3, A, Class::Fresh);
        queue.push(3, A, Class::Status);
        assert_eq!(order(&mut queue), [11, 3, 0, 10, 1, 2]);
        assert!(!queue.is_quiet());
        for id in [11, 3, 0, 10, 1, 2] {
            queue.done(id);
        }
        assert!(queue.is_quiet() && queue.items.is_empty());
    }

    #[test]
    fn an_instance_is_in_work_once_and_again_afterwards() {
        let mut queue = Queue::default();
        queue.push(1, A, Class::Status);
        assert_eq!(queue.pop(NOW), Some(1));
        queue.push(1, A, Class::Backlog);
        queue.push(1, A, Class::Fresh);
        assert_eq!(queue.pop(NOW), None);
        queue.done(1);
        assert_eq!(queue.depth(Class::Fresh), 1);
        assert_eq!(queue.pop(NOW), Some(1));
        queue.done(1);
        assert_eq!(queue.pop(NOW), None);
    }

    #[test]
    fn a_lane_is_bounded_and_keeps_no_other_waiting() {
        let mut queue = Queue::default();
        (0..100).for_each(|id| queue.push(id, A, Class::Fresh));
        queue.push(200, C, Class::Backlog);
        let first: Vec<Id> = order(&mut queue);
        assert_eq!(first.len(), MOST + 1);
        assert!(first.contains(&200));
        for _ in 0..10 {
            queue.answered(0, true, None);
        }
        for id in &first {
            queue.done(*id);
        }
        assert_eq!(order(&mut queue).len(), 1, "a busy cluster gets one at a time");
        for _ in 0..200 {
            queue.answered(0, false, None);
        }
        assert!(order(&mut queue).len() > 5, "and more again once it answers");
        queue.answered(0, true, Some(NOW + Moment::from_secs(5)));
        assert_eq!(queue.next_due(NOW), Some(NOW + Moment::from_secs(5)));
        assert_eq!(queue.pop(NOW), None, "it asked for a pause");
    }

    #[test]
    fn what_is_due_later_comes_then() {
        let mut queue = Queue::default();
        queue.push_at(1, A, Moment::from_mins(2));
        queue.push_at(1, A, Moment::from_secs(110));
        queue.push_at(1, A, Moment::from_secs(130));
        assert_eq!((queue.pop(NOW), queue.next_due(NOW)), (None, Some(Moment::from_secs(110))));
        assert!(queue.is_quiet());
        assert_eq!(queue.pop(Moment::from_secs(110)), Some(1));
        queue.push_at(1, A, Moment::from_secs(115));
        queue.done(1);
        assert_eq!(queue.pop(Moment::from_secs(115)), Some(1));
        queue.done(1);
        assert!(queue.items.is_empty());
        queue.push_at(2, A, Moment::from_secs(115));
        queue.forget(2);
        assert_eq!(queue.next_due(NOW), None);
    }
}
