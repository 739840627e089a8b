//! The deletion policy of a service: what happens to the copy in the service cluster when a tenant deletes an
//! instance. It only says what is allowed; sync decides when.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to the object in the service cluster when the tenant deletes its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// The object in the service cluster is deleted, and the deletion of the instance waits for it.
    Delete,
    /// The object in the service cluster is kept, without its instance.
    Orphan,
    /// The deletion of the instance waits until the policy changes.
    Block,
}

impl DeletionPolicy {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::Delete, Self::Orphan, Self::Block];

    /// The policy with this name, as in an annotation of a tenant object; `None` if there is none. Names are
    /// case-sensitive, as every value of an enumeration in Kubernetes.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }

    /// The name, as in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Orphan => "Orphan",
            Self::Block => "Block",
        }
    }
}

impl fmt::Display for DeletionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The deletion policies of a service.
///
/// [`DeletionPolicyConfig::default`] is the configuration of a service that has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend(
    "anyOf" = [
        { "not": { "required": ["allowed"] } },
        { "properties": { "default": { "const": "Delete" }, "allowed": { "contains": { "const": "Delete" } } } },
        { "properties": { "default": { "const": "Orphan" }, "allowed": { "contains": { "const": "Orphan" } } }, "required": ["default"] },
        { "properties": { "default": { "const": "Block" }, "allowed": { "contains": { "const": "Block" } } }, "required": ["default"] }
    ],
    "x-kubernetes-validations" = [{
        "rule": "!has(self.allowed) || (has(self.default) ? self.default : 'Delete') in self.allowed",
        "message": "the default policy must be allowed; without a default it is Delete"
    }]
))]
pub struct DeletionPolicyConfig {
    /// The policy of an instance whose tenant chooses none. If absent, `Delete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<DeletionPolicy>,
    /// The policies that a tenant can choose. If absent, `Delete`, `Block` and the default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 3), extend("x-kubernetes-list-type" = "set"))]
    pub allowed: Vec<DeletionPolicy>,
}

impl DeletionPolicyConfig {
    /// The policy of an instance whose tenant chooses none, or one that is not allowed.
    #[must_use]
    pub fn default_policy(&self) -> DeletionPolicy {
        self.default.unwrap_or(DeletionPolicy::Delete)
    }

    /// Whether a tenant can choose this policy. The default can always be chosen.
    #[must_use]
    pub fn allows(&self, policy: DeletionPolicy) -> bool {
        let listed = match self.allowed.as_slice() {
            [] => &[DeletionPolicy::Delete, DeletionPolicy::Block],
            listed => listed,
        };
        listed.contains(&policy) || policy == self.default_policy()
    }

    /// Whether every instance has this policy, whatever its tenant asks for.
    #[must_use]
    pub fn allows_only(&self, policy: DeletionPolicy) -> bool {
        DeletionPolicy::ALL.into_iter().all(|other| self.allows(other) == (other == policy))
    }

    /// Whether an instance whose tenant asks for this policy must not be deleted.
    #[must_use]
    pub fn blocks(&self, asked: Option<&str>) -> bool {
        self.in_effect(asked).0 == DeletionPolicy::Block
    }

    /// The policy of an instance whose tenant asks for this one, and whether the tenant asks in vain: for a policy that
    /// does not exist or is not allowed.
    #[must_use]
    pub fn in_effect(&self, asked: Option<&str>) -> (DeletionPolicy, bool) {
        let Some(asked) = asked else { return (self.default_policy(), false) };
        match DeletionPolicy::named(asked).filter(|policy| self.allows(*policy)) {
            Some(policy) => (policy, false),
            None => (self.default_policy(), true),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(value: Value) -> DeletionPolicyConfig {
        serde_json::from_value(value).expect("a configuration")
    }

    fn allowed(config: &DeletionPolicyConfig) -> Vec<DeletionPolicy> {
        DeletionPolicy::ALL.into_iter().filter(|policy| config.allows(*policy)).collect()
    }

    #[test]
    fn without_a_configuration_a_deletion_can_be_blocked_but_not_leave_an_orphan() {
        let none = DeletionPolicyConfig::default();
        assert_eq!(none.default_policy(), DeletionPolicy::Delete);
        assert_eq!(allowed(&none), [DeletionPolicy::Delete, DeletionPolicy::Block]);
        assert_eq!(config(json!({})), none);
    }

    #[test]
    fn only_what_is_listed_is_allowed() {
        let block = config(json!({"default": "Block", "allowed": ["Block"]}));
        assert_eq!(block.default_policy(), DeletionPolicy::Block);
        assert_eq!(allowed(&block), [DeletionPolicy::Block]);
        let orphan = config(json!({"allowed": ["Orphan", "Delete"]}));
        assert_eq!(orphan.default_policy(), DeletionPolicy::Delete);
        assert_eq!(allowed(&orphan), [DeletionPolicy::Delete, DeletionPolicy::Orphan]);
    }

    #[test]
    fn the_default_is_allowed_where_nothing_is_listed() {
        assert_eq!(allowed(&config(json!({"default": "Orphan"}))), DeletionPolicy::ALL);
    }

    #[test]
    fn a_policy_that_is_not_allowed_is_asked_for_in_vain() {
        let config = config(json!({"default": "Orphan", "allowed": ["Orphan", "Delete"]}));
        for (asked, in_effect) in [
            (None, (DeletionPolicy::Orphan, false)),
            (Some("Delete"), (DeletionPolicy::Delete, false)),
            (Some("Block"), (DeletionPolicy::Orphan, true)),
            (Some("delete"), (DeletionPolicy::Orphan, true)),
        ] {
            assert_eq!(config.in_effect(asked), in_effect, "{asked:?}");
        }
    }

    #[test]
    fn names_are_those_of_the_api() {
        for policy in DeletionPolicy::ALL {
            assert_eq!(serde_json::to_value(policy).expect("a value"), json!(policy.name()));
            assert_eq!(DeletionPolicy::named(&policy.to_string()), Some(policy));
        }
        assert_eq!(DeletionPolicy::named("delete"), None);
        assert_eq!(DeletionPolicy::named(""), None);
    }
}
