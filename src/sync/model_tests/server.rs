//! An API server of the model: objects, their history for watches, and the requests that sync sends.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::managed::Owned;
use super::offer::KINDS;

/// A kind, a namespace and a name.
pub(super) type Key = (&'static str, String, String);

/// A change: the object before and after it, as the server tells them.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// The version of the server after it.
    pub version: u64,
    /// Which object.
    pub key: Key,
    /// What it was.
    pub before: Option<Value>,
    /// What it is.
    pub after: Option<Value>,
}

/// The API server.
#[derive(Debug, Clone, Default)]
pub(super) struct Server {
    /// The objects.
    pub objects: BTreeMap<Key, Owned>,
    /// The version of the last change.
    pub version: u64,
    /// All changes.
    pub log: Vec<Change>,
    /// Whether an admission webhook refuses every apply, and how often it did: each time with other words.
    pub refusals: Option<u64>,
    /// Whether a mutating webhook stores `spec.extra` without the spaces around it.
    pub trims: bool,
    uids: u64,
    name: &'static str,
}

type Answer = (u16, Value);

fn refused(code: u16, reason: &str, key: &Key) -> Answer {
    let message = format!("{reason}: {} {}", key.0, key.2);
    (
        code,
        json!({"kind": "Status", "status": "Failure", "reason": reason, "message": message, "details": {"name": key.2, "kind": key.0}}),
    )
}

fn kind_of(plural: &str, group: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|kind| kind.split_once('.') == Some((plural, group)))
}

/// The first generation of a kind: those of each level are told apart.
pub(super) fn first_generation(kind: &str) -> i64 {
    match KINDS.iter().position(|known| *known == kind) {
        Some(0) => 1,
        Some(1) => 1_000_001,
        _ => 2_000_001,
    }
}

fn finalizers(body: &Value) -> usize {
    body.pointer("/metadata/finalizers").and_then(Value::as_array).map_or(0, Vec::len)
}

fn spec(body: &Value) -> Value {
    let mut body = body.clone();
    if let Value::Object(map) = &mut body {
        map.remove("metadata");
        map.remove("status");
    }
    body
}

/// Whether an object is being deleted.
pub(super) fn is_deleting(body: &Value) -> bool {
    body.pointer("/metadata/deletionTimestamp").is_some()
}

impl Server {
    /// A server; its name stands in UIDs.
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, version: 10, ..Self::default() }
    }

    /// Goes back to an older state. Versions go on, as `etcdutl snapshot restore --bump-revision` has it.
    pub(super) fn restore(&mut self, objects: BTreeMap<Key, Owned>) {
        self.objects = objects;
        self.version += 1_000;
    }

    /// A UID that nothing has.
    pub(super) fn uid(&mut self) -> String {
        self.uids += 1;
        // UUIDs, as API servers make them; those of each server are told apart.
        let server = self.name.bytes().fold(0, |sum, byte| sum << 8 | u32::from(byte));
        format!("{server:08x}-0000-4000-8000-{:012x}", self.uids)
    }

    /// The object as the server tells it.
    pub(super) fn get(&self, key: &Key) -> Option<Value> {
        self.objects.get(key).map(Owned::rendered)
    }

    /// Stores what an object has become, if that is anything new.
    fn store(&mut self, key: &Key, mut after: Owned) -> Value {
        let before = self.objects.get(key);
        let told = before.map(Owned::rendered);
        if told.as_ref() == Some(&after.rendered()) {
            return after.rendered();
        }
        if let Some(before) = before
            && spec(&before.body) != spec(&after.body)
        {
            let generation = before.body.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
            after.body["metadata"]["generation"] = json!(generation + 1);
        }
        self.version += 1;
        after.body["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let rendered = after.rendered();
        let is_gone = is_deleting(&after.body) && finalizers(&after.body) == 0;
        if is_gone {
            self.objects.remove(key);
        } else {
            self.objects.insert(key.clone(), after);
        }
        let after = (!is_gone).then(|| rendered.clone());
        // Of a deletion the last state is told, with the version of the deletion.
        let before = if is_gone { Some(rendered.clone()) } else { told };
        self.log.push(Change { version: self.version, key: key.clone(), before, after });
        rendered
    }

    fn blank(&mut self, key: &Key) -> Owned {
        let uid = self.uid();
        Owned {
            body: json!({"apiVersion": "v1", "kind": "DB", "metadata": {"name": key.2, "namespace": key.1, "uid": uid,
                "generation": first_generation(key.0), "creationTimestamp": "2026-01-01T00:00:00Z"}}),
            ..Owned::default()
        }
    }

    /// Creates an object as somebody does; it may be there already.
    pub(super) fn create(&mut self, key: &Key, manager: &str, change: impl FnOnce(&mut Value)) {
        if !self.objects.contains_key(key) {
            let mut object = self.blank(key);
            object.update(manager, "", change);
            self.store(key, object);
        }
    }

    /// Changes an object as somebody does.
    pub(super) fn update(&mut self, key: &Key, manager: &str, sub: &'static str, change: impl FnOnce(&mut Value)) {
        if let Some(mut object) = self.objects.get(key).cloned() {
            object.update(manager, sub, change);
            self.store(key, object);
        }
    }

    /// Replaces an object, unseen by whoever is not there to see it.
    pub(super) fn put(&mut self, key: &Key, object: Owned) {
        self.store(key, object);
    }

    /// Deletes an object.
    pub(super) fn delete(&mut self, key: &Key) -> Option<Value> {
        let mut object = self.objects.get(key).cloned()?;
        if !is_deleting(&object.body) {
            object.body["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            let generation = object.body.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
            object.body["metadata"]["generation"] = json!(generation + 1);
        }
        Some(self.store(key, object))
    }

    /// Answers a request of sync.
    pub(super) fn answer(&mut self, request: &http::Request<Bytes>) -> Answer {
        let Some((key, subresource)) = path(request) else { return (404, json!({})) };
        let query = request.uri().query().unwrap_or_default();
        let option = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        let manager = option("fieldManager").unwrap_or("unknown").to_owned();
        let is_dry = option("dryRun").is_some();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        match *request.method() {
            Method::GET => match self.get(&key) {
                Some(object) => (200, object),
                None => refused(404, "NotFound", &key),
            },
            Method::DELETE => self.delete_exactly(&key, &body),
            Method::PATCH if body.is_array() => self.json_patch(&key, &manager, &body),
            _ => {
                if let Some(number) = &mut self.refusals {
                    *number += 1;
                    return refused(422, &format!("request {number} is refused"), &key);
                }
                self.apply(&key, &manager, subresource, &body, is_dry)
            }
        }
    }

    fn delete_exactly(&mut self, key: &Key, options: &Value) -> Answer {
        let Some(object) = self.objects.get(key) else { return refused(404, "NotFound", key) };
        let wanted = &options["preconditions"];
        let is = &object.body["metadata"];
        if wanted["uid"] != is["uid"] || wanted["resourceVersion"] != is["resourceVersion"] {
            return refused(409, "Conflict", key);
        }
        let told = self.delete(key);
        match self.objects.contains_key(key) {
            true => (200, told.unwrap_or_default()),
            false => (200, json!({"kind": "Status", "status": "Success", "metadata": {}, "details": {"name": key.2}})),
        }
    }

    fn json_patch(&mut self, key: &Key, manager: &str, patch: &Value) -> Answer {
        let Some(mut object) = self.objects.get(key).cloned() else { return refused(404, "NotFound", key) };
        let mut body = object.body.clone();
        for operation in patch.as_array().into_iter().flatten() {
            let pointer = operation["path"].as_str().unwrap_or_default();
            let done = match operation["op"].as_str() {
                Some("test") => body.pointer(pointer) == Some(&operation["value"]),
                Some("remove") => remove_at(&mut body, pointer),
                _ => false,
            };
            if !done {
                return (
                    422,
                    json!({"kind": "Status", "status": "Failure", "reason": "Invalid", "message": "the test failed"}),
                );
            }
        }
        object.update(manager, "", |there| *there = body);
        (200, self.store(key, object))
    }

    fn apply(&mut self, key: &Key, manager: &str, sub: &'static str, config: &Value, is_dry: bool) -> Answer {
        let (uid, version) = (config.pointer("/metadata/uid"), config.pointer("/metadata/resourceVersion"));
        let mut object = match self.objects.get(key) {
            None if !sub.is_empty() => return refused(404, "NotFound", key),
            None if uid.is_some() => return refused(409, "Conflict", key),
            None => self.blank(key),
            Some(there) => {
                let is = &there.body["metadata"];
                if uid.is_some_and(|uid| *uid != is["uid"]) || version.is_some_and(|v| *v != is["resourceVersion"]) {
                    return refused(409, "Conflict", key);
                }
                there.clone()
            }
        };
        let before = finalizers(&object.body);
        object.apply(manager, sub, config);
        if self.trims
            && let Some(Value::String(extra)) = object.body.pointer_mut("/spec/extra")
        {
            *extra = extra.trim().to_owned();
        }
        if is_deleting(&object.body) && finalizers(&object.body) > before {
            return refused(422, "Invalid", key);
        }
        if is_dry {
            return (200, object.rendered());
        }
        (200, self.store(key, object))
    }
}

fn remove_at(body: &mut Value, pointer: &str) -> bool {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return false };
    match body.pointer_mut(parent) {
        Some(Value::Object(map)) => map.remove(&last.replace("~1", "/").replace("~0", "~")).is_some(),
        Some(Value::Array(items)) => match last.parse().ok().filter(|at| *at < items.len()) {
            Some(at) => {
                items.remove(at);
                true
            }
            None => false,
        },
        _ => false,
    }
}

/// The object and the subresource that a request is about.
pub(super) fn path(request: &http::Request<Bytes>) -> Option<(Key, &'static str)> {
    let parts: Vec<&str> = request.uri().path().trim_start_matches('/').split('/').collect();
    let ["apis", group, _, "namespaces", namespace, plural, name, rest @ ..] = parts.as_slice() else { return None };
    let subresource = if rest.first() == Some(&"status") { "status" } else { "" };
    Some(((kind_of(plural, group)?, (*namespace).to_owned(), (*name).to_owned()), subresource))
}
