//! `carrier man`: the manual pages, generated from the same grammar as the help.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;

use super::env::Env;
use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;

/// Arguments of `carrier man`.
#[derive(Debug, Args)]
#[command(after_help = "Example: carrier man | man -l -")]
pub(crate) struct ManArgs {
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// Prints the main page, or writes all pages to a folder.
///
/// # Errors
/// When stdout or the folder cannot be written.
pub(crate) fn run(args: &ManArgs, grammar: clap::Command, env: &Env, ui: &mut Ui<'_>) -> Result<Exit, CliError> {
    let pages = pages(grammar)?;
    let Some(out) = &args.out else {
        if let Some((_, page)) = pages.first() {
            ui.out().write_all(page)?;
        }
        return Ok(Exit::Fine);
    };
    let folder = env.path(out);
    fs::create_dir_all(&folder).map_err(|e| CliError::file("make the folder", &folder, &e))?;
    for (name, page) in &pages {
        let path = folder.join(name);
        fs::write(&path, page).map_err(|e| CliError::file("write", &path, &e))?;
    }
    ui.say(format_args!("wrote {} manual pages to {}", pages.len(), out.display()))?;
    Ok(Exit::Fine)
}

/// The pages by file name, the main page first.
fn pages(mut command: clap::Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    command.build();
    let mut pages = vec![page(&command, "carrier")?];
    for sub in command.get_subcommands() {
        pages.push(page(sub, &format!("carrier-{}", sub.get_name()))?);
    }
    Ok(pages)
}

fn page(command: &clap::Command, name: &str) -> io::Result<(String, Vec<u8>)> {
    let mut text = Vec::new();
    // clap leaks the name of a subcommand; there are a dozen, once per run.
    clap_mangen::Man::new(command.clone()).title(name).render(&mut text)?;
    Ok((format!("{name}.1"), text))
}
