//! The syntax tree that is checked: what the `cel` crate parses, with the macros expanded that it leaves as calls.
//!
//! The tree is a list of nodes, so that the checker and the cost estimate can keep a fact for each in a list of their
//! own.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, MapExpr};
use cel::parser::Parser;

/// The most operators, dots and brackets in an expression; the longest rule of the real CRDs that the tests read has 82.
/// The parser and the walks recurse once for each in a chain such as `a.b.c` or `1 + 1 + 1`, and a chain of some 500
/// overflows a stack of 2 MiB in a debug build.
const MAX_OPERATORS: usize = 256;

/// The most expressions within expressions; the rules of the real CRDs need 5. A level takes up to 12 KiB of stack.
const MAX_DEPTH: u16 = 24;

/// The most nodes of a tree. Some macros copy their target, so that a chain of them doubles it again and again.
const MAX_NODES: usize = 20_000;

/// The parser's own name of what a loop builds up.
pub(super) const RESULT: &str = "@result";

/// Why there is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unparsed {
    /// The expression is longer or deeper than is read here.
    TooLarge,
    /// It is no expression, in the parser's words.
    Invalid(String),
}

/// Whether an expression is longer than is read here: the parser and every walk over its trees recurse.
fn is_too_long(expression: &str) -> bool {
    let signs = expression.chars().filter(|c| !c.is_alphanumeric() && !c.is_whitespace()).count();
    let words = expression.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| *word == "in").count();
    signs + words > MAX_OPERATORS
}

/// Parses an expression as the server does, with optional fields (`.?a`), and with names in backticks.
///
/// # Errors
/// When it is too large, or no expression.
pub(super) fn parse(expression: &str) -> Result<IdedExpr, Unparsed> {
    if is_too_long(expression) {
        return Err(Unparsed::TooLarge);
    }
    let parser = Parser::new().enable_optional_syntax(true).enable_ident_escape_syntax(true);
    let parser = parser.max_recursion_depth(MAX_DEPTH);
    parser.parse(expression).map_err(|errors| {
        let first = errors.errors.into_iter().next().map(|error| error.msg).unwrap_or_default();
        // What the parser says when it is nested too deeply.
        if first == "UNKNOWN" || first.contains("ecursion limit") {
            Unparsed::TooLarge
        } else {
            Unparsed::Invalid(first)
        }
    })
}

/// A node's place in its tree.
pub(super) type NodeId = usize;

/// A value that is written out.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
}

/// An entry of a map that is written out.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: NodeId,
    pub value: NodeId,
    /// Whether it is there only if its value is (`?key: value`).
    pub optional: bool,
}

/// A loop, to which macros expand.
#[derive(Debug, Clone)]
pub(super) struct Loop {
    pub range: NodeId,
    pub variable: String,
    /// The variable of the values, where `variable` has the keys.
    pub second: Option<String>,
    pub result_variable: String,
    pub start: NodeId,
    pub condition: NodeId,
    pub step: NodeId,
    pub result: NodeId,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Literal(Literal),
    Name(String),
    /// A field of a value; `test` where only its presence is asked.
    Field {
        of: NodeId,
        name: String,
        test: bool,
    },
    Call {
        function: String,
        target: Option<NodeId>,
        args: Vec<NodeId>,
    },
    List {
        elements: Vec<NodeId>,
        optional: Vec<usize>,
    },
    Map(Vec<Entry>),
    /// A message of the named type.
    Message(String),
    Loop(Box<Loop>),
}

/// A parsed expression.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    pub root: NodeId,
    /// What of it only newer servers read, with the first minor version that does.
    pub newer: Option<(&'static str, u8)>,
}

impl Tree {
    /// Parses an expression.
    ///
    /// # Errors
    /// When it is too large or no expression, or when a macro is used wrongly.
    pub(super) fn of(expression: &str) -> Result<Self, Unparsed> {
        // The crate knows `existsOne` with one variable, the server does not: it gets another name of that length.
        let renamed = expression.contains(EXISTS_ONE).then(|| expression.replace(EXISTS_ONE, HIDDEN));
        let parsed = parse(renamed.as_deref().unwrap_or(expression))?;
        let newer = has_backticks(expression).then_some(("`…`", 37));
        let mut tree = Self { nodes: Vec::new(), root: 0, newer };
        tree.root = tree.add(&parsed.expr)?;
        Ok(tree)
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The places of all nodes.
    pub(super) fn ids(&self) -> std::ops::Range<NodeId> {
        0..self.nodes.len()
    }

    pub(super) fn push(&mut self, node: Node) -> Result<NodeId, Unparsed> {
        if self.nodes.len() >= MAX_NODES {
            return Err(Unparsed::TooLarge);
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    /// Adds a node and all below it. Loops rather than iterators, and a function for each sort of node: every level of an
    /// expression takes a frame, and those of iterators are large where nothing is optimised.
    fn add(&mut self, expr: &Expr) -> Result<NodeId, Unparsed> {
        match expr {
            Expr::Ident(name) => self.push(Node::Name(restored(name))),
            Expr::Literal(literal) => self.push(Node::Literal(value_of(literal))),
            Expr::Select(select) => {
                let of = self.add(&select.operand.expr)?;
                self.push(Node::Field { of, name: restored(&select.field), test: select.test })
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) => {
                let elements = self.all(&list.elements)?;
                self.push(Node::List { elements, optional: list.optional_indices.clone() })
            }
            Expr::Map(map) => self.map(map),
            Expr::Struct(made) => self.push(Node::Message(made.type_name.clone())),
            Expr::Comprehension(looped) => self.comprehension(looped),
            Expr::Unspecified => Err(Unparsed::Invalid("a part of it is missing".to_owned())),
        }
    }

    fn all(&mut self, parts: &[IdedExpr]) -> Result<Vec<NodeId>, Unparsed> {
        let mut ids = Vec::with_capacity(parts.len());
        for part in parts {
            ids.push(self.add(&part.expr)?);
        }
        Ok(ids)
    }

    fn map(&mut self, map: &MapExpr) -> Result<NodeId, Unparsed> {
        let mut entries = Vec::with_capacity(map.entries.len());
        for entry in &map.entries {
            if let EntryExpr::MapEntry(entry) = &entry.expr {
                let key = self.add(&entry.key.expr)?;
                let value = self.add(&entry.value.expr)?;
                entries.push(Entry { key, value, optional: entry.optional });
            }
        }
        self.push(Node::Map(entries))
    }

    fn comprehension(&mut self, looped: &ComprehensionExpr) -> Result<NodeId, Unparsed> {
        let second = looped.iter_var2.as_deref();
        if is_result(&looped.iter_var) || second.is_some_and(is_result) {
            return Err(overwrites());
        }
        let range = self.add(&looped.iter_range.expr)?;
        let start = self.add(&looped.accu_init.expr)?;
        let condition = self.add(&looped.loop_cond.expr)?;
        let step = self.add(&looped.loop_step.expr)?;
        let result = self.add(&looped.result.expr)?;
        let variable = restored(&looped.iter_var);
        self.looped(range, variable, second.map(restored), [start, condition, step, result])
    }

    fn call(&mut self, call: &CallExpr) -> Result<NodeId, Unparsed> {
        let function = restored(&call.func_name);
        let target = match &call.target {
            Some(target) => Some(self.add(&target.expr)?),
            None => None,
        };
        let args = self.all(&call.args)?;
        if let Some(target) = target {
            match (function.as_str(), args.as_slice()) {
                ("optMap" | "optFlatMap", &[variable, result]) => {
                    return self.optional(function == "optMap", target, variable, result);
                }
                ("all" | "exists" | "existsOne" | "exists_one", &[key, value, predicate]) => {
                    return self.quantifier(&function, target, [key, value], predicate);
                }
                ("transformList" | "transformMap" | "transformMapEntry", &[key, value, result]) => {
                    return self.transform(&function, target, [key, value], None, result);
                }
                ("transformList" | "transformMap" | "transformMapEntry", &[key, value, filter, result]) => {
                    return self.transform(&function, target, [key, value], Some(filter), result);
                }
                ("sortBy", &[variable, key]) => return self.sort_by(target, variable, key),
                _ => {}
            }
        }
        self.push(Node::Call { function, target, args })
    }

    /// A copy of a part of the tree.
    pub(super) fn copy(&mut self, id: NodeId) -> Result<NodeId, Unparsed> {
        let mut node = self.nodes[id].clone();
        match &mut node {
            Node::Literal(_) | Node::Name(_) | Node::Message(_) => {}
            Node::Field { of, .. } => *of = self.copy(*of)?,
            Node::Call { target, args, .. } => {
                for part in target.iter_mut().chain(args) {
                    *part = self.copy(*part)?;
                }
            }
            Node::List { elements, .. } => {
                for part in elements {
                    *part = self.copy(*part)?;
                }
            }
            Node::Map(entries) => {
                for entry in entries {
                    entry.key = self.copy(entry.key)?;
                    entry.value = self.copy(entry.value)?;
                }
            }
            Node::Loop(looped) => {
                let parts = [&mut looped.range, &mut looped.start, &mut looped.condition, &mut looped.step];
                for part in parts.into_iter().chain([&mut looped.result]) {
                    *part = self.copy(*part)?;
                }
            }
        }
        self.push(node)
    }
}

/// Whether a name stands in backticks.
fn has_backticks(expression: &str) -> bool {
    if !expression.contains('`') {
        return false;
    }
    let mut rest = expression;
    while let Some(start) = rest.find(['`', '\'', '"', '/']) {
        let from = &rest[start..];
        if from.starts_with('`') {
            return true;
        }
        if let Some(after) = from.strip_prefix('/') {
            let comment = after.starts_with('/');
            rest = if comment { after.split_once('\n').map_or("", |(_, next)| next) } else { after };
            continue;
        }
        let is_raw = rest[..start].ends_with(['r', 'R']);
        let quote = ["\"\"\"", "'''"].into_iter().find(|quote| from.starts_with(quote)).unwrap_or(&from[..1]);
        let mut end = quote.len();
        while end < from.len() && !from[end..].starts_with(quote) {
            let escape = !is_raw && from[end..].starts_with('\\');
            let skipped = from[end..].chars().take(if escape { 2 } else { 1 }).map(char::len_utf8).sum::<usize>();
            end += skipped;
        }
        rest = from.get(end + quote.len()..).unwrap_or_default();
    }
    false
}

const EXISTS_ONE: &str = "existsOne";
const HIDDEN: &str = "existsONE";

fn restored(name: &str) -> String {
    if name.contains(HIDDEN) { name.replace(HIDDEN, EXISTS_ONE) } else { name.to_owned() }
}

pub(super) fn is_result(name: &str) -> bool {
    name == RESULT || name == "__result__"
}

pub(super) fn overwrites() -> Unparsed {
    Unparsed::Invalid("the variable of a macro must not be named `__result__`".to_owned())
}

fn value_of(literal: &LiteralValue) -> Literal {
    match literal {
        LiteralValue::Boolean(value) => Literal::Bool(*value.inner()),
        LiteralValue::Bytes(value) => Literal::Bytes(value.inner().to_vec()),
        LiteralValue::Double(value) => Literal::Double(*value.inner()),
        LiteralValue::Int(value) => Literal::Int(*value.inner()),
        LiteralValue::Null => Literal::Null,
        LiteralValue::String(value) => Literal::String(restored(value.inner())),
        LiteralValue::UInt(value) => Literal::Uint(*value.inner()),
    }
}
