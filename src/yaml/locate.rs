//! Finds the places of values that a diagnostic knows by the place of their object's name and a JSON Pointer.
//!
//! CRDs are large, and their trees are not kept once they are values. So a file is read again here, but only if there is
//! something to say about it.

use std::collections::BTreeMap;

use super::read;
use super::tree::{Node, Value};
use crate::model::diagnostic::{Diagnostics, Label};
use crate::model::source::{FileId, Sources, Span};

/// Replaces the places of names by those of the values that are meant.
pub(crate) fn locate(diagnostics: &mut Diagnostics, sources: &Sources) {
    let mut roots: BTreeMap<FileId, Vec<Node>> = BTreeMap::new();
    for diagnostic in diagnostics.iter_mut() {
        for label in diagnostic.primary.iter_mut().chain(&mut diagnostic.labels) {
            let Some(pointer) = label.pointer.take() else { continue };
            let file = label.span.file;
            let roots = roots.entry(file).or_insert_with(|| documents(file, sources));
            if let Some(object) = roots.iter().find_map(|root| named_at(root, label.span)) {
                let Label { span, .. } = label;
                *span = object.place(&pointer);
            }
        }
    }
}

fn documents(file: FileId, sources: &Sources) -> Vec<Node> {
    let Some(source) = sources.get(file) else { return Vec::new() };
    // Its problems were reported when it was read first.
    let documents = read(file, &source.text, &mut Diagnostics::default());
    documents.into_iter().map(|document| document.root).collect()
}

/// The object whose name is at this place: the document, or an item of it.
fn named_at(root: &Node, name: Span) -> Option<&Node> {
    if root.place("/metadata/name") == name {
        return Some(root);
    }
    match root.get("items").map(|items| &items.value) {
        Some(Value::Seq(items)) => items.iter().find_map(|item| named_at(item, name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::codes::derivation;
    use crate::model::diagnostic::Diagnostic;
    use crate::model::source::SourceFile;

    #[test]
    fn a_value_is_found_in_its_document() {
        let text =
            "metadata: {name: a}\nspec: {x: 1}\n---\nkind: List\nitems:\n- metadata: {name: b}\n  spec: {x: 2}\n";
        let sources = Sources::new(vec![SourceFile { path: "a.yaml".to_owned(), text: text.into() }]);
        let name = text.find('b').unwrap();
        let span = Span::new(FileId(0), name, name + 1);
        let mut found = Diagnostics::default();
        found.push(Diagnostic::new(&derivation::INVALID_CRD, span, "").inside("/spec/x"));
        found.push(Diagnostic::new(&derivation::INVALID_CRD, span, "").inside("/spec/y/z"));
        locate(&mut found, &sources);
        let shown: Vec<&str> = found
            .iter()
            .map(|d| {
                let span = d.primary.as_ref().unwrap().span;
                &text[span.start as usize..span.end as usize]
            })
            .collect();
        assert_eq!(shown, ["2", "spec"]);
    }
}
