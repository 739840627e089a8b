//! A document: one tree, and the source that it comes from. The first of the two steps of
//! loading makes documents; what follows does not ask whether there was a text.

use crate::model::source::{FileId, SourceFile};
use crate::yaml::tree::Node;

/// One document of a file, or one object of an API server.
#[derive(Debug, Clone)]
pub(super) struct Document<'a> {
    /// Its value.
    pub root: Node,
    /// Whether every value in it was understood, see [`crate::yaml::Document::sound`].
    pub sound: bool,
    /// The source that the spans in it refer to.
    pub id: FileId,
    /// The source itself.
    pub origin: Origin<'a>,
}

/// The source of a document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin<'a> {
    /// A file.
    File(&'a SourceFile),
    /// An object of an API server.
    Api,
}

impl<'a> Origin<'a> {
    /// The text that its spans cut; empty for an API object.
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::File(file) => &file.text,
            Self::Api => "",
        }
    }

    /// The path of the file; `None` for an API object.
    pub(super) fn path(self) -> Option<&'a str> {
        match self {
            Self::File(file) => Some(&file.path),
            Self::Api => None,
        }
    }

    /// Whether an API server answered it. Then its status and the server's own metadata belong there.
    pub(super) fn is_live(self) -> bool {
        matches!(self, Self::Api)
    }
}
