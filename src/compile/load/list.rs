//! Lists of objects: `List` of kubectl, and the lists that an API server answers.
//!
//! In the answer of a server, such as that of `kubectl get --raw`, the items of a list have neither apiVersion nor kind.
//! They take both from the list (`UnstructuredList` of k8s.io/apimachinery 0.37: `decodeToList`).

use std::borrow::Cow;

use crate::yaml::tree::{Entry, Node, Value};

/// The items of a list, with their apiVersion and kind; `None` if the document is no list.
#[must_use]
pub(crate) fn items(root: &Node) -> Option<Vec<Cow<'_, Node>>> {
    let kind = root.entry("kind").filter(|entry| entry.value.as_str().is_some_and(|kind| kind.ends_with("List")))?;
    let Some(Value::Seq(items)) = root.get("items").map(|node| &node.value) else { return None };
    let item_kind = kind.value.as_str().and_then(|kind| kind.strip_suffix("List")).unwrap_or_default();
    let typed = |item| match root.entry("apiVersion") {
        Some(version) if !item_kind.is_empty() => with_type(item, version, kind, item_kind),
        _ => Cow::Borrowed(item),
    };
    Some(items.iter().map(typed).collect())
}

/// An item with the apiVersion and the kind of its list, if it has neither. The places of both are in the list.
fn with_type<'n>(item: &'n Node, version: &Entry, kind: &Entry, item_kind: &str) -> Cow<'n, Node> {
    let Value::Map(entries) = &item.value else { return Cow::Borrowed(item) };
    if item.get("kind").is_some() || item.get("apiVersion").is_some() {
        return Cow::Borrowed(item);
    }
    let value = Node { value: Value::String(item_kind.to_owned()), span: kind.value.span };
    let mut all = vec![version.clone(), Entry { key: kind.key.clone(), key_span: kind.key_span, value }];
    all.extend(entries.iter().cloned());
    Cow::Owned(Node { value: Value::Map(all), span: item.span })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::diagnostic::Diagnostics;
    use crate::model::source::FileId;
    use crate::yaml;

    fn kinds(text: &str) -> Option<Vec<String>> {
        let documents = yaml::read(FileId(0), text, &mut Diagnostics::default());
        let word = |item: &Node, key| item.get(key).and_then(Node::as_str).unwrap_or("-").to_owned();
        let kind = |item: Cow<'_, Node>| format!("{} {}", word(&item, "apiVersion"), word(&item, "kind"));
        Some(items(&documents[0].root)?.into_iter().map(kind).collect())
    }

    #[test]
    fn items_without_a_type_have_that_of_their_list() {
        let text = "apiVersion: a/v1\nkind: ThingList\nitems:\n- metadata: {name: a}\n- {apiVersion: b/v1, kind: Other}\n- {kind: Half}\n- 1\n";
        assert_eq!(kinds(text).unwrap(), ["a/v1 Thing", "b/v1 Other", "- Half", "- -"]);
    }

    #[test]
    fn a_list_of_kubectl_says_nothing_about_its_items() {
        assert_eq!(kinds("apiVersion: v1\nkind: List\nitems:\n- metadata: {name: a}\n").unwrap(), ["- -"]);
        assert_eq!(kinds("apiVersion: v1\nkind: List\nitems: []\n").unwrap(), [""; 0]);
        assert_eq!(kinds("apiVersion: v1\nkind: List\n"), None);
        assert_eq!(kinds("apiVersion: v1\nkind: Secret\nitems: []\n"), None);
    }
}
