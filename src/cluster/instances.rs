//! Instances: how many there are of a kind, where, and what they are called.
//!
//! One metadata-only LIST a kind, whatever the number of namespaces asked about.
//! Nothing of an instance but its namespace, its name, its UID and the deletion policy that it asks for is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use futures::future::join_all;
use serde_json::Value;

use super::client::{Cluster, ListSink};
use super::error::{ClusterError, ErrorKind};
use super::policies::Policies;
use super::request::Selection;
use crate::model::keys::{DELETION_POLICY, SOURCE_UID, annotation};
use crate::model::kinds::DeletionPolicyConfig;
use crate::model::resource::Resource;
use crate::plan::types::{Impact, ObjectRef};

/// So many are named; all are counted.
pub(crate) const NAMED: usize = 20;

/// The instances of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Instances {
    /// By namespace; the empty one is that of cluster-wide kinds.
    namespaces: BTreeMap<String, Names>,
}

/// Instances of one kind in one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names {
    /// The UIDs of all.
    uids: Vec<String>,
    /// The names of the first of them, as the server sorts them.
    first: Vec<String>,
    /// The names of those that ask for a deletion policy, and which.
    asking: Vec<(String, String)>,
    /// The names of those that sync has made for another object, and the UID of that.
    made_for: Vec<(String, String)>,
}

impl ListSink for Instances {
    fn take(&mut self, object: Value) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let names = self.namespaces.entry(text("/metadata/namespace").to_owned()).or_default();
        names.uids.push(text("/metadata/uid").to_owned());
        if let Some(policy) = annotation(&object, DELETION_POLICY) {
            names.asking.push((text("/metadata/name").to_owned(), policy.to_owned()));
        }
        if let Some(uid) = annotation(&object, SOURCE_UID) {
            names.made_for.push((text("/metadata/name").to_owned(), uid.to_owned()));
        }
        if names.first.len() < NAMED {
            names.first.push(text("/metadata/name").to_owned());
        }
    }

    fn restart(&mut self) {
        self.namespaces.clear();
    }
}

/// Which instances are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where<'a> {
    /// All there are.
    Anywhere,
    /// Those of one namespace.
    In(&'a str),
}

impl Instances {
    fn chosen<'a>(&'a self, place: Where<'a>) -> impl Iterator<Item = (&'a str, &'a Names)> {
        // Looked up: with thousands of namespaces that go, to search through all for each takes long.
        let bounds = match place {
            Where::Anywhere => (Bound::Unbounded, Bound::Unbounded),
            Where::In(wanted) => (Bound::Included(wanted), Bound::Included(wanted)),
        };
        self.namespaces.range::<str, _>(bounds).map(|(namespace, names)| (namespace.as_str(), names))
    }

    /// How many there are.
    #[must_use]
    pub(crate) fn count(&self, place: Where<'_>) -> usize {
        self.chosen(place).map(|(_, names)| names.uids.len()).sum()
    }

    /// Those that sync has made for instances that are counted themselves: the internal object of a tenant's object is no
    /// second instance.
    fn doubles<'a>(&'a self, place: Where<'a>, counted: &BTreeSet<&str>) -> BTreeSet<(&'a str, &'a str)> {
        let made =
            self.chosen(place).flat_map(|(namespace, names)| names.made_for.iter().map(move |one| (namespace, one)));
        let doubles = made.filter(|(_, (_, uid))| counted.contains(uid.as_str()));
        doubles.map(|(namespace, (name, _))| (namespace, name.as_str())).collect()
    }

    /// Their UIDs.
    pub(crate) fn uids<'a>(&'a self, place: Where<'a>) -> impl Iterator<Item = &'a String> {
        self.chosen(place).flat_map(|(_, names)| &names.uids)
    }

    /// How many must not be deleted because the policy in effect is `Block`, and what the first of them are called.
    pub(crate) fn blocked<'a>(
        &'a self,
        place: Where<'a>,
        config: &DeletionPolicyConfig,
    ) -> (usize, Vec<(Option<&'a str>, &'a str)>) {
        let (mut count, mut first) = (0, Vec::new());
        for (namespace, names) in self.chosen(place) {
            let namespace = Some(namespace).filter(|n| !n.is_empty());
            let asking = names.asking.iter().filter(|(_, policy)| config.blocks(Some(policy)));
            count += asking.clone().count();
            first.extend(asking.map(|(name, _)| (namespace, name.as_str())));
            if config.blocks(None) {
                count += names.uids.len() - names.asking.len();
                let silent = names.first.iter().filter(|name| !names.asking.iter().any(|(asking, _)| asking == *name));
                first.extend(silent.map(|name| (namespace, name.as_str())));
            }
            first.truncate(NAMED);
        }
        (count, first)
    }

    /// What they are called; the first of each namespace.
    fn names<'a>(&'a self, place: Where<'a>) -> impl Iterator<Item = (Option<&'a str>, &'a str)> {
        self.chosen(place).flat_map(|(namespace, names)| {
            let namespace = Some(namespace).filter(|n| !n.is_empty());
            names.first.iter().map(move |name| (namespace, name.as_str()))
        })
    }
}

/// The instances of several kinds, or why they could not be listed.
pub(crate) type Census = BTreeMap<Resource, Result<Instances, String>>;

/// Counts the instances of kinds that have a CRD.
///
/// # Errors
/// When the cluster no longer answers. A kind that cannot be listed is not an error of the whole, and not
/// one without instances either.
pub(crate) async fn census(cluster: &Cluster, resources: Vec<Resource>) -> Result<Census, ClusterError> {
    let counted = join_all(resources.into_iter().map(|resource| async move {
        let mut instances = Instances::default();
        let listed = cluster.list(&Selection::all(&resource).metadata_only(), &mut instances).await;
        (resource, listed.map(|_| instances))
    }))
    .await;
    let mut census = Census::new();
    for (resource, listed) in counted {
        let instances = match listed {
            Ok(instances) => Ok(instances),
            Err(error) if error.is_of_connection() => return Err(error),
            Err(error) => Err(why_not_listed(&error)),
        };
        census.insert(resource, instances);
    }
    Ok(census)
}

/// Why instances could not be listed. What a webhook that converts them says may quote one, so only the
/// words of who decides on access are passed on.
#[must_use]
pub(crate) fn why_not_listed(error: &ClusterError) -> String {
    match error.kind {
        ErrorKind::Forbidden => error.message.to_string(),
        ErrorKind::KindNotFound => "the server has the CRD, and does not serve its instances".to_owned(),
        _ if error.is_of_connection() || error.kind == ErrorKind::Slow => error.message.to_string(),
        _ => "the server cannot list the instances".to_owned(),
    }
}

/// What becomes of the instances that an impact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They go.
    Destroyed,
    /// They stay.
    Kept,
    /// They stay, and lose something that their users need.
    Left,
}

/// The impact of a change on the instances of some kinds in some place. Kinds that could not be
/// listed make it unchecked, and it still says what is known. `policies` are those that forbid it, if any can.
#[must_use]
pub(crate) fn impact<'a>(
    cluster: &Cluster,
    census: &Census,
    policies: &Policies,
    resources: impl IntoIterator<Item = &'a Resource> + Clone,
    place: Where<'_>,
    fate: Fate,
) -> Impact {
    let mut impact = Impact::default();
    let mut namespaces = BTreeSet::new();
    let listed = resources.clone().into_iter().filter_map(|resource| census.get(resource)?.as_ref().ok());
    let all: BTreeSet<&str> = listed.flat_map(|instances| instances.uids(place)).map(String::as_str).collect();
    for resource in resources {
        let instances = match census.get(resource) {
            Some(Ok(instances)) => instances,
            Some(Err(why)) => {
                impact.unchecked = Some(why.clone());
                continue;
            }
            None => continue,
        };
        let doubles = instances.doubles(place, &all);
        impact.instances += instances.count(place) - doubles.len();
        namespaces.extend(instances.chosen(place).map(|(n, _)| n).filter(|n| !n.is_empty()));
        let reference = |(namespace, name): (Option<&str>, &str)| ObjectRef {
            cluster: cluster.target.to_string(),
            api_version: resource.api_version(),
            kind: resource.kind.clone(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        if let Some(config) = policies.of(resource) {
            let (count, first) = instances.blocked(place, config);
            impact.blocked_count += count;
            let room = NAMED.saturating_sub(impact.blocked.len());
            impact.blocked.extend(first.into_iter().take(room).map(reference));
        }
        if fate == Fate::Left {
            let room = NAMED.saturating_sub(impact.left.len());
            impact.left.extend(instances.names(place).take(room).map(reference));
        }
        if fate == Fate::Destroyed {
            let room = NAMED.saturating_sub(impact.destroyed.len());
            let names =
                instances.names(place).filter(|(space, name)| !doubles.contains(&(space.unwrap_or_default(), *name)));
            impact.destroyed.extend(names.take(room).map(reference));
            impact.destroyed_uids.extend(instances.uids(place).cloned());
        }
    }
    impact.destroyed_uids.sort();
    if fate == Fate::Destroyed {
        impact.destroyed_count = impact.instances;
    }
    impact.accounts = namespaces.len();
    impact
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kinds::deletion::DeletionPolicy;
    use serde_json::json;

    #[test]
    fn all_are_counted_and_the_first_are_named() {
        let mut instances = Instances::default();
        for n in 0..30 {
            instances
                .take(json!({ "metadata": { "namespace": "a", "name": format!("x{n:02}"), "uid": n.to_string() } }));
        }
        instances.take(json!({ "metadata": { "namespace": "b", "name": "y" } }));
        assert_eq!((instances.count(Where::Anywhere), instances.count(Where::In("b"))), (31, 1));
        assert_eq!((instances.count(Where::In("")), instances.count(Where::In("aa"))), (0, 0));
        let names: Vec<_> = instances.names(Where::Anywhere).collect();
        assert_eq!((names.len(), names[0], names[20]), (21, (Some("a"), "x00"), (Some("b"), "y")));
        assert_eq!(instances.uids(Where::In("a")).count(), 30, "all have a UID");
        let blocked =
            |default| instances.blocked(Where::Anywhere, &DeletionPolicyConfig { default, allowed: Vec::new() });
        assert_eq!(blocked(None).0, 0);
        let (count, first) = blocked(Some(DeletionPolicy::Block));
        assert_eq!((count, first.len()), (31, NAMED));
        instances.restart();
        assert_eq!(instances.count(Where::Anywhere), 0);
    }

    #[test]
    fn the_internal_object_of_an_instance_is_no_second_one() {
        let (mut tenants, mut internal) = (Instances::default(), Instances::default());
        tenants.take(json!({ "metadata": { "namespace": "a", "name": "x", "uid": "1" } }));
        for (name, source) in [("x", "1"), ("orphan", "9")] {
            internal.take(json!({ "metadata": {
                "namespace": "a", "name": name, "uid": name, "annotations": { SOURCE_UID: source },
            } }));
        }
        let counted = BTreeSet::from(["1", "x", "orphan"]);
        assert_eq!(internal.doubles(Where::In("a"), &counted), BTreeSet::from([("a", "x")]));
        assert!(tenants.doubles(Where::Anywhere, &counted).is_empty());
    }

    #[test]
    fn a_policy_is_that_of_the_instance_or_of_the_service() {
        let mut instances = Instances::default();
        for (name, policy) in [("a", Some("Block")), ("b", Some("Delete")), ("c", Some("Nonsense")), ("d", None)] {
            let annotations = policy.map_or_else(|| json!({}), |policy| json!({ DELETION_POLICY: policy }));
            instances.take(
                json!({ "metadata": { "namespace": "n", "name": name, "uid": name, "annotations": annotations } }),
            );
        }
        let names = |default: Option<DeletionPolicy>, allowed: &[DeletionPolicy]| {
            let config = DeletionPolicyConfig { default, allowed: allowed.to_vec() };
            let (count, first) = instances.blocked(Where::In("n"), &config);
            let mut names: Vec<&str> = first.into_iter().map(|(_, name)| name).collect();
            names.sort_unstable();
            assert_eq!(names.len(), count);
            names.concat()
        };
        assert_eq!(names(None, &[]), "a");
        assert_eq!(names(None, &[DeletionPolicy::Delete]), "", "it asks in vain");
        assert_eq!(names(Some(DeletionPolicy::Block), &[]), "acd");
    }
}
