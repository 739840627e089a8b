//! What an expression costs at most, as the server estimates it (cel-go `checker/cost.go`, 0.29). Of costs only the
//! most is kept.

use super::call_costs;
use super::check::Checked;
use super::decls::Decls;
use super::functions::Overload;
use super::sizes::{Coster, Entries, Server, Size, Step, Variable, range};
use super::syntax::{Literal, Loop, Node, NodeId, Tree};
use super::types::{DeclId, Type};

/// Estimates the most that an expression costs. `root` is what it calls `self`.
pub(super) fn estimate(tree: &Tree, checked: &Checked, decls: &Decls, root: DeclId, server: Server) -> u64 {
    let mut coster = Coster::new(tree, checked, decls, root, server);
    coster.cost(tree.root)
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
}
