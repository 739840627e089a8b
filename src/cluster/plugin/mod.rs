//! Credential plugins of kubeconfigs (`users[].user.exec`).
//!
//! A plugin runs once for all clusters whose kubeconfigs describe the same user, and again when its
//! credentials expire or a server refuses them; a failure is shared as a success is. It runs off the thread, and
//! as long as somebody waits for it.

mod answer;
mod limits;
mod run;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, WeakShared};
use k8s_openapi::jiff::Timestamp;
use kube::config::ExecConfig;
use serde_json::json;
use tokio::time::Instant;

pub(super) use answer::Credential;
pub(crate) use limits::PluginLimits;

use super::error::ClusterError;

/// The plugins of this process, by what is asked of them. Clusters that are connected to one after the
/// other share a user too, so there is no smaller scope that holds them all.
static PLUGINS: LazyLock<Mutex<HashMap<String, Arc<Plugin>>>> = LazyLock::new(Mutex::default);

/// The plugin of one user.
pub(super) struct Plugin {
    exec: ExecConfig,
    state: Mutex<State>,
}

type Outcome = Result<Arc<Credential>, ClusterError>;
type Running = BoxFuture<'static, Outcome>;

/// What the plugin did last.
enum State {
    /// It was not asked yet.
    New,
    /// A run, which those who wait for it hold: it ends when nobody does.
    Running(WeakShared<Running>),
    /// A run that has ended.
    Ended { at: Instant, outcome: Outcome },
}

impl Plugin {
    /// The plugin that a kubeconfig describes: the same one for the same description.
    pub(super) fn of(exec: &ExecConfig) -> Arc<Self> {
        // What is not described the same is another user: arguments and environment name it, and the
        // cluster where the plugin is told of it.
        let description = json!({ "exec": exec, "cluster": exec.cluster }).to_string();
        let mut plugins = PLUGINS.lock().unwrap_or_else(PoisonError::into_inner);
        let plugin = plugins
            .entry(description)
            .or_insert_with(|| Arc::new(Self { exec: exec.clone(), state: Mutex::new(State::New) }));
        Arc::clone(plugin)
    }

    /// The program, for people.
    pub(super) fn program(&self) -> &str {
        self.exec.command.as_deref().unwrap_or_default()
    }

    /// Credentials that have not expired, and are not those in `used_up`. All who ask get what one run says. If it
    /// fails, that is also what is said until it may run again.
    ///
    /// # Errors
    /// When the plugin is not there, fails, does not end in time, or says something else.
    pub(super) async fn credential(
        self: &Arc<Self>,
        used_up: Option<&Arc<Credential>>,
        limits: &PluginLimits,
    ) -> Outcome {
        let running = {
            let mut state = self.state();
            let under_way = match &*state {
                State::New => None,
                State::Running(run) => run.upgrade(),
                State::Ended { at, outcome: Err(error) } => {
                    if limits.again.is_none_or(|pause| at.elapsed() < pause) {
                        return Err(error.clone());
                    }
                    None
                }
                State::Ended { outcome: Ok(credential), .. } => {
                    let is_new = used_up.is_none_or(|used_up| !Arc::ptr_eq(used_up, credential));
                    if is_new && !credential.is_expiring(Timestamp::now()) {
                        return Ok(Arc::clone(credential));
                    }
                    None
                }
            };
            under_way.unwrap_or_else(|| {
                let run = Arc::clone(self).run(*limits).boxed().shared();
                *state = run.downgrade().map_or(State::New, State::Running);
                run
            })
        };
        running.await
    }

    /// The error of credentials that cannot be used; `wrong` is the rest of a sentence about the plugin's answer.
    pub(super) fn unusable(&self, wrong: &str) -> ClusterError {
        run::unusable_answer(&self.exec, wrong)
    }

    async fn run(self: Arc<Self>, limits: PluginLimits) -> Outcome {
        let outcome = run::run(&self.exec, &limits).await.map(Arc::new);
        *self.state() = State::Ended { at: Instant::now(), outcome: outcome.clone() };
        outcome
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
