//! Words of a CRD that Kubernetes does not read as they are written: YAML 1.1 has booleans such as `y`, `no` and `on`
//! (sigs.k8s.io/yaml 1.6).
//!
//! A property `y` becomes `true`, which the YAML reader reports. In `required` the API server refuses a boolean, since
//! it must be a name. In the `enum` of a string it takes one, and no value can ever be equal to it.

use crate::model::codes::yaml as codes;
use crate::model::diagnostic::Diagnostic;
use crate::model::source::Span;
use crate::yaml::tree::{Node, Value, escape};

/// Finds such words in the schemas of a CRD, each with its JSON Pointer. `text` is the file that its places refer to.
#[must_use]
pub(crate) fn bare_words(text: &str, crd: &Node) -> Vec<Diagnostic> {
    let mut finder = Finder { text, found: Vec::new() };
    if let Some(Value::Seq(versions)) = crd.pointer("/spec/versions").map(|node| &node.value) {
        for (i, version) in versions.iter().enumerate() {
            if let Some(root) = version.pointer("/schema/openAPIV3Schema") {
                finder.schema(root, &format!("/spec/versions/{i}/schema/openAPIV3Schema"));
            }
        }
    }
    finder.found
}

struct Finder<'t> {
    text: &'t str,
    found: Vec<Diagnostic>,
}

impl Finder<'_> {
    /// Looks into the schema at the pointer `at`.
    fn schema(&mut self, node: &Node, at: &str) {
        let Value::Map(entries) = &node.value else { return };
        let is_string = node.get("type").and_then(Node::as_str) == Some("string");
        for entry in entries {
            let at = format!("{at}/{}", entry.key);
            match (entry.key.as_str(), &entry.value.value) {
                ("required", Value::Seq(names)) => {
                    names.iter().enumerate().for_each(|(i, name)| self.required(name, format!("{at}/{i}")));
                }
                ("enum", Value::Seq(values)) if is_string => {
                    values.iter().enumerate().for_each(|(i, value)| self.value(value, format!("{at}/{i}")));
                }
                ("properties", Value::Map(properties)) => {
                    for property in properties {
                        self.schema(&property.value, &format!("{at}/{}", escape(&property.key)));
                    }
                }
                ("allOf" | "anyOf" | "oneOf", Value::Seq(schemas)) => {
                    schemas.iter().enumerate().for_each(|(i, schema)| self.schema(schema, &format!("{at}/{i}")));
                }
                ("items" | "additionalProperties" | "not", Value::Map(_)) => self.schema(&entry.value, &at),
                _ => {}
            }
        }
    }

    fn required(&mut self, name: &Node, at: String) {
        let Some(read) = not_text(&name.value) else { return };
        let written = self.written(name.span, &read);
        let message =
            format!("`{written}` in `required` is read by Kubernetes as {read}, and the API server refuses it");
        let complaint = Diagnostic::new(&codes::AMBIGUOUS_SCALAR, name.span, message)
            .at("the name of a property was expected here")
            .help(format!("write `\"{written}\"`, here and as the name of the property"));
        self.found.push(Diagnostic { path: Some(at), ..complaint });
    }

    fn value(&mut self, value: &Node, at: String) {
        let Some(read) = not_text(&value.value) else { return };
        let written = self.written(value.span, &read);
        let message = format!(
            "`{written}` in `enum` is read by Kubernetes as {read}, and the field is a string, so no value can be equal to it"
        );
        let help = format!("write `\"{written}\"`");
        let complaint = Diagnostic::new(&codes::BARE_WORD, value.span, message).help(help);
        self.found.push(Diagnostic { path: Some(at), ..complaint });
    }

    /// The word as the file has it.
    fn written(&self, span: Span, read: &str) -> String {
        let raw = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        let one_word = !raw.is_empty() && !raw.contains(char::is_whitespace);
        if one_word { raw.to_owned() } else { read.rsplit(' ').next().unwrap_or(read).to_owned() }
    }
}

/// A boolean or number in words.
fn not_text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(b) => Some(format!("the boolean {b}")),
        Value::Number(n) => Some(format!("the number {n}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::diagnostic::Diagnostics;
    use crate::model::source::FileId;
    use crate::yaml;

    /// The complaints about a schema: code, what is underlined, message.
    fn complaints(schema: &str) -> Vec<String> {
        let text = format!("spec:\n  versions:\n  - schema:\n      openAPIV3Schema: {schema}\n");
        let documents = yaml::read(FileId(0), &text, &mut Diagnostics::default());
        let line = |d: &Diagnostic| {
            let span = d.primary.as_ref().unwrap().span;
            format!("{} [{}] {}", d.code.id, &text[span.start as usize..span.end as usize], d.help[0])
        };
        bare_words(&text, &documents[0].root).iter().map(line).collect()
    }

    #[test]
    fn a_boolean_is_no_name_of_a_property() {
        assert_eq!(
            complaints("{required: [x, y, no, \"on\"], properties: {a: {items: {required: [1]}}}}"),
            [
                "CAR0112 [y] write `\"y\"`, here and as the name of the property",
                "CAR0112 [no] write `\"no\"`, here and as the name of the property",
                "CAR0112 [1] write `\"1\"`, here and as the name of the property",
            ]
        );
        assert_eq!(complaints("{anyOf: [{required: [n]}], not: {required: [off]}}").len(), 2);
    }

    #[test]
    fn a_word_has_its_pointer() {
        let text = "spec:\n  versions:\n  - schema:\n      openAPIV3Schema: {properties: {a/b: {required: [x, y]}}}\n";
        let documents = yaml::read(FileId(0), text, &mut Diagnostics::default());
        let found = bare_words(text, &documents[0].root);
        let at = "/spec/versions/0/schema/openAPIV3Schema/properties/a~1b/required/1";
        assert_eq!(found[0].path.as_deref(), Some(at));
        assert_eq!(documents[0].root.place(at), found[0].primary.as_ref().unwrap().span);
    }

    #[test]
    fn a_boolean_is_no_value_of_a_string() {
        assert_eq!(
            complaints("{additionalProperties: {type: string, enum: [on, \"off\", 08]}}"),
            ["CAR0116 [on] write `\"on\"`", "CAR0116 [08] write `\"08\"`"]
        );
        assert_eq!(complaints("{type: boolean, enum: [on]}"), [""; 0]);
    }
}
