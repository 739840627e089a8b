//! What is left of CRDs that are being deleted: the instances, and the finalizers that hold them.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::Value;

use super::client::{Cluster, ListSink};
use super::error::ErrorKind;
use super::impacts::{UNSERVED, listable};
use super::instances::why_not_listed;
use super::request::Selection;
use crate::model::object::ObjectKey;
use crate::plan;
use crate::plan::going::Instances;
use crate::plan::live::LiveCluster;
use crate::plan::types::ObjectRef;
use crate::plan::words::full_name;

/// So many instances are named; all are counted.
const NAMED: usize = 20;
/// So many different finalizers are kept.
const FINALIZERS: usize = 20;

/// The instances of CRDs, all at once.
pub(crate) async fn left(cluster: &Cluster, live: &LiveCluster, crds: &[ObjectKey]) -> BTreeMap<ObjectKey, Instances> {
    let asked = crds.iter().filter_map(|key| Some((key, &live.objects.get(key)?.body)));
    let asked: Vec<_> = asked.map(|(key, crd)| async move { (key.clone(), of_crd(cluster, crd).await) }).collect();
    join_all(asked).await.into_iter().collect()
}

/// What holds a CRD; `None` if it is not being deleted.
pub(crate) async fn cause(cluster: &Cluster, crd: &Value) -> Option<String> {
    let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    crd.pointer("/metadata/deletionTimestamp")?;
    let object = ObjectRef {
        cluster: cluster.target.to_string(),
        api_version: text("/apiVersion"),
        kind: text("/kind"),
        namespace: None,
        name: text("/metadata/name"),
    };
    let instances = of_crd(cluster, crd).await;
    Some(plan::going::cause(&plan::going::of(object, crd, true, Some(&instances))))
}

/// The instances of one CRD. A CRD in deletion is served until it is gone.
pub(crate) async fn of_crd(cluster: &Cluster, crd: &Value) -> Instances {
    let Some(kind) = listable(crd) else {
        let unknown = Some(UNSERVED.to_owned());
        return Instances { unknown, ..Instances::default() };
    };
    let mut sink = Sink::default();
    match cluster.list(&Selection::all(&kind).metadata_only(), &mut sink).await {
        Ok(_) => sink.0,
        // It went meanwhile, or none was ever stored.
        Err(error) if error.kind == ErrorKind::KindNotFound => Instances::default(),
        Err(error) => Instances { unknown: Some(why_not_listed(&error)), ..Instances::default() },
    }
}

/// Takes the names of instances; those that something holds first.
#[derive(Default)]
struct Sink(Instances);

impl ListSink for Sink {
    fn take(&mut self, object: Value) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
        let finalizers: Vec<&str> = finalizers.into_iter().flatten().filter_map(Value::as_str).collect();
        let name = full_name(text("/metadata/namespace"), text("/metadata/name").unwrap_or_default());
        let Self(instances) = self;
        instances.count += 1;
        if !finalizers.is_empty() {
            instances.first.insert(0, name);
        } else if instances.first.len() < NAMED {
            instances.first.push(name);
        }
        instances.first.truncate(NAMED);
        for finalizer in finalizers {
            if instances.finalizers.len() < FINALIZERS {
                instances.finalizers.insert(finalizer.to_owned());
            }
        }
    }

    fn restart(&mut self) {
        self.0 = Instances::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn those_that_something_holds_are_named_first() {
        let mut sink = Sink::default();
        for number in 0..30 {
            let finalizers = if number == 27 { json!(["x/y"]) } else { json!([]) };
            let name = format!("i{number}");
            sink.take(json!({"metadata": {"namespace": "t", "name": name, "finalizers": finalizers}}));
        }
        let Sink(found) = &sink;
        assert_eq!((found.count, found.first.len(), found.first[0].as_str()), (30, NAMED, "t/i27"));
        assert_eq!(found.finalizers, ["x/y".to_owned()].into());
        sink.restart();
        assert_eq!(sink.0, Instances::default());
    }
}
