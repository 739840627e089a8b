//! Why a service has no route. Sync makes a condition of it, so each message says what is wrong and what to do.

use crate::model::path::{FieldPath, PathError};

/// Why the objects in the management cluster do not make a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// `spec.baseCRD` does not have the form `<plural>.internal.<cluster>.<provider>`.
    #[error("`{crd}` is not the name of an internal CRD")]
    NotInternal {
        /// The name in `spec.baseCRD`.
        crd: String,
    },
    /// The CatalogEntry names the internal CRD of another provider.
    #[error("the internal CRD `{crd}` belongs to `{owner}`, not to `{provider}`")]
    ForeignCrd {
        /// The internal CRD.
        crd: String,
        /// The provider in its name.
        owner: String,
        /// The provider in whose namespace the CatalogEntry is.
        provider: String,
    },
    /// The internal CRD is not in the management cluster.
    #[error("there is no internal CRD `{crd}`: render and apply again")]
    NoInternalCrd {
        /// Its full name.
        crd: String,
    },
    /// The CatalogEntry derives, and the derived CRD is not in the management cluster.
    #[error("there is no derived CRD `{crd}`: render and apply again")]
    NoDerivedCrd {
        /// Its full name.
        crd: String,
    },
    /// The internal CRD does not say what it is the copy of.
    #[error(
        "the internal CRD `{crd}` was rendered before it had the annotation `{annotation}`: render and apply again"
    )]
    RenderedBefore {
        /// Its full name.
        crd: String,
        /// The key of the missing annotation.
        annotation: &'static str,
    },
    /// An annotation of the internal CRD has a value that it cannot have.
    #[error("the annotation `{annotation}` of the internal CRD `{crd}` cannot be `{value}`: render and apply again")]
    InvalidAnnotation {
        /// Its full name.
        crd: String,
        /// The key of the annotation.
        annotation: &'static str,
        /// Its value.
        value: String,
    },
    /// A CRD is not one that carrier renders.
    #[error("the CRD `{crd}` {problem}: render and apply again")]
    InvalidCrd {
        /// Its full name.
        crd: String,
        /// What is wrong with it.
        problem: CrdProblem,
    },
    /// A CRD stores another version than the one that is copied. Statuses must be written in the stored version.
    #[error(
        "the CRD `{crd}` stores version `{stored}`, but instances are copied in `{copied}`: render and apply again"
    )]
    OtherVersion {
        /// Its full name.
        crd: String,
        /// The version that it stores.
        stored: String,
        /// The version of `carrier.kubecarrier.io/base-version`.
        copied: String,
    },
    /// No item of `spec.derive.expose` has the version that is copied.
    #[error("`spec.derive` does not expose version `{version}`, in which instances are copied")]
    VersionNotExposed {
        /// The version that is copied.
        version: String,
    },
    /// A path in `spec.derive` cannot be read.
    #[error("`{path}` in `spec.derive` is not a field path: {error}")]
    InvalidPath {
        /// The path.
        path: String,
        /// What is wrong with it.
        error: PathError,
    },
    /// The internal CRD does not have what `spec.derive` names.
    #[error("`spec.derive` does not fit the internal CRD `{crd}`: {}", problems.join("; "))]
    ExposureUnfit {
        /// Its full name.
        crd: String,
        /// What does not fit, one sentence each.
        problems: Vec<String>,
    },
    /// The derived CRD was made from another exposure. While it is in force, a field would be settable and not copied,
    /// or copied and not settable.
    #[error("the derived CRD `{crd}` and `spec.derive` disagree about `{field}`: render and apply again")]
    OutOfStep {
        /// Its full name.
        crd: String,
        /// The first field that only one of the two has.
        field: FieldPath,
    },
}

/// What is wrong with a CRD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CrdProblem {
    /// Its group, plural, kind or stored version is missing, or its name is not made of group and plural.
    #[error("is incomplete")]
    Incomplete,
    /// Its objects are in no namespace.
    #[error("is cluster-scoped")]
    ClusterScoped,
    /// The stored version is not served, so it can be neither read nor written.
    #[error("does not serve the version that it stores")]
    NotServed,
    /// The stored version has no schema.
    #[error("has no schema")]
    NoSchema,
    /// The status is not a subresource.
    #[error("has no status subresource")]
    NoStatusSubresource,
}
