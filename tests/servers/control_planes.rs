//! The harness starts what it says, and its users are who they say.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::Api;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};

use crate::support::{Case, ControlPlanes, TestResult, USUAL, cases, eventually, shared};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        three_are_ready_soon_and_apart,
        every_server_has_the_version_it_was_built_as,
        a_stranger_is_refused,
        a_certificate_makes_a_user_of_a_group,
        an_impersonated_user_has_that_users_rights,
        a_deleted_namespace_goes,
        what_lost_its_owner_is_collected,
    ]
}

async fn three_are_ready_soon_and_apart() -> TestResult {
    let started = Instant::now();
    let planes = ControlPlanes::start(&USUAL).await?;
    let took = started.elapsed();
    eprintln!("three control planes were ready after {:.1} s", took.as_secs_f64());
    assert!(took < Duration::from_mins(1), "that is far too long, even for a busy machine");

    planes["eu-west-1"].kubectl(&["create", "namespace", "only-here"]).await?;
    for plane in planes.iter() {
        let found = Api::<Namespace>::all(plane.client()).get_opt("only-here").await?;
        assert_eq!(found.is_some(), plane.name() == "eu-west-1", "in {}", plane.name());
    }

    // The certificate of one opens no other.
    let stray = planes["eu-west-1"].admin().by_port(planes["eu-west-2"].port()).await?;
    let refused = Api::<Namespace>::all(stray.client()).list(&ListParams::default()).await;
    assert!(refused.is_err(), "eu-west-2 took the admin of eu-west-1");
    Ok(())
}

async fn every_server_has_the_version_it_was_built_as() -> TestResult {
    let planes = shared().await?;
    for plane in planes.iter() {
        let server = plane.client().apiserver_version().await?;
        assert_eq!(server.major, "1");
        assert!(server.git_version.starts_with(&format!("v1.{}.", server.minor)), "{server:?}");
        let printed = plane.kubectl(&["version"]).await?;
        assert!(printed.contains(&format!("Client Version: {}\n", server.git_version)), "{printed}");
    }
    Ok(())
}

async fn a_stranger_is_refused() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    let stranger = plane.user("mallory", &[]).await?;
    let answer = Api::<Secret>::default_namespaced(stranger.client()).list(&ListParams::default()).await;
    let Err(kube::Error::Api(refusal)) = answer else { panic!("not refused: {answer:?}") };
    assert_eq!(refusal.code, 403);
    assert!(refusal.message.contains(r#"User "mallory" cannot list"#), "{}", refusal.message);

    let refusal = stranger.kubectl(&["get", "secrets"]).await.expect_err("kubectl is refused too");
    assert!(refusal.text.contains("Forbidden"), "{refusal}");
    Ok(())
}

async fn a_certificate_makes_a_user_of_a_group() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    let namespace = plane.namespace("group").await?;
    let grant = ["create", "rolebinding", "viewers", "--clusterrole=view", "--group=team-a", "-n", &namespace];
    plane.kubectl(&grant).await?;

    let member = plane.user("alice", &["team-a"]).await?;
    let read = ["get", "configmaps", "-n", &namespace];
    eventually("a member of team-a reads", async || member.kubectl(&read).await.is_ok()).await;
    let refusal = member.kubectl(&["create", "configmap", "mine", "-n", &namespace]).await;
    let refusal = refusal.expect_err("a viewer writes nothing");
    assert!(refusal.text.contains("forbidden"), "{refusal}");
    Ok(())
}

async fn an_impersonated_user_has_that_users_rights() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    let namespace = plane.namespace("impersonated").await?;
    let grant = ["create", "rolebinding", "editors", "--clusterrole=edit", "--group=team-b", "-n", &namespace];
    plane.kubectl(&grant).await?;

    let member = plane.impersonate("bob", &["system:authenticated", "team-b"]).await?;
    let name = ObjectMeta { name: Some("mine".to_owned()), ..ObjectMeta::default() };
    let object = ConfigMap { metadata: name, ..ConfigMap::default() };
    let own = Api::<ConfigMap>::namespaced(member.client(), &namespace);
    eventually("a member of team-b writes", async || own.create(&PostParams::default(), &object).await.is_ok()).await;
    let elsewhere = Api::<ConfigMap>::default_namespaced(member.client()).list(&ListParams::default()).await;
    assert!(matches!(elsewhere, Err(kube::Error::Api(status)) if status.code == 403));
    // The kubeconfig says the same as the client.
    assert!(member.kubectl(&["auth", "whoami"]).await?.contains("bob"));
    Ok(())
}

async fn a_deleted_namespace_goes() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["eu-west-1"];
    let namespace = plane.namespace("short-lived").await?;
    plane.kubectl(&["create", "configmap", "inside", "-n", &namespace]).await?;
    plane.kubectl(&["delete", "namespace", &namespace, "--timeout=120s"]).await?;
    assert!(Api::<Namespace>::all(plane.client()).get_opt(&namespace).await?.is_none());
    Ok(())
}

async fn what_lost_its_owner_is_collected() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["eu-west-1"];
    let namespace = plane.namespace("owned").await?;
    let api = Api::<ConfigMap>::namespaced(plane.client(), &namespace);
    let metadata = |name: &str| ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let owner = ConfigMap { metadata: metadata("owner"), ..ConfigMap::default() };
    let owner = api.create(&PostParams::default(), &owner).await?;
    let mut dependent = ConfigMap { metadata: metadata("dependent"), ..ConfigMap::default() };
    dependent.metadata.owner_references = kube::Resource::owner_ref(&owner, &()).map(|reference| vec![reference]);
    api.create(&PostParams::default(), &dependent).await?;

    api.delete("owner", &DeleteParams::default()).await?;
    plane.kubectl(&["wait", "--for=delete", "configmap/dependent", "-n", &namespace, "--timeout=120s"]).await?;
    Ok(())
}
