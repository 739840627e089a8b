//! Kubernetes label selectors and how they match labels.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A label selector. An absent selector selects nothing, an empty one selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelSelector {
    /// Labels that must be present with exactly these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Requirements, all of which must be met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// One requirement of a label selector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelSelectorRequirement {
    /// The label's key.
    pub key: String,
    /// The relation between the label and the values.
    pub operator: SelectorOperator,
    /// The values, for `In` and `NotIn`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// The operators of a label selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SelectorOperator {
    /// The label has one of the values.
    In,
    /// The label has none of the values, or is absent.
    NotIn,
    /// The label is present.
    Exists,
    /// The label is absent.
    DoesNotExist,
}

impl LabelSelector {
    /// Whether the selector matches these labels: all labels and requirements must match, as
    /// in `metav1.LabelSelectorAsSelector`.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|r| r.matches(labels))
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }
}

impl LabelSelectorRequirement {
    /// Whether the requirement is met by these labels. `NotIn` is met if the key is absent.
    #[must_use]
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let listed = value.is_some_and(|v| self.values.contains(v));
        match self.operator {
            SelectorOperator::In => listed,
            SelectorOperator::NotIn => !listed,
            SelectorOperator::Exists => value.is_some(),
            SelectorOperator::DoesNotExist => value.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn matches(selector: Value, labels: &[(&str, &str)]) -> bool {
        let selector: LabelSelector = serde_json::from_value(selector).expect("a selector");
        selector.matches(&labels.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect())
    }

    fn one(operator: &str, values: &[&str], labels: &[(&str, &str)]) -> bool {
        matches(json!({"matchExpressions": [{"key": "tier", "operator": operator, "values": values}]}), labels)
    }

    #[test]
    fn empty_selects_everything() {
        assert!(matches(json!({}), &[]));
        assert!(matches(json!({}), &[("a", "b")]));
    }

    #[test]
    fn labels_must_all_be_there_with_their_values() {
        let both = json!({"matchLabels": {"a": "1", "b": ""}});
        assert!(matches(both.clone(), &[("a", "1"), ("b", ""), ("c", "3")]));
        assert!(!matches(both.clone(), &[("a", "1")]), "an absent label is not an empty one");
        assert!(!matches(both, &[("a", "2"), ("b", "")]));
    }

    #[test]
    fn operators_as_kubernetes_reads_them() {
        let gold = [("tier", "gold")];
        for (operator, values, with_gold, without_key) in [
            ("In", &["gold", "free"][..], true, false),
            ("In", &["free"][..], false, false),
            ("NotIn", &["gold"][..], false, true),
            ("NotIn", &["free"][..], true, true),
            ("Exists", &[][..], true, false),
            ("DoesNotExist", &[][..], false, true),
        ] {
            assert_eq!(one(operator, values, &gold), with_gold, "{operator} {values:?} with the key");
            assert_eq!(one(operator, values, &[]), without_key, "{operator} {values:?} without the key");
        }
    }

    #[test]
    fn labels_and_conditions_must_both_hold() {
        let selector = json!({
            "matchLabels": {"a": "1"},
            "matchExpressions": [{"key": "b", "operator": "Exists"}, {"key": "c", "operator": "DoesNotExist"}],
        });
        assert!(matches(selector.clone(), &[("a", "1"), ("b", "x")]));
        assert!(!matches(selector.clone(), &[("a", "1"), ("b", "x"), ("c", "x")]));
        assert!(!matches(selector, &[("b", "x")]));
    }
}
