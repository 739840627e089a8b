//! The lock on a folder while carrier writes into it: one writer at a time.
//!
//! The lock is on the folder itself, not on a file in it, so no lock file is left
//! behind. The operating system releases it when the process ends, also by a kill.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::FilesError;

/// Attempts to lock a folder that another process holds; with [`PAUSE`] between them, 5 seconds in all.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// Excludes other carrier processes from writing into a folder until it is dropped.
#[derive(Debug)]
pub(crate) struct FolderLock {
    /// `None` where the system has no locks on folders.
    _folder: Option<File>,
}

impl FolderLock {
    /// Creates the folder if it does not exist, and locks it. Waits up to 5 seconds for another carrier.
    ///
    /// # Errors
    /// [`FilesError::Busy`] if another carrier holds the lock for longer; [`FilesError::Io`] if the folder
    /// cannot be created.
    pub(crate) fn acquire(folder: &Path) -> Result<Self, FilesError> {
        Self::try_acquire(folder, ATTEMPTS)
    }

    fn try_acquire(folder: &Path, attempts: u32) -> Result<Self, FilesError> {
        fs::create_dir_all(folder).map_err(FilesError::io("write", folder))?;
        // Some systems cannot open a folder, and some file systems have no locks. There the user has to
        // avoid two writers, which is better than no carrier at all.
        let Ok(file) = File::open(folder) else { return Ok(Self { _folder: None }) };
        for attempt in 0..attempts {
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
    fn a_second_writer_waits_and_then_gives_up() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("out");
        let first = FolderLock::try_acquire(&folder, 1).unwrap();
        assert!(matches!(FolderLock::try_acquire(&folder, 2), Err(FilesError::Busy(busy)) if busy == folder));
        drop(first);
        assert!(FolderLock::try_acquire(&folder, 1).is_ok());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "no lock file is left behind");
    }
}
