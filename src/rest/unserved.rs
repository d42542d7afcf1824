//! Calls that are not performed: of a path that is not there, by another method, of another type,
//! or outside what the caller may see.

use super::answer::{Manner, Response};
use super::error::{Reason, Wrong};
use super::failing;
use super::paths::{self, Operation};
use crate::call::Head;
use crate::domain::row_error::Category;
use crate::domain::text::Text;

/// Whether the content type is one that the operation takes.
pub(super) fn takes(operation: Operation, head: &Head) -> bool {
    let Some(sent) = &head.content_type else { return true };
    let essence = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match operation {
        Operation::Token => essence == FORM,
        Operation::Connections => true,
        _ => head.method.reads() || is_json(&essence),
    }
}

/// The content type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence.ends_with("+json")
}

/// The answer to a content type that is not taken.
pub(super) fn wrong_type(sent: Option<&str>) -> Reason {
    let sent: String = sent.unwrap_or_default().chars().take(100).collect();
    let words = "The content type <type> is not taken here; send application/json.";
    Reason::of_request(Wrong::MediaType, Text::new(words, [("type", &sent)]))
}

/// A header names an entity or an org that the caller may not work in.
pub(super) fn no_access(manner: &Manner, words: Text) -> Response {
    manner.refuse(&Reason::of_request(Wrong::By(Category::Permission), words))
}

/// The answer to a method that a path does not take.
pub(super) fn wrong_method(manner: &Manner, allow: String) -> Response {
    let words = Text::new("The path takes <methods>.", [("methods", &allow)]);
    manner.refuse(&Reason::of_request(Wrong::Method, words)).with("allow", allow)
}

/// The answer to a path that is not there, with the nearest that is.
pub(super) fn nothing(manner: &Manner, head: &Head) -> Response {
    let words = match paths::nearest(head.method, &head.path) {
        None => Text::new("There is no such resource.", []),
        Some(near) => Text::new(
            "There is no such resource. Did you mean <method> <path>?",
            [("method", near.0.name()), ("path", &near.1)],
        ),
    };
    manner.refuse(&Reason::of_request(Wrong::NoPath, words))
}

/// The answer to a call over a limit of calls.
pub(super) fn too_many(manner: &Manner, seconds: u32) -> Response {
    let refused = manner.refuse(&Reason::of_request(Wrong::TooMany, failing::too_many()));
    Response { retry_after_s: Some(seconds), ..refused }
}
