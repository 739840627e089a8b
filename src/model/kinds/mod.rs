//! The KubeCarrier kinds that people write, field for field (`kubecarrier.md`
//! §1.1–1.2), with carrier's documented additions marked as such.
//!
//! These types are the only description of the kinds: the CRDs, the JSON
//! Schemas for editors and the checks of the loader are generated from them.

pub mod catalog;
pub mod common;
pub mod derive;
pub mod service_cluster;
