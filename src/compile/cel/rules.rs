//! Whether the API server takes the rules of a schema (apiextensions `pkg/apis/apiextensions/validation/validation.go`
//! and `cel_validation.go`, 1.37).
//!
//! Whether the schema itself is sound is not asked here; the server asks that first, and compiles no rule of a schema
//! that is not structural.

use serde_json::Value;

use super::check::{Checked, Fault, Variables, check};
use super::cost::estimate;
use super::decls::{Decls, max, most_in_request};
use super::field_path;
use super::literals;
use super::sizes::Server;
use super::syntax::{Tree, Unparsed};
use super::types::{DeclId, Type};
use crate::yaml::tree::escape;

/// The most that one rule may cost.
const RULE_LIMIT: u64 = 10_000_000;
/// The most that all rules of a version may cost.
const SCHEMA_LIMIT: u64 = 100_000_000;
/// The least minor version of Kubernetes that carrier works with.
const OLDEST: u8 = 33;
/// The newest minor version of Kubernetes whose functions are known here.
const NEWEST: u8 = 37;
/// The key of the rules of a node.
const RULES: &str = "x-kubernetes-validations";
/// What a rule may give as its reason.
const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// How sure a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// The API server refuses the schema.
    Refused,
    /// Only the API server can say.
    Unjudged,
}

/// Something about a rule that the API server does not take, or that only the server can judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleProblem {
    /// The JSON pointer below the root of the schema to the very key; empty for the schema as a whole.
    pub pointer: String,
    pub kind: ProblemKind,
    /// What is wrong, without the place.
    pub message: String,
}

/// Checks all rules of the schema of one version: `root` is its `openAPIV3Schema`. The problems are in the order of the
/// schema. The time is linear in the size of the schema.
#[must_use]
pub(crate) fn check_rules(root: &Value) -> Vec<RuleProblem> {
    let mut walk = Walk::over(root);
    if walk.total > SCHEMA_LIMIT {
        let by = times_over(walk.total, SCHEMA_LIMIT);
        let message = format!("all rules together are estimated to cost {by} what a version may: {HOW_TO_MEND}");
        walk.problems.push(RuleProblem { pointer: String::new(), kind: ProblemKind::Refused, message });
    }
    walk.problems
}

const HOW_TO_MEND: &str =
    "simplify the rules, or give the lists, maps and strings that they read maxItems, maxProperties and maxLength";

/// What is known of the types of a node from those above.
#[derive(Debug, Clone, Copy)]
enum Types {
    /// No rule stands above, and nothing is declared yet.
    Outside,
    /// A node above cannot be declared.
    Failed,
    Declared(DeclId),
}

/// What a node must know of those above.
struct Context<'c> {
    is_root: bool,
    types: Types,
    /// How often the node may stand in an object, where every list and map above has a limit.
    times: Option<u64>,
    /// The first list above whose items cannot be told apart.
    list: Option<&'c str>,
    /// The junctor that the node is part of.
    junctor: Option<&'static str>,
}

struct Walk {
    problems: Vec<RuleProblem>,
    decls: Decls,
    total: u64,
    /// Where the walk is.
    pointer: String,
    /// The cost of each expression, and how often it runs.
    #[cfg(test)]
    costs: Vec<(String, u64, u64)>,
}

/// A step to a node below.
enum Step<'s> {
    Property(&'s str),
    Elements,
}

impl Walk {
    fn over(root: &Value) -> Self {
        let mut walk = Self {
            problems: Vec::new(),
            decls: Decls::default(),
            total: 0,
            pointer: String::new(),
            #[cfg(test)]
            costs: Vec::new(),
        };
        walk.node(root, &Context { is_root: true, types: Types::Outside, times: Some(1), list: None, junctor: None });
        walk
    }

    fn node(&mut self, schema: &Value, context: &Context<'_>) {
        if !schema.is_object() {
            return;
        }
        let rules = schema.get(RULES).and_then(Value::as_array).filter(|rules| !rules.is_empty());
        let mut types = context.types;
        if let Some(junctor) = context.junctor {
            if rules.is_some() {
                let message = format!("rules cannot stand below `{junctor}`; move them beside it");
                self.refuse(&format!("/{RULES}"), message);
            }
        } else if let (Types::Outside, Some(_)) = (types, rules) {
            types = self.declare(schema, context.is_root);
        }
        if let (Some(rules), None) = (rules, context.junctor) {
            self.rules(schema, rules, types, context);
        }
        self.below(schema, types, context);
        for junctor in ["allOf", "anyOf", "oneOf"] {
            for (index, part) in schema.get(junctor).and_then(Value::as_array).into_iter().flatten().enumerate() {
                self.within(&format!("/{junctor}/{index}"), |walk| walk.junctor(part, junctor, context));
            }
        }
        if let Some(part) = schema.get("not") {
            self.within("/not", |walk| walk.junctor(part, "not", context));
        }
    }

    fn junctor(&mut self, part: &Value, junctor: &'static str, context: &Context<'_>) {
        let junctor = Some(context.junctor.unwrap_or(junctor));
        self.node(part, &Context { is_root: false, types: Types::Outside, junctor, ..*context });
    }

    fn declare(&mut self, schema: &Value, is_root: bool) -> Types {
        let embedded = schema.get("x-kubernetes-embedded-resource").and_then(Value::as_bool).unwrap_or(false);
        self.decls.declare(schema, is_root || embedded).map_or(Types::Failed, Types::Declared)
    }

    fn below(&mut self, schema: &Value, types: Types, context: &Context<'_>) {
        let times = context.times.and_then(|times| Some(times.saturating_mul(elements(schema)?)));
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let pointer = format!("/properties/{}", escape(name));
            let has_rules = property.get(RULES).and_then(Value::as_array).is_some_and(|rules| !rules.is_empty());
            if context.is_root && name == "metadata" && has_rules {
                let message = "metadata has no rules of its own; write them at the root, or at its `name`";
                self.refuse(&format!("{pointer}/{RULES}"), message);
                continue;
            }
            let context = Context { is_root: false, types, times, ..*context };
            self.within(&pointer, |walk| walk.child(property, &Step::Property(name), &context));
        }
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            let is_map = schema.get("x-kubernetes-list-type").and_then(Value::as_str) == Some("map");
            let at = self.pointer.clone();
            let list = context.list.or(if is_map { None } else { Some(&at) });
            let context = Context { is_root: false, types, times, list, ..*context };
            self.within("/items", |walk| walk.child(items, &Step::Elements, &context));
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            let context = Context { is_root: false, types, times, ..*context };
            self.within("/additionalProperties", |walk| walk.child(values, &Step::Elements, &context));
        }
    }

    fn within(&mut self, step: &str, walk: impl FnOnce(&mut Self)) {
        let before = self.pointer.len();
        self.pointer.push_str(step);
        walk(self);
        self.pointer.truncate(before);
    }

    fn child(&mut self, schema: &Value, step: &Step<'_>, context: &Context<'_>) {
        let types = match context.types {
            Types::Declared(above) => {
                let found = match step {
                    Step::Property(name) => self.decls.property(above, name),
                    Step::Elements => self.decls.elements(above),
                };
                found.map_or_else(|| self.declare(schema, false), Types::Declared)
            }
            other => other,
        };
        self.node(schema, &Context { types, ..*context });
    }

    fn refuse(&mut self, below: &str, message: impl Into<String>) {
        self.say(below, Fault::Refused(message.into()));
    }

    fn say(&mut self, below: &str, fault: Fault) {
        let pointer = format!("{}{below}", self.pointer);
        let (kind, message) = match fault {
            Fault::Refused(message) => (ProblemKind::Refused, message),
            Fault::Unjudged(message) => (ProblemKind::Unjudged, message),
        };
        self.problems.push(RuleProblem { pointer, kind, message });
    }

    fn rules(&mut self, schema: &Value, rules: &[Value], types: Types, context: &Context<'_>) {
        for (index, rule) in rules.iter().enumerate() {
            self.texts(schema, rule, &format!("/{RULES}/{index}"));
        }
        let Types::Declared(id) = types else {
            let message = "the node has no type that rules can read: a list without typed items, or no `type` at all";
            self.refuse(&format!("/{RULES}"), message);
            return;
        };
        for (index, rule) in rules.iter().enumerate() {
            self.rule(rule, id, context, &format!("/{RULES}/{index}"));
        }
    }

    /// What is asked of the texts of a rule.
    fn texts(&mut self, schema: &Value, rule: &Value, at: &str) {
        let (text, message) = (text(rule, "rule"), text_of(rule, "message"));
        let has_breaks = |text: &str| text.contains(['\n', '\r']);
        let trimmed = message.unwrap_or_default().trim();
        if text.trim().is_empty() {
            // There is no key to point at where the rule is missing.
            let key = if rule.get("rule").is_some() { "/rule" } else { "" };
            self.refuse(&format!("{at}{key}"), "the rule is empty");
        } else if message.is_some_and(|message| !message.is_empty()) && trimmed.is_empty() {
            self.refuse(&format!("{at}/message"), "the message is blank; leave it out or write one");
        } else if has_breaks(trimmed) {
            self.refuse(&format!("{at}/message"), "the message has a line break");
        } else if has_breaks(text.trim()) && trimmed.is_empty() {
            self.refuse(&format!("{at}/rule"), "a rule with line breaks needs a `message`");
        }
        let expression = text_of(rule, "messageExpression").unwrap_or_default();
        if !expression.is_empty() && expression.trim().is_empty() {
            self.refuse(&format!("{at}/messageExpression"), "the messageExpression is blank");
        }
        if let Some(reason) = text_of(rule, "reason").filter(|reason| !REASONS.contains(reason)) {
            let message = format!("`{reason}` is no reason; it must be one of {}", REASONS.join(", "));
            self.refuse(&format!("{at}/reason"), message);
        }
        let path = text_of(rule, "fieldPath").unwrap_or_default();
        if path.is_empty() {
            return;
        }
        let pointer = format!("{at}/fieldPath");
        if path.trim().is_empty() {
            self.refuse(&pointer, "the fieldPath is blank");
        } else if has_breaks(path) {
            self.refuse(&pointer, "the fieldPath has a line break");
        } else if let Err(why) = field_path::check(path, schema) {
            self.refuse(&pointer, why);
        }
    }

    /// Compiles a rule and its message.
    fn rule(&mut self, rule: &Value, id: DeclId, context: &Context<'_>, at: &str) {
        let text = text(rule, "rule");
        if text.trim().is_empty() {
            return;
        }
        let optional = rule.get("optionalOldSelf").and_then(Value::as_bool);
        let current = self.decls.get(id).type_.clone();
        let old = if optional == Some(true) { Type::optional(current.clone()) } else { current.clone() };
        let variables = Variables { current, old };
        match self.compile(text, &variables, id, &Type::Bool) {
            Ok((checked, cost)) => self.compiled(&checked, cost, id, optional.is_some(), context, at),
            Err(fault) => {
                let is_refused = matches!(fault, Fault::Refused(_));
                self.say(&format!("{at}/rule"), fault);
                if is_refused {
                    // The server does not read its message.
                    return;
                }
            }
        }
        let expression = text_of(rule, "messageExpression").unwrap_or_default();
        if expression.trim().is_empty() {
            return;
        }
        let pointer = format!("{at}/messageExpression");
        match self.compile(expression, &variables, id, &Type::String) {
            Ok((checked, cost)) => {
                if self.is_known(&pointer, &checked) {
                    self.cost(&pointer, cost, 1, "the messageExpression");
                }
            }
            Err(fault) => self.say(&pointer, fault),
        }
    }

    /// What is asked of a rule that compiles.
    fn compiled(
        &mut self,
        checked: &Checked,
        cost: Cost,
        id: DeclId,
        has_optional: bool,
        context: &Context<'_>,
        at: &str,
    ) {
        let pointer = format!("{at}/rule");
        if self.is_known(&pointer, checked) {
            let times = context.times.unwrap_or_else(|| most_in_request(self.decls.get(id).least));
            self.cost(&pointer, cost, times, "the rule");
        }
        if let (true, Some(list)) = (checked.uses_old_self, context.list) {
            let message = format!(
                "`oldSelf` cannot be read below `{list}`: the items of that list cannot be told apart; only those of x-kubernetes-list-type `map` can"
            );
            self.refuse(&pointer, message);
        }
        if has_optional && !checked.uses_old_self {
            let message = "optionalOldSelf is set, but the rule does not read `oldSelf`";
            self.refuse(&format!("{at}/optionalOldSelf"), message);
        }
    }

    fn compile(&self, text: &str, variables: &Variables, id: DeclId, wanted: &Type) -> Result<(Checked, Cost), Fault> {
        let tree = Tree::of(text).map_err(|error| match error {
            Unparsed::TooLarge => Fault::Unjudged("it is too long or too deeply nested to be checked here".to_owned()),
            Unparsed::Invalid(why) => Fault::Refused(format!("it is no expression of CEL: {why}")),
        })?;
        let checked = check(&tree, &self.decls, variables)?;
        literals::check(&tree, &checked)?;
        let made = &checked.types[tree.root];
        if made != wanted {
            return Err(Fault::Refused(format!("it makes a value of type {made}; {wanted} is needed")));
        }
        let cost = Cost {
            newest: estimate(&tree, &checked, &self.decls, id, Server::Newest),
            older: estimate(&tree, &checked, &self.decls, id, Server::Older),
        };
        Ok((checked, cost))
    }

    /// Says what not every server knows. Whether one of those that are known here does.
    fn is_known(&mut self, pointer: &str, checked: &Checked) -> bool {
        let Some((since, name)) = checked.since.as_ref().filter(|(since, _)| *since > OLDEST) else { return true };
        let name = if name.starts_with('`') { name.clone() } else { format!("`{name}`") };
        let message = format!("{name} is known from Kubernetes 1.{since} on; older API servers refuse it");
        self.say(pointer, Fault::Unjudged(message));
        *since <= NEWEST
    }

    fn cost(&mut self, pointer: &str, cost: Cost, times: u64, what: &str) {
        #[cfg(test)]
        self.costs.push((format!("{}{pointer}", self.pointer), cost.newest, times));
        let (cost, older) = (cost.newest.saturating_mul(times), cost.older.saturating_mul(times));
        self.total = self.total.saturating_add(cost);
        let estimated = |cost| format!("{what} is estimated to cost {} what one may", times_over(cost, RULE_LIMIT));
        if cost > RULE_LIMIT {
            self.refuse(pointer, format!("{}: {HOW_TO_MEND}", estimated(cost)));
        } else if older > RULE_LIMIT {
            let message = format!(
                "{} by API servers before 1.37, for which `metadata.name` has no greatest length; they refuse it",
                estimated(older)
            );
            self.say(pointer, Fault::Unjudged(message));
        }
    }
}

/// What an expression costs at most.
#[derive(Clone, Copy)]
struct Cost {
    newest: u64,
    /// For older servers.
    older: u64,
}

/// How many times a limit something is.
#[allow(clippy::cast_precision_loss)]
fn times_over(cost: u64, limit: u64) -> String {
    let factor = cost as f64 / limit as f64;
    if factor > 100.0 { "more than 100 times".to_owned() } else { format!("{factor:.2} times") }
}

/// How many children a node may have for each of its own; nothing where nothing limits it.
fn elements(schema: &Value) -> Option<u64> {
    match text(schema, "type") {
        "object" if schema.get("additionalProperties").is_some_and(|values| !values.is_null()) => {
            max(schema, "maxProperties")
        }
        "array" => max(schema, "maxItems"),
        _ => Some(1),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    text_of(value, key).unwrap_or_default()
}

fn text_of<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// The cost of each expression, and how often it runs, by its place.
#[cfg(test)]
pub(super) fn costs(root: &Value) -> Vec<(String, u64, u64)> {
    Walk::over(root).costs
}
