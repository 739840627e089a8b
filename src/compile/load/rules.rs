//! Rules of our kinds that a schema cannot express. In the CRDs they are CEL rules, or the API server has them
//! built in.

use super::schema::Walk;
use crate::model::codes::object;
use crate::model::diagnostic::Diagnostic;
use crate::model::kinds::{
    AccountSpec, CatalogEntrySetSpec, CatalogEntrySpec, CatalogSpec, DeletionPolicyConfig, DeriveConfig, LabelSelector,
    PropagateConfig, SelectorOperator, ServiceClusterSpec, Subject, SubjectKind,
};
use crate::model::names;
use crate::yaml::tree::{Node, escape};

/// A spec with rules of its own.
pub(super) trait Rules {
    /// Reports violations. Returns whether there are none.
    fn check(&self, _root: &Node, _walk: &mut Walk) -> bool {
        true
    }
}

impl Rules for crate::model::kinds::TenantSpec {}

impl Rules for ServiceClusterSpec {
    /// The name becomes a part of the path of a request.
    fn check(&self, root: &Node, walk: &mut Walk) -> bool {
        let name = &self.kubeconfig_secret.name;
        let Err(why) = names::dns_subdomain(name) else { return true };
        let at = "/spec/kubeconfigSecret/name";
        let message = format!("`{name}` cannot be the name of a Secret: {why}");
        let diagnostic = Diagnostic::new(&object::INVALID_NAME, root.place(at), message)
            .help("write the name of a Secret in the namespace of the provider");
        walk.push(diagnostic, at);
        false
    }
}

impl Rules for AccountSpec {
    fn check(&self, root: &Node, walk: &mut Walk) -> bool {
        let fine = subjects(&self.subjects, root, walk);
        if !self.is_provider() || self.metadata.is_some() {
            return fine;
        }
        let place = root.place("/spec/roles");
        let diagnostic = Diagnostic::new(&object::PROVIDER_WITHOUT_METADATA, place, "a provider needs `spec.metadata`")
            .help("add `metadata` with a `displayName`: the provider's tenants see it");
        walk.push(diagnostic, "/spec");
        false
    }
}

/// A service account needs a namespace: the API server refuses a RoleBinding without one.
fn subjects(subjects: &[Subject], root: &Node, walk: &mut Walk) -> bool {
    let mut fine = true;
    for (i, subject) in subjects.iter().enumerate() {
        if subject.kind != SubjectKind::ServiceAccount {
            continue;
        }
        let at = format!("/spec/subjects/{i}");
        let Some(namespace) = &subject.namespace else {
            fine = false;
            let message = format!("the service account `{}` needs a namespace", subject.name);
            let diagnostic = Diagnostic::new(&object::MISSING_FIELD, root.place(&format!("{at}/name")), message)
                .help("add the `namespace` that the service account is in");
            walk.push(diagnostic, &at);
            continue;
        };
        let names = [
            ("name", &subject.name, names::dns_subdomain(&subject.name), "service account"),
            ("namespace", namespace, names::dns_label(namespace), "namespace"),
        ];
        for (field, name, checked, what) in names {
            let Err(why) = checked else { continue };
            fine = false;
            let at = format!("{at}/{field}");
            let message = format!("`{name}` cannot be the name of a {what}: {why}");
            let help = format!("write the {what} as `kubectl get serviceaccounts -A` shows it");
            walk.push(Diagnostic::new(&object::INVALID_NAME, root.place(&at), message).help(help), &at);
        }
    }
    fine
}

impl Rules for CatalogSpec {
    fn check(&self, root: &Node, walk: &mut Walk) -> bool {
        let selectors = [
            ("catalogEntrySelector", &self.catalog_entry_selector),
            ("tenantSelector", &self.tenant_selector),
            ("serviceClusterSelector", &self.service_cluster_selector),
        ];
        selectors
            .into_iter()
            .filter_map(|(field, s)| Some((field, s.as_ref()?)))
            .fold(true, |fine, (field, s)| selector(s, &format!("/spec/{field}"), root, walk) && fine)
    }
}

impl Rules for CatalogEntrySpec {
    fn check(&self, root: &Node, walk: &mut Walk) -> bool {
        let fine = copying(self.deletion_policy.as_ref(), self.propagate.as_ref(), root, walk);
        derive(self.derive.as_ref(), root, walk) && fine
    }
}

impl Rules for CatalogEntrySetSpec {
    fn check(&self, root: &Node, walk: &mut Walk) -> bool {
        let fine =
            selector(&self.discover.service_cluster_selector, "/spec/discover/serviceClusterSelector", root, walk);
        let fine = copying(self.deletion_policy.as_ref(), self.propagate.as_ref(), root, walk) && fine;
        derive(self.derive.as_ref(), root, walk) && fine
    }
}

/// What a service says about copying its instances.
fn copying(
    deletion: Option<&DeletionPolicyConfig>,
    propagate: Option<&PropagateConfig>,
    root: &Node,
    walk: &mut Walk,
) -> bool {
    let deletion = deletion.is_none_or(|config| deletion_policy(config, root, walk));
    propagate.is_none_or(|config| propagated(config, root, walk)) && deletion
}

fn deletion_policy(config: &DeletionPolicyConfig, root: &Node, walk: &mut Walk) -> bool {
    let [first, ..] = config.allowed[..] else { return true };
    let default = config.default_policy();
    if config.allowed.contains(&default) {
        return true;
    }
    let (at, message) = match config.default {
        Some(default) => ("default", format!("the default policy `{default}` is not one of the allowed ones")),
        None => ("allowed", format!("the default policy is `{default}`, which is not one of the allowed ones")),
    };
    let at = format!("/spec/deletionPolicy/{at}");
    let diagnostic = Diagnostic::new(&object::DELETION_POLICY, root.place(&at), message)
        .help(format!("add `{default}` to `allowed`, or write `default: {first}`"));
    walk.push(diagnostic, &at);
    false
}

fn propagated(config: &PropagateConfig, root: &Node, walk: &mut Walk) -> bool {
    let mut fine = true;
    for (field, keys) in [("labels", &config.labels), ("annotations", &config.annotations)] {
        for (i, key) in keys.iter().enumerate().filter(|(_, key)| key.is_reserved()) {
            fine = false;
            let at = format!("/spec/propagate/{field}/{i}");
            let message = format!("`{}` cannot be propagated: a copy needs another value, or none", key.0);
            let diagnostic = Diagnostic::new(&object::RESERVED_KEY, root.place(&at), message)
                .help("remove it; keys below `kubecarrier.io` and those of kubectl and ApplySets are not copied");
            walk.push(diagnostic, &at);
        }
    }
    fine
}

fn derive(config: Option<&DeriveConfig>, root: &Node, walk: &mut Walk) -> bool {
    let mut fine = true;
    for (i, item) in config.into_iter().flat_map(|c| &c.expose).enumerate() {
        if !item.fields.is_empty() || !item.defaults.is_empty() {
            continue;
        }
        fine = false;
        let path = format!("/spec/derive/expose/{i}");
        let diagnostic = Diagnostic::new(
            &object::NOTHING_EXPOSED,
            root.place(&format!("{path}/versions")),
            "nothing of these versions is exposed",
        )
        .help("add `fields`, a list of `jsonPath: .spec.…`; `carrier fields` shows what there is")
        .help("or leave `derive` out: then tenants have the whole object");
        walk.push(diagnostic, &path);
    }
    fine
}

fn selector(selector: &LabelSelector, path: &str, root: &Node, walk: &mut Walk) -> bool {
    let mut fine = true;
    for (key, value) in &selector.match_labels {
        let at = format!("{path}/matchLabels/{}", escape(key));
        fine &= label_key(key, &at, root, root.key_place(&at), walk);
        fine &= label_value(value, &at, root, walk);
    }
    for (i, requirement) in selector.match_expressions.iter().enumerate() {
        let at = format!("{path}/matchExpressions/{i}");
        fine &= label_key(&requirement.key, &format!("{at}/key"), root, None, walk);
        for (j, value) in requirement.values.iter().enumerate() {
            fine &= label_value(value, &format!("{at}/values/{j}"), root, walk);
        }
        let needs_values = matches!(requirement.operator, SelectorOperator::In | SelectorOperator::NotIn);
        if needs_values == requirement.values.is_empty() {
            fine = false;
            let operator = root.pointer(&format!("{at}/operator")).and_then(Node::as_str).unwrap_or("the operator");
            let (message, help) = if needs_values {
                (format!("`{operator}` needs values"), "add `values`, or use `Exists`")
            } else {
                (format!("`{operator}` takes no values"), "remove `values`, or use `In`")
            };
            let diagnostic =
                Diagnostic::new(&object::SELECTOR, root.place(&format!("{at}/operator")), message).help(help);
            walk.push(diagnostic, &at);
        }
    }
    fine
}

fn label_key(key: &str, at: &str, root: &Node, place: Option<crate::model::source::Span>, walk: &mut Walk) -> bool {
    let Err(why) = names::label_key(key) else { return true };
    let message = format!("`{key}` cannot be the key of a label: {why}");
    let diagnostic = Diagnostic::new(&object::INVALID_LABEL, place.unwrap_or_else(|| root.place(at)), message)
        .help("write a key such as `tier` or `example.com/tier`");
    walk.push(diagnostic, at);
    false
}

fn label_value(value: &str, at: &str, root: &Node, walk: &mut Walk) -> bool {
    let Err(why) = names::label_value(value) else { return true };
    let message = format!("`{value}` cannot be the value of a label: {why}");
    let diagnostic = Diagnostic::new(&object::INVALID_LABEL, root.place(at), message)
        .help("write a value that an object can have, or remove it");
    walk.push(diagnostic, at);
    false
}
