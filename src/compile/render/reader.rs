//! What Flux and Argo CD need: annotations on objects, and objects of their own (`cli.md` §5.16).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::manifest::Manifest;
use crate::model::cluster::ClusterId;
use crate::model::config::{Config, FluxSourceKind, Render, RenderTarget};
use crate::model::digest;
use crate::model::names::LABEL_MAX;
use crate::model::object::Stage;

/// The folder of Flux' own objects.
pub(super) const FLUX: &str = "flux";
/// The folder of Argo CD's own objects.
pub(super) const ARGO: &str = "argo";

const FLUX_PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
const FLUX_SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
const ARGO_WAVE: &str = "argocd.argoproj.io/sync-wave";
const ARGO_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// Client-side apply stores the object in an annotation, and all annotations together are limited to 256 KiB.
const CLIENT_SIDE_MAX: usize = 200 * 1024;

/// The reader of the files, and their folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The reader, and its settings.
    pub render: Render,
    /// The output folder below the repository's root.
    pub output: String,
}

impl Options {
    /// The options of `carrier.yaml`, with another reader if one is given.
    #[must_use]
    pub fn new(config: &Config, target: Option<RenderTarget>) -> Self {
        let mut render = config.render.clone();
        render.target = target.unwrap_or(render.target);
        Self { render, output: config.output.clone() }
    }
}

/// The object with the annotations that its reader needs.
pub(super) fn decorated(manifest: &Manifest, target: RenderTarget) -> Cow<'_, Value> {
    let mut add: Vec<(&str, String)> = Vec::new();
    // These must not be deleted because a file was removed: with a CRD all its instances go, with a namespace
    // all its objects.
    let precious = matches!(manifest.stage, Stage::Crds | Stage::Namespaces);
    match target {
        RenderTarget::Plain => {}
        RenderTarget::Flux => {
            if precious {
                add.push((FLUX_PRUNE, "disabled".to_owned()));
            }
            if manifest.body.to_string().contains("${") {
                add.push((FLUX_SUBSTITUTE, "disabled".to_owned()));
            }
        }
        RenderTarget::Argo => {
            add.push((ARGO_WAVE, wave(manifest.stage).to_string()));
            let mut options = Vec::new();
            if precious {
                options.push("Prune=confirm");
            }
            if manifest.body.to_string().len() > CLIENT_SIDE_MAX {
                options.push("ServerSideApply=true");
            }
            if manifest.stage == Stage::Catalog {
                options.push("SkipDryRunOnMissingResource=true");
            }
            if !options.is_empty() {
                add.push((ARGO_OPTIONS, options.join(",")));
            }
        }
    }
    if add.is_empty() {
        return Cow::Borrowed(&manifest.body);
    }
    let mut body = Value::clone(&manifest.body);
    if let Some(Value::Object(metadata)) = body.get_mut("metadata")
        && let Value::Object(annotations) = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new()))
    {
        for (key, value) in add {
            // An annotation in the source object is kept; options are appended to it.
            let value = match annotations.get(key).and_then(Value::as_str) {
                Some(theirs) if key == ARGO_OPTIONS && !theirs.is_empty() => format!("{theirs},{value}"),
                Some(theirs) => theirs.to_owned(),
                None => value,
            };
            annotations.insert(key.to_owned(), json!(value));
        }
    }
    Cow::Owned(body)
}

/// Whether an object was written for Argo CD.
pub(super) fn is_for_argo(body: &Value) -> bool {
    body.pointer("/metadata/annotations").is_some_and(|annotations| annotations.get(ARGO_WAVE).is_some())
}

/// With gaps, so that other objects can be synced in between.
fn wave(stage: Stage) -> i32 {
    match stage {
        Stage::Crds => -30,
        Stage::Namespaces => -20,
        Stage::Rbac => -10,
        Stage::Catalog => 0,
    }
}

/// The objects that are applied to one cluster.
pub(super) struct Part<'a> {
    /// The service cluster; `None` for the management cluster.
    pub cluster: Option<&'a ClusterId>,
    /// Its folder below the output folder.
    pub folder: String,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
}

/// The reader's own objects, by folder below the output folder.
pub(super) fn objects(parts: &[Part<'_>], options: &Options) -> BTreeMap<String, Vec<Value>> {
    match options.render.target {
        RenderTarget::Plain => BTreeMap::new(),
        RenderTarget::Flux => {
            parts.iter().map(|part| (format!("{FLUX}/{}", part.folder), kustomizations(part, options))).collect()
        }
        RenderTarget::Argo => match &options.render.argo.repo_url {
            None => BTreeMap::new(),
            Some(url) => {
                let applications = parts.iter().map(|part| application(part, url, options)).collect();
                BTreeMap::from([(ARGO.to_owned(), applications)])
            }
        },
    }
}

/// One Flux Kustomization for each stage; each depends on the one before. Those of a service cluster are for a
/// Flux that runs there: Flux cannot use a kubeconfig of another namespace.
fn kustomizations(part: &Part<'_>, options: &Options) -> Vec<Value> {
    let flux = &options.render.flux;
    let root = flux.path.as_deref().unwrap_or(&options.output);
    let kind = match flux.source_kind {
        FluxSourceKind::GitRepository => "GitRepository",
        FluxSourceKind::OciRepository => "OCIRepository",
        FluxSourceKind::Bucket => "Bucket",
    };
    let mut before: Option<String> = None;
    let mut list = Vec::new();
    for stage in &part.stages {
        let name = name(part.cluster, Some(*stage));
        let mut spec = json!({
            "interval": "10m",
            "path": path(root, &format!("{}/{}", part.folder, stage.folder())),
            "prune": true,
            "sourceRef": { "kind": kind, "name": flux.source_name },
            "timeout": "5m",
            "wait": true,
        });
        if let Some(before) = before.replace(name.clone()) {
            spec["dependsOn"] = json!([{ "name": before }]);
        }
        list.push(json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": { "name": name, "namespace": flux.namespace },
            "spec": spec,
        }));
    }
    list
}

/// One Argo CD Application for each cluster, without a sync policy.
fn application(part: &Part<'_>, url: &str, options: &Options) -> Value {
    let argo = &options.render.argo;
    let root = argo.path.as_deref().unwrap_or(&options.output);
    let destination = match part.cluster {
        None => json!({ "server": "https://kubernetes.default.svc" }),
        Some(id) => json!({ "name": format!("{}.{}", id.provider, id.cluster) }),
    };
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": { "name": name(part.cluster, None), "namespace": argo.namespace },
        "spec": {
            "destination": destination,
            "project": argo.project,
            "source": {
                "path": path(root, &part.folder).trim_start_matches("./"),
                "repoURL": url,
                "targetRevision": argo.target_revision.as_deref().unwrap_or("HEAD"),
            },
        },
    })
}

fn path(root: &str, below: &str) -> String {
    let root = root.trim_start_matches("./").trim_matches('/');
    match root {
        "" | "." => format!("./{below}"),
        root => format!("./{root}/{below}"),
    }
}

/// `carrier-crds`, `carrier-team-a.eu-west-1-rbac`, `carrier`. Both readers write it into a label of every
/// object, so a long name is cut, with a hash for the removed part.
fn name(cluster: Option<&ClusterId>, stage: Option<Stage>) -> String {
    let cluster = cluster.map(|id| format!("-{}.{}", id.provider, id.cluster)).unwrap_or_default();
    let stage = stage.map(|s| format!("-{}", s.name())).unwrap_or_default();
    let name = format!("carrier{cluster}{stage}");
    if name.len() <= LABEL_MAX {
        return name;
    }
    let suffix = format!("-{}{stage}", digest::short(cluster.as_bytes()));
    let stem = format!("carrier{cluster}");
    // Names are ASCII by now, so any byte is a boundary.
    let stem = stem.get(..LABEL_MAX - suffix.len()).unwrap_or(&stem).trim_end_matches(['-', '.']);
    format!("{stem}{suffix}")
}
