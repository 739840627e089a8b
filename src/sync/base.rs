//! The CRD of a service in its service cluster: whether the version is served, and its shape.

use super::service::Service;
use super::shape::Shape;
use crate::cluster::{ApiRequest, Cluster, ErrorKind};
use crate::model::resource::Resource;

/// Why the CRD in a service cluster is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BaseError {
    /// There is none.
    Absent,
    /// It could not be read; nothing is cut then.
    Unreadable(String),
}

/// Asks a service cluster for the CRD of the kind `base`; `None` where it does not serve the version.
///
/// # Errors
/// There is no such CRD, or it cannot be read.
pub(crate) async fn ask(cluster: &Cluster, base: &Resource) -> Result<Option<Box<Shape>>, BaseError> {
    let request = ApiRequest::object(Resource::crds(), None, &base.full_name());
    match cluster.call(&request).await {
        Ok(crd) => Ok(Service::served_shape(&crd, &base.version).map(Box::new)),
        Err(error) if error.kind == ErrorKind::NotFound => Err(BaseError::Absent),
        Err(error) => Err(BaseError::Unreadable(super::link::verdict::server_text(&error.message))),
    }
}
