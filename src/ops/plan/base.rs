//! What a plan is compared with where no cluster is asked: a rendered folder, another
//! folder with a repository, or a Git revision. Opens no socket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::compile::compile;
use crate::compile::compiled::shown;
use crate::compile::load::load;
use crate::compile::locking::snapshots;
use crate::compile::render::ManifestSet;
use crate::compile::render::layout::{cluster_of, reader_of};
use crate::files::FilesError;
use crate::files::git::read_revision;
use crate::files::rendered::read_rendered;
use crate::files::root::CONFIG;
use crate::files::walk::{ReadOptions, read_repository};
use crate::model::cluster::Target;
use crate::model::config::RenderTarget;
use crate::model::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::model::object::{ManifestId, ObjectKey};
use crate::model::source::Sources;
use crate::plan::{LiveCluster, LiveObject};
use crate::yaml;

/// The file in every rendered folder that is no object.
const KUSTOMIZATION: &str = "kustomization.yaml";

/// What a plan is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Against {
    /// Its name in the plan, as the user wrote it.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// Where a base is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// An absolute path of a folder that carrier rendered, or of one with a repository.
    Folder(PathBuf),
    /// A Git revision of the repository itself.
    Revision(String),
}

/// Why there is nothing to compare with.
#[derive(Debug)]
pub(crate) enum BaseError {
    /// The folder or the revision cannot be read.
    Files(FilesError),
    /// The folder is neither a rendered one nor a repository.
    NeitherRenderedNorRepository,
    /// It has errors; its warnings, which were known when it was made, are left out.
    Invalid {
        /// Its files.
        sources: Sources,
        /// Its errors, sorted.
        diagnostics: Vec<Diagnostic>,
    },
}

impl From<FilesError> for BaseError {
    fn from(error: FilesError) -> Self {
        Self::Files(error)
    }
}

/// The objects to compare with.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Base {
    /// The objects of each cluster.
    pub clusters: BTreeMap<Target, LiveCluster>,
    /// Who they were rendered for; decides the annotations and files that are expected.
    pub reader: RenderTarget,
}

impl Against {
    /// Reads the objects to compare with.
    ///
    /// # Errors
    /// When there is no such folder or revision, or it has errors.
    pub(crate) fn read(&self, root: &Path) -> Result<Base, BaseError> {
        let folder = match &self.place {
            Place::Revision(revision) => return compiled(read_revision(root, revision)?),
            Place::Folder(folder) => folder,
        };
        if let Some(files) = read_rendered(folder)? {
            return rendered(files);
        }
        if !folder.join(CONFIG).is_file() {
            return Err(BaseError::NeitherRenderedNorRepository);
        }
        compiled(read_repository(folder, &ReadOptions::default())?)
    }
}

/// Compiles a repository.
fn compiled((sources, mut found): (Sources, Diagnostics)) -> Result<Base, BaseError> {
    let (loaded, more) = load(&sources);
    found.append(more);
    let (locked, more) = snapshots::read(&sources, &loaded.config);
    found.append(more);
    let compiled = compile(&loaded, &locked.discovered);
    found.append(compiled.diagnostics.clone());
    let mut diagnostics = shown(found, &loaded);
    diagnostics.retain(|d| d.severity == Severity::Error);
    if diagnostics.is_empty() {
        return Ok(Base { clusters: objects(compiled.render()), reader: RenderTarget::Plain });
    }
    drop(compiled);
    Err(BaseError::Invalid { sources, diagnostics })
}

/// Reads manifests.
fn rendered((sources, mut found): (Sources, Diagnostics)) -> Result<Base, BaseError> {
    let mut base = Base::default();
    for (id, file) in sources.iter() {
        let Some(target) = cluster_of(&file.path) else { continue };
        let objects = &mut base.clusters.entry(target).or_default().objects;
        if file.path.rsplit('/').next() == Some(KUSTOMIZATION) {
            continue;
        }
        for document in yaml::read(id, &file.text, &mut found) {
            let body = document.root.to_json();
            let text = |pointer: &str| body.pointer(pointer).and_then(|v| v.as_str()).map(str::to_owned);
            let id = ManifestId {
                api_version: text("/apiVersion").unwrap_or_default(),
                kind: text("/kind").unwrap_or_default(),
                namespace: text("/metadata/namespace"),
                name: text("/metadata/name").unwrap_or_default(),
            };
            objects.insert(ObjectKey::from(&id), LiveObject { body });
        }
    }
    if found.has_errors() {
        return Err(BaseError::Invalid { diagnostics: found.into_sorted(), sources });
    }
    let bodies = base.clusters.values().flat_map(|c| c.objects.values().map(|object| &object.body));
    base.reader = reader_of(sources.iter().map(|(_, file)| file.path.as_str()), bodies);
    Ok(base)
}

/// The objects of a set, as a cluster would have them.
fn objects(set: ManifestSet) -> BTreeMap<Target, LiveCluster> {
    let clusters = set.clusters.into_iter().map(|(id, manifests)| (Target::Service(id), manifests));
    let all = std::iter::once((Target::Management, set.management)).chain(clusters);
    all.map(|(target, manifests)| {
        let objects = manifests
            .into_iter()
            .map(|m| (ObjectKey::from(&m.id), LiveObject { body: std::sync::Arc::unwrap_or_clone(m.body) }))
            .collect();
        (target, LiveCluster { objects, ..LiveCluster::default() })
    })
    .collect()
}
