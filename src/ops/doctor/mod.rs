//! Examining clusters: versions, identity, permissions and CRDs, before a command fails for lack of one.
//!
//! Writes nothing in any cluster: permissions are asked for by reviews, which leave nothing behind.

mod going;
mod offered;
pub(crate) mod report;

use std::collections::BTreeSet;

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
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::kinds::table::OFFERING;
use crate::model::object::ObjectKey;
use crate::model::resource::Resource;
use crate::plan::going::cause;
use crate::plan::inventory;
use crate::plan::permissions::grant::grant;
use crate::plan::permissions::{Need, Permission, Task, needs};
use crate::plan::words::object;
use report::{Health, Missing, Report, Status, Way};

/// The oldest minor version of Kubernetes 1 that carrier is tested with.
const TESTED: u32 = 33;
/// Older ones lack what derived CRDs use, or have it off by default.
const NEEDED: u32 = 30;
/// The number of names in one message.
const NAMED: usize = 5;

/// What to look at.
#[derive(Debug, Clone)]
pub(crate) struct DoctorOptions {
    /// The commands whose needs are checked.
    pub tasks: Vec<Task>,
    /// The clusters; none means all.
    pub clusters: Vec<Target>,
}

/// Checks that the repository has the clusters of the options.
///
/// # Errors
/// When it lacks one.
pub(crate) fn check_clusters(compiled: &Compiled<'_>, options: &DoctorOptions) -> Result<(), UnknownName> {
    options.clusters.iter().try_for_each(|target| match target {
        Target::Management => Ok(()),
        Target::Service(id) => known_cluster(id, &compiled.resolved),
    })
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
    let doctor = Doctor { connector, compiled, manifests, tasks: &options.tasks, wanted: &options.clusters };
    doctor.look(events).await
}

struct Doctor<'a> {
    connector: Connector<'a>,
    compiled: &'a Compiled<'a>,
    manifests: &'a ManifestSet,
    tasks: &'a [Task],
    wanted: &'a [Target],
}

impl Doctor<'_> {
    fn is_wanted(&self, target: &Target) -> bool {
        self.wanted.is_empty() || self.wanted.contains(target)
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
        (Report { format_version: "1.0", clusters }, found)
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
        if cluster.target == Target::Management {
            match self.crds(cluster, &mut health).await {
                // If a command needs this permission, it is among the missing ones.
                Err(error) if error.kind == ErrorKind::Forbidden => {}
                done => done?,
            }
        }
        self.going(cluster, &mut health).await?;
        Ok((health, None))
    }

    /// Checks whether the CRDs that are offered are there, and whether something is being deleted that the repository
    /// has, or that something holds.
    async fn going(&self, cluster: &Cluster, health: &mut Health) -> Result<(), ClusterError> {
        let discovered = self.compiled.discovered;
        let uid = discovered.management_uid.as_deref();
        if let Target::Service(id) = &cluster.target {
            offered::check(cluster, id, self.compiled, health).await?;
            // The name of the inventory has the UID in it.
            if uid.is_none() {
                return Ok(());
            }
        }
        let inventory = inventory::of(&cluster.target, &self.connector.config.inventory, uid);
        let members = going::members(cluster, &inventory).await?;
        let manifests = match &cluster.target {
            Target::Management => &self.manifests.management,
            Target::Service(id) => self.manifests.clusters.get(id).unwrap_or(const { &Vec::new() }),
        };
        let wanted: BTreeSet<ObjectKey> = manifests.iter().map(|manifest| ObjectKey::from(&manifest.id)).collect();
        for member in members.iter().take(NAMED) {
            let is_grave = member.held || wanted.contains(&ObjectKey::from(&member.object));
            let status = if is_grave { Status::Missing } else { Status::Warning };
            health.note("deletions", status, format!("{} is being deleted: {}", object(&member.object), cause(member)));
        }
        if members.len() > NAMED {
            let more = format!("{} more are being deleted; `carrier plan -v` lists them", members.len() - NAMED);
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
        let needs = needs(&cluster.target, self.compiled, self.manifests, self.tasks);
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

    /// Checks whether the installed CRDs of the repository are served, and every Offering has its CRD.
    async fn crds(&self, cluster: &Cluster, health: &mut Health) -> Result<(), ClusterError> {
        let mut there = Crds::default();
        cluster.list(&Selection::all(Resource::crds()), &mut there).await?;
        let ours = self.manifests.management.iter().filter(|m| m.id.kind == "CustomResourceDefinition");
        let ours: BTreeSet<&str> = ours.map(|m| m.id.name.as_str()).collect();
        let mut found = 0;
        let mut troubled = false;
        for (name, trouble) in there.0.iter().filter(|(name, _)| ours.contains(name.as_str())) {
            found += 1;
            if let Some(trouble) = trouble {
                troubled = true;
                health.note("crds", Status::Missing, format!("{name} {trouble}"));
            }
        }
        if !troubled {
            let message = match ours.len() - found {
                0 => format!("all {found} are served"),
                absent => format!("{found} are served, {absent} are not there yet; `carrier apply` makes them"),
            };
            health.note("crds", Status::Ok, message);
        }
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
        () if is("Terminating", "True") => Some("is being deleted"),
        () if is("NamesAccepted", "False") => Some("is not served: another CRD of its group has one of its names"),
        () if !is("Established", "True") => Some("is not served"),
        () => None,
    }
}

/// CRDs by name, each with its problem if it has one. Their schemas are dropped at once.
#[derive(Default)]
struct Crds(Vec<(String, Option<&'static str>)>);

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
