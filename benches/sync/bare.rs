//! The yardstick: a bare loop of server-side applies of the body that sync writes into a service cluster, by the
//! account of sync, so that the server treats both alike.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::bed::spec;
use crate::objects::Objects;
use crate::repository::{GROUP, PRESET, VERSION};

/// How many are under way at once in a burst.
pub(crate) const AT_ONCE: usize = 32;
/// A mark that the watches of sync do not choose.
const OTHERS: &str = "00000000-0000-4000-8000-000000000000";

/// Applies objects that sync has nothing to do with.
pub(crate) struct Bare {
    objects: Objects,
    number: std::cell::Cell<usize>,
}

impl Bare {
    /// By way of these objects.
    pub(crate) fn new(objects: Objects) -> Self {
        Self { objects, number: std::cell::Cell::new(0) }
    }

    /// A name that is not taken yet.
    pub(crate) fn name(&self) -> String {
        self.number.set(self.number.get() + 1);
        format!("bare-{}", self.number.get())
    }

    /// Applies one, and how long the answer took.
    pub(crate) async fn apply(&self, name: &str, size: i64) -> Duration {
        let body = body(name, size);
        let start = Instant::now();
        apply(&self.objects, name, &body).await;
        start.elapsed()
    }

    /// Applies so many new ones, so many at once, and how long all took.
    pub(crate) async fn burst(&self, number: usize, at_once: usize) -> Duration {
        let bodies: Vec<_> = (0..number).map(|_| self.name()).map(|name| (body(&name, 3), name)).collect();
        let start = Instant::now();
        stream::iter(bodies)
            .for_each_concurrent(at_once, async |(body, name)| apply(&self.objects, &name, &body).await)
            .await;
        start.elapsed()
    }

    /// Deletes them all, as an admin.
    pub(crate) async fn clear(&self, admin: &Objects) {
        let ours = ListParams::default().labels(&format!("kubecarrier.io/management-cluster={OTHERS}"));
        admin.api().delete_collection(&DeleteParams::default(), &ours).await.expect("an admin may delete");
    }
}

async fn apply(objects: &Objects, name: &str, body: &Value) {
    let how = PatchParams::apply("carrier-bench").force();
    objects.api().patch(name, &how, &Patch::Apply(body)).await.expect("the account of sync may apply");
}

/// What sync applies in the service cluster, but for the marks, which have the same length and lead to nothing.
fn body(name: &str, size: i64) -> Value {
    let mut spec = spec();
    spec["size"] = json!(size);
    spec["priorityClassName"] = json!(PRESET);
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"), "kind": "Redis",
        "metadata": {
            "name": name,
            "labels": {"kubecarrier.io/management-cluster": OTHERS},
            "annotations": {"carrier.kubecarrier.io/source": format!("team-x/redis.eu-west-1.team-a/{name}"),
                            "carrier.kubecarrier.io/source-uid": OTHERS},
        },
        "spec": spec,
    })
}
