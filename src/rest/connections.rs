//! `POST /v1/connections`: a user's access keys become a session in a cookie.
//!
//! Source: "Authentication" of the vendor's REST reference.

use super::access::SESSION;
use super::answer::Response;
use crate::json::JsonWriter;

/// The answer with the cookie; it is `Secure` only where the caller came by TLS, because a browser
/// or client on the same machine would not send it back otherwise.
pub(super) fn answer(session: &str, base_url: &str) -> Response {
    let mut json = JsonWriter::new();
    json.object().name("success").bool(true);
    let secure = if base_url.starts_with("https://") { "; Secure" } else { "" };
    let cookie = format!("{SESSION}={session}; Path=/{secure}; HttpOnly");
    Response::done(json.into_bytes()).with("set-cookie", cookie)
}
