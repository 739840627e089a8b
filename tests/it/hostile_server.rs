//! A server that says whatever it wants: no word of it becomes a line of its own, a command to a CI system, an escape
//! sequence of a terminal, markup in a comment, or words of carrier.
//!
//! A fake, since an API server refuses such names and most of such messages; what one can be made to say is in
//! tests/servers/hostile.rs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::common::example;
use crate::harness::Case;

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![no_command_prints_a_server_raw]
}

/// Everything at once. The word `forged` is what the outputs are searched for.
const HOSTILE: &str = "x forged\n::set-output name=a::forged\r\n::error::forged\u{1b}[2J\u{202e}\u{201d} ##[error]forged \
                       ##vso[task.setvariable]forged | ``\u{85}\u{2028}@forged <img src=forged> ![](//forged)\nerror: forged\t";

/// What a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It says who it is, and refuses the rest.
    Refuses,
    /// It fails at everything.
    Fails,
    /// Its UID is none.
    HasNoUid,
    /// All that it holds has such names.
    HoldsSuch,
}

const MANNERS: [Manner; 4] = [Manner::Refuses, Manner::Fails, Manner::HasNoUid, Manner::HoldsSuch];

impl Manner {
    fn answer(self, uid: &str, method: &str, path: &str) -> (u16, Value) {
        let path = path.split('?').next().unwrap_or_default();
        let status = |code: u16| {
            let cause = json!({"reason": "FieldManagerConflict", "message": format!("conflict with \"{HOSTILE}\""), "field": HOSTILE});
            let details = json!({"name": HOSTILE, "group": HOSTILE, "kind": HOSTILE, "causes": [cause]});
            (code, json!({"kind": "Status", "message": HOSTILE, "reason": HOSTILE, "code": code, "details": details}))
        };
        let system = path == "/api/v1/namespaces/kube-system";
        match self {
            Self::Fails => status(500),
            _ if path == "/version" => (200, json!({"major": "1", "minor": "37", "gitVersion": HOSTILE})),
            Self::HasNoUid if system => (200, json!({"metadata": {"uid": HOSTILE}})),
            _ if system => (200, json!({"metadata": {"name": "kube-system", "uid": uid}})),
            Self::Refuses | Self::HasNoUid => status(403),
            Self::HoldsSuch if method == "PATCH" => status(409),
            Self::HoldsSuch if path.ends_with("selfsubjectreviews") => {
                (201, json!({"status": {"userInfo": {"username": HOSTILE}}}))
            }
            Self::HoldsSuch if method == "POST" => (201, json!({"status": {"allowed": false, "reason": HOSTILE}})),
            Self::HoldsSuch => {
                let condition = json!({"type": "Synced", "status": "False", "reason": "Rejected", "message": HOSTILE});
                let object = json!({
                    "metadata": {
                        "name": HOSTILE, "namespace": HOSTILE, "uid": HOSTILE, "resourceVersion": HOSTILE,
                        "deletionTimestamp": HOSTILE, "finalizers": [HOSTILE], "labels": {HOSTILE: HOSTILE},
                    },
                    "spec": {"group": HOSTILE, "names": {"kind": HOSTILE, "plural": HOSTILE}},
                    "status": {"conditions": [condition]},
                });
                (200, json!({"kind": "HostileList", "metadata": {"resourceVersion": "1"}, "items": [object]}))
            }
        }
    }
}

/// Starts a server, which lives as long as the process; its port.
fn serve(manner: Manner, uid: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream, manner, uid));
        }
    });
    port
}

/// Answers one request, and closes the connection.
fn answer(mut stream: TcpStream, manner: Manner, uid: &str) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    if stream.read_exact(&mut body).is_err() {
        return;
    }
    let mut words = head.split(' ');
    let method = words.next().unwrap_or_default().to_uppercase();
    let (code, body) = manner.answer(uid, &method, words.next().unwrap_or_default());
    let body = body.to_string();
    let length = body.len();
    // Whoever does not wait for the answer has seen enough.
    let _ = write!(
        stream,
        "HTTP/1.1 {code} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}

/// A repository with a service, whose clusters are such servers.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new(manner: Manner) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("repo");
        let init = Command::new(env!("CARGO_BIN_EXE_carrier")).args(["-q", "init"]).arg(&root).status().unwrap();
        assert!(init.success());
        example::offer(&root, &[".spec.size", ".spec.image"]);
        let settings = "management: {context: management}\nserviceClusters:\n  team-a/eu-west-1: {context: service}\n";
        fs::write(root.join("carrier.yaml"), settings).unwrap();
        let cluster =
            |name: &str, port: u16| format!("- {{name: {name}, cluster: {{server: 'http://127.0.0.1:{port}'}}}}\n");
        let context = |name: &str| format!("- {{name: {name}, context: {{cluster: {name}, user: me}}}}\n");
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: management\nclusters:\n{}{}contexts:\n{}{}\
             users: [{{name: me, user: {{token: t}}}}]\n",
            cluster("management", serve(manner, "11111111-1111-1111-1111-111111111111")),
            cluster("service", serve(manner, "22222222-2222-2222-2222-222222222222")),
            context("management"),
            context("service"),
        );
        fs::write(dir.path().join("kubeconfig"), kubeconfig).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a command; what it writes to stdout and stderr.
    fn run(&self, args: &[&str]) -> (String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_carrier"))
            .args(args)
            .current_dir(self.path("repo"))
            .env("KUBECONFIG", self.path("kubeconfig"))
            .env("HOME", self.path(""))
            .env("GITHUB_STEP_SUMMARY", self.path("summary.md"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

/// The commands that ask clusters, and the form of their stdout.
const COMMANDS: &[(&[&str], Form)] = &[
    (&["-v", "lock"], Form::Text),
    (&["-v", "lock", "--check"], Form::Text),
    (&["-v", "plan"], Form::Text),
    (&["plan", "-o", "markdown"], Form::Markdown),
    (&["plan", "-o", "json"], Form::Json),
    (&["-v", "apply", "--yes"], Form::Text),
    (&["-v", "apply", "--dry-run=server"], Form::Text),
    (&["-v", "get"], Form::Text),
    (&["get", "-o", "wide"], Form::Text),
    (&["get", "-o", "json"], Form::Json),
    (&["-v", "doctor"], Form::Text),
    (&["doctor", "-o", "json"], Form::Json),
    (&["-v", "explain", "things/forged", "-n", "team-b"], Form::Text),
    (&["explain", "things/forged", "-n", "team-b", "-o", "json"], Form::Json),
    (&["-v", "approve", "team-a/eu-west-1/things", "--yes"], Form::Text),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Markdown,
}

fn no_command_prints_a_server_raw() {
    let mut shown = Vec::new();
    for manner in MANNERS {
        let scene = Scene::new(manner);
        for (args, form) in COMMANDS {
            let (out, err) = scene.run(args);
            let what = format!("{manner:?} {args:?}");
            match form {
                Form::Json if out.is_empty() => {}
                Form::Json => assert!(serde_json::from_str::<Value>(&out).is_ok(), "{what}: {out}"),
                Form::Text => harmless(&out, &what),
                Form::Markdown => {
                    harmless(&out, &what);
                    no_markup(&out, &what);
                }
            }
            harmless(&err, &what);
            quoted(&err, &what);
            if out.contains("forged") || err.contains("forged") {
                shown.push(what);
            }
        }
        assert!(shown.iter().any(|what| what.starts_with(&format!("{manner:?}")) || manner == Manner::HasNoUid));
        no_summary_has_markup(&scene.path("summary.md"));
    }
    // The texts have got as far as the output: else nothing would be shown here.
    assert!(shown.len() > 20, "{shown:#?}");
}

/// No line of it is anything but a line of carrier.
#[track_caller]
fn harmless(text: &str, what: &str) {
    let hidden = |c: char| {
        c != '\n' && c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    };
    assert!(!text.contains(hidden), "{what}: {text:?}");
    for line in text.lines() {
        let begins = |word: &str| line.trim_start().starts_with(word);
        assert!(!begins("::") && !begins("error: forged"), "{what}: {text}");
        assert!(!line.contains("##[") && !line.contains("##vso["), "{what}: {text}");
    }
}

/// What the server says is in quotes, and does not get out of them.
#[track_caller]
fn quoted(text: &str, what: &str) {
    for line in text.lines().filter(|line| line.contains("::error::forged")) {
        let (open, close) = (line.find('“'), line.rfind('”'));
        let (first, last) = (line.find("forged"), line.rfind("forged"));
        assert!(open < first && last < close && open.is_some(), "{what}: {line}");
    }
}

/// Outside of code spans nothing is left of it.
#[track_caller]
fn no_markup(text: &str, what: &str) {
    for line in text.lines() {
        let mut rest = line.to_owned();
        while let Some(at) = rest.find('`') {
            let fence: String = rest[at..].chars().take_while(|c| *c == '`').collect();
            let behind = &rest[at + fence.len()..];
            let Some(end) = behind.find(&fence) else { break };
            rest = format!("{}{}", &rest[..at], &behind[end + fence.len()..]);
        }
        for markup in ["@forged", "<img", "](//"] {
            assert!(!rest.contains(markup), "{what}: {line}");
        }
    }
}

fn no_summary_has_markup(path: &Path) {
    if let Ok(text) = fs::read_to_string(path) {
        no_markup(&text, "the summary of the step");
    }
}
