//! Names of clusters and the API groups that follow from them.

use std::fmt;
use std::str::FromStr;

/// A service cluster and the provider it belongs to, written `provider/cluster`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId {
    /// The name of the provider's account, which is the namespace of the ServiceCluster.
    pub provider: String,
    /// The name of the ServiceCluster.
    pub cluster: String,
}

impl ClusterId {
    /// The cluster `cluster` of `provider`; the names are not checked.
    pub fn new(provider: impl Into<String>, cluster: impl Into<String>) -> Self {
        Self { provider: provider.into(), cluster: cluster.into() }
    }

    /// The API group of the internal CRDs of its services: `internal.<cluster>.<provider>`.
    #[must_use]
    pub fn internal_group(&self) -> String {
        format!("internal.{}.{}", self.cluster, self.provider)
    }

    /// The API group of the CRDs that tenants use: `<cluster>.<provider>`.
    #[must_use]
    pub fn derived_group(&self) -> String {
        format!("{}.{}", self.cluster, self.provider)
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.cluster)
    }
}

/// The cluster that an object is applied to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The management cluster.
    Management,
    /// A service cluster.
    Service(ClusterId),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Management => f.write_str("management"),
            Self::Service(id) => id.fmt(f),
        }
    }
}

/// A text is not of the form `provider/cluster`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form PROVIDER/CLUSTER")]
pub struct NotAClusterId(String);

impl FromStr for ClusterId {
    type Err = NotAClusterId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((provider, cluster)) if !provider.is_empty() && !cluster.is_empty() && !cluster.contains('/') => {
                Ok(Self::new(provider, cluster))
            }
            _ => Err(NotAClusterId(text.to_owned())),
        }
    }
}
