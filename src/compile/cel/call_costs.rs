//! What a call of a function costs, and the size of what it returns: apiserver `pkg/cel/library/cost.go` (1.37), cel-go
//! `checker/cost.go`, `ext/lists.go` and `ext/sets.go` (0.29).

use cel::common::ast::operators::EQUALS;

use super::sizes::{Coster, Size, Step, scaled};
use super::syntax::{Literal, Node, NodeId};
use super::types::Type;

/// What a call costs at most, without its arguments, and the size of its result where that matters.
pub(super) type Call = (u64, Option<Size>);

/// What to read one character costs.
const READ: f64 = 0.1;
/// What one character of a regular expression costs.
const PATTERN: f64 = 0.25;
/// The server's guess of the length of the patterns behind the named formats.
const FORMAT_PATTERN: f64 = 128.0;

/// Functions of the extensions that have an estimate of their own.
pub(super) fn of_extension(coster: &mut Coster<'_>, id: &str, target: Option<NodeId>, args: &[NodeId]) -> Option<Call> {
    let made = |factor: f64, size: Size| Some((size.at(factor).saturating_add(11), Some(size)));
    match (id, target, args) {
        ("list_sets_contains_list" | "list_sets_intersects_list" | "list_sets_equivalent_list", _, &[one, other]) => {
            let factor = if id == "list_sets_equivalent_list" { 2.0 } else { 1.0 };
            let size = coster.size_or_unknown(one).times(coster.size_or_unknown(other));
            Some((size.at(factor).saturating_add(1), None))
        }
        ("list_slice", Some(list), &[start, end]) => {
            let size = coster.size_or_unknown(list);
            let (start, end) = (number(coster, start, 0), number(coster, end, size.most));
            made(1.0, Size::exactly(end.wrapping_sub(start)))
        }
        ("list_flatten" | "list_flatten_int", Some(list), rest) if rest.len() <= 1 => {
            let depth = rest.first().map_or(1, |depth| number(coster, *depth, u64::MAX));
            let size = coster.size_or_unknown(list);
            #[allow(clippy::cast_precision_loss)]
            made(depth as f64, size)
        }
        ("lists_range", None, &[end]) => made(1.0, Size::exactly(number(coster, end, u64::MAX))),
        ("list_reverse", Some(list), []) => made(1.0, coster.size_or_unknown(list)),
        ("list_distinct", Some(list), []) => {
            let size = coster.size_or_unknown(list);
            made(2.0, size.times(size))
        }
        _ => {
            let sorted = id.strip_prefix("list_")?;
            let (element, node) = match (sorted.strip_suffix("_sort"), target, args) {
                (Some(element), Some(list), []) => (element, list),
                _ => match (sorted.strip_suffix("_sortByAssociatedKeys"), args) {
                    (Some(element), &[keys]) => (element, keys),
                    _ => return None,
                },
            };
            let size = coster.size_or_unknown(node);
            made(if matches!(element, "string" | "bytes") { 2.1 } else { 2.0 }, size.times(size))
        }
    }
}

/// A number that is written out, at least 0.
fn number(coster: &Coster<'_>, id: NodeId, otherwise: u64) -> u64 {
    match coster.tree.node(id) {
        Node::Literal(Literal::Int(number)) => u64::try_from(*number).unwrap_or(0),
        _ => otherwise,
    }
}

/// The size of a list's elements and whether they are text; nothing where it is not known to be a list.
fn elements(coster: &Coster<'_>, list: NodeId) -> Option<(Size, bool)> {
    let element = match &coster.checked.types[list] {
        Type::List(of) | Type::Optional(of) | Type::Kind(of) => of,
        Type::Map(of) => &of.0,
        _ => return None,
    };
    let size = coster.way(list).and_then(|way| coster.size_at(way, Some(Step::Elements)));
    Some((size.unwrap_or(Size::UNKNOWN), matches!(element, Type::String | Type::Bytes)))
}

/// Whether a function of Kubernetes costs as good as nothing, whatever it is called on.
fn is_nominal(function: &str, id: &str) -> bool {
    const NOMINAL: [&str; 38] = [
        "serviceAccount",
        "path",
        "group",
        "resource",
        "subresource",
        "namespace",
        "name",
        "allowed",
        "reason",
        "error",
        "errored",
        "masked",
        "prefixLength",
        "family",
        "isUnspecified",
        "isLoopback",
        "isLinkLocalMulticast",
        "isLinkLocalUnicast",
        "isGlobalUnicast",
        "format.named",
        "sign",
        "asInteger",
        "isInteger",
        "asApproximateFloat",
        "isGreaterThan",
        "isLessThan",
        "compareTo",
        "add",
        "sub",
        "major",
        "minor",
        "patch",
        "getScheme",
        "getHostname",
        "getHost",
        "getPort",
        "getEscapedPath",
        "getQuery",
    ];
    NOMINAL.contains(&function) || id == "cidr_ip"
}

/// Functions for which Kubernetes has an estimate, by their names whatever they are called on.
pub(super) fn of_kubernetes(
    coster: &mut Coster<'_>,
    function: &str,
    id: &str,
    target: Option<NodeId>,
    args: &[NodeId],
) -> Option<Call> {
    let first = args.first().copied();
    let one = Some((1, None));
    match function {
        _ if is_nominal(function, id) => one,
        "check" => Some((350_000, None)),
        "fieldSelector" | "labelSelector" => {
            let size = coster.size_or_unknown(first?);
            Some((10_u64.saturating_add(size.at(READ)).saturating_add(scaled(size.at(0.5), 50.0)), None))
        }
        "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" | "includes" => {
            let target = target?;
            let size = coster.size_or_unknown(target);
            let cost = match elements(coster, target) {
                Some((element, true)) => size.most.saturating_mul(element.at(READ).saturating_add(1)),
                Some((_, false)) => size.most,
                None if function == "includes" => size.most,
                None => size.at(READ),
            };
            Some((cost, None))
        }
        "url" => {
            let size = coster.size_or_unknown(first?);
            Some((size.at(READ), Some(size)))
        }
        "lowerAscii" | "upperAscii" | "substring" | "trim" => {
            let size = coster.size_or_unknown(target?);
            Some((size.at(READ), Some(size)))
        }
        "replace" if args.len() >= 2 => {
            let size = coster.size_or_unknown(target?);
            let (from, to) = (coster.size_or_unknown(args[0]), coster.size_or_unknown(args[1]));
            Some((size.at(2.0 * READ), Some(replaced(size, from, to))))
        }
        "split" => {
            let size = coster.size_or_unknown(target?);
            let most = match args.get(1).map(|limit| coster.tree.node(*limit)) {
                Some(Node::Literal(Literal::Int(limit))) => limit.cast_unsigned(),
                _ => size.most,
            };
            Some((size.at(2.0 * READ), Some(Size { least: 0, most })))
        }
        "join" => {
            let target = target?;
            let count = coster.size_or_unknown(target);
            let mut size = elements(coster, target).map_or(Size::exactly(0), |(element, _)| count.times(element));
            if let Some(between) = first {
                let gaps = Size { least: count.least.saturating_sub(1), most: count.most.saturating_sub(1) };
                size = size.plus(coster.size_or_unknown(between).times(gaps));
            }
            Some((size.at(READ), Some(size)))
        }
        "find" | "findAll" => {
            let size = coster.size_or_unknown(target?);
            let cost = size.plus(Size::exactly(1)).at(READ);
            let cost = cost.saturating_mul(coster.size_or_unknown(first?).at(PATTERN));
            Some((cost, Some(Size { least: 0, most: size.most })))
        }
        "cidr" | "isIP" | "isCIDR" | "ip" | "quantity" | "isQuantity" | "semver" | "isSemver" => {
            Some((coster.size_or_unknown(first?).at(READ), None))
        }
        "ip.isCanonical" => Some((coster.size_or_unknown(first?).at(2.0 * READ), None)),
        "containsIP" | "containsCIDR" => {
            // Two addresses of 16 bytes; a network is looked at twice.
            let mut cost: u64 = if function == "containsIP" { 4 } else { 7 };
            if matches!(id, "cidr_contains_ip_string" | "cidr_contains_cidr_string") {
                cost = cost.saturating_add(coster.size_or_unknown(first?).at(READ));
            }
            Some((cost, None))
        }
        "validate" => {
            let cost = coster.size_or_unknown(first?).at(READ);
            Some((scaled(cost, FORMAT_PATTERN * PATTERN), None))
        }
        EQUALS => {
            let &[left, right] = args else { return None };
            if coster.checked.types[left] != coster.checked.types[right] {
                return None;
            }
            match &coster.checked.types[left] {
                Type::Opaque(_) => one,
                Type::Library("url") => {
                    let size = coster.size(right).map_or(1, |size| size.most);
                    Some((scaled(size, READ), None))
                }
                Type::Library("format") => Some((7, None)),
                Type::Library(_) => one,
                _ => None,
            }
        }
        _ => None,
    }
}

/// The size of a text in which parts are replaced.
fn replaced(size: Size, from: Size, to: Size) -> Size {
    let (mut count, mut kept) = (Size::exactly(0), Size::exactly(0));
    if from.least == 0 {
        (count.most, kept.most) = (size.most.saturating_add(1), size.most);
    } else if to.most <= from.least {
        kept.most = size.most;
    } else {
        count.most = size.most.div_ceil(from.least);
    }
    if from.most == 0 {
        (count.least, kept.least) = (size.least.saturating_add(1), size.least);
    } else if from.most <= to.least {
        kept.least = size.least;
    } else {
        count.least = size.least.div_ceil(from.most);
    }
    count.times(to).plus(kept)
}

/// All other functions.
pub(super) fn of_standard(coster: &mut Coster<'_>, id: &str, target: Option<NodeId>, args: &[NodeId]) -> Call {
    let read = |size: Size| size.at(READ);
    match (id, target, args) {
        ("string_format", Some(target), _) => (read(coster.size_or_unknown(target)), None),
        ("string_to_bytes", _, &[text]) => {
            let size = coster.size_or_unknown(text);
            (read(size), Some(Size { least: size.least, most: size.most.wrapping_mul(4) }))
        }
        ("bytes_to_string", _, &[bytes]) => {
            let size = coster.size_or_unknown(bytes);
            (read(size), Some(Size { least: size.least / 4, most: size.most }))
        }
        ("strings_quote", _, &[text]) => {
            let size = coster.size_or_unknown(text);
            let most = size.most.wrapping_mul(2).wrapping_add(2);
            (read(size), Some(Size { least: size.least.wrapping_add(2), most }))
        }
        ("starts_with_string" | "ends_with_string", _, &[text]) => (read(coster.size_or_unknown(text)), None),
        ("in_list", _, &[_, list]) => (coster.size_or_unknown(list).at(1.0), None),
        ("matches_string", Some(text), &[pattern]) | ("matches", None, &[text, pattern]) => {
            let cost = read(coster.size_or_unknown(text).plus(Size::exactly(1)));
            (cost.saturating_mul(coster.size_or_unknown(pattern).at(PATTERN)), None)
        }
        ("contains_string", Some(text), &[part]) => {
            let cost = read(coster.size_or_unknown(text));
            (cost.saturating_mul(read(coster.size_or_unknown(part))), None)
        }
        (
            "less_string"
            | "greater_string"
            | "less_equals_string"
            | "greater_equals_string"
            | "less_bytes"
            | "greater_bytes"
            | "less_equals_bytes"
            | "greater_equals_bytes"
            | "equals"
            | "not_equals",
            _,
            &[left, right],
        ) => {
            let shorter = coster.size_or_unknown(left).most.min(coster.size_or_unknown(right).most);
            (scaled(shorter, READ), None)
        }
        _ => (1, None),
    }
}
