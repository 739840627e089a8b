//! The client against a server that answers as a test wants: what no real API server can be made to say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::cluster::client::counters::Outcome;
use crate::cluster::kubeconfig::{FileSource, from_files};
use crate::cluster::plugin::PluginLimits;
use crate::cluster::request::Verb;
use crate::model::cluster::ClusterId;
use crate::model::resource::Resource;

/// What a server answers, by path and query, after so many milliseconds.
struct Reply {
    status: u16,
    headers: &'static str,
    body: String,
    after: u64,
}

impl Reply {
    fn ok(body: &Value) -> Self {
        Self { status: 200, headers: "", body: body.to_string(), after: 0 }
    }

    fn status(status: u16, headers: &'static str, body: impl Into<String>) -> Self {
        Self { status, headers, body: body.into(), after: 0 }
    }
}

type Answers = dyn Fn(usize, &str) -> Reply + Send + Sync;

/// A server on loopback, which counts.
struct Server {
    port: u16,
    under_way: AtomicUsize,
    most: AtomicUsize,
    open: AtomicUsize,
    asked: Mutex<Vec<String>>,
    answers: Box<Answers>,
}

impl Server {
    /// `answers` gets the number of the request, from 0, and its path and query with the headers.
    async fn start(answers: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (under_way, most, open) = (AtomicUsize::default(), AtomicUsize::default(), AtomicUsize::default());
        let asked = Mutex::default();
        let server = Arc::new(Self { port, under_way, most, open, asked, answers: Box::new(answers) });
        let serving = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = Arc::clone(&serving);
                serving.open.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    Arc::clone(&serving).serve(stream).await;
                    serving.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                    break end + 4;
                }
                match stream.read_buf(&mut buffer).await {
                    Ok(1..) => {}
                    _ => return,
                }
            };
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            // Only requests without a body are sent here.
            buffer.drain(..end);
            self.most.fetch_max(self.under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let number = {
                let mut asked = self.asked.lock().expect("no panic");
                asked.push(head.split(' ').nth(1).unwrap_or_default().to_owned());
                asked.len() - 1
            };
            let Reply { status, headers, body, after } = (self.answers)(number, &head);
            sleep(Duration::from_millis(after)).await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            let length = body.len();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn cluster(&self, limits: Limits) -> Cluster {
        self.cluster_of(Target::Management, limits)
    }

    fn cluster_of(&self, target: Target, limits: Limits) -> Cluster {
        let url = format!("http://127.0.0.1:{}", self.port).parse().expect("an address");
        let config = ClientConfig { config: kube::Config::new(url), context: None, check: None, fence: None };
        Cluster::new(target, config, limits).expect("a client")
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

fn object() -> ApiRequest {
    ApiRequest::object(Resource::namespaces(), None, "a")
}

fn kind<T>(result: Result<T, ClusterError>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind)
}

#[tokio::test]
async fn a_thousand_callers_are_sixteen_requests_at_once() {
    let server = Server::start(|_, _| Reply { after: 2, ..Reply::ok(&json!({})) }).await;
    let cluster = server.cluster(Limits::default());
    let request = object();
    let answers = join_all((0..1_000).map(|_| cluster.call(&request))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(server.most.load(Ordering::SeqCst), 16);
    assert_eq!(cluster.counters().count(Verb::Get, Outcome::Success), 1_000);
}

#[tokio::test]
async fn who_waits_for_a_turn_does_not_run_out_of_time() {
    let server = Server::start(|_, _| Reply { after: 100, ..Reply::ok(&json!({})) }).await;
    let deadline = Duration::from_secs(1);
    let cluster = server.cluster(Limits { concurrency: 1, deadline, ..Limits::default() });
    let request = object();
    let answers = join_all((0..15).map(|_| cluster.call(&request))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_then_given_up() {
    let server = Server::start(|n, _| match n {
        0 => Reply::status(429, "", "{}"),
        1 => Reply::status(502, "", "<html>"),
        _ => Reply::ok(&json!({"a": 1})),
    });
    let server = server.await;
    let cluster = server.cluster(Limits::default());
    assert_eq!(cluster.call(&object()).await, Ok(json!({"a": 1})));
    assert_eq!((cluster.calls(), cluster.counters().count(Verb::Get, Outcome::Busy)), (3, 2));

    let server = Server::start(|_, _| Reply::status(503, "", "{}")).await;
    let cluster = server.cluster(Limits::default());
    assert_eq!(kind(cluster.call(&object()).await), Some(ErrorKind::Busy));
    assert_eq!(cluster.calls(), u64::from(TRIES));
}

#[tokio::test]
async fn a_server_that_wants_to_be_asked_after_the_deadline_is_not_asked_again() {
    let server = Server::start(|_, _| Reply::status(429, "retry-after: 60\r\n", "{}")).await;
    let cluster = server.cluster(Limits::default());
    let begun = Instant::now();
    let error = cluster.call(&object()).await.expect_err("it is busy");
    assert_eq!((error.kind, error.retry_after()), (ErrorKind::Busy, Some(Duration::from_mins(1))));
    assert!(begun.elapsed() < Limits::default().deadline, "nobody waits for what cannot come");
    assert_eq!(cluster.calls(), 1);
}

#[tokio::test]
async fn a_server_that_does_not_answer_runs_out_of_time() {
    let server = Server::start(|_, _| Reply { after: 60_000, ..Reply::ok(&json!({})) }).await;
    let cluster = server.cluster(Limits { deadline: Duration::from_millis(100), ..Limits::default() });
    let error = cluster.call(&object()).await.expect_err("nobody answers");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::TimedOut, "no answer within 100 ms"));
    assert_eq!(cluster.counters().count(Verb::Get, Outcome::NoAnswer), 1);
}

#[tokio::test]
async fn answers_and_errors_have_an_end() {
    let long = json!({ "x": "y".repeat(10_000) }).to_string();
    let server = Server::start(move |_, head| match head.contains("/broken") {
        true => Reply::status(404, "", long.clone()),
        false => Reply::status(200, "", long.clone()),
    });
    let server = server.await;
    let cluster = server.cluster(Limits { answer: 20_000, error_answer: 1_000, ..Limits::default() });
    assert_eq!(kind(cluster.call(&object()).await), None);
    let error = cluster.call(&object().at_most(5_000)).await.expect_err("it is longer");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::TooLarge, "the answer is longer than 5000 bytes"));
    let broken = ApiRequest::object(Resource::namespaces(), None, "broken");
    let error = cluster.call(&broken).await.expect_err("it is not there");
    // A body that was not read whole does not say that the kind is not served.
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::BadAnswer, "the server answers 404"));
}

#[tokio::test]
async fn a_request_that_cannot_be_built_is_not_sent() {
    let server = Server::start(|_, _| Reply::ok(&json!({}))).await;
    let cluster = server.cluster(Limits::default());
    let delete = ApiRequest::delete_in_any_state(Resource::namespaces(), None, "", "u");
    assert_eq!(kind(cluster.call(&delete).await), Some(ErrorKind::InvalidRequest));
    // Without the subresource it would delete the object.
    let status = ApiRequest::delete_in_any_state(Resource::namespaces(), None, "a", "u").subresource("status");
    assert_eq!(kind(cluster.call(&status).await), Some(ErrorKind::InvalidRequest));
    assert_eq!((server.asked(), cluster.calls(), cluster.writes()), (Vec::new(), 0, 0));
}

fn list_of(items: usize, token: &str) -> Value {
    let items = vec![json!({}); items];
    json!({"kind": "NamespaceList", "items": items, "metadata": {"resourceVersion": "7", "continue": token}})
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_in_a_smaller_size() {
    let server = Server::start(|_, head| match head.contains("limit=100&") || head.contains("limit=100 ") {
        true => Reply::ok(&json!({ "x": "y".repeat(10_000) })),
        false if head.contains("continue=") => Reply::ok(&list_of(20, "")),
        false => Reply::ok(&list_of(50, "next")),
    });
    let server = server.await;
    let cluster = server.cluster(Limits { answer: 5_000, ..Limits::default() });
    let all = cluster.list_all(&Selection::all(Resource::namespaces()).paged(100)).await;
    assert_eq!(all.map(|all| all.len()), Ok(70));
    let limits: Vec<bool> = server.asked().iter().map(|path| path.contains("limit=50")).collect();
    assert_eq!(limits, [false, true, true]);
}

#[tokio::test]
async fn a_list_that_expires_is_told_whole_and_one_that_does_not_end_is_none() {
    let server = Server::start(|n, _| match n {
        0 => Reply::ok(&list_of(3, "a")),
        1 => Reply::status(410, "", json!({"reason": "Expired"}).to_string()),
        2 => Reply::ok(&list_of(2, "b")),
        _ => Reply::ok(&list_of(2, "")),
    });
    let server = server.await;
    let cluster = server.cluster(Limits::default());
    let all = Selection::all(Resource::namespaces());
    assert_eq!(cluster.list_all(&all).await.map(|all| all.len()), Ok(4));

    let server = Server::start(|n, _| Reply::ok(&list_of(1, &format!("t{n}")))).await;
    let cluster = server.cluster(Limits { pages: 5, ..Limits::default() });
    assert_eq!(kind(cluster.list_all(&all).await), Some(ErrorKind::BadAnswer));
    assert_eq!(cluster.counters().count(Verb::List, Outcome::Success), 5);
}

#[tokio::test]
async fn a_request_without_an_answer_is_not_the_end_of_a_server_that_answers_others() {
    let is_version = |head: &str| head.starts_with("GET /version ");
    let server = Server::start(move |_, head| match is_version(head) {
        true => Reply::ok(&json!({"major": "1"})),
        false => Reply { after: 600_000, ..Reply::ok(&json!({})) },
    })
    .await;
    let limits = Limits { deadline: Duration::from_millis(50), probe: Some(limits::PROBE), ..Limits::default() };
    let cluster = server.cluster(limits);
    let request = object();
    let answers = join_all((0..40).map(|_| cluster.call(&request))).await;
    for answer in answers {
        let error = answer.expect_err("it does not answer");
        assert_eq!(error.kind, ErrorKind::Slow);
        assert_eq!(error.message, "no answer within 50 ms, while the server answers other requests");
        assert!(!error.is_of_connection() && error.help.is_some());
    }
    // Without a probe nothing is known of the server, and one that says nothing at all is lost.
    let unasked = server.cluster(Limits { probe: None, ..limits });
    assert_eq!(kind(unasked.call(&request).await), Some(ErrorKind::TimedOut));
    let server = Server::start(|_, _| Reply { after: 600_000, ..Reply::ok(&json!({})) }).await;
    let lost = server.cluster(Limits { probe: Some(Duration::from_millis(50)), ..limits });
    let answers = join_all((0..4).map(|_| lost.call(&request))).await;
    assert!(answers.into_iter().all(|answer| kind(answer) == Some(ErrorKind::TimedOut)));
}

#[tokio::test]
async fn a_service_cluster_is_asked_for_less_at_once() {
    let server = Server::start(|_, _| Reply::ok(&list_of(1, ""))).await;
    let (all, crds) = (Selection::all(Resource::namespaces()), Selection::all(Resource::crds()));
    let service = Target::Service(ClusterId::new("team-a", "eu-west-1"));
    let pages = |target: Target| {
        let cluster = server.cluster_of(target, Limits::default());
        let (all, crds) = (all.clone(), crds.clone());
        async move {
            for selection in [&all, &all.clone().paged(20_000), &all.clone().paged(7), &crds] {
                cluster.list_all(selection).await.expect("a list");
            }
        }
    };
    pages(Target::Management).await;
    pages(service.clone()).await;
    let limits: Vec<String> = server
        .asked()
        .iter()
        .filter_map(|path| path.split(['?', '&']).find_map(|part| part.strip_prefix("limit=")).map(str::to_owned))
        .collect();
    assert_eq!(limits, ["5000", "5000", "7", "100", "500", "500", "7", "100"]);
    let (of_service, usual) = (Limits::default().within(&service), Limits::default());
    assert!(of_service.answer < usual.answer && of_service.list < usual.list && of_service.lists < usual.lists);
}

/// kube's own pool has no timer, and keeps what a burst has opened until the server ends it.
#[tokio::test]
async fn connections_that_nobody_uses_are_closed() {
    let server = Server::start(|_, _| Reply { after: 20, ..Reply::ok(&json!({})) }).await;
    let cluster = server.cluster(Limits { idle: Duration::from_millis(50), ..Limits::default() });
    let request = object();
    let answers = join_all((0..16).map(|_| cluster.call(&request))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert!(server.open.load(Ordering::SeqCst) > 1);
    while server.open.load(Ordering::SeqCst) > 0 {
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn only_a_few_pages_are_in_memory_at_once() {
    let server = Server::start(|_, _| Reply { after: 2, ..Reply::ok(&list_of(1, "")) }).await;
    let cluster = server.cluster(Limits::default());
    let all = Selection::all(Resource::namespaces());
    let lists = join_all((0..100).map(|_| cluster.list_all(&all))).await;
    assert!(lists.iter().all(Result::is_ok));
    assert_eq!(server.most.load(Ordering::SeqCst), Limits::default().lists);
}

/// A kubeconfig whose user is a plugin that writes a line to `log` and then does `then`.
fn with_plugin(folder: &Path, name: &str, port: u16, then: &str) -> FileSource {
    let log = folder.join("log").display().to_string();
    let script = serde_json::to_string(&format!("echo {name} >> {log}; {then}")).expect("text");
    let path = folder.join(format!("{name}.kubeconfig"));
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
         clusters: [{{name: a, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
         users: [{{name: a, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, \
         args: [-c, {script}], interactiveMode: Never}}}}}}]\n"
    );
    std::fs::write(&path, text).expect("written");
    FileSource { paths: vec![path], ..FileSource::default() }
}

fn runs(folder: &Path) -> BTreeMap<String, usize> {
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    log.lines().fold(BTreeMap::new(), |mut runs, line| {
        *runs.entry(line.to_owned()).or_default() += 1;
        runs
    })
}

async fn behind(source: &FileSource, limits: Limits) -> Cluster {
    let target = Target::Service(ClusterId::new("team-a", "eu-west-1"));
    Cluster::new(target, from_files(source).await.expect("a kubeconfig"), limits).expect("a client")
}

const TOKEN: &str = r#"echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "hunter2"}}'"#;

#[tokio::test]
async fn twenty_plugins_run_once_each_and_side_by_side() {
    // Each plugin ends when all twenty have begun: one after the other, none would end.
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|_, head| match head.contains("authorization: Bearer hunter2") {
        true => Reply::ok(&json!({})),
        false => Reply::status(401, "", "{}"),
    });
    let server = server.await;
    let all = folder.path().join("log").display().to_string();
    let then = format!("while [ $(wc -l < {all}) -lt 20 ]; do sleep 0.05; done; {TOKEN}");
    let contexts = (0..20).map(|n| with_plugin(folder.path(), &format!("user-{n}"), server.port, &then));
    let request = object();
    let asked = join_all(contexts.map(|source| {
        let request = &request;
        async move {
            let cluster = behind(&source, Limits::default()).await;
            // Several requests at once need one run, and so does a second client of the same user.
            let again = behind(&source, Limits::default()).await;
            let calls = [&cluster, &cluster, &again, &again].map(|cluster| cluster.call(request));
            join_all(calls).await.into_iter().collect::<Result<Vec<_>, _>>()
        }
    }));
    for answer in asked.await {
        answer.expect("each is let in");
    }
    let runs = runs(folder.path());
    assert_eq!(runs.len(), 20);
    assert!(runs.values().all(|count| *count == 1), "{runs:?}");
}

#[tokio::test]
async fn a_plugin_that_hangs_keeps_nobody_else_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|_, _| Reply::ok(&json!({}))).await;
    let plugin = PluginLimits { alone: Duration::from_millis(1_500), ..PluginLimits::default() };
    let limits = Limits { plugin, ..Limits::default() };
    let hangs = behind(&with_plugin(folder.path(), "hangs", server.port, "exec sleep 600"), limits).await;
    let works = behind(&with_plugin(folder.path(), "works", server.port, TOKEN), Limits::default()).await;
    let request = object();
    let order = Mutex::new(Vec::new());
    let hanging = async {
        let answer = hangs.call(&request).await;
        order.lock().expect("no panic").push("hangs");
        answer
    };
    let working = async {
        let answer = works.call(&request).await;
        order.lock().expect("no panic").push("works");
        answer
    };
    let (hung, worked) = tokio::join!(hanging, working);
    assert_eq!((kind(hung), kind(worked)), (Some(ErrorKind::Kubeconfig), None));
    // The time for a request says nothing about the plugin, and the next request does not start it again.
    let short = hangs.with_limits(Limits { deadline: Duration::from_millis(1), ..limits });
    let said = short.call(&request).await.expect_err("it hangs").message;
    assert_eq!(said, "the credential plugin `sh` did not end within 1500 ms");
    assert_eq!(*order.lock().expect("no panic"), ["works", "hangs"]);
    assert_eq!((hangs.calls(), runs(folder.path())["hangs"]), (0, 1));
}

#[tokio::test]
async fn credentials_that_a_server_refuses_are_asked_for_anew_once() {
    let folder = tempfile::tempdir().expect("a folder");
    // The plugin's second answer is another one.
    let log = folder.path().join("log").display().to_string();
    let count = format!("$(wc -l < {log} | tr -d ' ')");
    let then = TOKEN.replace("hunter2", &format!("'t{count}'"));
    let server = Server::start(|_, head| match head.contains("authorization: Bearer t2") {
        true => Reply::ok(&json!({})),
        false => Reply::status(401, "", "{}"),
    });
    let server = server.await;
    let cluster = behind(&with_plugin(folder.path(), "rotates", server.port, &then), Limits::default()).await;
    assert_eq!(kind(cluster.call(&object()).await), None);
    assert_eq!(kind(cluster.call(&object()).await), None);
    assert_eq!((cluster.calls(), runs(folder.path())["rotates"]), (3, 2));

    let server = Server::start(|_, _| Reply::status(401, "", "{}")).await;
    let cluster = behind(&with_plugin(folder.path(), "refused", server.port, TOKEN), Limits::default()).await;
    let error = cluster.call(&object()).await.expect_err("it is refused");
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert!(error.help.is_some_and(|help| help.contains("credential plugin `sh`: log in again")));
    assert_eq!((cluster.calls(), runs(folder.path())["refused"]), (2, 2));
}

#[tokio::test]
async fn a_plugin_that_fails_is_an_error_of_the_kubeconfig() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|_, _| Reply::ok(&json!({}))).await;
    let source = with_plugin(folder.path(), "fails", server.port, "echo hunter2; echo 'log in first' >&2; exit 1");
    let cluster = behind(&source, Limits::default()).await;
    let error = cluster.call(&object()).await.expect_err("it fails");
    assert_eq!(error.kind, ErrorKind::Kubeconfig);
    assert_eq!(error.message, "the credential plugin `sh` failed (exit status: 1): log in first");
    // A second request, and a second cluster of the same user.
    assert_eq!(cluster.call(&object()).await, Err(error.clone()));
    assert_eq!(behind(&source, Limits::default()).await.call(&object()).await, Err(error));
    assert_eq!((server.asked(), runs(folder.path())["fails"]), (Vec::new(), 1));
}

#[tokio::test]
async fn a_slow_plugin_does_not_use_the_time_of_the_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|_, _| Reply::ok(&json!({}))).await;
    // It ends after the deadline of the request that waits for it.
    let source = with_plugin(folder.path(), "slow", server.port, &format!("sleep 4; {TOKEN}"));
    let limits = Limits { deadline: Duration::from_secs(3), ..Limits::default() };
    assert_eq!(kind(behind(&source, limits).await.call(&object()).await), None);
    assert_eq!(runs(folder.path())["slow"], 1);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_that_of_the_plugin() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|_, _| Reply::ok(&json!({}))).await;
    let rubbish = TOKEN.replace(r#""token": "hunter2""#, r#""clientCertificateData": "abc", "clientKeyData": "def""#);
    let source = with_plugin(folder.path(), "rubbish", server.port, &rubbish);
    let error = behind(&source, Limits::default()).await.call(&object()).await.expect_err("no certificate");
    let said = "the credential plugin `sh` answers with something else than credentials: its client certificate or key \
                cannot be used";
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Kubeconfig, said));
}

#[tokio::test]
async fn a_token_file_may_end_in_a_line_break() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(|_, head| match head.contains("authorization: Bearer hunter2\r\n") {
        true => Reply::ok(&json!({})),
        false => Reply::status(401, "", "{}"),
    });
    let server = server.await;
    let cluster = || {
        let url = format!("http://127.0.0.1:{}", server.port).parse().expect("an address");
        let mut config = kube::Config::new(url);
        config.auth_info.token_file = Some(folder.path().join("token").display().to_string());
        Cluster::new(
            Target::Management,
            ClientConfig { config, context: None, check: None, fence: None },
            Limits::default(),
        )
        .expect("a client")
    };
    let error = cluster().call(&object()).await.expect_err("there is no file");
    assert!(error.kind == ErrorKind::Kubeconfig && error.message.contains("token file"), "{error}");
    std::fs::write(folder.path().join("token"), "hunter2\n").expect("written");
    assert_eq!(kind(cluster().call(&object()).await), None);
}
