//! `carrier render`: the manifests that offer the services of a repository.

use std::path::{Path, PathBuf};

use anstyle::Style;
use clap::{Args, ValueEnum};

use super::check::say_stale;
use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::style::change_style;
use super::ui::{Ui, Verbosity};
use crate::compile::render::ManifestSet;
use crate::files::write::{Difference, DifferenceKind};
use crate::model::cluster::ClusterId;
use crate::model::config::RenderTarget;
use crate::model::plain;
use crate::model::shell::shell_word;
use crate::ops::render::{Output, Rendering, render, stream_of};

/// The number of changed lines that are shown of one file, without `-v`.
const LINES: usize = 20;
/// The number of changed lines that are shown of all files together, without `-v`.
const ALL_LINES: usize = 200;

/// Arguments of `carrier render`.
#[derive(Debug, Args)]
#[command(after_help = "Nothing is written if the repository has errors.\n\n\
                  Example: carrier render --stdout | kubectl apply --server-side -f -")]
pub(crate) struct RenderArgs {
    /// The folder to write; without it, `output` of carrier.yaml
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Write nothing; list the files that differ with the lines that change, and exit with status 2 if there are any
    #[arg(long)]
    pub check: bool,
    /// Who reads the manifests; without it, `render.for` of carrier.yaml
    #[arg(long = "for", value_name = "READER")]
    pub target: Option<Reader>,
    /// Write nothing if the lock is stale: if `carrier lock --offline` would change it, or snapshots are unused or not
    /// locked
    #[arg(long)]
    pub locked: bool,
    /// Print the manifests of the management cluster as a YAML stream, in the order to apply them
    #[arg(long, conflicts_with_all = ["out", "check"])]
    pub stdout: bool,
    /// Print those of a service cluster instead
    #[arg(long, value_name = "PROVIDER/CLUSTER", requires = "stdout")]
    pub cluster: Option<ClusterId>,
}

/// Who reads the manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reader {
    /// kubectl or any other reader.
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

/// Renders the repository.
///
/// # Errors
/// When there is no repository, or the output cannot be written or is refused.
pub(crate) fn run(args: &RenderArgs, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let repository = input::open(env, ui)?;
    let Rendering { diagnostics, stale, manifests } = render(&repository, args.locked);
    input::report_if_any(&repository, &diagnostics, env, ui)?;
    let Some(set) = manifests else {
        ui.say("nothing was rendered")?;
        say_stale(stale, ui)?;
        return Ok(Exit::Errors);
    };
    let target = args.target.map(RenderTarget::from);
    if args.stdout {
        let target = target.unwrap_or(repository.loaded.config.render.target);
        ui.out().write_all(stream_of(&set, args.cluster.as_ref(), target)?.as_bytes())?;
        return Ok(Exit::Fine);
    }
    let out = args.out.as_ref().map(|out| env.path(out));
    let output = Output::new(&repository, &set, out.as_deref(), target)?;
    let shown = match &args.out {
        Some(out) => out.clone(),
        None => output.folder.strip_prefix(&env.directory).map_or(output.folder.clone(), Path::to_owned),
    };
    if args.check {
        return compare(args, &output, &shown, ui);
    }
    write(&output, &shown, &set, ui)?;
    let reader = match output.target {
        RenderTarget::Plain => {
            ui.next("render --stdout | kubectl apply --server-side -f -", "to offer the services")?;
            return Ok(Exit::Fine);
        }
        RenderTarget::Flux => "Flux",
        RenderTarget::Argo => "Argo CD",
    };
    ui.say(format_args!("next: commit {} for {reader}", shown.display()))?;
    Ok(Exit::Fine)
}

fn write(output: &Output, shown: &Path, set: &ManifestSet, ui: &mut Ui<'_>) -> Result<(), CliError> {
    let pending = output.begin()?;
    for path in pending.edited() {
        ui.warn(format_args!("{} was edited by hand; the edit is undone", shown.join(path).display()))?;
    }
    let written = pending.write()?;
    ui.say(format_args!(
        "{} objects for {} clusters in {}: {} files written, {} removed, {} unchanged",
        set.len(),
        set.clusters.len() + 1,
        shown.display(),
        written.written,
        written.removed,
        written.unchanged,
    ))?;
    Ok(())
}

fn compare(args: &RenderArgs, output: &Output, shown: &Path, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let differences = output.differences()?;
    let (all, color) = (ui.verbosity == Verbosity::Verbose, ui.out_color);
    let mut left = if all { usize::MAX } else { ALL_LINES };
    for Difference { path, kind } in &differences {
        let what = match kind {
            DifferenceKind::Missing => "missing",
            DifferenceKind::Changed => "changed",
            DifferenceKind::Edited => "edited",
            DifferenceKind::Stale => "stale",
            DifferenceKind::StaleEdited => "stale, edited",
        };
        writeln!(ui.out(), "{what}: {}", shown.join(path).display())?;
        let lines = if left > 0 { output.changed_lines(path)? } else { None };
        let Some(lines) = lines else { continue };
        if lines.is_empty() {
            writeln!(ui.out(), "    only in comments, layout, or values that may be secret")?;
        }
        let most = if all { usize::MAX } else { LINES.min(left) };
        for line in lines.iter().take(most) {
            let line = line.to_string();
            let style = if color { change_style(&line) } else { Style::new() };
            writeln!(ui.out(), "    {style}{}{style:#}", plain::line(&line))?;
        }
        if lines.len() > most {
            writeln!(ui.out(), "    and {} more; -v shows all", lines.len() - most)?;
        }
        left = left.saturating_sub(lines.len().min(most));
    }
    if differences.is_empty() {
        ui.say(format_args!("{} is up to date", shown.display()))?;
        return Ok(Exit::Fine);
    }
    // The same command without `--check`; other options would give other files.
    let mut command = "render".to_owned();
    if let Some(out) = &args.out {
        command = format!("{command} --out {}", shell_word(out));
    }
    if let Some(target) = args.target.and_then(|t| t.to_possible_value()) {
        command = format!("{command} --for {}", target.get_name());
    }
    ui.next(&command, "to write what differs")?;
    Ok(Exit::Changes)
}
