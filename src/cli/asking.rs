//! Asking the clusters of a repository who they are and what CRDs they have: what
//! `lock` writes down and `plan` compares with.
//!
//! All of them at once, each by its own way. One that cannot be asked is a
//! diagnostic at the line of its ServiceCluster, and keeps nobody waiting longer than
//! the deadline. One that is another than was meant is asked nothing more.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};
use tokio::sync::OnceCell;

use super::exit::Exit;
use super::progress::Progress;
use super::ui::Ui;
use crate::cluster::connect::Connector;
use crate::cluster::diagnose::{diagnose, other_cluster};
use crate::cluster::discover::{DiscoverError, discover, known};
use crate::cluster::identity::Identity;
use crate::cluster::runtime::block_on;
use crate::cluster::{Cluster, ClusterError, ErrorKind};
use crate::compile::locking::Locked;
use crate::compile::resolve::{BaseName, Resolved};
use crate::compile::{Discovered, DiscoveredCluster};
use crate::model::cluster::{ClusterId, Target};
use crate::model::config::CONFIG_PATH;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::source::{Sources, Span};
use crate::yaml;

/// So many clusters are asked at once.
const AT_ONCE: usize = 64;
/// So many clusters are named in one note.
const NAMED: usize = 5;

/// What came of asking.
#[derive(Debug, Default)]
pub struct Asked {
    /// The facts about the clusters that answered.
    pub seen: Discovered,
    /// The management cluster, where it is the right one and answers.
    pub management: Option<Cluster>,
    /// The service clusters that are the right ones and answer.
    pub clusters: BTreeMap<ClusterId, Cluster>,
    /// Service clusters that should have been asked and of which nothing is known.
    pub unknown: BTreeSet<ClusterId>,
    /// What went wrong, each at the line of the cluster.
    pub found: Diagnostics,
    /// How to end because of it: [`Exit::Refused`] where a cluster is another, [`Exit::Cluster`] where one
    /// cannot be asked.
    pub exit: Option<Exit>,
}

impl Asked {
    fn trouble(&mut self, target: &Target, why: &DiscoverError, place: Option<Span>) -> Diagnostic {
        let (exit, diagnostic) = match why {
            DiscoverError::Failed(error) => (Exit::Cluster, diagnose(target, error, place)),
            DiscoverError::OtherCluster { expected, found } => {
                (Exit::Refused, other_cluster(target, expected, found, place))
            }
        };
        // That something was refused is worse than that something failed.
        if self.exit != Some(Exit::Refused) {
            self.exit = Some(exit);
        }
        diagnostic
    }
}

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The repository's files.
    pub sources: &'a Sources,
    /// What it wants.
    pub resolved: &'a Resolved<'a>,
    /// What is locked.
    pub locked: &'a Locked,
    /// The only service cluster to ask; else all.
    pub only: Option<&'a ClusterId>,
}

/// Asks. Whatever goes wrong is in the answer.
pub async fn ask(connector: &Connector<'_>, question: Question<'_>, progress: &Progress) -> Asked {
    let Question { resolved, only, .. } = question;
    let locked = &question.locked.discovered;
    let cell: OnceCell<Result<(Cluster, Identity), DiscoverError>> = OnceCell::new();
    let management = || {
        cell.get_or_init(|| {
            progress.on("the management cluster", async {
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
                // Never looked at.
                false => Err(ClusterError::new(ErrorKind::Kubeconfig, "the management cluster was not asked")),
            };
            let work = async {
                let cluster = connector.service(id, resolved, way.as_ref().copied()).await?;
                let seen = discover(&cluster, &names, expected).await?;
                Ok((cluster, seen))
            };
            let answer = progress.on(format!("the service cluster {id}"), work).await;
            (id.clone(), Some(answer))
        });
    }
    let service = stream::iter(questions).buffer_unordered(AT_ONCE).collect::<Vec<_>>();
    let (_, answers) = tokio::join!(management(), service);
    collect(cell.into_inner(), answers, question)
}

type Answer = Result<(Cluster, DiscoveredCluster), DiscoverError>;

/// Puts the answers together. `None` are clusters whose kubeconfig is in a management cluster that cannot be asked.
fn collect(
    management: Option<Result<(Cluster, Identity), DiscoverError>>,
    mut answers: Vec<(ClusterId, Option<Answer>)>,
    question: Question<'_>,
) -> Asked {
    let mut asked = Asked::default();
    answers.sort_by(|a, b| a.0.cmp(&b.0));
    let mut behind = Vec::new();
    for (id, answer) in answers {
        match answer {
            Some(Ok((cluster, seen))) => {
                asked.seen.clusters.insert(id.clone(), seen);
                asked.clusters.insert(id, cluster);
                continue;
            }
            Some(Err(why)) => {
                let object = question.resolved.clusters.get(&id);
                let place = object.map(|o| o.place("/metadata/name"));
                let mut diagnostic = asked.trouble(&Target::Service(id.clone()), &why, place);
                if let Some(object) = object {
                    diagnostic = diagnostic.on(object.id(), "/metadata/name");
                }
                asked.found.push(diagnostic);
            }
            None => behind.push(format!("`{id}`")),
        }
        asked.unknown.insert(id);
    }
    match management {
        Some(Ok((cluster, identity))) => {
            asked.seen.management_uid = Some(identity.uid);
            asked.management = Some(cluster);
        }
        Some(Err(why)) => {
            let mut diagnostic = asked.trouble(&Target::Management, &why, management_place(&question, &why));
            if !behind.is_empty() {
                let more = behind.len().saturating_sub(NAMED);
                behind.truncate(NAMED);
                let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
                diagnostic.notes.push(format!(
                    "the kubeconfigs of these service clusters are in its Secrets, so they were not asked: {}{tail}",
                    behind.join(", ")
                ));
            }
            asked.found.push(diagnostic);
        }
        None => {}
    }
    asked
}

/// Where the repository speaks of the management cluster: its UID where that is what is wrong, else
/// the settings that say how to reach it. Nowhere, where it is reached as kubectl does.
fn management_place(question: &Question<'_>, why: &DiscoverError) -> Option<Span> {
    let sources = question.sources;
    let another = matches!(why, DiscoverError::OtherCluster { .. });
    let root = sources.by_path(CONFIG_PATH).and_then(|(file, source)| {
        yaml::read(file, &source.text, &mut Diagnostics::default()).into_iter().next().map(|document| document.root)
    });
    let in_settings = root.as_ref().and_then(|root| match another {
        true => root.pointer("/management/uid").map(|node| node.span),
        false => root.key_place("/management"),
    });
    let in_lock = || question.locked.file.uid_place.filter(|_| another);
    in_settings.or_else(in_lock)
}

/// Asks, says on `ui` what is waited for, and stops where the user interrupts: then `None`.
///
/// # Errors
/// When the system gives no event queue.
pub fn ask_all(connector: &Connector<'_>, question: Question<'_>, ui: &mut Ui<'_>) -> std::io::Result<Option<Asked>> {
    let progress = Progress::default();
    block_on(progress.show(ui, ask(connector, question, &progress)))
}
