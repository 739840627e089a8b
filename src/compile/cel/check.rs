//! The types of an expression, and what of it does not compile (cel-go `checker/checker.go`, 0.29, with the options of
//! apiserver `pkg/cel/environment/base.go`, 1.37: numbers of all types are compared).

use cel::common::ast::operators as op;

use super::decls::Decls;
use super::functions::{Overload, overloads};
use super::syntax::{Entry, Literal, Loop, Node, NodeId, Tree};
use super::types::{Known, Type};

/// What the server, or nobody but the server, says of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The server refuses it, because of this.
    Refused(String),
    /// Only the server can say, because of this.
    Unjudged(String),
}

/// What an expression may read.
#[derive(Debug)]
pub(super) struct Variables {
    /// The type of `self`.
    pub current: Type,
    /// The type of `oldSelf`.
    pub old: Type,
}

/// An expression that compiles.
#[derive(Debug)]
pub(super) struct Checked {
    /// The type of each node.
    pub types: Vec<Type>,
    /// The signatures that fit each call.
    pub overloads: Vec<Vec<&'static Overload>>,
    /// The names of types, and of functions with a dot in them, which the text has as a field of something.
    pub full_names: Vec<Option<String>>,
    pub uses_old_self: bool,
    /// The first minor version of Kubernetes that knows all functions, and one that no older version knows.
    pub since: Option<(u8, String)>,
}

/// Finds the types of an expression.
///
/// # Errors
/// At the first part that does not compile, or that cannot be judged.
pub(super) fn check(tree: &Tree, decls: &Decls, variables: &Variables) -> Result<Checked, Fault> {
    let checked = Checked {
        types: vec![Type::Dyn; tree.len()],
        overloads: vec![Vec::new(); tree.len()],
        full_names: vec![None; tree.len()],
        uses_old_self: false,
        since: tree.newer.map(|(name, since)| (since, name.to_owned())),
    };
    let mut walk = Checker { tree, decls, variables, checked, known: Known::default(), scopes: Vec::new() };
    walk.check(tree.root)?;
    let Checker { known, mut checked, .. } = walk;
    for type_ in &mut checked.types {
        *type_ = known.resolve(type_, true);
    }
    Ok(checked)
}

/// The most lists and maps in each other that a type may be of.
const DEEPEST: u8 = 10;

struct Checker<'a> {
    tree: &'a Tree,
    decls: &'a Decls,
    variables: &'a Variables,
    checked: Checked,
    known: Known,
    /// The variables of macros, innermost last.
    scopes: Vec<(&'a str, Type)>,
}

fn refused<T>(why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Refused(why.into()))
}

impl<'a> Checker<'a> {
    fn check(&mut self, id: NodeId) -> Result<Type, Fault> {
        let tree = self.tree;
        let type_ = match tree.node(id) {
            Node::Literal(literal) => type_of(literal),
            Node::Name(name) => self.name(id, name)?,
            Node::Field { of, name, test } => self.field_or_name(id, *of, name, *test)?,
            Node::Call { function, target, args } => self.call(id, function, *target, args)?,
            Node::List { elements, optional } => self.list(elements, optional)?,
            Node::Map(entries) => self.map(entries)?,
            Node::Message(name) => return message(name),
            Node::Loop(looped) => self.looped(looped)?,
        };
        // Each step of `[1].map(v, {v: v}).map(v, {v: v})` makes a type of twice as many parts.
        if self.known.is_deeper(&type_, DEEPEST) {
            return Err(Fault::Unjudged("its types are nested too deep to be checked here".to_owned()));
        }
        self.checked.types[id] = type_.clone();
        Ok(type_)
    }

    fn name(&mut self, id: NodeId, name: &str) -> Result<Type, Fault> {
        let local = self.scopes.iter().rev().find(|(variable, _)| *variable == name);
        if let Some((_, type_)) = local {
            let type_ = type_.clone();
            self.checked.uses_old_self |= name == "oldSelf";
            return Ok(type_);
        }
        let global = name.trim_start_matches('.');
        let is_hidden = self.scopes.iter().any(|(variable, _)| *variable == global);
        match global {
            "self" => Ok(self.variables.current.clone()),
            "oldSelf" => {
                self.checked.uses_old_self |= !is_hidden;
                Ok(self.variables.old.clone())
            }
            "duration" | "timestamp" => {
                let full = if global == "duration" { "Duration" } else { "Timestamp" };
                refused(format!("the type `{global}` is named `google.protobuf.{full}`"))
            }
            _ => match type_name(global) {
                Some(type_) => {
                    self.checked.full_names[id] = Some(name.to_owned());
                    Ok(Type::kind(type_))
                }
                None => refused(format!("there is no variable `{name}`")),
            },
        }
    }

    /// A field, or a name with dots in it.
    fn field_or_name(&mut self, id: NodeId, of: NodeId, name: &str, test: bool) -> Result<Type, Fault> {
        if let Some(qualified) = self.qualified(id).filter(|name| is_declared_elsewhere(name)) {
            let first = qualified.split('.').next().unwrap_or_default();
            if !self.scopes.iter().any(|(variable, _)| *variable == first) {
                let type_ = match qualified.trim_start_matches('.') {
                    "google.protobuf.Duration" => Some(Type::Duration),
                    "google.protobuf.Timestamp" => Some(Type::Timestamp),
                    "net.IP" => Some(Type::Opaque("ip")),
                    "net.CIDR" => Some(Type::Opaque("cidr")),
                    _ => None,
                };
                if let Some(type_) = type_ {
                    self.checked.full_names[id] = Some(qualified);
                    return Ok(Type::kind(type_));
                }
                return Err(Fault::Unjudged(format!("what `{qualified}` is cannot be told here")));
            }
        }
        let type_ = self.field(of, name, false)?;
        Ok(if test { Type::Bool } else { self.known.resolve(&type_, false) })
    }

    /// The names and dots that a node consists of, if it consists of nothing else.
    fn qualified(&self, id: NodeId) -> Option<String> {
        match self.tree.node(id) {
            Node::Name(name) => Some(name.clone()),
            Node::Field { of, name, test: false } => {
                let mut before = self.qualified(*of)?;
                before.push('.');
                before.push_str(name);
                Some(before)
            }
            _ => None,
        }
    }

    fn field(&mut self, of: NodeId, name: &str, is_optional: bool) -> Result<Type, Fault> {
        let operand = self.check(of)?;
        let operand = self.known.resolve(&operand, false);
        let (target, was_optional) = operand.unwrapped();
        let result = match target {
            Type::Map(of) => of.1.clone(),
            Type::Object(object) => match self.decls.field(*object, name) {
                Some(type_) => type_.clone(),
                None => return refused(self.no_field(*object, name)),
            },
            Type::Library(library) => return refused(format!("a {library} has no field `{name}`")),
            Type::Param(_) => {
                self.known.is_assignable(&Type::Dyn, target);
                Type::Dyn
            }
            Type::Dyn => Type::Dyn,
            other => return refused(format!("the field `{name}` is read from a value of type {other}")),
        };
        Ok(if was_optional || is_optional { Type::optional(result) } else { result })
    }

    fn no_field(&self, object: usize, name: &str) -> String {
        let names = self.decls.field_names(object);
        match names.as_slice() {
            [] => format!("there is no field `{name}`: the object has no fields that rules can read"),
            few if few.len() <= 12 => format!("there is no field `{name}`; there are `{}`", few.join("`, `")),
            _ => format!("there is no field `{name}`"),
        }
    }

    fn call(&mut self, id: NodeId, name: &str, target: Option<NodeId>, args: &[NodeId]) -> Result<Type, Fault> {
        if name == op::OPT_SELECT
            && let (None, [of, field]) = (target, args)
        {
            let Node::Literal(Literal::String(field_name)) = self.tree.node(*field) else {
                return refused("the name of an optional field must be written out");
            };
            let type_ = self.field(*of, field_name, true)?;
            self.checked.types[*field] = Type::String;
            self.checked.overloads[id] = overloads(op::OPT_SELECT).into_iter().flatten().collect();
            return Ok(self.known.resolve(&type_, false));
        }
        let prefix = target.and_then(|target| self.qualified(target));
        let full = prefix.map(|prefix| format!("{}.{name}", prefix.trim_start_matches('.')));
        let of_library = full.and_then(|full| overloads(&full).map(|found| (full, found)));
        // Before the arguments: a macro that there is not has variables in them.
        let name = if target.is_none() { name.trim_start_matches('.') } else { name };
        let found = match &of_library {
            Some((_, found)) => *found,
            None => overloads(name).ok_or_else(|| no_function(name))?,
        };
        for arg in args {
            self.check(*arg)?;
        }
        if let Some((full, _)) = of_library {
            let type_ = self.resolve(id, &full, found, None, args)?;
            self.checked.full_names[id] = Some(full);
            return Ok(type_);
        }
        if let Some(target) = target {
            self.check(target)?;
        }
        self.resolve(id, name, found, target, args)
    }

    fn resolve(
        &mut self,
        id: NodeId,
        name: &str,
        found: &'static [Overload],
        target: Option<NodeId>,
        args: &[NodeId],
    ) -> Result<Type, Fault> {
        let types: Vec<Type> = target.iter().chain(args).map(|arg| self.checked.types[*arg].clone()).collect();
        if matches!(name, op::LOGICAL_AND | op::LOGICAL_OR) {
            for operand in &types {
                if !self.known.is_assignable(operand, &Type::Bool) {
                    let found = self.known.resolve(operand, true);
                    return refused(format!("`{}` is between values of type bool, not {found}", sign(name)));
                }
            }
            self.checked.overloads[id] = found.iter().collect();
            return Ok(Type::Bool);
        }
        let mut result: Option<Type> = None;
        let mut fitting: Vec<&'static Overload> = Vec::new();
        for overload in found.iter().filter(|overload| overload.is_member == target.is_some()) {
            if overload.args(0).len() != types.len() {
                continue;
            }
            let Type::Param(base) = self.known.unknowns(overload.unknowns) else { continue };
            let wanted: Vec<Type> = overload.args(base).collect();
            let pairs: Vec<(&Type, &Type)> = types.iter().zip(&wanted).collect();
            if !self.known.are_assignable(&pairs) {
                continue;
            }
            fitting.push(overload);
            let returned = self.known.resolve(&overload.result(base), false);
            result = match result {
                None => Some(returned),
                Some(before) if before != Type::Dyn && before != returned => Some(Type::Dyn),
                before => before,
            };
        }
        let Some(result) = result else {
            if name == "duration" && types == [Type::Int] {
                let why = "API servers from 1.37 on make no `duration` of a number; older ones do".to_owned();
                return Err(Fault::Unjudged(why));
            }
            return refused(self.no_overload(name, target.is_some(), &types));
        };
        let since = fitting.iter().map(|overload| overload.since).min().unwrap_or(0);
        if since > self.checked.since.as_ref().map_or(0, |(since, _)| *since) {
            self.checked.since = Some((since, name.to_owned()));
        }
        self.checked.overloads[id] = fitting;
        Ok(result)
    }

    fn no_overload(&self, name: &str, is_member: bool, types: &[Type]) -> String {
        let types: Vec<String> = types.iter().map(|type_| self.known.resolve(type_, true).to_string()).collect();
        match (sign(name), types.as_slice()) {
            ("?:", [condition, then, otherwise]) => {
                format!(
                    "`{condition} ? {then} : {otherwise}` does not fit: a bool and two values of one type are needed"
                )
            }
            ("[]", [of, key]) => format!("a value of type {of} has no `[…]` for a key of type {key}"),
            (sign, [one, other]) if sign != name => format!("`{sign}` does not take {one} and {other}"),
            (sign, [one]) if sign != name => format!("`{sign}` does not take {one}"),
            (_, [of, rest @ ..]) if is_member => {
                format!("`{name}` does not take ({}) on a value of type {of}", rest.join(", "))
            }
            (_, all) => format!("`{name}` does not take ({})", all.join(", ")),
        }
    }

    fn list(&mut self, elements: &[NodeId], optional: &[usize]) -> Result<Type, Fault> {
        let mut of: Option<Type> = None;
        for (index, element) in elements.iter().enumerate() {
            let type_ = self.check(*element)?;
            let type_ = if optional.contains(&index) { optional_value(&type_)? } else { type_ };
            of = Some(self.join(of, type_));
        }
        Ok(Type::list(of.unwrap_or_else(|| self.known.unknown())))
    }

    fn map(&mut self, entries: &[Entry]) -> Result<Type, Fault> {
        let (mut key, mut value) = (None, None);
        for entry in entries {
            let type_ = self.check(entry.key)?;
            key = Some(self.join(key, type_));
            let type_ = self.check(entry.value)?;
            let type_ = if entry.optional { optional_value(&type_)? } else { type_ };
            value = Some(self.join(value, type_));
        }
        let key = key.unwrap_or_else(|| self.known.unknown());
        Ok(Type::map(key, value.unwrap_or_else(|| self.known.unknown())))
    }

    /// The type of parts of several types. That they must be of one is asked later, and not of what is formatted.
    fn join(&mut self, before: Option<Type>, type_: Type) -> Type {
        match before {
            None => type_,
            Some(before) if self.known.is_assignable(&before, &type_) => before.more_general(type_),
            Some(_) => Type::Dyn,
        }
    }

    fn looped(&mut self, looped: &'a Loop) -> Result<Type, Fault> {
        let range = self.check(looped.range)?;
        let start = self.check(looped.start)?;
        let range = self.known.resolve(&range, false);
        let (first, second) = match &range {
            Type::List(of) if looped.second.is_some() => (Type::Int, (**of).clone()),
            Type::List(of) => ((**of).clone(), Type::Dyn),
            Type::Map(of) => (of.0.clone(), of.1.clone()),
            Type::Dyn | Type::Param(_) => {
                self.known.is_assignable(&Type::Dyn, &range);
                (Type::Dyn, Type::Dyn)
            }
            other => return refused(format!("only lists and maps have elements to look at, not {other}")),
        };
        let outside = self.scopes.len();
        self.scopes.push((&looped.result_variable, start.clone()));
        let inside = self.scopes.len();
        self.scopes.push((&looped.variable, first));
        self.scopes.extend(looped.second.as_deref().map(|name| (name, second)));
        self.check(looped.condition)?;
        self.assert(looped.condition, &Type::Bool)?;
        self.check(looped.step)?;
        self.assert(looped.step, &start)?;
        self.scopes.truncate(inside);
        let result = self.check(looped.result)?;
        self.scopes.truncate(outside);
        Ok(self.known.resolve(&result, false))
    }

    fn assert(&mut self, id: NodeId, wanted: &Type) -> Result<(), Fault> {
        let type_ = self.checked.types[id].clone();
        if self.known.is_assignable(wanted, &type_) {
            return Ok(());
        }
        let (wanted, type_) = (self.known.resolve(wanted, true), self.known.resolve(&type_, true));
        refused(format!("a macro makes {type_} where {wanted} is needed"))
    }
}

fn no_function(name: &str) -> Fault {
    let help = match name {
        "existsOne" => "; with one variable it is `exists_one`",
        "all" | "exists" | "exists_one" | "map" | "filter" => " of so many arguments",
        _ => "",
    };
    Fault::Refused(format!("there is no function `{name}`{help}"))
}

/// The type of what an optional element of a list or map holds.
fn optional_value(type_: &Type) -> Result<Type, Fault> {
    match type_.unwrapped() {
        (of, true) => Ok(of.clone()),
        (Type::Dyn, _) => Ok(Type::Dyn),
        (other, _) => refused(format!("a value after `?` must be optional; it is {other}")),
    }
}

fn type_of(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::String(_) => Type::String,
        Literal::Bytes(_) => Type::Bytes,
    }
}

/// The types that have a name.
fn type_name(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "bytes" => Type::Bytes,
        "double" => Type::Double,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "string" => Type::String,
        "null_type" => Type::Null,
        "list" => Type::list(Type::Dyn),
        "map" => Type::map(Type::Dyn, Type::Dyn),
        "type" => Type::kind(Type::Dyn),
        "optional_type" => Type::optional(Type::Dyn),
        _ => return None,
    })
}

/// Whether a name with dots belongs to a type, or to what protocol buffers declare.
fn is_declared_elsewhere(name: &str) -> bool {
    let name = name.trim_start_matches('.');
    name.starts_with("google.") || name == "net.IP" || name == "net.CIDR"
}

/// A message, which no schema declares.
fn message<T>(name: &str) -> Result<T, Fault> {
    let is_foreign =
        ["google.", "kubernetes.", "net."].iter().any(|start| name.trim_start_matches('.').starts_with(start));
    if let Some(type_) = type_name(name.trim_start_matches('.')) {
        return refused(format!("values of type {type_} have no fields to set"));
    }
    if is_foreign {
        return Err(Fault::Unjudged(format!("what `{name}{{…}}` makes cannot be told here")));
    }
    refused(format!("there is no type `{name}`"))
}

/// An operator as it is written.
fn sign(name: &str) -> &str {
    match name {
        op::LOGICAL_AND => "&&",
        op::LOGICAL_OR => "||",
        op::LOGICAL_NOT => "!",
        op::CONDITIONAL => "?:",
        op::INDEX => "[]",
        op::OPT_INDEX => "[?]",
        op::IN => "in",
        op::NEGATE => "-",
        op::SUBSTRACT => "-",
        op::ADD => "+",
        op::MULTIPLY => "*",
        op::DIVIDE => "/",
        op::MODULO => "%",
        op::EQUALS => "==",
        op::NOT_EQUALS => "!=",
        op::GREATER => ">",
        op::GREATER_EQUALS => ">=",
        op::LESS => "<",
        op::LESS_EQUALS => "<=",
        other => other,
    }
}
