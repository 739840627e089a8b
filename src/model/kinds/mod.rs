//! The KubeCarrier kinds with all of their fields (`kubecarrier.md` §1.1–1.2). Fields that
//! carrier adds are documented as additions.
//!
//! These types are the single definition of the kinds: the CRDs ([`crd`]), the JSON Schemas
//! for editors ([`editor`]) and the checks of the loader (with [`structural`]) are generated
//! from them, so they always agree.

pub mod account;
pub mod catalog;
pub mod common;
pub mod crd;
pub mod derive;
pub mod editor;
pub mod offering;
pub mod selector;
pub mod service_cluster;
pub mod status;
pub mod structural;
pub mod table;

pub use account::{AccountRole, AccountSpec, AccountStatus, Subject, SubjectKind, TenantSpec};
pub use catalog::{
    CatalogEntrySetSpec, CatalogEntrySetStatus, CatalogEntrySpec, CatalogEntryStatus, CatalogSpec, CatalogStatus,
    DiscoverConfig, WebhookStrategy,
};
pub use common::{CommonMetadata, Image, ObjectReference};
pub use derive::{DeriveConfig, FieldPathRef, FieldValue, VersionExpose};
pub use offering::{CrdInformation, CrdVersion, OfferingSpec, ProviderSpec, RegionSpec};
pub use selector::{LabelSelector, LabelSelectorRequirement, SelectorOperator};
pub use service_cluster::{
    ServiceClusterAssignmentSpec, ServiceClusterAssignmentStatus, ServiceClusterMetadata, ServiceClusterSpec,
    ServiceClusterStatus, VersionInfo,
};
pub use status::{Condition, ConditionStatus, HeartbeatCondition};
pub use table::{KINDS, Kind, KindInfo, Scope};
