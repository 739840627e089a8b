//! What is offered of a mutated CRD: all of it, the place that was touched, or something beside it.

use carrier::paths::FieldPath;
use carrier::paths::Segment;
use serde_json::Value;

use super::hand::pointers;
use super::shop::Offer;
use crate::corpus::random::Random;

/// An offer of a version, the touched one where there is one.
pub(super) fn offer(crd: &Value, touched: Option<&str>, random: &mut Random) -> Offer {
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let at =
        touched.and_then(|pointer| pointer.strip_prefix("/spec/versions/")?.split('/').next()?.parse::<usize>().ok());
    let served = |index: &usize| versions.get(*index).is_some_and(|version| version["served"] == true);
    let all: Vec<usize> = (0..versions.len()).filter(served).collect();
    let index = at.filter(served).or_else(|| (!all.is_empty()).then(|| *random.pick(&all))).unwrap_or(0);
    let name = versions.get(index).and_then(|version| version["name"].as_str()).unwrap_or("v1").to_owned();
    let start = format!("/spec/versions/{index}/schema/openAPIV3Schema");
    let paths: Vec<FieldPath> =
        pointers(crd).iter().filter_map(|pointer| path(pointer.strip_prefix(&start)?)).collect();
    let mut roots: Vec<FieldPath> = paths.iter().filter(|path| path.segments().len() == 1).cloned().collect();
    if roots.is_empty() {
        roots.push(FieldPath::default().property("spec"));
    }
    let here = touched.and_then(|pointer| path(pointer.strip_prefix(&start)?));
    let mut fields = match random.below(10) {
        0..=5 => roots.clone(),
        6..=8 => here.into_iter().chain((!paths.is_empty()).then(|| random.pick(&paths).clone())).collect(),
        _ if paths.is_empty() => roots.clone(),
        _ => (0..random.between(1, 4)).map(|_| random.pick(&paths).clone()).collect(),
    };
    if fields.is_empty() {
        fields = roots;
    }
    let mut fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
    fields.sort();
    fields.dedup();
    Offer { versions: vec![name], fields, ..Offer::default() }
}

/// The path of a schema by its pointer below the root; none for the root and for what every object has.
pub(super) fn path(pointer: &str) -> Option<FieldPath> {
    let mut segments = Vec::new();
    let mut parts = pointer.strip_prefix('/')?.split('/');
    while let Some(part) = parts.next() {
        segments.push(match part {
            "properties" => Segment::Property(parts.next()?.replace("~1", "/").replace("~0", "~")),
            "items" => Segment::Items,
            "additionalProperties" => Segment::Values,
            _ => return None,
        });
    }
    let path = FieldPath(segments);
    let fixed = path.starts_at("metadata") || path.starts_at("apiVersion") || path.starts_at("kind");
    (!fixed && !path.segments().is_empty()).then_some(path)
}
