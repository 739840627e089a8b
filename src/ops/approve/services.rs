//! Which service a person means, from the CatalogEntries and the CRDs of a cluster. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::compile::route::RouteCrds;
use crate::model::cluster::ClusterId;
use crate::model::keys::{BASE_CRD, BASE_KIND, BASE_VERSION, CONTROLLED_BY};
use crate::model::resource::Resource;

/// A CRD of the service cluster in the management cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) struct Kind {
    /// The kind in its stored version.
    pub resource: Resource,
    /// The kind in the service cluster. Only an internal CRD has it, and only where it was rendered for sync.
    pub base: Option<Resource>,
}

impl Kind {
    /// Reads a CRD; `None` for what is not one of this cluster.
    pub(in crate::ops) fn of(crd: &Value, cluster: &ClusterId) -> Option<Self> {
        let resource = Resource::defined_by(crd)?;
        let is_internal = resource.group == cluster.internal_group();
        if !is_internal && resource.group != cluster.derived_group() {
            return None;
        }
        let annotation = |key: &str| crd.get("metadata")?.get("annotations")?.get(key)?.as_str();
        let base = || {
            let (plural, group) = annotation(BASE_CRD)?.split_once('.')?;
            Some(Resource::new(group, annotation(BASE_VERSION)?, annotation(BASE_KIND)?, plural, true))
        };
        Some(Self { base: is_internal.then(base).flatten(), resource })
    }
}

/// The CRDs of the cluster by their full names.
pub(super) type Kinds = BTreeMap<String, Kind>;

/// A CatalogEntry of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    name: String,
    set: Option<String>,
    crds: RouteCrds,
}

impl Entry {
    /// Reads a CatalogEntry; `None` for one of another cluster, and for one that names no CRDs.
    pub(super) fn of(entry: &Value, cluster: &ClusterId) -> Option<Self> {
        let (crds, _) = RouteCrds::read(&cluster.provider, entry).filter(|(crds, _)| crds.cluster == *cluster)?;
        let metadata = entry.get("metadata")?;
        let set = metadata.get("labels").and_then(|labels| labels.get(CONTROLLED_BY)?.as_str());
        Some(Self { name: metadata.get("name")?.as_str()?.to_owned(), set: set.map(str::to_owned), crds })
    }
}

/// The CRDs of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Meant {
    /// The full name of the CRD that tenants use.
    pub tenant: String,
    /// The internal CRDs that may hold copies of its instances, without the one above. Without a CatalogEntry it is
    /// not known which one does, and the marks of the copies tell: the CRD that a CatalogEntry derives may have another
    /// plural. `carrier get` does not read CatalogEntries, and takes the internal CRD with the same plural or none
    /// (`ops::get::retired`).
    pub internal: BTreeSet<String>,
    /// The internal CRDs that say where the copies in the service cluster are.
    pub bases: BTreeSet<String>,
}

/// The services that a word means.
///
/// # Errors
/// The words that mean a service, sorted, where this one does not.
pub(super) fn choose(word: &str, entries: &[Entry], kinds: &Kinds, id: &ClusterId) -> Result<Vec<Meant>, Vec<String>> {
    let exact = entries.iter().filter(|entry| entry.name == word);
    let of_set = entries.iter().filter(|entry| entry.set.as_deref() == Some(word));
    let of_entries: BTreeSet<Meant> = exact.chain(of_set).map(|entry| of_entry(&entry.crds)).collect();
    if !of_entries.is_empty() {
        return Ok(of_entries.into_iter().collect());
    }
    let named = |name: &str, kind: &Kind| name == word || kind.resource.plural == word;
    let (derived, internal): (Vec<_>, Vec<_>) =
        kinds.iter().partition(|(_, kind)| kind.resource.group == id.derived_group());
    let by_entry = |name: &str| {
        let entry = entries.iter().find(|entry| entry.crds.derived.as_deref().unwrap_or(&entry.crds.internal) == name);
        entry.map(|entry| of_entry(&entry.crds))
    };
    let bases: BTreeSet<String> = internal.iter().map(|(name, _)| (*name).clone()).collect();
    if let Some((name, _)) = derived.iter().find(|(name, kind)| named(name, kind)) {
        let without = || Meant { tenant: (*name).clone(), internal: bases.clone(), bases: bases.clone() };
        return Ok(vec![by_entry(name).unwrap_or_else(without)]);
    }
    // The instances of an internal CRD are copies where a CatalogEntry derives of it.
    let is_derived_of = |name: &str| entries.iter().any(|e| e.crds.derived.is_some() && e.crds.internal == name);
    if let Some((name, _)) = internal.iter().find(|(name, kind)| named(name, kind) && !is_derived_of(name)) {
        let bases = BTreeSet::from([(*name).clone()]);
        return Ok(vec![Meant { tenant: (*name).clone(), internal: BTreeSet::new(), bases }]);
    }
    let sets = entries.iter().flat_map(|entry| [Some(entry.name.clone()), entry.set.clone()]).flatten();
    let crds = derived.iter().flat_map(|(name, kind)| [(*name).clone(), kind.resource.plural.clone()]);
    Err(sets.chain(crds).collect::<BTreeSet<_>>().into_iter().collect())
}

fn of_entry(crds: &RouteCrds) -> Meant {
    let one = BTreeSet::from([crds.internal.clone()]);
    match &crds.derived {
        Some(derived) => Meant { tenant: derived.clone(), internal: one.clone(), bases: one },
        None => Meant { tenant: crds.internal.clone(), internal: BTreeSet::new(), bases: one },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn id() -> ClusterId {
        ClusterId::new("team-a", "eu-west-1")
    }

    fn crd(plural: &str, group: &str) -> Value {
        let annotations = json!({BASE_CRD: "redis.example.com", BASE_KIND: "Redis", BASE_VERSION: "v1"});
        json!({
            "metadata": {"name": format!("{plural}.{group}"), "annotations": annotations},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": "Redis", "plural": plural},
                "versions": [{"name": "v1", "served": true, "storage": true}]},
        })
    }

    fn kinds(list: &[(&str, &str)]) -> Kinds {
        let kinds = list.iter().map(|(plural, group)| Kind::of(&crd(plural, group), &id()));
        kinds.flatten().map(|kind| (kind.resource.full_name(), kind)).collect()
    }

    fn entry(name: &str, set: Option<&str>, internal: &str, derive: bool) -> Option<Entry> {
        let mut spec = json!({"metadata": {"displayName": "x"}, "baseCRD": {"name": internal}});
        if derive {
            spec["derive"] = json!({"expose": []});
        }
        let labels = set.map_or_else(|| json!({}), |set| json!({CONTROLLED_BY: set}));
        Entry::of(&json!({"metadata": {"name": name, "labels": labels}, "spec": spec}), &id())
    }

    const DERIVED: (&str, &str) = ("redis", "eu-west-1.team-a");
    const INTERNAL: (&str, &str) = ("redis", "internal.eu-west-1.team-a");

    #[test]
    fn only_crds_of_the_cluster_count_and_internal_ones_know_their_base() {
        assert_eq!(Kind::of(&crd("redis", "eu-west-2.team-a"), &id()), None);
        assert_eq!(Kind::of(&crd("redis", DERIVED.1), &id()).and_then(|kind| kind.base), None);
        let base = Kind::of(&crd("redis", INTERNAL.1), &id()).and_then(|kind| kind.base);
        assert_eq!(base, Some(Resource::new("example.com", "v1", "Redis", "redis", true)));
    }

    #[test]
    fn a_service_is_named_by_its_set_its_entry_or_its_crd() {
        let entries = [entry("redis.eu-west-1", Some("cache"), "redis.internal.eu-west-1.team-a", true).unwrap()];
        let kinds = kinds(&[DERIVED, INTERNAL]);
        let wanted = choose("cache", &entries, &kinds, &id()).unwrap();
        assert_eq!(wanted.len(), 1);
        assert_eq!(wanted[0].tenant, "redis.eu-west-1.team-a");
        assert_eq!(wanted[0].internal, BTreeSet::from(["redis.internal.eu-west-1.team-a".to_owned()]));
        for word in ["redis.eu-west-1", "redis", "redis.eu-west-1.team-a"] {
            assert_eq!(choose(word, &entries, &kinds, &id()), Ok(wanted.clone()), "{word}");
        }
        let known = choose("cahce", &entries, &kinds, &id()).unwrap_err();
        assert_eq!(known, ["cache", "redis", "redis.eu-west-1", "redis.eu-west-1.team-a"]);
    }

    #[test]
    fn without_an_entry_the_derived_crd_stands_for_the_service_and_every_internal_one_may_hold_its_copies() {
        let kinds = kinds(&[DERIVED, INTERNAL, ("kafkas", INTERNAL.1)]);
        for word in ["redis", "redis.eu-west-1.team-a"] {
            let meant = choose(word, &[], &kinds, &id()).unwrap();
            assert_eq!((meant.len(), meant[0].tenant.as_str()), (1, "redis.eu-west-1.team-a"));
            assert_eq!(meant[0].internal.len(), 2, "{word}");
        }
    }

    #[test]
    fn what_is_not_derived_has_no_internal_object_between() {
        let internal = "redis.internal.eu-west-1.team-a";
        let wanted =
            Meant { tenant: internal.into(), internal: BTreeSet::new(), bases: BTreeSet::from([internal.into()]) };
        let entries = [entry("whole.eu-west-1", Some("whole"), internal, false).unwrap()];
        let kinds = kinds(&[INTERNAL]);
        for (word, entries) in [("whole", &entries[..]), ("redis", &[])] {
            assert_eq!(choose(word, entries, &kinds, &id()), Ok(vec![wanted.clone()]), "{word}");
        }
        // Copies are not named as a service.
        let deriving = [entry("redis.eu-west-1", None, internal, true).unwrap()];
        assert!(choose(internal, &deriving, &kinds, &id()).is_err());
    }

    #[test]
    fn entries_of_other_clusters_and_providers_are_not_taken() {
        assert_eq!(entry("x", None, "redis.internal.eu-west-2.team-a", true), None);
        assert_eq!(entry("x", None, "redis.internal.eu-west-1.team-b", true), None);
        assert_eq!(entry("x", None, "redis.example.com", true), None);
    }
}
