//! What a plan is compared with where no cluster is asked: a rendered folder, another
//! folder with a repository, or a Git revision. Nothing here opens a socket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::diagnostics::{self, Destination, Format};
use super::env::Env;
use super::error::CliError;
use super::ui::Ui;
use crate::compile::compile;
use crate::compile::compiled::shown;
use crate::compile::load::load;
use crate::compile::locking::snapshots;
use crate::compile::render::ManifestSet;
use crate::compile::render::layout::{cluster_of, reader_of};
use crate::files::git::read_revision;
use crate::files::rendered::read_rendered;
use crate::files::root::CONFIG;
use crate::files::walk::{ReadOptions, read_repository};
use crate::model::cluster::Target;
use crate::model::config::RenderTarget;
use crate::model::diagnostic::{Diagnostics, Severity};
use crate::model::object::ManifestId;
use crate::model::object::ObjectKey;
use crate::model::source::Sources;
use crate::plan::{LiveCluster, LiveObject};
use crate::yaml;

/// The file of every folder that is none of its objects.
const KUSTOMIZATION: &str = "kustomization.yaml";

/// What is compared with, as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// A folder that carrier rendered, or one with a repository.
    Folder(PathBuf),
    /// The repository as it was at a revision.
    Git(String),
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("git:") {
            Some("") => Err("name a revision, such as git:origin/main".to_owned()),
            Some(revision) => Ok(Self::Git(revision.to_owned())),
            None if text.is_empty() => Err("name a folder, or git: and a revision".to_owned()),
            None => Ok(Self::Folder(PathBuf::from(text))),
        }
    }
}

/// What was found there.
#[derive(Debug, Default, PartialEq)]
pub struct Base {
    /// The objects of each cluster.
    pub clusters: BTreeMap<Target, LiveCluster>,
    /// For whom they were written.
    pub reader: RenderTarget,
}

impl Against {
    /// What it is called in the plan.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Folder(path) => path.display().to_string(),
            Self::Git(revision) => format!("git:{revision}"),
        }
    }

    /// Reads it; `None` where it has errors, which are said.
    ///
    /// # Errors
    /// When there is no such folder or revision.
    pub fn read(&self, root: &Path, env: &Env, ui: &mut Ui<'_>) -> Result<Option<Base>, CliError> {
        match self {
            Self::Git(revision) => self.compiled(read_revision(root, revision)?, ui),
            Self::Folder(path) => {
                let folder = env.path(path);
                if let Some(rendered) = read_rendered(&folder)? {
                    return self.rendered(rendered, ui);
                }
                if !folder.join(CONFIG).is_file() {
                    let shown = path.display();
                    return Err(CliError::usage(format!(
                        "{shown} is no folder that carrier rendered, and no repository"
                    ))
                    .hint("name the output of `carrier render`, a folder with a carrier.yaml, or git:REVISION"));
                }
                self.compiled(read_repository(&folder, &ReadOptions::default())?, ui)
            }
        }
    }

    /// Compiles a repository.
    fn compiled(
        &self,
        (sources, mut found): (Sources, Diagnostics),
        ui: &mut Ui<'_>,
    ) -> Result<Option<Base>, CliError> {
        let (loaded, more) = load(&sources);
        found.append(more);
        let (locked, more) = snapshots::read(&sources, &loaded.config);
        found.append(more);
        let compiled = compile(&loaded, &locked.discovered);
        found.append(compiled.diagnostics.clone());
        let mut list = shown(found, &loaded);
        // Its warnings are those of another day.
        list.retain(|d| d.severity == Severity::Error);
        if !list.is_empty() {
            ui.say(format_args!("what is compared with, {}, has errors:", self.name()))?;
            diagnostics::report(ui, Format::Text, &list, &sources, &Destination::default())?;
            return Ok(None);
        }
        Ok(Some(Base { clusters: objects(compiled.render()), reader: RenderTarget::Plain }))
    }

    /// Reads manifests.
    fn rendered(
        &self,
        (sources, mut found): (Sources, Diagnostics),
        ui: &mut Ui<'_>,
    ) -> Result<Option<Base>, CliError> {
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
            ui.say(format_args!("what is compared with, {}, has errors:", self.name()))?;
            diagnostics::report(ui, Format::Text, &found.into_sorted(), &sources, &Destination::default())?;
            return Ok(None);
        }
        let bodies = base.clusters.values().flat_map(|c| c.objects.values().map(|object| &object.body));
        base.reader = reader_of(sources.iter().map(|(_, file)| file.path.as_str()), bodies);
        Ok(Some(base))
    }
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
        (target, LiveCluster { uid: None, objects })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_told_from_a_folder() {
        assert_eq!("git:origin/main".parse(), Ok(Against::Git("origin/main".into())));
        assert_eq!("out/git:x".parse(), Ok(Against::Folder("out/git:x".into())));
        assert!("git:".parse::<Against>().is_err() && "".parse::<Against>().is_err());
    }
}
