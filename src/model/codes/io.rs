//! `CAR0001`–`CAR0019`: files and folders.

use super::Code;
use crate::model::codes::Severity;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[
    &UNREADABLE,
    &NOT_UTF8,
    &FILE_TOO_LARGE,
    &LEAVES_REPOSITORY,
    &LINK_LOOP,
    &BAD_IGNORE,
    &FILE_NAME,
    &TOO_MANY,
    &RENDERED,
    &NOT_READ,
];

/// A file or folder cannot be read.
pub static UNREADABLE: Code = Code {
    id: "CAR0001",
    severity: Severity::Error,
    title: "a file or folder cannot be read",
    explanation: "\
The operating system denies access. The file might contain an object that others refer to,
so nothing is written until it can be read. Fix its permissions, remove it, or list it in
`.carrierignore`.
",
};

/// A file is not UTF-8.
pub static NOT_UTF8: Code = Code {
    id: "CAR0002",
    severity: Severity::Error,
    title: "a file is not UTF-8",
    explanation: "\
Kubernetes reads UTF-8 only. Save the file as UTF-8; an editor set to Latin-1 or UTF-16
shows its own files correctly. If the file is not meant for carrier, list it in
`.carrierignore`.
",
};

/// A file exceeds the size limit.
pub static FILE_TOO_LARGE: Code = Code {
    id: "CAR0003",
    severity: Severity::Error,
    title: "a file is too large",
    explanation: "\
carrier reads files of up to 32 MiB, and 512 MiB in total. Split the file at a `---`, or
list it in `.carrierignore` if it is not meant for carrier.
",
};

/// A symbolic link points outside the repository.
pub static LEAVES_REPOSITORY: Code = Code {
    id: "CAR0004",
    severity: Severity::Error,
    title: "a symbolic link points outside the repository",
    explanation: "\
The target of the symbolic link is outside the folder of `carrier.yaml`, or does not exist.
The content of such a target differs between machines and is not in any commit, so it is not
read. Copy the files into the repository, or list the link in `.carrierignore`.
",
};

/// A symbolic link points to a folder.
pub static LINK_LOOP: Code = Code {
    id: "CAR0005",
    severity: Severity::Error,
    title: "a symbolic link points to a folder of the repository",
    explanation: "\
Following a symbolic link to a folder would read the same objects twice, or without end.
Links to single files of the repository are followed, links to folders are not. Remove the
link, or list it in `.carrierignore`.
",
};

/// A line of an ignore file is not a valid pattern.
pub static BAD_IGNORE: Code = Code {
    id: "CAR0006",
    severity: Severity::Warning,
    title: "a line of an ignore file is not a valid pattern",
    explanation: "\
A line of `.gitignore` or `.carrierignore` is not a valid pattern and has no effect. The
syntax is that of git.

Bad:

    charts/[c-a]*

Good:

    charts/[a-c]*
",
};

/// A file name is not portable.
pub static FILE_NAME: Code = Code {
    id: "CAR0007",
    severity: Severity::Error,
    title: "a file name is not portable",
    explanation: "\
The name is not UTF-8, or contains a `\\` or a line break. Such a file cannot be checked out
on every operating system, and messages about it would be unreadable. Rename it.
",
};

/// The repository has too many files.
pub static TOO_MANY: Code = Code {
    id: "CAR0008",
    severity: Severity::Error,
    title: "too many files",
    explanation: "\
carrier reads up to 100,000 YAML files. Start it in the folder of `carrier.yaml`, and list
files that are not meant for carrier in `.carrierignore`.
",
};

/// A folder is not read because carrier wrote it.
pub static RENDERED: Code = Code {
    id: "CAR0009",
    severity: Severity::Info,
    title: "a folder that carrier rendered is not read",
    explanation: "\
A folder that holds a file `.carrier-manifest.json` was written by `carrier render`: the file
lists what carrier wrote there. Such a folder is output, so no source is read in it or below
it. For the folder `output` of `carrier.yaml` this is not said. If the folder holds sources,
delete its `.carrier-manifest.json`.
",
};

/// A YAML file in a rendered folder is not one that carrier wrote.
pub static NOT_READ: Code = Code {
    id: "CAR0010",
    severity: Severity::Warning,
    title: "a file in a rendered folder is not read",
    explanation: "\
The YAML file is in a folder with a `.carrier-manifest.json`, or below one, and the manifest
does not list it. carrier does not read sources in a folder that it wrote, so the objects in
the file are not part of the repository. Move the file out of the folder. If carrier does not
write the folder, delete its `.carrier-manifest.json`.
",
};
