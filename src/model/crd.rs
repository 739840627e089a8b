//! Reading a CustomResourceDefinition: the one walk over its versions.
//!
//! A foreign CRD stays a JSON value, so that nothing of it is lost that is not known here.

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
}
