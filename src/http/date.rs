//! The moment as HTTP writes it, by the gateway's own clock, made at most once a second.

use crate::service::Service;
use chrono::{DateTime, Utc};
use hyper::header::HeaderValue;
use parking_lot::Mutex;
use std::sync::Arc;

/// The date of the second that it is.
pub(super) struct DateCache {
    service: Arc<Service>,
    latest: Mutex<(i64, HeaderValue)>,
}

impl DateCache {
    pub(super) fn new(service: Arc<Service>) -> Self {
        let now = service.clock().now();
        Self { service, latest: Mutex::new((now.timestamp(), http_date(now))) }
    }

    pub(super) fn now(&self) -> HeaderValue {
        let now = self.service.clock().now();
        let mut latest = self.latest.lock();
        if latest.0 != now.timestamp() {
            *latest = (now.timestamp(), http_date(now));
        }
        latest.1.clone()
    }
}

fn http_date(moment: DateTime<Utc>) -> HeaderValue {
    HeaderValue::try_from(httpdate::fmt_http_date(moment.into()))
        .unwrap_or(HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_the_form_of_rfc_9110() {
        let moment = DateTime::from_timestamp(784_111_777, 0).unwrap();
        assert_eq!(http_date(moment), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
