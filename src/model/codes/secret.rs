//! `CAR08xx`: Secrets.

use super::Code;
use crate::model::diagnostic::Severity;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[&KUBECONFIG, &PLAIN_SECRET, &INLINE_CREDENTIALS];

/// A kubeconfig in the repository.
pub static KUBECONFIG: Code = Code {
    id: "CAR0801",
    severity: Severity::Error,
    title: "a kubeconfig must not lie in the repository",
    explanation: "\
A kubeconfig holds the keys of a cluster. Whoever can read the repository, and its history,
could use them. Refer to it instead: by file and context or by environment variable in
`carrier.yaml`, or by the Secret in the management cluster that the ServiceCluster names.
One that is encrypted with SOPS may stay. If the file was ever pushed, replace the keys:
removing it does not make them secret again.

Bad:

    kind: Secret
    metadata:
      name: eu-west-1-kubeconfig
    stringData:
      kubeconfig: ...

Good, in `carrier.yaml`:

    serviceClusters:
      team-a/eu-west-1:
        env: EU_WEST_1_KUBECONFIG
",
};

/// A Secret in plain text.
pub static PLAIN_SECRET: Code = Code {
    id: "CAR0802",
    severity: Severity::Warning,
    title: "a Secret in plain text lies in the repository",
    explanation: "\
The values of a Secret are readable by whoever can read the repository; base64 hides
nothing. Carrier ignores the object. Encrypt it with SOPS, or use a kind that fetches it
from elsewhere, such as SealedSecret or ExternalSecret.

Bad:

    kind: Secret
    stringData:
      password: ...

Good: the same file, encrypted with `sops`.
",
};

/// Credentials written into `carrier.yaml`.
pub static INLINE_CREDENTIALS: Code = Code {
    id: "CAR0803",
    severity: Severity::Error,
    title: "credentials are written into carrier.yaml",
    explanation: "\
`carrier.yaml` says where a kubeconfig is, never what is in it. Name a file and a context,
an environment variable, or the Secret of the ServiceCluster. A URL is written without user and
password: Argo CD and Flux keep the credentials of a repository themselves.

Bad:

    management:
      token: ...

Good:

    management:
      kubeconfig: ~/.kube/management
",
};
