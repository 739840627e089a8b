//! Rendering: from compiled objects to the bytes of manifests.

pub mod yaml;
