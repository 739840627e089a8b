//! The laws of `DESIGN.md` §4 as properties over the real CRDs, as far as they can be told without a server.
//!
//! `CARRIER_EXPOSURES` says how many random exposures are tried (100), `CARRIER_SEED` which ones (1).

use std::collections::BTreeSet;

use carrier::derivation::SourceCrd;
use carrier::derivation::{Derived, internal, schema};
use carrier::diagnostic::{Diagnostic, Severity};
use carrier::names::ClusterId;
use carrier::paths::{FieldPath, PathSet, Segment};
use serde_json::{Value, json};
use std::sync::LazyLock;

use crate::corpus::exposures::{self, Case};
use crate::corpus::random::Random;
use crate::corpus::{self, Crd, instances};
use crate::harness::{self, Need};

/// A law, held against each of these CRDs.
pub(super) type Law = fn(&[Crd]);

macro_rules! laws {
    ($($law:ident),* $(,)?) => { [$((stringify!($law), $law as $crate::derive_laws::Law)),*] };
}
pub(super) use laws;

/// The tests of this file.
pub(crate) fn cases() -> Vec<harness::Case> {
    let laws = laws![
        deriving_is_deterministic_and_the_order_of_paths_leaves_no_trace,
        deriving_again_changes_nothing,
        a_field_is_in_the_schema_if_and_only_if_it_is_copied,
        what_a_server_would_prune_is_what_the_projection_leaves_out,
        what_is_derived_has_no_static_fault,
        nothing_is_dropped_without_a_word,
    ];
    let mut all = cases![
        exposing_everything_is_the_identity[corpus::is_here],
        a_misspelled_path_is_an_error_with_the_right_name[corpus::is_here],
        the_tutorial_s_exposure_gives_what_derivation_md_says[corpus::is_here],
        cluster_scoped_crds_are_refused[corpus::is_here],
        what_is_no_usable_crd_is_refused_with_the_reason[corpus::is_here],
    ];
    all.extend(over_all_crds(module_path!(), &laws));
    all
}

/// A test for each law over the small CRDs, and one over the real ones.
pub(super) fn over_all_crds(module: &str, laws: &[(&'static str, Law)]) -> Vec<harness::Case> {
    let over = |set: &str, needs: &[Need], crds: fn() -> Vec<Crd>| -> Vec<harness::Case> {
        let module = format!("{module}::{set}");
        let case = |(name, law): &(&'static str, Law)| {
            let law = *law;
            harness::Case::new(harness::name(&module, name), needs, move || {
                law(&crds());
                Ok(())
            })
        };
        laws.iter().map(case).collect()
    };
    let mut all = over("small_crds", &[], corpus::small);
    all.extend(over("real_crds", &[corpus::is_here], corpus::crds));
    all
}

pub(super) static CLUSTER: LazyLock<ClusterId> = LazyLock::new(|| ClusterId::new("team-a", "eu-west-1"));
const ALWAYS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Holds a law against every CRD as a whole and under random exposures; says the smallest exposure that breaks it.
pub(super) fn law(name: &str, crds: &[Crd], holds: impl Fn(&Case<'_>) -> Result<(), String>) {
    let (seed, count) = (corpus::number("CARRIER_SEED", 1), corpus::number("CARRIER_EXPOSURES", 100));
    let cases = exposures::whole(crds).into_iter().chain((0..count).map(|n| exposures::random(crds, seed, n)));
    let mut broken = Vec::new();
    let mut tried = 0;
    for case in cases {
        tried += 1;
        if holds(&case).is_err() {
            let small = minimal(case, |c| holds(c).is_err());
            broken.push(format!("{}\n    {}", small.describe(), holds(&small).unwrap_err()));
            if broken.len() == 10 {
                break;
            }
        }
    }
    crate::measured(&format!("{name}: {tried} exposures, seed {seed}"));
    assert!(broken.is_empty(), "{name} does not hold:\n{}", broken.join("\n"));
}

pub(super) fn derived(case: &Case<'_>) -> Result<(Derived, Vec<Diagnostic>), String> {
    match case.derive(&CLUSTER) {
        (Some(derived), diagnostics) => Ok((derived, diagnostics)),
        (None, diagnostics) => Err(format!("nothing was derived: {diagnostics:?}")),
    }
}

pub(super) fn schema_of(crd: &Value) -> &Value {
    crd.pointer("/spec/versions/0/schema/openAPIV3Schema").unwrap()
}

fn texts(diagnostics: &[Diagnostic]) -> BTreeSet<(&str, &str)> {
    // Of two equal paths the second is one too many, whichever that is.
    diagnostics.iter().filter(|d| d.code.id != "CAR0306").map(|d| (d.code.id, d.message.as_str())).collect()
}

pub(super) fn differ(left: &Value, right: &Value) -> Option<String> {
    fn first(left: &Value, right: &Value, at: &str) -> Option<String> {
        match (left, right) {
            (Value::Object(a), Value::Object(b)) => {
                let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                keys.into_iter().find_map(|k| match (a.get(k), b.get(k)) {
                    (Some(x), Some(y)) => first(x, y, &format!("{at}/{k}")),
                    (x, y) => Some(format!("{at}/{k}: {x:?} against {y:?}")),
                })
            }
            _ if left == right => None,
            _ => Some(format!("{at}: {left} against {right}")),
        }
    }
    first(left, right, "").map(|d| d.chars().take(600).collect())
}

fn deriving_is_deterministic_and_the_order_of_paths_leaves_no_trace(crds: &[Crd]) {
    law("determinism and order", crds, |case| {
        let (one, said) = derived(case)?;
        let mut turned = case.clone();
        turned.paths.reverse();
        let middle = turned.paths.len() / 3;
        turned.paths.rotate_left(middle);
        let (other, said_other) = derived(&turned)?;
        if one != other {
            return Err(format!("order changes the result: {:?}", differ(&one.crd, &other.crd)));
        }
        if texts(&said) != texts(&said_other) {
            return Err(format!(
                "order changes what is said: {:?}",
                texts(&said).symmetric_difference(&texts(&said_other))
            ));
        }
        match derived(case)? == (one, said) {
            true => Ok(()),
            false => Err("the same exposure gives two results".to_owned()),
        }
    });
}

fn deriving_again_changes_nothing(crds: &[Crd]) {
    law("idempotence", crds, |case| {
        let (once, said) = derived(case)?;
        let source = SourceCrd::read(&once.crd).map_err(|p| format!("{p:?}"))?;
        // What was wrong at first is no less wrong now: paths that do not exist are left out.
        let mut exposure = case.exposure();
        // Hidden fields are not there any more, and need no values.
        exposure.items[0].presets.clear();
        let (twice, again) = exposures::run(&source, &exposure, &CLUSTER);
        let twice = twice.ok_or("nothing was derived the second time")?;
        if let Some(difference) = differ(&once.crd, &twice.crd) {
            return Err(difference);
        }
        let errors = |d: &[Diagnostic]| d.iter().filter(|d| d.severity == Severity::Error).count();
        if errors(&again) > errors(&said) {
            return Err(format!("new errors: {again:?}"));
        }
        Ok(())
    });
}

fn exposing_everything_is_the_identity() {
    let crds = corpus::crds();
    for case in exposures::whole(&crds) {
        let (derived, said) = derived(&case).unwrap();
        let copy = internal(&case.crd.source, &CLUSTER, case.version);
        let (mut left, mut right) = (schema_of(&derived.crd).clone(), schema_of(&copy).clone());
        // The status contract completes what is there; it takes nothing away but what a part of a status may lack.
        let status = [&mut left, &mut right].map(|s| s["properties"].as_object_mut().unwrap().remove("status"));
        assert_eq!(differ(&left, &right), None, "{}", case.describe());
        if let [Some(ours), Some(theirs)] = status {
            for (name, child) in schema::properties(&theirs) {
                assert_eq!(schema::property(&ours, name), Some(child), "{} .status.{name}", case.describe());
            }
        }
        let of = |crd: &Value, key: &str| crd.pointer(&format!("/spec/versions/0/{key}")).cloned();
        for key in ["additionalPrinterColumns", "subresources", "selectableFields", "deprecated"] {
            assert_eq!(of(&derived.crd, key), of(&copy, key), "{} {key}", case.describe());
        }
        let loud: Vec<_> = said
            .iter()
            .filter(|d| !matches!(d.code.id, "CAR0324" | "CAR0327" | "CAR0328" | "CAR0318" | "CAR0360" | "CAR0361"))
            .collect();
        assert!(loud.is_empty(), "{}: {loud:?}", case.describe());
    }
}

/// What the derived CRD adds for the status contract.
fn of_the_contract(path: &FieldPath) -> bool {
    let contract = |name: &str| FieldPath::default().property("status").property(name);
    *path == FieldPath::default().property("status")
        || contract("conditions").is_prefix_of(path)
        || contract("observedGeneration").is_prefix_of(path)
}

fn a_field_is_in_the_schema_if_and_only_if_it_is_copied(crds: &[Crd]) {
    law("law 2", crds, |case| {
        let (derived, _) = derived(case)?;
        let pruned = schema_of(&derived.crd);
        let (down, up) = (&derived.projection.down, &derived.projection.up);
        let copied = |p: &FieldPath| if p.starts_at("status") { up.shows(p) } else { down.shows(p) };
        let mut described = Vec::new();
        exposures::collect(pruned, &mut FieldPath::default(), &mut described);
        for path in &described {
            let implicit =
                path.0.iter().skip(1).any(|s| matches!(s, Segment::Property(n) if ALWAYS.contains(&n.as_str())));
            if !copied(path) && !of_the_contract(path) && !implicit {
                return Err(format!("`{path}` is in the schema and not copied"));
            }
        }
        let described: BTreeSet<&FieldPath> = described.iter().collect();
        let mut source = Vec::new();
        exposures::collect(&case.version.schema, &mut FieldPath::default(), &mut source);
        for path in &source {
            // A map of which one key is exposed has no values any more.
            if copied(path) && !described.contains(path) && !path.0.contains(&Segment::Values) {
                return Err(format!("`{path}` is copied and not in the schema"));
            }
        }
        partial_nodes_are_closed(pruned, down, &mut FieldPath::default())
    });
}

/// A node of which only a part is exposed must not take unknown fields.
fn partial_nodes_are_closed(node: &Value, set: &PathSet, at: &mut FieldPath) -> Result<(), String> {
    if set.is_whole() {
        return Ok(());
    }
    if schema::is_free_form(node) {
        return Err(format!("`{at}` is exposed in part and takes anything"));
    }
    for (segment, below) in set.children() {
        let child = match segment {
            Segment::Property(name) => schema::property(node, name),
            Segment::Items => schema::items(node),
            Segment::Values => schema::values(node),
        };
        at.0.push(segment.clone());
        if let Some(child) = child {
            partial_nodes_are_closed(child, below, at)?;
        }
        at.0.pop();
    }
    Ok(())
}

fn what_a_server_would_prune_is_what_the_projection_leaves_out(crds: &[Crd]) {
    law("pruning and projecting agree", crds, |case| {
        let (derived, _) = derived(case)?;
        let mut random = Random::new(7, case.paths.len() as u64);
        let source = &case.version.schema;
        for _ in 0..2 {
            let full = instances::object(source, &mut random);
            let mut pruned = full.clone();
            prune(schema_of(&derived.crd), &mut pruned);
            let projected = derived.projection.down.project(&full);
            let strip = |v: &Value| {
                let mut v = v.clone();
                let map = v.as_object_mut().unwrap();
                map.retain(|k, _| !ALWAYS.contains(&k.as_str()) && k != "status");
                v
            };
            if let Some(difference) = differ(&strip(&pruned), &strip(&projected)) {
                return Err(difference);
            }
        }
        Ok(())
    });
}

fn what_is_derived_has_no_static_fault(crds: &[Crd]) {
    law("static acceptance", crds, |case| {
        let (derived, _) = derived(case)?;
        let root = schema_of(&derived.crd);
        // Faults that the source has already (it is a real CRD, so servers live with them) are not ours.
        let mut known = Vec::new();
        faults(&case.version.schema, &mut FieldPath::default(), &mut known);
        let mut found = Vec::new();
        faults(root, &mut FieldPath::default(), &mut found);
        match found.into_iter().find(|f| !known.contains(f)) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    });
}

fn faults(node: &Value, at: &mut FieldPath, found: &mut Vec<String>) {
    let mut say = |what: String| found.push(format!("`{at}` {what}"));
    let has = |name: &str| schema::property(node, name).is_some();
    if schema::values(node).is_none() && !schema::is_free_form(node) && !schema::is_embedded(node) {
        for name in schema::required(node).filter(|n| !(has(n) || at.0.is_empty() && ALWAYS.contains(n))) {
            say(format!("requires `{name}`, which it does not have"));
        }
    }
    if schema::type_name(node) == "array" && schema::items(node).is_none() {
        say("is a list without items".to_owned());
    }
    if node.get("properties").is_some() && schema::values(node).is_some() {
        say("has properties and free keys".to_owned());
    }
    for key in schema::list_map_keys(node) {
        let items = schema::items(node).unwrap_or(&Value::Null);
        let required = schema::required(items).any(|r| r == key);
        match schema::property(items, key) {
            None => say(format!("lacks its key `{key}`")),
            Some(k) if schema::flag(k, "nullable") => say(format!("has a nullable key `{key}`")),
            Some(k) if !required && k.get("default").is_none() => say(format!("may lack its key `{key}`")),
            Some(_) => {}
        }
    }
    if let Some(default) = node.get("default") {
        let mut pruned = default.clone();
        prune(node, &mut pruned);
        if pruned != *default {
            say(format!("has a default with unknown fields: {default}"));
        }
    }
    let fields = schema::properties(node).count() as u64;
    if node.get("properties").is_some() && node.get("minProperties").and_then(Value::as_u64).is_some_and(|n| n > fields)
    {
        say("demands more fields than it has".to_owned());
    }
    if schema::is_embedded(node) && fields == 0 && !schema::is_free_form(node) {
        say("is an embedded object without fields".to_owned());
    }
    for (segment, child) in exposures::steps(node) {
        at.0.push(segment);
        faults(child, at, found);
        at.0.pop();
    }
}

fn nothing_is_dropped_without_a_word(crds: &[Crd]) {
    law("law 5", crds, |case| {
        let (derived, said) = derived(case)?;
        let mut missing = Vec::new();
        losses(&case.version.schema, schema_of(&derived.crd), &mut FieldPath::default(), &mut missing);
        for (at, codes, what) in missing {
            let quoted = format!("`{at}`");
            let told = what == "the default" && case.defaults.iter().any(|(p, _)| *p == at)
                || said.iter().any(|d| {
                    codes.contains(&d.code.id)
                        && d.message.contains(&quoted)
                        && what.split('…').all(|w| d.message.contains(w))
                });
            if !told {
                return Err(format!("{quoted} lost {what} ({codes:?})"));
            }
        }
        let lists = [("additionalPrinterColumns", &case.version.columns, "CAR0315")];
        for (key, source, code) in lists {
            let kept =
                derived.crd.pointer(&format!("/spec/versions/0/{key}")).and_then(Value::as_array).map_or(0, Vec::len);
            let told = said.iter().filter(|d| d.code.id == code).count();
            // Two columns of the same name may give the same text.
            if kept < source.len() && told == 0 || kept + told > source.len() {
                return Err(format!("{key}: {} in the source, {kept} kept, {told} told of", source.len()));
            }
        }
        let kept = derived.crd.pointer("/spec/versions/0/subresources/scale").is_some();
        if case.version.subresources.scale.is_some() && !kept && !said.iter().any(|d| d.code.id == "CAR0316") {
            return Err("scale went without a word".to_owned());
        }
        Ok(())
    });
}

type Loss = (FieldPath, &'static [&'static str], String);

/// What a node that is still there has lost, with the codes that would tell of it.
fn losses(source: &Value, derived: &Value, at: &mut FieldPath, found: &mut Vec<Loss>) {
    if at.starts_at("status") && at.0.len() == 1 {
        // The status contract speaks for itself.
        return;
    }
    let mut lost = |codes, what: String| found.push((at.clone(), codes, what));
    let rules =
        |node: &Value| node.get("x-kubernetes-validations").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |rule: &Value| rule["rule"].as_str().unwrap_or_default().to_owned();
    let kept: Vec<String> = rules(derived).iter().map(text).collect();
    for rule in rules(source).iter().map(text).filter(|r| !kept.contains(r)) {
        let start: String = rule.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
        lost(&["CAR0312", "CAR0326"], start);
    }
    let gone = |key: &str| source.get(key).is_some() && derived.get(key).is_none();
    if gone("default") {
        lost(&["CAR0314"], "the default".to_owned());
    }
    if gone("enum") {
        lost(&["CAR0318"], "`enum`".to_owned());
    }
    if schema::is_free_form(source) && !schema::is_free_form(derived) {
        lost(&["CAR0323"], String::new());
    }
    if source.get("minProperties") != derived.get("minProperties") && !at.starts_at("status") {
        lost(&["CAR0319", "CAR0310"], String::new());
    }
    if schema::list_type(source) != schema::list_type(derived) {
        lost(&["CAR0321"], String::new());
    }
    for key in
        ["maxProperties", "minItems", "maxItems", "maxLength", "minLength", "pattern", "minimum", "maximum", "nullable"]
    {
        if source.get(key) != derived.get(key) {
            lost(&["never"], key.to_owned());
        }
    }
    if gone("format") {
        lost(&["CAR0327"], String::new());
    }
    for (segment, child) in exposures::steps(derived) {
        let was = match &segment {
            Segment::Property(name) => schema::property(source, name).or_else(|| schema::values(source)),
            Segment::Items => schema::items(source),
            Segment::Values => schema::values(source),
        };
        at.0.push(segment);
        if let Some(was) = was {
            losses(was, child, at, found);
        }
        at.0.pop();
    }
}

fn a_misspelled_path_is_an_error_with_the_right_name() {
    let crds = corpus::crds();
    let (mut tried, mut found) = (0, 0);
    for (n, case) in exposures::whole(&crds).into_iter().enumerate() {
        let mut random = Random::new(3, n as u64);
        let mut all = Vec::new();
        exposures::collect(&case.version.schema, &mut FieldPath::default(), &mut all);
        for _ in 0..5 {
            let path = random.pick(&all).clone();
            let Some(Segment::Property(name)) = path.0.last() else { continue };
            if name.len() < 5 || !name.is_ascii() {
                continue;
            }
            let at = random.between(1, name.len() - 2);
            let wrong = format!("{}{}", &name[..at], &name[at + 1..]);
            let parent = FieldPath(path.0[..path.0.len() - 1].to_vec());
            let node = instances::at(&case.version.schema, &parent).unwrap();
            let misspelled = parent.property(&wrong);
            if schema::property(node, &wrong).is_some() || schema::is_free_form(node) || schema::values(node).is_some()
            {
                continue;
            }
            tried += 1;
            let typo = Case { paths: vec![misspelled.clone()], ..case.clone() };
            let (_, said) = typo.derive(&CLUSTER);
            let error = said.iter().find(|d| d.code.id == "CAR0301");
            let error = error.unwrap_or_else(|| panic!("{} {misspelled}: {said:?}", case.crd.stem));
            assert_eq!(error.primary.as_ref().unwrap().span, exposures::line(0));
            assert!(error.message.contains(&format!("`{misspelled}`")), "{}", error.message);
            let help = error.help.join(" ");
            // Another field may be nearer still.
            if help.contains(&format!("`{path}`")) {
                found += 1;
            } else {
                assert!(help.contains("did you mean"), "{misspelled}: {help}");
            }
        }
    }
    crate::measured(&format!("misspelled paths: {tried} refused, {found} with the very name that was meant"));
    assert!(found * 100 >= tried * 90, "{found} of {tried}");
}

fn redis() -> Crd {
    corpus::crds().into_iter().find(|c| c.stem == "redis.redis.redis.opstreelabs.in").unwrap()
}

fn paths(texts: &[&str]) -> Vec<FieldPath> {
    texts.iter().map(|p| FieldPath::parse(p).unwrap()).collect()
}

/// The paths of the tutorial.
const TUTORIAL: [&str; 8] = [
    ".spec.global.password",
    ".spec.global.image",
    ".spec.mode",
    ".spec.size",
    ".spec.redisExporter.enabled",
    ".spec.redisExporter.image",
    ".spec.service.type",
    ".spec.redisConfig",
];

fn the_tutorial_s_exposure_gives_what_derivation_md_says() {
    let crd = redis();
    let version = crd.source.version("v1beta1").unwrap();
    let case = Case::new(&crd, version, paths(&TUTORIAL));
    let (derived, said) = derived(&case).unwrap();
    assert!(said.iter().all(|d| d.severity != Severity::Error), "{said:?}");
    let root = schema_of(&derived.crd);
    let names = |v: &Value| schema::properties(v).map(|(n, _)| n.clone()).collect::<Vec<_>>();
    assert_eq!(names(root), ["apiVersion", "kind", "metadata", "spec", "status"]);
    let spec = &root["properties"]["spec"];
    assert_eq!(names(spec), ["global", "mode", "redisConfig", "redisExporter", "service", "size"]);
    assert_eq!(spec["required"], json!(["global", "mode", "redisConfig", "service"]));
    assert_eq!(names(&spec["properties"]["global"]), ["image", "password"]);
    assert_eq!(spec["properties"]["global"]["required"], json!(["image"]));
    assert_eq!(names(&spec["properties"]["redisExporter"]), ["enabled", "image"]);
    assert_eq!(spec["properties"]["redisExporter"]["required"], json!(["image"]));
    assert_eq!(names(&spec["properties"]["service"]), ["type"]);
    assert_eq!(spec["properties"]["service"]["required"], json!(["type"]));
    assert_eq!(derived.crd["metadata"]["name"], "redis.eu-west-1.team-a");

    // It is lucky: one path less, and no instance could ever run.
    for without in [".spec.service.type", ".spec.redisConfig"] {
        let fewer: Vec<&str> = TUTORIAL.into_iter().filter(|p| *p != without).collect();
        let (_, said) = Case { paths: paths(&fewer), ..case.clone() }.derive(&CLUSTER);
        let error = said.iter().find(|d| d.code.id == "CAR0310").unwrap_or_else(|| panic!("{without}: {said:?}"));
        assert!(error.message.contains("no object could ever run"), "{}", error.message);
    }
}

fn cluster_scoped_crds_are_refused() {
    let cluster_scoped: Vec<Crd> =
        corpus::crds().into_iter().filter(|c| c.manifest["spec"]["scope"] == "Cluster").collect();
    for crd in &cluster_scoped {
        let problems = SourceCrd::read(&crd.manifest).unwrap_err();
        assert_eq!(problems.iter().map(|p| p.code.id).collect::<Vec<_>>(), ["CAR0340"], "{}", crd.stem);
    }
}

fn what_is_no_usable_crd_is_refused_with_the_reason() {
    for file in corpus::files(&corpus::folder().join("crds-special")) {
        for value in corpus::read_yaml(&file) {
            let problems = SourceCrd::read(&value).unwrap_err();
            assert!(!problems.is_empty(), "{}", file.display());
            assert!(problems.iter().all(|p| p.code.id.starts_with("CAR034")), "{problems:?}");
        }
    }
}

/// The smallest exposure among the parts of a failing one that still fails.
fn minimal<'c>(mut case: Case<'c>, mut fails: impl FnMut(&Case<'c>) -> bool) -> Case<'c> {
    let mut at = 0;
    while at < case.paths.len() && case.paths.len() > 1 {
        let mut smaller = case.clone();
        smaller.paths.remove(at);
        if fails(&smaller) { case = smaller } else { at += 1 }
    }
    for bare in [Case { defaults: Vec::new(), ..case.clone() }, Case { presets: Vec::new(), ..case.clone() }] {
        if fails(&bare) {
            case = bare;
        }
    }
    case
}

/// Removes what a schema does not describe, as an API server does.
pub(super) fn prune(node: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            let free = schema::flag(node, "x-kubernetes-preserve-unknown-fields");
            let any = node.get("additionalProperties").and_then(Value::as_bool) == Some(true);
            let implicit = |name: &str| schema::is_embedded(node) && matches!(name, "apiVersion" | "kind" | "metadata");
            map.retain(|name, _| {
                free || any
                    || schema::values(node).is_some()
                    || schema::property(node, name).is_some()
                    || implicit(name)
            });
            for (name, inner) in map.iter_mut().filter(|(name, _)| !implicit(name)) {
                if let Some(child) = schema::property(node, name).or_else(|| schema::values(node)) {
                    prune(child, inner);
                }
            }
        }
        Value::Array(items) => {
            if let Some(child) = schema::items(node) {
                for item in items {
                    prune(child, item);
                }
            }
        }
        _ => {}
    }
}
