//! The state of the link to one service cluster: which kubeconfig is tried and which is used, when the cluster is
//! asked whether it is still there, and what may be believed of it. Pure: times are arguments, counted from any
//! fixed start that does not move with the clock of the machine.
//!
//! There are two connections at most. *Current* is the one in use. *Candidate* is that of a kubeconfig in the Secret
//! that was not accepted yet. A candidate that proves good becomes current; one that does not leaves the current one
//! alone, unless another cluster answers: then nothing is used any more, because there every object that is not found
//! would look like one that was deleted.

use std::time::Duration;

use super::verdict::{Fault, IDENTITY_CHANGED, KubeconfigDigest, Trust};

/// How often a cluster is asked that answered last time, where no watch shows life.
pub(crate) const PROBE_EVERY: Duration = Duration::from_secs(10);
/// How often it is asked even where a watch shows life: new connections may lead elsewhere than old ones.
const PROBE_ALWAYS: Duration = Duration::from_mins(1);
/// The deadline of a probe. Together with [`PROBE_EVERY`] it is less than the 15 s after which a cluster that does
/// not answer has to be shown as unreachable.
pub(crate) const PROBE_DEADLINE: Duration = Duration::from_secs(4);
/// The pause after a probe that nobody answered. It is not longer for a cluster that is away for long: it has to be
/// back within one probe.
const AFTER_SILENCE: Duration = Duration::from_secs(5);
/// The first pause after a refusal, which a new kubeconfig or new rights end; it doubles.
const AFTER_REFUSAL: Duration = Duration::from_secs(5);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// The shortest time between two probes of a connection that somebody suspects.
const SUSPICION: Duration = Duration::from_secs(1);
/// How often the version of the server is asked for: it changes when a server is upgraded.
const VERSION_EVERY: Duration = Duration::from_mins(5);

/// What the ServiceCluster says of its link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// `status.clusterUID`: the identity that was seen first.
    pub pinned: Option<String>,
    /// The annotation `accept-identity`.
    pub accepted: Option<String>,
}

/// The Secret with the kubeconfig, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretSeen {
    /// It was not read yet.
    Unknown,
    /// It holds this kubeconfig.
    Present(KubeconfigDigest),
    /// It cannot be had, or holds nothing that can be used.
    Bad(Fault),
}

/// Who answered a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A cluster of this identity (UID of its `kube-system`).
    Identity(String),
    /// A server that has no room for the question now (429): somebody is there.
    Busy(Fault),
    /// Nobody, or a server that refuses.
    Fault(Fault),
}

/// What is told to the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// The ServiceCluster as it is now.
    Facts(Facts),
    /// The Secret as it is now.
    Secret(SecretSeen),
    /// A probe has ended.
    Probed {
        /// Its number.
        number: u64,
        /// What came of it.
        answer: Answer,
    },
    /// A watch of the connection in use has shown life.
    Life,
    /// A request on the connection in use failed: is the cluster still there?
    Suspicion,
    /// Somebody wants to know what is so from now on, not what was so at the last probe.
    Confirm,
    /// Time has passed.
    Tick,
}

/// Which connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// That in use.
    Current,
    /// That of the kubeconfig in the Secret, which is to be tried.
    Candidate,
}

/// What the shell has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// Ask who it is, within [`PROBE_DEADLINE`], and tell what came of it.
    Probe {
        /// To be told with the answer.
        number: u64,
        /// Which connection.
        which: Which,
        /// Whether by a new socket: those of the connection may be dead.
        afresh: bool,
        /// Whether the version is asked for as well.
        version: bool,
    },
    /// From now on the connection of the candidate is in use, and the one before is not.
    Use,
    /// No connection is in use any more. That in use, if it is that of the Secret, is the candidate again.
    Drop,
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    kubeconfig: KubeconfigDigest,
    /// The identity that answered last.
    found: Option<String>,
    /// What was wrong at the last probe.
    fault: Option<Fault>,
    running: Option<Running>,
    /// When the last probe ended.
    last: Duration,
    due: Duration,
    refusals: u32,
    /// When the version came last.
    version_known: Option<Duration>,
    /// A probe that began before this does not answer the question.
    confirm: Option<Duration>,
}

/// A probe under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Running {
    number: u64,
    began: Duration,
    version: bool,
}

/// The state of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinkState {
    facts: Facts,
    known: bool,
    /// Whether an identity is trusted that is not recorded: where nothing may be written at all.
    unrecorded: bool,
    secret: SecretSeen,
    current: Option<Slot>,
    candidate: Option<Slot>,
    probes: u64,
    epoch: u64,
}

impl LinkState {
    /// Nothing is known yet. With `unrecorded` an identity that is seen first is trusted without being recorded,
    /// for a run that writes nothing.
    #[must_use]
    pub(crate) fn new(unrecorded: bool) -> Self {
        Self {
            facts: Facts::default(),
            known: false,
            unrecorded,
            secret: SecretSeen::Unknown,
            current: None,
            candidate: None,
            probes: 0,
            epoch: 0,
        }
    }

    /// Takes in what happened; what to do now, in this order.
    #[must_use]
    pub(crate) fn step(&mut self, input: Input, now: Duration) -> Vec<Order> {
        match input {
            Input::Facts(facts) => (self.facts, self.known) = (facts, true),
            Input::Secret(secret) => self.secret = secret,
            Input::Probed { number, answer } => {
                for slot in [&mut self.current, &mut self.candidate].into_iter().flatten() {
                    slot.probed(number, &answer, now);
                }
            }
            Input::Life => {
                if let Some(slot) = &mut self.current {
                    let latest = slot.last + PROBE_ALWAYS;
                    slot.due = if slot.fault.is_some() { now } else { slot.due.max(now + PROBE_EVERY).min(latest) };
                }
            }
            Input::Suspicion => {
                if let Some(slot) = &mut self.current {
                    slot.due = slot.due.min(now.max(slot.last + SUSPICION));
                }
            }
            Input::Confirm => {
                for slot in [&mut self.current, &mut self.candidate].into_iter().flatten() {
                    slot.confirm = Some(now);
                    slot.due = slot.due.min(now);
                }
            }
            Input::Tick => {}
        }
        self.settle(now)
    }

    /// When to come back with [`Input::Tick`], where nothing else happens before.
    #[must_use]
    pub(crate) fn due(&self) -> Option<Duration> {
        let idle = [&self.current, &self.candidate].into_iter().flatten().filter(|slot| slot.running.is_none());
        idle.map(|slot| slot.due).min()
    }

    /// How often the connection or the identity has changed: what was read in an earlier epoch may be of another
    /// cluster.
    #[must_use]
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether the Secret is known to hold this kubeconfig.
    #[must_use]
    pub(crate) fn is_of_secret(&self, digest: &KubeconfigDigest) -> bool {
        self.secret == SecretSeen::Present(digest.clone())
    }

    /// Whether a probe is under way or due that [`Input::Confirm`] asked for.
    #[must_use]
    pub(crate) fn is_confirming(&self) -> bool {
        [&self.current, &self.candidate].into_iter().flatten().any(|slot| slot.confirm.is_some())
    }

    /// The identity to be recorded in `status.clusterUID`, where another or none is recorded.
    #[must_use]
    pub(crate) fn to_pin(&self) -> Option<&str> {
        let found = self.current.as_ref()?.found.as_deref()?;
        (self.known && self.facts.pinned.as_deref() != Some(found)).then_some(found)
    }

    /// What may be believed.
    #[must_use]
    pub(crate) fn trust(&self) -> Trust {
        if let Some((pinned, found)) = self.stranger() {
            return Trust::IdentityChanged { pinned: pinned.to_owned(), found: found.to_owned() };
        }
        let of_fault = |fault: &Fault| match fault.of_kubeconfig {
            true => Trust::NoKubeconfig { reason: fault.reason, message: fault.message.clone() },
            false => Trust::Unreachable { reason: fault.reason, message: fault.message.clone() },
        };
        if let Some(current) = &self.current {
            return match (&current.fault, &current.found) {
                (Some(fault), _) => of_fault(fault),
                (None, Some(uid)) if self.unrecorded || self.facts.pinned.as_ref() == Some(uid) => {
                    Trust::Trusted { uid: uid.clone() }
                }
                // It is trusted once its identity is recorded: a process that ends before that would not know
                // another cluster from this one.
                (None, _) => Trust::Pending,
            };
        }
        match (&self.candidate, &self.secret) {
            (Some(Slot { fault: Some(fault), .. }), _) | (_, SecretSeen::Bad(fault)) => of_fault(fault),
            _ => Trust::Pending,
        }
    }

    /// What is wrong with the kubeconfig in the Secret; `Ok(false)` where that is not known yet.
    ///
    /// # Errors
    /// The fault.
    pub(crate) fn kubeconfig(&self) -> Result<bool, Fault> {
        if let SecretSeen::Bad(fault) = &self.secret {
            return Err(fault.clone());
        }
        if let Some((pinned, found)) = self.stranger() {
            let message = format!("it leads to the cluster {found}, and not to {pinned}");
            return Err(Fault::of_kubeconfig(IDENTITY_CHANGED, message));
        }
        match (&self.candidate, &self.current) {
            (Some(Slot { fault: Some(fault), .. }), _) => Err(fault.clone()),
            // A cluster that does not answer says nothing of a kubeconfig that it has accepted before.
            (None, Some(Slot { fault: Some(fault), .. })) if fault.of_kubeconfig => Err(fault.clone()),
            (None, Some(_)) => Ok(true),
            _ => Ok(false),
        }
    }

    /// The identity that was seen first and another that answers now.
    fn stranger(&self) -> Option<(&str, &str)> {
        let found = self.candidate.as_ref()?.found.as_deref()?;
        let pinned = self.facts.pinned.as_deref()?;
        (!self.is_welcome(found)).then_some((pinned, found))
    }

    fn is_welcome(&self, found: &str) -> bool {
        let Facts { pinned, accepted } = &self.facts;
        pinned.as_ref().is_none_or(|pinned| pinned == found) || accepted.as_deref() == Some(found)
    }

    /// Brings the two connections in line with what is known, and begins the probes that are due.
    fn settle(&mut self, now: Duration) -> Vec<Order> {
        let mut orders = Vec::new();
        // The connection in use leads to another cluster now, or another identity was recorded.
        let is_stranger = |found: &String| self.known && !self.is_welcome(found);
        if self.current.as_ref().and_then(|slot| slot.found.as_ref()).is_some_and(is_stranger) {
            let left = self.current.take();
            if let Some(left) = left.filter(|left| self.secret == SecretSeen::Present(left.kubeconfig.clone())) {
                self.candidate = Some(left);
            }
            self.epoch += 1;
            orders.push(Order::Drop);
        }
        let candidate = match &self.secret {
            SecretSeen::Present(digest) if self.current.as_ref().is_none_or(|slot| slot.kubeconfig != *digest) => {
                self.candidate.take().filter(|slot| slot.kubeconfig == *digest).or_else(|| Some(Slot::new(digest, now)))
            }
            _ => None,
        };
        self.candidate = candidate;
        let proven = |slot: &Slot| slot.fault.is_none() && slot.found.is_some();
        if self.known && self.candidate.as_ref().is_some_and(proven) {
            if self.stranger().is_none() {
                self.current = self.candidate.take();
                self.epoch += 1;
                orders.push(Order::Use);
            } else if self.current.take().is_some() {
                self.epoch += 1;
                orders.push(Order::Drop);
            }
        }
        for which in [Which::Current, Which::Candidate] {
            let slot = match which {
                Which::Current => &mut self.current,
                Which::Candidate => &mut self.candidate,
            };
            let Some(slot) = slot.as_mut().filter(|slot| slot.running.is_none() && slot.due <= now) else { continue };
            self.probes += 1;
            // A server that was away may have been upgraded.
            let is_old = |known: Duration| now.saturating_sub(known) >= VERSION_EVERY;
            let version = slot.fault.is_some() || slot.version_known.is_none_or(is_old);
            slot.running = Some(Running { number: self.probes, began: now, version });
            orders.push(Order::Probe { number: self.probes, which, afresh: slot.fault.is_some(), version });
        }
        orders
    }
}

impl Slot {
    fn new(kubeconfig: &KubeconfigDigest, now: Duration) -> Self {
        Self {
            kubeconfig: kubeconfig.clone(),
            found: None,
            fault: None,
            running: None,
            last: now,
            due: now,
            refusals: 0,
            version_known: None,
            confirm: None,
        }
    }

    fn probed(&mut self, number: u64, answer: &Answer, now: Duration) {
        let Some(probe) = self.running.filter(|running| running.number == number) else { return };
        (self.running, self.last) = (None, now);
        let pause = match answer {
            Answer::Identity(uid) => {
                (self.found, self.fault, self.refusals) = (Some(uid.clone()), None, 0);
                if probe.version {
                    self.version_known = Some(now);
                }
                PROBE_EVERY
            }
            // Somebody is there, and who it is was said before.
            Answer::Busy(_) if self.found.is_some() && self.fault.is_none() => AFTER_SILENCE,
            Answer::Busy(fault) | Answer::Fault(fault) => {
                // Two ways of not answering are no news: the first message stays, so that the status does not change.
                if self.fault.as_ref().is_none_or(|before| before.reason != fault.reason) {
                    self.fault = Some(fault.clone());
                }
                match fault.of_kubeconfig {
                    true => {
                        let times = 1_u32 << self.refusals.min(10);
                        self.refusals = self.refusals.saturating_add(1);
                        (AFTER_REFUSAL * times).min(LONGEST_PAUSE)
                    }
                    false => AFTER_SILENCE,
                }
            }
        };
        self.due = now + pause;
        match self.confirm {
            Some(asked) if asked > probe.began => self.due = now,
            _ => self.confirm = None,
        }
    }
}

#[cfg(test)]
mod tests;
