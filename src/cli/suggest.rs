//! Suggested commands, as the user of this run has to type them: for the same folder and the same clusters.
//!
//! Whoever suggests a command writes it plainly, as `` `carrier lock` `` within a text. Where the text is shown, the
//! command gets the `-C` of this run and, if it reaches clusters, the flags that say how. This file does not decide
//! what is suggested.

use std::path::PathBuf;

use crate::model::plain::QUOTES;
use crate::model::shell::shell_word;

/// The commands that are suggested with the flags of clusters. `explain` has the flags for an instance, and is suggested for
/// diagnostics, which need no cluster.
pub(super) const OF_CLUSTERS: [&str; 6] = ["apply", "approve", "doctor", "get", "lock", "plan"];

/// What suggested commands have in common in this run.
#[derive(Debug, Clone, Default)]
pub struct Suggestions {
    /// The program as the user types it.
    pub program: &'static str,
    /// Folders in which the commands are to be run: those of `-C`, and the one that `init` created.
    pub run_in: Vec<PathBuf>,
    /// The flags of this run that say how to reach clusters: each with a space before it, for a shell.
    pub cluster_flags: String,
    /// The command of this run, if `doctor --for` knows it: what is missing for it is what its user needs to know.
    pub task: Option<&'static str>,
}

impl Suggestions {
    /// Those of a run without `-C` and without flags of clusters.
    #[must_use]
    pub const fn of(program: &'static str) -> Self {
        Self { program, run_in: Vec::new(), cluster_flags: String::new(), task: None }
    }

    /// The program as the user types it to run it in the same folder: with the `-C` that was given.
    #[must_use]
    pub fn program_here(&self) -> String {
        self.run_in.iter().fold(self.program.to_owned(), |text, folder| format!("{text} -C {}", shell_word(folder)))
    }

    /// A command, given without the name of the program.
    #[must_use]
    pub fn command(&self, command: &str) -> String {
        let reaches = OF_CLUSTERS.contains(&command.split(' ').next().unwrap_or_default())
            // What is compared with files, or done without a cluster, is not told how to reach one.
            && !command.split(' ').any(|word| matches!(word, "--against" | "--offline"));
        let flags = if reaches { self.cluster_flags.as_str() } else { "" };
        let task = self.task.filter(|_| command == "doctor").map(|task| format!(" --for {task}")).unwrap_or_default();
        format!("{} {command}{task}{flags}", self.program_here())
    }

    /// A text in which each command between backticks, such as `` `carrier lock` ``, is the one to type. What is quoted in it
    /// are words of others, which stay as they are.
    #[must_use]
    pub fn complete(&self, text: &str) -> String {
        let (opening, closing) = QUOTES;
        let (mut done, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((own, quoted)) = rest.split_once(opening) {
            done.push_str(&self.commands(own));
            done.push(opening);
            let end = quoted.find(closing).map_or(quoted.len(), |at| at + closing.len_utf8());
            let (words, after) = quoted.split_at(end);
            done.push_str(words);
            rest = after;
        }
        done + &self.commands(rest)
    }

    /// The same for a text without quotes.
    fn commands(&self, text: &str) -> String {
        const START: &str = "`carrier ";
        let (mut done, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((before, from)) = rest.split_once(START) {
            // The program alone, or a backtick that is not closed, is no command.
            let Some((command, after)) = from.split_once('`') else {
                break;
            };
            done.push_str(before);
            done.push('`');
            done.push_str(&self.command(command));
            done.push('`');
            rest = after;
        }
        done + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_within_a_text_is_for_the_same_folder_and_clusters() {
        let suggestions = Suggestions {
            program: "kubectl carrier",
            run_in: vec!["shop".into(), "a b".into()],
            cluster_flags: " --kubeconfig k --as ci".to_owned(),
            task: Some("get"),
        };
        for (text, shown) in [
            ("no command", "no command"),
            ("run `carrier lock`", "run `kubectl carrier -C shop -C 'a b' lock --kubeconfig k --as ci`"),
            (
                "`carrier fields`, or `carrier plan --prune`; `x`",
                "`kubectl carrier -C shop -C 'a b' fields`, or \
                 `kubectl carrier -C shop -C 'a b' plan --prune --kubeconfig k --as ci`; `x`",
            ),
            ("`carrier lock --offline`", "`kubectl carrier -C shop -C 'a b' lock --offline`"),
            ("`carrier doctor`", "`kubectl carrier -C shop -C 'a b' doctor --for get --kubeconfig k --as ci`"),
            ("`carrier sync` does", "`kubectl carrier -C shop -C 'a b' sync` does"),
            ("an open `carrier lock", "an open `carrier lock"),
            (
                "no: “run `carrier apply`, `carrier ”; `carrier get`",
                "no: “run `carrier apply`, `carrier ”; `kubectl carrier -C shop -C 'a b' get --kubeconfig k --as ci`",
            ),
        ] {
            assert_eq!(suggestions.complete(text), shown);
        }
    }
}
