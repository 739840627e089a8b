//! Reads a file that may be anything: not through a link, not from a device or a pipe, and not more than a limit.
//!
//! Folders that carrier compares with come with a checkout, so anybody who may propose a change may have put there
//! what they like. A link could lead to a file of the machine, and a device never ends.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// What is at a path.
pub(super) enum Regular {
    /// Nothing.
    Absent,
    /// A regular file, with its content.
    Content(Vec<u8>),
    /// A symbolic link.
    Link,
    /// A folder, a device, a pipe or a socket.
    Special,
    /// A regular file that is larger than the limit.
    TooLarge,
}

/// Reads the file at a path if it is a regular one of at most `most` bytes.
///
/// # Errors
/// If the operating system refuses it.
pub(super) fn read_regular(path: &Path, most: usize) -> io::Result<Regular> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Regular::Absent),
        Err(error) => return Err(error),
    };
    let limit = most as u64;
    match () {
        () if metadata.is_symlink() => return Ok(Regular::Link),
        () if !metadata.is_file() => return Ok(Regular::Special),
        () if metadata.len() > limit => return Ok(Regular::TooLarge),
        () => {}
    }
    let file = File::open(path)?;
    // It may have been replaced meanwhile, and it may grow.
    if !file.metadata()?.is_file() {
        return Ok(Regular::Special);
    }
    let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut content)?;
    Ok(if content.len() > most { Regular::TooLarge } else { Regular::Content(content) })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_regular_files_within_the_limit_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("file"), "1234").unwrap();
        symlink(path("file"), path("link")).unwrap();
        symlink("/dev/zero", path("zero")).unwrap();
        let read = |path: &Path, most| read_regular(path, most).unwrap();
        assert!(matches!(read(&path("file"), 4), Regular::Content(content) if content == b"1234"));
        assert!(matches!(read(&path("file"), 3), Regular::TooLarge));
        assert!(matches!(read(&path("link"), 4), Regular::Link));
        assert!(matches!(read(&path("zero"), 4), Regular::Link));
        assert!(matches!(read(Path::new("/dev/zero"), 4), Regular::Special));
        assert!(matches!(read(dir.path(), 4), Regular::Special));
        assert!(matches!(read(&path("none"), 4), Regular::Absent));
    }
}
