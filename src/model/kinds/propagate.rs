//! The labels and annotations that cross from a tenant's instance to its copy in the service cluster. It only says
//! which keys are selected.

use std::sync::LazyLock;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The labels and annotations that are copied to the service cluster.
///
/// [`PropagateConfig::default`] copies none, as a service without a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PropagateConfig {
    /// The labels, by key or by prefix, such as `example.com/*`. If absent, none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "set"))]
    pub labels: Vec<KeyPattern>,
    /// The annotations, by key or by prefix, such as `example.com/*`. If absent, none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "set"))]
    pub annotations: Vec<KeyPattern>,
}

impl PropagateConfig {
    /// Whether a label with this key is copied.
    #[must_use]
    pub fn selects_label(&self, key: &str) -> bool {
        self.labels.iter().any(|pattern| pattern.selects(key))
    }

    /// Whether an annotation with this key is copied.
    #[must_use]
    pub fn selects_annotation(&self, key: &str) -> bool {
        self.annotations.iter().any(|pattern| pattern.selects(key))
    }
}

/// The form of a [`KeyPattern`]: the key of a label, or a prefix and `/*`.
pub(crate) const FORM: &str = "^(([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?|[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[*])$";

/// Keys that are never copied, and patterns that would select them. A copy with the marks of another object would be
/// taken for that object's copy, one with the labels of an ApplySet would be pruned with it, and what `kubectl apply`
/// records holds every field of the tenant's object.
///
/// The syntax is common to RE2, of the API server, to Rust and to JSON Schema.
const RESERVED: &str = "^(([-a-z0-9.]+[.])?kubecarrier[.]io/|applyset[.]kubernetes[.]io/|kubectl[.]kubernetes[.]io/(last-applied-configuration|[*])$)";

/// A key of labels or annotations, or all keys with a prefix (`example.com/*`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend(
    "minLength" = 1,
    "maxLength" = 317,
    "pattern" = FORM,
    "not" = { "pattern": RESERVED },
    "x-kubernetes-validations" = [{
        "rule": format!("!self.matches('{RESERVED}')"),
        "message": "keys of carrier, of kubectl and of ApplySets cannot be propagated"
    }]
))]
pub struct KeyPattern(pub String);

impl KeyPattern {
    /// Whether a label or annotation with this key is copied. One of the reserved keys never is, whatever the pattern.
    #[must_use]
    pub fn selects(&self, key: &str) -> bool {
        let matches = match self.0.strip_suffix('*') {
            Some(prefix) => prefix.ends_with('/') && key.starts_with(prefix) && key.len() > prefix.len(),
            None => self.0 == key,
        };
        matches && !is_reserved(key)
    }

    /// Whether the pattern is for keys that are never copied.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        is_reserved(&self.0)
    }
}

fn is_reserved(text: &str) -> bool {
    // A constant pattern; the tests compile it. If it could not be compiled, nothing would be copied.
    static COMPILED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(RESERVED).ok());
    COMPILED.as_ref().is_none_or(|reserved| reserved.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(labels: &[&str], annotations: &[&str]) -> PropagateConfig {
        let list = |keys: &[&str]| keys.iter().map(|key| KeyPattern((*key).to_owned())).collect();
        PropagateConfig { labels: list(labels), annotations: list(annotations) }
    }

    #[test]
    fn a_key_selects_itself_and_a_prefix_all_keys_below_it() {
        let config = config(&["team", "example.com/*"], &["example.com/owner"]);
        for key in ["team", "example.com/a", "example.com/owner"] {
            assert!(config.selects_label(key), "{key}");
        }
        for key in ["teams", "example.com", "example.com/", "sub.example.com/a", "example.org/a", ""] {
            assert!(!config.selects_label(key), "{key}");
        }
        assert!(config.selects_annotation("example.com/owner"));
        assert!(!config.selects_annotation("example.com/owners") && !config.selects_annotation("team"));
        assert!(!PropagateConfig::default().selects_label("team"));
    }

    #[test]
    fn reserved_keys_are_never_selected() {
        for (pattern, key) in [
            ("kubecarrier.io/*", "kubecarrier.io/tenant"),
            ("kubecarrier.io/tenant", "kubecarrier.io/tenant"),
            ("carrier.kubecarrier.io/*", "carrier.kubecarrier.io/source"),
            ("catalogentries.kubecarrier.io/controlled-by", "catalogentries.kubecarrier.io/controlled-by"),
            ("applyset.kubernetes.io/part-of", "applyset.kubernetes.io/part-of"),
            ("kubectl.kubernetes.io/*", "kubectl.kubernetes.io/last-applied-configuration"),
        ] {
            let reserved = KeyPattern(pattern.to_owned());
            assert!(reserved.is_reserved() && !reserved.selects(key), "{pattern}");
        }
        for pattern in
            ["kubectl.kubernetes.io/restartedAt", "app.kubernetes.io/*", "notkubecarrier.io/a", "kubecarrier.io"]
        {
            assert!(!KeyPattern(pattern.to_owned()).is_reserved(), "{pattern}");
        }
        // A pattern without a prefix is refused by the API; if an object has it all the same, it selects nothing.
        assert!(!KeyPattern("*".to_owned()).selects("team"));
    }

    #[test]
    fn the_form_is_that_of_keys_and_prefixes() {
        let form = Regex::new(FORM).expect("a pattern");
        let (name, long) = ("n".repeat(63), "n".repeat(64));
        for good in ["team", "a", "a.B_c-d", "example.com/team", "example.com/*", "a/*", "a-b.c/D", name.as_str()] {
            assert!(form.is_match(good), "{good}");
        }
        for bad in
            ["", "*", "/a", "a/", "a/b/c", "a/b*", "*/a", "-a", "a-", "Example.com/a", "a b", "a..b/c", long.as_str()]
        {
            assert!(!form.is_match(bad), "{bad}");
        }
    }
}
