//! Examining clusters: versions, identity, permissions and CRDs, before a command fails for lack of one.
//!
//! Writes nothing in any cluster: permissions are asked for by reviews, which leave nothing behind.

mod going;
mod offered;
pub(crate) mod report;

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde_json::Value;

use super::error::{UnknownName, known_cluster};
use super::event::{Events, Subject};
use crate::cluster::access::{allowed, who_am_i};
use crate::cluster::connect::Connector;
use crate::cluster::diagnose::{diagnose, other_cluster, renamed_clusters, same_clusters};
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, ListSink, Selection};
use crate::compile::Compiled;
use crate::compile::render::ManifestSet;
use crate::model::cluster::{ClusterId, Target};
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::kinds::table::OFFERING;
use crate::model::resource::Resource;
use crate::plan::going::{cause, holds_up_records};
use crate::plan::inventory::{self, Inventory};
use crate::plan::permissions::grant::grant;
use crate::plan::permissions::{Need, Permission, Task, needs};
use crate::plan::words::{self, object};
use report::{Health, Missing, NotAsked, Report, Status, Way};

/// The oldest minor version of Kubernetes 1 that carrier is tested with.
const TESTED: u32 = 33;
/// Older ones lack what derived CRDs use, or have it off by default.
const NEEDED: u32 = 30;
/// The number of names in one message.
const NAMED: usize = 5;
/// The problem of a CRD in deletion.
const DELETED: &str = "is being deleted";

/// What to look at.
#[derive(Debug, Clone)]
pub(crate) struct DoctorOptions {
    /// The commands whose needs are checked.
    pub tasks: Vec<Task>,
    /// The clusters; none means all.
    pub clusters: Vec<Target>,
    /// The identity of the repository; `None` if its lock has none.
    pub identity: Option<String>,
}

/// Checks that the repository has the clusters of the options.
///
/// # Errors
/// When it lacks one.
pub(crate) fn check_clusters(compiled: &Compiled<'_>, options: &DoctorOptions) -> Result<(), UnknownName> {
    options.clusters.iter().try_for_each(|target| match target {
        Target::Management => Ok(()),
        Target::Service(id) if unresolved(compiled).any(|(found, _)| found == *id) => Ok(()),
        Target::Service(id) => known_cluster(id, &compiled.resolved),
    })
}

/// The service clusters that the repository names and of which it does not say enough to ask them, each with its object.
fn unresolved<'a>(compiled: &'a Compiled<'_>) -> impl Iterator<Item = (ClusterId, String)> + 'a {
    let resolved = &compiled.resolved;
    let named = resolved.loaded.service_clusters.iter().filter_map(|cluster| {
        Some((ClusterId::new(cluster.namespace.as_deref()?, cluster.name.as_str()), cluster.id()))
    });
    named.filter(|(id, _)| !resolved.clusters.contains_key(id))
}

/// The service clusters that are not asked, with the errors in `list` that are the reason.
#[must_use]
pub(crate) fn not_asked(compiled: &Compiled<'_>, list: &[Diagnostic], options: &DoctorOptions) -> Vec<NotAsked> {
    let is_wanted = |id: &ClusterId| {
        options.clusters.is_empty()
            || options.clusters.iter().any(|one| matches!(one, Target::Service(one) if one == id))
    };
    let wanted = unresolved(compiled).filter(|(id, _)| is_wanted(id));
    let mut found: Vec<NotAsked> = wanted
        .map(|(id, object)| {
            let is_of = |one: &&Diagnostic| one.severity == Severity::Error && one.object.as_ref() == Some(&object);
            let errors: BTreeSet<&'static str> = list.iter().filter(is_of).map(|one| one.code.id).collect();
            NotAsked { cluster: id.to_string(), errors: errors.into_iter().collect() }
        })
        .collect();
    found.sort_by(|a, b| a.cluster.cmp(&b.cluster));
    found.dedup();
    found
}

/// Examines the clusters of a repository. The diagnostics are those of clusters that could not be asked, or are
/// others than were recorded.
pub(crate) async fn examine(
    connector: Connector<'_>,
    compiled: &Compiled<'_>,
    options: &DoctorOptions,
    events: &Events,
) -> (Report, Diagnostics) {
    let manifests = &compiled.render();
    let doctor = Doctor { connector, compiled, manifests, options };
    doctor.look(events).await
}

struct Doctor<'a> {
    connector: Connector<'a>,
    compiled: &'a Compiled<'a>,
    manifests: &'a ManifestSet,
    options: &'a DoctorOptions,
}

impl Doctor<'_> {
    fn is_wanted(&self, target: &Target) -> bool {
        self.options.clusters.is_empty() || self.options.clusters.contains(target)
    }

    async fn look(&self, events: &Events) -> (Report, Diagnostics) {
        let management = self.connector.management().await;
        let services = self.compiled.resolved.clusters.keys().map(|id| Target::Service(id.clone()));
        let targets: Vec<Target> =
            std::iter::once(Target::Management).chain(services).filter(|target| self.is_wanted(target)).collect();
        let management = &management;
        let looks = targets.iter().map(|target| async move {
            let look = async {
                match target {
                    Target::Management => match management {
                        Ok(cluster) => self.examine(cluster).await,
                        Err(error) => Err(error.clone()),
                    },
                    Target::Service(id) => {
                        let cluster = self.connector.service(id, &self.compiled.resolved, management.as_ref()).await?;
                        self.examine(&cluster).await
                    }
                }
            };
            events.during(target.clone(), Subject::Health, look).await
        });
        let looked = join_all(looks).await;
        let mut found = Diagnostics::default();
        let mut clusters = Vec::new();
        for (target, result) in targets.iter().zip(looked) {
            let (mut health, diagnostic) = match result {
                Ok((health, diagnostic)) => (health, diagnostic),
                Err(error) => (Health::default(), Some(diagnose(target, &error, self.place(target)))),
            };
            health.cluster = target.to_string();
            if let Some(diagnostic) = diagnostic {
                let (code, message) = (diagnostic.code.id.to_owned(), diagnostic.message.clone());
                health.trouble = Some(report::Problem { code, message });
                found.push(diagnostic);
            }
            clusters.push(health);
        }
        let ids = || {
            targets.iter().zip(&clusters).filter_map(|(target, health)| match target {
                Target::Management => None,
                Target::Service(id) => Some((id, health.uid.as_deref()?)),
            })
        };
        let place = |id: &ClusterId| self.place(&Target::Service(id.clone()));
        let known = &self.compiled.resolved.clusters;
        let former = self.compiled.discovered.former_clusters(|id| known.contains_key(id));
        for one in same_clusters(ids(), place).into_iter().chain(renamed_clusters(ids(), former, place)) {
            found.push(one);
        }
        (Report { format_version: "1.0", clusters, not_asked: Vec::new() }, found)
    }

    fn place(&self, target: &Target) -> Option<crate::model::source::Span> {
        let Target::Service(id) = target else { return None };
        self.compiled.resolved.clusters.get(id).map(|cluster| cluster.place("/metadata/name"))
    }

    /// Examines one cluster.
    async fn examine(&self, cluster: &Cluster) -> Result<(Health, Option<Diagnostic>), ClusterError> {
        let way = Way {
            server: cluster.server.clone(),
            kubeconfig: self.connector.named_file(&cluster.target),
            context: cluster.context.clone(),
        };
        let mut health = Health { reached: true, way: Some(way), ..Health::default() };
        let version = cluster.call(&ApiRequest::version()).await?;
        let system = ApiRequest::object(Resource::namespaces(), None, "kube-system").metadata_only();
        let system = cluster.call(&system).await;
        version_of(&version, &mut health);
        let other = self.identity(cluster, system, &mut health)?;
        if other.is_some() {
            return Ok((health, other));
        }
        let user = who_am_i(cluster).await?;
        self.permissions(cluster, &user, &mut health).await?;
        health.user = Some(user);
        // The name of an inventory in a service cluster has the UID of the management cluster in it.
        let uid = self.compiled.discovered.management_uid.as_deref();
        let is_known = cluster.target == Target::Management || uid.is_some();
        let inventory = inventory::of(&cluster.target, &self.connector.config.inventory, uid);
        let inventory = is_known.then(|| inventory.held_by(self.options.identity.as_deref()));
        let record = match &inventory {
            Some(inventory) => going::record(cluster, inventory).await?,
            None => None,
        };
        match &cluster.target {
            Target::Management => match self.crds(cluster, record.is_some(), &mut health).await {
                // If a command needs this permission, it is among the missing ones.
                Err(error) if error.kind == ErrorKind::Forbidden => {}
                done => done?,
            },
            Target::Service(id) => offered::check(cluster, id, self.compiled, &mut health).await?,
        }
        self.going(cluster, inventory.as_ref().zip(Some(record)), &mut health).await?;
        Ok((health, None))
    }

    /// Checks whether something is being deleted that the repository has, or that something holds. An inventory comes with
    /// its record.
    async fn going(
        &self,
        cluster: &Cluster,
        inventory: Option<(&Inventory, Option<Value>)>,
        health: &mut Health,
    ) -> Result<(), ClusterError> {
        let manifests = match &cluster.target {
            Target::Management => self.manifests.management.as_slice(),
            Target::Service(id) => self.manifests.clusters.get(id).map_or(&[][..], Vec::as_slice),
        };
        let found = going::find(cluster, manifests, inventory).await?;
        for one in found.iter().take(NAMED) {
            let status = if one.held || one.wanted { Status::Missing } else { Status::Warning };
            let then =
                if holds_up_records(one) { "; nothing can be applied in this cluster until it is gone" } else { "" };
            let message = format!("{} is being deleted: {}{then}", object(&one.object), cause(one));
            health.note("deletions", status, message);
        }
        if found.len() > NAMED {
            let more = format!("{} more are being deleted; `carrier plan -v` lists them", found.len() - NAMED);
            health.note("deletions", Status::Warning, more);
        }
        Ok(())
    }

    /// Checks whether it is the recorded cluster. Another one is a diagnostic.
    fn identity(
        &self,
        cluster: &Cluster,
        system: Result<Value, ClusterError>,
        health: &mut Health,
    ) -> Result<Option<Diagnostic>, ClusterError> {
        let discovered = self.compiled.discovered;
        let expected = match &cluster.target {
            Target::Management => discovered.management_uid.as_deref(),
            Target::Service(id) => discovered.uid(id),
        };
        let system = match system {
            // The missing permission is reported with the others.
            Err(error) if error.kind == ErrorKind::Forbidden => return Ok(None),
            system => system?,
        };
        let found = system.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
        health.uid = Some(found.to_owned()).filter(|uid| !uid.is_empty());
        match expected {
            Some(expected) if expected == found => health.note("identity", Status::Ok, "the cluster that was locked"),
            Some(expected) => {
                health.note("identity", Status::Missing, "another cluster than the one that was locked");
                return Ok(Some(other_cluster(
                    &cluster.target,
                    (expected, found),
                    self.connector.config,
                    self.place(&cluster.target),
                )));
            }
            None => health.note("identity", Status::Ok, "not recorded yet; `carrier lock` records it"),
        }
        Ok(None)
    }

    async fn permissions(&self, cluster: &Cluster, user: &str, health: &mut Health) -> Result<(), ClusterError> {
        let needs = needs(&cluster.target, self.compiled, self.manifests, &self.options.tasks);
        let simple = allowed(cluster, needs.iter().map(|need| &need.permission)).await?;
        let unmet: Vec<&Need> = needs.iter().zip(simple).filter(|(_, yes)| !yes).map(|(need, _)| need).collect();
        let others: BTreeSet<&Permission> = unmet.iter().flat_map(|need| &need.alternative).collect();
        let answers = allowed(cluster, others.iter().copied()).await?;
        let held: BTreeSet<&Permission> =
            others.into_iter().zip(answers).filter(|(_, yes)| *yes).map(|(a, _)| a).collect();
        let is_met = |need: &Need| {
            !need.alternative.is_empty() && need.alternative.iter().all(|permission| held.contains(permission))
        };
        let missing = unmet.into_iter().filter(|need| !is_met(need));
        health.missing = missing
            .map(|need| Missing { access: need.permission.clone(), tasks: need.tasks.iter().copied().collect() })
            .collect();
        let lacking: Vec<Permission> = health.missing.iter().map(|m| m.access.clone()).collect();
        health.grant = grant(user, &lacking);
        match lacking.len() {
            0 => health.note("permissions", Status::Ok, format!("all {}", needs.len())),
            some => {
                // A plan without permission to create a trial CRD says so and goes on.
                let is_grave = health.missing.iter().any(|m| m.tasks != [Task::Trial]);
                let status = if is_grave { Status::Missing } else { Status::Warning };
                health.note("permissions", status, format!("{some} of {} are missing", needs.len()));
            }
        }
        Ok(())
    }

    /// Checks whether the CRDs of the repository are there and served, and every Offering has its CRD. `was_applied` is
    /// whether the cluster has the inventory of the repository.
    async fn crds(&self, cluster: &Cluster, was_applied: bool, health: &mut Health) -> Result<(), ClusterError> {
        let mut there = Crds::default();
        cluster.list(&Selection::all(Resource::crds()), &mut there).await?;
        let ours = self.manifests.management.iter().filter(|m| m.id.kind == "CustomResourceDefinition");
        let ours: BTreeSet<&str> = ours.map(|m| m.id.name.as_str()).collect();
        note_crds(&ours, &there.0, was_applied, health);
        let is_installed = there.0.iter().any(|(name, _)| *name == OFFERING.crd_name());
        if !is_installed {
            return Ok(());
        }
        let kind = Resource::new(OFFERING.group, OFFERING.version, OFFERING.kind, OFFERING.plural, true);
        let all = cluster.list_all(&Selection::all(&kind)).await?;
        let known: BTreeSet<&str> = there.0.iter().map(|(name, _)| name.as_str()).collect();
        let crd = |offering: &Value| offering.pointer("/spec/crd/name").and_then(Value::as_str).map(str::to_owned);
        let absent: BTreeSet<String> =
            all.iter().filter_map(crd).filter(|name| !known.contains(name.as_str())).collect();
        match absent.len() {
            0 => health.note("offerings", Status::Ok, format!("all {} have their CRD", all.len())),
            count => {
                let first: Vec<&str> = absent.iter().take(NAMED).map(String::as_str).collect();
                let more = if count > NAMED { ", …" } else { "" };
                let message = format!("offered without being there: {}{more}", first.join(", "));
                health.note("offerings", Status::Warning, message);
            }
        }
        Ok(())
    }
}

/// Says how the CRDs of the repository stand. Before the first apply it is nothing that they are not there.
fn note_crds(ours: &BTreeSet<&str>, there: &[Crd], was_applied: bool, health: &mut Health) {
    let known: BTreeMap<&str, Option<&str>> = there.iter().map(|(name, trouble)| (name.as_str(), *trouble)).collect();
    let standing = |name: &str| known.get(name).copied();
    let absent: Vec<&str> = ours.iter().copied().filter(|name| standing(name).is_none()).collect();
    let troubled = ours.iter().filter_map(|name| Some((name, standing(name)??)));
    // What is being deleted is listed with what holds it.
    let (going, troubled): (Vec<_>, Vec<_>) = troubled.partition(|(_, trouble)| *trouble == DELETED);
    for (name, trouble) in &troubled {
        health.note("crds", Status::Missing, format!("{name} {trouble}"));
    }
    let is_missing = was_applied && !absent.is_empty() || !going.is_empty();
    if !is_missing && !troubled.is_empty() {
        return;
    }
    let served = ours.len() - absent.len() - going.len() - troubled.len();
    let all = if served == ours.len() { "all " } else { "" };
    let are = |count: usize| if count == 1 { "is" } else { "are" };
    let mut message = format!("{all}{served} {} served", are(served));
    if !going.is_empty() {
        let names = words::first(going.iter().map(|(name, _)| (**name).to_owned()), going.len(), NAMED);
        message = format!("{message}, {} {} being deleted ({names})", going.len(), are(going.len()));
    }
    if !absent.is_empty() {
        // Where nothing is there, all of them are meant.
        let names = words::first(absent.iter().copied().map(str::to_owned), absent.len(), NAMED);
        let names = if absent.len() == ours.len() { String::new() } else { format!(" ({names})") };
        let yet = if was_applied { "" } else { " yet" };
        let them = if absent.len() == 1 { "it" } else { "them" };
        let count = absent.len();
        message = format!("{message}, {count} {} not there{yet}{names}; `carrier apply` makes {them}", are(count));
    }
    health.note("crds", if is_missing { Status::Missing } else { Status::Ok }, message);
}

fn version_of(version: &Value, health: &mut Health) {
    let digits = |key: &str| {
        let text = version.get(key).and_then(Value::as_str).unwrap_or_default();
        text.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>().ok()
    };
    let (Some(major), Some(minor)) = (digits("major"), digits("minor")) else {
        return health.note("version", Status::Warning, "the server does not say which it is");
    };
    let name = format!("{major}.{minor}");
    match (major, minor) {
        (1, TESTED..) => health.note("version", Status::Ok, name),
        (1, NEEDED..) => {
            health.note("version", Status::Warning, format!("{name}; carrier is tested with 1.{TESTED} and newer"));
        }
        _ => health.note("version", Status::Missing, format!("{name}; carrier needs 1.{NEEDED}")),
    }
}

/// Why the instances of a CRD cannot be used, by its conditions; `None` where they can.
fn trouble(crd: &Value) -> Option<&'static str> {
    let conditions = crd.pointer("/status/conditions").and_then(Value::as_array);
    let is = |kind: &str, status: &str| {
        let is = |c: &Value| c.get("type") == Some(&kind.into()) && c.get("status") == Some(&status.into());
        conditions.is_some_and(|list| list.iter().any(is))
    };
    match () {
        () if is("Terminating", "True") => Some(DELETED),
        () if is("NamesAccepted", "False") => Some("is not served: another CRD of its group has one of its names"),
        () if !is("Established", "True") => Some("is not served"),
        () => None,
    }
}

/// The name of a CRD, and its problem if it has one.
type Crd = (String, Option<&'static str>);

/// CRDs by name. Their schemas are dropped at once.
#[derive(Default)]
struct Crds(Vec<Crd>);

impl ListSink for Crds {
    fn take(&mut self, crd: Value) {
        let name = crd.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        self.0.push((name.to_owned(), trouble(&crd)));
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn old_servers_are_known() {
        let status = |minor: &str| {
            let mut health = Health::default();
            version_of(&json!({ "major": "1", "minor": minor }), &mut health);
            health.checks[0].status
        };
        assert_eq!(["29", "30+", "32", "33", "40"].map(status), {
            use Status::{Missing, Ok, Warning};
            [Missing, Warning, Warning, Ok, Ok]
        });
    }

    #[test]
    fn a_crd_that_is_not_there_is_missing_once_the_repository_was_applied() {
        let said = |there: &[(&str, Option<&'static str>)], was_applied| {
            let there: Vec<Crd> = there.iter().map(|(name, trouble)| ((*name).to_owned(), *trouble)).collect();
            let mut health = Health::default();
            note_crds(&["a.x", "b.x"].into(), &there, was_applied, &mut health);
            health.checks.into_iter().map(|check| (check.status, check.message)).collect::<Vec<_>>()
        };
        let one = |status, message: &str| vec![(status, message.to_owned())];
        let (a, b) = (("a.x", None), ("b.x", None));
        assert_eq!(said(&[a, b, ("c.x", Some("is not served"))], true), one(Status::Ok, "all 2 are served"));
        assert_eq!(said(&[], false), one(Status::Ok, "0 are served, 2 are not there yet; `carrier apply` makes them"));
        let some = "1 is served, 1 is not there yet (b.x); `carrier apply` makes it";
        assert_eq!(said(&[a], false), one(Status::Ok, some));
        let gone = "1 is served, 1 is not there (b.x); `carrier apply` makes it";
        assert_eq!(said(&[a], true), one(Status::Missing, gone));
        let going = "1 is served, 1 is being deleted (b.x)";
        assert_eq!(said(&[a, ("b.x", Some(DELETED))], false), one(Status::Missing, going));
        let taken = ("a.x", Some("is not served"));
        assert_eq!(said(&[taken], false), one(Status::Missing, "a.x is not served"));
        assert_eq!(
            said(&[taken], true),
            [
                (Status::Missing, "a.x is not served".to_owned()),
                (Status::Missing, "0 are served, 1 is not there (b.x); `carrier apply` makes it".to_owned()),
            ]
        );
    }

    #[test]
    fn a_crd_that_is_not_served_says_why() {
        let mut crds = Crds::default();
        let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status });
        for conditions in [
            json!([condition("NamesAccepted", "True"), condition("Established", "True")]),
            json!([condition("NamesAccepted", "False"), condition("Established", "False")]),
            json!([]),
        ] {
            crds.take(json!({ "metadata": { "name": "a" }, "status": { "conditions": conditions } }));
        }
        let said: Vec<_> = crds.0.into_iter().map(|(_, trouble)| trouble.is_some()).collect();
        assert_eq!(said, [false, true, true]);
    }
}
