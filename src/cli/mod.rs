//! The command line: arguments, output and exit codes.
//!
//! One file per command. A command turns its arguments into options, calls a function of [`ops`](crate::ops), and
//! writes events and results to a [`ui::Ui`]. Only [`main`] and [`env`] touch the process: its arguments,
//! environment and streams.

pub(crate) mod against;
pub(crate) mod apply;
pub(crate) mod approve;
pub(crate) mod args;
pub(crate) mod ask;
pub(crate) mod bug;
pub(crate) mod check;
pub(crate) mod clusters;
pub mod completions;
pub(crate) mod diagnostics;
pub(crate) mod doctor;
pub(crate) mod env;
pub(crate) mod error;
pub(crate) mod exit;
pub mod explain;
pub(crate) mod fields;
pub(crate) mod get;
pub(crate) mod init;
pub(crate) mod input;
pub(crate) mod lock;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod plan_flags;
pub(crate) mod progress;
pub mod reference;
pub(crate) mod render;
pub(crate) mod schema;
pub(crate) mod style;
pub(crate) mod suggest;
pub(crate) mod sync;
pub(crate) mod table;
pub(crate) mod ui;
pub(crate) mod version;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::plan::permissions::Task;
use args::{Cli, Command, Program};
use env::Env;
use error::CliError;
use exit::Exit;
use ui::Ui;

/// Runs the program with the arguments and the environment of the process. The result is its exit status.
#[must_use]
pub fn main() -> ExitCode {
    bug::install_hook();
    let args: Vec<OsString> = std::env::args_os().collect();
    let mut ui = Ui::of_process(args::color_of(&args));
    let env = match Env::of_process() {
        Ok(env) => env,
        Err(error) => {
            // If writing the error fails, there is nowhere left to report that.
            let _ = ui.error(&error);
            return error.exit.into();
        }
    };
    let exit = bug::guard(|| run(&args, &env, &mut ui));
    match ui.flush().map_err(CliError::from) {
        Err(error) if exit == Exit::Fine => {
            if error.exit != Exit::Fine {
                let _ = ui.error(&error);
            }
            error.exit.into()
        }
        _ => exit.into(),
    }
}

/// Runs a command line, which begins with the name of the program.
#[must_use]
pub fn run(args: &[OsString], env: &Env, ui: &mut Ui<'_>) -> Exit {
    match try_run(args, env, ui) {
        Ok(exit) => exit,
        Err(error) => {
            if error.exit != Exit::Fine && ui.error(&error).is_err() {
                return Exit::Errors;
            }
            error.exit
        }
    }
}

fn try_run(args: &[OsString], env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let program = Program::of(args.first());
    ui.suggestions.program = program.name();
    let cli = match args::command(program).try_get_matches_from(args).and_then(|m| Cli::from_arg_matches(&m)) {
        Ok(cli) => cli,
        Err(error) => return show_usage(&error, ui),
    };
    ui.verbosity = cli.global.verbosity();
    ui.suggestions.run_in.clone_from(&cli.global.run_in);
    ui.suggestions.cluster_flags = cli.command.cluster_flags();
    ui.suggestions.task = cli.command.task().map(Task::name);
    let env = env.at(&cli.global.run_in)?;
    dispatch(cli.command, &env, ui)
}

fn dispatch(command: Command, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    match command {
        Command::Init(args) => init::run(&args, env, ui),
        Command::Check(args) => check::run(&args, env, ui),
        Command::Lock(args) => lock::run(&args, env, ui),
        Command::Render(args) => render::run(&args, env, ui),
        Command::Plan(args) => plan::run(&args, env, ui),
        Command::Apply(args) => apply::run(&args, env, ui),
        Command::Sync(args) => sync::run(&args, env, ui),
        Command::Approve(args) => approve::run(&args, env, ui),
        Command::Fields(args) => fields::run(&args, env, ui),
        Command::Get(args) => get::run(&args, env, ui),
        Command::Doctor(args) => doctor::run(&args, env, ui),
        Command::Explain(args) => explain::run(&args, env, ui),
        Command::Schema(args) => schema::run(&args, env, ui),
        Command::Completions(args) => completions::run(&args, grammar(), ui),
        Command::Man(args) => man::run(&args, grammar(), env, ui),
        Command::Version(args) => version::run(&args, ui),
    }
}

/// The grammar that completion scripts and manual pages are generated from.
fn grammar() -> clap::Command {
    args::command(Program::Carrier)
}

/// Shows the text of clap: help and version on stdout, usage errors on stderr.
fn show_usage(error: &clap::Error, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let text = error.render();
    let to_stderr = error.use_stderr();
    let color = if to_stderr { ui.err_color } else { ui.out_color };
    let text = if color { text.ansi().to_string() } else { text.to_string() };
    let stream = if to_stderr { ui.err() } else { ui.out() };
    stream.write_all(text.as_bytes())?;
    Ok(if to_stderr { Exit::Usage } else { Exit::Fine })
}
