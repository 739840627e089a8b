//! `CAR0020`–`CAR0049`: the settings in `carrier.yaml`.

use super::Code;
use crate::model::codes::Severity;

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[
    &UNKNOWN_KEY,
    &WRONG_VALUE,
    &NOT_ONE_MAPPING,
    &FOLDER,
    &CLUSTER_NAME,
    &CLUSTER_ACCESS,
    &OUTPUT_OF_SOURCES,
    &KUBECONFIG_INSIDE,
    &INVALID_NAME,
];

/// A setting does not exist.
pub static UNKNOWN_KEY: Code = Code {
    id: "CAR0020",
    severity: Severity::Error,
    title: "carrier.yaml has no such setting",
    explanation: "\
The setting does not exist, or is at the wrong level.

Bad:

    outputs: rendered

Good:

    output: rendered
",
};

/// A setting has an invalid value.
pub static WRONG_VALUE: Code = Code {
    id: "CAR0021",
    severity: Severity::Error,
    title: "a setting has an invalid value",
    explanation: "\
The value has the wrong type, is empty, or is not one of the values that the setting accepts.

Bad:

    render:
      for: fluxcd

Good:

    render:
      for: flux
",
};

/// `carrier.yaml` is not one mapping.
pub static NOT_ONE_MAPPING: Code = Code {
    id: "CAR0023",
    severity: Severity::Error,
    title: "carrier.yaml is not one mapping",
    explanation: "\
The file contains one document, a mapping of settings. It may be empty, because every setting
has a default.

Bad:

    - output: rendered

Good:

    output: rendered
",
};

/// A folder in `carrier.yaml` cannot be used.
pub static FOLDER: Code = Code {
    id: "CAR0024",
    severity: Severity::Error,
    title: "a folder in carrier.yaml cannot be used",
    explanation: "\
`output` and `snapshots` are folders below the repository's root: relative, without `..`,
and neither inside the other. Files in them are not read as source files.

Bad:

    output: ../rendered

Good:

    output: rendered
",
};

/// A key of `serviceClusters` is not `<provider>/<cluster>`.
pub static CLUSTER_NAME: Code = Code {
    id: "CAR0025",
    severity: Severity::Error,
    title: "a key of `serviceClusters` is not <provider>/<cluster>",
    explanation: "\
Two providers can have clusters of the same name, so a key of `serviceClusters` is the
provider's account and the name of the ServiceCluster, separated by `/`.

Bad:

    serviceClusters:
      eu-west-1: {secret: true}

Good:

    serviceClusters:
      team-a/eu-west-1: {secret: true}
",
};

/// A cluster has no kubeconfig source, or several.
pub static CLUSTER_ACCESS: Code = Code {
    id: "CAR0026",
    severity: Severity::Error,
    title: "a cluster needs exactly one source for its kubeconfig",
    explanation: "\
A kubeconfig comes from a file (`kubeconfig`, `context`), from an environment variable
(`env`), or from the Secret that the ServiceCluster names (`secret: true`). Set one of them.

Bad:

    team-a/eu-west-1: {env: EU_WEST_1, secret: true}

Good:

    team-a/eu-west-1: {env: EU_WEST_1}
",
};

/// The output folder contains source objects.
pub static OUTPUT_OF_SOURCES: Code = Code {
    id: "CAR0027",
    severity: Severity::Error,
    title: "the output folder holds objects that carrier did not write",
    explanation: "\
Files in the folder `output` are not read as source files, because carrier writes them. This
folder has no manifest of carrier, and contains objects of KubeCarrier's kinds. They would be
ignored silently.

Bad:

    output: clusters

Good:

    output: rendered
",
};

/// A setting names a kubeconfig in the repository.
pub static KUBECONFIG_INSIDE: Code = Code {
    id: "CAR0028",
    severity: Severity::Error,
    title: "carrier.yaml names a kubeconfig in the repository",
    explanation: "\
A kubeconfig can run programs (`exec`) and read files. Whoever can change a file of the
repository, such as the author of a pull request, could then run programs on every machine
that runs carrier there. Therefore `kubeconfig` is a path outside of the repository and of its
Git work tree. A path inside is not accepted either if it is a symbolic link that leads outside.

A file in the repository can still be named with `--kubeconfig` or `$KUBECONFIG`, by the
person who runs carrier.

Bad:

    management:
      kubeconfig: hack/kube.conf

Good:

    management:
      kubeconfig: ~/.kube/management
",
};

/// A setting is not a valid name.
pub static INVALID_NAME: Code = Code {
    id: "CAR0029",
    severity: Severity::Error,
    title: "a setting is not a valid name",
    explanation: "\
The setting is the name of a namespace or an object of another tool, and no object in a cluster
can have this name.

Bad:

    render:
      flux:
        namespace: Flux_System

Good:

    render:
      flux:
        namespace: flux-system
",
};
