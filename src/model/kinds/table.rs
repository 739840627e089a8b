//! The table of the kinds: names, scope, columns (`kubecarrier.md` §1.1–1.2).
//!
//! It describes a kind to code that does not know its Rust type; [`Kind`] maps the type
//! of a spec to its row.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{account, catalog, offering, service_cluster};

/// The API group of accounts, catalogs and the objects that tenants see.
pub const CATALOG_GROUP: &str = "catalog.kubecarrier.io";
/// The API group of service clusters and assignments.
pub const CORE_GROUP: &str = "kubecarrier.io";
/// The API group of KubeCarrier's operator, which carrier does not use.
pub const OPERATOR_GROUP: &str = "operator.kubecarrier.io";
/// The version of all kinds; there is no other.
pub const VERSION: &str = "v1alpha1";

/// The scope of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Cluster-scoped: objects have no namespace.
    Cluster,
    /// Objects are in namespaces.
    Namespaced,
}

/// The rule for the names of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// A DNS label, because the name becomes a namespace or a part of API groups.
    Label,
    /// A DNS subdomain, as for every custom resource.
    Subdomain,
}

/// A printer column of `kubectl get`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub name: &'static str,
    /// `string` or `date`.
    pub type_: &'static str,
    /// The path of the value in the object.
    pub json_path: &'static str,
}

/// A function that adds a type to a schema generator and returns its schema.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The properties of one kind.
#[derive(Debug)]
pub struct KindInfo {
    /// API group.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Plural in lower case, as in API paths.
    pub plural: &'static str,
    /// Singular in lower case.
    pub singular: &'static str,
    /// Short names for `kubectl get`.
    pub short_names: &'static [&'static str],
    /// Categories for `kubectl get`.
    pub categories: &'static [&'static str],
    /// Whether its objects are in namespaces.
    pub scope: Scope,
    /// The rule for the names of its objects.
    pub name_rule: NameRule,
    /// Whether users write objects of the kind; if not, only carrier does.
    pub authored: bool,
    /// The printer columns of `kubectl get`.
    pub columns: &'static [Column],
    /// A description in one sentence, shown by `kubectl explain`.
    pub summary: &'static str,
    /// Schema of `spec`.
    pub spec: SchemaOf,
    /// Schema of `status`; `None` for a kind without one.
    pub status: Option<SchemaOf>,
    /// CEL rules on the whole object: rule and message.
    pub rules: &'static [(&'static str, &'static str)],
}

impl KindInfo {
    /// `group/version`, the value of `apiVersion`.
    #[must_use]
    pub fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    /// Whether its objects have a `status` and the status subresource.
    #[must_use]
    pub fn has_status(&self) -> bool {
        self.status.is_some()
    }

    /// Whether its objects are in namespaces.
    #[must_use]
    pub fn namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }

    /// The kind with its article, for sentences: `an Account`.
    #[must_use]
    pub fn with_article(&self) -> String {
        let article = if self.kind.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
        format!("{article} {}", self.kind)
    }

    /// The name of its CRD.
    #[must_use]
    pub fn crd_name(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }
}

/// The spec of a kind: maps the type to its row in [`KINDS`].
pub trait Kind: Serialize + DeserializeOwned + JsonSchema {
    /// The row.
    fn info() -> &'static KindInfo;
}

const fn column(name: &'static str, json_path: &'static str) -> Column {
    Column { name, type_: "string", json_path }
}

const AGE: Column = Column { name: "Age", type_: "date", json_path: ".metadata.creationTimestamp" };
const STATUS: Column = column("Status", ".status.phase");
const DISPLAY_NAME: Column = column("Display Name", ".spec.metadata.displayName");
const LABEL_RULE: (&str, &str) = (
    "!self.metadata.name.contains('.') && size(self.metadata.name) <= 63",
    "the name must be a DNS label: no dots, at most 63 characters",
);
const PROVIDER_CATEGORIES: &[&str] = &["all", "kubecarrier-provider"];
const TENANT_CATEGORIES: &[&str] = &["all", "kubecarrier-tenant"];

fn spec_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

macro_rules! kinds {
    ($($name:ident for $spec:path = $info:expr;)*) => {
        $(
            #[doc = concat!("The row of `", stringify!($name), "`.")]
            pub static $name: KindInfo = $info;

            impl Kind for $spec {
                fn info() -> &'static KindInfo {
                    &$name
                }
            }
        )*

        /// All kinds; those that users write come first.
        pub static KINDS: &[&KindInfo] = &[$(&$name),*];
    };
}

kinds! {
    ACCOUNT for account::AccountSpec = KindInfo {
        group: CATALOG_GROUP,
        version: VERSION,
        kind: "Account",
        plural: "accounts",
        singular: "account",
        short_names: &["acc"],
        categories: &["all", "kubecarrier-admin"],
        scope: Scope::Cluster,
        name_rule: NameRule::Label,
        authored: true,
        columns: &[column("Account Namespace", ".status.namespace.name"), DISPLAY_NAME, STATUS, AGE],
        summary: "A team that offers services, uses them, or both.",
        spec: spec_of::<account::AccountSpec>,
        status: Some(spec_of::<account::AccountStatus>),
        rules: &[LABEL_RULE],
    };
    SERVICE_CLUSTER for service_cluster::ServiceClusterSpec = KindInfo {
        group: CORE_GROUP,
        version: VERSION,
        kind: "ServiceCluster",
        plural: "serviceclusters",
        singular: "servicecluster",
        short_names: &["sc"],
        categories: PROVIDER_CATEGORIES,
        scope: Scope::Namespaced,
        name_rule: NameRule::Label,
        authored: true,
        columns: &[STATUS, DISPLAY_NAME, column("Kubernetes Version", ".status.kubernetesVersion.gitVersion"), AGE],
        summary: "A cluster that runs services.",
        spec: spec_of::<service_cluster::ServiceClusterSpec>,
        status: Some(spec_of::<service_cluster::ServiceClusterStatus>),
        rules: &[LABEL_RULE],
    };
    CATALOG for catalog::CatalogSpec = KindInfo {
        group: CATALOG_GROUP,
        version: VERSION,
        kind: "Catalog",
        plural: "catalogs",
        singular: "catalog",
        short_names: &["cl"],
        categories: PROVIDER_CATEGORIES,
        scope: Scope::Namespaced,
        name_rule: NameRule::Subdomain,
        authored: true,
        columns: &[STATUS, AGE],
        summary: "The entries that a provider offers, and the tenants that they are offered to.",
        spec: spec_of::<catalog::CatalogSpec>,
        status: Some(spec_of::<catalog::CatalogStatus>),
        rules: &[],
    };
    CATALOG_ENTRY for catalog::CatalogEntrySpec = KindInfo {
        group: CATALOG_GROUP,
        version: VERSION,
        kind: "CatalogEntry",
        plural: "catalogentries",
        singular: "catalogentry",
        short_names: &["ce"],
        categories: PROVIDER_CATEGORIES,
        scope: Scope::Namespaced,
        name_rule: NameRule::Subdomain,
        authored: true,
        columns: &[
            STATUS,
            column("Base CRD", ".spec.baseCRD.name"),
            column("Tenant CRD", ".status.tenantCRD.name"),
            AGE,
        ],
        summary: "A service of one cluster.",
        spec: spec_of::<catalog::CatalogEntrySpec>,
        status: Some(spec_of::<catalog::CatalogEntryStatus>),
        rules: &[],
    };
    CATALOG_ENTRY_SET for catalog::CatalogEntrySetSpec = KindInfo {
        group: CATALOG_GROUP,
        version: VERSION,
        kind: "CatalogEntrySet",
        plural: "catalogentrysets",
        singular: "catalogentryset",
        short_names: &["ces"],
        categories: PROVIDER_CATEGORIES,
        scope: Scope::Namespaced,
        name_rule: NameRule::Subdomain,
        authored: true,
        columns: &[STATUS, column("CRD", ".spec.discover.crd.name"), AGE],
        summary: "A service of several clusters: one CatalogEntry for each.",
        spec: spec_of::<catalog::CatalogEntrySetSpec>,
        status: Some(spec_of::<catalog::CatalogEntrySetStatus>),
        rules: &[],
    };
    TENANT for account::TenantSpec = KindInfo {
        group: CATALOG_GROUP,
        version: VERSION,
        kind: "Tenant",
        plural: "tenants",
        singular: "tenant",
        short_names: &["tr"],
        categories: PROVIDER_CATEGORIES,
        scope: Scope::Namespaced,
        name_rule: NameRule::Label,
        authored: true,
        columns: &[AGE],
        summary: "A tenant as its provider sees it; catalogs select by its labels.",
        spec: spec_of::<account::TenantSpec>,
        status: None,
        rules: &[LABEL_RULE],
    };
    OFFERING for offering::OfferingSpec = KindInfo {
        group: CATALOG_GROUP,
        version: VERSION,
        kind: "Offering",
        plural: "offerings",
        singular: "offering",
        short_names: &["off"],
        categories: TENANT_CATEGORIES,
        scope: Scope::Namespaced,
        name_rule: NameRule::Subdomain,
        authored: false,
        columns: &[DISPLAY_NAME, column("Provider", ".spec.provider.name"), AGE],
        summary: "A service that is offered to a tenant.",
        spec: spec_of::<offering::OfferingSpec>,
        status: None,
        rules: &[],
    };
    PROVIDER for offering::ProviderSpec = KindInfo {
        group: CATALOG_GROUP,
        version: VERSION,
        kind: "Provider",
        plural: "providers",
        singular: "provider",
        short_names: &["pr"],
        categories: TENANT_CATEGORIES,
        scope: Scope::Namespaced,
        name_rule: NameRule::Label,
        authored: false,
        columns: &[DISPLAY_NAME, AGE],
        summary: "A provider as its tenants see it.",
        spec: spec_of::<offering::ProviderSpec>,
        status: None,
        rules: &[LABEL_RULE],
    };
    REGION for offering::RegionSpec = KindInfo {
        group: CATALOG_GROUP,
        version: VERSION,
        kind: "Region",
        plural: "regions",
        singular: "region",
        short_names: &["scr"],
        categories: TENANT_CATEGORIES,
        scope: Scope::Namespaced,
        name_rule: NameRule::Subdomain,
        authored: false,
        columns: &[column("Provider", ".spec.provider.name"), DISPLAY_NAME, AGE],
        summary: "A service cluster as tenants see it.",
        spec: spec_of::<offering::RegionSpec>,
        status: None,
        rules: &[],
    };
    SERVICE_CLUSTER_ASSIGNMENT for service_cluster::ServiceClusterAssignmentSpec = KindInfo {
        group: CORE_GROUP,
        version: VERSION,
        kind: "ServiceClusterAssignment",
        plural: "serviceclusterassignments",
        singular: "serviceclusterassignment",
        short_names: &["sca"],
        categories: &[],
        scope: Scope::Namespaced,
        name_rule: NameRule::Subdomain,
        authored: false,
        columns: &[STATUS, AGE],
        summary: "Assigns a namespace in a service cluster to a tenant's namespace in the management cluster.",
        spec: spec_of::<service_cluster::ServiceClusterAssignmentSpec>,
        status: Some(spec_of::<service_cluster::ServiceClusterAssignmentStatus>),
        rules: &[(
            "self.metadata.name == self.spec.managementNamespace.name + '.' + self.spec.serviceCluster.name",
            "the name must be <managementNamespace>.<serviceCluster>",
        )],
    };
}

/// Finds a kind; `None` if it is not a KubeCarrier kind.
#[must_use]
pub fn find(group: &str, kind: &str) -> Option<&'static KindInfo> {
    KINDS.iter().find(|info| info.group == group && info.kind == kind).copied()
}
