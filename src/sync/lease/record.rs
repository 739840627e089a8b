//! What a Lease says: from an object of the API, and as an object to apply. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::model::cluster::ClusterId;
use crate::model::keys;
use crate::model::resource::Resource;

/// A Lease as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its UID.
    pub uid: String,
    /// Its resource version.
    pub version: String,
    /// Who holds it; empty where nobody does.
    pub holder: String,
    /// Which process of the holder.
    pub process: String,
    /// How long it lasts; zero where it does not say.
    pub duration: Duration,
    /// When the holder took it, by the holder's clock. For people.
    pub acquired: String,
    /// How often it went from one holder to another.
    pub transitions: i64,
    /// In the Lease of a replica: the only clusters that it works on; absent, all.
    pub only: Option<BTreeSet<ClusterId>>,
}

/// What is written into a Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// As in [`Record`]; empty to give it back.
    pub holder: String,
    /// As in [`Record`].
    pub process: String,
    /// In whole seconds.
    pub duration: Duration,
    /// As in [`Record`]; absent: now.
    pub acquired: Option<String>,
    /// As in [`Record`].
    pub transitions: i64,
    /// As in [`Record`].
    pub only: Option<BTreeSet<ClusterId>>,
}

/// Leases.
#[must_use]
pub(crate) fn resource() -> Resource {
    Resource::new("coordination.k8s.io", "v1", "Lease", "leases", true)
}

impl Record {
    /// The name of a Lease, and what it says. What is not there or makes no sense is empty: a Lease is judged by
    /// whether it changes.
    #[must_use]
    pub(crate) fn of(lease: &Value) -> (String, Self) {
        let text = |pointer: &str| lease.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |pointer: &str| lease.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
        let annotations = lease.pointer("/metadata/annotations");
        let annotation = |key: &str| annotations.and_then(|all| all.get(key)).and_then(Value::as_str);
        let seconds = u64::try_from(number("/spec/leaseDurationSeconds")).unwrap_or_default();
        let record = Self {
            uid: text("/metadata/uid"),
            version: text("/metadata/resourceVersion"),
            holder: text("/spec/holderIdentity"),
            process: annotation(keys::SYNC_PROCESS).unwrap_or_default().to_owned(),
            duration: Duration::from_secs(seconds),
            acquired: text("/spec/acquireTime"),
            transitions: number("/spec/leaseTransitions"),
            only: annotation(keys::SYNC_ONLY).map(|list| list.split(',').filter_map(|id| id.parse().ok()).collect()),
        };
        (text("/metadata/name"), record)
    }

    /// Whether this is known to be older than `other`. Resource versions of one kind can be compared (KEP-5504);
    /// those that cannot are not known to be older.
    #[must_use]
    pub(crate) fn is_older_than(&self, other: &Self) -> bool {
        let number = |record: &Self| record.version.parse::<u128>().ok();
        matches!((number(self), number(other)), (Some(this), Some(other)) if this < other)
    }
}

impl Wanted {
    /// The object to apply. `replaces` is the UID and the resource version that it replaces; absent, the Lease is
    /// created, and refused if there is one. `now` is the time by the wall clock, as `MicroTime` writes it.
    #[must_use]
    pub(crate) fn body(&self, name: &str, replaces: Option<&(String, String)>, now: &str) -> Value {
        let mut annotations = Map::new();
        if !self.process.is_empty() {
            annotations.insert(keys::SYNC_PROCESS.to_owned(), self.process.clone().into());
        }
        if let Some(only) = &self.only {
            let list: Vec<String> = only.iter().map(ToString::to_string).collect();
            annotations.insert(keys::SYNC_ONLY.to_owned(), list.join(",").into());
        }
        // An apply with this version creates an object or is refused: no object has it.
        let mut metadata = json!({"name": name, "namespace": keys::SYSTEM_NAMESPACE, "resourceVersion": "1"});
        metadata["annotations"] = annotations.into();
        if let Some((uid, version)) = replaces {
            metadata["resourceVersion"] = version.as_str().into();
            // Without the UID, what was deleted meanwhile would be made anew.
            metadata["uid"] = uid.as_str().into();
        }
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": self.duration.as_secs(),
                "acquireTime": self.acquired.as_deref().unwrap_or(now),
                "renewTime": now,
                "leaseTransitions": self.transitions,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let wanted = Wanted {
            holder: "a".into(),
            process: "p".into(),
            duration: Duration::from_secs(11),
            acquired: None,
            transitions: 3,
            only: Some(BTreeSet::from([ClusterId::new("b", "c"), ClusterId::new("b", "d")])),
        };
        let replaces = ("u".to_owned(), "7".to_owned());
        let body = wanted.body("n", Some(&replaces), "2026-01-02T03:04:05.000006Z");
        let expected = Record {
            uid: "u".into(),
            version: "7".into(),
            holder: "a".into(),
            process: "p".into(),
            duration: Duration::from_secs(11),
            acquired: "2026-01-02T03:04:05.000006Z".into(),
            transitions: 3,
            only: wanted.only,
        };
        assert_eq!(Record::of(&body), ("n".to_owned(), expected));
    }

    #[test]
    fn what_makes_no_sense_is_empty() {
        let lease = json!({"metadata": {"name": "n"}, "spec": {"leaseDurationSeconds": -1, "holderIdentity": 7}});
        assert_eq!(Record::of(&lease), ("n".to_owned(), Record::default()));
    }

    /// The clock of whoever wrote it may show anything: the times of a Lease are for people.
    #[test]
    fn no_time_in_a_lease_is_read_as_a_time() {
        let wanted = Wanted {
            holder: "a".into(),
            process: "p".into(),
            duration: Duration::from_secs(11),
            acquired: Some("the same".into()),
            transitions: 3,
            only: None,
        };
        let at = |time: &str| Record::of(&wanted.body("n", None, time));
        for time in ["1970-01-01T00:00:00.000000Z", "2026-01-02T03:14:05.000006Z", "9999-12-31T23:59:59Z", "?"] {
            assert_eq!(at(time), at("2026-01-02T03:04:05.000006Z"), "{time}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let record = |version: &str| Record { version: version.into(), ..Record::default() };
        assert!(record("9").is_older_than(&record("10")));
        assert!(!record("10").is_older_than(&record("10")));
        assert!(!record("a").is_older_than(&record("10")));
    }
}
