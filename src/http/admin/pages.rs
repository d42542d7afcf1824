//! Requests for pages on their way to the console, and its answers on their way back.
//!
//! What must stay true: a page is given under a name of ours alone, no more of a body is read than
//! the console asks for, and an answer that the console did not give has its headers as well.

use super::api::Api;
use super::guard::{self, Hosts};
use super::talk::{Wrong, read, wrong};
use super::{PLAIN, respond};
use crate::call::Method;
use crate::domain::origin::{FrontDoor, Origin};
use crate::http::answer_body::{AnswerBody, in_parts, whole};
use crate::http::connection::Connection;
use crate::http::head;
use crate::http::pages::{HEADERS, Page, PageBody, Pages, Visit};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{HOST, HeaderName, HeaderValue, SERVER};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response, StatusCode};
use std::sync::Arc;

/// The console, and by which names it may be called.
pub(super) struct Front {
    pub(super) pages: Arc<dyn Pages>,
    pub(super) hosts: Hosts,
}

impl Front {
    /// The answer to a request for a page.
    pub(super) async fn answer(
        &self,
        connection: &Connection,
        api: &Api,
        request: Request<Incoming>,
    ) -> Response<AnswerBody> {
        let (head, body) = request.into_parts();
        match self.visit(connection, api, head, body).await {
            Ok(visit) => response_of(self.pages.answer(visit).await),
            Err(wrong) => {
                let mut response = respond(wrong.status, PLAIN, format!("{}\n", wrong.why));
                for (name, value) in self.pages.headers() {
                    let value = HeaderValue::from_static(value);
                    response.headers_mut().insert(HeaderName::from_static(name), value);
                }
                response.map(whole)
            }
        }
    }

    async fn visit(
        &self,
        connection: &Connection,
        api: &Api,
        head: Parts,
        body: Incoming,
    ) -> Result<Visit, Wrong> {
        if !self.hosts.names(&head.headers) {
            return Err(wrong(StatusCode::MISDIRECTED_REQUEST, guard::WRONG_HOST));
        }
        let peer = connection.peer.ip().to_canonical();
        let method = Method::from_name(head.method.as_str());
        let mut visit = Visit {
            method: if method == Method::Head { Method::Get } else { method },
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head::of_door(&HEADERS, &head.headers),
            host: host(&head.headers),
            scheme: if connection.is_tls { "https" } else { "http" },
            peer,
            users: connection.users.clone(),
            origin: Origin {
                door: FrontDoor::Console,
                version: Origin::of(FrontDoor::Console).version,
                ..api.origin(peer, &head.headers)
            },
            body: Bytes::new(),
        };
        connection.idleness.await_more();
        visit.body = read(body, self.pages.body_bytes_max(&visit)).await?;
        connection.idleness.work();
        Ok(visit)
    }
}

/// The Host, which has been found to be one of ours.
fn host(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.unwrap_or_default().to_owned()
}

fn response_of(page: Page) -> Response<AnswerBody> {
    let mut response = Response::new(match page.body {
        PageBody::Whole(body) => whole(Full::new(body)),
        PageBody::Parts(parts) => in_parts(parts),
    });
    *response.status_mut() =
        StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(SERVER, crate::http::answer::SERVER_NAME);
    for (name, value) in page.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    response
}
