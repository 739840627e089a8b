//! The tests that need real API servers, all in one binary, so that they can share
//! running ones. A file here is a subject; it lists its tests in `cases`.
//!
//! The binary has another use, chosen by an environment variable: `leftovers`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails by panicking is a test that fails")]
#![allow(clippy::print_stderr, reason = "what a test measures is for the person who runs it")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../rendered/mod.rs"]
mod repositories;
#[allow(dead_code, unused_imports, reason = "hack/planes starts servers for a person with it, too")]
#[path = "../support/mod.rs"]
mod support;

mod apply;
mod apply_claims;
mod apply_command;
mod apply_counts;
mod approve;
mod busy;
mod consequences;
mod control_planes;
mod deploy;
mod derived_crds;
mod derived_instances;
mod discreet;
mod doctor;
mod documents;
mod effects;
mod errors;
mod get;
mod going;
mod hostile;
mod hurting;
mod kinds;
mod kubeconfigs;
mod leftovers;
mod lock;
mod moved;
mod not_permitted;
mod observe;
mod platform;
mod policies;
mod records;
mod renaming;
mod rendered;
mod sync;
mod sync_lease;
mod sync_link;
mod taking_over;
mod trust;
mod tutorial;
mod two_regions;
mod unlabelled;
mod upgrade;
mod verdicts;
mod watch;

use std::process::ExitCode;

fn main() -> ExitCode {
    if leftovers::scene_wanted() {
        return support::run(leftovers::scene());
    }
    let subjects = [
        apply::cases(),
        apply_claims::cases(),
        apply_command::cases(),
        apply_counts::cases(),
        approve::cases(),
        busy::cases(),
        consequences::cases(),
        control_planes::cases(),
        deploy::cases(),
        derived_crds::cases(),
        derived_instances::cases(),
        discreet::cases(),
        doctor::cases(),
        documents::cases(),
        effects::cases(),
        errors::cases(),
        get::cases(),
        going::cases(),
        hostile::cases(),
        moved::cases(),
        unlabelled::cases(),
        records::cases(),
        hurting::cases(),
        kinds::cases(),
        kubeconfigs::cases(),
        leftovers::cases(),
        not_permitted::cases(),
        observe::cases(),
        lock::cases(),
        renaming::cases(),
        rendered::cases(),
        sync_lease::cases(),
        sync::cases(),
        sync_link::cases(),
        taking_over::cases(),
        trust::cases(),
        tutorial::cases(),
        upgrade::cases(),
        verdicts::cases(),
        watch::cases(),
    ];
    support::run(subjects.into_iter().flatten().collect())
}
