//! What a repository renders to: which objects, what they say, and whose they are.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::common::golden;
use crate::harness::Case;
use crate::repositories::{Repository, crd, names, object, redis};
use carrier::diagnostic::Diagnostics;
use carrier::names::ClusterId;
use carrier::names::SUBDOMAIN_MAX;
use carrier::names::{ManifestId, Stage};
use carrier::rendering::Manifest;
use carrier::rendering::stream;
use carrier::settings::RenderTarget;
use carrier::source::FileId;
use carrier::text as yaml;
use carrier::text::to_yaml;
use serde_json::{Value, json};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        the_tutorial,
        what_the_tutorial_is_promised,
        the_same_input_gives_the_same_objects,
        a_second_region_changes_nothing_of_the_first,
        what_is_written_reads_back,
        source_objects_are_as_written,
        an_entry_says_how_instances_are_copied_as_its_set_does,
        tenant_labels_reach_the_providers_tenant_objects,
        two_providers_with_the_same_names_do_not_meet,
        a_catalog_without_entries_still_shows_the_provider,
        without_derive_tenants_use_the_internal_crd,
        two_entries_may_share_an_internal_crd,
        a_namespace_that_the_lock_knows_keeps_its_name,
        no_rule_gives_more_than_it_names,
        what_sync_may_do_in_the_management_cluster,
        sync_has_no_account_where_there_is_no_service_cluster,
        a_provider_may_be_a_tenant_of_its_own_services,
        two_repositories_share_the_account_of_sync,
        subjects_are_as_rbac_wants_them,
        no_name_is_too_long,
    ]
}

fn eu() -> ClusterId {
    ClusterId::new("team-a", "eu-west-1")
}

/// Everything of the tutorial but KubeCarrier's own CRDs, as a user sees it, with the line that caused it.
fn the_tutorial() {
    let repository = Repository::tutorial();
    let (set, sources) = (repository.render(), repository.sources());
    let mut text = String::new();
    let clusters = set.clusters.iter().map(|(id, list)| (id.to_string(), list));
    for (cluster, list) in std::iter::once(("management".to_owned(), &set.management)).chain(clusters) {
        writeln!(text, "# {cluster}").unwrap();
        for manifest in list.iter().filter(|m| !m.id.name.ends_with("kubecarrier.io")) {
            let span = manifest.cause.place().unwrap();
            let place = format!("{}:{}", sources.path(span), sources.position(span));
            write!(text, "---\n# {} {place}\n{}", manifest.stage.name(), to_yaml(&manifest.body)).unwrap();
        }
    }
    golden("testdata/render/tutorial.yaml", &text);
}

fn what_the_tutorial_is_promised() {
    let set = Repository::tutorial().render();
    let list = &set.management;
    object(list, "CustomResourceDefinition", "redis.eu-west-1.team-a");
    object(list, "CustomResourceDefinition", "redis.internal.eu-west-1.team-a");
    object(list, "ServiceClusterAssignment", "team-a/team-b.eu-west-1");
    object(list, "Provider", "team-b/team-a");
    object(list, "Region", "team-b/eu-west-1.team-a");
    object(list, "Tenant", "team-a/team-b");
    let offering = object(list, "Offering", "team-b/redis.eu-west-1.team-a");
    assert_eq!(
        offering.body["spec"]["crd"],
        json!({
            "name": "redis.eu-west-1.team-a", "apiGroup": "eu-west-1.team-a", "kind": "Redis", "plural": "redis",
            "versions": [{"name": "v1beta1", "storage": true}], "region": {"name": "eu-west-1"},
        })
    );
    for role in ["kubecarrier:tenant:redis.eu-west-1.team-a", "kubecarrier:provider:redis.eu-west-1.team-a"] {
        object(list, "Role", &format!("team-b/{role}"));
        object(list, "RoleBinding", &format!("team-b/{role}"));
    }
    let crds = list.iter().filter(|m| m.stage == Stage::Crds).count();
    assert_eq!(crds, 12, "ten of KubeCarrier's, two of the service");
    assert!(list.is_sorted_by_key(|m| (m.stage, m.id.clone())), "in the order to apply them");
}

/// `DESIGN.md` §2: compiling depends on nothing but its input.
fn the_same_input_gives_the_same_objects() {
    let repository = Repository::tutorial().account("team-c", "Provider, Tenant").cluster("team-a", "us-east-1");
    let repository = repository.crd("team-a", "us-east-1", &redis());
    assert_eq!(repository.render(), repository.render());
    // All documents in one file, in another order: the same objects, from other lines.
    let all = repository.files.values().rev().cloned().collect::<Vec<_>>().join("---\n");
    let one = Repository { files: [("all.yaml".to_owned(), all)].into(), discovered: repository.discovered.clone() };
    assert_eq!(bodies(&one.render().management), bodies(&repository.render().management));
}

fn bodies(list: &[Manifest]) -> Vec<(&ManifestId, &Value)> {
    list.iter().map(|m| (&m.id, &*m.body)).collect()
}

fn a_second_region_changes_nothing_of_the_first() {
    let one = Repository::tutorial();
    let two = one.clone().cluster("team-a", "eu-west-2").crd("team-a", "eu-west-2", &redis());
    let (before, after) = (one.render(), two.render());
    let after_bodies = bodies(&after.management);
    for (id, body) in bodies(&before.management) {
        assert!(after_bodies.contains(&(id, body)), "{id} changed");
    }
    assert_eq!(bodies(&before.clusters[&eu()]), bodies(&after.clusters[&eu()]));
    let of_kind = |kind: &str| after.management.iter().filter(|m| m.id.kind == kind).count();
    assert_eq!(of_kind("CustomResourceDefinition"), 10 + 4);
    assert_eq!(of_kind("Offering"), 2);
    assert_eq!(of_kind("Region"), 2);
}

fn what_is_written_reads_back() {
    let odd = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\n\
               metadata: {name: odd, annotations: {note: '${HOME} yes 1_000 \"no\"'}}\nspec:\n  \
               metadata: {displayName: '0777', shortDescription: 'on: off', description: \"two\\nlines \\n\"}\n  \
               roles: [Provider, Tenant]\n  subjects: [{kind: Group, name: 'system:odd'}]\n";
    let set = Repository::tutorial().file("accounts/odd.yaml", odd).render();
    for manifest in set.management.iter().chain(set.clusters.values().flatten()) {
        let mut diagnostics = Diagnostics::default();
        let read = yaml::read(FileId(0), &to_yaml(&manifest.body), &mut diagnostics);
        assert!(diagnostics.is_empty(), "{diagnostics:#?}");
        assert_eq!(read[0].root.to_json(), *manifest.body, "{}", manifest.id);
    }
    let mut diagnostics = Diagnostics::default();
    let text = stream(&set.management, RenderTarget::Plain);
    let documents = yaml::read(FileId(0), &text, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    assert_eq!(documents.len(), set.management.len());
}

/// What is written for the lines of a repository says nothing else than they do.
fn source_objects_are_as_written() {
    let set = Repository::tutorial().render();
    let catalog = object(&set.management, "Catalog", "team-a/default");
    assert_eq!(
        *catalog.body,
        json!({
            "apiVersion": "catalog.kubecarrier.io/v1alpha1", "kind": "Catalog",
            "metadata": {"name": "default", "namespace": "team-a"},
            "spec": {"catalogEntrySelector": {}, "tenantSelector": {}},
        })
    );
    let entry = object(&set.management, "CatalogEntry", "team-a/redis.eu-west-1");
    assert_eq!(entry.body["spec"]["baseCRD"]["name"], "redis.internal.eu-west-1.team-a");
    assert_eq!(entry.body["metadata"]["labels"]["catalogentries.kubecarrier.io/controlled-by"], "redis");
    let set_body = &object(&set.management, "CatalogEntrySet", "team-a/redis").body;
    assert_eq!(entry.body["spec"]["derive"], set_body["spec"]["derive"]);
}

/// Sync reads entries, not sets.
fn an_entry_says_how_instances_are_copied_as_its_set_does() {
    let repository = Repository::tutorial();
    let plain = repository.render();
    let entry = object(&plain.management, "CatalogEntry", "team-a/redis.eu-west-1");
    for field in ["deletionPolicy", "propagate"] {
        assert_eq!(entry.body["spec"].get(field), None, "what the set does not say is not written");
    }
    let path = "catalogs/team-a-redis.yaml";
    let copying =
        "  deletionPolicy: {default: Orphan, allowed: [Orphan, Block]}\n  propagate: {labels: [team, example.com/*]}\n";
    let set = repository.files[path].clone() + copying;
    let rendered = repository.file(path, set).render();
    for (kind, name) in [("CatalogEntrySet", "team-a/redis"), ("CatalogEntry", "team-a/redis.eu-west-1")] {
        let spec = &object(&rendered.management, kind, name).body["spec"];
        assert_eq!(spec["deletionPolicy"], json!({"default": "Orphan", "allowed": ["Orphan", "Block"]}), "{kind}");
        assert_eq!(spec["propagate"], json!({"labels": ["team", "example.com/*"]}), "{kind}");
    }
}

fn tenant_labels_reach_the_providers_tenant_objects() {
    let tenant = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Tenant\nmetadata: {name: team-b, namespace: team-a, labels: {tier: gold}}\n";
    let repository = Repository::tutorial().account("team-c", "Provider, Tenant").file("labels.yaml", tenant);
    let set = repository.render();
    let list = &set.management;
    let gold = object(list, "Tenant", "team-a/team-b");
    assert_eq!(gold.body["metadata"]["labels"], json!({"tier": "gold"}));
    assert_eq!(repository.sources().path(gold.cause.place().unwrap()), "labels.yaml");
    assert_eq!(object(list, "Tenant", "team-c/team-b").body["metadata"].get("labels"), None);
    object(list, "Tenant", "team-c/team-c");
}

fn two_providers_with_the_same_names_do_not_meet() {
    let repository = Repository::tutorial()
        .account("team-c", "Provider")
        .cluster("team-c", "eu-west-1")
        .set("team-c", "redis", "redis.redis.redis.opstreelabs.in")
        .catalog("team-c", "default")
        .crd("team-c", "eu-west-1", &redis());
    let set = repository.render();
    let all = names(&set.management);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    for provider in ["team-a", "team-c"] {
        let role = object(&set.management, "Role", &format!("team-b/kubecarrier:tenant:redis.eu-west-1.{provider}"));
        assert_eq!(role.body["rules"][0]["apiGroups"], json!([format!("eu-west-1.{provider}")]));
        object(&set.management, "Region", &format!("team-b/eu-west-1.{provider}"));
    }
    // In the service clusters, which may be one and the same, nothing of the two collides either.
    let [one, other] = set.clusters.values().collect::<Vec<_>>()[..] else { panic!("two clusters") };
    let ids = |list: &[Manifest]| names(list).into_iter().collect::<BTreeSet<_>>();
    let both: Vec<String> = ids(one).intersection(&ids(other)).cloned().collect();
    assert_eq!(both, ["Namespace kubecarrier-system"]);
}

/// Both have a role for sync in the namespace of the account, and it is one.
fn a_provider_may_be_a_tenant_of_its_own_services() {
    let set = Repository::tutorial().account("team-a", "Provider, Tenant").render();
    let role = object(&set.management, "Role", "team-a/kubecarrier:sync:eu-west-1.team-a");
    let rules: Vec<String> = role.body["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| format!("{} {}", r["resources"][0], r["verbs"][0]))
        .collect();
    assert!(rules.contains(&r#""secrets" "get""#.to_owned()), "{rules:?}");
    assert!(rules.contains(&r#""redis" "create""#.to_owned()), "{rules:?}");
}

/// Every right of sync in the management cluster, as an administrator reads it.
fn what_sync_may_do_in_the_management_cluster() {
    let set = Repository::tutorial().render();
    let mut lines = Vec::new();
    for role in
        set.management.iter().filter(|m| m.id.name.starts_with("kubecarrier:sync") && m.id.kind.ends_with("Role"))
    {
        for rule in role.body["rules"].as_array().unwrap() {
            let words = |key: &str| -> Vec<&str> {
                rule[key].as_array().into_iter().flatten().map(|v| v.as_str().unwrap()).collect()
            };
            let place = role.id.namespace.as_deref().unwrap_or("*");
            let group = words("apiGroups").concat();
            let names = words("resourceNames").join(" ");
            let names = if names.is_empty() { names } else { format!(" ({names})") };
            lines.push(format!(
                "{place}: {} {}.{group}{names}",
                words("verbs").join(","),
                words("resources").join("+")
            ));
        }
    }
    assert_eq!(
        lines,
        [
            "*: get,list,watch namespaces.",
            "*: list,watch customresourcedefinitions.apiextensions.k8s.io",
            "*: list,watch catalogentries.catalog.kubecarrier.io",
            "*: list,watch serviceclusters+serviceclusterassignments.kubecarrier.io",
            "*: get,list,patch,watch redis.eu-west-1.team-a",
            "*: patch redis/status.eu-west-1.team-a",
            "*: delete,get,list,patch,watch redis.internal.eu-west-1.team-a",
            "*: patch redis/status.internal.eu-west-1.team-a",
            "kubecarrier-system: create,delete,get,list,patch,watch leases.coordination.k8s.io",
            "team-a: get,list,watch secrets. (eu-west-1-kubeconfig)",
            "team-a: patch serviceclusters/status.kubecarrier.io (eu-west-1)",
            "team-a: patch serviceclusterassignments/status.kubecarrier.io",
            "team-a: patch catalogentries/status.catalog.kubecarrier.io",
            "team-a: create,patch events.",
            "team-b: create redis.internal.eu-west-1.team-a",
            "team-b: create,patch events.",
        ]
    );
}

/// Without a service cluster there is nothing to copy.
fn sync_has_no_account_where_there_is_no_service_cluster() {
    let set = Repository::default().account("team-a", "Provider, Tenant").render();
    assert!(!names(&set.management).iter().any(|name| name.contains("sync")), "{:?}", names(&set.management));
}

/// Two repositories may describe one management cluster: what both write is shared, the rest is named after a cluster.
fn two_repositories_share_the_account_of_sync() {
    let other = Repository::default()
        .account("team-x", "Provider, Tenant")
        .cluster("team-x", "eu-west-1")
        .set("team-x", "redis", "redis.redis.redis.opstreelabs.in")
        .catalog("team-x", "default")
        .crd("team-x", "eu-west-1", &redis())
        .render();
    let one = Repository::tutorial().render();
    let (one, other) = (bodies(&one.management), bodies(&other.management));
    let mut both = 0;
    for (id, body) in one {
        if let Some((_, there)) = other.iter().find(|(there, _)| *there == id) {
            both += 1;
            assert_eq!(*there, body, "{id}");
            assert!(carrier::planning::inventory::is_shared(body), "{id}");
        }
    }
    assert_eq!(both, 10 + 6, "the kinds; a namespace, an account, two roles and their bindings");
    let set = Repository::tutorial().render();
    let sync = set.management.iter().filter(|m| m.id.name.starts_with("kubecarrier:sync"));
    let own: Vec<String> =
        sync.filter(|m| !carrier::planning::inventory::is_shared(&m.body)).map(|m| m.id.to_string()).collect();
    assert_eq!(own.len(), 6, "{own:?}");
}

fn a_catalog_without_entries_still_shows_the_provider() {
    let none = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Catalog\nmetadata: {name: none, namespace: team-c}\n\
                spec: {tenantSelector: {}, catalogEntrySelector: {matchLabels: {no: body}}}\n";
    let set = Repository::tutorial().account("team-c", "Provider").file("none.yaml", none).render();
    object(&set.management, "Provider", "team-b/team-c");
    assert!(!names(&set.management).iter().any(|n| n.starts_with("Region team-b/") && n.ends_with("team-c")));
}

fn without_derive_tenants_use_the_internal_crd() {
    let repository = Repository::tutorial();
    let whole = repository.files["catalogs/team-a-redis.yaml"].split("  derive:").next().unwrap().to_owned();
    let set = repository.file("catalogs/team-a-redis.yaml", whole).render();
    let offering = object(&set.management, "Offering", "team-b/redis.internal.eu-west-1.team-a");
    assert_eq!(offering.body["spec"]["crd"]["apiGroup"], "internal.eu-west-1.team-a");
    let role = object(&set.management, "Role", "team-b/kubecarrier:tenant:redis.eu-west-1.team-a");
    assert_eq!(role.body["rules"][0]["apiGroups"], json!(["internal.eu-west-1.team-a"]));
    assert_eq!(set.management.iter().filter(|m| m.stage == Stage::Crds).count(), 11);
}

fn two_entries_may_share_an_internal_crd() {
    let entry = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: CatalogEntry\nmetadata: {name: small, namespace: team-a}\nspec:\n  \
                 metadata: {displayName: Small, shortDescription: A small one}\n  baseCRD: {name: redis.internal.eu-west-1.team-a}\n  \
                 derive: {kind: SmallRedis, plural: smallredis, expose: [{versions: [v1beta1], fields: [{jsonPath: .spec.mode}]}]}\n";
    let set = Repository::tutorial().file("small.yaml", entry).render();
    let crds = set.management.iter().filter(|m| m.stage == Stage::Crds).count();
    assert_eq!(crds, 10 + 1 + 2);
    object(&set.management, "Offering", "team-b/smallredis.eu-west-1.team-a");
    let rules = &object(&set.management, "Role", "team-b/kubecarrier:provider:small.team-a").body["rules"];
    assert_eq!(rules[0]["apiGroups"], json!(["internal.eu-west-1.team-a"]));
}

fn a_namespace_that_the_lock_knows_keeps_its_name() {
    let mut repository = Repository::tutorial();
    let namespace = |set: &carrier::rendering::ManifestSet| {
        let name = set.clusters[&eu()].iter().find(|m| m.id.name.starts_with("team-b-")).unwrap().id.name.clone();
        let assignment = object(&set.management, "ServiceClusterAssignment", "team-a/team-b.eu-west-1");
        let said = &assignment.body["metadata"]["annotations"]["kubecarrier.io/service-cluster-namespace"];
        assert_eq!(*said, json!(name), "the assignment says where");
        name
    };
    assert_eq!(namespace(&repository.render()), "team-b-id65w");
    let known = repository.discovered.clusters.get_mut(&eu()).unwrap();
    known.namespaces.insert("team-b".into(), "team-b-wqpd2".into());
    assert_eq!(namespace(&repository.render()), "team-b-wqpd2");
}

/// What `DESIGN.md` §9 asks of every rule, in all clusters.
fn no_rule_gives_more_than_it_names() {
    let set = Repository::tutorial()
        .account("both", "Provider, Tenant")
        .cluster("both", "eu-west-1")
        .set("both", "db", "dbs.acme.example")
        .catalog("both", "default")
        .crd("both", "eu-west-1", &crd("acme.example", "dbs", "DB"))
        .render();
    for manifest in set.management.iter().chain(set.clusters.values().flatten()) {
        let Some(rules) = manifest.body.get("rules").and_then(Value::as_array) else { continue };
        let id = &manifest.id;
        assert!(!rules.is_empty(), "{id}");
        for rule in rules {
            let words = |key: &str| -> Vec<&str> {
                rule[key].as_array().into_iter().flatten().map(|v| v.as_str().unwrap()).collect()
            };
            for key in ["apiGroups", "resources", "verbs"] {
                assert!(!words(key).is_empty() && words(key).iter().all(|w| !w.contains('*')), "{id}: {rule}");
            }
            let (resources, verbs) = (words("resources"), words("verbs"));
            for verb in ["impersonate", "bind", "escalate"] {
                assert!(!verbs.contains(&verb), "{id}: {rule}");
            }
            if resources.contains(&"secrets") {
                let named = words("resourceNames").len() == 1 && verbs == ["get", "list", "watch"];
                let name = if named { "kubecarrier:sync:eu-west-1." } else { "kubecarrier:provider" };
                assert!(id.kind == "Role" && id.name.starts_with(name), "{id}: {rule}");
            }
            let writes = verbs.iter().any(|v| !["get", "list", "watch"].contains(v));
            // Of kinds that carrier makes sync changes and deletes what is there, in every namespace; it creates nothing.
            let is_of_service = |group: &&str| group.ends_with("eu-west-1.both") || group.ends_with("eu-west-1.team-a");
            if id.name.starts_with("kubecarrier:sync-management:") && words("apiGroups").iter().all(is_of_service) {
                assert!(!verbs.contains(&"create") && !verbs.contains(&"deletecollection"), "{id}: {rule}");
            } else if resources.contains(&"serviceclusterassignments") || id.kind == "ClusterRole" {
                assert!(!writes, "{id}: {rule}");
            }
        }
    }
    let cluster_roles = set.management.iter().filter(|m| m.id.kind == "ClusterRole").map(|m| m.id.name.as_str());
    let of_sync = [
        "kubecarrier:sync",
        "kubecarrier:sync-management:eu-west-1.both",
        "kubecarrier:sync-management:eu-west-1.team-a",
    ];
    assert_eq!(cluster_roles.collect::<Vec<_>>(), of_sync, "people have rights in namespaces only");
    let roles = |name: &str| -> Vec<String> {
        let with_role = set.management.iter().filter(|m| m.id.kind == "Role" && m.id.name == name);
        with_role.map(|m| m.id.namespace.clone().unwrap()).collect()
    };
    assert_eq!(roles("kubecarrier:provider"), ["both", "team-a"], "secrets in its own namespace only");
    assert_eq!(roles("kubecarrier:tenant"), ["both", "team-b"]);
    assert_eq!(roles("kubecarrier:sync"), ["kubecarrier-system"]);
    assert_eq!(roles("kubecarrier:sync:eu-west-1.team-a"), ["both", "team-a", "team-b"]);
    let bound =
        set.management.iter().filter(|m| m.id.kind.ends_with("Binding") && m.id.name.starts_with("kubecarrier:sync"));
    for binding in bound {
        let account = json!([{"kind": "ServiceAccount", "name": "carrier-sync", "namespace": "kubecarrier-system"}]);
        assert_eq!(binding.body["subjects"], account, "{}", binding.id);
    }
}

fn subjects_are_as_rbac_wants_them() {
    let account = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\nmetadata: {name: team-c}\nspec:\n  roles: [Tenant]\n  \
                   subjects: [{kind: User, name: zoe}, {kind: User, name: zoe}, {kind: ServiceAccount, name: bot, namespace: ci}, {kind: Group, name: devs}]\n";
    let set = Repository::tutorial().file("c.yaml", account).render();
    let binding = object(&set.management, "RoleBinding", "team-c/kubecarrier:tenant");
    let group = "rbac.authorization.k8s.io";
    assert_eq!(
        binding.body["subjects"],
        json!([
            {"kind": "User", "name": "zoe", "apiGroup": group},
            {"kind": "Group", "name": "devs", "apiGroup": group},
            {"kind": "ServiceAccount", "name": "bot", "namespace": "ci"},
        ])
    );
}

fn no_name_is_too_long() {
    let (provider, cluster, set) = ("p".repeat(57), "c".repeat(63), "s".repeat(63));
    let (group, long) = (format!("{}.example", "g".repeat(60)), "e".repeat(253));
    let plural = "x".repeat(63);
    let entry = format!(
        "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: CatalogEntry\nmetadata: {{name: {long}, namespace: {provider}}}\nspec:\n  \
         metadata: {{displayName: Long, shortDescription: A long one}}\n  baseCRD: {{name: {plural}.internal.{cluster}.{provider}}}\n  \
         derive: {{kind: Tiny, plural: tinies, expose: [{{versions: [v1beta1], fields: [{{jsonPath: .spec.mode}}]}}]}}\n"
    );
    let repository = Repository::default()
        .account(&provider, "Provider, Tenant")
        .cluster(&provider, &cluster)
        .set(&provider, &set, &format!("{plural}.{group}"))
        .catalog(&provider, "default")
        .file("long.yaml", entry)
        .crd(&provider, &cluster, &crd(&group, &plural, &format!("X{}", "x".repeat(58))));
    let set = repository.render();
    for manifest in set.management.iter().chain(set.clusters.values().flatten()) {
        let (name, namespace) = (&manifest.id.name, manifest.id.namespace.as_deref().unwrap_or(""));
        let max = if manifest.id.kind == "Namespace" { 63 } else { SUBDOMAIN_MAX };
        assert!(name.len() <= max && namespace.len() <= 63, "{}", manifest.id);
        let labels = manifest.body["metadata"]["labels"].as_object().into_iter().flatten();
        for (key, value) in labels {
            assert!(value.as_str().unwrap().len() <= 63, "{}: {key}", manifest.id);
        }
    }
}
