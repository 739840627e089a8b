//! What carrier takes nobody's word for: where a Secret leads, and that a cluster is the one that is meant.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::platform::Platform;
use crate::support::{Case, TestResult, cases};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![a_cluster_is_believed_neither_by_its_secret_nor_by_its_name]
}

async fn a_cluster_is_believed_neither_by_its_secret_nor_by_its_name() -> TestResult {
    let platform = Platform::new(&["eu-west-1"]).await?;
    a_secret_leads_to_no_place_of_this_machine(&platform).await?;
    without_a_question_every_cluster_is_a_recorded_one(&platform).await
}

/// Puts a kubeconfig into the Secret that leads elsewhere; the certificate is still asked for by the first address.
async fn lead(platform: &Platform, server: &str) -> TestResult {
    let text = std::fs::read_to_string(platform.planes["eu-west-1"].kubeconfig_path())?;
    let before = text.lines().find(|line| line.trim().starts_with("server:")).ok_or("no server")?;
    let indent = &before[..before.len() - before.trim_start().len()];
    let after = format!("{indent}server: {server}\n{indent}tls-server-name: 127.0.0.1");
    platform.write("elsewhere.conf", &text.replace(before, &after));
    let secret =
        ["create", "secret", "generic", "-n", "team-a", "eu-west-1-kubeconfig", "--dry-run=client", "-o", "yaml"];
    let file = format!("--from-file=kubeconfig={}", platform.path("elsewhere.conf").display());
    let management = platform.management();
    let made = management.kubectl(&[&secret[..], &[file.as_str()]].concat()).await?;
    management.kubectl_with(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &made).await?;
    Ok(())
}

async fn a_secret_leads_to_no_place_of_this_machine(platform: &Platform) -> TestResult {
    let port = platform.planes["eu-west-1"].port();
    let run = async |arguments: &[&str], proxy: Option<u16>| -> Result<(Option<i32>, String), std::io::Error> {
        let mut command = platform.command(arguments);
        if let Some(port) = proxy {
            command.env("HTTPS_PROXY", format!("http://127.0.0.1:{port}"));
        }
        let output = command.output().await?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8_lossy(&text).into_owned()))
    };
    // An address is judged as it stands, and a name by where it leads at the connection. Resolvers read the second one
    // as 127.0.0.1.
    for server in [format!("https://127.0.0.1:{port}"), format!("https://0x7f.1:{port}")] {
        lead(platform, &server).await?;
        let (status, said) = run(&["lock"], None).await?;
        assert!(status == Some(4) && said.contains("CAR0610"), "{server}: {said}");
        assert!(said.contains("points at this machine or its link"), "{server}: {said}");
        let (status, said) = run(&["lock", "--check", "--allow-loopback"], None).await?;
        assert!(status == Some(2), "{server}: {said}");
    }

    // What may be connected to is connected to as before: TLS, credentials, compression. A proxy stands for a network.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = listener.local_addr()?.port();
    let network = tokio::spawn(network(listener, port));
    lead(platform, "https://0x0a000001:6443").await?;
    let (status, said) = run(&["lock"], Some(proxy)).await?;
    assert_eq!(status, Some(0), "{said}");
    let (status, said) = run(&["plan", "-o", "json"], Some(proxy)).await?;
    assert_eq!(status, Some(0), "{said}");
    lead(platform, &format!("https://0x7f.1:{port}")).await?;
    let (status, said) = run(&["lock", "--check"], Some(proxy)).await?;
    assert!(status == Some(4) && said.contains("points at this machine or its link"), "{said}");
    network.abort();

    lead(platform, &format!("https://127.0.0.1:{port}")).await
}

/// A proxy into a network in which 10.0.0.1 is the service cluster.
async fn network(listener: TcpListener, port: u16) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await?);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let wanted = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let address = if wanted == "10.0.0.1:6443" { format!("127.0.0.1:{port}") } else { wanted };
            let mut there = TcpStream::connect(address).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            copy_bidirectional(&mut stream, &mut there).await
        });
    }
}

async fn without_a_question_every_cluster_is_a_recorded_one(platform: &Platform) -> TestResult {
    platform.carrier(&["lock"]).await.ends(0);
    let lock = std::fs::read_to_string(platform.path("carrier.lock"))?;
    let plan = platform.carrier(&["plan", "-o", "json"]).await.ends(0).json();
    let uid = |name: &str| {
        let clusters = plan["clusters"].as_array().into_iter().flatten();
        let cluster = clusters.clone().find(|cluster| cluster["name"] == name);
        cluster.and_then(|cluster| cluster["uid"].as_str()).unwrap_or_default().to_owned()
    };
    let (management, service) = (uid("management"), uid("team-a/eu-west-1"));
    let without = |uids: &[&String]| -> String {
        let is_one = |line: &&str| uids.iter().any(|uid| line.contains(&format!("uid: {uid}")));
        let kept: Vec<&str> = lock.lines().filter(|line| !is_one(line)).collect();
        kept.join("\n").replace("\nmanagement:\nclusters:", "\nclusters:") + "\n"
    };
    // Each alone, and both.
    let (here, there) = ("the management cluster with the UID", "the service cluster `team-a/eu-west-1` with the UID");
    for (uids, said, unsaid) in [
        (&[&management][..], &[here][..], &[there][..]),
        (&[&service], &[there], &[here]),
        (&[&management, &service], &[here, there], &[]),
    ] {
        platform.write("carrier.lock", &without(uids));
        let terminal = on_a_terminal(platform, "apply --yes").await?;
        let run = platform.carrier(&["apply", "--yes"]).await;
        for (code, text) in [(Some(run.code), run.text()), terminal] {
            assert_eq!(code, Some(3), "{text}");
            assert!(text.contains("refused: nothing says that") && text.contains("nothing was written"), "{text}");
            assert!(
                said.iter().all(|one| text.contains(one)) && !unsaid.iter().any(|one| text.contains(one)),
                "{text}"
            );
        }
        // Whoever is asked sees which clusters they are.
        let (_, text) = on_a_terminal(platform, "apply").await?;
        assert!(text.contains("Only `yes` does") && text.contains("team-a/eu-west-1 at https://127.0.0.1:"), "{text}");
    }
    let crds: Value = serde_json::from_str(&platform.management().kubectl(&["get", "crds", "-o", "json"]).await?)?;
    assert_eq!(crds["items"].as_array().map(Vec::len), Some(0), "nothing was written");
    // A saved plan says which clusters somebody has looked at.
    platform.carrier(&["plan", "--out", "plan.json"]).await.ends(0);
    let text = std::fs::read_to_string(platform.path("plan.json"))?;
    platform.write("plan.json", &text.replace(&format!("      \"uid\": \"{service}\",\n"), ""));
    let run = platform.carrier(&["apply", "plan.json"]).await.ends(3);
    assert!(run.err.contains(there) && !run.err.contains(here), "{}", run.err);
    platform.write("plan.json", &text);
    platform.carrier(&["apply", "plan.json"]).await.ends(0);
    platform.write("carrier.lock", &lock);
    platform.carrier(&["apply", "--yes"]).await.ends(0);
    Ok(())
}

/// Runs a command on a terminal where nobody answers.
async fn on_a_terminal(platform: &Platform, line: &str) -> Result<(Option<i32>, String), std::io::Error> {
    let line = format!("{} {line} --allow-loopback", env!("CARGO_BIN_EXE_carrier"));
    let mut command = tokio::process::Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).env("KUBECONFIG", platform.management().kubeconfig_path());
    command.current_dir(platform.path("")).stdin(Stdio::null());
    let output = command.output().await?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()))
}
