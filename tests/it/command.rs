//! carrier run in the process of the test, and what it wrote.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use carrier::program::Env;
use carrier::program::Exit;
use carrier::program::Ui;

/// How a command ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Run {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Both streams and the exit status, as one text.
    pub(crate) fn transcript(&self) -> String {
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
pub(crate) fn carrier(directory: &Path, args: &[&str]) -> Run {
    carrier_as("carrier", directory, args)
}

/// The same, called by another name.
pub(crate) fn carrier_as(program: &str, directory: &Path, args: &[&str]) -> Run {
    let args: Vec<OsString> = std::iter::once(&program).chain(args).map(OsString::from).collect();
    let env = Env { directory: directory.to_owned(), ..Env::default() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = carrier::program::run(&args, &env, &mut Ui::new(&mut out, &mut err));
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run { exit, out: text(out), err: text(err) }
}

/// The text of every file below a folder, by its path from there.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}
