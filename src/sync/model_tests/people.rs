//! Tenants, providers, administrators and operators: whoever changes objects beside sync.

use serde_json::{Value, json};

use super::laws::{self, Instance, place, uid};
use super::offer::{NAMES, TENANTS};
use super::server::is_deleting;
use super::world::World;
use crate::model::keys::{
    ADOPT, APPROVED_DELETION, DELETION_POLICY, FINALIZER, MANAGEMENT_CLUSTER, PAUSED, SOURCE, SOURCE_UID,
};

/// The finalizer of an operator.
pub(super) const HOLD: &str = "example.com/hold";

/// All instances that there can be.
pub(super) fn instances() -> impl Iterator<Item = Instance> {
    TENANTS.iter().flat_map(|(namespace, _)| NAMES.map(|name| ((*namespace).to_owned(), name.to_owned())))
}

/// Sets or removes an annotation.
pub(super) fn annotate(object: &mut Value, key: &str, value: Option<&str>) {
    match value {
        Some(value) => object["metadata"]["annotations"][key] = json!(value),
        None => {
            if let Some(all) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
                all.remove(key);
            }
        }
    }
}

/// Takes a finalizer off.
pub(super) fn strip(object: &mut Value, finalizer: &str) {
    if let Some(list) = object.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut) {
        list.retain(|item| item != finalizer);
        if list.is_empty()
            && let Value::Object(metadata) = &mut object["metadata"]
        {
            metadata.remove("finalizers");
        }
    }
}

/// Takes our label off, or all marks.
pub(super) fn unmark(object: &mut Value, all: bool) {
    if let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(MANAGEMENT_CLUSTER);
    }
    if all {
        annotate(object, SOURCE, None);
        annotate(object, SOURCE_UID, None);
    }
}

fn forget(object: &mut Value, field: &str) {
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove(field);
    }
}

/// The operator reports on a copy, as of its present generation. Returns whether that is news.
pub(super) fn report(world: &mut World, instance: &Instance) -> bool {
    let before = world.service.log.len();
    world.service.update(&place(instance, 2), "operator", "status", |object| {
        let generation = object["metadata"]["generation"].clone();
        object["status"] = json!({
            "phase": format!("Ready at {}", object["spec"]["size"]), "observedGeneration": generation, "secret": "s3cret",
            "conditions": [{"type": "Ready", "status": "True", "observedGeneration": generation}],
        });
    });
    world.observe();
    world.service.log.len() > before
}

/// Somebody does something.
#[expect(clippy::too_many_lines, reason = "a list of what people do")]
pub(super) fn act(world: &mut World) {
    let all: Vec<Instance> = instances().collect();
    let instance = all[world.rng.usize(0..all.len())].clone();
    let size = world.rng.i64(1..4);
    let (tenant, internal, copy) = (place(&instance, 0), place(&instance, 1), place(&instance, 2));
    let what = match world.rng.u32(0..100) {
        0..20 => {
            let policy =
                [None, None, None, None, Some("Orphan"), Some("Block"), Some("Nonsense")][world.rng.usize(0..7)];
            world.management.create(&tenant, "kubectl", |object| {
                object["spec"] = json!({"size": size});
                if let Some(policy) = policy {
                    annotate(object, DELETION_POLICY, Some(policy));
                }
            });
            "creates the tenant object"
        }
        20..32 => {
            world.management.update(&tenant, "kubectl", "", |object| object["spec"]["size"] = json!(size));
            "edits the tenant object"
        }
        32..36 => {
            world
                .management
                .update(&tenant, "kubectl", "", |object| object["spec"]["extra"] = json!(format!("x{size}")));
            "adds a field to the tenant object"
        }
        36..40 => {
            world.management.update(&tenant, "kubectl", "", |object| forget(object, "extra"));
            "removes a field of the tenant object"
        }
        40..52 => {
            world.management.delete(&tenant);
            "deletes the tenant object"
        }
        52..54 if !world.is_calm => {
            let is_there = world.management.get(&tenant).is_some();
            if is_there {
                world.laws.excused.insert(instance.clone());
            }
            world.management.update(&tenant, "kubectl", "", |object| strip(object, FINALIZER));
            "strips the finalizer of the tenant object"
        }
        54..57 => {
            let paused = world.rng.bool().then_some("true");
            world.management.update(&tenant, "kubectl", "", |object| annotate(object, PAUSED, paused));
            "pauses the tenant object, or no longer"
        }
        57..61 => {
            let policy = [None, None, Some("Orphan"), Some("Block")][world.rng.usize(0..4)];
            world.management.update(&tenant, "kubectl", "", |object| annotate(object, DELETION_POLICY, policy));
            "changes the deletion policy"
        }
        61..64 => {
            approve(world, &instance);
            "approves a deletion"
        }
        64..67 => {
            world
                .management
                .update(&internal, "provider", "", |object| object["spec"]["zone"] = json!(format!("z{size}")));
            "sets a hidden field of the internal object"
        }
        67..69 => {
            world
                .management
                .update(&internal, "provider", "", |object| object["spec"]["extra"] = json!("by the provider"));
            "sets an exposed field of the internal object"
        }
        69..71 => {
            let all = world.rng.bool();
            world.management.update(&internal, "provider", "", |object| unmark(object, all));
            "strips marks of the internal object"
        }
        71..73 => {
            world.management.delete(&internal);
            "deletes the internal object"
        }
        73..77 => {
            world.service.update(&copy, "admin", "", |object| object["spec"]["size"] = json!(size));
            "edits the copy"
        }
        77..79 => {
            world.service.update(&copy, "admin", "", |object| forget(object, "size"));
            "removes a field of the copy"
        }
        79..81 => {
            let all = world.rng.bool();
            world.service.update(&copy, "admin", "", |object| unmark(object, all));
            "strips marks of the copy"
        }
        81..84 => {
            world.service.delete(&copy);
            "deletes the copy"
        }
        84..87 => {
            world.service.update(&copy, "operator", "", |object| {
                if is_deleting(object) {
                    return;
                }
                let list = object["metadata"]["finalizers"].take();
                let mut list = list.as_array().cloned().unwrap_or_default();
                if !list.contains(&json!(HOLD)) {
                    list.push(json!(HOLD));
                }
                object["metadata"]["finalizers"] = Value::Array(list);
            });
            "holds the copy"
        }
        87..90 => {
            world.service.update(&copy, "operator", "", |object| strip(object, HOLD));
            "lets the copy go"
        }
        90..92 => {
            world.service.create(&copy, "stranger", |object| object["spec"] = json!({"size": 9}));
            "makes an object in the place of the copy"
        }
        92..93 => {
            world.management.create(&internal, "stranger", |object| object["spec"] = json!({"size": 9}));
            "makes an object in the place of the internal one"
        }
        93..95 => {
            world.service.update(&copy, "stranger", "", |object| annotate(object, ADOPT, Some("true")));
            "consents to the copy being taken over"
        }
        _ => {
            report(world, &instance);
            "reports on the copy"
        }
    };
    world.note(format!("somebody {what}: {}/{}", instance.0, instance.1));
    world.observe();
}

/// Approves the deletion of an instance, or of what is left of it.
pub(super) fn approve(world: &mut World, instance: &Instance) {
    let tenant = place(instance, 0);
    if world.management.objects.contains_key(&tenant) {
        world.management.update(&tenant, "approver", "", approved);
        return;
    }
    let copy = place(instance, 2);
    if let Some(object) = world.service.get(&copy)
        && laws::is_ours(&world.service, &copy, &object)
    {
        world.service.update(&copy, "approver", "", approved);
    }
}

fn approved(object: &mut Value) {
    let uid = uid(object).to_owned();
    annotate(object, APPROVED_DELETION, Some(&uid));
}
