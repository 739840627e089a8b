//! Which hidden fields a CEL expression may read (`derivation.md` R4).
//!
//! A rule is kept when nothing in it can read a field that is hidden below its node. The `cel` crate parses the
//! expression; this module walks the syntax tree and knows of every value from where in the object it may come: from
//! `self`, through fields, indexes, the variables of macros, conditionals and lists that are built. Where a value comes
//! from a function that is not known here, each field read from it counts as any field of that name. So a rule may go
//! that could have stayed, but no rule stays that does not compile. An expression that cannot be parsed may read
//! anything.

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use super::names::escaped;
use super::syntax;
use crate::model::path::{FieldPath, Segment};

/// The expression cannot be parsed, so nobody knows what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be parsed")]
pub(crate) struct Unparsed;

fn parse(expression: &str) -> Result<IdedExpr, Unparsed> {
    syntax::parse(expression).map_err(|_| Unparsed)
}

/// The names of the fields among `hidden` that an expression may read, in order and without repetition. The paths
/// start at the node that the expression calls `self`.
///
/// # Errors
/// When the expression cannot be parsed.
pub(crate) fn reads(expression: &str, hidden: &BTreeSet<FieldPath>) -> Result<Vec<String>, Unparsed> {
    if hidden.is_empty() {
        return Ok(Vec::new());
    }
    let hidden = hidden.iter().collect();
    let mut walk = Walk { hidden, read: BTreeSet::new(), selected: BTreeSet::new(), variables: Vec::new() };
    walk.value(&parse(expression)?.expr);
    Ok(walk.read.into_iter().collect())
}

/// The names among `names` that an expression selects as fields, from whatever value.
///
/// # Errors
/// When the expression cannot be parsed.
pub(crate) fn selects(expression: &str, names: &BTreeSet<String>) -> Result<Vec<String>, Unparsed> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut walk = Walk { hidden: Vec::new(), read: BTreeSet::new(), selected: BTreeSet::new(), variables: Vec::new() };
    walk.value(&parse(expression)?.expr);
    Ok(names.iter().filter(|name| walk.selected.iter().any(|word| is_name(word, name))).cloned().collect())
}

/// The last names of the paths among `hidden` that the `fieldPath` of a rule leads to or through: a path of fields,
/// not an expression.
///
/// # Errors
/// When it is no such path.
pub(crate) fn leads_through(field_path: &str, hidden: &BTreeSet<FieldPath>) -> Result<Vec<String>, Unparsed> {
    let path = FieldPath::parse(field_path).map_err(|_| Unparsed)?;
    let leads = |hidden: &&FieldPath| {
        let steps = path.segments().iter().map(Step::of);
        hidden.segments().len() <= path.segments().len() && steps.zip(hidden.segments()).all(|(s, h)| s.takes(h))
    };
    let found = hidden.iter().filter(leads);
    Ok(found.filter_map(last_name).collect::<BTreeSet<_>>().into_iter().collect())
}

/// Where in the object a value may come from.
#[derive(Debug, Clone, Default)]
struct Origin {
    /// For each hidden path that the value may lead to: its index, and how many segments of it are behind already.
    /// A value that leads to no hidden field has none.
    towards: BTreeSet<(usize, usize)>,
    /// Whether it may be any value at all.
    unknown: bool,
    /// What the elements of a list or map come from that the expression itself builds.
    elements: Option<Box<Origin>>,
}

impl Origin {
    fn unknown() -> Self {
        Self { unknown: true, ..Self::default() }
    }

    /// A list or map of such values.
    fn of_elements(self) -> Self {
        Self { elements: Some(Box::new(self)), ..Self::default() }
    }

    fn or(mut self, other: Self) -> Self {
        self.towards.extend(other.towards);
        self.unknown |= other.unknown;
        self.elements = match (self.elements, other.elements) {
            (Some(one), Some(other)) => Some(Box::new(one.or(*other))),
            (one, other) => one.or(other),
        };
        self
    }
}

/// A step from a value to one within it.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    /// To a field, or to the value of a key of a map.
    Field(&'a str),
    /// To any element of a list or map.
    Element,
}

impl<'a> Step<'a> {
    fn of(segment: &'a Segment) -> Self {
        match segment {
            Segment::Property(name) => Self::Field(name),
            Segment::Items | Segment::Values => Self::Element,
        }
    }

    fn takes(self, segment: &Segment) -> bool {
        match (self, segment) {
            (Step::Field(word), Segment::Property(name)) => is_name(word, name),
            (Step::Field(_), Segment::Values) | (Step::Element, _) => true,
            (Step::Field(_), Segment::Items) => false,
        }
    }
}

struct Walk<'h> {
    hidden: Vec<&'h FieldPath>,
    /// The names of hidden fields that are read.
    read: BTreeSet<String>,
    /// Every name that is selected.
    selected: BTreeSet<String>,
    /// The variables of macros, innermost last.
    variables: Vec<(String, Origin)>,
}

impl Walk<'_> {
    fn value(&mut self, expr: &Expr) -> Origin {
        match expr {
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => {
                let from = self.value(&select.operand.expr);
                self.step(from, Step::Field(&select.field))
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(macro_) => self.comprehension(macro_),
            Expr::List(list) => self.any_of(&list.elements).of_elements(),
            Expr::Map(map) => {
                let entries = map.entries.iter().map(|entry| &entry.expr);
                entries.fold(Origin::default(), |all, entry| all.or(self.entry(entry))).of_elements()
            }
            Expr::Struct(made) => {
                for entry in &made.entries {
                    self.entry(&entry.expr);
                }
                Origin::unknown()
            }
            Expr::Literal(_) => Origin::default(),
            Expr::Unspecified => Origin::unknown(),
        }
    }

    /// What a key or value of an entry comes from. To iterate over a map is to iterate over its keys.
    fn entry(&mut self, entry: &EntryExpr) -> Origin {
        match entry {
            EntryExpr::StructField(field) => self.value(&field.value.expr),
            EntryExpr::MapEntry(entry) => self.value(&entry.key.expr).or(self.value(&entry.value.expr)),
        }
    }

    fn any_of(&mut self, values: &[IdedExpr]) -> Origin {
        values.iter().fold(Origin::default(), |all, one| all.or(self.value(&one.expr)))
    }

    fn variable(&self, name: &str) -> Origin {
        if let Some((_, origin)) = self.variables.iter().rev().find(|(variable, _)| variable == name) {
            return origin.clone();
        }
        match name {
            "self" | "oldSelf" => {
                Origin { towards: (0..self.hidden.len()).map(|i| (i, 0)).collect(), ..Origin::default() }
            }
            _ => Origin::unknown(),
        }
    }

    fn step(&mut self, from: Origin, step: Step<'_>) -> Origin {
        let mut to = from.elements.map(|elements| *elements).unwrap_or_default();
        to.unknown |= from.unknown;
        if let Step::Field(word) = step {
            self.selected.insert(word.to_owned());
            if from.unknown {
                let named = self.hidden.iter().filter_map(|path| last_name(path)).filter(|name| is_name(word, name));
                self.read.extend(named);
            }
        }
        for (index, behind) in from.towards {
            let segments = self.hidden[index].segments();
            if !segments.get(behind).is_some_and(|segment| step.takes(segment)) {
                continue;
            }
            if behind + 1 == segments.len() {
                self.read.extend(last_name(self.hidden[index]));
            } else {
                to.towards.insert((index, behind + 1));
            }
        }
        to
    }

    fn call(&mut self, call: &CallExpr) -> Origin {
        let name = call.func_name.as_str();
        match (name, &call.target, call.args.as_slice()) {
            (operators::CONDITIONAL, None, [condition, then, otherwise]) => {
                self.value(&condition.expr);
                self.value(&then.expr).or(self.value(&otherwise.expr))
            }
            // Lists that are joined.
            (operators::ADD, None, terms) => self.any_of(terms),
            (operators::INDEX | operators::OPT_INDEX | operators::OPT_SELECT, None, [from, key]) => {
                let from = self.value(&from.expr);
                match &key.expr {
                    Expr::Literal(LiteralValue::String(text)) => self.step(from, Step::Field(text.inner())),
                    key => {
                        self.value(key);
                        self.step(from, Step::Element)
                    }
                }
            }
            (_, None, terms) if is_scalar_operator(name) => {
                self.any_of(terms);
                Origin::default()
            }
            // Of optional values.
            ("value", Some(target), []) => self.value(&target.expr),
            ("or" | "orValue", Some(target), [otherwise]) => self.value(&target.expr).or(self.value(&otherwise.expr)),
            ("optMap" | "optFlatMap", Some(target), [IdedExpr { expr: Expr::Ident(variable), .. }, result]) => {
                let bound = self.value(&target.expr);
                self.with([(variable.clone(), bound)], |walk| walk.value(&result.expr))
            }
            (_, target, args) => {
                if let Some(target) = target {
                    self.value(&target.expr);
                }
                // It may be a macro that the parser does not know; a bare name may then be a variable of it, which
                // may have the name `self`.
                let name = |arg: &IdedExpr| match &arg.expr {
                    Expr::Ident(name) if target.is_some() => Some((name.clone(), Origin::unknown())),
                    _ => None,
                };
                self.with(args.iter().filter_map(name), |walk| walk.any_of(args));
                Origin::unknown()
            }
        }
    }

    /// `all`, `exists`, `map`, `filter` and their like, as the parser expands them to loops.
    fn comprehension(&mut self, looped: &ComprehensionExpr) -> Origin {
        let range = self.value(&looped.iter_range.expr);
        let element = self.step(range, Step::Element);
        let start = self.value(&looped.accu_init.expr);
        let variables = [Some(&looped.iter_var), looped.iter_var2.as_ref()].into_iter().flatten();
        let variables: Vec<_> = variables.map(|name| (name.clone(), element.clone())).collect();
        let accumulator = looped.accu_var.clone();
        let next = self.with([(accumulator.clone(), start.clone())], |walk| {
            walk.with(variables, |walk| {
                walk.value(&looped.loop_cond.expr);
                walk.value(&looped.loop_step.expr)
            })
        });
        self.with([(accumulator, start.or(next))], |walk| walk.value(&looped.result.expr))
    }

    fn with<T>(
        &mut self,
        variables: impl IntoIterator<Item = (String, Origin)>,
        walk: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.variables.len();
        self.variables.extend(variables);
        let result = walk(self);
        self.variables.truncate(before);
        result
    }
}

/// Operators whose result has no fields.
fn is_scalar_operator(name: &str) -> bool {
    use operators as op;
    let logical = [op::LOGICAL_AND, op::LOGICAL_OR, op::LOGICAL_NOT, op::NOT_STRICTLY_FALSE, op::IN];
    let numeric = [op::SUBSTRACT, op::MULTIPLY, op::DIVIDE, op::MODULO, op::NEGATE];
    let comparing = [op::EQUALS, op::NOT_EQUALS, op::GREATER_EQUALS, op::LESS_EQUALS, op::GREATER, op::LESS];
    logical.contains(&name) || numeric.contains(&name) || comparing.contains(&name)
}

fn last_name(path: &FieldPath) -> Option<String> {
    path.segments().iter().rev().find_map(|s| if let Segment::Property(n) = s { Some(n.clone()) } else { None })
}

/// Whether a word of an expression is the property `name`, escaped or in backticks.
fn is_name(word: &str, name: &str) -> bool {
    word == name || word == escaped(name)
}

/// The text of a rule on one line, cut after 100 characters.
pub(crate) fn one_line(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match joined.char_indices().nth(100) {
        Some((cut, _)) => format!("{}…", &joined[..cut]),
        None => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(hidden: &[&str]) -> BTreeSet<FieldPath> {
        hidden.iter().map(|s| FieldPath::parse(s).unwrap()).collect()
    }

    fn hits(expression: &str, hidden: &[&str]) -> Vec<String> {
        reads(expression, &paths(hidden)).unwrap()
    }

    #[test]
    fn fields_are_read_and_functions_are_not() {
        assert_eq!(hits("has(self.tls) ? self.tls.mode : true", &["tls", "size"]), ["tls"]);
        assert!(hits("self.items.size() < 3", &["size"]).is_empty());
        assert_eq!(hits("self.size < 3", &["size"]), ["size"]);
        assert_eq!(hits("self.items.all(x, has(x.port))", &[".items[].port"]), ["port"]);
        assert!(hits("self.items.all(x, has(x.port))", &["port"]).is_empty());
    }

    #[test]
    fn paths_from_self_are_followed() {
        assert!(hits("self.metadata.name.size() < 9", &[".list[].name", ".name"]).is_empty());
        assert_eq!(hits("self.tls.mode == 'x'", &[".tls"]), ["tls"]);
        assert_eq!(hits("self.?tls.?mode.orValue('') == ''", &[".tls.mode"]), ["mode"]);
        assert_eq!(hits("self.?tls[?'mode'].orValue('') == ''", &[".tls.mode"]), ["mode"]);
        assert!(hits("self.tls == oldSelf.tls", &[".tls.mode"]).is_empty());
        assert_eq!(hits("self.list[0].name == ''", &[".list[].name"]), ["name"]);
        assert_eq!(hits("self.map[self.key].name == ''", &[".map.*.name"]), ["name"]);
        assert_eq!(hits("self.map.main.name == ''", &[".map.*.name"]), ["name"]);
        assert_eq!(hits("'a' in self.tls.`x.y`", &[".tls['x.y']"]), ["x.y"]);
        assert_eq!(hits("self.a.b in self.c", &[".c"]), ["c"]);
        assert_eq!(hits("1 in self.ids && self .secret == 1", &[".secret"]), ["secret"]);
        assert_eq!(hits("(self.x ? self.a : self.b).name == ''", &[".b.name"]), ["name"]);
    }

    #[test]
    fn variables_of_macros_are_followed() {
        for hidden in [".list[].name", ".list[].tls.name"] {
            let name = hidden.trim_start_matches(".list[].");
            for expression in [
                format!("self.list.all(i, i.{name} != '')"),
                format!("self.list.exists_one(i, i.{name} != '')"),
                format!("self.list.filter(i, has(i.size)).all(i, has(i.{name}))"),
                format!("self.list.map(i, i.{name}).size() > 0"),
                format!("(self.list + self.more).exists(i, i.{name} != '')"),
                format!("[self.list[0], self.one].all(i, i.{name} != '')"),
                format!("{{'a': self.list[0]}}.a.{name} != ''"),
                format!("self.list.map(i, {{'x': i}}).all(m, m.x.{name} != '')"),
                format!("self.?list.optMap(l, l[0].{name}).orValue('') != ''"),
                format!("self.?list.orValue([]).all(i, i.{name} != '')"),
                format!("optionalOldSelf.value().list.all(i, i.{name} != '')"),
                format!("self.list.transformList(k, v, v.{name}).size() > 0"),
                format!("cel.bind(l, self.list, l[0].{name} != '')"),
            ] {
                assert_eq!(hits(&expression, &[hidden]), ["name"], "{expression}");
                assert!(hits(&expression, &[".list[].other", ".other"]).is_empty(), "{expression}");
            }
        }
        assert!(hits("self.list.map(i, i.tls).all(t, t.name != '')", &[".list[].name"]).is_empty());
    }

    /// A variable with the name `self` is not the object.
    #[test]
    fn a_variable_may_be_called_self() {
        assert!(hits("self.list.all(self, self.name != '')", &[".name"]).is_empty());
        assert_eq!(hits("self.list.all(self, self.name != '')", &[".list[].name"]), ["name"]);
        assert_eq!(hits("self.list.all(self, true) && self.name != ''", &[".name"]), ["name"]);
        assert_eq!(hits("self.list.transformList(k, self, self.name) == []", &[".list[].name"]), ["name"]);
        assert_eq!(hits("self.list.all(x, .self.name == x)", &[".name"]), ["name"]);
    }

    #[test]
    fn what_a_function_returns_may_be_anything() {
        assert_eq!(hits("dyn(self).name == ''", &[".name"]), ["name"]);
        assert_eq!(hits("dyn(self)[ 'tls' ] == ''", &["tls"]), ["tls"]);
        assert_eq!(hits("f(self.list).first().name == ''", &[".list[].name"]), ["name"]);
    }

    #[test]
    fn strings_are_no_fields_unless_they_are_keys() {
        assert!(hits("self.mode == 'tls' || self.mode == \"tls\"", &["tls"]).is_empty());
        assert!(hits(r"self.name.matches('it\'s tls')", &["tls"]).is_empty());
        assert!(hits("self.name == '''tls ' tls'''", &["tls"]).is_empty());
        assert!(hits(r"self.name.matches(r'\') && true", &["tls"]).is_empty());
        assert_eq!(hits("self['tls'] == 1 // self.size", &["tls", "size"]), ["tls"]);
    }

    #[test]
    fn escaped_names_are_recognised() {
        assert_eq!(hits("self.foo__dash__bar", &["foo-bar"]), ["foo-bar"]);
        assert_eq!(hits("self.__namespace__ == ''", &["namespace"]), ["namespace"]);
        assert_eq!(hits("self.`a.b/c`", &["['a.b/c']"]), ["a.b/c"]);
        assert_eq!(escaped("a__b"), "a__underscores__b");
    }

    #[test]
    fn names_are_found_wherever_they_are_selected() {
        let names = BTreeSet::from(["list".to_owned(), "name".to_owned(), "size".to_owned()]);
        assert_eq!(selects("self.list.all(i, i.name.size() > 0)", &names), Ok(vec!["list".into(), "name".into()]));
        assert_eq!(selects("self.list.all(", &names), Err(Unparsed));
        assert_eq!(selects("self.list.all(", &BTreeSet::new()), Ok(vec![]));
    }

    #[test]
    fn a_field_path_is_followed() {
        assert_eq!(leads_through(".tls.mode", &paths(&[".tls"])), Ok(vec!["tls".to_owned()]));
        assert_eq!(leads_through(".a['x.y']", &paths(&[".a['x.y']"])), Ok(vec!["x.y".to_owned()]));
        assert_eq!(leads_through(".map.main.mode", &paths(&[".map.*.mode"])), Ok(vec!["mode".to_owned()]));
        assert_eq!(leads_through(".tls", &paths(&[".tls.mode", ".mode"])), Ok(vec![]));
        assert_eq!(leads_through("tls mode", &paths(&[".tls"])), Err(Unparsed));
    }

    #[test]
    fn what_cannot_be_parsed_may_read_anything() {
        let hidden = paths(&[".tls"]);
        for bad in ["", "self.", "self.a ==", "'", "self.a `", "all(", "has(self)", "a\u{0}b", "(", "self.all(1, true)"]
        {
            assert_eq!(reads(bad, &hidden), Err(Unparsed), "{bad:?}");
        }
    }

    /// The parser and the walk recurse; neither overflows half of a thread's usual stack, whatever the expression.
    #[test]
    fn long_chains_and_deep_nesting_are_refused() {
        for (open, middle, close) in [
            ("", "self", ".a"),
            ("", "1", "+1"),
            ("", "1", " in 1"),
            ("", "self", "[0]"),
            ("", "self", ".f()"),
            ("!", "self", ""),
            ("(", "1", ")"),
            ("[", "", "]"),
            ("{1:", "1", "}"),
            ("self.all(x,", "true", ")"),
            ("a?b:", "1", ""),
            ("(", "", ""),
        ] {
            for n in [1, 10, 20, 30, 60, 80, 120, 250, 5_000, 50_000] {
                let text = format!("{}{middle}{}", open.repeat(n), close.repeat(n));
                let answer =
                    std::thread::Builder::new().stack_size(1 << 20).spawn(move || reads(&text, &paths(&[".a"])));
                let answer = answer.unwrap().join().unwrap();
                assert!(n < 5_000 || answer == Err(Unparsed), "{open}{middle}{close} {n} times");
            }
        }
    }
}
