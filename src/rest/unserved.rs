//! Calls that are not performed: of a path that is not there, by another method, of another type,
//! or outside what the caller may see.

use super::answer::{Manner, Response};
use super::error::{Reason, Wrong};
use super::failing;
use super::paths::{self, Operation};
use crate::call::{CallLimit, Head};
use crate::catalogue::vendor;
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
    let words =
        not_served(&head.path).unwrap_or_else(|| match paths::nearest(head.method, &head.path) {
            None => Text::new("There is no such resource.", []),
            Some(near) => Text::new(
                "There is no such resource. Did you mean <method> <path>?",
                [("method", near.0.name()), ("path", &near.1)],
            ),
        });
    manner.refuse(&Reason::of_request(Wrong::NoPath, words))
}

/// What is said of a path of the original's that names an object or an action which this gateway
/// does not serve there; none of any other path, which may be a typo.
fn not_served(path: &str) -> Option<Text> {
    let path = path.strip_prefix(paths::OTHER_ROOT).unwrap_or(path);
    let mut segments = path.strip_prefix("/v1/")?.split('/');
    let (family, named) = (segments.next()?, segments.next()?);
    if family == "action" {
        let action = ACTIONS.into_iter().find(|action| *action == named)?;
        return Some(Text::new("The action <action> is not served here.", [("action", action)]));
    }
    let object = vendor::object_named(&named.replace('-', "")).filter(|_| family == "object")?;
    if vendor::object_not_kept(object).is_some() {
        let words = "This gateway does not keep objects of the type <Type>.";
        return Some(Text::new(words, [("Type", object)]));
    }
    let words = "Objects of the type <Type> have no path of their own here; use /v1/action.";
    (!paths::serves_object(named)).then(|| Text::new(words, [("Type", object)]))
}

/// The actions of the original that are not served.
const ACTIONS: [&str; 4] = ["amend", "execute", "generate", "subscribe"];

/// The answer to a call over a limit of calls.
pub(super) fn too_many(manner: &Manner, seconds: u32) -> Response {
    let refused = manner.refuse(&Reason::of_request(Wrong::TooMany, failing::too_many()));
    Response { retry_after_s: Some(seconds), limit: Some(CallLimit::RestCalls), ..refused }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: a path of Contact was answered with the words of a typo.
    #[test]
    fn an_object_of_the_original_is_no_typo_in_a_path_either() {
        let said = |path: &str| not_served(path).map(|text| text.to_string());
        for (path, object) in [
            ("/v1/object/contact", "Contact"),
            ("/rest/v1/object/product/4711", "Product"),
            ("/v1/object/product-rate-plan-charge", "ProductRatePlanCharge"),
            ("/v1/object/bill-run/1", "BillRun"),
        ] {
            let words = format!("This gateway does not keep objects of the type {object}.");
            assert_eq!(said(path), Some(words), "{path}");
        }
        let words = "Objects of the type PaymentMethod have no path of their own here; use \
                     /v1/action.";
        assert_eq!(said("/v1/object/payment-method").as_deref(), Some(words));
        let words = "The action subscribe is not served here.";
        assert_eq!(said("/v1/action/subscribe").as_deref(), Some(words));
        for path in
            ["/v1/object/refnd", "/v1/object/refund/1/2", "/v1/action/crate", "/v1/refund", "/v1"]
        {
            assert_eq!(said(path), None, "{path}");
        }
    }
}
