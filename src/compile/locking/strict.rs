//! What `--locked` refuses: a lock that is not what `carrier lock` would write for
//! this repository. Without the flag most of it is a warning, since what is
//! locked can be compiled from. No cluster is asked.

use crate::model::codes::Code;
use crate::model::codes::lock as codes;
use crate::model::diagnostic::{Diagnostic, Severity};

/// What says that the lock is stale, and the command that mends it, without the program's name.
static STALE: [(&Code, &str); 7] = [
    (&codes::NO_SNAPSHOT, "lock"),
    (&codes::NOT_LOCKED, "lock"),
    (&codes::SNAPSHOT_MISSING, "lock"),
    (&codes::HASH_DIFFERS, "lock"),
    (&codes::NOT_RECORDED, "lock --offline"),
    (&codes::UNUSED_SNAPSHOT, "lock --offline --prune"),
    (&codes::BAD_LOCK, "lock"),
];

/// Makes errors of all that says that the lock is stale; the commands that mend it, in the order to
/// run them.
pub fn strict(list: &mut [Diagnostic]) -> Vec<&'static str> {
    let mut commands = Vec::new();
    for (code, command) in STALE {
        for diagnostic in list.iter_mut().filter(|d| d.code == code) {
            if diagnostic.severity != Severity::Error {
                diagnostic.severity = Severity::Error;
                diagnostic.notes.push("`--locked` makes this an error".to_owned());
            }
            if !commands.contains(&command) {
                commands.push(command);
            }
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_lock_is_an_error_and_nothing_else_is() {
        let warning = |code| Diagnostic::unplaced(code, "x");
        let other = &crate::model::codes::cluster::DRIFT;
        let mut list = [warning(&codes::UNUSED_SNAPSHOT), warning(&codes::NOT_RECORDED), warning(other)];
        assert_eq!(strict(&mut list), ["lock --offline", "lock --offline --prune"]);
        assert_eq!(list.each_ref().map(|d| d.severity), [Severity::Error, Severity::Error, Severity::Warning]);
        assert!(strict(&mut list[2..]).is_empty());
    }
}
