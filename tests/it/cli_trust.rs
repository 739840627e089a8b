//! What a repository, and the surroundings of carrier, may not decide: which programs run, and which cluster is meant.
//!
//! No server is needed: a credential plugin runs before the first connection, and nobody listens at the address.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::package;
use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        a_kubeconfig_in_the_repository_runs_nothing,
        what_check_refuses_is_not_connected_with,
        a_context_without_a_kubeconfig_is_not_the_cluster_of_the_pod,
        names_of_objects_elsewhere_are_names,
    ]
}

/// Every command that connects, without what it takes to be asked or to write.
const COMMANDS: [&[&str]; 6] =
    [&["plan"], &["plan", "--refresh"], &["lock"], &["get"], &["doctor"], &["apply", "--yes"]];

/// The redis example in a Git work tree, a kubeconfig in it that runs a program, and a home folder.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new(settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let scene = Self(dir);
        copy(&package("catalog-examples/redis"), &scene.path("repo"));
        for folder in ["repo/.git", "repo/hack", "home"] {
            fs::create_dir(scene.path(folder)).unwrap();
        }
        fs::write(scene.path("repo/carrier.yaml"), settings).unwrap();
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
             clusters: [{{name: a, cluster: {{server: 'https://127.0.0.1:1'}}}}]\n\
             contexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
             users:\n- name: a\n  user:\n    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      \
             interactiveMode: Never\n      command: sh\n      args: [-c, 'echo ran >> {}; exit 1']\n",
            scene.path("log").display()
        );
        fs::write(scene.path("repo/hack/kube.conf"), kubeconfig).unwrap();
        scene
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carrier"));
        command.args(arguments).current_dir(self.path("repo")).stdin(Stdio::null()).env_clear();
        command.env("HOME", self.path("home")).env("PATH", "/usr/bin:/bin").env("COLUMNS", "1000");
        command
    }

    fn runs(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.command(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    fn has_run_a_program(&self) -> bool {
        self.path("log").exists()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => assert!(fs::copy(entry.path(), &to).is_ok(), "{}", to.display()),
        }
    }
}

fn a_kubeconfig_in_the_repository_runs_nothing() {
    // By its text it is in the repository: an error of carrier.yaml, for `check` as for those that connect.
    let scene = Scene::new("management:\n  kubeconfig: hack/kube.conf\n");
    for arguments in [&[&["check"][..]], &COMMANDS[..]].concat() {
        let (status, err) = scene.runs(arguments);
        assert_eq!(status, Some(1), "{arguments:?}: {err}");
        assert!(err.contains("CAR0028") && err.contains("carrier.yaml:2:15"), "{arguments:?}: {err}");
    }
    let service = "serviceClusters:\n  team-a/eu-west-1:\n    kubeconfig: ./hack/kube.conf\n";
    let (status, err) = Scene::new(service).runs(&["check"]);
    assert!(status == Some(1) && err.contains("CAR0028") && err.contains("carrier.yaml:3:17"), "{err}");

    // What only the file system knows is found before the file is read: a link, a path from elsewhere.
    let work_tree = scene.path("repo/hack/kube.conf");
    symlink(&work_tree, scene.path("home/link")).unwrap();
    for path in ["~/link", work_tree.to_str().unwrap()] {
        fs::write(scene.path("repo/carrier.yaml"), format!("management: {{kubeconfig: '{path}'}}\n")).unwrap();
        for arguments in COMMANDS {
            let (status, err) = scene.runs(arguments);
            assert_eq!(status, Some(4), "{arguments:?}: {err}");
            assert!(err.contains("CAR0610") && err.contains("is in the repository or its Git work tree"), "{err}");
        }
    }
    assert!(!scene.has_run_a_program());

    // Whoever runs carrier may mean such a file.
    let (status, err) = scene.runs(&["lock", "--kubeconfig", "hack/kube.conf"]);
    assert!(status == Some(4) && err.contains("the credential plugin `sh` failed"), "{err}");
    assert!(scene.has_run_a_program());
}

fn what_check_refuses_is_not_connected_with() {
    let scene = Scene::new("");
    let account = scene.path("repo/accounts/team-b.yaml");
    let text = fs::read_to_string(&account).unwrap();
    for (file, broken) in [
        (scene.path("repo/carrier.yaml"), "contxt: a\n".to_owned()),
        (account, text.replace("roles:", "rolls:")),
        (scene.path("repo/accounts/broken.yaml"), "kind: Account\n  name: [\n".to_owned()),
    ] {
        let before = fs::read_to_string(&file).ok();
        fs::write(&file, broken).unwrap();
        for arguments in COMMANDS {
            let (status, err) = scene.runs(&[arguments, &["--kubeconfig", "hack/kube.conf"]].concat());
            assert_eq!(status, Some(1), "{arguments:?}: {err}");
        }
        match before {
            Some(text) => fs::write(&file, text).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
    }
    assert!(!scene.has_run_a_program());
}

fn a_context_without_a_kubeconfig_is_not_the_cluster_of_the_pod() {
    let scene = Scene::new("");
    let in_pod = |arguments: &[&str]| {
        let mut command = scene.command(arguments);
        command.env("KUBERNETES_SERVICE_HOST", "127.0.0.1").env("KUBERNETES_SERVICE_PORT", "1");
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let said = "there is no kubeconfig that could have the context `prod`";
    for arguments in [&COMMANDS[..], &[&["sync", "--once"]]].concat() {
        let (status, err) = in_pod(&[arguments, &["--context", "prod"]].concat());
        assert!(status == Some(4) && err.contains(said), "{arguments:?}: {status:?} {err}");
    }
    // The same context in the settings, of the management cluster and of a service cluster.
    for settings in ["management: {context: prod}", "serviceClusters: {team-a/eu-west-1: {context: prod}}"] {
        fs::write(scene.path("repo/carrier.yaml"), settings).unwrap();
        let (status, err) = in_pod(&["lock"]);
        assert!(status == Some(4) && err.contains(said), "{settings}: {status:?} {err}");
    }
    // A kubeconfig that cannot be looked at is no reason to go elsewhere.
    fs::write(scene.path("repo/carrier.yaml"), "").unwrap();
    fs::write(scene.path("home/.kube"), "no folder").unwrap();
    let (status, err) = in_pod(&["lock"]);
    assert!(status == Some(4) && err.contains(".kube/config cannot be read"), "{status:?} {err}");
}

fn names_of_objects_elsewhere_are_names() {
    let scene = Scene::new("render:\n  for: flux\n  flux:\n    namespace: a/b\n    sourceName: ../x\n");
    let cluster = scene.path("repo/clusters/eu-west-1.yaml");
    let text = fs::read_to_string(&cluster).unwrap();
    let name = text.lines().find(|line| line.contains("name: eu-west-1-kubeconfig")).unwrap();
    fs::write(&cluster, text.replace(name, "    name: ../../kube-system/secrets/x")).unwrap();
    let (status, err) = scene.runs(&["check"]);
    assert_eq!(status, Some(1), "{err}");
    for (code, place) in [
        ("CAR0029", "carrier.yaml:4:16"),
        ("CAR0029", "carrier.yaml:5:17"),
        ("CAR0210", "clusters/eu-west-1.yaml:"),
        ("CAR0210", "`../../kube-system/secrets/x` cannot be the name of a Secret"),
    ] {
        assert!(err.contains(code) && err.contains(place), "{code} {place}: {err}");
    }
}
