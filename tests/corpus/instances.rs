//! Random instances of a structural schema.
