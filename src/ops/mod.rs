//! What each command does, without the command line: plain options in, events and results out.
//!
//! Functions here read and write the repository, ask clusters and change them. They know no terminal, no
//! argument parser and no exit status, and their futures are `Send`, so that a long-running process can call
//! them as the command line does. What ends a command early is a typed result; `cli` decides what it means.

pub mod apply;
pub mod doctor;
pub mod error;
pub mod event;
pub mod get;
pub mod lock;
pub mod plan;
pub mod render;
pub mod repository;
pub mod survey;

pub use event::{Event, EventReceiver, Events};
pub use repository::Repository;

#[cfg(test)]
mod tests;
