//! The grammar of the command line. Doc comments are the help texts.
//!
//! The arguments of one command are in the file of that command.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anstream::ColorChoice;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};

use super::ui::Verbosity;
use super::{
    apply, approve, check, completions, doctor, explain, fields, get, init, lock, man, plan, render, schema, sync,
    version,
};
use crate::plan::permissions::Task;

/// Compiles a repository of accounts, service clusters and catalogs to Kubernetes manifests.
///
/// carrier offers the services of many clusters in one management cluster. It reads a Git repository of KubeCarrier
/// objects and the CustomResourceDefinitions of the service clusters, and writes every manifest that offers them.
#[derive(Debug, Parser)]
#[command(
    name = "carrier",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = "Exit status: 0 fine, 1 errors, 2 changes, 3 refused, 4 a cluster failed, 5 applied in part, 64 usage, 70 a bug of carrier, 130 interrupted."
)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Run in this folder; may be repeated, each relative to the one before
    #[arg(short = 'C', value_name = "DIR", global = true, value_hint = clap::ValueHint::DirPath, display_order = 900)]
    pub run_in: Vec<PathBuf>,
    /// When to colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, display_order = 901)]
    pub color: clap::ColorChoice,
    /// Show only errors and diagnostics
    #[arg(short, long, global = true, conflicts_with = "verbose", display_order = 902)]
    pub quiet: bool,
    /// Show more details
    #[arg(short, long, global = true, action = ArgAction::SetTrue, display_order = 903)]
    pub verbose: bool,
}

impl Global {
    /// How much is shown on stderr.
    #[must_use]
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
    }
}

/// The commands, in the order of the help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a repository
    Init(init::InitArgs),
    /// Check a repository and show all its diagnostics
    Check(check::CheckArgs),
    /// Take the CRDs of the service clusters into the repository
    Lock(lock::LockArgs),
    /// Write the manifests that offer the services
    Render(render::RenderArgs),
    /// Show what applying the repository would change, and for whom
    Plan(plan::PlanArgs),
    /// Apply the repository to the clusters
    Apply(apply::ApplyArgs),
    /// Keep the instances of the services in step between the clusters
    Sync(sync::SyncArgs),
    /// Approve deletions of instances that sync holds
    Approve(approve::ApproveArgs),
    /// Show the fields of a CRD that can be exposed
    Fields(fields::FieldsArgs),
    /// List the instances of the services
    Get(get::GetArgs),
    /// Check versions of the clusters and permissions in them
    Doctor(doctor::DoctorArgs),
    /// Explain a diagnostic, or why an instance is as it is
    Explain(explain::ExplainArgs),
    /// Print a JSON Schema for editors
    Schema(schema::SchemaArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Print the manual page
    Man(man::ManArgs),
    /// Print the version
    Version(version::VersionArgs),
}

impl Command {
    /// The flags of this run that say how to reach clusters, as suggested commands repeat them.
    #[must_use]
    pub(crate) fn cluster_flags(&self) -> String {
        match self {
            Self::Lock(args) => args.clusters.given(),
            Self::Plan(args) => args.clusters.given(),
            Self::Apply(args) => args.clusters.given(),
            Self::Get(args) => args.flags.given(),
            Self::Doctor(args) => args.flags.given(),
            Self::Approve(args) => args.flags.given(),
            Self::Explain(args) => args.flags.given(),
            Self::Init(_)
            | Self::Check(_)
            | Self::Render(_)
            | Self::Sync(_)
            | Self::Fields(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Version(_) => String::new(),
        }
    }
}

impl Command {
    /// What `doctor --for` calls this command.
    #[must_use]
    pub(crate) fn task(&self) -> Option<Task> {
        match self {
            Self::Lock(_) => Some(Task::Lock),
            Self::Plan(_) => Some(Task::Plan),
            Self::Apply(_) => Some(Task::Apply),
            Self::Get(_) => Some(Task::Get),
            _ => None,
        }
    }
}

/// How the program was called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Program {
    /// By its own name.
    #[default]
    Carrier,
    /// As a plugin of kubectl, installed as `kubectl-carrier`.
    KubectlPlugin,
}

impl Program {
    /// Tells from the name of the program, the first argument.
    #[must_use]
    pub fn of(name: Option<&OsString>) -> Self {
        match name.and_then(|n| Path::new(n).file_stem()) {
            Some(stem) if stem == "kubectl-carrier" => Self::KubectlPlugin,
            _ => Self::Carrier,
        }
    }

    /// What a user types.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::KubectlPlugin => "kubectl carrier",
        }
    }
}

/// The grammar, with the usage name of `program`.
#[must_use]
pub fn command(program: Program) -> clap::Command {
    let styles = Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default());
    Cli::command().bin_name(program.name()).styles(styles)
}

/// The value of `--color`, read before the arguments are parsed: a usage error is coloured as asked, too.
#[must_use]
pub(crate) fn color_of(args: &[OsString]) -> ColorChoice {
    let mut choice = ColorChoice::Auto;
    let mut args = args.iter().map(|a| a.to_str().unwrap_or("")).take_while(|a| *a != "--").peekable();
    while let Some(arg) = args.next() {
        let value = match arg.strip_prefix("--color") {
            Some("") => args.peek().copied(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        choice = match value {
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            Some("auto") => ColorChoice::Auto,
            _ => choice,
        };
    }
    choice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::suggest::OF_CLUSTERS;

    #[test]
    fn the_commands_with_the_flags_of_clusters_are_known() {
        let grammar = command(Program::Carrier);
        let has_flags = |command: &&clap::Command| command.get_arguments().any(|arg| arg.get_id() == "allow_loopback");
        let mut names: Vec<&str> = grammar.get_subcommands().filter(has_flags).map(clap::Command::get_name).collect();
        names.retain(|name| !["explain", "sync"].contains(name));
        names.sort_unstable();
        assert_eq!(names, OF_CLUSTERS);
    }

    fn color(args: &[&str]) -> ColorChoice {
        color_of(&args.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_grammar_is_sound() {
        let mut command = command(Program::Carrier);
        command.build();
        command.clone().debug_assert();
        // clap silently treats two arguments with one id as one argument.
        let global: Vec<_> = command.get_arguments().map(|a| a.get_id().to_string()).collect();
        for sub in command.get_subcommands() {
            for argument in sub.get_arguments().filter(|a| !a.is_global_set()) {
                let id = argument.get_id().to_string();
                assert!(id == "help" || id == "version" || !global.contains(&id), "{id} of {}", sub.get_name());
            }
        }
    }

    #[test]
    fn colour_is_known_before_the_arguments_are() {
        assert_eq!(color(&["carrier", "check"]), ColorChoice::Auto);
        assert_eq!(color(&["carrier", "--color", "never", "check"]), ColorChoice::Never);
        assert_eq!(color(&["carrier", "check", "--color=always"]), ColorChoice::Always);
        assert_eq!(color(&["carrier", "--", "--color=always"]), ColorChoice::Auto);
    }

    #[test]
    fn a_plugin_of_kubectl_knows_its_name() {
        let name = |path: &str| Program::of(Some(&OsString::from(path))).name();
        assert_eq!(name("/usr/local/bin/kubectl-carrier"), "kubectl carrier");
        assert_eq!(name("kubectl-carrier.exe"), "kubectl carrier");
        assert_eq!(name("target/debug/carrier"), "carrier");
        assert_eq!(Program::of(None), Program::Carrier);
    }
}
