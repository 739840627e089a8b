//! What an API server refuses of a CRD, rule by rule. Each row was held against kube-apiserver v1.37;
//! `tests/servers/verdicts` compares thousands.

use serde_json::{Value, json};

use super::{Kind, decode, problems};

/// A CRD whose `.spec.mut` has this schema.
fn crd(mutation: &Value) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "ks.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "K", "plural": "ks"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {"mut": mutation}}}}}}]}})
}

/// What is wrong: the end of each pointer with the message.
fn said(crd: &Value) -> Vec<String> {
    let decoded = decode(crd);
    let all = decoded.wrong.into_iter().chain(problems(&decoded.crd));
    let short = |pointer: &str| {
        let below = pointer.split_once("/openAPIV3Schema").map_or(pointer, |(_, below)| below);
        below.strip_prefix("/properties/spec/properties/mut").unwrap_or(below).to_owned()
    };
    all.filter(|problem| problem.kind != Kind::Unjudged)
        .map(|problem| format!("{} {}", short(&problem.pointer), problem.message))
        .collect()
}

#[test]
fn schemas_are_structural() {
    let string = || json!({"type": "string"});
    for (mutation, expected) in [
        (
            json!({"type": "object", "properties": {"b": string()}, "additionalProperties": false}),
            "/additionalProperties is not allowed beside",
        ),
        (
            json!({"type": "object", "properties": {"b": string()}, "additionalProperties": string()}),
            "/additionalProperties is not allowed beside",
        ),
        (json!({}), " has no `type`"),
        (json!({"type": "strin"}), "/type is `strin`, which is not a type"),
        (json!({"type": "null"}), "/type must not be `null`"),
        (json!({"type": "array"}), " is a list without a schema of its items"),
        (json!({"type": "array", "items": [string()]}), "/items must be one schema"),
        (json!({"type": "string", "anyOf": [{"type": "string"}]}), "/anyOf/0/type is not allowed inside"),
        (json!({"type": "string", "not": {"description": "x"}}), "/not/description is not allowed inside"),
        (
            json!({"type": "object", "allOf": [{"properties": {"metadata": {}}}]}),
            "/allOf/0/properties/metadata must not be restricted",
        ),
        (
            json!({"type": "string", "x-kubernetes-preserve-unknown-fields": false}),
            "/x-kubernetes-preserve-unknown-fields must be true",
        ),
        (json!({"type": "string", "uniqueItems": true}), "/uniqueItems is a keyword that API servers refuse"),
        (json!({"type": "string", "$ref": ""}), "/$ref is a keyword"),
        (json!({"type": "string", "pattern": "a(?=b)"}), "/pattern is not a valid RE2 pattern"),
        (
            json!({"type": "object", "x-kubernetes-embedded-resource": true}),
            " is an embedded resource without `properties`",
        ),
        (
            json!({"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true}),
            "/x-kubernetes-preserve-unknown-fields must not be true",
        ),
        (json!({"type": "string", "x-kubernetes-map-type": "atomic"}), "/x-kubernetes-map-type needs `type: object`"),
        (
            json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"}),
            "/items/x-kubernetes-map-type must be `atomic`",
        ),
        (
            json!({"type": "array", "items": {"type": "string", "nullable": true}, "x-kubernetes-list-type": "set"}),
            "/items/nullable must not be true",
        ),
        (
            json!({"type": "array", "items": string(), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}),
            "/items/type must be `object`",
        ),
        (
            json!({"type": "array", "items": {"type": "object", "properties": {"k": string()}}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}),
            "/items/properties/k is a key of the list",
        ),
        (
            json!({"type": "array", "items": {"type": "object", "properties": {"k": string()}}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["z"]}),
            "/x-kubernetes-list-map-keys/0 is `z`, which is not a property",
        ),
        (json!({"type": "string", "default": 3}), "/default does not fit the schema: it must be a string"),
        (
            json!({"type": "string", "x-kubernetes-validations": [{"rule": "self.a > 1"}]}),
            "/x-kubernetes-validations/0/rule is refused: ",
        ),
    ] {
        let found = said(&crd(&mutation));
        assert!(found.len() == 1 && found[0].starts_with(expected), "{mutation}: {found:#?}");
    }
}

#[test]
fn what_servers_take_is_taken() {
    let string = || json!({"type": "string"});
    for mutation in [
        json!({"type": "object", "properties": {"b": string()}, "additionalProperties": true}),
        json!({"type": "object", "additionalProperties": {"type": "string", "default": 3}}),
        json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}),
        json!({"x-kubernetes-int-or-string": true, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}]}),
        json!({"type": "object", "oneOf": [{"properties": {"b": {"pattern": "x"}}}], "properties": {"c": string()}}),
        json!({"type": "string", "items": 5, "examples": [1], "description": null}),
        json!({"type": "string", "pattern": "^[a&&b]$", "format": "colour"}),
        json!({"x-kubernetes-preserve-unknown-fields": true}),
    ] {
        assert_eq!(said(&crd(&mutation)), [""; 0], "{mutation}");
    }
}

#[test]
fn the_crd_itself_is_checked() {
    let one = |pointer: &str, value: Value, expected: &str| {
        let mut crd = crd(&json!({"type": "string"}));
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        crd.pointer_mut(parent).unwrap()[key] = value;
        let found = said(&crd);
        assert!(found.iter().any(|line| line.starts_with(expected)), "{pointer}: {found:#?}");
    };
    one("/spec/scope", json!("namespaced"), "/spec/scope must be `Namespaced`");
    one("/spec/names/shortNames", json!(["A"]), "/spec/names/shortNames/0 is \"A\", which is not valid");
    one("/spec/names/listKind", json!("K"), "/spec/names/listKind is `K`, as the kind is");
    one("/spec/names/kind", json!("k".repeat(60)), "/spec/names/listKind is \"kkkk");
    one("/spec/preserveUnknownFields", json!(true), "/spec/preserveUnknownFields must not be true");
    one("/spec/conversion", json!({}), "/spec/conversion/strategy must be `None` or `Webhook`");
    one("/metadata/generateName", json!("x"), "/metadata/generateName must not be set");
    one("/metadata/labels", json!({"a": "b c"}), "/metadata/labels/a is \"b c\", which is not valid");
    let version = "/spec/versions/0";
    one(&format!("{version}/storage"), json!(false), "/spec/versions must have exactly one version");
    one(&format!("{version}/served"), json!("yes"), "/spec/versions/0/served must be a boolean");
    one(
        &format!("{version}/deprecationWarning"),
        json!("x"),
        "/spec/versions/0/deprecationWarning needs `deprecated: true`",
    );
    one(&format!("{version}/schema"), json!({}), "/spec/versions/0/schema has no `openAPIV3Schema`");
    let column = |path: Value| json!([{"name": "A", "type": "string", "jsonPath": path}]);
    one(
        &format!("{version}/additionalPrinterColumns"),
        column(json!("spec")),
        "/spec/versions/0/additionalPrinterColumns/0/jsonPath is \"spec\"",
    );
    one(
        &format!("{version}/selectableFields"),
        json!([{"jsonPath": ".spec"}]),
        "/spec/versions/0/selectableFields/0/jsonPath is \".spec\", which is no string",
    );
    let scale = json!({"status": {}, "scale": {"specReplicasPath": ".status.a", "statusReplicasPath": ".status.b"}});
    one(
        &format!("{version}/subresources"),
        scale,
        "/spec/versions/0/subresources/scale/specReplicasPath is \".status.a\"",
    );
}

#[test]
fn a_schema_that_versions_share_is_checked_where_it_is_served() {
    let mut crd = crd(&json!({"type": "strin"}));
    let mut old = crd["spec"]["versions"][0].clone();
    old["name"] = json!("v1alpha1");
    old["served"] = json!(false);
    old["storage"] = json!(false);
    crd["spec"]["versions"].as_array_mut().unwrap().insert(0, old);
    let found = problems(&decode(&crd).crd);
    assert_eq!(found.iter().map(super::Problem::version).collect::<Vec<_>>(), [Some(1)]);
}
