//! `GET /openapi.json`: the document, by OpenAPI 3.1, of exactly what this front door serves.
//!
//! The document is written by hand. What must stay true, and is tested: it has every path, field,
//! limit and name that the code has, and no other.

use super::answer::Response;
use crate::json::JsonWriter;

/// The document; [`SERVER`] stands where the address belongs.
const DOCUMENT: &str = include_str!("openapi.json");
/// What stands for the address by which the caller came.
const SERVER: &str = "BASE_URL";

/// The document for a caller that came by this address.
pub(super) fn answer(base_url: &str) -> Response {
    let mut document = DOCUMENT.to_owned();
    for root in ["", super::paths::OTHER_ROOT] {
        let url = quoted(&format!("{base_url}{root}"));
        document = document.replace(&quoted(&format!("{SERVER}{root}")), &url);
    }
    Response::done(document.into_bytes())
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    let mut json = JsonWriter::new();
    json.text(text);
    String::from_utf8(json.into_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
