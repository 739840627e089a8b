//! Words of suggested commands, as a POSIX shell takes them. Nothing is run here.

use std::path::Path;

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
