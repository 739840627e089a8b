//! Recognizes Helm templates among the files that CRDs are taken from.
//!
//! A template becomes a manifest by `helm template`. Some templates are YAML as they stand, with expressions in
//! strings. CRDs of several operators have other expressions between `{{` and `}}` in their descriptions, so only what
//! Helm alone has counts there.

use std::ops::Range;

/// How a chart becomes a manifest.
pub(crate) const RENDER: &str =
    "render the chart first, `helm template NAME CHART --include-crds > release.yaml`, and name that file";

/// The objects that Helm gives to a template, see <https://helm.sh/docs/chart_template_guide/builtin_objects/>.
const OBJECTS: [&str; 6] = [".Values", ".Release", ".Chart", ".Capabilities", ".Files", ".Template"];

/// Whether a text that is not YAML is a template: an expression stands where YAML has a value, or is one of Helm.
#[must_use]
pub(crate) fn is_template(text: &str) -> bool {
    let bare = |line: &str| line.trim_start().trim_start_matches("- ").starts_with("{{") || line.contains(": {{");
    text.lines().any(bare) || expression(text).is_some()
}

/// The most bytes of an expression that are looked at.
const LONGEST: usize = 1024;

/// The byte range of the first expression in a text that only Helm has: one that uses an object of Helm, includes
/// another template, or stands for braces.
#[must_use]
pub(crate) fn expression(text: &str) -> Option<Range<usize>> {
    let mut at = 0;
    // The end of the line at hand, which is sought once a line: one of minified JSON may be the whole file.
    let mut line = 0;
    while let Some(start) = text[at..].find("{{").map(|found| at + found) {
        let inner_start = start + 2;
        if line < inner_start {
            line = text[inner_start..].find('\n').map_or(text.len(), |found| inner_start + found);
        }
        let mut most = line.min(inner_start + LONGEST);
        while !text.is_char_boundary(most) {
            most -= 1;
        }
        let end = text[inner_start..most].find("}}").map_or(most, |found| inner_start + found);
        let inner = text[inner_start..end].trim_start_matches(['-', ' ', '\t']);
        let of_helm = OBJECTS.iter().any(|object| names(inner, object))
            || ["include ", "template ", "\"{{", "`{{", "\"}}", "`}}"].iter().any(|begin| inner.starts_with(begin));
        if of_helm {
            return Some(start..(end + 2).min(line));
        }
        at = inner_start;
    }
    None
}

/// Whether an expression names an object, and not a longer word or a field of something else.
fn names(expression: &str, object: &str) -> bool {
    expression.match_indices(object).any(|(at, _)| {
        let before = expression[..at].chars().next_back();
        let after = expression[at + object.len()..].chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
            && !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        expression(text).map(|range| &text[range])
    }

    #[test]
    fn what_only_helm_has_is_found() {
        for (text, expected) in [
            ("a: \"{{ .Release.Namespace }}/x\"", "{{ .Release.Namespace }}"),
            ("a: '{{ $.Values.a }}'", "{{ $.Values.a }}"),
            ("{{- include \"labels\" . | nindent 4 }}", "{{- include \"labels\" . | nindent 4 }}"),
            ("text: 'a {{ \"{{\" }} b'", "{{ \"{{\" }}"),
            ("text: {{`{{ .a }}`}}", "{{`{{ .a }}"),
            ("a: {{ if .Values.a", "{{ if .Values.a"),
            ("a: {{ .x }} {{ .Chart.Name }}", "{{ .Chart.Name }}"),
        ] {
            assert_eq!(found(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_template_is_more_than_braces_in_a_text() {
        assert!(is_template("{{- if .enabled }}\nkind: A\n{{- end }}\n"));
        assert!(is_template("kind: {{ .kind }}\n"));
        assert!(is_template("a: b\nlist:\n- {{ .kind }}\n"));
        assert!(!is_template("description: such as {{ .random }}\n\tx: y\n"));
    }

    #[test]
    fn expressions_of_operators_are_none_of_helm() {
        for text in [
            "{{ .random }}",
            "{{ .machineSet.name }}",
            "{{ .ValuesFrom }}",
            "{{ a.Values }}",
            "{{ \"a\" }}",
            "{a: {b: {}}}",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
