//! `CAR05xx`: Snapshots and the lock.

use super::Code;
use crate::model::diagnostic::Severity::{self, Error, Warning};

const fn code(id: &'static str, severity: Severity, title: &'static str, explanation: &'static str) -> Code {
    Code { id, severity, title, explanation }
}

/// A CRD that was never fetched.
pub static NO_SNAPSHOT: Code = code(
    "CAR0501",
    Error,
    "no snapshot of a CRD",
    "carrier compiles from snapshots of the service clusters' CRDs, which lie in the repository: so everybody gets the\n\
     same result, and checking needs no cluster. This CRD has none yet for this cluster.\n\n\
     Fix: run `carrier lock`, which asks the cluster, or `carrier lock --from FILE` with the file of the operator's\n\
     release that holds the CRD.\n",
);

/// A lock that cannot be understood.
pub static BAD_LOCK: Code = code(
    "CAR0502",
    Error,
    "`carrier.lock` is not as carrier writes it",
    "The lock is written by `carrier lock` and by nobody else. What stands here was changed by hand, or by a merge, into\n\
     something that has no meaning.\n\n\
     ```yaml\n# bad\nsha256: abc\n# good\nsha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n```\n\n\
     An empty file is none either: what it held, such as the namespaces that tenants have, is lost.\n\n\
     Fix: restore the file from Git, then run `carrier lock` for what has changed since.\n",
);

/// Conflict markers of Git.
pub static MERGE_CONFLICT: Code = code(
    "CAR0503",
    Error,
    "a merge conflict in what `carrier lock` wrote",
    "Git could not merge this file and left both sides in it, between `<<<<<<<` and `>>>>>>>`. In the lock every CRD and\n\
     every tenant has lines of its own, so both sides are right where they name different ones.\n\n\
     Fix: of a snapshot take either side; in `carrier.lock` keep both sides where they name different things and\n\
     either side of one CRD, but for a tenant the namespace that is in use; remove the markers, then run\n\
     `carrier lock`.\n",
);

/// A lock of another version.
pub static LOCK_VERSION: Code = code(
    "CAR0504",
    Error,
    "`carrier.lock` was written by another version of carrier",
    "The first key of the lock says how the rest is to be read. This version of carrier reads `version: 1` only, since\n\
     guessing could lose the namespaces that tenants have.\n\n\
     Fix: use the version of carrier that your team uses, or restore the file from Git.\n",
);

/// Two tenants with one namespace.
pub static NAMESPACE_SHARED: Code = code(
    "CAR0505",
    Error,
    "two tenants have one namespace in a service cluster",
    "In a service cluster a tenant's namespace is the wall around its objects. Two tenants in one would see and\n\
     overwrite each other's.\n\n\
     ```yaml\n# bad\nnamespaces:\n  team-b: team-b-abcde\n  team-c: team-b-abcde\n```\n\n\
     Fix: restore the right names from Git, or remove the line of the tenant that has no objects there yet.\n",
);

/// A snapshot that the lock does not know.
pub static NOT_LOCKED: Code = code(
    "CAR0506",
    Warning,
    "a snapshot that is not in the lock",
    "`carrier lock` writes the snapshots and then `carrier.lock`, which has the hash of each. This file is among the\n\
     snapshots but not in the lock: it was put there by hand, or the lock was not committed with it. It is used all the\n\
     same.\n\n\
     Fix: run `carrier lock`, which takes what the cluster has, or `carrier lock --from FILE`; the FILE may be the\n\
     snapshot itself.\n",
);

/// A snapshot that is gone.
pub static SNAPSHOT_MISSING: Code = code(
    "CAR0507",
    Error,
    "a snapshot in the lock has no file",
    "`carrier.lock` names a CRD whose file is not there: it was removed by hand, or is in somebody's working copy only.\n\n\
     Fix: add the file from where the lock was committed, or run `carrier lock`.\n",
);

/// A snapshot that is not the one in the lock.
pub static HASH_DIFFERS: Code = code(
    "CAR0508",
    Error,
    "a snapshot is not the one in the lock",
    "The file holds another CRD than the one whose hash is in `carrier.lock`: it was edited by hand, or a merge took the\n\
     file from one side and the lock from the other. What would be compiled from it nobody has looked at.\n\n\
     Fix: run `carrier lock`, or `carrier lock --from FILE` with the file of the operator's release.\n",
);

/// A snapshot that nobody needs.
pub static UNUSED_SNAPSHOT: Code = code(
    "CAR0509",
    Warning,
    "a snapshot that nothing uses",
    "No CatalogEntrySet offers this CRD from this cluster, or the repository has no such cluster (any more).\n\n\
     Fix: run `carrier lock --offline --prune`, which removes what is no longer used; if it should be in use, mend what wants it.\n",
);

/// A file where no snapshot can be.
pub static SNAPSHOT_PLACE: Code = code(
    "CAR0510",
    Error,
    "a file among the snapshots that is at no snapshot's place",
    "A snapshot is found by its path, `<snapshots>/<provider>/<cluster>/<crd>.yaml`, where `<crd>` is the CRD's whole\n\
     name. A file with another path or another CRD in it would never be used.\n\n\
     ```text\n# bad\nsnapshots/eu-west-1/redis.yaml\n# good\nsnapshots/team-a/eu-west-1/redis.redis.example.com.yaml\n```\n\n\
     Fix: move the file elsewhere and run `carrier lock --from FILE`, which writes it where it belongs.\n",
);

/// More than one CRD in a snapshot, or more than one snapshot of a CRD.
pub static SNAPSHOT_TWICE: Code = code(
    "CAR0511",
    Error,
    "more than one snapshot in a file, or two files of one CRD",
    "A snapshot is one file with one CRD, so that a change of it is a change of one file.\n\n\
     Fix: remove one of the two, then run `carrier lock`.\n",
);

/// Something else than a CRD.
pub static NOT_A_CRD: Code = code(
    "CAR0512",
    Error,
    "not a CustomResourceDefinition",
    "Among the snapshots are CustomResourceDefinitions of `apiextensions.k8s.io/v1` and nothing else.\n\n\
     ```yaml\n# good\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  \
     name: redis.redis.example.com\n```\n\n\
     Fix: move the file elsewhere, or run `carrier lock --from FILE` with a file that has the CRD.\n",
);

/// A CRD of the API version that Kubernetes has removed.
pub static CRD_V1BETA1: Code = code(
    "CAR0513",
    Error,
    "a CRD of `apiextensions.k8s.io/v1beta1`",
    "Kubernetes 1.22 removed this version: no API server takes such a CRD any more, and its schema need not have the form\n\
     that one demands today.\n\n\
     Fix: take the CRD from a newer release of the operator.\n",
);

/// Files that do not have the CRD.
pub static NOT_IN_FILES: Code = code(
    "CAR0514",
    Error,
    "a CRD is not in the given files",
    "A CatalogEntrySet offers the CRD, and the files behind `--from` do not have it. What is locked already may be\n\
     missing, but not all that is offered: then these are the wrong files.\n\n\
     Fix: correct the name in the CatalogEntrySet, or name the file that has the CRD.\n",
);

/// Files that have a CRD twice.
pub static TWO_IN_FILES: Code = code(
    "CAR0515",
    Error,
    "two different CRDs of one name in the given files",
    "The files behind `--from` have the CRD more than once, and not the same each time: they are of several releases, or\n\
     of several variants of one. carrier does not guess which one the cluster has.\n\n\
     Fix: name one file only.\n",
);

/// Files without a single CRD.
pub static NO_CRD_IN_FILES: Code = code(
    "CAR0516",
    Error,
    "no CustomResourceDefinition in the given files",
    "The files behind `--from` have no CRD at all, or are empty. Of a folder, files whose names end in `.yaml` or `.yml` are read; the\n\
     templates of a Helm chart have to be rendered first, and some operators deliver their CRDs apart.\n\n\
     Fix: name the file that has the CRDs.\n",
);

/// A namespace that the lock does not have.
pub static NOT_RECORDED: Code = code(
    "CAR0517",
    Warning,
    "a tenant's namespace is not recorded in the lock",
    "The name of a tenant's namespace in a service cluster is computed once and then kept in `carrier.lock`, since the\n\
     tenant's objects are in it. Until it is there, a change of `management.uid` gives the tenant another namespace.\n\n\
     Fix: run `carrier lock --offline`, which records the name and asks no cluster.\n",
);

/// A lock that belongs to another management cluster.
pub static OTHER_MANAGEMENT: Code = code(
    "CAR0518",
    Error,
    "the lock was made for another management cluster",
    "`management.uid` of carrier.yaml is not the one in `carrier.lock`. Tenants' namespaces are named after it, so that two\n\
     management clusters do not meet in one namespace: with the lock of another, they would.\n\n\
     Fix: restore `management.uid` of carrier.yaml, or, if the management cluster was made anew, write its UID into the lock.\n",
);

/// A namespace that is no tenant's to have.
pub static NAMESPACE_OF_CLUSTER: Code = code(
    "CAR0519",
    Error,
    "a tenant has a namespace of the cluster's own",
    "The namespaces `default`, `kubecarrier-system` and those that begin with `kube-` belong to the cluster. A tenant in\n\
     one of them would be among the objects that run it. `carrier lock` gives no such name: this line was edited.\n\n\
     ```yaml\n# bad\nnamespaces:\n  team-b: kube-system\n# good\nnamespaces:\n  team-b: team-b-id65w\n```\n\n\
     Fix: restore the tenant's namespace from Git.\n",
);

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[
    &NO_SNAPSHOT,
    &BAD_LOCK,
    &MERGE_CONFLICT,
    &LOCK_VERSION,
    &NAMESPACE_SHARED,
    &NOT_LOCKED,
    &SNAPSHOT_MISSING,
    &HASH_DIFFERS,
    &UNUSED_SNAPSHOT,
    &SNAPSHOT_PLACE,
    &SNAPSHOT_TWICE,
    &NOT_A_CRD,
    &CRD_V1BETA1,
    &NOT_IN_FILES,
    &TWO_IN_FILES,
    &NO_CRD_IN_FILES,
    &NOT_RECORDED,
    &OTHER_MANAGEMENT,
    &NAMESPACE_OF_CLUSTER,
];
