//! The macros that the `cel` crate leaves as calls, in the form to which the server expands them (cel-go
//! `cel/library.go`, `ext/comprehensions.go`, `ext/lists.go`, 0.29): types and costs follow from that form.

use cel::common::ast::operators as op;

use super::syntax::{Literal, Loop, Node, NodeId, RESULT, Tree, Unparsed, is_result, overwrites};

impl Tree {
    fn name_of(&self, id: NodeId) -> Result<String, Unparsed> {
        match self.node(id) {
            Node::Name(name) => Ok(name.clone()),
            _ => Err(Unparsed::Invalid("the variable of a macro must be a simple name".to_owned())),
        }
    }

    fn two_names(&self, [key, value]: [NodeId; 2]) -> Result<(String, Option<String>), Unparsed> {
        let (key, value) = (self.name_of(key)?, self.name_of(value)?);
        if key == value {
            return Err(Unparsed::Invalid(format!("the variable `{key}` is named twice")));
        }
        if is_result(&key) || is_result(&value) {
            return Err(overwrites());
        }
        Ok((key, Some(value)))
    }

    fn literal(&mut self, value: Literal) -> Result<NodeId, Unparsed> {
        self.push(Node::Literal(value))
    }

    fn global(&mut self, function: &str, args: &[NodeId]) -> Result<NodeId, Unparsed> {
        self.push(Node::Call { function: function.to_owned(), target: None, args: args.to_vec() })
    }

    fn member(&mut self, function: &str, target: NodeId, args: &[NodeId]) -> Result<NodeId, Unparsed> {
        self.push(Node::Call { function: function.to_owned(), target: Some(target), args: args.to_vec() })
    }

    fn result(&mut self) -> Result<NodeId, Unparsed> {
        self.push(Node::Name(RESULT.to_owned()))
    }

    /// A loop over nothing, which binds a variable for the result alone.
    fn bind(&mut self, variable: String, value: NodeId, result: NodeId) -> Result<NodeId, Unparsed> {
        let range = self.push(Node::List { elements: Vec::new(), optional: Vec::new() })?;
        let condition = self.literal(Literal::Bool(false))?;
        let step = self.push(Node::Name(variable.clone()))?;
        self.push(Node::Loop(Box::new(Loop {
            range,
            variable: "#unused".to_owned(),
            second: None,
            result_variable: variable,
            start: value,
            condition,
            step,
            result,
        })))
    }

    /// `target.optMap(variable, result)` is `target.hasValue() ? optional.of(result with target's value) : none`.
    pub(super) fn optional(
        &mut self,
        wrapped: bool,
        target: NodeId,
        variable: NodeId,
        result: NodeId,
    ) -> Result<NodeId, Unparsed> {
        let variable = self.name_of(variable)?;
        let copy = self.copy(target)?;
        let has = self.member("hasValue", target, &[])?;
        let value = self.member("value", copy, &[])?;
        let bound = self.bind(variable, value, result)?;
        let some = if wrapped { self.optional_call("of", &[bound])? } else { bound };
        let none = self.optional_call("none", &[])?;
        self.global(op::CONDITIONAL, &[has, some, none])
    }

    fn optional_call(&mut self, name: &str, args: &[NodeId]) -> Result<NodeId, Unparsed> {
        self.global(&format!("optional.{name}"), args)
    }

    pub(super) fn quantifier(
        &mut self,
        name: &str,
        range: NodeId,
        names: [NodeId; 2],
        predicate: NodeId,
    ) -> Result<NodeId, Unparsed> {
        let (variable, second) = self.two_names(names)?;
        let (start, condition, step, result);
        match name {
            "all" => {
                start = self.literal(Literal::Bool(true))?;
                let so_far = self.result()?;
                condition = self.global(op::NOT_STRICTLY_FALSE, &[so_far])?;
                let so_far = self.result()?;
                step = self.global(op::LOGICAL_AND, &[so_far, predicate])?;
                result = self.result()?;
            }
            "exists" => {
                start = self.literal(Literal::Bool(false))?;
                let so_far = self.result()?;
                let not = self.global(op::LOGICAL_NOT, &[so_far])?;
                condition = self.global(op::NOT_STRICTLY_FALSE, &[not])?;
                let so_far = self.result()?;
                step = self.global(op::LOGICAL_OR, &[so_far, predicate])?;
                result = self.result()?;
            }
            _ => {
                start = self.literal(Literal::Int(0))?;
                condition = self.literal(Literal::Bool(true))?;
                let (so_far, one) = (self.result()?, self.literal(Literal::Int(1))?);
                let more = self.global(op::ADD, &[so_far, one])?;
                let so_far = self.result()?;
                step = self.global(op::CONDITIONAL, &[predicate, more, so_far])?;
                let (so_far, one) = (self.result()?, self.literal(Literal::Int(1))?);
                result = self.global(op::EQUALS, &[so_far, one])?;
            }
        }
        self.looped(range, variable, second, [start, condition, step, result])
    }

    pub(super) fn looped(
        &mut self,
        range: NodeId,
        variable: String,
        second: Option<String>,
        [start, condition, step, result]: [NodeId; 4],
    ) -> Result<NodeId, Unparsed> {
        let result_variable = RESULT.to_owned();
        let looped = Loop { range, variable, second, result_variable, start, condition, step, result };
        self.push(Node::Loop(Box::new(looped)))
    }

    pub(super) fn transform(
        &mut self,
        name: &str,
        range: NodeId,
        names: [NodeId; 2],
        filter: Option<NodeId>,
        transformed: NodeId,
    ) -> Result<NodeId, Unparsed> {
        let (variable, second) = self.two_names(names)?;
        let so_far = self.result()?;
        let (start, mut step);
        match name {
            "transformList" => {
                start = self.push(Node::List { elements: Vec::new(), optional: Vec::new() })?;
                let one = self.push(Node::List { elements: vec![transformed], optional: Vec::new() })?;
                step = self.global(op::ADD, &[so_far, one])?;
            }
            "transformMap" => {
                start = self.push(Node::Map(Vec::new()))?;
                let key = self.push(Node::Name(variable.clone()))?;
                step = self.global("cel.@mapInsert", &[so_far, key, transformed])?;
            }
            _ => {
                start = self.push(Node::Map(Vec::new()))?;
                step = self.global("cel.@mapInsert", &[so_far, transformed])?;
            }
        }
        if let Some(filter) = filter {
            let so_far = self.result()?;
            step = self.global(op::CONDITIONAL, &[filter, step, so_far])?;
        }
        let condition = self.literal(Literal::Bool(true))?;
        let result = self.result()?;
        self.looped(range, variable, second, [start, condition, step, result])
    }

    /// `list.sortBy(variable, key)` binds the list and sorts it by the list of the keys.
    pub(super) fn sort_by(&mut self, list: NodeId, variable: NodeId, key: NodeId) -> Result<NodeId, Unparsed> {
        const INPUT: &str = "@__sortBy_input__";
        if matches!(self.node(list), Node::Literal(_) | Node::Map(_) | Node::Message(_)) {
            return Err(Unparsed::Invalid("`sortBy` is only for lists".to_owned()));
        }
        let variable = self.name_of(variable)?;
        if is_result(&variable) {
            return Err(overwrites());
        }
        if self.newer.is_none() {
            self.newer = Some(("sortBy", 35));
        }
        let range = self.push(Node::Name(INPUT.to_owned()))?;
        let start = self.push(Node::List { elements: Vec::new(), optional: Vec::new() })?;
        let condition = self.literal(Literal::Bool(true))?;
        let so_far = self.result()?;
        let one = self.push(Node::List { elements: vec![key], optional: Vec::new() })?;
        let step = self.global(op::ADD, &[so_far, one])?;
        let result = self.result()?;
        let keys = self.looped(range, variable, None, [start, condition, step, result])?;
        let input = self.push(Node::Name(INPUT.to_owned()))?;
        let sorted = self.member("@sortByAssociatedKeys", input, &[keys])?;
        self.bind(INPUT.to_owned(), list, sorted)
    }
}
