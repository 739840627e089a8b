//! `carrier get`: the instances of all services in all clusters, with one list a service.
//!
//! Of an instance only its metadata and the conditions of its status are kept;
//! what its owner wrote, such as a password, is forgotten as it arrives.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, ValueEnum};
use futures::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::clusters::ClusterFlags;
use super::diagnostics::Format;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::progress;
use super::table::aligned;
use super::ui::Ui;
use crate::cluster::client::Taken;
use crate::cluster::connect::Connector;
use crate::cluster::diagnose::diagnose;
use crate::cluster::discover::{DiscoverError, known};
use crate::cluster::{Cluster, ClusterError, ErrorKind};
use crate::compile::Compiled;
use crate::compile::build::OfferedCrd;
use crate::model::cluster::{ClusterId, Target};
use crate::model::diagnostic::{Diagnostics, Severity};
use crate::model::nearest::nearest;
use crate::model::resource::Resource;
use crate::ops::Events;
use crate::ops::event::Subject;

/// Conditions that say whether an instance is ready, the best first.
const CONDITIONS: [&str; 2] = ["Ready", "Synced"];

/// Arguments of `carrier get`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier get redis -n team-b -o wide")]
pub struct GetArgs {
    /// Only instances of this service: a plural such as redis, or a CRD such as redis.eu-west-1.team-a
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
    /// Only those of this account; asks for no other, which is all that its members may do
    #[arg(short, long, value_name = "TENANT")]
    pub namespace: Option<String>,
    /// Only those in this service cluster
    #[arg(long, value_name = "PROVIDER/CLUSTER")]
    pub cluster: Option<ClusterId>,
    /// How to show them
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
    /// How to reach the clusters.
    #[command(flatten)]
    pub flags: ClusterFlags,
}

/// How instances are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table.
    Text,
    /// A table that also says whether each is there in the service cluster.
    Wide,
    /// A JSON document; it says what `wide` says.
    Json,
}

/// What is shown of an instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Instance {
    /// The account it belongs to, whose namespace it is in.
    pub tenant: String,
    /// The service: the plural of its CRD.
    pub service: String,
    /// Its name.
    pub name: String,
    /// The service cluster.
    pub cluster: String,
    /// The CRD.
    pub crd: String,
    /// The version it was read in.
    pub version: String,
    /// `True`, `False` or `Unknown` of its condition; null where it has none.
    pub ready: Option<String>,
    /// Its namespace in the service cluster.
    pub service_namespace: String,
    /// Whether it is in the service cluster; null where that could not be asked.
    pub in_service_cluster: Option<bool>,
}

/// The JSON document.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document {
    /// The version of this form; the first number changes when a reader has to.
    pub format_version: &'static str,
    /// The instances, sorted.
    pub instances: Vec<Instance>,
}

/// A service whose instances are asked for.
struct Asked {
    cluster: ClusterId,
    crd: OfferedCrd,
    resource: Resource,
    base: Resource,
}

/// Shows the instances.
///
/// # Errors
/// When there is no repository, it has no such service, or the output cannot be written.
pub fn run(args: &GetArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let repository = input::open(env, ui)?;
    let (compiled, list) = repository.compile();
    let asked = asked(args, &compiled)?;
    input::report_if_any(&repository, &list, env, ui)?;
    let options = args.flags.options(env);
    let connector = repository.connector(&options);
    let (events, mut receiver) = Events::channel();
    let Some(got) = progress::run(ui, &mut receiver, get(args, &connector, &compiled, &asked, &events))? else {
        return Ok(Exit::Interrupted);
    };
    match args.output {
        Output::Json => {
            let document = Document { format_version: "1.0", instances: got.instances.clone() };
            serde_json::to_writer_pretty(&mut *ui.out(), &document).map_err(std::io::Error::from)?;
            writeln!(ui.out())?;
        }
        _ if got.instances.is_empty() => {}
        output => {
            let rows = rows(&got.instances, output == Output::Wide);
            ui.out().write_all(aligned(&rows, 0).as_bytes())?;
        }
    }
    ui.flush()?;
    if !got.absent.is_empty() {
        ui.say(format_args!("not installed yet: {}", got.absent.join(", ")))?;
        ui.next("apply", "to install what the repository offers")?;
    }
    let found = got.found.into_sorted();
    if !found.is_empty() {
        input::report(&repository, &found, Format::Text, env, ui)?;
        return Ok(Exit::Cluster);
    }
    // What cannot be compiled has instances that were not looked for.
    if list.iter().any(|d| d.severity == Severity::Error) {
        return Ok(Exit::Errors);
    }
    if got.instances.is_empty() {
        ui.say("there are no instances")?;
    }
    Ok(Exit::Fine)
}

/// The services that the arguments mean.
fn asked(args: &GetArgs, compiled: &Compiled<'_>) -> Result<Vec<Asked>, CliError> {
    let resolved = &compiled.resolved;
    let unknown = |what: &str, word: &str, names: BTreeSet<String>| {
        let error = CliError::usage(format!("the repository has no {what} `{word}`"));
        match nearest(word, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if names.is_empty() => error,
            None => error.hint(format!("it has {}", names.into_iter().collect::<Vec<_>>().join(", "))),
        }
    };
    if let Some(id) = &args.cluster
        && !resolved.clusters.contains_key(id)
    {
        let names = resolved.clusters.keys().map(ToString::to_string).collect();
        return Err(unknown("service cluster", &id.to_string(), names));
    }
    if let Some(tenant) = &args.namespace
        && !resolved.accounts.contains_key(tenant.as_str())
    {
        return Err(unknown("account", tenant, resolved.accounts.keys().map(|name| (*name).to_owned()).collect()));
    }
    let all = compiled.built.iter().filter_map(|built| {
        let cluster = &resolved.services.get(built.service)?.cluster;
        let crd = built.tenant_crd(cluster);
        let version = crd.versions.iter().find(|(_, stored)| *stored).map(|(version, _)| version.as_str())?;
        let resource = Resource::new(&crd.group, version, &crd.kind, &crd.plural, true);
        let source = &built.source;
        let base = Resource::new(&source.group, &built.version, &source.kind, &source.plural, true);
        Some(Asked { cluster: cluster.clone(), crd, resource, base })
    });
    let mut all: Vec<Asked> = all.collect();
    if let Some(word) = &args.service {
        let is = |asked: &Asked| asked.crd.plural == *word || asked.crd.name == *word;
        if !all.iter().any(is) {
            let names = all.iter().flat_map(|asked| [asked.crd.plural.clone(), asked.crd.name.clone()]).collect();
            return Err(unknown("service", word, names));
        }
        all.retain(is);
    }
    all.retain(|asked| args.cluster.as_ref().is_none_or(|id| *id == asked.cluster));
    // Two services may share a CRD that is not derived.
    all.sort_by(|a, b| a.crd.name.cmp(&b.crd.name));
    all.dedup_by(|a, b| a.crd.name == b.crd.name);
    Ok(all)
}

/// What was found.
#[derive(Default)]
struct Got {
    instances: Vec<Instance>,
    absent: Vec<String>,
    found: Diagnostics,
}

async fn get(
    args: &GetArgs,
    connector: &Connector<'_>,
    compiled: &Compiled<'_>,
    asked: &[Asked],
    events: &Events,
) -> Got {
    let mut got = Got::default();
    let management = own(connector.management().await, compiled, &Target::Management).await;
    let namespace = args.namespace.as_deref();
    match &management {
        Err(error) => got.found.push(diagnose(&Target::Management, error, None)),
        Ok(cluster) => {
            let lists = asked.iter().map(|one| instances(cluster, one, namespace, compiled));
            let lists = events.during(Target::Management, Subject::Instances, join_all(lists)).await;
            let mut said = false;
            for (one, list) in asked.iter().zip(lists) {
                match list {
                    Ok(list) => got.instances.extend(list),
                    Err(error) if error.kind == ErrorKind::NotFound => got.absent.push(one.crd.name.clone()),
                    // One complaint about a cluster that does not answer is enough.
                    Err(error) if !said => {
                        said = true;
                        got.found.push(diagnose(&Target::Management, &error, None));
                    }
                    Err(_) => {}
                }
            }
        }
    }
    if args.output != Output::Text {
        look_up(connector, compiled, asked, management.as_ref(), &mut got, events).await;
    }
    got.instances.sort();
    got
}

/// A cluster, if it is the one that was meant: what another one says is no answer.
async fn own(
    cluster: Result<Cluster, ClusterError>,
    compiled: &Compiled<'_>,
    target: &Target,
) -> Result<Cluster, ClusterError> {
    let cluster = cluster?;
    let expected = match target {
        Target::Management => compiled.discovered.management_uid.as_deref(),
        Target::Service(id) => compiled.discovered.uid(id),
    };
    match known(&cluster, expected).await {
        Ok(_) => Ok(cluster),
        // Who may see his own instances need not be allowed to ask which cluster it is.
        Err(DiscoverError::Failed(error)) if error.kind == ErrorKind::Forbidden => Ok(cluster),
        Err(DiscoverError::Failed(error)) => Err(error),
        Err(DiscoverError::OtherCluster { expected, found }) => {
            let message = format!("it is another cluster: its UID is {found}, and should be {expected}");
            Err(ClusterError::new(ErrorKind::Kubeconfig, message))
        }
    }
}

async fn instances(
    cluster: &Cluster,
    asked: &Asked,
    namespace: Option<&str>,
    compiled: &Compiled<'_>,
) -> Result<Vec<Instance>, ClusterError> {
    let mut seen = Seen::default();
    cluster.list_in(&asked.resource, namespace, None, false, &mut seen).await?;
    let instance = |(tenant, name, ready): (String, String, Option<String>)| Instance {
        service: asked.crd.plural.clone(),
        cluster: asked.cluster.to_string(),
        crd: asked.crd.name.clone(),
        version: asked.resource.version.clone(),
        service_namespace: compiled.namespace(&asked.cluster, &tenant),
        in_service_cluster: None,
        tenant,
        name,
        ready,
    };
    Ok(seen.0.into_iter().map(instance).collect())
}

/// Which instances are in their service clusters: one list of metadata for each kind and cluster.
async fn look_up(
    connector: &Connector<'_>,
    compiled: &Compiled<'_>,
    asked: &[Asked],
    management: Result<&Cluster, &ClusterError>,
    got: &mut Got,
    events: &Events,
) {
    // Clusters without instances are not asked.
    let with_instances: BTreeSet<&str> = got.instances.iter().map(|instance| instance.crd.as_str()).collect();
    let mut kinds: BTreeMap<&ClusterId, BTreeMap<&Resource, Vec<&str>>> = BTreeMap::new();
    for one in asked.iter().filter(|one| with_instances.contains(one.crd.name.as_str())) {
        kinds.entry(&one.cluster).or_default().entry(&one.base).or_default().push(&one.crd.name);
    }
    let looks = kinds.iter().map(|(id, kinds)| async move {
        let look = async {
            let cluster = connector.service(id, &compiled.resolved, management).await;
            let cluster = own(cluster, compiled, &Target::Service((*id).clone())).await?;
            let lists = join_all(kinds.keys().map(|resource| names(&cluster, resource))).await;
            lists.into_iter().collect::<Result<Vec<_>, _>>()
        };
        events.during(Target::Service((*id).clone()), Subject::Instances, look).await
    });
    let looked = join_all(looks).await;
    let mut there: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for ((id, kinds), result) in kinds.iter().zip(looked) {
        match result {
            Ok(lists) => {
                for (crds, list) in kinds.values().zip(lists) {
                    there.extend(crds.iter().map(|crd| ((*crd).to_owned(), list.clone())));
                }
            }
            Err(error) => {
                let place = compiled.resolved.clusters.get(*id).map(|cluster| cluster.place("/metadata/name"));
                got.found.push(diagnose(&Target::Service((*id).clone()), &error, place));
            }
        }
    }
    for instance in &mut got.instances {
        let key = (instance.service_namespace.clone(), instance.name.clone());
        instance.in_service_cluster = there.get(&instance.crd).map(|list| list.contains(&key));
    }
}

/// Namespace and name of every object of a kind.
async fn names(cluster: &Cluster, resource: &Resource) -> Result<BTreeSet<(String, String)>, ClusterError> {
    let mut seen = Seen::default();
    match cluster.list_in(resource, None, None, true, &mut seen).await {
        // Where the kind is not there, none of its objects is.
        Err(error) if error.kind == ErrorKind::NotFound => {}
        listed => drop(listed?),
    }
    Ok(seen.0.into_iter().map(|(namespace, name, _)| (namespace, name)).collect())
}

fn rows(instances: &[Instance], wide: bool) -> Vec<Vec<String>> {
    let mut head = vec!["TENANT", "SERVICE", "NAME", "CLUSTER", "READY"];
    if wide {
        head.extend(["VERSION", "SERVICE NAMESPACE", "THERE"]);
    }
    let mut rows = vec![head.into_iter().map(str::to_owned).collect()];
    for instance in instances {
        let ready = instance.ready.clone().unwrap_or_else(|| "-".to_owned());
        let mut row = vec![
            instance.tenant.clone(),
            instance.service.clone(),
            instance.name.clone(),
            instance.cluster.clone(),
            ready,
        ];
        if wide {
            let there = match instance.in_service_cluster {
                Some(true) => "yes",
                Some(false) => "no",
                None => "unknown",
            };
            row.extend([instance.version.clone(), instance.service_namespace.clone(), there.to_owned()]);
        }
        rows.push(row);
    }
    rows
}

/// Objects as namespace, name, and whether they are ready. All else is forgotten at once.
#[derive(Default)]
struct Seen(Vec<(String, String, Option<String>)>);

impl Taken for Seen {
    fn take(&mut self, object: Value) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.0.push((text("/metadata/namespace"), text("/metadata/name"), ready(&object)));
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

/// What the conditions of an object's status say; only the three words that Kubernetes has for it.
fn ready(object: &Value) -> Option<String> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array)?;
    let status = |kind: &str| {
        let condition = conditions.iter().find(|c| c.get("type").and_then(Value::as_str) == Some(kind))?;
        let status = condition.get("status").and_then(Value::as_str)?;
        ["True", "False", "Unknown"].contains(&status).then(|| status.to_owned())
    };
    CONDITIONS.iter().find_map(|kind| status(kind))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn readiness_is_a_word_of_kubernetes_or_nothing() {
        let of = |conditions: Value| ready(&json!({ "status": { "conditions": conditions } }));
        let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status });
        assert_eq!(of(json!([condition("Synced", "True"), condition("Ready", "False")])), Some("False".into()));
        assert_eq!(of(json!([condition("Synced", "True")])), Some("True".into()));
        assert_eq!(of(json!([condition("Ready", "hunter2")])), None);
        assert_eq!(of(json!("hunter2")), None);
        assert_eq!(ready(&json!({})), None);
    }
}
