//! The requests of one job. Bodies are those that events brought, and are asked for where there is none; every write
//! names the UID of the object that the decision was about, so that it never reaches another one.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::difference;
use super::digest::Digest;
use super::facts::{TenantFacts, digest, name_of};
use super::job::Job;
use super::level::Level;
use super::owned::applied_by;
use super::service::{FINALIZER_MANAGER, INTERNAL_MANAGER, SERVICE_MANAGER, STATUS_MANAGER, Service};
use super::settled::Settled;
use super::shape::Shape;
use super::shared::{Connection, Shared, clock};
use super::status::StatusFacts;
use super::step::{StatusFrom, Step, WriteReason};
use super::timestamp;
use super::verdict::{Reason, Verdict};
use super::wanted::{self, SyncedCondition, Wanted};
use super::words::Values;
use crate::cluster::dry_run::is_unsupported;
use crate::cluster::request::JsonPatch;
use crate::cluster::{ApiRequest, Cluster, ClusterError, ErrorKind, identity};
use crate::model::keys::{FINALIZER, ORPHANED};
use crate::model::resource::Resource;

/// The version that an apply names so that it creates an object or fails (`sync.md`).
const CREATE_ONLY: &str = "1";

/// What became of a step.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was written, and this is what the server stores.
    Wrote {
        /// The level.
        level: Level,
        /// The object.
        body: Value,
        /// What to remember of it.
        settled: Box<Settled>,
    },
    /// It was looked at, and writing it would change nothing.
    AsWanted {
        /// The level.
        level: Level,
        /// The object.
        body: Value,
        /// What to remember of it.
        settled: Box<Settled>,
    },
    /// In a dry run: it would be written, and this is what the server would store.
    Would {
        /// The level.
        level: Level,
        /// The object.
        body: Value,
    },
    /// It was looked at, and is there.
    Found {
        /// The level.
        level: Level,
        /// The object.
        body: Value,
    },
    /// It was looked at, and is not there.
    Gone {
        /// The level.
        level: Level,
    },
    /// It was deleted, and is gone.
    Deleted {
        /// The level.
        level: Level,
    },
    /// It failed.
    Failed(Failed),
}

/// A step that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The level that it was for.
    pub level: Level,
    /// What the server says.
    pub error: ClusterError,
    /// What was wanted of the object; `None` where the same may be tried again by an event.
    pub wants: Option<Digest>,
    /// The values of the instance, for the server's words.
    pub values: Values,
}

impl Outcome {
    /// Whether the server could not try the object in a dry run.
    fn is_untried(&self) -> bool {
        matches!(self, Self::Failed(failed) if is_unsupported(&failed.error))
    }
}

impl Failed {
    /// How the instance stands while this is refused.
    #[must_use]
    pub(crate) fn verdict(&self) -> Verdict {
        let (who, what) = match self.level {
            Level::Service => ("the service cluster", "the copy"),
            Level::Internal => ("the management cluster", "the internal object"),
            Level::Tenant => ("the management cluster", "the tenant object"),
        };
        let words = self.error.edited(|words| super::words::shown(words, &self.values));
        Verdict::new(Reason::Rejected, format!("{who} refuses {what}: {words}"))
    }
}

/// Who stores another value than is wanted, if anybody does. A difference in the answer to a write, or one that a write
/// would not end, is admission's doing.
fn overwritten((manager, shape): (&str, &Shape), (wanted, wants): (&Value, Digest), body: &Value) -> Option<String> {
    let owned = applied_by(body, manager, "", shape).unwrap_or_default();
    if digest(shape, owned) == wants {
        return None;
    }
    difference::first(wanted, body).map(|path| difference::culprit(&path, body, true))
}

/// A refusal without the server's words.
fn wordless(error: ClusterError) -> ClusterError {
    error.reworded("it does not allow it; its words are not shown, since they may have hidden values")
}

/// Executes the steps of a job.
pub(crate) struct Writer<'a> {
    shared: &'a Shared,
    job: &'a Job,
    service: &'a Service,
    connection: Option<Connection>,
}

type Result<T> = std::result::Result<T, Box<Outcome>>;

impl<'a> Writer<'a> {
    /// The service cluster is written to only over the connection that the decision rests on.
    pub(crate) fn new(shared: &'a Shared, job: &'a Job) -> Self {
        let connection = shared.connection(&job.service.route.cluster, job.epoch);
        Self { shared, job, service: &job.service, connection }
    }

    /// Executes a step.
    pub(crate) async fn execute(&self, step: &Step) -> Outcome {
        let began = Instant::now();
        let outcome = match step {
            Step::PlaceFinalizer => self.place_finalizer().await,
            Step::ReleaseFinalizer => self.release_finalizer().await,
            Step::Apply { level: Level::Service, reason, look_first } => self.apply_service(*reason, *look_first).await,
            Step::Apply { reason, look_first, .. } => self.apply_internal(*reason, *look_first).await,
            Step::RemoveExcess => self.remove_excess().await,
            Step::Confirm => self.look(Level::Service).await,
            Step::Delete(level) => self.delete(*level).await,
            Step::Orphan => self.orphan().await,
            Step::InternalStatus => self.internal_status().await,
            Step::TenantStatus { verdict, from } => self.tenant_status(verdict, *from).await,
        };
        self.shared.took(&self.job.service.route.cluster, began.elapsed());
        outcome.unwrap_or_else(|outcome| *outcome)
    }

    fn resource(&self, level: Level) -> &Resource {
        match level {
            Level::Tenant => &self.service.route.tenant,
            Level::Internal => &self.service.route.internal,
            Level::Service => &self.service.route.base,
        }
    }

    /// The cluster and namespace of a level.
    fn at(&self, level: Level) -> Result<(&Cluster, &str)> {
        if level != Level::Service {
            return Ok((&self.shared.management, &self.job.namespace));
        }
        match (&self.connection, &self.job.service_namespace) {
            (Some(connection), Some(namespace)) => Ok((&connection.cluster, namespace)),
            _ => {
                let error = ClusterError::new(ErrorKind::Unreachable, "the service cluster is not connected");
                Err(Box::new(self.failed(level, error, None)))
            }
        }
    }

    fn failed(&self, level: Level, error: ClusterError, wants: Option<Digest>) -> Outcome {
        let known = self.job.bodies[Level::Internal as usize].as_deref();
        let mut values = known.map(|body| wanted::values(self.service, &[body])).unwrap_or_default();
        // Not all that the tenant sees is known.
        values.shown = None;
        Outcome::Failed(Failed { level, error, wants, values })
    }

    /// Sends a write. A conflict is looked into by reading the object again.
    async fn send(&self, level: Level, request: ApiRequest, wants: Option<Digest>) -> Result<Value> {
        let (cluster, _) = self.at(level)?;
        // The lease is looked at as late as possible, and not given back before the write has ended.
        match self.shared.within(&self.job.service.route.cluster, cluster.call(&request)).await {
            Some(Ok(body)) => Ok(body),
            Some(Err(error)) => Err(Box::new(self.after(level, &request, error, wants).await)),
            None => {
                let error = ClusterError::new(ErrorKind::Busy, "another replica works on this cluster");
                Err(Box::new(self.failed(level, error, None)))
            }
        }
    }

    async fn after(&self, level: Level, request: &ApiRequest, error: ClusterError, wants: Option<Digest>) -> Outcome {
        // A test of a JSON patch that fails: the object has changed. A webhook may answer an apply with the same code, and
        // means its refusal.
        let is_failed_test = request.is_json_patch()
            && error.causes().is_empty()
            && error.status.as_ref().is_some_and(|status| status.code == 422);
        match error.kind {
            ErrorKind::VersionConflict | ErrorKind::AlreadyExists | ErrorKind::NotFound => {
                self.look(level).await.unwrap_or_else(|o| *o)
            }
            ErrorKind::Invalid if is_failed_test => self.look(level).await.unwrap_or_else(|o| *o),
            _ => self.told(level, error, wants).await,
        }
    }

    /// A refusal, with the values that the tenant may and may not read in the server's words. Where these are not known the words
    /// are not shown at all.
    async fn told(&self, level: Level, error: ClusterError, wants: Option<Digest>) -> Outcome {
        // Of the tenant's own object nothing is hidden.
        if !self.service.derives() || level == Level::Tenant {
            return self.failed(level, error, wants);
        }
        let internal = match self.body(Level::Internal).await {
            Ok(internal) => internal,
            // On the first hop nothing is hidden yet but the presets.
            Err(_) if level == Level::Internal && self.job.internal.is_none() => {
                Arc::new(self.service.route.projection.project_down(&json!({})))
            }
            Err(_) => return self.failed(level, wordless(error), wants),
        };
        // What the tenant has just written may not be in the internal object yet; and in the copy there may be more than
        // what stands above it.
        let tenant = self.body(Level::Tenant).await.ok();
        let copy = match level == Level::Service && self.job.copy.is_some() {
            true => match self.body(Level::Service).await {
                Ok(copy) => Some(copy),
                Err(_) => return self.failed(level, wordless(error), wants),
            },
            false => None,
        };
        let known: Vec<&Value> =
            [Some(&internal), tenant.as_ref(), copy.as_ref()].into_iter().flatten().map(|body| &**body).collect();
        let values = wanted::values(self.service, &known);
        Outcome::Failed(Failed { level, error, wants, values })
    }

    /// Reads an object by its name.
    async fn look(&self, level: Level) -> Result<Outcome> {
        let (cluster, namespace) = self.at(level)?;
        let request = ApiRequest::object(self.resource(level), Some(namespace), &self.job.name);
        match cluster.call(&request).await {
            Ok(body) if name_of(&body) == Some((namespace, &self.job.name)) => Ok(Outcome::Found { level, body }),
            Ok(_) => {
                let error = ClusterError::new(ErrorKind::BadAnswer, "the server answers with another object");
                Err(Box::new(self.failed(level, error, None)))
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.is_who_it_was(level).await?;
                Ok(Outcome::Gone { level })
            }
            Err(error) => Err(Box::new(self.failed(level, error, None))),
        }
    }

    /// Before an absence is believed the service cluster says who it is: in another cluster behind the same address
    /// everything is absent (`DESIGN.md` §8 law 6).
    async fn is_who_it_was(&self, level: Level) -> Result<()> {
        let (Level::Service, Some(connection)) = (level, &self.connection) else { return Ok(()) };
        let error = match identity::uid(&connection.cluster).await {
            Ok(uid) if uid == connection.uid => return Ok(()),
            Ok(_) => ClusterError::new(ErrorKind::Unreachable, "another cluster answers"),
            Err(error) => error,
        };
        self.shared.doubt(&self.job.service.route.cluster);
        Err(Box::new(self.failed(level, error, None)))
    }

    /// The body of an object that the decision saw.
    async fn body(&self, level: Level) -> Result<Arc<Value>> {
        if let Some(body) = &self.job.bodies[level as usize] {
            return Ok(Arc::clone(body));
        }
        match self.look(level).await? {
            Outcome::Found { body, .. } => Ok(Arc::new(body)),
            outcome => Err(Box::new(outcome)),
        }
    }

    /// An object with these fields, as it is applied: `uid` is that of the object that is there.
    fn object(&self, level: Level, uid: Option<&str>, fields: Value) -> Result<Value> {
        let (_, namespace) = self.at(level)?;
        let resource = self.resource(level);
        let mut object = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let metadata = object.entry("metadata").or_insert_with(|| json!({}));
        if let Value::Object(metadata) = metadata {
            metadata.insert("name".to_owned(), json!(self.job.name));
            metadata.insert("namespace".to_owned(), json!(namespace));
            match uid {
                Some(uid) => metadata.insert("uid".to_owned(), json!(uid)),
                None => metadata.insert("resourceVersion".to_owned(), json!(CREATE_ONLY)),
            };
        }
        object.insert("apiVersion".to_owned(), json!(resource.api_version()));
        object.insert("kind".to_owned(), json!(resource.kind));
        Ok(Value::Object(object))
    }

    fn apply(&self, level: Level, manager: &str, object: &Value) -> Result<ApiRequest> {
        let (_, namespace) = self.at(level)?;
        let request = ApiRequest::apply(self.resource(level), Some(namespace), &self.job.name, object);
        Ok(request.field_manager(manager).force(true))
    }

    fn tenant_uid(&self) -> Option<String> {
        self.job.tenant.as_ref().map(|facts| facts.seen.uid.to_string())
    }

    async fn place_finalizer(&self) -> Result<Outcome> {
        let fields = json!({ "metadata": { "finalizers": [FINALIZER] } });
        let object = self.object(Level::Tenant, self.tenant_uid().as_deref(), fields)?;
        let request = self.apply(Level::Tenant, FINALIZER_MANAGER, &object)?;
        let wants = self.job.tenant.as_ref().map(|facts| facts.wants);
        let body = self.send(Level::Tenant, request, wants).await?;
        Ok(Outcome::Wrote { level: Level::Tenant, body, settled: Box::new(Settled::Nothing) })
    }

    /// Others may own the finalizer too, such as a tool that restored the object: so a patch, not an apply without it.
    async fn release_finalizer(&self) -> Result<Outcome> {
        // What an event brought may be old, and the patch names a position.
        let (cluster, namespace) = self.at(Level::Tenant)?;
        let request = ApiRequest::object(self.resource(Level::Tenant), Some(namespace), &self.job.name).metadata_only();
        let body = match cluster.call(&request).await {
            Ok(body) => body,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(Outcome::Gone { level: Level::Tenant }),
            Err(error) => return Err(Box::new(self.failed(Level::Tenant, error, None))),
        };
        let uid = body.pointer("/metadata/uid").and_then(Value::as_str);
        if uid != self.tenant_uid().as_deref() {
            return self.look(Level::Tenant).await;
        }
        let list = body.pointer("/metadata/finalizers").and_then(Value::as_array);
        let at = list.and_then(|list| list.iter().position(|name| name.as_str() == Some(FINALIZER)));
        let Some(at) = at else { return self.look(Level::Tenant).await };
        let path = format!("/metadata/finalizers/{at}");
        let operations = [
            JsonPatch::Test { path: "/metadata/uid".to_owned(), value: json!(uid) },
            JsonPatch::Test { path: path.clone(), value: json!(FINALIZER) },
            JsonPatch::Remove { path },
        ];
        let request =
            ApiRequest::json_patch(self.resource(Level::Tenant), Some(namespace), &self.job.name, &operations);
        let wants = self.job.tenant.as_ref().map(|facts| facts.wants);
        let body = self.send(Level::Tenant, request.field_manager(FINALIZER_MANAGER), wants).await?;
        let held = body.pointer("/metadata/finalizers").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        if held {
            return Ok(Outcome::Wrote { level: Level::Tenant, body, settled: Box::new(Settled::Nothing) });
        }
        Ok(Outcome::Deleted { level: Level::Tenant })
    }

    async fn apply_internal(&self, reason: WriteReason, look_first: bool) -> Result<Outcome> {
        let tenant = self.body(Level::Tenant).await?;
        let wanted = wanted::internal(self.service, &tenant);
        let uid = self.job.internal.as_ref().map(|facts| facts.seen.uid.to_string());
        let shape = &self.service.internal;
        self.apply_copy(Level::Internal, (INTERNAL_MANAGER, shape), wanted, uid.as_deref(), reason, look_first).await
    }

    async fn apply_service(&self, reason: WriteReason, look_first: bool) -> Result<Outcome> {
        let above = if self.service.derives() { Level::Internal } else { Level::Tenant };
        let above = self.body(above).await?;
        let wanted = wanted::service(self.service, &above);
        let uid = self.job.copy.as_ref().map(|facts| facts.seen.uid.to_string());
        let anything = Shape::default();
        let shape = self.service.base.as_ref().unwrap_or(&anything);
        self.apply_copy(Level::Service, (SERVICE_MANAGER, shape), wanted, uid.as_deref(), reason, look_first).await
    }

    async fn apply_copy(
        &self,
        level: Level,
        (manager, shape): (&str, &Shape),
        wanted: Wanted,
        uid: Option<&str>,
        reason: WriteReason,
        look_first: bool,
    ) -> Result<Outcome> {
        self.shared.dropped(self.service, level, &wanted.dropped);
        let wants = digest(shape, wanted.fields.clone());
        let corrected = match reason {
            WriteReason::Correction if level == Level::Service => Some(self.culprit(&wanted.fields).await),
            _ => None,
        };
        let object = self.object(level, uid, wanted.fields.clone())?;
        let request = self.apply(level, manager, &object)?;
        // Nothing may be remembered of the object: perhaps the server only writes it in another way.
        if (self.shared.dry_run || look_first && uid.is_some())
            && let Some(outcome) = self.tried(level, (manager, shape), &request, (&wanted.fields, wants)).await?
        {
            return Ok(outcome);
        }
        let body = self.send(level, request, Some(wants)).await?;
        let overwritten = overwritten((manager, shape), (&wanted.fields, wants), &body);
        let settled = Settled::Copy { wants, overwritten, corrected };
        Ok(Outcome::Wrote { level, body, settled: Box::new(settled) })
    }

    /// What a dry run of an apply tells; `None` where it has to be sent.
    async fn tried(
        &self,
        level: Level,
        (manager, shape): (&str, &Shape),
        request: &ApiRequest,
        (wanted, wants): (&Value, Digest),
    ) -> Result<Option<Outcome>> {
        let would = match self.send(level, request.clone().dry_run(true), Some(wants)).await {
            Ok(would) => would,
            // Writing it may well do.
            Err(outcome) if !self.shared.dry_run && outcome.is_untried() => return Ok(None),
            Err(outcome) => return Err(outcome),
        };
        let known = match level {
            Level::Service => self.job.copy.as_ref().map(|facts| facts.owned),
            Level::Internal | Level::Tenant => self.job.internal.as_ref().map(|facts| facts.owned),
        };
        let owned = applied_by(&would, manager, "", shape).map(|owned| digest(shape, owned));
        if owned.is_some() && owned == known {
            return self.looked(level, (manager, shape), (wanted, wants)).await.map(Some);
        }
        Ok(self.shared.dry_run.then_some(Outcome::Would { level, body: would }))
    }

    /// A copy that an apply would not change: what is there counts as what is wanted.
    async fn looked(&self, level: Level, by: (&str, &Shape), (wanted, wants): (&Value, Digest)) -> Result<Outcome> {
        match self.look(level).await? {
            Outcome::Found { body, .. } => {
                // What was overwritten before a restart is so still.
                let overwritten = overwritten(by, (wanted, wants), &body);
                let settled = Settled::Copy { wants, overwritten, corrected: None };
                Ok(Outcome::AsWanted { level, body, settled: Box::new(settled) })
            }
            outcome => Ok(outcome),
        }
    }

    /// Who changed the copy, for the condition.
    async fn culprit(&self, wanted: &Value) -> String {
        let Ok(live) = self.body(Level::Service).await else { return "somebody keeps changing the copy".to_owned() };
        match difference::first(wanted, &live) {
            Some(path) => difference::culprit(&path, &live, false),
            None => "somebody keeps changing the copy".to_owned(),
        }
    }

    async fn remove_excess(&self) -> Result<Outcome> {
        let tenant = self.body(Level::Tenant).await?;
        let internal = match self.look(Level::Internal).await? {
            Outcome::Found { body, .. } => body,
            outcome => return Ok(outcome),
        };
        let wants = Digest::of(&wanted::exposed(self.service, Level::Tenant, &tenant));
        let excess = wanted::excess(self.service, &internal, &tenant);
        if excess.is_empty() {
            // The two differ in a way that nothing can be done about, such as the order of a list.
            let settled = Box::new(Settled::Exposed { wants });
            return Ok(Outcome::AsWanted { level: Level::Internal, body: internal, settled });
        }
        let version = internal.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
        let mut patch = vec![JsonPatch::Test { path: "/metadata/resourceVersion".to_owned(), value: version }];
        patch.extend(excess.into_iter().map(|path| JsonPatch::Remove { path }));
        let (_, namespace) = self.at(Level::Internal)?;
        let request = ApiRequest::json_patch(self.resource(Level::Internal), Some(namespace), &self.job.name, &patch);
        let body = self.send(Level::Internal, request.field_manager(INTERNAL_MANAGER), Some(wants)).await?;
        Ok(Outcome::Wrote { level: Level::Internal, body, settled: Box::new(Settled::Exposed { wants }) })
    }

    async fn delete(&self, level: Level) -> Result<Outcome> {
        let seen = match level {
            Level::Service => self.job.copy.as_ref().map(|facts| &facts.seen),
            Level::Internal => self.job.internal.as_ref().map(|facts| &facts.seen),
            // Tenant objects are never deleted by sync.
            Level::Tenant => None,
        };
        let Some(seen) = seen else { return self.look(level).await };
        if let (Level::Service, Some(decided)) = (level, &self.job.tenant) {
            // The watch may lag behind: by now the tenant may ask to keep the copy, or it may be that of a later tenant
            // object, which another replica has made. What is deleted does not come back.
            match self.look(Level::Tenant).await? {
                Outcome::Found { body, .. }
                    if TenantFacts::of(self.service, &body).is_some_and(|now| now.asks_the_same(decided)) => {}
                outcome => return Ok(outcome),
            }
        }
        let (_, namespace) = self.at(level)?;
        let (uid, version) = (seen.uid.to_string(), seen.version.to_string());
        let request = ApiRequest::delete(self.resource(level), Some(namespace), &self.job.name, &uid, &version);
        let wants = self.job.tenant.as_ref().map(|facts| facts.wants);
        let body = self.send(level, request, wants).await?;
        // The server answers with the object while something holds it, else with a Status.
        match name_of(&body) {
            Some(_) => Ok(Outcome::Wrote { level, body, settled: Box::new(Settled::Nothing) }),
            None => Ok(Outcome::Deleted { level }),
        }
    }

    async fn orphan(&self) -> Result<Outcome> {
        let live = self.body(Level::Service).await?;
        let anything = Shape::default();
        let shape = self.service.base.as_ref().unwrap_or(&anything);
        // The copy as we last applied it, so that nothing of it changes but the mark.
        let mut fields = applied_by(&live, SERVICE_MANAGER, "", shape).unwrap_or_else(|| json!({}));
        fields["metadata"]["annotations"][ORPHANED] = json!("true");
        let uid = live.pointer("/metadata/uid").and_then(Value::as_str);
        let object = self.object(Level::Service, uid, fields)?;
        let request = self.apply(Level::Service, SERVICE_MANAGER, &object)?;
        let wants = self.job.tenant.as_ref().map(|facts| facts.wants);
        let body = self.send(Level::Service, request, wants).await?;
        Ok(Outcome::Wrote { level: Level::Service, body, settled: Box::new(Settled::Nothing) })
    }

    async fn internal_status(&self) -> Result<Outcome> {
        let service = self.body(Level::Service).await?;
        let status = wanted::internal_status(self.service, service.get("status"));
        let status = wanted::translated(&status, &self.job.internal_generations);
        // A copy that has just been made again has no status, and null is refused.
        let status = if status.is_object() { status } else { json!({}) };
        let facts = StatusFacts::of(Some(&status)).digest();
        let uid = self.job.internal.as_ref().map(|facts| facts.seen.uid.to_string());
        let object = self.object(Level::Internal, uid.as_deref(), json!({ "status": status }))?;
        let request = self.apply(Level::Internal, STATUS_MANAGER, &object)?.subresource("status");
        let body = self.send(Level::Internal, request, self.job.internal.as_ref().map(|facts| facts.owned)).await?;
        Ok(Outcome::Wrote { level: Level::Internal, body, settled: Box::new(Settled::InternalStatus(facts)) })
    }

    async fn tenant_status(&self, verdict: &Verdict, from: StatusFrom) -> Result<Outcome> {
        let Some(tenant) = &self.job.tenant else { return self.look(Level::Tenant).await };
        let status = match from {
            StatusFrom::Service => {
                let service = self.body(Level::Service).await?;
                let status = wanted::tenant_status(self.service, service.get("status"));
                wanted::translated(&status, &self.job.tenant_generations)
            }
            StatusFrom::Nothing => json!({}),
            StatusFrom::Itself => {
                let own = self.body(Level::Tenant).await?;
                wanted::without_synced(own.get("status").cloned())
            }
        };
        let facts = StatusFacts::of(Some(&status)).digest();
        let same = tenant.synced.as_ref().filter(|seen| seen.status == Some(verdict.reason.status()));
        let last_transition =
            same.and_then(|seen| seen.last_transition).map_or_else(clock, |digits| timestamp::text(digits.get()));
        let synced = SyncedCondition {
            status: verdict.reason.status().word(),
            reason: verdict.reason.word(),
            message: verdict.message.to_string(),
            observed_generation: tenant.seen.generation,
            last_transition,
        };
        let status = wanted::with_synced(self.service, status, Some(&synced));
        let object = self.object(Level::Tenant, Some(&tenant.seen.uid.to_string()), json!({ "status": status }))?;
        let request = self.apply(Level::Tenant, STATUS_MANAGER, &object)?.subresource("status");
        let body = self.send(Level::Tenant, request, Some(tenant.wants)).await?;
        Ok(Outcome::Wrote { level: Level::Tenant, body, settled: Box::new(Settled::TenantStatus(facts)) })
    }
}
