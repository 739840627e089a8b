//! `CAR08xx`: credentials in the repository.

use super::Code;
use crate::model::codes::Severity;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[&KUBECONFIG, &PLAIN_SECRET, &INLINE_CREDENTIALS];

/// A kubeconfig is in the repository.
pub static KUBECONFIG: Code = Code {
    id: "CAR0801",
    severity: Severity::Error,
    title: "a kubeconfig is in the repository",
    explanation: "\
A kubeconfig contains credentials for a cluster. Anyone who can read the repository, or its
history, could use them. Refer to the kubeconfig instead: by file and context or by
environment variable in `carrier.yaml`, or by the Secret in the management cluster that the
ServiceCluster names. A kubeconfig that is encrypted with SOPS is allowed. If the file was
ever pushed, replace the credentials: removing the file does not make them secret again.

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

/// A Secret is not encrypted.
pub static PLAIN_SECRET: Code = Code {
    id: "CAR0802",
    severity: Severity::Warning,
    title: "a Secret is in the repository in plain text",
    explanation: "\
Anyone who can read the repository can read the values of the Secret; base64 is not
encryption. carrier ignores the object. Encrypt it with SOPS, or use a kind that references
the value, such as SealedSecret or ExternalSecret.

Bad:

    kind: Secret
    stringData:
      password: ...

Good: the same file, encrypted with `sops`.
",
};

/// `carrier.yaml` contains credentials.
pub static INLINE_CREDENTIALS: Code = Code {
    id: "CAR0803",
    severity: Severity::Error,
    title: "carrier.yaml contains credentials",
    explanation: "\
`carrier.yaml` refers to a kubeconfig and never contains one. Set a file and a context, an
environment variable, or the Secret of the ServiceCluster. A URL must not contain a user or
password: Argo CD and Flux store the credentials of a repository themselves.

Bad:

    management:
      token: ...

Good:

    management:
      kubeconfig: ~/.kube/management
",
};
