//! `CAR06xx`: clusters and their API servers.

use super::Code;
use crate::model::codes::Severity::{self, Error, Warning};

const fn code(id: &'static str, severity: Severity, title: &'static str, explanation: &'static str) -> Code {
    Code { id, severity, title, explanation }
}

/// A cluster cannot be reached.
pub static UNREACHABLE: Code = code(
    "CAR0601",
    Error,
    "a cluster cannot be reached",
    "There is no connection to the address in the kubeconfig: the connection is refused, the host name is unknown, or the\n\
     network fails. What is recorded of the cluster does not change, and the other clusters are processed.\n\n\
     Fix: check whether `kubectl --kubeconfig FILE version` works with the same kubeconfig, and run the command again.\n",
);

/// A cluster does not answer in time.
pub static TIMED_OUT: Code = code(
    "CAR0602",
    Error,
    "a cluster does not answer in time",
    "There was no response within `--request-timeout`, including retries. What is recorded of the cluster does not change, and\n\
     the other clusters are processed.\n\n\
     Fix: run the command again later, or with a longer `--request-timeout`.\n",
);

/// The certificate of a cluster is not trusted.
pub static CERTIFICATE: Code = code(
    "CAR0603",
    Error,
    "a cluster's certificate is not trusted",
    "The certificate of the server is not signed by the certificate authority in the kubeconfig, has expired, or is for\n\
     another host name. The server may not be the expected one. Nothing was sent to it.\n\n\
     Fix: get a new kubeconfig from the administrator of the cluster.\n",
);

/// A cluster answers 401.
pub static UNAUTHORIZED: Code = code(
    "CAR0604",
    Error,
    "a cluster does not accept the credentials",
    "The server answers 401: the token or client certificate in the kubeconfig has expired, was revoked, or is for another\n\
     cluster.\n\n\
     Fix: get a new kubeconfig from the administrator of the cluster, or log in again if it uses a credential plugin.\n",
);

/// A cluster answers 403.
pub static FORBIDDEN: Code = code(
    "CAR0605",
    Error,
    "a cluster denies permission",
    "The server answers 403: the credentials are valid, and RBAC does not permit the request. The message is the server's.\n\n\
     Fix: run `carrier doctor`, which prints the missing permissions and the RBAC that grants them.\n",
);

/// A service cluster does not have a CRD.
pub static NO_SUCH_CRD: Code = code(
    "CAR0606",
    Error,
    "a service cluster does not have this CRD",
    "A CatalogEntrySet offers the CRD from this cluster, and the cluster does not have it: the operator is not installed\n\
     there, or its release uses another name for the CRD. An existing snapshot is kept and compiled from.\n\n\
     Fix: install the operator in the cluster, correct the name, or exclude the cluster with `serviceClusterSelector`.\n",
);

/// A CRD of a service cluster differs from its snapshot.
pub static DRIFT: Code = code(
    "CAR0607",
    Warning,
    "a CRD of a service cluster differs from the locked one",
    "The cluster serves another CRD than the one that the repository is compiled from: the operator was upgraded, or the CRD\n\
     was edited. The offered fields may not match the running operator. With `--locked` this is an error.\n\n\
     Fix: run `carrier lock`, review the changes, and commit them.\n",
);

/// A cluster has another identity than expected.
pub static OTHER_CLUSTER: Code = code(
    "CAR0608",
    Error,
    "this is not the cluster in the lock",
    "The identity of a cluster is the UID of its namespace `kube-system`. It differs from the one in carrier.lock, or in\n\
     `management.uid` of carrier.yaml: the kubeconfig or its context belongs to another cluster, or the cluster was recreated.\n\
     Nothing is read from it or written to it.\n\n\
     Fix: correct the kubeconfig or context; if the cluster was recreated, write its UID in place of the old one in carrier.lock.\n",
);

/// The kubeconfig of a cluster is missing or not valid.
pub static NO_KUBECONFIG: Code = code(
    "CAR0609",
    Error,
    "the kubeconfig of a cluster is missing or not valid",
    "The kubeconfig file, environment variable or Secret does not exist, cannot be read, or does not contain a kubeconfig. Its\n\
     content is never shown.\n\n\
     Or the credential plugin of its user (`users[].user.exec`) is not installed, fails, does not end in time, or does not\n\
     print an ExecCredential. The message has the program, its exit status and its standard error, or the `installHint`.\n\
     A plugin that failed is not started again by the same command.\n\n\
     Fix: correct `management` or `serviceClusters` in carrier.yaml, or provide the kubeconfig that they refer to; for a\n\
     credential plugin, log in again with its own tool.\n",
);

/// A kubeconfig that is not trusted asks for what it may not have.
pub static UNSAFE_KUBECONFIG: Code = code(
    "CAR0610",
    Error,
    "a kubeconfig from a Secret or from the repository is not allowed",
    "A user with write access to the Secret of a ServiceCluster must not be able to run programs on the machine that reads it,\n\
     to have files of that machine sent to a server, or to direct its requests into its own network. Therefore `exec`,\n\
     `auth-provider`, file paths, proxies, impersonation, connections without TLS, loopback addresses and the API of the\n\
     cluster that carrier runs in are rejected. A name is checked at each connection, by the addresses that it has then.\n\n\
     A kubeconfig file in the repository or its Git work tree is not used at all, unless the person who runs carrier names\n\
     it with `--kubeconfig` or `$KUBECONFIG`: the author of a pull request could run programs with it.\n\n\
     Fix: embed certificates and tokens in the kubeconfig of a Secret (`…-data`, `token`; `--allow-loopback` allows loopback\n\
     addresses), and keep kubeconfig files outside of the work tree.\n",
);

/// A cluster answers with an unexpected error.
pub static SERVER_ERROR: Code = code(
    "CAR0611",
    Error,
    "a cluster answers with an error",
    "The API server answers with an error that no other code covers. The message is the server's.\n\n\
     Fix: check the health of the API server, and run the command again.\n",
);

/// Two service clusters of the repository are the same cluster.
pub static SAME_CLUSTER: Code = code(
    "CAR0612",
    Warning,
    "two service clusters are one cluster",
    "The kubeconfigs of two ServiceClusters lead to clusters with the same identity: the cluster was registered twice, or it\n\
     was renamed and the lock has it by its former name, or a kubeconfig belongs to another cluster than its name says. Both work, with separate namespaces for their tenants, but a\n\
     CRD of the operator, its version, and a failure of the cluster affect both.\n\n\
     Fix: remove one of the two, or correct its kubeconfig. After a change of its name, apply the repository with the new\n\
     name first and move the instances; a removed ServiceCluster is not looked at again.\n",
);

/// A service cluster is deleting a CRD.
pub static CRD_GOING: Code = code(
    "CAR0613",
    Error,
    "a service cluster is deleting this CRD",
    "A CatalogEntrySet offers the CRD from this cluster, and somebody has deleted the CRD there. The API server deletes its\n\
     instances and keeps the CRD until the last of them is gone; the finalizers of the instances that are left hold it, and\n\
     the message names them. Until then no instance can be created. A deletion cannot be undone. What is locked of the CRD\n\
     does not change, and the plan is made; `carrier apply` ends with status 5.\n\n\
     Fix: let the deletion end (the operator in that cluster removes the finalizers), install the operator's CRD again, and\n\
     run `carrier lock`; or no longer offer the CRD from this cluster.\n",
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
    &SERVER_ERROR,
    &SAME_CLUSTER,
    &CRD_GOING,
];
