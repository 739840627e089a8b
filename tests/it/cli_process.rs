//! The binary as a process: what only a real one shows.

use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::common::package;
use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        the_exit_status_is_the_promised_number,
        a_reader_that_has_enough_is_no_failure,
        colour_is_for_terminals_unless_somebody_insists,
        errors_that_nobody_reads_are_still_errors,
        a_full_disk_is_said_and_ends_with_1[dev_full_is_here],
        a_panic_says_that_it_is_our_fault,
    ]
}

fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carrier"));
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    command
}

fn the_exit_status_is_the_promised_number() {
    assert_eq!(binary().arg("version").output().unwrap().status.code(), Some(0));
    let wrong = binary().arg("--no-such-flag").output().unwrap();
    assert_eq!(wrong.status.code(), Some(64), "not clap's 2, which would read as `changes`");
    assert!(wrong.stdout.is_empty());
}

fn a_reader_that_has_enough_is_no_failure() {
    let mut child =
        binary().args(["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Closes the pipe before or while carrier writes; it must not matter which.
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
    assert_eq!(err, "");
}

fn colour_is_for_terminals_unless_somebody_insists() {
    let out = |args: &[&str], env: &[(&str, &str)]| {
        let output = binary().args(args).envs(env.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!out(&["--help"], &[]).contains('\u{1b}'));
    assert!(out(&["--help"], &[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    assert!(!out(&["--help"], &[("CLICOLOR_FORCE", "0")]).contains('\u{1b}'));
    assert!(!out(&["--help"], &[("CLICOLOR_FORCE", "")]).contains('\u{1b}'));
    assert!(!out(&["--help", "--color", "never"], &[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    assert!(out(&["--color=always", "--help"], &[("NO_COLOR", "1")]).contains('\u{1b}'));
}

/// A folder with a repository that has an error.
fn bad_repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    assert!(binary().arg("init").current_dir(dir.path()).output().unwrap().status.success());
    std::fs::write(dir.path().join("accounts/team-a.yaml"), "kind: Account\n").unwrap();
    dir
}

fn errors_that_nobody_reads_are_still_errors() {
    let dir = bad_repository();
    for args in [&["check"][..], &["check", "-o", "json"], &["render"], &["render", "--stdout"]] {
        let mut child =
            binary().args(args).current_dir(dir.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().unwrap().code(), Some(1), "{args:?}");
    }
}

fn dev_full_is_here() -> Result<(), String> {
    match std::path::Path::new("/dev/full").exists() {
        true => Ok(()),
        false => Err("this system has no /dev/full".to_owned()),
    }
}

fn a_full_disk_is_said_and_ends_with_1() {
    let repository = package("catalog-examples/redis");
    for args in [&["version"][..], &["--help"], &["explain", "--list"], &["render", "--stdout"], &["fields", "redis"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = binary().args(args).current_dir(&repository).stdout(full).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {err}");
        assert!(err.contains("error: cannot write the output: "), "{args:?}: {err}");
    }
}

/// This test runs itself in another process, which panics.
fn a_panic_says_that_it_is_our_fault() {
    const ROLE: &str = "CARRIER_TEST_PANICS";
    if std::env::var_os(ROLE).is_some() {
        carrier::program::install_hook();
        let exit = carrier::program::guard(|| panic!("the cat is on the keyboard"));
        std::process::exit(exit.number().into());
    }
    let run = |backtrace: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "cli_process::a_panic_says_that_it_is_our_fault", "--nocapture"])
            .env(ROLE, "1")
            .env("RUST_BACKTRACE", backtrace)
            .output()
            .unwrap()
    };
    let output = run("0");
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(70), "{err}");
    assert!(
        err.contains("error: this is a bug of carrier: the cat is on the keyboard (tests/it/cli_process.rs:"),
        "{err}"
    );
    assert!(err.contains(env!("CARGO_PKG_VERSION")) && err.contains("please report"), "{err}");
    assert!(!err.contains("stack backtrace") && !err.contains("   0:"), "{err}");
    assert!(String::from_utf8(run("1").stderr).unwrap().contains("   0:"));
}
