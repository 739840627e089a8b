//! Names of rendered files: the same on every machine, and different for
//! different objects (`cli.md` §5.16).

use crate::model::digest;

/// The longest name, `.yaml` included: short enough for every file system, with
/// room for folders where whole paths are limited to 260 characters.
const MAX: usize = 120;

/// The file of an object: `role_team-a_admin.yaml`, or `namespace_team-a.yaml`
/// without a namespace.
///
/// Characters that are not portable become `-`. Then, and if the name is cut, a hash of the whole name is
/// added, so that different objects of one API group have different files.
#[must_use]
pub(crate) fn file_name(kind: &str, namespace: Option<&str>, name: &str) -> String {
    let (stem, lossy) = stem(kind, namespace, name);
    if lossy || stem.len() + ".yaml".len() > MAX {
        return with_hash(&stem, "", kind, namespace, name);
    }
    format!("{stem}.yaml")
}

/// The same, always with a hash that includes the API group: for objects of different groups whose
/// [`file_name`]s are equal.
#[must_use]
pub(crate) fn hashed_file_name(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> String {
    let (stem, _) = stem(kind, namespace, name);
    with_hash(&stem, group, kind, namespace, name)
}

/// The readable part, and whether characters were replaced.
fn stem(kind: &str, namespace: Option<&str>, name: &str) -> (String, bool) {
    let mut stem = kind.to_ascii_lowercase();
    let mut lossy = false;
    for part in namespace.into_iter().chain([name]) {
        stem.push('_');
        stem.extend(part.chars().map(|c| match c {
            'a'..='z' | '0'..='9' | '.' | '-' => c,
            'A'..='Z' => {
                lossy = true;
                c.to_ascii_lowercase()
            }
            _ => {
                lossy = true;
                '-'
            }
        }));
    }
    (stem, lossy)
}

fn with_hash(stem: &str, group: &str, kind: &str, namespace: Option<&str>, name: &str) -> String {
    // No part holds a NUL, so no two objects give the same text.
    let whole = format!("{group}\0{kind}\0{}\0{name}\0", namespace.unwrap_or(""));
    let suffix = format!("-{}.yaml", digest::short(whole.as_bytes()));
    let cut = stem.len().min(MAX - suffix.len());
    format!("{}{suffix}", &stem[..cut])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_portable_and_distinct() {
        assert_eq!(file_name("Namespace", None, "team-a"), "namespace_team-a.yaml");
        assert_eq!(file_name("Role", Some("team-a"), "admin"), "role_team-a_admin.yaml");
        assert_eq!(
            file_name("CustomResourceDefinition", None, "dbs.acme.example"),
            "customresourcedefinition_dbs.acme.example.yaml"
        );
        let names = [
            file_name("Role", Some("a"), "x:y"),
            file_name("Role", Some("a"), "x;y"),
            file_name("Role", Some("a"), "x-y"),
            file_name("Role", None, "a_x-y"),
            file_name("Role", Some("a"), "X-y"),
            file_name("Role", Some("a"), &"x".repeat(300)),
            file_name("Role", Some("a"), &format!("{}y", "x".repeat(300))),
            hashed_file_name("g1", "Role", Some("a"), "x"),
            hashed_file_name("g2", "Role", Some("a"), "x"),
        ];
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:#?}");
        for name in &names {
            assert!(name.len() <= MAX, "{name}");
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b)),
                "{name}"
            );
        }
        assert!(names[0].starts_with("role_a_x-y-"), "still readable: {}", names[0]);
    }
}
