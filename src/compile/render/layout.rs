//! From objects to files: the path of each, and the `kustomization.yaml` of every folder (`cli.md` §5.16).
//!
//! ```text
//! management/00-crds/…               applied to the management cluster
//! management/20-rbac/<namespace>/…
//! <provider>/<cluster>/10-namespaces/…   applied to that service cluster
//! flux/… or argo/…                   what the reader itself has to be given
//! ```
//!
//! There is no `kustomization.yaml` above `management` and `<cluster>`, because these folders are not for one
//! cluster.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ManifestSet;
use super::file_name::{file_name, hashed_file_name};
use super::manifest::Manifest;
pub use super::reader::Options;
use super::reader::{self, Part};
use crate::model::cluster::{ClusterId, Target};
use crate::model::config::RenderTarget;
use crate::model::object::Stage;
use crate::yaml::to_yaml;

/// The maximum of entries in one `kustomization.yaml`; the time that kustomize takes grows faster than their
/// number.
pub const MAX_ENTRIES: usize = 500;
/// The folder of the management cluster.
const MANAGEMENT: &str = "management";
/// The folder of cluster-scoped objects. No namespace can have this name.
const CLUSTER: &str = "_cluster";
/// Folders that no provider may take.
const OURS: [&str; 3] = [MANAGEMENT, reader::FLUX, reader::ARGO];

/// Files by path below the output folder, `/` between the parts.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The files of a set.
#[must_use]
pub fn layout(set: &ManifestSet, options: &Options) -> Files {
    let mut files = Files::new();
    let mut parts = Vec::new();
    let clusters = set.clusters.iter().map(|(id, manifests)| (Some(id), manifests));
    for (cluster, manifests) in std::iter::once((None, &set.management)).chain(clusters) {
        let folder = cluster.map_or_else(|| MANAGEMENT.to_owned(), cluster_folder);
        tree(manifests, options.render.target).emit(&folder, 0, &mut files);
        let mut stages: Vec<Stage> = manifests.iter().map(|m| m.stage).collect();
        stages.dedup();
        parts.push(Part { cluster, folder, stages });
    }
    for (folder, objects) in reader::objects(&parts, options) {
        let mut tree = Tree::default();
        for object in objects {
            let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
            tree.files.insert(file_name(kind, None, name), to_yaml(&object).into_bytes());
        }
        tree.emit(&folder, 0, &mut files);
    }
    files
}

/// One YAML stream, in the order in which to apply it.
#[must_use]
pub fn stream(manifests: &[Manifest], target: RenderTarget) -> String {
    let documents: Vec<String> = manifests.iter().map(|m| to_yaml(&reader::decorated(m, target))).collect();
    documents.join("---\n")
}

/// The folder of a service cluster.
#[must_use]
pub(crate) fn cluster_folder(id: &ClusterId) -> String {
    // An account's name has no underscore, so this one is free.
    let escape = if OURS.contains(&id.provider.as_str()) { "_" } else { "" };
    format!("{escape}{}/{}", id.provider, id.cluster)
}

/// The cluster of a path below the output folder; `None` for the objects of Flux or Argo CD.
#[must_use]
pub(crate) fn cluster_of(path: &str) -> Option<Target> {
    let mut parts = path.split('/');
    let (first, second) = (parts.next()?, parts.next()?);
    if first == MANAGEMENT {
        return Some(Target::Management);
    }
    if OURS.contains(&first) {
        return None;
    }
    parts.next()?;
    let provider = first.strip_prefix('_').filter(|name| OURS.contains(name)).unwrap_or(first);
    Some(Target::Service(ClusterId::new(provider, second)))
}

/// The reader that a folder was written for, detected from paths and objects in it.
#[must_use]
pub(crate) fn reader_of<'a>(
    mut paths: impl Iterator<Item = &'a str>,
    mut objects: impl Iterator<Item = &'a Value>,
) -> RenderTarget {
    if paths.any(|path| path.starts_with(reader::FLUX) && path[reader::FLUX.len()..].starts_with('/')) {
        return RenderTarget::Flux;
    }
    match objects.any(reader::is_for_argo) {
        true => RenderTarget::Argo,
        false => RenderTarget::Plain,
    }
}

/// The folder of an object below that of its cluster.
fn folder(manifest: &Manifest) -> Vec<&str> {
    let stage = manifest.stage.folder();
    match manifest.stage {
        Stage::Crds | Stage::Namespaces => vec![stage],
        Stage::Rbac | Stage::Catalog => vec![stage, manifest.id.namespace.as_deref().unwrap_or(CLUSTER)],
    }
}

fn tree(manifests: &[Manifest], target: RenderTarget) -> Tree {
    let mut by_name: BTreeMap<(Vec<&str>, String), Vec<&Manifest>> = BTreeMap::new();
    for manifest in manifests {
        // The namespace is the folder's name already.
        let name = file_name(&manifest.id.kind, None, &manifest.id.name);
        by_name.entry((folder(manifest), name)).or_default().push(manifest);
    }
    let mut root = Tree::default();
    for ((folder, name), same) in by_name {
        let distinct = same.len() == 1;
        for manifest in same {
            let id = &manifest.id;
            let name = match distinct {
                true => name.clone(),
                false => hashed_file_name(id.group(), &id.kind, None, &id.name),
            };
            let content = to_yaml(&reader::decorated(manifest, target)).into_bytes();
            root.folder(&folder).files.insert(name, content);
        }
    }
    root
}

/// A folder.
#[derive(Default)]
struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    folders: BTreeMap<String, Tree>,
}

impl Tree {
    /// The folder at this path below, made where it is missing.
    fn folder(&mut self, path: &[&str]) -> &mut Tree {
        path.iter().fold(self, |at, part| at.folders.entry((*part).to_owned()).or_default())
    }

    /// Writes the folder at `path`. A folder with too many entries is split by a hash of their names,
    /// repeatedly if needed, so that the folder of an entry depends on its own name and not on its neighbours.
    fn emit(self, path: &str, depth: usize, files: &mut Files) {
        let (tree, depth) = match self.files.len() + self.folders.len() > MAX_ENTRIES {
            true => (self.split(depth), depth + 1),
            false => (self, 0),
        };
        // Files and folders have different names: file names end in `.yaml`, and namespaces have no dot.
        let mut resources: Vec<&String> = tree.files.keys().chain(tree.folders.keys()).collect();
        resources.sort();
        let kustomization = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": resources,
        });
        files.insert(format!("{path}/kustomization.yaml"), to_yaml(&kustomization).into_bytes());
        for (name, content) in tree.files {
            files.insert(format!("{path}/{name}"), content);
        }
        for (name, folder) in tree.folders {
            folder.emit(&format!("{path}/{name}"), depth, files);
        }
    }

    /// The same entries in at most sixteen folders, by one digit of the hash.
    fn split(self, depth: usize) -> Self {
        let mut shards = Self::default();
        for (name, content) in self.files {
            shards.folder(&[&shard(&name, depth)]).files.insert(name, content);
        }
        for (name, folder) in self.folders {
            shards.folder(&[&shard(&name, depth)]).folders.insert(name, folder);
        }
        shards
    }
}

/// `shard-3`, and below it `shard-3a`.
fn shard(name: &str, depth: usize) -> String {
    let hash = Sha256::digest(name.as_bytes());
    let digits = (0..=depth).map(|i| {
        let byte = hash[(i / 2) % hash.len()];
        let digit = if i % 2 == 0 { byte >> 4 } else { byte & 15 };
        char::from_digit(digit.into(), 16).unwrap_or('0')
    });
    std::iter::once("shard-".to_owned()).chain(digits.map(String::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_its_cluster() {
        for id in ["team-a/eu", "management/eu", "argo/flux"] {
            let id: ClusterId = id.parse().unwrap();
            let path = format!("{}/10-namespaces/namespace.a.yaml", cluster_folder(&id));
            assert_eq!(cluster_of(&path), Some(Target::Service(id)), "{path}");
        }
        assert_eq!(cluster_of("management/00-crds/a.yaml"), Some(Target::Management));
        assert_eq!(cluster_of("flux/management/a.yaml"), None);
        assert_eq!(cluster_of("team-a/kustomization.yaml"), None);
        assert_eq!(cluster_of("a.yaml"), None);
    }
}
