//! Style, script and icon: files of the program, under names that change with what is in them.

use super::answer;
use crate::domain::hex::hex;
use crate::http::{Page, Visit};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str =
    concat!(include_str!("../../assets/look.css"), include_str!("assets/console.css"));
const SCRIPT: &str = include_str!("assets/console.js");
const ICON: &str = include_str!("assets/favicon.svg");

/// How many bytes of the hash stand in names.
const HASH_BYTES: usize = 8;

/// What is in the files, in short.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let hash = Sha256::digest([STYLE, SCRIPT, ICON].concat());
    hex(hash.get(..HASH_BYTES).unwrap_or_default())
});

/// The folder of the files, as the pages name it.
pub(super) fn folder() -> String {
    format!("/assets/{}", *HASH)
}

/// The file at a path, if there is one. An older name leads to the file of today, so that a page
/// that was loaded before an update still looks right.
pub(super) fn file(visit: &Visit) -> Option<Page> {
    let name = match visit.path.strip_prefix("/assets/") {
        Some(rest) => rest.split_once('/')?.1,
        None if visit.path == "/favicon.ico" => "favicon.svg",
        None => return None,
    };
    let (content_type, text) = match name {
        "console.css" => ("text/css; charset=utf-8", STYLE),
        "console.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "favicon.svg" => ("image/svg+xml", ICON),
        _ => return None,
    };
    let etag = format!("\"{}\"", *HASH);
    let is_known = visit.headers.get("if-none-match").is_some_and(|known| known.contains(&etag));
    Some(if is_known {
        answer::not_modified(&etag)
    } else {
        answer::asset(content_type, &etag, text)
    })
}
