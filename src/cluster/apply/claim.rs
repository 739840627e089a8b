//! The claim of a run on an inventory: its name in the parent, written before anything else and looked at again before
//! each group of writes that follows.
//!
//! Two runs that overlap would undo each other's work: the one with the older commit would delete what the newer one has
//! just confirmed. There is no lock, which a killed run would leave behind: the later claim counts, and the run that has
//! lost its claim ends.

use serde_json::Value;

use super::Run;
use super::object::{RACES, is_race};
use super::parent::parent_of;
use crate::cluster::error::ClusterError;
use crate::plan::parent::Seen;

/// Why nothing more is written.
pub(super) const SUPERSEDED: &str = "another run of `carrier apply` has taken over the inventory";
/// Why nothing more is deleted.
const UNKNOWN: &str = "carrier could not check whether another run of `carrier apply` has taken over the inventory";

/// What came of a claim.
enum Claim {
    /// The parent has it.
    Made,
    /// Another run has claimed the inventory since the plan was made.
    Overtaken,
}

impl Run<'_> {
    /// Claims the inventory; whether anything else may be written.
    pub(super) async fn begin(&self) -> bool {
        let Some(parent) = self.work.parent.before.as_ref().filter(|_| !self.how.dry_run) else { return true };
        if self.stopped() {
            self.skip_all(|step| !step.is_deletion(), super::INTERRUPTED);
            return false;
        }
        match self.claim(parent).await {
            Ok(Claim::Made) => {
                let mut state = self.state();
                state.claimed = true;
                if self.work.parent.after.is_none() {
                    state.outcome.records.push(self.name());
                }
                true
            }
            Ok(Claim::Overtaken) => {
                self.supersede();
                false
            }
            Err(error) => {
                self.parent_failed(&error);
                self.skip_all(|step| !step.is_deletion(), "the inventory could not be written");
                false
            }
        }
    }

    async fn claim(&self, parent: &Value) -> Result<Claim, ClusterError> {
        let mut seen = self.work.parent.seen.clone();
        let mut races = RACES;
        loop {
            let error = match self
                .apply_parent(parent, seen.as_ref().map(|seen| (&*seen.uid, &*seen.resource_version)))
                .await
            {
                Ok(_) => return Ok(Claim::Made),
                Err(error) if is_race(&error) => error,
                Err(error) => return Err(error),
            };
            let Some(now) = self.parent_now().await? else { return Ok(Claim::Overtaken) };
            let run = now.run.as_deref();
            match &self.work.parent.seen {
                // The answer to the try before was lost.
                _ if run == Some(&self.work.run) => return Ok(Claim::Made),
                // The run before has ended since, or somebody has annotated the parent.
                Some(then) if then.uid == now.uid && then.run.as_deref() == run => {}
                _ => return Ok(Claim::Overtaken),
            }
            if races == 0 {
                return Err(error);
            }
            races -= 1;
            seen = Some(now);
        }
    }

    /// Why nothing more is written: another run has taken over the inventory since, or nobody knows.
    pub(super) async fn lost_claim(&self) -> Option<&'static str> {
        // A dry run claims nothing.
        if !self.state().claimed {
            return None;
        }
        match self.parent_now().await {
            Ok(Some(now)) if now.run.as_deref() == Some(&self.work.run) => None,
            Ok(_) => {
                self.supersede();
                Some(SUPERSEDED)
            }
            Err(error) => {
                self.parent_failed(&error);
                Some(UNKNOWN)
            }
        }
    }

    /// Writes the parent as it remains, unless another run has taken it over.
    pub(super) async fn finish(&self, parent: &Value) {
        let uid = |seen: Seen| seen.uid;
        for _ in 0..=RACES {
            let now = match self.parent_now().await {
                Ok(Some(now)) if now.run.as_deref() == Some(&self.work.run) => now,
                Ok(_) => return self.supersede(),
                Err(error) => return self.parent_failed(&error),
            };
            let version = now.resource_version.clone();
            match self.apply_parent(parent, Some((&uid(now), &version))).await {
                Ok(_) => return self.state().outcome.records.push(self.name()),
                Err(error) if is_race(&error) => {}
                Err(error) => return self.parent_failed(&error),
            }
        }
    }

    async fn parent_now(&self) -> Result<Option<Seen>, ClusterError> {
        let parent = parent_of(self.work.cluster, &self.work.inventory).await?;
        Ok(parent.as_ref().map(Seen::of))
    }

    fn supersede(&self) {
        let (inventory, cluster) = (&self.work.inventory.name, self.name());
        let text = format!(
            "another run of `carrier apply` has claimed the inventory {inventory} in {cluster} since this plan was made"
        );
        let superseded = &mut self.state().outcome.superseded;
        if !superseded.contains(&text) {
            superseded.push(text);
        }
    }

    pub(super) fn is_superseded(&self) -> bool {
        !self.state().outcome.superseded.is_empty()
    }
}
