//! What has to be true of all that talks to clusters: its futures can move between threads, so that they can
//! run on a runtime of several.

use std::collections::BTreeSet;

use super::client::{Cluster, Pages};
use super::request::{ApiRequest, Selection};
use super::watch::Watcher;
use super::{access, apply, connect, discover, identity, instances, kubeconfig, observe, trial, wait};
use crate::compile::resolve::{BaseName, Resolved};
use crate::model::cluster::ClusterId;
use crate::plan::inventory::Inventory;

fn is_send<T: Send>(_: &T) {}

#[test]
fn futures_can_move_between_threads() {
    // That it compiles is the test.
    let _ = they_can;
}

#[expect(clippy::too_many_arguments, reason = "one for each thing that a future needs")]
fn they_can<'a>(
    cluster: &'a Cluster,
    request: &'a ApiRequest,
    selection: &'a Selection,
    pages: &'a mut Pages,
    watcher: &'a mut Watcher,
    wait: wait::Wait,
    connector: connect::Connector<'a>,
    (works, how, stop): (&'a [apply::ClusterWork<'a>], &'a apply::How, &'a apply::Stop),
    events: &'a apply::Listener<'a>,
    (inventory, options): (&'a Inventory, &'a observe::Options<'a>),
    (id, resolved, wanted): (&'a ClusterId, &'a Resolved<'a>, &'a BTreeSet<&'a BaseName>),
) {
    is_send(&cluster.call(request));
    is_send(&cluster.list_all(selection));
    is_send(&cluster.first(selection));
    is_send(&pages.next(cluster));
    is_send(&watcher.next());
    is_send(&wait::established(cluster, wait));
    is_send(&identity::identify(cluster));
    is_send(&access::who_am_i(cluster));
    is_send(&access::allowed(cluster, &[]));
    is_send(&discover::known(cluster, None));
    is_send(&instances::census(cluster, Vec::new()));
    is_send(&observe::observe(cluster, &[], inventory, options));
    is_send(&trial::try_schema(cluster, &serde_json::Value::Null, &serde_json::Value::Null));
    is_send(&apply::apply(works, how, stop, events));
    is_send(&apply::parent_of(cluster, inventory));
    is_send(&connector.management());
    is_send(&kubeconfig::from_text("", ""));
    is_send(&connector.service(id, resolved, Ok(cluster)));
    is_send(&discover::discover(cluster, wanted, None));
    is_send(cluster);
    is_send(watcher);
}
