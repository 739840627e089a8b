//! Asking the clusters of a repository who they are and which of its CRDs they have: what `lock`
//! records and `plan` compares with.
//!
//! All clusters are asked at once, each through its own connection. A cluster that cannot be asked is a
//! diagnostic at the line of its ServiceCluster and delays the others by no more than the deadline. A cluster
//! that is not the one recorded is asked nothing more.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};
use tokio::sync::OnceCell;

use super::error::ClusterFailure;
use super::event::{Events, Subject};
use crate::cluster::connect::Connector;
use crate::cluster::diagnose::{diagnose, other_cluster, renamed_clusters, same_clusters};
use crate::cluster::discover::{DiscoverError, discover, known};
use crate::cluster::identity::Identity;
use crate::cluster::{Cluster, ClusterError, ErrorKind};
use crate::compile::locking::Locked;
use crate::compile::resolve::{BaseName, Resolved};
use crate::compile::{Discovered, DiscoveredCluster};
use crate::model::cluster::{ClusterId, Target};
use crate::model::config::{CONFIG_PATH, Config};
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::{Sources, Span};
use crate::yaml;

/// The number of clusters that are asked at once.
const AT_ONCE: usize = 64;
/// The number of clusters that one note names.
const NAMED: usize = 5;

/// The answers of the clusters.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The facts about the clusters that answered.
    pub seen: Discovered,
    /// The management cluster, if it answered and is the recorded one.
    pub management: Option<Cluster>,
    /// The service clusters that answered and are the recorded ones.
    pub clusters: BTreeMap<ClusterId, Cluster>,
    /// The service clusters that did not answer, or are others than recorded.
    pub unknown: BTreeSet<ClusterId>,
    /// The failures, each at the line of its cluster.
    pub found: Diagnostics,
    /// The gravest of them.
    pub failure: Option<ClusterFailure>,
}

impl Survey {
    /// Records the failure of a cluster and gives its diagnostic.
    fn fail(&mut self, target: &Target, error: &DiscoverError, config: &Config, place: Option<Span>) -> Diagnostic {
        let (failure, diagnostic) = match error {
            DiscoverError::Failed(error) => (ClusterFailure::Unreachable, diagnose(target, error, place)),
            DiscoverError::OtherCluster { expected, found } => {
                (ClusterFailure::OtherCluster, other_cluster(target, (expected, found), config, place))
            }
        };
        self.failure = self.failure.max(Some(failure));
        diagnostic
    }
}

/// What a survey is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The files of the repository, to place diagnostics in.
    pub sources: &'a Sources,
    /// Its clusters and the CRDs that it needs of each.
    pub resolved: &'a Resolved<'a>,
    /// What is locked.
    pub locked: &'a Locked,
    /// The only service cluster to ask; absent, all.
    pub only: Option<&'a ClusterId>,
}

/// Asks the clusters. Failures are part of the result.
pub(crate) async fn survey(connector: &Connector<'_>, scope: Scope<'_>, events: &Events) -> Survey {
    let Scope { resolved, only, .. } = scope;
    let locked = &scope.locked.discovered;
    let cell: OnceCell<Result<(Cluster, Identity), DiscoverError>> = OnceCell::new();
    let management = || {
        cell.get_or_init(|| {
            events.during(Target::Management, Subject::Identity, async {
                let cluster = connector.management().await?;
                let identity = known(&cluster, locked.management_uid.as_deref()).await?;
                Ok((cluster, identity))
            })
        })
    };
    let mut wanted: BTreeMap<&ClusterId, BTreeSet<&BaseName>> =
        resolved.wanted().into_iter().map(|(id, names)| (id, names.into_keys().collect())).collect();
    let mut questions = Vec::new();
    for id in resolved.clusters.keys().filter(|id| only.is_none_or(|only| only == *id)) {
        let names = wanted.remove(id).unwrap_or_default();
        let expected = locked.uid(id);
        let management = &management;
        questions.push(async move {
            let way = match connector.needs_management(id) {
                true => match management().await {
                    Ok((cluster, _)) => Ok(cluster),
                    Err(_) => return (id.clone(), None),
                },
                // Never used: its kubeconfig is elsewhere.
                false => Err(ClusterError::new(ErrorKind::Kubeconfig, "the management cluster was not asked")),
            };
            let work = async {
                let cluster = connector.service(id, resolved, way.as_ref().copied()).await?;
                let seen = discover(&cluster, &names, expected).await?;
                Ok((cluster, seen))
            };
            let answer = events.during(Target::Service(id.clone()), Subject::Identity, work).await;
            (id.clone(), Some(answer))
        });
    }
    let service = stream::iter(questions).buffer_unordered(AT_ONCE).collect::<Vec<_>>();
    let (_, answers) = tokio::join!(management(), service);
    collect(cell.into_inner(), answers, scope, connector.config)
}

type Answer = Result<(Cluster, DiscoveredCluster), DiscoverError>;

/// Puts the answers together. `None` are clusters whose kubeconfig is in a management cluster that cannot be asked.
fn collect(
    management: Option<Result<(Cluster, Identity), DiscoverError>>,
    mut answers: Vec<(ClusterId, Option<Answer>)>,
    scope: Scope<'_>,
    config: &Config,
) -> Survey {
    let mut survey = Survey::default();
    answers.sort_by(|a, b| a.0.cmp(&b.0));
    let mut behind = Vec::new();
    for (id, answer) in answers {
        match answer {
            Some(Ok((cluster, seen))) => {
                survey.seen.clusters.insert(id.clone(), seen);
                survey.clusters.insert(id, cluster);
                continue;
            }
            Some(Err(why)) => {
                let object = scope.resolved.clusters.get(&id);
                let place = object.map(|o| o.place("/metadata/name"));
                let mut diagnostic = survey.fail(&Target::Service(id.clone()), &why, config, place);
                if let Some(object) = object {
                    diagnostic = diagnostic.on(object.id(), "/metadata/name");
                }
                survey.found.push(diagnostic);
            }
            None => behind.push(format!("`{id}`")),
        }
        survey.unknown.insert(id);
    }
    match management {
        Some(Ok((cluster, identity))) => {
            survey.seen.management_uid = Some(identity.uid);
            survey.management = Some(cluster);
        }
        Some(Err(why)) => {
            let mut diagnostic = survey.fail(&Target::Management, &why, config, management_place(&scope, &why));
            if !behind.is_empty() {
                let more = behind.len().saturating_sub(NAMED);
                behind.truncate(NAMED);
                let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
                diagnostic.notes.push(format!(
                    "the kubeconfigs of these service clusters are in its Secrets, so they were not asked: {}{tail}",
                    behind.join(", ")
                ));
            }
            survey.found.push(diagnostic);
        }
        None => {}
    }
    let uids = survey.seen.clusters.iter().filter_map(|(id, seen)| Some((id, seen.uid.as_deref()?)));
    let same = same_clusters(uids, |id| Some(scope.resolved.clusters.get(id)?.place("/metadata/name")));
    let uids = survey.seen.clusters.iter().filter_map(|(id, seen)| Some((id, seen.uid.as_deref()?)));
    let former = scope.locked.discovered.former_clusters(|id| scope.resolved.clusters.contains_key(id));
    let renamed = renamed_clusters(uids, former, |id| Some(scope.resolved.clusters.get(id)?.place("/metadata/name")));
    for one in same.into_iter().chain(renamed) {
        survey.found.push(one);
    }
    survey
}

/// The place of the management cluster in the repository: its UID for a cluster with another one, otherwise the
/// settings that say how to reach it. `None` where it is reached as kubectl does.
fn management_place(scope: &Scope<'_>, why: &DiscoverError) -> Option<Span> {
    let sources = scope.sources;
    let another = matches!(why, DiscoverError::OtherCluster { .. });
    let root = sources.by_path(CONFIG_PATH).and_then(|(file, source)| {
        yaml::read(file, &source.text, &mut Diagnostics::default()).into_iter().next().map(|document| document.root)
    });
    let in_settings = root.as_ref().and_then(|root| match another {
        true => root.pointer("/management/uid").map(|node| node.span),
        false => root.key_place("/management"),
    });
    let in_lock = || scope.locked.file.uid_place.filter(|_| another);
    in_settings.or_else(in_lock)
}
