//! Random exposures of a CRD: some existing paths of one served version.

use carrier::derivation::{Derived, derive, schema, values};
use carrier::derivation::{ExposeItem, Exposure, ValueAt};
use carrier::derivation::{SourceCrd, SourceVersion};
use carrier::diagnostic::{Diagnostic, Diagnostics};
use carrier::names::ClusterId;
use carrier::paths::{FieldPath, Segment};
use carrier::source::{FileId, Span, Spanned};
use serde_json::Value;

use super::random::Random;
use super::{Crd, instances};

/// A case: what is exposed of which version of which CRD.
#[derive(Clone)]
pub(crate) struct Case<'c> {
    pub crd: &'c Crd,
    pub version: &'c SourceVersion,
    pub paths: Vec<FieldPath>,
    /// Defaults of the catalog, which are visible too.
    pub defaults: Vec<(FieldPath, Value)>,
    /// Values of hidden fields.
    pub presets: Vec<(FieldPath, Value)>,
}

impl<'c> Case<'c> {
    pub(crate) fn new(crd: &'c Crd, version: &'c SourceVersion, paths: Vec<FieldPath>) -> Self {
        Self { crd, version, paths, defaults: Vec::new(), presets: Vec::new() }
    }
}

impl Case<'_> {
    /// The exposure. Each path has its own line, so that a diagnostic's place tells which one it blames.
    pub(crate) fn exposure(&self) -> Exposure {
        let mut exposure = exposure(&[self.version.name.as_str()], &self.paths);
        let place = Span::file_start(FileId(0));
        let at = |(path, value): &(FieldPath, Value)| ValueAt {
            path: Spanned::new(path.clone(), place),
            value: Spanned::new(value.clone(), place),
        };
        exposure.items[0].defaults = self.defaults.iter().map(at).collect();
        exposure.items[0].presets = self.presets.iter().map(at).collect();
        exposure
    }

    pub(crate) fn derive(&self, target: &ClusterId) -> (Option<Derived>, Vec<Diagnostic>) {
        run(&self.crd.source, &self.exposure(), target)
    }

    /// How a person would write the case down.
    pub(crate) fn describe(&self) -> String {
        let paths: Vec<String> = self.paths.iter().map(ToString::to_string).collect();
        let value = |what: &'static str| move |(p, v): &(FieldPath, Value)| format!(" {what} {p}={v}");
        let values: String =
            self.defaults.iter().map(value("default")).chain(self.presets.iter().map(value("preset"))).collect();
        format!("{} {} {}{values}", self.crd.stem, self.version.name, paths.join(" "))
    }
}

/// The place of the n-th path of an exposure made here.
pub(crate) fn line(n: usize) -> Span {
    Span::new(FileId(0), n * 10 + 10, n * 10 + 19)
}

pub(crate) fn exposure(versions: &[&str], paths: &[FieldPath]) -> Exposure {
    let spanned = |(n, p): (usize, &FieldPath)| Spanned::new(p.clone(), line(n));
    Exposure {
        place: Span::file_start(FileId(0)),
        object: "CatalogEntrySet/team-a/test".to_owned(),
        kind: None,
        plural: None,
        items: vec![ExposeItem {
            place: Span::file_start(FileId(0)),
            versions: versions.iter().map(|v| Spanned::new((*v).to_owned(), Span::file_start(FileId(0)))).collect(),
            fields: paths.iter().enumerate().map(spanned).collect(),
            defaults: Vec::new(),
            presets: Vec::new(),
        }],
    }
}

pub(crate) fn run(source: &SourceCrd, exposure: &Exposure, target: &ClusterId) -> (Option<Derived>, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::default();
    let derived = derive(source, exposure, target, &mut diagnostics);
    (derived, diagnostics.into_sorted())
}

/// Every served version of every CRD, exposed as a whole.
pub(crate) fn whole(crds: &[Crd]) -> Vec<Case<'_>> {
    crds.iter()
        .flat_map(|crd| crd.source.versions.iter().filter(|v| v.served).map(move |version| (crd, version)))
        .map(|(crd, version)| Case::new(crd, version, roots(version)))
        .collect()
}

/// The roots of a version that can be exposed.
pub(crate) fn roots(version: &SourceVersion) -> Vec<FieldPath> {
    schema::properties(&version.schema)
        .filter(|(n, _)| !matches!(n.as_str(), "apiVersion" | "kind" | "metadata"))
        .map(|(n, _)| FieldPath::default().property(n))
        .collect()
}

/// The n-th random case of a seed. Every second one is made fulfillable.
pub(crate) fn random(crds: &[Crd], seed: u64, n: u64) -> Case<'_> {
    let mut random = Random::new(seed, n);
    let crd = random.pick(crds);
    let served: Vec<&SourceVersion> = crd.source.versions.iter().filter(|v| v.served).collect();
    let version = *random.pick(&served);
    let with_status = random.chance(50);
    let mut all = Vec::new();
    collect(&version.schema, &mut FieldPath::default(), &mut all);
    all.retain(|p| with_status || !p.starts_at("status"));
    let paths = match all.is_empty() {
        true => roots(version),
        false => (0..random.between(1, 10)).map(|_| path(&version.schema, &all, with_status, &mut random)).collect(),
    };
    let mut case = Case::new(crd, version, paths);
    if random.chance(30) {
        // One of the paths gets a default instead.
        let chosen = random.below(case.paths.len());
        if let Some(value) = value(&case, &case.paths[chosen], &mut random) {
            let path = case.paths.swap_remove(chosen);
            case.defaults.push((path, value));
        }
    }
    if random.chance(50) { fulfillable(case, &mut random) } else { case }
}

/// A value that fits a field, if one is found.
fn value(case: &Case<'_>, path: &FieldPath, random: &mut Random) -> Option<Value> {
    let outside = path.starts_at("status") || case.defaults.iter().chain(&case.presets).any(|(p, _)| p == path);
    let node = instances::at(&case.version.schema, path).filter(|_| !outside)?;
    let value = instances::value(node, random)?;
    // A default must itself be complete.
    values::judge(node, &value).is_sound().then_some(value)
}

/// A path: any of all fields, or one found by walking down, which is found more often the higher it stands.
fn path(root: &Value, all: &[FieldPath], with_status: bool, random: &mut Random) -> FieldPath {
    if random.chance(40) {
        return random.pick(all).clone();
    }
    let mut at = FieldPath::default();
    let mut node = root;
    loop {
        let mut children: Vec<(Segment, &Value)> = steps(node);
        if at.0.is_empty() {
            children.retain(|(s, _)| match s {
                Segment::Property(n) => {
                    !matches!(n.as_str(), "apiVersion" | "kind" | "metadata") && (with_status || n != "status")
                }
                _ => true,
            });
        }
        if children.is_empty() || !at.0.is_empty() && random.chance(30) {
            return if at.0.is_empty() { random.pick(all).clone() } else { at };
        }
        let (segment, child) = random.pick(&children).clone();
        // One key of a map, now and then.
        let segment = match segment {
            Segment::Values if random.chance(25) => {
                Segment::Property((*random.pick(&["main", "a.b/c", "size"])).into())
            }
            other => other,
        };
        at.0.push(segment);
        node = child;
    }
}

/// The steps on from a node.
pub(crate) fn steps(node: &Value) -> Vec<(Segment, &Value)> {
    schema::properties(node)
        .map(|(n, c)| (Segment::Property(n.clone()), c))
        .chain(schema::items(node).map(|c| (Segment::Items, c)))
        .chain(schema::values(node).map(|c| (Segment::Values, c)))
        .collect()
}

/// Every path of a schema, but for `apiVersion`, `kind` and `metadata`.
pub(crate) fn collect(node: &Value, at: &mut FieldPath, found: &mut Vec<FieldPath>) {
    for (segment, child) in steps(node) {
        if at.0.is_empty()
            && matches!(&segment, Segment::Property(n) if matches!(n.as_str(), "apiVersion" | "kind" | "metadata"))
        {
            continue;
        }
        at.0.push(segment);
        found.push(at.clone());
        collect(child, at, found);
        at.0.pop();
    }
}

/// Adds what the diagnostics of the case ask for, until they ask for nothing more: as a field, or with a value.
pub(crate) fn fulfillable<'c>(mut case: Case<'c>, random: &mut Random) -> Case<'c> {
    let target = ClusterId::new("p", "c");
    for _ in 0..20 {
        let (_, diagnostics) = case.derive(&target);
        let mut added = false;
        for diagnostic in diagnostics.iter().filter(|d| matches!(d.code.id, "CAR0310" | "CAR0311")) {
            let wanted = diagnostic.help.iter().find_map(|h| h.split("`- jsonPath: ").nth(1)?.split('`').next());
            if let Some(path) = wanted.and_then(|w| FieldPath::parse(w).ok())
                && !case.paths.contains(&path)
            {
                let preset = random.chance(35);
                match value(&case, &path, random).filter(|_| diagnostic.code.id == "CAR0310" && random.chance(60)) {
                    Some(value) if preset => case.presets.push((path, value)),
                    Some(value) => case.defaults.push((path, value)),
                    None => case.paths.push(path),
                }
                added = true;
            }
        }
        if !added {
            break;
        }
    }
    case
}
