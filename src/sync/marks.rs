//! The marks on internal and service objects, which say whose copies they are (issue of `DESIGN.md` §8 law 5). Pure.

use serde_json::{Map, Value, json};

use super::service::Service;
use super::uid::Uid;
use crate::model::keys::{ADOPT, MANAGEMENT_CLUSTER, SOURCE, SOURCE_UID};
use crate::model::managed_fields::managers;

/// What the marks of a copy say, seen from the tenant object of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marks {
    /// It is the copy of this tenant object, or of an earlier one of the same key, which had this UID.
    Ours {
        /// The UID of the tenant object that it was last written for.
        uid: Uid,
    },
    /// It is the copy of another object of this management cluster, `<namespace>/<plural.group>/<name>`.
    OtherSource(Box<str>),
    /// It belongs to another management cluster.
    OtherManagement(Box<str>),
    /// It has not all of the marks.
    Missing {
        /// Whether our field manager has applied it, so that the marks were stripped.
        proven: bool,
        /// Whether its owner consents to its being taken over.
        adopt: bool,
    },
}

impl Marks {
    /// The marks of a copy; `namespace` and `name` are those of the tenant object.
    #[must_use]
    pub(crate) fn read(service: &Service, copy: &Value, manager: &str, namespace: &str, name: &str) -> Self {
        Self::of(copy, manager, &service.management, &service.source(namespace, name))
    }

    /// The marks of a copy of the tenant object `source`, `<namespace>/<plural.group>/<name>`, of the management
    /// cluster with this UID. `manager` is the one that applies copies of this level.
    #[must_use]
    pub(crate) fn of(copy: &Value, manager: &str, management_uid: &str, of_source: &str) -> Self {
        let text = |section: &str, key: &str| {
            copy.get("metadata").and_then(|m| m.get(section)?.get(key)?.as_str()).filter(|text| !text.is_empty())
        };
        let management = text("labels", MANAGEMENT_CLUSTER);
        if let Some(other) = management.filter(|uid| *uid != management_uid) {
            return Self::OtherManagement(bounded(other));
        }
        match (management, text("annotations", SOURCE), text("annotations", SOURCE_UID)) {
            (_, Some(source), _) if source != of_source => Self::OtherSource(bounded(source)),
            (Some(_), Some(_), Some(uid)) => Self::Ours { uid: Uid::new(uid) },
            _ => Self::Missing {
                proven: managers(copy).any(|m| m.name == manager && m.applies),
                adopt: text("annotations", ADOPT) == Some("true"),
            },
        }
    }

    /// Whether the object is ours to write: it bears our marks, or did.
    #[must_use]
    pub(crate) fn are_ours(&self) -> bool {
        matches!(self, Self::Ours { .. } | Self::Missing { proven: true, .. })
    }
}

/// What others write is not kept without limit.
fn bounded(text: &str) -> Box<str> {
    text.chars().take(600).collect::<String>().into()
}

/// The metadata of a copy: the marks, and the labels and annotations that cross.
#[must_use]
pub(crate) fn metadata(service: &Service, from: &Value, source: &str, uid: &str) -> Value {
    let crossing = |section: &str, selects: &dyn Fn(&str) -> bool| -> Map<String, Value> {
        let all = from.get("metadata").and_then(|m| m.get(section)).and_then(Value::as_object);
        all.into_iter().flatten().filter(|(key, _)| selects(key)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let mut labels = crossing("labels", &|key| service.propagate.selects_label(key));
    labels.insert(MANAGEMENT_CLUSTER.to_owned(), json!(service.management));
    let mut annotations = crossing("annotations", &|key| service.propagate.selects_annotation(key));
    annotations.insert(SOURCE.to_owned(), json!(source));
    annotations.insert(SOURCE_UID.to_owned(), json!(uid));
    json!({ "labels": labels, "annotations": annotations })
}
