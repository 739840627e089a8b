//! A platform team's repository beside its clusters: the redis example, whose
//! service clusters are reached by the Secrets in the management cluster, as in the
//! tutorial. Commands are run as a person runs them, as processes.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use crate::support::{ControlPlane, ControlPlanes};

/// The CRD that the example offers.
pub(crate) const BASE: &str = "redis.redis.redis.opstreelabs.in";

/// A repository, and the clusters it is for.
pub(crate) struct Platform {
    pub planes: ControlPlanes,
    folder: TempDir,
    kubeconfig: PathBuf,
}

/// What a command did.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// What a command says on stderr without the lines of progress, which it has on a busy machine alone.
pub(crate) fn without_progress(err: &str) -> String {
    err.split_inclusive('\n').filter(|line| !line.starts_with("waiting for ")).collect()
}

impl Run {
    /// Everything that it printed.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// The same run, if it ended so.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }
}

impl Platform {
    /// The example as it lies there, with a management cluster and these service clusters of
    /// team-a, each with the operator's CRD and a Secret that leads to it.
    pub(crate) async fn new(service_clusters: &[&str]) -> Result<Self, crate::support::Failed> {
        let names: Vec<&str> = ["management"].iter().chain(service_clusters).copied().collect();
        let planes = ControlPlanes::builder().controllers().start(&names).await?;
        Self::over(planes, service_clusters).await
    }

    /// The same over control planes that run already.
    pub(crate) async fn over(planes: ControlPlanes, service_clusters: &[&str]) -> Result<Self, crate::support::Failed> {
        let folder = tempfile::tempdir()?;
        copy(&example(), folder.path())?;
        // The example is reached by contexts; here the Secrets are the way in.
        std::fs::write(folder.path().join("carrier.yaml"), "{}\n")?;
        let kubeconfig = planes["management"].kubeconfig_path().to_owned();
        let platform = Self { planes, folder, kubeconfig };
        let management = &platform.planes["management"];
        // As an earlier run of carrier would have left it, for the Secrets: with a namespace that somebody else made, every
        // story would begin with its adoption, which has a test of its own.
        let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: team-a, annotations: {a: b}}}";
        let carrier = ["apply", "--server-side", "--field-manager=carrier", "-f", "-"];
        management.kubectl_with(&carrier, namespace).await?;
        for name in service_clusters {
            platform.operator(name).await?;
            let file = format!("--from-file=kubeconfig={}", platform.planes[*name].kubeconfig_path().display());
            let secret = format!("{name}-kubeconfig");
            management.kubectl(&["create", "secret", "generic", "-n", "team-a", &secret, &file]).await?;
        }
        Ok(platform)
    }

    /// Installs what counts of the operator: its CRD.
    async fn operator(&self, cluster: &str) -> Result<(), crate::support::Failed> {
        let crd = example().join(format!("snapshots/team-a/eu-west-1/{BASE}.yaml"));
        let plane = &self.planes[cluster];
        plane.kubectl(&["apply", "--server-side", "-f", &crd.to_string_lossy()]).await?;
        plane.established(&[BASE]).await;
        Ok(())
    }

    /// The management cluster.
    pub(crate) fn management(&self) -> &ControlPlane {
        &self.planes["management"]
    }

    /// The repository's folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }

    /// Replaces a text in a file of the repository, which must be there.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(path)).expect("read");
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, &text.replace(from, to));
    }

    /// Registers a service cluster: the file that the tutorial has for it.
    pub(crate) fn register(&self, name: &str) {
        self.write(
            &format!("clusters/{name}.yaml"),
            &format!(
                "apiVersion: kubecarrier.io/v1alpha1\nkind: ServiceCluster\nmetadata:\n  name: {name}\n  namespace: team-a\n\
                 spec:\n  metadata:\n    displayName: {name}\n  kubeconfigSecret:\n    name: {name}-kubeconfig\n"
            ),
        );
    }

    /// A command, not started yet, in the repository.
    pub(crate) fn command(&self, args: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_carrier"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command in the repository; those that talk to clusters may reach this machine.
    pub(crate) async fn carrier(&self, args: &[&str]) -> Run {
        let mut args = args.to_vec();
        if matches!(args.first(), Some(&("lock" | "plan" | "apply" | "get" | "doctor"))) && !args.contains(&"--offline")
        {
            args.push("--allow-loopback");
        }
        let output = self.command(&args).output().await.expect("carrier runs");
        Run {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: without_progress(&String::from_utf8(output.stderr).expect("UTF-8")),
        }
    }

    /// Locks and applies, as at the beginning of most stories.
    pub(crate) async fn applied(&self) {
        self.carrier(&["lock"]).await.ends(0);
        self.carrier(&["apply", "--yes"]).await.ends(0);
    }

    /// Creates an instance of a region's redis, as team-b's member.
    pub(crate) async fn instance(&self, region: &str, name: &str, spec: &str) -> Result<(), crate::support::Failed> {
        let tenant = self.management().impersonate("team-b-member", &[]).await?;
        let body = format!(
            "apiVersion: {region}.team-a/v1beta1\nkind: Redis\nmetadata:\n  name: {name}\n  namespace: team-b\nspec: {spec}\n"
        );
        tenant.kubectl_with(&["create", "-f", "-"], &body).await?;
        Ok(())
    }
}

/// The example.
pub(crate) fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog-examples/redis")
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true if entry.file_name() == "rendered" => {}
            true => copy(&entry.path(), &target)?,
            false => drop(std::fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}
