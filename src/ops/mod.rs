//! What each command does, without the command line: plain options in, events and results out.
//!
//! Functions here read and write the repository, ask clusters and change them. They know no terminal, no
//! argument parser and no exit status, and their futures are `Send`, so that a long-running process can call
//! them as the command line does. What ends a command early is a typed result; `cli` decides what it means.

pub(crate) mod apply;
pub(crate) mod approve;
pub(crate) mod copies;
pub(crate) mod doctor;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod get;
pub(crate) mod lock;
pub(crate) mod plan;
pub(crate) mod random;
mod reach;
pub(crate) mod render;
pub(crate) mod repository;
mod schema_words;
pub(crate) mod survey;
pub(crate) mod synced;

pub(crate) use event::{Event, EventReceiver, Events};
pub(crate) use repository::Repository;

#[cfg(test)]
mod tests;
