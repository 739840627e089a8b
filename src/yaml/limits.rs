//! The limits of a text, which bound the time and the memory that parsing it takes.

/// The limit of the size of a text, in bytes.
pub(crate) const MAX_BYTES: usize = 32 * 1024 * 1024;
/// The limit of the nesting of lists and mappings, with aliases expanded.
pub const MAX_DEPTH: usize = 128;
/// The limit of values in one file. Repetitions by aliases have [`MAX_ALIAS_NODES`].
pub(crate) const MAX_NODES: usize = 1_000_000;
/// The limit of values that the aliases of one file repeat.
pub(crate) const MAX_ALIAS_NODES: usize = 250_000;
/// The limit of the strings that the aliases of one file repeat, in bytes.
pub(crate) const MAX_ALIAS_BYTES: usize = 32 * 1024 * 1024;

/// The remaining budget of a file; each field counts down from its limit here.
pub(super) struct Limits {
    pub(super) nodes: usize,
    pub(super) alias_nodes: usize,
    pub(super) alias_bytes: usize,
}
