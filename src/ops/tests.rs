//! What every operation promises to a caller that is not the command line.

use tokio::sync::watch;

use super::apply::{ApplyOptions, Prepared, execute, prepare};
use super::doctor::{DoctorOptions, examine};
use super::event::Events;
use super::get::{GetOptions, Selected, get};
use super::lock::{self, LockOptions};
use super::plan::{LivePlan, PlanOptions, plan_live};
use super::repository::Repository;
use super::survey::{Scope, survey};
use crate::cluster::connect::{ConnectOptions, Connector};
use crate::compile::Compiled;
use crate::plan::types::Plan;

fn assert_send<T: Send>(_: &T) {}

/// A process that runs many operations moves them between threads. That this compiles is the test.
#[test]
fn operations_are_send() {
    let _ = |repository: &Repository, connect: &ConnectOptions, options: &PlanOptions, events: &Events| {
        assert_send(&plan_live(repository, connect, options, events));
    };
    let _ = |repository: &Repository, connect: &ConnectOptions, options: &LockOptions, events: &Events| {
        assert_send(&lock::prepare(repository, connect, options, events));
    };
    let _ = |connector: &Connector<'_>, scope: Scope<'_>, events: &Events| {
        assert_send(&survey(connector, scope, events));
    };
    let _ = |connector: &Connector<'_>, compiled: &Compiled<'_>, services: &Selected, options: &GetOptions| {
        assert_send(&get(connector, compiled, services, options, &Events::channel().0));
    };
    let _ = |connector: Connector<'_>, compiled: &Compiled<'_>, options: &DoctorOptions, events: &Events| {
        assert_send(&examine(connector, compiled, options, events));
    };
    let _ = |planned: &LivePlan, plan: &Plan| assert_send(&prepare(planned, plan));
    let _ = |prepared: &Prepared<'_>, options: &ApplyOptions, stop: &watch::Receiver<bool>, events: &Events| {
        assert_send(&execute(prepared, options, stop, events));
    };
}
