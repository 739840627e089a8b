//! `carrier fields`: what a CRD has to expose, and what of it is exposed.

pub(crate) mod view;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::diagnostics::{self, Destination, Format, Summary};
use super::env::{Env, read_stdin};
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::ui::Ui;
use crate::compile::derive::exposure::Exposure;
use crate::compile::derive::source::{SourceCrd, SourceVersion};
use crate::compile::fields::{Field, cut, fields, find};
use crate::compile::locking::{CrdDocument, CrdDocuments, crd_documents, is_said, strip};
use crate::compile::resolve::{BaseName, Service};
use crate::compile::schema;
use crate::files::walk::{MAX_FILE_BYTES, read_paths};
use crate::model::cluster::ClusterId;
use crate::model::diagnostic::Diagnostic;
use crate::model::nearest::nearest;
use crate::model::path::FieldPath;
use crate::plan::words::count;
use crate::yaml::tree::Node;
use view::Shown;

/// Arguments of `carrier fields`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier fields redis.redis.example.com -o list")]
pub(crate) struct FieldsArgs {
    /// The CRD by its name, or by its plural where that is enough; with --from, all where none is given
    #[arg(value_name = "CRD", required_unless_present = "from")]
    pub crd: Option<String>,
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "tree")]
    pub output: Output,
    /// The CRD of this service cluster; without it, of every service cluster that has it
    #[arg(long, value_name = "PROVIDER/CLUSTER", conflicts_with = "from")]
    pub cluster: Option<ClusterId>,
    /// Read this file or folder, such as the release manifest of an operator, instead of the repository; `-` for the standard input
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub from: Option<PathBuf>,
    /// This version of the CRD; without it, those that are exposed, or the stored one
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Only the field at this path, such as .spec.storage, and those below it
    #[arg(long, value_name = "PATH", value_parser = field_path)]
    pub path: Option<FieldPath>,
    /// The number of levels; without it all, or 3 in the tree of a CRD with more than 150 fields
    #[arg(long, value_name = "LEVELS", value_parser = clap::value_parser!(u8).range(1..))]
    pub depth: Option<u8>,
}

/// A tree with more fields is cut at [`LEVELS`]: nobody reads a thousand lines.
const LARGE: usize = 150;
const LEVELS: usize = 3;

fn field_path(text: &str) -> Result<FieldPath, String> {
    FieldPath::parse(text).map_err(|error| error.to_string())
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
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
pub(crate) fn run(args: &FieldsArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let name = args.crd.as_deref();
    let (mut shown, exit) = match &args.from {
        Some(path) => of_files(path, name, args.version.as_deref(), env, ui)?,
        None => (of_repository(name.unwrap_or_default(), args, env, ui)?, Exit::Fine),
    };
    if let Some(path) = &args.path {
        shown = below(shown, path)?;
    }
    for one in &mut shown {
        let count: usize = one.fields.iter().map(|field| field.all().len()).sum();
        let large = args.output == Output::Tree && count > LARGE;
        let levels = args.depth.map(usize::from).or_else(|| large.then_some(LEVELS));
        if let Some(levels) = levels {
            one.fields = cut(std::mem::take(&mut one.fields), levels);
        }
    }
    let color = ui.out_color;
    let written = match args.output {
        Output::Tree => view::tree(ui.out(), &shown, color),
        Output::List => view::list(ui.out(), &shown),
        Output::Json => view::document(ui.out(), &shown),
    };
    match written {
        // A reader that closed the pipe has not resolved the errors.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(exit),
        written => Ok(written.map(|()| exit)?),
    }
}

/// Cuts each to the field at a path.
fn below(all: Vec<Shown>, path: &FieldPath) -> Result<Vec<Shown>, CliError> {
    let mut paths: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for mut shown in all {
        match find(&shown.fields, path).cloned() {
            Some(field) => {
                shown.fields = vec![field];
                found.push(shown);
            }
            None => paths.extend(shown.fields.iter().flat_map(Field::all).map(|f| f.path.to_string())),
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let error = CliError::usage(format!("there is no field `{path}`"));
    Err(match nearest(&path.to_string(), paths.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("without `--path` all fields are shown"),
    })
}

/// The version that was asked for, else the one that a copy would have; nothing where the CRD has
/// no such version.
fn version_of<'c>(crd: &'c SourceCrd, version: Option<&str>) -> Result<Option<&'c SourceVersion>, CliError> {
    let Some(name) = version else { return Ok(crd.preferred()) };
    if let Some(found) = crd.version(name) {
        return Ok(Some(found));
    }
    let names: Vec<&str> = crd.versions.iter().map(|v| v.name.as_str()).collect();
    Err(CliError::usage(format!("`{}` has no version `{name}`", crd.name)).hint(format!("it has {}", names.join(", "))))
}

/// The CRDs in files that a user names, or the one that is called `name`. Those that cannot be
/// offered are reported on stderr.
fn of_files(
    path: &Path,
    name: Option<&str>,
    version: Option<&str>,
    env: &Env,
    ui: &mut Ui<'_>,
) -> Result<(Vec<Shown>, Exit), CliError> {
    let is_stdin = path == Path::new("-");
    let stdin = if is_stdin { vec![read_stdin(MAX_FILE_BYTES)?] } else { Vec::new() };
    let paths = if is_stdin { Vec::new() } else { vec![path.to_owned()] };
    // A file that is named itself has to be whole; of a folder, only the files that mention CRDs.
    let is_folder = env.directory.join(path).is_dir();
    let given =
        if is_folder { None } else { Some(stdin.first().map_or(path.to_string_lossy(), |f| f.path.as_str().into())) };
    let given: BTreeSet<String> = given.map(std::borrow::Cow::into_owned).into_iter().collect();
    let (sources, mut found) = read_paths(&env.directory, &paths, stdin)?;
    let CrdDocuments { crds, errors, ignored_errors } = crd_documents(&sources, &given);
    for error in errors {
        found.push(error);
    }
    let name_of = |root: &Node| root.pointer("/metadata/name").and_then(Node::as_str).unwrap_or_default().to_owned();
    let crds: Vec<(String, CrdDocument)> = crds.into_iter().map(|crd| (name_of(&crd.root), crd)).collect();
    let names: BTreeSet<String> = crds.iter().map(|(name, _)| name.clone()).collect();
    let wanted = name.map(|name| full_name(name, &names)).transpose();
    // The CRD may be in a file that could not be read.
    if !found.has_errors() && (wanted.is_err() || names.is_empty()) {
        for error in ignored_errors {
            found.push(error);
        }
    }
    // A file that cannot be read may have the CRD.
    let wanted = match wanted {
        Err(error) if !found.has_errors() && !names.is_empty() => return Err(error),
        Err(_) => name.map(str::to_owned),
        Ok(wanted) => wanted,
    };
    let mut shown = Vec::new();
    let mut seen: Vec<(&str, Value)> = Vec::new();
    for (called, CrdDocument { root, complaints }) in &crds {
        if wanted.as_ref().is_some_and(|wanted| wanted != called) {
            continue;
        }
        let json = strip(&root.to_json());
        if let Some((_, other)) = seen.iter().find(|(name, _)| *name == called) {
            if *other == json {
                continue;
            }
            if wanted.is_some() {
                return Err(CliError::usage(format!(
                    "{} has two CRDs `{called}` that are not the same",
                    path.display()
                ))
                .hint("name the one file that you mean with `--from`"));
            }
        }
        for complaint in complaints {
            found.push(complaint.clone());
        }
        match SourceCrd::read(&root.to_json()) {
            Ok(crd) => {
                let from = vec![path.display().to_string()];
                shown.extend(version_of(&crd, version)?.map(|version| of_version(&crd, version, from, None)));
            }
            Err(problems) => {
                for problem in problems.into_iter().filter(|problem| !is_said(complaints, problem)) {
                    found.push(Diagnostic::new(problem.code, root.place(&problem.pointer), problem.message));
                }
            }
        }
        seen.push((called, json));
    }
    let exit = if found.has_errors() { Exit::Errors } else { Exit::Fine };
    let list = found.into_sorted();
    if !list.is_empty() {
        diagnostics::report(ui, Format::Text, &list, &sources, &Destination::default())?;
    }
    match name {
        _ if shown.is_empty() && exit == Exit::Fine => {
            Err(CliError::new(Exit::Errors, format!("there is no CustomResourceDefinition in {}", path.display())))
        }
        _ => Ok((shown, exit)),
    }
}

/// A CRD among the snapshots of the repository, by its name or its plural, once for each exposure
/// and each form it has.
fn of_repository(name: &str, args: &FieldsArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Vec<Shown>, CliError> {
    let (cluster, version) = (args.cluster.as_ref(), args.version.as_deref());
    let repository = input::open(env, ui)?;
    let (compiled, list) = repository.compile();
    let errors = Summary::of(&list, &repository.sources).error;
    if errors > 0 {
        ui.warn(format_args!("the repository has {}", count(errors, "error")))?;
        ui.next("check", "to see what is wrong")?;
    }
    if let Some(id) = cluster.filter(|id| !compiled.resolved.clusters.contains_key(id)) {
        let names: Vec<String> = compiled.resolved.clusters.keys().map(ToString::to_string).collect();
        let error = CliError::usage(format!("the repository has no service cluster `{id}`"));
        return Err(match nearest(&id.to_string(), names.iter().map(String::as_str)) {
            Some(meant) => error.hint(format!("did you mean `{meant}`?")),
            None if names.is_empty() => error.hint("add a ServiceCluster first"),
            None => error.hint(format!("there are: {}", names.join(", "))),
        });
    }
    let clusters = compiled.discovered.clusters.iter().filter(|(id, _)| cluster.is_none_or(|c| c == *id));
    let names: BTreeSet<String> = clusters.clone().flat_map(|(_, known)| known.crds.keys().cloned()).collect();
    let name = full_name(name, &names)?;

    // One form of the CRD, the clusters that have it, and the services made of it there.
    let mut forms: Vec<(&Value, Vec<&ClusterId>)> = Vec::new();
    for (id, known) in clusters {
        let Some(snapshot) = known.crds.get(&name) else { continue };
        match forms.iter_mut().find(|(crd, _)| *crd == &*snapshot.body) {
            Some((_, ids)) => ids.push(id),
            None => forms.push((&snapshot.body, vec![id])),
        }
    }
    let mut shown = Vec::new();
    for (crd, ids) in forms {
        let crd = SourceCrd::read(crd).map_err(|problems| {
            let message = problems.into_iter().map(|p| p.message).collect::<Vec<_>>().join("; ");
            CliError::new(Exit::Errors, format!("`{name}` cannot be offered: {message}"))
        })?;
        let from: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut exposures: Vec<&Exposure> = Vec::new();
        for service in compiled.resolved.services.iter().filter(|s| ids.contains(&&s.cluster) && is_of(s, &crd)) {
            exposures.extend(service.exposure.as_ref().filter(|e| !exposures.iter().any(|o| o.object == e.object)));
        }
        if exposures.is_empty() {
            shown.extend(version_of(&crd, version)?.map(|version| of_version(&crd, version, from.clone(), None)));
        }
        for exposure in exposures {
            let versions = exposure.items.iter().flat_map(|item| &item.versions);
            let versions: Vec<_> = versions.filter_map(|v| crd.version(&v.value)).collect();
            let versions = match versions.is_empty() || version.is_some() {
                true => version_of(&crd, version)?.into_iter().collect(),
                false => versions,
            };
            shown.extend(versions.into_iter().map(|v| of_version(&crd, v, from.clone(), Some(exposure))));
        }
    }
    Ok(shown)
}

fn is_of(service: &Service<'_>, crd: &SourceCrd) -> bool {
    match &service.base.name {
        BaseName::Crd(name) => *name == crd.name,
        BaseName::Plural(plural) => *plural == crd.plural,
    }
}

/// Finds the one CRD whose name or plural is `name`.
fn full_name(name: &str, names: &BTreeSet<String>) -> Result<String, CliError> {
    if names.contains(name) {
        return Ok(name.to_owned());
    }
    let mut same = names.iter().filter(|n| n.split_once('.').is_some_and(|(plural, _)| plural == name));
    match (same.next(), same.next()) {
        (Some(one), None) => Ok(one.clone()),
        (Some(one), Some(two)) => {
            let all: Vec<&str> = [one, two].into_iter().chain(same).map(String::as_str).collect();
            Err(CliError::usage(format!("`{name}` is the plural of more than one CRD"))
                .hint(format!("say which: {}", all.join(", "))))
        }
        _ if names.is_empty() => Err(CliError::usage("the repository has no snapshot of a CRD")
            .hint("take CRDs in with `carrier lock`, or look into a file with `carrier fields --from PATH`")),
        _ => Err(unknown(name, names)),
    }
}

fn of_version(crd: &SourceCrd, version: &SourceVersion, from: Vec<String>, exposure: Option<&Exposure>) -> Shown {
    Shown {
        crd: crd.name.clone(),
        version: version.name.clone(),
        stored: version.storage,
        from,
        object: exposure.map(|e| e.object.clone()),
        open: schema::is_free_form(&version.schema),
        fields: fields(version, exposure),
    }
}

/// The error of a name that no CRD has.
fn unknown(name: &str, names: &BTreeSet<String>) -> CliError {
    let error = CliError::usage(format!("there is no CRD `{name}`"));
    let names = names.iter().map(String::as_str);
    match nearest(name, names.clone()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("there are: {}", names.collect::<Vec<_>>().join(", "))),
    }
}
