//! The KubeCarrier kinds with all of their fields (`kubecarrier.md` §1.1–1.2). Fields that
//! carrier adds are documented as additions.
//!
//! These types are the single definition of the kinds: the CRDs ([`crd`]), the JSON Schemas
//! for editors ([`editor`]) and the checks of the loader (with [`structural`]) are generated
//! from them, so they always agree.

pub(crate) mod account;
pub(crate) mod catalog;
pub(crate) mod common;
pub(crate) mod crd;
pub(crate) mod deletion;
pub(crate) mod derive;
pub(crate) mod editor;
pub(crate) mod offering;
pub(crate) mod propagate;
pub(crate) mod selector;
pub(crate) mod service_cluster;
pub(crate) mod status;
pub(crate) mod structural;
pub mod table;

pub(crate) use account::{AccountRole, AccountSpec, Subject, SubjectKind, TenantSpec};
pub(crate) use catalog::{CatalogEntrySetSpec, CatalogEntrySpec, CatalogSpec};
pub(crate) use common::{CommonMetadata, ObjectReference};
pub(crate) use deletion::DeletionPolicyConfig;
pub(crate) use derive::{DeriveConfig, FieldValue, VersionExpose};
pub(crate) use offering::{CrdInformation, CrdVersion, OfferingSpec, ProviderSpec, RegionSpec};
pub(crate) use propagate::PropagateConfig;
pub(crate) use selector::{LabelSelector, SelectorOperator};
pub(crate) use service_cluster::{ServiceClusterAssignmentSpec, ServiceClusterSpec};
pub(crate) use table::Kind;
