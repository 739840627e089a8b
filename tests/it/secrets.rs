//! No secret in any output: a marker is put wherever a credential may stand by mistake, in
//! YAML that reads and YAML that does not, and no command may print it in any format.

use std::fs;
use std::path::Path;

use crate::command::carrier;
use crate::common::example;
use crate::harness::Case;
use carrier::program::Exit;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        no_command_prints_a_credential,
        a_kubeconfig_in_the_settings_is_refused_as_one,
        the_key_is_named_and_the_value_is_not,
        what_holds_no_credential_is_still_shown,
        no_output_shows_what_a_catalog_sets,
        a_value_for_a_credential_is_not_quoted,
    ]
}

const MARKER: &str = "S3CRETMARKER";

/// What stands as a value: `@` is the marker. Some read as YAML, some do not.
const VALUES: &[&str] = &[
    "@",
    "\"@\"",
    "'@",
    "\"@",
    "\"@\\q\"",
    "*@",
    "!@ x",
    "!!int @",
    "&@ [",
    "[@",
    "{@",
    "[@]",
    "{@: x}",
    "{x: @}",
    "{x: @, x: @}",
    "{token: @}",
    "{users: [{user: {token: @}}]}",
    "@: x",
    "x: @",
    "|\n          @",
    "|\n          apiVersion: v1\n          kind: Config\n          users: [{user: {token: @}}]",
    "\n          @: x",
    "\n          - @\n          - @",
    "\n          a: @\n          a: @",
    "\"apiVersion: v1\\nkind: Config\\nusers:\\n- user: {token: @}\"",
    "\"a\n@",
    "-----BEGIN PRIVATE KEY-----@",
    "\t@",
    "@\n\tx: @",
    "%@",
    "`@`",
    "@ # @\n   bad",
    "https://user:@@git.example.com/x",
];

/// The beginning of an object.
const HEAD: &str = "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\nmetadata:\n  name: team-a\n";

/// A file and its text; `$` is the value.
const PLACES: &[(&str, &str)] = &[
    ("carrier.yaml", "management: {token: $}\n"),
    ("carrier.yaml", "management:\n  token: $\n"),
    ("carrier.yaml", "management:\n  password: $\noutput: [\n"),
    ("carrier.yaml", "management:\n  kubeconfig: $\n  contxt: x\n"),
    ("carrier.yaml", "management: $\n"),
    ("carrier.yaml", "token: $\n"),
    ("carrier.yaml", "data: $\n"),
    ("carrier.yaml", "serviceClusters:\n  team-a/eu-west-1: $\n"),
    ("carrier.yaml", "serviceClusters:\n  team-a/eu-west-1:\n    env: $\n"),
    ("carrier.yaml", "serviceClusters:\n  team-a/eu-west-1:\n    secret: $\n"),
    ("carrier.yaml", "serviceClusters: {team-a/eu-west-1: {env: $}}\n"),
    ("carrier.yaml", "serviceClusters:\n- $\n"),
    ("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata: {\"x\": $}\n"),
    ("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData:\n  x: $\n"),
    ("secret.yaml", "apiVersion: v1\nkind: secret\nmetadata: {name: x}\ndata:\n  x: $\n  x: $\n"),
    ("secret.yaml", "{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"data\": {\"x\": $}}\n"),
    ("secret.yaml", "stringData:\n  x: $\nkind:   'SECRET'\napiVersion: v1\n"),
    ("config.yaml", "apiVersion: v1\nkind: Config\nclusters: []\nusers:\n- name: x\n  user:\n    token: $\n"),
    ("config.yaml", "apiVersion: v1\nkind: Config\nusers:\n- name: x\n  user:\n    client-key-data: $\n"),
    ("other.yaml", "password: $\npassword: $\n"),
    ("other.yaml", "x:\n- clientSecret: $\n  y: [\n"),
    ("other.yaml", "? token\n: $\n"),
    ("accounts/team-a.yaml", "@HEADspec:\n  roles: [Provider]\n  password: $\n"),
    ("accounts/team-a.yaml", "@HEADspec:\n  roles: [Provider]\n  token:\n    $\n"),
    ("accounts/team-a.yaml", "@HEADspec: {roles: [Provider], apiKey: $}\n"),
    ("accounts/team-a.yaml", "@HEADtoken: $\nspec:\n  roles: [Provdr]\n"),
    ("clusters/eu.yaml", "@CLUSTERspec:\n  token: $\n"),
    ("clusters/eu.yaml", "@CLUSTERspec:\n  kubeconfig: $\n"),
    ("clusters/eu.yaml", "@CLUSTERspec:\n  kubeconfigSecret: $\n"),
    ("clusters/eu.yaml", "@CLUSTERspec:\n  kubeconfigSecret: {name: x, data: $}\n"),
    ("clusters/eu.yaml", "@CLUSTERspec:\n  kubeconfigSecret:\n    name: x\n    data: $\n"),
    ("snapshots/team-a/eu/x.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata:\n  x: $\n"),
    ("snapshots/team-a/eu/x.yaml", "apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  data: {x: $}\n"),
    ("carrier.lock", "token: $\n"),
];

fn text(template: &str, value: &str) -> String {
    let cluster = HEAD.replace("Account", "ServiceCluster").replace("name: team-a", "name: eu\n  namespace: team-a");
    let cluster = cluster.replace("catalog.kubecarrier", "kubecarrier");
    let text = template.replace("@HEAD", HEAD).replace("@CLUSTER", &cluster);
    text.replace(
        '$',
        &value.replacen("@@", "\0@", 1).replace(['@', '\0'], MARKER).replacen(
            &format!("{MARKER}{MARKER}"),
            &format!("{MARKER}@"),
            1,
        ),
    )
}

fn put(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(carrier(dir.path(), &["-q", "init"]).exit, Exit::Fine);
    dir
}

/// What the commands print in a repository with these files, and given the last of them; where the
/// marker is in it, that.
fn leaks(files: &[(String, String)]) -> Vec<String> {
    let dir = repository();
    for (path, text) in files {
        put(dir.path(), path, text);
    }
    let given = tempfile::tempdir().unwrap();
    for (path, text) in files {
        put(given.path(), &path.replace("s/", "-").replace(".lock", ".yaml"), text);
    }
    let given = given.path().to_string_lossy().into_owned();
    let clean = repository();
    let mut found = Vec::new();
    for (root, args) in [
        (dir.path(), &["check"][..]),
        (dir.path(), &["check", "-o", "json"]),
        (dir.path(), &["check", "-o", "sarif"]),
        (dir.path(), &["check", "-o", "github"]),
        (dir.path(), &["-v", "render", "--check"]),
        (dir.path(), &["fields", "x"]),
        (clean.path(), &["lock", "--check", "--from", &given]),
        (clean.path(), &["fields", "--from", &given]),
    ] {
        // A single file is quick to say much about: one format tells of the others.
        if files.len() == 1 && !matches!(args, ["check", "-o", "json"] | ["check"] | ["fields", "--from", _]) {
            continue;
        }
        let said = carrier(root, args).transcript();
        let lines: Vec<&str> = said.lines().collect();
        if let Some(at) = lines.iter().position(|line| line.contains(MARKER)) {
            let around = lines[at.saturating_sub(4)..lines.len().min(at + 4)].join("\n");
            found.push(format!("{args:?}\n{around}\n\n"));
        }
    }
    found
}

fn no_command_prints_a_credential() {
    let mut found = Vec::new();
    for (path, template) in PLACES {
        // A key that is no credential may be named: in the settings nothing above it is one.
        let is_key = |value: &str| *path == "carrier.yaml" && value.contains("@: x");
        let values = VALUES.iter().filter(|value| !is_key(value));
        let all: Vec<(String, String)> = values.map(|v| ((*path).to_owned(), text(template, v))).collect();
        assert!(all.iter().all(|(_, text)| text.contains(MARKER)));
        match path.strip_suffix(".yaml").filter(|_| *path != "carrier.yaml") {
            // One repository for all of them: a broken file keeps out no other.
            Some(stem) => {
                let files: Vec<_> =
                    all.into_iter().enumerate().map(|(i, (_, text))| (format!("{stem}-{i}.yaml"), text)).collect();
                found.extend(leaks(&files));
            }
            None => all.into_iter().for_each(|file| found.extend(leaks(&[file]))),
        }
    }
    assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.concat());
}

fn said(path: &str, text: &str) -> String {
    let dir = repository();
    put(dir.path(), path, text);
    carrier(dir.path(), &["check"]).transcript()
}

fn a_kubeconfig_in_the_settings_is_refused_as_one() {
    for text in [
        "serviceClusters: {team-a/eu-west-1: {env: \"apiVersion: v1\\nkind: Config\\nusers:\\n- user: {token: X}\"}}\n",
        "serviceClusters:\n  team-a/eu-west-1: |\n    kind: Config\n    users: []\n",
        "render:\n  argo:\n    repoURL: https://user:PASS@git.example.com/x\n",
        "render: {for: argo, argo: {repoURL: \"https://PASS@git.example.com/x\"}}\n",
    ] {
        let said = said("carrier.yaml", text);
        assert!(said.contains("CAR0803") && said.contains("•••") && !said.contains("PASS"), "{said}");
    }
    for url in ["ssh://git@git.example.com/x", "git@git.example.com:x/y", "https://git.example.com/x"] {
        let said = said("carrier.yaml", &format!("render: {{for: argo, argo: {{repoURL: \"{url}\"}}}}\n"));
        assert!(!said.contains("CAR0803"), "{said}");
    }
}

fn the_key_is_named_and_the_value_is_not() {
    let text = format!("{HEAD}spec:\n  roles: [Provider]\n  password: X1Y2\n");
    let said = said("accounts/team-a.yaml", &text);
    assert!(said.contains("unknown field `password`") && said.contains("•••") && !said.contains("X1Y2"), "{said}");
}

fn what_holds_no_credential_is_still_shown() {
    let said = said("carrier.yaml", "render: {for: fluxcd}\n");
    assert!(said.contains("`fluxcd`"), "{said}");
}

/// The values that a catalog gives to fields of the example.
fn assigned(kind: &str, path: &str, value: &str) -> String {
    format!("      {kind}:\n      - jsonPath: {path}\n        value: {value}\n")
}

/// Whether a file of a folder has the marker.
fn holds_marker(folder: &Path) -> bool {
    let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.any(|path| match path.is_dir() {
        true => holds_marker(&path),
        false => fs::read_to_string(path).unwrap().contains(MARKER),
    })
}

/// Presets and defaults may be credentials under any name, and tenants do not see what a service gets from its provider.
/// Only what is rendered has them, because it is what the clusters get.
fn no_output_shows_what_a_catalog_sets() {
    let dir = repository();
    let root = dir.path();
    let before = tempfile::tempdir().unwrap();
    let offer = |more: &str| {
        example::offer(root, &[".spec.size", ".status.phase"]);
        let file = root.join("catalogs/example.yaml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{text}{more}")).unwrap();
    };
    let values = |default: &str, list: &str, preset: &str| {
        let more = format!("      - jsonPath: .spec.listeners\n        value: {list}\n");
        let presets = assigned("presets", ".spec.labels", preset);
        format!("{}{more}{presets}", assigned("defaults", ".spec.image", default))
    };
    let one = values("S3CRETMARKER1", "[{name: S3CRETMARKER2}]", "{a: S3CRETMARKER3}");
    let two = values("S3CRETMARKER4", "[{name: S3CRETMARKER5}, {name: x}]", "{a: S3CRETMARKER6, b: c}");
    let long = values(&format!("S3CRETMARKER{}", "x".repeat(300)), "[]", "{}");
    let lines = values("\"S3CRETMARKER\\na\\nb\"", "[]", "{}");
    let none = format!("      - jsonPath: .spec.image\n{}", assigned("presets", ".spec.labels", "{}"));
    let none = none.as_str();
    for (from, to) in [
        (one.as_str(), two.as_str()),
        (none, one.as_str()),
        (one.as_str(), none),
        (one.as_str(), long.as_str()),
        (long.as_str(), lines.as_str()),
        (lines.as_str(), one.as_str()),
    ] {
        offer(from);
        let old = before.path().join("rendered");
        let rendered = carrier(root, &["render", "--out", &old.to_string_lossy()]);
        assert_eq!(rendered.exit, Exit::Fine, "{}", rendered.transcript());
        assert!(from == none || holds_marker(&old), "what is rendered is whole");
        offer(to);
        let against = old.to_string_lossy().into_owned();
        let saved = root.join("saved.json");
        let checks =
            [&["-v", "check"][..], &["check", "-o", "json"], &["check", "-o", "sarif"], &["check", "-o", "github"]];
        // One pair of values is enough for what compares nothing.
        let checks = if from == one { &checks[..] } else { &[] };
        let others = [
            &["-v", "plan", "--against", &against][..],
            &["plan", "--against", &against, "--summary"],
            &["plan", "--against", &against, "-o", "json"],
            &["-v", "plan", "--against", &against, "-o", "markdown"],
            &["plan", "--against", &against, "--out", "saved.json"],
            &["-v", "render", "--check", "--out", &against],
            &["lock", "--check", "--from", "snapshots"],
        ];
        for args in checks.iter().chain(&others) {
            let said = carrier(root, args).transcript();
            assert!(!said.contains(MARKER), "{args:?} shows it:\n{said}");
        }
        if let Ok(saved) = fs::read_to_string(&saved) {
            assert!(!saved.contains(MARKER), "{saved}");
        }
        drop(fs::remove_file(saved));
    }
}

/// A value that does not fit its field is quoted, unless the path of the field says that it is a credential.
fn a_value_for_a_credential_is_not_quoted() {
    let dir = repository();
    let crd =
        example::CRD.replace("image: {type: string}", "auth: {type: object, properties: {token: {type: integer}}}");
    let crd = crd.replace("[image, size]", "[size]");
    for items in [
        "      - jsonPath: .spec.auth.token\n        value: \"$\"\n",
        "      - value: \"$\"\n        jsonPath: .spec.auth.token\n",
        "      - value: {a: [\"$\"],\n                $: x}\n        jsonPath: .spec.auth.token\n",
        "      - {jsonPath: \".spec['auth'].token\", value: \"$\"}\n",
        "      - jsonPath: .spec.auth\n        value: {token: \"$\"}\n",
    ] {
        for kind in ["defaults", "presets"] {
            example::offer(dir.path(), &[".spec.size"]);
            fs::write(dir.path().join("snapshots/team-a/eu-west-1/things.example.com.yaml"), &crd).unwrap();
            let file = dir.path().join("catalogs/example.yaml");
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, format!("{text}      {kind}:\n{}", items.replace('$', MARKER))).unwrap();
            for form in ["text", "json", "sarif", "github"] {
                let said = carrier(dir.path(), &["check", "-o", form]).transcript();
                assert!(said.contains("CAR0350") || said.contains("CAR0351"), "{said}");
                assert!(!said.contains(MARKER), "{kind} {items}:\n{said}");
            }
            let said = carrier(dir.path(), &["fields", "things.example.com"]).transcript();
            assert!(!said.contains(MARKER), "{said}");
        }
    }
}
