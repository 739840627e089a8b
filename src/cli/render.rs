//! `carrier render`: the manifests that offer the services of a repository.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::diagnostics::Format;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::pipeline::{self, Compiled};
use super::ui::Ui;
use crate::compile::render::ManifestSet;
use crate::compile::render::layout::{self, Files, Options};
use crate::files::write::{self, Difference, DifferenceKind};
use crate::model::cluster::ClusterId;
use crate::model::config::RenderTarget;

/// Arguments of `carrier render`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier render --stdout | kubectl apply --server-side -f -")]
pub struct RenderArgs {
    /// The folder to write; without it, `output` of carrier.yaml
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Write nothing; list what differs and end with status 2 if something does
    #[arg(long)]
    pub check: bool,
    /// Who reads the manifests; without it, `render.for` of carrier.yaml
    #[arg(long = "for", value_name = "READER")]
    pub target: Option<Reader>,
    /// Print one YAML stream of the management cluster, in the order to apply it
    #[arg(long, conflicts_with_all = ["out", "check"])]
    pub stdout: bool,
    /// Print that of a service cluster instead
    #[arg(long, value_name = "PROVIDER/CLUSTER", requires = "stdout")]
    pub cluster: Option<ClusterId>,
}

/// Who reads the manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reader {
    /// `kubectl`, or nobody in particular.
    Plain,
    /// Flux: stages that wait for each other.
    Flux,
    /// Argo CD: sync waves.
    Argo,
}

impl From<Reader> for RenderTarget {
    fn from(reader: Reader) -> Self {
        match reader {
            Reader::Plain => Self::Plain,
            Reader::Flux => Self::Flux,
            Reader::Argo => Self::Argo,
        }
    }
}

/// Compiles the repository and writes what it renders to; nothing at all where something is wrong.
///
/// # Errors
/// When there is no repository, it cannot be read as a whole, or the output folder is not carrier's to write.
pub fn run(args: &RenderArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let compiled = pipeline::run(env, ui)?;
    let compilation = &compiled.compilation;
    if !compilation.diagnostics.is_empty() {
        compiled.report(Format::Text, env, ui)?;
    }
    if compilation.has_errors() {
        ui.say("nothing was rendered")?;
        return Ok(Exit::Errors);
    }
    let set = compilation.render();
    let options = Options::new(&compilation.loaded.config, args.target.map(RenderTarget::from));
    if args.stdout {
        return stream(args, &set, options.render.target, ui);
    }
    let files = layout::layout(&set, &options);
    let dir = folder(args, env, &compiled);
    if args.check { check(&dir, &files, ui) } else { write(&dir, &set, &files, ui) }
}

/// The folder to write: what a user types starts where they are, what the settings say at the root.
fn folder(args: &RenderArgs, env: &Env, compiled: &Compiled) -> PathBuf {
    match &args.out {
        Some(out) => env.path(out),
        None => compiled.root.join(&compiled.compilation.loaded.config.output),
    }
}

fn stream(args: &RenderArgs, set: &ManifestSet, target: RenderTarget, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let manifests = match &args.cluster {
        None => &set.management,
        Some(id) => set.clusters.get(id).ok_or_else(|| {
            let known: Vec<String> = set.clusters.keys().map(ToString::to_string).collect();
            let hint = match known.is_empty() {
                true => "the repository has none".to_owned(),
                false => format!("the repository has {}", known.join(", ")),
            };
            CliError::usage(format!("there is no service cluster {id}")).hint(hint)
        })?,
    };
    ui.out().write_all(layout::stream(manifests, target).as_bytes())?;
    Ok(Exit::Fine)
}

fn check(dir: &Path, files: &Files, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let differences = write::check(dir, files)?;
    for Difference { path, kind } in &differences {
        let what = match kind {
            DifferenceKind::Missing => "missing",
            DifferenceKind::Changed => "changed",
            DifferenceKind::Edited => "edited by hand",
            DifferenceKind::Stale => "left over",
            DifferenceKind::StaleEdited => "left over, edited by hand",
        };
        writeln!(ui.out(), "{path}: {what}")?;
    }
    if differences.is_empty() {
        ui.say(format_args!("{} is as the repository says", dir.display()))?;
        return Ok(Exit::Fine);
    }
    ui.say(format_args!("{} of {} files differ", differences.len(), files.len()))?;
    ui.next("render", "to write them")?;
    Ok(Exit::Changes)
}

fn write(dir: &Path, set: &ManifestSet, files: &Files, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let plan = write::plan_write(dir, files)?;
    for difference in plan.differences() {
        if matches!(difference.kind, DifferenceKind::Edited | DifferenceKind::StaleEdited) {
            ui.say(format_args!("{} was edited by hand; that is lost", difference.path))?;
        }
    }
    let written = plan.apply()?;
    ui.say(format_args!(
        "rendered {} objects in {} files: {} written, {} unchanged, {} removed",
        set.len(),
        files.len(),
        written.written,
        written.unchanged,
        written.removed
    ))?;
    Ok(Exit::Fine)
}
