//! Who we are in a cluster, and what we may do there: asked of the cluster itself.

use futures::future::try_join_all;
use serde_json::{Value, json};

use super::client::Cluster;
use super::error::{ClusterError, ErrorKind};
use super::request::ApiRequest;
use crate::model::plain;
use crate::model::resource::Resource;
use crate::plan::permissions::Permission;

/// The longest name of a user that is believed, in bytes.
const MAX_NAME: usize = 1_024;

/// The name by which the cluster knows us. It ends in RBAC that people apply, where it cannot be escaped for a reader; so
/// one that could not be printed as it is, is none.
///
/// # Errors
/// When it cannot be asked, or says no name.
pub(crate) async fn who_am_i(cluster: &Cluster) -> Result<String, ClusterError> {
    let kind = "SelfSubjectReview";
    let resource = Resource::new("authentication.k8s.io", "v1", kind, "selfsubjectreviews", false);
    let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": kind });
    let answer = cluster.call(&ApiRequest::create(&resource, None, &body)).await?;
    let name = answer.pointer("/status/userInfo/username").and_then(Value::as_str);
    let is_name = |name: &&str| (1..=MAX_NAME).contains(&name.len()) && plain::line(name) == **name;
    let name = name.filter(is_name).map(str::to_owned);
    name.ok_or_else(|| ClusterError::new(ErrorKind::BadAnswer, "it does not say who we are, or no name of a user"))
}

/// Whether we may do each of these, in their order.
///
/// # Errors
/// When one of them cannot be asked.
pub(crate) async fn allowed<'a>(
    cluster: &Cluster,
    accesses: impl IntoIterator<Item = &'a Permission>,
) -> Result<Vec<bool>, ClusterError> {
    let reviews: Vec<ApiRequest> = accesses.into_iter().map(review).collect();
    let answers = try_join_all(reviews.iter().map(|review| cluster.call(review))).await?;
    let yes = |answer: &Value| answer.pointer("/status/allowed").and_then(Value::as_bool).unwrap_or(false);
    Ok(answers.iter().map(yes).collect())
}

/// Which of these we lack, in their order.
///
/// # Errors
/// When one of them cannot be asked.
pub(crate) async fn lacking(cluster: &Cluster, permissions: Vec<Permission>) -> Result<Vec<Permission>, ClusterError> {
    let answers = allowed(cluster, &permissions).await?;
    Ok(permissions.into_iter().zip(answers).filter(|(_, yes)| !yes).map(|(permission, _)| permission).collect())
}

fn review(access: &Permission) -> ApiRequest {
    let kind = "SelfSubjectAccessReview";
    let resource = Resource::new("authorization.k8s.io", "v1", kind, "selfsubjectaccessreviews", false);
    let (plural, sub) = access.resource.split_once('/').unwrap_or((&access.resource, ""));
    let attributes = json!({
        "group": access.group,
        "resource": plural,
        "subresource": sub,
        "namespace": access.namespace.as_deref().unwrap_or_default(),
        "name": access.name.as_deref().unwrap_or_default(),
        "verb": access.verb,
    });
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": { "resourceAttributes": attributes },
    });
    ApiRequest::create(&resource, None, &body)
}
