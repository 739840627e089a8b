//! JSON patches that begin with a test of the object's version: whether a refusal means that somebody has written the object
//! since it was looked at, so that another look helps.
//!
//! An API server does not say which operation of a patch failed ([`ClusterError::is_failed_patch`]). If the object still has
//! the version that was tested, it was not the test, and the refusal stands.

use crate::cluster::error::{ClusterError, ErrorKind};

/// The looks at one object, and the refused patches between them.
#[derive(Debug, Default)]
pub(super) struct Tested {
    /// The version that the last patch tested, and its refusal, if that may be the test's.
    refused: Option<(String, ClusterError)>,
}

impl Tested {
    /// Takes note of the version that the object has now.
    ///
    /// # Errors
    /// The refusal of the last patch, if it tested this version.
    pub(super) fn look(&mut self, version: &str) -> Result<(), ClusterError> {
        match self.refused.take() {
            Some((tested, error)) if tested == version => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes note of the refusal of a patch that tested this version. It is `Ok` if the object is to be looked at again.
    ///
    /// # Errors
    /// The refusal, if no test can be the cause.
    pub(super) fn refuse(&mut self, version: &str, error: ClusterError) -> Result<(), ClusterError> {
        match error.kind {
            ErrorKind::VersionConflict => Ok(()),
            _ if error.is_failed_patch() => {
                self.refused = Some((version.to_owned(), error));
                Ok(())
            }
            _ => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: u16, body: &str) -> ClusterError {
        ClusterError::from_response(code, body.as_bytes())
    }

    #[test]
    fn a_refusal_stands_if_the_tested_version_is_still_there() {
        let failed = || error(422, r#"{"reason": "Invalid", "details": {}}"#);
        let mut tested = Tested::default();
        assert_eq!(tested.look("1"), Ok(()));
        assert_eq!(tested.refuse("1", failed()), Ok(()));
        assert_eq!(tested.look("2"), Ok(()), "somebody has written it");
        assert_eq!(tested.refuse("2", failed()), Ok(()));
        assert_eq!(tested.look("2"), Err(failed()), "a remove of a path that is not there");
        // The server looked itself.
        assert_eq!(tested.refuse("2", error(409, r#"{"reason": "Conflict"}"#)), Ok(()));
        assert_eq!(tested.look("2"), Ok(()));
        let invalid = error(422, r#"{"reason": "Invalid", "details": {"name": "a", "causes": [{"field": "status"}]}}"#);
        assert_eq!(tested.refuse("2", invalid.clone()), Err(invalid));
    }
}
