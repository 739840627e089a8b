//! Reading a CustomResourceDefinition: the one walk over its versions.
//!
//! A foreign CRD stays a JSON value, so that nothing of it is lost that is not known here.

use std::collections::BTreeSet;

use serde_json::Value;

/// One entry of `spec.versions`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Version<'a> {
    /// The entry itself.
    pub body: &'a Value,
}

/// The versions of a CRD, in its order; none where it has no such list.
pub(crate) fn versions(crd: &Value) -> impl Iterator<Item = Version<'_>> {
    let list = crd.pointer("/spec/versions").and_then(Value::as_array);
    list.into_iter().flatten().map(|body| Version { body })
}

/// The version that is stored.
#[must_use]
pub(crate) fn stored(crd: &Value) -> Option<Version<'_>> {
    versions(crd).find(|version| version.is_stored())
}

/// A list of `spec.names`, such as `shortNames`; its order has no meaning.
#[must_use]
pub(crate) fn names<'a>(crd: &'a Value, key: &str) -> BTreeSet<&'a str> {
    let list = crd.pointer("/spec/names").and_then(|names| names.get(key)).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Such a list for people: at most ten names.
#[must_use]
pub(crate) fn in_words(names: &BTreeSet<&str>) -> String {
    const MOST: usize = 10;
    let first: Vec<&str> = names.iter().copied().take(MOST).collect();
    match (first.is_empty(), names.len() - first.len()) {
        (true, _) => "none".to_owned(),
        (false, 0) => first.join(", "),
        (false, more) => format!("{} and {more} more", first.join(", ")),
    }
}

/// Whether a CRD keeps fields that are not in its schemas, as all CRDs of `v1beta1` could.
#[must_use]
pub(crate) fn keeps_unknown_fields(crd: &Value) -> bool {
    crd.pointer("/spec/preserveUnknownFields").and_then(Value::as_bool).unwrap_or(false)
}

/// The plural in the full name of a CRD.
#[must_use]
pub(crate) fn plural(full_name: &str) -> &str {
    full_name.split_once('.').map_or(full_name, |(plural, _)| plural)
}

impl<'a> Version<'a> {
    /// Its name; empty where it has none.
    #[must_use]
    pub(crate) fn name(self) -> &'a str {
        self.body.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the API serves it.
    #[must_use]
    pub(crate) fn is_served(self) -> bool {
        self.flag("served")
    }

    /// Whether instances are stored in it.
    #[must_use]
    pub(crate) fn is_stored(self) -> bool {
        self.flag("storage")
    }

    /// The root of its schema.
    #[must_use]
    pub(crate) fn schema(self) -> Option<&'a Value> {
        self.body.pointer("/schema/openAPIV3Schema")
    }

    /// One of its subresources: `status` or `scale`.
    #[must_use]
    pub(crate) fn subresource(self, name: &str) -> Option<&'a Value> {
        self.body.get("subresources")?.get(name)
    }

    /// The paths of the fields by which its instances can be selected.
    #[must_use]
    pub(crate) fn selectable_fields(self) -> BTreeSet<&'a str> {
        let list = self.body.get("selectableFields").and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|field| field.get("jsonPath")?.as_str()).collect()
    }

    fn flag(self, key: &str) -> bool {
        self.body.get(key).and_then(Value::as_bool).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_empty() {
        let crd = json!({"spec": {"versions": [
            {}, {"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}},
        ]}});
        let list: Vec<_> =
            versions(&crd).map(|v| (v.name(), v.is_served(), v.subresource("status").is_some())).collect();
        assert_eq!(list, [("", false, false), ("v1", true, true)]);
        assert_eq!(stored(&crd).map(Version::name), Some("v1"));
        assert_eq!(versions(&json!({"spec": {"versions": 1}})).count(), 0);
    }

    #[test]
    fn a_long_list_of_names_is_cut() {
        let many: Vec<String> = (0..12).map(|n| format!("n{n:02}")).collect();
        let crd = json!({"spec": {"names": {"categories": many, "shortNames": ["b", "a"]}}});
        assert_eq!(in_words(&names(&crd, "shortNames")), "a, b");
        assert_eq!(in_words(&names(&crd, "plural")), "none");
        assert!(in_words(&names(&crd, "categories")).ends_with(", n09 and 2 more"));
    }
}
