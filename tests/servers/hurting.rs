//! Each way in which the harness hurts servers and networks does what it says, and
//! can be mended.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Client};
use tokio::time::timeout;

use crate::support::{Case, ControlPlane, ControlPlanes, TestResult, cases, eventually};

/// Long enough for an answer from a server that gives one.
const SOON: Duration = Duration::from_secs(2);

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_killed_server_comes_back_with_its_data,
        a_killed_etcd_comes_back_with_its_data,
        a_paused_server_is_silent_until_it_goes_on,
        a_cut_connection_ends_a_watch,
        a_stalled_network_is_silent_until_it_passes,
        a_refusing_network_breaks_every_connection,
        a_watch_from_a_compacted_revision_is_gone,
        a_watch_from_before_a_restart_is_gone,
    ]
}

async fn a_killed_server_comes_back_with_its_data() -> TestResult {
    let planes = ControlPlanes::start(&["eu-west-1"]).await?;
    let plane = &planes["eu-west-1"];
    let namespace = plane.namespace("kept").await?;
    let client = plane.client();
    plane.kill();
    assert!(list(&client).await.is_err(), "a killed server answers");
    plane.restart().await?;
    // The client of before is still good: the address and the certificates are the same.
    assert!(list(&client).await?.contains(&namespace));
    Ok(())
}

async fn a_killed_etcd_comes_back_with_its_data() -> TestResult {
    let planes = ControlPlanes::start(&["eu-west-1"]).await?;
    let namespace = planes["eu-west-1"].namespace("kept").await?;
    planes.etcd().process().kill();
    planes.etcd().restart().await?;
    let found = Api::<Namespace>::all(planes["eu-west-1"].client()).get_opt(&namespace).await?;
    assert!(found.is_some(), "the namespace is lost");
    Ok(())
}

async fn a_paused_server_is_silent_until_it_goes_on() -> TestResult {
    let planes = ControlPlanes::start(&["eu-west-1"]).await?;
    let plane = &planes["eu-west-1"];
    let client = plane.client();
    list(&client).await?;
    plane.pause();
    // The signal takes a moment: what was on its way may still be answered.
    eventually("a paused server is silent", async || timeout(SOON, list(&client)).await.is_err()).await;
    plane.resume();
    // A connection that was silent for so long may be given up by either side.
    eventually("a resumed server answers", async || list(&client).await.is_ok()).await;
    Ok(())
}

async fn a_cut_connection_ends_a_watch() -> TestResult {
    let planes = ControlPlanes::start(&["eu-west-1"]).await?;
    let plane = &planes["eu-west-1"];
    let proxy = plane.proxy().await?;
    let client = plane.admin().by_port(proxy.port()).await?.client();
    let namespaces = Api::<Namespace>::all(client.clone());
    let mut watch = namespaces.watch(&WatchParams::default(), "0").await?.boxed();
    let first = watch.try_next().await?;
    assert!(matches!(first, Some(WatchEvent::Added(_))), "{first:?}");
    assert!(proxy.connections() > 0, "the watch goes past the proxy");

    proxy.cut();
    let end = timeout(SOON, async {
        while watch.try_next().await?.is_some() {}
        Ok::<_, kube::Error>(())
    })
    .await;
    assert!(end.is_ok(), "the watch goes on although its connection is gone");
    // The next connection passes.
    list(&client).await?;
    Ok(())
}

async fn a_stalled_network_is_silent_until_it_passes() -> TestResult {
    let planes = ControlPlanes::start(&["eu-west-1"]).await?;
    let plane = &planes["eu-west-1"];
    let proxy = plane.proxy().await?;
    let client = plane.admin().by_port(proxy.port()).await?.client();
    list(&client).await?;
    proxy.stall();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { list(&client).await }
    });
    assert!(timeout(SOON, list(&client)).await.is_err(), "an answer came through a stalled network");
    list(&plane.client()).await?;
    proxy.pass();
    waiting.await??;
    Ok(())
}

async fn a_refusing_network_breaks_every_connection() -> TestResult {
    let planes = ControlPlanes::start(&["eu-west-1"]).await?;
    let plane = &planes["eu-west-1"];
    let proxy = plane.proxy().await?;
    let client = plane.admin().by_port(proxy.port()).await?.client();
    list(&client).await?;
    proxy.refuse();
    assert!(timeout(SOON, list(&client)).await?.is_err(), "an answer came through a refusing network");
    proxy.pass();
    list(&client).await?;
    Ok(())
}

async fn a_watch_from_a_compacted_revision_is_gone() -> TestResult {
    let planes = ControlPlanes::builder().watch_cache(false).start(&["eu-west-1"]).await?;
    let plane = &planes["eu-west-1"];
    let old = revision_before_a_change(plane).await?;
    assert_eq!(first_code_of_watch(plane, &old).await?, None, "the revision is still remembered");
    planes.etcd().compact().await?;
    assert_eq!(first_code_of_watch(plane, &old).await?, Some(410));
    Ok(())
}

async fn a_watch_from_before_a_restart_is_gone() -> TestResult {
    let planes = ControlPlanes::start(&["eu-west-1"]).await?;
    let plane = &planes["eu-west-1"];
    let old = revision_before_a_change(plane).await?;
    assert_eq!(first_code_of_watch(plane, &old).await?, None, "the revision is still remembered");
    plane.restart().await?;
    assert_eq!(first_code_of_watch(plane, &old).await?, Some(410));
    Ok(())
}

async fn list(client: &Client) -> kube::Result<Vec<String>> {
    let namespaces = Api::<Namespace>::all(client.clone()).list(&ListParams::default()).await?;
    Ok(namespaces.items.into_iter().filter_map(|namespace| namespace.metadata.name).collect())
}

/// A revision of ConfigMaps that is history, because some were made since.
async fn revision_before_a_change(plane: &ControlPlane) -> Result<String, Box<dyn std::error::Error>> {
    let list = Api::<ConfigMap>::all(plane.client()).list(&ListParams::default()).await?;
    for name in ["one", "two"] {
        plane.kubectl(&["create", "configmap", name]).await?;
    }
    Ok(list.metadata.resource_version.ok_or("a list without a revision")?)
}

/// The code of the error that a watch of ConfigMaps from `revision` begins with, if it does.
async fn first_code_of_watch(plane: &ControlPlane, revision: &str) -> kube::Result<Option<u16>> {
    let config_maps = Api::<ConfigMap>::all(plane.client());
    let mut watch = config_maps.watch(&WatchParams::default(), revision).await?.boxed();
    match watch.try_next().await {
        Ok(Some(WatchEvent::Error(status))) => Ok(Some(status.code)),
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) => Ok(Some(status.code)),
        Err(error) => Err(error),
    }
}
