//! The route of a service: the three kinds between which its instances are copied, the copying rules, and what the
//! statuses can hold.
//!
//! A route is made by the compiler, of the CRDs that it has just made, and from the objects in the management cluster
//! alone, where sync has nothing else ([`ServiceRoute::new`]). Both are equal, which a test shows.

pub(crate) mod error;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use error::{CrdProblem, RouteError};

use super::derive::Derived;
use super::derive::contract::{Conditions, StatusContract, Unfit};
use super::derive::exposure::{ExposeItem, Report};
use super::derive::names::CrdNames;
use super::derive::projection::Projection;
use super::derive::select::ALWAYS;
use super::derive::selection::Selection;
use super::derive::source::{SourceCrd, SourceVersion};
use super::schema;
use crate::model::cluster::ClusterId;
use crate::model::crd;
use crate::model::diagnostic::{Diagnostics, Severity};
use crate::model::keys::{self, annotation};
use crate::model::kinds::{CatalogEntrySpec, DeriveConfig};
use crate::model::path::{Exposed, FieldPath, PathSet, Segment};
use crate::model::resource::Resource;

/// How the instances of one service in one cluster are copied.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceRoute {
    /// The service cluster.
    pub cluster: ClusterId,
    /// The kind that tenants use, in the version that is copied: the derived one, or the internal one where nothing is
    /// derived.
    pub tenant: Resource,
    /// The full copy in the management cluster.
    pub internal: Resource,
    /// The kind in the service cluster. It is namespaced, as every kind that can be offered.
    pub base: Resource,
    /// Whether the status is a subresource in the service cluster. If not, a change of the status alone raises
    /// `metadata.generation` there.
    pub base_status_subresource: bool,
    /// The copying rules between the tenant and the internal object; [`Projection::everything`] where nothing is
    /// derived. Between the internal and the service object everything is copied.
    pub projection: Arc<Projection>,
    /// What the status of a tenant object can hold.
    pub tenant_status: StatusContract,
    /// What the status of an internal object can hold.
    pub internal_status: StatusContract,
}

/// How the condition `Synced` stands in the status of a tenant object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Synced<'r> {
    /// In a list in which nothing of the service's is shown.
    Alone(&'r Conditions),
    /// In a list beside the service's own conditions.
    Merged(&'r Conditions),
}

/// The full names of the CRDs that a route is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteCrds {
    /// The service cluster in their names.
    pub cluster: ClusterId,
    /// The internal CRD.
    pub internal: String,
    /// The derived CRD, where the entry derives.
    pub derived: Option<String>,
}

impl RouteCrds {
    /// The CRDs of an entry of `provider`, in whose namespace the CatalogEntry is.
    ///
    /// # Errors
    /// [`RouteError::NotInternal`] and [`RouteError::ForeignCrd`]: a provider may write any name into an entry.
    pub fn of(provider: &str, entry: &CatalogEntrySpec) -> Result<Self, RouteError> {
        let internal = entry.base_crd.name.clone();
        let parts: Vec<&str> = internal.split('.').collect();
        let [plural, "internal", cluster, owner] = parts[..] else {
            return Err(RouteError::NotInternal { crd: internal });
        };
        if owner != provider {
            let (owner, provider) = (owner.to_owned(), provider.to_owned());
            return Err(RouteError::ForeignCrd { crd: internal, owner, provider });
        }
        let cluster = ClusterId::new(provider, cluster);
        let derived = entry.derive.as_ref().map(|derive| {
            let plural = derive.plural.as_deref().unwrap_or(plural);
            format!("{plural}.{}", cluster.derived_group())
        });
        Ok(Self { cluster, internal, derived })
    }

    /// The CRDs of a CatalogEntry as an API server has it, with its spec; `None` where it names none.
    #[must_use]
    pub fn read(provider: &str, entry: &Value) -> Option<(Self, CatalogEntrySpec)> {
        let spec: CatalogEntrySpec = serde_json::from_value(entry.get("spec")?.clone()).ok()?;
        Some((Self::of(provider, &spec).ok()?, spec))
    }

    /// The CRD that tenants use.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.derived.as_deref().unwrap_or(&self.internal)
    }
}

impl ServiceRoute {
    /// The route of a CatalogEntry in the namespace `provider`, from the CRDs as they are in the management cluster.
    /// `crd` finds them by the full names that [`RouteCrds::of`] gives.
    ///
    /// # Errors
    /// A CRD is missing, was rendered before it had the annotations, or does not fit the entry.
    pub fn new<'c>(
        provider: &str,
        entry: &CatalogEntrySpec,
        crd: impl Fn(&str) -> Option<&'c Value>,
    ) -> Result<Self, RouteError> {
        let RouteCrds { cluster, internal, derived } = RouteCrds::of(provider, entry)?;
        let Some(found) = crd(&internal) else { return Err(RouteError::NoInternalCrd { crd: internal }) };
        let internal = Served::read(found, &internal)?;
        let base = base(found, &internal)?;
        let tenant = match (derived, &entry.derive) {
            (Some(name), Some(derive)) => {
                let Some(found) = crd(&name) else { return Err(RouteError::NoDerivedCrd { crd: name }) };
                let derived = Served::read(found, &name)?;
                derived.stores(&base.version, &name)?;
                let projection = projection(derive, &internal, &derived)?;
                Some((derived, Arc::new(projection)))
            }
            _ => None,
        };
        let subresource = annotation(found, keys::BASE_STATUS_SUBRESOURCE) != Some("false");
        Ok(Self::between(cluster, base, subresource, internal, tenant))
    }

    /// The route of a service whose CRDs the compiler has just made: `internal` with the names `names`, and `derived`.
    #[must_use]
    pub fn compiled(
        cluster: &ClusterId,
        (source, version): (&SourceCrd, &SourceVersion),
        (internal, names): (&Value, &CrdNames),
        derived: Option<&Derived>,
    ) -> Self {
        let resource = |group: &str, kind: &str, plural: &str| Resource::new(group, &version.name, kind, plural, true);
        let internal = Served {
            resource: resource(&cluster.internal_group(), &names.kind, &names.plural),
            root: crd::stored(internal).and_then(crd::Version::schema).unwrap_or(&Value::Null),
        };
        let tenant = derived.map(|derived| {
            let served = Served {
                resource: resource(&cluster.derived_group(), &derived.kind, &derived.plural),
                root: crd::stored(&derived.crd).and_then(crd::Version::schema).unwrap_or(&Value::Null),
            };
            (served, Arc::clone(&derived.projection))
        });
        let base = resource(&source.group, &source.kind, &source.plural);
        Self::between(cluster.clone(), base, version.subresources.status, internal, tenant)
    }

    fn between(
        cluster: ClusterId,
        base: Resource,
        base_status_subresource: bool,
        internal: Served<'_>,
        tenant: Option<(Served<'_>, Arc<Projection>)>,
    ) -> Self {
        let (tenant, projection) = tenant.unwrap_or_else(|| (internal.clone(), Arc::new(Projection::everything())));
        Self {
            cluster,
            tenant_status: StatusContract::of(tenant.root),
            internal_status: StatusContract::of(internal.root),
            tenant: tenant.resource,
            internal: internal.resource,
            base,
            base_status_subresource,
            projection,
        }
    }

    /// Whether tenants use a kind of their own. If not, their objects are the internal ones.
    #[must_use]
    pub fn derives(&self) -> bool {
        self.tenant != self.internal
    }

    /// How the condition `Synced` stands in the status of a tenant object.
    ///
    /// # Errors
    /// It does not fit, and why.
    pub fn synced(&self) -> Result<Synced<'_>, Unfit> {
        let conditions = self.tenant_status.conditions.as_ref().map_err(|unfit| *unfit)?;
        let shown = match self.projection.up.property("status") {
            Exposed::Hidden => false,
            Exposed::Whole => true,
            Exposed::Partial(status) => status.property("conditions") != Exposed::Hidden,
        };
        Ok(if shown { Synced::Merged(conditions) } else { Synced::Alone(conditions) })
    }
}

/// A kind in the version that its CRD stores, and the root schema of that version.
#[derive(Clone)]
struct Served<'c> {
    resource: Resource,
    root: &'c Value,
}

impl<'c> Served<'c> {
    fn read(body: &'c Value, name: &str) -> Result<Self, RouteError> {
        let invalid = |problem| RouteError::InvalidCrd { crd: name.to_owned(), problem };
        let incomplete = || invalid(CrdProblem::Incomplete);
        let resource = Resource::defined_by(body).filter(|r| r.full_name() == name).ok_or_else(incomplete)?;
        if !resource.namespaced {
            return Err(invalid(CrdProblem::ClusterScoped));
        }
        let version = crd::stored(body).ok_or_else(incomplete)?;
        if !version.is_served() {
            return Err(invalid(CrdProblem::NotServed));
        }
        if version.subresource("status").is_none() {
            return Err(invalid(CrdProblem::NoStatusSubresource));
        }
        let root = version.schema().filter(|root| root.is_object()).ok_or_else(|| invalid(CrdProblem::NoSchema))?;
        Ok(Self { resource, root })
    }

    fn stores(&self, copied: &str, name: &str) -> Result<(), RouteError> {
        if self.resource.version == copied {
            return Ok(());
        }
        let stored = self.resource.version.clone();
        Err(RouteError::OtherVersion { crd: name.to_owned(), stored, copied: copied.to_owned() })
    }
}

/// The kind in the service cluster, as the internal CRD names it.
fn base(crd: &Value, internal: &Served<'_>) -> Result<Resource, RouteError> {
    let name = internal.resource.full_name();
    let read = |key: &'static str| match annotation(crd, key) {
        Some("") => Err(RouteError::InvalidAnnotation { crd: name.clone(), annotation: key, value: String::new() }),
        Some(value) => Ok(value),
        None => Err(RouteError::RenderedBefore { crd: name.clone(), annotation: key }),
    };
    let (full, kind, version) = (read(keys::BASE_CRD)?, read(keys::BASE_KIND)?, read(keys::BASE_VERSION)?);
    let Some((plural, group)) = full.split_once('.').filter(|(plural, group)| !plural.is_empty() && !group.is_empty())
    else {
        let value = full.to_owned();
        return Err(RouteError::InvalidAnnotation { crd: name, annotation: keys::BASE_CRD, value });
    };
    internal.stores(version, &name)?;
    Ok(Resource::new(group, version, kind, plural, true))
}

/// The copying rules that an entry asks for.
fn projection(derive: &DeriveConfig, internal: &Served<'_>, derived: &Served<'_>) -> Result<Projection, RouteError> {
    let (crd, version) = (internal.resource.full_name(), &internal.resource.version);
    let item = derive.expose.iter().find(|item| item.versions.contains(version));
    let item = item.ok_or_else(|| RouteError::VersionNotExposed { version: version.clone() })?;
    let item = ExposeItem::without_places(item).map_err(|(path, error)| RouteError::InvalidPath { path, error })?;
    let mut diagnostics = Diagnostics::default();
    let mut report = Report { item: &item, object: &crd, diagnostics: &mut diagnostics };
    let selection = Selection::of(internal.root, &mut report);
    let errors = diagnostics.into_sorted().into_iter().filter(|d| d.severity == Severity::Error);
    let problems: Vec<String> = errors.map(|d| d.message).collect();
    if !problems.is_empty() {
        return Err(RouteError::ExposureUnfit { crd, problems });
    }
    match out_of_step(derived.root, &selection.set, &mut FieldPath::default()) {
        Some(field) => Err(RouteError::OutOfStep { crd: derived.resource.full_name(), field }),
        None => Ok(selection.projection(internal.root)),
    }
}

/// The first field that only one of a derived schema and a set of exposed paths has. Below a field that is exposed
/// whole nothing is compared.
fn out_of_step(node: &Value, set: &PathSet, at: &mut FieldPath) -> Option<FieldPath> {
    for (segment, child) in schema::children(node) {
        let exposed = set.child(&segment);
        at.0.push(segment);
        let found = match exposed {
            Exposed::Hidden => (!is_always_there(at)).then(|| at.clone()),
            Exposed::Whole => None,
            Exposed::Partial(below) => out_of_step(child, below, at),
        };
        if found.is_some() {
            return found;
        }
        at.0.pop();
    }
    let lacks = |segment: &&Segment| match segment {
        Segment::Property(name) => {
            schema::property(node, name).is_none() && !(at.0.is_empty() && ALWAYS.contains(&name.as_str()))
        }
        Segment::Items => schema::items(node).is_none(),
        Segment::Values => schema::values(node).is_none(),
    };
    set.children().map(|(segment, _)| segment).find(lacks).map(|segment| at.with(segment.clone()))
}

/// Whether every derived schema has the field: those of every object, and what the status contract adds.
fn is_always_there(path: &FieldPath) -> bool {
    let names = path.segments().iter().map(|segment| match segment {
        Segment::Property(name) => name.as_str(),
        Segment::Items | Segment::Values => "",
    });
    match names.collect::<Vec<_>>()[..] {
        [root] => root == "status" || ALWAYS.contains(&root),
        ["status", field] => matches!(field, "conditions" | "observedGeneration"),
        _ => false,
    }
}
