//! What was seen of an instance in the clusters, before anything is concluded. Pure.

use serde_json::{Value, json};

use super::services::Candidate;
use crate::cluster::error::discreet_line;
use crate::cluster::{ClusterError, ErrorKind};
use crate::ops::reach::Unreached;
use crate::sync::wanted::SYNCED;

/// The longest text of a server that is shown, in characters.
const LONGEST: usize = 600;

/// What was seen at the place of an object.
#[derive(Clone, PartialEq)]
pub(super) enum Sight {
    /// It is there.
    Present(Value),
    /// It is not there, and why, if there is more to say.
    Absent(Option<String>),
    /// It could not be read, and why.
    Unread(String),
    /// It could not be looked for, and why. Whatever stood in the way is seen elsewhere.
    Unsought(String),
}

/// What was seen.
#[derive(Clone)]
pub(super) struct Facts {
    /// The service.
    pub service: Candidate,
    /// The namespace of the tenant object.
    pub namespace: String,
    /// The name, on all levels.
    pub name: String,
    /// The UID of the management cluster, or why it cannot be read.
    pub management: Result<String, String>,
    /// Why sync does not follow the service, if that is known.
    pub unfit: Option<String>,
    /// The CatalogEntry.
    pub entry: Sight,
    /// The ServiceClusterAssignment.
    pub assignment: Sight,
    /// The ServiceCluster.
    pub cluster: Sight,
    /// The tenant object, of which only the metadata and the condition `Synced` are kept.
    pub tenant: Sight,
    /// The metadata of the internal object; `None` where the service has none.
    pub internal: Option<Sight>,
    /// The name of the tenant's namespace in the service cluster, or why there is none.
    pub place: Result<String, String>,
    /// That namespace.
    pub place_seen: Sight,
    /// The metadata of the copy in the service cluster.
    pub copy: Sight,
    /// The Lease of the service cluster.
    pub lease: Sight,
    /// Why the service cluster was not asked.
    pub unreached: Option<Unreached>,
}

impl Sight {
    /// The answer of a server about an object of which everything may be shown.
    pub(super) fn of(answer: Result<Value, ClusterError>) -> Self {
        Self::told(answer, |error| error.message.to_string())
    }

    /// The answer of a server about an instance. What a webhook says that converts instances may quote one, so only the
    /// words of who decides on access are passed on.
    pub(super) fn of_instance(answer: Result<Value, ClusterError>) -> Self {
        Self::told(answer, |error| match error.kind {
            ErrorKind::Forbidden => error.message.to_string(),
            _ if error.is_of_connection() || error.kind == ErrorKind::Slow => error.message.to_string(),
            _ => "the server cannot read the object".to_owned(),
        })
    }

    fn told(answer: Result<Value, ClusterError>, words: impl Fn(&ClusterError) -> String) -> Self {
        match answer {
            Ok(object) => Self::Present(object),
            Err(error) => match error.kind {
                ErrorKind::NotFound | ErrorKind::NamespaceNotFound => Self::Absent(None),
                // Objects of a kind that is not served at the moment may be stored all the same.
                ErrorKind::KindNotFound => Self::Unread("the server does not serve the kind".to_owned()),
                _ => Self::Unread(said(&words(&error))),
            },
        }
    }

    /// The object, where it is there.
    pub(super) fn object(&self) -> Option<&Value> {
        match self {
            Self::Present(object) => Some(object),
            Self::Absent(_) | Self::Unread(_) | Self::Unsought(_) => None,
        }
    }

    /// Why it could not be read.
    pub(super) fn unread(&self) -> Option<&str> {
        match self {
            Self::Unread(why) => Some(why),
            Self::Present(_) | Self::Absent(_) | Self::Unsought(_) => None,
        }
    }
}

/// What is kept of a tenant object: its metadata and the condition `Synced`.
#[must_use]
pub(super) fn without_values(object: &Value) -> Value {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let synced = conditions.into_iter().flatten().find(|one| one.get("type").and_then(Value::as_str) == Some(SYNCED));
    json!({"metadata": object.get("metadata"), "status": {"conditions": synced.into_iter().collect::<Vec<_>>()}})
}

/// The words of a server: one line, bounded, without control characters and without the values that they quote.
#[must_use]
pub(super) fn said(text: &str) -> String {
    discreet_line(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_an_owner_wrote_is_kept() {
        let object = json!({"metadata": {"name": "a"}, "spec": {"password": "hunter2"}, "status": {
            "phase": "hunter2", "conditions": [{"type": "Ready", "message": "hunter2"}, {"type": "Synced", "status": "True"}]}});
        let kept = without_values(&object);
        assert_eq!(kept["status"], json!({"conditions": [{"type": "Synced", "status": "True"}]}));
        assert!(!kept.to_string().contains("hunter2"));
    }

    #[test]
    fn words_of_servers_are_one_line_without_values() {
        let text = said(&format!("a\nb\u{1b}[2J spec: Invalid value: \"hunter2\": {}", "é".repeat(LONGEST)));
        assert!(text.starts_with("a␊b␛[2J spec: Invalid value: …: é") && text.ends_with("é…"), "{text}");
        let hidden = Sight::of_instance(Err(ClusterError::new(ErrorKind::Server, "conversion: hunter2")));
        assert_eq!(hidden.unread(), Some("the server cannot read the object"));
        assert!(matches!(Sight::of_instance(Err(ClusterError::new(ErrorKind::NotFound, "x"))), Sight::Absent(None)));
    }
}
