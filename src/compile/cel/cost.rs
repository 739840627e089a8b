//! What an expression costs at most, as the server estimates it (cel-go `checker/cost.go`, 0.29, with the size
//! estimates of apiextensions `pkg/apiserver/schema/cel/compilation.go`, 1.37).
//!
//! A size is a range: what a value has at least and at most of characters, bytes or elements. The sizes come from the
//! schema, by the way from `self` on which a value is read. Of costs only the most is kept.

use std::collections::HashMap;

use cel::common::ast::operators as op;

use super::call_costs;
use super::check::Checked;
use super::decls::Decls;
use super::functions::Overload;
use super::syntax::{Literal, Loop, Node, NodeId, Tree};
use super::types::{DeclId, Type};

/// The least and the most that a value may have of what it consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub least: u64,
    pub most: u64,
}

impl Size {
    pub(super) const UNKNOWN: Self = Self { least: 0, most: u64::MAX };

    pub(super) fn exactly(size: u64) -> Self {
        Self { least: size, most: size }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { least: self.least.saturating_add(other.least), most: self.most.saturating_add(other.most) }
    }

    pub(super) fn times(self, other: Self) -> Self {
        Self { least: self.least.saturating_mul(other.least), most: self.most.saturating_mul(other.most) }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    /// The most that it costs when each part costs so much.
    pub(super) fn at(self, factor: f64) -> u64 {
        scaled(self.most, factor)
    }
}

/// A number times a factor, rounded up.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn scaled(number: u64, factor: f64) -> u64 {
    // As the server computes it, in floats; `as` stops at the largest number.
    (number as f64 * factor).ceil() as u64
}

/// The sizes of what a list or map consists of.
#[derive(Debug, Clone, Copy)]
struct Entries {
    is_list: bool,
    key: Size,
    value: Size,
}

impl Entries {
    fn or(self, other: Self) -> Self {
        Self { is_list: self.is_list, key: self.key.or(other.key), value: self.value.or(other.value) }
    }
}

/// A step on the way to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// The variable that a path begins with.
    Start,
    Field(&'a str),
    Elements,
    Keys,
    Indices,
}

/// The way on which a value is read: the first steps of a list of them.
///
/// The server keeps ways as slices of Go that share memory: a step that is added to a way may overwrite the last one of
/// another that was longer by one. What it estimates follows from that, so it is the same here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    list: usize,
    length: usize,
}

/// A variable of a macro.
#[derive(Debug, Clone, Copy)]
struct Variable<'a> {
    name: &'a str,
    way: Option<Way>,
    size: Option<Size>,
    entries: Option<Entries>,
}

/// Which server estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    /// One of Kubernetes 1.37.
    Newest,
    /// One that is older, for which names have any length.
    Older,
}

/// Estimates the most that an expression costs. `root` is what it calls `self`.
pub(super) fn estimate(tree: &Tree, checked: &Checked, decls: &Decls, root: DeclId, server: Server) -> u64 {
    let mut coster = Coster {
        tree,
        checked,
        decls,
        root,
        server,
        ways: vec![None; tree.len()],
        lists: Vec::new(),
        sizes: vec![None; tree.len()],
        entries: HashMap::new(),
        variables: Vec::new(),
    };
    coster.cost(tree.root)
}

/// The state of an estimate.
pub(super) struct Coster<'a> {
    pub tree: &'a Tree,
    pub checked: &'a Checked,
    decls: &'a Decls,
    root: DeclId,
    server: Server,
    /// The way to each node, where it has one.
    ways: Vec<Option<Way>>,
    /// The steps of the ways, and for how many there is room.
    lists: Vec<(Vec<Step<'a>>, usize)>,
    sizes: Vec<Option<Size>>,
    entries: HashMap<NodeId, Entries>,
    variables: Vec<Variable<'a>>,
}

impl<'a> Coster<'a> {
    fn cost(&mut self, id: NodeId) -> u64 {
        let tree = self.tree;
        match tree.node(id) {
            Node::Literal(_) | Node::Message(_) => 0,
            Node::Name(name) => {
                let known = self.variable(name).map(|variable| variable.way);
                self.ways[id] = known.unwrap_or_else(|| Some(self.longer(None, Step::Start)));
                1
            }
            Node::Field { .. } if self.checked.full_names[id].is_some() => {
                self.ways[id] = Some(self.longer(None, Step::Start));
                1
            }
            Node::Field { of, test: true, .. } => self.cost(*of),
            Node::Field { of, name, test: false } => {
                let cost = self.cost(*of);
                let counts = matches!(self.checked.types[*of], Type::Map(_) | Type::Object(_) | Type::Library(_));
                self.ways[id] = Some(self.longer(self.way(*of), Step::Field(name)));
                cost.saturating_add(u64::from(counts))
            }
            Node::Call { target, args, .. } => self.call(id, *target, args),
            Node::List { elements, .. } => {
                let mut value = range(elements.is_empty());
                let mut cost = 10_u64;
                for element in elements {
                    cost = cost.saturating_add(self.cost(*element));
                    value = value.or(self.size_or_unknown(*element));
                }
                self.entries.insert(id, Entries { is_list: true, key: Size::exactly(1), value });
                cost
            }
            Node::Map(entries) => {
                let (mut key, mut value) = (range(entries.is_empty()), range(entries.is_empty()));
                let mut cost = 30_u64;
                for entry in entries {
                    cost = cost.saturating_add(self.cost(entry.key)).saturating_add(self.cost(entry.value));
                    key = key.or(self.size_or_unknown(entry.key));
                    value = value.or(self.size_or_unknown(entry.value));
                }
                self.entries.insert(id, Entries { is_list: false, key, value });
                cost
            }
            Node::Loop(looped) if self.is_binding(looped) => self.binding(id, looped),
            Node::Loop(looped) => self.looped(id, looped),
        }
    }

    fn variable(&self, name: &str) -> Option<&Variable<'a>> {
        self.variables.iter().rev().find(|variable| variable.name == name)
    }

    /// Whether a loop only gives a name to a value.
    fn is_binding(&self, looped: &Loop) -> bool {
        let empty = matches!(self.tree.node(looped.range), Node::List { elements, .. } if elements.is_empty());
        empty && matches!(self.tree.node(looped.condition), Node::Literal(Literal::Bool(false)))
    }

    fn binding(&mut self, id: NodeId, looped: &'a Loop) -> u64 {
        let cost = self.cost(looped.range).saturating_add(self.cost(looped.start));
        let start = self.named(&looped.result_variable, looped.start);
        self.variables.push(start);
        let cost = cost.saturating_add(self.cost(looped.result));
        self.variables.pop();
        let (size, entries) = (self.size(looped.result), self.entries_of(looped.result));
        self.keep(id, size, entries);
        cost
    }

    fn keep(&mut self, id: NodeId, size: Option<Size>, entries: Option<Entries>) {
        self.sizes[id] = size.or(self.sizes[id]);
        if let Some(entries) = entries {
            self.entries.insert(id, entries);
        }
    }

    /// A variable that stands for a node.
    fn named(&mut self, name: &'a str, id: NodeId) -> Variable<'a> {
        Variable { name, way: self.way(id), size: self.size(id), entries: self.entries_of(id) }
    }

    fn looped(&mut self, id: NodeId, looped: &'a Loop) -> u64 {
        let mut cost = self.cost(looped.range).saturating_add(self.cost(looped.start));
        let start = self.named(&looped.result_variable, looped.start);
        let outside = self.variables.len();
        self.variables.push(start);

        let entries = self.entries_of(looped.range);
        let is_list = entries
            .map_or_else(|| matches!(self.checked.types[looped.range], Type::List(_)), |entries| entries.is_list);
        let way = self.way(looped.range);
        let keys = (if is_list { Step::Indices } else { Step::Keys }, entries.map(|entries| entries.key));
        let values = (Step::Elements, entries.map(|entries| entries.value));
        let first = if looped.second.is_none() && is_list { values } else { keys };
        let second = looped.second.as_deref().map(|name| (name, values));
        for (name, (step, size)) in [Some((looped.variable.as_str(), first)), second].into_iter().flatten() {
            let way = Some(self.longer(way, step));
            self.variables.push(Variable { name, way, size, entries: None });
        }
        let each = self.cost(looped.condition).saturating_add(self.cost(looped.step));
        self.variables.truncate(outside + 1);
        cost = cost.saturating_add(self.cost(looped.result));
        self.variables.truncate(outside);

        let count = self.size_or_unknown(looped.range);
        cost = cost.saturating_add(count.most.saturating_mul(each));
        match self.tree.node(looped.start) {
            Node::Literal(_) => {
                let size = self.size(looped.start);
                self.keep(id, size, None);
            }
            Node::List { .. } | Node::Map(_) => {
                let entries = self.entries_of(looped.step);
                self.keep(id, Some(count), entries);
            }
            _ => {}
        }
        cost
    }

    fn call(&mut self, id: NodeId, target: Option<NodeId>, args: &[NodeId]) -> u64 {
        let tree = self.tree;
        let Node::Call { function, .. } = tree.node(id) else { return 0 };
        let checked = self.checked;
        let function = checked.full_names[id].as_deref().unwrap_or(function);
        let target = target.filter(|_| checked.full_names[id].is_none());
        if let ("dyn", [arg, ..]) = (function, args) {
            let cost = self.cost(*arg);
            let (size, entries) = (self.size(*arg), self.entries_of(*arg));
            self.keep(id, size, entries);
            return cost.saturating_add(1);
        }
        let mut costs = Vec::with_capacity(args.len());
        for arg in args {
            costs.push(self.cost(*arg));
            // The server asks for the size at once, and keeps what it gets.
            self.size(*arg);
        }
        let mut cost = 0;
        if let Some(target) = target {
            cost = self.cost(target);
            self.size(target);
        }
        let (mut most, mut size): (u64, Option<Size>) = (0, None);
        for overload in &checked.overloads[id] {
            let (call, result) = self.overload(id, function, overload, target, args, &costs);
            most = most.max(call);
            size = match (size, result) {
                (Some(one), Some(other)) => Some(one.or(other)),
                (one, other) => one.or(other),
            };
            if let ("index_list" | "index_map", [of, ..]) = (overload.id, args) {
                size = self.entries_of(*of).map(|entries| entries.value);
                self.ways[id] = Some(self.longer(self.way(*of), Step::Elements));
            }
            if size.is_none() {
                size = self.size(id);
            }
        }
        self.keep(id, size, None);
        cost.saturating_add(most)
    }

    fn overload(
        &mut self,
        id: NodeId,
        function: &str,
        overload: &Overload,
        target: Option<NodeId>,
        args: &[NodeId],
        costs: &[u64],
    ) -> (u64, Option<Size>) {
        let all = costs.iter().fold(0_u64, |sum, cost| sum.saturating_add(*cost));
        let own = match call_costs::of_extension(self, overload.id, target, args) {
            None => call_costs::of_kubernetes(self, function, overload.id, target, args),
            found => found,
        };
        if let Some((cost, size)) = own {
            return (cost.saturating_add(all), size);
        }
        match (overload.id, args) {
            ("logical_or" | "logical_and", _) => (all, None),
            ("conditional", &[_, then, otherwise]) => {
                let size = self.size_or_unknown(then).or(self.size_or_unknown(otherwise));
                if let (Some(one), Some(other)) = (self.entries_of(then), self.entries_of(otherwise)) {
                    self.entries.insert(id, one.or(other));
                }
                let branches = costs[1].max(costs[2]);
                (costs[0].saturating_add(branches), Some(size))
            }
            ("add_string" | "add_bytes" | "add_list", &[one, other]) => {
                let size = self.size_or_unknown(one).plus(self.size_or_unknown(other));
                if let (Some(one), Some(other)) = (self.entries_of(one), self.entries_of(other)) {
                    self.entries.insert(id, one.or(other));
                }
                let cost = if overload.id == "add_list" { 1 } else { size.at(0.1) };
                (cost.saturating_add(all), Some(size))
            }
            _ => {
                let (cost, size) = call_costs::of_standard(self, overload.id, target, args);
                (cost.saturating_add(all), size)
            }
        }
    }

    /// The way to a node.
    pub(super) fn way(&self, id: NodeId) -> Option<Way> {
        if let Node::Name(name) = self.tree.node(id)
            && let Some(variable) = self.variable(name)
        {
            return variable.way;
        }
        self.ways[id]
    }

    /// The way that goes one step further.
    fn longer(&mut self, way: Option<Way>, step: Step<'a>) -> Way {
        if let Some(Way { list, length }) = way {
            let (steps, room) = &mut self.lists[list];
            if length < *room {
                match steps.get_mut(length) {
                    Some(last) => *last = step,
                    None => steps.push(step),
                }
                return Way { list, length: length + 1 };
            }
            let mut longer: Vec<Step<'a>> = steps.iter().take(length).copied().collect();
            longer.push(step);
            let room = *room * 2;
            self.lists.push((longer, room));
            return Way { list: self.lists.len() - 1, length: length + 1 };
        }
        self.lists.push((vec![step], 1));
        Way { list: self.lists.len() - 1, length: 1 }
    }

    /// The size of what is at the end of a way, and of a step more, if the schema describes it. The server leaves out the
    /// first step, taking it for `self` whatever it is.
    pub(super) fn size_at(&self, way: Way, more: Option<Step<'_>>) -> Option<Size> {
        let (steps, _) = &self.lists[way.list];
        let mut node = self.root;
        for step in steps.iter().take(way.length).copied().chain(more).skip(1) {
            node = match step {
                Step::Field(name) => self.decls.sized_field(node, name)?,
                Step::Elements => self.decls.elements(node)?,
                Step::Keys => self.decls.keys(node)?,
                Step::Start | Step::Indices => return None,
            };
        }
        let decl = self.decls.get(node);
        let before = decl.most_before.filter(|_| self.server == Server::Older);
        Some(Size { least: 0, most: before.unwrap_or(decl.most) })
    }

    pub(super) fn size(&mut self, id: NodeId) -> Option<Size> {
        if let Some(size) = self.sizes[id] {
            return Some(size);
        }
        if let Some(size) = written_size(self.tree.node(id)) {
            return Some(size);
        }
        if let Some(size) = self.way(id).and_then(|way| self.size_at(way, None)) {
            self.sizes[id] = Some(size);
            return Some(size);
        }
        if self.checked.types[id].is_scalar() {
            return Some(Size::exactly(1));
        }
        match self.tree.node(id) {
            Node::Name(name) => self.variable(name).and_then(|variable| variable.size),
            _ => None,
        }
    }

    pub(super) fn size_or_unknown(&mut self, id: NodeId) -> Size {
        self.size(id).unwrap_or(Size::UNKNOWN)
    }

    fn entries_of(&self, id: NodeId) -> Option<Entries> {
        if let Some(entries) = self.entries.get(&id) {
            return Some(*entries);
        }
        match self.tree.node(id) {
            Node::Name(name) => self.variable(name).and_then(|variable| variable.entries),
            _ => None,
        }
    }
}

/// The range of the sizes of parts, before the first is seen.
fn range(is_empty: bool) -> Size {
    Size { least: if is_empty { 0 } else { u64::MAX }, most: 0 }
}

/// The size of what is written out.
fn written_size(node: &Node) -> Option<Size> {
    let size = match node {
        Node::Literal(Literal::String(text)) => text.chars().count(),
        Node::Literal(Literal::Bytes(bytes)) => bytes.len(),
        Node::Literal(_) => 1,
        Node::List { elements, .. } => elements.len(),
        Node::Map(entries) => entries.len(),
        _ => return None,
    };
    Some(Size::exactly(size as u64))
}

/// The name of the operator that compares; it costs less between some values of Kubernetes' libraries.
pub(super) const EQUALS: &str = op::EQUALS;
