//! Rendering: from compiled objects to the bytes of manifests.

pub mod file_name;
pub mod yaml;
