//! One way into one API server: as whom, and by which address. A kubeconfig file,
//! a client and a kubectl are three forms of it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::authority::Identity;
use super::{StartError, io};

/// A way in.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    way: Way,
    config: Config,
}

/// What a way in is made of.
#[derive(Debug, Clone)]
struct Way {
    plane: Arc<Plane>,
    port: u16,
    identity: Identity,
    acting_as: Option<(String, Vec<String>)>,
    path: PathBuf,
}

/// What every access to one control plane has in common.
#[derive(Debug)]
pub(crate) struct Plane {
    /// The name of the control plane, and of the context in its kubeconfigs.
    pub name: String,
    /// Where kubeconfigs are written.
    pub folder: PathBuf,
    /// The certificate to know the server by, PEM.
    pub authority: String,
    /// The kubectl of the server's version.
    pub kubectl: PathBuf,
}

impl Access {
    /// With a client certificate, at `port` on loopback. `label` names the kubeconfig file.
    pub(crate) async fn new(plane: Arc<Plane>, port: u16, identity: Identity, label: &str) -> Result<Self, StartError> {
        let path = plane.folder.join(format!("{label}.kubeconfig"));
        Way { plane, port, identity, acting_as: None, path }.open().await
    }

    /// The same, but acting as another user (impersonation). Needs the right to do so,
    /// which an admin has.
    pub(crate) async fn acting_as(&self, user: &str, groups: &[&str]) -> Result<Self, StartError> {
        let groups = groups.iter().map(|&group| group.to_owned()).collect();
        self.variant(&format!("as-{user}"), |way| way.acting_as = Some((user.to_owned(), groups))).await
    }

    /// The same, but by way of another port on loopback.
    pub(crate) async fn by_port(&self, port: u16) -> Result<Self, StartError> {
        self.variant(&format!("by-{port}"), |way| way.port = port).await
    }

    /// A new client. Clients are cheap, but belong to the runtime that made them.
    pub(crate) fn client(&self) -> Client {
        Client::try_from(self.config.clone()).expect("the harness writes valid configurations")
    }

    /// A kubeconfig file with one context, named after the control plane. It holds its
    /// certificates, so that its text can be put in a Secret.
    pub(crate) fn kubeconfig_path(&self) -> &Path {
        &self.way.path
    }

    /// Runs kubectl; what it prints, or what it complains of.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> Result<String, KubectlError> {
        self.kubectl_with(arguments, "").await
    }

    /// The same, with `input` on its standard input (`-f -`).
    pub(crate) async fn kubectl_with(&self, arguments: &[&str], input: &str) -> Result<String, KubectlError> {
        let complain = |text: String| KubectlError { arguments: arguments.join(" "), text };
        let mut kubectl = Command::new(&self.way.plane.kubectl)
            .args(arguments)
            .env("KUBECONFIG", &self.way.path)
            // It keeps what it discovers under the home folder.
            .env("HOME", &self.way.plane.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| complain(error.to_string()))?;
        let mut stdin = kubectl.stdin.take().expect("stdin is piped");
        // kubectl may end without reading it all; its own words say why.
        let feed = async move {
            let _ = stdin.write_all(input.as_bytes()).await;
        };
        let (output, ()) = tokio::join!(kubectl.wait_with_output(), feed);
        let output = output.map_err(|error| complain(error.to_string()))?;
        if !output.status.success() {
            return Err(complain(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn variant(&self, label: &str, change: impl FnOnce(&mut Way)) -> Result<Self, StartError> {
        let mut way = self.way.clone();
        change(&mut way);
        let stem = way.path.file_stem().unwrap_or_default().to_string_lossy();
        // The label holds a user's name, which may be `system:serviceaccount:a:b`.
        let label: String = label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        way.path = way.plane.folder.join(format!("{stem}-{label}.kubeconfig"));
        way.open().await
    }
}

impl Way {
    async fn open(self) -> Result<Access, StartError> {
        let kubeconfig = self.kubeconfig();
        let text = serde_saphyr::to_string(&kubeconfig).expect("a kubeconfig is plain data");
        std::fs::write(&self.path, text).map_err(io(self.path.display()))?;
        let kubeconfig: Kubeconfig = serde_json::from_value(kubeconfig).expect("it has the shape of a kubeconfig");
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("it has one context");
        Ok(Access { way: self, config })
    }

    fn kubeconfig(&self) -> Value {
        let name = &self.plane.name;
        let data = |pem: &str| BASE64_STANDARD.encode(pem);
        let mut user = json!({
            "client-certificate-data": data(&self.identity.certificate),
            "client-key-data": data(&self.identity.key),
        });
        if let Some((acting_as, groups)) = &self.acting_as {
            user["as"] = json!(acting_as);
            user["as-groups"] = json!(groups);
        }
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": name, "cluster": {
                "server": format!("https://127.0.0.1:{}", self.port),
                "certificate-authority-data": data(&self.plane.authority),
            }}],
            "users": [{ "name": name, "user": user }],
            "contexts": [{ "name": name, "context": { "cluster": name, "user": name, "namespace": "default" } }],
            "current-context": name,
        })
    }
}

/// kubectl failed.
#[derive(Debug, thiserror::Error)]
#[error("kubectl {arguments}: {text}")]
pub(crate) struct KubectlError {
    /// What it was asked.
    pub arguments: String,
    /// What it wrote to standard error.
    pub text: String,
}
