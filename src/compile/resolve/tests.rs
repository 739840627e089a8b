//! What repositories mean, and what is said of references that lead nowhere.

use super::*;
use crate::compile::load::load;
use crate::model::source::{SourceFile, Sources};

const ACCOUNTS: &str = "
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: team-a}
spec: {metadata: {displayName: A}, roles: [Provider], subjects: [{kind: User, name: a}]}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: both}
spec: {metadata: {displayName: B}, roles: [Provider, Tenant], subjects: [{kind: User, name: b}]}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: team-c}
spec: {roles: [Tenant], subjects: [{kind: User, name: c}]}
";

const SERVICES: &str = "
apiVersion: kubecarrier.io/v1alpha1
kind: ServiceCluster
metadata: {name: eu-west-1, labels: {continent: europe}}
spec: {kubeconfigSecret: {name: k}}
---
apiVersion: kubecarrier.io/v1alpha1
kind: ServiceCluster
metadata: {name: us-east-1, labels: {continent: america}}
spec: {kubeconfigSecret: {name: k}}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: CatalogEntrySet
metadata: {name: redis, labels: {kind: cache}}
spec:
  metadata: {displayName: Redis}
  discover: {crd: {name: redis.example.com}, serviceClusterSelector: {}}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: CatalogEntrySet
metadata: {name: db}
spec:
  metadata: {displayName: DB}
  discover: {crd: {name: dbs.example.com}, serviceClusterSelector: {matchLabels: {continent: europe}}}
";

fn sources(files: &[(&str, &str)]) -> Sources {
    Sources::new(files.iter().map(|(p, t)| SourceFile { path: (*p).to_owned(), text: (*t).into() }).collect())
}

/// The diagnostics as `code place message`, and what is offered to whom.
fn meaning(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let sources = sources(files);
    let (loaded, mut found) = load(&sources);
    let (resolved, more) = resolve(&loaded);
    found.append(more);
    let said = found.into_sorted().into_iter().map(|d| {
        let place = d
            .primary
            .as_ref()
            .map_or(String::new(), |l| format!("{}:{}", sources.path(l.span), sources.position(l.span)));
        format!("{} {place} {}", d.code.id, d.message)
    });
    let offers = resolved.offers().into_iter().map(|(tenant, services)| {
        let names: Vec<&str> = services.iter().map(|i| resolved.services[*i].entry.as_str()).collect();
        format!("{tenant}: {}", names.join(" "))
    });
    (said.collect(), offers.collect())
}

fn catalog(spec: &str) -> String {
    format!("apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Catalog\nmetadata: {{name: default}}\nspec: {spec}\n")
}

#[test]
fn everything_to_everybody() {
    let all = catalog("{catalogEntrySelector: {}, tenantSelector: {}}");
    let (said, offers) =
        meaning(&[("accounts.yaml", ACCOUNTS), ("team-a/services.yaml", SERVICES), ("team-a/catalog.yaml", &all)]);
    assert_eq!(said, [""; 0]);
    assert_eq!(
        offers,
        ["both: db.eu-west-1 redis.eu-west-1 redis.us-east-1", "team-c: db.eu-west-1 redis.eu-west-1 redis.us-east-1"]
    );
}

#[test]
fn catalogs_select_by_labels_of_entries_tenants_and_clusters() {
    let tenants =
        "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Tenant\nmetadata: {name: team-c, labels: {tier: gold}}\n";
    let chosen = catalog(
        "{catalogEntrySelector: {matchLabels: {kind: cache}}, tenantSelector: {matchLabels: {tier: gold}}, \
         serviceClusterSelector: {matchLabels: {continent: america}}}",
    );
    let by_set = catalog(
        "{catalogEntrySelector: {matchLabels: {catalogentries.kubecarrier.io/controlled-by: db, \
         kubecarrier.io/service-cluster: eu-west-1}}, tenantSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}",
    )
    .replace("default", "second");
    let (said, offers) = meaning(&[
        ("accounts.yaml", ACCOUNTS),
        ("team-a/a.yaml", SERVICES),
        ("team-a/b.yaml", tenants),
        ("team-a/c.yaml", &chosen),
        ("team-a/d.yaml", &by_set),
    ]);
    assert_eq!(said, [""; 0]);
    assert_eq!(offers, ["both: db.eu-west-1", "team-c: redis.us-east-1"]);
}

#[test]
fn an_absent_selector_selects_nothing_and_says_so() {
    let (said, offers) =
        meaning(&[("accounts.yaml", ACCOUNTS), ("team-a/a.yaml", SERVICES), ("team-a/c.yaml", &catalog("{}"))]);
    assert_eq!(offers, [""; 0]);
    assert_eq!(
        said,
        [
            "CAR0261 team-a/a.yaml:14:18 no catalog selects this service, so nobody is offered it",
            "CAR0261 team-a/a.yaml:21:18 no catalog selects this service, so nobody is offered it",
            "CAR0260 team-a/c.yaml:4:1 the catalog has no `catalogEntrySelector`, so it selects no service",
            "CAR0260 team-a/c.yaml:4:1 the catalog has no `tenantSelector`, so it selects no tenant",
        ]
    );
}

#[test]
fn references_that_lead_nowhere_are_all_told_at_once() {
    let objects = "
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Catalog
metadata: {name: x, namespace: team-aa}
spec: {catalogEntrySelector: {}, tenantSelector: {}}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Catalog
metadata: {name: x, namespace: team-c}
spec: {catalogEntrySelector: {}, tenantSelector: {}}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Tenant
metadata: {name: team-a, namespace: team-a}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: CatalogEntry
metadata: {name: x, namespace: team-a}
spec: {metadata: {displayName: X}, baseCRD: {name: redis.internal.eu-west-9.team-a}}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: CatalogEntry
metadata: {name: z, namespace: team-a}
spec: {metadata: {displayName: X}, baseCRD: {name: redis.example.com}}
---
apiVersion: kubecarrier.io/v1alpha1
kind: ServiceCluster
metadata: {name: k8s, namespace: io}
spec: {kubeconfigSecret: {name: k}}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: io}
spec: {metadata: {displayName: IO}, roles: [Provider], subjects: [{kind: User, name: io}]}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata: {name: kube-public}
spec: {metadata: {displayName: P}, roles: [Provider], subjects: [{kind: User, name: p}]}
";
    let (said, _) = meaning(&[("accounts.yaml", ACCOUNTS), ("objects.yaml", objects)]);
    assert_eq!(
        said,
        [
            "CAR0250 objects.yaml:4:32 there is no Account `team-aa`, so nobody owns this namespace",
            "CAR0251 objects.yaml:9:32 the account `team-c` is no provider, so it cannot have a Catalog",
            "CAR0252 objects.yaml:14:18 the account `team-a` is no tenant",
            "CAR0256 objects.yaml:19:52 `team-a` has no ServiceCluster `eu-west-9`",
            "CAR0258 objects.yaml:24:52 `redis.example.com` is not the name of an internal CRD",
            "CAR0255 objects.yaml:28:18 the cluster `k8s` of `io` makes the API group `k8s.io`: Kubernetes keeps such groups for itself",
            "CAR0253 objects.yaml:38:18 the account `kube-public` would own the namespace `kube-public`, which belongs to the cluster",
        ]
    );
}

#[test]
fn a_path_that_cannot_be_read_is_underlined_to_the_letter() {
    let set = "apiVersion: catalog.kubecarrier.io/v1alpha1
kind: CatalogEntrySet
metadata: {name: redis, namespace: team-a}
spec:
  metadata: {displayName: Redis}
  discover: {crd: {name: redis.example.com}, serviceClusterSelector: {}}
  derive:
    expose:
    - versions: [v1]
      fields:
      - jsonPath: .spec.list[0].a
      - jsonPath: '.spec.list[0].a'
";
    let (said, _) = meaning(&[("accounts.yaml", ACCOUNTS), ("set.yaml", set)]);
    let syntax: Vec<&String> = said.iter().filter(|s| s.starts_with("CAR0302")).collect();
    assert!(syntax[0].starts_with("CAR0302 set.yaml:11:29 "), "{syntax:?}");
    assert!(syntax[1].starts_with("CAR0302 set.yaml:12:30 "), "{syntax:?}");
}
