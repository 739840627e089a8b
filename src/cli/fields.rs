//! `carrier fields`: what a CRD has to expose, and what of it is exposed.

pub mod view;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::diagnostics::{self, Destination, Format};
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::compile::derive::exposure::Exposure;
use crate::compile::derive::source::{SourceCrd, SourceVersion};
use crate::compile::fields::fields;
use crate::compile::load::yaml;
use crate::files::walk::read_paths;
use crate::model::cluster::ClusterId;
use crate::model::diagnostic::Diagnostic;
use crate::model::nearest::nearest;
use crate::model::tree::Node;
use view::Shown;

/// Arguments of `carrier fields`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier fields redis.redis.example.com -o list")]
pub struct FieldsArgs {
    /// The CRD by its name; with --from, all where no name is given
    #[arg(value_name = "CRD", required_unless_present = "from")]
    pub crd: Option<String>,
    /// How to show the fields
    #[arg(short, long, value_name = "FORMAT", default_value = "tree")]
    pub output: Output,
    /// The CRD of this service cluster; without it, of every one that has it
    #[arg(long, value_name = "PROVIDER/CLUSTER", conflicts_with = "from")]
    pub cluster: Option<ClusterId>,
    /// Look into this file or folder, such as an operator's release manifest, and not into the repository
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub from: Option<PathBuf>,
}

/// How fields are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A tree with types, what is required, defaults, and what is exposed.
    Tree,
    /// Lines `- jsonPath:` to paste into a CatalogEntrySet.
    List,
    /// A JSON document.
    Json,
}

/// Shows the fields of a CRD.
///
/// # Errors
/// When there is no such CRD, or a file cannot be read.
pub fn run(args: &FieldsArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let Some(path) = &args.from else {
        return Err(CliError::usage("no snapshots yet"));
    };
    let (shown, exit) = of_files(path, args.crd.as_deref(), env, ui)?;
    let color = ui.out_color;
    match args.output {
        Output::Tree => view::tree(ui.out(), &shown, color)?,
        Output::List => view::list(ui.out(), &shown)?,
        Output::Json => view::document(ui.out(), &shown)?,
    }
    Ok(exit)
}

/// The CRDs in files that a user names, or the one that is called `name`. Those that cannot be
/// offered are reported on stderr.
fn of_files(path: &Path, name: Option<&str>, env: &Env, ui: &mut Ui<'_>) -> Result<(Vec<Shown>, Exit), CliError> {
    let (sources, mut found) = read_paths(&[env.path(path)])?;
    let mut shown = Vec::new();
    let mut others = BTreeSet::new();
    for (id, file) in sources.iter() {
        for document in yaml::read(id, &file.text, &mut found) {
            let root = &document.root;
            if root.get("kind").and_then(Node::as_str) != Some("CustomResourceDefinition") {
                continue;
            }
            let called = root.pointer("/metadata/name").and_then(Node::as_str).unwrap_or_default();
            if name.is_some_and(|name| name != called) {
                others.insert(called.to_owned());
                continue;
            }
            match SourceCrd::read(&root.to_json()) {
                Ok(crd) => {
                    let from = vec![path.display().to_string()];
                    shown.extend(crd.preferred().map(|version| of_version(&crd, version, from, None)));
                }
                Err(problems) => {
                    for problem in problems {
                        found.push(Diagnostic::new(problem.code, root.place("/metadata/name"), problem.message));
                    }
                }
            }
        }
    }
    let exit = if found.has_errors() { Exit::Errors } else { Exit::Fine };
    let list = found.into_sorted();
    if !list.is_empty() {
        diagnostics::report(ui, Format::Text, &list, &env.as_typed(&sources), &Destination::default())?;
    }
    match name {
        Some(name) if shown.is_empty() && exit == Exit::Fine => Err(unknown(name, &others)),
        None if shown.is_empty() && exit == Exit::Fine => {
            Err(CliError::new(Exit::Errors, format!("there is no CustomResourceDefinition in {}", path.display())))
        }
        _ => Ok((shown, exit)),
    }
}

fn of_version(crd: &SourceCrd, version: &SourceVersion, from: Vec<String>, exposure: Option<&Exposure>) -> Shown {
    Shown {
        crd: crd.name.clone(),
        version: version.name.clone(),
        stored: version.storage,
        from,
        object: exposure.map(|e| e.object.clone()),
        fields: fields(version, exposure),
    }
}

/// There is no CRD of this name, but there are others.
fn unknown(name: &str, names: &BTreeSet<String>) -> CliError {
    let error = CliError::usage(format!("there is no CRD `{name}`"));
    let names = names.iter().map(String::as_str);
    match nearest(name, names.clone()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("there are: {}", names.collect::<Vec<_>>().join(", "))),
    }
}
