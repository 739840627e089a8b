//! Whether the `fieldPath` of a rule leads to a field (apiextensions `pkg/apiserver/schema/cel/validation.go`,
//! `ValidFieldPath`, 1.37): through properties and the values of maps, never through lists.

use serde_json::Value;

/// Follows a path from a node.
///
/// # Errors
/// When it is no such path, or leads to no field; with what is wrong.
pub(super) fn check(path: &str, node: &Value) -> Result<(), String> {
    let tokens = tokens(path);
    let mut rest = tokens.as_slice();
    let mut node = Some(node);
    while let Some((token, after)) = rest.split_first() {
        let (name, quoted) = match (*token, after) {
            (".", [name, ..]) => ((*name).to_owned(), false),
            ("[", [quoted, ..]) => (unquoted(quoted)?, true),
            ("." | "[", []) => return Err("it ends too early".to_owned()),
            (other, _) => return Err(format!("`.` or `[` is needed before `{other}`")),
        };
        node = Some(step(node, &name)?);
        rest = &after[1..];
        if quoted {
            match rest.split_first() {
                Some((&"]", after)) => rest = after,
                _ => return Err(format!("`]` is needed after `'{name}'`")),
            }
        }
    }
    Ok(())
}

fn step<'n>(node: Option<&'n Value>, name: &str) -> Result<&'n Value, String> {
    let missing =
        || format!("there is no field `{name}` on its way; it may lead through properties and values of maps");
    let node = node.ok_or_else(missing)?;
    match node.get("properties").and_then(Value::as_object).filter(|properties| !properties.is_empty()) {
        Some(properties) => properties.get(name).ok_or_else(missing),
        None => node.get("additionalProperties").filter(|values| !values.is_null()).ok_or_else(missing),
    }
}

/// The dots, brackets, words and quoted texts of a path.
fn tokens(path: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let bytes = rest.as_bytes();
        let length = match bytes[0] {
            b'.' | b'[' | b']' => 1,
            b'\'' => {
                let end = (1..bytes.len()).find(|index| bytes[*index] == b'\'' && bytes[index - 1] != b'\\');
                end.map_or(bytes.len(), |end| end + 1)
            }
            _ => rest.find(['.', '[', ']']).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// A quoted text without its quotes and escapes.
fn unquoted(token: &str) -> Result<String, String> {
    let inside = token.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    let inside = inside.filter(|_| token.len() >= 2);
    let inside = inside.ok_or_else(|| format!("a name in single quotes is needed in `[{token}`"))?;
    let mut text = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        text.push(match chars.next() {
            Some('a') => '\u{7}',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some(c @ ('\'' | '\\')) => c,
            // A backslash at the end stands for itself.
            None => '\\',
            Some(other) => return Err(format!("`\\{other}` is no escape")),
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_leads_through_properties_and_maps() {
        let node = json!({"properties": {
            "a": {"additionalProperties": {"properties": {"x.y": {}, "it's": {}}}},
            "list": {"items": {"properties": {"b": {}}}},
        }});
        for path in [".a", ".a.any", ".a.any['x.y']", ".a['any']['it\\'s']", ".list"] {
            assert_eq!(check(path, &node), Ok(()), "{path}");
        }
        for path in ["a", ".b", ".", ".a.", ".list.b", ".list[0]", ".a.any.b", ".a['any'", ".a[any]", ".a['\\q']"] {
            assert!(check(path, &node).is_err(), "{path}");
        }
    }
}
