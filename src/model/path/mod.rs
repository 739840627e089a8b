//! Field paths: how an exposure names a field (`derivation.md` R1).
//!
//! [`FieldPath`] is one parsed path, [`PathSet`] the tree of a list of them. Paths
//! are compared segment by segment, never as strings: `.spec.foo` is no prefix of
//! `.spec.fooBar`.

pub(crate) mod parse;
pub(crate) mod set;

pub(crate) use parse::PathError;
pub(crate) use set::{Exposed, PathSet};

use std::fmt;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A property, or a key of a map: `.name` or `['na.me']`.
    Property(String),
    /// Every item of a list: `[]` or `[*]`.
    Items,
    /// Every value of a map: `.*`.
    Values,
}

/// The steps from the root of an object to a field, or to the same field of all items of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(pub Vec<Segment>);

impl FieldPath {
    /// Reads a path: `.a.b`, `['a.b']`, `[]` or `[*]`, `.*`. The leading dot may
    /// be missing, as in KubeCarrier.
    ///
    /// # Errors
    /// The first problem, with its place in `text`.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        parse::parse(text)
    }

    /// The steps, from the root on.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// This path, followed by a property.
    #[must_use]
    pub fn property(&self, name: &str) -> Self {
        self.with(Segment::Property(name.to_owned()))
    }

    /// This path, followed by a step.
    #[must_use]
    pub fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// Whether the first step is this property.
    #[must_use]
    pub fn starts_at(&self, root: &str) -> bool {
        matches!(self.0.first(), Some(Segment::Property(p)) if p == root)
    }

    /// Whether this path is `other` or leads to it.
    #[must_use]
    pub fn is_prefix_of(&self, other: &FieldPath) -> bool {
        other.0.starts_with(&self.0)
    }

    /// How many leading steps both paths share.
    #[must_use]
    pub fn shared(&self, other: &FieldPath) -> usize {
        self.0.iter().zip(&other.0).take_while(|(a, b)| a == b).count()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for segment in &self.0 {
            match segment {
                Segment::Property(name) if is_plain(name) => write!(f, ".{name}")?,
                Segment::Property(name) => write!(f, "['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))?,
                Segment::Items => f.write_str("[]")?,
                Segment::Values => f.write_str(".*")?,
            }
        }
        Ok(())
    }
}

/// Whether a name needs no quotes behind a dot. One that begins with `$` does: it looks like the root of a JSONPath,
/// which is refused.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('$') && name.chars().all(is_plain_char)
}

fn is_plain_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@' | '/' | ':')
}
