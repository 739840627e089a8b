//! Who owns which fields of an object, and server-side apply: as much of it as the model needs. Maps are owned key by
//! key, conditions by their type, finalizers by their value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The path of a field in elements as `managedFields` write them.
pub(super) type Path = Vec<String>;

/// The name of a manager, whether it applies, and the subresource.
pub(super) type Manager = (String, bool, &'static str);

/// An object and its owners.
#[derive(Debug, Clone, Default)]
pub(super) struct Owned {
    /// The object, without `managedFields`.
    pub body: Value,
    pub(super) owners: BTreeMap<Manager, BTreeSet<Path>>,
    /// Whether its owners were forgotten: then nothing is written down until somebody applies it.
    pub(super) is_untracked: bool,
}

/// What servers write themselves, or what names the object.
const NOBODYS: [&str; 8] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
];

/// The paths of what a configuration sets in a part of an object: `status`, or all the rest.
fn leaves(config: &Value, subresource: &str) -> BTreeSet<Path> {
    let mut found = BTreeSet::new();
    for (root, value) in config.as_object().into_iter().flatten() {
        match root.as_str() {
            "apiVersion" | "kind" => {}
            "status" if subresource.is_empty() => {}
            "status" => walk(value, &mut vec!["f:status".to_owned()], &mut found),
            _ if !subresource.is_empty() => {}
            "metadata" => {
                for (key, value) in
                    value.as_object().into_iter().flatten().filter(|(k, _)| !NOBODYS.contains(&k.as_str()))
                {
                    walk(value, &mut vec!["f:metadata".to_owned(), format!("f:{key}")], &mut found);
                }
            }
            _ => walk(value, &mut vec![format!("f:{root}")], &mut found),
        }
    }
    found
}

fn walk(value: &Value, at: &mut Path, found: &mut BTreeSet<Path>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                at.push(format!("f:{key}"));
                walk(value, at, found);
                at.pop();
            }
        }
        Value::Array(items) if at.last().is_some_and(|last| last == "f:finalizers") => {
            found.extend(items.iter().map(|item| [at.as_slice(), &[format!("v:{item}")]].concat()));
        }
        Value::Array(items) if at.last().is_some_and(|last| last == "f:conditions") => {
            for item in items {
                at.push(format!("k:{}", json!({"type": item["type"]})));
                found.insert(at.clone());
                walk(item, at, found);
                at.pop();
            }
        }
        _ => drop(found.insert(at.clone())),
    }
}

/// The place of an item of a list.
fn position(items: &[Value], element: &str) -> Option<usize> {
    let value: Value = serde_json::from_str(&element[2..]).ok()?;
    items.iter().position(|item| match element.starts_with("v:") {
        true => *item == value,
        false => item["type"] == value["type"],
    })
}

fn get<'v>(body: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(body, |value, element| match element.strip_prefix("f:") {
        Some(name) => value.get(name),
        None => value.as_array().and_then(|items| items.get(position(items, element)?)),
    })
}

fn remove(body: &mut Value, path: &[String]) {
    let Some((element, rest)) = path.split_first() else { return };
    match (element.strip_prefix("f:"), body) {
        (Some(name), Value::Object(map)) if rest.is_empty() => drop(map.remove(name)),
        (Some(name), Value::Object(map)) => {
            if let Some(inner) = map.get_mut(name) {
                remove(inner, rest);
                let is_empty =
                    inner.as_object().is_some_and(Map::is_empty) || inner.as_array().is_some_and(Vec::is_empty);
                if is_empty && name != "metadata" && name != "spec" {
                    map.remove(name);
                }
            }
        }
        (None, Value::Array(items)) => {
            if let Some(at) = position(items, element) {
                if rest.is_empty() {
                    items.remove(at);
                } else {
                    remove(&mut items[at], rest);
                }
            }
        }
        _ => {}
    }
}

fn set(body: &mut Value, config: &Value, at: &mut Path) {
    match config {
        Value::Object(map) if at.first().is_none_or(|_| true) && !map.is_empty() => {
            if !body.is_object() {
                *body = json!({});
            }
            for (key, value) in map {
                at.push(key.clone());
                set(&mut body[key.as_str()], value, at);
                at.pop();
            }
        }
        Value::Array(items) if at.last().is_some_and(|last| last == "finalizers" || last == "conditions") => {
            if !body.is_array() {
                *body = json!([]);
            }
            let Value::Array(there) = body else { return };
            for item in items {
                let same = |other: &Value| if item.is_object() { other["type"] == item["type"] } else { other == item };
                match there.iter().position(same) {
                    Some(at) if item.is_object() => {
                        for (key, value) in item.as_object().into_iter().flatten() {
                            there[at][key] = value.clone();
                        }
                    }
                    Some(_) => {}
                    None => there.push(item.clone()),
                }
            }
        }
        _ => *body = config.clone(),
    }
}

impl Owned {
    /// Applies a configuration by force.
    pub(super) fn apply(&mut self, manager: &str, subresource: &'static str, config: &Value) {
        let me = (manager.to_owned(), true, subresource);
        if std::mem::take(&mut self.is_untracked) {
            let before = ("before-first-apply".to_owned(), false, "");
            self.owners.insert(before, leaves(&self.body, ""));
        }
        let new = leaves(config, subresource);
        let old = self.owners.remove(&me).unwrap_or_default();
        let mut gone: Vec<&Path> = old.difference(&new).collect();
        gone.sort_by_key(|path| std::cmp::Reverse(path.len()));
        for path in gone {
            if !self.owners.values().any(|paths| paths.contains(path)) {
                remove(&mut self.body, path);
            }
        }
        let before = self.body.clone();
        let mut part = json!({});
        for (root, value) in config.as_object().into_iter().flatten() {
            match root.as_str() {
                "metadata" if subresource.is_empty() => {
                    let mut metadata = value.clone();
                    if let Value::Object(metadata) = &mut metadata {
                        metadata.retain(|key, _| !NOBODYS.contains(&key.as_str()));
                    }
                    part[root] = metadata;
                }
                "status" if !subresource.is_empty() => part[root] = value.clone(),
                "apiVersion" | "kind" | "metadata" | "status" => {}
                _ if subresource.is_empty() => part[root] = value.clone(),
                _ => {}
            }
        }
        if part != json!({}) {
            set(&mut self.body, &part, &mut Vec::new());
        }
        let body = &self.body;
        let changed = |path: &Path| new.contains(path) && get(&before, path) != get(body, path);
        self.owners.values_mut().for_each(|paths| paths.retain(|path| !changed(path)));
        self.owners.retain(|_, paths| !paths.is_empty());
        if !new.is_empty() {
            self.owners.insert(me, new);
        }
    }

    /// Changes an object as a PUT or a patch does.
    pub(super) fn update(&mut self, manager: &str, subresource: &'static str, change: impl FnOnce(&mut Value)) {
        let before = self.body.clone();
        change(&mut self.body);
        if self.is_untracked {
            return;
        }
        let (was, is) = (leaves(&before, subresource), leaves(&self.body, subresource));
        let touched: BTreeSet<&Path> =
            was.union(&is).filter(|path| get(&before, path) != get(&self.body, path) || !is.contains(*path)).collect();
        self.owners.values_mut().for_each(|paths| paths.retain(|path| !touched.contains(path)));
        let set: Vec<Path> = touched.into_iter().filter(|path| is.contains(*path)).cloned().collect();
        if !set.is_empty() {
            self.owners.entry((manager.to_owned(), false, subresource)).or_default().extend(set);
        }
        self.owners.retain(|_, paths| !paths.is_empty());
    }

    /// Forgets every owner, as some restores do.
    pub(super) fn forget_owners(&mut self) {
        self.owners.clear();
        self.is_untracked = true;
    }

    /// Whether a manager has applied the object.
    pub(super) fn is_applied_by(&self, manager: &str) -> bool {
        self.owners.keys().any(|(name, applies, _)| name == manager && *applies)
    }

    /// The object as the server tells it.
    pub(super) fn rendered(&self) -> Value {
        let entries = self.owners.iter().map(|((manager, applies, subresource), paths)| {
            let mut tree = json!({});
            for path in paths {
                let node = path.iter().fold(&mut tree, |node, element| {
                    if node.get(element).is_none() {
                        node[element.as_str()] = json!({});
                    }
                    &mut node[element.as_str()]
                });
                if path.last().is_some_and(|last| last.starts_with("k:")) {
                    node["."] = json!({});
                }
            }
            let operation = if *applies { "Apply" } else { "Update" };
            json!({"manager": manager, "operation": operation, "subresource": subresource, "apiVersion": "v1", "fieldsV1": tree})
        });
        let mut body = self.body.clone();
        body["metadata"]["managedFields"] = Value::Array(entries.collect());
        body
    }
}
