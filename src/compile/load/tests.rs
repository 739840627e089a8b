//! Whole repositories in, objects and complaints out.

use super::{Loaded, load};
use crate::model::config::KubeconfigSource;
use crate::model::diagnostic::{Diagnostic, Diagnostics};
use crate::model::kinds::catalog::WebhookStrategy;
use crate::model::source::{SourceFile, Sources};

fn sources(files: &[(&str, &str)]) -> Sources {
    Sources::new(files.iter().map(|(p, t)| SourceFile { path: (*p).into(), text: (*t).into() }).collect())
}

/// What is said of these files, a line each: where, code, what is underlined, message.
fn said(files: &[(&str, &str)]) -> Vec<String> {
    let sources = sources(files);
    let (_, diagnostics) = load(&sources);
    lines(&sources, diagnostics)
}

fn lines(sources: &Sources, diagnostics: Diagnostics) -> Vec<String> {
    diagnostics.into_sorted().iter().map(|d| line(sources, d)).collect()
}

fn line(sources: &Sources, d: &Diagnostic) -> String {
    assert!(!d.help.is_empty(), "{} says how to mend it", d.code.id);
    let span = d.primary.as_ref().expect("a place").span;
    let text = &sources.get(span.file).expect("a file").text[span.start as usize..span.end as usize];
    format!("{}:{} {} [{text}] {}", sources.path(span), sources.position(span), d.code.id, d.message)
}

/// Loads what must have nothing wrong with it.
fn sound(files: &[(&str, &str)]) -> Loaded {
    let sources = sources(files);
    let (loaded, diagnostics) = load(&sources);
    let said = lines(&sources, diagnostics);
    assert!(said.is_empty(), "{said:#?}");
    loaded
}

const ACCOUNTS: &str = "\
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata:
  name: team-a
spec:
  metadata:
    displayName: The A Team
  roles: [Provider]
  subjects:
    - {kind: User, name: hannibal, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata:
  name: team-b
spec:
  roles: [Tenant]
  subjects:
    - {kind: User, name: team-b-member}
";

/// As the tutorial has it, which says the namespace to kubectl and not in the file.
const REDIS: &str = "\
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: CatalogEntrySet
metadata:
  name: redis
spec:
  metadata:
    displayName: Redis
    description: A database in memory
    shortDescription: A database
  discover:
    webhookStrategy: None
    crd:
      name:  redis.redis.redis.opstreelabs.in
    serviceClusterSelector: {}
  derive:
    expose:
    - versions:
      - v1beta1
      fields:
      - jsonPath: .spec.global.password
      - jsonPath: .spec.size
";

const CATALOG: &str = "\
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Catalog
metadata:
  name: default
spec:
  tenantSelector: {}
  catalogEntrySelector: {}
";

const CLUSTER: &str = "\
apiVersion: kubecarrier.io/v1alpha1
kind: ServiceCluster
metadata:
  name: eu-west-1
spec:
  metadata:
    displayName: EU West 1
  kubeconfigSecret:
    name: eu-west-1-kubeconfig
";

#[test]
fn the_tutorial_loads_as_it_stands() {
    let loaded = sound(&[
        ("accounts.yaml", ACCOUNTS),
        ("team-a/catalogs/catalog.yaml", CATALOG),
        ("team-a/cluster.yaml", CLUSTER),
        ("team-a/redis.yaml", REDIS),
    ]);
    let accounts: Vec<String> = loaded.accounts.iter().map(super::Object::id).collect();
    assert_eq!(accounts, ["Account/team-a", "Account/team-b"]);
    assert!(loaded.accounts[0].spec.is_provider() && loaded.accounts[1].spec.is_tenant());
    assert_eq!(loaded.catalogs[0].id(), "Catalog/team-a/default");
    assert_eq!(loaded.service_clusters[0].id(), "ServiceCluster/team-a/eu-west-1");
    let set = &loaded.catalog_entry_sets[0];
    assert_eq!(set.id(), "CatalogEntrySet/team-a/redis");
    assert_eq!(set.spec.discover.webhook_strategy, WebhookStrategy::None);
    let derive = set.spec.derive.as_ref().expect("an exposure");
    assert_eq!(derive.expose[0].fields[1].json_path, ".spec.size");
    let sources = sources(&[("r", REDIS)]);
    let place = set.place("/spec/derive/expose/0/fields/1/jsonPath");
    let place = crate::model::source::Span { file: crate::model::source::FileId(0), ..place };
    assert_eq!(sources.position(place).to_string(), "21:19");
}

#[test]
fn additions_of_carrier_are_read() {
    let set = REDIS.to_owned()
        + "      defaults:\n      - {jsonPath: .spec.mode, value: standalone}\n      presets:\n      - {jsonPath: .spec.tls, value: {ca: [1]}}\n    kind: Cache\n    plural: caches\n";
    let catalog = CATALOG.to_owned() + "  serviceClusterSelector: {matchLabels: {tier: gold}}\n";
    let loaded = sound(&[("accounts.yaml", ACCOUNTS), ("team-a/s.yaml", &set), ("team-a/c.yaml", &catalog)]);
    let derive = loaded.catalog_entry_sets[0].spec.derive.clone().expect("an exposure");
    assert_eq!((derive.kind.as_deref(), derive.plural.as_deref()), (Some("Cache"), Some("caches")));
    assert_eq!(derive.expose[0].defaults[0].value, "standalone");
    assert_eq!(derive.expose[0].presets[0].value, serde_json::json!({"ca": [1]}));
    assert!(loaded.catalogs[0].spec.service_cluster_selector.is_some());
}

#[test]
fn order_of_files_does_not_matter_and_neither_does_their_number() {
    let one = sound(&[("all.yaml", &[ACCOUNTS, "---\n", &with_namespace(CATALOG)].concat())]);
    assert_eq!(one.catalogs[0].namespace.as_deref(), Some("team-a"));
    let many: Vec<(String, String)> =
        (0..300).map(|i| (format!("team-a/{i}.yaml"), CATALOG.replace("default", &format!("c{i}")))).collect();
    let mut files: Vec<(&str, &str)> = many.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    files.push(("z/accounts.yaml", ACCOUNTS));
    let loaded = sound(&files);
    assert_eq!(loaded.catalogs.len(), 300, "read in several threads");
    assert!(loaded.catalogs.is_sorted_by_key(|c| c.name.clone()));
}

fn with_namespace(text: &str) -> String {
    text.replacen("metadata:\n", "metadata:\n  namespace: team-a\n", 1)
}

#[test]
fn the_nearest_folder_of_a_provider_is_the_namespace() {
    let second = ACCOUNTS.replace("team-a", "team-c").replace("team-b", "team-d");
    let loaded = sound(&[
        ("a.yaml", ACCOUNTS),
        ("b.yaml", &second),
        ("team-c/team-b/team-a/x/catalog.yaml", CATALOG),
        ("team-c/team-b/catalog.yaml", CATALOG),
    ]);
    let ids: Vec<String> = loaded.catalogs.iter().map(super::Object::id).collect();
    assert_eq!(ids, ["Catalog/team-a/default", "Catalog/team-c/default"], "team-b is a tenant, no folder of its own");
}

#[test]
fn without_a_namespace_both_fixes_are_shown() {
    let sources = sources(&[("a.yaml", ACCOUNTS), ("x/catalog.yaml", CATALOG)]);
    let (loaded, diagnostics) = load(&sources);
    assert!(loaded.catalogs.is_empty());
    let all = diagnostics.into_sorted();
    assert_eq!(
        line(&sources, &all[0]),
        "x/catalog.yaml:4:9 CAR0212 [default] the Catalog `default` does not say its namespace"
    );
    assert_eq!(
        all[0].help,
        [
            "add `namespace: team-a` to its `metadata`",
            "or move the file into a folder of that name: `team-a/catalog.yaml`"
        ]
    );
    assert_eq!(all[0].object.as_deref(), Some("Catalog/default"));
}

#[test]
fn everything_wrong_with_an_object_is_said_at_once() {
    let text = "\
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata:
  name: Team_A
  namespace: x
  lables: {}
  labels: {tier: very good, on: off}
spec:
  metadata:
    displayname: yes
  roles: [provider, provider]
  subjects: []
  extra: 1
";
    assert_eq!(
        said(&[("a.yaml", text)]),
        [
            "a.yaml:4:9 CAR0210 [Team_A] `Team_A` cannot be the name of an Account: character 1 is 'T'; only a-z, 0-9 and `-` are allowed",
            "a.yaml:5:3 CAR0211 [namespace] an Account lives in no namespace",
            "a.yaml:6:3 CAR0201 [lables] unknown field `lables` in `metadata`",
            "a.yaml:7:18 CAR0214 [very good] `very good` cannot be the value of the label `tier`: character 5 is ' '; only A-Z, a-z, 0-9, `-`, `_` and `.` are allowed",
            "a.yaml:7:29 CAR0116 [on] the key `on` is read by Kubernetes as `true`",
            "a.yaml:7:33 CAR0112 [off] `off` is read by Kubernetes as the boolean false",
            "a.yaml:10:5 CAR0201 [displayname] unknown field `displayname` in `spec.metadata`",
            "a.yaml:11:11 CAR0204 [provider] `provider` is not a value of `spec.roles[0]`",
            "a.yaml:11:21 CAR0204 [provider] `provider` is not a value of `spec.roles[1]`",
            "a.yaml:11:21 CAR0207 [provider] `provider` stands twice in `spec.roles`",
            "a.yaml:12:13 CAR0205 [[]] `spec.subjects` is empty",
            "a.yaml:13:3 CAR0201 [extra] unknown field `extra` in `spec`",
        ]
    );
}

/// One document and the one thing said about it.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn one_complaint_each() {
    let account = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\n";
    let roles = "spec: {roles: [Tenant], subjects: [{kind: User, name: x}]}\n";
    let entry_set = |derive: &str| {
        format!(
            "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: CatalogEntrySet\nmetadata: {{name: r, namespace: team-a}}\nspec:\n  metadata: {{displayName: R}}\n  discover: {{crd: {{name: x}}, serviceClusterSelector: {{}}}}\n{derive}"
        )
    };
    let catalog = |selector: &str| {
        format!(
            "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Catalog\nmetadata: {{name: r, namespace: team-a}}\nspec:\n  tenantSelector: {selector}\n"
        )
    };
    let kind = |api: &str, kind: &str| format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}\n");
    for (text, line) in [
        (format!("{account}{roles}"), "CAR0202 [Account] `metadata.name` is missing"),
        (format!("{account}metadata: {{}}\n{roles}"), "CAR0202 [metadata] `metadata.name` is missing"),
        (
            format!("{account}metadata: x\n{roles}"),
            "CAR0203 [x] `metadata` is the string \"x\", a mapping was expected",
        ),
        (format!("{account}metadata: {{nmae: x}}\n{roles}"), "CAR0201 [nmae] unknown field `nmae` in `metadata`"),
        (format!("{account}metadata: {{name: 1}}\n{roles}"), "CAR0112 [1] `1` is read by Kubernetes as the number 1"),
        (
            format!("{account}metadata: {{generateName: x-}}\n{roles}"),
            "CAR0213 [generateName] `generateName` cannot be used",
        ),
        (format!("{account}metadata: {{name: x}}\n"), "CAR0202 [Account] `spec` is missing"),
        (format!("{account}metadata: {{name: x}}\nspecs: 1\n"), "CAR0201 [specs] unknown field `specs`"),
        (format!("{account}metadata: {{name: x}}\nspec:\n"), "CAR0203 [spec] `spec` has no value"),
        (
            format!("{account}metadata: {{name: x, uid: y, creationTimestamp: null}}\n{roles}"),
            "CAR0215 [uid] `metadata.uid` is set by the API server, and left out here",
        ),
        (
            format!("{account}metadata: {{name: x}}\n{roles}status: {{phase: Ready}}\n"),
            "CAR0216 [status] the status is left out",
        ),
        (
            format!("{account}metadata: {{name: x}}\n{}", roles.replace("Tenant", "Provider")),
            "CAR0233 [roles] a provider needs `spec.metadata`",
        ),
        (
            format!("{account}metadata: {{name: x}}\n{}", roles.replace("User", "user")),
            "CAR0204 [user] `user` is not a value of `spec.subjects[0].kind`",
        ),
        (
            kind("catalog.kubecarrier.io/v1", "Account"),
            "CAR0220 [catalog.kubecarrier.io/v1] Account has no version `v1`",
        ),
        (
            kind("catalog.kubecarrier.io/v1alpha1", "CatalogEntrySets"),
            "CAR0221 [CatalogEntrySets] `catalog.kubecarrier.io` has no kind `CatalogEntrySets`",
        ),
        (
            kind("kubecarrier.io/v1alpha1", "Catalog"),
            "CAR0221 [kubecarrier.io/v1alpha1] `kubecarrier.io` has no kind `Catalog`, that is of `catalog.kubecarrier.io`",
        ),
        (
            kind("catalog.kubecarier.io/v1alpha1", "Account"),
            "CAR0222 [catalog.kubecarier.io/v1alpha1] this Account is ignored, its apiVersion is not one of KubeCarrier's",
        ),
        (
            kind("v1alpha1", "Account"),
            "CAR0222 [v1alpha1] this Account is ignored, its apiVersion is not one of KubeCarrier's",
        ),
        (kind("catalog.kubecarrier.io/v1alpha1", "Offering"), "CAR0223 [Offering] carrier makes every Offering itself"),
        (
            kind("kubecarrier.io/v1alpha1", "ServiceClusterAssignment"),
            "CAR0223 [ServiceClusterAssignment] carrier makes every ServiceClusterAssignment itself",
        ),
        (
            kind("catalog.kubecarrier.io/v1alpha1", "DerivedCustomResource"),
            "CAR0224 [DerivedCustomResource] carrier does without DerivedCustomResource",
        ),
        (
            kind("kubecarrier.io/v1alpha1", "CustomResourceDiscoverySet"),
            "CAR0224 [CustomResourceDiscoverySet] carrier does without CustomResourceDiscoverySet",
        ),
        (
            kind("operator.kubecarrier.io/v1alpha1", "KubeCarrier"),
            "CAR0225 [KubeCarrier] KubeCarrier of operator.kubecarrier.io is ignored",
        ),
        (
            "kind: CatalogEntrySet\nmetadata: {name: x}\n".into(),
            "CAR0226 [CatalogEntrySet] the CatalogEntrySet has no apiVersion",
        ),
        (
            "apiVersion: kubecarrier.io/v1alpha1\nmetadata: {name: x}\n".into(),
            "CAR0226 [kubecarrier.io/v1alpha1] the object has no kind",
        ),
        (
            entry_set("  derive: {expose: [{versions: [v1]}]}\n"),
            "CAR0231 [versions] nothing of these versions is exposed",
        ),
        (entry_set("  derive: {expose: []}\n"), "CAR0205 [[]] `spec.derive.expose` is empty"),
        (
            entry_set("  derive: {plural: Caches, expose: [{versions: [v1], fields: [{jsonPath: .spec}]}]}\n"),
            "CAR0206 [Caches] `Caches` cannot be `spec.derive.plural`",
        ),
        (catalog("{matchExpressions: [{key: a, operator: In}]}"), "CAR0232 [In] `In` needs values"),
        (
            catalog("{matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
            "CAR0232 [Exists] `Exists` takes no values",
        ),
        (
            catalog("{matchLabels: {a b: c}}"),
            "CAR0214 [a b] `a b` cannot be the key of a label: character 2 is ' '; only A-Z, a-z, 0-9, `-`, `_` and `.` are allowed",
        ),
        (
            catalog("{matchLabels: {a: b c}}"),
            "CAR0214 [b c] `b c` cannot be the value of a label: character 2 is ' '; only A-Z, a-z, 0-9, `-`, `_` and `.` are allowed",
        ),
        (catalog("{matchLabels: {a: yes}}"), "CAR0112 [yes] `yes` is read by Kubernetes as the boolean true"),
    ] {
        let said = said(&[("a.yaml", &text)]);
        assert_eq!(said.len(), 1, "{text}\n{said:#?}");
        let (_, said) = said[0].split_once(' ').expect("a place and the rest");
        assert_eq!(said, line, "{text}");
    }
}

#[test]
fn strangers_are_ignored_and_counted() {
    let strangers = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: x}
---
apiVersion: eu-west-1.team-a/v1beta1
kind: Redis
metadata: {name: x}
---
apiVersion: pkg.crossplane.io/v1
kind: Provider
metadata: {name: x}
---
resources: [a.yaml]
---
kind: Account
user: me
---
- just a list
---
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: Account
metadata:
  name: sample
  annotations: {config.kubernetes.io/local-config: \"true\"}
";
    let loaded = sound(&[("x/a.yaml", strangers), ("x/notes.txt", "kind: [")]);
    assert_eq!(loaded.ignored, 7);
    assert!(loaded.accounts.is_empty());
}

#[test]
fn lists_are_taken_apart() {
    let item = |text: &str| format!("  - {}\n", text.trim_end().replace('\n', "\n    "));
    let items = ACCOUNTS.split("---\n").map(item).collect::<Vec<_>>().concat();
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{items}");
    let typed = format!("apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: AccountList\nitems:\n{items}");
    for text in [list, typed] {
        let loaded = sound(&[("a.yaml", &text), ("team-a/c.yaml", CATALOG)]);
        assert_eq!((loaded.accounts.len(), loaded.catalogs.len(), loaded.ignored), (2, 1, 0));
    }
}

#[test]
fn an_object_is_written_once() {
    let sources = sources(&[("a.yaml", ACCOUNTS), ("b.yaml", ACCOUNTS)]);
    let (loaded, diagnostics) = load(&sources);
    assert_eq!(loaded.accounts.len(), 2, "the first of each stays");
    let all = diagnostics.into_sorted();
    assert_eq!(line(&sources, &all[0]), "b.yaml:4:9 CAR0230 [team-a] `Account/team-a` is written twice");
    assert_eq!(sources.path(all[0].labels[0].span), "a.yaml");
    assert_eq!(all.len(), 2);
}

#[test]
fn a_broken_object_is_known_by_name_and_brings_no_followers() {
    let broken = ACCOUNTS.replace("roles: [Provider]", "roles: Provider");
    let sources = sources(&[("a.yaml", &broken), ("team-a/c.yaml", CATALOG)]);
    let (loaded, diagnostics) = load(&sources);
    assert_eq!(
        lines(&sources, diagnostics),
        ["a.yaml:8:10 CAR0203 [Provider] `spec.roles` is the string \"Provider\", a list was expected"]
    );
    assert_eq!(loaded.catalogs[0].id(), "Catalog/team-a/default", "the folder still counts");
    let broken: Vec<String> = loaded.broken.iter().map(ToString::to_string).collect();
    assert_eq!(broken, ["Account/team-a"]);
}

#[test]
fn what_yaml_refused_is_not_complained_about_again() {
    let text = ACCOUNTS.replace("displayName: The A Team", "displayName: !vault x");
    let sources = sources(&[("a.yaml", &text), ("team-a/c.yaml", CATALOG)]);
    let (loaded, diagnostics) = load(&sources);
    let said = lines(&sources, diagnostics);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("CAR0104"), "{said:#?}");
    assert_eq!(loaded.broken.len(), 1);
}

#[test]
fn kubectl_s_own_annotation_is_left_out() {
    let text = CATALOG.replacen(
        "metadata:\n",
        "metadata:\n  namespace: team-a\n  labels:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: \"{}\"\n    note: kept\n",
        1,
    );
    let loaded = sound(&[("c.yaml", &text)]);
    assert_eq!(loaded.catalogs[0].annotations.keys().collect::<Vec<_>>(), ["note"]);
}

#[test]
fn secrets_are_found_and_never_shown() {
    let secret = |rest: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n{rest}");
    let kubeconfig = "apiVersion: v1\nkind: Config\nclusters: []\nusers: [{name: u, user: {token: x}}]\n";
    for (text, line) in [
        (
            secret("stringData: {kubeconfig: abc}\n"),
            Some("s.yaml:4:14 CAR0801 [kubeconfig] the Secret `s` holds a kubeconfig"),
        ),
        (
            secret("data: {other: YQ==, value: YQ==}\n"),
            Some("s.yaml:4:21 CAR0801 [value] the Secret `s` holds a kubeconfig"),
        ),
        (secret("data: {password: YQ==}\n"), Some("s.yaml:4:8 CAR0802 [password] the Secret `s` is in plain text")),
        (secret("stringData: {kubeconfig: ENC}\nsops: {version: 3.9.0}\n"), None),
        (secret("type: Opaque\n"), None),
        (kubeconfig.to_owned(), Some("s.yaml:2:7 CAR0801 [Config] this is a kubeconfig")),
        (format!("{kubeconfig}sops: {{version: 3.9.0}}\n"), None),
    ] {
        let sources = sources(&[("s.yaml", &text)]);
        let (_, diagnostics) = load(&sources);
        assert!(diagnostics.iter().all(|d| d.primary.as_ref().is_some_and(|l| l.sensitive)), "{text}");
        assert_eq!(lines(&sources, diagnostics), line.into_iter().collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn what_stands_beside_a_secret_is_not_shown_either() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: YQ==}\n---\n";
    let text = secret.to_owned() + &ACCOUNTS.replace("displayName", "displayname");
    let (_, diagnostics) = load(&sources(&[("s.yaml", &text)]));
    assert_eq!(diagnostics.iter().count(), 2);
    assert!(diagnostics.iter().all(|d| d.primary.as_ref().is_some_and(|l| l.sensitive)));
    let broken = "apiVersion: v1\nkind: Secret\nstringData:\n  password: \"abc\n";
    let (_, diagnostics) = load(&sources(&[("s.yaml", broken)]));
    assert!(diagnostics.has_errors());
    assert!(diagnostics.iter().all(|d| d.primary.as_ref().is_some_and(|l| l.sensitive)), "{diagnostics:?}");
}

#[test]
fn settings() {
    let text = "\
apiVersion: carrier/v1
output: ./out/
snapshots: crds
management: {kubeconfig: ~/.kube/config, context: hub, uid: 2f0}
serviceClusters:
  team-a/eu-west-1: {env: EU_WEST_1}
  team-a/eu-west-2: {secret: true}
render: {for: flux, flux: {sourceKind: OCIRepository}}
";
    let broken = "kind: Account\napiVersion: [";
    let config =
        sound(&[("carrier.yaml", text), ("out/a.yaml", broken), ("crds/x.yaml", broken), ("carrier.lock", broken)])
            .config;
    assert_eq!((config.output.as_str(), config.snapshots.as_str()), ("out", "crds"));
    assert_eq!(config.service_clusters["team-a/eu-west-1"].source(), Some(KubeconfigSource::Env("EU_WEST_1".into())));
    assert_eq!(sound(&[("carrier.yaml", "# nothing yet\n")]).config, crate::model::config::Config::default());
}

#[test]
fn what_is_wrong_with_the_settings() {
    for (text, line) in [
        ("outputs: x", "CAR0020 [outputs] unknown field `outputs`"),
        ("output: 1", "CAR0112 [1] `1` is read by Kubernetes as the number 1"),
        ("output: \"\"", "CAR0021 [\"\"] `output` is empty"),
        ("apiVersion: carrier/v2", "CAR0021 [carrier/v2] `carrier/v2` is not a value of `apiVersion`"),
        ("render: {for: fluxcd}", "CAR0021 [fluxcd] `fluxcd` is not a value of `render.for`"),
        ("serviceClusters: {a/b: {env: 1A}}", "CAR0021 [1A] `1A` cannot be `serviceClusters.a/b.env`"),
        ("- a", "CAR0023 [- a] carrier.yaml is not a mapping of settings"),
        ("output: a\n---\noutput: b", "CAR0023 [output] carrier.yaml has more than one document"),
        ("output: ../a", "CAR0024 [../a] `../a` cannot be the folder `output`: it leads out of the repository"),
        ("output: /a", "CAR0024 [/a] `/a` cannot be the folder `output`: it is not relative to the repository's root"),
        ("snapshots: .", "CAR0024 [.] `.` cannot be the folder `snapshots`: it is the repository itself"),
        (
            "output: snapshots/x",
            "CAR0024 [snapshots/x] the folder `snapshots/x` of `output` is inside `snapshots`, the folder of `snapshots`",
        ),
        ("serviceClusters: {eu: {env: A}}", "CAR0025 [eu] the key is not the name of a service cluster"),
        ("serviceClusters: {a/b: {}}", "CAR0026 [a/b] nothing says how to reach the cluster"),
        (
            "serviceClusters: {a/b: {env: A, secret: true}}",
            "CAR0026 [a/b] the cluster is to be reached in 2 ways: by `env` and by `secret`",
        ),
        ("management: {token: abc}", "CAR0803 [token] credentials must not stand in carrier.yaml"),
        ("management: {kubeconfig: \"{a}\"}", "CAR0803 [kubeconfig] credentials must not stand in carrier.yaml"),
        (
            "management:\n  kubeconfig: |\n    apiVersion: v1\n    users: []\n",
            "CAR0803 [kubeconfig] credentials must not stand in carrier.yaml",
        ),
    ] {
        let said = said(&[("carrier.yaml", text)]);
        assert_eq!(said.len(), 1, "{text}\n{said:#?}");
        assert_eq!(said[0].split_once(' ').map(|(_, rest)| rest), Some(line), "{text}");
    }
}

#[test]
fn credentials_in_the_settings_are_not_shown() {
    let (_, diagnostics) = load(&sources(&[("carrier.yaml", "management: {token: abc, contxt: x}")]));
    assert_eq!(diagnostics.iter().count(), 2);
    assert!(diagnostics.iter().all(|d| d.primary.as_ref().is_some_and(|l| l.sensitive)));
}

#[test]
fn empty_specs_where_nothing_is_needed() {
    let text = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Tenant\nmetadata: {name: team-b, labels: {tier: gold}}\n---\napiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Catalog\nmetadata: {name: c}\nspec:\n";
    let loaded = sound(&[("accounts.yaml", ACCOUNTS), ("team-a/t.yaml", text)]);
    assert_eq!(loaded.tenants[0].labels["tier"], "gold");
    assert!(loaded.catalogs[0].spec.tenant_selector.is_none());
}

#[test]
fn a_service_account_is_named_in_full() {
    let account = |subject: &str| {
        let text = format!(
            "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\nmetadata: {{name: a}}\n\
             spec: {{roles: [Tenant], subjects: [{{kind: ServiceAccount, {subject}}}]}}\n"
        );
        let sources = Sources::new(vec![SourceFile { path: "a.yaml".into(), text: text.into() }]);
        load(&sources).1.into_sorted().into_iter().map(|d| format!("{} {}", d.code.id, d.message)).collect::<Vec<_>>()
    };
    assert_eq!(account("name: bot, namespace: ci"), [""; 0]);
    assert_eq!(account("name: bot"), ["CAR0202 the service account `bot` needs a namespace"]);
    let wrong = account("name: bot, namespace: C_I");
    assert!(wrong.len() == 1 && wrong[0].starts_with("CAR0210 `C_I` cannot be the name of a namespace"), "{wrong:?}");
}

#[test]
fn what_is_said_of_a_secret_quotes_nothing_of_it() {
    for value in ["*hunter2", "!hunter2 x", "[hunter2"] {
        let text = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData:\n  password: {value}\n");
        let sources = Sources::new(vec![SourceFile { path: "a.yaml".into(), text: text.into() }]);
        let (_, diagnostics) = load(&sources);
        assert!(diagnostics.has_errors(), "{value}");
        assert!(!format!("{diagnostics:?}").contains("hunter2"), "{diagnostics:?}");
    }
}
