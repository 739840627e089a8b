//! The compiler: load → resolve → derive → render, each a pure function of the
//! one before it. Every stage reports all it finds wrong and goes on with the rest.

pub mod derive;
pub mod load;
pub mod render;
