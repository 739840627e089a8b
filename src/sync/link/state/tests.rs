//! The link through what happens to a cluster and its kubeconfig, one step after the other.

use super::*;

/// A state with its clock, and what it has ordered.
struct Scene {
    state: LinkState,
    now: Duration,
    running: Vec<(u64, Which)>,
    orders: Vec<String>,
}

fn silence() -> Answer {
    Answer::Fault(Fault { of_kubeconfig: false, reason: "ClusterUnreachable", message: "no answer".into() })
}

fn refusal() -> Answer {
    Answer::Fault(Fault::of_kubeconfig("Unauthorized", "expired"))
}

fn uid(uid: &str) -> Answer {
    Answer::Identity(uid.into())
}

fn digest(text: &str) -> KubeconfigDigest {
    KubeconfigDigest::of(text)
}

impl Scene {
    fn new() -> Self {
        Self { state: LinkState::new(false), now: Duration::ZERO, running: Vec::new(), orders: Vec::new() }
    }

    /// A cluster `a` that answers and whose identity is recorded.
    fn trusted() -> Self {
        let mut scene = Self::new();
        scene.facts(Some("a"), None);
        scene.secret("one");
        scene.answer(Which::Candidate, &uid("a"));
        assert_eq!(scene.word(), "trusted a");
        scene
    }

    fn step(&mut self, input: Input) {
        for order in self.state.step(input, self.now) {
            let word = match order {
                Order::Probe { number, which, .. } => {
                    self.running.push((number, which));
                    format!("probe {which:?}")
                }
                Order::Use => {
                    // What is asked of the candidate is asked of the connection that is in use now.
                    self.running.iter_mut().for_each(|(_, which)| *which = Which::Current);
                    "use".into()
                }
                Order::Drop => "drop".into(),
            };
            self.orders.push(word);
        }
    }

    fn facts(&mut self, pinned: Option<&str>, accepted: Option<&str>) {
        let (pinned, accepted) = (pinned.map(str::to_owned), accepted.map(str::to_owned));
        self.step(Input::Facts(Facts { pinned, accepted }));
    }

    fn secret(&mut self, text: &str) {
        self.step(Input::Secret(SecretSeen::Present(digest(text))));
    }

    fn no_secret(&mut self) {
        self.step(Input::Secret(SecretSeen::Bad(Fault::of_kubeconfig("SecretNotFound", "gone"))));
    }

    /// Lets time pass until the next probe of a connection, and answers it.
    fn answer(&mut self, of: Which, answer: &Answer) {
        for _ in 0..20 {
            if let Some(at) = self.running.iter().position(|(_, which)| *which == of) {
                let (number, _) = self.running.remove(at);
                self.step(Input::Probed { number, answer: answer.clone() });
                return;
            }
            self.pass();
        }
        panic!("no probe of {of:?} comes");
    }

    /// Lets time pass until something is due.
    fn pass(&mut self) {
        self.now = self.now.max(self.state.due().expect("something is due"));
        self.step(Input::Tick);
    }

    fn since(&self, earlier: Duration) -> Duration {
        self.now.saturating_sub(earlier)
    }

    fn word(&self) -> String {
        match self.state.trust() {
            Trust::Pending => "pending".into(),
            Trust::Trusted { uid } => format!("trusted {uid}"),
            Trust::Unreachable { reason, .. } => format!("unreachable {reason}"),
            Trust::IdentityChanged { pinned, found } => format!("changed {pinned} {found}"),
            Trust::NoKubeconfig { reason, .. } => format!("no kubeconfig {reason}"),
        }
    }

    fn kubeconfig(&self) -> String {
        match self.state.kubeconfig() {
            Ok(known) => known.to_string(),
            Err(fault) => fault.reason.to_owned(),
        }
    }

    /// The orders since they were taken last.
    fn ordered(&mut self) -> Vec<String> {
        std::mem::take(&mut self.orders)
    }
}

#[test]
fn the_first_identity_is_recorded_before_it_is_trusted() {
    let mut scene = Scene::new();
    assert_eq!((scene.word().as_str(), scene.state.due()), ("pending", None));
    scene.facts(None, None);
    scene.secret("one");
    scene.answer(Which::Candidate, &uid("a"));
    assert_eq!((scene.word().as_str(), scene.state.to_pin()), ("pending", Some("a")));
    assert_eq!(scene.ordered(), ["probe Candidate", "use"]);
    scene.facts(Some("a"), None);
    assert_eq!((scene.word().as_str(), scene.state.to_pin(), scene.state.epoch()), ("trusted a", None, 1));
    assert_eq!(scene.kubeconfig(), "true");

    let mut dry = LinkState::new(true);
    let _ = dry.step(Input::Facts(Facts::default()), Duration::ZERO);
    let _ = dry.step(Input::Secret(SecretSeen::Present(digest("one"))), Duration::ZERO);
    let _ = dry.step(Input::Probed { number: 1, answer: uid("a") }, Duration::ZERO);
    assert!(dry.trust().is_trusted(), "a run that writes nothing cannot record it");
}

#[test]
fn nothing_is_trusted_before_the_recorded_identity_is_known() {
    let mut scene = Scene::new();
    scene.secret("one");
    scene.answer(Which::Candidate, &uid("a"));
    assert_eq!((scene.word().as_str(), scene.state.to_pin()), ("pending", None));
    scene.facts(Some("b"), None);
    assert_eq!(scene.word(), "changed b a");
}

#[test]
fn a_silent_cluster_is_shown_in_time_and_is_back_within_one_probe() {
    let mut scene = Scene::trusted();
    let (began, _) = (scene.now, scene.ordered());
    scene.pass();
    assert_eq!((scene.since(began), scene.ordered()), (PROBE_EVERY, vec!["probe Current".to_owned()]));
    // It died right after the last probe.
    scene.now += PROBE_DEADLINE;
    scene.answer(Which::Current, &silence());
    assert_eq!(scene.word(), "unreachable ClusterUnreachable");
    assert!(scene.since(began) < Duration::from_secs(15), "{:?}", scene.since(began));
    assert_eq!(scene.kubeconfig(), "true", "a cluster that does not answer says nothing of the kubeconfig");
    for _ in 0..30 {
        scene.answer(Which::Current, &silence());
    }
    let before = scene.now;
    scene.answer(Which::Current, &uid("a"));
    assert_eq!((scene.word().as_str(), scene.since(before), scene.state.epoch()), ("trusted a", AFTER_SILENCE, 1));
}

#[test]
fn two_ways_of_not_answering_are_no_news() {
    let mut scene = Scene::trusted();
    let say = |message: &str| Answer::Fault(Fault { of_kubeconfig: false, reason: "R", message: message.into() });
    scene.answer(Which::Current, &say("refused"));
    let first = scene.state.trust();
    scene.answer(Which::Current, &say("no answer"));
    assert_eq!(scene.state.trust(), first);
}

#[test]
fn life_saves_probes_and_suspicion_brings_them_forward() {
    let mut scene = Scene::trusted();
    let start = scene.now;
    scene.now += PROBE_EVERY / 2;
    scene.step(Input::Life);
    assert_eq!(scene.state.due(), Some(scene.now + PROBE_EVERY));
    for _ in 0..20 {
        scene.now += PROBE_EVERY / 2;
        scene.step(Input::Life);
    }
    assert_eq!(scene.running.len(), 1, "it is asked once a minute all the same");
    assert_eq!(start + PROBE_ALWAYS, Duration::from_mins(1));

    let mut scene = Scene::trusted();
    scene.step(Input::Suspicion);
    scene.step(Input::Suspicion);
    assert_eq!((scene.running.len(), scene.state.due()), (0, Some(scene.now + SUSPICION)));
    scene.now += Duration::from_secs(3);
    scene.step(Input::Suspicion);
    assert_eq!(scene.running.len(), 1);
}

#[test]
fn life_after_silence_is_looked_into_at_once() {
    let mut scene = Scene::trusted();
    scene.answer(Which::Current, &silence());
    scene.step(Input::Life);
    assert_eq!((scene.running.len(), scene.word().as_str()), (1, "unreachable ClusterUnreachable"));
}

#[test]
fn a_new_kubeconfig_is_probed_and_then_used() {
    let mut scene = Scene::trusted();
    scene.ordered();
    scene.secret("two");
    assert_eq!((scene.word().as_str(), scene.kubeconfig().as_str()), ("trusted a", "false"));
    scene.answer(Which::Candidate, &uid("a"));
    assert_eq!(scene.ordered(), ["probe Candidate", "use"]);
    assert_eq!((scene.word().as_str(), scene.state.epoch()), ("trusted a", 2));
}

#[test]
fn the_old_connection_goes_on_beside_a_bad_kubeconfig() {
    let mut scene = Scene::trusted();
    scene.ordered();
    for (answer, reason) in [(refusal(), "Unauthorized"), (silence(), "ClusterUnreachable")] {
        scene.secret(reason);
        scene.answer(Which::Candidate, &answer);
        assert_eq!((scene.word().as_str(), scene.kubeconfig().as_str()), ("trusted a", reason));
    }
    scene.no_secret();
    assert_eq!((scene.word().as_str(), scene.kubeconfig().as_str()), ("trusted a", "SecretNotFound"));
    let probes = scene.ordered();
    assert!(!probes.iter().any(|order| order == "use" || order == "drop"), "{probes:?}");
    // Both are asked on: the one in use whether it is there, the other whether it has become good.
    scene.secret("three");
    scene.answer(Which::Candidate, &refusal());
    scene.answer(Which::Current, &uid("a"));
    scene.answer(Which::Candidate, &uid("a"));
    assert_eq!((scene.kubeconfig().as_str(), scene.state.epoch()), ("true", 2));
}

#[test]
fn the_kubeconfig_in_use_may_come_back() {
    let mut scene = Scene::trusted();
    scene.secret("bad");
    scene.answer(Which::Candidate, &refusal());
    scene.ordered();
    scene.secret("one");
    assert_eq!((scene.word().as_str(), scene.kubeconfig().as_str()), ("trusted a", "true"));
    assert_eq!((scene.ordered(), scene.state.epoch()), (vec![], 1));
}

#[test]
fn without_a_connection_the_reason_is_that_of_the_kubeconfig() {
    let mut scene = Scene::new();
    scene.facts(Some("a"), None);
    scene.no_secret();
    assert_eq!(
        (scene.word().as_str(), scene.kubeconfig().as_str()),
        ("no kubeconfig SecretNotFound", "SecretNotFound")
    );
    scene.secret("one");
    assert_eq!(scene.word(), "pending");
    scene.answer(Which::Candidate, &silence());
    assert_eq!(scene.word(), "unreachable ClusterUnreachable");
    scene.answer(Which::Candidate, &refusal());
    assert_eq!(scene.word(), "no kubeconfig Unauthorized");
    scene.answer(Which::Candidate, &uid("a"));
    assert_eq!(scene.word(), "trusted a");
}

#[test]
fn a_token_that_expires_is_tried_again_more_and_more_rarely() {
    let mut scene = Scene::trusted();
    let mut pauses = Vec::new();
    for _ in 0..6 {
        scene.answer(Which::Current, &refusal());
        let due = scene.state.due().expect("it is tried again");
        pauses.push(due.saturating_sub(scene.now).as_secs());
    }
    assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
    assert_eq!((scene.word().as_str(), scene.kubeconfig().as_str()), ("no kubeconfig Unauthorized", "Unauthorized"));
    scene.secret("two");
    assert_eq!(scene.running.len(), 1, "a new kubeconfig is tried at once");
    scene.answer(Which::Candidate, &uid("a"));
    assert_eq!((scene.word().as_str(), scene.state.epoch()), ("trusted a", 2));
}

#[test]
fn another_cluster_stops_everything_until_it_is_accepted() {
    let mut scene = Scene::trusted();
    scene.ordered();
    scene.secret("two");
    scene.answer(Which::Candidate, &uid("b"));
    assert_eq!(scene.ordered(), ["probe Candidate", "drop"]);
    assert_eq!((scene.word().as_str(), scene.kubeconfig().as_str()), ("changed a b", "IdentityChanged"));
    assert_eq!((scene.state.epoch(), scene.state.to_pin()), (2, None));
    scene.facts(Some("a"), Some("c"));
    assert_eq!(scene.word(), "changed a b", "another UID is not this one");
    scene.answer(Which::Candidate, &silence());
    assert_eq!(scene.word(), "changed a b", "silence is no return");
    scene.answer(Which::Candidate, &uid("b"));
    scene.facts(Some("a"), Some("b"));
    assert_eq!((scene.word().as_str(), scene.state.to_pin(), scene.state.epoch()), ("pending", Some("b"), 3));
    scene.facts(Some("b"), Some("b"));
    assert_eq!((scene.word().as_str(), scene.state.to_pin()), ("trusted b", None));
}

#[test]
fn the_first_kubeconfig_ends_a_change_of_identity() {
    let mut scene = Scene::trusted();
    scene.secret("two");
    scene.answer(Which::Candidate, &uid("b"));
    scene.secret("one");
    assert_eq!(scene.word(), "pending");
    scene.answer(Which::Candidate, &uid("a"));
    assert_eq!((scene.word().as_str(), scene.state.epoch()), ("trusted a", 3));
}

#[test]
fn the_same_kubeconfig_may_lead_to_another_cluster() {
    let mut scene = Scene::trusted();
    scene.answer(Which::Current, &silence());
    scene.ordered();
    scene.answer(Which::Current, &uid("b"));
    assert_eq!((scene.word().as_str(), scene.state.epoch()), ("changed a b", 2));
    assert!(scene.ordered().contains(&"drop".to_owned()));
    // It is the candidate now, and is asked on.
    scene.answer(Which::Candidate, &uid("a"));
    assert_eq!((scene.word().as_str(), scene.state.epoch()), ("trusted a", 3));
}

#[test]
fn another_recorded_identity_is_believed_before_the_connection() {
    let mut scene = Scene::trusted();
    scene.facts(Some("z"), None);
    assert_eq!((scene.word().as_str(), scene.state.epoch()), ("changed z a", 2));
}

#[test]
fn a_busy_server_is_there() {
    let mut scene = Scene::trusted();
    let busy = Fault { of_kubeconfig: false, reason: "ClusterUnreachable", message: "too many requests".into() };
    scene.answer(Which::Current, &Answer::Busy(busy.clone()));
    assert_eq!(scene.word(), "trusted a");
    let mut scene = Scene::new();
    scene.facts(Some("a"), None);
    scene.secret("one");
    scene.answer(Which::Candidate, &Answer::Busy(busy));
    assert_eq!(scene.word(), "unreachable ClusterUnreachable", "but who it is was never said");
}

#[test]
fn a_confirmation_is_newer_than_its_question() {
    let mut scene = Scene::trusted();
    scene.pass();
    assert_eq!(scene.running.len(), 1);
    scene.now += Duration::from_secs(1);
    scene.step(Input::Confirm);
    assert!(scene.state.is_confirming());
    // This probe was under way before.
    scene.answer(Which::Current, &uid("a"));
    assert!(scene.state.is_confirming());
    scene.answer(Which::Current, &uid("b"));
    assert_eq!((scene.state.is_confirming(), scene.word().as_str()), (false, "changed a b"));
    assert!(!LinkState::new(false).is_confirming());
}

#[test]
fn an_answer_of_a_kubeconfig_that_was_replaced_is_ignored() {
    let mut scene = Scene::new();
    scene.facts(Some("a"), None);
    scene.secret("one");
    let (number, _) = scene.running.remove(0);
    scene.secret("two");
    scene.step(Input::Probed { number, answer: uid("b") });
    assert_eq!(scene.word(), "pending");
    scene.answer(Which::Candidate, &uid("a"));
    assert_eq!(scene.word(), "trusted a");
}

#[test]
fn the_version_is_asked_for_now_and_then() {
    let mut state = LinkState::new(false);
    let mut now = Duration::ZERO;
    let _ = state.step(Input::Facts(Facts { pinned: Some("a".into()), accepted: None }), now);
    let mut orders = state.step(Input::Secret(SecretSeen::Present(digest("one"))), now);
    let mut asked = Vec::new();
    while now < Duration::from_mins(12) {
        for order in std::mem::take(&mut orders) {
            if let Order::Probe { number, version, .. } = order {
                asked.extend(version.then_some(now.as_secs()));
                let more = state.step(Input::Probed { number, answer: uid("a") }, now);
                assert!(!more.iter().any(|order| matches!(order, Order::Probe { .. })));
            }
        }
        now = state.due().expect("another probe");
        orders = state.step(Input::Tick, now);
    }
    assert_eq!(asked, [0, 300, 600]);
}
