//! Resolving: what the loaded objects mean together.
//!
//! Evaluates selectors, follows references, builds names and checks their limits. The result lists the
//! services, the CRDs that they need of each cluster, and who is offered what. No CRD is known at this stage.

mod catalogs;
mod exposures;
mod names;
mod services;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::derive::exposure::Exposure;
use super::load::{Loaded, Object};
use crate::model::cluster::ClusterId;
use crate::model::diagnostic::Diagnostics;
use crate::model::kinds::{AccountRole, AccountSpec, CatalogEntrySetSpec, CatalogEntrySpec, CommonMetadata};
use crate::model::kinds::{CatalogSpec, ServiceClusterSpec};
use crate::model::source::Span;

/// The meaning of a repository. It borrows from the [`Loaded`] that it was resolved from.
#[derive(Debug, PartialEq)]
pub struct Resolved<'l> {
    /// The objects themselves.
    pub loaded: &'l Loaded,
    /// The accounts by name.
    pub accounts: BTreeMap<&'l str, &'l Object<AccountSpec>>,
    /// The service clusters whose provider exists.
    pub clusters: BTreeMap<ClusterId, &'l Object<ServiceClusterSpec>>,
    /// One service for each entry and cluster, sorted by cluster and entry.
    pub services: Vec<Service<'l>>,
    /// The services and tenants that each catalog selects.
    pub catalogs: Vec<CatalogOffers<'l>>,
    /// The labels that each provider has given each tenant.
    pub tenant_labels: BTreeMap<(&'l str, &'l str), &'l BTreeMap<String, String>>,
}

/// One service in one cluster: the object behind one CatalogEntry.
#[derive(Debug, Clone, PartialEq)]
pub struct Service<'l> {
    /// The service cluster that it runs in.
    pub cluster: ClusterId,
    /// The name of its CatalogEntry.
    pub entry: String,
    /// The labels of its CatalogEntry; catalogs select by them.
    pub labels: BTreeMap<String, String>,
    /// The object it comes from.
    pub origin: Origin<'l>,
    /// The CRD it is made of.
    pub base: Base,
    /// What tenants see of it; `None` for the whole internal CRD.
    pub exposure: Option<Exposure>,
}

/// The object that a service comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin<'l> {
    /// A CatalogEntrySet.
    Set(&'l Object<CatalogEntrySetSpec>),
    /// A CatalogEntry written by hand.
    Entry(&'l Object<CatalogEntrySpec>),
}

impl<'l> Origin<'l> {
    /// The metadata that tenants see.
    pub fn metadata(&self) -> &'l CommonMetadata {
        match self {
            Self::Set(set) => &set.spec.metadata,
            Self::Entry(entry) => &entry.spec.metadata,
        }
    }

    /// The object's name in diagnostics.
    pub fn id(&self) -> String {
        match self {
            Self::Set(set) => set.id(),
            Self::Entry(entry) => entry.id(),
        }
    }

    /// A place in the object.
    pub fn place(&self, pointer: &str) -> Span {
        match self {
            Self::Set(set) => set.place(pointer),
            Self::Entry(entry) => entry.place(pointer),
        }
    }
}

/// A reference to a CRD of a service cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The name in the reference.
    pub name: BaseName,
    /// The place of the reference.
    pub place: Span,
}

/// How a reference names a CRD of a service cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BaseName {
    /// By its full name, as a CatalogEntrySet does.
    Crd(String),
    /// By its plural: a CatalogEntry refers to the internal CRD, whose name tells no more.
    Plural(String),
}

impl BaseName {
    /// Whether it can refer to the CRD with this full name.
    #[must_use]
    pub fn is(&self, crd: &str) -> bool {
        match self {
            Self::Crd(name) => crd == name,
            Self::Plural(plural) => crd.split_once('.').is_some_and(|(p, _)| p == plural),
        }
    }
}

/// What one catalog offers, and to whom.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogOffers<'l> {
    /// The catalog.
    pub catalog: &'l Object<CatalogSpec>,
    /// The tenants it selects.
    pub tenants: BTreeSet<&'l str>,
    /// The services it selects, by their index in [`Resolved::services`].
    pub services: BTreeSet<usize>,
}

/// Resolves a loaded repository. Objects with dangling references are reported and left out.
pub(crate) fn resolve(loaded: &Loaded) -> (Resolved<'_>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let accounts: BTreeMap<&str, &Object<AccountSpec>> = loaded.accounts.iter().map(|a| (a.name.as_str(), a)).collect();
    let mut resolved = Resolved {
        loaded,
        accounts,
        clusters: BTreeMap::new(),
        services: Vec::new(),
        catalogs: Vec::new(),
        tenant_labels: BTreeMap::new(),
    };
    names::accounts(&resolved, &mut diagnostics);
    services::clusters(&mut resolved, &mut diagnostics);
    services::services(&mut resolved, &mut diagnostics);
    catalogs::tenants(&mut resolved, &mut diagnostics);
    catalogs::catalogs(&mut resolved, &mut diagnostics);
    (resolved, diagnostics)
}

impl<'l> Resolved<'l> {
    /// The accounts with this role.
    pub fn with_role(&self, role: AccountRole) -> impl Iterator<Item = &'l Object<AccountSpec>> + '_ {
        self.accounts.values().copied().filter(move |a| a.spec.roles.contains(&role))
    }

    /// The tenants that are offered something, each with the indices of its services.
    pub fn offers(&self) -> BTreeMap<&'l str, BTreeSet<usize>> {
        let mut offers: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for catalog in &self.catalogs {
            for tenant in &catalog.tenants {
                offers.entry(tenant).or_default().extend(&catalog.services);
            }
        }
        offers
    }

    /// The tenants that get a namespace in each cluster: those that are offered a service there.
    pub fn assignments(&self) -> BTreeMap<&ClusterId, BTreeSet<&'l str>> {
        let mut assignments: BTreeMap<&ClusterId, BTreeSet<&str>> = BTreeMap::new();
        for (tenant, services) in self.offers() {
            for index in services {
                assignments.entry(&self.services[index].cluster).or_default().insert(tenant);
            }
        }
        assignments
    }

    /// The CRDs that each cluster must have, with the lines that refer to them.
    pub fn wanted(&self) -> BTreeMap<&ClusterId, BTreeMap<&BaseName, Vec<Span>>> {
        let mut wanted: BTreeMap<&ClusterId, BTreeMap<&BaseName, Vec<Span>>> = BTreeMap::new();
        for service in &self.services {
            wanted.entry(&service.cluster).or_default().entry(&service.base.name).or_default().push(service.base.place);
        }
        wanted
    }
}
