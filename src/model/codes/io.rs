//! `CAR00xx`: Files, folders and configuration.

use super::Code;
use crate::model::diagnostic::Severity;

/// The codes of this file, in order.
pub static ALL: &[&Code] =
    &[&UNREADABLE, &NOT_UTF8, &FILE_TOO_LARGE, &LEAVES_REPOSITORY, &LINK_LOOP, &BAD_IGNORE, &FILE_NAME, &TOO_MANY];

/// A file or folder cannot be read.
pub static UNREADABLE: Code = Code {
    id: "CAR0001",
    severity: Severity::Error,
    title: "a file or folder cannot be read",
    explanation: "\
The operating system refused to open it. Because it might hold an object that others refer
to, nothing is written until it can be read. Fix its permissions, remove it, or list it in
`.carrierignore`.
",
};

/// A file is not UTF-8.
pub static NOT_UTF8: Code = Code {
    id: "CAR0002",
    severity: Severity::Error,
    title: "a file is not UTF-8",
    explanation: "\
Kubernetes reads UTF-8 only. Save the file again as UTF-8; files of an editor set to
Latin-1 or UTF-16 look right there and still are not. If it is no YAML for carrier, list it
in `.carrierignore`.
",
};

/// A file beyond the size limit.
pub static FILE_TOO_LARGE: Code = Code {
    id: "CAR0003",
    severity: Severity::Error,
    title: "a file is too large",
    explanation: "\
carrier reads files of up to 32 MiB and 512 MiB in all. Split the file at a `---`, or list
it in `.carrierignore` if it is none of carrier's.
",
};

/// A symbolic link leads out of the repository.
pub static LEAVES_REPOSITORY: Code = Code {
    id: "CAR0004",
    severity: Severity::Error,
    title: "a link leads out of the repository",
    explanation: "\
The symbolic link ends outside the folder of `carrier.yaml`, or nowhere. What it leads to
differs from machine to machine and is in no commit, so it is not read. Copy the files into
the repository, or list the link in `.carrierignore`.
",
};

/// A symbolic link to a folder above itself.
pub static LINK_LOOP: Code = Code {
    id: "CAR0005",
    severity: Severity::Error,
    title: "a link leads to a folder of the repository",
    explanation: "\
A symbolic link to a folder would bring the same objects in twice, or without end. Links to
single files of the repository are followed, links to folders are not. Remove the link, or
list it in `.carrierignore`.
",
};

/// A line of an ignore file is no pattern.
pub static BAD_IGNORE: Code = Code {
    id: "CAR0006",
    severity: Severity::Warning,
    title: "a line of an ignore file cannot be understood",
    explanation: "\
A line of `.gitignore` or `.carrierignore` is no valid pattern and has no effect. The
syntax is that of git.

Bad:

    charts/[c-a]*

Good:

    charts/[a-c]*
",
};

/// A path that is no text.
pub static FILE_NAME: Code = Code {
    id: "CAR0007",
    severity: Severity::Error,
    title: "a file name that other machines cannot have",
    explanation: "\
The name is not UTF-8, or has a `\\` or a line break in it. Such a file cannot be checked out
on every machine, and messages about it could not be read. Rename it.
",
};

/// Too many files.
pub static TOO_MANY: Code = Code {
    id: "CAR0008",
    severity: Severity::Error,
    title: "too many files",
    explanation: "\
carrier reads up to 100,000 YAML files. Start it in the folder of `carrier.yaml`, and list
what is none of carrier's in `.carrierignore`.
",
};
