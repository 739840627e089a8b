//! The sizes of values, by which the server estimates what an expression costs (cel-go `checker/cost.go`, 0.29, with
//! apiextensions `pkg/apiserver/schema/cel/compilation.go`, 1.37).
//!
//! A size is a range: what a value has at least and at most of characters, bytes or elements. The sizes come from the
//! schema, by the way from `self` on which a value is read, and from what an expression builds.

use std::collections::HashMap;

use super::check::Checked;
use super::decls::Decls;
use super::syntax::{Literal, Node, NodeId, Tree};
use super::types::DeclId;

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
pub(super) struct Entries {
    pub is_list: bool,
    pub key: Size,
    pub value: Size,
}

impl Entries {
    pub(super) fn or(self, other: Self) -> Self {
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
pub(super) struct Variable<'a> {
    pub name: &'a str,
    pub way: Option<Way>,
    pub size: Option<Size>,
    pub entries: Option<Entries>,
}

/// Which server estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    /// One of Kubernetes 1.37.
    Newest,
    /// One that is older, for which names have any length.
    Older,
}

/// The state of an estimate.
pub(super) struct Coster<'a> {
    pub tree: &'a Tree,
    pub checked: &'a Checked,
    pub decls: &'a Decls,
    pub root: DeclId,
    pub server: Server,
    /// The way to each node, where it has one.
    pub ways: Vec<Option<Way>>,
    /// The steps of the ways, and for how many there is room.
    lists: Vec<(Vec<Step<'a>>, usize)>,
    pub sizes: Vec<Option<Size>>,
    pub entries: HashMap<NodeId, Entries>,
    pub variables: Vec<Variable<'a>>,
}

impl<'a> Coster<'a> {
    pub(super) fn new(tree: &'a Tree, checked: &'a Checked, decls: &'a Decls, root: DeclId, server: Server) -> Self {
        Self {
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
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<&Variable<'a>> {
        self.variables.iter().rev().find(|variable| variable.name == name)
    }

    pub(super) fn keep(&mut self, id: NodeId, size: Option<Size>, entries: Option<Entries>) {
        self.sizes[id] = size.or(self.sizes[id]);
        if let Some(entries) = entries {
            self.entries.insert(id, entries);
        }
    }

    /// A variable that stands for a node.
    pub(super) fn named(&mut self, name: &'a str, id: NodeId) -> Variable<'a> {
        Variable { name, way: self.way(id), size: self.size(id), entries: self.entries_of(id) }
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
    pub(super) fn longer(&mut self, way: Option<Way>, step: Step<'a>) -> Way {
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

    pub(super) fn entries_of(&self, id: NodeId) -> Option<Entries> {
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
pub(super) fn range(is_empty: bool) -> Size {
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
