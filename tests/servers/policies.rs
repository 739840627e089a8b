//! Policies of a cluster: the usual reason for which an API server refuses what is sound.
//!
//! A policy is in force a moment after it is made: who puts one in force waits until it refuses something.

use serde_json::{Value, json};

use crate::support::{ControlPlane, TestResult};

const GROUP: &str = "admissionregistration.k8s.io/v1";

/// A policy that allows creations and updates of some objects only if they satisfy an expression.
pub(crate) struct Policy<'a> {
    pub(crate) name: &'a str,
    /// The group of the objects, and their resource.
    pub(crate) objects: (&'a str, &'a str),
    /// An entry of `validations`.
    pub(crate) validation: Value,
}

impl Policy<'_> {
    /// Puts it in force; it replaces one of the same name.
    pub(crate) async fn enforce(&self, plane: &ControlPlane) -> TestResult {
        let (group, resource) = self.objects;
        let policy = json!({
            "apiVersion": GROUP, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": self.name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": [group], "apiVersions": ["*"], "resources": [resource], "operations": ["CREATE", "UPDATE"],
                }]},
                "validations": [self.validation],
            },
        });
        let binding = json!({
            "apiVersion": GROUP, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": self.name},
            "spec": {"policyName": self.name, "validationActions": ["Deny"]},
        });
        for object in [policy, binding] {
            plane.kubectl_with(&["apply", "--server-side", "-f", "-"], &object.to_string()).await?;
        }
        Ok(())
    }

    /// Deletes it.
    pub(crate) async fn lift(&self, plane: &ControlPlane) -> TestResult {
        for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
            plane.kubectl(&["delete", kind, self.name]).await?;
        }
        Ok(())
    }
}
