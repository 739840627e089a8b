//! Each rule of deriving on a small CRD: `testdata/derive/<case>/in/exposure.yaml` names one of `testdata/crds`, and
//! `out` has what is derived and what is said about it. `CARRIER_UPDATE=1` writes `out` anew.

use std::fmt::Write as _;

use carrier::derivation::SourceCrd;
use carrier::derivation::{ExposeItem, Exposure, ValueAt};
use carrier::derivation::{derive, internal};
use carrier::diagnostic::{Diagnostics, Severity};
use carrier::names::ClusterId;
use carrier::paths::FieldPath;
use carrier::source::{FileId, Spanned};
use carrier::text as yaml;
use carrier::text::to_yaml;
use carrier::text::{Node, Value as Tree};
use std::sync::LazyLock;

use crate::harness::Case;
use crate::{common, corpus};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![every_case, the_internal_copy, a_cluster_scoped_crd_is_refused,]
}

static CLUSTER: LazyLock<ClusterId> = LazyLock::new(|| ClusterId::new("team-a", "eu-west-1"));

fn list<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = &'n Node> {
    match node.get(key).map(|n| &n.value) {
        Some(Tree::Seq(items)) => items.as_slice(),
        _ => &[],
    }
    .iter()
}

fn text(node: &Node) -> Spanned<String> {
    Spanned::new(node.as_str().unwrap().to_owned(), node.span)
}

fn path(item: &Node) -> Spanned<FieldPath> {
    let text = text(item.get("jsonPath").unwrap());
    Spanned::new(FieldPath::parse(&text.value).unwrap(), text.span)
}

fn value(item: &Node) -> ValueAt {
    let value = item.get("value").unwrap();
    ValueAt { path: path(item), value: Spanned::new(value.to_json(), value.span) }
}

fn exposure(root: &Node) -> Exposure {
    let item = |item: &Node| ExposeItem {
        place: item.span,
        versions: list(item, "versions").map(text).collect(),
        fields: list(item, "fields").map(path).collect(),
        defaults: list(item, "defaults").map(value).collect(),
        presets: list(item, "presets").map(value).collect(),
    };
    Exposure {
        place: root.span,
        object: "CatalogEntrySet/team-a/case".to_owned(),
        kind: root.get("kind").map(text),
        plural: root.get("plural").map(text),
        items: list(root, "expose").map(item).collect(),
    }
}

fn every_case() {
    let crds = corpus::small();
    let mut cases: Vec<_> =
        std::fs::read_dir(common::package("testdata/derive")).unwrap().map(|e| e.unwrap()).collect();
    cases.sort_by_key(std::fs::DirEntry::path);
    for case in cases {
        let name = case.file_name().into_string().unwrap();
        let source = std::fs::read_to_string(case.path().join("in/exposure.yaml")).unwrap();
        let mut wrong = Diagnostics::default();
        let documents = yaml::read(FileId(0), &source, &mut wrong);
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        let root = &documents[0].root;
        let stem = root.get("crd").unwrap().as_str().unwrap();
        let crd = crds.iter().find(|c| c.stem == stem).unwrap_or_else(|| panic!("{name}: no CRD {stem}"));

        let mut diagnostics = Diagnostics::default();
        let derived = derive(&crd.source, &exposure(root), &CLUSTER, &mut diagnostics).unwrap();
        let mut said = String::new();
        for d in diagnostics.into_sorted() {
            let line = d.primary.as_ref().map_or(0, |l| source[..l.span.start as usize].matches('\n').count() + 1);
            let severity = match d.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            };
            writeln!(said, "line {line}: {severity}[{}]: {}", d.code.id, d.message).unwrap();
            for help in &d.help {
                writeln!(said, "  help: {help}").unwrap();
            }
        }
        common::golden(&format!("testdata/derive/{name}/out/diagnostics.txt"), &said);
        common::golden(&format!("testdata/derive/{name}/out/derived.yaml"), &to_yaml(&derived.crd));
    }
}

/// R12: the copy leaves behind what is the source's alone; R11: it has one version.
fn the_internal_copy() {
    for crd in corpus::small() {
        let version = crd.source.preferred().unwrap();
        let copy = internal(&crd.source, &CLUSTER, version);
        common::golden(&format!("testdata/crds/internal/{}.yaml", crd.stem), &to_yaml(&copy));
    }
}

/// R13: without a namespace tenants cannot be kept apart.
fn a_cluster_scoped_crd_is_refused() {
    let crd = corpus::small().into_iter().find(|c| c.manifest["spec"]["scope"] == "Cluster").unwrap();
    let problems = SourceCrd::read(&crd.manifest).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code.id, "CAR0340");
    assert_eq!(problems[0].message, "`worlds.traps.example.com` is cluster-scoped, so tenants cannot be kept apart");
}
