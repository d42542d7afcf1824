//! What is sent where the outcome of a request is unknown: the head of an answer and less than
//! the length that it states.
//!
//! What must stay true: such a request never sees its connection close before the first byte. HTTP
//! stacks resend by themselves what got no byte (the JDK's HttpURLConnection does), and a second
//! refund would come of it; an answer that breaks off is resent by none and taken for an answer by
//! none.

use super::answer::SERVER_NAME;
use super::answer_body::{AnswerBody, CutOff, cut_off};
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, SERVER};
use hyper::{Response, StatusCode};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// The beginning of a document that does not come.
const BEGINNING: &[u8] = b"<?xml version='1.0' encoding='UTF-8'?>";
/// What the head states, in bytes.
const STATED_BYTES: u64 = 1024;

/// The answer that breaks off. Its status is that of a failure, for those who look at nothing else.
pub(super) fn broken_off() -> Response<AnswerBody> {
    let body = CutOff::of(Bytes::from_static(BEGINNING), STATED_BYTES);
    let mut response = Response::new(cut_off(body));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml;charset=UTF-8"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(SERVER, SERVER_NAME);
    response
}

/// The output of `work`; none if it panics. It is not polled again then.
pub(super) async fn unless_it_panics<F: Future>(work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
}
