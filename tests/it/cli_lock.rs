//! `carrier lock`, as a user sees it.
#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "a transcript is built for reading, not for speed"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::command::{Run, carrier, tree};
use crate::common::{example, golden};
use crate::corpus;
use crate::harness::Case;
use carrier::program::Exit;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![
        the_first_lock_the_second_and_a_new_release,
        a_narrowed_field_is_named,
        two_people_get_the_same_bytes,
        a_crd_that_is_not_there_is_missed_by_name,
        a_key_that_stands_twice_keeps_the_crd_out,
        what_is_not_given_stays_and_what_is_not_wanted_goes_when_told,
        namespaces_keep_their_names,
        a_lock_that_cannot_be_read_is_not_written_over,
        interrupted_anywhere_the_next_run_ends_the_same,
        a_snapshot_as_it_stands_can_be_locked,
        nothing_is_written_through_a_link,
        arguments_are_explained,
        without_an_offer_there_is_nothing_to_take,
        the_standard_input_is_a_file,
        utf_16_on_the_standard_input_is_named,
        wrong_files_are_errors_though_all_is_locked,
        a_pipe_is_a_file,
        namespaces_are_never_forgotten,
        an_output_folder_with_sources_is_an_error,
        an_empty_lock_is_a_lost_one,
        without_files_missing_namespaces_are_recorded,
        only_the_online_lock_opens_a_connection,
        a_stale_lock_is_refused_where_asked,
        the_lock_of_another_management_cluster_is_refused,
        a_tenant_cannot_have_a_namespace_of_the_cluster,
        the_real_crds_are_locked[corpus::is_here],
    ]
}

/// A repository whose set offers `things.example.com` and has no snapshot yet,
/// beside it `crd.yaml` with the CRD.
fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(carrier(dir.path(), &["-q", "init", "repo"]).exit, Exit::Fine);
    let root = dir.path().join("repo");
    fs::write(root.join("carrier.lock"), UNLOCKED).unwrap();
    example::offer(&root, &[".spec.size", ".spec.image", ".status"]);
    fs::remove_dir_all(root.join("snapshots")).unwrap();
    fs::write(dir.path().join("crd.yaml"), example::CRD).unwrap();
    dir
}

/// The lock before the first lock: everybody who has the repository has its identity.
const UNLOCKED: &str = "version: 1\nrepository: 0123456789abcdef0123456789abcdef\n";
const SNAPSHOT: &str = "repo/snapshots/team-a/eu-west-1/things.example.com.yaml";
const LOCK: [&str; 5] = ["-C", "repo", "lock", "--from", "../crd.yaml"];

fn lock(dir: &Path) -> Run {
    carrier(dir, &LOCK)
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} in\n{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn the_first_lock_the_second_and_a_new_release() {
    let dir = repository();
    let first = lock(dir.path());
    golden("testdata/lock/first.txt", &first.transcript());
    golden("testdata/lock/first.lock", &fs::read_to_string(dir.path().join("repo/carrier.lock")).unwrap());
    let before = tree(dir.path());
    assert!(!before.keys().any(|path| path.contains("staging")), "{:?}", before.keys());

    golden("testdata/lock/again.txt", &lock(dir.path()).transcript());
    assert_eq!(tree(dir.path()), before);
    let checked = carrier(&dir.path().join("repo"), &["check"]);
    assert!(!checked.err.contains("CAR05"), "{}", checked.err);

    let crd = dir.path().join("crd.yaml");
    edit(
        &crd,
        "              image: {type: string}\n",
        "              image: {type: integer}\n              port: {type: integer}\n",
    );
    edit(&crd, "              labels: {type: object, additionalProperties: {type: string}}\n", "");
    let mut check = LOCK.to_vec();
    check.push("--check");
    golden("testdata/lock/check.txt", &carrier(dir.path(), &check).transcript());
    assert_eq!(tree(&dir.path().join("repo")), tree_of(&before), "nothing was written");
    golden("testdata/lock/changed.txt", &lock(dir.path()).transcript());
    assert_eq!(carrier(dir.path(), &check).exit, Exit::Fine);
}

/// Names and types are the same; what the field takes is not.
fn a_narrowed_field_is_named() {
    let dir = repository();
    let crd = dir.path().join("crd.yaml");
    let image = "              image: {type: string}\n";
    edit(&crd, image, "              image: {type: string, enum: [small, large]}\n");
    assert_eq!(lock(dir.path()).exit, Exit::Fine);
    edit(&crd, "enum: [small, large]", "enum: [small]");
    let changed = lock(dir.path());
    assert!(changed.out.contains("    ~ v1 .spec.image no longer accepts"), "{}", changed.transcript());
    assert!(!changed.out.contains("descriptions, defaults"), "{}", changed.transcript());
}

/// The part of a tree below `repo`.
fn tree_of(all: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    all.iter().filter_map(|(path, text)| Some((path.strip_prefix("repo/")?.to_owned(), text.clone()))).collect()
}

fn two_people_get_the_same_bytes() {
    let (a, b) = (repository(), repository());
    lock(a.path());
    // In other pieces, with noise of a server and of Helm, and something else beside it.
    let noisy = example::CRD.replace(
        "metadata:\n  name: things.example.com\n",
        "metadata:\n  name: things.example.com\n  uid: x\n  creationTimestamp: null\n  annotations: {meta.helm.sh/release-name: x}\n",
    );
    let item: String = noisy.lines().map(|l| format!("  {l}\n")).collect();
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n-\n{item}");
    fs::create_dir_all(b.path().join("chart/crds")).unwrap();
    fs::create_dir_all(b.path().join("chart/templates")).unwrap();
    fs::write(b.path().join("chart/crds/all.yaml"), list).unwrap();
    fs::write(b.path().join("chart/templates/x.yaml"), "{{ if .x }}\na: {{ .b }}\n{{ end }}\n").unwrap();
    let run = carrier(b.path(), &["-C", "repo", "lock", "--from", "../chart"]);
    assert_eq!(run.exit, Exit::Fine, "{}", run.transcript());
    assert_eq!(tree(&a.path().join("repo")), tree(&b.path().join("repo")));
}

fn a_crd_that_is_not_there_is_missed_by_name() {
    let dir = repository();
    let mut transcript = String::new();
    let mut step = |title: &str, text: &str| {
        fs::write(dir.path().join("crd.yaml"), text).unwrap();
        transcript += &format!("# {title}\n{}\n", lock(dir.path()).transcript());
    };
    step("another name", &example::CRD.replace("things", "thinks"));
    step("nothing like it", &example::CRD.replace("things", "dogs").replace("example.com", "animals.io"));
    step("no CRD at all", "apiVersion: v1\nkind: ConfigMap\n");
    step("the version that is gone", &example::CRD.replace("k8s.io/v1\n", "k8s.io/v1beta1\n"));
    step("twice, and not the same", &format!("{}---\n{}", example::CRD, example::CRD.replace("[one, many]", "[one]")));
    step("a template", "{{ if .x }}\na: b\n{{ end }}\n");
    golden("testdata/lock/missing.txt", &transcript);
    assert!(!dir.path().join(SNAPSHOT).exists());
}

fn a_key_that_stands_twice_keeps_the_crd_out() {
    let dir = repository();
    fs::write(
        dir.path().join("crd.yaml"),
        example::CRD.replace("  scope: Namespaced\n", "  scope: Namespaced\n  scope: Cluster\n"),
    )
    .unwrap();
    let run = lock(dir.path());
    assert_eq!(run.exit, Exit::Errors);
    assert!(
        !run.err.contains("CAR0516") && run.err.contains("error[CAR0102]") && run.err.contains("../crd.yaml:9:3"),
        "{}",
        run.err
    );
}

fn what_is_not_given_stays_and_what_is_not_wanted_goes_when_told() {
    let dir = repository();
    lock(dir.path());
    fs::write(dir.path().join("other.yaml"), example::CRD.replace("things", "dogs")).unwrap();
    let second = dir.path().join("repo/catalogs/second.yaml");
    let set = fs::read_to_string(find(&dir.path().join("repo"), "CatalogEntrySet")).unwrap();
    fs::write(&second, set.replace("things.", "dogs.").replace("  name: thing\n", "  name: dog\n")).unwrap();
    let run = carrier(dir.path(), &["-C", "repo", "lock", "-v", "--from", "../other.yaml"]);
    assert_eq!(run.exit, Exit::Fine, "{}", run.transcript());
    assert!(run.out.contains("kept       things.example.com  not in the files"), "{}", run.out);
    fs::remove_file(second).unwrap();

    // Another set takes its place: while something is broken, nothing goes.
    let set = dir.path().join("repo/catalogs/thing.yaml");
    let set = if set.exists() { set } else { find(&dir.path().join("repo"), "CatalogEntrySet") };
    edit(&set, "things.example.com", "dogs.example.com");
    fs::write(dir.path().join("repo/broken.yaml"), "apiVersion: catalog.kubecarrier.io/v1alpha1\nkind: Account\n")
        .unwrap();
    let run = carrier(dir.path(), &["-C", "repo", "lock", "--from", "../other.yaml"]);
    assert_eq!(run.exit, Exit::Errors, "{}", run.transcript());
    let prune = || carrier(dir.path(), &["-C", "repo", "lock", "--offline", "--prune"]);
    let before = tree(dir.path());
    let run = prune();
    assert_eq!((run.exit, run.out.as_str()), (Exit::Refused, ""), "{}", run.transcript());
    // What is nearly an object of ours may be what uses it.
    fs::write(dir.path().join("repo/broken.yaml"), "apiVersion: catalog.kubecarier.io/v1alpha1\nkind: Catalog\n")
        .unwrap();
    let run = prune();
    assert!(run.exit == Exit::Refused && run.err.contains("CAR0222"), "{}", run.transcript());
    fs::remove_file(dir.path().join("repo/broken.yaml")).unwrap();
    let mut as_before = before.clone();
    as_before.remove("repo/broken.yaml");
    assert_eq!(tree(dir.path()), as_before, "nothing was written");

    let run = carrier(dir.path(), &["-C", "repo", "lock", "--from", "../other.yaml"]);
    assert!(run.exit == Exit::Fine && run.err.contains("CAR0509"), "{}", run.transcript());
    assert!(
        run.err.contains("carrier -C repo lock --offline --prune") && dir.path().join(SNAPSHOT).exists(),
        "{}",
        run.err
    );
    let run = prune();
    assert_eq!(run.exit, Exit::Fine, "{}", run.transcript());
    assert!(run.out.contains("removed    things.example.com"), "{}", run.out);
    assert!(!dir.path().join(SNAPSHOT).exists());
    assert!(!fs::read_to_string(dir.path().join("repo/carrier.lock")).unwrap().contains("things"));
}

fn find(root: &Path, kind: &str) -> std::path::PathBuf {
    find_text(root, &format!("\nkind: {kind}\n"))
}

fn find_text(root: &Path, words: &str) -> std::path::PathBuf {
    root.join(tree(root).into_iter().find(|(_, text)| text.contains(words)).unwrap().0)
}

fn namespaces_keep_their_names() {
    let dir = repository();
    lock(dir.path());
    let path = dir.path().join("repo/carrier.lock");
    let before = fs::read_to_string(&path).unwrap();
    let line = before.lines().find(|l| l.contains("team-b: team-b-")).unwrap().to_owned();
    // The identity of the management cluster becomes known: names that are in use stay.
    fs::write(dir.path().join("repo/carrier.yaml"), "management: {uid: 0b7a9d52}\n").unwrap();
    let run = lock(dir.path());
    assert_eq!(run.exit, Exit::Fine, "{}", run.transcript());
    let after = fs::read_to_string(&path).unwrap();
    assert!(after.contains(&line) && after.contains("uid: 0b7a9d52"), "{after}");
    edit(&path, &line, "      team-b: team-b-old");
    assert_eq!(lock(dir.path()).exit, Exit::Fine);
    assert!(fs::read_to_string(&path).unwrap().contains("team-b: team-b-old\n"));
}

fn a_lock_that_cannot_be_read_is_not_written_over() {
    let dir = repository();
    lock(dir.path());
    let path = dir.path().join("repo/carrier.lock");
    let text = format!("<<<<<<< HEAD\n{}=======\n>>>>>>> theirs\n", fs::read_to_string(&path).unwrap());
    fs::write(&path, &text).unwrap();
    let run = lock(dir.path());
    assert_eq!(run.exit, Exit::Errors);
    assert!(run.err.contains("CAR0503") && run.err.contains("nothing was locked"), "{}", run.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

/// Cut short after any of its writes, the next run ends in the same state.
fn interrupted_anywhere_the_next_run_ends_the_same() {
    let dir = repository();
    lock(dir.path());
    let wanted = tree(&dir.path().join("repo"));
    let snapshot = dir.path().join(SNAPSHOT);
    let lock_file = dir.path().join("repo/carrier.lock");
    let states: [&dyn Fn(); 6] = [
        &|| fs::write(&lock_file, UNLOCKED).unwrap(),
        &|| fs::remove_file(&snapshot).unwrap(),
        &|| edit(&snapshot, "integer", "number"),
        &|| fs::write(&snapshot, "").unwrap(),
        &|| fs::write(&snapshot, "<<<<<<< HEAD\n=======\n>>>>>>> theirs\n").unwrap(),
        &|| {
            let staging = dir.path().join("repo/.carrier-staging");
            fs::create_dir(&staging).unwrap();
            fs::write(staging.join("file"), "half").unwrap();
        },
    ];
    for (n, state) in states.iter().enumerate() {
        state();
        let run = lock(dir.path());
        assert_eq!(run.exit, Exit::Fine, "{n}: {}", run.transcript());
        assert_eq!(tree(&dir.path().join("repo")), wanted, "{n}");
    }
}

fn a_snapshot_as_it_stands_can_be_locked() {
    let dir = repository();
    lock(dir.path());
    edit(&dir.path().join(SNAPSHOT), "integer", "number");
    let root = dir.path().join("repo");
    let check = carrier(&root, &["check"]);
    assert_eq!(check.exit, Exit::Errors);
    golden("testdata/lock/edited.txt", &check.err[..=check.err.find("\n\n").unwrap()]);
    let run = carrier(&root, &["lock", "--from", "snapshots/team-a/eu-west-1/things.example.com.yaml"]);
    assert_eq!(run.exit, Exit::Fine, "{}", run.transcript());
    assert!(run.out.contains("the snapshot is not what was locked"), "{}", run.out);
    assert_eq!(carrier(&root, &["check"]).exit, Exit::Fine);
}

fn nothing_is_written_through_a_link() {
    let dir = repository();
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), dir.path().join("repo/snapshots")).unwrap();
    let run = lock(dir.path());
    assert_ne!(run.exit, Exit::Fine);
    assert!(tree(&dir.path().join("elsewhere")).is_empty());
}

fn arguments_are_explained() {
    let dir = repository();
    let root = dir.path().join("repo");
    let unknown = carrier(&root, &["lock", "--from", "../crd.yaml", "--cluster", "team-a/eu-west-2"]);
    assert_eq!(unknown.exit, Exit::Usage);
    assert!(unknown.err.contains("did you mean `team-a/eu-west-1`?"), "{}", unknown.err);
    let none = carrier(&root, &["lock", "--offline"]);
    golden("testdata/lock/offline.txt", &none.transcript());
    let absent = carrier(&root, &["lock", "--from", "../nothing.yaml"]);
    assert_eq!(absent.err, "error: cannot read ../nothing.yaml: No such file or directory\n");
    fs::remove_file(root.join("carrier.lock")).unwrap();
    let quiet = carrier(&root, &["-q", "lock", "--from", "../crd.yaml", "--cluster", "team-a/eu-west-1"]);
    assert_eq!((quiet.exit, quiet.err.as_str()), (Exit::Fine, ""));
    // A repository whose lock is lost gets another identity.
    let identity = quiet.out.strip_prefix("repository\n  identity   ").and_then(|rest| rest.split_once('\n'));
    assert!(
        identity.is_some_and(|(id, rest)| id.len() == 32 && rest.starts_with("team-a/eu-west-1\n")),
        "{}",
        quiet.out
    );
    let lock = fs::read_to_string(root.join("carrier.lock")).unwrap();
    assert!(identity.is_some_and(|(id, _)| !UNLOCKED.contains(id) && lock.contains(id)), "{lock}");
}

fn without_an_offer_there_is_nothing_to_take() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(carrier(dir.path(), &["-q", "init"]).exit, Exit::Fine);
    fs::write(dir.path().join("release.yml"), example::CRD).unwrap();
    let run = carrier(dir.path(), &["lock", "--from", "release.yml"]);
    assert_eq!(run.exit, Exit::Fine);
    assert!(run.err.contains("so there is nothing to take\nnext: run `carrier fields --from PATH`"), "{}", run.err);
    assert!(!dir.path().join("snapshots").exists());
}

fn the_standard_input_is_a_file() {
    let dir = repository();
    let mut child = Command::new(env!("CARGO_BIN_EXE_carrier"))
        .args(["-C", "repo", "lock", "--from", "-"])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(example::CRD.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("added      things.example.com"));
    assert!(dir.path().join(SNAPSHOT).exists());
}

/// As PowerShell writes it into a pipe or a file.
fn utf_16_on_the_standard_input_is_named() {
    let dir = repository();
    for command in [["lock", "--from", "-"], ["fields", "--from", "-"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_carrier"))
            .args(["-C", "repo"])
            .args(command)
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let bytes: Vec<u8> = "\u{feff}kind: A\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let err = String::from_utf8(output.stderr).unwrap();
        let begins = "error: cannot read <stdin>: it is UTF-16, as `>` of Windows PowerShell writes it, and Kubernetes reads UTF-8 only\n";
        assert!(
            err.starts_with(begins) && err.contains("iconv -f UTF-16") && err.contains("Out-File -Encoding utf8"),
            "{err}"
        );
    }
}

/// Whatever is wrong with what is given, also where all is locked: it is said, and nothing is written.
fn wrong_files_are_errors_though_all_is_locked() {
    let dir = repository();
    lock(dir.path());
    let before = tree(&dir.path().join("repo"));
    let crd = example::CRD;
    let half = crd.find("              image:").unwrap();
    let steps: [(&str, String, &str); 8] = [
        ("no YAML", "a: [".to_owned(), "CAR0101"),
        ("a CRD and no YAML", format!("{crd}---\na: [\n"), "CAR0101"),
        ("a broken CRD", crd.replace("spec:\n  group", "spec:\n   x: [\n  group"), "CAR0101"),
        ("empty", String::new(), "CAR0516"),
        ("another", crd.replace("things", "dogs"), "CAR0514"),
        ("v1beta1", crd.replace("k8s.io/v1\n", "k8s.io/v1beta1\n"), "CAR0513"),
        ("misspelt", crd.replace("image: {type: string}", "image: {type: strnig}"), "CAR0342"),
        ("cut off", crd[..half].replace("type: object\n", "\n"), "CAR0342"),
    ];
    for (title, text, code) in steps {
        fs::write(dir.path().join("crd.yaml"), text).unwrap();
        let run = lock(dir.path());
        assert_eq!(run.exit, Exit::Errors, "{title}: {}", run.transcript());
        assert!(run.err.contains(&format!("error[{code}]")), "{title}: {}", run.err);
        assert_eq!(tree(&dir.path().join("repo")), before, "{title}");
    }
    let null = carrier(&dir.path().join("repo"), &["lock", "--from", "/dev/null"]);
    assert!(null.exit == Exit::Errors && null.err.contains("CAR0516"), "{}", null.transcript());
}

/// `lock --from <(cat FILE)`.
fn a_pipe_is_a_file() {
    let dir = repository();
    let status = Command::new("bash")
        .args(["-c", "\"$0\" -q -C repo lock --from <(cat crd.yaml)", env!("CARGO_BIN_EXE_carrier")])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success() && dir.path().join(SNAPSHOT).exists());
}

/// A slip that takes a cluster away takes neither its namespaces nor its snapshots.
fn namespaces_are_never_forgotten() {
    let dir = repository();
    lock(dir.path());
    let root = dir.path().join("repo");
    let before = tree(&root);
    edit(&find(&root, "ServiceCluster"), "kubecarrier.io", "kubecarier.io");
    let run = lock(dir.path());
    assert!(run.err.contains("CAR0222"), "{}", run.transcript());
    assert_eq!(tree(&root)["carrier.lock"], before["carrier.lock"]);
    assert!(dir.path().join(SNAPSHOT).exists());

    fs::remove_file(find_text(&root, "kubecarier.io")).unwrap();
    let sets = find(&root, "CatalogEntrySet");
    fs::remove_file(sets).unwrap();
    let run = carrier(&root, &["lock", "--offline", "--prune"]);
    let after = fs::read_to_string(root.join("carrier.lock")).unwrap();
    assert!(run.exit == Exit::Fine && !dir.path().join(SNAPSHOT).exists(), "{}", run.transcript());
    assert!(after.contains("namespaces:\n      team-b: team-b-") && !after.contains("crds:"), "{after}");
}

fn an_output_folder_with_sources_is_an_error() {
    let dir = repository();
    lock(dir.path());
    let root = dir.path().join("repo");
    let before = tree(&root);
    fs::write(root.join("carrier.yaml"), "output: catalogs\n").unwrap();
    let check = carrier(&root, &["check"]);
    assert!(check.exit == Exit::Errors && check.err.contains("CAR0027"), "{}", check.transcript());
    assert_eq!(carrier(&root, &["lock", "--offline", "--prune"]).exit, Exit::Refused);
    assert_eq!(tree(&root)["carrier.lock"], before["carrier.lock"]);
    assert!(dir.path().join(SNAPSHOT).exists());
}

fn an_empty_lock_is_a_lost_one() {
    let dir = repository();
    lock(dir.path());
    let path = dir.path().join("repo/carrier.lock");
    fs::write(&path, "").unwrap();
    let check = carrier(&dir.path().join("repo"), &["check"]);
    assert!(check.exit == Exit::Errors && check.err.contains("CAR0502"), "{}", check.transcript());
    let run = lock(dir.path());
    assert!(run.exit == Exit::Errors && run.err.contains("CAR0502"), "{}", run.transcript());
    assert!(run.err.contains("  help: restore it from Git"), "{}", run.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
}

fn without_files_missing_namespaces_are_recorded() {
    let dir = repository();
    lock(dir.path());
    let root = dir.path().join("repo");
    let path = root.join("carrier.lock");
    let before = fs::read_to_string(&path).unwrap();
    let line = before.lines().find(|l| l.contains("team-b: team-b-")).unwrap();
    edit(&path, &format!("    namespaces:\n{line}\n"), "");
    let check = carrier(&root, &["check"]);
    assert!(check.exit == Exit::Fine && check.err.contains("warning[CAR0517]"), "{}", check.transcript());
    let run = carrier(&root, &["lock", "--offline"]);
    assert_eq!(run.exit, Exit::Fine, "{}", run.transcript());
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    assert!(!carrier(&root, &["check"]).err.contains("CAR0517"));
}

/// What is said to ask no cluster opens no connection; `lock` alone does.
fn only_the_online_lock_opens_a_connection() {
    let dir = repository();
    let root = dir.path().join("repo");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let kubeconfig = dir.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
         clusters: [{{name: a, cluster: {{server: 'http://{}'}}}}]\nusers: [{{name: a, user: {{token: x}}}}]\n",
        listener.local_addr().unwrap()
    );
    fs::write(&kubeconfig, text).unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carrier"));
        command.args(args).current_dir(&root).env("KUBECONFIG", &kubeconfig);
        command.output().unwrap().status.code().unwrap()
    };
    for args in [
        ["lock", "--from", "../crd.yaml"].as_slice(),
        &["lock", "--from", "../crd.yaml", "--check"],
        &["lock", "--offline"],
        &["lock", "--offline", "--prune"],
        &["check", "--locked"],
        &["render", "--locked"],
    ] {
        assert_eq!(run(args), 0, "{args:?}");
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "{args:?}");
    }
    assert_eq!(run(&["lock", "--request-timeout", "500ms"]), 4);
    assert!(listener.accept().is_ok());
}

/// `--locked` makes errors of what is only a warning, says what to run, and that mends it.
fn a_stale_lock_is_refused_where_asked() {
    let dir = repository();
    lock(dir.path());
    let root = dir.path().join("repo");
    let fresh = tree(&root);
    for args in [["check", "--locked"].as_slice(), &["render", "--locked", "--check"]] {
        assert_ne!(carrier(&root, args).exit, Exit::Errors);
    }
    let path = root.join("carrier.lock");
    let before = fs::read_to_string(&path).unwrap();
    let line = before.lines().find(|l| l.contains("team-b: team-b-")).unwrap();
    edit(&path, &format!("    namespaces:\n{line}\n"), "");
    let other = root.join("snapshots/team-a/eu-west-1/dogs.example.com.yaml");
    fs::write(&other, example::CRD.replace("things", "dogs")).unwrap();
    assert_eq!(carrier(&root, &["check"]).exit, Exit::Fine);
    let strict = carrier(&root, &["check", "--locked"]);
    assert_eq!(strict.exit, Exit::Errors, "{}", strict.transcript());
    golden("testdata/lock/locked.txt", &strict.err);
    let render = carrier(&root, &["render", "--locked"]);
    assert!(
        render.exit == Exit::Errors && render.err.contains("nothing was rendered\nnext: "),
        "{}",
        render.transcript()
    );
    assert!(!root.join("rendered").exists());
    // Nothing of it needs a cluster here, since what is not locked is not used either.
    assert_eq!(carrier(&root, &["lock", "--offline", "--prune"]).exit, Exit::Fine);
    assert_eq!(carrier(&root, &["check", "--locked"]).exit, Exit::Fine);
    assert_eq!(tree(&root), fresh);
}

fn the_lock_of_another_management_cluster_is_refused() {
    let dir = repository();
    let root = dir.path().join("repo");
    fs::write(root.join("carrier.yaml"), "management: {uid: one}\n").unwrap();
    lock(dir.path());
    let before = tree(&root);
    fs::write(root.join("carrier.yaml"), "management: {uid: other}\n").unwrap();
    for args in [["check"].as_slice(), &["lock"], &["lock", "--offline"], &["lock", "--from", "../crd.yaml"]] {
        let run = carrier(&root, args);
        assert!(run.exit == Exit::Errors && run.err.contains("error[CAR0518]"), "{}", run.transcript());
    }
    assert_eq!(tree(&root)["carrier.lock"], before["carrier.lock"]);
}

fn a_tenant_cannot_have_a_namespace_of_the_cluster() {
    let dir = repository();
    lock(dir.path());
    let path = dir.path().join("repo/carrier.lock");
    let before = fs::read_to_string(&path).unwrap();
    let line = before.lines().find(|l| l.contains("team-b: team-b-")).unwrap();
    for name in ["default", "kube-system", "kube-x", "kubecarrier-system"] {
        fs::write(&path, before.replace(line, &format!("      team-b: {name}"))).unwrap();
        for args in [["check"].as_slice(), &["lock"]] {
            let run = carrier(&dir.path().join("repo"), args);
            assert!(run.exit == Exit::Errors && run.err.contains("CAR0519"), "{}", run.transcript());
        }
    }
}

/// All real CRDs into one cluster, and a second time nothing.
fn the_real_crds_are_locked() {
    let entries = fs::read_dir(corpus::folder().join("crds")).unwrap();
    let dir = repository();
    let root = dir.path().join("repo");
    let set = fs::read_to_string(find(&root, "CatalogEntrySet")).unwrap();
    fs::remove_file(find(&root, "CatalogEntrySet")).unwrap();
    let mut files: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    // One that is cluster-scoped cannot be offered, and is refused.
    let offered = |p: &Path| !fs::read_to_string(p).unwrap().contains("scope: Cluster\n");
    files.retain(|p| {
        p.extension().is_some_and(|e| e == "yaml") && !p.to_string_lossy().contains("--newest") && offered(p)
    });
    files.sort();
    let mut args = vec!["lock".to_owned(), "--from".to_owned()];
    for (n, file) in files.iter().enumerate() {
        let text = fs::read_to_string(file).unwrap();
        let name = text.lines().find_map(|l| l.strip_prefix("  name: ")).unwrap().trim_matches(['"', '\'']);
        let one = set.replace("things.example.com", name).replace("  name: thing\n", &format!("  name: thing-{n}\n"));
        fs::write(root.join(format!("set-{n}.yaml")), one).unwrap();
        args.push(file.to_string_lossy().into_owned());
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let run = carrier(&root, &args);
    assert_eq!(run.out.lines().filter(|l| l.starts_with("  added ")).count(), files.len(), "{}", run.transcript());
    let locked = tree(&root);
    let again = carrier(&root, &args);
    assert!(again.err.contains("nothing to change"), "{}", again.transcript());
    assert_eq!(tree(&root), locked);
    let check = carrier(&root, &["check", "-o", "json"]);
    let codes: Vec<&str> = check.out.lines().filter(|l| l.contains("\"CAR05")).collect();
    assert!(codes.is_empty(), "{codes:?}");
}
