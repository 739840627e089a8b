//! `CAR0020`–`CAR0049`: the settings in `carrier.yaml`.

use super::Code;
use crate::model::diagnostic::Severity;

/// The codes of this file, in order.
pub static ALL: &[&Code] =
    &[&UNKNOWN_KEY, &WRONG_VALUE, &NOT_ONE_MAPPING, &FOLDER, &CLUSTER_NAME, &CLUSTER_ACCESS, &OUTPUT_OF_SOURCES];

/// A setting that does not exist.
pub static UNKNOWN_KEY: Code = Code {
    id: "CAR0020",
    severity: Severity::Error,
    title: "carrier.yaml has no such setting",
    explanation: "\
The setting does not exist, or stands at the wrong level.

Bad:

    outputs: rendered

Good:

    output: rendered
",
};

/// A setting with a value it does not take.
pub static WRONG_VALUE: Code = Code {
    id: "CAR0021",
    severity: Severity::Error,
    title: "a setting has a value it does not take",
    explanation: "\
The value is of the wrong type, empty, or not one of the words that the setting takes.

Bad:

    render:
      for: fluxcd

Good:

    render:
      for: flux
",
};

/// A `carrier.yaml` that is not one mapping.
pub static NOT_ONE_MAPPING: Code = Code {
    id: "CAR0023",
    severity: Severity::Error,
    title: "carrier.yaml is not one mapping",
    explanation: "\
The file holds one document, a mapping of settings. An empty file is fine, everything has
a default.

Bad:

    - output: rendered

Good:

    output: rendered
",
};

/// A folder that cannot be used.
pub static FOLDER: Code = Code {
    id: "CAR0024",
    severity: Severity::Error,
    title: "a folder in carrier.yaml cannot be used",
    explanation: "\
`output` and `snapshots` are folders below the repository's root: relative, without `..`,
and not one inside the other. What lies in them is not read as source.

Bad:

    output: ../rendered

Good:

    output: rendered
",
};

/// A key of `serviceClusters` that names no cluster.
pub static CLUSTER_NAME: Code = Code {
    id: "CAR0025",
    severity: Severity::Error,
    title: "a service cluster is named <provider>/<cluster>",
    explanation: "\
Two providers may have clusters of one name, so the keys of `serviceClusters` are the
provider's account and the ServiceCluster's name with a `/` between them.

Bad:

    serviceClusters:
      eu-west-1: {secret: true}

Good:

    serviceClusters:
      team-a/eu-west-1: {secret: true}
",
};

/// A cluster that is to be reached in no way, or in two.
pub static CLUSTER_ACCESS: Code = Code {
    id: "CAR0026",
    severity: Severity::Error,
    title: "a cluster is reached in exactly one way",
    explanation: "\
A kubeconfig comes from a file (`kubeconfig`, `context`), from an environment variable
(`env`), or from the Secret that the ServiceCluster names (`secret: true`). One of them.

Bad:

    team-a/eu-west-1: {env: EU_WEST_1, secret: true}

Good:

    team-a/eu-west-1: {env: EU_WEST_1}
",
};

/// An output folder with the sources in it.
pub static OUTPUT_OF_SOURCES: Code = Code {
    id: "CAR0027",
    severity: Severity::Error,
    title: "the output folder holds objects that carrier did not write",
    explanation: "\
What lies in the folder `output` is not read as source, since carrier writes it. This one has
no manifest of carrier's in it but objects of its kinds: they would be silently left out.

Bad:

    output: clusters

Good:

    output: rendered
",
};
