//! Objects as an API server answers them: they compile to what the same objects in files
//! compile to, and their diagnostics name the object and the field.

use carrier::compiler::{Compiled, Discovered, compile};
use carrier::compiler::{Loaded, load};
use carrier::diagnostic::{Diagnostic, Severity};
use carrier::locking::snapshots;
use carrier::program::{Suggestions, github, json, sarif, text};
use carrier::rendering::{Cause, ManifestSet};
use carrier::repository::{ReadOptions, read_repository};
use carrier::source::{ApiObject, Sources};
use serde_json::{Value, json};

use crate::common::package;
use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        objects_of_an_api_server_compile_to_the_same_manifests,
        a_diagnostic_of_an_api_object_names_the_object_and_the_field,
    ]
}

/// The objects of a repository as an API server answers them.
fn answered(loaded: &Loaded) -> Vec<Value> {
    let mut bodies = Vec::new();
    macro_rules! take {
        ($list:ident) => {
            for object in &loaded.$list {
                let mut body = object.node.to_json();
                if let Some(namespace) = &object.namespace {
                    body["metadata"]["namespace"] = json!(namespace);
                }
                body["metadata"]["uid"] = json!("0b7a9d52-6f3c-4a35-9d2e-0d8c1f2a7b11");
                body["metadata"]["resourceVersion"] = json!("7");
                body["metadata"]["managedFields"] = json!([{"manager": "kubectl", "operation": "Apply"}]);
                body["status"] = json!({"conditions": []});
                bodies.push(body);
            }
        };
    }
    take!(accounts);
    take!(service_clusters);
    take!(catalogs);
    take!(catalog_entries);
    take!(catalog_entry_sets);
    take!(tenants);
    bodies
}

fn of_objects(bodies: Vec<Value>) -> Sources {
    Sources::default().with_objects(bodies.into_iter().map(ApiObject::new))
}

/// The set without the places of its causes.
fn without_places(compiled: &Compiled<'_>) -> Vec<(String, Value, &'static str)> {
    let ManifestSet { management, clusters } = compiled.render();
    let all = management.into_iter().map(|m| ("management".to_owned(), m));
    let all = all.chain(clusters.into_iter().flat_map(|(id, list)| list.into_iter().map(move |m| (id.to_string(), m))));
    all.map(|(cluster, manifest)| {
        let cause = match manifest.cause {
            Cause::Source(_) => "source",
            Cause::Product(_) => "product",
            Cause::Always => "always",
        };
        (format!("{cluster} {}", manifest.id), Value::clone(&manifest.body), cause)
    })
    .collect()
}

fn objects_of_an_api_server_compile_to_the_same_manifests() {
    let (sources, _) = read_repository(&package("catalog-examples").join("redis"), &ReadOptions::default()).unwrap();
    let (loaded, _) = load(&sources);
    let (locked, _) = snapshots::read(&sources, &loaded.config);
    let from_files = compile(&loaded, &locked.discovered);

    let objects = of_objects(answered(&loaded));
    let (live, found) = load(&objects);
    assert!(found.is_empty(), "{found:#?}");
    let from_objects = compile(&live, &locked.discovered);
    assert_eq!(from_objects.diagnostics.iter().count(), from_files.diagnostics.iter().count());
    let expected = without_places(&from_files);
    assert_eq!(without_places(&from_objects), expected);

    let handed_on: Vec<&str> = expected.iter().filter(|m| m.2 == "source").map(|m| m.0.as_str()).collect();
    assert_eq!(
        handed_on,
        [
            "management Account team-a",
            "management Account team-b",
            "management Catalog team-a/default",
            "management CatalogEntrySet team-a/redis",
            "management ServiceCluster team-a/eu-west-1",
        ]
    );
}

fn a_diagnostic_of_an_api_object_names_the_object_and_the_field() {
    let account = json!({
        "apiVersion": "catalog.kubecarrier.io/v1alpha1", "kind": "Account", "metadata": {"name": "team-a"},
        "spec": {"metadata": {"displayName": "A"}, "roles": ["Provider"], "subjects": [{"kind": "User", "name": "a"}]},
    });
    let catalog = |name: &str, namespace: &str, spec: Value| {
        json!({
            "apiVersion": "catalog.kubecarrier.io/v1alpha1", "kind": "Catalog",
            "metadata": {"name": name, "namespace": namespace}, "spec": spec,
        })
    };
    let sources = of_objects(vec![
        account.clone(),
        account,
        catalog("typed", "team-a", json!({"tenantSelector": [1]})),
        catalog(
            "operator",
            "team-a",
            json!({"tenantSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}}),
        ),
        catalog("unknown", "team-a", json!({"tenantSelektor": {}})),
        catalog("nobodys", "team-z", json!({"tenantSelector": {}})),
        json!({"apiVersion": "catalog.kubecarrier.io/v1alpha1", "kind": "Catalog"}),
        json!([1, {"a": null}]),
    ]);
    let (loaded, mut found) = load(&sources);
    let discovered = Discovered::default();
    found.append(compile(&loaded, &discovered).diagnostics.clone());
    let list = found.into_sorted();
    let errors: Vec<String> = list
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .map(|d| {
            let span = d.primary.as_ref().unwrap().span;
            format!("{} {} {}", d.code.id, sources.path(span), sources.pointer(span).unwrap())
        })
        .collect();
    assert_eq!(errors, EXPECTED, "{list:#?}");
    let shown = rendered(&list, &sources);
    assert!(shown[0].contains("  at: Catalog/team-a/typed /spec/tenantSelector\n"), "{}", shown[0]);
    assert!(!shown[0].contains("╭"), "no excerpt: {}", shown[0]);
    let document: Value = serde_json::from_str(&shown[1]).unwrap();
    let typed =
        document["diagnostics"].as_array().unwrap().iter().find(|d| d["object"] == "Catalog/team-a/typed").unwrap();
    assert_eq!(
        (&typed["file"], &typed["line"], &typed["path"]),
        (&Value::Null, &Value::Null, &json!("/spec/tenantSelector"))
    );
    assert!(shown[2].contains("\"fullyQualifiedName\": \"Catalog/team-a/typed/spec/tenantSelector\""), "{}", shown[2]);
    assert!(shown[3].contains("%0Aat: Catalog/team-a/typed /spec/tenantSelector%0A"), "{}", shown[3]);
    assert!(shown[4].contains("| `Catalog/team-a/typed /spec/tenantSelector` |"), "{}", shown[4]);
}

/// The errors: code, object, field.
const EXPECTED: [&str; 6] = [
    "CAR0230 Account/team-a /metadata/name",
    "CAR0202 Catalog/? /kind",
    "CAR0232 Catalog/team-a/operator /spec/tenantSelector/matchExpressions/0/operator",
    "CAR0203 Catalog/team-a/typed /spec/tenantSelector",
    "CAR0201 Catalog/team-a/unknown /spec/tenantSelektor",
    "CAR0250 Catalog/team-z/nobodys /metadata/namespace",
];

/// The list in every form that diagnostics have.
fn rendered(list: &[Diagnostic], sources: &Sources) -> [String; 5] {
    let suggestions = Suggestions::of("carrier");
    let options = text::Options { width: 100, color: false, suggestions: &suggestions };
    let mut out = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    text::write(&mut out[0], list, sources, options).unwrap();
    text::write_summary(&mut out[0], list, sources, options).unwrap();
    json::write(&mut out[1], list, sources).unwrap();
    sarif::write(&mut out[2], list, sources, "").unwrap();
    github::write(&mut out[3], list, sources, "").unwrap();
    let [text, json, sarif, github] = out.map(|bytes| String::from_utf8(bytes).unwrap());
    [text, json, sarif, github, github::markdown(list, sources)]
}
