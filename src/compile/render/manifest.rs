//! One rendered object, and how it is built.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::kinds::Kind;
use crate::model::kinds::table::KindInfo;
use crate::model::object::{ManifestId, Stage};
use crate::model::source::Span;

/// An object that a cluster is to have.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// What tells it apart from every other object of its cluster.
    pub id: ManifestId,
    /// The step in which it is applied.
    pub stage: Stage,
    /// The object. Shared, since an internal CRD may be a megabyte.
    pub body: Arc<Value>,
    /// Why the cluster is to have it.
    pub cause: Cause,
}

/// Why a cluster is to have an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It is a source object, handed on: the place of its name. A driver that reads its sources from
    /// this cluster must not write it.
    Source(Span),
    /// The compiler makes it: the place that asks for it.
    Product(Span),
    /// The cluster has it whatever the sources say.
    Always,
}

impl Cause {
    /// The place in the sources; `None` for what no source asks for.
    #[must_use]
    pub fn place(self) -> Option<Span> {
        match self {
            Self::Source(place) | Self::Product(place) => Some(place),
            Self::Always => None,
        }
    }
}

impl From<Option<Span>> for Cause {
    /// The cause of a product that this place asks for.
    fn from(place: Option<Span>) -> Self {
        place.map_or(Self::Always, Self::Product)
    }
}

/// Labels or annotations.
pub(super) type Keys = BTreeMap<String, String>;

/// An object that is being built.
#[derive(Debug)]
pub(super) struct Draft {
    id: ManifestId,
    body: Map<String, Value>,
}

impl Draft {
    /// An object of any kind.
    pub(super) fn new(api_version: &str, kind: &str, namespace: Option<&str>, name: impl Into<String>) -> Self {
        let id = ManifestId {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.into(),
        };
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), json!(id.name));
        if let Some(namespace) = namespace {
            metadata.insert("namespace".to_owned(), json!(namespace));
        }
        let mut body = Map::new();
        body.insert("apiVersion".to_owned(), json!(api_version));
        body.insert("kind".to_owned(), json!(kind));
        body.insert("metadata".to_owned(), Value::Object(metadata));
        Self { id, body }
    }

    /// An object of a KubeCarrier kind.
    pub(super) fn of<S: Kind>(namespace: Option<&str>, name: impl Into<String>, spec: &S) -> Self {
        Self::of_kind(S::info(), namespace, name, spec)
    }

    /// The same for a spec that is not the kind's own type.
    pub(super) fn of_kind(
        info: &KindInfo,
        namespace: Option<&str>,
        name: impl Into<String>,
        spec: &impl Serialize,
    ) -> Self {
        // Plain data with text keys: there is nothing in a spec that could fail.
        let spec = serde_json::to_value(spec).unwrap_or_default();
        Self::new(&info.api_version(), info.kind, namespace, name).with("spec", spec)
    }

    /// Adds an outermost field.
    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        self.body.insert(key.to_owned(), value);
        self
    }

    /// Adds labels.
    pub(super) fn labels(self, labels: &Keys) -> Self {
        self.keys("labels", labels)
    }

    /// Adds annotations.
    pub(super) fn annotations(self, annotations: &Keys) -> Self {
        self.keys("annotations", annotations)
    }

    fn keys(mut self, what: &str, keys: &Keys) -> Self {
        if !keys.is_empty()
            && let Some(Value::Object(metadata)) = self.body.get_mut("metadata")
        {
            metadata.insert(what.to_owned(), json!(keys));
        }
        self
    }
}

/// Labels or annotations from pairs.
pub(super) fn keys<const N: usize>(pairs: [(&str, &str); N]) -> Keys {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The objects of one cluster.
#[derive(Debug, Default)]
pub(super) struct Collector {
    objects: Vec<Manifest>,
}

impl Collector {
    /// Adds an object. Several causes may produce the same object, such as two catalogs that offer the same
    /// service: the first cause is kept.
    pub(super) fn add(&mut self, stage: Stage, draft: Draft, cause: impl Into<Cause>) {
        let Draft { id, body } = draft;
        self.objects.push(Manifest { id, stage, body: Arc::new(Value::Object(body)), cause: cause.into() });
    }

    /// Adds a CRD.
    pub(super) fn add_crd(&mut self, crd: Arc<Value>, place: Option<Span>) {
        let name = crd.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = ManifestId {
            api_version: "apiextensions.k8s.io/v1".to_owned(),
            kind: "CustomResourceDefinition".to_owned(),
            namespace: None,
            name,
        };
        self.objects.push(Manifest { id, stage: Stage::Crds, body: crd, cause: place.into() });
    }

    /// Adds the objects of another, after those that are there.
    pub(super) fn append(&mut self, mut other: Self) {
        self.objects.append(&mut other.objects);
    }

    /// All objects, each once, in the order in which to apply them.
    pub(super) fn into_sorted(mut self) -> Vec<Manifest> {
        // Stable, so that of equal objects the first is kept.
        self.objects.sort_by(|a, b| (a.stage, &a.id).cmp(&(b.stage, &b.id)));
        self.objects.dedup_by(|later, first| (later.stage, &later.id) == (first.stage, &first.id));
        self.objects
    }
}
