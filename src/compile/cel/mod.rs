//! The rules in CEL of a schema: what they read, and whether the API server takes them.
//!
//! Two questions are asked here. [`reads()`] says which fields an expression may read, for schemas from which fields are
//! taken away. [`check_rules`] says whether the server takes the rules of a schema: it declares the schema's types
//! ([`decls`]), finds the types of each expression ([`check`]), computes what the server computes of literals
//! ([`literals`]) and estimates the cost ([`cost`]). Nothing is evaluated, and nothing here changes a schema.
//!
//! Only the parser of the `cel` crate is used. Everything else follows cel-go 0.29 and Kubernetes 1.37, read in their
//! sources and compared with them over mutated rules; what only some of the supported servers take is said as such.

mod call_costs;
mod check;
mod cost;
mod decls;
mod field_path;
mod functions;
mod literals;
mod macros;
mod names;
mod reads;
mod rules;
mod sizes;
mod syntax;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use reads::{leads_through, one_line, reads, selects};
pub(crate) use rules::{ProblemKind, check_rules};
