//! One writer at a time: the lock on a folder while carrier writes into it.
//!
//! The folder itself is locked, not a file in it: nothing is left behind, and the
//! lock of a process that was killed goes with the process.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::FilesError;

/// How often a folder that is taken is tried again, and what lies between: 5 seconds in all.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// While this lives, no other carrier writes into the folder.
#[derive(Debug)]
pub struct Alone {
    _folder: Option<File>,
}

impl Alone {
    /// Makes the folder where it is missing, and locks it. Waits up to 5 seconds for another carrier.
    pub fn of(folder: &Path) -> Result<Self, FilesError> {
        Self::within(folder, TRIES)
    }

    fn within(folder: &Path, tries: u32) -> Result<Self, FilesError> {
        fs::create_dir_all(folder).map_err(FilesError::io("write", folder))?;
        // Some systems open no folder, and some file systems have no locks. There one writer at a
        // time is up to the user, as it is with most tools.
        let Ok(file) = File::open(folder) else { return Ok(Self { _folder: None }) };
        for attempt in 0..tries {
            if attempt > 0 {
                sleep(PAUSE);
            }
            match file.try_lock() {
                Ok(()) => return Ok(Self { _folder: Some(file) }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(_)) => return Ok(Self { _folder: None }),
            }
        }
        Err(FilesError::Busy(folder.to_owned()))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_and_then_gives_up() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("out");
        let first = Alone::within(&folder, 1).unwrap();
        assert!(matches!(Alone::within(&folder, 2), Err(FilesError::Busy(busy)) if busy == folder));
        drop(first);
        assert!(Alone::within(&folder, 1).is_ok());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing is left behind");
    }
}
