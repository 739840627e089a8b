//! `CAR05xx`: snapshots and `carrier.lock`.

use super::Code;
use crate::model::codes::Severity::{self, Error, Warning};

const fn code(id: &'static str, severity: Severity, title: &'static str, explanation: &'static str) -> Code {
    Code { id, severity, title, explanation }
}

/// A CRD has no snapshot.
pub static NO_SNAPSHOT: Code = code(
    "CAR0501",
    Error,
    "no snapshot of a CRD",
    "carrier compiles from snapshots of the service clusters' CRDs, which are stored in the repository: the result is the\n\
     same for everyone, and checking needs no cluster. There is no snapshot of this CRD for this cluster.\n\n\
     Fix: run `carrier lock`, which reads the CRD from the cluster, or `carrier lock --from FILE` with the file of the\n\
     operator's release that contains the CRD.\n",
);

/// The lock is not valid.
pub static BAD_LOCK: Code = code(
    "CAR0502",
    Error,
    "`carrier.lock` is not valid",
    "Only `carrier lock` writes this file. A manual edit or a merge has left a value in it that is not valid.\n\n\
     ```yaml\n# bad\nsha256: abc\n# good\nsha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n```\n\n\
     An empty file is not valid either: it has lost its content, such as the namespaces of the tenants.\n\n\
     Fix: restore the file from Git, then run `carrier lock` to record what has changed since.\n",
);

/// The lock or a snapshot contains conflict markers of Git.
pub static MERGE_CONFLICT: Code = code(
    "CAR0503",
    Error,
    "a merge conflict in the lock or a snapshot",
    "Git could not merge this file and left both sides in it, between `<<<<<<<` and `>>>>>>>`. In the lock every CRD and\n\
     every tenant has separate lines, so both sides are correct where they name different CRDs or tenants.\n\n\
     Fix: in a snapshot keep either side; in `carrier.lock` keep both sides where they name different CRDs or tenants, either\n\
     side for the same CRD, and for the same tenant the namespace that is in use; remove the markers, then run\n\
     `carrier lock`.\n",
);

/// The lock has a version that this version of carrier does not support.
pub static LOCK_VERSION: Code = code(
    "CAR0504",
    Error,
    "`carrier.lock` was written by another version of carrier",
    "The first key of the lock is the version of its format. This version of carrier supports `version: 1` only; reading\n\
     another format could lose the namespaces of the tenants.\n\n\
     Fix: use the version of carrier that your team uses, or restore the file from Git.\n",
);

/// Two tenants share a namespace.
pub static NAMESPACE_SHARED: Code = code(
    "CAR0505",
    Error,
    "two tenants have the same namespace in a service cluster",
    "In a service cluster the namespace isolates the objects of a tenant. Two tenants in the same namespace would see and\n\
     overwrite each other's objects.\n\n\
     ```yaml\n# bad\nnamespaces:\n  team-b: team-b-abcde\n  team-c: team-b-abcde\n```\n\n\
     Fix: restore the correct names from Git, or remove the line of the tenant that has no objects in the namespace yet.\n",
);

/// The lock does not list a snapshot.
pub static NOT_LOCKED: Code = code(
    "CAR0506",
    Warning,
    "a snapshot is not in the lock",
    "`carrier lock` writes the snapshots and then `carrier.lock` with the hash of each. This file is among the snapshots but\n\
     not in the lock: it was added manually, or the lock was not committed with it. It is used nevertheless.\n\n\
     Fix: run `carrier lock`, which reads the CRD from the cluster, or `carrier lock --from FILE`; the FILE can be the\n\
     snapshot itself.\n",
);

/// The lock lists a snapshot that does not exist.
pub static SNAPSHOT_MISSING: Code = code(
    "CAR0507",
    Error,
    "a snapshot in the lock has no file",
    "`carrier.lock` lists a CRD whose snapshot does not exist: it was removed manually, or was not committed.\n\n\
     Fix: add the file from where the lock was committed, or run `carrier lock`.\n",
);

/// A snapshot does not have the hash in the lock.
pub static HASH_DIFFERS: Code = code(
    "CAR0508",
    Error,
    "a snapshot does not match its hash in the lock",
    "The file contains another CRD than the one whose hash is in `carrier.lock`: it was edited manually, or a merge took the\n\
     file from one side and the lock from the other. A result compiled from it would not have been reviewed.\n\n\
     Fix: run `carrier lock`, or `carrier lock --from FILE` with the file of the operator's release.\n",
);

/// Nothing uses a snapshot.
pub static UNUSED_SNAPSHOT: Code = code(
    "CAR0509",
    Warning,
    "a snapshot is not used",
    "No CatalogEntrySet offers this CRD from this cluster, or the repository does not have the cluster.\n\n\
     Fix: run `carrier lock --offline --prune`, which removes unused snapshots; if it should be used, fix the objects that refer to it.\n",
);

/// A file in the snapshots folder is not at the path of a snapshot.
pub static SNAPSHOT_PATH: Code = code(
    "CAR0510",
    Error,
    "a file in the snapshots folder is not at the path of a snapshot",
    "The path of a snapshot is `<snapshots>/<provider>/<cluster>/<crd>.yaml`, where `<crd>` is the full name of the CRD. A\n\
     file with another path or another CRD in it would never be used.\n\n\
     ```text\n# bad\nsnapshots/eu-west-1/redis.yaml\n# good\nsnapshots/team-a/eu-west-1/redis.redis.example.com.yaml\n```\n\n\
     Fix: move the file to another folder and run `carrier lock --from FILE`, which writes it to its path.\n",
);

/// A snapshot contains several CRDs, or a CRD has several snapshots.
pub static SNAPSHOT_TWICE: Code = code(
    "CAR0511",
    Error,
    "more than one CRD in a snapshot, or two snapshots of one CRD",
    "A snapshot is one file with one CRD, so that a change of the CRD is a change of one file.\n\n\
     Fix: remove one of the two, then run `carrier lock`.\n",
);

/// An object is not a CRD.
pub static NOT_A_CRD: Code = code(
    "CAR0512",
    Error,
    "not a CustomResourceDefinition",
    "Snapshots are CustomResourceDefinitions of `apiextensions.k8s.io/v1` only.\n\n\
     ```yaml\n# good\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: redis.redis.example.com\n```\n\n\
     Fix: move the file to another folder, or run `carrier lock --from FILE` with a file that contains the CRD.\n",
);

/// A CRD has the removed version `v1beta1`.
pub static CRD_V1BETA1: Code = code(
    "CAR0513",
    Error,
    "a CRD of `apiextensions.k8s.io/v1beta1`",
    "Kubernetes 1.22 removed this version: API servers reject such a CRD, and its schema does not have to meet the\n\
     requirements of `v1`.\n\n\
     Fix: import the CRD from a newer release of the operator.\n",
);

/// The files of `--from` do not contain a CRD.
pub static NOT_IN_FILES: Code = code(
    "CAR0514",
    Error,
    "a CRD is not in the given files",
    "A CatalogEntrySet offers the CRD, and the files of `--from` do not contain it. The files do not have to contain CRDs\n\
     that are already locked. Files that contain none of the offered CRDs are considered a mistake.\n\n\
     Fix: correct the name in the CatalogEntrySet, or name the file that contains the CRD.\n",
);

/// The files of `--from` contain different CRDs of the same name.
pub static TWO_IN_FILES: Code = code(
    "CAR0515",
    Error,
    "two different CRDs of the same name in the given files",
    "The files of `--from` contain the CRD more than once, with different content: they belong to several releases, or to\n\
     several variants of one. carrier does not guess which one the cluster has.\n\n\
     Fix: name one file only.\n",
);

/// The files of `--from` contain no CRD.
pub static NO_CRD_IN_FILES: Code = code(
    "CAR0516",
    Error,
    "no CustomResourceDefinition in the given files",
    "The files of `--from` contain no CRD, or are empty. In a folder, files whose names end in `.yaml` or `.yml` are read; the\n\
     templates of a Helm chart must be rendered first, and some operators publish their CRDs separately.\n\n\
     Fix: name the file that contains the CRDs.\n",
);

/// The lock does not list the namespace of a tenant.
pub static NOT_RECORDED: Code = code(
    "CAR0517",
    Warning,
    "a tenant's namespace is not recorded in the lock",
    "The name of a tenant's namespace in a service cluster is computed once and then recorded in `carrier.lock`, because the\n\
     tenant's objects are in it. Until it is recorded, a change of `management.uid` gives the tenant another namespace.\n\n\
     Fix: run `carrier lock --offline`, which records the name without contacting a cluster.\n",
);

/// The lock belongs to another management cluster.
pub static OTHER_MANAGEMENT: Code = code(
    "CAR0518",
    Error,
    "the lock was made for another management cluster",
    "`management.uid` of carrier.yaml differs from the one in `carrier.lock`. The names of the tenants' namespaces depend on\n\
     it, so that two management clusters do not share a namespace. With the lock of another management cluster they would.\n\n\
     Fix: restore `management.uid` of carrier.yaml, or, if the management cluster was recreated, write its UID into the lock.\n",
);

/// A tenant has a system namespace.
pub static NAMESPACE_OF_CLUSTER: Code = code(
    "CAR0519",
    Error,
    "a tenant has a system namespace",
    "The namespaces `default`, `kubecarrier-system` and those that begin with `kube-` belong to the cluster. A tenant in one\n\
     of them would be among the objects that operate it. `carrier lock` does not assign such a name: this line was edited.\n\n\
     ```yaml\n# bad\nnamespaces:\n  team-b: kube-system\n# good\nnamespaces:\n  team-b: team-b-id65w\n```\n\n\
     Fix: restore the tenant's namespace from Git.\n",
);

/// A file of `--from` is a template.
pub static TEMPLATE: Code = code(
    "CAR0520",
    Error,
    "a given file is a template, not a manifest",
    "The file has expressions between `{{` and `}}`: it is a template of a Helm chart, and becomes a manifest when Helm renders\n\
     it. If it is not YAML, it is refused. If it is YAML with expressions in strings, the CRD is taken as it stands with a\n\
     warning: this is right for the folder `crds` of a chart, whose files Helm does not render. In a folder, templates that\n\
     mention no CRD are ignored.\n\n\
     Fix: render the chart with `helm template NAME CHART --include-crds > release.yaml`, and name that file.\n",
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
    &SNAPSHOT_PATH,
    &SNAPSHOT_TWICE,
    &NOT_A_CRD,
    &CRD_V1BETA1,
    &NOT_IN_FILES,
    &TWO_IN_FILES,
    &NO_CRD_IN_FILES,
    &NOT_RECORDED,
    &OTHER_MANAGEMENT,
    &NAMESPACE_OF_CLUSTER,
    &TEMPLATE,
];
