//! Versions, deprecation, conversion, and what the spec of a CRD has beside them.

use serde_json::{Value, json};

use super::super::hand::{Did, Hand, kinds, put, set};

kinds![
    versions_none_stored,
    versions_two_stored,
    versions_none_served,
    versions_twins,
    version_name_any,
    version_name_of_wrong_json,
    version_flags_of_wrong_json,
    version_flags_missing,
    schema_missing,
    schema_null,
    deprecation_any,
    deprecation_without_flag,
    version_unknown_key,
    versions_of_wrong_json,
    version_more,
    version_more_and_broken,
    conversion_strategy_any,
    conversion_without_config,
    conversion_none_with_webhook,
    conversion_review_versions,
    conversion_sound,
    conversion_client_any,
    conversion_unknown_keys,
    conversion_of_wrong_json,
    preserve_unknown_fields,
    spec_legacy_fields,
    spec_unknown_key,
    spec_of_wrong_json,
    schema_unknown_key,
];

/// No version is stored.
fn versions_none_stored(crd: &mut Value, _: &mut Hand<'_>) -> Did {
    for version in crd.pointer_mut("/spec/versions")?.as_array_mut()? {
        version["storage"] = json!(false);
    }
    Some(())
}

/// A copy of a version under another name.
fn copy<'c>(crd: &'c mut Value, hand: &mut Hand<'_>, name: &str) -> Option<&'c mut Value> {
    let mut version = Value::Object(hand.version(crd)?.clone());
    version["name"] = json!(name);
    version["storage"] = json!(false);
    let list = crd.pointer_mut("/spec/versions")?.as_array_mut()?;
    list.push(version);
    list.last_mut()
}

/// Two versions are stored.
fn versions_two_stored(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    copy(crd, hand, "v77")?["storage"] = json!(true);
    Some(())
}

/// No version is served.
fn versions_none_served(crd: &mut Value, _: &mut Hand<'_>) -> Did {
    for version in crd.pointer_mut("/spec/versions")?.as_array_mut()? {
        version["served"] = json!(false);
    }
    Some(())
}

/// Two versions of one name.
fn versions_twins(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let name = hand.version(crd)?.get("name")?.as_str()?.to_owned();
    copy(crd, hand, &name).map(drop)
}

/// Names of versions.
fn version_name_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (long, longer) = ("v".repeat(63), "v".repeat(64));
    let name = hand.one(json!([
        "V1", "1", "v1.1", "", "v1_1", "v1-alpha", "v", "v1beta1x", "a", long, longer, "-v1", "v1-", "v1/x", "v 1",
        "\u{e4}1", "v01", "v1alpha1"
    ]));
    put(hand.version(crd)?, "name", name)
}

/// Names of versions that are none.
fn version_name_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([1, null, [], true]));
    if hand.random.chance(20) {
        return hand.version(crd)?.remove("name").map(drop);
    }
    put(hand.version(crd)?, "name", value)
}

/// Flags that are no booleans.
fn version_flags_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = (hand.word(&["served", "storage", "deprecated"]), hand.one(json!(["true", 1, null, [], "yes"])));
    put(hand.version(crd)?, key, value)
}

/// Flags that are missing.
fn version_flags_missing(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["served", "storage"]);
    hand.version(crd)?.remove(key).map(drop)
}

/// A version without a schema.
fn schema_missing(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    hand.version(crd)?.remove("schema").map(drop)
}

/// A version whose schema is nothing.
fn schema_null(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([null, {}, [], "x", {"openAPIV3Schema": null}, {"openAPIV3Schema": {}}, {"openAPIV3schema": {"type": "object"}}]));
    put(hand.version(crd)?, "schema", value)
}

/// Deprecation with all sorts of warnings.
fn deprecation_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let warning = hand.one(json!([
        "use v2",
        "",
        "a\nb",
        "x".repeat(256),
        "x".repeat(257),
        "ä".repeat(200),
        null,
        1,
        "\t",
        "\u{7f}",
        "a\u{0}",
        "\u{e4}",
        "\u{200b}"
    ]));
    let version = hand.version(crd)?;
    put(version, "deprecated", json!(true))?;
    put(version, "deprecationWarning", warning)
}

/// A warning of what is not deprecated.
fn deprecation_without_flag(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let flag = hand.one(json!([false, null]));
    let warning = hand.one(json!(["use v2", "", null]));
    let version = hand.version(crd)?;
    put(version, "deprecated", flag)?;
    put(version, "deprecationWarning", warning)
}

/// A key that versions do not have.
fn version_unknown_key(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&[
        "Schema",
        "additionalPrinterColumn",
        "x-y",
        "validation",
        "preserveUnknownFields",
        "deprecationwarning",
    ]);
    let value = hand.one(json!([1, {}, null, "x", []]));
    put(hand.version(crd)?, key, value)
}

/// Versions that are no list of mappings.
fn versions_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([[], {}, null, "v1", [null], ["v1"], [{}], [[]]]));
    set(crd, "/spec", "versions", value)
}

/// One more version, which is fine.
fn version_more(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (name, served) = (hand.word(&["v77", "v1alpha77", "foo", "v0"]), hand.random.chance(70));
    copy(crd, hand, name)?["served"] = json!(served);
    Some(())
}

/// One more version, which is not offered and not fine.
fn version_more_and_broken(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let schema = hand.one(json!([{"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "foo"}}}}, {"openAPIV3Schema": {"type": "string"}}, {"openAPIV3Schema": {"type": "object", "properties": {"a": {"type": "array"}}}}, null, {}]));
    let served = hand.random.chance(50);
    let version = copy(crd, hand, "v77")?;
    version["served"] = json!(served);
    version["schema"] = schema;
    Some(())
}

fn convert(crd: &mut Value, conversion: Value) -> Did {
    set(crd, "/spec", "conversion", conversion)
}

fn webhook() -> Value {
    json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"service": {"namespace": "a", "name": "b", "path": "/convert", "port": 443}}}})
}

/// Strategies.
fn conversion_strategy_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!(["none", "webhook", "", "Manual", null, 1, "None"]));
    convert(crd, json!({"strategy": value}))
}

/// A webhook without what it needs.
fn conversion_without_config(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([{"strategy": "Webhook"}, {"strategy": "Webhook", "webhook": {}}, {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}}, {"strategy": "Webhook", "webhook": null}, {"strategy": "Webhook", "webhook": {"clientConfig": {"url": "https://a"}}}, {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {}}}]));
    convert(crd, value)
}

/// A webhook that is not used.
fn conversion_none_with_webhook(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut value = webhook();
    match hand.random.below(3) {
        0 => value["strategy"] = json!("None"),
        1 => value = json!({"strategy": "None", "webhook": null}),
        _ => value.as_object_mut()?.remove("strategy").map(drop)?,
    }
    convert(crd, value)
}

/// Versions of reviews.
fn conversion_review_versions(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut value = webhook();
    value["webhook"]["conversionReviewVersions"] = hand.one(json!([
        [],
        ["v2"],
        ["v1", "v1"],
        ["v1beta1"],
        ["v1", "v1beta1"],
        ["V1"],
        [""],
        null,
        "v1",
        [1],
        ["v3", "v1"],
        ["v1", "x_"]
    ]));
    convert(crd, value)
}

/// A sound webhook, or none.
fn conversion_sound(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut value = webhook();
    match hand.random.below(3) {
        0 => value = json!({"strategy": "None"}),
        1 => value["webhook"]["clientConfig"] = json!({"url": "https://example.com/convert"}),
        _ => {}
    }
    convert(crd, value)
}

/// Where a webhook is.
fn conversion_client_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut value = webhook();
    value["webhook"]["clientConfig"] = hand.one(json!([
        {"url": "http://a"}, {"url": "https://a?x=1"}, {"url": "https://u:p@a"}, {"url": "https://a#x"}, {"url": "a"}, {"url": "https://"}, {"url": ""}, {"url": "https://a", "service": {"namespace": "a", "name": "b"}}, {"service": {"name": "b"}}, {"service": {"namespace": "a", "name": ""}}, {"service": {"namespace": "a", "name": "b", "port": 0}},
        {"service": {"namespace": "a", "name": "b", "port": 65536}}, {"service": {"namespace": "a", "name": "b", "port": "443"}}, {"service": {"namespace": "a", "name": "b", "path": "x"}}, {"service": {"namespace": "a", "name": "b", "path": "/x//y"}}, {"service": {"namespace": "a", "name": "b", "path": "/x/../y"}}, {"service": {"namespace": "a", "name": "b", "path": "/"}}, {"service": {"namespace": "a", "name": "b"}, "caBundle": "YQ=="}, {"service": {"namespace": "a", "name": "b"}, "caBundle": "!"}, {"service": {"namespace": "a", "name": "b"}, "caBundle": ""},
        {"service": {"namespace": "a", "name": "b", "path": "/x/"}}, {"service": null}, null, {"service": {"namespace": "a", "name": "b", "path": ""}}, {"service": {"namespace": "A_", "name": "B_"}}, {"service": {"namespace": "a", "name": "b", "path": "/X_y"}}, {"service": {"namespace": "a", "name": "b"}, "caBundle": "Cg=="},
    ]));
    convert(crd, value)
}

/// Keys that conversion does not have.
fn conversion_unknown_keys(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let mut value = webhook();
    match hand.random.below(4) {
        0 => value["x"] = json!(1),
        1 => value["webhook"]["x"] = json!(1),
        2 => value["webhook"]["clientConfig"]["service"]["x"] = json!(1),
        _ => value = json!({"strategy": "None", "conversionReviewVersions": ["v1"]}),
    }
    convert(crd, value)
}

/// Conversion of another form.
fn conversion_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([{}, null, "None", [], true]));
    convert(crd, value)
}

/// The old field that preserves everything.
fn preserve_unknown_fields(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([true, false, null, "true"]));
    set(crd, "/spec", "preserveUnknownFields", value)
}

/// Fields of `v1beta1`, which the server drops.
fn spec_legacy_fields(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = hand
        .random
        .pick(&[
            ("version", json!("v1")),
            ("validation", json!({"openAPIV3Schema": {"type": "object"}})),
            ("subresources", json!({"status": {}})),
            ("additionalPrinterColumns", json!([{"name": "x", "type": "string", "JSONPath": ".spec"}])),
            ("versions2", json!([])),
            ("selectableFields", json!([{"jsonPath": ".spec"}])),
        ])
        .clone();
    set(crd, "/spec", key, value)
}

/// A key that the spec does not have.
fn spec_unknown_key(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) = (
        hand.word(&["x-y", "Group", "foo", "status", "description", "openAPIV3Schema"]),
        hand.one(json!([1, null, {}, "x", [1.0]])),
    );
    set(crd, "/spec", key, value)
}

/// A spec of another form.
fn spec_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([{}, null, "x", [], true]));
    put(crd.as_object_mut()?, "spec", value)
}

/// A key beside `openAPIV3Schema`.
fn schema_unknown_key(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let (key, value) =
        (hand.word(&["openAPIV3schema", "type", "x", "jsonSchema"]), hand.one(json!([1, {}, "object", null])));
    put(hand.version(crd)?.get_mut("schema")?.as_object_mut()?, key, value)
}
