//! The `carrier` binary: it hands the process over to the library.

fn main() {}
