//! Every diagnostic the compiler can give: its code, its severity, and the text
//! of `carrier explain`.
//!
//! One file a range (`cli.md` §4.2): `CAR00xx` files and configuration, `01xx`
//! YAML, `02xx` objects and references, `03xx` deriving, `05xx` lock, `06xx`
//! clusters, `08xx` secrets. A code is never used again for something else.

pub mod cluster;
pub mod config;
pub mod derivation;
pub mod io;
pub mod lock;
pub mod object;
pub mod reference;
pub mod secret;
pub mod yaml;

/// The severity of a diagnostic, ordered from most to least severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The input cannot be compiled; nothing is written.
    Error,
    /// The input compiles, but the result may not be the intended one.
    Warning,
    /// Information that needs no action.
    Info,
}

/// What a kind of diagnostic is, wherever it arises.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable name, `CAR` and four digits.
    pub id: &'static str,
    /// How bad it is, unless the place says otherwise.
    pub severity: Severity,
    /// One line, lower case, no trailing dot.
    pub title: &'static str,
    /// The text of `carrier explain`: what it means, why it matters, how to fix it.
    pub explanation: &'static str,
}

impl Code {
    /// How to fix it, in one sentence: the explanation behind `Fix:`.
    #[must_use]
    pub fn fix(&self) -> String {
        let text = self.explanation.split_once("Fix:").map_or(self.title, |(_, fix)| fix);
        let sentence = text.split("\n\n").next().unwrap_or(text);
        sentence.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
    }
}

/// All codes in order.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [
        io::ALL,
        config::ALL,
        yaml::ALL,
        object::ALL,
        reference::ALL,
        derivation::ALL,
        lock::ALL,
        cluster::ALL,
        secret::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The code with this id, in any letter case.
#[must_use]
pub fn find(id: &str) -> Option<&'static Code> {
    all().find(|c| c.id.eq_ignore_ascii_case(id))
}
