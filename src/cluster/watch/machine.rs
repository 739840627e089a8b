//! The state machine of a list and watch. Pure: inputs are what a server said, outputs are events.

use serde_json::Value;

use super::{Phase, WatchEvent};
use crate::cluster::error::{ClusterError, ErrorKind};

/// What is done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    /// A page of the list is asked for. `begun` says whether one of this list has come.
    List { begun: bool },
    /// A watch is opened.
    Open { version: String },
    /// The watch is listened to.
    Watch { version: String },
    /// Nothing: what was asked for is not served or not allowed.
    Ended,
}

/// Where a list and watch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub at: At,
    /// What can be said of objects that were not seen.
    pub phase: Phase,
    /// Whether a list has come to its end that the watch goes on from.
    complete: bool,
    /// Whether a kind that is not served is waited for.
    await_kind: bool,
}

/// What came of the last action.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    /// A page of the list.
    Page(Vec<Value>),
    /// The list has expired between two pages, and begins anew.
    ListRestarted,
    /// The list is complete, and is of this resource version.
    ListDone(String),
    /// The server has begun to answer the watch.
    Opened,
    /// An event of the watch.
    Heard(Heard),
    /// The server has ended the watch in an orderly way.
    Closed,
    /// Any of it failed.
    Failed(ClusterError),
}

/// An event of a watch.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    /// `ADDED` or `MODIFIED`.
    Object(Value),
    /// `DELETED`.
    Deleted(Value),
    /// `BOOKMARK`, or something that a later server may say.
    Bookmark(Value),
}

/// What a step asks of the shell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    /// Tell this.
    Event(WatchEvent),
    /// Pause before the next action, longer after each pause.
    Pause,
    /// The next pause is the shortest again.
    Reset,
}

impl State {
    /// Begins with a list, or with a watch from the resource version of an earlier one.
    pub(super) fn new(from: Option<&str>, await_kind: bool) -> Self {
        let at = from.map_or(At::List { begun: false }, |version| At::Open { version: version.to_owned() });
        Self { at, phase: Phase::Unknown, complete: false, await_kind }
    }

    /// The end, in which nothing more comes.
    pub(super) fn ended() -> Self {
        Self { at: At::Ended, phase: Phase::Unknown, complete: false, await_kind: false }
    }

    /// One step. What cannot come in a state changes nothing.
    pub(super) fn step(self, input: Input) -> (Self, Vec<Output>) {
        use Output::{Event, Pause, Reset};
        let State { at, phase, complete, await_kind } = self;
        let state = |at, phase, complete| Self { at, phase, complete, await_kind };
        match (at, input) {
            (At::List { begun }, Input::Page(objects)) => {
                let restarted = (!begun).then_some(WatchEvent::Restarted);
                let objects = objects.into_iter().map(WatchEvent::Object);
                let events = restarted.into_iter().chain(objects).map(Event).collect();
                (state(At::List { begun: true }, Phase::Unknown, false), events)
            }
            (At::List { .. }, Input::ListRestarted) => {
                (state(At::List { begun: false }, Phase::Unknown, false), Vec::new())
            }
            (At::List { .. }, Input::ListDone(version)) => {
                let listed = WatchEvent::Listed { resource_version: version.clone() };
                (state(At::Open { version }, Phase::Listed, true), vec![Event(listed)])
            }
            (At::Open { version }, Input::Opened) => {
                // A watch that did not begin with a list knows nothing of what it has not seen.
                let (phase, events) = match complete {
                    true => (Phase::Live, vec![Event(WatchEvent::Live)]),
                    false => (Phase::Unknown, Vec::new()),
                };
                (state(At::Watch { version }, phase, complete), events)
            }
            (At::Watch { version }, Input::Heard(heard)) => match version_of(&heard) {
                Some(version) => {
                    let event = match heard {
                        Heard::Object(object) => Some(Event(WatchEvent::Object(object))),
                        Heard::Deleted(object) => Some(Event(WatchEvent::Deleted(object))),
                        Heard::Bookmark(_) => None,
                    };
                    let outputs = event.into_iter().chain([Reset]).collect();
                    (state(At::Watch { version }, phase, complete), outputs)
                }
                None => {
                    let message = "an event of the watch has no resource version";
                    let error = ClusterError::new(ErrorKind::BadAnswer, message);
                    state(At::Watch { version }, phase, complete).step(Input::Failed(error))
                }
            },
            // Nothing is lost: the next watch goes on where this one ended.
            (At::Watch { version }, Input::Closed) => (state(At::Open { version }, phase, complete), vec![Pause]),
            (at, Input::Failed(error)) => {
                let (at, complete) = match after(&error, await_kind) {
                    Next::End => (At::Ended, false),
                    Next::List => (At::List { begun: false }, false),
                    Next::Again => match at {
                        At::Watch { version } | At::Open { version } => (At::Open { version }, complete),
                        at => (at, false),
                    },
                };
                let mut outputs = vec![Event(WatchEvent::Lost(error))];
                outputs.extend((at != At::Ended).then_some(Pause));
                (state(at, Phase::Unknown, complete), outputs)
            }
            (at, _) => (state(at, phase, complete), Vec::new()),
        }
    }
}

/// How to go on after an error.
enum Next {
    /// With the same action.
    Again,
    /// With a new list.
    List,
    /// Not at all.
    End,
}

fn after(error: &ClusterError, await_kind: bool) -> Next {
    match error.kind {
        ErrorKind::KindNotFound if await_kind => Next::List,
        // What is not served or not allowed stays so until somebody changes it, whom this watch cannot see.
        ErrorKind::KindNotFound
        | ErrorKind::NotFound
        | ErrorKind::NamespaceNotFound
        | ErrorKind::Forbidden
        | ErrorKind::Unauthorized
        | ErrorKind::Certificate
        | ErrorKind::Kubeconfig
        | ErrorKind::UnsafeKubeconfig
        | ErrorKind::InvalidRequest
        | ErrorKind::Invalid => Next::End,
        ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Slow | ErrorKind::Busy | ErrorKind::Server => {
            Next::Again
        }
        // From here on the server would say the same again.
        ErrorKind::Expired
        | ErrorKind::BadAnswer
        | ErrorKind::TooLarge
        | ErrorKind::AlreadyExists
        | ErrorKind::VersionConflict
        | ErrorKind::FieldConflict => Next::List,
    }
}

fn version_of(heard: &Heard) -> Option<String> {
    let (Heard::Object(object) | Heard::Deleted(object) | Heard::Bookmark(object)) = heard;
    let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    version.filter(|version| !version.is_empty()).map(str::to_owned)
}

/// A line of a watch.
pub(super) fn parse(line: &str) -> Input {
    let Ok(mut event) = serde_json::from_str::<Value>(line) else {
        return Input::Failed(ClusterError::new(ErrorKind::BadAnswer, "an event of the watch is no JSON"));
    };
    let object = event.get_mut("object").map(Value::take).unwrap_or_default();
    match event.get("type").and_then(Value::as_str).unwrap_or_default() {
        "ADDED" | "MODIFIED" => Input::Heard(Heard::Object(object)),
        "DELETED" => Input::Heard(Heard::Deleted(object)),
        "ERROR" => {
            let code = object.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
            Input::Failed(ClusterError::from_response(code.unwrap_or(500), object.to_string().as_bytes()))
        }
        _ => Input::Heard(Heard::Bookmark(object)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(name: &str, version: &str) -> Value {
        json!({"metadata": {"name": name, "resourceVersion": version}})
    }

    fn line(kind: &str, object: &Value) -> Input {
        parse(&json!({"type": kind, "object": object}).to_string())
    }

    fn failed(kind: ErrorKind) -> Input {
        Input::Failed(ClusterError::new(kind, "why"))
    }

    fn done(version: &str) -> Input {
        Input::ListDone(version.to_owned())
    }

    fn at(at: &At) -> String {
        match at {
            At::List { begun } => format!("list{}", if *begun { "+" } else { "" }),
            At::Open { version } => format!("open {version}"),
            At::Watch { version } => format!("watch {version}"),
            At::Ended => "ended".to_owned(),
        }
    }

    fn word(output: &Output) -> String {
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or("?").to_owned();
        match output {
            Output::Pause => "pause".into(),
            Output::Reset => "reset".into(),
            Output::Event(WatchEvent::Restarted) => "restarted".into(),
            Output::Event(WatchEvent::Object(object)) => format!("+{}", name(object)),
            Output::Event(WatchEvent::Deleted(object)) => format!("-{}", name(object)),
            Output::Event(WatchEvent::Listed { resource_version }) => format!("listed {resource_version}"),
            Output::Event(WatchEvent::Live) => "live".into(),
            Output::Event(WatchEvent::Lost(error)) => format!("lost {:?}", error.kind),
        }
    }

    /// Each input with what comes out of it, where it leads, and what may be said then.
    fn run(mut state: State, steps: Vec<(Input, &str, &str, Phase)>) -> State {
        for (number, (input, outputs, to, phase)) in steps.into_iter().enumerate() {
            let before = state.phase;
            let (next, out) = state.step(input);
            let words: Vec<String> = out.iter().map(word).collect();
            assert_eq!((words.join(", ").as_str(), at(&next.at).as_str()), (outputs, to), "step {number}");
            assert_eq!(next.phase, phase, "step {number}");
            // Who follows the events alone knows the same.
            let followed = out.iter().fold(before, |phase, output| match output {
                Output::Event(event) => phase.after(event),
                _ => phase,
            });
            assert_eq!(followed, phase, "step {number}");
            state = next;
        }
        state
    }

    fn live() -> State {
        let state = State::new(None, false);
        let (state, _) = state.step(Input::Page(vec![object("a", "1")]));
        let (state, _) = state.step(done("5"));
        state.step(Input::Opened).0
    }

    #[test]
    fn a_list_then_a_watch() {
        use Phase::{Listed, Live, Unknown};
        run(
            State::new(None, false),
            vec![
                (Input::Page(vec![object("a", "1")]), "restarted, +a", "list+", Unknown),
                (Input::Page(vec![object("b", "2")]), "+b", "list+", Unknown),
                (done("5"), "listed 5", "open 5", Listed),
                (Input::Opened, "live", "watch 5", Live),
                (line("ADDED", &object("c", "6")), "+c, reset", "watch 6", Live),
                (line("MODIFIED", &object("c", "7")), "+c, reset", "watch 7", Live),
                (line("DELETED", &object("a", "8")), "-a, reset", "watch 8", Live),
                (line("BOOKMARK", &object("", "12")), "reset", "watch 12", Live),
                (line("LATER", &object("", "13")), "reset", "watch 13", Live),
            ],
        );
    }

    #[test]
    fn an_orderly_end_loses_nothing_and_pauses() {
        let state = run(live(), vec![(Input::Closed, "pause", "open 5", Phase::Live)]);
        run(state, vec![(Input::Opened, "live", "watch 5", Phase::Live)]);
    }

    #[test]
    fn a_broken_watch_goes_on_where_it_broke() {
        let steps = vec![
            (failed(ErrorKind::Unreachable), "lost Unreachable, pause", "open 5", Phase::Unknown),
            (failed(ErrorKind::TimedOut), "lost TimedOut, pause", "open 5", Phase::Unknown),
            (failed(ErrorKind::Busy), "lost Busy, pause", "open 5", Phase::Unknown),
            (Input::Opened, "live", "watch 5", Phase::Live),
        ];
        run(live(), steps);
    }

    #[test]
    fn an_expired_version_begins_with_a_list() {
        let gone = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"});
        let steps = vec![
            (line("ERROR", &gone), "lost Expired, pause", "list", Phase::Unknown),
            (Input::Page(Vec::new()), "restarted", "list+", Phase::Unknown),
            (done("9"), "listed 9", "open 9", Phase::Listed),
            (failed(ErrorKind::Expired), "lost Expired, pause", "list", Phase::Unknown),
        ];
        run(live(), steps);
    }

    #[test]
    fn a_list_that_fails_goes_on_and_one_that_expires_begins_anew() {
        let steps = vec![
            (failed(ErrorKind::Unreachable), "lost Unreachable, pause", "list", Phase::Unknown),
            (Input::Page(vec![object("a", "1")]), "restarted, +a", "list+", Phase::Unknown),
            (failed(ErrorKind::Busy), "lost Busy, pause", "list+", Phase::Unknown),
            (Input::Page(vec![object("b", "1")]), "+b", "list+", Phase::Unknown),
            (Input::ListRestarted, "", "list", Phase::Unknown),
            (Input::Page(vec![object("b", "1")]), "restarted, +b", "list+", Phase::Unknown),
            (failed(ErrorKind::BadAnswer), "lost BadAnswer, pause", "list", Phase::Unknown),
        ];
        run(State::new(None, false), steps);
    }

    #[test]
    fn what_is_not_served_or_not_allowed_ends_the_watch() {
        for kind in [ErrorKind::KindNotFound, ErrorKind::Forbidden, ErrorKind::Unauthorized, ErrorKind::Invalid] {
            let lost = format!("lost {kind:?}");
            run(live(), vec![(failed(kind), lost.as_str(), "ended", Phase::Unknown)]);
            run(State::new(None, false), vec![(failed(kind), lost.as_str(), "ended", Phase::Unknown)]);
        }
        let steps = vec![
            (failed(ErrorKind::KindNotFound), "lost KindNotFound, pause", "list", Phase::Unknown),
            (failed(ErrorKind::Forbidden), "lost Forbidden", "ended", Phase::Unknown),
            (Input::Opened, "", "ended", Phase::Unknown),
        ];
        run(State::new(None, true), steps);
    }

    #[test]
    fn a_watch_without_a_list_never_says_that_something_is_absent() {
        let steps = vec![
            (Input::Opened, "", "watch 3", Phase::Unknown),
            (line("ADDED", &object("a", "4")), "+a, reset", "watch 4", Phase::Unknown),
            (Input::Closed, "pause", "open 4", Phase::Unknown),
            (Input::Opened, "", "watch 4", Phase::Unknown),
        ];
        run(State::new(Some("3"), false), steps);
    }

    #[test]
    fn an_event_that_makes_no_sense_is_no_event() {
        for line in ["", "x", "{\"type\":\"ADDED\"}", "{\"type\":\"ADDED\",\"object\":{\"metadata\":{}}}"] {
            run(live(), vec![(parse(line), "lost BadAnswer, pause", "list", Phase::Unknown)]);
        }
    }
}
