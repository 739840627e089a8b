//! What the account lacks that dry runs need.
//!
//! RBAC and admission both answer 403, in sentences that are meant for people. So the server is asked what the account may
//! do, and only where a dry run was forbidden: a plan of an account that may do everything costs no request more.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::sync::OnceCell;

use super::access::lacking;
use super::client::Cluster;
use super::error::ClusterError;
use crate::model::object::ObjectKey;
use crate::model::resource::Resource;
use crate::plan::permissions::Permission;

const RBAC: &str = "rbac.authorization.k8s.io";

/// A kind, and the namespace that its objects are in.
type Place = (&'static Resource, Option<String>);

/// What the account may not write, each found out at most once.
pub(super) struct Rights<'a> {
    cluster: &'a Cluster,
    /// What is lacking of `create` and `patch`.
    places: BTreeMap<Place, OnceCell<Vec<Permission>>>,
}

impl<'a> Rights<'a> {
    /// Nothing is asked yet. `places` are those of all objects that are to be tried.
    pub(super) fn new(cluster: &'a Cluster, places: impl Iterator<Item = Place>) -> Self {
        Self { cluster, places: places.map(|place| (place, OnceCell::new())).collect() }
    }

    /// What is known to be lacking for an object, without asking.
    pub(super) fn known(&self, resource: &'static Resource, key: &ObjectKey, is_new: bool) -> Vec<Permission> {
        let place = self.places.get(&(resource, key.namespace.clone()));
        place.and_then(OnceCell::get).map_or_else(Vec::new, |lacking| needed(lacking, is_new))
    }

    /// What is lacking for an object of which a dry run was forbidden; nothing if that had another reason, or nobody can be
    /// asked.
    ///
    /// # Errors
    /// When the cluster no longer answers.
    pub(super) async fn lacking(
        &self,
        resource: &'static Resource,
        key: &ObjectKey,
        body: &Value,
        is_new: bool,
    ) -> Result<Vec<Permission>, ClusterError> {
        let Some(place) = self.places.get(&(resource, key.namespace.clone())) else { return Ok(Vec::new()) };
        let within = |permission: Permission| Permission { namespace: key.namespace.clone(), ..permission };
        let to_write = async || {
            let verbs = ["create", "patch"];
            let wanted = verbs.map(|verb| within(Permission::all(verb, &resource.group, &resource.plural)));
            answered(lacking(self.cluster, wanted.to_vec()).await)
        };
        let lacks = needed(place.get_or_try_init(to_write).await?, is_new);
        if !lacks.is_empty() {
            return Ok(lacks);
        }
        // Who gives rights that he does not hold needs one more.
        match to_give(resource, key, body) {
            Some(permission) => answered(lacking(self.cluster, vec![within(permission)]).await),
            None => Ok(Vec::new()),
        }
    }
}

/// What of it an object needs: one that exists is not created.
fn needed(lacking: &[Permission], is_new: bool) -> Vec<Permission> {
    lacking.iter().filter(|permission| is_new || permission.verb == "patch").cloned().collect()
}

/// Without an answer nothing is known to be lacking.
fn answered(lacking: Result<Vec<Permission>, ClusterError>) -> Result<Vec<Permission>, ClusterError> {
    match lacking {
        Err(error) if error.is_of_connection() => Err(error),
        lacking => Ok(lacking.unwrap_or_default()),
    }
}

/// What a role, or the binding of one, needs of those who lack what it gives. It is asked for by name, as the server does.
fn to_give(resource: &Resource, key: &ObjectKey, body: &Value) -> Option<Permission> {
    if resource.group != RBAC {
        return None;
    }
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    match resource.kind.as_str() {
        "Role" | "ClusterRole" => Some(Permission::all("escalate", RBAC, &resource.plural).named(&key.name)),
        _ => {
            let plural = if text("/roleRef/kind")? == "Role" { "roles" } else { "clusterroles" };
            Some(Permission::all("bind", RBAC, plural).named(text("/roleRef/name")?))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::object::ManifestId;

    fn given(kind: &str, body: &Value) -> Option<String> {
        let api_version = if kind.contains("Role") { format!("{RBAC}/v1") } else { "v1".to_owned() };
        let id = ManifestId { api_version, kind: kind.into(), namespace: None, name: "a".into() };
        let resource = Resource::of(&id).expect("it is rendered");
        to_give(resource, &ObjectKey::from(&id), body).map(|permission| permission.to_string())
    }

    #[test]
    fn who_gives_rights_needs_one_for_the_role() {
        let reference = |kind: &str| json!({ "roleRef": { "kind": kind, "name": "r" } });
        assert_eq!(
            given("ClusterRole", &json!({})).as_deref(),
            Some("escalate clusterroles.rbac.authorization.k8s.io `a`")
        );
        assert_eq!(
            given("RoleBinding", &reference("Role")).as_deref(),
            Some("bind roles.rbac.authorization.k8s.io `r`")
        );
        let of_cluster = given("RoleBinding", &reference("ClusterRole"));
        assert_eq!(of_cluster.as_deref(), Some("bind clusterroles.rbac.authorization.k8s.io `r`"));
        assert_eq!(given("Namespace", &json!({})), None);
    }

    #[test]
    fn an_object_that_exists_is_not_created() {
        let lacking = ["create", "patch"].map(|verb| Permission::all(verb, "", "namespaces"));
        assert_eq!(needed(&lacking, true), lacking);
        assert_eq!(needed(&lacking, false), lacking[1..]);
        assert_eq!(needed(&lacking[..1], false), []);
    }
}
