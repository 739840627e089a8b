//! `CAR06xx`: clusters and their API servers.

use super::Code;
use crate::model::diagnostic::Severity;

const fn error(id: &'static str, title: &'static str, explanation: &'static str) -> Code {
    Code { id, severity: Severity::Error, title, explanation }
}

/// Nobody answers.
pub static UNREACHABLE: Code = error(
    "CAR0601",
    "a cluster cannot be reached",
    "Nobody answers at the address of the kubeconfig: the connection is refused, the name is unknown, or the network\n\
     between is broken. What is known of the cluster stays as it is, and the other clusters go on.\n\n\
     Fix: see whether `kubectl --kubeconfig FILE version` works with the same kubeconfig, and run the command again.\n",
);

/// No answer in time.
pub static TIMED_OUT: Code = error(
    "CAR0602",
    "a cluster does not answer in time",
    "A connection was made, or is being made, and no answer came within `--request-timeout`, retries included. What is\n\
     known of the cluster stays as it is, and the other clusters go on.\n\n\
     Fix: run the command again later, or with a longer `--request-timeout`.\n",
);

/// A certificate that is not trusted.
pub static CERTIFICATE: Code = error(
    "CAR0603",
    "a cluster's certificate is not trusted",
    "The server proves who it is with a certificate that the authority of the kubeconfig did not sign, that has expired,\n\
     or that is of another name. This may be another server than the one that was meant. Nothing was sent to it.\n\n\
     Fix: take a new kubeconfig from whoever runs the cluster.\n",
);

/// 401.
pub static UNAUTHORIZED: Code = error(
    "CAR0604",
    "a cluster does not accept the credentials",
    "The server answers 401: the token or client certificate of the kubeconfig has expired, was revoked, or is of another\n\
     cluster.\n\n\
     Fix: take a new kubeconfig from whoever runs the cluster.\n",
);

/// 403.
pub static FORBIDDEN: Code = error(
    "CAR0605",
    "a cluster does not allow it",
    "The server answers 403: it knows who asks, and its RBAC does not let them do this. The message is the server's own.\n\n\
     Fix: run `carrier doctor`, which prints what is missing and the RBAC that grants it.\n",
);

/// A CRD that is not in the cluster.
pub static NO_SUCH_CRD: Code = error(
    "CAR0606",
    "a service cluster has no such CRD",
    "A CatalogEntrySet offers the CRD from this cluster, and the cluster does not have it: the operator is not installed\n\
     there, or its release calls the CRD otherwise. A snapshot that is there stays, and is compiled from.\n\n\
     Fix: install the operator in the cluster, correct the name, or leave the cluster out with `serviceClusterSelector`.\n",
);

/// A CRD that has changed since it was locked.
pub static DRIFT: Code = Code {
    id: "CAR0607",
    severity: Severity::Warning,
    title: "a CRD of a service cluster is not what was locked",
    explanation: "The cluster serves another CRD than the one that the repository is compiled from: the operator was\n\
     upgraded, or somebody edited the CRD. What is offered may not fit what runs. With `--locked` this is an error.\n\n\
     Fix: run `carrier lock`, look at what changes, and commit it.\n",
};

/// Another cluster than the one that was meant.
pub static OTHER_CLUSTER: Code = error(
    "CAR0608",
    "this is another cluster than the one in the lock",
    "The UID of the namespace `kube-system` is a cluster's identity. carrier.lock, or `management.uid` of carrier.yaml, has\n\
     another one: the kubeconfig or its context is of another cluster, or the cluster was made anew. Nothing is read from it\n\
     or written to it.\n\n\
     Fix: correct the kubeconfig or context; if the cluster was made anew, remove its `uid` from carrier.lock and lock again.\n",
);

/// A kubeconfig that cannot be had.
pub static NO_KUBECONFIG: Code = error(
    "CAR0609",
    "there is no way into a cluster",
    "The kubeconfig file, environment variable or Secret is not there, cannot be read, or is no kubeconfig. What is in it\n\
     is never shown.\n\n\
     Fix: correct `management` or `serviceClusters` in carrier.yaml, or put the kubeconfig where they say.\n",
);

/// A kubeconfig that wants too much.
pub static UNSAFE_KUBECONFIG: Code = error(
    "CAR0610",
    "a kubeconfig from a Secret wants what it may not",
    "Whoever may write the Secret of a ServiceCluster is not thereby allowed to run programs on the machine that reads it,\n\
     to have its files sent somewhere, or to send it to addresses of its own network. So `exec`, `auth-provider`, file\n\
     paths, proxies, impersonation, connections without TLS and loopback addresses are refused.\n\n\
     Fix: put certificates and tokens themselves into the kubeconfig (`…-data`, `token`); `--allow-loopback` allows an address of\n\
     this machine.\n",
);

/// The server has trouble of its own.
pub static SERVER_TROUBLE: Code = error(
    "CAR0611",
    "a cluster answers with an error",
    "The API server answers, and what it says is neither an object nor a refusal that carrier knows. The message is the\n\
     server's own.\n\n\
     Fix: see how the API server is, and run the command again.\n",
);

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[
    &UNREACHABLE,
    &TIMED_OUT,
    &CERTIFICATE,
    &UNAUTHORIZED,
    &FORBIDDEN,
    &NO_SUCH_CRD,
    &DRIFT,
    &OTHER_CLUSTER,
    &NO_KUBECONFIG,
    &UNSAFE_KUBECONFIG,
    &SERVER_TROUBLE,
];
