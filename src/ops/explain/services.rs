//! Which service a person means by a resource, from the CRDs and the CatalogEntries of the management cluster. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::compile::route::RouteCrds;
use crate::model::cluster::ClusterId;
use crate::model::keys::{ORIGIN_NAMESPACE, SERVICE_CLUSTER};
use crate::model::resource::Resource;
use crate::ops::approve::services::Kind;

/// A service as far as the management cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The service cluster.
    pub cluster: ClusterId,
    /// The name of its CatalogEntry, in the provider's namespace.
    pub entry: Option<String>,
    /// The full name of the CRD that tenants use.
    pub crd: String,
    /// The kind that tenants use; `None` where its CRD is gone.
    pub tenant: Option<Resource>,
    /// The full copy between; `None` where the tenants use it themselves.
    pub internal: Option<Internal>,
    /// The kind in the service cluster; `None` where the internal CRD is gone or does not say it.
    pub base: Option<Resource>,
    /// The words that a person may use for it, in lower case.
    words: BTreeSet<String>,
}

/// The internal CRD of a service whose tenants have a kind of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Internal {
    /// Its full name; `None` where nothing says which it is.
    pub crd: Option<String>,
    /// The kind; `None` where the CRD is gone.
    pub resource: Option<Resource>,
}

/// A CRD of a service cluster in the management cluster.
struct Crd {
    cluster: ClusterId,
    kind: Kind,
    words: BTreeSet<String>,
}

impl Crd {
    fn of(crd: &Value) -> Option<Self> {
        let label = |key: &str| crd.pointer("/metadata/labels")?.get(key)?.as_str();
        let cluster = ClusterId::new(label(ORIGIN_NAMESPACE)?, label(SERVICE_CLUSTER)?);
        let kind = Kind::of(crd, &cluster)?;
        let names = crd.pointer("/spec/names")?;
        let single = ["plural", "singular", "kind"].into_iter().filter_map(|key| names.get(key)?.as_str());
        let short = names.get("shortNames").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let words = single.chain(short).map(str::to_lowercase).collect();
        Some(Self { cluster, kind, words })
    }

    fn is_internal(&self) -> bool {
        self.kind.resource.group == self.cluster.internal_group()
    }
}

/// The services of all clusters, sorted by the CRDs that tenants use.
pub(super) fn candidates(crds: &[Value], entries: &[Value]) -> Vec<Candidate> {
    let crds: BTreeMap<String, Crd> =
        crds.iter().filter_map(Crd::of).map(|crd| (crd.kind.resource.full_name(), crd)).collect();
    let mut found = BTreeMap::new();
    let mut named = BTreeSet::new();
    for (entry, routes) in entries.iter().filter_map(routes_of) {
        named.extend([Some(routes.internal.clone()), routes.derived.clone()].into_iter().flatten());
        let internal = crds.get(&routes.internal);
        let crd = routes.tenant().to_owned();
        let tenant = crds.get(&crd);
        let plural = crd.split('.').next().unwrap_or_default().to_owned();
        let candidate = Candidate {
            cluster: routes.cluster,
            entry: Some(entry),
            tenant: tenant.map(|crd| crd.kind.resource.clone()),
            internal: routes.derived.map(|_| Internal {
                crd: Some(routes.internal.clone()),
                resource: internal.map(|crd| crd.kind.resource.clone()),
            }),
            base: internal.and_then(|crd| crd.kind.base.clone()),
            words: tenant.map_or_else(|| BTreeSet::from([plural]), |crd| crd.words.clone()),
            crd: crd.clone(),
        };
        found.entry(crd).or_insert(candidate);
    }
    // Without its CatalogEntry a service is known by its CRDs: the internal one is that of the same plural, or the only
    // one that no other service has.
    for (name, crd) in crds.iter().filter(|(name, crd)| !crd.is_internal() && !named.contains(*name)) {
        let others = || crds.iter().filter(|(_, other)| other.is_internal() && other.cluster == crd.cluster);
        let same = others().find(|(_, other)| other.kind.resource.plural == crd.kind.resource.plural);
        let mut free = others().filter(|(name, _)| !named.contains(*name));
        let internal = same.or_else(|| free.next().filter(|_| free.next().is_none()));
        let candidate = Candidate {
            cluster: crd.cluster.clone(),
            entry: None,
            crd: name.clone(),
            tenant: Some(crd.kind.resource.clone()),
            internal: Some(Internal {
                crd: internal.map(|(name, _)| name.clone()),
                resource: internal.map(|(_, crd)| crd.kind.resource.clone()),
            }),
            base: internal.and_then(|(_, crd)| crd.kind.base.clone()),
            words: crd.words.clone(),
        };
        found.insert(name.clone(), candidate);
    }
    let taken: BTreeSet<String> =
        found.values().filter_map(|one| one.internal.as_ref()?.crd.clone()).chain(named).collect();
    for (name, crd) in crds.iter().filter(|(name, crd)| crd.is_internal() && !taken.contains(*name)) {
        let candidate = Candidate {
            cluster: crd.cluster.clone(),
            entry: None,
            crd: name.clone(),
            tenant: Some(crd.kind.resource.clone()),
            internal: None,
            base: crd.kind.base.clone(),
            words: crd.words.clone(),
        };
        found.insert(name.clone(), candidate);
    }
    found.into_values().collect()
}

/// The name of a CatalogEntry and the CRDs that it names; `None` where it names none.
fn routes_of(entry: &Value) -> Option<(String, RouteCrds)> {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
    let (routes, _) = RouteCrds::read(text("/metadata/namespace")?, entry)?;
    Some((text("/metadata/name")?.to_owned(), routes))
}

impl Candidate {
    /// Whether a person means this service by `word`: a plural, kind, singular or short name, and its group, or a
    /// beginning of the group that ends at a dot.
    fn is_meant(&self, word: &str) -> bool {
        let (name, group) = word.split_once('.').map_or((word, None), |(name, group)| (name, Some(group)));
        let has =
            |full: &str, wanted: &str| full.strip_prefix(wanted).is_some_and(|r| r.is_empty() || r.starts_with('.'));
        match group {
            None => self.words.contains(name),
            Some(wanted) => {
                let of = |crd: &str| crd.split_once('.').is_some_and(|(_, group)| has(group, wanted));
                let internal = self.internal.as_ref().and_then(|internal| internal.crd.as_deref());
                let is_internal = |crd: &str| of(crd) && crd.split('.').next() == Some(name);
                self.words.contains(name) && of(&self.crd) || internal.is_some_and(is_internal)
            }
        }
    }
}

/// The service that a word means.
///
/// # Errors
/// The full names of the CRDs of all services that it may mean; none where it means none.
pub(super) fn choose<'c>(word: &str, candidates: &'c [Candidate]) -> Result<&'c Candidate, Vec<String>> {
    let word = word.to_lowercase();
    let mut found: Vec<&Candidate> = candidates.iter().filter(|one| one.is_meant(&word)).collect();
    // A full name is that of one service, even if it is the beginning of another group too.
    if found.len() > 1
        && let Some(exact) = found.iter().find(|one| one.crd == word)
    {
        found = vec![exact];
    }
    match found[..] {
        [one] => Ok(one),
        _ => Err(found.iter().map(|one| one.crd.clone()).collect()),
    }
}

/// All that a person may write for a service, for a suggestion: full names first.
pub(super) fn known(candidates: &[Candidate]) -> Vec<String> {
    let full = candidates.iter().map(|one| one.crd.clone());
    let words: BTreeSet<String> = candidates.iter().flat_map(|one| one.words.iter().cloned()).collect();
    full.chain(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::keys::{BASE_CRD, BASE_KIND, BASE_VERSION};
    use serde_json::json;

    fn crd(plural: &str, cluster: &str, is_internal: bool) -> Value {
        let group = if is_internal { format!("internal.{cluster}.team-a") } else { format!("{cluster}.team-a") };
        let annotations = json!({BASE_CRD: "redis.example.com", BASE_KIND: "Redis", BASE_VERSION: "v1"});
        json!({
            "metadata": {"name": format!("{plural}.{group}"), "annotations": annotations,
                "labels": {ORIGIN_NAMESPACE: "team-a", SERVICE_CLUSTER: cluster}},
            "spec": {"group": group, "scope": "Namespaced",
                "names": {"kind": "Redis", "plural": plural, "singular": "redi", "shortNames": ["RD"]},
                "versions": [{"name": "v1", "served": true, "storage": true}]},
        })
    }

    fn entry(cluster: &str, derives: bool) -> Value {
        let mut spec =
            json!({"metadata": {"displayName": "x"}, "baseCRD": {"name": format!("redis.internal.{cluster}.team-a")}});
        if derives {
            spec["derive"] = json!({"expose": []});
        }
        json!({"metadata": {"namespace": "team-a", "name": format!("redis.{cluster}")}, "spec": spec})
    }

    fn both(cluster: &str) -> [Value; 2] {
        [crd("redis", cluster, false), crd("redis", cluster, true)]
    }

    #[test]
    fn a_service_is_named_by_its_crd_and_its_short_names() {
        let all = candidates(&both("eu-west-1"), &[entry("eu-west-1", true)]);
        assert_eq!(all.len(), 1);
        let one = &all[0];
        assert_eq!((one.crd.as_str(), one.entry.as_deref()), ("redis.eu-west-1.team-a", Some("redis.eu-west-1")));
        assert_eq!(one.tenant.as_ref().map(Resource::full_name).as_deref(), Some("redis.eu-west-1.team-a"));
        let internal = one.internal.as_ref().unwrap();
        assert_eq!(internal.crd.as_deref(), Some("redis.internal.eu-west-1.team-a"));
        assert_eq!(one.base, Some(Resource::new("example.com", "v1", "Redis", "redis", true)));
        for word in [
            "redis",
            "Redis",
            "redi",
            "rd",
            "rd.eu-west-1",
            "redis.eu-west-1.team-a",
            "redis.internal.eu-west-1.team-a",
        ] {
            assert_eq!(choose(word, &all), Ok(one), "{word}");
        }
        for word in ["kafka", "redis.eu-west", "redis.eu-west-2.team-a", "", ".", "redis."] {
            assert_eq!(choose(word, &all), Err(vec![]), "{word}");
        }
        assert_eq!(known(&all), ["redis.eu-west-1.team-a", "rd", "redi", "redis"]);
    }

    #[test]
    fn a_word_that_fits_several_services_names_them_all() {
        let crds = [both("eu-west-1"), both("eu-west-2")].concat();
        let all = candidates(&crds, &[entry("eu-west-1", true), entry("eu-west-2", true)]);
        let names = vec!["redis.eu-west-1.team-a".to_owned(), "redis.eu-west-2.team-a".to_owned()];
        assert_eq!(choose("rd", &all), Err(names));
        assert_eq!(choose("rd.eu-west-2", &all).map(|one| one.crd.as_str()), Ok("redis.eu-west-2.team-a"));
    }

    #[test]
    fn what_is_not_derived_has_nothing_between() {
        let all = candidates(&[crd("redis", "eu-west-1", true)], &[entry("eu-west-1", false)]);
        assert_eq!((all.len(), all[0].crd.as_str()), (1, "redis.internal.eu-west-1.team-a"));
        assert!(all[0].internal.is_none() && all[0].base.is_some());
    }

    #[test]
    fn what_is_missing_is_not_made_up() {
        // Without the entry the CRDs tell; without the CRDs the entry does.
        let by_crds = candidates(&both("eu-west-1"), &[]);
        assert_eq!((by_crds.len(), by_crds[0].entry.as_deref()), (1, None));
        assert!(by_crds[0].base.is_some());
        let by_entry = candidates(&[], &[entry("eu-west-1", true)]);
        assert_eq!((by_entry.len(), by_entry[0].crd.as_str()), (1, "redis.eu-west-1.team-a"));
        assert!(by_entry[0].tenant.is_none() && by_entry[0].base.is_none());
        assert_eq!(choose("redis", &by_entry), Ok(&by_entry[0]));
        // Which of two other internal CRDs it is copied to, nothing says.
        let others = [crd("caches", "eu-west-1", false), crd("a", "eu-west-1", true), crd("b", "eu-west-1", true)];
        let all = candidates(&others, &[]);
        let unknown = choose("caches.eu-west-1.team-a", &all).unwrap();
        assert_eq!(unknown.internal, Some(Internal { crd: None, resource: None }));
    }
}
