//! How many requests were sent to a cluster, by verb and outcome.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::cluster::error::{ClusterError, ErrorKind};
use crate::cluster::request::{ApiRequest, Verb};

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// An answer with a status of success.
    Success,
    /// The server refused it (4xx), or has no such object.
    Refused,
    /// The server had no room for it (429, 502, 503, 504).
    Busy,
    /// The server failed, or its answer made no sense.
    Failed,
    /// No answer: the connection failed, or nobody waited any longer.
    NoAnswer,
}

const VERBS: [Verb; 6] = [Verb::Get, Verb::List, Verb::Watch, Verb::Create, Verb::Patch, Verb::Delete];
const OUTCOMES: [Outcome; 5] = [Outcome::Success, Outcome::Refused, Outcome::Busy, Outcome::Failed, Outcome::NoAnswer];

/// The requests of one cluster so far; each try counts.
#[derive(Debug, Default)]
pub struct Counters {
    sent: [[AtomicU64; OUTCOMES.len()]; VERBS.len()],
    under_way: AtomicU64,
    writes: AtomicU64,
}

impl Counters {
    /// The number of requests of a verb with an outcome.
    pub fn count(&self, verb: Verb, outcome: Outcome) -> u64 {
        self.sent[verb as usize][outcome as usize].load(Ordering::Relaxed)
    }

    /// Every verb and outcome with its number.
    pub fn all(&self) -> impl Iterator<Item = (Verb, Outcome, u64)> + '_ {
        VERBS.into_iter().flat_map(move |verb| OUTCOMES.into_iter().map(move |o| (verb, o, self.count(verb, o))))
    }

    /// The number of requests that were sent, those under way included.
    pub fn requests(&self) -> u64 {
        self.all().map(|(_, _, count)| count).sum::<u64>() + self.under_way.load(Ordering::Relaxed)
    }

    /// The number of requests that could have changed something: dry runs and reads could not.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Counts a request that is sent now.
    pub(super) fn begin(&self, request: &ApiRequest) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        if request.is_write() {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        UnderWay { counters: self, verb: request.verb(), outcome: Outcome::NoAnswer }
    }
}

/// A request under way. If nobody waits for its end, it has no answer.
pub(super) struct UnderWay<'a> {
    counters: &'a Counters,
    verb: Verb,
    outcome: Outcome,
}

impl UnderWay<'_> {
    pub(super) fn end<T>(mut self, result: &Result<T, ClusterError>) {
        self.outcome = match result {
            Ok(_) => Outcome::Success,
            Err(error) => outcome(error),
        };
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.counters.sent[self.verb as usize][self.outcome as usize].fetch_add(1, Ordering::Relaxed);
        self.counters.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn outcome(error: &ClusterError) -> Outcome {
    match (error.kind, &error.status) {
        (ErrorKind::Busy, _) => Outcome::Busy,
        (_, Some(status)) if status.code < 500 => Outcome::Refused,
        (_, Some(_)) | (ErrorKind::BadAnswer | ErrorKind::TooLarge, None) => Outcome::Failed,
        (_, None) => Outcome::NoAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::Resource;

    #[test]
    fn requests_are_counted_by_verb_and_outcome() {
        let counters = Counters::default();
        let get = ApiRequest::version();
        let delete = ApiRequest::delete(Resource::namespaces(), None, "a", "u", "7");
        let end = |request: &ApiRequest, result: Result<(), ClusterError>| counters.begin(request).end(&result);
        end(&get, Ok(()));
        end(&get, Err(ClusterError::from_response(404, b"")));
        end(&get, Err(ClusterError::from_response(503, b"")));
        end(&get, Err(ClusterError::from_response(500, b"")));
        end(&delete.clone().dry_run(true), Ok(()));
        let under_way = counters.begin(&delete);
        assert_eq!((counters.requests(), counters.writes()), (6, 1));
        drop(under_way);
        for (verb, outcome, count) in counters.all() {
            let expected = match (verb, outcome) {
                (Verb::Get, Outcome::NoAnswer) => 0,
                (Verb::Get, _) | (Verb::Delete, Outcome::Success | Outcome::NoAnswer) => 1,
                _ => 0,
            };
            assert_eq!(count, expected, "{verb:?} {outcome:?}");
        }
        assert_eq!(counters.requests(), 6);
    }
}
