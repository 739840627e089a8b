//! Names of a CRD and of what it defines, its group and its scope.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, kinds, put, set};

kinds![
    kind_any,
    list_kind_any,
    plural_any,
    plural_and_name_differ,
    singular_any,
    short_names_any,
    categories_any,
    names_missing,
    names_unknown_key,
    names_of_wrong_json,
    names_clash,
    names_long,
    group_any,
    group_protected,
    group_and_name_differ,
    scope_any,
    metadata_name_any,
    labels_any,
    annotations_any,
    metadata_fields,
    api_version_any,
];

fn named(crd: &mut Value, key: &str, value: Value) -> Did {
    set(crd, "/spec/names", key, value)
}

/// Renames the CRD, so that its name fits its plural and its group.
fn rename(crd: &mut Value) -> Did {
    let part = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let name = format!("{}.{}", part("/spec/names/plural")?, part("/spec/group")?);
    set(crd, "/metadata", "name", json!(name))
}

/// Kinds that are none, or nearly.
fn kind_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([
        "thing",
        "Thing_One",
        "1Thing",
        "Thing-One",
        "Thing.One",
        "",
        "Thing One",
        "T",
        "THING",
        "Thing-",
        "-Thing",
        "Ding\u{e4}",
        "Thing1",
        "List",
        null,
        1,
        "ThingList"
    ]));
    named(crd, "kind", value)
}

/// List kinds, with that of the kind itself.
fn list_kind_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let kind = crd.pointer("/spec/names/kind")?.as_str()?.to_owned();
    let value = hand.one(json!([
        kind,
        format!("{kind}Liste"),
        "thingList",
        "",
        "1List",
        "Thing_List",
        null,
        "Things-List",
        1,
        kind.to_lowercase()
    ]));
    named(crd, "listKind", value)
}

/// Plurals that are none, with the name that fits them.
fn plural_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([
        "Things",
        "thing_s",
        "1things",
        "thing-s",
        "things.x",
        "",
        "t",
        "things-",
        "-things",
        "ding\u{e4}s",
        "things/x",
        "123"
    ]));
    named(crd, "plural", value)?;
    rename(crd)
}

/// A name that does not begin with the plural.
fn plural_and_name_differ(crd: &mut Value, _: &mut Hand<'_>) -> Did {
    named(crd, "plural", json!("others"))
}

/// Singulars.
fn singular_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let plural = crd.pointer("/spec/names/plural")?.clone();
    let value = hand.one(json!([plural, "Thing", "thing_", "", "x", "1x", "thing-x", null, "thing.x", 1, "x-"]));
    named(crd, "singular", value)
}

/// Short names.
fn short_names_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let plural = crd.pointer("/spec/names/plural")?.clone();
    let value = hand.one(json!([
        ["Th"],
        ["th", "th"],
        [""],
        ["t_h"],
        [plural],
        [],
        "th",
        null,
        [1],
        [null],
        ["1t"],
        ["a-b"],
        ["th", "ti"],
        ["a.b"],
        {}
    ]));
    named(crd, "shortNames", value)
}

/// Categories.
fn categories_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([
        ["All"],
        ["all"],
        ["all", "all"],
        [""],
        ["a_b"],
        "all",
        null,
        [1],
        [],
        ["1a"],
        ["a.b"],
        ["a/b"],
        [null]
    ]));
    named(crd, "categories", value)
}

/// No kind, or no plural, or no names at all.
fn names_missing(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["kind", "plural", "listKind", "singular"]);
    if hand.random.chance(10) {
        return crd.pointer_mut("/spec")?.as_object_mut()?.remove("names").map(drop);
    }
    crd.pointer_mut("/spec/names")?.as_object_mut()?.remove(key).map(drop)
}

/// A key that names do not have.
fn names_unknown_key(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["shortNane", "list", "x-y", "Kind", "version"]);
    named(crd, key, json!("x"))
}

/// Names of another form.
fn names_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([[], "Thing", null, {}, true]));
    set(crd, "/spec", "names", value)
}

/// Names that are equal to each other.
fn names_clash(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("singular", json!("things")),
            ("shortNames", json!(["things"])),
            ("shortNames", json!(["thing"])),
            ("shortNames", json!(["th", "thing"])),
            ("categories", json!(["things"])),
            ("listKind", json!("Thing")),
        ])
        .clone();
    let names = crd.pointer_mut("/spec/names")?;
    *names = json!({"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList", key: value});
    rename(crd)
}

/// Names at the limit of their length.
fn names_long(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let length = *hand.random.pick(&[40, 45, 50, 59, 60, 62, 63, 64, 70]);
    let (key, value) = match hand.random.below(6) {
        0 => ("kind", json!(format!("K{}", "x".repeat(length - 1)))),
        1 => ("listKind", json!(format!("K{}", "x".repeat(length - 1)))),
        2 => ("plural", json!("p".repeat(length))),
        3 => ("singular", json!("s".repeat(length))),
        4 => ("shortNames", json!(["s".repeat(length)])),
        _ => ("categories", json!(["c".repeat(length)])),
    };
    named(crd, key, value)?;
    if key == "kind" && hand.random.chance(70) {
        crd.pointer_mut("/spec/names")?.as_object_mut()?.remove("listKind");
    }
    rename(crd)
}

/// Groups, with the name that fits them.
fn group_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let long = format!("{}.example.com", "g".repeat(63));
    let longer = format!("{}.example.com", "g".repeat(64));
    let longest = vec!["g".repeat(60); 4].join(".");
    let value = hand.one(json!([
        "example",
        "Example.com",
        "example..com",
        ".example.com",
        "example.com.",
        "",
        "ex_ample.com",
        "1.2",
        "a.b",
        long,
        longer,
        longest,
        "example.com/v1",
        "-a.com",
        "a-.com",
        "x.y.z.w"
    ]));
    set(crd, "/spec", "group", value)?;
    rename(crd)
}

/// Groups of Kubernetes itself, with and without an approval.
fn group_protected(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.word(&["x.k8s.io", "apps.kubernetes.io", "k8s.io", "kubernetes.io", "myk8s.io", "a.x-k8s.io"]);
    set(crd, "/spec", "group", json!(value))?;
    rename(crd)?;
    let annotation = hand.one(json!([
        null,
        "https://github.com/kubernetes/kubernetes/pull/1",
        "unapproved, for a test",
        "",
        "x",
        "http://",
        "https://x",
        "unapproved",
        "1"
    ]));
    if let Some(text) = annotation.as_str() {
        let metadata = crd.pointer_mut("/metadata")?.as_object_mut()?;
        put(metadata, "annotations", json!({"api-approved.kubernetes.io": text}))?;
    } else {
        crd.pointer_mut("/metadata")?.as_object_mut()?.remove("annotations");
    }
    Some(())
}

/// A name that does not end with the group, or no group.
fn group_and_name_differ(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["other.example.com", null, 1, ""]));
    set(crd, "/spec", "group", value)
}

/// Scopes.
fn scope_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["namespaced", "Cluster", "", "Both", null, 1, "Namespace", "Namespaced"]));
    if hand.random.chance(15) {
        return crd.pointer_mut("/spec")?.as_object_mut()?.remove("scope").map(drop);
    }
    set(crd, "/spec", "scope", value)
}

/// Names of the CRD itself.
fn metadata_name_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let name = crd.pointer("/metadata/name")?.as_str()?.to_owned();
    let value = hand.one(json!([
        name.to_uppercase(),
        format!("{name}."),
        format!("x{name}"),
        "",
        null,
        1,
        format!(" {name}"),
        "x"
    ]));
    set(crd, "/metadata", "name", value)
}

/// Labels of the CRD.
fn labels_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([{"a": "b"}, {"a": 1}, {"a": true}, {"a b": "x"}, {"a": "b c"}, {"a": null}, null, {}, [], "x", {"a/b/c": "d"}, {"": "x"}, {"a": ""}, {"a": "x".repeat(64)}, {"example.com/a": "x"}, {"A_b": "C"}]));
    set(crd, "/metadata", "labels", value)
}

/// Annotations of the CRD.
fn annotations_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([{"a": "b"}, {"a": 1}, {"a": true}, {"a b": "x"}, {"a": "b c\nd"}, {"a": null}, null, {}, [], "x", {"a/b/c": "d"}, {"A/b": "c"}, {"a": ""}, {"a": "x".repeat(300_000)}, {"controller-gen.kubebuilder.io/version": "v0.16"}]));
    set(crd, "/metadata", "annotations", value)
}

/// Other metadata.
fn metadata_fields(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("creationTimestamp", json!(null)),
            ("creationTimestamp", json!("x")),
            ("generateName", json!("x")),
            ("finalizers", json!(["a/b"])),
            ("finalizers", json!(["b"])),
            ("namespace", json!("default")),
            ("uid", json!("x")),
            ("generation", json!(3)),
            ("generation", json!("3")),
            ("managedFields", json!([])),
            ("ownerReferences", json!([])),
            ("ownerReferences", json!([{"a": 1}])),
            ("foo", json!("x")),
            ("clusterName", json!("x")),
            ("resourceVersion", json!("1")),
            ("selfLink", json!("x")),
            ("finalizers", json!("x")),
            ("deletionTimestamp", json!("2024-01-01T00:00:00Z")),
        ])
        .clone();
    set(crd, "/metadata", key, value)
}

/// Versions of the API, and kinds of objects.
fn api_version_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("apiVersion", json!("apiextensions.k8s.io/v1beta1")),
            ("apiVersion", json!("apiextensions.k8s.io/v2")),
            ("kind", json!("customresourcedefinition")),
            ("apiVersion", json!("apiextensions.k8s.io/V1")),
            ("foo", json!(1)),
            ("status", json!({})),
            ("status", json!({"conditions": [], "acceptedNames": {"kind": "", "plural": ""}, "storedVersions": []})),
            ("status", json!(null)),
            ("status", json!("x")),
            ("Spec", json!({})),
        ])
        .clone();
    put(crd.as_object_mut()?, key, value)
}
