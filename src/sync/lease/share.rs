//! How the replicas share the clusters. Pure.
//!
//! Every replica computes the same plan for all of them from what it sees, and does its own part of it. Where two see
//! different things, the resource version of a Lease decides, and the next plan is made from what came of it.
//! A cluster moves only where that makes the shares more even, so that moves come to an end.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cluster::ClusterId;

/// What a replica sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scene {
    /// The replicas that live, each with the clusters that it is limited to.
    pub members: BTreeMap<String, Option<BTreeSet<ClusterId>>>,
    /// The clusters that are held, and by whom; not only by members.
    pub held: BTreeMap<ClusterId, String>,
    /// The clusters that nobody holds.
    pub vacant: BTreeSet<ClusterId>,
    /// The clusters that stay where they are.
    pub fixed: BTreeSet<ClusterId>,
}

/// What a replica does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The vacant clusters that it takes.
    pub take: BTreeSet<ClusterId>,
    /// The clusters that it gives to others.
    pub give: BTreeSet<ClusterId>,
}

/// The part of the replica `me` in the plan for all of them.
#[must_use]
pub(crate) fn plan(scene: &Scene, me: &str) -> Plan {
    let mut plan = Plan::default();
    let mut load: BTreeMap<&str, usize> = scene.members.keys().map(|name| (name.as_str(), 0)).collect();
    for holder in scene.held.values() {
        if let Some(count) = load.get_mut(holder.as_str()) {
            *count += 1;
        }
    }
    for cluster in &scene.vacant {
        let Some(taker) = lightest(scene, &load, cluster) else { continue };
        *load.entry(taker).or_default() += 1;
        if taker == me {
            plan.take.insert(cluster.clone());
        }
    }
    let mut held: BTreeMap<&ClusterId, &str> = scene.held.iter().map(|(id, holder)| (id, holder.as_str())).collect();
    // Each move makes the sum of the squares of the loads smaller, so the loop ends.
    while let Some((cluster, from, to)) = best_move(scene, &held, &load) {
        held.insert(cluster, to);
        load.entry(from).and_modify(|count| *count -= 1);
        load.entry(to).and_modify(|count| *count += 1);
        if from == me {
            plan.give.insert(cluster.clone());
        }
    }
    plan
}

/// The replica with the smallest load that may work on a cluster. Among equals a hash decides, so that they do not
/// all begin with the same.
fn lightest<'a>(scene: &'a Scene, load: &BTreeMap<&'a str, usize>, cluster: &ClusterId) -> Option<&'a str> {
    let able = scene.members.iter().filter(|(_, only)| only.as_ref().is_none_or(|only| only.contains(cluster)));
    let names = able.map(|(name, _)| name.as_str());
    names.min_by_key(|name| (load.get(name).copied().unwrap_or_default(), rank(name, cluster)))
}

/// The move that makes two loads more even, from the largest load on.
fn best_move<'a>(
    scene: &'a Scene,
    held: &BTreeMap<&'a ClusterId, &'a str>,
    load: &BTreeMap<&'a str, usize>,
) -> Option<(&'a ClusterId, &'a str, &'a str)> {
    let of = |name: &str| load.get(name).copied().unwrap_or_default();
    let movable = held.iter().filter(|(id, holder)| load.contains_key(*holder) && !scene.fixed.contains(**id));
    let moves = movable.filter_map(|(id, from)| {
        let to = lightest(scene, load, id)?;
        (of(to) + 1 < of(from)).then_some((*id, *from, to))
    });
    moves.max_by_key(|(id, from, to)| (of(from) - of(to), rank(from, id)))
}

/// Any order of replicas for each cluster, the same in every replica (FNV-1a).
fn rank(replica: &str, cluster: &ClusterId) -> u64 {
    let bytes = replica.bytes().chain([0]).chain(cluster.provider.bytes()).chain([0]).chain(cluster.cluster.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(name: &str) -> ClusterId {
        ClusterId::new("p", name)
    }

    fn ids(names: &[&str]) -> BTreeSet<ClusterId> {
        names.iter().map(|name| id(name)).collect()
    }

    fn members(names: &[&str]) -> BTreeMap<String, Option<BTreeSet<ClusterId>>> {
        names.iter().map(|name| ((*name).to_owned(), None)).collect()
    }

    /// All replicas do their parts until nobody has one.
    fn settle(mut scene: Scene) -> (Scene, usize) {
        for round in 0..50 {
            let plans: Vec<_> = scene.members.keys().map(|name| (name.clone(), plan(&scene, name))).collect();
            if plans.iter().all(|(_, plan)| *plan == Plan::default()) {
                return (scene, round);
            }
            for (name, plan) in plans {
                for cluster in plan.take {
                    assert!(scene.vacant.remove(&cluster), "{cluster} is taken twice");
                    scene.held.insert(cluster, name.clone());
                }
                for cluster in plan.give {
                    assert_eq!(scene.held.remove(&cluster).as_ref(), Some(&name));
                    scene.vacant.insert(cluster);
                }
            }
        }
        panic!("it does not settle: {scene:?}");
    }

    fn loads(scene: &Scene) -> Vec<usize> {
        scene.members.keys().map(|name| scene.held.values().filter(|holder| *holder == name).count()).collect()
    }

    #[test]
    fn one_replica_takes_all() {
        let scene = Scene { members: members(&["a"]), vacant: ids(&["x", "y"]), ..Scene::default() };
        assert_eq!(plan(&scene, "a"), Plan { take: ids(&["x", "y"]), give: ids(&[]) });
        assert_eq!(plan(&scene, "b"), Plan::default(), "who is no member takes nothing");
    }

    #[test]
    fn a_replica_that_comes_is_given_its_share() {
        let held = ["v", "w", "x", "y", "z"].map(|name| (id(name), "a".to_owned()));
        let scene = Scene { members: members(&["a", "b"]), held: held.into(), ..Scene::default() };
        assert_eq!(plan(&scene, "a").give.len(), 2);
        assert_eq!(plan(&scene, "b"), Plan::default(), "it waits until they are given");
        let fixed = Scene { fixed: ids(&["v", "w", "x", "y"]), ..scene };
        assert_eq!(plan(&fixed, "a").give, ids(&["z"]));
    }

    #[test]
    fn who_is_limited_is_given_nothing_else() {
        let limited = [("a".to_owned(), None), ("b".to_owned(), Some(ids(&["x"])))].into();
        let scene = Scene { members: limited, vacant: ids(&["v", "w", "x", "y"]), ..Scene::default() };
        let (settled, _) = settle(scene);
        assert_eq!(settled.held[&id("x")], "b");
        assert_eq!(loads(&settled), [3, 1]);
    }

    #[test]
    fn who_is_no_member_keeps_what_it_holds() {
        let held = ["w", "x", "y"].map(|name| (id(name), "once".to_owned()));
        let scene = Scene { members: members(&["a"]), held: held.into(), ..Scene::default() };
        assert_eq!(plan(&scene, "once"), Plan::default());
    }

    proptest! {
        #[test]
        fn shares_settle_evenly(owners in prop::collection::vec(0_usize..6, 0..30), replicas in 1_usize..5) {
            let names: Vec<String> = (0..replicas).map(|n| format!("r{n}")).collect();
            let mut scene = Scene::default();
            scene.members.extend(names.iter().map(|name| (name.clone(), None)));
            for (n, owner) in owners.iter().enumerate() {
                match names.get(*owner) {
                    Some(name) => { scene.held.insert(id(&n.to_string()), name.clone()); }
                    None => { scene.vacant.insert(id(&n.to_string())); }
                }
            }
            let (settled, rounds) = settle(scene);
            let loads = loads(&settled);
            let (most, least) = (loads.iter().max().unwrap(), loads.iter().min().unwrap());
            prop_assert!(most - least <= 1, "{loads:?}");
            prop_assert_eq!(loads.iter().sum::<usize>(), owners.len());
            prop_assert!(rounds <= 3, "{} rounds", rounds);
        }
    }
}
