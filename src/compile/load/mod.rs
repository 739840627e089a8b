//! Loading: from source text to the objects it describes.

mod scalar;
pub mod suppress;
pub mod yaml;
