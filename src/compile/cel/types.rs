//! The types of CEL, and when one may stand for another (cel-go `checker/types.go`, `checker/mapping.go`, 0.29).

use std::fmt;
use std::rc::Rc;

/// A node of the schema, in [`Decls`](super::decls::Decls).
pub(super) type DeclId = usize;

/// A type. Two objects of the schema have different types, whatever their fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// Anything: known only when the rule runs.
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Duration,
    Timestamp,
    /// An object of the schema.
    Object(DeclId),
    /// A value that only functions make, such as a quantity; null may stand for it.
    Library(&'static str),
    /// The same, of the sort that compares by name and parts.
    Opaque(&'static str),
    Optional(Rc<Type>),
    List(Rc<Type>),
    Map(Rc<(Type, Type)>),
    /// The type of a type.
    Kind(Rc<Type>),
    /// A type that is not known yet.
    Param(usize),
}

impl Type {
    pub(super) fn list(of: Type) -> Self {
        Self::List(Rc::new(of))
    }

    pub(super) fn map(key: Type, value: Type) -> Self {
        Self::Map(Rc::new((key, value)))
    }

    pub(super) fn optional(of: Type) -> Self {
        Self::Optional(Rc::new(of))
    }

    pub(super) fn kind(of: Type) -> Self {
        Self::Kind(Rc::new(of))
    }

    /// What an optional value may hold, and whether the type is optional.
    pub(super) fn unwrapped(&self) -> (&Self, bool) {
        match self {
            Self::Optional(of) => (of, true),
            other => (other, false),
        }
    }

    /// Whether values of the type have a size that is known: none is longer than another.
    pub(super) fn is_scalar(&self) -> bool {
        match self {
            Self::Bool | Self::Double | Self::Duration | Self::Int | Self::Timestamp | Self::Uint => true,
            Self::Optional(of) => of.is_scalar(),
            _ => false,
        }
    }

    /// Whether the types are the same but for the names of what is not known.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Param(_), Self::Param(_)) => true,
            (Self::List(a), Self::List(b))
            | (Self::Optional(a), Self::Optional(b))
            | (Self::Kind(a), Self::Kind(b)) => a.is_equivalent(b),
            (Self::Map(a), Self::Map(b)) => a.0.is_equivalent(&b.0) && a.1.is_equivalent(&b.1),
            (a, b) => a == b,
        }
    }

    fn takes_null(&self) -> bool {
        matches!(
            self,
            Self::Opaque(_)
                | Self::Optional(_)
                | Self::Object(_)
                | Self::Library(_)
                | Self::Duration
                | Self::Timestamp
                | Self::Dyn
                | Self::Null
        )
    }

    /// Whether `self` says as much as `other`, or less.
    fn is_as_general(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dyn | Self::Param(_), _) => true,
            (_, Self::Dyn | Self::Param(_)) => false,
            (Self::Optional(a), Self::Optional(b)) | (Self::List(a), Self::List(b)) => a.is_as_general(b),
            (Self::Map(a), Self::Map(b)) => a.0.is_as_general(&b.0) && a.1.is_as_general(&b.1),
            (Self::Kind(_), Self::Kind(_)) => true,
            (a, b) => a == b,
        }
    }

    /// The type of two that says less.
    pub(super) fn more_general(self, other: Self) -> Self {
        if self.is_as_general(&other) { self } else { other }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn | Self::Param(_) => f.write_str("dyn"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Duration => f.write_str("duration"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Object(_) => f.write_str("object"),
            Self::Library(name) | Self::Opaque(name) => f.write_str(name),
            Self::Optional(of) => write!(f, "optional({of})"),
            Self::List(of) => write!(f, "list({of})"),
            Self::Map(of) => write!(f, "map({}, {})", of.0, of.1),
            Self::Kind(of) => write!(f, "type({of})"),
        }
    }
}

/// What is known so far of the types that were not known.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Vec<Option<Type>>);

impl Known {
    /// A type that is not known yet.
    pub(super) fn unknown(&mut self) -> Type {
        self.unknowns(1)
    }

    /// The first of so many new types that are not known yet.
    pub(super) fn unknowns(&mut self, count: usize) -> Type {
        let first = self.0.len();
        self.0.resize(first + count, None);
        Type::Param(first)
    }

    fn find(&self, of: &Type) -> Option<&Type> {
        match of {
            Type::Param(index) => self.0.get(*index)?.as_ref(),
            _ => None,
        }
    }

    /// The type with what is known put in; what is not becomes `dyn` if the types are final.
    pub(super) fn resolve(&self, of: &Type, last: bool) -> Type {
        if let Some(known) = self.find(of) {
            return self.resolve(known, last);
        }
        match of {
            Type::Param(_) if last => Type::Dyn,
            Type::List(of) => Type::list(self.resolve(of, last)),
            Type::Optional(of) => Type::optional(self.resolve(of, last)),
            Type::Kind(of) => Type::kind(self.resolve(of, last)),
            Type::Map(of) => Type::map(self.resolve(&of.0, last), self.resolve(&of.1, last)),
            other => other.clone(),
        }
    }

    /// Whether a type has more lists, maps and optional values in each other than this.
    pub(super) fn is_deeper(&self, of: &Type, than: u8) -> bool {
        if let Some(known) = self.find(of) {
            return self.is_deeper(known, than);
        }
        let inside = |of: &Type| than == 0 || self.is_deeper(of, than - 1);
        match of {
            Type::List(of) | Type::Optional(of) | Type::Kind(of) => inside(of),
            Type::Map(of) => inside(&of.0) || inside(&of.1),
            _ => false,
        }
    }

    /// Whether a value of the one type may be used as the other. What follows for unknown types is kept if so.
    pub(super) fn is_assignable(&mut self, one: &Type, other: &Type) -> bool {
        self.are_assignable(&[(one, other)])
    }

    /// The same for pairs, all or none.
    pub(super) fn are_assignable(&mut self, pairs: &[(&Type, &Type)]) -> bool {
        let before = self.0.clone();
        let fit = pairs.iter().all(|(one, other)| self.fits(one, other));
        if !fit {
            self.0 = before;
        }
        fit
    }

    fn fits(&mut self, one: &Type, other: &Type) -> bool {
        if let Type::Param(_) = other {
            let (valid, known) = self.substitutes(one, other);
            if valid || known {
                return valid;
            }
        }
        if let Type::Param(_) = one {
            return self.substitutes(other, one).0;
        }
        match (one, other) {
            (Type::Dyn, _) | (_, Type::Dyn) => true,
            (Type::Null, other) | (other, Type::Null) => other.takes_null(),
            (Type::Kind(_), Type::Kind(_)) => true,
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => self.fits(a, b),
            (Type::Map(a), Type::Map(b)) => self.fits(&a.0, &b.0) && self.fits(&a.1, &b.1),
            (a, b) => a == b,
        }
    }

    /// Whether `of` may be what the unknown type `param` is, and whether something was known of that.
    fn substitutes(&mut self, of: &Type, param: &Type) -> (bool, bool) {
        if of == param {
            return (true, true);
        }
        let Type::Param(index) = param else { return (false, false) };
        if let Some(known) = self.find(param).cloned() {
            if *of == known {
                return (true, true);
            }
            if !self.fits(of, &known) {
                return (false, true);
            }
            let general = of.clone().more_general(known);
            if self.is_free_of(param, &general) {
                self.0[*index] = Some(general);
            }
            return (true, true);
        }
        if !self.is_free_of(param, of) {
            return (false, false);
        }
        self.0[*index] = Some(of.clone());
        (true, false)
    }

    /// Whether an unknown type is no part of another.
    fn is_free_of(&self, param: &Type, within: &Type) -> bool {
        if param == within {
            return false;
        }
        match within {
            Type::Param(_) => self.find(within).is_none_or(|known| self.is_free_of(param, known)),
            Type::List(of) | Type::Optional(of) | Type::Kind(of) => self.is_free_of(param, of),
            Type::Map(of) => self.is_free_of(param, &of.0) && self.is_free_of(param, &of.1),
            _ => true,
        }
    }
}
