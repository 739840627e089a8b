//! Words of suggested commands, as a POSIX shell takes them. Nothing is run here.

use std::path::Path;

use super::plain;

/// A path or another word, quoted so that a shell takes it for one word.
#[must_use]
pub(crate) fn shell_word(word: impl AsRef<Path>) -> String {
    let text = word.as_ref().to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// kubectl with the file and the context that it is to use, each a word of one line.
#[must_use]
pub(crate) fn kubectl(kubeconfig: Option<&Path>, context: Option<&str>) -> String {
    let mut command = "kubectl".to_owned();
    for (flag, value) in [("--kubeconfig", kubeconfig), ("--context", context.map(Path::new))] {
        if let Some(value) = value {
            command = format!("{command} {flag} {}", plain::line(&shell_word(value)));
        }
    }
    command
}
