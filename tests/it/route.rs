//! The route of a service: what the compiler knows equals what the rendered objects alone tell, and what is missing
//! from them is said precisely.

use std::collections::BTreeMap;

use carrier::compiler::compile;
use carrier::compiler::load;
use carrier::compiler::{Compiled, Discovered};
use carrier::derivation::CrdNames;
use carrier::derivation::Unfit;
use carrier::derivation::internal;
use carrier::diagnostic::Severity;
use carrier::kinds::CatalogEntrySpec;
use carrier::locking::snapshots;
use carrier::names::ClusterId;
use carrier::names::keys;
use carrier::paths::FieldPath;
use carrier::rendering::ManifestSet;
use carrier::repository::{ReadOptions, read_repository};
use carrier::routing::{RouteCrds, RouteError, ServiceRoute, Synced};
use carrier::source::Sources;
use serde_json::{Value, json};

use crate::common::package;
use crate::corpus::Crd;
use crate::corpus::exposures::{self, Case};
use crate::derive_laws::{CLUSTER, derived, law, laws, over_all_crds};
use crate::harness;
use crate::repositories::{Repository, crd};

/// The tests of this file.
pub(crate) fn cases() -> Vec<harness::Case> {
    let mut all = cases![
        the_route_of_a_compiled_service_is_that_of_its_rendered_objects,
        a_route_leads_from_the_tenants_kind_to_the_service_clusters,
        what_is_missing_or_does_not_fit_is_said,
        a_crd_without_a_status_subresource_is_told_from_one_with,
    ];
    let laws = laws![the_route_is_that_of_the_rendered_objects, whether_the_condition_fits_is_what_deriving_says];
    all.extend(over_all_crds(module_path!(), &laws));
    all
}

/// The objects of a management cluster, as an API server would answer: read from text, without their places.
struct Objects {
    crds: BTreeMap<String, Value>,
    entries: Vec<(String, String, CatalogEntrySpec)>,
}

impl Objects {
    fn of(rendered: &ManifestSet) -> Self {
        let (mut crds, mut entries) = (BTreeMap::new(), Vec::new());
        for manifest in &rendered.management {
            let body: Value = serde_json::from_str(&manifest.body.to_string()).unwrap();
            match manifest.id.kind.as_str() {
                "CustomResourceDefinition" => drop(crds.insert(manifest.id.name.clone(), body)),
                "CatalogEntry" => {
                    let spec = serde_json::from_value(body["spec"].clone()).unwrap();
                    entries.push((manifest.id.namespace.clone().unwrap(), manifest.id.name.clone(), spec));
                }
                _ => {}
            }
        }
        Self { crds, entries }
    }

    fn route(&self, provider: &str, name: &str) -> Result<ServiceRoute, RouteError> {
        let (_, _, spec) = self.entries.iter().find(|(p, n, _)| p == provider && n == name).unwrap();
        ServiceRoute::new(provider, spec, |name| self.crds.get(name))
    }
}

/// Holds the routes of a compiled repository against those of its rendered objects; returns how many there are.
fn agree(what: &str, compiled: &Compiled<'_>) -> usize {
    let objects = Objects::of(&compiled.render());
    assert_eq!(objects.entries.len(), compiled.built.len(), "{what}");
    for built in &compiled.built {
        let service = &compiled.resolved.services[built.service];
        let route = objects.route(&service.cluster.provider, &service.entry);
        assert_eq!(route.as_ref(), Ok(&built.route), "{what}: {}", service.entry);
    }
    compiled.built.len()
}

fn compiled<T>(sources: &Sources, discovered: Option<&Discovered>, then: impl FnOnce(&Compiled<'_>) -> T) -> T {
    let (loaded, _) = load(sources);
    let (locked, _) = snapshots::read(sources, &loaded.config);
    then(&compile(&loaded, discovered.unwrap_or(&locked.discovered)))
}

fn the_route_of_a_compiled_service_is_that_of_its_rendered_objects() {
    let examples = ["redis", "redis-two-regions", "postgres", "kafka"].map(|name| format!("catalog-examples/{name}"));
    let plans = ["base", "release/in", "narrowed/in", "second-cluster/in"].map(|name| format!("testdata/plan/{name}"));
    let mut count = 0;
    for folder in examples.into_iter().chain(plans) {
        let root = package(&folder);
        assert!(root.is_dir(), "{folder}");
        let (sources, _) = read_repository(&root, &ReadOptions::default()).unwrap();
        count += compiled(&sources, None, |compiled| agree(&folder, compiled));
    }
    assert!(count >= 5, "{count} services");
}

/// A provider with four services of one cluster: derived, under another name, by hand, and not derived at all.
fn four_ways() -> Repository {
    let set = |name: &str, derive: &str| {
        format!(
            "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: CatalogEntrySet\nmetadata: {{name: {name}, namespace: team-a}}\n\
             spec:\n  metadata: {{displayName: {name}}}\n  discover: {{crd: {{name: {name}.example.com}}, serviceClusterSelector: {{}}}}\n{derive}"
        )
    };
    let expose = "    expose:\n    - versions: [v1beta1]\n      fields: [{jsonPath: .spec.size}, {jsonPath: .status.ready}]\n      \
                  presets: [{jsonPath: .spec.secret, value: hidden}]\n";
    let by_hand = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: CatalogEntry\nmetadata: {name: by-hand, namespace: team-a}\n\
                   spec:\n  metadata: {displayName: By hand}\n  baseCRD: {name: tubs.internal.eu-west-1.team-a}\n  \
                   derive:\n    plural: basins\n    kind: Basin\n    expose: [{versions: [v1beta1], fields: [{jsonPath: .spec.mode}]}]\n";
    Repository::default()
        .account("team-a", "Provider")
        .account("team-b", "Tenant")
        .cluster("team-a", "eu-west-1")
        .catalog("team-a", "default")
        .file("a.yaml", set("boxes", &format!("  derive:\n{expose}")))
        .file("b.yaml", set("crates", &format!("  derive:\n    kind: Chest\n    plural: chests\n{expose}")))
        .file("c.yaml", set("jars", ""))
        .file("d.yaml", by_hand)
        .crd("team-a", "eu-west-1", &crd("example.com", "boxes", "Box"))
        .crd("team-a", "eu-west-1", &crd("example.com", "crates", "Crate"))
        .crd("team-a", "eu-west-1", &crd("example.com", "jars", "Jar"))
        .crd("team-a", "eu-west-1", &crd("example.com", "tubs", "Tub"))
}

fn a_route_leads_from_the_tenants_kind_to_the_service_clusters() {
    let repository = four_ways();
    let objects = compiled(&repository.sources(), Some(&repository.discovered), |compiled| {
        assert_eq!(agree("four ways", compiled), 4);
        Objects::of(&compiled.render())
    });
    let names = |entry: &str| {
        let route = objects.route("team-a", entry).unwrap();
        [&route.tenant, &route.internal, &route.base].map(|r| format!("{} {} {}", r.full_name(), r.version, r.kind))
    };
    assert_eq!(
        names("boxes.eu-west-1"),
        [
            "boxes.eu-west-1.team-a v1beta1 Box",
            "boxes.internal.eu-west-1.team-a v1beta1 Box",
            "boxes.example.com v1beta1 Box"
        ]
    );
    assert_eq!(
        names("crates.eu-west-1"),
        [
            "chests.eu-west-1.team-a v1beta1 Chest",
            "chests.internal.eu-west-1.team-a v1beta1 Chest",
            "crates.example.com v1beta1 Crate"
        ]
    );
    assert_eq!(
        names("by-hand"),
        [
            "basins.eu-west-1.team-a v1beta1 Basin",
            "tubs.internal.eu-west-1.team-a v1beta1 Tub",
            "tubs.example.com v1beta1 Tub"
        ]
    );

    let derived = objects.route("team-a", "boxes.eu-west-1").unwrap();
    let tenant = json!({"spec": {"size": 3, "secret": "mine"}});
    assert!(derived.derives());
    assert_eq!(derived.cluster, ClusterId::new("team-a", "eu-west-1"));
    assert_eq!(derived.projection.project_down(&tenant), json!({"spec": {"size": 3, "secret": "hidden"}}));
    assert!(matches!(derived.synced(), Ok(Synced::Alone(list)) if list.merged_by_type));
    assert!(derived.tenant_status.observed_generation && !derived.internal_status.observed_generation);

    let whole = objects.route("team-a", "jars.eu-west-1").unwrap();
    assert!(!whole.derives());
    assert_eq!(whole.tenant, whole.internal);
    assert_eq!(whole.projection.project_down(&tenant), tenant);
    assert_eq!(whole.synced(), Err(Unfit::Absent));
}

/// The entry that asks for the exposure of a case.
fn entry(case: &Case<'_>) -> CatalogEntrySpec {
    let field = |path: &FieldPath| json!({"jsonPath": path.to_string()});
    let value = |(path, value): &(FieldPath, Value)| json!({"jsonPath": path.to_string(), "value": value});
    let crd = format!("{}.{}", case.crd.source.plural, CLUSTER.internal_group());
    let spec = json!({
        "metadata": {"displayName": "A service"},
        "baseCRD": {"name": crd},
        "derive": {"expose": [{
            "versions": [case.version.name],
            "fields": case.paths.iter().map(field).collect::<Vec<_>>(),
            "defaults": case.defaults.iter().map(value).collect::<Vec<_>>(),
            "presets": case.presets.iter().map(value).collect::<Vec<_>>(),
        }]},
    });
    serde_json::from_value(spec).unwrap()
}

fn the_route_is_that_of_the_rendered_objects(crds: &[Crd]) {
    law("routes", crds, |case| {
        let (derived, said) = derived(case)?;
        let source = (&case.crd.source, case.version);
        let copy = internal(&case.crd.source, &CLUSTER, case.version);
        let names = CrdNames::of_source(&case.crd.source);
        let made = ServiceRoute::compiled(&CLUSTER, source, (&copy, &names), Some(&derived));
        let crds = [&copy, &derived.crd].map(|crd| (crd["metadata"]["name"].as_str().unwrap(), crd));
        let crds: BTreeMap<&str, &Value> = crds.into_iter().collect();
        let read = ServiceRoute::new("team-a", &entry(case), |name| crds.get(name).copied());
        // An exposure with errors is never rendered. One that cannot run is found by deriving alone.
        let unsound = said.iter().any(|d| d.severity == Severity::Error && !matches!(d.code.id, "CAR0310" | "CAR0311"));
        match read {
            Ok(read) if read == made => Ok(()),
            Ok(read) => Err(format!("{read:?}\n    against {made:?}")),
            Err(_) if unsound => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    });
}

fn whether_the_condition_fits_is_what_deriving_says(crds: &[Crd]) {
    for case in exposures::whole(crds) {
        let (derived, said) = derived(&case).unwrap();
        let copy = internal(&case.crd.source, &CLUSTER, case.version);
        let names = CrdNames::of_source(&case.crd.source);
        let route = ServiceRoute::compiled(&CLUSTER, (&case.crd.source, case.version), (&copy, &names), Some(&derived));
        let told = said.iter().any(|d| d.code.id == "CAR0361");
        assert_eq!(route.synced().is_err(), told, "{}: {:?}", case.describe(), route.synced());
    }
}

/// The small CRD of the errors, its copies and its entry.
fn boxed() -> (CatalogEntrySpec, Value, Value) {
    let base = Crd::read("boxes", crd("example.com", "boxes", "Box"));
    let paths = vec![FieldPath::parse(".spec.size").unwrap()];
    let case = Case::new(&base, base.source.version("v1beta1").unwrap(), paths);
    let derived = derived(&case).unwrap().0.crd;
    (entry(&case), internal(&base.source, &CLUSTER, case.version), Value::clone(&derived))
}

fn what_is_missing_or_does_not_fit_is_said() {
    let (spec, internal, derived) = boxed();
    let read = |spec: &CatalogEntrySpec, internal: Option<&Value>, derived: Option<&Value>| {
        let find = |name: &str| if name.contains(".internal.") { internal } else { derived };
        ServiceRoute::new("team-a", spec, find).map_err(|error| error.to_string())
    };
    let with = |crd: &Value, change: &dyn Fn(&mut Value)| {
        let mut crd = crd.clone();
        change(&mut crd);
        crd
    };
    let internal_with = |change: &dyn Fn(&mut Value)| read(&spec, Some(&with(&internal, change)), Some(&derived));
    let derived_with = |change: &dyn Fn(&mut Value)| read(&spec, Some(&internal), Some(&with(&derived, change)));
    let entry_with = |change: &dyn Fn(&mut Value)| {
        let spec = with(&serde_json::to_value(&spec).unwrap(), change);
        read(&serde_json::from_value(spec).unwrap(), Some(&internal), Some(&derived))
    };
    let annotation = |key: &str| format!("/metadata/annotations/{}", key.replace('/', "~1"));
    assert!(read(&spec, Some(&internal), Some(&derived)).is_ok());

    let cases: Vec<(Result<ServiceRoute, String>, &str)> = vec![
        (
            entry_with(&|e| e["baseCRD"]["name"] = json!("boxes.example.com")),
            "`boxes.example.com` is not the name of an internal CRD",
        ),
        (
            entry_with(&|e| e["baseCRD"]["name"] = json!("boxes.internal.eu-west-1.team-z")),
            "the internal CRD `boxes.internal.eu-west-1.team-z` belongs to `team-z`, not to `team-a`",
        ),
        (
            read(&spec, None, Some(&derived)),
            "there is no internal CRD `boxes.internal.eu-west-1.team-a`: render and apply again",
        ),
        (
            read(&spec, Some(&internal), None),
            "there is no derived CRD `boxes.eu-west-1.team-a`: render and apply again",
        ),
        (
            internal_with(&|c| drop(c["metadata"].as_object_mut().unwrap().remove("annotations"))),
            "the internal CRD `boxes.internal.eu-west-1.team-a` was rendered before it had the annotation \
             `carrier.kubecarrier.io/base-crd`: render and apply again",
        ),
        (
            internal_with(&|c| *c.pointer_mut(&annotation(keys::BASE_CRD)).unwrap() = json!("boxes")),
            "the annotation `carrier.kubecarrier.io/base-crd` of the internal CRD `boxes.internal.eu-west-1.team-a` \
             cannot be `boxes`: render and apply again",
        ),
        (
            internal_with(&|c| *c.pointer_mut(&annotation(keys::BASE_VERSION)).unwrap() = json!("v1")),
            "the CRD `boxes.internal.eu-west-1.team-a` stores version `v1beta1`, but instances are copied in `v1`: \
             render and apply again",
        ),
        (
            derived_with(&|c| c["spec"]["versions"][0]["name"] = json!("v1")),
            "the CRD `boxes.eu-west-1.team-a` stores version `v1`, but instances are copied in `v1beta1`: \
             render and apply again",
        ),
        (
            internal_with(&|c| c["spec"]["scope"] = json!("Cluster")),
            "the CRD `boxes.internal.eu-west-1.team-a` is cluster-scoped: render and apply again",
        ),
        (
            internal_with(&|c| c["spec"]["versions"][0]["served"] = json!(false)),
            "the CRD `boxes.internal.eu-west-1.team-a` does not serve the version that it stores: render and apply again",
        ),
        (
            derived_with(&|c| c["spec"]["versions"][0]["subresources"] = json!({})),
            "the CRD `boxes.eu-west-1.team-a` has no status subresource: render and apply again",
        ),
        (
            derived_with(&|c| c["spec"]["versions"] = json!([])),
            "the CRD `boxes.eu-west-1.team-a` is incomplete: render and apply again",
        ),
        (
            entry_with(&|e| e["derive"]["expose"][0]["versions"] = json!(["v1"])),
            "`spec.derive` does not expose version `v1beta1`, in which instances are copied",
        ),
        (
            entry_with(&|e| e["derive"]["expose"][0]["fields"][0]["jsonPath"] = json!(".spec..size")),
            "`.spec..size` in `spec.derive` is not a field path: `..` is not supported: a path lists every segment",
        ),
        (
            entry_with(&|e| e["derive"]["expose"][0]["fields"][0]["jsonPath"] = json!(".spec.weight")),
            "`spec.derive` does not fit the internal CRD `boxes.internal.eu-west-1.team-a`: `.spec.weight` matches \
             nothing: `.spec` has no field `weight`",
        ),
        (
            entry_with(&|e| e["derive"]["expose"][0]["fields"][0]["jsonPath"] = json!(".spec.mode")),
            "the derived CRD `boxes.eu-west-1.team-a` and `spec.derive` disagree about `.spec.size`: \
             render and apply again",
        ),
    ];
    for (result, message) in cases {
        assert_eq!(result.unwrap_err(), message);
    }
}

fn a_crd_without_a_status_subresource_is_told_from_one_with() {
    let (spec, internal, derived) = boxed();
    let crds = RouteCrds::of("team-a", &spec).unwrap();
    assert_eq!(crds.internal, "boxes.internal.eu-west-1.team-a");
    assert_eq!(crds.derived.as_deref(), Some("boxes.eu-west-1.team-a"));
    let route = |internal: &Value| {
        ServiceRoute::new("team-a", &spec, |name| Some(if name == crds.internal { internal } else { &derived }))
            .unwrap()
    };
    assert!(route(&internal).base_status_subresource);
    let mut without = internal.clone();
    without["metadata"]["annotations"][keys::BASE_STATUS_SUBRESOURCE] = json!("false");
    assert!(!route(&without).base_status_subresource);
}
