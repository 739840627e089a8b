//! The inventory of a repository in a cluster: an ApplySet (KEP-3659).
//!
//! An object is a member if it has the label of the inventory *and* carrier owns
//! that label in the managed fields. A copy that somebody made of a member has the
//! label too, but another manager owns it, so that the copy is not deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::compare::is_system_namespace;
use super::live::{LiveObject, PART_OF};
use crate::compile::render::{Manifest, ManifestSet};
use crate::model::cluster::Target;
use crate::model::digest;
use crate::model::keys::{REPOSITORY, RUN, SYNC_ACCOUNT, SYNC_ROLE, SYSTEM_NAMESPACE, TAKEN_INVENTORIES, annotation};
use crate::model::kinds::table::{CATALOG_GROUP, CORE_GROUP};
use crate::model::managed_fields::{Manager, is_annotation_of_carrier};

/// The version of RBAC objects.
const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// The longest value of a label, in bytes (apimachinery's `validation.LabelValueMaxLength`).
const LONGEST_LABEL: usize = 63;

/// Label of the parent: the id of the inventory.
pub const ID: &str = "applyset.kubernetes.io/id";
/// Annotation of the parent: the tool that manages it, `<name>/<version>`.
pub const TOOLING: &str = "applyset.kubernetes.io/tooling";
/// The name of carrier in [`TOOLING`].
pub(crate) const TOOLING_NAME: &str = "carrier";
/// Annotation of the parent: the kinds of the members, `<kind>.<group>`, separated by commas.
pub const GROUP_KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";

/// The inventory of a repository in one cluster. Its parent object is a ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Name of the parent.
    pub name: String,
    /// Namespace of the parent: `kubecarrier-system`.
    pub namespace: String,
    /// The value of the label [`PART_OF`] on members: `applyset-<hash>-v1`.
    pub id: String,
    /// The identity of the repository; `None` if its lock has none.
    pub repository: Option<String>,
    /// The other inventories that this one takes over: their names by their ids.
    pub taken: BTreeMap<String, String>,
    /// The ids of the inventories that an earlier run has taken over, and of which objects were kept.
    pub inherited: BTreeSet<String>,
}

/// The inventory that an object belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// This inventory.
    Ours,
    /// An inventory that this one takes over, with this name.
    Taken(String),
    /// An inventory that an earlier run has taken over, with this id. What the repository no longer has is a member; what it
    /// has was given the label of this inventory then, so that somebody applies the other one again.
    Inherited(String),
    /// Another inventory, with this id.
    Foreign(String),
    /// No inventory.
    Unmarked,
}

/// Whether all repositories that are applied to a cluster share an object. It gets no label of an inventory and is
/// never pruned. These are the namespace `kubecarrier-system` and what every repository needs in its management
/// cluster: the CRDs of the KubeCarrier kinds, and the service account of sync with the permissions that it has
/// whatever is offered.
#[must_use]
pub fn is_shared(body: &Value) -> bool {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let of_a_kind =
        text("/kind") == "CustomResourceDefinition" && [CATALOG_GROUP, CORE_GROUP].contains(&text("/spec/group"));
    is_system_namespace(body) || of_a_kind || is_shared_by_sync(body)
}

/// Whether it is one of the objects of sync that are the same in every repository.
fn is_shared_by_sync(body: &Value) -> bool {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (kind, namespace) = (text("/kind"), text("/metadata/namespace"));
    let expected = match (text("/apiVersion"), kind) {
        ("v1", "ServiceAccount") => (SYSTEM_NAMESPACE, SYNC_ACCOUNT),
        (RBAC, "Role" | "RoleBinding") => (SYSTEM_NAMESPACE, SYNC_ROLE),
        (RBAC, "ClusterRole" | "ClusterRoleBinding") => ("", SYNC_ROLE),
        _ => return false,
    };
    (namespace, text("/metadata/name")) == expected
}

/// The inventory named `inventory` in a cluster. Several management clusters may share a service cluster, and one
/// cluster may be several service clusters of a repository. Therefore the name in a service cluster has a hash of
/// the UID of the management cluster and of the name of the service cluster.
#[must_use]
pub fn of(target: &Target, inventory: &str, management_uid: Option<&str>) -> Inventory {
    let name = match target {
        Target::Management => format!("carrier-{inventory}"),
        Target::Service(id) => {
            let whose = format!("{}/{id}", management_uid.unwrap_or_default());
            format!("carrier-{inventory}-{}", digest::short(whose.as_bytes()))
        }
    };
    let namespace = SYSTEM_NAMESPACE.to_owned();
    Inventory {
        id: id_of(&name),
        name,
        namespace,
        repository: None,
        taken: BTreeMap::new(),
        inherited: BTreeSet::new(),
    }
}

/// The id of the inventory whose parent has this name.
#[must_use]
pub(crate) fn id_of(name: &str) -> String {
    // KEP-3659: `<name>.<namespace>.<kind>.<group>`; the group of a ConfigMap is empty.
    let hash = Sha256::digest(format!("{name}.{SYSTEM_NAMESPACE}.ConfigMap."));
    format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash))
}

/// The set with the labels of the inventories of all its clusters. Done once, so that planning and applying
/// share each body.
#[must_use]
pub fn labelled(mut set: ManifestSet, inventory: &str, management_uid: Option<&str>) -> ManifestSet {
    let label = |target: &Target, manifests: &mut [Manifest]| {
        let inventory = of(target, inventory, management_uid);
        for manifest in manifests {
            manifest.body = inventory.labelled(&manifest.body);
        }
    };
    label(&Target::Management, &mut set.management);
    for (id, manifests) in &mut set.clusters {
        label(&Target::Service(id.clone()), manifests);
    }
    set
}

impl Inventory {
    /// The same inventory, as that of the repository with this identity.
    #[must_use]
    pub fn held_by(self, repository: Option<&str>) -> Self {
        Self { repository: repository.map(str::to_owned), ..self }
    }

    /// The same inventory, which takes over others: the names of their parents, or their ids where the parent is gone.
    #[must_use]
    pub(crate) fn taking_over<'a>(self, names: impl Iterator<Item = &'a str>) -> Self {
        let taken = names.map(|name| (if is_id(name) { name.to_owned() } else { id_of(name) }, name.to_owned()));
        let taken = taken.filter(|(id, _)| *id != self.id).collect();
        Self { taken, ..self }
    }

    /// Takes note of the inventories that earlier runs have taken over, as the parent records them.
    pub(crate) fn inherit(&mut self, parent: Option<&Value>) {
        self.inherited = parent.map(taken_ids).unwrap_or_default();
    }

    /// Whether an object with this value of the label [`PART_OF`] may be a member, of this inventory or of one that it
    /// takes over.
    #[must_use]
    pub(crate) fn includes(&self, id: &str) -> bool {
        id == self.id || self.taken.contains_key(id) || self.inherited.contains(id)
    }

    /// Whether a live object is a member, of this inventory or of one that it takes over.
    #[must_use]
    pub(crate) fn is_member(&self, live: &LiveObject) -> bool {
        matches!(self.ownership(live), Ownership::Ours | Ownership::Taken(_) | Ownership::Inherited(_))
    }

    /// A rendered object with the label of this inventory. The body is shared where it has the label already,
    /// or must not have it.
    #[must_use]
    pub fn labelled(&self, body: &Arc<Value>) -> Arc<Value> {
        let label = body.pointer("/metadata/labels").and_then(|labels| labels.get(PART_OF)).and_then(Value::as_str);
        match label == Some(&self.id) || is_shared(body) {
            true => Arc::clone(body),
            false => Arc::new(self.label(body)),
        }
    }

    /// A rendered object with the label of this inventory; shared objects are unchanged.
    #[must_use]
    pub fn label(&self, body: &Value) -> Value {
        let mut body = body.clone();
        if !is_shared(&body)
            && let Some(Value::Object(metadata)) = body.get_mut("metadata")
        {
            let labels = metadata.entry("labels").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(labels) = labels {
                labels.insert(PART_OF.to_owned(), json!(self.id));
            }
        }
        body
    }

    /// The parent of the inventory, if its members are of these groups and kinds, some of them still have the labels of the
    /// inventories `inherited`, and `run` has claimed it last.
    #[must_use]
    pub fn parent(
        &self,
        group_kinds: &BTreeSet<(String, String)>,
        inherited: &BTreeSet<String>,
        run: Option<&str>,
    ) -> Value {
        let mut annotations = Map::new();
        annotations.insert(TOOLING.to_owned(), json!(format!("{TOOLING_NAME}/v{}", env!("CARGO_PKG_VERSION"))));
        annotations.insert(GROUP_KINDS.to_owned(), json!(kinds_text(group_kinds)));
        let inherited = inherited.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let inherited = Some(inherited.as_str()).filter(|ids| !ids.is_empty());
        for (key, value) in [(REPOSITORY, self.repository.as_deref()), (TAKEN_INVENTORIES, inherited), (RUN, run)] {
            if let Some(value) = value {
                annotations.insert(key.to_owned(), json!(value));
            }
        }
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": { ID: self.id },
                "annotations": annotations,
            },
        })
    }

    /// Whether a live object belongs to an inventory that this one takes over, and that no earlier run has recorded as taken
    /// over: what that inventory has is seen for the first time.
    #[must_use]
    pub(crate) fn is_first_seen(&self, live: &LiveObject) -> bool {
        let is_recorded = live.part_of().is_some_and(|id| self.inherited.contains(id));
        matches!(self.ownership(live), Ownership::Taken(_)) && !is_recorded
    }

    /// Whether a live object belongs to another inventory, so that it is left alone.
    #[must_use]
    pub(crate) fn is_foreign(&self, live: &LiveObject) -> bool {
        matches!(self.ownership(live), Ownership::Foreign(_) | Ownership::Inherited(_))
    }

    /// The inventory that a live object belongs to.
    #[must_use]
    pub fn ownership(&self, live: &LiveObject) -> Ownership {
        let Some(id) = live.part_of() else { return Ownership::Unmarked };
        if !self.includes(id) {
            return Ownership::Foreign(id.to_owned());
        }
        if !live.managers().filter(Manager::is_carrier).any(|manager| manager.owns("labels", PART_OF)) {
            return Ownership::Unmarked;
        }
        match self.taken.get(id) {
            Some(name) => Ownership::Taken(name.clone()),
            None if id == self.id => Ownership::Ours,
            None => Ownership::Inherited(id.to_owned()),
        }
    }
}

/// The value of [`GROUP_KINDS`] for these groups and kinds.
#[must_use]
pub(crate) fn kinds_text(group_kinds: &BTreeSet<(String, String)>) -> String {
    let name = |(group, kind): &(String, String)| match group.as_str() {
        "" => kind.clone(),
        group => format!("{kind}.{group}"),
    };
    let mut kinds: Vec<String> = group_kinds.iter().map(name).collect();
    kinds.sort();
    kinds.join(",")
}

/// The ids of the inventories that a parent says were taken over. What another manager than carrier has written there does not
/// count: `--prune` would delete the objects of an inventory that somebody else applies.
#[must_use]
pub(crate) fn taken_ids(parent: &Value) -> BTreeSet<String> {
    match is_annotation_of_carrier(parent, TAKEN_INVENTORIES) {
        true => readable_ids(parent),
        false => BTreeSet::new(),
    }
}

/// The ids in that list that do not count, because carrier has not written them.
#[must_use]
pub(crate) fn uncounted_ids(parent: &Value) -> BTreeSet<String> {
    match is_annotation_of_carrier(parent, TAKEN_INVENTORIES) {
        true => BTreeSet::new(),
        false => readable_ids(parent),
    }
}

/// What is in that list and is no id.
#[must_use]
pub(crate) fn unreadable_entries(parent: &Value) -> BTreeSet<String> {
    entries_of_taken(parent).filter(|entry| !is_id(entry)).map(str::to_owned).collect()
}

/// Whether that list is not one that carrier has written.
#[must_use]
pub(crate) fn is_taken_list_damaged(parent: &Value) -> bool {
    let ids: Vec<String> = taken_ids(parent).into_iter().collect();
    annotation(parent, TAKEN_INVENTORIES).is_some_and(|text| text != ids.join(","))
}

fn readable_ids(parent: &Value) -> BTreeSet<String> {
    entries_of_taken(parent).filter(|entry| is_id(entry)).map(str::to_owned).collect()
}

fn entries_of_taken(parent: &Value) -> impl Iterator<Item = &str> {
    let entries = annotation(parent, TAKEN_INVENTORIES).unwrap_or_default().split(',');
    entries.map(str::trim).filter(|entry| !entry.is_empty())
}

/// Whether a text is the id of an inventory, and not the name of its parent: a value of [`PART_OF`] that begins with
/// `applyset-`. What follows is not looked at, since the objects of an inventory with any id can be taken over.
fn is_id(text: &str) -> bool {
    let rest = text.strip_prefix("applyset-").filter(|_| text.len() <= LONGEST_LABEL);
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cluster::ClusterId;

    #[test]
    fn the_id_is_the_one_that_kubectl_computes() {
        // printf 'carrier-carrier.kubecarrier-system.ConfigMap.' | sha256sum | xxd -r -p | base64 | tr '+/' '-_' | tr -d =
        let inventory = of(&Target::Management, "carrier", None);
        assert_eq!((inventory.name.as_str(), inventory.namespace.as_str()), ("carrier-carrier", "kubecarrier-system"));
        assert_eq!(inventory.id, "applyset-rXKv2qDiGZHvwjvnIXNv2Ie2mcb0DFGAx-AoXYukaJY-v1");
        let id = |uid| of(&Target::Service(ClusterId::new("p", "c")), "carrier", uid);
        assert_eq!(id(Some("u")), id(Some("u")));
        assert_ne!(id(Some("u")).id, id(Some("v")).id, "two management clusters may share a service cluster");
        assert_ne!(id(Some("u")).name, of(&Target::Service(ClusterId::new("p", "d")), "carrier", Some("u")).name);
        assert_eq!(id(None).name.len(), "carrier-carrier-".len() + 10);
    }

    #[test]
    fn a_member_has_a_label_that_carrier_owns() {
        let inventory = of(&Target::Management, "carrier", None);
        let labelled = inventory.label(&json!({"kind": "Role", "metadata": {"name": "a", "labels": {"x": "y"}}}));
        assert_eq!(labelled["metadata"]["labels"], json!({"x": "y", PART_OF: inventory.id}));
        let owned_by = |manager: &str, operation: &str| {
            let mut body = labelled.clone();
            let label = format!("f:{PART_OF}");
            body["metadata"]["managedFields"] = json!([
                {"manager": manager, "operation": operation, "fieldsV1": {"f:metadata": {"f:labels": {label: {}}}}},
            ]);
            inventory.ownership(&LiveObject { body })
        };
        assert_eq!(owned_by("carrier", "Apply"), Ownership::Ours);
        assert_eq!(owned_by("kubectl-create", "Update"), Ownership::Unmarked, "a copy is not a member");
        assert_eq!(owned_by("carrier", "Update"), Ownership::Unmarked);
        let other = of(&Target::Management, "other", None);
        let body = other.label(&json!({"kind": "Role", "metadata": {"name": "a"}}));
        assert_eq!(inventory.ownership(&LiveObject { body }), Ownership::Foreign(other.id));
        let body = json!({"kind": "Role", "metadata": {"name": "a"}});
        assert_eq!(inventory.ownership(&LiveObject { body }), Ownership::Unmarked);
    }

    #[test]
    fn an_id_is_told_from_a_name_in_one_way() {
        let inventory = of(&Target::Management, "carrier", None);
        let ours = inventory.id.clone();
        for id in ["applyset-foo", "applyset-x.y_z-v1", &id_of("carrier-other")] {
            assert!(inventory.clone().taking_over([id].into_iter()).includes(id), "{id}");
            let mut record = json!({"metadata": {"annotations": {TAKEN_INVENTORIES: id}}});
            assert_eq!((taken_ids(&record).len(), uncounted_ids(&record).len()), (0, 1), "{id}");
            let fields = json!({"f:metadata": {"f:annotations": {format!("f:{TAKEN_INVENTORIES}"): {}}}});
            record["metadata"]["managedFields"] =
                json!([{"manager": "carrier", "operation": "Apply", "fieldsV1": fields}]);
            assert_eq!((taken_ids(&record), is_taken_list_damaged(&record)), ([id.to_owned()].into(), false), "{id}");
        }
        for name in ["carrier-other", "applyset-", "applyset-{x", &"applyset-x".repeat(7)] {
            let taking = inventory.clone().taking_over([name].into_iter());
            assert!(taking.includes(&id_of(name)) && !taking.includes(name), "{name}");
        }
        assert_eq!(inventory.clone().taking_over([ours.as_str()].into_iter()).taken.len(), 0);
    }

    #[test]
    fn the_shared_namespace_gets_no_label() {
        let inventory = of(&Target::Management, "carrier", None);
        let shared = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM_NAMESPACE}});
        assert_eq!(inventory.label(&shared), shared);
    }

    #[test]
    fn the_parent_names_the_kinds_of_its_members() {
        let kinds = [("", "Namespace"), ("rbac.authorization.k8s.io", "Role")];
        let kinds = kinds.into_iter().map(|(g, k)| (g.to_owned(), k.to_owned())).collect();
        let parent = of(&Target::Management, "carrier", None).parent(&kinds, &BTreeSet::new(), None);
        let at = |pointer: &str| parent.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        assert_eq!(
            at("/metadata/annotations/applyset.kubernetes.io~1contains-group-kinds"),
            "Namespace,Role.rbac.authorization.k8s.io"
        );
        assert_eq!(
            at("/metadata/annotations/applyset.kubernetes.io~1tooling"),
            concat!("carrier/v", env!("CARGO_PKG_VERSION"))
        );
        assert!(at("/metadata/labels/applyset.kubernetes.io~1id").starts_with("applyset-"));
    }
}
