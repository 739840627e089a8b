//! What is remembered of an object of each level, read from its body once. Pure.

use std::num::NonZero;
use std::ops::Deref;

use serde_json::Value;

use super::digest::Digest;
use super::level::Level;
use super::marks::Marks;
use super::owned::applied_by;
use super::service::{INTERNAL_MANAGER, SERVICE_MANAGER, Service};
use super::shape::Shape;
use super::status::StatusFacts;
use super::timestamp;
use super::truth::Truth;
use super::uid::Uid;
use super::verdict::{Reason, SyncedSeen};
use super::wanted::{self, SYNCED};
use crate::model::keys::{APPROVED_DELETION, DELETION_POLICY, FINALIZER, ORPHANED, PAUSED, annotation};
use crate::model::plain;

/// What every object has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its UID.
    pub uid: Uid,
    /// Its resource version. Servers give decimal numbers that grow (KEP-5504).
    pub version: u64,
    /// Its generation; 0 where it has none.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// What is remembered of a tenant object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TenantFacts {
    /// What every object has.
    pub seen: Seen,
    /// Whether it has our finalizer.
    pub finalizer: bool,
    /// Whether it asks to be left alone.
    pub paused: bool,
    /// The deletion policy that it asks for, as written.
    pub policy: Option<Box<str>>,
    /// Whether its deletion was approved.
    pub approved: bool,
    /// What the object below shall be: the internal one, or the service object where nothing is derived.
    pub wants: Digest,
    /// Its exposed part.
    pub exposed: Digest,
    /// The digest of its status, without the condition `Synced`.
    pub status: Digest,
    /// The condition.
    pub synced: Option<SyncedSeen>,
}

/// What is remembered of an internal and of a service object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyFacts {
    /// What every object has.
    pub seen: Seen,
    /// Whose copy it is.
    pub marks: Marks,
    /// Whether it was left behind on purpose.
    pub orphaned: bool,
    /// Whether its deletion was approved, where its tenant object is gone.
    pub approved: bool,
    /// The finalizers that hold it.
    pub finalizers: Box<[Box<str>]>,
    /// What we have applied, with the values as they are.
    pub owned: Digest,
}

/// What is remembered of an internal object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InternalFacts {
    copy: CopyFacts,
    /// What the service object shall be.
    pub wants: Digest,
    /// Its exposed part, as far as somebody set it.
    pub exposed: Digest,
    /// The digest of its status.
    pub status: Digest,
}

/// What is remembered of a service object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceFacts {
    copy: CopyFacts,
    /// What of its status an internal object can hold.
    pub status: StatusFacts,
    /// What of its status the tenant object can hold.
    pub shown: StatusFacts,
}

impl Deref for InternalFacts {
    type Target = CopyFacts;

    fn deref(&self) -> &CopyFacts {
        &self.copy
    }
}

impl Deref for ServiceFacts {
    type Target = CopyFacts;

    fn deref(&self) -> &CopyFacts {
        &self.copy
    }
}

/// The namespace and name of an object.
#[must_use]
pub(crate) fn name_of(object: &Value) -> Option<(&str, &str)> {
    let metadata = object.get("metadata")?;
    Some((metadata.get("namespace")?.as_str()?, metadata.get("name")?.as_str()?))
}

impl Seen {
    /// `None` for what no API server would say.
    #[must_use]
    pub(crate) fn of(object: &Value) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let uid = metadata.get("uid")?.as_str().filter(|uid| !uid.is_empty() && uid.len() <= 128)?;
        Some(Self {
            uid: Uid::new(uid),
            version: metadata.get("resourceVersion")?.as_str()?.parse().ok()?,
            generation: metadata.get("generation").and_then(Value::as_i64).unwrap_or_default(),
            deleting: metadata.get("deletionTimestamp").is_some_and(|time| !time.is_null()),
        })
    }
}

/// The finalizers of an object.
pub(crate) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    let list = object.get("metadata").and_then(|metadata| metadata.get("finalizers")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

impl TenantFacts {
    /// Whether the same deletion of the same object is asked for, in the same way.
    #[must_use]
    pub(crate) fn asks_the_same(&self, before: &Self) -> bool {
        let of = |facts: &Self| (facts.seen.deleting, facts.paused, facts.approved);
        self.seen.uid == before.seen.uid && of(self) == of(before) && self.policy == before.policy
    }

    /// The facts of a tenant object; `None` for what no API server would say.
    #[must_use]
    pub(crate) fn of(service: &Service, object: &Value) -> Option<Self> {
        let seen = Seen::of(object)?;
        let wants = if service.derives() {
            digest(&service.internal, wanted::internal(service, object).fields)
        } else {
            digest(service.base.as_ref().unwrap_or(&Shape::default()), wanted::service(service, object).fields)
        };
        let mut status = object.get("status").cloned();
        let synced = status.as_mut().and_then(take_synced);
        Some(Self {
            finalizer: finalizers(object).any(|finalizer| finalizer == FINALIZER),
            paused: annotation(object, PAUSED) == Some("true"),
            policy: annotation(object, DELETION_POLICY)
                .map(|policy| policy.chars().take(60).collect::<String>().into()),
            approved: annotation(object, APPROVED_DELETION).is_some_and(|uid| seen.uid == *uid),
            wants,
            exposed: Digest::of(&wanted::exposed(service, Level::Tenant, object)),
            status: StatusFacts::of(status.as_ref()).digest(),
            synced,
            seen,
        })
    }
}

impl CopyFacts {
    /// Whether its marks name the tenant object with this UID.
    #[must_use]
    pub(crate) fn is_of(&self, uid: &Uid) -> bool {
        matches!(&self.marks, Marks::Ours { uid: marked } if marked == uid)
    }

    /// The facts of a copy that our manager applies in this shape; `namespace` and `name` are those of the tenant object.
    fn of(service: &Service, object: &Value, (manager, shape): (&str, &Shape), key: (&str, &str)) -> Option<Self> {
        let seen = Seen::of(object)?;
        let owned = applied_by(object, manager, "", shape).unwrap_or(Value::Null);
        Some(Self {
            marks: Marks::read(service, object, manager, key.0, key.1),
            orphaned: annotation(object, ORPHANED) == Some("true"),
            approved: annotation(object, APPROVED_DELETION).is_some_and(|uid| seen.uid == *uid),
            finalizers: finalizers(object)
                .take(20)
                .map(|name| plain::name(&name.chars().take(300).collect::<String>()).into())
                .collect(),
            owned: digest(shape, owned),
            seen,
        })
    }
}

impl InternalFacts {
    /// The facts of an internal object; `None` for what no API server would say.
    #[must_use]
    pub(crate) fn of(service: &Service, object: &Value, namespace: &str, name: &str) -> Option<Self> {
        let anything = Shape::default();
        let below = service.base.as_ref().unwrap_or(&anything);
        Some(Self {
            copy: CopyFacts::of(service, object, (INTERNAL_MANAGER, &service.internal), (namespace, name))?,
            wants: digest(below, wanted::service(service, object).fields),
            exposed: Digest::of(&wanted::exposed(service, Level::Internal, object)),
            status: StatusFacts::of(object.get("status")).digest(),
        })
    }
}

impl ServiceFacts {
    /// The facts of a service object; `namespace` and `name` are those of the tenant object. `None` for what no API server
    /// would say.
    #[must_use]
    pub(crate) fn of(service: &Service, object: &Value, namespace: &str, name: &str) -> Option<Self> {
        let anything = Shape::default();
        let shape = service.base.as_ref().unwrap_or(&anything);
        let status = object.get("status");
        Some(Self {
            copy: CopyFacts::of(service, object, (SERVICE_MANAGER, shape), (namespace, name))?,
            status: StatusFacts::of(Some(&wanted::internal_status(service, status))),
            shown: StatusFacts::of(Some(&wanted::tenant_status(service, status))),
        })
    }
}

/// The facts of an object.
#[derive(Debug)]
pub(crate) enum Facts {
    /// Of a tenant object.
    Tenant(TenantFacts),
    /// Of an internal object.
    Internal(InternalFacts),
    /// Of a service object.
    Service(ServiceFacts),
}

impl Facts {
    /// The facts of an object on a level; `namespace` and `name` are those of the tenant object. `None` for what no API
    /// server would say.
    #[must_use]
    pub(crate) fn of(service: &Service, level: Level, object: &Value, namespace: &str, name: &str) -> Option<Self> {
        match level {
            Level::Tenant => TenantFacts::of(service, object).map(Self::Tenant),
            Level::Internal => InternalFacts::of(service, object, namespace, name).map(Self::Internal),
            Level::Service => ServiceFacts::of(service, object, namespace, name).map(Self::Service),
        }
    }

    /// What every object has.
    #[must_use]
    pub(crate) fn seen(&self) -> &Seen {
        match self {
            Self::Tenant(facts) => &facts.seen,
            Self::Internal(facts) => &facts.seen,
            Self::Service(facts) => &facts.seen,
        }
    }
}

/// The digest of the fields of an object, in which merged lists have no order.
#[must_use]
pub(crate) fn digest(shape: &Shape, fields: Value) -> Digest {
    Digest::of(&shape.canonical(fields))
}

/// Takes the condition out of a tenant object's status.
fn take_synced(status: &mut Value) -> Option<SyncedSeen> {
    let conditions = status.get_mut("conditions")?.as_array_mut()?;
    let at = conditions.iter().position(|condition| condition.get("type").and_then(Value::as_str) == Some(SYNCED))?;
    let condition = conditions.remove(at);
    let is_empty = conditions.is_empty();
    if is_empty && let Value::Object(status) = status {
        status.remove("conditions");
    }
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(SyncedSeen {
        status: Truth::named(text("status")),
        reason: Reason::named(text("reason")),
        message: Digest::of(&Value::from(text("message"))),
        observed_generation: condition.get("observedGeneration").and_then(Value::as_i64).and_then(NonZero::new),
        last_transition: timestamp::digits(text("lastTransitionTime")).and_then(NonZero::new),
    })
}
