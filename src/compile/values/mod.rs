//! Values: whether an API server takes one, judged as kube-apiserver v1.37 judges it.
//!
//! A server judges a value in two ways, and so there are two entry points:
//! - [`default`]: a `default` in a schema is judged when the CRD is created, as it stands. Nothing is filled in, nulls
//!   stay, and unknown fields are refused (apiextensions `pkg/apiserver/schema/defaulting/validation.go`).
//! - [`instance`]: a value of an instance (a preset, what a tenant writes) is judged after nulls were dropped and defaults
//!   filled in (`pkg/apiserver/schema/defaulting/algorithm.go`, `prunenulls.go`). Lists are held to be sets and maps here
//!   alone (`pkg/apiserver/schema/listtype/validation.go`).
//!
//! A default of a catalog must pass both: a server that takes the CRD may refuse every instance that gets the default.
//! [`unusable`] looks at a schema alone: no value can ever be valid there. CEL rules are judged elsewhere. Where servers
//! of Kubernetes 1.33 differ from 1.37, the newer ones decide; each place says how they differ. What only the newer ones
//! take is said as unjudged.
//!
//! Takes schemas and values as they are and changes neither. May be used by everything in the compiler.

mod check;
mod defaults;
mod embedded;
mod fill;
pub mod formats;
mod lists;
mod number;
pub mod pattern;
mod rules;
mod same;
mod unknown;
mod unusable;

use serde_json::Value;

use crate::model::path::{FieldPath, Segment};

pub use defaults::defaults;
pub use embedded::{identity, is_of_metadata};
pub use pattern::{Pattern, PatternError};
pub use rules::meets_rules;
pub use unusable::unusable;

/// The field at which a value violates a schema, and how: `is required`, `must be at least 1`.
pub type Violation = (FieldPath, String);

/// What is to be said of a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Why a server refuses the value; empty if it takes it, apart from what is `unjudged`.
    pub violations: Vec<Violation>,
    /// What only a server can tell, such as whether an odd text has the format `email`. Callers report it, or say why not.
    pub unjudged: Vec<Violation>,
}

impl Judgement {
    /// Whether a server takes the value for certain.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.violations.is_empty() && self.unjudged.is_empty()
    }

    /// The same for the metadata of an embedded resource: a server knows the fields of metadata, whatever the schema says.
    #[must_use]
    pub fn of_metadata(mut self) -> Self {
        let known = |path: &FieldPath| match path.segments().first() {
            Some(Segment::Property(name)) => is_of_metadata(name),
            _ => false,
        };
        self.violations.retain(|(path, message)| message != unknown::UNKNOWN || !known(path));
        self
    }

    /// Adds what another judgement says and this one does not.
    pub fn add(&mut self, other: Self) {
        for (mine, theirs) in [(&mut self.violations, other.violations), (&mut self.unjudged, other.unjudged)] {
            for violation in theirs {
                if !mine.contains(&violation) {
                    mine.push(violation);
                }
            }
        }
    }

    fn violate(&mut self, at: &FieldPath, message: impl Into<String>) {
        self.violations.push((at.clone(), message.into()));
    }

    fn doubt(&mut self, at: &FieldPath, message: impl Into<String>) {
        self.unjudged.push((at.clone(), message.into()));
    }
}

/// On which occasion a server judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// A default, when the CRD is created. Formats that the server does not know count as types here, and
    /// `x-kubernetes-int-or-string` says nothing.
    Default,
    /// An instance.
    Instance,
}

/// Judges the `default` of a schema node as a server does when the CRD is created.
///
/// Not for the defaults of `apiVersion`, `kind` and `metadata` of an embedded resource nor below them: the server
/// judges those with the object around them, as [`defaults`] does.
#[must_use]
pub fn default(schema: &Value, value: &Value) -> Judgement {
    judged(schema, value, Occasion::Default)
}

/// Judges a value in an instance, as a server does when the instance is written.
///
/// Unknown fields are violations, though a server may drop them without a word.
#[must_use]
pub fn instance(schema: &Value, value: &Value) -> Judgement {
    let mut filled = value.clone();
    fill::fill(schema, &mut filled);
    let mut judgement = judged(schema, &filled, Occasion::Instance);
    lists::check(schema, &filled, &mut FieldPath::default(), &mut judgement);
    judgement
}

/// Judges a value that a catalog puts into a schema as a default: the CRD must be taken with it, and instances that
/// get it, too. They get it as the CRD is stored, where 3.0 is 3.
#[must_use]
pub fn judge(schema: &Value, value: &Value) -> Judgement {
    let mut judgement = default(schema, value);
    judgement.add(instance(schema, &number::stored(value)));
    judgement
}

/// An instance's value as the server stores it: without nulls that the schema does not take, with defaults.
#[must_use]
pub fn filled(schema: &Value, value: &Value) -> Value {
    let mut filled = value.clone();
    fill::fill(schema, &mut filled);
    filled
}

fn judged(schema: &Value, value: &Value, occasion: Occasion) -> Judgement {
    let mut judgement = Judgement::default();
    check::check(schema, value, occasion, &mut FieldPath::default(), &mut judgement);
    unknown::check(schema, value, &mut FieldPath::default(), &mut judgement);
    embedded::check(schema, value, &mut FieldPath::default(), &mut judgement);
    judgement
}

#[cfg(test)]
mod tests;
