//! The kustomize base in `deploy/`: an API server takes it, in the namespace and with the account that are rendered.

use std::path::Path;

use crate::support::{Case, TestResult, cases, shared};

/// The tests of this file.
pub(crate) fn cases() -> Vec<Case> {
    cases![an_api_server_takes_the_deployment]
}

/// As a dry run, with the strictest Pod Security Standard: nothing of it may stay in the shared cluster.
async fn an_api_server_takes_the_deployment() -> TestResult {
    let planes = shared().await?;
    let plane = &planes["management"];
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let rendered = plane.kubectl(&["kustomize", &base.to_string_lossy()]).await?;
    assert!(!rendered.contains("kind: Namespace\n"), "{rendered}");
    assert_eq!(rendered.matches("\n  namespace: kubecarrier-system\n").count(), 2, "{rendered}");
    // The namespace of the base may not exist here.
    let namespace = plane.namespace("deploy").await?;
    let level = "pod-security.kubernetes.io/warn=restricted";
    plane.kubectl(&["label", "namespace", &namespace, level]).await?;
    let here = rendered.replace("namespace: kubecarrier-system", &format!("namespace: {namespace}"));
    let arguments =
        ["apply", "--server-side", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "-f", "-"];
    let said = plane.kubectl_with(&arguments, &here).await?;
    assert_eq!(
        said,
        "deployment.apps/carrier-sync serverside-applied (server dry run)\n\
         poddisruptionbudget.policy/carrier-sync serverside-applied (server dry run)\n"
    );
    Ok(())
}
