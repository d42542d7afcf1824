//! Whether an answer only says that this endpoint does not serve what was asked.
//!
//! A difference means that an endpoint answers otherwise than it did. Where the captured call was
//! of an operation or an object that the endpoint does not have at all, that is no difference but
//! an outcome of its own. It is the endpoint that says so: another one may serve more than ours.

use super::canonical::printable;
use super::compare::{LIMITS, operation};
use super::exchange::Exchange;
use super::subject::Subject;
use crate::client::Answer;
use crate::json::{self, Json, JsonLimits};
use crate::xml::{ElementRef, decode, parse};

/// The operations of SOAP that the gateway serves.
const OPERATIONS: [&str; 7] =
    ["login", "getUserInfo", "create", "update", "delete", "query", "queryMore"];

/// Why a call is not served where this answer came from, if the answer says so.
pub(super) fn unserved(exchange: &Exchange, answer: &Answer) -> Option<String> {
    if !exchange.is_rest() {
        return unserved_operation(&exchange.request, &answer.body);
    }
    let json = json::read(&answer.body, &JsonLimits::default()).ok();
    let reason = json.as_ref().and_then(|json| json.get("reasons")?.items()?.first());
    let is_no_path = reason
        .and_then(|reason| reason.get("code"))
        .is_some_and(|code| matches!(code, Json::Number(code) if **code == *NO_PATH));
    let is_unserved = is_no_path && answer.status.as_u16() == 404;
    is_unserved.then(|| format!("{} is not served there", exchange.subject()))
}

/// The code of an answer that says that nothing is at the path.
const NO_PATH: &str = "50000040";

fn unserved_operation(request: &[u8], answer: &[u8]) -> Option<String> {
    let text = decode(answer, None).ok()?;
    let document = parse(&text, &LIMITS).ok()?;
    let fault = operation(document.root()).filter(|first| first.local() == "Fault")?;
    let subject = Subject::of(request);
    let is_served = subject.operation.as_deref().is_none_or(|name| OPERATIONS.contains(&name));
    let has = |code: &str| has_code(fault, code);
    if has("INVALID_SESSION") || (is_served && !has("INVALID_TYPE")) {
        return None;
    }
    let said = first_text(fault, &["faultstring", "Text"]).unwrap_or("a fault");
    Some(format!("{subject} is not served there: {}", printable(said)))
}

fn has_code(element: ElementRef<'_>, code: &str) -> bool {
    element.text().trim().ends_with(code) || element.children().any(|child| has_code(child, code))
}

fn first_text<'d>(element: ElementRef<'d>, names: &[&str]) -> Option<&'d str> {
    if names.contains(&element.local()) {
        return Some(element.text().trim());
    }
    element.children().find_map(|child| first_text(child, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str) -> String {
        format!("<e xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><Body>{body}</Body></e>")
    }

    fn fault(code: &str) -> String {
        let text = "<faultstring>No such thing.</faultstring>";
        request(&format!("<Fault><faultcode>fns:{code}</faultcode>{text}</Fault>"))
    }

    fn reported(body: &str, answer: &str) -> Option<String> {
        unserved_operation(request(body).as_bytes(), answer.as_bytes())
    }

    #[test]
    fn an_operation_or_an_object_that_is_refused_as_such_is_not_served() {
        let create = "<create><zObjects i:type='Contact'/></create>";
        let told_of = reported(create, &fault("INVALID_TYPE"));
        let expected = "create of Contact is not served there: No such thing.";
        assert_eq!(told_of.as_deref(), Some(expected));
        for operation in ["subscribe", "amend", "generate", "execute"] {
            let told_of = reported(&format!("<{operation}/>"), &fault("API_DISABLED"));
            assert!(told_of.is_some_and(|reported| reported.starts_with(operation)), "{operation}");
        }
    }

    #[test]
    fn other_refusals_are_differences() {
        let create = "<create><zObjects i:type='Refund'/></create>";
        for answer in
            [fault("INVALID_SESSION"), fault("INVALID_VALUE"), request("<x/>"), "?".into()]
        {
            assert_eq!(reported(create, &answer), None, "{answer}");
        }
        assert_eq!(reported("<subscribe/>", &fault("INVALID_SESSION")), None);
    }
}
