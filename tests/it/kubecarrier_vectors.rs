//! What KubeCarrier's derivation did with an exposure, and what carrier does with it.
//!
//! One row a vector of the original's behaviour: what was exposed, what came of it then, what comes of it now. The
//! rows marked `a` to `d` are the original's own unit and end-to-end tests, which must still hold.

use carrier::derivation::Derived;
use carrier::derivation::SourceCrd;
use carrier::diagnostic::Diagnostic;
use carrier::names::ClusterId;
use carrier::paths::{FieldPath, PathProblem};
use serde_json::{Value, json};
use std::sync::LazyLock;

use crate::corpus::exposures::{exposure, run};
use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        every_row_of_the_table,
        a_hidden_required_field_is_an_error,
        what_is_no_path_is_not_read_as_one,
        without_the_storage_version_another_one_is_stored,
        a_version_in_two_items_is_an_error,
        an_unknown_version_is_an_error,
        a_fields_lists_and_status,
        b_columns,
        c_names,
        d_end_to_end,
    ]
}

static CLUSTER: LazyLock<ClusterId> = LazyLock::new(|| ClusterId::new("dcr", "eu-west-1"));

/// What came of exposing some paths.
struct Outcome {
    derived: Derived,
    said: Vec<Diagnostic>,
}

impl Outcome {
    fn root(&self) -> &Value {
        &self.derived.crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    }

    fn spec(&self) -> &Value {
        &self.root()["properties"]["spec"]
    }

    fn fields(&self) -> Vec<&str> {
        names(self.spec())
    }

    fn columns(&self) -> Vec<&str> {
        let columns = self.derived.crd["spec"]["versions"][0]["additionalPrinterColumns"].as_array();
        columns.into_iter().flatten().map(|c| c["jsonPath"].as_str().unwrap()).collect()
    }

    /// Codes, but for the one that says that no status is exposed.
    fn codes(&self) -> Vec<&str> {
        self.said.iter().map(|d| d.code.id).filter(|c| *c != "CAR0360").collect()
    }
}

fn names(node: &Value) -> Vec<&str> {
    node["properties"].as_object().into_iter().flatten().map(|(n, _)| n.as_str()).collect()
}

fn crd(spec: &Value, columns: &[&str]) -> Value {
    let column = |p: &&str| json!({"name": p, "type": "string", "jsonPath": p});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "catapults.fake.example.com"},
        "spec": {
            "group": "fake.example.com", "scope": "Namespaced",
            "names": {"kind": "Catapult", "plural": "catapults", "listKind": "CatapultList", "singular": "catapult"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "additionalPrinterColumns": columns.iter().map(column).collect::<Vec<_>>(),
                "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {
                    "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
                    "spec": spec,
                    "status": {"type": "object", "properties": {
                        "observedGeneration": {"type": "integer", "format": "int64"},
                        "phase": {"type": "string"}, "prop1": {"type": "string"}, "prop2": {"type": "string"},
                        "conditions": {"type": "array", "items": {"type": "object"}},
                    }},
                }}},
            }],
        },
    })
}

fn expose(crd: &Value, paths: &[&str]) -> Outcome {
    let paths: Vec<FieldPath> = paths.iter().map(|p| FieldPath::parse(p).unwrap()).collect();
    let (derived, said) = run(&SourceCrd::read(crd).unwrap(), &exposure(&["v1"], &paths), &CLUSTER);
    Outcome { derived: derived.unwrap(), said }
}

/// A CRD with one field of every shape that the vectors speak of.
fn every_shape() -> Value {
    let spec = json!({"type": "object", "properties": {
        "username": {"type": "string"}, "user": {"type": "string"}, "password": {"type": "string"},
        "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
            "shown": {"type": "string"}, "other": {"type": "string"}}},
        "tls": {"type": "object", "default": {"mode": "strict", "secret": "s"}, "properties": {
            "mode": {"type": "string"}, "secret": {"type": "string"}}},
        "source": {"type": "object", "oneOf": [{"required": ["git"]}, {"required": ["oci"]}, {"required": ["http"]}],
            "properties": {"git": {"type": "string"}, "oci": {"type": "string"}, "http": {"type": "string"}, "note": {"type": "string"}}},
    }});
    crd(&spec, &[".spec.user", ".spec.username", ".metadata.creationTimestamp"])
}

/// What was exposed, what the original made of it, what carrier makes of it, and the proof.
type Row = (&'static [&'static str], &'static str, &'static str, fn(&Outcome));

const ROWS: &[Row] = &[
    (&[".spec.list"], "the whole list with its item schema", "the same", |o| {
        assert_eq!(o.fields(), ["list"]);
        assert_eq!(names(&o.spec()["properties"]["list"]["items"]), ["a", "b"]);
        assert_eq!(o.codes(), ["CAR0315", "CAR0315"], "the two columns of hidden fields");
    }),
    (&[".spec.list.a"], "dropped in silence, and `.spec` with it", "an error that says `[]`", |o| {
        assert!(o.codes().contains(&"CAR0303"));
        let error = o.said.iter().find(|d| d.code.id == "CAR0303").unwrap();
        assert!(error.help[0].contains("`.spec.list[].a`"), "{}", error.help[0]);
        assert!(o.root()["required"].is_null(), "nothing of `.spec` is left, so nothing requires it");
    }),
    (&[".spec.list[*].a"], "dropped in silence", "the field of each item", |o| {
        assert_eq!(names(&o.spec()["properties"]["list"]["items"]), ["a"]);
    }),
    (&[".spec.labels"], "the map as it is", "the same", |o| {
        assert_eq!(o.spec()["properties"]["labels"]["additionalProperties"], json!({"type": "string"}));
    }),
    (&[".spec.labels.foo"], "dropped in silence", "an object with that one key, and a warning", |o| {
        assert_eq!(
            o.spec()["properties"]["labels"],
            json!({"type": "object", "properties": {"foo": {"type": "string"}}})
        );
        assert!(o.codes().contains(&"CAR0308"));
    }),
    (&[".spec.free.foo"], "dropped in silence", "an error: the schema does not describe it", |o| {
        assert!(o.codes().contains(&"CAR0305"));
    }),
    (&[".spec.username.first"], "dropped in silence", "an error: a string has no fields", |o| {
        assert!(o.codes().contains(&"CAR0301"));
    }),
    (&[".spec.usernam"], "dropped in silence", "an error with the right name", |o| {
        let error = o.said.iter().find(|d| d.code.id == "CAR0301").unwrap();
        assert!(error.help[0].contains("`.spec.username`"), "{}", error.help[0]);
    }),
    (
        &[".spec", ".spec.username"],
        "an error: `.spec` is not a map",
        "all of `.spec`; the longer path is a warning",
        |o| {
            assert!(o.fields().len() > 5);
            assert!(o.codes().contains(&"CAR0306"));
        },
    ),
    (&[".spec.username", ".spec"], "all of `.spec`: the order mattered", "the same as in the other order", |o| {
        assert!(o.fields().len() > 5);
        assert!(o.codes().contains(&"CAR0306"));
    }),
    (&["spec.username"], "the field, but its column was lost", "the field and its column", |o| {
        assert_eq!(o.fields(), ["username"]);
        assert_eq!(o.columns(), [".spec.username", ".metadata.creationTimestamp"]);
    }),
    (&[".spec.user"], "also the column of the hidden `.spec.username`", "only the columns of visible fields", |o| {
        assert_eq!(o.columns(), [".spec.user", ".metadata.creationTimestamp"]);
        assert_eq!(o.codes(), ["CAR0315"]);
    }),
    (&[".metadata.labels", ".spec.user"], "harmless", "harmless, with a warning that it says nothing", |o| {
        assert_eq!(names(o.root()), ["apiVersion", "kind", "metadata", "spec", "status"]);
        assert!(o.codes().contains(&"CAR0307"));
    }),
    (&[".spec.port"], "kept with its extension", "the same", |o| {
        let port = json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]});
        assert_eq!(o.spec()["properties"]["port"], port);
    }),
    (
        &[".spec.open.shown"],
        "unknown keys could be stored, the hidden field among them",
        "only what is exposed can be stored",
        |o| {
            assert_eq!(
                o.spec()["properties"]["open"],
                json!({"type": "object", "properties": {"shown": {"type": "string"}}})
            );
            assert!(o.codes().contains(&"CAR0323"));
        },
    ),
    (
        &[".spec.tls.mode"],
        "the default stayed whole, and the server refused the CRD",
        "the default goes, with a warning",
        |o| {
            assert_eq!(
                o.spec()["properties"]["tls"],
                json!({"type": "object", "properties": {"mode": {"type": "string"}}})
            );
            assert!(o.codes().contains(&"CAR0314"));
        },
    ),
    (&[".spec.source.git", ".spec.source.oci"], "branches of hidden fields stayed", "they go", |o| {
        assert_eq!(o.spec()["properties"]["source"]["oneOf"], json!([{"required": ["git"]}, {"required": ["oci"]}]));
    }),
    (&[".spec.source.note"], "no instance could ever be valid", "an error: every choice is hidden", |o| {
        assert!(o.spec()["properties"]["source"]["oneOf"].is_null());
        assert!(o.codes().contains(&"CAR0311"));
    }),
];

fn every_row_of_the_table() {
    let crd = every_shape();
    for (paths, original, now, check) in ROWS {
        crate::measured(&format!("{}\n  then: {original}\n  now:  {now}", paths.join(" ")));
        check(&expose(&crd, paths));
    }
}

/// Then: `required` kept the hidden name, so every instance lacked a field that nobody could set.
/// Now: an error at compile time; what is derived all the same demands only what is visible.
fn a_hidden_required_field_is_an_error() {
    let spec = json!({"type": "object", "required": ["password", "username"], "properties": {
        "username": {"type": "string"}, "password": {"type": "string"}}});
    let outcome = expose(&crd(&spec, &[]), &[".spec.username"]);
    assert_eq!(outcome.spec()["required"], json!(["username"]));
    let error = outcome.said.iter().find(|d| d.code.id == "CAR0310").unwrap();
    assert!(error.message.contains("`.spec.password`"), "{}", error.message);
    assert!(error.help[0].contains("`- jsonPath: .spec.password`"), "{}", error.help[0]);
}

/// Then: dropped in silence, or read as something else. Now: refused where it is written.
fn what_is_no_path_is_not_read_as_one() {
    let problem = |text: &str| FieldPath::parse(text).unwrap_err().problem;
    assert_eq!(problem(".spec.list[0]"), PathProblem::Index("0".to_owned()));
    assert_eq!(problem(".spec..username"), PathProblem::Recursive);
    assert_eq!(problem("$.spec.username"), PathProblem::Unexpected('$'));
    // This one worked: dots at either end were cut off. One at the end is more likely an unfinished path.
    assert_eq!(problem(".spec.username."), PathProblem::TrailingDot);
}

/// Then: the derived CRD had no storage version, the server refused it, and nobody was told.
/// Now: the exposed version is stored.
fn without_the_storage_version_another_one_is_stored() {
    let mut crd = crd(&json!({"type": "object", "properties": {"size": {"type": "integer"}}}), &[]);
    let mut stored = crd["spec"]["versions"][0].clone();
    stored["name"] = json!("v2");
    crd["spec"]["versions"][0]["storage"] = json!(false);
    crd["spec"]["versions"].as_array_mut().unwrap().push(stored);
    let outcome = expose(&crd, &[".spec.size"]);
    let versions = outcome.derived.crd["spec"]["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 1);
    assert_eq!((&versions[0]["name"], &versions[0]["storage"]), (&json!("v1"), &json!(true)));
    assert_eq!(outcome.derived.storage, "v1");
}

/// Then: the last of two items made the schema and the first one the copying. Now: an error.
fn a_version_in_two_items_is_an_error() {
    let path = |p: &str| vec![FieldPath::parse(p).unwrap()];
    let mut twice = exposure(&["v1"], &path(".spec.user"));
    twice.items.extend(exposure(&["v1"], &path(".spec.username")).items);
    let (_, said) = run(&SourceCrd::read(&every_shape()).unwrap(), &twice, &CLUSTER);
    assert!(said.iter().any(|d| d.code.id == "CAR0332"));
}

/// Then: a version that the CRD lacks was ignored. Now: an error that lists those it has.
fn an_unknown_version_is_an_error() {
    let unknown = exposure(&["v1", "v9"], &[FieldPath::parse(".spec.user").unwrap()]);
    let (derived, said) = run(&SourceCrd::read(&every_shape()).unwrap(), &unknown, &CLUSTER);
    assert_eq!(derived.unwrap().versions, ["v1"]);
    assert!(said.iter().any(|d| d.code.id == "CAR0330" && d.help[0].contains("`v1`")));
}

fn catapult() -> Value {
    let spec = json!({"type": "object", "properties": {
        "prop1": {"type": "string"}, "prop2": {"type": "string"},
        "roles": {"type": "array", "items": {"type": "string"}},
        "test": {"type": "object", "properties": {"sub": {"type": "object", "properties": {"sub": {"type": "string"}}}}},
        "field": {"type": "string"},
    }});
    crd(
        &spec,
        &[".metadata.creationTimestamp", ".kind", ".apiVersion", ".status.phase", ".spec.test.sub.sub", ".spec.field"],
    )
}

/// `a`: fields, a whole list, and a part of the status. Now also what the status contract adds.
fn a_fields_lists_and_status() {
    let outcome = expose(&catapult(), &[".spec.prop1", ".spec.roles", ".status.phase"]);
    assert_eq!(outcome.fields(), ["prop1", "roles"]);
    assert_eq!(outcome.spec()["properties"]["roles"], json!({"type": "array", "items": {"type": "string"}}));
    assert_eq!(names(&outcome.root()["properties"]["status"]), ["conditions", "observedGeneration", "phase"]);
}

/// `b`: columns of hidden fields go, those of visible ones and of the object itself stay.
fn b_columns() {
    let outcome = expose(&catapult(), &[".spec.test", ".status.phase"]);
    let kept = [".metadata.creationTimestamp", ".kind", ".apiVersion", ".status.phase", ".spec.test.sub.sub"];
    assert_eq!(outcome.columns(), kept);
    assert_eq!(outcome.codes(), ["CAR0315"]);
}

/// `c`: the group is made of the cluster and the provider.
fn c_names() {
    let outcome = expose(&catapult(), &[".spec.prop1"]);
    assert_eq!(outcome.derived.crd["metadata"]["name"], "catapults.eu-west-1.dcr");
    assert_eq!(outcome.derived.crd["spec"]["names"]["kind"], "Catapult");
}

/// `d`: exactly what is exposed, with its types. Now the conditions of the status contract come along.
fn d_end_to_end() {
    let outcome = expose(&catapult(), &[".spec.prop1", ".status.observedGeneration", ".status.prop1"]);
    let root = outcome.root();
    assert_eq!(names(root), ["apiVersion", "kind", "metadata", "spec", "status"]);
    assert_eq!(outcome.spec(), &json!({"type": "object", "properties": {"prop1": {"type": "string"}}}));
    let status = &root["properties"]["status"];
    assert_eq!(names(status), ["conditions", "observedGeneration", "prop1"]);
    assert_eq!(status["properties"]["observedGeneration"], json!({"type": "integer", "format": "int64"}));
    assert_eq!(status["type"], "object");
}
