//! What an API server would not accept of a CustomResourceDefinition: where, of which kind, and why in our words.

use crate::model::codes::{Code, derivation};
use crate::model::path::{FieldPath, Segment};
use crate::yaml::tree::{escape, unescape};

/// The kind of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The server refuses the CRD, for another reason than the next.
    Invalid,
    /// The server refuses the schema: it is not structural.
    Structural,
    /// It cannot be judged here whether the server takes it.
    Unjudged,
}

/// A problem of a CRD.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// The JSON Pointer of the value, or of what it lacks, from the root of the CRD.
    pub pointer: String,
    /// What the server would say.
    pub kind: Kind,
    /// What is wrong, without the place.
    pub message: String,
}

impl Problem {
    pub(super) fn new(kind: Kind, pointer: String, message: String) -> Self {
        Self { pointer, kind, message }
    }

    /// The code of its diagnostic.
    #[must_use]
    pub(crate) fn code(&self) -> &'static Code {
        match self.kind {
            Kind::Invalid => &derivation::INVALID_CRD,
            Kind::Structural => &derivation::NON_STRUCTURAL,
            Kind::Unjudged => &derivation::CRD_UNJUDGED,
        }
    }

    /// The index of the version that it is in; `None` for one of the CRD itself.
    #[must_use]
    pub(crate) fn version(&self) -> Option<usize> {
        self.pointer.strip_prefix("/spec/versions/")?.split('/').next()?.parse().ok()
    }

    /// The message of its diagnostic: the place in words, and what is wrong there. `version` is the name of its version.
    #[must_use]
    pub(crate) fn sentence(&self, version: Option<&str>) -> String {
        let (place, message) = (self.place(), &self.message);
        match version {
            Some(version) if !version.is_empty() => format!("version `{version}`: {place} {message}"),
            _ => format!("{place} {message}"),
        }
    }

    /// The place in words: a field of the objects and a keyword of its schema, or a field of the CRD.
    fn place(&self) -> String {
        let Some((_, below)) = self.pointer.split_once("/schema/openAPIV3Schema") else {
            return format!("`{}`", dotted(self.pointer.split('/').skip(1)));
        };
        let tokens: Vec<String> = below.split('/').skip(1).map(unescape).collect();
        let mut path = FieldPath::default();
        let mut rest: Vec<&str> = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match (token.as_str(), tokens.get(at + 1)) {
                ("properties", Some(name)) if rest.is_empty() => {
                    path.0.push(Segment::Property(name.clone()));
                    at += 1;
                }
                ("items", Some(_)) if rest.is_empty() => path.0.push(Segment::Items),
                ("additionalProperties", Some(_)) if rest.is_empty() => path.0.push(Segment::Values),
                _ => rest.push(token),
            }
            at += 1;
        }
        let field = match path.segments().is_empty() {
            true => "the root of the schema".to_owned(),
            false => format!("the field `{path}`"),
        };
        if rest.is_empty() { field } else { format!("`{}` of {field}", dotted(rest)) }
    }
}

/// The problems found so far, and the place at which the search is.
#[derive(Default)]
pub(super) struct Report {
    at: String,
    found: Vec<Problem>,
}

impl Report {
    /// Goes to a child, and comes back.
    pub(super) fn within<T>(&mut self, token: &str, search: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.at.len();
        self.at.push('/');
        self.at.push_str(&escape(token));
        let result = search(self);
        self.at.truncate(before);
        result
    }

    /// A problem of a child; of the place itself if `token` is empty.
    pub(super) fn say(&mut self, kind: Kind, token: &str, message: impl Into<String>) {
        let pointer = match token.is_empty() {
            true => self.at.clone(),
            false => format!("{}/{}", self.at, escape(token)),
        };
        self.found.push(Problem::new(kind, pointer, message.into()));
    }

    /// A problem of a pointer below the place.
    pub(super) fn say_below(&mut self, kind: Kind, below: &str, message: impl Into<String>) {
        self.found.push(Problem::new(kind, format!("{}{below}", self.at), message.into()));
    }

    /// Whether a schema was found that is not structural, at the place or below.
    pub(super) fn has_structural(&self) -> bool {
        self.found.iter().any(|problem| problem.kind == Kind::Structural && problem.pointer.starts_with(&self.at))
    }

    /// What was found, in order of place, each once.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.found.sort();
        self.found.dedup();
        self.found
    }
}

/// A problem of a child of the place, for which the server refuses the CRD.
pub(super) fn invalid(report: &mut Report, key: &str, message: impl Into<String>) {
    report.say(Kind::Invalid, key, message);
}

/// `/spec/names/shortNames/0` as `spec.names.shortNames[0]`.
fn dotted<'t>(tokens: impl IntoIterator<Item = &'t str>) -> String {
    let mut text = String::new();
    for token in tokens {
        let token = unescape(token);
        match !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()) {
            true => text.extend(["[", &token, "]"]),
            false if text.is_empty() => text.push_str(&token),
            false => text.extend([".", &token]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_a_field_and_a_keyword() {
        let of =
            |pointer: &str| Problem::new(Kind::Invalid, pointer.to_owned(), "is wrong".to_owned()).sentence(Some("v1"));
        let at = |rest: &str| of(&format!("/spec/versions/0/schema/openAPIV3Schema{rest}"));
        assert_eq!(at(""), "version `v1`: the root of the schema is wrong");
        assert_eq!(at("/properties/spec/items"), "version `v1`: `items` of the field `.spec` is wrong");
        assert_eq!(
            at("/properties/a/items/properties/b~1c/anyOf/0/type"),
            "version `v1`: `anyOf[0].type` of the field `.a[].b/c` is wrong"
        );
        assert_eq!(
            at("/properties/additionalProperties/additionalProperties/pattern"),
            "version `v1`: `pattern` of the field `.additionalProperties.*` is wrong"
        );
        assert_eq!(
            at("/properties/spec/anyOf/0/properties/a/type"),
            "version `v1`: `anyOf[0].properties.a.type` of the field `.spec` is wrong"
        );
        let names = Problem::new(Kind::Invalid, "/spec/names/shortNames/0".to_owned(), "is wrong".to_owned());
        assert_eq!(names.sentence(None), "`spec.names.shortNames[0]` is wrong");
    }
}
