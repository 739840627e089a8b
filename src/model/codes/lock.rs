//! `CAR05xx`: Snapshots and the lock.

use super::Code;
use crate::model::diagnostic::Severity::{self, Error};

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
     Mend it: `carrier lock --from FILE`, with the file of the operator's release that holds the CRD.\n",
);

/// The codes of this file, in order.
pub static ALL: &[&Code] = &[&NO_SNAPSHOT];
