//! The front doors of this program, as the listener is handed them.

use crate::call::Door;
use crate::http::HttpSettings;
use crate::rest::Rest;
use crate::service::Service;
use crate::soap::Soap;
use std::sync::Arc;

/// Every front door to `service`, in the order in which they are asked whose a path is.
pub(super) fn doors(service: &Arc<Service>, http: &HttpSettings) -> Vec<Box<dyn Door>> {
    vec![
        Box::new(Soap::new(Arc::clone(service), http.xml.clone())),
        Box::new(Rest::new(Arc::clone(service))),
    ]
}
