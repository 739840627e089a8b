//! Sees to it that no server outlives the test process, however that ends.
//!
//! A destructor does not run when the process is killed, or when a person presses
//! Ctrl-C. So a small shell, in a process group of its own, holds one end of a
//! pipe. The kernel closes the other end when the test process is gone, for
//! whatever reason. Then the shell kills what it was told of and removes the folder.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;

/// Reads `add <pid>`, `drop <pid>` and `done`, one a line. The processes are leaders
/// of their groups, so the whole group is killed. Removing is tried again because a
/// process that is being killed can still make a file.
const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT
pids=
while read -r verb pid; do
    case $verb in
    add) pids="$pids $pid" ;;
    drop)
        kept=
        for each in $pids; do [ "$each" = "$pid" ] || kept="$kept $each"; done
        pids=$kept ;;
    done) exit 0 ;;
    esac
done
for each in $pids; do kill -s KILL -- "-$each"; done
tries=0
while [ -e "$1" ] && [ $tries -lt 100 ]; do
    rm -rf "$1" || sleep 0.1
    tries=$((tries + 1))
done
"#;

/// The shell that waits for our end.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Mutex<(Child, ChildStdin)>,
}

impl Watchdog {
    /// From now on `folder` goes when this process goes.
    pub(crate) fn start(folder: &Path) -> std::io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(folder)
            // Not in the folder that it removes, and not holding that of a caller.
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take().expect("stdin is piped");
        Ok(Self { shell: Mutex::new((shell, pipe)) })
    }

    /// Kill the process group `pid` too.
    pub(crate) fn add(&self, pid: u32) -> std::io::Result<()> {
        self.tell(&format!("add {pid}\n"))
    }

    /// `pid` is gone, and its number may soon be someone else's.
    pub(crate) fn forget(&self, pid: u32) -> std::io::Result<()> {
        self.tell(&format!("drop {pid}\n"))
    }

    /// The shell's own process, for the test that shows that it goes too.
    pub(crate) fn pid(&self) -> u32 {
        self.lock().0.id()
    }

    fn tell(&self, line: &str) -> std::io::Result<()> {
        self.lock().1.write_all(line.as_bytes())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Child, ChildStdin)> {
        self.shell.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Watchdog {
    /// The orderly end: everything is stopped and removed already.
    fn drop(&mut self) {
        let mut shell = self.lock();
        // If the shell is gone there is nothing left to tell it.
        let _ = shell.1.write_all(b"done\n");
        let _ = shell.0.wait();
    }
}
