//! The effects of a change of a schema: what it does to instances that are stored.
//!
//! A change is *safe* if a stored instance keeps its value when it is read, and if the
//! whole instance could be created again. It is *breaking* if it removes a field or
//! rejects its type, so that every value of it is dropped or refused; else it is
//! *tightening*. If the comparison cannot tell, the change counts as tightening: a
//! different pattern may accept more values than before, or fewer.
//!
//! `table` has the effect of each keyword, `shape` what a node says of the fields below
//! it, `relation` how two values of a keyword relate. This file walks both schemas, and
//! `values` compares the keywords of one node.

mod quote;
mod relation;
mod shape;
mod table;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeSet;

use serde_json::Value;

use self::shape::{Below, OF_ALL_OBJECTS, OPEN, Shape};
use self::table::{Change, effect};
use super::types::{Effect, Reason};
use crate::compile::schema;
use crate::model::path::{FieldPath, Segment};

/// Compares the schemas of a version at a node and everything below it, and adds the effects to `reasons`.
/// `version` begins each text; `at` is the path of the node.
pub(crate) fn compare(version: &str, old: &Value, new: &Value, at: &mut FieldPath, reasons: &mut Vec<Reason>) {
    let mut walk = Walk { version, reasons, ruled: 0, loose: 0 };
    walk.node(old, new, at);
}

struct Walk<'a> {
    version: &'a str,
    reasons: &'a mut Vec<Reason>,
    /// How many nodes from the root to this one have validation rules in the new schema.
    ruled: usize,
    /// How many nodes from the root to this one let server-side apply store fields that the old schema does not describe.
    loose: usize,
}

impl Walk<'_> {
    fn add(&mut self, effect: Effect, at: &FieldPath, what: &str) {
        let path = at.to_string();
        // The path of the root is not shown.
        let named = if path.is_empty() || path == "." { String::new() } else { format!(" {path}") };
        self.reasons.push(Reason { effect, text: format!("{}{named} {what}", self.version), path });
    }

    /// Compares two nodes, and everything below them.
    fn node(&mut self, old: &Value, new: &Value, at: &mut FieldPath) {
        let has_rules = usize::from(new.get("x-kubernetes-validations").is_some());
        let is_loose = usize::from(shape::is_loose(old, at.0.is_empty()));
        self.ruled += has_rules;
        self.loose += is_loose;
        if self.kind(old, new, at) {
            self.values(old, new, at);
            self.below(old, new, at);
        }
        self.ruled -= has_rules;
        self.loose -= is_loose;
    }

    /// Compares the types of two nodes. Returns whether there is more to compare.
    fn kind(&mut self, old: &Value, new: &Value, at: &FieldPath) -> bool {
        let (was, is) = (schema::type_name(old), schema::type_name(new));
        if was != is {
            let (before, after) = (schema::describe(old), schema::describe(new));
            if was.is_empty() {
                match shape::drops_fields(new) {
                    true => self.add(Effect::Breaking, at, "no longer accepts fields that are not in the schema"),
                    false => self.add(effect("type", Change::Added), at, &format!("accepts only {after}")),
                }
                self.default(old, new, at);
                return false;
            }
            let change = match relation::is_wider_type(was, is) {
                true => Change::Widened,
                false => Change::Moved,
            };
            let text = format!("changes type from {before} to {after}");
            if change == Change::Moved {
                self.add(effect("type", change), at, &text);
                return false;
            }
            self.add(effect("type", change), at, &format!("{text}, which accepts all old values"));
        }
        // A rule that holds for a value of one declaration need not hold for it in another: 3 / 2 is 1 or 1.5.
        if self.ruled > 0 && shape::declaration(old) != shape::declaration(new) {
            self.add(Effect::Tightening, at, "has another declaration for the validation rules around it");
        }
        true
    }

    /// Compares what is below two nodes: items, named fields, and all other fields.
    fn below(&mut self, old: &Value, new: &Value, at: &mut FieldPath) {
        // Of what accepts anything, the items are what it is itself.
        let is_list = |node: &Value| schema::type_name(node) == "array";
        if let (Some(before), Some(after)) = (shape::items(old), shape::items(new))
            && (is_list(old) || is_list(new))
        {
            self.deeper(Segment::Items, before, after, at);
        }
        let fields = |node: &Value| matches!(schema::type_name(node), "object" | "");
        if !fields(old) || !fields(new) {
            return;
        }
        let is_root = at.0.is_empty();
        let shape = |node| Shape { node, is_object: is_root || schema::is_embedded(node) };
        let (was, is) = (shape(old), shape(new));
        self.others(was, is, at);
        let mut names: BTreeSet<&str> = BTreeSet::new();
        names.extend(schema::properties(old).chain(schema::properties(new)).map(|(name, _)| name.as_str()));
        // If only one of them is a Kubernetes object, `values` has said so.
        if was.is_object || is.is_object {
            names.retain(|name| !OF_ALL_OBJECTS.contains(name));
        }
        if was.is_object && is.is_object {
            names.extend(OF_ALL_OBJECTS);
        }
        for name in names {
            self.field(name, was, is, at);
        }
        // A field can be required without being described.
        let undescribed = |name: &&str| schema::property(old, name).is_none() && schema::property(new, name).is_none();
        for name in schema::required(new).filter(undescribed) {
            if !schema::required(old).any(|r| r == name) {
                self.add(effect("required", Change::Added), &at.property(name), "becomes required");
            }
        }
    }

    fn deeper(&mut self, segment: Segment, old: &Value, new: &Value, at: &mut FieldPath) {
        at.0.push(segment);
        self.node(old, new, at);
        at.0.pop();
    }

    /// Compares the schemas of the fields that two nodes do not name.
    fn others(&mut self, was: Shape<'_>, is: Shape<'_>, at: &mut FieldPath) {
        let breaks = |keyword| effect(keyword, Change::Removed);
        match (was.others(), is.others()) {
            (Below::Described(old), Below::Described(new)) => self.deeper(Segment::Values, &old, &new, at),
            (Below::Described(old), Below::Open) => self.losses(Segment::Values, &old, at),
            (Below::Described(_), Below::Closed) => {
                self.add(breaks("additionalProperties"), at, "no longer accepts arbitrary keys");
            }
            (Below::Open, Below::Described(new)) => self.deeper(Segment::Values, &OPEN, &new, at),
            (Below::Open, Below::Closed) => self.add(
                breaks("x-kubernetes-preserve-unknown-fields"),
                at,
                "no longer accepts fields that are not in the schema",
            ),
            // A server drops what is in such an object when it reads it, not when it stores it.
            (Below::Closed, Below::Described(_) | Below::Open) if self.loose > 0 => {
                self.add(Effect::Tightening, at, "keeps fields that were dropped when they were read");
            }
            // There is nothing below: it was dropped.
            (Below::Closed, _) | (Below::Open, Below::Open) => {}
        }
    }

    /// Compares the schemas of a field that at least one of two nodes names.
    fn field(&mut self, name: &str, was: Shape<'_>, is: Shape<'_>, at: &mut FieldPath) {
        let here = at.property(name);
        let must = needs(is.node, name);
        let segment = || Segment::Property(name.to_owned());
        match (was.field(name), is.field(name)) {
            (Below::Described(old), Below::Described(new)) => {
                self.requirement(was.node, is.node, name, &here);
                self.deeper(segment(), &old, &new, at);
            }
            (Below::Described(old), Below::Open) => {
                let what = "is no longer in the schema, but its values are kept";
                self.add(Effect::Safe, &here, what);
                self.requirement(was.node, is.node, name, &here);
                self.losses(segment(), &old, at);
            }
            (Below::Described(old), Below::Closed) => {
                let what = format!("({}) is removed", schema::describe(&old));
                self.add(effect("properties", Change::Removed), &here, &what);
            }
            (Below::Open, Below::Described(new)) => {
                if must && !needs(was.node, name) {
                    let what = format!("({}) is new and required", schema::describe(&new));
                    self.add(effect("required", Change::Added), &here, &what);
                }
                self.deeper(segment(), &OPEN, &new, at);
            }
            (Below::Closed, Below::Described(new)) => {
                let kind = schema::describe(&new);
                match (must, new.get("default")) {
                    (true, _) => {
                        let what = format!("({kind}) is new and required");
                        self.add(effect("required", Change::Added), &here, &what);
                    }
                    (false, Some(_)) => {
                        let what = format!("({kind}) is new, and instances without it read its default at once");
                        self.add(effect("default", Change::Added), &here, &what);
                    }
                    (false, None) if self.loose > 0 => {
                        let what =
                            format!("({kind}) is new, and what server-side apply has stored of it is read at once");
                        self.add(Effect::Tightening, &here, &what);
                    }
                    (false, None) => {
                        self.add(effect("properties", Change::Added), &here, &format!("({kind}) is new"));
                    }
                }
            }
            (Below::Open | Below::Closed, Below::Open | Below::Closed) => {}
        }
    }

    /// Compares whether a field must be set.
    fn requirement(&mut self, old: &Value, new: &Value, name: &str, here: &FieldPath) {
        match (needs(old, name), needs(new, name)) {
            (false, true) => self.add(effect("required", Change::Added), here, "becomes required"),
            (true, false) => self.add(effect("required", Change::Removed), here, "is no longer required"),
            _ => {}
        }
    }

    /// What instances lose if a node is no longer described and its values are kept.
    fn losses(&mut self, segment: Segment, old: &Value, at: &mut FieldPath) {
        let known = self.reasons.len();
        self.deeper(segment, old, &OPEN, at);
        let mut index = 0;
        self.reasons.retain(|reason| {
            index += 1;
            index <= known || reason.effect > Effect::Safe
        });
    }
}

/// Whether a field must be set by who writes the object.
fn needs(node: &Value, name: &str) -> bool {
    let has_default = schema::property(node, name).is_some_and(|property| property.get("default").is_some());
    schema::required(node).any(|r| r == name) && !has_default
}
