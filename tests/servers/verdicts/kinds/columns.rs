//! Printer columns, subresources and selectable fields.

use serde_json::{Map, Value, json};

use super::super::hand::{Did, Hand, kinds, put};

kinds![
    columns_of_wrong_json,
    column_without_dot,
    column_type_any,
    column_format_any,
    column_part_missing,
    column_path_syntax,
    column_priority_any,
    column_unknown_key,
    column_twins,
    column_sound,
    column_null_parts,
    scale_paths,
    scale_part_missing,
    scale_of_wrong_json,
    scale_sound,
    subresources_any,
    status_subresource_any,
    selectable_paths,
    selectable_many,
    selectable_types,
    selectable_twins,
    selectable_of_wrong_json,
];

fn columns(version: &mut Map<String, Value>) -> Option<&mut Vec<Value>> {
    version.entry("additionalPrinterColumns").or_insert_with(|| json!([])).as_array_mut()
}

fn with_column(crd: &mut Value, hand: &mut Hand<'_>, column: Value) -> Did {
    columns(hand.version(crd)?)?.push(column);
    Some(())
}

/// Columns that are no list of mappings.
fn columns_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value =
        hand.one(json!([{}, "x", ["x"], [null], null, [], 1, {"name": "x", "type": "string", "jsonPath": ".spec"}]));
    put(hand.version(crd)?, "additionalPrinterColumns", value)
}

/// A path without its dot, as kubectl's own have it.
fn column_without_dot(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let path =
        hand.word(&["spec.size", "{.spec.size}", "$.spec.size", "['spec']", "[0]", " .spec", "status", "@.spec"]);
    with_column(crd, hand, json!({"name": "X", "type": "string", "jsonPath": path}))
}

/// Types of columns.
fn column_type_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([
        "string",
        "integer",
        "number",
        "boolean",
        "date",
        "object",
        "array",
        "String",
        "",
        "int",
        1,
        null,
        ["string"],
        "datetime"
    ]));
    with_column(crd, hand, json!({"name": "X", "type": value, "jsonPath": ".spec.size"}))
}

/// Formats of columns.
fn column_format_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([
        "int32",
        "int64",
        "float",
        "double",
        "byte",
        "date",
        "date-time",
        "password",
        "",
        "uuid",
        "foo",
        "Date",
        null,
        1
    ]));
    with_column(crd, hand, json!({"name": "X", "type": "string", "format": value, "jsonPath": ".spec.size"}))
}

/// A column without one of its parts.
fn column_part_missing(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["name", "type", "jsonPath"]);
    let value = hand.one(json!([null, ""]));
    let mut column = json!({"name": "X", "type": "string", "jsonPath": ".spec.size"});
    column[key] = value.clone();
    if value.is_null() && hand.random.chance(70) {
        column.as_object_mut()?.remove(key);
    }
    with_column(crd, hand, column)
}

/// `JSONPath`s, sound and unsound.
fn column_path_syntax(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let path = hand.word(&[
        ".spec.a[",
        ".spec..a",
        "..a",
        ".",
        ".spec.a[0]",
        ".spec.a[*]",
        ".spec.a[*].b",
        ".spec.*",
        ".spec['a']",
        ".spec[\"a\"]",
        ".spec.a[?(@.type==\"Ready\")].status",
        ".spec.a[?(@.type=='Ready')].status",
        ".spec.a[?(@.type==Ready)].status",
        ".spec.a[?(@.x>1)]",
        ".spec.a[0:2]",
        ".spec.a[-1]",
        ".spec.a[-1:]",
        ".spec.a[0,1]",
        ".spec.a['b','c']",
        ".spec.a-b",
        ".spec.a\\.b",
        ".metadata.labels.a\\.b/c",
        ".metadata.annotations['a.b/c']",
        ".spec.a}",
        ".spec.{a}",
        ".spec.a b",
        ".spec.a.",
        ".spec.a[?(@.b)]",
        ".spec.a[?(@.b==1 && @.c==2)]",
        ".spec.a[?@.b]",
        ".spec.a[]",
        ".spec.a[(@.length-1)]",
        ".spec.ä",
        ".spec.$a",
        ".spec.a[?(@.b=~\"c\")]",
        ".spec.a[1:a]",
        ".spec.a['b]",
        ".spec.a[?(@.b==\"c)]",
        ".metadata.name",
        ".metadata.creationTimestamp",
        ".metadata.labels",
        ".spec.a[*]['b']",
        ".spec.\"a\"",
        ".spec.a,b",
        ".spec.a[?(@.b in [\"x\"])]",
        ".spec.a()",
        ".spec.a|.b",
        ".spec.a\n",
        ".spec.a[::2]",
        ".spec.a[99999999999999999999]",
        ".spec.a[?(.b==1)]",
        "..",
        ".range",
        ".spec.end",
    ]);
    let (kind, name) = (hand.word(&["string", "integer", "date"]), hand.word(&["X", "Age", "NAME", "a b", "ä"]));
    with_column(crd, hand, json!({"name": name, "type": kind, "jsonPath": path}))
}

/// Priorities.
fn column_priority_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([0, 1, -1, "1", 1.5, 2_147_483_648_u64, null, 1.0, true]));
    with_column(crd, hand, json!({"name": "X", "type": "string", "jsonPath": ".spec.size", "priority": value}))
}

/// A key that columns do not have.
fn column_unknown_key(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["JSONPath", "width", "Name", "jsonpath", "x-y"]);
    with_column(crd, hand, json!({"name": "X", "type": "string", "jsonPath": ".spec.size", key: ".spec"}))
}

/// Two columns of one name, or twice the same.
fn column_twins(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let second = hand.one(json!([{"name": "X", "type": "string", "jsonPath": ".spec.size"}, {"name": "X", "type": "integer", "jsonPath": ".spec.b"}, {"name": "x", "type": "string", "jsonPath": ".spec.size"}]));
    let list = columns(hand.version(crd)?)?;
    list.extend([json!({"name": "X", "type": "string", "jsonPath": ".spec.size"}), second]);
    Some(())
}

/// Columns as people write them.
fn column_sound(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let column = hand.one(json!([
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status", "description": "Whether it is ready", "priority": 1},
        {"name": "Phase", "type": "string", "jsonPath": ".status.phase", "description": ""},
        {"name": "Spec", "type": "string", "jsonPath": ".spec"},
    ]));
    with_column(crd, hand, column)
}

/// Nulls in columns.
fn column_null_parts(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["description", "format", "priority", "x"]);
    with_column(crd, hand, json!({"name": "X", "type": "string", "jsonPath": ".spec.size", key: null}))
}

fn with_scale(crd: &mut Value, hand: &mut Hand<'_>, scale: Value) -> Did {
    let version = hand.version(crd)?;
    if let Some(root) = version
        .get_mut("schema")
        .and_then(|schema| schema.pointer_mut("/openAPIV3Schema/properties"))
        .and_then(Value::as_object_mut)
    {
        for (part, field) in [("spec", "replicas"), ("status", "replicas"), ("status", "selector")] {
            let node = root.entry(part).or_insert_with(|| json!({"type": "object", "properties": {}}));
            let kind = if field == "selector" { "string" } else { "integer" };
            if let Some(properties) = node.get_mut("properties").and_then(Value::as_object_mut) {
                properties.entry(field).or_insert_with(|| json!({"type": kind}));
            }
        }
    }
    let mut subresources = json!({"status": {}});
    subresources["scale"] = scale;
    put(version, "subresources", subresources)
}

/// Paths of scale.
fn scale_paths(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let key = hand.word(&["specReplicasPath", "statusReplicasPath", "labelSelectorPath"]);
    let path = hand.one(json!([
        ".spec.replicas",
        ".status.replicas",
        "spec.replicas",
        ".spec.a[0]",
        ".replicas",
        "",
        ".spec",
        ".spec.",
        ".status.selector",
        ".metadata.x",
        ".spec.zzz",
        ".spec['a']",
        ".status.a.b.c",
        ".spec.replicas ",
        ".specx.replicas",
        "..spec",
        null,
        1,
        ".spec.a-b",
        ".spec..a",
        "."
    ]));
    let mut scale = json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"});
    scale[key] = path;
    with_scale(crd, hand, scale)
}

/// Scale without one of its parts.
fn scale_part_missing(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let scale = hand.one(json!([{"specReplicasPath": ".spec.replicas"}, {"statusReplicasPath": ".status.replicas"}, {}, {"labelSelectorPath": ".status.selector"}]));
    with_scale(crd, hand, scale)
}

/// Scale that is no mapping, or with unknown keys.
fn scale_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let scale = hand.one(json!([null, true, [], "x", {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "x": 1}, {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": null}]));
    with_scale(crd, hand, scale)
}

/// Sound scale.
fn scale_sound(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let scale = hand.one(json!([{"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}, {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector"}, {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ""}]));
    with_scale(crd, hand, scale)
}

/// Subresources of all sorts.
fn subresources_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([null, {}, [], "x", {"foo": {}}, {"status": null}, {"status": {}, "foo": 1}, true]));
    put(hand.version(crd)?, "subresources", value)
}

/// The status subresource with something in it.
fn status_subresource_any(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let value = hand.one(json!([{"a": 1}, true, [], "x", {"x": {}}, null, {"specReplicasPath": ".x"}]));
    put(hand.version(crd)?, "subresources", json!({"status": value}))
}

/// Adds fields that may be selected by, below the first object of the spec.
fn with_selectable(crd: &mut Value, hand: &mut Hand<'_>, fields: Value) -> Did {
    let version = hand.version(crd)?;
    let properties = version.get_mut("schema")?.pointer_mut("/openAPIV3Schema/properties")?.as_object_mut()?;
    let spec = properties.entry("spec").or_insert_with(|| json!({"type": "object"}));
    let spec = spec.as_object_mut()?.entry("properties").or_insert_with(|| json!({})).as_object_mut()?;
    let mut list = json!({"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}});
    list["maxItems"] = json!(3);
    let extra = json!({
        "zs": {"type": "string"}, "zi": {"type": "integer"}, "zb": {"type": "boolean"}, "zn": {"type": "number"}, "zx": {"x-kubernetes-int-or-string": true},
        "zo": {"type": "object", "properties": {"a": {"type": "string"}}}, "zl": list, "zm": {"type": "object", "additionalProperties": {"type": "string"}},
        "zp": {"x-kubernetes-preserve-unknown-fields": true}, "z-d": {"type": "string"}, "zu": {"type": "string", "nullable": true},
    });
    spec.extend(extra.as_object()?.clone());
    put(version, "selectableFields", fields)
}

/// Paths of selectable fields.
fn selectable_paths(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let path = hand.one(json!([
        ".spec.zs",
        "spec.zs",
        ".spec.zzz",
        ".metadata.name",
        ".metadata.labels",
        ".spec.zl[0].a",
        ".spec.zl.a",
        ".spec.zo.a",
        ".spec.zo",
        "",
        ".",
        ".spec['zs']",
        ".spec.zs ",
        ".kind",
        ".apiVersion",
        ".spec.zm.a",
        ".spec.z-d",
        ".spec.zl[*].a",
        ".spec..zs",
        "$.spec.zs",
        ".spec.zm['a']",
        ".spec",
        ".metadata",
        "{.spec.zs}",
        ".spec.['zs']",
        ".spec.zp.a",
        null,
        1
    ]));
    with_selectable(crd, hand, json!([{"jsonPath": path}]))
}

/// As many fields as one may have, and one more.
fn selectable_many(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let count = *hand.random.pick(&[7, 8, 9]);
    let all =
        [".spec.zs", ".spec.zi", ".spec.zb", ".spec.zo.a", ".spec.z-d", ".spec.zu", ".spec.y1", ".spec.y2", ".spec.y3"];
    let fields: Vec<Value> = all.iter().take(count).map(|path| json!({"jsonPath": path})).collect();
    with_selectable(crd, hand, json!(fields))?;
    let pointer = format!("{}/schema/openAPIV3Schema/properties/spec/properties", hand.touched.clone()?);
    let spec = crd.pointer_mut(&pointer)?.as_object_mut()?;
    for name in ["y1", "y2", "y3"] {
        put(spec, name, json!({"type": "string"}))?;
    }
    Some(())
}

/// Types of selectable fields.
fn selectable_types(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let path = hand.word(&[
        ".spec.zs", ".spec.zi", ".spec.zb", ".spec.zn", ".spec.zx", ".spec.zo", ".spec.zl", ".spec.zm", ".spec.zp",
        ".spec.zu",
    ]);
    with_selectable(crd, hand, json!([{"jsonPath": path}]))
}

/// A field twice, or in two spellings.
fn selectable_twins(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let fields = hand.one(json!([[{"jsonPath": ".spec.zs"}, {"jsonPath": ".spec.zs"}], [{"jsonPath": ".spec.zs"}, {"jsonPath": ".spec.zi"}], [{"jsonPath": ".spec.zs"}, {"jsonPath": "['spec'].zs"}]]));
    with_selectable(crd, hand, fields)
}

/// Selectable fields that are no list of mappings.
fn selectable_of_wrong_json(crd: &mut Value, hand: &mut Hand<'_>) -> Did {
    let fields = hand.one(json!([{}, null, [], [null], [".spec.zs"], [{}], [{"jsonPath": ".spec.zs", "x": 1}], "x", [{"path": ".spec.zs"}]]));
    with_selectable(crd, hand, fields)
}
