//! What the tests share: golden files and carrier run in the process.

#![allow(dead_code, reason = "every test binary takes what it needs")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects by unwrapping")]

pub mod documents;

pub mod example;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use carrier::cli::env::Env;
use carrier::cli::exit::Exit;
use carrier::cli::ui::Ui;

/// A path in the package.
pub fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Holds `actual` against the file at `path` in the package. With
/// `CARRIER_UPDATE=1` in the environment the file is written instead.
pub fn golden(path: &str, actual: &str) {
    let file = package(path);
    if std::env::var_os("CARRIER_UPDATE").is_some_and(|v| v == "1") {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, actual).unwrap();
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    if expected != actual {
        let diff = similar::TextDiff::from_lines(expected.as_str(), actual);
        panic!(
            "{path} differs from what carrier does now; CARRIER_UPDATE=1 rewrites it\n{}",
            diff.unified_diff().context_radius(2).header("the file", "now")
        );
    }
}

/// How a command ended and what it wrote.
#[derive(Debug)]
pub struct Run {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Both streams and the exit status, as one text.
    pub fn transcript(&self) -> String {
        let mut text = String::new();
        for (name, stream) in [("stdout", &self.out), ("stderr", &self.err)] {
            if !stream.is_empty() {
                writeln!(text, "--- {name}\n{}", stream.trim_end_matches('\n')).unwrap();
            }
        }
        text + &format!("--- exit {}\n", self.exit.number())
    }
}

/// Runs carrier with `args` (without the program's name) in `directory`.
pub fn carrier(directory: &Path, args: &[&str]) -> Run {
    carrier_as("carrier", directory, args)
}

/// The same, called by another name.
pub fn carrier_as(program: &str, directory: &Path, args: &[&str]) -> Run {
    let args: Vec<OsString> = std::iter::once(&program).chain(args).map(OsString::from).collect();
    let env = Env { directory: directory.to_owned(), ..Env::default() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = carrier::cli::run(&args, &env, &mut Ui::new(&mut out, &mut err));
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run { exit, out: text(out), err: text(err) }
}
