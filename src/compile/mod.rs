//! The compiler: load → resolve → build → render, each a pure function of the
//! one before it. Every stage reports all it finds wrong and goes on with the rest.

pub mod build;
pub mod compiled;
pub mod derive;
pub mod discovered;
pub mod fields;
pub mod load;
pub mod locking;
pub mod render;
pub mod resolve;
