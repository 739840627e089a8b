//! Lists, page by page: the one place that knows limits, continue tokens, and what is no list.
//!
//! A server that sends pages without end, or pages that are too large, costs no more than the [`Limits`] say. A page
//! that is too large is asked for again with half the objects: a continue token goes with any number.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Cluster;
use super::limits::{Limits, bytes_in_words};
use crate::cluster::error::{ClusterError, ErrorKind, in_words};
use crate::cluster::request::{ApiRequest, Selection};
use crate::plan::words::count;

/// The objects on a page of CRDs: each may be a megabyte.
const PAGE_OF_CRDS: u32 = 100;
/// What to do about a list beyond its limits.
const NO_END: &str = "look whether the objects are wanted (`kubectl get --chunk-size=500` lists them) and whether a proxy before \
                      the API server repeats pages; docs/plan.md has the limits";
/// What to do about an object beyond its limit.
const TOO_LARGE: &str =
    "API servers refuse objects of that size, so ask who runs this one; docs/plan.md has the limits";
/// How often a list that expires between two pages is begun anew.
const RESTARTS: u32 = 3;

/// What takes the objects of a list.
pub trait ListSink {
    /// Takes one.
    fn take(&mut self, object: Value);
    /// The list begins anew: forgets what was taken.
    fn restart(&mut self);
}

impl ListSink for Vec<Value> {
    fn take(&mut self, object: Value) {
        self.push(object);
    }

    fn restart(&mut self) {
        self.clear();
    }
}

/// What comes next of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Page {
    /// Some of its objects.
    Objects(Vec<Value>),
    /// It expired and begins anew: what came so far counts no longer.
    Restarted,
}

/// A list under way. A page that could not be had may be asked for again.
#[derive(Debug)]
pub(crate) struct Pages {
    selection: Selection,
    pager: Pager,
}

impl Pages {
    /// The list of a selection from its beginning.
    #[must_use]
    pub(crate) fn new(selection: Selection) -> Self {
        let of_kind = if selection.resource.plural == "customresourcedefinitions" { PAGE_OF_CRDS } else { u32::MAX };
        let limit = selection.page.unwrap_or(of_kind).max(1);
        let pager = Pager { plural: selection.resource.full_name(), limit, ..Pager::default() };
        Self { selection, pager }
    }

    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// When it cannot be had, is no list, or the list does not end within the limits.
    pub(crate) async fn next(&mut self, cluster: &Cluster) -> Result<Option<Page>, ClusterError> {
        loop {
            if self.pager.version.is_some() {
                return Ok(None);
            }
            let limits = cluster.limits();
            self.pager.limit = self.pager.limit.min(limits.page);
            let request = ApiRequest::list(&self.selection, self.pager.limit, self.pager.token.as_deref());
            let begun = Instant::now();
            let answer = cluster.call_counting(&request).await;
            self.pager.time += begun.elapsed();
            match answer {
                Ok((mut answer, bytes)) => {
                    let objects = items(&mut answer)?;
                    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                    let (token, version) = (text("/metadata/continue"), text("/metadata/resourceVersion"));
                    self.pager.answered(token, version, bytes, &limits)?;
                    return Ok(Some(Page::Objects(objects)));
                }
                Err(error) => {
                    if self.pager.failed(error)? {
                        return Ok(Some(Page::Restarted));
                    }
                }
            }
        }
    }

    /// The resource version of the whole list, once it has come to its end.
    #[must_use]
    pub(crate) fn version(&self) -> Option<&str> {
        self.pager.version.as_deref()
    }
}

/// Where a list is. Pure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Pager {
    plural: String,
    limit: u32,
    token: Option<String>,
    pages: usize,
    bytes: usize,
    time: Duration,
    restarts: u32,
    version: Option<String>,
}

impl Pager {
    /// Takes note of a page.
    fn answered(&mut self, token: &str, version: &str, bytes: usize, limits: &Limits) -> Result<(), ClusterError> {
        self.pages += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > limits.list {
            return Err(self.beyond(&format!("is longer than {}", bytes_in_words(limits.list))));
        }
        if token.is_empty() {
            self.version = Some(version.to_owned());
            return Ok(());
        }
        // The same token again leads to the same page again.
        if self.pages >= limits.pages || self.token.as_deref() == Some(token) {
            let message = format!(
                "the list of {} does not end: {} came, and there are more",
                self.plural,
                count(self.pages, "page")
            );
            return Err(ClusterError::new(ErrorKind::BadAnswer, message).help(NO_END));
        }
        if self.time >= limits.list_time {
            return Err(self.beyond(&format!("did not end within {}", in_words(limits.list_time))));
        }
        self.token = Some(token.to_owned());
        Ok(())
    }

    fn beyond(&self, limit: &str) -> ClusterError {
        let message = format!("the list of {} {limit}, after {}", self.plural, count(self.pages, "page"));
        ClusterError::new(ErrorKind::TooLarge, message).help(NO_END)
    }

    /// Takes note of a page that could not be had; whether the list begins anew. Else the page is asked for
    /// again in a smaller size.
    fn failed(&mut self, error: ClusterError) -> Result<bool, ClusterError> {
        match error.kind {
            ErrorKind::Expired if self.token.is_some() && self.restarts < RESTARTS => {
                (self.token, self.restarts) = (None, self.restarts + 1);
                Ok(true)
            }
            ErrorKind::TooLarge if self.limit > 1 => {
                self.limit /= 2;
                Ok(false)
            }
            ErrorKind::TooLarge => {
                let message = format!("one object in the list of {} is too large: {}", self.plural, error.message);
                Err(ClusterError::new(ErrorKind::TooLarge, message).help(TOO_LARGE))
            }
            _ => Err(error),
        }
    }
}

/// The objects of a page, taken out of it. What is no list is not an empty one: whoever takes it for one
/// deletes or creates for nothing.
pub(super) fn items(answer: &mut Value) -> Result<Vec<Value>, ClusterError> {
    let is_list = answer.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match answer.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        // A list of Go without items may be written as null.
        None | Some(Value::Null) if is_list => Ok(Vec::new()),
        _ => Err(ClusterError::new(ErrorKind::BadAnswer, "asked for a list, the server answers with something else")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pager() -> Pager {
        Pager { limit: 100, ..Pager::default() }
    }

    #[test]
    fn what_is_no_list_is_not_an_empty_one() {
        for (mut answer, count) in [
            (json!({"kind": "RoleList", "items": [{}, {}]}), 2),
            (json!({"items": []}), 0),
            (json!({"kind": "RoleList", "items": null}), 0),
            (json!({"kind": "RoleList", "metadata": {}}), 0),
        ] {
            assert_eq!(items(&mut answer).map(|items| items.len()), Ok(count));
        }
        for mut answer in [
            json!({}),
            json!(null),
            json!([]),
            json!({"kind": "Status", "status": "Success"}),
            json!({"items": null}),
            json!({"kind": "RoleList", "items": {"a": 1}}),
            json!({"kind": "RoleList", "items": "x"}),
        ] {
            let shown = answer.to_string();
            assert_eq!(items(&mut answer).map_err(|error| error.kind), Err(ErrorKind::BadAnswer), "{shown}");
        }
    }

    #[test]
    fn a_list_goes_on_until_there_is_no_token() {
        let (mut pager, limits) = (pager(), Limits::default());
        assert_eq!(pager.answered("a", "7", 10, &limits), Ok(()));
        assert_eq!((pager.token.as_deref(), &pager.version), (Some("a"), &None));
        assert_eq!(pager.answered("", "8", 10, &limits), Ok(()));
        assert_eq!(pager.version.as_deref(), Some("8"));
    }

    #[test]
    fn a_list_that_does_not_end_is_no_list() {
        let limits = Limits { pages: 3, list: 1_000, ..Limits::default() };
        let kind = |result: Result<(), ClusterError>| result.map_err(|error| error.kind);
        let mut one = pager();
        for (token, expected) in [("a", Ok(())), ("b", Ok(())), ("c", Err(ErrorKind::BadAnswer))] {
            assert_eq!(kind(one.answered(token, "7", 1, &limits)), expected, "{token}");
        }
        let mut same = pager();
        assert_eq!(kind(same.answered("a", "7", 1, &limits)), Ok(()));
        assert_eq!(kind(same.answered("a", "7", 1, &limits)), Err(ErrorKind::BadAnswer));
        let mut long = pager();
        assert_eq!(kind(long.answered("a", "7", 600, &limits)), Ok(()));
        assert_eq!(kind(long.answered("b", "7", 600, &limits)), Err(ErrorKind::TooLarge));
        let mut slow = Pager { time: limits.list_time, plural: "dbs.eu".to_owned(), ..pager() };
        let error = slow.answered("a", "7", 1, &limits).expect_err("it takes too long");
        assert_eq!(error.message, "the list of dbs.eu did not end within 30 min, after 1 page");
        assert_eq!(slow.answered("", "7", 1, &limits), Ok(()), "the last page is the last, however late");
    }

    #[test]
    fn a_list_that_expires_between_two_pages_is_begun_anew_a_few_times() {
        let (mut pager, limits) = (pager(), Limits::default());
        let expired = || ClusterError::new(ErrorKind::Expired, "");
        assert!(pager.failed(expired()).is_err(), "the first page cannot expire");
        for _ in 0..RESTARTS {
            assert_eq!(pager.answered("a", "7", 1, &limits), Ok(()));
            assert_eq!(pager.failed(expired()), Ok(true));
            assert_eq!(pager.token, None);
        }
        assert_eq!(pager.answered("a", "7", 1, &limits), Ok(()));
        assert!(pager.failed(expired()).is_err());
    }

    #[test]
    fn a_page_that_is_too_large_is_halved() {
        let mut pager = pager();
        let large = || ClusterError::new(ErrorKind::TooLarge, "");
        let mut limits = Vec::new();
        let last = loop {
            match pager.failed(large()) {
                Ok(_) => limits.push(pager.limit),
                Err(error) => break error,
            }
        };
        assert_eq!(limits, [50, 25, 12, 6, 3, 1]);
        assert!(last.kind == ErrorKind::TooLarge && last.message.starts_with("one object in the list"), "{last}");
        assert!(pager.failed(ClusterError::new(ErrorKind::Server, "")).is_err());
    }
}
