//! A permission: one verb on one resource. And the commands that need permissions.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// What a user runs, as far as permissions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// `carrier lock`.
    Lock,
    /// `carrier plan`.
    Plan,
    /// The part of `carrier plan` that validates instances against new schemas; `--no-trial` skips it.
    Trial,
    /// `carrier apply`.
    Apply,
    /// `carrier apply --prune`.
    Prune,
    /// `carrier get`.
    Get,
}

impl Task {
    /// Every task, in the order of `carrier doctor --for`.
    pub const ALL: [Self; 6] = [Self::Lock, Self::Plan, Self::Trial, Self::Apply, Self::Prune, Self::Get];

    /// The name on the command line: `carrier doctor --for lock`.
    /// As it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Plan => "plan",
            Self::Trial => "trial",
            Self::Apply => "apply",
            Self::Prune => "prune",
            Self::Get => "get",
        }
    }
}

/// A verb on a resource, as a rule of a Role gives it and a SelfSubjectAccessReview asks for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Permission {
    /// The API group; empty for the core group.
    pub group: String,
    /// The plural, followed by `/status` or the like for a subresource; `*` for all resources of the group.
    pub resource: String,
    /// The namespace; `None` (`null`) for all namespaces, and for cluster-scoped resources.
    pub namespace: Option<String>,
    /// The name of a single object; `None` (`null`) for all objects.
    pub name: Option<String>,
    /// The verb, such as `get`.
    pub verb: String,
}

impl Permission {
    /// The verb on all objects of a resource, in all namespaces.
    #[must_use]
    pub fn all(verb: &str, group: &str, resource: &str) -> Self {
        let (verb, group, resource) = (verb.to_owned(), group.to_owned(), resource.to_owned());
        Self { group, resource, namespace: None, name: None, verb }
    }

    /// Restricts it to one namespace.
    #[must_use]
    pub fn within(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Restricts it to one object.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether an account with `self` also has `other`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let wider = |mine: &Option<String>, its: &Option<String>| mine.is_none() || mine == its;
        self.verb == other.verb
            && self.group == other.group
            && self.resource == other.resource
            && wider(&self.namespace, &other.namespace)
            && wider(&self.name, &other.name)
    }

    /// The resource and its group, as `kubectl auth can-i` takes it: `roles.rbac.authorization.k8s.io`.
    #[must_use]
    pub fn full_resource(&self) -> String {
        let (plural, sub) = self.resource.split_once('/').map_or((&*self.resource, None), |(p, s)| (p, Some(s)));
        let dot = if self.group.is_empty() { "" } else { "." };
        match sub {
            Some(sub) => format!("{plural}{dot}{}/{sub}", self.group),
            None => format!("{plural}{dot}{}", self.group),
        }
    }
}

/// ``get secrets `eu` in the namespace team-a``.
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.full_resource())?;
        if let Some(name) = &self.name {
            write!(f, " `{name}`")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in the namespace {namespace}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_permission_covers_a_narrower_one() {
        let all = Permission::all("get", "", "secrets");
        let one = all.clone().within("a").named("b");
        assert!(all.covers(&one) && all.clone().within("a").covers(&one) && !one.covers(&all));
        assert!(!all.clone().within("b").covers(&one) && !Permission::all("list", "", "secrets").covers(&one));
    }

    #[test]
    fn a_permission_reads_as_a_sentence() {
        let permission = Permission::all("get", "", "secrets").within("team-a").named("eu");
        assert_eq!(permission.to_string(), "get secrets `eu` in the namespace team-a");
        let permission = Permission::all("get", "example.com", "redis/status");
        assert_eq!(permission.to_string(), "get redis.example.com/status");
    }
}
