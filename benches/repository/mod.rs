//! Generates the repositories that the benchmarks measure.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use carrier::compiler::{Discovered, DiscoveredCrd};
use carrier::derivation::SourceCrd;
use carrier::derivation::schema;
use carrier::diagnostic::Diagnostics;
use carrier::names::ClusterId;
use carrier::source::FileId;
use serde_json::{Value, json};
use tempfile::TempDir;

const PROVIDERS: usize = 2;

/// A repository of `objects` source objects, one in each file: mostly tenant accounts and the labels
/// that providers give them, which are the most frequent objects of a large installation.
pub(crate) fn of_sources(objects: usize) -> TempDir {
    // Each tenant is an account and a label object at one provider; what is left is the providers' own.
    with_tenants((objects - 4 * PROVIDERS) / 2)
}

/// A repository that renders to about `objects` objects.
pub(crate) fn of_outputs(objects: usize) -> TempDir {
    // An account of a tenant who is offered one service comes to some 17 objects.
    with_tenants(objects / 17)
}

/// A repository that offers every real CRD, with all of its spec exposed; `None` if the CRDs are not available.
pub(crate) fn of_corpus() -> Option<(TempDir, usize)> {
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/crds");
    let folder = TempDir::new().unwrap();
    let mut files: Vec<_> = fs::read_dir(crds).ok()?.flatten().map(|e| e.path()).collect();
    files.sort();
    write(folder.path(), "carrier.yaml", "{}\n");
    write(folder.path(), "accounts/tenant.yaml", &account("tenant", "Tenant"));
    let mut count = 0;
    for file in files {
        // Two forms of one CRD cannot be offered side by side.
        if file.to_string_lossy().contains("--") {
            continue;
        }
        let Some((name, version)) = offerable(&file) else { continue };
        // One provider a CRD: their kinds clash.
        let provider = format!("p{count}");
        write(folder.path(), &format!("{provider}/account.yaml"), &account(&provider, "Provider"));
        write(folder.path(), &format!("{provider}/cluster.yaml"), &cluster(&provider));
        write(folder.path(), &format!("{provider}/catalog.yaml"), &catalog(&provider, "{}"));
        write(folder.path(), &format!("{provider}/set.yaml"), &set(&provider, &name, &version, &[".spec"]));
        lock(folder.path(), &provider, &file);
        count += 1;
    }
    Some((folder, count))
}

/// The name of a CRD and the version to offer, if it has a spec and can be offered at all.
fn offerable(file: &Path) -> Option<(String, String)> {
    let text = fs::read_to_string(file).unwrap();
    let documents = carrier::text::read(FileId(0), &text, &mut Diagnostics::default());
    let source = SourceCrd::read(&documents.first()?.root.to_json()).ok()?;
    let version = source.preferred()?;
    version.schema.pointer("/properties/spec")?;
    // A CRD that demands more beside its spec would need more than one path.
    let only_spec = |name: &str| matches!(name, "spec" | "metadata");
    if !schema::required(&version.schema).all(only_spec)
        || schema::JUNCTORS.iter().any(|j| version.schema.get(j).is_some())
    {
        return None;
    }
    Some((source.name.clone(), version.name.clone()))
}

fn with_tenants(tenants: usize) -> TempDir {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "carrier.yaml", "{}\n");
    let crd = example_crd();
    for p in 0..PROVIDERS {
        let provider = format!("provider-{p}");
        write(folder.path(), &format!("accounts/{provider}.yaml"), &account(&provider, "Provider"));
        write(folder.path(), &format!("{provider}/cluster.yaml"), &cluster(&provider));
        write(folder.path(), &format!("{provider}/catalog.yaml"), &catalog(&provider, "{matchLabels: {tier: paying}}"));
        let fields = [
            ".spec.global.password",
            ".spec.global.image",
            ".spec.mode",
            ".spec.size",
            ".spec.redisExporter.enabled",
            ".spec.redisExporter.image",
            ".spec.service.type",
            ".spec.redisConfig",
        ];
        write(
            folder.path(),
            &format!("{provider}/set.yaml"),
            &set(&provider, "redis.redis.redis.opstreelabs.in", "v1beta1", &fields),
        );
    }
    for t in 0..tenants {
        let tenant = format!("tenant-{t:05}");
        write(folder.path(), &format!("accounts/{}/{tenant}.yaml", t % 50), &account(&tenant, "Tenant"));
        let provider = format!("provider-{}", t % PROVIDERS);
        let labels = format!(
            "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Tenant\nmetadata:\n  name: {tenant}\n  namespace: {provider}\n  labels:\n    tier: paying\n"
        );
        write(folder.path(), &format!("{provider}/tenants/{}/{tenant}.yaml", t % 50), &labels);
    }
    for p in 0..PROVIDERS {
        lock(folder.path(), &format!("provider-{p}"), &crd);
    }
    folder
}

/// The objects of a platform in memory: `services` services in all, spread over 50 clusters of 10 providers, each
/// offered to the tenants of one of 100 accounts. `changed` is the value of a label of one set: another value
/// is the same platform after one object changed.
pub(crate) fn of_services(services: usize, changed: &str) -> Vec<Value> {
    const PROVIDERS: usize = 10;
    const CLUSTERS: usize = 50;
    const TENANTS: usize = 100;
    let catalog = "catalog.kubecarrier.io/v1alpha1";
    let mut objects = Vec::new();
    let role = |name: &str, role: &str| {
        json!({"apiVersion": catalog, "kind": "Account", "metadata": {"name": name}, "spec": {
            "metadata": {"displayName": name, "shortDescription": "One of many"},
            "roles": [role], "subjects": [{"kind": "User", "name": name}],
        }})
    };
    objects.extend((0..TENANTS).map(|t| role(&format!("tenant-{t}"), "Tenant")));
    for p in 0..PROVIDERS {
        let provider = format!("provider-{p}");
        objects.push(role(&provider, "Provider"));
        objects
            .push(json!({"apiVersion": catalog, "kind": "Catalog", "metadata": {"name": "all", "namespace": provider},
            "spec": {"catalogEntrySelector": {}, "tenantSelector": {"matchLabels": {"of": provider}}}}));
        for t in (p..TENANTS).step_by(PROVIDERS) {
            objects.push(json!({"apiVersion": catalog, "kind": "Tenant",
                "metadata": {"name": format!("tenant-{t}"), "namespace": provider, "labels": {"of": provider}}, "spec": {}}));
        }
    }
    for c in 0..CLUSTERS {
        objects.push(json!({"apiVersion": "kubecarrier.io/v1alpha1", "kind": "ServiceCluster",
            "metadata": {"name": format!("c-{c}"), "namespace": format!("provider-{}", c % PROVIDERS), "labels": {"c": c.to_string()}},
            "spec": {"kubeconfigSecret": {"name": "k"}}}));
    }
    for s in 0..services {
        let (c, n) = (s % CLUSTERS, s / CLUSTERS);
        let label = if s == 0 { changed } else { "same" };
        objects.push(json!({"apiVersion": catalog, "kind": "CatalogEntrySet",
            "metadata": {"name": format!("s-{s}"), "namespace": format!("provider-{}", c % PROVIDERS), "labels": {"state": label}},
            "spec": {
                "metadata": {"displayName": "A service", "shortDescription": "One of many"},
                "discover": {"crd": {"name": crd_name(n)}, "serviceClusterSelector": {"matchLabels": {"c": c.to_string()}}},
                "derive": {"expose": [{"versions": ["v1beta1"], "fields": [
                    {"jsonPath": ".spec.global.image"}, {"jsonPath": ".spec.mode"}, {"jsonPath": ".spec.size"},
                    {"jsonPath": ".spec.redisExporter.enabled"}, {"jsonPath": ".spec.service.type"},
                    {"jsonPath": ".spec.redisExporter.image"}, {"jsonPath": ".spec.redisConfig"},
                    {"jsonPath": ".spec.global.password"},
                ]}]},
            }}));
    }
    objects
}

/// What is known of the 50 clusters of [`of_services`]: each has the CRDs of its services, made of a real one.
pub(crate) fn facts(services: usize) -> Discovered {
    let crd = example_crd();
    let text = fs::read_to_string(&crd).unwrap();
    let documents = carrier::text::read(FileId(0), &text, &mut Diagnostics::default());
    let real = documents[0].root.to_json();
    let mut discovered = Discovered { management_uid: Some("u".to_owned()), ..Discovered::default() };
    for n in 0..services.div_ceil(50) {
        let mut crd = real.clone();
        crd["metadata"]["name"] = json!(crd_name(n));
        crd["spec"]["group"] = json!("example.com");
        crd["spec"]["names"] = json!({"kind": format!("Kind{n}"), "plural": format!("kind{n}s"), "singular": format!("kind{n}"), "listKind": format!("Kind{n}List")});
        let body = Arc::new(crd);
        for c in 0..50 {
            let cluster = ClusterId::new(format!("provider-{}", c % 10), format!("c-{c}"));
            let known = discovered.clusters.entry(cluster).or_default();
            known.crds.insert(crd_name(n), DiscoveredCrd { body: Arc::clone(&body), place: None });
        }
    }
    discovered
}

fn crd_name(n: usize) -> String {
    format!("kind{n}s.example.com")
}

fn example_crd() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("catalog-examples/redis/snapshots/team-a/eu-west-1/redis.redis.redis.opstreelabs.in.yaml")
}

fn lock(repository: &Path, provider: &str, crd: &Path) {
    let status = Command::new(env!("CARGO_BIN_EXE_carrier"))
        .args(["-q", "lock", "--cluster", &format!("{provider}/main"), "--from"])
        .arg(crd)
        .arg("-C")
        .arg(repository)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "lock of {} failed", crd.display());
}

fn account(name: &str, role: &str) -> String {
    format!(
        "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\nmetadata:\n  name: {name}\nspec:\n  metadata:\n    \
         displayName: The team {name}\n    shortDescription: One of many\n  roles:\n  - {role}\n  subjects:\n  - kind: User\n    \
         name: {name}-member\n    apiGroup: rbac.authorization.k8s.io\n"
    )
}

fn cluster(provider: &str) -> String {
    format!(
        "apiVersion: kubecarrier.io/v1alpha1\nkind: ServiceCluster\nmetadata:\n  name: main\n  namespace: {provider}\nspec:\n  \
         kubeconfigSecret:\n    name: main-kubeconfig\n"
    )
}

fn catalog(provider: &str, tenants: &str) -> String {
    format!(
        "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Catalog\nmetadata:\n  name: default\n  namespace: {provider}\nspec:\n  \
         catalogEntrySelector: {{}}\n  tenantSelector: {tenants}\n"
    )
}

fn set(provider: &str, crd: &str, version: &str, fields: &[&str]) -> String {
    let mut text = format!(
        "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: CatalogEntrySet\nmetadata:\n  name: service\n  namespace: {provider}\n\
         spec:\n  metadata:\n    displayName: A service\n    shortDescription: One of many\n  discover:\n    crd:\n      name: {crd}\n    \
         serviceClusterSelector: {{}}\n  derive:\n    expose:\n    - versions: [{version}]\n      fields:\n"
    );
    for field in fields {
        writeln!(text, "      - jsonPath: {field}").unwrap();
    }
    text
}

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// The number of objects below a folder: one in each file, without kustomizations.
pub(crate) fn count(folder: &Path) -> usize {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| match entry.path() {
            path if path.is_dir() => count(&path),
            path => usize::from(
                path.extension().is_some_and(|e| e == "yaml")
                    && path.file_name().is_some_and(|n| n != "kustomization.yaml"),
            ),
        })
        .sum()
}
