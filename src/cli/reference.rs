//! The reference of the command line, the text of `docs/cli.md`: every help
//! text as a user sees it, and the exit codes.

use std::fmt::Write as _;

use super::args::{self, Program};
use super::exit::Exit;

/// The page.
#[must_use]
pub fn page() -> String {
    let mut command = args::command(Program::Carrier).term_width(100);
    command.build();
    let mut text = String::from(
        "# The command line\n\n\
         <!-- Made by `CARRIER_UPDATE=1 cargo test --test it`; the source is src/cli. -->\n\n\
         Data goes to stdout, talk to stderr. Paths on the command line start from the folder to run in (`-C`, else the\n\
         current one). The repository is the nearest folder upwards that has a `carrier.yaml`, not beyond the Git work\n\
         tree; a folder named with `-C` needs none.\n\n\
         ## Exit status\n\n| Status | Meaning |\n|---|---|\n",
    );
    // Writing to a String cannot fail, here and below.
    for exit in Exit::ALL {
        let _ = writeln!(text, "| {} | {} |", exit.number(), exit.meaning());
    }
    text.push_str(
        "\n## Environment\n\n| Variable | Effect |\n|---|---|\n\
         | `NO_COLOR` | no colour, unless `--color always` |\n\
         | `CLICOLOR_FORCE` | colour also where there is no terminal |\n\
         | `TERM=dumb` | no colour |\n\
         | `GITHUB_STEP_SUMMARY` | `-o github` appends the full list to this file |\n\
         | `RUST_BACKTRACE` | a bug of carrier shows where it happened |\n",
    );
    section(&mut text, &mut command.clone(), "carrier");
    for sub in command.get_subcommands_mut() {
        let title = format!("carrier {}", sub.get_name());
        section(&mut text, sub, &title);
    }
    text
}

fn section(text: &mut String, command: &mut clap::Command, title: &str) {
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(text, "\n## {title}\n\n```text\n{}\n```\n", help.join("\n").trim_end());
}
