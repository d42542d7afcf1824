//! Answers of the console, with the headers that all of them have.
//!
//! What must stay true: no answer is made anywhere else in this room, so that none lacks a header;
//! a page is never kept by a browser or a proxy.

use super::trouble::Trouble;
use crate::http::{Page, PageBody, Part};
use askama::Template;
use bytes::Bytes;
use tokio::sync::mpsc;

/// What a page may load and do: what comes from here, and nothing that stands in the page itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The headers of each answer. With `no-referrer` browsers would hide the Origin of forms as well.
pub(super) const ALWAYS: [(&str, &str); 5] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// For pages: they hold what only one who is logged in may see.
const NO_STORE: (&str, &str) = ("cache-control", "no-store");

/// An answer of this status, these headers beside [`ALWAYS`], and this body.
fn answer(status: u16, headers: &[(&'static str, &str)], body: PageBody) -> Page {
    let all = ALWAYS.iter().chain(headers);
    let headers = all.map(|(name, value)| (*name, (*value).to_owned())).collect();
    Page { status, headers, body }
}

/// A page.
pub(super) fn page(status: u16, template: &impl Template) -> Result<Page, Trouble> {
    let text = template.render().map_err(|error| {
        tracing::error!(%error, "a page of the console could not be rendered");
        Trouble::internal("The page could not be rendered.")
    })?;
    let headers = [NO_STORE, ("content-type", "text/html; charset=utf-8")];
    Ok(answer(status, &headers, PageBody::Whole(text.into())))
}

/// A sentence, where no page can be had.
pub(super) fn sentence(status: u16, text: &str) -> Page {
    let headers = [NO_STORE, ("content-type", "text/plain; charset=utf-8")];
    answer(status, &headers, PageBody::Whole(format!("{text}\n").into()))
}

/// A file to keep.
pub(super) fn download(content_type: &str, name: &str, text: String) -> Page {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers =
        [NO_STORE, ("content-type", content_type), ("content-disposition", disposition.as_str())];
    answer(200, &headers, PageBody::Whole(text.into()))
}

/// Sends the browser on, by GET.
pub(super) fn see_other(to: &str) -> Page {
    answer(303, &[NO_STORE, ("location", to)], PageBody::Whole(Bytes::new()))
}

/// A file that never changes under its name.
pub(super) fn asset(content_type: &'static str, etag: &str, text: &'static str) -> Page {
    let kept = ("cache-control", "public, max-age=31536000, immutable");
    let headers = [kept, ("content-type", content_type), ("etag", etag)];
    answer(200, &headers, PageBody::Whole(Bytes::from_static(text.as_bytes())))
}

/// That the browser's copy of a file is still good.
pub(super) fn not_modified(etag: &str) -> Page {
    answer(304, &[("etag", etag)], PageBody::Whole(Bytes::new()))
}

/// A stream of events.
pub(super) fn events(parts: mpsc::Receiver<Part>) -> Page {
    let headers = [NO_STORE, ("content-type", "text/event-stream; charset=utf-8")];
    answer(200, &headers, PageBody::Parts(parts))
}

/// A file of comma-separated values, which the browser keeps under a name.
pub(super) fn csv(name: &str, parts: mpsc::Receiver<Part>) -> Page {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        NO_STORE,
        ("content-type", "text/csv; charset=utf-8; header=present"),
        ("content-disposition", disposition.as_str()),
    ];
    answer(200, &headers, PageBody::Parts(parts))
}

/// That there is no place for a stream: a browser asks no more, and finds no error in it.
pub(super) fn no_stream() -> Page {
    answer(204, &[NO_STORE], PageBody::Whole(Bytes::new()))
}

/// With a header beside those that it has.
pub(super) fn with(mut page: Page, name: &'static str, value: String) -> Page {
    page.headers.push((name, value));
    page
}
