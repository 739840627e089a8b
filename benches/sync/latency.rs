//! How long one change takes while nothing else happens: down from the answer to the tenant to the copy's event, and
//! up from the answer to the operator to the event of the tenant's object.
//!
//! Each round has one of each, beside one bare apply that creates and one that changes, so that load on the machine
//! meets all alike.

use std::time::{Duration, Instant};

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::arrivals::{in_step, phased, sized};
use crate::objects::Objects;
use crate::stage::Stage;
use crate::table::{Spread, Table};

/// A status as an operator writes it.
pub(crate) fn status(phase: &str, generation: i64) -> Value {
    json!({"status": {
        "phase": phase, "readyReplicas": 3, "observedGeneration": generation, "endpoint": "a.example.internal:6379",
        "conditions": [{"type": "Ready", "status": "True", "reason": "Serving", "message": "all servers answer",
                        "lastTransitionTime": "2026-01-02T03:04:05Z", "observedGeneration": generation}],
    }})
}

/// Writes the status of a copy in one request.
pub(crate) async fn report(copies: &Objects, name: &str, status: &Value) {
    let how = PatchParams { field_manager: Some("operator".to_owned()), ..PatchParams::default() };
    copies.api().patch_status(name, &how, &Patch::Merge(status)).await.expect("an operator may write a status");
}

/// Measures so many rounds.
pub(crate) async fn measure(stage: &Stage, rounds: usize, table: &mut Table) {
    let [mut applied, mut changed, mut created, mut edited, mut reported] = std::array::from_fn(|_| Spread::default());
    for round in 0..rounds {
        let name = format!("single-{round}");
        let service = stage.tenant(round);
        let bare = stage.bare.name();
        applied.add(stage.bare.apply(&bare, 3).await);
        service.create(&name).await.expect("a member may create");
        created.add(until(Instant::now(), stage.copies.of(&sized(&name, 3)).await));
        stage.shown.of(&in_step(&name, 1)).await;

        changed.add(stage.bare.apply(&bare, 4).await);
        service.member.merge(&name, &json!({"spec": {"size": 4}})).await.expect("a member may edit");
        edited.add(until(Instant::now(), stage.copies.of(&sized(&name, 4)).await));
        stage.shown.of(&in_step(&name, 2)).await;

        report(&service.copy, &name, &status("Running", 2)).await;
        reported.add(until(Instant::now(), stage.shown.of(&phased(&name, "Running")).await));
    }
    table.part(&format!("One at a time, {rounds} rounds (multiples of the bare apply in brackets)"));
    table.spread("bare server-side apply that creates", &applied, None);
    table.spread("bare server-side apply that changes", &changed, None);
    table.spread("tenant creates -> copy's event", &created, Some(&applied));
    table.spread("tenant edits -> copy's event", &edited, Some(&changed));
    table.spread("service status -> tenant's event", &reported, Some(&changed));
}

/// The event may overtake the answer.
fn until(answer: Instant, event: Instant) -> Duration {
    event.saturating_duration_since(answer)
}
